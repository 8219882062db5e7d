//! What holds for every input: nothing panics, what is printed parses back and decides the same, and a certain decision stands.

use iam_policy::{Context, Policy, PolicyKind, PolicySet, Principal, Request, Source, Template, Verdict};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const USER: &str = "arn:aws:iam::111122223333:user/alice";
const KEYS: [&str; 5] = ["aws:username", "aws:SourceIp", "aws:CurrentTime", "aws:TagKeys", "s3:max-keys"];

proptest! {
    #[test]
    fn no_text_makes_anything_panic(text in text(), pointer in "(/[a-zA-Z0-9~]{0,3}){0,3}") {
        let source = Source::new("p.json", text);
        for kind in [PolicyKind::Identity, PolicyKind::Resource, PolicyKind::Trust, PolicyKind::ResourceControl] {
            match Policy::parse(&source, kind) {
                Ok(policy) => policy.lint().iter().for_each(|finding| drop(finding.to_string())),
                Err(problems) => prop_assert!(!problems.to_string().is_empty()),
            }
            drop(Policy::parse_template(&source, kind).map_err(|error| error.to_string()));
        }
        drop(source.pointer(&pointer).map_err(|error| error.to_string()));
        drop(Template::parse(source).render(|name| (name.len() > 1).then(|| "\"\\".repeat(name.len()))));
    }

    #[test]
    fn what_is_printed_parses_back_and_decides_the_same(text in policy(), request in request()) {
        let policy = Policy::parse(text, PolicyKind::Identity).unwrap_or_else(|problems| panic!("{problems}"));
        let printed = Policy::parse(policy.to_json(), PolicyKind::Identity).unwrap_or_else(|problems| panic!("{problems}"));
        prop_assert_eq!(printed.to_json(), policy.to_json());
        prop_assert_eq!(verdict(&printed, &request), verdict(&policy, &request));
    }

    #[test]
    fn an_explanation_is_of_the_decision(text in policy(), request in request()) {
        let policy = Policy::parse(text, PolicyKind::Identity).unwrap();
        let policies = PolicySet { identity: vec![policy].into(), ..PolicySet::default() };
        let decision = policies.decide(&request);
        let explanation = policies.explain(&request);
        prop_assert_eq!(explanation.decision().verdict, decision.verdict);
        let traced: Vec<usize> = explanation.deciding().map(|trace| trace.statement().index()).collect();
        let by: Vec<usize> = decision.by.iter().map(iam_policy::StatementRef::index).collect();
        prop_assert_eq!(traced, by);
        prop_assert!(explanation.to_string().starts_with(&decision.verdict.to_string()));
    }

    #[test]
    fn a_certain_decision_stands_whatever_the_missing_keys_hold(
        text in policy(), mut request in request(), values in vec(vec(value(), 0..3), KEYS.len()),
    ) {
        let policy = Policy::parse(text, PolicyKind::Identity).unwrap();
        let decision = PolicySet { identity: vec![policy.clone()].into(), ..PolicySet::default() }.decide(&request);
        let before = decision.verdict;
        for (key, values) in KEYS.iter().zip(values) {
            if request.context.lookup(key).is_none() {
                request.context.set_many(*key, values);
            }
        }
        let after = PolicySet { identity: vec![policy].into(), ..PolicySet::default() }.decide(&request);
        prop_assert!(after.missing_context.is_empty() && after.is_certain());
        prop_assert!(!decision.is_certain() || after.verdict == before, "{} became {}", before, after.verdict);
    }

    #[test]
    fn many_statements_at_once_decide_as_each_on_its_own(
        statements in vec(action_statement(), 1..60), actions in vec("[abB]:[abcC*]{0,4}", 8),
    ) {
        // A large policy looks its statements up; one of a single statement has it asked.
        let parse = |statements: &[String]| {
            let text = format!("{{\"Statement\":[{}]}}", statements.join(","));
            Policy::parse(text, PolicyKind::Identity).unwrap()
        };
        let together = PolicySet { identity: vec![parse(&statements)].into(), ..PolicySet::default() };
        let apart = statements.chunks(1).map(parse).collect();
        let apart = PolicySet { identity: apart, ..PolicySet::default() };
        for action in actions {
            let request = request_for(&action, "*");
            let (together, apart) = (together.decide(&request), apart.decide(&request));
            prop_assert_eq!(together.verdict, apart.verdict, "{}", action);
            let numbers: Vec<String> =
                together.by.iter().map(|statement| format!("identity[{}]", statement.index())).collect();
            let names: Vec<String> = apart.by.iter().map(iam_policy::StatementRef::policy_name).collect();
            prop_assert_eq!(numbers, names, "{}", action);
        }
    }

    #[test]
    fn wildcards_match_as_their_plain_definition_says(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
        let policy = Policy::parse(
            format!(r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::{pattern}"}}}}"#),
            PolicyKind::Identity,
        ).unwrap();
        let mut request = request_for("s3:GetObject", &format!("arn:aws:s3:::{text}"));
        request.context = Context::new();
        let expected = if plainly_matches(pattern.as_bytes(), text.as_bytes()) { Verdict::Allowed } else { Verdict::ImplicitDeny };
        prop_assert_eq!(verdict(&policy, &request), expected);
    }
}

/// The definition of a glob, word for word, and as slow as that.
fn plainly_matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => {
            (0..=text.len()).any(|taken| plainly_matches(rest, text.get(taken..).unwrap_or_default()))
        }
        Some((b'?', rest)) => text.split_first().is_some_and(|(_, text)| plainly_matches(rest, text)),
        Some((sign, rest)) => {
            text.split_first().is_some_and(|(c, text)| c == sign && plainly_matches(rest, text))
        }
    }
}

