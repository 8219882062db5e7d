//! Decisions: what a set of policies says about a request.
//!
//! ```text
//! PolicySet ─┐             ┌─ verdict, reason   allowed, or which policy type denies or does not allow
//!            ├─ Decision ──┼─ by                the statements that decided
//! Request ───┘             └─ missing_context   the keys that the policies asked for in vain
//! ```
//!
//! See [Policy evaluation logic](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).

mod decide;
mod index;
mod matching;
mod policies;
mod starts;

use std::fmt;

use crate::context::Context;
use crate::document::{Policy, PolicyKind, Statement};
use crate::principal::Principal;
use crate::source::Location;

pub(crate) use index::{Topic, Topics};
pub(crate) use matching::{Facts, Layer, layers};
pub use policies::Policies;

/// What somebody wants to do.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// What for: `s3:GetObject`.
    pub action: String,
    /// The ARN of the resource, or `*` where the action has none.
    pub resource: String,
    /// The account that the resource belongs to; where `None`, the one that its ARN names, and failing that the principal's.
    pub resource_account: Option<String>,
    /// The request's condition keys.
    pub context: Context,
}

/// The policies that apply to a request.
///
/// # Examples
///
/// ```
/// use iam_policy::{Context, Policy, PolicyKind, PolicySet, Principal, Request, Verdict};
///
/// let policy = r#"{"Version": "2012-10-17", "Statement": {
///     "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::reports/${aws:username}/*"}}"#;
/// let policies = PolicySet {
///     identity: vec![Policy::parse(policy, PolicyKind::Identity).unwrap()].into(),
///     ..PolicySet::default()
/// };
/// let mut request = Request {
///     principal: Principal::User { arn: "arn:aws:iam::123456789012:user/alice".into() },
///     action: "s3:GetObject".into(),
///     resource: "arn:aws:s3:::reports/alice/may.csv".into(),
///     resource_account: None,
///     context: Context::new(),
/// };
/// let decision = policies.decide(&request);
/// assert_eq!(decision.verdict, Verdict::ImplicitDeny);
/// assert_eq!(decision.missing_context, ["aws:username"]);
///
/// request.context.set("aws:username", "alice");
/// assert_eq!(policies.decide(&request).verdict, Verdict::Allowed);
/// ```
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    /// The principal's identity-based policies, those of its groups included.
    pub identity: Policies,
    /// The resource's own policy: a bucket policy, a key policy, a role's trust policy.
    pub resource: Option<Policy>,
    /// The principal's permissions boundary. Each of several must allow.
    pub boundary: Vec<Policy>,
    /// The session policies, one of which must allow; `Some` of none allows nothing, and so does `None` for a federated user.
    pub session: Option<Policies>,
    /// Service control policies of the principal's account, by level from the root down. One at each level must allow.
    ///
    /// Leave them out for the management account, which they do not affect.
    pub scps: Vec<Policies>,
    /// Resource control policies of the resource's account, by level from the root down. They deny; AWS's own
    /// `RCPFullAWSAccess`, which [cannot be detached] and without which nothing would be allowed, need not be among them.
    ///
    /// Leave them out for a resource of the management account, which they do not affect.
    ///
    /// [cannot be detached]: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
    pub rcps: Vec<Policies>,
}

/// The answer to a request, and where it comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decision {
    /// The answer.
    pub verdict: Verdict,
    /// Which policy type the answer comes from.
    pub reason: Reason,
    /// The statements that decided: those that deny, or those of identity-based and resource-based policies that allow. None
    /// for an implicit deny.
    pub by: Vec<StatementRef>,
    /// The condition keys that were asked for, and that were neither set nor declared absent, in statements that match the
    /// request in all else. AWS's rules for missing keys were applied to them.
    pub missing_context: Vec<String>,
    certain: bool,
}

/// Allowed or denied, in the words of [`SimulatePrincipalPolicy`].
///
/// [`SimulatePrincipalPolicy`]: https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Verdict {
    /// A policy allows it, none denies it, and none that must also allow it is missing.
    Allowed,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement denies it, but a policy that must allow it does not.
    ImplicitDeny,
}

/// Which policy type a verdict comes from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// It is allowed.
    Allowed,
    /// A statement in a policy of this type denies it.
    ExplicitDeny(PolicyType),
    /// No policy of this type allows it, and one must.
    NoAllow(PolicyType),
}

/// The types of policies that take part in a decision. `Display` is AWS's wording in access denied messages.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PolicyType {
    /// permissions boundary
    Boundary,
    /// identity-based policy
    Identity,
    /// resource-based policy
    Resource,
    /// resource control policy
    ResourceControl,
    /// service control policy
    ServiceControl,
    /// session policy
    Session,
    /// role trust policy
    Trust,
}

