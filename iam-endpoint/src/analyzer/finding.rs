//! What `iam-policy` finds, as Access Analyzer's findings.

use iam_policy::{Diagnostic, Label, Location, PolicyKind, Source, Span};
use serde_json::{Value, json};

use super::path::path;

/// How bad a finding is.
#[derive(Clone, Copy)]
enum Type {
    Error,
    SecurityWarning,
    Suggestion,
    Warning,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Type::Error => "ERROR",
            Type::SecurityWarning => "SECURITY_WARNING",
            Type::Suggestion => "SUGGESTION",
            Type::Warning => "WARNING",
        }
    }

    /// The words of the page's anchors.
    fn anchor(self) -> &'static str {
        match self {
            Type::Error => "error",
            Type::SecurityWarning => "security-warning",
            Type::Suggestion => "suggestion",
            Type::Warning => "general-warning",
        }
    }
}

/// Our code; a part of the message, or the effect of the statement, by which some are told from others; AWS's type and issue
/// code. The first that fits counts. What AWS does not find has no line.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html>
#[rustfmt::skip]
const ISSUES: &[(&str, &str, Type, &str)] = &[
    ("iam::action", "has no `NotAction`", Type::Error, "INVALID_POLICY_ELEMENT"),
    ("iam::action", "a role trust policy may", Type::Error, "UNSUPPORTED_ACTION_IN_POLICY"),
    ("iam::action", "no variables", Type::Error, "VARIABLE_UNSUPPORTED_IN_ELEMENT"),
    ("iam::action", "", Type::Error, "INVALID_ACTION"),
    ("iam::both-elements", "", Type::Error, "UNSUPPORTED_ELEMENT_COMBINATION"),
    ("iam::character", "", Type::Error, "JSON_SYNTAX_ERROR"),
    ("iam::condition", "", Type::Error, "DATA_TYPE_MISMATCH"),
    ("iam::condition-key", "", Type::Error, "INVALID_CONDITION_KEY_FORMAT"),
    ("iam::condition-operator", "", Type::Error, "INVALID_CONDITION_OPERATOR"),
    ("iam::condition-value", "is not `true`", Type::Error, "TYPE_MISMATCH_BOOLEAN"),
    ("iam::condition-value", "is not a date", Type::Error, "TYPE_MISMATCH_DATE"),
    ("iam::condition-value", "is not an IP", Type::Error, "TYPE_MISMATCH_IP_RANGE"),
    ("iam::condition-value", "is not a number", Type::Error, "TYPE_MISMATCH_NUMBER"),
    ("iam::condition-value", "", Type::Error, "TYPE_MISMATCH"),
    ("iam::duplicate-key", "", Type::Error, "JSON_SYNTAX_ERROR"),
    ("iam::duplicate-sid", "", Type::Error, "UNIQUE_SIDS_REQUIRED"),
    ("iam::effect", "", Type::Error, "INVALID_EFFECT"),
    ("iam::empty", "`Statement`", Type::Error, "MISSING_STATEMENT"),
    ("iam::empty", "Action`", Type::Suggestion, "EMPTY_ARRAY_ACTION"),
    ("iam::empty", "Resource`", Type::Suggestion, "EMPTY_ARRAY_RESOURCE"),
    ("iam::empty", "Principal`", Type::Suggestion, "EMPTY_OBJECT_PRINCIPAL"),
    ("iam::empty", "", Type::Suggestion, "EMPTY_ARRAY_CONDITION"),
    ("iam::json-syntax", "", Type::Error, "JSON_SYNTAX_ERROR"),
    ("iam::missing-element", "no `Statement`", Type::Error, "MISSING_STATEMENT"),
    ("iam::missing-element", "no `Action`", Type::Error, "MISSING_ACTION"),
    ("iam::missing-element", "no `Effect`", Type::Error, "MISSING_EFFECT"),
    ("iam::missing-element", "no `Principal`", Type::Error, "MISSING_PRINCIPAL"),
    ("iam::missing-element", "no `Resource`", Type::Error, "MISSING_RESOURCE"),
    ("iam::principal", "policy has no ", Type::Error, "UNSUPPORTED_PRINCIPAL"),
    ("iam::principal", "*", Type::Error, "UNSUPPORTED_WILDCARD_IN_PRINCIPAL"),
    ("iam::principal", "", Type::Error, "INVALID_PRINCIPAL_FORMAT"),
    ("iam::resource", "policy has no ", Type::Error, "INVALID_POLICY_ELEMENT"),
    ("iam::resource", "is not a partition", Type::Error, "INVALID_PARTITION"),
    ("iam::resource", "not an ARN", Type::Error, "INVALID_ARN_PREFIX"),
    ("iam::resource", "wildcard", Type::Error, "INVALID_ARN_RESOURCE"),
    ("iam::resource", "", Type::Error, "MISSING_ARN_FIELD"),
    ("iam::sid", "", Type::Error, "UNSUPPORTED_SID"),
    ("iam::syntax", "", Type::Error, "DATA_TYPE_MISMATCH"),
    ("iam::unknown-element", "Principal`", Type::Error, "INVALID_PRINCIPAL_KEY"),
    ("iam::unknown-element", "", Type::Error, "INVALID_POLICY_ELEMENT"),
    ("iam::variable", "has no name", Type::Error, "EMPTY_VARIABLE"),
    ("iam::variable", "quote", Type::Error, "MISSING_QUOTE_IN_VARIABLE"),
    ("iam::variable", "space", Type::Error, "UNSUPPORTED_SPACE_IN_VARIABLE"),
    ("iam::variable", "", Type::Error, "MISSING_BRACE_IN_VARIABLE"),
    ("iam::version", "", Type::Error, "INVALID_VERSION"),
    ("lint::covered-statement", "", Type::Suggestion, "REDUNDANT_STATEMENT"),
    ("lint::not-principal", "(Allow)", Type::SecurityWarning, "ALLOW_WITH_NOT_PRINCIPAL"),
    ("lint::operator-type", "", Type::Error, "TYPE_MISMATCH"),
    ("lint::set-operator", "ForAllValues", Type::SecurityWarning, "FORALLVALUES_WITH_SINGLE_VALUED_KEY"),
    ("lint::set-operator", "", Type::Error, "MISSING_QUALIFIER"),
    ("lint::unknown-action", "", Type::Error, "INVALID_ACTION"),
    ("lint::unknown-condition-key", "`aws:", Type::Error, "INVALID_GLOBAL_CONDITION_KEY"),
    ("lint::unknown-condition-key", "", Type::Error, "INVALID_SERVICE_CONDITION_KEY"),
    ("lint::unknown-service", "", Type::Error, "INVALID_SERVICE_IN_ACTION"),
    ("lint::wide-allow", "", Type::SecurityWarning, "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE"),
    ("lint::wide-pass-role", "`iam:PassRole`", Type::SecurityWarning, "PASS_ROLE_WITH_STAR_IN_RESOURCE"),
    ("lint::wide-pass-role", "", Type::SecurityWarning, "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE"),
];

