//! What services send in their own name: the policies of queues and topics decide.

use aws_sdk_eventbridge::types::{InputTransformer, PutEventsRequestEntry, Target};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use aws_sdk_sns::types::MessageAttributeValue;
use iam_fixture::{Outcome, TemporaryRole, assert_ok, iam_policy};
use serde_json::{Value, json};

/// The administrator's clients, and what the services did.
struct Account {
    role: TemporaryRole,
    events: aws_sdk_eventbridge::Client,
    sns: aws_sdk_sns::Client,
    sqs: aws_sdk_sqs::Client,
}

impl Account {
    fn of(role: TemporaryRole) -> Self {
        Self {
            events: aws_sdk_eventbridge::Client::new(role.admin()),
            sns: aws_sdk_sns::Client::new(role.admin()),
            sqs: aws_sdk_sqs::Client::new(role.admin()),
            role,
        }
    }

    async fn queue(&self, name: &str) -> String {
        assert_ok!(self.sqs.create_queue().queue_name(name).send().await).queue_url.expect("a URL")
    }

    /// Lets a service send to the queue for what has this ARN.
    async fn admit(&self, queue: &str, service: &str, source: &str) {
        let name = queue.rsplit('/').next().unwrap_or_default();
        let policy =
            allow(service, "sqs:SendMessage", &format!("arn:aws:sqs:us-east-1:123456789012:{name}"), source);
        let set = self.sqs.set_queue_attributes().queue_url(queue);
        assert_ok!(set.attributes(aws_sdk_sqs::types::QueueAttributeName::Policy, policy).send().await);
    }

    async fn subscribe(&self, topic: &str, protocol: &str, endpoint: &str, attributes: &[(&str, &str)]) {
        let subscribe = self.sns.subscribe().topic_arn(topic).protocol(protocol).endpoint(endpoint);
        let subscribe =
            attributes.iter().fold(subscribe, |subscribe, (name, value)| subscribe.attributes(*name, *value));
        assert_ok!(subscribe.send().await);
    }

    /// The messages of a queue, which are gone then.
    async fn bodies(&self, queue: &str) -> Vec<aws_sdk_sqs::types::Message> {
        let receive = self.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
        assert_ok!(receive.message_attribute_names("All").send().await).messages.unwrap_or_default()
    }

    /// How the calls of a service ended.
    fn calls_of(&self, service: &str) -> Vec<(String, Outcome)> {
        let events = self.role.backend().decisions_of(service).expect("it is embedded");
        events.iter().map(|event| (event.operation.clone(), event.outcome)).collect()
    }
}

