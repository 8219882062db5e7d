//! One file per process with the names of what it makes, written before it is made: SIGKILL leaves no other trace.
//!
//! The file is locked as long as the process lives, so a lock that can be had means that its owner is dead. It is
//! created under another name, locked, and then renamed: no sweep ever sees it unlocked.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::lifecycle::{Grantee, Thing};
use crate::name;

pub(super) const EXTENSION: &str = "ledger";

static OWN: Mutex<Option<Ledger>> = Mutex::new(None);

struct Ledger {
    file: File,
    path: PathBuf,
}

/// Notes that this is about to be made at the backend.
pub(crate) fn open(backend: &str, thing: &Thing) -> Result<(), Error> {
    let Some(entry) = Entry::of(backend, thing) else {
        return Ok(());
    };
    let mut own = own();
    let written = match own.as_mut() {
        Some(ledger) => ledger.write('+', &entry),
        None => create().and_then(|ledger| own.insert(ledger).write('+', &entry)),
    };
    written.map_err(|error| {
        let folders = folders().map(|folder| format!("`{}`", folder.display())).collect::<Vec<_>>();
        Error::new(
            ErrorKind::Configuration,
            format!(
                "the list of roles to remove after a crash cannot be written in {}: {error}",
                folders.join(" or ")
            ),
        )
        .caused_by(error)
        .note("help: set `XDG_STATE_HOME` to a folder that can be written")
    })
}

/// Notes that this is removed.
pub(crate) fn close(backend: &str, thing: &Thing) {
    if let (Some(entry), Some(ledger)) = (Entry::of(backend, thing), own().as_mut()) {
        // If this is lost, a later run finds nothing to remove.
        let _ = ledger.write('-', &entry);
    }
}

/// Deletes the file if all that it names is removed.
pub(super) fn close_file() {
    if let Some(ledger) = own().take()
        && fs::read_to_string(&ledger.path).is_ok_and(|text| left(&text).is_empty())
    {
        let _ = fs::remove_file(&ledger.path);
    }
}

/// The folders that may hold ledgers, best first: the user's state, or beside the program where there is no home.
pub(crate) fn folders() -> impl Iterator<Item = PathBuf> {
    let state = env::var_os("XDG_STATE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let state = state.or_else(|| Some(env::home_dir()?.join(".local/state")));
    let program = env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
    state.into_iter().chain(program).map(|folder| folder.join("iam-fixture"))
}

/// What a ledger names and does not close.
pub(super) fn left(text: &str) -> Vec<Entry> {
    let mut left = Vec::new();
    for line in text.lines() {
        match (line.split_at_checked(1), line.get(1..).and_then(Entry::parse)) {
            (Some(("+", _)), Some(entry)) => left.push(entry),
            (Some(("-", _)), Some(entry)) => left.retain(|open| *open != entry),
            // The last line of a process that was killed while it wrote.
            _ => {}
        }
    }
    left
}

/// Marks an entry of a dead process's ledger as removed.
pub(super) fn strike(file: &mut File, entry: &Entry) -> io::Result<()> {
    file.write_all(entry.line('-').as_bytes())
}

/// A thing at a backend, as one line has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) backend: String,
    pub(super) thing: Thing,
}

impl Entry {
    /// Policies on a role go with the role, so they are not listed; one among the administrator's own does not.
    fn of(backend: &str, thing: &Thing) -> Option<Entry> {
        matches!(thing, Thing::Grant { .. } | Thing::Policy { .. } | Thing::Role { .. })
            .then(|| Entry { backend: backend.to_owned(), thing: thing.clone() })
    }

    fn line(&self, sign: char) -> String {
        let (kind, name) = match &self.thing {
            Thing::Grant { to: Grantee::Role(role), policy } => ("grant-role", &format!("{role}/{policy}")),
            Thing::Grant { to: Grantee::User(user), policy } => ("grant-user", &format!("{user}/{policy}")),
            Thing::Policy { arn } => ("policy", arn),
            Thing::Role { name } => ("role", name),
            Thing::Attached { .. } | Thing::Inline { .. } => return String::new(),
        };
        format!("{sign}\t{kind}\t{name}\t{}\n", self.backend)
    }

