use crate::algebra::*;
use crate::{Policy, PolicyKind, PolicySet};

fn policy(statements: &str) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Policy::parse(text, PolicyKind::Identity).unwrap_or_else(|problems| panic!("{problems}"))
}

fn set(statements: &str) -> Permissions {
    policy(statements).permissions()
}

/// The documents in one line each.
fn lines(documents: &PolicySet) -> Vec<String> {
    let strip = |policy: &Policy| policy.to_json().replace(r#"{"Version":"2012-10-17","Statement":"#, "").replace('"', "");
    let identity = documents.identity.iter().map(|policy| format!("identity {}", strip(policy)));
    let boundary = documents.boundary.iter().map(|policy| format!("boundary {}", strip(policy)));
    let session = documents.session.iter().flatten().map(|policy| format!("session {}", strip(policy)));
    identity.chain(boundary).chain(session).collect()
}

#[test]
fn trial() {
    let a = set(r#"{"Effect":"Allow","Action":["s3:*","ec2:Describe*"],"Resource":"*"}"#);
    let b = set(r#"{"Effect":"Allow","Action":["s3:Get*"],"Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:PrincipalTag/t":"x"}}},{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}"#);
    for (name, x) in [("union", a.union(&b)), ("inter", a.intersection(&b)), ("diff", a.difference(&b)), ("not b", b.complement()), ("not a", a.complement())] {
        for method in Method::ALL {
            match x.to_documents(method) {
                Ok(documents) => println!("{name} {method:?}\n  {}", lines(&documents).join("\n  ")),
                Err(error) => println!("{name} {error}"),
            }
        }
    }
}
