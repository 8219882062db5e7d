//! Literals that are to hold or to fail, and a text for those of one dimension.
//!
//! ```text
//! variables have values     each literal is a set of texts to be in or not to be in
//! variables are marks       what is empty is so for all values: of the sets to be in those without variables count, and one with
//!                           its marks as they are, which others have to have too, or the like of it with any text for a mark
//! ```
//!
//! A text with marks stands for those with any values in their places: a set that it must not be in has these too, if it has the
//! marks themselves or a `*` there. Of two sets that it must be in, each with a text of its own for a mark, nothing can be told so.

use super::budget::{Budget, Spent};
use super::globs::Globs;
use super::term::{Filling, Literal, Term, is_written_in};
use super::texts;
use super::unknown::Doubt;
use crate::condition::{Condition, Quantifier, Test};
use crate::context::Context;
use crate::document::Effect;
use crate::pattern::Pattern;

/// A literal, and whether it is to hold.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'t> {
    pub(super) term: &'t Term,
    pub(super) literal: &'t Literal,
    pub(super) holds: bool,
}

/// A text for which literals are as wanted, if there is one; with marks it is only told that there may be one. The universe has
/// all texts that have a character, if it is not all texts.
pub(super) fn find_text<'t>(
    wanted: &[Wanted<'t>],
    universe: Option<&'t Globs>,
    filling: Filling<'_>,
    budget: &Budget,
) -> Result<Option<String>, Doubt> {
    let (inside, outside): (Vec<Wanted<'t>>, Vec<_>) = wanted.iter().copied().partition(Wanted::is_inside);
    if inside.iter().any(|one| one.is_written_in(&outside)) {
        return Ok(None);
    }
    let sets_outside = globs(&outside, filling, budget)?;
    let search = |mut sets: Vec<&'t Globs>| {
        // A set that is within the universe as it is need not meet it: two sets at once cost more.
        let universe = universe.filter(|_| !sets.iter().any(|set| set.is_filled()));
        sets.extend(universe);
        texts::find(&sets, &sets_outside, budget).map_err(Doubt::from)
    };
    let marked = |one: &Wanted<'_>| matches!(filling, Filling::Marks(_)) && one.literal.variable;
    if !inside.iter().any(marked) {
        return search(globs(&inside, filling, budget)?);
    }
    for one in inside.iter().filter(|one| marked(one) && one.is_plain()) {
        if search(vec![one.globs(filling, budget)?])?.is_none() {
            return Ok(None);
        }
    }
    let mut sets = Vec::with_capacity(inside.len() + 1);
    for one in &inside {
        sets.push(if marked(one) { one.wide(budget)? } else { one.globs(filling, budget)? });
    }
    search(sets)
}

fn globs<'t>(all: &[Wanted<'t>], filling: Filling<'_>, budget: &Budget) -> Result<Vec<&'t Globs>, Spent> {
    let mut globs = Vec::with_capacity(all.len() + 1);
    for one in all {
        globs.push(one.globs(filling, budget)?);
    }
    Ok(globs)
}

impl<'t> Wanted<'t> {
    pub(super) fn condition(&self) -> Option<(&'t Condition, Effect)> {
        self.term.condition(self.literal)
    }

    pub(super) fn test(&self) -> Option<Test> {
        self.condition().map(|(condition, _)| condition.operator.comparison.test)
    }

    pub(super) fn is_null(&self) -> bool {
        self.test() == Some(Test::Null)
    }

    pub(super) fn is_textual(&self) -> bool {
        self.term.is_textual(self.literal)
    }

    /// What kind of values the operator compares.
    pub(super) fn kind(&self) -> Option<std::mem::Discriminant<Test>> {
        self.test().as_ref().map(std::mem::discriminant)
    }

    /// Whether the literal is as wanted for one value.
    pub(super) fn has(&self, value: &str, variables: &Context) -> bool {
        let Some((condition, effect)) = self.condition() else { return false };
        let mut context = variables.clone();
        context.set(condition.key.to_string(), value);
        condition.holds(&context, effect).assumed == self.holds
    }

    /// Whether the operator is about sets of values.
    pub(super) fn is_of_set(&self) -> bool {
        self.condition().is_some_and(|(condition, _)| condition.operator.quantifier.is_some())
    }

    /// Whether, of several values, one is enough.
    pub(super) fn asks_for_any(&self) -> bool {
        let any = self.condition().is_some_and(|(condition, effect)| match condition.operator.quantifier {
            Some(quantifier) => quantifier == Quantifier::ForAnyValue,
            None => effect == Effect::Deny,
        });
        any == self.holds
    }

    /// Whether one literal holds where the other fails.
    pub(super) fn contradicts(&self, other: &Wanted<'_>) -> bool {
        self.holds && !other.holds && self.literal.implies(self.term, other.literal, other.term)
    }

    pub(super) fn globs(&self, filling: Filling<'_>, budget: &Budget) -> Result<&'t Globs, Spent> {
        self.term.globs(self.literal, filling, budget)
    }

    fn wide(&self, budget: &Budget) -> Result<&'t Globs, Spent> {
        self.term.wide(self.literal, budget)
    }

    fn patterns(&self) -> impl Iterator<Item = (&'t str, &'t Pattern)> {
        self.term.patterns(self.literal)
    }

    /// Whether the text has to match one of the patterns, not none of them.
    fn is_inside(&self) -> bool {
        self.holds != self.literal.negated
    }

    /// Whether a mark among its patterns is just what it stands for.
    fn is_plain(&self) -> bool {
        self.test() != Some(Test::Arn) && !self.patterns().any(|(_, pattern)| pattern.folds())
    }

    /// Whether others have each of the patterns, or a start of it, as it is written.
    fn is_written_in(&self, others: &[Wanted<'_>]) -> bool {
        let alike: Vec<&Wanted<'_>> = others
            .iter()
            .filter(|other| self.test() == other.test() && self.term.reads_as(other.term))
            .collect();
        !alike.is_empty()
            && self
                .patterns()
                .all(|one| alike.iter().any(|other| other.patterns().any(|other| is_written_in(one, other))))
    }
}
