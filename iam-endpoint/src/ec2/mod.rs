//! What is EC2's own: its encoded denials, dry runs, and the list of regions.

mod denial;
mod regions;

pub(crate) use denial::{decode, encode};
pub(crate) use regions::describe as describe_regions;
