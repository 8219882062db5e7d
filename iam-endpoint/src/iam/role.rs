//! Roles.

use iam_policy::{Arn, Policy, PolicyKind, Source};
use time::Duration;

use super::grant::{self, Grants, grantee};
use super::input::{Input, exceed};
use super::named::{Entity as _, Head, entity};
use super::service_role;
use super::state::State;
use super::tags::Tags;
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// AWS's default quota for a trust policy's size.
const MOST_TRUST: usize = 2_048;

/// A role.
#[derive(Clone)]
pub(crate) struct Role {
    pub(crate) head: Head,
    pub(crate) trust: Policy,
    pub(crate) grants: Grants,
    pub(crate) longest_session: Duration,
    pub(super) description: Option<String>,
    /// Whether a service made it for itself.
    pub(super) linked: bool,
}

entity!(Role, roles, "role", "role", "RoleName", {
    fn boundary(&self) -> Option<&str> {
        self.grants.boundary.as_deref()
    }
});

grantee!(Role, 10_240, {
    fn check_modifiable(&self) -> Result<(), Fault> {
        service_role::check_modifiable(self)
    }
});

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let endpoint = input.call.endpoint;
    let name = input.name("RoleName", 64)?;
    let tags = Tags::read(&input.parameters)?;
    let trust = trust(input, "AssumeRolePolicyDocument")?;
    let longest_session = longest_session(input)?.unwrap_or(Duration::HOUR);
    let description = description(input)?;
    let mut iam = endpoint.iam_mut();
    check_principals(&trust, &iam, endpoint)?;
    endpoint.sky.as_ref().map_or(Ok(()), |sky| sky.check_roles(iam.roles.len()))?;
    let role = Role {
        head: Head::new("AROA", name, input.path("Path")?, tags, input.call.now),
        trust,
        grants: grant::of_new(input, &iam)?,
        longest_session,
        description,
        linked: false,
    };
    write(iam.roles.insert(role)?, Detail::Created, endpoint, xml);
    Ok(())
}

pub(super) fn read(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    write(iam.get::<Role>(input)?, Detail::All, input.call.endpoint, xml);
    Ok(())
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let write = |role: &Role, xml: &mut Xml| write_fields(role, Detail::Listed, input.call.endpoint, xml);
    input.list(&iam.roles, &|_| true, "Roles", xml, &write)
}

pub(super) fn update_trust(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let trust = trust(input, "PolicyDocument")?;
    check_principals(&trust, &input.call.endpoint.iam(), input.call.endpoint)?;
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
    input.parameters.required("Description")?;
    let description = description(input)?;
    change(input, |role| role.description = description)?;
    read(input, xml)
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let endpoint = input.call.endpoint;
    let mut iam = endpoint.iam_mut();
    let role = iam.get::<Role>(input)?;
    service_role::check_modifiable(role)?;
    let name = role.head.name.clone();
    if iam.profiles.iter().any(|profile| profile.has_role(&name)) {
        return Err(Fault::delete_conflict(
            "Cannot delete entity, must remove roles from instance profile first.",
        ));
    }
    role.grants.check_empty()?;
    let (arn, id) = (role.arn(endpoint), role.head.id.clone());
    iam.roles.remove(&name);
    forget_principal(&mut iam, &arn, &id);
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

pub(super) fn write(role: &Role, detail: Detail, endpoint: &Shared, xml: &mut Xml) {
    xml.element("Role", |xml| write_fields(role, detail, endpoint, xml));
}

pub(super) fn write_fields(role: &Role, detail: Detail, endpoint: &Shared, xml: &mut Xml) {
    let Head { name, path, id, created, tags } = &role.head;
    xml.leaf("Path", path);
    xml.leaf("RoleName", name);
    xml.leaf("RoleId", id);
    xml.leaf("Arn", &role.arn(endpoint));
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
    tags.write(xml);
    if detail == Detail::All {
        xml.leaf("RoleLastUsed", "");
    }
}

fn change(input: &Input<'_>, change: impl FnOnce(&mut Role)) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let role = iam.get_mut::<Role>(input)?;
    service_role::check_modifiable(role)?;
    change(role);
    Ok(())
}

/// A trust policy may name only users and roles that are there.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html>
fn check_principals(trust: &Policy, iam: &State, endpoint: &Shared) -> Result<(), Fault> {
    let mut named = Vec::new();
    for statement in trust.statements() {
        if let Some(principals) = statement.principals() {
            named.extend(principals.values);
        }
    }
    for value in named {
        let Some(arn) = Arn::parse(value.text).filter(|arn| arn.account == endpoint.account.id) else {
            continue;
        };
        let name = arn.resource.rsplit('/').next().unwrap_or_default();
        let is_there = match (arn.service, arn.resource.split('/').next()) {
            ("iam", Some("role")) => iam.roles.find(name).map(|role| role.arn(endpoint)),
            ("iam", Some("user")) => iam.users.find(name).map(|user| user.arn(endpoint)),
            _ => continue,
        };
        if is_there.as_deref() != Some(value.text) {
            return Err(Fault::malformed_policy(format!(
                "Invalid principal in policy: \"AWS\":\"{}\"",
                value.text
            )));
        }
    }
    Ok(())
}

/// Writes the unique id of a user or role that is gone in the place of its ARN, so that another one of the same name is not
/// trusted in its place.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-users>
pub(super) fn forget_principal(iam: &mut State, arn: &str, id: &str) {
    let (named, gone) = (format!("\"{arn}\""), format!("\"{id}\""));
    for role in iam.roles.iter_mut().filter(|role| role.trust.source().fragment().contains(&named)) {
        let source = role.trust.source();
        let text = source.fragment().replace(&named, &gone);
        if let Ok(trust) = Policy::parse(Source::new(source.name(), text), PolicyKind::Trust) {
            role.trust = trust;
        }
    }
}

fn trust(input: &Input<'_>, parameter: &'static str) -> Result<Policy, Fault> {
    let trust = input.policy(parameter, PolicyKind::Trust)?;
    if exceed(MOST_TRUST, &[&trust]) {
        return Err(Fault::limit(format!("Cannot exceed quota for ACLSizePerRole: {MOST_TRUST}")));
    }
    Ok(trust)
}

fn longest_session(input: &Input<'_>) -> Result<Option<Duration>, Fault> {
    Ok(input.parameters.number("MaxSessionDuration", 3600..=43_200)?.map(Duration::seconds))
}

fn description(input: &Input<'_>) -> Result<Option<String>, Fault> {
    let Some(text) = input.parameters.optional("Description") else { return Ok(None) };
    input.parameters.check_length("Description", 0..=1000)?;
    if text.chars().any(|c| c.is_control() && !"\t\n\r".contains(c)) {
        return Err(Fault::violated(
            "Description",
            text,
            r"Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*",
        ));
    }
    Ok(Some(text.to_owned()))
}
