//! STS: sessions of roles, and who a caller is.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html>

mod assume_role;
mod operation;

pub(crate) use operation::handle;
