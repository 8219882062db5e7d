//! Patterns: literal text, the wildcards `*` and `?`, and policy variables.
//!
//! A pattern is compiled once, when its policy is parsed. Matching goes forward over the text and returns at most to the last
//! `*`, so its cost is bounded by the product of the two lengths.

mod glob;
#[cfg(feature = "sets")]
mod meet;
#[cfg(test)]
pub(crate) mod short;
mod sign;
#[cfg(feature = "sets")]
mod tokens;
mod variable;

use std::borrow::Cow;

use crate::context::Context;
use crate::document::Item;
use crate::scan::find_any;
use crate::truth::Truth;

pub use glob::Glob;
#[cfg(feature = "sets")]
pub(crate) use meet::meet;
pub use sign::Variables;
pub(crate) use sign::{Sign, meets};
pub(crate) use variable::{BadVariable, Variable};
use variable::{Expansion, variable};

/// What the signs of a pattern mean where it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Syntax {
    pub(crate) wildcards: Wildcards,
    /// `${…}` are variables and escapes: version `2012-10-17`.
    pub(crate) variables: bool,
    /// Upper and lower case are the same. A text that is matched must be in lower case where it is not ASCII.
    pub(crate) fold: bool,
}

/// What `*` and `?` mean.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Wildcards {
    /// Any text and any character, but in the first five parts of an ARN no colon.
    Arn,
    /// Any text and any character.
    Free,
    /// Themselves.
    #[default]
    None,
}

/// How the text of an [`Item`] is compared with others. The text itself is the item's: a policy may have thousands.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// The text stands for itself.
    Exact,
    /// So it does, in upper or lower case.
    ExactFolded,
    /// Whatever else.
    Program(Box<Program>),
    /// The text up to its last character, which is a `*` for any other text.
    Start,
    /// The same, in upper or lower case.
    StartFolded,
}

#[derive(Clone, Debug)]
pub(crate) struct Program {
    syntax: Syntax,
    code: Code,
}

#[derive(Clone, Debug)]
enum Code {
    Glob(Box<[Token<Box<str>>]>),
    /// Has variables, which the context of each request fills.
    Variable(Box<[Piece]>),
}

/// The texts that a pattern matches, as far as an index tells them apart.
pub(crate) enum Shape<'p> {
    Exact(&'p str),
    /// Some of those that start so.
    Other(&'p str),
    /// All that start so.
    Start(&'p str),
}

#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Token(Token<Box<str>>),
    Variable(Variable),
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Token<S> {
    Literal(S),
    /// `*`; `within` does not match a colon.
    Many {
        within: bool,
    },
    /// `?`; `within` does not match a colon.
    One {
        within: bool,
    },
}

impl Pattern {
    /// Inlined, for most patterns are simple, and a policy may have thousands: they need not pass through memory.
    #[inline]
    pub(crate) fn compile(text: &str, syntax: Syntax) -> Result<Pattern, Box<BadVariable>> {
        let fold = syntax.fold;
        match find_any(text.as_bytes(), *b"*?$") {
            _ if fold && !text.is_ascii() => compile_program(text, syntax),
            None => Ok(if fold { Pattern::ExactFolded } else { Pattern::Exact }),
            Some(sign) if is_start(text, sign, syntax) => {
                Ok(if fold { Pattern::StartFolded } else { Pattern::Start })
            }
            Some(_) => compile_program(text, syntax),
        }
    }

    /// The variables of the pattern.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        let pieces = if let Pattern::Program(program) = self { program.pieces() } else { &[] };
        variables(pieces)
    }

    /// The keys of variables about which the context knows nothing.
    pub(crate) fn unknown_keys<'p>(&'p self, context: &Context, found: &mut Vec<&'p str>) {
        for variable in self.variables().filter(|variable| variable.is_unknown(context)) {
            found.push(&variable.key);
        }
    }

    /// Whether the pattern, which is written so, matches a text. A variable that does not resolve matches nothing.
    #[inline]
    pub(crate) fn matches(&self, written: &str, text: &str, context: &Context) -> Truth {
        let starts = |start: &str, fold| starts_with(text.as_bytes(), start, fold);
        let exact = |fold| text.len() == written.len() && starts(written, fold);
        Truth::certain(match self {
            Pattern::Exact => exact(false),
            Pattern::ExactFolded => exact(true),
            Pattern::Program(program) => return program.matches(text, context),
            Pattern::Start => starts(before_star(written), false),
            Pattern::StartFolded => starts(before_star(written), true),
        })
    }

    /// The pattern, which is written so, with its variables filled, for people; `None` when a variable does not resolve.
    pub(crate) fn filled(&self, written: &str, context: &Context) -> Option<String> {
        let Pattern::Program(program) = self else { return Some(written.to_owned()) };
        match &program.code {
            Code::Glob(tokens) => Some(show(tokens)),
            Code::Variable(pieces) => {
                fill(pieces, context, program.syntax, false).map(|tokens| show(&tokens))
            }
        }
    }
}

