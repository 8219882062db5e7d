//! Findings for programs.

use iam_policy::{Diagnostic, Label, Severity};
use serde::Serialize;

use super::findings::Findings;
use super::place::Place;

#[derive(Serialize)]
struct Report<'f> {
    files: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<Finding<'f>>,
}

#[derive(Serialize)]
struct Finding<'f> {
    severity: String,
    code: &'static str,
    message: &'f str,
    /// The first of the labels.
    #[serde(flatten)]
    place: Option<Region<'f>>,
    labels: Vec<LabelReport<'f>>,
    help: Option<&'f str>,
    docs: Option<&'static str>,
}

#[derive(Serialize)]
struct LabelReport<'f> {
    text: &'f str,
    #[serde(flatten)]
    place: Region<'f>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region<'f> {
    file: &'f str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    span: Bytes,
}

/// Bytes of the file.
#[derive(Serialize)]
struct Bytes {
    start: usize,
    end: usize,
}

pub(super) fn report(findings: &Findings) -> String {
    let report = Report {
        files: findings.files,
        errors: findings.count(Severity::Error),
        warnings: findings.count(Severity::Warning),
        notes: findings.count(Severity::Note),
        findings: findings.list.iter().map(Finding::new).collect(),
    };
    // Strings and numbers are always JSON.
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

impl<'f> Finding<'f> {
    fn new(found: &'f Diagnostic) -> Finding<'f> {
        Finding {
            severity: found.severity.to_string(),
            code: found.code,
            message: &found.message,
            place: found.labels.first().map(Region::new),
            labels: found
                .labels
                .iter()
                .map(|label| LabelReport { text: &label.text, place: Region::new(label) })
                .collect(),
            help: found.help.as_deref(),
            docs: found.docs,
        }
    }
}

impl<'f> Region<'f> {
    fn new(label: &'f Label) -> Region<'f> {
        let Place { file, start, end } = Place::of(label);
        Region {
            file,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            span: Bytes { start: label.span.start, end: label.span.end },
        }
    }
}
