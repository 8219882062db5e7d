//! The evaluation logic: which layers must allow, and what a grant in a resource-based policy makes unnecessary.
//!
//! In loops and not in chains of iterators: each call of a test is decided here, in a debug build mostly.

use super::matching::{StatementAt, has_identity};
use super::{Decision, Facts, Layer, PolicySet, PolicyType, Reason, Request, StatementRef, Verdict, layers};
use crate::document::{Effect, Grant};
use crate::principal::Principal;
use crate::truth::Truth;

pub(super) fn decide(policies: &PolicySet, request: &Request) -> Decision {
    let facts = Facts::new(policies, request);
    let mut missing_context: Vec<String> = Vec::new();
    let layers = layers(policies, request);
    let mut tallies = Vec::with_capacity(layers.len());
    for layer in layers {
        tallies.push(Tally::count(layer, &facts, &mut missing_context));
    }
    let court = Court { facts: &facts, tallies: &tallies, policies };
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

/// What is to be thought of a statement that could match.
type Holds<'h> = &'h dyn Fn(Truth) -> bool;

/// A layer, and those of its statements that match, or could.
struct Tally<'s> {
    layer: Layer<'s>,
    matched: Vec<Match>,
}

struct Match {
    at: StatementAt,
    effect: Effect,
    truth: Truth,
    grant: Grant,
}

impl<'s> Tally<'s> {
    fn count(layer: Layer<'s>, facts: &Facts<'_>, missing: &mut Vec<String>) -> Tally<'s> {
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
            matched.push(Match { at, effect: statement.effect, truth, grant });
        });
        Tally { layer, matched }
    }

    fn denies(&self, holds: Holds<'_>) -> bool {
        for one in &self.matched {
            if one.effect == Effect::Deny && holds(one.truth) {
                return true;
            }
        }
        false
    }

    fn allows(&self, holds: Holds<'_>) -> Option<Grant> {
        let mut most = None;
        for one in &self.matched {
            if one.effect == Effect::Allow && holds(one.truth) {
                most = most.max(Some(one.grant));
            }
        }
        most
    }
}

struct Court<'c> {
    facts: &'c Facts<'c>,
    tallies: &'c [Tally<'c>],
    policies: &'c PolicySet,
}

impl Court<'_> {
    /// The evaluation logic, with a say in which of the statements that could match do.
    fn judge(&self, allow: Holds<'_>, deny: Holds<'_>) -> Reason {
        for tally in self.tallies {
            if tally.denies(deny) {
                return Reason::ExplicitDeny(tally.layer.policy_type);
            }
        }
        match self.allowed(allow) {
            Ok(()) => Reason::Allowed,
            Err(silent) => Reason::NoAllow(silent),
        }
    }

    /// Whether every policy type that must allow does, else the first that does not.
    fn allowed(&self, holds: Holds<'_>) -> Result<(), PolicyType> {
        // Not RCPs: `RCPFullAWSAccess`, which allows all, is attached at every level and cannot be detached.
        self.all_allow(&[PolicyType::ServiceControl], holds)?;

        let principal = &self.facts.request.principal;
        let (resource_type, grant) = self.grant_of_resource(holds);
        if !has_identity(principal) {
            return if grant.is_some() { Ok(()) } else { Err(resource_type) };
        }
        let limits = || self.all_allow(&[PolicyType::Boundary, PolicyType::Session], holds);
        // The root user has no identity-based policies, and needs none.
        let own = || match principal {
            Principal::Root { .. } => Ok(()),
            _ => self.all_allow(&[PolicyType::Identity], holds),
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

    fn all_allow(&self, types: &[PolicyType], holds: Holds<'_>) -> Result<(), PolicyType> {
        for tally in self.tallies {
            let policy_type = tally.layer.policy_type;
            if types.contains(&policy_type) && tally.allows(holds).is_none() {
                return Err(policy_type);
            }
        }
        Ok(())
    }

    /// What the resource's own policy is called, and to whom it gives the permission.
    fn grant_of_resource(&self, holds: Holds<'_>) -> (PolicyType, Option<Grant>) {
        let Some(policy) = &self.policies.resource else { return (PolicyType::Resource, None) };
        let policy_type = PolicyType::of_resource(policy);
        for tally in self.tallies {
            if tally.layer.policy_type == policy_type {
                return (policy_type, tally.allows(holds));
            }
        }
        (policy_type, None)
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
    fn deciders(&self, reason: Reason) -> Vec<StatementRef> {
        let wanted = match reason {
            Reason::Allowed => Effect::Allow,
            Reason::ExplicitDeny(_) => Effect::Deny,
            Reason::NoAllow(_) => return Vec::new(),
        };
        let mut deciders = Vec::new();
        for Tally { layer, matched } in self.tallies {
            if wanted == Effect::Allow && !layer.policy_type.grants() {
                continue;
            }
            for one in matched {
                if one.effect == wanted && one.truth.assumed {
                    deciders.extend(layer.reference(one.at));
                }
            }
        }
        deciders
    }
}
