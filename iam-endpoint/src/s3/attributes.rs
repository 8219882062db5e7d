//! `GetObjectAttributes`: what is known of an object, without its body.

use http::StatusCode;
use http::header::LAST_MODIFIED;

use super::fault::{self, Fault};
use super::object::{self, Found};
use super::state::Object;
use super::task::{Answer, Target, Task, document, set_header, set_version};
use super::{listing, metadata};
use crate::clock;
use crate::wire::headers;
use crate::wire::xml::Xml;

const WANTED: &str = "x-amz-object-attributes";

/// What a request can ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attribute {
    Checksum,
    ETag,
    ObjectParts,
    ObjectSize,
    StorageClass,
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>
pub(super) fn get(task: &Task<'_>) -> Result<Answer, Fault> {
    let target = Target { bucket: task.bucket, key: task.key, version: task.query.get("versionId") };
    let Found { version, object, versioning } = object::find(task, target)?;
    let wanted = wanted(task)?;
    let page = Page::of(task)?;
    // The elements stand in the order of the schema, however they are asked for.
    let mut answer = document("GetObjectAttributesResponse", |xml| {
        let asks = |attribute| wanted.contains(&attribute);
        if asks(Attribute::ETag) {
            xml.leaf("ETag", object.etag.trim_matches('"'));
        }
        if let Some(checksum) = object.checksum.as_ref().filter(|_| asks(Attribute::Checksum)) {
            xml.element("Checksum", |xml| checksum.write(xml));
        }
        if asks(Attribute::ObjectParts) && !object.parts.is_empty() {
            xml.element("ObjectParts", |xml| page.write(xml, &object));
        }
        if asks(Attribute::StorageClass) {
            xml.leaf("StorageClass", metadata::storage_class(&object.headers));
        }
        if asks(Attribute::ObjectSize) {
            xml.leaf("ObjectSize", &object.body.len().to_string());
        }
    });
    *answer.status_mut() = StatusCode::OK;
    set_header(&mut answer, LAST_MODIFIED, &clock::http_date(version.modified));
    set_version(&mut answer, versioning, &version.id);
    Ok(answer)
}

/// What the request asks for, in one header or in several.
fn wanted(task: &Task<'_>) -> Result<Vec<Attribute>, Fault> {
    let mut wanted = Vec::new();
    for (header, value) in task.call.headers.iter() {
        if *header != WANTED {
            continue;
        }
        for name in headers::text(value).unwrap_or_default().split(',') {
            let name = name.trim();
            if name.is_empty() {
                continue;
            }
            let attribute = Attribute::read(name).ok_or_else(|| {
                fault::INVALID_ARGUMENT
                    .because("Invalid attribute name specified")
                    .with("ArgumentName", WANTED)
                    .with("ArgumentValue", name)
            })?;
            wanted.push(attribute);
        }
    }
    if wanted.is_empty() {
        return Err(fault::INVALID_REQUEST.because(
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
        ));
    }
    Ok(wanted)
}

impl Attribute {
    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "Checksum" => Self::Checksum,
            "ETag" => Self::ETag,
            "ObjectParts" => Self::ObjectParts,
            "ObjectSize" => Self::ObjectSize,
            "StorageClass" => Self::StorageClass,
            _ => return None,
        })
    }
}

/// The parts that the request asks for.
struct Page {
    /// The number of the last part before them.
    marker: usize,
    most: usize,
}

impl Page {
    fn of(task: &Task<'_>) -> Result<Self, Fault> {
        Ok(Self {
            marker: task.number_in("x-amz-part-number-marker")?.unwrap_or_default(),
            most: task.number_in("x-amz-max-parts")?.unwrap_or(listing::MOST).min(listing::MOST),
        })
    }

    fn write(&self, xml: &mut Xml, object: &Object) {
        // Only parts with a checksum are told one by one; they are numbered without gaps.
        let is_told = object.parts.iter().all(|part| part.checksum.is_some());
        let told = if is_told { object.parts.as_slice() } else { &[] };
        let rest = told.get(self.marker..).unwrap_or_default();
        let page = rest.get(..self.most).unwrap_or(rest);
        let is_truncated = is_told && self.marker.saturating_add(page.len()) < object.parts.len();
        if is_told {
            xml.leaf("PartNumberMarker", &self.marker.to_string());
            if !page.is_empty() {
                xml.leaf("NextPartNumberMarker", &(self.marker + page.len()).to_string());
            }
            xml.leaf("MaxParts", &self.most.to_string());
            xml.leaf("IsTruncated", if is_truncated { "true" } else { "false" });
        }
        for (index, part) in page.iter().enumerate() {
            xml.element("Part", |xml| {
                if let Some(checksum) = &part.checksum {
                    xml.leaf(checksum.algorithm.element(), &checksum.value);
                }
                xml.leaf("PartNumber", &(self.marker + index + 1).to_string());
                xml.leaf("Size", &part.size.to_string());
            });
        }
        xml.leaf("PartsCount", &object.parts.len().to_string());
    }
}
