//! What came back from a call, and what it says about authorization.

use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use iam_endpoint::{Authorization, Event, Outcome};
use iam_policy::Verdict;

use super::code::CodeClass;
use super::sentence::Sentence;
use super::{Expectation, Expected};

/// A call's result, as the assertion macros see it: owned or behind references.
pub trait CallResult {
    /// The operation's output.
    type Output;
    /// The operation's modelled error.
    type Error;

    /// The result by reference.
    ///
    /// # Errors
    ///
    /// The call's own error.
    fn as_call_result(&self) -> Result<&Self::Output, &SdkError<Self::Error, HttpResponse>>;
}

impl<T, E> CallResult for Result<T, SdkError<E, HttpResponse>> {
    type Output = T;
    type Error = E;

    fn as_call_result(&self) -> Result<&T, &SdkError<E, HttpResponse>> {
        self.as_ref()
    }
}

/// An output whose request id is wanted.
#[derive(Debug)]
pub struct Probe<'a, T>(pub &'a T);

/// The request id of outputs that carry one.
pub trait ProbeRequestId {
    /// The request id, where the service sent one.
    fn probe_request_id(&self) -> Option<String>;
}

impl<T: RequestId> ProbeRequestId for Probe<'_, T> {
    fn probe_request_id(&self) -> Option<String> {
        self.0.request_id().map(str::to_owned)
    }
}

/// The fallback for outputs without a request id, such as a collected paginator.
pub trait NoRequestId {
    /// No request id.
    fn probe_request_id(&self) -> Option<String>;
}

impl<T> NoRequestId for &Probe<'_, T> {
    fn probe_request_id(&self) -> Option<String> {
        None
    }
}

/// What came back from a call.
#[derive(Debug)]
pub struct Answer {
    /// SDK crate and operation, such as `s3 GetObject`, where the error's type tells.
    pub(super) operation: Option<(String, String)>,
    pub(super) body: Body,
    pub(super) request_id: Option<String>,
    /// What the embedded endpoint recorded of this very request.
    pub(super) event: Option<Arc<Event>>,
}

/// The part of an answer that differs by how the call ended.
#[derive(Debug)]
pub(super) enum Body {
    /// The call succeeded.
    Ok,
    /// The service answered with an error.
    Error { status: u16, code: Option<String>, message: Option<String>, sentence: Sentence, is_empty: bool },
    /// No answer of the service: why, in the SDK's words.
    None(String),
}

/// What an answer says about authorization.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Allowed,
    /// Explicitly, implicitly, or the service does not say.
    Denied(Option<bool>),
    /// A 403 of S3 that stands for "no such key": reading it was allowed.
    Concealed,
    /// A batch whose items were partly allowed, partly denied.
    Partly,
    /// Nothing: why.
    Nothing(&'static str),
}

/// How an answer differs from what a test expects.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// Another verdict.
    Verdict(Finding),
    /// Allowed, but the service did not perform it.
    Failed,
    /// The right verdict, about other actions or resources.
    Subject,
}

impl Answer {
    /// Observes the result of a call; `request_id` is that of a successful output.
    pub fn observe<T, E>(result: Result<&T, &SdkError<E, HttpResponse>>, request_id: Option<String>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let (body, request_id) = match result {
            Ok(_) => (Body::Ok, request_id),
            Err(error) => (Body::of(error), error.request_id().map(str::to_owned)),
        };
        let event = request_id.as_deref().and_then(crate::backend::journalled);
        Self { operation: operation(std::any::type_name::<E>()), body, request_id, event }
    }

