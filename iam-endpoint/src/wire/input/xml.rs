//! Reading XML bodies.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

use super::DEEPEST;
use crate::wire::tame::is_tame_xml;

/// More elements and texts than any request has.
const MOST_NODES: u32 = 500_000;

/// The content of the root element. A document type is refused, so nothing expands.
pub(super) fn read(text: &str) -> Option<Value> {
    if !is_tame_xml(text) {
        return None;
    }
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).ok()?;
    content(document.root_element(), 0)
}

/// Text, or the child elements and attributes by name; several of a name are a list.
fn content(element: Node<'_, '_>, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let mut members = Map::new();
    for attribute in element.attributes() {
        members.insert(attribute.name().to_owned(), attribute.value().into());
    }
    let mut has_elements = false;
    for child in element.children().filter(Node::is_element) {
        has_elements = true;
        let value = content(child, depth + 1)?;
        match members.get_mut(child.tag_name().name()) {
            None => {
                members.insert(child.tag_name().name().to_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => {
                let both = vec![first.take(), value];
                *first = Value::Array(both);
            }
        }
    }
    if has_elements || !members.is_empty() {
        return Some(Value::Object(members));
    }
    let text: String = element.children().filter_map(|child| child.text()).collect();
    Some(Value::String(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_are_members_and_several_of_a_name_are_a_list() {
        let text = "<R xmlns='urn:x'><A>1 &amp; 2</A><B><C>3</C></B><B k='v'/><D/></R>";
        assert_eq!(read(text), Some(json!({"A": "1 & 2", "B": [{"C": "3"}, {"k": "v"}], "D": ""})));
    }

    #[test]
    fn bombs_are_refused() {
        assert_eq!(read("<!DOCTYPE r [<!ENTITY a 'aa'>]><r>&a;</r>"), None);
        let deep = ["<a>".repeat(200), "</a>".repeat(200)].concat();
        assert_eq!(read(&deep), None);
    }
}
