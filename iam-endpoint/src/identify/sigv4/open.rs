//! Opens a body piece by piece: is it the one that was signed? The framing of `aws-chunked` comes off.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html> and
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::failure::{Failure, Kind};
use super::hash::{Hasher, Key, same_in_constant_time};
use super::key::SigningKeys;
use super::payload::{EMPTY_HASH, Payload, hash, hash_mismatch};
use super::presented::Presented;
use crate::wire::headers::Headers;

/// What a body is checked with while it comes.
pub(crate) struct Opening {
    how: How,
    /// How long it is to be, without its framing.
    declared: Option<u64>,
    seen: u64,
}

enum How {
    Framed(Box<Frames>),
    Hashed { hasher: Hasher, expected: String },
    Unchecked,
}

impl Opening {
    /// How to open a body that was signed so.
    pub(crate) fn of(
        payload: Payload,
        headers: &Headers<'_>,
        signed: Option<(&Presented<'_>, &SigningKeys)>,
    ) -> Result<Self, Failure> {
        let number = |name: &str| headers.text(name).and_then(|text| text.parse::<u64>().ok());
        let is_framed = payload.is_chunked();
        let how = match payload {
            Payload::Chunked { trailer } => {
                let (presented, keys) = signed.ok_or_else(|| {
                    Failure::new(Kind::Malformed, "An unsigned request cannot have signed chunks.")
                })?;
                How::Framed(Box::new(Frames::new(Some(Chain::of(presented, keys)), trailer)))
            }
            Payload::ChunkedUnsigned => How::Framed(Box::new(Frames::new(None, true))),
            Payload::Hashed(expected) => How::Hashed { hasher: Hasher::new(), expected },
            Payload::Unsigned => How::Unchecked,
        };
        let declared = number(if is_framed { "x-amz-decoded-content-length" } else { "content-length" });
        if is_framed && declared.is_none() {
            return Err(broken("An aws-chunked body needs the header x-amz-decoded-content-length"));
        }
        Ok(Self { how, declared, seen: 0 })
    }

    /// How long the body is to be, without its framing.
    pub(crate) fn length(&self) -> Option<u64> {
        self.declared
    }

    /// Takes the next piece, and gives what of it is data, which may be used only once [`finish`](Self::finish) is content.
    pub(crate) fn feed(&mut self, piece: Bytes) -> Result<Vec<Bytes>, Failure> {
        let data = match &mut self.how {
            How::Framed(frames) => frames.feed(piece)?,
            How::Hashed { hasher, .. } => {
                hasher.update(&piece);
                vec![piece]
            }
            How::Unchecked => vec![piece],
        };
        self.seen += data.iter().map(|data| data.len() as u64).sum::<u64>();
        if self.declared.is_some_and(|declared| self.seen > declared) {
            return Err(self.not_as_long());
        }
        Ok(data)
    }

    /// Whether the body was all that, and the one that was signed; gives the trailing headers of its framing.
    pub(crate) fn finish(self) -> Result<HeaderMap, Failure> {
        if self.declared.is_some_and(|declared| self.seen != declared) {
            return Err(self.not_as_long());
        }
        match self.how {
            How::Framed(frames) => frames.finish(),
            How::Hashed { hasher, expected } => {
                let is_right = hasher.finish().hex().eq_ignore_ascii_case(&expected);
                is_right.then(HeaderMap::new).ok_or_else(hash_mismatch)
            }
            How::Unchecked => Ok(HeaderMap::new()),
        }
    }

    fn not_as_long(&self) -> Failure {
        broken(match self.how {
            How::Framed(_) => "The request body does not have the x-amz-decoded-content-length that it names",
            How::Hashed { .. } | How::Unchecked => "The request body terminated unexpectedly",
        })
    }
}

fn broken(message: &str) -> Failure {
    Failure::new(Kind::BrokenBody, message)
}

/// Each signature covers the one before.
struct Chain {
    key: Key,
    timestamp: String,
    scope: String,
    previous: String,
    /// Of the chunk that is read.
    hasher: Hasher,
}

impl Chain {
    fn of(presented: &Presented<'_>, keys: &SigningKeys) -> Self {
        Self {
            key: keys.derived(&presented.scope),
            timestamp: presented.timestamp.to_string(),
            scope: presented.scope.to_string(),
            previous: presented.signature.to_string(),
            hasher: Hasher::new(),
        }
    }

