//! Findings for people.

use iam_policy::Severity;

use super::findings::Findings;
use crate::paint;

pub(super) fn report(findings: &Findings) -> String {
    let mut report = String::new();
    for found in &findings.list {
        report.push_str(&paint::report(&found.to_string()));
        report.push_str("\n\n");
    }
    let counts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let counts = counts.map(|(severity, word)| (findings.count(severity), word));
    let found: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| plural(count, word)).collect();
    let found = if found.is_empty() { "nothing found".to_owned() } else { found.join(", ") };
    report.push_str(&paint::heading(&format!("{}: {found}", plural(findings.files, "policy"))));
    report.push('\n');
    report
}

fn plural(count: usize, word: &str) -> String {
    match (count, word) {
        (1, word) => format!("1 {word}"),
        (count, "policy") => format!("{count} policies"),
        (count, word) => format!("{count} {word}s"),
    }
}
