//! What a pattern is made of, for those that compare patterns with each other.

use std::borrow::Cow;

use super::{Code, Pattern, Piece, Token, Variable, Wildcards, before_star, colons, fill};
use crate::context::Context;
use crate::document::Item;

static NOTHING: Context = Context::new();

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

    /// The pattern with signs for its variables. How many colons their values have nobody knows: a wildcard behind one is
    /// `within` a part of an ARN where it may be.
    pub(crate) fn tokens_with<'p>(
        &'p self,
        written: &'p str,
        within: bool,
        sign: impl Fn(&'p Variable) -> Token<Cow<'p, str>>,
    ) -> Option<Vec<Token<Cow<'p, str>>>> {
        let Pattern::Program(program) = self else { return self.tokens(written, &NOTHING) };
        let Code::Variable(pieces) = &program.code else { return self.tokens(written, &NOTHING) };
        let (mut seen, mut is_behind) = (0, false);
        let tokens = pieces.iter().map(|piece| match piece {
            Piece::Token(token) => {
                let is_within =
                    program.syntax.wildcards == Wildcards::Arn && seen < 5 && (within || !is_behind);
                match token {
                    Token::Literal(text) => {
                        seen += colons(text);
                        Token::Literal(Cow::Borrowed(&**text))
                    }
                    Token::Many { .. } => Token::Many { within: is_within },
                    Token::One { .. } => Token::One { within: is_within },
                }
            }
            Piece::Variable(variable) => {
                is_behind = true;
                sign(variable)
            }
        });
        Some(tokens.collect())
    }

    /// The text that everything starts with that the pattern matches, which is written so, where it matches all of these.
    pub(crate) fn start<'p>(&self, written: &'p str) -> Option<&'p str> {
        matches!(self, Pattern::Start).then(|| before_star(written))
    }

    /// Whether its wildcards stay in their part of an ARN.
    pub(crate) fn has_parts(&self) -> bool {
        matches!(self, Pattern::Program(program) if program.syntax.wildcards == Wildcards::Arn)
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

impl Item<Pattern> {
    /// The pattern as one of version `2012-10-17`, a `*` in the place of each variable.
    pub(crate) fn with_stars(&self) -> String {
        let character = |text: &str| text.replace("${", "${$}{");
        let Pattern::Program(program) = &self.matcher else { return character(&self.text) };
        let Code::Variable(pieces) = &program.code else {
            return if program.syntax.variables { self.text.to_string() } else { character(&self.text) };
        };
        let piece = |piece: &Piece| match piece {
            Piece::Token(Token::Literal(text)) => {
                text.replace("${", "${$}{").replace('*', "${*}").replace('?', "${?}")
            }
            Piece::Token(Token::One { .. }) => "?".to_owned(),
            Piece::Token(Token::Many { .. }) | Piece::Variable(_) => "*".to_owned(),
        };
        pieces.iter().map(piece).collect()
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
