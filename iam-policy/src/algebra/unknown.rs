//! What keeps a question from being decided.

use std::fmt;

use super::budget::Spent;
use crate::evaluate::StatementRef;

/// Why a question has no certain answer: a statement, and what about it cannot be decided.
#[derive(Clone, Debug)]
pub struct Unknown(Doubt);

#[derive(Clone, Debug)]
pub(super) struct Doubt {
    statement: Option<StatementRef>,
    reason: String,
    is_limit: bool,
}

impl Unknown {
    /// The statement on which the answer depends; none where it is the question as a whole.
    #[must_use]
    pub fn statement(&self) -> Option<&StatementRef> {
        self.0.statement.as_ref()
    }

    /// What cannot be decided.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Whether the question could be decided, but with more work than a question may be.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.0.is_limit
    }
}

impl Doubt {
    pub(super) fn new(reason: impl Into<String>, statement: Option<StatementRef>) -> Doubt {
        Doubt { statement, reason: reason.into(), is_limit: false }
    }

    pub(super) fn is_limit(&self) -> bool {
        self.is_limit
    }

    pub(super) fn cases(statement: StatementRef) -> Doubt {
        Doubt::new("it compares letters beyond ASCII without their case", Some(statement))
    }

    pub(super) fn mixed(key: &str, statement: Option<StatementRef>) -> Doubt {
        Doubt::new(format!("conditions compare `{key}` as values of different types"), statement)
    }
}

impl From<Doubt> for Unknown {
    fn from(doubt: Doubt) -> Unknown {
        Unknown(doubt)
    }
}

impl From<Spent> for Doubt {
    fn from(_: Spent) -> Doubt {
        let reason = "the question takes more work than the limit allows";
        Doubt { statement: None, reason: reason.to_owned(), is_limit: true }
    }
}

/// The reason, with the statement's place.
impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.statement {
            Some(statement) => write!(f, "{} ({statement})", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}
