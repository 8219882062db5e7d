//! Functions: made, looked at, changed, deleted.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::alias::Alias;
use super::permission::Permission;
use super::{State, conflict, function_arn, not_found, paged, version};
use crate::calendar::date_time_to_the_millisecond;
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::input::Input;
use crate::kept::Ask;
use crate::page::page;
use crate::scope::Arn;
use crate::tags::{self, Tags};

/// A function with its versions.
pub(super) struct Function {
    pub(super) arn: String,
    /// `$LATEST`, as `GetFunctionConfiguration` tells it.
    pub(super) latest: Map<String, Value>,
    /// The versions that were published, in order.
    pub(super) versions: Vec<Map<String, Value>>,
    pub(super) last_version: u64,
    pub(super) aliases: BTreeMap<String, Alias>,
    pub(super) permissions: Vec<Permission>,
    pub(super) tags: Tags,
    pub(super) concurrency: Option<i64>,
    code: Value,
}

/// Members of a configuration that are told as they were given.
const GIVEN: [&str; 12] = [
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "Handler",
    "KMSKeyArn",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
    "TracingConfig",
];

/// What would need more than to be kept.
const OTHERS: [&str; 10] = [
    "AcceleratorConfig",
    "CapacityProviderConfig",
    "CodeSigningConfigArn",
    "DurableConfig",
    "FileSystemConfigs",
    "ImageConfig",
    "Layers",
    "RuntimeConfig",
    "SnapStart",
    "TenancyConfig",
];

impl Function {
    /// The configuration of a version, by number or alias.
    pub(super) fn version(&self, qualifier: Option<&str>) -> Result<Map<String, Value>, Fault> {
        let number = match qualifier {
            None | Some("$LATEST") => return Ok(self.latest.clone()),
            Some(qualifier) => match self.aliases.get(qualifier) {
                Some(alias) => &alias.version,
                None => qualifier,
            },
        };
        if number == "$LATEST" {
            return Ok(self.latest.clone());
        }
        let is_it = |of: &&Map<String, Value>| of.get("Version").and_then(Value::as_str) == Some(number);
        self.versions
            .iter()
            .find(is_it)
            .cloned()
            .ok_or_else(|| not_found("Function", &format!("{}:{}", self.arn, qualifier.unwrap_or_default())))
    }

    fn touch(&mut self, ask: &Ask<'_>) {
        self.latest.insert("LastModified".to_owned(), modified(ask.now).into());
        self.latest.insert("RevisionId".to_owned(), ids::uuid().into());
    }

    pub(super) fn check_revision(&self, input: Input<'_>) -> Result<(), Fault> {
        let current = self.latest.get("RevisionId").and_then(Value::as_str);
        if input.text("RevisionId")?.is_none_or(|revision| Some(revision) == current) {
            return Ok(());
        }
        Err(Fault::with_status(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias \
             API to retrieve \
             the latest Revision Id",
        ))
    }
}

/// `2026-11-22T00:00:00.000+0000`
pub(super) fn modified(now: u64) -> String {
    format!("{}+0000", date_time_to_the_millisecond(now))
}

