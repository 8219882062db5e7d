//! `AssumeRole`.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use http::StatusCode;
use iam_policy::{Context, Principal};
use time::Duration;

use super::mfa;
use super::role::{Assumed, home, role_arn};
use super::session::{
    SessionPolicies, seconds, set_tag_conditions, text, write_credentials, write_packed_size,
};
use crate::authorize::{Access, Refusal};
use crate::call::Call;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::iam::{Session, SessionOf, Tags, session_token};
use crate::wire::query::Parameters;
use crate::wire::xml::Xml;

/// The longest session of a role that a role's session assumed.
const LONGEST_CHAINED: Duration = Duration::HOUR;

pub(super) fn assume_role(call: &Call<'_>, parameters: &Parameters<'_>, xml: &mut Xml) -> Result<(), Fault> {
    check_caller(call)?;
    let wish = Wish::read(call, parameters)?;
    let role = Assumed::find(&wish.home, wish.role_arn).ok_or_else(|| {
        // Whoever may not assume a role does not learn whether it exists.
        Refusal::Denied(format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            call.caller.principal, wish.role_arn
        ))
    })?;
    wish.authorize(call, &role)?;
    let duration = wish.duration(call, &role)?;
    let packed = wish.policies.packed_size(&wish.tags)?;
    let source_identity = wish.source_identity.map(str::to_owned);
    let session = Session {
        of: SessionOf::Role {
            role: role.name.clone(),
            role_id: role.id.clone(),
            name: wish.session_name.to_owned(),
            vouched: None,
        },
        token: session_token(),
        expires: call.now + duration,
        policies: wish.policies.policies,
        tags: wish.tags,
        transitive: wish.transitive,
        source_identity: source_identity.clone(),
    };
    write_credentials(&wish.home, session, call.now, xml);
    role.write_user(&wish.home, wish.session_name, xml);
    write_packed_size(packed, xml);
    if let Some(identity) = &source_identity {
        xml.leaf("SourceIdentity", identity);
    }
    Ok(())
}

/// Neither the root user nor a federated one can have a role.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
fn check_caller(call: &Call<'_>) -> Result<(), Refusal> {
    match call.caller.principal {
        Principal::FederatedUser { .. } => {
            Err(Refusal::Denied("Cannot call AssumeRole with federated user credentials".to_owned()))
        }
        Principal::Root { .. } => {
            Err(Refusal::Denied("Roles may not be assumed by root accounts.".to_owned()))
        }
        _ => Ok(()),
    }
}

/// The session of a role that calls, if it is one: only that is chaining.
fn chaining<'a>(call: &'a Call<'_>) -> Option<&'a Session> {
    call.caller.session().filter(|session| matches!(session.of, SessionOf::Role { .. }))
}

/// What the caller wishes, checked as far as that needs no role.
struct Wish<'a> {
    role_arn: &'a str,
    /// The endpoint as the role's account sees it.
    home: Shared,
    session_name: &'a str,
    external_id: Option<&'a str>,
    asked: Option<Duration>,
    policies: SessionPolicies<'a>,
    /// The session's tags, with those that come from the calling session.
    tags: Tags,
    /// The tags that this call names.
    own_tags: Tags,
    transitive: Vec<String>,
    own_transitive: Vec<&'a str>,
    /// The identity that this call names, or the calling session's, which stays for good.
    source_identity: Option<&'a str>,
    /// Whether the call proves that the caller has an MFA device.
    has_mfa: bool,
}

impl<'a> Wish<'a> {
    fn read(call: &'a Call<'_>, parameters: &'a Parameters<'_>) -> Result<Self, Fault> {
        let role_arn = role_arn(parameters)?;
        let home = home(call, role_arn);
        let session_name = text(parameters, "RoleSessionName", 64, "")?;
        let session_name = session_name.map_or_else(|| parameters.required("RoleSessionName"), Ok)?;
        let external_id = text(parameters, "ExternalId", 1224, ":/")?;
        let named_identity = text(parameters, "SourceIdentity", 64, "")?;
        if !parameters.members("ProvidedContexts", ["ProviderArn"]).is_empty() {
            return Err(Fault::not_mapped("sts", Some("AssumeRole with a context of IAM Identity Center")));
        }
        let session = chaining(call);
        let policies = SessionPolicies::read(&home, parameters)?;
        let own_tags = Tags::read(parameters)?;
        let (tags, transitive, own_transitive) = session_tags(session, &own_tags, parameters)?;
        Ok(Self {
            role_arn,
            home,
            session_name,
            external_id,
            asked: seconds(parameters, 900..=43_200)?,
            policies,
            tags,
            own_tags,
            transitive,
            own_transitive,
            source_identity: source_identity(session, named_identity)?,
            has_mfa: mfa::proven(call, parameters)?,
        })
    }

