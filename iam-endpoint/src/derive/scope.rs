//! What a value of the table means for one request.

use std::borrow::Cow;

use super::grammar::{Condition, Expected, Term, Test, Value};
use crate::endpoint::Shared;
use crate::input::{Found, Input};

/// One request, as the table's values see it.
pub(crate) struct Scope<'a> {
    pub(crate) endpoint: &'a Shared,
    pub(crate) input: &'a Input<'a>,
    /// The region that the request is for.
    pub(crate) region: &'a str,
    /// The account of the caller, in which resources are that a request only names.
    pub(crate) account: &'a str,
}

/// The values that the table's text gives for a request.
pub(crate) enum Values<'a> {
    Known(Vec<Found<'a>>),
    /// The request has one, and what it is depends on what the endpoint does not know.
    Unknown,
}

impl<'a> Values<'a> {
    /// The leaves' texts.
    pub(crate) fn texts(self) -> Vec<Cow<'a, str>> {
        match self {
            Self::Known(found) => found.into_iter().filter_map(Found::text).collect(),
            Self::Unknown => Vec::new(),
        }
    }
}

impl<'a> Scope<'a> {
    /// The first of the terms that is there.
    pub(crate) fn values(&'a self, value: &Value<'a>) -> Values<'a> {
        for term in &value.0 {
            match self.term(term) {
                Values::Known(found) if found.is_empty() => {}
                found => return found,
            }
        }
        Values::Known(Vec::new())
    }

    fn term(&'a self, term: &Term<'a>) -> Values<'a> {
        match term {
            Term::Call(function, arguments) => {
                let mut given = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    match self.values(argument) {
                        Values::Known(found) => given.push(found),
                        Values::Unknown => return Values::Unknown,
                    }
                }
                (function.run)(self, given)
            }
            Term::Literal(text) => Values::Known(vec![Found::Text(Cow::Borrowed(text))]),
            Term::Path(path) => Values::Known(self.input.find(path)),
        }
    }

    /// Whether a check is asked for.
    pub(crate) fn meets(&self, condition: &Condition<'_>) -> bool {
        condition.tests.iter().all(|test| self.passes(test)) != condition.is_negated
    }

    fn passes(&self, test: &Test<'_>) -> bool {
        let found = self.input.find(test.path);
        let mut texts = found.iter().filter_map(|found| match found {
            Found::Text(text) => Some(text.as_ref()),
            Found::Tree(_) => None,
        });
        match test.expected {
            Expected::Equals(expected) => texts.any(|text| text == expected),
            Expected::Present => !found.is_empty(),
            Expected::StartsWith(start) => texts.any(|text| {
                text.trim_start().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
            }),
        }
    }
}
