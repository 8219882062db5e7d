//! Tags of what a service keeps.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// The most that a resource may have.
const MOST: usize = 50;

/// What is wrong with these tags, if anything.
///
/// See <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>.
pub(crate) fn problem(tags: &Tags) -> Option<String> {
    if tags.len() > MOST {
        return Some(format!("a resource has at most {MOST} tags"));
    }
    tags.iter().find_map(|(key, value)| {
        if key.is_empty() || key.chars().count() > 128 {
            Some(format!("the tag key `{key}` is not 1 to 128 characters long"))
        } else if value.chars().count() > 256 {
            Some(format!("the value of the tag `{key}` is longer than 256 characters"))
        } else if key.to_ascii_lowercase().starts_with("aws:") {
            Some(format!("the tag key `{key}` begins with `aws:`, which is reserved for AWS"))
        } else {
            None
        }
    })
}

/// `[{"Key": …, "Value": …}]`, with the names that the service gives the two.
pub(crate) fn list(tags: &Tags, key: &str, value: &str) -> Value {
    tags.iter().map(|(k, v)| json!({ key: k, value: v })).collect()
}

/// `{"key": "value"}`.
pub(crate) fn map(tags: &Tags) -> Value {
    Value::Object(tags.iter().map(|(k, v)| (k.clone(), v.as_str().into())).collect::<Map<_, _>>())
}
