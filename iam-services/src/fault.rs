//! How a call ends when it is not answered with a result.

use serde_json::{Map, Value};

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The service's own error.
    Error(Box<Error>),
    /// The service in memory does not do this: not an answer of the service.
    NotPerformed,
    /// The caller may not have a key used. The endpoint answers that itself.
    Refused,
    /// Nothing to answer yet; ask again when the state has changed, or after these milliseconds.
    Wait(u64),
}

/// An error in the service's terms.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// What the error's shape has beside the message.
    pub(crate) members: Map<String, Value>,
}

impl Fault {
    /// The commonest: status 400.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self::with_status(400, code, message)
    }

    pub(crate) fn with_status(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self::Error(Box::new(Error { status, code, message: message.into(), members: Map::new() }))
    }

    /// The same with one more member of the error's shape.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        if let Self::Error(error) = &mut self {
            error.members.insert(name.to_owned(), value);
        }
        self
    }
}

/// What an operation answers.
pub(crate) type Answer = Result<Value, Fault>;
