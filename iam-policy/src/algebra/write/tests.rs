use crate::algebra::*;
use crate::{Policy, PolicyKind, PolicySet};

const GET: &str = r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#;
const OBJECTS: &str = r#"{"Effect":"Allow","Action":"s3:*Object","Resource":"*"}"#;
const REPORTS: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::reports/*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}"#;

fn policy(statements: &str) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Policy::parse(text, PolicyKind::Identity).unwrap_or_else(|problems| panic!("{problems}"))
}

fn set(statements: &str) -> Permissions {
    policy(statements).permissions()
}

/// The statements of a policy, without quotes.
fn short(policy: &Policy) -> String {
    let json = policy.to_json();
    let json = json.strip_prefix(r#"{"Version":"2012-10-17","Statement":["#).unwrap();
    json.strip_suffix("]}").unwrap().replace('"', "")
}

/// The documents of a set in one line each, or why there are none.
fn documents(set: &Permissions, method: Method) -> Vec<String> {
    let PolicySet { identity, boundary, session, .. } = match set.to_documents(method) {
        Ok(documents) => documents,
        Err(refused) => return vec![refused.to_string()],
    };
    let identity = identity.iter().map(|policy| format!("identity {}", short(policy)));
    let boundary = boundary.iter().map(|policy| format!("boundary {}", short(policy)));
    let session = session.iter().flatten().map(|policy| format!("session {}", short(policy)));
    identity.chain(boundary).chain(session).collect()
}

#[test]
fn an_intersection_is_said_in_five_ways() {
    let both = set(GET).intersection(&set(OBJECTS));
    let get = "identity {Effect:Allow,Action:s3:Get*,Resource:*}";
    for (method, expected) in [
        (Method::Allow, &["identity {Effect:Allow,Action:s3:Get*Object,Resource:*}"][..]),
        (Method::Attached, &[get, "identity {Effect:Deny,NotAction:s3:*Object,Resource:*}"]),
        (Method::Boundary, &[get, "boundary {Effect:Allow,Action:s3:*Object,Resource:*}"]),
        (
            Method::Deny,
            &[
                "identity {Effect:Allow,Action:s3:Get*,Resource:*},{Effect:Deny,NotAction:s3:*Object,Resource:*}",
            ],
        ),
        (Method::Session, &[get, "session {Effect:Allow,Action:s3:*Object,Resource:*}"]),
    ] {
        assert_eq!(documents(&both, method), expected, "{method:?}");
    }
}

#[test]
fn a_limit_in_every_element_is_a_denial_for_each() {
    let both = set(GET).intersection(&set(REPORTS));
    assert_eq!(
        documents(&both, Method::Deny),
        ["identity {Effect:Allow,Action:s3:Get*,Resource:*},{Effect:Deny,NotAction:s3:*,Resource:*},\
          {Effect:Deny,Action:*,NotResource:arn:aws:s3:::reports/*},\
          {Effect:Deny,Action:*,Resource:*,Condition:{NotIpAddress:{aws:SourceIp:10.0.0.0/8}}}"]
    );
    assert_eq!(
        documents(&both, Method::Allow),
        ["identity {Effect:Allow,Action:s3:Get*,Resource:arn:aws:s3:::reports/*,\
          Condition:{IpAddress:{aws:SourceIp:10.0.0.0/8}}}"]
    );
}

#[test]
fn a_difference_denies_what_is_taken_away() {
    let left = set(GET).difference(&set(r#"{"Effect":"Allow","Action":"s3:GetObject*","Resource":"*"}"#));
    let deny = "{Effect:Deny,Action:s3:GetObject*,Resource:*}";
    let get = "identity {Effect:Allow,Action:s3:Get*,Resource:*}";
    assert_eq!(documents(&left, Method::Attached), [get.to_owned(), format!("identity {deny}")]);
    assert_eq!(
        documents(&left, Method::Boundary),
        [get.to_owned(), format!("boundary {{Effect:Allow,Action:*,Resource:*}},{deny}")]
    );
    assert!(
        documents(&left, Method::Allow)[0].ends_with("no patterns say `s3:Get*` without `s3:GetObject*`")
    );
}

#[test]
fn a_complement_is_what_is_not_named() {
    assert_eq!(
        documents(&set(GET).complement(), Method::Allow),
        ["identity {Effect:Allow,NotAction:s3:Get*,Resource:*}"]
    );
    assert_eq!(
        documents(&set(GET).complement(), Method::Deny),
        ["identity {Effect:Allow,Action:*,Resource:*},{Effect:Deny,Action:s3:Get*,Resource:*}"]
    );
    let back = set(GET).complement().complement();
    assert_eq!(documents(&back, Method::Allow), ["identity {Effect:Allow,Action:s3:Get*,Resource:*}"]);
}

#[test]
fn a_union_needs_no_second_denial_where_the_other_allows_it() {
    let denies = format!(r#"{GET},{{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}}"#);
    let union = set(&denies).union(&set(OBJECTS));
    assert_eq!(
        documents(&union, Method::Deny),
        ["identity {Effect:Allow,Action:[s3:*Object,s3:Get*],Resource:*}"]
    );
    // A denial of the one would deny what the other allows, wherever it stands.
    let narrow = set(&denies)
        .union(&set(r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#));
    assert_eq!(
        documents(&narrow, Method::Deny),
        [
            "identity {Effect:Allow,Action:s3:Get*,Resource:*},{Effect:Deny,Action:s3:GetObject,NotResource:arn:aws:s3:::b/*}"
        ]
    );
}

#[test]
fn nothing_is_a_policy_that_denies() {
    let nothing = set(GET).intersection(&set(r#"{"Effect":"Allow","Action":"sqs:*","Resource":"*"}"#));
    assert_eq!(documents(&nothing, Method::Allow), ["identity {Effect:Deny,Action:*,Resource:*}"]);
}

#[test]
fn conditions_meet_and_have_opposites() {
    let with = |condition: &str| {
        set(&format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{{condition}}}}}"#))
    };
    for (one, other, expected) in [
        (r#""StringLike":{"a:k":"x*"}"#, r#""StringLike":{"a:k":"*y"}"#, "StringLike:{a:k:[x*y]}"),
        (
            r#""StringEquals":{"a:k":["x","y"]}"#,
            r#""StringEquals":{"A:K":["y","z"]}"#,
            "StringEquals:{a:k:y}",
        ),
        (
            r#""StringNotEquals":{"a:k":"x"}"#,
            r#""StringNotEquals":{"a:k":"y"}"#,
            "StringNotEquals:{a:k:[x,y]}",
        ),
        (r#""NumericLessThan":{"a:k":"5"}"#, r#""NumericLessThan":{"a:k":"7"}"#, "NumericLessThan:{a:k:5}"),
        (
            r#""IpAddress":{"a:k":["10.0.0.0/8","192.0.2.0/24"]}"#,
            r#""IpAddress":{"a:k":"10.2.0.0/16"}"#,
            "IpAddress:{a:k:10.2.0.0/16}",
        ),
        (r#""StringEquals":{"a:k":"x"}"#, r#""Null":{"a:j":"true"}"#, "StringEquals:{a:k:x},Null:{a:j:true}"),
    ] {
        let found = documents(&with(one).intersection(&with(other)), Method::Allow);
        let expected = expected.replace("[x*y]", "x*y");
        let expected = format!("identity {{Effect:Allow,Action:s3:*,Resource:*,Condition:{{{expected}}}}}");
        assert_eq!(found, [expected], "{one} {other}");
    }
    for (condition, opposite) in [
        (r#""StringEquals":{"a:k":["x","y"]}"#, "StringNotEquals:{a:k:[x,y]}"),
        (r#""StringEqualsIfExists":{"a:k":"x"}"#, "StringNotEquals:{a:k:x},Null:{a:k:false}"),
        (r#""NumericLessThan":{"a:k":"5"}"#, "NumericGreaterThanEqualsIfExists:{a:k:5}"),
        (r#""Bool":{"a:k":"true"}"#, "BoolIfExists:{a:k:false}"),
        (r#""Null":{"a:k":"true"}"#, "Null:{a:k:false}"),
        (r#""ForAnyValue:StringLike":{"aws:TagKeys":"x*"}"#, "ForAllValues:StringNotLike:{aws:TagKeys:x*}"),
    ] {
        let limited = set(GET).intersection(&with(condition));
        let found = documents(&limited, Method::Deny).concat();
        assert!(found.contains(&format!("Condition:{{{opposite}}}")), "{condition} {found}");
    }
    let two = with(r#""ForAnyValue:StringLike":{"aws:TagKeys":"x*"}"#)
        .intersection(&with(r#""ForAnyValue:StringLike":{"aws:TagKeys":"y*"}"#));
    assert!(documents(&two, Method::Allow).concat().contains("this would need two"));
}

#[test]
fn a_policy_that_is_too_large_is_refused_with_its_size() {
    let resources: Vec<String> =
        (0..100).map(|at| format!(r#""arn:aws:s3:::bucket-{at}/prefix/*""#)).collect();
    let many = set(&format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":[{}]}}"#, resources.join(",")));
    let limited = set(GET).intersection(&many);
    let refused = documents(&limited, Method::Session).concat();
    assert!(
        refused.ends_with("a session policy would have 3476 characters, and 2048 are allowed"),
        "{refused}"
    );
    assert_eq!(documents(&limited, Method::Boundary).len(), 2);
}

#[test]
fn variables_and_old_policies_keep_their_meaning() {
    let home = set(r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*"}"#);
    assert_eq!(
        documents(&set(GET).intersection(&home), Method::Allow),
        ["identity {Effect:Allow,Action:s3:Get*,Resource:arn:aws:s3:::home/${aws:username}/*}"]
    );
    let old = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*"}}"#;
    let old = Policy::parse(old, PolicyKind::Identity).unwrap().permissions();
    assert_eq!(
        documents(&set(GET).intersection(&old), Method::Allow),
        ["identity {Effect:Allow,Action:s3:Get*,Resource:arn:aws:s3:::home/${$}{aws:username}/*}"]
    );
}

#[test]
fn a_policy_that_names_principals_has_no_documents() {
    let text = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}}"#;
    let bucket = Policy::parse(text, PolicyKind::Resource).unwrap();
    let refused = documents(&bucket.permissions(), Method::Allow).concat();
    assert!(refused.contains("names principals"), "{refused}");
    assert!(bucket.minimized().is_err());
}

#[test]
fn statements_become_one_and_what_others_cover_goes() {
    for (statements, expected) in [
        (
            // Of two that differ in one element.
            r#"{"Sid":"One","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"},
               {"Sid":"Two","Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::a/*"}"#,
            "{Sid:One,Effect:Allow,Action:[s3:GetObject,s3:PutObject],Resource:arn:aws:s3:::a/*}",
        ),
        (
            // Patterns of a wider one, and of one that denies.
            r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"},
               {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteBucket"],"Resource":"arn:aws:s3:::a/*"},
               {"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}"#,
            "{Effect:Allow,Action:s3:Get*,Resource:*},{Effect:Allow,Action:s3:PutObject,Resource:arn:aws:s3:::a/*},\
             {Effect:Deny,Action:s3:Delete*,Resource:*}",
        ),
        (
            // Two that together have all of a third.
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}},
               {"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Null":{"aws:SecureTransport":"false"}}}"#,
            "{Effect:Allow,Action:s3:*,Resource:*,Condition:{Null:{aws:SecureTransport:false}}}",
        ),
        (
            // A denial of what nobody allows here may be against another policy.
            r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"},{"Effect":"Deny","Action":"iam:*","Resource":"*"}"#,
            "{Effect:Allow,Action:s3:Get*,Resource:*},{Effect:Deny,Action:iam:*,Resource:*}",
        ),
    ] {
        let policy = policy(statements);
        let minimized = policy.minimized().unwrap();
        assert_eq!(short(&minimized), expected);
        assert!(minimized.permissions() == policy.permissions());
        assert_eq!(minimized.minimized().unwrap().to_json(), minimized.to_json());
    }
}

#[test]
fn what_is_as_small_as_it_can_be_stays_word_for_word() {
    let text = r#"{ "Statement": { "Effect": "Allow", "Action": "s3:Get*", "Resource": "*" } }"#;
    let policy = Policy::parse(text, PolicyKind::Identity).unwrap();
    assert_eq!(policy.minimized().unwrap().source().text(), text);
}

#[test]
fn over_the_catalogue_lists_become_patterns() {
    let all: Vec<String> = crate::catalogue::expand("sqs:*").map(|action| format!("\"{action}\"")).collect();
    let listed = policy(&format!(
        r#"{{"Effect":"Allow","Action":[{},"sns:Publish"],"Resource":"*"}},
           {{"Effect":"Allow","Action":["sns:Nothing","sns:Publish"],"Resource":"arn:aws:sns:*:*:t"}}"#,
        all.join(",")
    ));
    let minimized = listed.minimized_closed().unwrap();
    assert_eq!(short(&minimized), "{Effect:Allow,Action:[sns:Publish,sqs:*],Resource:*}");
    assert!(minimized.permissions().is_subset(&listed.permissions()).is_no());
}
