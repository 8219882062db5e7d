//! The JSON protocols.
//!
//! See <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>.

use bytes::Bytes;
use http::{HeaderValue, Response};
use serde_json::{Map, Value};

use super::response;
use crate::fault::{Error, Fault};

/// What differs from service to service.
pub(crate) struct Json {
    pub(crate) content_type: &'static str,
    /// What stands before an error's name: `com.amazonaws.sqs#`.
    pub(crate) namespace: &'static str,
    /// For a service that was once a query service: those of its errors that had other names then. Clients are told the
    /// old ones. See <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait>.
    pub(crate) query_codes: Option<&'static [(&'static str, &'static str)]>,
}

impl Json {
    pub(crate) const V1_0: Self =
        Self { content_type: "application/x-amz-json-1.0", namespace: "", query_codes: None };
    pub(crate) const V1_1: Self = Self { content_type: "application/x-amz-json-1.1", ..Self::V1_0 };

    pub(super) fn answer(&self, result: &Value) -> Response<Bytes> {
        let body = if result.is_null() { b"{}".to_vec() } else { to_bytes(result) };
        response(200, self.content_type, body)
    }

    pub(super) fn error(&self, error: &Error) -> Response<Bytes> {
        let mut members = error.members.clone();
        members.insert("__type".to_owned(), format!("{}{}", self.namespace, error.code).into());
        members.insert("message".to_owned(), error.message.as_str().into());
        let mut response = response(error.status, self.content_type, to_bytes(&Value::Object(members)));
        if let Some(codes) = self.query_codes {
            let code =
                codes.iter().find(|(name, _)| *name == error.code).map_or(error.code, |(_, code)| code);
            let whose = if error.status < 500 { "Sender" } else { "Receiver" };
            if let Ok(value) = HeaderValue::try_from(format!("{code};{whose}")) {
                response.headers_mut().insert("x-amzn-query-error", value);
            }
        }
        response
    }
}

/// A body that is one JSON object, or nothing.
pub(super) fn read(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(body)
        .map_err(|error| Fault::new("SerializationException", format!("the body is no JSON object: {error}")))
}

pub(super) fn to_bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
