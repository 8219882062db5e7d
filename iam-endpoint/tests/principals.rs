//! Users, groups, keys, roles and providers of IAM, over signed requests.

mod common;

use std::time::SystemTime;

use common::{Client, TRUST, allowing, totp};
use iam_endpoint::Endpoint;

type Parameters<'a> = &'a [(&'a str, &'a str)];

/// What is made, by which operation, with which parameters, and which parameter refers to it, as what.
type Made<'a> = (&'a str, &'a str, Parameters<'a>, &'a str, String);

fn administrator() -> Client {
    Client::administrator(&Endpoint::new())
}

#[tokio::test]
async fn a_group_gives_its_members_its_policies() {
    let admin = administrator();
    let alice = admin.user("alice", &allowing(r#""sts:*""#)).await;
    admin.iam("CreateGroup", &[("GroupName", "staff"), ("Path", "/x/")]).await.ok();
    let document = allowing(r#""iam:ListUsers""#);
    let put = [("GroupName", "staff"), ("PolicyName", "p"), ("PolicyDocument", &*document)];
    let answer = admin.iam("PutGroupPolicy", &put).await.ok();
    assert_eq!(answer.asked(), ["iam:PutGroupPolicy arn:aws:iam::123456789012:group/x/staff"]);
    alice.iam("ListUsers", &[]).await.fails(403, "AccessDenied");
    let member = [("GroupName", "staff"), ("UserName", "alice")];
    admin.iam("AddUserToGroup", &member).await.ok();
    alice.iam("ListUsers", &[]).await.ok();
    alice.iam("ListRoles", &[]).await.fails(403, "AccessDenied");
    let managed = [("GroupName", "staff"), ("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")];
    admin.iam("AttachGroupPolicy", &managed).await.ok();
    alice.iam("ListRoles", &[]).await.ok();

    assert_eq!(admin.iam("GetGroup", &[("GroupName", "staff")]).await.ok().all("UserName"), ["alice"]);
    assert_eq!(
        admin.iam("ListGroupsForUser", &[("UserName", "alice")]).await.ok().all("GroupName"),
        ["staff"]
    );
    admin.iam("DeleteGroup", &[("GroupName", "staff")]).await.fails(409, "DeleteConflict");
    let rename = [("GroupName", "staff"), ("NewGroupName", "team"), ("NewPath", "/")];
    let renamed = admin.iam("UpdateGroup", &rename).await.ok();
    assert_eq!(
        renamed.asked(),
        [
            "iam:UpdateGroup arn:aws:iam::123456789012:group/x/staff",
            "iam:UpdateGroup arn:aws:iam::123456789012:group/team"
        ]
    );
    admin.iam("RemoveUserFromGroup", &[("GroupName", "team"), ("UserName", "alice")]).await.ok();
    alice.iam("ListUsers", &[]).await.fails(403, "AccessDenied");
    admin.iam("DeleteGroup", &[("GroupName", "team")]).await.fails(409, "DeleteConflict");
}

#[tokio::test]
async fn a_user_keeps_all_that_it_has_under_another_name() {
    let admin = administrator();
    let alice = admin.user("alice", &allowing(r#""iam:GetUser""#)).await;
    admin.iam("CreateGroup", &[("GroupName", "g")]).await.ok();
    admin.iam("AddUserToGroup", &[("GroupName", "g"), ("UserName", "alice")]).await.ok();
    admin.iam("CreateUser", &[("UserName", "bob")]).await.ok();
    let rename = |name| [("UserName", "alice"), ("NewUserName", name)];
    admin.iam("UpdateUser", &rename("Bob")).await.fails(409, "EntityAlreadyExists");
    admin.iam("UpdateUser", &rename("alicia")).await.ok();
    assert_eq!(alice.iam("GetUser", &[]).await.ok().text("UserName"), "alicia");
    assert_eq!(admin.iam("GetGroup", &[("GroupName", "g")]).await.ok().text("UserName"), "alicia");
    let keys = admin.iam("ListAccessKeys", &[("UserName", "alicia")]).await.ok();
    assert_eq!(keys.text("AccessKeyId"), alice.credentials.access_key_id);
    admin.iam("GetUser", &[("UserName", "alice")]).await.fails(404, "NoSuchEntity");
}

#[tokio::test]
async fn a_user_may_be_renamed_only_by_who_may_do_so_with_both_names() {
    let admin = administrator();
    admin.iam("CreateUser", &[("UserName", "old")]).await.ok();
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:UpdateUser",
        "Resource": "arn:aws:iam::*:user/old"}}"#;
    let caller = admin.user("caller", policy).await;
    let rename = [("UserName", "old"), ("NewUserName", "new")];
    let denied = caller.iam("UpdateUser", &rename).await.fails(403, "AccessDenied");
    assert!(denied.body.contains("user/new because no identity-based policy"), "{}", denied.body);
}

#[tokio::test]
async fn a_user_goes_when_nothing_of_it_is_left() {
    let admin = administrator();
    admin.user("u", &allowing(r#""*""#)).await;
    let user = [("UserName", "u")];
    admin.iam("CreateGroup", &[("GroupName", "g")]).await.ok();
    admin.iam("AddUserToGroup", &[("GroupName", "g"), user[0]]).await.ok();
    admin.iam("CreateLoginProfile", &[user[0], ("Password", "Secret-123456")]).await.ok();
    let serial = "arn:aws:iam::123456789012:mfa/m";
    let made = admin.iam("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "m")]).await.ok();
    assert_eq!(made.text("SerialNumber"), serial);
    let device = [user[0], ("SerialNumber", serial)];
    let (seed, now) = (made.text("Base32StringSeed"), SystemTime::now());
    let now = now.duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs();
    let (first, second) = (totp(seed, now), totp(seed, now + 30));
    let codes = [("AuthenticationCode1", &*first), ("AuthenticationCode2", &*second)];
    admin.iam("EnableMFADevice", &[device, codes].concat()).await.ok();
    assert_eq!(admin.iam("ListMFADevices", &user).await.ok().text("SerialNumber"), serial);
    admin.iam("DeleteVirtualMFADevice", &device[1..]).await.fails(409, "DeleteConflict");
    let key = admin.iam("ListAccessKeys", &user).await.ok().text("AccessKeyId").to_owned();
    let steps: [(&str, &str, Parameters<'_>); 5] = [
        ("remove users from group", "RemoveUserFromGroup", &[("GroupName", "g"), user[0]]),
        ("delete access keys", "DeleteAccessKey", &[user[0], ("AccessKeyId", &key)]),
        ("delete login profile", "DeleteLoginProfile", &user),
        ("delete MFA device", "DeactivateMFADevice", &device),
        ("delete policies", "DeleteUserPolicy", &[user[0], ("PolicyName", "p")]),
    ];
    for (what, operation, parameters) in steps {
        let answer = admin.iam("DeleteUser", &user).await.fails(409, "DeleteConflict");
        assert_eq!(answer.text("Message"), format!("Cannot delete entity, must {what} first."));
        admin.iam(operation, parameters).await.ok();
    }
    admin.iam("DeleteUser", &user).await.ok();
    admin.iam("GetLoginProfile", &user).await.fails(404, "NoSuchEntity");
}

#[tokio::test]
async fn an_inactive_key_is_as_good_as_none() {
    let admin = administrator();
    let alice = admin.user("alice", &allowing(r#""iam:UpdateAccessKey""#)).await;
    let id = alice.credentials.access_key_id.as_str();
    let unused = admin.iam("GetAccessKeyLastUsed", &[("AccessKeyId", id)]).await.ok();
    assert_eq!((unused.text("ServiceName"), unused.text("LastUsedDate")), ("N/A", ""));
    // Without a name the caller's own is meant.
    let set = |status| [("AccessKeyId", id), ("Status", status)];
    let answer = alice.iam("UpdateAccessKey", &set("Inactive")).await.ok();
    assert_eq!(answer.asked(), ["iam:UpdateAccessKey arn:aws:iam::123456789012:user/alice"]);
    alice.sts("GetCallerIdentity", &[]).await.fails(403, "InvalidClientTokenId");
    let by_admin = |status| [&[("UserName", "alice")][..], &set(status)].concat();
    admin.iam("UpdateAccessKey", &by_admin("Gone")).await.fails(400, "ValidationError");
    admin.iam("UpdateAccessKey", &by_admin("Active")).await.ok();
    alice.sts("GetCallerIdentity", &[]).await.ok();
    let used = admin.iam("GetAccessKeyLastUsed", &[("AccessKeyId", id)]).await.ok();
    assert_eq!((used.text("ServiceName"), used.text("UserName")), ("sts", "alice"));
    admin.iam("CreateAccessKey", &[("UserName", "alice")]).await.ok();
    let more = admin.iam("CreateAccessKey", &[("UserName", "alice")]).await.fails(409, "LimitExceeded");
    assert_eq!(more.text("Message"), "Cannot exceed quota for AccessKeysPerUser: 2");
    let page = admin.iam("ListAccessKeys", &[("UserName", "alice"), ("MaxItems", "1")]).await.ok();
    assert_eq!((page.all("AccessKeyId").len(), page.text("IsTruncated")), (1, "true"));
}

#[tokio::test]
async fn a_trust_policy_names_only_who_is_there_and_forgets_who_goes() {
    let admin = administrator();
    let trust = TRUST.replace(":root", ":user/alice");
    let create = [("RoleName", "r"), ("AssumeRolePolicyDocument", trust.as_str())];
    let answer = admin.iam("CreateRole", &create).await.fails(400, "MalformedPolicyDocument");
    let wanted =
        "Invalid principal in policy: &quot;AWS&quot;:&quot;arn:aws:iam::123456789012:user/alice&quot;";
    assert_eq!(answer.text("Message"), wanted);
    let alice = admin.user("alice", &allowing(r#""sts:TagSession""#)).await;
    let id = admin.iam("GetUser", &[("UserName", "alice")]).await.ok().text("UserId").to_owned();
    admin.iam("CreateRole", &create).await.ok();
    let assume = [("RoleArn", "arn:aws:iam::123456789012:role/r"), ("RoleSessionName", "session")];
    alice.sts("AssumeRole", &assume).await.ok();

    let key = [("UserName", "alice"), ("AccessKeyId", alice.credentials.access_key_id.as_str())];
    admin.iam("DeleteAccessKey", &key).await.ok();
    admin.iam("DeleteUserPolicy", &[key[0], ("PolicyName", "p")]).await.ok();
    admin.iam("DeleteUser", &key[..1]).await.ok();
    let role = admin.iam("GetRole", &create[..1]).await.ok();
    assert!(role.text("AssumeRolePolicyDocument").contains(&id), "{}", role.body);
    let another = admin.user("alice", &allowing(r#""sts:TagSession""#)).await;
    another.sts("AssumeRole", &assume).await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn a_service_linked_role_is_the_services() {
    let admin = administrator();
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole",
        "Resource": "arn:aws:iam::*:role/aws-service-role/ecs.amazonaws.com/*",
        "Condition": {"StringEquals": {"iam:AWSServiceName": "ecs.amazonaws.com"}}}}"#;
    let caller = admin.role("caller", policy).await;
    let of = |service| [("AWSServiceName", service)];
    caller.iam("CreateServiceLinkedRole", &of("eks.amazonaws.com")).await.fails(403, "AccessDenied");
    let made = caller.iam("CreateServiceLinkedRole", &of("ecs.amazonaws.com")).await.ok();
    let arn = "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS";
    assert_eq!(made.text("Arn"), arn);
    admin.iam("CreateServiceLinkedRole", &of("ecs.amazonaws.com")).await.fails(400, "InvalidInput");
    let role = ("RoleName", "AWSServiceRoleForECS");
    let document = allowing(r#""*""#);
    for (operation, more) in [
        ("DeleteRole", None),
        ("PutRolePolicy", Some([("PolicyName", "p"), ("PolicyDocument", &*document)])),
        ("UpdateAssumeRolePolicy", Some([("PolicyDocument", TRUST), ("X", "")])),
    ] {
        let parameters = [&[role][..], more.as_ref().map_or(&[][..], |more| &more[..])].concat();
        admin.iam(operation, &parameters).await.fails(400, "UnmodifiableEntity");
    }
    let task = admin.iam("DeleteServiceLinkedRole", &[role]).await.ok();
    let status = [("DeletionTaskId", task.text("DeletionTaskId"))];
    let status = admin.iam("GetServiceLinkedRoleDeletionStatus", &status).await.ok();
    assert_eq!(status.text("Status"), "SUCCEEDED");
    assert_eq!(status.asked(), [format!("iam:GetServiceLinkedRoleDeletionStatus {arn}")]);
    admin.iam("GetRole", &[role]).await.fails(404, "NoSuchEntity");
}

#[tokio::test]
async fn everything_can_have_tags() {
    let admin = administrator();
    let saml = format!("<EntityDescriptor>{}</EntityDescriptor>", " ".repeat(1000));
    let document = allowing(r#""*""#);
    let arn = |rest: &str| format!("arn:aws:iam::123456789012:{rest}");
    let made: [Made<'_>; 7] = [
        ("InstanceProfile", "", &[("InstanceProfileName", "x")], "InstanceProfileName", "x".to_owned()),
        (
            "MFADevice",
            "CreateVirtualMFADevice",
            &[("VirtualMFADeviceName", "x")],
            "SerialNumber",
            arn("mfa/x"),
        ),
        (
            "OpenIDConnectProvider",
            "",
            &[("Url", "https://idp.example/x")],
            "OpenIDConnectProviderArn",
            arn("oidc-provider/idp.example/x"),
        ),
        ("Policy", "", &[("PolicyName", "x"), ("PolicyDocument", &document)], "PolicyArn", arn("policy/x")),
        ("Role", "", &[("RoleName", "x"), ("AssumeRolePolicyDocument", TRUST)], "RoleName", "x".to_owned()),
        (
            "SAMLProvider",
            "",
            &[("Name", "x"), ("SAMLMetadataDocument", &saml)],
            "SAMLProviderArn",
            arn("saml-provider/x"),
        ),
        ("User", "", &[("UserName", "x")], "UserName", "x".to_owned()),
    ];
    for (what, create, parameters, reference, name) in &made {
        let create = if create.is_empty() { format!("Create{what}") } else { (*create).to_owned() };
        let tags = [("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "1")];
        let answer = admin.iam(&create, &[*parameters, &tags].concat()).await.ok();
        assert!(answer.asked()[1].starts_with(&format!("iam:Tag{what} arn:")), "{:?}", answer.asked());
        admin.iam(&create, parameters).await.fails(409, "EntityAlreadyExists");
        let reference = (*reference, name.as_str());
        let more = [reference, ("Tags.member.1.Key", "b"), ("Tags.member.1.Value", "2")];
        admin.iam(&format!("Tag{what}"), &more).await.ok();
        let list = format!("List{what}Tags");
        let all = admin.iam(&list, &[reference, ("MaxItems", "1")]).await.ok();
        assert_eq!((all.all("Key"), all.text("IsTruncated")), (vec!["a"], "true"));
        let rest = admin.iam(&list, &[reference, ("Marker", all.text("Marker"))]).await.ok();
        assert_eq!(rest.all("Key"), ["b"]);
        admin.iam(&format!("Untag{what}"), &[reference, ("TagKeys.member.1", "A")]).await.ok();
        assert_eq!(admin.iam(&list, &[reference]).await.ok().all("Key"), ["b"]);
    }
}

#[tokio::test]
async fn conditions_see_the_tags_of_every_resource() {
    let admin = administrator();
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}}"#;
    let caller = admin.role("caller", policy).await;
    for (name, team) in [("mine", "a"), ("theirs", "b")] {
        let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", team)];
        admin.iam("CreateUser", &[&[("UserName", name)][..], &tags].concat()).await.ok();
        let url = format!("https://{name}.example");
        admin.iam("CreateOpenIDConnectProvider", &[&[("Url", &*url)][..], &tags].concat()).await.ok();
    }
    caller.iam("GetUser", &[("UserName", "mine")]).await.ok();
    caller.iam("GetUser", &[("UserName", "theirs")]).await.fails(403, "AccessDenied");
    let provider = |arn| [("OpenIDConnectProviderArn", arn)];
    let mine = provider("arn:aws:iam::123456789012:oidc-provider/mine.example");
    caller.iam("GetOpenIDConnectProvider", &mine).await.ok();
    let theirs = provider("arn:aws:iam::123456789012:oidc-provider/theirs.example");
    caller.iam("GetOpenIDConnectProvider", &theirs).await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn parameters_are_refused_in_the_words_of_aws() {
    let admin = administrator();
    let long = "a".repeat(65);
    for (action, parameters, message) in [
        ("GetRole", vec![], "Value null at 'roleName' failed to satisfy constraint: Member must not be null"),
        (
            "GetRole",
            vec![("RoleName", "")],
            "Value '' at 'roleName' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            "ListRoles",
            vec![("MaxItems", "0")],
            "Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            "ListRoles",
            vec![("MaxItems", "1001")],
            "Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000",
        ),
        (
            "CreateUser",
            vec![("UserName", &*long)],
            "' at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64",
        ),
        (
            "CreateUser",
            vec![("UserName", "a b")],
            r"Value 'a b' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+",
        ),
        (
            "ListPolicies",
            vec![("Scope", "Mine")],
            "Value 'Mine' at 'scope' failed to satisfy constraint: Member must satisfy enum value set: [AWS, Local, All]",
        ),
    ] {
        let answer = admin.iam(action, &parameters).await.fails(400, "ValidationError");
        assert!(answer.text("Message").ends_with(message), "{}", answer.text("Message"));
        assert!(answer.text("Message").starts_with("1 validation error detected: "), "{}", answer.body);
    }
}
