use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use iam_policy::{Policy, PolicyKind, PseudoParameter};

use crate::backend::{self, Backend, Connection, RoleBoundary, Settings};
use crate::document::PolicyDocument;
use crate::error::{Error, ErrorKind};
use crate::lifecycle::{Boundary, Plan, Readiness, Session, Term};
use crate::mode::{Keep, Mode, role_arn};
use crate::name;
use crate::role::{TemporaryRole, always_deleting};

/// What a [`TemporaryRole`] is to be; made by [`TemporaryRole::builder`].
///
/// Nothing is created, and nothing is read, before [`create`](Self::create) or [`scoped`](Self::scoped).
#[derive(Clone, Debug, Default)]
#[must_use = "a builder creates nothing until `create` or `scoped`"]
pub struct TemporaryRoleBuilder {
    backend: Option<Backend>,
    boundary: Option<Attachment>,
    context: Vec<(String, String)>,
    duration: Option<Duration>,
    grant_assume: Option<bool>,
    keep: Option<Keep>,
    mode: Option<Mode>,
    name_prefix: Option<String>,
    operations: Vec<[String; 3]>,
    path: Option<String>,
    policies: Vec<Attachment>,
    readiness: Readiness,
    session_name: Option<String>,
    session_policy: Option<PolicyDocument>,
    session_role: Option<String>,
    tags: BTreeMap<String, String>,
    test: Option<String>,
    unknown_condition_keys: bool,
    variables: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
enum Attachment {
    Document(PolicyDocument),
    /// By name or ARN.
    Managed(String),
}

impl TemporaryRoleBuilder {
    /// Puts a policy on the role; called again, the role has all of them.
    pub fn policy(mut self, document: impl Into<PolicyDocument>) -> Self {
        self.policies.push(Attachment::Document(document.into()));
        self
    }

    /// Attaches a managed policy: an AWS managed policy by name, such as `ReadOnlyAccess`, or any by ARN.
    pub fn managed_policy(mut self, name_or_arn: impl Into<String>) -> Self {
        self.policies.push(Attachment::Managed(name_or_arn.into()));
        self
    }

    /// Narrows the session: what is allowed must be allowed by the role's policies and by this one.
    pub fn session_policy(mut self, document: impl Into<PolicyDocument>) -> Self {
        self.session_policy = Some(document.into());
        self
    }

    /// Sets the role's permissions boundary to a document; a managed policy is made of it, and removed with the role.
    pub fn boundary(mut self, document: impl Into<PolicyDocument>) -> Self {
        self.boundary = Some(Attachment::Document(document.into()));
        self
    }

    /// Sets the role's permissions boundary to a managed policy, by AWS's name or by ARN.
    pub fn managed_boundary(mut self, name_or_arn: impl Into<String>) -> Self {
        self.boundary = Some(Attachment::Managed(name_or_arn.into()));
        self
    }

    /// Takes policies with condition keys that are not in AWS's Service Authorization Reference, which are refused otherwise.
    ///
    /// The embedded endpoint refuses them all the same, when they are put: it could not decide by them.
    pub fn allow_unknown_condition_keys(mut self) -> Self {
        self.unknown_condition_keys = true;
        self
    }

    /// Tags the role; its sessions see the tag as `aws:PrincipalTag/KEY`.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// How the test gets its role; by default what `IAM_FIXTURE_MODE` says, else a role of its own.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// The role, by its ARN, whose sessions tests have in [`Mode::Session`], in place of one that is made and kept for that.
    /// It must allow all that the policies under test do.
    pub fn session_role(mut self, arn: impl Into<String>) -> Self {
        self.session_role = Some(arn.into());
        self
    }

    /// Where the role stands: `/ci/` puts it at `/ci/iam-fixture/…/`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// What the role's name begins with, before `iam-fixture-` and the test's name.
    pub fn name_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.name_prefix = Some(prefix.into());
        self
    }

    /// Whether the role stays when its test has ended.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Gives whoever runs the tests an inline policy that allows `sts:AssumeRole` on the role, for as long as the role lives: where
    /// the role's trust policy is not enough. No other policy of theirs is touched.
    pub fn grant_assume(mut self, grant: bool) -> Self {
        self.grant_assume = Some(grant);
        self
    }

