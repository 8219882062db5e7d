//! One message, and what it may be.

use md5::{Digest, Md5};
use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::ids;
use crate::input::Input;

/// A message in a queue.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) body_digest: String,
    pub(super) attributes: Map<String, Value>,
    pub(super) trace: Option<String>,
    pub(super) group: Option<String>,
    pub(super) deduplication: Option<String>,
    pub(super) sender: String,
    /// Milliseconds since 1970, as the next two.
    pub(super) sent: u64,
    pub(super) first_received: Option<u64>,
    pub(super) visible_at: u64,
    pub(super) received: u64,
    /// The secret part of the latest receipt handle.
    pub(super) receipt: u64,
    /// The queue that gave it up, for one in a dead-letter queue.
    pub(super) source: Option<String>,
}

/// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.
pub(super) fn check_body(body: &str) -> Result<(), Fault> {
    if body.is_empty() {
        return Err(Fault::new("MissingParameter", "The request must contain the parameter MessageBody."));
    }
    let is_allowed = |c: char| matches!(c, '\u{9}' | '\u{a}' | '\u{d}' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if body.is_ascii() && body.bytes().all(|b| b >= b' ') || body.chars().all(is_allowed) {
        return Ok(());
    }
    Err(Fault::new("InvalidMessageContents", "The message contains characters outside the allowed set."))
}

/// A message's attributes, with their size in bytes.
///
/// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>.
pub(super) fn check_attributes(input: Input<'_>, member: &str) -> Result<(Map<String, Value>, usize), Fault> {
    let Some(attributes) = input.object(member)? else { return Ok((Map::new(), 0)) };
    if attributes.members().len() > 10 {
        return Err(input.invalid(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [10].",
            attributes.members().len()
        )));
    }
    let mut size = 0;
    for name in attributes.members().keys() {
        let invalid = |reason: &str| input.invalid(format!("The message attribute '{name}' {reason}"));
        let has_name = !name.is_empty()
            && name.len() <= 256
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
            && !name.starts_with('.')
            && !name.ends_with('.');
        if !has_name {
            return Err(invalid("has a name with characters that are not allowed."));
        }
        let attribute = attributes.required_object(name)?;
        let data_type = attribute.text("DataType")?.unwrap_or_default();
        let (text, blob) = (attribute.text("StringValue")?, attribute.blob("BinaryValue")?);
        let kind = data_type.split('.').next().unwrap_or_default();
        let length = match (kind, text, blob) {
            ("Number", Some(text), None) if text.parse::<f64>().is_ok() => text.len(),
            ("String", Some(text), None) if !text.is_empty() => text.len(),
            ("Binary", None, Some(blob)) if !blob.is_empty() => blob.len(),
            ("Number", Some(_), None) => return Err(invalid("is no number.")),
            ("Number" | "String" | "Binary", ..) => {
                return Err(invalid("must contain a non-empty value of its type."));
            }
            _ => {
                return Err(invalid(
                    "has an invalid message attribute type, the set of supported type prefixes is Binary, \
                     Number, and \
                     String.",
                ));
            }
        };
        size += name.len() + data_type.len() + length;
    }
    Ok((attributes.members().clone(), size))
}

pub(super) fn body_digest(body: &str) -> String {
    hex::encode(Md5::digest(body))
}

/// The digest that clients compare.
///
/// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>, where the
/// calculation is told.
pub(super) fn attributes_digest<'a>(
    attributes: impl Iterator<Item = (&'a String, &'a Value)>,
) -> Option<String> {
    let mut hash = Md5::new();
    let mut is_empty = true;
    let sized = |hash: &mut Md5, bytes: &[u8]| {
        hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(bytes);
    };
    // They come sorted by name, as the calculation asks.
    for (name, value) in attributes {
        let text = |member: &str| value.get(member).and_then(Value::as_str);
        sized(&mut hash, name.as_bytes());
        sized(&mut hash, text("DataType").unwrap_or_default().as_bytes());
        if let Some(text) = text("StringValue") {
            hash.update([1]);
            sized(&mut hash, text.as_bytes());
        } else {
            hash.update([2]);
            sized(&mut hash, &text("BinaryValue").and_then(ids::from_base64).unwrap_or_default());
        }
        is_empty = false;
    }
    (!is_empty).then(|| hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn digests_are_those_that_clients_calculate() {
        assert_eq!(body_digest("hello"), "5d41402abc4b2a76b9719d911017c592");
        let attributes = json!({
            "b": {"DataType": "Binary", "BinaryValue": "AQI="},
            "a": {"DataType": "String", "StringValue": "x"},
        });
        let digest = attributes_digest(attributes.as_object().expect("an object").iter());
        let bytes =
            b"\0\0\0\x01a\0\0\0\x06String\x01\0\0\0\x01x\0\0\0\x01b\0\0\0\x06Binary\x02\0\0\0\x02\x01\x02";
        assert_eq!(digest, Some(hex::encode(Md5::digest(bytes))));
        assert_eq!(attributes_digest(Map::new().iter()), None);
    }
}
