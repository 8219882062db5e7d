//! Log events.

use serde_json::{Value, json};

use super::pattern::Pattern;
use super::{State, not_found};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::kept::Ask;

/// One event.
pub(super) struct Event {
    /// Milliseconds since 1970.
    pub(super) at: u64,
    ingested: u64,
    message: String,
    number: u64,
}

const DAY: u64 = 24 * 60 * 60 * 1000;

/// See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>.
pub(super) fn put(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let name = input.sized("logStreamName", 1, 512)?;
    let given = input.required_objects("logEvents")?;
    if given.is_empty() || given.len() > 10_000 {
        let shown = format!("[{} events]", given.len());
        return Err(input.violated(
            "logEvents",
            &shown,
            "Member must have length between 1 and 10000, inclusive",
        ));
    }
    let mut events = Vec::with_capacity(given.len());
    let mut size = 0;
    for event in given {
        let message = event.required("message")?;
        if message.is_empty() {
            return Err(event.violated("message", "", "Member must have length greater than or equal to 1"));
        }
        let Some(at) = event.integer("timestamp")?.and_then(|at| u64::try_from(at).ok()) else {
            return Err(event.violated("timestamp", "null", "Member must be a time in milliseconds"));
        };
        size += message.len() + 26;
        events.push((at, message));
    }
    if size > 1_048_576 {
        return Err(input.invalid("Upload too large: the batch of log events exceeds 1048576 bytes"));
    }
    if !events.is_sorted_by_key(|(at, _)| *at) {
        return Err(
            input.invalid("Log events in a single PutLogEvents request must be in chronological order.")
        );
    }
    if events.last().zip(events.first()).is_some_and(|(last, first)| last.0 - first.0 > DAY) {
        return Err(input.invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    let stream = state.group(input)?.streams.get_mut(name).ok_or_else(|| not_found("log stream"))?;
    let too_old = events.iter().take_while(|(at, _)| at + 14 * DAY < ask.now).count();
    let too_new = events.iter().position(|(at, _)| *at > ask.now + DAY / 12);
    for (at, message) in events.iter().take(too_new.unwrap_or(events.len())).skip(too_old) {
        stream.count += 1;
        stream.size += message.len() + 26;
        let event =
            Event { at: *at, ingested: ask.now, message: (*message).to_owned(), number: stream.count };
        // Most come in order.
        let place = match stream.events.back() {
            Some(last) if last.at > *at => stream.events.partition_point(|other| other.at <= *at),
            _ => stream.events.len(),
        };
        stream.events.insert(place, event);
    }
    stream.ingested = Some(ask.now);
    let mut answer = json!({ "nextSequenceToken": ids::base64(name) });
    if too_old > 0 || too_new.is_some() {
        let mut rejected = json!({});
        if let Some(members) = rejected.as_object_mut() {
            if too_old > 0 {
                members.insert("tooOldLogEventEndIndex".to_owned(), too_old.into());
            }
            if let Some(at) = too_new {
                members.insert("tooNewLogEventStartIndex".to_owned(), at.into());
            }
        }
        if let Some(members) = answer.as_object_mut() {
            members.insert("rejectedLogEventsInfo".to_owned(), rejected);
        }
    }
    Ok(answer)
}

/// The times between which events are asked for: from the first, and before the second.
fn window(ask: &Ask<'_>) -> Result<(u64, u64), Fault> {
    let time = |name: &str, otherwise: u64| {
        Ok(ask.input.integer(name)?.map_or(otherwise, |at| u64::try_from(at).unwrap_or_default()))
    };
    Ok((time("startTime", 0)?, time("endTime", u64::MAX)?))
}

/// See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html>.
pub(super) fn get(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let name = input.sized("logStreamName", 1, 512)?;
    let limit = input.limit("limit", 10_000, 10_000)?;
    let (start, end) = window(ask)?;
    let from_head = input.boolean("startFromHead")?.unwrap_or(false);
    let token = input.text("nextToken")?;
    let group = state.identified(ask)?;
    let stream = group.streams.get(name).ok_or_else(|| not_found("log stream"))?;
    let found: Vec<&Event> = stream.events.iter().filter(|event| (start..end).contains(&event.at)).collect();
    // A token is a direction and a place between two events.
    let (is_forward, at) = match token {
        None if from_head => (true, 0),
        None => (false, found.len()),
        Some(token) => {
            let parsed = token.split_once('/').and_then(|(way, at)| Some((way, at.parse::<usize>().ok()?)));
            match parsed {
                Some(("f", at)) => (true, at.min(found.len())),
                Some(("b", at)) => (false, at.min(found.len())),
                _ => return Err(input.invalid("The specified nextToken is invalid.")),
            }
        }
    };
    let (first, last) = if is_forward {
        (at, at.saturating_add(limit).min(found.len()))
    } else {
        (at.saturating_sub(limit), at)
    };
    let events: Vec<Value> = found
        .get(first..last)
        .unwrap_or_default()
        .iter()
        .map(
            |event| json!({"timestamp": event.at, "message": event.message, "ingestionTime": event.ingested}),
        )
        .collect();
    Ok(json!({
        "events": events,
        "nextForwardToken": format!("f/{last}"),
        "nextBackwardToken": format!("b/{first}"),
    }))
}

/// See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>.
pub(super) fn filter(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let limit = input.limit("limit", 10_000, 10_000)?;
    let (start, end) = window(ask)?;
    let names = input.texts("logStreamNames")?;
    let prefix = input.text("logStreamNamePrefix")?;
    if !names.is_empty() && prefix.is_some() {
        return Err(input.invalid("LogStreamNames and LogStreamNamePrefix cannot both be specified"));
    }
    let pattern = Pattern::parse(input.text("filterPattern")?.unwrap_or_default())?;
    let after: usize = match input.text("nextToken")? {
        Some(token) => token.parse().map_err(|_| input.invalid("The specified nextToken is invalid."))?,
        None => 0,
    };
    let group = state.identified(ask)?;
    if let Some(name) = names.iter().find(|name| !group.streams.contains_key(**name)) {
        return Err(Fault::new(
            "ResourceNotFoundException",
            format!("The specified log stream does not exist: {name}"),
        ));
    }
    let streams = group.streams.iter().filter(|(name, _)| {
        (names.is_empty() || names.contains(&name.as_str()))
            && prefix.is_none_or(|prefix| name.starts_with(prefix))
    });
    let mut found: Vec<(&String, &Event)> = streams
        .flat_map(|(name, stream)| stream.events.iter().map(move |event| (name, event)))
        .filter(|(_, event)| (start..end).contains(&event.at) && pattern.matches(&event.message))
        .collect();
    found.sort_by_key(|(_, event)| event.at);
    let more = found.len() > after.saturating_add(limit);
    let events: Vec<Value> = found
        .into_iter()
        .skip(after)
        .take(limit)
        .map(|(name, event)| {
            json!({
                "logStreamName": name,
                "timestamp": event.at,
                "message": event.message,
                "ingestionTime": event.ingested,
                "eventId": format!("{:020}{:036}", event.at, event.number),
            })
        })
        .collect();
    let token = more.then(|| (after + limit).to_string());
    Ok(json!({"events": events, "searchedLogStreams": [], "nextToken": token}))
}
