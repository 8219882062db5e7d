//! Policy variables: the values that a case has to be tried with.
//!
//! ```text
//! home/${aws:username}/*   beside   home/bob/*     tried with `bob`, for another policy looks into the variable there,
//!                                                  with a name that stands nowhere, and with no name
//! ```
//!
//! A name that stands nowhere is matched by what matches every name, and by nothing else: whatever is possible with a name that
//! no other pattern has to look into is possible with it. Where one pattern has to, the parts of it that can stand in the place
//! of the variable are tried, with their own wildcards as general as can be. [`Trials::are_all`] tells whether these
//! values prove something about all; what they find is found in any case.

use super::budget::{Budget, Spent};
use super::formula::Case;
use super::term::{Dimension, is_everything};
use super::texts::free;
use crate::condition::{Condition, GlobalKey, Test};
use crate::context::Context;
use crate::document::Statement;
use crate::order;
use crate::pattern::{self, Pattern, Token, meets};

/// More are not tried.
const MOST: usize = 512;

/// The values to try.
pub(super) struct Trials {
    pub(super) contexts: Vec<Context>,
    /// What holds for all of them holds for every value.
    pub(super) are_all: bool,
}

/// One literal of a case, and the patterns that it has.
struct Place<'p> {
    dimension: Dimension,
    /// Whether a text must match one of the patterns for the case to hold.
    positive: bool,
    patterns: Vec<(&'p str, &'p Pattern)>,
    condition: Option<&'p Condition>,
}

/// A sign of a pattern, its variables by their numbers. Where a wildcard ends does not matter here.
type Sign = pattern::Sign<usize>;

/// The values to try for the variables of a case.
pub(super) fn trials(case: &Case<'_>, budget: &Budget) -> Result<Trials, Spent> {
    let mut keys: Vec<String> = Vec::new();
    for matches in case.statements() {
        matches.variables.iter().for_each(|key| order::add(&mut keys, key.clone()));
    }
    let reader = Reader::new(&keys);
    let mut places = Vec::new();
    for (inside, matches) in [(true, &case.inside), (false, &case.outside)] {
        for one in matches {
            places.extend(self::places(one.statement.statement(), inside));
        }
    }
    let mut are_all = is_complete(&places, &keys, &reader);
    let mut contexts = vec![Context::new()];
    for (number, key) in keys.iter().enumerate() {
        let values = values(number, key, &places, &reader, budget)?;
        let mut next = Vec::new();
        for context in &contexts {
            budget.spend(1 + values.len())?;
            let mut absent = context.clone();
            absent.absent(key.clone());
            next.push(absent);
            for value in &values {
                let mut context = context.clone();
                context.set(key.clone(), value);
                next.push(context);
            }
        }
        are_all &= next.len() <= MOST;
        next.truncate(MOST);
        contexts = next;
    }
    Ok(Trials { contexts, are_all })
}

