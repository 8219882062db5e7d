//! Receiving, deleting and hiding messages.

use serde_json::{Map, Value, json};

use super::State;
use super::batch::{Failure, batch};
use super::message::{Message, attributes_digest};
use super::queue::Queue;
use super::send::sequence;
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::input::Input;
use crate::kept::Ask;

/// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>.
pub(super) fn receive(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let most = bounded(input, "MaxNumberOfMessages", 1, 10)?.unwrap_or(1);
    let timeout = bounded(input, "VisibilityTimeout", 0, 43_200)?;
    let wait = bounded(input, "WaitTimeSeconds", 0, 20)?;
    let mut system = input.texts("AttributeNames")?;
    system.extend(input.texts("MessageSystemAttributeNames")?);
    let wanted = input.texts("MessageAttributeNames")?;

    let queue = state.queue(ask)?;
    queue.messages.expire(ask.now, &queue.attributes);
    let hidden_for = timeout.unwrap_or_else(|| queue.attributes.number("VisibilityTimeout")) * 1000;
    let redrive = queue.redrive();
    let is_fifo = queue.is_fifo();
    let most = usize::try_from(most).unwrap_or(1);
    if !queue.messages.ready(ask.now, 1, is_fifo).is_empty() {
        queue.use_key(&["Decrypt"], ask)?;
    }
    let (mut received, mut given_up) = (Vec::new(), Vec::new());
    // What goes to the dead-letter queue makes room for others.
    while received.len() < most {
        let ready = queue.messages.ready(ask.now, most - received.len(), is_fifo);
        if ready.is_empty() {
            break;
        }
        for number in ready {
            let is_spent =
                |message: &Message| redrive.as_ref().is_some_and(|(_, most)| message.received >= *most);
            if queue.messages.get(number).is_some_and(is_spent) {
                given_up.extend(queue.messages.remove(number));
                continue;
            }
            let Some(message) = queue.messages.postpone(number, ask.now + hidden_for) else { continue };
            message.received += 1;
            message.receipt = fastrand::u64(1..);
            message.first_received.get_or_insert(ask.now);
            received.push(told(number, message, &system, &wanted, is_fifo));
        }
        if hidden_for == 0 {
            // They stay visible, and one call gives each of them once.
            break;
        }
    }
    let wait = wait.unwrap_or_else(|| queue.attributes.number("ReceiveMessageWaitTimeSeconds"));
    let next = queue.messages.next_due(ask.now);
    let source = queue.arn.clone();
    if let Some((target, _)) = redrive {
        let name = target.rsplit(':').next().unwrap_or_default();
        if let Some(target) = state.queues.get_mut(name) {
            for message in given_up {
                let message = Message { visible_at: ask.now, source: Some(source.clone()), ..message };
                target.messages.push(message);
            }
        }
    }
    if received.is_empty() {
        let passed = u64::try_from(ask.waited.as_millis()).unwrap_or(u64::MAX);
        let left = (wait * 1000).saturating_sub(passed);
        if left > 0 {
            return Err(Fault::Wait(next.map_or(left, |at| left.min(at - ask.now))));
        }
        return Ok(Value::Null);
    }
    Ok(json!({ "Messages": received }))
}

fn bounded(input: Input<'_>, name: &str, least: u64, most: u64) -> Result<Option<u64>, Fault> {
    let Some(number) = input.integer(name)? else { return Ok(None) };
    let value = u64::try_from(number).ok().filter(|value| (least..=most).contains(value));
    value.map(Some).ok_or_else(|| {
        input.invalid(format!(
            "Value {number} for parameter {name} is invalid. Reason: Must be between {least} and {most}, if \
             provided."
        ))
    })
}

