//! One request from its arrival to its answer.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::DATE;
use http::{HeaderName, HeaderValue, Request, Response};

use crate::call::{Call, Record};
use crate::clock;
use crate::digits::hex;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::headers::Headers;
use crate::host::Host;
use crate::identify::{Check, Identified};
use crate::journal::{Event, Outcome};
use crate::protocol::{Ids, Protocol};
use crate::request::Parts;
use crate::sigv4::{Failure, Presented};
use crate::{analyzer, iam, s3, sts};

/// Answers one request as a server does, which dates its answers. `peer` is the client's address where there is a socket.
pub(crate) fn call(endpoint: &Shared, request: Request<Bytes>, peer: Option<IpAddr>) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    let mut response = answer(endpoint, &Parts::of(&parts), &Headers::of(&parts.headers), body, peer);
    let date = clock::http_date(clock::in_seconds(endpoint.clock.now()));
    if let Ok(date) = HeaderValue::try_from(date) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// Answers one request, and journals it.
pub(crate) fn answer(
    endpoint: &Shared,
    parts: &Parts,
    headers: &Headers<'_>,
    body: Bytes,
    peer: Option<IpAddr>,
) -> Response<Bytes> {
    let time = endpoint.clock.now();
    let now = clock::in_seconds(time);
    let authority = authority(parts, headers);
    let host = Host::parse(&authority);
    let presented = Presented::read(parts, headers);
    let service = service_of(&presented, &host).or_else(|| sts::service_of_unsigned(parts, &body));
    let protocol = Protocol::of(service, &host, parts, headers, &body);
    let service = service.unwrap_or(protocol.service()).to_owned();
    let request_id = request_id(protocol);
    let ids = Ids { request: &request_id, host: HOST_ID };

    let identified = presented.and_then(|presented| {
        let check = Check { endpoint, parts, headers, host: &host, authority: &authority, protocol, now };
        check.identify(presented.as_ref(), body)
    });
    let (mut response, event) = match identified {
        Err(failure) => {
            let fault = protocol.authentication_fault(failure);
            let response = protocol.error(&fault, &parts.method, ids);
            let event = Event {
                request_id: request_id.clone(),
                time,
                principal: "unknown".to_owned(),
                role: None,
                operation: service,
                authorizations: Vec::new(),
                outcome: fault.outcome,
                status: response.status().as_u16(),
                code: Some(fault.code.into_owned()),
            };
            (response, event)
        }
        Ok(Identified { caller, signing, body, trailers }) => {
            let call = Call {
                endpoint,
                parts,
                headers,
                host: host.name,
                body,
                trailers,
                caller,
                signing,
                ids,
                now,
                source_ip: peer,
                record: Record::of(&service),
            };
            let response = perform(&call, &service, protocol);
            let event = call.into_event(time, &response);
            (response, event)
        }
    };
    stamp(&mut response, protocol, ids);
    endpoint.journal.record(event);
    response
}

/// Answers a request that cannot even be read, in its protocol.
#[cfg(feature = "server")]
pub(crate) fn refuse(parts: &http::request::Parts, fault: &Fault) -> Response<Bytes> {
    let headers = Headers::of(&parts.headers);
    let parts = &Parts::of(parts);
    let authority = authority(parts, &headers);
    let host = Host::parse(&authority);
    let presented = Presented::read(parts, &headers);
    let protocol = Protocol::of(service_of(&presented, &host), &host, parts, &headers, &[]);
    let request_id = request_id(protocol);
    protocol.error(fault, &parts.method, Ids { request: &request_id, host: HOST_ID })
}

/// The service that the signature is for, or else that of the host.
fn service_of<'a>(presented: &'a Result<Option<Presented<'_>>, Failure>, host: &Host<'a>) -> Option<&'a str> {
    match presented {
        Ok(Some(presented)) => Some(presented.service()),
        _ => host.service(),
    }
}

/// S3's answers carry a second id of this form; nothing depends on it.
const HOST_ID: &str = "aWFtLWZpeHR1cmUgZW1iZWRkZWQgZW5kcG9pbnQsIG5vdCBBbWF6b24gUzMh";

fn perform(call: &Call<'_>, service: &str, protocol: Protocol) -> Response<Bytes> {
    match (service, protocol) {
        ("access-analyzer", _) if analyzer::performs(call) => analyzer::handle(call),
        ("iam", _) => iam::handle(call),
        ("s3", Protocol::S3) => s3::handle(call),
        ("sts", _) => sts::handle(call),
        _ => {
            let operation = protocol.operation(call.parts, call.headers, &call.body);
            if let Some(operation) = &operation {
                call.begin(format!("{service}:{operation}"));
            }
            call.fault(protocol, &Fault::not_mapped(service, operation.as_deref()))
        }
    }
}

/// The `Host` header, or the URI's authority without a port that goes without saying.
fn authority<'r>(parts: &'r Parts, headers: &Headers<'r>) -> Cow<'r, str> {
    if let Some(host) = headers.get("host") {
        return String::from_utf8_lossy(host);
    }
    let authority = parts.uri.authority().map_or("", http::uri::Authority::as_str);
    let default_port = if parts.uri.scheme_str() == Some("http") { ":80" } else { ":443" };
    Cow::Borrowed(authority.strip_suffix(default_port).unwrap_or(authority))
}

fn request_id(protocol: Protocol) -> String {
    if protocol == Protocol::S3 {
        return hex([fastrand::u64(..)]).to_ascii_uppercase();
    }
    // A UUID of version 4 and of the variant that has versions.
    let mut id = hex([fastrand::u64(..) & !0xf000 | 0x4000, fastrand::u64(..) >> 2 | 1 << 63]);
    for at in [20, 16, 12, 8] {
        id.insert(at, '-');
    }
    id
}

fn stamp(response: &mut Response<Bytes>, protocol: Protocol, ids: Ids<'_>) {
    /// What is known is checked by the compiler, and not with each answer.
    static REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
    static S3_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
    static S3_HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");
    static HOST_ID_VALUE: HeaderValue = HeaderValue::from_static(HOST_ID);

    let headers = response.headers_mut();
    let mut set = |name: &HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    if protocol == Protocol::S3 {
        set(&S3_REQUEST_ID, ids.request);
        headers.insert(&S3_HOST_ID, HOST_ID_VALUE.clone());
    } else {
        set(&REQUEST_ID, ids.request);
    }
}

impl Call<'_> {
    /// Answers with an error, and journals it.
    pub(crate) fn fault(&self, protocol: Protocol, fault: &Fault) -> Response<Bytes> {
        self.conclude(fault.outcome, fault.code.clone());
        protocol.error(fault, &self.parts.method, self.ids)
    }

    fn into_event(self, time: SystemTime, response: &Response<Bytes>) -> Event {
        let record = self.record.into_inner();
        let status = response.status();
        let outcome = record.outcome.unwrap_or(if status.is_client_error() || status.is_server_error() {
            Outcome::Failed
        } else {
            Outcome::Answered
        });
        Event {
            request_id: self.ids.request.to_owned(),
            time,
            principal: self.caller.principal.to_string(),
            role: self.caller.role_arn().map(str::to_owned),
            operation: record.operation.into_owned(),
            authorizations: record.authorizations,
            outcome,
            status: status.as_u16(),
            code: record.code.map(Cow::into_owned),
        }
    }
}
