//! Assertions about what IAM allowed and denied.
//!
//! ```text
//! SDK result ─► answer (what came back) ─► finding (what it says about authorization) ─► report, where it was not expected
//!                  ├ code      AWS's error codes, one table
//!                  ├ sentence  AWS's words for a denial
//!                  └ journal   the embedded endpoint's own record: authoritative where there is one
//! ```

mod answer;
mod code;
mod expected;
mod report;
mod sentence;

pub(crate) use code::CodeClass;

pub use answer::{Answer, CallResult, NoRequestId, Probe, ProbeRequestId};
pub use expected::{Expected, ParseExpectedError};

/// What an assertion asks of an answer; built by the macros.
#[derive(Clone, Debug)]
pub struct Expectation {
    verdict: Expected,
    action: Option<String>,
    resource: Option<String>,
    success: bool,
}

impl Expectation {
    /// Expects `verdict`.
    #[must_use]
    pub fn new(verdict: Expected) -> Self {
        Self { verdict, action: None, resource: None, success: false }
    }

    /// Expects that the service performed the call, not only that it was authorized.
    #[must_use]
    pub fn success() -> Self {
        Self { success: true, ..Self::new(Expected::Allowed) }
    }

    /// Expects the verdict to be about this IAM action.
    #[must_use]
    pub fn action(self, action: impl Into<String>) -> Self {
        Self { action: Some(action.into()), ..self }
    }

    /// Expects the verdict to be about the resource with this ARN.
    #[must_use]
    pub fn resource(self, resource: impl Into<String>) -> Self {
        Self { resource: Some(resource.into()), ..self }
    }
}

/// Panics with a report unless `answer` is as expected.
///
/// # Panics
///
/// That is its purpose.
#[track_caller]
#[expect(clippy::panic, reason = "an assertion fails by panicking")]
pub fn check(answer: &Answer, expectation: &Expectation, call: &str) {
    if let Err(mismatch) = answer.compare(expectation) {
        panic!("{}", report::render(answer, expectation, &mismatch, call));
    }
}

/// Asserts that IAM allowed a call, whatever the service then made of it.
///
/// The argument is a `Result<_, SdkError<_>>` of any AWS SDK crate, or a reference to one. *Allowed* means that
/// authorization passed: an answer such as `NoSuchKey` is allowed (use [`assert_ok!`](crate::assert_ok) where the call
/// must succeed). Bad credentials, throttling, a malformed request, a lost connection or an operation that the embedded
/// endpoint does not know say nothing about authorization, so they fail the assertion and are named.
///
/// With `action = …` and `resource = …` the verdict must be about that IAM action and resource ARN. The embedded
/// endpoint records both; AWS does not tell what it allowed, so on other backends they are checked for denials only.
///
/// # Panics
///
/// When the call was not allowed, with the action, resource, principal, and the statement that decided.
///
/// # Examples
///
/// ```no_run
/// # async fn example(s3: &aws_sdk_iam::Client) {
/// use iam_fixture::assert_allowed;
///
/// assert_allowed!(s3.get_role().role_name("reader").send().await);
/// assert_allowed!(s3.list_roles().send().await, action = "iam:ListRoles");
/// # }
/// ```
#[macro_export]
macro_rules! assert_allowed {
    ($call:expr $(, $($form:tt)*)?) => {
        $crate::__check!($call, $crate::__expect!(@allowed; $($($form)*)?), $call)
    };
}

/// Asserts that IAM denied a call, and nothing else went wrong.
///
/// The argument is a `Result<_, SdkError<_>>` of any AWS SDK crate, or a reference to one. Only an authorization denial
/// passes: not credentials that are not accepted, not a 404, not a 5xx, and not S3's 403 for an object that is absent
/// while the caller may not list the bucket.
///
/// `explicit` or `implicit` say why: a statement that denies, or none that allows. `action = …` and `resource = …` say
/// of what.
///
/// # Panics
///
/// When the call was allowed, or failed otherwise, with the action, resource, principal, and the statement that decided.
///
/// # Examples
///
/// ```no_run
/// # async fn example(iam: &aws_sdk_iam::Client) {
/// use iam_fixture::assert_denied;
///
/// assert_denied!(iam.delete_role().role_name("production").send().await);
/// assert_denied!(iam.list_users().send().await, implicit, action = "iam:ListUsers");
/// # }
/// ```
#[macro_export]
macro_rules! assert_denied {
    ($call:expr $(, $($form:tt)*)?) => {
        $crate::__check!($call, $crate::__expect!(@denied; $($($form)*)?), $call)
    };
}

