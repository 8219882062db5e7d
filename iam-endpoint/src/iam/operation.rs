//! The table of IAM's operations.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::account as the_account;
use super::group::{self, Group};
use super::input::Input;
use super::key::{Session, SessionOf};
use super::mfa::{self, Device};
use super::policy::{self, CustomerPolicy};
use super::profile::{self, Profile};
use super::provider::{self, OidcProvider, SamlProvider};
use super::resource::{
    Resource, account, deleted_role, existing, key_holder, listed, listed_policies, new, new_oidc_provider,
    new_service_role, own_user, policy_source,
};
use super::role::{self, Role};
use super::tagging::{list_tags, tag, untag};
use super::user::{self, User};
use super::{credential_report, grant, key, login, report, service_role, simulate, version};
use crate::call::Call;
use crate::fault::Fault;
use crate::journal::Outcome;
use crate::wire::protocol::Protocol;
use crate::wire::query::{self, Parameters};
use crate::wire::xml::Xml;

/// One operation; its action has the same name.
struct Operation {
    name: &'static str,
    resource: fn(&Input<'_>) -> Result<Resource, Fault>,
    run: fn(&Input<'_>, &mut Xml) -> Result<(), Fault>,
}

/// The operations in the order of their names, with the resource that each is authorized on.
#[rustfmt::skip]
const OPERATIONS: &[Operation] = &[
    Operation { name: "AddClientIDToOpenIDConnectProvider", resource: existing::<OidcProvider>, run: provider::add_client },
    Operation { name: "AddRoleToInstanceProfile", resource: existing::<Profile>, run: profile::add_role },
    Operation { name: "AddUserToGroup", resource: existing::<Group>, run: group::add_user },
    Operation { name: "AttachGroupPolicy", resource: existing::<Group>, run: grant::attach::<Group> },
    Operation { name: "AttachRolePolicy", resource: existing::<Role>, run: grant::attach::<Role> },
    Operation { name: "AttachUserPolicy", resource: existing::<User>, run: grant::attach::<User> },
    Operation { name: "CreateAccessKey", resource: own_user, run: key::create },
    Operation { name: "CreateAccountAlias", resource: account, run: the_account::create_alias },
    Operation { name: "CreateGroup", resource: new::<Group>, run: group::create },
    Operation { name: "CreateInstanceProfile", resource: new::<Profile>, run: profile::create },
    Operation { name: "CreateLoginProfile", resource: own_user, run: login::create },
    Operation { name: "CreateOpenIDConnectProvider", resource: new_oidc_provider, run: provider::create_oidc },
    Operation { name: "CreatePolicy", resource: new::<CustomerPolicy>, run: policy::create },
    Operation { name: "CreatePolicyVersion", resource: existing::<CustomerPolicy>, run: version::create },
    Operation { name: "CreateRole", resource: new::<Role>, run: role::create },
    Operation { name: "CreateSAMLProvider", resource: new::<SamlProvider>, run: provider::create_saml },
    Operation { name: "CreateServiceLinkedRole", resource: new_service_role, run: service_role::create },
    Operation { name: "CreateUser", resource: new::<User>, run: user::create },
    Operation { name: "CreateVirtualMFADevice", resource: new::<Device>, run: mfa::create },
    Operation { name: "DeactivateMFADevice", resource: own_user, run: mfa::deactivate },
    Operation { name: "DeleteAccessKey", resource: own_user, run: key::delete },
    Operation { name: "DeleteAccountAlias", resource: account, run: the_account::delete_alias },
    Operation { name: "DeleteAccountPasswordPolicy", resource: account, run: the_account::delete_password_policy },
    Operation { name: "DeleteGroup", resource: existing::<Group>, run: group::delete },
    Operation { name: "DeleteGroupPolicy", resource: existing::<Group>, run: grant::delete_inline::<Group> },
    Operation { name: "DeleteInstanceProfile", resource: existing::<Profile>, run: profile::delete },
    Operation { name: "DeleteLoginProfile", resource: own_user, run: login::delete },
    Operation { name: "DeleteOpenIDConnectProvider", resource: existing::<OidcProvider>, run: provider::delete_oidc },
    Operation { name: "DeletePolicy", resource: existing::<CustomerPolicy>, run: policy::delete },
    Operation { name: "DeletePolicyVersion", resource: existing::<CustomerPolicy>, run: version::delete },
    Operation { name: "DeleteRole", resource: existing::<Role>, run: role::delete },
    Operation { name: "DeleteRolePermissionsBoundary", resource: existing::<Role>, run: grant::delete_boundary::<Role> },
    Operation { name: "DeleteRolePolicy", resource: existing::<Role>, run: grant::delete_inline::<Role> },
    Operation { name: "DeleteSAMLProvider", resource: existing::<SamlProvider>, run: provider::delete_saml },
    Operation { name: "DeleteServiceLinkedRole", resource: existing::<Role>, run: service_role::delete },
    Operation { name: "DeleteUser", resource: existing::<User>, run: user::delete },
    Operation { name: "DeleteUserPermissionsBoundary", resource: existing::<User>, run: grant::delete_boundary::<User> },
    Operation { name: "DeleteUserPolicy", resource: existing::<User>, run: grant::delete_inline::<User> },
    Operation { name: "DeleteVirtualMFADevice", resource: existing::<Device>, run: mfa::delete },
    Operation { name: "DetachGroupPolicy", resource: existing::<Group>, run: grant::detach::<Group> },
    Operation { name: "DetachRolePolicy", resource: existing::<Role>, run: grant::detach::<Role> },
    Operation { name: "DetachUserPolicy", resource: existing::<User>, run: grant::detach::<User> },
    Operation { name: "EnableMFADevice", resource: existing::<User>, run: mfa::enable },
    Operation { name: "GenerateCredentialReport", resource: account, run: credential_report::generate },
    Operation { name: "GetAccessKeyLastUsed", resource: key_holder, run: key::last_used },
    Operation { name: "GetAccountAuthorizationDetails", resource: account, run: report::authorization_details },
    Operation { name: "GetAccountPasswordPolicy", resource: account, run: the_account::read_password_policy },
    Operation { name: "GetAccountSummary", resource: account, run: the_account::summary },
    Operation { name: "GetContextKeysForCustomPolicy", resource: account, run: simulate::custom_context_keys },
    Operation { name: "GetContextKeysForPrincipalPolicy", resource: policy_source, run: simulate::principal_context_keys },
    Operation { name: "GetCredentialReport", resource: account, run: credential_report::read },
    Operation { name: "GetGroup", resource: existing::<Group>, run: group::read },
    Operation { name: "GetGroupPolicy", resource: existing::<Group>, run: grant::read_inline::<Group> },
    Operation { name: "GetInstanceProfile", resource: existing::<Profile>, run: profile::read },
    Operation { name: "GetLoginProfile", resource: own_user, run: login::read },
    Operation { name: "GetOpenIDConnectProvider", resource: existing::<OidcProvider>, run: provider::read_oidc },
    Operation { name: "GetPolicy", resource: existing::<CustomerPolicy>, run: policy::read },
    Operation { name: "GetPolicyVersion", resource: existing::<CustomerPolicy>, run: version::read },
    Operation { name: "GetRole", resource: existing::<Role>, run: role::read },
    Operation { name: "GetRolePolicy", resource: existing::<Role>, run: grant::read_inline::<Role> },
    Operation { name: "GetSAMLProvider", resource: existing::<SamlProvider>, run: provider::read_saml },
    Operation { name: "GetServiceLinkedRoleDeletionStatus", resource: deleted_role, run: service_role::deletion_status },
    Operation { name: "GetUser", resource: own_user, run: user::read },
    Operation { name: "GetUserPolicy", resource: existing::<User>, run: grant::read_inline::<User> },
    Operation { name: "ListAccessKeys", resource: own_user, run: key::list },
    Operation { name: "ListAccountAliases", resource: account, run: the_account::list_aliases },
    Operation { name: "ListAttachedGroupPolicies", resource: existing::<Group>, run: grant::list_attached::<Group> },
    Operation { name: "ListAttachedRolePolicies", resource: existing::<Role>, run: grant::list_attached::<Role> },
    Operation { name: "ListAttachedUserPolicies", resource: existing::<User>, run: grant::list_attached::<User> },
    Operation { name: "ListEntitiesForPolicy", resource: existing::<CustomerPolicy>, run: policy::list_entities },
    Operation { name: "ListGroupPolicies", resource: existing::<Group>, run: grant::list_inline::<Group> },
    Operation { name: "ListGroups", resource: listed::<Group>, run: group::list },
    Operation { name: "ListGroupsForUser", resource: existing::<User>, run: user::list_groups },
    Operation { name: "ListInstanceProfileTags", resource: existing::<Profile>, run: list_tags::<Profile> },
    Operation { name: "ListInstanceProfiles", resource: listed::<Profile>, run: profile::list },
    Operation { name: "ListInstanceProfilesForRole", resource: existing::<Role>, run: profile::list_for_role },
    Operation { name: "ListMFADeviceTags", resource: existing::<Device>, run: list_tags::<Device> },
    Operation { name: "ListMFADevices", resource: own_user, run: mfa::list },
    Operation { name: "ListOpenIDConnectProviderTags", resource: existing::<OidcProvider>, run: list_tags::<OidcProvider> },
    Operation { name: "ListOpenIDConnectProviders", resource: account, run: provider::list_oidc },
    Operation { name: "ListPolicies", resource: listed_policies, run: policy::list },
    Operation { name: "ListPolicyTags", resource: existing::<CustomerPolicy>, run: list_tags::<CustomerPolicy> },
    Operation { name: "ListPolicyVersions", resource: existing::<CustomerPolicy>, run: version::list },
    Operation { name: "ListRolePolicies", resource: existing::<Role>, run: grant::list_inline::<Role> },
    Operation { name: "ListRoleTags", resource: existing::<Role>, run: list_tags::<Role> },
    Operation { name: "ListRoles", resource: listed::<Role>, run: role::list },
    Operation { name: "ListSAMLProviderTags", resource: existing::<SamlProvider>, run: list_tags::<SamlProvider> },
    Operation { name: "ListSAMLProviders", resource: account, run: provider::list_saml },
    Operation { name: "ListSSHPublicKeys", resource: own_user, run: |input, xml| user::list_none("SSHPublicKeys", input, xml) },
    Operation { name: "ListServiceSpecificCredentials", resource: own_user, run: |input, xml| user::list_none("ServiceSpecificCredentials", input, xml) },
    Operation { name: "ListSigningCertificates", resource: own_user, run: |input, xml| user::list_none("Certificates", input, xml) },
    Operation { name: "ListUserPolicies", resource: existing::<User>, run: grant::list_inline::<User> },
    Operation { name: "ListUserTags", resource: existing::<User>, run: list_tags::<User> },
    Operation { name: "ListUsers", resource: listed::<User>, run: user::list },
    Operation { name: "ListVirtualMFADevices", resource: account, run: mfa::list_all },
    Operation { name: "PutGroupPolicy", resource: existing::<Group>, run: grant::put_inline::<Group> },
    Operation { name: "PutRolePermissionsBoundary", resource: existing::<Role>, run: grant::put_boundary::<Role> },
    Operation { name: "PutRolePolicy", resource: existing::<Role>, run: grant::put_inline::<Role> },
    Operation { name: "PutUserPermissionsBoundary", resource: existing::<User>, run: grant::put_boundary::<User> },
    Operation { name: "PutUserPolicy", resource: existing::<User>, run: grant::put_inline::<User> },
    Operation { name: "RemoveClientIDFromOpenIDConnectProvider", resource: existing::<OidcProvider>, run: provider::remove_client },
    Operation { name: "RemoveRoleFromInstanceProfile", resource: existing::<Profile>, run: profile::remove_role },
    Operation { name: "RemoveUserFromGroup", resource: existing::<Group>, run: group::remove_user },
    Operation { name: "ResyncMFADevice", resource: own_user, run: mfa::resync },
    Operation { name: "SetDefaultPolicyVersion", resource: existing::<CustomerPolicy>, run: version::set_default },
    Operation { name: "SimulateCustomPolicy", resource: account, run: simulate::custom },
    Operation { name: "SimulatePrincipalPolicy", resource: policy_source, run: simulate::principal },
    Operation { name: "TagInstanceProfile", resource: existing::<Profile>, run: tag::<Profile> },
    Operation { name: "TagMFADevice", resource: existing::<Device>, run: tag::<Device> },
    Operation { name: "TagOpenIDConnectProvider", resource: existing::<OidcProvider>, run: tag::<OidcProvider> },
    Operation { name: "TagPolicy", resource: existing::<CustomerPolicy>, run: tag::<CustomerPolicy> },
    Operation { name: "TagRole", resource: existing::<Role>, run: tag::<Role> },
    Operation { name: "TagSAMLProvider", resource: existing::<SamlProvider>, run: tag::<SamlProvider> },
    Operation { name: "TagUser", resource: existing::<User>, run: tag::<User> },
    Operation { name: "UntagInstanceProfile", resource: existing::<Profile>, run: untag::<Profile> },
    Operation { name: "UntagMFADevice", resource: existing::<Device>, run: untag::<Device> },
    Operation { name: "UntagOpenIDConnectProvider", resource: existing::<OidcProvider>, run: untag::<OidcProvider> },
    Operation { name: "UntagPolicy", resource: existing::<CustomerPolicy>, run: untag::<CustomerPolicy> },
    Operation { name: "UntagRole", resource: existing::<Role>, run: untag::<Role> },
    Operation { name: "UntagSAMLProvider", resource: existing::<SamlProvider>, run: untag::<SamlProvider> },
    Operation { name: "UntagUser", resource: existing::<User>, run: untag::<User> },
    Operation { name: "UpdateAccessKey", resource: own_user, run: key::update },
    Operation { name: "UpdateAccountPasswordPolicy", resource: account, run: the_account::update_password_policy },
    Operation { name: "UpdateAssumeRolePolicy", resource: existing::<Role>, run: role::update_trust },
    Operation { name: "UpdateGroup", resource: existing::<Group>, run: group::update },
    Operation { name: "UpdateLoginProfile", resource: existing::<User>, run: login::update },
    Operation { name: "UpdateOpenIDConnectProviderThumbprint", resource: existing::<OidcProvider>, run: provider::update_thumbprint },
    Operation { name: "UpdateRole", resource: existing::<Role>, run: role::update },
    Operation { name: "UpdateRoleDescription", resource: existing::<Role>, run: role::update_description },
    Operation { name: "UpdateSAMLProvider", resource: existing::<SamlProvider>, run: provider::update_saml },
    Operation { name: "UpdateUser", resource: existing::<User>, run: user::update },
];

/// Answers a call to IAM; `None` for an operation that is not one of these.
pub(crate) fn handle(call: &Call<'_>) -> Option<Response<Bytes>> {
    answer(call).unwrap_or_else(|fault| Some(call.fault(Protocol::Query, &fault)))
}

fn answer(call: &Call<'_>) -> Result<Option<Response<Bytes>>, Fault> {
    let parameters = Parameters::read(call.parts, &call.body)?;
    let action = parameters.action(call)?;
    check_session(call)?;
    let found = OPERATIONS.binary_search_by(|operation| operation.name.cmp(action));
    let Some(operation) = found.ok().and_then(|at| OPERATIONS.get(at)) else {
        return Ok(None);
    };
    let input = Input { call, parameters };
    input.authorize(operation.name, &(operation.resource)(&input)?)?;
    let mut xml = Xml::new();
    (operation.run)(&input, &mut xml)?;
    let reads = ["Get", "List", "Simulate"];
    if let Some(role) = input.parameters.optional("RoleName")
        && !reads.iter().any(|verb| operation.name.starts_with(verb))
    {
        call.endpoint.changed_role(role);
    }
    Ok(Some(query::respond(call, operation.name, "https://iam.amazonaws.com/doc/2010-05-08/", &xml)))
}

/// Sessions of `GetFederationToken`, and those of `GetSessionToken` without an MFA device, may not call IAM, whatever their
/// policies say.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html>
fn check_session(call: &Call<'_>) -> Result<(), Fault> {
    match call.caller.session() {
        Some(Session { of: SessionOf::Federated { .. } | SessionOf::User { mfa: None, .. }, .. }) => {
            Err(Fault {
                outcome: Outcome::AuthenticationFailed,
                ..Fault::new(
                    StatusCode::FORBIDDEN,
                    "InvalidClientTokenId",
                    "The security token included in the request is invalid",
                )
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_names() {
        assert!(OPERATIONS.is_sorted_by(|one, next| one.name < next.name));
    }

    #[test]
    fn every_operation_is_an_action_of_iam() {
        let iam = iam_policy::catalogue::service("iam").unwrap();
        for operation in OPERATIONS {
            assert!(iam.action(operation.name).is_some(), "{}", operation.name);
        }
    }
}
