//! Input that nobody sends by accident: it is answered with an error of the service's own, and costs little.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use iam_endpoint::{Credentials, Endpoint, Server};

/// Sends bytes, and gives what comes back until the connection ends.
fn exchange(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // The server may hang up before it has read all.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn served() -> (Endpoint, Server) {
    let endpoint = Endpoint::new();
    let server = endpoint.serve(([127, 0, 0, 1], 0).into()).unwrap();
    (endpoint, server)
}

#[track_caller]
fn is_refused(answer: &str, what: &str) {
    // S3's OPTIONS and other services' operations, which this endpoint says not to know.
    let is_unknown = answer.starts_with("HTTP/1.1 501 ");
    assert!(
        answer.starts_with("HTTP/1.1 4") || is_unknown || answer.is_empty(),
        "{what:?} is answered with {answer}"
    );
}

#[test]
fn what_is_not_http_is_refused_and_the_next_request_is_answered() {
    let (_endpoint, server) = served();
    let many_headers: String = (0..2_000).fold(String::new(), |mut all, index| {
        let _ = write!(all, "x-{index}: 1\r\n");
        all
    });
    for head in [
        "\0\0\0\0\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nno colon\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n: nameless\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(),
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n".to_owned(),
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n".to_owned(),
        "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf".to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(1 << 20)),
        format!("GET / HTTP/1.1\r\nHost: h\r\nx: {}\r\n\r\n", "a".repeat(1 << 20)),
        format!("GET / HTTP/1.1\r\nHost: h\r\n{many_headers}\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        // The start of TLS.
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}".to_owned(),
    ] {
        is_refused(&exchange(&server, head.as_bytes()), head.get(..60).unwrap_or(&head));
    }
    is_refused(
        &exchange(&server, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
        "an anonymous call",
    );
}

#[test]
fn paths_and_hosts_that_lead_elsewhere_lead_nowhere() {
    let (_endpoint, server) = served();
    for target in [
        "/../../etc/passwd",
        "/b/../../c",
        "//",
        "/b//",
        "/%00",
        "/b/%00",
        "/b/%zz",
        "/b/%ff",
        "/b/%",
        "/b/%2e%2e/c",
        "*",
        "http://169.254.169.254/latest/meta-data",
        "https://user:pass@h/b",
        "/b/k?versionId=%00",
        "/?%ff=%ff",
        "/b?&&&=&=",
        "/service/S/operation/O",
        "/2015-03-31/functions/f",
    ] {
        for host in [
            "",
            "Host:\r\n",
            "Host: h\r\n",
            "Host: a\r\nHost: b\r\n",
            "Host: user@h\r\n",
            "Host: s3.amazonaws.com.evil.example\r\n",
            "Host: ..s3.amazonaws.com\r\n",
            "Host: .localhost\r\n",
            "Host: [::1\r\n",
            "Host: h:99999999\r\n",
            "Host: dynamodb.us-east-1.amazonaws.com\r\nX-Amz-Target: \r\n",
            "Host: h\r\nsmithy-protocol: rpc-v2-cbor\r\n",
        ] {
            for method in ["GET", "POST", "CONNECT", "OPTIONS"] {
                let request = format!("{method} {target} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
                is_refused(&exchange(&server, request.as_bytes()), &request);
            }
        }
    }
}

#[test]
fn a_body_that_is_declared_too_long_is_not_asked_for() {
    let (_endpoint, server) = served();
    let head = "PUT /b/k HTTP/1.1\r\nHost: s3.amazonaws.com\r\nExpect: 100-continue\r\nContent-Length: 1099511627776\r\n\r\n";
    let answer = exchange(&server, head.as_bytes());
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("<Code>EntityTooLarge</Code>"),
        "{answer}"
    );
    let json = "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: T.Op\r\nContent-Length: 1099511627776\r\n\r\n";
    let answer = exchange(&server, json.as_bytes());
    assert!(answer.contains("\"__type\":\"EntityTooLarge\""), "{answer}");
}

