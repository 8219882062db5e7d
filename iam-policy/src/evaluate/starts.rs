//! Texts that many patterns may match, found by what the patterns start with.
//!
//! The literal starts of all patterns stand in order, each with a link to the longest other one that it begins with:
//!
//! ```text
//! ""  ◀── "s3:get" ◀── "s3:getobject"        patterns `*`, `s3:Get*`, `s3:GetObject`
//!     ◀── "s3:list"                          pattern `s3:List*`
//! ```
//!
//! Whatever a text begins with is the last start that is not behind it in this order, or one that the links lead to from
//! there: between a start of a text and the text itself there are only texts with that start.

use std::ops::Range;

use crate::order;
use crate::pattern::Shape;

pub(super) struct Starts {
    /// INVARIANT: sorted by `start`, each of which is there once.
    nodes: Vec<Node>,
    /// Of all nodes, one after the other.
    entries: Vec<Entry>,
}

/// The patterns of some starts that could match a text.
pub(super) struct Candidates<'s> {
    starts: &'s Starts,
    text: &'s str,
    /// The last of the nodes that are not behind the text.
    last: Option<&'s Node>,
}

struct Node {
    start: Box<str>,
    /// The node with the longest start that this start begins with.
    shorter: Option<u32>,
    /// The patterns of which the start is a part.
    open: Range<u32>,
    /// The patterns of which it is all.
    whole: Range<u32>,
}

/// A pattern: one of a statement.
#[derive(Clone, Copy)]
struct Entry {
    statement: u32,
    rest: Rest,
}

/// What follows the start.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Rest {
    Anything,
    /// What the statement's pattern of this number says.
    Pattern(u32),
    Nothing,
}

impl Starts {
    /// Of patterns by their statement, and by their number in it. Case counts.
    pub(super) fn new(patterns: Vec<(u32, u32, Shape<'_>)>, fold: bool) -> Starts {
        let mut starts: Vec<(Box<str>, Entry)> = Vec::with_capacity(patterns.len());
        for (statement, pattern, shape) in patterns {
            let (start, rest) = match shape {
                Shape::Exact(text) => (text, Rest::Nothing),
                Shape::Start(start) => (start, Rest::Anything),
                Shape::Other(start) => (start, Rest::Pattern(pattern)),
            };
            let start = if fold { start.to_ascii_lowercase() } else { start.to_owned() };
            starts.push((start.into_boxed_str(), Entry { statement, rest }));
        }
        order::sort_by(&mut starts, |(a, one), (b, other)| (a, one.rest).cmp(&(b, other.rest)));
        let entries = starts.iter().map(|(_, entry)| *entry).collect();
        Starts { nodes: link(starts), entries }
    }

    /// The patterns that could match a text: those whose start it begins with.
    #[inline]
    pub(super) fn candidates<'s>(&'s self, text: &'s str) -> Candidates<'s> {
        let behind = self.nodes.partition_point(|node| *node.start <= *text);
        Candidates {
            starts: self,
            text,
            last: behind.checked_sub(1).and_then(|number| self.nodes.get(number)),
        }
    }
}

impl<'s> Candidates<'s> {
    /// How many they are.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.by_node().map(<[Entry]>::len).sum()
    }

    /// The statements with a pattern that matches, in their order, each once.
    ///
    /// `matches` tells it of a pattern that says more than its start, by its statement and its number.
    pub(super) fn matching(&self, matches: impl Fn(u32, u32) -> bool) -> Vec<u32> {
        let mut statements = Vec::new();
        for entries in self.by_node() {
            statements.reserve(entries.len());
            let matching = entries.iter().filter(|entry| match entry.rest {
                Rest::Anything | Rest::Nothing => true,
                Rest::Pattern(pattern) => matches(entry.statement, pattern),
            });
            statements.extend(matching.map(|entry| entry.statement));
        }
        each_once(statements)
    }

    #[inline]
    fn by_node(&self) -> impl Iterator<Item = &'s [Entry]> {
        let (starts, text) = (self.starts, self.text);
        let path = std::iter::successors(self.last, move |node| starts.nodes.get(node.shorter? as usize));
        path.filter(move |node| text.starts_with(&*node.start)).map(move |node| {
            let end = if text.len() == node.start.len() { node.whole.end } else { node.open.end };
            starts.entries.get(node.open.start as usize..end as usize).unwrap_or_default()
        })
    }
}

/// In their order.
fn each_once(mut statements: Vec<u32>) -> Vec<u32> {
    statements.sort_unstable();
    statements.dedup();
    statements
}

/// The nodes of sorted starts.
fn link(starts: Vec<(Box<str>, Entry)>) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::with_capacity(starts.len());
    // The nodes whose start the one before began with, the shortest first.
    let mut path: Vec<u32> = Vec::new();
    for (number, (start, entry)) in (0..).zip(starts) {
        if nodes.last().is_none_or(|node| node.start != start) {
            let begins_with = |shorter: &u32| {
                nodes.get(*shorter as usize).is_some_and(|shorter| start.starts_with(&*shorter.start))
            };
            while path.pop_if(|shorter| !begins_with(shorter)).is_some() {}
            let shorter = path.last().copied();
            path.extend(u32::try_from(nodes.len()));
            nodes.push(Node { start, shorter, open: number..number, whole: number..number });
        }
        if let Some(node) = nodes.last_mut() {
            node.whole.end = number + 1;
            if entry.rest != Rest::Nothing {
                node.open.end = number + 1;
                node.whole.start = number + 1;
            }
        }
    }
    nodes
}
