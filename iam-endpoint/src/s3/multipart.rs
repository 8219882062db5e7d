//! Multipart uploads.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};

use super::checksum::{self, Algorithm, Checksum};
use super::fault::{self, Fault};
use super::listing::{self, Items, Line, Order, Page};
use super::lock::Lock;
use super::precondition;
use super::state::{Object, Part, Piece, Upload, new_id};
use super::task::{Answer, Task, document, empty, set_header, set_version, timestamp};
use super::{conditions, encryption, metadata, xml};
use crate::wire::xml::Xml;

const MOST_PARTS: u16 = 10_000;
/// All parts but the last are at least this large.
const SMALLEST_PART: usize = 5 * 1024 * 1024;

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
pub(super) fn create(task: &Task<'_>) -> Result<Answer, Fault> {
    let call = task.call;
    let acls_enabled = task.in_bucket(|bucket| Ok(bucket.acls_enabled()))?;
    metadata::check_acl(task, acls_enabled)?;
    Lock::of_new(task)?;
    let algorithm = task.header("x-amz-checksum-algorithm").map(Algorithm::read).transpose()?;
    let upload = Upload {
        id: new_id(),
        initiated: call.now,
        headers: metadata::of_request(task)?,
        tags: task.tags()?,
        algorithm,
        is_composite: match task.header("x-amz-checksum-type") {
            Some(kind) => kind == "COMPOSITE",
            None => algorithm.is_none_or(Algorithm::is_composite_by_default),
        },
        parts: Vec::new(),
        conditions: conditions::headers(task),
    };
    encryption::seal(task, &upload.headers)?;
    let mut answer = document("InitiateMultipartUploadResult", |xml| {
        xml.leaf("Bucket", task.bucket);
        xml.leaf("Key", task.key);
        xml.leaf("UploadId", &upload.id);
    });
    encryption::tell(&upload.headers, &mut answer);
    if let Some(algorithm) = algorithm {
        set_header(&mut answer, "x-amz-checksum-algorithm", algorithm.name());
        set_header(&mut answer, "x-amz-checksum-type", upload.checksum_kind());
    }
    task.in_bucket(|bucket| {
        bucket.uploads.or_insert_with(task.key.to_owned(), Vec::new).push(upload);
        Ok(())
    })?;
    Ok(answer)
}

impl Upload {
    fn put(&mut self, number: u16, part: Part) {
        let place = self.parts.partition_point(|(before, _)| *before < number);
        match self.parts.get_mut(place) {
            Some((same, replaced)) if *same == number => *replaced = part,
            _ => self.parts.insert(place, (number, part)),
        }
    }

    fn part(&self, number: u16) -> Option<&Part> {
        let place = self.parts.partition_point(|(before, _)| *before < number);
        let (found, part) = self.parts.get(place)?;
        (*found == number).then_some(part)
    }