/// Asserts that a call was allowed *and* succeeded, and returns its output.
///
/// # Panics
///
/// When the call failed, with all that is known of why.
///
/// # Examples
///
/// ```no_run
/// # async fn example(iam: &aws_sdk_iam::Client) {
/// use iam_fixture::assert_ok;
///
/// let roles = assert_ok!(iam.list_roles().send().await);
/// assert!(roles.roles().is_empty());
/// # }
/// ```
#[macro_export]
macro_rules! assert_ok {
    ($call:expr $(,)?) => {
        match $call {
            call => {
                $crate::__check!(&call, $crate::__private::Expectation::success(), $call);
                match call {
                    ::core::result::Result::Ok(output) => output,
                    ::core::result::Result::Err(_) => ::core::unreachable!("a failed call has been reported"),
                }
            }
        }
    };
}

/// Asserts that a call's verdict is an [`Expected`] value, as a table of cases has it.
///
/// # Panics
///
/// As [`assert_allowed!`](crate::assert_allowed) and [`assert_denied!`](crate::assert_denied).
///
/// # Examples
///
/// ```no_run
/// # async fn example(iam: &aws_sdk_iam::Client) {
/// use iam_fixture::{Expected, assert_verdict};
///
/// for (role, expected) in [("reader", Expected::Allowed), ("production", Expected::ExplicitDeny)] {
///     assert_verdict!(iam.get_role().role_name(role).send().await, expected);
/// }
/// # }
/// ```
#[macro_export]
macro_rules! assert_verdict {
    ($call:expr, $expected:expr $(, $($form:tt)*)?) => {
        $crate::__check!(
            $call,
            $crate::__expect!(@form $crate::__private::Expectation::new($expected); $($($form)*)?),
            $call
        )
    };
}

/// The expectation that an assertion's words describe.
#[doc(hidden)]
#[macro_export]
macro_rules! __expect {
    (@allowed; $($form:tt)*) => {
        $crate::__expect!(@form $crate::__private::Expectation::new($crate::Expected::Allowed); $($form)*)
    };
    (@denied; explicit $(, $($form:tt)*)?) => {
        $crate::__expect!(@form $crate::__private::Expectation::new($crate::Expected::ExplicitDeny); $($($form)*)?)
    };
    (@denied; implicit $(, $($form:tt)*)?) => {
        $crate::__expect!(@form $crate::__private::Expectation::new($crate::Expected::ImplicitDeny); $($($form)*)?)
    };
    (@denied; $($form:tt)*) => {
        $crate::__expect!(@form $crate::__private::Expectation::new($crate::Expected::Denied); $($form)*)
    };
    (@form $expectation:expr;) => { $expectation };
    (@form $expectation:expr; action = $action:expr $(, $($form:tt)*)?) => {
        $crate::__expect!(@form $expectation.action($action); $($($form)*)?)
    };
    (@form $expectation:expr; resource = $resource:expr $(, $($form:tt)*)?) => {
        $crate::__expect!(@form $expectation.resource($resource); $($($form)*)?)
    };
    (@form $expectation:expr; $($other:tt)+) => {
        ::core::compile_error!(::core::concat!(
            "expected `explicit` or `implicit` (after a denied call), then `action = …`, `resource = …`; found `",
            ::core::stringify!($($other)+),
            "`"
        ))
    };
}

/// Observes a call's result and checks it; the report tells it in the words of `$told`.
#[doc(hidden)]
#[macro_export]
macro_rules! __check {
    ($call:expr, $expectation:expr, $told:expr) => {
        match &$call {
            call => {
                // Method resolution finds `RequestId` where the output has one, and the fallback where it has not.
                #[allow(unused_imports)]
                use $crate::__private::{CallResult as _, NoRequestId as _, ProbeRequestId as _};
                let request_id = match call.as_call_result() {
                    ::core::result::Result::Ok(output) => (&$crate::__private::Probe(output)).probe_request_id(),
                    ::core::result::Result::Err(_) => ::core::option::Option::None,
                };
                $crate::__private::check(
                    &$crate::__private::Answer::observe(call.as_call_result(), request_id),
                    &$expectation,
                    ::core::stringify!($told),
                )
            }
        }
    };
}
