//! `POST /policy/validation`.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use iam_policy::{Policy, PolicyKind};
use serde_json::{Value, json};

use super::finding::{finding, missing_version};
use crate::authorize::Access;
use crate::call::Call;
use crate::fault::Fault;
use crate::journal::Outcome;
use crate::wire::protocol::Protocol;
use crate::wire::query::percent_decode;

/// The longest body: documents have quotas of some thousand characters.
const LONGEST: usize = 256 * 1024;

/// Whether the call is this operation.
pub(crate) fn performs(call: &Call<'_>) -> bool {
    call.parts.method == Method::POST && call.parts.uri.path() == "/policy/validation"
}

/// Answers the operation.
pub(crate) fn handle(call: &Call<'_>) -> Response<Bytes> {
    call.begin("access-analyzer:ValidatePolicy");
    answer(call).unwrap_or_else(|fault| {
        let code = if fault.outcome == Outcome::Denied { "AccessDeniedException".into() } else { fault.code };
        call.fault(Protocol::RestJson, &Fault { code, ..fault })
    })
}

fn answer(call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
    call.authorize(Access {
        action: "access-analyzer:ValidatePolicy",
        resource: "*".to_owned(),
        resource_account: None,
        resource_policy: None,
        conditions: &|_| {},
        absent: &["access-analyzer:"],
    })?;
    let question = Question::read(call)?;
    let (size, start) = page(call)?;
    let all = question.findings();
    let findings: Vec<_> = all.iter().skip(start).take(size).collect();
    let end = start.saturating_add(size);
    let body = if end < all.len() {
        json!({ "findings": findings, "nextToken": end.to_string() })
    } else {
        json!({ "findings": findings })
    };
    let mut response = Response::new(Bytes::from(body.to_string()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// What is to be validated.
struct Question {
    document: String,
    kind: PolicyKind,
}

impl Question {
    fn read(call: &Call<'_>) -> Result<Self, Fault> {
        if call.body.len() > LONGEST {
            return Err(Fault::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLargeException",
                format!("the request body is larger than {LONGEST} bytes"),
            ));
        }
        let body: Value = serde_json::from_slice(&call.body).map_err(|_| {
            Fault::new(StatusCode::BAD_REQUEST, "SerializationException", "the request body is not JSON")
        })?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let required = |name: &str| text(name).ok_or_else(|| invalid(format!("{name} is required")));
        let for_resource = text("validatePolicyResourceType");
        let kind = match required("policyType")? {
            "IDENTITY_POLICY" => PolicyKind::Identity,
            "RESOURCE_CONTROL_POLICY" => PolicyKind::ResourceControl,
            "RESOURCE_POLICY" if for_resource == Some("AWS::IAM::AssumeRolePolicyDocument") => {
                PolicyKind::Trust
            }
            "RESOURCE_POLICY" => PolicyKind::Resource,
            "SERVICE_CONTROL_POLICY" => PolicyKind::ServiceControl,
            other => {
                return Err(invalid(format!(
                    "policyType {other} is none of IDENTITY_POLICY, RESOURCE_POLICY, SERVICE_CONTROL_POLICY, \
                     RESOURCE_CONTROL_POLICY"
                )));
            }
        };
        if for_resource.is_some() && !matches!(kind, PolicyKind::Resource | PolicyKind::Trust) {
            return Err(invalid("validatePolicyResourceType is for resource policies only".to_owned()));
        }
        Ok(Self { document: required("policyDocument")?.to_owned(), kind })
    }

    fn findings(&self) -> Vec<Value> {
        let document: Option<Value> = serde_json::from_str(&self.document).ok();
        let has_no_version = document
            .as_ref()
            .and_then(Value::as_object)
            .is_some_and(|members| !members.contains_key("Version"));
        let found = Policy::check(self.document.as_str(), self.kind);
        let found = found.iter().filter_map(|one| finding(one, self.kind, document.as_ref()));
        has_no_version.then(missing_version).into_iter().chain(found).collect()
    }
}

/// How many findings are asked for, and from which one on.
fn page(call: &Call<'_>) -> Result<(usize, usize), Fault> {
    let query = call.parts.uri.query().unwrap_or_default();
    let parameter = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(of, _)| *of == name).and_then(|(_, value)| percent_decode(value))
    };
    let number = |name: &str, usual: usize| match parameter(name) {
        None => Ok(usual),
        Some(text) => text.parse().map_err(|_| invalid(format!("{name} is not valid"))),
    };
    Ok((number("maxResults", 100)?.max(1), number("nextToken", 0)?))
}

fn invalid(message: String) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "ValidationException", message)
}
