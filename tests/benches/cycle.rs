//! One whole role cycle: provision, AssumeRole, one S3 call, tear-down. Three kinds of contestants in one run:
//!
//! * the floor: the same six SDK calls against canned answers in this process, which is what the SDK itself costs;
//! * the embedded endpoint;
//! * ministack and `moto_server`, over loopback.
//!
//! `cargo bench --bench cycle` measures a release build, `cargo bench --bench cycle --profile dev` what `cargo test` users
//! have. Contestants take turns, so that a machine whose speed drifts drifts for all of them.
//!
//! The embedded cycle makes the same calls; those to IAM and STS have a signer of its own, `backend::embedded::Administrator`, and
//! go without user agents and ids of attempts, `backend::embedded::Plain`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, io};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{SharedHttpClient, http_client_fn};
use iam_fixture::{Backend, SdkConfig, TemporaryRole};
use iam_fixture_tests::Emulator;

const POLICY: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]
}"#;

/// Cycles that are not counted.
const WARM_UP: usize = 5;
/// Cycles of the contestants in this process; one takes some milliseconds.
const ROUNDS: usize = 200;
/// Cycles at each emulator.
const EMULATOR_ROUNDS: usize = 30;

/// Tells a child of this program to run the cycles at the backend that its environment names.
const AT_BACKEND: &str = "--at-backend";
/// For a profiler: `--only embedded 300`, or `--only floor 300`, runs that many cycles of one contestant.
const ONLY: &str = "--only";
/// Tells a child of this program to reach the body of one test.
const FIRST_BODY: &str = "--first-body";
/// How often the start of a process is measured.
const STARTS: usize = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut arguments = env::args().skip_while(|argument| argument != ONLY).skip(1);
    if let (Some(contestant), Some(rounds)) = (arguments.next(), arguments.next()) {
        runtime.block_on(only(&contestant, rounds.parse().expect("a number of cycles")));
    } else if env::args().any(|argument| argument == AT_BACKEND) {
        println!("{}", runtime.block_on(at_backend()).as_nanos());
    } else if env::args().any(|argument| argument == FIRST_BODY) {
        runtime.block_on(async {
            let role = TemporaryRole::builder().policy(POLICY);
            role.scoped(async |_| println!("body")).await.expect("a role");
        });
    } else {
        runtime.block_on(compare());
    }
}

async fn compare() {
    let floor = Floor::new();
    let (mut canned, mut embedded) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        let floor_took = timed(floor.cycle()).await;
        let embedded_took = timed(cycle(Backend::embedded())).await;
        if round >= WARM_UP {
            canned.push(floor_took);
            embedded.push(embedded_took);
        }
    }
    let floor = median(&mut canned);
    let embedded = median(&mut embedded);
    println!(
        "one role cycle: CreateRole, PutRolePolicy, AssumeRole, ListBuckets, DeleteRolePolicy, DeleteRole"
    );
    println!(
        "medians of {ROUNDS} cycles, {} build\n",
        if cfg!(debug_assertions) { "debug" } else { "release" }
    );
    println!("{:<20} {:>10} {:>13} {:>17}", "contestant", "a cycle", "x the floor", "beyond the floor");
    row("floor (canned)", floor, floor);
    row("embedded endpoint", embedded, floor);

    let mut beyond: Vec<Duration> = Vec::new();
    for (name, emulator) in [("ministack", Emulator::ministack(true)), ("moto_server", moto())] {
        let Some(emulator) = emulator else { continue };
        let took = of_child(&emulator).expect("the child measures");
        row(name, took, floor);
        beyond.push(took.saturating_sub(floor));
    }
    let ours = embedded.saturating_sub(floor);
    match beyond.into_iter().min() {
        None => println!("\nno emulator started, so there is none to compare with"),
        Some(_) if ours.is_zero() => println!("\nthe embedded endpoint costs nothing beyond the floor"),
        Some(better) => println!(
            "\nbeyond the floor, the better emulator costs {:.0} times what the embedded endpoint costs",
            better.as_secs_f64() / ours.as_secs_f64()
        ),
    }
    let mut starts: Vec<_> = (0..STARTS).map(|_| first_body().expect("the child starts")).collect();
    println!("process start to the first test's body: {:.1} ms", median(&mut starts).as_secs_f64() * 1_000.0);
}

/// From the start of a process to the first line of the first test's body.
fn first_body() -> io::Result<Duration> {
    let start = Instant::now();
    let mut child = Command::new(env::current_exe()?).arg(FIRST_BODY).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut line)?;
    }
    let took = start.elapsed();
    child.wait()?;
    if line.trim() == "body" { Ok(took) } else { Err(io::Error::other("the child did not reach the body")) }
}

fn moto() -> Option<Emulator> {
    let mut moto = Emulator::moto()?;
    moto.enforce();
    Some(moto)
}

/// A process of its own for each emulator, whose address and keys stand in its environment.
fn of_child(emulator: &Emulator) -> io::Result<Duration> {
    let child = Command::new(env::current_exe()?)
        .arg(AT_BACKEND)
        .envs(emulator.variables())
        .stderr(Stdio::inherit())
        .output()?;
    let nanoseconds = String::from_utf8_lossy(&child.stdout).trim().parse();
    nanoseconds.map(Duration::from_nanos).map_err(io::Error::other)
}

