//! An organization that a test defines, and what its policies and its tree mean for a request.
//!
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_authorization_policies.html>

use std::sync::LazyLock;

use iam_policy::{Context, Policies, Policy, PolicyKind, PolicySet, Source};

use crate::endpoint::is_account_id;
use crate::table::Table;

/// An organization of AWS accounts, for [`Endpoint::set_organization`](crate::Endpoint::set_organization).
///
/// Each account of it is limited by the policies that are attached to the root, to the organizational units above it and to
/// itself; only the management account is not. Everything has `FullAWSAccess` and `RCPFullAWSAccess` from the start, as in AWS.
///
/// # Examples
///
/// ```
/// use iam_endpoint::{Endpoint, Organization, Target};
/// use iam_policy::{Policy, PolicyKind};
///
/// let no_buckets = Policy::parse(
///     r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:CreateBucket", "Resource": "*"}}"#,
///     PolicyKind::ServiceControl,
/// )?;
/// let workloads = Target::new("ou-ab12-11111111").scp(no_buckets).with(Target::new("222233334444"));
/// let organization = Organization::new("o-a1b2c3d4e5", "111122223333", Target::new("r-ab12").with(workloads));
///
/// let endpoint = Endpoint::new();
/// endpoint.set_organization(organization);
/// let member = endpoint.account("222233334444"); // nobody in it may create a bucket
/// # let _ = member;
/// # Ok::<(), iam_policy::Diagnostics>(())
/// ```
#[derive(Clone, Debug)]
pub struct Organization {
    id: String,
    members: Table<Member>,
}

/// What organization policies are attached to: the root, an organizational unit, or an account.
#[derive(Clone, Debug)]
#[must_use]
pub struct Target {
    id: String,
    scps: Vec<Policy>,
    rcps: Vec<Policy>,
    below: Vec<Target>,
}

/// An account of an organization.
#[derive(Clone, Debug)]
struct Member {
    /// As `aws:PrincipalOrgPaths` has it.
    path: String,
    scps: Vec<Policies>,
    rcps: Vec<Policies>,
}

