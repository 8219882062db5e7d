//! Who calls next, and how many at once.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// How many calls are under way at first, and at most.
const AT_FIRST: f64 = 16.0;
const AT_MOST: f64 = 64.0;

tokio::task_local! {
    static BACKGROUND: ();
}

/// Runs what nobody waits for: its calls come after everybody else's.
pub(crate) async fn after_others<F: Future>(work: F) -> F::Output {
    BACKGROUND.scope((), work).await
}

fn is_in_background() -> bool {
    BACKGROUND.try_with(|()| ()).is_ok()
}

/// What a call is for, the most urgent first: what was begun is ended before something else begins, so that roles do not
/// pile up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    TearDown,
    SetUp,
    Beginning,
    Background,
}

impl Urgency {
    fn of(operation: &str) -> Urgency {
        let is = |words: &[&str]| words.iter().any(|word| operation.starts_with(word));
        match operation {
            _ if is_in_background() => Urgency::Background,
            "CreatePolicy" | "CreateRole" => Urgency::Beginning,
            _ if is(&["Delete", "Detach", "List", "Remove"]) => Urgency::TearDown,
            _ => Urgency::SetUp,
        }
    }
}

/// The services that control calls go to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Service {
    Iam,
    Sts,
}

/// While so many calls wait that belong to what was begun, whichever service they go to, nothing else begins.
const BACKLOG: usize = 8;

/// The calls that wait and those under way.
#[derive(Default)]
pub(super) struct Line(Mutex<State>);

#[derive(Default)]
struct State {
    iam: Queue,
    sts: Queue,
    /// How many have joined so far.
    joined: u64,
}

/// The calls of one service.
struct Queue {
    /// In order: the first is next.
    waiting: Vec<(Key, Arc<Notify>)>,
    under_way: u32,
    /// How many may be under way: more with each answer, half as many when one fails.
    most: f64,
    /// Who had joined when that was halved.
    halved: u64,
}

type Key = (Urgency, u64);

impl Default for Queue {
    fn default() -> Self {
        Self { waiting: Vec::new(), under_way: 0, most: AT_FIRST, halved: 0 }
    }
}

impl Queue {
    fn join(&mut self, key: Key, woken: Arc<Notify>) {
        let at = self.before(key);
        self.waiting.insert(at, (key, woken));
    }

    /// Whether it was still waiting.
    fn leave(&mut self, key: Key) -> bool {
        let at = self.before(key);
        let waits = self.waiting.get(at).is_some_and(|(next, _)| *next == key);
        if waits {
            self.waiting.remove(at);
        }
        waits
    }

    /// How many wait before it.
    fn before(&self, key: Key) -> usize {
        self.waiting.partition_point(|(other, _)| *other < key)
    }
}

impl State {
    fn of(&mut self, service: Service) -> &mut Queue {
        match service {
            Service::Iam => &mut self.iam,
            Service::Sts => &mut self.sts,
        }
    }

    /// The call that may be made next.
    fn next(&self, service: Service) -> Option<&(Key, Arc<Notify>)> {
        let queue = match service {
            Service::Iam => &self.iam,
            Service::Sts => &self.sts,
        };
        let first = queue.waiting.first();
        first.filter(|((urgency, _), _)| {
            let begins = *urgency >= Urgency::Beginning;
            f64::from(queue.under_way) < queue.most && !(begins && self.is_behind())
        })
    }

    fn is_behind(&self) -> bool {
        let begun = |queue: &Queue| queue.before((Urgency::Beginning, 0));
        begun(&self.iam) + begun(&self.sts) >= BACKLOG
    }

    fn wake_next(&self) {
        for service in [Service::Iam, Service::Sts] {
            if let Some((_, next)) = self.next(service) {
                next.notify_one();
            }
        }
    }
}

