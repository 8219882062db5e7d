//! A request's query, decoded.

use std::borrow::Cow;

use crate::wire::query::percent_decode;

/// Keys and values in the order in which they were sent.
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// `None` where a key or a value is not UTF-8 when decoded.
    pub(super) fn parse(raw: Option<&'a str>) -> Option<Self> {
        let mut pairs = Vec::new();
        for pair in raw.unwrap_or_default().split('&') {
            if !pair.is_empty() {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                pairs.push((percent_decode(key)?, percent_decode(value)?));
            }
        }
        Some(Self(pairs))
    }

    /// The first value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        for (name, value) in &self.0 {
            if name == key {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, (Cow<'a, str>, Cow<'a, str>)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_decoded_and_the_first_of_a_key_counts() {
        let query = Query::parse(Some("acl&prefix=a%2Fb+c&prefix=d&x=%2B")).expect("UTF-8");
        assert_eq!(query.get("acl"), Some(""));
        assert_eq!(query.get("prefix"), Some("a/b c"));
        assert_eq!(query.get("x"), Some("+"));
        assert_eq!(query.get("delimiter"), None);
    }

    #[test]
    fn what_is_not_text_is_refused() {
        assert!(Query::parse(Some("prefix=%FF")).is_none());
    }
}
