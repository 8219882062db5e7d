//! Bodies: in memory, or as they come.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};

/// Why a body did not come to its end.
pub type BodyError = Box<dyn Error + Send + Sync>;

/// The body of an answer, or of an upload: in memory, or a stream of pieces.
///
/// # Examples
///
/// ```
/// use iam_endpoint::Body;
///
/// let body = Body::from("{}");
/// assert_eq!(body.bytes().unwrap(), "{}");
/// ```
pub struct Body(Kind);

enum Kind {
    Whole(Bytes),
    Stream(Pin<Box<dyn http_body::Body<Data = Bytes, Error = BodyError> + Send + Sync>>),
}

impl Body {
    /// A body that comes piece by piece. An error from it ends the answer without its end, so that no client takes it for
    /// whole.
    pub fn stream(
        stream: impl http_body::Body<Data = Bytes, Error = BodyError> + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::Stream(Box::pin(stream)))
    }

    /// The body where it is in memory.
    #[must_use]
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Kind::Whole(bytes) => Some(bytes),
            Kind::Stream(_) => None,
        }
    }

    /// The same, and calls `on_error` if it breaks off.
    pub(crate) fn on_error(self, on_error: impl FnOnce() + Send + Sync + Unpin + 'static) -> Self {
        Self::stream(Watched { body: self, on_error: Some(on_error) })
    }

    /// Reads the body to its end, all of it into memory.
    ///
    /// # Errors
    ///
    /// If it does not come to its end.
    pub async fn collect(mut self) -> Result<Bytes, BodyError> {
        if let Kind::Whole(bytes) = self.0 {
            return Ok(bytes);
        }
        let mut all = BytesMut::new();
        while let Some(frame) = frame(&mut self).await {
            all.extend_from_slice(frame?.data_ref().map_or(&[], |data| data));
        }
        Ok(all.freeze())
    }
}

/// A stream of which somebody wants to know when it breaks off.
struct Watched<F> {
    body: Body,
    on_error: Option<F>,
}

impl<F: FnOnce() + Unpin> http_body::Body for Watched<F> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Err(_))) = &frame
            && let Some(on_error) = self.on_error.take()
        {
            on_error();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The next piece of a body.
pub(crate) async fn frame<B: http_body::Body + Unpin>(
    body: &mut B,
) -> Option<Result<Frame<B::Data>, B::Error>> {
    poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await
}

impl<B: Into<Bytes>> From<B> for Body {
    fn from(bytes: B) -> Self {
        Self(Kind::Whole(bytes.into()))
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::from(Bytes::new())
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Kind::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Stream(stream) => stream.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Stream(stream) => stream.size_hint(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Whole(bytes) => f.debug_tuple("Body").field(bytes).finish(),
            Kind::Stream(_) => f.write_str("Body(…)"),
        }
    }
}

/// A body that another task fills: it waits while the reader does, so a few pieces are all that is in memory.
#[cfg(any(feature = "server", feature = "upstream"))]
pub(crate) mod pipe {
    use std::task::ready;

    use tokio::sync::mpsc::{self, Receiver};

    use super::{Body, BodyError, Bytes, Context, Frame, Pin, Poll, SizeHint};

    /// How many pieces may wait; hyper's are of at most some hundred kilobytes.
    const WAITING: usize = 4;

    enum Piece {
        Data(Bytes),
        End,
        #[cfg(feature = "upstream")]
        Error(BodyError),
    }

    /// Where the pieces go in. Dropped before [`end`](Sender::end), it breaks the body off.
    pub(crate) struct Sender(mpsc::Sender<Piece>);

    /// Whoever read the body has gone.
    #[derive(Debug)]
    pub(crate) struct Gone;

    impl Sender {
        pub(crate) async fn send(&self, data: Bytes) -> Result<(), Gone> {
            self.0.send(Piece::Data(data)).await.map_err(|_| Gone)
        }

        /// The body was all that.
        pub(crate) async fn end(self) {
            // Who knows the length may have gone.
            let _ = self.0.send(Piece::End).await;
        }

        /// The body breaks off, and the reader is told why.
        #[cfg(feature = "upstream")]
        pub(crate) async fn fail(self, why: impl Into<BodyError>) {
            let _ = self.0.send(Piece::Error(why.into())).await;
        }

        /// Waits until nobody reads any more.
        #[cfg(feature = "upstream")]
        pub(crate) async fn gone(&self) {
            self.0.closed().await;
        }
    }

    struct Pipe {
        pieces: Receiver<Piece>,
        /// How much is to come, where that is known.
        left: Option<u64>,
        is_over: bool,
    }

    /// A body and where it is filled.
    pub(crate) fn pipe(length: Option<u64>) -> (Sender, Body) {
        let (sender, pieces) = mpsc::channel(WAITING);
        (Sender(sender), Body::stream(Pipe { pieces, left: length, is_over: false }))
    }

    impl http_body::Body for Pipe {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            if self.is_over {
                return Poll::Ready(None);
            }
            let error = match ready!(self.pieces.poll_recv(context)) {
                Some(Piece::Data(data)) => {
                    self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Piece::End) => {
                    self.is_over = true;
                    return Poll::Ready(None);
                }
                #[cfg(feature = "upstream")]
                Some(Piece::Error(error)) => error,
                None => "the body broke off".into(),
            };
            self.is_over = true;
            Poll::Ready(Some(Err(error)))
        }

        fn is_end_stream(&self) -> bool {
            self.is_over
        }

        fn size_hint(&self) -> SizeHint {
            self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
        }
    }
}

#[cfg(all(test, feature = "upstream"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pipe_that_is_dropped_before_its_end_breaks_the_body_off() {
        for ends in [true, false] {
            let (sender, body) = pipe::pipe(None);
            sender.send("ab".into()).await.unwrap();
            sender.send("c".into()).await.unwrap();
            if ends {
                sender.end().await;
            } else {
                drop(sender);
            }
            let read = body.collect().await;
            assert_eq!(read.ok().as_deref(), ends.then_some(&b"abc"[..]));
        }
    }
}
