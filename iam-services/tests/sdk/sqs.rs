use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{Builder, Region};
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry};
use iam_fixture::{SdkConfig, TemporaryRole, assert_allowed, assert_denied, assert_ok, iam_policy};

use crate::{allow, code};

const JOBS: &str = "arn:aws:sqs:us-east-1:123456789012:jobs";

#[iam_policy(policy = allow(&["sqs:SendMessage", "sqs:GetQueueUrl"], &[JOBS]))]
#[tokio::test]
async fn a_producer_sends_and_does_not_receive(role: TemporaryRole) {
    let admin = Client::new(role.admin());
    assert_ok!(admin.create_queue().queue_name("jobs").send().await);
    let sqs = Client::new(role.config());
    let url = assert_ok!(sqs.get_queue_url().queue_name("jobs").send().await).queue_url.expect("a URL");
    let attribute =
        MessageAttributeValue::builder().data_type("String").string_value("x").build().expect("complete");
    let sent = assert_ok!(
        sqs.send_message()
            .queue_url(&url)
            .message_body("hello")
            .message_attributes("k", attribute)
            .send()
            .await
    );
    assert_eq!(sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    assert_denied!(sqs.receive_message().queue_url(&url).send().await);
    assert_denied!(sqs.send_message().queue_url(url.replace("jobs", "other")).message_body("x").send().await);

    let received = assert_ok!(
        admin
            .receive_message()
            .queue_url(&url)
            .message_attribute_names("All")
            .max_number_of_messages(10)
            .send()
            .await
    );
    let [message] = received.messages() else { panic!("one message, not {received:?}") };
    assert_eq!(message.body(), Some("hello"));
    assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
    let again = assert_ok!(admin.receive_message().queue_url(&url).send().await);
    assert!(again.messages().is_empty(), "it is hidden");
    let handle = message.receipt_handle().expect("a handle");
    assert_ok!(
        admin
            .change_message_visibility()
            .queue_url(&url)
            .receipt_handle(handle)
            .visibility_timeout(0)
            .send()
            .await
    );
    let again = assert_ok!(admin.receive_message().queue_url(&url).send().await);
    let handle = again.messages()[0].receipt_handle().expect("a handle");
    assert_ok!(admin.delete_message().queue_url(&url).receipt_handle(handle).send().await);
    let attributes = admin.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All);
    let attributes = assert_ok!(attributes.send().await);
    let count = |name| attributes.attributes().expect("attributes")[&name].clone();
    assert_eq!(count(QueueAttributeName::ApproximateNumberOfMessages), "0");
    assert_eq!(count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible), "0");
    assert_ok!(admin.delete_queue().queue_url(&url).send().await);
    let gone = admin.get_queue_url().queue_name("jobs").send().await.expect_err("it is gone");
    assert!(gone.into_service_error().is_queue_does_not_exist());
}

#[iam_policy(policy = allow(&["sqs:*"], &["*"]))]
#[tokio::test]
async fn messages_of_a_group_come_once_and_in_order(role: TemporaryRole) {
    let sqs = Client::new(role.config());
    let create = sqs
        .create_queue()
        .queue_name("q.fifo")
        .attributes(QueueAttributeName::FifoQueue, "true")
        .attributes(QueueAttributeName::ContentBasedDeduplication, "true");
    let url = assert_ok!(create.send().await).queue_url.expect("a URL");
    let send = |body: &str, group: &str| {
        sqs.send_message().queue_url(&url).message_body(body).message_group_id(group).send()
    };
    let first = assert_ok!(send("1", "a").await);
    let duplicate = assert_ok!(send("1", "a").await);
    assert_eq!(first.message_id(), duplicate.message_id());
    assert_ok!(send("2", "a").await);
    assert_ok!(send("3", "b").await);
    let receive = async || {
        let answer = sqs.receive_message().queue_url(&url).send().await;
        assert_ok!(answer).messages.and_then(|messages| messages.into_iter().next())
    };
    let one = receive().await.expect("the first of a");
    let three = receive().await.expect("the first of b, while a waits");
    assert_eq!((one.body(), three.body()), (Some("1"), Some("3")));
    assert!(receive().await.is_none());
    let handle = one.receipt_handle().expect("a handle");
    assert_ok!(sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await);
    assert_eq!(receive().await.expect("the second of a").body(), Some("2"));
    assert_eq!(code(sqs.send_message().queue_url(&url).message_body("x").send().await), "MissingParameter");
}

