//! Sets of permissions: answers compared with those of the plain evaluator, for many random requests and for all small ones.

#![allow(clippy::indexing_slicing, clippy::panic, reason = "tests")]

use iam_policy::{Answer, Context, Permissions, Policy, PolicyKind, PolicySet, Principal, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Texts that the patterns below tell apart, as actions and as resources.
const TEXTS: [&str; 12] = ["a", "b", "x", "aa", "ab", "ba", "bb", "ax", "xa", "aba", "bab", "axb"];
const VALUES: [&str; 16] = [
    "a",
    "b",
    "A",
    "x",
    "ab",
    "",
    "5",
    "7",
    "6.5",
    "10.0.0.1",
    "10.2.0.1",
    "192.0.2.1",
    "true",
    "false",
    "2026-01-01T00:00:00Z",
    "2026-06-01T00:00:00Z",
];

proptest! {
    #[test]
    fn a_counterexample_is_one_and_an_inclusion_holds_for_every_small_request(
        old in policy(), new in policy(), contexts in vec(context(), 12),
    ) {
        let (old, new) = (parse(&old), parse(&new));
        match new.permissions().is_subset(&old.permissions()) {
            Answer::No(found) => {
                prop_assert!(allows(&new, found.request()), "{found}");
                prop_assert!(!allows(&old, found.request()), "{found}");
            }
            Answer::Unknown(unknown) => prop_assert!(unknown.reason().contains("different types"), "{}", unknown),
            Answer::Yes => {
                for request in requests(&contexts) {
                    prop_assert!(!allows(&new, &request) || allows(&old, &request), "{:?}\n{}\n{}", request, new, old);
                }
            }
        }
    }

    #[test]
    fn the_algebra_has_its_laws(a in policy(), b in policy(), c in policy()) {
        let [a, b, c] = [a, b, c].map(|text| parse(&text).permissions());
        let not = Permissions::complement;
        let same = |left: &Permissions, right: &Permissions| !left.is_equivalent(right).is_no();
        let within = |left: &Permissions, right: &Permissions| !left.is_subset(right).is_no();
        let (all, none) = (Permissions::everything(), Permissions::nothing());
        prop_assert!(same(&a.union(&b), &b.union(&a)) && same(&a.intersection(&b), &b.intersection(&a)));
        prop_assert!(same(&a.union(&b).union(&c), &a.union(&b.union(&c))));
        prop_assert!(same(&a.intersection(&b).intersection(&c), &a.intersection(&b.intersection(&c))));
        prop_assert!(same(&a.union(&b.intersection(&c)), &a.union(&b).intersection(&a.union(&c))));
        prop_assert!(same(&a.intersection(&b.union(&c)), &a.intersection(&b).union(&a.intersection(&c))));
        prop_assert!(same(&a.union(&a.intersection(&b)), &a) && same(&a.intersection(&a.union(&b)), &a));
        prop_assert!(same(&a.union(&none), &a) && same(&a.intersection(&all), &a));
        prop_assert!(same(&a.union(&all), &all) && a.intersection(&none).is_empty().is_yes());
        prop_assert!(same(&not(&a.union(&b)), &not(&a).intersection(&not(&b))));
        prop_assert!(same(&not(&a.intersection(&b)), &not(&a).union(&not(&b))));
        prop_assert!(same(&not(&not(&a)), &a));
        prop_assert!(same(&a.union(&not(&a)), &all) && !a.is_disjoint(&not(&a)).is_no());
        prop_assert!(same(&a.difference(&b), &a.intersection(&not(&b))));
        prop_assert!(same(&a.difference(&b).union(&a.intersection(&b)), &a));
        prop_assert!(within(&a.intersection(&b), &a) && within(&a, &a.union(&b)));
        let (subset, empty) = (a.is_subset(&b), a.difference(&b).is_empty());
        prop_assert_eq!((subset.is_yes(), subset.is_no()), (empty.is_yes(), empty.is_no()));
        let (disjoint, empty) = (a.is_disjoint(&b), a.intersection(&b).is_empty());
        prop_assert_eq!((disjoint.is_yes(), disjoint.is_no()), (empty.is_yes(), empty.is_no()));
        if subset.is_yes() {
            prop_assert!(within(&not(&b), &not(&a)) && within(&a.union(&c), &b.union(&c)));
            prop_assert!(same(&a.union(&b), &b) && same(&a.intersection(&b), &a));
            prop_assert!(!b.is_subset(&c).is_yes() || within(&a, &c));
        }
    }

    #[test]
    fn boundaries_and_control_policies_intersect(identity in policy(), boundary in policy(), scp in policy(), contexts in vec(context(), 6)) {
        let set = PolicySet {
            identity: vec![parse(&identity)].into(),
            boundary: vec![parse(&boundary)],
            scps: vec![vec![parse(&scp)].into()],
            ..PolicySet::default()
        };
        let permissions = set.permissions();
        let parts = [&identity, &boundary, &scp].map(|text| parse(text).permissions());
        let intersection = parts[0].intersection(&parts[1]).intersection(&parts[2]);
        prop_assert!(!permissions.is_equivalent(&intersection).is_no());
        for request in requests(&contexts) {
            prop_assert_eq!(permissions.contains(&request), intersection.contains(&request));
        }
    }
}

/// Resources, and values of two variables, of which a policy with variables may make something.
const NAMES: [&str; 6] = ["", "a", "b", "ab", "a/b", "a:b"];

proptest! {
    /// The other procedure: every value of two variables, and every text of some of them.
    #[test]
    fn variables_stand_for_every_value(old in with_variables(), new in with_variables()) {
        let (old, new) = (parse(&old), parse(&new));
        match new.permissions().is_subset(&old.permissions()) {
            Answer::No(found) => {
                prop_assert!(allows(&new, found.request()), "{found}");
                prop_assert!(!allows(&old, found.request()), "{found}");
            }
            Answer::Unknown(unknown) => prop_assert!(unknown.reason().contains("variables"), "{}", unknown),
            Answer::Yes => {
                for request in requests_with_variables() {
                    prop_assert!(!allows(&new, &request) || allows(&old, &request), "{:?}\n{}\n{}", request, new, old);
                }
            }
        }
    }
}

fn requests_with_variables() -> impl Iterator<Item = Request> {
    let names = || NAMES.iter().map(|name| Some(*name)).chain([None]);
    let pairs = names().flat_map(move |first| names().map(move |second| (first, second)));
    pairs.flat_map(|(first, second)| {
        let mut context = Context::new();
        for (key, value) in [("aws:username", first), ("aws:userid", second)] {
            context.set_many(key, value);
        }
        let (first, second) = (first.unwrap_or("b"), second.unwrap_or("x"));
        let texts =
            ["a".into(), "x".into(), first.to_owned(), format!("{first}/a"), format!("{first}{second}")];
        texts.into_iter().chain([format!("{first}/{second}"), format!("a{first}"), second.to_owned()]).map(
            move |text| Request {
                principal: Principal::User { arn: "arn:aws:iam::123456789012:user/example".into() },
                action: "s:a".into(),
                resource: format!("arn:aws:s3:::{text}"),
                resource_account: Some("123456789012".into()),
                context: context.clone(),
            },
        )
    })
}

fn with_variables() -> impl Strategy<Value = String> {
    let piece = select(
        &[
            "a",
            "b",
            "/",
            "*",
            "*",
            "?",
            "${aws:username}",
            "${aws:username}",
            "${aws:userid}",
            "${aws:username, 'b'}",
        ][..],
    );
    let pattern = move || vec(piece.clone(), 1..4).prop_map(|pieces| pieces.concat());
    let operator = select(
        &["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists"][..],
    );
    let compared = prop_oneof![
        3 => select(&["a", "b", "a*", "*b", "ab"][..]).prop_map(str::to_owned),
        1 => select(&["${aws:username}", "${aws:userid}", "a${aws:userid}*"][..]).prop_map(str::to_owned),
    ];
    let key = select(&["aws:username", "aws:userid", "aws:Referer"][..]);
    let condition = (operator, key, compared)
        .prop_map(|(operator, key, value)| format!(r#""{operator}": {{"{key}": "{value}"}}"#));
    let condition = prop_oneof![2 => Just(String::new()), 1 => condition];
    let statement = (
        select(&["Allow", "Allow", "Deny"][..]),
        select(&["Resource", "Resource", "Resource", "NotResource"][..]),
        vec(pattern(), 1..3),
        condition,
    )
        .prop_map(|(effect, element, patterns, condition)| {
            let patterns: Vec<String> = patterns.iter().map(|text| format!("\"arn:aws:s3:::{text}\"")).collect();
            format!(
                r#"{{"Effect": "{effect}", "Action": "s:a", "{element}": [{}], "Condition": {{{condition}}}}}"#,
                patterns.join(",")
            )
        });
    vec(statement, 1..4).prop_map(|statements| {
        format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","))
    })
}

fn parse(text: &str) -> Policy {
    Policy::parse(text, PolicyKind::Identity).unwrap_or_else(|problems| panic!("{problems}"))
}

fn allows(policy: &Policy, request: &Request) -> bool {
    PolicySet { identity: vec![policy.clone()].into(), ..PolicySet::default() }.decide(request).is_allowed()
}

fn requests(contexts: &[Context]) -> impl Iterator<Item = Request> {
    TEXTS.iter().flat_map(move |action| {
        TEXTS.iter().enumerate().flat_map(move |(at, resource)| {
            [at, at * 5 + 3].into_iter().map(move |number| Request {
                principal: Principal::User { arn: "arn:aws:iam::123456789012:user/example".into() },
                action: format!("s:{action}"),
                resource: format!("arn:aws:s3:::{resource}"),
                resource_account: Some("123456789012".into()),
                context: contexts[number % contexts.len()].clone(),
            })
        })
    })
}

fn context() -> impl Strategy<Value = Context> {
    let values = || vec(select(&VALUES[..]), 0..3);
    (values(), values()).prop_map(|(first, second)| {
        let mut context = Context::new();
        // The second has one value, as AWS says.
        context.set_many("x:many", first).set_many("aws:username", second.into_iter().take(1));
        context
    })
}

fn policy() -> impl Strategy<Value = String> {
    vec(statement(), 1..4).prop_map(|statements| {
        format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
    })
}

fn statement() -> impl Strategy<Value = String> {
    let effect = select(&["Allow", "Allow", "Allow", "Deny"][..]);
    let action = (select(&["Action", "Action", "NotAction"][..]), vec(pattern(), 1..3));
    let resource = (select(&["Resource", "Resource", "NotResource"][..]), vec(pattern(), 1..3));
    (effect, action, resource, vec(condition(), 0..3)).prop_map(|(effect, action, resource, conditions)| {
        let list = |start: &str, patterns: &[String]| {
            patterns.iter().map(|text| format!("\"{start}{text}\"")).collect::<Vec<_>>().join(",")
        };
        let mut operators: Vec<(String, String)> = Vec::new();
        for (operator, member) in conditions {
            if !operators.iter().any(|(other, _)| *other == operator) {
                operators.push((operator, member));
            }
        }
        let conditions: Vec<String> =
            operators.iter().map(|(operator, member)| format!("\"{operator}\":{{{member}}}")).collect();
        format!(
            r#"{{"Effect":"{effect}","{}":[{}],"{}":[{}],"Condition":{{{}}}}}"#,
            action.0,
            list("s:", &action.1),
            resource.0,
            list("arn:aws:s3:::", &resource.1),
            conditions.join(",")
        )
    })
}

fn pattern() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab*?]{1,3}",
        1 => Just("*".to_owned()),
    ]
}

