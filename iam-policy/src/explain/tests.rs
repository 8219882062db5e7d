//! What people read when a test fails.

use super::*;
use crate::context::Context;
use crate::document::{Policy, PolicyKind};
use crate::principal::Principal;
use crate::source::Source;

const TEXT: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Dashboard",
      "Effect": "Allow",
      "Action": ["s3:GetObject", "s3:ListBucket"],
      "Resource": ["arn:aws:s3:::dashboard", "arn:aws:s3:::dashboard/*"]
    },
    {
      "Sid": "Home",
      "Effect": "Allow",
      "Action": "s3:*Object",
      "Resource": "arn:aws:s3:::home/${aws:username}/*",
      "Condition": { "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } }
    },
    {
      "Sid": "NoDeletes",
      "Effect": "Deny",
      "Action": "s3:Delete*",
      "Resource": "*"
    },
    {
      "Sid": "Queues",
      "Effect": "Allow",
      "Action": "sqs:SendMessage",
      "Resource": "*"
    }
  ]
}"#;

fn explain(action: &str, resource: &str, context: Context) -> Explanation {
    let policy = Policy::parse(Source::new("p.json", TEXT), PolicyKind::Identity).unwrap();
    let request = Request {
        principal: Principal::from_arn("arn:aws:iam::111122223333:user/alice").unwrap(),
        action: action.into(),
        resource: resource.into(),
        resource_account: None,
        context,
    };
    PolicySet { identity: vec![policy].into(), ..PolicySet::default() }.explain(&request)
}

fn sids(explanation: &Explanation) -> Vec<&str> {
    explanation.near_misses().iter().filter_map(|trace| trace.statement().sid()).collect()
}

#[test]
fn an_explicit_deny_shows_the_statement_that_denies() {
    assert_eq!(
        explain("s3:DeleteObject", "arn:aws:s3:::dashboard/x", Context::new()).to_string(),
        "\
explicitDeny: `s3:DeleteObject` on `arn:aws:s3:::dashboard/x` by `arn:aws:iam::111122223333:user/alice`
with an explicit deny in an identity-based policy

note: statement `NoDeletes` of an identity-based policy denies it
  --> p.json:20:17
   |
20 |       \"Action\": \"s3:Delete*\",
   |                 ^^^^^^^^^^^^ `s3:DeleteObject` matches `s3:Delete*`
21 |       \"Resource\": \"*\"
   |                   --- `arn:aws:s3:::dashboard/x` matches `*`
   |"
    );
}

#[test]
fn a_near_miss_shows_the_value_that_came_nearest_and_how_many_others_there_are() {
    let explanation = explain("s3:GetObject", "arn:aws:s3:::dashboards/x", Context::new());
    assert_eq!(sids(&explanation), ["Dashboard"]);
    let text = explanation.to_string();
    assert!(
        text.contains(
            "8 |       \"Resource\": [\"arn:aws:s3:::dashboard\", \"arn:aws:s3:::dashboard/*\"]
  |                    ^^^^^^^^^^^^^^^^^^^^^^^^ `arn:aws:s3:::dashboards/x` is not `arn:aws:s3:::dashboard`, nor the other one"
        ),
        "{text}"
    );
}

#[test]
fn a_near_miss_shows_what_a_condition_compared_and_how_a_variable_was_filled() {
    let mut context = Context::new();
    context.set("aws:username", "bob").set("aws:SourceIp", "192.0.2.1");
    let explanation = explain("s3:PutObject", "arn:aws:s3:::home/alice/x", context.clone());
    let text = explanation.to_string();
    assert!(
        text.contains("`arn:aws:s3:::home/alice/x` is not `arn:aws:s3:::home/${aws:username}/*`, that is `arn:aws:s3:::home/bob/*`"),
        "{text}"
    );
    let text = explain("s3:PutObject", "arn:aws:s3:::home/bob/x", context).to_string();
    assert!(
        text.contains("^ `aws:SourceIp` is `192.0.2.1`, which does not meet `IpAddress` `10.0.0.0/8`"),
        "{text}"
    );
}

#[test]
fn keys_of_which_nothing_is_known_are_named() {
    let mut context = Context::new();
    context.set("aws:username", "bob");
    let text = explain("s3:PutObject", "arn:aws:s3:::home/bob/x", context).to_string();
    assert!(
        text.ends_with("note: nothing is known of `aws:SourceIp` in this request; taken as absent"),
        "{text}"
    );
    assert!(
        text.contains("nothing is known of `aws:SourceIp`: so as absent `IpAddress` does not hold"),
        "{text}"
    );
}

#[test]
fn statements_of_other_services_are_no_near_misses() {
    let explanation = explain("sns:Publish", "arn:aws:sns:eu-west-1:111122223333:t", Context::new());
    assert!(explanation.near_misses().is_empty());
    assert!(
        explanation
            .to_string()
            .ends_with("note: no statement of an identity-based policy allows an action of `sns`"),
        "{explanation}"
    );
}

#[test]
fn an_allowed_request_names_the_statement_that_allows() {
    let explanation = explain("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q", Context::new());
    let deciding: Vec<&str> = explanation.deciding().filter_map(|trace| trace.statement().sid()).collect();
    assert_eq!(deciding, ["Queues"]);
    assert!(
        explanation
            .to_string()
            .contains("note: statement `Queues` of an identity-based policy allows it\n  --> p.json:26:17")
    );
}

#[test]
fn a_set_without_policies_says_so() {
    let request = explain("s3:GetObject", "*", Context::new()).request().clone();
    let text = PolicySet::default().explain(&request).to_string();
    assert!(text.ends_with("note: there is no identity-based policy, or it has no statement"), "{text}");
}

#[test]
fn a_grant_to_the_account_alone_is_shown_where_identity_based_policies_are_silent() {
    let bucket = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"}}"#;
    let resource = Some(Policy::parse(Source::new("bucket.json", bucket), PolicyKind::Resource).unwrap());
    let request = explain("s3:GetObject", "arn:aws:s3:::b/x", Context::new()).request().clone();
    let text = PolicySet { resource, ..PolicySet::default() }.explain(&request).to_string();
    assert!(
        text.contains("note: this statement of a resource-based policy allows it, but an identity-based policy must too\n --> bucket.json:1:"),
        "{text}"
    );
}

#[test]
fn of_several_near_misses_the_one_with_the_most_in_common_comes_first() {
    let statement = |sid: &str, resource: &str| {
        format!(
            r#"{{"Sid": "{sid}", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{resource}"}}"#
        )
    };
    let statements =
        [statement("Far", "x"), statement("Near", "report"), statement("Nearest", "reports/april")];
    let text = format!(r#"{{"Statement": [{}]}}"#, statements.join(","));
    let identity = vec![Policy::parse(text, PolicyKind::Identity).unwrap()].into();
    let request = explain("s3:GetObject", "arn:aws:s3:::reports/may", Context::new()).request().clone();
    let explanation = PolicySet { identity, ..PolicySet::default() }.explain(&request);
    assert_eq!(sids(&explanation), ["Nearest", "Near", "Far"]);
}
