//! No request makes the endpoint panic or answer that it failed itself: not one of anybody's, and not one that is well signed and
//! so reaches the reading of every protocol.
//!
//! An input is a method, a host, what it is signed for, a path with a query, header values, and the rest is the body.

#![no_main]

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use iam_endpoint::Endpoint;
use libfuzzer_sys::fuzz_target;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"];
const HOSTS: [&str; 6] = [
    "127.0.0.1:4566",
    "b.s3.us-east-1.amazonaws.com",
    "s3.amazonaws.com",
    "dynamodb.us-east-1.amazonaws.com",
    "",
    "b.localhost",
];
/// Of every protocol: query, S3, JSON, REST with JSON and XML, EC2's own, CBOR.
const SERVICES: [&str; 14] = [
    "iam",
    "sts",
    "s3",
    "dynamodb",
    "sqs",
    "kms",
    "lambda",
    "ecs",
    "cloudfront",
    "route53",
    "ec2",
    "monitoring",
    "sns",
    "events",
];
const HEADERS: [&str; 14] = [
    "x-amz-target",
    "content-type",
    "smithy-protocol",
    "x-amz-content-sha256",
    "x-amz-decoded-content-length",
    "content-encoding",
    "x-amz-tagging",
    "x-amz-copy-source",
    "range",
    "if-match",
    "x-amz-date",
    "authorization",
    "x-amz-security-token",
    "user-agent",
];

fuzz_target!(|input: &[u8]| {
    let Some((request, signing_name)) = read(&mut Unstructured::new(input)) else { return };
    let endpoint = Endpoint::new();
    let now = SystemTime::now();
    let administrator = endpoint.administrator();
    let bucket = Request::put("http://127.0.0.1/b").body(Bytes::new()).expect("a request");
    call(&endpoint, administrator.sign(bucket, "s3", "us-east-1", now));
    let request = match signing_name {
        Some(name) => administrator.sign(request, name, "us-east-1", now),
        None => request,
    };
    let answer = call(&endpoint, request);
    assert!(answer.status() != 500, "{answer:?}");
    assert!(endpoint.journal().last(3).len() == 2, "each call is journalled");
});

fn read(input: &mut Unstructured<'_>) -> Option<(Request<Bytes>, Option<&'static str>)> {
    let method = input.choose(&METHODS).ok()?;
    let host = input.choose(&HOSTS).ok()?;
    let signing_name = if bool::arbitrary(input).ok()? { Some(*input.choose(&SERVICES).ok()?) } else { None };
    let mut request = Request::builder().method(*method);
    if !host.is_empty() {
        request = request.header("host", *host);
    }
    for _ in 0..input.int_in_range(0..=4).ok()? {
        let name = HeaderName::from_static(*input.choose(&HEADERS).ok()?);
        let value = HeaderValue::from_bytes(<&[u8]>::arbitrary(input).ok()?).ok()?;
        request = request.header(name, value);
    }
    let target = format!("/{}", <&str>::arbitrary(input).ok()?);
    let body = Bytes::copy_from_slice(input.bytes(input.len()).ok()?);
    Some((request.uri(target).body(body).ok()?, signing_name))
}

/// Nothing is waited for where nobody else performs.
fn call(endpoint: &Endpoint, request: Request<Bytes>) -> Response<Bytes> {
    match pin!(endpoint.call(request)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the endpoint waits"),
    }
}
