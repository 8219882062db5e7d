//! Runs of one machine share what they know of the account's throttles, as processes that know nothing else of each other:
//! nextest runs each test in one of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use iam_endpoint::weather::Weather;
use iam_endpoint::{Endpoint, Event};
use iam_fixture::{Readiness, TemporaryRole};
use iam_fixture_tests::{Child, Served};
use rstest::rstest;

const LISTS: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}"#;

/// The control calls of a role's life.
const LIFE: [&str; 5] =
    ["iam:CreateRole", "iam:PutRolePolicy", "sts:AssumeRole", "iam:DeleteRolePolicy", "iam:DeleteRole"];

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_lives() {
    live().await;
}

#[rstest]
#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_of_sixty_lives(
    #[values(0, 1, 2, 3, 4, 5)] _tens: u8,
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)] _ones: u8,
) {
    live().await;
}

async fn live() {
    let role = TemporaryRole::builder().policy(LISTS).readiness(Readiness::default().in_a_row(1));
    let role = role.create().await.expect("a throttle only takes time");
    role.delete().await.expect("a throttle only takes time");
}

/// Where the processes of one run find what the others know.
fn state(run: &str) -> String {
    format!("{}/throttled/{run}", env!("CARGO_TARGET_TMPDIR"))
}

/// How often each call was answered, and how often one was throttled; a journal does not keep so many calls.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<String, Vec<SystemTime>>>>);

impl Counts {
    fn count(&self, event: &Event) {
        let name = match event.code.as_deref() {
            Some("Throttling") => "throttled",
            Some(_) => return,
            None => &event.operation,
        };
        self.0.lock().unwrap().entry(name.to_owned()).or_default().push(event.time);
    }

    fn of(&self, name: &str) -> usize {
        self.0.lock().unwrap().get(name).map_or(0, Vec::len)
    }

    /// From the first call of a role's life to the last.
    fn took(&self) -> Duration {
        let counts = self.0.lock().unwrap();
        let times = LIFE.iter().filter_map(|call| counts.get(*call)).flatten();
        let (first, last) = (times.clone().min().unwrap(), times.max().unwrap());
        last.duration_since(*first).unwrap()
    }
}

/// An account in AWS's place whose control calls share a bucket.
fn throttling(per_second: f64, burst: u32) -> (Served, Counts) {
    let weather = Weather::new(0).throttle(LIFE.join(" "), per_second, burst);
    let counts = Counts::default();
    let counting = counts.clone();
    let endpoint = Endpoint::builder().weather(weather).observe(move |event| counting.count(event)).build();
    (Served::of(endpoint), counts)
}

/// Each role's five calls took effect once; what more there was, was throttled.
#[track_caller]
fn check(counts: &Counts, tests: u32, per_second: f64, burst: u32) {
    let took = counts.took();
    for call in LIFE {
        assert_eq!(counts.of(call), tests as usize, "{call}");
    }
    let life = u32::try_from(LIFE.len()).expect("it is five");
    let least = f64::from(tests * life - burst) / per_second;
    let ratio = took.as_secs_f64() / least;
    println!(
        "{tests} tests in processes of their own at {per_second} control calls a second and a burst of {burst}: \
         {:.1} s, {ratio:.3} times the least; {} calls were throttled",
        took.as_secs_f64(),
        counts.of("throttled"),
    );
    assert!(ratio <= 1.2, "{ratio}");
    // Each process of its own, they would ask in vain more than twice as often.
    assert!(counts.of("throttled") <= (tests * life * 3 / 10) as usize);
}

/// Runs so many tests as nextest does, a process each and eight at once.
async fn share(tests: u32, per_second: f64, burst: u32) {
    let (served, counts) = throttling(per_second, burst);
    let mut variables = served.variables_as_aws(&served.url());
    variables.push(("XDG_STATE_HOME".to_owned(), state(&format!("{tests}-tests"))));
    let next = AtomicU32::new(0);
    let work = || {
        while next.fetch_add(1, Ordering::Relaxed) < tests {
            let (status, _, errors) = Child::start("child_lives", variables.clone()).end();
            assert!(status.success(), "{errors}");
        }
    };
    thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(work))));
    assert_eq!(served.roles().await, [""; 0]);
    check(&counts, tests, per_second, burst);
}

#[cfg(unix)]
#[tokio::test]
async fn the_tests_of_a_nextest_run_share_what_an_account_takes() {
    let (served, counts) = throttling(10.0, 10);
    let variables = served.variables_as_aws(&served.url());
    let Some(run) = iam_fixture_tests::Runner::nextest("child_of_sixty_lives", false, variables) else {
        return;
    };
    // It may build first.
    assert!(run.end_within(Duration::from_mins(20)).success());
    assert_eq!(served.roles().await, [""; 0]);
    check(&counts, 60, 10.0, 10);
}

#[tokio::test]
async fn processes_share_what_an_account_takes() {
    share(40, 10.0, 10).await;
}

/// `cargo test --test throttled -- --ignored five_hundred --nocapture` prints the figures.
#[tokio::test]
#[ignore = "takes nine minutes"]
async fn five_hundred_tests_in_processes_of_their_own() {
    share(500, 5.0, 10).await;
}
