//! The search over boxes: is a region covered by others?
//!
//! ```text
//! a cover that has nothing of the region   is dropped
//! a cover that has all of it               ends the search there
//! a cover that one literal keeps from it   cuts the region: the literal fails
//! any other                                branches: one of its literals fails
//! no cover is left                         each dimension has its point
//! ```

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::budget::{Budget, Spent};
use super::globs::Globs;
use super::term::{Dimension, Literal, Term};
use super::texts;
use super::unknown::Doubt;
use super::values::{self, Wanted};
use crate::catalogue;
use crate::condition::GlobalKey;
use crate::context::Context;

/// What a search found.
pub(super) enum Outcome {
    Covered,
    Doubt(Doubt),
    Point(Point),
}

/// For each dimension that the policies ask about what stands there: none for a key that is absent.
pub(super) type Point = Vec<(Dimension, Vec<String>)>;

/// The search among terms that are compiled with the same variables.
pub(super) struct Search<'s> {
    universe: &'s Universe,
    variables: &'s Context,
    budget: &'s Budget,
    /// What is known of the literals of a dimension, by their addresses.
    known: RefCell<HashMap<Vec<(usize, bool)>, Known>>,
}

type Known = Result<Option<Rc<[String]>>, Doubt>;

/// The texts that stand for actions and resources at all.
pub(super) struct Universe {
    action: Globs,
    resource: Globs,
}

/// More than this many covers that each need a branch of their own are not for the stack.
const DEEPEST: usize = 200;

impl Universe {
    /// Every action, those of tomorrow too, and every resource.
    pub(super) fn open() -> Universe {
        Universe { action: Globs::of(["?*:?*"]), resource: Globs::of(["?*"]) }
    }
}

