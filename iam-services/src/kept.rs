//! One service's state, apart for each account and region.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Response;
use iam_endpoint::{Allowed, KeyUse};
use serde_json::{Map, Value};

use crate::fault::{Answer, Fault};
use crate::input::Input;
use crate::scope::{Arn, Scope};
use crate::tags::Tags;
use crate::wait::Changes;
use crate::wire::Wire;

/// What one service is.
pub(crate) trait Service: Default + Send {
    /// As botocore's data names it.
    const NAME: &'static str;
    const WIRE: Wire;
    /// The code for a parameter that is missing or breaks a rule of the API's model.
    const INVALID: &'static str;
    /// Parameters that may be the ARN of something in another account.
    const OWNERS: &'static [&'static str];

    /// What performs the operation, where something does.
    fn operation(name: &str) -> Option<Operation<Self>>;

    /// The tags of a resource, none for one that is not there; `None` for a resource of a type that is not kept.
    fn tags(&self, arn: &Arn<'_>) -> Option<Tags>;
}

/// Performs one operation on the state of an account in a region.
pub(crate) type Operation<S> = fn(&mut S, &Ask<'_>) -> Answer;

/// One call.
pub(crate) struct Ask<'a> {
    pub(crate) input: Input<'a>,
    /// The account that owns what the call is about.
    pub(crate) scope: &'a Scope,
    pub(crate) allowed: &'a Allowed,
    /// Milliseconds since 1970.
    pub(crate) now: u64,
    /// How long the call has waited.
    pub(crate) waited: Duration,
}

/// What it takes of KMS to encrypt something under a key of a customer's.
pub(crate) const SEALING: [&str; 2] = ["GenerateDataKey", "Decrypt"];

impl Ask<'_> {
    /// Asks whether the caller may have a KMS key used, for each of KMS's operations; to be asked before the state is changed.
    ///
    /// # Errors
    ///
    /// What ends the call.
    pub(crate) fn use_key(
        &self,
        key: &str,
        operations: &[&'static str],
        context: &[(&str, &str)],
    ) -> Result<(), Fault> {
        for operation in operations {
            let used = self.allowed.use_key(KeyUse { key, operation, context });
            used.map_err(|_| Fault::Refused)?;
        }
        Ok(())
    }

    /// The time as JSON protocols write it: seconds.
    pub(crate) fn seconds(&self) -> Value {
        seconds(self.now)
    }
}

/// A time as JSON protocols write it: seconds with a fraction.
#[expect(clippy::cast_precision_loss, reason = "52 bits of milliseconds are more than anyone lives")]
pub(crate) fn seconds(milliseconds: u64) -> Value {
    Value::from(milliseconds as f64 / 1000.0)
}

/// A service with its state.
#[derive(Default)]
pub(crate) struct Kept<S> {
    states: Mutex<HashMap<Scope, S>>,
    changes: Changes,
}

/// What [`crate::Services`] asks of each of them.
pub(crate) trait Serve: Send + Sync {
    fn name(&self) -> &'static str;

    /// The answer, or for how long to wait for one.
    fn call(&self, allowed: &Allowed, waited: Duration) -> Option<Result<Response<Bytes>, Duration>>;

    fn tags(&self, arn: &str) -> Option<Tags>;

    /// Those who wait for something to happen in this service.
    fn changes(&self) -> &Changes;
}

impl<S: Service> Serve for Kept<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn call(&self, allowed: &Allowed, waited: Duration) -> Option<Result<Response<Bytes>, Duration>> {
        let operation = S::operation(&allowed.operation)?;
        let answer = S::WIRE.read(allowed).and_then(|members| {
            let input = Input::new(&members, S::INVALID);
            let mut scope = Scope::of(allowed);
            if let Some(owner) = owner::<S>(&members) {
                scope.account.clear();
                scope.account.push_str(owner);
            }
            let ask = Ask {
                input,
                scope: &scope,
                allowed,
                now: milliseconds(allowed.time.checked_add(waited).unwrap_or(allowed.time)),
                waited,
            };
            let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
            match states.get_mut(&scope) {
                Some(state) => operation(state, &ask),
                None => operation(states.entry(scope.clone()).or_default(), &ask),
            }
        });
        match answer {
            Err(Fault::NotPerformed) => None,
            Err(Fault::Refused) => Some(Ok(Response::new(Bytes::new()))),
            Err(Fault::Wait(milliseconds)) => Some(Err(Duration::from_millis(milliseconds))),
            Err(Fault::Error(error)) => Some(Ok(S::WIRE.error(&error))),
            Ok(value) => Some(Ok(S::WIRE.answer(&allowed.operation, &value))),
        }
    }

    fn tags(&self, arn: &str) -> Option<Tags> {
        let arn = Arn::parse(arn).filter(|arn| arn.service == S::NAME)?;
        let scope = Scope {
            partition: arn.partition.to_owned(),
            region: arn.region.to_owned(),
            account: arn.account.to_owned(),
        };
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        match states.get(&scope) {
            Some(state) => state.tags(&arn),
            None => S::default().tags(&arn),
        }
    }

    fn changes(&self) -> &Changes {
        &self.changes
    }
}

/// The account that a parameter names by an ARN or a queue's URL.
fn owner<S: Service>(members: &Map<String, Value>) -> Option<&str> {
    S::OWNERS.iter().find_map(|name| {
        let text = members.get(*name)?.as_str()?;
        let account = match Arn::parse(text) {
            Some(arn) => arn.account,
            // https://sqs.us-east-1.amazonaws.com/123456789012/name
            None if text.starts_with("http") => text.rsplit('/').nth(1)?,
            None if name.ends_with("AccountId") => text,
            None => return None,
        };
        crate::scope::is_account(account).then_some(account)
    })
}

fn milliseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
