//! What a question is about, taken apart once.

use iam_policy::Arn;

use crate::endpoint::is_account_id;

/// An ARN or `*`, with the parts of the ARN: every question looks at them several times.
#[derive(Clone, Copy)]
pub(crate) struct Resource<'a> {
    pub(crate) text: &'a str,
    arn: Option<Arn<'a>>,
}

impl<'a> Resource<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self { text, arn: Arn::parse(text) }
    }

    /// The account that has it, where the ARN tells.
    pub(crate) fn account(self) -> Option<&'a str> {
        self.arn.map(|arn| arn.account).filter(|account| is_account_id(account))
    }

    /// The bucket that it is, or is in.
    pub(crate) fn bucket(self) -> Option<&'a str> {
        let arn =
            self.arn.filter(|arn| arn.service == "s3" && arn.region.is_empty() && arn.account.is_empty())?;
        arn.resource.split('/').next()
    }

    /// The ARN of a key of KMS.
    pub(crate) fn key(self) -> Option<Arn<'a>> {
        self.arn.filter(|arn| arn.service == "kms" && arn.resource.starts_with("key/"))
    }

    /// What the ARN calls it in the end: the name of a role without its path.
    pub(crate) fn name(self) -> &'a str {
        let Some(Arn { resource, .. }) = self.arn else { return self.text };
        // Looking for one character is fast in a debug build; looking for two is not.
        let sign = resource.rfind('/').max(resource.rfind(':'));
        sign.and_then(|at| resource.get(at + 1..)).unwrap_or(resource)
    }

    /// The account and the name of a role.
    pub(crate) fn role(self) -> Option<(&'a str, &'a str)> {
        let arn = self.arn.filter(|arn| arn.service == "iam" && arn.resource.starts_with("role/"))?;
        Some((arn.account, self.name()))
    }
}
