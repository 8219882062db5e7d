//! One request from its arrival to its answer.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::DATE;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use crate::addressee::{Addressee, Signs};
use crate::call::{Call, Record};
use crate::clock;
use crate::digits::hex;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::headers::Headers;
use crate::host::Host;
use crate::identify::{Check, Identified};
use crate::journal::{Event, Outcome};
use crate::mapped::Reply;
use crate::perform::{Allowed, unframed};
use crate::protocol::{Ids, Protocol};
use crate::request::Parts;
use crate::resource_policy::Change;
use crate::sigv4::{Failure, Presented};
use crate::weather::{Interrupted, Sky};
use crate::{analyzer, iam, mapped, s3, sts};

/// Answers one request as a server does, which dates its answers. `peer` is the client's address where there is a socket.
pub(crate) async fn call(
    endpoint: &Shared,
    request: Request<Bytes>,
    peer: Option<IpAddr>,
) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    let step = begin(endpoint, &Parts::of(&parts), &Headers::of(&parts.headers), body, peer);
    let mut response = step.answer(endpoint).await;
    date(&mut response, endpoint);
    response
}

/// Answers one request, and journals it.
pub(crate) async fn answer(
    endpoint: &Shared,
    parts: &Parts,
    headers: Vec<(&str, &[u8])>,
    body: Bytes,
) -> Response<Bytes> {
    let step = begin(endpoint, parts, &Headers::new(headers), body, None);
    let mut response = step.answer(endpoint).await;
    // From this a client learns by how much its clock is off, which is so in bad weather only.
    if endpoint.sky.is_some() {
        date(&mut response, endpoint);
    }
    response
}

fn date(response: &mut Response<Bytes>, endpoint: &Shared) {
    let date = clock::http_date(clock::in_seconds(endpoint.clock.now()));
    if let Ok(date) = HeaderValue::try_from(date) {
        response.headers_mut().insert(DATE, date);
    }
}

/// A request once all that can be said at once is said.
enum Step {
    Answered(Response<Bytes>),
    /// Another performs it, and may take its time.
    Allowed(Box<Pending>),
    /// Whatever the answer is, it does not reach the client; what is pending takes effect all the same.
    Interrupted(Option<Box<Pending>>, Interrupted),
}

impl Step {
    async fn answer(self, endpoint: &Shared) -> Response<Bytes> {
        match self {
            Self::Answered(response) => response,
            Self::Allowed(pending) => pending.perform(endpoint).await,
            Self::Interrupted(pending, interrupted) => {
                if let Some(pending) = pending {
                    let _ = pending.perform(endpoint).await;
                }
                interrupted.answer().await
            }
        }
    }
}

/// What is left of an authorized request until somebody performed it.
struct Pending {
    allowed: Allowed,
    change: Option<Change>,
    protocol: Protocol,
    event: Event,
}

impl Pending {
    async fn perform(self, endpoint: &Shared) -> Response<Bytes> {
        let Self { allowed, change, protocol, mut event } = self;
        let ids = Ids { request: &event.request_id, host: HOST_ID };
        let not_performed = || Err(Fault::not_performed(allowed.service, &allowed.operation));
        let performed = endpoint.performers.perform(&allowed).await;
        let performed = performed.map_or_else(not_performed, |mut response| match Fault::of(&mut response) {
            Some(fault) => Err(fault),
            None => Ok(response),
        });
        let mut response = match performed {
            Ok(response) => {
                event.outcome = outcome_of(response.status());
                if event.outcome == Outcome::Answered {
                    endpoint.told.learn(&allowed);
                }
                response
            }
            Err(fault) => {
                event.outcome = fault.outcome;
                event.code = Some(fault.code.clone().into_owned());
                protocol.error(&fault, allowed.request.method(), ids)
            }
        };
        // What nobody performs is what a test looks at for its decisions: they follow from what was allowed.
        if let Some(change) = change.filter(|_| event.outcome != Outcome::Failed) {
            change.make(endpoint, response.body());
        }
        event.status = response.status().as_u16();
        stamp(&mut response, protocol, ids);
        endpoint.journal.record(event);
        response
    }
}

