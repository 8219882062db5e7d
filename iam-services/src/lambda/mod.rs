//! Lambda: functions, versions, aliases, permissions.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/api/welcome.html>. No function runs: of `Invoke`, only the dry run is
//! performed. Layers, event sources, function URLs and the rest are not performed.

mod alias;
mod function;
mod permission;
mod setting;
mod version;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fault::Fault;
use crate::kept::{Ask, Operation, Service};
use crate::scope::Arn;
use crate::tags::Tags;
use crate::wire::{Route, Wire};
use function::Function;

/// The functions of an account in a region, by name.
#[derive(Default)]
pub(crate) struct State {
    functions: BTreeMap<String, Function>,
}

const fn route(operation: &'static str, path: &'static str, status: u16) -> Route {
    Route { operation, path, status }
}

const FUNCTION: &str = "/2015-03-31/functions/{FunctionName}";
const ALIASES: &str = "/2015-03-31/functions/{FunctionName}/aliases";
const ALIAS: &str = "/2015-03-31/functions/{FunctionName}/aliases/{Name}";
const CONFIGURATION: &str = "/2015-03-31/functions/{FunctionName}/configuration";
const POLICY: &str = "/2015-03-31/functions/{FunctionName}/policy";
const TAGS: &str = "/2017-03-31/tags/{Resource}";
const VERSIONS: &str = "/2015-03-31/functions/{FunctionName}/versions";

const ROUTES: [Route; 25] = [
    route("AddPermission", POLICY, 201),
    route("CreateAlias", ALIASES, 201),
    route("CreateFunction", "/2015-03-31/functions", 201),
    route("DeleteAlias", ALIAS, 204),
    route("DeleteFunction", FUNCTION, 204),
    route("DeleteFunctionConcurrency", "/2017-10-31/functions/{FunctionName}/concurrency", 204),
    route("GetAccountSettings", "/2016-08-19/account-settings", 200),
    route("GetAlias", ALIAS, 200),
    route("GetFunction", FUNCTION, 200),
    route("GetFunctionConcurrency", "/2019-09-30/functions/{FunctionName}/concurrency", 200),
    route("GetFunctionConfiguration", CONFIGURATION, 200),
    route("GetPolicy", POLICY, 200),
    route("Invoke", "/2015-03-31/functions/{FunctionName}/invocations", 204),
    route("ListAliases", ALIASES, 200),
    route("ListFunctions", "/2015-03-31/functions", 200),
    route("ListTags", TAGS, 200),
    route("ListVersionsByFunction", VERSIONS, 200),
    route("PublishVersion", VERSIONS, 201),
    route("PutFunctionConcurrency", "/2017-10-31/functions/{FunctionName}/concurrency", 200),
    route("RemovePermission", "/2015-03-31/functions/{FunctionName}/policy/{StatementId}", 204),
    route("TagResource", TAGS, 204),
    route("UntagResource", TAGS, 204),
    route("UpdateAlias", ALIAS, 200),
    route("UpdateFunctionCode", "/2015-03-31/functions/{FunctionName}/code", 200),
    route("UpdateFunctionConfiguration", CONFIGURATION, 200),
];

impl Service for State {
    const NAME: &'static str = "lambda";
    const WIRE: Wire = Wire::Rest(&ROUTES);
    const INVALID: &'static str = "InvalidParameterValueException";
    const OWNERS: &'static [&'static str] = &["FunctionName", "Resource"];

    fn operation(name: &str) -> Option<Operation<Self>> {
        Some(match name {
            "AddPermission" => permission::add,
            "CreateAlias" => alias::create,
            "CreateFunction" => function::create,
            "DeleteAlias" => alias::delete,
            "DeleteFunction" => function::delete,
            "DeleteFunctionConcurrency" => setting::delete_concurrency,
            "GetAccountSettings" => setting::account,
            "GetAlias" => alias::get,
            "GetFunction" => function::get,
            "GetFunctionConcurrency" => setting::concurrency,
            "GetFunctionConfiguration" => function::configuration,
            "GetPolicy" => permission::policy,
            "Invoke" => function::invoke,
            "ListAliases" => alias::list,
            "ListFunctions" => function::list,
            "ListTags" => setting::list_tags,
            "ListVersionsByFunction" => version::list,
            "PublishVersion" => version::publish,
            "PutFunctionConcurrency" => setting::put_concurrency,
            "RemovePermission" => permission::remove,
            "TagResource" => setting::tag,
            "UntagResource" => setting::untag,
            "UpdateAlias" => alias::update,
            "UpdateFunctionCode" => function::update_code,
            "UpdateFunctionConfiguration" => function::update_configuration,
            _ => return None,
        })
    }

    fn tags(&self, arn: &Arn<'_>) -> Option<Tags> {
        let name = arn.resource.strip_prefix("function:")?;
        let function = self.functions.get(name.split(':').next().unwrap_or(name));
        Some(function.map(|function| function.tags.clone()).unwrap_or_default())
    }
}

impl State {
    /// The function of the `FunctionName`, and the version or alias that is meant.
    fn function<'a>(&mut self, ask: &Ask<'a>) -> Result<(&mut Function, Option<&'a str>), Fault> {
        let (name, qualifier) = named(ask)?;
        let found = self.functions.get_mut(name);
        let function = found.ok_or_else(|| not_found("Function", &function_arn(ask, name)))?;
        Ok((function, qualifier))
    }
}

/// `name`, `name:alias`, an ARN, or an ARN without its beginning; and the `Qualifier`.
fn named<'a>(ask: &Ask<'a>) -> Result<(&'a str, Option<&'a str>), Fault> {
    let text = ask.input.sized("FunctionName", 1, 170)?;
    let rest = text.split_once(":function:").map_or(text, |(_, rest)| rest);
    let (name, of_name) =
        rest.split_once(':').map_or((rest, None), |(name, qualifier)| (name, Some(qualifier)));
    let qualifier = ask.input.text("Qualifier")?;
    if of_name.is_some() && qualifier.is_some() && of_name != qualifier {
        return Err(ask.input.invalid(
            "The derived qualifier from the function name does not match the specified qualifier.",
        ));
    }
    Ok((name, qualifier.or(of_name)))
}

fn function_arn(ask: &Ask<'_>, name: &str) -> String {
    ask.scope.arn("lambda", &format!("function:{name}"))
}

fn not_found(what: &str, arn: &str) -> Fault {
    Fault::with_status(404, "ResourceNotFoundException", format!("{what} not found: {arn}"))
}

fn conflict(message: String) -> Fault {
    Fault::with_status(409, "ResourceConflictException", message)
}

/// `{name: items, "NextMarker": …}`
fn paged(name: &str, items: &[Value], marker: Option<&str>) -> Value {
    serde_json::json!({ name: items, "NextMarker": marker })
}
