//! A list of policies of which one must allow.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::index::{FEW, Index, Topic};
use super::matching::StatementAt;
use crate::document::{Policy, Statement};

/// Policies that are alike in a decision: the identity-based policies of a principal, the service control policies of a level.
///
/// A list, which is made from a `Vec` or collected. A long one looks its statements up: what a decision costs hardly grows with
/// policies that have nothing to say.
///
/// # Examples
///
/// ```
/// use iam_policy::{Policies, Policy, PolicyKind};
///
/// let read = Policy::parse(r#"{"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}"#, PolicyKind::Identity)?;
/// let mut policies = Policies::from(vec![read.clone()]);
/// policies.extend([read]);
/// assert_eq!(policies.len(), 2);
/// # Ok::<(), iam_policy::Diagnostics>(())
/// ```
#[derive(Clone, Default)]
pub struct Policies {
    list: Vec<Policy>,
    /// Made when a long list is first asked. Clones share it.
    index: OnceLock<Arc<ListIndex>>,
}

/// No policy.
pub(super) static NONE: Policies = Policies { list: Vec::new(), index: OnceLock::new() };

struct ListIndex {
    /// Policy and index of each statement.
    places: Vec<(u32, u32)>,
    index: Index,
}

impl Policies {
    /// Visits the statements about a request's action, but for some that are not about its resource, in their order.
    #[inline]
    pub(super) fn visit_statements_about<'s>(
        &'s self,
        topic: Topic<'_>,
        mut visit: impl FnMut(StatementAt, &'s Statement),
    ) {
        if self.list.len() > FEW {
            return self.look_up(topic, visit);
        }
        for (policy, one) in self.list.iter().enumerate() {
            one.visit_statements_about(topic, |index, statement| {
                visit(StatementAt { policy, index }, statement);
            });
        }
    }

    fn look_up<'s>(&'s self, topic: Topic<'_>, mut visit: impl FnMut(StatementAt, &'s Statement)) {
        let ListIndex { places, index } = &**self.index.get_or_init(|| Arc::new(self.new_index()));
        for number in index.about(&self.statement(places), topic) {
            if let (Some(at), Some(statement)) = (place(places, number), self.statement(places)(number)) {
                visit(at, statement);
            }
        }
    }

    fn new_index(&self) -> ListIndex {
        let mut places = Vec::new();
        for (policy, one) in (0..).zip(&self.list) {
            let count = u32::try_from(one.statements().len()).unwrap_or(u32::MAX);
            places.extend((0..count).map(|index| (policy, index)));
        }
        let index = Index::new(&self.statement(&places));
        ListIndex { places, index }
    }

    /// The statement of a number in the index.
    fn statement<'s>(&'s self, places: &[(u32, u32)]) -> impl Fn(u32) -> Option<&'s Statement> {
        |number| {
            let StatementAt { policy, index } = place(places, number)?;
            self.list.get(policy)?.statements().get(index)
        }
    }
}

fn place(places: &[(u32, u32)], number: u32) -> Option<StatementAt> {
    let (policy, index) = *places.get(number as usize)?;
    Some(StatementAt { policy: policy as usize, index: index as usize })
}

impl Deref for Policies {
    type Target = [Policy];

    fn deref(&self) -> &[Policy] {
        &self.list
    }
}

impl From<Vec<Policy>> for Policies {
    fn from(list: Vec<Policy>) -> Policies {
        Policies { list, index: OnceLock::new() }
    }
}

impl FromIterator<Policy> for Policies {
    fn from_iter<I: IntoIterator<Item = Policy>>(policies: I) -> Policies {
        Vec::from_iter(policies).into()
    }
}

impl Extend<Policy> for Policies {
    fn extend<I: IntoIterator<Item = Policy>>(&mut self, policies: I) {
        self.list.extend(policies);
        self.index = OnceLock::new();
    }
}

impl<'p> IntoIterator for &'p Policies {
    type Item = &'p Policy;
    type IntoIter = std::slice::Iter<'p, Policy>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.list.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PolicyKind;

    fn policies(count: usize) -> Policies {
        let statement = |number: usize| {
            format!(
                r#"{{"Effect":"Allow","Action":"s3:Get{number}x","Resource":"arn:aws:s3:::b{number}/*"}}"#
            )
        };
        let text =
            |number: usize| format!(r#"{{"Statement":[{},{}]}}"#, statement(number), statement(number + 1));
        (0..count).map(|number| Policy::parse(text(number), PolicyKind::Identity).unwrap()).collect()
    }

    fn visited(policies: &Policies, action: &str) -> Vec<(usize, usize)> {
        let mut visited = Vec::new();
        policies.visit_statements_about(Topic::new(action, "*"), |at, _| visited.push((at.policy, at.index)));
        visited
    }

    #[test]
    fn a_long_list_visits_the_same_statements_as_a_short_one() {
        for count in [FEW, FEW + 1] {
            assert_eq!(visited(&policies(count), "s3:GET7X"), [(6, 1), (7, 0)], "{count}");
        }
    }

    #[test]
    fn what_is_added_to_a_list_is_found_though_it_was_asked_before() {
        let mut policies = policies(FEW + 1);
        assert_eq!(visited(&policies, "s3:Get0x"), [(0, 0)]);
        let first = policies.first().cloned();
        policies.extend(first);
        assert_eq!(visited(&policies, "s3:Get0x"), [(0, 0), (FEW + 1, 0)]);
    }
}
