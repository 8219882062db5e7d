//! Session mode: one role with all permissions for all tests, and the policies under test as session policies.
//!
//! The role is made by whoever first finds that it cannot be assumed. Until it is shown to be live, only those who make it can
//! assume it, by an external id; opening it to all is the last step, so that whoever can assume it has a role that is live, and
//! what one process leaves half done, another completes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use iam_policy::{Answer, Policy, PolicyKind, PolicySet, Source};
use serde_json::Value;
use tokio::time::Instant;

use super::provision::{not_created, tags};
use super::ready::{self, Probes};
use super::remove::is;
use super::standing::Standing;
use super::{Boundary, Lease, Plan, SignedIn, assume, term};
use crate::backend::{Connection, compact, for_caller};
use crate::error::{Error, ErrorKind};
use crate::name;

/// With it, the role can be assumed before all can.
const MAKING: &str = "iam-fixture-making";

/// A session of the fixed role, limited to what the policies under test allow.
pub(super) async fn assume(lease: Arc<Lease>) -> Result<SignedIn, Error> {
    let (connection, plan) = (&*lease.connection, &lease.plan);
    let policy = session_policy(plan)?;
    let role = match &plan.session_role {
        Some(arn) => {
            covers(connection, plan, arn).await?;
            FixedRole::Given(arn)
        }
        None => FixedRole::Ours(OurRole::of(connection, plan)?),
    };
    let call = assume::call(connection, plan, role.arn())?;
    let call = call
        .set_policy(Some(connection.text_of(&policy).into_owned()))
        .set_policy_arns(policy_arns(&plan.managed))
        .set_tags(session_tags(&plan.tags)?);
    let signed_in = match (call.clone().send().await, &role) {
        (Ok(output), _) => assume::signed_in(role.arn().to_owned(), &output),
        (Err(error), FixedRole::Ours(role)) if is(&error, "AccessDenied") => {
            // Its future is large, and most sessions do not need it.
            Box::pin(role.make(connection, plan, call)).await
        }
        (Err(error), _) => Err(assume::failed(role.arn(), error)),
    };
    let signed_in = signed_in.map_err(|error| error.note("no role was created for the test"))?;
    if let Some(endpoint) = connection.endpoint() {
        endpoint.stand_for_role(&signed_in.session_arn);
    }
    Ok(SignedIn { is_shared: true, ..signed_in })
}

pub(super) fn session_tags(tags: &BTreeMap<String, String>) -> Result<Option<Vec<Tag>>, Error> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags = tags.collect::<Result<Vec<_>, _>>();
    let tags = tags.map_err(|error| Error::new(ErrorKind::Call, error.to_string()).caused_by(error))?;
    Ok((!tags.is_empty()).then_some(tags))
}

fn policy_arns(arns: &[String]) -> Option<Vec<PolicyDescriptorType>> {
    let arns: Vec<_> = arns.iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build()).collect();
    (!arns.is_empty()).then_some(arns)
}

/// The inline policies as one session policy.
///
/// There always is one: without, a session may do all that its role may.
fn session_policy(plan: &Plan) -> Result<Policy, Error> {
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
    const LIMIT: usize = 2_048;
    const MOST_MANAGED: usize = 10;
    /// Grants nothing, and denies nothing that a managed policy grants.
    const NOTHING: &str =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"*","Resource":"*"}]}"#;
    if plan.session.policy.is_some() {
        return Err(refused("the test limits it by a session policy already, and a session has one"));
    }
    if let Some(Boundary::Document(_)) = &plan.boundary {
        return Err(refused(
            "its permissions boundary is a document, and a session has none of its own; a managed policy can be the boundary of the one role",
        ));
    }
    if plan.managed.len() > MOST_MANAGED {
        return Err(refused(&format!(
            "it has {} managed policies, and a session has at most {MOST_MANAGED}",
            plan.managed.len()
        )));
    }
    let mut source = match plan.inline.as_slice() {
        [] => Source::inline(NOTHING),
        // As it stands in its file, for messages that name the place.
        [one] => one.source().clone(),
        several => Source::inline(merged(several)?),
    };
    let size = |source: &Source| source.fragment().chars().count();
    if size(&source) > LIMIT {
        source = Source::inline(compact(source.fragment()));
    }
    match size(&source) {
        ..=LIMIT => Policy::parse(source, PolicyKind::Session)
            .map_err(|problems| refused(&format!("as a session policy it is rejected\n{problems}"))),
        size => Err(refused(&format!("it has {size} characters, and a session policy has at most 2,048"))),
    }
}

