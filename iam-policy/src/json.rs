//! A JSON reader that keeps the place of every key and value, sees duplicate keys, and goes on after a slip.

#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::order;
use crate::scan::find_end_of_run;
use crate::source::{Source, Span};

pub(crate) use write::{write_escaped, write_string};

/// Documents nest about eight levels; more than this is an attack on the stack.
const DEEPEST: usize = 64;

/// The largest text that is read. AWS's largest policy is 20 KB, but a policy may be a part of a larger template.
const LARGEST: usize = 4 << 20;

pub(crate) struct Value<'t> {
    pub(crate) span: Span,
    pub(crate) kind: Kind<'t>,
}

pub(crate) enum Kind<'t> {
    Array(Vec<Value<'t>>),
    Bool(bool),
    Null,
    /// A number as it is written.
    Number(&'t str),
    Object(Vec<Member<'t>>),
    String(Cow<'t, str>),
}

pub(crate) struct Member<'t> {
    pub(crate) key: Cow<'t, str>,
    pub(crate) key_span: Span,
    pub(crate) value: Value<'t>,
}

impl Kind<'_> {
    /// What a value of this kind is called in a message.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Kind::Array(_) => "a list",
            Kind::Bool(_) => "a boolean",
            Kind::Null => "null",
            Kind::Number(_) => "a number",
            Kind::Object(_) => "an object",
            Kind::String(_) => "a string",
        }
    }
}

/// Reads the source's fragment.
///
/// With a value, `problems` may hold slips that the reader could step over; without one it holds at least one problem.
pub(crate) fn parse<'t>(source: &'t Source, problems: &mut Vec<Diagnostic>) -> Option<Value<'t>> {
    let mut reader = Reader { source, end: source.span().end, at: source.span().start, depth: 0, problems };
    reader.document().ok()
}

/// Reads the fragment, as a text that is searched and not itself a policy: duplicate keys are no concern.
pub(crate) fn parse_relaxed(source: &Source) -> Result<Value<'_>, Diagnostics> {
    let mut problems = Vec::new();
    let value = parse(source, &mut problems);
    problems.retain(|problem| problem.code != DUPLICATE);
    match value {
        Some(value) => Diagnostics::unless_empty(problems, value),
        None => Err(Diagnostics::unless_empty(problems, ()).err().unwrap_or_else(|| not_json(source))),
    }
}

const DUPLICATE: &str = "iam::duplicate-key";
const SYNTAX: &str = "iam::json-syntax";

fn not_json(source: &Source) -> Diagnostics {
    Diagnostic::error(SYNTAX, "this is not JSON").label(source, source.start(), "").into()
}

struct Reader<'t, 'p> {
    source: &'t Source,
    at: usize,
    end: usize,
    depth: usize,
    problems: &'p mut Vec<Diagnostic>,
}

/// The text cannot be read further; the problem is noted.
struct Lost;

type Read<T> = Result<T, Lost>;

