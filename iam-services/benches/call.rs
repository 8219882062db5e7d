//! What one call costs in this process, from the signed request to the answer, with nothing stored and with 10,000 objects.
//!
//! `cargo bench -p iam-services --bench call`, and the same with `--profile dev`. The line `GetCallerIdentity` is the
//! endpoint without a service behind it.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and has nobody to tell of an error"
)]

use std::time::{Duration, Instant, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::Request;
use iam_endpoint::{Credentials, Endpoint};
use iam_services::Services;

const CALLS: usize = 1000;
const STORED: usize = 10_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let endpoint = Endpoint::builder().perform(Services::new()).build();
        let caller = Caller { credentials: endpoint.administrator(), endpoint };
        caller.call(dynamodb("CreateTable", TABLE)).await;
        caller.call(sqs("CreateQueue", r#"{"QueueName": "q"}"#)).await;
        println!("{:<22}{:>14}{:>14}", "", "empty", format!("{STORED} stored"));
        let empty = caller.measure().await;
        for number in 0..STORED {
            caller.call(put(number)).await;
            caller.call(send(number)).await;
        }
        let full = caller.measure().await;
        for ((name, empty), (_, full)) in empty.into_iter().zip(full) {
            println!("{name:<22}{:>14}{:>14}", format!("{empty:.1?}"), format!("{full:.1?}"));
        }
    });
}

const TABLE: &str = r#"{"TableName": "items", "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}"#;

/// A request, and what it is signed for.
type Ask = (&'static str, Request<Bytes>);

fn json(service: &'static str, target: String, body: &str) -> Ask {
    let request = Request::post(format!("https://{service}.us-east-1.amazonaws.com/"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", target);
    (service, request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap())
}

fn dynamodb(operation: &str, body: &str) -> Ask {
    json("dynamodb", format!("DynamoDB_20120810.{operation}"), body)
}

fn sqs(operation: &str, body: &str) -> Ask {
    json("sqs", format!("AmazonSQS.{operation}"), body)
}

fn put(number: usize) -> Ask {
    let body = format!(
        r#"{{"TableName": "items", "Item": {{"id": {{"S": "key-{number}"}}, "text": {{"S": "hello"}}}}}}"#
    );
    dynamodb("PutItem", &body)
}

fn get(number: usize) -> Ask {
    dynamodb("GetItem", &format!(r#"{{"TableName": "items", "Key": {{"id": {{"S": "key-{number}"}}}}}}"#))
}

fn send(number: usize) -> Ask {
    let url = "https://sqs.us-east-1.amazonaws.com/123456789012/q";
    sqs("SendMessage", &format!(r#"{{"QueueUrl": "{url}", "MessageBody": "message {number}"}}"#))
}

fn identity(_: usize) -> Ask {
    let request = Request::post("https://sts.us-east-1.amazonaws.com/")
        .header("content-type", "application/x-www-form-urlencoded");
    ("sts", request.body(Bytes::from_static(b"Action=GetCallerIdentity&Version=2011-06-15")).unwrap())
}

struct Caller {
    endpoint: Endpoint,
    credentials: Credentials,
}

impl Caller {
    /// The median of each call.
    async fn measure(&self) -> Vec<(&'static str, Duration)> {
        type Make = fn(usize) -> Ask;
        let kinds: [(&'static str, Make); 4] =
            [("GetCallerIdentity", identity), ("PutItem", put), ("GetItem", get), ("SendMessage", send)];
        let mut medians = Vec::new();
        for (name, make) in kinds {
            let mut times = Vec::new();
            for number in 0..CALLS {
                times.push(self.call(make(number)).await);
            }
            times.sort();
            medians.push((name, times.get(CALLS / 2).copied().unwrap_or_default()));
        }
        medians
    }

    async fn call(&self, (service, mut request): Ask) -> Duration {
        let Credentials { access_key_id, secret_access_key, .. } = self.credentials.clone();
        let identity =
            aws_credential_types::Credentials::new(access_key_id, secret_access_key, None, None, "bench")
                .into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let body = SignableBody::Bytes(request.body());
        let signable =
            SignableRequest::new(request.method().as_str(), request.uri().to_string(), headers, body)
                .unwrap();
        sign(signable, &params).unwrap().into_parts().0.apply_to_request_http1x(&mut request);
        let start = Instant::now();
        let response = self.endpoint.call(request).await;
        let time = start.elapsed();
        assert!(response.status().is_success(), "{response:?}");
        time
    }
}