/// The statements of all policies in one.
fn merged(policies: &[Policy]) -> Result<String, Error> {
    let mut all = Vec::new();
    let mut version = None;
    for policy in policies {
        let mut value: Value = serde_json::from_str(&policy.to_json())
            .map_err(|error| Error::new(ErrorKind::Policy, error.to_string()).caused_by(error))?;
        let own = value.get("Version").cloned();
        if version.get_or_insert_with(|| own.clone()) != &own {
            return Err(refused(
                "its policies are of different versions of the policy language, and a session has one policy",
            ));
        }
        match value.get_mut("Statement").map(Value::take) {
            Some(Value::Array(statements)) => all.extend(statements),
            Some(statement) => all.push(statement),
            None => {}
        }
    }
    let mut sids = Vec::new();
    for statement in all.iter_mut().filter_map(Value::as_object_mut) {
        // Each is one of its policy, and need not be of all.
        match statement.get("Sid").cloned() {
            Some(sid) if sids.contains(&sid) => drop(statement.remove("Sid")),
            sid => sids.extend(sid),
        }
    }
    let mut policy = serde_json::Map::new();
    policy.extend(version.flatten().map(|version| ("Version".to_owned(), version)));
    policy.insert("Statement".to_owned(), Value::Array(all));
    Ok(Value::Object(policy).to_string())
}

/// Whether a given role allows all that the policies under test do: what it does not would look like a denial by them.
async fn covers(connection: &Connection, plan: &Plan, role_arn: &str) -> Result<(), Error> {
    let role = Standing::role(connection, role_arn).await?;
    let under_test =
        PolicySet { boundary: [].into_iter().collect(), ..plan.policies_with_managed(connection).await? };
    match under_test.permissions().is_subset(&role.policies.permissions()) {
        Answer::Yes => Ok(()),
        Answer::No(example) => Err(refused(&format!(
            "the role of sessions, `{role_arn}`, does not allow all that it does: {example}"
        ))),
        Answer::Unknown(why) => Err(refused(&format!(
            "whether the role of sessions, `{role_arn}`, allows all that it does cannot be told: {why}"
        ))),
    }
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::SessionPolicy, format!("the policy under test cannot be tested in a session: {why}"))
        .note("nothing was created")
        .note("help: give it a role of its own, with `Mode::Role` or `Mode::SessionOrRole` (`IAM_FIXTURE_MODE=session-or-role`)")
}

/// Whose sessions tests have.
enum FixedRole<'a> {
    /// The settings name it.
    Given(&'a str),
    Ours(OurRole<'a>),
}

impl FixedRole<'_> {
    fn arn(&self) -> &str {
        match self {
            FixedRole::Given(arn) => arn,
            FixedRole::Ours(role) => &role.arn,
        }
    }
}

/// The role that is found by its name, and made if there is none.
struct OurRole<'a> {
    name: String,
    path: String,
    arn: String,
    boundary: Option<&'a str>,
}

impl<'a> OurRole<'a> {
    /// Whoever trusts another caller, or has another boundary, is another role.
    fn of(connection: &Connection, plan: &'a Plan) -> Result<Self, Error> {
        let caller = &connection.caller;
        if caller.contains(":assumed-role/") {
            return Err(refused(&format!(
                "the one role for all tests would trust the session `{caller}` alone, for the role behind it cannot be read: \
                 whoever runs the tests needs `iam:GetRole` on it, or names a role in `IAM_FIXTURE_SESSION_ROLE`"
            )));
        }
        let boundary = match &plan.boundary {
            Some(Boundary::Arn(arn)) => Some(arn.as_str()),
            Some(Boundary::Document(_)) | None => None,
        };
        // Not below a lease: no sweep touches it.
        let path = format!("{}session/", term::folder(&plan.path));
        let name = name::of_sessions(&plan.prefix, &[caller, &path, boundary.unwrap_or_default()]);
        let arn = format!("arn:{}:iam::{}:role{path}{name}", connection.partition, connection.account);
        Ok(Self { name, path, arn, boundary })
    }

    /// Makes it, or what is missing of it, and signs in.
    async fn make(
        &self,
        connection: &Connection,
        plan: &Plan,
        call: AssumeRoleFluentBuilder,
    ) -> Result<SignedIn, Error> {
        let _one_at_a_time = connection.standing.making.lock().await;
        // Another test may have made it while this one waited.
        if let Ok(output) = call.clone().send().await {
            return assume::signed_in(self.arn.clone(), &output);
        }
        self.create(connection, plan).await?;
        let began = Instant::now();
        self.attach_all_permissions(connection).await?;
        let call = call.external_id(MAKING);
        let deadline = plan.readiness.limit();
        let output = ready::assumed(connection, &self.name, deadline, began, || call.clone().send()).await?;
        let mut signed_in = assume::signed_in(self.arn.clone(), &output)?;
        if connection.propagates() {
            let probes = Probes::without_canary(plan, connection);
            signed_in.ready_after = ready::live(connection, plan, &probes, &signed_in, began).await?;
        }
        self.open(connection).await?;
        Ok(signed_in)
    }

