//! The principals that a resource-based policy names.

use crate::arn::{Arn, is_account_id};
use crate::partition::Partition;
use crate::principal::Principal;

/// One value of a `Principal` element.
///
/// See [AWS JSON policy elements: Principal](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum PrincipalMatcher {
    /// An account, and with it everybody to whom the account gives the permission.
    Account {
        id: Box<str>,
        partition: Option<Box<str>>,
    },
    /// A user, a role, or a session of one of the two.
    Arn(Box<str>),
    /// The canonical id of an account, which only S3 knows; no principal of ours has one.
    CanonicalUser,
    /// `{"AWS": "*"}`
    EveryAwsPrincipal,
    /// `{"Service": "*"}`
    EveryService,
    /// `*`
    Everyone,
    Federated(Box<str>),
    Service(Box<str>),
    /// What AWS writes in the place of a user or role that was deleted.
    UniqueId,
}

/// To whom exactly a resource-based policy gives a permission: what else must allow depends on it.
///
/// See [Resource-based policies in the evaluation logic](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Grant {
    /// To the account, which must pass it on by an identity-based policy.
    Account,
    /// To the role (or the user behind a federated session): boundary and session policies limit it.
    Role,
    /// To the caller itself, by its own ARN or by `*`: an implicit deny elsewhere does not limit it.
    Caller,
}

impl PrincipalMatcher {
    pub(crate) const ELEMENTS: [&'static str; 4] = ["AWS", "CanonicalUser", "Federated", "Service"];

    /// Reads a value of the member of `Principal` that is called `element`.
    pub(super) fn parse(element: &str, text: &str) -> Option<PrincipalMatcher> {
        Some(match element {
            "AWS" => return aws(text),
            "CanonicalUser" if !text.is_empty() => PrincipalMatcher::CanonicalUser,
            "Federated" if is_identity_provider(text) || is_domain(text) => {
                PrincipalMatcher::Federated(text.into())
            }
            "Service" if text == "*" => PrincipalMatcher::EveryService,
            "Service" if is_domain(text) => PrincipalMatcher::Service(text.into()),
            _ => return None,
        })
    }

    /// The member of `Principal` that the value stands in; `None` for a `*` of its own.
    pub(super) fn element(&self) -> Option<&'static str> {
        match self {
            PrincipalMatcher::Account { .. }
            | PrincipalMatcher::Arn(_)
            | PrincipalMatcher::EveryAwsPrincipal
            | PrincipalMatcher::UniqueId => Some("AWS"),
            PrincipalMatcher::CanonicalUser => Some("CanonicalUser"),
            PrincipalMatcher::EveryService | PrincipalMatcher::Service(_) => Some("Service"),
            PrincipalMatcher::Everyone => None,
            PrincipalMatcher::Federated(_) => Some("Federated"),
        }
    }

    pub(crate) fn is_everyone(&self) -> bool {
        matches!(self, PrincipalMatcher::Everyone | PrincipalMatcher::EveryAwsPrincipal)
    }

    /// How the value names a principal, if it does.
    ///
    /// "For resource-based policies, … `*` and `{"AWS": "*"}`" are the same.
    pub(crate) fn names(&self, principal: &Principal) -> Option<Grant> {
        use PrincipalMatcher as M;
        let is = |same: bool, grant: Grant| same.then_some(grant);
        match (self, principal) {
            (M::Everyone | M::EveryAwsPrincipal, _) | (M::EveryService, Principal::Service { .. }) => {
                Some(Grant::Caller)
            }
            (M::Account { id, partition }, Principal::Root { arn }) => {
                is(is_account(arn, id, partition.as_deref()), Grant::Caller)
            }
            (M::Account { id, partition }, principal) => is(
                principal.arn().is_some_and(|arn| is_account(arn, id, partition.as_deref())),
                Grant::Account,
            ),
            (M::Arn(named), Principal::AssumedRole { role_arn, session_arn }) => {
                is(**named == *session_arn, Grant::Caller).or(is(**named == *role_arn, Grant::Role))
            }
            (M::Arn(named), Principal::FederatedUser { arn, user_arn }) => {
                is(**named == *arn, Grant::Caller).or(is(user_arn.as_deref() == Some(&**named), Grant::Role))
            }
            (M::Arn(named), Principal::User { arn }) => is(**named == *arn, Grant::Caller),
            (M::Federated(named), Principal::Federated { provider: name })
            | (M::Service(named), Principal::Service { name }) => is(**named == *name, Grant::Caller),
            _ => None,
        }
    }
}

fn is_account(arn: &str, id: &str, partition: Option<&str>) -> bool {
    Arn::parse(arn)
        .is_some_and(|arn| arn.account == id && partition.is_none_or(|partition| partition == arn.partition))
}