    /// `AccessDenied: User: … is not authorized … (HTTP 403, request id 4442587FB7D0A2F9)`; a denial's sentence says no
    /// more than the record of the endpoint, where there is one.
    pub(super) fn told(&self) -> String {
        let (what, status) = match &self.body {
            Body::Ok => ("the call succeeded".to_owned(), None),
            Body::None(why) => (why.clone(), None),
            Body::Error { status, code, message, .. } => {
                let code = code.as_deref().unwrap_or("an answer without an error code");
                let is_recorded = self.event.as_ref().is_some_and(|event| event.outcome == Outcome::Denied);
                match message.as_deref().filter(|_| !is_recorded) {
                    Some(message) => (format!("{code}: {message}"), Some(status)),
                    None => (code.to_owned(), Some(status)),
                }
            }
        };
        let status = status.map(|status| format!("HTTP {status}"));
        let id = self.request_id.as_ref().map(|id| format!("request id {id}"));
        let facts: Vec<_> = status.into_iter().chain(id).collect();
        if facts.is_empty() { what } else { format!("{what} ({})", facts.join(", ")) }
    }

    /// Compares the answer with what a test expects.
    pub(super) fn compare(&self, expectation: &Expectation) -> Result<(), Mismatch> {
        let finding = self.finding(expectation);
        let fits = match expectation.verdict {
            Expected::Allowed => matches!(finding, Finding::Allowed | Finding::Concealed),
            Expected::Denied => matches!(finding, Finding::Denied(_)),
            Expected::ExplicitDeny => finding == Finding::Denied(Some(true)),
            Expected::ImplicitDeny => finding == Finding::Denied(Some(false)),
        };
        if !fits {
            return Err(Mismatch::Verdict(finding));
        }
        if expectation.success && !matches!(self.body, Body::Ok) {
            return Err(Mismatch::Failed);
        }
        if self.is_about(expectation) { Ok(()) } else { Err(Mismatch::Subject) }
    }

    /// The record, where there is one, else the code and the sentence.
    fn finding(&self, expectation: &Expectation) -> Finding {
        match &self.event {
            Some(event) => recorded_finding(event, expectation),
            None => self.body.finding(self.operation.as_ref()),
        }
    }

    /// Whether the verdict is about the action and resource that the test names.
    fn is_about(&self, expectation: &Expectation) -> bool {
        if expectation.action.is_none() && expectation.resource.is_none() {
            return true;
        }
        let allowed = expectation.verdict == Expected::Allowed;
        match (&self.event, &self.body) {
            (Some(event), _) => event
                .authorizations
                .iter()
                .any(|each| is_allowed(each) == allowed && expectation.names(each.action(), each.resource())),
            (None, Body::Error { sentence, .. }) if !allowed => {
                let action = sentence.action.as_deref().unwrap_or_default();
                let resource = sentence.resource.as_deref().unwrap_or_default();
                expectation.names(action, resource)
            }
            // AWS does not tell what it allowed.
            (None, _) => allowed,
        }
    }
}

impl Expectation {
    /// Whether this action and resource are those that the test names. Actions are case-insensitive.
    pub(super) fn names(&self, action: &str, resource: &str) -> bool {
        self.action.as_ref().is_none_or(|expected| expected.eq_ignore_ascii_case(action))
            && self.resource.as_ref().is_none_or(|expected| expected == resource)
    }
}

impl Body {
    fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let SdkError::ServiceError(context) = error else {
            return Self::None(DisplayErrorContext(error).to_string());
        };
        let meta = context.err().meta();
        let raw = String::from_utf8_lossy(context.raw().body().bytes().unwrap_or_default());
        // `moto_server` words errors of IAM and STS in EC2's form, in which the SDK finds neither.
        let told = |known: Option<&str>, tag| known.or_else(|| element(&raw, tag)).map(str::to_owned);
        let message = told(meta.message(), "Message");
        Self::Error {
            status: context.raw().status().as_u16(),
            code: told(meta.code(), "Code"),
            sentence: message.as_deref().map(Sentence::read).unwrap_or_default(),
            message,
            is_empty: raw.is_empty(),
        }
    }

    fn finding(&self, operation: Option<&(String, String)>) -> Finding {
        let (status, code, message, sentence, is_empty) = match self {
            Self::Ok => return Finding::Allowed,
            Self::None(_) => return Finding::Nothing("the service did not answer"),
            Self::Error { status, code, message, sentence, is_empty } => {
                (*status, code.as_deref(), message.as_deref().unwrap_or_default(), sentence, *is_empty)
            }
        };
        match code.and_then(CodeClass::of) {
            Some(CodeClass::Credentials) => Finding::Nothing("the credentials were not accepted"),
            // S3 gives this code to a presigned URL that is too old, too.
            Some(CodeClass::Denial) if message.starts_with("Request has expired") => {
                Finding::Nothing("the presigned request has expired")
            }
            Some(CodeClass::Denial) if conceals_absence(operation, sentence) => Finding::Concealed,
            Some(CodeClass::Denial) => Finding::Denied(sentence.explicit),
            Some(CodeClass::Malformed) => {
                Finding::Nothing("the request was refused for its form, perhaps before any policy was asked")
            }
            Some(CodeClass::NotMapped) => Finding::Nothing("the endpoint does not know this operation"),
            Some(CodeClass::Throttled) => Finding::Nothing("the request was throttled"),
            // S3 answers HEAD requests without a body, hence without a code.
            None if is_empty && status == 403 => Finding::Denied(None),
            None if status >= 500 => Finding::Nothing("the service failed"),
            None if code.is_none() && !(is_empty && matches!(status, 304 | 404 | 412)) => {
                Finding::Nothing("the answer has no error code")
            }
            Some(CodeClass::Authorized) | None => Finding::Allowed,
        }
    }
}

