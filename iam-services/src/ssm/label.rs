//! Labels of versions.
//!
//! See <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-labels.html>.

use serde_json::json;

use super::State;
use crate::fault::{Answer, Fault};
use crate::kept::Ask;

pub(super) fn add(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (name, number, labels) = read(ask)?;
    let parameter = state.named(name, ask)?;
    let number = number.or_else(|| parameter.latest().map(|latest| latest.number)).unwrap_or_default();
    if !parameter.versions.iter().any(|version| version.number == number) {
        return Err(no_such_version());
    }
    let (valid, invalid): (Vec<&str>, Vec<&str>) = labels.into_iter().partition(|label| is_label(label));
    for version in &mut parameter.versions {
        // A label is at one version only.
        version.labels.retain(|label| !valid.contains(&label.as_str()));
        if version.number == number {
            version.labels.extend(valid.iter().map(|label| (*label).to_owned()));
            if version.labels.len() > 10 {
                return Err(Fault::new(
                    "ParameterVersionLabelLimitExceeded",
                    "A parameter version can have at most 10 labels.",
                ));
            }
        }
    }
    Ok(json!({"InvalidLabels": invalid, "ParameterVersion": number}))
}

pub(super) fn remove(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (name, number, labels) = read(ask)?;
    let parameter = state.named(name, ask)?;
    let version = parameter.versions.iter_mut().find(|version| Some(version.number) == number);
    let version = version.ok_or_else(no_such_version)?;
    let (removed, invalid): (Vec<&str>, Vec<&str>) =
        labels.into_iter().partition(|label| version.labels.remove(*label));
    Ok(json!({"RemovedLabels": removed, "InvalidLabels": invalid}))
}

fn read<'a>(ask: &Ask<'a>) -> Result<(&'a str, Option<u64>, Vec<&'a str>), Fault> {
    let input = ask.input;
    let name = input.sized("Name", 1, 2048)?;
    input.required_list("Labels")?;
    let number = input.integer("ParameterVersion")?.map(|number| u64::try_from(number).unwrap_or_default());
    Ok((name, number, input.texts("Labels")?))
}

fn is_label(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    (1..=100).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        && !label.starts_with(|c: char| c.is_ascii_digit())
        && !lower.starts_with("aws")
        && !lower.starts_with("ssm")
}

fn no_such_version() -> Fault {
    Fault::new(
        "ParameterVersionNotFound",
        "Systems Manager could not find the specified version of the parameter.",
    )
}
