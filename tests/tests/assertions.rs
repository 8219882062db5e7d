//! The assertions: what passes, what does not, and what the report says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use iam_fixture::{
    Expected, SdkConfig, TemporaryRole, assert_allowed, assert_denied, assert_ok, assert_verdict, iam_policy,
};
use rstest::rstest;

/// The message of an assertion that must fail.
fn report(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion fails");
    panic.downcast_ref::<String>().expect("a message").clone()
}

#[track_caller]
fn assert_says(report: &str, parts: &[&str]) {
    for part in parts {
        assert!(report.contains(part), "{part:?} is missing in:\n{report}");
    }
}

#[iam_policy("policies/reader.json")]
#[tokio::test]
async fn a_missing_object_is_allowed_but_not_ok(role: TemporaryRole) {
    let admin = aws_sdk_s3::Client::new(role.admin());
    assert_ok!(admin.create_bucket().bucket("platform-dashboard").send().await);

    let s3 = aws_sdk_s3::Client::new(role.config());
    let missing = s3.get_object().bucket("platform-dashboard").key("missing").send().await;
    assert_allowed!(&missing);
    assert_says(
        &report(|| assert_denied!(&missing)),
        &["expected the call to be denied, but it was allowed"],
    );
    let said = report(|| drop(assert_ok!(missing)));
    assert_says(
        &said,
        &["allowed, and to succeed, but it was allowed and then failed", "NoSuchKey", "HTTP 404"],
    );
}

#[iam_policy("policies/delete-three.json")]
#[tokio::test]
async fn a_403_that_hides_a_missing_object_is_no_denial(role: TemporaryRole) {
    let admin = aws_sdk_s3::Client::new(role.admin());
    assert_ok!(admin.create_bucket().bucket("platform-logs").send().await);
    let read = r#"{
        "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::platform-logs/*" }
    }"#;
    let iam = aws_sdk_iam::Client::new(role.admin());
    let put = iam.put_role_policy().role_name(role.name()).policy_name("read").policy_document(read);
    assert_ok!(put.send().await);

    let s3 = aws_sdk_s3::Client::new(role.config());
    let get = s3.get_object().bucket("platform-logs").key("missing").send().await;
    let head = s3.head_object().bucket("platform-logs").key("missing").send().await;
    assert_allowed!(&get);
    assert_allowed!(&head);
    let said = report(|| assert_denied!(&get));
    assert_says(&said, &["the 403 stands for an object that does not exist", "s3:ListBucket"]);
    assert_says(&report(|| assert_denied!(&head)), &["the 403 stands for an object that does not exist"]);
}

#[iam_policy("policies/reader.json")]
#[tokio::test]
async fn a_denial_is_told_by_its_reason_action_and_resource(config: SdkConfig) {
    let s3 = aws_sdk_s3::Client::new(&config);
    let secret = s3.get_object().bucket("platform-dashboard").key("secret/key.pem").send().await;
    let arn = "arn:aws:s3:::platform-dashboard/secret/key.pem";
    assert_denied!(&secret, explicit);
    assert_denied!(&secret, explicit, action = "s3:getobject", resource = arn);
    assert_denied!(&secret, resource = arn);
    assert_verdict!(&secret, Expected::Denied);
    assert_verdict!(&secret, Expected::ExplicitDeny, action = "s3:GetObject");

    assert_says(
        &report(|| assert_denied!(&secret, implicit)),
        &[
            "denied because no statement allows it, but a statement denies it",
            "KeepSecrets",
            "reader.json:13",
        ],
    );
    assert_says(
        &report(|| assert_denied!(&secret, action = "s3:PutObject")),
        &["expected `s3:PutObject` to be denied, but the verdict is about something else", "s3:GetObject"],
    );
    assert_says(
        &report(|| assert_allowed!(&secret)),
        &[
            "expected the call to be allowed, but a statement denies it",
            "s3 GetObject",
            "s3:GetObject",
            arn,
            "arn:aws:sts::123456789012:assumed-role/iam-fixture-",
            "KeepSecrets",
            "policies/reader.json:13",
        ],
    );
}

#[iam_policy("policies/reader.json")]
#[tokio::test]
async fn an_implicit_deny_names_the_statement_that_came_nearest(config: SdkConfig) {
    let s3 = aws_sdk_s3::Client::new(&config);
    let infra = s3.list_objects_v2().bucket("platform-infra").send().await;
    assert_denied!(&infra, implicit, action = "s3:ListBucket");
    assert_says(
        &report(|| assert_allowed!(&infra)),
        &["no statement allows it", "arn:aws:s3:::platform-infra", "ReadDashboard", "policies/reader.json:"],
    );
}

