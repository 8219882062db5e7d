//! IAM's state and its rules, over signed requests.

mod common;

use common::{Client, TRUST};
use iam_endpoint::{Endpoint, Outcome};
use iam_policy::{Policy, PolicyKind, Source};

fn administrator() -> Client {
    Client::administrator(&Endpoint::new())
}

fn allow(action: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}}}"#
    )
}

async fn create_role(admin: &Client, name: &str) {
    let parameters = [("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", TRUST)];
    admin.query("iam", &parameters).await.ok();
}

#[tokio::test]
async fn a_role_lives_from_its_creation_to_its_deletion() {
    let admin = administrator();
    let created = admin
        .query(
            "iam",
            &[
                ("Action", "CreateRole"),
                ("RoleName", "reader"),
                ("Path", "/team/a/"),
                ("AssumeRolePolicyDocument", TRUST),
                ("Description", "reads <all>"),
                ("MaxSessionDuration", "7200"),
                ("Tags.member.1.Key", "stage"),
                ("Tags.member.1.Value", "test"),
            ],
        )
        .await
        .ok();
    assert_eq!(created.text("Arn"), "arn:aws:iam::123456789012:role/team/a/reader");
    assert!(created.text("RoleId").starts_with("AROA") && created.text("RoleId").len() == 21);
    let read = admin.query("iam", &[("Action", "GetRole"), ("RoleName", "reader")]).await.ok();
    assert_eq!(read.text("Description"), "reads &lt;all&gt;");
    assert_eq!(read.text("MaxSessionDuration"), "7200");
    assert_eq!(read.text("Key"), "stage");
    assert!(read.text("AssumeRolePolicyDocument").starts_with("%7B%0A"));

    let policy = [
        ("Action", "PutRolePolicy"),
        ("RoleName", "reader"),
        ("PolicyName", "p"),
        ("PolicyDocument", &*allow("s3:*")),
    ];
    admin.query("iam", &policy).await.ok();
    let attach = |action| {
        [
            ("Action", action),
            ("RoleName", "reader"),
            ("PolicyArn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"),
        ]
    };
    admin.query("iam", &attach("AttachRolePolicy")).await.ok();
    let delete = [("Action", "DeleteRole"), ("RoleName", "reader")];
    admin.query("iam", &delete).await.fails(409, "DeleteConflict");
    admin.query("iam", &attach("DetachRolePolicy")).await.ok();
    admin.query("iam", &attach("DetachRolePolicy")).await.fails(404, "NoSuchEntity");
    admin.query("iam", &delete).await.fails(409, "DeleteConflict");
    admin.query("iam", &[("Action", "DeleteRolePolicy"), policy[1], policy[2]]).await.ok();
    admin.query("iam", &delete).await.ok();
    admin.query("iam", &delete).await.fails(404, "NoSuchEntity");
}

#[tokio::test]
async fn names_are_taken_whatever_their_case() {
    let admin = administrator();
    create_role(&admin, "Reader").await;
    let again = [("Action", "CreateRole"), ("RoleName", "reader"), ("AssumeRolePolicyDocument", TRUST)];
    let answer = admin.query("iam", &again).await.fails(409, "EntityAlreadyExists");
    assert_eq!(answer.event.outcome, Outcome::Failed);
}

#[tokio::test]
async fn lists_come_in_pages_and_by_path() {
    let admin = administrator();
    for (name, path) in [("a", "/x/"), ("b", "/x/y/"), ("c", "/"), ("d", "/x/")] {
        let parameters = [
            ("Action", "CreateRole"),
            ("RoleName", name),
            ("Path", path),
            ("AssumeRolePolicyDocument", TRUST),
        ];
        admin.query("iam", &parameters).await.ok();
    }
    let list = [("Action", "ListRoles"), ("PathPrefix", "/x/"), ("MaxItems", "2")];
    let first = admin.query("iam", &list).await.ok();
    assert_eq!(first.body.matches("<member>").count(), 2);
    assert_eq!(first.text("IsTruncated"), "true");
    let second =
        admin.query("iam", &[list[0], list[1], list[2], ("Marker", first.text("Marker"))]).await.ok();
    assert_eq!((second.text("RoleName"), second.text("IsTruncated")), ("d", "false"));
    let not_hex = [list[0], ("Marker", "nonsense")];
    admin.query("iam", &not_hex).await.fails(400, "ValidationError");
}

