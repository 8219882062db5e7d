//! What all temporary credentials are made of: session policies, tags, a time, and how they are told.

use std::ops::RangeInclusive;

use http::StatusCode;
use iam_policy::{Context, Policy, PolicyKind};
use time::{Duration, OffsetDateTime};

use crate::clock;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::iam::{AccessKey, Session, Tags, check_policy};
use crate::wire::query::Parameters;
use crate::wire::xml::Xml;

/// How many managed policies can be session policies.
const MOST_POLICY_ARNS: usize = 10;

/// What session policies and tags may measure together. AWS packs them in a form that it does not document, and tells
/// only the share of the limit.
const MOST_PACKED: usize = 4_096;

/// The session policies: the inline one and the managed ones of the session's account, which together grant what any of them does.
#[derive(Default)]
pub(super) struct SessionPolicies<'a> {
    /// `None` where there are none, so that they do not limit.
    pub(super) policies: Option<Vec<Policy>>,
    arns: Vec<&'a str>,
}

impl<'a> SessionPolicies<'a> {
    pub(super) fn read(home: &Shared, parameters: &'a Parameters<'_>) -> Result<Self, Fault> {
        /// What the inline one may measure.
        const LONGEST: usize = 2_048;
        let inline = parameters.optional("Policy");
        let arns: Vec<&str> =
            parameters.members("PolicyArns", ["arn"]).into_iter().filter_map(|[arn]| arn).collect();
        if inline.is_none() && arns.is_empty() {
            return Ok(Self::default());
        }
        if arns.len() > MOST_POLICY_ARNS {
            return Err(Fault::validation(format!(
                "at most {MOST_POLICY_ARNS} managed policies can be session policies"
            )));
        }
        let mut policies = Vec::new();
        if let Some(text) = inline {
            parameters.check_length("Policy", 1..=LONGEST)?;
            policies.push(check_policy(home, text, PolicyKind::Session)?);
        }
        let iam = home.iam();
        for arn in &arns {
            policies.push(iam.managed_policy(arn)?);
        }
        Ok(Self { policies: Some(policies), arns })
    }

    /// The share of the packed limit that they take together with tags, in percent; 0 where nothing counts.
    pub(super) fn packed_size(&self, tags: &Tags) -> Result<usize, Fault> {
        let policies = self.policies.iter().flatten().map(Policy::characters).sum::<usize>();
        let inline =
            if self.arns.is_empty() { policies } else { self.arns.iter().map(|arn| arn.len()).sum() };
        let mut size = inline;
        for (key, value) in tags.iter() {
            size += key.len() + value.len();
        }
        let percent = (size * 100).div_ceil(MOST_PACKED);
        if percent > 100 {
            return Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "PackedPolicyTooLarge",
                format!(
                    "Packed size of session tags and session policies consumes {percent}% of allotted space."
                ),
            ));
        }
        Ok(percent)
    }
}

/// A parameter of letters, digits and some signs.
pub(super) fn text<'a>(
    parameters: &'a Parameters<'_>,
    name: &str,
    longest: usize,
    more_signs: &str,
) -> Result<Option<&'a str>, Fault> {
    let Some(value) = parameters.optional(name) else { return Ok(None) };
    parameters.check_length(name, 2..=longest)?;
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b) || more_signs.as_bytes().contains(&b);
    if value.bytes().all(allowed) {
        return Ok(Some(value));
    }
    let rule = format!(r"Member must satisfy regular expression pattern: [\w+=,.@{more_signs}-]*");
    Err(Fault::violated(name, value, &rule))
}

pub(super) fn seconds(
    parameters: &Parameters<'_>,
    bounds: RangeInclusive<i64>,
) -> Result<Option<Duration>, Fault> {
    Ok(parameters.number("DurationSeconds", bounds)?.map(Duration::seconds))
}

/// The condition keys of tags that a call gives a session.
pub(super) fn set_tag_conditions(tags: &Tags, context: &mut Context) {
    let mut keys = Vec::new();
    for (key, value) in tags.iter() {
        context.set(format!("aws:RequestTag/{key}"), value);
        keys.push(key.as_str());
    }
    context.set_many("aws:TagKeys", keys);
}

/// Makes the credentials of a session, and tells them.
pub(super) fn write_credentials(home: &Shared, session: Session, now: OffsetDateTime, xml: &mut Xml) {
    let expires = session.expires;
    let key = home.iam_mut().insert_key(AccessKey::of_session(session, now));
    if let Some(sky) = &home.sky {
        sky.note_key(&key.id, home.clock.now());
    }
    let credentials = key.credentials();
    xml.element("Credentials", |xml| {
        xml.leaf("AccessKeyId", &credentials.access_key_id);
        xml.leaf("SecretAccessKey", &credentials.secret_access_key);
        xml.leaf("SessionToken", credentials.session_token.as_deref().unwrap_or_default());
        xml.leaf("Expiration", &clock::iso8601(expires));
    });
}

pub(super) fn write_packed_size(percent: usize, xml: &mut Xml) {
    if percent > 0 {
        xml.leaf("PackedPolicySize", &percent.to_string());
    }
}
