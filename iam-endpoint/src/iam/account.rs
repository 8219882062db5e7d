//! What an account has once: its alias, its password policy, and the count of all the rest.

use super::input::Input;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// What passwords have to be like. Nobody can sign in here, so it is only kept.
pub(super) struct PasswordPolicy {
    /// Each element of the answer, in the order of AWS's.
    elements: Vec<(&'static str, String)>,
}

impl PasswordPolicy {
    /// What is not named gets AWS's default again.
    fn read(input: &Input<'_>) -> Result<Self, Fault> {
        let flags =
            |names: [&'static str; 5]| names.map(|name| (name, input.parameters.flag(name).to_string()));
        let number = |name: &'static str, most: i64, least: i64| {
            Ok::<_, Fault>(input.parameters.number(name, least..=most)?.filter(|number| *number > 0))
        };
        let length = number("MinimumPasswordLength", 128, 6)?.unwrap_or(6);
        let age = number("MaxPasswordAge", 1095, 0)?;
        let mut elements = vec![("MinimumPasswordLength", length.to_string())];
        elements.extend(flags([
            "RequireSymbols",
            "RequireNumbers",
            "RequireUppercaseCharacters",
            "RequireLowercaseCharacters",
            "AllowUsersToChangePassword",
        ]));
        elements.push(("ExpirePasswords", age.is_some().to_string()));
        elements.extend(age.map(|age| ("MaxPasswordAge", age.to_string())));
        let kept = number("PasswordReusePrevention", 24, 0)?;
        elements.extend(kept.map(|kept| ("PasswordReusePrevention", kept.to_string())));
        elements.push(("HardExpiry", input.parameters.flag("HardExpiry").to_string()));
        Ok(Self { elements })
    }
}

pub(super) fn read_password_policy(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let policy = iam.password_policy.as_ref().ok_or_else(|| no_password_policy(input))?;
    xml.element("PasswordPolicy", |xml| {
        for (name, value) in &policy.elements {
            xml.leaf(name, value);
        }
    });
    Ok(())
}

pub(super) fn update_password_policy(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    input.call.endpoint.iam_mut().password_policy = Some(PasswordPolicy::read(input)?);
    Ok(())
}

pub(super) fn delete_password_policy(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let gone = input.call.endpoint.iam_mut().password_policy.take();
    gone.map(drop).ok_or_else(|| no_password_policy(input))
}

fn no_password_policy(input: &Input<'_>) -> Fault {
    let account = &input.call.endpoint.account.id;
    Fault::no_such_entity(format!("The Password Policy with domain name {account} cannot be found."))
}

pub(super) fn create_alias(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let alias = input.parameters.required("AccountAlias")?;
    input.parameters.check_length("AccountAlias", 3..=63)?;
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_framed = alias.starts_with('-') || alias.ends_with('-') || alias.contains("--");
    if is_framed || !alias.bytes().all(allowed) {
        let rule =
            "Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$";
        return Err(Fault::violated("AccountAlias", alias, rule));
    }
    // An account has one alias, and a new one takes its place.
    input.call.endpoint.iam_mut().alias = Some(alias.to_owned());
    Ok(())
}

pub(super) fn delete_alias(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let alias = input.parameters.required("AccountAlias")?;
    let gone = input.call.endpoint.iam_mut().alias.take_if(|of| of == alias);
    gone.map(drop).ok_or_else(|| Fault::no_such_entity(format!("The Account Alias {alias} cannot be found.")))
}

pub(super) fn list_aliases(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let mut page = input.page()?;
    xml.element("AccountAliases", |xml| {
        if let Some(alias) = iam.alias.as_ref().filter(|alias| page.takes(alias)) {
            xml.leaf("member", alias);
        }
    });
    page.end(xml);
    Ok(())
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html>
#[expect(clippy::unnecessary_wraps, reason = "of the table's type")]
pub(super) fn summary(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let (mut versions, mut in_use) = (0, 0);
    for policy in iam.policies.iter() {
        versions += policy.versions.all().len();
    }
    for device in iam.devices.iter() {
        in_use += usize::from(device.is_enabled());
    }
    #[rustfmt::skip]
    let entries = [
        ("AccessKeysPerUserQuota", 2),
        ("AccountAccessKeysPresent", 0),
        ("AccountMFAEnabled", 0),
        ("AccountPasswordPresent", 0),
        ("AccountSigningCertificatesPresent", 0),
        ("AssumeRolePolicySizeQuota", 2_048),
        ("AttachedPoliciesPerGroupQuota", 10),
        ("AttachedPoliciesPerRoleQuota", 10),
        ("AttachedPoliciesPerUserQuota", 10),
        ("GlobalEndpointTokenVersion", 1),
        ("GroupPolicySizeQuota", 5_120),
        ("Groups", iam.groups.len()),
        ("GroupsPerUserQuota", 10),
        ("GroupsQuota", 300),
        ("InstanceProfiles", iam.profiles.len()),
        ("InstanceProfilesQuota", 1_000),
        ("MFADevices", iam.devices.len()),
        ("MFADevicesInUse", in_use),
        ("Policies", iam.policies.len()),
        ("PoliciesQuota", 1_500),
        ("PolicySizeQuota", 6_144),
        ("PolicyVersionsInUse", versions),
        ("PolicyVersionsInUseQuota", 10_000),
        ("Providers", iam.oidc_providers.len() + iam.saml_providers.len()),
        ("RolePolicySizeQuota", 10_240),
        ("Roles", iam.roles.len()),
        ("RolesQuota", 1_000),
        ("ServerCertificates", 0),
        ("ServerCertificatesQuota", 20),
        ("SigningCertificatesPerUserQuota", 2),
        ("UserPolicySizeQuota", 2_048),
        ("Users", iam.users.len()),
        ("UsersQuota", 5_000),
        ("VersionsPerPolicyQuota", 5),
    ];
    xml.element("SummaryMap", |xml| {
        for (key, value) in entries {
            xml.element("entry", |xml| {
                xml.leaf("key", key);
                xml.leaf("value", &value.to_string());
            });
        }
    });
    Ok(())
}
