use aws_sdk_sns::Client;
use iam_fixture::{TemporaryRole, assert_denied, assert_ok, iam_policy};

use crate::{allow, code};

#[iam_policy(policy = allow(&["sns:Publish"], &["arn:aws:sns:us-east-1:123456789012:news"]))]
#[tokio::test]
async fn a_publisher_publishes_and_does_not_subscribe(role: TemporaryRole) {
    let admin = Client::new(role.admin());
    let topic =
        assert_ok!(admin.create_topic().name("news").attributes("DisplayName", "News & more").send().await);
    let topic = topic.topic_arn().expect("an ARN");

    let sns = Client::new(role.config());
    assert!(assert_ok!(sns.publish().topic_arn(topic).message("hello").send().await).message_id().is_some());
    let queue = "arn:aws:sqs:us-east-1:123456789012:q";
    assert_denied!(sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(queue).send().await);
    assert_denied!(sns.publish().topic_arn(topic.replace("news", "other")).message("hello").send().await);

    let subscribe = admin
        .subscribe()
        .topic_arn(topic)
        .protocol("sqs")
        .endpoint(queue)
        .attributes("RawMessageDelivery", "true");
    let subscription = assert_ok!(subscribe.send().await).subscription_arn.expect("an ARN");
    let attributes =
        assert_ok!(admin.get_subscription_attributes().subscription_arn(&subscription).send().await);
    assert_eq!(attributes.attributes().expect("attributes")["RawMessageDelivery"], "true");
    let attributes = assert_ok!(admin.get_topic_attributes().topic_arn(topic).send().await);
    let attributes = attributes.attributes().expect("attributes");
    assert_eq!(
        (attributes["DisplayName"].as_str(), attributes["SubscriptionsConfirmed"].as_str()),
        ("News & more", "1")
    );
    assert_eq!(
        assert_ok!(admin.list_subscriptions_by_topic().topic_arn(topic).send().await).subscriptions().len(),
        1
    );
    assert_eq!(code(sns.publish().topic_arn(topic).message("").send().await), "InvalidParameter");
    assert_ok!(admin.unsubscribe().subscription_arn(&subscription).send().await);
    assert_ok!(admin.delete_topic().topic_arn(topic).send().await);
    let gone = sns.publish().topic_arn(topic).message("x").send().await.expect_err("it is gone");
    assert!(gone.into_service_error().is_not_found_exception());
    assert!(assert_ok!(admin.list_topics().send().await).topics().is_empty());
}
