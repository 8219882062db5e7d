//! The administrator as a role, where the credentials at hand are somebody else's: a CI runner's, another account's.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_types::SdkConfig;

use super::{Place, unanswered};
use crate::error::{Error, ErrorKind};
use crate::mode::RoleArn;

/// The configuration with the role's identity, in which the SDK renews the session before it ends.
pub(super) async fn assumed(place: &Place, base: SdkConfig, arn: &str) -> Result<SdkConfig, Error> {
    if let Place::Aws { account } = place
        && RoleArn::parse(arn).is_none_or(|role| role.account != account)
    {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("the administrator's role `{arn}` is not of account {account}, the only one that the tests may use"),
        )
        .note("nothing was created")
        .note("help: correct `IAM_FIXTURE_ADMIN_ROLE`, or `IAM_FIXTURE_ACCOUNT`"));
    }
    let role =
        AdminRole { sts: aws_sdk_sts::Client::new(&base), arn: arn.to_owned(), first: Mutex::default() };
    let first = role.assume().await.map_err(|error| {
        let what = format!("`AssumeRole` of `{arn}` (`IAM_FIXTURE_ADMIN_ROLE`)");
        let is_answer = matches!(error, SdkError::ServiceError(_));
        let error = unanswered(place, &what, error);
        if is_answer {
            error.note(
                "help: the role's trust policy must name whoever is signed in, who must be allowed to call `sts:AssumeRole` on it",
            )
        } else {
            error
        }
    })?;
    *role.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(first);
    Ok(base.into_builder().credentials_provider(SharedCredentialsProvider::new(role)).build())
}

#[derive(Debug)]
struct AdminRole {
    sts: aws_sdk_sts::Client,
    arn: String,
    /// Of the call that showed that there are any.
    first: Mutex<Option<Credentials>>,
}

impl AdminRole {
    async fn assume(&self) -> Result<Credentials, SdkError<AssumeRoleError>> {
        let call = self.sts.assume_role().role_arn(&self.arn).role_session_name("iam-fixture");
        let output = call.send().await?;
        let credentials = output
            .credentials()
            .ok_or_else(|| SdkError::construction_failure("the answer has no credentials"))?;
        Ok(Credentials::new(
            credentials.access_key_id(),
            credentials.secret_access_key(),
            Some(credentials.session_token().to_owned()),
            SystemTime::try_from(*credentials.expiration()).ok(),
            "IAM_FIXTURE_ADMIN_ROLE",
        ))
    }
}

impl ProvideCredentials for AdminRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(first) => future::ProvideCredentials::ready(Ok(first)),
            None => future::ProvideCredentials::new(async {
                self.assume().await.map_err(CredentialsError::provider_error)
            }),
        }
    }
}
