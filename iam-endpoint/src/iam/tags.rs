//! Tags of IAM resources and of sessions.

use crate::fault::Fault;
use crate::wire::query::Parameters;
use crate::wire::xml::Xml;

/// How many tags a resource or a session can have.
const MOST: usize = 50;

/// Tags in the order in which they were set; keys differ in more than case.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tags(Vec<(String, String)>);

impl Tags {
    /// Reads `Tags.member.N.Key` and `.Value`.
    pub(crate) fn read(parameters: &Parameters<'_>) -> Result<Self, Fault> {
        let mut pairs = Vec::new();
        for [key, value] in parameters.members("Tags", ["Key", "Value"]) {
            pairs.push((key.unwrap_or_default().to_owned(), value.unwrap_or_default().to_owned()));
        }
        Self::checked(pairs)
    }

    /// Tags that a resource or a session can have.
    pub(crate) fn checked(pairs: Vec<(String, String)>) -> Result<Self, Fault> {
        let mut tags = Self::default();
        for (key, value) in pairs {
            let allowed =
                |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c));
            if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
                return Err(Fault::validation(format!(
                    "the tag key `{key}` has to have 1 to 128 characters, and its value at most 256"
                )));
            }
            if !allowed(&key) || !allowed(&value) {
                return Err(Fault::validation(format!(
                    "the tag `{key}` has characters other than letters, digits, spaces and _.:/=+-@"
                )));
            }
            if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
                return Err(Fault::invalid_input(format!(
                    "the tag key `{key}` begins with `aws:`, which is AWS's own"
                )));
            }
            if tags.value(&key).is_some() {
                return Err(Fault::invalid_input(format!(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive: `{key}`"
                )));
            }
            tags.0.push((key, value));
        }
        tags.check_count()?;
        Ok(tags)
    }

    pub(crate) fn check_count(&self) -> Result<(), Fault> {
        if self.0.len() > MOST {
            return Err(Fault::limit(format!("the number of tags has reached the maximum limit: {MOST}")));
        }
        Ok(())
    }

    /// Sets each tag of `others`, replacing one with the same key.
    pub(crate) fn extend(&mut self, others: Self) {
        for (key, value) in others.0 {
            self.remove(&key);
            self.0.push((key, value));
        }
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.retain(|(of, _)| !of.eq_ignore_ascii_case(key));
    }

    pub(crate) fn retain(&mut self, wanted: &dyn Fn(&str) -> bool) {
        self.0.retain(|(key, _)| wanted(key));
    }

    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        for (of, value) in &self.0 {
            if of.eq_ignore_ascii_case(key) {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, (String, String)> {
        self.0.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the tags, if there are any.
    pub(super) fn write(&self, xml: &mut Xml) {
        if !self.is_empty() {
            xml.element("Tags", |xml| {
                for (key, value) in self.iter() {
                    Self::write_member(key, value, xml);
                }
            });
        }
    }

    pub(super) fn write_member(key: &str, value: &str, xml: &mut Xml) {
        xml.element("member", |xml| {
            xml.leaf("Key", key);
            xml.leaf("Value", value);
        });
    }
}
