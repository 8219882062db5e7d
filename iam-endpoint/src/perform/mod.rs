//! Who performs what the endpoint authorizes and does not keep itself.

pub(crate) mod delivery;
pub(crate) mod forward;
#[cfg(feature = "upstream")]
pub(crate) mod upstream;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};

use crate::fault::Fault;
use crate::perform::delivery::Delivery;
use crate::perform::forward::OnBehalf;
use crate::wire::body::Body;
use crate::wire::headers::Headers;
use crate::wire::request::Parts;

/// Performs operations that the endpoint authorized: a service kept in memory, an emulator that requests are sent on to.
///
/// # Examples
///
/// ```
/// use std::pin::Pin;
///
/// use iam_endpoint::{Allowed, Body, Endpoint, Perform};
///
/// struct Clock;
///
/// impl Perform for Clock {
///     fn perform<'a>(
///         &'a self,
///         allowed: &'a Allowed,
///     ) -> Pin<Box<dyn Future<Output = Option<http::Response<Body>>> + Send + 'a>> {
///         Box::pin(async move {
///             let is_mine = (allowed.service, &*allowed.operation) == ("timestream-query", "DescribeEndpoints");
///             is_mine.then(|| http::Response::new(Body::from("{\"Endpoints\":[]}")))
///         })
///     }
/// }
///
/// let endpoint = Endpoint::builder().perform(Clock).build();
/// ```
pub trait Perform: Send + Sync {
    /// The answer; `None` for what this one does not perform, and then the next is asked.
    ///
    /// The endpoint adds the date and its own request id.
    fn perform<'a>(
        &'a self,
        allowed: &'a Allowed,
    ) -> Pin<Box<dyn Future<Output = Option<Response<Body>>> + Send + 'a>>;

    /// Whether this one takes the body of an operation as it comes, with [`Allowed::take_upload`]. Those that do not are not
    /// asked to perform it then.
    ///
    /// It is asked of what a server gets of more than a mebibyte and whose whole body is a blob: `PutObject` and `UploadPart`
    /// of S3, and of other services where the header `x-amz-content-sha256` tells the body's hash.
    fn streams(&self, _service: &str, _operation: &str) -> bool {
        false
    }

    /// The tags of a resource that this one keeps, for `aws:ResourceTag/…`; `None` for any other resource.
    fn tags(&self, _arn: &str) -> Option<Vec<(String, String)>> {
        None
    }

    /// Whether this one performs a service in place of the endpoint, which keeps S3 itself otherwise. Then the endpoint knows
    /// nothing of bucket policies, tags and absent objects.
    fn replaces(&self, _service: &str) -> bool {
        false
    }
}

/// An authenticated request whose caller may do all that it asks for.
#[derive(Debug)]
#[non_exhaustive]
pub struct Allowed {
    /// As the client sent it, but for the framing of an `aws-chunked` body, which is taken off. Its body is empty where
    /// there is an [upload](Self::take_upload).
    pub request: Request<Bytes>,
    /// The service as botocore's data names it: `dynamodb`, `stepfunctions`.
    pub service: &'static str,
    /// What the service is signed for: `dynamodb`, `states`.
    pub signing_name: &'static str,
    /// The API's operation: `GetItem`.
    pub operation: String,
    /// The caller's ARN.
    pub principal: String,
    /// The caller's account.
    pub account: String,
    /// The partition: `aws`, `aws-cn`, …
    pub partition: &'static str,
    /// The region that the request is for.
    pub region: String,
    /// When it came, by the endpoint's clock.
    pub time: SystemTime,
    /// The body that comes as a stream, until it is taken.
    pub(crate) upload: Mutex<Option<Body>>,
    /// What is to be done in the service's own name.
    pub(crate) deliveries: Mutex<Vec<Delivery>>,
    /// Who has keys used.
    pub(crate) on_behalf: Option<Box<OnBehalf>>,
}

impl Allowed {
    /// The body of an upload that comes while it is performed; only the first who asks gets it.
    ///
    /// It has the length that the request's `Content-Length` says, and it ends with an error where the client breaks off or
    /// the body is not the one that was signed. Its last piece comes once all of it was checked: who has got less than its
    /// length has to forget it.
    pub fn take_upload(&self) -> Option<Body> {
        self.upload.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Says what the service does in its own name once this call is answered with a success.
    pub fn deliver(&self, delivery: Delivery) {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner).push(delivery);
    }

