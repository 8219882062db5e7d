use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_types::SdkConfig;
use iam_endpoint::{Endpoint, Event};

use crate::backend::{Backend, Connection};
use crate::builder::TemporaryRoleBuilder;
use crate::error::Error;
use crate::lifecycle::{Guard, Lease, Plan, SignedIn, provision};

/// A role that exists for one test, and a session that has assumed it.
///
/// `#[iam_policy]` hands it to a test; [`builder`](Self::builder) makes it elsewhere. Clones are the same role. It is
/// deleted by [`delete`](Self::delete), or when its last clone is dropped, or when the process ends or is told to.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), iam_fixture::Error> {
/// use iam_fixture::TemporaryRole;
///
/// let role = TemporaryRole::builder()
///     .policy(r#"{
///         "Version": "2012-10-17",
///         "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::dashboard"}]
///     }"#)
///     .create()
///     .await?;
/// let config = role.config(); // for `aws_sdk_s3::Client::new(config)` and the like
/// # let _ = config;
/// role.delete().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TemporaryRole(Arc<Inner>);

struct Inner {
    guard: Guard,
    backend: Backend,
    config: SdkConfig,
    signed_in: SignedIn,
}

impl TemporaryRole {
    /// Begins to describe a role.
    pub fn builder() -> TemporaryRoleBuilder {
        TemporaryRoleBuilder::default()
    }

    /// The configuration of SDK clients that are signed in as the role.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.0.config
    }

    /// The configuration of SDK clients that are signed in as the account's administrator, for what the test sets up.
    #[must_use]
    pub fn admin(&self) -> &SdkConfig {
        &self.connection().admin
    }

    /// The role's ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.0.signed_in.role_arn
    }

    /// The role's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.signed_in.role_name()
    }

    /// The session's ARN, which is the principal in access denied messages.
    #[must_use]
    pub fn session_arn(&self) -> &str {
        &self.0.signed_in.session_arn
    }

    /// The session's temporary credentials.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.0.signed_in.credentials
    }

    /// How long it took from the role's creation until it was shown to be live; zero where the backend knows a role at once.
    #[must_use]
    pub fn ready_after(&self) -> Duration {
        self.0.signed_in.ready_after
    }

    /// The backend that has the role.
    #[must_use]
    pub fn backend(&self) -> &Backend {
        &self.0.backend
    }

    /// What the embedded endpoint was asked as this role and how it decided, oldest first; other backends do not tell.
    #[must_use]
    pub fn decisions(&self) -> Vec<Arc<Event>> {
        self.connection().endpoint().map(|endpoint| endpoint.journal().of(self.own_arn())).unwrap_or_default()
    }

    /// Sets a condition key for all calls of the role: what decides and no request says, such as `aws:SourceVpc`.
    ///
    /// It comes before what the embedded endpoint computes. Setting a key again replaces its value.
    ///
    /// # Panics
    ///
    /// When the role is not at an embedded endpoint: AWS and emulators take no condition keys from tests.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), iam_fixture::Error> {
    /// # let role = iam_fixture::TemporaryRole::builder().create().await?;
    /// role.context("aws:SourceVpc", "vpc-1").context("aws:MultiFactorAuthPresent", "true");
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn context(&self, key: impl Into<String>, value: impl Into<String>) -> &Self {
        self.context_values(key, [value])
    }

    /// As [`context`](Self::context), for a key of several values; with none, the role's calls do not have the key.
    ///
    /// # Panics
    ///
    /// As [`context`](Self::context).
    #[track_caller]
    pub fn context_values<V: Into<String>>(
        &self,
        key: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> &Self {
        self.embedded("a condition key").set_context(self.own_arn(), key, values);
        self
    }

    /// Tags a resource of a service that the embedded endpoint does not keep itself, for `aws:ResourceTag/…`.
    ///
    /// # Panics
    ///
    /// When the role is not at an embedded endpoint: there, the resource itself is to be tagged.
    #[track_caller]
    pub fn tag_resource(
        &self,
        arn: impl Into<String>,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> &Self {
        self.embedded("the tag of a resource").tag_resource(arn, key, value);
        self
    }

    #[track_caller]
    fn embedded(&self, what: &str) -> &Endpoint {
        match self.connection().endpoint() {
            Some(endpoint) => endpoint,
            #[expect(clippy::panic, reason = "the test asks for what this backend cannot do")]
            None => {
                panic!("{what} can be set at the embedded endpoint only, and not at {:?}", self.backend())
            }
        }
    }

    /// Deletes the role and everything that was made for it.
    ///
    /// # Errors
    ///
    /// When something could not be deleted; the message has the commands that do it by hand.
    pub async fn delete(self) -> Result<(), Error> {
        let lease = self.0.guard.0.clone();
        self.connection().run(Box::pin(async move { lease.end().await })).await
    }

    pub(crate) async fn provision(
        backend: Backend,
        connection: Arc<Connection>,
        plan: Plan,
    ) -> Result<TemporaryRole, Error> {
        // From here on whatever happens to this future, the role is removed.
        let guard = Guard(Lease::new(connection.clone(), plan));
        let signed_in = connection.run(Box::pin(provision(guard.0.clone()))).await?;
        Ok(TemporaryRole(Arc::new(Inner {
            guard,
            backend,
            config: connection.signed_in(signed_in.credentials.clone()),
            signed_in,
        })))
    }

    /// Runs a body that is not a future where [`Backend::current`] is the role's own.
    pub(crate) fn in_its_world<T>(&self, body: impl FnOnce() -> T) -> T {
        self.connection().within_blocking(body)
    }

    /// What tells this test's calls from others': the role, or its session where others have the same role.
    fn own_arn(&self) -> &str {
        if self.0.signed_in.is_shared { self.session_arn() } else { self.arn() }
    }

    fn connection(&self) -> &Arc<Connection> {
        &self.0.guard.0.connection
    }
}

impl fmt::Debug for TemporaryRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemporaryRole")
            .field("arn", &self.arn())
            .field("backend", &self.backend())
            .finish_non_exhaustive()
    }
}

/// Runs the body in the roles' world, deletes them whatever it did, and lets its panic go on.
///
/// The body is boxed by the caller: each layer of futures around it would hold it twice, and a debug build's stack is
/// soon full.
pub(crate) async fn always_deleting<const N: usize, F: Future>(
    roles: [TemporaryRole; N],
    body: Pin<Box<F>>,
    has_failed: impl FnOnce(&F::Output) -> bool,
) -> F::Output {
    let outcome = match roles.first() {
        Some(first) => first.connection().clone().within(unwound(body)).await,
        None => unwound(body).await,
    };
    if outcome.as_ref().map_or(true, has_failed) {
        fail_all(&roles);
    }
    delete_all(roles).await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

/// The roles' test has failed, which may be a reason to keep them.
pub(crate) fn fail_all(roles: &[TemporaryRole]) {
    for role in roles {
        role.0.guard.0.fail();
    }
}

/// Deletes the roles; one that cannot be deleted is printed, and fails no test.
pub(crate) async fn delete_all(roles: impl IntoIterator<Item = TemporaryRole>) {
    for role in roles {
        let lease = role.0.guard.0.clone();
        role.connection().run(Box::pin(async move { lease.end_or_print().await })).await;
    }
}

async fn unwound<F: Future>(mut body: Pin<Box<F>>) -> thread::Result<F::Output> {
    std::future::poll_fn(|context| {
        // The body is not polled again after a panic, so what it left half done is not seen.
        match catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}
