//! May the caller do this? The question, AWS's sentence for a no, and the journal's copy of both.

pub(crate) mod alike;
pub(crate) mod organization;
pub(crate) mod resource_policy;
pub(crate) mod told;

use std::sync::Arc;

use iam_policy::{Context, Decision, Policy, PolicySet, Principal, Request, Span, Verdict};

use crate::authorize::alike::is_of_all_alike;
use crate::call::Call;
use crate::derive::Resource;
use crate::journal::{Authorization, Outcome};

/// One thing that an operation needs to be allowed.
pub(crate) struct Access<'a> {
    pub(crate) action: &'a str,
    /// The resource's ARN, or `*`.
    pub(crate) resource: String,
    /// Whose the resource is; the account that its ARN names or else the caller's, where this does not tell.
    pub(crate) resource_account: Option<String>,
    /// The resource's own policy: a bucket policy, a role's trust policy.
    pub(crate) resource_policy: Option<Policy>,
    /// Sets the operation's own condition keys, and declares absent those that AWS would not have.
    pub(crate) conditions: &'a dyn Fn(&mut Context),
    /// Beginnings of keys that are absent wherever `conditions` did not set them, as `s3:RequestObjectTag/`.
    pub(crate) absent: &'a [&'a str],
}

/// Why a call may not go on.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// The policies say no, in AWS's words.
    Denied(String),
    /// The policies ask for a condition key that the endpoint does not know. Never a denial: 501.
    KeyNotEvaluable(String),
    /// The policies tell apart what the request does not. Never a denial: 501.
    ResourceNotEvaluable(String),
    /// The role that the session stands for would be allowed it. Never a denial: 501.
    SessionNotEvaluable(String),
}

impl Refusal {
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Denied(_) => Outcome::Denied,
            Self::KeyNotEvaluable(_) | Self::ResourceNotEvaluable(_) | Self::SessionNotEvaluable(_) => {
                Outcome::NotEvaluable
            }
        }
    }
}

