//! One call of each of fifteen services, as the Rust SDK serialises it, in process: allowed on the resource that the role
//! may use, denied on its sibling, and denied to a role that may do nothing.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use iam_fixture::{TemporaryRole, assert_allowed, assert_denied};

/// A role that may do one thing.
async fn role(action: &str, resource: &str) -> TemporaryRole {
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}}}"#
    );
    TemporaryRole::builder().policy(policy).create().await.expect("the policy is good")
}

/// A test for each service: the action, the resource, where `NAME` stands for what its call is given, and the call.
macro_rules! round_trips {
    ($($service:ident, $action:literal on $resource:literal: |$config:ident, $name:ident| $call:expr;)*) => { $(
        #[tokio::test]
        async fn $service() {
            let on = |name: &str| $resource.replace("NAME", name);
            let call = async |$config: &iam_fixture::SdkConfig, $name: &str| $call.send().await;
            let nobody = role("iam:ListAccountAliases", "*").await;
            let owner = role($action, &on("ours")).await;
            assert_allowed!(call(owner.config(), "ours").await, action = $action, resource = on("ours"));
            assert_denied!(call(owner.config(), "theirs").await, implicit, action = $action, resource = on("theirs"));
            assert_denied!(call(nobody.config(), "ours").await, implicit, action = $action, resource = on("ours"));
        }
    )* };
}

round_trips! {
    acm, "acm:DescribeCertificate" on "arn:aws:acm:us-east-1:123456789012:certificate/NAME":
        |config, name| aws_sdk_acm::Client::new(config)
            .describe_certificate()
            .certificate_arn(format!("arn:aws:acm:us-east-1:123456789012:certificate/{name}"));
    cloudwatch, "cloudwatch:EnableAlarmActions" on "arn:aws:cloudwatch:us-east-1:123456789012:alarm:NAME":
        |config, name| aws_sdk_cloudwatch::Client::new(config).enable_alarm_actions().alarm_names(name);
    cloudwatch_logs, "logs:PutRetentionPolicy" on "arn:aws:logs:us-east-1:123456789012:log-group:NAME:log-stream:":
        |config, name| aws_sdk_cloudwatchlogs::Client::new(config)
            .put_retention_policy()
            .log_group_name(name)
            .retention_in_days(7);
    dynamodb, "dynamodb:GetItem" on "arn:aws:dynamodb:us-east-1:123456789012:table/NAME":
        |config, name| aws_sdk_dynamodb::Client::new(config)
            .get_item()
            .table_name(name)
            .key("id", AttributeValue::S("1".to_owned()));
    event_bridge, "events:DescribeRule" on "arn:aws:events:us-east-1:123456789012:rule/NAME":
        |config, name| aws_sdk_eventbridge::Client::new(config).describe_rule().name(name);
    firehose, "firehose:DescribeDeliveryStream" on "arn:aws:firehose:us-east-1:123456789012:deliverystream/NAME":
        |config, name| aws_sdk_firehose::Client::new(config).describe_delivery_stream().delivery_stream_name(name);
    iam, "iam:GetRole" on "arn:aws:iam::123456789012:role/NAME":
        |config, name| aws_sdk_iam::Client::new(config).get_role().role_name(name);
    kinesis, "kinesis:DescribeStreamSummary" on "arn:aws:kinesis:us-east-1:123456789012:stream/NAME":
        |config, name| aws_sdk_kinesis::Client::new(config).describe_stream_summary().stream_name(name);
    kms, "kms:DescribeKey" on "arn:aws:kms:us-east-1:123456789012:key/NAME":
        |config, name| aws_sdk_kms::Client::new(config).describe_key().key_id(name);
    lambda, "lambda:InvokeFunction" on "arn:aws:lambda:us-east-1:123456789012:function:NAME":
        |config, name| aws_sdk_lambda::Client::new(config).invoke().function_name(name);
    s3, "s3:GetObject" on "arn:aws:s3:::NAME/key":
        |config, name| aws_sdk_s3::Client::new(config).get_object().bucket(name).key("key");
    secrets_manager, "secretsmanager:GetSecretValue" on "arn:aws:secretsmanager:us-east-1:123456789012:secret:NAME-AbCdEf":
        |config, name| aws_sdk_secretsmanager::Client::new(config)
            .get_secret_value()
            .secret_id(format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-AbCdEf"));
    sns, "sns:Publish" on "arn:aws:sns:us-east-1:123456789012:NAME":
        |config, name| aws_sdk_sns::Client::new(config)
            .publish()
            .topic_arn(format!("arn:aws:sns:us-east-1:123456789012:{name}"))
            .message("hello");
    sqs, "sqs:GetQueueAttributes" on "arn:aws:sqs:us-east-1:123456789012:NAME":
        |config, name| aws_sdk_sqs::Client::new(config)
            .get_queue_attributes()
            .queue_url(format!("https://sqs.us-east-1.amazonaws.com/123456789012/{name}"))
            .attribute_names(QueueAttributeName::All);
    ssm, "ssm:GetParameter" on "arn:aws:ssm:us-east-1:123456789012:parameter/NAME":
        |config, name| aws_sdk_ssm::Client::new(config).get_parameter().name(name);
}
