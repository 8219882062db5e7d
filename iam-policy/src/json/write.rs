//! Writes JSON strings.

/// Writes a string as JSON has it, quotes included.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    write_escaped(out, text);
    out.push('"');
}

/// Writes the inside of a JSON string.
pub(crate) fn write_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                const HEX: &str = "0123456789abcdef";
                let digit = |shift: u32| {
                    HEX.get((u32::from(c) >> shift & 0xF) as usize..).and_then(|hex| hex.chars().next())
                };
                out.push_str("\\u00");
                out.extend([digit(4), digit(0)].into_iter().flatten());
            }
            c => out.push(c),
        }
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
}
