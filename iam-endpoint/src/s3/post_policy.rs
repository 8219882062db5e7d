//! The policy of a form: until when, and with which fields, its signer lets a browser send it.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>.

use std::ops::RangeInclusive;

use base64_simd::STANDARD;
use serde_json::Value;
use time::OffsetDateTime;

use super::fault::{self, Fault};
use super::form::Form;
use crate::clock;

/// Fields that no condition has to be about, besides those whose names begin with [`IGNORED`].
const FREE: [&str; 3] = ["file", "policy", "x-amz-signature"];
const IGNORED: &str = "x-ignore-";

#[derive(Debug)]
pub(super) struct PostPolicy {
    expiration: OffsetDateTime,
    conditions: Vec<Condition>,
    sizes: Option<RangeInclusive<u64>>,
}

/// What a field has to be.
#[derive(Debug)]
struct Condition {
    /// In lower case.
    field: String,
    value: String,
    kind: Kind,
    /// As it is told where it is not met.
    shown: String,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Equal,
    StartsWith,
}

impl PostPolicy {
    /// Reads a policy in base64.
    ///
    /// # Errors
    ///
    /// `InvalidPolicyDocument`
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let json = STANDARD.decode_to_vec(text.trim_ascii()).ok();
        let json = json.and_then(|bytes| String::from_utf8(bytes).ok());
        let json = json.and_then(|text| serde_json::from_str::<Value>(&unescaped(&text)).ok());
        let json = json.ok_or_else(|| invalid("Invalid JSON."))?;
        let member = |wanted: &str| {
            let members = json.as_object()?;
            members.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
        };
        let expiration = member("expiration").ok_or_else(|| invalid("Policy missing expiration."))?;
        let expiration = expiration
            .as_str()
            .and_then(clock::parse_iso8601)
            .ok_or_else(|| invalid(&format!("Invalid 'expiration' value: '{}'", bare(expiration))))?;
        let all = member("conditions").ok_or_else(|| invalid("Policy missing conditions."))?;
        let all = all.as_array().ok_or_else(|| invalid("Invalid 'conditions' value: must be a List."))?;
        let (mut conditions, mut sizes) = (Vec::new(), None);
        for condition in all {
            match read_condition(condition)? {
                Read::Field(condition) => conditions.push(condition),
                Read::Sizes(range) => sizes = Some(range),
            }
        }
        Ok(Self { expiration, conditions, sizes })
    }

    /// Checks the time and the fields, for which [`bucket`](Form) is the one that the request addresses.
    ///
    /// # Errors
    ///
    /// `AccessDenied`
    pub(super) fn check(&self, form: &Form, bucket: &str, now: OffsetDateTime) -> Result<(), Fault> {
        if self.expiration < now {
            return Err(broken("Policy expired."));
        }
        for condition in &self.conditions {
            let value = if condition.field == "bucket" { Some(bucket) } else { form.get(&condition.field) };
            if !value.is_some_and(|value| condition.is_met_by(value)) {
                return Err(broken(&format!("Policy Condition failed: {}", condition.shown)));
            }
        }
        let is_covered = |name: &str| self.conditions.iter().any(|condition| condition.field == name);
        let is_free = |name: &str| FREE.contains(&name) || name.starts_with(IGNORED);
        let mut extra = Vec::new();
        for (name, _) in form.fields() {
            if !is_free(name) && !is_covered(name) {
                extra.push(name.as_str());
            }
        }
        if extra.is_empty() {
            Ok(())
        } else {
            Err(broken(&format!("Extra input fields: {}", extra.join(", "))))
        }
    }

    /// Checks the file's size.
    ///
    /// # Errors
    ///
    /// `EntityTooLarge`, `EntityTooSmall`
    pub(super) fn check_size(&self, size: u64) -> Result<(), Fault> {
        let Some(range) = &self.sizes else { return Ok(()) };
        let told = |code: fault::Code| code.fault().with("ProposedSize", size.to_string());
        if size > *range.end() {
            return Err(told(fault::ENTITY_TOO_LARGE).with("MaxSizeAllowed", range.end().to_string()));
        }
        if size < *range.start() {
            return Err(told(fault::ENTITY_TOO_SMALL).with("MinSizeAllowed", range.start().to_string()));
        }
        Ok(())
    }
}

