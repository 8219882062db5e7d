//! Managed policies: the customer's, and those that AWS publishes.

use http::StatusCode;
use iam_policy::{Policy, PolicyKind, managed};
use time::OffsetDateTime;

use super::grant::{Grants, document};
use super::input::{Input, end_of_page, exceed};
use super::state::{Entity, Head, State, is_aws_managed};
use super::tags::Tags;
use crate::clock;
use crate::fault::Fault;
use crate::xml::Xml;

/// What a managed policy may measure, in characters other than white space.
const MOST: usize = 6_144;

/// A customer managed policy.
pub(crate) struct CustomerPolicy {
    pub(super) head: Head,
    pub(super) arn: String,
    pub(super) document: Policy,
    description: Option<String>,
}

impl Entity for CustomerPolicy {
    const WHAT: &'static str = "policy";

    fn head(&self) -> &Head {
        &self.head
    }
}

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let name = input.name("PolicyName", 128)?;
    let path = input.path("Path")?;
    let document = input.policy("PolicyDocument", PolicyKind::Identity)?;
    if exceed(MOST, std::iter::once(&document)) {
        return Err(Fault::limit(format!("Cannot exceed quota for PolicySize: {MOST}")));
    }
    let arn = input.call.endpoint.iam_arn("policy", path, name);
    let policy = CustomerPolicy {
        head: Head::new("ANPA", name, path, Tags::read(&input.parameters)?, input.call.now),
        arn: arn.clone(),
        document,
        description: input.parameters.optional("Description").map(str::to_owned),
    };
    let mut iam = input.call.endpoint.iam_mut();
    iam.policies.insert(policy)?;
    write_one(&iam, &arn, true, xml)
}

pub(super) fn read(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    write_one(&input.call.endpoint.iam(), input.parameters.required("PolicyArn")?, true, xml)
}

pub(super) fn read_version(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let wanted = input.parameters.required("VersionId")?;
    let arn = input.parameters.required("PolicyArn")?;
    let iam = input.call.endpoint.iam();
    let facts = Facts::of(&iam, arn)?;
    if facts.version != wanted {
        return Err(Fault::new(
            StatusCode::NOT_FOUND,
            "NoSuchEntity",
            format!("Policy {arn} version {wanted} does not exist or is not attachable."),
        ));
    }
    let policy = iam.managed_policy(arn)?;
    xml.element("PolicyVersion", |xml| {
        xml.leaf("Document", &document(&policy));
        facts.write_version(xml);
    });
    Ok(())
}

pub(super) fn list_versions(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let iam = input.call.endpoint.iam();
    let facts = Facts::of(&iam, input.parameters.required("PolicyArn")?)?;
    xml.element("Versions", |xml| xml.element("member", |xml| facts.write_version(xml)));
    end_of_page(None, xml);
    Ok(())
}

pub(super) fn list(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let prefix = input.path("PathPrefix")?;
    let only_attached = input.parameters.optional("OnlyAttached") == Some("true");
    let scope = input.parameters.optional("Scope").unwrap_or("All");
    if !["All", "AWS", "Local"].contains(&scope) {
        return Err(Fault::violated("Scope", scope, "Member must satisfy enum value set: [AWS, Local, All]"));
    }
    let iam = input.call.endpoint.iam();
    let partition = input.call.endpoint.partition;
    let local = iam.policies.iter().map(|policy| policy.arn.clone()).filter(|_| scope != "AWS");
    let aws = managed::all().map(|policy| policy.arn(partition)).filter(|_| scope != "Local");
    let mut all: Vec<_> = local
        .chain(aws)
        .filter(|arn| arn.split_once(":policy").is_some_and(|(_, path)| path.starts_with(prefix)))
        .filter(|arn| !only_attached || iam.holders_of(arn, attaches).next().is_some())
        .collect();
    all.sort();
    let (page, marker) = input.page(all.into_iter(), Clone::clone)?;
    let facts = page.iter().map(|arn| Facts::of(&iam, arn)).collect::<Result<Vec<_>, _>>()?;
    xml.element("Policies", |xml| {
        for facts in &facts {
            xml.element("member", |xml| facts.write(false, xml));
        }
    });
    end_of_page(marker, xml);
    Ok(())
}

pub(super) fn list_entities(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let arn = input.parameters.required("PolicyArn")?;
    let as_boundary = input.parameters.optional("PolicyUsageFilter") == Some("PermissionsBoundary");
    let iam = input.call.endpoint.iam();
    Facts::of(&iam, arn)?;
    let holds = if as_boundary { bounds } else { attaches };
    for (list, what) in [("PolicyGroups", "Group"), ("PolicyRoles", "Role"), ("PolicyUsers", "User")] {
        xml.element(list, |xml| {
            for (_, head) in iam.holders_of(arn, holds).filter(|(of, _)| *of == what) {
                xml.element("member", |xml| {
                    xml.leaf(&format!("{what}Name"), &head.name);
                    xml.leaf(&format!("{what}Id"), &head.id);
                });
            }
        });
    }
    end_of_page(None, xml);
    Ok(())
}

