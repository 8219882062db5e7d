//! The words of an expression.

/// One word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Token<'a> {
    /// A name as it stands, or a keyword.
    Word(&'a str),
    /// `#name`, with the sign.
    Name(&'a str),
    /// `:value`, with the sign.
    Value(&'a str),
    Number(&'a str),
    /// Anything else.
    Sign(&'a str),
}

impl<'a> Token<'a> {
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Word(text)
            | Self::Name(text)
            | Self::Value(text)
            | Self::Number(text)
            | Self::Sign(text) => text,
        }
    }

    /// Whether this is the keyword, in whatever case.
    pub(super) fn is_keyword(self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }
}

/// The words, or the character that is none.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, char> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = match first {
            '#' | ':' => {
                1 + rest.get(1..).and_then(|rest| rest.find(|c| !is_word(c))).unwrap_or(rest.len() - 1)
            }
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            '<' if rest.starts_with("<>") || rest.starts_with("<=") => 2,
            '>' if rest.starts_with(">=") => 2,
            '(' | ')' | ',' | '.' | '[' | ']' | '=' | '<' | '>' | '+' | '-' => 1,
            c => return Err(c),
        };
        let (word, others) = rest.split_at_checked(length).unwrap_or((rest, ""));
        tokens.push(match first {
            '#' => Token::Name(word),
            ':' => Token::Value(word),
            c if c.is_ascii_digit() => Token::Number(word),
            c if is_word(c) => Token::Word(word),
            _ => Token::Sign(word),
        });
        rest = others.trim_start();
    }
    Ok(tokens)
}
