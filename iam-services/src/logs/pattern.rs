//! Filter patterns of words.
//!
//! See <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>. Patterns over JSON, over
//! columns and with regular expressions are not performed.

use crate::fault::Fault;

/// What a message has to have in it.
#[derive(Default)]
pub(super) struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if text.starts_with(['{', '[']) || text.contains('%') {
            return Err(Fault::NotPerformed);
        }
        let mut pattern = Self::default();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (list, word) = match first {
                '?' => (&mut pattern.any, rest.get(1..).unwrap_or_default()),
                '-' => (&mut pattern.none, rest.get(1..).unwrap_or_default()),
                _ => (&mut pattern.all, rest),
            };
            let (word, others) = match word.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(|| {
                    Fault::new("InvalidParameterException", "Invalid filter pattern: a quote is not closed")
                })?,
                None => word.split_once(char::is_whitespace).unwrap_or((word, "")),
            };
            list.push(word.to_owned());
            rest = others.trim_start();
        }
        Ok(pattern)
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        let has = |word: &String| message.contains(word.as_str());
        self.all.iter().all(has)
            && (self.any.is_empty() || self.any.iter().any(has))
            && !self.none.iter().any(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_all_needed_and_some_are_optional_or_excluded() {
        let matches =
            |pattern: &str| Pattern::parse(pattern).expect(pattern).matches("ERROR: disk full on host-1");
        for pattern in ["", "ERROR", "ERROR full", "\"disk full\"", "?WARN ?ERROR", "ERROR -timeout"] {
            assert!(matches(pattern), "{pattern}");
        }
        for pattern in ["error", "ERROR WARN", "\"full disk\"", "?WARN ?INFO", "ERROR -disk"] {
            assert!(!matches(pattern), "{pattern}");
        }
        assert!(Pattern::parse("{ $.a = 1 }").is_err());
        assert!(Pattern::parse("\"open").is_err());
    }
}
