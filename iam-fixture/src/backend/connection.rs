use std::borrow::Cow;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_types::SdkConfig;
use iam_endpoint::Endpoint;
use iam_policy::{Policy, Template, managed};
use tokio::sync::oneshot;
use tokio::task::coop::unconstrained;

use super::embedded::{self, World};
use super::settings::Settings;
use crate::error::{Error, ErrorKind};
#[cfg(feature = "network")]
use crate::lifecycle::Standing;
use crate::lifecycle::{Lease, Thing};

/// A backend that answered: the clients of all control calls, and what it says about itself.
pub(crate) struct Connection {
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) admin: Admin,
    pub(crate) account: String,
    pub(crate) partition: String,
    pub(crate) region: String,
    /// Who assumes the role: the ARN that its trust policy names.
    pub(crate) caller: String,
    /// Lets the caller, and nobody else, assume the role.
    pub(crate) trust: String,
    pub(crate) place: Place,
    /// What is known of roles that stand already.
    #[cfg(feature = "network")]
    pub(crate) standing: Standing,
}

/// The administrator's configuration: few tests ask for it, so it is built when one does.
pub(crate) type Admin = LazyLock<SdkConfig, Box<dyn FnOnce() -> SdkConfig + Send>>;

pub(crate) enum Place {
    /// In this process: it ends with the process, and its calls never wait.
    Embedded(World),
    #[cfg_attr(not(feature = "network"), expect(dead_code, reason = "all such places are on the network"))]
    Outliving(Box<dyn Outliving>),
}

/// A backend whose roles outlive the process unless they are removed.
pub(crate) trait Outliving: Send + Sync {
    /// Starts control calls where the end of the test's runtime does not end them; the future waits for them.
    fn run(&self, calls: Calls) -> Calls;

    /// A role is about to live there.
    fn began(&self, lease: &Arc<Lease>);

    /// Nothing more can be done for this role.
    fn ended(&self, lease: &Lease);

    /// Notes what a later run must remove if this process dies.
    fn about_to_make(&self, thing: &Thing) -> Result<(), Error>;

    fn removed(&self, thing: &Thing);

    /// Whether what IAM has accepted takes its time to hold everywhere.
    fn propagates(&self) -> bool;

    /// As [`Connection::now`].
    fn now(&self) -> Option<SystemTime>;

    /// What sends requests that no SDK client makes.
    fn connector(&self) -> SharedHttpConnector;
}

