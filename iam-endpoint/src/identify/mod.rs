//! Who signed a request, and is that true?

pub(crate) mod caller;
pub(crate) mod credentials;
pub(crate) mod sigv4;

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use time::OffsetDateTime;

use crate::addressee::host::Host;
use crate::call::{Call, Means, Signing};
use crate::endpoint::Shared;
use crate::iam::AccessKey;
use crate::identify::caller::Caller;
use crate::identify::sigv4::{Expected, Failure, Kind, Opening, Payload, Presented, SigningKeys};
use crate::wire::headers::{self, Headers};
use crate::wire::protocol::Protocol;
use crate::wire::request::Parts;

/// The facts that a signature is checked against.
pub(crate) struct Check<'a> {
    pub(crate) endpoint: &'a Shared,
    pub(crate) parts: &'a Parts,
    pub(crate) headers: &'a Headers<'a>,
    pub(crate) host: &'a Host<'a>,
    pub(crate) authority: &'a str,
    pub(crate) protocol: Protocol,
    /// Whether the service signs as S3 does.
    pub(crate) is_s3: bool,
    /// Whether AWS takes this operation without a signature.
    pub(crate) may_be_anonymous: bool,
    pub(crate) now: OffsetDateTime,
}

/// What is known once the signature was checked.
pub(crate) struct Identified {
    pub(crate) caller: Caller,
    /// The endpoint as the caller's account sees it.
    pub(crate) endpoint: Shared,
    pub(crate) signing: Option<Signing>,
    /// The body with any `aws-chunked` framing taken off, and that framing's trailing headers.
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
    /// How to open a body that is still to come.
    pub(crate) opening: Option<Opening>,
}

impl Check<'_> {
    /// Finds the caller, and opens the body unless it is still to come.
    pub(crate) fn identify(
        &self,
        presented: Option<&Presented<'_>>,
        body: Option<Bytes>,
    ) -> Result<Identified, Failure> {
        let is_s3 = self.is_s3;
        let not_text = || Failure::new(Kind::PayloadHeader, "x-amz-content-sha256 is not text");
        let declared = match self.headers.get("x-amz-content-sha256") {
            None => None,
            Some(value) => Some(headers::text(value).ok_or_else(not_text)?),
        };
        let Some(presented) = presented else {
            return self.anonymous(declared, is_s3, body);
        };
        let (key, endpoint) = key_of(self.endpoint, presented, is_s3)?;
        let payload = Payload::read(declared, presented.in_query(), is_s3, body.as_deref())?;
        if !is_s3 && payload.is_chunked() {
            return Err(Failure::new(Kind::Unsupported, "Only S3 takes an aws-chunked body."));
        }
        if payload == Payload::Unsigned
            && matches!(self.protocol, Protocol::Ec2 | Protocol::Json | Protocol::Query)
        {
            return Err(Failure::new(Kind::HashMismatch, "This service takes no UNSIGNED-PAYLOAD."));
        }
        let expected = Expected {
            regions: &self.host.regions(self.endpoint, presented.region()),
            is_s3,
            now: self.now,
            authority: self.authority,
            payload_hash: payload.in_canonical_request(),
        };
        sigv4::verify(presented, self.parts, self.headers, &key.keys, &expected)?;
        let caller = holder_of(&key, &endpoint, presented, is_s3, self.now)?;
        let Opened { body, trailers, opening } = self.open(payload, body, Some((presented, &key.keys)))?;
        let means = if presented.in_query() { Means::Query } else { Means::Header };
        let signing = Signing::of(presented, means);
        Ok(Identified { caller, endpoint, signing: Some(signing), body, trailers, opening })
    }

    /// S3's callers may all be anonymous; those of other services for some operations.
    fn anonymous(
        &self,
        declared: Option<&str>,
        is_s3: bool,
        body: Option<Bytes>,
    ) -> Result<Identified, Failure> {
        if self.protocol != Protocol::S3 && !self.may_be_anonymous {
            return Err(Failure::new(Kind::Missing, "Request is missing Authentication Token"));
        }
        let payload = match declared {
            None => Payload::Unsigned,
            declared => Payload::read(declared, false, is_s3, body.as_deref())?,
        };
        let Opened { body, trailers, opening } = self.open(payload, body, None)?;
        let endpoint = self.endpoint.clone();
        Ok(Identified { caller: Caller::anonymous(), endpoint, signing: None, body, trailers, opening })
    }

    fn open(
        &self,
        payload: Payload,
        body: Option<Bytes>,
        signed: Option<(&Presented<'_>, &SigningKeys)>,
    ) -> Result<Opened, Failure> {
        let Some(body) = body else {
            let opening = Opening::of(payload, self.headers, signed)?;
            return Ok(Opened { body: Bytes::new(), trailers: HeaderMap::new(), opening: Some(opening) });
        };
        let (body, trailers) = sigv4::open_payload(payload, body, self.headers, signed)?;
        Ok(Opened { body, trailers, opening: None })
    }
}

/// Finds who signed the policy of a form, by the form's own fields.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html>
pub(crate) fn signer_of_form(
    call: &Call<'_>,
    presented: &Presented<'_>,
    policy: &str,
) -> Result<(Caller, Shared, Signing), Failure> {
    let (key, endpoint) = key_of(call.endpoint, presented, true)?;
    let regions = Host::parse(call.host).regions(call.endpoint, presented.region());
    sigv4::verify_form(presented, policy, &key.keys, &regions)?;
    let caller = holder_of(&key, &endpoint, presented, true, call.now)?;
    Ok((caller, endpoint, Signing::of(presented, Means::Form)))
}

fn key_of(
    endpoint: &Shared,
    presented: &Presented<'_>,
    is_s3: bool,
) -> Result<(Arc<AccessKey>, Shared), Failure> {
    let known = endpoint.access_key(&presented.access_key_id);
    known.ok_or_else(|| Failure::new(Kind::UnknownKey, unknown_key(is_s3)))
}

/// Who holds a key, once the signature was found to be that key's.
fn holder_of(
    key: &Arc<AccessKey>,
    endpoint: &Shared,
    presented: &Presented<'_>,
    is_s3: bool,
    now: OffsetDateTime,
) -> Result<Caller, Failure> {
    key.check_token(presented.token.as_deref(), now)?;
    let caller =
        Caller::of_key(endpoint, key).ok_or_else(|| Failure::new(Kind::InvalidToken, unknown_key(is_s3)))?;
    key.note_use(now, presented.service(), presented.region());
    Ok(caller)
}

impl Signing {
    fn of(presented: &Presented<'_>, means: Means) -> Self {
        Self {
            region: presented.region().to_owned(),
            signed_at: presented.signed_at,
            means,
            is_express: presented.service() == "s3express",
        }
    }
}

struct Opened {
    body: Bytes,
    trailers: HeaderMap,
    opening: Option<Opening>,
}

fn unknown_key(is_s3: bool) -> &'static str {
    if is_s3 {
        "The AWS Access Key Id you provided does not exist in our records."
    } else {
        "The security token included in the request is invalid."
    }
}
