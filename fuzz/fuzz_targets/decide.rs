//! Any policies decide any request without a panic; the explanation says what the decision says; and statements that are
//! looked up together decide as each does on its own.

#![no_main]

use iam_policy::{Effect, StatementTrace, Verdict};
use iam_policy_fuzz::{Case, Facts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: Case| {
    let policies = case.together();
    let decision = policies.decide(&case.request);
    let facts = Facts::from(&decision);
    assert_eq!(facts, Facts::from(&case.apart().decide(&case.request)), "together and apart\n{case:?}");

    let explanation = policies.explain(&case.request);
    assert_eq!(facts, Facts::from(explanation.decision()), "the explanation's decision\n{case:?}");
    let sid = |trace: &StatementTrace| trace.statement().sid().map(str::to_owned);
    let traced: Vec<_> = explanation.deciding().map(sid).collect();
    let by: Vec<_> = decision.by.iter().map(|statement| statement.sid().map(str::to_owned)).collect();
    assert_eq!(traced, by, "traces and decision\n{case:?}");
    let denies =
        |trace: &StatementTrace| trace.matches() && trace.statement().statement().effect() == Effect::Deny;
    let denied = explanation.statements().iter().any(denies);
    assert_eq!(denied, decision.verdict == Verdict::ExplicitDeny, "a deny that matches\n{case:?}");
    assert!(explanation.to_string().starts_with(&decision.verdict.to_string()));
});
