use std::time::Duration;

/// How a role is shown to be live before its test begins, where IAM takes its time: on AWS, and at an embedded endpoint
/// with [weather](iam_endpoint::weather).
///
/// Each service that the role's policies name is asked, as the role, for something that changes nothing, such as a list of
/// tables, until so many calls in a row were allowed. Where the policies do not allow such a call, a statement that only
/// these calls match, by their user agent, is added for as long as that takes.
///
/// ```
/// use std::time::Duration;
/// use iam_fixture::{Readiness, TemporaryRole};
///
/// let role = TemporaryRole::builder()
///     .readiness(Readiness::default().in_a_row(20).deadline(Duration::from_secs(90)));
/// # let _ = role;
/// ```
#[derive(Clone, Debug)]
pub struct Readiness {
    pub(super) in_a_row: u32,
    pub(super) deadline: Duration,
    pub(super) services: Option<Vec<String>>,
    pub(super) canary: bool,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { in_a_row: 40, deadline: Duration::from_mins(2), services: None, canary: true }
    }
}

impl Readiness {
    /// How many calls in a row each service must allow; 40 by default.
    ///
    /// One server of three that does not know the role yet goes unseen by n calls with a probability of (2/3)ⁿ.
    #[must_use]
    pub fn in_a_row(mut self, successes: u32) -> Self {
        self.in_a_row = successes;
        self
    }

    /// How long it may take from the role's creation; two minutes by default.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(in crate::lifecycle) fn limit(&self) -> Duration {
        self.deadline
    }

    /// Asks these services, by their prefix in actions such as `s3`, instead of those that the policies name.
    #[must_use]
    pub fn services<S: Into<String>>(mut self, services: impl IntoIterator<Item = S>) -> Self {
        self.services = Some(services.into_iter().map(Into::into).collect());
        self
    }

    /// Adds no statement: where the policies do not allow any call that changes nothing, a service only has to know the
    /// role's credentials. Saves two control calls for such a role.
    #[must_use]
    pub fn without_canary(mut self) -> Self {
        self.canary = false;
        self
    }
}
