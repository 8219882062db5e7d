//! An operation's checks and keys, read when the first request for it comes.

use std::sync::{Arc, PoisonError, RwLock};

use super::grammar::{self, Checks, Key, Wrong};
use super::place::Places;
use crate::operation::{Operation, Service};
use crate::sorted::Sorted;

/// What the tables say of an operation.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) checks: Checks<'static>,
    pub(crate) keys: Vec<Key<'static>>,
    pub(crate) places: Places,
}

/// The plan of an operation of a service.
pub(crate) fn plan(service: Service, operation: Operation) -> Result<Arc<Plan>, Wrong> {
    /// By service and operation.
    static PLANS: RwLock<Sorted<Arc<Plan>>> = RwLock::new(Sorted::new());
    let name = [service.id(), ":", operation.name()].concat();
    if let Some(plan) = PLANS.read().unwrap_or_else(PoisonError::into_inner).get(&name) {
        return Ok(Arc::clone(plan));
    }
    let own = service.prefix().unwrap_or_default();
    let (checks, keys) = (grammar::checks(operation.checks(), own)?, grammar::keys(operation.keys())?);
    let plan = Arc::new(Plan { places: Places::of(&checks), checks, keys });
    PLANS.write().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::clone(&plan));
    Ok(plan)
}
