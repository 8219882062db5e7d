//! Assertions about sets, for tests: no account, no network, no async.

use super::{Answer, Permissions};
use crate::document::{Policy, PolicyKind};

/// Asserts that the first set of permissions grants nothing that the second does not.
///
/// Each may be a [`Policy`](crate::Policy), a [`PolicySet`](crate::PolicySet) or [`Permissions`](crate::Permissions).
///
/// # Panics
///
/// With a request that only the first allows and the statements that decide it, or with the reason why it cannot be told.
///
/// # Examples
///
/// ```
/// use iam_policy::{Policy, PolicyKind, assert_subset};
///
/// let parse = |text: &str| Policy::parse(text, PolicyKind::Identity).unwrap();
/// let new = parse(r#"{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#);
/// let old = parse(r#"{"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}"#);
/// assert_subset!(new, old);
/// ```
#[macro_export]
macro_rules! assert_subset {
    ($new:expr, $old:expr $(,)?) => {
        $crate::__private::assert(
            $new.permissions().is_subset(&$old.permissions()),
            ::std::concat!(
                "`",
                ::std::stringify!($new),
                "` allows only what `",
                ::std::stringify!($old),
                "` allows"
            ),
        )
    };
}

/// Asserts that a set of permissions stays within a guardrail: as [`assert_subset!`], in the words of who sets one.
///
/// # Panics
///
/// As [`assert_subset!`].
#[macro_export]
macro_rules! assert_grants_nothing_beyond {
    ($policy:expr, $guardrail:expr $(,)?) => {
        $crate::__private::assert(
            $policy.permissions().is_subset(&$guardrail.permissions()),
            ::std::concat!(
                "`",
                ::std::stringify!($policy),
                "` grants nothing beyond `",
                ::std::stringify!($guardrail),
                "`"
            ),
        )
    };
}

/// Asserts that two sets of permissions allow the same, however they are written.
///
/// # Panics
///
/// With a request that only one of the two allows, or with the reason why it cannot be told.
///
/// # Examples
///
/// ```
/// use iam_policy::{Policy, PolicyKind, assert_equivalent};
///
/// let parse = |text: &str| Policy::parse(text, PolicyKind::Identity).unwrap();
/// let one = parse(r#"{"Statement": {"Effect": "Allow", "Action": ["s3:Get*", "s3:GetObject"], "Resource": "*"}}"#);
/// let other = parse(r#"{"Statement": {"Effect": "Allow", "Action": "S3:get*", "Resource": "*"}}"#);
/// assert_equivalent!(one, other);
/// ```
#[macro_export]
macro_rules! assert_equivalent {
    ($left:expr, $right:expr $(,)?) => {
        $crate::__private::assert(
            $left.permissions().is_equivalent(&$right.permissions()),
            ::std::concat!(
                "`",
                ::std::stringify!($left),
                "` allows the same as `",
                ::std::stringify!($right),
                "`"
            ),
        )
    };
}

/// Asserts that no request is allowed by both sets of permissions.
///
/// # Panics
///
/// With a request that both allow, or with the reason why it cannot be told.
#[macro_export]
macro_rules! assert_disjoint {
    ($left:expr, $right:expr $(,)?) => {
        $crate::__private::assert(
            $left.permissions().is_disjoint(&$right.permissions()),
            ::std::concat!(
                "`",
                ::std::stringify!($left),
                "` allows nothing that `",
                ::std::stringify!($right),
                "` allows"
            ),
        )
    };
}

/// Asserts that a set of permissions allows no action of a pattern, on any resource and under any condition.
///
/// # Panics
///
/// With a request for such an action that is allowed, or with the reason why it cannot be told.
///
/// # Examples
///
/// ```
/// use iam_policy::{Policy, PolicyKind, assert_never_allows};
///
/// let text = r#"{"Statement": {"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}}"#;
/// let policy = Policy::parse(text, PolicyKind::Identity).unwrap();
/// assert_never_allows!(policy, "iam:*");
/// ```
#[macro_export]
macro_rules! assert_never_allows {
    ($policy:expr, $actions:expr $(,)?) => {
        $crate::__private::assert(
            $policy.permissions().is_disjoint(&$crate::__private::actions($actions)),
            &::std::format!("`{}` never allows `{}`", ::std::stringify!($policy), $actions),
        )
    };
}

/// Ends a test unless the answer is yes.
///
/// # Panics
///
/// Unless it is.
#[track_caller]
#[expect(clippy::panic, reason = "an assertion")]
pub fn assert(answer: Answer, claim: &str) {
    match answer {
        Answer::No(found) => panic!("assertion failed: {claim}\n{found}"),
        Answer::Unknown(unknown) => panic!("assertion undecided: {claim}\n{unknown}"),
        Answer::Yes => {}
    }
}

/// Every request for an action of a pattern.
///
/// # Panics
///
/// If it is no pattern of actions.
#[must_use]
#[track_caller]
#[expect(clippy::panic, reason = "the misuse of an assertion")]
pub fn actions(pattern: &str) -> Permissions {
    let text = format!(r#"{{"Statement":{{"Effect":"Allow","Action":{pattern:?},"Resource":"*"}}}}"#);
    match Policy::parse(text, PolicyKind::Identity) {
        Ok(policy) => policy.permissions(),
        Err(problems) => panic!("{problems}"),
    }
}

impl Permissions {
    /// The set itself: what takes policies by their permissions takes sets too.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PolicySet, Source};

    fn failure(test: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let panic = std::panic::catch_unwind(test).expect_err("the assertion fails");
        panic.downcast_ref::<String>().cloned().unwrap_or_default()
    }

    fn policy(name: &str, action: &str) -> Policy {
        let text = format!(
            "{{\n\"Statement\": {{\n\"Effect\": \"Allow\",\n\"Action\": \"{action}\",\n\"Resource\": \"*\"\n}}}}"
        );
        Policy::parse(Source::new(name, text), PolicyKind::Identity).unwrap()
    }

    #[test]
    fn a_failing_assertion_shows_a_request_and_both_statements() {
        let (new, old) = (policy("new.json", "s3:*Object"), policy("old.json", "s3:GetObject"));
        let text = failure(|| assert_subset!(new, old));
        assert!(text.starts_with("assertion failed: `new` allows only what `old` allows\n`s3:"), "{text}");
        assert!(text.contains("new.json:4:11") && text.contains("old.json:4:11"), "{text}");
    }

    #[test]
    fn each_assertion_fails_where_its_claim_does() {
        let (new, old) = (policy("new.json", "s3:*Object"), policy("old.json", "s3:GetObject"));
        for (text, claim) in [
            (failure(|| assert_equivalent!(old, new)), "allows the same as"),
            (failure(|| assert_disjoint!(old, new)), "allows nothing that"),
            (failure(|| assert_grants_nothing_beyond!(new, old)), "grants nothing beyond"),
            (failure(|| assert_never_allows!(new, "s3:Put*")), "never allows `s3:Put*`"),
            (failure(|| assert_never_allows!(new, "s3 Put")), "has no service prefix"),
        ] {
            assert!(text.contains(claim), "{text}");
        }
        assert_subset!(old, new);
        assert_grants_nothing_beyond!(&old, new.permissions());
        assert_disjoint!(old, new.permissions().difference(&old.permissions()));
        assert_never_allows!(new, "iam:*");
        let set = PolicySet {
            identity: vec![new.clone()].into(),
            boundary: vec![old.clone()],
            ..PolicySet::default()
        };
        assert_equivalent!(set, old);
    }
}
