//! Request bodies: read to their end, within bounds of size, memory and time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use hyper::body::Body;
use tokio::time::{Instant, timeout};

use crate::fault::Fault;
use crate::wire::body::frame;

/// The longest body: all of it is kept in memory.
const LONGEST: u64 = 256 * 1024 * 1024;

/// What the bodies of all requests may take together while they are read and answered.
const MOST_MEMORY: u64 = 4 * LONGEST;

/// How long a body may take, however short it is, and how long it may pause.
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

/// A body that comes.
pub(crate) struct Coming<B> {
    body: B,
    received: u64,
    /// How long it was waited for.
    waited: Duration,
    is_over: bool,
}

impl<B: Body<Data = Bytes> + Unpin> Coming<B> {
    pub(super) fn new(body: B) -> Self {
        Self { body, received: 0, waited: Duration::ZERO, is_over: false }
    }

    /// The next piece; after an error there is none.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, Fault>> {
        while !self.is_over && !self.body.is_end_stream() {
            let least = Duration::from_secs(self.received / SLOWEST);
            let left = (PATIENCE + least).saturating_sub(self.waited).min(PATIENCE);
            let start = Instant::now();
            let next = timeout(left, frame(&mut self.body)).await;
            self.waited += start.elapsed();
            let fault = match next {
                Err(_) => too_slow(),
                Ok(None) => break,
                Ok(Some(Err(_))) => incomplete(),
                Ok(Some(Ok(frame))) => {
                    // HTTP's own trailers mean nothing to AWS.
                    let Ok(data) = frame.into_data() else { continue };
                    self.received += data.len() as u64;
                    return Some(Ok(data));
                }
            };
            self.is_over = true;
            return Some(Err(fault));
        }
        self.is_over = true;
        None
    }

    /// Reads what is left, and forgets it.
    pub(crate) async fn drain(&mut self) {
        while let Some(Ok(_)) = self.next().await {}
    }
}

/// Reads a body to its end. Nothing of it is read, or asked for by `100 Continue`, that is declared too long.
pub(super) async fn read(
    body: impl Body<Data = Bytes> + Unpin,
    memory: &Arc<Memory>,
) -> Result<(Bytes, Held), Fault> {
    let mut held = Held { memory: Arc::clone(memory), bytes: 0 };
    if body.size_hint().lower() > LONGEST {
        return Err(too_large());
    }
    let mut coming = Coming::new(body);
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    while let Some(data) = coming.next().await {
        let data = data?;
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::Frame;
    use tokio::time::{Interval, interval};

    use super::*;

    /// Sends the same piece each second, for ever or a number of times.
    struct Dripping {
        clock: Interval,
        piece: Bytes,
        left: usize,
    }

    impl Body for Dripping {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            std::task::ready!(self.clock.poll_tick(context));
            self.left -= 1;
            Poll::Ready(Some(Ok(Frame::data(self.piece.clone()))))
        }
    }

    fn dripping(piece: usize, left: usize) -> Dripping {
        Dripping { clock: interval(Duration::from_secs(1)), piece: vec![b'x'; piece].into(), left }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_given_up_and_one_that_flows_is_read() {
        let memory = Arc::new(Memory::default());
        let fault = read(dripping(1, usize::MAX), &memory).await.unwrap_err();
        assert_eq!(fault.code, "RequestTimeout");
        let (body, held) = read(dripping(32 * 1024, 100), &memory).await.unwrap();
        assert_eq!((body.len(), held.bytes), (100 * 32 * 1024, 100 * 32 * 1024));
        drop(held);
        assert_eq!(memory.held.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_hold_no_more_memory_than_there_is() {
        let memory = Arc::new(Memory::default());
        let mut others = Held { memory: Arc::clone(&memory), bytes: 0 };
        others.grow(LONGEST).unwrap();
        memory.held.fetch_add(MOST_MEMORY - LONGEST - 3, Ordering::Relaxed);
        assert_eq!(read(dripping(2, 2), &memory).await.unwrap_err().code, "SlowDown");
        assert_eq!(read(dripping(2, 1), &memory).await.unwrap().0, "xx");
        assert_eq!(others.grow(1).unwrap_err().code, "EntityTooLarge");
    }
}
