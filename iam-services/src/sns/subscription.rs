//! Subscriptions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::topic::with_token;
use super::{State, invalid, invalid_token};
use crate::fault::{Answer, Fault};
use crate::filter::Pattern;
use crate::ids;
use crate::kept::Ask;
use crate::page::page;
use crate::scope::Arn;

/// A subscription.
pub(super) struct Subscription {
    pub(super) topic: String,
    owner: String,
    pub(super) protocol: String,
    pub(super) endpoint: String,
    /// Whether its endpoint has yet to confirm it.
    pub(super) is_pending: bool,
    attributes: BTreeMap<String, String>,
    /// The attribute `FilterPolicy`, read.
    pub(super) filter: Option<Pattern>,
}

impl Subscription {
    pub(super) fn is_raw(&self) -> bool {
        self.attributes.get("RawMessageDelivery").is_some_and(|value| value == "true")
    }

    /// Where messages go that cannot be delivered: the queue's ARN.
    pub(super) fn dead_letter_queue(&self) -> Option<String> {
        dead_letter_queue(self.attributes.get("RedrivePolicy")?)
    }

    pub(super) fn filters_body(&self) -> bool {
        self.attributes.get("FilterPolicyScope").is_some_and(|scope| scope == "MessageBody")
    }
}

/// The queue that a redrive policy names.
fn dead_letter_queue(policy: &str) -> Option<String> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    let queue = policy.get("deadLetterTargetArn")?.as_str()?;
    Arn::parse(queue).filter(|arn| arn.service == "sqs").map(|_| queue.to_owned())
}

/// Whether an ARN is of a FIFO queue.
pub(super) fn is_fifo(queue: &str) -> bool {
    queue.strip_suffix(".fifo").is_some()
}

const PENDING: &str = "PendingConfirmation";

/// See <https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html>.
pub(super) fn subscribe(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let protocol = input.required("Protocol")?;
    let endpoint = input.text("Endpoint")?.unwrap_or_default();
    let tells_arn = input.boolean("ReturnSubscriptionArn")?.unwrap_or(false);
    let mut attributes = BTreeMap::new();
    for (name, value) in input.map("Attributes")? {
        check(name, value)?;
        attributes.insert(name.to_owned(), value.to_owned());
    }
    let is_arn_of = |service: &str| Arn::parse(endpoint).is_some_and(|arn| arn.service == service);
    let fits = match protocol {
        "http" => endpoint.starts_with("http://"),
        "https" => endpoint.starts_with("https://"),
        "email" | "email-json" => endpoint.contains('@'),
        "sqs" | "lambda" | "firehose" => is_arn_of(protocol),
        "sms" => !endpoint.is_empty(),
        "application" => return Err(Fault::NotPerformed),
        other => {
            return Err(invalid(&format!("Amazon SNS does not support this protocol string: {other}"), ""));
        }
    };
    if !fits {
        return Err(invalid("Endpoint", &format!("it does not fit the protocol {protocol}")));
    }
    let topic = state.topic(ask, "TopicArn")?;
    if protocol == "sqs" && is_fifo(endpoint) && !topic.is_fifo() {
        let reason = "FIFO SQS Queues can not be subscribed to standard SNS topics";
        return Err(invalid("Invalid parameter: Endpoint", reason));
    }
    let topic = topic.arn.clone();
    let is_pending = matches!(protocol, "http" | "https" | "email" | "email-json");
    let told = |arn: &str, is_pending: bool| {
        let arn = if is_pending && !tells_arn { "pending confirmation" } else { arn };
        json!({ "SubscriptionArn": arn })
    };
    let same = |of: &Subscription| of.topic == topic && of.protocol == protocol && of.endpoint == endpoint;
    if let Some((arn, known)) = state.subscriptions.iter().find(|(_, of)| same(of)) {
        if !attributes.is_empty() && known.attributes != attributes {
            return Err(invalid("Attributes", "Subscription already exists with different attributes"));
        }
        return Ok(told(arn, known.is_pending));
    }
    let arn = format!("{topic}:{}", ids::uuid());
    let answer = told(&arn, is_pending);
    let subscription = Subscription {
        topic,
        owner: ask.allowed.account.clone(),
        protocol: protocol.to_owned(),
        endpoint: endpoint.to_owned(),
        is_pending,
        filter: filter(attributes.get("FilterPolicy").map_or("", String::as_str))?,
        attributes,
    };
    state.subscriptions.insert(arn, subscription);
    Ok(answer)
}

