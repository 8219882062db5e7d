//! Writing XML.

/// An XML text as it grows.
pub(crate) struct Xml(String);

impl Xml {
    pub(crate) fn new() -> Self {
        Self(String::with_capacity(512))
    }

    /// Begins with the XML declaration, as S3's bodies do.
    pub(crate) fn declared() -> Self {
        let mut xml = Self::new();
        xml.0.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml
    }

    /// An element with what `content` writes in it. `name` may carry attributes.
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.tag("<", name);
        content(self);
        self.end(name);
    }

    fn end(&mut self, name: &str) {
        self.tag("</", name.split(' ').next().unwrap_or(name));
    }

    /// An element with text in it.
    pub(crate) fn leaf(&mut self, name: &str, text: &str) {
        self.tag("<", name);
        self.text(text);
        self.tag("</", name);
    }

    pub(crate) fn text(&mut self, text: &str) {
        const SPECIAL: [char; 5] = ['&', '<', '>', '"', '\r'];
        // Looking for one character is the standard library's work, and fast in a debug build; looking for five is not.
        if !SPECIAL.iter().any(|special| text.contains(*special)) {
            self.0.push_str(text);
            return;
        }
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\r' => self.0.push_str("&#13;"),
                c => self.0.push(c),
            }
        }
    }

    /// What another writer wrote.
    pub(crate) fn append(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }

    fn tag(&mut self, bracket: &str, name: &str) {
        self.0.push_str(bracket);
        self.0.push_str(name);
        self.0.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_is_escaped() {
        let mut xml = Xml::new();
        xml.element("A b=\"c\"", |xml| xml.leaf("D", "<é&\">\r"));
        assert_eq!(xml.finish(), "<A b=\"c\"><D>&lt;é&amp;&quot;&gt;&#13;</D></A>");
    }
}
