//! Names that stand for ARNs: the functions of the table that give the ARN of what a request only names.
#![expect(clippy::needless_pass_by_value, reason = "all functions of the table have one type")]

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use iam_policy::catalogue;

use super::arn::{Format, build, is_arn, row, rows, tail};
use super::function::{each, first_text, texts};
use super::scope::{Scope, Values};
use crate::table::Table;
use crate::wire::input::Found;

/// `arn('cluster', cluster)`: of the service's own types, in the caller's account.
pub(super) fn arn<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    arns(scope, &given)
}

/// `account_arn(registryId, 'repository', repositoryName)`
pub(super) fn account_arn<'a>(scope: &Scope<'a>, mut given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let account = if given.is_empty() { Vec::new() } else { given.remove(0) };
    match first_text(&account) {
        Some(account) => arns(&Scope { account, ..*scope }, &given),
        None => arns(scope, &given),
    }
}

/// An ARN for each of what there is several times. Without the last name there is none; another missing one is `*`.
fn arns<'a>(scope: &Scope<'_>, given: &[Vec<Found<'a>>]) -> Values<'a> {
    let Some((name, names)) = given.split_first() else { return Values::Known(Vec::new()) };
    let mut columns: Vec<Vec<&str>> = Vec::with_capacity(names.len());
    for found in names {
        columns.push(texts(found));
    }
    if columns.last().is_none_or(Vec::is_empty) {
        return Values::Known(Vec::new());
    }
    let formats = first_text(name).and_then(|name| formats(scope.prefix, name));
    let Some(formats) = formats else { return Values::Known(Vec::new()) };
    let arn_of = |mut values: Vec<&str>| {
        if let Some(arn) = values.last().filter(|last| is_arn(last)) {
            return (*arn).to_owned();
        }
        for value in &mut values {
            *value = tail(value);
        }
        build(scope, &formats, &values)
    };
    let mut arns = Vec::new();
    for number in 0..rows(&columns) {
        arns.push(Found::Text(Cow::Owned(arn_of(row(&columns, number)))));
    }
    Values::Known(arns)
}

/// The formats of a service's resource type, read when they are first asked for.
fn formats(prefix: &str, name: &str) -> Option<Arc<[Format]>> {
    static READ: Mutex<Table<Arc<[Format]>>> = Mutex::new(Table::new());
    let full_name = [prefix, name].join(":");
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(formats) = read.get(&full_name) {
        return Some(Arc::clone(formats));
    }
    let formats: Arc<[Format]> = Format::all(catalogue::service(prefix)?.resource_type(name)?).into();
    read.insert(full_name, Arc::clone(&formats));
    Some(formats)
}

/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>
pub(super) fn bedrock_model<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    const GEOGRAPHIES: [&str; 9] = ["apac.", "au.", "ca.", "eu.", "global.", "jp.", "sa.", "us-gov.", "us."];
    each(&given, &|model| {
        let (partition, region) = (scope.endpoint.partition, scope.region);
        Some(if is_arn(model) {
            model.to_owned()
        } else if GEOGRAPHIES.iter().any(|geography| model.starts_with(geography)) {
            format!("arn:{partition}:bedrock:{region}:{}:inference-profile/{model}", scope.account)
        } else {
            format!("arn:{partition}:bedrock:{region}::foundation-model/{model}")
        })
    })
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>
pub(super) fn ec2_arn<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let mut found = Vec::new();
    for id in texts(given.first().map_or(&[], Vec::as_slice)) {
        let start = id.rsplit_once('-').map_or("", |(start, _)| start);
        let formats = match EC2_IDS.binary_search_by(|(known, _)| known.cmp(&start)) {
            Ok(at) => EC2_IDS.get(at).and_then(|(_, name)| formats("ec2", name)),
            Err(_) => None,
        };
        let Some(formats) = formats else { return Values::Unknown };
        found.push(Found::Text(Cow::Owned(build(scope, &formats, &[id]))));
    }
    Values::Known(found)
}

