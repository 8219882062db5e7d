//! Object Lock: what may be locked by whom, and what a lock keeps.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use common::s3::{S3, allowing};
use common::{Answer, Client};
use iam_endpoint::{Endpoint, Outcome};

const DAY: u64 = 24 * 60 * 60;
/// The 1st of January 2030.
const NOW: u64 = 1_893_456_000;
const PROTECTED: &str = "Access Denied because object protected by object lock.";

/// A clock that goes on by whole days.
#[derive(Clone, Default)]
struct Days(Arc<AtomicU64>);

impl Days {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + DAY * self.0.load(Ordering::Relaxed))
    }

    /// The administrator some days later.
    fn pass(&self, days: u64, client: &Client) -> Client {
        self.0.fetch_add(days, Ordering::Relaxed);
        Client { now: self.now(), ..client.clone() }
    }
}

/// The administrator of an endpoint with one bucket with Object Lock.
async fn locked() -> (Client, Days) {
    let days = Days::default();
    let clock = days.clone();
    let endpoint = Endpoint::builder().clock(move || clock.now()).build();
    let admin = Client { now: days.now(), ..Client::administrator(&endpoint) };
    let made = admin.s3("PUT /bucket", &[("x-amz-bucket-object-lock-enabled", "true")], "").await.ok();
    assert_eq!(
        made.decisions(),
        ["CreateBucket", "PutBucketObjectLockConfiguration", "PutBucketVersioning"]
            .map(|action| format!("s3:{action} arn:aws:s3:::bucket"))
    );
    (admin, days)
}

fn retention(mode: &str, until: &str) -> String {
    format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>")
}

/// Puts an object with headers, and gives the path of its version.
async fn put(client: &Client, key: &str, headers: &[(&str, &str)]) -> String {
    let put = client.s3(&format!("PUT /bucket/{key}"), headers, "text").await.ok();
    format!("/bucket/{key}?versionId={}", put.header("x-amz-version-id"))
}

async fn bypass(client: &Client, request: &str, body: &str) -> Answer {
    client.s3(request, &[("x-amz-bypass-governance-retention", "true")], body.to_owned()).await
}

#[tokio::test]
async fn a_version_under_retention_is_not_deleted_before_its_time() {
    let (admin, days) = locked().await;
    let until = [
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        ("x-amz-object-lock-retain-until-date", "2030-01-03T00:00:00Z"),
    ];
    let version = put(&admin, "key", &until).await;
    let read = admin.get(&version).await.ok();
    assert_eq!(read.header("x-amz-object-lock-mode"), "COMPLIANCE");
    assert_eq!(read.header("x-amz-object-lock-retain-until-date"), "2030-01-03T00:00:00.000Z");
    let kept = admin.delete(&version).await.fails(403, "AccessDenied");
    assert_eq!((kept.text("Message"), kept.event.outcome), (PROTECTED, Outcome::Failed));
    bypass(&admin, &format!("DELETE {version}"), "").await.fails(403, "AccessDenied");
    let (_, id) = version.split_once('=').unwrap();
    let several = format!("<Delete><Object><Key>key</Key><VersionId>{id}</VersionId></Object></Delete>");
    let several = admin.s3("POST /bucket?delete", &[], several).await.ok();
    assert_eq!((several.text("Code"), several.text("Message")), ("AccessDenied", PROTECTED));
    // A delete marker deletes nothing.
    admin.delete("/bucket/key").await.is(204);
    admin.get(&version).await.ok();
    let admin = days.pass(3, &admin);
    admin.delete(&version).await.is(204);
}

