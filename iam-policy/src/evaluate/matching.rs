//! Whether a statement matches a request, and the layers of a policy set whose statements are asked.

use super::policies::{NONE, Policies};
use super::{PolicySet, PolicyType, Request, StatementRef, Topic};
use crate::arn::{Arn, is_account_id};
use crate::condition::Condition;
use crate::document::{Clause, Effect, Grant, Policy, PrincipalMatcher, Statement};
use crate::pattern::Pattern;
use crate::principal::Principal;
use crate::truth::Truth;

/// A request, as statements are asked about it.
pub(crate) struct Facts<'r> {
    pub(crate) request: &'r Request,
    topic: Topic<'r>,
    /// Whether the principal has a permissions boundary.
    bounded: bool,
}

/// Policies that are alike in a decision: one of them must allow, or need not.
pub(crate) struct Layer<'s> {
    pub(crate) policy_type: PolicyType,
    members: Members<'s>,
    /// Where the layer's field of the policy set has several.
    level: Option<usize>,
}

enum Members<'s> {
    List(&'s Policies),
    One(&'s Policy),
}

/// The layers of a policy set that apply to a request, in the order in which they are asked.
pub(crate) fn layers<'s>(policies: &'s PolicySet, request: &Request) -> Vec<Layer<'s>> {
    let mut layers =
        Vec::with_capacity(3 + policies.boundary.len() + policies.scps.len() + policies.rcps.len());
    let mut add = |policy_type, members, level| layers.push(Layer { policy_type, members, level });
    if !is_service_linked(&request.principal) {
        // "SCPs affect only IAM users and roles", and the root user, "in a member account".
        if has_identity(&request.principal) {
            for (level, policies) in policies.scps.iter().enumerate() {
                add(PolicyType::ServiceControl, Members::List(policies), Some(level));
            }
        }
        if !is_out_of_reach(request) {
            for (level, policies) in policies.rcps.iter().enumerate() {
                add(PolicyType::ResourceControl, Members::List(policies), Some(level));
            }
        }
    }
    if has_identity(&request.principal) {
        add(PolicyType::Identity, Members::List(&policies.identity), None);
    }
    if let Some(policy) = &policies.resource {
        add(PolicyType::of_resource(policy), Members::One(policy), None);
    }
    if has_identity(&request.principal) {
        for (level, policy) in policies.boundary.iter().enumerate() {
            add(PolicyType::Boundary, Members::One(policy), Some(level));
        }
        match &policies.session {
            Some(policies) => add(PolicyType::Session, Members::List(policies), None),
            // "If you do not pass any session policies, then the resulting federated user session has no permissions":
            // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
            None if matches!(request.principal, Principal::FederatedUser { .. }) => {
                add(PolicyType::Session, Members::List(&NONE), None);
            }
            None => {}
        }
    }
    layers
}

/// Whether the principal is somebody of an account, to whom identity-based policies can be attached.
pub(crate) fn has_identity(principal: &Principal) -> bool {
    match principal {
        Principal::AssumedRole { .. }
        | Principal::FederatedUser { .. }
        | Principal::Root { .. }
        | Principal::User { .. } => true,
        Principal::Anonymous | Principal::Federated { .. } | Principal::Service { .. } => false,
    }
}

/// Neither SCPs nor RCPs affect
/// [service-linked roles](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html#not-restricted-by-scp).
fn is_service_linked(principal: &Principal) -> bool {
    match principal {
        Principal::AssumedRole { role_arn, .. } => is_service_linked_role(role_arn),
        _ => false,
    }
}

fn is_service_linked_role(arn: &str) -> bool {
    Arn::parse(arn)
        .is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/aws-service-role/"))
}

/// RCPs affect neither `kms:RetireGrant` nor who may assume a service-linked role: see
/// [Resources and entities not restricted by RCPs](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#actions-not-restricted-by-rcps).
fn is_out_of_reach(request: &Request) -> bool {
    request.action.eq_ignore_ascii_case("kms:RetireGrant")
        || request.action.eq_ignore_ascii_case("sts:AssumeRole") && is_service_linked_role(&request.resource)
}

impl<'s> Layer<'s> {
    pub(crate) fn statements(&self) -> Vec<(StatementAt, &'s Statement)> {
        let mut statements = Vec::new();
        for (policy, one) in self.members.as_slice().iter().enumerate() {
            for (index, statement) in one.statements().iter().enumerate() {
                statements.push((StatementAt { policy, index }, statement));
            }
        }
        statements
    }

    /// Visits the statements about the request's action, but for some that are not about its resource, in their order.
    #[inline]
    pub(crate) fn visit_statements_about(
        &self,
        facts: &Facts<'_>,
        mut visit: impl FnMut(StatementAt, &'s Statement),
    ) {
        match self.members {
            Members::List(policies) => policies.visit_statements_about(facts.topic, visit),
            Members::One(policy) => policy.visit_statements_about(facts.topic, |index, statement| {
                visit(StatementAt { policy: 0, index }, statement);
            }),
        }
    }

    pub(crate) fn reference(&self, at: StatementAt) -> Option<StatementRef> {
        let listed = matches!(self.members, Members::List(_));
        Some(StatementRef {
            policy: self.members.as_slice().get(at.policy)?.clone(),
            policy_type: self.policy_type,
            place: [self.level, listed.then_some(at.policy)],
            index: at.index,
        })
    }
}

impl<'s> Members<'s> {
    fn as_slice(&self) -> &'s [Policy] {
        match self {
            Members::List(policies) => policies,
            Members::One(policy) => std::slice::from_ref(policy),
        }
    }
}

