//! Events.

use serde_json::{Value, json};

use super::State;
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::input::Input;
use crate::kept::Ask;

/// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
pub(super) fn put(_: &mut State, ask: &Ask<'_>) -> Answer {
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
    let mut answers = Vec::new();
    for entry in entries {
        answers.push(match problem(entry, &mut size)? {
            None => json!({ "EventId": ids::uuid() }),
            Some((code, message)) => {
                failed += 1;
                json!({"ErrorCode": code, "ErrorMessage": message})
            }
        });
    }
    if size > 1024 * 1024 {
        return Err(ask.input.invalid("Total size of the entries in the request is over the limit."));
    }
    Ok(json!({"FailedEntryCount": failed, "Entries": answers}))
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