async fn only(contestant: &str, rounds: usize) {
    let floor = Floor::new();
    for _ in 0..rounds {
        match contestant {
            "embedded" => cycle(Backend::embedded()).await,
            "floor" => floor.cycle().await,
            _ => panic!("`{contestant}` is not one of `embedded` and `floor`"),
        }
    }
}

async fn at_backend() -> Duration {
    let backend = Backend::current().expect("the emulator is configured");
    let mut took = Vec::new();
    for round in 0..WARM_UP + EMULATOR_ROUNDS {
        let cycle_took = timed(cycle(backend.clone())).await;
        if round >= WARM_UP {
            took.push(cycle_took);
        }
    }
    median(&mut took)
}

async fn timed(work: impl Future<Output = ()>) -> Duration {
    let start = Instant::now();
    work.await;
    start.elapsed()
}

fn row(name: &str, took: Duration, floor: Duration) {
    println!(
        "{name:<20} {:>7} µs {:>13.2} {:>14} µs",
        took.as_micros(),
        took.as_secs_f64() / floor.as_secs_f64(),
        took.saturating_sub(floor).as_micros()
    );
}

fn median(samples: &mut [Duration]) -> Duration {
    samples.sort_unstable();
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}

/// What a test with `#[iam_policy]` does.
async fn cycle(backend: Backend) {
    let role = TemporaryRole::builder().policy(POLICY).backend(backend).create().await.expect("a role");
    list_buckets(role.config()).await;
    role.delete().await.expect("the role is deleted");
}

/// A test makes its own client, so that belongs to the cycle of every contestant.
async fn list_buckets(config: &SdkConfig) {
    aws_sdk_s3::Client::new(config).list_buckets().send().await.expect("the policy allows it");
}

/// The six calls through clients that are made once, against answers that are always the same.
struct Floor {
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
    http: SharedHttpClient,
}

impl Floor {
    fn new() -> Self {
        let http = http_client_fn(|_, _| canned::connector());
        let config = signed_in(http.clone(), "AKIAIOSFODNN7EXAMPLE", "secret", None);
        Self { iam: aws_sdk_iam::Client::new(&config), sts: aws_sdk_sts::Client::new(&config), http }
    }

    async fn cycle(&self) {
        let role = "iam-fixture-bench";
        let trust = r#"{"Version": "2012-10-17", "Statement": []}"#;
        self.iam
            .create_role()
            .role_name(role)
            .assume_role_policy_document(trust)
            .send()
            .await
            .expect("canned");
        let put = self.iam.put_role_policy().role_name(role).policy_name("policy-1").policy_document(POLICY);
        put.send().await.expect("canned");
        let assume = self.sts.assume_role().role_arn(canned::ROLE_ARN).role_session_name("bench");
        let assumed = assume.send().await.expect("canned");
        let session = assumed.credentials().expect("canned");
        let config = signed_in(
            self.http.clone(),
            session.access_key_id(),
            session.secret_access_key(),
            Some(session.session_token().to_owned()),
        );
        list_buckets(&config).await;
        self.iam.delete_role_policy().role_name(role).policy_name("policy-1").send().await.expect("canned");
        self.iam.delete_role().role_name(role).send().await.expect("canned");
    }
}

fn signed_in(http: SharedHttpClient, key: &str, secret: &str, token: Option<String>) -> SdkConfig {
    let credentials = Credentials::new(key, secret, token, None, "bench");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .identity_cache(aws_sdk_sts::config::IdentityCache::no_cache())
        .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
        .http_client(http)
        .build()
}

/// An HTTP client that answers at once, with what AWS would.
mod canned {
    use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;

    pub(super) const ROLE_ARN: &str = "arn:aws:iam::123456789012:role/iam-fixture-bench";

    const CREATE_ROLE: &str = "<CreateRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateRoleResult><Role>\
        <Path>/</Path><RoleName>iam-fixture-bench</RoleName><RoleId>AROAIOSFODNN7EXAMPLE1</RoleId>\
        <Arn>arn:aws:iam::123456789012:role/iam-fixture-bench</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
        <MaxSessionDuration>3600</MaxSessionDuration></Role></CreateRoleResult>\
        <ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></CreateRoleResponse>";
    const ASSUME_ROLE: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
        <AssumedRoleUser><AssumedRoleId>AROAIOSFODNN7EXAMPLE1:bench</AssumedRoleId>\
        <Arn>arn:aws:sts::123456789012:assumed-role/iam-fixture-bench/bench</Arn></AssumedRoleUser>\
        <Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
        <SessionToken>token</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
        <ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></AssumeRoleResponse>";
    const LIST_BUCKETS: &str = "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>owner</ID></Owner>\
        <Buckets></Buckets></ListAllMyBucketsResult>";
    const EMPTY: &str = "<Response><ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId>\
        </ResponseMetadata></Response>";

    #[derive(Debug)]
    struct Canned;

    pub(super) fn connector() -> SharedHttpConnector {
        SharedHttpConnector::new(Canned)
    }

    impl HttpConnector for Canned {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let body = request.body().bytes().unwrap_or_default();
            let body = match body.strip_prefix(b"Action=").unwrap_or_default() {
                b"" => LIST_BUCKETS,
                action if action.starts_with(b"CreateRole&") => CREATE_ROLE,
                action if action.starts_with(b"AssumeRole&") => ASSUME_ROLE,
                _ => EMPTY,
            };
            let status = 200.try_into().expect("a status");
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
        }
    }
}
