//! A policy that is named by a literal: found, read and checked while the test compiles.

use std::fs;
use std::path::{Component, Path, PathBuf};

use iam_policy::{
    Diagnostic, Diagnostics, Lint, Policy, PolicyKind, Severity, Source, Template, managed, near,
};
use proc_macro2::Span;
use syn::{LitStr, Result};

use crate::problems::suggestion;

/// Which source file a token stands in; `None` where the compiler or the IDE does not tell.
pub(crate) type SourceFile<'a> = &'a dyn Fn(Span) -> Option<PathBuf>;

/// What a literal names.
pub(crate) enum Document {
    File {
        /// As messages show it: relative to where rustc runs.
        shown: String,
        /// As written, for `include_str!`.
        path: LitStr,
        pointer: Option<LitStr>,
        /// Its text; `None` where the source file is unknown, and with it the file.
        template: Option<Template>,
        lints: Option<Lints>,
    },
    /// The policy itself.
    Inline { template: Template, lints: Option<Lints> },
    /// An AWS managed policy by name, or any managed policy by ARN.
    Managed,
}

/// What is to be warned of, in words for the compiler's output.
pub(crate) type Lints = String;

impl Document {
    /// Finds and checks what the literal names; the lints in `allow` are not reported.
    pub(crate) fn read(
        literal: &LitStr,
        kind: PolicyKind,
        allow: &[&Lint],
        source_file: SourceFile<'_>,
    ) -> Result<Document> {
        let text = literal.value();
        if text.trim_start().starts_with('{') {
            let (template, lints) = check(&Source::inline(&*text), kind, allow, literal)?;
            return Ok(Document::Inline { template, lints });
        }
        if is_arn(&text) || !text.contains(['/', '.', '#']) {
            check_managed(&text, kind, literal)?;
            return Ok(Document::Managed);
        }
        let (path, pointer) = match text.split_once('#') {
            Some((path, pointer)) => (path, Some(pointer)),
            None => (&*text, None),
        };
        let source_file = source_file(literal.span());
        let (shown, template, lints) = match source_file.as_deref().and_then(Path::parent) {
            Some(directory) => {
                let source = read_file(directory, path, pointer, literal)?;
                let (template, lints) = check(&source, kind, allow, literal)?;
                (source.name().to_owned(), Some(template), lints)
            }
            None => (path.to_owned(), None, None),
        };
        Ok(Document::File {
            shown,
            path: LitStr::new(path, literal.span()),
            pointer: pointer.map(|pointer| LitStr::new(pointer, literal.span())),
            template,
            lints,
        })
    }

    /// The document's text with its placeholders, as far as it is known now.
    pub(crate) fn template(&self) -> Option<&Template> {
        match self {
            Document::File { template, .. } => template.as_ref(),
            Document::Inline { template, .. } => Some(template),
            Document::Managed => None,
        }
    }

    /// What IAM takes and is probably a mistake.
    pub(crate) fn lints(&self) -> Option<&Lints> {
        match self {
            Document::File { lints, .. } | Document::Inline { lints, .. } => lints.as_ref(),
            Document::Managed => None,
        }
    }
}

fn read_file(directory: &Path, path: &str, pointer: Option<&str>, literal: &LitStr) -> Result<Source> {
    let file = tidy(&directory.join(path));
    let shown = file.display();
    let text = fs::read_to_string(&file).map_err(|error| {
        let message = if file.exists() {
            format!("cannot read `{shown}`: {error}")
        } else {
            no_file(&file, directory, path)
        };
        syn::Error::new(literal.span(), message)
    })?;
    let source = Source::new(shown.to_string(), text);
    match pointer {
        Some(pointer) => source.pointer(pointer).map_err(|diagnostics| rendered(&diagnostics, literal)),
        None => Ok(source),
    }
}

/// What would be refused is an error, and mistakes that IAM takes are warned of; advice is for the command line.
fn check(
    source: &Source,
    kind: PolicyKind,
    allow: &[&Lint],
    literal: &LitStr,
) -> Result<(Template, Option<Lints>)> {
    let is_allowed = |found: &Diagnostic| allow.iter().any(|lint| lint.code() == found.code);
    let mut found = Policy::check_template(source, kind);
    found.retain(|found| found.severity != Severity::Note && !is_allowed(found));
    for mistake in &mut found {
        if let Some(lint) = Lint::find(mistake.code) {
            let allow = format!("`allow({})`", lint.ident());
            mistake.help = Some(match mistake.help.take() {
                Some(help) => format!("{help} (or {allow})"),
                None => format!("add {allow} if it is meant so"),
            });
            // The embedded endpoint cannot evaluate such a key, so it would refuse the policy when it is put.
            if lint.code() == "lint::unknown-condition-key" {
                mistake.severity = Severity::Error;
            }
        }
    }
    if found.iter().any(|found| found.severity == Severity::Error) {
        return Err(syn::Error::new(literal.span(), all_problems(&found)));
    }
    let lints = (!found.is_empty()).then(|| all_problems(&found));
    Ok((Template::parse(source.clone()), lints))
}