impl Call<'_> {
    /// Decides, and journals the decision.
    pub(crate) fn authorize(&self, access: Access<'_>) -> Result<(), Refusal> {
        self.authorize_as(self.caller.principal.clone(), access)
    }

    /// The same for another principal than the caller: one that an identity provider vouches for.
    pub(crate) fn authorize_as(&self, principal: Principal, access: Access<'_>) -> Result<(), Refusal> {
        let (action, absent) = (access.action, access.absent);
        let authorization = self.judge(principal, access, &|key| is_absent(key, action, absent));
        let answer = self.answer(&authorization);
        self.journal(authorization, answer)
    }

    /// Decides and journals, where `is_absent` says which of the keys that nobody set are known not to be in the request.
    /// A resource that the request does not tell is a `*` in the ARN: whoever may act on all such resources or on none is
    /// answered.
    pub(crate) fn authorize_where(
        &self,
        access: Access<'_>,
        is_told: bool,
        is_absent: &dyn Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        let authorization = self.judge(self.caller.principal.clone(), access, is_absent);
        let answer = if is_told || is_of_all_alike(&authorization) {
            self.answer(&authorization)
        } else {
            Err(Refusal::ResourceNotEvaluable(format!(
                "this endpoint cannot say whether {} may {} here: the request does not tell which of `{}` it is about, and \
                 the policies do not treat them all alike; this is no denial. A test can tell it with \
                 `TemporaryRole::builder().operation` or `Endpoint::declare`, as `{}@*='ARN'`",
                authorization.request.principal,
                authorization.request.action,
                authorization.request.resource,
                authorization.request.action.rsplit(':').next().unwrap_or_default(),
            )))
        };
        self.journal(authorization, answer)
    }

    fn journal(&self, authorization: Authorization, answer: Result<(), Refusal>) -> Result<(), Refusal> {
        let mut record = self.record.borrow_mut();
        record.authorizations.push(authorization);
        if let Err(refusal) = &answer {
            record.outcome = Some(refusal.outcome());
        }
        answer
    }

    /// Decides without journalling: what S3 does to see whether the caller may learn that a key is absent.
    pub(crate) fn probe(&self, access: Access<'_>) -> Result<(), Refusal> {
        let (action, absent) = (access.action, access.absent);
        let principal = self.caller.principal.clone();
        self.answer(&self.judge(principal, access, &|key| is_absent(key, action, absent)))
    }

    fn judge(
        &self,
        principal: Principal,
        access: Access<'_>,
        is_absent: &dyn Fn(&str) -> bool,
    ) -> Authorization {
        let resource_account =
            access.resource_account.unwrap_or_else(|| self.account_of(&access.resource).to_owned());
        let organization = self.endpoint.organization();
        let mut context = Context::over(self.global_context());
        context.set("aws:ResourceAccount", resource_account.as_str());
        if let Some(organization) = &organization {
            organization.set_keys(&mut context, self.caller.principal.account(), &resource_account);
        }
        (access.conditions)(&mut context);
        self.endpoint.told.set_context(&self.caller, &mut context);
        let mut policies = Arc::clone(&self.caller.policies);
        if access.resource_policy.is_some() {
            Arc::make_mut(&mut policies).resource = access.resource_policy;
        }
        if let Some(organization) = &organization {
            let policies = Arc::make_mut(&mut policies);
            let principal_account = self.caller.principal.account();
            organization.limit(policies, access.action, principal_account, &resource_account);
        }
        let mut request = Request {
            principal,
            action: access.action.to_owned(),
            resource: access.resource,
            resource_account: Some(resource_account),
            context,
        };
        let decision = decide(&policies, &mut request, is_absent);
        // Nothing denies it; a grant then opens a key that its policy does not.
        if decision.verdict == Verdict::ImplicitDeny
            && let Some(granted) = self.endpoint.resource_policies.granted(&request.resource)
        {
            let mut policies = Arc::clone(&policies);
            Arc::make_mut(&mut policies).resource = Some(granted);
            let decision = decide(&policies, &mut request, is_absent);
            if decision.is_allowed() {
                return Authorization { request, decision, policies };
            }
        }
        Authorization { request, decision, policies }
    }

    /// The account that an ARN names, or else the caller's.
    fn account_of<'s>(&'s self, arn: &'s str) -> &'s str {
        Resource::of(arn).account().unwrap_or(&self.endpoint.account.id)
    }

    fn answer(&self, authorization: &Authorization) -> Result<(), Refusal> {
        let Authorization { request: Request { action, resource, principal, .. }, decision, .. } =
            authorization;
        if !decision.missing_context.is_empty() && !decision.is_certain() {
            let asked: Vec<_> = decision
                .missing_context
                .iter()
                .map(|key| format!("`{key}`{}", place_of(key, &authorization.policies)))
                .collect();
            return Err(Refusal::KeyNotEvaluable(format!(
                "this endpoint cannot say whether {principal} may {action} on {resource}: a policy asks for the \
                 condition key {}, which it does not know for `{}`; this is no denial",
                asked.join(", "),
                self.record.borrow().operation,
            )));
        }
        if decision.verdict == Verdict::Allowed {
            return Ok(());
        }
        if let Some(of_role) = self.of_role(authorization) {
            let by =
                of_role.by.first().map_or_else(|| "a resource-based policy".to_owned(), ToString::to_string);
            return Err(Refusal::SessionNotEvaluable(format!(
                "this endpoint cannot say whether a role with the policies under test may {action} on {resource}: {by} grants to \
                 the role, past its own policies, and {principal}, which stands for it, is limited by its session policies; \
                 this is no denial. Give the test a role of its own: `Mode::Role`, or `IAM_FIXTURE_MODE=role`"
            )));
        }
        Err(Refusal::Denied(format!(
            "User: {principal} is not authorized to perform: {action} on resource: {resource} {}",
            decision.reason.sentence(action)
        )))
    }

    /// What is decided for the role that the calling session stands for, where it is not the same denial.
    ///
    /// What the session is allowed the role is, too: both have the policies, and what the session's own role may besides them
    /// counts only within them.
    fn of_role(&self, authorization: &Authorization) -> Option<Decision> {
        let Authorization { request, decision, policies } = authorization;
        let session = policies.session.as_ref().filter(|_| decision.verdict == Verdict::ImplicitDeny)?;
        if !self.endpoint.told.stands_for_role(&self.caller) {
            return None;
        }
        let mut policies =
            PolicySet { identity: session.clone(), session: None, ..PolicySet::clone(policies) };
        let other = |decision: &Decision| decision.is_allowed() || !decision.is_certain();
        Some(policies.decide(request)).filter(other).or_else(|| {
            policies.resource = Some(self.endpoint.resource_policies.granted(&request.resource)?);
            Some(policies.decide(request)).filter(other)
        })
    }
}

