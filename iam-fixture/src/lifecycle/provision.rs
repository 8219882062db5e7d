use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::types::Tag;
use tokio::time::Instant;

use super::lease::Lease;
use super::ready::{self, Probes};
use super::remove::{Thing, is, remove};
use super::term::{self, SESSION};
use super::{Boundary, Plan, SignedIn};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind};

/// Makes the role and assumes it; on failure what was made is removed again.
pub(crate) async fn provision(lease: Arc<Lease>) -> Result<SignedIn, Error> {
    let mut made = lease.made().lock().await;
    let error = match (Provision { lease: &lease, made: &mut made }).run().await {
        Ok(signed_in) => return Ok(signed_in),
        Err(error) => error,
    };
    let error = if made.is_empty() {
        error.note("nothing was created")
    } else {
        match lease.unwind(&mut made).await {
            Ok(()) => error.note("what had been created was removed again"),
            Err(left) => error.note(left.to_string()),
        }
    };
    Err(error)
}

struct Provision<'a> {
    lease: &'a Lease,
    made: &'a mut Vec<Thing>,
}

impl<'a> Provision<'a> {
    async fn run(&mut self) -> Result<SignedIn, Error> {
        let plan = self.plan();
        let path = self.path();
        let boundary = match &plan.boundary {
            Some(Boundary::Document(policy)) => Some(self.create_boundary(&path, policy).await?),
            Some(Boundary::Arn(arn)) => Some(arn.clone()),
            None => None,
        };
        let role_arn = self.create_role(path, boundary).await?;
        let created = Instant::now();
        for (number, policy) in (1..).zip(&plan.inline) {
            self.put_policy(policy_name(number), policy).await?;
        }
        for arn in &plan.managed {
            self.attach_policy(arn).await?;
        }
        let probes = self.connection().propagates().then(|| Probes::of(plan, self.connection()));
        // After the policies, so that who knows it knows them.
        if let Some(canary) = probes.as_ref().and_then(Probes::canary) {
            self.put_policy(CANARY.to_owned(), canary).await?;
        }
        let mut signed_in = self.assume(role_arn, created).await?;
        if let Some(probes) = probes {
            let connection = self.connection();
            signed_in.ready_after = ready::live(connection, plan, &probes, &signed_in, created).await?;
            if probes.canary().is_some() {
                self.remove_canary().await?;
            }
        }
        Ok(signed_in)
    }

