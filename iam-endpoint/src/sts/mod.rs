//! STS: temporary credentials, and who a caller is.
//!
//! ```text
//! operation ─► assume_role                           ─► role     the role of a session
//! the table    web_identity (token) ─┐
//!              saml (assertion)     ─┴► vouched      ─► session  what all credentials are made of
//!              federation                            ─► mfa      one-time passwords
//! ```
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html>

mod assertion;
mod assume_role;
mod federation;
mod mfa;
mod operation;
mod role;
mod saml;
mod session;
mod token;
mod vouched;
mod web_identity;

pub(crate) use operation::handle;
