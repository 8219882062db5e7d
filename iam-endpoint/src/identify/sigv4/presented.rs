//! What a request says about its own signature.

use std::borrow::Cow;

use time::OffsetDateTime;

use super::failure::{Failure, Kind};
use crate::clock;
use crate::wire::headers::{self, Headers};
use crate::wire::query::percent_decode;
use crate::wire::request::Parts;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The longest that a presigned URL can live: seven days.
const LONGEST: i64 = 604_800;

/// A signature as it was presented, not yet checked.
#[derive(Debug)]
pub(crate) struct Presented<'r> {
    pub(crate) access_key_id: Cow<'r, str>,
    /// `DATE/REGION/SERVICE/aws4_request`, all of it as signed.
    pub(crate) scope: Cow<'r, str>,
    pub(crate) signed_headers: Cow<'r, str>,
    pub(crate) signature: Cow<'r, str>,
    /// The time of signing as text, which is what was signed.
    pub(crate) timestamp: Cow<'r, str>,
    pub(crate) signed_at: OffsetDateTime,
    pub(crate) token: Option<Cow<'r, str>>,
    /// How many seconds a presigned URL lives; `None` for a signature in the header.
    pub(crate) expires: Option<i64>,
}

impl<'r> Presented<'r> {
    /// Reads the signature from the `Authorization` header or the query; `None` if there is none.
    pub(crate) fn read(parts: &'r Parts, headers: &Headers<'r>) -> Result<Option<Self>, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        let header = headers.get("authorization");
        match (header, QueryParameters::read(query)?) {
            (Some(_), Some(_)) => Err(Failure::new(
                Kind::Malformed,
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified",
            )),
            (Some(header), None) => {
                let header = headers::text(header)
                    .ok_or_else(|| Failure::new(Kind::Malformed, "The Authorization header is not text."))?;
                from_header(header, headers).map(Some)
            }
            (None, Some(parameters)) => parameters.into_presented().map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Reads the signature of a form, whose fields have the names of a presigned URL's parameters, here in lower case.
    pub(crate) fn of_form(field: impl Fn(&str) -> Option<&'r str>) -> Result<Self, Failure> {
        let field = |name: &str| field(name).map(Cow::Borrowed);
        let parameters = QueryParameters {
            algorithm: field("x-amz-algorithm"),
            credential: field("x-amz-credential"),
            date: field("x-amz-date"),
            // The policy that is signed says when it expires, and no header is signed.
            expires: None,
            signature: field("x-amz-signature"),
            signed_headers: Some(Cow::Borrowed("")),
            token: field("x-amz-security-token"),
        };
        parameters.into_presented()
    }

    pub(crate) fn date(&self) -> &str {
        self.scope_part(0)
    }

    pub(crate) fn region(&self) -> &str {
        self.scope_part(1)
    }

    pub(crate) fn service(&self) -> &str {
        self.scope_part(2)
    }

    pub(crate) fn in_query(&self) -> bool {
        self.expires.is_some()
    }

    fn scope_part(&self, index: usize) -> &str {
        self.scope.split('/').nth(index).unwrap_or_default()
    }
}

fn from_header<'r>(header: &'r str, headers: &Headers<'r>) -> Result<Presented<'r>, Failure> {
    let malformed =
        |what: &str| Failure::new(Kind::Malformed, format!("{what} Authorization={}", shown(header)));
    let (algorithm, fields) = header.trim_ascii().split_once(' ').unwrap_or((header, ""));
    check_algorithm(algorithm)?;
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for field in fields.split(',') {
        let slot = match field.trim_ascii().split_once('=') {
            Some(("Credential", value)) => (&mut credential, value),
            Some(("SignedHeaders", value)) => (&mut signed_headers, value),
            Some(("Signature", value)) => (&mut signature, value),
            _ => {
                return Err(malformed(
                    "Authorization header has a part that is not Credential, SignedHeaders or Signature.",
                ));
            }
        };
        if slot.0.replace(slot.1.trim_ascii()).is_some() {
            return Err(malformed("Authorization header has a part twice."));
        }
    }
    let credential =
        credential.ok_or_else(|| malformed("Authorization header requires 'Credential' parameter."))?;
    let signature =
        signature.ok_or_else(|| malformed("Authorization header requires 'Signature' parameter."))?;
    let signed_headers = signed_headers
        .ok_or_else(|| malformed("Authorization header requires 'SignedHeaders' parameter."))?;
    let (timestamp, signed_at) = match (headers.text("x-amz-date"), headers.text("date")) {
        (Some(date), _) => (Cow::Borrowed(date), clock::parse_basic(date)),
        // `Date` may stand in, in either of two forms; what is signed is always the basic one.
        (None, Some(date)) => {
            let at = clock::parse_basic(date).or_else(|| clock::parse_http_date(date));
            (Cow::Owned(at.map(clock::basic).unwrap_or_default()), at)
        }
        (None, None) => {
            return Err(malformed(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            ));
        }
    };
    let signed_at = signed_at
        .ok_or_else(|| malformed("Date must be in ISO-8601 'basic format', as in 20150830T123600Z."))?;
    let (access_key_id, scope) = split_credential(Cow::Borrowed(credential))?;
    Ok(Presented {
        access_key_id,
        scope,
        signed_headers: Cow::Borrowed(signed_headers),
        signature: Cow::Borrowed(signature),
        timestamp,
        signed_at,
        token: headers.text("x-amz-security-token").map(Cow::Borrowed),
        expires: None,
    })
}

fn check_algorithm(algorithm: &str) -> Result<(), Failure> {
    match algorithm {
        ALGORITHM => Ok(()),
        "AWS4-ECDSA-P256-SHA256" => Err(Failure::new(
            Kind::Unsupported,
            "This endpoint checks Signature Version 4 (AWS4-HMAC-SHA256); SigV4A is not supported.",
        )),
        "AWS" | "AWS3-HTTPS" => Err(Failure::new(
            Kind::Unsupported,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        )),
        other => {
            Err(Failure::new(Kind::Unsupported, format!("Unsupported AWS 'algorithm': '{}'.", shown(other))))
        }
    }
}

fn split_credential(credential: Cow<'_, str>) -> Result<(Cow<'_, str>, Cow<'_, str>), Failure> {
    let wrong = || {
        Failure::new(
            Kind::Malformed,
            format!(
                "Credential must have at least 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
                shown(&credential)
            ),
        )
    };
    let mut parts = credential.split('/');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let (Some(id), Some(_date), Some(_region), Some(_service), Some("aws4_request"), None) =
        (next(), next(), next(), next(), next(), parts.next())
    else {
        return Err(wrong());
    };
    let after = id.len();
    Ok(match credential {
        Cow::Borrowed(text) => {
            let (id, scope) = text.split_at(after);
            (Cow::Borrowed(id), Cow::Borrowed(scope.get(1..).unwrap_or_default()))
        }
        Cow::Owned(text) => {
            let (id, scope) = text.split_at(after);
            (Cow::Owned(id.to_owned()), Cow::Owned(scope.get(1..).unwrap_or_default().to_owned()))
        }
    })
}

/// As much of what the caller sent as a message needs.
fn shown(text: &str) -> &str {
    let mut end = text.len().min(120);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The `X-Amz-…` parameters of a presigned URL.
#[derive(Default)]
struct QueryParameters<'r> {
    algorithm: Option<Cow<'r, str>>,
    credential: Option<Cow<'r, str>>,
    date: Option<Cow<'r, str>>,
    expires: Option<Cow<'r, str>>,
    signature: Option<Cow<'r, str>>,
    signed_headers: Option<Cow<'r, str>>,
    token: Option<Cow<'r, str>>,
}

impl<'r> QueryParameters<'r> {
    fn read(query: &'r str) -> Result<Option<Self>, Failure> {
        if query.is_empty() {
            return Ok(None);
        }
        let mut read = Self::default();
        let mut legacy = false;
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let slot = match name {
                "X-Amz-Algorithm" => &mut read.algorithm,
                "X-Amz-Credential" => &mut read.credential,
                "X-Amz-Date" => &mut read.date,
                "X-Amz-Expires" => &mut read.expires,
                "X-Amz-Signature" => &mut read.signature,
                "X-Amz-SignedHeaders" => &mut read.signed_headers,
                "X-Amz-Security-Token" => &mut read.token,
                "AWSAccessKeyId" => {
                    legacy = true;
                    continue;
                }
                _ => continue,
            };
            let value = percent_decode(value).ok_or_else(|| {
                Failure::new(Kind::MalformedQuery, format!("The query parameter {name} is not UTF-8."))
            })?;
            if slot.replace(value).is_some() {
                return Err(Failure::new(
                    Kind::MalformedQuery,
                    format!("The query parameter {name} is there twice."),
                ));
            }
        }
        if read.algorithm.is_none() && read.signature.is_none() && read.credential.is_none() {
            return if legacy { check_algorithm("AWS").map(|()| None) } else { Ok(None) };
        }
        Ok(Some(read))
    }

