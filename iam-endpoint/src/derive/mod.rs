//! From a request to the questions that AWS would ask: which actions, on which resources, with which condition keys.
//!
//! ```text
//!  the table's text        one request
//!  ────────────────        ───────────
//!  grammar: checks, keys   scope: input, account, region     the values that a text gives for a request
//!             └──────┬───────┘      └ function               shapes that are no plain member
//!                question                                    actions on resources, roles that are passed
//!                    └ arn, tags                             formats of ARNs, forms of tags
//!                    key                                     what is in the context, what is absent, what unknown
//! ```

mod arn;
mod dynamodb;
mod function;
mod grammar;
mod key;
mod question;
mod scope;
mod tags;
#[cfg(test)]
mod tests;

pub(crate) use arn::variables;
pub(crate) use dynamodb::partition_key_of_new;
pub(crate) use grammar::{Checks, checks, keys};
pub(crate) use key::Keys;
pub(crate) use question::{Question, questions, resource_type};
pub(crate) use scope::Scope;
