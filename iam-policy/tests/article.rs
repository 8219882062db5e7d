//! Policies are sets: what is said about sets of permissions, shown with policies that AWS itself wrote.
//!
//! A policy takes each (action, resource, context) to allowed or denied. What it allows is a set, so that policies have unions,
//! intersections, differences and complements, and one can be asked whether it is within another. The figures are those of the
//! catalogue and of the managed policies that this version of the crate has.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use iam_policy::catalogue::{self, AccessLevel, Action, ActionResource};
use iam_policy::{
    Context, Method, Permissions, Policy, PolicyKind, PolicySet, Principal, Request, Verdict,
    assert_disjoint, assert_equivalent, assert_subset, managed,
};

fn managed(name: &str) -> Permissions {
    Policy::parse(managed::find(name).unwrap().document(), PolicyKind::Identity).unwrap().permissions()
}

fn policy(statements: &str) -> Policy {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    Policy::parse(text, PolicyKind::Identity).unwrap()
}

fn allow(actions: &str) -> Permissions {
    policy(&format!(r#"{{"Effect": "Allow", "Action": "{actions}", "Resource": "*"}}"#)).permissions()
}

/// How many actions of each access level a set has.
fn by_level(set: &Permissions) -> BTreeMap<AccessLevel, usize> {
    let mut levels = BTreeMap::new();
    for (action, answer) in set.actions() {
        assert!(answer.is_no(), "{action}: nothing is left open");
        *levels.entry(action.access_level()).or_default() += 1;
    }
    levels
}

fn names(set: &Permissions) -> Vec<String> {
    set.actions().into_iter().map(|(action, _)| action.to_string()).collect()
}

#[test]
fn neither_read_only_nor_power_user_is_within_the_other() {
    let (read_only, power_user) = (managed("ReadOnlyAccess"), managed("PowerUserAccess"));
    assert!(read_only.is_subset(&power_user).is_no());
    assert!(power_user.is_subset(&read_only).is_no());

    // What only the reader has is what power users must not even see: accounts, identities, organizations.
    let only_reader = read_only.difference(&power_user);
    assert_eq!(by_level(&only_reader), [(AccessLevel::List, 59), (AccessLevel::Read, 47)].into());
    let services: Vec<String> = names(&only_reader)
        .iter()
        .filter_map(|name| name.split_once(':').map(|(service, _)| service.to_owned()))
        .collect();
    assert!(
        services.iter().all(|service| ["account", "iam", "organizations"].contains(&service.as_str())),
        "{services:?}"
    );

    // What only the power user has is of every level, and above all what changes things.
    let only_power_user = by_level(&power_user.difference(&read_only));
    let most = only_power_user.iter().max_by_key(|(_, count)| **count).unwrap();
    assert_eq!(most, (&AccessLevel::Write, &11_370));
    assert_eq!(only_power_user.len(), 5);
}

#[test]
fn a_union_has_what_either_has_and_each_is_within_it() {
    let (read_only, power_user) = (managed("ReadOnlyAccess"), managed("PowerUserAccess"));
    let union = read_only.union(&power_user);
    assert_subset!(read_only, union);
    assert_subset!(power_user, union);
    let count = |set: &Permissions| set.actions().len();
    let both = read_only.intersection(&power_user);
    assert_eq!(count(&union), count(&read_only) + count(&power_user) - count(&both));

    // Two attached policies are a union.
    let attached = union.to_documents(Method::Attached).unwrap();
    assert_eq!(attached.identity.len(), 2);
    assert_equivalent!(attached, union);

    // And the union is not everything: IAM's users and roles are changed by neither.
    assert!(catalogue::expand("*").count() > count(&union));
    assert_disjoint!(union, allow("iam:CreateUser"));
}

#[test]
fn read_only_access_to_ec2_alone_is_said_in_two_ways() {
    let ec2 = managed("ReadOnlyAccess").intersection(&allow("ec2:*"));

    // Attach ReadOnlyAccess as it is, and deny all that is not EC2's.
    let denied = ec2.to_documents(Method::Attached).unwrap();
    assert_eq!(denied.identity[0].source().text(), managed::find("ReadOnlyAccess").unwrap().document());
    assert_eq!(
        denied.identity[1].to_json(),
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"ec2:*","Resource":"*"}]}"#
    );

    // Or allow what is EC2's of it.
    let allowed = ec2.to_documents(Method::Allow).unwrap();
    let [statement] = allowed.identity[0].statements() else { panic!("one statement") };
    let actions = statement.actions();
    assert!(actions.values.iter().all(|value| value.text.starts_with("ec2:")));
    assert!(actions.values.iter().any(|value| value.text == "ec2:Describe*"));

    assert_equivalent!(denied, allowed);
    assert_equivalent!(denied, ec2);

    // In one document with the denial it would be far larger than AWS takes.
    let refused = ec2.to_documents(Method::Deny).unwrap_err();
    assert!(refused.reason().ends_with("characters, and 10240 are allowed"), "{refused}");
}

