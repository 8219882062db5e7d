#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]
#![allow(clippy::print_stdout, reason = "shares and counts are for who reads the log")]

use std::collections::HashSet;

use http::HeaderMap;

use super::*;
use crate::wire::headers::Headers;

#[test]
fn the_table_is_whole() {
    assert!(TABLE.is_ascii());
    assert_eq!(services().len(), 439);
    assert_eq!(operations().count(), 19_796);
}

#[test]
fn everything_is_found_by_its_own_name() {
    for service in services() {
        assert_eq!(by_id(service.id()), Some(*service));
        assert!(signed_by(service.signing()).contains(service));
        assert!(service.target().is_none_or(|target| of_target(target).contains(service)));
        assert!(service.is_called(&service.name().to_ascii_lowercase().replace(' ', "-")), "{service:?}");
        for operation in service.operations() {
            assert_eq!(service.operation(operation.name()), Some(operation));
            assert_eq!(
                operation.template().is_some(),
                service.protocols().next().unwrap().starts_with("rest-")
            );
            assert!(!operation.checks().is_empty(), "{operation:?}");
        }
    }
}

#[test]
fn what_is_found_without_the_index_is_what_the_index_has() {
    for id in OWN {
        let found = own(id).unwrap();
        let listed = services().iter().find(|service| service.id() == id).unwrap();
        assert_eq!(found.operations().count(), listed.operations().count());
        assert!(found.operations().count() > 0);
    }
    for name in ["iam", "sts"] {
        let takes_queries = |service: &&Service| service.protocols().any(|protocol| protocol == "query");
        let queried: Vec<_> = signed_by(name).iter().filter(takes_queries).copied().collect();
        assert_eq!(queried_as(name).as_slice(), queried);
    }
    assert_eq!((queried_as("s3"), queried_as("sqs")), (None, None));
}

#[test]
fn what_does_not_exist_is_not_found() {
    assert_eq!(by_id("dynamo"), None);
    assert_eq!(by_id(""), None);
    assert_eq!(signed_by("dynamo").len(), 0);
    assert_eq!(of_target("").len(), 0);
    let dynamodb = by_id("dynamodb").unwrap();
    for name in ["", "o GetItem", "GetItems", "GetItem\t", "dynamodb"] {
        assert_eq!(dynamodb.operation(name), None, "{name}");
    }
}

#[test]
fn a_service_has_the_facts_of_its_model() {
    let sfn = by_id("stepfunctions").unwrap();
    assert_eq!(
        (sfn.name(), sfn.prefix(), sfn.signing(), sfn.host()),
        ("SFN", Some("states"), "states", "states")
    );
    assert_eq!((sfn.protocols().collect::<Vec<_>>(), sfn.version()), (vec!["json-1.0"], "2016-11-23"));
    assert_eq!((sfn.target(), sfn.denial()), (Some("AWSStepFunctions"), None));
    assert_eq!(sfn.receiver_of_roles().as_deref(), Some("states.amazonaws.com"));
    assert!(by_id("cognito-idp").unwrap().operation("SignUp").unwrap().is_anonymous());
    assert!(by_id("sns").unwrap().denial() == Some(("AuthorizationError", 403)));
    assert!(by_id("transcribe-streaming").is_none_or(|s| s.operations().any(Operation::has_event_stream)));
}

#[test]
fn no_fewer_operations_are_mapped_and_checked_than_were() {
    let all = operations().count();
    let checked: usize = services()
        .iter()
        .filter(|service| service.is_checked())
        .map(|service| service.operations().count())
        .sum();
    let mapped = operations().filter(|operation| operation.checks() != "?").count();
    println!("of {all} operations {checked} are checked by hand, {mapped} are mapped");
    assert!(checked >= 4_744 && mapped >= 19_192, "{checked} {mapped}");
}

#[test]
fn every_rest_operation_is_found_by_the_least_request_for_it() {
    let (mut routed, mut alike) = (0, HashSet::new());
    for service in services() {
        for operation in service.operations() {
            let Some(template) = operation.template() else { continue };
            let (method, path, query, headers) = least_request(template);
            let found = service.route(&method, &path, &query, &Headers::of(&headers));
            let found = found.unwrap_or_else(|| panic!("{operation:?}: nothing for {method} {path}?{query}"));
            if found.operation != operation && found.operation.template() == Some(template) {
                alike.insert(operation.name());
                continue;
            }
            assert_eq!(found.operation, operation, "{method} {path}?{query}");
            assert!(found.labels.iter().all(|(_, value)| value.starts_with("a b/")), "{:?}", found.labels);
            routed += 1;
        }
    }
    println!("{routed} REST operations are routed");
    assert_eq!(routed, 10_587);
    // Deprecated operations, and one that only the host tells from another.
    let mut alike: Vec<_> = alike.into_iter().collect();
    alike.sort_unstable();
    assert_eq!(
        alike,
        [
            "GetBucketLifecycle",
            "GetBucketNotification",
            "ListDirectoryBuckets",
            "PutBucketLifecycle",
            "PutBucketNotification",
        ]
    );
}

