//! STS: temporary credentials, and who a caller is.
//!
//! ```text
//! operation ─► assume_role, web_identity (token) ─► role     the role of a session
//! the table    federation                        ─► session  what all credentials are made of
//! ```
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html>

mod assume_role;
mod federation;
mod operation;
mod role;
mod session;
mod token;
mod web_identity;

pub(crate) use operation::handle;
