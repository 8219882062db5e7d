//! A request's headers, for reading.

use std::slice;

use http::HeaderMap;

/// The headers of one request. Many are asked for and few are sent: a scan beats hashing each name.
pub(crate) struct Headers<'r>(Vec<(&'r str, &'r [u8])>);

impl<'r> Headers<'r> {
    pub(crate) fn of(map: &'r HeaderMap) -> Self {
        Self(map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect())
    }

    /// The names are in lower case.
    pub(crate) fn new(headers: Vec<(&'r str, &'r [u8])>) -> Self {
        Self(headers)
    }

    /// The first value of a header, whose name is given in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&'r [u8]> {
        self.0.iter().find(|(of, _)| *of == name).map(|(_, value)| *value)
    }

    /// The same where it is text.
    pub(crate) fn text(&self, name: &str) -> Option<&'r str> {
        text(self.get(name)?)
    }

    pub(crate) fn iter(&self) -> slice::Iter<'_, (&'r str, &'r [u8])> {
        self.0.iter()
    }
}

/// A header's value where it is ASCII, which is what SDKs send.
pub(crate) fn text(value: &[u8]) -> Option<&str> {
    // Counting characters is the standard library's own compiled code; `is_ascii` is built with ours, slow in a debug build.
    std::str::from_utf8(value).ok().filter(|text| text.chars().count() == text.len())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn values_are_found_in_order_and_read_where_they_are_text() {
        let mut map = HeaderMap::new();
        map.append("x-a", HeaderValue::from_static("1"));
        map.append("x-b", HeaderValue::from_bytes(b"\xc3\xa9").unwrap());
        map.append("x-a", HeaderValue::from_static("2"));
        let headers = Headers::of(&map);
        let of_a = headers.iter().filter(|(name, _)| *name == "x-a");
        assert_eq!(of_a.map(|(_, value)| *value).collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(headers.text("x-a"), Some("1"));
        assert_eq!((headers.get("x-b"), headers.text("x-b")), (Some(&b"\xc3\xa9"[..]), None));
        assert_eq!(headers.get("x-c"), None);
    }
}
