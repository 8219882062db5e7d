//! Sets as they would be if no wildcard of a resource reached beyond its part of an ARN.

use super::formula::{Formula, Matches, Members};
use crate::document::{Item, Version};
use crate::evaluate::Request;
use crate::pattern::{Pattern, Syntax, Wildcards};

/// Whether such a set has a request, for whose action these statements are.
pub(super) fn has(formula: &Formula, members: &Members, request: &Request) -> bool {
    match formula {
        Formula::All(parts) => parts.iter().all(|part| has(part, members, request)),
        Formula::Any(parts) => parts.iter().any(|part| has(part, members, request)),
        Formula::Matches(matches) => members.has(matches) && is_met(matches, request),
        Formula::Not(part) => !has(part, members, request),
        Formula::Policies(policies) => has(&policies.allowed, members, request),
        Formula::Unknown(_) => false,
    }
}

fn is_met(matches: &Matches, request: &Request) -> bool {
    let statement = matches.statement.statement();
    let variables = matches.statement.policy().version() == Version::V2012;
    let syntax = Syntax { wildcards: Wildcards::Arn, variables, fold: false };
    let is_met = |item: &Item<Pattern>| {
        let pattern = Pattern::compile(&item.text, syntax);
        pattern.is_ok_and(|pattern| pattern.matches(&item.text, &request.resource, &request.context).assumed)
    };
    let resource = statement.resource.as_ref();
    resource.is_none_or(|clause| clause.items.iter().any(is_met) != clause.negated)
        && statement
            .conditions
            .iter()
            .all(|condition| condition.holds(&request.context, statement.effect).assumed)
}
