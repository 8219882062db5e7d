//! How requests and answers are written, in each of AWS's protocols.
//!
//! ```text
//!  request line   headers   query   body (whole, or as it comes)      coming in
//!     └──────────────┴────────┴──────┬──┘
//!                                  input: one tree for JSON, XML, forms and CBOR, `tame` within bounds
//!  protocol: errors as each words them   xml, digits: answers         going out
//! ```

pub(crate) mod body;
pub(crate) mod digits;
pub(crate) mod headers;
pub(crate) mod input;
pub(crate) mod protocol;
pub(crate) mod query;
pub(crate) mod request;
pub(crate) mod tame;
pub(crate) mod xml;
