//! How the commands that answer one question write their answer.

/// For people or for programs; `check` has formats of its own.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
}
