//! Lists in pages.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::ids;

/// What is on a page, and the token for the next.
pub(crate) type Page<'m, T> = (Vec<(&'m String, &'m T)>, Option<String>);

/// One page of what is kept by name, and the token that the next page is asked for with.
///
/// `after` is such a token; `None` where it is none of ours.
pub(crate) fn page<'m, T>(
    map: &'m BTreeMap<String, T>,
    after: Option<&str>,
    limit: usize,
    keep: impl Fn(&str, &T) -> bool,
) -> Option<Page<'m, T>> {
    let start = match after {
        Some(token) => Bound::Excluded(String::from_utf8(ids::from_base64(token)?).ok()?),
        None => Bound::Unbounded,
    };
    let mut found: Vec<_> = map
        .range((start, Bound::Unbounded))
        .filter(|(name, value)| keep(name, value))
        .take(limit.saturating_add(1))
        .collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let token = found.last().filter(|_| more).map(|(name, _)| ids::base64(name.as_bytes()));
    Some((found, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_a_gap_or_an_empty_last_one() {
        let map: BTreeMap<String, u8> = ["a", "b", "c", "d"].map(|name| (name.to_owned(), 0)).into();
        let names = |page: &[(&String, &u8)]| page.iter().map(|(name, _)| name.as_str()).collect::<String>();
        let (first, token) = page(&map, None, 2, |_, _| true).expect("no token is a token");
        assert_eq!(names(&first), "ab");
        let (second, token) = page(&map, token.as_deref(), 2, |_, _| true).expect("a token of ours");
        assert_eq!((names(&second).as_str(), token), ("cd", None));
        assert!(page(&map, Some("not base64"), 2, |_, _| true).is_none());
    }
}
