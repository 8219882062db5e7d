//! Sets of texts: patterns that share their beginnings, as one automaton.

use std::borrow::Cow;

use super::budget::{Budget, Spent};
use super::term::is_mark;
use crate::pattern::{Pattern, Token};

/// The texts that one of some patterns matches.
///
/// A trie of tokens. A node that stands behind a `*` loops on itself. INVARIANT: the nodes that a node leads to come after it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each tells something else of the patterns")]
pub(super) struct Globs {
    nodes: Vec<Node>,
    /// Every text has a character.
    filled: bool,
    /// Upper and lower case are the same; literals are in lower case.
    fold: bool,
    /// A literal has letters.
    letters: bool,
    /// A wildcard stands for any text without a colon.
    within: bool,
}

#[derive(Debug, Default)]
struct Node {
    literals: Vec<(char, u32)>,
    /// Behind a `?`, and behind one that is no colon.
    one: [Option<u32>; 2],
    /// Behind a `*`, and behind one that has no colon.
    many: [Option<u32>; 2],
    loops: Option<Loop>,
    accepts: bool,
    /// Only literals lead here: one text does.
    plain: bool,
    /// The least number of characters from here to the end of a pattern.
    rest: u32,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Loop {
    within: bool,
}

/// A node of an automaton among several.
pub(super) type Place = (u32, u32);

impl Globs {
    /// The set of what patterns match, each as its tokens, if it matches anything.
    pub(super) fn new<'p>(
        patterns: impl IntoIterator<Item = (&'p Pattern, Option<Vec<Token<Cow<'p, str>>>>)>,
        budget: &Budget,
    ) -> Result<Globs, Spent> {
        let mut globs = Globs::default();
        for (pattern, tokens) in patterns {
            globs.fold |= pattern.folds();
            if let Some(tokens) = tokens {
                globs.insert(&tokens, budget)?;
            }
        }
        globs.measure();
        Ok(globs)
    }

    /// The texts of patterns that are not a policy's.
    pub(super) fn of<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Globs {
        let mut globs = Globs { filled: false, ..Globs::default() };
        for pattern in patterns {
            let mut at = 0;
            for c in pattern.chars() {
                at = match c {
                    '*' => globs.follow_many(at, false),
                    '?' => globs.follow_one(at, false),
                    c => globs.follow(at, c),
                };
            }
            globs.accept(at);
        }
        globs.measure();
        globs
    }

    /// Whether a text can have characters of either case that this set does not tell apart, and which are not ASCII.
    pub(super) fn folds_beyond_ascii(&self) -> bool {
        self.fold && self.nodes.iter().any(|node| node.literals.iter().any(|(c, _)| !c.is_ascii()))
    }

    /// Whether every text has a character.
    pub(super) fn is_filled(&self) -> bool {
        self.filled
    }

