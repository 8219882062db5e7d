//! Which server of a service knows which version of a role, and which session's key.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>

use std::borrow::Cow;
use std::f64::consts::TAU;
use std::time::{Duration, SystemTime};

use fastrand::Rng;

use crate::iam::Role;
use crate::table::Table;

/// How what IAM and STS accept becomes known elsewhere.
///
/// Each service has some servers, and any of them answers a call. A new or changed role reaches each server of each service
/// with a delay of its own, and its versions in their order; so while some servers know it and others do not, the same call
/// works, fails and works. The key of a session is known sooner, and a server that does not know it refuses it as
/// `InvalidClientTokenId` or the service's like.
///
/// Delays are log-normal around the typical one; one of a hundred is anything between that and the longest.
#[derive(Clone, Debug)]
pub struct Propagation {
    typical: Duration,
    longest: Duration,
    servers: u32,
}

impl Default for Propagation {
    /// Typically 2 s, at most 60 s, to three servers of each service.
    fn default() -> Self {
        Self { typical: Duration::from_secs(2), longest: Duration::from_mins(1), servers: 3 }
    }
}

impl Propagation {
    /// The median until all servers of a service know one change.
    #[must_use]
    pub fn typical(mut self, delay: Duration) -> Self {
        self.typical = delay;
        self
    }

    /// The longest until all servers of a service know one change.
    #[must_use]
    pub fn longest(mut self, delay: Duration) -> Self {
        self.longest = delay;
        self
    }

    /// How many servers each service has.
    #[must_use]
    pub fn servers(mut self, count: u32) -> Self {
        self.servers = count.max(1);
        self
    }

    /// Any server of a service.
    pub(super) fn server(&self, service: &str, dice: &mut Rng) -> Server {
        Server { service: hash(service), number: dice.u32(..self.servers) }
    }

    pub(super) fn servers_of(&self, service: &str) -> impl Iterator<Item = Server> + use<> {
        let service = hash(service);
        (0..self.servers).map(move |number| Server { service, number })
    }

    fn delay(&self, seed: u64, server: Server, item: &Item, version: u64) -> Duration {
        let of_all = mixed([seed, server.service, item.number, version]);
        let of_one = mixed([of_all, u64::from(server.number)]);
        // The first server knows it well before the last.
        let share = 0.4 + 0.6 * Rng::with_seed(of_one).f64();
        self.until_all(&mut Rng::with_seed(of_all), item.is_key).mul_f64(share)
    }

    fn until_all(&self, dice: &mut Rng, is_key: bool) -> Duration {
        /// How much sooner a key is known than a role.
        const KEY: u32 = 8;
        /// The spread of the logarithm of most delays.
        const SPREAD: f64 = 0.5;
        let typical = if is_key { self.typical / KEY } else { self.typical };
        let factor = if dice.u32(..100) == 0 {
            let most = self.longest.as_secs_f64() / typical.as_secs_f64().max(f64::MIN_POSITIVE);
            most.max(1.0).powf(dice.f64())
        } else {
            // Box and Muller's way from evenly to normally distributed numbers; 1 - [0, 1) is never 0.
            let normal = (-2.0 * (1.0 - dice.f64()).ln()).sqrt() * (TAU * dice.f64()).cos();
            (SPREAD * normal).exp()
        };
        typical.mul_f64(factor).min(self.longest)
    }
}

/// One of a service's servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    service: u64,
    number: u32,
}

/// Everything that was ever accepted.
#[derive(Default)]
pub(super) struct Histories(Table<Item>);

/// The history of a role, or of a session's key.
struct Item {
    /// How many there were before it: names are random, and must not decide.
    number: u64,
    is_key: bool,
    versions: Vec<Version>,
}

struct Version {
    at: SystemTime,
    /// `None` once it was deleted, and for a key.
    role: Option<Role>,
}

impl Histories {
    pub(super) fn note_role(&mut self, label: String, at: SystemTime, role: Option<Role>) {
        self.item(label, false).versions.push(Version { at, role });
    }

    pub(super) fn note_key(&mut self, label: String, at: SystemTime) {
        self.item(label, true).versions.push(Version { at, role: None });
    }

    fn item(&mut self, label: String, is_key: bool) -> &mut Item {
        let number = self.0.len() as u64;
        self.0.or_insert_with(label, || Item { number, is_key, versions: Vec::new() })
    }

