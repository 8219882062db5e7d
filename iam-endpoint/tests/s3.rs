//! S3 over signed requests: what it does.

mod common;

use bytes::Bytes;
use common::s3::{S3, allowing, bucket};
use http::Request;
use iam_endpoint::Outcome;

// ── objects ──────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn an_object_comes_back_as_it_was_put() {
    let admin = bucket().await;
    let headers = [("content-type", "text/plain"), ("x-amz-meta-team", "a"), ("cache-control", "no-cache")];
    let put = admin.s3("PUT /bucket/a%20b/%C3%A9", &headers, "hello").await.is(200);
    assert_eq!(put.header("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_eq!(put.header("x-amz-server-side-encryption"), "AES256");

    let got = admin.get("/bucket/a%20b/%C3%A9").await.is(200);
    assert_eq!(got.body, "hello");
    for (name, value) in headers {
        assert_eq!(got.header(name), value);
    }
    assert_eq!(got.header("content-length"), "5");
    assert_eq!(got.header("etag"), put.header("etag"));
    assert_eq!(got.event.operation, "s3:GetObject");
    assert_eq!(got.decisions(), ["s3:GetObject arn:aws:s3:::bucket/a b/é"]);

    let head = admin.s3("HEAD /bucket/a%20b/%C3%A9", &[], "").await.is(200);
    assert_eq!((head.body.as_str(), head.header("content-length")), ("", "5"));
    assert_eq!(head.decisions(), ["s3:GetObject arn:aws:s3:::bucket/a b/é"]);
}

#[tokio::test]
async fn parts_of_an_object_are_read_by_range() {
    let admin = bucket().await;
    admin.put("/bucket/k", "0123456789").await.is(200);
    let part = admin.s3("GET /bucket/k", &[("range", "bytes=2-4")], "").await.is(206);
    assert_eq!((part.body.as_str(), part.header("content-range")), ("234", "bytes 2-4/10"));
    admin.s3("GET /bucket/k", &[("range", "bytes=10-")], "").await.fails(416, "InvalidRange");
    let named = admin.get("/bucket/k?response-content-type=text%2Fcsv").await.is(200);
    assert_eq!(named.header("content-type"), "text/csv");
}

#[tokio::test]
async fn conditions_on_reads_and_writes_hold() {
    let admin = bucket().await;
    let etag = admin.put("/bucket/k", "1").await.is(200).header("etag").to_owned();
    admin.s3("GET /bucket/k", &[("if-none-match", &etag)], "").await.is(304);
    admin.s3("GET /bucket/k", &[("if-match", "\"0\"")], "").await.fails(412, "PreconditionFailed");
    admin.s3("PUT /bucket/k", &[("if-none-match", "*")], "2").await.fails(412, "PreconditionFailed");
    admin.s3("PUT /bucket/k", &[("if-match", &etag)], "2").await.is(200);
    admin.s3("PUT /bucket/new", &[("if-match", &etag)], "2").await.fails(404, "NoSuchKey");
    admin.s3("PUT /bucket/new", &[("if-none-match", "*")], "2").await.is(200);
}

#[tokio::test]
async fn a_body_that_does_not_fit_its_checksum_is_not_stored() {
    let admin = bucket().await;
    admin.s3("PUT /bucket/k", &[("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")], "hello").await.is(200);
    admin
        .s3("PUT /bucket/k", &[("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")], "hullo")
        .await
        .fails(400, "BadDigest");
    let crc = [("x-amz-checksum-crc32", "NhCmhg==")];
    admin.s3("PUT /bucket/k", &crc, "hullo").await.fails(400, "BadDigest");
    admin.s3("PUT /bucket/k", &crc, "hello").await.is(200);
    let got = admin.s3("GET /bucket/k", &[("x-amz-checksum-mode", "ENABLED")], "").await.is(200);
    assert_eq!(got.header("x-amz-checksum-crc32"), "NhCmhg==");
    assert_eq!(admin.get("/bucket/k").await.header("x-amz-checksum-crc32"), "");
}

#[tokio::test]
async fn a_copy_reads_its_source_and_writes_its_target() {
    let admin = bucket().await;
    admin.s3("PUT /bucket/from", &[("x-amz-meta-a", "1"), ("x-amz-tagging", "t=1")], "body").await.is(200);
    let copy = admin.s3("PUT /bucket/to", &[("x-amz-copy-source", "/bucket/from")], "").await.is(200);
    assert_eq!(copy.text("ETag"), "&quot;841a2d689ad86bd1611447453c22c6fc&quot;");
    assert_eq!(
        copy.decisions(),
        [
            "s3:GetObject arn:aws:s3:::bucket/from",
            "s3:GetObjectTagging arn:aws:s3:::bucket/from",
            "s3:PutObject arn:aws:s3:::bucket/to",
            "s3:PutObjectTagging arn:aws:s3:::bucket/to",
        ]
    );
    let got = admin.get("/bucket/to").await.is(200);
    assert_eq!(
        (got.body.as_str(), got.header("x-amz-meta-a"), got.header("x-amz-tagging-count")),
        ("body", "1", "1")
    );

    let itself = [("x-amz-copy-source", "bucket/from")];
    admin.s3("PUT /bucket/from", &itself, "").await.fails(400, "InvalidRequest");
    let replacing = [("x-amz-copy-source", "bucket/from"), ("x-amz-metadata-directive", "REPLACE")];
    admin.s3("PUT /bucket/from", &replacing, "").await.is(200);
    assert_eq!(admin.get("/bucket/from").await.header("x-amz-meta-a"), "");
    admin.s3("PUT /bucket/to", &[("x-amz-copy-source", "bucket/none")], "").await.fails(404, "NoSuchKey");
    let stale = [("x-amz-copy-source", "bucket/from"), ("x-amz-copy-source-if-match", "\"0\"")];
    admin.s3("PUT /bucket/to", &stale, "").await.fails(412, "PreconditionFailed");

    let writer = admin.role("writer", &allowing(r#""s3:PutObject""#, r#""arn:aws:s3:::bucket/*""#)).await;
    let denied = writer.s3("PUT /bucket/to", &itself, "").await.fails(403, "AccessDenied");
    assert!(denied.text("Message").contains("s3:GetObject on resource: "), "{}", denied.body);
}

#[tokio::test]
async fn a_header_that_asks_for_more_needs_more() {
    let admin = bucket().await;
    let writer = admin.role("writer", &allowing(r#""s3:PutObject""#, r#""arn:aws:s3:::bucket/*""#)).await;
    writer.put("/bucket/k", "").await.is(200);
    for (header, value, action) in [
        ("x-amz-tagging", "a=1", "s3:PutObjectTagging"),
        ("x-amz-acl", "public-read", "s3:PutObjectAcl"),
        ("x-amz-grant-read", "id=1", "s3:PutObjectAcl"),
        ("x-amz-object-lock-mode", "GOVERNANCE", "s3:PutObjectRetention"),
        ("x-amz-object-lock-legal-hold", "ON", "s3:PutObjectLegalHold"),
    ] {
        let denied = writer.s3("PUT /bucket/k", &[(header, value)], "").await.fails(403, "AccessDenied");
        assert!(denied.text("Message").contains(action), "{}", denied.body);
    }
    admin
        .s3("PUT /bucket/k", &[("x-amz-acl", "public-read")], "")
        .await
        .fails(400, "AccessControlListNotSupported");
    let twice = [("x-amz-server-side-encryption", "aws:kms:dsse")];
    let answer = admin.s3("PUT /bucket/k", &twice, "").await.fails(501, "AuthorizedNotPerformed");
    assert_eq!(answer.event.outcome, Outcome::NotMapped);
}

// ── listings ─────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn listings_page_through_keys_and_common_prefixes() {
    let admin = bucket().await;
    for key in ["a", "b/1", "b/2", "c%20d", "e/1"] {
        admin.put(&format!("/bucket/{key}"), "").await.is(200);
    }
    let all = admin.get("/bucket?list-type=2").await.ok();
    assert_eq!(all.texts("Key"), ["a", "b/1", "b/2", "c d", "e/1"]);
    assert_eq!((all.text("KeyCount"), all.text("IsTruncated"), all.text("MaxKeys")), ("5", "false", "1000"));
    let folders = admin.get("/bucket?list-type=2&delimiter=%2F&encoding-type=url").await.ok();
    assert_eq!(folders.texts("Key"), ["a", "c+d"]);
    assert_eq!(folders.texts("CommonPrefixes"), ["<Prefix>b/</Prefix>", "<Prefix>e/</Prefix>"]);

    let mut path = "/bucket?list-type=2&delimiter=%2F&max-keys=1".to_owned();
    let mut lines = Vec::new();
    loop {
        let page = admin.get(&path).await.ok();
        lines.extend(page.texts("Key").into_iter().chain(page.texts("CommonPrefixes")).map(str::to_owned));
        let Some(next) = page.texts("NextContinuationToken").first().map(|next| next.replace('=', "%3D"))
        else {
            break;
        };
        path = format!("/bucket?continuation-token={next}&delimiter=%2F&list-type=2&max-keys=1");
    }
    assert_eq!(lines, ["a", "<Prefix>b/</Prefix>", "c d", "<Prefix>e/</Prefix>"]);

    let first = admin.get("/bucket?delimiter=%2F&max-keys=2").await.ok();
    assert_eq!((first.text("NextMarker"), first.text("IsTruncated")), ("b/", "true"));
    let second = admin.get("/bucket?delimiter=%2F&marker=b%2F").await.ok();
    assert_eq!(second.texts("Key"), ["c d"]);
    assert_eq!(second.event.operation, "s3:ListObjects");
    admin.get("/bucket?list-type=2&max-keys=-1").await.fails(400, "InvalidArgument");
    admin.get("/bucket?list-type=2&max-keys=99999999999").await.fails(400, "InvalidArgument");
    admin.get("/bucket?continuation-token=%C3%A9&list-type=2").await.fails(400, "InvalidArgument");
    assert_eq!(admin.get("/bucket?list-type=2&max-keys=0").await.ok().text("IsTruncated"), "false");
}

#[tokio::test]
async fn a_prefix_that_is_not_sent_is_not_an_empty_one() {
    let admin = bucket().await;
    let policy = |condition: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": {condition}}}}}"#
        )
    };
    let root = admin.role("root-lister", &policy(r#"{"StringEquals": {"s3:prefix": ["", "home/"]}}"#)).await;
    root.get("/bucket?prefix=").await.ok();
    root.get("/bucket?prefix=home%2F").await.ok();
    root.get("/bucket").await.fails(403, "AccessDenied");
    root.get("/bucket?prefix=other%2F").await.fails(403, "AccessDenied");
    let few = admin.role("few", &policy(r#"{"NumericLessThanEquals": {"s3:max-keys": "10"}}"#)).await;
    few.get("/bucket?max-keys=10").await.ok();
    few.get("/bucket?max-keys=11").await.fails(403, "AccessDenied");
}

// ── deletion ─────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn each_key_of_a_multi_object_delete_is_decided_on_its_own() {
    let admin = bucket().await;
    for key in ["a", "b", "c"] {
        admin.put(&format!("/bucket/{key}"), "").await.is(200);
    }
    let cleaner = admin
        .role(
            "cleaner",
            &allowing(r#""s3:DeleteObject""#, r#"["arn:aws:s3:::bucket/a", "arn:aws:s3:::bucket/b"]"#),
        )
        .await;
    let body = "<Delete><Object><Key>a</Key></Object><Object><Key>c</Key></Object></Delete>";
    let answer = cleaner.s3("POST /bucket?delete", &[], body).await.ok();
    assert_eq!(answer.texts("Deleted"), ["<Key>a</Key>"]);
    assert!(answer.text("Error").starts_with("<Key>c</Key><Code>AccessDenied</Code>"), "{}", answer.body);
    assert_eq!(
        answer.decisions(),
        ["s3:DeleteObject arn:aws:s3:::bucket/a", "s3:DeleteObject arn:aws:s3:::bucket/c"]
    );
    assert_eq!(answer.event.outcome, Outcome::Answered);
    let quiet = "<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>";
    assert_eq!(cleaner.s3("POST /bucket?delete", &[], quiet).await.ok().texts("Deleted"), Vec::<&str>::new());
    assert_eq!(admin.get("/bucket").await.texts("Key"), ["c"]);
    cleaner.s3("POST /nowhere?delete", &[], body).await.ok();
    admin.s3("POST /nowhere?delete", &[], body).await.fails(404, "NoSuchBucket");
    admin.s3("POST /bucket?delete", &[], "<Delete/>").await.fails(400, "MalformedXML");
    let digest = [("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")];
    admin.s3("POST /bucket?delete", &digest, body).await.fails(400, "BadDigest");
    let many = format!("<Delete>{}</Delete>", "<Object><Key>a</Key></Object>".repeat(1001));
    admin.s3("POST /bucket?delete", &[], many).await.fails(400, "MalformedXML");
}

#[tokio::test]
async fn a_versioned_bucket_keeps_what_is_deleted() {
    let admin = bucket().await;
    admin.put("/bucket/k", "0").await.is(200);
    let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    admin.put("/bucket?versioning", on).await.is(200);
    assert_eq!(admin.get("/bucket?versioning").await.ok().text("Status"), "Enabled");
    let first = admin.put("/bucket/k", "1").await.is(200).header("x-amz-version-id").to_owned();
    let deleted = admin.delete("/bucket/k").await.is(204);
    assert_eq!(deleted.header("x-amz-delete-marker"), "true");
    let marker = deleted.header("x-amz-version-id").to_owned();

    let missing = admin.get("/bucket/k").await.fails(404, "NoSuchKey");
    assert_eq!(missing.header("x-amz-delete-marker"), "true");
    admin.get(&format!("/bucket/k?versionId={marker}")).await.fails(405, "MethodNotAllowed");
    let old = admin.get(&format!("/bucket/k?versionId={first}")).await.is(200);
    assert_eq!(
        (old.body.as_str(), old.decisions()),
        ("1", vec!["s3:GetObjectVersion arn:aws:s3:::bucket/k".to_owned()])
    );
    assert_eq!(admin.get("/bucket/k?versionId=null").await.is(200).body, "0");
    admin.get("/bucket/k?versionId=x").await.fails(400, "InvalidArgument");
    admin.get(&format!("/bucket/k?versionId={}", "0".repeat(32))).await.fails(404, "NoSuchVersion");

    let versions = admin.get("/bucket?versions").await.ok();
    assert_eq!(versions.texts("VersionId"), [marker.as_str(), first.as_str(), "null"]);
    assert_eq!(versions.texts("IsLatest"), ["true", "false", "false"]);
    assert_eq!(versions.decisions(), ["s3:ListBucketVersions arn:aws:s3:::bucket"]);
    let page = admin.get("/bucket?max-keys=1&versions").await.ok();
    assert_eq!((page.text("NextKeyMarker"), page.text("NextVersionIdMarker")), ("k", marker.as_str()));
    let rest = admin.get(&format!("/bucket?key-marker=k&version-id-marker={marker}&versions")).await.ok();
    assert_eq!(rest.texts("VersionId"), [first.as_str(), "null"]);
    assert_eq!(admin.get("/bucket").await.ok().texts("Key"), Vec::<&str>::new());
    admin.delete("/bucket").await.fails(409, "BucketNotEmpty");

    let off = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    admin.put("/bucket?versioning", off).await.is(200);
    admin.put("/bucket/other", "1").await.is(200);
    admin.put("/bucket/other", "2").await.is(200);
    assert_eq!(admin.get("/bucket?prefix=other&versions").await.ok().texts("VersionId"), ["null"]);
    admin
        .put("/bucket?versioning", "<VersioningConfiguration/>")
        .await
        .fails(400, "IllegalVersioningConfigurationException");

    let undone = admin.delete(&format!("/bucket/k?versionId={marker}")).await.is(204);
    assert_eq!(undone.header("x-amz-delete-marker"), "true");
    assert_eq!(admin.get("/bucket/k").await.is(200).body, "1");
}

// ── multipart ────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn an_upload_in_parts_becomes_one_object() {
    let admin = bucket().await;
    let created = admin.s3("POST /bucket/big?uploads", &[("content-type", "text/plain")], "").await.ok();
    let id = created.text("UploadId").to_owned();
    assert_eq!(admin.get("/bucket?uploads").await.ok().text("UploadId"), id);
    let large = vec![b'a'; 5 * 1024 * 1024];
    let path = |number: u8| format!("PUT /bucket/big?partNumber={number}&uploadId={id}");
    let one = admin.s3(&path(1), &[], large.clone()).await.is(200).header("etag").to_owned();
    let two = admin.s3(&path(2), &[], "end").await.is(200).header("etag").to_owned();
    assert_eq!(admin.get(&format!("/bucket/big?uploadId={id}")).await.ok().texts("PartNumber"), ["1", "2"]);

    let complete = |parts: &[(u8, &str)]| {
        let part = |(number, etag): &(u8, &str)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        };
        let parts: String = parts.iter().map(part).collect();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let (admin, path) = (admin.clone(), format!("POST /bucket/big?uploadId={id}"));
        async move { admin.s3(&path, &[], body).await }
    };
    complete(&[(2, &two), (1, &one)]).await.fails(400, "InvalidPartOrder");
    complete(&[(1, &two)]).await.fails(400, "InvalidPart");
    complete(&[(3, &two)]).await.fails(400, "InvalidPart");
    let done = complete(&[(1, &one), (2, &two)]).await.ok();
    assert!(done.text("ETag").ends_with("-2&quot;"), "{}", done.body);
    let got = admin.s3("GET /bucket/big", &[("range", "bytes=5242878-")], "").await.is(206);
    assert_eq!((got.body.as_str(), got.header("content-type")), ("aaend", "text/plain"));
    let part = admin.get("/bucket/big?partNumber=2").await.is(206);
    assert_eq!((part.body.as_str(), part.header("x-amz-mp-parts-count")), ("end", "2"));
    complete(&[(1, &one)]).await.fails(404, "NoSuchUpload");
    assert_eq!(admin.get("/bucket?uploads").await.ok().texts("UploadId"), Vec::<&str>::new());
}

#[tokio::test]
async fn an_upload_with_a_small_part_is_refused_and_can_be_aborted() {
    let admin = bucket().await;
    admin.put("/bucket/source", "0123456789").await.is(200);
    let id = admin.s3("POST /bucket/k?uploads", &[], "").await.ok().text("UploadId").to_owned();
    let from = [("x-amz-copy-source", "bucket/source"), ("x-amz-copy-source-range", "bytes=2-4")];
    let copied = admin.s3(&format!("PUT /bucket/k?partNumber=1&uploadId={id}"), &from, "").await.ok();
    assert_eq!(
        copied.decisions(),
        ["s3:GetObject arn:aws:s3:::bucket/source", "s3:PutObject arn:aws:s3:::bucket/k"]
    );
    let etag = copied.text("ETag");
    admin.put(&format!("/bucket/k?partNumber=2&uploadId={id}"), "x").await.is(200);
    admin.put(&format!("/bucket/k?partNumber=10001&uploadId={id}"), "x").await.fails(400, "InvalidArgument");
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part><Part><PartNumber>2</PartNumber>\
         <ETag>9dd4e461268c8034f5c8564e155c67a6</ETag></Part></CompleteMultipartUpload>"
    );
    admin.s3(&format!("POST /bucket/k?uploadId={id}"), &[], body).await.fails(400, "EntityTooSmall");
    let aborted = admin.delete(&format!("/bucket/k?uploadId={id}")).await.is(204);
    assert_eq!(aborted.decisions(), ["s3:AbortMultipartUpload arn:aws:s3:::bucket/k"]);
    admin.get(&format!("/bucket/k?uploadId={id}")).await.fails(404, "NoSuchUpload");
}

#[tokio::test]
async fn the_parts_of_an_upload_meet_the_conditions_that_its_creation_met() {
    let admin = bucket().await;
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:PutObjectTagging", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*", "Condition": {"StringEquals": {
            "s3:x-amz-server-side-encryption": "AES256", "s3:RequestObjectTag/a": "1"}}}]}"#;
    let careful = admin.role("careful", policy).await;
    careful.s3("POST /bucket/k?uploads", &[], "").await.fails(403, "AccessDenied");
    let headers = [("x-amz-server-side-encryption", "AES256"), ("x-amz-tagging", "a=1")];
    let id = careful.s3("POST /bucket/k?uploads", &headers, "").await.ok().text("UploadId").to_owned();
    let part = careful.put(&format!("/bucket/k?partNumber=1&uploadId={id}"), "x").await.is(200);
    let etag = part.header("etag");
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    careful.s3(&format!("POST /bucket/k?uploadId={id}"), &[], body).await.ok();
    assert_eq!(admin.get("/bucket/k?tagging").await.ok().text("Value"), "1");
}

