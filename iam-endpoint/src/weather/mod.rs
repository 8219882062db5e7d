//! Bad weather: an endpoint that behaves as badly as AWS does, for tests of what has to bear it.
//!
//! ```
//! use iam_endpoint::Endpoint;
//! use iam_endpoint::weather::{Mishap, Propagation, Weather};
//!
//! let weather = Weather::new(7)
//!     .propagation(Propagation::default()) // what IAM accepts is known elsewhere 2 s later, rarely after a minute
//!     .throttle("iam:*", 5.0, 10) // ten calls at once, then five a second
//!     .chance("*", Mishap::Unavailable, 0.01)
//!     .nth("iam:CreateRole", 1, Mishap::AnswerLost);
//! let endpoint = Endpoint::builder().weather(weather).build();
//! # let _ = endpoint;
//! ```
//!
//! The same seed gives the same weather for the same calls. Time is the endpoint's clock: with
//! [`EndpointBuilder::clock`](crate::EndpointBuilder::clock) it is virtual, and nothing here ever sleeps.
//!
//! ```text
//! forecast      Weather, Mishap: what is to come
//! sky           what it is now: which call meets which mishap, and which server of its service
//! bucket        the tokens of a throttle
//! propagation   which server knows which version of a role, and which session's key
//! ```

mod bucket;
mod forecast;
mod propagation;
mod sky;

pub use forecast::{Mishap, Weather};
pub use propagation::Propagation;
pub use sky::is_lost;

pub(crate) use propagation::Server;
pub(crate) use sky::{Interrupted, Sky};
