//! Buckets: creating, deleting, finding, listing.

use http::StatusCode;
use http::header::LOCATION;

use super::acl::Ownership;
use super::fault::{self, Fault};
use super::lock;
use super::state::{Bucket, Versioning, no_such_bucket};
use super::task::{Answer, Task, document, empty, enables_object_lock, set_header, sets_acl, timestamp};
use super::{address, metadata, xml};
use crate::addressee::host::is_region;
use crate::call::Call;
use crate::identify::sigv4::sha256;

/// The region whose endpoint creates buckets anywhere, and takes a second `CreateBucket` for a success.
const CLASSIC_REGION: &str = "us-east-1";

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
pub(super) fn create(task: &Task<'_>) -> Result<Answer, Fault> {
    let call = task.call;
    if !address::is_bucket_name(task.bucket) {
        return Err(fault::INVALID_BUCKET_NAME.fault().with("BucketName", task.bucket));
    }
    let here = region_of(call);
    let region = match location_constraint(task)? {
        None if here == CLASSIC_REGION => here.to_owned(),
        Some(constraint) if constraint == CLASSIC_REGION || !is_region(&constraint) => {
            return Err(fault::INVALID_LOCATION_CONSTRAINT.fault().with("LocationConstraint", constraint));
        }
        Some(constraint) if here == CLASSIC_REGION || constraint == here => constraint,
        constraint => {
            let constraint = constraint.unwrap_or_else(|| "unspecified".to_owned());
            return Err(fault::ILLEGAL_LOCATION_CONSTRAINT.because(format!(
                "The {constraint} location constraint is incompatible for the region specific endpoint this request was sent to."
            )));
        }
    };
    let account = &call.endpoint.account.id;
    let mut bucket = Bucket::new(account.clone(), call.now, region);
    if let Some(name) = task.header("x-amz-object-ownership") {
        let ownership = Ownership::read(name).ok_or_else(|| {
            fault::INVALID_ARGUMENT
                .because("Invalid x-amz-object-ownership header")
                .with("ArgumentName", "x-amz-object-ownership")
                .with("ArgumentValue", name)
        })?;
        bucket.ownership = Some(ownership);
    }
    if sets_acl(task) && !bucket.acls_enabled() && task.header("x-amz-acl") != Some("private") {
        return Err(fault::INVALID_BUCKET_ACL_WITH_OBJECT_OWNERSHIP.fault());
    }
    if bucket.acls_enabled() {
        metadata::check_acl(task, true)?;
    }
    if enables_object_lock(task) {
        bucket.object_lock = Some(lock::Configuration::default());
        bucket.versioning = Versioning::Enabled;
    }
    bucket.tags = task.tags()?;
    call.endpoint.s3.with(|buckets| match buckets.get(task.bucket) {
        None => {
            buckets.insert(task.bucket.to_owned(), bucket);
            Ok(())
        }
        Some(other) if other.owner != *account => {
            Err(fault::BUCKET_ALREADY_EXISTS.fault().with("BucketName", task.bucket))
        }
        Some(mine) if here == CLASSIC_REGION && mine.region == here => Ok(()),
        Some(_) => Err(fault::BUCKET_ALREADY_OWNED_BY_YOU.fault().with("BucketName", task.bucket)),
    })?;
    let mut answer = empty(StatusCode::OK);
    set_header(&mut answer, LOCATION, &format!("/{}", task.bucket));
    Ok(answer)
}

/// The region that a call was made to.
fn region_of<'c>(call: &'c Call<'_>) -> &'c str {
    call.signing.as_ref().map_or(&call.endpoint.region, |signing| &signing.region)
}

