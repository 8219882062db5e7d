//! The endpoint on a port, for other processes and other languages.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;

use crate::endpoint::{Endpoint, Shared};
use crate::fault::Fault;
use crate::service;

/// The longest request line and headers together.
const LONGEST_HEAD: usize = 64 * 1024;

/// The longest body: all of it is kept in memory.
const LONGEST_BODY: usize = 256 * 1024 * 1024;

/// How long a client may take to send its headers.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

impl Endpoint {
    /// Serves the endpoint over HTTP at a loopback address, until the [`Server`] is dropped. Port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the address is not a loopback address, for the endpoint answers whoever reaches it, or cannot be had.
    ///
    /// # Examples
    ///
    /// ```
    /// let endpoint = iam_endpoint::Endpoint::new();
    /// let server = endpoint.serve(([127, 0, 0, 1], 0).into())?;
    /// assert!(server.url().starts_with("http://127.0.0.1:"));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn serve(&self, address: SocketAddr) -> io::Result<Server> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "`{address}` can be reached from other machines; `serve_beyond_loopback` serves there too"
                ),
            ));
        }
        self.serve_beyond_loopback(address)
    }

    /// Serves as [`Endpoint::serve`] does, at any address.
    ///
    /// # Errors
    ///
    /// If the address cannot be had.
    pub fn serve_beyond_loopback(&self, address: SocketAddr) -> io::Result<Server> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let shared = self.shared.clone();
        let thread = thread::Builder::new()
            .name("iam-endpoint".to_owned())
            .spawn(move || runtime.block_on(accept(shared, listener, stopped)))?;
        Ok(Server { address, stop: Some(stop), thread: Some(thread) })
    }
}

/// An endpoint that is served; dropping it ends that.
#[must_use = "the endpoint is served only as long as this lives"]
pub struct Server {
    address: SocketAddr,
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// The address that is listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client takes for its endpoint URL, as in `http://127.0.0.1:4566`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Its end is what was asked for, however it ended.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Takes connections until the sender of `stopped` is gone; its tasks end with the runtime.
async fn accept(endpoint: Shared, listener: TcpListener, mut stopped: watch::Receiver<()>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, peer) = tokio::select! {
            _ = stopped.changed() => return Ok(()),
            accepted = listener.accept() => {
                let Ok(connection) = accepted else {
                    // Out of file descriptors, or the client is gone already: neither ends the server.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                connection
            }
        };
        let endpoint = endpoint.clone();
        tokio::spawn(async move {
            let answer = service_fn(|request| answer(&endpoint, request, peer));
            // What a connection fails with is its client's to see.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_buf_size(LONGEST_HEAD)
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

async fn answer(
    endpoint: &Shared,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let response = match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(body) => {
            service::call(endpoint, Request::from_parts(parts, body.to_bytes()), Some(peer.ip())).await
        }
        Err(error) => service::refuse(&parts, &unreadable(&*error)),
    };
    Ok(response.map(Full::new))
}

fn unreadable(error: &(dyn std::error::Error + 'static)) -> Fault {
    if error.is::<LengthLimitError>() {
        return Fault::new(
            StatusCode::BAD_REQUEST,
            "EntityTooLarge",
            format!("the request body is larger than {LONGEST_BODY} bytes"),
        );
    }
    Fault::new(StatusCode::BAD_REQUEST, "IncompleteBody", "the request body could not be read to its end")
}
