use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::create_role::CreateRoleError;
use aws_sdk_iam::types::Tag;
use tokio::time::Instant;

use super::assume::{self, seconds};
use super::lease::Lease;
use super::ready::{self, Probes};
use super::remove::{Grantee, Thing, is, remove};
use super::term::{self, SESSION};
use super::{Boundary, Plan, SignedIn};
#[cfg(feature = "network")]
use super::{existing, session};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind};
use crate::mode::Mode;

/// Provides the role as its mode says.
pub(crate) async fn provision(lease: Arc<Lease>) -> Result<SignedIn, Error> {
    // Boxed, for most tests do not go there, and its future is large.
    if lease.plan.mode != Mode::Role
        && let Some(signed_in) = Box::pin(of_standing_role(&lease)).await?
    {
        return Ok(signed_in);
    }
    make(lease).await
}

/// A session of a role that is not the test's own, unless the test needs one of its own.
#[cfg(feature = "network")]
async fn of_standing_role(lease: &Arc<Lease>) -> Result<Option<SignedIn>, Error> {
    match &lease.plan.mode {
        Mode::Existing(arn) => existing::assume(lease.clone(), arn).await.map(Some),
        Mode::Role => Ok(None),
        Mode::Session => session::assume(lease.clone()).await.map(Some),
        Mode::SessionOrRole => match session::assume(lease.clone()).await {
            Err(error) if error.kind() == ErrorKind::SessionPolicy => Ok(None),
            outcome => outcome.map(Some),
        },
    }
}

/// Roles that stand are those of accounts, and whether one may do what a test wants is a comparison of sets.
#[cfg(not(feature = "network"))]
#[expect(clippy::unused_async, reason = "only the network waits")]
async fn of_standing_role(lease: &Arc<Lease>) -> Result<Option<SignedIn>, Error> {
    Err(Error::left_out(format_args!("mode `{}`", lease.plan.mode))
        .note("nothing was created")
        .note("help: add `features = [\"network\"]` to the dependency, or use `Mode::Role`"))
}

