//! Uploads that go on as they come: which those are, and what is checked on the way.
//!
//! The caller is allowed to upload before the first byte goes on. What was signed is known to be what came only at its end,
//! so the last piece is held back until then: who gets less than was declared has no upload.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};

use crate::addressee::host::Host;
use crate::addressee::{self, Signs};
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::identify::sigv4::{Failure, Opening, Presented};
use crate::s3::{self, Sum};
use crate::server::Coming;
use crate::service::{authority, signing_name};
use crate::wire::body::pipe::Sender;
use crate::wire::headers::Headers;
use crate::wire::protocol::Protocol;
use crate::wire::request::Parts;

/// What is no longer is read first: its faults are told better then.
const SHORT: u64 = 1024 * 1024;

/// The longest that S3 takes in one request.
const LONGEST: u64 = 5 * 1024 * 1024 * 1024;

/// Whether a request is an upload that somebody takes as it comes: its whole body is a blob, by which nothing is decided.
///
/// Where the head does not tell the hash of the body, who signed it is known only at its end: only S3's presigned URLs sign
/// no body.
pub(crate) fn is_upload(endpoint: &Shared, parts: &http::request::Parts) -> bool {
    let number = |name: &str| parts.headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    let length = number("x-amz-decoded-content-length").or_else(|| number(CONTENT_LENGTH.as_str()));
    if !length.is_some_and(|length| (SHORT..=LONGEST).contains(&length)) {
        return false;
    }
    let headers = Headers::of(&parts.headers);
    let line = Parts::of(parts);
    let authority = authority(&line, &headers);
    let host = Host::parse(&authority);
    let presented = Presented::read(&line, &headers);
    let signing_name = signing_name(&presented, &host);
    let signs = Signs { signing_name, host: &host, parts: &line, headers: &headers, body: &[] };
    let addressee = signs.read();
    let Some(service) = addressee.service else { return false };
    let operation = match addressee.protocol {
        Protocol::RestJson | Protocol::RestXml if parts.headers.contains_key("x-amz-content-sha256") => {
            addressee::route(service, &line, &headers).map(|route| route.operation)
        }
        Protocol::S3 => s3::operation_of(host.name, &line, &headers).and_then(|name| service.operation(name)),
        _ => None,
    };
    operation.is_some_and(|operation| {
        operation.has_blob_body() && endpoint.performers.stream(service.id(), operation.name())
    }) && sums(&parts.headers).iter().all(|(_, sum)| sum.is_some())
}

/// The checksums that are announced to follow the body; `None` for one that is not known.
pub(crate) fn sums(headers: &HeaderMap) -> Vec<(String, Option<Sum>)> {
    let announced = headers.get("x-amz-trailer").and_then(|names| names.to_str().ok()).unwrap_or_default();
    let names = announced.split(',').map(|name| name.trim().to_ascii_lowercase());
    names
        .filter(|name| !name.is_empty())
        .map(|name| (Sum::of_header(&name), name))
        .map(|(sum, name)| (name, sum))
        .collect()
}

/// How far an upload went on.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Passed {
    All,
    /// Who took it wanted no more.
    NotAll,
}

/// Why an upload came to no end.
#[derive(Debug)]
pub(crate) enum Broken {
    Body(Fault),
    Signature(Failure),
}

/// Passes an upload on until its end, or until it is found not to be what was signed.
pub(crate) async fn pass_on<B>(
    mut coming: Coming<B>,
    opening: Opening,
    sums: Vec<(String, Option<Sum>)>,
    to: Sender,
) -> Result<Passed, Broken>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let passed = check(&mut coming, opening, sums, to).await;
    // Many clients do not read before they have sent all.
    coming.drain().await;
    passed
}

async fn check<B>(
    coming: &mut Coming<B>,
    mut opening: Opening,
    mut sums: Vec<(String, Option<Sum>)>,
    to: Sender,
) -> Result<Passed, Broken>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let mut last = None;
    while let Some(piece) = coming.next().await {
        let data = opening.feed(piece.map_err(Broken::Body)?).map_err(Broken::Signature)?;
        for data in data.into_iter().filter(|data| !data.is_empty()) {
            for sum in sums.iter_mut().filter_map(|(_, sum)| sum.as_mut()) {
                sum.update(&data);
            }
            if let Some(data) = last.replace(data)
                && to.send(data).await.is_err()
            {
                return Ok(Passed::NotAll);
            }
        }
    }
    let trailers = opening.finish().map_err(Broken::Signature)?;
    compare(sums, &trailers).map_err(Broken::Body)?;
    if let Some(data) = last
        && to.send(data).await.is_err()
    {
        return Ok(Passed::NotAll);
    }
    to.end().await;
    Ok(Passed::All)
}

/// Whether the trailers are the checksums that were announced, and right.
fn compare(sums: Vec<(String, Option<Sum>)>, trailers: &HeaderMap) -> Result<(), Fault> {
    if trailers.keys().any(|name| sums.iter().all(|(announced, _)| announced != name.as_str())) {
        return Err(malformed_trailer());
    }
    for (name, sum) in sums {
        let told = trailers.get(&name).ok_or_else(malformed_trailer)?;
        if sum.is_none_or(|sum| sum.finish().as_bytes() != told.as_bytes()) {
            let algorithm = name.trim_start_matches("x-amz-checksum-").to_ascii_uppercase();
            return Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "BadDigest",
                format!("The {algorithm} you specified did not match the calculated checksum."),
            ));
        }
    }
    Ok(())
}

fn malformed_trailer() -> Fault {
    Fault::new(
        StatusCode::BAD_REQUEST,
        "MalformedTrailerError",
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    )
}
