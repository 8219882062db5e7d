//! AWS Signature Version 4, from the side that checks it.
//!
//! ```text
//! presented   what the request says about its signature: header, query, or nothing
//! canonical   the request in the form that was signed
//! verify      is that the signature, made now, with this key, over this request?
//! payload     how was the body signed, and is that the one?
//! open        the same while it comes; `aws-chunked` framing comes off here
//! sign        the other side: requests that the endpoint sends on
//! hash        SHA-256 and its keyed form
//! failure     what can be wrong; `protocol` words it for each service
//! ```
//!
//! The rules are those of
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html> and, for S3,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>.

mod canonical;
mod failure;
mod hash;
mod key;
mod open;
mod payload;
mod presented;
mod sign;
#[cfg(test)]
mod suite;
mod verify;

pub(crate) use failure::{Failure, Kind};
pub(crate) use hash::sha256;
pub(crate) use key::SigningKeys;
pub(crate) use open::Opening;
pub(crate) use payload::{Payload, hash as hash_payload, open as open_payload};
pub(crate) use presented::Presented;
pub(crate) use sign::{Signer, sign};
pub(crate) use verify::{Expected, verify, verify_form};