#[iam_policy("policies/delete-three.json")]
#[tokio::test]
async fn a_batch_is_judged_item_by_item(role: TemporaryRole) {
    let admin = aws_sdk_s3::Client::new(role.admin());
    assert_ok!(admin.create_bucket().bucket("platform-logs").send().await);

    let s3 = aws_sdk_s3::Client::new(role.config());
    let keys = ["2024/01.gz", "2024/04.gz"];
    let objects = keys.map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(objects.into())).build().unwrap();
    let both = s3.delete_objects().bucket("platform-logs").delete(delete).send().await;

    assert_allowed!(&both, resource = "arn:aws:s3:::platform-logs/2024/01.gz");
    assert_denied!(&both, implicit, resource = "arn:aws:s3:::platform-logs/2024/04.gz");
    let some = "some of its items were allowed and some were denied";
    assert_says(&report(|| assert_allowed!(&both)), &[some, "2024/04.gz"]);
    assert_says(&report(|| assert_denied!(&both)), &[some, "2024/01.gz", "2024/04.gz"]);
}

#[iam_policy("policies/reader.json")]
#[tokio::test]
async fn an_operation_that_is_not_mapped_is_neither_allowed_nor_denied(config: SdkConfig) {
    let iam = aws_sdk_iam::Client::new(&config);
    let request = iam.update_delegation_request().delegation_request_id("0123456789abcdef0").send().await;
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&config);
    let contributors = cloudwatch.describe_alarm_contributors().alarm_name("latency").send().await;

    for said in [report(|| assert_allowed!(&request)), report(|| assert_denied!(&request))] {
        assert_says(
            &said,
            &["the endpoint does not know this operation", "OperationNotMapped", "UpdateDelegationRequest"],
        );
    }
    for said in [report(|| assert_allowed!(&contributors)), report(|| assert_denied!(&contributors))] {
        assert_says(&said, &["the endpoint does not know this operation", "DescribeAlarmContributors"]);
    }
}

#[iam_policy("policies/reader.json")]
#[tokio::test]
async fn credentials_that_are_not_accepted_are_no_denial(config: SdkConfig) {
    let forged = Credentials::new("AKIAIOSFODNN7EXAMPLE", "not-the-secret", None, None, "test");
    let provider = SharedCredentialsProvider::new(forged);
    let config = config.to_builder().credentials_provider(provider).build();
    let stranger = aws_sdk_s3::Client::new(&config).list_buckets().send().await;
    let nobody = aws_sdk_iam::Client::new(&config).list_roles().send().await;
    for said in [report(|| assert_denied!(&stranger)), report(|| assert_denied!(&nobody))] {
        assert_says(&said, &["says nothing about that: the credentials were not accepted"]);
    }
}

#[iam_policy("policies/reader.json")]
#[tokio::test]
async fn results_without_a_request_id_are_fine(config: SdkConfig) {
    let iam = aws_sdk_iam::Client::new(&config);
    let roles: Result<Vec<_>, _> = iam.list_roles().into_paginator().items().send().collect().await;
    assert_denied!(&roles, implicit, action = "iam:ListRoles");
}

#[iam_policy("policies/reader.json")]
#[tokio::test]
async fn a_call_that_was_never_sent_says_nothing(config: SdkConfig) {
    // The SDK refuses an empty bucket name by itself.
    let unsent = aws_sdk_s3::Client::new(&config).head_bucket().bucket("").send().await;
    let said = report(|| assert_denied!(&unsent));
    assert_says(&said, &["says nothing about that: the service did not answer"]);
}

/// Answers every request alike, as a service other than ours would.
#[derive(Clone, Debug)]
struct Always(u16, &'static str);

impl HttpConnector for Always {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let status = self.0.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.1))))
    }
}

fn answering(status: u16, body: &'static str) -> SdkConfig {
    let keys = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(Always(status, body))))
        .build()
}

const NO_POLICY: &str = "<Error><Code>AccessDenied</Code><Message>User: arn:aws:sts::1:assumed-role/r/s is not authorized to \
    perform: s3:GetObject on resource: \"arn:aws:s3:::b/k\" because no identity-based policy allows the s3:GetObject \
    action</Message></Error>";
const EXPLICIT: &str = "<Error><Code>AccessDenied</Code><Message>User: arn:aws:sts::1:assumed-role/r/s is not authorized to \
    perform: s3:GetObject on resource: \"arn:aws:s3:::b/k\" with an explicit deny in a resource-based policy</Message></Error>";
