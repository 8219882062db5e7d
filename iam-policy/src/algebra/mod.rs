//! Permissions as sets: what policies allow, compared exactly.
//!
//! ```text
//! Policy, PolicySet ── permissions() ──▶ Permissions ── union, intersection, difference, complement ──▶ Permissions
//!                                            │
//!                       is_subset, is_disjoint, is_equivalent, is_empty
//!                                            │
//!                                            ▼
//!              Answer: yes · no, with a Counterexample that `PolicySet::decide` confirms · Unknown, with the reason
//!
//! actions    a question as classes of actions: those that the same statements are about
//! formula    the question for a class as cases: these statements match and those do not
//! variables  a case with policy variables as cases with values for them
//! search     a case as boxes, one literal per dimension: resource, each condition key
//! wanted     literals of one dimension: with values for variables, or with marks for any value
//! texts      resources, strings: a text in some globs and not in others
//! values     condition keys: no value, one, several; numbers, dates, addresses
//! readable   a point of the space as a request that a person understands
//! closed     the actions of the catalogue on their own resources: which of them a set has
//! parts      a request and a set whose stars end at the colons of an ARN
//! write      sets as policy documents, and policies in fewer words
//! ```
//!
//! A set is of requests: an action, a resource and the condition keys of the context. Who asks is somebody of the resource's own
//! account, who has no permissions but these. Any text with a colon is an action, for AWS may add it tomorrow, and any text a
//! resource; condition keys are independent of each other and may be absent. So an inclusion that is proven holds in AWS too, and
//! a counterexample is one by the policies' own text, though AWS may never send such a request. A `*` of a resource matches colons
//! too: a counterexample that needs that [tells so](Counterexample::crosses_colons).

mod actions;
mod answer;
#[doc(hidden)]
pub mod assert;
mod budget;
mod closed;
mod formula;
mod globs;
mod parts;
mod question;
mod readable;
mod search;
mod term;
#[cfg(test)]
mod tests;
mod texts;
mod unknown;
mod values;
mod variables;
mod wanted;
mod write;

use std::fmt;
use std::sync::Arc;

pub use answer::{Answer, Counterexample};
pub use closed::Closed;
use formula::Formula;
pub use unknown::Unknown;
pub use write::{Inexpressible, Method};

use crate::catalogue::Action;
use crate::document::Policy;
use crate::evaluate::{PolicySet, Request};

/// A set of requests: what policies allow, or what is made of such sets.
///
/// Cloning is cheap. The answers to questions are in three values: what cannot be decided exactly is [`Answer::Unknown`].
///
/// # Examples
///
/// ```
/// use iam_policy::{Policy, PolicyKind};
///
/// let parse = |text: &str| Policy::parse(text, PolicyKind::Identity);
/// let old = parse(r#"{"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}"#)?;
/// let new = parse(r#"{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}}"#)?;
/// let (old, new) = (old.permissions(), new.permissions());
/// assert!(new.is_subset(&old).is_yes());
/// assert!(old.is_subset(&new).is_no());
/// assert!(new.difference(&old).is_empty().is_yes());
/// assert!(new == new.intersection(&old));
/// # Ok::<(), iam_policy::Diagnostics>(())
/// ```
#[derive(Clone)]
pub struct Permissions {
    formula: Arc<Formula>,
    plain: Arc<Plain>,
}

/// The same set, as the evaluator decides it.
#[derive(Debug)]
enum Plain {
    All(Vec<Arc<Plain>>),
    Any(Vec<Arc<Plain>>),
    Not(Arc<Plain>),
    Policies(PolicySet),
}

impl Policy {
    /// What the policy allows on its own, as a set.
    ///
    /// Of a policy that names principals nothing can be told: what it allows depends on who asks.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        use crate::document::PolicyKind as Kind;
        let set = match self.kind() {
            Kind::Boundary | Kind::Identity | Kind::ServiceControl | Kind::Session => {
                PolicySet { identity: vec![self.clone()].into(), ..PolicySet::default() }
            }
            Kind::Resource | Kind::Trust => {
                PolicySet { resource: Some(self.clone()), ..PolicySet::default() }
            }
            Kind::ResourceControl => {
                PolicySet { rcps: vec![vec![self.clone()].into()], ..PolicySet::default() }
            }
        };
        set.permissions()
    }
}

impl PolicySet {
    /// What the policies together allow to somebody of the resource's own account: boundaries, session policies and service
    /// control policies limit what the identity-based policies allow.
    ///
    /// Of a set with a resource-based policy or resource control policies nothing can be told: what it allows depends on who
    /// asks.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        let formula = Formula::allowed(self, &question::somebody());
        Permissions { formula: Arc::new(formula), plain: Arc::new(Plain::Policies(self.clone())) }
    }
}

impl Permissions {
    /// No request at all.
    #[must_use]
    pub fn nothing() -> Permissions {
        Permissions { formula: Arc::new(Formula::Any(Vec::new())), plain: Arc::new(Plain::Any(Vec::new())) }
    }

    /// Every request.
    #[must_use]
    pub fn everything() -> Permissions {
        Permissions::nothing().complement()
    }

    /// The requests of either set.
    #[must_use]
    pub fn union(&self, other: &Permissions) -> Permissions {
        self.with(other, Formula::Any, Plain::Any)
    }

    /// The requests of both sets.
    #[must_use]
    pub fn intersection(&self, other: &Permissions) -> Permissions {
        self.with(other, Formula::All, Plain::All)
    }

