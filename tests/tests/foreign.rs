//! The same tests on endpoints that are not ours, and what is said when one cannot be used.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use iam_fixture::{TemporaryRole, assert_allowed, assert_denied, assert_ok};
use iam_fixture_tests::{Child, Emulator, Served, administrator_of, all_at};

const READER: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::${bucket}"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::${bucket}/*"}
    ]
}"#;

/// What the child runs everywhere.
#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_reads_one_bucket() {
    let bucket = format!("dashboard-{}", std::process::id());
    let body = async |role: TemporaryRole| {
        let admin = aws_sdk_s3::Client::new(role.admin());
        for name in [&bucket, &format!("{bucket}-infra")] {
            assert_ok!(admin.create_bucket().bucket(name).send().await);
        }
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"chart");
        assert_ok!(admin.put_object().bucket(&bucket).key("chart").body(body).send().await);

        let s3 = aws_sdk_s3::Client::new(role.config());
        assert_allowed!(s3.list_objects_v2().bucket(&bucket).send().await);
        assert_denied!(s3.list_objects_v2().bucket(format!("{bucket}-infra")).send().await);
        let object = s3.get_object().bucket(&bucket).key("chart").send().await.unwrap();
        assert_eq!(object.body.collect().await.unwrap().into_bytes(), "chart");
        assert_denied!(s3.delete_object().bucket(&bucket).key("chart").send().await);
    };
    TemporaryRole::builder().policy(READER).var("bucket", &bucket).scoped(body).await.unwrap();
}

/// A service that tells no statement: the role's own policies do.
#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_explains_a_denial() {
    let body = async |role: TemporaryRole| {
        let s3 = aws_sdk_s3::Client::new(role.config());
        let infra = s3.list_objects_v2().bucket("platform-infra").send().await;
        let panic = catch_unwind(AssertUnwindSafe(|| assert_allowed!(&infra))).expect_err("it is denied");
        let report = panic.downcast_ref::<String>().expect("a message");
        for part in [
            "by the role's own policies, for a request without condition keys",
            "statement `ReadDashboard` of an identity-based policy came nearest",
            "policies/reader.json:8:",
        ] {
            assert!(report.contains(part), "{part:?} is missing in:\n{report}");
        }
    };
    let reader = Path::new("tests/policies/reader.json");
    TemporaryRole::builder().policy(reader).scoped(body).await.unwrap();
}

#[test]
fn a_foreign_denial_is_explained_by_the_role_s_own_policies() {
    let served = Served::start();
    let (status, _, errors) = Child::start("child_explains_a_denial", served.variables()).end();
    assert!(status.success(), "{errors}");
}

/// A real cargo runs the tests that show what composes with what, at an emulator.
fn composition_passes_at(emulator: &Emulator) {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--package", env!("CARGO_PKG_NAME"), "--test", "composition"])
        .envs(emulator.variables())
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("cargo runs");
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{errors}");
    assert!(out.contains("test result: ok."), "{out}");
}

#[test]
fn what_composes_does_so_at_ministack() {
    let Some(emulator) = Emulator::ministack(true) else { return };
    composition_passes_at(&emulator);
}

#[test]
fn what_composes_does_so_at_moto() {
    let Some(mut emulator) = Emulator::moto() else { return };
    emulator.enforce();
    composition_passes_at(&emulator);
}

#[test]
fn the_embedded_endpoint_on_a_port_is_a_foreign_one_too() {
    let served = Served::start();
    let (status, _, errors) = Child::start("child_reads_one_bucket", served.variables()).end();
    assert!(status.success(), "{errors}");
}

#[test]
fn ministack_runs_the_same_test() {
    let Some(emulator) = Emulator::ministack(true) else { return };
    let (status, _, errors) = Child::start("child_reads_one_bucket", emulator.variables()).end();
    assert!(status.success(), "{errors}");
}

