//! Virtual MFA devices: whose they are, and their codes.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html>

use http::StatusCode;
use time::OffsetDateTime;

use super::input::Input;
use super::key::random_base32;
use super::named::{Head, entity};
use super::state::State;
use super::tags::Tags;
use super::totp::Generator;
use super::user::{self, User};
use crate::clock;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// A virtual MFA device.
pub(crate) struct Device {
    head: Head,
    /// Its ARN.
    serial: String,
    generator: Generator,
    enabled: Option<Enabled>,
}

struct Enabled {
    /// The user's name.
    user: String,
    at: OffsetDateTime,
}

impl Device {
    pub(super) fn is_of(&self, user: &str) -> bool {
        self.user().is_some_and(|of| of == user)
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.enabled.is_some()
    }

    pub(super) fn rename_user(&mut self, old: &str, new: &str) {
        if let Some(enabled) = self.enabled.as_mut().filter(|enabled| enabled.user == old) {
            new.clone_into(&mut enabled.user);
        }
    }

    /// Takes a code as a proof that the user has the device.
    pub(crate) fn take_code(&mut self, code: &str, now: OffsetDateTime) -> bool {
        self.generator.take(code, now)
    }

    fn user(&self) -> Option<&str> {
        self.enabled.as_ref().map(|enabled| enabled.user.as_str())
    }
}

entity!(Device, devices, "MFA device", "mfa", "SerialNumber", {
    const NAME: &'static str = "VirtualMFADeviceName";

    fn name_in(reference: &str) -> &str {
        reference.rsplit('/').next().unwrap_or(reference)
    }

    fn is(&self, reference: &str) -> bool {
        !reference.contains('/') || self.serial == reference
    }

    fn no_such(reference: &str) -> Fault {
        Fault::no_such_entity(format!("VirtualMFADevice with serial number {reference} doesn't exist."))
    }

    fn exists(_: &str) -> Fault {
        Fault::already_exists("MFADevice entity at the same path and name already exists.")
    }
});

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let (name, path) = (input.name("VirtualMFADeviceName", 226)?, input.path("Path")?);
    let serial = input.call.endpoint.iam_arn("mfa", path, name);
    let head = Head::new("", name, path, Tags::read(&input.parameters)?, input.call.now);
    let seed = random_base32(64);
    let mut iam = input.call.endpoint.iam_mut();
    let device = Device { head, serial, generator: Generator::new(&seed), enabled: None };
    let device = iam.devices.insert(device)?;
    xml.element("VirtualMFADevice", |xml| {
        xml.leaf("SerialNumber", &device.serial);
        xml.leaf("Base32StringSeed", &base64_simd::STANDARD.encode_to_string(seed));
        device.head.tags.write(xml);
    });
    Ok(())
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let device = iam.get::<Device>(input)?;
    if device.is_enabled() {
        return Err(Fault::delete_conflict("Cannot delete entity, must deactivate MFA device first."));
    }
    let serial = device.serial.clone();
    iam.devices.remove(&serial);
    Ok(())
}

pub(super) fn enable(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let codes = codes(input)?;
    let mut iam = input.call.endpoint.iam_mut();
    let user = iam.get::<User>(input)?.head.name.clone();
    let device = iam.get_mut::<Device>(input)?;
    if device.is_enabled() {
        return Err(Fault::already_exists("MFADevice entity is already enabled."));
    }
    synchronize(device, codes, input.call.now)?;
    device.enabled = Some(Enabled { user, at: input.call.now });
    Ok(())
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ResyncMFADevice.html>
pub(super) fn resync(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let codes = codes(input)?;
    let mut iam = input.call.endpoint.iam_mut();
    synchronize(device_of_user(&mut iam, input)?, codes, input.call.now)
}

/// Two codes in sequence.
fn codes<'a>(input: &'a Input<'_>) -> Result<[&'a str; 2], Fault> {
    let code = |name: &str| {
        let digits = input.parameters.required(name)?;
        if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(digits);
        }
        Err(Fault::violated(name, digits, r"Member must satisfy regular expression pattern: [\d]+"))
    };
    Ok([code("AuthenticationCode1")?, code("AuthenticationCode2")?])
}

fn synchronize(device: &mut Device, [first, second]: [&str; 2], now: OffsetDateTime) -> Result<(), Fault> {
    if device.generator.synchronize(first, second, now) {
        return Ok(());
    }
    let message = "Authentication code for device is not valid.";
    Err(Fault::new(StatusCode::FORBIDDEN, "InvalidAuthenticationCode", message))
}

fn device_of_user<'i>(iam: &'i mut State, input: &Input<'_>) -> Result<&'i mut Device, Fault> {
    let user = iam.get::<User>(input)?.head.name.clone();
    let device = iam.get_mut::<Device>(input)?;
    if !device.is_of(&user) {
        return Err(Fault::no_such_entity(format!("MFA Device invalid for user {user}.")));
    }
    Ok(device)
}

pub(super) fn deactivate(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    device_of_user(&mut iam, input)?.enabled = None;
    Ok(())
}

/// The devices of a user.
pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let user = &iam.get::<User>(input)?.head.name;
    let mut page = input.page()?;
    xml.element("MFADevices", |xml| {
        for device in iam.devices.iter() {
            if !device.is_of(user) || !page.takes(&device.head.name.to_ascii_lowercase()) {
                continue;
            }
            xml.element("member", |xml| {
                xml.leaf("UserName", user);
                xml.leaf("SerialNumber", &device.serial);
                if let Some(Enabled { at, .. }) = &device.enabled {
                    xml.leaf("EnableDate", &clock::iso8601(*at));
                }
            });
        }
    });
    page.end(xml);
    Ok(())
}

/// All devices of the account.
pub(super) fn list_all(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let wanted = input.parameters.one_of("AssignmentStatus", &["Assigned", "Unassigned", "Any"])?;
    let endpoint = input.call.endpoint;
    let iam = endpoint.iam();
    let is_wanted = |device: &Device| match wanted {
        Some("Assigned") => device.is_enabled(),
        Some("Unassigned") => !device.is_enabled(),
        _ => true,
    };
    let mut page = input.page()?;
    xml.element("VirtualMFADevices", |xml| {
        for device in iam.devices.iter() {
            if !is_wanted(device) || !page.takes(&device.head.name.to_ascii_lowercase()) {
                continue;
            }
            xml.element("member", |xml| {
                xml.leaf("SerialNumber", &device.serial);
                if let Some(Enabled { user, at }) = &device.enabled {
                    xml.leaf("EnableDate", &clock::iso8601(*at));
                    if let Some(user) = iam.users.find(user) {
                        xml.element("User", |xml| user::write(user, false, endpoint, xml));
                    }
                }
            });
        }
    });
    page.end(xml);
    Ok(())
}
