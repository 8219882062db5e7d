//! Patterns as a policy writes them, put together: what two of them have in common, and whether one has all of the other.
//!
//! What two patterns have in common is again the texts of some patterns: at each step either both go on by the same sign, or a
//! `*` of one takes what the other has there. Variables are symbols: a `*` takes one, and so does the same variable; what
//! anything else has in common with them depends on their values, and is left out: whoever asks must prove what comes of it.

use super::variable::{Expansion, variable};

/// More than this from two patterns is nothing that anybody would write.
const MOST: usize = 64;

/// A sign of a pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Sign<'p> {
    Character(char),
    Many,
    One,
    /// As it is written.
    Variable(&'p str),
}

/// Patterns that match the texts that both match, whose case does not count if `fold`; `None` if they would be too many.
pub(crate) fn meet(a: &str, b: &str, fold: bool) -> Option<Vec<String>> {
    if covers(a, b, fold) {
        return Some(vec![b.to_owned()]);
    }
    if covers(b, a, fold) {
        return Some(vec![a.to_owned()]);
    }
    if are_apart(a, b, fold) {
        return Some(Vec::new());
    }
    let mut found = Vec::new();
    let mut steps = 0;
    common(&signs(a), &signs(b), fold, &mut Vec::new(), &mut found, &mut steps)?;
    let mut texts: Vec<String> = found.iter().map(|signs| written(signs)).collect();
    texts.sort();
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        if !kept.iter().any(|other| covers(other, &text, fold)) {
            kept.retain(|other| !covers(&text, other, fold));
            kept.push(text);
        }
    }
    kept.sort();
    Some(kept)
}