    async fn create(&self, connection: &Connection, plan: &Plan) -> Result<(), Error> {
        let longest = Duration::from_hours(12);
        let call = connection.iam.create_role().role_name(&self.name).path(&self.path);
        let call = call
            .assume_role_policy_document(trust(connection, Some(MAKING)))
            .set_permissions_boundary(self.boundary.map(str::to_owned))
            .max_session_duration(assume::seconds(longest)?)
            .description("for the sessions of tests with iam-fixture")
            .set_tags(tags(&plan.run_tags)?);
        match call.send().await {
            Ok(_) => Ok(()),
            // Made before, by whomever.
            Err(error) if is(&error, "EntityAlreadyExists") => Ok(()),
            Err(error) => Err(not_created(&self.name, &plan.path, self.boundary.is_some(), error)),
        }
    }

    async fn attach_all_permissions(&self, connection: &Connection) -> Result<(), Error> {
        let all = connection.managed_arn("AdministratorAccess")?;
        let call = connection.iam.attach_role_policy().role_name(&self.name).policy_arn(&all).send();
        let outcome = call.await;
        outcome.map_err(|error| {
            Error::call(format_args!("`AttachRolePolicy` of `{all}` to role `{}`", self.name), error)
                .note(format!("role `{}` stays as it is; the next test goes on making it", self.name))
        })?;
        Ok(())
    }

    /// From here on all tests find it.
    async fn open(&self, connection: &Connection) -> Result<(), Error> {
        let call = connection.iam.update_assume_role_policy();
        let call = call.role_name(&self.name).policy_document(trust(connection, None)).send();
        let outcome = call.await;
        outcome.map_err(|error| {
            Error::call(format_args!("`UpdateAssumeRolePolicy` of `{}`", self.name), error)
                .note(format!("role `{}` stays as it is; the next test goes on making it", self.name))
        })?;
        Ok(())
    }
}

/// Lets the caller assume the role and tag its sessions, at first only with an external id.
fn trust(connection: &Connection, external_id: Option<&str>) -> String {
    let condition = external_id.map_or_else(String::new, |id| {
        format!(r#","Condition":{{"StringEquals":{{"sts:ExternalId":"{id}"}}}}"#)
    });
    let statement = |action: &str, condition: &str| {
        format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"${{caller}}"}},"Action":"{action}"{condition}}}"#)
    };
    let (assume, tag) = (statement("sts:AssumeRole", &condition), statement("sts:TagSession", ""));
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{assume},{tag}]}}"#);
    for_caller(&policy, &connection.caller)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(policies: &[&str]) -> Plan {
        let parse = |text: &&str| Policy::parse(*text, PolicyKind::Identity).expect("a policy");
        Plan { inline: policies.iter().map(parse).collect(), ..Plan::named("test") }
    }

    fn allow(sid: &str, action: &str) -> String {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Sid": "{sid}", "Effect": "Allow", "Action": "{action}", "Resource": "*"}}}}"#
        )
    }

    #[test]
    fn several_policies_become_one_that_means_the_same() {
        let (get, list) = (allow("Only", "s3:GetObject"), allow("Only", "s3:ListBucket"));
        let plan = plan(&[&get, &list]);
        let one = session_policy(&plan).expect("it fits");
        assert!(one.permissions().is_equivalent(&plan.policies().permissions()).is_yes());
    }

    #[test]
    fn a_role_that_may_do_nothing_has_a_session_that_may_do_nothing() {
        let policy = session_policy(&plan(&[])).expect("it fits");
        assert!(policy.permissions().is_empty().is_yes());
    }

    #[test]
    fn what_cannot_be_a_session_policy_is_refused_with_the_reason() {
        let long = allow("Long", &format!("s3:{}", "x".repeat(2_048)));
        let old = r#"{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#;
        let new = allow("New", "s3:GetObject");
        let limited = {
            let mut plan = plan(&[&new]);
            plan.session.policy = Some(Policy::parse(new.as_str(), PolicyKind::Session).expect("a policy"));
            plan
        };
        let bounded = Plan {
            boundary: Some(Boundary::Document(
                Policy::parse(new.as_str(), PolicyKind::Boundary).expect("a policy"),
            )),
            ..plan(&[])
        };
        let managed = Plan { managed: vec![String::new(); 11], ..plan(&[]) };
        for (plan, why) in [
            (plan(&[&long]), "characters, and a session policy has at most 2,048"),
            (plan(&[old, &new]), "different versions"),
            (limited, "by a session policy already"),
            (bounded, "its permissions boundary is a document"),
            (managed, "it has 11 managed policies"),
        ] {
            let error = session_policy(&plan).expect_err(why);
            assert_eq!(error.kind(), ErrorKind::SessionPolicy);
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn white_space_does_not_make_a_policy_too_long() {
        let spacious = allow("Spacious", "s3:GetObject").replace(' ', &" ".repeat(300));
        let policy = session_policy(&plan(&[&spacious])).expect("it fits");
        assert!(policy.source().text().len() < 200, "{}", policy.source().text());
    }
}
