use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

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
    /// Whether its test has failed.
    failed: AtomicBool,
    /// Once it has been created.
    pub(super) role_arn: OnceLock<String>,
}

impl Lease {
    pub(crate) fn new(connection: Arc<Connection>, plan: Plan) -> Arc<Lease> {
        let lease = Arc::new(Lease {
            connection,
            plan,
            made: Mutex::default(),
            ending: AtomicBool::default(),
            failed: AtomicBool::default(),
            role_arn: OnceLock::new(),
        });
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

    /// The role's test has failed.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Removes what was made, or keeps it, once; whoever comes later waits for that, and finds nothing left to do.
    ///
    /// # Errors
    ///
    /// Names what is left and the commands that remove it by hand.
    pub(crate) async fn end(&self) -> Result<(), Error> {
        self.ending.store(true, Ordering::Release);
        let mut made = self.made.lock().await;
        if self.plan.keep.is_kept(self.failed.load(Ordering::Acquire)) {
            self.keep(&mut made);
        }
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

    /// Takes what is kept off the stack, and out of the ledger: a later run is not to remove it before its lease is over.
    fn keep(&self, made: &mut Vec<Thing>) {
        // What stands among the administrator's own policies does not belong to the role.
        let (left, kept): (Vec<_>, Vec<_>) =
            made.drain(..).partition(|thing| matches!(thing, Thing::Grant { .. }));
        *made = left;
        let Some(place) = self.connection.outliving() else { return };
        for thing in &kept {
            place.removed(thing);
        }
        if kept.iter().any(|thing| matches!(thing, Thing::Role { .. })) {
            let _ = writeln!(std::io::stderr(), "iam-fixture: {}", self.sign_in());
        }
    }

    /// How to sign in as the role.
    fn sign_in(&self) -> String {
        let Plan { name, session, .. } = &self.plan;
        let role = self.role_arn.get().map_or(name.as_str(), String::as_str);
        let option = self.connection.command_line_option();
        let console = self.connection.console().map_or_else(String::new, |console| {
            let Connection { account, .. } = &*self.connection;
            let (_, with_path) = role.split_once(":role/").unwrap_or(("", name));
            format!("\n  {console}/switchrole?account={account}&roleName={with_path}&displayName={name}")
        });
        format!(
            "role `{name}` is kept until a sweep finds its lease over; sign in as it:\n  \
             aws sts assume-role --role-arn {role} --role-session-name {}{option}{console}",
            session.name
        )
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
            if thread::panicking() {
                self.0.fail();
            }
            let lease = self.0.clone();
            self.0.connection.start(Box::pin(async move { lease.end_or_print().await }));
        }
    }
}
