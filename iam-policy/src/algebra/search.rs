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
use std::ops::Deref;
use std::rc::Rc;

use super::budget::{Budget, Spent};
use super::formula::Matches;
use super::globs::Globs;
use super::term::{Dimension, Filling, Literal, Reach, Term};
use super::texts;
use super::unknown::Doubt;
use super::values;
use super::wanted::{Wanted, find_text};
use crate::catalogue;
use crate::condition::GlobalKey;

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
    filling: Filling<'s>,
    reach: Reach,
    budget: &'s Budget,
    /// The boxes of statements that are not the same in every search, by the names of the statements.
    terms: RefCell<HashMap<usize, Rc<Term>>>,
    /// What is known of the literals of a dimension, by their addresses and what they are to be.
    known: RefCell<HashMap<Vec<usize>, Known>>,
}

type Known = Result<Option<Rc<[String]>>, Doubt>;

/// The texts that are resources at all: all that have a character.
pub(super) struct Universe(Globs);

/// A statement's box.
pub(super) enum Held<'f> {
    /// The same in every search.
    Constant(&'f Term),
    Filled(Rc<Term>),
}

/// More than this many covers that each need a branch of their own are not for the stack.
const DEEPEST: usize = 200;

impl Universe {
    pub(super) fn new() -> Universe {
        Universe(Globs::of(["?*"]))
    }
}

impl<'s> Search<'s> {
    pub(super) fn new(
        universe: &'s Universe,
        filling: Filling<'s>,
        reach: Reach,
        budget: &'s Budget,
    ) -> Search<'s> {
        Search { universe, filling, reach, budget, known: RefCell::default(), terms: RefCell::default() }
    }

    /// The boxes of statements, as they are with what stands for variables here.
    pub(super) fn terms<'f>(&self, all: &[&'f Matches]) -> Vec<Held<'f>> {
        all.iter().map(|matches| self.term(matches)).collect()
    }

    fn term<'f>(&self, matches: &'f Matches) -> Held<'f> {
        if matches.variables.is_empty() && self.reach == Reach::Anything {
            return Held::Constant(matches.term());
        }
        let mut terms = self.terms.borrow_mut();
        let term =
            terms.entry(matches.name()).or_insert_with(|| Rc::new(Term::new(&matches.statement, self.reach)));
        Held::Filled(term.clone())
    }

    /// A point that all terms of `inside` have and none of `outside`.
    pub(super) fn run<'t>(&self, inside: &[&'t Term], outside: Vec<&'t Term>) -> Result<Outcome, Spent> {
        let region = region(inside);
        self.budget.spend(outside.iter().map(|term| 1 + term.literals.len()).sum())?;
        let implied = |term: &&Term| {
            let of = |literal| Wanted { term, literal, holds: false };
            term.literals.iter().all(|literal| region.iter().any(|wanted| wanted.contradicts(&of(literal))))
        };
        if outside.iter().any(implied) || self.is_nowhere(&region)? {
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
                // What is left is where it holds.
                Outcome::Covered => region.push(Wanted { holds: true, ..way }),
                Outcome::Doubt(other) => doubt = doubt.or(Some(other)),
                point @ Outcome::Point(_) => return Ok(point),
            }
        }
        Ok(doubt.map_or(Outcome::Covered, Outcome::Doubt))
    }

    /// The literals of a cover that can fail in the region; `None` where one of them fails in all of it.
    fn ways_out<'t>(&self, region: &[Wanted<'t>], cover: &'t Term) -> Result<Option<Vec<Wanted<'t>>>, Spent> {
        let mut ways = Vec::new();
        for literal in &cover.literals {
            let fails = Wanted { term: cover, literal, holds: false };
            if !self.is_empty(region, fails)? {
                ways.push(fails);
            }
        }
        for fails in &ways {
            if self.is_empty(region, Wanted { holds: true, ..*fails })? {
                return Ok(None);
            }
        }
        Ok(Some(ways))
    }

    /// Whether a literal cannot be as wanted in the region.
    fn is_empty(&self, region: &[Wanted<'_>], wanted: Wanted<'_>) -> Result<bool, Spent> {
        self.budget.spend(16 + region.len())?;
        let dimension = &wanted.literal.dimension;
        let mut together: Vec<Wanted<'_>> =
            region.iter().copied().filter(|other| other.literal.dimension == *dimension).collect();
        together.push(wanted);
        Ok(matches!(self.values(dimension, &together)?, Ok(None)))
    }

    /// What can stand in a dimension where literals are as wanted.
    fn values(&self, dimension: &Dimension, wanted: &[Wanted<'_>]) -> Result<Known, Spent> {
        // Where a literal begins no other one does, nor at the next byte.
        let of =
            |one: &Wanted<'_>| std::ptr::from_ref::<Literal>(one.literal).addr() + usize::from(one.holds);
        let mut name: Vec<usize> = wanted.iter().map(of).collect();
        name.sort_unstable();
        name.dedup();
        if let Some(known) = self.known.borrow().get(&name) {
            return Ok(known.clone());
        }
        // What one statement asks and the other has just so: versions of a policy mostly do.
        let contradicts = wanted.iter().any(|one| wanted.iter().any(|other| one.contradicts(other)));
        if contradicts {
            self.known.borrow_mut().insert(name, Ok(None));
            return Ok(Ok(None));
        }
        let found = match dimension {
            Dimension::Key(key) => {
                let question = values::Question {
                    key,
                    wanted,
                    filling: self.filling,
                    several: has_several(key, wanted),
                    budget: self.budget,
                };
                question.find()
            }
            Dimension::Resource => find_text(wanted, Some(&self.universe.0), self.filling, self.budget)
                .map(|text| text.map(|text| vec![text])),
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
        if !point.iter().any(|(known, _)| *known == Dimension::Resource)
            && let Some(text) = texts::find(&[&self.universe.0], &[], self.budget)?
        {
            point.push((Dimension::Resource, vec![text]));
        }
        Ok(Outcome::Point(point))
    }
}

impl Deref for Held<'_> {
    type Target = Term;

    fn deref(&self) -> &Term {
        match self {
            Held::Constant(term) => term,
            Held::Filled(term) => term,
        }
    }
}

/// What all terms ask.
fn region<'t>(terms: &[&'t Term]) -> Vec<Wanted<'t>> {
    let mut region = Vec::new();
    for &term in terms {
        region.extend(term.literals.iter().map(|literal| Wanted { term, literal, holds: true }));
    }
    region
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
