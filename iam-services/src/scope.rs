//! Where a call takes place, and ARNs of what is there.

use iam_endpoint::Allowed;

/// An account in a region.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Scope {
    pub(crate) partition: String,
    pub(crate) region: String,
    pub(crate) account: String,
}

impl Scope {
    /// The caller's own account, in the region that the request is for.
    pub(crate) fn of(allowed: &Allowed) -> Self {
        Self {
            partition: allowed.partition.to_owned(),
            region: allowed.region.clone(),
            account: allowed.account.clone(),
        }
    }

    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }

    /// Whether the ARN is of something in this account and region.
    pub(crate) fn holds(&self, arn: &Arn<'_>) -> bool {
        arn.partition == self.partition && arn.region == self.region && arn.account == self.account
    }
}

/// `arn:partition:service:region:account:resource`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arn<'a> {
    pub(crate) partition: &'a str,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        Some(Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }
}

/// An account id is twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}
