//! Patterns as texts, compared with each other.

use super::sign::{Sign, Variables, Written, covers, meets, signs};

/// A text with wildcards as the set of the texts that it matches, to be compared with others: an action, a resource, a value of
/// `StringLike`.
///
/// # Examples
///
/// ```
/// use iam_policy::{Glob, Variables};
///
/// let home = Glob::new("arn:aws:s3:::home/${aws:username}/*", Variables::Anything);
/// assert!(home.meets(Glob::new("arn:aws:s3:::home/bob/*", Variables::Anything)));
/// assert!(Glob::new("arn:aws:s3:::home/*", Variables::Anything).covers(home));
/// assert!(Glob::action("s3:get*").covers(Glob::action("s3:GetObject")));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Glob<'t> {
    text: &'t str,
    variables: Variables,
    fold: bool,
    but: Option<char>,
}

impl<'t> Glob<'t> {
    /// A pattern whose case counts.
    #[must_use]
    pub fn new(text: &'t str, variables: Variables) -> Glob<'t> {
        Glob { text, variables, fold: false, but: None }
    }

    /// A pattern of actions, which has neither a case nor variables.
    #[must_use]
    pub fn action(text: &'t str) -> Glob<'t> {
        Glob::new(text, Variables::Literal).with_fold(true)
    }

    /// The same, its wildcards standing for no colon: an ARN with `*` for what is not known of it.
    #[must_use]
    pub fn within_parts(self) -> Glob<'t> {
        Glob { but: Some(':'), ..self }
    }

    pub(crate) fn with_fold(self, fold: bool) -> Glob<'t> {
        Glob { fold, ..self }
    }

    /// Whether some text matches both. If case does not count in one of them, it does not count.
    #[must_use]
    pub fn meets(self, other: Glob<'_>) -> bool {
        let fold = self.fold || other.fold;
        !are_apart(self.text, other.text, fold) && meets(&self.signs(), &other.signs(), fold)
    }

    /// Whether this matches every text that the other does. It may be so and not be seen where several wildcards stand together.
    #[must_use]
    pub fn covers(self, other: Glob<'_>) -> bool {
        let fold = self.fold || other.fold;
        // All but a few patterns are told apart by their beginnings.
        self.but.is_none() && self.text == "*"
            || !are_apart(self.text, other.text, fold) && covers(&self.signs(), &other.signs(), fold)
    }

    fn signs(self) -> Vec<Sign<Written<'t>>> {
        signs(self.text, self.variables, self.but)
    }
}