/// A statement, and the policy of the set that it stands in.
#[derive(Clone)]
pub struct StatementRef {
    policy: Policy,
    policy_type: PolicyType,
    /// Level and index in the policy set, as far as its field has them.
    place: [Option<usize>; 2],
    index: usize,
}

impl PolicySet {
    /// Decides a request.
    #[must_use]
    pub fn decide(&self, request: &Request) -> Decision {
        decide::decide(self, request)
    }
}

impl Decision {
    /// Whether the verdict is the same whatever the keys of [`missing_context`](Decision::missing_context) may hold.
    ///
    /// A verdict that is not certain follows AWS's rules for keys that a request lacks; whoever cannot tell that the request
    /// lacks them should not take it for AWS's answer.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.certain
    }

    /// Whether the request is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.verdict == Verdict::Allowed
    }
}

impl Reason {
    /// The reason as AWS's [access denied messages] put it.
    ///
    /// [access denied messages]: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::{PolicyType, Reason};
    ///
    /// let no_allow = Reason::NoAllow(PolicyType::Identity);
    /// assert_eq!(no_allow.sentence("s3:GetObject"), "because no identity-based policy allows the s3:GetObject action");
    /// let deny = Reason::ExplicitDeny(PolicyType::Identity);
    /// assert_eq!(deny.sentence("s3:GetObject"), "with an explicit deny in an identity-based policy");
    /// ```
    #[must_use]
    pub fn sentence(self, action: &str) -> String {
        match self {
            Reason::Allowed => "because a policy allows it".to_owned(),
            Reason::ExplicitDeny(policy_type) => {
                format!("with an explicit deny in {} {policy_type}", policy_type.article())
            }
            Reason::NoAllow(policy_type) => format!("because no {policy_type} allows the {action} action"),
        }
    }
}

impl PolicyType {
    pub(crate) fn article(self) -> &'static str {
        if self == PolicyType::Identity { "an" } else { "a" }
    }

    /// Whether a policy of the type gives permissions, and not only limits them.
    pub(crate) fn grants(self) -> bool {
        matches!(self, PolicyType::Identity | PolicyType::Resource | PolicyType::Trust)
    }

    /// What the resource's own policy is called.
    pub(crate) fn of_resource(policy: &Policy) -> PolicyType {
        if policy.kind() == PolicyKind::Trust { PolicyType::Trust } else { PolicyType::Resource }
    }
}

impl StatementRef {
    /// The policy that the statement stands in.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How the policy takes part in the decision.
    #[must_use]
    pub fn policy_type(&self) -> PolicyType {
        self.policy_type
    }

    /// The policy's place in its [`PolicySet`]: `identity[0]`, `resource`, `scps[1][0]`.
    #[must_use]
    pub fn policy_name(&self) -> String {
        let field = match self.policy_type {
            PolicyType::Boundary => "boundary",
            PolicyType::Identity => "identity",
            PolicyType::Resource | PolicyType::Trust => "resource",
            PolicyType::ResourceControl => "rcps",
            PolicyType::ServiceControl => "scps",
            PolicyType::Session => "session",
        };
        match self.place {
            [Some(level), Some(index)] => format!("{field}[{level}][{index}]"),
            [Some(index), None] | [None, Some(index)] => format!("{field}[{index}]"),
            [None, None] => field.to_owned(),
        }
    }

    /// The statement's index in its policy, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The statement.
    ///
    /// # Panics
    ///
    /// Never: only this crate makes references, and to statements that exist.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        #[expect(clippy::indexing_slicing, reason = "made from the policy's own statements")]
        &self.policy.statements()[self.index]
    }

    /// The statement's `Sid`.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.statement().sid()
    }

    /// Where the statement begins in its source.
    #[must_use]
    pub fn location(&self) -> Location {
        self.policy.source().location(self.statement().span().start)
    }
}

/// The statement as a message names it: ``statement 0 (`ReadReports`) of policies/reader.json:4:5``.
impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.index)?;
        if let Some(sid) = self.sid() {
            write!(f, " (`{sid}`)")?;
        }
        write!(f, " of {}:{}", self.policy.source().name(), self.location())
    }
}

impl fmt::Debug for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {self}", self.policy_name())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Allowed => "allowed",
            Verdict::ExplicitDeny => "explicitDeny",
            Verdict::ImplicitDeny => "implicitDeny",
        })
    }
}

impl fmt::Display for PolicyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PolicyType::Boundary => "permissions boundary",
            PolicyType::Identity => "identity-based policy",
            PolicyType::Resource => "resource-based policy",
            PolicyType::ResourceControl => "resource control policy",
            PolicyType::ServiceControl => "service control policy",
            PolicyType::Session => "session policy",
            PolicyType::Trust => "role trust policy",
        })
    }
}
