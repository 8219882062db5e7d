//! A set as the policies that allow just it.

use std::error::Error;
use std::fmt;

use super::Snag;
use super::draft::{Draft, complement, joined, policy, product};
use crate::algebra::formula::Formula;
use crate::algebra::{Answer, Permissions};
use crate::document::{Effect, Policy, PolicyKind};
use crate::evaluate::{PolicySet, PolicyType};
use crate::order;

/// How a set is said by policy documents: AWS has several ways to take something away from what a policy allows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Method {
    /// One identity-based policy that only allows, its patterns refined: `s3:Get*` within `s3:*Object` is `s3:Get*Object`.
    Allow,
    /// The policies of the set as they are, and a second one attached beside them, which denies what is too much or allows
    /// what is missing.
    Attached,
    /// What the first policies allow, and a permissions boundary that limits it.
    Boundary,
    /// One identity-based policy that allows too much and denies the rest, by `NotAction`, `NotResource` and opposite
    /// conditions.
    Deny,
    /// What the first policies allow, and a session policy that limits it.
    Session,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 5] =
        [Method::Allow, Method::Attached, Method::Boundary, Method::Deny, Method::Session];
}

/// Why a set has no documents by a method.
#[derive(Clone, Debug)]
pub struct Inexpressible {
    method: Method,
    reason: String,
}

impl Inexpressible {
    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// What cannot be said, or how large it would be.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Inexpressible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.method {
            Method::Allow => "by a policy that only allows",
            Method::Attached => "by a second attached policy",
            Method::Boundary => "by a permissions boundary",
            Method::Deny => "by one policy that allows and denies",
            Method::Session => "by a session policy",
        };
        write!(f, "the set cannot be written {how}: {}", self.reason)
    }
}

impl Error for Inexpressible {}

/// The documents of a set, proven to allow just it.
pub(in crate::algebra) fn documents(set: &Permissions, method: Method) -> Result<PolicySet, Inexpressible> {
    let refused = |reason: String| Inexpressible { method, reason };
    let draft = || -> Result<PolicySet, Snag> {
        match method {
            Method::Allow => {
                let refined = Layered::of(&set.formula, true).and_then(Layered::refined);
                let boxes = refined.or_else(|_| boxes(&set.formula, true))?;
                let statements = fewer(boxes.into_iter().map(|one| (Effect::Allow, one)).collect());
                let identity = vec![new_policy(&statements, PolicyKind::Identity)?].into();
                Ok(PolicySet { identity, ..PolicySet::default() })
            }
            Method::Attached | Method::Boundary | Method::Deny | Method::Session => {
                Layered::of(&set.formula, true)?.write(method)
            }
        }
    };
    let documents = draft().map_err(|Snag(reason)| refused(reason))?;
    match documents.permissions().is_equivalent(set) {
        Answer::Yes => Ok(documents),
        Answer::No(found) => {
            let request = found.request();
            let reason = format!("`{}` on `{}` would be decided otherwise", request.action, request.resource);
            Err(refused(reason))
        }
        Answer::Unknown(unknown) => Err(refused(format!("that it is the same cannot be proven: {unknown}"))),
    }
}

/// A set as a policy set has it: in each layer something must allow, and nothing may deny.
struct Layered {
    /// None is as one that allows everything.
    layers: Vec<Vec<Draft>>,
    denies: Vec<Draft>,
}

impl Layered {
    fn of(formula: &Formula, holds: bool) -> Result<Layered, Snag> {
        let draft = |matches| vec![Draft::of(matches)];
        Ok(match (formula, holds) {
            (Formula::All(parts), true) | (Formula::Any(parts), false) => {
                let (mut layers, mut denies) = (Vec::new(), Vec::new());
                for part in parts {
                    let part = Layered::of(part, holds)?;
                    layers.extend(part.layers);
                    denies.extend(part.denies);
                }
                Layered { layers, denies }
            }
            (Formula::All(parts), false) | (Formula::Any(parts), true) => {
                let mut so_far = Layered { layers: vec![Vec::new()], denies: Vec::new() };
                for part in parts {
                    so_far = so_far.union(&Layered::of(part, holds)?)?;
                }
                so_far
            }
            (Formula::Matches(matches), true) => {
                Layered { layers: vec![draft(&matches.statement)], denies: Vec::new() }
            }
            (Formula::Matches(matches), false) => {
                Layered { layers: Vec::new(), denies: draft(&matches.statement) }
            }
            (Formula::Not(part), holds) => Layered::of(part, !holds)?,
            (Formula::Policies(policies), holds) => Layered::of(&policies.allowed, holds)?,
            (Formula::Unknown(doubt), _) => return Err(Snag(doubt.to_string())),
        })
    }

    /// What one denies counts only where the other does not allow it.
    fn union(&self, other: &Layered) -> Result<Layered, Snag> {
        let mut denies = self.denied_without(other)?;
        denies.extend(other.denied_without(self)?);
        let mut layers = Vec::new();
        for one in &self.layers {
            for another in &other.layers {
                layers.push([&**one, another].concat());
            }
        }
        Ok(Layered { layers, denies })
    }

    /// What it denies and the other does not allow.
    fn denied_without(&self, other: &Layered) -> Result<Vec<Draft>, Snag> {
        if self.denies.is_empty() {
            return Ok(Vec::new());
        }
        let mut denies = product(&self.denies, &other.denies)?;
        for layer in &other.layers {
            denies.extend(product(&self.denies, &complement(layer)?)?);
        }
        Ok(denies)
    }