#[tokio::test]
async fn lists_tell_no_tags() {
    let admin = administrator();
    create_role(&admin, "r").await;
    let tag =
        [("Action", "TagRole"), ("RoleName", "r"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    admin.query("iam", &tag).await.ok();
    assert!(!admin.query("iam", &[("Action", "ListRoles")]).await.ok().body.contains("<Tags>"));
    let tags = admin.query("iam", &[("Action", "ListRoleTags"), ("RoleName", "r")]).await.ok();
    assert_eq!((tags.text("Key"), tags.text("Value")), ("k", "v"));
    let untag = [("Action", "UntagRole"), ("RoleName", "r"), ("TagKeys.member.1", "k")];
    admin.query("iam", &untag).await.ok();
    assert!(
        !admin
            .query("iam", &[("Action", "ListRoleTags"), ("RoleName", "r")])
            .await
            .ok()
            .body
            .contains("<Key>")
    );
}

#[tokio::test]
async fn a_policy_that_is_none_is_refused_with_its_place() {
    let admin = administrator();
    create_role(&admin, "r").await;
    let put = |document| {
        [("Action", "PutRolePolicy"), ("RoleName", "r"), ("PolicyName", "p"), ("PolicyDocument", document)]
    };
    for document in [
        "{",
        r#"{"Statement": [{"Effect": "Maybe", "Action": "*", "Resource": "*"}]}"#,
        r#"{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEqual": {"aws:userid": "x"}}}]}"#,
        r#"{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"aws:NoSuchKey": "x"}}}]}"#,
    ] {
        let answer = admin.query("iam", &put(document)).await.fails(400, "MalformedPolicyDocument");
        assert!(answer.body.contains(":1:"), "{}", answer.body);
    }
    let long = format!(
        r#"{{"Statement": {{"Effect": "Allow", "Action": "s3:{}", "Resource": "*"}}}}"#,
        "a".repeat(10_240)
    );
    admin.query("iam", &put(&long)).await.fails(409, "LimitExceeded");
}

#[tokio::test]
async fn a_boundary_limits_and_is_named() {
    let admin = administrator();
    let bounded = admin.role("r", &allow("iam:*")).await;
    let document = allow("sts:*");
    let create = [("Action", "CreatePolicy"), ("PolicyName", "only-sts"), ("PolicyDocument", &*document)];
    let arn = admin.query("iam", &create).await.ok().text("Arn").to_owned();
    assert_eq!(arn, "arn:aws:iam::123456789012:policy/only-sts");
    let read = [("Action", "GetRole"), ("RoleName", "r")];
    bounded.query("iam", &read).await.ok();
    let put = [("Action", "PutRolePermissionsBoundary"), ("RoleName", "r"), ("PermissionsBoundary", &*arn)];
    admin.query("iam", &put).await.ok();
    let answer = bounded.query("iam", &read).await.fails(403, "AccessDenied");
    assert!(
        answer.body.contains("because no permissions boundary allows the iam:GetRole action"),
        "{}",
        answer.body
    );
    let delete = [("Action", "DeletePolicy"), ("PolicyArn", &*arn)];
    admin.query("iam", &delete).await.fails(409, "DeleteConflict");
    admin.query("iam", &[("Action", "DeleteRolePermissionsBoundary"), ("RoleName", "r")]).await.ok();
    bounded.query("iam", &read).await.ok();
    admin.query("iam", &delete).await.ok();
}

#[tokio::test]
async fn conditions_see_tags_boundaries_and_policies() {
    let admin = administrator();
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:TagRole", "Resource": "*", "Condition": {
            "StringEquals": {"aws:RequestTag/team": "a", "aws:ResourceTag/owner": "me"},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}},
        {"Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": "*", "Condition": {
            "ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}}]}"#;
    let caller = admin.role("caller", policy).await;
    create_role(&admin, "mine").await;
    let tag = |role, key, value| {
        [
            ("Action", "TagRole"),
            ("RoleName", role),
            ("Tags.member.1.Key", key),
            ("Tags.member.1.Value", value),
        ]
    };
    admin.query("iam", &tag("mine", "owner", "me")).await.ok();
    caller.query("iam", &tag("mine", "team", "a")).await.ok();
    caller.query("iam", &tag("mine", "team", "b")).await.fails(403, "AccessDenied");
    caller.query("iam", &tag("mine", "stage", "a")).await.fails(403, "AccessDenied");
    caller.query("iam", &tag("caller", "team", "a")).await.fails(403, "AccessDenied");
    let attach = |arn| [("Action", "AttachRolePolicy"), ("RoleName", "mine"), ("PolicyArn", arn)];
    caller.query("iam", &attach("arn:aws:iam::aws:policy/ReadOnlyAccess")).await.ok();
    caller
        .query("iam", &attach("arn:aws:iam::aws:policy/AdministratorAccess"))
        .await
        .fails(403, "AccessDenied");
}

#[tokio::test]
async fn a_known_policy_is_told_by_its_file() {
    let admin = administrator();
    let text = allow("s3:GetObject").replace("Allow", "Deny");
    let policy = Policy::parse(Source::new("policies/reader.json", text.clone()), PolicyKind::Identity);
    admin.endpoint.know(&policy.expect("a policy"));
    let nobody = admin.role("nobody", &text.replace("s3:GetObject", "*")).await;
    let answer = nobody.query("iam", &[("Action", "ListRoles")]).await.fails(403, "AccessDenied");
    assert!(answer.body.contains("with an explicit deny in an identity-based policy"), "{}", answer.body);
    assert!(!answer.event.authorizations[0].explain().to_string().contains("policies/reader.json"));

    let text = text.replace("s3:GetObject", "iam:ListRoles");
    let policy = Policy::parse(Source::new("policies/reader.json", text.clone()), PolicyKind::Identity);
    admin.endpoint.know(&policy.expect("a policy"));
    let reader = admin.role("reader", &text).await;
    let answer = reader.query("iam", &[("Action", "ListRoles")]).await.fails(403, "AccessDenied");
    assert!(answer.event.authorizations[0].explain().to_string().contains("policies/reader.json:1:"));
}

#[tokio::test]
async fn users_call_with_their_keys() {
    let admin = administrator();
    admin.query("iam", &[("Action", "CreateUser"), ("UserName", "alice"), ("Path", "/staff/")]).await.ok();
    let document = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:*",
        "Resource": "arn:aws:iam::*:user/staff/${aws:username}"}}"#;
    let put = [
        ("Action", "PutUserPolicy"),
        ("UserName", "alice"),
        ("PolicyName", "self"),
        ("PolicyDocument", document),
    ];
    admin.query("iam", &put).await.ok();
    let key = admin.query("iam", &[("Action", "CreateAccessKey"), ("UserName", "alice")]).await.ok();
    let credentials = iam_endpoint::Credentials::new(key.text("AccessKeyId"), key.text("SecretAccessKey"));
    let alice = Client::new(&admin.endpoint, credentials);
    let read = alice.query("iam", &[("Action", "GetUser")]).await.ok();
    assert_eq!(read.text("Arn"), "arn:aws:iam::123456789012:user/staff/alice");
    alice
        .query("iam", &[("Action", "GetUser"), ("UserName", "administrator")])
        .await
        .fails(403, "AccessDenied");
    let delete =
        [("Action", "DeleteAccessKey"), ("UserName", "alice"), ("AccessKeyId", key.text("AccessKeyId"))];
    admin.query("iam", &delete).await.ok();
    alice.query("iam", &[("Action", "GetUser")]).await.fails(403, "InvalidClientTokenId");
}