#[test]
fn signatures_that_are_not_signatures_are_refused() {
    let (endpoint, server) = served();
    let id = endpoint.administrator().access_key_id;
    let scope = "20260101/us-east-1/s3/aws4_request";
    let zeros = "0".repeat(64);
    for header in [
        String::new(),
        "AWS4-HMAC-SHA256".to_owned(),
        "AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=".to_owned(),
        format!("AWS4-HMAC-SHA256 Credential={id}, SignedHeaders=host, Signature={zeros}"),
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders=, Signature={zeros}"),
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders=host;host;;, Signature={zeros}"),
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/{}, SignedHeaders=host, Signature={zeros}",
            "/".repeat(10_000)
        ),
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={}, Signature=0",
            "a;".repeat(20_000)
        ),
        format!("AWS4-HMAC-SHA512 Credential={id}/{scope}, SignedHeaders=host, Signature={zeros}"),
        format!("AWS {id}:c2lnbmF0dXJl"),
        "Basic dXNlcjpwYXNz".to_owned(),
        "Bearer \u{ff}\u{0}".to_owned(),
    ] {
        for date in [
            "",
            "x-amz-date: 20260101T000000Z\r\n",
            "x-amz-date: 99999999T999999Z\r\n",
            "x-amz-date: \u{e9}\r\n",
        ] {
            let request = format!(
                "GET /b/k HTTP/1.1\r\nHost: h\r\nAuthorization: {header}\r\n{date}Connection: close\r\n\r\n"
            );
            is_refused(&exchange(&server, request.as_bytes()), &request);
        }
    }
    for query in [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "X-Amz-Signature=",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%FF&X-Amz-Date=&X-Amz-Expires=-1&X-Amz-SignedHeaders=host&X-Amz-Signature=0",
        "AWSAccessKeyId=a&Signature=b&Expires=99999999999999999999",
    ] {
        let request = format!("GET /b/k?{query} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        is_refused(&exchange(&server, request.as_bytes()), &request);
    }
}

#[test]
fn a_replayed_signature_is_good_for_its_own_request_only() {
    let (endpoint, server) = served();
    let now = std::time::SystemTime::now();
    let url = format!("{}/?Action=ListUsers&Version=2010-05-08", server.url());
    let request = Request::get(url).body(Bytes::new()).unwrap();
    let signed = endpoint.administrator().sign(request, "iam", "us-east-1", now);
    let text = |target: &str, more: &str| {
        let headers = signed.headers().iter().fold(String::new(), |mut all, (name, value)| {
            let _ = write!(all, "{name}: {}\r\n", value.to_str().unwrap());
            all
        });
        format!("GET {target} HTTP/1.1\r\n{headers}{more}Connection: close\r\n\r\n")
    };
    let target = "/?Action=ListUsers&Version=2010-05-08";
    let answer = exchange(&server, text(target, "").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    for (target, more) in [
        ("/?Action=ListRoles&Version=2010-05-08", ""),
        ("/?Action=ListUsers&Version=2010-05-08&Action=ListRoles", ""),
        ("/x?Action=ListUsers&Version=2010-05-08", ""),
        (target, "x-amz-security-token: forged\r\n"),
        (target, "x-amz-target: T.Op\r\n"),
        (target, "Host: elsewhere\r\n"),
    ] {
        is_refused(&exchange(&server, text(target, more).as_bytes()), &format!("{target} {more}"));
    }
    // The same with a body where there was none.
    let with_body = text(target, "Content-Length: 16\r\n") + "Action=ListRoles";
    is_refused(&exchange(&server, with_body.as_bytes()), "a body");
}

/// A call of the administrator's, which has to be answered soon.
async fn call(endpoint: &Endpoint, signing_name: &str, request: Request<Bytes>) -> Response<Bytes> {
    let administrator: Credentials = endpoint.administrator();
    let request = administrator.sign(request, signing_name, "us-east-1", std::time::SystemTime::now());
    let start = Instant::now();
    let answer = endpoint.call(request).await;
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}: {answer:?}");
    answer
}

