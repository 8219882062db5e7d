//! `DescribeRegions`, which programs ask before they do anything else.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use iam_policy::Partition;

use crate::call::Call;
use crate::fault::Fault;
use crate::wire::input::{Found, Input};
use crate::wire::xml::Xml;

/// Lists the regions, with the endpoint's own among them; `None` for a request with filters, which this does not read.
pub(crate) fn describe(call: &Call<'_>, input: &Input<'_>) -> Option<Result<Response<Bytes>, Fault>> {
    if !input.find("Filter").is_empty() {
        return None;
    }
    let endpoint = call.endpoint;
    let mut regions = Partition::of_region(&endpoint.region).regions.to_vec();
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
                    xml.leaf("regionEndpoint", &Partition::host("ec2", name));
                    xml.leaf("optInStatus", "opt-in-not-required");
                });
            }
        });
    });
    let mut response = Response::new(Bytes::from(xml.finish()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml;charset=UTF-8"));
    Some(Ok(response))
}
