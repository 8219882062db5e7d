use std::borrow::Cow;
use std::collections::VecDeque;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use iam_policy::{Diagnostics, Policy, PolicyKind, Source, Template};

use crate::error::{Error, ErrorKind};

/// A policy document on its way to a role: JSON text, a file, a fragment of a larger file, or a parsed policy.
///
/// Text is sent to IAM as it stands, so that lines and columns in messages are those of the file. `${name}` (without a
/// colon, so never an IAM variable) takes its value from [`var`](crate::TemporaryRoleBuilder::var), and
/// `${AWS::AccountId}`, `${AWS::Region}` and `${AWS::Partition}` from the backend.
///
/// ```
/// use std::path::Path;
/// use iam_fixture::PolicyDocument;
///
/// let text: PolicyDocument = r#"{"Version": "2012-10-17", "Statement": []}"#.into();
/// let file: PolicyDocument = Path::new("policies/reader.json").into();
/// let fragment = PolicyDocument::from(Path::new("template.json"))
///     .pointer("/Resources/Reader/Properties/PolicyDocument");
/// # let _ = (text, file, fragment);
/// ```
#[derive(Clone, Debug)]
pub struct PolicyDocument {
    form: Form,
    pointer: Option<String>,
}

#[derive(Clone, Debug)]
enum Form {
    /// Read when the role is created, relative to the package that runs.
    File(PathBuf),
    Parsed(Policy),
    Text(Source),
}

impl PolicyDocument {
    /// A document whose text is at hand and whose file is named in messages, as `include_str!` gives it.
    pub fn file(name: impl Into<String>, text: impl Into<String>) -> PolicyDocument {
        Form::Text(Source::new(name, text)).into()
    }

    /// Narrows the document to the fragment at a JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)).
    #[must_use]
    pub fn pointer(mut self, pointer: impl Into<String>) -> PolicyDocument {
        self.pointer = Some(pointer.into());
        self
    }

    /// The document as a service control policy, for [`Target::scp`](crate::Target::scp).
    ///
    /// # Errors
    ///
    /// When it cannot be read, or AWS Organizations would reject it.
    pub fn service_control(&self) -> Result<Policy, Error> {
        self.parsed(PolicyKind::ServiceControl)
    }

    /// The document as a resource control policy, for [`Target::rcp`](crate::Target::rcp).
    ///
    /// # Errors
    ///
    /// When it cannot be read, or AWS Organizations would reject it.
    pub fn resource_control(&self) -> Result<Policy, Error> {
        self.parsed(PolicyKind::ResourceControl)
    }

    /// The document where there is nothing to fill in.
    pub(crate) fn parsed(&self, kind: PolicyKind) -> Result<Policy, Error> {
        self.resolve(kind, false, |_| None)
    }

    /// Reads, fills in and checks the document: what IAM would reject is refused here, with its place in the file, and so is a
    /// condition key that AWS does not have, unless `unknown_keys` are meant.
    pub(crate) fn resolve(
        &self,
        kind: PolicyKind,
        unknown_keys: bool,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Policy, Error> {
        let source = match &self.form {
            Form::File(path) => read(path)?,
            Form::Parsed(policy) => policy.source().clone(),
            Form::Text(source) => source.clone(),
        };
        let rejected = |diagnostics: Diagnostics| {
            Error::new(ErrorKind::Policy, diagnostics.to_string())
                .note("nothing was created")
                .caused_by(diagnostics)
        };
        let source = match &self.pointer {
            Some(pointer) => source.pointer(pointer).map_err(rejected)?,
            None => source,
        };
        let source = Template::parse(source).render(variable).map_err(rejected)?;
        let policy = match &self.form {
            Form::Parsed(policy) if policy.kind() == kind && self.pointer.is_none() => policy.clone(),
            _ => parse(source, kind).map_err(rejected)?,
        };
        if !unknown_keys {
            policy.check_condition_keys().map_err(rejected)?;
        }
        Ok(policy)
    }
}

/// Parses the policy, once for the many cases of a table that share it.
fn parse(source: Source, kind: PolicyKind) -> Result<Policy, Diagnostics> {
    /// More than the roles of one test; a run that makes its policies up does not fill the memory with them.
    const KEPT: usize = 16;
    static PARSED: Mutex<VecDeque<Policy>> = Mutex::new(VecDeque::new());

    let kept = || PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    let is_same = |policy: &&Policy| {
        let known = policy.source();
        policy.kind() == kind
            && known.name() == source.name()
            && known.span() == source.span()
            && known.text() == source.text()
    };
    if let Some(policy) = kept().iter().find(is_same) {
        return Ok(policy.clone());
    }
    let policy = Policy::parse(source, kind)?;
    let mut kept = kept();
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back(policy.clone());
    Ok(policy)
}

fn read(path: &Path) -> Result<Source, Error> {
    // Cargo runs tests in the package's folder, but a debugger or a bare binary does not.
    let place = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(package) => Cow::Owned(Path::new(&package).join(path)),
        None => Cow::Borrowed(path),
    };
    let text = fs::read_to_string(&place).map_err(|error| {
        Error::new(ErrorKind::Policy, format!("policy file `{}` cannot be read: {error}", place.display()))
            .note("nothing was created")
            .caused_by(error)
    })?;
    Ok(Source::new(path.display().to_string(), text))
}

impl From<Form> for PolicyDocument {
    fn from(form: Form) -> Self {
        PolicyDocument { form, pointer: None }
    }
}

/// JSON text.
impl From<&str> for PolicyDocument {
    fn from(text: &str) -> Self {
        Form::Text(Source::inline(text)).into()
    }
}

/// JSON text.
impl From<String> for PolicyDocument {
    fn from(text: String) -> Self {
        Form::Text(Source::inline(text)).into()
    }
}

/// A text with a name, for messages, or a fragment of one.
impl From<Source> for PolicyDocument {
    fn from(source: Source) -> Self {
        Form::Text(source).into()
    }
}

/// The document as a value; messages show it indented.
impl From<serde_json::Value> for PolicyDocument {
    fn from(value: serde_json::Value) -> Self {
        Form::Text(Source::inline(format!("{value:#}"))).into()
    }
}

impl From<Policy> for PolicyDocument {
    fn from(policy: Policy) -> Self {
        Form::Parsed(policy).into()
    }
}

/// A file, read when the role is created; a relative path starts at the package's folder.
impl From<&Path> for PolicyDocument {
    fn from(path: &Path) -> Self {
        Form::File(path.to_owned()).into()
    }
}

/// A file, read when the role is created; a relative path starts at the package's folder.
impl From<PathBuf> for PolicyDocument {
    fn from(path: PathBuf) -> Self {
        Form::File(path).into()
    }
}
