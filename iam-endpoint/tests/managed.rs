//! Managed policies, the account, and what reports tell of all, over signed requests.

mod common;

use common::{Client, TRUST, allowing};
use iam_endpoint::Endpoint;

fn administrator() -> Client {
    Client::administrator(&Endpoint::new())
}

async fn create_policy(admin: &Client, name: &str, actions: &str) -> String {
    let document = allowing(actions);
    let made = admin.iam("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", &document)]).await.ok();
    made.text("Arn").to_owned()
}

#[tokio::test]
async fn the_default_version_decides() {
    let admin = administrator();
    let arn = create_policy(&admin, "p", r#""iam:ListUsers""#).await;
    let caller = admin.role("r", &allowing(r#""sts:*""#)).await;
    admin.iam("AttachRolePolicy", &[("RoleName", "r"), ("PolicyArn", &arn)]).await.ok();
    caller.iam("ListUsers", &[]).await.ok();
    caller.iam("ListRoles", &[]).await.fails(403, "AccessDenied");
    let document = allowing(r#""iam:ListRoles""#);
    let next = [("PolicyArn", &*arn), ("PolicyDocument", &*document)];
    let made = admin.iam("CreatePolicyVersion", &next).await.ok();
    assert_eq!((made.text("VersionId"), made.text("IsDefaultVersion")), ("v2", "false"));
    caller.iam("ListUsers", &[]).await.ok();
    admin.iam("SetDefaultPolicyVersion", &[next[0], ("VersionId", "v2")]).await.ok();
    caller.iam("ListUsers", &[]).await.fails(403, "AccessDenied");
    caller.iam("ListRoles", &[]).await.ok();
    assert_eq!(admin.iam("GetPolicy", &next[..1]).await.ok().text("DefaultVersionId"), "v2");
}

#[tokio::test]
async fn a_policy_has_five_versions_and_goes_with_the_last() {
    let admin = administrator();
    let arn = create_policy(&admin, "p", r#""s3:*""#).await;
    let document = allowing(r#""sqs:*""#);
    let next = [("PolicyArn", &*arn), ("PolicyDocument", &*document), ("SetAsDefault", "true")];
    for number in 2..=5 {
        let made = admin.iam("CreatePolicyVersion", &next).await.ok();
        assert_eq!(made.text("VersionId"), format!("v{number}"));
    }
    let full = admin.iam("CreatePolicyVersion", &next).await.fails(409, "LimitExceeded");
    assert!(full.text("Message").starts_with("A managed policy can have up to 5 versions."));
    let first = admin.iam("ListPolicyVersions", &[next[0], ("MaxItems", "3")]).await.ok();
    assert_eq!(first.all("VersionId"), ["v5", "v4", "v3"]);
    let rest = admin.iam("ListPolicyVersions", &[next[0], ("Marker", first.text("Marker"))]).await.ok();
    assert_eq!((rest.all("VersionId"), rest.text("IsTruncated")), (vec!["v2", "v1"], "false"));
    let version = |id| [next[0], ("VersionId", id)];
    let default = admin.iam("DeletePolicyVersion", &version("v5")).await.fails(409, "DeleteConflict");
    assert_eq!(default.text("Message"), "Cannot delete the default version of a policy.");
    admin.iam("DeletePolicy", &next[..1]).await.fails(409, "DeleteConflict");
    for id in ["v1", "v2", "v3", "v4"] {
        admin.iam("DeletePolicyVersion", &version(id)).await.ok();
    }
    admin.iam("GetPolicyVersion", &version("v1")).await.fails(404, "NoSuchEntity");
    // Numbers are not used again.
    assert_eq!(admin.iam("CreatePolicyVersion", &next).await.ok().text("VersionId"), "v6");
    admin.iam("DeletePolicyVersion", &version("v5")).await.ok();
    admin.iam("DeletePolicy", &next[..1]).await.ok();
    admin.iam("GetPolicy", &next[..1]).await.fails(404, "NoSuchEntity");
}

#[tokio::test]
async fn attachments_are_counted_and_listed() {
    let admin = administrator();
    let arn = create_policy(&admin, "p", r#""s3:*""#).await;
    let policy = ("PolicyArn", arn.as_str());
    admin.iam("CreateUser", &[("UserName", "u")]).await.ok();
    admin.iam("CreateGroup", &[("GroupName", "g")]).await.ok();
    let create = [("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST), ("PermissionsBoundary", &arn)];
    admin.iam("CreateRole", &create).await.ok();
    admin.iam("AttachUserPolicy", &[("UserName", "u"), policy]).await.ok();
    admin.iam("AttachGroupPolicy", &[("GroupName", "g"), policy]).await.ok();
    let read = admin.iam("GetPolicy", &[policy]).await.ok();
    assert_eq!((read.text("AttachmentCount"), read.text("PermissionsBoundaryUsageCount")), ("2", "1"));
    let entities = |more: Vec<(&'static str, &'static str)>| {
        let parameters = [&[policy][..], &more].concat();
        let admin = admin.clone();
        async move {
            let answer = admin.iam("ListEntitiesForPolicy", &parameters).await.ok();
            ["GroupName", "RoleName", "UserName"].map(|name| answer.all(name).join(","))
        }
    };
    assert_eq!(entities(vec![]).await, ["g", "r", "u"]);
    assert_eq!(entities(vec![("EntityFilter", "Group")]).await, ["g", "", ""]);
    assert_eq!(entities(vec![("PolicyUsageFilter", "PermissionsBoundary")]).await, ["", "r", ""]);
    assert_eq!(entities(vec![("MaxItems", "1")]).await, ["g", "", ""]);
    admin.iam("DeletePolicy", &[policy]).await.fails(409, "DeleteConflict");
    let attached = admin.iam("ListAttachedGroupPolicies", &[("GroupName", "g")]).await.ok();
    assert_eq!((attached.text("PolicyName"), attached.text("PolicyArn")), ("p", &*arn));
    let wrong = [("UserName", "u"), ("PolicyArn", "arn:aws:iam::123456789012:policy/q/p")];
    admin.iam("AttachUserPolicy", &wrong).await.fails(404, "NoSuchEntity");
}

#[tokio::test]
async fn all_policies_come_in_pages() {
    let admin = administrator();
    create_policy(&admin, "mine", r#""s3:*""#).await;
    let list = |more: &[(&'static str, &'static str)]| {
        let (admin, more) = (admin.clone(), more.to_vec());
        async move {
            let (mut names, mut marker) = (Vec::new(), String::new());
            loop {
                let mut parameters = more.clone();
                if !marker.is_empty() {
                    parameters.push(("Marker", &marker));
                }
                let page = admin.iam("ListPolicies", &parameters).await.ok();
                names.extend(page.all("PolicyName").into_iter().map(str::to_owned));
                let next = page.text("Marker").to_owned();
                if next.is_empty() {
                    return names;
                }
                marker = next;
            }
        }
    };
    let aws = list(&[("Scope", "AWS"), ("MaxItems", "1000")]).await;
    assert!(aws.len() > 1_000 && aws.contains(&"ReadOnlyAccess".to_owned()));
    let all = list(&[("MaxItems", "999")]).await;
    assert_eq!(all.len(), aws.len() + 1);
    assert_eq!(list(&[("Scope", "Local")]).await, ["mine"]);
    assert_eq!(list(&[("OnlyAttached", "true")]).await, ["AdministratorAccess"]);
    let jobs = list(&[("PathPrefix", "/job-function/")]).await;
    assert!(jobs.contains(&"ViewOnlyAccess".to_owned()) && !jobs.contains(&"ReadOnlyAccess".to_owned()));
    // AWS names no ARN for this list.
    let caller = admin
        .role(
            "caller",
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListPolicies", "Resource": "arn:aws:iam::*:policy/*"}}"#,
        )
        .await;
    let denied = caller.iam("ListPolicies", &[]).await.fails(403, "AccessDenied");
    assert!(denied.body.contains("on resource: policy path / because"), "{}", denied.body);
}

#[tokio::test]
async fn an_account_has_an_alias_and_a_password_policy() {
    let admin = administrator();
    admin.iam("CreateAccountAlias", &[("AccountAlias", "-x-")]).await.fails(400, "ValidationError");
    admin.iam("CreateAccountAlias", &[("AccountAlias", "example-co")]).await.ok();
    assert_eq!(admin.iam("ListAccountAliases", &[]).await.ok().text("member"), "example-co");
    admin.iam("DeleteAccountAlias", &[("AccountAlias", "other")]).await.fails(404, "NoSuchEntity");
    admin.iam("DeleteAccountAlias", &[("AccountAlias", "example-co")]).await.ok();
    let none = admin.iam("GetAccountPasswordPolicy", &[]).await.fails(404, "NoSuchEntity");
    assert_eq!(none.text("Message"), "The Password Policy with domain name 123456789012 cannot be found.");
    let policy = [("MinimumPasswordLength", "14"), ("MaxPasswordAge", "90"), ("RequireNumbers", "true")];
    admin.iam("UpdateAccountPasswordPolicy", &policy).await.ok();
    let read = admin.iam("GetAccountPasswordPolicy", &[]).await.ok();
    let told = ["MinimumPasswordLength", "ExpirePasswords", "RequireNumbers", "RequireSymbols"];
    assert_eq!(told.map(|name| read.text(name)), ["14", "true", "true", "false"]);
    admin.iam("DeleteAccountPasswordPolicy", &[]).await.ok();
    admin.iam("DeleteAccountPasswordPolicy", &[]).await.fails(404, "NoSuchEntity");
}

#[tokio::test]
async fn the_report_tells_of_everything_once() {
    let admin = administrator();
    let arn = create_policy(&admin, "p", r#""s3:*""#).await;
    admin.user("u", &allowing(r#""sqs:*""#)).await;
    admin.iam("CreateGroup", &[("GroupName", "g")]).await.ok();
    admin.iam("AddUserToGroup", &[("GroupName", "g"), ("UserName", "u")]).await.ok();
    admin.role("r", &allowing(r#""sns:*""#)).await;
    admin.iam("AttachRolePolicy", &[("RoleName", "r"), ("PolicyArn", &arn)]).await.ok();
    let (mut seen, mut marker) = (Vec::new(), None::<String>);
    loop {
        let mut parameters = vec![("MaxItems", "2")];
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = admin.iam("GetAccountAuthorizationDetails", &parameters).await.ok();
        for id in ["UserId", "GroupId", "RoleId", "PolicyId"] {
            seen.extend(page.all(id).into_iter().map(str::to_owned));
        }
        if page.text("Marker").is_empty() {
            break;
        }
        marker = Some(page.text("Marker").to_owned());
    }
    // Two users, a group, a role, and two policies: AWS's only where it is attached.
    assert_eq!(seen.len(), 6, "{seen:?}");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6, "{seen:?}");
    let of = |kind| [("Filter.member.1", kind)];
    let roles = admin.iam("GetAccountAuthorizationDetails", &of("Role")).await.ok();
    assert_eq!((roles.all("RoleName").len(), roles.all("UserName").len()), (1, 0));
    assert!(roles.text("RolePolicyList").contains("sns%3A%2A"), "{}", roles.body);
    assert!(roles.text("AttachedManagedPolicies").contains(&arn), "{}", roles.body);
    let summary = admin.iam("GetAccountSummary", &[]).await.ok();
    let entries = summary.all("entry");
    assert!(entries.contains(&"<key>Users</key><value>2</value>"), "{entries:?}");
    assert!(entries.contains(&"<key>Policies</key><value>1</value>"), "{entries:?}");
}
