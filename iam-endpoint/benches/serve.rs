//! Requests per second over loopback, beside two emulators that enforce policies too.
//!
//! `cargo bench --package iam-endpoint --all-features --bench serve`. One load generator for all: each connection sends the
//! same signed requests of one role, one after the other, and reads the answers. Contestants take turns, so that a machine
//! whose speed drifts drifts for all of them; each emulator is started as its users start it.

#![allow(clippy::panic, clippy::print_stdout, reason = "a program that measures")]

#[expect(unreachable_pub, reason = "a library of another package")]
#[path = "../../tests/src/emulator.rs"]
#[allow(dead_code, missing_docs, reason = "the system tests use all of it")]
mod emulator;
mod load;

use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use emulator::Emulator;
use http::{Request, header::HeaderValue};
use iam_endpoint::{Credentials, Endpoint};
use iam_services::Services;
use load::Measured;

/// How many connections ask at once.
const CONNECTIONS: usize = 8;
/// How long one turn takes.
const TURN: Duration = Duration::from_secs(2);
/// Turns of each contestant with each operation.
const TURNS: usize = 3;

/// Roles and objects that are there in the second part.
const ROLES: usize = 200;
const OBJECTS: usize = 10_000;

/// What both scripts begin with.
const CLIENTS: &str = r#"
import boto3, botocore, json, sys
url, key, secret = sys.argv[1:4]
def client(name):
    return boto3.client(name, endpoint_url=url, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret,
                        config=botocore.config.Config(s3={"addressing_style": "path"}))
iam, s3 = client("iam"), client("s3")
trust = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}
allow = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "*",
         "Action": ["s3:GetObject", "dynamodb:PutItem", "sqs:SendMessage", "sts:AssumeRole"]}}
def role(name):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(allow))
"#;

/// Makes a role that may do the four operations and what they are done on, and prints the keys of its session, the URL of the
/// queue, and `-` for what is not performed.
const SETUP: &str = r#"
arn = client("sts").get_caller_identity()["Arn"]
role("bench")
s3.create_bucket(Bucket="bench")
s3.put_object(Bucket="bench", Key="object", Body=b"x" * 1024)
def performed(make):
    try:
        return make()
    except botocore.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 501:
            raise
table = performed(lambda: client("dynamodb").create_table(TableName="bench", BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}]))
queue = performed(lambda: client("sqs").create_queue(QueueName="bench")["QueueUrl"])
role = "arn:aws:iam::%s:role/bench" % arn.split(":")[4]
keys = client("sts").assume_role(RoleArn=role, RoleSessionName="bench")["Credentials"]
print(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], role, "bench" if table else "-", queue or "-")
"#;

/// Makes as many roles and objects as it is told.
const FILL: &str = r#"
from concurrent.futures import ThreadPoolExecutor
roles, objects = map(int, sys.argv[4:])
for number in range(roles):
    role("other-%d" % number)
with ThreadPoolExecutor(4) as threads:
    put = lambda number: s3.put_object(Bucket="bench", Key="object-%d" % number, Body=b"x")
    list(threads.map(put, range(objects)))
"#;

