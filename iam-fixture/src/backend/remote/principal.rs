//! Whom a role's trust policy has to name, so that the caller can assume it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use crate::error::{Error, ErrorKind};

/// Who calls, by what `GetCallerIdentity` answers.
#[derive(Debug, PartialEq)]
pub(super) enum Caller<'a> {
    Federated,
    Root,
    /// A session of a role: the role's name, without its path.
    Session {
        role: &'a str,
    },
    User,
}

impl Caller<'_> {
    pub(super) fn of(arn: &str) -> Caller<'_> {
        let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
        let mut parts = resource.split('/');
        match (parts.next(), parts.next()) {
            (Some("assumed-role"), Some(role)) => Caller::Session { role },
            (Some("federated-user"), Some(_)) => Caller::Federated,
            (Some("root"), None) => Caller::Root,
            _ => Caller::User,
        }
    }

    /// Refuses who can never assume a role on AWS.
    ///
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
    pub(super) fn check(&self, arn: &str) -> Result<(), Error> {
        let why = match self {
            Caller::Federated => "credentials of `GetFederationToken` may call neither IAM nor `AssumeRole`",
            Caller::Root => "AWS lets no role be assumed by an account's root user",
            Caller::Session { .. } | Caller::User => return Ok(()),
        };
        Err(Error::new(
            ErrorKind::Configuration,
            format!("you are signed in as `{arn}`, who cannot run the tests: {why}"),
        )
        .note("nothing was created")
        .note("help: sign in as a role or as an IAM user"))
    }
}

/// The principal to trust. A session is known by its role, whose path only IAM tells; a trust policy that names the session
/// itself would not hold for the caller's next one.
pub(super) async fn of(iam: &aws_sdk_iam::Client, arn: &str) -> String {
    let Caller::Session { role } = Caller::of(arn) else { return arn.to_owned() };
    match iam.get_role().role_name(role).send().await {
        Ok(output) => output.role().map_or(arn, |role| role.arn()).to_owned(),
        // Who may not read the own role can still be trusted for as long as this session lasts.
        Err(_) => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use iam_endpoint::Endpoint;

    use super::*;
    use crate::backend::Backend;
    use crate::role::TemporaryRole;

    #[test]
    fn callers_are_told_by_their_arn() {
        for (arn, caller) in [
            ("arn:aws:iam::123456789012:user/team/alice", Caller::User),
            ("arn:aws-cn:iam::123456789012:root", Caller::Root),
            ("arn:aws:sts::123456789012:federated-user/bob", Caller::Federated),
            (
                "arn:aws-us-gov:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123/alice@example.com",
                Caller::Session { role: "AWSReservedSSO_Admin_0123" },
            ),
        ] {
            assert_eq!(Caller::of(arn), caller, "{arn}");
        }
    }

    #[test]
    fn whoever_can_never_assume_a_role_is_told_so_before_anything_is_created() {
        for arn in ["arn:aws:iam::123456789012:root", "arn:aws:sts::123456789012:federated-user/bob"] {
            let error = Caller::of(arn).check(arn).expect_err("it would fail later").to_string();
            assert!(error.starts_with(&format!("you are signed in as `{arn}`")), "{error}");
            assert!(error.contains("nothing was created"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_session_is_known_by_its_role_with_the_role_s_path() {
        let backend = Backend::of_endpoint(Endpoint::new());
        let reads_itself = r#"{"Version": "2012-10-17", "Statement":
            {"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}}"#;
        let admin = TemporaryRole::builder().policy(reads_itself).backend(backend.clone()).create().await;
        let admin = admin.expect("a role");
        let iam = aws_sdk_iam::Client::new(admin.config());
        assert_eq!(of(&iam, admin.session_arn()).await, admin.arn());
        assert!(admin.arn().contains(":role/iam-fixture/"), "{}", admin.arn());

        let other = TemporaryRole::builder().backend(backend).create().await.expect("a role");
        let iam = aws_sdk_iam::Client::new(other.config());
        assert_eq!(of(&iam, other.session_arn()).await, other.session_arn());
        let user = "arn:aws:iam::123456789012:user/administrator";
        assert_eq!(of(&iam, user).await, user);
    }
}
