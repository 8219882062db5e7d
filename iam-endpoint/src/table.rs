//! Values by name, in the order of their names.

use std::collections::BTreeMap;

/// A map from names, as a `BTreeMap` is one.
///
/// A B-tree for each kind of things that the endpoint keeps by name was a fifth of what the crate costs a build. Here all have the
/// same tree, of their places in a list. Of what there are few, a [`Sorted`](crate::sorted::Sorted) list does as well.
#[derive(Clone, Debug)]
pub(crate) struct Table<V> {
    places: BTreeMap<String, usize>,
    /// INVARIANT: what `places` leads to is there, and all else is in `free`.
    values: Vec<Option<V>>,
    free: Vec<usize>,
}

impl<V> Table<V> {
    pub(crate) const fn new() -> Self {
        Self { places: BTreeMap::new(), values: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        self.values.get(*self.places.get(name)?)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.values.get_mut(*self.places.get(name)?)?.as_mut()
    }

    pub(crate) fn contains_key(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Puts a value in the place of what had its name.
    pub(crate) fn insert(&mut self, name: String, value: V) -> Option<V> {
        self.place(name).replace(value)
    }

    pub(crate) fn or_insert_with(&mut self, name: String, value: impl FnOnce() -> V) -> &mut V {
        self.place(name).get_or_insert_with(value)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<V> {
        let place = self.places.remove(name)?;
        self.free.push(place);
        self.values.get_mut(place)?.take()
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        let gone = self.iter().filter(|(_, value)| !keep(value)).map(|(name, _)| name.to_owned());
        for name in gone.collect::<Vec<_>>() {
            self.remove(&name);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> + Clone {
        self.places.iter().filter_map(|(name, place)| Some((name.as_str(), self.at(*place)?)))
    }

    /// The names with their places.
    pub(crate) fn places(&self) -> &BTreeMap<String, usize> {
        &self.places
    }

    pub(crate) fn at(&self, place: usize) -> Option<&V> {
        self.values.get(place)?.as_ref()
    }

    fn place(&mut self, name: String) -> &mut Option<V> {
        let end = self.values.len();
        let place = *self.places.entry(name).or_insert_with(|| self.free.pop().unwrap_or(end));
        if place == end {
            self.values.push(None);
        }
        self.values.get_mut(place).expect("what leads to a value was told its place")
    }
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> FromIterator<(String, V)> for Table<V> {
    fn from_iter<I: IntoIterator<Item = (String, V)>>(all: I) -> Self {
        let mut table = Self::new();
        for (name, value) in all {
            table.insert(name, value);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_places_are_used_again() {
        let mut table = Table::new();
        for name in ["c", "a", "d", "b"] {
            assert_eq!(table.insert(name.to_owned(), name.to_uppercase()), None);
        }
        assert_eq!(table.remove("a"), Some("A".to_owned()));
        assert_eq!((table.remove("a"), table.get("a")), (None, None));
        assert_eq!(table.insert("c".to_owned(), "C2".to_owned()), Some("C".to_owned()));
        table.or_insert_with("e".to_owned(), || "E".to_owned()).push('2');
        let found: Vec<_> = table.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(found, ["b=B", "c=C2", "d=D", "e=E2"]);
        assert_eq!((table.len(), table.values.len()), (4, 4));
        table.retain(|value| value.len() > 1);
        assert!(table.iter().map(|(_, value)| value).eq(["C2", "E2"]) && !table.is_empty());
    }
}