#[tokio::test]
async fn governance_is_bypassed_by_who_may_and_says_so() {
    let (admin, _) = locked().await;
    let version = put(&admin, "key", &[]).await;
    let path = version.replace('?', "?retention&");
    admin.get(&path).await.fails(404, "NoSuchObjectLockConfiguration");
    admin.put(&path, &retention("GOVERNANCE", "2029-12-31T00:00:00Z")).await.fails(400, "InvalidArgument");
    admin.put(&path, &retention("GOVERNANCE", "2030-01-03T00:00:00Z")).await.ok();
    admin.put(&path, &retention("GOVERNANCE", "2030-01-05T00:00:00.000Z")).await.ok();
    let kept = admin.get(&path).await.ok();
    assert_eq!((kept.text("Mode"), kept.text("RetainUntilDate")), ("GOVERNANCE", "2030-01-05T00:00:00.000Z"));
    for weaker in [
        retention("GOVERNANCE", "2030-01-04T00:00:00Z"),
        retention("COMPLIANCE", "2030-01-09T00:00:00Z"),
        "<Retention/>".to_owned(),
    ] {
        let refused = admin.put(&path, &weaker).await.fails(403, "AccessDenied");
        assert_eq!(refused.text("Message"), PROTECTED);
    }

    let worker = admin
        .role(
            "worker",
            r#"{"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["s3:PutObjectRetention", "s3:DeleteObjectVersion"], "Resource": "*"},
                {"Effect": "Allow", "Action": "s3:BypassGovernanceRetention", "Resource": "arn:aws:s3:::bucket/mine/*"}]}"#,
        )
        .await;
    let delete = format!("DELETE {version}");
    let denied = bypass(&worker, &delete, "").await.fails(403, "AccessDenied");
    assert!(
        denied.text("Message").ends_with("allows the s3:BypassGovernanceRetention action"),
        "{}",
        denied.body
    );
    assert_eq!(denied.event.outcome, Outcome::Denied);
    worker.delete(&version).await.fails(403, "AccessDenied");
    let put_path = format!("PUT {path}");
    bypass(&worker, &put_path, "<Retention/>").await.fails(403, "AccessDenied");
    let mine = put(&admin, "mine/key", &[]).await;
    let mine_path = mine.replace('?', "?retention&");
    worker.put(&mine_path, &retention("GOVERNANCE", "2030-01-05T00:00:00Z")).await.ok();
    worker.delete(&mine).await.fails(403, "AccessDenied");
    bypass(&worker, &format!("PUT {mine_path}"), &retention("GOVERNANCE", "2030-01-02T00:00:00Z")).await.ok();
    bypass(&worker, &format!("DELETE {mine}"), "").await.is(204);

    bypass(&admin, &put_path, &retention("COMPLIANCE", "2030-01-02T00:00:00Z")).await.ok();
    bypass(&admin, &put_path, "<Retention/>").await.fails(403, "AccessDenied");
    bypass(&admin, &delete, "").await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn a_legal_hold_keeps_a_version_until_it_is_lifted() {
    let (admin, days) = locked().await;
    let version = put(&admin, "key", &[("x-amz-object-lock-legal-hold", "ON")]).await;
    let path = version.replace('?', "?legal-hold&");
    let admin = days.pass(1000, &admin);
    bypass(&admin, &format!("DELETE {version}"), "").await.fails(403, "AccessDenied");
    assert_eq!(admin.get(&path).await.ok().text("Status"), "ON");
    admin.put(&path, "<LegalHold><Status>MAYBE</Status></LegalHold>").await.fails(400, "MalformedXML");

    let only_on = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject*", "s3:PutObjectLegalHold"], "Resource": "*"},
        {"Effect": "Deny", "Action": ["s3:PutObjectLegalHold", "s3:GetObjectRetention"], "Resource": "*",
         "Condition": {"StringNotEquals": {"s3:object-lock-legal-hold": "ON"}}}]}"#;
    let worker = admin.role("worker", only_on).await;
    let hold = |status: &str| format!("<LegalHold><Status>{status}</Status></LegalHold>");
    worker.put(&path, &hold("ON")).await.ok();
    worker.put(&path, &hold("OFF")).await.fails(403, "AccessDenied");
    assert_eq!(worker.get(&version).await.ok().header("x-amz-object-lock-legal-hold"), "ON");
    admin.put(&path, &hold("OFF")).await.ok();
    assert_eq!(admin.get(&version).await.ok().header("x-amz-object-lock-legal-hold"), "OFF");
    admin.delete(&version).await.is(204);
    // Who may not read the hold does not see it with the object.
    let reader = admin.role("reader", &allowing(r#""s3:GetObject*Version""#, r#""*""#)).await;
    let version = put(&admin, "key", &[("x-amz-object-lock-legal-hold", "ON")]).await;
    assert_eq!(reader.get(&version).await.ok().header("x-amz-object-lock-legal-hold"), "");
}

#[tokio::test]
async fn a_bucket_gives_its_default_retention_to_what_has_none() {
    let (admin, days) = locked().await;
    let path = "/bucket?object-lock";
    assert_eq!(admin.get(path).await.ok().text("ObjectLockEnabled"), "Enabled");
    let configuration = |rule: &str| {
        format!(
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}</ObjectLockConfiguration>"
        )
    };
    let rule = |period: &str| {
        configuration(&format!(
            "<Rule><DefaultRetention><Mode>COMPLIANCE</Mode>{period}</DefaultRetention></Rule>"
        ))
    };
    for (document, code) in [
        ("<ObjectLockConfiguration/>".to_owned(), "MalformedXML"),
        (rule(""), "MalformedXML"),
        (rule("<Days>1</Days><Years>1</Years>"), "MalformedXML"),
        (rule("<Days>0</Days>"), "InvalidArgument"),
        (rule("<Years>101</Years>"), "InvalidArgument"),
    ] {
        admin.put(path, &document).await.fails(400, code);
    }
    admin.put(path, &rule("<Days>2</Days>")).await.ok();
    assert_eq!(admin.get(path).await.ok().text("Days"), "2");
    let version = put(&admin, "key", &[]).await;
    assert_eq!(
        admin.get(&version).await.ok().header("x-amz-object-lock-retain-until-date"),
        "2030-01-03T00:00:00.000Z"
    );
    let own = [
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-retain-until-date", "2030-01-09T00:00:00Z"),
    ];
    let other = put(&admin, "key", &own).await;
    assert_eq!(admin.get(&other).await.ok().header("x-amz-object-lock-mode"), "GOVERNANCE");
    // An upload in parts is locked as its beginning said, from its end on.
    let begun = admin.s3("POST /bucket/parts?uploads", &own, "").await.ok();
    let id = begun.text("UploadId").to_owned();
    let part = admin.put(&format!("/bucket/parts?uploadId={id}&partNumber=1"), "x").await.ok();
    let etag = part.header("etag");
    let all = format!(
        "<CompleteMultipartUpload><Part><ETag>{etag}</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
    );
    admin.s3(&format!("POST /bucket/parts?uploadId={id}"), &own[..1], all).await.ok();
    let parts = admin.get("/bucket/parts").await.ok();
    assert_eq!(parts.header("x-amz-object-lock-retain-until-date"), "2030-01-09T00:00:00.000Z");
    let admin = days.pass(3, &admin);
    admin.delete(&version).await.is(204);
    admin.delete(&other).await.fails(403, "AccessDenied");
    let suspended = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    admin.put("/bucket?versioning", suspended).await.fails(409, "InvalidBucketState");
}

