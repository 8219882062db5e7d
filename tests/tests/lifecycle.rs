//! A role is there while the body runs and gone after it, whatever the body does.

use std::collections::BTreeSet;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::thread;
use std::time::Duration;

use iam_fixture::{
    Backend, ErrorKind, PolicyDocument, SdkConfig, TemporaryRole, TemporaryRoleBuilder, assert_allowed,
    assert_denied, assert_ok, iam_policy,
};
use iam_fixture_tests::{Child, Served, roles_at};

const LIST: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::dashboard"}]
}"#;

fn lister() -> TemporaryRoleBuilder {
    TemporaryRole::builder().policy(LIST)
}

async fn roles(backend: &Backend) -> Vec<String> {
    roles_at(&backend.admin().await.expect("the backend answers")).await
}

#[tokio::test]
async fn a_role_lives_from_create_to_delete() {
    let backend = Backend::embedded();
    let role = lister().backend(backend.clone()).create().await.unwrap();
    assert_eq!(roles(&backend).await, [role.name()]);
    assert!(role.name().starts_with("iam-fixture-a_role_lives_from_create_to_delete-"), "{}", role.name());
    assert!(role.arn().ends_with(role.name()), "{}", role.arn());
    assert!(role.session_arn().contains(":assumed-role/iam-fixture-"), "{}", role.session_arn());
    role.delete().await.unwrap();
    assert_eq!(roles(&backend).await, [""; 0]);
}

#[tokio::test]
async fn a_role_ends_with_its_last_clone() {
    let backend = Backend::embedded();
    let role = lister().backend(backend.clone()).create().await.unwrap();
    let clone = role.clone();
    drop(role);
    assert_eq!(roles(&backend).await.len(), 1);
    drop(clone);
    assert_eq!(roles(&backend).await.len(), 0);
}

#[tokio::test]
async fn the_scoped_form_deletes_after_a_value_an_error_and_a_panic() {
    let backend = Backend::embedded();
    let builder = lister().backend(backend.clone());

    let value = builder.clone().scoped(async |role| role.name().len()).await.unwrap();
    assert!(value > 12);
    assert_eq!(roles(&backend).await.len(), 0);

    let failed: Result<(), &str> = builder.clone().scoped(async |_| Err("the body's")).await.unwrap();
    assert_eq!(failed, Err("the body's"));
    assert_eq!(roles(&backend).await.len(), 0);

    let panic = tokio::spawn(builder.scoped(async |_| panic!("the body's"))).await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the body's"));
    assert_eq!(roles(&backend).await.len(), 0);
}

#[tokio::test]
async fn a_body_that_is_given_up_leaves_no_role() {
    let backend = Backend::embedded();
    let body = lister().backend(backend.clone()).scoped(async |_| pending::<()>().await);
    assert!(tokio::time::timeout(Duration::from_millis(50), body).await.is_err());
    assert_eq!(roles(&backend).await.len(), 0);
}

#[test]
fn a_runtime_that_shuts_down_leaves_no_role() {
    let backend = Backend::embedded();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (created, wait) = std::sync::mpsc::channel();
    let builder = lister().backend(backend.clone());
    runtime.spawn(async move {
        let _role = builder.create().await.unwrap();
        created.send(()).unwrap();
        pending::<()>().await;
    });
    wait.recv_timeout(Duration::from_secs(10)).unwrap();
    drop(runtime);
    let look = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(look.block_on(roles(&backend)).len(), 0);
}

#[tokio::test]
async fn what_the_test_added_to_the_role_does_not_keep_it() {
    let backend = Backend::embedded();
    let role = lister().backend(backend.clone()).create().await.unwrap();
    let iam = aws_sdk_iam::Client::new(role.admin());
    let attach = iam.attach_role_policy().role_name(role.name());
    assert_ok!(attach.policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess").send().await);
    assert_ok!(iam.create_instance_profile().instance_profile_name("profile").send().await);
    let add = iam.add_role_to_instance_profile().role_name(role.name());
    assert_ok!(add.instance_profile_name("profile").send().await);
    role.delete().await.unwrap();
    assert_eq!(roles(&backend).await.len(), 0);
}

#[tokio::test]
async fn a_creation_that_fails_half_way_leaves_nothing() {
    let backend = Backend::embedded();
    let nowhere = "arn:aws:iam::123456789012:policy/nowhere";
    let builder = lister().boundary(LIST).managed_policy(nowhere).backend(backend.clone());
    let error = builder.create().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Call);
    let text = error.to_string();
    assert!(text.starts_with(&format!("`AttachRolePolicy` of `{nowhere}` to role `iam-fixture-")), "{text}");
    assert!(text.contains("NoSuchEntity"), "{text}");
    assert!(text.ends_with("what had been created was removed again"), "{text}");
    assert_eq!(roles(&backend).await.len(), 0);
    let iam = aws_sdk_iam::Client::new(&backend.admin().await.unwrap());
    let local = iam.list_policies().scope(aws_sdk_iam::types::PolicyScopeType::Local).send().await.unwrap();
    assert_eq!(local.policies().len(), 0);
}

