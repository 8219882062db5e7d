//! Requests and answers in the protocols of the services.

mod json;
#[cfg(feature = "sns")]
mod query;
#[cfg(feature = "lambda")]
mod rest;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use iam_endpoint::Allowed;
use serde_json::{Map, Value};

use crate::fault::{Error, Fault};

pub(crate) use json::Json;
#[cfg(feature = "sns")]
pub(crate) use query::Query;
#[cfg(feature = "lambda")]
pub(crate) use rest::Route;

/// How a service is spoken to.
pub(crate) enum Wire {
    /// `awsJson1_0` and `awsJson1_1`.
    Json(Json),
    /// `query`: forms and XML.
    #[cfg(feature = "sns")]
    Query(Query),
    /// `restJson1`, with the routes of the operations.
    #[cfg(feature = "lambda")]
    Rest(&'static [Route]),
}

impl Wire {
    /// The parameters of a request.
    pub(crate) fn read(&self, allowed: &Allowed) -> Result<Map<String, Value>, Fault> {
        match self {
            Self::Json(_) => json::read(allowed.request.body()),
            #[cfg(feature = "sns")]
            Self::Query(_) => query::read(&allowed.request),
            #[cfg(feature = "lambda")]
            Self::Rest(routes) => rest::read(routes, allowed),
        }
    }

    /// The answer with an operation's result.
    #[cfg_attr(
        not(any(feature = "lambda", feature = "sns")),
        expect(unused_variables, reason = "JSON's answers do not name it")
    )]
    pub(crate) fn answer(&self, operation: &str, result: &Value) -> Response<Bytes> {
        match self {
            Self::Json(json) => json.answer(result),
            #[cfg(feature = "sns")]
            Self::Query(query) => query.answer(operation, result),
            #[cfg(feature = "lambda")]
            Self::Rest(routes) => rest::answer(routes, operation, result),
        }
    }

    /// The answer with an error.
    pub(crate) fn error(&self, error: &Error) -> Response<Bytes> {
        match self {
            Self::Json(json) => json.error(error),
            #[cfg(feature = "sns")]
            Self::Query(query) => query.error(error),
            #[cfg(feature = "lambda")]
            Self::Rest(_) => rest::error(error),
        }
    }
}

fn response(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
