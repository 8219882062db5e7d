//! Reads policies from files, from parts of files, and from standard input.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use iam_policy::{Diagnostics, Source};

use crate::failure::Failure;

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

/// Reads what an argument names: `file.json`, `file.json#/json/pointer`, or `-` for standard input.
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
    let text = fs::read_to_string(path).map_err(|error| Failure::Input { name: path.to_owned(), error })?;
    Ok(Source::new(path, text))
}

fn stdin() -> Result<Source, Failure> {
    let name = "<stdin>";
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text);
    read.map_err(|error| Failure::Input { name: name.to_owned(), error })?;
    Ok(Source::new(name, text))
}
