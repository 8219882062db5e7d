//! From a call to its answer: where, which operation, may they, do it.

use bytes::Bytes;
use http::Response;

use super::address::{self, Address};
use super::fault::{self, Fault};
use super::operation::{self, Level, Route};
use super::query::Query;
use super::task::Task;
use crate::call::Call;
#[cfg(feature = "server")]
use crate::wire::headers::Headers;
#[cfg(feature = "server")]
use crate::wire::request::Parts;

/// S3's limit for a key, in bytes of UTF-8.
const LONGEST_KEY: usize = 1024;

/// What became of an S3 request.
pub(crate) enum Handled {
    Answered(Response<Bytes>),
    /// It is an operation that the endpoint does not perform, of a bucket and perhaps a key.
    NotPerformed {
        operation: &'static str,
        labels: Vec<(&'static str, String)>,
    },
}

/// Answers one S3 request.
pub(crate) fn handle(call: &Call<'_>) -> Handled {
    answer(call).unwrap_or_else(|fault| Handled::Answered(fault.answer(call)))
}

/// The operation that a request asks for, as far as its first line and its headers tell.
#[cfg(feature = "server")]
pub(crate) fn operation_of(host: &str, parts: &Parts, headers: &Headers<'_>) -> Option<&'static str> {
    let address = Address::parse(host, parts.uri.path())?;
    let query = Query::parse(parts.uri.query())?;
    match operation::route(&parts.method, address.level(), &query, headers) {
        Route::Operation(operation) => Some(operation.name),
        Route::UnknownSubresource(_) | Route::MethodNotAllowed => None,
    }
}

fn answer(call: &Call<'_>) -> Result<Handled, Fault> {
    if let Some(api) = address::other_api(call.host) {
        return Err(crate::fault::Fault::not_mapped(api, None).into());
    }
    let not_text = || fault::INVALID_URI.fault();
    let address = Address::parse(call.host, call.parts.uri.path()).ok_or_else(not_text)?;
    let query = Query::parse(call.parts.uri.query()).ok_or_else(not_text)?;
    let operation = match operation::route(&call.parts.method, address.level(), &query, call.headers) {
        Route::Operation(operation) => operation,
        Route::UnknownSubresource(key) => {
            return Err(crate::fault::Fault::not_mapped(
                "s3",
                Some(&format!("{} ?{key}", call.parts.method)),
            )
            .into());
        }
        Route::MethodNotAllowed => {
            return Err(fault::METHOD_NOT_ALLOWED.fault().with("Method", call.parts.method.as_str()));
        }
    };
    // Both are a GET of `/`; only the signature tells.
    if operation.name == "ListBuckets" && call.signing.as_ref().is_some_and(|signing| signing.is_express) {
        return Ok(Handled::NotPerformed { operation: "ListDirectoryBuckets", labels: Vec::new() });
    }
    call.begin(["s3:", operation.name].concat());
    let replaced = call.endpoint.performers.replace("s3");
    let Some(performed) = operation.performed.as_ref().filter(|_| !replaced) else {
        let mut labels = Vec::new();
        for (name, value) in [("Bucket", &address.bucket), ("Key", &address.key)] {
            labels.extend(value.as_deref().map(|value| (name, value.to_owned())));
        }
        return Ok(Handled::NotPerformed { operation: operation.name, labels });
    };
    let (bucket, key) =
        (address.bucket.as_deref().unwrap_or_default(), address.key.as_deref().unwrap_or_default());
    check_key(key)?;
    let task = Task::new(call, operation, (bucket, key), &query)?;
    task.authorize(performed.needs)?;
    (performed.handler)(&task).map(Handled::Answered)
}

/// Refuses a key that is longer than S3 takes.
///
/// # Errors
///
/// `KeyTooLongError`
pub(super) fn check_key(key: &str) -> Result<(), Fault> {
    if key.len() <= LONGEST_KEY {
        return Ok(());
    }
    Err(fault::KEY_TOO_LONG
        .fault()
        .with("Size", key.len().to_string())
        .with("MaxSizeAllowed", LONGEST_KEY.to_string()))
}

impl Address<'_> {
    fn level(&self) -> Level {
        match (&self.bucket, &self.key) {
            (None, None) => Level::Service,
            (Some(_), None) => Level::Bucket,
            // A key without a bucket is one in a bucket that cannot be there.
            (_, Some(_)) => Level::Object,
        }
    }
}
