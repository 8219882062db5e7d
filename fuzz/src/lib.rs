//! What the fuzz targets share.
//!
//! ```text
//! bytes ──┬── kind_and_text ── parse, roundtrip    a letter for the kind of policy, then its text
//!         └── Case ─────────── decide              choices of a grammar of policies and requests
//! ```

mod case;
mod facts;

pub use case::Case;
pub use facts::Facts;

use iam_policy::{Policy, PolicyKind, PolicySet};

const KINDS: [PolicyKind; 7] = [
    PolicyKind::Boundary,
    PolicyKind::Identity,
    PolicyKind::Resource,
    PolicyKind::ResourceControl,
    PolicyKind::ServiceControl,
    PolicyKind::Session,
    PolicyKind::Trust,
];

/// Reads an input as a byte that names a kind, of which `0` to `6` are the plain ones, and a text.
#[must_use]
pub fn kind_and_text(input: &[u8]) -> Option<(PolicyKind, &str)> {
    let (kind, text) = input.split_first()?;
    let kind = KINDS[usize::from(kind.wrapping_sub(b'0')) % KINDS.len()];
    Some((kind, std::str::from_utf8(text).ok()?))
}

/// The policy where its kind belongs, with nothing beside it.
#[must_use]
pub fn alone(policy: Policy) -> PolicySet {
    let mut policies = PolicySet::default();
    match policy.kind() {
        PolicyKind::Boundary => policies.boundary = vec![policy],
        PolicyKind::Resource | PolicyKind::Trust => policies.resource = Some(policy),
        PolicyKind::ResourceControl => policies.rcps = vec![vec![policy].into()],
        PolicyKind::ServiceControl => policies.scps = vec![vec![policy].into()],
        PolicyKind::Session => policies.session = Some(vec![policy].into()),
        _ => policies.identity = vec![policy].into(),
    }
    policies
}