#[tokio::test]
async fn an_instance_profile_holds_its_role() {
    let admin = administrator();
    create_role(&admin, "r").await;
    admin.query("iam", &[("Action", "CreateInstanceProfile"), ("InstanceProfileName", "p")]).await.ok();
    let role = |action| [("Action", action), ("InstanceProfileName", "p"), ("RoleName", "r")];
    let add = admin.query("iam", &role("AddRoleToInstanceProfile")).await.ok();
    assert_eq!(add.event.authorizations[1].action(), "iam:PassRole");
    let list = admin.query("iam", &[("Action", "ListInstanceProfilesForRole"), ("RoleName", "r")]).await.ok();
    assert_eq!(list.text("InstanceProfileName"), "p");
    admin.query("iam", &[("Action", "DeleteRole"), ("RoleName", "r")]).await.fails(409, "DeleteConflict");
    admin.query("iam", &role("RemoveRoleFromInstanceProfile")).await.ok();
    admin.query("iam", &[("Action", "DeleteRole"), ("RoleName", "r")]).await.ok();
}

#[tokio::test]
async fn aws_managed_policies_are_there() {
    let admin = administrator();
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let read = admin.query("iam", &[("Action", "GetPolicy"), ("PolicyArn", arn)]).await.ok();
    assert_eq!(read.text("PolicyName"), "ReadOnlyAccess");
    let version =
        [("Action", "GetPolicyVersion"), ("PolicyArn", arn), ("VersionId", read.text("DefaultVersionId"))];
    let version = admin.query("iam", &version).await.ok();
    assert!(version.text("Document").contains("Allow"));
    let attached = [("Action", "ListPolicies"), ("OnlyAttached", "true")];
    assert_eq!(admin.query("iam", &attached).await.ok().text("PolicyName"), "AdministratorAccess");
}

