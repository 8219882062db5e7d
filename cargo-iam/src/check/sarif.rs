//! Findings for code scanning: SARIF 2.1.0.
//!
//! See [the standard](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).

use iam_policy::{Diagnostic, Label, Lint, Severity};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::json;

use super::findings::Findings;
use super::place::Place;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_description: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: Option<usize>,
    level: &'static str,
    message: Text,
    locations: Vec<SarifLocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<SarifLocation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifLocation {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

pub(super) fn report(findings: &Findings) -> String {
    let mut rules: Vec<Rule> = findings.list.iter().map(Rule::of).collect();
    rules.sort_by_key(|rule| rule.id);
    rules.dedup_by_key(|rule| rule.id);
    let results: Vec<Finding> = findings.list.iter().map(|found| Finding::new(found, &rules)).collect();
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{report:#}\n")
}

impl Rule {
    fn of(found: &Diagnostic) -> Rule {
        let summary = Lint::find(found.code).map(|lint| Text { text: lint.summary().to_owned() });
        Rule { id: found.code, short_description: summary, help_uri: found.docs }
    }
}

impl Finding {
    fn new(found: &Diagnostic, rules: &[Rule]) -> Finding {
        let help = found.help.as_deref().map_or(String::new(), |help| format!("\nhelp: {help}"));
        let mut labels = found.labels.iter().map(SarifLocation::of);
        Finding {
            rule_id: found.code,
            rule_index: rules.iter().position(|rule| rule.id == found.code),
            level: level(found.severity),
            message: Text { text: format!("{}{help}", found.message) },
            locations: labels.by_ref().take(1).collect(),
            related_locations: labels.collect(),
        }
    }
}

impl SarifLocation {
    fn of(label: &Label) -> SarifLocation {
        let Place { file, start, end } = Place::of(label);
        SarifLocation {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation { uri: uri(file) },
                region: Region {
                    start_line: start.line,
                    start_column: start.column,
                    end_line: end.line,
                    end_column: end.column,
                },
            },
            message: (!label.text.is_empty()).then(|| Text { text: label.text.clone() }),
        }
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Note => "note",
        Severity::Warning => "warning",
    }
}

/// A relative path is a relative URI, which scanners resolve in the repository.
fn uri(path: &str) -> String {
    const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let path = path.strip_prefix("./").unwrap_or(&path);
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    format!("{scheme}{}", utf8_percent_encode(path, &KEPT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("./policies/a b#.json"), "policies/a%20b%23.json");
        assert_eq!(uri("/srv/é.json"), "file:///srv/%C3%A9.json");
    }
}
