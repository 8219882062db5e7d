//! Policy variables, `${key}` and `${key, 'default'}`, and the escapes `${*}`, `${?}` and `${$}`.
//!
//! See [IAM policy elements: Variables and tags](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).

use crate::context::Context;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Variable {
    pub(crate) key: Box<str>,
    pub(crate) default: Option<Box<str>>,
}

/// What is wrong with a `${…}`, and the byte at which it starts.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct BadVariable {
    pub(crate) at: usize,
    pub(crate) problem: &'static str,
    pub(crate) help: &'static str,
}

impl Variable {
    /// The value in a context. A key with several values does not resolve, and a default is for a key without any
    /// ([variables](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html)).
    pub(crate) fn resolve<'v>(&'v self, context: &'v Context) -> Option<&'v str> {
        match context.lookup(&self.key) {
            Some([value]) => Some(value),
            Some([]) | None => self.default.as_deref(),
            Some(_) => None,
        }
    }

    pub(super) fn is_unknown(&self, context: &Context) -> bool {
        context.lookup(&self.key).is_none()
    }
}

pub(super) enum Expansion {
    Character(&'static str),
    Variable(Variable),
}

/// Reads the inside of a `${…}` that a text starts with, and tells its length.
pub(super) fn variable(inner: &str) -> Result<(Expansion, usize), (&'static str, &'static str)> {
    // A default value may hold a closing brace between its quotes.
    let mut quoted = false;
    let end = inner.find(|c| {
        quoted ^= c == '\'';
        c == '}' && !quoted
    });
    let Some(end) = end else {
        return Err(match inner.find('}') {
            Some(_) => ("the default value is not closed by `'`", "write `${key, 'default'}`"),
            None => ("the variable is not closed by `}`", "write `${key}`"),
        });
    };
    let inner = inner.get(..end).unwrap_or_default();
    let expansion = match inner {
        "*" => Expansion::Character("*"),
        "?" => Expansion::Character("?"),
        "$" => Expansion::Character("$"),
        _ => {
            let (key, default) = match inner.split_once(',') {
                None => (inner, None),
                Some((key, default)) => {
                    let default = default.trim().strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
                    let Some(default) = default else {
                        return Err((
                            "the default value is not in single quotes",
                            "write `${key, 'default'}`",
                        ));
                    };
                    (key, Some(default))
                }
            };
            if key.is_empty() {
                return Err(("the variable has no name", "write `${key}`, such as `${aws:username}`"));
            }
            if key.contains(char::is_whitespace) {
                return Err((
                    "the name of the variable has a space",
                    "write `${key}` or `${key, 'default'}`",
                ));
            }
            Expansion::Variable(Variable { key: key.into(), default: default.map(Into::into) })
        }
    };
    Ok((expansion, end))
}
