//! The items of a table, and its indexes.
//!
//! INVARIANT: an index has an entry for each item that has the index's key, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::key::{KeySchema, KeyValue, PrimaryKey};
use super::value::{Item, item_size};
use crate::fault::Fault;

/// Items by key.
#[derive(Default)]
pub(super) struct Store {
    items: BTreeMap<PrimaryKey, Arc<Item>>,
    /// In the order of the table's indexes.
    indexes: Vec<BTreeSet<Entry>>,
    /// What all items cost to store.
    size: usize,
}

/// The key in the index, and the key in the table.
pub(super) type Entry = (KeyValue, Option<KeyValue>, PrimaryKey);

/// What an index has to know to find an item's entry.
pub(super) type Indexed<'a> = (&'a str, &'a KeySchema);

/// Where a walk over items begins and ends.
pub(super) struct Walk {
    /// The partition, where it is only one.
    pub(super) partition: Option<KeyValue>,
    /// Bounds of the sort key.
    pub(super) sort: (Bound<KeyValue>, Bound<KeyValue>),
    pub(super) is_forward: bool,
    /// The key in the index or table, and the key in the table, of the last item of the page before.
    pub(super) after: Option<(PrimaryKey, PrimaryKey)>,
}

impl Store {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn get(&self, key: &PrimaryKey) -> Option<&Arc<Item>> {
        self.items.get(key)
    }

    /// Whether all indexes can take the item.
    pub(super) fn check<'a>(item: &Item, indexes: impl Iterator<Item = Indexed<'a>>) -> Result<(), Fault> {
        for (name, schema) in indexes {
            schema.of_indexed(item, name)?;
        }
        Ok(())
    }

    /// Puts, replaces or removes an item.
    pub(super) fn replace<'a>(
        &mut self,
        key: &PrimaryKey,
        new: Option<&Arc<Item>>,
        indexes: impl Iterator<Item = Indexed<'a>>,
    ) {
        let old = match new {
            Some(item) => {
                self.size += item_size(item);
                self.items.insert(key.clone(), item.clone())
            }
            None => self.items.remove(key),
        };
        if let Some(old) = &old {
            self.size = self.size.saturating_sub(item_size(old));
        }
        for (at, (name, schema)) in indexes.enumerate() {
            if self.indexes.len() <= at {
                self.indexes.push(BTreeSet::new());
            }
            let Some(entries) = self.indexes.get_mut(at) else { continue };
            let entry = |item: Option<&Arc<Item>>| {
                let (partition, sort) = schema.of_indexed(item?, name).ok().flatten()?;
                Some((partition, sort, key.clone()))
            };
            if let Some(entry) = entry(old.as_ref()) {
                entries.remove(&entry);
            }
            entries.extend(entry(new));
        }
    }

    /// Adds an index over what is there, as the last.
    pub(super) fn add_index(&mut self, count_before: usize, name: &str, schema: &KeySchema) {
        self.indexes.resize_with(count_before, BTreeSet::new);
        let entries = self.items.iter().filter_map(|(key, item)| {
            // What has another type is left out, as in AWS's backfill.
            let (partition, sort) = schema.of_indexed(item, name).ok().flatten()?;
            Some((partition, sort, key.clone()))
        });
        self.indexes.push(entries.collect());
    }

    pub(super) fn remove_index(&mut self, at: usize) {
        if at < self.indexes.len() {
            self.indexes.remove(at);
        }
    }

    /// How many items an index has.
    pub(super) fn indexed(&self, at: usize) -> usize {
        self.indexes.get(at).map_or(0, BTreeSet::len)
    }

    /// The items of a table or an index, in order.
    pub(super) fn walk<'s>(
        &'s self,
        index: Option<usize>,
        walk: &Walk,
    ) -> Box<dyn Iterator<Item = (&'s PrimaryKey, &'s Arc<Item>)> + 's> {
        let least = || (KeyValue::Least, None);
        let greatest = || (KeyValue::Greatest, Some(KeyValue::Greatest));
        let (partition_from, partition_to) = match &walk.partition {
            Some(partition) => (partition.clone(), partition.clone()),
            None => (KeyValue::Least, KeyValue::Greatest),
        };
        // Each end as a key in the index, and what stands for the key in the table.
        let from = match &walk.sort.0 {
            Bound::Unbounded => (partition_from, None, least()),
            Bound::Included(sort) => (partition_from, Some(sort.clone()), least()),
            Bound::Excluded(sort) => (partition_from, Some(sort.clone()), greatest()),
        };
        let to = match &walk.sort.1 {
            Bound::Unbounded => (partition_to, Some(KeyValue::Greatest), greatest()),
            Bound::Included(sort) => (partition_to, Some(sort.clone()), greatest()),
            Bound::Excluded(sort) => (partition_to, Some(sort.clone()), least()),
        };
        let (mut from, mut to) = (Bound::Included(from), Bound::Included(to));
        if let Some((key, primary)) = &walk.after {
            let at = Bound::Excluded((key.0.clone(), key.1.clone(), primary.clone()));
            if walk.is_forward {
                from = later(from, at);
            } else {
                to = earlier(to, at);
            }
        }
        if is_empty(&from, &to) {
            return Box::new(std::iter::empty());
        }
        if let Some(at) = index {
            let Some(entries) = self.indexes.get(at) else { return Box::new(std::iter::empty()) };
            let found = entries.range((from, to)).filter_map(|(_, _, key)| self.items.get_key_value(key));
            return if walk.is_forward { Box::new(found) } else { Box::new(found.rev()) };
        }
        // The table is its own index: an excluded end excludes all of its key.
        let key = |end: Bound<Entry>, is_start: bool| match end {
            Bound::Included((partition, sort, primary)) => {
                let is_inside = (primary.0 == KeyValue::Least) == is_start;
                let key = (partition, sort);
                if is_inside { Bound::Included(key) } else { Bound::Excluded(key) }
            }
            Bound::Excluded((partition, sort, _)) => Bound::Excluded((partition, sort)),
            Bound::Unbounded => Bound::Unbounded,
        };
        let (from, to) = (key(from, true), key(to, false));
        if is_empty(&from, &to) {
            return Box::new(std::iter::empty());
        }
        let found = self.items.range((from, to));
        if walk.is_forward { Box::new(found) } else { Box::new(found.rev()) }
    }
}

fn value<T>(end: &Bound<T>) -> Option<&T> {
    match end {
        Bound::Included(value) | Bound::Excluded(value) => Some(value),
        Bound::Unbounded => None,
    }
}

fn later<T: Ord>(a: Bound<T>, b: Bound<T>) -> Bound<T> {
    if value(&a) > value(&b) { a } else { b }
}

fn earlier<T: Ord>(a: Bound<T>, b: Bound<T>) -> Bound<T> {
    if value(&a) < value(&b) { a } else { b }
}

/// A range that `BTreeMap` would panic at, or that has nothing in it.
fn is_empty<T: Ord>(from: &Bound<T>, to: &Bound<T>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        _ => value(from) >= value(to),
    }
}
