//! A request in the form that was signed.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request>

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::failure::{Failure, Kind};
use crate::wire::headers::Headers;
use crate::wire::query::percent_decode;
use crate::wire::request::Parts;

/// All but AWS's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same for a path, whose slashes stay.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The same for a path whose escapes stay too.
const RESERVED_IN_KEY: &AsciiSet = &RESERVED_IN_PATH.remove(b'%');

/// How a service's clients put the path into the canonical request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PathRule {
    /// Normalized, then encoded once more as sent: all services but S3.
    EncodedTwice,
    /// Encoded once and never normalized, for an S3 key may hold `//` and `..`.
    EncodedOnce,
}

/// Writes the canonical request.
pub(super) fn request(
    parts: &Parts,
    headers: &Headers<'_>,
    authority: &str,
    signed_headers: &str,
    payload_hash: &str,
    rule: PathRule,
) -> Result<String, Failure> {
    let mut text = String::with_capacity(1024);
    text.push_str(parts.method.as_str());
    text.push('\n');
    path(&mut text, parts.uri.path(), rule);
    text.push('\n');
    query(&mut text, parts.uri.query().unwrap_or_default())?;
    text.push('\n');
    for name in signed_headers.split(';') {
        header(&mut text, headers, authority, name)?;
    }
    text.push('\n');
    text.push_str(signed_headers);
    text.push('\n');
    text.push_str(payload_hash);
    Ok(text)
}

fn path(text: &mut String, path: &str, rule: PathRule) {
    match rule {
        PathRule::EncodedOnce if is_plain(path) => text.push_str(path),
        PathRule::EncodedOnce => text.extend(utf8_percent_encode(path, RESERVED_IN_KEY)),
        PathRule::EncodedTwice if path == "/" => text.push('/'),
        PathRule::EncodedTwice => {
            text.extend(utf8_percent_encode(&normalized(path), RESERVED_IN_PATH));
        }
    }
}

fn is_plain(path: &str) -> bool {
    path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b))
}

/// RFC 3986's removal of dot segments, and of empty ones.
fn normalized(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let mut text = String::with_capacity(path.len());
    for segment in &segments {
        text.push('/');
        text.push_str(segment);
    }
    if segments.is_empty() || path.ends_with('/') {
        text.push('/');
    }
    text
}

fn query(text: &mut String, query: &str) -> Result<(), Failure> {
    if query.is_empty() {
        return Ok(());
    }
    let mut pairs = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !pair.is_empty() && name != "X-Amz-Signature" {
            let pair = (encoded(name)?, encoded(value)?);
            // They are few.
            let place = pairs.partition_point(|before| *before <= pair);
            pairs.insert(place, pair);
        }
    }
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    Ok(())
}

/// Decodes and encodes, so that however the client wrote a character, it is written as it was signed.
fn encoded(part: &str) -> Result<Cow<'_, str>, Failure> {
    if part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)) {
        return Ok(Cow::Borrowed(part));
    }
    let decoded = percent_decode(part)
        .ok_or_else(|| Failure::new(Kind::Malformed, "The query string is not UTF-8."))?;
    Ok(Cow::Owned(utf8_percent_encode(&decoded, RESERVED).to_string()))
}

fn header(text: &mut String, headers: &Headers<'_>, authority: &str, name: &str) -> Result<(), Failure> {
    text.push_str(name);
    text.push(':');
    let mut is_first = true;
    for (of, value) in headers.iter() {
        if *of == name {
            if !is_first {
                text.push(',');
            }
            is_first = false;
            push_folded(text, value);
        }
    }
    match (is_first, name) {
        (true, "host") => text.push_str(authority),
        (true, _) => {
            return Err(Failure::new(
                Kind::Mismatch,
                format!("The signed header `{name}` is not in the request."),
            ));
        }
        (false, _) => {}
    }
    text.push('\n');
    Ok(())
}

/// Trimmed, with each run of spaces as one.
fn push_folded(text: &mut String, value: &[u8]) {
    let value = String::from_utf8_lossy(value.trim_ascii());
    // Looking for one character is fast in a debug build; looking for two is not.
    if !value.contains(' ') || !value.contains("  ") {
        text.push_str(&value);
        return;
    }
    let words: Vec<&str> = value.split(' ').filter(|word| !word.is_empty()).collect();
    text.push_str(&words.join(" "));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(uri: &str, rule: PathRule) -> String {
        let (parts, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
        request(&Parts::of(&parts), &Headers::of(&parts.headers), "h", "host", "hash", rule).unwrap()
    }

    #[test]
    fn paths_are_normalized_and_encoded_twice_except_for_s3() {
        let uri = "https://h/a//b/./c/../d%20e/";
        assert!(canonical(uri, PathRule::EncodedTwice).starts_with("GET\n/a/b/d%2520e/\n"));
        assert!(canonical(uri, PathRule::EncodedOnce).starts_with("GET\n/a//b/./c/../d%20e/\n"));
    }

    #[test]
    fn an_s3_path_keeps_its_escapes_and_gets_those_that_it_lacks() {
        assert!(canonical("https://h/a+b%2Fc=", PathRule::EncodedOnce).starts_with("GET\n/a%2Bb%2Fc%3D\n"));
    }

    #[test]
    fn queries_are_sorted_and_encoded_and_lose_the_signature() {
        let text = canonical("https://h/?b=2&a&X-Amz-Signature=00&a=%2f&a=x+y", PathRule::EncodedOnce);
        assert!(text.starts_with("GET\n/\na=&a=%2F&a=x%20y&b=2\n"), "{text}");
    }

    #[test]
    fn header_values_are_trimmed_folded_and_joined() {
        let (parts, ()) = http::Request::get("https://h/")
            .header("x", " a   b ")
            .header("x", "c")
            .body(())
            .unwrap()
            .into_parts();
        let headers = Headers::of(&parts.headers);
        let text =
            request(&Parts::of(&parts), &headers, "h", "host;x", "hash", PathRule::EncodedOnce).unwrap();
        assert_eq!(text, "GET\n/\n\nhost:h\nx:a b,c\n\nhost;x\nhash");
    }
}