/// Whether every text that `b` matches is one that `a` does, whatever the variables are. It may be so and not be seen where
/// several wildcards stand together.
pub(crate) fn covers(a: &str, b: &str, fold: bool) -> bool {
    if a == "*" || a == b {
        return true;
    }
    // All but a few patterns are told apart by their beginnings.
    if are_apart(a, b, fold) {
        return false;
    }
    let (a, b) = (signs(a), signs(b));
    // Where in `a` it may have come to.
    let mut reached = vec![false; a.len() + 1];
    enter(&a, 0, &mut reached);
    for sign in &b {
        let mut next = vec![false; a.len() + 1];
        for (at, of_a) in a.iter().enumerate().filter(|(at, _)| reached.get(*at) == Some(&true)) {
            match of_a {
                Sign::Many => enter(&a, at, &mut next),
                Sign::One if matches!(sign, Sign::Character(_) | Sign::One) => enter(&a, at + 1, &mut next),
                of_a if same(of_a, sign, fold) => enter(&a, at + 1, &mut next),
                _ => {}
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

/// Whether no text is in both, by what stands before the first wildcards and after the last ones.
fn are_apart(a: &str, b: &str, fold: bool) -> bool {
    let signs = ['*', '?', '$'];
    let start = |text: &str| text.find(signs).unwrap_or(text.len());
    let differ = |a: &[u8], b: &[u8]| {
        a.iter().zip(b).any(|(a, b)| if fold { !a.eq_ignore_ascii_case(b) } else { a != b })
    };
    let (of_a, of_b) = (start(a), start(b));
    let (head_of_a, head_of_b) = (a.get(..of_a).unwrap_or_default(), b.get(..of_b).unwrap_or_default());
    // What follows a text without wildcards is its end.
    differ(head_of_a.as_bytes(), head_of_b.as_bytes())
        || of_a == a.len() && of_b > of_a
        || of_b == b.len() && of_a > of_b
}

/// Marks a place, and those behind stars, which may take nothing.
fn enter(signs: &[Sign<'_>], at: usize, reached: &mut [bool]) {
    if let Some(place) = reached.get_mut(at) {
        *place = true;
    }
    if signs.get(at) == Some(&Sign::Many) {
        enter(signs, at + 1, reached);
    }
}

/// Goes on in both patterns, with what they have in common so far.
fn common<'p>(
    a: &[Sign<'p>],
    b: &[Sign<'p>],
    fold: bool,
    so_far: &mut Vec<Sign<'p>>,
    found: &mut Vec<Vec<Sign<'p>>>,
    steps: &mut usize,
) -> Option<()> {
    *steps += 1;
    if found.len() > MOST || *steps > 20_000 {
        return None;
    }
    let length = so_far.len();
    match (a.split_first(), b.split_first()) {
        (None, None) => {
            if !found.contains(so_far) {
                found.push(so_far.clone());
            }
        }
        (Some((Sign::Many, after_a)), Some((Sign::Many, after_b))) => {
            push_star(so_far);
            common(after_a, b, fold, so_far, found, steps)?;
            common(a, after_b, fold, so_far, found, steps)?;
        }
        (Some((Sign::Many, after)), other) => {
            common(after, b, fold, so_far, found, steps)?;
            if let Some((sign, after)) = other {
                so_far.push(sign.clone());
                common(a, after, fold, so_far, found, steps)?;
            }
        }
        (_, Some((Sign::Many, _))) => common(b, a, fold, so_far, found, steps)?,
        (Some((of_a, after_a)), Some((of_b, after_b))) => {
            let sign = match (of_a, of_b) {
                (of_a, of_b) if same(of_a, of_b, fold) => of_a,
                (Sign::Character(_), Sign::One) => of_a,
                (Sign::One, Sign::Character(_)) => of_b,
                _ => return Some(()),
            };
            so_far.push(sign.clone());
            common(after_a, after_b, fold, so_far, found, steps)?;
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
    so_far.truncate(length);
    Some(())
}

fn push_star(signs: &mut Vec<Sign<'_>>) {
    if signs.last() != Some(&Sign::Many) {
        signs.push(Sign::Many);
    }
}

fn same(a: &Sign<'_>, b: &Sign<'_>, fold: bool) -> bool {
    match (a, b) {
        (Sign::Character(a), Sign::Character(b)) => a == b || fold && a.eq_ignore_ascii_case(b),
        (Sign::Variable(a), Sign::Variable(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    }
}

fn signs(text: &str) -> Vec<Sign<'_>> {
    let mut signs = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        let read = rest.strip_prefix("${").and_then(|inner| variable(inner).ok());
        if let Some((expansion, length)) = read {
            let (all, after) = rest.split_at_checked(length + "${}".len()).unwrap_or((rest, ""));
            match expansion {
                Expansion::Character(text) => signs.extend(text.chars().map(Sign::Character)),
                Expansion::Variable(_) => signs.push(Sign::Variable(all)),
            }
            rest = after;
            continue;
        }
        match first {
            '*' => push_star(&mut signs),
            '?' => signs.push(Sign::One),
            c => signs.push(Sign::Character(c)),
        }
        rest = after;
    }
    signs
}

fn written(signs: &[Sign<'_>]) -> String {
    let mut text = String::with_capacity(signs.len());
    for (at, sign) in signs.iter().enumerate() {
        match sign {
            Sign::Character(c @ ('*' | '?')) => text.extend(["${", c.encode_utf8(&mut [0; 4]), "}"]),
            Sign::Character('$') if signs.get(at + 1) == Some(&Sign::Character('{')) => text.push_str("${$}"),
            Sign::Character(c) => text.push(*c),
            Sign::Many => text.push('*'),
            Sign::One => text.push('?'),
            Sign::Variable(written) => text.push_str(written),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_patterns_have_in_common_is_said_by_patterns() {
        for (a, b, expected) in [
            ("ec2:*", "ec2:Describe*", &["ec2:Describe*"][..]),
            ("ec2:*", "s3:*", &[]),
            ("s3:Get*", "s3:*Object", &["s3:Get*Object"]),
            ("*aba", "aba*", &["aba", "aba*aba", "ababa"]),
            ("*a*", "*b*", &["*a*b*", "*b*a*"]),
            ("a?", "?b", &["ab"]),
            ("a?c*", "ab*", &["abc*"]),
            ("abc", "ab", &[]),
            ("ab*", "ab", &["ab"]),
            ("home/${aws:username}", "home/bob", &[]),
            ("${aws:username}/*", "*/x", &["${aws:username}/*/x", "${aws:username}/x"]),
            ("${*}${$}{a}*", "*b", &["${*}${$}{a}*b"]),
        ] {
            assert_eq!(meet(a, b, false).unwrap(), expected, "{a} {b}");
        }
        assert_eq!(meet("S3:Get*", "s3:*object", true).unwrap(), ["S3:Get*object"]);
        assert_eq!(meet(&"*a".repeat(20), &"*b".repeat(20), false), None);
    }

    #[test]
    fn what_they_have_in_common_is_what_both_match() {
        use crate::context::Context;
        use crate::pattern::{Pattern, Syntax, Wildcards};

        let syntax = Syntax { wildcards: Wildcards::Free, ..Syntax::default() };
        let matches = |pattern: &str, text: &str| {
            Pattern::compile(pattern, syntax).unwrap().matches(pattern, text, &Context::new()).assumed
        };
        let patterns = ["*", "a*", "*a", "a*b", "*ab*", "?b*", "ab", "*a*b", "b?a", "??", "*b?", "a*a"];
        let mut texts = vec![String::new()];
        for length in 0..6 {
            let longer: Vec<String> = texts
                .iter()
                .filter(|text| text.len() == length)
                .flat_map(|text| ["a", "b", "x"].map(|c| format!("{text}{c}")))
                .collect();
            texts.extend(longer);
        }
        for a in patterns {
            for b in patterns {
                let both = meet(a, b, false).unwrap();
                for text in &texts {
                    let expected = matches(a, text) && matches(b, text);
                    assert_eq!(both.iter().any(|of| matches(of, text)), expected, "{a} {b} {text}");
                    assert!(!covers(a, b, false) || !matches(b, text) || matches(a, text), "{a} {b} {text}");
                }
            }
        }
    }

    #[test]
    fn a_pattern_covers_those_with_less() {
        for (a, b, expected) in [
            ("*", "x", true),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:GetObject", "s3:Get*", false),
            ("a?*", "a*", false),
            ("a*", "a?*", true),
            ("*a*", "*ba*", true),
            ("?", "*", false),
            ("home/*", "home/${aws:username}/*", true),
            ("home/${aws:username}/*", "home/${AWS:username}/x", true),
            ("home/?", "home/${aws:username}", false),
            ("${*}", "*", false),
        ] {
            assert_eq!(covers(a, b, false), expected, "{a} {b}");
        }
    }
}
