//! Runs of one machine share what they know of the account's throttles, as processes that know nothing else of each other:
//! nextest runs each test in one of its own.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use iam_endpoint::Endpoint;
use iam_endpoint::weather::Weather;
use iam_fixture::{Readiness, TemporaryRole};
use iam_fixture_tests::{Child, Served};
use rstest::rstest;

const LISTS: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}"#;

/// The control calls of a role's life.
const LIFE: [&str; 5] =
    ["iam:CreateRole", "iam:PutRolePolicy", "sts:AssumeRole", "iam:DeleteRolePolicy", "iam:DeleteRole"];

async fn live() {
    let role = TemporaryRole::builder().policy(LISTS).readiness(Readiness::default().in_a_row(1));
    let role = role.create().await.expect("a throttle only takes time");
    role.delete().await.expect("a throttle only takes time");
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_lives() {
    live().await;
}

/// For nextest, which runs each case as a process.
#[rstest]
#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_of_five_hundred(
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)] _one: u8,
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24)]
    _other: u8,
) {
    live().await;
}

/// Where the processes of one run find what the others know.
fn state(run: &str) -> String {
    format!("{}/throttled/{run}", env!("CARGO_TARGET_TMPDIR"))
}

/// An account in AWS's place whose control calls share a bucket.
fn throttling(per_second: f64, burst: u32) -> Served {
    let weather = Weather::new(0).throttle(LIFE.join(" "), per_second, burst);
    Served::of(Endpoint::builder().weather(weather).build())
}

/// Each role's five calls took effect once; what more there was, was throttled.
#[track_caller]
fn check(served: &Served, tests: u32, per_second: f64, burst: u32, took: Duration) {
    let events = served.endpoint.journal().last(usize::MAX);
    let throttled = events.iter().filter(|event| event.code.as_deref() == Some("Throttling")).count();
    for call in LIFE {
        let answered = events.iter().filter(|event| event.operation == call && event.status == 200).count();
        assert_eq!(answered, tests as usize, "{call}");
    }
    let life = u32::try_from(LIFE.len()).expect("it is five");
    let least = f64::from(tests * life - burst) / per_second;
    let ratio = took.as_secs_f64() / least;
    println!(
        "{tests} tests in processes of their own at {per_second} control calls a second and a burst of {burst}: \
         {:.1} s, {ratio:.3} times the least; {throttled} calls were throttled",
        took.as_secs_f64()
    );
    assert!(ratio <= 1.2, "{ratio}");
}

#[tokio::test]
async fn processes_share_what_an_account_takes() {
    const TESTS: u32 = 40;
    let served = throttling(10.0, 10);
    let mut variables = served.variables_as_aws(&served.url());
    variables.push(("XDG_STATE_HOME".to_owned(), state("processes")));
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let work = || {
        while next.fetch_add(1, Ordering::Relaxed) < TESTS as usize {
            let (status, _, errors) = Child::start("child_lives", variables.clone()).end();
            assert!(status.success(), "{errors}");
        }
    };
    thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(work))));
    let took = start.elapsed();
    assert_eq!(served.roles().await, [""; 0]);
    check(&served, TESTS, 10.0, 10, took);
}

/// `cargo test --test throttled -- --ignored nextest --nocapture` prints the figures; `CARGO_NEXTEST` names the program where it
/// is not on the path.
#[tokio::test]
#[ignore = "takes nine minutes, and needs nextest"]
async fn five_hundred_tests_under_nextest() {
    let served = throttling(5.0, 10);
    let nextest = std::env::var("CARGO_NEXTEST").unwrap_or_else(|_| "cargo-nextest".to_owned());
    let list = ["nextest", "run", "--package", "iam-fixture-tests", "--test", "throttled"];
    let run = ["--run-ignored", "only", "--test-threads", "8", "--no-fail-fast", "--status-level", "fail"];
    let start = Instant::now();
    let output = Command::new(nextest)
        .args(list)
        .args(run)
        .args(["-E", "test(child_of_five_hundred)"])
        .envs(served.variables_as_aws(&served.url()))
        .env("XDG_STATE_HOME", state("five-hundred"))
        .output()
        .expect("nextest runs");
    let took = start.elapsed();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(served.roles().await, [""; 0]);
    check(&served, 500, 5.0, 10, took);
}
