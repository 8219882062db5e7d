use std::fmt;

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};

use crate::backend::Connection;
use crate::error::Error;

/// Something that IAM keeps until it is removed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    Attached {
        role: String,
        policy_arn: String,
    },
    /// A policy of ours among those of whoever runs the tests.
    Grant {
        to: Grantee,
        policy: String,
    },
    Inline {
        role: String,
        policy: String,
    },
    Policy {
        arn: String,
    },
    Role {
        name: String,
    },
}

/// Whose inline policy lets him assume a role: by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Grantee {
    Role(String),
    User(String),
}

impl Grantee {
    /// Whoever is behind this ARN of a user, a role or a role's session.
    pub(crate) fn of(arn: &str) -> Option<Grantee> {
        let mut parts = arn.splitn(6, ':').nth(5)?.split('/');
        let kind = parts.next()?;
        let name = if kind == "assumed-role" { parts.next() } else { parts.next_back() }?.to_owned();
        match kind {
            "assumed-role" | "role" => Some(Grantee::Role(name)),
            "user" => Some(Grantee::User(name)),
            _ => None,
        }
    }
}

impl Thing {
    /// The command of the AWS CLI that removes it.
    pub(crate) fn removal(&self) -> impl fmt::Display {
        match self {
            Thing::Attached { role, policy_arn } => {
                format!("detach-role-policy --role-name {role} --policy-arn {policy_arn}")
            }
            Thing::Grant { to: Grantee::User(user), policy } => {
                format!("delete-user-policy --user-name {user} --policy-name {policy}")
            }
            Thing::Grant { to: Grantee::Role(role), policy } | Thing::Inline { role, policy } => {
                format!("delete-role-policy --role-name {role} --policy-name {policy}")
            }
            Thing::Policy { arn } => format!("delete-policy --policy-arn {arn}"),
            Thing::Role { name } => format!("delete-role --role-name {name}"),
        }
    }
}

/// Removes it; what is not there is removed.
pub(crate) async fn remove(connection: &Connection, thing: &Thing) -> Result<(), Error> {
    let iam = &connection.iam;
    match thing {
        Thing::Attached { role, policy_arn } => {
            let call = iam.detach_role_policy();
            let call = call.role_name(role).policy_arn(policy_arn);
            gone("DetachRolePolicy", role, call.send().await)
        }
        Thing::Grant { to: Grantee::User(user), policy } => {
            let call = iam.delete_user_policy();
            let call = call.user_name(user).policy_name(policy);
            gone("DeleteUserPolicy", user, call.send().await)
        }
        Thing::Grant { to: Grantee::Role(role), policy } | Thing::Inline { role, policy } => {
            let call = iam.delete_role_policy();
            let call = call.role_name(role).policy_name(policy);
            gone("DeleteRolePolicy", role, call.send().await)
        }
        Thing::Policy { arn } => {
            let delete = || iam.delete_policy().policy_arn(arn).send();
            let mut outcome = delete().await;
            // The test's own administrator may have given it another version.
            if outcome.as_ref().is_err_and(|error| is(error, "DeleteConflict")) {
                strip_versions(connection, arn).await?;
                outcome = delete().await;
            }
            gone("DeletePolicy", arn, outcome)
        }
        Thing::Role { name } => {
            let delete = || iam.delete_role().role_name(name).send();
            let mut outcome = delete().await;
            // The test's own administrator may have put more on the role than we did.
            if outcome.as_ref().is_err_and(|error| is(error, "DeleteConflict")) {
                strip(connection, name).await?;
                outcome = delete().await;
            }
            gone("DeleteRole", name, outcome)
        }
    }?;
    if let Some(place) = connection.outliving() {
        place.removed(thing);
    }
    Ok(())
}

/// Takes everything off a role that keeps it from being deleted.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html>
async fn strip(connection: &Connection, role: &str) -> Result<(), Error> {
    let iam = &connection.iam;

    let call = iam.list_instance_profiles_for_role().role_name(role).max_items(ALL);
    let listed = call.send().await;
    let listed = listed.map_err(|error| failed("ListInstanceProfilesForRole", role, error))?;
    for profile in listed.instance_profiles() {
        let name = profile.instance_profile_name();
        let call = iam.remove_role_from_instance_profile();
        let call = call.role_name(role).instance_profile_name(name);
        gone("RemoveRoleFromInstanceProfile", role, call.send().await)?;
    }

    let call = iam.list_role_policies().role_name(role).max_items(ALL);
    let listed = call.send().await;
    let listed = listed.map_err(|error| failed("ListRolePolicies", role, error))?;
    for policy in listed.policy_names() {
        let call = iam.delete_role_policy();
        let call = call.role_name(role).policy_name(policy);
        gone("DeleteRolePolicy", role, call.send().await)?;
    }

    let call = iam.list_attached_role_policies().role_name(role).max_items(ALL);
    let listed = call.send().await;
    let listed = listed.map_err(|error| failed("ListAttachedRolePolicies", role, error))?;
    for arn in listed.attached_policies().iter().filter_map(|policy| policy.policy_arn()) {
        let call = iam.detach_role_policy();
        let call = call.role_name(role).policy_arn(arn);
        gone("DetachRolePolicy", role, call.send().await)?;
    }
    Ok(())
}

/// A policy is deleted with its default version only.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html>
async fn strip_versions(connection: &Connection, arn: &str) -> Result<(), Error> {
    let iam = &connection.iam;
    let listed = iam.list_policy_versions().policy_arn(arn).send().await;
    let listed = listed.map_err(|error| failed("ListPolicyVersions", arn, error))?;
    let others = listed.versions().iter().filter(|version| !version.is_default_version());
    for version in others.filter_map(|version| version.version_id()) {
        let call = iam.delete_policy_version().policy_arn(arn).version_id(version);
        gone("DeletePolicyVersion", arn, call.send().await)?;
    }
    Ok(())
}

/// More than a role can have of anything, and as many as IAM lists at once.
const ALL: i32 = 1_000;

fn gone<T, E>(operation: &str, of: &str, outcome: Result<T, SdkError<E>>) -> Result<(), Error>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match outcome {
        Ok(_) => Ok(()),
        Err(error) if is(&error, "NoSuchEntity") => Ok(()),
        Err(error) => Err(failed(operation, of, error)),
    }
}

fn failed<E>(operation: &str, of: &str, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    Error::call(format_args!("`{operation}` of `{of}`"), error)
}

/// Whether this is IAM's error of that name, which the query protocol writes without `Exception`; some emulators add it.
pub(super) fn is<E: ProvideErrorMetadata>(error: &SdkError<E>, name: &str) -> bool {
    error.code().is_some_and(|code| code.strip_suffix("Exception").unwrap_or(code) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_for_the_user_or_for_the_role_behind_a_session() {
        let role = || Some(Grantee::Role("ci".to_owned()));
        for (arn, grantee) in [
            ("arn:aws:iam::123456789012:user/team/alice", Some(Grantee::User("alice".to_owned()))),
            ("arn:aws:iam::123456789012:role/team/ci", role()),
            ("arn:aws:sts::123456789012:assumed-role/ci/run-1", role()),
            ("arn:aws:iam::123456789012:root", None),
        ] {
            assert_eq!(Grantee::of(arn), grantee, "{arn}");
        }
    }
}
