//! Runs the corpus: decisions and rejections as data, each with the AWS page that its rule is on.
//!
//! A case of a decision has the form of a line of `cargo iam decide`. In `context`, an empty list is a key that the request is
//! known to lack; `by` names statements as `identity[0].1`; `reason` is the policy type that denies or does not allow.
//! The `…` in the policy of a case of sizes is filled until it has the smallest `size` that is too large.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use iam_policy::{
    Context, Decision, Policies, Policy, PolicyKind, PolicySet, Principal, Reason, Request, Source,
    StatementRef,
};
use serde_json::Value;

#[test]
fn the_language_is_decided_as_documented() {
    decide_all(include_str!("corpus/language.json"));
}

#[test]
fn variables_are_decided_as_documented() {
    decide_all(include_str!("corpus/variables.json"));
}

#[test]
fn conditions_are_decided_as_documented() {
    decide_all(include_str!("corpus/conditions.json"));
}

#[test]
fn policy_types_play_together_as_documented() {
    decide_all(include_str!("corpus/evaluation.json"));
}

#[test]
fn what_aws_rejects_is_rejected_with_its_place() {
    run_all(include_str!("corpus/rejected.json"), reject);
}

#[test]
fn what_is_larger_than_aws_takes_is_refused_and_no_smaller_policy() {
    run_all(include_str!("corpus/sizes.json"), reject_size);
}

fn decide_all(corpus: &str) {
    run_all(corpus, decide);
}

/// Runs every case before it fails for any.
fn run_all(corpus: &str, run: fn(&Value) -> Result<(), String>) {
    let cases: Vec<Value> = serde_json::from_str(corpus).unwrap();
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            run(case)
                .err()
                .map(|failure| format!("{}: {failure}\n  ({})", text(case, "name"), text(case, "why")))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases fail\n\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}

fn decide(case: &Value) -> Result<(), String> {
    let (policies, request) = (policy_set(&case["policies"]), request(case));
    let decision = policies.decide(&request);
    let explanation = policies.explain(&request);
    let actual = facts(&decision);
    let mut expected = actual.clone();
    text(case, "decision").clone_into(&mut expected.verdict);
    if let Some(reason) = case.get("reason") {
        expected.reason = reason.as_str().map(str::to_owned);
    }
    if let Some(by) = case.get("by") {
        expected.by = strings(by);
    }
    if let Some(missing) = case.get("missingContext") {
        expected.missing_context = strings(missing);
    }
    if actual != expected {
        return Err(format!("expected {expected:?}, got {actual:?}\n{explanation}"));
    }
    if facts(explanation.decision()) != actual {
        return Err(format!("the explanation decided otherwise: {explanation}"));
    }
    // The traces come from the same questions, asked one by one: they must lead to the same statements.
    let traced: Vec<String> = explanation.deciding().map(|trace| name(trace.statement())).collect();
    if traced != actual.by {
        return Err(format!("traces say {traced:?} and not {:?}", actual.by));
    }
    Ok(())
}

#[derive(Clone, Debug, PartialEq)]
struct Facts {
    verdict: String,
    reason: Option<String>,
    by: Vec<String>,
    missing_context: Vec<String>,
}

fn facts(decision: &Decision) -> Facts {
    let reason = match decision.reason {
        Reason::ExplicitDeny(policy_type) | Reason::NoAllow(policy_type) => Some(policy_type.to_string()),
        _ => None,
    };
    Facts {
        verdict: decision.verdict.to_string(),
        reason,
        by: decision.by.iter().map(name).collect(),
        missing_context: decision.missing_context.clone(),
    }
}

fn name(statement: &StatementRef) -> String {
    format!("{}.{}", statement.policy_name(), statement.index())
}

fn policy_set(policies: &Value) -> PolicySet {
    let list = |value: &Value, kind| -> Policies {
        value.as_array().into_iter().flatten().map(|value| policy(value, kind)).collect()
    };
    let levels = |value: &Value, kind| -> Vec<Policies> {
        value.as_array().into_iter().flatten().map(|level| list(level, kind)).collect()
    };
    let resource = policies.get("resource").map(|value| policy(value, PolicyKind::Resource));
    PolicySet {
        identity: list(&policies["identity"], PolicyKind::Identity),
        resource: resource.or(policies.get("trust").map(|value| policy(value, PolicyKind::Trust))),
        boundary: list(&policies["boundary"], PolicyKind::Boundary).to_vec(),
        session: policies.get("session").map(|value| list(value, PolicyKind::Session)),
        scps: levels(&policies["scps"], PolicyKind::ServiceControl),
        rcps: levels(&policies["rcps"], PolicyKind::ResourceControl),
    }
}

