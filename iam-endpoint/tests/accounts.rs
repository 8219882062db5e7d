//! Several accounts in one endpoint: what one may do in another is for both to say.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::s3::S3;
use common::{Answer, Client};
use iam_endpoint::Endpoint;

const HOME: &str = "123456789012";
const PARTNER: &str = "222233334444";

/// The administrators of two accounts.
fn accounts() -> [Client; 2] {
    let endpoint = Endpoint::new();
    [HOME, PARTNER].map(|account| Client::administrator(&endpoint.account(account)))
}

fn allow(action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}}}"#
    )
}

/// A bucket policy or a trust policy.
fn allow_to(principal: &str, action: &str, resource: Option<&str>) -> String {
    let resource = resource.map(|resource| format!(r#", "Resource": "{resource}""#)).unwrap_or_default();
    format!(
        r#"{{"Version": "2012-10-17", "Statement":
            {{"Effect": "Allow", "Principal": {principal}, "Action": {action}{resource}}}}}"#
    )
}

/// A role with a trust policy and perhaps an inline one.
async fn role(client: &Client, name: &str, trust: &str, policy: Option<&str>) {
    let create = [("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", trust)];
    client.query("iam", &create).await.ok();
    if let Some(policy) = policy {
        let put = [
            ("Action", "PutRolePolicy"),
            ("RoleName", name),
            ("PolicyName", "p"),
            ("PolicyDocument", policy),
        ];
        client.query("iam", &put).await.ok();
    }
}

async fn assume(client: &Client, account: &str, name: &str, more: &[(&str, &str)]) -> Answer {
    let arn = format!("arn:aws:iam::{account}:role/{name}");
    let mut parameters = vec![("Action", "AssumeRole"), ("RoleArn", &*arn), ("RoleSessionName", "session")];
    parameters.extend(more);
    client.query("sts", &parameters).await
}

fn signed_in(client: &Client, answer: &Answer) -> Client {
    Client { credentials: answer.credentials(), ..client.clone() }
}

#[tokio::test]
async fn a_request_belongs_to_the_account_of_its_key() {
    let [home, partner] = accounts();
    let mut through_home = partner.clone();
    through_home.endpoint = home.endpoint.clone();
    for client in [&partner, &through_home] {
        let answer = client.query("sts", &[("Action", "GetCallerIdentity")]).await.ok();
        assert_eq!(answer.text("Account"), PARTNER);
        assert_eq!(answer.text("Arn"), format!("arn:aws:iam::{PARTNER}:user/administrator"));
    }
    partner.query("iam", &[("Action", "CreateUser"), ("UserName", "alice")]).await.ok();
    home.query("iam", &[("Action", "GetUser"), ("UserName", "alice")]).await.fails(404, "NoSuchEntity");

    let key = partner.credentials.access_key_id.clone();
    let answer = home.query("sts", &[("Action", "GetAccessKeyInfo"), ("AccessKeyId", &key)]).await.ok();
    assert_eq!(answer.text("Account"), PARTNER);
}

#[tokio::test]
async fn bucket_names_are_global_and_buckets_are_their_owners() {
    let [home, partner] = accounts();
    home.put("/ours", "").await.ok();
    partner.put("/theirs", "").await.ok();
    partner.put("/ours", "").await.fails(409, "BucketAlreadyExists");
    let listed = home.get("/").await.ok();
    assert!(listed.body.contains("<Name>ours<") && !listed.body.contains("theirs"), "{}", listed.body);
    assert_ne!(listed.text("ID"), partner.get("/").await.ok().text("ID"));
}

