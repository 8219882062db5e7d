//! What the run was told: environment first, then `iam-fixture.toml` beside the workspace's `Cargo.lock`.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use once_cell::sync::OnceCell;

use super::file;
use super::options::RoleOptions;
use crate::error::{Error, ErrorKind};
use crate::lifecycle::term;
use crate::mode::role_arn;

const FILE: &str = "iam-fixture.toml";
const PREFIX: &str = "IAM_FIXTURE_";

/// Every key, as the file spells it; in the environment it is upper case after `IAM_FIXTURE_`.
const KEYS: [&str; 15] = [
    "account",
    "admin_role",
    "backend",
    "boundary",
    "duration",
    "grant_assume",
    "keep",
    "lease",
    "mode",
    "path",
    "prefix",
    "session_role",
    "tags",
    "upstream",
    "upstream_s3",
];

#[derive(Debug, PartialEq)]
pub(crate) struct Settings {
    pub(super) backend: Choice,
    /// Whom the credentials at hand become before anything else.
    pub(super) admin_role: Option<String>,
    /// How long a role is its test's.
    pub(super) lease: Option<Duration>,
    /// What roles are to be, as far as their builders do not say.
    pub(crate) role: RoleOptions,
    /// Where the embedded endpoint sends what it allows and does not perform itself.
    pub(super) upstream: Option<String>,
    /// Whether S3 goes there too.
    pub(super) upstream_s3: bool,
}

#[derive(Debug, PartialEq)]
pub(super) enum Choice {
    Aws { account: String },
    Embedded,
    Endpoint { url: String },
}

impl Settings {
    /// Those of this run, read once.
    pub(crate) fn current() -> Result<&'static Settings, Error> {
        static CURRENT: OnceCell<Settings> = OnceCell::new();
        CURRENT.get_or_try_init(Settings::load)
    }

    fn load() -> Result<Settings, Error> {
        let variables = env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let value = value.into_string().ok()?;
            Some((name, value))
        });
        let environment = of_environment(variables)?;
        let (root, file) = find_file();
        let file = file.as_deref().map(of_file).transpose()?.unwrap_or_default();
        Settings::of(environment, file, &root)
    }

    fn of(environment: Values, file: Values, root: &Path) -> Result<Settings, Error> {
        let values = environment.before(file);
        let account = values.get("account");
        let backend = Choice::of(values.get("backend"), account)?;
        let lease = values.get("lease").map(lease_of).transpose()?;
        let upstream = values.get("upstream").map(|upstream| upstream_of(&backend, upstream)).transpose()?;
        let upstream_s3 = flag(&values, "upstream_s3")?;
        let admin_role =
            values.get("admin_role").map(|value| value.parsed(|text| role_arn(text).map(str::to_owned)));
        let role = RoleOptions::of(&values, root)?;
        Ok(Settings { backend, admin_role: admin_role.transpose()?, lease, role, upstream, upstream_s3 })
    }
}

impl Choice {
    fn of(backend: Option<&Value>, account: Option<&Value>) -> Result<Choice, Error> {
        let Some(backend) = backend else {
            return Ok(Choice::Embedded);
        };
        match backend.text.as_str() {
            "embedded" => Ok(Choice::Embedded),
            "aws" => match account {
                Some(account) if is_account(&account.text) => Ok(Choice::Aws {
                    account: account.text.clone(),
                }),
                Some(account) => Err(wrong(format!(
                    "{account} is not an AWS account id, which has 12 digits"
                ))),
                None => Err(wrong(format!(
                    "{backend} needs `IAM_FIXTURE_ACCOUNT`: the id of the account that the tests may create roles in"
                ))
                .note("nothing was created")
                .note("help: `aws sts get-caller-identity` prints the id of the account you are signed in to")),
            },
            url if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Choice::Endpoint {
                    url: url.to_owned(),
                })
            }
            _ => Err(wrong(format!("{backend} is not a backend")).note(
                "help: a backend is `embedded`, `aws`, or an endpoint URL such as `http://127.0.0.1:4566`",
            )),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Choice::Aws { .. } => "aws",
            Choice::Embedded => "embedded",
            Choice::Endpoint { url } => url,
        })
    }
}

fn lease_of(value: &Value) -> Result<Duration, Error> {
    let lease = term::duration(&value.text)
        .map_err(|why| wrong(format!("{value} is not the length of a lease: {why}")))?;
    if (term::SHORTEST..=LONGEST_LEASE).contains(&lease) {
        return Ok(lease);
    }
    Err(wrong(format!(
        "{value} is not the length of a lease: it takes 20 minutes at least, and a week at most"
    ))
    .note(
        "help: a role whose lease is over is removed by any run, and the shortest session lasts 15 minutes",
    ))
}

/// No session lasts longer than twelve hours.
const LONGEST_LEASE: Duration = Duration::from_hours(7 * 24);