impl Item<Pattern> {
    /// As [`Pattern::matches`].
    #[inline]
    pub(crate) fn matches(&self, text: &str, context: &Context) -> Truth {
        self.matcher.matches(&self.text, text, context)
    }

    /// What the pattern matches, as far as an index tells it.
    pub(crate) fn shape(&self) -> Shape<'_> {
        match &self.matcher {
            Pattern::Exact | Pattern::ExactFolded => Shape::Exact(&self.text),
            Pattern::Program(program) => match &program.code {
                Code::Glob(tokens) => match tokens.first() {
                    Some(Token::Literal(start)) => Shape::Other(start),
                    _ => Shape::Other(""),
                },
                Code::Variable(pieces) => match pieces.first() {
                    Some(Piece::Token(Token::Literal(start))) => Shape::Other(start),
                    _ => Shape::Other(""),
                },
            },
            Pattern::Start | Pattern::StartFolded => Shape::Start(before_star(&self.text)),
        }
    }
}

impl Program {
    fn matches(&self, text: &str, context: &Context) -> Truth {
        let pieces = match &self.code {
            Code::Glob(tokens) => return Truth::certain(glob(tokens, text, self.syntax.fold)),
            Code::Variable(pieces) => pieces,
        };
        let matches = |open| {
            let filled = fill(pieces, context, self.syntax, open);
            filled.is_some_and(|tokens| glob(&tokens, text, self.syntax.fold))
        };
        let assumed = matches(false);
        if !variables(pieces).any(|variable| variable.is_unknown(context)) {
            return Truth::certain(assumed);
        }
        Truth { assumed, certain: assumed == matches(true) && !assumed }
    }

    fn pieces(&self) -> &[Piece] {
        match &self.code {
            Code::Glob(_) => &[],
            Code::Variable(pieces) => pieces,
        }
    }
}

fn variables(pieces: &[Piece]) -> impl Iterator<Item = &Variable> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Token(_) => None,
        Piece::Variable(variable) => Some(variable),
    })
}

/// The text of a [`Pattern::Start`] without its star.
#[inline]
fn before_star(written: &str) -> &str {
    written.get(..written.len().saturating_sub(1)).unwrap_or_default()
}

/// Whether the text is literal up to this sign, which is its last and a `*` for any text.
#[inline]
fn is_start(text: &str, sign: usize, syntax: Syntax) -> bool {
    let free = match syntax.wildcards {
        // A lone `*` is every value, an ARN or not.
        Wildcards::Arn => text == "*" || colons(text) >= 5,
        Wildcards::Free => true,
        Wildcards::None => false,
    };
    free && sign + 1 == text.len() && text.ends_with('*')
}

/// A text that is more than itself, or a start.
#[cold]
fn compile_program(text: &str, syntax: Syntax) -> Result<Pattern, Box<BadVariable>> {
    let mut builder = Builder { pieces: Vec::new(), literal: String::new(), colons: 0, syntax };
    let wild = syntax.wildcards != Wildcards::None;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let sign = rest
            .bytes()
            .position(|byte| matches!(byte, b'*' | b'?' if wild) || byte == b'$' && syntax.variables);
        let run = sign.unwrap_or(rest.len());
        builder.push(rest.get(..run).unwrap_or_default());
        at += run;
        let Some(rest) = rest.get(run..).filter(|rest| !rest.is_empty()) else { break };
        if let Some(inner) = rest.strip_prefix("${") {
            let (variable, length) =
                variable(inner).map_err(|(problem, help)| Box::new(BadVariable { at, problem, help }))?;
            match variable {
                Expansion::Character(c) => builder.push(c),
                Expansion::Variable(variable) => builder.push_piece(Piece::Variable(variable)),
            }
            at += length + "${}".len();
            continue;
        }
        let within = builder.within();
        match rest.as_bytes().first() {
            Some(b'*') => builder.push_piece(Piece::Token(Token::Many { within })),
            Some(b'?') => builder.push_piece(Piece::Token(Token::One { within })),
            _ => builder.push("$"),
        }
        at += 1;
    }
    Ok(Pattern::Program(Box::new(Program { syntax, code: builder.finish() })))
}