fn rendered(diagnostics: &Diagnostics, literal: &LitStr) -> syn::Error {
    syn::Error::new(literal.span(), all_problems(diagnostics))
}

/// All problems of a document, for one error on the literal that names it.
pub(crate) fn all_problems<'d>(diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> String {
    let rendered: Vec<String> = diagnostics.into_iter().map(Diagnostic::to_string).collect();
    let problems = match rendered.len() {
        1 => "a problem".to_owned(),
        many => format!("{many} problems"),
    };
    format!("this policy has {problems}\n\n{}", rendered.join("\n\n"))
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
}

fn check_managed(name: &str, kind: PolicyKind, literal: &LitStr) -> Result<()> {
    if kind == PolicyKind::Session {
        let message = format!(
            "`{name}` is a managed policy\n  = help: name a file: a session policy is passed as a document"
        );
        return Err(syn::Error::new(literal.span(), message));
    }
    // An ARN may be of an account, or of a policy that AWS published after this crate.
    if is_arn(name) || managed::find(name).is_some() {
        return Ok(());
    }
    let help = suggestion(managed::near_names(name).first().copied());
    let message = format!(
        "AWS has no managed policy `{name}`{help}\n  \
         = note: a file has a `.` or a `/` in its name; managed policies of an account go by ARN"
    );
    Err(syn::Error::new(literal.span(), message))
}

fn no_file(file: &Path, directory: &Path, path: &str) -> String {
    format!(
        "there is no file `{path}`{}\n  = note: looked for `{}`, since a path is relative to the source file",
        suggestion(near_path(directory, path).as_deref()),
        file.display()
    )
}

/// The path that was meant: with one part spelled right, or seen from the package or the workspace.
fn near_path(directory: &Path, path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let without_start = (1..parts.len()).filter_map(|start| Some(parts.get(start..)?.join("/")));
    let from_above = (1..4).map(|levels| format!("{}{path}", "../".repeat(levels)));
    let mut elsewhere = without_start.chain(from_above);
    misspelled(directory, &parts).or_else(|| elsewhere.find(|path| directory.join(path).is_file()))
}

fn misspelled(directory: &Path, parts: &[&str]) -> Option<String> {
    let mut existing = directory.to_owned();
    let wrong = parts.iter().position(|part| {
        let next = existing.join(part);
        let exists = next.exists();
        if exists {
            existing = next;
        }
        !exists
    })?;
    let here = if existing.as_os_str().is_empty() { Path::new(".") } else { &existing };
    let names: Vec<String> =
        fs::read_dir(here).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let near = *near(parts.get(wrong)?, names.iter().map(String::as_str)).first()?;
    let mut meant = parts.to_vec();
    *meant.get_mut(wrong)? = near;
    let meant = meant.join("/");
    directory.join(&meant).is_file().then_some(meant)
}

