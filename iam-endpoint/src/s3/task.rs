//! One S3 request on its way through authorization to its handler.

use std::borrow::Cow;
use std::cell::OnceCell;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, IntoHeaderName};
use http::{HeaderValue, Response, StatusCode};
use iam_policy::Context;
use time::OffsetDateTime;

use super::copy::Source;
use super::fault::{self, Fault};
use super::operation::{Need, On, Operation};
use super::query::Query;
use super::state::{Bucket, Conditions, PublicAccessBlock, Tags, Versioning};
use super::tagging;
use super::{bucket, conditions, lock, metadata};
use crate::authorize::Access;
use crate::call::Call;
use crate::clock;
use crate::journal::Outcome;
use crate::wire::headers;
use crate::wire::xml::Xml;

/// Performs an operation once it is authorized.
pub(super) type Handler = fn(&Task<'_>) -> Result<Answer, Fault>;

pub(super) type Answer = Response<Bytes>;

/// One request, with what the operations read from it.
pub(super) struct Task<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) operation: &'static Operation,
    /// Empty for the one operation that names no bucket.
    pub(super) bucket: &'a str,
    /// Empty for an operation on a bucket.
    pub(super) key: &'a str,
    pub(super) query: &'a Query<'a>,
    /// The account that the bucket belongs to.
    owner: String,
    /// What `x-amz-copy-source` names.
    pub(super) source: Option<Source>,
    /// What decisions ask for by the names of headers, and the request said when it created the upload, or says in its body.
    said: Conditions,
    tags: OnceCell<Result<Tags, Fault>>,
}

/// The resource of one decision.
#[derive(Clone, Copy)]
pub(super) struct Target<'t> {
    pub(super) bucket: &'t str,
    /// Empty for a bucket.
    pub(super) key: &'t str,
    pub(super) version: Option<&'t str>,
}

impl<'a> Task<'a> {
    pub(super) fn new(
        call: &'a Call<'a>,
        operation: &'static Operation,
        (bucket, key): (&'a str, &'a str),
        query: &'a Query<'a>,
    ) -> Result<Self, Fault> {
        // What decides must be readable; what is only kept need not be.
        let decides = |name: &str| name.starts_with("x-amz-") && !name.starts_with(metadata::USER);
        let is_unreadable = |(name, value): &(&str, &[u8])| decides(name) && headers::text(value).is_none();
        if let Some((name, _)) = call.headers.iter().copied().find(is_unreadable) {
            return Err(fault::INVALID_ARGUMENT
                .because(format!("the value of the header `{name}` is not text"))
                .with("ArgumentName", name));
        }
        let upload = query.get("uploadId").and_then(|id| {
            let conditions = |bucket: &mut Bucket| Ok(bucket.upload(key, id)?.conditions.clone());
            call.endpoint.s3.bucket(bucket, conditions).ok()
        });
        let said = upload.unwrap_or_else(|| lock::conditions(call, operation));
        let tags = OnceCell::new();
        let owner = owner_of(call, bucket);
        let mut task = Self { call, operation, bucket, key, query, owner, source: None, said, tags };
        task.source = task.header("x-amz-copy-source").map(Source::parse).transpose()?;
        Ok(task)
    }

