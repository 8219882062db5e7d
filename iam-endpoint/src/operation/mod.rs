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

use std::sync::LazyLock;

use iam_policy::records;

use crate::sorted::Sorted;

pub(crate) use route::Route;
use service::Head;
pub(crate) use service::{Operation, Service};

static TABLE: &str = include_str!("../../data/operations.txt");

/// Where things are in the table.
struct Index {
    /// By id.
    services: Vec<Service>,
    by_signing_name: Sorted<Vec<Service>>,
    by_target: Sorted<Vec<Service>>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    static HEADS: LazyLock<Vec<Head>> = LazyLock::new(|| {
        let mut heads = Vec::new();
        for block in records::all(TABLE, '#') {
            heads.push(Head::read(block));
        }
        heads
    });
    let mut services = Vec::with_capacity(HEADS.len());
    let (mut by_signing_name, mut by_target) = (Sorted::new(), Sorted::new());
    for head in &*HEADS {
        let service = Service::new(head);
        services.push(service);
        by_signing_name.entry(service.signing(), Vec::new).push(service);
        if let Some(target) = service.target() {
            by_target.entry(target, Vec::new).push(service);
        }
    }
    Index { services, by_signing_name, by_target }
});

/// The services that the endpoint keeps itself, of which every test calls some. Most tests call no other: they never need
/// the index, which in a debug build takes milliseconds.
const OWN: [&str; 3] = ["iam", "s3", "sts"];

fn own(id: &str) -> Option<Service> {
    static HEADS: LazyLock<[Option<Head>; 3]> =
        LazyLock::new(|| OWN.map(|id| records::find(TABLE, '#', id).map(Head::read)));
    let at = OWN.iter().position(|own| *own == id)?;
    HEADS.get(at)?.as_ref().map(Service::new)
}

/// All services, by id.
pub(crate) fn services() -> &'static [Service] {
    &INDEX.services
}

/// The service of this id, botocore's name of it: `stepfunctions`.
pub(crate) fn by_id(id: &str) -> Option<Service> {
    own(id).or_else(|| services().get(place_of(id)?).copied())
}

fn place_of(id: &str) -> Option<usize> {
    services().binary_search_by(|service| service.id().cmp(id)).ok()
}

/// The service of queries (`Action=…`) that are signed for this name, where that is known without looking at all others:
/// `iam` is also what AWS signs for something that takes no queries.
pub(crate) fn queried_as(signing_name: &str) -> Option<Service> {
    own(signing_name).filter(|service| service.id() != "s3")
}

/// The services whose requests are signed for this name, by id: `ses` is of three.
pub(crate) fn signed_by(name: &str) -> &'static [Service] {
    INDEX.by_signing_name.get(name).map_or(&[], Vec::as_slice)
}

/// The services with this before the dot in `X-Amz-Target`.
pub(crate) fn of_target(prefix: &str) -> &'static [Service] {
    INDEX.by_target.get(prefix).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
