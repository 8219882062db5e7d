//! Users, as far as tests need principals that are not roles.

use super::grant::{self, Grants};
use super::input::Input;
use super::state::{Entity, Head};
use super::tags::Tags;
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::xml::Xml;

/// A user.
pub(crate) struct User {
    pub(crate) head: Head,
    pub(crate) grants: Grants,
}

impl Entity for User {
    const WHAT: &'static str = "user";

    fn head(&self) -> &Head {
        &self.head
    }
}

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let endpoint = input.call.endpoint;
    let name = input.name("UserName", 64)?;
    let tags = Tags::read(&input.parameters)?;
    let mut iam = endpoint.iam_mut();
    let user = User {
        head: Head::new("AIDA", name, input.path("Path")?, tags, input.call.now),
        grants: grant::of_new(input, &iam)?,
    };
    let user = iam.users.insert(user)?;
    xml.element("User", |xml| write(user, true, endpoint, xml));
    Ok(())
}

pub(super) fn read(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let user = iam.users.get(input.user_name()?)?;
    xml.element("User", |xml| write(user, true, input.call.endpoint, xml));
    Ok(())
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let write = |user: &User, xml: &mut Xml| write(user, false, input.call.endpoint, xml);
    input.list(&iam.users, "Users", xml, |_| true, write)
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let user = iam.users.get(input.parameters.required("UserName")?)?;
    let name = user.head.name.clone();
    user.grants.check_empty()?;
    if iam.keys_of(&name).next().is_some() {
        return Err(Fault::delete_conflict("Cannot delete entity, must delete access keys first."));
    }
    iam.users.remove(&name);
    Ok(())
}

/// Lists leave out tags and boundary.
fn write(user: &User, whole: bool, endpoint: &Shared, xml: &mut Xml) {
    let Head { name, path, id, created, tags } = &user.head;
    xml.leaf("Path", path);
    xml.leaf("UserName", name);
    xml.leaf("UserId", id);
    xml.leaf("Arn", &endpoint.iam_arn("user", path, name));
    xml.leaf("CreateDate", &clock::iso8601(*created));
    if whole {
        grant::write_boundary(&user.grants, xml);
        if !tags.is_empty() {
            tags.write(xml);
        }
    }
}
