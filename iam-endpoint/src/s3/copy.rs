//! `CopyObject` and `UploadPartCopy`.

use std::sync::Arc;

use http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::checksum::{self, Algorithm, Checksum};
use super::encryption::{self, ENCRYPTION};
use super::fault::{self, Fault};
use super::lock::Lock;
use super::metadata;
use super::multipart;
use super::object::{self, Found};
use super::precondition::{self, Read};
use super::state::{Object, Tags};
use super::task::{Answer, Target, Task, document, set_header, timestamp};
use crate::wire::xml::Xml;

/// The object that a copy reads.
pub(super) struct Source {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) version: Option<String>,
}

impl Source {
    /// Reads `[/]bucket/key[?versionId=id]`, percent-encoded.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`; and the ARN of an access point is not mapped.
    pub(super) fn parse(header: &str) -> Result<Self, Fault> {
        let invalid = || {
            fault::INVALID_ARGUMENT
                .because("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
                .with("ArgumentName", "x-amz-copy-source")
                .with("ArgumentValue", header)
        };
        let (path, version) = match header.split_once("?versionId=") {
            Some((path, version)) => (path, Some(version.to_owned())),
            None => (header, None),
        };
        let path = percent_decode_str(path).decode_utf8().map_err(|_| invalid())?;
        if path.starts_with("arn:") {
            return Err(crate::fault::Fault::not_mapped("s3", Some("CopyObject from an access point")).into());
        }
        let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/').ok_or_else(invalid)?;
        if bucket.is_empty() || key.is_empty() {
            return Err(invalid());
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), version })
    }

    fn target(&self) -> Target<'_> {
        Target { bucket: &self.bucket, key: &self.key, version: self.version.as_deref() }
    }
}