impl<'s> Search<'s> {
    pub(super) fn new(universe: &'s Universe, variables: &'s Context, budget: &'s Budget) -> Search<'s> {
        Search { universe, variables, budget, known: RefCell::default() }
    }

    /// Whether the terms of `outside` have all that those of `inside` have, whatever the variables of these are.
    pub(super) fn is_covered(&self, inside: &[&Term], outside: Vec<&Term>) -> Result<bool, Spent> {
        let mut region = region(inside);
        region.retain(|wanted| !wanted.literal.variable);
        Ok(self.is_nowhere(&region)? || matches!(self.leave(region, outside, 0)?, Outcome::Covered))
    }

    /// Whether no action is in all of these terms.
    pub(super) fn are_apart(&self, terms: &[&Term]) -> Result<bool, Spent> {
        let mut region = region(terms);
        region.retain(|wanted| wanted.literal.dimension == Dimension::Action);
        self.is_nowhere(&region)
    }

    /// A point that all terms of `inside` have and none of `outside`.
    pub(super) fn run<'t>(&self, inside: &[&'t Term], outside: Vec<&'t Term>) -> Result<Outcome, Spent> {
        let region = region(inside);
        if self.is_nowhere(&region)? {
            return Ok(Outcome::Covered);
        }
        self.leave(region, outside, 0)
    }

    fn is_nowhere(&self, region: &[Wanted<'_>]) -> Result<bool, Spent> {
        for wanted in region {
            if self.is_empty(region, *wanted)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A point of the region outside of the covers.
    fn leave<'t>(
        &self,
        mut region: Vec<Wanted<'t>>,
        mut covers: Vec<&'t Term>,
        depth: usize,
    ) -> Result<Outcome, Spent> {
        let mut narrowest: Option<(usize, Vec<Wanted<'t>>)>;
        loop {
            let before = region.len();
            let mut left = Vec::with_capacity(covers.len());
            narrowest = None;
            for &cover in &covers {
                let Some(open) = self.ways_out(&region, cover)? else { continue };
                match open.as_slice() {
                    [] => return Ok(Outcome::Covered),
                    [only] => region.push(*only),
                    _ => {
                        if narrowest.as_ref().is_none_or(|(_, least)| open.len() < least.len()) {
                            narrowest = Some((left.len(), open));
                        }
                        left.push(cover);
                    }
                }
            }
            covers = left;
            if region.len() == before {
                break;
            }
        }
        let Some((at, ways)) = narrowest else { return self.point(&region) };
        if depth == DEEPEST {
            return Err(Spent);
        }
        covers.remove(at);
        let mut doubt = None;
        for way in ways {
            let mut cut = region.clone();
            cut.push(way);
            match self.leave(cut, covers.clone(), depth + 1)? {
                Outcome::Covered => {}
                Outcome::Doubt(other) => doubt = doubt.or(Some(other)),
                point @ Outcome::Point(_) => return Ok(point),
            }
        }
        Ok(doubt.map_or(Outcome::Covered, Outcome::Doubt))
    }

    /// The literals of a cover that can fail in the region; `None` where one of them fails in all of it.
    fn ways_out<'t>(&self, region: &[Wanted<'t>], cover: &'t Term) -> Result<Option<Vec<Wanted<'t>>>, Spent> {
        self.budget.spend(1)?;
        let mut ways = Vec::new();
        for literal in &cover.literals {
            let wanted = |holds| Wanted { term: cover, literal, holds };
            if self.is_empty(region, wanted(true))? {
                return Ok(None);
            }
            if !self.is_empty(region, wanted(false))? {
                ways.push(wanted(false));
            }
        }
        Ok(Some(ways))
    }

    /// Whether a literal cannot be as wanted in the region.
    fn is_empty(&self, region: &[Wanted<'_>], wanted: Wanted<'_>) -> Result<bool, Spent> {
        let dimension = &wanted.literal.dimension;
        let mut together: Vec<Wanted<'_>> =
            region.iter().copied().filter(|other| other.literal.dimension == *dimension).collect();
        together.push(wanted);
        Ok(matches!(self.values(dimension, &together)?, Ok(None)))
    }

    /// What can stand in a dimension where literals are as wanted.
    fn values(&self, dimension: &Dimension, wanted: &[Wanted<'_>]) -> Result<Known, Spent> {
        let mut name: Vec<(usize, bool)> = wanted
            .iter()
            .map(|wanted| (std::ptr::from_ref::<Literal>(wanted.literal).addr(), wanted.holds))
            .collect();
        name.sort_unstable();
        name.dedup();
        if let Some(known) = self.known.borrow().get(&name) {
            return Ok(known.clone());
        }
        // What one statement asks and the other has just so: versions of a policy mostly do.
        let contradicts = |one: &Wanted<'_>| {
            wanted.iter().any(|other| {
                one.holds && !other.holds && one.literal.is_same(one.term, other.literal, other.term)
            })
        };
        if wanted.iter().any(contradicts) {
            self.known.borrow_mut().insert(name, Ok(None));
            return Ok(Ok(None));
        }
        let found = match dimension {
            Dimension::Action => self.text(&self.universe.action, wanted, Globs::is_named),
            Dimension::Key(key) => {
                let question = values::Question {
                    key,
                    wanted,
                    variables: self.variables,
                    several: has_several(key, wanted),
                    budget: self.budget,
                };
                question.find()
            }
            Dimension::Resource => self.text(&self.universe.resource, wanted, Globs::is_filled),
        };
        let known = match found {
            Ok(values) => Ok(values.map(Rc::from)),
            // Nothing else can be found out either.
            Err(doubt) if doubt.is_limit() => return Err(Spent),
            Err(doubt) => Err(doubt),
        };
        self.known.borrow_mut().insert(name, known.clone());
        Ok(known)
    }

    fn text(
        &self,
        universe: &Globs,
        wanted: &[Wanted<'_>],
        is_within: fn(&Globs) -> bool,
    ) -> Result<Option<Vec<String>>, Doubt> {
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for wanted in wanted {
            if let Some(globs) = &wanted.literal.globs {
                if wanted.holds == wanted.literal.negated { outside.push(globs) } else { inside.push(globs) }
            }
        }
        // A set that is within the universe as it is need not meet it: two sets at once cost more.
        if !inside.iter().any(|globs| is_within(globs)) {
            inside.push(universe);
        }
        Ok(texts::find(&inside, &outside, self.budget)?.map(|text| vec![text]))
    }

    fn point(&self, region: &[Wanted<'_>]) -> Result<Outcome, Spent> {
        let mut point = Point::new();
        for wanted in region {
            let dimension = &wanted.literal.dimension;
            if point.iter().any(|(known, _)| known == dimension) {
                continue;
            }
            let together: Vec<Wanted<'_>> =
                region.iter().copied().filter(|other| other.literal.dimension == *dimension).collect();
            match self.values(dimension, &together)? {
                Ok(Some(values)) => point.push((dimension.clone(), values.to_vec())),
                Ok(None) => return Ok(Outcome::Covered),
                Err(doubt) => return Ok(Outcome::Doubt(doubt)),
            }
        }
        for (dimension, universe) in
            [(Dimension::Action, &self.universe.action), (Dimension::Resource, &self.universe.resource)]
        {
            if !point.iter().any(|(known, _)| *known == dimension)
                && let Some(text) = texts::find(&[universe], &[], self.budget)?
            {
                point.push((dimension, vec![text]));
            }
        }
        Ok(Outcome::Point(point))
    }
}

/// What all terms ask.
fn region<'t>(terms: &[&'t Term]) -> Vec<Wanted<'t>> {
    let each = |term: &&'t Term| {
        let term = *term;
        term.literals.iter().map(move |literal| Wanted { term, literal, holds: true })
    };
    terms.iter().flat_map(each).collect()
}

/// Whether a request can have several values for a key: as AWS says, and of keys that it does not tell of, where a policy asks
/// with a set operator.
fn has_several(key: &str, wanted: &[Wanted<'_>]) -> bool {
    if let Some(global) = GlobalKey::find(key) {
        return global.is_multivalued();
    }
    if let Some(of_service) = catalogue::condition_key(key) {
        return of_service.is_multivalued();
    }
    wanted.iter().any(|wanted| {
        wanted
            .term
            .condition(wanted.literal)
            .is_some_and(|(condition, _)| condition.operator.quantifier.is_some())
    })
}