/// Values for a variable, and `None` for a key that is absent.
fn values(
    number: usize,
    key: &str,
    places: &[Place<'_>],
    reader: &Reader,
    budget: &Budget,
) -> Result<Vec<String>, Spent> {
    let fresh = reader.name(number, places);
    let mut values = vec![fresh.clone()];
    let mut add = |value: String| {
        order::add(&mut values, value);
        // More are not tried.
        values.truncate(MOST + 1);
    };
    for place in places {
        let signs: Vec<Vec<Sign>> =
            place.patterns.iter().filter_map(|pattern| reader.signs(*pattern)).collect();
        if place.dimension == Dimension::Key(key.into()) {
            for signs in &signs {
                instances(signs, &fresh).into_iter().for_each(&mut add);
            }
            if let Some(condition) = place.condition {
                condition.values.iter().for_each(|value| add(value.text.to_string()));
            }
        }
        for pattern in &signs {
            for (at, _) in pattern.iter().enumerate().filter(|(_, sign)| **sign == Sign::Variable(number)) {
                let (before, after) =
                    (pattern.get(..at).unwrap_or_default(), pattern.get(at + 1..).unwrap_or_default());
                for other in places.iter().filter(|other| other.dimension == place.dimension) {
                    for other in other.patterns.iter().filter_map(|pattern| reader.signs(*pattern)) {
                        for part in parts(before, &other, after, budget)? {
                            instances(part, &fresh).into_iter().for_each(&mut add);
                        }
                    }
                }
            }
        }
    }
    Ok(values)
}

/// The parts of a pattern that can stand between two others.
fn parts<'s>(
    before: &[Sign],
    pattern: &'s [Sign],
    after: &[Sign],
    budget: &Budget,
) -> Result<Vec<&'s [Sign]>, Spent> {
    budget.spend(1)?;
    // Most patterns are of other resources altogether.
    if differ(before.iter().zip(pattern)) || differ(after.iter().rev().zip(pattern.iter().rev())) {
        return Ok(Vec::new());
    }
    budget.spend(pattern.len() * (1 + before.len() + after.len()))?;
    // What stands in the place of the variable may begin and end within a `*`.
    let is_many = |at: usize| pattern.get(at).is_some_and(|sign| is_many(*sign));
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    for at in 0..=pattern.len() {
        if overlap(before, pattern.get(..at + usize::from(is_many(at))).unwrap_or_default()) {
            starts.push(at);
        }
        let from = at - usize::from(at > 0 && is_many(at - 1));
        if overlap(after, pattern.get(from..).unwrap_or_default()) {
            ends.push(at);
        }
    }
    budget.spend(starts.len() * ends.len())?;
    let mut parts = Vec::new();
    for start in starts {
        parts.extend(ends.iter().filter_map(|end| pattern.get(start..*end)));
    }
    Ok(parts)
}

/// Whether characters that stand at the same place are not the same.
fn differ<'s>(mut pairs: impl Iterator<Item = (&'s Sign, &'s Sign)>) -> bool {
    let unlike = pairs.find(|(a, b)| a != b || !matches!(a, Sign::Character(_)));
    matches!(unlike, Some((Sign::Character(_), Sign::Character(_))))
}

/// A text that a pattern matches, once with a fresh name for what its wildcards take and once with nothing where that will do.
fn instances(signs: &[Sign], fresh: &str) -> [String; 2] {
    let instance = |many: &str| -> String {
        signs
            .iter()
            .map(|sign| match sign {
                Sign::Character(c) => c.to_string(),
                Sign::Many(_) | Sign::Variable(_) => many.to_owned(),
                Sign::One(_) => fresh.chars().take(1).collect(),
            })
            .collect()
    };
    [instance(fresh), instance("")]
}

/// Whether there is a text that both patterns match, with any text for each variable.
fn overlap(a: &[Sign], b: &[Sign]) -> bool {
    let read = |signs: &[Sign]| -> Vec<Sign> {
        let open = |sign: &Sign| if let Sign::Variable(_) = sign { Sign::Many(None) } else { *sign };
        signs.iter().map(open).collect()
    };
    meets(&read(a), &read(b), false)
}

fn is_many(sign: Sign) -> bool {
    matches!(sign, Sign::Many(_) | Sign::Variable(_))
}

/// Whether the values that are tried stand for all: see the module.
fn is_complete(places: &[Place<'_>], keys: &[String], reader: &Reader) -> bool {
    let of_variable =
        |place: &Place<'_>| keys.iter().any(|key| place.dimension == Dimension::Key(key.as_str().into()));
    let texts = |place: &Place<'_>| {
        place.condition.is_none_or(|condition| {
            matches!(condition.operator.comparison.test, Test::Arn | Test::Null | Test::Text { .. })
        })
    };
    let is_bearing = |dimension: &Dimension| {
        places.iter().any(|place| place.positive && place.dimension == *dimension && place.bears())
    };
    let mut seers = 0;
    for place in places {
        let (bears, of_variable) = (place.bears(), of_variable(place));
        if bears || of_variable {
            let several = place.condition.is_some_and(|condition| condition.operator.quantifier.is_some());
            if several || !texts(place) || bears && of_variable {
                return false;
            }
        }
        if !(is_bearing(&place.dimension) || of_variable) {
            continue;
        }
        let signs = || place.patterns.iter().filter_map(|pattern| reader.signs(*pattern));
        if place.patterns.iter().any(|(_, pattern)| pattern.folds()) {
            return false;
        }
        if !place.positive {
            // What these are like at a name of one character, they are not at every name.
            let counts = |signs: Vec<Sign>| signs.contains(&Sign::One(None));
            if signs().any(counts) || place.minds_colons() {
                return false;
            }
        } else if bears {
            let once = |signs: Vec<Sign>| {
                (0..keys.len())
                    .all(|number| signs.iter().filter(|sign| **sign == Sign::Variable(number)).count() <= 1)
            };
            let is_other = |other: &Place<'_>| {
                other.dimension == place.dimension
                    && other.positive
                    && other.bears()
                    && texts_of(other) != texts_of(place)
            };
            let alone = !places.iter().any(is_other);
            let single =
                places.iter().filter(|other| other.positive && other.dimension == place.dimension).count()
                    == 1;
            if !signs().all(once) || !alone || !(single || place.patterns.len() == 1) {
                return false;
            }
        } else if !place.patterns.is_empty() {
            seers += 1;
        }
    }
    let is_single = |key: &String| GlobalKey::find(key).is_none_or(|global| !global.is_multivalued());
    seers <= 1 && keys.iter().all(is_single)
}

