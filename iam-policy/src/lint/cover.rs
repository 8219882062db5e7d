//! Statements that another one makes pointless.
//!
//! One statement covers another when it surely matches every request that the other matches. The test is made on what is
//! written, so that it may miss some, and is never wrong.

use super::{Subject, place};
use crate::condition::Condition;
use crate::diagnostic::Diagnostic;
use crate::document::{Clause, Effect, Item, PrincipalMatcher, Statement, Version};
use crate::pattern::{Glob, Pattern, Variables};

pub(super) fn covered_statement(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (narrow, wide) in pairs(subject, |narrow, wide| narrow.effect == wide.effect) {
        let finding = subject
            .finding("another statement covers this one", place(narrow), "this adds nothing")
            .help("remove it");
        found.push(subject.beside(finding, place(wide), "for this says the same of more requests"));
    }
}

pub(super) fn cancelled_allow(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let compared =
        |narrow: &Statement, wide: &Statement| (narrow.effect, wide.effect) == (Effect::Allow, Effect::Deny);
    for (narrow, wide) in pairs(subject, compared) {
        let finding = subject
            .finding(
                "what this statement allows, another one denies",
                place(narrow),
                "nothing of this is allowed",
            )
            .help("remove one of the two, or make the `Deny` narrower");
        found.push(subject.beside(finding, place(wide), "for an explicit deny always wins"));
    }
}

/// Statements with the first other one that covers them. Of two that cover each other, the later one.
fn pairs<'p>(
    subject: &Subject<'p>,
    compared: fn(&Statement, &Statement) -> bool,
) -> Vec<(&'p Statement, &'p Statement)> {
    let known: Vec<&'p Statement> =
        subject.statements.iter().copied().filter(|statement| !subject.is_open(statement.span)).collect();
    let variables = match subject.policy.version() {
        Version::V2008 => Variables::Literal,
        Version::V2012 => Variables::Same,
    };
    let mut pairs = Vec::new();
    for (at, narrow) in known.iter().enumerate() {
        let wider = known.iter().enumerate().find(|(other, wide)| {
            *other != at
                && compared(narrow, wide)
                && covers_statement(wide, narrow, variables)
                && !(*other > at && compared(wide, narrow) && covers_statement(narrow, wide, variables))
        });
        pairs.extend(wider.map(|(_, wide)| (*narrow, *wide)));
    }
    pairs
}

fn covers_statement(wide: &Statement, narrow: &Statement, variables: Variables) -> bool {
    covers_clause(&wide.action, &narrow.action, &|text| Glob::action(text))
        && match (&wide.resource, &narrow.resource) {
            (None, None) => true,
            (Some(wide), Some(narrow)) => covers_clause(wide, narrow, &|text| Glob::new(text, variables)),
            _ => false,
        }
        && match (&wide.principal, &narrow.principal) {
            (None, None) => true,
            (Some(wide), Some(narrow)) => covers_principals(wide, narrow),
            _ => false,
        }
        && wide
            .conditions
            .iter()
            .all(|condition| narrow.conditions.iter().any(|other| implies(other, condition)))
}

fn covers_clause(
    wide: &Clause<Pattern>,
    narrow: &Clause<Pattern>,
    glob: &dyn for<'t> Fn(&'t str) -> Glob<'t>,
) -> bool {
    let each_in = |some: &Clause<Pattern>, all: &Clause<Pattern>| {
        some.items.iter().all(|item| all.items.iter().any(|other| glob(&other.text).covers(glob(&item.text))))
    };
    match (wide.negated, narrow.negated) {
        (false, false) => each_in(narrow, wide),
        (true, true) => each_in(wide, narrow),
        (false, true) => wide.items.iter().any(|item| *item.text == *"*"),
        (true, false) => narrow.items.iter().all(|item| {
            // What a variable may be is not known.
            !item.text.contains("${")
                && wide
                    .items
                    .iter()
                    .all(|other| !other.text.contains("${") && !glob(&other.text).meets(glob(&item.text)))
        }),
    }
}

fn covers_principals(wide: &Clause<PrincipalMatcher>, narrow: &Clause<PrincipalMatcher>) -> bool {
    // The text, too: of some principals, such as canonical users, the matcher keeps no more than the kind.
    let has = |item: &Item<PrincipalMatcher>| {
        wide.items.iter().any(|other| other.matcher == item.matcher && other.text == item.text)
    };
    !wide.negated
        && (wide.items.iter().any(|item| item.matcher.is_everyone())
            || !narrow.negated && narrow.items.iter().all(has))
}

/// Whether every request that meets one condition meets the other.
fn implies(narrow: &Condition, wide: &Condition) -> bool {
    let each_in = |some: &Condition, all: &Condition| {
        some.values.iter().all(|value| all.values.iter().any(|other| other.text == value.text))
    };
    narrow.operator == wide.operator
        && narrow.key.eq_ignore_ascii_case(&wide.key)
        && if wide.operator.comparison.negated { each_in(wide, narrow) } else { each_in(narrow, wide) }
}
