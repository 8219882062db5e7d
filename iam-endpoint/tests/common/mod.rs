//! The client's side of the endpoint's tests: requests as the AWS SDK signs them, by its own signer.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test binary uses a part; a panic is how a test fails"
)]

pub(crate) mod cases;
pub(crate) mod s3;
pub(crate) mod services;

use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SessionTokenMode, SignableBody, SignableRequest,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{Request, Response};
use iam_endpoint::{Credentials, Endpoint, Event};

/// Lets any principal of the account assume the role that its identity policies let it assume.
pub(crate) const TRUST: &str = r#"{
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                  "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]}
}"#;

/// A policy that allows actions, given as JSON, on everything.
pub(crate) fn allowing(actions: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":{actions},"Resource":"*"}}]}}"#
    )
}

/// Somebody who calls an endpoint.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
    pub(crate) now: SystemTime,
}

impl Client {
    pub(crate) fn administrator(endpoint: &Endpoint) -> Self {
        Self::new(endpoint, endpoint.administrator())
    }

    pub(crate) fn new(endpoint: &Endpoint, credentials: Credentials) -> Self {
        Self {
            endpoint: endpoint.clone(),
            credentials,
            region: endpoint.region().to_owned(),
            now: SystemTime::now(),
        }
    }

    /// Signs for a service, as the SDK does by default.
    pub(crate) fn sign(&self, service: &str, request: Request<Bytes>) -> Request<Bytes> {
        let mut settings = SigningSettings::default();
        let mut request = request;
        if service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let body = match request.headers().get("x-amz-content-sha256") {
            Some(hash) => SignableBody::Precomputed(hash.to_str().unwrap().to_owned()),
            None => SignableBody::Bytes(request.body()),
        };
        let instructions = self.instructions(service, &request, body, settings);
        instructions.apply_to_request_http1x(&mut request);
        request
    }

    /// Signs with settings of one's own.
    pub(crate) fn instructions(
        &self,
        service: &str,
        request: &Request<Bytes>,
        body: SignableBody<'_>,
        mut settings: SigningSettings,
    ) -> aws_sigv4::http_request::SigningInstructions {
        settings.session_token_mode = SessionTokenMode::Include;
        let Credentials { access_key_id, secret_access_key, session_token, .. } = self.credentials.clone();
        let identity = aws_credential_types::Credentials::new(
            access_key_id,
            secret_access_key,
            session_token,
            None,
            "test",
        )
        .into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(self.now)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let signable =
            SignableRequest::new(request.method().as_str(), request.uri().to_string(), headers, body)
                .unwrap();
        sign(signable, &params).unwrap().into_parts().0
    }

