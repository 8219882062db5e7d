//! Managed policies: the customer's, and those that AWS publishes.

use http::StatusCode;
use iam_policy::{Policy, PolicyKind, managed};
use time::OffsetDateTime;

use super::grant::{Grants, document, has_path};
use super::input::{Input, exceed};
use super::named::{Entity as _, Head, entity};
use super::state::{State, is_aws_managed};
use super::tags::Tags;
use super::version::{Version, Versions};
use crate::clock;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// What a managed policy may measure, in characters other than white space.
const MOST: usize = 6_144;

/// A customer managed policy.
pub(crate) struct CustomerPolicy {
    pub(super) head: Head,
    pub(super) arn: String,
    pub(super) versions: Versions,
    pub(super) updated: OffsetDateTime,
    description: Option<String>,
}

impl CustomerPolicy {
    /// What its default version says.
    pub(super) fn document(&self) -> &Policy {
        &self.versions.default().document
    }
}

entity!(CustomerPolicy, policies, "policy", "policy", "PolicyArn", {
    const NAME: &'static str = "PolicyName";

    fn name_in(arn: &str) -> &str {
        arn.rsplit('/').next().unwrap_or(arn)
    }

    fn is(&self, arn: &str) -> bool {
        self.arn == arn
    }

    fn no_such(arn: &str) -> Fault {
        Fault::no_such_entity(format!("Policy {arn} was not found."))
    }

    fn exists(name: &str) -> Fault {
        Fault::already_exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        ))
    }
});

/// A document that a managed policy can have.
pub(super) fn read_document(input: &Input<'_>) -> Result<Policy, Fault> {
    let document = input.policy("PolicyDocument", PolicyKind::Identity)?;
    if exceed(MOST, &[&document]) {
        return Err(Fault::limit(format!("Cannot exceed quota for PolicySize: {MOST}")));
    }
    Ok(document)
}

/// A managed policy of the customer's, to change it: nobody but AWS changes AWS's.
pub(super) fn changeable<'s>(iam: &'s mut State, input: &Input<'_>) -> Result<&'s mut CustomerPolicy, Fault> {
    let arn = input.parameters.required("PolicyArn")?;
    if is_aws_managed(arn) {
        return Err(Fault::new(
            StatusCode::FORBIDDEN,
            "AccessDenied",
            format!("the policy {arn} is AWS's own, and cannot be changed"),
        ));
    }
    iam.policies.get_mut(arn)
}

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let name = input.name("PolicyName", 128)?;
    let path = input.path("Path")?;
    input.parameters.check_length("Description", 0..=1000)?;
    let document = read_document(input)?;
    let arn = input.call.endpoint.iam_arn("policy", path, name);
    let policy = CustomerPolicy {
        head: Head::new("ANPA", name, path, Tags::read(&input.parameters)?, input.call.now),
        arn: arn.clone(),
        versions: Versions::new(document, input.call.now),
        updated: input.call.now,
        description: input.parameters.optional("Description").map(str::to_owned),
    };
    let endpoint = input.call.endpoint;
    let mut iam = endpoint.iam_mut();
    endpoint.sky.as_ref().map_or(Ok(()), |sky| sky.check_policies(iam.policies.len()))?;
    iam.policies.insert(policy)?;
    write_one(&iam, &arn, Detail::Created, xml)
}

pub(super) fn read(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    write_one(&input.call.endpoint.iam(), input.parameters.required("PolicyArn")?, Detail::All, xml)
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let prefix = input.path("PathPrefix")?;
    let only_attached = input.parameters.flag("OnlyAttached");
    let scope = input.parameters.one_of("Scope", &["AWS", "Local", "All"])?.unwrap_or("All");
    let usage = ["PermissionsPolicy", "PermissionsBoundary"];
    let holds = match input.parameters.one_of("PolicyUsageFilter", &usage)? {
        None => holds,
        Some("PermissionsBoundary") => bounds,
        Some(_) => attaches,
    };
    let only_used = only_attached || input.parameters.optional("PolicyUsageFilter").is_some();
    let iam = input.call.endpoint.iam();
    let partition = input.call.endpoint.partition;
    let mut all: Vec<String> = Vec::new();
    if scope != "AWS" {
        for policy in iam.policies.iter() {
            all.push(policy.arn.clone());
        }
    }
    if scope != "Local" {
        for policy in managed::all() {
            all.push(policy.arn(partition));
        }
    }
    let grantees = iam.grantees();
    let is_used = |arn: &str| grantees.iter().any(|(_, _, grants)| holds(grants, arn));
    all.retain(|arn| has_path(arn, prefix) && (!only_used || is_used(arn)));
    all.sort();
    let mut page = input.page()?;
    all.retain(|arn| page.takes(arn));
    let mut facts = Vec::with_capacity(all.len());
    for arn in &all {
        facts.push(Facts::of(&iam, arn)?);
    }
    xml.element("Policies", |xml| {
        for facts in &facts {
            xml.element("member", |xml| facts.write(Detail::Listed, xml));
        }
    });
    page.end(xml);
    Ok(())
}

