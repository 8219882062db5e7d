//! A policy in fewer words.
//!
//! ```text
//! trim      patterns that another statement has                          ┐
//! join      statements that differ in one element                        ├─ as long as it gets smaller, each proven
//! drop      statements without which the policy allows the same          │
//! shorten   actions, to patterns that reach the same of the catalogue    ┘
//! ```

use super::draft::{self, Draft};
use super::shorten::shorten;
use crate::algebra::{Answer, Permissions, Unknown};
use crate::document::{Effect, Policy, PolicyKind};

pub(super) type Statements = Vec<(Effect, Draft)>;

/// Proposes statements for some, the best first.
type Step = fn(&[(Effect, Draft)]) -> Vec<Statements>;

impl Policy {
    /// A policy that allows the same and denies the same, so that it can stand in the place of this one beside whatever others,
    /// and is smaller, where there is one; that it is so is proven.
    ///
    /// Statements that differ in one element are one, and patterns and statements go that others cover. What stays keeps its
    /// order and its `Sid`; of statements that become one the first has it.
    ///
    /// # Errors
    ///
    /// If it cannot be told what the policy allows, as of one that names principals.
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::{Policy, PolicyKind};
    ///
    /// let text = r#"{"Version": "2012-10-17", "Statement": [
    ///     {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:Get*"], "Resource": "arn:aws:s3:::reports/*"},
    ///     {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::drafts/*"}]}"#;
    /// let minimized = Policy::parse(text, PolicyKind::Identity).unwrap().minimized()?;
    /// let [read] = minimized.statements() else { panic!() };
    /// assert_eq!(read.sid(), Some("Read"));
    /// assert_eq!(read.actions().values.len(), 1);
    /// # Ok::<(), iam_policy::Unknown>(())
    /// ```
    pub fn minimized(&self) -> Result<Policy, Unknown> {
        let (allowed, limit) = (self.permissions(), Limit::of(self));
        let is_same = |other: &Policy| {
            allowed
                .is_equivalent(&other.permissions())
                .and_then(|| limit.is_same(&Limit::of(other), Permissions::is_equivalent))
        };
        minimized(self, &[tidy, trim, joined, without_one], &is_same)
    }

    /// As [`Policy::minimized`], for the actions of the [catalogue](crate::catalogue) only: a list of actions becomes a pattern
    /// where the pattern reaches no other of them today.
    ///
    /// # Errors
    ///
    /// As [`Policy::minimized`].
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::{Policy, PolicyKind};
    ///
    /// let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "*",
    ///     "Action": ["sqs:ListQueues", "sqs:ListQueueTags", "sqs:ListDeadLetterSourceQueues", "sqs:ListMessageMoveTasks"]}}"#;
    /// let minimized = Policy::parse(text, PolicyKind::Identity).unwrap().minimized_closed()?;
    /// assert_eq!(minimized.statements()[0].actions().values[0].text, "sqs:List*");
    /// # Ok::<(), iam_policy::Unknown>(())
    /// ```
    pub fn minimized_closed(&self) -> Result<Policy, Unknown> {
        let (allowed, limit) = (self.permissions().closed(), Limit::of(self));
        let is_same = |other: &Policy| {
            allowed
                .is_equivalent(&other.permissions())
                .and_then(|| limit.is_same(&Limit::of(other), |a, b| a.closed().is_equivalent(b)))
        };
        minimized(self, &[shorten], &is_same)?.minimized()
    }
}

/// Makes a policy smaller as long as one of the steps does. They propose, and need not be right: what is proven counts.
fn minimized(
    policy: &Policy,
    steps: &[Step],
    is_same: &dyn Fn(&Policy) -> Answer,
) -> Result<Policy, Unknown> {
    if let Answer::Unknown(unknown) = policy.permissions().is_empty() {
        return Err(unknown);
    }
    let mut smallest = policy.clone();
    loop {
        let before = size(&smallest);
        for step in steps {
            for statements in step(&statements(&smallest)) {
                if let Ok(next) = draft::policy(&statements, policy.kind())
                    && size(&next) < size(&smallest)
                    && is_same(&next).is_yes()
                {
                    smallest = next;
                    break;
                }
            }
        }
        if size(&smallest) == before {
            return Ok(smallest);
        }
    }
}

fn statements(policy: &Policy) -> Statements {
    let draft = |statement| Draft::new(statement, policy.version());
    policy.statements().iter().map(|statement| (statement.effect(), draft(statement))).collect()
}

fn size(policy: &Policy) -> usize {
    policy.to_json().len()
}

/// What the policy leaves of everything that others allow.
struct Limit {
    denies: Statements,
}

impl Limit {
    fn of(policy: &Policy) -> Limit {
        let mut denies = statements(policy);
        denies.retain(|(effect, _)| *effect == Effect::Deny);
        Limit { denies }
    }

    fn is_same(&self, other: &Limit, compare: fn(&Permissions, &Permissions) -> Answer) -> Answer {
        let is_among = |(_, draft): &(Effect, Draft), of: &Limit| {
            of.denies.iter().any(|(_, other)| other.is_same(draft))
        };
        let is_within = |of: &Limit, other: &Limit| of.denies.iter().all(|deny| is_among(deny, other));
        if is_within(self, other) && is_within(other, self) {
            return Answer::Yes;
        }
        compare(&self.permissions(), &other.permissions())
    }

    fn permissions(&self) -> Permissions {
        let mut statements = self.denies.clone();
        statements.push((Effect::Allow, Draft::everything()));
        // Statements of whatever policy are some of an identity-based one.
        draft::policy(&statements, PolicyKind::Identity)
            .map_or_else(|_| Permissions::nothing(), |policy| policy.permissions())
    }
}

/// Lists are tidy once they are read.
fn tidy(statements: &[(Effect, Draft)]) -> Vec<Statements> {
    vec![statements.to_vec()]
}

fn joined(statements: &[(Effect, Draft)]) -> Vec<Statements> {
    vec![draft::joined(statements.to_vec())]
}

/// Without one of the statements, the last ones first.
fn without_one(statements: &[(Effect, Draft)]) -> Vec<Statements> {
    let without = |at: usize| {
        let mut statements = statements.to_vec();
        statements.remove(at);
        statements
    };
    (0..statements.len()).rev().map(without).collect()
}

/// Without the actions and resources of a statement that another one has, or denies.
fn trim(statements: &[(Effect, Draft)]) -> Vec<Statements> {
    let mut statements = statements.to_vec();
    for at in 0..statements.len() {
        for other_at in 0..statements.len() {
            let (Some((effect, one)), Some((of_other, other))) =
                (statements.get(at), statements.get(other_at))
            else {
                continue;
            };
            let is_wider = (effect == of_other || *of_other == Effect::Deny)
                && at != other_at
                && other.conditions.iter().all(|asked| one.conditions.contains(asked));
            if !is_wider {
                continue;
            }
            let mut trimmed = one.clone();
            if !one.actions.negated && other.resources.includes(&one.resources) {
                trimmed.actions = one.actions.trimmed(&other.actions);
            } else if !one.resources.negated && other.actions.includes(&one.actions) {
                trimmed.resources = one.resources.trimmed(&other.resources);
            }
            if let Some((_, one)) = statements.get_mut(at) {
                *one = trimmed;
            }
        }
    }
    statements.retain(|(_, draft)| !draft.is_nothing());
    vec![statements]
}
