//! Parameters and their versions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{State, no_such_parameter};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::input::Input;
use crate::kept::{Ask, seconds};
use crate::tags::{self, Tags};

/// The one pair of the encryption context.
const CONTEXT: &str = "PARAMETER_ARN";

/// A parameter with its latest versions.
///
/// INVARIANT: there is at least one version; they are in order.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) tags: Tags,
    pub(super) versions: Vec<Version>,
}

/// One version of a parameter.
#[derive(Clone)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) kind: &'static str,
    pub(super) value: String,
    /// What is shown of a `SecureString` to whom it is not decrypted for.
    sealed: String,
    /// What encrypts a `SecureString`, and nothing else.
    pub(super) key: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tier: &'static str,
    pub(super) data_type: &'static str,
    pub(super) labels: BTreeSet<String>,
    pub(super) modified: u64,
    pub(super) modified_by: String,
}

impl Parameter {
    pub(super) fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// The version of a selector: `:3`, `:label`, or nothing for the latest.
    fn selected(&self, selector: Option<&str>) -> Option<&Version> {
        match selector {
            None => self.latest(),
            Some(selector) => match selector.parse::<u64>() {
                Ok(number) => self.versions.iter().find(|version| version.number == number),
                Err(_) => self.versions.iter().find(|version| version.labels.contains(selector)),
            },
        }
    }

    /// The value; decrypted for whoever wants that and may have the key used.
    ///
    /// See <https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html>.
    pub(super) fn shown<'v>(
        &self,
        version: &'v Version,
        with_decryption: bool,
        ask: &Ask<'_>,
    ) -> Result<&'v str, Fault> {
        match &version.key {
            Some(key) if with_decryption => {
                ask.use_key(key, &["Decrypt"], &[(CONTEXT, &self.arn)])?;
                Ok(&version.value)
            }
            Some(_) => Ok(&version.sealed),
            None => Ok(&version.value),
        }
    }

    /// What `GetParameter` tells.
    pub(super) fn told(&self, version: &Version, with_decryption: bool, ask: &Ask<'_>) -> Answer {
        let value = self.shown(version, with_decryption, ask)?;
        Ok(json!({
            "Name": self.name,
            "ARN": self.arn,
            "Type": version.kind,
            "Value": value,
            "Version": version.number,
            "LastModifiedDate": seconds(version.modified),
            "DataType": version.data_type,
        }))
    }
}

/// See <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>.
pub(super) fn put(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["Policies"])?;
    let name = input.sized("Name", 1, 2048)?;
    let name = name.rsplit_once(":parameter").map_or(name, |(_, name)| name);
    check_name(name)?;
    let value = input.sized("Value", 1, 8192)?;
    let description = input.text("Description")?;
    let kind = input.one_of("Type", &["String", "StringList", "SecureString"])?;
    let tier = input.one_of("Tier", &["Standard", "Advanced", "Intelligent-Tiering"])?.unwrap_or("Standard");
    let data_type =
        input.one_of("DataType", &["text", "aws:ec2:image", "aws:ssm:integration"])?.unwrap_or("text");
    // Neither regular expressions nor images are looked at here.
    input.without(&["AllowedPattern"])?;
    if data_type != "text" {
        return Err(Fault::NotPerformed);
    }
    if let Some(description) = description {
        input.check_size("Description", description, 0, 1024)?;
    }
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
    let tier = match tier {
        "Intelligent-Tiering" if value.len() > 4096 => "Advanced",
        "Intelligent-Tiering" => "Standard",
        tier => tier,
    };
    if tier == "Standard" && value.len() > 4096 {
        return Err(input.invalid(
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a \
             larger parameter \
             value, upgrade the parameter to use the advanced-parameter tier.",
        ));
    }
    let overwrite = input.boolean("Overwrite")?.unwrap_or(false);
    let tags = input.tag_list("Tags", "Key", "Value")?;
    if overwrite && !tags.is_empty() {
        return Err(input.invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, \
             please remove \
             overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
             RemoveTagsFromResource.",
        ));
    }
    if let Some(problem) = tags::problem(&tags) {
        return Err(input.invalid(problem));
    }
    let earlier = state.parameters.get(name);
    if earlier.is_some() && !overwrite {
        return Err(Fault::new(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request \
             to true.",
        ));
    }
    let latest = earlier.and_then(Parameter::latest);
    let kind = match (kind, latest) {
        (Some(kind), Some(latest)) if kind != latest.kind => {
            return Err(Fault::new(
                "HierarchyTypeMismatchException",
                "You can't change a parameter from one type to another. Create a new, unique parameter \
                 instead.",
            ));
        }
        (Some(kind), _) => kind,
        (None, Some(latest)) => latest.kind,
        (None, None) => {
            return Err(input.invalid("A parameter type is required when you create a parameter."));
        }
    };
    let arn = ask.scope.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')));
    let key = if kind == "SecureString" { Some(sealing_key(ask, &arn, tier)?) } else { None };
    let version = Version {
        number: latest.map_or(1, |latest| latest.number + 1),
        kind,
        value: value.to_owned(),
        sealed: ids::base64(ids::bytes(24 + value.len())),
        key,
        description: description.map(str::to_owned).or_else(|| latest?.description.clone()),
        tier,
        data_type,
        labels: BTreeSet::new(),
        modified: ask.now,
        modified_by: ask.allowed.principal.clone(),
    };
    let answer = json!({"Version": version.number, "Tier": tier});
    let parameter = state.parameters.entry(name.to_owned()).or_insert_with(|| Parameter {
        name: name.to_owned(),
        arn,
        tags,
        versions: Vec::new(),
    });
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html
    if parameter.versions.len() >= 100 {
        if parameter.versions.first().is_some_and(|oldest| !oldest.labels.is_empty()) {
            return Err(Fault::new(
                "ParameterMaxVersionLimitExceeded",
                "The parameter has 100 versions, and the oldest has a label. Move the label to a newer \
                 version and try again.",
            ));
        }
        parameter.versions.remove(0);
    }
    parameter.versions.push(version);
    Ok(answer)
}

