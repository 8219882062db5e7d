//! What a bucket has besides objects: documents, access control lists, blocks of public access.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use bytes::Bytes;
use common::s3::S3;
use common::{Answer, Client};
use http::Request;
use iam_endpoint::{Endpoint, Outcome};

const HOME: &str = "123456789012";

/// An endpoint with one bucket, and its administrator.
async fn bucket() -> Client {
    let admin = Client::administrator(&Endpoint::new());
    admin.put("/bucket", "").await.ok();
    admin
}

async fn control(client: &Client, request: &str, body: &str) -> Answer {
    let (method, path) = request.split_once(' ').unwrap();
    let request = Request::builder()
        .method(method)
        .uri(format!("https://{HOME}.s3-control.us-east-1.amazonaws.com/v20180820{path}"))
        .header("x-amz-account-id", HOME)
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    client.send("s3", request).await
}

#[tokio::test]
async fn what_a_new_bucket_has_not_is_told_as_s3_does() {
    let admin = bucket().await;
    for (subresource, status, expected) in [
        ("accelerate", 200, "<AccelerateConfiguration "),
        ("acl", 200, "<Permission>FULL_CONTROL<"),
        ("cors", 404, "<Code>NoSuchCORSConfiguration<"),
        ("encryption", 200, "<SSEAlgorithm>AES256<"),
        ("lifecycle", 404, "<Code>NoSuchLifecycleConfiguration<"),
        ("location", 200, "<LocationConstraint "),
        ("logging", 200, "<BucketLoggingStatus "),
        ("notification", 200, "<NotificationConfiguration "),
        ("object-lock", 404, "<Code>ObjectLockConfigurationNotFoundError<"),
        ("ownershipControls", 200, "<ObjectOwnership>BucketOwnerEnforced<"),
        ("policy", 404, "<Code>NoSuchBucketPolicy<"),
        ("replication", 404, "<Code>ReplicationConfigurationNotFoundError<"),
        ("requestPayment", 200, "<Payer>BucketOwner<"),
        ("tagging", 404, "<Code>NoSuchTagSet<"),
        ("versioning", 200, "<VersioningConfiguration "),
        ("website", 404, "<Code>NoSuchWebsiteConfiguration<"),
    ] {
        let answer = admin.get(&format!("/bucket?{subresource}")).await.is(status);
        assert!(answer.body.contains(expected), "{subresource}: {}", answer.body);
    }
    admin.get("/nowhere?cors").await.fails(404, "NoSuchBucket");
}

#[tokio::test]
async fn a_document_is_given_back_as_it_was_put_until_it_is_deleted() {
    let admin = bucket().await;
    for (subresource, root, action, deletes) in [
        ("accelerate", "AccelerateConfiguration", "AccelerateConfiguration", false),
        ("cors", "CORSConfiguration", "BucketCORS", true),
        ("encryption", "ServerSideEncryptionConfiguration", "EncryptionConfiguration", true),
        ("lifecycle", "LifecycleConfiguration", "LifecycleConfiguration", true),
        ("logging", "BucketLoggingStatus", "BucketLogging", false),
        ("notification", "NotificationConfiguration", "BucketNotification", false),
        ("replication", "ReplicationConfiguration", "ReplicationConfiguration", true),
        ("requestPayment", "RequestPaymentConfiguration", "BucketRequestPayment", false),
        ("website", "WebsiteConfiguration", "BucketWebsite", true),
    ] {
        let path = format!("/bucket?{subresource}");
        let document = format!("<{root}><Own>x</Own></{root}>");
        let before = admin.get(&path).await.body;
        admin.put(&path, "<Other/>").await.fails(400, "MalformedXML");
        let put = admin.put(&path, &document).await.ok();
        assert_eq!(put.decisions(), [format!("s3:Put{action} arn:aws:s3:::bucket")]);
        let got = admin.get(&path).await.ok();
        assert_eq!(got.decisions(), [format!("s3:Get{action} arn:aws:s3:::bucket")]);
        assert_eq!(got.body, document);
        if deletes {
            admin.delete(&path).await.is(204);
            assert_eq!(
                admin.get(&path).await.body.split("<RequestId>").next(),
                before.split("<RequestId>").next()
            );
        }
    }
}

#[tokio::test]
async fn documents_with_ids_are_kept_apart_and_listed() {
    let admin = bucket().await;
    for (subresource, name) in [
        ("analytics", "Analytics"),
        ("intelligent-tiering", "IntelligentTiering"),
        ("inventory", "Inventory"),
        ("metrics", "Metrics"),
    ] {
        let path = |id: &str| format!("/bucket?{subresource}&id={id}");
        let document = |id: &str| {
            format!("<?xml version=\"1.0\"?><{name}Configuration><Id>{id}</Id></{name}Configuration>")
        };
        let asked = |action: &str| [format!("s3:{action}{name}Configuration arn:aws:s3:::bucket")];
        admin.get(&path("1")).await.fails(404, "NoSuchConfiguration");
        admin.put(&path("1"), "<Other/>").await.fails(400, "MalformedXML");
        admin.put(&path("1"), &document("2")).await.fails(400, "InvalidArgument");
        for id in ["1", "2"] {
            assert_eq!(admin.put(&path(id), &document(id)).await.ok().decisions(), asked("Put"));
        }
        let got = admin.get(&path("2")).await.ok();
        assert_eq!((&got.body, got.decisions()), (&document("2"), asked("Get").to_vec()));
        let list = admin.get(&format!("/bucket?{subresource}")).await.ok();
        assert_eq!((list.texts("Id"), list.decisions()), (vec!["1", "2"], asked("Get").to_vec()));
        assert_eq!(admin.delete(&path("1")).await.is(204).decisions(), asked("Put"));
        admin.delete(&path("1")).await.fails(404, "NoSuchConfiguration");
        let list = admin.get(&format!("/bucket?{subresource}")).await.ok();
        assert_eq!(list.texts("Id"), ["2"]);
    }
}

