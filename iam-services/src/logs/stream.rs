//! Log streams.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::event::Event;
use super::{State, not_found};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::kept::Ask;
use crate::page::page;

/// A log stream with its events.
pub(super) struct Stream {
    arn: String,
    created: u64,
    pub(super) ingested: Option<u64>,
    /// By time.
    pub(super) events: VecDeque<Event>,
    /// What the events cost to store.
    pub(super) size: usize,
    /// How many events there were.
    pub(super) count: u64,
}

impl Stream {
    pub(super) fn size(&self) -> usize {
        self.size
    }

    fn told(&self, name: &str) -> Value {
        json!({
            "logStreamName": name,
            "creationTime": self.created,
            "firstEventTimestamp": self.events.front().map(|event| event.at),
            "lastEventTimestamp": self.events.back().map(|event| event.at),
            "lastIngestionTime": self.ingested,
            "uploadSequenceToken": self.ingested.map(|_| ids::base64(name)),
            "arn": self.arn,
            "storedBytes": 0,
        })
    }
}

pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.sized("logStreamName", 1, 512)?;
    if name.contains([':', '*']) {
        return Err(ask.input.violated(
            "logStreamName",
            name,
            "Member must satisfy regular expression pattern: [^:*]*",
        ));
    }
    let group = state.group(ask.input)?;
    if group.streams.contains_key(name) {
        return Err(Fault::new("ResourceAlreadyExistsException", "The specified log stream already exists"));
    }
    let stream = Stream {
        arn: format!("{}:log-stream:{name}", group.arn),
        created: ask.now,
        ingested: None,
        events: VecDeque::new(),
        size: 0,
        count: 0,
    };
    group.streams.insert(name.to_owned(), stream);
    Ok(Value::Null)
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.sized("logStreamName", 1, 512)?;
    match state.group(ask.input)?.streams.remove(name) {
        Some(_) => Ok(Value::Null),
        None => Err(not_found("log stream")),
    }
}

pub(super) fn describe(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    let limit = input.limit("limit", 50, 50)?;
    let prefix = input.text("logStreamNamePrefix")?.unwrap_or_default();
    let order = input.one_of("orderBy", &["LogStreamName", "LastEventTime"])?;
    let is_descending = input.boolean("descending")?.unwrap_or(false);
    if order == Some("LastEventTime") && !prefix.is_empty() {
        return Err(input.invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let group = state.identified(ask)?;
    if order != Some("LastEventTime") && !is_descending {
        let (found, token) =
            page(&group.streams, input.text("nextToken")?, limit, |name, _| name.starts_with(prefix))
                .ok_or_else(|| input.invalid("The specified nextToken is invalid."))?;
        let streams: Vec<Value> = found.into_iter().map(|(name, stream)| stream.told(name)).collect();
        return Ok(json!({"logStreams": streams, "nextToken": token}));
    }
    let mut found: Vec<_> = group.streams.iter().filter(|(name, _)| name.starts_with(prefix)).collect();
    if order == Some("LastEventTime") {
        found.sort_by_key(|(_, stream)| stream.events.back().map(|event| event.at));
    }
    if is_descending {
        found.reverse();
    }
    let start: usize = match input.text("nextToken")? {
        Some(token) => token.parse().map_err(|_| input.invalid("The specified nextToken is invalid."))?,
        None => 0,
    };
    let token = (found.len() > start.saturating_add(limit)).then(|| (start + limit).to_string());
    let streams: Vec<Value> =
        found.into_iter().skip(start).take(limit).map(|(name, stream)| stream.told(name)).collect();
    Ok(json!({"logStreams": streams, "nextToken": token}))
}
