//! Values by name, in the order of names.

use std::cmp::Ordering;

/// A map for what an endpoint has few of.
///
/// Every test makes an endpoint and drops it. In a debug build each kind of `BTreeMap`, though it is empty, costs microseconds then,
/// for code that nothing else has run: here the search is the same code whatever the values are.
#[derive(Clone)]
pub(crate) struct Sorted<V> {
    /// INVARIANT: in order, and each of them once.
    names: Vec<String>,
    /// As many, in the same order.
    values: Vec<V>,
}

impl<V> Default for Sorted<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> Sorted<V> {
    pub(crate) const fn new() -> Self {
        Self { names: Vec::new(), values: Vec::new() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        self.values.get(place(&self.names, name).ok()?)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.values.get_mut(place(&self.names, name).ok()?)
    }

    /// Sets the value of a name.
    pub(crate) fn insert(&mut self, name: String, value: V) -> &mut V {
        let at = match place(&self.names, &name) {
            Ok(at) => {
                self.values.remove(at);
                at
            }
            Err(at) => {
                self.names.insert(at, name);
                at
            }
        };
        self.values.insert(at, value);
        #[expect(clippy::indexing_slicing, reason = "it was put there")]
        &mut self.values[at]
    }

    /// The value of a name, which gets a new one where it has none.
    pub(crate) fn entry(&mut self, name: &str, new: impl FnOnce() -> V) -> &mut V {
        match place(&self.names, name) {
            #[expect(clippy::indexing_slicing, reason = "it stands there")]
            Ok(at) => &mut self.values[at],
            Err(_) => self.insert(name.to_owned(), new()),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<V> {
        let at = place(&self.names, name).ok()?;
        self.names.remove(at);
        Some(self.values.remove(at))
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn values(&self) -> &[V] {
        &self.values
    }

    pub(crate) fn values_mut(&mut self) -> &mut [V] {
        &mut self.values
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &V)> + Clone {
        self.names.iter().zip(&self.values)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&String, &mut V)> {
        self.names.iter().zip(&mut self.values)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// Where a name stands, or would have to.
fn place(names: &[String], name: &str) -> Result<usize, usize> {
    let (mut low, mut high) = (0, names.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match names.get(middle).map_or(Ordering::Greater, |other| other.as_str().cmp(name)) {
            Ordering::Equal => return Ok(middle),
            Ordering::Greater => high = middle,
            Ordering::Less => low = middle + 1,
        }
    }
    Err(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_order_and_have_one_value() {
        let mut numbers = Sorted::default();
        for (name, number) in [("b", 1), ("", 2), ("ab", 3), ("c", 4), ("a", 5), ("b", 6)] {
            assert_eq!(*numbers.insert(name.to_owned(), number), number);
        }
        assert_eq!(numbers.names(), ["", "a", "ab", "b", "c"]);
        assert_eq!(numbers.values(), [2, 5, 3, 6, 4]);
        assert_eq!((numbers.get("ab"), numbers.get("abc")), (Some(&3), None));
        assert_eq!((*numbers.entry("ab", || 7), *numbers.entry("d", || 8)), (3, 8));
        assert_eq!((numbers.remove("b"), numbers.remove("b"), numbers.remove("d")), (Some(6), None, Some(8)));
        assert_eq!(numbers.iter().map(|(name, _)| name.as_str()).collect::<String>(), "aabc");
        assert!(!numbers.is_empty());
    }
}
