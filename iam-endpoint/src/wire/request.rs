//! A request's first line.

use http::{Method, Uri};

/// What a request's first line says. Its headers are [`Headers`](crate::wire::headers::Headers).
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
}

impl Parts {
    pub(crate) fn of(parts: &http::request::Parts) -> Self {
        Self { method: parts.method.clone(), uri: parts.uri.clone() }
    }
}