    /// A role as one server knows it; `current` for one without a history, which everybody has always known.
    pub(super) fn role<'r>(
        &self,
        label: &str,
        seen: &Seen<'_>,
        now: SystemTime,
        current: Option<&'r Role>,
    ) -> Option<Cow<'r, Role>> {
        let Some(item) = self.0.get(label) else { return current.map(Cow::Borrowed) };
        let mut known = None;
        for (at, version) in seen.versions(item) {
            if at <= now {
                known = version.role.as_ref();
            }
        }
        known.cloned().map(Cow::Owned)
    }

    /// Whether a server knows a key. One without a history has always been there.
    pub(super) fn has_key(&self, label: &str, seen: &Seen<'_>, now: SystemTime) -> bool {
        self.0.get(label).is_none_or(|item| seen.versions(item).first().is_none_or(|(at, _)| *at <= now))
    }

    /// From when on all these servers know all of these items as they were then.
    pub(super) fn settled<'p>(
        &self,
        views: impl Iterator<Item = Seen<'p>>,
        labels: &[&str],
        as_of: SystemTime,
    ) -> Option<SystemTime> {
        let mut settled = None;
        for view in views {
            for label in labels {
                let Some(item) = self.0.get(label) else { continue };
                for (known_at, version) in view.versions(item) {
                    if version.at > as_of {
                        break;
                    }
                    settled = settled.max(Some(known_at));
                }
            }
        }
        settled
    }
}

/// The view from one server.
pub(super) struct Seen<'p> {
    pub(super) propagation: &'p Propagation,
    pub(super) seed: u64,
    pub(super) server: Server,
}

impl Seen<'_> {
    /// The versions, each with when it is known here: a late one holds up those after it.
    fn versions<'i>(&self, item: &'i Item) -> Vec<(SystemTime, &'i Version)> {
        let (mut versions, mut latest) = (Vec::with_capacity(item.versions.len()), SystemTime::UNIX_EPOCH);
        for version in &item.versions {
            let number = versions.len() as u64;
            latest = latest.max(version.at + self.propagation.delay(self.seed, self.server, item, number));
            versions.push((latest, version));
        }
        versions
    }
}

/// FNV-1a: the standard library's hashes may differ from release to release.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn mixed<const N: usize>(numbers: [u64; N]) -> u64 {
    numbers.into_iter().fold(0, |mixed, number| Rng::with_seed(mixed ^ number.rotate_left(17)).u64(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(is_key: bool) -> Vec<f64> {
        let item = |number| Item { number, is_key, versions: Vec::new() };
        let propagation = Propagation::default();
        let slowest = |number| {
            let each =
                propagation.servers_of("s3").map(|server| propagation.delay(1, server, &item(number), 0));
            each.max().unwrap().as_secs_f64()
        };
        let mut delays: Vec<_> = (0..10_000).map(slowest).collect();
        delays.sort_by(f64::total_cmp);
        delays
    }

    #[test]
    fn a_role_takes_two_seconds_typically_and_a_minute_at_most() {
        let delays = delays(false);
        let median = delays[5_000];
        assert!((1.5..2.1).contains(&median), "{median}");
        assert!(delays[9_990] > 10.0 && delays[9_999] > 30.0, "{:?}", &delays[9_990..]);
        assert!(delays[9_999] <= 60.0);
    }

    #[test]
    fn a_key_is_known_sooner_than_a_role() {
        assert!(delays(true)[5_000] < 0.3, "{}", delays(true)[5_000]);
    }

    #[test]
    fn servers_learn_of_a_change_one_after_the_other_and_of_changes_in_their_order() {
        let propagation = Propagation::default();
        let start = SystemTime::UNIX_EPOCH;
        let mut histories = Histories::default();
        for second in 0..20 {
            histories.note_role("role".to_owned(), start + Duration::from_secs(second), None);
        }
        let first_known = propagation.servers_of("s3").map(|server| {
            let seen = Seen { propagation: &propagation, seed: 1, server };
            let times: Vec<_> = seen
                .versions(histories.0.get("role").expect("it was noted"))
                .iter()
                .map(|(at, _)| *at)
                .collect();
            assert!(times.is_sorted(), "{times:?}");
            times[0]
        });
        let first_known = first_known.collect::<std::collections::BTreeSet<_>>();
        assert_eq!(first_known.len(), 3);
        let views =
            propagation.servers_of("s3").map(|server| Seen { propagation: &propagation, seed: 1, server });
        let settled = histories.settled(views, &["role"], start + Duration::from_secs(19));
        assert!(settled > first_known.last().copied(), "{settled:?}");
    }
}