/// Without `.` and `..`, as rustc shows paths.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidy.components().next_back(), Some(Component::Normal(_))) => {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, kind: PolicyKind) -> std::result::Result<Document, String> {
        let source_file = |_| Some(PathBuf::from("testdata/some_test.rs"));
        Document::read(&LitStr::new(text, Span::call_site()), kind, &[], &source_file)
            .map_err(|error| error.to_string())
    }

    fn error(text: &str) -> String {
        read(text, PolicyKind::Identity).err().unwrap()
    }

    #[test]
    fn a_file_is_found_from_the_source_file() {
        let Document::File { shown, path, pointer, template, lints: None } =
            read("../testdata/policies/reader.json", PolicyKind::Identity).unwrap()
        else {
            unreachable!("a file")
        };
        assert_eq!(
            (shown.as_str(), path.value(), pointer.is_none()),
            ("testdata/policies/reader.json", "../testdata/policies/reader.json".to_owned(), true)
        );
        assert_eq!(
            template.unwrap().variables().map(|(name, _)| name.to_owned()).collect::<Vec<_>>(),
            ["bucket"]
        );
    }

    #[test]
    fn without_the_source_file_a_path_is_taken_on_trust() {
        let literal = LitStr::new("nowhere.json#/a", Span::call_site());
        let document = Document::read(&literal, PolicyKind::Identity, &[], &|_| None).unwrap();
        let Document::File { shown, path, pointer, template: None, lints: None } = document else {
            unreachable!("an unread file")
        };
        assert_eq!(
            (shown.as_str(), path.value(), pointer.unwrap().value()),
            ("nowhere.json", "nowhere.json".to_owned(), "/a".to_owned())
        );
    }

    #[test]
    fn a_pointer_narrows_a_file_and_a_miss_names_what_is_there() {
        let document =
            read("template.json#/Resources/Reader/Properties/PolicyDocument", PolicyKind::Identity).unwrap();
        assert!(document.template().unwrap().source().fragment().starts_with("{\n          \"Version\""));
        let error = error("template.json#/Resources/Raeder");
        assert!(
            error.contains("did you mean `Reader`?") && error.contains("testdata/template.json:2:"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_file_is_answered_with_the_near_names() {
        for (written, meant) in [
            ("policies/reder.json", "policies/reader.json"),
            ("polices/reader.json", "policies/reader.json"),
            ("testdata/policies/reader.json", "policies/reader.json"),
            ("src/lib.rs", "../src/lib.rs"),
        ] {
            let error = error(written);
            assert!(
                error
                    .starts_with(&format!("there is no file `{written}`\n  = help: did you mean `{meant}`?")),
                "{error}"
            );
            assert!(
                error.ends_with(&format!(
                    "looked for `testdata/{written}`, since a path is relative to the source file"
                )),
                "{error}"
            );
        }
        assert!(!error("nothing/like/it.json").contains("did you mean"));
    }

    #[test]
    fn every_problem_of_a_broken_file_is_shown_with_its_line() {
        let error = error("policies/broken.json");
        assert!(error.starts_with("this policy has 2 problems\n"), "{error}");
        assert!(error.contains("--> testdata/policies/broken.json:4:15"), "{error}");
        assert!(error.contains("--> testdata/policies/broken.json:6:20"), "{error}");
    }

    #[test]
    fn mistakes_that_iam_takes_are_warned_of_until_they_are_allowed_and_advice_is_not() {
        let policy = |action: &str| {
            format!(
                r#"{{"Statement": {{"Effect": "Allow", "Action": {action}, "Resource": "arn:aws:s3:::b/*"}}}}"#
            )
        };
        let several = policy(r#"["s3:GetObjct", "s3:ListBucket", "s3:ListAllMyBuckets"]"#);
        let document = read(&several, PolicyKind::Identity).unwrap();
        let lints = document.lints().expect("there are mistakes");
        assert!(lints.starts_with("this policy has 2 problems\n\nwarning[lint::unknown-action]"), "{lints}");
        assert!(lints.contains("did you mean `s3:GetObject`? (or `allow(unknown_action)`)"), "{lints}");

        let literal = LitStr::new(&policy(r#""s3:GetObjct""#), Span::call_site());
        let allow: Vec<&Lint> = Lint::find("unknown_action").into_iter().collect();
        let document = Document::read(&literal, PolicyKind::Identity, &allow, &|_| None).unwrap();
        assert_eq!(document.lints(), None);
    }

    #[test]
    fn a_key_that_nothing_can_evaluate_is_an_error() {
        let error = error(
            r#"{"Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b",
                "Condition": {"StringEquals": {"s3:prefixx": "a"}}}}"#,
        );
        assert!(
            error.starts_with("this policy has a problem\n\nerror[lint::unknown-condition-key]"),
            "{error}"
        );
    }

    #[test]
    fn a_directory_is_not_a_policy() {
        assert!(error("./policies").starts_with("cannot read `testdata/policies`: "));
    }

    #[test]
    fn names_without_dots_and_slashes_are_managed_policies() {
        for managed in [
            "ReadOnlyAccess",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:iam::123456789012:policy/ours",
        ] {
            assert!(matches!(read(managed, PolicyKind::Boundary), Ok(Document::Managed)), "{managed}");
        }
        let error = error("ReadOnlyAcces");
        assert!(error.contains("did you mean `ReadOnlyAccess`?"), "{error}");
    }

    #[test]
    fn a_session_policy_is_no_managed_policy() {
        let error = read("ReadOnlyAccess", PolicyKind::Session).err().unwrap();
        assert!(error.starts_with("`ReadOnlyAccess` is a managed policy"), "{error}");
    }

    #[test]
    fn a_policy_may_stand_in_the_literal() {
        let text =
            r#" {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#;
        assert!(matches!(read(text, PolicyKind::Identity), Ok(Document::Inline { .. })));
        assert!(error("{\"Statement\": 1}").contains("<policy>:1:"));
    }
}
