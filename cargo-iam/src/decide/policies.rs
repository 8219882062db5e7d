//! Policies that were parsed before: most lines of a stream ask about the same ones.

use std::collections::HashMap;
use std::rc::Rc;

use iam_policy::{Diagnostics, Policy, PolicyKind, PolicySet, Source};
use serde_json::value::RawValue;

use super::members::Text;

/// Policies and policy sets by their text as it stands in a line, quotes and escapes included.
#[derive(Default)]
pub(super) struct KnownPolicies {
    parsed: HashMap<Box<str>, Vec<(PolicyKind, Parsed)>>,
    /// Whole `policies` members: looking one up costs a tenth of reading it. With the kind of the resource's policy, which the
    /// text does not tell.
    sets: HashMap<Box<str>, (PolicyKind, Rc<PolicySet>)>,
    /// About how many bytes all of them take.
    size: usize,
}

type Parsed = Result<Policy, Diagnostics>;

/// How much a worker remembers.
const MOST_BYTES: usize = 32 << 20;

/// How many times the memory of its text a parsed policy takes, about.
const PARSED: usize = 10;

impl KnownPolicies {
    /// The policy set that was remembered for a text.
    pub(super) fn known(&self, text: &str, of_resource: PolicyKind) -> Option<Rc<PolicySet>> {
        self.sets.get(text).filter(|(kind, _)| *kind == of_resource).map(|(_, set)| Rc::clone(set))
    }

    pub(super) fn remember(&mut self, text: &str, of_resource: PolicyKind, set: &Rc<PolicySet>) {
        self.make_room(text.len());
        self.sets.insert(text.into(), (of_resource, Rc::clone(set)));
    }

    /// The policy that stands in a line, as an object or as a string of JSON text.
    pub(super) fn parse(&mut self, value: &RawValue, kind: PolicyKind) -> Parsed {
        let text = value.get();
        let known = self.parsed.get(text).and_then(|kinds| kinds.iter().find(|(of, _)| *of == kind));
        if let Some((_, policy)) = known {
            return policy.clone();
        }
        let source = match serde_json::from_str::<Text<'_>>(text) {
            Ok(Text(text)) => Source::inline(text),
            Err(_) => Source::inline(text),
        };
        let policy = Policy::parse(source, kind);
        self.make_room(PARSED * text.len());
        self.parsed.entry(text.into()).or_default().push((kind, policy.clone()));
        policy
    }

    /// Forgetting all is as good as forgetting the oldest: those that are in use come back at once.
    fn make_room(&mut self, bytes: usize) {
        if self.size + bytes > MOST_BYTES {
            *self = KnownPolicies::default();
        }
        self.size += bytes;
    }
}
