//! Tests that share an account which throttles them take as long as its throttle makes them, and hardly longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use iam_endpoint::Endpoint;
use iam_endpoint::weather::{Mishap, Weather};
use iam_fixture::{Backend, Readiness, TemporaryRole};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The control calls of a role's life.
const LIFE: [&str; 5] =
    ["iam:CreateRole", "iam:PutRolePolicy", "sts:AssumeRole", "iam:DeleteRolePolicy", "iam:DeleteRole"];

const LISTS: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}"#;

/// An endpoint whose time is that of this test's runtime, which is paused.
fn under(weather: Weather) -> Endpoint {
    let (began, epoch) = (Instant::now(), SystemTime::now());
    Endpoint::builder().clock(move || epoch + began.elapsed()).weather(weather).build()
}

/// What a run of tests at once came to.
struct Run {
    took: Duration,
    /// The most roles that there were at once.
    most_roles: usize,
    throttled: usize,
}

async fn run(endpoint: &Endpoint, tests: u32) -> Run {
    let backend = Backend::of_endpoint(endpoint.clone());
    let (roles, most_roles) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..tests {
        let (backend, roles, most_roles) = (backend.clone(), roles.clone(), most_roles.clone());
        running.spawn(async move {
            let readiness = Readiness::default().in_a_row(1);
            let role = TemporaryRole::builder().policy(LISTS).readiness(readiness).backend(backend);
            let role = role.create().await.expect("a throttle only takes time");
            most_roles.fetch_max(roles.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            role.delete().await.expect("a throttle only takes time");
            roles.fetch_sub(1, Ordering::Relaxed);
        });
    }
    while let Some(done) = running.join_next().await {
        done.expect("no test fails");
    }
    let took = start.elapsed();
    let events = endpoint.journal().last(usize::MAX);
    let throttled = events.iter().filter(|event| event.code.as_deref() == Some("Throttling")).count();
    Run { took, most_roles: most_roles.load(Ordering::Relaxed), throttled }
}

#[tokio::test(start_paused = true)]
#[expect(clippy::print_stdout, reason = "the figures")]
async fn five_hundred_tests_at_once_take_what_the_throttle_makes_them_take() {
    const TESTS: u32 = 500;
    let life = u32::try_from(LIFE.len()).expect("it is five");
    for (per_second, burst) in [(5.0, 5), (5.0, 20), (50.0, 10)] {
        let weather = Weather::new(0).throttle("iam:* sts:AssumeRole", per_second, burst);
        let endpoint = under(weather);
        let Run { took, most_roles, throttled } = run(&endpoint, TESTS).await;
        let least = f64::from(TESTS * life - burst) / per_second;
        let ratio = took.as_secs_f64() / least;
        println!(
            "{TESTS} tests of {life} control calls at {per_second} calls a second and a burst of {burst}: {:.0} s, \
             {ratio:.3} times the least; {throttled} calls were throttled, at most {most_roles} roles at once",
            took.as_secs_f64(),
        );
        assert!(ratio <= 1.2, "{ratio}");
        assert!(most_roles < 40, "roles pile up: {most_roles}");
        let iam =
            aws_sdk_iam::Client::new(&Backend::of_endpoint(endpoint).admin().await.expect("it answers"));
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(iam.list_roles().send().await.expect("they are listed").roles().len(), 0);
    }
}

#[tokio::test]
async fn a_test_makes_five_control_calls() {
    let endpoint = Endpoint::new();
    let role = TemporaryRole::builder().policy(LISTS).backend(Backend::of_endpoint(endpoint.clone()));
    role.create().await.expect("a role").delete().await.expect("it is deleted");
    let asked: Vec<_> =
        endpoint.journal().last(usize::MAX).iter().map(|event| event.operation.clone()).collect();
    assert_eq!(asked, LIFE);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_tried_until_it_is_taken() {
    for call in LIFE {
        // Many times in a row, which no number of retries survives.
        let weather =
            (1..=30).fold(Weather::new(0), |weather, nth| weather.nth(call, nth, Mishap::Throttled));
        let endpoint = under(weather);
        let role = TemporaryRole::builder().policy(LISTS).backend(Backend::of_endpoint(endpoint.clone()));
        let role = role.create().await.unwrap_or_else(|error| panic!("{call}: {error}"));
        role.delete().await.unwrap_or_else(|error| panic!("{call}: {error}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_is_tried_for_longer_than_anything_else() {
    let start = Instant::now();
    let always = Weather::new(0).chance("iam:PutRolePolicy", Mishap::Throttled, 1.0);
    let role = TemporaryRole::builder().policy(LISTS).backend(Backend::of_endpoint(under(always)));
    let error = role.create().await.expect_err("it is throttled for good").to_string();
    assert!(error.contains("`PutRolePolicy`") && error.contains("Throttling"), "{error}");
    assert!(error.ends_with("what had been created was removed again"), "{error}");
    assert!((300..420).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());

    let began = Instant::now();
    let endpoint = under(
        (1..=2_000)
            .fold(Weather::new(0), |weather, nth| weather.nth("iam:DeleteRole", nth, Mishap::Throttled)),
    );
    let role = TemporaryRole::builder().policy(LISTS).backend(Backend::of_endpoint(endpoint));
    role.create().await.expect("a role").delete().await.expect("it is deleted at last");
    assert!(began.elapsed().as_secs() > 600, "{:?}", began.elapsed());
}