    fn plan(&self) -> &'a Plan {
        &self.lease.plan
    }

    fn connection(&self) -> &'a Connection {
        &self.lease.connection
    }

    /// With the end of the lease by the server's clock, by which sweeps tell that it is over. A server that tells no time is
    /// swept by nobody.
    fn path(&self) -> String {
        let now = self.connection().now().unwrap_or_else(SystemTime::now);
        term::path("/", now + self.plan().lease)
    }

    /// Before each call, so that a call whose answer is lost is undone too.
    fn about_to_make(&mut self, thing: Thing) -> Result<(), Error> {
        if self.lease.is_ending() {
            return Err(Error::new(
                ErrorKind::NotReady,
                format!("role `{}` was given up while it was being created", self.plan().name),
            ));
        }
        if let Some(place) = self.connection().outliving() {
            place.about_to_make(&thing)?;
        }
        self.made.push(thing);
        Ok(())
    }

    async fn create_boundary(&mut self, path: &str, policy: &iam_policy::Policy) -> Result<String, Error> {
        let plan = self.plan();
        let connection = self.connection();
        let arn =
            format!("arn:{}:iam::{}:policy{path}{}", connection.partition, connection.account, plan.name);
        self.about_to_make(Thing::Policy { arn: arn.clone() })?;
        let call = connection.iam.create_policy();
        let call = call.policy_name(&plan.name).path(path).policy_document(connection.text_of(policy));
        match call.send().await {
            Ok(_) => Ok(arn),
            Err(error) if is_of_a_lost_answer(&error) => Ok(arn),
            Err(error) => Err(Error::call(
                format_args!("`CreatePolicy` of the permissions boundary `{}`", plan.name),
                error,
            )),
        }
    }

    async fn create_role(&mut self, path: String, boundary: Option<String>) -> Result<String, Error> {
        let plan = self.plan();
        self.about_to_make(Thing::Role { name: plan.name.clone() })?;
        let connection = self.connection();
        let tags = plan.tags.iter().map(|(key, value)| {
            let tag = Tag::builder().key(key).value(value);
            tag.build()
        });
        let tags = tags
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Error::new(ErrorKind::Call, error.to_string()).caused_by(error))?;
        let call = connection.iam.create_role();
        let call = call
            .role_name(&plan.name)
            .path(&path)
            .assume_role_policy_document(&connection.trust)
            .set_permissions_boundary(boundary)
            .set_max_session_duration(max_session_duration(plan)?)
            .set_tags((!tags.is_empty()).then_some(tags));
        let output = match call.send().await {
            Ok(output) => output,
            Err(error) if is_of_a_lost_answer(&error) => {
                let (partition, account) = (&connection.partition, &connection.account);
                return Ok(format!("arn:{partition}:iam::{account}:role{path}{}", plan.name));
            }
            Err(error) => return Err(Error::call(format_args!("`CreateRole` of `{}`", plan.name), error)),
        };
        let role = output.role().ok_or_else(|| {
            let message = format!("`CreateRole` of `{}` answered without the role", plan.name);
            Error::new(ErrorKind::Call, message)
        })?;
        Ok(role.arn().to_owned())
    }

    async fn put_policy(&mut self, name: String, policy: &iam_policy::Policy) -> Result<(), Error> {
        let plan = self.plan();
        let connection = self.connection();
        let call = connection.iam.put_role_policy();
        let call = call.role_name(&plan.name).policy_name(&name).policy_document(connection.text_of(policy));
        self.about_to_make(Thing::Inline { role: plan.name.clone(), policy: name })?;
        call.send().await.map_err(|error| {
            Error::call(
                format_args!("`PutRolePolicy` of `{}` on role `{}`", policy.source().name(), plan.name),
                error,
            )
        })?;
        Ok(())
    }

    async fn attach_policy(&mut self, arn: &str) -> Result<(), Error> {
        let plan = self.plan();
        self.about_to_make(Thing::Attached { role: plan.name.clone(), policy_arn: arn.to_owned() })?;
        let call = self.connection().iam.attach_role_policy();
        let call = call.role_name(&plan.name).policy_arn(arn);
        call.send().await.map_err(|error| {
            Error::call(format_args!("`AttachRolePolicy` of `{arn}` to role `{}`", plan.name), error)
        })?;
        Ok(())
    }

    async fn remove_canary(&mut self) -> Result<(), Error> {
        let canary = Thing::Inline { role: self.plan().name.clone(), policy: CANARY.to_owned() };
        remove(self.connection(), &canary).await?;
        self.made.retain(|thing| *thing != canary);
        Ok(())
    }

    async fn assume(&mut self, role_arn: String, created: Instant) -> Result<SignedIn, Error> {
        let plan = self.plan();
        let connection = self.connection();
        let session = &plan.session;
        let call = connection.sts.assume_role();
        let call = call
            .role_arn(&role_arn)
            .role_session_name(&session.name)
            .set_policy(session.policy.as_ref().map(|policy| connection.text_of(policy).into_owned()))
            .set_duration_seconds(session.duration.map(seconds).transpose()?);
        let output = ready::assumed(connection, plan, created, || call.clone().send()).await?;
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
            ready_after: Duration::ZERO,
        })
    }
}

/// Whether a thing that is to be created is there already: its name is of chance, so it was made by a call of ours whose
/// answer was lost, and which the SDK has tried again.
fn is_of_a_lost_answer<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    is(error, "EntityAlreadyExists")
}

/// What the inline policies of a role are called, from 1 on.
fn policy_name(number: usize) -> String {
    format!("policy-{number}")
}

/// The inline policy that most roles have.
pub(crate) fn first_policy() -> String {
    policy_name(1)
}

/// The policy that stands on a role until it is ready, where its own allow nothing that can be asked.
const CANARY: &str = "canary";

/// A role allows sessions of one hour unless it is told otherwise.
fn max_session_duration(plan: &Plan) -> Result<Option<i32>, Error> {
    match plan.session.duration {
        Some(duration) if duration > SESSION => seconds(duration).map(Some),
        _ => Ok(None),
    }
}

fn seconds(duration: Duration) -> Result<i32, Error> {
    i32::try_from(duration.as_secs()).map_err(|_| {
        Error::new(
            ErrorKind::Configuration,
            format!("a session of {duration:?} is not possible: AWS allows 15 minutes to 12 hours"),
        )
    })
}
