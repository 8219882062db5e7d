//! Sessions of roles, over signed requests.

mod common;

use common::{Client, TRUST};
use iam_endpoint::{Endpoint, Outcome};

const READER: &str = r#"{"Version": "2012-10-17", "Statement": {"Sid": "Roles", "Effect": "Allow", "Action": "iam:GetRole",
    "Resource": "arn:aws:iam::123456789012:role/reader"}}"#;

#[tokio::test]
async fn a_session_may_do_what_its_role_may_and_no_more() {
    let admin = Client::administrator(&Endpoint::new());
    let reader = admin.role("reader", READER).await;
    let answer = reader.query("iam", &[("Action", "GetRole"), ("RoleName", "reader")]).await.ok();
    assert_eq!(answer.text("Arn"), "arn:aws:iam::123456789012:role/reader");
    assert_eq!(answer.event.outcome, Outcome::Answered);
    assert_eq!(answer.event.operation, "iam:GetRole");
    assert_eq!(answer.event.role.as_deref(), Some("arn:aws:iam::123456789012:role/reader"));

    let answer =
        reader.query("iam", &[("Action", "GetRole"), ("RoleName", "other")]).await.fails(403, "AccessDenied");
    assert_eq!(
        answer.text("Message"),
        "User: arn:aws:sts::123456789012:assumed-role/reader/session is not authorized to perform: iam:GetRole on \
         resource: arn:aws:iam::123456789012:role/other because no identity-based policy allows the iam:GetRole action"
    );
    assert_eq!(answer.event.outcome, Outcome::Denied);
    assert_eq!(answer.event.authorizations[0].resource(), "arn:aws:iam::123456789012:role/other");
}

#[tokio::test]
async fn everybody_may_ask_who_they_are() {
    let admin = Client::administrator(&Endpoint::new());
    let nobody = admin
        .role(
            "nobody",
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#,
        )
        .await;
    let answer = nobody.query("sts", &[("Action", "GetCallerIdentity")]).await.ok();
    assert_eq!(answer.text("Arn"), "arn:aws:sts::123456789012:assumed-role/nobody/session");
    assert_eq!(answer.text("Account"), "123456789012");
    assert!(answer.text("UserId").starts_with("AROA") && answer.text("UserId").ends_with(":session"));
}

#[tokio::test]
async fn a_role_that_is_not_there_cannot_be_told_from_one_that_one_may_not_assume() {
    let admin = Client::administrator(&Endpoint::new());
    let answer = admin
        .query(
            "sts",
            &[
                ("Action", "AssumeRole"),
                ("RoleArn", "arn:aws:iam::123456789012:role/nowhere"),
                ("RoleSessionName", "session"),
            ],
        )
        .await
        .fails(403, "AccessDenied");
    assert_eq!(answer.event.outcome, Outcome::Denied);
    assert!(
        answer
            .text("Message")
            .contains("is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::")
    );
}

#[tokio::test]
async fn the_trust_policy_asks_for_the_external_id() {
    let admin = Client::administrator(&Endpoint::new());
    let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "secret"}}}}"#;
    admin
        .query("iam", &[("Action", "CreateRole"), ("RoleName", "r"), ("AssumeRolePolicyDocument", trust)])
        .await
        .ok();
    let assume = [
        ("Action", "AssumeRole"),
        ("RoleArn", "arn:aws:iam::123456789012:role/r"),
        ("RoleSessionName", "session"),
    ];
    // An administrator's own policy allows every role, but the role does not trust it without the id.
    let user = admin.query("sts", &assume).await.fails(403, "AccessDenied");
    assert_eq!(user.event.outcome, Outcome::Denied);
    let mut with_id = assume.to_vec();
    with_id.push(("ExternalId", "secret"));
    admin.query("sts", &with_id).await.ok();
}