    /// Names the session; by default it is named after the test.
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        self.session_name = Some(name.into());
        self
    }

    /// How long the session's credentials last: 15 minutes to 12 hours, one hour by default.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// How the role is shown to be live before it is given out, where IAM takes its time.
    pub fn readiness(mut self, readiness: Readiness) -> Self {
        self.readiness = readiness;
        self
    }

    /// Gives `${name}` in the policy documents its value.
    pub fn var(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.variables.insert(name.into(), value.to_string());
        self
    }

    /// Sets a condition key for the role's calls, as [`TemporaryRole::context`] does.
    pub fn context(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.context.push((key.into(), value.into()));
        self
    }

    /// Declares what an operation needs to be allowed, where the embedded endpoint does not know it: see
    /// [`Endpoint::declare`](iam_endpoint::Endpoint::declare).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), iam_fixture::Error> {
    /// use iam_fixture::TemporaryRole;
    ///
    /// let role = TemporaryRole::builder()
    ///     .operation("dynamodb", "BatchGetItem", "dynamodb:BatchGetItem@table=RequestItems{}")
    ///     .create()
    ///     .await?;
    /// # let _ = role;
    /// # Ok(())
    /// # }
    /// ```
    pub fn operation(
        mut self,
        service: impl Into<String>,
        operation: impl Into<String>,
        checks: impl Into<String>,
    ) -> Self {
        self.operations.push([service.into(), operation.into(), checks.into()]);
        self
    }

    /// Creates the role there instead of at [`Backend::current`].
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Names the role after this test where the thread does not tell.
    pub(crate) fn test(mut self, test: impl Into<String>) -> Self {
        self.test = Some(test.into());
        self
    }

    /// Creates the role and signs in as it.
    ///
    /// # Errors
    ///
    /// A document that IAM would reject is refused before anything is created; when a call fails half way, what was
    /// created is removed again.
    pub async fn create(self) -> Result<TemporaryRole, Error> {
        let backend = match &self.backend {
            Some(backend) => backend.clone(),
            None => Backend::current()?,
        };
        let connection = backend.connect().await?;
        let plan = self.plan(&connection)?;
        self.declare(&connection, &backend)?;
        let role = TemporaryRole::provision(backend, connection, plan).await?;
        for (key, value) in self.context {
            role.context(key, value);
        }
        Ok(role)
    }

    /// Creates the role, runs the body with it, and deletes the role whatever the body did; a panic goes on afterwards.
    ///
    /// What the body returns is not looked at: for [`Keep::OnFailure`] only a body that panics has failed.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), iam_fixture::Error> {
    /// use iam_fixture::TemporaryRole;
    ///
    /// let arn = TemporaryRole::builder()
    ///     .managed_policy("ReadOnlyAccess")
    ///     .scoped(async |role| role.arn().to_owned())
    ///     .await?;
    /// assert!(arn.starts_with("arn:aws:iam::"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create). A role that cannot be deleted is no error: what is left, and the commands that
    /// remove it, are printed.
    pub async fn scoped<T>(self, body: impl AsyncFnOnce(TemporaryRole) -> T) -> Result<T, Error> {
        let role = self.create().await?;
        let body = Box::pin(body(role.clone()));
        Ok(always_deleting([role], body, |_| false).await)
    }

    /// Tells the embedded endpoint what only it wants to be told.
    fn declare(&self, connection: &Connection, backend: &Backend) -> Result<(), Error> {
        let wrong =
            |message: String| Error::new(ErrorKind::Configuration, message).note("nothing was created");
        let Some(endpoint) = connection.endpoint() else {
            let told = self.context.first().map(|(key, _)| format!("the condition key `{key}`"));
            let declared =
                self.operations.first().map(|[service, name, _]| format!("the operation `{service}:{name}`"));
            return match told.or(declared) {
                None => Ok(()),
                Some(what) => Err(wrong(format!(
                    "{what} can be set at the embedded endpoint only, and not at {backend:?}"
                ))),
            };
        };
        for [service, operation, checks] in &self.operations {
            endpoint.declare(service, operation, checks).map_err(|error| wrong(error.to_string()))?;
        }
        Ok(())
    }

    /// Everything that can be wrong without asking the backend is found here.
    fn plan(&self, connection: &Connection) -> Result<Plan, Error> {
        let variable = |name: &str| match PseudoParameter::find(name) {
            Some(PseudoParameter::AccountId) => Some(connection.account.clone()),
            Some(PseudoParameter::Partition) => Some(connection.partition.clone()),
            Some(PseudoParameter::Region) => Some(connection.region.clone()),
            None => self.variables.get(name).cloned(),
        };
        let resolve =
            |document: &PolicyDocument, kind| document.resolve(kind, self.unknown_condition_keys, variable);
        let mut inline = Vec::new();
        let mut managed = Vec::new();
        for policy in &self.policies {
            match policy {
                Attachment::Document(document) => {
                    inline.push(resolve(document, PolicyKind::Identity)?);
                }
                Attachment::Managed(name) => managed.push(connection.managed_arn(name)?),
            }
        }
        within_the_inline_quota(&inline)?;
        let run = &Settings::current()?.role;
        // What names something in an account is for backends that have one.
        let of_account = connection.outliving().is_some();
        let boundary = self.boundary.clone().or_else(|| match run.boundary.as_ref()? {
            RoleBoundary::Arn(arn) => of_account.then(|| Attachment::Managed(arn.clone())),
            RoleBoundary::File(path) => Some(Attachment::Document(path.clone().into())),
        });
        let boundary = match &boundary {
            Some(Attachment::Document(document)) => {
                Some(Boundary::Document(resolve(document, PolicyKind::Boundary)?))
            }
            Some(Attachment::Managed(name)) => Some(Boundary::Arn(connection.managed_arn(name)?)),
            None => None,
        };
        let session_policy = match &self.session_policy {
            Some(document) => Some(resolve(document, PolicyKind::Session)?),
            None => None,
        };
        let mode = self.mode.clone().or_else(|| run.mode.clone().filter(|_| of_account)).unwrap_or_default();
        let session_role =
            self.session_role.clone().or_else(|| run.session_role.clone().filter(|_| of_account));
        let path = self.path.as_deref().map(backend::path).transpose()?.or_else(|| run.path.clone());
        let prefix = self.name_prefix.as_deref().map(backend::prefix).transpose()?;
        let prefix = prefix.or_else(|| run.prefix.clone()).unwrap_or_default();
        let test = self.test.clone().or_else(name::test_on_this_thread).unwrap_or_else(|| "role".to_owned());
        let name = name::role(&prefix, &test);
        let session_name = self.session_name.clone().unwrap_or_else(|| match mode {
            // The tests of a process share it.
            Mode::Existing(_) => name::session("iam-fixture"),
            Mode::Role => name::session(&test),
            // It alone tells tests apart.
            Mode::Session | Mode::SessionOrRole => name.clone(),
        });
        let term = Term::of(connection.lease()?, self.duration.or(run.duration))?;
        Ok(Plan {
            name,
            lease: term.lease,
            mode,
            prefix,
            path: path.unwrap_or_else(|| "/".to_owned()),
            inline,
            managed,
            boundary,
            tags: self.tags.clone(),
            run_tags: run.tags.clone(),
            session: Session { name: session_name, policy: session_policy, duration: term.session },
            session_role: session_role.map(|arn| role_arn(&arn).map(str::to_owned)).transpose()?,
            grant_assume: self.grant_assume.unwrap_or(run.grant_assume && of_account),
            keep: self.keep.unwrap_or(if of_account { run.keep } else { Keep::Never }),
            readiness: self.readiness.clone(),
        })
    }
}

/// All inline policies of a role together, counted as IAM does: without white space.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
fn within_the_inline_quota(policies: &[Policy]) -> Result<(), Error> {
    const QUOTA: usize = 10_240;
    // There are never fewer bytes than characters, and they need no counting.
    if policies.iter().map(|policy| policy.source().fragment().len()).sum::<usize>() <= QUOTA {
        return Ok(());
    }
    let size: usize = policies.iter().map(Policy::characters).sum();
    if size <= QUOTA {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Policy,
        format!(
            "the role's inline policies have {size} characters without white space; IAM allows 10,240 in all"
        ),
    )
    .note("nothing was created")
    .note("help: attach a managed policy, or split the role"))
}
