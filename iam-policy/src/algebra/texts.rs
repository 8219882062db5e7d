//! The search for a text that is in some sets and not in others.
//!
//! ```text
//! state = one node of each set that the text must be in     pushed on by their own characters and one fresh one
//!       + all nodes of the sets that it must not be in       follow
//! ```
//!
//! Where the text must be in many sets, a state has all of their nodes: the choices of one of each would be too many.
//!
//! Only characters that stand in the sets to be in are tried, and one that stands in no set at all: to leave the other sets it
//! is the best of all that a wildcard takes. So no alphabet is enumerated and no automaton is built, and of two ways to the
//! same nodes the one with fewer nodes of the other sets makes the second superfluous.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::budget::{Budget, Spent};
use super::globs::{Globs, Place};
use crate::order;

/// A text in all of `inside` and in none of `outside`, if there is one.
pub(super) fn find(inside: &[&Globs], outside: &[&Globs], budget: &Budget) -> Result<Option<String>, Spent> {
    let anything = Globs::of(["*"]);
    let anything = [&anything];
    let inside = if inside.is_empty() { &anything } else { inside };
    let any = |is_so: &dyn Fn(&Globs) -> bool| {
        inside.iter().any(|set| is_so(set)) || outside.iter().any(|set| is_so(set))
    };
    let mut search = Search {
        inside,
        outside,
        together: inside.len() > FEW,
        both_cases: any(&Globs::folds) && any(&Globs::tells_cases),
        colons: any(&Globs::minds_colons),
        fresh: fresh(&|c| any(&|set| set.has(c))),
        states: Vec::new(),
        open: BinaryHeap::new(),
        seen: HashMap::new(),
        budget,
    };
    search.run()
}

/// Of so many sets to be in the choices of one node of each are not too many.
const FEW: usize = 2;

/// A character that stands nowhere, in either case.
fn fresh(stands: &dyn Fn(char) -> bool) -> char {
    let is_free = |c: char| !stands(c) && !stands(c.to_ascii_uppercase());
    free("xyzq012_wj~", &is_free, 0)
}

/// Of the characters that are free the one of this number: one that a person would write, and failing that from a range that nobody
/// writes.
pub(super) fn free(readable: &str, is_free: &dyn Fn(char) -> bool, number: usize) -> char {
    let unread = ('\u{E000}'..='\u{F8FF}').chain('\u{F0000}'..='\u{FFFFD}');
    let mut all = readable.chars().chain(unread).filter(|c| is_free(*c));
    all.nth(number).unwrap_or('\u{10FFFD}')
}

struct Search<'g> {
    inside: &'g [&'g Globs],
    outside: &'g [&'g Globs],
    /// A state has all nodes of the sets to be in, not one of each.
    together: bool,
    /// Some sets tell cases apart and some do not.
    both_cases: bool,
    colons: bool,
    fresh: char,
    states: Vec<State>,
    /// What is left to the end at least, the length so far, and the state.
    open: BinaryHeap<Reverse<(u32, u32, u32)>>,
    /// The states that were reached with the same nodes inside.
    seen: HashMap<Vec<Place>, Vec<u32>>,
    budget: &'g Budget,
}

/// Its places are sorted, each once.
struct State {
    inside: Vec<Place>,
    outside: Vec<Place>,
    came: Option<(u32, char)>,
    length: u32,
}

