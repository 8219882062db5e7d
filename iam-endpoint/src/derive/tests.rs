#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use super::{Checks, checks, keys};
use crate::operation;
use crate::told;

#[test]
fn the_whole_table_is_in_the_grammar() {
    let (mut all, mut mapped) = (0, 0);
    for service in operation::services() {
        for operation in service.operations() {
            let place = format!("{}:{}", service.id(), operation.name());
            told::verify(service.id(), operation.checks()).unwrap_or_else(|why| panic!("{place}: {why}"));
            keys(operation.keys()).unwrap_or_else(|why| panic!("{place}: {why}"));
            all += 1;
            mapped += usize::from(!matches!(checks(operation.checks()), Ok(Checks::Unknown)));
        }
    }
    println!("{mapped} of {all} operations are mapped");
    assert!(mapped * 100 > all * 80, "{mapped} of {all} operations are mapped");
}

#[test]
fn conditions_and_values_are_read_where_quotes_and_parentheses_allow() {
    let text = "iam:PassRole@iam:role=f(A.B;C),x:2?=before(:D,'a, b | if ') / 'l' if A.B='x' and C unless D[].E~'y' | Own";
    let wrong = checks(text).map(|_| ()).unwrap_err();
    assert_eq!(wrong, "`f` is not a function");
    let text = text.replace("f(A.B;C)", "keys(A.B);C");
    let Ok(Checks::All(all)) = checks(&text) else { panic!("it is in the grammar") };
    let [first, second] = all.as_slice() else { panic!("there are two") };
    assert_eq!((first.prefix, first.action), (Some("iam"), "PassRole"));
    let [role, other] = first.targets.as_slice() else { panic!("there are two") };
    assert_eq!((role.prefix, role.resource_type, role.values.len()), (Some("iam"), "role", 2));
    assert_eq!((other.resource_type, other.format, other.is_optional), ("x", Some(1), true));
    assert_eq!(other.values.first().unwrap().0.len(), 2);
    let negated: Vec<_> =
        first.conditions.iter().map(|condition| (condition.is_negated, condition.tests.len())).collect();
    assert_eq!(negated, [(false, 2), (true, 1)]);
    assert_eq!((second.prefix, second.action, second.targets.len()), (None, "Own", 0));
}

#[test]
fn what_is_not_in_the_grammar_is_named() {
    for (text, why) in [
        ("", "no action"),
        ("Get Item", "no action"),
        ("Get@", "no resource type"),
        ("Get@=A", "no resource type"),
        ("Get@t=", "no path"),
        ("Get@t=f(", "no path"),
        ("Get@t=A if B=x", "no text in quotes"),
    ] {
        let wrong = checks(text).map(|_| ());
        assert!(wrong.as_ref().is_err_and(|wrong| wrong.contains(why)), "{text}: {wrong:?}");
    }
    assert!(keys("nokey=A").is_err());
    assert!(keys("no").is_err());
}
