//! What a service sends in its own name: to queues, topics and functions, whose policies then decide.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Uri};
use iam_endpoint::{Allowed, Delivery};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::scope::Arn;

/// Where a service puts what it sends because of a call.
#[derive(Clone, Copy)]
pub(crate) struct Outbox<'a> {
    pub(crate) allowed: &'a Allowed,
    /// The service's principal: `sns.amazonaws.com`.
    pub(crate) principal: &'static str,
    /// The ARN of the topic or the rule.
    pub(crate) source: &'a str,
}

impl Outbox<'_> {
    /// A message: the parameters of `SendMessage`, but for the queue. `None` for what is no queue's ARN.
    pub(crate) fn to_queue(self, arn: &str, mut message: Map<String, Value>) -> Option<Delivery> {
        let Arn { region, account, resource, .. } = Arn::parse(arn).filter(|arn| arn.service == "sqs")?;
        let url = format!("https://sqs.{region}.amazonaws.com/{account}/{resource}");
        message.insert("QueueUrl".to_owned(), url.into());
        let mut request = post("application/x-amz-json-1.0", Value::Object(message).to_string());
        request.headers_mut().insert("x-amz-target", HeaderValue::from_static("AmazonSQS.SendMessage"));
        Some(self.to(arn, ("sqs", "SendMessage", "sqs:SendMessage"), request))
    }

    /// A message to publish.
    pub(crate) fn to_topic(self, arn: &str, message: &str) -> Delivery {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let form =
            format!("Action=Publish&Version=2010-03-31&TopicArn={}&Message={}", encode(arn), encode(message));
        let request = post("application/x-www-form-urlencoded", form);
        self.to(arn, ("sns", "Publish", "sns:Publish"), request)
    }

    /// An event for a function.
    pub(crate) fn to_function(self, arn: &str, event: String) -> Delivery {
        let mut request = post("application/json", event);
        let path =
            format!("/2015-03-31/functions/{}/invocations", utf8_percent_encode(arn, NON_ALPHANUMERIC));
        *request.uri_mut() = Uri::try_from(path).unwrap_or_default();
        request.headers_mut().insert("x-amz-invocation-type", HeaderValue::from_static("Event"));
        self.to(arn, ("lambda", "Invoke", "lambda:InvokeFunction"), request)
    }

    fn to(
        self,
        target: &str,
        (service, operation, action): (&'static str, &'static str, &'static str),
        request: Request<Bytes>,
    ) -> Delivery {
        Delivery {
            principal: self.principal,
            source: self.source.to_owned(),
            target: target.to_owned(),
            service,
            operation,
            action,
            request,
            dead_letter: None,
        }
    }

    /// Sends something; where that is denied or fails, the other.
    pub(crate) fn send(self, delivery: Delivery, dead_letter: Option<Delivery>) {
        self.allowed.deliver(Delivery { dead_letter: dead_letter.map(Box::new), ..delivery });
    }
}

fn post(content_type: &'static str, body: String) -> Request<Bytes> {
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    request
}
