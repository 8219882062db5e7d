use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_types::request_id::RequestId;

/// Why a role could not be provided, or a backend not be used.
///
/// Its `Display` says what was tried and on what, AWS's own code, message and request id where AWS answered, what was
/// cleaned up, and what to do about it. [`kind`](Error::kind) tells the cases apart for programs.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A call to IAM or STS failed.
    Call,
    /// The backend's settings contradict each other or are not known.
    Configuration,
    /// The endpoint does not enforce policies, so that a test's outcome would mean nothing.
    NotEnforced,
    /// The role was created but did not become usable in time.
    NotReady,
    /// A policy document cannot be read, or IAM would reject it.
    Policy,
    /// The policy under test cannot be tested in a session.
    SessionPolicy,
    /// Nothing answers at the endpoint.
    Unreachable,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    notes: Vec<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Arc::new(Inner { kind, message: message.into(), notes: Vec::new(), source: None }))
    }

    /// A failed SDK call, in words: `SdkError`'s own `Display` says only "service error".
    pub(crate) fn call<E>(what: impl fmt::Display, error: SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let message = match (error.code(), error.raw_response()) {
            (Some(code), _) => format!(
                "{what} failed: {code}: {} (request id {})",
                error.message().unwrap_or("no message"),
                error.request_id().unwrap_or("unknown"),
            ),
            // What the SDK cannot read, such as an emulator's error in another protocol.
            (None, Some(response)) => {
                let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
                let body = body.chars().take(300).collect::<String>();
                format!("{what} failed: HTTP {}: {body}", response.status().as_u16())
            }
            (None, None) => format!("{what} failed: {}", chain(&error)),
        };
        Error::new(ErrorKind::Call, message).caused_by(error)
    }

    /// What is asked for is not in this build.
    #[cfg(not(feature = "network"))]
    pub(crate) fn left_out(what: impl fmt::Display) -> Error {
        let message =
            format!("{what} needs the feature `network` of `iam-fixture`, which this build leaves out");
        Error::new(ErrorKind::Configuration, message)
    }

    /// Adds a line below the message; what to do, `help: …`, comes last.
    pub(crate) fn note(self, note: impl Into<String>) -> Error {
        let note = note.into();
        let is_help = |note: &String| note.starts_with("help: ");
        let mut inner = Arc::unwrap_or_clone(self.0);
        let notes = &mut inner.notes;
        let first_help = notes.iter().position(|other| is_help(other) && !is_help(&note));
        notes.insert(first_help.unwrap_or(notes.len()), note);
        Error(Arc::new(inner))
    }

    pub(crate) fn of_kind(self, kind: ErrorKind) -> Error {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.kind = kind;
        Error(Arc::new(inner))
    }

    pub(crate) fn caused_by(self, source: impl StdError + Send + Sync + 'static) -> Error {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.source = Some(Arc::new(source));
        Error(Arc::new(inner))
    }
}

/// An error and what caused it, on one line.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Wrappers that repeat their cause add nothing.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        self.0.notes.iter().try_for_each(|note| write!(f, "\n  {note}"))
    }
}

// As `Display`: `unwrap` and a test's `Result` print `Debug`, and the message is written for people.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_follow_the_message_on_lines_of_their_own() {
        let error = Error::new(ErrorKind::Call, "`CreateRole` failed").note("nothing was created");
        assert_eq!(error.to_string(), "`CreateRole` failed\n  nothing was created");
        assert_eq!(error.to_string(), format!("{error:?}"));
    }

    #[test]
    fn what_to_do_comes_last() {
        let error = Error::new(ErrorKind::Call, "it failed").note("help: a").note("left:").note("help: b");
        assert_eq!(error.note("  it").to_string(), "it failed\n  left:\n    it\n  help: a\n  help: b");
    }

    #[test]
    fn a_chain_names_each_cause_once() {
        let inner = std::io::Error::other("connection refused");
        let outer = Error::new(ErrorKind::Call, "dispatch failed").caused_by(inner);
        assert_eq!(chain(&outer), "dispatch failed: connection refused");
    }
}
