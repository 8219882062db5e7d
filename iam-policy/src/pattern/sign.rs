//! Patterns sign by sign, as they are written: whether two have a text in common, and whether one has all of the other.
//!
//! ```text
//! pattern ── signs ──▶ a? b * ${aws:username}     the signs of one are followed through the places of the other
//! ```

use super::variable::{Expansion, variable};

/// A sign of a pattern; `V` is the name of a variable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sign<V> {
    Character(char),
    /// `*`, for any text without this character.
    Many(Option<char>),
    /// `?`, for any character but this one.
    One(Option<char>),
    /// Nothing is known of its value: it is like itself alone, and a `*` takes it.
    Variable(V),
}

/// A variable as it is written.
#[derive(Clone, Copy, Debug, Eq)]
pub(crate) struct Written<'p>(pub(super) &'p str);

impl PartialEq for Written<'_> {
    /// A key has no case, and a default value has.
    fn eq(&self, other: &Written<'_>) -> bool {
        let [(key, default), (of_other, default_of_other)] =
            [self, other].map(|Written(text)| text.split_once(',').unwrap_or((text, "}")));
        key.trim_end_matches('}').eq_ignore_ascii_case(of_other.trim_end_matches('}'))
            && default.trim() == default_of_other.trim()
    }
}

/// What `${…}` is in a pattern that is compared with others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Variables {
    /// A policy variable, which may have any value; `${*}`, `${?}` and `${$}` are characters.
    Anything,
    /// The text itself: in actions, and in policies of version `2008-10-17`.
    Literal,
    /// A policy variable, of which nothing is known but that it has the same value wherever it stands.
    Same,
}

/// The signs of a pattern whose wildcards stand for no such character. A `?` beside a `*` stands before it.
pub(super) fn signs(text: &str, variables: Variables, but: Option<char>) -> Vec<Sign<Written<'_>>> {
    let mut signs = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        let inner = rest.strip_prefix("${").filter(|_| variables != Variables::Literal);
        if let Some((expansion, length)) = inner.and_then(|inner| variable(inner).ok()) {
            let (all, after) = rest.split_at_checked(length + "${}".len()).unwrap_or((rest, ""));
            match (expansion, variables) {
                (Expansion::Character(text), _) => signs.extend(text.chars().map(Sign::Character)),
                (Expansion::Variable(_), Variables::Anything) => push_star(&mut signs, None),
                (Expansion::Variable(_), _) => signs.push(Sign::Variable(Written(all))),
            }
            rest = after;
            continue;
        }
        match first {
            '*' => push_star(&mut signs, but),
            '?' => match signs.last() {
                Some(Sign::Many(other)) if *other == but => signs.insert(signs.len() - 1, Sign::One(but)),
                _ => signs.push(Sign::One(but)),
            },
            c => signs.push(Sign::Character(c)),
        }
        rest = after;
    }
    signs
}

/// A star beside another adds nothing.
pub(super) fn push_star<V: PartialEq>(signs: &mut Vec<Sign<V>>, but: Option<char>) {
    if signs.last() != Some(&Sign::Many(but)) {
        signs.push(Sign::Many(but));
    }
}

/// Whether some text matches both.
pub(crate) fn meets<V: PartialEq>(a: &[Sign<V>], b: &[Sign<V>], fold: bool) -> bool {
    let mut places = start(b);
    for sign in a {
        places = match sign {
            Sign::Many(_) => spread(&places, sign, b),
            sign => step(&places, b, |of_b| sign.meets(of_b, fold)),
        };
        if places.is_empty() {
            return false;
        }
    }
    places.last() == Some(&b.len())
}

/// Whether every text that `b` matches is one that `a` does. It may be so and not be seen where several wildcards stand together.
pub(super) fn covers<V: PartialEq>(a: &[Sign<V>], b: &[Sign<V>], fold: bool) -> bool {
    let mut places = start(a);
    for sign in b {
        places = step(&places, a, |of_a| of_a.covers(sign, fold));
        if places.is_empty() {
            return false;
        }
    }
    places.last() == Some(&a.len())
}

