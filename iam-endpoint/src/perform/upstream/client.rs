//! Sends a request, and knows what can go wrong between here and its answer.

use std::error::Error;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::timeout;

use super::request::without_hop_by_hop;
use super::url::Url;
use crate::fault::Fault;
use crate::runtime::runtime;
use crate::wire::body::pipe::{Sender, pipe};
use crate::wire::body::{Body, BodyError, frame};

/// How long a connection may take to open: an emulator is near.
const CONNECT: Duration = Duration::from_secs(5);

/// Answers that are no longer come whole, so that one that breaks off can be told as an error.
const SHORT: u64 = 1024 * 1024;

/// Keeps connections open between requests, on a runtime that outlives those of tests.
///
/// They are the SDK's, whose HTTP client a test's build has anyhow.
pub(super) struct Client {
    http: SharedHttpConnector,
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
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .sleep_impl(TokioSleep::new())
            .enable_tcp_nodelay(true)
            // It is near, so no proxy of the environment's leads there.
            .proxy_config(ProxyConfig::disabled())
            .build_http();
        Self { http: SharedHttpConnector::new(connector), patience }
    }

    /// Gives the answer: a short one with its whole body, any other as it comes.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Unavailable> {
        let (http, patience) = (self.http.clone(), self.patience);
        let runtime = runtime().map_err(|error| Unavailable::broken(error.to_string()))?;
        let exchange = runtime.spawn(exchange(http, request, patience));
        exchange.await.map_err(|error| Unavailable::broken(error.to_string()))?
    }
}

async fn exchange(
    http: SharedHttpConnector,
    request: Request<Body>,
    patience: Duration,
) -> Result<Response<Body>, Unavailable> {
    let taken = Arc::<AtomicU64>::default();
    let request = request.map(|body| SdkBody::from_body_1_x(Watched { body, taken: Arc::clone(&taken) }));
    let mut request = HttpRequest::try_from(request)
        .map_err(|error| Unavailable::broken(format!("the request cannot be sent on: {error}")))?;
    let connection = CaptureSmithyConnection::new();
    request.add_extension(connection.clone());
    let mut answer = pin!(http.call(request));
    let response = loop {
        let before = taken.load(Ordering::Relaxed);
        match timeout(patience, answer.as_mut()).await {
            Ok(response) => break response,
            // It takes the body of an upload.
            Err(_) if taken.load(Ordering::Relaxed) > before => {}
            Err(_) => return Err(Unavailable::silent(patience)),
        }
    };
    let response = response.map_err(|error| Unavailable::unanswered(&error, &connection))?;
    let response = response
        .try_into_http1x()
        .map_err(|error| Unavailable::broken(format!("its answer cannot be passed on: {error}")))?;
    let (mut parts, mut body) = response.into_parts();
    without_hop_by_hop(&mut parts.headers);
    let length = body.size_hint().exact();
    if length.is_some_and(|length| length <= SHORT) {
        let mut whole = Vec::new();
        while let Some(piece) = next(&mut body, patience).await {
            whole.extend_from_slice(&piece?);
        }
        return Ok(Response::from_parts(parts, whole.into()));
    }
    let (to, stream) = pipe(length);
    tokio::spawn(pass_on(body, to, patience));
    Ok(Response::from_parts(parts, stream))
}

/// Passes an answer on as it comes, as long as somebody reads it.
async fn pass_on(mut body: SdkBody, to: Sender, patience: Duration) {
    loop {
        let piece = tokio::select! {
            () = to.gone() => return,
            piece = next(&mut body, patience) => piece,
        };
        match piece {
            None => return to.end().await,
            Some(Err(unavailable)) => return to.fail(unavailable.why).await,
            Some(Ok(piece)) if piece.is_empty() => {}
            Some(Ok(piece)) => {
                if to.send(piece).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn next(body: &mut SdkBody, patience: Duration) -> Option<Result<Bytes, Unavailable>> {
    let piece = match timeout(patience, frame(body)).await {
        Err(_) => return Some(Err(Unavailable::silent(patience))),
        Ok(piece) => piece?,
    };
    let broke_off =
        |error: BodyError| Unavailable::broken(format!("its answer broke off: {}", root(&*error)));
    Some(piece.map(|frame| frame.into_data().unwrap_or_default()).map_err(broke_off))
}

/// A body of which it is known how much was taken.
struct Watched {
    body: Body,
    taken: Arc<AtomicU64>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.taken.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What was wrong in the end: `connection refused`.
fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root
}

impl Unavailable {
    pub(super) fn broken(why: String) -> Self {
        Self { status: StatusCode::BAD_GATEWAY, why }
    }

    fn unanswered(error: &ConnectorError, connection: &CaptureSmithyConnection) -> Self {
        let root = root(error);
        // One that was kept open may have been found closed, and another tried.
        let is_refused = root
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        let is_reached = connection.get().is_some() && !is_refused;
        let what = if is_reached { "it broke off" } else { "nothing answers there" };
        Self::broken(format!("{what}: {root}"))
    }

    fn silent(patience: Duration) -> Self {
        Self {
            status: StatusCode::GATEWAY_TIMEOUT,
            why: format!("it was silent for {} s", patience.as_secs()),
        }
    }

    /// An answer that the service words in its protocol.
    pub(super) fn answer(self, url: &Url) -> Response<Body> {
        let Self { status, why } = self;
        let what = "the caller is allowed to do this, but the upstream";
        Fault::unavailable(status, format!("{what} `{url}` did not perform it: {why}")).unworded()
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::connection::ConnectionMetadata;

    use super::*;

    #[test]
    fn nothing_answers_where_a_connection_that_was_kept_open_is_closed_and_a_new_one_refused() {
        let connection = CaptureSmithyConnection::new();
        connection.set_connection_retriever(|| {
            Some(ConnectionMetadata::builder().proxied(false).poison_fn(|| ()).build())
        });
        for (kind, what) in [
            (io::ErrorKind::ConnectionRefused, "nothing answers there"),
            (io::ErrorKind::ConnectionReset, "it broke off"),
        ] {
            let error = ConnectorError::io(io::Error::from(kind).into());
            let unavailable = Unavailable::unanswered(&error, &connection);
            assert_eq!(unavailable.why, format!("{what}: {kind}"));
        }
    }
}
