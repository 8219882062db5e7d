//! A second opinion: iam-rs and our engine decide the same random requests by the same random identity-based policies.
//!
//! Every disagreement is of a kind that AWS's documentation settles, and [`KINDS`] says how. Any other fails the test, and so
//! does a kind that no disagreement is of any more.
//!
//! ```text
//! cargo test --package iam-policy-bench --test second_opinion -- --nocapture
//! ```

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the table of disagreements")]

use fastrand::Rng;
use iam_policy::{Context, Policy, PolicyKind, PolicySet, Principal, Request, Verdict};
use iam_policy_bench::USER;
use serde_json::{Value, json};

const CASES: u64 = 50_000;

/// What iam-rs reads otherwise than AWS documents it.
struct Kind {
    rule: &'static str,
    page: &'static str,
    /// Whether a case has what the rule is about.
    concerns: fn(&Case) -> bool,
}

const OPERATORS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html";
const VARIABLES: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html";
const VERSION: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html";

/// In the order in which they are tried: a refusal to answer comes first.
const KINDS: [Kind; 8] = [
    Kind {
        rule: "`Version` may be left out, and is then 2008-10-17",
        page: VERSION,
        concerns: |case| !case.mentions("Version"),
    },
    Kind {
        rule: "a policy of the version 2008-10-17 has no variables",
        page: VERSION,
        concerns: |case| case.mentions("2008-10-17") && case.mentions("${"),
    },
    Kind {
        rule: "variables and the escapes `${*}`, `${?}` and `${$}` stand in the values of conditions as well",
        page: VARIABLES,
        concerns: |case| case.mentions("\"${") || case.mentions("a${*}"),
    },
    Kind {
        rule: "the value of a variable is text: `*` in it is no wildcard",
        page: VARIABLES,
        concerns: |case| case.mentions("reports/${") && case.team() == Some("*"),
    },
    Kind {
        rule: "a variable without value matches nothing, and not the empty text",
        page: VARIABLES,
        concerns: |case| case.mentions("reports/${") && case.team().is_none(),
    },
    Kind {
        rule: "`ArnEquals` and `ArnLike` are the same: both have wildcards",
        page: OPERATORS,
        concerns: |case| case.mentions("ArnEquals") || case.mentions("ArnNotEquals"),
    },
    Kind {
        rule: "each part of an ARN is matched by itself: a wildcard of `ArnLike` does not reach over a colon",
        page: OPERATORS,
        concerns: |case| case.mentions("Like") && case.mentions("arn:aws:s*:*:*:jobs"),
    },
    Kind {
        rule: "`BinaryEquals` compares bytes: base64 has case",
        page: OPERATORS,
        concerns: |case| case.mentions("BinaryEquals") && case.mentions("qmluYXJ5"),
    },
];

#[test]
fn iam_rs_disagrees_only_where_the_documentation_does() {
    let mut settled = [0_u32; KINDS.len()];
    let (mut agreed, mut plain) = (0_u32, 0_u32);
    let mut unexplained = Vec::new();
    for seed in 0..CASES {
        let case = Case::random(&mut Rng::with_seed(seed));
        let (ours, theirs) = (case.ours(), case.theirs());
        let kind = KINDS.iter().position(|kind| (kind.concerns)(&case));
        plain += u32::from(kind.is_none());
        match kind.and_then(|kind| settled.get_mut(kind)) {
            _ if theirs == Some(ours) => agreed += 1,
            Some(count) => *count += 1,
            None => unexplained.push(format!("seed {seed}: ours {ours}, iam-rs {theirs:?}\n  {case:?}")),
        }
    }
    println!("{agreed} of {CASES} agree; {plain} are about nothing that iam-rs reads otherwise");
    for (kind, count) in KINDS.iter().zip(settled) {
        println!("{count:>6} {}\n       {}", kind.rule, kind.page);
    }
    unexplained.truncate(5);
    assert!(unexplained.is_empty(), "settle from the documentation:\n{}", unexplained.join("\n"));
    for (kind, count) in KINDS.iter().zip(settled) {
        assert!(count > 0, "no disagreement any more: {}", kind.rule);
    }
    assert!(u64::from(plain) > CASES / 3, "too few cases without excuse");
}

