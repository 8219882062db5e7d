//! S3's condition keys: which request parameter each one is, and for which actions AWS sets it.
//!
//! See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>.
//!
//! A parameter that a request does not have gives no key, an empty one gives the empty string. So
//! `"StringEquals": {"s3:prefix": ""}` matches a listing that says `prefix=`, as the AWS CLI and the console do, and not one
//! that says nothing about a prefix; `"Null": {"s3:prefix": "false"}` tells the two apart. That is how AWS's walkthrough
//! explains them: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/walkthrough1.html>.

use std::sync::LazyLock;

use iam_policy::Context;

use super::lock;
use super::state::Conditions;
use super::task::{Target, Task};
use crate::call::Means;

/// One of S3's condition keys.
struct Key {
    name: &'static str,
    of: Actions,
    value: Value,
}

/// The actions that carry a key.
#[derive(Clone, Copy)]
enum Actions {
    All,
    Only(&'static [&'static str]),
}

/// Where a key's value comes from.
#[derive(Clone, Copy)]
enum Value {
    Header(&'static str),
    Parameter(&'static str),
    Computed(fn(&Task<'_>, Target<'_>) -> Option<String>),
}

/// Sets the keys that one decision's request has.
pub(super) fn set(context: &mut Context, task: &Task<'_>, action: &str, target: Target<'_>) {
    for key in KEYS {
        if let Actions::Only(actions) = key.of
            && !actions.contains(&action)
        {
            continue;
        }
        if let Some(value) = key.value.of(task, target) {
            context.set(key.name, value);
        }
    }
    set_tags(context, task, action, target);
}

/// The headers with condition keys that create an upload. They hold for its parts and its completion, which do not repeat
/// them: else no policy that asks for encryption or an access control list would let an upload in parts through.
pub(super) fn headers(task: &Task<'_>) -> Conditions {
    let mut headers = Conditions::new();
    let mut add = |name| headers.extend(task.header(name).map(|value| (name, value.to_owned())));
    for key in KEYS {
        match key.value {
            Value::Header(name) if name.starts_with("x-amz-") && name != "x-amz-content-sha256" => add(name),
            _ => {}
        }
    }
    add("x-amz-tagging");
    headers
}

/// The keys, or beginnings of keys, that a request does not have where [`set`] did not set them.
///
/// Any other key of S3 stays unknown, and a policy that needs it is refused loudly.
pub(super) fn absent() -> &'static [&'static str] {
    static ABSENT: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut names = NEVER_OR_TAGS.to_vec();
        for key in KEYS {
            names.push(key.name);
        }
        names
    });
    &ABSENT
}

/// Keys of what the endpoint has not, access points, access grants and buckets with attribute-based access control, and
/// keys that end in a tag's key.
const NEVER_OR_TAGS: [&str; 9] = [
    "aws:ResourceTag/",
    "s3:AccessGrantsInstanceArn",
    "s3:AccessPointNetworkOrigin",
    "s3:AccessPointTag/",
    "s3:BucketTag/",
    "s3:DataAccessPoint",
    "s3:ExistingObjectTag/",
    "s3:RequestObjectTag/",
    "s3:RequestObjectTagKeys",
];

impl Value {
    fn of(self, task: &Task<'_>, target: Target<'_>) -> Option<String> {
        match self {
            Self::Header(name) => task.condition(name).map(str::to_owned),
            Self::Parameter(name) => task.query.get(name).map(str::to_owned),
            Self::Computed(value) => value(task, target),
        }
    }
}

/// The keys that have a tag's key in their name.
fn set_tags(context: &mut Context, task: &Task<'_>, action: &str, target: Target<'_>) {
    if action == "s3:CreateBucket" || action == "s3:TagResource" {
        let mut keys = Vec::new();
        for (key, value) in task.request_tags() {
            context.set(format!("aws:RequestTag/{key}"), value);
            keys.push(key.as_str());
        }
        context.set_many("aws:TagKeys", keys);
    }
    if TAGGING.contains(&action) {
        let mut keys = Vec::new();
        for (key, value) in task.request_tags() {
            context.set(format!("s3:RequestObjectTag/{key}"), value);
            keys.push(key.as_str());
        }
        context.set_many("s3:RequestObjectTagKeys", keys);
    }
    if WITH_EXISTING_TAGS.contains(&action) {
        task.call.endpoint.s3.with(|buckets| {
            let bucket = buckets.get(target.bucket);
            let version = bucket.and_then(|bucket| bucket.version(target.key, target.version));
            for (key, value) in version.map_or([].as_slice(), |version| &version.tags) {
                context.set(format!("s3:ExistingObjectTag/{key}"), value);
            }
        });
    }
}

const TAGGING: [&str; 4] =
    ["s3:BypassGovernanceRetention", "s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"];

const WITH_EXISTING_TAGS: [&str; 12] = [
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersionTagging",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
    "s3:PutObjectAcl",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
];

const LISTING: Actions = Actions::Only(&["s3:ListBucket", "s3:ListBucketVersions"]);
const CREATING_BUCKET: Actions = Actions::Only(&["s3:CreateBucket"]);
const STORING: Actions = Actions::Only(&["s3:BypassGovernanceRetention", "s3:PutObject"]);
const PUTTING: Actions = Actions::Only(&["s3:PutObject"]);
const RETAINING: Actions = Actions::Only(&["s3:PutObject", "s3:PutObjectRetention"]);
const GRANTING: Actions = Actions::Only(&[
    "s3:BypassGovernanceRetention",
    "s3:CreateBucket",
    "s3:PutBucketAcl",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
]);
const OF_VERSIONS: Actions = Actions::Only(&[
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
]);

