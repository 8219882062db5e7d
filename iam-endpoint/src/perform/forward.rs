//! What a service does with KMS keys in the name of its caller, to perform what the caller asked of it.
//!
//! Reading an object, a parameter or a secret that is encrypted with a customer's key takes the permission to use the key, too:
//! the service calls KMS with the caller's own permissions, and the policies of caller and key decide. The keys of AWS's own,
//! `alias/aws/…`, let everybody in the account use them so.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html>

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use iam_policy::{Arn, Context, Partition, Principal};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::authorize::Refusal;
use crate::authorize::resource_policy;
use crate::call::{Call, Record, Signing};
use crate::derive::{self, Checks, Keys, Scope};
use crate::endpoint::Shared;
use crate::fault::Fault;
use crate::identify::caller::Caller;
use crate::journal::Outcome;
use crate::mapped::ask;
use crate::operation;
use crate::perform::Allowed;
use crate::service::request_id;
use crate::wire::headers::Headers;
use crate::wire::input::Input;
use crate::wire::protocol::{Ids, Protocol};
use crate::wire::request::Parts;

/// The use of a KMS key by a service, in the name of its caller.
#[derive(Clone, Copy, Debug)]
pub struct KeyUse<'a> {
    /// The key's id or ARN, or an alias of it by name or ARN.
    pub key: &'a str,
    /// What the service calls: `Decrypt`, `Encrypt`, `GenerateDataKey`.
    pub operation: &'static str,
    /// The encryption context that the service documents.
    pub context: &'a [(&'a str, &'a str)],
}

/// The caller may not have the key used, or it cannot be said. The endpoint words that in the service's own terms: whatever
/// the performer answers is not sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyRefused(());

impl Allowed {
    /// Asks whether the caller may have a key used for this call; to be asked before anything is changed.
    ///
    /// The decision is journalled with the call's own. The caller may be another service, which sends something on in its own
    /// name: then the key's policy has to let that one use it.
    ///
    /// # Errors
    ///
    /// The performer ends the call then; with what answer does not matter.
    pub fn use_key(&self, key_use: KeyUse<'_>) -> Result<(), KeyRefused> {
        self.on_behalf.as_ref().map_or(Ok(()), |on_behalf| on_behalf.use_key(self, key_use))
    }
}

/// Whom a service calls for.
pub(crate) struct OnBehalf {
    caller: Caller,
    /// The ARN of the topic or the rule for which a service calls.
    source: Option<String>,
    endpoint: Shared,
    signing: Option<Signing>,
    now: OffsetDateTime,
    source_ip: Option<IpAddr>,
    asked: Mutex<Asked>,
}

/// What was asked about keys, and the error that ends the call.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) record: Record,
    pub(crate) fault: Option<Fault>,
}

impl OnBehalf {
    pub(crate) fn new(
        caller: Caller,
        endpoint: &Shared,
        signing: Option<Signing>,
        now: OffsetDateTime,
        source_ip: Option<IpAddr>,
    ) -> Self {
        let endpoint = endpoint.clone();
        Self { caller, source: None, endpoint, signing, now, source_ip, asked: Mutex::default() }
    }

    /// Another service, which calls because of what its ARN is.
    pub(crate) fn service(principal: &str, source: &str, endpoint: &Shared, now: OffsetDateTime) -> Self {
        let caller = Caller::service(principal);
        let source = Some(source.to_owned());
        Self { source, ..Self::new(caller, endpoint, None, now, None) }
    }

    pub(crate) fn into_asked(self) -> Asked {
        self.asked.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn use_key(&self, allowed: &Allowed, key_use: KeyUse<'_>) -> Result<(), KeyRefused> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let request = &allowed.request;
        let mut record = std::mem::take(&mut asked.record);
        record.operation = format!("{}:{}", allowed.service, allowed.operation).into();
        let call = Call {
            endpoint: &self.endpoint,
            parts: &Parts { method: request.method().clone(), uri: request.uri().clone() },
            headers: &Headers::of(request.headers()),
            host: "",
            body: Bytes::new(),
            trailers: HeaderMap::new(),
            caller: self.caller.clone(),
            signing: self.signing.clone(),
            ids: Ids { request: "", host: "" },
            now: self.now,
            source_ip: self.source_ip,
            global_context: OnceCell::new(),
            record: RefCell::new(record),
        };
        let (service, region) = (allowed.service, allowed.region.as_str());
        let answer = match &self.source {
            None => call.use_key(service, region, key_use),
            Some(_) if is_of_aws(key_use.key) => Err(closed(service, &self.caller.principal, key_use)),
            Some(source) => call.ask_for_key(service, region, key_use, &|context| {
                let principal = self.caller.principal.to_string();
                let account = Arn::parse(source).map_or("", |arn| arn.account);
                context
                    .set("aws:PrincipalIsAWSService", "true")
                    .set("aws:PrincipalServiceName", principal.as_str())
                    .set_many("aws:PrincipalServiceNamesList", [principal])
                    .set("aws:SourceAccount", account)
                    .set("aws:SourceArn", source.as_str());
            }),
        };
        asked.record = call.record.into_inner();
        answer.map_err(|fault| {
            asked.fault = Some(fault);
            KeyRefused(())
        })
    }
}

impl fmt::Debug for OnBehalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBehalf").field("principal", &self.caller.principal).finish_non_exhaustive()
    }
}

/// Whether a key is one of those that AWS keeps for its services.
fn is_of_aws(key: &str) -> bool {
    let name = key.split_once(":alias/").map_or(key.strip_prefix("alias/"), |(_, name)| Some(name));
    name.is_some_and(|name| name.starts_with("aws/"))
}