    /// Calls IAM or STS.
    pub(crate) async fn query(&self, service: &str, parameters: &[(&str, &str)]) -> Answer {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let body: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let region = if service == "iam" { "us-east-1" } else { &self.region };
        let host = if service == "iam" { "iam".to_owned() } else { format!("sts.{region}") };
        let request = Request::post(format!("https://{host}.amazonaws.com/"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(body.join("&")))
            .unwrap();
        self.send(service, request).await
    }

    /// Calls an operation of IAM.
    pub(crate) async fn iam(&self, action: &str, more: &[(&str, &str)]) -> Answer {
        self.query("iam", &[&[("Action", action)], more].concat()).await
    }

    /// Calls an operation of STS.
    pub(crate) async fn sts(&self, action: &str, more: &[(&str, &str)]) -> Answer {
        self.query("sts", &[&[("Action", action)], more].concat()).await
    }

    /// A client with other credentials.
    pub(crate) fn with(&self, credentials: Credentials) -> Self {
        Self { credentials, ..self.clone() }
    }

    /// Makes a user with one inline policy, and gives a client that calls with a key of it.
    pub(crate) async fn user(&self, name: &str, policy: &str) -> Self {
        self.iam("CreateUser", &[("UserName", name)]).await.ok();
        let put = [("UserName", name), ("PolicyName", "p"), ("PolicyDocument", policy)];
        self.iam("PutUserPolicy", &put).await.ok();
        let key = self.iam("CreateAccessKey", &[("UserName", name)]).await.ok();
        self.with(Credentials::new(key.text("AccessKeyId"), key.text("SecretAccessKey")))
    }

    pub(crate) async fn send(&self, service: &str, request: Request<Bytes>) -> Answer {
        self.deliver(self.sign(service, request)).await
    }

    /// Sends a request as it is.
    pub(crate) async fn deliver(&self, request: Request<Bytes>) -> Answer {
        Answer::new(&self.endpoint, self.endpoint.call(request).await)
    }

    /// Makes a role with one inline policy, and gives a client that is a session of it.
    pub(crate) async fn role(&self, name: &str, policy: &str) -> Self {
        self.query(
            "iam",
            &[("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", TRUST)],
        )
        .await
        .ok();
        self.query(
            "iam",
            &[
                ("Action", "PutRolePolicy"),
                ("RoleName", name),
                ("PolicyName", "p"),
                ("PolicyDocument", policy),
            ],
        )
        .await
        .ok();
        self.assume(name, &[]).await
    }

    /// A client that is a session of a role.
    pub(crate) async fn assume(&self, name: &str, more: &[(&str, &str)]) -> Self {
        let arn = format!("arn:aws:iam::123456789012:role/{name}");
        let mut parameters =
            vec![("Action", "AssumeRole"), ("RoleArn", &arn), ("RoleSessionName", "session")];
        parameters.extend(more);
        let answer = self.query("sts", &parameters).await.ok();
        Self { credentials: answer.credentials(), ..self.clone() }
    }
}

/// What an MFA device with the seed that `CreateVirtualMFADevice` told shows at a time, made as RFC 6238 tells, not with the
/// endpoint's code.
pub(crate) fn totp(seed: &str, at: u64) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let seed = base64_simd::STANDARD.decode_to_vec(seed).unwrap();
    let digit = |sign: &u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| known == sign);
    let bits = seed.iter().flat_map(|sign| (0..5).rev().map(move |bit| digit(sign).unwrap() >> bit & 1));
    let bits: Vec<_> = bits.collect();
    let seed: Vec<_> =
        bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit == 1))).collect();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&seed).unwrap();
    mac.update(&(at / 30).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let from = usize::from(hash.last().unwrap() & 15);
    let four = hash.get(from..from + 4).unwrap();
    let number = u32::from_be_bytes(four.try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// The body of a `PutObject` in signed chunks, made as the documentation tells, not with the endpoint's code.
pub(crate) fn put_in_chunks(
    client: &Client,
    url: &str,
    chunks: &[&str],
    trailer: Option<(&str, &str)>,
) -> Request<Bytes> {
    use std::fmt::Write as _;

    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};
    let mac = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let hash = |text: &str| hex::encode(Sha256::digest(text));
    let kind = if trailer.is_some() { "PAYLOAD-TRAILER" } else { "PAYLOAD" };
    let size: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    let request = Request::put(url)
        .header("content-encoding", "aws-chunked")
        .header("x-amz-content-sha256", format!("STREAMING-AWS4-HMAC-SHA256-{kind}"))
        .header("x-amz-decoded-content-length", size.to_string())
        .header("x-amz-trailer", trailer.map_or("", |(name, _)| name))
        .body(Bytes::new())
        .unwrap();
    let mut request = client.sign("s3", request);
    let authorization = request.headers()["authorization"].to_str().unwrap();
    let date = request.headers()["x-amz-date"].to_str().unwrap();
    let mut previous = authorization.rsplit_once("Signature=").unwrap().1.to_owned();
    let scope = format!("{}/us-east-1/s3/aws4_request", &date[..8]);
    let key = scope
        .split('/')
        .fold(format!("AWS4{}", client.credentials.secret_access_key).into_bytes(), |key, part| {
            mac(&key, part)
        });
    let mut body = String::new();
    for chunk in chunks.iter().chain(&[""]) {
        let text =
            format!("AWS4-HMAC-SHA256-PAYLOAD\n{date}\n{scope}\n{previous}\n{}\n{}", hash(""), hash(chunk));
        previous = hex::encode(mac(&key, &text));
        write!(body, "{:x};chunk-signature={previous}\r\n{chunk}", chunk.len()).unwrap();
        body.push_str(if chunk.is_empty() && trailer.is_some() { "" } else { "\r\n" });
    }
    if let Some((name, value)) = trailer {
        let text = format!(
            "AWS4-HMAC-SHA256-TRAILER\n{date}\n{scope}\n{previous}\n{}",
            hash(&format!("{name}:{value}\n"))
        );
        let signature = hex::encode(mac(&key, &text));
        write!(body, "{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n").unwrap();
    }
    *request.body_mut() = Bytes::from(body);
    request
}

/// What the endpoint answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
    pub(crate) event: std::sync::Arc<Event>,
}

impl Answer {
    pub(crate) fn new(endpoint: &Endpoint, response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let id = parts.headers.get("x-amzn-requestid").or(parts.headers.get("x-amz-request-id")).unwrap();
        Self {
            status: parts.status.as_u16(),
            event: endpoint.journal().find(id.to_str().unwrap()).unwrap(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// The text of the first element of this name.
    pub(crate) fn text(&self, element: &str) -> &str {
        let after = self.body.split_once(&format!("<{element}>"));
        after.and_then(|(_, rest)| rest.split_once(&format!("</{element}>"))).map_or("", |(text, _)| text)
    }

    /// The texts of all elements of this name.
    pub(crate) fn all(&self, element: &str) -> Vec<&str> {
        let parts = self.body.split(&format!("<{element}>")).skip(1).collect::<Vec<_>>();
        let end = format!("</{element}>");
        parts.into_iter().filter_map(|part| part.split_once(&end).map(|(text, _)| text)).collect()
    }

    /// What was asked, as `ACTION RESOURCE`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.event.authorizations.iter().map(|one| format!("{} {}", one.action(), one.resource())).collect()
    }

    pub(crate) fn code(&self) -> &str {
        self.text("Code")
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.is(200)
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Asserts an error.
    #[track_caller]
    pub(crate) fn fails(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.body);
        assert_eq!(self.event.code.as_deref(), Some(code));
        self
    }

    pub(crate) fn credentials(&self) -> Credentials {
        Credentials::new(self.text("AccessKeyId"), self.text("SecretAccessKey"))
            .with_session_token(self.text("SessionToken"))
    }
}
