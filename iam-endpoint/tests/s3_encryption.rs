//! Objects that are encrypted with KMS keys: who may read an object and not use its key does not read it.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::Client;
use common::s3::{S3, bucket};
use iam_endpoint::Outcome;
use iam_policy::{Policy, PolicyKind};

const MINE: &str = "arn:aws:kms:us-east-1:123456789012:key/mine";
const OTHER: &str = "arn:aws:kms:us-east-1:123456789012:key/other";
const KMS: (&str, &str) = ("x-amz-server-side-encryption", "aws:kms");
const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";

/// A role that may do all with objects, and use one key for some of them.
async fn worker(admin: &Client) -> Client {
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
         "Resource": "arn:aws:kms:us-east-1:123456789012:key/mine",
         "Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"},
                       "StringLike": {"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::bucket/a*", "arn:aws:s3:::bucket"]}}}]}"#;
    admin.role("worker", policy).await
}

#[tokio::test]
async fn an_object_is_put_and_read_with_its_key_and_not_without() {
    let admin = bucket().await;
    let worker = worker(&admin).await;
    let put = async |client: &Client, path: &str, key: &str| {
        client.s3(&format!("PUT {path}"), &[KMS, (KEY, key)], "x").await
    };
    // By its id, too.
    let made = put(&worker, "/bucket/a", "mine").await.ok();
    assert_eq!((made.header(KMS.0), made.header(KEY)), ("aws:kms", MINE));
    assert_eq!(
        made.decisions(),
        ["s3:PutObject arn:aws:s3:::bucket/a".to_owned(), format!("kms:GenerateDataKey {MINE}")]
    );
    let read = worker.get("/bucket/a").await.ok();
    assert_eq!((&*read.body, read.header(KEY)), ("x", MINE));
    assert_eq!(
        read.decisions(),
        ["s3:GetObject arn:aws:s3:::bucket/a".to_owned(), format!("kms:Decrypt {MINE}")]
    );

    let denied = put(&worker, "/bucket/a", OTHER).await.fails(403, "AccessDenied");
    assert_eq!(denied.event.outcome, Outcome::Denied);
    assert_eq!(
        denied.text("Message"),
        format!(
            "User: arn:aws:sts::123456789012:assumed-role/worker/session is not authorized to perform: kms:GenerateDataKey on \
             resource: {OTHER} because no identity-based policy allows the kms:GenerateDataKey action"
        )
    );
    // In the context of another object it is another matter.
    put(&worker, "/bucket/b", MINE).await.fails(403, "AccessDenied");
    put(&admin, "/bucket/b", MINE).await.ok();
    let denied = worker.get("/bucket/b").await.fails(403, "AccessDenied");
    assert!(denied.text("Message").contains("kms:Decrypt on resource: "), "{}", denied.body);
    worker.s3("HEAD /bucket/b", &[], "").await.ok();
    // Of one key for the bucket the context is the bucket.
    admin.s3("PUT /bucket/b", &[KMS, (KEY, MINE), (BUCKET_KEY, "true")], "x").await.ok();
    worker.get("/bucket/b").await.ok();
    // AWS's own key is everybody's.
    admin.s3("PUT /bucket/b", &[KMS], "x").await.ok();
    assert_eq!(worker.get("/bucket/b").await.ok().decisions().len(), 1);
    put(&admin, "/bucket/b", "alias/aws/s3").await.ok();
    worker.get("/bucket/b").await.ok();
    put(&admin, "/bucket/b", "alias/nobody-s").await.fails(400, "KMS.NotFoundException");
    admin
        .s3("PUT /bucket/b", &[("x-amz-server-side-encryption", "AES256"), (KEY, MINE)], "")
        .await
        .fails(400, "InvalidArgument");
}

