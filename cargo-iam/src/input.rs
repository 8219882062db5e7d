//! Reads policies from files, from parts of files, and from standard input.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use iam_policy::{Diagnostics, Policy, Source, managed};

use crate::failure::Failure;
use crate::kind;

/// Why there is no policy at a place that an argument names.
pub(crate) enum Missing {
    /// The file cannot be read.
    File(Failure),
    /// The file has nothing at the JSON pointer.
    Pointer(Diagnostics),
}

impl From<Missing> for Failure {
    fn from(missing: Missing) -> Failure {
        match missing {
            Missing::File(failure) => failure,
            Missing::Pointer(problems) => Failure::Policy(problems),
        }
    }
}

/// Reads a policy, whose kind its text tells.
pub(crate) fn policy(argument: &str) -> Result<Policy, Failure> {
    let source = read(argument)?;
    let kind = kind::guess(source.fragment());
    Policy::parse(source, kind).map_err(Failure::Policy)
}

/// Reads what an argument names: `file.json`, `file.json#/json/pointer`, `-` for standard input, or an AWS managed
/// policy by its name or ARN where there is no such file.
pub(crate) fn read(argument: &str) -> Result<Source, Missing> {
    // A file may have a `#` in its name: it wins.
    let (path, pointer) = match argument.split_once('#') {
        Some((path, pointer)) if !Path::new(argument).exists() => (path, Some(pointer)),
        _ => (argument, None),
    };
    let source = if path == "-" { stdin() } else { file(path) }.map_err(Missing::File)?;
    match pointer {
        Some(pointer) => source.pointer(pointer).map_err(Missing::Pointer),
        None => Ok(source),
    }
}

fn file(path: &str) -> Result<Source, Failure> {
    match (fs::read_to_string(path), managed::find(path)) {
        (Ok(text), _) => Ok(Source::new(path, text)),
        (Err(error), Some(policy)) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Source::new(path, policy.document()))
        }
        (Err(error), _) => Err(Failure::Input { name: path.to_owned(), error }),
    }
}

fn stdin() -> Result<Source, Failure> {
    let name = "<stdin>";
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text);
    read.map_err(|error| Failure::Input { name: name.to_owned(), error })?;
    Ok(Source::new(name, text))
}
