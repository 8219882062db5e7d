//! Whatever happens to a control call, the test runs if it can, and no role is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, SystemTime};

use iam_endpoint::weather::{Mishap, Weather};
use iam_endpoint::{Endpoint, Event};
use iam_fixture::sweep::Sweep;
use iam_fixture::{Backend, TemporaryRole, TemporaryRoleBuilder};
use tokio::time::Instant;

/// The control calls of a role's life.
const LIFE: [&str; 5] =
    ["iam:CreateRole", "iam:PutRolePolicy", "sts:AssumeRole", "iam:DeleteRolePolicy", "iam:DeleteRole"];

/// All but silence: over a socket that ends by a time limit, in this process nothing ends it.
const MISHAPS: [Mishap; 5] =
    [Mishap::AnswerLost, Mishap::InternalError, Mishap::Reset, Mishap::Throttled, Mishap::Unavailable];

const LISTS: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}}"#;

fn under(weather: Weather) -> Endpoint {
    let (began, epoch) = (Instant::now(), SystemTime::now());
    Endpoint::builder().clock(move || epoch + began.elapsed()).weather(weather).build()
}

fn lister(endpoint: &Endpoint) -> TemporaryRoleBuilder {
    TemporaryRole::builder().policy(LISTS).backend(Backend::of_endpoint(endpoint.clone()))
}

/// What there is at an endpoint that is ours: roles, and managed policies.
async fn left(endpoint: &Endpoint) -> usize {
    let admin = Backend::of_endpoint(endpoint.clone()).admin().await.expect("it answers");
    let iam = aws_sdk_iam::Client::new(&admin);
    let roles = iam.list_roles().send().await.expect("they are listed").roles().len();
    let scope = aws_sdk_iam::types::PolicyScopeType::Local;
    roles + iam.list_policies().scope(scope).send().await.expect("they are listed").policies().len()
}

#[tokio::test(start_paused = true)]
async fn one_fault_at_any_control_call_neither_fails_the_test_nor_leaves_a_role() {
    for call in LIFE {
        for mishap in MISHAPS {
            let endpoint = under(Weather::new(0).nth(call, 1, mishap));
            let role =
                lister(&endpoint).create().await.unwrap_or_else(|error| panic!("{call} {mishap:?}: {error}"));
            let iam = aws_sdk_iam::Client::new(role.config());
            iam.list_roles().send().await.expect("it is allowed");
            role.delete().await.unwrap_or_else(|error| panic!("{call} {mishap:?}: {error}"));
            assert_eq!(left(&endpoint).await, 0, "{call} {mishap:?}");
        }
    }
}

/// Calls that fail cost time, and not the patience of the calls after them.
#[tokio::test(start_paused = true)]
async fn a_run_in_which_each_call_fails_twice_fails_no_test() {
    const LIVES: u32 = 60;
    let mut weather = Weather::new(0);
    for (call, life) in LIFE.into_iter().flat_map(|call| (0..LIVES).map(move |life| (call, life))) {
        for failure in 1..=2 {
            let mishap = MISHAPS.iter().cycle().nth((life + failure) as usize);
            weather = weather.nth(call, 3 * life + failure, *mishap.expect("it goes round"));
        }
    }
    let endpoint = under(weather);
    let backend = Backend::of_endpoint(endpoint.clone());
    for life in 0..LIVES / 4 {
        // Side by side, as tests are.
        let four = (0..4).map(async |_| {
            let role = TemporaryRole::builder().policy(LISTS).backend(backend.clone()).create().await?;
            role.delete().await
        });
        for outcome in together(four).await {
            outcome.unwrap_or_else(|error| panic!("{life}: {error}"));
        }
    }
    assert_eq!(left(&endpoint).await, 0);
}

/// Runs these side by side on this task.
async fn together<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in running.iter_mut().filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(done) = future.as_mut().poll(context) {
                *output = Some(done);
            }
        }
        let is_done = running.iter().all(|(_, output)| output.is_some());
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_down_for_a_while_only_takes_time() {
    for call in LIFE {
        for mishap in [Mishap::InternalError, Mishap::Reset, Mishap::Unavailable] {
            let down = (1..=8).fold(Weather::new(0), |weather, nth| weather.nth(call, nth, mishap));
            let endpoint = under(down);
            let role =
                lister(&endpoint).create().await.unwrap_or_else(|error| panic!("{call} {mishap:?}: {error}"));
            role.delete().await.unwrap_or_else(|error| panic!("{call} {mishap:?}: {error}"));
            assert_eq!(left(&endpoint).await, 0, "{call} {mishap:?}");
        }
    }
}

/// Each test would wait for a minute.
#[tokio::test(start_paused = true)]
async fn what_is_down_for_good_is_not_asked_again_by_each_test() {
    let endpoint = under(Weather::new(0).chance("*", Mishap::Unavailable, 1.0));
    let backend = Backend::of_endpoint(endpoint.clone());
    for _ in 0..200 {
        let role = TemporaryRole::builder().policy(LISTS).backend(backend.clone());
        role.create().await.expect_err("it is down");
    }
    // To create the role and, as that may have been done, to delete it; and a hundred times again.
    let asked = endpoint.journal().last(usize::MAX).len();
    assert_eq!(asked, 2 * 200 + 100);
}

