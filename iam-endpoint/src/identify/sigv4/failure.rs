//! What can be wrong with a signature.

/// Why a request is not authenticated. Each service has its own code for each kind: see `protocol`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// The body ends early, or its `aws-chunked` framing is broken.
    BrokenBody,
    /// The session has ended.
    ExpiredToken,
    /// The presigned URL's time is over.
    ExpiredUrl,
    /// The body is not the one that was signed.
    HashMismatch,
    /// The session token is not the one of this access key.
    InvalidToken,
    /// The signature's header cannot be read.
    Malformed,
    /// The query parameters of a presigned URL cannot be read.
    MalformedQuery,
    /// Nobody signed, and the service has no anonymous callers.
    Missing,
    /// The signature is another one.
    Mismatch,
    /// `x-amz-content-sha256` is missing or is no hash.
    PayloadHeader,
    /// The time of signing is too far from now.
    Skewed,
    /// Nobody has this access key.
    UnknownKey,
    /// A header that has to be signed was not.
    UnsignedHeaders,
    /// A way of signing that the endpoint does not check.
    Unsupported,
    /// The scope names another region, service or date.
    WrongScope,
}

/// A [`Kind`] and what to tell the caller.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