    /// What all layers allow and nothing denies, as boxes.
    fn refined(self) -> Result<Vec<Draft>, Snag> {
        let everything = vec![Draft::everything()];
        let allowed = self.layers.iter().try_fold(everything, |so_far, layer| product(&so_far, layer))?;
        product(&allowed, &complement(&self.denies)?)
    }

    fn write(self, method: Method) -> Result<PolicySet, Snag> {
        let mut layers = self.layers.into_iter();
        let mut identity: Vec<(Effect, Draft)> = match layers.next() {
            Some(layer) => layer.into_iter().map(|draft| (Effect::Allow, draft)).collect(),
            None => vec![(Effect::Allow, Draft::everything())],
        };
        let is_apart = matches!(method, Method::Boundary | Method::Session);
        let second = if is_apart { layers.next() } else { None };
        let mut denies = self.denies;
        for layer in layers {
            denies.extend(complement(&layer)?);
        }
        identity.extend(denies.into_iter().map(|draft| (Effect::Deny, draft)));
        let (kept, rest) = as_they_are(identity);
        let (mut identity, mut limit): (Vec<_>, Vec<_>) = match method {
            Method::Deny => {
                let mut all = Vec::new();
                for policy in &kept {
                    all.extend(drafts(policy));
                }
                all.extend(rest);
                let document = new_policy(&fewer(all), PolicyKind::Identity)?;
                return Ok(PolicySet { identity: vec![document].into(), ..PolicySet::default() });
            }
            Method::Boundary | Method::Session => {
                rest.into_iter().partition(|(effect, _)| *effect == Effect::Allow)
            }
            Method::Allow | Method::Attached => (rest, Vec::new()),
        };
        let mut set = PolicySet { identity: kept.into(), ..PolicySet::default() };
        identity = fewer(identity);
        if !identity.is_empty() || set.identity.is_empty() {
            set.identity.extend([new_policy(&identity, PolicyKind::Identity)?]);
        }
        match second {
            Some(layer) => limit.extend(layer.into_iter().map(|draft| (Effect::Allow, draft))),
            None if !limit.is_empty() => limit.push((Effect::Allow, Draft::everything())),
            None => return Ok(set),
        }
        limit = fewer(limit);
        if method == Method::Boundary {
            set.boundary.push(new_policy(&limit, PolicyKind::Boundary)?);
        } else {
            set.session = Some(vec![new_policy(&limit, PolicyKind::Session)?].into());
        }
        Ok(set)
    }
}

/// The identity-based policies all of whose statements are among these, and the statements of no such policy.
fn as_they_are(mut statements: Vec<(Effect, Draft)>) -> (Vec<Policy>, Vec<(Effect, Draft)>) {
    let mut kept: Vec<Policy> = Vec::new();
    let is_of = |policy: &Policy, effect: Effect, draft: &Draft, index: Option<usize>| {
        draft.of.as_ref().is_some_and(|of| {
            std::ptr::eq(of.policy().statements(), policy.statements())
                && index.is_none_or(|index| of.index() == index)
                && of.statement().effect() == effect
        })
    };
    let mut policies: Vec<Policy> = Vec::new();
    for (_, draft) in &statements {
        let Some(of) = draft.of.as_ref().filter(|of| of.policy_type() == PolicyType::Identity) else {
            continue;
        };
        if !policies.iter().any(|policy| std::ptr::eq(policy.statements(), of.policy().statements())) {
            policies.push(of.policy().clone());
        }
    }
    for policy in policies {
        let is_whole = (0..policy.statements().len()).all(|index| {
            statements.iter().any(|(effect, draft)| is_of(&policy, *effect, draft, Some(index)))
        });
        if is_whole {
            statements.retain(|(effect, draft)| !is_of(&policy, *effect, draft, None));
            kept.push(policy);
        }
    }
    (kept, statements)
}

fn drafts(policy: &Policy) -> Vec<(Effect, Draft)> {
    let draft = |statement| Draft::new(statement, policy.version());
    policy.statements().iter().map(|statement| (statement.effect(), draft(statement))).collect()
}

/// Those that deny after those that allow, fewer where two can be one.
fn fewer(mut statements: Vec<(Effect, Draft)>) -> Vec<(Effect, Draft)> {
    order::sort_by(&mut statements, |(a, _), (b, _)| (*a == Effect::Deny).cmp(&(*b == Effect::Deny)));
    joined(statements)
}

/// A document that AWS takes, by its size too.
fn new_policy(statements: &[(Effect, Draft)], kind: PolicyKind) -> Result<Policy, Snag> {
    let document = policy(statements, kind)?;
    let (size, limit) = (document.size(), kind.limit());
    if size > limit {
        return Err(Snag(format!("{kind} would have {size} characters, and {limit} are allowed")));
    }
    Ok(document)
}

/// A formula as boxes.
fn boxes(formula: &Formula, holds: bool) -> Result<Vec<Draft>, Snag> {
    match (formula, holds) {
        (Formula::All(parts), true) | (Formula::Any(parts), false) => {
            parts.iter().try_fold(vec![Draft::everything()], |so_far, part| {
                if so_far.is_empty() { Ok(so_far) } else { product(&so_far, &boxes(part, holds)?) }
            })
        }
        (Formula::All(parts), false) | (Formula::Any(parts), true) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(boxes(part, holds)?);
            }
            Ok(all)
        }
        (Formula::Matches(matches), true) => Ok(vec![Draft::of(&matches.statement)]),
        (Formula::Matches(matches), false) => Draft::of(&matches.statement).complement(),
        (Formula::Not(part), holds) => boxes(part, !holds),
        (Formula::Policies(policies), holds) => boxes(&policies.allowed, holds),
        (Formula::Unknown(doubt), _) => Err(Snag(doubt.to_string())),
    }
}