#[test]
fn what_a_policy_both_allows_and_denies_is_denied() {
    let both = policy(
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
           {"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}"#,
    );
    let set = both.permissions();
    assert_disjoint!(set, allow("s3:DeleteBucket"));
    assert_equivalent!(set, allow("s3:*").difference(&allow("s3:DeleteBucket")));

    let request = Request {
        principal: Principal::User { arn: "arn:aws:iam::123456789012:user/alice".into() },
        action: "s3:DeleteBucket".into(),
        resource: "arn:aws:s3:::reports".into(),
        resource_account: None,
        context: Context::new(),
    };
    let decision = PolicySet { identity: vec![both].into(), ..PolicySet::default() }.decide(&request);
    assert_eq!(decision.verdict, Verdict::ExplicitDeny);

    // So the same action allowed and denied is the empty set.
    let nothing = policy(
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
           {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#,
    );
    assert!(nothing.permissions().is_empty().is_yes());
}

#[test]
fn a_complement_is_written_with_not_action() {
    let iam = allow("iam:*");
    let complement = iam.complement().to_documents(Method::Allow).unwrap();
    assert_eq!(
        complement.identity[0].to_json(),
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}"#
    );
    assert_disjoint!(complement, iam);
    assert_equivalent!(complement.permissions().union(&iam), Permissions::everything());

    // `Deny` with `NotAction` limits, and allows nothing on its own.
    let only = policy(r#"{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}"#);
    assert!(only.permissions().is_empty().is_yes());
}

/// With the versions before these (`ViewOnlyAccess` v45, `SecurityAudit` v92, `ReadOnlyAccess` v188) and the same catalogue, it was 4
/// actions and 204; these are v46, v94 and v190.
#[test]
fn neither_viewers_nor_auditors_are_within_read_only_access() {
    let read_only = managed("ReadOnlyAccess");
    for (name, count, example) in [
        ("ViewOnlyAccess", 16, "aws-marketplace:ViewSubscriptions"),
        ("SecurityAudit", 213, "cognito-identity:GetPrincipalTagAttributeMap"),
    ] {
        let set = managed(name);
        let beyond = names(&set.difference(&read_only));
        assert_eq!(beyond.len(), count, "{name}: {beyond:?}");
        assert!(beyond.iter().any(|action| action == example), "{name}: {beyond:?}");
        assert!(set.closed().is_subset(&read_only).is_no());
        // The other procedure: the evaluator, asked about every action.
        let allows = |request: &Request| set.contains(request) && !read_only.contains(request);
        let all = catalogue::services().flat_map(catalogue::Service::actions);
        let found = all.filter(|action| requests(*action).any(|request| allows(&request)));
        assert_eq!(found.map(|action| action.to_string()).collect::<Vec<_>>(), beyond, "{name}");
    }
}

/// Requests for an action on a resource of each of its types, and on none where it needs none.
fn requests(action: Action) -> impl Iterator<Item = Request> {
    let formats = action.resources().flat_map(|on| on.resource_type().arn_formats());
    let none = (!action.resources().any(ActionResource::is_required)).then(|| "*".to_owned());
    formats.map(example).chain(none).map(move |resource| Request {
        principal: Principal::User { arn: "arn:aws:iam::123456789012:user/alice".into() },
        action: action.to_string(),
        resource,
        resource_account: None,
        context: Context::new(),
    })
}

/// An ARN of a format of the catalogue.
fn example(format: &str) -> String {
    let pieces = format.split("${").map(|piece| match piece.split_once('}') {
        Some(("Partition", after)) => format!("aws{after}"),
        Some(("Account", after)) => format!("123456789012{after}"),
        Some((_, after)) => format!("example{after}"),
        None => piece.to_owned(),
    });
    pieces.collect()
}
