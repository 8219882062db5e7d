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

pub(super) fn wide_allow(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for statement in grants(subject).filter(|statement| statement.conditions.is_empty()) {
        if let Some(item) = any(&statement.action)
            && statement.resource.as_ref().is_some_and(|clause| any(clause).is_some())
        {
            found.push(
                subject
                    .finding("the statement allows every action on every resource", item.span, "")
                    .help("name the actions and resources that are needed"),
            );
        }
    }
}

pub(super) fn wide_pass_role(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for statement in grants(subject) {
        if statement.action.negated
            || !statement.conditions.is_empty()
            || !statement.resource.as_ref().is_some_and(reaches_every_role)
        {
            continue;
        }
        let passes = |item: &&Item<Pattern>| {
            // Who allows everything has another lint.
            !is_any(item) && Glob::action(&item.text).covers(Glob::action(PASS_ROLE))
        };
        if let Some(item) = statement.action.items.iter().find(passes) {
            let message = format!("`{}` lets every role be passed to every service", item.text);
            found.push(subject.finding(message, item.span, "").help(
                "name the roles in `Resource`, and the service in a condition on `iam:PassedToService`",
            ));
        }
    }
}

pub(super) fn not_action_allow(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for statement in grants(subject).filter(|statement| statement.action.negated) {
        found.push(
            subject
                .finding(
                    "`Allow` with `NotAction` allows all that is not named",
                    statement.action.span,
                    "all but these",
                )
                .help("name what is allowed in `Action`, or deny these actions in a statement of their own"),
        );
    }
}

pub(super) fn not_principal(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for statement in subject.statements {
        if let Some(clause) = statement.principal.as_ref().filter(|clause| clause.negated) {
            found.push(
                subject
                    .finding(
                        "`NotPrincipal` reaches every principal that is not named",
                        clause.span,
                        "all but these",
                    )
                    .help("write `\"Principal\": \"*\"` and a condition on `aws:PrincipalArn`"),
            );
        }
    }
}

/// Above the limit it is an error, which [`Policy::check_size`](crate::Policy::check_size) finds.
pub(super) fn size(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let policy = subject.policy;
    let (size, limit) = (policy.size(), policy.kind().limit());
    if limit * 9 / 10 < size && size <= limit && !subject.is_open(policy.source().span()) {
        let message = format!("the policy is {size} of {limit} that AWS accepts for {}", policy.kind());
        found.push(
            subject
                .finding(message, policy.source().start(), "")
                .help("merge statements, use wildcards, or split the policy"),
        );
    }
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
