//! Sends authorized requests on to an emulator.
//!
//! ```text
//!  Allowed ─► url, request: where it goes, signed anew ─► client: sent, answered ─► the answer
//!                                                          └► nothing answers, or not to the end ─► 502, 504
//! ```

mod client;
mod request;
mod url;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Response;

use self::client::Client;
use self::url::Url;
use crate::clock;
use crate::identify::credentials::Credentials;
use crate::identify::sigv4::SigningKeys;
use crate::perform::{Allowed, Perform};
use crate::wire::body::Body;

/// How long an upstream may be silent: an emulator may start a container for its first answer.
const PATIENCE: Duration = Duration::from_mins(2);

/// An emulator that performs what the endpoint authorizes and does not keep itself: moto, `LocalStack`, `DynamoDB` Local, …
///
/// Answers of more than a mebibyte, or of a length that it does not tell, go to the client as they come; one that breaks off
/// then ends without its end. So do the large blobs that a server gets: to S3, and to other services where the client tells
/// their hash in the head.
///
/// Requests reach it signed with keys that it accepts: those that the URL names, as in
/// `http://minioadmin:minioadmin@127.0.0.1:9000`, else the caller's account id and `test`, for many emulators take the account
/// from the access key id. Where it cannot be reached or breaks off, the call is answered with 502, and
/// where it is silent for two minutes with 504, in the service's protocol and with the code `UpstreamUnavailable`: neither
/// a denial nor a success.
///
/// # Examples
///
/// ```
/// use iam_endpoint::{Endpoint, Upstream};
///
/// let endpoint = Endpoint::builder().perform(Upstream::new("http://127.0.0.1:4566")?).build();
/// # Ok::<(), iam_endpoint::InvalidUpstream>(())
/// ```
#[derive(Clone)]
pub struct Upstream {
    inner: Arc<Inner>,
    has_s3: bool,
}

struct Inner {
    url: Url,
    /// The caller's account where there is none.
    access_key_id: Option<String>,
    keys: SigningKeys,
    client: Client,
}

/// Why a text is not the URL of an upstream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidUpstream(String);

impl Upstream {
    /// The emulator at this URL.
    ///
    /// # Errors
    ///
    /// If it is not of the form `http://HOST:PORT` or `http://ACCESS_KEY_ID:SECRET_ACCESS_KEY@HOST:PORT`.
    pub fn new(url: &str) -> Result<Self, InvalidUpstream> {
        Self::with_patience(url, PATIENCE)
    }

    fn with_patience(url: &str, patience: Duration) -> Result<Self, InvalidUpstream> {
        let (url, keys) = Url::parse(url).map_err(InvalidUpstream)?;
        let (access_key_id, secret) = match keys {
            Some(Credentials { access_key_id, secret_access_key, .. }) => {
                (Some(access_key_id), secret_access_key)
            }
            None => (None, "test".to_owned()),
        };
        let client = Client::new(patience);
        let inner = Inner { url, access_key_id, keys: SigningKeys::new(secret), client };
        Ok(Self { inner: Arc::new(inner), has_s3: false })
    }

    /// S3 goes there too, as to `MinIO`. The endpoint then knows nothing of bucket policies: identity policies decide.
    #[must_use]
    pub fn with_s3(self) -> Self {
        Self { has_s3: true, ..self }
    }
}

impl Perform for Upstream {
    fn perform<'a>(
        &'a self,
        allowed: &'a Allowed,
    ) -> Pin<Box<dyn Future<Output = Option<Response<Body>>> + Send + 'a>> {
        let Inner { url, access_key_id, keys, client } = &*self.inner;
        // The emulator's clock is this machine's, not one that a test has set.
        let now = clock::in_seconds(SystemTime::now());
        let access_key_id = access_key_id.as_deref().unwrap_or(&allowed.account);
        let signer = request::signer(access_key_id, keys, allowed);
        Box::pin(async move {
            let answered = match request::to(url, allowed, &signer, now) {
                Ok(request) => client.send(request).await,
                Err(unavailable) => Err(unavailable),
            };
            Some(answered.unwrap_or_else(|unavailable| unavailable.answer(url)))
        })
    }

    fn streams(&self, service: &str, _operation: &str) -> bool {
        service != "s3" || self.has_s3
    }

    fn replaces(&self, service: &str) -> bool {
        self.has_s3 && service == "s3"
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("url", &self.inner.url.to_string()).finish_non_exhaustive()
    }
}

