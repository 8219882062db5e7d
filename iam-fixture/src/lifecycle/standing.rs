//! Roles that stand already: what they may do, and their sessions, asked once for all tests of a process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use iam_policy::{Policy, PolicyKind, PolicySet, Source};
use percent_encoding::percent_decode_str;
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use super::{Boundary, Plan, SignedIn};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind};
use crate::mode::RoleArn;

/// What the tests of a connection share.
#[derive(Default)]
pub(crate) struct Standing {
    /// Held while the role of sessions is being made.
    pub(super) making: AsyncMutex<()>,
    /// By ARN. A failure is kept too: two hundred tests need not be refused one after the other.
    policies: Once<Policy>,
    roles: Once<Arc<RolePolicies>>,
    /// By the role, and by all that the session is made of.
    sessions: Mutex<HashMap<String, Arc<SharedSession>>>,
}

/// What is asked once for each key.
type Once<T> = Mutex<BTreeMap<String, Answer<T>>>;
type Answer<T> = Arc<OnceCell<Result<T, Error>>>;

/// A session that tests share.
#[derive(Default)]
pub(super) struct SharedSession {
    /// Whether the role may do exactly what the policies under test allow.
    pub(super) compared: OnceCell<Result<(), Error>>,
    pub(super) signed_in: AsyncMutex<Option<SignedIn>>,
}

/// The policies on a role.
pub(super) struct RolePolicies {
    pub(super) policies: PolicySet,
}

impl Standing {
    /// The policies of a role of this account.
    pub(super) async fn role(connection: &Connection, arn: &str) -> Result<Arc<RolePolicies>, Error> {
        let cell = entry(&connection.standing.roles, arn);
        cell.get_or_init(async || RolePolicies::read(connection, arn).await.map(Arc::new)).await.clone()
    }

    pub(super) fn session(&self, key: String) -> Arc<SharedSession> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.entry(key).or_default().clone()
    }
}

impl Plan {
    /// The policies under test, with the documents of managed ones.
    pub(super) async fn policies_with_managed(&self, connection: &Connection) -> Result<PolicySet, Error> {
        let mut identity = self.inline.clone();
        for arn in &self.managed {
            identity.push(managed(connection, arn).await?);
        }
        let boundary = match &self.boundary {
            Some(Boundary::Arn(arn)) => Some(managed(connection, arn).await?),
            Some(Boundary::Document(policy)) => Some(policy.clone()),
            None => None,
        };
        Ok(PolicySet {
            identity: identity.into(),
            boundary: boundary.into_iter().collect(),
            ..PolicySet::default()
        })
    }
}

impl RolePolicies {
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>
    async fn read(connection: &Connection, arn: &str) -> Result<RolePolicies, Error> {
        let RoleArn { account, name } =
            RoleArn::parse(arn).ok_or_else(|| refused(arn, "it is no role's ARN"))?;
        if account != connection.account {
            return Err(refused(
                arn,
                &format!("it is not in account {}, where the tests run", connection.account),
            ));
        }
        let iam = &connection.iam;
        let output = iam.get_role().role_name(name).send().await;
        let output = output.map_err(|error| failed("GetRole", name, error))?;
        let role = output.role().ok_or_else(|| refused(arn, "`GetRole` answered without it"))?;
        if role.arn() != arn {
            return Err(refused(arn, &format!("the role of that name is `{}`", role.arn())));
        }
        let mut identity = Vec::new();
        let listed = iam.list_role_policies().role_name(name).into_paginator().items().send();
        let listed = listed.collect::<Result<Vec<_>, _>>().await;
        for policy in listed.map_err(|error| failed("ListRolePolicies", name, error))? {
            let output = iam.get_role_policy().role_name(name).policy_name(&policy).send().await;
            let output = output.map_err(|error| failed("GetRolePolicy", name, error))?;
            let shown = format!("policy {policy} of role {name}");
            identity.push(parsed(shown, output.policy_document(), PolicyKind::Identity)?);
        }
        let attached = iam.list_attached_role_policies().role_name(name).into_paginator().items().send();
        let attached = attached.collect::<Result<Vec<_>, _>>().await;
        let attached = attached.map_err(|error| failed("ListAttachedRolePolicies", name, error))?;
        for arn in attached.iter().filter_map(|policy| policy.policy_arn()) {
            identity.push(managed(connection, arn).await?);
        }
        let boundary = role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
        let boundary = match boundary {
            Some(arn) => Some(managed(connection, arn).await?),
            None => None,
        };
        let boundary = boundary.into_iter().collect();
        Ok(RolePolicies {
            policies: PolicySet { identity: identity.into(), boundary, ..PolicySet::default() },
        })
    }
}

/// The document of a managed policy, as it stands now.
async fn managed(connection: &Connection, arn: &str) -> Result<Policy, Error> {
    let cell = entry(&connection.standing.policies, arn);
    cell.get_or_init(|| read_managed(connection, arn)).await.clone()
}

async fn read_managed(connection: &Connection, arn: &str) -> Result<Policy, Error> {
    let iam = &connection.iam;
    let output = iam.get_policy().policy_arn(arn).send().await;
    let output = output.map_err(|error| failed("GetPolicy", arn, error))?;
    let version = output.policy().and_then(|policy| policy.default_version_id()).unwrap_or_default();
    let output = iam.get_policy_version().policy_arn(arn).version_id(version).send().await;
    let output = output.map_err(|error| failed("GetPolicyVersion", arn, error))?;
    let document = output.policy_version().and_then(|version| version.document()).unwrap_or_default();
    parsed(arn.to_owned(), document, PolicyKind::Identity)
}

/// A document as IAM answers it, percent-encoded.
fn parsed(name: String, document: &str, kind: PolicyKind) -> Result<Policy, Error> {
    let text = percent_decode_str(document).decode_utf8_lossy();
    Policy::parse(Source::new(name, text), kind).map_err(|problems| {
        Error::new(
            ErrorKind::Policy,
            format!("a policy that stands in the account cannot be read\n{problems}"),
        )
        .caused_by(problems)
    })
}

fn entry<T>(map: &Once<T>, key: &str) -> Answer<T> {
    let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
    map.entry(key.to_owned()).or_default().clone()
}

fn refused(arn: &str, why: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("role `{arn}` cannot be used: {why}"))
        .note("nothing was created")
}

fn failed<E>(operation: &str, of: &str, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    Error::call(format_args!("`{operation}` of `{of}`"), error)
        .note("nothing was created")
        .note(format!("help: to compare the role's policies with those under test, whoever runs the tests needs `iam:{operation}`"))
}
