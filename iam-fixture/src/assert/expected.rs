//! What a test expects of a call.

use std::fmt;
use std::str::FromStr;

/// What a test expects of a call's authorization; the verdict column of a table of cases.
///
/// It parses from its own [`Display`](fmt::Display) form, so that a case of `rstest` can name it as a string.
///
/// # Examples
///
/// ```
/// use iam_fixture::Expected;
///
/// assert_eq!("explicitDeny".parse(), Ok(Expected::ExplicitDeny));
/// assert_eq!(Expected::Allowed.to_string(), "allowed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Authorization passes, whatever the service then answers.
    Allowed,
    /// Authorization is denied, by whichever rule.
    Denied,
    /// A statement with `"Effect": "Deny"` matches.
    ExplicitDeny,
    /// No statement allows the call.
    ImplicitDeny,
}

impl Expected {
    const ALL: [Self; 4] = [Self::Allowed, Self::Denied, Self::ExplicitDeny, Self::ImplicitDeny];

    /// The name that `Display` writes and `FromStr` reads, in the words of AWS's policy simulator.
    fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::ExplicitDeny => "explicitDeny",
            Self::ImplicitDeny => "implicitDeny",
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no [`Expected`] verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseExpectedError {
    word: String,
}

impl fmt::Display for ParseExpectedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Expected::ALL.map(|expected| format!("`{expected}`")).join(", ");
        write!(f, "`{}` is not an expected verdict: write one of {names}", self.word)
    }
}

impl std::error::Error for ParseExpectedError {}

impl FromStr for Expected {
    type Err = ParseExpectedError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|expected| expected.name() == word)
            .ok_or_else(|| ParseExpectedError { word: word.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_parses_from_what_it_displays() {
        for expected in Expected::ALL {
            assert_eq!(expected.to_string().parse(), Ok(expected));
        }
    }

    #[test]
    fn another_word_is_refused_with_the_words_there_are() {
        let error = "deny".parse::<Expected>().unwrap_err().to_string();
        assert_eq!(
            error,
            "`deny` is not an expected verdict: write one of `allowed`, `denied`, `explicitDeny`, `implicitDeny`"
        );
    }
}
