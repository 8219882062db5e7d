use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

/// The server's clock, as the `Date` of its last answer shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerClock(Arc<Mutex<Option<Shown>>>);

#[derive(Clone, Copy, Debug)]
struct Shown {
    time: SystemTime,
    at: Instant,
}

impl ServerClock {
    pub(super) fn now(&self) -> Option<SystemTime> {
        let shown = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(shown.time + shown.at.elapsed())
    }

    fn show(&self, date: &str) {
        // What cannot be read tells nothing.
        let time = DateTime::from_str(date, Format::HttpDate).ok().and_then(|date| date.try_into().ok());
        if let Some(time) = time {
            let shown = Some(Shown { time, at: Instant::now() });
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        }
    }
}

#[dyn_dispatch_hint]
impl Intercept for ServerClock {
    fn name(&self) -> &'static str {
        "ServerClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.show(date);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn it_shows_what_the_last_answer_told_and_goes_on_from_there() {
        let clock = ServerClock::default();
        assert_eq!(clock.now(), None);
        for (date, told) in [("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("yesterday", 784_111_777)] {
            clock.show(date);
            let ahead = clock.now().and_then(|now| now.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
            assert!(
                ahead >= Duration::from_secs(told) && ahead < Duration::from_secs(told + 60),
                "{ahead:?}"
            );
        }
    }
}
