//! Temporary credentials that are not of `AssumeRole`, over signed requests and over such as nobody signs.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use bytes::Bytes;
use common::{Answer, Client, allowing};
use http::Request;
use iam_endpoint::{Endpoint, Outcome};

const HOST: &str = "token.actions.githubusercontent.com";
const WEB: &str = "arn:aws:iam::123456789012:role/web";

fn administrator() -> Client {
    Client::administrator(&Endpoint::new())
}

/// An endpoint with a provider, and a role for the branches of one repository.
async fn with_provider() -> Client {
    let admin = administrator();
    let url = format!("https://{HOST}");
    let provider = [("Url", &*url), ("ClientIDList.member.1", "sts.amazonaws.com")];
    admin.iam("CreateOpenIDConnectProvider", &provider).await.ok();
    let trust = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {{"Federated": "arn:aws:iam::123456789012:oidc-provider/{HOST}"}},
            "Condition": {{"StringEquals": {{"{HOST}:aud": "sts.amazonaws.com"}},
                           "StringLike": {{"{HOST}:sub": "repo:octo/app:*"}}}}}}}}"#
    );
    admin.iam("CreateRole", &[("RoleName", "web"), ("AssumeRolePolicyDocument", &trust)]).await.ok();
    let document = allowing(r#""iam:GetRole""#);
    let put = [("RoleName", "web"), ("PolicyName", "p"), ("PolicyDocument", &*document)];
    admin.iam("PutRolePolicy", &put).await.ok();
    admin
}

