//! `GetAccountAuthorizationDetails`: all users, groups, roles and policies with what they grant.

use super::grant::{self, Grants};
use super::group::{self, Group};
use super::input::Input;
use super::named::Head;
use super::policy::{CustomerPolicy, Facts};
use super::profile;
use super::role::{self, Detail, Role};
use super::state::{State, is_aws_managed};
use super::user::{self, User};
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::sorted::Sorted;
use crate::wire::xml::Xml;

/// One thing that the report tells of.
enum Item<'a> {
    AwsPolicy(&'a String),
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
            Item::AwsPolicy(arn) => *arn,
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
    let mut items = Sorted::default();
    for item in all(&iam) {
        if filter.is_empty() || filter.contains(&item.kind()) {
            items.insert(item.place(), item);
        }
    }
    let mut page = input.page()?;
    let mut on_page = Vec::new();
    for (place, item) in items.iter() {
        if page.takes(place) {
            on_page.push(item);
        }
    }
    for list in ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"] {
        xml.element(list, |xml| {
            for item in &on_page {
                if item.list() == list {
                    xml.element("member", |xml| write(item, &iam, endpoint, xml));
                }
            }
        });
    }
    page.end(xml);
    Ok(())
}

/// Everything, in whatever order; some of AWS's policies several times.
fn all(iam: &State) -> Vec<Item<'_>> {
    let mut all = Vec::new();
    for policy in iam.policies.iter() {
        all.push(Item::Policy(policy));
    }
    for group in iam.groups.iter() {
        all.push(Item::Group(group));
    }
    for role in iam.roles.iter() {
        all.push(Item::Role(role));
    }
    for user in iam.users.iter() {
        all.push(Item::User(user));
    }
    for (_, _, grants) in iam.grantees() {
        for arn in &grants.attached {
            if is_aws_managed(arn) {
                all.push(Item::AwsPolicy(arn));
            }
        }
    }
    all
}

fn write(item: &Item<'_>, iam: &State, endpoint: &Shared, xml: &mut Xml) {
    match item {
        Item::AwsPolicy(arn) => write_policy(arn, iam, xml),
        Item::Policy(CustomerPolicy { arn, .. }) => write_policy(arn, iam, xml),
        Item::Group(of) => {
            group::write(of, endpoint, xml);
            write_grants("GroupPolicyList", &of.grants, xml);
        }
        Item::Role(of) => {
            role::write_fields(of, Detail::All, endpoint, xml);
            xml.element("InstanceProfileList", |xml| {
                for profile in iam.profiles.iter() {
                    if profile.has_role(&of.head.name) {
                        xml.element("member", |xml| profile::write(profile, iam, endpoint, xml));
                    }
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

fn write_policy(arn: &str, iam: &State, xml: &mut Xml) {
    if let Ok(facts) = Facts::of(iam, arn) {
        facts.write_with_versions(iam, xml);
    }
}

fn write_grants(inline: &str, grants: &Grants, xml: &mut Xml) {
    xml.element(inline, |xml| grant::write_inline(grants, xml));
    xml.element("AttachedManagedPolicies", |xml| {
        for arn in &grants.attached {
            grant::write_attached(arn, xml);
        }
    });
}
