//! Answers in three values, and requests that prove a no.

use std::fmt;
use std::sync::OnceLock;

use super::{Permissions, Unknown, question, readable};
use crate::evaluate::Request;
use crate::explain::Explanation;

/// The answer to a question about sets.
#[derive(Clone, Debug)]
#[must_use]
pub enum Answer {
    /// No, and a request that proves it.
    No(Box<Counterexample>),
    /// It cannot be told exactly.
    Unknown(Unknown),
    /// Proven, for every request.
    Yes,
}

/// A request that is where none should be.
///
/// `Display` is for people who read a failing test: the request, and what each of the compared policies says of it, with their
/// statements.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// Where none should be.
    set: Permissions,
    found: Request,
    readable: OnceLock<Request>,
    crosses: OnceLock<bool>,
}

impl Answer {
    /// Whether it is proven.
    #[must_use]
    pub fn is_yes(&self) -> bool {
        matches!(self, Answer::Yes)
    }

    /// Whether a request disproves it.
    #[must_use]
    pub fn is_no(&self) -> bool {
        matches!(self, Answer::No(_))
    }

    /// The request that disproves it.
    #[must_use]
    pub fn counterexample(&self) -> Option<&Counterexample> {
        match self {
            Answer::No(counterexample) => Some(counterexample),
            Answer::Unknown(_) | Answer::Yes => None,
        }
    }

    /// Why it cannot be told.
    #[must_use]
    pub fn unknown(&self) -> Option<&Unknown> {
        match self {
            Answer::Unknown(unknown) => Some(unknown),
            Answer::No(_) | Answer::Yes => None,
        }
    }

    /// The request that disproves it as it was found, or why it cannot be told; `None` for a yes.
    pub(super) fn into_found(self) -> Option<Result<Request, Unknown>> {
        match self {
            Answer::No(counterexample) => Some(Ok(counterexample.found)),
            Answer::Unknown(unknown) => Some(Err(unknown)),
            Answer::Yes => None,
        }
    }

    /// Yes if both are; a no of either counts before what is unknown.
    pub(super) fn and_then(self, other: impl FnOnce() -> Answer) -> Answer {
        match self {
            Answer::No(_) => self,
            Answer::Yes => other(),
            Answer::Unknown(unknown) => match other() {
                no @ Answer::No(_) => no,
                Answer::Unknown(_) | Answer::Yes => Answer::Unknown(unknown),
            },
        }
    }
}

impl Counterexample {
    pub(super) fn new(set: Permissions, found: Request) -> Counterexample {
        Counterexample { set, found, readable: OnceLock::new(), crosses: OnceLock::new() }
    }

    /// Of which is known whether it needs a `*` that reaches over colons.
    pub(super) fn known(set: Permissions, found: Request, crosses: bool) -> Counterexample {
        Counterexample { crosses: OnceLock::from(crosses), ..Counterexample::new(set, found) }
    }

    /// The request: an action of the catalogue and a resource that it acts on, where such a request proves the same.
    #[must_use]
    pub fn request(&self) -> &Request {
        self.readable.get_or_init(|| readable::request(&self.set, &self.found))
    }

    /// Whether there is a counterexample only because a `*` in one of the first five parts of an ARN in `Resource` matches colons
    /// too.
    ///
    /// AWS documents that it does ([Resource](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html)),
    /// but its policy checks answer as if it did not: they do not report such access.
    #[must_use]
    pub fn crosses_colons(&self) -> bool {
        *self.crosses.get_or_init(|| question::is_empty_within_parts(&self.set))
    }

    /// What each of the compared policies says of the request, in the order in which they were compared.
    #[must_use]
    pub fn explanations(&self) -> Vec<Explanation> {
        let mut policies = Vec::new();
        self.set.plain.policies(&mut policies);
        policies.into_iter().map(|set| set.explain(self.request())).collect()
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = self.request();
        write!(f, "`{}` on `{}`", request.action, request.resource)?;
        for (key, values) in request.context.iter() {
            write!(f, "\n  with `{key}` = {}", crate::diagnostic::quoted(values.iter().map(String::as_str)))?;
        }
        if self.crosses_colons() {
            write!(
                f,
                "\n  where a `*` matches beyond a colon of the ARN, which AWS's own policy checks do not count"
            )?;
        }
        for explanation in self.explanations() {
            write!(f, "\n\n{explanation}")?;
        }
        Ok(())
    }
}