fn check(name: &str, value: &str) -> Result<(), Fault> {
    let is_object = || value.is_empty() || matches!(serde_json::from_str(value), Ok(Value::Object(_)));
    let is_valid = match name {
        "DeliveryPolicy" => is_object(),
        "RedrivePolicy" => value.is_empty() || dead_letter_queue(value).is_some(),
        "FilterPolicy" => return filter(value).map(drop),
        "FilterPolicyScope" => matches!(value, "MessageAttributes" | "MessageBody"),
        "RawMessageDelivery" => matches!(value, "true" | "false"),
        "ReplayPolicy" => return Err(Fault::NotPerformed),
        "SubscriptionRoleArn" => Arn::parse(value).is_some(),
        _ => return Err(invalid("AttributeName", "")),
    };
    if is_valid { Ok(()) } else { Err(invalid(name, "the value is not what this attribute takes")) }
}

/// An empty filter policy is none.
fn filter(policy: &str) -> Result<Option<Pattern>, Fault> {
    if policy.is_empty() || policy == "{}" {
        return Ok(None);
    }
    Pattern::parse(policy).map(Some).map_err(|why| invalid(&format!("FilterPolicy: {why}"), ""))
}

/// Nobody was ever sent a token.
pub(super) fn confirm(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required("Token")?;
    state.topic(ask, "TopicArn")?;
    Err(invalid("Token", ""))
}

pub(super) fn unsubscribe(state: &mut State, ask: &Ask<'_>) -> Answer {
    let arn = ask.input.required("SubscriptionArn")?;
    if Arn::parse(arn).is_none() {
        return Err(invalid("SubscriptionArn", "An ARN must have at least 6 elements"));
    }
    state.subscriptions.remove(arn);
    Ok(Value::Null)
}

fn existing<'s>(state: &'s mut State, ask: &Ask<'_>) -> Result<(&'s mut Subscription, String), Fault> {
    let arn = ask.input.required("SubscriptionArn")?;
    let found = state.subscriptions.get_mut(arn);
    let found = found.ok_or_else(|| Fault::with_status(404, "NotFound", "Subscription does not exist"))?;
    Ok((found, arn.to_owned()))
}

pub(super) fn attributes(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (subscription, arn) = existing(state, ask)?;
    let mut told: Map<String, Value> =
        subscription.attributes.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let pending = subscription.is_pending.to_string();
    let own = [
        ("SubscriptionArn", arn.as_str()),
        ("TopicArn", &subscription.topic),
        ("Protocol", &subscription.protocol),
        ("Endpoint", &subscription.endpoint),
        ("Owner", &subscription.owner),
        ("PendingConfirmation", &pending),
        ("ConfirmationWasAuthenticated", if subscription.is_pending { "false" } else { "true" }),
        ("SubscriptionPrincipal", &ask.allowed.principal),
    ];
    told.extend(own.map(|(name, value)| (name.to_owned(), value.into())));
    told.entry("RawMessageDelivery").or_insert("false".into());
    Ok(json!({ "Attributes": told }))
}

pub(super) fn set_attributes(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.required("AttributeName")?;
    let value = ask.input.text("AttributeValue")?.unwrap_or_default();
    check(name, value)?;
    let (subscription, _) = existing(state, ask)?;
    if name == "FilterPolicy" {
        subscription.filter = filter(value)?;
    }
    if value.is_empty() {
        subscription.attributes.remove(name);
    } else {
        subscription.attributes.insert(name.to_owned(), value.to_owned());
    }
    Ok(Value::Null)
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    list_those(state, ask, |_| true)
}

pub(super) fn list_by_topic(state: &mut State, ask: &Ask<'_>) -> Answer {
    let topic = state.topic(ask, "TopicArn")?.arn.clone();
    list_those(state, ask, |subscription| subscription.topic == topic)
}

fn list_those(state: &State, ask: &Ask<'_>, keep: impl Fn(&Subscription) -> bool) -> Answer {
    let (found, token) = page(&state.subscriptions, ask.input.text("NextToken")?, 100, |_, of| keep(of))
        .ok_or_else(invalid_token)?;
    let subscriptions: Vec<Value> = found
        .into_iter()
        .map(|(arn, of)| {
            json!({
                "SubscriptionArn": if of.is_pending { PENDING } else { arn },
                "Owner": of.owner,
                "Protocol": of.protocol,
                "Endpoint": of.endpoint,
                "TopicArn": of.topic,
            })
        })
        .collect();
    Ok(with_token(json!({ "Subscriptions": subscriptions }), token))
}