fn invalid(why: &str) -> Fault {
    fault::INVALID_POLICY_DOCUMENT.because(format!("Invalid Policy: {why}"))
}

fn broken(why: &str) -> Fault {
    fault::ACCESS_DENIED.because(format!("Invalid according to Policy: {why}"))
}

/// A value as a message tells it.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// JSON without the escapes that only these policies have: `\$`, without which a value would name a field, and `\v`.
fn unescaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            result.push(character);
            continue;
        }
        match characters.next() {
            Some('$') => result.push('$'),
            Some('v') => result.push_str("\\u000b"),
            escaped => {
                result.push('\\');
                result.extend(escaped);
            }
        }
    }
    result
}

enum Read {
    Field(Condition),
    Sizes(RangeInclusive<u64>),
}

fn read_condition(condition: &Value) -> Result<Read, Fault> {
    match condition {
        Value::Object(members) => {
            let mut members = members.iter();
            let (Some((field, value)), None) = (members.next(), members.next()) else {
                return Err(invalid(
                    "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
                ));
            };
            let value = value.as_str().ok_or_else(|| {
                invalid(&format!("Invalid Simple-Condition: value of '{field}' must be a string."))
            })?;
            Ok(Read::Field(Condition::new(field, value, Kind::Equal)))
        }
        Value::Array(elements) => {
            let [operator, field, value] = elements.as_slice() else {
                return Err(invalid("Invalid Condition: wrong number of arguments."));
            };
            let operator = operator.as_str().unwrap_or_default().to_ascii_lowercase();
            let kind = match operator.as_str() {
                "content-length-range" => {
                    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
                    let (Some(least), Some(most)) = (number(field), number(value)) else {
                        return Err(invalid("Invalid content-length-range: must be two numbers."));
                    };
                    return Ok(Read::Sizes(least..=most));
                }
                "eq" => Kind::Equal,
                "starts-with" => Kind::StartsWith,
                _ => return Err(invalid(&format!("Invalid Condition: unknown operation '{operator}'."))),
            };
            let field = field.as_str().and_then(|field| field.strip_prefix('$'));
            let (Some(field), Some(value)) = (field, value.as_str()) else {
                return Err(invalid(&format!(
                    "Invalid Condition: '{operator}' is about a field, as '$key', and a string."
                )));
            };
            Ok(Read::Field(Condition::new(field, value, kind)))
        }
        _ => Err(invalid("Invalid Condition: must be a List or an Object.")),
    }
}

impl Condition {
    fn new(field: &str, value: &str, kind: Kind) -> Self {
        let operator = match kind {
            Kind::Equal => "eq",
            Kind::StartsWith => "starts-with",
        };
        Self {
            field: field.to_lowercase(),
            value: value.to_owned(),
            kind,
            shown: format!("[\"{operator}\", \"${field}\", \"{value}\"]"),
        }
    }

