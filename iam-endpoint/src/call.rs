//! One request's facts, as the services see them.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use iam_policy::Context;
use time::OffsetDateTime;

use crate::endpoint::Shared;
use crate::identify::caller::Caller;
use crate::journal::{Authorization, Outcome};
use crate::wire::headers::Headers;
use crate::wire::protocol::Ids;
use crate::wire::request::Parts;

/// One authenticated request, until it is answered.
///
/// A service names the operation with [`Call::begin`], asks with `Call::authorize`, and answers. What
/// it learns on the way goes to the journal.
pub(crate) struct Call<'a> {
    /// The endpoint as the caller's account sees it.
    pub(crate) endpoint: &'a Shared,
    pub(crate) parts: &'a Parts,
    pub(crate) headers: &'a Headers<'a>,
    /// The host that the client addressed, without its port.
    pub(crate) host: &'a str,
    /// The body with any `aws-chunked` framing taken off.
    pub(crate) body: Bytes,
    /// The trailing headers of an `aws-chunked` body.
    pub(crate) trailers: HeaderMap,
    pub(crate) caller: Caller,
    /// How the request was signed; `None` for an anonymous one.
    pub(crate) signing: Option<Signing>,
    /// The answer's ids, which S3's and IAM's bodies repeat.
    pub(crate) ids: Ids<'a>,
    pub(crate) now: OffsetDateTime,
    /// The client's address; `None` in this process, which counts as 127.0.0.1.
    pub(crate) source_ip: Option<IpAddr>,
    /// The condition keys that all its questions have, once the first is asked.
    pub(crate) global_context: OnceCell<Arc<Context>>,
    pub(crate) record: RefCell<Record>,
}

/// How a request was signed.
#[derive(Clone, Debug)]
pub(crate) struct Signing {
    pub(crate) region: String,
    pub(crate) signed_at: OffsetDateTime,
    pub(crate) means: Means,
    /// Whether it is for `s3express`, the directory buckets of S3.
    pub(crate) is_express: bool,
}

/// Where a signature stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Means {
    /// In the fields of a form that a browser sends to S3.
    Form,
    Header,
    /// As in a presigned URL.
    Query,
}

/// What the journal will tell about a call.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) operation: Cow<'static, str>,
    pub(crate) authorizations: Vec<Authorization>,
    /// Who called, where the body told it: a form's signature is among its fields.
    pub(crate) caller: Option<Caller>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) code: Option<Cow<'static, str>>,
}

impl Record {
    /// The record of a call whose operation is not known yet.
    pub(crate) fn of(service: &str) -> RefCell<Self> {
        RefCell::new(Self { operation: Cow::Owned(service.to_owned()), ..Self::default() })
    }
}

impl Call<'_> {
    /// Names the operation, as in `s3:ListObjectsV2`, before anything is authorized.
    pub(crate) fn begin(&self, operation: impl Into<Cow<'static, str>>) {
        self.record.borrow_mut().operation = operation.into();
    }

    /// Says how the call ended when it was not simply answered.
    pub(crate) fn conclude(&self, outcome: Outcome, code: impl Into<Cow<'static, str>>) {
        let mut record = self.record.borrow_mut();
        record.outcome = Some(outcome);
        record.code = Some(code.into());
    }
}