/// A finding as AWS answers it, if AWS has it.
pub(super) fn finding(diagnostic: &Diagnostic, kind: PolicyKind, document: Option<&Value>) -> Option<Value> {
    let Diagnostic { code, message, labels, help, .. } = diagnostic;
    let primary = labels.first()?;
    let path = path_of(primary);
    let told = format!("{message} ({})", effect(document, &path));
    let (.., found, issue) = ISSUES.iter().find(|(of, part, ..)| of == code && told.contains(part))?;
    // Only IAM asks for statement IDs that differ.
    let (found, issue) = match (*issue, kind) {
        ("UNIQUE_SIDS_REQUIRED", PolicyKind::Resource) => (Type::Warning, "UNIQUE_SIDS_RECOMMENDED"),
        (issue, _) => (*found, issue),
    };
    let details = match help {
        Some(help) => format!("{message}: {help}"),
        None => message.clone(),
    };
    Some(answer(found, issue, &details, &labels.iter().map(location).collect::<Vec<_>>()))
}

/// The finding that nothing in the text stands for.
pub(super) fn missing_version() -> Value {
    let details = "the policy has no `Version`: write `\"Version\": \"2012-10-17\"`, without which variables are literal text";
    answer(Type::Warning, "MISSING_VERSION", details, &[])
}

fn answer(found: Type, issue: &str, details: &str, locations: &[Value]) -> Value {
    const PAGE: &str =
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html";
    let anchor = issue.to_ascii_lowercase().replace('_', "-");
    json!({
        "findingDetails": details,
        "findingType": found.name(),
        "issueCode": issue,
        "learnMoreLink": format!("{PAGE}#access-analyzer-reference-policy-checks-{}-{anchor}", found.anchor()),
        "locations": locations,
    })
}

fn path_of(Label { source, span: Span { start, end }, .. }: &Label) -> Vec<Value> {
    path(source.text(), *start, end.saturating_sub(*start))
}

fn location(label: &Label) -> Value {
    let Label { source, span: Span { start, end }, .. } = label;
    json!({"path": path_of(label), "span": {"start": position(source, *start), "end": position(source, *end)}})
}

/// <https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_Position.html>
fn position(source: &Source, at: usize) -> Value {
    let Location { line, column } = source.location(at);
    let offset = source.text().get(..at).map_or(at, |before| before.chars().count());
    json!({"line": line, "column": column - 1, "offset": offset})
}

/// What the statement that a path leads into does.
fn effect(document: Option<&Value>, path: &[Value]) -> String {
    let statement = document.and_then(|document| document.get("Statement"));
    let index = path.get(1).and_then(|element| element.get("index")).and_then(Value::as_u64);
    let statement = match (statement, index.and_then(|index| usize::try_from(index).ok())) {
        (Some(Value::Array(all)), Some(index)) => all.get(index),
        (statement, _) => statement,
    };
    statement
        .and_then(|statement| statement.get("Effect"))
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_about_codes_that_there_are() {
        let lints: Vec<_> = iam_policy::LINTS.iter().map(iam_policy::Lint::code).collect();
        for (code, ..) in ISSUES {
            assert!(code.starts_with("iam::") || lints.contains(code), "{code}");
        }
        assert!(ISSUES.is_sorted_by_key(|(code, ..)| code));
    }
}