/// The region that a `CreateBucket` names in its body.
///
/// # Errors
///
/// `MalformedXML`
pub(super) fn location_constraint(task: &Task<'_>) -> Result<Option<String>, Fault> {
    if task.call.body.is_empty() {
        return Ok(None);
    }
    xml::read(&task.call.body, "CreateBucketConfiguration", |root| {
        let constraint = xml::text(root, "LocationConstraint").filter(|constraint| !constraint.is_empty());
        Some(
            constraint.map(|constraint| if constraint == "EU" { "eu-west-1" } else { constraint }.to_owned()),
        )
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html>
pub(super) fn delete(task: &Task<'_>) -> Result<Answer, Fault> {
    task.call.endpoint.s3.with(|buckets| {
        let bucket = buckets.get(task.bucket).ok_or_else(|| no_such_bucket(task.bucket))?;
        if bucket.objects.is_empty() {
            buckets.remove(task.bucket);
            return Ok(empty(StatusCode::NO_CONTENT));
        }
        let message = if bucket.versioning == Versioning::Never {
            "The bucket you tried to delete is not empty"
        } else {
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
        };
        Err(fault::BUCKET_NOT_EMPTY.because(message).with("BucketName", task.bucket))
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
pub(super) fn head(task: &Task<'_>) -> Result<Answer, Fault> {
    let region = task.in_bucket(|bucket| Ok(bucket.region.clone()))?;
    let mut answer = empty(StatusCode::OK);
    set_header(&mut answer, "x-amz-bucket-region", &region);
    set_header(&mut answer, "x-amz-access-point-alias", "false");
    Ok(answer)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>
pub(super) fn location(task: &Task<'_>) -> Result<Answer, Fault> {
    let region = task.in_bucket(|bucket| Ok(bucket.region.clone()))?;
    // The classic region has no name here.
    let name = if region == CLASSIC_REGION { "" } else { &region };
    Ok(document("LocationConstraint", |xml| xml.text(name)))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>
pub(super) fn list(task: &Task<'_>) -> Result<Answer, Fault> {
    const MOST: usize = 10_000;
    let most = task.number("max-buckets")?.unwrap_or(MOST);
    if !(1..=MOST).contains(&most) {
        return Err(fault::INVALID_ARGUMENT
            .because("Argument max-buckets must be an integer between 1 and 10000")
            .with("ArgumentName", "max-buckets")
            .with("ArgumentValue", most.to_string()));
    }
    let prefix = task.query.get("prefix").unwrap_or_default();
    let region = task.query.get("bucket-region");
    // Bucket names hold nothing that a token would have to hide.
    let after = task.query.get("continuation-token").unwrap_or_default();
    let (page, next) = task.call.endpoint.s3.with(|buckets| {
        let mut fitting = buckets
            .iter()
            .filter(|(name, bucket)| {
                bucket.owner == task.call.endpoint.account.id
                    && *name > after
                    && name.starts_with(prefix)
                    && region.is_none_or(|region| bucket.region == region)
            })
            .map(|(name, bucket)| (name.to_owned(), bucket.created, bucket.region.clone()));
        let page: Vec<_> = fitting.by_ref().take(most).collect();
        let next = fitting.next().and_then(|_| page.last().map(|(name, ..)| name.clone()));
        (page, next)
    });
    Ok(document("ListAllMyBucketsResult", |xml| {
        xml.element("Owner", |xml| xml.leaf("ID", &canonical_id(&task.call.endpoint.account.id)));
        xml.element("Buckets", |xml| {
            for (name, created, region) in &page {
                xml.element("Bucket", |xml| {
                    xml.leaf("Name", name);
                    xml.leaf("CreationDate", &timestamp(*created));
                    xml.leaf("BucketRegion", region);
                });
            }
        });
        if !prefix.is_empty() {
            xml.leaf("Prefix", prefix);
        }
        if let Some(next) = &next {
            xml.leaf("ContinuationToken", next);
        }
    }))
}

/// An account's canonical user id: 64 hexadecimal digits.
pub(super) fn canonical_id(account: &str) -> String {
    sha256(account.as_bytes()).hex()
}
