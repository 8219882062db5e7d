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
        let members = parameters.members("Tags", ["Key", "Value"]);
        Self::checked(members.into_iter().map(|pair| {
            let [key, value] = pair.map(|text| text.unwrap_or_default().to_owned());
            (key, value)
        }))
    }

    /// Tags that a resource or a session can have.
    pub(crate) fn checked(pairs: impl Iterator<Item = (String, String)>) -> Result<Self, Fault> {
        let mut tags = Self::default();
        for (key, value) in pairs {
            let (key, value) = (key.as_str(), value.as_str());
            let allowed =
                |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c));
            if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
                return Err(Fault::validation(format!(
                    "the tag key `{key}` has to have 1 to 128 characters, and its value at most 256"
                )));
            }
            if !allowed(key) || !allowed(value) {
                return Err(Fault::validation(format!(
                    "the tag `{key}` has characters other than letters, digits, spaces and _.:/=+-@"
                )));
            }
            if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
                return Err(Fault::invalid_input(format!(
                    "the tag key `{key}` begins with `aws:`, which is AWS's own"
                )));
            }
            if tags.value(key).is_some() {
                return Err(Fault::invalid_input(format!(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive: `{key}`"
                )));
            }
            tags.0.push((key.to_owned(), value.to_owned()));
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

    pub(crate) fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        self.0.retain(|(key, _)| wanted(key));
    }

    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(of, _)| of.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the tags, if there are any.
    pub(super) fn write(&self, xml: &mut Xml) {
        if !self.is_empty() {
            xml.element("Tags", |xml| Self::write_members(self.iter(), xml));
        }
    }

    pub(super) fn write_members<'a>(tags: impl Iterator<Item = (&'a str, &'a str)>, xml: &mut Xml) {
        for (key, value) in tags {
            xml.element("member", |xml| {
                xml.leaf("Key", key);
                xml.leaf("Value", value);
            });
        }
    }
}