/// Where in a pattern a text begins. Places are in ascending order.
fn start<V>(pattern: &[Sign<V>]) -> Vec<usize> {
    let mut places = Vec::new();
    reach(&mut places, 0, pattern);
    places
}

/// Adds a place, and the one behind a `*`, which may take nothing.
fn reach<V>(places: &mut Vec<usize>, at: usize, pattern: &[Sign<V>]) {
    if places.last().is_none_or(|last| *last < at) {
        places.push(at);
    }
    if let Some(Sign::Many(_)) = pattern.get(at) {
        reach(places, at + 1, pattern);
    }
}

/// Where in a pattern those of its signs lead that take something.
fn step<V>(places: &[usize], pattern: &[Sign<V>], takes: impl Fn(&Sign<V>) -> bool) -> Vec<usize> {
    let mut next = Vec::with_capacity(places.len() + 1);
    for &at in places {
        match pattern.get(at) {
            Some(sign @ Sign::Many(_)) if takes(sign) => reach(&mut next, at, pattern),
            Some(sign) if takes(sign) => reach(&mut next, at + 1, pattern),
            _ => {}
        }
    }
    next
}

/// Where in a pattern a text has come to of which a star takes as much as it can, or less.
fn spread<V: PartialEq>(places: &[usize], star: &Sign<V>, pattern: &[Sign<V>]) -> Vec<usize> {
    let mut next = Vec::with_capacity(pattern.len() + 1);
    let mut known = places.iter().copied().peekable();
    let mut goes_on = false;
    for at in places.first().copied().unwrap_or_default()..=pattern.len() {
        if known.next_if_eq(&at).is_some() || goes_on {
            next.push(at);
            goes_on = pattern.get(at).is_some_and(|sign| star.meets(sign, false));
        }
    }
    next
}

impl<V: PartialEq> Sign<V> {
    /// Whether both can stand for the same character, or for the same variable.
    fn meets(&self, other: &Sign<V>, fold: bool) -> bool {
        match (self, other) {
            (Sign::Character(a), Sign::Character(b)) => is_same(*a, *b, fold),
            (Sign::Character(c), Sign::Many(but) | Sign::One(but))
            | (Sign::Many(but) | Sign::One(but), Sign::Character(c)) => *but != Some(*c),
            (Sign::Many(_) | Sign::One(_), Sign::Many(_) | Sign::One(_)) => true,
            (Sign::Many(but), Sign::Variable(_)) | (Sign::Variable(_), Sign::Many(but)) => but.is_none(),
            (Sign::Variable(a), Sign::Variable(b)) => a == b,
            (Sign::Character(_) | Sign::One(_), Sign::Variable(_))
            | (Sign::Variable(_), Sign::Character(_) | Sign::One(_)) => false,
        }
    }

    /// Whether this stands for all that the other stands for.
    fn covers(&self, other: &Sign<V>, fold: bool) -> bool {
        match (self, other) {
            (Sign::Many(a), Sign::Many(b)) | (Sign::Many(a) | Sign::One(a), Sign::One(b)) => {
                a.is_none() || a == b
            }
            (Sign::Character(_) | Sign::One(_) | Sign::Variable(_), Sign::Many(_))
            | (Sign::Character(_) | Sign::Variable(_), Sign::One(_)) => false,
            _ => self.meets(other, fold),
        }
    }

    /// Whether both are the same sign.
    #[cfg(feature = "sets")]
    pub(super) fn is(&self, other: &Sign<V>, fold: bool) -> bool {
        match (self, other) {
            (Sign::Character(a), Sign::Character(b)) => is_same(*a, *b, fold),
            (a, b) => a == b,
        }
    }
}

fn is_same(a: char, b: char, fold: bool) -> bool {
    a == b || fold && (a.eq_ignore_ascii_case(&b) || a.to_lowercase().eq(b.to_lowercase()))
}
