//! Requests in several protocols, and what they ask for.

use bytes::Bytes;
use http::Request;
use iam_endpoint::Endpoint;

use super::Client;

/// A request for an operation, and what it asks for: actions on what is behind `arn:aws:`, or on `*`.
pub(crate) struct Case {
    pub(crate) signing: &'static str,
    pub(crate) request: Request<Bytes>,
    pub(crate) asked: &'static [(&'static str, &'static str)],
}

pub(crate) fn json(
    signing: &'static str,
    target: &str,
    body: &str,
    asked: &'static [(&'static str, &'static str)],
) -> Case {
    let request = Request::post(format!("https://{signing}.us-east-1.amazonaws.com/"))
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.1")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    Case { signing, request, asked }
}

pub(crate) fn form(
    signing: &'static str,
    body: &str,
    asked: &'static [(&'static str, &'static str)],
) -> Case {
    let request = Request::post(format!("https://{signing}.us-east-1.amazonaws.com/"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    Case { signing, request, asked }
}

pub(crate) fn rest(
    signing: &'static str,
    method: &str,
    path: &str,
    body: &str,
    asked: &'static [(&'static str, &'static str)],
) -> Case {
    let request = Request::builder()
        .method(method)
        .uri(format!("https://{signing}.us-east-1.amazonaws.com{path}"))
        .header("content-type", "application/json")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    Case { signing, request, asked }
}

pub(crate) async fn check(endpoint: &Endpoint, cases: Vec<Case>) {
    let everything =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let anyone = Client::administrator(endpoint).role("anyone", everything).await;
    for Case { signing, request, asked } in cases {
        let answer = anyone.send(signing, request).await;
        let event = &answer.event;
        let resource = |arn: &'static str| {
            if arn == "*" || arn.starts_with('+') { arn.to_owned() } else { format!("arn:aws:{arn}") }
        };
        let expected: Vec<_> = asked.iter().map(|(action, arn)| (*action, resource(arn))).collect();
        let found: Vec<_> =
            event.authorizations.iter().map(|each| (each.action(), each.resource().to_owned())).collect();
        assert_eq!(found, expected, "{}: {}", event.operation, answer.body);
    }
}
