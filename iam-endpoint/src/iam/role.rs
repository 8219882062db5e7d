//! Roles.

use iam_policy::{Policy, PolicyKind};
use time::Duration;

use super::grant::{self, Grants};
use super::input::{Input, end_of_page, exceed};
use super::state::{Entity, Head};
use super::tags::Tags;
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::xml::Xml;

/// AWS's default quota for a trust policy's size.
const MOST_TRUST: usize = 2_048;

/// A role.
pub(crate) struct Role {
    pub(crate) head: Head,
    pub(crate) trust: Policy,
    pub(crate) grants: Grants,
    pub(crate) longest_session: Duration,
    description: Option<String>,
}

impl Entity for Role {
    const WHAT: &'static str = "role";

    fn head(&self) -> &Head {
        &self.head
    }
}

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let endpoint = input.call.endpoint;
    let name = input.name("RoleName", 64)?;
    let tags = Tags::read(&input.parameters)?;
    let trust = trust(input, "AssumeRolePolicyDocument")?;
    let longest_session = longest_session(input)?.unwrap_or(Duration::HOUR);
    let description = description(input)?;
    let mut iam = endpoint.iam_mut();
    let role = Role {
        head: Head::new("AROA", name, input.path("Path")?, tags, input.call.now),
        trust,
        grants: grant::of_new(input, &iam)?,
        longest_session,
        description,
    };
    write(iam.roles.insert(role)?, Detail::Created, endpoint, xml);
    Ok(())
}

pub(super) fn read(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    write(iam.roles.get(input.parameters.required("RoleName")?)?, Detail::All, input.call.endpoint, xml);
    Ok(())
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let write = |role: &Role, xml: &mut Xml| write_fields(role, Detail::Listed, input.call.endpoint, xml);
    input.list(&iam.roles, "Roles", xml, |_| true, write)
}

pub(super) fn update_trust(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let trust = trust(input, "PolicyDocument")?;
    change(input, |role| role.trust = trust)
}

pub(super) fn update(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let (longest, description) = (longest_session(input)?, description(input)?);
    change(input, |role| {
        role.longest_session = longest.unwrap_or(role.longest_session);
        role.description = description.or(role.description.take());
    })
}

pub(super) fn update_description(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let description = description(input)?;
    change(input, |role| role.description = description)?;
    read(input, xml)
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let name = input.parameters.required("RoleName")?;
    let mut iam = input.call.endpoint.iam_mut();
    let role = iam.roles.get(name)?;
    if iam.profiles.iter().any(|profile| profile.has_role(&role.head.name)) {
        return Err(Fault::delete_conflict(
            "Cannot delete entity, must remove roles from instance profile first.",
        ));
    }
    role.grants.check_empty()?;
    iam.roles.remove(name);
    Ok(())
}

pub(super) fn tag(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut tags = Tags::read(&input.parameters)?;
    let mut iam = input.call.endpoint.iam_mut();
    let role = iam.roles.get_mut(input.parameters.required("RoleName")?)?;
    let mut all = role.head.tags.clone();
    all.extend(std::mem::take(&mut tags));
    all.check_count()?;
    role.head.tags = all;
    Ok(())
}

pub(super) fn untag(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let keys = input.parameters.members("TagKeys", [""]);
    change(input, |role| {
        for key in keys.iter().filter_map(|[key]| *key) {
            role.head.tags.remove(key);
        }
    })
}

pub(super) fn list_tags(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    iam.roles.get(input.parameters.required("RoleName")?)?.head.tags.write(xml);
    end_of_page(None, xml);
    Ok(())
}

/// How much of a role an answer tells.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Detail {
    All,
    Created,
    /// Neither tags nor boundary: AWS leaves them out of lists.
    Listed,
}

fn write(role: &Role, detail: Detail, endpoint: &Shared, xml: &mut Xml) {
    xml.element("Role", |xml| write_fields(role, detail, endpoint, xml));
}

pub(super) fn write_fields(role: &Role, detail: Detail, endpoint: &Shared, xml: &mut Xml) {
    let Head { name, path, id, created, tags } = &role.head;
    xml.leaf("Path", path);
    xml.leaf("RoleName", name);
    xml.leaf("RoleId", id);
    xml.leaf("Arn", &endpoint.iam_arn("role", path, name));
    xml.leaf("CreateDate", &clock::iso8601(*created));
    xml.leaf("AssumeRolePolicyDocument", &grant::document(&role.trust));
    if let Some(description) = &role.description {
        xml.leaf("Description", description);
    }
    xml.leaf("MaxSessionDuration", &role.longest_session.whole_seconds().to_string());
    if detail == Detail::Listed {
        return;
    }
    grant::write_boundary(&role.grants, xml);
    if !tags.is_empty() {
        tags.write(xml);
    }
    if detail == Detail::All {
        xml.leaf("RoleLastUsed", "");
    }
}

fn change(input: &Input<'_>, change: impl FnOnce(&mut Role)) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    change(iam.roles.get_mut(input.parameters.required("RoleName")?)?);
    Ok(())
}

fn trust(input: &Input<'_>, parameter: &'static str) -> Result<Policy, Fault> {
    let trust = input.policy(parameter, PolicyKind::Trust)?;
    if exceed(MOST_TRUST, std::iter::once(&trust)) {
        return Err(Fault::limit(format!("Cannot exceed quota for ACLSizePerRole: {MOST_TRUST}")));
    }
    Ok(trust)
}

fn longest_session(input: &Input<'_>) -> Result<Option<Duration>, Fault> {
    let Some(text) = input.parameters.optional("MaxSessionDuration") else { return Ok(None) };
    let seconds = text.parse().ok().filter(|seconds| (3600..=43_200).contains(seconds));
    seconds
        .map(|seconds| Some(Duration::seconds(seconds)))
        .ok_or_else(|| Fault::violated("MaxSessionDuration", text, "Member must be between 3600 and 43200"))
}

fn description(input: &Input<'_>) -> Result<Option<String>, Fault> {
    let Some(text) = input.parameters.optional("Description") else { return Ok(None) };
    if text.chars().count() > 1000 {
        return Err(Fault::violated(
            "Description",
            text,
            "Member must have length less than or equal to 1000",
        ));
    }
    if text.chars().any(|c| c.is_control() && !"\t\n\r".contains(c)) {
        return Err(Fault::violated("Description", text, "Member must have no control characters"));
    }
    Ok(Some(text.to_owned()))
}