impl Line {
    /// Waits in line until it goes, and is under way until it is dropped. A call that is made again keeps its turn.
    pub(super) fn join(line: &Arc<Line>, service: Service, operation: &str, turn: Option<u64>) -> Place {
        let woken = Arc::new(Notify::new());
        let mut state = line.state();
        state.joined += 1;
        let joined = state.joined;
        let key = (Urgency::of(operation), turn.unwrap_or(joined));
        state.of(service).join(key, woken.clone());
        drop(state);
        Place { line: line.clone(), service, key, joined, woken }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call's place.
pub(super) struct Place {
    line: Arc<Line>,
    service: Service,
    key: Key,
    joined: u64,
    woken: Arc<Notify>,
}

impl Place {
    /// What keeps its place for it if it is throttled: else it would begin anew behind all others.
    pub(super) fn turn(&self) -> u64 {
        self.key.1
    }

    pub(super) fn is_in_background(&self) -> bool {
        self.key.0 == Urgency::Background
    }

    /// Whether something of no use would be left if it were given up.
    pub(super) fn removes(&self) -> bool {
        matches!(self.key.0, Urgency::Background | Urgency::TearDown)
    }

    /// Waits until nobody is before it, and there is room for one more call.
    pub(super) async fn is_next(&self) {
        while !self.is_next_now() {
            self.woken.notified().await;
        }
    }

    fn is_next_now(&self) -> bool {
        self.line.state().next(self.service).is_some_and(|(next, _)| *next == self.key)
    }

    /// It leaves the line, and is under way.
    pub(super) fn go(&self) {
        let mut state = self.line.state();
        let queue = state.of(self.service);
        queue.leave(self.key);
        queue.under_way += 1;
        state.wake_next();
    }

    /// Learns whether the service is well.
    pub(super) fn ended(&self, well: bool) {
        let mut state = self.line.state();
        let joined = state.joined;
        let queue = state.of(self.service);
        if well {
            queue.most = (queue.most + 1.0 / queue.most).min(AT_MOST);
        } else if self.joined > queue.halved {
            // What was under way then says nothing about what is now.
            queue.halved = joined;
            queue.most = (queue.most / 2.0).max(1.0);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.line.state();
        let queue = state.of(self.service);
        if !queue.leave(self.key) {
            queue.under_way -= 1;
        }
        state.wake_next();
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goes(place: &Place) -> bool {
        let goes = place.is_next_now();
        if goes {
            place.go();
        }
        goes
    }

    #[test]
    fn tear_down_goes_before_set_up_and_set_up_before_what_begins() {
        let line = Arc::default();
        let [create, second, put, delete] = ["CreateRole", "CreateRole", "PutRolePolicy", "DeleteRole"]
            .map(|one| Line::join(&line, Service::Iam, one, None));
        assert!(!goes(&create) && !goes(&put));
        assert!(goes(&delete) && goes(&put) && !goes(&second));
        assert!(goes(&create) && goes(&second));
    }

    #[test]
    fn nothing_begins_while_much_waits_that_was_begun() {
        let line = Arc::default();
        let create = Line::join(&line, Service::Iam, "CreateRole", None);
        let waiting: Vec<_> = (0..8).map(|_| Line::join(&line, Service::Sts, "AssumeRole", None)).collect();
        assert!(!goes(&create), "their roles would pile up");
        assert!(goes(&waiting[0]) && goes(&create));
    }

    #[test]
    fn who_gives_up_is_in_nobodys_way() {
        let line = Arc::default();
        let (first, second) = (
            Line::join(&line, Service::Iam, "CreateRole", None),
            Line::join(&line, Service::Iam, "CreateRole", None),
        );
        drop(first);
        assert!(goes(&second));
        drop(second);
        assert_eq!(line.state().iam.under_way, 0);
    }

    #[test]
    fn failures_halve_how_many_are_under_way_and_answers_bring_that_back() {
        let line = Arc::default();
        let places: Vec<_> = (0..20).map(|_| Line::join(&line, Service::Iam, "CreateRole", None)).collect();
        assert_eq!(places.iter().filter(|place| goes(place)).count(), 16);
        for place in &places[..16] {
            place.ended(false);
        }
        assert!((7.5..8.5).contains(&line.state().iam.most), "once, for they were under way together");
        let later = Line::join(&line, Service::Iam, "CreateRole", None);
        later.ended(false);
        assert!((3.5..4.5).contains(&line.state().iam.most));
        for _ in 0..200 {
            later.ended(true);
        }
        assert!((16.0..24.0).contains(&line.state().iam.most), "{}", line.state().iam.most);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_comes_last() {
        let line = Arc::default();
        let sweep = after_others(async { Line::join(&line, Service::Iam, "DeleteRole", None) }).await;
        let create = Line::join(&line, Service::Iam, "CreateRole", None);
        assert!(!goes(&sweep) && goes(&create) && goes(&sweep));
    }

    #[test]
    fn a_call_that_is_made_again_keeps_its_turn() {
        let line = Arc::default();
        let first = Line::join(&line, Service::Iam, "CreateRole", None);
        assert!(goes(&first));
        let other = Line::join(&line, Service::Iam, "CreateRole", None);
        let turn = first.turn();
        drop(first);
        let again = Line::join(&line, Service::Iam, "CreateRole", Some(turn));
        assert!(!goes(&other) && goes(&again) && goes(&other));
    }
}
