//! The elements of a statement as a user of the crate sees them.

use super::{Clause, Effect, Item, Statement};
use crate::condition::Condition;
use crate::pattern::Variable;
use crate::source::Span;

/// `Principal`, `Action` or `Resource` of a statement, or the element that says `Not` before it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Element<'p> {
    /// Whether it is `NotPrincipal`, `NotAction` or `NotResource`.
    pub is_negated: bool,
    /// The place of the value or the list of values.
    pub span: Span,
    /// The values, in the order of the document.
    pub values: Vec<ElementValue<'p>>,
}

/// A value of an [`Element`] or of a [`Condition`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ElementValue<'p> {
    /// What is written, without the quotes and escapes of JSON.
    pub text: &'p str,
    /// Its place.
    pub span: Span,
    /// Of a principal, the member that it stands in, such as `AWS` or `Service`; none for a `*` that stands for itself.
    pub principal_type: Option<&'static str>,
}

impl Statement {
    /// The statement's `Sid`.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_ref().map(|sid| &*sid.text)
    }

    /// What the statement does with the requests that it matches.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The statement's place.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// The principals; only policies of resources, and trust policies, name some.
    ///
    /// See [Principal](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
    #[must_use]
    pub fn principals(&self) -> Option<Element<'_>> {
        self.principal.as_ref().map(|clause| {
            element(clause, |item| ElementValue { principal_type: item.matcher.element(), ..value(item) })
        })
    }

    /// The actions, and patterns of actions.
    ///
    /// See [Action](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html).
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::{Policy, PolicyKind};
    ///
    /// let text = r#"{"Statement": {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}}"#;
    /// let policy = Policy::parse(text, PolicyKind::Identity).unwrap();
    /// let actions = policy.statements()[0].actions();
    /// assert!(actions.is_negated);
    /// assert_eq!(actions.values[1].text, "sts:*");
    /// ```
    #[must_use]
    pub fn actions(&self) -> Element<'_> {
        element(&self.action, value)
    }

    /// The resources; trust policies have none.
    ///
    /// See [Resource](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html).
    #[must_use]
    pub fn resources(&self) -> Option<Element<'_>> {
        self.resource.as_ref().map(|clause| element(clause, value))
    }

    /// The conditions, each with one operator and one key.
    ///
    /// See [Condition](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html).
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The condition keys that the statement asks for, those of policy variables included, and where it names them.
    pub fn condition_keys(&self) -> impl Iterator<Item = (&str, Span)> {
        let own = self.conditions.iter().map(|condition| (&*condition.key, condition.key_span));
        let mut keys: Vec<(&str, Span)> = own.collect();
        keys.extend(self.variables().iter().map(|(variable, span)| (&*variable.key, *span)));
        keys.into_iter()
    }

    /// The policy variables of its conditions and resources, with the values that they are in.
    pub(crate) fn variables(&self) -> Vec<(&Variable, Span)> {
        let mut variables = Vec::new();
        for condition in &self.conditions {
            for value in &condition.values {
                if let Some(pattern) = value.matcher.as_pattern() {
                    variables.extend(pattern.variables().map(|variable| (variable, value.span)));
                }
            }
        }
        if let Some(clause) = &self.resource {
            for item in &clause.items {
                variables.extend(item.matcher.variables().map(|variable| (variable, item.span)));
            }
        }
        variables
    }
}

impl Condition {
    /// The operator with its affixes: `ForAnyValue:StringLikeIfExists`.
    #[must_use]
    pub fn operator(&self) -> String {
        self.operator.to_string()
    }

    /// The condition key, in the case in which it is written.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The place of the key.
    #[must_use]
    pub fn key_span(&self) -> Span {
        self.key_span
    }

    /// The values that the key is compared with.
    pub fn values(&self) -> impl Iterator<Item = ElementValue<'_>> {
        self.values.iter().map(value)
    }
}

fn element<'p, M>(clause: &'p Clause<M>, value: impl Fn(&'p Item<M>) -> ElementValue<'p>) -> Element<'p> {
    Element {
        is_negated: clause.negated,
        span: clause.span,
        values: clause.items.iter().map(value).collect(),
    }
}

fn value<M>(item: &Item<M>) -> ElementValue<'_> {
    ElementValue { text: &item.text, span: item.span, principal_type: None }
}
