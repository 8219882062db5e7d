//! Does the endpoint enforce policies at all? A test that sees no denial there proves nothing.

use std::sync::Arc;

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::list_roles::{ListRolesError, ListRolesOutput};
use iam_policy::{Policy, PolicyKind};

use crate::backend::Connection;
use crate::error::{Error, ErrorKind};
use crate::lifecycle::{Guard, Lease, Plan, Session, Term, provision};

/// How the emulators that people run are told to enforce.
const SWITCHES: [&str; 3] = [
    "ministack: start it with `AUTH=true`",
    "moto_server: make an administrator's user and access key, put the key into `AWS_ACCESS_KEY_ID` and \
     `AWS_SECRET_ACCESS_KEY`, and then POST `0` as text/plain to `/moto-api/reset-auth`; or set \
     `INITIAL_NO_AUTH_ACTION_COUNT` to the number of calls that make them",
    "LocalStack: start it with `ENFORCE_IAM=1`",
];

/// A role without permissions must be refused, and one with all of them must not.
pub(super) async fn check(connection: &Arc<Connection>, url: &str) -> Result<(), Error> {
    match attempt(connection, "without-permissions", None).await? {
        Err(error) if is_denial(&error) => {}
        Ok(_) => {
            return Err(not_enforced(format!(
                "`{url}` does not enforce policies: a role without permissions may list the account's roles"
            )));
        }
        Err(error) => {
            let error = Error::call("`ListRoles` by a role without permissions", error);
            return Err(not_enforced(format!(
                "`{url}` does not enforce policies: {error}, which is no denial"
            )));
        }
    }
    let everything =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    match attempt(connection, "with-all-permissions", Some(everything)).await? {
        Ok(_) => Ok(()),
        Err(error) => {
            let error = Error::call("`ListRoles` by a role with all permissions", error);
            Err(not_enforced(format!("`{url}` does not enforce policies as AWS does: {error}")))
        }
    }
}

async fn attempt(
    connection: &Arc<Connection>,
    name: &str,
    policy: Option<&str>,
) -> Result<Result<ListRolesOutput, SdkError<ListRolesError>>, Error> {
    let policy = policy.map(|text| Policy::parse(text, PolicyKind::Identity)).transpose();
    let policy = policy.map_err(|error| Error::new(ErrorKind::Policy, error.to_string()))?;
    let term = Term::of(connection.lease()?, None)?;
    let named = Plan::named(name);
    let plan = Plan {
        lease: term.lease,
        inline: policy.into_iter().collect(),
        session: Session { duration: term.session, ..named.session },
        ..named
    };
    let guard = Guard(Lease::new(connection.clone(), plan));
    let signed_in = provision(guard.0.clone()).await?;
    let config = connection.signed_in(signed_in.credentials);
    let outcome = aws_sdk_iam::Client::new(&config).list_roles().max_items(1).send().await;
    guard.0.end_or_print().await;
    Ok(outcome)
}

fn is_denial(error: &SdkError<ListRolesError>) -> bool {
    match (error.code(), error.raw_response()) {
        (Some(code), _) => code == "AccessDenied",
        // moto_server words IAM's errors in EC2's form, which the SDK does not read.
        (None, Some(response)) => {
            let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
            response.status().as_u16() == 403 && body.contains("<Code>AccessDenied</Code>")
        }
        (None, None) => false,
    }
}

fn not_enforced(message: String) -> Error {
    let error = Error::new(ErrorKind::NotEnforced, message);
    SWITCHES
        .iter()
        .fold(error, |error, switch| error.note(format!("help: {switch}")))
        .note("the roles of this check were removed")
}
