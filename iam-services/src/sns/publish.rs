//! Publishing.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::notify::notify;
use super::topic::Topic;
use super::{State, invalid};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::input::Input;
use crate::kept::Ask;

/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const LARGEST: usize = 256 * 1024;
const DEDUPLICATED_FOR: u64 = 5 * 60 * 1000;

pub(super) fn publish(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["PhoneNumber"])?;
    let member = if ask.input.has("TopicArn") { "TopicArn" } else { "TargetArn" };
    if ask.input.text(member)?.is_none() {
        return Err(invalid("TopicArn or TargetArn", "no value for required parameter"));
    }
    if ask.input.text(member)?.is_some_and(|arn| arn.contains(":endpoint/")) {
        return Err(Fault::NotPerformed);
    }
    let topic = state.topic(ask, member)?;
    topic.use_key(ask)?;
    let (accepted, arn) = (accept(topic, ask.input, ask.now)?, topic.arn.clone());
    notify(state, ask, &arn, ask.input, &accepted)?;
    Ok(accepted.told().into())
}

pub(super) fn publish_batch(state: &mut State, ask: &Ask<'_>) -> Answer {
    let entries = ask.input.objects("PublishBatchRequestEntries")?;
    if entries.is_empty() {
        return Err(Fault::new("EmptyBatchRequest", "The batch request doesn't contain any entries."));
    }
    if entries.len() > 10 {
        return Err(Fault::new(
            "TooManyEntriesInBatchRequest",
            "The batch request contains more entries than permissible.",
        ));
    }
    let mut ids = HashSet::new();
    for entry in &entries {
        if !ids.insert(entry.required("Id")?) {
            return Err(Fault::new(
                "BatchEntryIdsNotDistinct",
                "Two or more batch entries in the request have the same Id.",
            ));
        }
    }
    let topic = state.topic(ask, "TopicArn")?;
    topic.use_key(ask)?;
    let arn = topic.arn.clone();
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = entry.required("Id")?;
        match accept(state.topic(ask, "TopicArn")?, entry, ask.now) {
            Ok(accepted) => {
                notify(state, ask, &arn, entry, &accepted)?;
                let mut told = accepted.told();
                told.insert("Id".to_owned(), id.into());
                successful.push(Value::Object(told));
            }
            Err(Fault::Error(error)) => {
                failed.push(
                    json!({"Id": id, "Code": error.code, "Message": error.message, "SenderFault": true}),
                );
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

/// What became of a message.
pub(super) struct Accepted {
    pub(super) id: String,
    /// Its number in a FIFO topic.
    pub(super) sequence: Option<String>,
    /// Whether it was not published before.
    pub(super) is_new: bool,
}

impl Accepted {
    fn told(self) -> Map<String, Value> {
        let mut told = Map::new();
        told.insert("MessageId".to_owned(), self.id.into());
        if let Some(sequence) = self.sequence {
            told.insert("SequenceNumber".to_owned(), sequence.into());
        }
        told
    }
}

fn accept(topic: &mut Topic, input: Input<'_>, now: u64) -> Result<Accepted, Fault> {
    let message = input.required("Message")?;
    if message.is_empty() {
        return Err(invalid("Empty message", ""));
    }
    if message.len() > LARGEST {
        return Err(invalid("Message too long", ""));
    }
    if let Some(subject) = input.text("Subject")?
        && (subject.is_empty() || subject.chars().count() > 100 || subject.contains(char::is_control))
    {
        return Err(invalid("Subject", ""));
    }
    match input.text("MessageStructure")? {
        None => {}
        Some("json") => {
            let by_protocol: Value = serde_json::from_str(message).unwrap_or_default();
            if !by_protocol.get("default").is_some_and(Value::is_string) {
                return Err(invalid("Message Structure - No default entry in JSON message body", ""));
            }
        }
        Some(_) => return Err(invalid("MessageStructure", "")),
    }
    if let Some(attributes) = input.object("MessageAttributes")? {
        for name in attributes.members().keys() {
            check_attribute(name, attributes.required_object(name)?)?;
        }
    }
    let (group, id) = (input.text("MessageGroupId")?, input.text("MessageDeduplicationId")?);
    if !topic.is_fifo() {
        if id.is_some() {
            return Err(invalid(
                "MessageDeduplicationId",
                "The request includes MessageDeduplicationId parameter that is not valid for this topic type",
            ));
        }
        return Ok(Accepted { id: ids::uuid(), sequence: None, is_new: true });
    }
    let Some(group) = group else {
        return Err(invalid("The MessageGroupId parameter is required for FIFO topics", ""));
    };
    let by_content = topic.attributes.get("ContentBasedDeduplication").is_some_and(|value| value == "true");
    let key = match id {
        Some(id) => format!("id {id}"),
        None if by_content => format!("content {message}"),
        None => {
            return Err(invalid(
                "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                 provided explicitly",
                "",
            ));
        }
    };
    let is_by_group =
        topic.attributes.get("FifoThroughputScope").is_some_and(|value| value == "MessageGroup");
    let key = if is_by_group { format!("{group} {key}") } else { key };
    topic.sent.retain(|_, (at, _, _)| *at + DEDUPLICATED_FOR > now);
    let is_new = !topic.sent.contains_key(&key);
    let count = &mut topic.count;
    let (_, id, number) = topic.sent.entry(key).or_insert_with(|| {
        *count += 1;
        (now, ids::uuid(), *count)
    });
    Ok(Accepted { id: id.clone(), sequence: Some(format!("1000{number:016}")), is_new })
}

fn check_attribute(name: &str, attribute: Input<'_>) -> Result<(), Fault> {
    let kind = attribute.text("DataType")?.unwrap_or_default();
    let (text, blob) = (attribute.text("StringValue")?, attribute.text("BinaryValue")?);
    let fits = match kind.split('.').next().unwrap_or_default() {
        "Binary" => blob.is_some_and(|blob| !blob.is_empty()),
        "Number" => text.is_some_and(|text| text.parse::<f64>().is_ok()),
        "String" => text.is_some_and(|text| !text.is_empty()),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(Fault::new(
        "ParameterValueInvalid",
        format!(
            "The message attribute '{name}' must contain a non-empty value of a type that is Binary, Number \
             or String."
        ),
    ))
}
