//! The sentence in which AWS words a denial.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>.

/// The facts in `User: ARN is not authorized to perform: ACTION on resource: ARN because …`.
///
/// Services leave parts out (S3 answers a plain `Access Denied` across accounts), so every part is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) principal: Option<String>,
    pub(super) action: Option<String>,
    pub(super) resource: Option<String>,
    /// `Some(true)` for an explicit deny, `Some(false)` where no policy allows, `None` where the service does not say.
    pub(super) explicit: Option<bool>,
}

impl Sentence {
    /// Reads what `message` says; a message of another form says nothing.
    pub(super) fn read(message: &str) -> Self {
        let explicit = if message.contains("explicit deny") {
            Some(true)
        } else if message.contains("because no ") && message.contains(" policy allows ") {
            Some(false)
        } else {
            None
        };
        let Some((before, after)) = message.split_once(" is not authorized to perform: ") else {
            return Self { explicit, ..Self::default() };
        };
        let principal = before.rsplit("User: ").next().map(word);
        let (action, rest) = match after.split_once(" on resource: ") {
            Some((action, rest)) => (action, Some(rest)),
            None => (after, None),
        };
        Self { principal, action: Some(word(action)), resource: rest.map(word), explicit }
    }
}

/// The first word of `text` without the quotation marks that some services put around ARNs.
fn word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_implicit_deny_is_read_whole() {
        let sentence = Sentence::read(
            "User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: s3:GetObject on \
             resource: \"arn:aws:s3:::b/k\" because no identity-based policy allows the s3:GetObject action",
        );
        assert_eq!(
            sentence,
            Sentence {
                principal: Some("arn:aws:sts::123456789012:assumed-role/r/s".into()),
                action: Some("s3:GetObject".into()),
                resource: Some("arn:aws:s3:::b/k".into()),
                explicit: Some(false),
            }
        );
    }

    #[test]
    fn an_explicit_deny_is_told_apart() {
        let sentence = Sentence::read(
            "User: arn:aws:iam::123456789012:user/u is not authorized to perform: sqs:SendMessage on resource: \
             arn:aws:sqs:eu-west-1:123456789012:q with an explicit deny in a service control policy",
        );
        assert_eq!(sentence.explicit, Some(true));
        assert_eq!(sentence.resource.as_deref(), Some("arn:aws:sqs:eu-west-1:123456789012:q"));
    }

    #[test]
    fn a_bare_access_denied_says_nothing() {
        assert_eq!(Sentence::read("Access Denied"), Sentence::default());
    }

    #[test]
    fn a_denial_without_a_resource_still_names_the_action() {
        let sentence =
            Sentence::read("User: arn:aws:iam::1:user/u is not authorized to perform: ec2:RunInstances");
        assert_eq!(sentence.action.as_deref(), Some("ec2:RunInstances"));
        assert_eq!((sentence.resource, sentence.explicit), (None, None));
    }
}
