//! Events.

use serde_json::{Map, Value, json};

use super::{State, target};
use crate::calendar::date_time;
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::input::Input;
use crate::kept::Ask;
use crate::outbox::Outbox;

/// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
pub(super) fn put(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["EndpointId"])?;
    let entries = ask.input.required_objects("Entries")?;
    if !(1..=10).contains(&entries.len()) {
        let shown = format!("[{} entries]", entries.len());
        return Err(ask.input.violated(
            "Entries",
            &shown,
            "Member must have length between 1 and 10, inclusive",
        ));
    }
    let mut size = 0;
    let mut failed = 0;
    let (mut answers, mut accepted) = (Vec::new(), Vec::new());
    for entry in entries {
        answers.push(match problem(entry, &mut size)? {
            None => {
                let id = ids::uuid();
                accepted.push((entry, id.clone()));
                json!({ "EventId": id })
            }
            Some((code, message)) => {
                failed += 1;
                json!({"ErrorCode": code, "ErrorMessage": message})
            }
        });
    }
    if size > 1024 * 1024 {
        return Err(ask.input.invalid("Total size of the entries in the request is over the limit."));
    }
    for (entry, id) in accepted {
        route(state, ask, entry, &id)?;
    }
    Ok(json!({"FailedEntryCount": failed, "Entries": answers}))
}

/// Sends an event to the targets of the rules that it fits. On a bus that is not there it is lost.
fn route(state: &State, ask: &Ask<'_>, entry: Input<'_>, id: &str) -> Result<(), Fault> {
    let bus = entry.text("EventBusName")?.unwrap_or("default");
    let bus = bus.rsplit_once(":event-bus/").map_or(bus, |(_, name)| name);
    let Some(bus) = state.buses.get(bus) else { return Ok(()) };
    let time = entry.value("Time").and_then(Value::as_f64).map_or(ask.now, milliseconds);
    let mut event = Map::new();
    let mut set = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    set("version", "0".into());
    set("id", id.into());
    set("detail-type", entry.required("DetailType")?.into());
    set("source", entry.required("Source")?.into());
    set("account", ask.allowed.account.as_str().into());
    set("time", format!("{}Z", date_time(time)).into());
    set("region", ask.scope.region.as_str().into());
    set("resources", entry.list("Resources")?.into());
    set("detail", serde_json::from_str(entry.required("Detail")?).unwrap_or_default());
    for rule in bus.rules.values().filter(|rule| rule.wants(&event)) {
        let outbox = Outbox { allowed: ask.allowed, principal: "events.amazonaws.com", source: rule.arn() };
        for target in rule.targets.values() {
            target::send(outbox, target, &event);
        }
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float saturates")]
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0) as u64
}

/// Why an entry is not accepted.
fn problem(entry: Input<'_>, size: &mut usize) -> Result<Option<(&'static str, String)>, Fault> {
    for name in ["Source", "DetailType", "Detail"] {
        match entry.text(name)? {
            None | Some("") => {
                let message =
                    format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
                return Ok(Some(("InvalidArgument", message)));
            }
            Some(text) => *size += text.len(),
        }
    }
    if entry.required("Source")?.starts_with("aws.") {
        let message = "Not authorized for the source.";
        return Ok(Some(("NotAuthorizedForSourceException", message.to_owned())));
    }
    let detail = entry.required("Detail")?;
    if !matches!(serde_json::from_str(detail), Ok(Value::Object(_))) {
        return Ok(Some(("MalformedDetail", "Detail is malformed.".to_owned())));
    }
    Ok(None)
}
