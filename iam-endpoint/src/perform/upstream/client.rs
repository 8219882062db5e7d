//! Sends a request, and knows what can go wrong between here and its answer.

use std::error::Error;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
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
pub(super) struct Client {
    http: legacy::Client<HttpConnector, Watched>,
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

    /// Gives the answer: a short one with its whole body, any other as it comes.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Unavailable> {
        let (http, patience) = (self.http.clone(), self.patience);
        let runtime = runtime().map_err(|error| Unavailable::broken(error.to_string()))?;
        let exchange = runtime.spawn(exchange(http, request, patience));
        exchange.await.map_err(|error| Unavailable::broken(error.to_string()))?
    }
}

async fn exchange(
    http: legacy::Client<HttpConnector, Watched>,
    request: Request<Body>,
    patience: Duration,
) -> Result<Response<Body>, Unavailable> {
    let taken = Arc::<AtomicU64>::default();
    let request = request.map(|body| Watched { body, taken: Arc::clone(&taken) });
    let mut answer = pin!(http.request(request));
    let response = loop {
        let before = taken.load(Ordering::Relaxed);
        match timeout(patience, answer.as_mut()).await {
            Ok(response) => break response,
            // It takes the body of an upload.
            Err(_) if taken.load(Ordering::Relaxed) > before => {}
            Err(_) => return Err(Unavailable::silent(patience)),
        }
    };
    let response = response.map_err(|error| {
        let what = if error.is_connect() { "nothing answers there" } else { "it broke off" };
        Unavailable::broken(format!("{what}: {}", root(&error)))
    })?;
    let (mut parts, mut body) = response.into_parts();
    without_hop_by_hop(&mut parts.headers);
    parts.version = Version::HTTP_11;
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
async fn pass_on(mut body: Incoming, to: Sender, patience: Duration) {
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

async fn next(body: &mut Incoming, patience: Duration) -> Option<Result<Bytes, Unavailable>> {
    let piece = match timeout(patience, frame(body)).await {
        Err(_) => return Some(Err(Unavailable::silent(patience))),
        Ok(piece) => piece?,
    };
    let broke_off = |error| Unavailable::broken(format!("its answer broke off: {}", root(&error)));
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