#[tokio::test]
async fn what_a_bucket_encrypts_by_default_needs_its_key() {
    let admin = bucket().await;
    let worker = worker(&admin).await;
    let encrypt = async |key: &str, with_bucket_key: bool| {
        let document = format!(
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>\
             <KMSMasterKeyID>{key}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>{with_bucket_key}\
             </BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"
        );
        admin.put("/bucket?encryption", &document).await.ok();
    };
    encrypt(OTHER, false).await;
    worker.put("/bucket/a", "x").await.fails(403, "AccessDenied");
    worker.s3("PUT /bucket/a", &[("x-amz-server-side-encryption", "AES256")], "x").await.ok();
    assert_eq!(worker.get("/bucket/a").await.ok().header(KMS.0), "AES256");
    encrypt(MINE, false).await;
    assert_eq!(worker.put("/bucket/a", "x").await.ok().header(KEY), MINE);
    worker.put("/bucket/b", "x").await.fails(403, "AccessDenied");
    encrypt(MINE, true).await;
    let made = worker.put("/bucket/b", "x").await.ok();
    assert_eq!((made.header(KEY), made.header(BUCKET_KEY)), (MINE, "true"));
}

#[tokio::test]
async fn copies_and_uploads_in_parts_need_the_keys_of_both_sides() {
    let admin = bucket().await;
    let worker = worker(&admin).await;
    admin.s3("PUT /bucket/b", &[KMS, (KEY, MINE)], "x").await.ok();
    admin.s3("PUT /bucket/a", &[KMS, (KEY, MINE)], "x").await.ok();
    let from = |source| ("x-amz-copy-source", source);
    let denied = worker.s3("PUT /bucket/c", &[from("bucket/b")], "").await.fails(403, "AccessDenied");
    assert!(denied.text("Message").contains("kms:Decrypt"), "{}", denied.body);
    // A copy does not take its source's key along.
    assert_eq!(worker.s3("PUT /bucket/c", &[from("bucket/a")], "").await.ok().header(KEY), "");
    worker.s3("PUT /bucket/c", &[from("bucket/a"), KMS, (KEY, MINE)], "").await.fails(403, "AccessDenied");
    assert_eq!(
        worker.s3("PUT /bucket/a2", &[from("bucket/a"), KMS, (KEY, MINE)], "").await.ok().header(KEY),
        MINE
    );

    worker.s3("POST /bucket/b?uploads", &[KMS, (KEY, MINE)], "").await.fails(403, "AccessDenied");
    let begin = async |key: &str| {
        let begun = admin.s3(&format!("POST /bucket/{key}?uploads"), &[KMS, (KEY, MINE)], "").await.ok();
        (begun.header(KEY).to_owned(), format!("/bucket/{key}?uploadId={}", begun.text("UploadId")))
    };
    let (key, upload) = begin("a").await;
    assert_eq!(key, MINE);
    let part = worker.put(&format!("{upload}&partNumber=1"), "x").await.ok();
    assert_eq!(
        (part.header(KEY), part.decisions().last().unwrap().as_str()),
        (MINE, &*format!("kms:Decrypt {MINE}"))
    );
    let all = format!(
        "<CompleteMultipartUpload><Part><ETag>{}</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
        part.header("etag")
    );
    assert_eq!(worker.s3(&format!("POST {upload}"), &[], all).await.ok().header(KEY), MINE);
    worker.get("/bucket/a").await.ok();
    let (_, upload) = begin("b").await;
    worker.put(&format!("{upload}&partNumber=1"), "x").await.fails(403, "AccessDenied");
    let whole = [from("bucket/a")];
    worker.s3(&format!("PUT {upload}&partNumber=1"), &whole, "").await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn a_key_of_another_account_needs_its_own_policy_and_the_caller_s() {
    let admin = bucket().await;
    let theirs = "arn:aws:kms:us-east-1:222233334444:key/shared";
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}]}"#;
    let worker = admin.role("worker", policy).await;
    let put = async || worker.s3("PUT /bucket/a", &[KMS, (KEY, theirs)], "x").await;
    put().await.fails(403, "AccessDenied");
    let share = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"},
        "Action": "kms:GenerateDataKey", "Resource": "*", "Condition": {"StringEquals": {"kms:CallerAccount": "123456789012"}}}}"#;
    let share = Policy::parse(share, PolicyKind::Resource).unwrap();
    admin.endpoint.put_resource_policy(theirs, share);
    put().await.ok();
    worker.get("/bucket/a").await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn where_a_caller_is_says_nothing_about_who_uses_the_key() {
    let admin = bucket().await;
    // The service calls KMS, from an address of its own.
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"},
        {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}]}"#;
    let worker = admin.role("worker", policy).await;
    worker.s3("PUT /bucket/a", &[KMS, (KEY, MINE)], "x").await.fails(403, "AccessDenied");
}