fn allow(service: &str, action: &str, resource: &str, source: &str) -> String {
    let statement = json!({
        "Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    });
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:123456789012:{name}")
}

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().expect("complete")
}

#[iam_policy(policy = crate::allow(&["sns:Publish"], &["*"]))]
#[tokio::test]
async fn a_topic_sends_to_queues_whose_policy_admits_it(role: TemporaryRole) {
    let account = Account::of(role);
    let topic = assert_ok!(account.sns.create_topic().name("news").send().await).topic_arn.expect("an ARN");
    let queue = account.queue("inbox").await;
    account.subscribe(&topic, "sqs", &queue_arn("inbox"), &[]).await;
    let publish = |text: &str| {
        aws_sdk_sns::Client::new(account.role.config()).publish().topic_arn(&topic).message(text).send()
    };

    // Neither the publisher's right nor the administrator's is SNS's, and another topic's is none of this one's.
    assert_ok!(publish("lost").await);
    account.admit(&queue, "sns.amazonaws.com", "arn:aws:sns:us-east-1:123456789012:other").await;
    assert_ok!(publish("lost too").await);
    assert!(account.bodies(&queue).await.is_empty());
    assert_eq!(
        account.calls_of("sns.amazonaws.com"),
        vec![("sqs:SendMessage".to_owned(), Outcome::Denied); 2]
    );

    account.admit(&queue, "sns.amazonaws.com", &topic).await;
    let id = assert_ok!(publish("hello").await).message_id.expect("an id");
    let [message] = account.bodies(&queue).await.try_into().expect("one message");
    let envelope: Value = serde_json::from_str(message.body().expect("a body")).expect("JSON");
    assert_eq!(
        ["Type", "Message", "MessageId", "TopicArn"].map(|name| envelope[name].as_str().unwrap_or_default()),
        ["Notification", "hello", &id, &topic]
    );
}

#[iam_policy(policy = crate::allow(&["sns:Publish"], &["*"]))]
#[tokio::test]
async fn subscribers_get_what_they_asked_for_and_as_they_asked(role: TemporaryRole) {
    let account = Account::of(role);
    let topic = assert_ok!(account.sns.create_topic().name("news").send().await).topic_arn.expect("an ARN");
    let (raw, big) = (account.queue("raw").await, account.queue("big").await);
    for queue in [&raw, &big] {
        account.admit(queue, "sns.amazonaws.com", &topic).await;
    }
    let filter = r#"{"kind": [{"prefix": "or"}], "price": [{"numeric": ["<", 100]}]}"#;
    let raw_ones = [("RawMessageDelivery", "true"), ("FilterPolicy", filter)];
    account.subscribe(&topic, "sqs", &queue_arn("raw"), &raw_ones).await;
    let in_body = [("FilterPolicyScope", "MessageBody"), ("FilterPolicy", r#"{"order": {"size": ["big"]}}"#)];
    account.subscribe(&topic, "sqs", &queue_arn("big"), &in_body).await;
    account.subscribe(&topic, "lambda", "arn:aws:lambda:us-east-1:123456789012:function:f", &[]).await;
    for (kind, price, body) in [
        ("order", "7", r#"{"order": {"size": "small"}}"#),
        ("order", "700", r#"{"order": {"size": "big"}}"#),
        ("news", "7", "no JSON"),
    ] {
        let price = MessageAttributeValue::builder().data_type("Number").string_value(price).build();
        let publish =
            account.sns.publish().topic_arn(&topic).message(body).message_attributes("kind", text(kind));
        assert_ok!(publish.message_attributes("price", price.expect("complete")).send().await);
    }
    let [message] = account.bodies(&raw).await.try_into().expect("one message");
    assert_eq!(message.body(), Some(r#"{"order": {"size": "small"}}"#));
    assert_eq!(message.message_attributes.expect("attributes")["kind"].string_value(), Some("order"));
    let [message] = account.bodies(&big).await.try_into().expect("one message");
    assert!(message.body().expect("a body").contains("big"));
    // The function has no policy that would let SNS invoke it.
    let calls = account.calls_of("sns.amazonaws.com");
    let refused = ("lambda:Invoke".to_owned(), Outcome::Denied);
    assert_eq!((calls.len(), calls.iter().filter(|call| **call == refused).count()), (5, 3));
    let wrong = account.sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(queue_arn("raw"));
    let wrong = wrong.attributes("FilterPolicy", r#"{"kind": "order"}"#).send().await;
    assert_eq!(crate::code(wrong), "InvalidParameter");
}

#[iam_policy(policy = crate::allow(&["sns:Publish"], &["*"]))]
#[tokio::test]
async fn a_fifo_topic_sends_once_and_in_groups(role: TemporaryRole) {
    let account = Account::of(role);
    let topic = account.sns.create_topic().name("t.fifo").attributes("FifoTopic", "true");
    let topic = assert_ok!(topic.send().await).topic_arn.expect("an ARN");
    let queue = account.sqs.create_queue().queue_name("q.fifo");
    let queue = queue.attributes(aws_sdk_sqs::types::QueueAttributeName::FifoQueue, "true");
    let queue = assert_ok!(queue.send().await).queue_url.expect("a URL");
    account.admit(&queue, "sns.amazonaws.com", &topic).await;
    account.subscribe(&topic, "sqs", &queue_arn("q.fifo"), &[("RawMessageDelivery", "true")]).await;
    for _ in 0..2 {
        let publish = account.sns.publish().topic_arn(&topic).message("m").message_group_id("g");
        assert_ok!(publish.message_deduplication_id("1").send().await);
    }
    assert_eq!(account.bodies(&queue).await.len(), 1);
    assert_eq!(account.calls_of("sns.amazonaws.com").len(), 1);
    let plain = assert_ok!(account.sns.create_topic().name("t").send().await).topic_arn.expect("an ARN");
    let subscribe = account.sns.subscribe().topic_arn(plain).protocol("sqs").endpoint(queue_arn("q.fifo"));
    assert_eq!(crate::code(subscribe.send().await), "InvalidParameter");
}

#[iam_policy(policy = crate::allow(&["events:PutEvents"], &["*"]))]
#[tokio::test]
async fn a_rule_sends_to_its_targets(role: TemporaryRole) {
    let account = Account::of(role);
    let queue = account.queue("orders").await;
    let behind = account.queue("behind").await;
    let topic = assert_ok!(account.sns.create_topic().name("news").send().await).topic_arn.expect("an ARN");
    account.subscribe(&topic, "sqs", &queue_arn("behind"), &[("RawMessageDelivery", "true")]).await;
    let put = account
        .events
        .put_rule()
        .name("big")
        .event_pattern(r#"{"detail": {"size": [{"anything-but": "small"}]}}"#);
    let rule_arn = assert_ok!(put.send().await).rule_arn.expect("an ARN");
    let transformer = InputTransformer::builder()
        .input_paths_map("size", "$.detail.size")
        .input_template(r#"{"is": <size>}"#)
        .build()
        .expect("complete");
    let target = |id: &str, arn: &str| Target::builder().id(id).arn(arn);
    let targets = [
        target("1", &queue_arn("orders")),
        target("2", &topic).input_transformer(transformer),
        target("3", "arn:aws:lambda:us-east-1:123456789012:function:f"),
    ];
    let targets = targets.into_iter().map(|target| target.build().expect("complete")).collect();
    assert_ok!(account.events.put_targets().rule("big").set_targets(Some(targets)).send().await);
    let put = |size: &str| {
        let entry = PutEventsRequestEntry::builder().source("app").detail_type("order");
        let entry = entry.detail(json!({ "size": size }).to_string()).build();
        aws_sdk_eventbridge::Client::new(account.role.config()).put_events().entries(entry).send()
    };

    assert_ok!(put("big").await);
    let denied = |operation: &str| (operation.to_owned(), Outcome::Denied);
    assert_eq!(
        account.calls_of("events.amazonaws.com"),
        [denied("sqs:SendMessage"), denied("sns:Publish"), denied("lambda:Invoke")]
    );

    account.admit(&queue, "events.amazonaws.com", &rule_arn).await;
    account.admit(&behind, "sns.amazonaws.com", &topic).await;
    let admit = |statement: String| {
        account
            .sns
            .set_topic_attributes()
            .topic_arn(&topic)
            .attribute_name("Policy")
            .attribute_value(statement)
    };
    assert_ok!(admit(allow("events.amazonaws.com", "sns:Publish", &topic, &rule_arn)).send().await);
    let function = aws_sdk_lambda::Client::new(account.role.admin()).create_function().function_name("f");
    let function = function.runtime(Runtime::from("provided.al2023")).handler("bootstrap");
    let code = FunctionCode::builder().zip_file(Blob::new(*b"PK\x05\x06")).build();
    assert_ok!(function.role("arn:aws:iam::123456789012:role/service").code(code).send().await);
    account
        .role
        .backend()
        .put_resource_policy(
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            allow("events.amazonaws.com", "lambda:InvokeFunction", "*", &rule_arn),
        )
        .expect("it is embedded");
    for size in ["small", "big"] {
        assert_ok!(put(size).await);
    }
    let [message] = account.bodies(&queue).await.try_into().expect("one message");
    let event: Value = serde_json::from_str(message.body().expect("a body")).expect("JSON");
    assert_eq!((&event["source"], &event["detail"]["size"]), (&json!("app"), &json!("big")));
    let [message] = account.bodies(&behind).await.try_into().expect("one message");
    assert_eq!(message.body(), Some(r#"{"is": "big"}"#));
    let done = account.calls_of("events.amazonaws.com");
    assert_eq!(done.get(5), Some(&("lambda:Invoke".to_owned(), Outcome::NotPerformed)), "{done:?}");

    assert_ok!(account.events.disable_rule().name("big").send().await);
    assert_ok!(put("big").await);
    assert!(account.bodies(&queue).await.is_empty());
}

#[iam_policy(policy = crate::allow(&["sns:Publish", "events:PutEvents"], &["*"]))]
#[tokio::test]
async fn what_may_not_be_delivered_goes_to_the_dead_letter_queue_that_admits_it(role: TemporaryRole) {
    let account = Account::of(role);
    let topic = assert_ok!(account.sns.create_topic().name("news").send().await).topic_arn.expect("an ARN");
    let (inbox, dead) = (account.queue("inbox").await, account.queue("dead").await);
    let redrive = json!({"deadLetterTargetArn": queue_arn("dead")}).to_string();
    account.subscribe(&topic, "sqs", &queue_arn("inbox"), &[("RedrivePolicy", &redrive)]).await;
    let publisher = aws_sdk_sns::Client::new(account.role.config());
    let publish = |text: &str| publisher.publish().topic_arn(&topic).message(text).send();
    assert_ok!(publish("lost").await);
    let denied = ("sqs:SendMessage".to_owned(), Outcome::Denied);
    assert_eq!(account.calls_of("sns.amazonaws.com"), vec![denied.clone(); 2]);
    account.admit(&dead, "sns.amazonaws.com", &topic).await;
    assert_ok!(publish("kept").await);
    let [message] = account.bodies(&dead).await.try_into().expect("one message");
    let envelope: Value = serde_json::from_str(message.body().expect("a body")).expect("JSON");
    assert_eq!((&envelope["Message"], &envelope["TopicArn"]), (&json!("kept"), &json!(topic)));
    account.admit(&inbox, "sns.amazonaws.com", &topic).await;
    assert_ok!(publish("delivered").await);
    assert_eq!((account.bodies(&inbox).await.len(), account.bodies(&dead).await.len()), (1, 0));
    let wrong = account.sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(queue_arn("other"));
    let wrong = wrong.attributes("RedrivePolicy", json!({"deadLetterTargetArn": topic}).to_string());
    assert_eq!(crate::code(wrong.send().await), "InvalidParameter");

    let rule = account.events.put_rule().name("orders").event_pattern(r#"{"source": ["app"]}"#);
    let rule = assert_ok!(rule.send().await).rule_arn.expect("an ARN");
    let config = aws_sdk_eventbridge::types::DeadLetterConfig::builder().arn(queue_arn("dead")).build();
    let target = Target::builder().id("1").arn(queue_arn("missing")).dead_letter_config(config).build();
    let put = account.events.put_targets().rule("orders").targets(target.expect("complete"));
    assert_ok!(put.send().await);
    account.admit(&dead, "events.amazonaws.com", &rule).await;
    let event =
        PutEventsRequestEntry::builder().source("app").detail_type("order").detail(r#"{"id": 7}"#).build();
    let events = aws_sdk_eventbridge::Client::new(account.role.config());
    assert_ok!(events.put_events().entries(event).send().await);
    let [message] = account.bodies(&dead).await.try_into().expect("one message");
    let event: Value = serde_json::from_str(message.body().expect("a body")).expect("JSON");
    assert_eq!(event["detail"], json!({"id": 7}));
    let attributes = message.message_attributes.expect("attributes");
    let told =
        ["RULE_ARN", "TARGET_ARN"].map(|name| attributes[name].string_value().unwrap_or_default().to_owned());
    assert_eq!(told, [rule, queue_arn("missing")]);
}
