use std::time::{Duration, Instant};

use super::*;
use crate::document::PolicyKind;
use crate::evaluate::StatementRef;

const BUCKET: &str = "arn:aws:s3:::b/";

/// A policy of statements `+ resource` and `- resource`, of objects in a bucket, with a condition behind a `|`.
fn policy(statements: &[&str]) -> Policy {
    let statement = |text: &&str| {
        let (effect, rest) = text.split_at(1);
        let effect = if effect == "+" { "Allow" } else { "Deny" };
        let (resource, condition) = rest.split_once('|').unwrap_or((rest, ""));
        let (element, resource) = match resource.strip_prefix('!') {
            Some(resource) => ("NotResource", resource),
            None => ("Resource", resource),
        };
        format!(
            r#"{{"Effect":"{effect}","Action":"s3:GetObject","{element}":"{BUCKET}{resource}","Condition":{{{condition}}}}}"#
        )
    };
    let statements: Vec<String> = statements.iter().map(statement).collect();
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    Policy::parse(text, PolicyKind::Identity).unwrap_or_else(|problems| panic!("{problems}"))
}

fn is_subset(new: &[&str], old: &[&str]) -> Answer {
    policy(new).permissions().is_subset(&policy(old).permissions())
}

const USER: &str = "${aws:username}";

