//! A sweep removes everything whose lease is over, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use iam_endpoint::Endpoint;
use iam_endpoint::weather::{Mishap, Weather};
use iam_fixture::sweep::Sweep;
use iam_fixture::{Backend, TemporaryRole};
use proptest::prelude::*;
use tokio::time::Instant;

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}}"#;

const LISTS: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}}"#;

/// An endpoint in the time of this test's runtime, which is paused.
fn under(weather: Weather) -> Endpoint {
    let (began, epoch) = (Instant::now(), SystemTime::now());
    Endpoint::builder().clock(move || epoch + began.elapsed()).weather(weather).build()
}

async fn admin(endpoint: &Endpoint) -> aws_sdk_iam::Client {
    let admin = Backend::of_endpoint(endpoint.clone()).admin().await.expect("it answers");
    aws_sdk_iam::Client::new(&admin)
}

async fn sweep_of(endpoint: &Endpoint) -> Sweep {
    Sweep::at(&Backend::of_endpoint(endpoint.clone())).await.expect("it answers")
}

/// Finds and removes; tells how many.
async fn swept(endpoint: &Endpoint) -> usize {
    let sweep = sweep_of(endpoint).await;
    let found = sweep.find().await.expect("all is listed");
    for orphan in found.orphans() {
        sweep.remove(orphan).await.expect("it is removed");
    }
    found.orphans().len()
}

async fn create(iam: &aws_sdk_iam::Client, path: &str, name: &str) {
    let call = iam.create_role().role_name(name).path(path).assume_role_policy_document(TRUST);
    call.send().await.expect("it is created");
}

/// The names of all roles and policies of the account's own, whatever their path.
async fn left(iam: &aws_sdk_iam::Client) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut pages = iam.list_roles().max_items(1_000).into_paginator().send();
    while let Some(page) = pages.next().await {
        names.extend(page.expect("they are listed").roles().iter().map(|role| role.role_name().to_owned()));
    }
    let mut pages =
        iam.list_policies().scope(aws_sdk_iam::types::PolicyScopeType::Local).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.expect("they are listed");
        names.extend(page.policies().iter().filter_map(|policy| Some(policy.policy_name()?.to_owned())));
    }
    names
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

