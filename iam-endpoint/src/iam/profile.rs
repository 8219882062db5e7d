//! Instance profiles: what holds a role for EC2, and keeps it from being deleted.

use super::input::Input;
use super::named::{Entity as _, Head, entity};
use super::role::{self, Detail, Role};
use super::service_role;
use super::state::State;
use super::tags::Tags;
use crate::authorize::Access;
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::wire::xml::Xml;

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

entity!(Profile, profiles, "instance profile", "instance-profile", "InstanceProfileName", {
    fn no_such(name: &str) -> Fault {
        Fault::no_such_entity(format!("Instance Profile {name} cannot be found."))
    }

    fn exists(name: &str) -> Fault {
        Fault::already_exists(format!("Instance Profile {name} already exists."))
    }
});

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
    let mut iam = input.call.endpoint.iam_mut();
    let profile = iam.get::<Profile>(input)?;
    if profile.role.is_some() {
        return Err(Fault::delete_conflict(
            "Cannot delete entity, must remove roles from instance profile first.",
        ));
    }
    let name = profile.head.name.clone();
    iam.profiles.remove(&name);
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
    let role = iam.roles.get(name)?;
    service_role::check_modifiable(role)?;
    let role = role.head.name.clone();
    let profile = iam.get_mut::<Profile>(input)?;
    if profile.role.is_some() {
        return Err(Fault::limit("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"));
    }
    profile.role = Some(role);
    Ok(())
}

pub(super) fn remove_role(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let name = input.parameters.required("RoleName")?;
    let mut iam = input.call.endpoint.iam_mut();
    let profile = iam.get_mut::<Profile>(input)?;
    if profile.role.take_if(|role| role.eq_ignore_ascii_case(name)).is_none() {
        let profile = &profile.head.name;
        return Err(Fault::no_such_entity(format!(
            "Role {name} in Instance Profile {profile} cannot be found."
        )));
    }
    Ok(())
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let write = |profile: &Profile, xml: &mut Xml| write(profile, &iam, input.call.endpoint, xml);
    input.list(&iam.profiles, &|_| true, "InstanceProfiles", xml, &write)
}

pub(super) fn list_for_role(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let role = &iam.get::<Role>(input)?.head.name;
    let write = |profile: &Profile, xml: &mut Xml| write(profile, &iam, input.call.endpoint, xml);
    input.list(&iam.profiles, &|profile| profile.has_role(role), "InstanceProfiles", xml, &write)
}

fn write_one(input: &Input<'_>, iam: &State, xml: &mut Xml) -> Result<(), Fault> {
    let profile = iam.get::<Profile>(input)?;
    xml.element("InstanceProfile", |xml| write(profile, iam, input.call.endpoint, xml));
    Ok(())
}

pub(super) fn write(profile: &Profile, iam: &State, endpoint: &Shared, xml: &mut Xml) {
    let Head { name, path, id, created, tags } = &profile.head;
    xml.leaf("Path", path);
    xml.leaf("InstanceProfileName", name);
    xml.leaf("InstanceProfileId", id);
    xml.leaf("Arn", &profile.arn(endpoint));
    xml.leaf("CreateDate", &clock::iso8601(*created));
    tags.write(xml);
    xml.element("Roles", |xml| {
        if let Some(role) = profile.role.as_ref().and_then(|role| iam.roles.find(role)) {
            xml.element("member", |xml| role::write_fields(role, Detail::Listed, endpoint, xml));
        }
    });
}
