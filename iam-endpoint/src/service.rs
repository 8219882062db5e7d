//! One request from its arrival to its answer.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;
use std::sync::Mutex;
#[cfg(feature = "server")]
use std::sync::PoisonError;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::DATE;
#[cfg(feature = "server")]
use http::header::EXPECT;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use crate::addressee::host::Host;
use crate::addressee::{Addressee, Signs};
use crate::analyzer;
use crate::authorize::resource_policy::Change;
use crate::call::{Call, Record};
use crate::clock;
use crate::endpoint::Shared;
use crate::fault::{Fault, UPSTREAM_UNAVAILABLE};
use crate::iam;
use crate::identify::caller::Caller;
use crate::identify::sigv4::{Failure, Opening, Presented};
use crate::identify::{Check, Identified};
use crate::journal::{Event, Outcome};
use crate::mapped;
use crate::mapped::Reply;
use crate::perform::delivery;
use crate::perform::forward::OnBehalf;
use crate::perform::{Allowed, unframed};
use crate::s3;
#[cfg(feature = "server")]
use crate::server::Coming;
#[cfg(feature = "server")]
use crate::server::upload::{self, Broken, Passed};
use crate::sts;
use crate::weather::{Interrupted, Sky};
use crate::wire::body::Body;
#[cfg(feature = "server")]
use crate::wire::body::pipe::pipe;
use crate::wire::digits::hex;
use crate::wire::headers::Headers;
use crate::wire::protocol::{Ids, Protocol};
use crate::wire::request::Parts;

/// A request as it came.
struct Arrived<'a> {
    parts: &'a Parts,
    headers: &'a Headers<'a>,
    /// `None` for that of an upload, which is still to come and plays no part in what is decided.
    body: Option<Bytes>,
    /// The client's address, where it is not in this process.
    peer: Option<IpAddr>,
}

/// Answers one request as a server does, which dates its answers. `peer` is the client's address.
#[cfg(feature = "server")]
pub(crate) async fn call(endpoint: &Shared, request: Request<Bytes>, peer: IpAddr) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let (parts, headers) = (&Parts::of(&parts), &Headers::of(&parts.headers));
    let step = begin(endpoint, Arrived { parts, headers, body: Some(body), peer: Some(peer) });
    dated(endpoint, step.answer(endpoint).await)
}

/// Answers one request as a server does, with an answer that is whole.
pub(crate) async fn call_whole(endpoint: &Shared, request: Request<Bytes>) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    let (parts, headers) = (&Parts::of(&parts), &Headers::of(&parts.headers));
    let mut step = begin(endpoint, Arrived { parts, headers, body: Some(body), peer: None });
    if let Step::Allowed(pending) = &mut step {
        pending.is_whole = true;
    }
    let response = dated(endpoint, step.answer(endpoint).await);
    response.map(|body| body.bytes().cloned().unwrap_or_default())
}

/// Answers one request, and journals it.
pub(crate) async fn answer(
    endpoint: &Shared,
    parts: &Parts,
    headers: Vec<(&str, &[u8])>,
    body: Bytes,
) -> Response<Body> {
    let headers = &Headers::new(headers);
    let step = begin(endpoint, Arrived { parts, headers, body: Some(body), peer: None });
    let response = step.answer(endpoint).await;
    // From the date a client learns by how much its clock is off, which is so in bad weather only.
    if endpoint.sky.is_some() { dated(endpoint, response) } else { response }
}

/// Answers an upload, whose body goes on as it comes once the caller is found to be allowed to send it.
#[cfg(feature = "server")]
pub(crate) async fn upload<B>(
    endpoint: &Shared,
    parts: http::request::Parts,
    mut coming: Coming<B>,
    peer: IpAddr,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let (line, headers) = (&Parts::of(&parts), &Headers::of(&parts.headers));
    let step = begin(endpoint, Arrived { parts: line, headers, body: None, peer: Some(peer) });
    let response = match step {
        Step::Allowed(pending) => pending.perform_upload(endpoint, coming, &parts).await,
        Step::Answered(response) => {
            // Many clients do not read before they have sent all.
            if !parts.headers.contains_key(EXPECT) {
                coming.drain().await;
            }
            response.map(Body::from)
        }
        step @ Step::Interrupted(..) => {
            coming.drain().await;
            step.answer(endpoint).await
        }
    };
    dated(endpoint, response)
}