    /// Asks whether the caller may assume the role, and may set what it wishes to set.
    fn authorize(&self, call: &Call<'_>, role: &Assumed) -> Result<(), Refusal> {
        let sets_tags = !self.own_tags.is_empty() || !self.own_transitive.is_empty();
        let actions = [
            ("sts:AssumeRole", true),
            ("sts:TagSession", sets_tags),
            ("sts:SetSourceIdentity", self.source_identity.is_some()),
        ];
        for (action, _) in actions.into_iter().filter(|(_, needed)| *needed) {
            call.authorize(Access {
                action,
                resource: self.role_arn.to_owned(),
                resource_account: None,
                resource_policy: Some(role.trust.clone()),
                conditions: &|context| self.set_conditions(role, context),
                absent: &["aws:ResourceTag/", "sts:"],
            })?;
        }
        Ok(())
    }

    /// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html>
    fn set_conditions(&self, role: &Assumed, context: &mut Context) {
        context.set("sts:RoleSessionName", self.session_name);
        for (key, value) in
            [("sts:ExternalId", self.external_id), ("sts:SourceIdentity", self.source_identity)]
        {
            if let Some(value) = value {
                context.set(key, value);
            }
        }
        if self.has_mfa {
            context.set("aws:MultiFactorAuthPresent", "true").set("aws:MultiFactorAuthAge", "0");
        }
        if let Some(asked) = self.asked {
            context.set("sts:DurationSeconds", asked.whole_seconds().to_string());
        }
        context.set_many("sts:TransitiveTagKeys", self.own_transitive.iter().copied());
        set_tag_conditions(&self.own_tags, context);
        role.set_conditions(context);
    }

    fn duration(&self, call: &Call<'_>, role: &Assumed) -> Result<Duration, Fault> {
        let duration = self.asked.unwrap_or(Duration::HOUR);
        if chaining(call).is_some() && duration > LONGEST_CHAINED {
            return Err(Fault::validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            ));
        }
        role.check_duration(duration)?;
        Ok(duration)
    }
}

/// The tags of the new session, its transitive keys, and those that this call names.
fn session_tags<'a>(
    session: Option<&Session>,
    own: &Tags,
    parameters: &'a Parameters<'_>,
) -> Result<(Tags, Vec<String>, Vec<&'a str>), Fault> {
    let own_transitive = parameters.list("TransitiveTagKeys");
    if let Some(key) = own_transitive.iter().find(|key| own.value(key).is_none()) {
        return Err(invalid(format!(
            "The specified transitive tag key `{key}` must be included in the requested tags."
        )));
    }
    let mut inherited = Tags::default();
    let mut transitive: Vec<String> = Vec::new();
    if let Some(session) = session {
        inherited = session.tags.clone();
        inherited.retain(&|key| session.transitive.iter().any(|kept| kept.eq_ignore_ascii_case(key)));
        transitive.clone_from(&session.transitive);
    }
    if let Some((key, _)) = own.iter().find(|(key, _)| inherited.value(key).is_some()) {
        return Err(invalid(format!(
            "One of the specified tag keys, `{key}`, can't be set because it conflicts with a transitive tag key from the \
             calling session."
        )));
    }
    inherited.extend(own.clone());
    transitive.extend(own_transitive.iter().map(|key| (*key).to_owned()));
    Ok((inherited, transitive, own_transitive))
}

fn source_identity<'a>(
    session: Option<&'a Session>,
    named: Option<&'a str>,
) -> Result<Option<&'a str>, Fault> {
    let inherited = session.and_then(|session| session.source_identity.as_deref());
    match (inherited, named) {
        (Some(inherited), Some(named)) if inherited != named => Err(Fault::validation(
            "The source identity of the calling session is already set and cannot be changed.",
        )),
        _ => Ok(named.or(inherited)),
    }
}

fn invalid(message: String) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "InvalidParameterValue", message)
}