#[tokio::test]
async fn only_buckets_with_object_lock_lock_objects() {
    let (admin, _) = locked().await;
    admin.put("/plain", "").await.ok();
    admin.put("/plain/key", "").await.ok();
    admin.get("/plain?object-lock").await.fails(404, "ObjectLockConfigurationNotFoundError");
    for (path, body) in [
        ("/plain/key?retention", retention("GOVERNANCE", "2030-01-05T00:00:00Z")),
        ("/plain/key?legal-hold", "<LegalHold><Status>ON</Status></LegalHold>".to_owned()),
    ] {
        admin.put(path, &body).await.fails(400, "InvalidRequest");
        admin.get(path).await.fails(400, "InvalidRequest");
    }
    let hold = [("x-amz-object-lock-legal-hold", "ON")];
    admin.s3("PUT /plain/key", &hold, "").await.fails(400, "InvalidRequest");
    let half = [("x-amz-object-lock-mode", "GOVERNANCE")];
    admin.s3("PUT /bucket/key", &half, "").await.fails(400, "InvalidArgument");
    let enabled =
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    admin.put("/plain?object-lock", enabled).await.fails(409, "InvalidBucketState");
    let versioned = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    admin.put("/plain?versioning", versioned).await.ok();
    admin.put("/plain?object-lock", enabled).await.ok();
    admin.s3("PUT /plain/key", &hold, "").await.ok();
}

#[tokio::test]
async fn how_long_somebody_may_lock_is_a_condition() {
    let (admin, _) = locked().await;
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject*", "Resource": "*"},
        {"Effect": "Deny", "Action": ["s3:PutObject", "s3:PutObjectRetention"], "Resource": "*",
         "Condition": {"NumericGreaterThan": {"s3:object-lock-remaining-retention-days": "10"}}},
        {"Effect": "Deny", "Action": "s3:PutObjectRetention", "Resource": "*",
         "Condition": {"StringEquals": {"s3:object-lock-mode": "COMPLIANCE"}}}]}"#;
    let worker = admin.role("worker", policy).await;
    let path = put(&worker, "key", &[]).await.replace('?', "?retention&");
    let ten = retention("GOVERNANCE", "2030-01-11T12:00:00Z");
    worker.put(&path, &retention("GOVERNANCE", "2030-01-12T00:00:00Z")).await.fails(403, "AccessDenied");
    worker.put(&path, &ten.replace("GOVERNANCE", "COMPLIANCE")).await.fails(403, "AccessDenied");
    worker.put(&path, &ten).await.ok();
    let header =
        |date| [("x-amz-object-lock-mode", "GOVERNANCE"), ("x-amz-object-lock-retain-until-date", date)];
    put(&worker, "key", &header("2030-01-11T12:00:00Z")).await;
    worker.s3("PUT /bucket/key", &header("2030-01-12T00:00:00Z"), "").await.fails(403, "AccessDenied");
}
