//! What gives more than most policies should, or is more than AWS takes.

use super::Subject;
use super::action::PASS_ROLE;
use crate::diagnostic::Diagnostic;
use crate::document::{Clause, Effect, Item, PolicyKind, Statement};
use crate::pattern::{Glob, Pattern, Variables};

/// Boundaries and the policies of organizations limit what others give: there, `*` is a beginning and not a gift.
fn grants<'p>(subject: &Subject<'p>) -> impl Iterator<Item = &'p Statement> {
    let limits = matches!(
        subject.policy.kind(),
        PolicyKind::Boundary | PolicyKind::ResourceControl | PolicyKind::ServiceControl | PolicyKind::Session
    );
    let statements: &[&Statement] = if limits { &[] } else { subject.statements };
    statements.iter().copied().filter(|statement| statement.effect == Effect::Allow)
}

pub(super) fn wide_allow(subject: &Subject<'_>) -> Vec<Diagnostic> {
    grants(subject)
        .filter(|statement| statement.conditions.is_empty())
        .filter(|statement| statement.resource.as_ref().is_some_and(|clause| any(clause).is_some()))
        .filter_map(|statement| any(&statement.action))
        .map(|item| {
            subject
                .finding("the statement allows every action on every resource", item.span, "")
                .help("name the actions and resources that are needed")
        })
        .collect()
}

pub(super) fn wide_pass_role(subject: &Subject<'_>) -> Vec<Diagnostic> {
    grants(subject)
        .filter(|statement| !statement.action.negated && statement.conditions.is_empty())
        .filter(|statement| statement.resource.as_ref().is_some_and(reaches_every_role))
        .filter_map(|statement| {
            // Who allows everything has another lint.
            let named = statement.action.items.iter().filter(|item| !is_any(item));
            named.into_iter().find(|item| Glob::action(&item.text).covers(Glob::action(PASS_ROLE)))
        })
        .map(|item| {
            subject
                .finding(format!("`{}` lets every role be passed to every service", item.text), item.span, "")
                .help("name the roles in `Resource`, and the service in a condition on `iam:PassedToService`")
        })
        .collect()
}

pub(super) fn not_action_allow(subject: &Subject<'_>) -> Vec<Diagnostic> {
    grants(subject)
        .filter(|statement| statement.action.negated)
        .map(|statement| {
            subject
                .finding(
                    "`Allow` with `NotAction` allows all that is not named",
                    statement.action.span,
                    "all but these",
                )
                .help("name what is allowed in `Action`, or deny these actions in a statement of their own")
        })
        .collect()
}

pub(super) fn not_principal(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let principals = subject.statements.iter().filter_map(|statement| statement.principal.as_ref());
    principals
        .filter(|clause| clause.negated)
        .map(|clause| {
            subject
                .finding(
                    "`NotPrincipal` reaches every principal that is not named",
                    clause.span,
                    "all but these",
                )
                .help("write `\"Principal\": \"*\"` and a condition on `aws:PrincipalArn`")
        })
        .collect()
}

/// Above the limit it is an error, which [`Policy::check_size`](crate::Policy::check_size) finds.
pub(super) fn size(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let policy = subject.policy;
    let (size, limit) = (policy.size(), policy.kind().limit());
    if subject.is_open(policy.source().span()) || !(limit * 9 / 10 < size && size <= limit) {
        return Vec::new();
    }
    let message = format!("the policy is {size} of {limit} that AWS accepts for {}", policy.kind());
    vec![
        subject
            .finding(message, policy.source().start(), "")
            .help("merge statements, use wildcards, or split the policy"),
    ]
}

/// The value that stands for everything.
fn any(clause: &Clause<Pattern>) -> Option<&Item<Pattern>> {
    clause.items.iter().find(|item| is_any(item)).filter(|_| !clause.negated)
}

fn is_any(item: &Item<Pattern>) -> bool {
    matches!(&*item.text, "*" | "*:*")
}

fn reaches_every_role(resources: &Clause<Pattern>) -> bool {
    let roles = Glob::new("arn:aws:iam::123456789012:role/*", Variables::Literal);
    !resources.negated
        && resources.items.iter().any(|item| Glob::new(&item.text, Variables::Literal).covers(roles))
}