/// A statement of a layer.
#[derive(Clone, Copy)]
pub(crate) struct StatementAt {
    pub(super) policy: usize,
    pub(super) index: usize,
}

impl<'r> Facts<'r> {
    pub(crate) fn new(policies: &PolicySet, request: &'r Request) -> Facts<'r> {
        let bounded = has_identity(&request.principal) && !policies.boundary.is_empty();
        Facts { request, topic: Topic::of(request), bounded }
    }

    /// Whether a statement about the request's action matches the request, and to whom it speaks.
    #[inline]
    pub(crate) fn matches(&self, statement: &Statement) -> (Truth, Grant) {
        let grant = match &statement.principal {
            None => Grant::Caller,
            Some(principal) => match self.principal(principal, statement.effect) {
                Some(grant) => grant,
                None => return (Truth::NO, Grant::Caller),
            },
        };
        let resource = statement.resource.as_ref().map_or(Truth::YES, |resource| self.resource(resource));
        if resource == Truth::NO {
            return (Truth::NO, grant);
        }
        let conditions = statement.conditions.iter();
        let conditions = Truth::all(conditions.map(|condition| self.condition(condition, statement.effect)));
        (Truth::all([resource, conditions]), grant)
    }

    #[inline]
    pub(crate) fn resource(&self, clause: &Clause<Pattern>) -> Truth {
        let (resource, context) = (&self.request.resource, &self.request.context);
        Truth::any(clause.items.iter().map(|item| item.matches(resource, context))).negated_if(clause.negated)
    }

    /// To whom the element speaks when it speaks to the request's principal.
    pub(crate) fn principal(&self, clause: &Clause<PrincipalMatcher>, effect: Effect) -> Option<Grant> {
        let principal = &self.request.principal;
        let named =
            |identity: &Principal| clause.items.iter().filter_map(|item| item.matcher.names(identity)).max();
        if !clause.negated {
            return named(principal);
        }
        // Three rules of [NotPrincipal](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html):
        // a deny spares a principal only if it and all that it belongs to, its role and its account, are named; it spares
        // nobody who has a permissions boundary; and an allow, which AWS does not support, gives nothing to a principal that
        // is named in any way.
        let spared = match effect {
            Effect::Allow => named(principal).is_some(),
            Effect::Deny => !self.bounded && self.all_named(clause),
        };
        (!spared).then_some(Grant::Role)
    }

    fn all_named(&self, clause: &Clause<PrincipalMatcher>) -> bool {
        let principal = &self.request.principal;
        let named_as =
            |grant: Grant| clause.items.iter().any(|item| item.matcher.names(principal) == Some(grant));
        let everyone = clause.items.iter().any(|item| item.matcher.is_everyone());
        everyone
            || match principal {
                Principal::AssumedRole { .. } => {
                    named_as(Grant::Caller) && named_as(Grant::Role) && named_as(Grant::Account)
                }
                Principal::FederatedUser { .. } | Principal::User { .. } => {
                    named_as(Grant::Caller) && named_as(Grant::Account)
                }
                Principal::Anonymous
                | Principal::Federated { .. }
                | Principal::Root { .. }
                | Principal::Service { .. } => named_as(Grant::Caller),
            }
    }

    #[inline]
    pub(crate) fn condition(&self, condition: &Condition, effect: Effect) -> Truth {
        condition.holds(&self.request.context, effect)
    }

    /// The keys about which nothing is known and on which the statement's match depends.
    pub(crate) fn unknown_keys<'k>(&self, statement: &'k Statement) -> Vec<&'k str> {
        let context = &self.request.context;
        let mut found = Vec::new();
        if let Some(clause) = statement.resource.as_ref().filter(|clause| !self.resource(clause).certain) {
            clause.items.iter().for_each(|item| item.matcher.unknown_keys(context, &mut found));
        }
        for condition in &statement.conditions {
            if !self.condition(condition, statement.effect).certain {
                condition.unknown_keys(context, &mut found);
            }
        }
        found
    }

    pub(crate) fn is_of_service(&self, prefix: &str) -> bool {
        self.request.action.split_once(':').is_some_and(|(service, _)| service.eq_ignore_ascii_case(prefix))
    }

    /// The account that the resource belongs to, where it is known.
    pub(crate) fn resource_account(&self) -> Option<&str> {
        let in_arn = || {
            let account = Arn::parse(&self.request.resource)?.account;
            is_account_id(account).then_some(account)
        };
        self.request.resource_account.as_deref().or_else(in_arn)
    }
}
