//! The client's side: signs a request in its headers, whatever signature it had.

use http::header::{AUTHORIZATION, DATE};
use http::request::Parts;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderName, HeaderValue};
use time::OffsetDateTime;

use super::canonical::{self, PathRule};
use super::failure::Failure;
use super::hash::sha256;
use super::key::SigningKeys;
use crate::clock;
use crate::wire::headers::Headers;
use crate::wire::request;

/// Who signs, and for what.
pub(crate) struct Signer<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) keys: &'a SigningKeys,
    pub(crate) session_token: Option<&'a str>,
    pub(crate) region: &'a str,
    pub(crate) signing_name: &'a str,
}

impl Signer<'_> {
    /// The `Authorization` header of a request that has all its other headers. `authority` is the URI's, for where no header
    /// names the host; `payload` is the body's hash in hexadecimal, or `UNSIGNED-PAYLOAD`.
    pub(crate) fn authorization(
        &self,
        parts: &request::Parts,
        headers: &Headers<'_>,
        authority: &str,
        payload: &str,
        date: &str,
    ) -> Result<String, Failure> {
        let must_be_signed =
            |name: &str| name == "host" || name == "content-type" || name.starts_with("x-amz-");
        let mut names: Vec<&str> = vec!["host"];
        for (name, _) in headers.iter() {
            if must_be_signed(name)
                && let Err(place) = names.binary_search(name)
            {
                names.insert(place, name);
            }
        }
        let names = names.join(";");
        let rule = if self.signing_name == "s3" { PathRule::EncodedOnce } else { PathRule::EncodedTwice };
        let canonical = canonical::request(parts, headers, authority, &names, payload, rule)?;
        let day = date.get(..8).unwrap_or_default();
        let scope = [day, self.region, self.signing_name, "aws4_request"].join("/");
        let text = ["AWS4-HMAC-SHA256", date, &scope, &sha256(canonical.as_bytes()).hex()].join("\n");
        let signature = self.keys.sign(&scope, &text).hex();
        let id = self.access_key_id;
        Ok([
            "AWS4-HMAC-SHA256 Credential=",
            id,
            "/",
            &scope,
            ", SignedHeaders=",
            &names,
            ", Signature=",
            &signature,
        ]
        .concat())
    }
}

/// What a signature in the query consists of.
const PRESIGNED: [&str; 8] = [
    "X-Amz-Algorithm",
    "X-Amz-Content-Sha256",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// Signs a request whose `Host` header is set, in place of the signature that it has. `payload` is its body's hash in
/// hexadecimal, or `UNSIGNED-PAYLOAD`.
pub(crate) fn sign(
    signer: &Signer<'_>,
    parts: &mut Parts,
    payload: &str,
    now: OffsetDateTime,
) -> Result<(), Failure> {
    let date = clock::basic(now);
    strip(parts);
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            parts.headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("x-amz-date", &date);
    set("x-amz-content-sha256", payload);
    if let Some(token) = signer.session_token {
        set("x-amz-security-token", token);
    }

    let header =
        signer.authorization(&request::Parts::of(parts), &Headers::of(&parts.headers), "", payload, &date)?;
    if let Ok(header) = HeaderValue::from_str(&header) {
        parts.headers.insert(AUTHORIZATION, header);
    }
    Ok(())
}

/// Takes off what a former signature left.
fn strip(parts: &mut Parts) {
    for name in [AUTHORIZATION, DATE] {
        parts.headers.remove(name);
    }
    parts.headers.remove("x-amz-security-token");
    let Some(query) = parts.uri.query() else { return };
    let is_of_signature = |pair: &&str| PRESIGNED.contains(&pair.split('=').next().unwrap_or_default());
    if !query.split('&').any(|pair| is_of_signature(&pair)) {
        return;
    }
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_of_signature(pair)).collect();
    let path = parts.uri.path();
    let path_and_query = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    uri.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    parts.uri = Uri::from_parts(uri).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::super::payload::hash;
    use super::*;

    #[test]
    fn a_former_signature_is_taken_off() {
        let keys = SigningKeys::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let signer = Signer {
            access_key_id: "AKIDEXAMPLE",
            keys: &keys,
            session_token: None,
            region: "us-east-1",
            signing_name: "service",
        };
        let (mut parts, ()) = http::Request::get("/?X-Amz-Signature=00&a=b&X-Amz-Date=then")
            .header("host", "example.amazonaws.com")
            .header("authorization", "former")
            .header("x-amz-security-token", "former")
            .body(())
            .unwrap()
            .into_parts();
        sign(&signer, &mut parts, &hash(b""), OffsetDateTime::from_unix_timestamp(1_440_938_160).unwrap())
            .unwrap();
        assert_eq!(parts.uri, "/?a=b");
        assert!(parts.headers.get("x-amz-security-token").is_none());
        let authorization = parts.headers.get(AUTHORIZATION).unwrap().to_str().unwrap();
        let begin = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=";
        assert!(authorization.starts_with(begin), "{authorization}");
    }
}
