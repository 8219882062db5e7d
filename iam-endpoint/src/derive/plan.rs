//! An operation's checks and keys, read when the first request for it comes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::grammar::{self, Checks, Key, Wrong};
use super::place::Places;
use crate::operation::{Operation, Service};

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
    type Plans = HashMap<(&'static str, &'static str), Arc<Plan>>;
    static PLANS: RwLock<Option<Plans>> = RwLock::new(None);
    let name = (service.id(), operation.name());
    let known = PLANS
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .as_ref()
        .and_then(|plans| plans.get(&name).cloned());
    if let Some(plan) = known {
        return Ok(plan);
    }
    let own = service.prefix().unwrap_or_default();
    let (checks, keys) = (grammar::checks(operation.checks(), own)?, grammar::keys(operation.keys())?);
    let plan = Arc::new(Plan { places: Places::of(&checks), checks, keys });
    let mut plans = PLANS.write().unwrap_or_else(PoisonError::into_inner);
    plans.get_or_insert_default().insert(name, Arc::clone(&plan));
    Ok(plan)
}
