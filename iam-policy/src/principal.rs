//! Who makes a request.

use std::fmt;

use crate::arn::{Arn, is_account_id};

/// Who makes a request.
///
/// See [AWS JSON policy elements: Principal](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Principal {
    /// Nobody: the request is not signed.
    Anonymous,
    /// A session of an IAM role.
    AssumedRole {
        /// The role, with its path: `arn:aws:iam::123456789012:role/team/reader`.
        role_arn: String,
        /// The session: `arn:aws:sts::123456789012:assumed-role/reader/session`.
        session_arn: String,
    },
    /// Somebody whom an identity provider vouches for, before the role is assumed: the caller of
    /// `AssumeRoleWithWebIdentity` and `AssumeRoleWithSAML`.
    Federated {
        /// The provider's ARN, or its name, such as `cognito-identity.amazonaws.com`.
        provider: String,
    },
    /// A session that `GetFederationToken` made.
    FederatedUser {
        /// The session: `arn:aws:sts::123456789012:federated-user/name`.
        arn: String,
        /// The IAM user who asked for the session, where that is known.
        user_arn: Option<String>,
    },
    /// The account itself, signed in as its root user.
    Root {
        /// `arn:aws:iam::123456789012:root`
        arn: String,
    },
    /// An AWS service that acts for itself.
    Service {
        /// The service's principal name, such as `cloudtrail.amazonaws.com`.
        name: String,
    },
    /// An IAM user.
    User {
        /// The user, with its path: `arn:aws:iam::123456789012:user/team/alice`.
        arn: String,
    },
}

impl Principal {
    /// The principal that an ARN is of, as `GetCallerIdentity` answers it, or that of an identity provider; `None` for other
    /// ARNs.
    ///
    /// The ARN of a role session does not have the role's path: it is taken to have none. The ARN of a role, which makes no
    /// requests itself, stands for a session of it that no policy names.
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::Principal;
    ///
    /// let principal = Principal::from_arn("arn:aws:sts::123456789012:assumed-role/reader/test").unwrap();
    /// assert!(matches!(principal, Principal::AssumedRole { role_arn, .. } if role_arn == "arn:aws:iam::123456789012:role/reader"));
    /// assert_eq!(Principal::from_arn("arn:aws:s3:::bucket"), None);
    /// ```
    #[must_use]
    pub fn from_arn(text: &str) -> Option<Principal> {
        let arn = Arn::parse(text)?;
        let text = text.to_owned();
        let (kind, name) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        Some(match (arn.service, kind) {
            ("iam", "oidc-provider" | "saml-provider") => Principal::Federated { provider: text },
            ("iam", "role") if !name.is_empty() => {
                let (_, role) = name.rsplit_once('/').unwrap_or(("", name));
                // `*` is no session's name, and no `Principal` may hold one.
                let session_arn = format!("arn:{}:sts::{}:assumed-role/{role}/*", arn.partition, arn.account);
                Principal::AssumedRole { role_arn: text, session_arn }
            }
            ("iam", "root") => Principal::Root { arn: text },
            ("iam", "user") => Principal::User { arn: text },
            ("sts", "assumed-role") => {
                let (role, _) = name.split_once('/')?;
                let role_arn = format!("arn:{}:iam::{}:role/{role}", arn.partition, arn.account);
                Principal::AssumedRole { role_arn, session_arn: text }
            }
            ("sts", "federated-user") => Principal::FederatedUser { arn: text, user_arn: None },
            _ => return None,
        })
    }

    /// The ARN that AWS names the principal by in its messages; a role session's own, not the role's.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        match self {
            Principal::AssumedRole { session_arn: arn, .. }
            | Principal::FederatedUser { arn, .. }
            | Principal::Root { arn }
            | Principal::User { arn } => Some(arn),
            Principal::Anonymous | Principal::Federated { .. } | Principal::Service { .. } => None,
        }
    }

    /// The account that the principal belongs to; none for what belongs to AWS itself.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.arn().and_then(Arn::parse).map(|arn| arn.account).filter(|account| is_account_id(account))
    }
}

/// The ARN, or what stands for it: `anonymous`, the service, the identity provider.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Principal::Anonymous => "anonymous",
            Principal::Federated { provider: name } | Principal::Service { name } => name,
            other => other.arn().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_of_a_role_is_a_session_of_it_that_no_policy_names() {
        let role = "arn:aws-cn:iam::111122223333:role/team/reader";
        let session_arn = "arn:aws-cn:sts::111122223333:assumed-role/reader/*".to_owned();
        assert_eq!(
            Principal::from_arn(role),
            Some(Principal::AssumedRole { role_arn: role.to_owned(), session_arn })
        );
    }

    #[test]
    fn the_arn_of_an_identity_provider_is_of_somebody_federated() {
        let provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
        assert_eq!(
            Principal::from_arn(provider),
            Some(Principal::Federated { provider: provider.to_owned() })
        );
        assert_eq!(Principal::from_arn("arn:aws:iam::111122223333:group/admins"), None);
    }
}
