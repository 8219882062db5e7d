//! Whether a decision on an ARN with `*` for what the request does not tell holds whatever stands there.

use iam_policy::{Decision, Effect, Glob, Policy, Statement, StatementTrace, Variables, Verdict, Version};

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
        Verdict::ExplicitDeny => !by.iter().all(|of| names(of.policy(), of.statement(), true, authorization)),
        Verdict::ImplicitDeny => !may_apply(authorization, Effect::Allow),
    }
}

/// Whether a statement that does not apply, for its `Resource`, may apply to another resource.
fn may_apply(authorization: &Authorization, effect: Effect) -> bool {
    let is_such = |policy: &Policy, statement: &Statement| {
        statement.effect() == effect && names(policy, statement, false, authorization)
    };
    let misses_only_the_resource = |trace: &StatementTrace| {
        let mut missed = trace.elements().iter().filter(|element| !element.matches());
        missed.next().is_some_and(|element| element.element() == "Resource") && missed.next().is_none()
    };
    let is_open = |trace: &StatementTrace| {
        let of = trace.statement();
        is_such(of.policy(), of.statement()) && misses_only_the_resource(trace)
    };
    // Explaining takes longer than deciding, and most policies have no such statement.
    has(authorization, &is_such) && authorization.explain().statements().iter().any(is_open)
}

/// Whether a statement that allows may except another resource in its `NotResource`.
fn may_except(authorization: &Authorization) -> bool {
    has(authorization, &|policy, statement| {
        statement.effect() == Effect::Allow && names(policy, statement, true, authorization)
    })
}

/// Whether such a statement is among those that take part in the decision.
fn has(authorization: &Authorization, is_such: &dyn Fn(&Policy, &Statement) -> bool) -> bool {
    for policy in all_of(&authorization.policies) {
        for statement in policy.statements() {
            if is_such(policy, statement) {
                return true;
            }
        }
    }
    false
}

/// Whether the statement's `Resource`, or its `NotResource`, has one that the ARN may stand for.
fn names(policy: &Policy, statement: &Statement, is_negated: bool, authorization: &Authorization) -> bool {
    let variables = match policy.version() {
        Version::V2008 => Variables::Literal,
        Version::V2012 => Variables::Anything,
    };
    // What an id stands for has no colon: an image is no instance.
    let open = Glob::new(&authorization.request.resource, Variables::Literal).within_parts();
    statement.resources().is_some_and(|resources| {
        resources.is_negated == is_negated
            && resources.values.iter().any(|value| Glob::new(value.text, variables).meets(open))
    })
}