/// The request that has what the template asks for and no more.
fn least_request(template: &str) -> (String, String, String, HeaderMap) {
    let mut words = template.split(' ');
    let method = words.next().unwrap().to_owned();
    let (path, query) = words.next().map(|uri| uri.split_once('?').unwrap_or((uri, ""))).unwrap();
    let label = |segment: &str| segment.starts_with('{');
    let greedy = |segment: &str| segment.ends_with("+}");
    let segments: Vec<_> = path
        .split('/')
        .map(|segment| {
            if greedy(segment) {
                "a%20b/c/d/"
            } else if label(segment) {
                "a%20b%2Fc"
            } else {
                segment
            }
        })
        .collect();
    let mut headers = HeaderMap::new();
    for name in words {
        let name = http::HeaderName::from_bytes(name.trim_start_matches(':').as_bytes()).unwrap();
        headers.insert(name, "x".parse().unwrap());
    }
    (method, segments.join("/"), query.to_owned(), headers)
}

#[test]
fn s3_is_told_by_query_and_headers() {
    let s3 = by_id("s3").unwrap();
    let route = |method: &str, path: &str, query: &str, header: Option<&'static str>| {
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|name| (http::HeaderName::from_static(name), "b/k".parse().unwrap())));
        let found = s3.route(method, path, query, &Headers::of(&headers));
        found.map_or_else(String::new, |found| {
            let labels = found.labels.iter().map(|(name, value)| format!(" {name}={value}"));
            format!("{}{}", found.operation.name(), labels.collect::<String>())
        })
    };
    for (method, path, query, header, expected) in [
        ("GET", "/", "", None, "ListBuckets"),
        ("GET", "/b", "", None, "ListObjects Bucket=b"),
        ("GET", "/b/", "", None, "ListObjects Bucket=b"),
        ("GET", "/b", "prefix=x&list-type=2", None, "ListObjectsV2 Bucket=b"),
        ("GET", "/b", "versions", None, "ListObjectVersions Bucket=b"),
        ("GET", "/b/k/l%2B/", "", None, "GetObject Bucket=b Key=k/l+/"),
        ("GET", "/b//", "", None, "GetObject Bucket=b Key=/"),
        ("GET", "/b/k", "x-id=GetObject&versionId=1", None, "GetObject Bucket=b Key=k"),
        ("GET", "/b/k", "acl=", None, "GetObjectAcl Bucket=b Key=k"),
        ("GET", "/b/k", "uploadId=1", None, "ListParts Bucket=b Key=k"),
        ("PUT", "/b/k", "", None, "PutObject Bucket=b Key=k"),
        ("PUT", "/b/k", "", Some("x-amz-copy-source"), "CopyObject Bucket=b Key=k"),
        ("PUT", "/b/k", "uploadId=1&partNumber=1", None, "UploadPart Bucket=b Key=k"),
        (
            "PUT",
            "/b/k",
            "uploadId=1&partNumber=1",
            Some("x-amz-copy-source"),
            "UploadPartCopy Bucket=b Key=k",
        ),
        ("HEAD", "/b", "", None, "HeadBucket Bucket=b"),
        ("HEAD", "/b/k", "", None, "HeadObject Bucket=b Key=k"),
        ("POST", "/b", "delete", None, "DeleteObjects Bucket=b"),
        ("PATCH", "/b/k", "", None, ""),
        ("GET", "/b/%FF", "", None, ""),
    ] {
        assert_eq!(route(method, path, query, header), expected, "{method} {path}?{query}");
    }
}

#[test]
fn literals_go_before_labels() {
    let lambda = by_id("lambda").unwrap();
    let headers = HeaderMap::new();
    let route = |path, query| {
        let found = lambda.route("GET", path, query, &Headers::of(&headers)).unwrap();
        (found.operation.name(), found.labels)
    };
    let (name, labels) = route("/2015-03-31/functions/arn%3Aaws%3Alambda%3A%3Af%2Fg/", "Qualifier=1");
    assert_eq!((name, labels), ("GetFunction", vec![("FunctionName", "arn:aws:lambda::f/g".to_owned())]));
    assert_eq!(route("/2018-10-31/layers", "").0, "ListLayers");
    assert_eq!(route("/2018-10-31/layers", "find=LayerVersion&Arn=a").0, "GetLayerVersionByArn");
}

fn operations() -> impl Iterator<Item = Operation> {
    services().iter().copied().flat_map(Service::operations)
}
