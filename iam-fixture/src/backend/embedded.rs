//! The endpoint in this process, mounted as the SDK's `HttpClient`: no socket, no thread between.
//!
//! Each test has a world of its own, so that two hundred of them in parallel share no bucket and no role.

use std::cell::OnceCell;
use std::mem;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, Weak};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::service_clock_skew::ServiceClockSkewInterceptor;
use aws_runtime::user_agent::UserAgentInterceptor;
use aws_sdk_sts::config::IdentityCache;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::{AuthScheme, AuthSchemeEndpointConfig, AuthSchemeId, Sign};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::identity::{Identity, SharedIdentityResolver};
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, disable_interceptor, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{GetIdentityResolver, RuntimeComponents};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::SdkConfig;
use aws_types::region::Region;
use bytes::Bytes;
use http::request::Parts;
#[cfg(feature = "network")]
use iam_endpoint::Upstream;
use iam_endpoint::{Endpoint, Event, weather};
use iam_policy::{Policy, PolicyKind};

use super::connection::{Admin, Connection, Place, trust_policy};
#[cfg(feature = "network")]
use super::settings::Settings;
#[cfg(feature = "network")]
use crate::lifecycle::Standing;
use crate::name;
#[cfg(feature = "network")]
use crate::pace::Paces;

tokio::task_local! {
    /// The world of the body, or of the control calls, that this task runs.
    static WORLD: Arc<Connection>;
}

thread_local! {
    /// The world of the test that libtest runs on this thread; it lives as long as the test.
    static OWN: OnceCell<Arc<Connection>> = const { OnceCell::new() };
}

/// For threads that belong to no test.
static SHARED: LazyLock<Arc<Connection>> = LazyLock::new(fresh);

/// All that live: a failed assertion has only a request id, and may stand in a task that belongs to no world.
static ALL: Mutex<Vec<Weak<Connection>>> = Mutex::new(Vec::new());

/// The world of the calling test.
pub(super) fn current() -> Arc<Connection> {
    WORLD.try_with(Arc::clone).unwrap_or_else(|_| {
        if name::test_on_this_thread().is_some() {
            OWN.with(|own| own.get_or_init(fresh).clone())
        } else {
            SHARED.clone()
        }
    })
}

/// Runs the future in this world, wherever the runtime moves it.
pub(super) async fn within<F: Future>(world: Arc<Connection>, future: F) -> F::Output {
    WORLD.scope(world, future).await
}

/// As [`within`], for what is not a future.
pub(super) fn within_blocking<T>(world: Arc<Connection>, body: impl FnOnce() -> T) -> T {
    WORLD.sync_scope(world, body)
}

pub(super) fn fresh() -> Arc<Connection> {
    /// All worlds begin with the same account, and so with the same administrator.
    static TRUST: OnceLock<Policy> = OnceLock::new();
    let endpoint = endpoint();
    let trust = TRUST.get_or_init(|| trust_in_administrator(&endpoint));
    connect(endpoint, trust, LazyLock::force(&CONTROL).clone())
}

/// The world of an account of the endpoint.
pub(super) fn of_account(endpoint: &Endpoint, id: &str) -> Arc<Connection> {
    of(endpoint.account(id))
}

/// A world around an endpoint that was built elsewhere.
pub(super) fn of(endpoint: Endpoint) -> Arc<Connection> {
    let trust = trust_in_administrator(&endpoint);
    // Its clock may be off, which clients remember and others must not.
    let clients = if endpoint.has_weather() { paced_clients() } else { clients() };
    connect(endpoint, &trust, clients)
}

fn trust_in_administrator(endpoint: &Endpoint) -> Policy {
    let trust = trust_policy(&endpoint.administrator_arn());
    Policy::parse(trust, PolicyKind::Trust).expect("the administrator's ARN makes a policy")
}

fn connect(endpoint: Endpoint, trust: &Policy, (iam, sts): Clients) -> Arc<Connection> {
    let world = World::new(endpoint);
    let endpoint = &world.endpoint;
    endpoint.know(trust);
    let connection = Arc::new(Connection {
        iam,
        sts,
        admin: Admin::new(Box::new({
            let world = world.clone();
            move || world.signed_in(world.admin.clone())
        })),
        account: endpoint.account_id().to_owned(),
        partition: endpoint.partition().to_owned(),
        region: endpoint.region().to_owned(),
        caller: endpoint.administrator_arn(),
        trust: trust.source().fragment().to_owned(),
        place: Place::Embedded(world),
        #[cfg(feature = "network")]
        standing: Standing::default(),
    });
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|world| world.strong_count() > 0);
    all.push(Arc::downgrade(&connection));
    connection
}

/// A fresh endpoint, with what performs the services that it does not keep itself: the run's upstream, which somebody asked
/// for, or those with state of their own.
fn endpoint() -> Endpoint {
    let endpoint = Endpoint::builder();
    #[cfg(feature = "network")]
    if let Some(upstream) = upstream() {
        return endpoint.perform(upstream).build();
    }
    #[cfg(feature = "iam-services")]
    let endpoint = endpoint.perform(iam_services::Services::new());
    endpoint.advise(advice).build()
}

