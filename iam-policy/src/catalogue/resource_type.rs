use std::fmt;

use super::Service;
use super::overlap::overlap;
use crate::arn::Arn;
use crate::records;

/// A resource type of a service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ResourceType {
    service: Service,
    line: &'static str,
}

impl ResourceType {
    pub(super) fn new(service: Service, line: &'static str) -> Self {
        Self { service, line }
    }

    /// Its name: `bucket`.
    #[must_use]
    pub fn name(self) -> &'static str {
        records::name_of(self.line)
    }

    /// The service that it belongs to.
    #[must_use]
    pub fn service(self) -> Service {
        self.service
    }

    /// The formats of its ARNs, mostly one: `arn:${Partition}:s3:::${BucketName}`.
    pub fn arn_formats(self) -> impl Iterator<Item = &'static str> {
        records::field(self.line, 1).split(' ')
    }

    /// The names of condition keys that actions on it support.
    pub fn condition_keys(self) -> impl Iterator<Item = &'static str> {
        self.service.key_set(records::field(self.line, 2))
    }

    /// Whether an ARN can be of this type; the ARN may have wildcards and policy variables, as in a policy.
    ///
    /// # Examples
    ///
    /// ```
    /// let s3 = iam_policy::catalogue::service("s3").expect("Amazon S3");
    /// let bucket = s3.resource_type("bucket").expect("it has buckets");
    /// assert!(bucket.matches("arn:aws:s3:::${aws:username}-*"));
    /// assert!(!bucket.matches("arn:aws:s3:::dashboard/*"));
    /// ```
    #[must_use]
    pub fn matches(self, arn: &str) -> bool {
        let arn = in_six_parts(arn);
        let excluded = records::field(self.line, 3).chars().next();
        arn == "*" || self.arn_formats().any(|format| overlaps(&arn, format, excluded).unwrap_or(false))
    }
}

#[cfg(feature = "sets")]
impl ResourceType {
    /// What ARNs of its formats are not of this type: a bucket's name has no slash. Formats with several names may have that
    /// in one and not in another, and are not told of.
    pub(crate) fn beyond(self) -> impl Iterator<Item = String> {
        let excluded = records::field(self.line, 3).chars().next();
        // The parts of a format before its last, with wildcards.
        let start_as_pattern = |start: &str| {
            let parts = start.split(':').map(|part| if part.contains("${") { "*" } else { part }.to_owned());
            parts.collect::<Vec<_>>().join(":")
        };
        self.arn_formats().filter_map(move |format| {
            let start = format.strip_suffix('}')?;
            let (start, _) = start.rsplit_once('$')?;
            let resource = Arn::parse(start)?.resource;
            let start = start.strip_suffix(resource)?;
            (!resource.contains("${")).then_some(format!(
                "{}{resource}*{}*",
                start_as_pattern(start),
                excluded?
            ))
        })
    }
}

/// Part by part, because a wildcard does not reach over the colons between the parts of an ARN; `None` if the text is no
/// ARN.
fn overlaps(arn: &str, format: &str, excluded: Option<char>) -> Option<bool> {
    let (arn, format) = (Arn::parse(arn)?, Arn::parse(format)?);
    let overlaps = overlap(arn.service, format.service, None)
        && overlap(arn.resource, format.resource, excluded)
        && overlap(arn.partition, format.partition, None)
        && overlap(arn.region, format.region, None)
        // AWS's own documents, parameters and images are in a region, and of no account.
        && (arn.account.is_empty() && !arn.region.is_empty() || overlap(arn.account, format.account, None));
    Some(overlaps)
}

/// The ARN in six parts, with wildcards only: a policy variable may be anything, and its colons are none of the ARN's; a `*`
/// at the end also stands for the parts that are missing, as in `arn:aws:codebuild:*`.
pub(super) fn in_six_parts(arn: &str) -> String {
    let mut text = String::with_capacity(arn.len());
    let mut rest = arn;
    while let Some((before, variable)) = rest.split_once("${") {
        let Some((_, after)) = variable.split_once('}') else { break };
        text.push_str(before);
        text.push('*');
        rest = after;
    }
    text.push_str(rest);
    if text.starts_with("arn:") && text.ends_with('*') {
        let missing = 5_usize.saturating_sub(text.matches(':').count());
        text.push_str(&":*".repeat(missing));
    }
    text
}

impl fmt::Debug for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceType({}:{})", self.service.prefix(), self.name())
    }
}