/// A message as the answer has it.
fn told(number: u64, message: &Message, system: &[&str], wanted: &[&str], is_fifo: bool) -> Value {
    let mut told = Map::new();
    let mut set = |name: &str, value: Value| told.insert(name.to_owned(), value);
    set("MessageId", message.id.as_str().into());
    set("ReceiptHandle", handle(number, message.receipt).into());
    set("MD5OfBody", message.body_digest.as_str().into());
    set("Body", message.body.as_str().into());
    let is_wanted = |name: &str| {
        wanted.iter().any(|wanted| match wanted.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => *wanted == "All" || *wanted == name,
        })
    };
    let attributes = message.attributes.iter().filter(|(name, _)| is_wanted(name));
    if let Some(digest) = attributes_digest(attributes.clone()) {
        set("MD5OfMessageAttributes", digest.into());
        set("MessageAttributes", Value::Object(attributes.map(|(k, v)| (k.clone(), v.clone())).collect()));
    }
    if !system.is_empty() {
        let all: [(&str, Option<String>); 9] = [
            ("ApproximateFirstReceiveTimestamp", message.first_received.map(|at| at.to_string())),
            ("ApproximateReceiveCount", Some(message.received.to_string())),
            ("AWSTraceHeader", message.trace.clone()),
            ("DeadLetterQueueSourceArn", message.source.clone()),
            ("MessageDeduplicationId", message.deduplication.clone()),
            ("MessageGroupId", message.group.clone()),
            ("SenderId", Some(message.sender.clone())),
            ("SentTimestamp", Some(message.sent.to_string())),
            ("SequenceNumber", is_fifo.then(|| sequence(number))),
        ];
        let is_wanted = |name: &str| system.iter().any(|wanted| *wanted == "All" || *wanted == name);
        let those = all.into_iter().filter(|(name, _)| is_wanted(name));
        let those: Map<String, Value> =
            those.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
        if !those.is_empty() {
            set("Attributes", those.into());
        }
    }
    Value::Object(told)
}

fn handle(number: u64, receipt: u64) -> String {
    ids::base64(format!("{number:016x}{receipt:016x}"))
}

/// The message's number and the secret of a receipt handle.
fn parse_handle(handle: &str) -> Result<(u64, u64), Fault> {
    let parts = || {
        let text = String::from_utf8(ids::from_base64(handle)?).ok()?;
        let (number, receipt) = text.split_at_checked(16).filter(|(_, receipt)| receipt.len() == 16)?;
        Some((u64::from_str_radix(number, 16).ok()?, u64::from_str_radix(receipt, 16).ok()?))
    };
    parts().ok_or_else(|| {
        let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
        Fault::new("ReceiptHandleIsInvalid", message)
    })
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let queue = state.queue(ask)?;
    delete_one(queue, ask.input, ask.now)?;
    Ok(Value::Null)
}

pub(super) fn delete_batch(state: &mut State, ask: &Ask<'_>) -> Answer {
    let queue = state.queue(ask)?;
    batch(ask.input, |entry| delete_one(queue, entry, ask.now).map(|()| Map::new()).map_err(Failure::of))
}

fn delete_one(queue: &mut Queue, input: Input<'_>, now: u64) -> Result<(), Fault> {
    let text = input.required("ReceiptHandle")?;
    let (number, receipt) = parse_handle(text)?;
    let is_fifo = queue.is_fifo();
    let Some(message) = queue.messages.get(number).filter(|message| message.receipt == receipt) else {
        // An older handle of the message, or a message that is gone: nothing to do.
        return Ok(());
    };
    if is_fifo && message.visible_at <= now {
        return Err(input.invalid(format!(
            "Value {text} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
        )));
    }
    queue.messages.remove(number);
    Ok(())
}

pub(super) fn change_visibility(state: &mut State, ask: &Ask<'_>) -> Answer {
    let queue = state.queue(ask)?;
    change_one(queue, ask.input, ask.now)?;
    Ok(Value::Null)
}

pub(super) fn change_visibility_batch(state: &mut State, ask: &Ask<'_>) -> Answer {
    let queue = state.queue(ask)?;
    batch(ask.input, |entry| change_one(queue, entry, ask.now).map(|()| Map::new()).map_err(Failure::of))
}

fn change_one(queue: &mut Queue, input: Input<'_>, now: u64) -> Result<(), Fault> {
    let text = input.required("ReceiptHandle")?;
    let timeout = bounded(input, "VisibilityTimeout", 0, 43_200)?;
    let Some(timeout) = timeout else {
        return Err(Fault::new(
            "MissingParameter",
            "The request must contain the parameter VisibilityTimeout.",
        ));
    };
    let (number, receipt) = parse_handle(text)?;
    match queue.messages.get(number) {
        Some(message) if message.receipt == receipt && message.visible_at > now => {
            queue.messages.postpone(number, now + timeout * 1000);
            Ok(())
        }
        Some(_) => Err(Fault::new("MessageNotInflight", "The specified message isn't in flight.")),
        None => Err(input.invalid(format!(
            "Value {text} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not \
             available for \
             visibility timeout change."
        ))),
    }
}
