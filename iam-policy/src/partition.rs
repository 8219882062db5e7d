//! AWS's partitions.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html> and botocore's partitions.

/// A group of regions with accounts, names of hosts and IAM of its own.
///
/// ```
/// use iam_policy::Partition;
///
/// assert_eq!(Partition::of_region("cn-north-1").name, "aws-cn");
/// assert_eq!(Partition::named("aws-us-gov").map(|gov| gov.global_region), Some("us-gov-west-1"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Partition {
    /// As ARNs have it: `aws`, `aws-cn`, …
    pub name: &'static str,
    /// What the names of its regions begin with.
    starts: &'static str,
    /// What the names of its hosts end in: `amazonaws.com`, …
    pub domain: &'static str,
    /// The same for hosts with IPv6 addresses, too.
    dual_stack: &'static str,
    /// The region that global services are signed for.
    pub global_region: &'static str,
    /// The [regions](https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html) that need no opting in.
    pub regions: &'static [&'static str],
}

/// By name. The first has whatever region none of the others has.
static ALL: [Partition; 8] = [
    Partition {
        name: "aws",
        starts: "",
        domain: "amazonaws.com",
        dual_stack: "api.aws",
        global_region: "us-east-1",
        regions: &[
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-southeast-1",
            "ap-southeast-2",
            "ca-central-1",
            "eu-central-1",
            "eu-north-1",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        ],
    },
    Partition {
        name: "aws-cn",
        starts: "cn-",
        domain: "amazonaws.com.cn",
        dual_stack: "api.amazonwebservices.com.cn",
        global_region: "cn-north-1",
        regions: &["cn-north-1", "cn-northwest-1"],
    },
    Partition {
        name: "aws-eusc",
        starts: "eusc-",
        domain: "amazonaws.eu",
        dual_stack: "api.amazonwebservices.eu",
        global_region: "eusc-de-east-1",
        regions: &["eusc-de-east-1"],
    },
    Partition {
        name: "aws-iso",
        starts: "us-iso-",
        domain: "c2s.ic.gov",
        dual_stack: "api.aws.ic.gov",
        global_region: "us-iso-east-1",
        regions: &["us-iso-east-1", "us-iso-west-1"],
    },
    Partition {
        name: "aws-iso-b",
        starts: "us-isob-",
        domain: "sc2s.sgov.gov",
        dual_stack: "api.aws.scloud",
        global_region: "us-isob-east-1",
        regions: &["us-isob-east-1", "us-isob-west-1"],
    },
    Partition {
        name: "aws-iso-e",
        starts: "eu-isoe-",
        domain: "cloud.adc-e.uk",
        dual_stack: "api.cloud-aws.adc-e.uk",
        global_region: "eu-isoe-west-1",
        regions: &["eu-isoe-west-1"],
    },
    Partition {
        name: "aws-iso-f",
        starts: "us-isof-",
        domain: "csp.hci.ic.gov",
        dual_stack: "api.aws.hci.ic.gov",
        global_region: "us-isof-south-1",
        regions: &["us-isof-east-1", "us-isof-south-1"],
    },
    Partition {
        name: "aws-us-gov",
        starts: "us-gov-",
        domain: "amazonaws.com",
        dual_stack: "api.aws",
        global_region: "us-gov-west-1",
        regions: &["us-gov-east-1", "us-gov-west-1"],
    },
];

impl Partition {
    /// The one of this name, where AWS has it.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|partition| partition.name == name)
    }

    /// The one of a region; `aws` where no other has such regions.
    #[must_use]
    pub fn of_region(region: &str) -> &'static Self {
        let [aws, others @ ..] = &ALL;
        others.iter().find(|partition| region.starts_with(partition.starts)).unwrap_or(aws)
    }

    /// The name of one of AWS's hosts without the domain: `s3.eu-west-1`.
    #[must_use]
    pub fn without_domain(host: &str) -> Option<&str> {
        let before = |domain: &str| host.strip_suffix(domain)?.strip_suffix('.');
        ALL.iter().find_map(|partition| before(partition.domain).or_else(|| before(partition.dual_stack)))
    }

    /// The host of a service in a region.
    #[must_use]
    pub fn host(service: &str, region: &str) -> String {
        format!("{service}.{region}.{}", Self::of_region(region).domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_of_their_partition() {
        for partition in &ALL {
            assert!(partition.regions.contains(&partition.global_region), "{}", partition.name);
            for region in partition.regions {
                assert_eq!(Partition::of_region(region).name, partition.name, "{region}");
            }
        }
        assert_eq!(Partition::of_region("mx-central-1").name, "aws");
        assert!(Partition::named("aws-mars").is_none());
    }

    #[test]
    fn hosts_are_those_of_the_partition() {
        for (region, host) in [
            ("eu-west-1", "ssm.eu-west-1.amazonaws.com"),
            ("cn-north-1", "ssm.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "ssm.us-gov-west-1.amazonaws.com"),
            ("eusc-de-east-1", "ssm.eusc-de-east-1.amazonaws.eu"),
            ("us-isob-east-1", "ssm.us-isob-east-1.sc2s.sgov.gov"),
        ] {
            assert_eq!(Partition::host("ssm", region), host);
            assert_eq!(Partition::without_domain(host), host.get(..4 + region.len()));
        }
        assert_eq!(
            Partition::without_domain("s3.dualstack.eu-west-1.api.aws"),
            Some("s3.dualstack.eu-west-1")
        );
        for other in ["127.0.0.1", "localhost", "notamazonaws.com"] {
            assert_eq!(Partition::without_domain(other), None);
        }
    }
}
