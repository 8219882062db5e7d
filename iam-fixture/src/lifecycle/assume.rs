//! `AssumeRole`, as every mode calls it.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_iam::error::SdkError;
use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_sdk_sts::operation::assume_role::{AssumeRoleError, AssumeRoleOutput};

use super::remove::is;
use super::{Plan, SignedIn};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind};

/// The call as the plan's session is to be.
pub(super) fn call(
    connection: &Connection,
    plan: &Plan,
    role_arn: &str,
) -> Result<AssumeRoleFluentBuilder, Error> {
    let session = &plan.session;
    let call = connection.sts.assume_role().role_arn(role_arn).role_session_name(&session.name);
    let policy = session.policy.as_ref().map(|policy| connection.text_of(policy).into_owned());
    Ok(call.set_policy(policy).set_duration_seconds(session.duration.map(seconds).transpose()?))
}

pub(super) fn signed_in(role_arn: String, output: &AssumeRoleOutput) -> Result<SignedIn, Error> {
    let (Some(credentials), Some(user)) = (output.credentials(), output.assumed_role_user()) else {
        let message = format!("`AssumeRole` of `{role_arn}` answered without credentials");
        return Err(Error::new(ErrorKind::Call, message));
    };
    Ok(SignedIn {
        session_arn: user.arn().to_owned(),
        credentials: Credentials::new(
            credentials.access_key_id(),
            credentials.secret_access_key(),
            Some(credentials.session_token().to_owned()),
            SystemTime::try_from(*credentials.expiration()).ok(),
            "iam-fixture",
        ),
        role_arn,
        is_shared: false,
        ready_after: Duration::ZERO,
    })
}

/// A call that failed, with what to do about it.
pub(super) fn failed(role: &str, error: SdkError<AssumeRoleError>) -> Error {
    let help = match () {
        () if is(&error, "PackedPolicyTooLarge") => {
            "help: session policies and session tags are packed together, and AWS does not document how; fewer or shorter ones \
             fit, and so does a role of the test's own (`IAM_FIXTURE_MODE=role`)"
        }
        () if is(&error, "AccessDenied") => {
            "help: the role's trust policy must name whoever runs the tests, whose own policies must not deny `sts:AssumeRole` \
             on it; in another account they must allow it"
        }
        () => return Error::call(format_args!("`AssumeRole` of `{role}`"), error),
    };
    let kind = if is(&error, "PackedPolicyTooLarge") { ErrorKind::SessionPolicy } else { ErrorKind::Call };
    Error::call(format_args!("`AssumeRole` of `{role}`"), error).of_kind(kind).note(help)
}

pub(super) fn seconds(duration: Duration) -> Result<i32, Error> {
    i32::try_from(duration.as_secs()).map_err(|_| {
        Error::new(
            ErrorKind::Configuration,
            format!("a session of {duration:?} is not possible: AWS allows 15 minutes to 12 hours"),
        )
    })
}