/// See <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>.
pub(super) fn create(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&OTHERS)?;
    input.without(&["PublishTo"])?;
    let name = input.sized("FunctionName", 1, 140)?;
    let name = name.split_once(":function:").map_or(name, |(_, name)| name);
    if name.len() > 64 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
        return Err(input.violated(
            "FunctionName",
            name,
            "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+",
        ));
    }
    let code = Code::read(input.required_object("Code")?)?;
    let package = input.one_of("PackageType", &["Zip", "Image"])?.unwrap_or("Zip");
    if package == "Zip" {
        for member in ["Runtime", "Handler"] {
            if input.text(member)?.is_none() {
                return Err(input.invalid(format!(
                    "{member} is mandatory for functions created with deployment packages."
                )));
            }
        }
    }
    input.required("Role")?;
    check(input)?;
    let tags = input.tag_map("Tags")?;
    if let Some(problem) = tags::problem(&tags) {
        return Err(input.invalid(problem));
    }
    if state.functions.contains_key(name) {
        return Err(conflict(format!("Function already exist: {name}")));
    }
    let arn = function_arn(ask, name);
    let mut latest = Map::new();
    let mut set = |name: &str, value: Value| latest.insert(name.to_owned(), value);
    set("Description", "".into());
    set("Timeout", 3.into());
    set("MemorySize", 128.into());
    set("TracingConfig", json!({"Mode": "PassThrough"}));
    set("EphemeralStorage", json!({"Size": 512}));
    for member in GIVEN {
        if let Some(value) = input.value(member) {
            set(member, value.clone());
        }
    }
    let group = format!("/aws/lambda/{name}");
    set(
        "LoggingConfig",
        input
            .value("LoggingConfig")
            .cloned()
            .unwrap_or_else(|| json!({"LogFormat": "Text", "LogGroup": group})),
    );
    set("Architectures", input.value("Architectures").cloned().unwrap_or_else(|| json!(["x86_64"])));
    set(
        "VpcConfig",
        input
            .value("VpcConfig")
            .cloned()
            .unwrap_or_else(|| json!({"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""})),
    );
    set("PackageType", package.into());
    set("FunctionName", name.into());
    set("FunctionArn", arn.as_str().into());
    set("Version", "$LATEST".into());
    set("State", "Active".into());
    set("LastUpdateStatus", "Successful".into());
    code.describe(&mut latest);
    let mut function = Function {
        arn,
        latest,
        versions: Vec::new(),
        last_version: 0,
        aliases: BTreeMap::new(),
        permissions: Vec::new(),
        tags,
        concurrency: None,
        code: code.location,
    };
    function.touch(ask);
    let answer = if input.boolean("Publish")?.unwrap_or(false) {
        version::add(&mut function, None)
    } else {
        function.latest.clone()
    };
    state.functions.insert(name.to_owned(), function);
    Ok(answer.into())
}

/// What is written by the same rules in a new function and in a changed one.
fn check(input: Input<'_>) -> Result<(), Fault> {
    input.within("Timeout", 1, 900)?;
    input.within("MemorySize", 128, 10_240)?;
    if let Some(role) = input.text("Role")?
        && !Arn::parse(role).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/"))
    {
        return Err(input.violated("Role", role, r"Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"));
    }
    if let Some(environment) = input.object("Environment")? {
        let variables = environment.map("Variables")?;
        let size: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > 4096 {
            return Err(input.invalid(
                "Lambda was unable to configure your environment variables because the \
                 environment variables you have provided exceeded the 4KB limit.",
            ));
        }
    }
    Ok(())
}

/// A function's code: only what is told of it.
struct Code {
    digest: String,
    size: usize,
    location: Value,
}

impl Code {
    fn read(input: Input<'_>) -> Result<Self, Fault> {
        let of = |bytes: &[u8], size: usize, location: Value| Self {
            digest: ids::base64(Sha256::digest(bytes)),
            size,
            location,
        };
        if let Some(zip) = input.blob("ZipFile")? {
            if !zip.starts_with(b"PK") {
                return Err(input.invalid(
                    "Could not unzip uploaded file. Please check your file, then try to upload again.",
                ));
            }
            return Ok(of(&zip, zip.len(), json!({"RepositoryType": "S3"})));
        }
        if let Some(image) = input.text("ImageUri")? {
            return Ok(of(image.as_bytes(), 0, json!({"RepositoryType": "ECR", "ImageUri": image})));
        }
        // What stands in the bucket is not read: the function never runs.
        match (input.text("S3Bucket")?, input.text("S3Key")?) {
            (Some(bucket), Some(key)) => Ok(of(
                format!("{bucket}/{key}/{}", input.text("S3ObjectVersion")?.unwrap_or_default()).as_bytes(),
                0,
                json!({"RepositoryType": "S3"}),
            )),
            _ => Err(input.invalid("Please provide a source for function code.")),
        }
    }

    fn describe(&self, told: &mut Map<String, Value>) {
        told.insert("CodeSha256".to_owned(), self.digest.as_str().into());
        told.insert("CodeSize".to_owned(), self.size.into());
    }
}

pub(super) fn get(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (function, qualifier) = state.function(ask)?;
    let mut answer = json!({"Configuration": function.version(qualifier)?, "Code": function.code});
    if let Some(members) = answer.as_object_mut() {
        if !function.tags.is_empty() {
            members.insert("Tags".to_owned(), tags::map(&function.tags));
        }
        if let Some(reserved) = function.concurrency {
            members.insert("Concurrency".to_owned(), json!({"ReservedConcurrentExecutions": reserved}));
        }
    }
    Ok(answer)
}

pub(super) fn configuration(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (function, qualifier) = state.function(ask)?;
    Ok(function.version(qualifier)?.into())
}

pub(super) fn list(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["MasterRegion"])?;
    let all = input.one_of("FunctionVersion", &["ALL"])?.is_some();
    let limit = input.limit("MaxItems", 10_000, 50)?;
    let (found, marker) = page(&state.functions, input.text("Marker")?, limit, |_, _| true)
        .ok_or_else(|| input.invalid("The marker is invalid."))?;
    let functions = found.into_iter().flat_map(|(_, function)| {
        let versions = function.versions.iter().filter(move |_| all);
        std::iter::once(&function.latest).chain(versions).map(|version| Value::Object(version.clone()))
    });
    Ok(paged("Functions", &functions.collect::<Vec<_>>(), marker.as_deref()))
}

/// See <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html>.
pub(super) fn update_code(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["PublishTo"])?;
    let code = Code::read(input)?;
    let is_dry = input.boolean("DryRun")?.unwrap_or(false);
    let publishes = input.boolean("Publish")?.unwrap_or(false);
    let (function, _) = state.function(ask)?;
    function.check_revision(input)?;
    if is_dry {
        let mut told = function.latest.clone();
        code.describe(&mut told);
        return Ok(told.into());
    }
    code.describe(&mut function.latest);
    function.code = code.location;
    if let Some(architectures) = input.value("Architectures") {
        function.latest.insert("Architectures".to_owned(), architectures.clone());
    }
    function.touch(ask);
    Ok(if publishes { version::add(function, None) } else { function.latest.clone() }.into())
}

