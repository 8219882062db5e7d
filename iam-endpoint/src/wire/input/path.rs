//! Following the table's paths through an input: `RequestItems{}`, `TransactItems[].Put.TableName`.

use std::borrow::Cow;

use serde_json::Value;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found<'i> {
    Text(Cow<'i, str>),
    Tree(&'i Value),
}

impl<'i> Found<'i> {
    fn of(value: &'i Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Array(_) | Value::Object(_) => Some(Self::Tree(value)),
            Value::Bool(value) => Some(Self::Text(Cow::Borrowed(if *value { "true" } else { "false" }))),
            Value::Number(number) => Some(Self::Text(Cow::Owned(number.to_string()))),
            Value::String(text) => Some(Self::Text(Cow::Borrowed(text))),
        }
    }

    /// The text of a leaf.
    pub(crate) fn text(self) -> Option<Cow<'i, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Tree(_) => None,
        }
    }
}

/// A path of the table, taken apart once: each request follows dozens.
#[derive(Debug)]
pub(crate) struct Path<'t> {
    pub(crate) text: &'t str,
    /// None of a path that does not lead into the body.
    steps: Vec<Step<'t>>,
    /// The first list or map that it goes through, without its brackets, and whether it is a map.
    pub(crate) list: Option<(&'t str, bool)>,
    first: Marks,
}

/// Which names there may be among the members of a structure, as bits of their hashes: most of the table's paths begin with
/// a member that a request does not have, and to find that out in the members themselves takes longer by far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks(u64);

impl Marks {
    /// Those of a body.
    pub(super) fn of(body: &Value) -> Self {
        match body {
            Value::Object(members) if !is_written_as_list(body) => {
                let mut marks = 0;
                for name in members.keys() {
                    marks |= Self::of_name(name).0;
                }
                Self(marks)
            }
            // There are other ways into these than the names.
            _ => Self(u64::MAX),
        }
    }

    /// That of a name; none of no name, which is always there.
    fn of_name(name: &str) -> Self {
        let name = name.as_bytes();
        let (Some(first), Some(last)) = (name.first(), name.last()) else { return Self(0) };
        // Numbers that tell the lengths, first and last letters of most names apart.
        let hash = name.len() * 23 + usize::from(*first) * 7 + usize::from(*last);
        Self(1 << (hash % 64))
    }

    fn has(self, of_name: Self) -> bool {
        self.0 & of_name.0 == of_name.0
    }
}

/// `TransactItems[]`
#[derive(Debug)]
struct Step<'t> {
    name: &'t str,
    brackets: &'t str,
}

impl<'t> Path<'t> {
    pub(crate) fn read(text: &'t str) -> Self {
        if text.starts_with(['/', '?', ':']) {
            return Self { text, steps: Vec::new(), list: None, first: Marks::of_name("") };
        }
        let list = bracket(text).map(|at| text.split_at(at));
        let mut steps = Vec::new();
        for text in text.split('.') {
            let (name, brackets) = bracket(text).map_or((text, ""), |at| text.split_at(at));
            steps.push(Step { name, brackets });
        }
        Self {
            text,
            first: Marks::of_name(steps.first().map_or("", |step| step.name)),
            steps,
            list: list.map(|(list, from)| (list, from.starts_with('{'))),
        }
    }

    /// Whether it leads into the body: no other path has steps.
    pub(super) fn is_of_body(&self) -> bool {
        !self.steps.is_empty()
    }

    /// Whether a body with such members may have something there.
    pub(super) fn may_lead_into(&self, members: Marks) -> bool {
        members.has(self.first)
    }

    /// Everything at the path in a body. Lists are taken as each protocol writes them.
    pub(super) fn follow<'i>(&self, root: &'i Value) -> Vec<Found<'i>> {
        let mut found = Vec::new();
        step(root, &self.steps, &mut found);
        found
    }
}

/// Everything at a path in a body.
pub(crate) fn walk<'i>(root: &'i Value, path: &str) -> Vec<Found<'i>> {
    Path::read(path).follow(root)
}

/// Where a path goes into its first list or map.
fn bracket(path: &str) -> Option<usize> {
    // Looking for one character is the standard library's work, and fast in a debug build; looking for two is not.
    match (path.find('['), path.find('{')) {
        (Some(list), Some(map)) => Some(list.min(map)),
        (list, map) => list.or(map),
    }
}

