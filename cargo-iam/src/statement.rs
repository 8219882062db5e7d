//! How the JSON of all commands names a statement.

use iam_policy::StatementRef;
use serde::Serialize;

/// A statement: its policy's place in the policy set, its index in the policy, its `Sid`.
#[derive(Serialize)]
pub(crate) struct StatementName<'s> {
    policy: String,
    statement: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'s str>,
}

impl<'s> From<&'s StatementRef> for StatementName<'s> {
    fn from(statement: &'s StatementRef) -> StatementName<'s> {
        StatementName { policy: statement.policy_name(), statement: statement.index(), sid: statement.sid() }
    }
}