impl fmt::Display for InvalidUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidUpstream {}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::process::Command;
    use std::sync::Mutex;
    use std::thread::{self, JoinHandle};

    use bytes::Bytes;
    use http::{HeaderValue, Method, Request, StatusCode};

    use super::*;
    use crate::fault::Fault;
    use crate::journal::Outcome;

    /// Takes one connection, reads one request, and does as it is told with the connection; gives what it read.
    fn emulator(answer: impl FnOnce(TcpStream) + Send + 'static) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://id:secret@{}", listener.local_addr().unwrap());
        let thread = thread::spawn(move || {
            let stream = listener.accept().unwrap().0;
            let request = read(&stream);
            answer(stream);
            request
        });
        (url, thread)
    }

    /// One request, a character for each byte.
    fn read(stream: &TcpStream) -> String {
        let mut reader = BufReader::new(stream);
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert!(reader.read_until(b'\n', &mut request).unwrap() > 0, "{request:?}");
        }
        let head = String::from_utf8_lossy(&request);
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        reader.take(length).read_to_end(&mut request).unwrap();
        request.into_iter().map(char::from).collect()
    }

    fn allowed(method: Method, url: &str, signing_name: &'static str) -> Allowed {
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header("authorization", "AWS4-HMAC-SHA256 the client's own")
            .header("x-amz-security-token", "the client's own")
            .header("connection", "keep-alive")
            .header("x-amz-target", "T.GetItem")
            .body(Bytes::from_static(b"{}"))
            .unwrap();
        Allowed {
            request,
            service: signing_name,
            signing_name,
            operation: "GetItem".to_owned(),
            principal: "arn:aws:iam::123456789012:user/u".to_owned(),
            account: "123456789012".to_owned(),
            partition: "aws",
            region: "eu-west-1".to_owned(),
            time: std::time::SystemTime::now(),
            upload: Mutex::default(),
            deliveries: Mutex::default(),
            on_behalf: None,
        }
    }

    async fn perform(url: &str, allowed: &Allowed) -> Response<Body> {
        let upstream = Upstream::with_patience(url, Duration::from_millis(200)).unwrap();
        upstream.perform(allowed).await.unwrap()
    }

    fn fault(mut response: Response<Body>) -> Fault {
        let fault = Fault::of(&mut response).expect("the answer is an error of ours");
        assert_eq!((&*fault.code, fault.outcome), ("UpstreamUnavailable", Outcome::Unavailable));
        fault
    }

    #[tokio::test]
    async fn a_request_goes_on_with_the_emulator_s_keys_and_without_the_client_s() {
        let (url, emulator) = emulator(|mut stream| {
            let answer =
                "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\nX-Own: 1\r\n\r\nok";
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let to = allowed(Method::POST, "https://dynamodb.eu-west-1.amazonaws.com/?a=b", "dynamodb");
        let response = perform(&url, &to).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.body().bytes().unwrap(), "ok");
        assert_eq!(response.headers().get("x-own").unwrap(), "1");
        assert!(response.headers().get("connection").is_none());
        let sent = emulator.join().unwrap();
        let host = url.split('@').next_back().unwrap();
        assert!(sent.starts_with("POST /?a=b HTTP/1.1\r\n") && sent.ends_with("\r\n\r\n{}"), "{sent}");
        assert!(sent.contains(&format!("host: {host}\r\n")), "{sent}");
        assert!(sent.contains("/eu-west-1/dynamodb/aws4_request, SignedHeaders="), "{sent}");
        assert!(sent.contains("Credential=id/") && !sent.contains("the client's own"), "{sent}");
    }

    #[tokio::test]
    async fn a_bucket_goes_into_the_path_and_a_head_s_answer_keeps_the_length_that_it_tells() {
        let (url, emulator) = emulator(|mut stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n").unwrap();
        });
        let to = allowed(Method::HEAD, "https://b.s3.eu-west-1.amazonaws.com/k%20l?versionId=1", "s3");
        let response = perform(&url, &to).await;
        assert_eq!(response.headers().get("content-length").unwrap(), "7");
        let sent = emulator.join().unwrap();
        assert!(sent.starts_with("HEAD /b/k%20l?versionId=1 HTTP/1.1\r\n"), "{sent}");
    }

    #[tokio::test]
    async fn a_header_that_is_not_utf_8_goes_there_and_back_as_it_is() {
        let (url, emulator) = emulator(|mut stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Own: \xe9\r\n\r\n").unwrap();
        });
        let mut to = allowed(Method::POST, "https://sqs.eu-west-1.amazonaws.com/", "sqs");
        to.request.headers_mut().insert("x-own", HeaderValue::from_bytes(b"\xff").unwrap());
        let response = perform(&url, &to).await;
        assert_eq!(response.headers().get("x-own").unwrap().as_bytes(), b"\xe9");
        let sent = emulator.join().unwrap();
        assert!(sent.contains("x-own: \u{ff}\r\n"), "{sent}");
    }

    #[test]
    fn a_connection_stays_open_over_the_end_of_the_test_that_opened_it() {
        let (url, emulator) = emulator(|mut stream| {
            for is_last in [false, true] {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                if !is_last {
                    read(&stream);
                }
            }
        });
        let upstream = Upstream::with_patience(&url, Duration::from_secs(5)).unwrap();
        let to = allowed(Method::POST, "https://sqs.eu-west-1.amazonaws.com/", "sqs");
        for _ in 0..2 {
            let test = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let response = test.block_on(upstream.perform(&to)).unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            // Until the connection is idle.
            thread::sleep(Duration::from_millis(100));
        }
        emulator.join().unwrap();
    }

    #[test]
    fn no_proxy_of_the_environment_stands_between() {
        const TEST: &str =
            "perform::upstream::tests::a_connection_stays_open_over_the_end_of_the_test_that_opened_it";
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", TEST])
            .envs(["ALL_PROXY", "HTTP_PROXY", "http_proxy"].map(|name| (name, "http://127.0.0.1:1")))
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(told.contains("test result: ok. 1 passed"), "{told}");
    }

    #[tokio::test]
    async fn an_upstream_that_is_not_there_or_breaks_off_or_is_silent_is_named() {
        let to = allowed(Method::POST, "http://127.0.0.1:1/", "dynamodb");
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", free.local_addr().unwrap());
        drop(free);
        let absent = fault(perform(&url, &to).await);
        assert_eq!(absent.status, StatusCode::BAD_GATEWAY);
        let why = format!("the upstream `{url}` did not perform it: nothing answers there: ");
        assert!(absent.message.contains(&why) && absent.message.contains("refused"), "{}", absent.message);

        for begun in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"] {
            let (url, _emulator) = emulator(move |mut stream| stream.write_all(begun.as_bytes()).unwrap());
            let broken = fault(perform(&url, &to).await);
            assert_eq!(broken.status, StatusCode::BAD_GATEWAY);
            assert!(
                broken.message.contains("broke off") && !broken.message.contains("secret"),
                "{}",
                broken.message
            );
        }

        let (url, _emulator) = emulator(|stream| {
            thread::sleep(Duration::from_secs(1));
            drop(stream);
        });
        let silent = fault(perform(&url, &to).await);
        assert_eq!(silent.status, StatusCode::GATEWAY_TIMEOUT);
    }
}
