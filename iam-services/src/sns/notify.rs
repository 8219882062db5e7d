//! Telling subscribers: queues and functions, which SNS calls in its own name.
//!
//! See <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::State;
use super::publish::Accepted;
use super::subscription::{Subscription, is_fifo};
use crate::calendar::date_time_to_the_millisecond;
use crate::fault::Fault;
use crate::input::Input;
use crate::kept::Ask;
use crate::outbox::Outbox;

/// A message that was published to a topic.
struct Message<'a> {
    topic: &'a str,
    id: &'a str,
    text: &'a str,
    subject: Option<&'a str>,
    /// As the request has them.
    attributes: Map<String, Value>,
    group: Option<&'a str>,
    deduplication: Option<&'a str>,
    sequence: Option<&'a str>,
    /// One text for each protocol.
    by_protocol: Option<Map<String, Value>>,
    time: u64,
}

/// Sends what was accepted to the subscribers of a topic that want it.
pub(super) fn notify(
    state: &State,
    ask: &Ask<'_>,
    topic: &str,
    input: Input<'_>,
    accepted: &Accepted,
) -> Result<(), Fault> {
    if !accepted.is_new {
        return Ok(());
    }
    let message = Message {
        topic,
        id: &accepted.id,
        text: input.required("Message")?,
        subject: input.text("Subject")?,
        attributes: input.object("MessageAttributes")?.map(|of| of.members().clone()).unwrap_or_default(),
        group: input.text("MessageGroupId")?,
        deduplication: input.text("MessageDeduplicationId")?,
        sequence: accepted.sequence.as_deref(),
        by_protocol: match input.text("MessageStructure")? {
            Some(_) => serde_json::from_str(input.required("Message")?).ok(),
            None => None,
        },
        time: ask.now,
    };
    let outbox = Outbox { allowed: ask.allowed, principal: "sns.amazonaws.com", source: topic };
    for (arn, subscription) in state.subscriptions.iter().filter(|(_, of)| of.topic == topic) {
        if !subscription.is_pending && message.is_wanted(subscription) {
            message.send(outbox, arn, subscription);
        }
    }
    Ok(())
}

impl Message<'_> {
    fn is_wanted(&self, subscription: &Subscription) -> bool {
        let Some(filter) = &subscription.filter else { return true };
        if subscription.filters_body() {
            let body: Option<Map<_, _>> = serde_json::from_str(self.text).ok();
            return body.is_some_and(|body| filter.matches(&body));
        }
        let attributes = self.attributes.iter().filter_map(|(name, value)| {
            let text = value.get("StringValue")?.as_str()?;
            let value = match value.get("DataType")?.as_str()? {
                "Number" | "String.Array" => serde_json::from_str(text).ok()?,
                kind if kind.starts_with("Number.") => serde_json::from_str(text).ok()?,
                _ => Value::from(text),
            };
            Some((name.clone(), value))
        });
        filter.matches(&attributes.collect())
    }

    fn send(&self, outbox: Outbox<'_>, subscription: &str, to: &Subscription) {
        let delivery = match to.protocol.as_str() {
            "lambda" => {
                let event = json!({"Records": [{
                    "EventSource": "aws:sns",
                    "EventVersion": "1.0",
                    "EventSubscriptionArn": subscription,
                    "Sns": self.envelope(subscription, "lambda"),
                }]});
                Some(outbox.to_function(&to.endpoint, event.to_string()))
            }
            "sqs" => outbox.to_queue(&to.endpoint, self.for_queue(&to.endpoint, subscription, to)),
            // The others are nobody in this account.
            _ => None,
        };
        // https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
        let dead_letter = to
            .dead_letter_queue()
            .and_then(|queue| outbox.to_queue(&queue, self.for_queue(&queue, subscription, to)));
        if let Some(delivery) = delivery {
            outbox.send(delivery, dead_letter);
        }
    }

    fn for_queue(&self, queue: &str, subscription: &str, to: &Subscription) -> Map<String, Value> {
        let mut message = Map::new();
        let mut set = |name: &str, value: Value| message.insert(name.to_owned(), value);
        if to.is_raw() {
            set("MessageBody", self.text_for("sqs").into());
            if !self.attributes.is_empty() {
                set("MessageAttributes", self.attributes.clone().into());
            }
        } else {
            set("MessageBody", Value::Object(self.envelope(subscription, "sqs")).to_string().into());
        }
        if let Some(group) = self.group {
            set("MessageGroupId", group.into());
            if is_fifo(queue) {
                let id = self.deduplication.map(str::to_owned);
                let id = id.unwrap_or_else(|| hex::encode(Sha256::digest(self.text)));
                set("MessageDeduplicationId", id.into());
            }
        }
        message
    }

    fn text_for(&self, protocol: &str) -> &str {
        let texts = self.by_protocol.as_ref();
        let text = texts.and_then(|texts| texts.get(protocol).or(texts.get("default"))?.as_str());
        text.unwrap_or(self.text)
    }

    /// Nothing here has AWS's key, so the signature is none.
    fn envelope(&self, subscription: &str, protocol: &str) -> Map<String, Value> {
        let mut envelope = Map::new();
        let mut set = |name: &str, value: Value| drop(envelope.insert(name.to_owned(), value));
        let region = self.topic.split(':').nth(3).unwrap_or_default();
        let host = format!("https://sns.{region}.amazonaws.com");
        set("Type", "Notification".into());
        set("MessageId", self.id.into());
        set("TopicArn", self.topic.into());
        set("Message", self.text_for(protocol).into());
        set("Timestamp", format!("{}Z", date_time_to_the_millisecond(self.time)).into());
        set("SignatureVersion", "1".into());
        set("Signature", "bm90IHNpZ25lZA==".into());
        set("SigningCertURL", format!("{host}/SimpleNotificationService-0.pem").into());
        set("UnsubscribeURL", format!("{host}/?Action=Unsubscribe&SubscriptionArn={subscription}").into());
        if let Some(subject) = self.subject {
            set("Subject", subject.into());
        }
        if let Some(sequence) = self.sequence {
            set("SequenceNumber", sequence.into());
        }
        if !self.attributes.is_empty() {
            let told = self.attributes.iter().map(|(name, value)| {
                let text = value.get("StringValue").or(value.get("BinaryValue"));
                (name.clone(), json!({"Type": value.get("DataType"), "Value": text}))
            });
            set("MessageAttributes", Value::Object(told.collect()));
        }
        envelope
    }
}
