//! `DeleteObject` and `DeleteObjects`.

use http::StatusCode;

use super::fault::{self, Fault};
use super::object::check_version_id;
use super::precondition;
use super::state::{Bucket, Versioning};
use super::task::{Answer, Target, Task, document, empty, set_header, set_version};
use super::{checksum, xml};
use crate::journal::Outcome;

/// S3 takes at most this many keys in one request.
const MOST_KEYS: usize = 1000;

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>
pub(super) fn object(task: &Task<'_>) -> Result<Answer, Fault> {
    let version = task.query.get("versionId");
    let (deleted, versioning) = task.in_bucket(|bucket| {
        precondition::check_write(task, bucket.version(task.key, version))?;
        Ok((delete(task, bucket, task.key, version)?, bucket.versioning))
    })?;
    let mut answer = empty(StatusCode::NO_CONTENT);
    if deleted.is_marker {
        set_header(&mut answer, "x-amz-delete-marker", "true");
    }
    if let Some(id) = &deleted.version {
        set_version(&mut answer, versioning, id);
    }
    Ok(answer)
}

pub(super) fn bypasses_governance(task: &Task<'_>) -> bool {
    task.header("x-amz-bypass-governance-retention").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// What a deletion did.
struct Deleted {
    /// The version that it made or removed.
    version: Option<String>,
    /// Whether that is a delete marker.
    is_marker: bool,
}

/// Removes a version for good, or the object as the bucket's versioning has it. What is not there is deleted, too.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html>.
fn delete(task: &Task<'_>, bucket: &mut Bucket, key: &str, version: Option<&str>) -> Result<Deleted, Fault> {
    if let Some(id) = version {
        check_version_id(id)?;
        if let Some(version) = bucket.version(key, Some(id)) {
            version.lock.check_deletable(task.call.now, bypasses_governance(task))?;
        }
        let removed = bucket.remove(key, id);
        return Ok(Deleted {
            version: Some(id.to_owned()),
            is_marker: removed.is_some_and(|version| version.object.is_none()),
        });
    }
    if bucket.versioning == Versioning::Never {
        bucket.objects.remove(key);
        return Ok(Deleted { version: None, is_marker: false });
    }
    let id = bucket.push_marker(key, task.call.now);
    Ok(Deleted { version: Some(id), is_marker: true })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
pub(super) fn objects(task: &Task<'_>) -> Result<Answer, Fault> {
    let call = task.call;
    checksum::verified(|name| task.integrity(name), &call.body, || checksum::md5(&call.body))?;
    let (keys, is_quiet) = xml::read(&call.body, "Delete", |root| {
        let mut keys = Vec::new();
        for object in xml::children(root, "Object") {
            keys.push(Wanted::read(object)?);
        }
        if keys.is_empty() || keys.len() > MOST_KEYS {
            return None;
        }
        Some((keys, xml::text(root, "Quiet").is_some_and(|quiet| quiet.trim() == "true")))
    })?;
    let mut outcomes = Vec::with_capacity(keys.len());
    let mut are_all_refused = true;
    for wanted in keys {
        let refusal = wanted.authorize(task)?;
        are_all_refused &= refusal.is_some();
        outcomes.push((wanted, refusal.map_or(Ok(None), Err)));
    }
    let deleted = task.in_bucket(|bucket| {
        for (wanted, outcome) in &mut outcomes {
            if outcome.is_ok() {
                *outcome = wanted.delete(task, bucket).map(Some);
            }
        }
        Ok(())
    });
    // Whoever may delete none of the keys does not learn whether the bucket is there.
    if !are_all_refused {
        deleted?;
    }
    // The request as a whole is answered, whatever became of single keys.
    call.record.borrow_mut().outcome = Some(Outcome::Answered);
    Ok(document("DeleteResult", |xml| {
        for (wanted, outcome) in &outcomes {
            match outcome {
                Ok(Some(deleted)) if !is_quiet => xml.element("Deleted", |xml| {
                    xml.leaf("Key", &wanted.key);
                    if let Some(id) = &wanted.version {
                        xml.leaf("VersionId", id);
                    }
                    if deleted.is_marker {
                        xml.leaf("DeleteMarker", "true");
                        xml.leaf("DeleteMarkerVersionId", deleted.version.as_deref().unwrap_or_default());
                    }
                }),
                Ok(_) => {}
                Err(fault) => xml.element("Error", |xml| {
                    xml.leaf("Key", &wanted.key);
                    if let Some(id) = &wanted.version {
                        xml.leaf("VersionId", id);
                    }
                    xml.leaf("Code", fault.code());
                    xml.leaf("Message", fault.message());
                }),
            }
        }
    }))
}

/// One key of a `DeleteObjects` request.
struct Wanted {
    key: String,
    version: Option<String>,
    etag: Option<String>,
}

impl Wanted {
    fn read(node: roxmltree::Node<'_, '_>) -> Option<Self> {
        let owned = |name| xml::text(node, name).map(str::to_owned);
        let key = owned("Key").filter(|key| !key.is_empty())?;
        Some(Self { key, version: owned("VersionId").filter(|id| !id.is_empty()), etag: owned("ETag") })
    }

    /// Asks whether this key may be deleted; a denial concerns the key, anything else the request.
    fn authorize(&self, task: &Task<'_>) -> Result<Option<Fault>, Fault> {
        let action = if self.version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
        let target = Target { bucket: task.bucket, key: &self.key, version: self.version.as_deref() };
        let mut answer = task.authorize_one(action, target);
        if bypasses_governance(task) {
            answer = answer.and_then(|()| task.authorize_one("s3:BypassGovernanceRetention", target));
        }
        match answer {
            Ok(()) => Ok(None),
            Err(fault) if fault.outcome() == Outcome::Denied => Ok(Some(fault)),
            Err(fault) => Err(fault),
        }
    }

    fn delete(&self, task: &Task<'_>, bucket: &mut Bucket) -> Result<Deleted, Fault> {
        if let Some(etag) = &self.etag {
            let current = bucket.version(&self.key, self.version.as_deref());
            let object = current.and_then(|version| version.object.as_ref());
            let object = object.ok_or_else(|| fault::NO_SUCH_KEY.fault())?;
            if !precondition::matches(etag, &object.etag) {
                return Err(fault::PRECONDITION_FAILED.fault());
            }
        }
        delete(task, bucket, &self.key, self.version.as_deref())
    }
}
