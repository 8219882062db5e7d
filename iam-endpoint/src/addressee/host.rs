//! What a host name tells: which service, and which region.

use iam_policy::Partition;

use crate::endpoint::Shared;

/// The host that a client addressed.
#[derive(Debug)]
pub(crate) struct Host<'a> {
    pub(crate) name: &'a str,
    /// The service's label in an AWS host name: `s3` in `bucket.s3.eu-west-1.amazonaws.com`.
    label: Option<&'a str>,
    region: Option<&'a str>,
}

impl<'a> Host<'a> {
    /// Reads `name[:port]`.
    pub(crate) fn parse(authority: &'a str) -> Self {
        let name = match authority.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => authority,
        };
        let Some(labels) = Partition::without_domain(name) else {
            return Self { name, label: None, region: None };
        };
        let mut labels = labels.rsplit('.').peekable();
        let region = labels.next_if(|label| is_region(label));
        let label = labels.find(|label| *label != "dualstack");
        Self { name, label, region }
    }

    /// The signing name of the service that an AWS host name is for.
    pub(crate) fn service(&self) -> Option<&'a str> {
        // `s3`, `s3-accelerate`, `s3-eu-west-1`, …
        self.label.map(|label| if label.starts_with("s3-") { "s3" } else { label })
    }

    /// Whether it is for S3's account-level operations, which are signed like S3's own.
    pub(crate) fn is_s3_control(&self) -> bool {
        self.label.is_some_and(|label| label.starts_with("s3-control"))
    }

    /// Whether it is a host of the service whose hosts begin with this label: `data-ats.iot`, `monitoring`.
    pub(crate) fn is_of(&self, host: &str) -> bool {
        let Some(labels) = Partition::without_domain(self.name) else {
            return false;
        };
        let labels = match self.region.and_then(|region| labels.strip_suffix(region)?.strip_suffix('.')) {
            Some(before) => before.strip_suffix(".dualstack").unwrap_or(before),
            None => labels,
        };
        // What comes before is a prefix of the operation's, or of the account's.
        labels.strip_suffix(host).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    }

    /// The regions that a signature may name at this host, where it names `asked`.
    ///
    /// At no host of AWS's, as at a loopback address, it is any of the partition's: the endpoint is all of them. The global
    /// services are signed for the partition's first.
    pub(crate) fn regions<'r>(&self, endpoint: &'r Shared, asked: &'r str) -> Vec<&'r str>
    where
        'a: 'r,
    {
        match self.region {
            Some(region) => vec![region],
            None if self.label.is_none()
                && is_region(asked)
                && Partition::of_region(asked).name == endpoint.partition =>
            {
                vec![asked]
            }
            None => vec![&endpoint.region, Partition::of_region(&endpoint.region).global_region],
        }
    }
}

/// Whether a label is a region's name, as `us-gov-west-1` is.
pub(crate) fn is_region(label: &str) -> bool {
    if !label.contains('-') {
        return false;
    }
    let mut parts = label.rsplit('-');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    parts.next().is_some_and(is_number) && parts.clone().count() >= 2 && parts.all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_host_names_tell_service_and_region() {
        for (host, service, region) in [
            ("s3.eu-west-1.amazonaws.com", Some("s3"), Some("eu-west-1")),
            ("us-west-2.s3.amazonaws.com", Some("s3"), None),
            ("a.b.s3.dualstack.us-gov-west-1.amazonaws.com:443", Some("s3"), Some("us-gov-west-1")),
            ("1234.s3-control.dualstack.eu-west-1.amazonaws.com", Some("s3"), Some("eu-west-1")),
            ("iam.amazonaws.com", Some("iam"), None),
            ("sts.cn-north-1.amazonaws.com.cn", Some("sts"), Some("cn-north-1")),
            ("sqs.us-iso-east-1.c2s.ic.gov", Some("sqs"), Some("us-iso-east-1")),
            ("127.0.0.1:4566", None, None),
            ("[::1]:4566", None, None),
            ("", None, None),
        ] {
            let host = Host::parse(host);
            assert_eq!((host.service(), host.region), (service, region), "{host:?}");
        }
    }
}
