//! Removes what dead processes left behind: those of this machine by the ledgers that they left too, all others by the leases
//! in their paths.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ledger, stamp, tell};
use crate::backend::Connection;
use crate::error::Error;
use crate::sweep::{Sweep, remove_orphan};

/// `backend` is what ledgers call it, and `stamp` what the run's stamp does.
pub(super) async fn sweep(connection: Arc<Connection>, backend: String, stamp: String) {
    for path in ledgers() {
        if let Some((mut file, text)) = of_the_dead(&path) {
            finish(&connection, &backend, &path, &mut file, &text).await;
        }
    }
    if let Some(_stamp) = stamp::take(&stamp)
        && let Err(error) = leases(connection).await
    {
        tell(format_args!("what other runs left is not looked for: {error}"));
    }
}

/// Whether some process has died without removing what it made, or nobody of this run has looked for leases yet.
pub(crate) fn is_needed(stamp: &str) -> bool {
    stamp::is_needed(stamp) || ledgers().any(|path| of_the_dead(&path).is_some())
}

/// Of any machine.
async fn leases(connection: Arc<Connection>) -> Result<(), Error> {
    let sweep = Sweep::of(connection)?;
    for orphan in sweep.find().await?.orphans() {
        if let Err(error) = sweep.remove(orphan).await {
            tell(format_args!("{orphan}, whose lease is over, could not be removed: {error}"));
        }
    }
    Ok(())
}

fn ledgers() -> impl Iterator<Item = PathBuf> {
    let files = ledger::folders().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let paths = files.flatten().map(|file| file.path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == ledger::EXTENSION))
}

/// The ledger with its lock, if its process is dead.
fn of_the_dead(path: &Path) -> Option<(File, String)> {
    let mut file = OpenOptions::new().read(true).append(true).open(path).ok()?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return None,
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    Some((file, text))
}

async fn finish(connection: &Connection, backend: &str, path: &Path, file: &mut File, text: &str) {
    let mut left = ledger::left(text);
    let mut others = Vec::new();
    // A role goes before the boundary that it was made after.
    while let Some(entry) = left.pop() {
        if entry.backend != backend {
            others.push(entry);
            continue;
        }
        match remove_orphan(connection, &entry.thing).await {
            Ok(()) => {
                let _ = ledger::strike(file, &entry);
            }
            Err(error) => {
                tell(format_args!("what an earlier run left could not be removed: {error}"));
                others.push(entry);
            }
        }
    }
    if others.is_empty() {
        let _ = fs::remove_file(path);
    }
}