#[tokio::test]
async fn making_a_role_with_tags_needs_the_permission_to_tag() {
    let admin = administrator();
    let maker = admin.role("maker", &allow("iam:CreateRole")).await;
    let make = [("Action", "CreateRole"), ("RoleName", "made"), ("AssumeRolePolicyDocument", TRUST)];
    let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    let answer = maker.query("iam", &[make.as_slice(), &tag].concat()).await.fails(403, "AccessDenied");
    assert!(answer.body.contains("iam:TagRole"), "{}", answer.body);
    maker.query("iam", &make).await.ok();
}

#[tokio::test]
async fn a_key_that_the_endpoint_does_not_know_is_neither_allowed_nor_denied() {
    let admin = administrator();
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringEquals": {"s3:JobSuspendedCause": "a"}}}]}"#;
    let caller = admin.role("r", policy).await;
    let request =
        http::Request::get("https://some-bucket.s3.us-east-1.amazonaws.com/").body(bytes::Bytes::new());
    let answer = caller.send("s3", request.unwrap()).await.fails(501, "ConditionKeyNotEvaluable");
    assert!(answer.body.contains("`s3:JobSuspendedCause` at &lt;policy&gt;:3:9"), "{}", answer.body);
    assert_eq!(answer.event.outcome, Outcome::NotEvaluable);
}

#[test]
fn many_callers_do_not_disturb_each_other() {
    let shared = Endpoint::new();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let shared = &shared;
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    for index in 0..25 {
                        for admin in [Client::administrator(shared), administrator()] {
                            let name = format!("role-{thread}-{index}");
                            let role = admin.role(&name, &allow("iam:GetRole")).await;
                            role.query("iam", &[("Action", "GetRole"), ("RoleName", &name)]).await.ok();
                            role.query("iam", &[("Action", "ListRoles")]).await.fails(403, "AccessDenied");
                        }
                    }
                });
            });
        }
    });
    let of_one = shared.journal().of("arn:aws:iam::123456789012:role/role-0-0");
    let operations: Vec<_> = of_one.iter().map(|event| event.operation.as_str()).collect();
    assert_eq!(operations, ["iam:GetRole", "iam:ListRoles"]);
}

#[tokio::test]
async fn more_tags_than_there_may_be_are_refused_without_reading_them_all() {
    let admin = administrator();
    let names: Vec<_> = (1..=20_000).map(|n| format!("Tags.member.{n}.Key")).collect();
    let mut parameters = vec![("Action", "TagRole"), ("RoleName", "r")];
    parameters.extend(names.iter().map(|name| (name.as_str(), name.as_str())));
    admin.query("iam", &parameters).await.fails(409, "LimitExceeded");
}
