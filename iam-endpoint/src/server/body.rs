//! Request bodies: read to their end, within bounds of size, memory and time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout_at};

use crate::fault::Fault;

/// The longest body: all of it is kept in memory.
const LONGEST: u64 = 256 * 1024 * 1024;

/// What the bodies of all requests may take together while they are read and answered.
const MOST_MEMORY: u64 = 4 * LONGEST;

/// How long a body may take, however short it is.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many bytes more have to come for each second more.
const SLOWEST: u64 = 16 * 1024;

/// The memory that bodies hold.
#[derive(Debug, Default)]
pub(super) struct Memory {
    held: AtomicU64,
}

/// One body's part of the memory, until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    memory: Arc<Memory>,
    bytes: u64,
}

impl Held {
    /// Takes more, if there is more.
    fn grow(&mut self, bytes: u64) -> Result<(), Fault> {
        self.bytes += bytes;
        let held = self.memory.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.bytes > LONGEST {
            return Err(too_large());
        }
        if held > MOST_MEMORY {
            return Err(Fault::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "SlowDown",
                format!(
                    "the bodies of all requests together are larger than {MOST_MEMORY} bytes; reduce your request rate"
                ),
            ));
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Reads a body to its end. Nothing of it is read, or asked for by `100 Continue`, that is declared too long.
pub(super) async fn read(mut body: Incoming, memory: &Arc<Memory>) -> Result<(Bytes, Held), Fault> {
    let mut held = Held { memory: Arc::clone(memory), bytes: 0 };
    if body.size_hint().lower() > LONGEST {
        return Err(too_large());
    }
    let start = Instant::now();
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    while !body.is_end_stream() {
        let deadline = start + PATIENCE + Duration::from_secs(held.bytes / SLOWEST);
        let frame = match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(too_slow()),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(incomplete()),
            Ok(Some(Ok(frame))) => frame,
        };
        // HTTP's own trailers mean nothing to AWS.
        let Ok(data) = frame.into_data() else { continue };
        held.grow(data.len() as u64)?;
        if first.is_empty() {
            // Most bodies come in one piece, which need not be copied.
            first = data;
            continue;
        }
        if rest.is_empty() {
            rest.reserve(first.len() + data.len());
            rest.extend_from_slice(&first);
        }
        rest.extend_from_slice(&data);
    }
    Ok((if rest.is_empty() { first } else { rest.freeze() }, held))
}

fn too_large() -> Fault {
    Fault::new(
        StatusCode::BAD_REQUEST,
        "EntityTooLarge",
        format!("the request body is larger than {LONGEST} bytes"),
    )
}

fn too_slow() -> Fault {
    Fault::new(
        StatusCode::BAD_REQUEST,
        "RequestTimeout",
        "the request body did not come to its end within the timeout period",
    )
}

fn incomplete() -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "IncompleteBody", "the request body could not be read to its end")
}
