//! What tests of services that the endpoint does not keep itself have in common: requests of each protocol, and their ends.

use bytes::Bytes;
use http::Request;
use iam_endpoint::{Endpoint, Outcome};

use super::{Answer, Client};

pub(crate) const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/Music";

/// A policy of one statement.
pub(crate) fn allow(action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}}}"#
    )
}

pub(crate) fn allow_if(action: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement":
            {{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}", "Condition": {condition}}}}}"#
    )
}

/// A client with just this policy, at an endpoint of its own.
pub(crate) async fn client(policy: &str) -> Client {
    Client::administrator(&Endpoint::new()).role("tester", policy).await
}

pub(crate) fn json(service: &str, target: &str, body: &str) -> Request<Bytes> {
    Request::post(format!("https://{service}.us-east-1.amazonaws.com/"))
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

pub(crate) fn form(host: &str, body: &str) -> Request<Bytes> {
    Request::post(format!("https://{host}/"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

pub(crate) fn rest(method: &str, uri: &str, body: &str) -> Request<Bytes> {
    Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", "application/json")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

pub(crate) fn cbor(host: &str, service: &str, operation: &str, body: &'static [u8]) -> Request<Bytes> {
    Request::post(format!("https://{host}/service/{service}/operation/{operation}"))
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("content-type", "application/cbor")
        .body(Bytes::from_static(body))
        .unwrap()
}

#[track_caller]
pub(crate) fn allowed(answer: &Answer) {
    assert_eq!((answer.status, answer.event.outcome), (501, Outcome::NotPerformed), "{}", answer.body);
    assert_eq!(answer.event.code.as_deref(), Some("AuthorizedNotPerformed"));
    assert!(answer.body.contains("AuthorizedNotPerformed"), "{}", answer.body);
}

#[track_caller]
pub(crate) fn denied(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.event.outcome, Outcome::Denied, "{}", answer.body);
    assert_eq!((answer.status, answer.event.code.as_deref()), (status, Some(code)), "{}", answer.body);
    assert!(answer.body.contains(code), "{}", answer.body);
}

#[track_caller]
pub(crate) fn asked(answer: &Answer, expected: &[(&str, &str)]) {
    let asked: Vec<_> =
        answer.event.authorizations.iter().map(|each| (each.action(), each.resource())).collect();
    assert_eq!(asked, expected);
}
