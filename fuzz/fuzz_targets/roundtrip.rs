//! What is printed parses back to the same policy, and decides the same.
//!
//! An input is a byte for the kind, and the text.

#![no_main]

use iam_policy::{Context, Element, Policy, Principal, Request, Statement};
use iam_policy_fuzz::{Facts, alone};
use libfuzzer_sys::fuzz_target;

const ACCOUNT: &str = "123456789012";

fuzz_target!(|input: &[u8]| {
    let Some((kind, text)) = iam_policy_fuzz::kind_and_text(input) else { return };
    let Ok(policy) = Policy::parse(text, kind) else { return };
    let json = policy.to_json();
    let printed = Policy::parse(&*json, kind).unwrap_or_else(|problems| panic!("{json}\n{problems}"));
    assert_eq!(printed.to_json(), json);
    assert_eq!((printed.version(), printed.id()), (policy.version(), policy.id()));
    assert_eq!(parts(&printed), parts(&policy));
    for statement in policy.statements() {
        for request in requests(statement) {
            let [before, after] =
                [&policy, &printed].map(|policy| Facts::from(&alone(policy.clone()).decide(&request)));
            assert_eq!(before, after, "{request:?}\n{json}");
        }
    }
});

fn parts(policy: &Policy) -> Vec<String> {
    policy
        .statements()
        .iter()
        .map(|statement| {
            let texts = |element: Element<'_>| {
                let values = element.values.iter().map(|value| (value.principal_type, value.text.to_owned()));
                (element.is_negated, values.collect::<Vec<_>>())
            };
            let principals = statement.principals().map(texts);
            let (actions, resources) = (texts(statement.actions()), statement.resources().map(texts));
            format!("{:?} {:?} {principals:?} {actions:?} {resources:?}", statement.sid(), statement.effect())
        })
        .collect()
}

/// Requests that the statement's first values are about, so that its conditions are asked too.
fn requests(statement: &Statement) -> impl Iterator<Item = Request> {
    let first = |element: &Element<'_>| {
        element.values.first().map_or("*", |value| value.text).replace(['*', '?'], "x")
    };
    let action = first(&statement.actions());
    let action = if action.contains(':') { action } else { "s3:GetObject".to_owned() };
    let resource = statement.resources().map_or("*".to_owned(), |element| first(&element));
    let principals = [
        Principal::User { arn: format!("arn:aws:iam::{ACCOUNT}:user/alice") },
        Principal::Service { name: "lambda.amazonaws.com".to_owned() },
    ];
    let mut full = Context::new();
    full.set("aws:username", "alice").set("aws:SourceIp", "10.0.0.1").set("aws:SecureTransport", "true");
    full.set("aws:CurrentTime", "2026-01-01T00:00:00Z").set_many("aws:TagKeys", ["team", "stage"]);
    full.absent("aws:SourceVpc");
    principals.into_iter().zip([full, Context::new()]).map(move |(principal, context)| Request {
        principal,
        action: action.clone(),
        resource: resource.clone(),
        resource_account: Some(ACCOUNT.to_owned()),
        context,
    })
}
