//! OIDC's ID tokens: what they claim.
//!
//! <https://openid.net/specs/openid-connect-core-1_0.html#IDToken>

use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::iam::Tags;

/// Claims that AWS makes condition keys of: those of every provider, and those that it knows of GitHub's.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif>
const KEYS: &[&str] = &[
    "actor",
    "actor_id",
    "amr",
    "email",
    "enterprise_id",
    "environment",
    "job_workflow_ref",
    "ref",
    "repository",
    "repository_id",
    "sub",
    "workflow",
];

/// What a token claims.
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) audiences: Vec<String>,
    pub(super) expires: OffsetDateTime,
    pub(super) begins: Option<OffsetDateTime>,
    pub(super) tags: Tags,
    pub(super) transitive: Vec<String>,
    pub(super) source_identity: Option<String>,
    all: Map<String, Value>,
}

/// Why a text is no token.
pub(super) struct Rejected(pub(super) &'static str);

impl Claims {
    pub(super) fn read(token: &str) -> Result<Self, Rejected> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(_signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Rejected("it does not have three parts"));
        };
        decode(header)?;
        let all = decode(payload)?;
        let text = |name: &str| all.get(name).and_then(Value::as_str).map(str::to_owned);
        let at = |name: &str| {
            let seconds = all.get(name).and_then(Value::as_f64)?;
            // Fractions of a second do not matter, and what is out of bounds is no date.
            #[expect(clippy::cast_possible_truncation, reason = "a float saturates")]
            OffsetDateTime::from_unix_timestamp(seconds as i64).ok()
        };
        let tags = all.get("https://aws.amazon.com/tags");
        Ok(Self {
            issuer: text("iss").ok_or(Rejected("it has no issuer (`iss`)"))?,
            subject: text("sub").ok_or(Rejected("it has no subject (`sub`)"))?,
            audiences: texts(all.get("aud")),
            expires: at("exp").ok_or(Rejected("it has no end (`exp`)"))?,
            begins: at("nbf"),
            tags: principal_tags(tags)?,
            transitive: texts(tags.and_then(|tags| tags.get("transitive_tag_keys"))),
            source_identity: text("https://aws.amazon.com/source_identity"),
            all,
        })
    }

    /// For whom the token is: where it names a party that it was issued to, that one.
    pub(super) fn audience(&self) -> &str {
        let first = self.audiences.first().map_or("", String::as_str);
        self.all.get("azp").and_then(Value::as_str).unwrap_or(first)
    }

    /// The condition keys, after the provider's name.
    pub(super) fn condition_keys(&self) -> Vec<(&str, Vec<String>)> {
        let mut keys = match self.all.get("azp").and_then(Value::as_str) {
            Some(party) => vec![("aud", vec![party.to_owned()]), ("oaud", self.audiences.clone())],
            None => vec![("aud", self.audiences.clone())],
        };
        for key in KEYS {
            keys.push((*key, texts(self.all.get(*key))));
        }
        keys.retain(|(_, values)| !values.is_empty());
        keys
    }
}

fn decode(part: &str) -> Result<Map<String, Value>, Rejected> {
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part.trim_end_matches('='));
    let bytes = bytes.map_err(|_| Rejected("a part of it is not base64url"))?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Rejected("a part of it is not a JSON object")),
    }
}

/// A claim that is one text, or several.
fn texts(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(all)) => {
            let mut texts = Vec::new();
            for value in all {
                if let Value::String(text) = value {
                    texts.push(text.clone());
                }
            }
            texts
        }
        _ => Vec::new(),
    }
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp>
fn principal_tags(claim: Option<&Value>) -> Result<Tags, Rejected> {
    let tags = claim.and_then(|claim| claim.get("principal_tags")).and_then(Value::as_object);
    let mut pairs = Vec::new();
    if let Some(tags) = tags {
        for (key, value) in tags {
            pairs.push((key.clone(), texts(Some(value)).concat()));
        }
    }
    Tags::checked(pairs).map_err(|_| Rejected("its tags are not such as a session can have"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        let encode = |text: &str| base64_simd::URL_SAFE_NO_PAD.encode_to_string(text);
        format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(payload))
    }

    #[test]
    fn an_authorized_party_is_the_audience() {
        let claims = Claims::read(&token(
            r#"{"iss":"https://idp","sub":"me","aud":["a","b"],"azp":"c","exp":1,"amr":["x","y"],"secret":"z"}"#,
        ));
        let claims = claims.ok().unwrap();
        assert_eq!(claims.audience(), "c");
        let keys = claims.condition_keys();
        let names: Vec<_> =
            keys.iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect();
        assert_eq!(names, ["aud=c", "oaud=a,b", "amr=x,y", "sub=me"]);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let unended = token(r#"{"iss":"https://idp","sub":"me"}"#);
        for text in ["", "a.b", "a.b.c.d", "!.!.!", unended.as_str()] {
            assert!(Claims::read(text).is_err(), "{text}");
        }
    }
}
