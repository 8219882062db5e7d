//! Whatever happens to a control call, the test runs if it can, and no role is left.

use std::sync::Arc;
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

/// A role's life with up to two faults at chosen calls, which the SDK's three attempts bear; and one in such weather that it
/// may fail half way, or fail to be removed.
async fn in_bad_weather(seed: u64) -> Result<(), String> {
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

    let storm = LIFE.into_iter().flat_map(|call| MISHAPS.map(|mishap| (call, mishap)));
    let storm = storm.fold(Weather::new(seed), |storm, (call, mishap)| storm.chance(call, mishap, 0.1));
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

fn lives_in_bad_weather(count: u64) {
    for seed in 0..count {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let life = runtime.expect("a runtime").block_on(in_bad_weather(seed));
        life.expect("a test that should pass does");
    }
}

#[test]
fn two_faults_in_a_life_fail_no_test_and_after_the_lease_nothing_is_left() {
    lives_in_bad_weather(50);
}

/// `cargo test --test faults -- --ignored` takes some minutes.
#[test]
#[ignore = "takes minutes"]
fn five_thousand_lives_in_bad_weather() {
    lives_in_bad_weather(5_000);
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
