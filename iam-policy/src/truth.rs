//! What is known of a question when a part of the request's context is not.

/// An answer by AWS's rules for missing keys, and whether it stands whatever the unknown keys hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Truth {
    /// The answer with the unknown keys taken as absent.
    pub(crate) assumed: bool,
    pub(crate) certain: bool,
}

impl Truth {
    pub(crate) const YES: Truth = Truth::certain(true);
    pub(crate) const NO: Truth = Truth::certain(false);

    pub(crate) const fn certain(assumed: bool) -> Truth {
        Truth { assumed, certain: true }
    }

    pub(crate) const fn uncertain(assumed: bool) -> Truth {
        Truth { assumed, certain: false }
    }

    /// Whether it is so for some content of the unknown keys.
    pub(crate) const fn possible(self) -> bool {
        self.assumed || !self.certain
    }

    /// Whether it is so for every content of the unknown keys.
    pub(crate) const fn sure(self) -> bool {
        self.assumed && self.certain
    }

    pub(crate) const fn negated_if(self, negated: bool) -> Truth {
        Truth { assumed: self.assumed != negated, certain: self.certain }
    }

    /// Whether any is so: one sure answer makes the others irrelevant.
    pub(crate) fn any(answers: impl IntoIterator<Item = Truth>) -> Truth {
        let mut so_far = Truth::NO;
        for answer in answers {
            if answer.sure() {
                return Truth::YES;
            }
            so_far.assumed |= answer.assumed;
            so_far.certain &= answer.certain;
        }
        so_far
    }

    /// Whether all are so: one sure no makes the others irrelevant.
    pub(crate) fn all(answers: impl IntoIterator<Item = Truth>) -> Truth {
        Truth::any(answers.into_iter().map(|answer| answer.negated_if(true))).negated_if(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sure_answer_settles_any_and_one_sure_no_settles_all() {
        let maybe = [Truth::uncertain(true), Truth::uncertain(false)];
        for unknown in maybe {
            assert_eq!(Truth::any([unknown, Truth::YES]), Truth::YES);
            assert_eq!(Truth::any([unknown, Truth::NO]), unknown);
            assert_eq!(Truth::all([unknown, Truth::NO]), Truth::NO);
            assert_eq!(Truth::all([Truth::YES, unknown]), unknown);
        }
        assert_eq!(Truth::any([]), Truth::NO);
        assert_eq!(Truth::all([]), Truth::YES);
    }
}
