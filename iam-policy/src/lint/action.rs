//! Names of services and actions.

use super::{Subject, did_you_mean};
use crate::catalogue;
use crate::diagnostic::Diagnostic;
use crate::document::{Effect, PolicyKind, Statement};
use crate::pattern::Glob;

pub(super) fn unknown_service(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let unknown = subject.actions().filter_map(|(text, span)| {
        let (prefix, _) = text.split_once(':').filter(|(prefix, _)| *prefix != "*")?;
        catalogue::service(prefix).is_none().then_some((prefix, span))
    });
    unknown
        .map(|(prefix, span)| {
            let finding = subject.finding(format!("AWS has no service `{prefix}`"), span, "");
            did_you_mean(finding, catalogue::near_services(prefix).first())
        })
        .collect()
}

pub(super) fn unknown_action(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let unknown = subject.actions().filter_map(|(text, span)| {
        let (prefix, name) = text.split_once(':')?;
        let service = catalogue::service(prefix)?;
        catalogue::expand(text).next().is_none().then_some((service, name, span))
    });
    unknown
        .map(|(service, name, span)| {
            let what = if name.contains(['*', '?']) { "no action like" } else { "no action" };
            let finding = subject.finding(format!("{} has {what} `{name}`", service.name()), span, "");
            let near = service.near_actions(name).first().map(|near| format!("{}:{near}", service.prefix()));
            did_you_mean(finding, near)
        })
        .collect()
}

/// Looks at the actions that a statement names one by one: who allows by a pattern may not have thought of each.
///
/// Of the actions that others depend on, `iam:PassRole` alone is needed by nearly every request; the Reference does not tell which
/// requests need the others.
pub(super) fn missing_dependent(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if subject.policy.kind() != PolicyKind::Identity || is_allowed(subject, PASS_ROLE) {
        return Vec::new();
    }
    allows(subject)
        .filter(|statement| !statement.action.negated)
        .flat_map(|statement| &statement.action.items)
        .filter(|item| {
            let action = catalogue::action(&item.text);
            action.is_some_and(|action| action.dependent_actions().any(|dependent| dependent == PASS_ROLE))
        })
        .map(|item| {
            let message =
                format!("`{}` can pass a role to the service, and `{PASS_ROLE}` is not allowed", item.text);
            subject.finding(message, item.span, "").help(format!(
                "allow `{PASS_ROLE}` on that role, here or in another policy of the same principal"
            ))
        })
        .collect()
}

pub(super) const PASS_ROLE: &str = "iam:PassRole";

fn allows<'p>(subject: &Subject<'p>) -> impl Iterator<Item = &'p Statement> {
    subject.statements.iter().copied().filter(|statement| statement.effect == Effect::Allow)
}

fn is_allowed(subject: &Subject<'_>, action: &str) -> bool {
    allows(subject).any(|statement| {
        let named =
            statement.action.items.iter().any(|item| Glob::action(&item.text).covers(Glob::action(action)));
        subject.is_open(statement.action.span) || named != statement.action.negated
    })
}