    pub(crate) fn take_deliveries(&self) -> Vec<Delivery> {
        std::mem::take(&mut *self.deliveries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn has_upload(&self) -> bool {
        self.upload.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// All who perform, in the order in which they are asked.
#[derive(Clone, Default)]
pub(crate) struct Performers {
    all: Vec<Arc<dyn Perform>>,
    advice: Option<Arc<Advise>>,
}

type Advise = dyn Fn(&str) -> String + Send + Sync;

impl Performers {
    pub(crate) fn push(&mut self, performer: impl Perform + 'static) {
        self.all.push(Arc::new(performer));
    }

    pub(crate) fn set_advice(&mut self, advise: impl Fn(&str) -> String + Send + Sync + 'static) {
        self.advice = Some(Arc::new(advise));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The answer where none of them performs an operation, with what it takes for its service to be performed.
    pub(crate) fn none(&self, service: &str, operation: &str) -> Fault {
        let advice = self.advice.as_ref().map_or_else(String::new, |advise| advise(service));
        Fault::not_performed(service, operation, &advice)
    }

    /// The tags of a resource, where one of them keeps it.
    pub(crate) fn tags(&self, arn: &str) -> Option<Vec<(String, String)>> {
        self.all.iter().find_map(|performer| performer.tags(arn))
    }

    /// Whether one of them performs a service that the endpoint would keep itself.
    pub(crate) fn replace(&self, service: &str) -> bool {
        self.all.iter().any(|performer| performer.replaces(service))
    }

    /// Whether one of them takes the body of an operation as it comes.
    #[cfg(feature = "server")]
    pub(crate) fn stream(&self, service: &str, operation: &str) -> bool {
        self.all.iter().any(|performer| performer.streams(service, operation))
    }

    /// The first one's answer.
    pub(crate) async fn perform(&self, allowed: &Allowed) -> Option<Response<Body>> {
        let is_upload = allowed.has_upload();
        for performer in &self.all {
            if is_upload && !performer.streams(allowed.service, &allowed.operation) {
                continue;
            }
            if let Some(response) = performer.perform(allowed).await {
                return Some(response);
            }
        }
        None
    }
}

impl fmt::Debug for Performers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Performers").field("all", &self.all.len()).finish_non_exhaustive()
    }
}

/// The request as it would have been without the framing of `aws-chunked`. `length` is that of a body that is still to come.
pub(crate) fn unframed(
    parts: &Parts,
    headers: &Headers<'_>,
    body: Bytes,
    length: Option<u64>,
    trailers: HeaderMap,
) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    let length = length.unwrap_or(request.body().len() as u64);
    let all = request.headers_mut();
    all.reserve(headers.iter().len());
    for (name, value) in headers.iter() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::from_bytes(value)) {
            all.append(name, value);
        }
    }
    let headers = all;
    if headers.remove("x-amz-decoded-content-length").is_some() {
        headers.remove("x-amz-trailer");
        headers.remove(TRANSFER_ENCODING);
        headers.insert(CONTENT_LENGTH, length.into());
        headers.insert("x-amz-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"));
        let codings = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kept: Vec<&str> = codings
            .split(',')
            .map(str::trim)
            .filter(|coding| !coding.eq_ignore_ascii_case("aws-chunked"))
            .collect();
        match HeaderValue::from_str(&kept.join(",")) {
            Ok(value) if !value.is_empty() => headers.insert(CONTENT_ENCODING, value),
            _ => headers.remove(CONTENT_ENCODING),
        };
        headers.extend(trailers);
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_its_framing_tells_the_length_and_the_trailers_of_its_body() {
        let (parts, ()) = Request::put("https://b.s3.amazonaws.com/k")
            .header("content-encoding", "aws-chunked,gzip")
            .header("x-amz-decoded-content-length", "3")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .header("content-length", "99")
            .body(())
            .unwrap()
            .into_parts();
        let mut trailers = HeaderMap::new();
        trailers.insert("x-amz-checksum-crc32", HeaderValue::from_static("AAAAAA=="));
        let body = Bytes::from_static(b"abc");
        let request = unframed(&Parts::of(&parts), &Headers::of(&parts.headers), body, None, trailers);
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("content-length"), Some("3"));
        assert_eq!(header("content-encoding"), Some("gzip"));
        assert_eq!(header("x-amz-checksum-crc32"), Some("AAAAAA=="));
        assert_eq!(header("x-amz-trailer"), None);
    }
}