fn main() {
    let endpoint = Endpoint::builder().perform(Services::new()).build();
    let server = endpoint.serve(([127, 0, 0, 1], 0).into()).expect("a loopback port is free");
    let ministack = Emulator::ministack(true);
    let mut moto = Emulator::moto();
    if let Some(moto) = &mut moto {
        moto.enforce();
    }
    let administrator = endpoint.administrator();
    let ours = Contestant::new("iam-endpoint", server.url(), &administrator);
    let peer = |name, emulator: &Emulator| {
        let variables = emulator.variables();
        let value = |of: &str| variables.iter().find(|(name, _)| name == of).map_or("", |(_, value)| value);
        let keys = Credentials::new(value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"));
        Contestant::new(name, emulator.url(), &keys)
    };
    let peers = [
        ministack.as_ref().map(|emulator| peer("ministack", emulator)),
        moto.as_ref().map(|emulator| peer("moto_server", emulator)),
    ];
    let contestants: Vec<Contestant> = [Some(ours)].into_iter().chain(peers).flatten().collect();
    println!("{CONNECTIONS} connections, {TURNS} turns of {} s each", TURN.as_secs());
    compare_all("nothing else stored", &contestants);
    for contestant in &contestants {
        let Contestant { name, url, administrator, .. } = contestant;
        python(name, FILL, url, administrator, &[&ROLES.to_string(), &OBJECTS.to_string()]);
    }
    compare_all(&format!("{ROLES} roles and {OBJECTS} objects more"), &contestants);
}

fn compare_all(state: &str, contestants: &[Contestant]) {
    println!(
        "\n{state}\n{:<12} {:<13} {:>12} {:>11} {:>11}   ours",
        "operation", "contestant", "requests/s", "p50", "p99"
    );
    for operation in ["GetObject", "PutItem", "SendMessage", "AssumeRole"] {
        compare(operation, contestants);
    }
}

fn compare(operation: &str, contestants: &[Contestant]) {
    let mut measured: Vec<Option<Measured>> = contestants.iter().map(|_| None).collect();
    for _ in 0..TURNS {
        for (contestant, all) in contestants.iter().zip(&mut measured) {
            if let Some(request) = contestant.request(operation) {
                let turn = load::run(contestant.address(), &request, CONNECTIONS, TURN);
                all.get_or_insert_default().add(turn);
            }
        }
    }
    let ours = measured.first().and_then(Option::as_ref).map(Measured::per_second);
    for (contestant, measured) in contestants.iter().zip(&mut measured) {
        let Some(measured) = measured else {
            println!("{operation:<12} {:<13} does not perform it", contestant.name);
            continue;
        };
        let ratio = ours.map_or(String::new(), |ours| format!("x {:.1}", ours / measured.per_second()));
        println!(
            "{operation:<12} {:<13} {:>12.0} {:>8} µs {:>8} µs   {ratio}{}",
            contestant.name,
            measured.per_second(),
            measured.percentile(50).as_micros(),
            measured.percentile(99).as_micros(),
            if measured.failures > 0 {
                format!(", {} answers are errors", measured.failures)
            } else {
                String::new()
            },
        );
    }
    println!();
}

struct Contestant {
    name: &'static str,
    url: String,
    administrator: Credentials,
    session: Credentials,
    role: String,
    table: String,
    queue: String,
}

impl Contestant {
    fn new(name: &'static str, url: String, administrator: &Credentials) -> Self {
        let text = python(name, SETUP, &url, administrator, &[]);
        let told: Vec<&str> = text.split_whitespace().collect();
        let &[id, secret, token, role, table, queue] = told.as_slice() else { panic!("{name} tells {text}") };
        let session = Credentials::new(id, secret).with_session_token(token);
        let (role, table, queue) = (role.to_owned(), table.to_owned(), queue.to_owned());
        Self { name, url, administrator: administrator.clone(), session, role, table, queue }
    }

    fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap_or_default()
    }

    /// The bytes of a signed request; none for what the contestant does not perform.
    fn request(&self, operation: &str) -> Option<Vec<u8>> {
        let json = |version: &str, target: &str, body: String| {
            Request::post(format!("{}/", self.url))
                .header("content-type", format!("application/x-amz-json-{version}"))
                .header("x-amz-target", target)
                .body(Bytes::from(body))
        };
        let (signing_name, request) = match operation {
            "GetObject" => ("s3", Request::get(format!("{}/bench/object", self.url)).body(Bytes::new())),
            "PutItem" if self.table == "-" => return None,
            "PutItem" => {
                let body = format!(
                    r#"{{"TableName":"{}","Item":{{"id":{{"S":"1"}},"n":{{"N":"1"}}}}}}"#,
                    self.table
                );
                ("dynamodb", json("1.0", "DynamoDB_20120810.PutItem", body))
            }
            "SendMessage" if self.queue == "-" => return None,
            "SendMessage" => {
                let body = format!(r#"{{"QueueUrl":"{}","MessageBody":"one"}}"#, self.queue);
                ("sqs", json("1.0", "AmazonSQS.SendMessage", body))
            }
            _ => {
                let body = format!(
                    "Action=AssumeRole&Version=2011-06-15&RoleArn={}&RoleSessionName=bench",
                    self.role
                );
                let request = Request::post(format!("{}/", self.url))
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(Bytes::from(
                        body.replace("arn:aws:iam::", "arn%3Aaws%3Aiam%3A%3A")
                            .replace(":role/", "%3Arole%2F"),
                    ));
                ("sts", request)
            }
        };
        let request = request.expect("a request");
        let now = std::time::SystemTime::now();
        let (mut parts, body) = self.session.sign(request, signing_name, "us-east-1", now).into_parts();
        parts.headers.insert("content-length", HeaderValue::from(body.len()));
        let mut bytes = format!("{} {} HTTP/1.1\r\n", parts.method, parts.uri.path()).into_bytes();
        for (name, value) in &parts.headers {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&body);
        Some(bytes)
    }
}

/// Runs a script with the URL and the keys, and gives what it prints.
fn python(name: &str, script: &str, url: &str, keys: &Credentials, arguments: &[&str]) -> String {
    let Credentials { access_key_id, secret_access_key, .. } = keys;
    let output = Command::new(emulator::environment().join("bin/python"))
        .args(["-c", &[CLIENTS, script].concat(), url, access_key_id, secret_access_key])
        .args(arguments)
        .output()
        .expect("python runs");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
