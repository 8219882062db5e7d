//! Signatures, good and bad, as several services tell of them.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignatureLocation, SigningSettings,
    UriPathNormalizationMode,
};
use bytes::Bytes;
use common::{Answer, Client, put_in_chunks};
use http::Request;
use iam_endpoint::{Credentials, Endpoint, Outcome};

const WHO: &str = "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15";
const BUCKETS: &str = "https://s3.us-east-1.amazonaws.com/";

fn get(uri: &str) -> Request<Bytes> {
    Request::get(uri).body(Bytes::new()).unwrap()
}

fn administrator() -> Client {
    Client::administrator(&Endpoint::new())
}

/// A request to DynamoDB.
fn get_item() -> Request<Bytes> {
    Request::post("https://dynamodb.us-east-1.amazonaws.com/")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", "DynamoDB_20120810.GetItem")
        .body(Bytes::from_static(b"{}"))
        .unwrap()
}

/// The same failure, as S3, STS, DynamoDB and EC2 word it.
async fn assert_all(client: &Client, tamper: fn(&mut Request<Bytes>), expected: [(u16, &str); 4]) {
    let ec2 = get("https://ec2.us-east-1.amazonaws.com/?Action=DescribeRegions&Version=2016-11-15");
    let requests = [("s3", get(BUCKETS)), ("sts", get(WHO)), ("dynamodb", get_item()), ("ec2", ec2)];
    for ((service, request), (status, code)) in requests.into_iter().zip(expected) {
        let mut request = client.sign(service, request);
        tamper(&mut request);
        let answer = client.deliver(request).await;
        assert_eq!(answer.status, status, "{service}: {}", answer.body);
        assert_eq!(answer.event.code.as_deref(), Some(code), "{service}: {}", answer.body);
        assert!(answer.body.contains(code), "{service}: {}", answer.body);
        assert_eq!(answer.event.outcome, Outcome::AuthenticationFailed, "{service}");
    }
}

