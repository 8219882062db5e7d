//! Simulations, and what Access Analyzer finds, over signed requests.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use bytes::Bytes;
use common::{Answer, Client, allowing};
use http::Request;
use iam_endpoint::{Endpoint, Organization, Target};
use iam_policy::{Policy, PolicyKind};

fn administrator() -> Client {
    Client::administrator(&Endpoint::new())
}

const CAROL: &str = "arn:aws:iam::123456789012:user/carol";

/// A policy for the objects of one bucket.
const OBJECTS: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "s3:*",
      "Resource": "arn:aws:s3:::reports/*"
    },
    {
      "Effect": "Deny",
      "Action": "s3:DeleteObject",
      "Resource": "*",
      "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
    }
  ]
}"#;

async fn simulate(admin: &Client, more: &[(&str, &str)]) -> Answer {
    let policy = [("PolicyInputList.member.1", OBJECTS)];
    admin.iam("SimulateCustomPolicy", &[&policy, more].concat()).await
}

#[tokio::test]
async fn each_action_has_a_decision_and_the_statements_behind_it() {
    let admin = administrator();
    let answer = simulate(
        &admin,
        &[
            ("ActionNames.member.1", "s3:GetObject"),
            ("ActionNames.member.2", "sqs:SendMessage"),
            ("ActionNames.member.3", "s3:DeleteObject"),
            ("ResourceArns.member.1", "arn:aws:s3:::reports/may"),
            ("ContextEntries.member.1.ContextKeyName", "aws:MultiFactorAuthPresent"),
            ("ContextEntries.member.1.ContextKeyType", "boolean"),
            ("ContextEntries.member.1.ContextKeyValues.member.1", "false"),
        ],
    )
    .await
    .ok();
    assert_eq!(answer.all("EvalDecision"), ["allowed", "implicitDeny", "explicitDeny"]);
    assert_eq!(answer.all("EvalResourceDecision"), ["allowed", "implicitDeny", "explicitDeny"]);
    // Both once for the action and once for its resource.
    let first = "<SourcePolicyId>PolicyInputList.1</SourcePolicyId><SourcePolicyType>IAM Policy</SourcePolicyType>\
                 <StartPosition><Line>3</Line><Column>17</Column></StartPosition>\
                 <EndPosition><Line>8</Line><Column>6</Column></EndPosition>";
    let second = first.replace("<Line>3</Line><Column>17", "<Line>8</Line><Column>6");
    let second = second.replace("<EndPosition><Line>8", "<EndPosition><Line>14");
    assert_eq!(answer.all("MatchedStatements").iter().filter(|found| found.contains(first)).count(), 2);
    assert_eq!(answer.all("MatchedStatements").iter().filter(|found| found.contains(&second)).count(), 2);
}

#[tokio::test]
async fn several_resources_are_decided_each_on_its_own() {
    let admin = administrator();
    let answer = simulate(
        &admin,
        &[
            ("ActionNames.member.1", "s3:GetObject"),
            ("ResourceArns.member.1", "arn:aws:s3:::reports/may"),
            ("ResourceArns.member.2", "arn:aws:s3:::other/may"),
        ],
    )
    .await
    .ok();
    assert_eq!(answer.all("EvalDecision"), ["implicitDeny"]);
    let names =
        ["arn:aws:s3:::${BucketName}/${ObjectName}", "arn:aws:s3:::reports/may", "arn:aws:s3:::other/may"];
    assert_eq!(answer.all("EvalResourceName"), names);
    assert_eq!(answer.all("EvalResourceDecision"), ["allowed", "implicitDeny"]);
}

#[tokio::test]
async fn keys_that_nobody_gave_are_named() {
    let admin = administrator();
    let about_all = simulate(&admin, &[("ActionNames.member.1", "s3:DeleteObject")]).await.ok();
    assert!(about_all.text("MissingContextValues").contains("<member>aws:MultiFactorAuthPresent</member>"));
    let one =
        [("ActionNames.member.1", "s3:DeleteObject"), ("ResourceArns.member.1", "arn:aws:s3:::reports/may")];
    let answer = simulate(&admin, &one).await.ok();
    let missing = answer.all("MissingContextValues");
    assert_eq!(missing, ["", "<member>aws:MultiFactorAuthPresent</member>"], "beside the resource");
    let entry = |kind, value| {
        [
            one[0],
            ("ContextEntries.member.1.ContextKeyName", "aws:SourceIp"),
            ("ContextEntries.member.1.ContextKeyType", kind),
            ("ContextEntries.member.1.ContextKeyValues.member.1", value),
        ]
    };
    simulate(&admin, &entry("ip", "10.0.0.0/8")).await.ok();
    simulate(&admin, &entry("ip", "ten")).await.fails(400, "InvalidInput");
    simulate(&admin, &entry("address", "10.0.0.1")).await.fails(400, "ValidationError");
    let keys =
        admin.iam("GetContextKeysForCustomPolicy", &[("PolicyInputList.member.1", OBJECTS)]).await.ok();
    assert_eq!(keys.all("member"), ["aws:MultiFactorAuthPresent"]);
}

