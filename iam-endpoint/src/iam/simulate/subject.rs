//! Whose policies are simulated, and what the answer calls each of them.

use iam_policy::{Arn, Context, Policy, PolicyKind, PolicySet, Principal};

use crate::fault::Fault;
use crate::iam::grant::Grants;
use crate::iam::group::Group;
use crate::iam::input::Input;
use crate::iam::named::Head;
use crate::iam::state::State;
use crate::table::Table;

/// Who is simulated, with what applies to it.
pub(super) struct Subject {
    pub(super) principal: Principal,
    pub(super) policies: PolicySet,
    /// Condition keys that every request of the subject has.
    pub(super) context: Context,
    /// What the answer calls the policy in a place of the set, such as `identity[0]`.
    names: Table<String>,
}

impl Subject {
    /// Nobody in particular, with the policies of the request.
    pub(super) fn of_request(input: &Input<'_>) -> Result<Self, Fault> {
        // No user has this name, so no policy can name this one.
        let arn = input.call.endpoint.iam_arn("user", "/", "*");
        let mut subject = Self {
            principal: Principal::User { arn },
            policies: PolicySet::default(),
            context: Context::new(),
            names: Table::new(),
        };
        subject.add_input(input)?;
        Ok(subject)
    }

    /// The user, group or role that the request names, with the request's policies in addition.
    pub(super) fn of_principal(input: &Input<'_>) -> Result<Self, Fault> {
        let mut subject = Self::of_principal_alone(input)?;
        if let Some(organization) = input.call.endpoint.organization() {
            // No resource: what an organization says of resources takes no part in simulations.
            let account = subject.principal.account().map(str::to_owned);
            organization.limit(&mut subject.policies, "", account.as_deref(), "");
        }
        subject.add_input(input)?;
        Ok(subject)
    }

    fn of_principal_alone(input: &Input<'_>) -> Result<Self, Fault> {
        let endpoint = input.call.endpoint;
        let arn = input.parameters.required("PolicySourceArn")?;
        let unclear = || {
            Fault::invalid_input(format!(
                "Invalid Entity Arn: {arn} does not clearly define entity type and name."
            ))
        };
        let parsed = Arn::parse(arn).ok_or_else(unclear)?;
        let (kind, name) = parsed.resource.split_once('/').ok_or_else(unclear)?;
        let name = name.rsplit('/').next().unwrap_or(name);
        let mut subject = Self {
            principal: Principal::from_arn(arn)
                .unwrap_or(Principal::User { arn: endpoint.iam_arn("user", "/", "*") }),
            policies: PolicySet::default(),
            context: Context::new(),
            names: Table::new(),
        };
        let iam = endpoint.iam();
        match kind {
            "group" => subject.add_group(iam.groups.get(name)?, &iam),
            "role" => {
                let role = iam.roles.get(name)?;
                subject.add_grants("role", &role.head, &role.grants, &iam);
                subject.set_facts(arn, &role.head);
            }
            "user" => {
                let user = iam.users.get(name)?;
                subject.add_grants("user", &user.head, &user.grants, &iam);
                for group in iam.groups_of(&user.head.name) {
                    subject.add_group(group, &iam);
                }
                subject.set_facts(arn, &user.head);
                subject.context.set("aws:username", user.head.name.as_str());
                subject.context.set("aws:userid", user.head.id.as_str());
            }
            _ => return Err(unclear()),
        }
        Ok(subject)
    }

    pub(super) fn name(&self, place: &str) -> String {
        self.names.get(place).cloned().unwrap_or_else(|| place.to_owned())
    }

    /// Every policy that grants or limits.
    pub(super) fn all(&self) -> Vec<&Policy> {
        let mut all = Vec::new();
        all.extend(self.policies.identity.iter());
        all.extend(self.policies.boundary.iter());
        all
    }

    fn set_facts(&mut self, arn: &str, head: &Head) {
        self.context.set("aws:PrincipalArn", arn);
        if let Some(account) = self.principal.account() {
            self.context.set("aws:PrincipalAccount", account);
        }
        for (key, value) in head.tags.iter() {
            self.context.set(format!("aws:PrincipalTag/{key}"), value);
        }
    }

    fn add_group(&mut self, group: &Group, iam: &State) {
        self.add_grants("group", &group.head, &group.grants, iam);
    }

    fn add_grants(&mut self, kind: &str, head: &Head, grants: &Grants, iam: &State) {
        for (name, policy) in grants.inline.iter() {
            self.add_identity(format!("{kind}_{}_{name}", head.name), policy.clone());
        }
        for arn in &grants.attached {
            if let Some(policy) = iam.policy(arn) {
                self.add_identity(name_of(arn).to_owned(), policy);
            }
        }
        if let Some(arn) = &grants.boundary {
            self.names.insert("boundary[0]".to_owned(), name_of(arn).to_owned());
            self.policies.boundary.extend(iam.policy(arn));
        }
    }

    fn add_identity(&mut self, name: String, policy: Policy) {
        self.names.insert(format!("identity[{}]", self.policies.identity.len()), name);
        self.policies.identity.extend([policy]);
    }

    /// The policies among the request's parameters. A boundary among them takes the place of the principal's own.
    fn add_input(&mut self, input: &Input<'_>) -> Result<(), Fault> {
        for (index, text) in input.parameters.list("PolicyInputList").into_iter().enumerate() {
            let policy = parse(text, PolicyKind::Identity)?;
            self.add_identity(format!("PolicyInputList.{}", index + 1), policy);
        }
        let boundaries = input.parameters.list("PermissionsBoundaryPolicyInputList");
        if boundaries.len() > 1 {
            return Err(Fault::invalid_input("Only one permissions boundary policy is allowed."));
        }
        if let Some(text) = boundaries.first() {
            let name = "PermissionsBoundaryPolicyInputList.1".to_owned();
            self.names.insert("boundary[0]".to_owned(), name);
            self.policies.boundary = vec![parse(text, PolicyKind::Boundary)?];
        }
        if let Some(text) = input.parameters.optional("ResourcePolicy") {
            let policy = parse(text, PolicyKind::Resource)
                .or_else(|fault| parse(text, PolicyKind::Trust).map_err(|_| fault))?;
            self.names.insert("resource".to_owned(), "ResourcePolicy".to_owned());
            self.policies.resource = Some(policy);
        }
        Ok(())
    }
}

/// The last part of an ARN.
fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

pub(super) fn parse(text: &str, kind: PolicyKind) -> Result<Policy, Fault> {
    Policy::parse(text, kind).map_err(|diagnostics| Fault::invalid_input(diagnostics.to_string()))
}
