//! What a value of the table means for one request.

use std::borrow::Cow;

use http::StatusCode;
use iam_policy::Principal;

use super::grammar::{Condition, Expected, Term, Test, Value};
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::sorted::Sorted;
use crate::wire::input::{Found, Input, Path, entries, items, walk};

/// More resources than any request is about; each is decided on its own.
pub(super) const MOST: usize = 1_000;

/// A request about too many resources, of which none may be left out.
pub(super) fn too_many() -> Fault {
    Fault::new(
        StatusCode::BAD_REQUEST,
        "ValidationException",
        format!("the request is about more than {MOST} resources"),
    )
}

/// One request, as the table's values see it.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) endpoint: &'a Shared,
    pub(crate) input: &'a Input<'a>,
    /// The region that the request is for.
    pub(crate) region: &'a str,
    pub(crate) caller: &'a Principal,
    /// The account of the caller, in which resources are that a request only names.
    pub(crate) account: &'a str,
    /// The IAM prefix of the service.
    pub(crate) prefix: &'a str,
    /// The one item of a list that paths through the list are about.
    pub(crate) focus: Option<Focus<'a>>,
}

/// One item of a list, or one entry of a map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Focus<'a> {
    /// The path of the list or map, without its brackets.
    pub(super) list: &'a str,
    /// The entry's key.
    key: Option<&'a str>,
    item: &'a serde_json::Value,
}

/// The values that the table's text gives for a request.
pub(crate) enum Values<'a> {
    Known(Vec<Found<'a>>),
    /// What the resource is called that is asked about: `i-0123` for each of several instances.
    OfResource,
    /// The request has one, and what it is depends on what the endpoint does not know.
    Unknown,
}

impl<'a> Scope<'a> {
    /// The first of the terms that is there.
    pub(crate) fn values(&self, value: &Value<'a>) -> Values<'a> {
        for term in &value.0 {
            match self.term(term) {
                Values::Known(found) if found.is_empty() => {}
                found => return found,
            }
        }
        Values::Known(Vec::new())
    }

    /// The same for something that only some items of lists are about: each item has its own where the value goes through
    /// its list.
    pub(crate) fn values_of(&self, items: &[Focus<'a>], value: &Value<'a>) -> Values<'a> {
        if items.is_empty() {
            return self.values(value);
        }
        let (mut all, mut texts, mut is_of_items) = (Vec::new(), Sorted::default(), false);
        for item in items {
            if !goes_through(value, item.list) {
                continue;
            }
            is_of_items = true;
            match (Self { focus: Some(*item), ..*self }).values(value) {
                Values::Known(found) => {
                    for found in found {
                        if let Found::Text(text) = &found {
                            if texts.get(text).is_some() {
                                continue;
                            }
                            texts.insert(text.clone().into_owned(), ());
                        }
                        all.push(found);
                    }
                }
                unknown => return unknown,
            }
        }
        if is_of_items { Values::Known(all) } else { self.values(value) }
    }

    fn term(&self, term: &Term<'a>) -> Values<'a> {
        match term {
            Term::Call(function, arguments) => {
                let mut given = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    match self.values(argument) {
                        Values::Known(found) => given.push(found),
                        Values::OfResource | Values::Unknown => return Values::Unknown,
                    }
                }
                (function.run)(self, given)
            }
            Term::Literal(text) => Values::Known(vec![Found::Text(Cow::Borrowed(text))]),
            Term::Path(path) => Values::Known(self.find(path)),
        }
    }

    /// Everything at a path.
    pub(super) fn find(&self, path: &Path<'_>) -> Vec<Found<'a>> {
        if let Some(focus) = self.focus
            && let Some(rest) = path.text.strip_prefix(focus.list)
        {
            // `M{*}[].A` goes into the entry's list, `L[].A` into the item.
            let into = |rest: &str| walk(focus.item, rest.strip_prefix('.').unwrap_or(rest));
            if let Some(rest) = rest.strip_prefix("[]").or_else(|| rest.strip_prefix("{*}")) {
                return into(rest);
            }
            if rest == "{}" {
                return match focus.key {
                    Some(key) => vec![Found::Text(Cow::Borrowed(key))],
                    None => Vec::new(),
                };
            }
        }
        self.input.find_at(path)
    }

    /// One scope for each item of the first list or map that a value goes through; this one alone where it goes through
    /// none, or where the request has none.
    pub(crate) fn by_item(&self, values: &[Value<'a>]) -> Result<Vec<Self>, Fault> {
        let path = values.iter().find_map(through_list);
        let list = path.and_then(|path| Some((path.list?, self.input.list_of(path)?)));
        let Some(((list, is_map), collection)) = list else { return Ok(vec![*self]) };
        let mut scopes = Vec::new();
        let mut add = |key, item| scopes.push(Self { focus: Some(Focus { list, key, item }), ..*self });
        if is_map {
            for (key, item) in entries(collection) {
                add(Some(key), item);
            }
        } else {
            for item in items(collection) {
                add(None, item);
            }
        }
        if scopes.len() > MOST {
            return Err(too_many());
        }
        Ok(scopes)
    }

    /// Whether a check is asked for.
    pub(crate) fn meets(&self, condition: &Condition<'_>) -> bool {
        condition.tests.iter().all(|test| self.passes(test)) != condition.is_negated
    }

    fn passes(&self, test: &Test<'_>) -> bool {
        let found = self.find(&test.path);
        for found in &found {
            let passes = match (test.expected, found) {
                (Expected::Present, _) => true,
                (_, Found::Tree(_)) => false,
                (Expected::Equals(expected), Found::Text(leaf)) => leaf == expected,
                (Expected::StartsWith(start), Found::Text(leaf)) => {
                    leaf.trim_start().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
                }
            };
            if passes {
                return true;
            }
        }
        false
    }
}

/// Whether the items of a list or a map differ in a value.
pub(super) fn goes_through(value: &Value<'_>, list: &str) -> bool {
    value.0.iter().any(|term| match term {
        Term::Call(_, arguments) => arguments.iter().any(|argument| goes_through(argument, list)),
        Term::Literal(_) => false,
        Term::Path(path) => path.text.strip_prefix(list).is_some_and(|rest| rest.starts_with(['[', '{'])),
    })
}

/// The first of a value's paths that goes through a list or a map in the body.
fn through_list<'v, 'a>(value: &'v Value<'a>) -> Option<&'v Path<'a>> {
    value.0.iter().find_map(|term| match term {
        Term::Call(_, arguments) => arguments.iter().find_map(through_list),
        Term::Literal(_) => None,
        Term::Path(path) => path.list.is_some().then_some(path),
    })
}
