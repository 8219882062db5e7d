//! What two patterns have in common, as a policy writes it.
//!
//! It is again the texts of some patterns: at each step either both go on by the same sign, or a `*` of one takes what the other
//! has there. Of a variable nothing is known: a `*` takes it, and so does the same variable; what anything else has in common with
//! it depends on its value, and is left out: whoever asks must prove what comes of it.

use super::glob::{Glob, are_apart};
use super::sign::{Sign, Variables, Written, push_star, signs};
use crate::order;

/// More than this from two patterns is nothing that anybody would write.
const MOST: usize = 64;

/// Patterns that match the texts that both match, whose case does not count if `fold`; `None` if they would be too many.
pub(crate) fn meet(a: &str, b: &str, fold: bool) -> Option<Vec<String>> {
    let covers = |a: &str, b: &str| glob(a, fold).covers(glob(b, fold));
    if covers(a, b) {
        return Some(vec![b.to_owned()]);
    }
    if covers(b, a) {
        return Some(vec![a.to_owned()]);
    }
    if are_apart(a, b, fold) {
        return Some(Vec::new());
    }
    let mut found = Vec::new();
    let mut steps = 0;
    let [of_a, of_b] = [a, b].map(|text| signs(text, Variables::Same, None));
    common(&of_a, &of_b, fold, &mut Vec::new(), &mut found, &mut steps)?;
    let mut texts = Vec::new();
    for signs in &found {
        order::add(&mut texts, written(signs));
    }
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        if !kept.iter().any(|other| covers(other, &text)) {
            kept.retain(|other| !covers(&text, other));
            kept.push(text);
        }
    }
    Some(kept)
}

fn glob(text: &str, fold: bool) -> Glob<'_> {
    Glob::new(text, Variables::Same).with_fold(fold)
}

/// Goes on in both patterns, with what they have in common so far.
fn common<'p>(
    a: &[Sign<Written<'p>>],
    b: &[Sign<Written<'p>>],
    fold: bool,
    so_far: &mut Vec<Sign<Written<'p>>>,
    found: &mut Vec<Vec<Sign<Written<'p>>>>,
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
        (Some((Sign::Many(_), after_a)), Some((Sign::Many(_), after_b))) => {
            push_star(so_far, None);
            common(after_a, b, fold, so_far, found, steps)?;
            common(a, after_b, fold, so_far, found, steps)?;
        }
        (Some((Sign::Many(_), after)), other) => {
            common(after, b, fold, so_far, found, steps)?;
            if let Some((sign, after)) = other {
                so_far.push(*sign);
                common(a, after, fold, so_far, found, steps)?;
            }
        }
        (_, Some((Sign::Many(_), _))) => common(b, a, fold, so_far, found, steps)?,
        (Some((of_a, after_a)), Some((of_b, after_b))) => {
            let sign = match (of_a, of_b) {
                (of_a, of_b) if of_a.is(of_b, fold) => of_a,
                (Sign::Character(_), Sign::One(_)) => of_a,
                (Sign::One(_), Sign::Character(_)) => of_b,
                _ => return Some(()),
            };
            so_far.push(*sign);
            common(after_a, after_b, fold, so_far, found, steps)?;
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
    so_far.truncate(length);
    Some(())
}

fn written(signs: &[Sign<Written<'_>>]) -> String {
    let mut text = String::with_capacity(signs.len());
    for (at, sign) in signs.iter().enumerate() {
        match sign {
            Sign::Character(c @ ('*' | '?')) => text.extend(["${", c.encode_utf8(&mut [0; 4]), "}"]),
            Sign::Character('$') if signs.get(at + 1) == Some(&Sign::Character('{')) => text.push_str("${$}"),
            Sign::Character(c) => text.push(*c),
            Sign::Many(_) => text.push('*'),
            Sign::One(_) => text.push('?'),
            Sign::Variable(Written(written)) => text.push_str(written),
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
        use crate::pattern::short::{matches, texts};

        let patterns = ["*", "a*", "*a", "a*b", "*ab*", "?b*", "ab", "*a*b", "b?a", "??", "*b?", "a*a"];
        let texts = texts(['a', 'b', 'x'], 6);
        for a in patterns {
            for b in patterns {
                let both = meet(a, b, false).unwrap();
                for text in &texts {
                    let expected = matches(a, text) && matches(b, text);
                    assert_eq!(both.iter().any(|of| matches(of, text)), expected, "{a} {b} {text}");
                }
            }
        }
    }
}
