//! `GetObject`, `HeadObject` and `PutObject`.

use std::ops::Range;
use std::sync::Arc;

use http::header::{ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::checksum::{self, Checksum};
use super::encryption;
use super::fault::{self, Fault};
use super::lock::Lock;
use super::precondition::{self, Read};
use super::state::{NULL_VERSION, Object, Piece, Version, Versioning};
use super::task::{Answer, Target, Task, empty, set_header, set_version};
use super::{metadata, range};
use crate::clock;

/// The parameters of a read that replace headers of the answer.
const OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-cache-control", http::header::CACHE_CONTROL),
    ("response-content-disposition", http::header::CONTENT_DISPOSITION),
    ("response-content-encoding", http::header::CONTENT_ENCODING),
    ("response-content-language", http::header::CONTENT_LANGUAGE),
    ("response-content-type", http::header::CONTENT_TYPE),
    ("response-expires", http::header::EXPIRES),
];

pub(super) fn get(task: &Task<'_>) -> Result<Answer, Fault> {
    let (mut answer, object, range) = read(task)?;
    metadata::check_readable(&object.headers)?;
    encryption::open(task, (task.bucket, task.key), &object.headers)?;
    *answer.body_mut() = object.body.slice(range);
    Ok(answer)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
pub(super) fn head(task: &Task<'_>) -> Result<Answer, Fault> {
    read(task).map(|(answer, ..)| answer)
}

/// An object's version that a request reads.
pub(super) struct Found {
    pub(super) version: Version,
    pub(super) object: Arc<Object>,
    pub(super) versioning: Versioning,
}

/// Finds what a request reads.
///
/// # Errors
///
/// `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion` as far as the caller may know, `MethodNotAllowed` for a delete marker.
pub(super) fn find(task: &Task<'_>, target: Target<'_>) -> Result<Found, Fault> {
    if let Some(id) = target.version {
        check_version_id(id)?;
    }
    let (version, versioning) = task.call.endpoint.s3.bucket(target.bucket, |bucket| {
        Ok((bucket.version(target.key, target.version).cloned(), bucket.versioning))
    })?;
    let absent = match target.version {
        None => fault::NO_SUCH_KEY.fault().with("Key", target.key),
        Some(id) => fault::NO_SUCH_VERSION.fault().with("Key", target.key).with("VersionId", id),
    };
    let Some(version) = version else {
        return Err(task.missing_key(target.bucket, absent));
    };
    match version.object.clone() {
        Some(object) => Ok(Found { version, object, versioning }),
        None if target.version.is_some() => Err(marked(fault::METHOD_NOT_ALLOWED.fault(), &version)
            .header(ALLOW, "DELETE")
            .with("ResourceType", "DeleteMarker")),
        None => Err(task.missing_key(target.bucket, marked(absent, &version))),
    }
}

/// Says that an error comes from a delete marker.
fn marked(fault: Fault, marker: &Version) -> Fault {
    fault
        .header(HeaderName::from_static("x-amz-delete-marker"), "true")
        .header(HeaderName::from_static("x-amz-version-id"), &marker.id)
}

/// Refuses what cannot be the id of a version.
pub(super) fn check_version_id(id: &str) -> Result<(), Fault> {
    if id == NULL_VERSION || id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(fault::INVALID_ARGUMENT
        .because("Invalid version id specified")
        .with("ArgumentName", "versionId")
        .with("ArgumentValue", id))
}

/// The answer to a read, and what of the object's body a `GET` adds.
fn read(task: &Task<'_>) -> Result<(Answer, Arc<Object>, Range<usize>), Fault> {
    let target = Target { bucket: task.bucket, key: task.key, version: task.query.get("versionId") };
    let Found { version, object, versioning } = find(task, target)?;
    Read::of(task, "").check(&object.etag, &version)?;
    let selected = selected(task, &object)?;

    let mut answer = empty(StatusCode::OK);
    *answer.headers_mut() = object.headers.clone();
    override_headers(task, answer.headers_mut())?;
    set_header(&mut answer, ETAG, &object.etag);
    set_header(&mut answer, LAST_MODIFIED, &clock::http_date(version.modified));
    set_header(&mut answer, ACCEPT_RANGES, "bytes");
    set_version(&mut answer, versioning, &version.id);
    version.lock.tell(task, target, &mut answer);
    if !version.tags.is_empty() && task.probe("s3:GetObjectTagging", target).is_ok() {
        set_header(&mut answer, "x-amz-tagging-count", &version.tags.len().to_string());
    }
    if task.query.get("partNumber").is_some() && !object.parts.is_empty() {
        set_header(&mut answer, "x-amz-mp-parts-count", &object.parts.len().to_string());
    }
    let range = match selected {
        None => {
            if task.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled")) {
                set_checksum(&mut answer, object.checksum.as_ref());
            }
            0..object.body.len()
        }
        Some(Range { start, end }) => {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            let last = end.saturating_sub(1);
            set_header(&mut answer, CONTENT_RANGE, &format!("bytes {start}-{last}/{}", object.body.len()));
            start..end
        }
    };
    set_header(&mut answer, CONTENT_LENGTH, &range.len().to_string());
    Ok((answer, object, range))
}

