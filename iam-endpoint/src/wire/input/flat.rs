//! Reading the flat keys of the query protocols: `Tags.member.1.Key=Stage`.

use serde_json::{Map, Value};

use super::DEEPEST;
use crate::wire::query::percent_decode;

/// More parameters than any request has.
const MOST: usize = 20_000;

/// Adds the parameters of a form or a query string. A list is an object of numbers, which the walker knows.
pub(super) fn read(text: &str, members: &mut Map<String, Value>) -> Option<()> {
    for (count, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (percent_decode(name)?, percent_decode(value)?);
        if count == MOST || name.split('.').count() > DEEPEST {
            return None;
        }
        insert(members, &name, value.into_owned());
    }
    Some(())
}

fn insert(members: &mut Map<String, Value>, name: &str, value: String) {
    let Some((first, rest)) = name.split_once('.') else {
        // The first of a name counts, as everywhere.
        members.entry(name).or_insert(Value::String(value));
        return;
    };
    let child = members.entry(first).or_insert_with(|| Value::Object(Map::new()));
    // A name that is a text and has members: the client's slip, and the text stays.
    if let Value::Object(members) = child {
        insert(members, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dots_are_members() {
        let mut members = Map::new();
        read("Action=A&Tags.member.1.Key=a%2Eb&Tags.member.2.Key=c&Action.X=1&Name=a+b", &mut members)
            .unwrap();
        let tags = json!({"member": {"1": {"Key": "a.b"}, "2": {"Key": "c"}}});
        assert_eq!(Value::Object(members), json!({"Action": "A", "Tags": tags, "Name": "a b"}));
    }

    #[test]
    fn deep_names_and_broken_text_are_refused() {
        assert!(read(&format!("{}=1", "a.".repeat(200)), &mut Map::new()).is_none());
        assert!(read("a=%ff", &mut Map::new()).is_none());
    }
}
