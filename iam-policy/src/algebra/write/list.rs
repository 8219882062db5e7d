//! Lists of actions and of resources, and of all but some.

use std::collections::HashMap;

use super::Snag;
use crate::pattern::{Glob, Variables, meet};

/// The values of `Action` or `NotAction`, of `Resource` or `NotResource`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct List {
    /// All but these.
    pub(super) negated: bool,
    /// As a policy of version `2012-10-17` writes them.
    pub(super) texts: Vec<String>,
    /// Whether case counts: it does in resources.
    pub(super) fold: bool,
}

/// More than this no document has room for.
const MOST: usize = 20_000;

impl List {
    pub(super) fn new(negated: bool, texts: Vec<String>, fold: bool) -> List {
        List { negated, texts, fold }.tidy()
    }

    pub(super) fn is_everything(&self) -> bool {
        !self.negated && self.texts.iter().any(|text| text == "*")
    }

    /// All that is not in the list; `None` if it has everything.
    pub(super) fn complement(&self) -> Option<List> {
        (!self.is_everything()).then(|| List { negated: !self.negated, ..self.clone() })
    }

    /// What is in both; `None` if nothing is.
    pub(super) fn meet(&self, other: &List) -> Result<Option<List>, Snag> {
        if other.is_everything() || self == other {
            return Ok(Some(self.clone()));
        }
        if self.is_everything() {
            return Ok(Some(other.clone()));
        }
        match (self.negated, other.negated) {
            (false, false) => self.both(other),
            (false, true) => self.without(other),
            (true, false) => other.without(self),
            (true, true) => {
                let texts = [&*self.texts, &other.texts].concat();
                Ok(Some(List::new(true, texts, self.fold)))
            }
        }
    }

    /// What is in either, if one list says it.
    pub(super) fn join(&self, other: &List) -> Option<List> {
        if self.includes(other) {
            return Some(self.clone());
        }
        if other.includes(self) {
            return Some(other.clone());
        }
        (!self.negated && !other.negated).then(|| {
            let texts = [&*self.texts, &other.texts].concat();
            List::new(false, texts, self.fold)
        })
    }

    /// Whether both say the same in the same words, in whatever order.
    pub(super) fn is_same(&self, other: &List) -> bool {
        self.negated == other.negated
            && self.texts.len() == other.texts.len()
            && self.texts.iter().all(|text| other.texts.contains(text))
    }

    /// Whether the list has all of the other, as far as single patterns tell.
    pub(super) fn includes(&self, other: &List) -> bool {
        if self.is_everything() {
            return true;
        }
        let (own, others) = (Index::new(self), Index::new(other));
        match (self.negated, other.negated) {
            (false, false) => other.texts.iter().all(|text| own.covers(text)),
            (true, true) => self.texts.iter().all(|text| others.covers(text)),
            (true, false) => self
                .texts
                .iter()
                .all(|text| others.near(text).all(|(_, other)| are_apart(text, other, self.fold))),
            (false, true) => false,
        }
    }

    /// Without the values that the other list has.
    pub(super) fn trimmed(&self, by: &List) -> List {
        let index = Index::new(by);
        let is_apart = |text: &str| !index.near(text).any(|(_, other)| !are_apart(text, other, self.fold));
        let is_in = |text: &String| match by.negated {
            _ if by.is_everything() => true,
            false => index.covers(text),
            true => is_apart(text),
        };
        List { texts: self.texts.iter().filter(|text| !is_in(text)).cloned().collect(), ..self.clone() }
    }

    /// Without what the list repeats.
    fn tidy(self) -> List {
        let index = Index::new(&self);
        let is_said = |at: usize, text: &str| {
            index.near(text).any(|(other_at, other)| {
                other_at != at
                    && covers(other, text, self.fold)
                    // Of two that say the same the first stays.
                    && (other_at < at || !covers(text, other, self.fold))
            })
        };
        let kept: Vec<String> = (0..)
            .zip(&self.texts)
            .filter(|(at, text)| !is_said(*at, text))
            .map(|(_, text)| text.clone())
            .collect();
        List { texts: kept, ..self }
    }

    fn both(&self, other: &List) -> Result<Option<List>, Snag> {
        let others = Index::new(other);
        let mut texts = Vec::new();
        for a in &self.texts {
            for (_, b) in others.near(a) {
                let both = meet(a, b, self.fold);
                texts.extend(both.ok_or_else(|| {
                    Snag(format!("`{a}` and `{b}` have more in common than patterns can list"))
                })?);
                if texts.len() > MOST {
                    return Err(Snag(format!("the patterns have more than {MOST} in common")));
                }
            }
        }
        Ok((!texts.is_empty()).then(|| List::new(false, texts, self.fold)))
    }

    /// The list but what the other one, of the kind `NotAction`, leaves out.
    fn without(&self, other: &List) -> Result<Option<List>, Snag> {
        let others = Index::new(other);
        let mut texts = Vec::new();
        for text in &self.texts {
            if others.covers(text) {
                continue;
            }
            for (_, out) in others.near(text) {
                if meet(out, text, self.fold).is_none_or(|both| !both.is_empty()) {
                    return Err(Snag(format!("no patterns say `{text}` without `{out}`")));
                }
            }
            texts.push(text.clone());
        }
        Ok((!texts.is_empty()).then_some(List { texts, ..self.clone() }))
    }
}

/// Whether no text is in both, whatever variables may be.
fn are_apart(a: &str, b: &str, fold: bool) -> bool {
    let [a, b] = [a, b].map(|text| Glob::new(text, Variables::Anything).with_fold(fold));
    !a.meets(b)
}

/// Whether `a` has all that `b` has.
fn covers(a: &str, b: &str, fold: bool) -> bool {
    let [a, b] = [a, b].map(|text| Glob::new(text, Variables::Same).with_fold(fold));
    a.covers(b)
}

/// Lists that are shorter are not worth an index.
const FEW: usize = 16;

/// The texts of a list by how they begin: of thousands a few can have something in common with a text.
struct Index<'l> {
    list: &'l List,
    by_start: HashMap<String, Vec<usize>>,
    /// Those that do not tell it.
    others: Vec<usize>,
}

impl<'l> Index<'l> {
    fn new(list: &'l List) -> Index<'l> {
        let mut index = Index { list, by_start: HashMap::new(), others: Vec::new() };
        if list.texts.len() < FEW {
            return index;
        }
        for (at, text) in list.texts.iter().enumerate() {
            match start(text, list.fold) {
                Some(start) => index.by_start.entry(start).or_default().push(at),
                None => index.others.push(at),
            }
        }
        index
    }

    /// The texts that may have something in common with this one.
    fn near(&self, text: &str) -> impl Iterator<Item = (usize, &'l str)> {
        let count = self.list.texts.len();
        let places: Vec<usize> = match start(text, self.list.fold).filter(|_| count >= FEW) {
            Some(start) => [self.by_start.get(&start).map_or(&[][..], Vec::as_slice), &self.others].concat(),
            None => (0..count).collect(),
        };
        places.into_iter().filter_map(|at| Some((at, self.list.texts.get(at)?.as_str())))
    }

    fn covers(&self, text: &str) -> bool {
        self.near(text).any(|(_, other)| covers(other, text, self.list.fold))
    }
}

/// The service of an action, or what an ARN says before its region.
fn start(text: &str, fold: bool) -> Option<String> {
    let literal = text.get(..text.find(['*', '?', '$']).unwrap_or(text.len()))?;
    let (end, _) = literal.match_indices(':').nth(if fold { 0 } else { 2 })?;
    literal.get(..end).map(str::to_ascii_lowercase)
}
