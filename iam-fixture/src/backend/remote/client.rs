use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::control;

/// The network's HTTP client, with each request on the control thread.
///
/// A plain client shared by the tests' runtimes fails 5–7 % of parallel calls: its pool hands out connections whose
/// runtime has ended.
#[derive(Debug)]
pub(super) struct OnControl<T>(T);

pub(super) fn network() -> OnControl<SharedHttpClient> {
    OnControl(
        aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build_https(),
    )
}

/// The same for requests that no SDK client makes; only the control thread uses it.
pub(super) fn connector() -> SharedHttpConnector {
    SharedHttpConnector::new(Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build())
}

impl HttpClient for OnControl<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(OnControl(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for OnControl<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.0.clone();
        // `call` itself starts timers, so it runs there as well.
        HttpConnectorFuture::new(control::run(async move { connector.call(request).await }))
    }
}

/// Timers of the control thread: a test's paused clock would let every time-out of the SDK pass at once.
#[derive(Debug)]
pub(super) struct ControlSleep;

impl AsyncSleep for ControlSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(control::sleep(duration))
    }
}