fn texts_of<'p>(place: &Place<'p>) -> Vec<&'p str> {
    place.patterns.iter().map(|(written, _)| *written).collect()
}

impl Place<'_> {
    /// Whether it has variables.
    fn bears(&self) -> bool {
        self.patterns.iter().any(|(_, pattern)| pattern.variables().next().is_some())
    }

    fn minds_colons(&self) -> bool {
        self.patterns.iter().any(|(_, pattern)| pattern.has_parts())
    }
}

/// The literals of a statement that are about texts with variables, or about texts that others compare with variables.
fn places(statement: &Statement, inside: bool) -> Vec<Place<'_>> {
    let mut places = Vec::with_capacity(1 + statement.conditions.len());
    if let Some(clause) = statement.resource.as_ref().filter(|clause| !is_everything(clause)) {
        places.push(Place {
            dimension: Dimension::Resource,
            positive: inside != clause.negated,
            patterns: clause.items.iter().map(|item| (&*item.text, &item.matcher)).collect(),
            condition: None,
        });
    }
    for condition in &statement.conditions {
        let values = condition.values.iter();
        places.push(Place {
            dimension: Dimension::Key(condition.key.to_ascii_lowercase().into()),
            positive: inside != condition.operator.comparison.negated,
            patterns: values.filter_map(|value| Some((&*value.text, value.matcher.as_pattern()?))).collect(),
            condition: Some(condition),
        });
    }
    places
}

/// Reads patterns with their variables as signs.
struct Reader {
    /// Each variable as a character that nobody writes.
    marks: Context,
    count: usize,
}

const FIRST_MARK: u32 = 0x10_0000;

impl Reader {
    fn new(keys: &[String]) -> Reader {
        let mut marks = Context::new();
        for (mark, key) in (FIRST_MARK..).filter_map(char::from_u32).zip(keys) {
            marks.set(key.clone(), mark);
        }
        Reader { marks, count: keys.len() }
    }

    fn signs(&self, (written, pattern): (&str, &Pattern)) -> Option<Vec<Sign>> {
        let mut signs = Vec::new();
        for token in pattern.tokens(written, &self.marks)? {
            match token {
                Token::Literal(text) => signs.extend(text.chars().map(|c| self.sign(c))),
                Token::Many { .. } => signs.push(Sign::Many(None)),
                Token::One { .. } => signs.push(Sign::One(None)),
            }
        }
        Some(signs)
    }

    fn sign(&self, c: char) -> Sign {
        let number = u32::from(c).checked_sub(FIRST_MARK).map(|number| number as usize);
        number.filter(|number| *number < self.count).map_or(Sign::Character(c), Sign::Variable)
    }

    /// A name for a variable of which no character stands anywhere, nor in the name of another.
    fn name(&self, number: usize, places: &[Place<'_>]) -> String {
        let stands = |c: char| {
            let has = |(written, pattern): &(&str, &Pattern)| {
                self.signs((written, pattern)).is_some_and(|signs| signs.contains(&Sign::Character(c)))
            };
            places.iter().any(|place| place.patterns.iter().any(has))
        };
        free("0123456789", &|c| !stands(c), number).to_string()
    }
}