fn aws(text: &str) -> Option<PrincipalMatcher> {
    if text == "*" {
        return Some(PrincipalMatcher::EveryAwsPrincipal);
    }
    if is_account_id(text) {
        return Some(PrincipalMatcher::Account { id: text.into(), partition: None });
    }
    let is_unique_id = text.len() >= 16
        && text.starts_with('A')
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_unique_id {
        return Some(PrincipalMatcher::UniqueId);
    }
    // "You cannot use a wildcard to match part of a principal name or ARN." An origin access identity of CloudFront is a user of
    // [an account of its own](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html).
    let arn = Arn::parse(text).filter(|arn| {
        Partition::named(arn.partition).is_some()
            && (is_account_id(arn.account)
                || arn.account == "cloudfront" && arn.resource.starts_with("user/"))
            && arn.region.is_empty()
            && !text.contains(['*', '?', '$'])
    })?;
    let (kind, name) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
    match (arn.service, kind) {
        ("iam", "root") if name.is_empty() => {
            Some(PrincipalMatcher::Account { id: arn.account.into(), partition: Some(arn.partition.into()) })
        }
        ("iam", "role" | "user") | ("sts", "federated-user") if !name.is_empty() => {
            Some(PrincipalMatcher::Arn(text.into()))
        }
        ("sts", "assumed-role") if name.split('/').filter(|part| !part.is_empty()).count() == 2 => {
            Some(PrincipalMatcher::Arn(text.into()))
        }
        _ => None,
    }
}

/// A provider's metadata, which an account has made a resource of.
fn is_identity_provider(text: &str) -> bool {
    let is_provider = |kind: &str| matches!(kind, "oidc-provider" | "saml-provider");
    Arn::parse(text).is_some_and(|arn| {
        Partition::named(arn.partition).is_some()
            && arn.service == "iam"
            && is_account_id(arn.account)
            && !text.contains(['*', '?', '$'])
            && arn.resource.split_once('/').is_some_and(|(kind, name)| is_provider(kind) && !name.is_empty())
    })
}

fn is_domain(text: &str) -> bool {
    text.contains('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "arn:aws:iam::111122223333:user/team/alice";
    const ROLE: &str = "arn:aws:iam::111122223333:role/reader";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/reader/s";
    const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/bob";

    fn grant(element: &str, text: &str, principal: &Principal) -> Option<Grant> {
        PrincipalMatcher::parse(element, text).unwrap().names(principal)
    }

    #[test]
    fn each_way_to_name_a_principal_grants_as_much_as_it_says() {
        let user = Principal::User { arn: USER.into() };
        let session = Principal::AssumedRole { role_arn: ROLE.into(), session_arn: SESSION.into() };
        let federated = Principal::FederatedUser { arn: FEDERATED.into(), user_arn: Some(USER.into()) };
        let root = Principal::Root { arn: "arn:aws:iam::111122223333:root".into() };
        let service = Principal::Service { name: "sns.amazonaws.com".into() };
        let provider = Principal::Federated { provider: "cognito-identity.amazonaws.com".into() };
        let (account, caller, role) = (Some(Grant::Account), Some(Grant::Caller), Some(Grant::Role));
        for (element, text, principal, expected) in [
            ("AWS", "*", &user, caller),
            ("AWS", "*", &Principal::Anonymous, caller),
            ("AWS", USER, &user, caller),
            ("AWS", "arn:aws:iam::111122223333:user/alice", &user, None),
            ("AWS", "111122223333", &user, account),
            ("AWS", "arn:aws:iam::111122223333:root", &user, account),
            ("AWS", "arn:aws-cn:iam::111122223333:root", &user, None),
            ("AWS", "444455556666", &user, None),
            ("AWS", "111122223333", &root, caller),
            ("AWS", ROLE, &session, role),
            ("AWS", SESSION, &session, caller),
            ("AWS", "111122223333", &session, account),
            ("AWS", FEDERATED, &federated, caller),
            ("AWS", USER, &federated, role),
            ("AWS", "111122223333", &Principal::Anonymous, None),
            ("Service", "sns.amazonaws.com", &service, caller),
            ("Service", "sqs.amazonaws.com", &service, None),
            ("Service", "*", &service, caller),
            ("Service", "*", &user, None),
            ("Federated", "cognito-identity.amazonaws.com", &provider, caller),
            ("Federated", "cognito-identity.amazonaws.com", &service, None),
            (
                "CanonicalUser",
                "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be",
                &user,
                None,
            ),
            ("AWS", "AIDACKCEVSQ6C2EXAMPLE", &user, None),
        ] {
            assert_eq!(grant(element, text, principal), expected, "{element} {text} {principal}");
        }
    }

    #[test]
    fn what_names_no_principal_is_refused() {
        for (element, text) in [
            ("AWS", ""),
            ("AWS", "alice"),
            ("AWS", "1234"),
            ("AWS", "arn:aws:iam::111122223333:user/*"),
            ("AWS", "arn:aws:iam::111122223333:group/admins"),
            ("AWS", "arn:aws:iam::*:root"),
            ("AWS", "arn:amazon:iam::111122223333:root"),
            ("AWS", "arn:aws:sts::111122223333:assumed-role/reader"),
            ("AWS", "arn:aws:s3:::bucket"),
            ("Service", "s3"),
            ("Service", "*.amazonaws.com"),
            ("Federated", "*"),
            ("Federated", "some provider"),
            ("Federated", "arn:aws:iam::111122223333:role/reader"),
            ("Federated", "arn:aws:iam::1111:saml-provider/sso"),
            ("AWS", "arn:aws:iam::cloudfront:role/x"),
            ("CanonicalUser", ""),
            ("Group", "x"),
        ] {
            assert_eq!(PrincipalMatcher::parse(element, text), None, "{element} {text}");
        }
    }
}