/// How a service's answer ends a call that was authorized.
fn outcome_of(status: StatusCode) -> Outcome {
    if status.is_client_error() || status.is_server_error() { Outcome::Failed } else { Outcome::Answered }
}

/// What becomes of a request at once, in the weather that there is.
fn begin(endpoint: &Shared, parts: &Parts, headers: &Headers<'_>, body: Bytes, peer: Option<IpAddr>) -> Step {
    match &endpoint.sky {
        None => decide(endpoint, parts, headers, body, peer),
        Some(sky) => begin_under(sky, endpoint, parts, headers, body, peer),
    }
}

fn begin_under(
    sky: &Sky,
    endpoint: &Shared,
    parts: &Parts,
    headers: &Headers<'_>,
    body: Bytes,
    peer: Option<IpAddr>,
) -> Step {
    let time = endpoint.clock.now();
    let (service, protocol) = addressed(parts, headers, &body);
    let call = match protocol.operation(parts, headers, &body) {
        Some(operation) => format!("{service}:{operation}"),
        None => format!("{service}:"),
    };
    let endpoint = &endpoint.known_by(sky.server(&service));
    let Some(mishap) = sky.mishap(&call, time) else {
        return decide(endpoint, parts, headers, body, peer);
    };
    if let Some(fault) = mishap.fault(protocol) {
        let request_id = request_id(protocol);
        let ids = Ids { request: &request_id, host: HOST_ID };
        return Step::Answered(refused(endpoint, protocol, fault, &parts.method, ids, call, time));
    }
    let pending = mishap.takes_effect().then(|| decide(endpoint, parts, headers, body, peer));
    let pending = match pending {
        Some(Step::Allowed(pending)) => Some(pending),
        _ => None,
    };
    Step::Interrupted(pending, Interrupted::by(mishap))
}

/// An answer to nobody that is known, in its protocol, and journalled.
fn refused(
    endpoint: &Shared,
    protocol: Protocol,
    fault: Fault,
    method: &Method,
    ids: Ids<'_>,
    operation: String,
    time: SystemTime,
) -> Response<Bytes> {
    let mut response = protocol.error(&fault, method, ids);
    stamp(&mut response, protocol, ids);
    endpoint.journal.record(Event {
        request_id: ids.request.to_owned(),
        time,
        principal: "unknown".to_owned(),
        role: None,
        operation,
        authorizations: Vec::new(),
        outcome: fault.outcome,
        status: response.status().as_u16(),
        code: Some(fault.code.into_owned()),
    });
    response
}