#[tokio::test]
async fn every_option_reaches_the_role() {
    let backend = Backend::embedded();
    let role = lister()
        .managed_policy("job-function/ViewOnlyAccess".rsplit('/').next().unwrap())
        .boundary(r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#)
        .session_policy(r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#)
        .tag("team", "platform")
        .session_name("alice")
        .duration(Duration::from_secs(7_200))
        .backend(backend.clone())
        .create()
        .await
        .unwrap();
    assert!(role.session_arn().ends_with("/alice"), "{}", role.session_arn());
    let iam = aws_sdk_iam::Client::new(role.admin());
    let found = iam.get_role().role_name(role.name()).send().await.unwrap();
    let found = found.role().unwrap();
    assert_eq!(found.max_session_duration(), Some(7_200));
    assert_eq!(
        found.tags().iter().map(|tag| (tag.key(), tag.value())).collect::<Vec<_>>(),
        [("team", "platform")]
    );
    let boundary = found.permissions_boundary().unwrap().permissions_boundary_arn().unwrap();
    assert!(boundary.ends_with(role.name()), "{boundary}");
    let attached = iam.list_attached_role_policies().role_name(role.name()).send().await.unwrap();
    let attached: Vec<_> =
        attached.attached_policies().iter().filter_map(|policy| policy.policy_name()).collect();
    assert_eq!(attached, ["ViewOnlyAccess"]);
    role.delete().await.unwrap();
    let gone = iam.get_policy().policy_arn(boundary).send().await.unwrap_err();
    assert!(gone.into_service_error().is_no_such_entity_exception());
}

#[tokio::test]
async fn session_policy_and_boundary_narrow_the_role() {
    let all =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let read = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}"#;
    for builder in [
        TemporaryRole::builder().policy(all).boundary(read),
        TemporaryRole::builder().policy(all).session_policy(read),
        TemporaryRole::builder().policy(read),
    ] {
        let role = builder.create().await.unwrap();
        let s3 = aws_sdk_s3::Client::new(role.config());
        assert_allowed!(s3.get_bucket_location().bucket("dashboard").send().await);
        assert_denied!(s3.list_objects_v2().bucket("dashboard").send().await);
    }
}

#[tokio::test]
async fn template_variables_take_their_values() {
    let role = TemporaryRole::builder()
        .policy(LIST.replace("dashboard", "${bucket}-${AWS::AccountId}-${AWS::Region}"))
        .var("bucket", "dash")
        .create()
        .await
        .unwrap();
    let s3 = aws_sdk_s3::Client::new(role.config());
    assert_allowed!(s3.list_objects_v2().bucket("dash-123456789012-us-east-1").send().await);
    assert_denied!(s3.list_objects_v2().bucket("dash").send().await);
}

#[tokio::test]
async fn a_policy_may_be_a_fragment_of_a_file() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("template.json");
    std::fs::write(&file, format!("{{\"Reader\": {{\"PolicyDocument\": {LIST}}}}}")).unwrap();
    let document = PolicyDocument::from(file).pointer("/Reader/PolicyDocument");
    let role = TemporaryRole::builder().policy(document).create().await.unwrap();
    let iam = aws_sdk_iam::Client::new(role.admin());
    let put = iam.get_role_policy().role_name(role.name()).policy_name("policy-1").send().await.unwrap();
    assert!(put.policy_document().contains("dashboard"));
    let s3 = aws_sdk_s3::Client::new(role.config());
    assert_allowed!(s3.list_objects_v2().bucket("dashboard").send().await);
}

