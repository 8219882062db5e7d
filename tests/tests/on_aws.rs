//! Where roles outlive the process, the settings say how tests get them: a served endpoint stands in AWS's place.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::{env, fs};

use aws_sdk_iam::Client as Iam;
use aws_sdk_iam::config::Credentials;
use iam_endpoint::Endpoint;
use iam_fixture::{TemporaryRole, iam_policy};
use iam_fixture_tests::{Child, Served};

const ACCOUNT: &str = "123456789012";

const LISTS: &str = r#"{"Version": "2012-10-17", "Statement":
    [{"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}]}"#;

async fn lists(role: TemporaryRole) {
    let iam = Iam::new(role.config());
    iam.list_roles().send().await.expect("it is allowed");
    iam.list_users().send().await.expect_err("it is denied");
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_lists_roles() {
    TemporaryRole::builder().policy(LISTS).scoped(lists).await.unwrap();
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_lists_roles_three_times() {
    for _ in 0..3 {
        TemporaryRole::builder().policy(LISTS).scoped(lists).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_fails() {
    let body = async |_| panic!("as it is to");
    TemporaryRole::builder().policy(LISTS).scoped(body).await.unwrap();
}

#[iam_policy(policy = LISTS)]
#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_returns_an_error(_role: TemporaryRole) -> Result<(), std::num::ParseIntError> {
    "as it is to".parse::<u8>().map(drop)
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_waits() {
    let body = async |_| {
        println!("\nwaiting");
        std::future::pending::<()>().await;
    };
    TemporaryRole::builder().policy(LISTS).scoped(body).await.unwrap();
}

/// The endpoint in AWS's place, with its administrator signed in.
fn on_aws(served: &Served, settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let url = served.url();
    let aws = [
        ("IAM_FIXTURE_BACKEND", "aws"),
        ("IAM_FIXTURE_ACCOUNT", ACCOUNT),
        ("AWS_ENDPOINT_URL", url.as_str()),
    ];
    let mut variables = served.variables();
    variables
        .extend(aws.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    variables
}

fn run(test: &str, variables: Vec<(String, String)>) -> (ExitStatus, String) {
    let (status, _, errors) = Child::start(test, variables).end();
    (status, errors)
}

/// Runs the child, which must pass, and tells what it wrote to standard error.
fn passes(test: &str, variables: Vec<(String, String)>) -> String {
    let (status, errors) = run(test, variables);
    assert!(status.success(), "{errors}");
    errors
}

/// Runs the child, which must not, and tells what it said.
fn fails(test: &str, variables: Vec<(String, String)>) -> String {
    let (status, errors) = run(test, variables);
    assert!(!status.success(), "{errors}");
    errors
}

/// What was asked since so many calls, by whom.
fn asked(served: &Served, since: usize) -> Vec<(String, String)> {
    let events = served.endpoint.journal().last(usize::MAX);
    events.iter().skip(since).map(|event| (event.operation.clone(), event.principal.clone())).collect()
}

/// The control calls since so many calls: not those of the test's own role, nor those of a process's start, which shows who it
/// is, and sweeps.
fn control_calls(served: &Served, since: usize) -> Vec<String> {
    const AT_START: [&str; 3] = ["iam:ListPolicies", "iam:ListRoles", "sts:GetCallerIdentity"];
    let control = |(operation, principal): &(String, String)| {
        !AT_START.contains(&operation.as_str()) && !principal.contains(":assumed-role/")
    };
    asked(served, since).into_iter().filter(control).map(|(operation, _)| operation).collect()
}

async fn iam_at(served: &Served, endpoint: &Endpoint) -> Iam {
    let administrator = endpoint.administrator();
    let keys =
        Credentials::new(administrator.access_key_id, administrator.secret_access_key, None, None, "test");
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url(served.url())
        .region(aws_config::Region::from_static("us-east-1"))
        .credentials_provider(keys)
        .load()
        .await;
    Iam::new(&config)
}

/// A role that somebody else made, which this principal may assume.
async fn role(iam: &Iam, name: &str, trusted: &str, policy: &str) -> String {
    let trust = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{"AWS": "{trusted}"}}}}}}"#
    );
    let created =
        iam.create_role().role_name(name).path("/team/").assume_role_policy_document(trust).send().await;
    let put = iam.put_role_policy().role_name(name).policy_name("own").policy_document(policy).send();
    put.await.expect("it is put");
    created.expect("it is created").role().expect("the answer has it").arn().to_owned()
}

const EVERYTHING: &str =
    r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;

#[tokio::test]
async fn each_service_is_reached_at_its_own_url() {
    let served = Served::start();
    let url = served.url();
    let mut variables = on_aws(&served, &[("AWS_ENDPOINT_URL_IAM", &url), ("AWS_ENDPOINT_URL_STS", &url)]);
    variables.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
    passes("child_lists_roles", variables);
    let probed = asked(&served, 0).iter().filter(|(operation, _)| operation == "iam:ListRoles").count();
    assert!(probed >= 40, "the role was shown to be live there: {probed}");
    assert_eq!(served.roles().await, [""; 0]);
}

#[tokio::test]
async fn roles_are_as_the_settings_say() {
    let served = Served::start();
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("settings");
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("Cargo.lock"), "").unwrap();
    fs::write(root.join("boundary.json"), EVERYTHING).unwrap();
    fs::write(
        root.join("iam-fixture.toml"),
        "path = \"/ci/\"\nprefix = \"svc-\"\ntags = \"team=infra,stage=ci\"\nboundary = \"boundary.json\"\nduration = \"2h\"\n",
    )
    .unwrap();
    let mut child = Child::start(
        "child_waits",
        on_aws(
            &served,
            &[("CARGO_MANIFEST_DIR", &root.display().to_string()), ("IAM_FIXTURE_DURATION", "3h")],
        ),
    );
    child.wait_for("waiting");
    let iam = iam_at(&served, &served.endpoint).await;
    let listed = iam.list_roles().path_prefix("/ci/iam-fixture/").send().await.expect("they are listed");
    let [listed] = listed.roles() else { panic!("one role is there: {listed:?}") };
    let role = iam.get_role().role_name(listed.role_name()).send().await.expect("it is there");
    let role = role.role().expect("the answer has it");
    assert!(role.role_name().starts_with("svc-iam-fixture-child_waits-"), "{role:?}");
    let tags: Vec<_> = role.tags().iter().map(|tag| (tag.key(), tag.value())).collect();
    assert_eq!(tags, [("stage", "ci"), ("team", "infra")]);
    let boundary = role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
    assert!(boundary.is_some_and(|arn| arn.contains(":policy/ci/iam-fixture/")), "{boundary:?}");
    assert_eq!(role.max_session_duration(), Some(10_800), "the environment wins over the file");
    child.signal("TERM");
    let (_, _, errors) = child.end();
    assert_eq!(served.roles().await, [""; 0], "{errors}");
}

