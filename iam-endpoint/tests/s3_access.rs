//! S3 over signed requests: who may, and what who may not learns.

mod common;

use common::s3::{S3, allowing, bucket, request};
use iam_endpoint::Outcome;

// ── a denial comes before everything else ────────────────────────────────────────────────────────

#[tokio::test]
async fn a_caller_without_rights_learns_nothing() {
    let admin = bucket().await;
    admin.put("/bucket/k", "1").await.is(200);
    let nobody = admin.role("nobody", &allowing(r#""s3:ListAllMyBuckets""#, r#""*""#)).await;
    for request in
        ["GET /bucket/k", "GET /bucket/none", "GET /nowhere/k", "GET /bucket", "DELETE /nowhere", "PUT /new"]
    {
        let denied = nobody.s3(request, &[], "").await.fails(403, "AccessDenied");
        assert_eq!(denied.event.outcome, Outcome::Denied);
    }
    let head = nobody.s3("HEAD /bucket/none", &[], "").await.is(403);
    assert_eq!((head.body.as_str(), head.event.outcome), ("", Outcome::Denied));
    nobody.get("/").await.ok();
}

#[tokio::test]
async fn who_may_not_list_does_not_learn_that_a_key_is_missing() {
    let admin = bucket().await;
    let reader = admin.role("reader", &allowing(r#""s3:GetObject*""#, r#""arn:aws:s3:::bucket/*""#)).await;
    let denied = reader.get("/bucket/none").await.fails(403, "AccessDenied");
    assert_eq!(denied.event.outcome, Outcome::ConcealedNotFound);
    assert!(denied.text("Message").contains("s3:ListBucket on resource: "), "{}", denied.body);
    reader.s3("HEAD /bucket/none", &[], "").await.is(403);
    reader.get("/bucket/none?tagging").await.fails(403, "AccessDenied");

    let lister = admin.role("lister", &allowing(r#"["s3:GetObject", "s3:ListBucket"]"#, r#""*""#)).await;
    let missing = lister.get("/bucket/none").await.fails(404, "NoSuchKey");
    assert_eq!((missing.event.outcome, missing.text("Key")), (Outcome::Failed, "none"));
    lister.get("/nowhere/none").await.fails(404, "NoSuchBucket");
    lister.s3("HEAD /bucket/none", &[], "").await.is(404);
}

// ── conditions ───────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn condition_keys_come_from_the_request_and_the_object() {
    let admin = bucket().await;
    admin.s3("PUT /bucket/public", &[("x-amz-tagging", "class=public")], "").await.is(200);
    admin.s3("PUT /bucket/secret", &[("x-amz-tagging", "class=secret")], "").await.is(200);
    admin.put("/bucket/untagged", "").await.is(200);
    let policy = |action: &str, condition: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": {action}, "Resource": "*", "Condition": {condition}}}}}"#
        )
    };
    let tagged = policy(r#""s3:GetObject""#, r#"{"StringEquals": {"s3:ExistingObjectTag/class": "public"}}"#);
    let reader = admin.role("reader", &tagged).await;
    reader.get("/bucket/public").await.is(200);
    reader.get("/bucket/secret").await.fails(403, "AccessDenied");
    reader.get("/bucket/untagged").await.fails(403, "AccessDenied");

    let tagging = r#"{"StringEquals": {"s3:RequestObjectTag/class": "public"}, "ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["class"]}}"#;
    let writer = admin.role("writer", &policy(r#"["s3:PutObject", "s3:PutObjectTagging"]"#, tagging)).await;
    writer.s3("PUT /bucket/k", &[("x-amz-tagging", "class=public")], "").await.is(200);
    writer
        .s3("PUT /bucket/k", &[("x-amz-tagging", "class=public&other=1")], "")
        .await
        .fails(403, "AccessDenied");
    writer.put("/bucket/k", "").await.fails(403, "AccessDenied");
    let body = "<Tagging><TagSet><Tag><Key>class</Key><Value>public</Value></Tag></TagSet></Tagging>";
    writer.put("/bucket/k?tagging", body).await.is(200);
    writer.put("/bucket/k?tagging", &body.replace("public", "secret")).await.fails(403, "AccessDenied");

    let encrypting =
        policy(r#""s3:PutObject""#, r#"{"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}"#);
    let careful = admin.role("careful", &encrypting).await;
    careful.s3("PUT /bucket/k", &[("x-amz-server-side-encryption", "AES256")], "").await.is(200);
    careful.put("/bucket/k", "").await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn a_key_that_cannot_be_known_is_no_denial() {
    let admin = bucket().await;
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
        "Condition": {"StringEquals": {"s3:InventoryAccessibleOptionalFields": "Size"}}}}"#;
    let odd = admin.role("odd", policy).await;
    let answer = odd.get("/bucket/k").await.fails(501, "ConditionKeyNotEvaluable");
    assert_eq!(answer.event.outcome, Outcome::NotEvaluable);
}

// ── bucket policies ──────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_bucket_policy_takes_part_in_decisions() {
    let admin = bucket().await;
    admin.put("/bucket/k", "1").await.is(200);
    let nobody = admin.role("nobody", &allowing(r#""s3:ListAllMyBuckets""#, r#""*""#)).await;
    nobody.get("/bucket/k").await.fails(403, "AccessDenied");
    let statement = |effect: &str, principal: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Sid": "S", "Effect": "{effect}", "Principal": {principal}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}}]}}"#
        )
    };
    let role = r#"{"AWS": "arn:aws:iam::123456789012:role/nobody"}"#;
    let allow = statement("Allow", role);
    admin.put("/bucket?policy", &allow).await.is(204);
    assert_eq!(admin.get("/bucket?policy").await.ok().body, allow);
    nobody.get("/bucket/k").await.is(200);
    admin.put("/bucket?policy", &statement("Deny", role)).await.is(204);
    let denied = nobody.get("/bucket/k").await.fails(403, "AccessDenied");
    assert!(
        denied.text("Message").ends_with("with an explicit deny in a resource-based policy"),
        "{}",
        denied.body
    );
    admin.delete("/bucket?policy").await.is(204);
    admin.get("/bucket?policy").await.fails(404, "NoSuchBucketPolicy");
}

#[tokio::test]
async fn a_bad_bucket_policy_is_refused_with_its_reason() {
    let admin = bucket().await;
    let policy = |principal: &str, resource: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", {principal} "Action": "s3:GetObject", "Resource": "{resource}"}}]}}"#
        )
    };
    let anybody = r#""Principal": "*","#;
    for (text, why) in [
        ("no json".to_owned(), "valid JSON"),
        (policy("", "arn:aws:s3:::bucket/*"), "Principal"),
        (policy(anybody, "arn:aws:s3:::other/*"), "invalid resource"),
        (policy(anybody, "arn:aws:s3:::bucket"), "does not apply"),
    ] {
        let refused = admin.put("/bucket?policy", &text).await.fails(400, "MalformedPolicy");
        assert!(refused.text("Message").contains(why), "{}", refused.body);
    }
}

#[tokio::test]
async fn anonymous_callers_need_a_public_policy_and_no_public_access_block() {
    let admin = bucket().await;
    admin.put("/bucket/k", "1").await.is(200);
    let anonymous = || admin.deliver(request("GET /bucket/k", &[], ""));
    anonymous().await.fails(403, "AccessDenied");
    let public = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}]}"#;
    let blocked = admin.put("/bucket?policy", public).await.fails(403, "AccessDenied");
    assert!(blocked.text("Message").contains("BlockPublicPolicy"), "{}", blocked.body);
    admin.delete("/bucket?publicAccessBlock").await.is(204);
    admin.get("/bucket?publicAccessBlock").await.fails(404, "NoSuchPublicAccessBlockConfiguration");
    admin.put("/bucket?policy", public).await.is(204);
    assert_eq!(admin.get("/bucket?policyStatus").await.ok().text("IsPublic"), "true");
    assert_eq!(anonymous().await.is(200).event.principal, "anonymous");
    let restrict = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    admin.put("/bucket?publicAccessBlock", restrict).await.is(200);
    anonymous().await.fails(403, "AccessDenied");
}