#[tokio::test]
async fn a_principal_is_simulated_with_its_groups_and_its_boundary() {
    let admin = administrator();
    let carol = admin.user("carol", &allowing(r#""sqs:*""#)).await;
    admin.iam("CreateGroup", &[("GroupName", "g")]).await.ok();
    admin.iam("AddUserToGroup", &[("GroupName", "g"), ("UserName", "carol")]).await.ok();
    let document = allowing(r#""s3:*""#).replace("\"*\"}", "\"arn:aws:s3:::home-${aws:username}/*\"}");
    let put = [("GroupName", "g"), ("PolicyName", "home"), ("PolicyDocument", &*document)];
    admin.iam("PutGroupPolicy", &put).await.ok();
    let ask = [
        ("PolicySourceArn", CAROL),
        ("ActionNames.member.1", "sqs:SendMessage"),
        ("ActionNames.member.2", "s3:GetObject"),
        ("ResourceArns.member.1", "arn:aws:s3:::home-carol/x"),
    ];
    let answer = admin.iam("SimulatePrincipalPolicy", &ask).await.ok();
    assert_eq!(answer.all("EvalDecision"), ["allowed", "allowed"]);
    assert_eq!(
        answer.all("SourcePolicyId"),
        ["user_carol_p", "user_carol_p", "group_g_home", "group_g_home"]
    );
    assert_eq!(answer.asked(), [format!("iam:SimulatePrincipalPolicy {CAROL}")]);
    carol.iam("SimulatePrincipalPolicy", &ask).await.fails(403, "AccessDenied");

    let bounds = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    let bound = [("UserName", "carol"), ("PermissionsBoundary", bounds)];
    admin.iam("PutUserPermissionsBoundary", &bound).await.ok();
    let answer = admin.iam("SimulatePrincipalPolicy", &ask).await.ok();
    assert_eq!(answer.all("EvalDecision"), ["implicitDeny", "allowed"]);
    assert_eq!(answer.all("AllowedByPermissionsBoundary"), ["false", "false", "true", "true"]);
    let nobody = [("PolicySourceArn", "arn:aws:iam::123456789012:user/nobody"), ask[1]];
    admin.iam("SimulatePrincipalPolicy", &nobody).await.fails(404, "NoSuchEntity");
    let keys = admin.iam("GetContextKeysForPrincipalPolicy", &ask[..1]).await.ok();
    assert_eq!(keys.all("member"), ["aws:username"]);
}

#[tokio::test]
async fn an_organization_limits_the_principals_of_its_members() {
    let endpoint = Endpoint::new();
    let admin = Client::administrator(&endpoint);
    let deny =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}}"#;
    let deny = Policy::parse(deny, PolicyKind::ServiceControl).unwrap();
    let root = Target::new("r-ab12").scp(deny).with(Target::new("123456789012"));
    endpoint.set_organization(Organization::new("o-a1b2c3d4e5", "111122223333", root));
    let ask = [
        ("PolicySourceArn", "arn:aws:iam::123456789012:user/administrator"),
        ("ActionNames.member.1", "sqs:SendMessage"),
        ("ActionNames.member.2", "s3:GetObject"),
    ];
    let answer = admin.iam("SimulatePrincipalPolicy", &ask).await.ok();
    assert_eq!(answer.all("EvalDecision"), ["explicitDeny", "allowed"]);
    assert_eq!(answer.all("AllowedByOrganizations"), ["false", "true"]);
}

#[tokio::test]
async fn a_resource_policy_takes_part_and_across_accounts_both_must_allow() {
    let admin = administrator();
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": {{"AWS": "{CAROL}"}},
            "Action": "sqs:*", "Resource": "*"}}}}"#
    );
    let queue = "arn:aws:sqs:us-east-1:123456789012:q";
    let ask = [
        ("ActionNames.member.1", "sqs:SendMessage"),
        ("ResourceArns.member.1", queue),
        ("ResourcePolicy", &*policy),
        ("CallerArn", CAROL),
    ];
    simulate(&admin, &ask[..3]).await.fails(400, "InvalidInput");
    let own = simulate(&admin, &ask).await.ok();
    assert_eq!(own.all("EvalDecision"), ["allowed"]);
    assert_eq!(own.all("SourcePolicyType"), ["Resource Policy", "Resource Policy"]);
    let owner = [("ResourceOwner", "arn:aws:iam::222233334444:root")];
    let theirs = simulate(&admin, &[&ask[..], &owner].concat()).await.ok();
    assert_eq!(theirs.all("EvalDecision"), ["implicitDeny"]);
    let details = "<entry><key>IAM Policy</key><value>implicitDeny</value></entry>\
                   <entry><key>Resource Policy</key><value>allowed</value></entry>";
    assert_eq!(theirs.text("EvalDecisionDetails"), details);
}

