//! Writes JSON strings.

use std::fmt::Write as _;

/// Writes a string as JSON has it, quotes included. What IAM takes only as an escape, which is all above U+00FF, is written so.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '\u{100}'.. => write_escape(out, c),
            _ => write_char(out, c),
        }
    }
    out.push('"');
}

/// Writes the inside of a JSON string.
pub(crate) fn write_escaped(out: &mut String, text: &str) {
    text.chars().for_each(|c| write_char(out, c));
}

fn write_char(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c < ' ' => write_escape(out, c),
        c => out.push(c),
    }
}

fn write_escape(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a `String` does not fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_backslashes_and_control_characters_are_escaped() {
        let mut out = String::new();
        write_string(&mut out, "a\"b\\c\n\r\t\u{1}\u{1f}é");
        assert_eq!(out, r#""a\"b\\c\n\r\t\u0001\u001fé""#);
    }

    #[test]
    fn what_iam_takes_only_as_an_escape_is_escaped() {
        let mut out = String::new();
        write_string(&mut out, "ÿĀ漢\u{1F600}");
        assert_eq!(out, r#""ÿ\u0100\u6f22\ud83d\ude00""#);
    }
}
