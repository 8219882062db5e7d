//! From a request to the questions that AWS would ask: which actions, on which resources, with which condition keys.
//!
//! ```text
//!  the table's text        one request
//!  ────────────────        ───────────
//!  plan: read once by
//!  grammar: checks, keys   scope: input, account, region     the values that a text gives for a request
//!             └──────┬───────┘      └ function, name         shapes that are no plain member, names that stand for ARNs
//!                question                                    actions on resources, roles that are passed
//!                    └ arn, tags, resource                   formats of ARNs, forms of tags, an ARN's parts
//!                    key                                     what is in the context, what is absent, what unknown
//!                    └ place                                 which resources a key is about
//! ```

mod arn;
mod dynamodb;
mod function;
mod grammar;
mod key;
mod name;
mod place;
mod plan;
mod question;
mod resource;
mod scope;
mod tags;
#[cfg(test)]
mod tests;

pub use function::secret_suffix;

pub(crate) use dynamodb::partition_key_of_new;
pub(crate) use grammar::{Checks, checks, did_you_mean};
pub(crate) use key::{Keys, resource_tag_keys};
pub(crate) use place::Places;
pub(crate) use plan::plan;
pub(crate) use question::{Question, questions};
pub(crate) use resource::Resource;
pub(crate) use scope::{Focus, Scope};
