//! A file for each backend says which run of this machine has looked for leases that are over: with nextest each test is a
//! process, and one of them is enough.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ledger;

/// The right to sweep for this run, which nobody else has; a sweep under way keeps it, and ends with it.
pub(super) struct Stamp(#[expect(dead_code, reason = "its lock lasts as long as it")] File);

/// Whether nobody of this run has swept there.
pub(super) fn is_needed(place: &str) -> bool {
    !paths(place).any(|path| File::open(path).is_ok_and(|mut file| is_of_this_run(&mut file)))
}

/// Takes the right to sweep; none where a sibling has it, or had it.
pub(super) fn take(place: &str) -> Option<Stamp> {
    paths(place).find_map(|path| stamp(&path).ok()).flatten()
}

fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    if is_of_this_run(&mut file) {
        return Ok(None);
    }
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(run().as_bytes())?;
    Ok(Some(Stamp(file)))
}

fn is_of_this_run(file: &mut File) -> bool {
    /// Processes get the ids of earlier ones, in a container soon.
    const LONGEST_RUN: Duration = Duration::from_hours(6);
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    let is_recent =
        modified.is_ok_and(|modified| modified.elapsed().map_or(true, |elapsed| elapsed < LONGEST_RUN));
    let mut swept_by = String::new();
    // What cannot be read was not written by us.
    is_recent && file.read_to_string(&mut swept_by).is_ok() && swept_by == run()
}

/// In the ledgers' folders.
fn paths(place: &str) -> impl Iterator<Item = PathBuf> {
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    let name = format!("{:016x}.swept", hasher.finish());
    ledger::folders().map(move |folder| folder.join(&name))
}

/// What the processes of one run have in common: nextest says so itself, and `cargo test` has started them all.
fn run() -> String {
    env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| format!("started by {}", parent()))
}

#[cfg(unix)]
fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

/// A run of its own, where the system does not tell.
#[cfg(not(unix))]
fn parent() -> u32 {
    std::process::id()
}
