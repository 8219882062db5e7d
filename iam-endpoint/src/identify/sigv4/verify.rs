//! Is that the signature, made now, with this key, over this request?

use time::OffsetDateTime;

use super::canonical::{self, PathRule};
use super::failure::{Failure, Kind};
use super::hash::sha256;
use super::key::SigningKeys;
use super::presented::Presented;
use crate::wire::headers::Headers;
use crate::wire::request::Parts;

/// How far a client's clock may be off, in seconds.
const SKEW: i64 = 15 * 60;

/// What a good signature has to agree with.
pub(crate) struct Expected<'a> {
    /// The regions that the scope may name; the first is the one to advise.
    pub(crate) regions: &'a [&'a str],
    pub(crate) is_s3: bool,
    pub(crate) now: OffsetDateTime,
    /// The authority of the URI, where there is no `Host` header.
    pub(crate) authority: &'a str,
    /// The payload's hash as the canonical request has it.
    pub(crate) payload_hash: &'a str,
}

/// Checks scope, time and signature, in AWS's order: what is wrong first is told first.
pub(crate) fn verify(
    presented: &Presented<'_>,
    parts: &Parts,
    headers: &Headers<'_>,
    keys: &SigningKeys,
    expected: &Expected<'_>,
) -> Result<(), Failure> {
    check_region_and_date(presented, expected.regions)?;
    check_time(presented, expected.now)?;
    check_signed_headers(presented, headers)?;
    let rule = if expected.is_s3 { PathRule::EncodedOnce } else { PathRule::EncodedTwice };
    let request = canonical::request(
        parts,
        headers,
        expected.authority,
        &presented.signed_headers,
        expected.payload_hash,
        rule,
    )?;
    let text = format!(
        "AWS4-HMAC-SHA256\n{}\n{}\n{}",
        presented.timestamp,
        presented.scope,
        sha256(request.as_bytes()).hex()
    );
    check_signature(presented, &text, keys)
}

/// The same for a form, where the policy in base64 is what is signed.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html>
pub(crate) fn verify_form(
    presented: &Presented<'_>,
    policy: &str,
    keys: &SigningKeys,
    regions: &[&str],
) -> Result<(), Failure> {
    check_region_and_date(presented, regions)?;
    if presented.service() != "s3" {
        return Err(Failure::new(
            Kind::WrongScope,
            format!("Credential should be scoped to correct service: 's3', not '{}'", presented.service()),
        ));
    }
    check_signature(presented, policy, keys)
}

fn check_signature(presented: &Presented<'_>, text: &str, keys: &SigningKeys) -> Result<(), Failure> {
    if keys.verifies(&presented.scope, text, &presented.signature) {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Mismatch,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.",
    ))
}

fn check_region_and_date(presented: &Presented<'_>, regions: &[&str]) -> Result<(), Failure> {
    if !regions.contains(&presented.region()) {
        let advised = regions.first().copied().unwrap_or_default();
        return Err(Failure::new(
            Kind::WrongScope,
            format!(
                "Credential should be scoped to a valid region: the region '{}' is wrong; expecting '{advised}'",
                presented.region()
            ),
        ));
    }
    if presented.timestamp.get(..8) != Some(presented.date()) {
        return Err(Failure::new(
            Kind::WrongScope,
            format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}'",
                presented.date(),
                presented.timestamp.get(..8).unwrap_or_default()
            ),
        ));
    }
    Ok(())
}

fn check_time(presented: &Presented<'_>, now: OffsetDateTime) -> Result<(), Failure> {
    let age = now.unix_timestamp() - presented.signed_at.unix_timestamp();
    match presented.expires {
        Some(expires) if age > expires => {
            return Err(Failure::new(Kind::ExpiredUrl, "Request has expired"));
        }
        Some(_) if age < -SKEW => {
            return Err(Failure::new(Kind::Skewed, "Request is not yet valid"));
        }
        None if age.abs() > SKEW => {
            return Err(Failure::new(
                Kind::Skewed,
                format!(
                    "The difference between the request time and the current time is too large: signed {}, now {}.",
                    crate::clock::basic(presented.signed_at),
                    crate::clock::basic(now)
                ),
            ));
        }
        _ => {}
    }
    Ok(())
}

/// `host` and every `x-amz-` header have to be signed, or they could be changed on the way.
fn check_signed_headers(presented: &Presented<'_>, headers: &Headers<'_>) -> Result<(), Failure> {
    let mut is_host_signed = false;
    let mut signed = Vec::with_capacity(16);
    for name in presented.signed_headers.split(';') {
        is_host_signed |= name == "host";
        signed.push(name);
    }
    let missing = if is_host_signed {
        headers
            .iter()
            .map(|(name, _)| *name)
            .find(|name| name.starts_with("x-amz-") && !signed.contains(name))
    } else {
        Some("host")
    };
    match missing {
        None => Ok(()),
        Some(name) => Err(Failure::new(
            Kind::UnsignedHeaders,
            format!(
                "There were headers present in the request which were not signed: '{name}' must be a 'SignedHeader'"
            ),
        )),
    }
}
