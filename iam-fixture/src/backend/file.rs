//! The text of `iam-fixture.toml`: TOML with one string a line, `key = "value"`, and comments.
//!
//! Settings need no more, and a library for all of TOML costs each build of a test more than a second.

use std::iter::{Enumerate, Peekable};
use std::str::Chars;

/// `key = "value"`
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    /// From 1.
    pub(super) line: usize,
}

/// What is no such line.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed {
    /// From 1, as is the column, in characters.
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) why: String,
}

/// The entries of a file, in order.
///
/// # Errors
///
/// What is anything else, with its place.
///
/// <https://toml.io/en/v1.0.0>
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, Malformed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut entries: Vec<Entry> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut rest = Rest { characters: line.chars().enumerate().peekable(), length: line.chars().count() };
        let malformed = |(column, why)| Malformed { line: at + 1, column: column + 1, why };
        let Some((key, value)) = rest.entry().map_err(malformed)? else {
            continue;
        };
        if let Some(first) = entries.iter().find(|entry| entry.key == key) {
            return Err(malformed((0, format!("`{key}` stands in line {} already", first.line))));
        }
        entries.push(Entry { key, value, line: at + 1 });
    }
    Ok(entries)
}

/// What is left of a line.
struct Rest<'a> {
    characters: Peekable<Enumerate<Chars<'a>>>,
    length: usize,
}

/// Where, and what is wrong there.
type Wrong = (usize, String);

