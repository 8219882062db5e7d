//! Statements before they are written: boxes, with the texts that say them.

use super::Snag;
use super::asked::{Asked, in_2012};
use super::list::List;
use crate::document::{Clause, Effect, Policy, PolicyKind, Statement, Version, member, sequence};
use crate::evaluate::StatementRef;
use crate::json::write_string;
use crate::pattern::Pattern;

/// A statement without its effect.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) sid: Option<String>,
    pub(super) actions: List,
    pub(super) resources: List,
    pub(super) conditions: Vec<Asked>,
    /// The statement that it is, word for word.
    pub(super) of: Option<StatementRef>,
}

/// More boxes than this no document has room for.
const MOST: usize = 64;

impl Draft {
    pub(super) fn everything() -> Draft {
        let everything = |fold| List { negated: false, texts: vec!["*".to_owned()], fold };
        Draft {
            sid: None,
            actions: everything(true),
            resources: everything(false),
            conditions: Vec::new(),
            of: None,
        }
    }

    pub(super) fn of(reference: &StatementRef) -> Draft {
        let draft = Draft::new(reference.statement(), reference.policy().version());
        Draft { of: Some(reference.clone()), ..draft }
    }

    pub(super) fn new(statement: &Statement, version: Version) -> Draft {
        let list = |clause: &Clause<Pattern>, fold| {
            let texts = clause.items.iter();
            // Actions have no variables.
            let texts =
                texts.map(|item| if fold { item.text.to_string() } else { in_2012(&item.text, version) });
            List::new(clause.negated, texts.collect(), fold)
        };
        let everything = Draft::everything();
        Draft {
            sid: statement.sid().filter(|sid| !sid.is_empty()).map(str::to_owned),
            actions: list(&statement.action, true),
            resources: statement.resource.as_ref().map_or(everything.resources, |clause| list(clause, false)),
            conditions: statement.conditions.iter().map(|condition| Asked::of(condition, version)).collect(),
            of: None,
        }
    }

    pub(super) fn is_everything(&self) -> bool {
        self.actions.is_everything() && self.resources.is_everything() && self.conditions.is_empty()
    }

    /// Whether it has no action or no resource left.
    pub(super) fn is_nothing(&self) -> bool {
        [&self.actions, &self.resources].into_iter().any(|list| !list.negated && list.texts.is_empty())
    }

