//! The other procedure, for tests of what is said of patterns: every short text, by the plain matcher.

use super::{Pattern, Syntax, Wildcards};
use crate::context::Context;

/// Whether a pattern without variables matches a text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let syntax = Syntax { wildcards: Wildcards::Free, ..Syntax::default() };
    Pattern::compile(pattern, syntax).unwrap().matches(pattern, text, &Context::new()).assumed
}

/// Every text of these characters that is at most so long.
pub(crate) fn texts(characters: [char; 3], longest: usize) -> Vec<String> {
    let mut texts = vec![String::new()];
    for length in 0..longest {
        let longer: Vec<String> = texts
            .iter()
            .filter(|text| text.len() == length)
            .flat_map(|text| characters.map(|c| format!("{text}{c}")))
            .collect();
        texts.extend(longer);
    }
    texts
}