// ── buckets and their configuration ──────────────────────────────────────────────────────────────

#[tokio::test]
async fn buckets_are_created_listed_and_deleted() {
    let admin = bucket().await;
    admin.put("/bucket", "").await.is(200);
    admin.put("/Bad_Name", "").await.fails(400, "InvalidBucketName");
    let in_region = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    admin.put("/elsewhere", in_region).await.is(200);
    admin.put("/mars", &in_region.replace("eu-west-1", "mars")).await.fails(400, "InvalidLocationConstraint");
    admin.put("/elsewhere", in_region).await.fails(409, "BucketAlreadyOwnedByYou");
    assert_eq!(admin.get("/elsewhere?location").await.ok().texts("LocationConstraint"), Vec::<&str>::new());
    assert!(admin.get("/elsewhere?location").await.body.contains(">eu-west-1</LocationConstraint>"));
    let head = admin.s3("HEAD /elsewhere", &[], "").await.is(200);
    assert_eq!(head.header("x-amz-bucket-region"), "eu-west-1");
    assert_eq!(head.decisions(), ["s3:ListBucket arn:aws:s3:::elsewhere"]);
    admin.s3("HEAD /nowhere", &[], "").await.is(404);

    let all = admin.get("/").await.ok();
    assert_eq!(all.texts("Name"), ["bucket", "elsewhere"]);
    assert_eq!(all.decisions(), ["s3:ListAllMyBuckets arn:aws:s3:::*"]);
    let page = admin.get("/?max-buckets=1").await.ok();
    assert_eq!((page.texts("Name"), page.text("ContinuationToken")), (vec!["bucket"], "bucket"));
    assert_eq!(admin.get("/?continuation-token=bucket").await.ok().texts("Name"), ["elsewhere"]);

    admin.put("/bucket/k", "").await.is(200);
    admin.delete("/bucket").await.fails(409, "BucketNotEmpty");
    admin.delete("/bucket/k").await.is(204);
    admin.delete("/bucket").await.is(204);
    admin.delete("/bucket").await.fails(404, "NoSuchBucket");
}

