//! `DescribeRegions`, which programs ask before they do anything else.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

use crate::call::Call;
use crate::fault::Fault;
use crate::wire::input::{Found, Input};
use crate::wire::xml::Xml;

/// The regions of each partition that need no opting in.
///
/// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
const REGIONS: [(&str, &[&str]); 8] = [
    (
        "aws",
        &[
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
    ),
    ("aws-cn", &["cn-north-1", "cn-northwest-1"]),
    ("aws-eusc", &["eusc-de-east-1"]),
    ("aws-iso", &["us-iso-east-1", "us-iso-west-1"]),
    ("aws-iso-b", &["us-isob-east-1", "us-isob-west-1"]),
    ("aws-iso-e", &["eu-isoe-west-1"]),
    ("aws-iso-f", &["us-isof-east-1", "us-isof-south-1"]),
    ("aws-us-gov", &["us-gov-east-1", "us-gov-west-1"]),
];

/// Lists the regions, with the endpoint's own among them; `None` for a request with filters, which this does not read.
pub(crate) fn describe(call: &Call<'_>, input: &Input<'_>) -> Option<Result<Response<Bytes>, Fault>> {
    if !input.find("Filter").is_empty() {
        return None;
    }
    let endpoint = call.endpoint;
    let known = REGIONS
        .iter()
        .find(|(partition, _)| *partition == endpoint.partition)
        .map_or(&[][..], |(_, all)| all);
    let mut regions: Vec<&str> = known.to_vec();
    if !regions.contains(&endpoint.region.as_str()) {
        regions.push(&endpoint.region);
    }
    let wanted: Vec<_> = input.find("RegionName[]").into_iter().filter_map(Found::text).collect();
    if let Some(name) = wanted.iter().find(|name| !regions.contains(&name.as_ref())) {
        let message = format!("Invalid region provided: {name}");
        return Some(Err(Fault::new(StatusCode::BAD_REQUEST, "InvalidParameterValue", message)));
    }
    if !wanted.is_empty() {
        regions.retain(|name| wanted.iter().any(|wanted| wanted == name));
    }
    let mut xml = Xml::declared();
    xml.element("DescribeRegionsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"", |xml| {
        xml.leaf("requestId", call.ids.request);
        xml.element("regionInfo", |xml| {
            for name in regions {
                xml.element("item", |xml| {
                    xml.leaf("regionName", name);
                    xml.leaf("regionEndpoint", &format!("ec2.{name}.{}", suffix(endpoint.partition)));
                    xml.leaf("optInStatus", "opt-in-not-required");
                });
            }
        });
    });
    let mut response = Response::new(Bytes::from(xml.finish()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml;charset=UTF-8"));
    Some(Ok(response))
}

/// What the names of a partition's hosts end in.
fn suffix(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso-e" => "cloud.adc-e.uk",
        "aws-iso-f" => "csp.hci.ic.gov",
        _ => "amazonaws.com",
    }
}