/// What the id of a resource starts with, and its type.
#[rustfmt::skip]
const EC2_IDS: &[(&str, &str)] = &[
    ("acl", "network-acl"), ("afi", "fpga-image"), ("ami", "image"), ("cagw", "carrier-gateway"),
    ("cgw", "customer-gateway"), ("cr", "capacity-reservation"), ("crf", "capacity-reservation-fleet"),
    ("cvpn-endpoint", "client-vpn-endpoint"), ("dopt", "dhcp-options"), ("eice", "instance-connect-endpoint"),
    ("eigw", "egress-only-internet-gateway"), ("eipalloc", "elastic-ip"), ("eni", "network-interface"),
    ("export-ami", "export-image-task"), ("export-i", "export-instance-task"), ("fl", "vpc-flow-log"),
    ("fleet", "fleet"), ("h", "dedicated-host"), ("hr", "host-reservation"), ("i", "instance"),
    ("iew", "instance-event-window"), ("igw", "internet-gateway"), ("import-ami", "import-image-task"),
    ("import-snap", "import-snapshot-task"), ("ipam", "ipam"), ("ipam-pool", "ipam-pool"),
    ("ipam-res-disco", "ipam-resource-discovery"), ("ipam-scope", "ipam-scope"), ("ipv4pool-ec2", "ipv4pool-ec2"),
    ("ipv6pool-ec2", "ipv6pool-ec2"), ("key", "key-pair"), ("lgw", "local-gateway"),
    ("lgw-rtb", "local-gateway-route-table"), ("lt", "launch-template"), ("nat", "natgateway"),
    ("nip", "network-insights-path"), ("nis", "network-insights-access-scope"), ("pcx", "vpc-peering-connection"),
    ("pg", "placement-group"), ("pl", "prefix-list"), ("replacevol", "replace-root-volume-task"), ("rtb", "route-table"),
    ("scr", "subnet-cidr-reservation"), ("sfr", "spot-fleet-request"), ("sg", "security-group"),
    ("sgr", "security-group-rule"), ("sir", "spot-instances-request"), ("snap", "snapshot"), ("subnet", "subnet"),
    ("tgw", "transit-gateway"), ("tgw-attach", "transit-gateway-attachment"),
    ("tgw-connect-peer", "transit-gateway-connect-peer"), ("tgw-mcast-domain", "transit-gateway-multicast-domain"),
    ("tgw-ptb", "transit-gateway-policy-table"), ("tgw-rtb", "transit-gateway-route-table"),
    ("tmf", "traffic-mirror-filter"), ("tmfr", "traffic-mirror-filter-rule"), ("tms", "traffic-mirror-session"),
    ("tmt", "traffic-mirror-target"), ("vae", "verified-access-endpoint"), ("vagr", "verified-access-group"),
    ("vai", "verified-access-instance"), ("vatp", "verified-access-trust-provider"), ("vgw", "vpn-gateway"),
    ("vol", "volume"), ("vpc", "vpc"), ("vpce", "vpc-endpoint"), ("vpce-svc", "vpc-endpoint-service"),
    ("vpn", "vpn-connection"),
];

/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-manage-iam-access.html>
pub(super) fn event_rule<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let of = |at: usize| first_text(given.get(at)?);
    let Some(rule) = of(1) else { return Values::Known(Vec::new()) };
    let arn = match of(0).map(tail) {
        None | Some("default") => scope.arn("events", &format!("rule/{rule}")),
        Some(bus) => scope.arn("events", &format!("rule/{bus}/{rule}")),
    };
    Values::Known(vec![Found::Text(Cow::Owned(arn))])
}

pub(super) fn instance_profile_arn<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    each(&given, &|text| {
        let partition = scope.endpoint.partition;
        let arn = || format!("arn:{partition}:iam::{}:instance-profile/{text}", scope.account);
        Some(if is_arn(text) { text.to_owned() } else { arn() })
    })
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-permissions-to-create-and-manage-api.html>
pub(super) fn request_path_arn<'a>(scope: &Scope<'a>, _: Vec<Vec<Found<'a>>>) -> Values<'a> {
    let (partition, region, path) = (scope.endpoint.partition, scope.region, scope.input.path());
    // The resources of its second API are those of `/apis`, not of `/v2/apis`.
    let path = path.strip_prefix("/v2").unwrap_or(path);
    Values::Known(vec![Found::Text(Cow::Owned(format!("arn:{partition}:apigateway:{region}::{path}")))])
}

/// A family alone means its newest revision, which the request does not tell.
pub(super) fn task_definition<'a>(scope: &Scope<'a>, given: Vec<Vec<Found<'a>>>) -> Values<'a> {
    each(&given, &|text| {
        Some(match text {
            _ if is_arn(text) => text.to_owned(),
            _ if text.contains(':') => scope.arn("ecs", &format!("task-definition/{text}")),
            _ => scope.arn("ecs", &format!("task-definition/{text}:*")),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_ec2_are_in_order_and_their_types_exist() {
        assert!(EC2_IDS.is_sorted_by(|one, next| one.0 < next.0));
        let ec2 = catalogue::service("ec2").unwrap();
        let strange: Vec<_> = EC2_IDS.iter().filter(|(_, name)| ec2.resource_type(name).is_none()).collect();
        assert!(strange.is_empty(), "{strange:?}");
    }
}
