//! How long a role's lease is, and where it is written: in the path, for `ListRoles` returns no tags.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, ErrorKind};
#[cfg(any(feature = "network", test))]
use crate::name;

/// How long a session lasts unless it is told otherwise.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
pub(crate) const SESSION: Duration = Duration::from_hours(1);

/// STS gives no shorter session.
const SHORTEST_SESSION: Duration = Duration::from_mins(15);

/// The time from a role's creation until its session begins.
const START: Duration = Duration::from_mins(5);

/// What a test may take beyond its session; a role older than that has lost its process.
const GRACE: Duration = Duration::from_hours(1);

/// No shorter lease has room for a session.
pub(crate) const SHORTEST: Duration = START.saturating_add(SHORTEST_SESSION);

/// How long a role is its test's, and its session within that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Term {
    pub(crate) lease: Duration,
    /// What is asked of STS; none for its own default.
    pub(crate) session: Option<Duration>,
}

impl Term {
    /// The session ends before the lease does, so a test that still runs then can use its role no more anyway.
    pub(crate) fn of(lease: Option<Duration>, session: Option<Duration>) -> Result<Term, Error> {
        let Some(lease) = lease else {
            return Ok(Term { lease: session.unwrap_or(SESSION) + GRACE, session });
        };
        let room = lease.saturating_sub(START);
        match session {
            Some(session) if session > room => Err(Error::new(
                ErrorKind::Configuration,
                format!(
                    "a session of {} does not fit into a lease of {}: a sweep may remove the role while the test runs",
                    humantime::format_duration(session),
                    humantime::format_duration(lease)
                ),
            )
            .note("nothing was created")
            .note("help: set `IAM_FIXTURE_LEASE` to 5 minutes more than the session, or ask for a shorter session")),
            Some(session) => Ok(Term { lease, session: Some(session) }),
            None => Ok(Term { lease, session: (room < SESSION).then_some(room) }),
        }
    }
}

/// The folder that all ours are in, below the path of the team or `/`.
pub(crate) fn folder(below: &str) -> String {
    format!("{below}iam-fixture/")
}

/// The path of what is made now.
pub(crate) fn path(below: &str, end: SystemTime) -> String {
    let end = end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{}{end}/", folder(below))
}

/// When the lease ends that this path has, if it is one of ours in this folder.
#[cfg(any(feature = "network", test))]
pub(crate) fn end_of(path: &str, folder: &str) -> Option<SystemTime> {
    seconds(path.strip_prefix(folder)?.strip_suffix('/')?)
}

#[cfg(any(feature = "network", test))]
fn seconds(end: &str) -> Option<SystemTime> {
    // `parse` alone would take `+17`, which we never write.
    let is_ours = !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit());
    UNIX_EPOCH.checked_add(Duration::from_secs(end.parse().ok().filter(|_| is_ours)?))
}

/// The name of what stands in no path of ours, with the lease of what it was made for.
pub(crate) fn named(name: &str, path: &str) -> String {
    let end = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    format!("{name}.{end}")
}

/// When the lease ends that this name has, if it is one of ours.
#[cfg(any(feature = "network", test))]
pub(crate) fn end_of_named(name: &str) -> Option<SystemTime> {
    let (_, end) = name.rsplit_once('.').filter(|(of, _)| of.contains(name::PREFIX))?;
    seconds(end)
}

/// `2h`, `90m`, `1h 30m`, or seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; a duration is `2h`, `90m`, or a number of seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;

    fn term(lease: Option<u64>, session: Option<u64>) -> Option<(u64, Option<u64>)> {
        let minutes = |minutes: u64| Duration::from_mins(minutes);
        let term = Term::of(lease.map(minutes), session.map(minutes)).ok()?;
        Some((term.lease.as_secs() / MINUTE, term.session.map(|session| session.as_secs() / MINUTE)))
    }

    #[test]
    fn a_session_ends_before_its_lease() {
        assert_eq!(term(None, None), Some((120, None)));
        assert_eq!(term(None, Some(120)), Some((180, Some(120))));
        assert_eq!(term(Some(65), None), Some((65, None)));
        assert_eq!(term(Some(20), None), Some((20, Some(15))));
        assert_eq!(term(Some(65), Some(60)), Some((65, Some(60))));
        assert_eq!(term(Some(64), Some(60)), None);
    }

    #[test]
    fn a_path_tells_the_lease_s_end_and_only_ours_does() {
        let end = UNIX_EPOCH + Duration::from_secs(1_800_000_017);
        assert_eq!(path("/team/", end), "/team/iam-fixture/1800000017/");
        assert_eq!(end_of(&path("/", end), "/iam-fixture/"), Some(end));
        for other in [
            "/",
            "/iam-fixture/",
            "/iam-fixture/x/",
            "/iam-fixture/+17/",
            "/iam-fixture/17/deeper/",
            "/iam-fixture/17",
            "/iam-fixture/99999999999999999999999/",
            "/team/iam-fixture/17/",
            "/iam-fixture-17/",
        ] {
            assert_eq!(end_of(other, "/iam-fixture/"), None, "{other}");
        }
    }

    #[test]
    fn a_name_tells_the_lease_s_end_of_what_it_was_made_for() {
        let end = UNIX_EPOCH + Duration::from_secs(1_800_000_017);
        let name = named("svc-iam-fixture-t-abc", &path("/team/", end));
        assert_eq!(name, "svc-iam-fixture-t-abc.1800000017");
        assert_eq!(end_of_named(&name), Some(end));
        for other in ["own", "own.1800000017", "iam-fixture-t-abc", "iam-fixture-t.abc", "iam-fixture-t."] {
            assert_eq!(end_of_named(other), None, "{other}");
        }
    }

    #[test]
    fn durations_have_units_or_are_seconds() {
        assert_eq!(duration("2h"), Ok(Duration::from_hours(2)));
        assert_eq!(duration("5400"), duration("90m"));
        assert!(duration("soon").is_err_and(|error| error.contains("a number of seconds")));
    }
}
