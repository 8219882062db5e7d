//! Files for each backend say which run of this machine has looked for leases that are over, and which has seen that policies
//! are enforced: with nextest each test is a process, and one of them is enough.

use std::env;
use std::fs::{self, File, Metadata, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ledger;

const SWEPT: &str = "swept";
const ENFORCES: &str = "enforces";

/// The right to sweep for this run, which nobody else has; a sweep under way keeps it, and ends with it.
pub(super) struct Stamp(#[expect(dead_code, reason = "its lock lasts as long as it")] File);

/// Whether nobody of this run has swept there.
pub(super) fn is_needed(place: &str) -> bool {
    !is_noted(place, SWEPT)
}

/// Takes the right to sweep; none where a sibling has it, or had it.
pub(super) fn take(place: &str) -> Option<Stamp> {
    paths(place, SWEPT).find_map(|path| stamp(&path).ok()).flatten()
}

/// Whether a process of this run has seen that policies are enforced there. Only what nextest says of a run is good enough for
/// that: between two programs that one shell starts, an emulator may have been started anew.
pub(crate) fn enforces(place: &str) -> bool {
    env::var_os(NEXTEST).is_some() && is_noted(place, ENFORCES)
}

/// Notes for the other processes of the run that policies are enforced there.
pub(crate) fn note_enforces(place: &str) {
    let note = |path: PathBuf| {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, run())
    };
    // Where it cannot be noted, each process looks for itself.
    let _ = paths(place, ENFORCES).find_map(|path| note(path).ok());
}

fn is_noted(place: &str, extension: &str) -> bool {
    paths(place, extension).any(|path| File::open(path).is_ok_and(|mut file| is_of_this_run(&mut file)))
}

fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
        remove_old(folder)?;
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
    let mut swept_by = String::new();
    // What cannot be read was not written by us.
    file.metadata().is_ok_and(|file| is_recent(&file))
        && file.read_to_string(&mut swept_by).is_ok()
        && swept_by == run()
}

/// Processes get the ids of earlier ones, in a container soon.
fn is_recent(file: &Metadata) -> bool {
    const LONGEST_RUN: Duration = Duration::from_hours(6);
    let age = file.modified().map(|modified| modified.elapsed().unwrap_or_default());
    age.is_ok_and(|age| age < LONGEST_RUN)
}

/// Emulators come at many ports.
fn remove_old(folder: &Path) -> io::Result<()> {
    for file in fs::read_dir(folder)?.flatten() {
        let is_stamp =
            file.path().extension().is_some_and(|extension| extension == SWEPT || extension == ENFORCES);
        if is_stamp && file.metadata().is_ok_and(|file| !is_recent(&file)) {
            // A sibling may have been faster.
            let _ = fs::remove_file(file.path());
        }
    }
    Ok(())
}

/// In the ledgers' folders.
fn paths(place: &str, extension: &str) -> impl Iterator<Item = PathBuf> {
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    let name = format!("{:016x}.{extension}", hasher.finish());
    ledger::folders().map(move |folder| folder.join(&name))
}

/// The variable by which nextest tells its runs apart.
const NEXTEST: &str = "NEXTEST_RUN_ID";

/// What the processes of one run have in common: nextest says so itself, and `cargo test` has started them all.
fn run() -> String {
    env::var(NEXTEST).unwrap_or_else(|_| format!("started by {}", parent()))
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

#[cfg(test)]
mod tests {
    use std::env::temp_dir;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_run_takes_a_stamp_once_and_one_of_long_ago_is_none() {
        let folder = temp_dir().join(format!("iam-fixture-stamp-{}", std::process::id()));
        let path = folder.join("a.swept");
        let held = stamp(&path).unwrap();
        assert!(held.is_some());
        assert!(stamp(&path).unwrap().is_none(), "it is held");
        drop(held);
        assert!(stamp(&path).unwrap().is_none(), "it was of this run");
        fs::write(&path, "of another").unwrap();
        assert!(stamp(&path).unwrap().is_some());

        let old = SystemTime::now().checked_sub(Duration::from_hours(7)).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        fs::write(folder.join("b.swept"), run()).unwrap();
        assert!(stamp(&folder.join("b.swept")).unwrap().is_none());
        assert!(!path.exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
