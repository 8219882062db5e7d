//! `GetFederationToken` and `GetSessionToken`: temporary credentials of a user's own.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html>

use iam_policy::Principal;
use time::Duration;

use super::mfa;
use super::session::{
    SessionPolicies, seconds, set_tag_conditions, text, write_credentials, write_packed_size,
};
use crate::authorize::{Access, Refusal};
use crate::call::Call;
use crate::fault::Fault;
use crate::iam::{Session, SessionOf, Tags, session_token};
use crate::wire::query::Parameters;
use crate::wire::xml::Xml;

/// How long these credentials may live, in seconds: 15 minutes to 36 hours.
const SECONDS: std::ops::RangeInclusive<i64> = 900..=129_600;

/// How long they live unless the call says so: 12 hours.
const USUAL: Duration = Duration::hours(12);

pub(super) fn federation_token(
    call: &Call<'_>,
    parameters: &Parameters<'_>,
    xml: &mut Xml,
) -> Result<(), Fault> {
    let name = text(parameters, "Name", 32, "")?;
    let name = name.map_or_else(|| parameters.required("Name"), Ok)?;
    let duration = seconds(parameters, SECONDS)?.unwrap_or(USUAL);
    let tags = Tags::read(parameters)?;
    let user_id = user_id(call, "GetFederationToken")?;
    let policies = SessionPolicies::read(call.endpoint, parameters)?;
    let arn = call.endpoint.federated_user_arn(name);
    let actions = [("sts:GetFederationToken", true), ("sts:TagSession", !tags.is_empty())];
    for (action, _) in actions.into_iter().filter(|(_, needed)| *needed) {
        call.authorize(Access {
            action,
            resource: arn.clone(),
            resource_account: None,
            resource_policy: None,
            conditions: &|context| set_tag_conditions(&tags, context),
            absent: &["aws:ResourceTag/", "sts:"],
        })?;
    }
    let packed = policies.packed_size(&tags)?;
    let session = Session {
        of: SessionOf::Federated { user_id, name: name.to_owned() },
        token: session_token(),
        expires: call.now + duration,
        policies: policies.policies,
        tags,
        transitive: Vec::new(),
        source_identity: None,
    };
    write_credentials(call.endpoint, session, call.now, xml);
    xml.element("FederatedUser", |xml| {
        xml.leaf("FederatedUserId", &format!("{}:{name}", call.endpoint.account.id));
        xml.leaf("Arn", &arn);
    });
    write_packed_size(packed, xml);
    Ok(())
}

/// Asks no policy: "You cannot use policies to control authentication operations".
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html>
pub(super) fn session_token_of_user(
    call: &Call<'_>,
    parameters: &Parameters<'_>,
    xml: &mut Xml,
) -> Result<(), Fault> {
    let duration = seconds(parameters, SECONDS)?.unwrap_or(USUAL);
    let user_id = user_id(call, "GetSessionToken")?;
    let mfa = mfa::proven(call, parameters)?.then_some(call.now);
    let session = Session {
        of: SessionOf::User { user_id, mfa },
        token: session_token(),
        expires: call.now + duration,
        policies: None,
        tags: Tags::default(),
        transitive: Vec::new(),
        source_identity: None,
    };
    write_credentials(call.endpoint, session, call.now, xml);
    Ok(())
}

/// The unique id of the user who calls with a long-term key.
fn user_id(call: &Call<'_>, operation: &str) -> Result<String, Fault> {
    match (&call.caller.principal, call.caller.session(), &call.caller.user_id) {
        (Principal::User { .. }, None, Some(id)) => Ok(id.clone()),
        _ => Err(Refusal::Denied(format!("Cannot call {operation} with session credentials")).into()),
    }
}