    fn check_chunk(&mut self, signature: Option<&str>) -> Result<(), Failure> {
        let hash = std::mem::replace(&mut self.hasher, Hasher::new()).finish().hex();
        self.check("AWS4-HMAC-SHA256-PAYLOAD", &format!("{EMPTY_HASH}\n{hash}"), signature)
    }

    fn check_trailer(&mut self, trailer: &[u8], signature: Option<&str>) -> Result<(), Failure> {
        self.check("AWS4-HMAC-SHA256-TRAILER", &hash(trailer), signature)
    }

    fn check(&mut self, what: &str, hashes: &str, signature: Option<&str>) -> Result<(), Failure> {
        let signature = signature.ok_or_else(|| broken("A chunk of the body has no signature"))?;
        let Self { timestamp, scope, previous, .. } = self;
        let text = format!("{what}\n{timestamp}\n{scope}\n{previous}\n{hashes}");
        if !same_in_constant_time(&self.key.sign(text.as_bytes()).hex(), signature) {
            return Err(Failure::new(
                Kind::Mismatch,
                "The chunk signature we calculated does not match the signature you provided.",
            ));
        }
        signature.clone_into(&mut self.previous);
        Ok(())
    }
}

/// The framing of `aws-chunked`.
struct Frames {
    at: At,
    /// The begin of a line whose end has not come yet.
    line: Vec<u8>,
    chain: Option<Chain>,
    /// The signature of the chunk that is read.
    signature: Option<String>,
    trailers: Option<Trailers>,
}

/// What comes next.
enum At {
    Size,
    Data(u64),
    EndOfData,
    Trailers,
}

#[derive(Default)]
struct Trailers {
    headers: HeaderMap,
    /// As they are signed.
    canonical: String,
    signature: Option<String>,
}

impl Frames {
    fn new(chain: Option<Chain>, has_trailer: bool) -> Self {
        let trailers = has_trailer.then(Trailers::default);
        Self { at: At::Size, line: Vec::new(), chain, signature: None, trailers }
    }

    fn feed(&mut self, mut piece: Bytes) -> Result<Vec<Bytes>, Failure> {
        let mut data = Vec::new();
        while !piece.is_empty() {
            match self.at {
                At::Data(left) => {
                    let size = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
                    let part = piece.split_to(size);
                    if let Some(chain) = &mut self.chain {
                        chain.hasher.update(&part);
                    }
                    data.push(part);
                    let left = left - size as u64;
                    self.at = At::Data(left);
                    if left == 0 {
                        self.end_chunk()?;
                        self.at = At::EndOfData;
                    }
                }
                At::Trailers if self.trailers.is_none() => break,
                _ => {
                    if let Some(line) = self.take_line(&mut piece)? {
                        self.read(&line)?;
                    }
                }
            }
        }
        Ok(data)
    }

    /// Reads a line that is none of data.
    fn read(&mut self, line: &str) -> Result<(), Failure> {
        match (&self.at, &mut self.trailers) {
            (At::Size, _) => {
                let (size, extension) = line.split_once(';').unwrap_or((line, ""));
                let size = u64::from_str_radix(size.trim(), 16)
                    .map_err(|_| broken("A chunk of the body has no size"))?;
                self.signature = extension.trim().strip_prefix("chunk-signature=").map(str::to_owned);
                if size == 0 {
                    self.end_chunk()?;
                    self.at = At::Trailers;
                } else {
                    self.at = At::Data(size);
                }
            }
            (At::EndOfData, _) if line.is_empty() => self.at = At::Size,
            (At::EndOfData, _) => return Err(broken("A chunk of the body is longer than its size")),
            (At::Trailers, Some(trailers)) => trailers.read(line)?,
            (At::Data(_) | At::Trailers, _) => {}
        }
        Ok(())
    }

