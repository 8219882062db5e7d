//! Decisions, comparable.

use iam_policy::{Decision, Reason, Verdict};

/// What a decision says. Two that are made from the same statements are equal, however these are put into policies.
#[derive(Debug, PartialEq)]
pub struct Facts {
    verdict: Verdict,
    reason: Reason,
    /// By their `Sid`.
    by: Vec<Option<String>>,
    missing_context: Vec<String>,
    certain: bool,
}

impl From<&Decision> for Facts {
    fn from(decision: &Decision) -> Facts {
        Facts {
            verdict: decision.verdict,
            reason: decision.reason,
            by: decision.by.iter().map(|statement| statement.sid().map(str::to_owned)).collect(),
            missing_context: decision.missing_context.clone(),
            certain: decision.is_certain(),
        }
    }
}
