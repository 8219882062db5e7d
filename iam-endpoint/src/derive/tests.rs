#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "how a test fails, and what it tells"
)]

use super::grammar::{Checks, checks, keys};
use crate::operation;

#[test]
fn the_whole_table_is_in_the_grammar() {
    let (mut all, mut mapped, mut wrong) = (0, 0, Vec::new());
    for service in operation::services() {
        for operation in service.operations() {
            let place = format!("{}:{}", service.id(), operation.name());
            let checks = checks(operation.checks(), service.prefix().unwrap_or_default());
            wrong.extend(keys(operation.keys()).err().map(|why| format!("{place}: {why}")));
            all += 1;
            mapped += usize::from(!matches!(checks, Ok(Checks::Unknown)));
            wrong.extend(checks.err().map(|why| format!("{place}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{mapped} of {all} operations are mapped");
    assert!(mapped * 100 > all * 80, "{mapped} of {all} operations are mapped");
}

#[test]
fn conditions_and_values_are_read_where_quotes_and_parentheses_allow() {
    let text = "iam:PassRole@iam:role=keys(A.B),lambda:function:1?=before(:D,'a, b | if ') / 'l' if A.B='x' and C unless \
                D[].E~'y' | Query";
    let Ok(Checks::All(all)) = checks(text, "dynamodb") else { panic!("it is in the grammar") };
    let [first, second] = all.as_slice() else { panic!("there are two") };
    assert_eq!((first.action.as_str(), second.action.as_str()), ("iam:PassRole", "dynamodb:Query"));
    let [role, other] = first.targets.as_slice() else { panic!("there are two") };
    assert_eq!((role.resource_type.unwrap().name(), role.values.len(), role.is_optional), ("role", 1, false));
    assert_eq!(
        (other.resource_type.unwrap().name(), other.formats.len(), other.is_optional),
        ("function", 1, true)
    );
    assert_eq!(other.values.first().unwrap().0.len(), 2);
    let negated: Vec<_> =
        first.conditions.iter().map(|condition| (condition.is_negated, condition.tests.len())).collect();
    assert_eq!(negated, [(false, 2), (true, 1)]);
    assert_eq!((second.targets.len(), second.conditions.len()), (0, 0));
}

#[test]
fn what_is_not_in_the_grammar_is_named() {
    for (text, why) in [
        ("", "no action"),
        ("Get Item", "no action"),
        ("GetItem@", "no resource type"),
        ("GetItem@=A", "no resource type"),
        ("GetItem@table=", "no path"),
        ("GetItem@table=f(", "no path"),
        ("GetItem@table=f(A)", "`f` is not a function"),
        ("GetItem@table=A if B=x", "no text in quotes"),
    ] {
        let wrong = checks(text, "dynamodb").map(|_| ());
        assert!(wrong.as_ref().is_err_and(|wrong| wrong.contains(why)), "{text}: {wrong:?}");
    }
    assert!(keys("nokey=A").is_err());
    assert!(keys("no").is_err());
}
