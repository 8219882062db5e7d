//! What the weather is to be.

use std::time::{Duration, SystemTime};

use http::StatusCode;

use super::propagation::Propagation;
use crate::fault::Fault;
use crate::wire::protocol::Protocol;

/// What the weather of an endpoint is to be; fair, unless it is told otherwise.
///
/// Calls are named as in `iam:CreateRole`; a pattern may end in `*`, and several are separated by spaces. Services that do not name their operation in the
/// request's head or form, such as S3, are named by `s3:*` only.
#[derive(Clone, Debug)]
pub struct Weather {
    pub(super) seed: u64,
    pub(super) propagation: Option<Propagation>,
    pub(super) throttles: Vec<Throttle>,
    pub(super) chances: Vec<(Pattern, Mishap, f64)>,
    pub(super) appointments: Vec<(Pattern, u32, Mishap)>,
    pub(super) most_roles: Option<usize>,
    pub(super) most_policies: Option<usize>,
    clock: ClockError,
}

/// By how much the endpoint's clock is off.
#[derive(Clone, Copy, Debug, Default)]
struct ClockError {
    ahead: Duration,
    behind: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Throttle {
    pub(super) calls: Pattern,
    pub(super) per_second: f64,
    pub(super) burst: u32,
}

/// `iam:CreateRole`, `iam:*`, `*`, `iam:* sts:AssumeRole`.
#[derive(Clone, Debug)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn fits(&self, call: &str) -> bool {
        self.0.split(' ').any(|one| match one.strip_suffix('*') {
            Some(start) => call.starts_with(start),
            None => call == one,
        })
    }
}

/// What can happen to a call.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Mishap {
    /// The call takes effect, and the connection is reset before the answer.
    AnswerLost,
    /// The call takes effect, and the answer never comes.
    AnswerOverdue,
    /// 500, and nothing took effect.
    InternalError,
    /// The connection is reset before anything took effect.
    Reset,
    /// Nothing takes effect, and no answer ever comes.
    Silence,
    /// The service's own error for too many calls: IAM's is `Throttling`, 400.
    Throttled,
    /// 503, and nothing took effect.
    Unavailable,
}

impl Weather {
    /// Fair weather; chance follows from the seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            propagation: None,
            throttles: Vec::new(),
            chances: Vec::new(),
            appointments: Vec::new(),
            most_roles: None,
            most_policies: None,
            clock: ClockError::default(),
        }
    }

    /// What IAM and STS accept is not known everywhere at once.
    #[must_use]
    pub fn propagation(mut self, propagation: Propagation) -> Self {
        self.propagation = Some(propagation);
        self
    }

    /// All calls that fit the pattern share a bucket of `burst` tokens, which fills by so many a second; a call that finds
    /// none is [throttled](Mishap::Throttled).
    ///
    /// A bucket for each API is a throttle for each.
    #[must_use]
    pub fn throttle(mut self, calls: impl Into<String>, per_second: f64, burst: u32) -> Self {
        self.throttles.push(Throttle { calls: Pattern(calls.into()), per_second, burst });
        self
    }

    /// Each call that fits the pattern meets the mishap with this probability, from 0 to 1.
    #[must_use]
    pub fn chance(mut self, calls: impl Into<String>, mishap: Mishap, probability: f64) -> Self {
        self.chances.push((Pattern(calls.into()), mishap, probability));
        self
    }

    /// The nth call that fits the pattern, counted from 1, meets the mishap.
    #[must_use]
    pub fn nth(mut self, calls: impl Into<String>, nth: u32, mishap: Mishap) -> Self {
        self.appointments.push((Pattern(calls.into()), nth, mishap));
        self
    }

    /// The endpoint's clock is ahead of its client's.
    #[must_use]
    pub fn clock_ahead(mut self, by: Duration) -> Self {
        self.clock = ClockError { ahead: by, behind: Duration::ZERO };
        self
    }

    /// The endpoint's clock is behind its client's.
    #[must_use]
    pub fn clock_behind(mut self, by: Duration) -> Self {
        self.clock = ClockError { ahead: Duration::ZERO, behind: by };
        self
    }

    /// The account's quota of roles; AWS's default is 1,000.
    #[must_use]
    pub fn most_roles(mut self, quota: usize) -> Self {
        self.most_roles = Some(quota);
        self
    }

    /// The account's quota of customer managed policies; AWS's default is 1,500.
    #[must_use]
    pub fn most_policies(mut self, quota: usize) -> Self {
        self.most_policies = Some(quota);
        self
    }

    /// What the endpoint's clock shows at this time.
    pub(crate) fn shown(&self, at: SystemTime) -> SystemTime {
        at + self.clock.ahead - self.clock.behind
    }
}

impl Mishap {
    /// Whether the call does what it was asked to, whatever its caller hears.
    pub(crate) fn takes_effect(self) -> bool {
        matches!(self, Self::AnswerLost | Self::AnswerOverdue)
    }

    /// Whether the connection stays open.
    pub(super) fn is_silent(self) -> bool {
        matches!(self, Self::AnswerOverdue | Self::Silence)
    }

    /// What is answered, where anything is.
    pub(crate) fn fault(self, protocol: Protocol) -> Option<Fault> {
        let (status, code, message) = match (self, protocol) {
            (Self::AnswerLost | Self::AnswerOverdue | Self::Reset | Self::Silence, _) => return None,
            (Self::InternalError, Protocol::Query) => {
                (500, "ServiceFailure", "The request processing has failed because of an unknown error.")
            }
            (Self::InternalError, Protocol::Ec2 | Protocol::S3) => {
                (500, "InternalError", "We encountered an internal error. Please try again.")
            }
            (Self::InternalError, _) => (500, "InternalFailure", "An internal failure occurred."),
            (Self::Throttled, Protocol::Query | Protocol::RestXml) => (400, "Throttling", "Rate exceeded"),
            (Self::Throttled, Protocol::Ec2) => (503, "RequestLimitExceeded", "Request limit exceeded."),
            (Self::Throttled, Protocol::S3) => (503, "SlowDown", "Please reduce your request rate."),
            (Self::Throttled, Protocol::RestJson) => (429, "TooManyRequestsException", "Rate exceeded"),
            (Self::Throttled, Protocol::Cbor | Protocol::Json) => {
                (400, "ThrottlingException", "Rate exceeded")
            }
            (Self::Unavailable, Protocol::Ec2) => (503, "Unavailable", "The server is overloaded."),
            (Self::Unavailable, _) => {
                (503, "ServiceUnavailable", "The service is temporarily unable to handle the request.")
            }
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        Some(Fault::new(status, code, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_one_call_or_all_that_begin_so() {
        let fits = |pattern: &str, call| Pattern(pattern.to_owned()).fits(call);
        assert!(fits("iam:CreateRole", "iam:CreateRole") && !fits("iam:CreateRole", "iam:CreateRoles"));
        assert!(fits("iam:*", "iam:CreateRole") && !fits("iam:*", "sts:AssumeRole"));
        assert!(fits("*", "s3"));
        assert!(fits("iam:* sts:AssumeRole", "sts:AssumeRole") && !fits("iam:* sts:AssumeRole", "sts:Get"));
    }
}