    /// The first value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        self.call.headers.text(name)
    }

    /// A header that decisions ask for: of the request, or else what it says in its place.
    pub(super) fn condition(&self, name: &str) -> Option<&str> {
        self.header(name).or_else(|| self.said(name))
    }

    /// What was said in place of a header.
    pub(super) fn said(&self, name: &str) -> Option<&str> {
        self.said.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str())
    }

    /// A header about the body, which may come behind it.
    pub(super) fn integrity(&self, name: &str) -> Option<&str> {
        self.header(name).or_else(|| self.call.trailers.get(name)?.to_str().ok())
    }

    /// Asks for everything that the operation needs.
    pub(super) fn authorize(&self, needs: &[Need]) -> Result<(), Fault> {
        for need in needs.iter().filter(|need| (need.when)(self)) {
            let target = self.target(need.on);
            let action = need.versioned.filter(|_| target.version.is_some()).unwrap_or(need.action);
            self.authorize_one(action, target)?;
        }
        self.check_owner("x-amz-expected-bucket-owner", self.bucket)?;
        match &self.source {
            Some(source) => self.check_owner("x-amz-source-expected-bucket-owner", &source.bucket),
            None => Ok(()),
        }
    }

    /// Asks for one action.
    pub(super) fn authorize_one(&self, action: &'static str, target: Target<'_>) -> Result<(), Fault> {
        let conditions = |context: &mut Context| conditions::set(context, self, action, target);
        self.call.authorize(self.access(action, target, &conditions))?;
        Ok(())
    }

    /// Decides without a word in the journal: for what the caller learns, not for what it does.
    pub(super) fn probe(&self, action: &'static str, target: Target<'_>) -> Result<(), Fault> {
        let conditions = |context: &mut Context| conditions::set(context, self, action, target);
        self.call.probe(self.access(action, target, &conditions))?;
        Ok(())
    }

    fn access<'c>(
        &self,
        action: &'static str,
        target: Target<'_>,
        conditions: &'c dyn Fn(&mut Context),
    ) -> Access<'c> {
        // Who has a name already has no say in whether another may ask for it.
        let is_new = self.operation.name == "CreateBucket";
        let (owner, policy) = self.call.bucket_of(target.bucket, action).unzip();
        Access {
            action,
            resource: self.arn(target),
            resource_account: owner.filter(|_| !is_new),
            resource_policy: policy.flatten().filter(|_| !is_new),
            conditions,
            absent: conditions::absent(),
        }
    }

    fn target(&self, on: On) -> Target<'_> {
        match (on, &self.source) {
            (On::Source, Some(source)) => {
                Target { bucket: &source.bucket, key: &source.key, version: source.version.as_deref() }
            }
            (On::Object | On::Source, _) => {
                Target { bucket: self.bucket, key: self.key, version: self.query.get("versionId") }
            }
            (On::Bucket, _) => Target { bucket: self.bucket, key: "", version: None },
            (On::AllBuckets, _) => Target { bucket: "*", key: "", version: None },
        }
    }

    pub(super) fn bucket_arn(&self) -> String {
        self.arn(self.target(On::Bucket))
    }

    pub(super) fn arn(&self, target: Target<'_>) -> String {
        let (partition, bucket, key) = (self.call.endpoint.partition, target.bucket, target.key);
        let slash = if key.is_empty() { "" } else { "/" };
        ["arn:", partition, ":s3:::", bucket, slash, key].concat()
    }

    fn check_owner(&self, header: &str, bucket: &str) -> Result<(), Fault> {
        match self.header(header) {
            Some(owner) if owner != self.owner_of(bucket) => Err(fault::ACCESS_DENIED.fault()),
            _ => Ok(()),
        }
    }

    /// The account that a bucket of the request belongs to.
    pub(super) fn owner_of(&self, bucket: &str) -> Cow<'_, str> {
        if bucket == self.bucket {
            Cow::Borrowed(&self.owner)
        } else {
            Cow::Owned(owner_of(self.call, bucket))
        }
    }

    /// The region of the request's bucket, where it is there.
    pub(super) fn region(&self) -> String {
        let region = self.in_bucket(|bucket| Ok(bucket.region.clone()));
        region.unwrap_or_else(|_| self.call.endpoint.region.clone())
    }

    /// The canonical user id of the bucket's owner, who owns all that is in it.
    pub(super) fn canonical_owner(&self) -> String {
        bucket::canonical_id(&self.owner)
    }

    /// What the bucket's account blocks in all its buckets.
    pub(super) fn account_block(&self) -> PublicAccessBlock {
        self.call.endpoint.s3.block_of(&self.owner)
    }

    /// Whether the caller is of another account than the bucket.
    pub(super) fn is_foreign(&self) -> bool {
        self.owner != self.call.endpoint.account.id
    }

    /// Works on the request's bucket.
    pub(super) fn in_bucket<T>(
        &self,
        work: impl FnOnce(&mut Bucket) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.call.endpoint.s3.bucket(self.bucket, work)
    }

    /// The answer for a key that is not there: a caller who may not list the bucket does not learn that.
    ///
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>, permissions.
    pub(super) fn missing_key(&self, bucket: &str, absent: Fault) -> Fault {
        match self.probe("s3:ListBucket", Target { bucket, key: "", version: None }) {
            Ok(()) => absent,
            Err(refused) if refused.outcome() == Outcome::Denied => {
                refused.concluding(Outcome::ConcealedNotFound)
            }
            Err(unknown) => unknown,
        }
    }

    /// The tags that the request carries; none where they cannot be read, which the handler will refuse.
    pub(super) fn request_tags(&self) -> &[(String, String)] {
        self.read_tags().map_or(&[], Vec::as_slice)
    }

    /// The tags that the request carries.
    pub(super) fn tags(&self) -> Result<Tags, Fault> {
        match self.read_tags() {
            Ok(tags) => Ok(tags.clone()),
            Err(fault) => Err(fault.clone()),
        }
    }

    fn read_tags(&self) -> Result<&Tags, &Fault> {
        self.tags.get_or_init(|| tagging::of_request(self)).as_ref()
    }

    /// An optional parameter in the query that is a whole number.
    pub(super) fn number(&self, parameter: &str) -> Result<Option<usize>, Fault> {
        whole(parameter, self.query.get(parameter))
    }

    /// An optional header that is a whole number.
    pub(super) fn number_in(&self, header: &'static str) -> Result<Option<usize>, Fault> {
        whole(header, self.header(header))
    }
}

