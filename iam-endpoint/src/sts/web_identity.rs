//! `AssumeRoleWithWebIdentity`.
//!
//! The token has to come from a provider that is registered in the account, for one of its audiences, and be valid now. Its
//! signature is not checked: the provider's keys are on a server that the endpoint does not ask. A test writes its own tokens.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>

use http::StatusCode;
use iam_policy::{Context, Principal};
use time::{Duration, OffsetDateTime};

use super::role::{Assumed, home, role_arn};
use super::session::{
    SessionPolicies, seconds, set_tag_conditions, text, write_credentials, write_packed_size,
};
use super::token::{Claims, Rejected};
use crate::authorize::{Access, Refusal};
use crate::call::Call;
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::iam::{Session, SessionOf, session_token};
use crate::query::Parameters;
use crate::xml::Xml;

pub(super) fn assume_role_with_web_identity(
    call: &Call<'_>,
    parameters: &Parameters<'_>,
    xml: &mut Xml,
) -> Result<(), Fault> {
    let role_arn = role_arn(parameters)?;
    let session_name = text(parameters, "RoleSessionName", 64, "")?;
    let session_name = session_name.map_or_else(|| parameters.required("RoleSessionName"), Ok)?;
    parameters.check_length("WebIdentityToken", 4..=20_000)?;
    let asked = seconds(parameters, 900..=43_200)?;
    if parameters.optional("ProviderId").is_some() {
        return Err(Fault::not_mapped(
            "sts",
            Some("AssumeRoleWithWebIdentity with an OAuth 2.0 access token"),
        ));
    }
    let home = home(call, role_arn);
    let policies = SessionPolicies::read(&home, parameters)?;
    let claims = Claims::read(parameters.required("WebIdentityToken")?).map_err(fault)?;
    let provider = provider(&home, call.now, &claims)?;

    let denied = || Refusal::Denied("Not authorized to perform sts:AssumeRoleWithWebIdentity".to_owned());
    let role = Assumed::find(&home, role_arn).ok_or_else(denied)?;
    let set_conditions = |context: &mut Context| {
        context.set("sts:RoleSessionName", session_name);
        for (name, values) in claims.condition_keys() {
            context.set_many(format!("{}:{name}", provider.host), values);
        }
        if let Some(seconds) = asked {
            context.set("sts:DurationSeconds", seconds.whole_seconds().to_string());
        }
        if let Some(identity) = &claims.source_identity {
            context.set("sts:SourceIdentity", identity.as_str());
        }
        context.set_many("sts:TransitiveTagKeys", claims.transitive.iter().map(String::as_str));
        set_tag_conditions(&claims.tags, context);
        role.set_conditions(context);
    };
    let actions = [
        ("sts:AssumeRoleWithWebIdentity", true),
        ("sts:TagSession", !claims.tags.is_empty()),
        ("sts:SetSourceIdentity", claims.source_identity.is_some()),
    ];
    for (action, _) in actions.into_iter().filter(|(_, needed)| *needed) {
        let access = Access {
            action,
            resource: role_arn.to_owned(),
            resource_account: None,
            resource_policy: Some(role.trust.clone()),
            conditions: &set_conditions,
            absent: &["aws:ResourceTag/", "sts:"],
        };
        let principal = Principal::Federated { provider: provider.arn.clone() };
        call.authorize_as(principal, access).map_err(|refusal| match refusal {
            Refusal::Denied(_) => denied(),
            refusal => refusal,
        })?;
    }

    let duration = asked.unwrap_or(Duration::HOUR);
    role.check_duration(duration)?;
    let packed = policies.packed_size(&claims.tags)?;
    let session = Session {
        of: SessionOf::Role {
            role: role.name.clone(),
            role_id: role.id.clone(),
            name: session_name.to_owned(),
            provider: Some(provider.arn.clone()),
        },
        token: session_token(),
        expires: call.now + duration,
        policies: policies.policies,
        tags: claims.tags.clone(),
        transitive: claims.transitive.clone(),
        source_identity: claims.source_identity.clone(),
    };
    write_credentials(&home, session, call.now, xml);
    xml.leaf("SubjectFromWebIdentityToken", &claims.subject);
    role.write_user(&home, session_name, xml);
    write_packed_size(packed, xml);
    xml.leaf("Provider", &provider.arn);
    xml.leaf("Audience", claims.audience());
    if let Some(identity) = &claims.source_identity {
        xml.leaf("SourceIdentity", identity);
    }
    Ok(())
}

/// A registered provider.
struct Provider {
    arn: String,
    /// Its URL without the scheme, which its condition keys begin with.
    host: String,
}

/// The provider that a token comes from, if the token is meant for it and valid now.
fn provider(home: &Shared, now: OffsetDateTime, claims: &Claims) -> Result<Provider, Fault> {
    let iam = home.iam();
    let issuer = claims.issuer.trim_end_matches('/');
    let host = issuer.strip_prefix("https://").unwrap_or(issuer);
    let provider = iam.oidc_providers.find(host).ok_or_else(|| {
        invalid(format!("No OpenIDConnect provider found in your account for {}", claims.issuer))
    })?;
    if !claims.audiences.iter().any(|audience| provider.client_ids.contains(audience)) {
        return Err(invalid("Incorrect token audience"));
    }
    if claims.expires <= now {
        return Err(Fault::new(
            StatusCode::BAD_REQUEST,
            "ExpiredTokenException",
            format!(
                "Token expired: current date/time {} must be before the expiration date/time {}",
                now.unix_timestamp(),
                claims.expires.unix_timestamp()
            ),
        ));
    }
    let is_early = |at: &OffsetDateTime| *at > now + Duration::minutes(5);
    if let Some(begins) = claims.begins.filter(is_early) {
        return Err(invalid(format!("The ID Token is not valid before {}", clock::iso8601(begins))));
    }
    Ok(Provider { arn: provider.arn.clone(), host: host.to_owned() })
}

fn fault(Rejected(why): Rejected) -> Fault {
    invalid(format!(
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token): {why}"
    ))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "InvalidIdentityToken", message)
}
