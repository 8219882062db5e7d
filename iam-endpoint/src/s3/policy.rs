//! Bucket policies.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use iam_policy::{Policy, PolicyKind, Principal};

use super::fault::{self, Fault};
use super::state::BucketPolicy;
use super::statement;
use super::task::{Answer, Task, document, empty, set_header};
use crate::call::Call;
use crate::journal::Outcome;

impl Call<'_> {
    /// The owner of a bucket, and the policy of it that takes part in a decision about the caller; `None` if there is no such
    /// bucket.
    ///
    /// The root user of the bucket's account is never locked out of the policy itself, and a public policy under
    /// `RestrictPublicBuckets` speaks to the account's own principals only. See
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html> and
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>.
    pub(crate) fn bucket_of(&self, bucket: &str, action: &str) -> Option<(String, Option<Policy>)> {
        let s3 = &self.endpoint.s3;
        let (owner, policy, restricts) = s3.with(|buckets| {
            let bucket = buckets.get(bucket)?;
            let restricts = bucket.public_access.is_some_and(|block| block.restrict_public_buckets);
            Some((bucket.owner.clone(), bucket.policy.clone(), restricts))
        })?;
        let Some(policy) = policy else { return Some((owner, None)) };
        let principal = &self.caller.principal;
        let is_local = principal.account() == Some(&owner);
        let is_own_root = is_local && matches!(principal, Principal::Root { .. });
        let is_about_policy =
            matches!(action, "s3:DeleteBucketPolicy" | "s3:GetBucketPolicy" | "s3:PutBucketPolicy");
        let restricts = || restricts || s3.block_of(&owner).restrict_public_buckets;
        let is_silent = is_own_root && is_about_policy || policy.is_public && !is_local && restricts();
        Some((owner, (!is_silent).then_some(policy.policy)))
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>
pub(super) fn get(task: &Task<'_>) -> Result<Answer, Fault> {
    check_account(task)?;
    let policy = kept(task)?;
    let mut answer = Response::new(policy.text);
    set_header(&mut answer, CONTENT_TYPE, "application/json");
    Ok(answer)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html>
pub(super) fn status(task: &Task<'_>) -> Result<Answer, Fault> {
    let policy = kept(task)?;
    Ok(document("PolicyStatus", |xml| xml.leaf("IsPublic", if policy.is_public { "true" } else { "false" })))
}

/// Another account gets at the policy of a bucket by no permission.
fn check_account(task: &Task<'_>) -> Result<(), Fault> {
    if task.is_foreign() {
        return Err(fault::METHOD_NOT_ALLOWED.fault().with("Method", task.call.parts.method.as_str()));
    }
    Ok(())
}

fn kept(task: &Task<'_>) -> Result<BucketPolicy, Fault> {
    task.in_bucket(|bucket| {
        let policy = bucket.policy.clone();
        policy.ok_or_else(|| fault::NO_SUCH_BUCKET_POLICY.fault().with("BucketName", task.bucket))
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>
pub(super) fn put(task: &Task<'_>) -> Result<Answer, Fault> {
    check_account(task)?;
    let policy = task.in_bucket(|_| Ok(())).and_then(|()| read(task, &task.call.body))?;
    let account_blocks = task.account_block().block_public_policy;
    task.in_bucket(|bucket| {
        let blocks = account_blocks || bucket.public_access.is_some_and(|block| block.block_public_policy);
        if policy.is_public && blocks {
            return Err(blocked(task));
        }
        bucket.policy = Some(policy);
        Ok(empty(StatusCode::NO_CONTENT))
    })
}

fn blocked(task: &Task<'_>) -> Fault {
    fault::ACCESS_DENIED
        .because(format!(
            "User: {} is not authorized to perform: s3:PutBucketPolicy on resource: {} because public policies are \
             prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            task.call.caller.principal,
            task.bucket_arn(),
        ))
        .concluding(Outcome::Denied)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html>
pub(super) fn delete(task: &Task<'_>) -> Result<Answer, Fault> {
    check_account(task)?;
    task.in_bucket(|bucket| {
        bucket.policy = None;
        Ok(empty(StatusCode::NO_CONTENT))
    })
}

/// Reads a policy and checks it as S3 does when it is put.
fn read(task: &Task<'_>, text: &Bytes) -> Result<BucketPolicy, Fault> {
    let json = std::str::from_utf8(text).ok().filter(|json| json.trim_start().starts_with('{'));
    let json = json.ok_or_else(|| fault::MALFORMED_POLICY.fault())?;
    let policy = task.call.endpoint.policy(json, PolicyKind::Resource);
    let policy = policy.and_then(|policy| policy.check_size(PolicyKind::Resource.limit()).map(|()| policy));
    let policy = policy.map_err(|problems| fault::MALFORMED_POLICY.because(problems.to_string()))?;
    for statement in policy.statements() {
        statement::check(statement, task.call.endpoint.partition, task.bucket)?;
    }
    let is_public = policy.statements().iter().any(statement::is_public);
    Ok(BucketPolicy { text: text.clone(), policy, is_public })
}
