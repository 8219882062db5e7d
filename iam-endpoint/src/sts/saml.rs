//! `AssumeRoleWithSAML`.
//!
//! The assertion has to come from a provider that is registered in the account, to offer the role, and to be valid now. Its
//! signature is not checked: nothing light checks XML signatures. A test writes its own assertions.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html>

use http::StatusCode;
use iam_policy::Arn;
use sha1::{Digest, Sha1};
use time::Duration;

use super::assertion::{Assertion, Rejected, entity_id};
use super::role::{home, role_arn};
use super::session::{SessionPolicies, seconds};
use super::vouched::Introduction;
use crate::authorize::Refusal;
use crate::call::Call;
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::wire::query::Parameters;
use crate::wire::xml::Xml;

const ACTION: &str = "sts:AssumeRoleWithSAML";

pub(super) fn assume_role_with_saml(
    call: &Call<'_>,
    parameters: &Parameters<'_>,
    xml: &mut Xml,
) -> Result<(), Fault> {
    let role_arn = role_arn(parameters)?;
    let provider = parameters.required("PrincipalArn")?;
    parameters.check_length("PrincipalArn", 20..=2048)?;
    parameters.check_length("SAMLAssertion", 4..=100_000)?;
    let asked = seconds(parameters, 900..=43_200)?;
    let home = home(call, role_arn);
    let policies = SessionPolicies::read(&home, parameters)?;
    let assertion = Assertion::read(parameters.required("SAMLAssertion")?).map_err(fault)?;
    check(call, &home, provider, &assertion)?;
    if !assertion.offers(role_arn, provider) {
        return Err(Refusal::Denied(format!("Not authorized to perform {ACTION}")).into());
    }
    let session_name = assertion.session_name().unwrap_or_default();
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    if !(2..=64).contains(&session_name.len()) || !session_name.bytes().all(is_allowed) {
        return Err(invalid("RoleSessionName is required in AuthnResponse"));
    }
    let qualifier = qualifier(&assertion.issuer, provider);
    let name = provider.rsplit('/').next().unwrap_or_default();
    let own = [
        ("aud", &*assertion.recipient, false),
        ("doc", &*format!("{}/{name}", home.account.id), false),
        ("iss", &*assertion.issuer, false),
        ("namequalifier", &*qualifier, true),
        ("sub", &*assertion.subject, true),
        ("sub_type", &*assertion.subject_type, true),
    ];
    let mut keys = Vec::new();
    for (key, value, kept) in own {
        keys.push((format!("saml:{key}"), vec![value.to_owned()], kept));
    }
    for (key, values) in assertion.condition_keys() {
        keys.push((format!("saml:{key}"), values.clone(), false));
    }
    let introduction = Introduction {
        action: ACTION,
        provider: provider.to_owned(),
        role_arn,
        session_name,
        asked,
        longest: assertion.session_ends.map(|ends| ends - call.now),
        policies,
        tags: assertion.tags().map_err(fault)?,
        transitive: assertion.transitive(),
        source_identity: assertion.source_identity(),
        keys,
    };
    introduction.assume(call, &home, xml)?;
    xml.leaf("Subject", &assertion.subject);
    xml.leaf("SubjectType", &assertion.subject_type);
    xml.leaf("Issuer", &assertion.issuer);
    xml.leaf("Audience", &assertion.recipient);
    xml.leaf("NameQualifier", &qualifier);
    Ok(())
}

/// Whether the provider that a caller names is the one that issued the assertion, and the assertion is valid now.
fn check(call: &Call<'_>, home: &Shared, provider: &str, assertion: &Assertion) -> Result<(), Fault> {
    let issuer = {
        let iam = home.iam();
        let registered = iam.saml_providers.find(provider);
        registered.map(|provider| entity_id(provider.document()))
    };
    let registered = Arn::parse(provider).filter(|arn| arn.resource.starts_with("saml-provider/"));
    match (registered, issuer) {
        (Some(_), Some(Some(issuer))) if issuer == assertion.issuer => {}
        (Some(_), Some(_)) => return Err(invalid("Issuer not present in specified provider")),
        _ => return Err(invalid("Specified provider doesn't exist")),
    }
    if assertion.redeemed_by <= call.now || assertion.session_ends.is_some_and(|ends| ends <= call.now) {
        let message = "Token must be redeemed within 5 minutes of issuance";
        return Err(Fault::new(StatusCode::BAD_REQUEST, "ExpiredTokenException", message));
    }
    if let Some(begins) = assertion.begins.filter(|begins| *begins > call.now + Duration::minutes(5)) {
        return Err(invalid(format!("The assertion is not valid before {}", clock::iso8601(begins))));
    }
    Ok(())
}

/// Tells subjects of one name apart by their provider: a hash of issuer, account and the provider's name.
fn qualifier(issuer: &str, provider: &str) -> String {
    let account = Arn::parse(provider).map_or("", |arn| arn.account);
    let name = provider.rsplit('/').next().unwrap_or_default();
    base64_simd::STANDARD.encode_to_string(Sha1::digest(format!("{issuer}{account}/{name}")))
}

fn fault(Rejected(why): Rejected) -> Fault {
    invalid(format!("Invalid SAML response: {why}"))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "InvalidIdentityToken", message)
}
