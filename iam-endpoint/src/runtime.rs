//! The threads behind servers and upstreams.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};

/// One runtime for a process, with a thread for each core; they idle where nothing is served or sent on.
///
/// A test's own runtime would not do: connections are kept open over the end of the test that opened them.
pub(crate) fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: Mutex<Option<&'static Runtime>> = Mutex::new(None);
    let mut started = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = *started {
        return Ok(runtime);
    }
    let runtime =
        Builder::new_multi_thread().thread_name("iam-endpoint").enable_io().enable_time().build()?;
    // It lives as long as the process, for one that is dropped inside another panics.
    Ok(started.insert(Box::leak(Box::new(runtime))))
}