/// The services that a feature keeps in memory, as botocore's data names them, the feature, and whether it is on.
const FEATURES: [(&str, &str, bool); 9] = [
    ("dynamodb", "dynamodb", cfg!(feature = "dynamodb")),
    ("events", "eventbridge", cfg!(feature = "eventbridge")),
    ("kms", "kms", cfg!(feature = "kms")),
    ("lambda", "lambda", cfg!(feature = "lambda")),
    ("logs", "logs", cfg!(feature = "logs")),
    ("secretsmanager", "secretsmanager", cfg!(feature = "secretsmanager")),
    ("sns", "sns", cfg!(feature = "sns")),
    ("sqs", "sqs", cfg!(feature = "sqs")),
    ("ssm", "ssm", cfg!(feature = "ssm")),
];

/// What a test's author can do for an operation that nobody performs.
fn advice(service: &str) -> String {
    let upstream = "`IAM_FIXTURE_UPSTREAM` sends it to an emulator";
    match FEATURES.iter().find(|(id, ..)| *id == service) {
        Some((_, feature, false)) => {
            format!("the feature `{feature}` of `iam-fixture` keeps this service in memory, and {upstream}")
        }
        _ => upstream.to_owned(),
    }
}

#[cfg(feature = "network")]
fn upstream() -> Option<Upstream> {
    /// Its connections serve all tests.
    static UPSTREAM: LazyLock<Option<Upstream>> = LazyLock::new(|| {
        // Wrong settings are told where the backend is chosen.
        let settings = Settings::current().ok()?;
        let upstream = Upstream::new(settings.upstream.as_ref()?).ok()?;
        Some(if settings.upstream_s3 { upstream.with_s3() } else { upstream })
    });
    UPSTREAM.clone()
}

/// The endpoint's record of a request, whichever world answered it.
pub(crate) fn journalled(request_id: &str) -> Option<Arc<Event>> {
    let find = |world: &Connection| world.endpoint()?.journal().find(request_id);
    WORLD.try_with(|world| find(world)).ok().flatten().or_else(|| {
        let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).find_map(|world| find(&world))
    })
}

/// A developer's `AWS_*` variables and profiles play no part: nothing here comes from a loader.
fn config(http: impl HttpClient + 'static, region: &str) -> aws_types::sdk_config::Builder {
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        // Static credentials need no cache, and a cache asks for timers.
        .identity_cache(IdentityCache::no_cache())
        .http_client(http)
        .sleep_impl(TokioSleep::new())
        // Nothing stalls in memory, and its timers would meet a paused clock.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

/// The clients of the control calls, built once for all worlds: they find theirs by the task that calls.
static CONTROL: LazyLock<Clients> = LazyLock::new(clients);

type Clients = (aws_sdk_iam::Client, aws_sdk_sts::Client);

fn clients() -> Clients {
    let config = config(TaskWorld, CONTROL_REGION).build();
    signed(aws_sdk_iam::config::Builder::from(&config), aws_sdk_sts::config::Builder::from(&config))
}

/// For an endpoint that may throttle.
#[cfg(feature = "network")]
fn paced_clients() -> Clients {
    let config = config(TaskWorld, CONTROL_REGION).build();
    let paces = Paces::alone();
    signed(paces.iam(&config), paces.sts(&config))
}

/// Throttled calls are the SDK's to retry, for the pace is the network's.
#[cfg(not(feature = "network"))]
fn paced_clients() -> Clients {
    clients()
}

fn signed(iam: aws_sdk_iam::config::Builder, sts: aws_sdk_sts::config::Builder) -> Clients {
    let iam = iam.push_auth_scheme(Administrator::of("iam")).interceptor(Plain);
    let sts = sts.push_auth_scheme(Administrator::of("sts")).interceptor(Plain);
    (aws_sdk_iam::Client::from_conf(iam.build()), aws_sdk_sts::Client::from_conf(sts.build()))
}

/// One embedded endpoint as the SDK sees it.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) endpoint: Endpoint,
    admin: Credentials,
    connector: SharedHttpConnector,
}

impl World {
    fn new(endpoint: Endpoint) -> World {
        let administrator = endpoint.administrator();
        World {
            admin: Credentials::new(
                administrator.access_key_id,
                administrator.secret_access_key,
                administrator.session_token,
                None,
                "iam-fixture",
            ),
            connector: SharedHttpConnector::new(InProcess(endpoint.clone())),
            endpoint,
        }
    }

    pub(super) fn connector(&self) -> SharedHttpConnector {
        self.connector.clone()
    }

    /// The configuration of clients that are signed in with these credentials.
    pub(super) fn signed_in(&self, credentials: Credentials) -> SdkConfig {
        config(self.clone(), self.endpoint.region())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// The world that the running control calls are for.
    fn of_task<T>(ask: impl FnOnce(&World) -> T) -> Option<T> {
        WORLD
            .try_with(|connection| match &connection.place {
                Place::Embedded(world) => Some(ask(world)),
                Place::Outliving(_) => None,
            })
            .ok()
            .flatten()
    }
}

impl HttpClient for World {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.connector.clone()
    }
}

