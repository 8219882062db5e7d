//! Login profiles: whether a user may sign in to the console. Nobody can sign in here, so no password is kept.

use time::OffsetDateTime;

use super::input::Input;
use super::named::Head;
use super::user::User;
use crate::clock;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// A user's login profile.
pub(super) struct LoginProfile {
    created: OffsetDateTime,
    reset_required: bool,
}

impl LoginProfile {
    pub(super) fn created(&self) -> OffsetDateTime {
        self.created
    }
}

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    input.parameters.check_length("Password", 1..=128)?;
    let mut iam = input.call.endpoint.iam_mut();
    let User { head, login, .. } = iam.get_mut::<User>(input)?;
    if login.is_some() {
        return Err(Fault::already_exists(format!("Login Profile for user {} already exists.", head.name)));
    }
    let reset_required = input.parameters.flag("PasswordResetRequired");
    write(head, login.insert(LoginProfile { created: input.call.now, reset_required }), xml);
    Ok(())
}

pub(super) fn read(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let User { head, login, .. } = iam.get::<User>(input)?;
    write(head, login.as_ref().ok_or_else(|| none(head))?, xml);
    Ok(())
}

pub(super) fn update(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    input.parameters.check_length("Password", 1..=128)?;
    let mut iam = input.call.endpoint.iam_mut();
    let User { head, login, .. } = iam.get_mut::<User>(input)?;
    let login = login.as_mut().ok_or_else(|| none(head))?;
    if input.parameters.optional("PasswordResetRequired").is_some() {
        login.reset_required = input.parameters.flag("PasswordResetRequired");
    }
    Ok(())
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let User { head, login, .. } = iam.get_mut::<User>(input)?;
    login.take().map(drop).ok_or_else(|| none(head))
}

fn write(user: &Head, login: &LoginProfile, xml: &mut Xml) {
    xml.element("LoginProfile", |xml| {
        xml.leaf("UserName", &user.name);
        xml.leaf("CreateDate", &clock::iso8601(login.created));
        xml.leaf("PasswordResetRequired", if login.reset_required { "true" } else { "false" });
    });
}

fn none(user: &Head) -> Fault {
    Fault::no_such_entity(format!("Login Profile for User {} cannot be found.", user.name))
}
