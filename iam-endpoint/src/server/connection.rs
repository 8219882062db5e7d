//! Connections: taken, served, and ended when the server stops.

use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::body::{self, Coming, Memory};
use crate::endpoint::Shared;
use crate::server::upload;
use crate::service;
use crate::weather::is_lost;
use crate::wire::body::Body;

/// The longest request line and headers together; AWS's own limits are well below.
const LONGEST_HEAD: usize = 64 * 1024;

/// How long a client may take to send its headers, and how long a connection may idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long what has begun may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// The most connections at once; others wait to be accepted.
const MOST_CONNECTIONS: usize = 4096;

/// Takes connections until the sender of `stopped` is gone, and waits for their end.
pub(super) async fn accept(endpoint: Arc<Shared>, listener: TcpListener, mut stopped: watch::Receiver<()>) {
    let (all_ended, open) = watch::channel(());
    let memory = Arc::new(Memory::default());
    let free = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let accepted = async {
            let place = Arc::clone(&free).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (stream, peer, place) = tokio::select! {
            _ = stopped.changed() => break,
            (accepted, place) = accepted => {
                let Ok((stream, peer)) = accepted else {
                    // Out of file descriptors, or the client is gone already: neither ends the server.
                    sleep(Duration::from_millis(10)).await;
                    continue;
                };
                (stream, peer, place)
            }
        };
        let connection = Connection { endpoint: Arc::clone(&endpoint), memory: Arc::clone(&memory), peer };
        let (stopped, open) = (stopped.clone(), open.clone());
        tokio::spawn(async move {
            connection.serve(stream, stopped).await;
            drop((open, place));
        });
    }
    drop((listener, open));
    // A client that neither sends nor reads is not waited for any longer.
    let _ = timeout(GRACE, all_ended.closed()).await;
}

/// The weather took the answer.
#[derive(Debug)]
struct ConnectionReset;

impl fmt::Display for ConnectionReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection reset")
    }
}

impl std::error::Error for ConnectionReset {}

struct Connection {
    endpoint: Arc<Shared>,
    memory: Arc<Memory>,
    peer: SocketAddr,
}

impl Connection {
    async fn serve(&self, stream: TcpStream, mut stopped: watch::Receiver<()>) {
        // An answer goes out when it is there; where the option cannot be had, it is only later.
        let _ = stream.set_nodelay(true);
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_buf_size(LONGEST_HEAD)
                // A client that has said all still waits for the answer.
                .half_close(true)
                .serve_connection(TokioIo::new(stream), service_fn(|request| self.answer(request)))
        );
        // What a connection fails with is its client's to see.
        tokio::select! {
            _ = connection.as_mut() => {}
            _ = stopped.changed() => {
                connection.as_mut().graceful_shutdown();
                let _ = timeout(GRACE, connection).await;
            }
        }
    }

    /// An error drops the connection.
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, ConnectionReset> {
        let (parts, body) = request.into_parts();
        if upload::is_upload(&self.endpoint, &parts) {
            let response = service::upload(&self.endpoint, parts, Coming::new(body), self.peer.ip()).await;
            return if is_lost(&response) { Err(ConnectionReset) } else { Ok(response) };
        }
        let response = match body::read(body, &self.memory).await {
            Ok((body, _held)) => {
                service::call(&self.endpoint, Request::from_parts(parts, body), self.peer.ip()).await
            }
            Err(fault) => service::refuse(&parts, &fault),
        };
        if is_lost(&response) { Err(ConnectionReset) } else { Ok(response) }
    }
}
