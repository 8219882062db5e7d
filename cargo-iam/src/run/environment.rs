//! What the command finds in its environment.

use std::env;

use iam_fixture::TemporaryRole;

/// Where AWS's tools look for credentials that are not the role's.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>
const OTHER_CREDENTIALS: [&str; 9] = [
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_PROFILE",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECURITY_TOKEN",
    "AWS_SSO_ACCOUNT_ID",
    "AWS_SSO_ROLE_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

/// … and how the names of more such variables begin.
const OTHER_CREDENTIALS_OF: [&str; 2] = ["AWS_BEARER_TOKEN", "AWS_CONTAINER_"];

/// How the names of variables begin that would lead away from an endpoint.
const OTHER_ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"];

/// Variables with their new values; `None` is for one that must not be there.
pub(super) type Changes = Vec<(String, Option<String>)>;

/// What has to change so that a command is the role, at this endpoint if the role's is not known to it.
pub(super) fn of(role: &TemporaryRole, endpoint: Option<String>) -> Changes {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let endpoint = endpoint.or_else(|| role.config().endpoint_url().map(str::to_owned));
    let mut changes = removed(names, endpoint.is_some());
    let credentials = role.credentials();
    let region = role.config().region().map(ToString::to_string);
    let set = [
        ("AWS_ACCESS_KEY_ID", Some(credentials.access_key_id().to_owned())),
        ("AWS_SECRET_ACCESS_KEY", Some(credentials.secret_access_key().to_owned())),
        ("AWS_SESSION_TOKEN", credentials.session_token().map(str::to_owned)),
        ("AWS_REGION", region.clone()),
        // The AWS CLI and boto3 read this one.
        ("AWS_DEFAULT_REGION", region),
    ];
    changes.extend(set.map(|(name, value)| (name.to_owned(), value)));
    if endpoint.is_some() {
        changes.push(("AWS_ENDPOINT_URL".to_owned(), endpoint));
    }
    changes
}

fn removed(names: impl Iterator<Item = String>, has_endpoint: bool) -> Changes {
    let begins = |name: &str, starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    let is_other = |name: &String| {
        OTHER_CREDENTIALS.contains(&&**name)
            || begins(name, &OTHER_CREDENTIALS_OF)
            || has_endpoint && begins(name, &OTHER_ENDPOINTS)
    };
    names.filter(is_other).map(|name| (name, None)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(names: &[&str], has_endpoint: bool) -> Vec<String> {
        let removed = removed(names.iter().map(|name| (*name).to_owned()), has_endpoint);
        let is_left = |name: &&&str| !removed.iter().any(|(gone, _)| gone == **name);
        names.iter().filter(is_left).map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn nothing_that_names_other_credentials_is_left() {
        let names =
            ["HOME", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ROLE_ARN", "AWS_CA_BUNDLE"];
        assert_eq!(left(&names, false), ["HOME", "AWS_CA_BUNDLE"]);
    }

    #[test]
    fn no_service_is_looked_for_elsewhere() {
        let names = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "PATH"];
        assert_eq!(left(&names, true), ["PATH"]);
        assert_eq!(left(&names, false), names, "on AWS the user's own endpoints are kept");
    }
}