/// Identifies, routes and authorizes, and answers what needs no other.
fn decide(
    endpoint: &Shared,
    parts: &Parts,
    headers: &Headers<'_>,
    body: Bytes,
    peer: Option<IpAddr>,
) -> Step {
    let time = endpoint.clock.now();
    let now = clock::in_seconds(time);
    let authority = authority(parts, headers);
    let host = Host::parse(&authority);
    let presented = Presented::read(parts, headers);
    let signing_name = signing_name(&presented, &host);
    let signs = Signs { signing_name, host: &host, parts, headers, body: &body };
    let addressee = signs.read();
    let protocol = addressee.protocol;
    let service = addressee.name(signing_name).to_owned();
    let request_id = request_id(protocol);
    let ids = Ids { request: &request_id, host: HOST_ID };

    let identified = presented.and_then(|presented| {
        let check = Check {
            endpoint,
            parts,
            headers,
            host: &host,
            authority: &authority,
            protocol,
            is_s3: addressee.is_signed_as_s3(),
            may_be_anonymous: presented.is_none() && mapped::is_anonymous(addressee, parts, headers, &body),
            now,
        };
        check.identify(presented.as_ref(), body)
    });
    let (mut response, event) = match identified {
        Err(failure) => {
            let fault = protocol.authentication_fault(failure);
            return Step::Answered(refused(endpoint, protocol, fault, &parts.method, ids, service, time));
        }
        Ok(Identified { caller, endpoint, signing, body, trailers }) => {
            let call = Call {
                endpoint: &endpoint,
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
            match perform(&call, &service, addressee) {
                Reply::Answered(response) => {
                    let event = call.into_event(time, response.status());
                    (response, event)
                }
                Reply::Allowed { service, operation, change } => {
                    let region = call.signing.as_ref().map_or(&*endpoint.region, |signing| &*signing.region);
                    let region = region.to_owned();
                    let (body, trailers) = (call.body.clone(), call.trailers.clone());
                    let event = call.into_event(time, StatusCode::OK);
                    let allowed = Allowed {
                        request: unframed(parts, headers, body, trailers),
                        service: service.id(),
                        signing_name: service.signing(),
                        operation,
                        principal: event.principal.clone(),
                        account: endpoint.account.id.clone(),
                        region,
                    };
                    return Step::Allowed(Box::new(Pending { allowed, change, protocol, event }));
                }
            }
        }
    };
    stamp(&mut response, protocol, ids);
    endpoint.journal.record(event);
    Step::Answered(response)
}

/// Answers a request that cannot even be read, in its protocol.
#[cfg(feature = "server")]
pub(crate) fn refuse(parts: &http::request::Parts, fault: &Fault) -> Response<Bytes> {
    let headers = Headers::of(&parts.headers);
    let parts = &Parts::of(parts);
    let (_, protocol) = addressed(parts, &headers, &[]);
    let request_id = request_id(protocol);
    protocol.error(fault, &parts.method, Ids { request: &request_id, host: HOST_ID })
}

/// The service, and the protocol in which it is spoken to.
fn addressed(parts: &Parts, headers: &Headers<'_>, body: &[u8]) -> (String, Protocol) {
    let authority = authority(parts, headers);
    let host = Host::parse(&authority);
    let presented = Presented::read(parts, headers);
    let signing_name = signing_name(&presented, &host);
    let addressee = Signs { signing_name, host: &host, parts, headers, body }.read();
    (addressee.name(signing_name).to_owned(), addressee.protocol)
}

/// What the signature is for, or else the service of the host.
fn signing_name<'a>(
    presented: &'a Result<Option<Presented<'_>>, Failure>,
    host: &Host<'a>,
) -> Option<&'a str> {
    match presented {
        Ok(Some(presented)) => Some(presented.service()),
        _ => host.service(),
    }
}

/// S3's answers carry a second id of this form; nothing depends on it.
const HOST_ID: &str = "aWFtLWZpeHR1cmUgZW1iZWRkZWQgZW5kcG9pbnQsIG5vdCBBbWF6b24gUzMh";

/// IAM, STS and S3 are the endpoint's own, as far as they go; whatever they do not perform is as with all other services.
fn perform(call: &Call<'_>, name: &str, addressee: Addressee) -> Reply {
    let Addressee { service, protocol } = addressee;
    let Some(service) = service else {
        let operation = protocol.operation(call.parts, call.headers, &call.body);
        if let Some(operation) = &operation {
            call.begin(format!("{name}:{operation}"));
        }
        return Reply::Answered(call.fault(protocol, &Fault::not_mapped(name, operation.as_deref())));
    };
    let own = match service.id() {
        "accessanalyzer" if analyzer::performs(call) => Some(analyzer::handle(call)),
        "iam" => iam::handle(call),
        "s3" => match s3::handle(call) {
            s3::Handled::Answered(response) => Some(response),
            s3::Handled::NotPerformed { operation, labels } => {
                return mapped::handle_as(call, service, protocol, operation, labels);
            }
        },
        "sts" => sts::handle(call),
        _ => None,
    };
    own.map_or_else(|| mapped::handle(call, service, protocol), Reply::Answered)
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

    fn into_event(self, time: SystemTime, status: StatusCode) -> Event {
        let record = self.record.into_inner();
        let outcome = record.outcome.unwrap_or_else(|| outcome_of(status));
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
