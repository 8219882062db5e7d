//! Times of many questions.

use std::time::Duration;

/// The times of questions of one kind, each with its name.
#[derive(Default)]
pub struct Tally(Vec<(Duration, String)>);

impl Tally {
    /// Adds the time of a question.
    pub fn add(&mut self, time: Duration, name: impl Into<String>) {
        self.0.push((time, name.into()));
    }

    /// The time of all questions.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.0.iter().map(|(time, _)| *time).sum()
    }

    /// The count, the sum and what so many of a hundred questions stay below.
    #[must_use]
    pub fn report(&mut self) -> String {
        self.0.sort();
        let at = |thousandths: usize| {
            let index = (self.0.len() * thousandths / 1000).min(self.0.len().saturating_sub(1));
            self.0.get(index).map_or(0.0, |(time, _)| time.as_secs_f64() * 1000.0)
        };
        format!(
            "{} questions, {:.2} CPU s, p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms, worst {:.1} ms ({})",
            self.0.len(),
            self.total().as_secs_f64(),
            at(500),
            at(990),
            at(999),
            at(1000),
            self.0.last().map_or("", |(_, name)| name)
        )
    }
}