    /// The requests of both; `None` if there are none.
    pub(super) fn meet(&self, other: &Draft) -> Result<Option<Draft>, Snag> {
        if other.is_everything() {
            return Ok(Some(self.clone()));
        }
        if self.is_everything() {
            return Ok(Some(other.clone()));
        }
        let Some(actions) = self.actions.meet(&other.actions)? else { return Ok(None) };
        let Some(resources) = self.resources.meet(&other.resources)? else { return Ok(None) };
        let mut conditions = self.conditions.clone();
        for asked in &other.conditions {
            match conditions.iter_mut().find(|own| own.is_about(asked)) {
                None => conditions.push(asked.clone()),
                Some(own) => match own.meet(asked)? {
                    Some(both) => *own = both,
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(Draft { sid: self.sid.clone(), actions, resources, conditions, of: None }))
    }

    /// The requests that are not in it, as boxes.
    pub(super) fn complement(&self) -> Result<Vec<Draft>, Snag> {
        let everything = Draft::everything();
        let mut boxes = Vec::new();
        boxes.extend(self.actions.complement().map(|actions| Draft { actions, ..everything.clone() }));
        boxes.extend(self.resources.complement().map(|resources| Draft { resources, ..everything.clone() }));
        for asked in &self.conditions {
            boxes.push(Draft { conditions: asked.complement()?, ..everything.clone() });
        }
        Ok(boxes)
    }

    /// Whether it has all of the other, as far as each element tells.
    pub(super) fn includes(&self, other: &Draft) -> bool {
        self.conditions.iter().all(|asked| other.conditions.contains(asked))
            && self.actions.includes(&other.actions)
            && self.resources.includes(&other.resources)
    }

    /// Whether both say the same in the same words.
    pub(super) fn is_same(&self, other: &Draft) -> bool {
        self.actions.is_same(&other.actions)
            && self.resources.is_same(&other.resources)
            && same_conditions(&self.conditions, &other.conditions)
    }

    /// One statement for two that differ in one element only.
    pub(super) fn join(&self, other: &Draft) -> Option<Draft> {
        let of_larger =
            |larger: &Draft| Draft { sid: self.sid.clone().or(other.sid.clone()), ..larger.clone() };
        if self.includes(other) {
            return Some(of_larger(self));
        }
        if other.includes(self) {
            return Some(of_larger(other));
        }
        let is_same = (
            self.actions.is_same(&other.actions),
            self.resources.is_same(&other.resources),
            same_conditions(&self.conditions, &other.conditions),
        );
        let mut joined = Draft { sid: self.sid.clone().or(other.sid.clone()), of: None, ..self.clone() };
        match is_same {
            (false, true, true) => joined.actions = self.actions.join(&other.actions)?,
            (true, false, true) => joined.resources = self.resources.join(&other.resources)?,
            (true, true, false) => {
                // All but one are the same.
                let differs = |of: &[Asked], than: &[Asked]| -> Vec<usize> {
                    (0..of.len())
                        .filter(|at| of.get(*at).is_some_and(|asked| !than.contains(asked)))
                        .collect()
                };
                let (own, others) = (
                    differs(&self.conditions, &other.conditions),
                    differs(&other.conditions, &self.conditions),
                );
                let ([own], [others]) = (own.as_slice(), others.as_slice()) else { return None };
                let asked = self.conditions.get(*own)?.join(other.conditions.get(*others)?)?;
                *joined.conditions.get_mut(*own)? = asked;
            }
            _ => return None,
        }
        Some(joined)
    }
}

fn same_conditions(a: &[Asked], b: &[Asked]) -> bool {
    a.len() == b.len() && a.iter().all(|asked| b.contains(asked))
}

/// The requests of a box of the one union and of a box of the other.
pub(super) fn product(a: &[Draft], b: &[Draft]) -> Result<Vec<Draft>, Snag> {
    let mut boxes: Vec<Draft> = Vec::new();
    for one in a {
        for other in b {
            let Some(both) = one.meet(other)? else { continue };
            if !boxes.iter().any(|known| known.includes(&both)) {
                boxes.retain(|known| !both.includes(known));
                boxes.push(both);
            }
            if boxes.len() > MOST {
                return Err(Snag(format!("it takes more than {MOST} statements")));
            }
        }
    }
    Ok(boxes)
}

/// The requests that are in none of the boxes.
pub(super) fn complement(boxes: &[Draft]) -> Result<Vec<Draft>, Snag> {
    // Fewer boxes, fewer ways out.
    joined(boxes.iter().map(|one| (Effect::Deny, one.clone())).collect())
        .iter()
        .try_fold(vec![Draft::everything()], |so_far, (_, one)| product(&so_far, &one.complement()?))
}

/// The same with fewer statements, where two of the same effect can be one.
pub(super) fn joined(mut statements: Vec<(Effect, Draft)>) -> Vec<(Effect, Draft)> {
    let mut at = 0;
    while let Some((effect, draft)) = statements.get(at) {
        let found = statements.iter().enumerate().skip(at + 1).find_map(|(other_at, (of_other, other))| {
            Some((other_at, (effect == of_other).then(|| draft.join(other))??))
        });
        if let Some((other, both)) = found {
            statements.remove(other);
            if let Some((_, draft)) = statements.get_mut(at) {
                *draft = both;
            }
            // What is larger now may join with those before it.
            at = 0;
        } else {
            at += 1;
        }
    }
    statements
}

/// A policy of statements, with each `Sid` once.
pub(super) fn policy(statements: &[(Effect, Draft)], kind: PolicyKind) -> Result<Policy, Snag> {
    let mut text = String::from(r#"{"Version":"2012-10-17","Statement":"#);
    let mut sids = Vec::new();
    let mut drafts: Vec<(Effect, Draft)> = statements.to_vec();
    for (_, draft) in &mut drafts {
        draft.sid = draft.sid.take().filter(|sid| !sids.contains(sid));
        sids.extend(draft.sid.clone());
    }
    if drafts.is_empty() {
        // A policy has a statement, and one that allows nothing is one that denies.
        drafts.push((Effect::Deny, Draft::everything()));
    }
    sequence(&mut text, '[', &drafts, ']', |text, (effect, draft)| write(text, *effect, draft));
    text.push('}');
    Policy::parse(text, kind).map_err(|problems| Snag(problems.to_string()))
}

fn write(out: &mut String, effect: Effect, draft: &Draft) {
    out.push('{');
    if let Some(sid) = &draft.sid {
        member(out, "Sid", |out| write_string(out, sid));
    }
    member(out, "Effect", |out| write_string(out, &effect.to_string()));
    let not = |list: &List, plain, negated| if list.negated { negated } else { plain };
    member(out, not(&draft.actions, "Action", "NotAction"), |out| texts(out, &draft.actions.texts));
    member(out, not(&draft.resources, "Resource", "NotResource"), |out| texts(out, &draft.resources.texts));
    if !draft.conditions.is_empty() {
        member(out, "Condition", |out| {
            let mut operators: Vec<String> = Vec::new();
            for asked in &draft.conditions {
                let operator = asked.operator.to_string();
                if !operators.contains(&operator) {
                    operators.push(operator);
                }
            }
            sequence(out, '{', &operators, '}', |out, operator| {
                let of_operator: Vec<&Asked> =
                    draft.conditions.iter().filter(|asked| asked.operator.to_string() == *operator).collect();
                write_string(out, operator);
                out.push(':');
                sequence(out, '{', &of_operator, '}', |out, asked| {
                    write_string(out, &asked.key);
                    out.push(':');
                    texts(out, &asked.values);
                });
            });
        });
    }
    out.push('}');
}

fn texts(out: &mut String, texts: &[String]) {
    match texts {
        [one] => write_string(out, one),
        texts => sequence(out, '[', texts, ']', |out, text| write_string(out, text)),
    }
}
