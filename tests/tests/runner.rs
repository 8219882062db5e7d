//! What a CI runner may do is enough for all that the fixture does, and for no more: the policy that
//! `examples/github-actions` gives it, tested by what it is for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use iam_fixture::sweep::Sweep;
use iam_fixture::{
    Backend, Outcome, Policy, PolicyKind, TemporaryRole, assert_denied, assert_never_allows, iam_policy,
};
use iam_fixture_tests::Child;
use serde_json::Value;

const POLICY: &str = include_str!("../../examples/github-actions/runner-policy.json");
const BOUNDARY: &str = include_str!("../../examples/github-actions/boundary.json");

/// A path whose lease is over.
const ORPHANED: &str = "/iam-fixture/1700000000/";

const READER: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}"#;

/// All that tests and sweeps do, with the runner's credentials.
#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_does_all_that_the_fixture_does() {
    let boundary = "arn:aws:iam::123456789012:policy/iam-fixture-boundary";
    let role = TemporaryRole::builder()
        .policy(READER)
        .managed_policy("AmazonS3ReadOnlyAccess")
        .managed_boundary(boundary)
        .tag("team", "platform")
        .create()
        .await
        .unwrap();
    role.delete().await.unwrap();
    let sweep = Sweep::of_settings().await.unwrap();
    for orphan in sweep.find().await.unwrap().orphans() {
        sweep.remove(orphan).await.unwrap();
    }
}

/// What the runner asked for, as it was decided.
struct Asked {
    denied: Vec<String>,
    allowed: Vec<String>,
    /// The roles that there are afterwards.
    roles: Vec<String>,
}

/// Runs the child as the runner, in an account with an orphan and with roles that are nobody's of ours.
async fn run_as(runner: &TemporaryRole) -> Asked {
    let iam = aws_sdk_iam::Client::new(runner.admin());
    let boundary = iam.create_policy().policy_name("iam-fixture-boundary").policy_document(BOUNDARY);
    boundary.send().await.unwrap();
    let trust = r#"{"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}}"#;
    for (path, name) in [(ORPHANED, "iam-fixture-orphan"), ("/", "foreign"), ("/service/", "foreign-too")] {
        let role = iam.create_role().path(path).role_name(name).assume_role_policy_document(trust);
        role.send().await.unwrap();
    }
    // More than the fixture puts on a role: what is in the way of its deletion is looked for.
    let more = iam.put_role_policy().role_name("iam-fixture-orphan").policy_name("of-the-test");
    more.policy_document(READER).send().await.unwrap();

    let server = runner.backend().serve().unwrap();
    let keys = runner.credentials();
    let variables = [
        ("IAM_FIXTURE_BACKEND", "aws"),
        ("IAM_FIXTURE_ACCOUNT", "123456789012"),
        ("AWS_ENDPOINT_URL", &server.url()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", keys.access_key_id()),
        ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key()),
        ("AWS_SESSION_TOKEN", keys.session_token().unwrap()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (status, _, errors) = Child::start("child_does_all_that_the_fixture_does", variables).end();

    let listed = iam.list_roles().send().await.unwrap();
    let own = [runner.name()];
    let roles = listed.roles().iter().map(|role| role.role_name()).filter(|name| !own.contains(name));
    let mut asked =
        Asked { denied: Vec::new(), allowed: Vec::new(), roles: roles.map(str::to_owned).collect() };
    for event in runner.decisions() {
        let actions = event.authorizations.iter().map(|one| one.action().to_owned());
        match event.outcome {
            Outcome::Denied => asked.denied.extend(actions),
            _ => asked.allowed.extend(actions),
        }
    }
    assert!(status.success() || !asked.denied.is_empty(), "{errors}");
    asked.allowed.sort();
    asked.allowed.dedup();
    asked
}

/// The actions that the policy allows.
fn actions(policy: &Value) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap().iter());
    let mut actions: Vec<_> = actions.map(|action| action.as_str().unwrap().to_owned()).collect();
    actions.sort();
    actions
}

