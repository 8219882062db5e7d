//! What S3 asks of a bucket policy's statements beyond what the policy language does.

use iam_policy::{Condition, Effect, Element, Statement, catalogue};

use super::fault::{self, Fault};

/// Refuses actions of other services, resources of other buckets, and actions on resources that they do not have.
pub(super) fn check(statement: &Statement, partition: &str, bucket: &str) -> Result<(), Fault> {
    let malformed = |message: String| Err(fault::MALFORMED_POLICY.because(message));
    let resources = statement.resources();
    let own = format!("arn:{partition}:s3:::");
    for resource in resources.as_ref().map(texts).unwrap_or_default() {
        let name = resource.strip_prefix(&own).and_then(|name| name.split('/').next());
        if !name.is_some_and(|name| !name.trim_matches('*').is_empty() && glob(name, bucket)) {
            return malformed(format!(
                "Policy has invalid resource: `{resource}` is not in this bucket; write `{own}{bucket}` or `{own}{bucket}/*`"
            ));
        }
    }
    let actions = statement.actions();
    for action in texts(&actions) {
        if action != "*" && !action.get(..3).is_some_and(|prefix| prefix.eq_ignore_ascii_case("s3:")) {
            return malformed(format!("Policy has invalid action: `{action}` is not an action of S3"));
        }
    }
    let Some(resources) = resources.filter(|resources| !resources.is_negated && !actions.is_negated) else {
        return Ok(());
    };
    for action in texts(&actions) {
        let resources = texts(&resources);
        if !resources.iter().any(|resource| applies(action, resource)) {
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
pub(crate) fn is_public(statement: &Statement) -> bool {
    let is_anybody = |principals: Element<'_>| {
        let mut everyone = principals.values.iter().filter(|value| value.text == "*");
        principals.is_negated || everyone.any(|value| matches!(value.principal_type, None | Some("AWS")))
    };
    statement.effect() == Effect::Allow
        && statement.principals().is_some_and(is_anybody)
        && !statement.conditions().iter().any(is_confining)
}

/// Whether a condition lets only fixed sources through.
fn is_confining(condition: &Condition) -> bool {
    let operator = condition.operator();
    let key = condition.key();
    CONFINING_OPERATORS.contains(&operator.strip_prefix("ForAnyValue:").unwrap_or(&operator))
        && CONFINING_KEYS.iter().any(|confining| confining.eq_ignore_ascii_case(key))
        && condition.values().all(|value| is_fixed(key, value.text))
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

fn texts<'e>(element: &Element<'e>) -> Vec<&'e str> {
    let mut texts = Vec::with_capacity(element.values.len());
    for value in &element.values {
        texts.push(value.text);
    }
    texts
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
    use iam_policy::{Policy, PolicyKind};

    use super::*;

    fn only(statement: &str) -> Policy {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
        Policy::parse(text, PolicyKind::Resource).expect("a policy")
    }

    fn is_public(policy: &Policy) -> bool {
        policy.statements().iter().any(super::is_public)
    }

    fn granting(principal: &str, condition: &str) -> Policy {
        only(&format!(
            r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", "Condition": {condition}}}"#
        ))
    }

    #[test]
    fn only_fixed_principals_and_sources_are_not_public() {
        for (principal, condition, public) in [
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
            assert_eq!(is_public(&granting(principal, condition)), public, "{principal} {condition}");
        }
        let deny =
            r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}"#;
        assert!(!is_public(&only(deny)));
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
            let policy = only(&format!(
                r#"{{"Effect": "Allow", "Principal": "*", "Action": "{action}", "Resource": "{resource}"}}"#
            ));
            let checked = policy.statements().iter().try_for_each(|statement| check(statement, "aws", "b"));
            let found = checked.err().map(|fault| fault.message().to_owned());
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
