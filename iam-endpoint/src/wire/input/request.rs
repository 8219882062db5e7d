//! One request's input.

use std::borrow::Cow;

use crate::wire::request::Parts;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value};

use super::path::{self, Found, Marks, Path};
use super::{cbor, flat, xml};
use crate::fault::Fault;
use crate::wire::headers::Headers;
use crate::wire::protocol::Protocol;
use crate::wire::query::percent_decode;

/// The largest body that is read; DynamoDB's batches have 16 MB.
const LARGEST: usize = 20 * 1024 * 1024;

/// What a request says: labels of its path, query, headers and body.
pub(crate) struct Input<'r> {
    headers: &'r Headers<'r>,
    path: &'r str,
    query: &'r str,
    /// The decoded labels of the path, by name.
    labels: Vec<(&'static str, String)>,
    body: Value,
    members: Marks,
}

impl<'r> Input<'r> {
    /// Reads the body as its protocol has it. What is no body of the protocol is refused, in the protocol's own words.
    pub(crate) fn read(
        protocol: Protocol,
        parts: &'r Parts,
        headers: &'r Headers<'r>,
        body: &Bytes,
        labels: Vec<(&'static str, String)>,
    ) -> Result<Self, Fault> {
        let query = parts.uri.query().unwrap_or_default();
        let tree = match protocol {
            // Blobs and streams are bodies too, of whatever size.
            Protocol::RestJson if !is_json(headers) => json(body).unwrap_or_default(),
            Protocol::RestXml | Protocol::S3 if !looks_like_xml(body) => Value::Null,
            _ if body.len() > LARGEST => return Err(too_large()),
            Protocol::Cbor if body.is_empty() => Value::Null,
            Protocol::Cbor => cbor::read(body).filter(Value::is_object).ok_or_else(|| malformed(protocol))?,
            Protocol::Ec2 | Protocol::Query => {
                let mut members = Map::new();
                let text = std::str::from_utf8(body).ok();
                let read = text.and_then(|body| {
                    flat::read(query, &mut members)?;
                    flat::read(body.trim_ascii(), &mut members)
                });
                read.ok_or_else(|| malformed(protocol))?;
                Value::Object(members)
            }
            Protocol::Json => json(body)
                .filter(|tree| tree.is_object() || tree.is_null())
                .ok_or_else(|| malformed(protocol))?,
            Protocol::RestJson => json(body).ok_or_else(|| malformed(protocol))?,
            // An object may be XML of its own, which is none of the endpoint's business.
            Protocol::S3 => std::str::from_utf8(body).ok().and_then(xml::read).unwrap_or_default(),
            Protocol::RestXml => {
                let tree = std::str::from_utf8(body).ok().and_then(xml::read);
                tree.ok_or_else(|| malformed(protocol))?
            }
        };
        let members = Marks::of(&tree);
        Ok(Self { headers, path: parts.uri.path(), query, labels, body: tree, members })
    }

    /// The path of the request as it came.
    pub(crate) fn path(&self) -> &'r str {
        self.path
    }

    /// Everything at a path of the table: `/Label`, `?name`, `:Header`, or into the body.
    pub(crate) fn find(&self, path: &str) -> Vec<Found<'_>> {
        self.find_at(&Path::read(path))
    }

    /// The same of a path that was read before.
    pub(crate) fn find_at(&self, path: &Path<'_>) -> Vec<Found<'_>> {
        if path.is_of_body() {
            return if path.may_lead_into(self.members) { path.follow(&self.body) } else { Vec::new() };
        }
        let mut found = Vec::new();
        if let Some(label) = path.text.strip_prefix('/') {
            for (name, value) in &self.labels {
                if *name == label {
                    found.push(Found::Text(Cow::Borrowed(value)));
                }
            }
        }
        if let Some(wanted) = path.text.strip_prefix('?') {
            let wanted = wanted.trim_end_matches("[]");
            for pair in self.query.split('&') {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                if percent_decode(name).is_some_and(|name| name == wanted) {
                    found.extend(percent_decode(value).map(Found::Text));
                }
            }
        }
        if let Some(name) = path.text.strip_prefix(':') {
            let name = name.to_ascii_lowercase();
            let value = self.headers.text(name.trim_end_matches("[]"));
            found.extend(value.map(|value| Found::Text(Cow::Borrowed(value))));
        }
        found
    }

    /// The first list or map in the body that a path goes through.
    pub(crate) fn list_of(&self, path: &Path<'_>) -> Option<&Value> {
        let (list, _) = path.list.filter(|_| path.may_lead_into(self.members))?;
        path::collection(&self.body, list)
    }

    /// The list or the map in the body at a path without its brackets.
    pub(crate) fn collection(&self, path: &str) -> Option<&Value> {
        path::collection(&self.body, path)
    }

    /// The first text at a path.
    pub(crate) fn text(&self, path: &str) -> Option<Cow<'_, str>> {
        for found in self.find(path) {
            if let Found::Text(text) = found {
                return Some(text);
            }
        }
        None
    }

    /// All texts at a path.
    pub(crate) fn texts(&self, path: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for found in self.find(path) {
            if let Found::Text(text) = found {
                texts.push(text.into_owned());
            }
        }
        texts
    }
}

/// Nothing is an input without members.
fn json(body: &[u8]) -> Option<Value> {
    if body.len() > LARGEST {
        return None;
    }
    if body.trim_ascii().is_empty() { Some(Value::Null) } else { serde_json::from_slice(body).ok() }
}

fn is_json(headers: &Headers<'_>) -> bool {
    let content_type = headers.text("content-type").unwrap_or_default();
    content_type.starts_with("application/json") || content_type.starts_with("application/x-amz-json")
}

fn looks_like_xml(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

fn too_large() -> Fault {
    Fault::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestEntityTooLarge",
        format!("the request body is larger than {LARGEST} bytes"),
    )
}

/// As the services word it that speak the protocol.
fn malformed(protocol: Protocol) -> Fault {
    let (code, message) = match protocol {
        Protocol::Cbor => ("SerializationException", "the request body is not CBOR as the operation has it"),
        Protocol::Ec2 | Protocol::Query => ("MalformedInput", "the request's parameters cannot be read"),
        Protocol::Json | Protocol::RestJson => {
            ("SerializationException", "the request body is not JSON as the operation has it")
        }
        Protocol::RestXml | Protocol::S3 => {
            ("MalformedInput", "the request body is not XML as the operation has it")
        }
    };
    Fault::new(StatusCode::BAD_REQUEST, code, message)
}
