//! Listing objects and their versions.

use std::borrow::Cow;
use std::sync::Arc;

use base64_simd::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;

use super::entries::{Entries, Entry, From, Window};
use super::fault::{self, Fault};
use super::metadata::storage_class;
use super::state::{Object, Version};
use super::task::{Answer, Task, document, timestamp};
use crate::table::Table;
use crate::wire::xml::Xml;

/// S3 lists at most this many lines at once, whatever a client asks for.
pub(super) const MOST: usize = 1000;

/// What all listings of keys have in common.
pub(super) struct Page<'t> {
    pub(super) prefix: &'t str,
    pub(super) delimiter: Option<&'t str>,
    pub(super) marker: Option<&'t str>,
    pub(super) most: usize,
    encoding: Option<&'t str>,
}

impl<'t> Page<'t> {
    /// Reads the parameters; `most` is the name of the one that limits the page.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`
    pub(super) fn of(task: &'t Task<'_>, most: &str) -> Result<Self, Fault> {
        let parameter = |name: &str| task.query.get(name).filter(|value| !value.is_empty());
        let encoding = parameter("encoding-type");
        if let Some(other) = encoding.filter(|encoding| *encoding != "url") {
            return Err(fault::INVALID_ARGUMENT
                .because("Invalid Encoding Method specified in Request")
                .with("ArgumentName", "encoding-type")
                .with("ArgumentValue", other));
        }
        Ok(Self {
            prefix: parameter("prefix").unwrap_or_default(),
            delimiter: parameter("delimiter"),
            marker: parameter("key-marker"),
            most: task.number(most)?.unwrap_or(MOST).min(MOST),
            encoding,
        })
    }

    /// A key, or part of one, encoded as the client asked.
    pub(super) fn text(&self, xml: &mut Xml, element: &str, text: &str) {
        xml.leaf(element, &encoded(text, self.encoding));
    }

    /// What the client asked for, and whether there is more.
    pub(super) fn echo(&self, xml: &mut Xml, most: &str, is_truncated: bool) {
        self.text(xml, "Prefix", self.prefix);
        if let Some(delimiter) = self.delimiter {
            self.text(xml, "Delimiter", delimiter);
        }
        xml.leaf(most, &self.most.to_string());
        if let Some(encoding) = self.encoding {
            xml.leaf("EncodingType", encoding);
        }
        xml.leaf("IsTruncated", if is_truncated { "true" } else { "false" });
    }

