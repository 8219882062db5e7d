//! Statements that no request can match.

use super::Subject;
use crate::condition::{Condition, GlobalKey, Operand, Test};
use crate::context::Context;
use crate::diagnostic::Diagnostic;
use crate::document::{Clause, Statement};
use crate::order;
use crate::pattern::Pattern;

pub(super) fn never_matches(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for statement in subject.statements {
        found.extend(excludes_all(subject, "NotAction", &statement.action));
        if let Some(resource) = &statement.resource {
            found.extend(excludes_all(subject, "NotResource", resource));
        }
        contradictions(subject, statement, found);
    }
}

/// `NotAction` or `NotResource` that leaves nothing over.
fn excludes_all(subject: &Subject<'_>, name: &str, clause: &Clause<Pattern>) -> Option<Diagnostic> {
    let all =
        clause.items.iter().find(|item| matches!(&*item.text, "*" | "*:*")).filter(|_| clause.negated)?;
    let message = format!("the statement never matches: its `{name}` leaves nothing over");
    Some(subject.finding(message, all.span, "everything but everything"))
}

/// Keys whose conditions no request can meet together.
fn contradictions(subject: &Subject<'_>, statement: &Statement, found: &mut Vec<Diagnostic>) {
    let mut groups: Vec<Vec<&Condition>> = Vec::new();
    for condition in statement.conditions.iter().filter(|condition| !subject.is_open(condition.span)) {
        let same = |group: &&mut Vec<&Condition>| {
            group.iter().all(|other| other.key.eq_ignore_ascii_case(&condition.key))
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(condition),
            None => groups.push(vec![condition]),
        }
    }
    for group in groups.iter().filter(|group| group.len() > 1) {
        let Some(contexts) = contexts(group) else { continue };
        let meets = |context: &Context| {
            group.iter().all(|condition| condition.holds(context, statement.effect).possible())
        };
        if !contexts.iter().any(meets) {
            found.extend(describe(subject, group));
        }
    }
}

fn describe(subject: &Subject<'_>, group: &[&Condition]) -> Option<Diagnostic> {
    let (first, rest) = group.split_first()?;
    let message =
        format!("the statement never matches: no request meets all its conditions on `{}`", first.key);
    let mut finding = subject.finding(message, first.key_span, format!("`{}` here", first.operator));
    for condition in rest {
        finding = subject.beside(finding, condition.key_span, format!("and `{}` here", condition.operator));
    }
    Some(finding)
}

/// Contexts of which one meets the conditions, if any context does; `None` where a few cannot stand for all.
fn contexts(group: &[&Condition]) -> Option<Vec<Context>> {
    let key = group.first()?.key.to_string();
    let several = GlobalKey::find(&key).is_some_and(GlobalKey::is_multivalued)
        || crate::catalogue::condition_key(&key).is_some_and(crate::catalogue::ConditionKey::is_multivalued)
        || group.iter().any(|condition| condition.operator.quantifier.is_some());
    if several {
        return None;
    }
    let values =
        if group.iter().any(|condition| asks_for_absence(condition)) { Vec::new() } else { values(group)? };
    let mut contexts = vec![Context::new(); values.len() + 1];
    let mut values = values.into_iter();
    for context in &mut contexts {
        match values.next() {
            Some(value) => context.set(key.clone(), value),
            None => context.absent(key.clone()),
        };
    }
    Some(contexts)
}

/// `Null` with `true`.
fn asks_for_absence(condition: &Condition) -> bool {
    condition.operator.comparison.test == Test::Null
        && condition.values.iter().all(|value| matches!(value.matcher, Operand::Bool(true)))
}

/// Values of which one meets the conditions, if any value does.
fn values(group: &[&Condition]) -> Option<Vec<String>> {
    let list = group.iter().find_map(|condition| finite_values(condition));
    if list.is_some() {
        return list;
    }
    // Where bounds alone decide, one value of every stretch between them decides.
    let all = |of: fn(Test) -> bool| {
        let mut tests = group.iter().map(|condition| condition.operator.comparison.test);
        tests.all(|test| test == Test::Null || of(test))
    };
    if all(|test| matches!(test, Test::Number(_))) {
        return Some(stretches(group, f64::to_string));
    }
    // Seconds have no fraction where they stand for a date.
    all(|test| matches!(test, Test::Date(_))).then(|| stretches(group, |date| date.floor().to_string()))
}

/// The only values with which a condition can hold for a request that has the key.
fn finite_values(condition: &Condition) -> Option<Vec<String>> {
    let comparison = condition.operator.comparison;
    let list = match comparison.test {
        Test::Bool => return Some(vec!["true".to_owned(), "false".to_owned()]),
        Test::Arn | Test::Text { fold: false, .. } => !comparison.negated,
        _ => false,
    };
    let is_literal = |text: &str| !text.contains(['*', '?', '$']);
    let all = list && condition.values.iter().all(|value| is_literal(&value.text));
    all.then(|| condition.values.iter().map(|value| value.text.to_string()).collect())
}

/// A number on every bound, between any two, below the least and above the greatest.
fn stretches(group: &[&Condition], text: fn(&f64) -> String) -> Vec<String> {
    let mut bounds: Vec<f64> = Vec::new();
    for condition in group {
        bounds.extend(condition.values.iter().filter_map(|value| value.matcher.as_number()));
    }
    order::sort_by(&mut bounds, f64::total_cmp);
    let mut all: Vec<f64> = bounds.windows(2).map(|pair| pair.iter().sum::<f64>() / 2.0).collect();
    all.extend(bounds.first().map(|least| least - 1.0));
    all.extend(bounds.last().map(|most| most + 1.0));
    all.append(&mut bounds);
    all.iter().map(text).collect()
}
