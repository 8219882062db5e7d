//! The query protocol's input: `Action=…&Name=value`, as a form or in the URL.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

use crate::call::Call;
use crate::fault::Fault;
use crate::wire::request::Parts;
use crate::wire::xml::Xml;

/// More than the largest policy document, percent-encoded, needs.
const LONGEST: usize = 1024 * 1024;

/// More members than any list may have. Each is looked for among all parameters, so there has to be an end.
const MOST_MEMBERS: usize = 100;

/// The parameters of one request.
#[derive(Debug)]
pub(crate) struct Parameters<'r>(Vec<(Cow<'r, str>, Cow<'r, str>)>);

impl<'r> Parameters<'r> {
    pub(crate) fn read(parts: &'r Parts, body: &'r [u8]) -> Result<Self, Fault> {
        let malformed = |why: &str| Fault::new(StatusCode::BAD_REQUEST, "MalformedInput", why);
        if body.len() > LONGEST {
            return Err(Fault::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                format!("the request body is larger than {LONGEST} bytes"),
            ));
        }
        let body = std::str::from_utf8(body).map_err(|_| malformed("the request body is not UTF-8"))?;
        let query = parts.uri.query().unwrap_or_default();
        let mut parameters = Vec::with_capacity(8);
        for text in [query, body.trim_ascii()] {
            for pair in text.split('&') {
                if pair.is_empty() {
                    continue;
                }
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let name =
                    percent_decode(name).ok_or_else(|| malformed("a parameter's name is not UTF-8"))?;
                let value = percent_decode(value)
                    .ok_or_else(|| malformed(&format!("the value of the parameter `{name}` is not UTF-8")))?;
                parameters.push((name, value));
            }
        }
        Ok(Self(parameters))
    }

    /// The operation's name, which is told to the journal.
    pub(crate) fn action(&self, call: &Call<'_>) -> Result<&str, Fault> {
        let action = self.optional("Action").unwrap_or_default();
        if action.is_empty() {
            return Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "MissingAction",
                "the request names no `Action`",
            ));
        }
        if action.len() > 128 || !action.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "InvalidAction",
                "the request's `Action` is no name",
            ));
        }
        let service = call.record.borrow().operation.clone();
        call.begin(format!("{service}:{action}"));
        Ok(action)
    }

    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        for (of, value) in &self.0 {
            if of == name {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Fault> {
        let value = self.optional(name).ok_or_else(|| Fault::missing(name))?;
        if value.is_empty() {
            self.check_length(name, 1..=usize::MAX)?;
        }
        Ok(value)
    }

    /// A whole number, if it is there, within its bounds.
    pub(crate) fn number<N>(&self, name: &str, bounds: RangeInclusive<N>) -> Result<Option<N>, Fault>
    where
        N: Copy + Display + FromStr + PartialOrd + Into<i64>,
    {
        let Some(text) = self.optional(name) else { return Ok(None) };
        let malformed = || {
            Fault::new(
                StatusCode::BAD_REQUEST,
                "MalformedInput",
                format!("the parameter `{name}` is not a whole number"),
            )
        };
        let number: i64 = text.parse().map_err(|_| malformed())?;
        let (least, most) = (*bounds.start(), *bounds.end());
        if number < least.into() {
            let rule = format!("Member must have value greater than or equal to {least}");
            return Err(Fault::violated(name, text, &rule));
        }
        if number > most.into() {
            let rule = format!("Member must have value less than or equal to {most}");
            return Err(Fault::violated(name, text, &rule));
        }
        text.parse().map(Some).map_err(|_| malformed())
    }

    /// `true` or `false`; false if it is not there.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.optional(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// One of several words, if it is there.
    pub(crate) fn one_of(&self, name: &str, words: &[&str]) -> Result<Option<&str>, Fault> {
        let Some(word) = self.optional(name) else { return Ok(None) };
        if words.contains(&word) {
            return Ok(Some(word));
        }
        let rule = format!("Member must satisfy enum value set: [{}]", words.join(", "));
        Err(Fault::violated(name, word, &rule))
    }

    /// Whether a text, if it is there, has an allowed number of characters.
    pub(crate) fn check_length(&self, name: &str, bounds: RangeInclusive<usize>) -> Result<(), Fault> {
        let Some(text) = self.optional(name) else { return Ok(()) };
        let length = text.chars().count();
        let (least, most) = bounds.into_inner();
        if length < least {
            let rule = format!("Member must have length greater than or equal to {least}");
            return Err(Fault::violated(name, text, &rule));
        }
        if length > most {
            let rule = format!("Member must have length less than or equal to {most}");
            return Err(Fault::violated(name, text, &rule));
        }
        Ok(())
    }

    /// The texts of a list, `NAME.member.1`, `NAME.member.2`, …, in their order.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let index_of = |of: &str| of.strip_prefix(name)?.strip_prefix(".member.")?.parse::<usize>().ok();
        let (mut indices, mut members) = (Vec::new(), Vec::new());
        for (of, value) in &self.0 {
            if let Some(index) = index_of(of) {
                // Nearly always the last.
                let place = indices.partition_point(|before| *before <= index);
                indices.insert(place, index);
                members.insert(place, value.as_ref());
            }
        }
        members
    }

    /// `NAME.member.1`, `NAME.member.2`, …, each with the fields that are asked for, up to the first gap.
    pub(crate) fn members<const N: usize>(&self, name: &str, fields: [&str; N]) -> Vec<[Option<&str>; N]> {
        // Most requests have no list, and need no names of members.
        if !self.0.iter().any(|(of, _)| of.starts_with(name)) {
            return Vec::new();
        }
        let mut members = Vec::new();
        for index in 1..=MOST_MEMBERS {
            let values = fields.map(|field| self.field(name, index, field));
            if values.iter().all(Option::is_none) {
                break;
            }
            members.push(values);
        }
        members
    }

    fn field(&self, name: &str, index: usize, field: &str) -> Option<&str> {
        let dot = if field.is_empty() { "" } else { "." };
        self.optional(&format!("{name}.member.{index}{dot}{field}"))
    }
}

