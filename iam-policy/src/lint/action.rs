//! Names of services and actions.

use super::{Subject, did_you_mean};
use crate::catalogue;
use crate::diagnostic::Diagnostic;
use crate::document::{Effect, PolicyKind, Statement};
use crate::pattern::Glob;

pub(super) fn unknown_service(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (text, span) in subject.actions() {
        let Some((prefix, _)) = text.split_once(':').filter(|(prefix, _)| *prefix != "*") else { continue };
        if catalogue::service(prefix).is_none() {
            let finding = subject.finding(format!("AWS has no service `{prefix}`"), span, "");
            found.push(did_you_mean(finding, catalogue::near_services(prefix).first()));
        }
    }
}

pub(super) fn unknown_action(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (text, span) in subject.actions() {
        let Some((prefix, name)) = text.split_once(':') else { continue };
        let Some(service) = catalogue::service(prefix) else { continue };
        if catalogue::expand(text).next().is_some() {
            continue;
        }
        let what = if name.contains(['*', '?']) { "no action like" } else { "no action" };
        let finding = subject.finding(format!("{} has {what} `{name}`", service.name()), span, "");
        let near = service.near_actions(name).first().map(|near| format!("{}:{near}", service.prefix()));
        found.push(did_you_mean(finding, near.as_ref()));
    }
}

/// Looks at the actions that a statement names one by one: who allows by a pattern may not have thought of each.
///
/// Of the actions that others depend on, `iam:PassRole` alone is needed by nearly every request; the Reference does not tell which
/// requests need the others.
pub(super) fn missing_dependent(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.policy.kind() != PolicyKind::Identity || is_allowed(subject, PASS_ROLE) {
        return;
    }
    for statement in allows(subject).filter(|statement| !statement.action.negated) {
        for item in &statement.action.items {
            let action = catalogue::action(&item.text);
            if action.is_some_and(|action| action.dependent_actions().any(|dependent| dependent == PASS_ROLE))
            {
                let message = format!(
                    "`{}` can pass a role to the service, and `{PASS_ROLE}` is not allowed",
                    item.text
                );
                found.push(subject.finding(message, item.span, "").help(format!(
                    "allow `{PASS_ROLE}` on that role, here or in another policy of the same principal"
                )));
            }
        }
    }
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
