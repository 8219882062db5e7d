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
//! Each column is a room: `authorize` has what besides identity policies decides, an organization's and the resources' own;
//! `perform` what a service does in others' names, to keys and to whom it delivers; `wire` how all of it is written.
//! `weather` may stand between: throttling, failures, answers that are lost, roles that are not known everywhere yet.
//! `call` holds one request's facts, `service` leads it through, and `endpoint` is what an endpoint keeps between requests.

mod addressee;
mod analyzer;
mod authorize;
mod call;
mod clock;
mod derive;
mod ec2;
mod endpoint;
mod fault;
mod iam;
mod identify;
mod journal;
mod mapped;
mod operation;
mod perform;
#[cfg(any(feature = "server", feature = "upstream"))]
mod runtime;
mod s3;
#[cfg(feature = "server")]
mod server;
mod service;
mod sorted;
mod sts;
mod table;
pub mod weather;
mod wire;

pub use authorize::organization::{Organization, Target};
pub use authorize::told::DeclarationError;
pub use derive::secret_suffix;
pub use endpoint::{Endpoint, EndpointBuilder};
pub use identify::credentials::Credentials;
pub use journal::{Authorization, Event, Journal, Outcome};
pub use perform::delivery::Delivery;
pub use perform::forward::{KeyRefused, KeyUse};
#[cfg(feature = "upstream")]
pub use perform::upstream::{InvalidUpstream, Upstream};
pub use perform::{Allowed, Perform};
#[cfg(feature = "server")]
pub use server::Server;
#[cfg(feature = "aws-lc")]
pub use sts::InvalidKeys;
pub use wire::body::{Body, BodyError};
