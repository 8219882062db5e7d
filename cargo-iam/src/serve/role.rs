//! The roles that the endpoint starts with.

use std::path::Path;
use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, StatusCode};
use iam_endpoint::Endpoint;
use iam_policy::{Policy, PolicyKind, Template};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::runtime::Runtime;

use crate::failure::Failure;
use crate::input;

/// Makes a role for each file, and gives their ARNs.
pub(super) fn make(endpoint: &Endpoint, runtime: &Runtime, files: &[String]) -> Result<Vec<String>, Failure> {
    files.iter().map(|file| runtime.block_on(Role::read(endpoint, file)?.make(endpoint))).collect()
}

struct Role<'f> {
    file: &'f str,
    name: String,
    policy: Policy,
}

impl<'f> Role<'f> {
    fn read(endpoint: &Endpoint, file: &'f str) -> Result<Role<'f>, Failure> {
        let source = Template::parse(input::read(file)?)
            .render(|variable| match variable {
                "AWS::AccountId" => Some(endpoint.account_id().to_owned()),
                "AWS::Partition" => Some(endpoint.partition().to_owned()),
                "AWS::Region" => Some(endpoint.region().to_owned()),
                _ => None,
            })
            .map_err(Failure::Policy)?;
        let policy = Policy::parse(source, PolicyKind::Identity).map_err(Failure::Policy)?;
        // Messages about the policy name the file, for its text is known before it is put on the role.
        endpoint.know(&policy);
        let path = file.split('#').next().unwrap_or(file);
        let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        Ok(Role { file, name: stem.to_owned(), policy })
    }

    /// As any client makes one.
    async fn make(&self, endpoint: &Endpoint) -> Result<String, Failure> {
        let (account, partition) = (endpoint.account_id(), endpoint.partition());
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:{partition}:iam::{account}:root"}},"Action":["sts:AssumeRole","sts:SetSourceIdentity","sts:TagSession"]}}]}}"#
        );
        let document = self.policy.source().fragment();
        self.call(endpoint, "CreateRole", &[("AssumeRolePolicyDocument", &trust)]).await?;
        self.call(endpoint, "PutRolePolicy", &[("PolicyName", &self.name), ("PolicyDocument", document)])
            .await?;
        Ok(format!("arn:{partition}:iam::{account}:role/{}", self.name))
    }

    async fn call(
        &self,
        endpoint: &Endpoint,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let mut body = format!("Action={action}&Version=2010-05-08");
        for (name, value) in [("RoleName", &*self.name)].iter().chain(parameters) {
            body.extend(["&", name, "="]);
            body.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
        let cannot = |why: &str| {
            Failure::Usage(format!("cannot make the role `{}` of `--policy {}`: {why}", self.name, self.file))
        };
        let request = Request::post("https://localhost/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(body))
            .map_err(|error| cannot(&error.to_string()))?;
        let signed = endpoint.administrator().sign(request, "iam", endpoint.region(), SystemTime::now());
        let answer = endpoint.call(signed).await;
        if answer.status() == StatusCode::OK {
            return Ok(());
        }
        let answer = String::from_utf8_lossy(answer.body()).into_owned();
        let message = answer.split("<Message>").nth(1).and_then(|rest| rest.split("</Message>").next());
        Err(cannot(message.unwrap_or(&answer)))
    }
}
