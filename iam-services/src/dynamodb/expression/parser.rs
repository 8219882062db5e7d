//! What all expressions are read with.

use super::path::{Path, Step};
use super::placeholders::Placeholders;
use super::reserved::is_reserved;
use super::token::{Token, tokens};
use crate::dynamodb::invalid;
use crate::dynamodb::value::Value;
use crate::fault::Fault;

/// An expression that is being read.
pub(super) struct Parser<'a> {
    /// The request's parameter, for messages.
    kind: &'static str,
    tokens: Vec<Token<'a>>,
    at: usize,
    placeholders: &'a Placeholders<'a>,
    depth: usize,
    operators: usize,
}

/// Far deeper than anybody writes.
const DEEPEST: usize = 150;
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LONGEST: usize = 4096;
const MOST_OPERATORS: usize = 300;

impl<'a> Parser<'a> {
    pub(super) fn new(
        kind: &'static str,
        text: &'a str,
        placeholders: &'a Placeholders<'a>,
    ) -> Result<Self, Fault> {
        if text.trim().is_empty() {
            return Err(invalid(format!("Invalid {kind}: The expression can not be empty;")));
        }
        if text.len() > LONGEST {
            return Err(invalid(format!(
                "Invalid {kind}: Expression size has exceeded the maximum allowed size; expression size: {}",
                text.len()
            )));
        }
        let tokens = tokens(text).map_err(|c| {
            invalid(format!("Invalid {kind}: Syntax error; token: \"{c}\", near: \"{text}\""))
        })?;
        Ok(Self { kind, tokens, at: 0, placeholders, depth: 0, operators: 0 })
    }

    pub(super) fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    pub(super) fn peek_second(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at + 1).copied()
    }

    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        let token = self.peek();
        self.at += 1;
        token
    }

    pub(super) fn eat(&mut self, sign: &str) -> bool {
        let is_next = self.peek() == Some(Token::Sign(sign));
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), Fault> {
        if self.eat(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn eat_keyword(&mut self, keyword: &str) -> bool {
        let is_next = self.peek().is_some_and(|token| token.is_keyword(keyword));
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn expect_end(&self) -> Result<(), Fault> {
        if self.peek().is_none() { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Counts what an expression may not have too many of.
    pub(super) fn operator(&mut self) -> Result<(), Fault> {
        self.operators += 1;
        if self.operators <= MOST_OPERATORS {
            return Ok(());
        }
        Err(self.error("The expression contains too many operators; maximum: 300"))
    }

    /// Reads something that may have its own kind in it.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("The expression is nested too deeply"));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    pub(super) fn error(&self, message: &str) -> Fault {
        invalid(format!("Invalid {}: {message}", self.kind))
    }

    pub(super) fn unexpected(&self) -> Fault {
        let text = |at: usize| self.tokens.get(at).map_or("<EOF>", |token| token.text());
        let near: Vec<&str> =
            (self.at.saturating_sub(1)..self.tokens.len().min(self.at + 2)).map(text).collect();
        self.error(&format!("Syntax error; token: \"{}\", near: \"{}\"", text(self.at), near.join(" ")))
    }

    pub(super) fn value(&mut self) -> Result<Value, Fault> {
        let Some(Token::Value(name)) = self.peek() else { return Err(self.unexpected()) };
        self.at += 1;
        self.placeholders.value(name).ok_or_else(|| {
            self.error(&format!(
                "An expression attribute value used in expression is not defined; attribute value: {name}"
            ))
        })
    }

    pub(super) fn path(&mut self) -> Result<Path, Fault> {
        let attribute = self.name()?;
        let mut rest = Vec::new();
        loop {
            if self.eat(".") {
                rest.push(Step::Member(self.name()?));
            } else if self.eat("[") {
                let Some(Token::Number(number)) = self.peek() else { return Err(self.unexpected()) };
                let at = number.parse().map_err(|_| self.unexpected())?;
                self.at += 1;
                self.expect("]")?;
                rest.push(Step::Index(at));
            } else {
                break;
            }
            if rest.len() > 31 {
                return Err(self.error("The document path has too many nesting elements; nesting levels: 33"));
            }
        }
        Ok(Path { attribute, rest })
    }

    fn name(&mut self) -> Result<String, Fault> {
        let name = match self.peek() {
            Some(Token::Name(name)) => match self.placeholders.name(name) {
                Some(attribute) => attribute.to_owned(),
                None => {
                    return Err(self.error(&format!(
                        "An expression attribute name used in the document path is not defined; attribute \
                         name: {name}"
                    )));
                }
            },
            Some(Token::Word(word)) if is_reserved(word) => {
                return Err(
                    self.error(&format!("Attribute name is a reserved keyword; reserved keyword: {word}"))
                );
            }
            Some(Token::Word(word)) => word.to_owned(),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(name)
    }
}
