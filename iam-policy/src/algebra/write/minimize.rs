//! A policy in fewer words.
//!
//! ```text
//! trim      patterns that another statement has                          ┐
//! join      statements that differ in one element                        ├─ as long as it gets smaller, each proven
//! drop      statements without which the policy allows the same          │
//! shorten   actions, to patterns that reach the same of the catalogue    ┘
//! ```

use super::draft::{self, Draft, joined};
use super::shorten::shorten;
use crate::algebra::{Answer, Permissions, Unknown};
use crate::document::{Effect, Policy, PolicyKind};

pub(super) type Statements = Vec<(Effect, Draft)>;

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
        let (allowed, limit) = (self.permissions(), limit(self));
        minimized(self, &[tidy, trim, joined], |other| {
            allowed.is_equivalent(&other.permissions()).and_then(|| limit.is_equivalent(&self::limit(other)))
        })
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
        let (allowed, limit) = (self.permissions().closed(), limit(self).closed());
        minimized(self, &[tidy, shorten, trim, joined], |other| {
            allowed.is_equivalent(&other.permissions()).and_then(|| limit.is_equivalent(&self::limit(other)))
        })
    }
}

/// Makes a policy smaller as long as one of the steps does. They need not be right: what they make counts if it is proven.
fn minimized(
    policy: &Policy,
    steps: &[fn(Statements) -> Statements],
    is_same: impl Fn(&Policy) -> Answer,
) -> Result<Policy, Unknown> {
    if let Answer::Unknown(unknown) = is_same(policy) {
        return Err(unknown);
    }
    let mut smallest = policy.clone();
    let take = |smallest: &mut Policy, statements: Statements| {
        if let Ok(next) = draft::policy(&statements, policy.kind())
            && size(&next) < size(smallest)
            && is_same(&next).is_yes()
        {
            *smallest = next;
        }
    };
    loop {
        let before = size(&smallest);
        for step in steps {
            let next = step(statements(&smallest));
            take(&mut smallest, next);
        }
        for at in (0..smallest.statements().len()).rev() {
            let mut next = statements(&smallest);
            next.remove(at);
            take(&mut smallest, next);
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
fn limit(policy: &Policy) -> Permissions {
    let mut limit = statements(policy);
    limit.retain(|(effect, _)| *effect == Effect::Deny);
    if limit.is_empty() {
        return Permissions::everything();
    }
    limit.push((Effect::Allow, Draft::everything()));
    // Statements of a policy are some of an identity-based one, which may say more than any other.
    draft::policy(&limit, PolicyKind::Identity)
        .map_or_else(|_| Permissions::nothing(), |policy| policy.permissions())
}

/// Lists are tidy once they are read.
fn tidy(statements: Statements) -> Statements {
    statements
}

/// Without the actions and resources of a statement that another one has, or denies.
fn trim(mut statements: Statements) -> Statements {
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
    statements
}