#[tokio::test]
async fn access_control_lists_are_off_until_they_are_enabled() {
    let admin = bucket().await;
    admin.put("/bucket/key", "text").await.ok();
    for path in ["/bucket?acl", "/bucket/key?acl"] {
        admin
            .s3(&format!("PUT {path}"), &[("x-amz-acl", "private")], "")
            .await
            .fails(400, "AccessControlListNotSupported");
        let list = admin.get(path).await.ok();
        assert_eq!(list.texts("ID").len(), 2);
        admin.put(path, &list.body).await.ok();
    }
    let own = |ownership: &str| {
        format!(
            "<OwnershipControls><Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule></OwnershipControls>"
        )
    };
    admin.put("/bucket?ownershipControls", &own("Mine")).await.fails(400, "MalformedXML");
    admin.put("/bucket?ownershipControls", &own("BucketOwnerPreferred")).await.ok();
    admin.s3("PUT /bucket?acl", &[("x-amz-acl", "private")], "").await.ok();
    // A list that gives something away would have to be kept and to count.
    let given = admin.s3("PUT /bucket?acl", &[("x-amz-acl", "log-delivery-write")], "").await;
    assert_eq!((given.status, given.code()), (501, "AuthorizedNotPerformed"));
    let public =
        admin.s3("PUT /bucket?acl", &[("x-amz-acl", "public-read")], "").await.fails(403, "AccessDenied");
    assert!(public.body.contains("BlockPublicAcls"), "{}", public.body);
    admin.delete("/bucket?ownershipControls").await.is(204);
    admin.get("/bucket?ownershipControls").await.fails(404, "OwnershipControlsNotFoundError");
    admin.get("/bucket/missing?acl").await.fails(404, "NoSuchKey");
}

#[tokio::test]
async fn what_an_account_blocks_holds_in_all_its_buckets() {
    let admin = bucket().await;
    let path = "/configuration/publicAccessBlock";
    control(&admin, &format!("GET {path}"), "").await.fails(404, "NoSuchPublicAccessBlockConfiguration");
    admin.delete("/bucket?publicAccessBlock").await.is(204);
    let public = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::bucket"}}"#;
    admin.put("/bucket?policy", public).await.is(204);
    let stranger = Client::administrator(&admin.endpoint.account("222233334444"));
    stranger.get("/bucket").await.ok();

    let block = |switch: &str| {
        format!("<PublicAccessBlockConfiguration><{switch}>true</{switch}></PublicAccessBlockConfiguration>")
    };
    let put = control(&admin, &format!("PUT {path}"), &block("RestrictPublicBuckets")).await.ok();
    assert_eq!(put.decisions(), ["s3:PutAccountPublicAccessBlock *"]);
    stranger.get("/bucket").await.fails(403, "AccessDenied");
    admin.get("/bucket").await.ok();
    admin.put("/bucket?policy", public).await.is(204);

    control(&admin, &format!("PUT {path}"), &block("BlockPublicPolicy")).await.ok();
    stranger.get("/bucket").await.ok();
    let refused = admin.put("/bucket?policy", public).await.fails(403, "AccessDenied");
    assert!(refused.body.contains("BlockPublicPolicy"), "{}", refused.body);
    assert_eq!(refused.event.outcome, Outcome::Denied);
    let kept = control(&admin, &format!("GET {path}"), "").await.ok();
    assert_eq!(kept.text("BlockPublicPolicy"), "true");
    control(&admin, &format!("DELETE {path}"), "").await.is(204);
    admin.put("/bucket?policy", public).await.is(204);
}

#[tokio::test]
async fn a_buckets_tags_are_s3_controls_too() {
    let admin = bucket().await;
    let path = "/tags/arn%3Aaws%3As3%3A%3A%3Abucket";
    let body =
        "<TagResourceRequest><Tags><Tag><Key>Team</Key><Value>red</Value></Tag></Tags></TagResourceRequest>";
    control(&admin, &format!("POST {path}"), body).await.is(204);
    assert_eq!(control(&admin, &format!("GET {path}"), "").await.ok().text("Value"), "red");
    assert_eq!(admin.get("/bucket?tagging").await.ok().text("Key"), "Team");
    control(&admin, &format!("DELETE {path}?tagKeys=Team"), "").await.is(204);
    admin.get("/bucket?tagging").await.fails(404, "NoSuchTagSet");
}

#[tokio::test]
async fn an_operation_that_is_not_performed_is_decided_by_the_buckets_policy_too() {
    let admin = bucket().await;
    let deny = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:GetInventoryConfiguration",
        "Resource": "arn:aws:s3:::bucket"}}"#;
    let path = "/bucket?inventory&id=one";
    assert_eq!(admin.get(path).await.event.outcome, Outcome::NotPerformed);
    admin.put("/bucket?policy", deny).await.is(204);
    let denied = admin.get(path).await.fails(403, "AccessDenied");
    assert!(denied.body.contains("with an explicit deny in a resource-based policy"), "{}", denied.body);
}
