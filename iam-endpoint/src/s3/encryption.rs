//! With which key an object is encrypted, and who may have it used.
//!
//! Nothing is encrypted here; what counts is that a caller who may read an object may not read it without the customer's key.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>.

use http::{HeaderMap, HeaderValue};

use super::fault::{self, Fault};
use super::state::Bucket;
use super::task::{Answer, Target, Task};
use super::xml;
use crate::perform::forward::KeyUse;

pub(super) const ENCRYPTION: &str = "x-amz-server-side-encryption";
const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";

/// How a bucket encrypts what is put without a word about it.
struct Default {
    algorithm: String,
    key: Option<String>,
    has_bucket_key: bool,
}

impl Default {
    fn of(bucket: &Bucket) -> Option<Self> {
        let document = bucket.documents.get("encryption")?;
        xml::read(document, "ServerSideEncryptionConfiguration", |root| {
            let rule = xml::child(root, "Rule")?;
            let default = xml::child(rule, "ApplyServerSideEncryptionByDefault")?;
            Some(Self {
                algorithm: xml::text(default, "SSEAlgorithm")?.trim().to_owned(),
                key: xml::text(default, "KMSMasterKeyID").map(|key| key.trim().to_owned()),
                has_bucket_key: xml::text(rule, "BucketKeyEnabled").is_some_and(|text| text.trim() == "true"),
            })
        })
        .ok()
    }
}

/// Completes the headers of a new object with those that tell its encryption, as the request or else the bucket has it.
///
/// # Errors
///
/// `InvalidArgument`; and what the endpoint does not perform.
pub(super) fn complete(task: &Task<'_>, headers: &mut HeaderMap) -> Result<(), Fault> {
    // A missing bucket is told later.
    let default = task.in_bucket(|bucket| Ok(Default::of(bucket))).ok().flatten();
    let (algorithm, key, has_bucket_key) = match (task.header(ENCRYPTION), default) {
        (None, Some(default)) if task.header(KEY).is_none() => {
            (default.algorithm, default.key, default.has_bucket_key)
        }
        (asked, default) => {
            let by_default = default.filter(|default| asked == Some(&default.algorithm));
            let has_bucket_key = match task.header(BUCKET_KEY) {
                Some(said) => said.eq_ignore_ascii_case("true"),
                None => by_default.as_ref().is_some_and(|default| default.has_bucket_key),
            };
            let key = task.header(KEY).map(str::to_owned).or_else(|| by_default?.key);
            (asked.unwrap_or("AES256").to_owned(), key, has_bucket_key)
        }
    };
    match algorithm.as_str() {
        "AES256" if key.is_none() => {}
        "aws:kms" => {}
        other if other.starts_with("aws:") => {
            return Err(fault::not_performed(&format!("the server-side encryption `{other}`")));
        }
        "AES256" => {
            return Err(fault::INVALID_ARGUMENT
                .because("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
                .with("ArgumentName", ENCRYPTION)
                .with("ArgumentValue", "AES256"));
        }
        other => {
            return Err(fault::INVALID_ARGUMENT
                .because("The encryption method specified is not supported")
                .with("ArgumentName", ENCRYPTION)
                .with("ArgumentValue", other));
        }
    }
    let mut set = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value).map_err(|_| fault::INVALID_ARGUMENT.fault())?;
        headers.insert(name, value);
        Ok::<_, Fault>(())
    };
    set(ENCRYPTION, &algorithm)?;
    if let Some(key) = key {
        set(KEY, &arn_of(task, &key))?;
        if has_bucket_key {
            set(BUCKET_KEY, "true")?;
        }
    }
    Ok(())
}

/// The ARN of a key that may be named by its id or an alias; of an alias that nobody made, its own.
fn arn_of(task: &Task<'_>, key: &str) -> String {
    let named = if key.starts_with("arn:") {
        key.to_owned()
    } else {
        let resource = if key.starts_with("alias/") { key.to_owned() } else { format!("key/{key}") };
        let endpoint = task.call.endpoint;
        ["arn", endpoint.partition, "kms", &task.region(), &endpoint.account.id, &resource].join(":")
    };
    task.call.endpoint.resource_policies.key_of(&named).unwrap_or(named)
}

/// Asks whether the caller may have the key used with which a new object, or upload, is encrypted.
///
/// # Errors
///
/// `AccessDenied`, `KMS.NotFoundException`
pub(super) fn seal(task: &Task<'_>, headers: &HeaderMap) -> Result<(), Fault> {
    use_key(task, "GenerateDataKey", (task.bucket, task.key), headers)
}

/// Asks whether the caller may have the key used with which an object, or an upload's parts, are encrypted.
///
/// # Errors
///
/// `AccessDenied`
pub(super) fn open(task: &Task<'_>, object: (&str, &str), headers: &HeaderMap) -> Result<(), Fault> {
    use_key(task, "Decrypt", object, headers)
}

fn use_key(
    task: &Task<'_>,
    operation: &'static str,
    (bucket, key): (&str, &str),
    headers: &HeaderMap,
) -> Result<(), Fault> {
    let Some(kms_key) = headers.get(KEY).and_then(|key| key.to_str().ok()) else { return Ok(()) };
    // A bucket's key serves all that is in it.
    let key = if headers.contains_key(BUCKET_KEY) { "" } else { key };
    let arn = task.arn(Target { bucket, key, version: None });
    let key_use = KeyUse { key: kms_key, operation, context: &[("aws:s3:arn", &arn)] };
    task.call.use_key("s3", &task.region(), key_use)?;
    Ok(())
}

/// Tells in an answer how an object is encrypted.
pub(super) fn tell(headers: &HeaderMap, answer: &mut Answer) {
    for name in [ENCRYPTION, KEY, BUCKET_KEY] {
        if let Some(value) = headers.get(name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
}
