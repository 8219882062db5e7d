//! The query protocol: forms, and answers in XML.
//!
//! See <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{Request, Response};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::response;
use crate::fault::{Error, Fault};
use crate::ids;

/// What differs from service to service.
pub(crate) struct Query {
    /// The XML namespace of the answers.
    pub(crate) namespace: &'static str,
    /// Members of answers that are maps.
    pub(crate) maps: &'static [&'static str],
}

impl Query {
    pub(super) fn answer(&self, operation: &str, result: &Value) -> Response<Bytes> {
        let mut xml = format!(r#"<{operation}Response xmlns="{}">"#, self.namespace);
        if !result.is_null() {
            let _ = write!(xml, "<{operation}Result>");
            self.write(&mut xml, result);
            let _ = write!(xml, "</{operation}Result>");
        }
        let id = ids::uuid();
        let _ = write!(
            xml,
            "<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>"
        );
        response(200, "text/xml", xml)
    }

    pub(super) fn error(&self, error: &Error) -> Response<Bytes> {
        let whose = if error.status < 500 { "Sender" } else { "Receiver" };
        let mut xml = format!(
            r#"<ErrorResponse xmlns="{}"><Error><Type>{whose}</Type><Code>{}</Code><Message>"#,
            self.namespace, error.code
        );
        escape(&mut xml, &error.message);
        let id = ids::uuid();
        let _ = write!(xml, "</Message></Error><RequestId>{id}</RequestId></ErrorResponse>");
        response(error.status, "text/xml", xml)
    }

    fn write(&self, xml: &mut String, value: &Value) {
        match value {
            Value::Null => {}
            Value::Bool(truth) => {
                let _ = write!(xml, "{truth}");
            }
            Value::Number(number) => {
                let _ = write!(xml, "{number}");
            }
            Value::String(text) => escape(xml, text),
            Value::Array(items) => {
                for item in items {
                    self.element(xml, "member", item);
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::Object(map) if self.maps.contains(&name.as_str()) => {
                            let _ = write!(xml, "<{name}>");
                            for (key, value) in map {
                                xml.push_str("<entry><key>");
                                escape(xml, key);
                                xml.push_str("</key>");
                                self.element(xml, "value", value);
                                xml.push_str("</entry>");
                            }
                            let _ = write!(xml, "</{name}>");
                        }
                        _ => self.element(xml, name, value),
                    }
                }
            }
        }
    }

    fn element(&self, xml: &mut String, name: &str, value: &Value) {
        let _ = write!(xml, "<{name}>");
        self.write(xml, value);
        let _ = write!(xml, "</{name}>");
    }
}

fn escape(xml: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\r' => xml.push_str("&#xD;"),
            '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => xml.push('\u{fffd}'),
            c => xml.push(c),
        }
    }
}

/// The deepest that parameters may nest, and the most that there may be of them: far beyond what the API has.
const DEEPEST: usize = 12;
const MOST: usize = 1_000;

/// `A.member.1.B=x` becomes `{"A": [{"B": "x"}]}`, and `A.entry.1.key=k&A.entry.1.value=v` becomes `{"A": {"k": "v"}}`.
pub(super) fn read(request: &Request<Bytes>) -> Result<Map<String, Value>, Fault> {
    let malformed = |what: &str| Fault::new("MalformedQueryString", format!("the form {what}"));
    let body = std::str::from_utf8(request.body()).map_err(|_| malformed("is not UTF-8"))?;
    let mut root = Node::default();
    let pairs = request.uri().query().unwrap_or_default().split('&').chain(body.split('&'));
    for (count, pair) in pairs.filter(|pair| !pair.is_empty()).enumerate() {
        if count >= MOST {
            return Err(malformed("has too many parameters"));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).ok_or_else(|| malformed("has a name that is not UTF-8"))?;
        let value = decode(value).ok_or_else(|| malformed("has a value that is not UTF-8"))?;
        if name.split('.').count() > DEEPEST {
            return Err(malformed("is nested too deeply"));
        }
        let node = name.split('.').fold(&mut root, |node, part| node.child(part));
        node.text = Some(value);
    }
    match root.into_value() {
        Some(Value::Object(members)) => Ok(members),
        _ => Err(malformed("has too long a list, or a list with gaps")),
    }
}

fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    Some(percent_decode_str(&text).decode_utf8().ok()?.into_owned())
}

#[derive(Default)]
struct Node {
    text: Option<String>,
    children: Vec<(String, Node)>,
}

impl Node {
    fn child(&mut self, name: &str) -> &mut Node {
        let at = self.children.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.children.push((name.to_owned(), Node::default()));
            self.children.len() - 1
        });
        &mut self.children.get_mut(at).expect("it was found or just pushed").1
    }

    fn into_value(self) -> Option<Value> {
        if self.children.is_empty() {
            return Some(self.text.map_or_else(|| Value::Object(Map::new()), Value::String));
        }
        let mut children = self.children;
        if let [(name, _)] = children.as_slice() {
            match name.as_str() {
                "member" => return children.pop()?.1.into_list().map(Value::Array),
                "entry" => return children.pop()?.1.into_map(),
                _ => {}
            }
        }
        let members = children.into_iter().map(|(name, node)| Some((name, node.into_value()?)));
        members.collect::<Option<Map<_, _>>>().map(Value::Object)
    }

    /// The children are numbered from 1.
    fn into_list(self) -> Option<Vec<Value>> {
        let mut items = vec![Value::Null; self.children.len()];
        for (number, node) in self.children {
            let at = number.parse::<usize>().ok()?.checked_sub(1)?;
            *items.get_mut(at)? = node.into_value()?;
        }
        (!items.contains(&Value::Null)).then_some(items)
    }

    fn into_map(self) -> Option<Value> {
        let mut map = Map::new();
        for entry in self.into_list()? {
            let Value::Object(mut entry) = entry else { return None };
            let mut take = |a: &str, b: &str| entry.remove(a).or_else(|| entry.remove(b));
            let Some(Value::String(key)) = take("key", "Name") else { return None };
            map.insert(key, take("value", "Value")?);
        }
        Some(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(form: &'static str) -> Result<Value, Fault> {
        read(&Request::new(Bytes::from_static(form.as_bytes()))).map(Value::Object)
    }

    #[test]
    fn forms_are_read_as_structures_lists_and_maps() {
        let form = "Action=Subscribe&Tags.member.1.Key=a+b&Tags.member.1.Value=%C3%A9&Names.member.2=y&Names.member.1=x\
                    &Attributes.entry.1.key=k&Attributes.entry.1.value=v";
        assert_eq!(
            parsed(form).expect("a form"),
            json!({
                "Action": "Subscribe",
                "Tags": [{"Key": "a b", "Value": "é"}],
                "Names": ["x", "y"],
                "Attributes": {"k": "v"},
            })
        );
    }

    #[test]
    fn lists_with_gaps_and_endless_nesting_are_refused() {
        for form in [
            "A.member.2=x",
            "A.member.1000000000=x",
            "A.member.x=1",
            "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1",
            "a=%ff",
        ] {
            assert!(parsed(form).is_err(), "{form}");
        }
    }

    #[test]
    fn a_form_of_a_million_parameters_is_refused_at_once() {
        let form: Vec<_> = (0..1_000_000).map(|number| format!("a{number}=&")).collect();
        let form = form.concat();
        assert!(read(&Request::new(Bytes::from(form))).is_err());
    }

    #[test]
    fn texts_are_escaped_in_answers() {
        let query = Query { namespace: "n", maps: &["Attributes"] };
        let answer = query.answer("Op", &json!({"Attributes": {"k&": "<v>"}, "List": [1, true]}));
        let body = String::from_utf8(answer.into_body().to_vec()).expect("UTF-8");
        let result = "<OpResult><Attributes><entry><key>k&amp;</key><value>&lt;v&gt;</value></entry></Attributes>\
                      <List><member>1</member><member>true</member></List></OpResult>";
        assert!(body.contains(result), "{body}");
    }
}