/// Decides, and declares what is absent where a policy asks for it.
pub(crate) fn decide(
    policies: &PolicySet,
    request: &mut Request,
    is_absent: &dyn Fn(&str) -> bool,
) -> Decision {
    let mut decision = policies.decide(request);
    if decision.missing_context.is_empty() {
        return decision;
    }
    let missing = std::mem::take(&mut decision.missing_context);
    let (absent, unknown): (Vec<_>, Vec<_>) = missing.into_iter().partition(|key| is_absent(key));
    decision.missing_context = unknown;
    if absent.is_empty() {
        return decision;
    }
    for key in absent {
        request.context.absent(key);
    }
    policies.decide(request)
}

/// Every policy that plays a part.
pub(crate) fn all_of(policies: &PolicySet) -> Vec<&Policy> {
    let PolicySet { identity, resource, boundary, session, scps, rcps } = policies;
    let mut all = Vec::with_capacity(identity.len() + 1);
    all.extend(identity.iter());
    all.extend(resource);
    all.extend(boundary.iter());
    if let Some(session) = session {
        all.extend(session.iter());
    }
    for level in [scps, rcps] {
        for policies in level {
            all.extend(policies.iter());
        }
    }
    all
}

/// Where a policy asks for a condition key, as in ` at reader.json:4:5`.
fn place_of(key: &str, policies: &PolicySet) -> String {
    let key = key.to_ascii_lowercase();
    for policy in all_of(policies) {
        let source = policy.source();
        for statement in policy.statements() {
            let Span { start, end } = statement.span();
            let text = source.text().get(start..end).unwrap_or_default();
            if text.to_ascii_lowercase().contains(&key) {
                return format!(" at {}:{}", source.name(), source.location(start));
            }
        }
    }
    String::new()
}

/// Whether a key that nobody set is known not to be in this request.
///
/// Every global key that a direct call from outside a VPC can have is set, so
/// the others are absent; so is another service's key. What remains unknown is a key of the action's own service, and
/// the tags of the resource.
fn is_absent(key: &str, action: &str, prefixes: &[&str]) -> bool {
    let starts_with =
        |prefix: &str| key.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let own_service = action.split_inclusive(':').next().unwrap_or_default();
    prefixes.iter().any(|prefix| starts_with(prefix))
        || !(starts_with(own_service) || starts_with("aws:ResourceTag/"))
}

#[cfg(test)]
mod tests {
    use super::is_absent;

    #[test]
    fn only_keys_that_the_operation_could_carry_stay_unknown() {
        for (key, absent) in [
            ("aws:SourceVpc", true),
            ("aws:PrincipalTag/Team", true),
            ("iam:PolicyARN", true),
            ("s3:RequestObjectTag/Team", true),
            ("S3:prefix", false),
            ("AWS:resourcetag/Team", false),
        ] {
            assert_eq!(is_absent(key, "s3:ListBucket", &["s3:RequestObjectTag/"]), absent, "{key}");
        }
    }
}
