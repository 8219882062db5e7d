//! What services do in their own name because of a call: SNS sends a message to the queues that subscribed, EventBridge an
//! event to a rule's targets.
//!
//! The caller of the call has no part in it. The service is the principal, and the policy of the target decides:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services>

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, StatusCode};
use iam_policy::{Arn, Context, PolicySet, Principal, Verdict};
use time::OffsetDateTime;

use crate::authorize::decide;
use crate::clock;
use crate::derive::Resource;
use crate::endpoint::Shared;
use crate::journal::{Authorization, Event, Outcome};
use crate::mapped::resource_tags;
use crate::perform::Allowed;
use crate::perform::forward::{Asked, OnBehalf};
use crate::service::{outcome_of, request_id};
use crate::wire::protocol::Protocol;

/// A call that a service makes in its own name, because of one that it performed.
///
/// Once that one is answered, the endpoint asks the policy of the target whether the service may, has it performed as any
/// other call, and journals it with the service for its principal.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Who calls: `sns.amazonaws.com`.
    pub principal: &'static str,
    /// The ARN of the topic or the rule for which it calls: `aws:SourceArn`, whose account is `aws:SourceAccount`.
    pub source: String,
    /// The ARN of what it calls: of the queue.
    pub target: String,
    /// The service that it calls, as botocore's data names it: `sqs`.
    pub service: &'static str,
    /// The API's operation: `SendMessage`.
    pub operation: &'static str,
    /// What has to be allowed: `sqs:SendMessage`.
    pub action: &'static str,
    /// The call in the service's protocol, not signed.
    pub request: Request<Bytes>,
    /// What is called instead where this is denied or fails.
    pub dead_letter: Option<Box<Delivery>>,
}

/// Makes the calls, and those that follow from them.
pub(crate) async fn make_all(endpoint: &Shared, deliveries: Vec<Delivery>) {
    let mut due = VecDeque::from(deliveries);
    while let Some(delivery) = due.pop_front() {
        due.extend(delivery.make(endpoint).await);
    }
}

impl Delivery {
    /// Makes the call if the service may, and gives what follows from it.
    async fn make(self, endpoint: &Shared) -> Vec<Delivery> {
        let time = endpoint.clock.now();
        let authorization = self.judge(endpoint, clock::in_seconds(time));
        let mut event = Event {
            request_id: request_id(Protocol::Json),
            time,
            principal: self.principal.to_owned(),
            role: None,
            operation: format!("{}:{}", self.service, self.operation),
            outcome: Outcome::Answered,
            status: StatusCode::OK.as_u16(),
            code: None,
            authorizations: Vec::new(),
        };
        let mut fail = |outcome, status: StatusCode, code: &str| {
            event.outcome = outcome;
            event.status = status.as_u16();
            event.code = Some(code.to_owned());
        };
        let (mut followers, mut asked) = (Vec::new(), Asked::default());
        let decision = &authorization.decision;
        if !decision.missing_context.is_empty() && !decision.is_certain() {
            fail(Outcome::NotEvaluable, StatusCode::NOT_IMPLEMENTED, "ConditionKeyNotEvaluable");
        } else if decision.verdict != Verdict::Allowed {
            fail(Outcome::Denied, StatusCode::FORBIDDEN, "AccessDenied");
        } else {
            let arn = Arn::parse(&self.target);
            let or_else = |part: Option<&str>, otherwise: &str| {
                part.filter(|part| !part.is_empty()).unwrap_or(otherwise).to_owned()
            };
            let on_behalf =
                OnBehalf::service(self.principal, &self.source, endpoint, clock::in_seconds(time));
            let mut allowed = Allowed {
                request: self.request,
                service: self.service,
                signing_name: self.service,
                operation: self.operation.to_owned(),
                principal: self.principal.to_owned(),
                account: or_else(arn.map(|arn| arn.account), &endpoint.account.id),
                partition: endpoint.partition,
                region: or_else(arn.map(|arn| arn.region), &endpoint.region),
                time,
                upload: Mutex::default(),
                deliveries: Mutex::default(),
                on_behalf: Some(Box::new(on_behalf)),
            };
            let performed = endpoint.performers.perform(&allowed).await;
            asked = allowed.on_behalf.take().map(|on_behalf| on_behalf.into_asked()).unwrap_or_default();
            match (performed, &asked.fault) {
                (_, Some(fault)) => fail(fault.outcome, fault.status, &fault.code),
                (None, None) => {
                    fail(Outcome::NotPerformed, StatusCode::NOT_IMPLEMENTED, "AuthorizedNotPerformed");
                }
                (Some(response), None) => {
                    event.status = response.status().as_u16();
                    event.outcome = outcome_of(response.status());
                    if event.outcome == Outcome::Answered {
                        followers = allowed.take_deliveries();
                    }
                }
            }
        }
        if matches!(event.outcome, Outcome::Denied | Outcome::Failed) {
            followers.extend(self.dead_letter.map(|dead_letter| *dead_letter));
        }
        event.authorizations.push(authorization);
        event.authorizations.extend(asked.record.authorizations);
        endpoint.journal.record(event);
        followers
    }

    /// Only the target's own policy can allow it; a control policy of its organization can forbid it.
    fn judge(&self, endpoint: &Shared, now: OffsetDateTime) -> Authorization {
        let account_of = |arn: &str| Arn::parse(arn).map(|arn| arn.account.to_owned());
        let target = Resource::of(&self.target);
        let owner = account_of(&self.target).unwrap_or_else(|| endpoint.account.id.clone());
        let source_account = account_of(&self.source).unwrap_or_default();
        let mut policies =
            PolicySet { resource: endpoint.resource_policies.of(target), ..PolicySet::default() };
        let mut context = self.context(now, &owner, &source_account);
        if let Some(organization) = endpoint.organization() {
            organization.set_keys(&mut context, None, &owner);
            organization.set_source_keys(&mut context, &source_account);
            organization.limit(&mut policies, self.action, None, &owner);
        }
        let tags = resource_tags(endpoint, target);
        for (key, value) in tags.iter().flatten() {
            context.set(format!("aws:ResourceTag/{key}"), value.as_str());
        }
        let mut request = iam_policy::Request {
            principal: Principal::Service { name: self.principal.to_owned() },
            action: self.action.to_owned(),
            resource: self.target.clone(),
            resource_account: Some(owner),
            context,
        };
        let is_tag = |key: &str| key.to_ascii_lowercase().starts_with("aws:resourcetag/");
        let decision = decide(&policies, &mut request, &|key| tags.is_some() || !is_tag(key));
        Authorization { request, decision, policies: Arc::new(policies) }
    }

    /// The global keys of a call that a service makes directly.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
    fn context(&self, now: OffsetDateTime, owner: &str, source_account: &str) -> Context {
        let mut context = Context::new();
        context
            .set("aws:CurrentTime", clock::iso8601(now))
            .set("aws:EpochTime", now.unix_timestamp().to_string())
            .set("aws:PrincipalIsAWSService", "true")
            .set("aws:PrincipalServiceName", self.principal)
            .set_many("aws:PrincipalServiceNamesList", [self.principal])
            .set("aws:ResourceAccount", owner)
            .set("aws:SecureTransport", "true")
            .set("aws:SourceAccount", source_account)
            .set("aws:SourceArn", self.source.as_str())
            .set("aws:ViaAWSService", "false");
        if let Some(arn) = Arn::parse(&self.target).filter(|arn| !arn.region.is_empty()) {
            context.set("aws:RequestedRegion", arn.region);
        }
        context
    }
}