    fn into_presented(self) -> Result<Presented<'r>, Failure> {
        let malformed = |what: String| Failure::new(Kind::MalformedQuery, what);
        let needed = |value: Option<Cow<'r, str>>, name: &str| {
            value.ok_or_else(|| {
                malformed(format!("Query-string authentication version 4 requires the {name} parameter."))
            })
        };
        check_algorithm(&needed(self.algorithm, "X-Amz-Algorithm")?)?;
        let (access_key_id, scope) = split_credential(needed(self.credential, "X-Amz-Credential")?)?;
        let timestamp = needed(self.date, "X-Amz-Date")?;
        let signed_at = clock::parse_basic(&timestamp).ok_or_else(|| {
            malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"".to_owned())
        })?;
        // S3 asks for it; STS and others take the 15 minutes that a signature lives anyway.
        let expires = match self.expires {
            None => 900,
            Some(text) => text
                .parse::<i64>()
                .ok()
                .filter(|seconds| (0..=LONGEST).contains(seconds))
                .ok_or_else(|| {
                    malformed("X-Amz-Expires must be a number of seconds, at most a week (604800)".to_owned())
                })?,
        };
        Ok(Presented {
            access_key_id,
            scope,
            signed_headers: needed(self.signed_headers, "X-Amz-SignedHeaders")?,
            signature: needed(self.signature, "X-Amz-Signature")?,
            timestamp,
            signed_at,
            token: self.token,
            expires: Some(expires),
        })
    }
}