#[tokio::test]
async fn a_boundary_may_be_named_by_its_arn() {
    let served = Served::start();
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let mut child = Child::start("child_waits", on_aws(&served, &[("IAM_FIXTURE_BOUNDARY", arn)]));
    child.wait_for("waiting");
    let [name] = served.roles().await.try_into().expect("one role");
    let iam = iam_at(&served, &served.endpoint).await;
    let role = iam.get_role().role_name(name).send().await.expect("it is there");
    let boundary = role.role().and_then(|role| role.permissions_boundary()?.permissions_boundary_arn());
    assert_eq!(boundary, Some(arn));
    child.signal("TERM");
    let _ = child.end();
}

#[tokio::test]
async fn the_administrator_is_a_role_that_is_assumed_first() {
    let served = Served::start();
    let admin = format!("arn:aws:iam::{ACCOUNT}:user/administrator");
    let arn = role(&iam_at(&served, &served.endpoint).await, "ci-admin", &admin, EVERYTHING).await;
    let since = asked(&served, 0).len();
    let mut child = Child::start("child_waits", on_aws(&served, &[("IAM_FIXTURE_ADMIN_ROLE", &arn)]));
    child.wait_for("waiting");
    let (first, others) = asked(&served, since).split_first().map(|(a, b)| (a.clone(), b.to_vec())).unwrap();
    assert_eq!(first, ("sts:AssumeRole".to_owned(), admin));
    assert!(others.iter().all(|(_, principal)| principal.contains(":assumed-role/")), "{others:?}");
    let iam = iam_at(&served, &served.endpoint).await;
    let made = iam.list_roles().path_prefix("/iam-fixture/").send().await.expect("they are listed");
    let trust = made.roles()[0].assume_role_policy_document().expect("it has one").to_owned();
    assert!(trust.contains("role%2Fteam%2Fci-admin"), "{trust}");
    child.signal("TERM");
    let (_, _, errors) = child.end();
    assert_eq!(served.roles().await, [""; 0], "{errors}");
}

