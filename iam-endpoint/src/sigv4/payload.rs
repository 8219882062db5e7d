//! Is that the body that was signed? The framing of `aws-chunked` comes off here.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html> and
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::failure::{Failure, Kind};
use super::hash::sha256;
use super::key::SigningKeys;
use super::presented::Presented;
use crate::headers::Headers;

const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

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
    /// Reads `x-amz-content-sha256`, or hashes the body where the header is not needed.
    pub(crate) fn read(
        header: Option<&str>,
        in_query: bool,
        is_s3: bool,
        body: &[u8],
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
            None => return Ok(Self::Hashed(hash(body))),
        };
        match value {
            "UNSIGNED-PAYLOAD" => Ok(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(Self::Chunked { trailer: false }),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Ok(Self::Chunked { trailer: true }),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Self::ChunkedUnsigned),
            _ if value.starts_with("STREAMING-") => {
                Err(Failure::new(Kind::Unsupported, format!("This endpoint does not check {value}.")))
            }
            // Compared in lower case, but signed as sent.
            _ if value.eq_ignore_ascii_case(&hash(body)) => Ok(Self::Hashed(value.to_owned())),
            _ if value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()) => Err(Failure::new(
                Kind::HashMismatch,
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )),
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
    payload: &Payload,
    body: Bytes,
    headers: &Headers<'_>,
    signed: Option<(&Presented<'_>, &SigningKeys)>,
) -> Result<(Bytes, HeaderMap), Failure> {
    let chain = match payload {
        Payload::Hashed(_) | Payload::Unsigned => return Ok((body, HeaderMap::new())),
        Payload::ChunkedUnsigned => None,
        Payload::Chunked { .. } => {
            let (presented, keys) = signed.ok_or_else(|| {
                Failure::new(Kind::Malformed, "An unsigned request cannot have signed chunks.")
            })?;
            Some(Chain { presented, keys, previous: presented.signature.to_string() })
        }
    };
    let has_trailer = *payload != Payload::Chunked { trailer: false };
    let (data, trailers) = unframe(body, chain, has_trailer)?;
    let declared = headers.text("x-amz-decoded-content-length").and_then(|text| text.parse::<usize>().ok());
    match declared {
        Some(length) if length == data.len() => Ok((data, trailers)),
        Some(_) => {
            Err(broken("The request body does not have the x-amz-decoded-content-length that it names"))
        }
        None => Err(broken("An aws-chunked body needs the header x-amz-decoded-content-length")),
    }
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    if bytes.is_empty() { EMPTY_HASH.to_owned() } else { sha256(bytes).hex() }
}

fn broken(message: &str) -> Failure {
    Failure::new(Kind::BrokenBody, message)
}

/// Each signature covers the one before.
struct Chain<'a> {
    presented: &'a Presented<'a>,
    keys: &'a SigningKeys,
    previous: String,
}

impl Chain<'_> {
    fn check_chunk(&mut self, data: &[u8], signature: Option<&str>) -> Result<(), Failure> {
        self.check("AWS4-HMAC-SHA256-PAYLOAD", &format!("{EMPTY_HASH}\n{}", hash(data)), signature)
    }

    fn check_trailer(&mut self, trailer: &[u8], signature: Option<&str>) -> Result<(), Failure> {
        self.check("AWS4-HMAC-SHA256-TRAILER", &hash(trailer), signature)
    }

    fn check(&mut self, what: &str, hashes: &str, signature: Option<&str>) -> Result<(), Failure> {
        let signature = signature.ok_or_else(|| broken("A chunk of the body has no signature"))?;
        let Presented { timestamp, scope, .. } = self.presented;
        let text = format!("{what}\n{timestamp}\n{scope}\n{}\n{hashes}", self.previous);
        if !self.keys.verifies(scope, &text, signature) {
            return Err(Failure::new(
                Kind::Mismatch,
                "The chunk signature we calculated does not match the signature you provided.",
            ));
        }
        signature.clone_into(&mut self.previous);
        Ok(())
    }
}