#[tokio::test]
async fn a_document_that_iam_rejects_creates_nothing_and_is_shown_with_its_place() {
    let backend = Backend::embedded();
    let long = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::{}"}}}}"#,
        "x".repeat(10_300)
    );
    for (policy, wanted) in [
        (LIST.replace("Allow", "Permit"), "<policy>:3:"),
        (LIST.replace("dashboard", "b\u{3b2}"), "<policy>:3:"),
        (LIST.replace("dashboard", "${bucket}"), "bucket"),
        (LIST.replace('}', ""), "<policy>:"),
        (long, "10,240"),
    ] {
        let error =
            TemporaryRole::builder().policy(policy).backend(backend.clone()).create().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Policy);
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(error.to_string().contains("nothing was created"), "{error}");
    }
    let missing =
        TemporaryRole::builder().policy(Path::new("policies/nowhere.json")).create().await.unwrap_err();
    assert!(missing.to_string().starts_with("policy file `"), "{missing}");
    assert_eq!(roles(&backend).await.len(), 0);
}

#[iam_policy(policy = String::from("{"))]
#[tokio::test]
#[should_panic(expected = "`a_test_without_its_role_fails_and_says_why` has no role")]
async fn a_test_without_its_role_fails_and_says_why(_config: SdkConfig) {}

/// A debug build's futures are large, and a test thread's stack is not.
#[tokio::test]
async fn roles_nest_without_filling_the_stack() {
    let deepest = async |role: TemporaryRole| role.name().to_owned();
    let third = async |_| lister().scoped(deepest).await.unwrap();
    let second = async |_| lister().scoped(third).await.unwrap();
    let name = lister().scoped(second).await.unwrap();
    assert!(name.starts_with("iam-fixture-"));
    assert!(size_of_val(&lister().create()) < 4_096, "{}", size_of_val(&lister().create()));
}

#[tokio::test]
async fn several_policies_share_the_role_s_quota() {
    let half = LIST.replace("dashboard", &"x".repeat(5_200));
    let error = TemporaryRole::builder().policy(half.clone()).policy(half).create().await.unwrap_err();
    assert!(error.to_string().contains("IAM allows 10,240 in all"), "{error}");
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let role = lister().create().await.unwrap();
    let credentials = role.credentials();
    let shown = format!("{role:?} {credentials:?} {:?} {:?}", role.config(), role.admin());
    assert!(!shown.contains(credentials.secret_access_key()), "{shown}");
    assert!(!shown.contains(credentials.session_token().unwrap()), "{shown}");
}

/// A program that the test starts has only an address and keys.
#[tokio::test]
async fn the_test_s_endpoint_can_be_had_on_a_port() {
    let role = lister().create().await.unwrap();
    let server = role.backend().serve().unwrap();
    let over_the_network = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url(server.url())
        .region("us-east-1")
        .credentials_provider(role.credentials().clone())
        .load()
        .await;
    let s3 = aws_sdk_s3::Client::new(&over_the_network);
    assert_allowed!(s3.list_objects_v2().bucket("dashboard").send().await);
    assert_denied!(s3.create_bucket().bucket("mine").send().await, implicit, action = "s3:CreateBucket");
    let operations: Vec<_> = role.decisions().iter().map(|event| event.operation.clone()).collect();
    assert_eq!(operations, ["s3:ListObjectsV2", "s3:CreateBucket"]);

    let elsewhere = Backend::endpoint(server.url()).serve();
    assert_eq!(elsewhere.unwrap_err().kind(), std::io::ErrorKind::Unsupported);
}

#[tokio::test]
async fn decisions_are_told_in_order() {
    let role = lister().create().await.unwrap();
    let s3 = aws_sdk_s3::Client::new(role.config());
    let _ = s3.list_objects_v2().bucket("dashboard").send().await;
    let _ = s3.list_buckets().send().await;
    let told: Vec<_> = role.decisions().iter().map(|event| event.operation.clone()).collect();
    assert_eq!(told, ["s3:ListObjectsV2", "s3:ListBuckets"]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_neither_moves_nor_breaks_anything() {
    let start = tokio::time::Instant::now();
    let body = async |role: TemporaryRole| {
        let s3 = aws_sdk_s3::Client::new(role.config());
        assert_denied!(s3.list_buckets().send().await);
    };
    tokio::time::timeout(Duration::from_millis(1), lister().scoped(body)).await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// In one process and at once, each as libtest would run it: a thread with the case's name.
#[test]
fn two_hundred_tests_in_parallel_do_not_meet() {
    let case = |number: usize| {
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let role = lister().create().await.unwrap();
                let admin = aws_sdk_s3::Client::new(role.admin());
                // The same bucket in each: a second one in the same account would fail.
                assert_ok!(admin.create_bucket().bucket("dashboard").send().await);
                let key = format!("of-{number}");
                assert_ok!(admin.put_object().bucket("dashboard").key(&key).send().await);
                let s3 = aws_sdk_s3::Client::new(role.config());
                let listed = s3.list_objects_v2().bucket("dashboard").send().await;
                let keys: Vec<_> = listed
                    .unwrap()
                    .contents()
                    .iter()
                    .map(|object| object.key().unwrap().to_owned())
                    .collect();
                assert_eq!(keys, [key]);
                assert_eq!(roles(&Backend::current().unwrap()).await, [role.name()]);
                role.name().to_owned()
            })
        }
    };
    let threads: Vec<_> = (0..200)
        .map(|number| thread::Builder::new().name(format!("case_{number}")).spawn(case(number)).unwrap())
        .collect();
    let names: BTreeSet<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(names.len(), 200);
}