    pub(super) fn common_prefix(&self, xml: &mut Xml, prefix: &str) {
        xml.element("CommonPrefixes", |xml| self.text(xml, "Prefix", prefix));
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>
pub(super) fn objects(task: &Task<'_>) -> Result<Answer, Fault> {
    let page = Page::of(task, "max-keys")?;
    let marker = task.query.get("marker").unwrap_or_default();
    let listed = Listed::of(task, &page, From::After(marker))?;
    Ok(document("ListBucketResult", |xml| {
        xml.leaf("Name", task.bucket);
        page.text(xml, "Marker", marker);
        // Without a delimiter the last key tells a client where to go on.
        if let Some(next) = listed.next().filter(|_| page.delimiter.is_some()) {
            page.text(xml, "NextMarker", next);
        }
        page.echo(xml, "MaxKeys", listed.is_truncated);
        listed.write(xml, &page, Some(&task.canonical_owner()));
    }))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
pub(super) fn objects_v2(task: &Task<'_>) -> Result<Answer, Fault> {
    let page = Page::of(task, "max-keys")?;
    let start_after = task.query.get("start-after").filter(|key| !key.is_empty());
    let token = task.query.get("continuation-token");
    let place = token.map(place_of_token).transpose()?;
    let from = From::After(place.as_deref().or(start_after).unwrap_or_default());
    let listed = Listed::of(task, &page, from)?;
    let owner = (task.query.get("fetch-owner") == Some("true")).then(|| task.canonical_owner());
    Ok(document("ListBucketResult", |xml| {
        xml.leaf("Name", task.bucket);
        xml.leaf("KeyCount", &listed.lines.len().to_string());
        if let Some(token) = token {
            xml.leaf("ContinuationToken", token);
        }
        if let Some(next) = listed.next() {
            xml.leaf("NextContinuationToken", &STANDARD.encode_to_string(next));
        }
        if let Some(start_after) = start_after {
            page.text(xml, "StartAfter", start_after);
        }
        page.echo(xml, "MaxKeys", listed.is_truncated);
        listed.write(xml, &page, owner.as_deref());
    }))
}

/// The key or common prefix that a page ended with.
fn place_of_token(token: &str) -> Result<String, Fault> {
    let place = STANDARD.decode_to_vec(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    place.filter(|place| !place.is_empty()).ok_or_else(|| {
        fault::INVALID_ARGUMENT
            .because("The continuation token provided is incorrect")
            .with("ArgumentName", "continuation-token")
    })
}

/// One page of objects, taken out of the state so that it is written without the lock.
struct Listed {
    lines: Vec<(String, Option<Stored>)>,
    is_truncated: bool,
}

/// An object, and when it was stored; a line without is a common prefix.
type Stored = (OffsetDateTime, Arc<Object>);

impl Listed {
    fn of(task: &Task<'_>, page: &Page<'_>, from: From<'_>) -> Result<Self, Fault> {
        let newest = |versions: &[Version]| -> Option<Stored> {
            let version = versions.last()?;
            Some((version.modified, version.object.clone()?))
        };
        task.in_bucket(|bucket| {
            let objects = &bucket.objects;
            let is_there = |place| {
                let newest = objects.at(place).and_then(|versions| versions.last());
                newest.is_some_and(|version| version.object.is_some())
            };
            let window = Window { prefix: page.prefix, delimiter: page.delimiter, from };
            let (mut lines, mut is_truncated) = (Vec::new(), false);
            for entry in Entries::new(objects.places(), window, &is_there) {
                if lines.len() == page.most {
                    is_truncated = page.most > 0;
                    break;
                }
                lines.push(match entry {
                    Entry::Key(key, place) => (key.to_owned(), objects.at(place).and_then(|all| newest(all))),
                    Entry::CommonPrefix(prefix) => (prefix.to_owned(), None),
                });
            }
            Ok(Self { lines, is_truncated })
        })
    }

    /// Where the next page goes on.
    fn next(&self) -> Option<&str> {
        let (last, _) = self.lines.last().filter(|_| self.is_truncated)?;
        Some(last)
    }

    fn write(&self, xml: &mut Xml, page: &Page<'_>, owner: Option<&str>) {
        for (key, object) in &self.lines {
            let Some((modified, object)) = object else {
                continue;
            };
            xml.element("Contents", |xml| {
                page.text(xml, "Key", key);
                describe(xml, *modified, object);
                if let Some(owner) = owner {
                    xml.element("Owner", |xml| xml.leaf("ID", owner));
                }
            });
        }
        for (prefix, object) in &self.lines {
            if object.is_none() {
                page.common_prefix(xml, prefix);
            }
        }
    }
}

/// What all listings say about an object.
fn describe(xml: &mut Xml, modified: OffsetDateTime, object: &Object) {
    xml.leaf("LastModified", &timestamp(modified));
    xml.leaf("ETag", &object.etag);
    if let Some(checksum) = &object.checksum {
        xml.leaf("ChecksumAlgorithm", checksum.algorithm.name());
        xml.leaf("ChecksumType", checksum.kind());
    }
    xml.leaf("Size", &object.body.len().to_string());
    xml.leaf("StorageClass", storage_class(&object.headers));
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
pub(super) fn versions(task: &Task<'_>) -> Result<Answer, Fault> {
    let page = Page::of(task, "max-keys")?;
    let id_marker = task.query.get("version-id-marker").filter(|id| !id.is_empty());
    if id_marker.is_some() && page.marker.is_none() {
        return Err(fault::INVALID_ARGUMENT
            .because("A version-id marker cannot be specified without a key marker.")
            .with("ArgumentName", "version-id-marker"));
    }
    let owner = task.canonical_owner();
    task.in_bucket(|bucket| {
        let items = Items::of(&bucket.objects, &page, id_marker, Order::NewestFirst, |version| &version.id);
        Ok(document("ListVersionsResult", |xml| {
            xml.leaf("Name", task.bucket);
            items.write_markers(xml, &page, id_marker, ["VersionIdMarker", "NextVersionIdMarker"]);
            page.echo(xml, "MaxKeys", items.is_truncated);
            for line in &items.lines {
                let Line::Item(key, version, is_latest) = line else { continue };
                let element = if version.object.is_some() { "Version" } else { "DeleteMarker" };
                xml.element(element, |xml| {
                    page.text(xml, "Key", key);
                    xml.leaf("VersionId", &version.id);
                    xml.leaf("IsLatest", if *is_latest { "true" } else { "false" });
                    match &version.object {
                        Some(object) => describe(xml, version.modified, object),
                        None => xml.leaf("LastModified", &timestamp(version.modified)),
                    }
                    xml.element("Owner", |xml| xml.leaf("ID", &owner));
                });
            }
            items.write_common_prefixes(xml, &page);
        }))
    })
}

/// One page of what keys have several of: versions, uploads.
pub(super) struct Items<'b, V> {
    pub(super) lines: Vec<Line<'b, V>>,
    pub(super) is_truncated: bool,
    id: fn(&V) -> &str,
}

/// In which order a key's items are listed, which stand with the newest last.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Order {
    NewestFirst,
    OldestFirst,
}

pub(super) enum Line<'b, V> {
    CommonPrefix(&'b str),
    /// A key, one of its items, and whether that is the first.
    Item(&'b str, &'b V, bool),
}

impl<'b, V> Items<'b, V> {
    /// Lists what comes after the item that the markers name.
    pub(super) fn of(
        map: &'b Table<Vec<V>>,
        page: &Page<'b>,
        id_marker: Option<&str>,
        order: Order,
        id: fn(&V) -> &str,
    ) -> Self {
        let from = match (page.marker, id_marker) {
            (None, _) => From::Start,
            (Some(key), None) => From::After(key),
            (Some(key), Some(_)) => From::At(key),
        };
        let window = Window { prefix: page.prefix, delimiter: page.delimiter, from };
        let (mut lines, mut is_truncated) = (Vec::new(), false);
        'entries: for entry in Entries::new(map.places(), window, &|_| true) {
            let (key, items) = match entry {
                Entry::CommonPrefix(prefix) => {
                    if lines.len() == page.most {
                        is_truncated = page.most > 0;
                        break;
                    }
                    lines.push(Line::CommonPrefix(prefix));
                    continue;
                }
                Entry::Key(key, place) => (key, map.at(place).map_or([].as_slice(), Vec::as_slice)),
            };
            let is_marked = |item: &V| page.marker == Some(key) && Some(id(item)) == id_marker;
            let mut is_passed = !items.iter().any(is_marked);
            for index in 0..items.len() {
                let at = if order == Order::NewestFirst { items.len() - 1 - index } else { index };
                let Some(item) = items.get(at) else { continue };
                if !is_passed {
                    is_passed = is_marked(item);
                    continue;
                }
                if lines.len() == page.most {
                    is_truncated = page.most > 0;
                    break 'entries;
                }
                lines.push(Line::Item(key, item, index == 0));
            }
        }
        Self { lines, is_truncated, id }
    }

    pub(super) fn write_common_prefixes(&self, xml: &mut Xml, page: &Page<'_>) {
        for line in &self.lines {
            if let Line::CommonPrefix(prefix) = line {
                page.common_prefix(xml, prefix);
            }
        }
    }

    /// Writes where the page began and where the next one goes on.
    pub(super) fn write_markers(
        &self,
        xml: &mut Xml,
        page: &Page<'_>,
        id_marker: Option<&str>,
        [this, next]: [&str; 2],
    ) {
        page.text(xml, "KeyMarker", page.marker.unwrap_or_default());
        xml.leaf(this, id_marker.unwrap_or_default());
        match self.lines.last().filter(|_| self.is_truncated) {
            None => {}
            Some(Line::CommonPrefix(prefix)) => page.text(xml, "NextKeyMarker", prefix),
            Some(Line::Item(key, item, _)) => {
                page.text(xml, "NextKeyMarker", key);
                xml.leaf(next, (self.id)(item));
            }
        }
    }
}

/// Text encoded as the client asked.
fn encoded<'t>(text: &'t str, encoding: Option<&str>) -> Cow<'t, str> {
    const ENCODED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b' ').remove(b'*').remove(b'-').remove(b'.').remove(b'/').remove(b'_');
    if encoding.is_none() {
        return Cow::Borrowed(text);
    }
    let encoded: Cow<'_, str> = utf8_percent_encode(text, ENCODED).into();
    if encoded.contains(' ') { Cow::Owned(encoded.replace(' ', "+")) } else { encoded }
}
