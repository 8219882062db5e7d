//! The evaluation logic: which layers must allow, and what a grant in a resource-based policy makes unnecessary.

use super::matching::{StatementAt, has_identity};
use super::{Decision, Facts, Layer, PolicySet, PolicyType, Reason, Request, Verdict, layers};
use crate::document::{Effect, Grant};
use crate::principal::Principal;
use crate::truth::Truth;

pub(super) fn decide(policies: &PolicySet, request: &Request) -> Decision {
    let facts = Facts::new(policies, request);
    let layers = layers(policies, request);
    let mut missing_context: Vec<String> = Vec::new();
    let tallies: Vec<Tally> =
        layers.iter().map(|layer| Tally::count(layer, &facts, &mut missing_context)).collect();
    let court = Court { facts: &facts, layers: &layers, tallies: &tallies, policies };
    let reason = court.judge(&|truth| truth.assumed, &|truth| truth.assumed);
    // More allows can only allow more, and more denies can only deny more: the two extremes bound all that the unknown keys
    // could do.
    let certain = missing_context.is_empty() || {
        let strictest = court.judge(&|truth| truth.sure(), &|truth| truth.possible());
        let mildest = court.judge(&|truth| truth.possible(), &|truth| truth.sure());
        strictest.verdict() == reason.verdict() && mildest.verdict() == reason.verdict()
    };
    Decision { verdict: reason.verdict(), reason, by: court.deciders(reason), missing_context, certain }
}

impl Reason {
    fn verdict(self) -> Verdict {
        match self {
            Reason::Allowed => Verdict::Allowed,
            Reason::ExplicitDeny(_) => Verdict::ExplicitDeny,
            Reason::NoAllow(_) => Verdict::ImplicitDeny,
        }
    }
}

/// The statements of a layer that match, or could.
struct Tally {
    matched: Vec<(StatementAt, Effect, Truth, Grant)>,
}

impl Tally {
    fn count(layer: &Layer<'_>, facts: &Facts<'_>, missing: &mut Vec<String>) -> Tally {
        let mut matched = Vec::new();
        layer.visit_statements_about(facts, |at, statement| {
            let (truth, grant) = facts.matches(statement);
            if !truth.possible() {
                return;
            }
            if !truth.certain {
                for key in facts.unknown_keys(statement) {
                    if !missing.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                        missing.push(key.to_owned());
                    }
                }
            }
            matched.push((at, statement.effect, truth, grant));
        });
        Tally { matched }
    }

    fn denies(&self, holds: &impl Fn(Truth) -> bool) -> bool {
        self.matched.iter().any(|(_, effect, truth, _)| *effect == Effect::Deny && holds(*truth))
    }

    fn allows(&self, holds: &impl Fn(Truth) -> bool) -> Option<Grant> {
        let allows =
            self.matched.iter().filter(|(_, effect, truth, _)| *effect == Effect::Allow && holds(*truth));
        allows.map(|(.., grant)| *grant).max()
    }
}

struct Court<'c> {
    facts: &'c Facts<'c>,
    layers: &'c [Layer<'c>],
    tallies: &'c [Tally],
    policies: &'c PolicySet,
}

impl Court<'_> {
    /// The evaluation logic, with a say in which of the statements that could match do.
    fn judge(&self, allow: &impl Fn(Truth) -> bool, deny: &impl Fn(Truth) -> bool) -> Reason {
        for (layer, tally) in self.each() {
            if tally.denies(deny) {
                return Reason::ExplicitDeny(layer.policy_type);
            }
        }
        self.allowed(allow).map_or_else(Reason::NoAllow, |()| Reason::Allowed)
    }

    /// Whether every policy type that must allow does, else the first that does not.
    fn allowed(&self, holds: &impl Fn(Truth) -> bool) -> Result<(), PolicyType> {
        let all_allow = |types: &[PolicyType]| {
            let silent = |(layer, tally): &(&Layer<'_>, &Tally)| {
                types.contains(&layer.policy_type) && tally.allows(holds).is_none()
            };
            self.each().find(silent).map_or(Ok(()), |(layer, _)| Err(layer.policy_type))
        };
        // Not RCPs: `RCPFullAWSAccess`, which allows all, is attached at every level and cannot be detached.
        all_allow(&[PolicyType::ServiceControl])?;

        let principal = &self.facts.request.principal;
        let resource_type =
            self.policies.resource.as_ref().map_or(PolicyType::Resource, PolicyType::of_resource);
        let grant = self
            .each()
            .find(|(layer, _)| layer.policy_type == resource_type)
            .and_then(|(_, tally)| tally.allows(holds));
        if !has_identity(principal) {
            return if grant.is_some() { Ok(()) } else { Err(resource_type) };
        }
        let limits = || all_allow(&[PolicyType::Boundary, PolicyType::Session]);
        // The root user has no identity-based policies, and needs none.
        let own = || match principal {
            Principal::Root { .. } => Ok(()),
            _ => all_allow(&[PolicyType::Identity]),
        };
        if self.is_cross_account() {
            own()?;
            limits()?;
            return if grant.is_some() { Ok(()) } else { Err(resource_type) };
        }
        match grant {
            Some(Grant::Caller) => Ok(()),
            Some(Grant::Role) => limits(),
            None if self.resource_must_allow() => Err(resource_type),
            Some(Grant::Account) | None => {
                own()?;
                limits()
            }
        }
    }

    /// See [Cross-account policy evaluation logic](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html).
    fn is_cross_account(&self) -> bool {
        match (self.facts.request.principal.account(), self.facts.resource_account()) {
            (Some(principal), Some(resource)) => principal != resource,
            _ => false,
        }
    }

    /// In one account an identity-based policy is enough, except for what only its own policy opens: "IAM role trust policies
    /// and KMS key policies are exceptions to this logic, because they must explicitly allow access for principals".
    fn resource_must_allow(&self) -> bool {
        match self.policies.resource.as_ref().map(PolicyType::of_resource) {
            Some(PolicyType::Trust) => self.facts.is_of_service("sts"),
            Some(_) => self.facts.is_of_service("kms"),
            None => false,
        }
    }

    /// The statements to name for a reason.
    fn deciders(&self, reason: Reason) -> Vec<super::StatementRef> {
        let wanted = match reason {
            Reason::Allowed => Effect::Allow,
            Reason::ExplicitDeny(_) => Effect::Deny,
            Reason::NoAllow(_) => return Vec::new(),
        };
        let deciding = self.each().filter(|(layer, _)| wanted == Effect::Deny || layer.policy_type.grants());
        deciding
            .flat_map(|(layer, tally)| {
                let matched = tally
                    .matched
                    .iter()
                    .filter(move |(_, effect, truth, _)| *effect == wanted && truth.assumed);
                matched.filter_map(|(at, ..)| layer.reference(*at))
            })
            .collect()
    }

    fn each(&self) -> impl Iterator<Item = (&Layer<'_>, &Tally)> {
        self.layers.iter().zip(self.tallies)
    }
}