pub(super) fn delete(input: &Input<'_>, _: &mut Xml) -> Result<(), Fault> {
    let arn = input.parameters.required("PolicyArn")?;
    let mut iam = input.call.endpoint.iam_mut();
    let policy = iam.customer_policy(arn).ok_or_else(|| no_such(arn))?;
    if iam.holders_of(arn, |grants, arn| attaches(grants, arn) || bounds(grants, arn)).next().is_some() {
        return Err(Fault::delete_conflict("Cannot delete a policy attached to entities."));
    }
    let name = policy.head.name.clone();
    iam.policies.remove(&name);
    Ok(())
}

impl State {
    pub(super) fn customer_policy(&self, arn: &str) -> Option<&CustomerPolicy> {
        self.policies.find(arn.rsplit('/').next()?).filter(|policy| policy.arn == arn)
    }

    /// Who holds a policy, each with the word for its kind.
    fn holders_of<'a>(
        &'a self,
        arn: &'a str,
        holds: impl Fn(&Grants, &str) -> bool + 'a,
    ) -> impl Iterator<Item = (&'static str, &'a Head)> {
        let roles = self.roles.iter().map(|role| ("Role", &role.head, &role.grants));
        let users = self.users.iter().map(|user| ("User", &user.head, &user.grants));
        roles.chain(users).filter(move |(.., grants)| holds(grants, arn)).map(|(what, head, _)| (what, head))
    }
}

/// What an answer tells of a managed policy.
struct Facts<'a> {
    arn: &'a str,
    name: &'a str,
    path: &'a str,
    id: String,
    version: &'a str,
    created: OffsetDateTime,
    tags: Option<&'a Tags>,
    description: Option<&'a str>,
    attachments: usize,
    boundaries: usize,
}

impl<'a> Facts<'a> {
    fn of(iam: &'a State, arn: &'a str) -> Result<Self, Fault> {
        let attachments = iam.holders_of(arn, attaches).count();
        let boundaries = iam.holders_of(arn, bounds).count();
        if is_aws_managed(arn) {
            let policy = managed::find(arn).ok_or_else(|| no_such(arn))?;
            return Ok(Self {
                arn,
                name: policy.name(),
                path: policy.path(),
                id: aws_id(policy.name()),
                version: policy.version(),
                created: OffsetDateTime::UNIX_EPOCH,
                tags: None,
                description: None,
                attachments,
                boundaries,
            });
        }
        let CustomerPolicy { head, description, .. } =
            iam.customer_policy(arn).ok_or_else(|| no_such(arn))?;
        Ok(Self {
            arn,
            name: &head.name,
            path: &head.path,
            id: head.id.clone(),
            version: "v1",
            created: head.created,
            tags: Some(&head.tags),
            description: description.as_deref(),
            attachments,
            boundaries,
        })
    }

    /// Lists leave out the description and the tags.
    fn write(&self, whole: bool, xml: &mut Xml) {
        let created = clock::iso8601(self.created);
        xml.leaf("PolicyName", self.name);
        xml.leaf("PolicyId", &self.id);
        xml.leaf("Arn", self.arn);
        xml.leaf("Path", self.path);
        xml.leaf("DefaultVersionId", self.version);
        xml.leaf("AttachmentCount", &self.attachments.to_string());
        xml.leaf("PermissionsBoundaryUsageCount", &self.boundaries.to_string());
        xml.leaf("IsAttachable", "true");
        xml.leaf("CreateDate", &created);
        xml.leaf("UpdateDate", &created);
        if whole {
            if let Some(description) = self.description {
                xml.leaf("Description", description);
            }
            if let Some(tags) = self.tags.filter(|tags| !tags.is_empty()) {
                tags.write(xml);
            }
        }
    }

    fn write_version(&self, xml: &mut Xml) {
        xml.leaf("VersionId", self.version);
        xml.leaf("IsDefaultVersion", "true");
        xml.leaf("CreateDate", &clock::iso8601(self.created));
    }
}

fn write_one(iam: &State, arn: &str, whole: bool, xml: &mut Xml) -> Result<(), Fault> {
    let facts = Facts::of(iam, arn)?;
    xml.element("Policy", |xml| facts.write(whole, xml));
    Ok(())
}

/// An id of the usual form that stays the same; AWS's own is not published.
fn aws_id(name: &str) -> String {
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric).cycle().take(17);
    letters.fold("ANPA".to_owned(), |mut id, letter| {
        id.push(char::from(letter.to_ascii_uppercase()));
        id
    })
}

fn attaches(grants: &Grants, arn: &str) -> bool {
    grants.attached.iter().any(|attached| attached == arn)
}

fn bounds(grants: &Grants, arn: &str) -> bool {
    grants.boundary.as_deref() == Some(arn)
}

fn no_such(arn: &str) -> Fault {
    Fault::new(StatusCode::NOT_FOUND, "NoSuchEntity", format!("Policy {arn} was not found."))
}