fn verdict(policy: &Policy, request: &Request) -> Verdict {
    PolicySet { identity: vec![policy.clone()].into(), ..PolicySet::default() }.decide(request).verdict
}

/// Any characters, or pieces of policies in any order.
fn text() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"\"",
        "'",
        "\\",
        "\\u",
        "\\ud83d",
        "//",
        "/*",
        "#",
        "-",
        "1e",
        "true",
        "null",
        "\n",
        "\t",
        "\u{FEFF}",
        "é",
        "漢",
        "\u{1F600}",
        "\"Statement\"",
        "\"Version\"",
        "\"2012-10-17\"",
        "\"Effect\"",
        "\"Allow\"",
        "\"Action\"",
        "\"s3:*\"",
        "\"Resource\"",
        "\"*\"",
        "\"Principal\"",
        "\"AWS\"",
        "\"Condition\"",
        "\"Bool\"",
        "\"${aws:username}\"",
        "\"${a\"",
        "\"${name}\"",
        "\"arn:aws:s3:::${*}\"",
    ]);
    let soup = vec(pieces, 0..40).prop_map(|pieces| pieces.concat());
    let broken = (policy(), any::<prop::sample::Index>(), any::<char>()).prop_map(|(text, at, c)| {
        let at = at.index(text.chars().count());
        text.chars().enumerate().map(|(index, old)| if index == at { c } else { old }).collect()
    });
    prop_oneof![any::<String>(), soup, broken]
}

fn policy() -> impl Strategy<Value = String> {
    let version = select(vec!["\"Version\":\"2012-10-17\",", "\"Version\":\"2008-10-17\",", ""]);
    (version, vec(statement(), 1..4))
        .prop_map(|(version, statements)| format!("{{{version}\"Statement\":[{}]}}", statements.join(",")))
}