    fn is_met_by(&self, value: &str) -> bool {
        match self.kind {
            Kind::Equal => value == self.value,
            // The value is a list then, each of which has to start so.
            Kind::StartsWith if self.field == "content-type" => {
                value.split(',').all(|one| one.trim_start().starts_with(&self.value))
            }
            Kind::StartsWith => value.starts_with(&self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        let part = |(name, value): &(&str, &str)| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let body: String = fields.iter().chain(&[("file", "four")]).map(part).collect();
        let body = Bytes::from(body + "--x--");
        Form::read(Some("multipart/form-data; boundary=x"), &body).expect("a form")
    }

    fn read(conditions: &str) -> Result<PostPolicy, String> {
        let text = format!(r#"{{"expiration": "2030-01-01T00:00:00.000Z", "conditions": {conditions}}}"#);
        let read = PostPolicy::read(&STANDARD.encode_to_string(text));
        read.map_err(|fault| format!("{} {}", fault.code(), fault.message()))
    }

    /// What is wrong with a form.
    fn wrong(conditions: &str, fields: &[(&str, &str)]) -> String {
        let now = clock::parse_basic("20260101T000000Z").expect("a date");
        let checked = read(conditions).expect("a policy").check(&form(fields), "mine", now);
        checked
            .err()
            .map(|fault| fault.message().replace("Invalid according to Policy: ", ""))
            .unwrap_or_default()
    }

    #[test]
    fn each_condition_has_to_be_met_and_each_field_has_to_have_one() {
        let all = r#"[{"Bucket": "mine"}, ["Starts-With", "$KEY", "u/"], {"acl": "private"}]"#;
        assert_eq!(wrong(all, &[("key", "u/1"), ("acl", "private"), ("x-ignore-me", "1")]), "");
        let failed = wrong(all, &[("key", "v/1"), ("acl", "private")]);
        assert_eq!(failed, "Policy Condition failed: [\"starts-with\", \"$KEY\", \"u/\"]");
        let failed = wrong(all, &[("key", "u/1")]);
        assert_eq!(failed, "Policy Condition failed: [\"eq\", \"$acl\", \"private\"]");
        let extra = wrong(all, &[("key", "u/1"), ("acl", "private"), ("x-amz-date", "d"), ("tagging", "t")]);
        assert_eq!(extra, "Extra input fields: x-amz-date, tagging");
        let failed = wrong(r#"[{"bucket": "other"}]"#, &[]);
        assert_eq!(failed, "Policy Condition failed: [\"eq\", \"$bucket\", \"other\"]");
        // A field that is not there starts with nothing.
        assert!(wrong(r#"[["starts-with", "$key", ""]]"#, &[]).starts_with("Policy Condition failed"));
    }

    #[test]
    fn content_types_that_start_so_may_be_several() {
        let images = r#"[["starts-with", "$Content-Type", "image/"]]"#;
        assert_eq!(wrong(images, &[("content-type", "image/png,image/gif")]), "");
        assert_ne!(wrong(images, &[("content-type", "image/png, text/html")]), "");
    }

    #[test]
    fn sizes_have_bounds() {
        let policy = read(r#"[["content-length-range", 2, "4"]]"#).expect("a policy");
        let code =
            |size| policy.check_size(size).err().map_or_else(String::new, |fault| fault.code().to_owned());
        assert_eq!([1, 2, 4, 5].map(code), ["EntityTooSmall", "", "", "EntityTooLarge"]);
    }

    #[test]
    fn policies_expire() {
        let policy = read("[]").expect("a policy");
        let later = clock::parse_basic("20300101T000001Z").expect("a date");
        let fault = policy.check(&form(&[]), "mine", later).expect_err("too late");
        assert_eq!(fault.message(), "Invalid according to Policy: Policy expired.");
    }

    #[test]
    fn escapes_that_json_has_not_are_read() {
        assert_eq!(wrong(r#"[["eq", "$key", "\$a\\$\u0062"]]"#, &[("key", "$a\\$b")]), "");
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        for conditions in [
            "{}",
            "[1]",
            "[{}]",
            r#"[{"a": "b", "c": "d"}]"#,
            r#"[{"a": 1}]"#,
            r#"[["eq", "$key"]]"#,
            r#"[["like", "$key", "a"]]"#,
            r#"[["eq", "key", "a"]]"#,
            r#"[["content-length-range", -1, 2]]"#,
        ] {
            let error = read(conditions).expect_err("no policy");
            assert!(error.starts_with("InvalidPolicyDocument Invalid Policy: "), "{conditions}: {error}");
        }
        for text in ["", "e30", "e30=", "bm8=", "eyJleHBpcmF0aW9uIjogIm5vIn0="] {
            assert!(PostPolicy::read(text).is_err(), "{text}");
        }
    }
}
