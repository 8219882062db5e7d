//! Policy documents: what a policy's JSON says, parsed and checked.
//!
//! ```text
//! Policy ── Statement ─┬─ Clause<PrincipalMatcher>   Principal, NotPrincipal
//!                      ├─ Clause<Pattern>            Action, NotAction
//!                      ├─ Clause<Pattern>            Resource, NotResource
//!                      └─ Condition …                operator, key, values
//! ```

mod check;
mod control;
mod element;
mod parse;
mod principal;
mod print;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use crate::condition::Condition;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::evaluate::{Topic, Topics};
use crate::pattern::Pattern;
use crate::source::{Source, Span};

pub use element::{Element, ElementValue};
pub(crate) use principal::{Grant, PrincipalMatcher};
#[cfg(feature = "sets")]
pub(crate) use print::{member, sequence};

/// A policy document, parsed and checked.
///
/// Cloning is cheap. See [IAM JSON policy reference](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies.html).
///
/// # Examples
///
/// ```
/// use iam_policy::{Policy, PolicyKind};
///
/// let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#;
/// let policy = Policy::parse(text, PolicyKind::Identity).unwrap();
/// assert_eq!(policy.statements().len(), 1);
///
/// let error = Policy::parse(text.replace("Resource", "Resorce"), PolicyKind::Identity).unwrap_err();
/// assert!(error.to_string().contains("did you mean `Resource`?"));
/// ```
#[derive(Clone)]
pub struct Policy(Arc<Document>);

struct Document {
    source: Source,
    kind: PolicyKind,
    reading: Reading,
    version: Option<Version>,
    id: Option<Box<str>>,
    statements: Vec<Statement>,
    topics: Topics,
}

/// What the values of a document may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reading {
    /// As the Reference has them: no wildcard of a resource reaches beyond its part of an ARN.
    #[cfg(feature = "sets")]
    Formats,
    /// As AWS has them.
    Plain,
    /// With placeholders.
    Template,
}

/// Why a text is no policy, and as much of one as it is all the same.
pub(crate) struct Rejected {
    pub(crate) problems: Diagnostics,
    /// What is wrong is left out.
    pub(crate) readable: Option<Policy>,
}

/// What a policy is attached to, which decides what it may and must hold.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PolicyKind {
    /// A permissions boundary.
    Boundary,
    /// An identity-based policy: of a user, a group or a role.
    Identity,
    /// A resource-based policy: of a bucket, a queue, a key.
    Resource,
    /// A resource control policy of an organization.
    ResourceControl,
    /// A service control policy of an organization.
    ServiceControl,
    /// A session policy.
    Session,
    /// A role's trust policy.
    Trust,
}

/// The version of the policy language.
///
/// See [Version](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Version {
    /// `2008-10-17`, also where `Version` is missing: `${…}` is literal text.
    V2008,
    /// `2012-10-17`
    V2012,
}

/// What a statement does with the requests that it matches.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Effect {
    /// Allows them.
    Allow,
    /// Denies them, whatever else allows them.
    Deny,
}

/// A statement of a policy.
#[derive(Debug)]
pub struct Statement {
    pub(crate) sid: Option<Item<()>>,
    pub(crate) effect: Effect,
    pub(crate) span: Span,
    pub(crate) principal: Option<Clause<PrincipalMatcher>>,
    pub(crate) action: Clause<Pattern>,
    /// Trust policies have none: they are about their own role.
    pub(crate) resource: Option<Clause<Pattern>>,
    pub(crate) conditions: Vec<Condition>,
}

/// A list of matchers and whether the statement is about what they match or what they do not.
#[derive(Debug)]
pub(crate) struct Clause<M> {
    /// `NotAction` and its like.
    pub(crate) negated: bool,
    /// The place of the value or the list of values.
    pub(crate) span: Span,
    pub(crate) items: Vec<Item<M>>,
}

/// One value of a policy: what is written, where, and what it matches.
#[derive(Debug)]
pub(crate) struct Item<M> {
    pub(crate) text: Box<str>,
    pub(crate) span: Span,
    pub(crate) matcher: M,
}

impl Policy {
    /// Parses a policy and checks it as AWS checks it when it is put.
    ///
    /// # Errors
    ///
    /// Every problem at once, in the order of their places: what is not JSON, what AWS rejects, and what this crate cannot
    /// evaluate.
    pub fn parse(source: impl Into<Source>, kind: PolicyKind) -> Result<Policy, Diagnostics> {
        Policy::read(source.into(), kind, Reading::Plain).map_err(|rejected| rejected.problems)
    }

    /// Parses a [template](crate::Template) before its placeholders are filled: values that hold one are not checked.
    ///
    /// The policy is for looking at; decide with the one that is parsed after rendering.
    ///
    /// # Errors
    ///
    /// As [`Policy::parse`].
    pub fn parse_template(source: impl Into<Source>, kind: PolicyKind) -> Result<Policy, Diagnostics> {
        Policy::read(source.into(), kind, Reading::Template).map_err(|rejected| rejected.problems)
    }