    fn end_chunk(&mut self) -> Result<(), Failure> {
        let signature = self.signature.take();
        self.chain.as_mut().map_or(Ok(()), |chain| chain.check_chunk(signature.as_deref()))
    }

    fn finish(self) -> Result<HeaderMap, Failure> {
        if !matches!(self.at, At::Trailers) || !self.line.is_empty() {
            return Err(broken("The request body terminated unexpectedly"));
        }
        let Some(trailers) = self.trailers else { return Ok(HeaderMap::new()) };
        if let Some(mut chain) = self.chain {
            chain.check_trailer(trailers.canonical.as_bytes(), trailers.signature.as_deref())?;
        }
        Ok(trailers.headers)
    }

    /// The text up to the next line end, which is taken off too; `None` while that is to come.
    fn take_line(&mut self, piece: &mut Bytes) -> Result<Option<String>, Failure> {
        /// No size line or checksum is longer.
        const LONGEST: usize = 8 * 1024;
        let end = piece.iter().take(LONGEST).position(|b| *b == b'\n');
        let part = piece.split_to(end.unwrap_or(piece.len().min(LONGEST)));
        self.line.extend_from_slice(&part);
        if self.line.len() > LONGEST || end.is_none() && !piece.is_empty() {
            return Err(broken("A line of the body's framing has no end"));
        }
        if end.is_none() {
            return Ok(None);
        }
        piece.advance(1);
        let mut line = std::mem::take(&mut self.line);
        line.pop_if(|last| *last == b'\r');
        String::from_utf8(line).map(Some).map_err(|_| broken("The framing of the request body is not text"))
    }
}

impl Trailers {
    fn read(&mut self, line: &str) -> Result<(), Failure> {
        if line.is_empty() {
            return Ok(());
        }
        let not_header = || broken("A trailer of the body is not a header");
        let (name, value) = line.split_once(':').ok_or_else(not_header)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if name == "x-amz-trailer-signature" {
            self.signature = Some(value.to_owned());
            return Ok(());
        }
        self.canonical.extend([&*name, ":", value, "\n"]);
        let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        let (name, value) = header.ok_or_else(not_header)?;
        self.headers.insert(name, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens a body that comes in pieces of this size.
    fn unframed(body: &'static str, size: usize) -> Result<(Vec<u8>, HeaderMap), Failure> {
        let mut frames = Frames::new(None, true);
        let mut data = Vec::new();
        for piece in body.as_bytes().chunks(size) {
            data.extend(frames.feed(Bytes::from_static(piece))?.concat());
        }
        Ok((data, frames.finish()?))
    }

    #[test]
    fn chunks_are_joined_and_trailers_read_however_they_come() {
        for size in 1..60 {
            let (data, trailers) =
                unframed("3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", size).unwrap();
            assert_eq!(data, b"abcde");
            assert_eq!(trailers.get("x-amz-checksum-crc32").unwrap(), "AAAA");
        }
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
            "0\r\nx-amz-checksum-crc32:AAAA",
        ] {
            for size in [1, 4, 100] {
                assert_eq!(unframed(body, size).map(|_| ()).unwrap_err().kind, Kind::BrokenBody, "{body:?}");
            }
        }
        let endless = Frames::new(None, true).feed(vec![b'1'; 10_000].into());
        assert_eq!(endless.unwrap_err().kind, Kind::BrokenBody);
    }

    #[test]
    fn a_body_has_to_be_as_long_as_it_was_said_to_be_and_the_one_that_was_hashed() {
        let right = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for (length, body, failure) in [
            (3, "abc", None),
            (3, "abd", Some(Kind::HashMismatch)),
            (2, "abc", Some(Kind::BrokenBody)),
            (4, "abc", Some(Kind::BrokenBody)),
        ] {
            let how = How::Hashed { hasher: Hasher::new(), expected: right.to_owned() };
            let mut opening = Opening { how, declared: Some(length), seen: 0 };
            let fed = opening.feed(body.into());
            let opened = fed.and_then(|_| opening.finish());
            assert_eq!(opened.err().map(|failure| failure.kind), failure, "{body} of {length}");
        }
    }
}
