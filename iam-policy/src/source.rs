//! Where a policy's text comes from: a named text, and the fragment of it that is the policy.

use std::fmt;
use std::sync::Arc;

use crate::diagnostic::{self, Diagnostic, Diagnostics};
use crate::json::{self, Kind, Value};
use crate::near::near;

/// A named text and the fragment of it that is a policy document.
///
/// Cloning is cheap. Every [`Span`] in this crate counts bytes of [`Source::text`], so that a policy which is a fragment
/// of a larger file keeps that file's lines and columns.
///
/// # Examples
///
/// ```
/// use iam_policy::Source;
///
/// let file = Source::new("template.json", r#"{"Reader": {"Statement": []}}"#);
/// let policy = file.pointer("/Reader").unwrap();
/// assert_eq!(policy.fragment(), r#"{"Statement": []}"#);
/// assert_eq!(policy.location(policy.span().start).to_string(), "1:12");
/// ```
#[derive(Clone)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
    fragment: Span,
}

/// The name of a text that stands in the program.
const INLINE: &str = "<policy>";

/// A range of bytes of [`Source::text`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A place in a text as people and editors name it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Location {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Source {
    /// A text with the name, usually a path, that messages show for it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Source {
        let text = text.into();
        let fragment = Span { start: 0, end: text.len() };
        Source { name: name.into().into(), text: text.into(), fragment }
    }

    /// A text that stands in the program and not in a file; messages call it `<policy>`.
    pub fn inline(text: impl Into<String>) -> Source {
        Source::new(INLINE, text)
    }

    /// The same text, narrowed to the value that a JSON pointer ([RFC 6901]) names in the fragment.
    ///
    /// [RFC 6901]: https://www.rfc-editor.org/rfc/rfc6901
    ///
    /// # Errors
    ///
    /// When the fragment is not JSON, or holds no value at that pointer; the message names what is there instead.
    pub fn pointer(&self, pointer: &str) -> Result<Source, Diagnostics> {
        let root = json::parse_relaxed(self)?;
        let mut value = &root;
        if pointer.is_empty() {
            return Ok(self.narrowed(value.span));
        }
        if !pointer.starts_with('/') {
            let message = format!("the JSON pointer `{pointer}` does not start with `/`");
            return Err(Diagnostic::error("iam::json-pointer", message)
                .label(self, self.start(), "")
                .help(format!("write `/{pointer}`"))
                .into());
        }
        let mut walked = String::new();
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            value = child(value, &token).ok_or_else(|| self.no_child(value, &walked, &token))?;
            walked.push('/');
            walked.push_str(&token);
        }
        Ok(self.narrowed(value.span))
    }

    /// The name that messages show.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text, of which the policy may be a part.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The policy's own text: what is sent to AWS.
    #[must_use]
    pub fn fragment(&self) -> &str {
        self.slice(self.fragment)
    }

    /// Where the fragment stands in the text.
    #[must_use]
    pub fn span(&self) -> Span {
        self.fragment
    }

    /// The line and column of a byte offset into [`Source::text`].
    #[must_use]
    pub fn location(&self, offset: usize) -> Location {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = self.text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Location {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }

    /// The text in a span; empty when the span is not one of this text's.
    pub(crate) fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// Whether both are of the same text, so that their spans can be drawn together.
    pub(crate) fn same_text(&self, other: &Source) -> bool {
        Arc::ptr_eq(&self.text, &other.text)
    }

    /// The place to point at when the document as a whole is meant.
    pub(crate) fn start(&self) -> Span {
        Span { start: self.fragment.start, end: self.fragment.start }
    }

    /// The same name over another text: what a template renders to.
    pub(crate) fn with_text(&self, text: String, fragment: Span) -> Source {
        Source { name: self.name.clone(), text: text.into(), fragment }
    }

    fn narrowed(&self, fragment: Span) -> Source {
        Source { fragment, ..self.clone() }
    }

    fn no_child(&self, value: &Value<'_>, walked: &str, token: &str) -> Diagnostics {
        let place = if walked.is_empty() { "the document" } else { walked };
        let message = format!("`{token}` is not in {place}");
        let error = Diagnostic::error("iam::json-pointer", message);
        match &value.kind {
            Kind::Object(members) => {
                let names = members.iter().map(|member| member.key.as_ref());
                let error =
                    error.label(self, value.span.first_byte(), format!("no member `{token}` in here"));
                match near(token, names.clone()).first() {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help(format!("there is {}", diagnostic::quoted(names))),
                }
            }
            Kind::Array(items) => {
                error.label(self, value.span.first_byte(), format!("a list of {}", items.len()))
            }
            other => error.label(self, value.span, format!("{} has no members", other.name())),
        }
        .into()
    }
}

impl From<&str> for Source {
    fn from(text: &str) -> Source {
        let fragment = Span { start: 0, end: text.len() };
        Source { name: INLINE.into(), text: text.into(), fragment }
    }
}

impl From<String> for Source {
    fn from(text: String) -> Source {
        Source::inline(text)
    }
}

impl From<&Source> for Source {
    fn from(source: &Source) -> Source {
        source.clone()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("fragment", &self.fragment)
            .finish_non_exhaustive()
    }
}

impl Span {
    /// The span's first byte alone: marks where a long value begins.
    pub(crate) fn first_byte(self) -> Span {
        Span { start: self.start, end: self.end.min(self.start + 1) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

fn child<'v, 't>(value: &'v Value<'t>, token: &str) -> Option<&'v Value<'t>> {
    match &value.kind {
        Kind::Object(members) => {
            members.iter().find(|member| member.key == token).map(|member| &member.value)
        }
        Kind::Array(items) => items.get(token.parse::<usize>().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "{\n  \"a/b\": [{\"Statement\": 1}],\n  \"Reader\": {\"x\": true}\n}";

    #[test]
    fn a_pointer_narrows_the_fragment_and_keeps_the_files_lines() {
        let source = Source::new("t.json", TEMPLATE).pointer("/a~1b/0").unwrap();
        assert_eq!(source.fragment(), "{\"Statement\": 1}");
        assert_eq!(source.text(), TEMPLATE);
        assert_eq!(source.location(source.span().start), Location { line: 2, column: 11 });
    }

    #[test]
    fn a_pointer_that_misses_names_the_nearest_member() {
        let error = Source::new("t.json", TEMPLATE).pointer("/Raeder").unwrap_err().to_string();
        assert!(error.contains("did you mean `Reader`?"), "{error}");
        let error = Source::new("t.json", TEMPLATE).pointer("/Reader/x/y").unwrap_err().to_string();
        assert!(error.contains("a boolean has no members"), "{error}");
        assert!(error.contains("t.json:3:19"), "{error}");
    }

    #[test]
    fn columns_count_characters() {
        let source = Source::inline("é\u{1F600}x");
        assert_eq!(source.location(source.text().find('x').unwrap()), Location { line: 1, column: 3 });
        assert_eq!(source.location(usize::MAX).column, 4);
    }
}
