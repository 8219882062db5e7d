//! A call to any service of the table: which operation is it, and may the caller do it?

use std::borrow::Cow;

use crate::wire::request::Parts;
use bytes::Bytes;
use http::{Response, StatusCode};
use iam_policy::Context;

use crate::addressee::{self, Addressee};
use crate::authorize::resource_policy::{self, Change};
use crate::authorize::{Access, Refusal};
use crate::call::Call;
use crate::derive::{self, Checks, Focus, Keys, Places, Question, Resource, Scope};
use crate::ec2;
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::journal::Outcome;
use crate::operation::{Operation, Route, Service};
use crate::s3;
use crate::wire::headers::Headers;
use crate::wire::input::Input;
use crate::wire::protocol::Protocol;

/// What is left to do with a call.
pub(crate) enum Reply {
    Answered(Response<Bytes>),
    /// It may be done, and it is not the endpoint's own to do.
    Allowed {
        service: Service,
        operation: String,
        /// What it changes in the policy of a resource.
        change: Option<Change>,
    },
}

/// Whether AWS takes the operation of a request from anyone.
pub(crate) fn is_anonymous(
    Addressee { service, protocol }: Addressee,
    parts: &Parts,
    headers: &Headers<'_>,
    body: &[u8],
) -> bool {
    let operation = service.and_then(|service| match protocol {
        Protocol::RestJson | Protocol::RestXml => {
            addressee::route(service, parts, headers).map(|route| route.operation)
        }
        Protocol::S3 => None,
        _ => service.operation(&protocol.operation(parts, headers, body)?),
    });
    operation.is_some_and(Operation::is_anonymous)
}

/// A call whose operation is to be found in the request.
pub(crate) fn handle(call: &Call<'_>, service: Service, protocol: Protocol) -> Reply {
    let asked = match Asked::read(call, service, protocol) {
        Ok(asked) => asked,
        Err(fault) => return Reply::Answered(call.fault(protocol, &fault)),
    };
    go_on(call, service, protocol, asked)
}

