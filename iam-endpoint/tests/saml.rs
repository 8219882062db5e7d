//! `AssumeRoleWithSAML`: what an assertion says, and what policies see of it.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::fmt::Write as _;

use bytes::Bytes;
use common::{Answer, Client, allowing};
use http::Request;
use iam_endpoint::{Endpoint, Outcome};

const ISSUER: &str = "https://idp.example/saml";
const PROVIDER: &str = "arn:aws:iam::123456789012:saml-provider/Idp";
const ROLE: &str = "arn:aws:iam::123456789012:role/engineer";
const AWS: &str = "https://aws.amazon.com/SAML/Attributes";

/// An endpoint with a provider and a role that trusts it, under a condition.
async fn with_provider(actions: &str, condition: &str) -> Client {
    let admin = Client::administrator(&Endpoint::new());
    let padding = " ".repeat(1000);
    let metadata = format!(
        r#"<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ISSUER}">{padding}</md:EntityDescriptor>"#
    );
    let made = [("Name", "Idp"), ("SAMLMetadataDocument", &metadata)];
    assert_eq!(admin.iam("CreateSAMLProvider", &made).await.ok().text("SAMLProviderArn"), PROVIDER);
    let trust = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": {actions},
            "Principal": {{"Federated": "{PROVIDER}"}}, "Condition": {condition}}}}}"#
    );
    let role = [("RoleName", "engineer"), ("AssumeRolePolicyDocument", &*trust)];
    admin.iam("CreateRole", &role).await.ok();
    let document = allowing(r#""iam:GetRole""#);
    let put = [("RoleName", "engineer"), ("PolicyName", "p"), ("PolicyDocument", &*document)];
    admin.iam("PutRolePolicy", &put).await.ok();
    admin
}

const AUDIENCE: &str = r#"{"StringEquals": {"saml:aud": "https://signin.aws.amazon.com/saml", "saml:doc": "123456789012/Idp"},
    "StringLike": {"saml:edupersonorgunitdn": "ou=eng*"}}"#;

/// A response of the identity provider, with attributes and what else differs.
fn response(attributes: &[(&str, &str)], ends: &str) -> String {
    let mut statement = String::new();
    for (name, value) in attributes {
        write!(
            statement,
            "<saml:Attribute Name=\"{name}\"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"
        )
        .unwrap();
    }
    let text = format!(
        r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">
        <saml:Issuer>{ISSUER}</saml:Issuer>
        <saml:Assertion><saml:Issuer>{ISSUER}</saml:Issuer>
          <saml:Subject>
            <saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">_cbb88bf5</saml:NameID>
            <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
              <saml:SubjectConfirmationData NotOnOrAfter="{ends}" Recipient="https://signin.aws.amazon.com/saml"/>
            </saml:SubjectConfirmation>
          </saml:Subject>
          <saml:AttributeStatement>{statement}</saml:AttributeStatement>
        </saml:Assertion></samlp:Response>"#
    );
    base64_simd::STANDARD.encode_to_string(text)
}

const LATER: &str = "2999-01-01T00:00:00.000Z";

fn attributes<'a>(role: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = [
        ("https://aws.amazon.com/SAML/Attributes/Role", role),
        ("https://aws.amazon.com/SAML/Attributes/RoleSessionName", "alice@example.com"),
        ("urn:oid:1.3.6.1.4.1.5923.1.1.1.4", "ou=engineering"),
    ];
    [&own, more].concat()
}

fn pair() -> String {
    format!("{PROVIDER},{ROLE}")
}

/// Calls without a signature.
async fn assume(admin: &Client, response: &str) -> Answer {
    let encoded = percent_encoding::utf8_percent_encode(response, percent_encoding::NON_ALPHANUMERIC);
    let body = format!(
        "Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn={ROLE}&PrincipalArn={PROVIDER}&SAMLAssertion={encoded}"
    );
    let request = Request::post("https://sts.us-east-1.amazonaws.com/").body(Bytes::from(body));
    admin.deliver(request.unwrap()).await
}

