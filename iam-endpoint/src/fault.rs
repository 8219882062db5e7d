//! An error that a service answers.

use std::borrow::Cow;

use http::{Response, StatusCode};

use crate::authorize::Refusal;
use crate::journal::Outcome;
use crate::wire::body::Body;

/// An error in AWS's terms; `protocol` writes it as the service's clients read it.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) outcome: Outcome,
}

impl Fault {
    /// A refusal that has nothing to do with authorization.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code: Cow::Borrowed(code), message: message.into(), outcome: Outcome::Failed }
    }

    /// AWS's sentence for a parameter that breaks a rule.
    pub(crate) fn violated(parameter: &str, value: &str, rule: &str) -> Self {
        Self::violated_by(parameter, &format!("'{value}'"), rule)
    }

    /// AWS's sentence for a parameter that is not there.
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::violated_by(parameter, "null", "Member must not be null")
    }

    fn violated_by(parameter: &str, value: &str, rule: &str) -> Self {
        let (first, rest) = parameter.split_at_checked(1).unwrap_or_default();
        let field = format!("{}{rest}", first.to_ascii_lowercase());
        Self::validation(format!(
            "1 validation error detected: Value {value} at '{field}' failed to satisfy constraint: {rule}"
        ))
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationError", message)
    }

    pub(crate) fn delete_conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "DeleteConflict", message)
    }

    pub(crate) fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidInput", message)
    }

    pub(crate) fn malformed_policy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MalformedPolicyDocument", message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "LimitExceeded", message)
    }

    /// The operation is not one of the endpoint's: neither allowed nor denied.
    pub(crate) fn not_mapped(service: &str, operation: Option<&str>) -> Self {
        let what = operation.map_or_else(
            || format!("an operation of `{service}`"),
            |operation| format!("`{service}:{operation}`"),
        );
        Self {
            status: StatusCode::NOT_IMPLEMENTED,
            code: Cow::Borrowed("OperationNotMapped"),
            message: format!(
                "this endpoint does not know what {what} needs to be allowed, so it can neither authorize nor perform it; \
                 this is no denial. A test can declare it: `Endpoint::declare` or `TemporaryRole::builder().operation`, \
                 with checks such as `prefix:Action@type=Member`"
            ),
            outcome: Outcome::NotMapped,
        }
    }

    /// What has to be allowed depends on what the request does not have, so there is nothing to ask the policies.
    pub(crate) fn not_derivable() -> Self {
        Self {
            message: "the request does not say what it is about, so this endpoint can neither authorize nor perform it; \
                      this is no denial. A request that names its resource can be authorized"
                .to_owned(),
            outcome: Outcome::NotEvaluable,
            ..Self::not_mapped("", None)
        }
    }

    /// The operation's input is a stream of events, which cannot be read as a whole.
    pub(crate) fn event_stream(service: &str, operation: &str) -> Self {
        Self {
            message: format!(
                "this endpoint does not read the stream of events that `{service}:{operation}` sends, so it can neither \
                 authorize nor perform it; this is no denial"
            ),
            ..Self::not_mapped(service, Some(operation))
        }
    }
}

impl Fault {
    /// The caller may do it, and nothing performs it: neither a denial nor a success.
    pub(crate) fn not_performed(service: &str, operation: &str, advice: &str) -> Self {
        let end = if advice.is_empty() { "" } else { "; " };
        Self {
            status: StatusCode::NOT_IMPLEMENTED,
            code: Cow::Borrowed("AuthorizedNotPerformed"),
            message: format!(
                "the caller is allowed to do `{service}:{operation}`, but nothing behind this endpoint performs \
                 it{end}{advice}"
            ),
            outcome: Outcome::NotPerformed,
        }
    }
}

/// Whoever was to perform a call did not, or not to the end.
pub(crate) const UPSTREAM_UNAVAILABLE: &str = "UpstreamUnavailable";

impl Fault {
    /// The caller may do it, and whoever was to perform it did not: neither a denial nor a success.
    pub(crate) fn unavailable(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            code: Cow::Borrowed(UPSTREAM_UNAVAILABLE),
            message: message.into(),
            outcome: Outcome::Unavailable,
        }
    }

    /// An answer for whoever knows the protocol to write the error into: see [`Fault::of`].
    #[cfg(feature = "upstream")]
    pub(crate) fn unworded(self) -> Response<Body> {
        let mut response = Response::new(Body::default());
        *response.status_mut() = self.status;
        response.extensions_mut().insert(self);
        response
    }

    /// The error that an answer still has to tell.
    pub(crate) fn of(response: &mut Response<Body>) -> Option<Self> {
        response.extensions_mut().remove()
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let outcome = refusal.outcome();
        let (status, code, message) = match refusal {
            Refusal::Denied(message) => (StatusCode::FORBIDDEN, "AccessDenied", message),
            Refusal::KeyNotEvaluable(message) => {
                (StatusCode::NOT_IMPLEMENTED, "ConditionKeyNotEvaluable", message)
            }
            Refusal::ResourceNotEvaluable(message) => {
                (StatusCode::NOT_IMPLEMENTED, "ResourceNotEvaluable", message)
            }
            Refusal::SessionNotEvaluable(message) => {
                (StatusCode::NOT_IMPLEMENTED, "SessionNotEvaluable", message)
            }
        };
        Self { status, code: Cow::Borrowed(code), message, outcome }
    }
}
