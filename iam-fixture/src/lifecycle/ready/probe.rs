//! Calls that change nothing and need no parameters, of the services that tests use most.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::{AggregatedBytes, ByteStream};
use aws_smithy_types::date_time::Format;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use iam_policy::{Context, Effect, Partition, Policy, PolicyKind, PolicySet, Principal, Request};

use super::row::Heard;
use crate::assert::CodeClass;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, chain};
use crate::lifecycle::{Plan, SignedIn};

/// By this the canary statement knows our calls, so that it allows no other.
const USER_AGENT: &str = "iam-fixture-readiness";

/// A call of one service.
struct Call {
    /// The service's prefix in actions, and what its requests are signed for.
    service: &'static str,
    /// The service's id in the SDKs, by which settings name it.
    id: &'static str,
    action: &'static str,
    /// The host's first label.
    host: &'static str,
    form: Form,
}

/// How a request says what it asks.
enum Form {
    /// The target, and the version of JSON's content type.
    Json(&'static str, &'static str),
    Path(&'static str),
    /// A form.
    Query(&'static str),
}

#[rustfmt::skip]
const CALLS: [Call; 13] = [
    Call { service: "cloudwatch", id: "CloudWatch", action: "cloudwatch:ListMetrics", host: "monitoring", form: Form::Query("Action=ListMetrics&Version=2010-08-01") },
    Call { service: "dynamodb", id: "DynamoDB", action: "dynamodb:ListTables", host: "dynamodb", form: Form::Json("DynamoDB_20120810.ListTables", "1.0") },
    Call { service: "ec2", id: "EC2", action: "ec2:DescribeRegions", host: "ec2", form: Form::Query("Action=DescribeRegions&Version=2016-11-15") },
    Call { service: "events", id: "EventBridge", action: "events:ListEventBuses", host: "events", form: Form::Json("AWSEvents.ListEventBuses", "1.1") },
    Call { service: "iam", id: "IAM", action: "iam:ListRoles", host: "iam", form: Form::Query("Action=ListRoles&MaxItems=1&Version=2010-05-08") },
    Call { service: "kms", id: "KMS", action: "kms:ListKeys", host: "kms", form: Form::Json("TrentService.ListKeys", "1.1") },
    Call { service: "lambda", id: "Lambda", action: "lambda:ListFunctions", host: "lambda", form: Form::Path("/2015-03-31/functions/") },
    Call { service: "logs", id: "CloudWatch Logs", action: "logs:DescribeLogGroups", host: "logs", form: Form::Json("Logs_20140328.DescribeLogGroups", "1.1") },
    Call { service: "s3", id: "S3", action: "s3:ListAllMyBuckets", host: "s3", form: Form::Path("/") },
    Call { service: "secretsmanager", id: "Secrets Manager", action: "secretsmanager:ListSecrets", host: "secretsmanager", form: Form::Json("secretsmanager.ListSecrets", "1.1") },
    Call { service: "sns", id: "SNS", action: "sns:ListTopics", host: "sns", form: Form::Query("Action=ListTopics&Version=2010-03-31") },
    Call { service: "sqs", id: "SQS", action: "sqs:ListQueues", host: "sqs", form: Form::Json("AmazonSQS.ListQueues", "1.0") },
    Call { service: "ssm", id: "SSM", action: "ssm:DescribeParameters", host: "ssm", form: Form::Json("AmazonSSM.DescribeParameters", "1.1") },
];

/// Anybody may ask this, so it shows that the credentials are live.
const IDENTITY: Call = Call {
    service: "sts",
    id: "STS",
    action: "sts:GetCallerIdentity",
    host: "sts",
    form: Form::Query("Action=GetCallerIdentity&Version=2011-06-15"),
};

/// What is asked to show that a role is live.
pub(in crate::lifecycle) struct Probes {
    probes: Vec<Probe>,
    /// The statement that allows what the role's own policies do not.
    canary: Option<Policy>,
}

/// One service's call.
pub(super) struct Probe {
    call: &'static Call,
    /// Whether a denial means that the policies are not live.
    is_allowed: bool,
    /// By how many seconds the service's clock is ahead of ours, as far as that matters.
    ahead: AtomicI64,
}

impl Probes {
    /// What a role that is to be can be asked.
    pub(in crate::lifecycle) fn of(plan: &Plan, connection: &Connection) -> Probes {
        Probes::with(plan, connection, plan.readiness.canary)
    }

    /// The same where no statement can be added.
    #[cfg(feature = "network")]
    pub(in crate::lifecycle) fn without_canary(plan: &Plan, connection: &Connection) -> Probes {
        Probes::with(plan, connection, false)
    }

    fn with(plan: &Plan, connection: &Connection, with_canary: bool) -> Probes {
        let mut policies = plan.policies();
        let services = match &plan.readiness.services {
            Some(services) => services.iter().cloned().collect(),
            None => named_in(&policies),
        };
        let calls: Vec<_> = CALLS.iter().filter(|call| services.contains(call.service)).collect();
        let lacking: Vec<_> =
            calls.iter().filter(|call| !allows(&policies, call, plan, connection)).copied().collect();
        let canary = (with_canary && !lacking.is_empty()).then(|| canary(&lacking)).flatten();
        policies.identity.extend(canary.clone());
        let probes =
            calls.into_iter().map(|call| Probe::new(call, allows(&policies, call, plan, connection)));
        let probes = std::iter::once(Probe::new(&IDENTITY, true)).chain(probes).collect();
        Probes { probes, canary }
    }

    pub(in crate::lifecycle) fn canary(&self) -> Option<&Policy> {
        self.canary.as_ref()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Probe> {
        self.probes.iter()
    }
}

/// The services that statements allow something of.
fn named_in(policies: &PolicySet) -> BTreeSet<String> {
    let statements = policies.identity.iter().flat_map(Policy::statements);
    let allowing = statements.filter(|statement| statement.effect() == Effect::Allow);
    let actions = allowing.flat_map(|statement| statement.actions().values);
    actions.filter_map(|value| Some(value.text.split_once(':')?.0.to_ascii_lowercase())).collect()
}

/// A statement for our calls alone.
fn canary(calls: &[&'static Call]) -> Option<Policy> {
    let actions: Vec<_> = calls.iter().map(|call| format!("\"{}\"", call.action)).collect();
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Canary","Effect":"Allow","Action":[{}],"Resource":"*","Condition":{{"StringEquals":{{"aws:UserAgent":"{USER_AGENT}"}}}}}}]}}"#,
        actions.join(",")
    );
    Policy::parse(text, PolicyKind::Identity).ok()
}

/// Whether these policies are known to allow the call, whatever else a request says.
fn allows(policies: &PolicySet, call: &Call, plan: &Plan, connection: &Connection) -> bool {
    let (partition, account) = (&connection.partition, &connection.account);
    let session_name = &plan.session.name;
    let mut context = Context::new();
    context.set("aws:UserAgent", USER_AGENT);
    let request = Request {
        principal: Principal::AssumedRole {
            role_arn: format!("arn:{partition}:iam::{account}:role/{}", plan.name),
            session_arn: format!("arn:{partition}:sts::{account}:assumed-role/{}/{session_name}", plan.name),
        },
        action: call.action.to_owned(),
        resource: "*".to_owned(),
        resource_account: None,
        context,
    };
    let decision = policies.decide(&request);
    decision.is_allowed() && decision.is_certain()
}

impl Probe {
    fn new(call: &'static Call, is_allowed: bool) -> Probe {
        Probe { call, is_allowed, ahead: AtomicI64::default() }
    }

    pub(super) fn service(&self) -> &'static str {
        self.call.service
    }

    /// Asks once, as the role.
    pub(super) async fn ask(&self, connection: &Connection, signed_in: &SignedIn) -> Result<Heard, Error> {
        let request = self.call.signed(connection, &signed_in.credentials, self.time())?;
        let answer = tokio::time::timeout(PATIENCE, connection.connector().call(request)).await;
        Ok(match answer {
            Ok(Ok(response)) => self.heard(response).await,
            Ok(Err(error)) => Heard::Busy(chain(&error)),
            Err(_) => Heard::Busy(format!("no answer within {PATIENCE:?}")),
        })
    }

    /// Our time, corrected by what a refusal told of the service's.
    fn time(&self) -> SystemTime {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
    }

    /// Takes the service's time from an answer, where ours is too far off.
    fn set_clock(&self, response: &HttpResponse) {
        let date =
            response.headers().get("date").and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        if let Some(date) = date {
            let ahead = date.secs() - DateTime::from(SystemTime::now()).secs();
            self.ahead.store(if ahead.abs() < SKEW { 0 } else { ahead }, Ordering::Relaxed);
        }
    }

    async fn heard(&self, response: HttpResponse) -> Heard {
        let status = response.status().as_u16();
        if status < 400 {
            return Heard::Live;
        }
        self.set_clock(&response);
        let header = response.headers().get("x-amzn-errortype").map(str::to_owned);
        let body = ByteStream::new(response.into_body()).collect().await;
        let body = body.map(AggregatedBytes::into_bytes).unwrap_or_default();
        let code = header.or_else(|| code_in(&String::from_utf8_lossy(&body))).unwrap_or_default();
        // A namespace may stand before it, and an address after it.
        let code = code.split(':').next().and_then(|code| code.rsplit('#').next()).unwrap_or_default();
        let told = || format!("{code} (HTTP {status})");
        match CodeClass::of(code) {
            Some(CodeClass::Credentials) => Heard::NotYet(told()),
            Some(CodeClass::Denial) if self.is_allowed => Heard::NotYet(told()),
            Some(CodeClass::Throttled) => Heard::Busy(told()),
            None if code.is_empty() && status == 403 => Heard::NotYet(told()),
            None if status >= 500 => Heard::Busy(told()),
            _ => Heard::Live,
        }
    }
}

/// By how many seconds clocks may differ: services take five minutes.
const SKEW: i64 = 240;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The error code in XML or JSON.
fn code_in(body: &str) -> Option<String> {
    let between = |start: &str, end| Some(body.split_once(start)?.1.split_once(end)?.0.trim().to_owned());
    between("<Code>", "</Code>").or_else(|| {
        let json: serde_json::Value = serde_json::from_str(body).ok()?;
        ["__type", "code"].iter().find_map(|name| Some(json.get(name)?.as_str()?.to_owned()))
    })
}

impl Call {
    fn signed(
        &self,
        connection: &Connection,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<HttpRequest, Error> {
        let failed = |error: &dyn std::error::Error| {
            Error::new(ErrorKind::NotReady, format!("`{}` cannot be signed: {}", self.action, chain(error)))
        };
        let (url, region) = self.url_and_region(connection);
        let mut request = http::Request::builder().header("user-agent", USER_AGENT);
        let body = match self.form {
            Form::Json(target, version) => {
                request = request.header("x-amz-target", target);
                request = request.header("content-type", format!("application/x-amz-json-{version}"));
                "{}"
            }
            Form::Path(_) => "",
            Form::Query(form) => {
                request = request.header("content-type", "application/x-www-form-urlencoded");
                form
            }
        };
        let method = if matches!(self.form, Form::Path(_)) { "GET" } else { "POST" };
        let mut request =
            request.method(method).uri(&url).body(SdkBody::from(body)).map_err(|error| failed(&error))?;
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let identity = credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name(if self.service == "cloudwatch" { "monitoring" } else { self.service })
            .time(time)
            .settings(settings)
            .build()
            .map_err(|error| failed(&error))?
            .into();
        let headers = request.headers().iter();
        let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new(method, &url, headers, SignableBody::Bytes(body.as_bytes()));
        let signed = signable.and_then(|signable| sign(signable, &params)).map_err(|error| failed(&error))?;
        signed.into_parts().0.apply_to_request_http1x(&mut request);
        HttpRequest::try_from(request).map_err(|error| failed(&error))
    }

    /// Where the service answers, and the region that it signs for.
    fn url_and_region(&self, connection: &Connection) -> (String, String) {
        let path = match self.form {
            Form::Path(path) => path,
            Form::Json(..) | Form::Query(_) => "/",
        };
        // Where AWS has added another, its first one's rules are the best guess.
        let partition = Partition::named(&connection.partition)
            .unwrap_or_else(|| Partition::of_region(&connection.region));
        let region = if self.service == "iam" { partition.global_region } else { &connection.region };
        let base = match self.configured_url(&connection.admin) {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                format!("https://{}", self.host(partition, region, connection.admin.use_fips() == Some(true)))
            }
        };
        (format!("{base}{path}"), region.to_owned())
    }

    /// The URL that the environment or a profile sets, for this service or for all.
    ///
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
    fn configured_url(&self, admin: &SdkConfig) -> Option<String> {
        let key =
            ServiceConfigKey::builder().service_id(self.id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
        let own = || admin.service_config()?.load_config(key.build().ok()?);
        own().or_else(|| admin.endpoint_url().map(str::to_owned))
    }

    /// <https://docs.aws.amazon.com/general/latest/gr/iam-service.html>, <https://aws.amazon.com/compliance/fips/>
    fn host(&self, partition: &Partition, region: &str, fips: bool) -> String {
        /// Most endpoints of the US government's regions are FIPS ones; these have another name.
        const OTHER_IN_GOV: [&str; 4] = ["kms", "lambda", "s3", "secretsmanager"];
        let in_gov = partition.name == "aws-us-gov";
        let suffix = if fips && (!in_gov || OTHER_IN_GOV.contains(&self.service)) { "-fips" } else { "" };
        let host = format!("{}{suffix}", self.host);
        let place = match (self.service, partition.name) {
            ("iam", "aws") => String::new(),
            ("iam", "aws-us-gov") => ".us-gov".to_owned(),
            _ => format!(".{region}"),
        };
        format!("{host}{place}.{}", partition.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> PolicySet {
        let policy = Policy::parse(text, PolicyKind::Identity).expect("a policy");
        PolicySet { identity: vec![policy].into(), ..PolicySet::default() }
    }

    #[test]
    fn the_services_are_those_that_statements_allow_something_of() {
        let policies = set(r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["S3:Get*", "sqs:SendMessage"], "Resource": "*"},
            {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}]}"#);
        assert_eq!(named_in(&policies).into_iter().collect::<Vec<_>>(), ["s3", "sqs"]);
    }

    #[test]
    fn the_canary_is_a_policy_that_every_call_can_stand_in() {
        let all: Vec<_> = CALLS.iter().collect();
        let policy = canary(&all).expect("it parses");
        policy.check_condition_keys().expect("its keys are known");
        assert!(policy.characters() < 700, "{}", policy.characters());
    }

    #[test]
    fn codes_are_read_in_either_form() {
        assert_eq!(code_in("<Error><Code>AccessDenied</Code></Error>").as_deref(), Some("AccessDenied"));
        let json = r#"{"__type": "com.amazon#AccessDeniedException", "Message": "no"}"#;
        assert_eq!(code_in(json).as_deref(), Some("com.amazon#AccessDeniedException"));
        assert_eq!(code_in("oops"), None);
    }

    #[test]
    fn the_table_is_in_order_and_each_action_is_of_its_service() {
        assert!(CALLS.is_sorted_by(|one, next| one.service < next.service));
        for call in &CALLS {
            assert!(call.action.starts_with(&format!("{}:", call.service)), "{}", call.action);
        }
    }

    fn host(service: &str, partition: &str, region: &str, fips: bool) -> String {
        let call = CALLS.iter().find(|call| call.service == service).expect("it is in the table");
        call.host(Partition::named(partition).expect("it is AWS's"), region, fips)
    }

    #[test]
    fn hosts_are_those_of_the_partition() {
        for (service, partition, region, expected) in [
            ("iam", "aws", "us-east-1", "iam.amazonaws.com"),
            ("iam", "aws-us-gov", "us-gov-west-1", "iam.us-gov.amazonaws.com"),
            ("iam", "aws-cn", "cn-north-1", "iam.cn-north-1.amazonaws.com.cn"),
            ("cloudwatch", "aws-eusc", "eusc-de-east-1", "monitoring.eusc-de-east-1.amazonaws.eu"),
            ("sqs", "aws-iso", "us-iso-west-1", "sqs.us-iso-west-1.c2s.ic.gov"),
            ("sqs", "aws", "eu-west-1", "sqs.eu-west-1.amazonaws.com"),
        ] {
            assert_eq!(host(service, partition, region, false), expected);
        }
    }

    #[test]
    fn fips_endpoints_have_names_of_their_own() {
        for (service, partition, region, expected) in [
            ("iam", "aws", "us-east-1", "iam-fips.amazonaws.com"),
            ("iam", "aws-us-gov", "us-gov-west-1", "iam.us-gov.amazonaws.com"),
            ("dynamodb", "aws", "us-west-2", "dynamodb-fips.us-west-2.amazonaws.com"),
            ("dynamodb", "aws-us-gov", "us-gov-east-1", "dynamodb.us-gov-east-1.amazonaws.com"),
            ("kms", "aws-us-gov", "us-gov-east-1", "kms-fips.us-gov-east-1.amazonaws.com"),
        ] {
            assert_eq!(host(service, partition, region, true), expected);
        }
    }
}
