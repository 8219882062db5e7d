//! `GetAccountAuthorizationDetails`: all users, groups, roles and policies with what they grant.

use iam_policy::managed;

use super::grant::{self, Grants};
use super::group::{self, Group};
use super::input::{Input, end_of_page};
use super::named::Head;
use super::policy::{CustomerPolicy, Facts};
use super::profile;
use super::role::{self, Detail, Role};
use super::state::State;
use super::user::{self, User};
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// One thing that the report tells of.
enum Item<'a> {
    AwsPolicy(String),
    Group(&'a Group),
    Policy(&'a CustomerPolicy),
    Role(&'a Role),
    User(&'a User),
}

impl Item<'_> {
    /// What the request's filter calls it.
    fn kind(&self) -> &'static str {
        match self {
            Item::AwsPolicy(_) => "AWSManagedPolicy",
            Item::Group(_) => "Group",
            Item::Policy(_) => "LocalManagedPolicy",
            Item::Role(_) => "Role",
            Item::User(_) => "User",
        }
    }

    /// The list of the answer that it stands in.
    fn list(&self) -> &'static str {
        match self {
            Item::AwsPolicy(_) | Item::Policy(_) => "Policies",
            Item::Group(_) => "GroupDetailList",
            Item::Role(_) => "RoleDetailList",
            Item::User(_) => "UserDetailList",
        }
    }

    /// What it is ordered by.
    fn place(&self) -> String {
        let name = match self {
            Item::AwsPolicy(arn) => arn,
            Item::Group(Group { head, .. })
            | Item::Policy(CustomerPolicy { head, .. })
            | Item::Role(Role { head, .. })
            | Item::User(User { head, .. }) => &head.name,
        };
        format!("{}/{}", self.kind(), name.to_ascii_lowercase())
    }
}

pub(super) fn authorization_details(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let filter = input.parameters.list("Filter");
    let kinds = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
    if let Some(unknown) = filter.iter().find(|kind| !kinds.contains(kind)) {
        let rule = format!("Member must satisfy enum value set: [{}]", kinds.join(", "));
        return Err(Fault::violated("Filter", unknown, &rule));
    }
    let endpoint = input.call.endpoint;
    let iam = endpoint.iam();
    let aws = managed::all().map(|policy| policy.arn(endpoint.partition));
    let aws = aws.filter(|arn| is_attached(&iam, arn)).map(Item::AwsPolicy);
    let mut items: Vec<_> = aws
        .chain(iam.groups.iter().map(Item::Group))
        .chain(iam.policies.iter().map(Item::Policy))
        .chain(iam.roles.iter().map(Item::Role))
        .chain(iam.users.iter().map(Item::User))
        .filter(|item| filter.is_empty() || filter.contains(&item.kind()))
        .collect();
    items.sort_by_key(Item::place);
    let (page, marker) = input.page(items.into_iter(), Item::place)?;
    for list in ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"] {
        xml.element(list, |xml| {
            for item in page.iter().filter(|item| item.list() == list) {
                xml.element("member", |xml| write(item, &iam, endpoint, xml));
            }
        });
    }
    end_of_page(marker, xml);
    Ok(())
}

fn is_attached(iam: &State, arn: &str) -> bool {
    let users = iam.users.iter().map(|user| &user.grants);
    let groups = iam.groups.iter().map(|group| &group.grants);
    let mut all = users.chain(groups).chain(iam.roles.iter().map(|role| &role.grants));
    all.any(|grants| grants.attached.iter().any(|attached| attached == arn))
}

fn write(item: &Item<'_>, iam: &State, endpoint: &Shared, xml: &mut Xml) {
    match item {
        Item::AwsPolicy(arn) | Item::Policy(CustomerPolicy { arn, .. }) => {
            if let Ok(facts) = Facts::of(iam, arn) {
                facts.write_with_versions(iam, xml);
            }
        }
        Item::Group(of) => {
            group::write(of, endpoint, xml);
            write_grants("GroupPolicyList", &of.grants, xml);
        }
        Item::Role(of) => {
            role::write_fields(of, Detail::All, endpoint, xml);
            xml.element("InstanceProfileList", |xml| {
                for one in iam.profiles.iter().filter(|profile| profile.has_role(&of.head.name)) {
                    xml.element("member", |xml| profile::write(one, iam, endpoint, xml));
                }
            });
            write_grants("RolePolicyList", &of.grants, xml);
        }
        Item::User(of) => {
            user::write(of, true, endpoint, xml);
            xml.element("GroupList", |xml| {
                for Group { head: Head { name, .. }, .. } in iam.groups_of(&of.head.name) {
                    xml.leaf("member", name);
                }
            });
            write_grants("UserPolicyList", &of.grants, xml);
        }
    }
}

fn write_grants(inline: &str, grants: &Grants, xml: &mut Xml) {
    xml.element(inline, |xml| grant::write_inline(grants, xml));
    xml.element("AttachedManagedPolicies", |xml| grant::write_attached(grants.attached.iter(), xml));
}
