//! `AssumeRoleWithWebIdentity`.
//!
//! The token has to come from a provider that is registered in the account, for one of its audiences, and be valid now. Its
//! signature is checked where a test tells the provider's keys, which are on a server that the endpoint does not ask. Without
//! them a test writes its own tokens.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>

use http::StatusCode;
use time::{Duration, OffsetDateTime};

use super::role::{home, role_arn};
use super::session::{SessionPolicies, seconds, text};
use super::token::{Claims, Rejected};
use super::vouched::Introduction;
use crate::call::Call;
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::wire::query::Parameters;
use crate::wire::xml::Xml;

/// The claims that a session keeps as condition keys: `${accounts.google.com:sub}` in a policy of the role.
const SESSION_KEYS: [&str; 3] = ["amr", "aud", "sub"];

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
    let token = parameters.required("WebIdentityToken")?;
    let claims = Claims::read(token).map_err(fault)?;
    #[cfg(feature = "aws-lc")]
    call.endpoint.key_sets.check(&claims.issuer, token).map_err(fault)?;
    let provider = provider(&home, call.now, &claims)?;

    let mut keys = Vec::new();
    for (name, values) in claims.condition_keys() {
        keys.push((format!("{}:{name}", provider.host), values, SESSION_KEYS.contains(&name)));
    }
    let introduction = Introduction {
        action: "sts:AssumeRoleWithWebIdentity",
        provider: provider.arn.clone(),
        role_arn,
        session_name,
        asked,
        longest: None,
        policies,
        tags: claims.tags.clone(),
        transitive: claims.transitive.clone(),
        source_identity: claims.source_identity.clone(),
        keys,
    };
    introduction.assume(call, &home, xml)?;
    xml.leaf("SubjectFromWebIdentityToken", &claims.subject);
    xml.leaf("Provider", &provider.arn);
    xml.leaf("Audience", claims.audience());
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