    pub(crate) fn read(source: Source, kind: PolicyKind, reading: Reading) -> Result<Policy, Rejected> {
        parse::parse(source, kind, reading)
    }

    /// Where the policy was read from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.0.source
    }

    /// What the policy was parsed as.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        self.0.kind
    }

    /// Whether the policy was parsed with placeholders.
    pub(crate) fn is_template(&self) -> bool {
        self.0.reading == Reading::Template
    }

    /// The version of the language that the policy is written in.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.version.unwrap_or(Version::V2008)
    }

    /// The policy's `Id`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.id.as_deref()
    }

    /// The statements, in the order of the document.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.0.statements
    }

    /// Visits the statements about a request's action, but for some that are not about its resource, in their order.
    pub(crate) fn visit_statements_about<'p>(
        &'p self,
        topic: Topic<'_>,
        visit: impl FnMut(usize, &'p Statement),
    ) {
        self.0.topics.visit(self.statements(), topic, visit);
    }

    /// The policy in canonical JSON, which parses back to the same policy.
    ///
    /// # Examples
    ///
    /// ```
    /// use iam_policy::{Policy, PolicyKind};
    ///
    /// let text = r#"{"Statement": {"Action": ["s3:*"], "Resource": "*", "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": false}}}}"#;
    /// let policy = Policy::parse(text, PolicyKind::Identity).unwrap();
    /// assert_eq!(
    ///     policy.to_json(),
    ///     r#"{"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#
    /// );
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        print::to_json(self)
    }

    /// The characters that count against AWS's quotas for IAM policies: all but white space.
    ///
    /// See [IAM and AWS STS quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
    #[must_use]
    pub fn characters(&self) -> usize {
        self.source().fragment().chars().filter(|c| !c.is_whitespace()).count()
    }

    /// The policy's size as AWS counts it for policies of its kind: see [`PolicyKind::limit`].
    #[must_use]
    pub fn size(&self) -> usize {
        let fragment = self.source().fragment();
        match self.kind() {
            PolicyKind::Boundary | PolicyKind::Identity | PolicyKind::Trust => self.characters(),
            PolicyKind::ResourceControl | PolicyKind::ServiceControl | PolicyKind::Session => {
                fragment.chars().count()
            }
            PolicyKind::Resource => fragment.len(),
        }
    }

    /// Checks the policy's [size](Policy::size) against the limit of the place where it is put.
    ///
    /// # Errors
    ///
    /// Names both figures.
    pub fn check_size(&self, limit: usize) -> Result<(), Diagnostics> {
        let size = self.size();
        if size <= limit {
            return Ok(());
        }
        let counted = match self.kind() {
            PolicyKind::Boundary | PolicyKind::Identity | PolicyKind::Trust => {
                "characters without white space"
            }
            PolicyKind::ResourceControl | PolicyKind::ServiceControl | PolicyKind::Session => "characters",
            PolicyKind::Resource => "bytes",
        };
        Err(Diagnostic::error(
            "iam::size",
            format!("the policy has {size} {counted}, and {limit} are allowed"),
        )
        .label(self.source(), self.source().start(), "")
        .help("merge statements, use wildcards, or split the policy")
        .docs(self.kind().quotas())
        .into())
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({:?}, {}, {})", self.kind(), self.source().name(), self.to_json())
    }
}

/// The policy in canonical JSON.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl PolicyKind {
    /// AWS's default quota for the [size](Policy::size) of a policy of this kind.
    ///
    /// For an identity-based policy it is that of a role's inline policies, which share it; customer managed policies may have
    /// as much as a boundary, a user's inline policies 2,048 and a group's 5,120.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            PolicyKind::Boundary => 6_144,
            PolicyKind::Identity | PolicyKind::ServiceControl => 10_240,
            PolicyKind::Resource => 20 * 1024,
            PolicyKind::ResourceControl => 5_120,
            PolicyKind::Session | PolicyKind::Trust => 2_048,
        }
    }

    /// The page that tells the [limit](PolicyKind::limit).
    fn quotas(self) -> &'static str {
        match self {
            PolicyKind::Resource => {
                "https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html"
            }
            PolicyKind::ResourceControl | PolicyKind::ServiceControl => {
                "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"
            }
            PolicyKind::Boundary | PolicyKind::Identity | PolicyKind::Session | PolicyKind::Trust => {
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
            }
        }
    }
}

/// What a policy of the kind is called in a message, with its article.
impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PolicyKind::Boundary => "a permissions boundary",
            PolicyKind::Identity => "an identity-based policy",
            PolicyKind::Resource => "a resource-based policy",
            PolicyKind::ResourceControl => "a resource control policy",
            PolicyKind::ServiceControl => "a service control policy",
            PolicyKind::Session => "a session policy",
            PolicyKind::Trust => "a role trust policy",
        })
    }
}

impl Version {
    pub(crate) const ALL: [Version; 2] = [Version::V2008, Version::V2012];
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Version::V2008 => "2008-10-17",
            Version::V2012 => "2012-10-17",
        })
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        })
    }
}