fn unframe(
    mut body: Bytes,
    mut chain: Option<Chain<'_>>,
    has_trailer: bool,
) -> Result<(Bytes, HeaderMap), Failure> {
    let mut data = BytesMut::with_capacity(body.len());
    loop {
        let line = take_line(&mut body)?;
        let (size, extension) = line.split_once(';').unwrap_or((&line, ""));
        let size =
            usize::from_str_radix(size.trim(), 16).map_err(|_| broken("A chunk of the body has no size"))?;
        if size > body.len() {
            return Err(broken("The request body terminated unexpectedly"));
        }
        let chunk = body.split_to(size);
        if let Some(chain) = &mut chain {
            chain.check_chunk(&chunk, extension.trim().strip_prefix("chunk-signature="))?;
        }
        if size == 0 {
            break;
        }
        data.extend_from_slice(&chunk);
        if !take_line(&mut body)?.is_empty() {
            return Err(broken("A chunk of the body is longer than its size"));
        }
    }
    let trailers = if has_trailer { read_trailers(&mut body, chain)? } else { HeaderMap::new() };
    Ok((data.freeze(), trailers))
}

fn read_trailers(body: &mut Bytes, chain: Option<Chain<'_>>) -> Result<HeaderMap, Failure> {
    let mut trailers = HeaderMap::new();
    let mut canonical = String::new();
    let mut signature = None;
    while body.has_remaining() {
        let line = take_line(body)?;
        let Some((name, value)) = line.split_once(':') else {
            if line.is_empty() {
                continue;
            }
            return Err(broken("A trailer of the body is not a header"));
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if name == "x-amz-trailer-signature" {
            signature = Some(value.to_owned());
            continue;
        }
        canonical.push_str(&name);
        canonical.push(':');
        canonical.push_str(value);
        canonical.push('\n');
        let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        let (name, value) = header.ok_or_else(|| broken("A trailer of the body is not a header"))?;
        trailers.insert(name, value);
    }
    if let Some(mut chain) = chain {
        chain.check_trailer(canonical.as_bytes(), signature.as_deref())?;
    }
    Ok(trailers)
}

/// The text up to the next line end, which is taken off too.
fn take_line(body: &mut Bytes) -> Result<String, Failure> {
    /// No size line or checksum is longer.
    const LONGEST: usize = 8 * 1024;
    let end = body
        .iter()
        .take(LONGEST)
        .position(|b| *b == b'\n')
        .ok_or_else(|| broken("The request body terminated unexpectedly"))?;
    let line = body.split_to(end);
    body.advance(1);
    let line = line.strip_suffix(b"\r").unwrap_or(&line);
    String::from_utf8(line.to_vec()).map_err(|_| broken("The framing of the request body is not text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unframed(body: &'static str) -> Result<(Bytes, HeaderMap), Failure> {
        unframe(Bytes::from_static(body.as_bytes()), None, true)
    }

    #[test]
    fn chunks_are_joined_and_trailers_read() {
        let (data, trailers) =
            unframed("3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n").unwrap();
        assert_eq!(data, "abcde");
        assert_eq!(trailers.get("x-amz-checksum-crc32").unwrap(), "AAAA");
    }

    #[test]
    fn broken_framing_is_an_error() {
        for body in [
            "",
            "3\r\nab",
            "zz\r\n",
            "3\r\nabcd\r\n0\r\n\r\n",
            "ffffffffffffffffff\r\n",
            "3\r\nabc\r\n",
            "0\r\nnonsense\r\n",
        ] {
            assert_eq!(unframed(body).map(|_| ()).unwrap_err().kind, Kind::BrokenBody, "{body:?}");
        }
    }

    #[test]
    fn a_hash_has_to_be_the_one_of_the_body() {
        let read = |value: &str| Payload::read(Some(value), false, true, b"abc");
        let right = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(read(right).is_ok());
        assert_eq!(read(EMPTY_HASH).unwrap_err().kind, Kind::HashMismatch);
        assert_eq!(read("abc").unwrap_err().kind, Kind::PayloadHeader);
        assert_eq!(read("STREAMING-AWS4-HMAC-SHA256-EVENTS").unwrap_err().kind, Kind::Unsupported);
    }
}
