//! The table of every operation of AWS's APIs: what it is called, how it is asked for, what it needs to be allowed.
//!
//! ```text
//! signed_by("dynamodb")  of_target("DynamoDB_20120810")  by_id("dynamodb")
//!                   ╲               │                   ╱
//!                    Service ── operation("GetItem"), or route(GET /tags/{arn}) of a REST service
//!                                   │
//!                               Operation ── checks(), keys(): texts for `derive` to read
//! ```
//!
//! The data is one text (`data/generate.py` writes it and says what is in it). Nothing parses it as a whole: one pass finds
//! where each service begins; services and operations are views of their own line in it, read when asked; the routes of a
//! REST service are read when the first request for it comes.

mod route;
mod service;

use std::collections::HashMap;
use std::sync::OnceLock;

use iam_policy::records;

pub(crate) use route::Route;
pub(crate) use service::{Operation, Service};

static TABLE: &str = include_str!("../../data/operations.txt");

/// Where things are in the table.
struct Index {
    /// By id.
    services: Vec<Service>,
    by_signing_name: HashMap<&'static str, Vec<Service>>,
    by_target: HashMap<&'static str, Vec<Service>>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let services: Vec<Service> =
            records::all(TABLE, '#').enumerate().map(|(at, block)| Service::new(at, block)).collect();
        let mut by_signing_name: HashMap<_, Vec<_>> = HashMap::with_capacity(services.len());
        let mut by_target: HashMap<_, Vec<_>> = HashMap::with_capacity(services.len());
        for service in &services {
            by_signing_name.entry(service.signing()).or_default().push(*service);
            if let Some(target) = service.target() {
                by_target.entry(target).or_default().push(*service);
            }
        }
        Index { services, by_signing_name, by_target }
    })
}

/// All services, by id.
pub(crate) fn services() -> &'static [Service] {
    &index().services
}

/// The service of this id, botocore's name of it: `stepfunctions`.
pub(crate) fn by_id(id: &str) -> Option<Service> {
    let services = services();
    let found = services.binary_search_by(|service| service.id().cmp(id)).ok()?;
    services.get(found).copied()
}

/// The services whose requests are signed for this name, by id: `ses` is of three.
pub(crate) fn signed_by(name: &str) -> &'static [Service] {
    index().by_signing_name.get(name).map_or(&[], Vec::as_slice)
}

/// The services with this before the dot in `X-Amz-Target`.
pub(crate) fn of_target(prefix: &str) -> &'static [Service] {
    index().by_target.get(prefix).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
