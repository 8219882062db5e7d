//! The parts of a request that people write: checked before they are asked about.

use iam_policy::{Arn, PolicyKind, Principal};

/// Names of identity providers that AWS knows without an ARN; all other names with a dot are of services.
///
/// See [Principal](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-federated-web-identity).
const WEB_IDENTITY_PROVIDERS: [&str; 4] =
    ["accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"];

/// The principal that a text names: an ARN, a service (`lambda.amazonaws.com`), an identity provider, or `*` for nobody.
pub(crate) fn principal(text: &str) -> Result<Principal, String> {
    if matches!(text, "*" | "anonymous") {
        return Ok(Principal::Anonymous);
    }
    if WEB_IDENTITY_PROVIDERS.contains(&text) {
        return Ok(Principal::Federated { provider: text.to_owned() });
    }
    let is_service = text.contains('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if is_service {
        return Ok(Principal::Service { name: text.to_owned() });
    }
    Principal::from_arn(text).ok_or_else(|| {
        format!(
            "`{text}` is no principal: write the ARN of a user, a role, a role's session, a federated user, an identity \
             provider or `arn:aws:iam::ACCOUNT:root`, a service such as `lambda.amazonaws.com`, or `*` for nobody"
        )
    })
}

/// The principal, with what its ARN does not tell: a session's role with its path, or a federated session's user.
pub(crate) fn behind(
    principal: Principal,
    role: Option<&str>,
    user: Option<&str>,
) -> Result<Principal, String> {
    match (principal, role, user) {
        (principal, None, None) => Ok(principal),
        (Principal::AssumedRole { session_arn, .. }, Some(role), None) => {
            let is_same = is_of(role, "role", |arn, name| {
                Arn::parse(&session_arn).is_some_and(|session| {
                    let named = session.resource.split('/').nth(1);
                    session.account == arn.account && named == name.rsplit('/').next()
                })
            });
            if !is_same {
                return Err(format!("`{role}` is not the ARN of the role of `{session_arn}`"));
            }
            Ok(Principal::AssumedRole { role_arn: role.to_owned(), session_arn })
        }
        (Principal::FederatedUser { arn, .. }, None, Some(user)) => {
            let account = Arn::parse(&arn).map(|arn| arn.account.to_owned());
            if !is_of(user, "user", |user, _| Some(user.account) == account.as_deref()) {
                return Err(format!("`{user}` is not the ARN of a user of the account of `{arn}`"));
            }
            Ok(Principal::FederatedUser { arn, user_arn: Some(user.to_owned()) })
        }
        (principal, ..) => Err(format!(
            "`{principal}` has none: only a role's session has a role, and only a federated user's has a user"
        )),
    }
}

/// Whether a text is the ARN of an IAM role or user, and such a one.
fn is_of(text: &str, kind: &str, such: impl Fn(&Arn<'_>, &str) -> bool) -> bool {
    let Some(arn) = Arn::parse(text).filter(|arn| arn.service == "iam") else { return false };
    arn.resource.split_once('/').is_some_and(|(of, name)| of == kind && such(&arn, name))
}

/// An action that can be asked for: one, with its service.
pub(crate) fn action(text: &str) -> Result<String, String> {
    let is_action = text.split_once(':').is_some_and(|(service, name)| {
        let good = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        good(service) && good(name)
    });
    if !is_action {
        return Err(format!("`{text}` is not one action: write `service:Action`, such as `s3:GetObject`"));
    }
    Ok(text.to_owned())
}

/// A resource that can be asked for.
pub(crate) fn resource(text: &str) -> Result<String, String> {
    if text != "*" && Arn::parse(text).is_none() {
        return Err(format!(
            "`{text}` is not an ARN: write one, or `*` for an action that acts on no resource"
        ));
    }
    Ok(text.to_owned())
}

/// The id of an AWS account.
pub(crate) fn account(text: &str) -> Result<String, String> {
    if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{text}` is not an account id: it has twelve digits"));
    }
    Ok(text.to_owned())
}

/// What the own policy of a resource is: a role's is its trust policy.
pub(crate) fn kind_of_resource_policy(resource: &str) -> PolicyKind {
    let is_role =
        Arn::parse(resource).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/"));
    if is_role { PolicyKind::Trust } else { PolicyKind::Resource }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/reader/test";

    #[test]
    fn names_without_an_arn_are_services_providers_or_nobody() {
        let name = |name: &str| principal(name).unwrap();
        assert_eq!(name("*"), Principal::Anonymous);
        assert_eq!(name("lambda.amazonaws.com"), Principal::Service { name: "lambda.amazonaws.com".into() });
        assert!(matches!(name("cognito-identity.amazonaws.com"), Principal::Federated { .. }));
        for wrong in ["", "alice", "111122223333", "arn:aws:s3:::bucket", "arn:aws:iam::1:group/x", "a b.c"] {
            assert!(principal(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_role_of_a_session_has_its_name_and_account() {
        let with = |role: &str| behind(principal(SESSION).unwrap(), Some(role), None);
        assert!(matches!(
            with("arn:aws:iam::111122223333:role/team/reader"),
            Ok(Principal::AssumedRole { role_arn, .. }) if role_arn.ends_with("role/team/reader")
        ));
        for wrong in [
            "reader",
            "arn:aws:iam::111122223333:role/writer",
            "arn:aws:iam::444455556666:role/reader",
            "arn:aws:iam::111122223333:user/reader",
        ] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
        let user = principal("arn:aws:iam::111122223333:user/reader").unwrap();
        assert!(behind(user, Some("arn:aws:iam::111122223333:role/reader"), None).is_err());
    }

    #[test]
    fn patterns_are_not_actions() {
        assert!(action("s3:GetObject").is_ok());
        for wrong in
            ["", "*", "s3", "s3:", ":GetObject", "s3:Get*", "s3:GetObjec?", "s3:a:b", "s3:Get Object"]
        {
            assert!(action(wrong).is_err(), "{wrong}");
        }
    }
}
