//! The engines, each behind one function: the answer to a question by its number.

use iam_policy::Verdict;
use iam_policy_bench::{ACCOUNT, USER, Workload};

/// The answer to the question of that number; `None` when the engine refuses to answer.
pub(crate) type Engine = Box<dyn Fn(usize) -> Option<Verdict>>;

/// An engine's name, and how it is made ready for a workload; `None` when it cannot read a policy.
pub(crate) type Contestant = (&'static str, fn(&Workload) -> Option<Engine>);

/// All engines, ours first.
pub(crate) const CONTESTANTS: [Contestant; 3] =
    [("iam-policy", ours), ("iam-rs", iam_rs), ("scratchstack-aspen", aspen)];

#[expect(clippy::unnecessary_wraps, reason = "a contestant")]
fn ours(workload: &Workload) -> Option<Engine> {
    let policies = workload.policy_set();
    let requests: Vec<_> = workload.questions.iter().map(iam_policy_bench::Question::request).collect();
    Some(Box::new(move |number| Some(policies.decide(requests.get(number)?).verdict)))
}

fn iam_rs(workload: &Workload) -> Option<Engine> {
    use iam_rs::{Arn, Context, ContextValue, Decision, IAMRequest, PolicyEvaluator, Principal, PrincipalId};
    let policies: Result<Vec<_>, _> =
        workload.policies.iter().map(|text| serde_json::from_str(text)).collect();
    let evaluator = PolicyEvaluator::with_policies(policies.ok()?).with_options(iam_rs::EvaluationOptions {
        // Not a limit of the language.
        max_statements: usize::MAX,
        ..Default::default()
    });
    let request = |question: &iam_policy_bench::Question| {
        let mut context = Context::new();
        for (key, value) in &question.context {
            let value = match value.parse() {
                Ok(is) => ContextValue::Boolean(is),
                Err(_) => ContextValue::String(value.clone()),
            };
            context.insert((*key).to_owned(), value);
        }
        let principal = Principal::Aws(PrincipalId::String(USER.to_owned()));
        Some(IAMRequest::new_with_context(
            principal,
            &question.action,
            Arn::parse(&question.resource).ok()?,
            context,
        ))
    };
    let requests: Vec<IAMRequest> = workload.questions.iter().map(request).collect::<Option<_>>()?;
    Some(Box::new(move |number| {
        Some(match evaluator.evaluate(requests.get(number)?).ok()?.decision {
            Decision::Allow => Verdict::Allowed,
            Decision::Deny => Verdict::ExplicitDeny,
            Decision::NotApplicable => Verdict::ImplicitDeny,
        })
    }))
}

fn aspen(workload: &Workload) -> Option<Engine> {
    use scratchstack_aspen::{Context, Decision, Policy, PolicySet, PolicySource};
    use scratchstack_aws_principal::{Principal, SessionData, SessionValue, User};
    let mut policies = PolicySet::new();
    for text in &workload.policies {
        let policy: Policy = text.parse().ok()?;
        policies.add_policy(PolicySource::new_entity_inline(USER, "AIDACKCEVSQ6C2EXAMPLE", "inline"), policy);
    }
    let context = |question: &iam_policy_bench::Question| {
        let mut session = SessionData::new();
        for (key, value) in &question.context {
            let value = match (value.parse(), value.parse()) {
                (Ok(is), _) => SessionValue::Bool(is),
                (_, Ok(address)) => SessionValue::IpAddr(address),
                _ => SessionValue::String(value.clone()),
            };
            session.insert(*key, value);
        }
        let user = User::new("aws", ACCOUNT, "/", "alice").ok()?;
        let (service, api) = question.action.split_once(':')?;
        Context::builder()
            .service(service)
            .api(api)
            .actor(Principal::from(vec![user.into()]))
            .resources(vec![question.resource.parse().ok()?])
            .session_data(session)
            .build()
            .ok()
    };
    let contexts: Vec<Context> = workload.questions.iter().map(context).collect::<Option<_>>()?;
    Some(Box::new(move |number| {
        Some(match policies.evaluate(contexts.get(number)?).ok()?.0 {
            Decision::Allow => Verdict::Allowed,
            Decision::Deny => Verdict::ExplicitDeny,
            Decision::DefaultDeny => Verdict::ImplicitDeny,
        })
    }))
}
