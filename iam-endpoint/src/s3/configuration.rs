//! A bucket's versioning and its public access block.

use http::StatusCode;
use roxmltree::Node;

use super::fault::{self, Fault};
use super::state::{PublicAccessBlock, Versioning};
use super::task::{Answer, Task, document, empty};
use super::xml;
use crate::wire::xml::Xml;

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>
pub(super) fn get_versioning(task: &Task<'_>) -> Result<Answer, Fault> {
    let versioning = task.in_bucket(|bucket| Ok(bucket.versioning))?;
    Ok(document("VersioningConfiguration", |xml| match versioning {
        Versioning::Never => {}
        Versioning::Enabled => xml.leaf("Status", "Enabled"),
        Versioning::Suspended => xml.leaf("Status", "Suspended"),
    }))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html>
pub(super) fn put_versioning(task: &Task<'_>) -> Result<Answer, Fault> {
    let (status, deletes_with_mfa) = xml::read(&task.call.body, "VersioningConfiguration", |root| {
        let status = match xml::text(root, "Status") {
            None => None,
            Some("Enabled") => Some(Versioning::Enabled),
            Some("Suspended") => Some(Versioning::Suspended),
            Some(_) => return None,
        };
        Some((status, xml::text(root, "MfaDelete") == Some("Enabled")))
    })?;
    let versioning = status.ok_or_else(|| fault::ILLEGAL_VERSIONING_CONFIGURATION.fault())?;
    task.in_bucket(|bucket| {
        if deletes_with_mfa {
            return Err(fault::not_performed("deletion with MFA"));
        }
        if versioning != Versioning::Enabled && bucket.object_lock.is_some() {
            return Err(fault::INVALID_BUCKET_STATE.because(
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            ));
        }
        bucket.versioning = versioning;
        Ok(empty(StatusCode::OK))
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html>
pub(super) fn get_public_access_block(task: &Task<'_>) -> Result<Answer, Fault> {
    let block = task.in_bucket(|bucket| {
        bucket
            .public_access
            .ok_or_else(|| fault::NO_SUCH_PUBLIC_ACCESS_BLOCK.fault().with("BucketName", task.bucket))
    })?;
    Ok(document("PublicAccessBlockConfiguration", |xml| write_block(block, xml)))
}

pub(super) fn write_block(block: PublicAccessBlock, xml: &mut Xml) {
    for (element, is_on) in [
        ("BlockPublicAcls", block.block_public_acls),
        ("IgnorePublicAcls", block.ignore_public_acls),
        ("BlockPublicPolicy", block.block_public_policy),
        ("RestrictPublicBuckets", block.restrict_public_buckets),
    ] {
        xml.leaf(element, if is_on { "true" } else { "false" });
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html>
pub(super) fn put_public_access_block(task: &Task<'_>) -> Result<Answer, Fault> {
    let block = read_block(&task.call.body)?;
    task.in_bucket(|bucket| {
        bucket.public_access = Some(block);
        Ok(empty(StatusCode::OK))
    })
}

pub(super) fn read_block(body: &[u8]) -> Result<PublicAccessBlock, Fault> {
    xml::read(body, "PublicAccessBlockConfiguration", |root| {
        Some(PublicAccessBlock {
            block_public_acls: flag(root, "BlockPublicAcls")?,
            ignore_public_acls: flag(root, "IgnorePublicAcls")?,
            block_public_policy: flag(root, "BlockPublicPolicy")?,
            restrict_public_buckets: flag(root, "RestrictPublicBuckets")?,
        })
    })
}

/// What is not said is off.
fn flag(root: Node<'_, '_>, element: &str) -> Option<bool> {
    match xml::text(root, element).map(str::trim) {
        None | Some("false" | "FALSE") => Some(false),
        Some("true" | "TRUE") => Some(true),
        Some(_) => None,
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletePublicAccessBlock.html>
pub(super) fn delete_public_access_block(task: &Task<'_>) -> Result<Answer, Fault> {
    task.in_bucket(|bucket| {
        bucket.public_access = None;
        Ok(empty(StatusCode::NO_CONTENT))
    })
}