/// A role's life with up to two faults at chosen calls.
async fn with_two_faults(seed: u64) -> Result<(), String> {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut weather = Weather::new(seed);
    for _ in 0..2 {
        let (call, mishap) = (dice.choice(LIFE), dice.choice(MISHAPS));
        weather = weather.nth(call.unwrap_or_default(), dice.u32(1..3), mishap.unwrap_or(Mishap::Reset));
    }
    let endpoint = under(weather);
    let role = lister(&endpoint).create().await.map_err(|error| format!("{seed}: {error}"))?;
    let iam = aws_sdk_iam::Client::new(role.config());
    iam.list_roles().send().await.map_err(|error| format!("{seed}: {error:?}"))?;
    role.delete().await.map_err(|error| format!("{seed}: {error}"))?;
    assert_eq!(left(&endpoint).await, 0, "{seed}");
    Ok(())
}

/// A role's life in such weather that it may fail half way, or fail to be removed.
async fn in_a_storm(seed: u64) -> Result<(), String> {
    let storm = LIFE.into_iter().flat_map(|call| MISHAPS.map(|mishap| (call, mishap)));
    let storm = storm.fold(Weather::new(seed), |storm, (call, mishap)| storm.chance(call, mishap, 0.17));
    let endpoint = under(storm);
    if let Ok(role) = lister(&endpoint).create().await {
        let iam = aws_sdk_iam::Client::new(role.config());
        iam.list_roles().send().await.map_err(|error| format!("{seed}: {error:?}"))?;
        // What fails is printed, and left to a sweep.
        let _ = role.delete().await;
    }
    tokio::time::advance(Duration::from_hours(3)).await;
    // In the same weather, so that one sweep may not do.
    for _ in 0..20 {
        let sweep = Sweep::at(&Backend::of_endpoint(endpoint.clone())).await;
        let sweep = sweep.map_err(|error| error.to_string())?;
        for orphan in sweep.find().await.map_err(|error| format!("{seed}: {error}"))?.orphans() {
            let _ = sweep.remove(orphan).await;
        }
        if left(&endpoint).await == 0 {
            return Ok(());
        }
    }
    Err(format!("{seed}: something is left"))
}

/// On all cores, each in a world of its own.
fn lives<F: Future<Output = Result<(), String>>>(count: u64, life: impl Fn(u64) -> F + Sync) {
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count {
                return;
            }
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
            let life = runtime.expect("a runtime").block_on(life(seed));
            life.expect("a test that should pass does");
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        (0..cores).for_each(|_| drop(scope.spawn(work)));
    });
}

#[test]
fn two_faults_in_a_life_fail_no_test_and_after_the_lease_nothing_is_left() {
    lives(50, with_two_faults);
    lives(20, in_a_storm);
}

/// `cargo test --test faults -- --ignored` takes some minutes.
#[test]
#[ignore = "takes minutes"]
fn five_thousand_lives_in_bad_weather() {
    lives(5_000, with_two_faults);
    lives(5_000, in_a_storm);
}

#[tokio::test(start_paused = true)]
async fn a_boundary_whose_answer_is_lost_is_ours_too() {
    for mishap in MISHAPS {
        let endpoint = under(Weather::new(0).nth("iam:CreatePolicy", 1, mishap));
        let role = lister(&endpoint).boundary(LISTS).create().await;
        role.unwrap_or_else(|error| panic!("{mishap:?}: {error}")).delete().await.expect("it is deleted");
        assert_eq!(left(&endpoint).await, 0, "{mishap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_for_good_is_named_and_what_was_made_is_removed() {
    for call in &LIFE[..3] {
        let endpoint = under(Weather::new(0).chance(*call, Mishap::InternalError, 1.0));
        let error = lister(&endpoint).create().await.expect_err("it fails each time").to_string();
        let (_, name) = call.split_once(':').expect("a service and an operation");
        assert!(error.starts_with(&format!("`{name}` of `")), "{error}");
        assert!(error.contains("failed: ServiceFailure") && error.contains("(request id "), "{error}");
        assert!(error.ends_with("what had been created was removed again"), "{error}");
        assert_eq!(left(&endpoint).await, 0, "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_reached_is_told_in_aws_s_words() {
    let endpoint = under(Weather::new(0).most_roles(1));
    let first = lister(&endpoint).create().await.expect("there is room for one");
    let error = lister(&endpoint).create().await.expect_err("there is none for two").to_string();
    assert!(error.contains("LimitExceeded: Cannot exceed quota for RolesPerAccount: 1"), "{error}");
    first.delete().await.expect("it is deleted");
    assert_eq!(left(&endpoint).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_is_corrected() {
    let off = std::time::Duration::from_mins(20);
    for weather in [Weather::new(0).clock_ahead(off), Weather::new(0).clock_behind(off)] {
        let endpoint = under(weather);
        lister(&endpoint)
            .create()
            .await
            .expect("the SDK learns the time")
            .delete()
            .await
            .expect("it is deleted");
        let refused = |event: &&Arc<Event>| event.code.as_deref() == Some("SignatureDoesNotMatch");
        assert!(endpoint.journal().last(usize::MAX).iter().filter(refused).count() > 0);
    }
}
