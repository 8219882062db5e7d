//! The policies of resources that the endpoint does not keep itself: queues, topics, keys, secrets, functions, ….
//!
//! ```text
//!  a test: Endpoint::put_resource_policy ─────────┐
//!                                                 ├─► store ─► every decision about the resource
//!  a call: SetQueueAttributes, ─► observe ─► change                 grant: what KMS's grants add
//!          AddPermission, …       the table
//! ```

mod grant;
mod observe;
mod store;

pub(crate) use observe::{Change, observe, resolve_aliases};
pub(crate) use store::ResourcePolicies;
