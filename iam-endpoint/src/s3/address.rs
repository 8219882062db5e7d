//! Which bucket and key a request addresses, by host name or by path.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What a request addresses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    pub(super) bucket: Option<Cow<'a, str>>,
    pub(super) key: Option<Cow<'a, str>>,
}

impl<'a> Address<'a> {
    /// Reads `https://bucket.s3.region.amazonaws.com/key` and `https://s3.region.amazonaws.com/bucket/key`.
    ///
    /// Gives `None` where the path is not UTF-8 when decoded.
    ///
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>.
    pub(super) fn parse(host: &'a str, path: &'a str) -> Option<Self> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (bucket, key) = if let Some(bucket) = bucket_of_host(host) {
            (Some(Cow::Borrowed(bucket)), path)
        } else {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            (non_empty(bucket)?, key)
        };
        Some(Self { bucket, key: non_empty(key)? })
    }
}

/// `Some(None)` for nothing, `None` for what is not UTF-8.
#[expect(clippy::option_option, reason = "nothing and not text are different answers")]
fn non_empty(encoded: &str) -> Option<Option<Cow<'_, str>>> {
    if encoded.is_empty() {
        return Some(None);
    }
    percent_decode_str(encoded).decode_utf8().ok().map(Some)
}

/// The bucket that a virtual-hosted-style host name starts with.
///
/// The service's own label is `s3` or starts with `s3-` (`s3-us-west-2`, `s3-accelerate`, `s3-fips`); what stands before
/// it is the bucket. A bucket's name may hold such a label itself, so the last one counts. A host that has none (an IP
/// address, `localhost`) is addressed by path; but SDKs put the bucket before `localhost` too.
pub(crate) fn bucket_of_host(host: &str) -> Option<&str> {
    match service_label(host) {
        Some((start, _)) => host.get(..start.checked_sub(1)?),
        None => host.strip_suffix(".localhost"),
    }
}

/// One of S3's other APIs, whose requests are signed for `s3` but are not this one's: S3 Control, access points, …
pub(super) fn other_api(host: &str) -> Option<&str> {
    const OTHERS: [&str; 5] =
        ["s3-accesspoint", "s3-control", "s3-global", "s3-object-lambda", "s3-outposts"];
    let (_, label) = service_label(host)?;
    OTHERS.iter().any(|other| starts_with_ignore_case(label, other)).then_some(label)
}

/// The service's label in a host name, and where it starts.
fn service_label(host: &str) -> Option<(usize, &str)> {
    let mut end = host.len();
    loop {
        let start = host.get(..end)?.rfind('.').map_or(0, |dot| dot + 1);
        let label = host.get(start..end)?;
        if label.eq_ignore_ascii_case("s3") || starts_with_ignore_case(label, "s3-") {
            return Some((start, label));
        }
        end = start.checked_sub(1)?;
    }
}

fn starts_with_ignore_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Whether S3 accepts the name for a new general purpose bucket.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>.
pub(super) fn is_bucket_name(name: &str) -> bool {
    const PREFIXES: [&str; 4] = ["xn--", "sthree-", "amzn-s3-demo-", "sthree-configurator"];
    const SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| alphanumeric(byte) || byte == b'.' || byte == b'-')
        && name.bytes().next().is_some_and(alphanumeric)
        && name.bytes().next_back().is_some_and(alphanumeric)
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(host: &str, path: &str, bucket: Option<&str>, key: Option<&str>) {
        let address = Address::parse(host, path).expect("the path is UTF-8");
        assert_eq!((address.bucket.as_deref(), address.key.as_deref()), (bucket, key));
    }

    #[test]
    fn a_bucket_stands_in_the_host_or_in_the_path() {
        reads("s3.us-east-1.amazonaws.com", "/", None, None);
        reads("s3.amazonaws.com", "/b", Some("b"), None);
        reads("s3-us-west-2.amazonaws.com", "/b/", Some("b"), None);
        reads("b.s3.amazonaws.com", "/", Some("b"), None);
        reads("my.b.s3.eu-west-1.amazonaws.com", "/k/l", Some("my.b"), Some("k/l"));
        reads("s3.dualstack.eu-west-1.amazonaws.com", "/b/k", Some("b"), Some("k"));
        reads("127.0.0.1", "/b/k", Some("b"), Some("k"));
        reads("localhost", "/b", Some("b"), None);
        reads("b.s3.localhost", "/k", Some("b"), Some("k"));
        reads("b.localhost", "/k", Some("b"), Some("k"));
    }

    #[test]
    fn keys_are_decoded_once_and_keep_their_slashes() {
        reads("s3.amazonaws.com", "/b//k%2F%252F/", Some("b"), Some("/k/%2F/"));
        assert_eq!(Address::parse("s3.amazonaws.com", "/b/%FF"), None);
    }

    #[test]
    fn a_bucket_may_be_named_like_the_service() {
        reads("s3-data.s3.amazonaws.com", "/k", Some("s3-data"), Some("k"));
        reads("s3.s3.amazonaws.com", "/k", Some("s3"), Some("k"));
    }

    #[test]
    fn other_apis_are_not_taken_for_this_one() {
        assert_eq!(other_api("123456789012.s3-control.us-east-1.amazonaws.com"), Some("s3-control"));
        assert_eq!(
            other_api("point-123456789012.s3-accesspoint.us-east-1.amazonaws.com"),
            Some("s3-accesspoint")
        );
        assert_eq!(other_api("s3-control.s3.us-east-1.amazonaws.com"), None);
        assert_eq!(other_api("127.0.0.1"), None);
    }

    #[test]
    fn names_follow_the_naming_rules() {
        for name in ["abc", "a-b.c", "0ab", "a".repeat(63).as_str()] {
            assert!(is_bucket_name(name), "{name}");
        }
        for name in
            ["ab", "Abc", "a_b", "-ab", "ab-", ".ab", "a..b", "10.0.0.1", "xn--ab", "ab-s3alias", "a/b"]
        {
            assert!(!is_bucket_name(name), "{name}");
        }
        assert!(!is_bucket_name(&"a".repeat(64)));
    }
}