const HIDDEN: &str = "<Error><Code>AccessDenied</Code><Message>User: arn:aws:sts::1:assumed-role/r/s is not authorized to \
    perform: s3:ListBucket on resource: \"arn:aws:s3:::b\" because no identity-based policy allows the s3:ListBucket \
    action</Message></Error>";

/// Where nothing is journalled, the answer's code and sentence decide; `None` is neither allowed nor denied.
#[rstest]
#[case::no_policy(403, NO_POLICY, Some(Expected::ImplicitDeny))]
#[case::explicit(403, EXPLICIT, Some(Expected::ExplicitDeny))]
#[case::bare(
    403,
    "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
    Some(Expected::Denied)
)]
#[case::hidden(403, HIDDEN, Some(Expected::Allowed))]
#[case::missing(404, "<Error><Code>NoSuchKey</Code></Error>", Some(Expected::Allowed))]
#[case::presigned_too_old(
    403,
    "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
    None
)]
#[case::unknown_key(403, "<Error><Code>InvalidAccessKeyId</Code></Error>", None)]
#[case::bad_token(400, "<Error><Code>InvalidToken</Code></Error>", None)]
#[case::expired(400, "<Error><Code>ExpiredToken</Code></Error>", None)]
#[case::bad_signature(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", None)]
#[case::slow_down(503, "<Error><Code>SlowDown</Code></Error>", None)]
#[case::broken(500, "<Error><Code>InternalError</Code></Error>", None)]
#[case::malformed(400, "<Error><Code>InvalidRequest</Code></Error>", None)]
#[case::not_xml(502, "Bad Gateway", None)]
#[case::proxy(403, "<html>Forbidden</html>", None)]
#[case::ec2_form_denied(
    403,
    "<R><Errors><Error><Code>AccessDenied</Code><Message>no</Message></Error></Errors></R>",
    Some(Expected::Denied)
)]
#[case::ec2_form_live(403, "<R><Errors><Error><Code>InvalidClientTokenId</Code></Error></Errors></R>", None)]
#[tokio::test]
async fn an_answer_is_classified_by_its_code(
    #[case] status: u16,
    #[case] body: &'static str,
    #[case] expected: Option<Expected>,
) {
    let s3 = aws_sdk_s3::Client::new(&answering(status, body));
    let result = s3.get_object().bucket("b").key("k").send().await;
    if let Some(expected) = expected {
        assert_verdict!(&result, expected);
    } else {
        assert_says(&report(|| assert_allowed!(&result)), &["says nothing about that"]);
        assert_says(&report(|| assert_denied!(&result)), &["says nothing about that"]);
    }
}

/// S3 answers `HEAD` without a body, so a 403 is all there is.
#[tokio::test]
async fn a_head_request_has_no_code() {
    let s3 = aws_sdk_s3::Client::new(&answering(403, ""));
    let head = s3.head_object().bucket("b").key("k").send().await;
    assert_denied!(&head);
    assert_says(&report(|| assert_denied!(&head, explicit)), &["the service does not say why it was denied"]);
}

/// Every service family words a denial its own way.
#[rstest]
#[case::json(400, r#"{"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"}"#, true)]
#[case::json_live(
    400,
    r#"{"__type": "UnrecognizedClientException", "message": "The security token is invalid"}"#,
    false
)]
#[case::json_throttled(400, r#"{"__type": "ThrottlingException", "message": "slow"}"#, false)]
#[tokio::test]
async fn a_json_service_is_understood(#[case] status: u16, #[case] body: &'static str, #[case] denied: bool) {
    let sqs = aws_sdk_sqs::Client::new(&answering(status, body));
    let result = sqs.list_queues().send().await;
    if denied {
        assert_denied!(&result);
    } else {
        assert_says(&report(|| assert_denied!(&result)), &["says nothing about that"]);
    }
}

/// What the sentence says is checked, and told, where nothing is journalled.
#[tokio::test]
async fn a_foreign_denial_is_told_by_its_sentence() {
    let s3 = aws_sdk_s3::Client::new(&answering(403, NO_POLICY));
    let result = s3.get_object().bucket("b").key("k").send().await;
    assert_denied!(&result, implicit, action = "s3:GetObject", resource = "arn:aws:s3:::b/k");
    assert_says(
        &report(|| assert_denied!(&result, action = "s3:PutObject")),
        &["the verdict is about something else", "action     s3:GetObject"],
    );
    let bare = aws_sdk_s3::Client::new(&answering(
        403,
        "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
    ));
    let bare = bare.get_object().bucket("b").key("k").send().await;
    assert_says(
        &report(|| assert_denied!(&bare, action = "s3:GetObject")),
        &["the verdict is about something else"],
    );
}
