//! `restJson1`: parameters in the path, the query and the body.
//!
//! See <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>.

use bytes::Bytes;
use http::{HeaderValue, Response};
use iam_endpoint::Allowed;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{json, response};
use crate::fault::{Error, Fault};

/// Where an operation is found.
pub(crate) struct Route {
    pub(crate) operation: &'static str,
    /// With `{Label}`s: one segment each, but the last takes all the rest.
    pub(crate) path: &'static str,
    /// Of an answer that is no error.
    pub(crate) status: u16,
}

/// The members of the body, the labels of the path, and the query's parameters.
pub(super) fn read(routes: &[Route], allowed: &Allowed) -> Result<Map<String, Value>, Fault> {
    let request = &allowed.request;
    let mut members = json::read(request.body())?;
    let Some(route) = routes.iter().find(|route| route.operation == allowed.operation) else {
        return Err(Fault::NotPerformed);
    };
    let mut rest = request.uri().path();
    for segment in route.path.split('/').skip(1) {
        rest = rest.strip_prefix('/').unwrap_or(rest);
        let is_last = route.path.ends_with(segment);
        let end = if is_last { rest.len() } else { rest.find('/').unwrap_or(rest.len()) };
        let (given, others) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if let Some(label) = segment.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
            members.insert(label.to_owned(), decode(given)?);
        }
        rest = others;
    }
    for pair in request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value)?;
        match members.get_mut(name) {
            // A parameter that comes again is a list.
            Some(Value::Array(items)) => items.push(value),
            Some(other) => {
                let first = other.take();
                *other = Value::Array(vec![first, value]);
            }
            None => {
                members.insert(name.to_owned(), value);
            }
        }
    }
    Ok(members)
}

fn decode(text: &str) -> Result<Value, Fault> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(Value::String(text.into_owned())),
        Err(_) => Err(Fault::new("InvalidParameterValueException", "the path or the query is not UTF-8")),
    }
}

pub(super) fn answer(routes: &[Route], operation: &str, result: &Value) -> Response<Bytes> {
    let status = routes.iter().find(|route| route.operation == operation).map_or(200, |route| route.status);
    let body = if result.is_null() { Vec::new() } else { json::to_bytes(result) };
    response(status, "application/json", body)
}

pub(super) fn error(error: &Error) -> Response<Bytes> {
    let mut members = error.members.clone();
    members.insert("Type".to_owned(), "User".into());
    members.insert("Message".to_owned(), error.message.as_str().into());
    let mut response = response(error.status, "application/json", json::to_bytes(&Value::Object(members)));
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(error.code));
    response
}
