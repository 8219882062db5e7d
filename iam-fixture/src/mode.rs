use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};

/// How a test gets its role; [`Role`](Mode::Role) unless `IAM_FIXTURE_MODE` or
/// [`mode`](crate::TemporaryRoleBuilder::mode) says otherwise.
///
/// ```
/// use iam_fixture::{Mode, TemporaryRole};
///
/// let builder = TemporaryRole::builder().mode(Mode::SessionOrRole);
/// assert_eq!("session-or-role".parse::<Mode>()?, Mode::SessionOrRole);
/// # let _ = builder;
/// # Ok::<(), iam_fixture::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Nothing is created: the test runs as the role with this ARN, whose policies must allow exactly what the policies under
    /// test do; otherwise the test fails with the difference. Its sessions are shared by the tests of a process.
    Existing(String),
    /// A temporary role for each test.
    #[default]
    Role,
    /// One role with all permissions for all tests, made once and then kept, and a session of it for each test with the policies
    /// under test as session policies: one call, and nothing to wait for. What cannot be a session policy is refused.
    ///
    /// A session is not a role: a resource-based policy that grants to the role's ARN does not go past a session policy, while
    /// one that grants to the session's ARN does. The embedded endpoint tells: a call that is denied for this alone is no denial
    /// but `SessionNotEvaluable`, with the statement that grants. Elsewhere nobody can read all resource-based policies.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session>
    Session,
    /// As [`Session`](Mode::Session); what cannot be a session policy gets a role of its own.
    SessionOrRole,
}

impl FromStr for Mode {
    type Err = Error;

    /// Reads `role`, `session`, `session-or-role` or `existing:ARN`.
    fn from_str(text: &str) -> Result<Mode, Error> {
        match text {
            "role" => Ok(Mode::Role),
            "session" => Ok(Mode::Session),
            "session-or-role" => Ok(Mode::SessionOrRole),
            _ => match text.strip_prefix("existing:") {
                Some(arn) => role_arn(arn).map(|arn| Mode::Existing(arn.to_owned())),
                None => Err(Error::new(ErrorKind::Configuration, format!("`{text}` is not a mode")).note(
                    "help: a mode is `role`, `session`, `session-or-role`, or `existing:` with a role's ARN",
                )),
            },
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mode::Existing(arn) => write!(f, "existing:{arn}"),
            Mode::Role => f.write_str("role"),
            Mode::Session => f.write_str("session"),
            Mode::SessionOrRole => f.write_str("session-or-role"),
        }
    }
}

/// Whether a role stays when its test has ended, to be looked at: `IAM_FIXTURE_KEEP`, or
/// [`keep`](crate::TemporaryRoleBuilder::keep).
///
/// Of a role that stays, a command that signs in as it is printed. It is no longer the process's to remove, but its lease ends as
/// any other's, and a sweep removes it then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keep {
    /// It stays.
    Always,
    /// It goes.
    #[default]
    Never,
    /// It stays if the test panicked or, under the attribute, returned an error.
    OnFailure,
}

impl Keep {
    /// Whether a role stays after a test that failed, or did not.
    pub(crate) fn is_kept(self, failed: bool) -> bool {
        match self {
            Keep::Always => true,
            Keep::Never => false,
            Keep::OnFailure => failed,
        }
    }
}

impl FromStr for Keep {
    type Err = Error;

    /// Reads `always`, `never` or `failure`.
    fn from_str(text: &str) -> Result<Keep, Error> {
        match text {
            "always" => Ok(Keep::Always),
            "failure" => Ok(Keep::OnFailure),
            "never" => Ok(Keep::Never),
            _ => Err(Error::new(
                ErrorKind::Configuration,
                format!("`{text}` does not say what to keep: it is `never`, `failure` or `always`"),
            )),
        }
    }
}

/// The ARN of a role, checked as far as its form goes.
pub(crate) fn role_arn(text: &str) -> Result<&str, Error> {
    let arn = RoleArn::parse(text).map(|_| text);
    arn.ok_or_else(|| {
        Error::new(ErrorKind::Configuration, format!("`{text}` is not a role's ARN"))
            .note("help: it looks like `arn:aws:iam::123456789012:role/path/name`")
    })
}

/// What a role's ARN says.
#[cfg_attr(
    not(any(feature = "network", test)),
    expect(dead_code, reason = "without the network nobody looks for the role")
)]
#[derive(Clone, Copy)]
pub(crate) struct RoleArn<'a> {
    pub(crate) account: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> RoleArn<'a> {
    pub(crate) fn parse(arn: &'a str) -> Option<RoleArn<'a>> {
        let (start, resource) = arn.split_once("::")?;
        let (account, role) = resource.split_once(":role/")?;
        let (partition, service) = start.strip_prefix("arn:")?.split_once(':')?;
        let name = role.rsplit('/').next()?;
        let is_one = !partition.is_empty() && service == "iam" && !name.is_empty();
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        (is_one && is_account).then_some(RoleArn { account, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_reads_as_it_is_written() {
        for text in
            ["role", "session", "session-or-role", "existing:arn:aws-cn:iam::123456789012:role/team/reader"]
        {
            let mode: Mode = text.parse().expect("it is a mode");
            assert_eq!(mode.to_string(), text);
        }
        let error = "sessions".parse::<Mode>().expect_err("it is none").to_string();
        assert!(error.starts_with("`sessions` is not a mode\n  help: a mode is `role`"), "{error}");
    }

    #[test]
    fn an_existing_role_is_named_by_its_arn() {
        for text in [
            "",
            "reader",
            "arn:aws:iam::1:role/r",
            "arn:aws:iam::123456789012:user/u",
            "arn:aws:iam::123456789012:role/",
        ] {
            let error = format!("existing:{text}").parse::<Mode>().expect_err("no role").to_string();
            assert!(error.starts_with(&format!("`{text}` is not a role's ARN")), "{error}");
        }
        let arn = RoleArn::parse("arn:aws:iam::123456789012:role/a/b/c").expect("a role");
        assert_eq!((arn.account, arn.name), ("123456789012", "c"));
    }

    #[test]
    fn what_is_kept_is_kept_by_how_the_test_ended() {
        let kept = |keep: Keep| [false, true].map(|failed| keep.is_kept(failed));
        assert_eq!(
            [Keep::Always, Keep::Never, Keep::OnFailure].map(kept),
            [[true, true], [false, false], [false, true]]
        );
        assert_eq!("failure".parse::<Keep>().ok(), Some(Keep::OnFailure));
        assert!("sometimes".parse::<Keep>().is_err());
    }
}
