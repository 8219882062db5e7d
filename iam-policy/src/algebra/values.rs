//! The search for the values of a condition key.
//!
//! ```text
//! no value ─▶ one value ─▶ several        the first that all literals accept
//!               │             └─ for each literal that asks for any value one of its own, that those that ask of all accept
//!               ├─ of texts: the search over globs
//!               └─ of numbers, dates, addresses, …: the limits of the policies and what lies between them
//! ```

use super::budget::Budget;
use super::globs::Globs;
use super::term::Filling;
use super::unknown::Doubt;
use super::wanted::{Wanted, find_text};
use crate::condition::{Number, Operand};
use crate::context::Context;
use crate::order;

/// What is asked about the values of one key.
pub(super) struct Question<'q> {
    pub(super) key: &'q str,
    pub(super) wanted: &'q [Wanted<'q>],
    /// What stands for variables; a key that has values there has no others.
    pub(super) filling: Filling<'q>,
    /// Whether a request can have several values for the key.
    pub(super) several: bool,
    pub(super) budget: &'q Budget,
}

impl Question<'_> {
    /// Values for which every literal is as wanted: none for a key that is absent. With marks it is only told that there may be
    /// some.
    pub(super) fn find(&self) -> Result<Option<Vec<String>>, Doubt> {
        if let Filling::Values(variables) = self.filling
            && let Some(values) = variables.lookup(self.key)
        {
            return Ok(self.accepts(values).then(|| values.to_vec()));
        }
        if self.accepts(&[]) {
            return Ok(Some(Vec::new()));
        }
        let all: Vec<Wanted<'_>> = self.wanted.iter().copied().filter(|wanted| !wanted.is_null()).collect();
        if all.len() < self.wanted.len() && !self.exists() {
            return Ok(None);
        }
        // Under a set operator an empty value counts as none. With marks the evaluator cannot tell what others make of it.
        let is_marked = matches!(self.filling, Filling::Marks(_));
        let or_empty = is_marked && !all.iter().any(Wanted::is_of_set);
        let mut doubt = match self.one(&all, or_empty) {
            Ok(Some(value)) => return Ok(Some(vec![value])),
            Ok(None) => None,
            Err(doubt) => Some(doubt),
        };
        if !or_empty && self.accepts(&[String::new()]) {
            return Ok(Some(vec![String::new()]));
        }
        if self.several {
            match self.many(&all) {
                Ok(Some(values)) => return Ok(Some(values)),
                Ok(None) => {}
                Err(other) => doubt = doubt.or(Some(other)),
            }
        }
        doubt.map_or(Ok(None), Err)
    }

    /// As the evaluator has it; what marks have nobody knows, but of no value they need not be known.
    fn accepts(&self, values: &[String]) -> bool {
        let (mut context, is_marked) = match self.filling {
            Filling::Marks(_) => (Context::new(), true),
            Filling::Values(variables) => (variables.clone(), false),
        };
        context.set_many(self.key.to_owned(), values.iter().cloned());
        let known = |wanted: &&Wanted<'_>| values.is_empty() || !(is_marked && wanted.literal.variable);
        self.wanted.iter().filter(known).all(|wanted| {
            wanted
                .condition()
                .is_some_and(|(condition, effect)| condition.holds(&context, effect).assumed == wanted.holds)
        })
    }

    /// Whether the key may have values at all.
    fn exists(&self) -> bool {
        let mut context = Context::new();
        context.set(self.key.to_owned(), "x");
        self.wanted.iter().filter(|wanted| wanted.is_null()).all(|wanted| {
            wanted
                .condition()
                .is_some_and(|(condition, effect)| condition.holds(&context, effect).assumed == wanted.holds)
        })
    }

    /// One value that all these literals accept. Only among several others it may be empty.
    fn one(&self, wanted: &[Wanted<'_>], or_empty: bool) -> Result<Option<String>, Doubt> {
        let (textual, typed): (Vec<Wanted<'_>>, Vec<_>) =
            wanted.iter().copied().partition(Wanted::is_textual);
        let text = self.text(&textual, or_empty && typed.is_empty())?;
        let (Some(text), false) = (&text, typed.is_empty()) else { return Ok(text) };
        let nothing = Context::new();
        let variables = match self.filling {
            Filling::Marks(_) if textual.iter().any(|wanted| wanted.literal.variable) => {
                return Ok(Some(text.clone()));
            }
            Filling::Marks(_) => &nothing,
            Filling::Values(variables) => variables,
        };
        let accepted = |value: &String| wanted.iter().all(|wanted| wanted.has(value, variables));
        let mut candidates = candidates(&typed);
        candidates.push(text.clone());
        if let Some(value) = candidates.into_iter().find(accepted) {
            return Ok(Some(value));
        }
        // One kind of values at a time is known exactly: what lies between the limits is all alike.
        let kinds = typed.iter().map(Wanted::kind);
        if textual.is_empty() && kinds.clone().all(|kind| Some(kind) == typed.first().map(Wanted::kind)) {
            return Ok(None);
        }
        let statement = wanted.last().map(|wanted| wanted.term.statement.clone());
        Err(Doubt::mixed(self.key, statement))
    }

    fn text(&self, wanted: &[Wanted<'_>], or_empty: bool) -> Result<Option<String>, Doubt> {
        for one in wanted {
            if one.globs(self.filling, self.budget)?.folds_beyond_ascii() {
                return Err(Doubt::cases(one.term.statement.clone()));
            }
        }
        let something = (!or_empty).then(|| Globs::of(["?*"]));
        find_text(wanted, something.as_ref(), self.filling, self.budget)
    }

    /// Several values: where no two literals ask for some value, one value does as well.
    fn many(&self, wanted: &[Wanted<'_>]) -> Result<Option<Vec<String>>, Doubt> {
        let (any, all): (Vec<Wanted<'_>>, Vec<_>) = wanted.iter().copied().partition(Wanted::asks_for_any);
        let mut values = Vec::new();
        // "or if the key value resolves to a null data set, such as an empty string": one value is not empty.
        values.extend(match self.one(&all, false)? {
            Some(value) => Some(value),
            None => return Ok(None),
        });
        for one in any {
            let mut together = all.clone();
            together.push(one);
            match self.one(&together, true)? {
                Some(value) => order::add(&mut values, value),
                None => return Ok(None),
            }
        }
        if self.accepts(&values) {
            return Ok(Some(values));
        }
        Err(Doubt::mixed(self.key, wanted.last().map(|wanted| wanted.term.statement.clone())))
    }
}

/// The limits that the literals name and what lies between them, and a value that none of them can read.
fn candidates(wanted: &[Wanted<'_>]) -> Vec<String> {
    let mut operands = Vec::new();
    for (condition, _) in wanted.iter().filter_map(Wanted::condition) {
        operands.extend(&condition.values);
    }
    let mut numbers = Vec::new();
    let mut bytes = 0;
    let mut candidates: Vec<String> = ["true", "false", "0.0.0.0", "::"].map(str::to_owned).into();
    for operand in operands {
        match &operand.matcher {
            Operand::Binary(_) => {
                candidates.push(operand.text.to_string());
                bytes = bytes.max(operand.text.len());
            }
            Operand::Date(date) => candidates.extend(date.with_neighbours()),
            Operand::Ip(network) => candidates.extend(network.edges()),
            Operand::Number(number) => numbers.push(*number),
            Operand::Bool(_) | Operand::Text(_) => {}
        }
    }
    candidates.extend(Number::with_neighbours(numbers));
    // More bytes than anybody lists, and what is of no type.
    candidates.extend(["AAAA".repeat(bytes / 4 + 1), "x".to_owned()]);
    candidates
}
