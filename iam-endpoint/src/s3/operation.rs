//! Every operation of S3's API: how a request names it, what it needs to be allowed, and what performs it.

use std::sync::LazyLock;

use http::Method;

use super::query::Query;
use super::task::{Handler, Task, enables_object_lock, sets_acl};
use super::{
    acl, attributes, bucket, configuration, copy, delete, kept, listed, listing, lock, multipart, object,
    policy, post, tagging,
};
use crate::sorted::Sorted;
use crate::wire::headers::Headers;

/// One operation of S3's API.
pub(super) struct Operation {
    pub(super) name: &'static str,
    method: Method,
    level: Level,
    marks: &'static [Mark],
    /// `None` for an operation that the endpoint does not perform yet.
    pub(super) performed: Option<Performed>,
}

/// What is known of an operation that the endpoint performs.
pub(super) struct Performed {
    /// What the caller must be allowed to do, in the order in which it is asked.
    pub(super) needs: &'static [Need],
    pub(super) handler: Handler,
}

/// What the path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Service,
    Bucket,
    Object,
}

/// What in a request tells its operation from the others of the same method and level.
enum Mark {
    /// A query key that names a sub-resource: it means this operation and no other.
    Sub(&'static str),
    /// A query key that other operations may have as a plain parameter.
    Has(&'static str),
    Value(&'static str, &'static str),
    Header(&'static str),
}

/// One action that the caller must be allowed.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>.
pub(super) struct Need {
    pub(super) action: &'static str,
    /// The action where the request names a version.
    pub(super) versioned: Option<&'static str>,
    pub(super) on: On,
    pub(super) when: fn(&Task<'_>) -> bool,
}

/// The resource that an action is needed on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    AllBuckets,
    Bucket,
    Object,
    /// The object that `x-amz-copy-source` names.
    Source,
}

/// Which operation a request asks for.
pub(super) enum Route {
    Operation(&'static Operation),
    /// No operation has this sub-resource here.
    UnknownSubresource(String),
    MethodNotAllowed,
}

/// Finds the operation of a request; never one whose sub-resource another one has.
pub(super) fn route(method: &Method, level: Level, query: &Query<'_>, headers: &Headers<'_>) -> Route {
    let fits = |operation: &&Operation| {
        operation.level == level
            && operation.method == *method
            && operation.marks.iter().all(|mark| mark.is_in(query, headers))
    };
    let Some(operation) = OPERATIONS.iter().filter(fits).max_by_key(|operation| operation.marks.len()) else {
        return Route::MethodNotAllowed;
    };
    let stranger = query.iter().find(|(key, value)| !operation.knows(key, value));
    match stranger {
        Some((key, _)) => Route::UnknownSubresource(key.clone().into_owned()),
        None => Route::Operation(operation),
    }
}

impl Mark {
    fn is_in(&self, query: &Query<'_>, headers: &Headers<'_>) -> bool {
        match self {
            Self::Sub(key) | Self::Has(key) => query.get(key).is_some(),
            Self::Value(key, value) => query.get(key) == Some(value),
            Self::Header(name) => headers.get(name).is_some(),
        }
    }
}

impl Operation {
    /// Whether a query key is this operation's own, or a plain parameter: S3 ignores those that it does not know, but a
    /// key without a value may be a sub-resource that we do not know.
    fn knows(&self, key: &str, value: &str) -> bool {
        static SUBRESOURCES: LazyLock<Sorted<()>> = LazyLock::new(|| {
            let mut all = Sorted::default();
            for operation in OPERATIONS {
                for mark in operation.marks {
                    if let Mark::Sub(key) = mark {
                        all.insert((*key).to_owned(), ());
                    }
                }
            }
            all
        });
        self.is_about(key)
            || SUBRESOURCES.get(key).is_none() && (!value.is_empty() || EMPTY_PARAMETERS.contains(&key))
    }

    /// Whether it is about a sub-resource.
    pub(super) fn is_about(&self, subresource: &str) -> bool {
        self.marks.iter().any(|mark| matches!(mark, Mark::Sub(own) if *own == subresource))
    }

    const fn needs(mut self, needs: &'static [Need], handler: Handler) -> Self {
        self.performed = Some(Performed { needs, handler });
        self
    }
}

/// Parameters, not sub-resources, that clients send without a value.
const EMPTY_PARAMETERS: [&str; 12] = [
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "marker",
    "part-number-marker",
    "prefix",
    "start-after",
    "upload-id-marker",
    "version-id-marker",
    "x-id",
];

const fn operation(name: &'static str, method: Method, level: Level, marks: &'static [Mark]) -> Operation {
    Operation { name, method, level, marks, performed: None }
}

const fn service(method: Method, name: &'static str, marks: &'static [Mark]) -> Operation {
    operation(name, method, Level::Service, marks)
}

const fn bucket(method: Method, name: &'static str, marks: &'static [Mark]) -> Operation {
    operation(name, method, Level::Bucket, marks)
}

const fn object(method: Method, name: &'static str, marks: &'static [Mark]) -> Operation {
    operation(name, method, Level::Object, marks)
}

const fn need(action: &'static str, on: On) -> Need {
    Need { action, versioned: None, on, when: |_| true }
}

impl Need {
    const fn or_of_version(mut self, action: &'static str) -> Self {
        self.versioned = Some(action);
        self
    }

    const fn when(mut self, when: fn(&Task<'_>) -> bool) -> Self {
        self.when = when;
        self
    }
}

const PUT_OBJECT: Need = need("s3:PutObject", On::Object);
const PUT_ACL: Need = need("s3:PutObjectAcl", On::Object).when(sets_acl);
const PUT_TAGS: Need =
    need("s3:PutObjectTagging", On::Object).when(|task| task.header("x-amz-tagging").is_some());
const PUT_RETENTION: Need = need("s3:PutObjectRetention", On::Object).when(|task| {
    task.header("x-amz-object-lock-mode").is_some()
        || task.header("x-amz-object-lock-retain-until-date").is_some()
});
const PUT_LEGAL_HOLD: Need = need("s3:PutObjectLegalHold", On::Object)
    .when(|task| task.header("x-amz-object-lock-legal-hold").is_some());
const BYPASS_GOVERNANCE: Need =
    need("s3:BypassGovernanceRetention", On::Object).when(delete::bypasses_governance);
const GET_SOURCE: Need = need("s3:GetObject", On::Source).or_of_version("s3:GetObjectVersion");

/// What storing an object needs, whatever the request says about it.
pub(super) const STORING: &[Need] = &[PUT_OBJECT, PUT_ACL, PUT_TAGS, PUT_RETENTION, PUT_LEGAL_HOLD];

static OPERATIONS: &[Operation] = {
    use Mark::{Has, Header, Sub, Value};
    const GET: Method = Method::GET;
    const PUT: Method = Method::PUT;
    const POST: Method = Method::POST;
    const DELETE: Method = Method::DELETE;
    const HEAD: Method = Method::HEAD;
    const OPTIONS: Method = Method::OPTIONS;
    &[
        service(GET, "ListBuckets", &[]).needs(&[need("s3:ListAllMyBuckets", On::AllBuckets)], bucket::list),
        // ── buckets ──────────────────────────────────────────────────────────────────────────────
        bucket(PUT, "CreateBucket", &[]).needs(
            &[
                need("s3:CreateBucket", On::Bucket),
                need("s3:PutBucketAcl", On::Bucket).when(sets_acl),
                need("s3:PutBucketOwnershipControls", On::Bucket)
                    .when(|task| task.header("x-amz-object-ownership").is_some()),
                need("s3:PutBucketObjectLockConfiguration", On::Bucket).when(enables_object_lock),
                need("s3:PutBucketVersioning", On::Bucket).when(enables_object_lock),
                need("s3:TagResource", On::Bucket).when(|task| !task.request_tags().is_empty()),
            ],
            bucket::create,
        ),
        bucket(DELETE, "DeleteBucket", &[]).needs(&[need("s3:DeleteBucket", On::Bucket)], bucket::delete),
        bucket(HEAD, "HeadBucket", &[]).needs(&[need("s3:ListBucket", On::Bucket)], bucket::head),
        bucket(GET, "GetBucketLocation", &[Sub("location")])
            .needs(&[need("s3:GetBucketLocation", On::Bucket)], bucket::location),
        bucket(GET, "ListObjects", &[]).needs(&[need("s3:ListBucket", On::Bucket)], listing::objects),
        bucket(GET, "ListObjectsV2", &[Value("list-type", "2")])
            .needs(&[need("s3:ListBucket", On::Bucket)], listing::objects_v2),
        bucket(GET, "ListObjectVersions", &[Sub("versions")])
            .needs(&[need("s3:ListBucketVersions", On::Bucket)], listing::versions),
        bucket(GET, "ListMultipartUploads", &[Sub("uploads")])
            .needs(&[need("s3:ListBucketMultipartUploads", On::Bucket)], multipart::list_uploads),
        // Each key is a decision of its own.
        bucket(POST, "DeleteObjects", &[Sub("delete")]).needs(&[], delete::objects),
        bucket(GET, "GetBucketPolicy", &[Sub("policy")])
            .needs(&[need("s3:GetBucketPolicy", On::Bucket)], policy::get),
        bucket(PUT, "PutBucketPolicy", &[Sub("policy")])
            .needs(&[need("s3:PutBucketPolicy", On::Bucket)], policy::put),
        bucket(DELETE, "DeleteBucketPolicy", &[Sub("policy")])
            .needs(&[need("s3:DeleteBucketPolicy", On::Bucket)], policy::delete),
        bucket(GET, "GetBucketPolicyStatus", &[Sub("policyStatus")])
            .needs(&[need("s3:GetBucketPolicyStatus", On::Bucket)], policy::status),
        bucket(GET, "GetPublicAccessBlock", &[Sub("publicAccessBlock")]).needs(
            &[need("s3:GetBucketPublicAccessBlock", On::Bucket)],
            configuration::get_public_access_block,
        ),
        bucket(PUT, "PutPublicAccessBlock", &[Sub("publicAccessBlock")]).needs(
            &[need("s3:PutBucketPublicAccessBlock", On::Bucket)],
            configuration::put_public_access_block,
        ),
        // There is no action of its own for deleting it.
        bucket(DELETE, "DeletePublicAccessBlock", &[Sub("publicAccessBlock")]).needs(
            &[need("s3:PutBucketPublicAccessBlock", On::Bucket)],
            configuration::delete_public_access_block,
        ),
        bucket(GET, "GetBucketVersioning", &[Sub("versioning")])
            .needs(&[need("s3:GetBucketVersioning", On::Bucket)], configuration::get_versioning),
        bucket(PUT, "PutBucketVersioning", &[Sub("versioning")])
            .needs(&[need("s3:PutBucketVersioning", On::Bucket)], configuration::put_versioning),
        bucket(GET, "GetBucketTagging", &[Sub("tagging")])
            .needs(&[need("s3:GetBucketTagging", On::Bucket)], tagging::get_of_bucket),
        bucket(PUT, "PutBucketTagging", &[Sub("tagging")])
            .needs(&[need("s3:PutBucketTagging", On::Bucket)], tagging::put_on_bucket),
        // Deleting is authorized by the action that puts.
        bucket(DELETE, "DeleteBucketTagging", &[Sub("tagging")])
            .needs(&[need("s3:PutBucketTagging", On::Bucket)], tagging::delete_from_bucket),
        bucket(GET, "GetBucketAcl", &[Sub("acl")])
            .needs(&[need("s3:GetBucketAcl", On::Bucket)], acl::get_of_bucket),
        bucket(PUT, "PutBucketAcl", &[Sub("acl")])
            .needs(&[need("s3:PutBucketAcl", On::Bucket)], acl::put_on_bucket),
        bucket(GET, "GetBucketOwnershipControls", &[Sub("ownershipControls")])
            .needs(&[need("s3:GetBucketOwnershipControls", On::Bucket)], acl::get_ownership),
        bucket(PUT, "PutBucketOwnershipControls", &[Sub("ownershipControls")])
            .needs(&[need("s3:PutBucketOwnershipControls", On::Bucket)], acl::put_ownership),
        bucket(DELETE, "DeleteBucketOwnershipControls", &[Sub("ownershipControls")])
            .needs(&[need("s3:PutBucketOwnershipControls", On::Bucket)], acl::delete_ownership),
        bucket(GET, "GetBucketAccelerateConfiguration", &[Sub("accelerate")])
            .needs(&[need("s3:GetAccelerateConfiguration", On::Bucket)], kept::handle),
        bucket(PUT, "PutBucketAccelerateConfiguration", &[Sub("accelerate")])
            .needs(&[need("s3:PutAccelerateConfiguration", On::Bucket)], kept::handle),
        bucket(GET, "GetBucketCors", &[Sub("cors")])
            .needs(&[need("s3:GetBucketCORS", On::Bucket)], kept::handle),
        bucket(PUT, "PutBucketCors", &[Sub("cors")])
            .needs(&[need("s3:PutBucketCORS", On::Bucket)], kept::handle),
        bucket(DELETE, "DeleteBucketCors", &[Sub("cors")])
            .needs(&[need("s3:PutBucketCORS", On::Bucket)], kept::handle),
        bucket(GET, "GetBucketEncryption", &[Sub("encryption")])
            .needs(&[need("s3:GetEncryptionConfiguration", On::Bucket)], kept::handle),
        bucket(PUT, "PutBucketEncryption", &[Sub("encryption")])
            .needs(&[need("s3:PutEncryptionConfiguration", On::Bucket)], kept::handle),
        bucket(DELETE, "DeleteBucketEncryption", &[Sub("encryption")])
            .needs(&[need("s3:PutEncryptionConfiguration", On::Bucket)], kept::handle),
        bucket(GET, "GetBucketLifecycleConfiguration", &[Sub("lifecycle")])
            .needs(&[need("s3:GetLifecycleConfiguration", On::Bucket)], kept::handle),
        bucket(PUT, "PutBucketLifecycleConfiguration", &[Sub("lifecycle")])
            .needs(&[need("s3:PutLifecycleConfiguration", On::Bucket)], kept::handle),
        bucket(DELETE, "DeleteBucketLifecycle", &[Sub("lifecycle")])
            .needs(&[need("s3:PutLifecycleConfiguration", On::Bucket)], kept::handle),
        bucket(GET, "GetBucketLogging", &[Sub("logging")])
            .needs(&[need("s3:GetBucketLogging", On::Bucket)], kept::handle),
        bucket(PUT, "PutBucketLogging", &[Sub("logging")])
            .needs(&[need("s3:PutBucketLogging", On::Bucket)], kept::handle),
        bucket(GET, "GetBucketNotificationConfiguration", &[Sub("notification")])
            .needs(&[need("s3:GetBucketNotification", On::Bucket)], kept::handle),
        bucket(PUT, "PutBucketNotificationConfiguration", &[Sub("notification")])
            .needs(&[need("s3:PutBucketNotification", On::Bucket)], kept::handle),
        bucket(GET, "GetBucketReplication", &[Sub("replication")])
            .needs(&[need("s3:GetReplicationConfiguration", On::Bucket)], kept::handle),
        bucket(PUT, "PutBucketReplication", &[Sub("replication")])
            .needs(&[need("s3:PutReplicationConfiguration", On::Bucket)], kept::handle),
        bucket(DELETE, "DeleteBucketReplication", &[Sub("replication")])
            .needs(&[need("s3:PutReplicationConfiguration", On::Bucket)], kept::handle),
        bucket(GET, "GetBucketRequestPayment", &[Sub("requestPayment")])
            .needs(&[need("s3:GetBucketRequestPayment", On::Bucket)], kept::handle),
        bucket(PUT, "PutBucketRequestPayment", &[Sub("requestPayment")])
            .needs(&[need("s3:PutBucketRequestPayment", On::Bucket)], kept::handle),
        bucket(GET, "GetBucketWebsite", &[Sub("website")])
            .needs(&[need("s3:GetBucketWebsite", On::Bucket)], kept::handle),
        bucket(PUT, "PutBucketWebsite", &[Sub("website")])
            .needs(&[need("s3:PutBucketWebsite", On::Bucket)], kept::handle),
        bucket(DELETE, "DeleteBucketWebsite", &[Sub("website")])
            .needs(&[need("s3:DeleteBucketWebsite", On::Bucket)], kept::handle),
        bucket(GET, "GetBucketAnalyticsConfiguration", &[Sub("analytics"), Has("id")])
            .needs(&[need("s3:GetAnalyticsConfiguration", On::Bucket)], listed::handle),
        bucket(GET, "ListBucketAnalyticsConfigurations", &[Sub("analytics")])
            .needs(&[need("s3:GetAnalyticsConfiguration", On::Bucket)], listed::handle),
        bucket(PUT, "PutBucketAnalyticsConfiguration", &[Sub("analytics")])
            .needs(&[need("s3:PutAnalyticsConfiguration", On::Bucket)], listed::handle),
        bucket(DELETE, "DeleteBucketAnalyticsConfiguration", &[Sub("analytics")])
            .needs(&[need("s3:PutAnalyticsConfiguration", On::Bucket)], listed::handle),
        bucket(GET, "GetBucketIntelligentTieringConfiguration", &[Sub("intelligent-tiering"), Has("id")])
            .needs(&[need("s3:GetIntelligentTieringConfiguration", On::Bucket)], listed::handle),
        bucket(GET, "ListBucketIntelligentTieringConfigurations", &[Sub("intelligent-tiering")])
            .needs(&[need("s3:GetIntelligentTieringConfiguration", On::Bucket)], listed::handle),
        bucket(PUT, "PutBucketIntelligentTieringConfiguration", &[Sub("intelligent-tiering")])
            .needs(&[need("s3:PutIntelligentTieringConfiguration", On::Bucket)], listed::handle),
        bucket(DELETE, "DeleteBucketIntelligentTieringConfiguration", &[Sub("intelligent-tiering")])
            .needs(&[need("s3:PutIntelligentTieringConfiguration", On::Bucket)], listed::handle),
        bucket(GET, "GetBucketInventoryConfiguration", &[Sub("inventory"), Has("id")])
            .needs(&[need("s3:GetInventoryConfiguration", On::Bucket)], listed::handle),
        bucket(GET, "ListBucketInventoryConfigurations", &[Sub("inventory")])
            .needs(&[need("s3:GetInventoryConfiguration", On::Bucket)], listed::handle),
        bucket(PUT, "PutBucketInventoryConfiguration", &[Sub("inventory")])
            .needs(&[need("s3:PutInventoryConfiguration", On::Bucket)], listed::handle),
        bucket(DELETE, "DeleteBucketInventoryConfiguration", &[Sub("inventory")])
            .needs(&[need("s3:PutInventoryConfiguration", On::Bucket)], listed::handle),
        bucket(GET, "GetBucketMetricsConfiguration", &[Sub("metrics"), Has("id")])
            .needs(&[need("s3:GetMetricsConfiguration", On::Bucket)], listed::handle),
        bucket(GET, "ListBucketMetricsConfigurations", &[Sub("metrics")])
            .needs(&[need("s3:GetMetricsConfiguration", On::Bucket)], listed::handle),
        bucket(PUT, "PutBucketMetricsConfiguration", &[Sub("metrics")])
            .needs(&[need("s3:PutMetricsConfiguration", On::Bucket)], listed::handle),
        bucket(DELETE, "DeleteBucketMetricsConfiguration", &[Sub("metrics")])
            .needs(&[need("s3:PutMetricsConfiguration", On::Bucket)], listed::handle),
        bucket(GET, "GetObjectLockConfiguration", &[Sub("object-lock")])
            .needs(&[need("s3:GetBucketObjectLockConfiguration", On::Bucket)], lock::get_configuration),
        bucket(PUT, "PutObjectLockConfiguration", &[Sub("object-lock")])
            .needs(&[need("s3:PutBucketObjectLockConfiguration", On::Bucket)], lock::put_configuration),
        // ── objects ──────────────────────────────────────────────────────────────────────────────
        object(GET, "GetObject", &[])
            .needs(&[need("s3:GetObject", On::Object).or_of_version("s3:GetObjectVersion")], object::get),
        object(HEAD, "HeadObject", &[])
            .needs(&[need("s3:GetObject", On::Object).or_of_version("s3:GetObjectVersion")], object::head),
        // Both are asked for, as for a read and for what is read.
        object(GET, "GetObjectAttributes", &[Sub("attributes")]).needs(
            &[
                need("s3:GetObject", On::Object).or_of_version("s3:GetObjectVersion"),
                need("s3:GetObjectAttributes", On::Object).or_of_version("s3:GetObjectVersionAttributes"),
            ],
            attributes::get,
        ),
        object(PUT, "PutObject", &[]).needs(STORING, object::put),
        // Who asks is known once the form is read.
        bucket(POST, "PostObject", &[]).needs(&[], post::object),
        object(PUT, "CopyObject", &[Header("x-amz-copy-source")]).needs(
            &[
                GET_SOURCE,
                need("s3:GetObjectTagging", On::Source)
                    .or_of_version("s3:GetObjectVersionTagging")
                    .when(copy::copies_tags),
                PUT_OBJECT,
                PUT_ACL,
                need("s3:PutObjectTagging", On::Object)
                    .when(|task| copy::copies_tags(task) || task.header("x-amz-tagging").is_some()),
                PUT_RETENTION,
                PUT_LEGAL_HOLD,
            ],
            copy::object,
        ),
        object(DELETE, "DeleteObject", &[]).needs(
            &[need("s3:DeleteObject", On::Object).or_of_version("s3:DeleteObjectVersion"), BYPASS_GOVERNANCE],
            delete::object,
        ),
        object(GET, "GetObjectTagging", &[Sub("tagging")]).needs(
            &[need("s3:GetObjectTagging", On::Object).or_of_version("s3:GetObjectVersionTagging")],
            tagging::get_of_object,
        ),
        object(PUT, "PutObjectTagging", &[Sub("tagging")]).needs(
            &[need("s3:PutObjectTagging", On::Object).or_of_version("s3:PutObjectVersionTagging")],
            tagging::put_on_object,
        ),
        object(DELETE, "DeleteObjectTagging", &[Sub("tagging")]).needs(
            &[need("s3:DeleteObjectTagging", On::Object).or_of_version("s3:DeleteObjectVersionTagging")],
            tagging::delete_from_object,
        ),
        object(GET, "GetObjectAcl", &[Sub("acl")]).needs(
            &[need("s3:GetObjectAcl", On::Object).or_of_version("s3:GetObjectVersionAcl")],
            acl::get_of_object,
        ),
        object(PUT, "PutObjectAcl", &[Sub("acl")]).needs(
            &[need("s3:PutObjectAcl", On::Object).or_of_version("s3:PutObjectVersionAcl")],
            acl::put_on_object,
        ),
        object(GET, "GetObjectRetention", &[Sub("retention")])
            .needs(&[need("s3:GetObjectRetention", On::Object)], lock::get_retention),
        object(PUT, "PutObjectRetention", &[Sub("retention")])
            .needs(&[need("s3:PutObjectRetention", On::Object), BYPASS_GOVERNANCE], lock::put_retention),
        object(GET, "GetObjectLegalHold", &[Sub("legal-hold")])
            .needs(&[need("s3:GetObjectLegalHold", On::Object)], lock::get_legal_hold),
        object(PUT, "PutObjectLegalHold", &[Sub("legal-hold")])
            .needs(&[need("s3:PutObjectLegalHold", On::Object)], lock::put_legal_hold),
        // ── multipart uploads ────────────────────────────────────────────────────────────────────
        object(POST, "CreateMultipartUpload", &[Sub("uploads")]).needs(STORING, multipart::create),
        object(PUT, "UploadPart", &[Sub("uploadId"), Has("partNumber")])
            .needs(&[PUT_OBJECT], multipart::upload_part),
        object(PUT, "UploadPartCopy", &[Sub("uploadId"), Has("partNumber"), Header("x-amz-copy-source")])
            .needs(&[GET_SOURCE, PUT_OBJECT], copy::part),
        object(POST, "CompleteMultipartUpload", &[Sub("uploadId")]).needs(&[PUT_OBJECT], multipart::complete),
        object(DELETE, "AbortMultipartUpload", &[Sub("uploadId")])
            .needs(&[need("s3:AbortMultipartUpload", On::Object)], multipart::abort),
        object(GET, "ListParts", &[Sub("uploadId")])
            .needs(&[need("s3:ListMultipartUploadParts", On::Object)], multipart::list_parts),
        // ── not performed yet ────────────────────────────────────────────────────────────────────
        bucket(POST, "CreateBucketMetadataConfiguration", &[Sub("metadataConfiguration")]),
        bucket(POST, "CreateBucketMetadataTableConfiguration", &[Sub("metadataTable")]),
        bucket(GET, "CreateSession", &[Sub("session")]),
        bucket(DELETE, "DeleteBucketMetadataConfiguration", &[Sub("metadataConfiguration")]),
        bucket(DELETE, "DeleteBucketMetadataTableConfiguration", &[Sub("metadataTable")]),
        bucket(GET, "GetBucketAbac", &[Sub("abac")]),
        bucket(GET, "GetBucketMetadataConfiguration", &[Sub("metadataConfiguration")]),
        bucket(GET, "GetBucketMetadataTableConfiguration", &[Sub("metadataTable")]),
        bucket(OPTIONS, "OptionsObject", &[]),
        bucket(PUT, "PutBucketAbac", &[Sub("abac")]),
        bucket(PUT, "UpdateBucketMetadataAnnotationTableConfiguration", &[Sub("metadataAnnotationTable")]),
        bucket(PUT, "UpdateBucketMetadataInventoryTableConfiguration", &[Sub("metadataInventoryTable")]),
        bucket(PUT, "UpdateBucketMetadataJournalTableConfiguration", &[Sub("metadataJournalTable")]),
        object(DELETE, "DeleteObjectAnnotation", &[Sub("annotation")]),
        object(GET, "GetObjectAnnotation", &[Sub("annotation"), Has("annotationName")]),
        object(GET, "GetObjectTorrent", &[Sub("torrent")]),
        object(GET, "ListObjectAnnotations", &[Sub("annotation")]),
        object(OPTIONS, "OptionsObject", &[]),
        object(POST, "RestoreObject", &[Sub("restore")]),
        object(POST, "SelectObjectContent", &[Sub("select")]),
        object(PUT, "PutObjectAnnotation", &[Sub("annotation")]),
        object(PUT, "RenameObject", &[Sub("renameObject")]),
        object(PUT, "UpdateObjectEncryption", &[Sub("encryption")]),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(method: &Method, level: Level, query: &str, headers: Vec<(&str, &[u8])>) -> String {
        let query = Query::parse(Some(query)).expect("UTF-8");
        match route(method, level, &query, &Headers::new(headers)) {
            Route::Operation(operation) => operation.name.to_owned(),
            Route::UnknownSubresource(key) => format!("?{key}"),
            Route::MethodNotAllowed => "-".to_owned(),
        }
    }

    /// A request that has just the operation's marks.
    fn marked(operation: &Operation) -> (String, Vec<(&str, &[u8])>) {
        let (mut query, mut headers) = (Vec::new(), Vec::new());
        for mark in operation.marks {
            match mark {
                Mark::Sub(key) => query.push((*key).to_owned()),
                Mark::Has(key) => query.push(format!("{key}=1")),
                Mark::Value(key, value) => query.push(format!("{key}={value}")),
                Mark::Header(name) => headers.push((*name, &b"b/k"[..])),
            }
        }
        (query.join("&"), headers)
    }

    #[test]
    fn every_operation_is_found_by_its_marks_and_by_nothing_else() {
        for operation in OPERATIONS {
            let (query, headers) = marked(operation);
            let found = routed(&operation.method, operation.level, &query, headers.clone());
            assert_eq!(found, operation.name);
            for mark in OPERATIONS.iter().flat_map(|other| other.marks) {
                let Mark::Sub(other) = mark else { continue };
                if !operation.is_about(other) {
                    let query = format!("{query}&{other}");
                    let found = routed(&operation.method, operation.level, &query, headers.clone());
                    assert_ne!(found, operation.name, "{other}");
                }
            }
        }
    }

    #[test]
    fn plain_parameters_change_nothing() {
        for query in ["", "x-id=ListObjects", "prefix=&delimiter=", "list-type=1", "id=1", "mine=1"] {
            assert_eq!(routed(&Method::GET, Level::Bucket, query, Vec::new()), "ListObjects", "{query}");
        }
        assert_eq!(routed(&Method::GET, Level::Object, "partNumber=1&versionId=x", Vec::new()), "GetObject");
        assert_eq!(routed(&Method::GET, Level::Bucket, "unheard-of", Vec::new()), "?unheard-of");
        assert_eq!(routed(&Method::PUT, Level::Service, "", Vec::new()), "-");
    }
}
