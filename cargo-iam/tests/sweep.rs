//! `cargo iam sweep` lists what killed runs left, removes it when told so, and touches nothing else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::{Run, command, run, run_command};
use iam_endpoint::{Endpoint, Organization, Server, Target};
use iam_fixture::{Backend, PolicyDocument};

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}}"#;

/// An account with two orphans, a role whose lease goes on, and one that is nobody's of ours.
struct Account {
    endpoint: Endpoint,
    iam: aws_sdk_iam::Client,
    server: Server,
}

impl Account {
    async fn new(endpoint: Endpoint) -> Account {
        let server = endpoint.serve(([127, 0, 0, 1], 0).into()).unwrap();
        let admin = Backend::of_endpoint(endpoint.clone()).admin().await.unwrap();
        let account = Account { endpoint, iam: aws_sdk_iam::Client::new(&admin), server };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let lease = |end: Duration| format!("/iam-fixture/{}/", end.as_secs());
        let (over, live) =
            (lease(now.checked_sub(Duration::from_mins(61)).unwrap()), lease(now + Duration::from_hours(1)));
        for (path, name) in [(&*over, "orphan"), (&over, "second"), (&live, "live"), ("/service/", "foreign")]
        {
            let call = account.iam.create_role().path(path).role_name(name);
            call.assume_role_policy_document(TRUST).send().await.unwrap();
        }
        account
    }

    async fn roles(&self) -> Vec<String> {
        let listed = self.iam.list_roles().send().await.unwrap();
        listed.roles().iter().map(|role| role.role_name().to_owned()).collect()
    }

    fn sweep(&self, arguments: &[&str]) -> Run {
        self.sweep_with(arguments, &[("IAM_FIXTURE_BACKEND", &self.server.url())])
    }

    fn sweep_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let keys = self.endpoint.administrator();
        let mut command = command(&[&["sweep"], arguments].concat());
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "IAM_FIXTURE_ACCOUNT", "IAM_FIXTURE_BACKEND"] {
            command.env_remove(name);
        }
        command
            .env("AWS_ACCESS_KEY_ID", keys.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key);
        run_command(command.envs(variables.iter().copied()), "")
    }
}

#[tokio::test]
async fn it_lists_first_and_deletes_when_told_so() {
    let account = Account::new(Endpoint::new()).await;
    let listed = account.sweep(&[]);
    assert_eq!(listed.status, Some(0), "{}", listed.stderr);
    assert!(
        listed.stdout.starts_with("2 orphans in account 123456789012; 1 lease is not over\n"),
        "{listed:?}"
    );
    assert!(listed.stdout.contains("  role arn:aws:iam::123456789012:role/iam-fixture/"), "{listed:?}");
    // How many seconds ago depends on the machine.
    let mut lines = listed.stdout.lines();
    assert!(
        lines.any(|line| line.contains("/orphan  created ") && line.ends_with("s ago, lease over for 1h 1m")),
        "{listed:?}"
    );
    assert!(listed.stdout.ends_with("note: `--delete` removes them\n"), "{listed:?}");
    assert_eq!(account.roles().await, ["foreign", "live", "orphan", "second"]);
    assert!(
        account.endpoint.journal().last(usize::MAX).iter().all(|event| !event.operation.contains("Delete"))
    );

    let deleted = account.sweep(&["--delete"]);
    assert_eq!(deleted.status, Some(0), "{}", deleted.stderr);
    assert!(deleted.stdout.ends_with("\n2 removed\n"), "{deleted:?}");
    assert_eq!(account.roles().await, ["foreign", "live"]);
    let again = account.sweep(&["--delete"]);
    assert_eq!(again.stdout, "no orphans in account 123456789012; 1 lease is not over\n0 removed\n");
}