#[iam_policy("../../examples/github-actions/runner-policy.json")]
#[tokio::test]
async fn a_runner_can_do_all_that_the_fixture_does(runner: TemporaryRole) {
    let asked = run_as(&runner).await;
    // The caller's own role is looked at for its path, and its session is trusted where that is not allowed.
    assert_eq!(asked.denied, ["iam:GetRole"]);
    assert_eq!(asked.roles, ["foreign", "foreign-too"], "the orphan is swept, and nothing else");
    let mut allowed = asked.allowed;
    allowed.retain(|action| !action.starts_with("sts:"));
    assert_eq!(allowed, actions(&serde_json::from_str(POLICY).unwrap()), "no action is there in vain");
}

#[tokio::test]
async fn without_any_of_its_actions_something_is_denied() {
    for action in actions(&serde_json::from_str(POLICY).unwrap()) {
        let mut policy: Value = serde_json::from_str(POLICY).unwrap();
        for statement in policy["Statement"].as_array_mut().unwrap() {
            statement["Action"].as_array_mut().unwrap().retain(|one| *one != action);
        }
        let runner =
            TemporaryRole::builder().policy(policy).backend(Backend::embedded()).create().await.unwrap();
        let asked = run_as(&runner).await;
        assert!(asked.denied.contains(&action), "{action} is not needed: {:?}", asked.denied);
    }
}

#[iam_policy("../../examples/github-actions/runner-policy.json")]
#[tokio::test]
async fn a_runner_touches_no_other_role_and_makes_none_without_the_boundary(runner: TemporaryRole) {
    let admin = aws_sdk_iam::Client::new(runner.admin());
    let trust = r#"{"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}}"#;
    admin.create_role().role_name("foreign").assume_role_policy_document(trust).send().await.unwrap();
    let iam = aws_sdk_iam::Client::new(runner.config());
    assert_denied!(iam.delete_role().role_name("foreign").send().await, action = "iam:DeleteRole");
    let put = iam.put_role_policy().role_name("foreign").policy_name("more").policy_document(READER);
    assert_denied!(put.send().await, action = "iam:PutRolePolicy");
    let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_hours(1);
    let unbound = iam.create_role().path(format!("/iam-fixture/{}/", end.as_secs())).role_name("unbound");
    let unbound = unbound.assume_role_policy_document(trust);
    assert_denied!(unbound.clone().send().await, action = "iam:CreateRole");
    let other = unbound.permissions_boundary("arn:aws:iam::aws:policy/AdministratorAccess");
    assert_denied!(other.send().await, action = "iam:CreateRole");
    let own = iam.put_role_policy().role_name(runner.name()).policy_name("more").policy_document(READER);
    assert_denied!(own.send().await, action = "iam:PutRolePolicy");
}

#[test]
fn a_runner_can_give_itself_nothing() {
    let policy = POLICY.replace("${AWS::AccountId}", "123456789012");
    let policy = Policy::parse(policy, PolicyKind::Identity).unwrap();
    for never in [
        "iam:CreateAccessKey",
        "iam:CreatePolicy*",
        "iam:CreateUser",
        "iam:DeleteRolePermissionsBoundary",
        "iam:PassRole",
        "iam:Put*Boundary",
        "iam:PutUserPolicy",
        "iam:Update*",
        "s3:*",
        "sts:*",
    ] {
        assert_never_allows!(policy, never);
    }
}

#[test]
fn the_other_documents_are_policies() {
    let trust = include_str!("../../examples/github-actions/trust.json");
    let trust = trust.replace("${AWS::AccountId}", "123456789012").replace("${repository}", "owner/name");
    Policy::parse(trust, PolicyKind::Trust).unwrap();
    Policy::parse(BOUNDARY, PolicyKind::Boundary).unwrap();
}