#[tokio::test]
async fn a_bucket_addressed_by_host_is_the_same_bucket() {
    let admin = bucket().await;
    admin.put("/bucket/k", "1").await.is(200);
    let by_host = Request::get("https://bucket.s3.us-east-1.amazonaws.com/k?x-id=GetObject")
        .body(Bytes::new())
        .unwrap();
    assert_eq!(admin.send("s3", by_host).await.is(200).body, "1");
}

#[tokio::test]
async fn tags_of_buckets_and_objects_are_kept() {
    let admin = bucket().await;
    let body = "<Tagging><TagSet><Tag><Key>a</Key><Value>1 &amp; 2</Value></Tag></TagSet></Tagging>"
        .replace("&amp; ", "");
    admin.get("/bucket?tagging").await.fails(404, "NoSuchTagSet");
    admin.put("/bucket?tagging", &body).await.is(204);
    assert_eq!(admin.get("/bucket?tagging").await.ok().text("Value"), "1 2");
    admin.delete("/bucket?tagging").await.is(204);
    admin.put("/bucket/k", "").await.is(200);
    admin.put("/bucket/k?tagging", &body).await.is(200);
    assert_eq!(admin.get("/bucket/k?tagging").await.ok().text("Key"), "a");
    let deleted = admin.delete("/bucket/k?tagging").await.is(204);
    assert_eq!(deleted.decisions(), ["s3:DeleteObjectTagging arn:aws:s3:::bucket/k"]);
    assert_eq!(admin.get("/bucket/k?tagging").await.ok().texts("Key"), Vec::<&str>::new());
    admin.put("/bucket/k?tagging", "<Tagging>").await.fails(400, "MalformedXML");
}

