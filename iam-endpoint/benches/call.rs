//! What one call costs in this process: verify the signature, route, derive, decide, perform, journal.
//!
//! `cargo bench --package iam-endpoint --all-features --bench call`, and with `--profile dev` for what users of `cargo test`
//! have. Each operation is measured in an empty account and in one with 200 roles and 10,000 objects; the cost is the median,
//! of a request that is signed once. Operations that are named as arguments are measured alone.
//!
//! What another than the endpoint performs is measured up to there, and where `iam-services` has it, with what it does then.

#![allow(clippy::print_stdout, reason = "a program that measures")]

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Request, StatusCode};
use iam_endpoint::{Credentials, Endpoint};
use iam_services::Services;

const ROLES: usize = 200;
const OBJECTS: usize = 10_000;
/// Calls that are measured, of each operation.
const CALLS: usize = 5_000;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}"#;
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bench/*"},
    {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::123456789012:role/*"},
    {"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:GetItem"],"Resource":"arn:aws:dynamodb:*:*:table/bench"},
    {"Effect":"Allow","Action":"ec2:RunInstances","Resource":"*"},
    {"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:123456789012:bench"}]}"#;

const TABLE: &str = r#"{"TableName":"bench","BillingMode":"PAY_PER_REQUEST",
    "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
    "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}"#;

/// The operations, and those of them that are performed only where `Services` do.
const OPERATIONS: [&str; 7] =
    ["GetObject", "PutObject", "AssumeRole", "PutItem", "SendMessage", "RunInstances", "denied"];
const OF_SERVICES: [&str; 2] = ["PutItem", "SendMessage"];

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        println!("one call in process, median of {CALLS}, {build} build\n");
        println!("{:<22} {:>10} {:>34}", "operation", "empty", format!("{ROLES} roles, {OBJECTS} objects"));
        // Cargo has arguments of its own.
        let named: Vec<_> = std::env::args().filter(|name| OPERATIONS.contains(&&**name)).collect();
        let is_wanted = |operation: &&str| named.is_empty() || named.iter().any(|name| name == operation);
        let (empty, full) = (Account::new(false, 0, 1).await, Account::new(false, ROLES, OBJECTS).await);
        for operation in OPERATIONS.into_iter().filter(is_wanted) {
            row(operation, operation, &empty, &full).await;
        }
        let (empty, full) = (Account::new(true, 0, 1).await, Account::new(true, ROLES, OBJECTS).await);
        for operation in OF_SERVICES.into_iter().filter(is_wanted) {
            row(&format!("{operation}, performed"), operation, &empty, &full).await;
        }
    });
}

async fn row(name: &str, operation: &str, empty: &Account, full: &Account) {
    let (at_none, at_many) = (empty.median(operation).await, full.median(operation).await);
    println!("{name:<22} {:>7.1} µs {:>31.1} µs", micros(at_none), micros(at_many));
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

struct Account {
    endpoint: Endpoint,
    session: Credentials,
    /// Whether `Services` perform what is theirs.
    is_served: bool,
}

impl Account {
    async fn new(is_served: bool, roles: usize, objects: usize) -> Self {
        let endpoint = Endpoint::builder();
        let endpoint = if is_served { endpoint.perform(Services::new()) } else { endpoint }.build();
        let mut account = Self { session: endpoint.administrator(), endpoint, is_served };
        for name in (0..roles).map(|index| format!("other-{index}")).chain(["bench".to_owned()]) {
            let role = [("RoleName", &*name), ("AssumeRolePolicyDocument", TRUST)];
            account.ok(form("iam", "CreateRole&Version=2010-05-08", &role)).await;
            let policy = [("RoleName", &*name), ("PolicyName", "own"), ("PolicyDocument", POLICY)];
            account.ok(form("iam", "PutRolePolicy&Version=2010-05-08", &policy)).await;
        }
        account.ok(("s3", put("/bench", ""))).await;
        for index in 0..objects {
            account.ok(("s3", put(&format!("/bench/object-{index}"), "x"))).await;
        }
        if is_served {
            account.ok(json("dynamodb", "DynamoDB_20120810.CreateTable", TABLE)).await;
            account.ok(json("sqs", "AmazonSQS.CreateQueue", r#"{"QueueName":"bench"}"#)).await;
            for index in 0..objects {
                account.ok(put_item(index)).await;
                account.ok(Self::request("SendMessage")).await;
            }
        }
        let answer = account.ok(Account::request("AssumeRole")).await;
        let text = |element: &str| {
            let rest = answer.split_once(&format!("<{element}>")).expect("AWS's answer").1;
            rest.split_once('<').expect("AWS's answer").0.to_owned()
        };
        account.session = Credentials::new(text("AccessKeyId"), text("SecretAccessKey"))
            .with_session_token(text("SessionToken"));
        account
    }

    fn request(operation: &str) -> (&'static str, Request<Bytes>) {
        match operation {
            "GetObject" => {
                ("s3", Request::get("http://127.0.0.1/bench/object-0").body(Bytes::new()).expect("a request"))
            }
            "PutObject" => ("s3", put("/bench/object-0", "x")),
            "PutItem" => put_item(0),
            "RunInstances" => {
                let instance = [
                    ("ImageId", "ami-0123456789abcdef0"),
                    ("InstanceType", "t3.micro"),
                    ("MinCount", "1"),
                    ("MaxCount", "1"),
                    ("KeyName", "bench"),
                    ("SubnetId", "subnet-0123456789abcdef0"),
                    ("SecurityGroupId.1", "sg-0123456789abcdef0"),
                ];
                form("ec2", "RunInstances&Version=2016-11-15", &instance)
            }
            "SendMessage" => {
                let url = "https://sqs.us-east-1.amazonaws.com/123456789012/bench";
                json(
                    "sqs",
                    "AmazonSQS.SendMessage",
                    &format!(r#"{{"QueueUrl":"{url}","MessageBody":"one"}}"#),
                )
            }
            "denied" => (
                "s3",
                Request::delete("http://127.0.0.1/bench/object-0").body(Bytes::new()).expect("a request"),
            ),
            _ => {
                let role =
                    [("RoleArn", "arn:aws:iam::123456789012:role/bench"), ("RoleSessionName", "bench")];
                form("sts", "AssumeRole&Version=2011-06-15", &role)
            }
        }
    }

    fn sign(&self, (signing_name, request): (&'static str, Request<Bytes>)) -> Request<Bytes> {
        self.session.sign(request, signing_name, "us-east-1", SystemTime::now())
    }

    async fn ok(&self, request: (&'static str, Request<Bytes>)) -> String {
        let answer = self.endpoint.call(self.sign(request)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
        String::from_utf8_lossy(answer.body()).into_owned()
    }

    async fn median(&self, operation: &str) -> Duration {
        let request = self.sign(Self::request(operation));
        // What nobody performs here is measured up to there.
        let expected: &[u16] = match operation {
            "denied" => &[403],
            "PutItem" | "SendMessage" if self.is_served => &[200],
            "PutItem" | "RunInstances" | "SendMessage" => &[501],
            _ => &[200],
        };
        let mut took = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let request = request.clone();
            let begun = Instant::now();
            let answer = self.endpoint.call(request).await;
            took.push(begun.elapsed());
            assert!(expected.contains(&answer.status().as_u16()), "{operation}: {answer:?}");
        }
        took.sort_unstable();
        took.get(CALLS / 2).copied().unwrap_or_default()
    }
}

fn put_item(index: usize) -> (&'static str, Request<Bytes>) {
    let item = format!(r#"{{"TableName":"bench","Item":{{"id":{{"S":"{index}"}}}}}}"#);
    json("dynamodb", "DynamoDB_20120810.PutItem", &item)
}

fn put(path: &str, body: &str) -> Request<Bytes> {
    Request::put(format!("http://127.0.0.1{path}")).body(Bytes::from(body.to_owned())).expect("a request")
}

fn json(signing_name: &'static str, target: &str, body: &str) -> (&'static str, Request<Bytes>) {
    let request = Request::post("http://127.0.0.1/")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", target)
        .body(Bytes::from(body.to_owned()));
    (signing_name, request.expect("a request"))
}

fn form(
    signing_name: &'static str,
    action: &str,
    parameters: &[(&str, &str)],
) -> (&'static str, Request<Bytes>) {
    let mut body = format!("Action={action}");
    for (name, value) in parameters {
        let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
        body.extend(["&", name, "="]);
        body.extend(value);
    }
    let request = Request::post("http://127.0.0.1/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(body));
    (signing_name, request.expect("a request"))
}
