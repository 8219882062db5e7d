//! Services that nothing keeps: the SDK's own clients, each in its own protocol, are allowed and denied as AWS does it.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_lambda::primitives::Blob;
use iam_fixture::{Backend, TemporaryRole, assert_allowed, assert_denied, assert_ok};

/// A role with a policy of one statement.
async fn role(action: &str, resource: &str, condition: &str) -> TemporaryRole {
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{action}",
            "Resource": "{resource}", "Condition": {{{condition}}}}}}}"#
    );
    TemporaryRole::builder().policy(policy).create().await.expect("the policy is good")
}

const MUSIC: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/Music";

#[tokio::test]
async fn json() {
    let role = role("dynamodb:GetItem", MUSIC, "").await;
    let dynamodb = aws_sdk_dynamodb::Client::new(role.config());
    let get =
        |table: &str| dynamodb.get_item().table_name(table).key("Id", AttributeValue::S("1".into())).send();
    assert_allowed!(get("Music").await, action = "dynamodb:GetItem", resource = MUSIC);
    let denied = get("Films").await;
    assert_denied!(&denied, implicit, action = "dynamodb:GetItem");
    let error = denied.expect_err("it is denied").into_service_error();
    assert_eq!(error.meta().code(), Some("AccessDeniedException"));
}

#[tokio::test]
async fn what_is_allowed_and_not_performed_is_not_ok() {
    // Not performed by the feature `dynamodb` either, which is on when the whole workspace is built.
    let role = role("dynamodb:ListBackups", "*", "").await;
    let listed = aws_sdk_dynamodb::Client::new(role.config()).list_backups().send().await;
    assert_allowed!(&listed);
    let code =
        listed.as_ref().expect_err("nothing performs it").as_service_error().and_then(|e| e.meta().code());
    assert_eq!(code, Some("AuthorizedNotPerformed"));
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(assert_ok!(listed))));
    let said = failed.expect_err("it did not succeed");
    assert!(said.downcast_ref::<String>().is_some_and(|said| said.contains("AuthorizedNotPerformed")));
}

#[tokio::test]
async fn cbor() {
    let role =
        role("cloudwatch:SetAlarmState", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu", "").await;
    let cloudwatch = aws_sdk_cloudwatch::Client::new(role.config());
    let set = |name: &str| {
        let state = aws_sdk_cloudwatch::types::StateValue::Ok;
        cloudwatch.set_alarm_state().alarm_name(name).state_value(state).state_reason("test").send()
    };
    assert_allowed!(set("cpu").await);
    assert_denied!(set("memory").await);
}

#[tokio::test]
async fn query() {
    let role = role("sns:Publish", "arn:aws:sns:us-east-1:123456789012:news", "").await;
    let sns = aws_sdk_sns::Client::new(role.config());
    let publish = |topic: &str| {
        sns.publish().topic_arn(format!("arn:aws:sns:us-east-1:123456789012:{topic}")).message("x").send()
    };
    assert_allowed!(publish("news").await);
    let denied = publish("olds").await;
    assert_denied!(&denied);
    let error = denied.expect_err("it is denied").into_service_error();
    assert!(error.is_authorization_error_exception(), "{error:?}");
}

#[tokio::test]
async fn rest_json() {
    let role =
        role("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:greet", "").await;
    let lambda = aws_sdk_lambda::Client::new(role.config());
    let invoke = |name: &str| lambda.invoke().function_name(name).payload(Blob::new("not JSON")).send();
    assert_allowed!(invoke("greet").await);
    assert_denied!(invoke("bye").await);
}

#[tokio::test]
async fn sqs_has_both_names_of_its_errors() {
    let role = role("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:jobs", "").await;
    let sqs = aws_sdk_sqs::Client::new(role.config());
    let send = |queue: &str| {
        let url = format!("https://sqs.us-east-1.amazonaws.com/123456789012/{queue}");
        sqs.send_message().queue_url(url).message_body("x").send()
    };
    assert_allowed!(send("jobs").await);
    assert_denied!(send("others").await);
}

/// What no call can say, a test says.
#[tokio::test]
async fn a_test_sets_the_keys_that_no_request_has() {
    let inside = r#""StringEquals": {"aws:SourceVpc": "vpc-1", "aws:ResourceTag/Stage": "test"}"#;
    let role = role("dynamodb:*", "*", inside).await;
    let dynamodb = aws_sdk_dynamodb::Client::new(role.config());
    let describe = || dynamodb.describe_table().table_name("Music").send();
    role.tag_resource(MUSIC, "Stage", "test");
    assert_denied!(describe().await);
    role.context("aws:SourceVpc", "vpc-1");
    assert_allowed!(describe().await);
    role.context_values("aws:SourceVpc", None::<String>);
    assert_denied!(describe().await);
}

#[tokio::test]
async fn a_builder_takes_keys_and_operations() {
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "dynamodb:GetItem",
        "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}}"#;
    let builder = TemporaryRole::builder().policy(policy).context("aws:SourceVpc", "vpc-1");
    // Whoever may get an item may describe its table: not AWS's rule, but this test's.
    let declared = builder.clone().operation("dynamodb", "DescribeTable", "GetItem@table=TableName");
    let role = declared.create().await.expect("the declaration is good");
    let dynamodb = aws_sdk_dynamodb::Client::new(role.config());
    assert_allowed!(dynamodb.describe_table().table_name("Music").send().await, action = "dynamodb:GetItem");
    let wrong =
        builder.operation("dynamodb", "DescribeTable", "GetItm").backend(Backend::embedded()).create().await;
    let said = wrong.expect_err("there is no such action").to_string();
    assert!(said.contains("did you mean `GetItem`?") && said.contains("nothing was created"), "{said}");
}