#[tokio::test]
async fn a_call_into_another_account_needs_both_sides() {
    let [home, partner] = accounts();
    home.put("/shared", "").await.ok();
    home.put("/shared/a", "text").await.ok();
    // The partner's administrator may do everything, but the bucket's owner did not say so.
    let denied = partner.get("/shared/a").await.fails(403, "AccessDenied");
    assert!(
        denied.body.contains("because no resource-based policy allows the s3:GetObject action"),
        "{}",
        denied.body
    );

    let policy =
        allow_to(&format!(r#"{{"AWS": "{PARTNER}"}}"#), r#""s3:GetObject""#, Some("arn:aws:s3:::shared/*"));
    home.put("/shared?policy", &policy).await.is(204);
    let read = partner.get("/shared/a").await.ok();
    let context = &read.event.authorizations[0].request;
    assert_eq!(context.resource_account.as_deref(), Some(HOME));
    partner.put("/shared/b", "text").await.fails(403, "AccessDenied");

    // The owner's word alone is not enough either.
    let nobody = allow("s3:GetObject", "arn:aws:s3:::elsewhere/*");
    let trust = allow_to(&format!(r#"{{"AWS": "{PARTNER}"}}"#), r#""sts:AssumeRole""#, None);
    role(&partner, "nobody", &trust, Some(&nobody)).await;
    let session = assume(&partner, PARTNER, "nobody", &[]).await.ok();
    let denied = signed_in(&partner, &session).get("/shared/a").await.fails(403, "AccessDenied");
    assert!(denied.body.contains("because no identity-based policy allows"), "{}", denied.body);
}

#[tokio::test]
async fn conditions_see_whose_the_resource_is_and_whose_the_caller() {
    let [home, partner] = accounts();
    home.put("/shared", "").await.ok();
    let condition = |account: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket",
                "Resource": "arn:aws:s3:::shared", "Condition": {{"StringEquals": {{
                    "aws:PrincipalAccount": "{account}", "aws:ResourceAccount": "{HOME}", "s3:ResourceAccount": "{HOME}"}}}}}}}}"#
        )
    };
    home.put("/shared?policy", &condition(HOME)).await.is(204);
    partner.get("/shared").await.fails(403, "AccessDenied");
    home.put("/shared?policy", &condition(PARTNER)).await.is(204);
    partner.get("/shared").await.ok();
}

