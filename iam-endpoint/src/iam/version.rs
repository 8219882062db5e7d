//! The versions of a managed policy, of which the default one counts.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html>

use iam_policy::Policy;
use time::OffsetDateTime;

use super::input::Input;
use super::policy::{CustomerPolicy, Facts, changeable, read_document, write_version};
use super::state::is_aws_managed;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// How many versions a policy can have.
const MOST: usize = 5;

/// The versions of one policy.
pub(super) struct Versions {
    /// Newest first, as AWS lists them.
    all: Vec<Version>,
    default: Version,
}

/// One version.
#[derive(Clone)]
pub(super) struct Version {
    /// Counts on when others are deleted.
    pub(super) number: usize,
    pub(super) document: Policy,
    pub(super) created: OffsetDateTime,
}

impl Version {
    pub(super) fn id(&self) -> String {
        format!("v{}", self.number)
    }
}

impl Versions {
    pub(super) fn new(document: Policy, created: OffsetDateTime) -> Self {
        let first = Version { number: 1, document, created };
        Self { all: vec![first.clone()], default: first }
    }

    pub(super) fn all(&self) -> &[Version] {
        &self.all
    }

    pub(super) fn default(&self) -> &Version {
        &self.default
    }

    fn find(&self, id: &str, arn: &str) -> Result<&Version, Fault> {
        self.all.iter().find(|version| version.id() == id).ok_or_else(|| no_such(arn, id))
    }
}

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let document = read_document(input)?;
    let now = input.call.now;
    let mut iam = input.call.endpoint.iam_mut();
    let policy = changeable(&mut iam, input)?;
    let versions = &mut policy.versions;
    if versions.all.len() >= MOST {
        return Err(Fault::limit(format!(
            "A managed policy can have up to {MOST} versions. Before you create a new version, you must delete an existing \
             version."
        )));
    }
    let newest = versions.all.first().map_or(0, |version| version.number);
    let number = newest.max(versions.default.number) + 1;
    let version = Version { number, document, created: now };
    versions.all.insert(0, version.clone());
    if input.parameters.flag("SetAsDefault") {
        versions.default = version.clone();
    }
    policy.updated = now;
    xml.element("PolicyVersion", |xml| write_version(&version, &policy.versions, false, xml));
    Ok(())
}

pub(super) fn read(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let (arn, id) = (input.parameters.required("PolicyArn")?, input.parameters.required("VersionId")?);
    let iam = input.call.endpoint.iam();
    if is_aws_managed(arn) {
        let facts = Facts::of(&iam, arn)?;
        if facts.default_version() != id {
            return Err(no_such(arn, id));
        }
        let policy = iam.managed_policy(arn)?;
        xml.element("PolicyVersion", |xml| facts.write_aws_version(Some(&policy), xml));
        return Ok(());
    }
    let versions = &iam.get::<CustomerPolicy>(input)?.versions;
    let version = versions.find(id, arn)?;
    xml.element("PolicyVersion", |xml| write_version(version, versions, true, xml));
    Ok(())
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let arn = input.parameters.required("PolicyArn")?;
    let iam = input.call.endpoint.iam();
    if is_aws_managed(arn) {
        let facts = Facts::of(&iam, arn)?;
        xml.element("Versions", |xml| xml.element("member", |xml| facts.write_aws_version(None, xml)));
        xml.leaf("IsTruncated", "false");
        return Ok(());
    }
    let versions = &iam.get::<CustomerPolicy>(input)?.versions;
    // Newest first; markers count up.
    let mut page = input.page()?;
    xml.element("Versions", |xml| {
        for version in &versions.all {
            if page.takes(&format!("{:020}", usize::MAX - version.number)) {
                xml.element("member", |xml| write_version(version, versions, false, xml));
            }
        }
    });
    page.end(xml);
    Ok(())
}

pub(super) fn set_default(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let (arn, id) = (input.parameters.required("PolicyArn")?, input.parameters.required("VersionId")?);
    let mut iam = input.call.endpoint.iam_mut();
    let policy = changeable(&mut iam, input)?;
    policy.versions.default = policy.versions.find(id, arn)?.clone();
    policy.updated = input.call.now;
    Ok(())
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let (arn, id) = (input.parameters.required("PolicyArn")?, input.parameters.required("VersionId")?);
    let mut iam = input.call.endpoint.iam_mut();
    let versions = &mut changeable(&mut iam, input)?.versions;
    let number = versions.find(id, arn)?.number;
    if number == versions.default.number {
        return Err(Fault::delete_conflict("Cannot delete the default version of a policy."));
    }
    versions.all.retain(|version| version.number != number);
    Ok(())
}

fn no_such(arn: &str, id: &str) -> Fault {
    Fault::no_such_entity(format!("Policy {arn} version {id} does not exist or is not attachable."))
}
