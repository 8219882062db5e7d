//! Sending messages.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::State;
use super::batch::{Failure, batch};
use super::message::{Message, attributes_digest, body_digest, check_attributes, check_body};
use super::queue::Queue;
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::input::Input;
use crate::kept::{Ask, SEALING};

pub(super) fn send(state: &mut State, ask: &Ask<'_>) -> Answer {
    let queue = state.queue(ask)?;
    let (message, _) = read(queue, ask.input)?;
    queue.use_key(&SEALING, ask)?;
    Ok(deliver(queue, message, ask).into())
}

pub(super) fn send_batch(state: &mut State, ask: &Ask<'_>) -> Answer {
    let queue = state.queue(ask)?;
    let mut size = 0;
    for entry in ask.input.objects("Entries")? {
        size += entry.text("MessageBody")?.map_or(0, str::len);
    }
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
    if size > 1_048_576 {
        let message =
            format!("Batch requests cannot be longer than 1048576 bytes. You have sent {size} bytes.");
        return Err(Fault::new("BatchRequestTooLong", message));
    }
    queue.use_key(&SEALING, ask)?;
    batch(ask.input, |entry| {
        let (message, _) = read(queue, entry).map_err(Failure::of)?;
        Ok(deliver(queue, message, ask))
    })
}

/// What a request to send says.
struct Sent<'a> {
    body: &'a str,
    attributes: Map<String, Value>,
    trace: Option<&'a str>,
    group: Option<&'a str>,
    /// The id as it will be told, and the key that it is remembered by.
    deduplication: Option<(String, String)>,
    delay: u64,
}

fn read<'a>(queue: &Queue, input: Input<'a>) -> Result<(Sent<'a>, usize), Fault> {
    let body = input.required("MessageBody")?;
    check_body(body)?;
    let (attributes, size) = check_attributes(input, "MessageAttributes")?;
    let size = size + body.len();
    let most = queue.attributes.number("MaximumMessageSize");
    if size as u64 > most {
        return Err(input.invalid(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
        )));
    }
    let trace = match input.object("MessageSystemAttributes")? {
        Some(system) => match system.object("AWSTraceHeader")? {
            Some(header) => Some(header.required("StringValue")?),
            None if system.members().is_empty() => None,
            None => return Err(input.invalid("The only message system attribute is AWSTraceHeader.")),
        },
        None => None,
    };
    let delay = input.integer("DelaySeconds")?;
    let is_fifo = queue.is_fifo();
    if let Some(delay) = delay
        && (!(0..=900).contains(&delay) || is_fifo && delay != 0)
    {
        let reason = if is_fifo {
            "The request include parameter that is not valid for this queue type."
        } else {
            "DelaySeconds must be >= 0 and <= 900."
        };
        return Err(invalid_value(input, &delay.to_string(), "DelaySeconds", reason));
    }
    let delay = delay.and_then(|delay| u64::try_from(delay).ok());
    let (group, id) = (input.text("MessageGroupId")?, input.text("MessageDeduplicationId")?);
    for (name, value) in [("MessageGroupId", group), ("MessageDeduplicationId", id)] {
        if let Some(value) = value
            && (value.is_empty() || value.len() > 128 || !value.bytes().all(|b| b.is_ascii_graphic()))
        {
            let reason = format!(
                "{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            );
            return Err(invalid_value(input, value, name, &reason));
        }
    }
    let deduplication = if is_fifo { Some(deduplication(queue, input, body, group, id)?) } else { None };
    if let Some(id) = id.filter(|_| !is_fifo) {
        let reason = "The request include parameter that is not valid for this queue type.";
        return Err(invalid_value(input, id, "MessageDeduplicationId", reason));
    }
    let delay = delay.unwrap_or_else(|| queue.attributes.number("DelaySeconds"));
    Ok((Sent { body, attributes, trace, group, deduplication, delay }, size))
}

fn invalid_value(input: Input<'_>, value: &str, name: &str, reason: &str) -> Fault {
    input.invalid(format!("Value {value} for parameter {name} is invalid. Reason: {reason}"))
}

fn deduplication(
    queue: &Queue,
    input: Input<'_>,
    body: &str,
    group: Option<&str>,
    id: Option<&str>,
) -> Result<(String, String), Fault> {
    let Some(group) = group else {
        return Err(Fault::new("MissingParameter", "The request must contain the parameter MessageGroupId."));
    };
    let id = match id {
        Some(id) => id.to_owned(),
        None if queue.attributes.is("ContentBasedDeduplication") => hex::encode(Sha256::digest(body)),
        None => {
            return Err(input.invalid(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                 provided \
                 explicitly",
            ));
        }
    };
    let is_by_group = queue.attributes.get("DeduplicationScope") == Some("messageGroup");
    let key = if is_by_group { format!("{group} {id}") } else { id.clone() };
    Ok((id, key))
}

fn deliver(queue: &mut Queue, sent: Sent<'_>, ask: &Ask<'_>) -> Map<String, Value> {
    queue.messages.expire(ask.now, &queue.attributes);
    let mut answer = Map::new();
    let body_digest = body_digest(sent.body);
    answer.insert("MD5OfMessageBody".to_owned(), body_digest.as_str().into());
    if let Some(digest) = attributes_digest(sent.attributes.iter()) {
        answer.insert("MD5OfMessageAttributes".to_owned(), digest.into());
    }
    if let Some(trace) = sent.trace {
        let header = serde_json::json!({"DataType": "String", "StringValue": trace});
        let digest = attributes_digest(std::iter::once((&"AWSTraceHeader".to_owned(), &header)));
        answer.insert("MD5OfMessageSystemAttributes".to_owned(), digest.into());
    }
    let earlier = match &sent.deduplication {
        Some((_, key)) => queue.messages.duplicate(key, ask.now),
        None => None,
    };
    let (id, number) = earlier.unwrap_or_else(|| {
        let id = ids::uuid();
        let (told, key) = sent.deduplication.unzip();
        let number = queue.messages.push(Message {
            id: id.clone(),
            body: sent.body.to_owned(),
            body_digest,
            attributes: sent.attributes,
            trace: sent.trace.map(str::to_owned),
            group: sent.group.map(str::to_owned),
            deduplication: told,
            sender: ask.allowed.principal.clone(),
            sent: ask.now,
            first_received: None,
            visible_at: ask.now + sent.delay * 1000,
            received: 0,
            receipt: 0,
            source: None,
        });
        if let Some(key) = key {
            queue.messages.deduplicate(key, &id, number, ask.now);
        }
        (id, number)
    });
    answer.insert("MessageId".to_owned(), id.into());
    if queue.is_fifo() {
        answer.insert("SequenceNumber".to_owned(), sequence(number).into());
    }
    answer
}

/// Sequence numbers have twenty digits.
pub(super) fn sequence(number: u64) -> String {
    format!("188500{number:014}")
}
