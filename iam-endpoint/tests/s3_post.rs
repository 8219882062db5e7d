//! Forms that browsers send to S3.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use bytes::Bytes;
use common::s3::{S3, allowing, bucket};
use common::{Answer, Client};
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use iam_endpoint::{Credentials, Outcome};
use sha2::Sha256;

const DATE: &str = "20260105T101500Z";
const HOST: &str = "https://bucket.s3.us-east-1.amazonaws.com/";

/// The fields of a form that `client` signs, made as the documentation tells, not with the endpoint's code. `conditions` are
/// those besides the ones about the signature.
fn signed(client: &Client, conditions: &str, fields: &[(&str, &str)]) -> Vec<(String, String)> {
    signed_until("2999-01-01T00:00:00Z", client, conditions, fields)
}

fn signed_until(
    expiration: &str,
    client: &Client,
    conditions: &str,
    fields: &[(&str, &str)],
) -> Vec<(String, String)> {
    let Credentials { access_key_id, secret_access_key, session_token, .. } = &client.credentials;
    let scope = format!("{}/us-east-1/s3/aws4_request", &DATE[..8]);
    let mut own = vec![
        ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
        ("x-amz-credential", format!("{access_key_id}/{scope}")),
        ("x-amz-date", DATE.to_owned()),
    ];
    own.extend(session_token.clone().map(|token| ("x-amz-security-token", token)));
    let about_own: Vec<_> = own.iter().map(|(name, value)| format!(r#"{{"{name}": "{value}"}}"#)).collect();
    let policy = format!(
        r#"{{"expiration": "{expiration}", "conditions": [{}, {conditions}]}}"#,
        about_own.join(", ")
    );
    let policy = base64_simd::STANDARD.encode_to_string(policy);
    let mac = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let secret = format!("AWS4{secret_access_key}").into_bytes();
    let key = scope.split('/').fold(secret, |key, part| mac(&key, part));
    own.push(("x-amz-signature", hex::encode(mac(&key, &policy))));
    own.push(("policy", policy));
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    fields.chain(own.into_iter().map(|(name, value)| (name.to_owned(), value))).collect()
}

fn body(fields: &[(String, String)], file: &str) -> String {
    let part = |(name, value): &(String, String)| {
        format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let fields: String = fields.iter().map(part).collect();
    format!(
        "{fields}--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a chart.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n{file}\r\n--b0undary--\r\n"
    )
}

async fn post(client: &Client, body: impl Into<Bytes>) -> Answer {
    let request = Request::post(HOST)
        .header("content-type", "multipart/form-data; boundary=b0undary")
        .header("user-agent", "a browser")
        .body(body.into())
        .unwrap();
    client.deliver(request).await
}

const KEY: &str = r#"{"bucket": "bucket"}, ["starts-with", "$key", "u/"]"#;

#[tokio::test]
async fn a_form_stores_what_its_signer_may_store_and_nothing_else() {
    let admin = bucket().await;
    let own = allowing(r#""s3:PutObject""#, r#""arn:aws:s3:::bucket/u/mine/*""#);
    let worker = admin.role("worker", &own).await;
    let form = |key: &str| body(&signed(&worker, KEY, &[("key", key)]), "chart");
    let stored = post(&admin, form("u/mine/${filename}")).await.is(204);
    assert_eq!(stored.header("etag"), admin.get("/bucket/u/mine/a%20chart.txt").await.ok().header("etag"));
    assert_eq!(stored.header("location"), format!("{HOST}u%2Fmine%2Fa%20chart.txt"));
    assert_eq!(stored.decisions(), ["s3:PutObject arn:aws:s3:::bucket/u/mine/a chart.txt"]);
    assert_eq!(stored.event.operation, "s3:PostObject");
    assert_eq!(stored.event.principal, "arn:aws:sts::123456789012:assumed-role/worker/session");
    assert_eq!(stored.event.role.as_deref(), Some("arn:aws:iam::123456789012:role/worker"));

    let denied = post(&admin, form("u/theirs/1")).await.fails(403, "AccessDenied");
    assert_eq!(denied.event.outcome, Outcome::Denied);
    assert_eq!(
        denied.text("Message"),
        "User: arn:aws:sts::123456789012:assumed-role/worker/session is not authorized to perform: s3:PutObject on \
         resource: arn:aws:s3:::bucket/u/theirs/1 because no identity-based policy allows the s3:PutObject action"
    );
    admin.get("/bucket/u/theirs/1").await.fails(404, "NoSuchKey");
    // What the signer may do, the policy of the form does not let the browser do.
    let beyond = post(
        &admin,
        body(&signed(&worker, r#"{"bucket": "bucket"}, {"key": "u/mine/1"}"#, &[("key", "u/mine/2")]), ""),
    );
    let beyond = beyond.await.fails(403, "AccessDenied");
    assert_eq!(
        beyond.text("Message"),
        "Invalid according to Policy: Policy Condition failed: [&quot;eq&quot;, &quot;$key&quot;, &quot;u/mine/1&quot;]"
    );
    assert_eq!(beyond.event.outcome, Outcome::Failed);
}

#[tokio::test]
async fn fields_are_what_headers_are_to_put_object() {
    let admin = bucket().await;
    let tags = "<Tagging><TagSet><Tag><Key>team</Key><Value>a b</Value></Tag></TagSet></Tagging>";
    let fields = [
        ("Key", "u/1"),
        ("Content-Type", "text/csv"),
        ("x-amz-meta-origin", "form"),
        ("tagging", tags),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-ignore-button", "send"),
        ("acl", "bucket-owner-full-control"),
    ];
    let conditions = format!(
        "{KEY}, {{\"content-type\": \"text/csv\"}}, {{\"x-amz-meta-origin\": \"form\"}}, [\"starts-with\", \"$tagging\", \
         \"\"], [\"starts-with\", \"$x-amz-storage-class\", \"\"], {{\"acl\": \"bucket-owner-full-control\"}}"
    );
    let form = body(&signed(&admin, &conditions, &fields), "a;b");
    let stored = post(&admin, form).await.is(204);
    let actions: Vec<_> = stored.event.authorizations.iter().map(|one| one.action().to_owned()).collect();
    assert_eq!(actions, ["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"]);
    let read = admin.get("/bucket/u/1").await.ok();
    assert_eq!(read.body, "a;b");
    for (header, value) in [
        ("content-type", "text/csv"),
        ("x-amz-meta-origin", "form"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-tagging-count", "1"),
    ] {
        assert_eq!(read.header(header), value, "{header}");
    }

    // Each of them is a condition of the signer's policies, too.
    let form_only = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*", "Condition": {"StringEquals": {
            "s3:authType": "POST", "s3:signatureversion": "AWS4-HMAC-SHA256", "s3:x-amz-storage-class": "STANDARD_IA",
            "s3:RequestObjectTag/team": "a b", "aws:UserAgent": "a browser"}}},
        {"Effect": "Allow", "Action": ["s3:PutObjectAcl", "s3:PutObjectTagging"], "Resource": "*"}]}"#;
    let worker = admin.role("worker", form_only).await;
    post(&admin, body(&signed(&worker, &conditions, &fields[..5]), "")).await.fails(403, "AccessDenied");
    post(&admin, body(&signed(&worker, &conditions, &fields), "")).await.is(204);
    worker.put("/bucket/u/1", "").await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn a_form_is_answered_as_it_asks() {
    let admin = bucket().await;
    let conditions = format!(
        r#"{KEY}, ["starts-with", "$success_action_status", ""], ["starts-with", "$success_action_redirect", ""]"#
    );
    let answer = async |status: &str, redirect: &str| {
        let fields =
            [("key", "u/a b"), ("success_action_status", status), ("success_action_redirect", redirect)];
        post(&admin, body(&signed(&admin, &conditions, &fields), "x")).await
    };
    assert_eq!(answer("200", "").await.ok().body, "");
    let created = answer("201", "").await.is(201);
    let told = ["Location", "Bucket", "Key", "ETag"].map(|element| created.text(element));
    let url = format!("{HOST}u%2Fa%20b");
    assert_eq!(told, [&*url, "bucket", "u/a b", "&quot;9dd4e461268c8034f5c8564e155c67a6&quot;"]);
    answer("404", "no url").await.is(204);
    let redirected = answer("201", "https://example.com/done?a=b").await.is(303);
    assert_eq!(
        redirected.header("location"),
        "https://example.com/done?a=b&bucket=bucket&key=u%2Fa%20b&etag=%229dd4e461268c8034f5c8564e155c67a6%22"
    );
}

#[tokio::test]
async fn a_form_that_nobody_signed_is_anonymous() {
    let admin = bucket().await;
    let fields = [("key".to_owned(), "u/1".to_owned())];
    let denied = post(&admin, body(&fields, "x")).await.fails(403, "AccessDenied");
    assert_eq!((denied.event.outcome, denied.event.principal.as_str()), (Outcome::Denied, "anonymous"));
    admin.delete("/bucket?publicAccessBlock").await.is(204);
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*",
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bucket/u/*"}}"#;
    admin.put("/bucket?policy", policy).await.is(204);
    post(&admin, body(&fields, "x")).await.is(204);
    // Nor is it a signer's that was signed in part.
    let signed = signed(&admin, KEY, &[("key", "u/1")]);
    let unsigned: Vec<_> = signed.into_iter().filter(|(name, _)| name != "x-amz-signature").collect();
    post(&admin, body(&unsigned, "x")).await.fails(400, "InvalidArgument");
}

#[tokio::test]
async fn signatures_tokens_and_policies_are_checked_before_permissions() {
    let admin = bucket().await;
    let worker = admin.role("worker", &allowing(r#""s3:PutObject""#, r#""*""#)).await;
    let with = |field: &str, value: &str| {
        let mut fields = signed(&worker, KEY, &[("key", "u/1")]);
        fields.iter_mut().find(|(name, _)| name == field).unwrap().1 = value.to_owned();
        body(&fields, "x")
    };
    for (field, value, status, code) in [
        ("x-amz-signature", "00", 403, "SignatureDoesNotMatch"),
        ("policy", "e30=", 403, "SignatureDoesNotMatch"),
        ("x-amz-security-token", "other", 400, "InvalidToken"),
        ("x-amz-algorithm", "AWS4-HMAC-SHA1", 400, "InvalidRequest"),
        ("x-amz-credential", "AKIDEXAMPLE/20260105/us-east-1/s3/aws4_request", 403, "InvalidAccessKeyId"),
        ("x-amz-credential", "AKIDEXAMPLE", 400, "AuthorizationHeaderMalformed"),
        ("x-amz-date", "20260106T101500Z", 400, "AuthorizationHeaderMalformed"),
        ("key", "", 403, "AccessDenied"),
    ] {
        let answer = post(&admin, with(field, value)).await.fails(status, code);
        assert_ne!(answer.event.outcome, Outcome::Denied, "{field}");
    }
    let expired = signed_until("2020-01-01T00:00:00Z", &worker, KEY, &[("key", "u/1")]);
    let expired = post(&admin, body(&expired, "x")).await.fails(403, "AccessDenied");
    assert_eq!(expired.text("Message"), "Invalid according to Policy: Policy expired.");
    let sized = format!("{KEY}, [\"content-length-range\", 2, 3]");
    for (file, status, code) in
        [("1", 400, "EntityTooSmall"), ("12", 204, ""), ("1234", 400, "EntityTooLarge")]
    {
        let answer = post(&admin, body(&signed(&worker, &sized, &[("key", "u/1")]), file)).await;
        assert_eq!((answer.status, answer.code()), (status, code));
    }
    let legacy = [("key", "u/1"), ("AWSAccessKeyId", "AKIDEXAMPLE"), ("signature", "0"), ("policy", "e30=")];
    let legacy = legacy.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let refused = post(&admin, body(&legacy, "x")).await.fails(400, "InvalidRequest");
    assert!(refused.text("Message").ends_with("Please use AWS4-HMAC-SHA256."), "{}", refused.body);
    let not_a_form = Request::post(HOST).body(Bytes::from_static(b"text")).unwrap();
    admin.deliver(not_a_form).await.fails(412, "PreconditionFailed");
}

/// However a form is damaged, it is refused, or what it stores is what its policy and its signer allow.
#[tokio::test]
async fn damaged_forms_store_nothing_that_was_not_signed_for() {
    let admin = bucket().await;
    let worker = admin.role("worker", &allowing(r#""s3:PutObject""#, r#""*""#)).await;
    let conditions =
        format!("{KEY}, [\"starts-with\", \"$x-amz-meta-a\", \"\"], [\"content-length-range\", 0, 40]");
    let whole =
        body(&signed(&worker, &conditions, &[("key", "u/1"), ("x-amz-meta-a", "b")]), "a file of some bytes");
    let scraps: [&[u8]; 9] = [
        b"\r\n",
        b"--b0undary",
        b"\r\n--b0undary--\r\n",
        b"\"",
        b"; name=\"key\"",
        b"${filename}",
        b"\\",
        b"\xff",
        b"../../",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let mut stored = 0;
    for _ in 0..2000 {
        let mut form = whole.clone().into_bytes();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..form.len());
            let to = (at + random.usize(..20)).min(form.len());
            let scrap = scraps[random.usize(..scraps.len())];
            match random.u8(..4) {
                0 => drop(form.drain(at..to)),
                1 => drop(form.splice(at..at, scrap.iter().copied())),
                2 => form[at] = random.u8(..),
                _ => form.truncate(at.max(1)),
            }
        }
        let answer = post(&admin, form).await;
        assert!(answer.status == 204 || (400..500).contains(&answer.status), "{answer:?}");
        stored += usize::from(answer.status == 204);
    }
    assert!((20..1000).contains(&stored), "{stored} forms were as good as whole");
    let list = admin.get("/bucket?list-type=2").await.ok();
    assert!(list.texts("Key").iter().all(|key| key.starts_with("u/")), "{}", list.body);
    assert!(list.texts("Size").iter().all(|size| size.parse::<u32>().unwrap() <= 40), "{}", list.body);
}
