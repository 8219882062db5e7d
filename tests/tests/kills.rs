//! Wherever in a role's life its process is killed, the next run removes the role: at once on the same machine, and after the
//! lease on any other.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use iam_endpoint::Endpoint;
use iam_fixture::{Readiness, TemporaryRole, assert_denied};
use iam_fixture_tests::{Ambush, Child, Moment, Served, all_at};

/// Nothing in it can be asked for readiness, so that a role's life has a canary statement too.
const SENDS: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:123456789012:jobs"}}"#;

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_uses_a_role_with_a_boundary() {
    let body = async |role: TemporaryRole| {
        let iam = aws_sdk_iam::Client::new(role.config());
        assert_denied!(iam.list_roles().send().await);
    };
    let role = TemporaryRole::builder().policy(SENDS).boundary(SENDS);
    role.readiness(Readiness::default().in_a_row(1)).scoped(body).await.unwrap();
}

/// An account whose clock can be moved on, with roles of others.
struct Account {
    served: Served,
    /// By how many minutes the clock is ahead.
    ahead: Arc<AtomicU64>,
    /// Whether the run's settings let the administrator assume each role by a policy of its own: one thing more to take back.
    /// All of a user's policies measure 2,048 characters at most, so not many such roles can be left.
    grants: bool,
}

impl Account {
    async fn new() -> Account {
        let ahead = Arc::new(AtomicU64::new(0));
        let minutes = ahead.clone();
        let clock = move || SystemTime::now() + Duration::from_mins(minutes.load(Ordering::Relaxed));
        let served = Served::of(Endpoint::builder().clock(clock).build());
        let iam = aws_sdk_iam::Client::new(&served.admin().await);
        let trust = r#"{"Version": "2012-10-17", "Statement":
            {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}}"#;
        for (path, name) in [("/", "iam-fixture-of-no-lease"), ("/service/iam-fixture/1/", "service")] {
            let call = iam.create_role().path(path).role_name(name);
            call.assume_role_policy_document(trust).send().await.unwrap();
        }
        Account { served, ahead, grants: false }
    }

    /// Whatever is there besides the roles of others, which must be.
    async fn left(&self) -> Vec<String> {
        let mut left = all_at(&self.served.admin().await).await;
        for foreign in ["iam-fixture-of-no-lease", "service"] {
            assert!(left.contains(&foreign.to_owned()), "{left:?}");
        }
        left.retain(|name| !["iam-fixture-of-no-lease", "service"].contains(&&**name));
        left.extend(self.grants_left().await);
        left
    }

    /// The policies that the administrator would not have by itself.
    async fn grants_left(&self) -> Vec<String> {
        let iam = aws_sdk_iam::Client::new(&self.served.admin().await);
        let listed = iam.list_user_policies().user_name("administrator").send().await;
        listed.unwrap().policy_names().to_vec()
    }

    /// Runs the child on a machine; whether it was killed at its nth call, for it may have made fewer.
    fn is_killed(&self, machine: &Path, nth: usize, moment: Moment) -> bool {
        let ambush = Ambush::at(self.served.address(), nth, moment);
        let child = self.start(machine, ambush.url());
        ambush.set_victim(child.id());
        let (status, _, errors) = child.end();
        if ambush.seen() < nth {
            assert!(status.success(), "{errors}");
            return false;
        }
        assert_eq!(status.signal(), Some(9), "{nth} {moment:?}: {errors}");
        true
    }

    /// Runs the child on a machine to its end.
    fn passes(&self, machine: &Path) {
        let (status, _, errors) = self.start(machine, &self.served.url()).end();
        assert!(status.success(), "{errors}");
    }

    fn start(&self, machine: &Path, url: &str) -> Child {
        let mut variables = self.served.variables_as_aws(url);
        variables.push(("XDG_STATE_HOME".to_owned(), machine.display().to_string()));
        variables.push(("IAM_FIXTURE_GRANT_ASSUME".to_owned(), self.grants.to_string()));
        Child::start("child_uses_a_role_with_a_boundary", variables)
    }
}

/// A machine that has never run a test, by the folder of its ledgers.
fn new_machine() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let folder = format!("machine-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("machines").join(folder)
}

/// Kills a process at each of its calls at these moments; tells how many kills that took.
async fn killed_everywhere(moments: &[Moment], account: &Account, after_each: impl AsyncFn(&Path)) -> usize {
    let mut kills = 0;
    for moment in moments {
        for nth in 1.. {
            let machine = new_machine();
            if !account.is_killed(&machine, nth, *moment) {
                break;
            }
            kills += 1;
            after_each(&machine).await;
        }
    }
    kills
}

