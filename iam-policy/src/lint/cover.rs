//! Statements that another one makes pointless.
//!
//! One statement covers another when it surely matches every request that the other matches. The test is made on what is
//! written, so that it may miss some, and is never wrong.

use super::{Subject, place};
use crate::condition::Condition;
use crate::diagnostic::Diagnostic;
use crate::document::{Clause, Effect, Item, PrincipalMatcher, Statement};
use crate::pattern::Pattern;

pub(super) fn covered_statement(subject: &Subject<'_>) -> Vec<Diagnostic> {
    pairs(subject, |narrow, wide| narrow.effect == wide.effect)
        .map(|(narrow, wide)| {
            let finding = subject
                .finding("another statement covers this one", place(narrow), "this adds nothing")
                .help("remove it");
            subject.beside(finding, place(wide), "for this says the same of more requests")
        })
        .collect()
}

pub(super) fn cancelled_allow(subject: &Subject<'_>) -> Vec<Diagnostic> {
    pairs(subject, |narrow, wide| (narrow.effect, wide.effect) == (Effect::Allow, Effect::Deny))
        .map(|(narrow, wide)| {
            let message = "what this statement allows, another one denies";
            let finding = subject
                .finding(message, place(narrow), "nothing of this is allowed")
                .help("remove one of the two, or make the `Deny` narrower");
            subject.beside(finding, place(wide), "for an explicit deny always wins")
        })
        .collect()
}

/// Statements with the first other one that covers them. Of two that cover each other, the later one.
fn pairs<'p>(
    subject: &Subject<'p>,
    compared: fn(&Statement, &Statement) -> bool,
) -> impl Iterator<Item = (&'p Statement, &'p Statement)> {
    let known: Vec<&'p Statement> =
        subject.statements.iter().copied().filter(|statement| !subject.is_open(statement.span)).collect();
    let others = known.clone();
    known.into_iter().enumerate().filter_map(move |(at, narrow)| {
        let mut wider = others.iter().enumerate().filter(|(other, wide)| {
            *other != at
                && compared(narrow, wide)
                && covers_statement(wide, narrow)
                && !(*other > at && compared(wide, narrow) && covers_statement(narrow, wide))
        });
        wider.next().map(|(_, wide)| (narrow, *wide))
    })
}

fn covers_statement(wide: &Statement, narrow: &Statement) -> bool {
    covers_clause(&wide.action, &narrow.action, true)
        && match (&wide.resource, &narrow.resource) {
            (None, None) => true,
            (Some(wide), Some(narrow)) => covers_clause(wide, narrow, false),
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

fn covers_clause(wide: &Clause<Pattern>, narrow: &Clause<Pattern>, fold: bool) -> bool {
    let each_in = |some: &Clause<Pattern>, all: &Clause<Pattern>| {
        some.items.iter().all(|item| all.items.iter().any(|other| covers(&other.text, &item.text, fold)))
    };
    match (wide.negated, narrow.negated) {
        (false, false) => each_in(narrow, wide),
        (true, true) => each_in(wide, narrow),
        (false, true) => wide.items.iter().any(|item| *item.text == *"*"),
        // Two patterns can have a text in common without that one covers the other.
        (true, false) => narrow.items.iter().all(|item| {
            !item.text.contains(['*', '?', '$'])
                && !wide.items.iter().any(|other| covers(&other.text, &item.text, fold))
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

/// Whether one pattern matches all that the other matches.
///
/// The wildcards of the narrow pattern are taken as characters, which only wildcards that are as wide can match. A pattern with
/// variables covers only itself.
pub(super) fn covers(wide: &str, narrow: &str, fold: bool) -> bool {
    let same = |a: u8, b: u8| if fold { a.eq_ignore_ascii_case(&b) } else { a == b };
    if wide == narrow || wide == "*" {
        return true;
    }
    let (wide, narrow) = (wide.as_bytes(), narrow.as_bytes());
    if wide.windows(2).any(|pair| pair == b"${") {
        return false;
    }
    let (mut at, mut from) = (0, 0);
    // Behind the last `*`, and how much of the narrow pattern it takes.
    let mut retry = None;
    while let Some(&sign) = narrow.get(from) {
        match wide.get(at) {
            Some(b'*') => {
                at += 1;
                retry = Some((at, from));
            }
            Some(&byte) if sign != b'*' && (same(byte, sign) || byte == b'?' && sign.is_ascii()) => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((behind, taken)) = retry else { return false };
                (at, from) = (behind, taken + 1);
                retry = Some((behind, taken + 1));
            }
        }
    }
    wide.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_is_at_most_as_wide() {
        for (wide, narrow, expected) in [
            ("*", "anything*", true),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:Get*", "s3:GetObject*", true),
            ("s3:Get*", "S3:GETOBJECT", true),
            ("s3:Get?bject", "s3:GetObject", true),
            ("s3:Get?bject", "s3:Get?bject", true),
            ("s3:Get?bject", "s3:Get*bject", false),
            ("s3:*Object*", "s3:Get*ObjectAcl", true),
            ("s3:Get*", "s3:*", false),
            ("s3:GetObject", "s3:Get*", false),
            ("s3:*t", "s3:*", false),
            ("a*", "a", true),
            ("a", "a*", false),
            ("a*b", "a${k}b", true),
            ("${k}*", "${k}a", false),
            ("${k}", "${k}", true),
        ] {
            assert_eq!(covers(wide, narrow, true), expected, "{wide} {narrow}");
        }
        assert!(!covers("a*", "Ab", false));
    }
}