/// The key that encrypts a new version, which the caller may have used.
fn sealing_key(ask: &Ask<'_>, arn: &str, tier: &str) -> Result<String, Fault> {
    let key = ask.input.text("KeyId")?.unwrap_or("alias/aws/ssm");
    let operation = if tier == "Standard" { "Encrypt" } else { "GenerateDataKey" };
    ask.use_key(key, &[operation], &[(CONTEXT, arn)])?;
    Ok(key.to_owned())
}

/// See <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>.
fn check_name(name: &str) -> Result<(), Fault> {
    let bare = name.trim_start_matches('/').to_ascii_lowercase();
    if bare.starts_with("aws") || bare.starts_with("ssm") {
        return Err(Fault::new(
            "ValidationException",
            "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).",
        ));
    }
    let is_valid = !bare.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-/".contains(&b))
        && !name.contains("//")
        && !name.ends_with('/')
        && (!name.contains('/') || name.starts_with('/'));
    if !is_valid {
        return Err(Fault::new(
            "ValidationException",
            "Parameter name must be a fully qualified name. It can only include letters, digits and the \
             characters _.-/",
        ));
    }
    if name.split('/').count() > 16 {
        return Err(Fault::new(
            "HierarchyLevelLimitExceededException",
            "A hierarchy can have a maximum of 15 levels.",
        ));
    }
    Ok(())
}

pub(super) fn get(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.sized("Name", 1, 2048)?;
    let with_decryption = ask.input.boolean("WithDecryption")?.unwrap_or(false);
    let found = find(state, name, ask, with_decryption)?;
    Ok(json!({ "Parameter": found }))
}

/// The parameter of a name that may have a selector.
fn find(state: &mut State, name: &str, ask: &Ask<'_>, with_decryption: bool) -> Answer {
    // An ARN has colons of its own.
    let bare = name.find(":parameter/").map_or(0, |at| at + 1);
    let selector = name.get(bare..).and_then(|rest| rest.split_once(':')).map(|(_, selector)| selector);
    let stem = selector.map_or(name, |selector| name.get(..name.len() - selector.len() - 1).unwrap_or(name));
    let parameter = state.named(stem, ask)?;
    let Some(version) = parameter.selected(selector) else {
        let message = "Systems Manager could not find the version or label of the parameter.";
        return Err(Fault::new("ParameterVersionNotFound", message));
    };
    let mut told = parameter.told(version, with_decryption, ask)?;
    if let (Some(members), Some(selector)) = (told.as_object_mut(), selector) {
        members.insert("Selector".to_owned(), format!(":{selector}").into());
    }
    Ok(told)
}

pub(super) fn get_several(state: &mut State, ask: &Ask<'_>) -> Answer {
    let with_decryption = ask.input.boolean("WithDecryption")?.unwrap_or(false);
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for name in names(ask.input)? {
        match find(state, name, ask, with_decryption) {
            Ok(parameter) => found.push(parameter),
            Err(Fault::Error(_)) => invalid.push(name),
            Err(fault) => return Err(fault),
        }
    }
    Ok(json!({"Parameters": found, "InvalidParameters": invalid}))
}

fn names(input: Input<'_>) -> Result<Vec<&str>, Fault> {
    input.required_list("Names")?;
    let names = input.texts("Names")?;
    if (1..=10).contains(&names.len()) {
        return Ok(names);
    }
    let given = format!("[{}]", names.join(", "));
    Err(input.violated("Names", &given, "Member must have length between 1 and 10, inclusive"))
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let name = ask.input.sized("Name", 1, 2048)?;
    state.parameters.remove(name).map(|_| Value::Null).ok_or_else(no_such_parameter)
}

pub(super) fn delete_several(state: &mut State, ask: &Ask<'_>) -> Answer {
    let names = names(ask.input)?;
    let (deleted, invalid): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| state.parameters.remove(*name).is_some());
    Ok(json!({"DeletedParameters": deleted, "InvalidParameters": invalid}))
}
