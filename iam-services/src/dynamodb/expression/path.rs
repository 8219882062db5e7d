//! Document paths: `a.b[1].c`.

use std::fmt;

use crate::dynamodb::value::{Item, Value};

/// A path from an item to a value in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::dynamodb) struct Path {
    pub(super) attribute: String,
    pub(super) rest: Vec<Step>,
}

/// One step from a value to one in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Step {
    Index(usize),
    Member(String),
}

impl Path {
    /// The attribute's name, where the path goes no further.
    pub(in crate::dynamodb) fn as_attribute(&self) -> Option<&str> {
        self.rest.is_empty().then_some(self.attribute.as_str())
    }

    pub(in crate::dynamodb) fn attribute(&self) -> &str {
        &self.attribute
    }

    /// The value at the path.
    pub(super) fn get<'i>(&self, item: &'i Item) -> Option<&'i Value> {
        self.rest.iter().try_fold(item.get(&self.attribute)?, |value, step| match (step, value) {
            (Step::Index(at), Value::L(items)) => items.get(*at),
            (Step::Member(name), Value::M(members)) => members.get(name),
            _ => None,
        })
    }

    /// The value at the path, for a change; `None` where the way ends before.
    pub(super) fn get_mut<'i>(&self, item: &'i mut Item) -> Option<&'i mut Value> {
        self.rest.iter().try_fold(item.get_mut(&self.attribute)?, |value, step| match (step, value) {
            (Step::Index(at), Value::L(items)) => items.get_mut(*at),
            (Step::Member(name), Value::M(members)) => members.get_mut(name),
            _ => None,
        })
    }

    /// The path to what holds the last step, and that step; `None` for an attribute of the item itself.
    pub(super) fn parent(&self) -> Option<(Self, &Step)> {
        let (last, rest) = self.rest.split_last()?;
        Some((Self { attribute: self.attribute.clone(), rest: rest.to_vec() }, last))
    }

    /// Whether one of the two leads through the other.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let shared = self.rest.len().min(other.rest.len());
        self.attribute == other.attribute && self.rest.iter().take(shared).eq(other.rest.iter().take(shared))
    }

    /// Whether the two take one value for a list and for a map.
    pub(super) fn conflicts(&self, other: &Self) -> bool {
        let mut pairs = self.rest.iter().zip(&other.rest).skip_while(|(a, b)| a == b);
        let differ = |pair: (&Step, &Step)| {
            matches!(pair, (Step::Index(_), Step::Member(_)) | (Step::Member(_), Step::Index(_)))
        };
        self.attribute == other.attribute && pairs.next().is_some_and(differ)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.attribute)?;
        for step in &self.rest {
            match step {
                Step::Index(at) => write!(f, ", [{at}]")?,
                Step::Member(name) => write!(f, ", {name}")?,
            }
        }
        f.write_str("]")
    }
}