/// Makes the role and assumes it; on failure what was made is removed again.
async fn make(lease: Arc<Lease>) -> Result<SignedIn, Error> {
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
            Err(left) => {
                // Told here; as in `Lease::end`, a later run tries again.
                made.clear();
                error.note(left.to_string())
            }
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
        let role_arn = self.create_role(path.clone(), boundary).await?;
        let created = Instant::now();
        // Nobody else sets it.
        let _ = self.lease.role_arn.set(role_arn.clone());
        if plan.grant_assume {
            self.grant_assume(&role_arn, &path).await?;
        }
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
        term::path(&self.plan().path, now + self.plan().lease)
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

    /// What a denied call was about to make is not there; whoever may not make it may often not remove it either.
    fn not_made_if_denied<E: ProvideErrorMetadata>(&mut self, error: &SdkError<E>) {
        if is(error, "AccessDenied")
            && let Some(thing) = self.made.pop()
            && let Some(place) = self.connection().outliving()
        {
            place.removed(&thing);
        }
    }

    async fn create_boundary(&mut self, path: &str, policy: &iam_policy::Policy) -> Result<String, Error> {
        let plan = self.plan();
        let connection = self.connection();
        let arn =
            format!("arn:{}:iam::{}:policy{path}{}", connection.partition, connection.account, plan.name);
        self.about_to_make(Thing::Policy { arn: arn.clone() })?;
        let call = connection.iam.create_policy();
        let call = call.policy_name(&plan.name).path(path).policy_document(connection.text_of(policy));
        match call.send().await.inspect_err(|error| self.not_made_if_denied(error)) {
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
        // The test's own come last, and first.
        let all = plan.run_tags.iter().chain(&plan.tags);
        let all = all.map(|(key, value)| (key.clone(), value.clone())).collect();
        let is_bounded = boundary.is_some();
        let call = connection.iam.create_role();
        let call = call
            .role_name(&plan.name)
            .path(&path)
            .assume_role_policy_document(&connection.trust)
            .set_permissions_boundary(boundary)
            .set_max_session_duration(max_session_duration(plan)?)
            .set_tags(tags(&all)?);
        let output = match call.send().await.inspect_err(|error| self.not_made_if_denied(error)) {
            Ok(output) => output,
            Err(error) if is_of_a_lost_answer(&error) => {
                let (partition, account) = (&connection.partition, &connection.account);
                return Ok(format!("arn:{partition}:iam::{account}:role{path}{}", plan.name));
            }
            Err(error) => return Err(not_created(&plan.name, &plan.path, is_bounded, error)),
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
        call.send().await.inspect_err(|error| self.not_made_if_denied(error)).map_err(|error| {
            Error::call(
                format_args!("`PutRolePolicy` of `{}` on role `{}`", policy.source().name(), plan.name),
                error,
            )
        })?;
        Ok(())
    }

    /// Lets the administrator assume the role, where his own policies do not: in addition to them, under the role's name and
    /// with its lease.
    async fn grant_assume(&mut self, role_arn: &str, path: &str) -> Result<(), Error> {
        let connection = self.connection();
        let policy = term::named(&self.plan().name, path);
        let caller = &connection.caller;
        let to =
            Grantee::of(caller).filter(|_| !caller.contains(":role/aws-reserved/")).ok_or_else(|| {
                Error::new(
                    ErrorKind::Configuration,
                    format!("`{caller}` cannot be given a policy of its own, as `grant_assume` asks for"),
                )
                .note("help: whoever gives it its policies can allow `sts:AssumeRole` on the roles of tests")
            })?;
        self.about_to_make(Thing::Grant { to: to.clone(), policy: policy.clone() })?;
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"{role_arn}"}}]}}"#
        );
        let iam = &connection.iam;
        let put = |operation: &str| format!("`{operation}` of `{policy}` for `{caller}`");
        match to {
            Grantee::Role(role) => {
                let call =
                    iam.put_role_policy().role_name(role).policy_name(&policy).policy_document(document);
                call.send()
                    .await
                    .inspect_err(|error| self.not_made_if_denied(error))
                    .map_err(|error| Error::call(put("PutRolePolicy"), error))?;
            }
            Grantee::User(user) => {
                let call =
                    iam.put_user_policy().user_name(user).policy_name(&policy).policy_document(document);
                call.send()
                    .await
                    .inspect_err(|error| self.not_made_if_denied(error))
                    .map_err(|error| Error::call(put("PutUserPolicy"), error))?;
            }
        }
        Ok(())
    }

    async fn attach_policy(&mut self, arn: &str) -> Result<(), Error> {
        let plan = self.plan();
        self.about_to_make(Thing::Attached { role: plan.name.clone(), policy_arn: arn.to_owned() })?;
        let call = self.connection().iam.attach_role_policy();
        let call = call.role_name(&plan.name).policy_arn(arn);
        call.send().await.inspect_err(|error| self.not_made_if_denied(error)).map_err(|error| {
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
        let call = assume::call(connection, plan, &role_arn)?;
        let deadline = plan.readiness.limit();
        let output =
            ready::assumed(connection, &plan.name, deadline, created, || call.clone().send()).await?;
        assume::signed_in(role_arn, &output)
    }
}

/// `CreateRole` failed: what to do about it.
pub(super) fn not_created(
    role: &str,
    path: &str,
    is_bounded: bool,
    error: SdkError<CreateRoleError>,
) -> Error {
    let is_denied = is(&error, "AccessDenied");
    let is_full = is(&error, "LimitExceeded");
    // In AWS's words an explicit deny names the type of policy that has it.
    let by_organization = error.message().is_some_and(|message| message.contains("service control policy"));
    let error = Error::call(format_args!("`CreateRole` of `{role}`"), error);
    if is_full {
        return error.note(
            "help: raise the account's quota of roles, remove what other runs left, or use one role for all tests: \
             `IAM_FIXTURE_MODE=session`",
        );
    }
    if !is_denied {
        return error;
    }
    if by_organization && !is_bounded {
        return error.note(
            "help: the organization may let nobody create a role without its permissions boundary: `IAM_FIXTURE_BOUNDARY` names \
             the boundary of all roles",
        );
    }
    error
        .note(format!(
            "help: whoever runs the tests needs `iam:CreateRole` on roles with the path `{}`",
            term::folder(path)
        ))
        .note(
            "help: where roles cannot be created, `IAM_FIXTURE_MODE=existing:ROLE_ARN` needs one that is there, and \
             `IAM_FIXTURE_MODE=session` with `IAM_FIXTURE_SESSION_ROLE` one for all tests",
        )
}

pub(super) fn tags(tags: &BTreeMap<String, String>) -> Result<Option<Vec<Tag>>, Error> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags = tags.collect::<Result<Vec<_>, _>>();
    let tags = tags.map_err(|error| Error::new(ErrorKind::Call, error.to_string()).caused_by(error))?;
    Ok((!tags.is_empty()).then_some(tags))
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
#[cfg(feature = "network")]
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

#[cfg(all(test, not(feature = "network")))]
mod tests {
    use crate::{Mode, TemporaryRole};

    #[tokio::test]
    async fn without_the_network_a_test_has_a_role_of_its_own() {
        for mode in [Mode::Session, Mode::SessionOrRole] {
            let start = format!("mode `{mode}` needs the feature `network` of `iam-fixture`");
            let role = TemporaryRole::builder().mode(mode).create().await;
            let error = role.expect_err("there is no other").to_string();
            assert!(error.starts_with(&start) && error.contains("`Mode::Role`"), "{error}");
        }
    }
}
