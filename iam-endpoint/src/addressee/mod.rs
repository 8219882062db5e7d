//! Which service a request is for, and in which of the service's protocols it is written.
//!
//! The signature names most services. Where several share a signing name, as RDS and Neptune do, other parts of the request
//! tell: the target, the path of CBOR, the version of a query, the host, the SDK's user agent, the path.

pub(crate) mod host;

use crate::addressee::host::Host;
use crate::operation::{self, Route, Service};
use crate::wire::headers::Headers;
use crate::wire::protocol::{Protocol, parameter};
use crate::wire::request::Parts;

/// Who is to answer a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addressee {
    /// `None` where nothing tells, or no service has that signing name.
    pub(crate) service: Option<Service>,
    pub(crate) protocol: Protocol,
}

/// What in a request tells the service and the protocol.
pub(crate) struct Signs<'r> {
    /// What the signature is for, or else what the host names.
    pub(crate) signing_name: Option<&'r str>,
    pub(crate) host: &'r Host<'r>,
    pub(crate) parts: &'r Parts,
    pub(crate) headers: &'r Headers<'r>,
    pub(crate) body: &'r [u8],
}

/// How a request names its operation.
#[derive(Clone, Copy)]
enum Form<'r> {
    /// `Action` in a form or the URL.
    Action,
    /// `smithy-protocol: rpc-v2-cbor`, with service and operation in the path.
    Cbor(&'r str),
    /// Method and path.
    Rest,
    /// `X-Amz-Target`.
    Target(&'r str),
}

impl Addressee {
    /// What to call the service.
    pub(crate) fn name(self, signing_name: Option<&str>) -> &str {
        self.service.map(Service::id).or(signing_name).unwrap_or("unknown")
    }

    /// S3 and S3 Control sign a path as it is.
    pub(crate) fn is_signed_as_s3(self) -> bool {
        self.protocol == Protocol::S3 || self.service.is_some_and(|service| service.signing() == "s3")
    }
}

impl<'r> Signs<'r> {
    /// Where neither signature nor host tells the service, what looks like no other is S3, whose clients may be anonymous
    /// and its hosts have any name.
    pub(crate) fn read(&self) -> Addressee {
        let form = self.form();
        let service = match self.signing_name {
            Some(name) if name.starts_with("s3") => self.pick_s3(name, form),
            Some(name) => {
                let known = if let Form::Action = form { operation::queried_as(name) } else { None };
                known.or_else(|| self.pick(operation::signed_by(name).to_vec(), form))
            }
            None => self.pick_unsigned(form),
        };
        let protocol = match (service, form) {
            (Some(service), _) => Self::protocol(service, form),
            (_, Form::Cbor(_)) => Protocol::Cbor,
            (_, Form::Target(_)) => Protocol::Json,
            (_, Form::Action) => Protocol::Query,
            (None, Form::Rest) if self.signing_name.is_some() => Protocol::RestJson,
            (None, Form::Rest) => {
                return Addressee { service: operation::by_id("s3"), protocol: Protocol::S3 };
            }
        };
        Addressee { service, protocol }
    }

    fn form(&self) -> Form<'r> {
        let path = self.parts.uri.path();
        if self.headers.text("smithy-protocol") == Some("rpc-v2-cbor") {
            return Form::Cbor(path.strip_prefix("/service/").unwrap_or_default());
        }
        if let Some(target) = self.headers.text("x-amz-target") {
            return Form::Target(target);
        }
        let query = self.parts.uri.query().unwrap_or_default();
        let has_action = |text: &[u8]| {
            text.starts_with(b"Action=")
                || text.split(|b| *b == b'&').any(|pair| pair.starts_with(b"Action="))
        };
        let is_form = || {
            let content_type = self.headers.text("content-type").unwrap_or_default();
            content_type.starts_with("application/x-www-form-urlencoded")
        };
        if has_action(query.as_bytes())
            || self.body.starts_with(b"Action=")
            || is_form() && has_action(self.body)
        {
            Form::Action
        } else {
            Form::Rest
        }
    }

    fn protocol(service: Service, form: Form<'_>) -> Protocol {
        if service.id() == "s3" {
            return Protocol::S3;
        }
        let speaks = |wanted: &str| service.protocols().any(|protocol| protocol.starts_with(wanted));
        match form {
            Form::Cbor(_) => Protocol::Cbor,
            Form::Target(_) if speaks("json") => Protocol::Json,
            Form::Action if speaks("query") => Protocol::Query,
            _ if speaks("ec2") => Protocol::Ec2,
            _ if speaks("rest-json") => Protocol::RestJson,
            _ if speaks("rest-xml") => Protocol::RestXml,
            _ if speaks("query") => Protocol::Query,
            _ => Protocol::Json,
        }
    }

    /// S3 is addressed by any host and path, so S3 Control, which is signed like it, has to be told by what only it has.
    fn pick_s3(&self, name: &str, form: Form<'_>) -> Option<Service> {
        let is_control = ["x-amz-account-id", "x-amz-outpost-id"];
        if self.host.is_s3_control() || is_control.iter().any(|name| self.headers.get(name).is_some()) {
            return operation::by_id("s3control");
        }
        if name == "s3" {
            return operation::by_id("s3");
        }
        let mut others = operation::signed_by(name).to_vec();
        others.retain(|service| service.signing() != "s3");
        self.pick(others, form).or_else(|| operation::by_id("s3"))
    }

    /// Narrows the services down, by what tells most first; a sign that none has does not count.
    fn pick(&self, mut all: Vec<Service>, form: Form<'_>) -> Option<Service> {
        let mut narrow = |fits: &dyn Fn(Service) -> bool| {
            if all.len() > 1 && all.iter().any(|service| fits(*service)) {
                all.retain(|service| fits(*service));
            }
        };
        match form {
            Form::Action => {
                let version = self.parameter("Version");
                let action = self.parameter("Action").unwrap_or_default();
                narrow(&|service| version == Some(service.version()));
                narrow(&|service| service.operation(action).is_some());
            }
            Form::Cbor(path) => narrow(&|service| path.split('/').next() == service.target()),
            Form::Rest => {}
            Form::Target(target) => narrow(&|service| Some(prefix_of(target)) == service.target()),
        }
        narrow(&|service| self.host.is_of(service.host()));
        narrow(&|service| self.agent_names(service));
        if let Form::Rest = form {
            narrow(&|service| route(service, self.parts, self.headers).is_some());
            // Bedrock's `/agents/{agentId}/` is of one API, `/agents/{sessionId}` of another.
            narrow(&|service| route(service, self.parts, self.headers).is_some_and(|route| route.ends_alike));
            // `POST /imports/` starts an import of Lex's first models, and lists those of the second.
            let is_current = |service| {
                route(service, self.parts, self.headers).is_some_and(|r| !r.operation.is_deprecated())
            };
            narrow(&is_current);
        }
        narrow(&|service| service.id() == service.signing());
        all.first().copied()
    }

    /// Some operations need no signature.
    fn pick_unsigned(&self, form: Form<'_>) -> Option<Service> {
        let candidates = match form {
            Form::Action | Form::Rest => operation::services(),
            Form::Cbor(path) => operation::of_target(path.split('/').next()?),
            Form::Target(target) => operation::of_target(prefix_of(target)),
        };
        let mut candidates = candidates.to_vec();
        match form {
            Form::Action => {
                let version = self.parameter("Version")?;
                candidates.retain(|service| service.version() == version);
            }
            Form::Rest => candidates.retain(|service| self.agent_names(*service)),
            Form::Cbor(_) | Form::Target(_) => {}
        }
        self.pick(candidates, form)
    }

    /// A parameter of the query protocol, whose value is a name or a date.
    fn parameter(&self, name: &str) -> Option<&'r str> {
        let query = self.parts.uri.query().unwrap_or_default().as_bytes();
        let value = parameter(query, name).or_else(|| parameter(self.body, name))?;
        std::str::from_utf8(value.trim_ascii()).ok()
    }

    /// Whether the SDK's user agent has `api/NAME/VERSION` of the service.
    fn agent_names(&self, service: Service) -> bool {
        for header in ["x-amz-user-agent", "user-agent"] {
            for word in self.headers.text(header).unwrap_or_default().split(' ') {
                let name = word.strip_prefix("api/").and_then(|rest| rest.split(['/', '#']).next());
                if name.is_some_and(|name| service.is_called(name)) {
                    return true;
                }
            }
        }
        false
    }
}

/// The operation of a REST request, by method and path.
pub(crate) fn route(service: Service, parts: &Parts, headers: &Headers<'_>) -> Option<Route> {
    service.route(parts.method.as_str(), parts.uri.path(), parts.uri.query().unwrap_or_default(), headers)
}

fn prefix_of(target: &str) -> &str {
    target.rsplit_once('.').map_or("", |(prefix, _)| prefix)
}