fn statement() -> impl Strategy<Value = String> {
    let effect = select(vec!["Allow", "Deny"]);
    let action = (
        select(vec!["Action", "NotAction"]),
        list(vec!["*", "s3:*", "s3:Get*", "S3:getobject", "sqs:?endMessage"]),
    );
    let resources = vec![
        "*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/${aws:username}/*",
        "arn:aws:s3:::?/${aws:username, 'all'}*",
        "arn:aws:s3:::b/${*}",
    ];
    let resource = (select(vec!["Resource", "NotResource"]), list(resources));
    (effect, action, resource, option::of(condition())).prop_map(|(effect, action, resource, condition)| {
        let condition = condition.map_or(String::new(), |condition| format!(",\"Condition\":{condition}"));
        format!(
            "{{\"Effect\":\"{effect}\",\"{}\":{},\"{}\":{}{condition}}}",
            action.0, action.1, resource.0, resource.1
        )
    })
}

/// A statement about some actions of two small services.
fn action_statement() -> impl Strategy<Value = String> {
    let pattern = prop_oneof![4 => "[ab]:[abcC*?]{1,4}", 1 => Just("*".to_owned())];
    (
        select(vec!["Allow", "Deny"]),
        select(vec!["Action", "Action", "Action", "NotAction"]),
        vec(pattern, 1..4),
    )
        .prop_map(|(effect, element, patterns)| {
            format!(r#"{{"Effect":"{effect}","{element}":["{}"],"Resource":"*"}}"#, patterns.join("\",\""))
        })
}

fn condition() -> impl Strategy<Value = String> {
    let text = list(vec!["alice", "AL?CE", "a*", "${aws:username}", "${*}", ""]);
    let one = |operators: Vec<&'static str>, values: BoxedStrategy<String>| {
        let affixes = (select(vec!["", "ForAllValues:", "ForAnyValue:"]), select(vec!["", "IfExists"]));
        (affixes, select(operators), select(KEYS.to_vec()), values).prop_map(
            |((set, exists), operator, key, values)| {
                let exists = if operator == "Null" { "" } else { exists };
                format!("\"{set}{operator}{exists}\":{{\"{key}\":{values}}}")
            },
        )
    };
    prop_oneof![
        one(
            vec!["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"],
            text.clone().boxed()
        ),
        one(vec!["ArnLike", "ArnNotEquals"], text.boxed()),
        one(vec!["NumericLessThan", "NumericNotEquals"], list(vec!["10", "-2.5"]).boxed()),
        one(vec!["DateGreaterThanEquals", "DateNotEquals"], list(vec!["2026-01-01", "1767225600"]).boxed()),
        one(vec!["Bool", "Null"], list(vec!["true", "false"]).boxed()),
        one(vec!["IpAddress", "NotIpAddress"], list(vec!["10.0.0.0/8", "::/0"]).boxed()),
    ]
    .prop_map(|one| format!("{{{one}}}"))
}

fn list(values: Vec<&'static str>) -> impl Strategy<Value = String> + Clone {
    let most = values.len();
    subsequence(values, 1..=most).prop_map(|values| format!("[\"{}\"]", values.join("\",\"")))
}

fn value() -> impl Strategy<Value = &'static str> {
    select(vec!["alice", "10.1.2.3", "2026-01-01T00:00:00Z", "10", "true", "", "*", "AWS Internal"])
}

/// Each key is set, known to be absent, or unknown.
fn request() -> impl Strategy<Value = Request> {
    let action = select(vec!["s3:GetObject", "s3:PutObject", "sqs:SendMessage", "SQS:sendmessage"]);
    let resource = select(vec!["*", "arn:aws:s3:::b/alice/x", "arn:aws:s3:::b/all", "arn:aws:s3:::b/*"]);
    (action, resource, vec(option::of(vec(value(), 0..3)), KEYS.len())).prop_map(
        |(action, resource, values)| {
            let mut request = request_for(action, resource);
            for (key, values) in KEYS.iter().zip(values) {
                if let Some(values) = values {
                    request.context.set_many(*key, values);
                }
            }
            request
        },
    )
}

fn request_for(action: &str, resource: &str) -> Request {
    Request {
        principal: Principal::User { arn: USER.to_owned() },
        action: action.to_owned(),
        resource: resource.to_owned(),
        resource_account: None,
        context: Context::new(),
    }
}
