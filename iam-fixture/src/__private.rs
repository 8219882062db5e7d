//! What `#[iam_policy]` expands to: the macro only collects facts. And what only `cargo iam` may ask for.

use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};

use aws_types::SdkConfig;
pub use tokio;

pub use crate::assert::{Answer, CallResult, Expectation, NoRequestId, Probe, ProbeRequestId, check};
use crate::builder::TemporaryRoleBuilder;
use crate::error::Error;
use crate::name;
use crate::role::{TemporaryRole, always_deleting, delete_all, fail_all};

/// The test that an attribute stands on.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    module: &'static str,
    function: &'static str,
    place: &'static Location<'static>,
}

impl Case {
    /// `module_path!()` and the function's name, at the attribute.
    #[must_use]
    #[track_caller]
    pub const fn new(module: &'static str, function: &'static str) -> Case {
        Case { module, function, place: Location::caller() }
    }

    /// libtest's name of the case, which tells parametrised cases apart, else the function's.
    fn test(self) -> String {
        name::test_on_this_thread().unwrap_or_else(|| format!("{}::{}", self.module, self.function))
    }

    /// The roles, or the end of the test: it has not run, and must not pass.
    ///
    /// Roles that were created before one failed are deleted as they are dropped.
    async fn roles<const N: usize>(self, builders: [TemporaryRoleBuilder; N]) -> [TemporaryRole; N] {
        let test = self.test();
        let mut roles = Vec::with_capacity(N);
        for builder in builders {
            match builder.test(&*test).create().await {
                Ok(role) => roles.push(role),
                Err(error) => self.not_provided(&error),
            }
        }
        let Ok(roles) = roles.try_into() else { unreachable!("one role for each builder") };
        roles
    }

    #[expect(clippy::panic, reason = "this is how a test fails")]
    fn not_provided(self, error: &Error) -> ! {
        panic!("`{}` has no role ({})\n{error}", self.function, self.place)
    }
}

/// What an argument of a test is made of.
#[diagnostic::on_unimplemented(
    message = "a role cannot be given as `{Self}`",
    label = "take `SdkConfig` or `TemporaryRole`"
)]
pub trait FromRole {
    /// The argument's value.
    fn from_role(role: &TemporaryRole) -> Self;
}

impl FromRole for SdkConfig {
    fn from_role(role: &TemporaryRole) -> Self {
        role.config().clone()
    }
}

impl FromRole for TemporaryRole {
    fn from_role(role: &TemporaryRole) -> Self {
        role.clone()
    }
}

/// Creates the roles, runs the body with them on this task, deletes them, and lets a panic of the body go on.
///
/// # Panics
///
/// When a role cannot be provided.
pub async fn with_roles<const N: usize, F: Future>(
    case: Case,
    builders: [TemporaryRoleBuilder; N],
    body: impl FnOnce([TemporaryRole; N]) -> F,
    has_failed: impl FnOnce(&F::Output) -> bool,
) -> F::Output {
    let roles = Box::pin(case.roles(builders)).await;
    let given = roles.clone();
    // `async`: what the closure does before it gives its future belongs to the body as well.
    always_deleting(roles, Box::pin(async { body(given).await }), has_failed).await
}

/// As [`with_roles`], for a test that is not async, or that has its runtime inside.
///
/// # Panics
///
/// When a role cannot be provided.
pub fn with_roles_blocking<const N: usize, T>(
    case: Case,
    builders: [TemporaryRoleBuilder; N],
    body: impl FnOnce([TemporaryRole; N]) -> T,
    has_failed: impl FnOnce(&T) -> bool,
) -> T {
    let roles = block_on(case.roles(builders));
    let given = roles.clone();
    let body = || match roles.first() {
        Some(first) => first.in_its_world(|| body(given)),
        None => body(given),
    };
    let outcome = catch_unwind(AssertUnwindSafe(body));
    if outcome.as_ref().map_or(true, has_failed) {
        fail_all(&roles);
    }
    block_on(delete_all(roles));
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Leaves signals to the program: `cargo iam run` passes them on, and removes its role itself.
#[cfg(feature = "network")]
pub fn take_signals() {
    crate::outlive::leave_signals();
}

/// What was done as the role has failed, as a test does: it may be a reason to keep the role.
pub fn fail(role: &TemporaryRole) {
    fail_all(std::slice::from_ref(role));
}

/// What a test returned: of a `Result`, it is known whether it is a failure.
#[derive(Debug)]
pub struct Returned<'a, T>(pub &'a T);

impl<T, E> Returned<'_, Result<T, E>> {
    /// Found before the trait's.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.0.is_err()
    }
}

/// What returns anything else has not failed, or it would have panicked.
pub trait MayFail {
    /// Whether the test has failed.
    fn has_failed(&self) -> bool {
        false
    }
}

impl<T> MayFail for Returned<'_, T> {}

/// Runs a test that brings no runtime.
///
/// # Panics
///
/// When the system refuses what a runtime needs.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system gives a runtime its resources")
        .block_on(future)
}
