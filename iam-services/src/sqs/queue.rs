//! Queues: made, looked at, tagged, deleted.

use http::header::HOST;
use serde_json::{Map, Value, json};

use super::attributes::Attributes;
use super::messages::Messages;
use super::{State, no_such_queue};
use crate::fault::{Answer, Fault};
use crate::kept::Ask;
use crate::page::page;
use crate::scope::Arn;
use crate::tags::{self, Tags};

/// A queue with its messages.
pub(super) struct Queue {
    pub(super) attributes: Attributes,
    pub(super) messages: Messages,
    pub(super) tags: Tags,
    pub(super) arn: String,
    /// Seconds since 1970.
    created: u64,
    pub(super) modified: u64,
}

impl Queue {
    pub(super) fn is_fifo(&self) -> bool {
        self.attributes.is("FifoQueue")
    }

    /// Asks whether the caller may have the queue's key used, where it has one.
    ///
    /// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html>.
    pub(super) fn use_key(&self, operations: &[&'static str], ask: &Ask<'_>) -> Result<(), Fault> {
        let key = self.attributes.get("KmsMasterKeyId").filter(|key| !key.is_empty());
        key.map_or(Ok(()), |key| ask.use_key(key, operations, &[("aws:sqs:arn", &self.arn)]))
    }

    /// Where messages go that were received too often: the queue's ARN, and how often is not too often.
    pub(super) fn redrive(&self) -> Option<(String, u64)> {
        let policy: Value = serde_json::from_str(self.attributes.get("RedrivePolicy")?).ok()?;
        let most = policy.get("maxReceiveCount")?;
        let most = most.as_u64().or_else(|| most.as_str()?.parse().ok())?;
        Some((policy.get("deadLetterTargetArn")?.as_str()?.to_owned(), most))
    }
}

pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.required("QueueName")?;
    let attributes = Attributes::parse(&ask.input.map("Attributes")?)?;
    check_name(name, attributes.is("FifoQueue"))?;
    check(&attributes, ask, attributes.is("FifoQueue"))?;
    let tags = tags_of(ask, "tags")?;
    let url = address(ask, name);
    if let Some(queue) = state.queues.get(name) {
        if let Some(attribute) = queue.attributes.difference(&attributes) {
            return Err(Fault::new(
                "QueueNameExists",
                format!(
                    "A queue already exists with the same name and a different value for attribute {attribute}"
                ),
            ));
        }
        return Ok(json!({ "QueueUrl": url }));
    }
    let now = ask.now / 1000;
    let queue = Queue {
        attributes,
        messages: Messages::default(),
        tags,
        arn: ask.scope.arn("sqs", name),
        created: now,
        modified: now,
    };
    state.queues.insert(name.to_owned(), queue);
    Ok(json!({ "QueueUrl": url }))
}

/// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>.
fn check_name(name: &str, is_fifo: bool) -> Result<(), Fault> {
    let stem = if is_fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let is_valid = |stem: &str| {
        !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if name.len() <= 80 && stem.is_some_and(is_valid) {
        return Ok(());
    }
    Err(Fault::new(
        "InvalidParameterValue",
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length; the name of \
         a FIFO queue \
         ends with .fifo",
    ))
}

/// What attributes say about other things.
fn check(attributes: &Attributes, ask: &Ask<'_>, is_fifo: bool) -> Result<(), Fault> {
    let only_fifo = ["ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit", "FifoQueue"];
    if !is_fifo && let Some(name) = only_fifo.iter().find(|name| attributes.get(name).is_some()) {
        return Err(Fault::new("InvalidAttributeName", format!("Unknown Attribute {name}.")));
    }
    let Some(policy) = attributes.get("RedrivePolicy") else { return Ok(()) };
    let invalid = |reason: &str| {
        let message = format!("Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}");
        Err(Fault::new("InvalidParameterValue", message))
    };
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let most = policy.get("maxReceiveCount");
    let most = most.and_then(|most| most.as_u64().or_else(|| most.as_str()?.parse().ok()));
    if !most.is_some_and(|most| (1..=1000).contains(&most)) {
        return invalid("Redrive policy's maxReceiveCount must be an integer from 1 to 1000.");
    }
    let target = policy.get("deadLetterTargetArn").and_then(Value::as_str).and_then(Arn::parse);
    if !target.is_some_and(|target| target.service == "sqs" && ask.scope.holds(&target)) {
        return invalid("Dead letter target must be the ARN of a queue in the same account and region.");
    }
    Ok(())
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = name_of(state.queue(ask)?);
    state.queues.remove(&name);
    Ok(Value::Null)
}

pub(super) fn purge(state: &mut State, ask: &Ask<'_>) -> Answer {
    state.queue(ask)?.messages.clear();
    Ok(Value::Null)
}

pub(super) fn url(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.required("QueueName")?;
    if state.queues.contains_key(name) {
        Ok(json!({ "QueueUrl": address(ask, name) }))
    } else {
        Err(no_such_queue())
    }
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let prefix = ask.input.text("QueueNamePrefix")?.unwrap_or_default();
    list_those(state, ask, "QueueUrls", |name, _| name.starts_with(prefix))
}

pub(super) fn list_sources(state: &mut State, ask: &Ask<'_>) -> Answer {
    let target = state.queue(ask)?.arn.clone();
    list_those(state, ask, "queueUrls", |_, queue| queue.redrive().is_some_and(|(arn, _)| arn == target))
}

fn list_those(state: &State, ask: &Ask<'_>, member: &str, keep: impl Fn(&str, &Queue) -> bool) -> Answer {
    let limit = ask.input.limit("MaxResults", 1000, 1000)?;
    let (found, token) = page(&state.queues, ask.input.text("NextToken")?, limit, keep)
        .ok_or_else(|| ask.input.invalid("Invalid or expired next token."))?;
    let urls: Vec<Value> = found.iter().map(|(name, _)| address(ask, name).into()).collect();
    let mut answer = Map::new();
    if !urls.is_empty() || member == "queueUrls" {
        answer.insert(member.to_owned(), urls.into());
    }
    // AWS gives a token only to those who asked for pages.
    if let Some(token) = token.filter(|_| ask.input.has("MaxResults")) {
        answer.insert("NextToken".to_owned(), token.into());
    }
    Ok(answer.into())
}

pub(super) fn attributes(state: &mut State, ask: &Ask<'_>) -> Answer {
    let names = ask.input.texts("AttributeNames")?;
    let now = ask.now;
    let queue = state.queue(ask)?;
    queue.messages.expire(now, &queue.attributes);
    let counts = queue.messages.counts(now);
    let mut all: Map<String, Value> =
        queue.attributes.shown().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let told = [
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("CreatedTimestamp", queue.created.to_string()),
        ("LastModifiedTimestamp", queue.modified.to_string()),
        ("QueueArn", queue.arn.clone()),
    ];
    all.extend(told.map(|(name, value)| (name.to_owned(), value.into())));
    if let Some(unknown) = names.iter().find(|name| !is_attribute(name)) {
        return Err(Fault::new("InvalidAttributeName", format!("Unknown Attribute {unknown}.")));
    }
    if !names.contains(&"All") {
        all.retain(|name, _| names.contains(&name.as_str()));
    }
    Ok(if all.is_empty() { Value::Null } else { json!({ "Attributes": all }) })
}

fn is_attribute(name: &str) -> bool {
    const OTHERS: [&str; 7] = [
        "All",
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "CreatedTimestamp",
        "LastModifiedTimestamp",
        "QueueArn",
    ];
    OTHERS.contains(&name) || Attributes::is_known(name)
}

pub(super) fn set_attributes(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_object("Attributes")?;
    let given = ask.input.map("Attributes")?;
    let attributes = Attributes::parse(&given)?;
    if attributes.get("FifoQueue").is_some() {
        return Err(Fault::new("InvalidAttributeName", "Unknown Attribute FifoQueue."));
    }
    let queue = state.queue(ask)?;
    check(&attributes, ask, queue.is_fifo())?;
    queue.attributes.set(attributes);
    queue.modified = ask.now / 1000;
    Ok(Value::Null)
}

pub(super) fn tag(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_object("Tags")?;
    let given = tags_of(ask, "Tags")?;
    let queue = state.queue(ask)?;
    let mut tags = queue.tags.clone();
    tags.extend(given);
    if let Some(problem) = tags::problem(&tags) {
        return Err(ask.input.invalid(problem));
    }
    queue.tags = tags;
    Ok(Value::Null)
}

pub(super) fn untag(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.required_list("TagKeys")?;
    let keys = ask.input.texts("TagKeys")?;
    state.queue(ask)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Value::Null)
}

pub(super) fn list_tags(state: &mut State, ask: &Ask<'_>) -> Answer {
    let tags = &state.queue(ask)?.tags;
    Ok(if tags.is_empty() { Value::Null } else { json!({ "Tags": tags::map(tags) }) })
}

fn tags_of(ask: &Ask<'_>, member: &str) -> Result<Tags, Fault> {
    let tags = ask.input.tag_map(member)?;
    match tags::problem(&tags) {
        Some(problem) => Err(ask.input.invalid(problem)),
        None => Ok(tags),
    }
}

fn name_of(queue: &Queue) -> String {
    queue.arn.rsplit(':').next().unwrap_or_default().to_owned()
}

/// A queue's URL: at the host where the client reached this endpoint, for clients send their requests there.
fn address(ask: &Ask<'_>, name: &str) -> String {
    let request = &ask.allowed.request;
    let uri = request.uri();
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = header.or_else(|| uri.authority().map(http::uri::Authority::as_str)).unwrap_or_default();
    let scheme = uri.scheme_str().unwrap_or(if host.contains("amazonaws.com") { "https" } else { "http" });
    format!("{scheme}://{host}/{}/{name}", ask.scope.account)
}
