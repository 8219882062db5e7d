//! The tags that a request carries, in whatever form the service has them.

use serde_json::Value;

use crate::wire::input::{Found, entries, items};

/// Keys with their values; a key without one is to be removed.
pub(super) type Tags = Vec<(String, Option<String>)>;

/// Reads lists of keys and values, maps, and lists of keys, all of which services have; and S3's `key=value&…`.
pub(super) fn of(found: Vec<Found<'_>>) -> Tags {
    let mut tags = Tags::new();
    for found in found {
        match found {
            Found::Text(key) => tags.push((key.into_owned(), None)),
            Found::Tree(tree) => read(tree, &mut tags),
        }
    }
    tags
}

fn read(tree: &Value, tags: &mut Tags) {
    for item in items(tree) {
        match item {
            Value::String(key) => tags.push((key.clone(), None)),
            Value::Object(_) => {
                if let Some(tag) = pair(item) {
                    tags.push(tag);
                } else {
                    for (key, value) in entries(item) {
                        if let Value::String(value) = value {
                            tags.push((key.to_owned(), Some(value.clone())));
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// A structure of key and value, by the names that services give them.
fn pair(item: &Value) -> Option<(String, Option<String>)> {
    const KEYS: [&str; 4] = ["Key", "key", "TagKey", "tagKey"];
    const VALUES: [&str; 4] = ["Value", "value", "TagValue", "tagValue"];
    /// What Auto Scaling's tags say besides.
    const OTHERS: [&str; 3] = ["PropagateAtLaunch", "ResourceId", "ResourceType"];
    let text = |names: [&str; 4]| names.iter().find_map(|name| item.get(name)?.as_str()).map(str::to_owned);
    let known: Vec<&str> = [&KEYS[..], &VALUES, &OTHERS].concat();
    let has_other = item.as_object()?.keys().any(|name| !known.contains(&name.as_str()));
    // A map of tags may have a tag that is named `key`.
    if has_other { None } else { Some((text(KEYS)?, Some(text(VALUES).unwrap_or_default()))) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn reads(tree: &Value, expected: &[(&str, Option<&str>)]) {
        let tags = of(vec![Found::Tree(tree)]);
        let tags: Vec<_> = tags.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        assert_eq!(tags, expected);
    }

    #[test]
    fn every_form_of_tags_is_read() {
        let two = [("a", Some("1")), ("b", Some("2"))];
        reads(&json!([{"Key": "a", "Value": "1"}, {"key": "b", "value": "2"}]), &two);
        reads(&json!([{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": "2"}]), &two);
        reads(&json!({"a": "1", "b": "2"}), &two);
        reads(&json!({"member": {"1": {"Key": "a", "Value": "1"}, "2": {"Key": "b", "Value": "2"}}}), &two);
        reads(&json!({"1": {"Key": "a", "Value": "1"}, "2": {"Key": "b", "Value": "2"}}), &two);
        reads(&json!({"entry": {"1": {"key": "a", "value": "1"}, "2": {"key": "b", "value": "2"}}}), &two);
        reads(&json!({"Key": "a"}), &[("a", Some(""))]);
        reads(
            &json!([{"Key": "a", "Value": "1", "ResourceId": "g", "PropagateAtLaunch": "true"}]),
            &[("a", Some("1"))],
        );
        reads(&json!({"key": "a", "Team": "b"}), &[("Team", Some("b")), ("key", Some("a"))]);
        reads(&json!(["a", "b"]), &[("a", None), ("b", None)]);
    }
}