/// The URL of an upstream. It may hold a secret key, so no message repeats it.
fn upstream_of(backend: &Choice, Value { text, place }: &Value) -> Result<String, Error> {
    if *backend != Choice::Embedded {
        return Err(wrong(format!(
            "`upstream` ({place}) performs what the embedded endpoint allows, but the backend is `{backend}`"
        )));
    }
    match check_upstream(text) {
        Ok(()) => Ok(text.clone()),
        Err(why) => Err(wrong(format!("`upstream` ({place}) cannot be used: {why}"))),
    }
}

#[cfg(feature = "network")]
fn check_upstream(url: &str) -> Result<(), String> {
    iam_endpoint::Upstream::new(url).map(drop).map_err(|error| error.to_string())
}

#[cfg(not(feature = "network"))]
fn check_upstream(_: &str) -> Result<(), String> {
    Err("it needs the feature `network` of `iam-fixture`, which this build leaves out".to_owned())
}

/// What is `true` or `false`.
pub(super) fn flag(values: &Values, key: &str) -> Result<bool, Error> {
    match values.get(key) {
        None => Ok(false),
        Some(Value { text, .. }) if text == "true" => Ok(true),
        Some(Value { text, .. }) if text == "false" => Ok(false),
        Some(value) => Err(wrong(format!("{value} is neither `true` nor `false`"))),
    }
}

/// What was said of each key; what was said first counts.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<(&'static str, Value)>);

impl Values {
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(said, _)| *said == key).map(|(_, value)| value)
    }

    fn before(mut self, others: Values) -> Values {
        self.0.extend(others.0);
        self
    }
}

impl FromIterator<(&'static str, Value)> for Values {
    fn from_iter<I: IntoIterator<Item = (&'static str, Value)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[derive(Debug)]
pub(super) struct Value {
    pub(super) text: String,
    /// For messages.
    pub(super) place: String,
}

impl Value {
    /// What the text says; where it says nothing, with the place in the message.
    pub(super) fn parsed<T>(&self, read: impl FnOnce(&str) -> Result<T, Error>) -> Result<T, Error> {
        read(&self.text).map_err(|error| error.note(format!("it stands in {}", self.place)))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.text, self.place)
    }
}

fn of_environment(variables: impl Iterator<Item = (String, String)>) -> Result<Values, Error> {
    let ours = variables.filter_map(|(name, text)| {
        let key = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
        // An empty variable is how CI files unset one.
        (!text.is_empty()).then_some((key, name, text))
    });
    ours.map(|(key, place, text)| Ok((known(&key, &place)?, Value { text, place }))).collect()
}

fn of_file(path: &Path) -> Result<Values, Error> {
    let place = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| wrong(format!("`{place}` cannot be read: {error}")).caused_by(error))?;
    of_toml(&text, &place.to_string())
}

fn of_toml(text: &str, file: &str) -> Result<Values, Error> {
    let entries = file::entries(text).map_err(|malformed| {
        wrong(format!("{file}:{}:{}: {}", malformed.line, malformed.column, malformed.why))
    })?;
    let values = entries.into_iter().map(|file::Entry { key, value, line }| {
        let place = format!("{file}:{line}");
        Ok((known(&key, &place)?, Value { text: value, place }))
    });
    values.collect()
}

fn known(key: &str, place: &str) -> Result<&'static str, Error> {
    KEYS.into_iter().find(|known| *known == key).ok_or_else(|| {
        let keys = KEYS.map(|key| format!("`{key}` ({PREFIX}{})", key.to_ascii_uppercase()));
        wrong(format!("`{key}` is not a setting ({place})"))
            .note(format!("help: the settings are {}", keys.join(", ")))
    })
}