#[tokio::test]
async fn xml_that_grows_or_nests_without_end_is_malformed() {
    let endpoint = Endpoint::new();
    let put = |path: &str, body: String| {
        Request::put(format!("http://127.0.0.1{path}")).body(Bytes::from(body)).unwrap()
    };
    assert_eq!(call(&endpoint, "s3", put("/bucket", String::new())).await.status(), 200);
    let entities: String = (1..30).fold("<!ENTITY e0 \"ha\">".to_owned(), |mut all, index| {
        let before = index - 1;
        let _ = write!(all, "<!ENTITY e{index} \"&e{before};&e{before};&e{before};\">");
        all
    });
    let bomb =
        format!("<!DOCTYPE d [{entities}]><Tagging><TagSet><Tag><Key>&e29;</Key></Tag></TagSet></Tagging>");
    let deep = "<a>".repeat(200_000) + &"</a>".repeat(200_000);
    let open = "<a>".repeat(200_000);
    let external =
        "<!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Tagging>&x;</Tagging>".to_owned();
    let attributes = format!(
        "<Tagging {}/>",
        (0..50_000).fold(String::new(), |mut all, index| {
            let _ = write!(all, "a{index}=\"\" ");
            all
        })
    );
    for body in [bomb, deep, open, external, attributes, "\u{feff}<".to_owned(), "<\0>".to_owned()] {
        for path in [
            "/bucket?tagging",
            "/bucket?versioning",
            "/bucket?publicAccessBlock",
            "/bucket?policy",
            "/other-bucket",
        ] {
            let answer = call(&endpoint, "s3", put(path, body.clone())).await;
            assert!(answer.status().is_client_error(), "{path} {:?}: {answer:?}", body.get(..40));
        }
        let delete = Request::post("http://127.0.0.1/bucket?delete").body(Bytes::from(body.clone())).unwrap();
        let answer = call(&endpoint, "s3", delete).await;
        assert!(answer.status().is_client_error(), "{:?}: {answer:?}", body.get(..40));
    }
}

#[tokio::test]
async fn json_that_nests_without_end_is_malformed() {
    let endpoint = Endpoint::new();
    let deep = "[".repeat(100_000);
    let policy = format!("{{\"Version\":\"2012-10-17\",\"Statement\":{deep}");
    for (signing_name, target) in [
        ("dynamodb", "DynamoDB_20120810.GetItem"),
        ("sqs", "AmazonSQS.SendMessage"),
        ("kms", "TrentService.Encrypt"),
        ("secretsmanager", "secretsmanager.GetSecretValue"),
    ] {
        for body in
            [deep.clone(), "{\"a\":".repeat(100_000), "nonsense".to_owned(), "{\"a\":1e999999}".to_owned()]
        {
            let request = Request::post("http://127.0.0.1/")
                .header("x-amz-target", target)
                .header("content-type", "application/x-amz-json-1.0")
                .body(Bytes::from(body))
                .unwrap();
            let answer = call(&endpoint, signing_name, request).await;
            // What no one performs yet is 501, and never more than that.
            assert!(!answer.status().is_success() && answer.status() != 500, "{answer:?}");
        }
    }
    let form = |body: String| Request::post("http://127.0.0.1/").body(Bytes::from(body)).unwrap();
    for document in [deep, policy] {
        let body =
            format!("Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument={document}");
        assert!(call(&endpoint, "iam", form(body)).await.status().is_client_error());
    }
    let members = (0..100_000).fold("Action=CreateRole&Version=2010-05-08".to_owned(), |mut all, index| {
        let _ = write!(all, "&Tags.member.{index}.Key=k");
        all
    });
    assert!(call(&endpoint, "iam", form(members)).await.status().is_client_error());
    let far =
        "Action=CreateRole&Version=2010-05-08&RoleName=r&Tags.member.18446744073709551615.Key=k".to_owned();
    assert_eq!(call(&endpoint, "iam", form(far)).await.status(), 400);
}