/// Whether a copy takes the source's tags along: asked of the state, for it decides which actions are needed.
pub(super) fn copies_tags(task: &Task<'_>) -> bool {
    let Some(source) = &task.source else {
        return false;
    };
    let Target { bucket, key, version } = source.target();
    task.header("x-amz-tagging-directive") != Some("REPLACE")
        && task.call.endpoint.s3.with(|buckets| {
            let version = buckets.get(bucket).and_then(|bucket| bucket.version(key, version));
            version.is_some_and(|version| !version.tags.is_empty())
        })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
pub(super) fn object(task: &Task<'_>) -> Result<Answer, Fault> {
    let call = task.call;
    let acls_enabled = task.in_bucket(|bucket| Ok(bucket.acls_enabled()))?;
    let source = source(task)?;
    let found = found(task, source)?;
    let replaces_metadata = replaces(task, "x-amz-metadata-directive")?;
    let replaces_tags = replaces(task, "x-amz-tagging-directive")?;
    let is_itself = source.bucket == task.bucket && source.key == task.key && source.version.is_none();
    let changes = [metadata::STORAGE_CLASS, ENCRYPTION, metadata::WEBSITE_REDIRECT];
    if is_itself && !replaces_metadata && changes.into_iter().all(|header| task.header(header).is_none()) {
        return Err(fault::INVALID_REQUEST.because(
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    metadata::check_acl(task, acls_enabled)?;
    let headers = if replaces_metadata {
        metadata::of_request(task)?
    } else {
        metadata::of_copy(task, &found.object.headers)?
    };
    let tags = if replaces_tags { task.tags()? } else { found.version.tags.clone() };
    encryption::seal(task, &headers)?;
    // The source's lock is the source's.
    let lock = Lock::of_new(task)?;
    let copy = copied(task, &found, headers)?;
    let (id, versioning) = task.in_bucket(|bucket| {
        precondition::check_write(task, bucket.version(task.key, None))?;
        Ok((bucket.push(task.key, Arc::clone(&copy), Tags::clone(&tags), lock, call.now), bucket.versioning))
    })?;
    let mut answer =
        document("CopyObjectResult", |xml| result(xml, task, &copy.etag, copy.checksum.as_ref()));
    answer.headers_mut().extend(object::stored(&copy, versioning, &id).headers().clone());
    set_version_of_source(&mut answer, &found);
    Ok(answer)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
pub(super) fn part(task: &Task<'_>) -> Result<Answer, Fault> {
    let source = source(task)?;
    let found = found(task, source)?;
    let body = match task.header("x-amz-copy-source-range") {
        None => found.object.body.clone(),
        Some(range) => {
            let selected = super::range::select(Some(range), found.object.body.len())?;
            let is_whole = |range: &std::ops::Range<usize>| range.end <= found.object.body.len();
            let selected = selected.filter(is_whole).ok_or_else(|| {
                fault::INVALID_ARGUMENT
                    .because("The x-amz-copy-source-range value must be of the form bytes=first-last")
                    .with("ArgumentName", "x-amz-copy-source-range")
                    .with("ArgumentValue", range)
            })?;
            found.object.body.slice(selected)
        }
    };
    multipart::begun(task)?;
    let md5 = checksum::md5(&body);
    let (etag, checksum) = multipart::store_part(task, body, md5, None)?;
    let mut answer = document("CopyPartResult", |xml| result(xml, task, &etag, checksum.as_ref()));
    set_version_of_source(&mut answer, &found);
    Ok(answer)
}

fn source<'t>(task: &'t Task<'_>) -> Result<&'t Source, Fault> {
    task.source.as_ref().ok_or_else(|| fault::INVALID_ARGUMENT.fault())
}

/// The source, if it fulfils the request's conditions; none of them answers `NotModified`.
fn found(task: &Task<'_>, source: &Source) -> Result<Found, Fault> {
    let found = object::find(task, source.target()).map_err(|fault| match fault.code() {
        "MethodNotAllowed" => fault::INVALID_REQUEST.because(
            "The source of a copy request may not specifically refer to a delete marker by version id.",
        ),
        _ => fault,
    })?;
    let conditions = Read::of(task, "x-amz-copy-source-");
    conditions.check(&found.object.etag, &found.version).map_err(|_| fault::PRECONDITION_FAILED.fault())?;
    metadata::check_readable(&found.object.headers)?;
    encryption::open(task, (&source.bucket, &source.key), &found.object.headers)?;
    Ok(found)
}

/// Whether a directive says `REPLACE`.
fn replaces(task: &Task<'_>, directive: &'static str) -> Result<bool, Fault> {
    match task.header(directive) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(fault::INVALID_ARGUMENT
            .because("Unknown metadata directive.")
            .with("ArgumentName", directive)
            .with("ArgumentValue", other)),
    }
}

fn copied(task: &Task<'_>, found: &Found, headers: HeaderMap) -> Result<Arc<Object>, Fault> {
    let body = found.object.body.clone();
    let algorithm = match task.header("x-amz-checksum-algorithm") {
        Some(name) => Some(Algorithm::read(name)?),
        None => found.object.checksum.as_ref().map(|checksum| checksum.algorithm),
    };
    Ok(Arc::new(Object {
        etag: format!("\"{}\"", hex::encode(checksum::md5(&body))),
        headers,
        checksum: algorithm.map(|algorithm| algorithm.of(&body)),
        parts: Vec::new(),
        body,
    }))
}

fn result(xml: &mut Xml, task: &Task<'_>, etag: &str, checksum: Option<&Checksum>) {
    xml.leaf("LastModified", &timestamp(task.call.now));
    xml.leaf("ETag", etag);
    if let Some(checksum) = checksum {
        checksum.write(xml);
    }
}

fn set_version_of_source(answer: &mut Answer, found: &Found) {
    if found.versioning != super::state::Versioning::Never {
        set_header(answer, "x-amz-copy-source-version-id", &found.version.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_bucket_a_key_and_perhaps_a_version() {
        for (header, bucket, key, version) in [
            ("b/k", "b", "k", None),
            ("/b/k/l", "b", "k/l", None),
            ("b%2Fk%20l", "b", "k l", None),
            ("b/k%3Fl?versionId=v", "b", "k?l", Some("v")),
        ] {
            let source = Source::parse(header).expect(header);
            assert_eq!(
                (source.bucket.as_str(), source.key.as_str(), source.version.as_deref()),
                (bucket, key, version)
            );
        }
        for header in ["", "b", "/b", "b/", "/", "b/%FF"] {
            assert_eq!(
                Source::parse(header).err().map(|fault| fault.code().to_owned()),
                Some("InvalidArgument".to_owned())
            );
        }
    }
}