/// The first file on the way from the package up to the workspace's root, which has the `Cargo.lock`; and the folder where that
/// way ends, at which settings' own paths begin.
fn find_file() -> (PathBuf, Option<PathBuf>) {
    let start = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(package) => PathBuf::from(package),
        None => env::current_dir().unwrap_or_default(),
    };
    for folder in start.ancestors() {
        let file = folder.join(FILE);
        if file.is_file() {
            return (folder.to_owned(), Some(file));
        }
        if folder.join("Cargo.lock").is_file() {
            return (folder.to_owned(), None);
        }
    }
    (start, None)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(environment: &[(&str, &str)], file: &str) -> Result<Choice, String> {
        let variables = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        of_environment(variables)
            .and_then(|environment| Settings::of(environment, of_toml(file, FILE)?, Path::new("")))
            .map(|settings| settings.backend)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn without_any_setting_the_backend_is_embedded() {
        assert_eq!(choice(&[("PATH", "/bin")], ""), Ok(Choice::Embedded));
        assert_eq!(choice(&[("IAM_FIXTURE_BACKEND", "")], ""), Ok(Choice::Embedded));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "# which one\nbackend = \"http://10.0.0.1:4566\"\n";
        let url = |url: &str| Ok(Choice::Endpoint { url: url.to_owned() });
        assert_eq!(choice(&[], file), url("http://10.0.0.1:4566"));
        assert_eq!(choice(&[("IAM_FIXTURE_BACKEND", "https://emulator")], file), url("https://emulator"));
    }

    #[test]
    fn aws_needs_an_account_from_either_place() {
        let error = choice(&[("IAM_FIXTURE_BACKEND", "aws")], "").unwrap_err();
        assert!(error.contains("`IAM_FIXTURE_ACCOUNT`"), "{error}");
        let error =
            choice(&[("IAM_FIXTURE_BACKEND", "aws"), ("IAM_FIXTURE_ACCOUNT", "prod")], "").unwrap_err();
        assert!(error.starts_with("`prod` (IAM_FIXTURE_ACCOUNT) is not an AWS account id"), "{error}");
        assert_eq!(
            choice(&[("IAM_FIXTURE_BACKEND", "aws")], "account = \"123456789012\""),
            Ok(Choice::Aws { account: "123456789012".to_owned() })
        );
    }

    #[cfg(feature = "network")]
    #[test]
    fn an_upstream_is_for_the_embedded_backend_and_its_keys_are_in_no_message() {
        let upstream = |file: &str| {
            let settings =
                of_toml(file, FILE).and_then(|file| Settings::of(Values::default(), file, Path::new("")));
            settings.map(|settings| settings.upstream).map_err(|error| error.to_string())
        };
        let url = "http://test:s3cret@127.0.0.1:4566";
        assert_eq!(upstream(&format!("upstream = \"{url}\"")), Ok(Some(url.to_owned())));
        let error = upstream(&format!("backend = \"http://emulator\"\nupstream = \"{url}\"")).unwrap_err();
        assert!(error.starts_with("`upstream` (iam-fixture.toml:2) performs what the embedded"), "{error}");
        assert!(error.contains("the backend is `http://emulator`") && !error.contains("s3cret"), "{error}");
        let error = upstream("upstream = \"test:s3cret@127.0.0.1\"").unwrap_err();
        assert!(error.starts_with("`upstream` (iam-fixture.toml:1) cannot be used"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn a_lease_has_room_for_a_session() {
        let lease = |lease: &str| {
            let settings = of_toml(&format!("lease = \"{lease}\""), FILE);
            let settings = settings.and_then(|file| Settings::of(Values::default(), file, Path::new("")));
            settings.map(|settings| settings.lease).map_err(|error| error.to_string())
        };
        assert_eq!(lease("2h"), Ok(Some(Duration::from_hours(2))));
        assert_eq!(lease("1200"), Ok(Some(Duration::from_mins(20))));
        for wrong in ["19m", "0", "8days"] {
            let error = lease(wrong).unwrap_err();
            assert!(
                error.starts_with(&format!("`{wrong}` (iam-fixture.toml:1) is not the length")),
                "{error}"
            );
            assert!(error.contains("20 minutes at least"), "{error}");
        }
        assert!(lease("a day").unwrap_err().contains("a number of seconds"));
    }

    #[test]
    fn s3_goes_upstream_where_that_is_said() {
        let s3 = |file: &str| {
            let settings =
                of_toml(file, FILE).and_then(|file| Settings::of(Values::default(), file, Path::new("")));
            settings.map(|settings| settings.upstream_s3).map_err(|error| error.to_string())
        };
        assert_eq!(s3(""), Ok(false));
        assert_eq!(s3("upstream_s3 = \"true\""), Ok(true));
        let error = s3("upstream_s3 = \"yes\"").unwrap_err();
        assert!(error.starts_with("`yes` (iam-fixture.toml:1) is neither `true` nor `false`"), "{error}");
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_place() {
        let error = choice(&[("IAM_FIXTURE_BACKEND", "localstack")], "").unwrap_err();
        assert!(error.starts_with("`localstack` (IAM_FIXTURE_BACKEND) is not a backend"), "{error}");
        let error = choice(&[("IAM_FIXTURE_ACOUNT", "1")], "").unwrap_err();
        assert!(error.starts_with("`acount` is not a setting (IAM_FIXTURE_ACOUNT)"), "{error}");
        let error = choice(&[], "\nbackends = \"aws\"").unwrap_err();
        assert!(error.starts_with("`backends` is not a setting (iam-fixture.toml:2)"), "{error}");
        let error = choice(&[], "backend = 3").unwrap_err();
        assert!(error.starts_with("iam-fixture.toml:1:11: the value of `backend` is a string"), "{error}");
        let error = choice(&[], "backend = aws").unwrap_err();
        assert!(error.starts_with("iam-fixture.toml:1:11: "), "{error}");
    }
}
