//! Groups, whose policies are their members' too.

use super::grant::{Grants, grantee};
use super::input::Input;
use super::named::{Entity as _, Head, entity};
use super::tags::Tags;
use super::user::{self, User};
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// AWS's quota for each user.
const MOST_OF_A_USER: usize = 10;

/// A group.
pub(crate) struct Group {
    pub(super) head: Head,
    pub(super) grants: Grants,
    /// Names of users, as the users have them.
    members: Vec<String>,
}

impl Group {
    pub(super) fn has(&self, user: &str) -> bool {
        self.members.iter().any(|member| member == user)
    }

    pub(super) fn rename_member(&mut self, old: &str, new: &str) {
        for member in self.members.iter_mut().filter(|member| *member == old) {
            new.clone_into(member);
        }
    }
}

entity!(Group, groups, "group", "group", "GroupName", {});

grantee!(Group, 5_120, {});

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let name = input.name("GroupName", 128)?;
    let head = Head::new("AGPA", name, input.path("Path")?, Tags::default(), input.call.now);
    let mut iam = input.call.endpoint.iam_mut();
    let group = iam.groups.insert(Group { head, grants: Grants::default(), members: Vec::new() })?;
    xml.element("Group", |xml| write(group, input.call.endpoint, xml));
    Ok(())
}

/// The group and a page of its members.
pub(super) fn read(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let endpoint = input.call.endpoint;
    let iam = endpoint.iam();
    let group = iam.get::<Group>(input)?;
    xml.element("Group", |xml| write(group, endpoint, xml));
    let mut page = input.page()?;
    xml.element("Users", |xml| {
        for user in iam.users.iter() {
            if group.has(&user.head.name) && page.takes(&user.head.name.to_ascii_lowercase()) {
                xml.element("member", |xml| user::write(user, false, endpoint, xml));
            }
        }
    });
    page.end(xml);
    Ok(())
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let write = |group: &Group, xml: &mut Xml| write(group, input.call.endpoint, xml);
    input.list(&iam.groups, &|_| true, "Groups", xml, &write)
}

pub(super) fn update(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let new_name = input.new_name("NewGroupName", 128)?;
    let new_path = input.new_path()?;
    input.authorize_target::<Group>("UpdateGroup", new_name, new_path)?;
    input.call.endpoint.iam_mut().groups.rename(Group::reference(input)?, new_name, new_path)
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let group = iam.get::<Group>(input)?;
    if !group.members.is_empty() {
        return Err(Fault::delete_conflict("Cannot delete entity, must remove users from group first."));
    }
    group.grants.check_empty()?;
    let name = group.head.name.clone();
    iam.groups.remove(&name);
    Ok(())
}

pub(super) fn add_user(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let user = iam.users.get(input.parameters.required("UserName")?)?.head.name.clone();
    if iam.get::<Group>(input)?.has(&user) {
        return Ok(());
    }
    if iam.groups_of(&user).len() >= MOST_OF_A_USER {
        return Err(Fault::limit(format!("Cannot exceed quota for GroupsPerUser: {MOST_OF_A_USER}")));
    }
    iam.get_mut::<Group>(input)?.members.push(user);
    Ok(())
}

pub(super) fn remove_user(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let user = iam.get::<User>(input)?.head.name.clone();
    iam.get_mut::<Group>(input)?.members.retain(|member| *member != user);
    Ok(())
}

pub(super) fn write(group: &Group, endpoint: &Shared, xml: &mut Xml) {
    let Head { name, path, id, created, .. } = &group.head;
    xml.leaf("Path", path);
    xml.leaf("GroupName", name);
    xml.leaf("GroupId", id);
    xml.leaf("Arn", &group.arn(endpoint));
    xml.leaf("CreateDate", &clock::iso8601(*created));
}
