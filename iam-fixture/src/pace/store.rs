//! Where a budget is kept.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::budget::Budget;

pub(super) enum Store {
    /// In this process, by its runtime's time, which may be virtual.
    Alone {
        budget: Mutex<Budget>,
        since: Instant,
    },
    Shared(shared::Shared),
}

impl Store {
    pub(super) fn alone() -> Store {
        Store::Alone { budget: Mutex::default(), since: Instant::now() }
    }

    pub(super) fn shared(name: &str) -> Store {
        Store::Shared(shared::Shared::new(name))
    }

    /// Changes the budget, given the time.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Budget, f64) -> T) -> T {
        match self {
            Store::Alone { budget, since } => {
                let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
                // Nothing is cut at 0.
                change(&mut budget, 1.0 + since.elapsed().as_secs_f64())
            }
            Store::Shared(shared) => shared.change(change),
        }
    }
}

mod shared {
    use std::array;
    use std::fs::{self, File, OpenOptions};
    use std::io::{self, Read, Seek, Write};
    use std::path::Path;
    use std::sync::{Mutex, PoisonError};
    use std::thread;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::Budget;
    use crate::outlive;

    const EXTENSION: &str = "pace";

    /// After a day without use a budget has nothing to say.
    const KEPT: Duration = Duration::from_hours(24);

    /// How far ahead of the clock a budget may be: of two processes, or after a step.
    const AHEAD: f64 = 60.0;

    /// A file that all processes of this machine share. Its lock is held for one reading and one writing; that of a process
    /// that is killed then is freed by the system, and what it has not written is not there.
    pub(in crate::pace) struct Shared {
        file: Option<File>,
        /// As it was known last: what this process goes by where the file cannot be used.
        known: Mutex<Budget>,
    }

    impl Shared {
        pub(super) fn new(name: &str) -> Shared {
            let file = outlive::folders().find_map(|folder| open(&folder, name).ok());
            Shared { file, known: Mutex::default() }
        }

        pub(super) fn change<T>(&self, change: impl FnOnce(&mut Budget, f64) -> T) -> T {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let file = self.file.as_ref().filter(|file| is_locked(file));
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            if let Some(file) = file {
                // A file that says nothing is new.
                *known = read(file).filter(|budget| budget.at() < now + AHEAD).unwrap_or_default();
            }
            let result = change(&mut known, now);
            if let Some(file) = file {
                let _ = write(file, &known);
                let _ = file.unlock();
            }
            result
        }
    }

    fn open(folder: &Path, name: &str) -> io::Result<File> {
        fs::create_dir_all(folder)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let name: String = name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
        remove_old(folder);
        let path = folder.join(name + "." + EXTENSION);
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
    }

    /// Emulators come and go, each at a port of its own.
    fn remove_old(folder: &Path) {
        for file in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = file.path();
            let age = || file.metadata().ok()?.modified().ok()?.elapsed().ok();
            if path.extension().is_some_and(|extension| extension == EXTENSION)
                && age().is_some_and(|age| age > KEPT)
            {
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Whoever holds it for longer than this was stopped, and cannot be waited for.
    fn is_locked(file: &File) -> bool {
        const TRIES: u32 = 20;
        (0..TRIES).any(|_| {
            let is_locked = file.try_lock().is_ok();
            if !is_locked {
                thread::sleep(Duration::from_millis(1));
            }
            is_locked
        })
    }

    fn read(mut file: &File) -> Option<Budget> {
        let mut text = String::new();
        file.rewind().ok()?;
        file.take(1_000).read_to_string(&mut text).ok()?;
        let numbers: Option<Vec<f64>> = text.split_whitespace().map(|field| field.parse().ok()).collect();
        let numbers = numbers.filter(|numbers| numbers.iter().all(|number| number.is_finite()))?;
        Some(Budget::of_fields(numbers.try_into().ok()?))
    }

    /// As many bytes each time, in one write: a reader finds all of the old or all of the new.
    fn write(mut file: &File, budget: &Budget) -> io::Result<()> {
        let fields = budget.fields();
        let line: [String; Budget::FIELDS] = array::from_fn(|index| {
            let field = fields.get(index).copied().unwrap_or_default();
            format!("{field:>20.6}")
        });
        file.rewind()?;
        file.write_all((line.join(" ") + "\n").as_bytes())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn at(folder: &Path) -> Shared {
            Shared { file: Some(open(folder, "aws 123456789012 iam").unwrap()), known: Mutex::default() }
        }

        fn folder(test: &str) -> std::path::PathBuf {
            let binary = std::env::current_exe().unwrap();
            let folder = binary.with_file_name(format!("pace-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            folder
        }

        #[test]
        fn what_one_process_learns_the_others_know() {
            let folder = folder("learned");
            let (one, other) = (at(&folder), at(&folder));
            one.change(|budget, now| {
                budget.take(now, false).unwrap();
                budget.throttled(now, now + 0.001);
            });
            assert!(other.change(|budget, now| budget.take(now, false)).is_err());
            fs::remove_dir_all(folder).unwrap();
        }

        #[test]
        fn a_file_that_says_nothing_or_is_of_another_time_is_taken_for_new() {
            let folder = folder("broken");
            let shared = at(&folder);
            for text in ["", "1 2 3", "x", "1 1 0 9e99 1 1 1", "NaN 1 0 1 1 1 1"] {
                fs::write(folder.join("aws-123456789012-iam.pace"), text).unwrap();
                assert!(shared.change(|budget, now| budget.take(now, false)).is_ok(), "{text}");
            }
            fs::remove_dir_all(folder).unwrap();
        }

        #[test]
        fn a_lock_that_is_never_given_back_keeps_nobody() {
            let folder = folder("stopped");
            let (stopped, shared) = (at(&folder), at(&folder));
            stopped.file.as_ref().unwrap().lock().unwrap();
            assert!(shared.change(|budget, now| budget.take(now, false)).is_ok());
            fs::remove_dir_all(folder).unwrap();
        }
    }
}