    /// A line after its sign. What is not named as we name things is not ours to remove, whoever wrote it there.
    fn parse(line: &str) -> Option<Entry> {
        let mut fields = line.strip_prefix('\t')?.splitn(3, '\t');
        let (kind, name, backend) = (fields.next()?, fields.next()?, fields.next()?);
        let last = name.rsplit('/').next().filter(|name| name.contains(name::PREFIX))?;
        let grant = |to: fn(String) -> Grantee| {
            let (grantee, _) = name.split_once('/')?;
            Some(Thing::Grant { to: to(grantee.to_owned()), policy: last.to_owned() })
        };
        let thing = match kind {
            "grant-role" => grant(Grantee::Role)?,
            "grant-user" => grant(Grantee::User)?,
            "policy" => Thing::Policy { arn: name.to_owned() },
            "role" => Thing::Role { name: name.to_owned() },
            _ => return None,
        };
        Some(Entry { backend: backend.to_owned(), thing })
    }
}

impl Ledger {
    /// In one write, so that a line is there whole or, at the end of a killed process, not.
    fn write(&mut self, sign: char, entry: &Entry) -> io::Result<()> {
        self.file.write_all(entry.line(sign).as_bytes())
    }
}

fn create() -> io::Result<Ledger> {
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for folder in folders() {
        match create_in(&folder) {
            Ok(ledger) => return Ok(ledger),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn create_in(folder: &Path) -> io::Result<Ledger> {
    fs::create_dir_all(folder)?;
    let name = format!("{}-{}", process::id(), name::random());
    let unfinished = folder.join(&name);
    let file = File::create_new(&unfinished)?;
    file.lock()?;
    let path = unfinished.with_extension(EXTENSION);
    fs::rename(unfinished, &path)?;
    Ok(Ledger { file, path })
}

fn own() -> MutexGuard<'static, Option<Ledger>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> Entry {
        Entry {
            backend: "http://127.0.0.1:5000 123456789012".to_owned(),
            thing: Thing::Role { name: name.to_owned() },
        }
    }

    #[test]
    fn what_is_opened_and_not_closed_is_left() {
        let (one, two) = (role("iam-fixture-one"), role("iam-fixture-two"));
        let text = [one.line('+'), two.line('+'), one.line('-')].concat();
        assert_eq!(left(&text), [two]);
    }

    #[test]
    fn a_line_that_was_cut_off_or_names_others_roles_is_passed_over() {
        let text = "+\trole\tadministrator\thttp://127.0.0.1:5000 1\n+\tuser\tiam-fixture-x\taws 1\n+\trole\tiam-fix";
        assert_eq!(left(text), []);
        assert_eq!(left("+é"), []);
    }

    #[test]
    fn a_grant_is_told_by_whose_policy_it_is_and_by_its_name() {
        let grant = |to, policy: &str| Entry {
            backend: "aws 123456789012".to_owned(),
            thing: Thing::Grant { to, policy: policy.to_owned() },
        };
        for to in [Grantee::Role("ci".to_owned()), Grantee::User("alice".to_owned())] {
            let entry = grant(to.clone(), "svc-iam-fixture-t-x");
            assert_eq!(left(&entry.line('+')), [entry]);
            assert_eq!(left(&grant(to, "their-own").line('+')), []);
        }
    }

    #[test]
    fn a_boundary_is_told_by_its_name_under_its_path() {
        let entry = Entry {
            backend: "aws 123456789012".to_owned(),
            thing: Thing::Policy {
                arn: "arn:aws:iam::123456789012:policy/iam-fixture/17/iam-fixture-t-x".to_owned(),
            },
        };
        assert_eq!(left(&entry.line('+')), [entry]);
    }
}
