//! Existing mode: nothing is created. The role's policies must allow what the policies under test do, and no more; then its
//! session is as good as that of a role made of them.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use diff::Result::{Both, Left, Right};
use iam_policy::{Answer, Policy, PolicySet};

use super::session::session_tags;
use super::standing::Standing;
use super::{Boundary, Lease, Plan, SignedIn, assume};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind};

/// A session that ends sooner than this is not given to another test.
const NEAR_EXPIRY: Duration = Duration::from_mins(10);

/// A session of the role, which the tests of the process with the same policies share.
pub(super) async fn assume(lease: Arc<Lease>, role_arn: &str) -> Result<SignedIn, Error> {
    let (connection, plan) = (&*lease.connection, &lease.plan);
    let shared = connection.standing.session(key(plan, role_arn));
    shared.compared.get_or_init(|| compare(connection, plan, role_arn)).await.clone()?;
    let mut kept = shared.signed_in.lock().await;
    if let Some(signed_in) = kept.as_ref().filter(|signed_in| lasts(signed_in)) {
        return Ok(signed_in.clone());
    }
    let call = assume::call(connection, plan, role_arn)?.set_tags(session_tags(&plan.tags)?);
    let output = call.send().await;
    let output = output.map_err(|error| assume::failed(role_arn, error).note("nothing was created"))?;
    let signed_in = SignedIn { is_shared: true, ..assume::signed_in(role_arn.to_owned(), &output)? };
    Ok(kept.insert(signed_in).clone())
}

/// All that makes one test's session another's.
fn key(plan: &Plan, role_arn: &str) -> String {
    let text = |policy: &Policy| policy.source().fragment().to_owned();
    let inline: Vec<_> = plan.inline.iter().map(text).collect();
    let boundary = plan.boundary.as_ref().map(Boundary::told);
    let session = &plan.session;
    let policy = session.policy.as_ref().map(text);
    format!(
        "{:?}",
        (role_arn, inline, &plan.managed, boundary, &plan.tags, &session.name, policy, session.duration)
    )
}

impl Boundary {
    /// What tells it from others.
    fn told(&self) -> &str {
        match self {
            Boundary::Arn(arn) => arn,
            Boundary::Document(policy) => policy.source().fragment(),
        }
    }
}

fn lasts(signed_in: &SignedIn) -> bool {
    let left = signed_in.credentials.expiry().and_then(|end| end.duration_since(SystemTime::now()).ok());
    left.is_some_and(|left| left > NEAR_EXPIRY)
}

/// Whether the role allows what the policies under test do, and no more.
async fn compare(connection: &Connection, plan: &Plan, role_arn: &str) -> Result<(), Error> {
    let under_test = plan.policies_with_managed(connection).await?;
    let role = Standing::role(connection, role_arn).await?;
    same(&under_test, &role.policies, role_arn)
}

fn same(under_test: &PolicySet, role: &PolicySet, role_arn: &str) -> Result<(), Error> {
    let (wanted, had) = (texts(under_test), texts(role));
    if wanted == had {
        return Ok(());
    }
    let (test, standing) = (under_test.permissions(), role.permissions());
    let differ = |problem: String| {
        Error::new(
            ErrorKind::Policy,
            format!("role `{role_arn}` is not as the policies under test: {problem}"),
        )
        .note("nothing was created")
        .note(format!("the role's policies (-) and those under test (+):\n{}", changes(&had, &wanted)))
        .note("help: put the policies under test on the role, or test them with `IAM_FIXTURE_MODE=role`")
    };
    match standing.is_subset(&test) {
        Answer::No(example) => return Err(differ(format!("it may do more, {example}"))),
        Answer::Unknown(why) => return Err(differ(format!("whether it may do more cannot be told: {why}"))),
        Answer::Yes => {}
    }
    match test.is_subset(&standing) {
        Answer::No(example) => Err(differ(format!("it may do less, {example}"))),
        Answer::Unknown(why) => Err(differ(format!("whether it may do less cannot be told: {why}"))),
        Answer::Yes => Ok(()),
    }
}

