//! What S3 tells of an object without its body.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::Client;
use common::s3::S3;
use iam_endpoint::Endpoint;

async fn bucket() -> Client {
    let admin = Client::administrator(&Endpoint::new());
    admin.put("/bucket", "").await.ok();
    admin
}

#[tokio::test]
async fn attributes_are_told_as_asked_for() {
    let admin = bucket().await;
    let crc = ("x-amz-checksum-crc32", "NhCmhg==");
    admin.s3("PUT /bucket/k", &[crc, ("x-amz-storage-class", "STANDARD_IA")], "hello").await.ok();
    let all = ("x-amz-object-attributes", "ETag,Checksum,ObjectParts,StorageClass,ObjectSize");
    let told = admin.s3("GET /bucket/k?attributes", &[all], "").await.ok();
    assert_eq!(told.text("ETag"), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!((told.text("ChecksumCRC32"), told.text("ChecksumType")), ("NhCmhg==", "FULL_OBJECT"));
    assert_eq!((told.text("StorageClass"), told.text("ObjectSize")), ("STANDARD_IA", "5"));
    assert!(!told.body.contains("ObjectParts"), "{}", told.body);
    assert!(!told.header("last-modified").is_empty());

    let some = ("x-amz-object-attributes", "ObjectSize");
    let told = admin.s3("GET /bucket/k?attributes", &[some], "").await.ok();
    assert!(!told.body.contains("ETag"), "{}", told.body);

    admin.s3("GET /bucket/k?attributes", &[], "").await.fails(400, "InvalidRequest");
    let unknown = ("x-amz-object-attributes", "ETag,Size");
    admin.s3("GET /bucket/k?attributes", &[unknown], "").await.fails(400, "InvalidArgument");
    admin.s3("GET /bucket/nothing?attributes", &[some], "").await.fails(404, "NoSuchKey");
}

#[tokio::test]
async fn parts_with_checksums_are_told_one_by_one_in_pages() {
    let admin = bucket().await;
    let algorithm = ("x-amz-checksum-algorithm", "CRC32");
    let id = admin.s3("POST /bucket/big?uploads", &[algorithm], "").await.ok().text("UploadId").to_owned();
    let mut parts = Vec::new();
    for (number, body, sum) in
        [(1, vec![b'a'; 5 * 1024 * 1024], "r/zBbw=="), (2, b"hello".to_vec(), "NhCmhg==")]
    {
        let path = format!("PUT /bucket/big?partNumber={number}&uploadId={id}");
        let etag =
            admin.s3(&path, &[("x-amz-checksum-crc32", sum)], body).await.is(200).header("etag").to_owned();
        parts.push(format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag><ChecksumCRC32>{sum}</ChecksumCRC32></Part>"
        ));
    }
    let body = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.concat());
    admin.s3(&format!("POST /bucket/big?uploadId={id}"), &[], body).await.ok();

    let asked = ("x-amz-object-attributes", "ObjectParts");
    let told = admin.s3("GET /bucket/big?attributes", &[asked], "").await.ok();
    assert_eq!((told.text("PartsCount"), told.texts("Size")), ("2", vec!["5242880", "5"]));
    assert_eq!(told.texts("ChecksumCRC32"), ["r/zBbw==", "NhCmhg=="]);
    let first = admin.s3("GET /bucket/big?attributes", &[asked, ("x-amz-max-parts", "1")], "").await.ok();
    assert_eq!((first.texts("PartNumber"), first.text("IsTruncated")), (vec!["1"], "true"));
    let marker = ("x-amz-part-number-marker", first.text("NextPartNumberMarker"));
    let second = admin.s3("GET /bucket/big?attributes", &[asked, marker], "").await.ok();
    assert_eq!((second.texts("PartNumber"), second.text("IsTruncated")), (vec!["2"], "false"));
}

#[tokio::test]
async fn attributes_need_the_right_to_read_the_object_too() {
    let admin = bucket().await;
    admin.put("/bucket/k", "hello").await.ok();
    let asked = ("x-amz-object-attributes", "ETag");
    for (name, actions, missing) in [
        ("a", r#"["s3:GetObjectAttributes"]"#, "s3:GetObject "),
        ("b", r#"["s3:GetObject"]"#, "s3:GetObjectAttributes "),
    ] {
        let role = admin.role(name, &common::allowing(actions)).await;
        let answer = role.s3("GET /bucket/k?attributes", &[asked], "").await.fails(403, "AccessDenied");
        assert!(answer.text("Message").contains(missing), "{}", answer.body);
    }
    let role = admin.role("c", &common::allowing(r#"["s3:GetObject", "s3:GetObjectAttributes"]"#)).await;
    role.s3("GET /bucket/k?attributes", &[asked], "").await.ok();
}
