//! Problems with a policy, each with its place, and the one renderer that shows them as rustc shows its own.

mod render;

use std::fmt;

use crate::order;
use crate::source::{Location, Source, Span};

pub(crate) use render::Snippet;

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Severity {
    /// AWS rejects the document, or this crate cannot evaluate it.
    Error,
    /// The document is valid, and worth a thought.
    Note,
    /// The document is valid, and does not mean what it says.
    Warning,
}

/// One problem with a policy: what, where, and what to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable code such as `iam::duplicate-key`.
    pub code: &'static str,
    /// The problem in one line.
    pub message: String,
    /// The places, the primary one first; never empty.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// The AWS page that the rule comes from.
    pub docs: Option<&'static str>,
}

/// A place in a source and what to say about it there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Label {
    /// The text that the place is in.
    pub source: Source,
    /// The place.
    pub span: Span,
    /// What to say there; may be empty.
    pub text: String,
}

/// The problems of one document, at least one and at most 64, in the order of their places.
///
/// `Display` renders all of them as rustc does, without colour and without a final newline.
#[derive(Clone)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostic {
    pub(crate) fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            labels: Vec::new(),
            help: None,
            docs: None,
        }
    }

    pub(crate) fn label(mut self, source: &Source, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { source: source.clone(), span, text: text.into() });
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn docs(mut self, page: &'static str) -> Diagnostic {
        self.docs = Some(page);
        self
    }

    /// The line and column of the primary place.
    #[must_use]
    pub fn location(&self) -> Location {
        match self.labels.first() {
            Some(label) => label.source.location(label.span.start),
            None => Location { line: 1, column: 1 },
        }
    }
}

impl Diagnostics {
    /// The problems, in the order of their places.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Nobody reads more, and a hostile text could have millions.
    const MOST: usize = 64;

    /// `Ok` with the value when nothing was found.
    pub(crate) fn unless_empty<T>(found: Vec<Diagnostic>, value: T) -> Result<T, Diagnostics> {
        if found.is_empty() { Ok(value) } else { Err(Diagnostics::of(found)) }
    }

    fn of(mut found: Vec<Diagnostic>) -> Diagnostics {
        in_order(&mut found);
        found.truncate(Diagnostics::MOST);
        Diagnostics(found)
    }
}

/// Puts problems in the order of their places.
pub(crate) fn in_order(found: &mut [Diagnostic]) {
    let place = |diagnostic: &Diagnostic| diagnostic.labels.first().map(|label| label.span.start);
    order::sort_by(found, |a, b| place(a).cmp(&place(b)));
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics(vec![diagnostic])
    }
}

impl<'d> IntoIterator for &'d Diagnostics {
    type Item = &'d Diagnostic;
    type IntoIter = std::slice::Iter<'d, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

/// As `Display`: what `unwrap` prints should be readable.
impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity, self.code, self.message)?;
        let snippet = Snippet { labels: &self.labels };
        write!(f, "{snippet}")?;
        for (word, note) in [("help", self.help.as_deref()), ("docs", self.docs)] {
            if let Some(note) = note {
                write!(f, "\n{}= {word}: {note}", snippet.indent())?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Note => "note",
            Severity::Warning => "warning",
        })
    }
}

/// Up to eight names in backticks, for a message; `nothing` when there are none.
pub(crate) fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    list(&mut names.into_iter())
}

/// As [`quoted`], once for all kinds of iterators.
fn list(names: &mut dyn Iterator<Item = &str>) -> String {
    const SHOWN: usize = 8;
    let quoted: Vec<String> = (&mut *names).take(SHOWN).map(|name| format!("`{name}`")).collect();
    match (quoted.is_empty(), names.count()) {
        (true, _) => "nothing".to_owned(),
        (false, 0) => quoted.join(", "),
        (false, more) => format!("{} and {more} more", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_names_are_cut() {
        assert_eq!(quoted(["a", "b"]), "`a`, `b`");
        assert!(quoted(["x"; 11]).ends_with(" and 3 more"));
        assert_eq!(quoted([]), "nothing");
    }
}