    /// The requests of this set that are not in the other.
    #[must_use]
    pub fn difference(&self, other: &Permissions) -> Permissions {
        self.intersection(&other.complement())
    }

    /// The requests that are not in the set.
    #[must_use]
    pub fn complement(&self) -> Permissions {
        Permissions {
            formula: Arc::new(Formula::Not(self.formula.clone())),
            plain: Arc::new(Plain::Not(self.plain.clone())),
        }
    }

    /// Whether a request is in the set, as [`PolicySet::decide`] has it.
    #[must_use]
    pub fn contains(&self, request: &Request) -> bool {
        self.plain.contains(request)
    }

    /// Whether the set has no request; the counterexample is one that it has.
    pub fn is_empty(&self) -> Answer {
        question::is_empty(self)
    }

    /// The actions of the catalogue for which the set has requests on resources of their own types, each with such a request
    /// as the counterexample of its emptiness, or with the reason why it cannot be told.
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::{Policy, PolicyKind};
    ///
    /// let parse = |text: &str| Policy::parse(text, PolicyKind::Identity).unwrap().permissions();
    /// let new = parse(r#"{"Statement": {"Effect": "Allow", "Action": "sqs:*Message", "Resource": "*"}}"#);
    /// let old = parse(r#"{"Statement": {"Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": "*"}}"#);
    /// let granted = new.difference(&old).actions();
    /// let names: Vec<String> = granted.iter().map(|(action, _)| action.to_string()).collect();
    /// assert_eq!(names, ["sqs:DeleteMessage", "sqs:SendMessage"]);
    /// ```
    #[must_use]
    pub fn actions(&self) -> Vec<(Action, Answer)> {
        self.closed().actions()
    }

    /// The set without actions that the catalogue does not have, and without resources that are not of an action's own types.
    #[must_use]
    pub fn closed(&self) -> Closed {
        Closed::new(self.clone())
    }

    /// Whether every request of the set is in the other; the counterexample is one that is not.
    pub fn is_subset(&self, other: &Permissions) -> Answer {
        self.difference(other).is_empty()
    }

    /// Whether no request is in both sets; the counterexample is one that is.
    pub fn is_disjoint(&self, other: &Permissions) -> Answer {
        self.intersection(other).is_empty()
    }

    /// Whether both sets have the same requests; the counterexample is one that only one of them has.
    pub fn is_equivalent(&self, other: &Permissions) -> Answer {
        self.is_subset(other).and_then(|| other.is_subset(self))
    }

    /// Policies that allow just the set, as AWS takes them; that they do is proven before they are returned.
    ///
    /// A policy of the set all of whose statements are needed as they are stays as it is, whatever its size; what is written
    /// anew keeps to the [limit](crate::PolicyKind::limit) of its kind. A set of no requests is a policy that denies all.
    ///
    /// # Errors
    ///
    /// If the method has no way to say the set, with what cannot be said; nothing is approximated.
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::{Method, Policy, PolicyKind};
    ///
    /// let parse = |text: &str| Policy::parse(text, PolicyKind::Identity).unwrap().permissions();
    /// let one = parse(r#"{"Statement": {"Effect": "Allow", "Action": ["s3:Get*", "sqs:*"], "Resource": "*"}}"#);
    /// let other = parse(r#"{"Statement": {"Effect": "Allow", "Action": "s3:*Object", "Resource": "*"}}"#);
    /// let documents = one.intersection(&other).to_documents(Method::Allow)?;
    /// assert_eq!(
    ///     documents.identity[0].to_json(),
    ///     r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*Object","Resource":"*"}]}"#
    /// );
    /// let documents = one.intersection(&other).to_documents(Method::Attached)?;
    /// assert_eq!(
    ///     documents.identity[1].to_json(),
    ///     r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"s3:*Object","Resource":"*"}]}"#
    /// );
    /// # Ok::<(), iam_policy::Inexpressible>(())
    /// ```
    pub fn to_documents(&self, method: Method) -> Result<PolicySet, Inexpressible> {
        write::documents(self, method)
    }

    fn with(
        &self,
        other: &Permissions,
        formula: fn(Vec<Arc<Formula>>) -> Formula,
        plain: fn(Vec<Arc<Plain>>) -> Plain,
    ) -> Permissions {
        Permissions {
            formula: Arc::new(formula(vec![self.formula.clone(), other.formula.clone()])),
            plain: Arc::new(plain(vec![self.plain.clone(), other.plain.clone()])),
        }
    }
}

/// By meaning: equal are sets that are proven to be; see [`Permissions::is_equivalent`] for what lies between.
impl PartialEq for Permissions {
    fn eq(&self, other: &Permissions) -> bool {
        self.is_equivalent(other).is_yes()
    }
}

/// The policies that the set is made of, and how.
impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permissions").field(&self.plain).finish()
    }
}

impl Plain {
    fn contains(&self, request: &Request) -> bool {
        match self {
            Plain::All(parts) => parts.iter().all(|part| part.contains(request)),
            Plain::Any(parts) => parts.iter().any(|part| part.contains(request)),
            Plain::Not(part) => !part.contains(request),
            Plain::Policies(set) => set.decide(request).is_allowed(),
        }
    }

    /// The policies that the set is made of, in the order in which they were put together.
    fn policies<'p>(&'p self, found: &mut Vec<&'p PolicySet>) {
        match self {
            Plain::All(parts) | Plain::Any(parts) => parts.iter().for_each(|part| part.policies(found)),
            Plain::Not(part) => part.policies(found),
            Plain::Policies(set) => found.push(set),
        }
    }
}
