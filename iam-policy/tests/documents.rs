//! Documents of random sets, and smaller policies: decided by the plain evaluator, they say what the set says.

#![expect(clippy::panic, reason = "tests")]

use iam_policy::{Context, Method, Permissions, Policy, PolicyKind, PolicySet, Principal, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const ACTIONS: [&str; 8] =
    ["*", "s3:*", "s3:Get*", "s3:*Object", "s3:GetObject", "s3:PutObject", "sqs:SendMessage", "sqs:?*e"];
const RESOURCES: [&str; 6] = [
    "*",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::*/x",
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::${aws:username}/*",
    "arn:aws:s3:::?/x*",
];
const CONDITIONS: [&str; 8] = [
    "",
    "",
    "",
    r#""StringEquals":{"aws:username":["a","b"]}"#,
    r#""StringNotEquals":{"aws:username":"b"}"#,
    r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#,
    r#""NumericLessThan":{"s3:max-keys":"5"}"#,
    r#""ForAnyValue:StringLike":{"aws:TagKeys":"a*"}"#,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn documents_decide_as_the_set_does(a in policy(), b in policy(), contexts in vec(context(), 8)) {
        let (a, b) = (a.permissions(), b.permissions());
        for set in [a.union(&b), a.intersection(&b), a.difference(&b), a.complement()] {
            for method in Method::ALL {
                match set.to_documents(method) {
                    Ok(documents) => {
                        for request in requests(&contexts) {
                            let decided = documents.decide(&request).is_allowed();
                            prop_assert_eq!(decided, set.contains(&request), "{:?} {:?}", documents, request);
                        }
                    }
                    Err(refused) => prop_assert!(!refused.reason().is_empty()),
                }
            }
        }
    }

    #[test]
    fn a_smaller_policy_allows_and_denies_the_same(policy in policy(), contexts in vec(context(), 8)) {
        let Ok(smaller) = policy.minimized() else { return Ok(()) };
        prop_assert!(smaller.to_json().len() <= policy.to_json().len());
        let set = |policy: &Policy| PolicySet { identity: vec![policy.clone()].into(), ..PolicySet::default() };
        for request in requests(&contexts) {
            let (before, after) = (set(&policy).decide(&request), set(&smaller).decide(&request));
            prop_assert_eq!(before.verdict, after.verdict, "{} {} {:?}", policy, smaller, request);
        }
        // By the catalogue's actions, which these are.
        let Ok(closed) = policy.minimized_closed() else { return Ok(()) };
        for request in requests(&contexts).filter(|request| request.action != "s3:GetTomorrow") {
            prop_assert_eq!(set(&closed).permissions().contains(&request), set(&policy).permissions().contains(&request));
        }
    }
}

#[test]
fn most_intersections_have_documents() {
    let all: Vec<Permissions> = ACTIONS
        .iter()
        .zip(RESOURCES.iter().cycle())
        .map(|(action, resource)| {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}}}"#
            );
            Policy::parse(text, PolicyKind::Identity).unwrap_or_else(|problems| panic!("{problems}")).permissions()
        })
        .collect();
    for method in Method::ALL {
        let pairs = all.iter().flat_map(|a| all.iter().map(move |b| a.intersection(b)));
        let refused: Vec<_> = pairs.filter_map(|set| set.to_documents(method).err()).collect();
        // Where a variable meets a name.
        assert!(refused.len() <= if method == Method::Allow { 12 } else { 0 }, "{refused:?}");
    }
}

fn policy() -> impl Strategy<Value = Policy> {
    vec(statement(), 1..4).prop_map(|statements| {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        Policy::parse(text, PolicyKind::Identity).unwrap_or_else(|problems| panic!("{problems}"))
    })
}

fn statement() -> impl Strategy<Value = String> {
    let effect = select(&["Allow", "Allow", "Deny"][..]);
    let action = (select(&["Action", "Action", "NotAction"][..]), subsequence(&ACTIONS[..], 1..3));
    let resource = (select(&["Resource", "Resource", "NotResource"][..]), subsequence(&RESOURCES[..], 1..3));
    (effect, action, resource, select(&CONDITIONS[..])).prop_map(|(effect, action, resource, condition)| {
        format!(
            r#"{{"Effect":"{effect}","{}":{:?},"{}":{:?},"Condition":{{{condition}}}}}"#,
            action.0, action.1, resource.0, resource.1
        )
    })
}

fn context() -> impl Strategy<Value = Context> {
    let maybe = |values: &'static [&'static str]| prop_oneof![Just(None), select(values).prop_map(Some)];
    (
        maybe(&["a", "b", "c"]),
        maybe(&["10.1.1.1", "192.0.2.1"]),
        maybe(&["3", "5"]),
        vec(select(&["a", "ab", "b"][..]), 0..3),
    )
        .prop_map(|(user, address, keys, tags)| {
            let mut context = Context::new();
            for (key, value) in [("aws:username", user), ("aws:SourceIp", address), ("s3:max-keys", keys)] {
                match value {
                    Some(value) => context.set(key, value),
                    None => context.absent(key),
                };
            }
            context.set_many("aws:TagKeys", tags);
            context
        })
}

fn requests(contexts: &[Context]) -> impl Iterator<Item = Request> {
    let actions = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:GetTomorrow",
        "s3:DeleteObject",
        "sqs:SendMessage",
        "sqs:CreateQueue",
    ];
    let resources = [
        "arn:aws:s3:::a/x",
        "arn:aws:s3:::a/y",
        "arn:aws:s3:::b/x",
        "arn:aws:s3:::bb/x",
        "arn:aws:s3:::b/xx",
    ];
    contexts.iter().flat_map(move |context| {
        actions.into_iter().flat_map(move |action| {
            resources.into_iter().map(move |resource| Request {
                principal: Principal::User { arn: "arn:aws:iam::123456789012:user/example".into() },
                action: action.into(),
                resource: resource.into(),
                resource_account: Some("123456789012".into()),
                context: context.clone(),
            })
        })
    })
}
