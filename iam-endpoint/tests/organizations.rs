//! Service and resource control policies of an organization.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::Client;
use common::s3::S3;
use iam_endpoint::{Endpoint, Organization, Target};
use iam_policy::{Policy, PolicyKind, Source};

const ORGANIZATION: &str = "o-a1b2c3d4e5";
const MANAGEMENT: &str = "111122223333";
const MEMBER: &str = "222233334444";
const SIBLING: &str = "333344445555";
const STRANGER: &str = "999988887777";

fn policy(kind: PolicyKind, name: &str, statement: &str) -> Policy {
    let text = format!("{{\"Version\": \"2012-10-17\",\n \"Statement\": {statement}}}");
    Policy::parse(Source::new(name, text), kind).unwrap()
}

fn scp(statement: &str) -> Policy {
    policy(PolicyKind::ServiceControl, "scp.json", statement)
}

fn rcp(statement: &str) -> Policy {
    policy(PolicyKind::ResourceControl, "rcp.json", statement)
}

/// The root, a unit with the member, and beside it the sibling; each as the test wants it.
fn organize(endpoint: &Endpoint, change: impl Fn(Target) -> Target) {
    let unit = change(Target::new("ou-ab12-11111111")).with(change(Target::new(MEMBER)));
    let root = change(Target::new("r-ab12")).with(unit).with(Target::new(SIBLING));
    endpoint.set_organization(Organization::new(ORGANIZATION, MANAGEMENT, root));
}

/// Attaches to one target only.
fn at(id: &'static str, attach: impl Fn(Target) -> Target) -> impl Fn(Target) -> Target {
    move |target| {
        if format!("{target:?}").contains(&format!("id: \"{id}\"")) { attach(target) } else { target }
    }
}

fn administrator(endpoint: &Endpoint, account: &str) -> Client {
    Client::administrator(&endpoint.account(account))
}

#[tokio::test]
async fn a_service_control_policy_limits_the_accounts_below_it_and_not_the_management_account() {
    let endpoint = Endpoint::new();
    let deny = scp(r#"{"Sid": "NoBuckets", "Effect": "Deny", "Action": "s3:CreateBucket", "Resource": "*"}"#);
    for (id, denied) in
        [("r-ab12", vec![MEMBER, SIBLING]), ("ou-ab12-11111111", vec![MEMBER]), (MEMBER, vec![MEMBER])]
    {
        organize(&endpoint, at(id, |target| target.scp(deny.clone())));
        for account in [MEMBER, SIBLING, MANAGEMENT, STRANGER] {
            let answer = administrator(&endpoint, account).put(&format!("/{id}-{account}"), "").await;
            if !denied.contains(&account) {
                answer.ok();
                continue;
            }
            let answer = answer.fails(403, "AccessDenied");
            assert!(
                answer.body.contains("with an explicit deny in a service control policy"),
                "{}",
                answer.body
            );
            let decision = &answer.event.authorizations[0].decision;
            assert_eq!(decision.by[0].to_string(), "statement 0 (`NoBuckets`) of scp.json:2:15");
        }
    }
}

#[tokio::test]
async fn every_level_must_allow_what_a_service_control_policy_is_asked_for() {
    let endpoint = Endpoint::new();
    let reading = scp(r#"{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}"#);
    organize(&endpoint, at("ou-ab12-11111111", |target| target.without_full_access().scp(reading.clone())));
    let answer = administrator(&endpoint, MEMBER).put("/bucket", "").await.fails(403, "AccessDenied");
    assert!(
        answer.body.contains("because no service control policy allows the s3:CreateBucket action"),
        "{}",
        answer.body
    );
    let explanation = answer.event.authorizations[0].explain().to_string();
    assert!(explanation.contains("scp.json:2"), "{explanation}");
    administrator(&endpoint, SIBLING).put("/bucket", "").await.ok();
}

#[tokio::test]
async fn a_service_linked_role_is_not_limited() {
    let endpoint = Endpoint::new();
    let member = administrator(&endpoint, MEMBER);
    let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "222233334444"},
        "Action": "sts:AssumeRole"}}"#;
    for (name, path) in [("Linked", "/aws-service-role/example.amazonaws.com/"), ("Plain", "/")] {
        let create = [
            ("Action", "CreateRole"),
            ("RoleName", name),
            ("Path", path),
            ("AssumeRolePolicyDocument", trust),
        ];
        member.query("iam", &create).await.ok();
        let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
        let attach = [("Action", "AttachRolePolicy"), ("RoleName", name), ("PolicyArn", arn)];
        member.query("iam", &attach).await.ok();
    }
    let deny = scp(r#"{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}"#);
    organize(&endpoint, at("r-ab12", |target| target.scp(deny.clone())));
    for (role, status) in [("aws-service-role/example.amazonaws.com/Linked", 200), ("Plain", 403)] {
        let arn = format!("arn:aws:iam::{MEMBER}:role/{role}");
        let assume = [("Action", "AssumeRole"), ("RoleArn", &*arn), ("RoleSessionName", "session")];
        let credentials = member.query("sts", &assume).await.ok().credentials();
        let session = Client { credentials, ..member.clone() };
        assert_eq!(session.get("/").await.status, status, "{role}");
    }
}

#[tokio::test]
async fn a_resource_control_policy_limits_whoever_reaches_for_a_members_resources() {
    let endpoint = Endpoint::new();
    let owner = administrator(&endpoint, MEMBER);
    owner.put("/shared", "").await.ok();
    let to_all = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS":
        ["333344445555", "999988887777"]}, "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::shared"}}"#;
    owner.put("/shared?policy", to_all).await.is(204);
    let perimeter = rcp(r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
            "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}"#);
    administrator(&endpoint, STRANGER).get("/shared").await.ok();
    organize(&endpoint, at("ou-ab12-11111111", |target| target.rcp(perimeter.clone())));
    owner.get("/shared").await.ok();
    administrator(&endpoint, SIBLING).get("/shared").await.ok();
    let denied = administrator(&endpoint, STRANGER).get("/shared").await.fails(403, "AccessDenied");
    assert!(denied.body.contains("with an explicit deny in a resource control policy"), "{}", denied.body);
    // IAM's resources are none that such policies are for.
    let everything =
        rcp(r#"{"Effect": "Deny", "Principal": "*", "Action": ["s3:*", "sqs:*", "sts:*"], "Resource": "*"}"#);
    organize(&endpoint, at(MEMBER, |target| target.rcp(everything.clone())));
    owner.query("iam", &[("Action", "ListUsers")]).await.ok();
    owner.get("/shared").await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn conditions_see_the_organization_and_the_place_in_it() {
    let endpoint = Endpoint::new();
    let owner = administrator(&endpoint, SIBLING);
    owner.put("/shared", "").await.ok();
    organize(&endpoint, |target| target);
    for (conditions, status) in [
        (
            r#""StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:ResourceOrgID": "${aws:PrincipalOrgID}"}"#,
            200,
        ),
        (
            r#""ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"}"#,
            200,
        ),
        (r#""ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/"}"#, 403),
        (r#""ForAnyValue:StringEquals": {"aws:ResourceOrgPaths": "o-a1b2c3d4e5/r-ab12/"}"#, 200),
        (r#""StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}"#, 403),
    ] {
        let policy = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": {{"AWS": "{MEMBER}"}},
                "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::shared", "Condition": {{{conditions}}}}}}}"#
        );
        owner.put("/shared?policy", &policy).await.is(204);
        assert_eq!(administrator(&endpoint, MEMBER).get("/shared").await.status, status, "{conditions}");
    }
}