/// The policies in a form that does not depend on how they are written.
fn texts(policies: &PolicySet) -> String {
    let canonical = |policy: &Policy| {
        let json = policy.to_json();
        let value = serde_json::from_str::<serde_json::Value>(&json);
        value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or(json)
    };
    let mut identity: Vec<_> = policies.identity.iter().map(canonical).collect();
    identity.sort();
    let boundary =
        policies.boundary.iter().map(|policy| format!("permissions boundary {}", canonical(policy)));
    identity.into_iter().chain(boundary).map(|text| text + "\n").collect()
}

/// The lines that differ, with those around them.
fn changes(old: &str, new: &str) -> String {
    const AROUND: usize = 3;
    let lines = diff::lines(old, new);
    let is_near_change = |at: usize| {
        let around = lines.iter().take(at + AROUND + 1).skip(at.saturating_sub(AROUND));
        { around }.any(|line| !matches!(line, Both(..)))
    };
    let mut text = String::new();
    let mut is_left_out = false;
    for (at, line) in lines.iter().enumerate() {
        if !is_near_change(at) {
            is_left_out = true;
            continue;
        }
        if mem::take(&mut is_left_out) {
            text.push_str("…\n");
        }
        let (sign, line) = match line {
            Left(line) => ("-", line),
            Both(line, _) => (" ", line),
            Right(line) => ("+", line),
        };
        text.extend([sign, line, "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use iam_policy::PolicyKind;

    use super::*;

    const ARN: &str = "arn:aws:iam::123456789012:role/reader";

    fn set(policies: &[&str]) -> PolicySet {
        let parse = |text: &&str| Policy::parse(*text, PolicyKind::Identity).expect("a policy");
        let identity = policies.iter().map(parse).collect::<Vec<_>>();
        PolicySet { identity: identity.into(), ..PolicySet::default() }
    }

    fn allow(action: &str) -> String {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": {action}, "Resource": "*"}}}}"#
        )
    }

    #[test]
    fn policies_are_the_same_by_what_they_mean() {
        let both = allow(r#"["s3:GetObject", "s3:ListBucket"]"#);
        let (get, list) = (allow(r#""s3:GetObject""#), allow(r#""s3:ListBucket""#));
        same(&set(&[&both]), &set(&[&list, &get]), ARN).expect("they mean the same");
        same(&set(&[&get, &list]), &set(&[&list, &get]), ARN).expect("their order does not matter");
    }

    #[test]
    fn a_difference_either_way_is_told_with_a_request_and_a_diff() {
        let (get, any) = (allow(r#""s3:GetObject""#), allow(r#"["s3:DeleteObject", "s3:GetObject"]"#));
        for (test, role, what) in [(&get, &any, "it may do more"), (&any, &get, "it may do less")] {
            let error = same(&set(&[test]), &set(&[role]), ARN).expect_err("they differ");
            let error = error.to_string();
            assert!(
                error.starts_with(&format!(
                    "role `{ARN}` is not as the policies under test: {what}, `s3:DeleteObject`"
                )),
                "{error}"
            );
            let sign = if what.ends_with("more") { '-' } else { '+' };
            assert!(
                error.lines().any(|line| line.starts_with(sign) && line.contains("\"s3:DeleteObject\"")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_diff_shows_what_stands_around_a_change_and_leaves_out_the_rest() {
        let (old, new) = ("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", "a\nb\nc\nd\nE\nf\ng\nh\ni\nj\n");
        let told = "…\n b\n c\n d\n-e\n+E\n f\n g\n h\n";
        assert_eq!(changes(old, new), told);
        assert_eq!(changes("a\n", "a\nb\n"), " a\n+b\n \n");
    }
}
