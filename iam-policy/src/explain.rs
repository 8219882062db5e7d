//! Explanations: for every statement, which of its elements match a request and which do not.
//!
//! ```text
//! Explanation ── StatementTrace ── ElementTrace    Principal, Action, Resource, each condition
//! ```

mod describe;
mod render;
#[cfg(test)]
mod tests;
mod trace;

use crate::document::Effect;
use crate::evaluate::{Decision, Facts, PolicySet, PolicyType, Reason, Request, StatementRef, layers};
use crate::order;
use crate::source::Span;
use crate::truth::Truth;

/// A decision with all that led to it.
///
/// `Display` is for people who read a failing test: the verdict and AWS's reason, then the statements that decided or, for an
/// implicit deny, those that came nearest to allowing the request, each as a snippet of its source with the element that did
/// not match underlined.
///
/// # Examples
///
/// ```
/// use iam_policy::{Context, Policy, PolicyKind, PolicySet, Principal, Request, Source};
///
/// let text = r#"{
///   "Version": "2012-10-17",
///   "Statement": {
///     "Effect": "Allow",
///     "Action": "s3:ListBucket",
///     "Resource": "arn:aws:s3:::dashboard"
///   }
/// }"#;
/// let policy = Policy::parse(Source::new("reader.json", text), PolicyKind::Identity).unwrap();
/// let explanation = PolicySet { identity: vec![policy].into(), ..PolicySet::default() }.explain(&Request {
///     principal: Principal::User { arn: "arn:aws:iam::123456789012:user/alice".into() },
///     action: "s3:ListBucket".into(),
///     resource: "arn:aws:s3:::infra".into(),
///     resource_account: None,
///     context: Context::new(),
/// });
/// assert_eq!(
///     explanation.to_string(),
///     "\
/// implicitDeny: `s3:ListBucket` on `arn:aws:s3:::infra` by `arn:aws:iam::123456789012:user/alice`
/// because no identity-based policy allows the s3:ListBucket action
///
/// note: this statement of an identity-based policy came nearest
///  --> reader.json:6:17
///   |
/// 5 |     \"Action\": \"s3:ListBucket\",
///   |               --------------- `s3:ListBucket` matches
/// 6 |     \"Resource\": \"arn:aws:s3:::dashboard\"
///   |                 ^^^^^^^^^^^^^^^^^^^^^^^^ `arn:aws:s3:::infra` is not `arn:aws:s3:::dashboard`
///   |"
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Explanation {
    request: Request,
    decision: Decision,
    statements: Vec<StatementTrace>,
}

/// A statement, and how each of its elements took the request.
#[derive(Clone, Debug)]
pub struct StatementTrace {
    statement: StatementRef,
    elements: Vec<ElementTrace>,
}

/// An element of a statement, and how it took the request.
#[derive(Clone, Debug)]
pub struct ElementTrace {
    element: &'static str,
    truth: Truth,
    span: Span,
    text: String,
    /// How much of the request the element's nearest value matches: ranks near misses.
    nearness: usize,
}

impl PolicySet {
    /// Decides a request, and tells why.
    #[must_use]
    pub fn explain(&self, request: &Request) -> Explanation {
        let facts = Facts::new(self, request);
        let mut statements = Vec::new();
        for layer in layers(self, request) {
            for (at, statement) in layer.statements() {
                if let Some(reference) = layer.reference(at) {
                    statements.push(StatementTrace {
                        statement: reference,
                        elements: trace::elements(&facts, statement),
                    });
                }
            }
        }
        Explanation { request: request.clone(), decision: self.decide(request), statements }
    }
}

impl Explanation {
    /// What was asked.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// What was decided.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Every statement of the policies that apply, in the order in which they are asked.
    #[must_use]
    pub fn statements(&self) -> &[StatementTrace] {
        &self.statements
    }

    /// For an implicit deny, the statements that came nearest to allowing the request, best first: at most three, and only
    /// such as name an action of the same service.
    #[must_use]
    pub fn near_misses(&self) -> Vec<&StatementTrace> {
        const MOST: usize = 3;
        let Reason::NoAllow(silent) = self.decision.reason else { return Vec::new() };
        let mut misses: Vec<&StatementTrace> =
            self.statements.iter().filter(|trace| trace.could_have_allowed(silent)).collect();
        order::sort_by(&mut misses, |a, b| a.distance().cmp(&b.distance()));
        // Beside a statement of which one element does not match, one of which three do not is noise.
        let nearest = misses.first().map_or(0, |trace| trace.failed());
        misses.retain(|trace| trace.failed() <= nearest);
        misses.truncate(MOST);
        misses
    }

    /// The traces of the statements that decided.
    pub fn deciding(&self) -> impl Iterator<Item = &StatementTrace> {
        let wanted = match self.decision.reason {
            Reason::Allowed => Some(Effect::Allow),
            Reason::ExplicitDeny(_) => Some(Effect::Deny),
            Reason::NoAllow(_) => None,
        };
        self.statements.iter().filter(move |trace| {
            Some(trace.statement.statement().effect()) == wanted
                && trace.matches()
                && (wanted == Some(Effect::Deny) || trace.statement.policy_type().grants())
        })
    }
}

impl StatementTrace {
    /// The statement.
    #[must_use]
    pub fn statement(&self) -> &StatementRef {
        &self.statement
    }

    /// Its elements: principal, action, resource, and each condition.
    #[must_use]
    pub fn elements(&self) -> &[ElementTrace] {
        &self.elements
    }

    /// Whether all of its elements match.
    #[must_use]
    pub fn matches(&self) -> bool {
        self.failed() == 0
    }

    fn failed(&self) -> usize {
        self.elements.iter().filter(|element| !element.matches()).count()
    }

    fn could_have_allowed(&self, silent: PolicyType) -> bool {
        let here = self.statement.policy_type() == silent
            // In one account a resource-based policy would have done in the place of an identity-based one.
            || silent == PolicyType::Identity && self.statement.policy_type().grants();
        let same_service = self
            .elements
            .iter()
            .any(|element| element.is_action() && (element.matches() || element.nearness > 0));
        here && same_service && !self.matches() && self.statement.statement().effect() == Effect::Allow
    }

    /// Smaller for a statement that came nearer.
    fn distance(&self) -> (usize, bool, std::cmp::Reverse<usize>) {
        let misses_action = self.elements.iter().any(|element| element.is_action() && !element.matches());
        let nearness = self.elements.iter().map(|element| element.nearness).sum();
        (self.failed(), misses_action, std::cmp::Reverse(nearness))
    }
}

impl ElementTrace {
    /// The element's name: `Principal`, `NotAction`, `Resource`, `Condition`.
    #[must_use]
    pub fn element(&self) -> &'static str {
        self.element
    }

    /// Whether the element matches the request.
    #[must_use]
    pub fn matches(&self) -> bool {
        self.truth.assumed
    }

    /// The value of the element that matched, or the one that came nearest.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// What was compared, and how it came out.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    fn is_action(&self) -> bool {
        self.element.ends_with("Action")
    }
}
