//! S3's part of the client's side.

use bytes::Bytes;
use http::Request;
use iam_endpoint::Endpoint;

use super::{Answer, Client};

const HOST: &str = "https://s3.us-east-1.amazonaws.com";

/// S3's part of a client.
pub(crate) trait S3 {
    async fn s3(&self, request: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer;
    async fn get(&self, path: &str) -> Answer;
    async fn put(&self, path: &str, body: &str) -> Answer;
    async fn delete(&self, path: &str) -> Answer;
}

impl S3 for Client {
    /// Sends `METHOD /path`, addressed by path.
    async fn s3(&self, request: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        self.send("s3", self::request(request, headers, body)).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.s3(&format!("GET {path}"), &[], "").await
    }

    async fn put(&self, path: &str, body: &str) -> Answer {
        self.s3(&format!("PUT {path}"), &[], body.to_owned()).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.s3(&format!("DELETE {path}"), &[], "").await
    }
}

pub(crate) fn request(request: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Request<Bytes> {
    let (method, path) = request.split_once(' ').unwrap();
    let mut builder = Request::builder().method(method).uri(format!("{HOST}{path}"));
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.into()).unwrap()
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The texts of all elements of this name.
    pub(crate) fn texts(&self, element: &str) -> Vec<&str> {
        let parts = self.body.split(&format!("<{element}>")).skip(1).collect::<Vec<_>>();
        parts.into_iter().filter_map(|part| part.split(&format!("</{element}>")).next()).collect()
    }

    pub(crate) fn decisions(&self) -> Vec<String> {
        self.event.authorizations.iter().map(|one| format!("{} {}", one.action(), one.resource())).collect()
    }
}

/// An endpoint with one bucket, and its administrator.
pub(crate) async fn bucket() -> Client {
    let admin = Client::administrator(&Endpoint::new());
    admin.put("/bucket", "").await.is(200);
    admin
}

pub(crate) fn allowing(actions: &str, resources: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": {actions}, "Resource": {resources}}}}}"#
    )
}
