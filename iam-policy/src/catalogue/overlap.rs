//! Whether a pattern of a policy reaches what a format of the Reference describes.

/// Whether some text matches both: the pattern, with `*` and `?`, and the format, in which `${Name}` is a character or
/// more, and `*` any number.
///
/// A `${Name}` that ends the format does not reach over the excluded character.
pub(super) fn overlap(pattern: &str, format: &str, excluded: Option<u8>) -> bool {
    let format = pieces(format, excluded);
    // Where in the format a text that matches the pattern so far may have come to, in ascending order.
    let mut reached = Vec::new();
    reach(&mut reached, 0, &format);
    for token in tokens(pattern) {
        reached = match token {
            Token::Many => reached.first().map_or_else(Vec::new, |first| (*first..=format.len()).collect()),
            Token::One(character) => step(&reached, character, &format),
        };
        if reached.is_empty() {
            return false;
        }
    }
    reached.last() == Some(&format.len())
}

fn step(reached: &[usize], character: Option<u8>, format: &[Piece]) -> Vec<usize> {
    let mut next = Vec::with_capacity(reached.len() + 1);
    for &at in reached {
        match format.get(at) {
            Some(repeat @ Piece::Repeat(_)) if repeat.takes(character) => reach(&mut next, at, format),
            Some(piece) if piece.takes(character) => reach(&mut next, at + 1, format),
            _ => {}
        }
    }
    next
}

/// Adds a place, and those that follow it without a character.
fn reach(reached: &mut Vec<usize>, at: usize, format: &[Piece]) {
    if reached.last().is_none_or(|last| *last < at) {
        reached.push(at);
    }
    if let Some(Piece::Repeat(_)) = format.get(at) {
        reach(reached, at + 1, format);
    }
}

enum Token {
    Many,
    /// This character, or any.
    One(Option<u8>),
}

fn tokens(pattern: &str) -> impl Iterator<Item = Token> {
    pattern.bytes().map(|byte| match byte {
        b'*' => Token::Many,
        b'?' => Token::One(None),
        literal => Token::One(Some(literal)),
    })
}

enum Piece {
    /// One character, but not the excluded one.
    Any(Option<u8>),
    Literal(u8),
    /// Any number of characters, none of them the excluded one.
    Repeat(Option<u8>),
}

impl Piece {
    fn takes(&self, character: Option<u8>) -> bool {
        match self {
            Self::Any(excluded) | Self::Repeat(excluded) => character.is_none() || character != *excluded,
            Self::Literal(literal) => character.is_none_or(|character| character == *literal),
        }
    }
}

fn pieces(format: &str, excluded: Option<u8>) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(format.len());
    let mut rest = format.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if let Some(after) = after_variable(rest) {
            let excluded = excluded.filter(|_| after.is_empty());
            pieces.extend([Piece::Any(excluded), Piece::Repeat(excluded)]);
            rest = after;
        } else {
            pieces.push(if first == b'*' { Piece::Repeat(None) } else { Piece::Literal(first) });
            rest = after;
        }
    }
    pieces
}

/// What follows the `${variable}` that the text starts with.
fn after_variable(text: &[u8]) -> Option<&[u8]> {
    let name = text.strip_prefix(b"${")?;
    let end = name.iter().position(|byte| *byte == b'}')?;
    name.get(end + 1..)
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
        assert!(overlap("bucket", "${BucketName}", Some(b'/')));
        assert!(overlap("bucket*", "${BucketName}", Some(b'/')));
        assert!(!overlap("bucket/*", "${BucketName}", Some(b'/')));
        assert!(!overlap("/", "${BucketName}", Some(b'/')));
        assert!(overlap("bucket/a/b", "${BucketName}/${ObjectName}", Some(b':')));
    }

    #[test]
    fn many_wildcards_take_no_more_time_than_few() {
        let pattern = "*a".repeat(1000);
        let format = "${A}a".repeat(200);
        assert!(!overlap(&format!("{pattern}!"), &format, None));
    }
}
