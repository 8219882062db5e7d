//! An emulator behind the embedded endpoint performs what a role may do, and nothing else.

use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;

use iam_fixture::{TemporaryRole, assert_allowed, assert_denied, assert_ok};
use iam_fixture_tests::{Child, Emulator};

const SENDER: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:*:*:jobs"}]
}"#;

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_sends_to_one_queue() {
    let body = async |role: TemporaryRole| {
        let admin = aws_sdk_sqs::Client::new(role.admin());
        let jobs = assert_ok!(admin.create_queue().queue_name("jobs").send().await);
        let jobs = jobs.queue_url().unwrap();
        let other = assert_ok!(admin.create_queue().queue_name("other").send().await);
        let other = other.queue_url().unwrap();
        let sqs = aws_sdk_sqs::Client::new(role.config());
        assert_allowed!(sqs.send_message().queue_url(jobs).message_body("one").send().await);
        assert_denied!(sqs.send_message().queue_url(other).message_body("one").send().await);
        assert_denied!(sqs.receive_message().queue_url(jobs).send().await);
        let received = assert_ok!(admin.receive_message().queue_url(jobs).send().await);
        assert_eq!(received.messages()[0].body(), Some("one"));
    };
    TemporaryRole::builder().policy(SENDER).scoped(body).await.unwrap();
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_meets_no_upstream() {
    let body = async |role: TemporaryRole| {
        let sqs = aws_sdk_sqs::Client::new(role.config());
        let url = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs";
        let sent = sqs.send_message().queue_url(url).message_body("one").send().await;
        for assertion in [
            catch_unwind(AssertUnwindSafe(|| assert_allowed!(&sent))),
            catch_unwind(AssertUnwindSafe(|| assert_denied!(&sent))),
        ] {
            let panic = assertion.expect_err("it is neither allowed nor denied");
            let report = panic.downcast_ref::<String>().expect("a message");
            assert!(report.contains("UpstreamUnavailable"), "{report}");
        }
    };
    TemporaryRole::builder().policy(SENDER).scoped(body).await.unwrap();
}

const KEEPER: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::kept/*"}]
}"#;

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_keeps_an_object() {
    let body = async |role: TemporaryRole| {
        let admin = aws_sdk_s3::Client::new(role.admin());
        assert_ok!(admin.create_bucket().bucket("kept").send().await);
        let s3 = aws_sdk_s3::Client::new(role.config());
        assert_ok!(s3.put_object().bucket("kept").key("a").body(b"one".to_vec().into()).send().await);
        assert_denied!(s3.get_object().bucket("kept").key("a").send().await);
    };
    TemporaryRole::builder().policy(KEEPER).scoped(body).await.unwrap();
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_finds_the_object() {
    let body = async |role: TemporaryRole| {
        let admin = aws_sdk_s3::Client::new(role.admin());
        let found = assert_ok!(admin.get_object().bucket("kept").key("a").send().await);
        assert_eq!(found.body.collect().await.unwrap().into_bytes(), "one");
    };
    TemporaryRole::builder().policy(KEEPER).scoped(body).await.unwrap();
}

fn passes_with_upstream(test: &str, url: &str) {
    let (status, errors) = run(test, &[("IAM_FIXTURE_UPSTREAM", url)]);
    assert!(status.success(), "{errors}");
}

fn run(test: &str, settings: &[(&str, &str)]) -> (ExitStatus, String) {
    let child =
        Child::start(test, settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let (status, _, errors) = child.end();
    (status, errors)
}

#[test]
fn moto_performs_what_the_role_may_do() {
    let Some(moto) = Emulator::moto() else { return };
    passes_with_upstream("child_sends_to_one_queue", &moto.url());
}

#[test]
fn ministack_performs_what_the_role_may_do() {
    let Some(ministack) = Emulator::ministack(false) else { return };
    passes_with_upstream("child_sends_to_one_queue", &ministack.url());
}

#[test]
fn s3_goes_upstream_where_the_settings_say_so() {
    let Some(moto) = Emulator::moto() else { return };
    let upstream = ("IAM_FIXTURE_UPSTREAM", &*moto.url());
    let with_s3 = [upstream, ("IAM_FIXTURE_UPSTREAM_S3", "true")];
    for test in ["child_keeps_an_object", "child_finds_the_object"] {
        let (status, errors) = run(test, &with_s3);
        assert!(status.success(), "{errors}");
    }
    // What is upstream is not in the endpoint's own S3.
    let (status, errors) = run("child_finds_the_object", &[upstream]);
    assert!(!status.success() && errors.contains("NoSuchBucket"), "{errors}");
}

#[test]
fn an_upstream_that_is_not_there_makes_no_assertion_pass() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    passes_with_upstream("child_meets_no_upstream", &url);
}
