//! The table of IAM's operations.

use bytes::Bytes;
use http::Response;
use iam_policy::Context;

use super::grant::{self, Grants};
use super::input::Input;
use super::state::{Entity, Head, Named, State};
use super::tags::Tags;
use super::{key, policy, profile, role, user};
use crate::authorize::Access;
use crate::call::Call;
use crate::fault::Fault;
use crate::protocol::Protocol;
use crate::query::{self, Parameters};
use crate::xml::Xml;

/// One operation; its action has the same name.
struct Operation {
    name: &'static str,
    resource: fn(&Input<'_>) -> Result<Resource, Fault>,
    run: fn(&Input<'_>, &mut Xml) -> Result<(), Fault>,
}

/// What an operation is about, as far as authorization asks.
struct Resource {
    arn: String,
    tags: Tags,
    /// The permissions boundary that it has.
    boundary: Option<String>,
}

/// The operations in the order of their names, with the resource that each is authorized on.
///
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>
#[rustfmt::skip]
const OPERATIONS: &[Operation] = &[
    Operation { name: "AddRoleToInstanceProfile", resource: a_profile, run: profile::add_role },
    Operation { name: "AttachRolePolicy", resource: a_role, run: grant::attach::<role::Role> },
    Operation { name: "AttachUserPolicy", resource: a_user, run: grant::attach::<user::User> },
    Operation { name: "CreateAccessKey", resource: a_user, run: key::create },
    Operation { name: "CreateInstanceProfile", resource: new_profile, run: profile::create },
    Operation { name: "CreatePolicy", resource: new_policy, run: policy::create },
    Operation { name: "CreateRole", resource: new_role, run: role::create },
    Operation { name: "CreateUser", resource: new_user, run: user::create },
    Operation { name: "DeleteAccessKey", resource: a_user, run: key::delete },
    Operation { name: "DeleteInstanceProfile", resource: a_profile, run: profile::delete },
    Operation { name: "DeletePolicy", resource: a_policy, run: policy::delete },
    Operation { name: "DeleteRole", resource: a_role, run: role::delete },
    Operation { name: "DeleteRolePermissionsBoundary", resource: a_role, run: grant::delete_boundary::<role::Role> },
    Operation { name: "DeleteRolePolicy", resource: a_role, run: grant::delete_inline::<role::Role> },
    Operation { name: "DeleteUser", resource: a_user, run: user::delete },
    Operation { name: "DeleteUserPermissionsBoundary", resource: a_user, run: grant::delete_boundary::<user::User> },
    Operation { name: "DeleteUserPolicy", resource: a_user, run: grant::delete_inline::<user::User> },
    Operation { name: "DetachRolePolicy", resource: a_role, run: grant::detach::<role::Role> },
    Operation { name: "DetachUserPolicy", resource: a_user, run: grant::detach::<user::User> },
    Operation { name: "GetInstanceProfile", resource: a_profile, run: profile::read },
    Operation { name: "GetPolicy", resource: a_policy, run: policy::read },
    Operation { name: "GetPolicyVersion", resource: a_policy, run: policy::read_version },
    Operation { name: "GetRole", resource: a_role, run: role::read },
    Operation { name: "GetRolePolicy", resource: a_role, run: grant::read_inline::<role::Role> },
    Operation { name: "GetUser", resource: a_user, run: user::read },
    Operation { name: "GetUserPolicy", resource: a_user, run: grant::read_inline::<user::User> },
    Operation { name: "ListAccessKeys", resource: a_user, run: key::list },
    Operation { name: "ListAttachedRolePolicies", resource: a_role, run: grant::list_attached::<role::Role> },
    Operation { name: "ListAttachedUserPolicies", resource: a_user, run: grant::list_attached::<user::User> },
    Operation { name: "ListEntitiesForPolicy", resource: a_policy, run: policy::list_entities },
    Operation { name: "ListInstanceProfiles", resource: all_profiles, run: profile::list },
    Operation { name: "ListInstanceProfilesForRole", resource: a_role, run: profile::list_for_role },
    Operation { name: "ListPolicies", resource: all_policies, run: policy::list },
    Operation { name: "ListPolicyVersions", resource: a_policy, run: policy::list_versions },
    Operation { name: "ListRolePolicies", resource: a_role, run: grant::list_inline::<role::Role> },
    Operation { name: "ListRoleTags", resource: a_role, run: role::list_tags },
    Operation { name: "ListRoles", resource: all_roles, run: role::list },
    Operation { name: "ListUserPolicies", resource: a_user, run: grant::list_inline::<user::User> },
    Operation { name: "ListUsers", resource: all_users, run: user::list },
    Operation { name: "PutRolePermissionsBoundary", resource: a_role, run: grant::put_boundary::<role::Role> },
    Operation { name: "PutRolePolicy", resource: a_role, run: grant::put_inline::<role::Role> },
    Operation { name: "PutUserPermissionsBoundary", resource: a_user, run: grant::put_boundary::<user::User> },
    Operation { name: "PutUserPolicy", resource: a_user, run: grant::put_inline::<user::User> },
    Operation { name: "RemoveRoleFromInstanceProfile", resource: a_profile, run: profile::remove_role },
    Operation { name: "TagRole", resource: a_role, run: role::tag },
    Operation { name: "UntagRole", resource: a_role, run: role::untag },
    Operation { name: "UpdateAssumeRolePolicy", resource: a_role, run: role::update_trust },
    Operation { name: "UpdateRole", resource: a_role, run: role::update },
    Operation { name: "UpdateRoleDescription", resource: a_role, run: role::update_description },
];

/// Answers a call to IAM; `None` for an operation that is not one of these.
pub(crate) fn handle(call: &Call<'_>) -> Option<Response<Bytes>> {
    answer(call).unwrap_or_else(|fault| Some(call.fault(Protocol::Query, &fault)))
}

fn answer(call: &Call<'_>) -> Result<Option<Response<Bytes>>, Fault> {
    let parameters = Parameters::read(call.parts, &call.body)?;
    let action = parameters.action(call)?;
    let found = OPERATIONS.binary_search_by(|operation| operation.name.cmp(action));
    let Some(operation) = found.ok().and_then(|at| OPERATIONS.get(at)) else {
        return Ok(None);
    };
    let input = Input { call, parameters };
    input.authorize(operation)?;
    let mut xml = Xml::new();
    (operation.run)(&input, &mut xml)?;
    Ok(Some(query::respond(call, operation.name, "https://iam.amazonaws.com/doc/2010-05-08/", &xml)))
}

impl Input<'_> {
    fn authorize(&self, operation: &Operation) -> Result<(), Fault> {
        let Resource { arn, tags, boundary } = (operation.resource)(self)?;
        let of_request = Tags::read(&self.parameters)?;
        let untagged = self.parameters.members("TagKeys", [""]);
        let conditions = |context: &mut Context| {
            for (key, value) in tags.iter() {
                context.set(format!("aws:ResourceTag/{key}"), value);
                context.set(format!("iam:ResourceTag/{key}"), value);
            }
            for (key, value) in of_request.iter() {
                context.set(format!("aws:RequestTag/{key}"), value);
            }
            let keys = of_request.iter().map(|(key, _)| key).chain(untagged.iter().filter_map(|[key]| *key));
            context.set_many("aws:TagKeys", keys);
            if let Some(arn) = self.parameters.optional("PermissionsBoundary").or(boundary.as_deref()) {
                context.set("iam:PermissionsBoundary", arn);
            }
            if let Some(arn) = self.parameters.optional("PolicyArn") {
                context.set("iam:PolicyARN", arn);
            }
        };
        // Whoever makes something with tags has to be allowed to tag it.
        let tag = operation.name.strip_prefix("Create").filter(|_| !of_request.is_empty());
        for action in
            std::iter::once(format!("iam:{}", operation.name)).chain(tag.map(|what| format!("iam:Tag{what}")))
        {
            self.call.authorize(Access {
                action: &action,
                resource: arn.clone(),
                resource_account: None,
                resource_policy: None,
                conditions: &conditions,
                absent: &["aws:ResourceTag/", "iam:"],
            })?;
        }
        Ok(())
    }

    fn new_arn(&self, resource_type: &str, parameter: &'static str) -> Result<Resource, Fault> {
        let arn = self.call.endpoint.iam_arn(
            resource_type,
            self.path("Path")?,
            self.parameters.required(parameter)?,
        );
        Ok(Resource { arn, tags: Tags::default(), boundary: None })
    }

    /// What is not there is authorized without a path, so that the caller learns no more than it may.
    fn existing<T: Entity>(
        &self,
        resource_type: &str,
        name: &str,
        all: impl FnOnce(&State) -> &Named<T>,
        grants: impl FnOnce(&T) -> Option<&Grants>,
    ) -> Resource {
        let endpoint = self.call.endpoint;
        let iam = endpoint.iam();
        match all(&iam).find(name) {
            None => Resource {
                arn: endpoint.iam_arn(resource_type, "/", name),
                tags: Tags::default(),
                boundary: None,
            },
            Some(entity) => {
                let Head { name, path, tags, .. } = entity.head();
                Resource {
                    arn: endpoint.iam_arn(resource_type, path, name),
                    tags: tags.clone(),
                    boundary: grants(entity).and_then(|grants| grants.boundary.clone()),
                }
            }
        }
    }

    /// Lists are authorized on the path that they list.
    fn listed(&self, resource_type: &str) -> Result<Resource, Fault> {
        let arn = self.call.endpoint.iam_arn(resource_type, self.path("PathPrefix")?, "");
        Ok(Resource { arn, tags: Tags::default(), boundary: None })
    }
}

fn a_policy(input: &Input<'_>) -> Result<Resource, Fault> {
    let arn = input.parameters.required("PolicyArn")?;
    let iam = input.call.endpoint.iam();
    let tags = iam.customer_policy(arn).map(|policy| policy.head.tags.clone()).unwrap_or_default();
    Ok(Resource { arn: arn.to_owned(), tags, boundary: None })
}

fn a_profile(input: &Input<'_>) -> Result<Resource, Fault> {
    let name = input.parameters.required("InstanceProfileName")?;
    Ok(input.existing("instance-profile", name, |iam| &iam.profiles, |_| None))
}

fn a_role(input: &Input<'_>) -> Result<Resource, Fault> {
    let name = input.parameters.required("RoleName")?;
    Ok(input.existing("role", name, |iam| &iam.roles, |role| Some(&role.grants)))
}

fn a_user(input: &Input<'_>) -> Result<Resource, Fault> {
    let name = input.user_name()?;
    Ok(input.existing("user", name, |iam| &iam.users, |user| Some(&user.grants)))
}

fn all_policies(input: &Input<'_>) -> Result<Resource, Fault> {
    input.listed("policy")
}

fn all_profiles(input: &Input<'_>) -> Result<Resource, Fault> {
    input.listed("instance-profile")
}

fn all_roles(input: &Input<'_>) -> Result<Resource, Fault> {
    input.listed("role")
}

fn all_users(input: &Input<'_>) -> Result<Resource, Fault> {
    input.listed("user")
}

fn new_policy(input: &Input<'_>) -> Result<Resource, Fault> {
    input.new_arn("policy", "PolicyName")
}

fn new_profile(input: &Input<'_>) -> Result<Resource, Fault> {
    input.new_arn("instance-profile", "InstanceProfileName")
}

fn new_role(input: &Input<'_>) -> Result<Resource, Fault> {
    input.new_arn("role", "RoleName")
}

fn new_user(input: &Input<'_>) -> Result<Resource, Fault> {
    input.new_arn("user", "UserName")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_names() {
        assert!(OPERATIONS.is_sorted_by(|one, next| one.name < next.name));
    }
}
