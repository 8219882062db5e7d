//! An AWS endpoint inside the process, which enforces IAM policies as AWS does.
//!
//! [`Endpoint::call`] takes an HTTP request as an AWS SDK signs it and gives the answer that AWS
//! would give: IAM, STS and S3 are performed with state in memory, and every call to any service is authorized by
//! [`iam_policy`] against the caller's identity policies, session policies, permissions boundary and
//! the resource's own policy. What the endpoint cannot perform or cannot judge is answered with
//! 501 and a message that names it, so that it can never be taken for a denial or for a success.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use iam_endpoint::Endpoint;
//!
//! let endpoint = Endpoint::new();
//! let request = http::Request::get("https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity")
//!     .body(bytes::Bytes::new())
//!     .unwrap();
//! let answer = endpoint.call(request).await;
//! assert_eq!(answer.status(), 403); // nobody signed it
//! # });
//! ```
//!
//! # How one request goes through
//!
//! ```text
//!  addressee        identify         iam, s3, sts              authorize         perform
//!  ─────────        ────────         ────────────              ─────────         ───────
//!  which service, ► who signed it? ► what is kept here:      ► may the caller  ► whoever keeps the service;
//!  in which         else the         which operation, on       do that? else     else 501
//!  protocol?        service's own    what, with which keys     AWS's sentence    `AuthorizedNotPerformed`
//!                   error            mapped
//!                                    all else: `input` read,
//!                                    `derive`d by the table
//!                                    of every `operation`
//! ```
//!
//! `forward` is what a service asks of KMS in its caller's name, and `delivery` the performing service does in its own name afterwards: a message to a topic goes on to queues.
//! `weather` may stand between: throttling, failures, answers that are lost, roles that are not known everywhere yet.
//! `protocol` knows how each AWS protocol words an error, `call` holds one request's facts, and
//! `endpoint` what an endpoint keeps between requests.

mod addressee;
mod alike;
mod analyzer;
mod authorize;
mod body;
mod call;
mod caller;
mod clock;
mod credentials;
mod delivery;
mod derive;
mod digits;
mod ec2;
mod endpoint;
mod fault;
mod forward;
mod headers;
mod host;
mod iam;
mod identify;
mod input;
mod journal;
mod mapped;
mod operation;
mod organization;
mod perform;
mod protocol;
mod query;
mod request;
mod resource_policy;
#[cfg(any(feature = "server", feature = "upstream"))]
mod runtime;
mod s3;
#[cfg(feature = "server")]
mod server;
mod service;
mod sigv4;
mod sorted;
mod sts;
mod table;
mod tame;
mod told;
#[cfg(feature = "server")]
mod upload;
#[cfg(feature = "upstream")]
mod upstream;
pub mod weather;
mod xml;

pub use body::{Body, BodyError};
pub use credentials::Credentials;
pub use delivery::Delivery;
pub use derive::secret_suffix;
pub use endpoint::{Endpoint, EndpointBuilder};
pub use forward::{KeyRefused, KeyUse};
pub use journal::{Authorization, Event, Journal, Outcome};
pub use organization::{Organization, Target};
pub use perform::{Allowed, Perform};
#[cfg(feature = "server")]
pub use server::Server;
#[cfg(feature = "aws-lc")]
pub use sts::InvalidKeys;
pub use told::DeclarationError;
#[cfg(feature = "upstream")]
pub use upstream::{InvalidUpstream, Upstream};
