//! The table of STS's operations.

use bytes::Bytes;
use http::Response;

use super::assume_role::assume_role;
use super::federation::{federation_token, session_token_of_user};
use super::web_identity::assume_role_with_web_identity;
use crate::authorize::{Access, Refusal};
use crate::call::Call;
use crate::fault::Fault;
use crate::iam::{Session, SessionOf};
use crate::protocol::Protocol;
use crate::query::{self, Parameters};
use crate::request::Parts;
use crate::xml::Xml;

type Operation = fn(&Call<'_>, &Parameters<'_>, &mut Xml) -> Result<(), Fault>;

const OPERATIONS: &[(&str, Operation)] = &[
    ("AssumeRole", assume_role),
    ("AssumeRoleWithWebIdentity", assume_role_with_web_identity),
    ("GetAccessKeyInfo", access_key_info),
    ("GetCallerIdentity", caller_identity),
    ("GetFederationToken", federation_token),
    ("GetSessionToken", session_token_of_user),
];

/// Operations whose caller has no credentials yet, and shows something else.
const UNSIGNED: [&str; 2] = ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"];

/// Whether a request need not be signed.
pub(crate) fn is_unsigned(parts: &Parts, body: &[u8]) -> bool {
    /// More than the longest token needs; what is longer is some other service's.
    const LONGEST: usize = 128 * 1024;
    let body = if body.len() > LONGEST { &[] } else { body };
    let pairs = [parts.uri.query().unwrap_or_default().as_bytes(), body];
    let mut pairs = pairs.into_iter().flat_map(|text| text.split(|b| *b == b'&'));
    let action = pairs.find_map(|pair| pair.strip_prefix(b"Action="));
    action.is_some_and(|action| UNSIGNED.iter().any(|name| name.as_bytes() == action))
}

/// The service of a request that neither its signature nor its host tells, if it is this one.
pub(crate) fn service_of_unsigned(parts: &Parts, body: &[u8]) -> Option<&'static str> {
    is_unsigned(parts, body).then_some("sts")
}

/// Answers a call to STS.
pub(crate) fn handle(call: &Call<'_>) -> Response<Bytes> {
    answer(call).unwrap_or_else(|fault| call.fault(Protocol::Query, &fault))
}

fn answer(call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
    let parameters = Parameters::read(call.parts, &call.body)?;
    let action = parameters.action(call)?;
    let Some((name, operation)) = OPERATIONS.iter().find(|(name, _)| *name == action) else {
        return Err(Fault::not_mapped("sts", Some(action)));
    };
    check_session(call, name)?;
    let mut xml = Xml::new();
    operation(call, &parameters, &mut xml)?;
    Ok(query::respond(call, name, "https://sts.amazonaws.com/doc/2011-06-15/", &xml))
}

/// A session of a user, made without an MFA device, can only become a role's; a federated one not even that.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
fn check_session(call: &Call<'_>, operation: &str) -> Result<(), Refusal> {
    let is_free = matches!(operation, "AssumeRole" | "GetCallerIdentity");
    match call.caller.session() {
        Some(Session { of: SessionOf::Federated { .. } | SessionOf::User { .. }, .. }) if !is_free => {
            Err(Refusal::Denied(format!("Cannot call {operation} with session credentials")))
        }
        _ => Ok(()),
    }
}

/// Asks no policy: AWS answers even where one denies it.
#[expect(clippy::unnecessary_wraps, reason = "the other operations can fail")]
fn caller_identity(call: &Call<'_>, _: &Parameters<'_>, xml: &mut Xml) -> Result<(), Fault> {
    xml.leaf("Arn", &call.caller.principal.to_string());
    xml.leaf("UserId", call.caller.user_id.as_deref().unwrap_or_default());
    xml.leaf("Account", &call.endpoint.account);
    Ok(())
}

fn access_key_info(call: &Call<'_>, parameters: &Parameters<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let id = parameters.required("AccessKeyId")?;
    call.authorize(Access {
        action: "sts:GetAccessKeyInfo",
        resource: "*".to_owned(),
        resource_policy: None,
        conditions: &|_| {},
        absent: &["sts:"],
    })?;
    parameters.check_length("AccessKeyId", 16..=128)?;
    if call.endpoint.iam().any_key(id).is_none() {
        return Err(Fault::validation(format!("The access key {id} does not exist.")));
    }
    xml.leaf("Account", &call.endpoint.account);
    Ok(())
}
