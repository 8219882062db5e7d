use super::*;
use crate::managed;

/// The codes of a policy of these statements, with the text at each finding's place.
fn found(kind: PolicyKind, statements: &str) -> Vec<(&'static str, String)> {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    let policy = Policy::parse(text, kind).unwrap();
    let at = |finding: &Diagnostic| policy.source().slice(finding.labels[0].span).to_owned();
    policy.lint().iter().map(|finding| (finding.code, at(finding))).collect()
}

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": {action}, "Resource": {resource}}}"#)
}

/// An `Allow` of an action on everything, under these conditions.
fn when(action: &str, condition: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "*", "Condition": {{{condition}}}}}"#)
}

const BUCKET: &str = r#""arn:aws:s3:::b""#;
const OBJECTS: &str = r#""arn:aws:s3:::b/*""#;

/// A lint, statements that it finds with the place, and statements that come close and are quiet.
type Example = (&'static str, Vec<(String, &'static str)>, Vec<String>);

fn examples() -> Vec<Example> {
    let deny = |action: &str, resource: &str| allow(action, resource).replace("Allow", "Deny");
    let two = |one: &str, other: &str| format!("{one}, {other}").replacen('{', r#"{"Sid": "first", "#, 1);
    let second =
        |one: &str, other: &str| format!("{one}, {}", other.replacen('{', r#"{"Sid": "second", "#, 1));
    let passing = allow(r#""lambda:CreateFunction""#, r#""arn:aws:lambda:*:*:function:f""#);
    vec![
        (
            "lint::cancelled-allow",
            vec![
                (two(&allow(r#""s3:GetObject""#, OBJECTS), &deny(r#""s3:Get*""#, "\"*\"")), "\"first\""),
                (
                    two(
                        &allow(r#""s3:GetObject""#, OBJECTS),
                        r#"{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}"#,
                    ),
                    "\"first\"",
                ),
            ],
            vec![
                two(
                    &allow(r#""s3:GetObject""#, OBJECTS),
                    &deny(r#""s3:Get*""#, r#""arn:aws:s3:::b/secret/*""#),
                ),
                two(
                    &allow(r#""s3:GetObject""#, OBJECTS),
                    &when("s3:*", r#""Bool": {"aws:SecureTransport": "false"}"#).replace("Allow", "Deny"),
                ),
            ],
        ),
        (
            "lint::covered-statement",
            vec![
                (two(&allow(r#""s3:GetObject""#, OBJECTS), &allow(r#""s3:Get*""#, OBJECTS)), "\"first\""),
                (
                    second(&allow(r#""s3:GetObject""#, OBJECTS), &allow(r#""S3:getobject""#, OBJECTS)),
                    "\"second\"",
                ),
                (
                    two(
                        &when("s3:GetObject", r#""StringEquals": {"aws:username": "a"}"#),
                        &when("s3:GetObject", r#""StringEquals": {"AWS:UserName": ["a", "b"]}"#),
                    ),
                    "\"first\"",
                ),
            ],
            vec![
                two(&allow(r#""s3:GetObject""#, OBJECTS), &deny(r#""s3:GetObjectAcl""#, OBJECTS)),
                two(
                    &when("s3:GetObject", r#""StringNotEquals": {"aws:username": ["a", "b"]}"#),
                    &when("s3:GetObject", r#""StringNotEquals": {"aws:username": ["b", "c"]}"#),
                ),
            ],
        ),
        (
            "lint::missing-dependent-action",
            vec![(passing.clone(), "\"lambda:CreateFunction\"")],
            vec![format!("{passing}, {}", allow(r#""iam:PassR*""#, r#""arn:aws:iam::123456789012:role/r""#))],
        ),
        (
            "lint::never-matches",
            vec![
                (r#"{"Effect": "Deny", "NotAction": "*", "Resource": "*"}"#.into(), "\"*\""),
                (
                    when(
                        "s3:ListBucket",
                        r#""StringEquals": {"s3:prefix": ["a", "b"]}, "StringLike": {"s3:prefix": "c*"}"#,
                    ),
                    "\"s3:prefix\"",
                ),
                (
                    when(
                        "s3:ListBucket",
                        r#""Null": {"aws:SourceVpc": "true"}, "StringLike": {"aws:SourceVpc": "vpc-*"}"#,
                    ),
                    "\"aws:SourceVpc\"",
                ),
                (
                    when(
                        "s3:ListBucket",
                        r#""NumericLessThan": {"s3:max-keys": "5"}, "NumericGreaterThan": {"s3:max-keys": "5"}"#,
                    ),
                    "\"s3:max-keys\"",
                ),
                (
                    when(
                        "s3:ListBucket",
                        r#""DateGreaterThan": {"aws:CurrentTime": "2031-01-01"}, "DateLessThan": {"aws:CurrentTime": "2030-01-01"}"#,
                    ),
                    "\"aws:CurrentTime\"",
                ),
                (
                    when(
                        "s3:ListBucket",
                        r#""Bool": {"aws:ViaAWSService": "true"}, "BoolIfExists": {"aws:ViaAWSService": "false"}"#,
                    ),
                    "\"aws:ViaAWSService\"",
                ),
            ],
            vec![
                when(
                    "s3:ListBucket",
                    r#""StringEquals": {"s3:prefix": ["a", "b"]}, "StringLike": {"s3:prefix": "b*"}"#,
                ),
                when(
                    "s3:ListBucket",
                    r#""StringEquals": {"aws:username": "a"}, "StringLike": {"aws:username": "${aws:userid}"}"#,
                ),
                when(
                    "s3:ListBucket",
                    r#""StringEqualsIfExists": {"s3:prefix": "a"}, "StringNotEquals": {"s3:prefix": "a"}"#,
                ),
                when(
                    "s3:ListBucket",
                    r#""NumericLessThan": {"s3:max-keys": "5"}, "NumericGreaterThan": {"s3:max-keys": "4"}"#,
                ),
                when(
                    "s3:ListBucket",
                    r#""DateGreaterThan": {"aws:CurrentTime": "2030-01-01"}, "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:03Z"}"#,
                ),
                when(
                    "ec2:CreateTags",
                    r#""ForAnyValue:StringEquals": {"aws:TagKeys": "a"}, "ForAnyValue:StringLike": {"aws:TagKeys": "b*"}"#,
                ),
            ],
        ),
        (
            "lint::not-action-allow",
            vec![(
                r#"{"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:aws:s3:::b"}"#.into(),
                "\"iam:*\"",
            )],
            vec![r#"{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}"#.into()],
        ),
        (
            "lint::operator-type",
            vec![
                (when("s3:*", r#""StringLike": {"aws:SourceIp": "10.*"}"#), "\"aws:SourceIp\""),
                (when("s3:*", r#""NumericEquals": {"aws:username": "1"}"#), "\"aws:username\""),
            ],
            vec![
                when(
                    "s3:*",
                    r#""IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringLike": {"aws:PrincipalArn": "*"}"#,
                ),
                when(
                    "s3:*",
                    r#""Null": {"aws:TokenIssueTime": "true"}, "NumericLessThan": {"aws:EpochTime": "9"}"#,
                ),
            ],
        ),
        (
            "lint::resource-type",
            vec![
                (allow(r#"["s3:ListBucket", "s3:GetObject"]"#, OBJECTS), "\"s3:ListBucket\""),
                (allow(r#"["s3:GetObject", "s3:GetBucketPolicy"]"#, BUCKET), "\"s3:GetObject\""),
                (allow(r#""sqs:*""#, BUCKET), "\"sqs:*\""),
            ],
            vec![
                allow(r#"["s3:ListBucket", "s3:GetObject"]"#, &format!("[{BUCKET}, {OBJECTS}]")),
                allow(r#"["s3:ListBucket", "s3:*"]"#, r#""arn:aws:s3:::b*""#),
                allow(r#""ssm:SendCommand""#, r#""arn:aws:ssm:*::document/AWS-RunShellScript""#),
                allow(r#""s3:GetObject""#, r#""arn:aws:s3:::${aws:username}/*""#),
                format!(r#"{{"Effect": "Allow", "Action": "s3:ListBucket", "NotResource": {OBJECTS}}}"#),
            ],
        ),
        (
            "lint::set-operator",
            vec![
                (when("ec2:CreateTags", r#""StringEquals": {"aws:TagKeys": "a"}"#), "\"aws:TagKeys\""),
                (when("s3:*", r#""ForAllValues:StringEquals": {"aws:username": "a"}"#), "\"aws:username\""),
            ],
            vec![when(
                "ec2:CreateTags",
                r#""ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "Null": {"aws:TagKeys": "false"}"#,
            )],
        ),
        (
            "lint::size",
            vec![(allow(&format!(r#"["s3:GetObject", "s3:GetObject{}"]"#, "*".repeat(9_200)), OBJECTS), "")],
            vec![allow(&format!(r#"["s3:GetObject", "s3:GetObject{}"]"#, "*".repeat(9_000)), OBJECTS)],
        ),
        (
            "lint::unknown-action",
            vec![
                (allow(r#""s3:GetObjct""#, OBJECTS), "\"s3:GetObjct\""),
                (allow(r#""s3:Fetch*""#, OBJECTS), "\"s3:Fetch*\""),
                (r#"{"Effect": "Deny", "NotAction": "iam:Lst*", "Resource": "*"}"#.into(), "\"iam:Lst*\""),
            ],
            vec![allow(r#""s3:getobject*""#, OBJECTS)],
        ),
        (
            "lint::unknown-condition-key",
            vec![(when("s3:ListBucket", r#""StringEquals": {"s3:prefx": "x"}"#), "\"s3:prefx\"")],
            vec![when("s3:ListBucket", r#""StringEquals": {"S3:Prefix": "${aws:PrincipalTag/team}"}"#)],
        ),
        (
            "lint::unknown-service",
            vec![(allow(r#""dynamo:GetItem""#, "\"*\""), "\"dynamo:GetItem\"")],
            vec![allow(r#""dynamodb:GetItem""#, "\"*\"")],
        ),
        (
            "lint::unsupported-condition-key",
            vec![(when("s3:GetObject", r#""StringLike": {"s3:prefix": "x"}"#), "\"s3:prefix\"")],
            vec![
                when("s3:*", r#""StringLike": {"s3:prefix": "x"}"#),
                when("s3:GetObject", r#""StringLikeIfExists": {"s3:prefix": "x"}"#),
                when("s3:GetObject", r#""StringLike": {"aws:RequestedRegion": "x"}"#),
            ],
        ),
        (
            "lint::wide-allow",
            vec![(allow(r#""*""#, r#""*""#), "\"*\"")],
            vec![
                deny(r#""*""#, r#""*""#),
                allow(r#""s3:*""#, r#""*""#),
                when("*", r#""Bool": {"aws:SecureTransport": "true"}"#),
            ],
        ),
        (
            "lint::wide-pass-role",
            vec![
                (allow(r#""iam:PassRole""#, r#""*""#), "\"iam:PassRole\""),
                (allow(r#""iam:*""#, r#""arn:aws:iam::*:role/*""#), "\"iam:*\""),
            ],
            vec![
                when("iam:PassRole", r#""StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}"#),
                allow(r#""iam:PassRole""#, r#""arn:aws:iam::123456789012:role/app-*""#),
            ],
        ),
        (
            "lint::wildcard-only-action",
            vec![(allow(r#"["s3:GetObject", "s3:ListAllMyBuckets"]"#, OBJECTS), "\"s3:ListAllMyBuckets\"")],
            vec![
                allow(r#""s3:ListAllMyBuckets""#, r#""*""#),
                allow(r#""s3:ListAllMyBuckets""#, r#""arn:aws:s3:::*""#),
            ],
        ),
    ]
}

#[test]
fn every_lint_finds_its_mistake_and_nothing_that_comes_close() {
    for (code, mistakes, good) in examples() {
        for (statements, place) in mistakes {
            assert_eq!(found(PolicyKind::Identity, &statements), [(code, place.to_owned())], "{statements}");
        }
        for statements in good {
            assert_eq!(found(PolicyKind::Identity, &statements), [], "{code} {statements}");
        }
    }
}

#[test]
fn every_lint_has_an_example() {
    let examples = examples();
    for lint in &LINTS {
        let is_one = examples.iter().any(|(code, ..)| *code == lint.code);
        // Only policies with principals can have it; its test is below.
        assert!(is_one || lint.code == "lint::not-principal", "{}", lint.code);
        assert_eq!(Lint::find(&lint.ident()).map(Lint::code), Some(lint.code));
    }
    assert!(LINTS.is_sorted_by_key(Lint::code));
}

#[test]
fn principals_are_looked_at_in_the_policies_that_have_them() {
    let deny =
        |principal: &str| format!(r#"{{"Effect": "Deny", {principal}, "Action": "s3:*", "Resource": "*"}}"#);
    let not_root = r#""NotPrincipal": {"AWS": "111122223333"}"#;
    assert_eq!(
        found(PolicyKind::Resource, &deny(not_root)),
        [("lint::not-principal", r#"{"AWS": "111122223333"}"#.to_owned())]
    );
    let of = |principal: &str| {
        allow(r#""s3:GetObject""#, OBJECTS).replacen(
            '{',
            &format!(r#"{{"Sid": "{}", "Principal": {principal}, "#, principal.len()),
            1,
        )
    };
    let (everyone, one, other) = (r#""*""#, r#"{"AWS": "111122223333"}"#, r#"{"AWS": ["444455556666"]}"#);
    let covered = found(PolicyKind::Resource, &format!("{}, {}", of(everyone), of(one)));
    assert_eq!(covered.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["lint::covered-statement"]);
    assert_eq!(found(PolicyKind::Resource, &format!("{}, {}", of(one), of(other))), []);
    let (canonical, another) = (r#"{"CanonicalUser": "79a59df9"}"#, r#"{"CanonicalUser": "79a59df900b9"}"#);
    assert_eq!(found(PolicyKind::Resource, &format!("{}, {}", of(canonical), of(another))), []);
}

#[test]
fn what_limits_others_may_be_wide() {
    let everything = allow(r#""*""#, r#""*""#);
    for kind in [PolicyKind::Boundary, PolicyKind::ServiceControl, PolicyKind::Session] {
        assert_eq!(found(kind, &everything), [], "{kind}");
    }
}

#[test]
fn of_a_template_only_what_is_known_is_looked_at() {
    let text = |resource: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [
                {{"Effect": "Allow", "Action": ["${{service}}:Get*", "s3:ListBucket"], "Resource": "{resource}"}},
                {{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::${{bucket}}",
                  "Condition": {{"StringEquals": {{"s3:prefix": "a"}}, "StringLike": {{"s3:prefix": "${{prefix}}"}}}}}}]}}"#
        )
    };
    let codes = |text: &str| -> Vec<&str> {
        Policy::check_template(text, PolicyKind::Identity).iter().map(|found| found.code).collect()
    };
    assert_eq!(codes(&text("${bucket_arn}")), [""; 0]);
    assert_eq!(codes(&text("arn:${AWS::Partition}:s3:::${bucket}")), [""; 0]);
    assert_eq!(codes(&text("arn:${AWS::Partition}:s3:::${bucket}/*")), ["lint::resource-type"]);
}

#[test]
fn errors_and_lints_come_together_and_a_statement_with_errors_has_no_lints() {
    let text = "{\"Statement\": [\n{\"Effect\": \"Allow\", \"Action\": \"s3:Lst\", \"Resource\": \"*\"},\n\
                {\"Effect\": \"Allow\", \"Action\": \"s3:ListBucket\", \"Resource\": [\"x\", \"arn:aws:s3:::b/*\"]}]}";
    let found = Policy::check(text, PolicyKind::Identity);
    let lines: Vec<String> = found.iter().map(|one| format!("{} {}", one.location(), one.code)).collect();
    assert_eq!(lines, ["2:31 lint::unknown-action", "3:61 iam::resource"]);
}

#[test]
fn unknown_keys_are_found_in_variables_too_with_the_near_name() {
    let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:usrname}",
 "Condition": {"StringLike": {"aws:SourceIPs": "x", "s3:prefix": "${s3:prefx}", "aws:PrincipalTag/x": "${bucket}"}}}}"#;
    let found: Vec<String> = Policy::check(text, PolicyKind::Identity)
        .iter()
        .map(|one| format!("{} {} {}", one.location(), one.message, one.help.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        found,
        [
            "1:90 AWS has no condition key `aws:usrname` did you mean `aws:username`?",
            "2:31 AWS has no condition key `aws:SourceIPs` did you mean `aws:SourceIp`?",
            "2:66 AWS has no condition key `s3:prefx` did you mean `s3:prefix`?",
            "2:103 AWS has no condition key `bucket` `${bucket}` is a variable of a template, which was not filled; IAM's have a colon",
        ]
    );
}

#[test]
fn a_finding_renders_with_both_places() {
    let text = "{\n  \"Statement\": {\n    \"Effect\": \"Allow\",\n    \"Action\": \"s3:ListBucket\",\n    \"Resource\": \"arn:aws:s3:::b/*\"\n  }\n}";
    let policy = Policy::parse(Source::new("p.json", text), PolicyKind::Identity).unwrap();
    assert_eq!(
        policy.lint()[0].to_string(),
        "warning[lint::resource-type]: `s3:ListBucket` acts on no resource of this statement\n \
         --> p.json:4:15\n  |\n\
         4 |     \"Action\": \"s3:ListBucket\",\n  |               ^^^^^^^^^^^^^^^ acts on `accesspoint`, `bucket`\n\
         5 |     \"Resource\": \"arn:aws:s3:::b/*\"\n  |                 ------------------ this is `object`\n  |\n  \
         = help: name such a resource: `arn:${Partition}:s3:::${BucketName}`\n  \
         = docs: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html#resources_table"
    );
}

/// AWS's own policies hold mistakes, too; a lint that finds more of them than these was made worse.
#[test]
fn aws_managed_policies_are_nearly_quiet() {
    let mut mistaken = 0;
    for managed in managed::all().step_by(8) {
        let policy = Policy::parse(managed.document(), PolicyKind::Identity).unwrap();
        mistaken += usize::from(policy.lint().iter().any(|finding| finding.severity == Severity::Warning));
    }
    assert!(mistaken <= 16, "{mistaken}");
}