fn policy(value: &Value, kind: PolicyKind) -> Policy {
    let policy = Policy::parse(value.to_string(), kind).unwrap_or_else(|error| panic!("{error}"));
    let printed = Policy::parse(policy.to_json(), kind).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(printed.to_json(), policy.to_json());
    // What is printed and parsed again is decided with, so that both must mean the same.
    printed
}

fn request(case: &Value) -> Request {
    let mut context = Context::new();
    for (key, value) in case.get("context").and_then(Value::as_object).into_iter().flatten() {
        match value {
            Value::Array(_) => context.set_many(key.clone(), strings(value)),
            value => context.set(key.clone(), value.as_str().unwrap()),
        };
    }
    Request {
        principal: principal(&case["principal"]),
        action: text(case, "action").to_owned(),
        resource: text(case, "resource").to_owned(),
        resource_account: case["resourceAccount"].as_str().map(str::to_owned),
        context,
    }
}

fn principal(value: &Value) -> Principal {
    let (role, user) = (value["roleArn"].as_str(), value["userArn"].as_str());
    if let Some(provider) = value["provider"].as_str() {
        return Principal::Federated { provider: provider.to_owned() };
    }
    let arn = text(value, "arn").to_owned();
    match (Principal::from_arn(&arn), role, user) {
        (Some(Principal::AssumedRole { session_arn, .. }), Some(role), _) => {
            Principal::AssumedRole { role_arn: role.to_owned(), session_arn }
        }
        (Some(Principal::FederatedUser { arn, .. }), _, user) => {
            Principal::FederatedUser { arn, user_arn: user.map(str::to_owned) }
        }
        (Some(principal), ..) => principal,
        (None, ..) if arn == "anonymous" => Principal::Anonymous,
        (None, ..) => Principal::Service { name: arn },
    }
}

fn reject(case: &Value) -> Result<(), String> {
    let kind = kind(case)?;
    let source = Source::new("policy.json", text(case, "policy"));
    let Err(problems) = Policy::parse(source, kind) else { return Err("it was accepted".to_owned()) };
    let Some(problem) = problems.iter().find(|problem| problem.code == text(case, "code")) else {
        return Err(format!("other problems: {problems}"));
    };
    if let Some(at) = case["at"].as_str().filter(|at| problem.location().to_string() != **at) {
        return Err(format!("not at {at}: {problem}"));
    }
    if let Some(help) =
        case["help"].as_str().filter(|help| !problem.help.as_deref().unwrap_or_default().contains(help))
    {
        return Err(format!("no help `{help}`: {problem}"));
    }
    Ok(())
}

fn kind(case: &Value) -> Result<PolicyKind, String> {
    Ok(match text(case, "kind") {
        "boundary" => PolicyKind::Boundary,
        "identity" => PolicyKind::Identity,
        "resource" => PolicyKind::Resource,
        "resourceControl" => PolicyKind::ResourceControl,
        "serviceControl" => PolicyKind::ServiceControl,
        "session" => PolicyKind::Session,
        "trust" => PolicyKind::Trust,
        other => return Err(format!("no kind `{other}`")),
    })
}

fn reject_size(case: &Value) -> Result<(), String> {
    let (kind, size) = (kind(case)?, usize::try_from(case["size"].as_u64().unwrap()).unwrap());
    let filled = |fill: usize| {
        let text = text(case, "policy").replace('…', &"x".repeat(fill));
        Policy::parse(text, kind).unwrap_or_else(|error| panic!("{error}"))
    };
    let check = |policy: &Policy| policy.check_size(kind.limit());
    let fill = size - filled(0).size();
    let (largest, too_large) = (filled(fill - 1), filled(fill));
    if (largest.size(), too_large.size()) != (size - 1, size) {
        return Err("its white space counts otherwise".to_owned());
    }
    check(&largest).map_err(|problems| format!("the largest one is refused: {problems}"))?;
    match check(&too_large).err().map(|problems| problems.iter().map(|found| found.code).collect::<Vec<_>>())
    {
        Some(codes) if codes == ["iam::size"] => Ok(()),
        found => Err(format!("found {found:?}")),
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}