fn whole(name: &str, text: Option<&str>) -> Result<Option<usize>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.parse::<u32>() {
        Ok(number) if i32::try_from(number).is_ok() => Ok(usize::try_from(number).ok()),
        _ => Err(fault::INVALID_ARGUMENT
            .because(format!("Provided {name} not an integer or within integer range"))
            .with("ArgumentName", name)
            .with("ArgumentValue", text)),
    }
}

/// One that is not there is the caller's own to make or to miss.
fn owner_of(call: &Call<'_>, bucket: &str) -> String {
    let owner = call.endpoint.s3.with(|buckets| Some(buckets.get(bucket)?.owner.clone()));
    owner.unwrap_or_else(|| call.endpoint.account.id.clone())
}

/// Whether the request sets an access control list.
pub(super) fn sets_acl(task: &Task<'_>) -> bool {
    ACL.iter().any(|header| task.header(header).is_some())
}

pub(super) fn enables_object_lock(task: &Task<'_>) -> bool {
    task.header("x-amz-bucket-object-lock-enabled").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The headers of access control lists.
const ACL: [&str; 6] = [
    "x-amz-acl",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
];

pub(super) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// A body in S3's namespace.
pub(super) fn document(root: &str, content: impl FnOnce(&mut Xml)) -> Answer {
    let mut inner = Xml::new();
    content(&mut inner);
    answered(root, &inner)
}

fn answered(root: &str, content: &Xml) -> Answer {
    let mut xml = Xml::declared();
    xml.element(&format!("{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""), |xml| {
        xml.append(content);
    });
    let mut answer = Response::new(Bytes::from(xml.finish()));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    answer
}

/// Sets a header whose value is text that we or the client made.
pub(super) fn set_header(answer: &mut Answer, name: impl IntoHeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// Names the version, where the bucket has or had versions.
pub(super) fn set_version(answer: &mut Answer, versioning: Versioning, id: &str) {
    if versioning != Versioning::Never {
        set_header(answer, "x-amz-version-id", id);
    }
}

/// `2026-11-21T21:15:47.000Z`, as S3 answers; its times have whole seconds.
pub(super) fn timestamp(at: OffsetDateTime) -> String {
    clock::iso8601(at).replace('Z', ".000Z")
}