#[tokio::test]
async fn credentials_of_another_account_are_good_for_the_administrator_s_role() {
    let served = Served::start();
    let partner = served.endpoint.account("222233334444");
    let iam = iam_at(&served, &served.endpoint).await;
    let arn = role(&iam, "ci-admin", "arn:aws:iam::222233334444:root", EVERYTHING).await;
    let keys = partner.administrator();
    let signed_in = [
        ("AWS_ACCESS_KEY_ID", keys.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key.as_str()),
        ("IAM_FIXTURE_ADMIN_ROLE", arn.as_str()),
    ];
    passes("child_lists_roles", on_aws(&served, &signed_in));

    // Without the role they are not: the account is another one.
    let errors = fails("child_lists_roles", on_aws(&served, &signed_in[..2]));
    assert!(errors.contains("you are signed in to account 222233334444"), "{errors}");
}

#[test]
fn an_administrator_s_role_of_another_account_is_refused_before_anything_is_asked() {
    let served = Served::start();
    let admin = "arn:aws:iam::222233334444:role/ci-admin";
    let errors = fails("child_lists_roles", on_aws(&served, &[("IAM_FIXTURE_ADMIN_ROLE", admin)]));
    assert!(errors.contains(&format!("role `{admin}` is not of account {ACCOUNT}")), "{errors}");
    assert_eq!(asked(&served, 0), []);
}

#[test]
fn an_administrator_s_role_that_cannot_be_assumed_is_named_with_aws_s_answer() {
    let served = Served::start();
    let admin = format!("arn:aws:iam::{ACCOUNT}:role/absent");
    let errors = fails("child_lists_roles", on_aws(&served, &[("IAM_FIXTURE_ADMIN_ROLE", &admin)]));
    for part in [
        &format!("`AssumeRole` of `{admin}` (`IAM_FIXTURE_ADMIN_ROLE`) failed: AccessDenied: "),
        "(request id ",
        "nothing was created",
        "help: the role's trust policy must name whoever is signed in",
    ] {
        assert!(errors.contains(part), "{part:?} is missing in: {errors}");
    }
}

#[test]
fn without_credentials_it_is_said_which_call_needed_them() {
    let served = Served::start();
    let nowhere = env::temp_dir().join("no-credentials-here").display().to_string();
    let mut variables = on_aws(
        &served,
        &[
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", &nowhere),
            ("AWS_SHARED_CREDENTIALS_FILE", &nowhere),
        ],
    );
    variables.retain(|(name, _)| name != "AWS_ACCESS_KEY_ID" && name != "AWS_SECRET_ACCESS_KEY");
    let errors = fails("child_lists_roles", variables);
    for part in ["`GetCallerIdentity` failed: ", "credentials", "nothing was created", "help: sign in"] {
        assert!(errors.contains(part), "{part:?} is missing in: {errors}");
    }
    assert_eq!(asked(&served, 0), []);
}

#[test]
fn where_nothing_answers_nobody_is_told_to_sign_in() {
    let served = Served::start();
    let mut variables = on_aws(&served, &[]);
    drop(served);
    variables.push(("AWS_REGION".to_owned(), "us-east-1".to_owned()));
    let errors = fails("child_lists_roles", variables);
    for part in ["`GetCallerIdentity` failed: ", "nothing was created", "help: is there a network"] {
        assert!(errors.contains(part), "{part:?} is missing in: {errors}");
    }
}

#[tokio::test]
async fn session_mode_is_one_call_a_test_in_every_process_but_the_first() {
    let served = Served::start();
    let variables = || on_aws(&served, &[("IAM_FIXTURE_MODE", "session")]);
    passes("child_lists_roles", variables());
    let [role] = served.roles().await.try_into().expect("one role stays");
    assert!(role.starts_with("iam-fixture-session-"), "{role}");
    let since = asked(&served, 0).len();
    passes("child_lists_roles_three_times", variables());
    assert_eq!(control_calls(&served, since), ["sts:AssumeRole"; 3]);
    assert_eq!(served.roles().await, [role]);
}

#[tokio::test]
async fn the_role_of_sessions_may_be_one_that_stands() {
    let served = Served::start();
    let iam = iam_at(&served, &served.endpoint).await;
    let broad = role(&iam, "broad", &format!("arn:aws:iam::{ACCOUNT}:root"), EVERYTHING).await;
    let since = asked(&served, 0).len();
    let settings = [("IAM_FIXTURE_MODE", "session"), ("IAM_FIXTURE_SESSION_ROLE", &*broad)];
    passes("child_lists_roles", on_aws(&served, &settings));
    let calls = control_calls(&served, since);
    assert!(calls.iter().all(|call| !call.starts_with("iam:Create")), "{calls:?}");
    assert_eq!(calls.last().map(String::as_str), Some("sts:AssumeRole"));
    assert_eq!(served.roles().await, [""; 0]);
}

