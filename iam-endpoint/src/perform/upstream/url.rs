//! Where an upstream is.

use std::fmt;

use http::uri::{Authority, Uri};
use percent_encoding::percent_decode_str;

use crate::identify::credentials::Credentials;

/// `http://host:port`, without the keys that it may be written with.
#[derive(Debug)]
pub(super) struct Url(Authority);

impl Url {
    pub(super) fn parse(text: &str) -> Result<(Self, Option<Credentials>), String> {
        let Some(rest) = text.strip_prefix("http://") else {
            return Err(match text.split_once("://") {
                Some(("https", _)) => "an upstream is reached over `http://`: TLS is not spoken".to_owned(),
                // The text may hold a secret key, so no message repeats it.
                _ => "an upstream is a URL such as `http://127.0.0.1:4566`".to_owned(),
            });
        };
        let (keys, rest) = rest.rsplit_once('@').map_or((None, rest), |(keys, rest)| (Some(keys), rest));
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let authority = authority
            .parse::<Authority>()
            .map_err(|error| format!("`http://{authority}` is not the URL of an upstream: {error}"))?;
        let keys = keys.map(|keys| {
            let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            match keys.split_once(':') {
                Some((id, secret)) if !id.is_empty() && !secret.is_empty() => {
                    Ok(Credentials::new(decoded(id), decoded(secret)))
                }
                _ => Err(format!(
                    "the keys before `@{authority}` have to be `ACCESS_KEY_ID:SECRET_ACCESS_KEY`"
                )),
            }
        });
        Ok((Self(authority), keys.transpose()?))
    }

    pub(super) fn authority(&self) -> &str {
        self.0.as_str()
    }

    /// The URL of a path and query there.
    pub(super) fn join(&self, path_and_query: &str) -> Result<Uri, http::Error> {
        Uri::builder().scheme("http").authority(self.0.clone()).path_and_query(path_and_query).build()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_before_the_host_and_in_no_message() {
        let (url, keys) = Url::parse("http://minio:s%2Fecret@127.0.0.1:9000/").unwrap();
        assert_eq!(url.to_string(), "http://127.0.0.1:9000");
        assert_eq!(keys, Some(Credentials::new("minio", "s/ecret")));
        for wrong in [
            "http://minio@h",
            "http://minio:s3cret@h:x y",
            "ftp://minio:s3cret@h",
            "http://minio:s3cret@h/path",
        ] {
            let error = Url::parse(wrong).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
        assert!(Url::parse("https://h").unwrap_err().contains("TLS"));
    }
}
