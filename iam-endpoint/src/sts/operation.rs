//! The table of STS's operations.

use bytes::Bytes;
use http::Response;

use super::assume_role::assume_role;
use crate::authorize::Access;
use crate::call::Call;
use crate::fault::Fault;
use crate::protocol::Protocol;
use crate::query::{self, Parameters};
use crate::xml::Xml;

type Operation = fn(&Call<'_>, &Parameters<'_>, &mut Xml) -> Result<(), Fault>;

const OPERATIONS: &[(&str, Operation)] = &[
    ("AssumeRole", assume_role),
    ("GetAccessKeyInfo", access_key_info),
    ("GetCallerIdentity", caller_identity),
];

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
    let mut xml = Xml::new();
    operation(call, &parameters, &mut xml)?;
    Ok(query::respond(call, name, "https://sts.amazonaws.com/doc/2011-06-15/", &xml))
}

/// Asks no policy: AWS answers even where one denies it.
#[expect(clippy::unnecessary_wraps, reason = "the other operations can fail")]
fn caller_identity(call: &Call<'_>, _: &Parameters<'_>, xml: &mut Xml) -> Result<(), Fault> {
    xml.leaf("Arn", &call.caller.principal.to_string());
    xml.leaf("UserId", call.caller.user_id.as_deref().unwrap_or_default());
    xml.leaf("Account", &call.endpoint.account.id);
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
    let (_, holder) = call
        .endpoint
        .access_key(id)
        .ok_or_else(|| Fault::validation(format!("The access key {id} does not exist.")))?;
    xml.leaf("Account", &holder.account.id);
    Ok(())
}
