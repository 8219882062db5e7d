//! The message of an assertion that failed.

use std::fmt::Write as _;

use iam_endpoint::{Authorization, Event, Outcome};
use iam_policy::Explanation;
#[cfg(feature = "network")]
use iam_policy::{Context, Principal, Request};

use super::answer::{Answer, Body, Finding, Mismatch, denials};
use super::sentence::Sentence;
use super::{Expectation, Expected};

/// How many authorizations of one call are told in full; a batch may have a thousand.
const TOLD: usize = 3;

/// Renders what was expected, what happened, and which statement decided.
pub(super) fn render(answer: &Answer, expectation: &Expectation, mismatch: &Mismatch, call: &str) -> String {
    let mut report = headline(expectation, mismatch);
    let _ = write!(report, "\n  call       {}", squeeze(call));
    if let Some((service, operation)) = &answer.operation {
        let _ = write!(report, "\n  operation  {service} {operation}");
    }
    let _ = write!(report, "\n  answer     {}", answer.told());
    match &answer.event {
        Some(event) => tell_event(&mut report, event, expectation, mismatch),
        None => tell_sentence(&mut report, answer),
    }
    report
}

fn headline(expectation: &Expectation, mismatch: &Mismatch) -> String {
    let subject = match (&expectation.action, &expectation.resource) {
        (None, None) => "the call".to_owned(),
        (Some(action), None) => format!("`{action}`"),
        (None, Some(resource)) => format!("the call on `{resource}`"),
        (Some(action), Some(resource)) => format!("`{action}` on `{resource}`"),
    };
    let expected = match expectation.verdict {
        Expected::Allowed if expectation.success => "allowed, and to succeed",
        Expected::Allowed => "allowed",
        Expected::Denied => "denied",
        Expected::ExplicitDeny => "denied by a statement that denies it",
        Expected::ImplicitDeny => "denied because no statement allows it",
    };
    let found = match mismatch {
        Mismatch::Verdict(Finding::Allowed) => "it was allowed",
        Mismatch::Verdict(Finding::Denied(Some(true))) => "a statement denies it",
        Mismatch::Verdict(Finding::Denied(Some(false))) => "no statement allows it",
        Mismatch::Verdict(Finding::Denied(None)) if expectation.verdict == Expected::Allowed => {
            "it was denied"
        }
        Mismatch::Verdict(Finding::Denied(None)) => "the service does not say why it was denied",
        Mismatch::Verdict(Finding::Concealed) => {
            "it was allowed: the 403 stands for an object that does not exist, because the caller may not list the bucket"
        }
        Mismatch::Verdict(Finding::Partly) => "some of its items were allowed and some were denied",
        Mismatch::Verdict(Finding::Nothing(why)) => {
            return format!(
                "expected {subject} to be {expected}, but the answer says nothing about that: {why}"
            );
        }
        Mismatch::Failed => "it was allowed and then failed",
        Mismatch::Subject => "the verdict is about something else",
    };
    format!("expected {subject} to be {expected}, but {found}")
}

/// Tells the decisions that the endpoint recorded: those that surprise first.
fn tell_event(report: &mut String, event: &Event, expectation: &Expectation, mismatch: &Mismatch) {
    // The answer tells why: the policies have nothing to do with it.
    if *mismatch == Mismatch::Failed && event.outcome != Outcome::ConcealedNotFound {
        return;
    }
    let everything: Vec<&Authorization> = match expectation.verdict {
        Expected::Allowed if *mismatch != Mismatch::Subject => denials(event).collect(),
        _ => event.authorizations.iter().collect(),
    };
    for authorization in everything.iter().take(TOLD) {
        let _ = write!(report, "\n\n{}", authorization.explain().to_string().trim_end());
    }
    if let Some(more @ 1..) = everything.len().checked_sub(TOLD) {
        let _ = write!(report, "\n\n  and {more} more decisions of this call");
    }
}

/// Tells what the service's own sentence says, where nothing was recorded, and what the role's policies make of it.
fn tell_sentence(report: &mut String, answer: &Answer) {
    let Body::Error { sentence, .. } = &answer.body else { return };
    let facts =
        [("principal", &sentence.principal), ("action", &sentence.action), ("resource", &sentence.resource)];
    for (name, fact) in facts {
        if let Some(fact) = fact {
            let _ = write!(report, "\n  {name:<9}  {fact}");
        }
    }
    if let Some(explanation) = own_policies(sentence) {
        let _ = write!(
            report,
            "\n\nby the role's own policies, for a request without condition keys:\n{}",
            explanation.to_string().trim_end()
        );
    }
}

/// What the policies of a role that this process made say to the request in a denial.
#[cfg(feature = "network")]
fn own_policies(sentence: &Sentence) -> Option<Explanation> {
    let session = sentence.principal.as_deref()?;
    let (_, role) = session.split_once(":assumed-role/")?;
    let (role, session_name) = role.split_once('/')?;
    let policies = crate::outlive::policies_of(role, session_name)?;
    Some(policies.explain(&Request {
        principal: Principal::from_arn(session)?,
        action: sentence.action.clone()?,
        resource: sentence.resource.clone()?,
        resource_account: None,
        context: Context::new(),
    }))
}

#[cfg(not(feature = "network"))]
fn own_policies(_: &Sentence) -> Option<Explanation> {
    None
}

/// The call on one line, as its author wrote it.
fn squeeze(call: &str) -> String {
    call.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".")
}