/// See <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html>.
pub(super) fn update_configuration(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&OTHERS)?;
    check(input)?;
    let (function, _) = state.function(ask)?;
    function.check_revision(input)?;
    for member in GIVEN.into_iter().chain(["LoggingConfig", "VpcConfig"]) {
        if let Some(value) = input.value(member) {
            function.latest.insert(member.to_owned(), value.clone());
        }
    }
    function.touch(ask);
    Ok(function.latest.clone().into())
}

pub(super) fn delete(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (function, qualifier) = state.function(ask)?;
    match qualifier {
        None => {
            let name = function.arn.rsplit(':').next().unwrap_or_default().to_owned();
            state.functions.remove(&name);
        }
        Some("$LATEST") => {
            return Err(ask
                .input
                .invalid("$LATEST version cannot be deleted without deleting the function."));
        }
        Some(number) => {
            if let Some((alias, _)) = function.aliases.iter().find(|(_, alias)| alias.version == number) {
                return Err(conflict(format!(
                    "The function version {number} is referenced by the alias {alias} and cannot be deleted."
                )));
            }
            function.version(Some(number))?;
            function.versions.retain(|of| of.get("Version").and_then(Value::as_str) != Some(number));
        }
    }
    Ok(Value::Null)
}

/// Nothing runs; a dry run asks only whether it might.
pub(super) fn invoke(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (function, qualifier) = state.function(ask)?;
    function.version(qualifier)?;
    let kind = ask.allowed.request.headers().get("x-amz-invocation-type");
    if kind.is_some_and(|kind| kind == "DryRun") { Ok(Value::Null) } else { Err(Fault::NotPerformed) }
}