#[test]
fn a_foreign_endpoint_serves_twenty_runtimes_at_once() {
    let served = Served::start();
    let (status, _, errors) = Child::start("child_has_twenty_runtimes", served.variables()).end();
    assert!(status.success(), "{errors}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(served.roles()), [""; 0]);
}

#[test]
#[ignore = "run by `a_foreign_endpoint_serves_twenty_runtimes_at_once`"]
fn child_has_twenty_runtimes() {
    let case = || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            for _ in 0..5 {
                let body = async |role: TemporaryRole| {
                    let s3 = aws_sdk_s3::Client::new(role.config());
                    assert_denied!(s3.list_objects_v2().bucket("other").send().await);
                };
                lister().scoped(body).await.unwrap();
            }
        });
    };
    let threads: Vec<_> = (0..20).map(|_| thread::spawn(case)).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn a_role_s_life_takes_five_calls() {
    let served = Served::start();
    let mut child = Child::start("child_has_a_role", served.variables());
    child.wait_for("created");
    let roles = served.roles().await;
    let [role] = roles.as_slice() else { panic!("one role, not {roles:?}") };
    let (status, _, errors) = child.end();
    assert!(status.success(), "{errors}");
    assert_eq!(
        served.operations(role),
        ["iam:CreateRole", "iam:PutRolePolicy", "sts:AssumeRole", "iam:DeleteRolePolicy", "iam:DeleteRole"]
    );
}

#[tokio::test]
#[ignore = "run by `a_role_s_life_takes_five_calls`"]
async fn child_has_a_role() {
    let role = lister().create().await.unwrap();
    println!("\ncreated");
    tokio::time::sleep(Duration::from_millis(500)).await;
    role.delete().await.unwrap();
}

/// nextest runs each test in a process of its own.
#[test]
fn that_policies_are_enforced_is_shown_once_a_run_of_nextest() {
    let served = Served::start();
    let start = |run: &str| {
        let mut variables = served.variables();
        variables.push(("NEXTEST_RUN_ID".to_owned(), format!("{run}-{}", std::process::id())));
        let (status, _, errors) = Child::start("child_has_a_role", variables).end();
        assert!(status.success(), "{errors}");
        served.operations("iam-fixture-without-permissions-").len()
    };
    let once = start("first");
    assert!(once > 0);
    assert_eq!(start("first"), once);
    assert_eq!(start("second"), 2 * once);
}

#[test]
fn a_developer_s_environment_plays_no_part() {
    let variables = [
        ("AWS_PROFILE", "production"),
        ("AWS_CONFIG_FILE", "/nonexistent/config"),
        ("AWS_ACCESS_KEY_ID", "AKIAPRODUCTION"),
        ("AWS_SECRET_ACCESS_KEY", "production"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (status, _, errors) = Child::start("child_asks_the_embedded_endpoint", variables).end();
    assert!(status.success(), "{errors}");
}

#[tokio::test]
#[ignore = "run by `a_developer_s_environment_plays_no_part`"]
async fn child_asks_the_embedded_endpoint() {
    let role = lister().create().await.unwrap();
    let s3 = aws_sdk_s3::Client::new(role.config());
    assert_allowed!(s3.list_objects_v2().bucket("dashboard").send().await);
    let sts = aws_sdk_sts::Client::new(role.config());
    assert_eq!(sts.get_caller_identity().send().await.unwrap().account(), Some("123456789012"));
}

#[tokio::test]
async fn a_role_may_be_given_up_while_another_thread_creates_it() {
    let backend = Backend::embedded();
    for _ in 0..20 {
        let builder = lister().backend(backend.clone());
        let task = tokio::spawn(AssertUnwindSafe(async move { builder.create().await.map(drop) }).0);
        tokio::task::yield_now().await;
        task.abort();
        let _ = task.await;
    }
    assert_eq!(roles(&backend).await.len(), 0);
}
