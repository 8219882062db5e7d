//! Findings as annotations of a GitHub workflow run.
//!
//! See [Workflow commands](https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions).

use std::fmt::Write as _;

use iam_policy::{Diagnostic, Severity};

use super::findings::Findings;
use super::place::Place;

pub(super) fn report(findings: &Findings) -> String {
    findings.list.iter().map(annotation).collect()
}

fn annotation(found: &Diagnostic) -> String {
    let mut line = String::from(match found.severity {
        Severity::Error => "::error ",
        Severity::Warning => "::warning ",
        Severity::Note => "::notice ",
    });
    // Writing to a string cannot fail.
    if let Some(Place { file, start, end }) = found.labels.first().map(Place::of) {
        let _ = write!(line, "file={},line={},endLine={},", property(file), start.line, end.line);
        // GitHub takes columns only within one line, and counts the last one in.
        if start.line == end.line {
            let last = end.column.saturating_sub(1).max(start.column);
            let _ = write!(line, "col={},endColumn={last},", start.column);
        }
    }
    let help = found.help.as_deref().map_or(String::new(), |help| format!("\nhelp: {help}"));
    let message = format!("{}{help}", found.message);
    let _ = writeln!(line, "title={}::{}", property(found.code), data(&message));
    line
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_property_or_a_message_is_escaped() {
        assert_eq!(property("a,b:c%d\n"), "a%2Cb%3Ac%25d%0A");
        assert_eq!(data("a,b: 100%\nhelp"), "a,b: 100%25%0Ahelp");
    }
}
