//! Instance profiles: what holds a role for EC2, and keeps it from being deleted.

use http::StatusCode;

use super::input::{Input, end_of_page};
use super::role::{self, Detail};
use super::state::{Entity, Head, State};
use super::tags::Tags;
use crate::authorize::Access;
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::xml::Xml;

/// An instance profile.
pub(crate) struct Profile {
    head: Head,
    role: Option<String>,
}

impl Profile {
    pub(crate) fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    pub(super) fn has_role(&self, name: &str) -> bool {
        self.role.as_deref() == Some(name)
    }
}

impl Entity for Profile {
    const WHAT: &'static str = "instance profile";

    fn head(&self) -> &Head {
        &self.head
    }
}

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let name = input.name("InstanceProfileName", 128)?;
    let tags = Tags::read(&input.parameters)?;
    let mut iam = input.call.endpoint.iam_mut();
    let profile =
        Profile { head: Head::new("AIPA", name, input.path("Path")?, tags, input.call.now), role: None };
    iam.profiles.insert(profile)?;
    write_one(input, &iam, xml)
}

pub(super) fn read(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    write_one(input, &input.call.endpoint.iam(), xml)
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let name = input.parameters.required("InstanceProfileName")?;
    let mut iam = input.call.endpoint.iam_mut();
    if iam.profiles.get(name)?.role.is_some() {
        return Err(Fault::delete_conflict(
            "Cannot delete entity, must remove roles from instance profile first.",
        ));
    }
    iam.profiles.remove(name);
    Ok(())
}

/// Whoever gives a role to instances passes it to EC2.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>
pub(super) fn add_role(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let endpoint = input.call.endpoint;
    let name = input.parameters.required("RoleName")?;
    let path = endpoint.iam().roles.find(name).map_or_else(|| "/".to_owned(), |role| role.head.path.clone());
    input.call.authorize(Access {
        action: "iam:PassRole",
        resource: endpoint.iam_arn("role", &path, name),
        resource_account: None,
        resource_policy: None,
        conditions: &|context| {
            context.set("iam:PassedToService", "ec2.amazonaws.com");
        },
        absent: &["aws:ResourceTag/", "iam:"],
    })?;
    let mut iam = endpoint.iam_mut();
    let role = iam.roles.get(name)?.head.name.clone();
    let profile = iam.profiles.get_mut(input.parameters.required("InstanceProfileName")?)?;
    if profile.role.is_some() {
        return Err(Fault::limit("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"));
    }
    profile.role = Some(role);
    Ok(())
}

pub(super) fn remove_role(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let name = input.parameters.required("RoleName")?;
    let mut iam = input.call.endpoint.iam_mut();
    let profile = iam.profiles.get_mut(input.parameters.required("InstanceProfileName")?)?;
    if profile.role.take_if(|role| role.eq_ignore_ascii_case(name)).is_none() {
        return Err(Fault::new(
            StatusCode::NOT_FOUND,
            "NoSuchEntity",
            format!("Role {name} in Instance Profile {} cannot be found.", profile.head.name),
        ));
    }
    Ok(())
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let write = |profile: &Profile, xml: &mut Xml| write(profile, &iam, input.call.endpoint, xml);
    input.list(&iam.profiles, "InstanceProfiles", xml, |_| true, write)
}

pub(super) fn list_for_role(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let role = &iam.roles.get(input.parameters.required("RoleName")?)?.head.name;
    let all = iam.profiles.iter().filter(|profile| profile.has_role(role));
    let (page, marker) = input.page(all, |profile| profile.head.name.to_ascii_lowercase())?;
    xml.element("InstanceProfiles", |xml| {
        for profile in page {
            xml.element("member", |xml| write(profile, &iam, input.call.endpoint, xml));
        }
    });
    end_of_page(marker, xml);
    Ok(())
}

fn write_one(input: &Input<'_>, iam: &State, xml: &mut Xml) -> Result<(), Fault> {
    let profile = iam.profiles.get(input.parameters.required("InstanceProfileName")?)?;
    xml.element("InstanceProfile", |xml| write(profile, iam, input.call.endpoint, xml));
    Ok(())
}

fn write(profile: &Profile, iam: &State, endpoint: &Shared, xml: &mut Xml) {
    let Head { name, path, id, created, tags } = &profile.head;
    xml.leaf("Path", path);
    xml.leaf("InstanceProfileName", name);
    xml.leaf("InstanceProfileId", id);
    xml.leaf("Arn", &endpoint.iam_arn("instance-profile", path, name));
    xml.leaf("CreateDate", &clock::iso8601(*created));
    if !tags.is_empty() {
        tags.write(xml);
    }
    xml.element("Roles", |xml| {
        if let Some(role) = profile.role.as_ref().and_then(|role| iam.roles.find(role)) {
            xml.element("member", |xml| role::write_fields(role, Detail::Listed, endpoint, xml));
        }
    });
}
