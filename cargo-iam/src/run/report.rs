//! What the embedded endpoint decided for the command.

use std::io::{self, Write as _};
use std::sync::Arc;

use iam_fixture::{Event, Outcome};
use terminal_size::{Width, terminal_size_of};

use crate::paint;
use crate::serve;

/// Tells of each call that was not answered; nothing where all was, or where nobody knows.
pub(super) fn tell(calls: &[Arc<Event>]) {
    let failed: Vec<_> = calls.iter().filter(|call| call.outcome != Outcome::Answered).collect();
    if failed.is_empty() {
        return;
    }
    let denied = failed.iter().filter(|call| call.outcome == Outcome::Denied).count();
    let width = terminal_size_of(io::stderr()).map(|(Width(width), _)| width.into());
    let mut stderr = anstream::stderr().lock();
    let summary = format!("note: of {} calls, {denied} were denied", calls.len());
    // A terminal that is gone need not be told.
    let _ = writeln!(stderr, "{}", paint::report(&summary));
    for line in failed.iter().flat_map(|call| serve::lines(call, width)) {
        let _ = writeln!(stderr, "{line}");
    }
}