/// A call whose operation its service's own code has read, and does not perform.
pub(crate) fn handle_as(
    call: &Call<'_>,
    service: Service,
    protocol: Protocol,
    name: &str,
    labels: Vec<(&'static str, String)>,
) -> Reply {
    let asked = Asked { name: name.to_owned(), operation: service.operation(name), labels };
    go_on(call, service, protocol, asked)
}

fn go_on(call: &Call<'_>, service: Service, protocol: Protocol, asked: Asked) -> Reply {
    call.begin(format!("{}:{}", service.id(), asked.name));
    match asked.authorize(call, service, protocol) {
        Err(fault) => Reply::Answered(call.fault(protocol, &fault)),
        Ok(Next::Answer(response)) => Reply::Answered(response),
        Ok(Next::Perform(change)) => Reply::Allowed { service, operation: asked.name, change },
    }
}

/// What follows when a call may go on.
enum Next {
    Answer(Response<Bytes>),
    Perform(Option<Change>),
}

/// The operation that a request asks for.
struct Asked {
    name: String,
    /// `None` for one that the table does not have.
    operation: Option<Operation>,
    labels: Vec<(&'static str, String)>,
}

impl Asked {
    fn read(call: &Call<'_>, service: Service, protocol: Protocol) -> Result<Self, Fault> {
        if matches!(protocol, Protocol::RestJson | Protocol::RestXml | Protocol::S3) {
            let Some(Route { operation, labels, .. }) = addressee::route(service, call.parts, call.headers)
            else {
                let what = format!("{} {}", call.parts.method, call.parts.uri.path());
                return Err(Fault::not_mapped(service.id(), Some(&what)));
            };
            return Ok(Self { name: operation.name().to_owned(), operation: Some(operation), labels });
        }
        let name = protocol.operation(call.parts, call.headers, &call.body).ok_or_else(|| {
            let (code, message) = match protocol {
                Protocol::Ec2 | Protocol::Query => ("MissingAction", "the request names no `Action`"),
                _ => ("UnknownOperationException", "the request names no operation"),
            };
            Fault::new(StatusCode::BAD_REQUEST, code, message)
        })?;
        Ok(Self { operation: service.operation(&name), name, labels: Vec::new() })
    }

    /// Asks for everything that the operation needs; answers what is EC2's own.
    fn authorize(&self, call: &Call<'_>, service: Service, protocol: Protocol) -> Result<Next, Fault> {
        let unmapped = || Fault::not_mapped(service.id(), Some(&self.name));
        let plan = self
            .operation
            .map(|operation| derive::plan(service, operation))
            .transpose()
            .map_err(|_| unmapped())?;
        let declared = call.endpoint.told.checks(service.id(), &self.name);
        let own = service.prefix().unwrap_or_default();
        let declared =
            declared.as_deref().map(|text| derive::checks(text, own)).transpose().map_err(|_| unmapped())?;
        let keys = plan.as_ref().map_or(&[][..], |plan| &plan.keys);
        let declared = declared.map(|checks| (Places::of(&checks), checks));
        let of_table = plan.as_ref().map(|plan| (&plan.places, &plan.checks));
        let (places, checks) = match declared.as_ref().map(|(places, checks)| (places, checks)).or(of_table) {
            Some((places, Checks::All(checks))) => (places, checks.as_slice()),
            Some((places, Checks::Nothing)) => (places, &[][..]),
            Some((_, Checks::Unknown)) | None => return Err(unmapped()),
        };
        if self.operation.is_some_and(Operation::has_event_stream) {
            return Err(Fault::event_stream(service.id(), &self.name));
        }
        let input = Input::read(protocol, call.parts, call.headers, &call.body, self.labels.clone())?;
        let scope = Scope {
            endpoint: call.endpoint,
            input: &input,
            region: call.signing.as_ref().map_or(&call.endpoint.region, |signing| &signing.region),
            caller: &call.caller.principal,
            account: &call.endpoint.account.id,
            prefix: service.prefix().unwrap_or_default(),
            focus: None,
        };
        let mut questions = derive::questions(&scope, checks, keys)?;
        resource_policy::resolve_aliases(&scope, service.id(), &mut questions);
        let passes = service.receiver_of_roles().unwrap_or_default();
        let keys_of = |items: &[Focus<'_>]| Keys::of(&scope, items, checks, keys, places, passes.clone());
        let of_all = keys_of(&[]);
        for question in &questions {
            let of_items = (!question.items.is_empty()).then(|| keys_of(&question.items));
            ask(call, question, of_items.as_ref().unwrap_or(&of_all), &|_| {})
                .map_err(|refusal| denial(call, service, protocol, refusal))?;
        }
        if protocol == Protocol::Ec2 {
            if input.text("DryRun").is_some_and(|value| value == "true") {
                return Err(Fault {
                    outcome: Outcome::NotPerformed,
                    ..Fault::new(
                        StatusCode::PRECONDITION_FAILED,
                        "DryRunOperation",
                        "Request would have succeeded, but DryRun flag is set.",
                    )
                });
            }
            if self.name == "DescribeRegions"
                && let Some(answer) = ec2::describe_regions(call, &input)
            {
                return answer.map(Next::Answer);
            }
        }
        let resource = questions.first().map(|question| question.resource.as_str());
        if service.id() == "s3control"
            && let Some(answer) = s3::control(call, &self.name, resource.unwrap_or_default())
        {
            return answer.map(Next::Answer);
        }
        resource_policy::observe(&scope, service.id(), &self.name, resource).map(Next::Perform)
    }
}

/// Asks one question, whose context `amend` completes.
pub(crate) fn ask(
    call: &Call<'_>,
    question: &Question<'_>,
    keys: &Keys<'_>,
    amend: &dyn Fn(&mut Context),
) -> Result<(), Refusal> {
    let resource = Resource::of(&question.resource);
    let tags = resource_tags(call.endpoint, resource);
    let (owner, policy) = match resource.bucket().and_then(|bucket| call.bucket_of(bucket, &question.action))
    {
        Some((owner, policy)) => (Some(owner), policy),
        None => (resource.account().map(str::to_owned), call.endpoint.resource_policies.of(resource)),
    };
    let conditions = |context: &mut Context| {
        keys.set(question, resource.name(), context);
        if let Some(tags) = &tags {
            for start in derive::resource_tag_keys(question) {
                for (key, value) in tags {
                    context.set(format!("{start}{key}"), value.as_str());
                }
            }
        }
        amend(context);
    };
    let access = Access {
        action: &question.action,
        resource: question.resource.clone(),
        resource_account: Some(owner.unwrap_or_else(|| call.endpoint.account.id.clone())),
        resource_policy: policy,
        conditions: &conditions,
        absent: &[],
    };
    let is_absent = |key: &str| keys.is_absent(key, question, tags.is_some());
    call.authorize_where(access, question.is_told, &is_absent)
}

/// The tags of a resource, where a test or somebody who keeps it tells.
pub(crate) fn resource_tags(endpoint: &Shared, resource: Resource<'_>) -> Option<Vec<(String, String)>> {
    let arn = resource.text;
    if arn == "*" {
        return None;
    }
    endpoint.told.tags(arn).or_else(|| endpoint.performers.tags(arn)).or_else(|| endpoint.role_tags(resource))
}

/// A refusal with the code that the service's clients know.
fn denial(call: &Call<'_>, service: Service, protocol: Protocol, refusal: Refusal) -> Fault {
    let is_denied = refusal.outcome() == Outcome::Denied;
    let mut fault = Fault::from(refusal);
    if !is_denied {
        return fault;
    }
    let (code, status) = service.denial().unwrap_or(match protocol {
        Protocol::Cbor | Protocol::Json => ("AccessDeniedException", 400),
        Protocol::Ec2 => ("UnauthorizedOperation", 403),
        Protocol::RestJson => ("AccessDeniedException", 403),
        Protocol::Query | Protocol::RestXml | Protocol::S3 => ("AccessDenied", 403),
    });
    fault.code = Cow::Borrowed(code);
    fault.status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    if protocol == Protocol::Ec2 {
        let record = call.record.borrow();
        let encoded =
            record.authorizations.last().map(|denial| ec2::encode(call.endpoint, &call.caller, denial));
        fault.message = format!(
            "You are not authorized to perform this operation. {}. Encoded authorization failure message: {}",
            fault.message,
            encoded.unwrap_or_default()
        );
    }
    fault
}
