use std::env;
use std::net::{SocketAddr, ToSocketAddrs};

use aws_config::BehaviorVersion;
use aws_config::meta::region::RegionProviderChain;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use http::Uri;
use http::uri::{Authority, Parts};

use super::client::{ControlSleep, network};
use crate::error::{Error, ErrorKind};

const DEFAULT_REGION: &str = "us-east-1";

/// The default chain's, as the developer's own programs have it.
pub(super) async fn aws() -> SdkConfig {
    // IAM and STS answer everywhere, so no region is worth failing for.
    let region = RegionProviderChain::default_provider().or_else(DEFAULT_REGION);
    let loader = aws_config::defaults(BehaviorVersion::latest()).region(region);
    loader.http_client(network()).sleep_impl(ControlSleep).load().await
}

/// An emulator's. Nothing comes from a loader, so neither a profile nor `AWS_ENDPOINT_URL` can lead elsewhere.
pub(super) fn endpoint(url: &str) -> Result<SdkConfig, Error> {
    let credentials = match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) => {
            Credentials::new(id, secret, variable("AWS_SESSION_TOKEN"), None, "environment")
        }
        _ => Credentials::new("test", "test", None, None, "iam-fixture"),
    };
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.unwrap_or_else(|| DEFAULT_REGION.to_owned())))
        .endpoint_url(by_address(url)?)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(network())
        .sleep_impl(ControlSleep)
        .build())
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The URL with an address for a host name without dots: S3 puts the bucket before the host's name unless that is an
/// address, and `bucket.localhost` or `bucket.localstack` is known nowhere.
fn by_address(url: &str) -> Result<String, Error> {
    let wrong = |problem: String| {
        Error::new(ErrorKind::Configuration, format!("`{url}` is not an endpoint: {problem}"))
            .note("nothing was created")
    };
    let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| wrong(error.to_string()))?;
    let mut parts = Parts::from(uri);
    let authority = parts.authority.as_ref().ok_or_else(|| wrong("it names no host".to_owned()))?;
    let host = authority.host();
    if parts.scheme.as_ref().is_none_or(|scheme| scheme != "http") || host.contains(['.', ':']) {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let port = authority.port_u16().unwrap_or(80);
    let addresses: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|error| {
            Error::new(ErrorKind::Unreachable, format!("the host of `{url}` is not known: {error}"))
                .caused_by(error)
                .note("nothing was created")
        })?
        .collect();
    let address = addresses.iter().find(|address| address.is_ipv4()).or_else(|| addresses.first());
    let address = address.ok_or_else(|| wrong("its host has no address".to_owned()))?;
    parts.authority = Authority::try_from(address.to_string()).ok();
    let uri = Uri::from_parts(parts).map_err(|error| wrong(error.to_string()))?;
    Ok(uri.to_string().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_becomes_an_address_so_that_s3_uses_paths() {
        assert_eq!(by_address("http://localhost:4566/").ok().as_deref(), Some("http://127.0.0.1:4566"));
    }

    #[test]
    fn addresses_and_full_names_stay() {
        for url in ["http://127.0.0.1:5000", "http://[::1]:5000", "https://emulator:443", "http://emu.test"] {
            assert_eq!(by_address(url).ok().as_deref(), Some(url));
        }
    }

    #[test]
    fn what_names_no_host_is_refused() {
        let error = by_address("http://").expect_err("no host").to_string();
        assert!(error.starts_with("`http://` is not an endpoint"), "{error}");
    }
}
