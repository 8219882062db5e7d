//! What a client says about an object and gets back with it: content headers, user metadata, class, encryption.

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, EXPIRES,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::encryption;
use super::fault::{self, Fault};
use super::task::{Task, sets_acl};

/// The limit of user metadata, in bytes of names and values.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>.
const LARGEST: usize = 2048;

pub(super) const USER: &str = "x-amz-meta-";
pub(super) const STORAGE_CLASS: &str = "x-amz-storage-class";
pub(super) const WEBSITE_REDIRECT: &str = "x-amz-website-redirect-location";

const STORAGE_CLASSES: [&str; 8] = [
    "DEEP_ARCHIVE",
    "GLACIER",
    "GLACIER_IR",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "REDUCED_REDUNDANCY",
    "STANDARD",
    "STANDARD_IA",
];

/// The headers of a request that are kept with the object.
///
/// # Errors
///
/// A header that S3 refuses, or one that asks for what the endpoint does not do.
pub(super) fn of_request(task: &Task<'_>) -> Result<HeaderMap, Fault> {
    refuse_what_is_not_kept(task)?;
    let mut kept = HeaderMap::new();
    let mut size = 0;
    for &(name, value) in task.call.headers.iter() {
        let user = name.strip_prefix(USER);
        size += user.map_or(0, |user| user.len() + value.len());
        if user.is_some() || is_content(name) || [STORAGE_CLASS, WEBSITE_REDIRECT].contains(&name) {
            let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
                return Err(fault::INVALID_REQUEST.fault().with("Header", name));
            };
            if user.is_some() {
                kept.append(name, value);
            } else {
                kept.insert(name, value);
            }
        }
    }
    if size > LARGEST {
        return Err(fault::METADATA_TOO_LARGE
            .fault()
            .with("Size", size.to_string())
            .with("MaxSizeAllowed", LARGEST.to_string()));
    }
    complete(&mut kept)?;
    encryption::complete(task, &mut kept)?;
    Ok(kept)
}

/// The headers of a copy: the source's own, but for class, redirect and encryption, which a copy never takes along.
pub(super) fn of_copy(task: &Task<'_>, source: &HeaderMap) -> Result<HeaderMap, Fault> {
    let mut kept = HeaderMap::new();
    let is_its_own = |name: &HeaderName| is_content(name.as_str()) || name.as_str().starts_with(USER);
    for (name, value) in &of_request(task)? {
        if !is_its_own(name) {
            kept.append(name, value.clone());
        }
    }
    for (name, value) in source {
        if is_its_own(name) {
            kept.append(name, value.clone());
        }
    }
    Ok(kept)
}

/// Whether a header is one of HTTP's about the content.
fn is_content(name: &str) -> bool {
    [CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, EXPIRES]
        .iter()
        .any(|content| content == name)
}

/// Fills in what S3 does where the client says nothing, and checks what it says.
fn complete(kept: &mut HeaderMap) -> Result<(), Fault> {
    kept.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("binary/octet-stream"));
    if let Some(encoding) = kept.remove(CONTENT_ENCODING) {
        // How the body was sent, not what it is.
        let codings = encoding.to_str().unwrap_or_default().split(',').map(str::trim);
        let rest: Vec<_> = codings.filter(|coding| !coding.is_empty() && *coding != "aws-chunked").collect();
        if let (false, Ok(rest)) = (rest.is_empty(), HeaderValue::from_str(&rest.join(","))) {
            kept.insert(CONTENT_ENCODING, rest);
        }
    }
    if let Some(class) = kept.get(STORAGE_CLASS) {
        if !STORAGE_CLASSES.iter().any(|known| class == known) {
            return Err(fault::INVALID_STORAGE_CLASS.fault());
        }
        if class == "STANDARD" {
            kept.remove(STORAGE_CLASS);
        }
    }
    Ok(())
}

/// Refuses headers whose effect the endpoint has not, rather than storing an object without it.
fn refuse_what_is_not_kept(task: &Task<'_>) -> Result<(), Fault> {
    for (header, what) in [
        ("x-amz-server-side-encryption-context", "an encryption context of the client's"),
        ("x-amz-server-side-encryption-customer-algorithm", "encryption with keys that the client keeps"),
        (
            "x-amz-copy-source-server-side-encryption-customer-algorithm",
            "encryption with keys that the client keeps",
        ),
        ("x-amz-write-offset-bytes", "appending to an object"),
        ("x-amz-checksum-xxhash3", "this checksum"),
        ("x-amz-checksum-xxhash64", "this checksum"),
        ("x-amz-checksum-xxhash128", "this checksum"),
    ] {
        if task.integrity(header).is_some() {
            return Err(fault::not_performed(&format!("{what} (header `{header}`)")));
        }
    }
    Ok(())
}

/// Refuses to read what would first have to be restored.
///
/// # Errors
///
/// `InvalidObjectState`
pub(super) fn check_readable(headers: &HeaderMap) -> Result<(), Fault> {
    match storage_class(headers) {
        class @ ("DEEP_ARCHIVE" | "GLACIER") => {
            Err(fault::INVALID_OBJECT_STATE.fault().with("StorageClass", class))
        }
        _ => Ok(()),
    }
}

/// The storage class as listings have it: always there.
pub(super) fn storage_class(headers: &HeaderMap) -> &str {
    headers.get(STORAGE_CLASS).and_then(|class| class.to_str().ok()).unwrap_or("STANDARD")
}

/// Refuses access control lists as S3 does in a bucket whose owner enforces ownership, as all new ones do.
///
/// # Errors
///
/// `AccessControlListNotSupported`; where the bucket has lists, that the endpoint has not.
pub(super) fn check_acl(task: &Task<'_>, acls_enabled: bool) -> Result<(), Fault> {
    if acls_enabled && task.is_foreign() && task.header("x-amz-acl") != Some("bucket-owner-full-control") {
        return Err(fault::not_performed("objects that their bucket's owner does not own"));
    }
    if !sets_acl(task) {
        return Ok(());
    }
    match task.header("x-amz-acl") {
        Some("bucket-owner-full-control") => Ok(()),
        Some("private") if acls_enabled => Ok(()),
        _ if acls_enabled => Err(fault::not_performed("access control lists")),
        _ => Err(fault::ACL_NOT_SUPPORTED.fault()),
    }
}