#[tokio::test]
async fn a_bucket_policy_is_for_its_own_account_only() {
    let [home, partner] = accounts();
    home.put("/shared", "").await.ok();
    let all = allow_to(
        &format!(r#"{{"AWS": "{PARTNER}"}}"#),
        r#"["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"]"#,
        Some("arn:aws:s3:::shared"),
    );
    home.put("/shared?policy", &all).await.is(204);
    for method in ["GET", "PUT", "DELETE"] {
        partner
            .s3(&format!("{method} /shared?policy"), &[], all.clone())
            .await
            .fails(405, "MethodNotAllowed");
    }
}

#[tokio::test]
async fn an_expected_owner_is_the_buckets_and_not_the_callers() {
    let [home, partner] = accounts();
    home.put("/shared", "").await.ok();
    let policy =
        allow_to(&format!(r#"{{"AWS": "{PARTNER}"}}"#), r#""s3:ListBucket""#, Some("arn:aws:s3:::shared"));
    home.put("/shared?policy", &policy).await.is(204);
    for (owner, status) in [(HOME, 200), (PARTNER, 403)] {
        let headers = [("x-amz-expected-bucket-owner", owner)];
        assert_eq!(partner.s3("GET /shared", &headers, "").await.status, status, "{owner}");
    }
}

#[tokio::test]
async fn a_role_of_another_account_is_assumed_when_both_sides_allow_it() {
    let [home, partner] = accounts();
    let trust = allow_to(
        &format!(r#"{{"AWS": "arn:aws:iam::{PARTNER}:root"}}"#),
        r#"["sts:AssumeRole", "sts:TagSession"]"#,
        None,
    );
    role(&home, "guest", &trust, Some(&allow("s3:ListAllMyBuckets", "*"))).await;
    let answer = assume(&partner, HOME, "guest", &[]).await.ok();
    assert_eq!(answer.text("Arn"), format!("arn:aws:sts::{HOME}:assumed-role/guest/session"));
    let guest = signed_in(&partner, &answer);
    assert_eq!(guest.query("sts", &[("Action", "GetCallerIdentity")]).await.ok().text("Account"), HOME);
    guest.get("/").await.ok();
    guest.put("/bucket", "").await.fails(403, "AccessDenied");

    // The account did not pass it on to this user.
    partner.query("iam", &[("Action", "CreateUser"), ("UserName", "alice")]).await.ok();
    let key = partner.query("iam", &[("Action", "CreateAccessKey"), ("UserName", "alice")]).await.ok();
    let credentials = iam_endpoint::Credentials::new(key.text("AccessKeyId"), key.text("SecretAccessKey"));
    let alice = Client { credentials, ..partner.clone() };
    let denied = assume(&alice, HOME, "guest", &[]).await.fails(403, "AccessDenied");
    assert!(
        denied.body.contains("because no identity-based policy allows the sts:AssumeRole action"),
        "{}",
        denied.body
    );

    // A role that trusts its own account only is not for the partner.
    let own = allow_to(&format!(r#"{{"AWS": "arn:aws:iam::{HOME}:root"}}"#), r#""sts:AssumeRole""#, None);
    role(&home, "own", &own, None).await;
    let denied = assume(&partner, HOME, "own", &[]).await.fails(403, "AccessDenied");
    assert!(
        denied.body.contains("because no role trust policy allows the sts:AssumeRole action"),
        "{}",
        denied.body
    );
    assume(&partner, "999988887777", "guest", &[]).await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn chains_tags_session_policies_and_boundaries_hold_across_accounts() {
    let [home, partner] = accounts();
    let trust = |account: &str| {
        allow_to(
            &format!(r#"{{"AWS": "arn:aws:iam::{account}:root"}}"#),
            r#"["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]"#,
            None,
        )
    };
    let hop =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}}"#;
    role(&partner, "hop", &trust(PARTNER), Some(hop)).await;
    let tagged = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/Team": "red", "aws:SourceIdentity": "alice"}}}}"#;
    role(&home, "target", &trust(PARTNER), Some(tagged)).await;

    let tag = [
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "red"),
        ("TransitiveTagKeys.member.1", "Team"),
        ("SourceIdentity", "alice"),
    ];
    let first = assume(&partner, PARTNER, "hop", &tag).await.ok();
    let hop = signed_in(&partner, &first);
    let second = assume(&hop, HOME, "target", &[]).await.ok();
    let target = signed_in(&partner, &second);
    target.put("/made", "").await.ok();
    assume(&hop, HOME, "target", &[("DurationSeconds", "7200")]).await.fails(400, "ValidationError");

    // The session policy of a role's session limits it in the role's account as in its own.
    let narrow = allow("s3:ListBucket", "*");
    let narrowed = assume(&hop, HOME, "target", &[("Policy", &narrow)]).await.ok();
    let narrowed = signed_in(&partner, &narrowed);
    narrowed.get("/made").await.ok();
    let denied = narrowed.put("/another", "").await.fails(403, "AccessDenied");
    assert!(denied.body.contains("because no session policy allows"), "{}", denied.body);

    // A managed session policy is one of the role's account.
    let arn = |account: &str| format!("arn:aws:iam::{account}:policy/narrow");
    let create = [("Action", "CreatePolicy"), ("PolicyName", "narrow"), ("PolicyDocument", &*narrow)];
    partner.query("iam", &create).await.ok();
    assume(&hop, HOME, "target", &[("PolicyArns.member.1.arn", &arn(HOME))]).await.fails(404, "NoSuchEntity");
    home.query("iam", &create).await.ok();
    assume(&hop, HOME, "target", &[("PolicyArns.member.1.arn", &arn(HOME))]).await.ok();

    // A boundary of the partner's role limits what it may ask of another account.
    let boundary = [
        ("Action", "PutRolePermissionsBoundary"),
        ("RoleName", "hop"),
        ("PermissionsBoundary", &arn(PARTNER)),
    ];
    partner.query("iam", &boundary).await.ok();
    let denied = assume(&hop, HOME, "target", &[]).await.fails(403, "AccessDenied");
    assert!(denied.body.contains("because no permissions boundary allows"), "{}", denied.body);
}
