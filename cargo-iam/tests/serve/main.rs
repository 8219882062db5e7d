//! `cargo iam serve`, by itself and with the tools that it is for.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

#[path = "../common/mod.rs"]
mod common;
mod program;
mod served;
mod tools;
mod upstream;
