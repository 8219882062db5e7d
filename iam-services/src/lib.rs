//! AWS services in memory, for the operations that an [`iam_endpoint::Endpoint`] authorizes.
//!
//! ```
//! let endpoint = iam_endpoint::Endpoint::builder().perform(iam_services::Services::new()).build();
//! ```
//!
//! Each cargo feature is one service; each [`Services`] has state of its own, apart for every account and region. What a
//! service performs, it performs as AWS documents it, errors included; an operation, or a way of calling one, that it does
//! not know is left to the next performer, and in the end to the endpoint's `501 AuthorizedNotPerformed`.
//!
//! # How it fits together
//!
//! ```text
//!  services     kept                     one folder a service
//!  ────────     ────                     ────────────────────
//!  Services ──► the state of the     ──► operation(name) ──► fn(&mut State, &Ask) ──► Value or Fault
//!  which one?   account and region,
//!               `wire` reads the         `input`: the parameters, checked where they are taken
//!               request and writes       `fault`: an error in the service's own terms
//!               the answer               `page`, `tags`, `ids`, `scope`: what services share
//!                                        `outbox`: what a service sends to others in its own name, `filter`: to whom
//! ```
//!
//! A service is a table from operation names to functions over its state, which begin with nothing and cost nothing until
//! they are called. None holds a lock longer than one call takes, and none looks at more of its state than the call is about.

#![cfg_attr(
    not(all(
        feature = "dynamodb",
        feature = "eventbridge",
        feature = "kms",
        feature = "lambda",
        feature = "logs",
        feature = "secretsmanager",
        feature = "sns",
        feature = "sqs",
        feature = "ssm"
    )),
    allow(dead_code, unused_imports, reason = "what services share, some of them do not need")
)]

mod calendar;
#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "eventbridge")]
mod eventbridge;
mod fault;
#[cfg(any(feature = "eventbridge", feature = "sns"))]
mod filter;
mod ids;
mod input;
mod kept;
#[cfg(feature = "kms")]
mod kms;
#[cfg(feature = "lambda")]
mod lambda;
#[cfg(feature = "logs")]
mod logs;
#[cfg(any(feature = "eventbridge", feature = "sns"))]
mod outbox;
mod page;
mod scope;
#[cfg(feature = "secretsmanager")]
mod secretsmanager;
mod services;
#[cfg(feature = "sns")]
mod sns;
#[cfg(feature = "sqs")]
mod sqs;
#[cfg(feature = "ssm")]
mod ssm;
mod tags;
mod wait;
mod wire;

pub use services::Services;
