//! Sends a request, and knows what can go wrong between here and its answer.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use super::request::without_hop_by_hop;
use super::url::Url;
use crate::fault::Fault;
use crate::journal::Outcome;
use crate::runtime::runtime;

/// How long a connection may take to open: an emulator is near.
const CONNECT: Duration = Duration::from_secs(5);

/// Keeps connections open between requests, on a runtime that outlives those of tests.
pub(super) struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    patience: Duration,
}

/// There is no answer.
#[derive(Debug)]
pub(super) struct Unavailable {
    status: StatusCode,
    why: String,
}

impl Client {
    pub(super) fn new(patience: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        Self { http: legacy::Client::builder(TokioExecutor::new()).build(connector), patience }
    }

    /// Gives the answer with its whole body.
    pub(super) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unavailable> {
        let (http, patience) = (self.http.clone(), self.patience);
        let runtime = runtime().map_err(|error| Unavailable::broken(error.to_string()))?;
        let exchange = runtime.spawn(exchange(http, request, patience));
        exchange.await.map_err(|error| Unavailable::broken(error.to_string()))?
    }
}

async fn exchange(
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    request: Request<Bytes>,
    patience: Duration,
) -> Result<Response<Bytes>, Unavailable> {
    let is_head = *request.method() == Method::HEAD;
    let silent = |_| Unavailable {
        status: StatusCode::GATEWAY_TIMEOUT,
        why: format!("it was silent for {} s", patience.as_secs()),
    };
    let response = timeout(patience, http.request(request.map(Full::new))).await.map_err(silent)?;
    let response = response.map_err(|error| {
        let what = if error.is_connect() { "nothing answers there" } else { "it broke off" };
        Unavailable::broken(format!("{what}: {}", root(&error)))
    })?;
    let (mut parts, mut body) = response.into_parts();
    let mut whole = Vec::new();
    while let Some(frame) = timeout(patience, body.frame()).await.map_err(silent)? {
        let frame =
            frame.map_err(|error| Unavailable::broken(format!("its answer broke off: {}", root(&error))))?;
        whole.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
    }
    without_hop_by_hop(&mut parts.headers);
    // What it says of a body that is not sent, as to a HEAD request, is part of the answer.
    if !is_head {
        parts.headers.remove(CONTENT_LENGTH);
    }
    parts.version = Version::HTTP_11;
    Ok(Response::from_parts(parts, whole.into()))
}

/// What was wrong in the end: `connection refused`.
fn root(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

impl Unavailable {
    pub(super) fn broken(why: String) -> Self {
        Self { status: StatusCode::BAD_GATEWAY, why }
    }

    /// An answer that the service words in its protocol.
    pub(super) fn answer(self, url: &Url) -> Response<Bytes> {
        let Self { status, why } = self;
        Fault {
            status,
            code: "UpstreamUnavailable".into(),
            message: format!(
                "the caller is allowed to do this, but the upstream `{url}` did not perform it: {why}"
            ),
            outcome: Outcome::Unavailable,
        }
        .unworded()
    }
}
