//! A token bucket, by a clock that may be virtual.

use std::time::SystemTime;

pub(super) struct Bucket {
    most: f64,
    per_second: f64,
    /// As they were then.
    tokens: f64,
    then: Option<SystemTime>,
}

impl Bucket {
    pub(super) fn full(per_second: f64, burst: u32) -> Self {
        Self { most: f64::from(burst), per_second, tokens: f64::from(burst), then: None }
    }

    /// Takes a token, if there is one. A clock that goes back fills nothing.
    pub(super) fn take(&mut self, now: SystemTime) -> bool {
        let passed = self.then.and_then(|then| now.duration_since(then).ok()).unwrap_or_default();
        self.tokens = (self.tokens + passed.as_secs_f64() * self.per_second).min(self.most);
        self.then = Some(self.then.map_or(now, |then| then.max(now)));
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::full(5.0, 3);
        let start = SystemTime::UNIX_EPOCH;
        let taken = (0..100_u64).filter(|tenth| bucket.take(start + Duration::from_millis(tenth * 100)));
        // Ten seconds fill fifty tokens, less what the last tenth would have added.
        assert_eq!(taken.count(), 3 + 49);
        assert!(!bucket.take(start), "a clock that goes back fills nothing");
    }
}
