//! S3, with buckets, objects, versions and multipart uploads in memory.
//!
//! ```text
//!  service ─► address ─► operation ──► task ────────────────► bucket, object, copy, delete, listing, multipart,
//!             bucket     the table:    asks for each action   configuration, policy, tagging
//!             and key    which one,    on its resource with   do it, in `state`
//!             from host  what it       its `conditions`
//!             and path   needs
//!                                      post: the call that a `form` and its `post_policy` stand for, the same way
//! ```
//!
//! Authorization comes before everything else that can go wrong, as in AWS: a caller who may not read learns neither
//! that a key is missing nor that a bucket is.

mod acl;
pub(crate) mod address;
mod attributes;
mod bucket;
mod checksum;
mod conditions;
mod configuration;
mod control;
mod copy;
mod delete;
mod encryption;
mod entries;
mod fault;
mod form;
mod kept;
mod listed;
mod listing;
mod lock;
mod metadata;
mod multipart;
mod object;
mod operation;
mod policy;
mod post;
mod post_policy;
mod precondition;
mod query;
mod range;
mod service;
mod state;
mod statement;
mod tagging;
mod task;
mod xml;

#[cfg(feature = "server")]
pub(crate) use checksum::Sum;
pub(crate) use control::control;
#[cfg(feature = "server")]
pub(crate) use service::operation_of;
pub(crate) use service::{Handled, handle};
pub(crate) use state::State;
pub(crate) use statement::is_public;
