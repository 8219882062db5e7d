//! Lints: what AWS accepts, and what a policy's author is unlikely to have meant.
//!
//! ```text
//! LINTS ── code, severity, summary, docs, check ──▶ Policy::lint ──▶ Diagnostic …
//!                                           ├─ action      names that AWS does not have, actions that need others
//!                                           ├─ resource    resources on which an action does not act
//!                                           ├─ condition   keys and operators that do not fit
//!                                           ├─ never       statements that no request can match
//!                                           ├─ cover       statements that another one makes pointless
//!                                           └─ wide        more than most policies should give
//! ```
//!
//! A lint of severity [`Warning`](Severity::Warning) is a mistake: what is written cannot have an effect, or not the one that it
//! says. One of severity [`Note`](Severity::Note) is advice.

mod action;
mod condition;
mod cover;
mod never;
mod resource;
#[cfg(test)]
mod tests;
mod wide;

use std::fmt;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity, in_order};
use crate::document::{Policy, PolicyKind, Reading, Statement};
use crate::source::{Source, Span};
use crate::template::is_templated;

/// A kind of finding of [`Policy::lint`].
#[derive(Clone, Copy)]
pub struct Lint {
    code: &'static str,
    severity: Severity,
    summary: &'static str,
    docs: &'static str,
    check: fn(&Subject<'_>, &mut Vec<Diagnostic>),
}

/// Every lint, by code.
pub static LINTS: [Lint; 17] = [
    Lint {
        code: "lint::cancelled-allow",
        severity: Severity::Warning,
        summary: "a `Deny` denies all that a statement allows",
        docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html",
        check: cover::cancelled_allow,
    },
    Lint {
        code: "lint::covered-statement",
        severity: Severity::Note,
        summary: "another statement already says all that a statement says",
        docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-suggestion-redundant-statement",
        check: cover::covered_statement,
    },
    Lint {
        code: "lint::missing-dependent-action",
        severity: Severity::Note,
        summary: "an action can pass a role to a service, which the policy does not allow",
        docs: "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html#actions_table",
        check: action::missing_dependent,
    },
    Lint {
        code: "lint::never-matches",
        severity: Severity::Warning,
        summary: "a statement can match no request",
        docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html",
        check: never::never_matches,
    },
    Lint {
        code: "lint::not-action-allow",
        severity: Severity::Note,
        summary: "`Allow` with `NotAction` allows every action that it does not name, those of services to come included",
        docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html",
        check: wide::not_action_allow,
    },
    Lint {
        code: "lint::not-principal",
        severity: Severity::Note,
        summary: "`NotPrincipal` reaches every principal that it does not name, to the single session",
        docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html",
        check: wide::not_principal,
    },
    Lint {
        code: "lint::operator-type",
        severity: Severity::Warning,
        summary: "a condition operator compares values of another type than those of the key",
        docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html",
        check: condition::operator_type,
    },
    Lint {
        code: "lint::resource-type",
        severity: Severity::Warning,
        summary: "an action acts on no resource of its statement",
        docs: "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html#resources_table",
        check: resource::resource_type,
    },
    Lint {
        code: "lint::set-operator",
        severity: Severity::Note,
        summary: "a key with several values stands under an operator for one, or one with a single value under `ForAllValues`",
        docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html",
        check: condition::set_operator,
    },
    Lint {
        code: "lint::size",
        severity: Severity::Note,
        summary: "the policy comes within a tenth of the size that AWS accepts",
        docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
        check: wide::size,
    },
    Lint {
        code: "lint::unknown-action",
        severity: Severity::Warning,
        summary: "a service has no such action",
        docs: "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
        check: action::unknown_action,
    },
    UNKNOWN_CONDITION_KEY,
    Lint {
        code: "lint::unknown-service",
        severity: Severity::Warning,
        summary: "AWS has no service of this prefix",
        docs: "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
        check: action::unknown_service,
    },
    Lint {
        code: "lint::unsupported-condition-key",
        severity: Severity::Note,
        summary: "no action of the statement supports a condition key",
        docs: "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html#context_keys_table",
        check: condition::unsupported_key,
    },
    Lint {
        code: "lint::wide-allow",
        severity: Severity::Note,
        summary: "a statement allows everything",
        docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
        check: wide::wide_allow,
    },
    Lint {
        code: "lint::wide-pass-role",
        severity: Severity::Note,
        summary: "`iam:PassRole` is allowed for every role",
        docs: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
        check: wide::wide_pass_role,
    },
    Lint {
        code: "lint::wildcard-only-action",
        severity: Severity::Note,
        summary: "an action that acts on no particular resource is given one",
        docs: "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html#actions_table",
        check: resource::wildcard_only,
    },
];

const UNKNOWN_CONDITION_KEY: Lint = Lint {
    code: "lint::unknown-condition-key",
    severity: Severity::Warning,
    summary: "AWS has no such condition key, so that no request ever has it",
    docs: "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
    check: condition::unknown_key,
};

impl Policy {
    /// Finds what AWS accepts and the author is unlikely to have meant, in the order of the places: see [`LINTS`].
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::{Policy, PolicyKind};
    ///
    /// let text = r#"{"Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::reports/*"}}"#;
    /// let policy = Policy::parse(text, PolicyKind::Identity).unwrap();
    /// let codes: Vec<&str> = policy.lint().iter().map(|finding| finding.code).collect();
    /// assert_eq!(codes, ["lint::resource-type"]);
    /// ```
    #[must_use]
    pub fn lint(&self) -> Vec<Diagnostic> {
        check(Some(self), Vec::new())
    }

