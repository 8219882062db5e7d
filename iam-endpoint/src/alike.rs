//! Whether a decision on an ARN with `*` for what the request does not tell holds whatever stands there.

use iam_policy::{Decision, Effect, Policy, Statement, StatementTrace, Verdict};

use crate::authorize::all_of;
use crate::journal::Authorization;

/// Whether a decision on an ARN with `*` in it holds for every resource that the `*` may stand for.
///
/// A pattern of a policy that matches the `*` itself matches whatever is in its place (but for `?`, which a policy seldom
/// has). So only a statement can make a difference of which all matches but its resource, which others may be, or one that
/// excepts resources.
pub(crate) fn is_of_all_alike(authorization: &Authorization) -> bool {
    let Decision { verdict, by, .. } = &authorization.decision;
    match verdict {
        Verdict::Allowed => !may_apply(authorization, Effect::Deny) && !may_except(authorization),
        Verdict::ExplicitDeny => {
            !by.iter().all(|statement| names(statement.statement(), true, authorization))
        }
        Verdict::ImplicitDeny => !may_apply(authorization, Effect::Allow),
    }
}

/// Whether a statement that does not apply, for its `Resource`, may apply to another resource.
fn may_apply(authorization: &Authorization, effect: Effect) -> bool {
    let is_such =
        |statement: &Statement| statement.effect() == effect && names(statement, false, authorization);
    let misses_only_the_resource = |trace: &StatementTrace| {
        let mut missed = trace.elements().iter().filter(|element| !element.matches());
        missed.next().is_some_and(|element| element.element() == "Resource") && missed.next().is_none()
    };
    let is_open =
        |trace: &StatementTrace| is_such(trace.statement().statement()) && misses_only_the_resource(trace);
    // Explaining takes longer than deciding, and most policies have no such statement.
    statements(authorization).any(is_such) && authorization.explain().statements().iter().any(is_open)
}

/// Whether a statement that allows may except another resource in its `NotResource`.
fn may_except(authorization: &Authorization) -> bool {
    statements(authorization)
        .any(|statement| statement.effect() == Effect::Allow && names(statement, true, authorization))
}

fn statements(authorization: &Authorization) -> impl Iterator<Item = &Statement> {
    all_of(&authorization.policies).flat_map(Policy::statements)
}

/// Whether the statement's `Resource`, or its `NotResource`, has one that the ARN may stand for.
fn names(statement: &Statement, is_negated: bool, authorization: &Authorization) -> bool {
    let resource = &authorization.request.resource;
    statement.resources().is_some_and(|resources| {
        resources.is_negated == is_negated && resources.values.iter().any(|value| meet(value.text, resource))
    })
}

/// Whether a text matches both: a policy's pattern, whose variables may stand for anything, and a text with `*`.
fn meet(pattern: &str, open: &str) -> bool {
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, variable)) = rest.split_once("${") {
        tokens.extend(before.chars());
        tokens.push('*');
        rest = variable.split_once('}').map_or("", |(_, after)| after);
    }
    tokens.extend(rest.chars());
    let open: Vec<char> = open.chars().collect();
    // From the end: whether what is left of the pattern meets what is left of the text, at each place of the text.
    let mut below = vec![false; open.len() + 1];
    for at in (0..=tokens.len()).rev() {
        let token = tokens.get(at);
        let mut here = vec![false; open.len() + 1];
        for place in (0..=open.len()).rev() {
            let is = |row: &[bool], place: usize| row.get(place).copied().unwrap_or_default();
            let met = match (token, open.get(place)) {
                (None, None) => true,
                (Some('*'), _) => is(&below, place) || is(&here, place + 1),
                // What an id stands for has no colon: an image is no instance.
                (_, Some('*')) => {
                    is(&here, place + 1) || token.is_some_and(|token| *token != ':') && is(&below, place)
                }
                (Some('?'), Some(_)) => is(&below, place + 1),
                (Some(token), Some(c)) => token == c && is(&below, place + 1),
                (Some(_), None) | (None, Some(_)) => false,
            };
            if let Some(slot) = here.get_mut(place) {
                *slot = met;
            }
        }
        below = here;
    }
    below.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::meet;

    #[test]
    fn a_pattern_meets_what_a_star_may_stand_for() {
        for (pattern, open, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a", "*", true),
            ("a", "b", false),
            ("workgroup/one", "workgroup/*", true),
            ("group:1:name/a", "group:*:name/a", true),
            ("group:1:name/b", "group:*:name/a", false),
            ("group:*:name/b", "group:*:name/a", false),
            ("group:*", "group:*:name/a", true),
            ("group:?:name/a", "group:*:name/a", true),
            ("user/${aws:username}/x", "user/*/x", true),
            ("user/${aws:username}/x", "user/*/y", false),
            ("*/a", "b/*", true),
            ("ec2:*:*:instance/*", "ec2:here::image/*", false),
            ("?", "", false),
        ] {
            assert_eq!(meet(pattern, open), expected, "{pattern} {open}");
        }
    }
}
