//! How was the body signed, and is that the one?

use bytes::Bytes;
use http::HeaderMap;

use super::failure::{Failure, Kind};
use super::hash::sha256;
use super::key::SigningKeys;
use super::open::Opening;
use super::presented::Presented;
use crate::wire::headers::Headers;

pub(super) const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// How the body was signed, by `x-amz-content-sha256`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Payload {
    /// As `aws-chunked`, each chunk with its signature.
    Chunked { trailer: bool },
    /// As `aws-chunked`, without signatures, with trailing headers.
    ChunkedUnsigned,
    /// By its hash.
    Hashed(String),
    /// Not at all.
    Unsigned,
}

impl Payload {
    /// Reads `x-amz-content-sha256`, or hashes the body where the header is not needed. Where there is no body yet, it is
    /// [`Opening`] that compares the hash.
    pub(crate) fn read(
        header: Option<&str>,
        in_query: bool,
        is_s3: bool,
        body: Option<&[u8]>,
    ) -> Result<Self, Failure> {
        let value = match header {
            Some(value) => value,
            None if is_s3 && in_query => return Ok(Self::Unsigned),
            None if is_s3 => {
                return Err(Failure::new(
                    Kind::PayloadHeader,
                    "Missing required header for this request: x-amz-content-sha256",
                ));
            }
            None => return Ok(Self::Hashed(hash(body.unwrap_or_default()))),
        };
        match value {
            "UNSIGNED-PAYLOAD" => Ok(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(Self::Chunked { trailer: false }),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Ok(Self::Chunked { trailer: true }),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Self::ChunkedUnsigned),
            _ if value.starts_with("STREAMING-") => {
                Err(Failure::new(Kind::Unsupported, format!("This endpoint does not check {value}.")))
            }
            // What SDKs send; looking at each letter comes after, for it takes long in a debug build.
            _ if body.is_some_and(|body| hash(body) == value) => Ok(Self::Hashed(value.to_owned())),
            _ if value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()) => match body {
                // Compared in lower case, but signed as sent.
                Some(body) if !value.eq_ignore_ascii_case(&hash(body)) => Err(hash_mismatch()),
                _ => Ok(Self::Hashed(value.to_owned())),
            },
            _ => Err(Failure::new(
                Kind::PayloadHeader,
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                 STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
            )),
        }
    }

    pub(crate) fn is_chunked(&self) -> bool {
        matches!(self, Self::Chunked { .. } | Self::ChunkedUnsigned)
    }

    /// The last line of the canonical request.
    pub(crate) fn in_canonical_request(&self) -> &str {
        match self {
            Self::Chunked { trailer: false } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::Chunked { trailer: true } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::ChunkedUnsigned => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            Self::Hashed(hash) => hash,
            Self::Unsigned => "UNSIGNED-PAYLOAD",
        }
    }
}

/// Takes the framing off, checking each chunk's signature where it has one; other bodies come back as they are.
pub(crate) fn open(
    payload: Payload,
    body: Bytes,
    headers: &Headers<'_>,
    signed: Option<(&Presented<'_>, &SigningKeys)>,
) -> Result<(Bytes, HeaderMap), Failure> {
    if !payload.is_chunked() {
        return Ok((body, HeaderMap::new()));
    }
    let mut opening = Opening::of(payload, headers, signed)?;
    let data = opening.feed(body)?.concat();
    Ok((data.into(), opening.finish()?))
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    if bytes.is_empty() { EMPTY_HASH.to_owned() } else { sha256(bytes).hex() }
}

pub(super) fn hash_mismatch() -> Failure {
    Failure::new(
        Kind::HashMismatch,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_to_be_the_one_of_the_body() {
        let read = |value: &str| Payload::read(Some(value), false, true, Some(b"abc"));
        let right = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(read(right).is_ok());
        assert_eq!(read(EMPTY_HASH).unwrap_err().kind, Kind::HashMismatch);
        assert_eq!(read("abc").unwrap_err().kind, Kind::PayloadHeader);
        assert_eq!(read("STREAMING-AWS4-HMAC-SHA256-EVENTS").unwrap_err().kind, Kind::Unsupported);
    }
}