#[test]
fn moto_runs_the_same_test() {
    let Some(mut emulator) = Emulator::moto() else { return };
    emulator.enforce();
    let (status, _, errors) = Child::start("child_reads_one_bucket", emulator.variables()).end();
    assert!(status.success(), "{errors}");
}

/// What other machines have left goes when its lease is over, what this one has left at once, and nothing else.
async fn sweeps_at(emulator: &Emulator) {
    // moto's SigV4 fails on white space.
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#;
    let allows = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let iam = aws_sdk_iam::Client::new(&administrator_of(emulator).await);
    let foreign = ["iam-fixture-elsewhere", "live"];
    for (path, name) in
        [("/iam-fixture/17/", "orphan"), ("/iam-fixture/9999999999/", foreign[1]), ("/service/", foreign[0])]
    {
        let call = iam.create_role().path(path).role_name(name).assume_role_policy_document(trust);
        assert_ok!(call.send().await);
        for policy in ["policy-1", "canary"] {
            let put = iam.put_role_policy().role_name(name).policy_name(policy).policy_document(allows);
            assert_ok!(put.send().await);
        }
    }
    let boundary = iam.create_policy().path("/iam-fixture/17/").policy_name("iam-fixture-boundary");
    let boundary = assert_ok!(boundary.policy_document(allows).send().await);
    let arn = boundary.policy().and_then(|policy| policy.arn()).unwrap();
    assert_ok!(iam.attach_role_policy().role_name("orphan").policy_arn(arn).send().await);

    let mut killed = Child::start("child_waits_in_its_body", emulator.variables());
    killed.wait_for("waiting");
    killed.signal("KILL");
    let _ = killed.end();
    let left = all_at(&administrator_of(emulator).await).await;
    assert!(left.iter().any(|name| name.starts_with("iam-fixture-child_waits_in_its_body")), "{left:?}");
    // The killed one may have been amid its sweep, and each run sweeps once.
    let mut next_run = emulator.variables();
    next_run.push(("NEXTEST_RUN_ID".to_owned(), "the next".to_owned()));
    let (status, _, errors) = Child::start("child_reads_one_bucket", next_run).end();
    assert!(status.success(), "{errors}");
    let mut left = all_at(&administrator_of(emulator).await).await;
    left.retain(|name| name != "administrator");
    left.sort();
    assert_eq!(left, foreign);
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_waits_in_its_body() {
    let body = async |_| {
        println!("\nwaiting");
        std::future::pending::<()>().await;
    };
    TemporaryRole::builder().policy(READER).var("bucket", "any").scoped(body).await.unwrap();
}

#[tokio::test]
async fn what_killed_runs_left_is_swept_at_ministack() {
    let Some(emulator) = Emulator::ministack(true) else { return };
    sweeps_at(&emulator).await;
}

#[tokio::test]
async fn what_killed_runs_left_is_swept_at_moto() {
    let Some(mut emulator) = Emulator::moto() else { return };
    emulator.enforce();
    sweeps_at(&emulator).await;
}

#[test]
fn localhost_is_as_good_as_an_address() {
    let served = Served::start();
    let mut variables = served.variables();
    for (_, value) in &mut variables {
        *value = value.replace("127.0.0.1", "localhost");
    }
    let (status, _, errors) = Child::start("child_reads_one_bucket", variables).end();
    assert!(status.success(), "{errors}");
}

#[tokio::test]
async fn an_emulator_that_does_not_enforce_is_refused_with_its_switch() {
    for (emulator, switch) in
        [(Emulator::ministack(false), "`AUTH=true`"), (Emulator::moto(), "/moto-api/reset-auth")]
    {
        let Some(emulator) = emulator else { return };
        let errors = refused(emulator.variables());
        assert!(errors.contains(&format!("`{}` does not enforce policies", emulator.url())), "{errors}");
        assert!(errors.contains(switch), "{errors}");
        let admin = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .endpoint_url(emulator.url())
            .region(aws_config::Region::from_static("us-east-1"))
            .credentials_provider(aws_sdk_iam::config::Credentials::new("test", "test", None, None, "test"))
            .load()
            .await;
        assert_eq!(iam_fixture_tests::roles_at(&admin).await, [""; 0]);
    }
}

/// Runs the child, which must fail, and tells what it said.
fn refused(variables: impl IntoIterator<Item = (String, String)>) -> String {
    let child = Child::start("child_reads_one_bucket", variables);
    let (status, took, errors) = child.end();
    assert!(!status.success(), "{errors}");
    assert!(took < Duration::from_secs(20), "{took:?}: {errors}");
    errors
}

fn backend(value: &str) -> [(String, String); 1] {
    [("IAM_FIXTURE_BACKEND".to_owned(), value.to_owned())]
}

#[test]
fn a_backend_that_is_not_known_is_named() {
    let errors = refused(backend("localstack"));
    assert!(errors.contains("`localstack` (IAM_FIXTURE_BACKEND) is not a backend"), "{errors}");
}

#[test]
fn aws_without_an_account_is_refused() {
    let errors = refused(backend("aws"));
    assert!(errors.contains("`aws` (IAM_FIXTURE_BACKEND) needs `IAM_FIXTURE_ACCOUNT`"), "{errors}");
    assert!(errors.contains("nothing was created"), "{errors}");
}

/// What the default credential chain finds, with the served endpoint in AWS's place.
fn signed_in(served: &Served, account: &str) -> Vec<(String, String)> {
    let mut variables = served.variables();
    let added = [
        ("IAM_FIXTURE_BACKEND", "aws"),
        ("IAM_FIXTURE_ACCOUNT", account),
        ("AWS_ENDPOINT_URL", &served.url()),
    ];
    variables.extend(added.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables
}

#[test]
fn aws_runs_the_same_test_where_the_account_is_the_one_named() {
    let served = Served::start();
    let (status, _, errors) =
        Child::start("child_reads_one_bucket", signed_in(&served, "123456789012")).end();
    assert!(status.success(), "{errors}");
}

#[tokio::test]
async fn an_account_that_was_not_named_is_not_touched() {
    let served = Served::start();
    let errors = refused(signed_in(&served, "111122223333"));
    assert!(errors.contains("you are signed in to account 123456789012"), "{errors}");
    assert!(errors.contains("the tests may use account 111122223333 only"), "{errors}");
    let asked: Vec<_> =
        served.endpoint.journal().last(usize::MAX).iter().map(|event| event.operation.clone()).collect();
    assert_eq!(asked, ["sts:GetCallerIdentity"]);
}

#[test]
fn the_file_at_the_workspace_s_root_is_read() {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("workspace");
    let package = root.join("crates/package");
    fs::create_dir_all(&package).unwrap();
    fs::write(root.join("Cargo.lock"), "").unwrap();
    fs::write(root.join("iam-fixture.toml"), "# ours\nbackend = \"nowhere\"\n").unwrap();
    let errors = refused([("CARGO_MANIFEST_DIR".to_owned(), package.display().to_string())]);
    assert!(errors.contains("`nowhere` ("), "{errors}");
    assert!(errors.contains("iam-fixture.toml:2) is not a backend"), "{errors}");
}

#[test]
fn an_endpoint_where_nothing_answers_is_said_so_at_once() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let child = Child::start("child_reads_one_bucket", backend(&url));
    let (status, took, errors) = child.end();
    assert!(!status.success());
    assert!(errors.contains(&format!("nothing answers at `{url}`")), "{errors}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_server_that_is_no_aws_endpoint_is_said_to_be_none() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 8192]);
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
        }
    });
    let errors = refused(backend(&url));
    assert!(errors.contains(&url), "{errors}");
    assert!(errors.contains("nothing was created"), "{errors}");
}