impl Rest<'_> {
    fn entry(&mut self) -> Result<Option<(String, String)>, Wrong> {
        self.skip_space();
        if self.is_at_end() {
            return Ok(None);
        }
        let start = self.column();
        let key = self.key();
        self.skip_space();
        if key.is_empty() || !self.took('=') {
            let what = "a line is `key = \"value\"`, or a comment that begins with `#`";
            return Err((start, what.to_owned()));
        }
        self.skip_space();
        let start = self.column();
        let value = match self.characters.next() {
            Some((_, '"')) => self.basic()?,
            Some((_, '\'')) => self.literal()?,
            _ => return Err((start, format!("the value of `{key}` is a string, in quotes"))),
        };
        self.skip_space();
        if self.is_at_end() {
            return Ok(Some((key, value)));
        }
        Err((self.column(), format!("nothing but a comment follows the value of `{key}`")))
    }

    fn key(&mut self) -> String {
        let is_of_key = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
        let mut key = String::new();
        while let Some((_, character)) = self.characters.next_if(|(_, character)| is_of_key(*character)) {
            key.push(character);
        }
        key
    }

    /// A string in double quotes, behind the first.
    fn basic(&mut self) -> Result<String, Wrong> {
        let mut text = String::new();
        loop {
            let at = self.column();
            match self.character()? {
                '"' => return Ok(text),
                '\\' => text.push(self.escaped().map_err(|why| (at, why))?),
                character => text.push(character),
            }
        }
    }

    /// A string in single quotes, behind the first: it has no escapes.
    fn literal(&mut self) -> Result<String, Wrong> {
        let mut text = String::new();
        loop {
            match self.character()? {
                '\'' => return Ok(text),
                character => text.push(character),
            }
        }
    }

    /// One of a string.
    fn character(&mut self) -> Result<char, Wrong> {
        match self.characters.next() {
            None => Err((self.length, "the string does not end".to_owned())),
            Some((at, character)) if character != '\t' && character.is_ascii_control() => {
                Err((at, format!("a string has no character {character:?}")))
            }
            Some((_, character)) => Ok(character),
        }
    }

    /// What stands for one that cannot be written, behind its backslash.
    fn escaped(&mut self) -> Result<char, String> {
        let unknown = "a string has the escapes `\\b`, `\\t`, `\\n`, `\\f`, `\\r`, `\\\"`, `\\\\`, `\\uXXXX` and `\\UXXXXXXXX`";
        let digits = match self.characters.next().map(|(_, kind)| kind) {
            Some('b') => return Ok('\u{8}'),
            Some('t') => return Ok('\t'),
            Some('n') => return Ok('\n'),
            Some('f') => return Ok('\u{c}'),
            Some('r') => return Ok('\r'),
            Some(kind @ ('"' | '\\')) => return Ok(kind),
            Some('u') => 4,
            Some('U') => 8,
            _ => return Err(unknown.to_owned()),
        };
        let mut number = 0;
        for _ in 0..digits {
            let digit = self.characters.next().and_then(|(_, digit)| digit.to_digit(16));
            number = number << 4 | digit.ok_or(unknown)?;
        }
        char::from_u32(number).ok_or_else(|| format!("no character has the number {number:x}"))
    }

    fn took(&mut self, wanted: char) -> bool {
        self.characters.next_if(|(_, character)| *character == wanted).is_some()
    }

    fn skip_space(&mut self) {
        while self.took(' ') || self.took('\t') {}
    }

    fn is_at_end(&mut self) -> bool {
        self.characters.peek().is_none_or(|(_, character)| *character == '#')
    }

    fn column(&mut self) -> usize {
        self.characters.peek().map_or(self.length, |(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String, usize)> {
        let entries = entries(text).expect("a file of settings");
        entries.into_iter().map(|entry| (entry.key, entry.value, entry.line)).collect()
    }

    #[test]
    fn a_file_is_lines_of_strings_and_comments() {
        let text =
            "\u{feff}# the run\r\n\r\n  backend = \"aws\"   # where\r\naccount='1234'\n\tlease\t=\t\"2h\"";
        let entry = |key: &str, value: &str, line| (key.to_owned(), value.to_owned(), line);
        assert_eq!(
            pairs(text),
            [entry("backend", "aws", 3), entry("account", "1234", 4), entry("lease", "2h", 5)]
        );
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn strings_have_the_escapes_of_toml() {
        let value = |line: &str| pairs(line).remove(0).1;
        assert_eq!(value(r#"a = "q\"b\\c\tt\u00e9\U0001F600 # no comment""#), "q\"b\\c\tté😀 # no comment");
        assert_eq!(value(r"a = 'C:\path\new'"), r"C:\path\new");
        assert_eq!(value(r#"a = """#), "");
    }

    #[test]
    fn what_is_no_such_line_is_refused_with_its_place() {
        for (text, line, column, why) in [
            ("[table]", 1, 1, "a line is `key = \"value\"`"),
            ("\n  backend", 2, 3, "a line is `key = \"value\"`"),
            ("= \"x\"", 1, 1, "a line is `key = \"value\"`"),
            ("\"backend\" = \"x\"", 1, 1, "a line is `key = \"value\"`"),
            ("a.b = \"x\"", 1, 1, "a line is `key = \"value\"`"),
            ("backend = aws", 1, 11, "the value of `backend` is a string, in quotes"),
            ("keep = true", 1, 8, "the value of `keep` is a string, in quotes"),
            ("backend =", 1, 10, "the value of `backend` is a string, in quotes"),
            ("backend = \"é\" \"\"", 1, 15, "nothing but a comment follows"),
            ("a = \"\"\"x\"\"\"", 1, 7, "nothing but a comment follows"),
            ("a = \"x", 1, 7, "the string does not end"),
            ("a = 'x\"", 1, 8, "the string does not end"),
            ("a = \"\u{1}\"", 1, 6, "a string has no character"),
            ("a = \"é\\x41\"", 1, 7, "a string has the escapes"),
            ("a = \"\\u12\"", 1, 6, "a string has the escapes"),
            ("a = \"\\ud800\"", 1, 6, "no character has the number d800"),
            ("a = \"1\"\nb = \"2\"\na = \"3\"", 3, 1, "`a` stands in line 1 already"),
        ] {
            let malformed = entries(text).expect_err(text);
            assert_eq!((malformed.line, malformed.column), (line, column), "{text}: {}", malformed.why);
            assert!(malformed.why.starts_with(why), "{text}: {}", malformed.why);
        }
    }
}