pub(super) fn list_entities(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let arn = input.parameters.required("PolicyArn")?;
    let kinds = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
    let kind = input.parameters.one_of("EntityFilter", &kinds)?;
    let usage = ["PermissionsPolicy", "PermissionsBoundary"];
    let holds = match input.parameters.one_of("PolicyUsageFilter", &usage)? {
        None => holds,
        Some("PermissionsBoundary") => bounds,
        Some(_) => attaches,
    };
    let prefix = input.path("PathPrefix")?;
    let iam = input.call.endpoint.iam();
    Facts::of(&iam, arn)?;
    let mut page = input.page()?;
    let mut holders = Vec::new();
    // In the order of their kinds and names.
    for (of, head, grants) in iam.grantees() {
        let is_wanted = kind.is_none_or(|kind| kind == of) && head.path.starts_with(prefix);
        if is_wanted && holds(grants, arn) && page.takes(&format!("{of}/{}", head.name.to_ascii_lowercase()))
        {
            holders.push((of, head));
        }
    }
    for (list, what) in [("PolicyGroups", "Group"), ("PolicyUsers", "User"), ("PolicyRoles", "Role")] {
        xml.element(list, |xml| {
            for (of, head) in &holders {
                if *of == what {
                    xml.element("member", |xml| {
                        xml.leaf(&format!("{what}Name"), &head.name);
                        xml.leaf(&format!("{what}Id"), &head.id);
                    });
                }
            }
        });
    }
    page.end(xml);
    Ok(())
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let arn = changeable(&mut iam, input)?.arn.clone();
    if iam.count_holders(&arn, holds) > 0 {
        return Err(Fault::delete_conflict("Cannot delete a policy attached to entities."));
    }
    if iam.policies.get(&arn)?.versions.all().len() > 1 {
        return Err(Fault::delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The \
             default version is deleted with the policy.",
        ));
    }
    iam.policies.remove(&arn);
    Ok(())
}

impl State {
    /// Who can be given policies, in the order of kinds and names, each with the word for its kind.
    pub(super) fn grantees(&self) -> Vec<(&'static str, &Head, &Grants)> {
        let mut all = Vec::with_capacity(self.groups.len() + self.roles.len() + self.users.len());
        for group in self.groups.iter() {
            all.push(("Group", &group.head, &group.grants));
        }
        for role in self.roles.iter() {
            all.push(("Role", &role.head, &role.grants));
        }
        for user in self.users.iter() {
            all.push(("User", &user.head, &user.grants));
        }
        all
    }

    /// How many of them hold a policy.
    fn count_holders(&self, arn: &str, holds: fn(&Grants, &str) -> bool) -> usize {
        let mut count = 0;
        for (_, _, grants) in self.grantees() {
            count += usize::from(holds(grants, arn));
        }
        count
    }
}

/// How much of a policy an answer tells.
#[derive(Clone, Copy, PartialEq)]
enum Detail {
    All,
    /// Not the description, which the request has just told.
    Created,
    /// Neither the description nor the tags.
    Listed,
}

/// What an answer tells of a managed policy.
pub(super) struct Facts<'a> {
    arn: &'a str,
    name: &'a str,
    path: &'a str,
    id: String,
    default_version: String,
    created: OffsetDateTime,
    updated: OffsetDateTime,
    tags: Option<&'a Tags>,
    description: Option<&'a str>,
    attachments: usize,
    boundaries: usize,
}