/// The list or the map at a path without its brackets.
pub(super) fn collection<'i>(root: &'i Value, path: &str) -> Option<&'i Value> {
    let is_list = |value: &Value| value.is_array() || numbered(value).is_some();
    let mut at = root;
    for name in path.split('.') {
        match member(at, name) {
            Some(child) => at = child,
            // The name of a list's members, which the protocol at hand does not write.
            None if is_list(at) => {}
            None => return None,
        }
    }
    Some(at)
}

fn step<'i>(value: &'i Value, steps: &[Step<'_>], found: &mut Vec<Found<'i>>) {
    let [Step { name, brackets }, rest @ ..] = steps else {
        if let Some(value) = Found::of(value) {
            found.push(value);
        }
        return;
    };
    let child = member(value, name);
    // Where the protocol at hand does not write the name of a list's members, the list is here already.
    let is_here = child.is_none() && brackets.starts_with('[') && value.is_array();
    if let Some(child) = child.or(is_here.then_some(value)) {
        unfold(child, brackets, rest, found);
    }
}

/// Goes on with each item of a list, each entry of a map.
fn unfold<'i>(value: &'i Value, brackets: &str, rest: &[Step<'_>], found: &mut Vec<Found<'i>>) {
    if brackets.is_empty() {
        step(value, rest, found);
    } else if let Some(more) = brackets.strip_prefix("[]") {
        for item in items(value) {
            unfold(item, more, rest, found);
        }
    } else if let Some(more) = brackets.strip_prefix("{*}") {
        for (_, item) in entries(value) {
            unfold(item, more, rest, found);
        }
    } else if brackets == "{}" {
        for (key, _) in entries(value) {
            found.push(Found::Text(Cow::Borrowed(key)));
        }
    } else {
        step(value, rest, found);
    }
}

/// The member of a structure, or of a map that is written as a list of entries. No name is the value itself: a list or
/// a map that is the whole body.
fn member<'i>(value: &'i Value, name: &str) -> Option<&'i Value> {
    if name.is_empty() {
        return Some(value);
    }
    let Value::Object(members) = value else { return None };
    let member = members.get(name);
    if member.is_none() && is_written_as_list(value) {
        for (key, value) in entries(value) {
            if key == name {
                return Some(value);
            }
        }
    }
    member
}

/// The items of a list: of JSON, of numbered parameters, or of repeated elements, of which one alone is no list.
pub(crate) fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(array) => {
            let mut items = Vec::with_capacity(array.len());
            for item in array {
                items.push(item);
            }
            items
        }
        Value::Object(members) => {
            if let Some(items) = numbered(value) {
                return items;
            }
            let mut only = members.iter();
            match (only.next(), only.next()) {
                (Some((name, inner)), None) if name == "member" || numbered(inner).is_some() => items(inner),
                _ => vec![value],
            }
        }
        _ => vec![value],
    }
}

/// The values of an object whose keys are all numbers, in their order.
fn numbered(value: &Value) -> Option<Vec<&Value>> {
    let Value::Object(members) = value else { return None };
    // One look tells most objects from lists.
    if !members.keys().next()?.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let (mut numbers, mut items) = (Vec::with_capacity(members.len()), Vec::with_capacity(members.len()));
    for (key, value) in members {
        let number = key.parse::<u32>().ok()?;
        // They come in the order of their texts, which is that of their numbers up to nine.
        let place = numbers.partition_point(|before| *before <= number);
        numbers.insert(place, number);
        items.insert(place, value);
    }
    Some(items)
}

/// The keys and values of a map: of JSON, or written as a list of keys and values.
pub(crate) fn entries(value: &Value) -> Vec<(&str, &Value)> {
    const KEYS: [&str; 4] = ["key", "Key", "Name", "name"];
    const VALUES: [&str; 2] = ["value", "Value"];
    let Value::Object(members) = value else { return Vec::new() };
    let mut entries = Vec::with_capacity(members.len());
    if !is_written_as_list(value) {
        for (key, value) in members {
            entries.push((key.as_str(), value));
        }
        return entries;
    }
    for item in items(members.get("entry").unwrap_or(value)) {
        if let Some(key) = KEYS.iter().find_map(|name| item.get(name)?.as_str()) {
            entries.push((key, VALUES.iter().find_map(|name| item.get(name)).unwrap_or(&Value::Null)));
        }
    }
    entries
}