impl Call<'_> {
    /// Asks whether the caller may use a key through a service, in a region of it, and journals the decision.
    ///
    /// # Errors
    ///
    /// The error that the service answers.
    pub(crate) fn use_key(&self, service: &str, region: &str, key_use: KeyUse<'_>) -> Result<(), Fault> {
        if is_of_aws(key_use.key) {
            return Ok(());
        }
        self.ask_for_key(service, region, key_use, &|context| {
            context.set("aws:ViaAWSService", "true");
        })
    }

    fn ask_for_key(
        &self,
        service: &str,
        region: &str,
        key_use: KeyUse<'_>,
        amend: &dyn Fn(&mut Context),
    ) -> Result<(), Fault> {
        let words = Words::of(service);
        let unmapped = || Fault::not_mapped("kms", Some(key_use.operation));
        let kms = operation::by_id("kms").ok_or_else(unmapped)?;
        let plan = kms.operation(key_use.operation).ok_or_else(unmapped)?;
        let plan = derive::plan(kms, plan).map_err(|_| unmapped())?;
        let Checks::All(checks) = &plan.checks else { return Err(unmapped()) };
        let mut context = Map::new();
        for (name, value) in key_use.context {
            context.insert((*name).to_owned(), json!(value));
        }
        let body = json!({"KeyId": key_use.key, "EncryptionContext": Value::Object(context)}).to_string();
        let no_headers = Headers::new(Vec::new());
        let input = Input::read(Protocol::Json, self.parts, &no_headers, &body.into(), Vec::new())?;
        let account = &self.endpoint.account.id;
        let scope = Scope {
            endpoint: self.endpoint,
            input: &input,
            region,
            caller: &self.caller.principal,
            account,
            prefix: "kms",
            focus: None,
        };
        let mut questions = derive::questions(&scope, checks, &plan.keys)?;
        resource_policy::resolve_aliases(&scope, "kms", &mut questions);
        let keys = Keys::of(&scope, &[], checks, &plan.keys, &plan.places, "".into());
        // https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
        let via = Partition::host(service, region);
        for question in &questions {
            if question.resource.contains(":alias/") {
                let message = format!("Alias {} is not found.", question.resource);
                return Err(Fault::new(StatusCode::BAD_REQUEST, words.absent, message));
            }
            let by_service = |context: &mut Context| {
                context
                    .set("kms:ViaService", via.as_str())
                    // They are the service's own, of which nothing is known.
                    .absent("aws:SourceIp")
                    .absent("aws:UserAgent")
                    .absent("aws:referer");
                amend(context);
            };
            ask(self, question, &keys, &by_service).map_err(|refusal| words.word(refusal))?;
        }
        Ok(())
    }
}

/// AWS's own keys are for the account's callers, not for other services.
fn closed(service: &str, principal: &Principal, key_use: KeyUse<'_>) -> Fault {
    let KeyUse { key, operation, .. } = key_use;
    let message = format!(
        "User: {principal} is not authorized to perform: kms:{operation} on resource: {key} because the key of AWS's own \
         does not let other services use it"
    );
    Words::of(service).word(Refusal::Denied(message))
}

/// How a service tells what KMS answered.
struct Words {
    service: &'static str,
    denied: (&'static str, StatusCode),
    /// The code for a key that is not there.
    absent: &'static str,
    /// What the service says in place of KMS's own sentence.
    sentence: Option<&'static str>,
    /// Whether it says where the sentence comes from.
    tells_source: bool,
}

const fn words(service: &'static str, code: &'static str, status: StatusCode, absent: &'static str) -> Words {
    Words { service, denied: (code, status), absent, sentence: None, tells_source: true }
}

const WORDS: [Words; 5] = [
    Words {
        tells_source: false,
        ..words("s3", "AccessDenied", StatusCode::FORBIDDEN, "KMS.NotFoundException")
    },
    Words {
        sentence: Some("Access to KMS is not allowed"),
        ..words("secretsmanager", "AccessDeniedException", StatusCode::BAD_REQUEST, "EncryptionFailure")
    },
    words("sns", "KMSAccessDenied", StatusCode::BAD_REQUEST, "KMSNotFound"),
    words("sqs", "KMS.AccessDeniedException", StatusCode::BAD_REQUEST, "KMS.NotFoundException"),
    words("ssm", "AccessDeniedException", StatusCode::BAD_REQUEST, "InvalidKeyId"),
];

/// As KMS itself tells it.
const OF_KMS: Words = words("kms", "AccessDeniedException", StatusCode::BAD_REQUEST, "NotFoundException");

impl Words {
    fn of(service: &str) -> &'static Self {
        WORDS.iter().find(|words| words.service == service).unwrap_or(&OF_KMS)
    }

    fn word(&self, refusal: Refusal) -> Fault {
        let mut fault = Fault::from(refusal);
        if fault.outcome != Outcome::Denied {
            return fault;
        }
        (fault.code, fault.status) = (self.denied.0.into(), self.denied.1);
        let id = request_id(Protocol::Json);
        fault.message = match self.sentence {
            Some(sentence) => sentence.to_owned(),
            None if self.tells_source => {
                format!("{} (Service: Kms, Status Code: 400, Request ID: {id})", fault.message)
            }
            None => fault.message,
        };
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_aws_are_known_by_their_aliases() {
        for key in ["alias/aws/ssm", "arn:aws:kms:us-east-1:123456789012:alias/aws/s3"] {
            assert!(is_of_aws(key), "{key}");
        }
        for key in ["alias/awsome", "aws/ssm", "arn:aws:kms:us-east-1:123456789012:key/aws/s3"] {
            assert!(!is_of_aws(key), "{key}");
        }
    }
}