/// A policy and a request, with what of its context is set.
#[derive(Debug)]
struct Case {
    policy: String,
    action: &'static str,
    resource: &'static str,
    context: Vec<(&'static str, Value)>,
}

/// A condition key, and its operators with values that the operators read.
struct Key {
    name: &'static str,
    operators: &'static [&'static str],
    /// Of the policy.
    wanted: &'static [&'static str],
    /// Of the request.
    given: &'static [&'static str],
}

const KEYS: [Key; 9] = [
    Key {
        name: "aws:username",
        operators: &[
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
        ],
        wanted: &["alice", "Alice", "al*", "?lice", "bob", "*", "a${*}", "${aws:PrincipalTag/team}"],
        given: &["alice", "ALICE", "bob", "a*"],
    },
    Key {
        name: "AWS:UserName",
        operators: &["StringEquals", "StringNotLike"],
        wanted: &["alice", "bob"],
        given: &[],
    },
    Key {
        name: "aws:TagKeys",
        operators: &[
            "ForAllValues:StringEquals",
            "ForAnyValue:StringEquals",
            "ForAllValues:StringLike",
            "ForAnyValue:StringLike",
            "ForAllValues:StringNotEquals",
            "ForAnyValue:StringNotEquals",
            "ForAnyValue:StringNotLike",
            "ForAllValues:StringEqualsIgnoreCase",
        ],
        wanted: &["team", "stage", "te*", "Team"],
        given: &["team", "stage", "cost", "TEAM"],
    },
    Key {
        name: "aws:SecureTransport",
        operators: &["Bool"],
        wanted: &["true", "false"],
        given: &["true", "false"],
    },
    Key {
        name: "s3:max-keys",
        operators: &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        wanted: &["10", "10.0", "9.5", "100"],
        given: &["10", "9", "100", "-1"],
    },
    Key {
        name: "aws:CurrentTime",
        operators: &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        wanted: &["2026-01-01T00:00:00Z", "1767225600", "2026-01-01T01:00:00+01:00", "2025-06-01T00:00:00Z"],
        given: &["2026-01-01T00:00:00Z", "1767225600", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00+01:00"],
    },
    Key {
        name: "aws:SourceIp",
        operators: &["IpAddress", "NotIpAddress"],
        wanted: &["192.0.2.0/24", "192.0.2.7", "2001:db8::/33", "::/0", "0.0.0.0/0", "203.0.113.0/25"],
        given: &["192.0.2.7", "203.0.113.128", "2001:db8:7fff::1", "2001:db8:8000::"],
    },
    Key {
        name: "aws:SourceArn",
        operators: &["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"],
        wanted: &["arn:aws:sns:*:111122223333:jobs", "arn:aws:sns:eu-west-1:*:*", "arn:aws:s*:*:*:jobs"],
        given: &["arn:aws:sns:eu-west-1:111122223333:jobs", "arn:aws:sqs:eu-west-1:111122223333:a:jobs"],
    },
    Key {
        name: "x:digest",
        operators: &["BinaryEquals"],
        wanted: &["QmluYXJ5", "qmluYXJ5"],
        given: &["QmluYXJ5"],
    },
];

impl Case {
    fn random(rng: &mut Rng) -> Case {
        let statements: Vec<Value> = (0..rng.usize(1..4)).map(|_| statement(rng)).collect();
        let mut policy = json!({"Version": "2012-10-17", "Statement": statements});
        let members = policy.as_object_mut().unwrap();
        match rng.u8(..16) {
            0 => drop(members.insert("Version".to_owned(), "2008-10-17".into())),
            1 => drop(members.remove("Version")),
            _ => {}
        }
        let mut context = Vec::new();
        for key in KEYS.iter().filter(|key| !key.given.is_empty()) {
            if rng.bool() {
                let value = match key.name {
                    "aws:TagKeys" => some(rng, key.given),
                    _ => one(rng, key.given).into(),
                };
                context.push((key.name, value));
            }
        }
        if rng.bool() {
            context.push(("aws:PrincipalTag/team", one(rng, &["alice", "bob", "*"]).into()));
        }
        let action = one(rng, &["s3:GetObject", "s3:PutObject", "S3:getobject", "sqs:SendMessage"]);
        let resource = one(
            rng,
            &[
                "arn:aws:s3:::reports/alice/may.csv",
                "arn:aws:s3:::reports/bob/may.csv",
                "arn:aws:s3:::reports//may.csv",
                "arn:aws:s3:::Reports/alice",
                "arn:aws:sqs:eu-west-1:111122223333:jobs",
            ],
        );
        Case { policy: policy.to_string(), action, resource, context }
    }

    fn mentions(&self, text: &str) -> bool {
        self.policy.contains(text)
    }

    fn team(&self) -> Option<&str> {
        let (_, team) = self.context.iter().find(|(key, _)| *key == "aws:PrincipalTag/team")?;
        team.as_str()
    }

    fn ours(&self) -> Verdict {
        let policy = Policy::parse(&*self.policy, PolicyKind::Identity).unwrap();
        let mut context = Context::new();
        for (key, value) in &self.context {
            match value {
                Value::Array(values) => {
                    context.set_many(*key, values.iter().map(|value| value.as_str().unwrap()))
                }
                value => context.set(*key, value.as_str().unwrap()),
            };
        }
        let request = Request {
            principal: Principal::User { arn: USER.to_owned() },
            action: self.action.to_owned(),
            resource: self.resource.to_owned(),
            resource_account: None,
            context,
        };
        PolicySet { identity: vec![policy].into(), ..PolicySet::default() }.decide(&request).verdict
    }

    /// `None` when iam-rs refuses to answer.
    fn theirs(&self) -> Option<Verdict> {
        use iam_rs::{Arn, Context, ContextValue, Decision, IAMRequest, PolicyEvaluator, PrincipalId};
        let policy = serde_json::from_str(&self.policy).ok()?;
        let mut context = Context::new();
        for (key, value) in &self.context {
            let value = match value.as_str().map(str::parse) {
                Some(Ok(is)) => ContextValue::Boolean(is),
                _ => serde_json::from_value(value.clone()).ok()?,
            };
            context.insert((*key).to_owned(), value);
        }
        let principal = iam_rs::Principal::Aws(PrincipalId::String(USER.to_owned()));
        let resource = Arn::parse(self.resource).ok()?;
        let request = IAMRequest::new_with_context(principal, self.action, resource, context);
        let evaluator = PolicyEvaluator::with_policies(vec![policy]);
        Some(match evaluator.evaluate(&request).ok()?.decision {
            Decision::Allow => Verdict::Allowed,
            Decision::Deny => Verdict::ExplicitDeny,
            Decision::NotApplicable => Verdict::ImplicitDeny,
        })
    }
}

fn statement(rng: &mut Rng) -> Value {
    let action = if rng.u8(..5) == 0 { "NotAction" } else { "Action" };
    let resource = if rng.u8(..5) == 0 { "NotResource" } else { "Resource" };
    let mut condition = json!({});
    for _ in 0..rng.usize(..3) {
        let key = rng.choice(&KEYS).unwrap();
        let mut operator = one(rng, key.operators).to_owned();
        if !operator.contains(':') && rng.u8(..4) == 0 {
            operator.push_str("IfExists");
        }
        let (operator, values) = match rng.u8(..8) {
            0 => ("Null".to_owned(), one(rng, &["true", "false"]).into()),
            _ => (operator, some(rng, key.wanted)),
        };
        let members = condition.as_object_mut().unwrap();
        members.insert(operator, json!({key.name: values}));
    }
    let mut statement = json!({
        "Effect": if rng.u8(..3) == 0 { "Deny" } else { "Allow" },
        action: some(rng, &["s3:GetObject", "s3:Get*", "S3:*Object", "s3:?utObject", "sqs:*", "*"]),
        resource: some(rng, &[
            "*",
            "arn:aws:s3:::reports/*",
            "arn:aws:s3:::reports/alice/???.csv",
            "arn:aws:s3:::reports/${aws:PrincipalTag/team}/*",
            "arn:aws:sqs:*:111122223333:j*s",
        ]),
    });
    statement.as_object_mut().unwrap().insert("Condition".to_owned(), condition);
    statement
}

/// One or two of the texts, as a text or a list.
fn some(rng: &mut Rng, of: &[&'static str]) -> Value {
    let first = one(rng, of);
    let second = one(rng, of);
    if rng.bool() || first == second { json!([first]) } else { json!([first, second]) }
}

fn one(rng: &mut Rng, of: &[&'static str]) -> &'static str {
    rng.choice(of.iter().copied()).unwrap()
}