impl Search<'_> {
    fn run(&mut self) -> Result<Option<String>, Spent> {
        let mut starts = Vec::new();
        for (number, set) in (0..).zip(self.inside) {
            let mut places = Vec::new();
            set.start(number, &mut places);
            starts.push(places);
        }
        let mut outside = Vec::new();
        for (number, set) in (0..).zip(self.outside) {
            set.start(number, &mut outside);
        }
        if let Some(found) = self.add_all(starts, outside, None, 0)? {
            return Ok(Some(self.text(found)));
        }
        let mut characters = Vec::new();
        while let Some(Reverse((_, _, at))) = self.open.pop() {
            let Some(state) = self.states.get(at as usize) else { continue };
            self.characters(state, &mut characters);
            for &c in &characters {
                let Some(state) = self.states.get(at as usize) else { continue };
                let length = state.length + 1;
                let Some(ways) = self.inside_after(state, c) else { continue };
                self.budget.spend(8 + 4 * state.inside.len() + state.outside.len())?;
                let mut outside = Vec::with_capacity(state.outside.len());
                for &(number, node) in &state.outside {
                    if let Some(set) = self.outside.get(number as usize) {
                        set.step(number, node, c, &mut outside);
                    }
                }
                if let Some(found) = self.add_all(ways, outside, Some((at, c)), length)? {
                    return Ok(Some(self.text(found)));
                }
            }
        }
        Ok(None)
    }

    /// The characters worth trying.
    fn characters(&self, state: &State, characters: &mut Vec<char>) {
        characters.clear();
        let mut all_wild = true;
        for (set, places) in self.each(&state.inside) {
            let mut is_wild = false;
            for &(_, node) in places {
                for c in set.literals(node) {
                    order::add(characters, c);
                    if self.both_cases && set.folds() {
                        order::add(characters, c.to_ascii_uppercase());
                        // The sign for kelvins is a `K` too.
                        if c == 'k' {
                            order::add(characters, '\u{212A}');
                        }
                    }
                }
                is_wild |= set.is_wild(node);
            }
            all_wild &= is_wild;
        }
        if all_wild {
            order::add(characters, self.fresh);
            if self.colons {
                order::add(characters, ':');
            }
        }
    }

    /// For each set to be in the nodes that a character leads to; `None` when it leads nowhere in one.
    fn inside_after(&self, state: &State, c: char) -> Option<Vec<Vec<Place>>> {
        let mut each = Vec::with_capacity(self.inside.len());
        for (set, places) in self.each(&state.inside) {
            let mut next = Vec::new();
            for &(number, node) in places {
                set.step(number, node, c, &mut next);
            }
            if next.is_empty() {
                return None;
            }
            each.push(next);
        }
        Some(each)
    }

    /// The sets to be in, with the places of a state in each.
    fn each<'p>(&self, inside: &'p [Place]) -> impl Iterator<Item = (&'_ Globs, &'p [Place])> {
        self.inside.iter().copied().zip(inside.chunk_by(|(a, _), (b, _)| a == b))
    }

    /// Adds a state for each choice of one node in each set, or one with all of them, and tells one whose text is found.
    fn add_all(
        &mut self,
        mut ways: Vec<Vec<Place>>,
        mut outside: Vec<Place>,
        came: Option<(u32, char)>,
        length: u32,
    ) -> Result<Option<u32>, Spent> {
        outside.sort_unstable();
        outside.dedup();
        let set = |number: u32| self.outside.get(number as usize);
        if outside.iter().any(|&(number, node)| set(number).is_some_and(|set| set.accepts_all_from(node))) {
            return Ok(None);
        }
        let is_outside =
            !outside.iter().any(|&(number, node)| set(number).is_some_and(|set| set.accepts(node)));
        if self.together {
            ways = self.settled(ways).into_iter().map(|place| vec![place]).collect();
        }
        let count = ways.iter().map(Vec::len).fold(1, usize::saturating_mul);
        // Each is kept, with its nodes.
        self.budget.spend(count.saturating_mul(8 + ways.len() + outside.len()))?;
        for choice in 0..count {
            let mut left = choice;
            let mut inside = Vec::with_capacity(ways.len());
            for places in &ways {
                inside.extend(places.get(left % places.len()));
                left /= places.len();
            }
            let each = || self.each(&inside);
            // What one text alone leads to is not met again.
            let is_new = each().any(|(set, places)| {
                places.iter().any(|(_, node)| set.is_plain(*node)) && !(self.both_cases && set.folds())
            });
            let least =
                |(set, places): (&Globs, &[Place])| places.iter().map(|(_, node)| set.rest(*node)).min();
            // What is left in all of many sets leads the search sooner to a text than what is left in one.
            let rest = each().filter_map(least);
            let rest =
                if self.together { rest.fold(0, u32::saturating_add) } else { rest.max().unwrap_or(0) };
            if rest == u32::MAX || !is_new && self.is_superfluous(&inside, &outside)? {
                continue;
            }
            let is_in = |(set, places): (&Globs, &[Place])| places.iter().any(|(_, node)| set.accepts(*node));
            let is_found = is_outside && each().all(is_in);
            let number = u32::try_from(self.states.len()).map_err(|_| Spent)?;
            if !is_new {
                self.seen.entry(inside.clone()).or_default().push(number);
            }
            self.states.push(State { inside, outside: outside.clone(), came, length });
            if is_found {
                return Ok(Some(number));
            }
            self.open.push(Reverse((rest, length, number)));
        }
        Ok(None)
    }

    /// All places, in each set without those that others make superfluous.
    fn settled(&self, ways: Vec<Vec<Place>>) -> Vec<Place> {
        let mut all = Vec::new();
        for (set, mut places) in self.inside.iter().zip(ways) {
            places.sort_unstable();
            places.dedup();
            match places.iter().find(|(_, node)| set.accepts_all_from(*node)) {
                Some(place) => all.push(*place),
                None => all.append(&mut places),
            }
        }
        all
    }

    /// Whether a state with the same nodes inside and no more outside was reached before.
    fn is_superfluous(&self, inside: &[Place], outside: &[Place]) -> Result<bool, Spent> {
        let Some(seen) = self.seen.get(inside) else { return Ok(false) };
        for &number in seen {
            if let Some(state) = self.states.get(number as usize) {
                self.budget.spend(1 + state.outside.len())?;
                if is_within(&state.outside, outside) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn text(&self, found: u32) -> String {
        let mut characters = Vec::new();
        let mut at = self.states.get(found as usize);
        while let Some((before, c)) = at.and_then(|state| state.came) {
            characters.push(c);
            at = self.states.get(before as usize);
        }
        characters.iter().rev().collect()
    }
}

/// Whether every place of a sorted list is in another.
fn is_within(few: &[Place], many: &[Place]) -> bool {
    let mut rest = many.iter();
    few.len() <= many.len() && few.iter().all(|place| rest.any(|other| other == place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(inside: &[&str], outside: &[&str]) -> Option<String> {
        let globs =
            |patterns: &[&str]| -> Vec<Globs> { patterns.iter().map(|text| Globs::of([*text])).collect() };
        let (inside, outside) = (globs(inside), globs(outside));
        let budget = Budget::new(1_000_000);
        find(&inside.iter().collect::<Vec<_>>(), &outside.iter().collect::<Vec<_>>(), &budget).unwrap()
    }

    #[test]
    fn a_text_is_found_exactly_where_the_inclusion_fails() {
        for (inside, outside, expected) in [
            (&["a*"][..], &["*"][..], false),
            (&["a*"], &["a?*"], true),
            (&["a*"], &["a", "a?*"], false),
            (&["*"], &["a*", "b*"], true),
            (&["a*b"], &["*a*b*"], false),
            (&["a*b"], &["a*", "*b"], false),
            (&["prod-*", "*-checkout"], &[], true),
            (&["prod-*", "*-checkout"], &["prod-*-checkout"], true),
            (&["prod-*", "*-checkout"], &["prod-*-checkout", "prod-checkout"], false),
            (&["???"], &["??*"], false),
            (&["*a*", "*b*"], &["*a*b*", "*b*a*"], false),
            (&[], &["*"], false),
            (&[], &["", "?"], true),
        ] {
            assert_eq!(search(inside, outside).is_some(), expected, "{inside:?} {outside:?}");
        }
    }

    /// The other procedure: every text of a small alphabet, up to a length that patterns of this size cannot tell apart.
    #[test]
    fn every_short_text_confirms_the_search() {
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let texts = crate::pattern::short::texts(['a', 'b', 'x'], 6);
        let mut pattern = |length: u64| -> String {
            let length = next(length);
            (0..length).map(|_| ["a", "b", "*", "?", "*"][usize::try_from(next(5)).unwrap()]).collect()
        };
        let mut both = [0, 0];
        for round in 0..1000 {
            let inside = [pattern(4), pattern(4), pattern(5), pattern(5)];
            let outside = [pattern(5), pattern(5), pattern(5)];
            let inside: Vec<&str> = inside.iter().take(2 + round % 3).map(String::as_str).collect();
            let outside: Vec<&str> = outside.iter().map(String::as_str).collect();
            let matches = |pattern: &&str, text: &str| Globs::of([*pattern]).contains(text);
            let expected = texts.iter().any(|text| {
                inside.iter().all(|pattern| matches(pattern, text))
                    && !outside.iter().any(|pattern| matches(pattern, text))
            });
            let found = search(&inside, &outside);
            assert_eq!(found.is_some(), expected, "{inside:?} {outside:?} {found:?}");
            both[usize::from(expected)] += 1;
        }
        assert!(both.iter().all(|count| *count > 50), "{both:?}");
    }

    #[test]
    fn many_intersected_patterns_are_told_apart_or_end_in_the_limit() {
        let letters = ["a", "b", "c"];
        let words = letters
            .iter()
            .flat_map(|a| letters.iter().flat_map(move |b| letters.map(|c| format!("*{a}{b}{c}*"))));
        let inside: Vec<Globs> = words.step_by(2).map(|text| Globs::of([text.as_str()])).collect();
        let inside: Vec<&Globs> = inside.iter().collect();
        let outside = |pattern: &str| find(&inside, &[&Globs::of([pattern])], &Budget::new(1_000_000));
        assert!(outside("*abcabc*").unwrap().is_some());
        assert!(outside("*a*a*").unwrap().is_none());
        assert!(outside("*a*a*a*a*a*").is_err());
    }
}