#[tokio::test]
async fn a_signature_by_the_sdks_signer_is_good() {
    let admin = administrator();
    let answer = admin.send("sts", get(WHO)).await.ok();
    assert_eq!(answer.text("Arn"), "arn:aws:iam::123456789012:user/administrator");
    for query in ["?b=2&a=1&a=0&prefix=", "?x=%2F%20%7E%c3%a9&y=a+b", "?x=%C3%A9"] {
        let answer = admin.send("s3", get(&format!("{BUCKETS}{query}"))).await;
        assert_ne!(answer.event.outcome, Outcome::AuthenticationFailed, "{query}: {}", answer.body);
    }
    for path in ["a//b/../c%20d", "%C3%A9~%27%28%29%2A%21%24%26%2B%2C%3B%3D%3A%40", "x%2Fy"] {
        let answer = admin.send("s3", get(&format!("{BUCKETS}bucket/{path}"))).await;
        assert_ne!(answer.event.outcome, Outcome::AuthenticationFailed, "{path}: {}", answer.body);
        let answer =
            admin.send("lambda", get(&format!("https://lambda.us-east-1.amazonaws.com/{path}"))).await;
        assert_ne!(answer.event.outcome, Outcome::AuthenticationFailed, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_in_each_services_words() {
    let mut client = administrator();
    client.credentials.secret_access_key.push('x');
    let expected = [
        (403, "SignatureDoesNotMatch"),
        (403, "SignatureDoesNotMatch"),
        (400, "InvalidSignatureException"),
        (401, "AuthFailure"),
    ];
    assert_all(&client, |_| {}, expected).await;
}

#[tokio::test]
async fn an_unknown_key_is_told_in_each_services_words() {
    let endpoint = Endpoint::new();
    let client = Client::new(&endpoint, Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret"));
    let expected = [
        (403, "InvalidAccessKeyId"),
        (403, "InvalidClientTokenId"),
        (400, "UnrecognizedClientException"),
        (401, "AuthFailure"),
    ];
    assert_all(&client, |_| {}, expected).await;
}

#[tokio::test]
async fn a_token_that_is_not_the_keys_is_told_in_each_services_words() {
    let mut client = administrator();
    client.credentials = client.credentials.with_session_token("forged");
    let expected = [
        (400, "InvalidToken"),
        (403, "InvalidClientTokenId"),
        (400, "UnrecognizedClientException"),
        (401, "AuthFailure"),
    ];
    assert_all(&client, |_| {}, expected).await;
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_in_each_services_words() {
    let expected = [
        (403, "RequestTimeTooSkewed"),
        (403, "SignatureDoesNotMatch"),
        (400, "InvalidSignatureException"),
        (400, "RequestExpired"),
    ];
    for now in [SystemTime::now() - Duration::from_mins(16), SystemTime::now() + Duration::from_mins(16)] {
        assert_all(&Client { now, ..administrator() }, |_| {}, expected).await;
    }
}

#[tokio::test]
async fn another_region_is_told_in_each_services_words() {
    let expected = [
        (400, "AuthorizationHeaderMalformed"),
        (403, "SignatureDoesNotMatch"),
        (400, "InvalidSignatureException"),
        (401, "AuthFailure"),
    ];
    let client = Client { region: "eu-west-1".to_owned(), ..administrator() };
    assert_all(&client, |_| {}, expected).await;
}

#[tokio::test]
async fn at_an_address_every_region_of_the_partition_answers() {
    let abroad = |region: &str| Client { region: region.to_owned(), ..administrator() };
    let list = || {
        Request::post("http://127.0.0.1:4566/")
            .header("x-amz-target", "DynamoDB_20120810.DescribeTable")
            .header("content-type", "application/x-amz-json-1.0")
            .body(Bytes::from(r#"{"TableName": "Music"}"#))
            .unwrap()
    };
    let answer = abroad("eu-west-1").send("dynamodb", list()).await;
    assert_eq!(
        answer.asked(),
        ["dynamodb:DescribeTable arn:aws:dynamodb:eu-west-1:123456789012:table/Music"]
    );
    let context = &answer.event.authorizations[0].request.context;
    assert_eq!(context.lookup("aws:RequestedRegion"), Some(&["eu-west-1".to_owned()][..]));
    for strange in ["cn-north-1", "eu", "EU-WEST-1"] {
        let answer = abroad(strange).send("dynamodb", list()).await;
        assert_eq!(answer.event.code.as_deref(), Some("InvalidSignatureException"), "{strange}");
    }
}

#[tokio::test]
async fn what_was_changed_after_signing_is_told_in_each_services_words() {
    let mismatch = [
        (403, "SignatureDoesNotMatch"),
        (403, "SignatureDoesNotMatch"),
        (400, "InvalidSignatureException"),
        (401, "AuthFailure"),
    ];
    let add_parameter = |request: &mut Request<Bytes>| {
        let uri = request.uri().to_string();
        let join = if uri.contains('?') { '&' } else { '?' };
        *request.uri_mut() = format!("{uri}{join}x=y").parse().unwrap();
    };
    assert_all(&administrator(), add_parameter, mismatch).await;
    let add_header = |request: &mut Request<Bytes>| {
        request.headers_mut().insert("x-amz-acl", "public-read".parse().unwrap());
    };
    let unsigned = [(403, "AccessDenied"), mismatch[1], mismatch[2], mismatch[3]];
    assert_all(&administrator(), add_header, unsigned).await;
    let change_body = |request: &mut Request<Bytes>| *request.body_mut() = Bytes::from_static(b"Action=x");
    let body = [(400, "XAmzContentSHA256Mismatch"), mismatch[1], mismatch[2], mismatch[3]];
    assert_all(&administrator(), change_body, body).await;
}

#[tokio::test]
async fn nobody_may_call_without_a_signature_but_for_s3() {
    let admin = administrator();
    admin.deliver(get(WHO)).await.fails(403, "MissingAuthenticationToken");
    let answer = admin.deliver(get_item()).await;
    assert_eq!(answer.headers["x-amzn-errortype"], "MissingAuthenticationTokenException");
    let answer = admin.deliver(get(BUCKETS)).await.fails(403, "AccessDenied");
    assert_eq!((answer.event.principal.as_str(), answer.event.outcome), ("anonymous", Outcome::Denied));
}

#[tokio::test]
async fn other_ways_of_signing_are_refused_clearly() {
    let admin = administrator();
    for authorization in
        ["AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl", "AWS4-ECDSA-P256-SHA256 Credential=a", "Basic YTpi"]
    {
        let mut request = get(BUCKETS);
        request.headers_mut().insert("authorization", authorization.parse().unwrap());
        admin.deliver(request).await.fails(400, "InvalidRequest");
    }
    for authorization in [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Signature=0",
    ] {
        let mut request = get(BUCKETS);
        request.headers_mut().insert("authorization", authorization.parse().unwrap());
        admin.deliver(request).await.fails(400, "AuthorizationHeaderMalformed");
    }
}

fn presign(client: &Client, uri: &str, service: &str, expires: u64) -> Request<Bytes> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(expires));
    let mut body = SignableBody::Bytes(b"");
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        body = SignableBody::UnsignedPayload;
    }
    let mut request = get(uri);
    client.instructions(service, &request, body, settings).apply_to_request_http1x(&mut request);
    request
}

#[tokio::test]
async fn a_presigned_url_is_good_for_its_time() {
    let admin = administrator();
    let session = admin
        .role("r", r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#)
        .await;
    for client in [&admin, &session] {
        client.deliver(presign(client, BUCKETS, "s3", 60)).await.ok();
        client.deliver(presign(client, WHO, "sts", 60)).await.ok();
    }
    let early = Client { now: SystemTime::now() - Duration::from_hours(1), ..admin.clone() };
    early.deliver(presign(&early, BUCKETS, "s3", 3700)).await.ok();
    early.deliver(presign(&early, BUCKETS, "s3", 3500)).await.fails(403, "AccessDenied");
    let mut forged = presign(&admin, BUCKETS, "s3", 60);
    *forged.uri_mut() =
        forged.uri().to_string().replace("X-Amz-Expires=60", "X-Amz-Expires=600").parse().unwrap();
    admin.deliver(forged).await.fails(403, "SignatureDoesNotMatch");
    let mut forged = presign(&admin, BUCKETS, "s3", 60);
    *forged.uri_mut() =
        forged.uri().to_string().replace("X-Amz-Expires=60", "X-Amz-Expires=604801").parse().unwrap();
    admin.deliver(forged).await.fails(400, "AuthorizationQueryParametersError");
}

#[tokio::test]
async fn what_nobody_performs_is_told_in_the_services_own_protocol() {
    let admin = administrator();
    let answer = admin.send("dynamodb", get_item()).await;
    assert_eq!(answer.status, 501);
    assert_eq!(answer.headers["x-amzn-errortype"], "AuthorizedNotPerformed");
    assert!(answer.body.contains("dynamodb:GetItem"), "{}", answer.body);
    assert_eq!(answer.event.outcome, Outcome::NotPerformed);

    let cbor = Request::post("https://monitoring.us-east-1.amazonaws.com/service/GraniteServiceVersion20100801/operation/ListMetrics")
        .header("smithy-protocol", "rpc-v2-cbor")
        .body(Bytes::from_static(&[0xa0]))
        .unwrap();
    let answer = admin.send("monitoring", cbor).await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"].to_str().unwrap()),
        (501, &"application/cbor")
    );
    assert!(answer.body.contains("AuthorizedNotPerformed") && answer.body.contains("cloudwatch:ListMetrics"));

    for (service, uri, start) in [
        (
            "ec2",
            "https://ec2.us-east-1.amazonaws.com/?Action=DescribeInstances",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>",
        ),
        (
            "sns",
            "https://sns.us-east-1.amazonaws.com/?Action=ListTopics",
            "<ErrorResponse><Error><Type>Receiver</Type><Code>",
        ),
        ("route53", "https://route53.amazonaws.com/2013-04-01/hostedzone", "<ErrorResponse><Error>"),
        (
            "lambda",
            "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions",
            "{\"__type\":\"AuthorizedNotPerformed\"",
        ),
        ("iam", "https://iam.amazonaws.com/?Action=ListServerCertificates", "<ErrorResponse><Error>"),
    ] {
        let answer = admin.send(service, get(uri)).await;
        assert_eq!(
            (answer.status, answer.event.outcome),
            (501, Outcome::NotPerformed),
            "{service}: {}",
            answer.body
        );
        assert!(answer.body.starts_with(start), "{service}: {}", answer.body);
    }
    let answer = admin.send("brand-new", get("https://brand-new.us-east-1.amazonaws.com/")).await;
    assert_eq!((answer.status, answer.event.outcome), (501, Outcome::NotMapped), "{}", answer.body);
}

#[tokio::test]
async fn hostile_requests_get_an_answer() {
    let admin = administrator();
    let not_utf8 =
        Request::post("https://iam.amazonaws.com/").body(Bytes::from_static(b"Action=\xff\xfe")).unwrap();
    admin.send("iam", not_utf8).await.fails(400, "MalformedInput");
    admin.send("iam", get("https://iam.amazonaws.com/?Action=%FF")).await;
    admin.send("iam", get("https://iam.amazonaws.com/")).await.fails(400, "MissingAction");
    admin.send("iam", get("https://iam.amazonaws.com/?Action=a%3Cb")).await.fails(400, "InvalidAction");
    let large = Request::post("https://iam.amazonaws.com/").body(Bytes::from(vec![b'a'; 2 << 20])).unwrap();
    admin.send("iam", large).await.fails(413, "RequestEntityTooLarge");
    for uri in ["/", "*", "https://[::1]:1/%", "https://x/?X-Amz-Signature=%ff", "https://x/?X-Amz-Algorithm"]
    {
        let request = Request::get(uri).body(Bytes::new()).unwrap();
        let answer = Answer::new(&admin.endpoint, admin.endpoint.call(request).await);
        assert!((400..=501).contains(&answer.status), "{uri}");
    }
}

#[tokio::test]
async fn signed_chunks_are_checked_one_by_one() {
    let admin = administrator();
    let create =
        Request::put("https://s3.us-east-1.amazonaws.com/chunked-bucket").body(Bytes::new()).unwrap();
    admin.send("s3", create).await.ok();
    for trailer in [None, Some(("x-amz-checksum-crc32", "ug2uUw=="))] {
        let chunks = ["first ", "second"];
        let request =
            put_in_chunks(&admin, "https://s3.us-east-1.amazonaws.com/chunked-bucket/key", &chunks, trailer);
        if trailer.is_none() {
            admin.deliver(request.clone()).await.ok();
            let read =
                admin.send("s3", get("https://s3.us-east-1.amazonaws.com/chunked-bucket/key")).await.ok();
            assert_eq!(read.body, "first second");
        } else {
            // The checksum is another text's: that S3 says so shows that the trailer reached it.
            admin.deliver(request.clone()).await.fails(400, "BadDigest");
        }
        let mut forged = request.clone();
        *forged.body_mut() = String::from_utf8_lossy(request.body()).replace("second", "Second").into();
        admin.deliver(forged).await.fails(403, "SignatureDoesNotMatch");
        let mut short = request.clone();
        *short.body_mut() = request.body().slice(..40);
        admin.deliver(short).await.fails(400, "IncompleteBody");
    }
}

#[tokio::test]
async fn what_nobody_signed_is_answered_in_the_protocol_that_it_is_written_in() {
    let admin = administrator();
    let mut who = get("http://127.0.0.1:4566/?Action=GetCallerIdentity");
    admin.deliver(who.clone()).await.fails(403, "MissingAuthenticationToken");
    who.headers_mut().insert("authorization", "AWS4-HMAC-SHA256 Signature=0".parse().unwrap());
    admin.deliver(who).await.fails(400, "IncompleteSignature");
    admin.deliver(get("http://127.0.0.1:4566/bucket?list-type=2")).await.fails(403, "AccessDenied");
}
