//! Every service, action, resource type and condition key of AWS's Service Authorization Reference.
//!
//! ```text
//! Service ─┬─ Action ── ActionResource ── ResourceType     which actions there are, on what they act
//!          ├─ ResourceType                                 which ARNs there are
//!          └─ ConditionKey                                 what a condition may ask
//! ```
//!
//! ```
//! use iam_policy::catalogue::{self, AccessLevel};
//!
//! let action = catalogue::action("s3:listbucket").expect("actions have no case");
//! assert_eq!(action.to_string(), "s3:ListBucket");
//! assert_eq!(action.access_level(), AccessLevel::List);
//! assert!(action.resources().any(|on| on.resource_type().name() == "bucket"));
//! ```
//!
//! The data is one text (`data/generate.py` writes it and says what is in it). Nothing parses it as a whole: one pass
//! finds where each service begins, and its types are views of their own line in it, `Copy`, and read when asked.
//!
//! Global condition keys (`aws:SourceIp`) apply to all services. The Reference lists only the three about tags, with the
//! services that support them.
//!
//! See <https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html>.

mod action;
mod condition_key;
mod overlap;
mod resource_type;
mod service;

use std::sync::OnceLock;

use crate::near::near;
use crate::order;
use crate::records;
use overlap::overlap;

pub use action::{AccessLevel, Action, ActionResource};
pub use condition_key::{ConditionKey, ValueType};
pub use resource_type::ResourceType;
pub use service::Service;

static CATALOGUE: &str = include_str!("../data/catalogue.txt");

/// The blocks of the services, by prefix, after the one without a prefix that tells of names elsewhere.
fn blocks() -> &'static [&'static str] {
    // Their sizes differ so much that a binary search in the text itself reads more than this one pass does.
    static BLOCKS: OnceLock<Vec<&str>> = OnceLock::new();
    BLOCKS.get_or_init(|| records::all(CATALOGUE, '#').collect())
}

/// All services, by prefix.
pub fn services() -> impl Iterator<Item = Service> {
    blocks().get(1..).unwrap_or_default().iter().map(|block| Service::new(block))
}

/// The service of this prefix, the part of an action before the colon. It has no case.
#[must_use]
pub fn service(prefix: &str) -> Option<Service> {
    let prefix = prefix.to_ascii_lowercase();
    let found = blocks().binary_search_by(|block| records::name_of(block).cmp(&prefix)).ok()?;
    blocks().get(found).filter(|_| !prefix.is_empty()).copied().map(Service::new)
}

/// The action of this name: `s3:GetObject`. It has no case.
#[must_use]
pub fn action(name: &str) -> Option<Action> {
    let (prefix, name) = name.split_once(':')?;
    service(prefix)?.action(name)
}

/// The actions that a pattern of a policy reaches: `s3:Get*`, `*`.
///
/// The prefix is a service's or `*`, as in a policy.
///
/// # Examples
///
/// ```
/// use iam_policy::catalogue;
///
/// let actions: Vec<String> = catalogue::expand("sqs:*Message").map(|action| action.to_string()).collect();
/// assert_eq!(actions, ["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"]);
/// ```
pub fn expand(pattern: &str) -> impl Iterator<Item = Action> + use<> {
    let (prefix, name) = pattern.split_once(':').unwrap_or((pattern, if pattern == "*" { "*" } else { "" }));
    let mut actions = Vec::new();
    if prefix == "*" {
        services().for_each(|service| service.expand(name, &mut actions));
    } else if let Some(service) = service(prefix) {
        service.expand(name, &mut actions);
    }
    actions.into_iter()
}

/// The resource types that an ARN may be of; the ARN may have wildcards and policy variables, as in a policy.
///
/// Many services list a type of another one (Systems Manager has S3's buckets): such a type counts only where the service
/// that the ARN names has none of that format.
///
/// # Examples
///
/// ```
/// use iam_policy::catalogue;
///
/// let types = |arn| catalogue::resource_types(arn).iter().map(|of| of.name()).collect::<Vec<_>>();
/// assert_eq!(types("arn:aws:s3:::dashboard"), ["bucket"]);
/// assert_eq!(types("arn:aws:s3:::dashboard/*"), ["object"]);
/// assert_eq!(types("arn:aws:s3:::dashboard*"), ["bucket", "object"]);
/// ```
#[must_use]
pub fn resource_types(arn: &str) -> Vec<ResourceType> {
    let arn = resource_type::in_six_parts(arn);
    let segment = arn.split(':').nth(2).unwrap_or("*");
    let of = |services: Vec<Service>| {
        let mut types = Vec::new();
        for service in services {
            types.extend(service.resource_types().filter(|of| of.matches(&arn)));
        }
        types
    };
    if segment.contains(['*', '?']) {
        return of(services().collect());
    }
    let own = service(segment).map_or_else(Vec::new, |service| of(vec![service]));
    if own.is_empty() { of(elsewhere("n ", segment)) } else { own }
}

/// The condition key of this name, of whatever service: `s3:prefix`, `ec2:ResourceTag/Team`. It has no case.
///
/// # Examples
///
/// ```
/// use iam_policy::catalogue::{self, ValueType};
///
/// let key = catalogue::condition_key("ec2:resourcetag/Team").expect("EC2 has it");
/// assert_eq!(key.name(), "ec2:ResourceTag/${TagKey}");
/// assert_eq!(key.value_type(), ValueType::String);
/// ```
#[must_use]
pub fn condition_key(name: &str) -> Option<ConditionKey> {
    let (prefix, _) = name.split_once(':')?;
    let own = service(prefix).and_then(|service| service.condition_key(name));
    own.or_else(|| elsewhere("k ", prefix).into_iter().find_map(|service| service.condition_key(name)))
}

/// Prefixes of services that look like this one, best first.
#[must_use]
pub fn near_services(prefix: &str) -> Vec<&'static str> {
    near(prefix, services().map(Service::prefix))
}

/// Condition keys that look like this one, best first.
///
/// # Examples
///
/// ```
/// assert_eq!(iam_policy::catalogue::near_condition_keys("s3:prefx"), ["s3:prefix"]);
/// ```
#[must_use]
pub fn near_condition_keys(name: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for service in services() {
        service.condition_keys().for_each(|key| order::add(&mut names, key.name()));
    }
    near(name, names)
}

/// Services that have things under a name that is not their prefix: condition keys (`k `), or segments of ARNs (`n `).
fn elsewhere(kind: &str, name: &str) -> Vec<Service> {
    let name = name.to_ascii_lowercase();
    let mut found = Vec::new();
    for line in records::all(blocks().first().copied().unwrap_or_default(), '\n') {
        let other = records::name_of(line).strip_prefix(kind);
        if other.is_some_and(|other| overlap(&name, &other.to_ascii_lowercase(), None)) {
            records::field(line, 1).split(' ').for_each(|prefix| found.extend(service(prefix)));
        }
    }
    found
}

#[cfg(test)]
mod tests;