fn path(end: SystemTime) -> String {
    format!("/iam-fixture/{}/", end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

#[tokio::test(start_paused = true)]
async fn what_the_fixture_makes_is_an_orphan_when_its_lease_is_over_and_not_before() {
    let endpoint = under(Weather::new(0));
    let role = TemporaryRole::builder().policy(LISTS).boundary(LISTS);
    let role = role.backend(Backend::of_endpoint(endpoint.clone())).create().await.expect("a role");
    let sweep = sweep_of(&endpoint).await;
    tokio::time::advance(Duration::from_mins(119)).await;
    let found = sweep.find().await.expect("all is listed");
    assert_eq!((found.orphans().len(), found.leased(), found.pages()), (0, 2, 2));

    tokio::time::advance(Duration::from_mins(2)).await;
    let found = sweep.find().await.expect("all is listed");
    let kinds: Vec<_> = found.orphans().iter().map(iam_fixture::sweep::Orphan::kind).collect();
    assert_eq!(kinds, ["role", "policy"]);
    assert_eq!(found.orphans()[0].arn(), role.arn());
    let older = sweep.clone().older_than(Duration::from_hours(3));
    assert_eq!(older.find().await.expect("all is listed").orphans().len(), 0);
    assert_eq!(swept(&endpoint).await, 2);
    assert_eq!(left(&admin(&endpoint).await).await, names([]));
    role.delete().await.expect("what is gone is deleted");
}

#[tokio::test(start_paused = true)]
async fn an_orphan_goes_in_two_calls_and_one_with_more_on_it_goes_too() {
    let endpoint = under(Weather::new(0));
    let iam = admin(&endpoint).await;
    let past = path(endpoint.now() - Duration::from_secs(5));
    create(&iam, &past, "plain").await;
    let put = iam.put_role_policy().role_name("plain").policy_name("policy-1").policy_document(LISTS);
    put.send().await.expect("it is put");
    assert_eq!(swept(&endpoint).await, 1);
    let last: Vec<_> = endpoint.journal().last(4).iter().map(|event| event.operation.clone()).collect();
    assert_eq!(last, ["iam:ListRoles", "iam:ListPolicies", "iam:DeleteRolePolicy", "iam:DeleteRole"]);

    create(&iam, &past, "laden").await;
    for number in 0..3 {
        let put = iam.put_role_policy().role_name("laden").policy_name(format!("own-{number}"));
        put.policy_document(LISTS).send().await.expect("it is put");
    }
    let attach = iam.attach_role_policy().role_name("laden");
    attach.policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess").send().await.expect("it is attached");
    iam.create_instance_profile().instance_profile_name("profile").send().await.expect("it is created");
    let add = iam.add_role_to_instance_profile().role_name("laden").instance_profile_name("profile");
    add.send().await.expect("it is added");
    let boundary = iam.create_policy().policy_name("boundary").path(&past).policy_document(LISTS);
    let boundary =
        boundary.send().await.expect("it is created").policy().and_then(|policy| policy.arn.clone());
    let boundary = boundary.expect("it has an ARN");
    let version = iam.create_policy_version().policy_arn(&boundary).policy_document(LISTS);
    version.set_as_default(true).send().await.expect("it is created");
    let bound = iam.put_role_permissions_boundary().role_name("laden").permissions_boundary(boundary);
    bound.send().await.expect("it is bound");
    assert_eq!(swept(&endpoint).await, 2);
    assert_eq!(left(&iam).await, names([]));
    let profile = iam.get_instance_profile().instance_profile_name("profile").send().await;
    let profile = profile.expect("it is somebody else's").instance_profile.expect("it is told");
    assert_eq!(profile.roles().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_in_our_path_is_nobody_s_orphan() {
    let endpoint = under(Weather::new(0));
    let iam = admin(&endpoint).await;
    for (number, path) in [
        "/",
        "/iam-fixture/",
        "/iam-fixture/1/deeper/",
        "/iam-fixture/1x/",
        "/iam-fixture-1/",
        "/team/iam-fixture/1/",
    ]
    .into_iter()
    .enumerate()
    {
        create(&iam, path, &format!("iam-fixture-{number}")).await;
    }
    let before = left(&iam).await;
    assert_eq!(swept(&endpoint).await, 0);
    assert_eq!(left(&iam).await, before);

    let below = sweep_of(&endpoint).await.below("/team/").expect("it is a path");
    let found = below.find().await.expect("all is listed");
    assert_eq!(found.orphans().len(), 1);
    assert!(found.orphans()[0].arn().ends_with("/iam-fixture-5"), "{found:?}");
    assert!(sweep_of(&endpoint).await.below("team").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_for_good_is_told_and_throttling_only_takes_time() {
    let endpoint = under(Weather::new(3).chance("iam:*Role*", Mishap::Throttled, 0.6));
    let iam = admin(&endpoint).await;
    let past = path(endpoint.now() - Duration::from_secs(5));
    let mut made = 0;
    for number in 0..20 {
        let call = iam.create_role().role_name(format!("orphan-{number}")).path(&past);
        made += usize::from(call.assume_role_policy_document(TRUST).send().await.is_ok());
    }
    assert!(made > 0);
    assert_eq!(swept(&endpoint).await, made);

    let endpoint = under(Weather::new(0).chance("iam:ListPolicies", Mishap::Unavailable, 1.0));
    let error = sweep_of(&endpoint).await.find().await.expect_err("they cannot be listed").to_string();
    assert!(error.starts_with("`ListPolicies` of `/iam-fixture/` failed: ServiceUnavailable"), "{error}");
}

/// What a machine of the run does at some time.
#[derive(Clone, Debug)]
enum Step {
    /// Some minutes pass.
    Pass(u64),
    /// A machine makes a role with a lease of so many minutes.
    Make(u64),
    /// So many machines sweep at once.
    Sweep(usize),
    /// The servers' clocks, or those of the machines, which is the same to the others, are off by so many minutes.
    Skew(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..50_u64).prop_map(Step::Pass),
        (20..90_u64).prop_map(Step::Make),
        (1..4_usize).prop_map(Step::Sweep),
        (-10..=10_i64).prop_map(Step::Skew),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// A role is live until the server's clock has passed its lease's end. How far that clock is from those of the machines,
    /// and from its own earlier self, is for each step to say.
    #[test]
    fn nothing_live_is_ever_removed_and_everything_else_is(
        steps in proptest::collection::vec(step(), 1..30), seed in 0..u64::MAX,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let skew = Arc::new(AtomicI64::new(0));
            let (began, epoch, minutes) = (Instant::now(), SystemTime::now(), skew.clone());
            let clock = move || {
                let true_time = epoch + began.elapsed();
                let by = Duration::from_mins(minutes.load(Ordering::Relaxed).unsigned_abs());
                if minutes.load(Ordering::Relaxed) < 0 { true_time - by } else { true_time + by }
            };
            // Throttled calls wait, so that sweeps that run at once overtake each other.
            let weather = Weather::new(seed).chance("iam:Delete*", Mishap::Throttled, 0.3);
            let endpoint = Endpoint::builder().clock(clock).weather(weather).build();
            create(&admin(&endpoint).await, "/", "foreign").await;
            let mut leases = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                // Another machine's: a client remembers how far off its clock was.
                let iam = admin(&endpoint).await;
                match step {
                    Step::Pass(minutes) => tokio::time::advance(Duration::from_mins(minutes)).await,
                    Step::Make(minutes) => {
                        let end = endpoint.now() + Duration::from_mins(minutes);
                        let name = format!("role-{number}");
                        create(&iam, &path(end), &name).await;
                        leases.push((name, end));
                    }
                    Step::Skew(minutes) => skew.store(minutes, Ordering::Relaxed),
                    Step::Sweep(machines) => {
                        // As whole seconds, for such a lease's end has no others.
                        let over = endpoint.now() - Duration::from_secs(1);
                        let sweeps: Vec<_> = (0..machines)
                            .map(|_| {
                                let endpoint = endpoint.clone();
                                tokio::spawn(async move { swept(&endpoint).await })
                            })
                            .collect();
                        for sweep in sweeps {
                            sweep.await.expect("no sweep fails because of another");
                        }
                        let left = left(&iam).await;
                        assert!(left.contains("foreign"));
                        let by_now = endpoint.now();
                        for (name, end) in &leases {
                            assert!(*end < by_now || left.contains(name), "{name} was live");
                        }
                        for (name, end) in &leases {
                            assert!(*end >= over || !left.contains(name), "{name} was not");
                        }
                        leases.retain(|(name, _)| left.contains(name));
                    }
                }
            }
        });
    }
}

/// So many kibibytes of this process are in memory.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

/// Sweeps so many orphans among twice as many foreign roles at five calls a second, in virtual time.
#[expect(clippy::print_stdout, reason = "the figures")]
async fn at_five_calls_a_second(orphans: usize) {
    const ADMITTED: f64 = 5.0;
    let endpoint = under(Weather::new(1).throttle("iam:*", ADMITTED, 10));
    let iam = admin(&endpoint).await;
    let past = path(endpoint.now());
    let in_step = || tokio::time::sleep(Duration::from_millis(200));
    for number in 0..orphans {
        create(&iam, &past, &format!("orphan-{number:05}")).await;
        in_step().await;
        let put = iam.put_role_policy().role_name(format!("orphan-{number:05}")).policy_name("policy-1");
        put.policy_document(LISTS).send().await.expect("it is put");
        in_step().await;
        for half in ["a", "b"] {
            create(&iam, "/service/", &format!("foreign-{number:05}{half}")).await;
            in_step().await;
        }
    }
    let live = path(endpoint.now() + Duration::from_hours(100));
    create(&iam, &live, "live").await;
    tokio::time::sleep(Duration::from_secs(10)).await;

    let (start, memory) = (Instant::now(), resident());
    let sweep = sweep_of(&endpoint).await;
    let found = sweep.find().await.expect("all is listed");
    let memory = resident().zip(memory).map_or(0, |(now, then)| now.saturating_sub(then));
    for orphan in found.orphans() {
        sweep.remove(orphan).await.expect("it is removed");
    }
    let took = start.elapsed();
    // A page for each thousand of ours, and one of policies; then two calls for each orphan.
    let pages = (orphans + 1).div_ceil(1_000) + 1;
    let calls = u32::try_from(pages + 2 * orphans).expect("a few thousand");
    let minimum = f64::from(calls) / ADMITTED;
    println!(
        "{orphans} orphans among {} foreign roles at {ADMITTED} calls a second: {} pages, {} removed in {:.0} s, \
         {:.2} times the least; {memory} KiB for what was found",
        2 * orphans,
        found.pages(),
        found.orphans().len(),
        took.as_secs_f64(),
        took.as_secs_f64() / minimum,
    );
    assert_eq!(found.pages(), pages);
    assert!(took.as_secs_f64() < 1.2 * minimum && memory < 16_384, "{took:?}, {memory} KiB");
    assert_eq!((found.orphans().len(), found.leased()), (orphans, 1));
    let left = left(&iam).await;
    assert_eq!(left.len(), 2 * orphans + 1);
    assert!(left.iter().all(|name| name == "live" || name.starts_with("foreign-")));
}

#[tokio::test(start_paused = true)]
async fn many_orphans_go_at_the_rate_that_the_account_admits() {
    at_five_calls_a_second(100).await;
}

/// `cargo test --test sweep -- --ignored --nocapture` prints the figures.
#[tokio::test(start_paused = true)]
#[ignore = "takes minutes"]
async fn five_thousand_orphans_go_and_ten_thousand_foreign_roles_stay() {
    at_five_calls_a_second(5_000).await;
}