fn dated(endpoint: &Shared, mut response: Response<Body>) -> Response<Body> {
    let date = clock::http_date(clock::in_seconds(endpoint.clock.now()));
    if let Ok(date) = HeaderValue::try_from(date) {
        response.headers_mut().insert(DATE, date);
    }
    response
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
    async fn answer(self, endpoint: &Shared) -> Response<Body> {
        match self {
            Self::Answered(response) => response.map(Body::from),
            // In a box: whoever awaits an answer moves what it may be waiting for, and most calls wait for nothing.
            Self::Allowed(pending) => Box::pin(pending.perform(endpoint)).await,
            Self::Interrupted(pending, interrupted) => {
                if let Some(pending) = pending {
                    let _ = Box::pin(pending.perform(endpoint)).await;
                }
                interrupted.answer().await.map(Body::from)
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
    /// Whether the answer's body has to be there before the answer is given.
    is_whole: bool,
    /// What the body is opened with, where it is still to come.
    #[cfg_attr(not(feature = "server"), expect(dead_code, reason = "only a server gets uploads"))]
    opening: Option<Opening>,
}

impl Pending {
    async fn perform(self, endpoint: &Shared) -> Response<Body> {
        let performed = endpoint.performers.perform(&self.allowed).await;
        self.conclude(endpoint, performed.map(Ok)).await
    }

    #[cfg(feature = "server")]
    async fn perform_upload<B>(
        mut self,
        endpoint: &Shared,
        coming: Coming<B>,
        parts: &http::request::Parts,
    ) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
    {
        let Some(opening) = self.opening.take() else { return self.perform(endpoint).await };
        let (to, body) = pipe(opening.length());
        *self.allowed.upload.get_mut().unwrap_or_else(PoisonError::into_inner) = Some(body);
        let allowed = &self.allowed;
        let perform = async {
            let performed = endpoint.performers.perform(allowed).await;
            // Nobody may have taken it; nobody will.
            drop(allowed.take_upload());
            performed
        };
        let pass_on = upload::pass_on(coming, opening, upload::sums(&parts.headers), to);
        let (performed, passed_on) = tokio::join!(perform, pass_on);
        let performed = match (performed, passed_on) {
            (_, Err(Broken::Signature(failure))) => Some(Err(self.protocol.authentication_fault(failure))),
            (_, Err(Broken::Body(fault))) => Some(Err(fault)),
            (Some(response), Ok(Passed::NotAll)) if response.status().is_success() => {
                let what = "the caller is allowed to do this, but the upstream answered before it had the whole body";
                Some(Err(Fault::unavailable(StatusCode::BAD_GATEWAY, what)))
            }
            (performed, Ok(_)) => performed.map(Ok),
        };
        self.conclude(endpoint, performed).await
    }

    /// Journals the call, and words its answer; `None` if nobody performed it.
    async fn conclude(
        self,
        endpoint: &Shared,
        performed: Option<Result<Response<Body>, Fault>>,
    ) -> Response<Body> {
        let Self { mut allowed, change, protocol, mut event, is_whole, .. } = self;
        // What the caller may not have done with a key ends the call, whatever was answered.
        let asked = allowed.on_behalf.take().map(|on_behalf| on_behalf.into_asked()).unwrap_or_default();
        event.authorizations.extend(asked.record.authorizations);
        let performed = asked.fault.map(Err).or(performed);
        let ids = Ids { request: &event.request_id, host: HOST_ID };
        let performed = performed
            .unwrap_or_else(|| Err(endpoint.performers.none(allowed.service, &allowed.operation)))
            .and_then(|mut response| match Fault::of(&mut response) {
                Some(fault) => Err(fault),
                None => Ok(response),
            });
        let performed = match performed {
            Ok(response) if is_whole => whole(response).await,
            performed => performed,
        };
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
                protocol.error(&fault, allowed.request.method(), ids).map(Body::from)
            }
        };
        // What nobody performs is what a test looks at for its decisions: they follow from what was allowed.
        let is_refused = matches!(event.outcome, Outcome::Denied | Outcome::Failed | Outcome::NotEvaluable);
        if let Some(change) = change.filter(|_| !is_refused) {
            change.make(endpoint, response.body().bytes().map_or(&[], |body| body));
        }
        event.status = response.status().as_u16();
        stamp(&mut response, protocol, ids);
        let request_id = event.request_id.clone();
        let is_answered = event.outcome == Outcome::Answered;
        endpoint.journal.record(event);
        if is_answered {
            delivery::make_all(endpoint, allowed.take_deliveries()).await;
        }
        response.map(|body| watched(body, endpoint, request_id))
    }
}

/// A body whose breaking off is journalled.
fn watched(body: Body, endpoint: &Shared, request_id: String) -> Body {
    if body.bytes().is_some() {
        return body;
    }
    let endpoint = endpoint.clone();
    body.on_error(move || endpoint.journal.break_off(&request_id, UPSTREAM_UNAVAILABLE))
}

/// An answer whose body is in memory.
async fn whole(response: Response<Body>) -> Result<Response<Body>, Fault> {
    let (parts, body) = response.into_parts();
    match body.collect().await {
        Ok(body) => Ok(Response::from_parts(parts, Body::from(body))),
        Err(error) => Err(Fault::unavailable(StatusCode::BAD_GATEWAY, error.to_string())),
    }
}

/// How a service's answer ends a call that was authorized.
pub(crate) fn outcome_of(status: StatusCode) -> Outcome {
    if status.is_client_error() || status.is_server_error() { Outcome::Failed } else { Outcome::Answered }
}

/// What becomes of a request at once, in the weather that there is.
fn begin(endpoint: &Shared, arrived: Arrived<'_>) -> Step {
    match &endpoint.sky {
        None => decide(endpoint, arrived),
        Some(sky) => begin_under(sky, endpoint, arrived),
    }
}

fn begin_under(sky: &Sky, endpoint: &Shared, arrived: Arrived<'_>) -> Step {
    let Arrived { parts, headers, .. } = arrived;
    let time = endpoint.clock.now();
    let known = arrived.body.as_deref().unwrap_or_default();
    let (service, protocol) = addressed(parts, headers, known);
    let call = match protocol.operation(parts, headers, known) {
        Some(operation) => format!("{service}:{operation}"),
        None => format!("{service}:"),
    };
    let endpoint = &endpoint.known_by(sky.server(&service));
    let Some(mishap) = sky.mishap(&call, time) else {
        return decide(endpoint, arrived);
    };
    if let Some(fault) = mishap.fault(protocol) {
        let request_id = request_id(protocol);
        let ids = Ids { request: &request_id, host: HOST_ID };
        return Step::Answered(refused(endpoint, protocol, fault, &parts.method, ids, call, time));
    }
    let pending = mishap.takes_effect().then(|| decide(endpoint, arrived));
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
fn decide(endpoint: &Shared, arrived: Arrived<'_>) -> Step {
    let Arrived { parts, headers, body, peer } = arrived;
    let time = endpoint.clock.now();
    let now = clock::in_seconds(time);
    let authority = authority(parts, headers);
    let host = Host::parse(&authority);
    let presented = Presented::read(parts, headers);
    let signing_name = signing_name(&presented, &host);
    let visible = body.as_deref().unwrap_or_default();
    let signs = Signs { signing_name, host: &host, parts, headers, body: visible };
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
            may_be_anonymous: presented.is_none()
                && mapped::is_anonymous(addressee, parts, headers, body.as_deref().unwrap_or_default()),
            now,
        };
        check.identify(presented.as_ref(), body)
    });
    let (mut response, event) = match identified {
        Err(failure) => {
            let fault = protocol.authentication_fault(failure);
            return Step::Answered(refused(endpoint, protocol, fault, &parts.method, ids, service, time));
        }
        Ok(Identified { caller, endpoint, signing, body, trailers, opening }) => {
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
                global_context: OnceCell::new(),
                record: Record::of(&service),
            };
            let reply = match perform(&call, &service, addressee) {
                Reply::Allowed { service, operation, change }
                    if endpoint.performers.is_empty() && opening.is_none() =>
                {
                    let response = call.fault(protocol, &endpoint.performers.none(service.id(), &operation));
                    if let Some(change) = change {
                        change.make(&endpoint, response.body());
                    }
                    Reply::Answered(response)
                }
                reply => reply,
            };
            match reply {
                Reply::Answered(response) => {
                    let (event, _) = call.into_event(time, response.status());
                    (response, event)
                }
                Reply::Allowed { service, operation, change } => {
                    let region = call.signing.as_ref().map_or(&*endpoint.region, |signing| &*signing.region);
                    let region = region.to_owned();
                    let (body, trailers) = (call.body.clone(), call.trailers.clone());
                    let signing = call.signing.clone();
                    let (event, caller) = call.into_event(time, StatusCode::OK);
                    let on_behalf = OnBehalf::new(caller, &endpoint, signing, now, peer);
                    let length = opening.as_ref().and_then(Opening::length);
                    let allowed = Allowed {
                        request: unframed(parts, headers, body, length, trailers),
                        service: service.id(),
                        signing_name: service.signing(),
                        operation,
                        principal: event.principal.clone(),
                        account: endpoint.account.id.clone(),
                        partition: endpoint.partition,
                        region,
                        time,
                        upload: Mutex::default(),
                        deliveries: Mutex::default(),
                        on_behalf: Some(Box::new(on_behalf)),
                    };
                    let is_whole = change.is_some();
                    let pending = Pending { allowed, change, protocol, event, is_whole, opening };
                    return Step::Allowed(Box::new(pending));
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
pub(crate) fn refuse(parts: &http::request::Parts, fault: &Fault) -> Response<Body> {
    let headers = Headers::of(&parts.headers);
    let parts = &Parts::of(parts);
    let (_, protocol) = addressed(parts, &headers, &[]);
    let request_id = request_id(protocol);
    protocol.error(fault, &parts.method, Ids { request: &request_id, host: HOST_ID }).map(Body::from)
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
pub(crate) fn signing_name<'a>(
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
pub(crate) fn authority<'r>(parts: &'r Parts, headers: &Headers<'r>) -> Cow<'r, str> {
    if let Some(host) = headers.get("host") {
        return String::from_utf8_lossy(host);
    }
    let authority = parts.uri.authority().map_or("", http::uri::Authority::as_str);
    let default_port = if parts.uri.scheme_str() == Some("http") { ":80" } else { ":443" };
    Cow::Borrowed(authority.strip_suffix(default_port).unwrap_or(authority))
}

pub(crate) fn request_id(protocol: Protocol) -> String {
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

fn stamp<B>(response: &mut Response<B>, protocol: Protocol, ids: Ids<'_>) {
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

    /// What the journal keeps of the call, and who called.
    fn into_event(self, time: SystemTime, status: StatusCode) -> (Event, Caller) {
        let record = self.record.into_inner();
        let caller = record.caller.unwrap_or(self.caller);
        let outcome = record.outcome.unwrap_or_else(|| outcome_of(status));
        let event = Event {
            request_id: self.ids.request.to_owned(),
            time,
            principal: caller.principal.to_string(),
            role: caller.role_arn().map(str::to_owned),
            operation: record.operation.into_owned(),
            authorizations: record.authorizations,
            outcome,
            status: status.as_u16(),
            code: record.code.map(Cow::into_owned),
        };
        (event, caller)
    }
}
