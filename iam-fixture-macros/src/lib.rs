//! The `#[iam_policy]` attribute of `iam-fixture`, which re-exports it; depend on that crate.
//!
//! ```text
//! #[iam_policy("r.json", …)]   attribute   what stands in the parentheses: roles and their options
//! async fn t(config: SdkConfig) function    what stands below: arguments, attributes, the body as tokens
//!                              roles       the roles' policies, and the builder calls that they become
//!                              document    one policy named by a literal: found, read and checked
//!                              expand      the function with one call in it, or its errors
//! ```
//!
//! The macro only collects facts; everything that happens at run time is code of `iam-fixture`.

mod attribute;
mod document;
mod expand;
mod function;
mod problems;
mod roles;

use std::path::PathBuf;

use proc_macro2::Span;

/// Runs an async test as a temporary role that has exactly the given IAM policy.
///
/// Before the body runs, the role exists and its credentials are live; after it, the role is gone, whatever the body did.
///
/// ```ignore
/// #[iam_policy("policies/reader.json")]
/// #[tokio::test]
/// async fn reads_the_dashboard_but_not_the_infra_bucket(config: SdkConfig) {
///     let s3 = aws_sdk_s3::Client::new(&config);
///     assert_allowed!(s3.list_objects_v2().bucket("platform-dashboard").send().await);
///     assert_denied!(s3.list_objects_v2().bucket("platform-infra").send().await);
/// }
/// ```
///
/// # Which policy
///
/// | written | is |
/// |---|---|
/// | `"policies/reader.json"` | a file, found as [`include_str!`] finds it: relative to the source file |
/// | `"template.json#/Resources/Reader/Properties/PolicyDocument"` | the part of a JSON file that a JSON pointer ([RFC 6901]) names |
/// | `"ReadOnlyAccess"`, `"arn:aws:iam::aws:policy/ReadOnlyAccess"` | a managed policy: a name without `/`, `.` and `#`, or an ARN |
/// | `r#"{"Version": …}"#` | the policy itself |
/// | `["a.json", "b.json"]` | several policies on one role; `[]` is a role that may do nothing |
/// | `policy = EXPR` | a policy known at run time: anything that the builder's `policy` takes |
///
/// Files and policies in literals are checked while the test compiles, and every problem is reported with its line and
/// column in the file. Editing the file rebuilds the test.
///
/// A mistake in a policy that AWS would take, such as an action that does not exist, is an error, too; where it is meant so,
/// `allow(unknown_action)` says that it is. Advice about a policy, such as on what it gives too freely, is no error, and shown by
/// `cargo iam check`.
///
/// `${name}` in a file is a template variable when it has no colon, and takes its value from `vars(name = …)`;
/// `${AWS::AccountId}`, `${AWS::Region}` and `${AWS::Partition}` have theirs.
///
/// # Which argument
///
/// The role goes to the arguments whose type is `SdkConfig` or `TemporaryRole`, by value or by reference; where the type
/// is not called that, mark the argument with `#[iam]` or name it with `arg = name`.
///
/// A test with several roles names each by its argument, with options of its own in parentheses; what stands outside
/// holds for all of them:
///
/// ```ignore
/// #[iam_policy(reader = "reader.json", writer("writer.json", session_name = "w"), tags(team = "platform"))]
/// #[tokio::test]
/// async fn the_reader_sees_what_the_writer_puts(reader: SdkConfig, writer: SdkConfig) {}
/// ```
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `allow(unknown_action)` | the [lints] that are not to be warned of, by the names that their messages show |
/// | `arg = name` | the argument that takes the role |
/// | `boundary = "b.json"` | the role's [permissions boundary]: a file, a managed policy, or an expression |
/// | `crate = "path"` | where `iam-fixture` is, if it was renamed |
/// | `duration = 3600` | how long the credentials live: seconds, or a `Duration` |
/// | `keep = Keep::OnFailure` | whether the role stays when its test has ended: `iam_fixture::Keep` |
/// | `mode = Mode::Role` | how the test gets its role, whatever the run's settings say: `iam_fixture::Mode` |
/// | `name_prefix = "team-"`, `path = "/team/"` | what the role's name begins with, and where it stands |
/// | `readiness = Readiness::default()` | how the role is shown to be live, where that takes time: `iam_fixture::Readiness` |
/// | `session_name = EXPR` | the role session's name |
/// | `session_policy = "s.json"` | the [session policy]: a file or an expression |
/// | `tags(team = "x", "Key" = EXPR)` | the role's tags |
/// | `vars(name = EXPR)` | values of the template variables `${name}` |
///
/// Expressions see the test's other arguments, before those move into the body: `policy = list(bucket)` gets a clone of
/// `bucket`, `bucket.len()` and `&bucket` look at it.
///
/// # With other test attributes
///
/// `#[iam_policy]` goes on top. Below it may stand `#[tokio::test]` of any flavour, `#[rstest]` with cases, values and
/// fixtures, `#[test_log::test]`, `#[should_panic]`, `#[ignore]`. With no test attribute it adds `#[test]` and runs the
/// test on a runtime of its own; with `#[rstest]` alone it adds `#[tokio::test]`. Below `#[rstest]` it works, too, when the
/// argument is `#[ignore] config: SdkConfig`. Above it, `#[test]` cannot stand: rustc refuses a test with arguments
/// before this attribute is asked.
///
/// [lints]: https://docs.rs/iam-policy/latest/iam_policy/static.LINTS.html
/// [RFC 6901]: https://www.rfc-editor.org/rfc/rfc6901
/// [permissions boundary]: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
/// [session policy]: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
#[proc_macro_attribute]
pub fn iam_policy(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand::expand(arguments.into(), item.into(), &source_file).into()
}

/// The file that a token was written in, relative to where rustc runs; unknown in some IDEs.
fn source_file(token: Span) -> Option<PathBuf> {
    token.unwrap().local_file().filter(|file| file.is_file())
}
