//! What the run's settings say of roles; what a builder says comes first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::settings::{Value, Values, flag, wrong};
use crate::error::Error;
use crate::lifecycle::term;
use crate::mode::{Keep, Mode, role_arn};

/// What roles are to be.
///
/// What names something in an account is for backends that have one: the embedded endpoint's is fresh for each test.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct RoleOptions {
    pub(crate) boundary: Option<RoleBoundary>,
    pub(crate) duration: Option<Duration>,
    /// Whether the administrator needs a policy of his own to assume the role.
    pub(crate) grant_assume: bool,
    pub(crate) keep: Keep,
    pub(crate) mode: Option<Mode>,
    pub(crate) path: Option<String>,
    pub(crate) prefix: Option<String>,
    /// The role of sessions, in place of one of ours.
    pub(crate) session_role: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum RoleBoundary {
    Arn(String),
    File(PathBuf),
}

impl RoleOptions {
    /// `root` is where the paths of files begin.
    pub(super) fn of(values: &Values, root: &Path) -> Result<RoleOptions, Error> {
        let value = |key: &str| values.get(key);
        Ok(RoleOptions {
            boundary: value("boundary").map(|value| boundary(&value.text, root)),
            duration: value("duration").map(session).transpose()?,
            grant_assume: flag(values, "grant_assume")?,
            keep: value("keep").map(|value| value.parsed(str::parse)).transpose()?.unwrap_or_default(),
            mode: value("mode").map(|value| value.parsed(str::parse)).transpose()?,
            path: value("path").map(|value| value.parsed(path)).transpose()?,
            prefix: value("prefix").map(|value| value.parsed(prefix)).transpose()?,
            session_role: value("session_role")
                .map(|value| value.parsed(|text| role_arn(text).map(str::to_owned)))
                .transpose()?,
            tags: value("tags").map(tags).transpose()?.unwrap_or_default(),
        })
    }
}

fn boundary(text: &str, root: &Path) -> RoleBoundary {
    if text.starts_with("arn:") {
        RoleBoundary::Arn(text.to_owned())
    } else {
        RoleBoundary::File(root.join(text))
    }
}

/// A session's duration.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
fn session(value: &Value) -> Result<Duration, Error> {
    let duration = term::duration(&value.text)
        .map_err(|why| wrong(format!("{value} is no duration of a session: {why}")))?;
    if (900..=43_200).contains(&duration.as_secs()) {
        return Ok(duration);
    }
    Err(wrong(format!("{value} is no duration of a session, which is of 15 minutes to 12 hours")))
}

/// A path of roles: what it may have, and room for what we add.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(crate) fn path(text: &str) -> Result<String, Error> {
    /// IAM's 512, less `iam-fixture/`, the lease and its slash.
    const LIMIT: usize = 480;
    let is_path = text.starts_with('/')
        && text.ends_with('/')
        && text.len() <= LIMIT
        && !text.contains("//")
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_path
        .then(|| text.to_owned())
        .ok_or_else(|| wrong(format!("`{text}` is not a path: it begins and ends with `/`, such as `/ci/`")))
}

/// What stands before the names of roles, which the test's name has to share 64 characters with.
pub(crate) fn prefix(text: &str) -> Result<String, Error> {
    const LIMIT: usize = 20;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (text.len() <= LIMIT && text.bytes().all(is_name)).then(|| text.to_owned()).ok_or_else(|| {
        wrong(format!("`{text}` is no start of a role's name: at most {LIMIT} letters, digits and `_+=,.@-`"))
    })
}

/// `key=value,key=value`
fn tags(value: &Value) -> Result<BTreeMap<String, String>, Error> {
    let pairs = value.text.split(',').map(|pair| match pair.split_once('=') {
        Some((key, tag)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), tag.trim().to_owned())),
        _ => Err(wrong(format!("{value} is no list of tags: write `team=infra,stage=ci`"))),
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(settings: &[(&'static str, &str)]) -> Result<RoleOptions, String> {
        let value = |text: &str| Value { text: text.to_owned(), place: "here".to_owned() };
        let values = settings.iter().map(|(key, text)| (*key, value(text))).collect();
        RoleOptions::of(&values, Path::new("/root")).map_err(|error| error.to_string())
    }

    #[test]
    fn roles_are_what_the_settings_say() {
        let options = options(&[
            ("boundary", "arn:aws:iam::aws:policy/PowerUserAccess"),
            ("duration", "2h"),
            ("grant_assume", "true"),
            ("keep", "failure"),
            ("mode", "session"),
            ("path", "/ci/"),
            ("prefix", "svc-"),
            ("session_role", "arn:aws:iam::123456789012:role/broad"),
            ("tags", "team=infra, stage=a=b"),
        ])
        .expect("all are known");
        assert_eq!(
            options.boundary,
            Some(RoleBoundary::Arn("arn:aws:iam::aws:policy/PowerUserAccess".to_owned()))
        );
        assert_eq!(options.duration, Some(Duration::from_hours(2)));
        assert_eq!((options.grant_assume, options.keep), (true, Keep::OnFailure));
        assert_eq!(options.mode, Some(Mode::Session));
        assert_eq!((options.path.as_deref(), options.prefix.as_deref()), (Some("/ci/"), Some("svc-")));
        let tags: Vec<_> = options.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(tags, [("stage", "a=b"), ("team", "infra")]);
    }

    #[test]
    fn a_boundary_that_is_no_arn_is_a_file_at_the_root() {
        let options = options(&[("boundary", "policies/boundary.json")]).expect("it is known");
        assert_eq!(options.boundary, Some(RoleBoundary::File("/root/policies/boundary.json".into())));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_place() {
        for (key, text, why) in [
            ("duration", "10", "`10` (here) is no duration of a session"),
            ("duration", "13h", "`13h` (here) is no duration of a session"),
            ("grant_assume", "yes", "`yes` (here) is neither `true` nor `false`"),
            ("keep", "yes", "`yes` does not say what to keep"),
            ("mode", "fast", "`fast` is not a mode"),
            ("path", "ci", "`ci` is not a path"),
            ("path", "//", "`//` is not a path"),
            ("prefix", "a b", "`a b` is no start of a role's name"),
            ("session_role", "broad", "`broad` is not a role's ARN"),
            ("tags", "team", "`team` (here) is no list of tags"),
            ("tags", "=x", "`=x` (here) is no list of tags"),
        ] {
            let error = options(&[(key, text)]).expect_err(text);
            assert!(error.starts_with(why) && error.contains("here"), "{error}");
        }
    }
}
