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
use super::term::{Literal, Term};
use super::texts;
use super::unknown::Doubt;
use crate::condition::{Condition, Number, Operand, Quantifier, Test};
use crate::context::Context;
use crate::document::Effect;

/// A literal about a key, and whether it is to hold.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'t> {
    pub(super) term: &'t Term,
    pub(super) literal: &'t Literal,
    pub(super) holds: bool,
}

/// What is asked about the values of one key.
pub(super) struct Question<'q> {
    pub(super) key: &'q str,
    pub(super) wanted: &'q [Wanted<'q>],
    /// The values of the variables; a key that has some here has no others.
    pub(super) variables: &'q Context,
    /// Whether a request can have several values for the key.
    pub(super) several: bool,
    pub(super) budget: &'q Budget,
}

impl Question<'_> {
    /// Values for which every literal is as wanted: none for a key that is absent.
    pub(super) fn find(&self) -> Result<Option<Vec<String>>, Doubt> {
        if let Some(values) = self.variables.lookup(self.key) {
            return Ok(self.accepts(values).then(|| values.to_vec()));
        }
        if self.accepts(&[]) {
            return Ok(Some(Vec::new()));
        }
        let all: Vec<Wanted<'_>> = self.wanted.iter().copied().filter(|wanted| !wanted.is_null()).collect();
        if all.len() < self.wanted.len() && !self.exists() {
            return Ok(None);
        }
        let mut doubt = match self.one(&all, false) {
            Ok(Some(value)) => return Ok(Some(vec![value])),
            Ok(None) => None,
            Err(doubt) => Some(doubt),
        };
        // Under a set operator it counts as no value.
        if self.accepts(&[String::new()]) {
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

    /// As the evaluator has it.
    fn accepts(&self, values: &[String]) -> bool {
        let mut context = self.variables.clone();
        context.set_many(self.key.to_owned(), values.iter().cloned());
        self.wanted.iter().all(|wanted| {
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
            wanted.iter().copied().partition(|wanted| wanted.literal.globs.is_some());
        let text = self.text(&textual, or_empty && typed.is_empty())?;
        let (Some(text), false) = (&text, typed.is_empty()) else { return Ok(text) };
        let accepted = |value: &String| wanted.iter().all(|wanted| wanted.has(value, self.variables));
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
        let something = Globs::of(["?*"]);
        let mut inside = if or_empty { Vec::new() } else { vec![&something] };
        let mut outside = Vec::new();
        for wanted in wanted {
            if let Some(globs) = &wanted.literal.globs {
                if globs.folds_beyond_ascii() {
                    return Err(Doubt::cases(wanted.term.statement.clone()));
                }
                if wanted.holds == wanted.literal.negated { outside.push(globs) } else { inside.push(globs) }
            }
        }
        texts::find(&inside, &outside, self.budget).map_err(Doubt::from)
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
                Some(value) => values.push(value),
                None => return Ok(None),
            }
        }
        values.sort();
        values.dedup();
        if self.accepts(&values) {
            return Ok(Some(values));
        }
        Err(Doubt::mixed(self.key, wanted.last().map(|wanted| wanted.term.statement.clone())))
    }
}

impl<'t> Wanted<'t> {
    fn condition(&self) -> Option<(&'t Condition, Effect)> {
        self.term.condition(self.literal)
    }

    fn test(&self) -> Option<Test> {
        self.condition().map(|(condition, _)| condition.operator.comparison.test)
    }

    fn is_null(&self) -> bool {
        self.test() == Some(Test::Null)
    }

    /// What kind of values the operator compares.
    fn kind(&self) -> Option<std::mem::Discriminant<Test>> {
        self.test().as_ref().map(std::mem::discriminant)
    }

    /// Whether the literal is as wanted for one value.
    fn has(&self, value: &str, variables: &Context) -> bool {
        let Some((condition, effect)) = self.condition() else { return false };
        let mut context = variables.clone();
        context.set(condition.key.to_string(), value);
        condition.holds(&context, effect).assumed == self.holds
    }

    /// Whether, of several values, one is enough.
    fn asks_for_any(&self) -> bool {
        let any = self.condition().is_some_and(|(condition, effect)| match condition.operator.quantifier {
            Some(quantifier) => quantifier == Quantifier::ForAnyValue,
            None => effect == Effect::Deny,
        });
        any == self.holds
    }
}

/// The limits that the literals name and what lies between them, and a value that none of them can read.
fn candidates(wanted: &[Wanted<'_>]) -> Vec<String> {
    let operands = wanted.iter().filter_map(Wanted::condition).flat_map(|(condition, _)| &condition.values);
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
