//! A role is given out when every server of the services that its policies name knows it, and hardly later.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use iam_endpoint::weather::{Mishap, Propagation, Weather};
use iam_endpoint::{Endpoint, Outcome};
use iam_fixture::{Backend, ErrorKind, Readiness, TemporaryRole};
use tokio::time::Instant;

/// Services whose lists the policy allows.
const LISTS: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": ["dynamodb:*", "iam:ListRoles"], "Resource": "*"}}"#;

/// Nothing in it can be asked without knowing more.
const SENDS: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:123456789012:jobs"}}"#;

/// An endpoint whose time is that of this test's runtime, which is paused.
fn under(weather: Weather) -> Endpoint {
    let (began, epoch) = (Instant::now(), SystemTime::now());
    Endpoint::builder().clock(move || epoch + began.elapsed()).weather(weather).build()
}

fn oscillating(seed: u64) -> Weather {
    Weather::new(seed).propagation(Propagation::default())
}

/// What one provisioning showed.
struct Observed {
    /// How long it took until every server of the services knew the role.
    truth: Duration,
    waited: Duration,
    calls: usize,
}

async fn provisioned(seed: u64, policy: &str, services: &[&str]) -> Observed {
    let endpoint = under(oscillating(seed));
    let start = endpoint_time(&endpoint).await;
    let builder = TemporaryRole::builder().policy(policy).backend(Backend::of_endpoint(endpoint.clone()));
    let role = builder.create().await.expect("the role becomes live");
    // What matters was put before; the canary may have been removed since.
    let events = endpoint.journal().last(usize::MAX);
    let assumed =
        events.iter().rev().find(|event| event.operation == "sts:AssumeRole").expect("it was assumed").time;
    let key = role.credentials().access_key_id();
    let known =
        services.iter().filter_map(|service| endpoint.known_everywhere(service, role.name(), key, assumed));
    let known = known.max().expect("there is propagation");
    let calls = events.len();
    let truth = known.duration_since(start).unwrap_or_default();
    let waited = role.ready_after();
    role.delete().await.expect("it is deleted");
    Observed { truth, waited, calls }
}

/// The endpoint's clock.
async fn endpoint_time(endpoint: &Endpoint) -> SystemTime {
    let request = http::Request::get("https://sts.us-east-1.amazonaws.com/").body(bytes::Bytes::new());
    endpoint.call(request.expect("a request")).await;
    endpoint.journal().last(1).pop().expect("it was journalled").time
}

/// Provisions a role for each seed, each in a world of its own, over all cores.
fn provision(seeds: Range<u64>, policy: &'static str, services: &'static [&'static str]) -> Vec<Observed> {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut observed = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return observed;
            }
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
            let one = provisioned(seed, policy, services);
            observed.push(runtime.expect("a runtime").block_on(one));
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..thread::available_parallelism().map_or(2, usize::from)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no provisioning fails")).collect()
    })
}

/// No role is given out early, and the median is hardly late.
#[expect(clippy::print_stdout, reason = "the figures")]
fn check(what: &str, observed: &[Observed]) {
    let early = observed.iter().filter(|one| one.waited < one.truth).count();
    let mut ratios: Vec<_> =
        observed.iter().map(|one| one.waited.as_secs_f64() / one.truth.as_secs_f64()).collect();
    ratios.sort_by(f64::total_cmp);
    let at = |share: usize| ratios.get((ratios.len() - 1) * share / 100).copied().unwrap_or_default();
    let mut truths: Vec<_> = observed.iter().map(|one| one.truth).collect();
    truths.sort();
    let calls: usize = observed.iter().map(|one| one.calls).sum();
    println!(
        "{what}: {} provisionings, {early} early; propagation {:.2} s (median) to {:.1} s; wait in propagation times: \
         {:.2} (median), {:.2} (90 %), {:.2} (most); {} calls each",
        observed.len(),
        truths.get(truths.len() / 2).map_or(0.0, Duration::as_secs_f64),
        truths.last().map_or(0.0, Duration::as_secs_f64),
        at(50),
        at(90),
        at(100),
        calls / observed.len(),
    );
    assert_eq!(early, 0);
    assert!(at(50) <= 1.3, "{}", at(50));
}

#[test]
fn a_role_is_given_out_when_it_is_known_everywhere_and_hardly_later() {
    check("lists", &provision(0..100, LISTS, &["dynamodb", "iam"]));
}

#[test]
fn where_nothing_can_be_asked_a_canary_shows_it() {
    check("canary", &provision(0..50, SENDS, &["sqs"]));
}