impl Organization {
    /// An organization with its management account, which need not stand in the tree.
    ///
    /// # Panics
    ///
    /// If an id is not one of AWS's form (`o-a1b2c3d4e5`, `r-ab12`, `ou-ab12-11111111`, twelve digits), stands where it
    /// cannot, or stands twice.
    #[must_use]
    #[track_caller]
    pub fn new(id: impl Into<String>, management_account: &str, root: Target) -> Organization {
        let mut organization = Organization { id: id.into(), members: Table::new() };
        assert!(
            is_id(&organization.id, "o-", 10..=32),
            "an organization's id is of the form `o-a1b2c3d4e5`, not `{}`",
            organization.id
        );
        assert!(root.is_root(), "a root's id is of the form `r-ab12`, not `{}`", root.id);
        let root_path = format!("{}/{}/", organization.id, root.id);
        let path = format!("{}/", organization.id);
        organization.add(root, path, &[], &[]);
        assert!(
            is_account_id(management_account),
            "an account id is twelve digits, not `{management_account}`"
        );
        // "SCPs don't affect users or roles in the management account", and RCPs not its resources.
        let path = organization.members.remove(management_account).map_or(root_path, |member| member.path);
        let management = Member { path, scps: Vec::new(), rcps: Vec::new() };
        organization.members.insert(management_account.to_owned(), management);
        organization
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    #[track_caller]
    fn add(&mut self, target: Target, mut path: String, scps: &[Policies], rcps: &[Policies]) {
        let is_account = target.is_account();
        let with = |levels: &[Policies], own: Vec<Policy>| [levels, &[own.into()]].concat();
        let (scps, rcps) = (with(scps, target.scps), with(rcps, target.rcps));
        let (id, below) = (target.id, target.below);
        if is_account {
            assert!(!self.members.contains_key(&id), "the account `{id}` stands twice in the organization");
            self.members.insert(id, Member { path, scps, rcps });
            return;
        }
        path.push_str(&id);
        path.push('/');
        for target in below {
            assert!(!target.is_root(), "the root `{}` stands below `{id}`", target.id);
            self.add(target, path.clone(), &scps, &rcps);
        }
    }

    /// Adds what limits a principal of the one account on a resource of the other.
    pub(crate) fn limit(
        &self,
        policies: &mut PolicySet,
        action: &str,
        principal: Option<&str>,
        resource: &str,
    ) {
        if let Some(member) = principal.and_then(|account| self.members.get(account)) {
            policies.scps.clone_from(&member.scps);
        }
        if let Some(member) = self.members.get(resource).filter(|_| is_limited_by_rcps(action)) {
            policies.rcps.clone_from(&member.rcps);
        }
    }

    /// Sets the condition keys that tell who and what is in the organization.
    pub(crate) fn set_keys(&self, context: &mut Context, principal: Option<&str>, resource: &str) {
        if let Some(principal) = principal {
            self.set(context, ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"], principal);
        }
        self.set(context, ["aws:ResourceOrgID", "aws:ResourceOrgPaths"], resource);
    }

    /// The same for whom a service acts for.
    pub(crate) fn set_source_keys(&self, context: &mut Context, source: &str) {
        self.set(context, ["aws:SourceOrgID", "aws:SourceOrgPaths"], source);
    }

    fn set(&self, context: &mut Context, [id, paths]: [&'static str; 2], account: &str) {
        if let Some(member) = self.members.get(account) {
            context.set(id, self.id.as_str()).set_many(paths, [member.path.as_str()]);
        }
    }
}

impl Target {
    /// The root (`r-ab12`), an organizational unit (`ou-ab12-11111111`), or an account by its twelve digits.
    ///
    /// # Panics
    ///
    /// If the id is none of these.
    #[track_caller]
    pub fn new(id: impl Into<String>) -> Target {
        let target = Target {
            id: id.into(),
            scps: vec![FULL_ACCESS.clone()],
            rcps: vec![RCP_FULL_ACCESS.clone()],
            below: Vec::new(),
        };
        assert!(
            target.is_root() || target.is_unit() || target.is_account(),
            "`{}` is neither a root (`r-ab12`), nor an organizational unit (`ou-ab12-11111111`), nor an account (twelve digits)",
            target.id
        );
        target
    }

    /// Attaches a service control policy.
    ///
    /// # Panics
    ///
    /// If the policy was not read as one.
    #[track_caller]
    pub fn scp(mut self, policy: Policy) -> Target {
        check_kind(&policy, PolicyKind::ServiceControl);
        self.scps.push(policy);
        self
    }

    /// Attaches a resource control policy.
    ///
    /// # Panics
    ///
    /// If the policy was not read as one.
    #[track_caller]
    pub fn rcp(mut self, policy: Policy) -> Target {
        check_kind(&policy, PolicyKind::ResourceControl);
        self.rcps.push(policy);
        self
    }

    /// Detaches `FullAWSAccess`, so that only what another service control policy here allows is allowed.
    pub fn without_full_access(mut self) -> Target {
        self.scps.retain(|policy| policy.source().name() != FULL_ACCESS.source().name());
        self
    }

    /// Puts an organizational unit or an account below.
    ///
    /// # Panics
    ///
    /// If this is an account.
    #[track_caller]
    pub fn with(mut self, below: Target) -> Target {
        assert!(!self.is_account(), "nothing stands below the account `{}`", self.id);
        self.below.push(below);
        self
    }

    fn is_root(&self) -> bool {
        is_id(&self.id, "r-", 4..=32)
    }

    fn is_unit(&self) -> bool {
        let of_unit = || self.id.strip_prefix("ou-")?.split_once('-');
        of_unit().is_some_and(|(root, own)| is_id(root, "", 4..=32) && is_id(own, "", 8..=32))
    }

    fn is_account(&self) -> bool {
        is_account_id(&self.id)
    }
}

#[track_caller]
fn check_kind(policy: &Policy, kind: PolicyKind) {
    let found = policy.kind();
    assert!(found == kind, "`{}` was read as {found:?}, not as {kind:?}", policy.source().name());
}

fn is_id(text: &str, prefix: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        length.contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// What everything in an organization has attached from the start.
static FULL_ACCESS: LazyLock<Policy> = LazyLock::new(|| {
    aws_policy(
        "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
        PolicyKind::ServiceControl,
    )
});

static RCP_FULL_ACCESS: LazyLock<Policy> = LazyLock::new(|| {
    aws_policy(
        "arn:aws:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}"#,
        PolicyKind::ResourceControl,
    )
});

fn aws_policy(arn: &str, text: &str, kind: PolicyKind) -> Policy {
    Policy::parse(Source::new(arn, text), kind).expect("the text stands above")
}

/// Whether resource control policies have a say: they are for the resources of some services only, and a grant may always
/// be retired.
///
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>,
/// <https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html>
fn is_limited_by_rcps(action: &str) -> bool {
    const SERVICES: [&str; 11] = [
        "aoss",
        "cognito-identity",
        "cognito-idp",
        "dynamodb",
        "ecr",
        "kms",
        "logs",
        "s3",
        "secretsmanager",
        "sqs",
        "sts",
    ];
    let service = action.split(':').next().unwrap_or_default();
    SERVICES.contains(&service) && action != "kms:RetireGrant"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_that_aws_attaches_are_policies() {
        assert_eq!(Target::new("r-ab12").without_full_access().scps.len(), 0);
        assert_eq!(Target::new("r-ab12").rcps.len(), 1);
    }

    #[test]
    #[should_panic(expected = "the account `222233334444` stands twice")]
    fn an_account_stands_once() {
        let unit = |id: &str| Target::new(id).with(Target::new("222233334444"));
        let root = Target::new("r-ab12").with(unit("ou-ab12-11111111")).with(unit("ou-ab12-22222222"));
        let _ = Organization::new("o-a1b2c3d4e5", "111122223333", root);
    }

    #[test]
    #[should_panic(expected = "`ou-x` is neither a root")]
    fn an_id_has_aws_s_form() {
        let _ = Target::new("ou-x");
    }
}
