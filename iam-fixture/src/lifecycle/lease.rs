use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Mutex;

use super::Plan;
use super::remove::{Thing, remove};
use crate::backend::Connection;
use crate::error::Error;

/// One role's claim on the backend: what was made for it and is still to be removed.
pub(crate) struct Lease {
    pub(crate) connection: Arc<Connection>,
    pub(crate) plan: Plan,
    /// In the order of making. Locked while the role is being made, so that a removal waits for a creation under way
    /// instead of overtaking it.
    made: Mutex<Vec<Thing>>,
    ending: AtomicBool,
}

impl Lease {
    pub(crate) fn new(connection: Arc<Connection>, plan: Plan) -> Arc<Lease> {
        let lease =
            Arc::new(Lease { connection, plan, made: Mutex::default(), ending: AtomicBool::new(false) });
        if let Some(place) = lease.connection.outliving() {
            place.began(&lease);
        }
        lease
    }

    pub(crate) fn made(&self) -> &Mutex<Vec<Thing>> {
        &self.made
    }

    /// Whether nobody wants the role any more: a creation under way need not go on.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Removes what was made, once; whoever comes later waits for that, and finds nothing left to do.
    ///
    /// # Errors
    ///
    /// Names what is left and the commands that remove it by hand.
    pub(crate) async fn end(&self) -> Result<(), Error> {
        self.ending.store(true, Ordering::Release);
        let mut made = self.made.lock().await;
        let outcome = self.unwind(&mut made).await;
        // What could not be removed stays in the ledger for a later run; trying again at once would fail again.
        made.clear();
        if let Some(place) = self.connection.outliving() {
            place.ended(self);
        }
        outcome
    }

    /// As [`end`](Self::end), for where no caller can be told: a test never fails because of its clean-up.
    pub(crate) async fn end_or_print(&self) {
        if let Err(error) = self.end().await {
            // `eprintln!` would be captured into whichever test happens to run here.
            let _ = writeln!(std::io::stderr(), "iam-fixture: {error}");
        }
    }

    /// Takes things off the stack until it is empty or one cannot be removed.
    pub(super) async fn unwind(&self, made: &mut Vec<Thing>) -> Result<(), Error> {
        while let Some(thing) = made.last() {
            remove(&self.connection, thing).await.map_err(|error| self.left_behind(made, error))?;
            made.pop();
        }
        Ok(())
    }

    fn left_behind(&self, made: &[Thing], error: Error) -> Error {
        let option = self.connection.command_line_option();
        made.iter().rev().fold(
            error.note(format!("role `{}` is left behind; remove it by hand:", self.plan.name)),
            |error, thing| error.note(format!("  aws iam {}{option}", thing.removal())),
        )
    }
}

/// Ends the lease when the last role value goes, if nobody has before: a task dropped, a timeout, a runtime shut down.
pub(crate) struct Guard(pub(crate) Arc<Lease>);

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.0.is_ending() {
            let lease = self.0.clone();
            self.0.connection.start(Box::pin(async move { lease.end_or_print().await }));
        }
    }
}