pub(crate) type Calls = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Connection {
    /// Runs control calls so that they reach their end whatever becomes of the test's runtime.
    pub(crate) async fn run<F>(self: &Arc<Self>, calls: Pin<Box<F>>) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        match &self.place {
            // No call waits for anything, so the test's own task does as well, and its paused clock never moves.
            Place::Embedded(_) => embedded::within(self.clone(), calls).await,
            Place::Outliving(place) => {
                let (done, outcome) = oneshot::channel();
                place
                    .run(Box::pin(async move {
                        // The test may have given up.
                        let _ = done.send(calls.await);
                    }))
                    .await;
                outcome.await.expect("the calls have reached their end")
            }
        }
    }

    /// Begins clean-up that nobody waits for.
    pub(crate) fn start(self: &Arc<Self>, calls: Calls) {
        match &self.place {
            // One poll is enough where nothing waits. What it leaves, if ever, ends with the process.
            Place::Embedded(_) => {
                let calls = unconstrained(embedded::within(self.clone(), calls));
                let _ = pin!(calls).poll(&mut Context::from_waker(Waker::noop()));
            }
            Place::Outliving(place) => drop(place.run(calls)),
        }
    }

    /// Runs a test's body where [`Backend::current`](super::Backend::current) is this one.
    pub(crate) async fn within<F: Future>(self: Arc<Self>, body: F) -> F::Output {
        match &self.place {
            Place::Embedded(_) => embedded::within(self, body).await,
            Place::Outliving(_) => body.await,
        }
    }

    /// As [`within`](Self::within), for a body that is not a future.
    pub(crate) fn within_blocking<T>(self: &Arc<Self>, body: impl FnOnce() -> T) -> T {
        match &self.place {
            Place::Embedded(_) => embedded::within_blocking(self.clone(), body),
            Place::Outliving(_) => body(),
        }
    }

    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        match &self.place {
            Place::Embedded(world) => Some(&world.endpoint),
            Place::Outliving(_) => None,
        }
    }

    pub(crate) fn outliving(&self) -> Option<&dyn Outliving> {
        match &self.place {
            Place::Embedded(_) => None,
            Place::Outliving(place) => Some(&**place),
        }
    }

    /// Whether a role may be unknown for a while after IAM has made it.
    pub(crate) fn propagates(&self) -> bool {
        match &self.place {
            Place::Embedded(world) => world.endpoint.has_weather(),
            Place::Outliving(place) => place.propagates(),
        }
    }

    /// The time by the backend's own clock, if its answers tell: machines that share an account have clocks that differ.
    pub(crate) fn now(&self) -> Option<SystemTime> {
        match &self.place {
            Place::Embedded(world) => Some(world.endpoint.now()),
            Place::Outliving(place) => place.now(),
        }
    }

    /// How long a role is to be its test's, where the run was told.
    pub(crate) fn lease(&self) -> Result<Option<Duration>, Error> {
        match &self.place {
            // Its roles end with it.
            Place::Embedded(_) => Ok(None),
            Place::Outliving(_) => Ok(Settings::current()?.lease),
        }
    }

    /// What sends requests that no SDK client makes.
    pub(crate) fn connector(&self) -> SharedHttpConnector {
        match &self.place {
            Place::Embedded(world) => world.connector(),
            Place::Outliving(place) => place.connector(),
        }
    }

    /// The admin's configuration with another identity.
    pub(crate) fn signed_in(&self, credentials: Credentials) -> SdkConfig {
        match &self.place {
            Place::Embedded(world) => world.signed_in(credentials),
            Place::Outliving(_) => {
                let provider = SharedCredentialsProvider::new(credentials);
                self.admin.to_builder().credentials_provider(provider).build()
            }
        }
    }

    /// The text of the policy that is sent.
    pub(crate) fn text_of<'p>(&self, policy: &'p Policy) -> Cow<'p, str> {
        match &self.place {
            // As it stands in its file, which messages of the embedded endpoint name, with line and column.
            Place::Embedded(world) => {
                world.endpoint.know(policy);
                policy.source().fragment().into()
            }
            // White space counts against the size of a session policy, and moto's SigV4 fails on it.
            Place::Outliving(_) => compact(policy.source().fragment()).into(),
        }
    }

    /// What the AWS CLI needs to reach this backend.
    pub(crate) fn command_line_option(&self) -> String {
        match self.admin.endpoint_url() {
            Some(url) => format!(" --endpoint-url {url}"),
            None => String::new(),
        }
    }

    /// Where people sign in with a browser, if the backend is AWS itself.
    pub(crate) fn console(&self) -> Option<&'static str> {
        if self.outliving().is_none() || !self.propagates() || self.admin.endpoint_url().is_some() {
            return None;
        }
        match self.partition.as_str() {
            "aws" => Some("https://signin.aws.amazon.com"),
            "aws-cn" => Some("https://signin.amazonaws.cn"),
            "aws-us-gov" => Some("https://signin.amazonaws-us-gov.com"),
            _ => None,
        }
    }

    pub(crate) fn managed_arn(&self, name_or_arn: &str) -> Result<String, Error> {
        if name_or_arn.starts_with("arn:") {
            return Ok(name_or_arn.to_owned());
        }
        let policy = managed::find(name_or_arn).ok_or_else(|| {
            Error::new(ErrorKind::Policy, format!("`{name_or_arn}` is not an AWS managed policy"))
                .note("nothing was created")
                .note(match managed::near_names(name_or_arn).as_slice() {
                    [] => "help: a policy of your own is named by its ARN".to_owned(),
                    near => format!("help: did you mean `{}`?", near.join("`, `")),
                })
        })?;
        Ok(policy.arn(&self.partition))
    }
}

pub(crate) fn trust_policy(caller: &str) -> String {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"${caller}"},"Action":"sts:AssumeRole"}]}"#;
    for_caller(policy, caller)
}

/// A policy with `${caller}` in it. As a value it is escaped: the path of a user may have quotes in it.
pub(crate) fn for_caller(policy: &str, caller: &str) -> String {
    let policy = Template::parse(policy.into()).render(|_| Some(caller.to_owned()));
    policy.expect("the template's one variable has a value").text().to_owned()
}

/// JSON without the white space between its tokens.
pub(crate) fn compact(json: &str) -> String {
    let mut in_string = false;
    let mut escaped = false;
    json.chars()
        .filter(|&c| {
            if in_string {
                in_string = escaped || c != '"';
                escaped = !escaped && c == '\\';
                return true;
            }
            in_string = c == '"';
            !matches!(c, ' ' | '\t' | '\n' | '\r')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use iam_policy::PolicyKind;

    use super::*;

    #[test]
    fn the_trust_policy_names_the_caller_whatever_its_path_is() {
        let caller = r#"arn:aws:iam::123456789012:user/a"b\c/d"#;
        let trust = Policy::parse(trust_policy(caller), PolicyKind::Trust).unwrap();
        assert!(trust.to_json().contains(r#"user/a\"b\\c/d"#), "{}", trust.to_json());
    }

    #[test]
    fn compact_json_keeps_what_stands_in_strings() {
        let json = "{\r\n\t\"a b\": [ \"c \\\" d\", \"e\\\\\" , 1 ]\n}";
        assert_eq!(compact(json), r#"{"a b":["c \" d","e\\",1]}"#);
    }
}
