//! The table of STS's operations.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::assume_role::assume_role;
use super::federation::{federation_token, session_token_of_user};
use super::saml::assume_role_with_saml;
use super::web_identity::assume_role_with_web_identity;
use crate::authorize::{Access, Refusal};
use crate::call::Call;
use crate::ec2;
use crate::fault::Fault;
use crate::iam::{Session, SessionOf};
use crate::wire::protocol::Protocol;
use crate::wire::query::{self, Parameters};
use crate::wire::xml::Xml;

type Operation = fn(&Call<'_>, &Parameters<'_>, &mut Xml) -> Result<(), Fault>;

const OPERATIONS: &[(&str, Operation)] = &[
    ("AssumeRole", assume_role),
    ("AssumeRoleWithSAML", assume_role_with_saml),
    ("AssumeRoleWithWebIdentity", assume_role_with_web_identity),
    ("DecodeAuthorizationMessage", decode_authorization_message),
    ("GetAccessKeyInfo", access_key_info),
    ("GetCallerIdentity", caller_identity),
    ("GetFederationToken", federation_token),
    ("GetSessionToken", session_token_of_user),
];

/// Answers a call to STS; `None` for an operation that is not one of these.
pub(crate) fn handle(call: &Call<'_>) -> Option<Response<Bytes>> {
    answer(call).unwrap_or_else(|fault| Some(call.fault(Protocol::Query, &fault)))
}

fn answer(call: &Call<'_>) -> Result<Option<Response<Bytes>>, Fault> {
    let parameters = Parameters::read(call.parts, &call.body)?;
    let action = parameters.action(call)?;
    let Some((name, operation)) = OPERATIONS.iter().find(|(name, _)| *name == action) else {
        return Ok(None);
    };
    check_session(call, name)?;
    let mut xml = Xml::new();
    operation(call, &parameters, &mut xml)?;
    Ok(Some(query::respond(call, name, "https://sts.amazonaws.com/doc/2011-06-15/", &xml)))
}

/// A session of a user can only become a role's; a federated one not even that.
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
    xml.leaf("Account", &call.endpoint.account.id);
    Ok(())
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html>
fn decode_authorization_message(
    call: &Call<'_>,
    parameters: &Parameters<'_>,
    xml: &mut Xml,
) -> Result<(), Fault> {
    let encoded = parameters.required("EncodedMessage")?;
    call.authorize(Access {
        action: "sts:DecodeAuthorizationMessage",
        resource: "*".to_owned(),
        resource_account: None,
        resource_policy: None,
        conditions: &|_| {},
        absent: &["sts:"],
    })?;
    let decoded = ec2::decode(call.endpoint, encoded).ok_or_else(|| {
        Fault::new(
            StatusCode::BAD_REQUEST,
            "InvalidAuthorizationMessageException",
            "The message passed to DecodeAuthorizationMessage is invalid",
        )
    })?;
    xml.leaf("DecodedMessage", &decoded);
    Ok(())
}

fn access_key_info(call: &Call<'_>, parameters: &Parameters<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let id = parameters.required("AccessKeyId")?;
    call.authorize(Access {
        action: "sts:GetAccessKeyInfo",
        resource: "*".to_owned(),
        resource_account: None,
        resource_policy: None,
        conditions: &|_| {},
        absent: &["sts:"],
    })?;
    parameters.check_length("AccessKeyId", 16..=128)?;
    let (_, holder) = call
        .endpoint
        .access_key(id)
        .ok_or_else(|| Fault::validation(format!("The access key {id} does not exist.")))?;
    xml.leaf("Account", &holder.account.id);
    Ok(())
}
