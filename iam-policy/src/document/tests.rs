//! Documents as a whole: several problems at once, templates, canonical JSON, sizes, unknown keys.

use super::*;

fn parse(text: &str) -> Result<Policy, Diagnostics> {
    Policy::parse(Source::new("p.json", text), PolicyKind::Identity)
}

fn problems(result: Result<Policy, Diagnostics>) -> Vec<String> {
    let problems = result.expect_err("a rejected policy");
    problems.iter().map(|problem| format!("{} {}", problem.location(), problem.code)).collect()
}

#[test]
fn all_problems_are_reported_at_once_in_the_order_of_their_places() {
    let text = r#"{
  "Version": "2012",
  "Statement": [
    { "Effect": "allow", "Action": ["GetObject", "s3:*",], "Resource": "reports" },
    { "Sid": "a b", "Effect": "Deny", "Action": "*", "Condition": { "StringIs": {}, "Bool": { "aws:x": "on" } } }
  ]
}"#;
    assert_eq!(
        problems(parse(text)),
        [
            "2:14 iam::version",
            "4:17 iam::effect",
            "4:37 iam::action",
            "4:56 iam::json-syntax",
            "4:72 iam::resource",
            "5:14 iam::sid",
            "5:14 iam::missing-element",
            "5:69 iam::condition-operator",
            "5:104 iam::condition-value",
        ]
    );
}

#[test]
fn a_problem_renders_with_its_line_and_what_to_do() {
    let text = "{\n  \"Statement\": {\n    \"Efect\": \"Allow\",\n    \"Action\": \"*\",\n    \"Resource\": \"*\"\n  }\n}";
    let error = parse(text).expect_err("a rejected policy").to_string();
    assert!(
        error.contains(
            "error[iam::unknown-element]: a statement has no element `Efect`\n --> p.json:3:5\n  |\n\
             3 |     \"Efect\": \"Allow\",\n  |     ^^^^^^^\n  |\n  = help: did you mean `Effect`?\n"
        ),
        "{error}"
    );
}

#[test]
fn a_template_is_checked_apart_from_the_values_that_hold_placeholders() {
    let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "${service}:Get*", "Sid": "${sid}",
        "Resource": ["${bucket}", "arn:aws:s3:::${bucket}/*", "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:t"],
        "Condition": {"NumericLessThan": {"s3:max-keys": "${most}"}, "StringEquals": {"aws:PrincipalTag/${tag}": "x"}}}}"#;
    assert!(Policy::parse_template(text, PolicyKind::Identity).is_ok());
    assert!(!problems(parse(text)).is_empty());
    let slip = text.replace("Allow", "Alow").replace("\"${bucket}\"", "\"bucket\"");
    assert_eq!(
        problems(Policy::parse_template(slip, PolicyKind::Identity)),
        ["1:51 iam::effect", "2:22 iam::resource"]
    );
}

#[test]
fn canonical_json_says_the_same_in_one_way() {
    let text = r#"{ "Id": "x", "Statement": [{"Resource": ["*"], "NotAction": ["s3:*", "sqs:*"], "Effect": "Allow", "Sid": "",
        "Condition": {"StringLike": {"aws:username": ["a\"b", "c"], "s3:prefix": "é"}, "NumericEquals": {"s3:max-keys": 10}}}]}"#;
    let policy = parse(text).unwrap();
    assert_eq!(
        policy.to_json(),
        r#"{"Id":"x","Statement":[{"Sid":"","Effect":"Allow","NotAction":["s3:*","sqs:*"],"Resource":"*","Condition":{"StringLike":{"aws:username":["a\"b","c"],"s3:prefix":"é"},"NumericEquals":{"s3:max-keys":"10"}}}]}"#
    );
    let principals = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com","AWS":["*","111122223333"]},"Action":"*","Resource":"*"},{"Effect":"Deny","NotPrincipal":"*","Action":"*","Resource":"*"}]}"#;
    assert_eq!(Policy::parse(principals, PolicyKind::Resource).unwrap().to_json(), principals);
}

#[test]
fn sizes_are_counted_as_aws_counts_them() {
    let text = "{\"Version\": \"2012-10-17\",\n \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"arn:aws:s3:::é\"}\n}";
    let size = |kind| Policy::parse(text, kind).unwrap().size();
    let bare: usize = text.chars().filter(|c| !c.is_whitespace()).count();
    assert_eq!(size(PolicyKind::Identity), bare);
    assert_eq!(size(PolicyKind::Session), text.chars().count());
    assert_eq!(size(PolicyKind::ServiceControl), text.chars().count());
    let policy = parse(text).unwrap();
    assert!(policy.check_size(bare).is_ok());
    let error = policy.check_size(bare - 1).expect_err("too large").to_string();
    assert!(error.contains(&format!(
        "the policy has {bare} characters without white space, and {} are allowed",
        bare - 1
    )));
}

#[test]
fn what_aws_accepts_is_accepted() {
    for (kind, text) in [
        (
            PolicyKind::Identity,
            r#"{"Statement":[{"Effect":"Allow","Action":"*:*","Resource":"arn:aws:codebuild:*"}]}"#,
        ),
        (
            PolicyKind::Identity,
            r#"{"Statement":[{"Effect":"Allow","Action":"S3:get?b*","Resource":"arn:*:s3:::b","Condition":{}}]}"#,
        ),
        (
            PolicyKind::Identity,
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:${aws:x}:s3:::${aws:y}"}}"#,
        ),
        (
            PolicyKind::Identity,
            r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{}}}}"#,
        ),
        (
            PolicyKind::Resource,
            r#"{"Id":"i","Statement":{"Sid":"a b é 日","Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::日"}}"#,
        ),
        (
            PolicyKind::Resource,
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"}}"#,
        ),
        (
            PolicyKind::Trust,
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"AROADBQP57FF2AEXAMPLE"},"Action":["sts:AssumeRole","STS:tagsession"]}}"#,
        ),
    ] {
        if let Err(problems) = Policy::parse(text, kind) {
            panic!("{text}\n{problems}");
        }
    }
}

#[test]
fn a_hostile_text_gets_a_bounded_number_of_problems() {
    let text = format!("{{\"Statement\": [{}]}}", "1 ".repeat(10_000));
    assert_eq!(problems(parse(&text)).len(), 64);
}
