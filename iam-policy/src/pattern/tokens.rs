//! What a pattern is made of, for those that compare patterns with each other.

use std::borrow::Cow;

use super::{Code, Pattern, Token, before_star, fill};
use crate::context::Context;

impl Pattern {
    /// The pattern, which is written so, as literal texts and wildcards, its variables filled; `None` when a variable does not
    /// resolve, so that the pattern matches nothing.
    pub(crate) fn tokens<'p>(
        &'p self,
        written: &'p str,
        context: &'p Context,
    ) -> Option<Vec<Token<Cow<'p, str>>>> {
        let literal = |text: &'p str| Token::Literal(Cow::Borrowed(text));
        Some(match self {
            Pattern::Exact | Pattern::ExactFolded => vec![literal(written)],
            Pattern::Start | Pattern::StartFolded => {
                vec![literal(before_star(written)), Token::Many { within: false }]
            }
            Pattern::Program(program) => match &program.code {
                Code::Glob(tokens) => tokens.iter().map(Token::borrowed).collect(),
                Code::Variable(pieces) => return fill(pieces, context, program.syntax, false),
            },
        })
    }

    /// Whether upper and lower case are the same to it.
    pub(crate) fn folds(&self) -> bool {
        match self {
            Pattern::Exact | Pattern::Start => false,
            Pattern::ExactFolded | Pattern::StartFolded => true,
            Pattern::Program(program) => program.syntax.fold,
        }
    }
}

impl Token<Box<str>> {
    fn borrowed(&self) -> Token<Cow<'_, str>> {
        match self {
            Token::Literal(text) => Token::Literal(Cow::Borrowed(text)),
            Token::Many { within } => Token::Many { within: *within },
            Token::One { within } => Token::One { within: *within },
        }
    }
}