impl<'t> Reader<'t, '_> {
    fn document(&mut self) -> Read<Value<'t>> {
        if self.end - self.at > LARGEST {
            return self.lost(
                self.source.start(),
                "the text is larger than 4 MiB",
                "",
                "no AWS policy is larger than 20 KB",
            );
        }
        if self.rest().starts_with('\u{FEFF}') {
            let mark = Span { start: self.at, end: self.at + 3 };
            self.problem(
                mark,
                "the text starts with a byte order mark",
                "AWS rejects it",
                "save the file as UTF-8 without BOM",
            );
            self.at = mark.end;
        }
        self.space();
        if self.at == self.end {
            return self.lost(
                self.here(),
                "the document is empty",
                "",
                "a policy is a JSON object with `Version` and `Statement`",
            );
        }
        let value = self.value()?;
        self.space();
        if self.at < self.end {
            return self.lost(
                self.here(),
                "there is text after the end of the document",
                "not expected here",
                "",
            );
        }
        Ok(value)
    }

    fn value(&mut self) -> Read<Value<'t>> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Kind::String(match self.plain_string() {
                Some(text) => Cow::Borrowed(text),
                None => self.odd_string()?,
            }),
            Some(b'-' | b'0'..=b'9') => Kind::Number(self.number()?),
            Some(byte) if byte == b'_' || byte.is_ascii_alphabetic() => self.word()?,
            Some(b'\'') => return self.single_quoted(),
            Some(b'}' | b']' | b',' | b':') => {
                return self.lost(self.here(), "a value is missing", "expected a value here", "");
            }
            Some(_) => {
                return self.lost(self.here(), "this is not a JSON value", "expected a value here", "");
            }
            None => {
                return self.lost(
                    self.here(),
                    "the document ends where a value is expected",
                    "",
                    "is the file cut off?",
                );
            }
        };
        Ok(Value { span: Span { start, end: self.at }, kind })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Read<Kind<'t>>) -> Read<Kind<'t>> {
        if self.depth == DEEPEST {
            return self.lost(self.here(), "the document nests deeper than 64 levels", "", "");
        }
        self.depth += 1;
        self.at += 1;
        let kind = read(self);
        self.depth -= 1;
        kind
    }

    fn object(&mut self) -> Read<Kind<'t>> {
        let opened = self.at - 1;
        let mut members: Vec<Member<'t>> = Vec::new();
        while self.more(b'}', opened, !members.is_empty())? {
            let key_start = self.at;
            let key = self.key()?;
            let key_span = Span { start: key_start, end: self.at };
            self.space();
            if self.peek() == Some(b':') {
                self.at += 1;
            } else {
                let after = Span { start: key_span.end, end: key_span.end };
                return self.lost(
                    after,
                    &format!("`:` is missing after the key `{key}`"),
                    "expected `:` here",
                    "",
                );
            }
            self.space();
            let value = self.value()?;
            members.push(Member { key, key_span, value });
        }
        self.duplicates(&members);
        Ok(Kind::Object(members))
    }

    fn duplicates(&mut self, members: &[Member<'t>]) {
        const FEW: usize = 12;
        let again = |(at, member): (usize, &Member<'t>)| {
            members.iter().take(at).any(|earlier| earlier.key == member.key)
        };
        if members.len() <= FEW && !members.iter().enumerate().any(again) {
            return;
        }
        // Sorted, for a hostile object may have a hundred thousand members; equal keys stay in their order.
        let mut by_key: Vec<&Member<'t>> = members.iter().collect();
        order::sort_by(&mut by_key, |a, b| a.key.cmp(&b.key));
        for same in by_key.chunk_by(|a, b| a.key == b.key) {
            let [first, again @ ..] = same else { continue };
            for member in again {
                let error = Diagnostic::error(DUPLICATE, format!("duplicate key `{}`", member.key))
                    .label(self.source, member.key_span, "given again here")
                    .label(self.source, first.key_span, "first given here")
                    .help("keep one, or merge their values into one list")
                    .docs(GRAMMAR);
                self.problems.push(error);
            }
        }
    }

    fn array(&mut self) -> Read<Kind<'t>> {
        let opened = self.at - 1;
        let mut items = Vec::new();
        while self.more(b']', opened, !items.is_empty())? {
            match self.plain_string() {
                // Not `push`, so that the value is made where it stays: most of a policy are strings in lists.
                Some(text) => {
                    let end = self.at;
                    items.extend(Some(text).into_iter().map(|text| {
                        let span = Span { start: end - text.len() - 2, end };
                        Value { span, kind: Kind::String(Cow::Borrowed(text)) }
                    }));
                }
                None => items.push(self.value()?),
            }
        }
        Ok(Kind::Array(items))
    }

    /// Steps to the next member or item; `false` at the closing bracket. Commas too many or too few are noted.
    fn more(&mut self, close: u8, opened: usize, some: bool) -> Read<bool> {
        let before = self.at;
        self.space();
        let comma = Span { start: self.at, end: self.at + 1 };
        let had_comma = self.peek() == Some(b',');
        if had_comma {
            self.at += 1;
            self.space();
        }
        match self.peek() {
            None => {
                let bracket = Span { start: opened, end: opened + 1 };
                let closing = char::from(close);
                self.lost(
                    bracket,
                    "the document ends inside this bracket",
                    "never closed",
                    &format!("add the missing `{closing}`"),
                )
            }
            Some(byte) if byte == close => {
                if had_comma {
                    self.problem(comma, "a trailing comma is not JSON", "remove this comma", "");
                }
                self.at += 1;
                Ok(false)
            }
            Some(b'}' | b']' | b',' | b':') => {
                let message =
                    format!("`{}` does not belong here", char::from(self.peek().unwrap_or_default()));
                self.lost(self.here(), &message, "not expected here", "")
            }
            Some(_) => {
                if had_comma && !some {
                    self.problem(comma, "a comma stands before the first item", "remove this comma", "");
                } else if !had_comma && some {
                    let gap = Span { start: before, end: before };
                    self.problem(gap, "a comma is missing between two items", "expected `,` here", "");
                }
                Ok(true)
            }
        }
    }

    fn key(&mut self) -> Read<Cow<'t, str>> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'\'') => match self.single_quoted()?.kind {
                Kind::String(key) => Ok(key),
                _ => Err(Lost),
            },
            Some(byte) if byte == b'_' || byte.is_ascii_alphabetic() => {
                let span = self.take_word();
                let word = self.source.slice(span);
                self.problem(
                    span,
                    "a key without quotes is not JSON",
                    "a key is a string",
                    &format!("write `\"{word}\"`"),
                );
                Ok(Cow::Borrowed(word))
            }
            _ => self.lost(self.here(), "a key is missing", "expected a string here", ""),
        }
    }

    fn string(&mut self) -> Read<Cow<'t, str>> {
        match self.plain_string() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.odd_string(),
        }
    }

    /// A string without escapes and slips: almost all of them, so that it is worth to return them in registers.
    fn plain_string(&mut self) -> Option<&'t str> {
        let start = self.at + 1;
        if self.peek() != Some(b'"') {
            return None;
        }
        let rest = self.source.text().get(start..self.end)?;
        let length = find_end_of_run(rest.as_bytes())?;
        if rest.as_bytes().get(length) != Some(&b'"') {
            return None;
        }
        self.at = start + length + 1;
        rest.get(..length)
    }

    /// Any string, with escapes and slips.
    fn odd_string(&mut self) -> Read<Cow<'t, str>> {
        let quote = self.at;
        self.at += 1;
        let mut run = self.at;
        let mut string = String::new();
        let text = self.source.text();
        let bytes = text.as_bytes();
        loop {
            let rest = bytes.get(self.at..self.end).unwrap_or_default();
            let plain = find_end_of_run(rest).unwrap_or(rest.len());
            self.at += plain;
            let piece = text.get(run..self.at).unwrap_or_default();
            match rest.get(plain) {
                Some(b'"') => {
                    self.at += 1;
                    string.push_str(piece);
                    return Ok(Cow::Owned(string));
                }
                Some(b'\\') => {
                    string.push_str(piece);
                    string.push(self.escape());
                    run = self.at;
                }
                Some(b'\n' | b'\r') | None => {
                    let opened = Span { start: quote, end: self.at };
                    return self.lost(
                        opened,
                        "this string is not closed on its line",
                        "",
                        "add the missing `\"`; a line break is written `\\n`",
                    );
                }
                Some(byte) => {
                    let message =
                        format!("the control character U+{byte:04X} may not stand in a JSON string");
                    self.problem(self.here(), &message, "write it as an escape", "a tab is written `\\t`");
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self) -> char {
        let start = self.at;
        self.at += 2;
        let sign = self.source.text().get(start + 1..self.end).and_then(|rest| rest.chars().next());
        match sign {
            Some('"') => '"',
            Some('\\') => '\\',
            Some('/') => '/',
            Some('b') => '\u{8}',
            Some('f') => '\u{C}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let code = self.hex().and_then(|high| match high {
                    0xD800..=0xDBFF => {
                        let low = self.rest().starts_with("\\u").then(|| {
                            self.at += 2;
                            self.hex()
                        });
                        let low = low.flatten().filter(|low| (0xDC00..=0xDFFF).contains(low))?;
                        Some(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
                    }
                    other => Some(other),
                });
                code.and_then(char::from_u32).unwrap_or_else(|| {
                    let span = Span { start, end: self.at };
                    self.problem(
                        span,
                        "this is not a Unicode escape",
                        "",
                        "write `\\u` and four hexadecimal digits; two such pairs beyond U+FFFF",
                    );
                    char::REPLACEMENT_CHARACTER
                })
            }
            other => {
                self.at = start + 1 + other.map_or(0, char::len_utf8);
                let span = Span { start, end: self.at };
                let escape = self.source.slice(span).to_owned();
                self.problem(
                    span,
                    &format!("`{escape}` is not a JSON escape"),
                    "",
                    "a backslash is written `\\\\`",
                );
                char::REPLACEMENT_CHARACTER
            }
        }
    }

    fn hex(&mut self) -> Option<u32> {
        let digits =
            self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let code = u32::from_str_radix(digits, 16).ok();
        self.at += 4;
        code
    }

    fn number(&mut self) -> Read<&'t str> {
        let start = self.at;
        let rest = self.rest();
        let length = rest
            .bytes()
            .position(|byte| !matches!(byte, b'+' | b'-' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z'))
            .unwrap_or(rest.len());
        let text = rest.get(..length).unwrap_or_default();
        self.at += length;
        if is_number(text) {
            return Ok(text);
        }
        self.lost(
            Span { start, end: self.at },
            &format!("`{text}` is not a JSON number"),
            "",
            "put it in quotes if it is text",
        )
    }

    fn word(&mut self) -> Read<Kind<'t>> {
        let span = self.take_word();
        match self.source.slice(span) {
            "true" => Ok(Kind::Bool(true)),
            "false" => Ok(Kind::Bool(false)),
            "null" => Ok(Kind::Null),
            word => {
                let help = match word.to_ascii_lowercase().as_str() {
                    lower @ ("true" | "false" | "null") => format!("write `{lower}`"),
                    "none" => "write `null`".to_owned(),
                    _ => format!("write `\"{word}\"`"),
                };
                self.lost(span, "text without quotes is not JSON", "", &help)
            }
        }
    }

    fn single_quoted(&mut self) -> Read<Value<'t>> {
        let start = self.at;
        let rest = self.rest().get(1..).unwrap_or_default();
        let Some(length) = rest
            .find(['\'', '\n', '"'])
            .filter(|at| rest.get(*at..).is_some_and(|tail| tail.starts_with('\'')))
        else {
            return self.lost(self.here(), "a JSON string starts with `\"`", "", "use double quotes");
        };
        self.at += length + 2;
        let span = Span { start, end: self.at };
        self.problem(span, "single quotes are not JSON", "", "use double quotes");
        Ok(Value { span, kind: Kind::String(Cow::Borrowed(rest.get(..length).unwrap_or_default())) })
    }

    fn take_word(&mut self) -> Span {
        let start = self.at;
        let rest = self.rest();
        self.at +=
            rest.bytes().position(|byte| byte != b'_' && !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
        Span { start, end: self.at }
    }

    /// Steps over white space, and over comments with a note.
    #[inline]
    fn space(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'/' | b'#') if self.comment() => {}
                _ => return,
            }
        }
    }

    /// Steps over a comment with a note, if it is one.
    #[cold]
    fn comment(&mut self) -> bool {
        let rest = self.rest();
        let length = if rest.starts_with("//") || rest.starts_with('#') {
            rest.find('\n')
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2)
        } else {
            return false;
        };
        let span = Span { start: self.at, end: self.at + length.unwrap_or(rest.len()) };
        self.problem(
            span,
            "comments are not JSON",
            "remove this comment",
            "a statement's `Sid` can carry a note",
        );
        self.at = span.end;
        true
    }

    fn peek(&self) -> Option<u8> {
        if self.at < self.end { self.source.text().as_bytes().get(self.at).copied() } else { None }
    }

    fn rest(&self) -> &'t str {
        self.source.text().get(self.at..self.end).unwrap_or_default()
    }

    /// The character that stands here.
    fn here(&self) -> Span {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        Span { start: self.at, end: self.at + length }
    }

    fn problem(&mut self, span: Span, message: &str, label: &str, help: &str) {
        let error = Diagnostic::error(SYNTAX, message).label(self.source, span, label);
        self.problems.push(if help.is_empty() { error } else { error.help(help) });
    }

    fn lost<T>(&mut self, span: Span, message: &str, label: &str, help: &str) -> Read<T> {
        self.problem(span, message, label, help);
        Err(Lost)
    }
}

const GRAMMAR: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html";

/// Whether a text is a number by JSON's grammar.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (text, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && digits(exponent) && (whole == "0" || !whole.starts_with('0'))
}
