//! What S3 asks of a bucket policy's statements beyond what the policy language does.

use iam_policy::{Policy, catalogue};
use serde_json::Value;

use super::fault::{self, Fault};

/// A statement of a policy in canonical JSON.
pub(super) struct Statement(Value);

impl Statement {
    /// `None` where the canonical text is not the JSON that we know, so that nothing goes unchecked.
    pub(super) fn all_of(policy: &Policy) -> Option<Vec<Self>> {
        let mut document: Value = serde_json::from_str(&policy.to_json()).ok()?;
        match document.get_mut("Statement")?.take() {
            Value::Array(statements) => Some(statements.into_iter().map(Self).collect()),
            _ => None,
        }
    }

    fn element(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    fn texts(&self, element: &str) -> Vec<&str> {
        texts(self.element(element))
    }

    /// Refuses actions of other services, resources of other buckets, and actions on resources that they do not have.
    pub(super) fn check(&self, partition: &str, bucket: &str) -> Result<(), Fault> {
        let malformed = |message: String| Err(fault::MALFORMED_POLICY.because(message));
        let resources = [self.texts("Resource"), self.texts("NotResource")].concat();
        let own = format!("arn:{partition}:s3:::");
        for resource in &resources {
            let name = resource.strip_prefix(&own).and_then(|name| name.split('/').next());
            if !name.is_some_and(|name| !name.trim_matches('*').is_empty() && glob(name, bucket)) {
                return malformed(format!(
                    "Policy has invalid resource: `{resource}` is not in this bucket; write `{own}{bucket}` or `{own}{bucket}/*`"
                ));
            }
        }
        for action in [self.texts("Action"), self.texts("NotAction")].concat() {
            if action != "*" && !action.get(..3).is_some_and(|prefix| prefix.eq_ignore_ascii_case("s3:")) {
                return malformed(format!("Policy has invalid action: `{action}` is not an action of S3"));
            }
        }
        let resources = self.texts("Resource");
        for action in self.texts("Action") {
            if !resources.is_empty() && !resources.iter().any(|resource| applies(action, resource)) {
                return malformed(format!(
                    "Action does not apply to any resource(s) in statement: `{action}` is not about {}",
                    resources.join(", ")
                ));
            }
        }
        Ok(())
    }

    /// Whether the statement grants something to more than fixed principals or fixed sources.
    ///
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>, the meaning of
    /// "public".
    pub(super) fn is_public(&self) -> bool {
        let principal = self.element("Principal");
        let accounts = principal.get("AWS").map(texts).unwrap_or_default();
        // Where there is none, there is a `NotPrincipal`.
        let names_anybody = principal == "*" || accounts.contains(&"*") || principal.is_null();
        self.element("Effect") == "Allow" && names_anybody && !self.is_confined()
    }

    /// Whether a condition lets only fixed sources through.
    fn is_confined(&self) -> bool {
        let operators = self.element("Condition").as_object();
        operators.into_iter().flatten().any(|(operator, keys)| {
            let operator = operator.strip_prefix("ForAnyValue:").unwrap_or(operator);
            CONFINING_OPERATORS.contains(&operator)
                && keys.as_object().into_iter().flatten().any(|(key, values)| {
                    let is_confining =
                        CONFINING_KEYS.iter().any(|confining| confining.eq_ignore_ascii_case(key));
                    is_confining && texts(values).into_iter().all(|value| is_fixed(key, value))
                })
        })
    }
}

const CONFINING_OPERATORS: [&str; 6] =
    ["ArnEquals", "ArnLike", "IpAddress", "StringEquals", "StringEqualsIgnoreCase", "StringLike"];

const CONFINING_KEYS: [&str; 15] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIp",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:userid",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

/// Whether a value names one source, or for addresses a range that is not most of the internet.
fn is_fixed(key: &str, value: &str) -> bool {
    if key.eq_ignore_ascii_case("aws:SourceIp") {
        let (address, bits) = value.split_once('/').unwrap_or((value, "128"));
        let least = if address.contains(':') { 32 } else { 8 };
        return bits.parse::<u8>().is_ok_and(|bits| bits >= least);
    }
    !value.contains(['*', '?', '$'])
}

/// Whether some action that the pattern reaches acts on such a resource: a bucket, or an object in it.
fn applies(action: &str, resource: &str) -> bool {
    let fits = |kind: &str| match kind {
        "object" => resource.contains(['/', '*']),
        "bucket" => !resource.contains('/'),
        _ => false,
    };
    action == "*"
        || catalogue::expand(action)
            .any(|action| action.resources().any(|on| fits(on.resource_type().name())))
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        Value::String(value) => vec![value],
        _ => Vec::new(),
    }
}

