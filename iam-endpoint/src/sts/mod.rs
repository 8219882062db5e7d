//! STS: temporary credentials, and who a caller is.
//!
//! ```text
//! operation ─► assume_role                           ─► role     the role of a session
//! the table    web_identity (token,
//!                key_set)         ─┐
//!              saml (assertion)     ─┴► vouched      ─► session  what all credentials are made of
//!              federation                            ─► mfa      one-time passwords
//! ```
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html>

mod assertion;
mod assume_role;
mod federation;
#[cfg(feature = "aws-lc")]
mod key_set;
mod mfa;
mod operation;
mod role;
mod saml;
mod session;
mod token;
mod vouched;
mod web_identity;

#[cfg(feature = "aws-lc")]
pub use key_set::InvalidKeys;
#[cfg(feature = "aws-lc")]
pub(crate) use key_set::KeySets;
pub(crate) use operation::handle;
