//! What S3 Control does for a whole account, and to the tags of a bucket.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html>

use bytes::Bytes;
use http::{Response, StatusCode};
use roxmltree::Node;

use super::configuration::{read_block, write_block};
use super::fault::{self, Fault};
use super::query::Query;
use super::state::{Bucket, Tags};
use super::task::{Answer, document, empty};
use super::{tagging, xml};
use crate::call::Call;

/// Performs an operation that is authorized; `None` for those that the endpoint does not perform.
pub(crate) fn control(
    call: &Call<'_>,
    operation: &str,
    resource: &str,
) -> Option<Result<Response<Bytes>, crate::fault::Fault>> {
    let answer = match operation {
        "DeletePublicAccessBlock" => delete_block(call),
        "GetPublicAccessBlock" => get_block(call),
        "PutPublicAccessBlock" => put_block(call),
        "ListTagsForResource" => in_bucket(call, resource, |bucket| Ok(write_tags(&bucket.tags)))?,
        "TagResource" => in_bucket(call, resource, |bucket| tag(call, bucket))?,
        "UntagResource" => in_bucket(call, resource, |bucket| Ok(untag(call, bucket)))?,
        _ => return None,
    };
    Some(answer.map_err(Fault::into_base))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html>
fn get_block(call: &Call<'_>) -> Result<Answer, Fault> {
    let account = own_account(call)?;
    let block = call.endpoint.s3.with_blocks(|blocks| blocks.get(account).copied());
    let block = block.ok_or_else(|| fault::NO_SUCH_PUBLIC_ACCESS_BLOCK.fault().with("AccountId", account))?;
    Ok(document("PublicAccessBlockConfiguration", |xml| write_block(block, xml)))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html>
fn put_block(call: &Call<'_>) -> Result<Answer, Fault> {
    let account = own_account(call)?.to_owned();
    let block = read_block(&call.body)?;
    call.endpoint.s3.with_blocks(|blocks| *blocks.insert(account, block));
    Ok(empty(StatusCode::OK))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_DeletePublicAccessBlock.html>
fn delete_block(call: &Call<'_>) -> Result<Answer, Fault> {
    let account = own_account(call)?;
    call.endpoint.s3.with_blocks(|blocks| blocks.remove(account));
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The account that the request names, which is the caller's own.
fn own_account<'c>(call: &'c Call<'_>) -> Result<&'c str, Fault> {
    let own = call.endpoint.account.id.as_str();
    match call.headers.text("x-amz-account-id") {
        Some(named) if named != own => Err(fault::ACCESS_DENIED.fault()),
        _ => Ok(own),
    }
}

/// `None` where the resource is no bucket.
fn in_bucket(
    call: &Call<'_>,
    resource: &str,
    work: impl FnOnce(&mut Bucket) -> Result<Answer, Fault>,
) -> Option<Result<Answer, Fault>> {
    let (_, name) = resource.split_once(":s3:::")?;
    Some(call.endpoint.s3.bucket(name, work))
}

fn write_tags(tags: &Tags) -> Answer {
    document("ListTagsForResourceResult", |xml| tagging::write_set("Tags", tags, xml))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html>
fn tag(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Fault> {
    let read = |root: Node<'_, '_>| tagging::read_set(xml::child(root, "Tags")?);
    let new = xml::read(&call.body, "TagResourceRequest", read)?;
    let mut tags = bucket.tags.clone();
    tags.retain(|(key, _)| new.iter().all(|(other, _)| other != key));
    tags.extend(new);
    bucket.tags = tagging::of_bucket(tags)?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_UntagResource.html>
fn untag(call: &Call<'_>, bucket: &mut Bucket) -> Answer {
    if let Some(query) = Query::parse(call.parts.uri.query()) {
        for (name, gone) in query.iter() {
            if name == "tagKeys" {
                bucket.tags.retain(|(key, _)| key != gone);
            }
        }
    }
    empty(StatusCode::NO_CONTENT)
}
