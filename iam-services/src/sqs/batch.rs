//! Requests with several entries, which succeed or fail one by one.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::fault::{Answer, Fault};
use crate::input::Input;

/// Why one entry failed.
pub(super) enum Failure {
    Entry {
        code: &'static str,
        message: String,
    },
    /// Nothing of the request can be answered.
    Request(Fault),
}

impl Failure {
    pub(super) fn of(fault: Fault) -> Self {
        match fault {
            Fault::Error(error) => Self::Entry { code: error.code, message: error.message },
            other => Self::Request(other),
        }
    }
}

/// Does each of the `Entries`.
///
/// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html>.
pub(super) fn batch<'a>(
    input: Input<'a>,
    mut each: impl FnMut(Input<'a>) -> Result<Map<String, Value>, Failure>,
) -> Answer {
    let entries = input.required_objects("Entries")?;
    if entries.is_empty() {
        return Err(Fault::new(
            "EmptyBatchRequest",
            "There should be at least one SendMessageBatchRequestEntry in the request.",
        ));
    }
    if entries.len() > 10 {
        let message =
            format!("Maximum number of entries per request are 10. You have sent {}.", entries.len());
        return Err(Fault::new("TooManyEntriesInBatchRequest", message));
    }
    let mut ids = HashSet::new();
    for entry in &entries {
        let id = entry.required("Id")?;
        let is_valid = (1..=80).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !is_valid {
            return Err(Fault::new(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can \
                 be at most 80 \
                 letters long.",
            ));
        }
        if !ids.insert(id) {
            return Err(Fault::new("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = entry.required("Id")?;
        match each(entry) {
            Ok(mut answer) => {
                answer.insert("Id".to_owned(), id.into());
                successful.push(Value::Object(answer));
            }
            Err(Failure::Entry { code, message }) => {
                failed.push(json!({"Id": id, "SenderFault": true, "Code": code, "Message": message}));
            }
            Err(Failure::Request(fault)) => return Err(fault),
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}
