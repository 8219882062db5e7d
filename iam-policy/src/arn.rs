//! Amazon Resource Names, taken apart.

/// The six parts of an ARN. The last may hold further colons.
///
/// See [IAM ARNs](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// `s3`, `iam`, …
    pub service: &'a str,
    /// `us-east-1`; empty for a global service.
    pub region: &'a str,
    /// `123456789012`; empty where the resource's name is unique on its own, as a bucket's is.
    pub account: &'a str,
    /// Everything after the fifth colon.
    pub resource: &'a str,
}

/// Whether a text is the id of an account. What AWS owns itself has a word in its place: `arn:aws:iam::aws:policy/…`.
pub(crate) fn is_account_id(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let [b'0'..=b'9', after @ ..] = rest {
        rest = after;
    }
    text.len() == 12 && rest.is_empty()
}

impl<'a> Arn<'a> {
    /// Splits an ARN; `None` when the text has fewer than six parts or does not start with `arn`.
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::Arn;
    ///
    /// let arn = Arn::parse("arn:aws:logs:eu-west-1:123456789012:log-group:app:*").unwrap();
    /// assert_eq!((arn.account, arn.resource), ("123456789012", "log-group:app:*"));
    /// assert_eq!(Arn::parse("arn:aws:s3"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Arn<'a>> {
        let (partition, rest) = part(text.strip_prefix("arn:")?)?;
        let (service, rest) = part(rest)?;
        let (region, rest) = part(rest)?;
        let (account, resource) = part(rest)?;
        Some(Arn { partition, service, region, account, resource })
    }
}

/// What stands before the first colon, and after it. Parts are a few bytes, and every decision takes ARNs apart: to look at each
/// byte is faster than to look for one, in debug builds by far.
fn part(text: &str) -> Option<(&str, &str)> {
    let (mut length, mut rest) = (0, text.as_bytes());
    while let [byte, after @ ..] = rest {
        if *byte == b':' {
            return Some((text.get(..length)?, text.get(length + 1..)?));
        }
        (length, rest) = (length + 1, after);
    }
    None
}
