//! Pairs of policies that are easily got wrong: what the sets say of them is what the plain evaluator says of every request that
//! the two tell apart, and of many that they do not.

#![expect(clippy::panic, reason = "tests")]

use std::collections::BTreeSet;

use iam_policy::{Context, Policy, PolicyKind, PolicySet, Principal, Request, Statement};

/// What is to be said of `new` within `old`, and of `old` within `new`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Within {
    Both,
    Neither,
    New,
    Old,
}
use Within::{Both, Neither, New, Old};

const ACTIONS: [&str; 7] = [
    "s3:GetObject",
    "S3:getobject",
    "s3:GetObjectAcl",
    "s3:PutObject",
    "iam:CreateUser",
    "s3:x",
    "sqs:SendMessage",
];
const RESOURCES: [&str; 16] = [
    "*",
    "x",
    "arn:aws:s3:::b/home/bob/x",
    "arn:aws:s3:::b/home/x/x",
    "arn:aws:s3:::b/home/BOB/x",
    "arn:aws:s3:::b/home/${aws:username}/x",
    "arn:aws:s3:::b/home/*",
    "arn:aws:s3:::b/home/$",
    "arn:aws:s3:::b/home/",
    "arn:aws:s3:::b/red/x",
    "arn:aws:s3:::b/secret/x",
    "arn:aws:s3:::b/a:b",
    "ARN:aws:s3:::b/home/bob/x",
    "arn:aws:s3:eu-west-1:123456789012:accesspoint/b/home/bob/x",
    "arn:aws:sqs:eu-west-1:123456789012:bob",
    "arn:aws:sqs:eu-west-1:123456789012:x:bob",
];