    /// How many steps it took to make the set.
    pub(super) fn size(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn folds(&self) -> bool {
        self.fold
    }

    /// Whether the set may hold a text and not the same text in another case.
    pub(super) fn tells_cases(&self) -> bool {
        !self.fold && self.letters
    }

    /// Whether a colon is not like any other character.
    pub(super) fn minds_colons(&self) -> bool {
        self.within
    }

    /// Whether a character stands somewhere in the patterns.
    pub(super) fn has(&self, wanted: char) -> bool {
        self.nodes.iter().any(|node| node.literals.iter().any(|(c, _)| *c == wanted))
    }

    /// Whether the text is in the set; for patterns without a case.
    #[cfg(test)]
    pub(super) fn contains(&self, text: &str) -> bool {
        let mut places = Vec::new();
        self.start(0, &mut places);
        let mut next = Vec::new();
        for c in text.chars() {
            for &(_, node) in &places {
                self.step(0, node, c, &mut next);
            }
            next.sort_unstable();
            next.dedup();
            (places, next) = (next, places);
            next.clear();
        }
        places.iter().any(|&(_, node)| self.accepts(node))
    }

    /// Where every text begins.
    pub(super) fn start(&self, number: u32, places: &mut Vec<Place>) {
        self.enter(number, 0, places);
    }

    /// Where a character leads from a node.
    pub(super) fn step(&self, number: u32, node: u32, c: char, places: &mut Vec<Place>) {
        let Some(at) = self.nodes.get(node as usize) else { return };
        // What a mark stands for may have a colon, and any number of characters.
        let is_mark = is_mark(c);
        let colon = c == ':' || is_mark;
        if at.loops.is_some_and(|of| !(of.within && colon)) {
            // Its own stars lead where they led when the node was entered.
            self.enter(number, node, places);
        }
        let letter = if self.fold { lower(c) } else { c };
        if let Ok(found) = at.literals.binary_search_by_key(&letter, |(c, _)| *c)
            && let Some(&(_, next)) = at.literals.get(found)
        {
            self.enter(number, next, places);
        }
        let [any, within] = at.one;
        if let Some(next) = any
            && !is_mark
        {
            self.enter(number, next, places);
        }
        if let Some(next) = within
            && !colon
        {
            self.enter(number, next, places);
        }
    }

    /// Whether one text only leads to a node.
    pub(super) fn is_plain(&self, node: u32) -> bool {
        self.nodes.get(node as usize).is_some_and(|node| node.plain)
    }

    pub(super) fn accepts(&self, node: u32) -> bool {
        self.nodes.get(node as usize).is_some_and(|node| node.accepts)
    }

    /// Whether every text that leads here is in the set, whatever follows.
    pub(super) fn accepts_all_from(&self, node: u32) -> bool {
        self.nodes
            .get(node as usize)
            .is_some_and(|node| node.accepts && node.loops == Some(Loop { within: false }))
    }

    /// The least number of characters from a node to the end of a pattern.
    pub(super) fn rest(&self, node: u32) -> u32 {
        self.nodes.get(node as usize).map_or(u32::MAX, |node| node.rest)
    }

    /// The characters that the patterns have at a node.
    pub(super) fn literals(&self, node: u32) -> impl Iterator<Item = char> {
        self.nodes.get(node as usize).map_or(&[][..], |node| &node.literals).iter().map(|(c, _)| *c)
    }

    /// Whether a wildcard of the patterns can be at a node.
    pub(super) fn is_wild(&self, node: u32) -> bool {
        self.nodes
            .get(node as usize)
            .is_some_and(|node| node.loops.is_some() || node.one.iter().any(Option::is_some))
    }

    fn enter(&self, number: u32, node: u32, places: &mut Vec<Place>) {
        places.push((number, node));
        if let Some(at) = self.nodes.get(node as usize) {
            for next in at.many.iter().filter_map(|next| *next) {
                self.enter(number, next, places);
            }
        }
    }

    fn insert(&mut self, tokens: &[Token<Cow<'_, str>>], budget: &Budget) -> Result<(), Spent> {
        let start = if let Some(Token::Literal(start)) = tokens.first() { start } else { "" };
        self.filled &= !start.is_empty();
        let mut at = 0;
        for token in tokens {
            match token {
                Token::Literal(text) => {
                    budget.spend(text.len())?;
                    for c in text.chars() {
                        at = self.follow(at, if self.fold { lower(c) } else { c });
                    }
                }
                Token::Many { within } => at = self.follow_many(at, *within),
                Token::One { within } => at = self.follow_one(at, *within),
            }
        }
        self.accept(at);
        Ok(())
    }

    fn accept(&mut self, at: u32) {
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.accepts = true;
        }
    }

    fn follow(&mut self, at: u32, c: char) -> u32 {
        self.letters |= c.is_alphabetic();
        let new = self.next_number();
        let Some(node) = self.nodes.get_mut(at as usize) else { return at };
        match node.literals.binary_search_by_key(&c, |(c, _)| *c) {
            Ok(found) => node.literals.get(found).map_or(at, |(_, next)| *next),
            Err(place) => {
                node.literals.insert(place, (c, new));
                let plain = node.plain;
                self.nodes.push(Node { plain, ..Node::default() });
                new
            }
        }
    }

    fn follow_one(&mut self, at: u32, within: bool) -> u32 {
        self.within |= within;
        let new = self.next_number();
        let Some(slot) =
            self.nodes.get_mut(at as usize).and_then(|node| node.one.get_mut(usize::from(within)))
        else {
            return at;
        };
        if let Some(next) = *slot {
            return next;
        }
        *slot = Some(new);
        self.nodes.push(Node::default());
        new
    }

    fn follow_many(&mut self, at: u32, within: bool) -> u32 {
        self.within |= within;
        let new = self.next_number();
        let Some(node) = self.nodes.get_mut(at as usize) else { return at };
        // A star after a star adds nothing, unless it is the wider of the two.
        if node.loops.is_some_and(|of| !of.within || within) {
            return at;
        }
        let Some(slot) = node.many.get_mut(usize::from(within)) else { return at };
        if let Some(next) = *slot {
            return next;
        }
        *slot = Some(new);
        self.nodes.push(Node { loops: Some(Loop { within }), ..Node::default() });
        new
    }

    fn next_number(&self) -> u32 {
        u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)
    }

    fn measure(&mut self) {
        for at in (0..self.nodes.len()).rev() {
            let Some(node) = self.nodes.get(at) else { continue };
            let mut least = if node.accepts { 0 } else { u32::MAX };
            for (_, next) in &node.literals {
                least = least.min(self.rest(*next).saturating_add(1));
            }
            for (ways, length) in [(node.one, 1), (node.many, 0)] {
                for next in ways {
                    least = least.min(next.map_or(u32::MAX, |next| self.rest(next).saturating_add(length)));
                }
            }
            if let Some(node) = self.nodes.get_mut(at) {
                node.rest = least;
            }
        }
    }
}

impl Default for Globs {
    /// No text.
    fn default() -> Globs {
        Globs {
            nodes: vec![Node { plain: true, ..Node::default() }],
            filled: true,
            fold: false,
            letters: false,
            within: false,
        }
    }
}

/// As [`str::to_lowercase`] for characters whose lower case is one character; patterns with others are not asked.
fn lower(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}