/// Whether no text is in both, by what stands before the first wildcards.
pub(super) fn are_apart(a: &str, b: &str, fold: bool) -> bool {
    // Characters of other lengths may be the same.
    if fold && !(a.is_ascii() && b.is_ascii()) {
        return false;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn anything(text: &str) -> Glob<'_> {
        Glob::new(text, Variables::Anything)
    }

    fn same(text: &str) -> Glob<'_> {
        Glob::new(text, Variables::Same)
    }

    #[test]
    fn a_pattern_covers_what_is_at_most_as_wide() {
        for (wide, narrow, expected) in [
            ("*", "anything*", true),
            ("*", "x", true),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:Get*", "s3:GetObject*", true),
            ("s3:Get?bject", "s3:GetObject", true),
            ("s3:Get?bject", "s3:Get?bject", true),
            ("s3:Get?bject", "s3:Get*bject", false),
            ("s3:*Object*", "s3:Get*ObjectAcl", true),
            ("s3:Get*", "s3:*", false),
            ("s3:GetObject", "s3:Get*", false),
            ("s3:*t", "s3:*", false),
            ("a*", "a", true),
            ("a", "a*", false),
            ("a?*", "a*", false),
            ("a*", "a?*", true),
            ("a*?", "a?*", true),
            ("a?*?", "a*??", true),
            ("*a*", "*ba*", true),
            ("?", "*", false),
            ("?", "é", true),
            ("a*b", "a${k}b", true),
            ("home/*", "home/${aws:username}/*", true),
            ("home/?", "home/${aws:username}", false),
            ("${*}", "*", false),
            ("*", "${*}", true),
            ("${k}", "${k}", true),
            ("${k}*", "${K}a", true),
        ] {
            assert_eq!(same(wide).covers(same(narrow)), expected, "{wide} {narrow}");
        }
        assert!(!same("a*").covers(same("Ab")) && Glob::action("a*").covers(Glob::action("Ab")));
    }

    #[test]
    fn patterns_meet_where_a_text_matches_both() {
        for (a, b, expected) in [
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("a", "b", false),
            ("prod-*", "*-checkout", true),
            ("*/a", "b/*", true),
            ("a?c", "?b?", true),
            ("a?", "abc", false),
            ("*ab", "*ba", false),
            ("*ab*", "*ba*", true),
            ("a*b*c", "a?c", true),
            ("a*b*c", "ac", false),
            ("é*", "?", true),
        ] {
            assert_eq!(anything(a).meets(anything(b)), expected, "{a} {b}");
            assert_eq!(anything(b).meets(anything(a)), expected, "{b} {a}");
        }
        assert!(Glob::action("S3:get*").meets(Glob::action("s3:*Object")));
        assert!(!same("S3:get*").meets(same("s3:*Object")));
    }

    #[test]
    fn variables_are_anything_or_like_themselves_or_text() {
        let told = |a: &str, b: &str| {
            [Variables::Anything, Variables::Literal, Variables::Same].map(|variables| {
                let (a, b) = (Glob::new(a, variables), Glob::new(b, variables));
                (a.meets(b), a.covers(b))
            })
        };
        let (no, meets, covers) = ((false, false), (true, false), (true, true));
        let home = "home/${aws:username}";
        for (a, b, expected) in [
            (home, "home/bob", [covers, no, no]),
            ("home/*", home, [covers, covers, covers]),
            (home, "home/*", [covers, meets, meets]),
            (home, home, [covers, covers, covers]),
            (home, "home/${AWS:username}", [covers, no, covers]),
            (home, "home/${aws:userid}", [covers, no, no]),
            ("${k, 'a'}", "${k, 'A'}", [covers, no, no]),
            ("${k,'a'}", "${K, 'a'}", [covers, no, covers]),
            ("${*}", "*", [meets, meets, meets]),
            ("${*}", "x", [no, no, no]),
            ("?", "${*}", [covers, no, covers]),
            ("${?}${$}{x}", "???x?", [meets, no, meets]),
            ("${?}${$}{x}", "????x?", [no, no, no]),
            ("${?}${$}{x}", "?${$}{x}", [meets, no, meets]),
        ] {
            assert_eq!(told(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn a_star_within_parts_takes_no_colon() {
        for (pattern, open, expected) in [
            ("a", "*", true),
            ("group:1:name/a", "group:*:name/a", true),
            ("group:1:name/b", "group:*:name/a", false),
            ("group:*:name/b", "group:*:name/a", false),
            ("group:*", "group:*:name/a", true),
            ("group:?:name/a", "group:*:name/a", true),
            ("user/${aws:username}/x", "user/*/x", true),
            ("user/${aws:username}/x", "user/*/y", false),
            ("ec2:*:*:instance/*", "ec2:here::image/*", false),
            (":", "*", false),
            (":", "?", false),
            ("a?b", "a*b", true),
        ] {
            assert_eq!(anything(pattern).meets(anything(open).within_parts()), expected, "{pattern} {open}");
            assert_eq!(anything(open).within_parts().meets(anything(pattern)), expected, "{open} {pattern}");
        }
        let (part, all) = (anything("a*").within_parts(), anything("a*"));
        assert!(all.covers(part) && !part.covers(all) && part.covers(part));
        assert!(part.covers(anything("ab")) && !part.covers(anything("a:b")));
    }

    /// The other procedure: every short text.
    #[test]
    fn every_short_text_confirms_the_comparison() {
        use crate::pattern::short::{matches, texts};

        let patterns =
            ["", "*", "a*", "*a", "a*b", "*ab*", "?b*", "ab", "*a*b", "b?a", "??", "*b?", "a*a", "?*a"];
        let texts = texts(['a', 'b', 'x'], 5);
        for a in patterns {
            for b in patterns {
                let both = texts.iter().any(|text| matches(a, text) && matches(b, text));
                assert_eq!(same(a).meets(same(b)), both, "{a} {b}");
                let all = texts.iter().all(|text| !matches(b, text) || matches(a, text));
                assert!(all || !same(a).covers(same(b)), "{a} {b}");
                // Of one wildcard in a row nothing is missed.
                assert!(!all || same(a).covers(same(b)) || [a, b].concat().contains('?'), "{a} {b}");
            }
        }
    }

    #[test]
    fn many_wildcards_take_no_more_time_than_few() {
        let (a, b) = ("*a".repeat(1000), "?*a".repeat(200));
        assert!(!anything(&format!("{a}!")).meets(anything(&b)));
        assert!(!anything(&b).covers(anything(&a)));
    }
}