/// The text of the first such element of an XML answer.
fn element<'a>(xml: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{tag}>"))?;
    let (text, _) = rest.split_once(&format!("</{tag}>"))?;
    Some(text)
}

/// Whether a denial of `s3:ListBucket` answers a read of an object: then the read was allowed and the object is absent.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>, "Permissions".
fn conceals_absence(operation: Option<&(String, String)>, sentence: &Sentence) -> bool {
    operation
        .is_some_and(|(service, name)| service == "s3" && matches!(name.as_str(), "GetObject" | "HeadObject"))
        && sentence.action.as_deref() == Some("s3:ListBucket")
}

/// What the endpoint's own record says; where the test names an action or resource, of that one item of a batch.
fn recorded_finding(event: &Event, expectation: &Expectation) -> Finding {
    match event.outcome {
        Outcome::Answered | Outcome::Failed | Outcome::NotPerformed => {
            let (mut allowed, mut denied) = (0_usize, None);
            for each in &event.authorizations {
                if !expectation.names(each.action(), each.resource()) {
                    continue;
                }
                if is_allowed(each) {
                    allowed += 1;
                } else {
                    denied = Some(each.decision.verdict == Verdict::ExplicitDeny);
                }
            }
            match (allowed, denied) {
                (_, None) => Finding::Allowed,
                (0, explicit) => Finding::Denied(explicit),
                _ => Finding::Partly,
            }
        }
        Outcome::ConcealedNotFound => Finding::Concealed,
        Outcome::Denied => {
            Finding::Denied(denials(event).next().map(|each| each.decision.verdict == Verdict::ExplicitDeny))
        }
        Outcome::AuthenticationFailed => Finding::Nothing("the credentials were not accepted"),
        Outcome::NotEvaluable => Finding::Nothing("the endpoint cannot evaluate the policy for this request"),
        Outcome::NotMapped => Finding::Nothing("the endpoint does not know this operation"),
        Outcome::Unavailable => Finding::Nothing("the upstream did not answer"),
        _ => Finding::Nothing("the endpoint refused the request before any policy was asked"),
    }
}

/// What was denied in an event.
pub(super) fn denials(event: &Event) -> impl Iterator<Item = &Authorization> {
    event.authorizations.iter().filter(|each| !is_allowed(each))
}

pub(super) fn is_allowed(authorization: &Authorization) -> bool {
    authorization.decision.verdict == Verdict::Allowed
}

/// `aws_sdk_s3::operation::get_object::GetObjectError` names the service `s3` and the operation `GetObject`.
fn operation(error_type: &str) -> Option<(String, String)> {
    let (service, _) = error_type.strip_prefix("aws_sdk_")?.split_once("::")?;
    let (_, name) = error_type.rsplit_once("::")?;
    let name = name.strip_suffix("Error")?;
    Some((service.to_owned(), name.to_owned()))
}