#[tokio::test]
async fn tags_and_source_identity_need_their_own_permissions() {
    let admin = Client::administrator(&Endpoint::new());
    let trust = TRUST.replace(r#", "sts:TagSession", "sts:SetSourceIdentity""#, "");
    for (name, trust) in [("plain", trust.as_str()), ("tagged", TRUST)] {
        admin
            .query(
                "iam",
                &[("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", trust)],
            )
            .await
            .ok();
    }
    let with_tag = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "a")];
    for more in [with_tag.as_slice(), &[("SourceIdentity", "alice")]] {
        let mut parameters = vec![
            ("Action", "AssumeRole"),
            ("RoleArn", "arn:aws:iam::123456789012:role/plain"),
            ("RoleSessionName", "session"),
        ];
        parameters.extend(more);
        admin.query("sts", &parameters).await.fails(403, "AccessDenied");
        let session = admin.assume("tagged", more).await;
        session.query("sts", &[("Action", "GetCallerIdentity")]).await.ok();
    }
}

#[tokio::test]
async fn session_policies_and_tags_limit_what_a_session_may() {
    let admin = Client::administrator(&Endpoint::new());
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:*",
        "Resource": "arn:aws:iam::123456789012:role/${aws:PrincipalTag/team}"}}"#;
    admin.role("a", policy).await;
    let read = |name| [("Action", "GetRole"), ("RoleName", name)];
    let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "a")];
    let tagged = admin.assume("a", &tags).await;
    tagged.query("iam", &read("a")).await.ok();
    tagged.query("iam", &read("b")).await.fails(403, "AccessDenied");

    let nothing =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}}"#;
    let narrowed = admin.assume("a", &[tags[0], tags[1], ("Policy", nothing)]).await;
    let answer = narrowed.query("iam", &read("a")).await.fails(403, "AccessDenied");
    assert!(
        answer.body.contains("because no session policy allows the iam:GetRole action"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn transitive_tags_and_source_identity_go_on_to_the_next_role() {
    let admin = Client::administrator(&Endpoint::new());
    let all =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let if_tagged = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a", "aws:SourceIdentity": "alice"},
                      "Null": {"aws:PrincipalTag/gone": "true"}}}}"#;
    admin.role("first", all).await;
    let first = admin
        .assume(
            "first",
            &[
                ("Tags.member.1.Key", "team"),
                ("Tags.member.1.Value", "a"),
                ("Tags.member.2.Key", "gone"),
                ("Tags.member.2.Value", "b"),
                ("TransitiveTagKeys.member.1", "team"),
                ("SourceIdentity", "alice"),
            ],
        )
        .await;
    admin.role("second", if_tagged).await;
    let second = first.assume("second", &[]).await;
    second.query("iam", &[("Action", "ListRoles")]).await.ok();

    let chained = [
        ("Action", "AssumeRole"),
        ("RoleArn", "arn:aws:iam::123456789012:role/second"),
        ("RoleSessionName", "session"),
        ("DurationSeconds", "3601"),
    ];
    first.query("sts", &chained).await.fails(400, "ValidationError");
}

#[tokio::test]
async fn credentials_end_with_their_time_and_with_their_role() {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, SystemTime};
    static LATER: AtomicU64 = AtomicU64::new(0);
    let now = || SystemTime::now() + Duration::from_secs(LATER.load(Ordering::Relaxed));
    let endpoint = Endpoint::builder().clock(now).build();
    let admin = Client::administrator(&endpoint);
    let mut reader = admin.role("reader", READER).await;
    let ask = [("Action", "GetCallerIdentity")];
    reader.query("sts", &ask).await.ok();
    LATER.store(3601, Ordering::Relaxed);
    reader.now = now();
    reader.query("sts", &ask).await.fails(403, "ExpiredToken");
    let admin = Client { now: now(), ..admin };
    let reader = admin.assume("reader", &[]).await;
    for parameters in [
        [("Action", "DeleteRolePolicy"), ("RoleName", "reader"), ("PolicyName", "p")].as_slice(),
        &[("Action", "DeleteRole"), ("RoleName", "reader")],
    ] {
        admin.query("iam", parameters).await.ok();
    }
    reader.query("sts", &ask).await.fails(403, "InvalidClientTokenId");
}