/// The tokens with every variable replaced by its value; with `open`, one about which nothing is known is a `*`.
fn fill<'p>(
    pieces: &'p [Piece],
    context: &'p Context,
    syntax: Syntax,
    open: bool,
) -> Option<Vec<Token<Cow<'p, str>>>> {
    let mut seen = 0;
    let mut tokens = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let token = match piece {
            Piece::Token(Token::Literal(text)) => Token::Literal(Cow::Borrowed(&**text)),
            // The colons of a value count, which `compile_program` could not know.
            Piece::Token(Token::Many { .. }) => {
                Token::Many { within: syntax.wildcards == Wildcards::Arn && seen < 5 }
            }
            Piece::Token(Token::One { .. }) => {
                Token::One { within: syntax.wildcards == Wildcards::Arn && seen < 5 }
            }
            Piece::Variable(variable) if open && variable.is_unknown(context) => {
                Token::Many { within: false }
            }
            Piece::Variable(variable) => {
                let value = variable.resolve(context)?;
                Token::Literal(if syntax.fold {
                    Cow::Owned(value.to_lowercase())
                } else {
                    Cow::Borrowed(value)
                })
            }
        };
        if let Token::Literal(text) = &token {
            seen += colons(text);
        }
        tokens.push(token);
    }
    Some(tokens)
}

fn colons(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b':').count()
}

/// Matches the whole text.
fn glob<S: AsRef<str>>(tokens: &[Token<S>], text: &str, fold: bool) -> bool {
    let text = text.as_bytes();
    let (mut token, mut at) = (0, 0);
    // Where to go on when the tokens after the last `*` do not match here.
    let mut star: Option<(usize, usize, bool)> = None;
    loop {
        match tokens.get(token) {
            Some(Token::Literal(literal)) => {
                let literal = literal.as_ref();
                if text.get(at..).is_some_and(|rest| starts_with(rest, literal, fold)) {
                    at += literal.len();
                    token += 1;
                    continue;
                }
            }
            Some(Token::One { within }) => {
                if let Some(length) = step(text, at, *within) {
                    at += length;
                    token += 1;
                    continue;
                }
            }
            Some(Token::Many { within }) => {
                token += 1;
                if token == tokens.len() && !within {
                    return true;
                }
                star = Some((token, at, *within));
                continue;
            }
            None if at == text.len() => return true,
            None => {}
        }
        let Some((after, from, within)) = star else { return false };
        let Some(length) = step(text, from, within) else { return false };
        star = Some((after, from + length, within));
        (token, at) = (after, from + length);
    }
}

#[inline]
fn starts_with(text: &[u8], start: &str, fold: bool) -> bool {
    let start = start.as_bytes();
    if !fold {
        return text.starts_with(start);
    }
    text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
}

/// The length of the character at a place, if a wildcard may take it.
fn step(text: &[u8], at: usize, within: bool) -> Option<usize> {
    match text.get(at)? {
        b':' if within => None,
        0..=0x7F => Some(1),
        0x80..=0xDF => Some(2),
        0xE0..=0xEF => Some(3),
        0xF0..=0xFF => Some(4),
    }
}

struct Builder {
    pieces: Vec<Piece>,
    literal: String,
    colons: usize,
    syntax: Syntax,
}

impl Builder {
    fn within(&self) -> bool {
        self.syntax.wildcards == Wildcards::Arn && self.colons < 5
    }

    fn push(&mut self, text: &str) {
        self.colons += colons(text);
        if self.syntax.fold {
            self.literal.push_str(&text.to_lowercase());
        } else {
            self.literal.push_str(text);
        }
    }

    fn push_piece(&mut self, piece: Piece) {
        self.close_literal();
        self.pieces.push(piece);
    }

    fn close_literal(&mut self) {
        if !self.literal.is_empty() {
            let literal = std::mem::take(&mut self.literal).into_boxed_str();
            self.pieces.push(Piece::Token(Token::Literal(literal)));
        }
    }

    fn finish(mut self) -> Code {
        self.close_literal();
        if self.pieces.iter().any(|piece| matches!(piece, Piece::Variable(_))) {
            return Code::Variable(self.pieces.into());
        }
        let tokens = self.pieces.into_iter().filter_map(|piece| match piece {
            Piece::Token(token) => Some(token),
            Piece::Variable(_) => None,
        });
        Code::Glob(tokens.collect())
    }
}

