//! Reading the XML that clients send.

use roxmltree::{Document, Node};

use super::fault::{self, Fault};
use crate::wire::tame::is_tame_xml;

/// Reads a request's body whose root element is `root`; `None` from `read` means that the body does not fit the schema.
///
/// Document type definitions are refused, so entities cannot blow a body up.
///
/// # Errors
///
/// `MalformedXML`, and what `read` finds.
pub(super) fn read<T>(
    body: &[u8],
    root: &str,
    read: impl FnOnce(Node<'_, '_>) -> Option<T>,
) -> Result<T, Fault> {
    let result = document(body, root).and_then(|document| read(document.root_element()));
    result.ok_or_else(|| fault::MALFORMED_XML.fault())
}

/// The document, if it is one with this root.
fn document<'b>(body: &'b [u8], root: &str) -> Option<Document<'b>> {
    let text = std::str::from_utf8(body).ok().filter(|text| is_tame_xml(text))?;
    let document = Document::parse(text).ok()?;
    (document.root_element().tag_name().name() == root).then_some(document)
}

/// The child elements of this name, in any namespace.
pub(super) fn children<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Vec<Node<'a, 'i>> {
    let mut named = Vec::new();
    for child in node.children() {
        if is(child, name) {
            named.push(child);
        }
    }
    named
}

pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| is(*child, name))
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

/// The text of a child element; an empty element has the empty text.
pub(super) fn text<'a>(node: Node<'a, '_>, name: &'a str) -> Option<&'a str> {
    child(node, name).map(|child| child.text().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_in_any_namespace() {
        let body =
            br#"<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet><Key/></Delete>"#;
        let read = read(body, "Delete", |root| {
            Some((text(root, "Quiet")?.to_owned(), text(root, "Key")?.to_owned()))
        });
        assert_eq!(read.expect("a document"), ("true".to_owned(), String::new()));
    }

    #[test]
    fn hostile_documents_are_refused() {
        let bomb = br#"<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><Delete>&c;</Delete>"#;
        let deep = format!("{}{}", "<Delete>".repeat(100_000), "</Delete>".repeat(100_000));
        for body in [bomb.as_slice(), deep.as_bytes(), b"<Delete>", b"\xFF", b"", b"<Other/>"] {
            assert_eq!(read(body, "Delete", |_| Some(())).expect_err("hostile").code(), "MalformedXML");
        }
    }
}
