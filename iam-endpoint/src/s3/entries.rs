//! Walks keys in order, as every S3 listing does: a prefix, a delimiter, a place to go on from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::ops::Bound;

/// What a listing asks for.
#[derive(Clone, Copy, Default)]
pub(super) struct Window<'q> {
    pub(super) prefix: &'q str,
    pub(super) delimiter: Option<&'q str>,
    pub(super) from: From<'q>,
}

/// Where a listing starts.
///
/// A common prefix is a place too: to start after it is to pass over its keys.
#[derive(Clone, Copy, Default)]
pub(super) enum From<'q> {
    #[default]
    Start,
    After(&'q str),
    /// At the key itself, some of whose versions or uploads are still to be listed.
    At(&'q str),
}

/// One line of a listing.
pub(super) enum Entry<'a> {
    /// A key, and its place in the table.
    Key(&'a str, usize),
    CommonPrefix(&'a str),
}

/// Walks a table's places by a window; costs what it yields and what it hides, not what the table holds.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html>.
pub(super) struct Entries<'a> {
    places: &'a BTreeMap<String, usize>,
    window: Window<'a>,
    is_visible: &'a dyn Fn(usize) -> bool,
    rest: Option<Range<'a, String, usize>>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(
        places: &'a BTreeMap<String, usize>,
        window: Window<'a>,
        is_visible: &'a dyn Fn(usize) -> bool,
    ) -> Self {
        let rest = window.first().map(|first| from(places, first.as_bound()));
        Self { places, window, is_visible, rest }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let (key, place) = self.rest.as_mut()?.next()?;
            let tail = key.strip_prefix(self.window.prefix)?;
            if !(self.is_visible)(*place) {
                continue;
            }
            let Some(group) = self.window.group(key, tail) else {
                return Some(Entry::Key(key, *place));
            };
            self.rest = successor(group).map(|next| from(self.places, Bound::Included(next.as_str())));
            return Some(Entry::CommonPrefix(group));
        }
    }
}

fn from<'a>(places: &'a BTreeMap<String, usize>, first: Bound<&str>) -> Range<'a, String, usize> {
    places.range::<str, _>((first, Bound::Unbounded))
}

/// The lowest key that may be listed.
enum First<'q> {
    Included(Cow<'q, str>),
    Excluded(&'q str),
}

impl First<'_> {
    fn as_bound(&self) -> Bound<&str> {
        match self {
            Self::Included(key) => Bound::Included(key),
            Self::Excluded(key) => Bound::Excluded(key),
        }
    }
}

impl<'q> Window<'q> {
    /// `None` where nothing can come.
    fn first(self) -> Option<First<'q>> {
        let (From::After(place) | From::At(place)) = self.from else {
            return Some(First::Included(self.prefix.into()));
        };
        if place < self.prefix {
            return Some(First::Included(self.prefix.into()));
        }
        let passed = place.strip_prefix(self.prefix).and_then(|tail| self.group(place, tail));
        if passed == Some(place) {
            return successor(place).map(|next| First::Included(next.into()));
        }
        Some(match self.from {
            From::At(_) => First::Included(place.into()),
            _ => First::Excluded(place),
        })
    }

    /// The common prefix that stands for `key`, whose part after the prefix is `tail`.
    fn group<'k>(self, key: &'k str, tail: &str) -> Option<&'k str> {
        let delimiter = self.delimiter?;
        let end = tail.find(delimiter)? + delimiter.len();
        key.get(..key.len() - tail.len() + end)
    }
}

/// The lowest text that comes after all that starts with `prefix`; `None` where there is none.
///
/// The order of UTF-8 bytes, which S3 lists by, is the order of code points.
fn successor(prefix: &str) -> Option<String> {
    let (at, last) = prefix.char_indices().rev().find(|(_, character)| *character != char::MAX)?;
    let next = (last..=char::MAX).nth(1)?;
    let mut text = String::from(prefix.get(..at)?);
    text.push(next);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(keys: &[&str], window: Window<'_>) -> Vec<String> {
        let places = keys.iter().map(|key| ((*key).to_owned(), 0)).collect();
        Entries::new(&places, window, &|_| true)
            .map(|entry| match entry {
                Entry::Key(key, _) => key.to_owned(),
                Entry::CommonPrefix(prefix) => format!("[{prefix}]"),
            })
            .collect()
    }

    const KEYS: [&str; 6] = ["a", "b/1", "b/2", "b/c/3", "b0", "d/4"];

    #[test]
    fn all_keys_come_in_order() {
        assert_eq!(walk(&KEYS, Window::default()), KEYS);
    }

    #[test]
    fn a_delimiter_rolls_keys_up_into_common_prefixes() {
        let window = Window { delimiter: Some("/"), ..Window::default() };
        assert_eq!(walk(&KEYS, window), ["a", "[b/]", "b0", "[d/]"]);
        assert_eq!(walk(&KEYS, Window { prefix: "b/", ..window }), ["b/1", "b/2", "[b/c/]"]);
        assert_eq!(walk(&KEYS, Window { prefix: "b", ..window }), ["[b/]", "b0"]);
    }

    #[test]
    fn a_place_is_a_key_a_common_prefix_or_neither() {
        let window = Window { delimiter: Some("/"), ..Window::default() };
        let after = |place| walk(&KEYS, Window { from: From::After(place), ..window });
        assert_eq!(after("a"), ["[b/]", "b0", "[d/]"]);
        assert_eq!(after("b/"), ["b0", "[d/]"]);
        assert_eq!(after("b/1"), ["[b/]", "b0", "[d/]"]);
        assert_eq!(after("bb"), ["[d/]"]);
        assert_eq!(after("e"), Vec::<String>::new());
        assert_eq!(walk(&KEYS, Window { from: From::At("b0"), ..window }), ["b0", "[d/]"]);
    }

    #[test]
    fn a_place_before_the_prefix_changes_nothing_and_one_behind_it_ends_the_listing() {
        let window = Window { prefix: "b/", ..Window::default() };
        assert_eq!(walk(&KEYS, Window { from: From::After("a"), ..window }), ["b/1", "b/2", "b/c/3"]);
        assert_eq!(walk(&KEYS, Window { from: From::After("c"), ..window }), Vec::<String>::new());
    }

    #[test]
    fn hidden_keys_make_no_common_prefix() {
        let places = [("a/1".to_owned(), 0), ("b/1".to_owned(), 1), ("b/2".to_owned(), 2)].into();
        let window = Window { delimiter: Some("/"), ..Window::default() };
        let seen: Vec<_> = Entries::new(&places, window, &|place| place == 2).collect();
        assert!(matches!(seen.as_slice(), [Entry::CommonPrefix("b/")]));
    }

    #[test]
    fn the_last_code_point_has_no_successor() {
        assert_eq!(successor("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(successor("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(successor("\u{10FFFF}"), None);
        assert_eq!(successor(""), None);
    }
}
