//! The endpoint on a port, for other processes and other languages.
//!
//! ```text
//!  Endpoint::serve      accept              connection            body
//!  ───────────────      ──────              ──────────            ────
//!  one runtime for ──►  a task for each ──► HTTP/1, keep-alive ─► read within bounds of ──► service::call
//!  all servers          server, then for    until it idles or     size, memory and time
//!                       each connection     the server stops
//! ```

mod body;
mod connection;
pub(crate) mod upload;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

pub(crate) use self::body::Coming;
use tokio::net::TcpSocket;
use tokio::sync::watch;

use crate::endpoint::Endpoint;
use crate::runtime::runtime;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

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
        let runtime = runtime()?;
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // So that a port can be had again at once; on Windows it would let another program take it meanwhile.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = {
            let _within = runtime.enter();
            socket.listen(BACKLOG)?
        };
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(());
        let (ending, ended) = mpsc::channel();
        let shared = Arc::new(self.shared.clone());
        runtime.spawn(async move {
            connection::accept(shared, listener, stopped).await;
            drop(ending);
        });
        Ok(Server { address, stop: Some(stop), ended: Mutex::new(ended) })
    }
}

/// An endpoint that is served; dropping it ends that.
///
/// No new connection is accepted then, and what has begun has five seconds to end.
#[must_use = "the endpoint is served only as long as this lives"]
pub struct Server {
    address: SocketAddr,
    stop: Option<watch::Sender<()>>,
    /// Nothing comes from it but its end.
    ended: Mutex<mpsc::Receiver<()>>,
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
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        // An error is how the end is told.
        let _ = ended.recv();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}
