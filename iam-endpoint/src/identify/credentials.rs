//! Access keys, as a client has them.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request};

use crate::clock;
use crate::identify::sigv4::{self, Signer, SigningKeys};

/// An access key, and the session token of a temporary one.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
    /// What temporary credentials are presented with.
    pub session_token: Option<String>,
}

impl Credentials {
    /// A long-term access key.
    #[must_use]
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
        }
    }

    /// The same with a session token.
    #[must_use]
    pub fn with_session_token(self, session_token: impl Into<String>) -> Self {
        Self { session_token: Some(session_token.into()), ..self }
    }

    /// Signs a request with Signature Version 4, in its headers, for a service's signing name and a region.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let endpoint = iam_endpoint::Endpoint::new();
    /// let request = http::Request::get("https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity")
    ///     .body(bytes::Bytes::new())
    ///     .unwrap();
    /// let now = std::time::SystemTime::now();
    /// let signed = endpoint.administrator().sign(request, "sts", "us-east-1", now);
    /// assert_eq!(endpoint.call(signed).await.status(), 200);
    /// # });
    /// ```
    #[must_use]
    pub fn sign(
        &self,
        request: Request<Bytes>,
        signing_name: &str,
        region: &str,
        at: SystemTime,
    ) -> Request<Bytes> {
        let (mut parts, body) = request.into_parts();
        if !parts.headers.contains_key(HOST) {
            let authority = parts.uri.authority().map_or("", http::uri::Authority::as_str);
            if let Ok(host) = HeaderValue::from_str(authority) {
                parts.headers.insert(HOST, host);
            }
        }
        let keys = SigningKeys::new(&*self.secret_access_key);
        let signer = Signer {
            access_key_id: &self.access_key_id,
            keys: &keys,
            session_token: self.session_token.as_deref(),
            region,
            signing_name,
        };
        // What cannot be signed, a query that is not UTF-8, is refused as unsigned.
        let _ = sigv4::sign(&signer, &mut parts, &sigv4::hash_payload(&body), clock::in_seconds(at));
        Request::from_parts(parts, body)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