    /// Refuses a policy with the mistakes that `lint::unknown-condition-key` finds, for whoever decides with it: a condition on a
    /// key that no request has never, or always, holds.
    ///
    /// # Errors
    ///
    /// Each unknown key with its place and the nearest known one.
    pub fn check_condition_keys(&self) -> Result<(), Diagnostics> {
        let statements: Vec<&Statement> =
            self.statements().iter().filter(|statement| !statement.conditions().is_empty()).collect();
        if statements.is_empty() {
            return Ok(());
        }
        let subject = Subject { lint: &UNKNOWN_CONDITION_KEY, policy: self, statements: &statements };
        let mut found = Vec::new();
        condition::unknown_key(&subject, &mut found);
        for mistake in &mut found {
            mistake.severity = Severity::Error;
        }
        Diagnostics::unless_empty(found, ())
    }

    /// All that is wrong with a policy's text: its errors, as [`Policy::parse`] finds them, and the lints of those statements that
    /// have none, in the order of their places.
    #[must_use]
    pub fn check(source: impl Into<Source>, kind: PolicyKind) -> Vec<Diagnostic> {
        read(source.into(), kind, Reading::Plain)
    }

    /// As [`Policy::check`], for a [template](crate::Template) before its placeholders are filled.
    #[must_use]
    pub fn check_template(source: impl Into<Source>, kind: PolicyKind) -> Vec<Diagnostic> {
        read(source.into(), kind, Reading::Template)
    }
}

fn read(source: Source, kind: PolicyKind, reading: Reading) -> Vec<Diagnostic> {
    match Policy::read(source, kind, reading) {
        Ok(policy) => check(Some(&policy), Vec::new()),
        Err(rejected) => check(rejected.readable.as_ref(), rejected.problems.iter().cloned().collect()),
    }
}

/// Adds to errors the lints of the statements in which none stands: of the others, not everything is known.
fn check(policy: Option<&Policy>, errors: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut found = errors;
    if let Some(policy) = policy {
        let places = found.iter().filter_map(|error| error.labels.first()).map(|label| label.span.start);
        let places: Vec<usize> = places.collect();
        let has_error = |statement: &Statement| {
            places.iter().any(|place| (statement.span.start..statement.span.end).contains(place))
        };
        let statements: Vec<&Statement> =
            policy.statements().iter().filter(|statement| !has_error(statement)).collect();
        for lint in &LINTS {
            (lint.check)(&Subject { lint, policy, statements: &statements }, &mut found);
        }
    }
    in_order(&mut found);
    found
}

impl Lint {
    /// The stable code: `lint::unknown-action`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// How bad a finding of it is: a mistake is a warning, advice a note.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What it finds, in a line.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// The AWS page that the rule comes from.
    #[must_use]
    pub fn docs(&self) -> &'static str {
        self.docs
    }

    /// The code as a Rust name, without its prefix: `unknown_action`.
    #[must_use]
    pub fn ident(&self) -> String {
        self.code.strip_prefix(PREFIX).unwrap_or(self.code).replace('-', "_")
    }

    /// The lint of this name, which may be its code, with or without the prefix, or its [`ident`](Lint::ident).
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::Lint;
    ///
    /// for name in ["lint::unknown-action", "unknown-action", "unknown_action"] {
    ///     assert_eq!(Lint::find(name).map(|lint| lint.code()), Some("lint::unknown-action"));
    /// }
    /// assert!(Lint::find("action").is_none());
    /// ```
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Lint> {
        let name = name.strip_prefix(PREFIX).unwrap_or(name).replace('_', "-");
        LINTS.iter().find(|lint| lint.code.strip_prefix(PREFIX) == Some(&*name))
    }
}

const PREFIX: &str = "lint::";

impl fmt::Debug for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lint")
            .field("code", &self.code)
            .field("severity", &self.severity)
            .finish_non_exhaustive()
    }
}

/// What a lint looks at.
#[derive(Clone, Copy)]
struct Subject<'p> {
    lint: &'static Lint,
    policy: &'p Policy,
    /// Those without errors.
    statements: &'p [&'p Statement],
}

impl<'p> Subject<'p> {
    fn finding(&self, message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
        let Lint { code, severity, docs, .. } = *self.lint;
        Diagnostic { severity, ..Diagnostic::error(code, message) }
            .label(self.policy.source(), span, label)
            .docs(docs)
    }

    /// With a second place in the policy.
    fn beside(&self, finding: Diagnostic, span: Span, label: impl Into<String>) -> Diagnostic {
        finding.label(self.policy.source(), span, label)
    }

    /// The actions that statements name, in `Action` or `NotAction`, with their places.
    fn actions(&self) -> Vec<(&'p str, Span)> {
        let mut actions = Vec::new();
        for statement in self.statements {
            actions.extend(statement.action.items.iter().map(|item| (&*item.text, item.span)));
        }
        actions
    }

    /// Whether a part of the policy has placeholders, so that not all its values are known.
    fn is_open(&self, span: Span) -> bool {
        is_templated(self.policy.source().slice(span))
    }
}

/// Where to point when a statement as a whole is meant.
fn place(statement: &Statement) -> Span {
    statement.sid.as_ref().map_or(statement.span.first_byte(), |sid| sid.span)
}

/// The help of a finding about a name that does not exist.
fn did_you_mean(finding: Diagnostic, meant: Option<impl fmt::Display>) -> Diagnostic {
    match meant {
        Some(meant) => finding.help(format!("did you mean `{meant}`?")),
        None => finding,
    }
}