#[tokio::test]
async fn who_the_provider_vouches_for_becomes_a_session_of_the_role_that_trusts_it() {
    let admin = with_provider(r#""sts:AssumeRoleWithSAML""#, AUDIENCE).await;
    let answer = assume(&admin, &response(&attributes(&pair(), &[]), LATER)).await.ok();
    assert_eq!(
        ["Subject", "SubjectType", "Issuer", "Audience"].map(|name| answer.text(name)),
        ["_cbb88bf5", "persistent", ISSUER, "https://signin.aws.amazon.com/saml"]
    );
    assert_eq!(answer.asked(), [format!("sts:AssumeRoleWithSAML {ROLE}")]);
    let session = admin.with(answer.credentials());
    let who = session.sts("GetCallerIdentity", &[]).await.ok();
    assert_eq!(who.text("Arn"), "arn:aws:sts::123456789012:assumed-role/engineer/alice@example.com");
    let read = session.iam("GetRole", &[("RoleName", "engineer")]).await.ok();
    let context = &read.event.authorizations[0].request.context;
    assert_eq!(context.lookup("saml:sub"), Some(&["_cbb88bf5".to_owned()][..]));
    assert_eq!(context.lookup("saml:aud"), None);
}

#[tokio::test]
async fn what_the_role_does_not_trust_is_denied_and_a_bad_assertion_is_no_denial() {
    let admin = with_provider(r#""sts:AssumeRoleWithSAML""#, AUDIENCE).await;
    let mut of_sales = attributes("", &[]);
    let pair = pair();
    of_sales[0].1 = &pair;
    of_sales[2].1 = "ou=sales";
    let other = format!("{PROVIDER},arn:aws:iam::123456789012:role/other");
    let tag = format!("{AWS}/PrincipalTag:team");
    for attributes in [of_sales, attributes(&other, &[]), attributes(&pair, &[(&tag, "a")])] {
        let denied = assume(&admin, &response(&attributes, LATER)).await.fails(403, "AccessDenied");
        assert_eq!(denied.text("Message"), "Not authorized to perform sts:AssumeRoleWithSAML");
        assert_eq!(denied.event.outcome, Outcome::Denied);
    }
    let good = attributes(&pair, &[]);
    let nameless: Vec<_> =
        good.iter().filter(|(name, _)| !name.ends_with("RoleSessionName")).copied().collect();
    let decoded = base64_simd::STANDARD.decode_to_vec(response(&good, LATER)).unwrap();
    let strange = String::from_utf8(decoded).unwrap().replace("idp.example", "idp.other");
    for (response, code, message) in [
        (
            response(&good, "2001-01-01T00:00:00Z"),
            "ExpiredTokenException",
            "Token must be redeemed within 5 minutes",
        ),
        (response(&nameless, LATER), "InvalidIdentityToken", "RoleSessionName is required in AuthnResponse"),
        (
            base64_simd::STANDARD.encode_to_string(strange),
            "InvalidIdentityToken",
            "Issuer not present in specified provider",
        ),
        ("PHhtbC8+".to_owned(), "InvalidIdentityToken", "Invalid SAML response"),
        ("%%%%".to_owned(), "InvalidIdentityToken", "Invalid SAML response"),
    ] {
        let answer = assume(&admin, &response).await.fails(400, code);
        assert!(answer.text("Message").starts_with(message), "{}", answer.body);
        assert_eq!(answer.event.outcome, Outcome::Failed);
    }
}

#[tokio::test]
async fn an_assertion_s_tags_are_those_of_the_session() {
    let actions = r#"["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"]"#;
    let admin = with_provider(actions, r#"{"StringEquals": {"aws:RequestTag/team": "blue"}}"#).await;
    let (tag, identity) = (format!("{AWS}/PrincipalTag:team"), format!("{AWS}/SourceIdentity"));
    let pair = pair();
    let good = attributes(&pair, &[(&tag, "blue"), (&identity, "alice")]);
    let answer = assume(&admin, &response(&good, LATER)).await.ok();
    assert_eq!(answer.text("SourceIdentity"), "alice");
    let session = admin.with(answer.credentials());
    let read = session.iam("GetRole", &[("RoleName", "engineer")]).await.ok();
    let context = &read.event.authorizations[0].request.context;
    assert_eq!(context.lookup("aws:PrincipalTag/team"), Some(&["blue".to_owned()][..]));
}