#[iam_policy(policy = allow(&["sqs:*"], &["*"]))]
#[tokio::test]
async fn what_is_received_too_often_goes_to_the_dead_letter_queue(role: TemporaryRole) {
    let sqs = Client::new(role.config());
    let dead = assert_ok!(sqs.create_queue().queue_name("dead").send().await).queue_url.expect("a URL");
    let policy =
        r#"{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 1}"#;
    let create = sqs
        .create_queue()
        .queue_name("live")
        .attributes(QueueAttributeName::RedrivePolicy, policy)
        .attributes(QueueAttributeName::VisibilityTimeout, "0");
    let live = assert_ok!(create.send().await).queue_url.expect("a URL");
    let entry = |id: &str, body: &str| {
        SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().expect("complete")
    };
    let batch = assert_ok!(
        sqs.send_message_batch()
            .queue_url(&live)
            .entries(entry("1", "a"))
            .entries(entry("2", ""))
            .send()
            .await
    );
    assert_eq!((batch.successful().len(), batch.failed().len()), (1, 1));
    assert_eq!(assert_ok!(sqs.receive_message().queue_url(&live).send().await).messages().len(), 1);
    assert!(assert_ok!(sqs.receive_message().queue_url(&live).send().await).messages().is_empty());
    let received = assert_ok!(sqs.receive_message().queue_url(&dead).send().await);
    assert_eq!(received.messages()[0].body(), Some("a"));
    let sources = assert_ok!(sqs.list_dead_letter_source_queues().queue_url(&dead).send().await);
    assert_eq!(sources.queue_urls(), [live]);
}

#[iam_policy(policy = allow(&["sqs:*"], &["*"]))]
#[tokio::test]
async fn a_long_poll_ends_with_the_message_or_with_the_time(role: TemporaryRole) {
    let sqs = Client::new(role.config());
    let url = assert_ok!(sqs.create_queue().queue_name("q").send().await).queue_url.expect("a URL");
    let start = Instant::now();
    let nothing = assert_ok!(sqs.receive_message().queue_url(&url).wait_time_seconds(1).send().await);
    assert!(nothing.messages().is_empty() && start.elapsed() >= Duration::from_secs(1));
    let start = Instant::now();
    let (received, ()) =
        tokio::join!(sqs.receive_message().queue_url(&url).wait_time_seconds(20).send(), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_ok!(sqs.send_message().queue_url(&url).message_body("x").send().await);
        });
    assert_eq!(assert_ok!(received).messages().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(10));
    // A delay ends during the poll too.
    assert_ok!(sqs.send_message().queue_url(&url).message_body("later").delay_seconds(1).send().await);
    let received = assert_ok!(sqs.receive_message().queue_url(&url).wait_time_seconds(5).send().await);
    assert_eq!(received.messages()[0].body(), Some("later"));
}

#[iam_policy(
    policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:PurgeQueue", "Resource": "*",
    "Condition": {"StringEquals": {"aws:ResourceTag/stage": "test"}}}}"#
)]
#[tokio::test]
async fn the_tags_of_a_queue_decide(role: TemporaryRole) {
    let admin = Client::new(role.admin());
    let create = async |name: &str, stage: &str| {
        let answer = admin.create_queue().queue_name(name).tags("stage", stage).send().await;
        assert_ok!(answer).queue_url.expect("a URL")
    };
    let (test, live) = (create("test", "test").await, create("live", "live").await);
    let sqs = Client::new(role.config());
    assert_ok!(sqs.purge_queue().queue_url(&test).send().await);
    assert_denied!(sqs.purge_queue().queue_url(&live).send().await);
    assert_ok!(admin.untag_queue().queue_url(&test).tag_keys("stage").send().await);
    assert_denied!(sqs.purge_queue().queue_url(&test).send().await);
    assert_allowed!(admin.purge_queue().queue_url(&test).send().await);
}

#[iam_policy(policy = allow(&["sqs:*"], &["*"]))]
#[tokio::test]
async fn queues_are_apart_in_each_region(config: SdkConfig) {
    let here = Client::new(&config);
    assert_ok!(here.create_queue().queue_name("q").send().await);
    let there = Client::from_conf(Builder::from(&config).region(Region::new("eu-west-1")).build());
    let missing = there.get_queue_url().queue_name("q").send().await.expect_err("it is elsewhere");
    assert!(missing.into_service_error().is_queue_does_not_exist());
    let url = assert_ok!(there.create_queue().queue_name("q").send().await).queue_url.expect("a URL");
    assert_eq!(url, "https://sqs.eu-west-1.amazonaws.com/123456789012/q");
}
