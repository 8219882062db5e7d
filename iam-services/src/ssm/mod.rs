//! Systems Manager's Parameter Store.
//!
//! See <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html>. The rest of
//! Systems Manager is not performed, nor are parameter policies.

mod filter;
mod label;
mod list;
mod parameter;
mod tag;

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::kept::{Ask, Operation, Service};
use crate::scope::Arn;
use crate::tags::Tags;
use crate::wire::{Json, Wire};
use parameter::Parameter;

/// The parameters of an account in a region, by name.
#[derive(Default)]
pub(crate) struct State {
    parameters: BTreeMap<String, Parameter>,
}

impl Service for State {
    const NAME: &'static str = "ssm";
    const WIRE: Wire = Wire::Json(Json::V1_1);
    const INVALID: &'static str = "ValidationException";
    const OWNERS: &'static [&'static str] = &["Name"];

    fn operation(name: &str) -> Option<Operation<Self>> {
        Some(match name {
            "AddTagsToResource" => tag::add,
            "DeleteParameter" => parameter::delete,
            "DeleteParameters" => parameter::delete_several,
            "DescribeParameters" => list::describe,
            "GetParameter" => parameter::get,
            "GetParameterHistory" => list::history,
            "GetParameters" => parameter::get_several,
            "GetParametersByPath" => list::by_path,
            "LabelParameterVersion" => label::add,
            "ListTagsForResource" => tag::list,
            "PutParameter" => parameter::put,
            "RemoveTagsFromResource" => tag::remove,
            "UnlabelParameterVersion" => label::remove,
            _ => return None,
        })
    }

    fn tags(&self, arn: &Arn<'_>) -> Option<Tags> {
        let name = arn.resource.strip_prefix("parameter").filter(|name| name.starts_with('/'))?;
        // `parameter/name` is the ARN of `name` and of `/name` alike.
        let parameter = self.parameters.get(name).or_else(|| self.parameters.get(name.strip_prefix('/')?));
        Some(parameter.map(|parameter| parameter.tags.clone()).unwrap_or_default())
    }
}

impl State {
    /// The parameter of a name or an ARN.
    fn named(&mut self, name: &str, ask: &Ask<'_>) -> Result<&mut Parameter, Fault> {
        let name = match Arn::parse(name) {
            Some(arn) if arn.service == "ssm" && ask.scope.holds(&arn) => {
                let name = arn.resource.strip_prefix("parameter").unwrap_or_default();
                if self.parameters.contains_key(name) { name } else { name.strip_prefix('/').unwrap_or(name) }
            }
            _ => name,
        };
        self.parameters.get_mut(name).ok_or_else(no_such_parameter)
    }
}

/// AWS gives it no message.
fn no_such_parameter() -> Fault {
    Fault::new("ParameterNotFound", "")
}
