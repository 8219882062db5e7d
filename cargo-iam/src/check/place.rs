//! Where a label stands, as editors and code scanners count.

use iam_policy::{Label, Location};

/// A label's file, and where it begins and ends there: lines and columns from 1, columns in characters, the end exclusive.
pub(super) struct Place<'l> {
    pub(super) file: &'l str,
    pub(super) start: Location,
    pub(super) end: Location,
}

impl<'l> Place<'l> {
    pub(super) fn of(label: &'l Label) -> Place<'l> {
        let location = |offset| label.source.location(offset);
        Place { file: label.source.name(), start: location(label.span.start), end: location(label.span.end) }
    }
}
