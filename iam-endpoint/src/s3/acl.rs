//! Who owns the objects in a bucket, and access control lists as far as there are any: that of an owner who has given nothing
//! away.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>.

use http::StatusCode;
use roxmltree::Node;

use super::fault::{self, Fault};
use super::object;
use super::task::{Answer, Target, Task, document, empty, sets_acl};
use super::xml;
use crate::journal::Outcome;

/// Who owns the objects in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    BucketOwnerEnforced,
    BucketOwnerPreferred,
    ObjectWriter,
}

impl Ownership {
    const ALL: [Self; 3] = [Self::BucketOwnerEnforced, Self::BucketOwnerPreferred, Self::ObjectWriter];

    pub(super) fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ownership| ownership.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::ObjectWriter => "ObjectWriter",
        }
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html>
pub(super) fn get_ownership(task: &Task<'_>) -> Result<Answer, Fault> {
    let ownership = task.in_bucket(|bucket| {
        bucket.ownership.ok_or_else(|| fault::NO_OWNERSHIP_CONTROLS.fault().with("BucketName", task.bucket))
    })?;
    Ok(document("OwnershipControls", |xml| {
        xml.element("Rule", |xml| xml.leaf("ObjectOwnership", ownership.name()));
    }))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html>
pub(super) fn put_ownership(task: &Task<'_>) -> Result<Answer, Fault> {
    let ownership = xml::read(&task.call.body, "OwnershipControls", |root| {
        Ownership::read(xml::text(xml::child(root, "Rule")?, "ObjectOwnership")?)
    })?;
    task.in_bucket(|bucket| {
        bucket.ownership = Some(ownership);
        Ok(empty(StatusCode::OK))
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketOwnershipControls.html>
pub(super) fn delete_ownership(task: &Task<'_>) -> Result<Answer, Fault> {
    task.in_bucket(|bucket| {
        bucket.ownership = None;
        Ok(empty(StatusCode::NO_CONTENT))
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html>
pub(super) fn get_of_bucket(task: &Task<'_>) -> Result<Answer, Fault> {
    task.in_bucket(|_| Ok(()))?;
    Ok(private(task))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html>
pub(super) fn get_of_object(task: &Task<'_>) -> Result<Answer, Fault> {
    object::find(task, target(task))?;
    Ok(private(task))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html>
pub(super) fn put_on_bucket(task: &Task<'_>) -> Result<Answer, Fault> {
    task.in_bucket(|_| Ok(()))?;
    put(task)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html>
pub(super) fn put_on_object(task: &Task<'_>) -> Result<Answer, Fault> {
    object::find(task, target(task))?;
    put(task)
}

fn target<'t>(task: &'t Task<'_>) -> Target<'t> {
    Target { bucket: task.bucket, key: task.key, version: task.query.get("versionId") }
}

/// The list of what only its owner can do anything with.
fn private(task: &Task<'_>) -> Answer {
    let owner = task.canonical_owner();
    document("AccessControlPolicy", |xml| {
        xml.element("Owner", |xml| xml.leaf("ID", &owner));
        xml.element("AccessControlList", |xml| {
            xml.element("Grant", |xml| {
                xml.element(
                    "Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"",
                    |xml| xml.leaf("ID", &owner),
                );
                xml.leaf("Permission", "FULL_CONTROL");
            });
        });
    })
}

/// Puts a list that changes nothing, and refuses any other: as S3 does where lists are off or must not be public, else because
/// there is none.
fn put(task: &Task<'_>) -> Result<Answer, Fault> {
    let (ownership, blocks) = task.in_bucket(|bucket| Ok((bucket.ownership, bucket.public_access)))?;
    let blocks =
        blocks.is_some_and(|block| block.block_public_acls) || task.account_block().block_public_acls;
    let canned = task.header("x-amz-acl");
    if blocks
        && canned.is_some_and(|canned| {
            matches!(canned, "authenticated-read" | "public-read" | "public-read-write")
        })
    {
        return Err(fault::ACCESS_DENIED
            .because(format!(
                "User: {} is not authorized to perform: {} on resource: {} because public access control lists (ACLs) are \
                 prevented by the BlockPublicAcls setting in S3 Block Public Access.",
                task.call.caller.principal,
                if task.key.is_empty() { "s3:PutBucketAcl" } else { "s3:PutObjectAcl" },
                task.arn(target(task)),
            ))
            .concluding(Outcome::Denied));
    }
    let owner = task.canonical_owner();
    let is_private = match canned {
        Some(canned) => canned == "private" || canned == "bucket-owner-full-control",
        None if sets_acl(task) => false,
        None => {
            xml::read(&task.call.body, "AccessControlPolicy", |root| Some(gives_nothing_away(root, &owner)))?
        }
    };
    let acls_enabled = ownership != Some(Ownership::BucketOwnerEnforced);
    match (acls_enabled, is_private) {
        (false, true) if canned != Some("private") => Ok(empty(StatusCode::OK)),
        (false, _) => Err(fault::ACL_NOT_SUPPORTED.fault()),
        (true, true) => Ok(empty(StatusCode::OK)),
        (true, false) => Err(fault::not_performed("access control lists")),
    }
}

fn gives_nothing_away(root: Node<'_, '_>, owner: &str) -> bool {
    let Some(list) = xml::child(root, "AccessControlList") else { return false };
    xml::children(list, "Grant").into_iter().all(|grant| {
        let grantee = xml::child(grant, "Grantee").and_then(|grantee| xml::text(grantee, "ID"));
        grantee == Some(owner)
    })
}