/// Whether a pattern of `*` and `?` matches a bucket's name.
///
/// Only the last `*` is ever tried again, so the time is bounded by the product of both lengths.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut from) = (0, 0);
    // Behind the last `*`, and how much of the name it leaves over.
    let mut retry = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                retry = Some((at, from));
            }
            Some(byte) if *byte == b'?' || name.get(from) == Some(byte) => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((behind, skipped)) = retry else {
                    return false;
                };
                (at, from) = (behind, skipped + 1);
                retry = Some((behind, skipped + 1));
            }
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use iam_policy::PolicyKind;

    use super::*;

    fn only(statement: &str) -> Statement {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
        let policy = Policy::parse(text, PolicyKind::Resource).expect("a policy");
        Statement::all_of(&policy).and_then(|mut all| all.pop()).expect("a statement")
    }

    fn granting(principal: &str, condition: &str) -> Statement {
        only(&format!(
            r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", "Condition": {condition}}}"#
        ))
    }

    #[test]
    fn only_fixed_principals_and_sources_are_not_public() {
        for (principal, condition, is_public) in [
            (r#""*""#, "{}", true),
            (r#"{"AWS": "*"}"#, "{}", true),
            (r#"{"AWS": "arn:aws:iam::123456789012:role/r"}"#, "{}", false),
            (r#"{"AWS": "123456789012"}"#, "{}", false),
            (r#""*""#, r#"{"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}"#, false),
            (r#""*""#, r#"{"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}"#, true),
            (r#""*""#, r#"{"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}"#, true),
            (r#""*""#, r#"{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#, false),
            (r#""*""#, r#"{"StringLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}}"#, true),
            (r#""*""#, r#"{"StringEquals": {"aws:UserAgent": "me"}}"#, true),
        ] {
            assert_eq!(granting(principal, condition).is_public(), is_public, "{principal} {condition}");
        }
        let deny =
            r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}"#;
        assert!(!only(deny).is_public());
    }

    #[test]
    fn statements_keep_to_their_bucket_and_its_actions() {
        for (action, resource, problem) in [
            ("s3:GetObject", "arn:aws:s3:::b/*", None),
            ("s3:*", "arn:aws:s3:::b", None),
            ("s3:ListBucket", "arn:aws:s3:::b", None),
            ("s3:GetObject", "arn:aws:s3:::b*", None),
            ("s3:GetObject", "arn:aws:s3:::c/*", Some("invalid resource")),
            ("s3:GetObject", "*", Some("invalid resource")),
            ("s3:GetObject", "arn:aws:s3:::b", Some("does not apply")),
            ("s3:ListBucket", "arn:aws:s3:::b/*", Some("does not apply")),
            ("sqs:SendMessage", "arn:aws:s3:::b/*", Some("invalid action")),
        ] {
            let statement = only(&format!(
                r#"{{"Effect": "Allow", "Principal": "*", "Action": "{action}", "Resource": "{resource}"}}"#
            ));
            let found = statement.check("aws", "b").err().map(|fault| fault.message().to_owned());
            match problem {
                None => assert_eq!(found, None, "{action} {resource}"),
                Some(problem) => {
                    assert!(found.is_some_and(|found| found.contains(problem)), "{action} {resource}");
                }
            }
        }
    }

    #[test]
    fn patterns_of_names_match() {
        for (pattern, fits) in [
            ("bucket", true),
            ("b*t", true),
            ("b?cket*", true),
            ("*", true),
            ("bucke", false),
            ("", false),
            ("*ck*ck*", false),
            ("b*e*?", true),
            ("bucket?", false),
        ] {
            assert_eq!(glob(pattern, "bucket"), fits, "{pattern}");
        }
    }
}