    fn checksum_kind(&self) -> &'static str {
        if self.is_composite { "COMPOSITE" } else { "FULL_OBJECT" }
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
pub(super) fn upload_part(task: &Task<'_>) -> Result<Answer, Fault> {
    let call = task.call;
    let md5 = checksum::md5(&call.body);
    let given = checksum::verified(|name| task.integrity(name), &call.body, || md5)?;
    let headers = begun(task)?;
    let (etag, checksum) = store_part(task, call.body.clone(), md5, given)?;
    let mut answer = empty(StatusCode::OK);
    set_header(&mut answer, ETAG, &etag);
    encryption::tell(&headers, &mut answer);
    if let Some(checksum) = &checksum {
        set_header(&mut answer, checksum.algorithm.header(), &checksum.value);
    }
    Ok(answer)
}

/// The headers of the upload that the request is about, which the caller may have opened.
pub(super) fn begun(task: &Task<'_>) -> Result<HeaderMap, Fault> {
    let headers = task.in_bucket(|bucket| Ok(bucket.upload(task.key, upload_id(task))?.headers.clone()))?;
    encryption::open(task, (task.bucket, task.key), &headers)?;
    Ok(headers)
}

/// Keeps a part in place of any of the same number; gives its entity tag, and its checksum where the upload has one.
pub(super) fn store_part(
    task: &Task<'_>,
    body: Bytes,
    md5: [u8; 16],
    given: Option<Checksum>,
) -> Result<(String, Option<Checksum>), Fault> {
    let number = task.query.get("partNumber").unwrap_or_default();
    let number = number.parse().ok().filter(|number| (1..=MOST_PARTS).contains(number)).ok_or_else(|| {
        fault::INVALID_ARGUMENT
            .because("Part number must be an integer between 1 and 10000, inclusive")
            .with("ArgumentName", "partNumber")
            .with("ArgumentValue", number)
    })?;
    let id = upload_id(task);
    let algorithm = task.in_bucket(|bucket| Ok(bucket.upload(task.key, id)?.algorithm))?;
    let checksum = given.or_else(|| algorithm.map(|algorithm| algorithm.of(&body)));
    let part = Part { body, md5, modified: task.call.now, checksum: checksum.clone() };
    let etag = part.etag();
    task.in_bucket(|bucket| {
        bucket.upload(task.key, id)?.put(number, part);
        Ok(())
    })?;
    Ok((etag, checksum))
}

fn upload_id<'t>(task: &'t Task<'_>) -> &'t str {
    task.query.get("uploadId").unwrap_or_default()
}

impl Part {
    fn etag(&self) -> String {
        ["\"", &hex::encode(self.md5), "\""].concat()
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
pub(super) fn abort(task: &Task<'_>) -> Result<Answer, Fault> {
    task.in_bucket(|bucket| {
        bucket.upload(task.key, upload_id(task))?;
        bucket.remove_upload(task.key, upload_id(task));
        Ok(empty(StatusCode::NO_CONTENT))
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
pub(super) fn complete(task: &Task<'_>) -> Result<Answer, Fault> {
    let call = task.call;
    let wanted = xml::read(&call.body, "CompleteMultipartUpload", |root| {
        let mut parts = Vec::new();
        for part in xml::children(root, "Part") {
            parts.push(WantedPart::read(part)?);
        }
        (!parts.is_empty()).then_some(parts)
    })?;
    let id = upload_id(task);
    // The parts are put together outside the lock.
    let (parts, assembly) = task.in_bucket(|bucket| {
        precondition::check_write(task, bucket.version(task.key, None))?;
        let upload = bucket.upload(task.key, id)?;
        Ok((chosen(upload, &wanted)?, Assembly::of(upload)))
    })?;
    encryption::open(task, (task.bucket, task.key), &assembly.headers)?;
    let (object, tags) = assembly.object(&parts);
    if let Some(checksum) = &object.checksum
        && task.header(checksum.algorithm.header()).is_some_and(|given| given != checksum.value)
    {
        return Err(
            fault::BAD_DIGEST.because("The checksum you specified did not match the calculated checksum.")
        );
    }
    let object = Arc::new(object);
    let lock = Lock::of_upload(task)?;
    let (version, versioning) = task.in_bucket(|bucket| {
        // Somebody may have aborted or completed it meanwhile.
        bucket.upload(task.key, id)?;
        precondition::check_write(task, bucket.version(task.key, None))?;
        bucket.remove_upload(task.key, id);
        Ok((bucket.push(task.key, Arc::clone(&object), tags, lock, call.now), bucket.versioning))
    })?;
    let mut answer = document("CompleteMultipartUploadResult", |xml| {
        xml.leaf("Location", &format!("https://{}.s3.amazonaws.com/{}", task.bucket, task.key));
        xml.leaf("Bucket", task.bucket);
        xml.leaf("Key", task.key);
        xml.leaf("ETag", &object.etag);
        if let Some(checksum) = &object.checksum {
            checksum.write(xml);
        }
    });
    set_version(&mut answer, versioning, &version);
    encryption::tell(&object.headers, &mut answer);
    Ok(answer)
}

/// One line of a `CompleteMultipartUpload` request.
struct WantedPart {
    number: u16,
    etag: String,
    checksums: Vec<(Algorithm, String)>,
}

impl WantedPart {
    fn read(node: roxmltree::Node<'_, '_>) -> Option<Self> {
        let mut checksums = Vec::new();
        for algorithm in Algorithm::ALL {
            if let Some(checksum) = xml::text(node, algorithm.element()) {
                checksums.push((algorithm, checksum.to_owned()));
            }
        }
        Some(Self {
            number: xml::text(node, "PartNumber")?.trim().parse().ok()?,
            etag: xml::text(node, "ETag")?.trim().trim_matches('"').to_owned(),
            checksums,
        })
    }

    fn is(&self, part: &Part) -> bool {
        let fits = |(algorithm, value): &(Algorithm, String)| {
            part.checksum.as_ref().is_none_or(|kept| kept.algorithm != *algorithm || kept.value == *value)
        };
        self.etag == hex::encode(part.md5) && self.checksums.iter().all(fits)
    }
}

/// The parts that a client lists, if they are there, in order, and large enough.
fn chosen(upload: &Upload, wanted: &[WantedPart]) -> Result<Vec<Part>, Fault> {
    if !wanted.is_sorted_by(|one, next| one.number < next.number) {
        return Err(fault::INVALID_PART_ORDER.fault().with("UploadId", &upload.id));
    }
    let mut parts = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let Some(part) = upload.part(wanted.number).filter(|part| wanted.is(part)) else {
            return Err(fault::INVALID_PART
                .fault()
                .with("UploadId", &upload.id)
                .with("PartNumber", wanted.number.to_string())
                .with("ETag", &wanted.etag));
        };
        parts.push(part.clone());
    }
    for (number, part) in parts.iter().enumerate() {
        let Some(wanted) = wanted.get(number) else { continue };
        if part.body.len() < SMALLEST_PART && number + 1 < parts.len() {
            return Err(fault::ENTITY_TOO_SMALL
                .fault()
                .with("ProposedSize", part.body.len().to_string())
                .with("MinSizeAllowed", SMALLEST_PART.to_string())
                .with("PartNumber", wanted.number.to_string())
                .with("ETag", &wanted.etag));
        }
    }
    Ok(parts)
}

impl Part {
    fn piece(&self) -> Piece {
        Piece { size: self.body.len(), checksum: self.checksum.clone() }
    }
}

/// What an upload's object takes from the upload itself.
struct Assembly {
    headers: http::HeaderMap,
    tags: super::state::Tags,
    algorithm: Option<Algorithm>,
    is_composite: bool,
}

impl Assembly {
    fn of(upload: &Upload) -> Self {
        let (headers, tags) = (upload.headers.clone(), upload.tags.clone());
        Self { headers, tags, algorithm: upload.algorithm, is_composite: upload.is_composite }
    }

    fn object(self, parts: &[Part]) -> (Object, super::state::Tags) {
        let mut size = 0;
        for part in parts {
            size += part.body.len();
        }
        let (mut body, mut digests, mut pieces) = (BytesMut::with_capacity(size), Vec::new(), Vec::new());
        for part in parts {
            body.extend_from_slice(&part.body);
            digests.extend_from_slice(&part.md5);
            pieces.push(part.piece());
        }
        let body = body.freeze();
        let checksum = self.algorithm.and_then(|algorithm| {
            if !self.is_composite {
                return Some(algorithm.of(&body));
            }
            let mut checksums = Vec::with_capacity(parts.len());
            for part in parts {
                checksums.push(part.checksum.as_ref()?);
            }
            Checksum::composite(algorithm, checksums)
        });
        let object = Object {
            etag: format!("\"{}-{}\"", hex::encode(checksum::md5(&digests)), parts.len()),
            headers: self.headers,
            checksum,
            parts: pieces,
            body,
        };
        (object, self.tags)
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
pub(super) fn list_parts(task: &Task<'_>) -> Result<Answer, Fault> {
    let most = task.number("max-parts")?.unwrap_or(listing::MOST).min(listing::MOST);
    let marker = task.number("part-number-marker")?.unwrap_or_default();
    task.in_bucket(|bucket| {
        let upload = bucket.upload(task.key, upload_id(task))?;
        let first = upload.parts.partition_point(|(number, _)| usize::from(*number) <= marker);
        let rest = upload.parts.get(first..).unwrap_or_default();
        let page = rest.get(..most).unwrap_or(rest);
        let is_truncated = most > 0 && page.len() < rest.len();
        Ok(document("ListPartsResult", |xml| {
            xml.leaf("Bucket", task.bucket);
            xml.leaf("Key", task.key);
            xml.leaf("UploadId", &upload.id);
            xml.leaf("PartNumberMarker", &marker.to_string());
            if let Some((last, _)) = page.last() {
                xml.leaf("NextPartNumberMarker", &last.to_string());
            }
            xml.leaf("MaxParts", &most.to_string());
            xml.leaf("IsTruncated", if is_truncated { "true" } else { "false" });
            for (number, part) in page {
                xml.element("Part", |xml| {
                    xml.leaf("PartNumber", &number.to_string());
                    xml.leaf("LastModified", &timestamp(part.modified));
                    xml.leaf("ETag", &part.etag());
                    xml.leaf("Size", &part.body.len().to_string());
                    if let Some(checksum) = &part.checksum {
                        xml.leaf(checksum.algorithm.element(), &checksum.value);
                    }
                });
            }
            describe(xml, task, upload);
        }))
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
pub(super) fn list_uploads(task: &Task<'_>) -> Result<Answer, Fault> {
    let page = Page::of(task, "max-uploads")?;
    let id_marker = task.query.get("upload-id-marker").filter(|id| !id.is_empty());
    task.in_bucket(|bucket| {
        let items = Items::of(&bucket.uploads, &page, id_marker, Order::OldestFirst, |upload| &upload.id);
        Ok(document("ListMultipartUploadsResult", |xml| {
            xml.leaf("Bucket", task.bucket);
            items.write_markers(xml, &page, id_marker, ["UploadIdMarker", "NextUploadIdMarker"]);
            page.echo(xml, "MaxUploads", items.is_truncated);
            for line in &items.lines {
                let Line::Item(key, upload, _) = line else { continue };
                xml.element("Upload", |xml| {
                    page.text(xml, "Key", key);
                    xml.leaf("UploadId", &upload.id);
                    xml.leaf("Initiated", &timestamp(upload.initiated));
                    describe(xml, task, upload);
                });
            }
            items.write_common_prefixes(xml, &page);
        }))
    })
}

/// What both listings say about an upload.
fn describe(xml: &mut Xml, task: &Task<'_>, upload: &Upload) {
    let owner = task.canonical_owner();
    xml.element("Initiator", |xml| xml.leaf("ID", &task.call.caller.principal.to_string()));
    xml.element("Owner", |xml| xml.leaf("ID", &owner));
    xml.leaf("StorageClass", metadata::storage_class(&upload.headers));
    if let Some(algorithm) = upload.algorithm {
        xml.leaf("ChecksumAlgorithm", algorithm.name());
        xml.leaf("ChecksumType", upload.checksum_kind());
    }
}