#[tokio::test]
async fn parameters_are_checked_as_sts_does() {
    let admin = Client::administrator(&Endpoint::new());
    admin.role("r", READER).await;
    let arn = "arn:aws:iam::123456789012:role/r";
    let bad_policy =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Alow", "Action": "*", "Resource": "*"}}"#;
    for (name, value, code) in [
        ("RoleSessionName", "a b", "ValidationError"),
        ("RoleSessionName", "a", "ValidationError"),
        ("RoleArn", "reader", "ValidationError"),
        ("DurationSeconds", "899", "ValidationError"),
        ("DurationSeconds", "3601", "ValidationError"),
        ("ExternalId", "?", "ValidationError"),
        ("Policy", bad_policy, "MalformedPolicyDocument"),
        ("TransitiveTagKeys.member.1", "team", "InvalidParameterValue"),
    ] {
        let mut parameters = vec![("Action", "AssumeRole")];
        for (default, value) in [("RoleArn", arn), ("RoleSessionName", "session")] {
            if default != name {
                parameters.push((default, value));
            }
        }
        parameters.push((name, value));
        admin.query("sts", &parameters).await.fails(400, code);
    }
}

#[test]
fn secrets_do_not_show() {
    let credentials = Endpoint::new().administrator();
    assert!(!format!("{credentials:?}").contains(&credentials.secret_access_key));
}

#[tokio::test]
async fn managed_policies_can_be_session_policies() {
    let admin = Client::administrator(&Endpoint::new());
    let all =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}}"#;
    admin.role("r", all).await;
    let arn = [("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")];
    let session = admin.assume("r", &arn).await;
    session.query("iam", &[("Action", "GetRole"), ("RoleName", "r")]).await.ok();
    session.query("iam", &[("Action", "CreateUser"), ("UserName", "u")]).await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn many_tags_and_policies_are_too_large_when_packed() {
    let admin = Client::administrator(&Endpoint::new());
    admin.role("r", READER).await;
    let value = "v".repeat(256);
    let names: Vec<_> = (1..=40)
        .flat_map(|n| {
            [
                (format!("Tags.member.{n}.Key"), format!("key{n}")),
                (format!("Tags.member.{n}.Value"), value.clone()),
            ]
        })
        .collect();
    let mut parameters = vec![
        ("Action", "AssumeRole"),
        ("RoleArn", "arn:aws:iam::123456789012:role/r"),
        ("RoleSessionName", "session"),
    ];
    parameters.extend(names.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    admin.query("sts", &parameters).await.fails(400, "PackedPolicyTooLarge");
}

#[tokio::test]
async fn a_trust_policy_that_names_the_user_is_enough_and_one_that_names_the_account_is_not() {
    let admin = Client::administrator(&Endpoint::new());
    admin.query("iam", &[("Action", "CreateUser"), ("UserName", "bob")]).await.ok();
    let key = admin.query("iam", &[("Action", "CreateAccessKey"), ("UserName", "bob")]).await.ok();
    let credentials = iam_endpoint::Credentials::new(key.text("AccessKeyId"), key.text("SecretAccessKey"));
    let bob = Client::new(&admin.endpoint, credentials);
    let named = TRUST.replace(":root", ":user/bob");
    for (name, trust) in [("named", named.as_str()), ("delegated", TRUST)] {
        let create = [("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", trust)];
        admin.query("iam", &create).await.ok();
    }
    let assume = |arn| [("Action", "AssumeRole"), ("RoleArn", arn), ("RoleSessionName", "session")];
    bob.query("sts", &assume("arn:aws:iam::123456789012:role/named")).await.ok();
    let denied = bob.query("sts", &assume("arn:aws:iam::123456789012:role/delegated")).await;
    let denied = denied.fails(403, "AccessDenied");
    assert!(denied.body.contains("because no identity-based policy allows the sts:AssumeRole action"));
}