const fn key(name: &'static str, of: Actions, value: Value) -> Key {
    Key { name, of, value }
}

static KEYS: &[Key] = {
    use Actions::{All, Only};
    use Value::{Computed, Header, Parameter};
    &[
        key(
            "s3:ObjectCreationOperation",
            PUTTING,
            Computed(|task, _| Some(creates_object(task).to_string())),
        ),
        key(
            "s3:ResourceAccount",
            All,
            Computed(|task, target| Some(task.owner_of(target.bucket).into_owned())),
        ),
        key("s3:TlsVersion", All, Computed(tls_version)),
        key("s3:authType", All, Computed(auth_type)),
        key("s3:delimiter", LISTING, Parameter("delimiter")),
        key("s3:if-match", Only(&["s3:DeleteObject", "s3:PutObject"]), Header("if-match")),
        key("s3:if-none-match", PUTTING, Header("if-none-match")),
        key(
            "s3:locationconstraint",
            CREATING_BUCKET,
            Computed(|task, _| super::bucket::location_constraint(task).ok()?),
        ),
        key("s3:max-keys", LISTING, Parameter("max-keys")),
        key(
            "s3:object-lock-legal-hold",
            Only(&["s3:PutObject", "s3:PutObjectLegalHold"]),
            Header("x-amz-object-lock-legal-hold"),
        ),
        key("s3:object-lock-mode", RETAINING, Header("x-amz-object-lock-mode")),
        key(
            "s3:object-lock-remaining-retention-days",
            RETAINING,
            Computed(|task, _| lock::remaining_days(task)),
        ),
        key("s3:object-lock-retain-until-date", RETAINING, Header("x-amz-object-lock-retain-until-date")),
        key("s3:prefix", LISTING, Parameter("prefix")),
        key("s3:signatureAge", All, Computed(signature_age)),
        key(
            "s3:signatureversion",
            All,
            Computed(|task, _| task.call.signing.as_ref().map(|_| "AWS4-HMAC-SHA256".to_owned())),
        ),
        key("s3:versionid", OF_VERSIONS, Computed(|_, target| target.version.map(str::to_owned))),
        key("s3:x-amz-acl", GRANTING, Header("x-amz-acl")),
        key("s3:x-amz-bucket-namespace", CREATING_BUCKET, Header("x-amz-bucket-namespace")),
        key("s3:x-amz-content-sha256", All, Header("x-amz-content-sha256")),
        key("s3:x-amz-copy-source", STORING, Computed(copy_source)),
        key("s3:x-amz-grant-full-control", GRANTING, Header("x-amz-grant-full-control")),
        key("s3:x-amz-grant-read", GRANTING, Header("x-amz-grant-read")),
        key("s3:x-amz-grant-read-acp", GRANTING, Header("x-amz-grant-read-acp")),
        key("s3:x-amz-grant-write", GRANTING, Header("x-amz-grant-write")),
        key("s3:x-amz-grant-write-acp", GRANTING, Header("x-amz-grant-write-acp")),
        key("s3:x-amz-metadata-directive", STORING, Header("x-amz-metadata-directive")),
        key("s3:x-amz-object-ownership", CREATING_BUCKET, Header("x-amz-object-ownership")),
        key("s3:x-amz-server-side-encryption", STORING, Header("x-amz-server-side-encryption")),
        key(
            "s3:x-amz-server-side-encryption-aws-kms-key-id",
            STORING,
            Header("x-amz-server-side-encryption-aws-kms-key-id"),
        ),
        key(
            "s3:x-amz-server-side-encryption-customer-algorithm",
            STORING,
            Header("x-amz-server-side-encryption-customer-algorithm"),
        ),
        key(
            "s3:x-amz-storage-class",
            Only(&["s3:BypassGovernanceRetention", "s3:PutObject", "s3:PutObjectAcl"]),
            Header("x-amz-storage-class"),
        ),
        key("s3:x-amz-website-redirect-location", STORING, Header("x-amz-website-redirect-location")),
    ]
};

/// Whether the request makes the object, and is not a step on the way to it.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html>.
fn creates_object(task: &Task<'_>) -> bool {
    !matches!(task.operation.name, "CreateMultipartUpload" | "UploadPart" | "UploadPartCopy")
}

/// In process there is no TLS to ask for its version; what a client reaches by `https` is the newest.
fn tls_version(task: &Task<'_>, _: Target<'_>) -> Option<String> {
    let is_secure = task.call.parts.uri.scheme() == Some(&http::uri::Scheme::HTTPS);
    is_secure.then(|| "1.3".to_owned())
}

/// See <https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html>.
fn auth_type(task: &Task<'_>, _: Target<'_>) -> Option<String> {
    let signing = task.call.signing.as_ref()?;
    let means = match signing.means {
        Means::Form => "POST",
        Means::Header => "REST-HEADER",
        Means::Query => "REST-QUERY-STRING",
    };
    Some(means.to_owned())
}

/// In milliseconds, and for presigned URLs only, as the same page says.
fn signature_age(task: &Task<'_>, _: Target<'_>) -> Option<String> {
    let signing = task.call.signing.as_ref().filter(|signing| signing.means == Means::Query)?;
    let age = task.call.now - signing.signed_at;
    Some(age.whole_milliseconds().max(0).to_string())
}

/// `bucket/key`, however the client wrote it.
fn copy_source(task: &Task<'_>, _: Target<'_>) -> Option<String> {
    let source = task.source.as_ref()?;
    Some([&source.bucket, "/", &source.key].concat())
}
