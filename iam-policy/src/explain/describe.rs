//! Words for comparisons.

use crate::condition::{Condition, Test};
use crate::context::Context;
use crate::diagnostic::quoted;
use crate::truth::Truth;

/// How many characters two texts have in common at their beginning.
pub(super) fn nearness(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// What a condition compared.
pub(super) fn condition_text(condition: &Condition, truth: Truth, context: &Context) -> String {
    let key = &condition.key;
    let operator = condition.operator;
    let values = context.lookup(key);
    let subject = match values {
        None => format!("nothing is known of `{key}`"),
        Some([]) => format!("the request has no `{key}`"),
        Some(values) => format!("`{key}` is {}", quoted(values.iter().map(String::as_str))),
    };
    if operator.comparison.test == Test::Null || values.is_none_or(<[String]>::is_empty) {
        let outcome = if truth.assumed { "holds" } else { "does not hold" };
        let so = if values.is_none() { "so as absent " } else { "" };
        return format!("{subject}: {so}`{operator}` {outcome}");
    }
    let expected = quoted(condition.values.iter().map(|value| &*value.text));
    let mut filled: Vec<String> = Vec::new();
    for value in &condition.values {
        if let Some(pattern) = value.matcher.as_pattern()
            && pattern.variables().next().is_some()
        {
            let text = pattern.filled(&value.text, context);
            filled.push(text.map_or("no value".to_owned(), |text| format!("`{text}`")));
        }
    }
    let filled = if filled.is_empty() { String::new() } else { format!(", that is {}", filled.join(", ")) };
    let outcome = if truth.assumed { "meets" } else { "does not meet" };
    format!("{subject}, which {outcome} `{operator}` {expected}{filled}")
}