// ── what is not performed, and what is hostile ───────────────────────────────────────────────────

#[tokio::test]
async fn an_operation_that_is_not_performed_is_never_taken_for_another() {
    let admin = bucket().await;
    for (request, operation) in [
        ("GET /bucket?metadataTable", "GetBucketMetadataTableConfiguration"),
        (
            "GET /bucket?metadataTable&x-id=GetBucketMetadataTableConfiguration",
            "GetBucketMetadataTableConfiguration",
        ),
        ("POST /bucket/k?select&select-type=2", "SelectObjectContent"),
    ] {
        let answer = admin.s3(request, &[], "").await;
        assert_eq!(
            (answer.status, answer.event.operation.as_str()),
            (501, ["s3:", operation].concat().as_str())
        );
        assert!(answer.text("Message").contains(operation), "{request}: {}", answer.body);
    }
    for (request, operation) in [
        ("PUT /bucket/k?uploadId=x", "uploadId"),
        ("GET /bucket?brand-new", "brand-new"),
        ("PUT /bucket/k?acl&tagging", ""),
    ] {
        let answer = admin.s3(request, &[], "").await.fails(501, "OperationNotMapped");
        assert!(answer.text("Message").contains(operation), "{request}: {}", answer.body);
        assert_eq!(answer.event.outcome, Outcome::NotMapped);
    }
    admin.get("/bucket?custom=1&list-type=2").await.ok();
    admin.s3("PATCH /bucket", &[], "").await.fails(405, "MethodNotAllowed");
}

#[tokio::test]
async fn hostile_requests_are_refused() {
    let admin = bucket().await;
    admin.get("/bucket/%FF").await.fails(400, "InvalidURI");
    admin.get("/bucket?list-type=2&prefix=%FF").await.is(400);
    admin.put(&format!("/bucket/{}", "k".repeat(1025)), "").await.fails(400, "KeyTooLongError");
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "bb">]><Delete><Object><Key>&b;</Key></Object></Delete>"#;
    admin.s3("POST /bucket?delete", &[], bomb).await.fails(400, "MalformedXML");
    let long = "v".repeat(2049);
    admin.s3("PUT /bucket/k", &[("x-amz-meta-a", &long)], "").await.fails(400, "MetadataTooLarge");
    admin.s3("PUT /bucket/k", &[("x-amz-copy-source", "bucket")], "").await.fails(400, "InvalidArgument");
    admin
        .s3("GET /bucket/k", &[("x-amz-expected-bucket-owner", "111122223333")], "")
        .await
        .fails(403, "AccessDenied");
}
