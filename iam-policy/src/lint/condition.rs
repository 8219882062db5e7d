//! Condition keys and the operators that they stand under.

use super::{Subject, did_you_mean};
use crate::catalogue::{self, Service, ValueType};
use crate::condition::{self, Condition, GlobalKey, Operator, Quantifier, Test};
use crate::diagnostic::{Diagnostic, quoted};
use crate::document::Statement;
use crate::template::is_templated;

pub(super) fn unknown_key(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for statement in subject.statements {
        for (key, span) in statement.condition_keys() {
            let is_placeholder = || subject.policy.is_template() && is_templated(&format!("${{{key}}}"));
            if condition::is_known(key) || is_placeholder() {
                continue;
            }
            let finding = subject.finding(
                format!("AWS has no condition key `{key}`"),
                span,
                "not a global key, nor one of any service",
            );
            found.push(if key.contains(':') {
                did_you_mean(finding, condition::near_names(key).first())
            } else {
                finding.help(format!(
                    "`${{{key}}}` is a variable of a template, which was not filled; IAM's have a colon"
                ))
            });
        }
    }
}

pub(super) fn unsupported_key(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for statement in subject.statements {
        if statement.action.negated || subject.is_open(statement.action.span) {
            continue;
        }
        // `IfExists`, `ForAllValues` and `Null` are for requests that may lack the key.
        let conditions = statement.conditions.iter().filter(|condition| {
            !condition.operator.if_exists
                && condition.operator.quantifier != Some(Quantifier::ForAllValues)
                && condition.operator.comparison.test != Test::Null
        });
        for condition in conditions {
            if is_of_services(&condition.key) && !is_supported(statement, &condition.key) {
                let actions = quoted(statement.action.items.iter().map(|item| &*item.text));
                let message = format!("no action of the statement supports `{}`", condition.key);
                let finding = subject.finding(message, condition.key_span, "their requests never have it");
                found.push(subject.beside(finding, statement.action.span, format!("these are {actions}")));
            }
        }
    }
}

/// Whether the key is a service's own, or one about tags, which services list as theirs.
fn is_of_services(key: &str) -> bool {
    match GlobalKey::find(key) {
        Some(global) => ["aws:RequestTag/", "aws:ResourceTag/", "aws:TagKeys"].contains(&global.name()),
        None => catalogue::condition_key(key).is_some(),
    }
}

fn is_supported(statement: &Statement, key: &str) -> bool {
    let mut services: Vec<Service> = Vec::new();
    for item in &statement.action.items {
        for action in catalogue::expand(&item.text) {
            let service = action.service();
            if service.condition_key(key).is_some_and(|key| action.supports(key)) {
                return true;
            }
            if !services.contains(&service) {
                services.push(service);
            }
        }
    }
    // Some keys the Reference lists without an action, and what is no action is another lint's.
    !services.iter().any(|service| {
        let key = service.condition_key(key);
        key.is_none_or(|key| service.actions().any(|action| action.supports(key)))
    })
}

pub(super) fn operator_type(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (condition, key) in typed(subject) {
        let written = condition.operator.comparison;
        if fits(written.test, key.value_type) {
            continue;
        }
        let message = format!("`{}` does not suit the values of `{}`", written.name, condition.key);
        let label = format!("each is {}", name(key.value_type));
        found.push(
            subject
                .finding(message, condition.key_span, label)
                .help(format!("write {}", operators(key.value_type))),
        );
    }
}

/// `ForAnyValue` on a key with one value does no harm. `ForAllValues` does: it holds for a request without the key.
pub(super) fn set_operator(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (condition, key) in typed(subject) {
        let (operator, name) = (condition.operator, &condition.key);
        let (message, help) = match operator.quantifier {
            None if key.is_multivalued && operator.comparison.test != Test::Null => (
                format!("`{name}` can have several values, and `{operator}` is for one"),
                format!("write `ForAnyValue:{operator}` or `ForAllValues:{operator}`"),
            ),
            Some(Quantifier::ForAllValues) if !key.is_multivalued => (
                format!("`{name}` has one value, and `{operator}` also holds for a request without it"),
                format!("write `{}`", Operator { quantifier: None, ..operator }),
            ),
            _ => continue,
        };
        found.push(subject.finding(message, condition.key_span, "").help(help));
    }
}

#[derive(Clone, Copy)]
struct KeyType {
    value_type: ValueType,
    is_multivalued: bool,
}

/// The conditions on keys whose type is known.
fn typed<'p>(subject: &Subject<'p>) -> Vec<(&'p Condition, KeyType)> {
    let mut typed = Vec::new();
    for statement in subject.statements {
        for condition in &statement.conditions {
            typed.extend(key_type(&condition.key).map(|key| (condition, key)));
        }
    }
    typed
}

fn key_type(key: &str) -> Option<KeyType> {
    if let Some(key) = GlobalKey::find(key) {
        return Some(KeyType { value_type: key.value_type(), is_multivalued: key.is_multivalued() });
    }
    let key = catalogue::condition_key(key)?;
    Some(KeyType { value_type: key.value_type(), is_multivalued: key.is_multivalued() })
}

/// Whether an operator can tell values of the type apart. All values are text, so that the string operators can compare
/// what has one spelling; addresses and dates have many.
fn fits(test: Test, key: ValueType) -> bool {
    match test {
        Test::Null | Test::Binary => true,
        Test::Arn => matches!(key, ValueType::Arn | ValueType::String),
        Test::Bool => key == ValueType::Bool,
        Test::Date(_) => key == ValueType::Date,
        Test::Ip => key == ValueType::IpAddress,
        Test::Number(_) => matches!(key, ValueType::Numeric | ValueType::Date),
        Test::Text { .. } => !matches!(key, ValueType::IpAddress | ValueType::Date),
    }
}

fn name(of: ValueType) -> &'static str {
    match of {
        ValueType::Arn => "an ARN",
        ValueType::Bool => "`true` or `false`",
        ValueType::Date => "a date",
        ValueType::IpAddress => "an IP address",
        ValueType::Numeric => "a number",
        ValueType::String => "a string",
    }
}

fn operators(of: ValueType) -> &'static str {
    match of {
        ValueType::Arn => "`ArnLike` or `ArnNotLike`",
        ValueType::Bool => "`Bool`",
        ValueType::Date => "`DateLessThan`, `DateGreaterThan` or their like",
        ValueType::IpAddress => "`IpAddress` or `NotIpAddress`",
        ValueType::Numeric => "`NumericEquals`, `NumericLessThan` or their like",
        ValueType::String => "`StringEquals`, `StringLike` or their like",
    }
}