/// The answer of a query service; `result` is what the operation wrote.
pub(crate) fn respond(call: &Call<'_>, operation: &str, namespace: &str, result: &Xml) -> Response<Bytes> {
    /// Checked by the compiler, and not with each answer.
    static TEXT_XML: HeaderValue = HeaderValue::from_static("text/xml");
    let mut xml = Xml::new();
    xml.element(&format!("{operation}Response xmlns=\"{namespace}\""), |xml| {
        xml.element(&format!("{operation}Result"), |xml| xml.append(result));
        xml.element("ResponseMetadata", |xml| xml.leaf("RequestId", call.ids.request));
    });
    let mut response = Response::new(Bytes::from(xml.finish()));
    response.headers_mut().insert(CONTENT_TYPE, TEXT_XML.clone());
    response
}

/// Decodes `%41`, and `+` as a space, the way that AWS reads a query; `None` if the result is not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') && !text.contains('+') {
        return Some(Cow::Borrowed(text));
    }
    // Patterns on slices rather than iterators: a policy document is mostly escapes, and in a debug build this loop is the
    // larger part of reading one.
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => break,
            [b'+', after @ ..] => {
                bytes.push(b' ');
                after
            }
            [b'%', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(digit(*high) << 4 | digit(*low));
                after
            }
            [byte, after @ ..] => {
                bytes.push(*byte);
                after
            }
        };
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// The value of an ASCII hexadecimal digit.
fn digit(ascii: u8) -> u8 {
    // Letters have 0x41 and 0x61, whose low bits count from 1.
    (ascii & 0xf) + if ascii.is_ascii_digit() { 0 } else { 9 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_broken_ones_kept() {
        assert_eq!(percent_decode("a+b%20%7B%c3%a9%zz%4").unwrap(), "a b {é%zz%4");
        assert!(percent_decode("%ff").is_none());
    }

    #[test]
    fn members_come_in_order_up_to_a_gap() {
        let (parts, ()) =
            http::Request::get("https://iam/?Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.3.Key=c")
                .body(())
                .unwrap()
                .into_parts();
        let parts = Parts::of(&parts);
        let parameters = Parameters::read(&parts, b"Names.member.1=x&Names.member.2=y\n").unwrap();
        assert_eq!(parameters.members("Tags", ["Key", "Value"]), [[Some("a"), Some("b")]]);
        assert_eq!(parameters.members("Names", [""]), [[Some("x")], [Some("y")]]);
        assert_eq!(parameters.required("NoSuch").unwrap_err().code, "ValidationError");
    }
}