/// The bytes that the request asks for; `None` for all of them.
fn selected(task: &Task<'_>, object: &Object) -> Result<Option<Range<usize>>, Fault> {
    let Some(number) = task.number("partNumber")? else {
        return range::select(task.header("range"), object.body.len());
    };
    if task.header("range").is_some() {
        return Err(
            fault::INVALID_REQUEST.because("Cannot specify both Range header and partNumber query parameter")
        );
    }
    let whole = [Piece { size: object.body.len(), checksum: None }];
    let parts = if object.parts.is_empty() { whole.as_slice() } else { &object.parts };
    let mut ends = parts.iter().scan(0, |end, part| {
        let start = *end;
        *end += part.size;
        Some(start..*end)
    });
    let part = number.checked_sub(1).and_then(|index| ends.nth(index));
    // An empty object has no byte that a range could name.
    let part = part.ok_or_else(|| fault::INVALID_PART_NUMBER.fault())?;
    Ok((!part.is_empty()).then_some(part))
}

fn override_headers(task: &Task<'_>, headers: &mut HeaderMap) -> Result<(), Fault> {
    for (parameter, header) in OVERRIDES {
        let Some(value) = task.query.get(parameter) else {
            continue;
        };
        if task.call.signing.is_none() {
            return Err(fault::INVALID_REQUEST
                .because("Request specific response headers cannot be used for anonymous GET requests."));
        }
        let value = HeaderValue::from_str(value).map_err(|_| {
            fault::INVALID_ARGUMENT.fault().with("ArgumentName", parameter).with("ArgumentValue", value)
        })?;
        headers.insert(header, value);
    }
    Ok(())
}

pub(super) fn set_checksum(answer: &mut Answer, checksum: Option<&Checksum>) {
    if let Some(checksum) = checksum {
        set_header(answer, checksum.algorithm.header(), &checksum.value);
        set_header(answer, "x-amz-checksum-type", checksum.kind());
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
pub(super) fn put(task: &Task<'_>) -> Result<Answer, Fault> {
    let call = task.call;
    // A missing bucket comes before anything that is wrong with the object.
    let acls_enabled = task.in_bucket(|bucket| Ok(bucket.acls_enabled()))?;
    metadata::check_acl(task, acls_enabled)?;
    let tags = task.tags()?;
    let lock = Lock::of_new(task)?;
    let headers = metadata::of_request(task)?;
    encryption::seal(task, &headers)?;
    let md5 = checksum::md5(&call.body);
    let checksum = checksum::verified(|name| task.integrity(name), &call.body, || md5)?;
    let object = Arc::new(Object {
        body: call.body.clone(),
        etag: ["\"", &hex::encode(md5), "\""].concat(),
        headers,
        checksum,
        parts: Vec::new(),
    });
    let (id, versioning) = task.in_bucket(|bucket| {
        precondition::check_write(task, bucket.version(task.key, None))?;
        Ok((bucket.push(task.key, Arc::clone(&object), tags, lock, call.now), bucket.versioning))
    })?;
    let mut answer = stored(&object, versioning, &id);
    set_header(&mut answer, ETAG, &object.etag);
    set_checksum(&mut answer, object.checksum.as_ref());
    Ok(answer)
}

/// The headers that every answer about a new object has.
pub(super) fn stored(object: &Object, versioning: Versioning, id: &str) -> Answer {
    let mut answer = empty(StatusCode::OK);
    set_version(&mut answer, versioning, id);
    encryption::tell(&object.headers, &mut answer);
    answer
}