#[derive(Debug)]
struct InProcess(Endpoint);

impl HttpConnector for InProcess {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let endpoint = self.0.clone();
        // Read where they are: converted, the headers would be hashed and copied one by one.
        let headers = mem::take(request.headers_mut());
        let (parts, body) = match request.try_into_http1x() {
            Ok(request) => request.into_parts(),
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        // A stream's future is large, and each call would move one: most bodies are in memory.
        match body.bytes().map(Bytes::copy_from_slice) {
            Some(body) => HttpConnectorFuture::new(answer(endpoint, parts, headers, body)),
            None => HttpConnectorFuture::new(async move {
                let body = ByteStream::new(body).collect().await;
                let body = body.map_err(|error| ConnectorError::user(error.into()))?.into_bytes();
                answer(endpoint, parts, headers, body).await
            }),
        }
    }
}

async fn answer(
    endpoint: Endpoint,
    Parts { method, uri, .. }: Parts,
    headers: Headers,
    body: Bytes,
) -> Result<HttpResponse, ConnectorError> {
    let response = endpoint.answer(method, uri, headers.iter_bytes().collect(), body).await;
    if weather::is_lost(&response) {
        return Err(ConnectorError::io("the connection was reset".into()));
    }
    // What comes from an upstream as a stream is one for the SDK too.
    let response = response.map(|body| match body.bytes() {
        Some(bytes) => SdkBody::from(bytes.clone()),
        None => SdkBody::from_body_1_x(body),
    });
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}

/// The world of the calling task, for the shared clients.
#[derive(Debug)]
struct TaskWorld;

impl HttpClient for TaskWorld {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        World::of_task(|world| world.connector.clone()).unwrap_or_else(|| SharedHttpConnector::new(TaskWorld))
    }
}

impl HttpConnector for TaskWorld {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::user(OUTSIDE.into())))
    }
}

/// Signs control calls as the administrator of the task's world.
///
/// The SDK's own signer derives the signing key with each request, and takes a third of what a call costs in a debug build. What
/// a test's own clients send, they sign themselves.
#[derive(Debug)]
struct Administrator {
    service: &'static str,
    /// Who calls is known from the task.
    identity: SharedIdentityResolver,
}

impl Administrator {
    fn of(service: &'static str) -> Self {
        Self { service, identity: SharedIdentityResolver::new(Identity::new((), None)) }
    }
}

impl AuthScheme for Administrator {
    fn scheme_id(&self) -> AuthSchemeId {
        AuthSchemeId::new("sigv4")
    }

    fn identity_resolver(&self, _: &dyn GetIdentityResolver) -> Option<SharedIdentityResolver> {
        Some(self.identity.clone())
    }

    fn signer(&self) -> &dyn Sign {
        self
    }
}

impl Sign for Administrator {
    fn sign_http_request(
        &self,
        request: &mut HttpRequest,
        _: &Identity,
        _: AuthSchemeEndpointConfig<'_>,
        _: &RuntimeComponents,
        _: &ConfigBag,
    ) -> Result<(), BoxError> {
        let (method, uri) = (request.method().parse()?, request.uri().parse()?);
        let body = request.body().bytes().unwrap_or_default();
        let headers = request.headers().iter_bytes().collect();
        let sign =
            |world: &World| world.endpoint.sign(self.service, CONTROL_REGION, &method, &uri, headers, body);
        for (name, value) in World::of_task(sign).ok_or(OUTSIDE)? {
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }
}

/// Sends control calls without what AWS counts calls by: the user agent, the ids and numbers of attempts, clocks compared.
///
/// An endpoint in this process has no use for it, and in a debug build it is a tenth of what a call costs. The SDK goes without the
/// same where it presigns.
#[derive(Debug)]
struct Plain;

#[dyn_dispatch_hint]
impl Intercept for Plain {
    fn name(&self) -> &'static str {
        "Plain"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        const WHY: &str = "the endpoint is in this process";
        config
            .interceptor_state()
            .store_put(disable_interceptor::<InvocationIdInterceptor>(WHY))
            .store_put(disable_interceptor::<RequestInfoInterceptor>(WHY))
            .store_put(disable_interceptor::<ServiceClockSkewInterceptor>(WHY))
            .store_put(disable_interceptor::<UserAgentInterceptor>(WHY));
        Ok(())
    }
}

/// The first region of the partition `aws`, which IAM's requests are signed for.
const CONTROL_REGION: &str = "us-east-1";

const OUTSIDE: &str = "a control call of the embedded endpoint was made outside `Connection::run`";

#[cfg(all(test, feature = "iam-services"))]
mod tests {
    use super::*;

    #[test]
    fn the_services_of_the_features_that_are_on_are_those_that_are_kept() {
        let on: Vec<_> = FEATURES.iter().filter(|(.., is_on)| *is_on).map(|(id, ..)| id).collect();
        assert_eq!(format!("{:?}", iam_services::Services::new()), format!("{on:?}"));
    }
}
