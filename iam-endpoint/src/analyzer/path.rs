//! Where a place of a JSON text is, by the members and items around it.

use serde_json::{Value, json};

/// An object or array that is open before a place.
enum Open<'t> {
    Array(usize),
    /// The member that is being read, and whether its key is still to come.
    Object {
        key: Option<&'t str>,
        before_colon: bool,
    },
}

/// The path of the token that begins at `at`, or of the text that `at` is in, of which `length` bytes are meant.
///
/// <https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_PathElement.html>
pub(super) fn path(text: &str, at: usize, length: usize) -> Vec<Value> {
    let bytes = text.as_bytes();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut next = 0;
    while let Some(byte) = bytes.get(next).filter(|_| next < at) {
        match byte {
            b'{' => open.push(Open::Object { key: None, before_colon: true }),
            b'[' => open.push(Open::Array(0)),
            b'}' | b']' => {
                open.pop();
            }
            b',' => match open.last_mut() {
                Some(Open::Array(index)) => *index += 1,
                Some(Open::Object { key, before_colon }) => (*key, *before_colon) = (None, true),
                None => {}
            },
            b':' => {
                if let Some(Open::Object { before_colon, .. }) = open.last_mut() {
                    *before_colon = false;
                }
            }
            b'"' => {
                let end = end_of_string(bytes, next);
                if at < end {
                    let mut path = elements(&open, None);
                    path.push(json!({"substring": {"start": at - next - 1, "length": length}}));
                    return path;
                }
                if let Some(Open::Object { key, before_colon: true }) = open.last_mut() {
                    *key = text.get(next + 1..end - 1);
                }
                next = end;
                continue;
            }
            _ => {}
        }
        next += 1;
    }
    let key =
        (bytes.get(at) == Some(&b'"')).then(|| text.get(at + 1..end_of_string(bytes, at) - 1)).flatten();
    elements(&open, key)
}

/// The byte after a string, or after the text if it does not end.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at + 1,
            Some(_) => at += 1,
            None => return bytes.len().max(start + 2),
        }
    }
}

/// `key` is the text that stands at the place, which may be a member's key.
fn elements(open: &[Open<'_>], key: Option<&str>) -> Vec<Value> {
    let element = |open: &Open<'_>| match open {
        Open::Array(index) => Some(json!({ "index": index })),
        Open::Object { before_colon: true, .. } => key.map(|key| json!({ "key": key })),
        Open::Object { key, .. } => key.map(|key| json!({ "value": key })),
    };
    open.iter().filter_map(element).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_by_what_is_around_it() {
        let text = r#"{"Version": "1", "Statement": [{"a": 1}, {"Sid": "x\"y", "Action": ["p", "qrs"]}]}"#;
        let of = |needle: &str| serde_json::to_string(&path(text, text.find(needle).unwrap(), 2)).unwrap();
        assert_eq!(of("{"), "[]");
        assert_eq!(of("\"1\""), r#"[{"value":"Version"}]"#);
        assert_eq!(of("\"Sid\""), r#"[{"value":"Statement"},{"index":1},{"key":"Sid"}]"#);
        assert_eq!(of("\"qrs\""), r#"[{"value":"Statement"},{"index":1},{"value":"Action"},{"index":1}]"#);
        assert_eq!(
            of("rs\""),
            r#"[{"value":"Statement"},{"index":1},{"value":"Action"},{"index":1},{"substring":{"length":2,"start":1}}]"#
        );
    }

    #[test]
    fn what_is_no_json_has_a_path_too() {
        for text in ["", "\"", "{\"a\\", "]]]]", "{,,:", "[\"", "\"\\"] {
            for at in 0..=text.len() {
                path(text, at, 1);
            }
        }
    }
}