#[tokio::test]
async fn the_next_run_of_the_machine_removes_what_a_killed_one_made() {
    let account = Account { grants: true, ..Account::new().await };
    let kills = killed_everywhere(&[Moment::Before, Moment::After], &account, async |machine| {
        account.passes(machine);
        assert_eq!(account.left().await, [""; 0]);
    });
    let kills = kills.await;
    println!("{kills} kills, nothing left after the next run on the machine");
    assert!(kills >= 2 * 12, "{kills}");
}

#[tokio::test]
async fn when_the_lease_is_over_a_run_of_any_machine_removes_it() {
    let mut account = Account::new().await;
    let kills = killed_everywhere(&Moment::ALL, &account, async |_| ()).await;
    let left = account.left().await.len();
    println!("{kills} kills left {left} roles and policies; nothing was left after the lease");
    assert!(left >= 8, "{left}");
    account.grants = true;
    for nth in 9..12 {
        assert!(account.is_killed(&new_machine(), nth, Moment::After));
    }
    assert!(!account.grants_left().await.is_empty());
    let left = account.left().await.len();

    account.passes(&new_machine());
    assert_eq!(account.left().await.len(), left, "the leases are not over");
    account.ahead.store(121, Ordering::Relaxed);
    account.passes(&new_machine());
    assert_eq!(account.left().await, [""; 0]);
}

/// A lease is counted by the account's clock, and the session ends within it.
#[tokio::test]
async fn a_lease_is_as_long_as_the_run_was_told_by_the_account_s_clock() {
    let account = Account::new().await;
    let start = |ahead: u64, lease: &str| {
        account.ahead.store(ahead, Ordering::Relaxed);
        let mut variables = account.served.variables_as_aws(&account.served.url());
        variables.push(("XDG_STATE_HOME".to_owned(), new_machine().display().to_string()));
        variables.push(("IAM_FIXTURE_LEASE".to_owned(), lease.to_owned()));
        Child::start("child_has_a_session_of_25_minutes", variables).end()
    };
    for ahead in [0, 24 * 60] {
        let (status, _, errors) = start(ahead, "30m");
        assert!(status.success(), "{errors}");
        let events = account.served.endpoint.journal().last(usize::MAX);
        let created = events.iter().rev().find(|event| event.operation == "iam:CreateRole").unwrap();
        let end: u64 = created.authorizations[0].resource().split('/').nth(2).unwrap().parse().unwrap();
        let end = UNIX_EPOCH + Duration::from_secs(end);
        let lease = end.duration_since(created.time).unwrap();
        assert!((Duration::from_mins(29)..=Duration::from_mins(30)).contains(&lease), "{ahead}: {lease:?}");
    }
    let (status, _, errors) = start(0, "10m");
    assert!(!status.success());
    assert!(errors.contains("`10m` (IAM_FIXTURE_LEASE) is not the length of a lease"), "{errors}");
    assert_eq!(account.left().await, [""; 0]);
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_has_a_session_of_25_minutes() {
    let body = async |role: TemporaryRole| {
        let end = role.credentials().expiry().unwrap();
        // The account's clock may be ahead by days.
        let left = end.duration_since(SystemTime::now()).unwrap().as_secs() % (24 * 60 * 60);
        assert!((24 * 60..=25 * 60).contains(&left), "{left}");
    };
    TemporaryRole::builder()
        .policy(SENDS)
        .readiness(Readiness::default().in_a_row(1))
        .scoped(body)
        .await
        .unwrap();
}

/// `cargo test --test kills -- --ignored --nocapture thousands` prints the figures.
#[tokio::test]
#[ignore = "takes many minutes"]
async fn thousands_of_kills() {
    let account = Account::new().await;
    let mut kills = 0;
    while kills < 2_000 {
        let round = killed_everywhere(&Moment::ALL, &account, async |machine| {
            // Half of the machines run again; the others are gone for good.
            if kills % 2 == 0 {
                account.passes(machine);
            }
        });
        kills += round.await;
        let left = account.left().await.len();
        account.ahead.store(121, Ordering::Relaxed);
        account.passes(&new_machine());
        assert_eq!(account.left().await, [""; 0]);
        // A machine whose clock is off learns so from a refusal, and each would wait for that.
        account.ahead.store(0, Ordering::Relaxed);
        println!("{kills} kills; {left} left before the lease, none after it");
    }
}