/// A token, whose claims are given without the braces.
fn token(claims: &str) -> String {
    let encode = |text: &str| base64_simd::URL_SAFE_NO_PAD.encode_to_string(text);
    format!("{}.{}.c2lnbmF0dXJl", encode(r#"{"alg":"RS256","typ":"JWT"}"#), encode(&format!("{{{claims}}}")))
}

fn claims(of: &str) -> String {
    format!(
        r#""iss":"https://{HOST}","aud":"sts.amazonaws.com","sub":"repo:octo/app:ref:refs/heads/main","exp":9999999999{of}"#
    )
}

/// Calls without a signature.
async fn assume(admin: &Client, token: &str, more: &str) -> Answer {
    let body = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={WEB}&RoleSessionName=ci&WebIdentityToken={token}{more}"
    );
    let request = Request::post("https://sts.us-east-1.amazonaws.com/").body(Bytes::from(body));
    admin.deliver(request.unwrap()).await
}

#[tokio::test]
async fn a_web_identity_becomes_a_session_of_the_role_that_trusts_it() {
    let admin = with_provider().await;
    let answer = assume(&admin, &token(&claims("")), "").await.ok();
    assert_eq!(answer.text("SubjectFromWebIdentityToken"), "repo:octo/app:ref:refs/heads/main");
    assert_eq!(answer.text("Audience"), "sts.amazonaws.com");
    let arn = "arn:aws:sts::123456789012:assumed-role/web/ci";
    assert_eq!(answer.text("AssumedRoleUser").split("<Arn>").nth(1), Some(&*format!("{arn}</Arn>")));
    assert_eq!(answer.asked(), [format!("sts:AssumeRoleWithWebIdentity {WEB}")]);
    let session = admin.with(answer.credentials());
    let read = session.iam("GetRole", &[("RoleName", "web")]).await.ok();
    let context = &read.event.authorizations[0].request.context;
    let provider = format!("arn:aws:iam::123456789012:oidc-provider/{HOST}");
    assert_eq!(context.lookup("aws:FederatedProvider"), Some(&[provider][..]));
    let subject = "repo:octo/app:ref:refs/heads/main".to_owned();
    assert_eq!(context.lookup(&format!("{HOST}:sub")), Some(&[subject][..]));
    session.iam("ListRoles", &[]).await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn a_web_identity_that_the_role_does_not_trust_is_denied_and_a_bad_token_is_no_denial() {
    let admin = with_provider().await;
    let of_another = claims("").replace("octo/app", "octo/other");
    let denied = assume(&admin, &token(&of_another), "").await.fails(403, "AccessDenied");
    assert_eq!(denied.text("Message"), "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    assert_eq!(denied.event.outcome, Outcome::Denied);
    for (token, code, message) in [
        (
            token(&claims("").replace("sts.amazonaws.com", "other")),
            "InvalidIdentityToken",
            "Incorrect token audience",
        ),
        (
            token(&claims("").replace(HOST, "idp.example")),
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for https://idp.example",
        ),
        (token(&claims("").replace("9999999999", "1000000000")), "ExpiredTokenException", "Token expired: "),
        ("nonsense".to_owned(), "InvalidIdentityToken", "The ID Token provided is not a valid JWT."),
    ] {
        let answer = assume(&admin, &token, "").await.fails(400, code);
        assert!(answer.text("Message").starts_with(message), "{}", answer.body);
        assert_eq!(answer.event.outcome, Outcome::Failed);
    }
    let long = assume(&admin, &token(&claims("")), "&DurationSeconds=3601").await;
    long.fails(400, "ValidationError");
    // Tags need a permission of their own, which this role's trust policy does not give.
    let tagged = claims(r#","https://aws.amazon.com/tags":{"principal_tags":{"team":["a"]}}"#);
    assume(&admin, &token(&tagged), "").await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn what_is_not_signed_is_refused_but_for_identities_from_elsewhere() {
    let admin = with_provider().await;
    let request = |action: &str, host: &str| {
        let body = format!("Action={action}&Version=2011-06-15");
        Request::post(format!("https://{host}/")).body(Bytes::from(body)).unwrap()
    };
    let unsigned = admin.deliver(request("GetSessionToken", "sts.us-east-1.amazonaws.com")).await;
    unsigned.fails(403, "MissingAuthenticationToken");
    let saml = admin.deliver(request("AssumeRoleWithSAML", "sts.us-east-1.amazonaws.com")).await;
    saml.fails(400, "ValidationError");
    // An address tells no service, but the version does.
    let known = admin.deliver(request("AssumeRoleWithWebIdentity", "127.0.0.1:4566")).await;
    known.fails(400, "ValidationError");
}

#[tokio::test]
async fn a_federated_user_may_what_both_its_user_and_its_policy_allow() {
    let admin = administrator();
    let policy = allowing(r#"["sts:GetFederationToken", "s3:CreateBucket", "iam:*"]"#);
    let broker = admin.user("broker", &policy).await;
    let policy = allowing(r#"["s3:*", "iam:*"]"#);
    let made = broker.sts("GetFederationToken", &[("Name", "carol"), ("Policy", &policy)]).await.ok();
    let arn = "arn:aws:sts::123456789012:federated-user/carol";
    assert_eq!(made.asked(), [format!("sts:GetFederationToken {arn}")]);
    assert_eq!(made.text("FederatedUserId"), "123456789012:carol");
    let carol = admin.with(made.credentials());
    assert_eq!(carol.sts("GetCallerIdentity", &[]).await.ok().text("Arn"), arn);
    let bucket = |method: &str| {
        Request::builder()
            .method(method)
            .uri("https://s3.us-east-1.amazonaws.com/carols-bucket")
            .body(Bytes::new())
            .unwrap()
    };
    assert_eq!(carol.send("s3", bucket("PUT")).await.status, 200);
    let denied = carol.send("s3", bucket("DELETE")).await.fails(403, "AccessDenied");
    assert!(denied.body.contains("because no identity-based policy allows"), "{}", denied.body);
    // IAM does not take such credentials, whatever their policies say.
    let refused = carol.iam("ListUsers", &[]).await.fails(403, "InvalidClientTokenId");
    assert_eq!(refused.event.outcome, Outcome::AuthenticationFailed);
    carol.sts("GetSessionToken", &[]).await.fails(403, "AccessDenied");
    // Without a session policy nothing is allowed.
    let bare = broker.sts("GetFederationToken", &[("Name", "dave")]).await.ok();
    let dave = admin.with(bare.credentials());
    dave.send("s3", bucket("PUT")).await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn a_session_of_a_user_is_the_user_but_for_iam() {
    let admin = administrator();
    let alice = admin.user("alice", &allowing(r#"["s3:ListAllMyBuckets", "iam:*"]"#)).await;
    let made = alice.sts("GetSessionToken", &[("DurationSeconds", "900")]).await.ok();
    assert!(made.asked().is_empty());
    let session = admin.with(made.credentials());
    let who = session.sts("GetCallerIdentity", &[]).await.ok();
    assert_eq!(who.text("Arn"), "arn:aws:iam::123456789012:user/alice");
    let buckets = Request::get("https://s3.us-east-1.amazonaws.com/").body(Bytes::new()).unwrap();
    assert_eq!(session.send("s3", buckets).await.status, 200);
    session.iam("ListUsers", &[]).await.fails(403, "InvalidClientTokenId");
    let again = session.sts("GetSessionToken", &[]).await.fails(403, "AccessDenied");
    assert_eq!(again.text("Message"), "Cannot call GetSessionToken with session credentials");
    session.sts("GetFederationToken", &[("Name", "carol")]).await.fails(403, "AccessDenied");
}

/// An ID token as its provider signs it.
#[cfg(feature = "aws-lc")]
fn signed(claims: &str, algorithm: &str, id: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let encode = |text: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(text);
    let header = encode(format!(r#"{{"alg":"{algorithm}","kid":"{id}"}}"#).as_bytes());
    let message = format!("{header}.{}", encode(format!("{{{claims}}}").as_bytes()));
    let signature = encode(&sign(message.as_bytes()));
    format!("{message}.{signature}")
}

#[cfg(feature = "aws-lc")]
#[tokio::test]
async fn where_a_provider_s_keys_are_known_a_token_is_signed_with_one_of_them() {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    };

    let admin = with_provider().await;
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let encode = |number: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(number);
    let (x, y) = ec.public_key().as_ref()[1..].split_at(32);
    // In DER: a sequence of the modulus, with a zero before its 256 bytes, and the exponent.
    let der = rsa.public_key().as_ref();
    let (n, e) = (&der[9..265], &der[267..]);
    let keys = format!(
        r#"{{"keys": [{{"kty": "EC", "crv": "P-256", "kid": "1", "x": "{}", "y": "{}"}},
                      {{"kty": "RSA", "kid": "2", "n": "{}", "e": "{}"}}]}}"#,
        encode(x),
        encode(y),
        encode(n),
        encode(e)
    );
    admin.endpoint.set_identity_provider_keys(&format!("https://{HOST}"), &keys).unwrap();
    let by_ec = |message: &[u8]| ec.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
    let by_rsa = |message: &[u8]| {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    };
    assume(&admin, &signed(&claims(""), "ES256", "1", by_ec), "").await.ok();
    assume(&admin, &signed(&claims(""), "RS256", "2", by_rsa), "").await.ok();
    for forged in [
        token(&claims("")),
        signed(&claims(""), "RS256", "1", by_rsa),
        signed(&claims(""), "RS256", "3", by_rsa),
        signed(&claims(""), "none", "2", |_| Vec::new()),
    ] {
        let refused = assume(&admin, &forged, "").await.fails(400, "InvalidIdentityToken");
        assert_eq!(refused.event.outcome, Outcome::Failed);
    }
}