#[tokio::test]
async fn age_and_path_narrow_it_and_json_tells_all() {
    let account = Account::new(Endpoint::new()).await;
    let young = account.sweep(&["--delete", "--older-than", "2h"]);
    assert!(young.stdout.starts_with("no orphans"), "{young:?}");
    let elsewhere = account.sweep(&["--delete", "--path", "/team/"]);
    assert!(elsewhere.stdout.starts_with("no orphans"), "{elsewhere:?}");
    assert_eq!(account.roles().await.len(), 4);

    let json = |run: Run| -> serde_json::Value { serde_json::from_str(&run.stdout).unwrap() };
    let listed = json(account.sweep(&["--format", "json"]));
    assert_eq!((&listed["account"], &listed["leased"]), (&"123456789012".into(), &1.into()));
    let orphan = &listed["orphans"][0];
    assert_eq!((&orphan["kind"], &orphan["removed"]), (&"role".into(), &false.into()));
    assert!(orphan["leaseEnd"].as_str().unwrap().ends_with('Z'), "{orphan}");
    let deleted = json(account.sweep(&["--format", "json", "--delete", "--older-than", "0"]));
    assert!(
        deleted["orphans"].as_array().unwrap().iter().all(|orphan| orphan["removed"] == true),
        "{deleted}"
    );
    assert_eq!(account.roles().await, ["foreign", "live"]);
}

#[tokio::test]
async fn what_cannot_be_removed_is_told_and_the_rest_is_removed() {
    let endpoint = Endpoint::new();
    let account = Account::new(endpoint.clone()).await;
    let scp = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "iam:DeleteRole",
        "Resource": "arn:aws:iam::*:role/iam-fixture/*/orphan"}}"#;
    let scp = PolicyDocument::file("scp.json", scp).service_control().unwrap();
    let root = Target::new("r-ab12").with(Target::new("123456789012").scp(scp));
    endpoint.set_organization(Organization::new("o-a1b2c3d4e5", "111122223333", root));
    let run = account.sweep(&["--delete"]);
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(run.stdout.ends_with("\n1 removed\n"), "{run:?}");
    assert!(run.stderr.starts_with("error: role `arn:aws:iam::123456789012:role/iam-fixture/"), "{run:?}");
    assert!(
        run.stderr.contains("could not be removed: `DeleteRole` of `orphan` failed: AccessDenied"),
        "{run:?}"
    );
    assert_eq!(account.roles().await, ["foreign", "live", "orphan"]);
}

#[tokio::test]
async fn no_other_account_is_touched_and_the_embedded_one_has_no_orphans() {
    let account = Account::new(Endpoint::new()).await;
    let before = account.endpoint.journal().last(usize::MAX).len();
    let other = [
        ("IAM_FIXTURE_BACKEND", "aws"),
        ("IAM_FIXTURE_ACCOUNT", "111122223333"),
        ("AWS_ENDPOINT_URL", &account.server.url()),
    ];
    let refused = account.sweep_with(&["--delete"], &other);
    assert_eq!((refused.status, &*refused.stdout), (Some(2), ""), "{refused:?}");
    assert!(refused.stderr.contains("the tests may use account 111122223333 only"), "{refused:?}");
    assert_eq!(account.endpoint.journal().last(usize::MAX).len(), before + 1);

    let embedded = account.sweep_with(&[], &[]);
    assert_eq!((embedded.status, &*embedded.stdout), (Some(2), ""));
    assert!(embedded.stderr.contains("its roles end with their process"), "{embedded:?}");
    let wrong = run(&["sweep", "--older-than", "soon"], "");
    assert_eq!(wrong.status, Some(2));
    assert!(wrong.stderr.contains("a duration is `2h`"), "{wrong:?}");
}

/// `cargo iam` is no test process: what it links asks nobody for anything before it is told to.
#[tokio::test]
async fn other_commands_ask_nobody() {
    let account = Account::new(Endpoint::new()).await;
    let before = account.endpoint.journal().last(usize::MAX).len();
    let mut check = command(&["check", "reader.json"]);
    let run = run_command(check.env("IAM_FIXTURE_BACKEND", account.server.url()), "");
    assert_eq!(run.status, Some(0), "{run:?}");
    assert_eq!(account.endpoint.journal().last(usize::MAX).len(), before);
}