#[tokio::test]
async fn many_actions_come_in_pages() {
    let admin = administrator();
    let names: Vec<_> = (1..=120).map(|n| format!("ActionNames.member.{n}")).collect();
    let actions: Vec<_> = (1..=120).map(|n| format!("s3:Action{n}")).collect();
    let all: Vec<_> =
        names.iter().zip(&actions).map(|(name, action)| (name.as_str(), action.as_str())).collect();
    let first = simulate(&admin, &all).await.ok();
    assert_eq!((first.all("EvalActionName").len(), first.text("IsTruncated")), (100, "true"));
    let rest = simulate(&admin, &[&all[..], &[("Marker", first.text("Marker"))]].concat()).await.ok();
    assert_eq!(rest.all("EvalActionName").first(), Some(&"s3:Action101"));
    assert_eq!((rest.all("EvalActionName").len(), rest.text("IsTruncated")), (20, "false"));
}

async fn validate(client: &Client, body: &str) -> Answer {
    let request = Request::post("https://access-analyzer.us-east-1.amazonaws.com/policy/validation")
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_owned()));
    client.send("access-analyzer", request.unwrap()).await
}

fn question(kind: &str, policy: &str) -> String {
    format!(r#"{{"policyType": "{kind}", "policyDocument": "{}"}}"#, policy.replace('"', "\\\""))
}

#[tokio::test]
async fn access_analyzer_names_what_is_wrong_and_where() {
    let admin = administrator();
    for (policy, wanted) in [
        (allowing(r#""s3:GetObject""#), ""),
        (
            allowing(r#"["s3:GetObject","s3:GetObjct"]"#),
            r#""findingType":"ERROR","issueCode":"INVALID_ACTION""#,
        ),
        (
            allowing(r#""iam:PassRole""#),
            r#""findingType":"SECURITY_WARNING","issueCode":"PASS_ROLE_WITH_STAR_IN_RESOURCE""#,
        ),
        (
            allowing(r#""s3:GetObject""#).replace(r#""Version":"2012-10-17","#, ""),
            r#""findingType":"WARNING","issueCode":"MISSING_VERSION""#,
        ),
        (allowing(r#""s3:GetObject""#).replace("Allow", "Permit"), r#""issueCode":"INVALID_EFFECT""#),
        ("{".to_owned(), r#""issueCode":"JSON_SYNTAX_ERROR""#),
    ] {
        let answer = validate(&admin, &question("IDENTITY_POLICY", &policy)).await.ok();
        assert!(answer.body.contains(wanted), "{policy}: {}", answer.body);
        assert_eq!(answer.body == r#"{"findings":[]}"#, wanted.is_empty(), "{policy}: {}", answer.body);
    }
    let policy = allowing(r#"["s3:GetObject","s3:GetObjct"]"#);
    let answer = validate(&admin, &question("IDENTITY_POLICY", &policy)).await.ok();
    let at = policy.find("\"s3:GetObjct").unwrap();
    let place = format!(
        r#"[{{"path":[{{"value":"Statement"}},{{"index":0}},{{"value":"Action"}},{{"index":1}}],"span":{{"end":{{"column":{0},"line":1,"offset":{0}}},"start":{{"column":{at},"line":1,"offset":{at}}}}}}}]"#,
        at + 13
    );
    assert!(answer.body.contains(&place), "{}", answer.body);
}

#[tokio::test]
async fn access_analyzer_asks_who_calls_and_refuses_what_it_cannot_read() {
    let admin = administrator();
    let nobody = admin.role("nobody", &allowing(r#""s3:*""#)).await;
    let body = question("IDENTITY_POLICY", "{}");
    let denied = validate(&nobody, &body).await;
    assert_eq!((denied.status, denied.event.code.as_deref()), (403, Some("AccessDeniedException")));
    assert_eq!(denied.asked(), ["access-analyzer:ValidatePolicy *"]);
    for body in ["{", "{}", &question("SOME_POLICY", "{}")] {
        assert_eq!(validate(&admin, body).await.status, 400, "{body}");
    }
}