/// `cargo test --test readiness -- --ignored --nocapture` prints the figures.
#[test]
#[ignore = "takes minutes"]
fn ten_thousand_provisionings() {
    /// Figures are printed after so many.
    const STEP: usize = 500;
    for (what, policy, services, count) in [
        ("lists", LISTS, ["dynamodb", "iam"].as_slice(), 8_000),
        ("canary", SENDS, ["sqs"].as_slice(), 2_000),
    ] {
        let mut observed = Vec::new();
        for start in (0..count).step_by(STEP) {
            observed.extend(provision(start..start + STEP as u64, policy, services));
            check(what, &observed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_denial_reaches_a_test_that_the_policy_allows() {
    for seed in 0..20 {
        let endpoint = under(oscillating(seed));
        let backend = Backend::of_endpoint(endpoint.clone());
        let role = TemporaryRole::builder().policy(LISTS).backend(backend).create().await.expect("a role");
        let iam = aws_sdk_iam::Client::new(role.config());
        for _ in 0..20 {
            iam.list_roles().send().await.expect("it is allowed");
        }
        assert!(
            endpoint.journal().of(role.arn()).iter().any(|event| event.outcome == Outcome::Denied)
                || seed > 0
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_canary_is_gone_when_the_test_begins() {
    let endpoint = under(oscillating(1));
    let role = TemporaryRole::builder().policy(SENDS).backend(Backend::of_endpoint(endpoint.clone()));
    let role = role.create().await.expect("a role");
    let iam = aws_sdk_iam::Client::new(role.admin());
    let policies = iam.list_role_policies().role_name(role.name()).send().await.expect("they are listed");
    assert_eq!(policies.policy_names(), ["policy-1"]);
    let asked: Vec<_> =
        endpoint.journal().last(usize::MAX).iter().map(|event| event.operation.clone()).collect();
    let count = |operation: &str| asked.iter().filter(|one| *one == operation).count();
    assert_eq!((count("iam:PutRolePolicy"), count("iam:DeleteRolePolicy")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn without_a_canary_the_credentials_have_to_do() {
    let endpoint = under(oscillating(1));
    let readiness = Readiness::default().without_canary();
    let role = TemporaryRole::builder().policy(SENDS).readiness(readiness);
    role.backend(Backend::of_endpoint(endpoint.clone())).create().await.expect("a role");
    let put = |event: &&std::sync::Arc<iam_endpoint::Event>| event.operation == "iam:PutRolePolicy";
    assert_eq!(endpoint.journal().last(usize::MAX).iter().filter(put).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_does_not_become_live_is_removed_and_said_so() {
    let hour = Duration::from_hours(1);
    let slow = Propagation::default().typical(hour).longest(hour);
    let endpoint = under(Weather::new(0).propagation(slow));
    let backend = Backend::of_endpoint(endpoint.clone());
    let readiness = Readiness::default().deadline(Duration::from_secs(30));
    let start = Instant::now();
    let role = TemporaryRole::builder().policy(LISTS).readiness(readiness).backend(backend.clone());
    let error = role.create().await.expect_err("it is never live");
    assert!((30..34).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    let text = error.to_string();
    assert!(text.starts_with("`AssumeRole` of `iam-fixture-") && text.contains("AccessDenied"), "{text}");
    assert!(text.contains("it was tried for 3"), "{text}");
    assert!(text.contains("\n  what had been created was removed again\n  help: "), "{text}");
    let iam = aws_sdk_iam::Client::new(&backend.admin().await.expect("it answers"));
    assert_eq!(iam.list_roles().send().await.expect("they are listed").roles().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_knows_the_role_is_named_with_its_last_answer() {
    let endpoint = under(oscillating(2).chance("dynamodb:*", Mishap::Unavailable, 1.0));
    let role = TemporaryRole::builder().policy(LISTS).backend(Backend::of_endpoint(endpoint));
    let error = role.create().await.expect_err("it is never shown to be live");
    assert_eq!(error.kind(), ErrorKind::NotReady);
    let text = error.to_string();
    assert!(text.contains("was not live at `dynamodb` after 12"), "{text}");
    assert!(text.contains("ServiceUnavailable (HTTP 503)"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn failures_resets_and_silence_only_take_time() {
    for seed in 0..10 {
        let weather =
            [Mishap::Unavailable, Mishap::InternalError, Mishap::Reset, Mishap::Silence, Mishap::Throttled]
                .into_iter()
                .fold(oscillating(seed), |weather, mishap| weather.chance("dynamodb:*", mishap, 0.03));
        let role = TemporaryRole::builder().policy(LISTS).backend(Backend::of_endpoint(under(weather)));
        let role = role.create().await.expect("it becomes live");
        assert!(role.ready_after() > Duration::ZERO);
    }
}

#[tokio::test]
async fn in_fair_weather_nothing_is_asked() {
    let endpoint = Endpoint::new();
    let role = TemporaryRole::builder().policy(LISTS).backend(Backend::of_endpoint(endpoint.clone()));
    let role = role.create().await.expect("a role");
    assert_eq!(role.ready_after(), Duration::ZERO);
    assert_eq!(endpoint.journal().last(usize::MAX).len(), 3);
}