fn show<S: AsRef<str>>(tokens: &[Token<S>]) -> String {
    tokens
        .iter()
        .map(|token| match token {
            Token::Literal(text) => text.as_ref(),
            Token::Many { .. } => "*",
            Token::One { .. } => "?",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLOB: Syntax = Syntax { wildcards: Wildcards::Free, variables: true, fold: false };
    const ARN: Syntax = Syntax { wildcards: Wildcards::Arn, ..GLOB };

    fn truth(pattern: &str, syntax: Syntax, text: &str, context: &Context) -> Truth {
        Pattern::compile(pattern, syntax).unwrap().matches(pattern, text, context)
    }

    fn matches(pattern: &str, syntax: Syntax, text: &str) -> bool {
        truth(pattern, syntax, text, &Context::new()).assumed
    }

    #[test]
    fn wildcards_match_any_text_and_one_character() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "", true),
            ("a*", "a", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-cd", false),
            ("*ab", "aab", true),
            ("*ab*ab", "abab", true),
            ("*ab*ab", "aba", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a?c", "aéc", true),
            ("a?c", "a\u{1F600}c", true),
            ("a??c", "aéc", false),
            ("*?", "é", true),
            ("*??", "é", false),
            ("?*?", "ab", true),
        ] {
            assert_eq!(matches(pattern, GLOB, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn wildcards_of_an_arn_stay_in_their_part_up_to_the_sixth() {
        let alice = "arn:aws:iam::111122223333:user/alice";
        for (pattern, text, expected) in [
            ("arn:aws:iam::*:user/al*", alice, true),
            ("arn:aws:*:user/alice", alice, false),
            ("arn:*:*:*:*:*", alice, true),
            ("arn:*:*:*:*", alice, false),
            ("*", alice, true),
            ("arn:aws:iam::1?????????33:user/alice", alice, true),
            ("arn:aws:iam:?:111122223333:user/alice", alice, false),
            ("arn:aws:iam:?*:*:*", "arn:aws:iam::1:x", false),
            ("arn:aws:logs:*:*:log-group:*:end", "arn:aws:logs:r:1:log-group:a:b:end", true),
            ("arn:aws:s*:::b", "arn:aws:sns:::b", true),
            ("arn:aws:*b:::c", "arn:aws:ab:xb:::c", false),
        ] {
            assert_eq!(matches(pattern, ARN, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn variables_take_the_requests_value_or_their_default() {
        let mut context = Context::new();
        context
            .set("aws:username", "alice")
            .set("aws:star", "a*")
            .absent("aws:none")
            .set_many("aws:TagKeys", ["a", "b"]);
        for (pattern, text, expected) in [
            ("home/${aws:username}/*", "home/alice/x", true),
            ("home/${AWS:UserName}/*", "home/alice/x", true),
            ("home/${aws:username}/*", "home/bob/x", false),
            ("home/${aws:star}", "home/abc", false),
            ("home/${aws:star}", "home/a*", true),
            ("home/${aws:none}", "home/", false),
            ("home/${aws:none, 'all'}", "home/all", true),
            ("home/${aws:none,'a}b'}", "home/a}b", true),
            ("home/${aws:username, 'all'}", "home/all", false),
            ("home/${aws:TagKeys, 'all'}", "home/all", false),
            ("${*}${?}${$}{x}", "*?${x}", true),
            ("${*}", "x", false),
        ] {
            assert_eq!(truth(pattern, GLOB, text, &context), Truth::certain(expected), "{pattern} {text}");
        }
    }

    #[test]
    fn an_unknown_key_makes_the_answer_uncertain_only_where_it_could_matter() {
        let context = Context::new();
        assert_eq!(truth("home/${aws:username}/*", GLOB, "home/alice/x", &context), Truth::uncertain(false));
        assert_eq!(truth("home/${aws:username}/*", GLOB, "other/alice/x", &context), Truth::NO);
        assert_eq!(truth("home/${aws:username, 'all'}", GLOB, "home/all", &context), Truth::uncertain(true));
    }

    #[test]
    fn the_colons_of_a_value_count_as_parts_of_an_arn() {
        let mut context = Context::new();
        context.set("aws:PrincipalArn", "arn:aws:iam::111122223333:role/r");
        assert!(truth("${aws:PrincipalArn}*", ARN, "arn:aws:iam::111122223333:role/r:x", &context).assumed);
        assert!(!truth("*${aws:PrincipalArn}", ARN, "x:arn:aws:iam::111122223333:role/r", &context).assumed);
    }

    #[test]
    fn without_variables_the_signs_are_literal() {
        let old = Syntax { wildcards: Wildcards::Free, ..Syntax::default() };
        assert!(matches("${aws:username}", old, "${aws:username}"));
        assert!(matches("${*}", old, "${anything}"));
        assert!(matches("a*", Syntax::default(), "a*"));
        assert!(!matches("a*", Syntax::default(), "ab"));
    }

    #[test]
    fn malformed_variables_are_refused_with_their_place() {
        for (pattern, at) in [("ab${x", 2), ("${}", 0), ("${a:b, c}", 0), ("${a:b, 'c}", 0), ("${, 'c'}", 0)]
        {
            assert_eq!(Pattern::compile(pattern, GLOB).unwrap_err().at, at, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_matched_in_bounded_time() {
        let pattern = "a*".repeat(1000) + "b";
        assert!(!matches(&pattern, GLOB, &"a".repeat(5000)));
    }
}