/// Whether a map is `entry.1.key`, or `1.Name`, or `<entry><key>`.
fn is_written_as_list(value: &Value) -> bool {
    let Value::Object(members) = value else { return false };
    members.len() == 1 && members.get("entry").is_some_and(|entry| entry.is_object() || entry.is_array())
        || numbered(value).is_some_and(|items| items.iter().all(|item| item.is_object()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn finds(value: &Value, path: &str, expected: &[&str]) {
        let found: Vec<_> = walk(value, path).into_iter().filter_map(Found::text).collect();
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn what_is_in_a_body_is_never_taken_for_missing() {
        for body in [
            json!({"TableName": "t", "Key": {"A": 1}, "Keys": [1], "K": null}),
            json!({"1": {"Name": "A", "Value": "x"}, "2": {"Name": "B", "Value": "y"}}),
            json!({"entry": {"1": {"key": "A", "value": "x"}}}),
            json!([{"A": "x"}]),
            json!(["x"]),
            Value::Null,
        ] {
            let members = Marks::of(&body);
            for path in
                ["TableName", "Key.A", "Key", "Keys[]", "A", "B", "[].A", "List[].A", "[]", "{}", "entry"]
            {
                let path = Path::read(path);
                let is_found = !path.follow(&body).is_empty();
                assert!(path.may_lead_into(members) || !is_found, "{} in {body}", path.text);
            }
        }
        let members = Marks::of(&json!({"TableName": "t"}));
        assert!(!Path::read("IndexName").may_lead_into(members));
    }

    #[test]
    fn lists_and_maps_of_json_are_followed() {
        let body = json!({
            "RequestItems": {"A": {"Keys": [1, 2]}, "B": {"Keys": [true]}},
            "TransactItems": [{"Put": {"TableName": "C"}}, {"Get": {}}, {"Put": {"TableName": "D"}}],
            "Nothing": null,
        });
        finds(&body, "RequestItems{}", &["A", "B"]);
        finds(&body, "RequestItems{*}.Keys[]", &["1", "2", "true"]);
        finds(&json!({"A": {"t": [{"P": 1}], "u": [{"P": 2}]}}), "A{*}[].P", &["1", "2"]);
        finds(&body, "TransactItems[].Put.TableName", &["C", "D"]);
        finds(&body, "Nothing", &[]);
        finds(&body, "No.Such[].Path", &[]);
        assert_eq!(walk(&body, "TransactItems[].Put").len(), 2);
    }

    #[test]
    fn numbered_parameters_are_lists_in_their_order() {
        let body = json!({
            "InstanceId": {"10": "j", "2": "b", "1": "a"},
            "Tags": {"member": {"1": {"Key": "k"}}},
            "Attribute": {"1": {"Name": "Policy", "Value": "{}"}},
            "Attributes": {"entry": {"1": {"key": "Policy", "value": "x"}}},
        });
        finds(&body, "InstanceId[]", &["a", "b", "j"]);
        finds(&body, "Tags.member[].Key", &["k"]);
        finds(&body, "Tags[].Key", &["k"]);
        finds(&body, "Attribute{}", &["Policy"]);
        finds(&body, "Attribute.Policy", &["{}"]);
        finds(&body, "Attributes{}", &["Policy"]);
        finds(&body, "Attributes.Policy", &["x"]);
    }

    #[test]
    fn one_element_is_a_list_of_one() {
        let one = json!({"Object": {"Key": "a"}, "Tags": {"Tag": {"Key": "k"}}});
        finds(&one, "Object[].Key", &["a"]);
        finds(&one, "Tags.Tag[].Key", &["k"]);
        let two = json!({"Object": [{"Key": "a"}, {"Key": "b"}]});
        finds(&two, "Object[].Key", &["a", "b"]);
    }

    #[test]
    fn a_path_in_the_names_of_one_protocol_fits_another() {
        finds(&json!({"Tags": [{"Key": "k"}]}), "Tags.member[].Key", &["k"]);
        finds(&json!([{"Key": "k"}]), "[].Key", &["k"]);
    }
}
