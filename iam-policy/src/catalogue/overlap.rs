//! Whether a pattern of a policy reaches what a format of the Reference describes.

use crate::pattern::{self, meets};

/// A format has no variables of policies.
type Sign = pattern::Sign<()>;

/// Whether some text matches both: the pattern, with `*` and `?`, and the format, in which `${Name}` is a character or
/// more, and `*` any number.
///
/// A `${Name}` that ends the format does not reach over the excluded character.
pub(super) fn overlap(pattern: &str, format: &str, excluded: Option<char>) -> bool {
    meets(&signs(pattern), &signs_of_format(format, excluded), false)
}

fn signs(pattern: &str) -> Vec<Sign> {
    let sign = |c| match c {
        '*' => Sign::Many(None),
        '?' => Sign::One(None),
        c => Sign::Character(c),
    };
    pattern.chars().map(sign).collect()
}

fn signs_of_format(format: &str, excluded: Option<char>) -> Vec<Sign> {
    let mut signs = Vec::with_capacity(format.len());
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = after_variable(rest) {
            let excluded = excluded.filter(|_| after.is_empty());
            signs.extend([Sign::One(excluded), Sign::Many(excluded)]);
            rest = after;
        } else {
            signs.push(if first == '*' { Sign::Many(None) } else { Sign::Character(first) });
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    signs
}

/// What follows the `${variable}` that the text starts with.
fn after_variable(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.split_once('}').map(|(_, after)| after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_matches_the_format_that_describes_it() {
        for (text, format) in [
            ("table/orders", "table/${TableName}"),
            ("table/o", "table/${TableName}"),
            ("table/orders/index/by-day", "table/${TableName}/index/${IndexName}"),
            ("a/index/b/index/c", "${A}/index/${B}"),
            ("xy", "${A}${B}"),
            ("/backend/", "/backend/*"),
            ("", ""),
        ] {
            assert!(overlap(text, format, None), "{text} {format}");
        }
        for (text, format) in [
            ("table/", "table/${TableName}"),
            ("table", "table/${TableName}"),
            ("Table/orders", "table/${TableName}"),
            ("table/orders/index", "table/${TableName}/index/${IndexName}"),
            ("x", "${A}${B}"),
            ("x", ""),
            ("", "x"),
        ] {
            assert!(!overlap(text, format, None), "{text} {format}");
        }
    }

    #[test]
    fn a_pattern_reaches_a_format_when_one_text_matches_both() {
        for (pattern, format) in [
            ("*", "table/${TableName}"),
            ("ta*rs", "table/${TableName}"),
            ("t?ble/?", "table/${TableName}"),
            ("**", ""),
            ("*/index/*", "table/${TableName}/index/${IndexName}"),
        ] {
            assert!(overlap(pattern, format, None), "{pattern} {format}");
        }
        for (pattern, format) in [
            ("*x", "table"),
            ("table/?index", "table"),
            ("?", ""),
            ("stream/*", "table/${TableName}"),
            ("*/index", "table/${TableName}/index/"),
        ] {
            assert!(!overlap(pattern, format, None), "{pattern} {format}");
        }
    }

    #[test]
    fn the_last_value_does_not_reach_over_the_excluded_character() {
        assert!(overlap("bucket", "${BucketName}", Some('/')));
        assert!(overlap("bucket*", "${BucketName}", Some('/')));
        assert!(!overlap("bucket/*", "${BucketName}", Some('/')));
        assert!(!overlap("/", "${BucketName}", Some('/')));
        assert!(overlap("bucket/a/b", "${BucketName}/${ObjectName}", Some(':')));
    }

    #[test]
    fn many_wildcards_take_no_more_time_than_few() {
        let pattern = "*a".repeat(1000);
        let format = "${A}a".repeat(200);
        assert!(!overlap(&format!("{pattern}!"), &format, None));
    }
}
