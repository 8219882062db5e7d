//! AWS managed policies, with their documents, as AWS publishes them.
//!
//! ```
//! let policy = iam_policy::managed::find("ReadOnlyAccess").expect("AWS publishes it");
//! assert_eq!(policy.arn("aws"), "arn:aws:iam::aws:policy/ReadOnlyAccess");
//! assert!(policy.document().starts_with(r#"{"Version":"2012-10-17","Statement":["#));
//! ```
//!
//! The data is a text of a line per policy (`data/generate.py` writes it and says what is in it). It is searched, not
//! parsed: a look-up reads about ten lines of it.
//!
//! See <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html>.

use std::fmt;

use crate::near::near;
use crate::records;

static POLICIES: &str = include_str!("../data/managed-policies.txt");

/// The AWS managed policy of this name or ARN.
///
/// Names are case-sensitive. An ARN may be of any partition (`arn:aws-cn:iam::aws:policy/…`), and has the policy's path
/// (`…:policy/job-function/ViewOnlyAccess`).
///
/// # Examples
///
/// ```
/// use iam_policy::managed;
///
/// assert!(managed::find("ViewOnlyAccess").is_some());
/// assert!(managed::find("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess").is_some());
/// assert!(managed::find("arn:aws:iam::aws:policy/ViewOnlyAccess").is_none());
/// ```
#[must_use]
pub fn find(name_or_arn: &str) -> Option<ManagedPolicy> {
    let name = name_or_arn.rsplit('/').next()?;
    let policy = ManagedPolicy { line: records::find(POLICIES, '\n', name)? };
    (policy.name() == name_or_arn || policy.has_arn(name_or_arn)).then_some(policy)
}

/// All AWS managed policies, by name.
pub fn all() -> impl Iterator<Item = ManagedPolicy> {
    records::all(POLICIES, '\n').map(|line| ManagedPolicy { line })
}

/// Names of managed policies that look like this name or ARN, best first.
///
/// # Examples
///
/// ```
/// assert_eq!(iam_policy::managed::near_names("ReadonlyAcess"), ["ReadOnlyAccess"]);
/// ```
#[must_use]
pub fn near_names(name_or_arn: &str) -> Vec<&'static str> {
    let name = name_or_arn.rsplit('/').next().unwrap_or_default();
    near(name, records::all(POLICIES, '\n').map(records::name_of))
}

/// A policy that AWS wrote and keeps, in its default version.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ManagedPolicy {
    line: &'static str,
}

impl ManagedPolicy {
    /// Its name: `ViewOnlyAccess`.
    #[must_use]
    pub fn name(self) -> &'static str {
        records::name_of(self.line)
    }

    /// Its path, which begins and ends with a slash: `/job-function/`.
    #[must_use]
    pub fn path(self) -> &'static str {
        records::field(self.line, 1)
    }

    /// Its ARN in a partition: `arn:aws:iam::aws:policy/job-function/ViewOnlyAccess` in `aws`.
    #[must_use]
    pub fn arn(self, partition: &str) -> String {
        format!("arn:{partition}:iam::aws:policy{}{}", self.path(), self.name())
    }

    /// The id of its default version: `v1`.
    #[must_use]
    pub fn version(self) -> &'static str {
        records::field(self.line, 2)
    }

    /// The document of its default version: JSON without white space.
    #[must_use]
    pub fn document(self) -> &'static str {
        records::field(self.line, 3)
    }
}

impl ManagedPolicy {
    fn has_arn(self, arn: &str) -> bool {
        let partition = arn.split(':').nth(1).unwrap_or_default();
        partition.starts_with("aws") && self.arn(partition) == arn
    }
}

impl fmt::Debug for ManagedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedPolicy")
            .field("name", &self.name())
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Policy, PolicyKind};

    #[test]
    fn every_policy_is_found_by_its_name_and_its_arn_in_every_partition() {
        assert_eq!(all().count(), 1582);
        assert!(POLICIES.is_ascii());
        for policy in all() {
            assert_eq!(find(policy.name()), Some(policy));
            for partition in ["aws", "aws-cn", "aws-us-gov", "aws-eusc"] {
                assert_eq!(find(&policy.arn(partition)), Some(policy));
            }
        }
    }

    #[test]
    fn every_policy_is_a_valid_identity_policy() {
        for policy in all() {
            let parsed = Policy::parse(policy.document(), PolicyKind::Identity);
            assert!(parsed.is_ok(), "{}\n{}", policy.name(), parsed.unwrap_err());
        }
    }

    #[test]
    fn a_policy_has_what_aws_says_of_it() {
        let policy = find("AdministratorAccess").unwrap();
        assert_eq!(policy.path(), "/");
        assert_eq!(policy.version(), "v1");
        assert_eq!(
            policy.document(),
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#
        );
        let lambda = find("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole").unwrap();
        assert_eq!(lambda.name(), "AWSLambdaBasicExecutionRole");
        assert!(lambda.document().contains("logs:PutLogEvents"));
    }

    #[test]
    fn another_case_another_path_or_another_account_is_another_policy() {
        for name in [
            "administratoraccess",
            "AdministratorAcces",
            "policy/AdministratorAccess",
            "arn:aws:iam::aws:policy/service-role/AdministratorAccess",
            "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole",
            "arn:aws:iam::111122223333:policy/AdministratorAccess",
            "arn:gcp:iam::aws:policy/AdministratorAccess",
            "",
        ] {
            assert_eq!(find(name), None, "{name}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_recognized() {
        assert_eq!(near_names("administratoracces").first(), Some(&"AdministratorAccess"));
        assert_eq!(
            near_names("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole").first(),
            Some(&"AWSLambdaBasicExecutionRole")
        );
        assert_eq!(near_names("platform-reader"), [""; 0]);
    }
}
