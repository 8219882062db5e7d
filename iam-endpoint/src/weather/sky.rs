//! What the weather is now.

use std::borrow::Cow;
use std::fmt;
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use fastrand::Rng;
use http::{Response, StatusCode};

use super::bucket::Bucket;
use super::forecast::{Mishap, Weather};
use super::propagation::{Histories, Seen, Server};
use crate::fault::Fault;
use crate::iam::Role;

/// The weather over one endpoint.
pub(crate) struct Sky {
    weather: Weather,
    now: Mutex<Now>,
}

struct Now {
    dice: Rng,
    /// Of the throttles, in their order.
    buckets: Vec<Bucket>,
    /// How many calls each appointment has seen, in their order.
    seen: Vec<u32>,
    histories: Histories,
}

impl Sky {
    pub(crate) fn new(weather: Weather) -> Self {
        let now = Now {
            dice: Rng::with_seed(weather.seed),
            buckets: weather.throttles.iter().map(|one| Bucket::full(one.per_second, one.burst)).collect(),
            seen: vec![0; weather.appointments.len()],
            histories: Histories::default(),
        };
        Self { weather, now: Mutex::new(now) }
    }

    /// What happens to a call such as `iam:CreateRole`.
    pub(crate) fn mishap(&self, call: &str, at: SystemTime) -> Option<Mishap> {
        let mut now = self.now();
        let Now { dice, buckets, seen, .. } = &mut *now;
        let mut met = None;
        for ((calls, nth, mishap), seen) in self.weather.appointments.iter().zip(seen) {
            if calls.fits(call) {
                *seen += 1;
                met = met.or((seen == nth).then_some(*mishap));
            }
        }
        for (calls, mishap, probability) in &self.weather.chances {
            if calls.fits(call) {
                let happens = dice.f64() < *probability;
                met = met.or(happens.then_some(*mishap));
            }
        }
        for (throttle, bucket) in self.weather.throttles.iter().zip(buckets) {
            if throttle.calls.fits(call) && !bucket.take(at) {
                met = met.or(Some(Mishap::Throttled));
            }
        }
        met
    }

    /// The server that answers a call.
    pub(crate) fn server(&self, service: &str) -> Option<Server> {
        let propagation = self.weather.propagation.as_ref()?;
        Some(propagation.server(service, &mut self.now().dice))
    }

    pub(crate) fn note_role(&self, account: &str, name: &str, at: SystemTime, role: Option<Role>) {
        if self.weather.propagation.is_some() {
            self.now().histories.note_role(role_label(account, name), at, role);
        }
    }

    pub(crate) fn note_key(&self, id: &str, at: SystemTime) {
        if self.weather.propagation.is_some() {
            self.now().histories.note_key(key_label(id), at);
        }
    }

    /// A role as a server knows it, which is different from what it is now.
    pub(crate) fn role<'r>(
        &self,
        server: Server,
        account: &str,
        name: &str,
        at: SystemTime,
        current: Option<&'r Role>,
    ) -> Option<Cow<'r, Role>> {
        match self.seen_from(server) {
            Some(seen) => self.now().histories.role(&role_label(account, name), &seen, at, current),
            None => current.map(Cow::Borrowed),
        }
    }

    pub(crate) fn has_key(&self, server: Server, id: &str, at: SystemTime) -> bool {
        self.seen_from(server).is_none_or(|seen| self.now().histories.has_key(&key_label(id), &seen, at))
    }

    /// From when on every server of a service knows the role as it was then, and the session's key.
    pub(crate) fn settled(
        &self,
        service: &str,
        account: &str,
        role: &str,
        key: &str,
        as_of: SystemTime,
    ) -> Option<SystemTime> {
        let propagation = self.weather.propagation.as_ref()?;
        let (role, key) = (role_label(account, role), key_label(key));
        let views = propagation.servers_of(service).filter_map(|server| self.seen_from(server));
        self.now().histories.settled(views, &[&role, &key], as_of)
    }

    /// Refuses one role more than the quota.
    pub(crate) fn check_roles(&self, count: usize) -> Result<(), Fault> {
        check("RolesPerAccount", self.weather.most_roles, count)
    }

    /// Refuses one customer managed policy more than the quota.
    pub(crate) fn check_policies(&self, count: usize) -> Result<(), Fault> {
        check("PoliciesPerAccount", self.weather.most_policies, count)
    }

    fn seen_from(&self, server: Server) -> Option<Seen<'_>> {
        let propagation = self.weather.propagation.as_ref()?;
        Some(Seen { propagation, seed: self.weather.seed, server })
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.weather.fmt(f)
    }
}

fn check(name: &str, quota: Option<usize>, count: usize) -> Result<(), Fault> {
    match quota {
        Some(quota) if count >= quota => {
            Err(Fault::limit(format!("Cannot exceed quota for {name}: {quota}")))
        }
        _ => Ok(()),
    }
}

fn role_label(account: &str, name: &str) -> String {
    format!("{account}/{}", name.to_ascii_lowercase())
}

fn key_label(id: &str) -> String {
    format!("key/{id}")
}

/// A call whose answer does not come.
pub(crate) struct Interrupted {
    is_silent: bool,
}

impl Interrupted {
    pub(crate) fn by(mishap: Mishap) -> Self {
        Self { is_silent: mishap.is_silent() }
    }

    /// What its client sees: a connection that ends, or one on which nothing comes.
    pub(crate) async fn answer(self) -> Response<Bytes> {
        if self.is_silent {
            return pending().await;
        }
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.extensions_mut().insert(Lost);
        response
    }
}

#[derive(Clone)]
struct Lost;

/// Whether this stands for a connection that was reset: whoever carries answers to a client drops the connection.
#[must_use]
pub fn is_lost<B>(response: &Response<B>) -> bool {
    response.extensions().get::<Lost>().is_some()
}
