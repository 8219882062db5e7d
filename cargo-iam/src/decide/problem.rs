//! What is wrong with a question.

use iam_policy::Diagnostic;
use serde::Serialize;

/// One thing that is wrong, and where.
#[derive(Serialize)]
pub(super) struct Problem {
    code: &'static str,
    message: String,
    /// The policy in whose text the place is; without one it is in the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    line: usize,
    column: usize,
}

impl Problem {
    /// A problem of the line itself, at a byte of it.
    pub(super) fn at(
        (number, line): (usize, &[u8]),
        offset: usize,
        code: &'static str,
        message: impl Into<String>,
    ) -> Problem {
        let before = line.get(..offset).unwrap_or(line);
        let column = String::from_utf8_lossy(before).chars().count() + 1;
        Problem { code, message: message.into(), policy: None, line: number, column }
    }

    /// A problem of a policy.
    pub(super) fn of(policy: &str, diagnostic: &Diagnostic) -> Problem {
        let location = diagnostic.location();
        let help = diagnostic.help.as_deref().map_or(String::new(), |help| format!("; {help}"));
        Problem {
            code: diagnostic.code,
            message: format!("{}{help}", diagnostic.message),
            policy: Some(policy.to_owned()),
            line: location.line,
            column: location.column,
        }
    }
}