fn condition() -> impl Strategy<Value = (String, String)> {
    const TEXT: [&str; 5] =
        ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"];
    let texts = vec(select(&["a", "b", "a*", "*b", "A"][..]), 1..3);
    let typed = prop_oneof![
        (
            select(&["NumericLessThan", "NumericGreaterThanEquals", "NumericNotEquals"][..]),
            select(&["5", "7"][..])
        ),
        (select(&["IpAddress", "NotIpAddress"][..]), select(&["10.0.0.0/8", "10.2.0.0/16"][..])),
        (select(&["Bool"][..]), select(&["true", "false"][..])),
        (
            select(&["DateLessThan", "DateGreaterThan"][..]),
            select(&["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"][..])
        ),
    ];
    let plain = prop_oneof![
        5 => (select(&TEXT[..]), texts).prop_map(|(operator, values)| (operator.to_owned(), format!("{values:?}"))),
        2 => typed.prop_map(|(operator, value)| (operator.to_owned(), format!("{value:?}"))),
        1 => select(&["true", "false"][..]).prop_map(|value| ("Null".to_owned(), format!("{value:?}"))),
    ];
    let affixes = (select(&["", "", "ForAnyValue:", "ForAllValues:"][..]), select(&["", "", "IfExists"][..]));
    (plain, affixes, any::<bool>()).prop_map(|((operator, values), (prefix, suffix), many)| {
        let suffix = if operator == "Null" { "" } else { suffix };
        let prefix = if many { prefix } else { "" };
        let key = if many { "x:many" } else { "aws:username" };
        (format!("{prefix}{operator}{suffix}"), format!("\"{key}\":{values}"))
    })
}