/// `+` or `-` for the effect, then actions, resources (`!` for all but those, or nothing for all) and conditions, separated by
/// `|`; a `2008` before all statements for the older version.
fn policy(text: &str) -> Policy {
    let (version, text) = text.strip_prefix("2008").map_or(("2012-10-17", text), |rest| ("2008-10-17", rest));
    let list = |element: &str, text: &str, start: &str| {
        let (not, text) = text.strip_prefix('!').map_or(("", text), |rest| ("Not", rest));
        let values: Vec<String> = text
            .split(' ')
            .map(|value| match value {
                "" => "\"*\"".to_owned(),
                value if value.starts_with('/') => format!("\"{start}{value}\""),
                value => format!("\"{value}\""),
            })
            .collect();
        format!(r#""{not}{element}":[{}]"#, values.join(","))
    };
    let statement = |text: &str| {
        let (effect, rest) = text.trim().split_at(1);
        let mut parts = rest.splitn(3, '|');
        let mut part = || parts.next().unwrap_or_default().trim();
        let (action, resource) = (list("Action", part(), ""), list("Resource", part(), "arn:aws:s3:::b"));
        let conditions = part();
        let effect = if effect == "+" { "Allow" } else { "Deny" };
        format!(r#"{{"Effect":"{effect}",{action},{resource},"Condition":{{{conditions}}}}}"#)
    };
    let statements: Vec<String> = text.split(';').map(statement).collect();
    let text = format!(r#"{{"Version":"{version}","Statement":[{}]}}"#, statements.join(","));
    Policy::parse(text.as_str(), PolicyKind::Identity).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

/// An identity-based policy of one `Allow` with a condition.
fn only_if(condition: &str) -> String {
    format!("+||{condition}")
}

#[test]
fn actions_and_resources() {
    for (new, old, within) in [
        ("+!iam:*|!/secret/*", "+|; -iam:*|; -|/secret/*", Both),
        ("+!s3:Get*|", "+!s3:GetObject|", New),
        ("+|; -!s3:*|", "+s3:*|", Both),
        ("+!s3:*|; +s3:*|", "+*:*|", Both),
        ("+s3:GET*|", "+S3:get*|", Both),
        ("+s3:*|", "+s3:?*|", Both),
        ("+s3:Get*|", "+s3:*Object|", Neither),
        ("+s3:*|!*", "+iam:CreateUser|/none", New),
        ("+s3:*|/home/bob/*", "+s3:*|/HOME/bob/*", Neither),
        ("+s3:*|arn:aws:s3:::b/home/*", "+s3:*|arn:aws:s3:*:*:*/home/*", New),
        ("+sqs:*|arn:aws:sqs:*:*:*bob", "+sqs:*|arn:aws:sqs:*:*:bob", Old),
        ("+sqs:*|arn:aws:sqs:*:*:bob", "+sqs:*|arn:aws:sqs:??-*-?:*:bob", Old),
        ("+|!/home/* /secret/*", "+|!/home/*", New),
        ("+|; -|!/home/bob/*; -|!/home/*/x", "+|/home/bob/*/x /home/bob/x", Both),
        ("+|; -|/home/*; +|/home/bob/*", "+|; -|/home/*", Both),
    ] {
        check(new, old, within, &[]);
    }
}

#[test]
fn keys_that_are_absent_or_have_several_values() {
    let of = |condition: &str| format!("+||{condition}");
    let any = r#""ForAnyValue:StringEquals":{"aws:TagKeys":"a"}"#;
    let all = r#""ForAllValues:StringEquals":{"aws:TagKeys":"a"}"#;
    let exists = r#""Null":{"aws:TagKeys":"false"}"#;
    let referer = |operator: &str, value: &str| format!(r#""{operator}":{{"aws:Referer":{value}}}"#);
    let is_a = referer("StringEquals", "\"a\"");
    for (new, old, within) in [
        (
            of(&format!("{},{}", referer("StringEqualsIfExists", "\"a\""), referer("Null", "false"))),
            of(&is_a),
            Both,
        ),
        (of(&referer("Null", "true")), of(&referer("StringNotEquals", "\"a\"")), New),
        (of(&referer("StringNotEqualsIfExists", "\"a\"")), of(&referer("StringNotEquals", "\"a\"")), Both),
        (of(&format!("{is_a},{}", referer("Null", "true"))), "+none:*|".to_owned(), New),
        (of(&referer("StringNotEquals", r#"["a","b"]"#)), of(&referer("StringNotEquals", "\"a\"")), New),
        (format!("+|; -||{}", referer("StringNotEqualsIfExists", "\"a\"")), of(&is_a), Both),
        (format!("+|; -||{}", referer("StringNotEquals", "\"a\"")), of(&is_a), Both),
        (format!("+|; -||{is_a}"), of(&referer("StringNotEquals", "\"a\"")), Both),
        (format!("+|; -||{}", referer("Null", "true")), of(&referer("StringLike", "\"*\"")), Both),
        (of(r#""Null":{"aws:TagKeys":"true"}"#), of(all), New),
        (of(any), of(exists), New),
        (of(&format!("{any},{all}")), of(all), New),
        (of(&format!("{all},{exists}")), of(any), Neither),
        (format!("+|; -||{any}"), of(r#""ForAllValues:StringNotEquals":{"aws:TagKeys":"a"}"#), Both),
        (format!("+|; -||{all}"), of(r#""ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}"#), Both),
        (format!("+|; -||{}", r#""StringEquals":{"aws:TagKeys":"a"}"#), format!("+|; -||{any}"), Both),
        (
            of(r#""ForAnyValue:StringLike":{"aws:TagKeys":["a","b"]}"#),
            format!("{}; {}", of(any), of(&any.replace("\"a\"", "\"b\""))),
            Both,
        ),
        (
            of(r#""ForAllValues:StringLike":{"aws:TagKeys":["a","b"]}"#),
            format!("{}; {}", of(all), of(&all.replace("\"a\"", "\"b\""))),
            Old,
        ),
        (of(r#""ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":"a"}"#), of(any), Old),
    ] {
        check(&new, &old, within, &[]);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn values_of_every_type() {
    let of =
        |operator: &str, key: &str, value: &str| only_if(&format!(r#""{operator}":{{"{key}":"{value}"}}"#));
    let time = "aws:CurrentTime";
    let ip = "aws:SourceIp";
    let secure = "aws:SecureTransport";
    let arn = "aws:SourceArn";
    for (new, old, within, more) in [
        (
            of("DateLessThan", time, "1700000000"),
            of("DateLessThan", time, "2023-11-14T22:13:21Z"),
            New,
            &["1700000000", "2023-11-14T22:13:20Z", "2023-11-15T00:13:20+02:00", "1699999999", "x"][..],
        ),
        (
            of("DateEquals", time, "2023-11-14T22:13:20Z"),
            of("DateEquals", time, "1700000000"),
            Both,
            &["1700000000", "2023-11-14T22:13:20Z"],
        ),
        (
            of("DateNotEquals", time, "1700000000"),
            of("DateGreaterThan", time, "1700000000"),
            Old,
            &["1700000001", "1", "x"],
        ),
        (
            of("IpAddress", ip, "::/0"),
            of("NotIpAddress", ip, "0.0.0.0/0"),
            New,
            &["10.0.0.1", "::1", "::ffff:10.0.0.1", "x"],
        ),
        (
            of("IpAddress", ip, "10.0.0.1"),
            of("IpAddress", ip, "10.0.0.1/32"),
            Both,
            &["10.0.0.1", "10.0.0.2"],
        ),
        (
            of("IpAddress", ip, "10.0.0.0/8"),
            of("NotIpAddress", ip, "2001:db8::/32"),
            New,
            &["10.1.1.1", "2001:db8::1", "11.0.0.1"],
        ),
        (
            of("IpAddress", ip, "2001:db8::/33"),
            of("IpAddress", ip, "2001:db8::/32"),
            New,
            &["2001:db8::1", "2001:db8:8000::1"],
        ),
        (
            of("Bool", secure, "true"),
            of("StringEqualsIgnoreCase", secure, "TRUE"),
            Both,
            &["true", "True", "false", "1", "x"],
        ),
        (
            of("Bool", secure, "false"),
            of("StringNotEquals", secure, "true"),
            New,
            &["false", "x", "FALSE", "0"],
        ),
        (of("BoolIfExists", secure, "false"), of("Null", secure, "true"), Old, &["false", "true", "x"]),
        (
            of("NumericEquals", "s3:max-keys", "1.0"),
            of("NumericEquals", "s3:max-keys", "1"),
            Both,
            &["1", "1.0", "01", "1.00001"],
        ),
        (
            of("NumericGreaterThan", "s3:max-keys", "4"),
            of("NumericGreaterThanEquals", "s3:max-keys", "5"),
            Old,
            &["4", "4.5", "5", "x"],
        ),
        (
            of("NumericNotEquals", "s3:max-keys", "4"),
            of("StringNotEquals", "s3:max-keys", "4"),
            New,
            &["4", "4.0", "x"],
        ),
        (
            of("ArnLike", arn, "arn:aws:sqs:*:*:bob"),
            of("StringLike", arn, "arn:aws:sqs:*:*:bob"),
            New,
            &["arn:aws:sqs:r:1:bob", "arn:aws:sqs:r:1:x:bob"],
        ),
        (
            of("ArnNotLike", arn, "arn:aws:sqs:*:*:bob"),
            of("StringNotLike", arn, "arn:aws:sqs:*:*:bob"),
            Old,
            &["arn:aws:sqs:r:1:bob", "arn:aws:sqs:r:1:x:bob"],
        ),
        (
            of("ArnEquals", arn, "arn:aws:sqs:r:1:a*"),
            of("ArnLike", arn, "arn:aws:sqs:r:1:a*"),
            Both,
            &["arn:aws:sqs:r:1:a", "arn:aws:sqs:r:1:a:b", "arn:aws:SQS:r:1:a"],
        ),
        (
            of("ArnLike", arn, "arn:aws:s3:::*:x"),
            of("ArnLike", arn, "arn:*:*:*:*:*x"),
            New,
            &["arn:aws:s3:::a:x", "arn:aws:s3:::x"],
        ),
        (of("BinaryEquals", "x:k", "QUI="), of("StringEquals", "x:k", "QUI="), Old, &["QUI=", "QUI", "AB"]),
    ] {
        check(&new, &old, within, more);
    }
}

#[test]
fn variables_and_the_signs_of_their_versions() {
    let tag = "${aws:PrincipalTag/team}";
    let is_red = r#""StringEquals":{"aws:principaltag/TEAM":"red"}"#;
    let referer =
        |operator: &str, value: &str| only_if(&format!(r#""{operator}":{{"aws:Referer":"{value}"}}"#));
    for (new, old, within) in [
        ("+|/home/*; -|!/home/${aws:username}/*".to_owned(), "+|/home/${aws:username}/*".to_owned(), Both),
        ("+|/home/*; -|/home/${aws:username}/*".to_owned(), "+|/home/*".to_owned(), New),
        (format!("+|/{tag}/*|{is_red}"), format!("+|/red/*|{is_red}"), Both),
        (format!("+|/{tag}/*"), "+|/*/*".to_owned(), New),
        (format!("+|/{tag}/*; -||{is_red}"), "+|/red/*".to_owned(), Neither),
        (referer("StringLike", "a${*}"), referer("StringEquals", "a*"), Both),
        (referer("StringLike", "${?}a"), referer("StringLike", "?a"), New),
        (referer("StringEquals", "${$}a"), referer("StringEquals", "$a"), Both),
        ("2008+|/home/${aws:username}/x".to_owned(), "+|/home/*".to_owned(), New),
        ("2008+|/home/${aws:username}/x".to_owned(), "+|/home/${aws:username}/x".to_owned(), Neither),
        ("2008+|/home/${*}".to_owned(), "+|/home/${$}{*}".to_owned(), Both),
        ("2008+|; -|/home/${aws:username}/x".to_owned(), "+|; -|/home/${$}{aws:username}/x".to_owned(), Both),
        (referer("StringNotEquals", "${aws:username}"), referer("Null", "true"), Old),
    ] {
        check(&new, &old, within, &["red", "bob", "a*", "*a", "xa", "$a", "${aws:username}"]);
    }
}

/// Asks both ways round, and every request.
#[track_caller]
fn check(new: &str, old: &str, within: Within, more: &[&str]) {
    let (new, old) = (policy(new), policy(old));
    let answer = |a: &Policy, b: &Policy, expected: bool| {
        let answer = a.permissions().is_subset(&b.permissions());
        if let Some(found) = answer.counterexample() {
            assert!(allows(a, found.request()) && !allows(b, found.request()), "{found}");
        }
        // Values of different types under one key are not told apart exactly, and then nothing is claimed.
        let is_open = answer.unknown().is_some_and(|unknown| unknown.reason().contains("different types"));
        assert!(is_open || answer.is_yes() == expected && answer.is_no() != expected, "{answer:?}\n{a}\n{b}");
    };
    answer(&new, &old, matches!(within, Both | New));
    answer(&old, &new, matches!(within, Both | Old));
    for request in requests(&new, &old, more) {
        let (of_new, of_old) = (allows(&new, &request), allows(&old, &request));
        assert!(!of_new || of_old || matches!(within, Old | Neither), "{request:?}\n{new}\n{old}");
        assert!(!of_old || of_new || matches!(within, New | Neither), "{request:?}\n{new}\n{old}");
    }
}

fn allows(policy: &Policy, request: &Request) -> bool {
    PolicySet { identity: vec![policy.clone()].into(), ..PolicySet::default() }.decide(request).is_allowed()
}

/// Every action and resource with every choice of values for the keys that the policies ask for.
fn requests(new: &Policy, old: &Policy, more: &[&str]) -> Vec<Request> {
    let statements = || new.statements().iter().chain(old.statements());
    let conditions = || statements().flat_map(Statement::conditions);
    let mut keys: BTreeSet<String> = conditions().map(|one| one.key().to_ascii_lowercase()).collect();
    let texts = new.to_json() + &old.to_json();
    keys.extend(
        ["aws:username", "aws:PrincipalTag/team"]
            .into_iter()
            .filter(|key| texts.contains(&format!("${{{key}}}")))
            .map(str::to_ascii_lowercase),
    );
    let mut values: BTreeSet<&str> =
        conditions().flat_map(|one| one.values().map(|value| value.text)).collect();
    values.extend(more);
    values.extend(["", "a", "A", "b", "x", "bob"]);
    let mut choices: Vec<Vec<&str>> = vec![Vec::new()];
    choices.extend(values.iter().map(|value| vec![*value]));
    choices.extend([vec!["a", "b"], vec!["a", "x"], vec!["", "a"], vec!["", "x"]]);
    let mut contexts = vec![Context::new()];
    for key in keys {
        let several = key == "aws:tagkeys";
        let with = |context: &Context| -> Vec<Context> {
            let choices = choices.iter().filter(|values| several || values.len() < 2);
            choices
                .map(|values| {
                    let mut context = context.clone();
                    context.set_many(key.clone(), values.iter().copied());
                    context
                })
                .collect()
        };
        contexts = contexts.iter().flat_map(with).collect();
    }
    let pairs = ACTIONS.iter().flat_map(|action| RESOURCES.iter().map(move |resource| (action, resource)));
    pairs
        .flat_map(|(action, resource)| {
            contexts.iter().map(move |context| Request {
                principal: Principal::User { arn: "arn:aws:iam::123456789012:user/bob".into() },
                action: (*action).to_owned(),
                resource: (*resource).to_owned(),
                resource_account: Some("123456789012".into()),
                context: context.clone(),
            })
        })
        .collect()
}
