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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_known_by_the_parts_of_its_arn() {
        let role = Resource::of("arn:aws:iam::111122223333:role/team/reader");
        assert_eq!((role.role(), role.name()), (Some(("111122223333", "reader")), "reader"));
        assert_eq!((role.account(), role.bucket(), role.key()), (Some("111122223333"), None, None));
        let object = Resource::of("arn:aws:s3:::bucket/a/b");
        assert_eq!((object.bucket(), object.account(), object.name()), (Some("bucket"), None, "b"));
        let access_point = Resource::of("arn:aws:s3:eu-west-1:111122223333:accesspoint/p");
        assert_eq!((access_point.bucket(), access_point.account()), (None, Some("111122223333")));
        let key = Resource::of("arn:aws:kms:eu-west-1:111122223333:key/1");
        assert_eq!((key.key().map(|arn| arn.region), key.role()), (Some("eu-west-1"), None));
        assert!(Resource::of("arn:aws:kms:eu-west-1:111122223333:alias/key/1").key().is_none());
        for text in ["*", "a/b:c"] {
            let other = Resource::of(text);
            assert_eq!((other.name(), other.account(), other.role()), (text, None, None));
        }
        assert_eq!(Resource::of("arn:aws:sqs:eu-west-1:111122223333:queue").name(), "queue");
        assert_eq!(Resource::of("arn:aws:iam::aws:policy/P").account(), None);
    }
}
