//! What a policy is attached to: as an option, or told from its text.

use clap::ValueEnum;
use iam_policy::PolicyKind;

/// The kinds of policies, as the option `--kind` names them.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// Of a user, a group or a role
    Identity,
    /// Of a bucket, a queue, a key
    Resource,
    /// A role's trust policy
    Trust,
    /// A permissions boundary
    Boundary,
    /// A session policy
    Session,
    /// A service control policy
    Scp,
    /// A resource control policy
    Rcp,
}

impl From<Kind> for PolicyKind {
    fn from(kind: Kind) -> PolicyKind {
        match kind {
            Kind::Identity => PolicyKind::Identity,
            Kind::Resource => PolicyKind::Resource,
            Kind::Trust => PolicyKind::Trust,
            Kind::Boundary => PolicyKind::Boundary,
            Kind::Session => PolicyKind::Session,
            Kind::Scp => PolicyKind::ServiceControl,
            Kind::Rcp => PolicyKind::ResourceControl,
        }
    }
}

/// The kind that a policy's text looks like: with a `Principal` it is a resource-based policy or, if it names actions of
/// `sts:` and no resource, a trust policy; else an identity-based one.
///
/// It looks at the text and not at parsed JSON, so that a policy with a missing comma is not judged by the wrong rules too.
/// Boundaries, session and control policies are written like identity-based ones: only the option can tell.
pub(crate) fn guess(text: &str) -> PolicyKind {
    let has = |names: [&str; 2]| names.into_iter().any(|name| has_member(text, name));
    if !has(["Principal", "NotPrincipal"]) {
        return PolicyKind::Identity;
    }
    let of_sts = text.to_ascii_lowercase().contains("\"sts:");
    if of_sts && !has(["Resource", "NotResource"]) { PolicyKind::Trust } else { PolicyKind::Resource }
}

/// Whether an object in the text has a member of this name.
fn has_member(text: &str, name: &str) -> bool {
    text.split(&format!("\"{name}\"")).skip(1).any(|after| after.trim_start().starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_told_by_the_elements_that_only_it_has() {
        for (text, kind) in [
            (r#"{"Statement": {"Action": "sts:AssumeRole", "Resource": "*"}}"#, PolicyKind::Identity),
            (
                r#"{"Statement": {"Sid": "Principal", "Action": "s3:*", "Resource": "*"}}"#,
                PolicyKind::Identity,
            ),
            (
                r#"{"Statement": {"Principal" : "*", "Action": "s3:*", "Resource": "*"}}"#,
                PolicyKind::Resource,
            ),
            (r#"{"Statement": {"NotPrincipal": "*", "Action": "s3:*"}}"#, PolicyKind::Resource),
            (r#"{"Statement": {"Principal": {"AWS": "1"}, "Action": "STS:AssumeRole"}}"#, PolicyKind::Trust),
            (
                r#"{"Statement": {"Principal": {"AWS": "1"} "Action": ["sts:TagSession",]}}"#,
                PolicyKind::Trust,
            ),
            ("", PolicyKind::Identity),
        ] {
            assert_eq!(guess(text), kind, "{text}");
        }
    }
}
