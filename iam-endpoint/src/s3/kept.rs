//! The sub-resources of a bucket that are one document each: kept as they are put, given back as they were, and, but for
//! [`encryption`](super::encryption), without effect on anything else.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use iam_policy::Context;

use super::fault::{self, Code, Fault};
use super::task::{Answer, Task, empty, set_header};
use super::xml;
use crate::authorize::Access;
use crate::derive::Resource;

/// A sub-resource that is one document.
struct Kept {
    /// Its key in the query, without which it has no operation.
    subresource: &'static str,
    /// The document's root element.
    root: &'static str,
    absent: Absent,
}

/// What S3 answers where nothing was put.
enum Absent {
    Default(&'static str),
    NotFound(Code),
}

static ALL: [Kept; 9] = {
    use Absent::{Default, NotFound};
    [
        Kept { subresource: "accelerate", root: "AccelerateConfiguration", absent: Default("") },
        Kept { subresource: "cors", root: "CORSConfiguration", absent: NotFound(fault::NO_SUCH_CORS) },
        Kept {
            subresource: "encryption",
            root: "ServerSideEncryptionConfiguration",
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
            absent: Default(
                "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
                 </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>",
            ),
        },
        Kept {
            subresource: "lifecycle",
            root: "LifecycleConfiguration",
            absent: NotFound(fault::NO_SUCH_LIFECYCLE),
        },
        Kept { subresource: "logging", root: "BucketLoggingStatus", absent: Default("") },
        Kept { subresource: "notification", root: "NotificationConfiguration", absent: Default("") },
        Kept {
            subresource: "replication",
            root: "ReplicationConfiguration",
            absent: NotFound(fault::NO_SUCH_REPLICATION),
        },
        Kept {
            subresource: "requestPayment",
            root: "RequestPaymentConfiguration",
            absent: Default("<Payer>BucketOwner</Payer>"),
        },
        Kept {
            subresource: "website",
            root: "WebsiteConfiguration",
            absent: NotFound(fault::NO_SUCH_WEBSITE),
        },
    ]
};

/// Gets, puts or deletes the document of the operation's sub-resource, as its method says.
pub(super) fn handle(task: &Task<'_>) -> Result<Answer, Fault> {
    let kept = ALL.iter().find(|kept| task.operation.is_about(kept.subresource));
    let kept = kept.ok_or_else(|| fault::not_performed(task.operation.name))?;
    match task.call.parts.method {
        Method::PUT => put(task, kept),
        Method::DELETE => task.in_bucket(|bucket| {
            bucket.documents.remove(kept.subresource);
            Ok(empty(StatusCode::NO_CONTENT))
        }),
        _ => get(task, kept),
    }
}

fn get(task: &Task<'_>, kept: &Kept) -> Result<Answer, Fault> {
    let document = task.in_bucket(|bucket| match (bucket.documents.get(kept.subresource), &kept.absent) {
        (Some(document), _) => Ok(document.clone()),
        (None, Absent::Default(content)) => Ok(Bytes::from(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{0} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{content}</{0}>",
            kept.root
        ))),
        (None, Absent::NotFound(code)) => Err(code.fault().with("BucketName", task.bucket)),
    })?;
    let mut answer = Response::new(document);
    set_header(&mut answer, CONTENT_TYPE, "application/xml");
    Ok(answer)
}

fn put(task: &Task<'_>, kept: &Kept) -> Result<Answer, Fault> {
    let role =
        xml::read(&task.call.body, kept.root, |root| Some(xml::text(root, "Role").map(str::to_owned)))?;
    if let Some(role) = role.filter(|_| kept.subresource == "replication") {
        pass(task, &role)?;
    }
    task.in_bucket(|bucket| {
        bucket.documents.insert(kept.subresource.to_owned(), task.call.body.clone());
        Ok(empty(StatusCode::OK))
    })
}

/// Asks whether the caller may let S3 have a role, with which it copies.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html>.
fn pass(task: &Task<'_>, role: &str) -> Result<(), Fault> {
    let tags = task.call.endpoint.role_tags(Resource::of(role));
    let conditions = |context: &mut Context| {
        context.set("iam:PassedToService", "s3.amazonaws.com");
        for (key, value) in tags.iter().flatten() {
            context.set(format!("aws:ResourceTag/{key}"), value.as_str());
        }
    };
    task.call.authorize(Access {
        action: "iam:PassRole",
        resource: role.to_owned(),
        resource_account: None,
        resource_policy: None,
        conditions: &conditions,
        absent: &["aws:ResourceTag/", "iam:AssociatedResourceArn", "iam:ResourceTag/"],
    })?;
    Ok(())
}