#[test]
fn variables_are_neither_any_text_nor_a_text_of_their_own() {
    let home = format!("+home/{USER}/*");
    let private = format!("+home/{USER}/private");
    let twice = format!("+{USER}/{USER}");
    let is_bob = r#""StringEquals":{"aws:username":"bob"}"#;
    let not_bob = r#""StringNotEquals":{"aws:username":"bob"}"#;
    let bob_if_bob = format!("+home/bob/*|{is_bob}");
    let home_but_bob = format!("+home/{USER}/*|{not_bob}");
    let starts = format!("+home/{USER}/*|{}", r#""StringLike":{"aws:username":"team-*"}"#);
    let with_default = "+home/${aws:username, 'guest'}/*";
    for (new, old, expected) in [
        (&[&*home][..], &["+home/*"][..], true),
        (&["+home/*"], &[&*home], false),
        (&[&*home], &[&*home], true),
        (&[&*private], &[&*home], true),
        (&[&*twice], &["+*/*"], true),
        (&[&*home], &[&*private], false),
        (&[&*home], &["+home/*", "-home/bob/*"], false),
        (&[&*home_but_bob], &["+home/*", "-home/bob/*"], false),
        (&[&*bob_if_bob], &[&*home], true),
        (&["+home/bob/*"], &[&*home], false),
        (&[&*starts], &["+home/team-*/*"], true),
        (&[&*starts], &["+home/team-a*/*"], false),
        (&[&*home], &[with_default], true),
        (&[with_default], &[&*home], false),
        (&["+home/guest/*"], &[with_default], false),
        (&[&*home, "-home/bob/*"], &["+home/*", "-home/bob/*"], true),
        (&["+home/*", &*format!("-home/{USER}/*")], &["+home/*"], true),
        (&["+home/*", "-home/bob/*"], &["+home/*", &*format!("-home/{USER}/*")], false),
    ] {
        let answer = is_subset(new, old);
        let told = (answer.is_yes(), answer.is_no());
        assert_eq!(told, (expected, !expected), "{new:?} {old:?} {answer:?}");
    }
}

#[test]
fn what_variables_leave_open_is_unknown_and_names_its_statement() {
    // The same name twice: the search has no way to tell these apart.
    let answer = is_subset(&[&format!("+{USER}/{USER}")], &["+*/*", "-a*/*b", "-b*/*a"]);
    assert!(!answer.is_yes(), "{answer:?}");
    let answer = is_subset(&[&format!("+{USER}/{USER}")], &["+*/*", "-?/??"]);
    let unknown = answer.unknown().unwrap_or_else(|| panic!("{answer:?}"));
    assert!(unknown.reason().contains("variables"));
    assert_eq!(unknown.statement().map(StatementRef::index), Some(0));
}

#[test]
fn values_of_every_type_are_compared_by_their_limits() {
    let with = |condition: &str| format!("+*|{condition}");
    for (new, old, expected) in [
        (r#""NumericLessThan":{"s3:max-keys":"5"}"#, r#""NumericLessThanEquals":{"s3:max-keys":"5"}"#, true),
        (r#""NumericLessThanEquals":{"s3:max-keys":"5"}"#, r#""NumericLessThan":{"s3:max-keys":"5"}"#, false),
        (
            r#""IpAddress":{"aws:SourceIp":"10.2.0.0/16"}"#,
            r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#,
            true,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#,
            r#""IpAddress":{"aws:SourceIp":["10.0.0.0/9","10.128.0.0/9"]}"#,
            true,
        ),
        (
            r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#,
            r#""NotIpAddress":{"aws:SourceIp":"10.255.255.255"}"#,
            false,
        ),
        (
            r#""DateLessThan":{"aws:CurrentTime":"2026-01-01"}"#,
            r#""DateLessThan":{"aws:CurrentTime":"2026-01-02"}"#,
            true,
        ),
        (
            r#""DateLessThanEquals":{"aws:CurrentTime":"2026-01-01"}"#,
            r#""DateLessThan":{"aws:CurrentTime":"2026-01-01"}"#,
            false,
        ),
        (r#""Bool":{"aws:SecureTransport":"true"}"#, r#""Null":{"aws:SecureTransport":"false"}"#, true),
        (
            r#""BoolIfExists":{"aws:SecureTransport":"true"}"#,
            r#""Bool":{"aws:SecureTransport":"true"}"#,
            false,
        ),
        (r#""StringEquals":{"aws:TagKeys":"a"}"#, r#""ForAnyValue:StringEquals":{"aws:TagKeys":"a"}"#, true),
        (
            r#""ForAnyValue:StringEquals":{"aws:TagKeys":"a"}"#,
            r#""ForAllValues:StringEquals":{"aws:TagKeys":"a"}"#,
            false,
        ),
        (
            r#""ArnLike":{"aws:SourceArn":"arn:aws:sns:*:1:t"}"#,
            r#""StringLike":{"aws:SourceArn":"arn:aws:sns:*:1:t"}"#,
            true,
        ),
        (
            r#""StringLike":{"aws:SourceArn":"arn:aws:sns:*:1:t"}"#,
            r#""ArnLike":{"aws:SourceArn":"arn:aws:sns:*:1:t"}"#,
            false,
        ),
        (
            r#""StringEquals":{"aws:RequestTag/k":"Key"}"#,
            r#""StringEqualsIgnoreCase":{"aws:RequestTag/k":"KEY"}"#,
            true,
        ),
        (
            r#""StringEqualsIgnoreCase":{"aws:RequestTag/k":"key"}"#,
            r#""StringEquals":{"aws:RequestTag/k":["key","KEY","Key"]}"#,
            false,
        ),
        (r#""BinaryEquals":{"x:k":"QQ=="}"#, r#""BinaryEquals":{"x:k":["QQ","Qg=="]}"#, true),
    ] {
        let answer = is_subset(&[&with(new)], &[&with(old)]);
        assert_eq!((answer.is_yes(), answer.is_no()), (expected, !expected), "{new} {old} {answer:?}");
    }
}

#[test]
fn a_counterexample_is_of_the_catalogue_and_shows_both_statements() {
    let answer = is_subset(&["+reports/*"], &["+reports/2026/*"]);
    let found = answer.counterexample().unwrap();
    assert_eq!(found.request().action, "s3:GetObject");
    let text = found.to_string();
    assert!(text.contains("allows it") && text.contains("came nearest"), "{text}");
}

#[test]
fn a_counterexample_tells_whether_it_needs_a_star_beyond_a_colon() {
    let logs = |statements: &[(&str, &str)]| {
        let statement = |(effect, resource): &(&str, &str)| {
            format!(
                r#"{{"Effect": "{effect}", "Action": "logs:PutLogEvents", "Resource": "arn:aws:logs:{resource}"}}"#
            )
        };
        let statements: Vec<String> = statements.iter().map(statement).collect();
        let text = format!(r#"{{"Statement": [{}]}}"#, statements.join(","));
        Policy::parse(text, PolicyKind::Identity).unwrap().permissions()
    };
    let old = logs(&[("Allow", "*"), ("Deny", "*:*:log-group:/aws-glue/*")]);
    for (new, expected) in [
        ("*:*:/aws-glue/*", Some(true)),
        ("*:*:log-group:*", Some(false)),
        ("*:*:log-group:/other/*", Some(true)),
        ("eu-west-1:123456789012:log-group:/other/a", None),
    ] {
        let answer = logs(&[("Allow", new)]).is_subset(&old);
        let crosses = answer.counterexample().map(Counterexample::crosses_colons);
        assert_eq!(crosses, expected, "{new} {answer:?}");
        let told = answer.counterexample().is_some_and(|found| found.to_string().contains("beyond a colon"));
        assert_eq!(told, expected == Some(true), "{new}");
    }
}

#[test]
fn worst_cases_end_in_the_limit() {
    let denies: Vec<String> = (0..30)
        .map(|n| format!("-!*{}*", format!("{n:05b}").replace('0', "aab").replace('1', "aba")))
        .collect();
    let mut new: Vec<&str> = denies.iter().map(String::as_str).collect();
    new.push("+*");
    let many = format!("+{}", "*a".repeat(60));
    let marks = format!("+*a{}*", "?".repeat(60));
    // Twelve keys, and a statement for each combination of their being so or not.
    let keys = |signs: u32| -> String {
        let keys = |wanted: u32| {
            let keys = (0..12).filter(|key| signs >> key & 1 == wanted);
            keys.map(|key| format!(r#""aws:RequestTag/k{key}":"v""#)).collect::<Vec<_>>().join(",")
        };
        format!(r#"+*|"StringEquals":{{{}}},"StringNotEquals":{{{}}}"#, keys(0), keys(1))
    };
    let combinations: Vec<String> = (0..1 << 12).map(keys).collect();
    let combinations: Vec<&str> = combinations.iter().map(String::as_str).collect();
    let variables: Vec<String> = (0..12).map(|key| format!("${{aws:PrincipalTag/k{key}}}")).collect();
    let (beside, between) = (format!("+{}", variables.join("/")), format!("+{}", variables.join("*")));
    for (new, old) in [
        (&*new, &["+*b*a*b*"][..]),
        (&[&*many], &[&*marks]),
        (&["+*"], &[&*marks, &*many]),
        (&["+*"], &*combinations),
        (&[&*beside], &["+*", "-a*b/*c*/d*"]),
        (&["+*"], &[&*between]),
    ] {
        let (new, old) = (policy(new).permissions(), policy(old).permissions());
        let start = Instant::now();
        let answer = new.is_subset(&old);
        let is_told =
            answer.unknown().is_none_or(|unknown| unknown.is_limit() || unknown.statement().is_some());
        // A second of a processor that does nothing else.
        assert!(is_told && start.elapsed() < Duration::from_secs(10), "{:?}: {answer:?}", start.elapsed());
    }
}

#[test]
fn policies_that_name_principals_are_not_guessed_at() {
    let text = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}}"#;
    let bucket = Policy::parse(text, PolicyKind::Resource).unwrap().permissions();
    assert!(bucket.is_subset(&Permissions::nothing()).unknown().is_some());
    assert!(bucket.is_subset(&Permissions::everything()).is_yes());
}

#[test]
fn an_action_counts_on_resources_of_its_own_types_only() {
    let text = |action: &str| {
        let text = format!(
            r#"{{"Statement": {{"Effect": "Allow", "Action": "s3:{action}", "Resource": "{BUCKET}*"}}}}"#
        );
        Policy::parse(text, PolicyKind::Identity).unwrap().permissions().actions()
    };
    assert!(matches!(text("GetObject").as_slice(), [(_, Answer::No(_))]));
    assert!(matches!(text("ListBucket").as_slice(), [] | [(_, Answer::Unknown(_))]));
}

#[test]
fn keys_of_a_counterexample_are_spelt_as_the_policies_spell_them() {
    let keys = |new: &[&str], old: &[&str]| {
        let answer = is_subset(new, old);
        let request = answer.counterexample().expect("it is no subset").request().clone();
        request.context.iter().map(|(key, _)| key.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        keys(&[r#"+a|"StringEquals":{"aws:PrincipalTag/Team":"a"}"#], &["+b"]),
        ["aws:PrincipalTag/Team"]
    );
    assert_eq!(keys(&[r#"+a|"StringEquals":{"AWS:UserName":"a"}"#], &["+b"]), ["AWS:UserName"]);
    assert_eq!(keys(&["+${aws:principalaccount}"], &["+b"]), ["aws:PrincipalAccount"]);
}
