//! Names of roles and sessions: they say which test they belong to, in the characters and lengths that IAM allows.

use std::thread;

/// What every role of ours is called; the sweep touches nothing else.
pub(crate) const PREFIX: &str = "iam-fixture-";

/// The role name's limit, and the session name's.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const LIMIT: usize = 64;

const RANDOM: usize = 10;

/// The case that runs on this thread: libtest names its threads after the case.
pub(crate) fn test_on_this_thread() -> Option<String> {
    let thread = thread::current();
    let name = thread.name()?;
    // A test binary's main thread, and a multi-thread runtime's workers, which serve any test.
    let shared = name == "main" || name.starts_with("tokio-");
    (!shared).then(|| name.to_owned())
}

/// The run's prefix, `iam-fixture-`, the end of the test's name (the start is the module's), and enough chance to never meet
/// again.
pub(crate) fn role(prefix: &str, test: &str) -> String {
    let room = LIMIT.saturating_sub(prefix.len() + PREFIX.len() + 1 + RANDOM);
    format!("{prefix}{PREFIX}{}-{}", sanitized(test, room), random())
}

/// The role whose sessions many tests have: the same for the same facts, in every process and release.
#[cfg(any(feature = "network", test))]
pub(crate) fn of_sessions(prefix: &str, facts: &[&str]) -> String {
    // FNV-1a: the standard library's hashes may change with its version.
    let bytes = facts.iter().flat_map(|fact| fact.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{prefix}{PREFIX}session-{hash:016x}")
}

pub(crate) fn session(test: &str) -> String {
    let name = sanitized(test, LIMIT);
    // Two characters at least.
    if name.len() < 2 { format!("test-{name}") } else { name }
}

pub(crate) fn random() -> String {
    (0..RANDOM).map(|_| fastrand::char('a'..='z')).collect()
}

fn sanitized(name: &str, room: usize) -> String {
    let name = name.replace("::", ".");
    let start = name.chars().count().saturating_sub(room);
    name.chars()
        .skip(start)
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() => c,
            '_' | '.' | '-' => c,
            _ => '-',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_named_after_its_test() {
        let name = role("", "reader::lists the bucket");
        assert!(name.starts_with("iam-fixture-reader.lists-the-bucket-"), "{name}");
        assert_ne!(name, role("", "reader::lists the bucket"));
        assert!(role("svc-", "t").starts_with("svc-iam-fixture-t-"));
    }

    #[test]
    fn names_keep_within_64_characters_and_keep_the_end_of_the_test_s_name() {
        let long = format!("{}::case_17_é", "module".repeat(30));
        assert_eq!(role("", &long).len(), 64);
        assert_eq!(role("twenty-characters-ab", &long).len(), 64);
        assert!(role("", &long).contains(".case_17_-"), "{}", role("", &long));
        assert_eq!(session(&long).len(), 64);
        assert_eq!(session("t"), "test-t");
    }

    #[test]
    fn the_role_of_sessions_is_found_again_by_its_facts() {
        let name = of_sessions("", &["arn:aws:iam::123456789012:user/ci", "/iam-fixture/session/", ""]);
        assert_eq!(name, "iam-fixture-session-e489e53c5469126a");
        assert_ne!(of_sessions("", &["ab", "c"]), of_sessions("", &["a", "bc"]));
    }

    #[test]
    fn the_test_s_thread_carries_its_name() {
        assert_eq!(test_on_this_thread().as_deref(), Some("name::tests::the_test_s_thread_carries_its_name"));
    }
}