#[tokio::test]
async fn existing_mode_creates_nothing_and_asks_once() {
    let served = Served::start();
    let iam = iam_at(&served, &served.endpoint).await;
    let trusted = format!("arn:aws:iam::{ACCOUNT}:root");
    let reader = role(&iam, "reader", &trusted, LISTS).await;
    let since = asked(&served, 0).len();
    let existing = format!("existing:{reader}");
    passes("child_lists_roles_three_times", on_aws(&served, &[("IAM_FIXTURE_MODE", &existing)]));
    assert_eq!(
        control_calls(&served, since),
        [
            "iam:GetRole",
            "iam:ListRolePolicies",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "sts:AssumeRole"
        ]
    );

    let writer = role(&iam, "writer", &trusted, EVERYTHING).await;
    let existing = format!("existing:{writer}");
    let errors = fails("child_lists_roles", on_aws(&served, &[("IAM_FIXTURE_MODE", &existing)]));
    assert!(
        errors.contains(&format!("role `{writer}` is not as the policies under test: it may do more")),
        "{errors}"
    );
    assert!(errors.contains("\n-      \"Action\": \"*\""), "{errors}");
    assert_eq!(served.roles().await, [""; 0], "nothing of ours was created");
}

#[tokio::test]
async fn a_role_that_is_kept_can_be_signed_in_to_and_is_no_longer_ours_to_remove() {
    let served = Served::start();
    let kept = |keep| on_aws(&served, &[("IAM_FIXTURE_KEEP", keep)]);
    let errors = passes("child_lists_roles", kept("failure"));
    assert!(!errors.contains("is kept"), "{errors}");
    assert_eq!(served.roles().await, [""; 0]);

    let errors = fails("child_fails", kept("failure"));
    let [role] = served.roles().await.try_into().expect("one role stays");
    assert!(errors.contains(&format!("role `{role}` is kept")), "{errors}");
    let command = format!("aws sts assume-role --role-arn arn:aws:iam::{ACCOUNT}:role/iam-fixture/");
    assert!(
        errors.contains(&command) && errors.contains(&format!("/{role} --role-session-name")),
        "{errors}"
    );
    let secret = served.endpoint.administrator().secret_access_key;
    assert!(!errors.contains(&secret), "{errors}");

    fails("child_returns_an_error", kept("failure"));
    assert_eq!(served.roles().await.len(), 2);

    // The same test's next run: nothing in its ledger.
    passes("child_lists_roles", kept("never"));
    assert_eq!(served.roles().await.len(), 2);
}

#[tokio::test]
async fn what_a_killed_process_was_granted_is_taken_back_by_the_next() {
    let served = Served::start();
    let iam = iam_at(&served, &served.endpoint).await;
    let granted = async || {
        let listed = iam.list_user_policies().user_name("administrator").send().await;
        listed.expect("they are listed").policy_names().to_vec()
    };
    let variables = || on_aws(&served, &[("IAM_FIXTURE_GRANT_ASSUME", "true")]);
    let mut child = Child::start("child_waits", variables());
    child.wait_for("waiting");
    let [role] = served.roles().await.try_into().expect("one role");
    let [grant] = granted().await.try_into().expect("one grant");
    assert!(grant.starts_with(&role), "{grant}");
    child.signal("KILL");
    let _ = child.end();
    passes("child_lists_roles", variables());
    assert_eq!(granted().await, [""; 0]);
    assert_eq!(served.roles().await, [""; 0]);
}

#[tokio::test]
async fn what_another_machine_was_granted_is_taken_back_when_its_lease_is_over() {
    let served = Served::start();
    let iam = iam_at(&served, &served.endpoint).await;
    for name in ["iam-fixture-orphan-abc.1700000000", "iam-fixture-living-abc.4000000000", "own"] {
        let put = iam.put_user_policy().user_name("administrator").policy_name(name).policy_document(LISTS);
        put.send().await.expect("it is put");
    }
    passes("child_lists_roles", on_aws(&served, &[("IAM_FIXTURE_GRANT_ASSUME", "true")]));
    let listed = iam.list_user_policies().user_name("administrator").send().await;
    let listed = listed.expect("they are listed").policy_names().to_vec();
    assert_eq!(listed, ["iam-fixture-living-abc.4000000000", "own"]);
}
