//! Service-linked roles, which only the service that they are linked to may change.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html>

use http::StatusCode;
use iam_policy::{Policy, PolicyKind};
use time::Duration;

use super::grant::Grants;
use super::input::Input;
use super::named::{Entity, Head};
use super::role::{self, Role};
use super::tags::Tags;
use crate::fault::Fault;
use crate::wire::xml::Xml;

/// What the path of a service-linked role begins with.
const PATH: &str = "/aws-service-role/";

/// AWS gives the name, from a table of its own: the service's, in words that its principal's name does not tell.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html>
const NAMES: &[(&str, &str)] = &[
    ("autoscaling", "AutoScaling"),
    ("batch", "Batch"),
    ("cloudtrail", "CloudTrail"),
    ("config", "Config"),
    ("dax", "DAX"),
    ("ecs", "ECS"),
    ("eks", "AmazonEKS"),
    ("eks-fargate", "AmazonEKSForFargate"),
    ("eks-nodegroup", "AmazonEKSNodegroup"),
    ("elasticache", "ElastiCache"),
    ("elasticbeanstalk", "ElasticBeanstalk"),
    ("elasticfilesystem", "AmazonElasticFileSystem"),
    ("elasticloadbalancing", "ElasticLoadBalancing"),
    ("elasticmapreduce", "EMRCleanup"),
    ("es", "AmazonElasticsearchService"),
    ("guardduty", "AmazonGuardDuty"),
    ("inspector2", "AmazonInspector2"),
    ("kafka", "Kafka"),
    ("macie", "AmazonMacie"),
    ("opensearchservice", "AmazonOpenSearchService"),
    ("organizations", "Organizations"),
    ("rds", "RDS"),
    ("redshift", "Redshift"),
    ("replicator.lambda", "LambdaReplicator"),
    ("securityhub", "SecurityHub"),
    ("spot", "EC2Spot"),
    ("spotfleet", "EC2SpotFleet"),
    ("ssm", "AmazonSSM"),
    ("support", "Support"),
    ("transitgateway", "VPCTransitGateway"),
    ("trustedadvisor", "TrustedAdvisor"),
];

/// The path and the name of the role that a request makes.
pub(super) fn place(input: &Input<'_>) -> Result<(String, String), Fault> {
    let service = input.parameters.required("AWSServiceName")?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let Some(stem) = service.strip_suffix(".amazonaws.com").filter(|_| service.bytes().all(allowed)) else {
        return Err(Fault::invalid_input(format!("Service principal {service} is not valid.")));
    };
    let known = NAMES.iter().find(|(of, _)| *of == stem).map(|(_, name)| (*name).to_owned());
    let name = known
        .unwrap_or_else(|| stem.split(['.', '-', '_']).map(super::named::capitalized).collect::<String>());
    let suffix = match input.parameters.optional("CustomSuffix") {
        Some(_) => format!("_{}", input.name("CustomSuffix", 64)?),
        None => String::new(),
    };
    Ok((format!("{PATH}{service}/"), format!("AWSServiceRoleFor{name}{suffix}")))
}

pub(super) fn create(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let endpoint = input.call.endpoint;
    let service = input.parameters.required("AWSServiceName")?;
    let (path, name) = place(input)?;
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let trust = Policy::parse(trust, PolicyKind::Trust)
        .map_err(|_| Fault::invalid_input(format!("Service principal {service} is not valid.")))?;
    let mut iam = endpoint.iam_mut();
    if iam.roles.find(&name).is_some() {
        return Err(Fault::invalid_input(format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        )));
    }
    let role = Role {
        head: Head::new("AROA", &name, &path, Tags::default(), input.call.now),
        trust,
        grants: Grants::default(),
        longest_session: Duration::HOUR,
        description: input.parameters.optional("Description").map(str::to_owned),
        linked: true,
    };
    role::write(iam.roles.insert(role)?, role::Detail::Created, endpoint, xml);
    Ok(())
}

/// No service here uses the role, so nothing stands against its deletion.
pub(super) fn delete(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let mut iam = input.call.endpoint.iam_mut();
    let Role { head: Head { name, path, .. }, linked, .. } = iam.get::<Role>(input)?;
    if !linked {
        return Err(Fault::invalid_input(format!("Role {name} is not a service-linked role.")));
    }
    let (name, task) = (name.clone(), format!("task{path}{name}/{}", super::key::unique_id("")));
    iam.roles.remove(&name);
    xml.leaf("DeletionTaskId", &task);
    Ok(())
}

pub(super) fn deletion_status(input: &Input<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let task = input.parameters.required("DeletionTaskId")?;
    if !task.starts_with(&format!("task{PATH}")) {
        return Err(Fault::no_such_entity(format!("Deletion task {task} cannot be found.")));
    }
    xml.leaf("Status", "SUCCEEDED");
    Ok(())
}

pub(super) fn check_modifiable(role: &Role) -> Result<(), Fault> {
    if !role.linked {
        return Ok(());
    }
    let name = &role.head.name;
    Err(Fault::new(
        StatusCode::BAD_REQUEST,
        "UnmodifiableEntity",
        format!(
            "Cannot perform the operation on the protected {} '{name}' - this role is only modifiable by AWS",
            Role::WHAT
        ),
    ))
}
