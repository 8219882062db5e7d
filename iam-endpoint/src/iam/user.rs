//! Users.

use super::grant::{self, Grants, grantee};
use super::group::{self, Group};
use super::input::Input;
use super::login::LoginProfile;
use super::named::{Entity as _, Head, entity};
use super::role::forget_principal;
use super::tags::Tags;
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// A user.
pub(crate) struct User {
    pub(crate) head: Head,
    pub(crate) grants: Grants,
    pub(super) login: Option<LoginProfile>,
}

impl User {
    pub(super) fn new(head: Head, grants: Grants) -> Self {
        Self { head, grants, login: None }
    }
}

entity!(User, users, "user", "user", "UserName", {
    fn reference<'a>(input: &'a Input<'_>) -> Result<&'a str, Fault> {
        input.user_name()
    }

    fn boundary(&self) -> Option<&str> {
        self.grants.boundary.as_deref()
    }
});

grantee!(User, 2_048, {});

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let endpoint = input.call.endpoint;
    let name = input.name("UserName", 64)?;
    let tags = Tags::read(&input.parameters)?;
    let mut iam = endpoint.iam_mut();
    let head = Head::new("AIDA", name, input.path("Path")?, tags, input.call.now);
    let user = User::new(head, grant::of_new(input, &iam)?);
    let user = iam.users.insert(user)?;
    xml.element("User", |xml| write(user, true, endpoint, xml));
    Ok(())
}

pub(super) fn read(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let user = iam.get::<User>(input)?;
    xml.element("User", |xml| write(user, true, input.call.endpoint, xml));
    Ok(())
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let write = |user: &User, xml: &mut Xml| write(user, false, input.call.endpoint, xml);
    input.list(&iam.users, &|_| true, "Users", xml, &write)
}

/// Its keys, its groups and its devices follow it to its new name.
pub(super) fn update(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let new_name = input.new_name("NewUserName", 64)?;
    let new_path = input.new_path()?;
    input.authorize_target::<User>("UpdateUser", new_name, new_path)?;
    let mut iam = input.call.endpoint.iam_mut();
    let old_name = iam.get::<User>(input)?.head.name.clone();
    iam.users.rename(&old_name, new_name, new_path)?;
    if let Some(new_name) = new_name {
        iam.rename_holder(&old_name, new_name);
        for group in iam.groups.iter_mut() {
            group.rename_member(&old_name, new_name);
        }
        for device in iam.devices.iter_mut() {
            device.rename_user(&old_name, new_name);
        }
    }
    Ok(())
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let endpoint = input.call.endpoint;
    let mut iam = endpoint.iam_mut();
    let user = iam.get::<User>(input)?;
    let name = user.head.name.clone();
    let obstacles = [
        (!iam.groups_of(&name).is_empty(), "remove users from group"),
        (!iam.keys_of(&name).is_empty(), "delete access keys"),
        (user.login.is_some(), "delete login profile"),
        (iam.devices.iter().any(|device| device.is_of(&name)), "delete MFA device"),
    ];
    if let Some((_, what)) = obstacles.iter().find(|(stands, _)| *stands) {
        return Err(Fault::delete_conflict(format!("Cannot delete entity, must {what} first.")));
    }
    user.grants.check_empty()?;
    let (arn, id) = (user.arn(endpoint), user.head.id.clone());
    iam.users.remove(&name);
    forget_principal(&mut iam, &arn, &id);
    Ok(())
}

pub(super) fn list_groups(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let user = &iam.get::<User>(input)?.head.name;
    let write = |group: &Group, xml: &mut Xml| group::write(group, input.call.endpoint, xml);
    input.list(&iam.groups, &|group| group.has(user), "Groups", xml, &write)
}

/// What a user can have in IAM and never has here: keys of Git and certificates of the old SOAP interface.
pub(super) fn list_none(list: &'static str, input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    input.call.endpoint.iam().get::<User>(input)?;
    xml.leaf(list, "");
    xml.leaf("IsTruncated", "false");
    Ok(())
}

/// Lists leave out tags and boundary.
pub(super) fn write(user: &User, whole: bool, endpoint: &Shared, xml: &mut Xml) {
    let Head { name, path, id, created, tags } = &user.head;
    xml.leaf("Path", path);
    xml.leaf("UserName", name);
    xml.leaf("UserId", id);
    xml.leaf("Arn", &user.arn(endpoint));
    xml.leaf("CreateDate", &clock::iso8601(*created));
    if whole {
        grant::write_boundary(&user.grants, xml);
        tags.write(xml);
    }
}
