//! What was asked of an endpoint, what it decided, and what it answered.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use iam_policy::{Decision, Explanation, PolicySet, Request};

/// How many events a journal keeps; the oldest go first.
const CAPACITY: usize = 4096;

/// The last calls to an endpoint, with every decision that they took.
#[derive(Default)]
pub struct Journal {
    events: Mutex<VecDeque<Arc<Event>>>,
    observer: Option<Observer>,
}

/// Who is told of each call when it was answered.
#[derive(Clone)]
pub(crate) struct Observer(Arc<Observe>);

type Observe = dyn Fn(&Arc<Event>) + Send + Sync;

impl Observer {
    pub(crate) fn new(observe: impl Fn(&Arc<Event>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(…)")
    }
}

impl Journal {
    /// The call that was answered with this request id.
    #[must_use]
    pub fn find(&self, request_id: &str) -> Option<Arc<Event>> {
        self.newest(&|event| event.request_id == request_id, 1).pop()
    }

    /// The calls of a principal, oldest first: of an IAM user, of one role session, or, given a role's ARN, of all
    /// its sessions.
    #[must_use]
    pub fn of(&self, principal_or_role_arn: &str) -> Vec<Arc<Event>> {
        let is_theirs = |event: &Event| {
            event.principal == principal_or_role_arn || event.role.as_deref() == Some(principal_or_role_arn)
        };
        self.newest(&is_theirs, CAPACITY)
    }

    /// The last `count` calls, oldest first.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<Arc<Event>> {
        self.newest(&|_| true, count)
    }

    pub(crate) fn with_observer(observer: Option<Observer>) -> Self {
        Self { observer, ..Self::default() }
    }

    pub(crate) fn record(&self, event: Event) {
        let event = Arc::new(event);
        if let Some(Observer(observe)) = &self.observer {
            observe(&event);
        }
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() == CAPACITY {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// Says that the answer to a call did not come to its end.
    pub(crate) fn break_off(&self, request_id: &str, code: &str) {
        let amended = {
            let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(event) = events.iter_mut().rev().find(|event| event.request_id == request_id) else {
                return;
            };
            let amended = Arc::make_mut(event);
            amended.outcome = Outcome::Unavailable;
            amended.code = Some(code.to_owned());
            Arc::clone(event)
        };
        if let Some(Observer(observe)) = &self.observer {
            observe(&amended);
        }
    }

    fn newest(&self, wanted: &dyn Fn(&Event) -> bool, count: usize) -> Vec<Arc<Event>> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for event in events.iter().rev() {
            if found.len() == count {
                break;
            }
            if wanted(event) {
                found.push(Arc::clone(event));
            }
        }
        found.reverse();
        found
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Journal").field("events", &events.len()).finish_non_exhaustive()
    }
}

/// One call to an endpoint.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The id that the answer carries: `x-amzn-requestid`, and for S3 `x-amz-request-id`.
    pub request_id: String,
    /// When the call came, by the endpoint's clock.
    pub time: SystemTime,
    /// The ARN of the caller, `anonymous` for an unsigned call, or `unknown` where the signature was not good.
    pub principal: String,
    /// The ARN of the role, where the caller is a session of one.
    pub role: Option<String>,
    /// The service and its operation, as in `s3:ListObjectsV2`.
    pub operation: String,
    /// Each question that the operation asked, in order.
    pub authorizations: Vec<Authorization>,
    /// How the call ended.
    pub outcome: Outcome,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The error code of the answer.
    pub code: Option<String>,
}

/// One question, whether the caller may do an action on a resource, and its answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Authorization {
    /// What was asked: principal, action, resource and condition keys.
    pub request: Request,
    /// What the policies answered.
    pub decision: Decision,
    pub(crate) policies: Arc<PolicySet>,
}

impl Authorization {
    /// The action, as in `s3:ListBucket`.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.request.action
    }

    /// The ARN of the resource, or `*`.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.request.resource
    }

    /// The policies that applied.
    #[must_use]
    pub fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// Why the policies answered so, statement by statement.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        self.policies.explain(&self.request)
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was authorized and performed.
    Answered,
    /// The endpoint does not know who called: bad credentials, signature, session token or clock.
    AuthenticationFailed,
    /// It was authorized, but the object is not there and the caller may not list its bucket, so S3 answers 403.
    ConcealedNotFound,
    /// It was not authorized.
    Denied,
    /// It was authorized, or needs no authorization, and the service refused it: `NoSuchKey`, `EntityAlreadyExists`, …
    Failed,
    /// A policy asks for what the endpoint cannot know, such as a condition key of this operation: 501.
    NotEvaluable,
    /// The endpoint does not know this operation: 501.
    NotMapped,
    /// It was authorized, and neither the endpoint nor anything it was given performs it: 501.
    NotPerformed,
    /// It was authorized, and the upstream that performs it did not answer: 502 or 504; or its answer broke off on the way to
    /// the client, who had the status by then.
    Unavailable,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(request_id: usize, principal: &str, role: Option<&str>) -> Event {
        Event {
            request_id: request_id.to_string(),
            time: SystemTime::UNIX_EPOCH,
            principal: principal.to_owned(),
            role: role.map(str::to_owned),
            operation: "sts:GetCallerIdentity".to_owned(),
            authorizations: Vec::new(),
            outcome: Outcome::Answered,
            status: 200,
            code: None,
        }
    }

    #[test]
    fn the_oldest_events_go_first() {
        let journal = Journal::default();
        for id in 0..=CAPACITY {
            journal.record(event(id, "alice", None));
        }
        assert!(journal.find("0").is_none());
        assert!(journal.find("1").is_some());
        let last: Vec<_> = journal.last(2).iter().map(|event| event.request_id.clone()).collect();
        assert_eq!(last, [(CAPACITY - 1).to_string(), CAPACITY.to_string()]);
    }

    #[test]
    fn a_roles_events_are_those_of_all_its_sessions() {
        let journal = Journal::default();
        for (id, session) in ["one", "two"].into_iter().enumerate() {
            journal.record(event(id, session, Some("role")));
        }
        journal.record(event(2, "alice", None));
        assert_eq!(journal.of("role").len(), 2);
        assert_eq!(journal.of("two").len(), 1);
        assert_eq!(journal.of("alice").len(), 1);
    }
}