impl<'a> Facts<'a> {
    pub(super) fn of(iam: &'a State, arn: &'a str) -> Result<Self, Fault> {
        let attachments = iam.count_holders(arn, attaches);
        let boundaries = iam.count_holders(arn, bounds);
        if is_aws_managed(arn) {
            let policy = managed::find(arn).ok_or_else(|| CustomerPolicy::no_such(arn))?;
            return Ok(Self {
                arn,
                name: policy.name(),
                path: policy.path(),
                id: aws_id(policy.name()),
                default_version: policy.version().to_owned(),
                created: OffsetDateTime::UNIX_EPOCH,
                updated: OffsetDateTime::UNIX_EPOCH,
                tags: None,
                description: None,
                attachments,
                boundaries,
            });
        }
        let CustomerPolicy { head, versions, updated, description, .. } = iam.policies.get(arn)?;
        Ok(Self {
            arn,
            name: &head.name,
            path: &head.path,
            id: head.id.clone(),
            default_version: versions.default().id(),
            created: head.created,
            updated: *updated,
            tags: Some(&head.tags),
            description: description.as_deref(),
            attachments,
            boundaries,
        })
    }

    fn write(&self, detail: Detail, xml: &mut Xml) {
        xml.leaf("PolicyName", self.name);
        xml.leaf("PolicyId", &self.id);
        xml.leaf("Arn", self.arn);
        xml.leaf("Path", self.path);
        xml.leaf("DefaultVersionId", &self.default_version);
        xml.leaf("AttachmentCount", &self.attachments.to_string());
        xml.leaf("PermissionsBoundaryUsageCount", &self.boundaries.to_string());
        xml.leaf("IsAttachable", "true");
        xml.leaf("CreateDate", &clock::iso8601(self.created));
        xml.leaf("UpdateDate", &clock::iso8601(self.updated));
        if let Some(description) = self.description.filter(|_| detail == Detail::All) {
            xml.leaf("Description", description);
        }
        if let Some(tags) = self.tags.filter(|_| detail != Detail::Listed) {
            tags.write(xml);
        }
    }

    /// With the documents of all its versions, as `GetAccountAuthorizationDetails` tells it.
    pub(super) fn write_with_versions(&self, iam: &State, xml: &mut Xml) {
        self.write(Detail::Listed, xml);
        xml.element("PolicyVersionList", |xml| match (iam.policies.find(self.arn), iam.policy(self.arn)) {
            (Some(policy), _) => {
                for version in policy.versions.all() {
                    xml.element("member", |xml| write_version(version, &policy.versions, true, xml));
                }
            }
            (None, Some(policy)) => xml.element("member", |xml| self.write_aws_version(Some(&policy), xml)),
            (None, None) => {}
        });
    }

    /// The only version of AWS's policies that is known here.
    pub(super) fn write_aws_version(&self, policy: Option<&Policy>, xml: &mut Xml) {
        if let Some(policy) = policy {
            xml.leaf("Document", &document(policy));
        }
        xml.leaf("VersionId", &self.default_version);
        xml.leaf("IsDefaultVersion", "true");
        xml.leaf("CreateDate", &clock::iso8601(self.updated));
    }

    pub(super) fn default_version(&self) -> &str {
        &self.default_version
    }
}

pub(super) fn write_version(version: &Version, of: &Versions, with_document: bool, xml: &mut Xml) {
    if with_document {
        xml.leaf("Document", &document(&version.document));
    }
    xml.leaf("VersionId", &version.id());
    xml.leaf("IsDefaultVersion", if version.number == of.default().number { "true" } else { "false" });
    xml.leaf("CreateDate", &clock::iso8601(version.created));
}

fn write_one(iam: &State, arn: &str, detail: Detail, xml: &mut Xml) -> Result<(), Fault> {
    let facts = Facts::of(iam, arn)?;
    xml.element("Policy", |xml| facts.write(detail, xml));
    Ok(())
}

/// An id of the usual form that stays the same; AWS's own is not published.
fn aws_id(name: &str) -> String {
    let mut letters = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            letters.push(letter.to_ascii_uppercase());
        }
    }
    let mut id = format!("ANPA{}", letters.repeat(17));
    id.truncate(21);
    id
}

fn attaches(grants: &Grants, arn: &str) -> bool {
    grants.attached.iter().any(|attached| attached == arn)
}

fn bounds(grants: &Grants, arn: &str) -> bool {
    grants.boundary.as_deref() == Some(arn)
}

fn holds(grants: &Grants, arn: &str) -> bool {
    attaches(grants, arn) || bounds(grants, arn)
}
