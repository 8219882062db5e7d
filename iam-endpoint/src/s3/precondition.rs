//! Conditional requests.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>.

use http::header::{ETAG, LAST_MODIFIED};
use time::OffsetDateTime;

use super::fault::{self, Fault};
use super::state::Version;
use super::task::Task;
use crate::clock;
use crate::journal::Outcome;

/// The four headers of a conditional read.
#[expect(clippy::struct_field_names, reason = "they are the names of the headers")]
pub(super) struct Read<'h> {
    if_match: Option<&'h str>,
    if_none_match: Option<&'h str>,
    if_modified_since: Option<OffsetDateTime>,
    if_unmodified_since: Option<OffsetDateTime>,
}

impl<'h> Read<'h> {
    /// The conditions on what a request reads; `prefix` is empty, or `x-amz-copy-source-` for what a copy reads.
    pub(super) fn of(task: &Task<'h>, prefix: &str) -> Self {
        let header = |name: &str| task.header(&[prefix, name].concat());
        let date = |name: &str| header(name).and_then(clock::parse_http_date);
        Self {
            if_match: header("if-match"),
            if_none_match: header("if-none-match"),
            if_modified_since: date("if-modified-since"),
            if_unmodified_since: date("if-unmodified-since"),
        }
    }

    /// The condition that fails first. An entity tag outweighs a date.
    ///
    /// # Errors
    ///
    /// `PreconditionFailed`, or `NotModified` with the headers that a cache wants.
    pub(super) fn check(&self, etag: &str, version: &Version) -> Result<(), Fault> {
        // Dates in headers have no fractions of a second.
        let modified = version.modified.replace_nanosecond(0).unwrap_or(version.modified);
        let stale = match (self.if_match, self.if_unmodified_since) {
            (Some(tags), _) => (!matches(tags, etag)).then_some("If-Match"),
            (None, Some(date)) => (modified > date).then_some("If-Unmodified-Since"),
            (None, None) => None,
        };
        if let Some(condition) = stale {
            return Err(fault::PRECONDITION_FAILED.fault().with("Condition", condition));
        }
        let unchanged = match (self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => matches(tags, etag),
            (None, Some(date)) => modified <= date,
            (None, None) => false,
        };
        if unchanged {
            return Err(fault::NOT_MODIFIED
                .fault()
                .concluding(Outcome::Answered)
                .header(LAST_MODIFIED, &clock::http_date(version.modified))
                .header(ETAG, etag));
        }
        Ok(())
    }
}

/// The conditions on a write: about what is there now, of which a delete marker is nothing.
///
/// # Errors
///
/// `PreconditionFailed`, or `NoSuchKey` for `If-Match` where there is nothing.
pub(super) fn check_write(task: &Task<'_>, current: Option<&Version>) -> Result<(), Fault> {
    let etag = current.and_then(|version| Some(&version.object.as_ref()?.etag));
    if let Some(tags) = task.header("if-match") {
        let etag = etag.ok_or_else(|| fault::NO_SUCH_KEY.fault())?;
        if !matches(tags, etag) {
            return Err(fault::PRECONDITION_FAILED.fault().with("Condition", "If-Match"));
        }
    }
    if let Some(tags) = task.header("if-none-match")
        && etag.is_some_and(|etag| matches(tags, etag))
    {
        return Err(fault::PRECONDITION_FAILED.fault().with("Condition", "If-None-Match"));
    }
    Ok(())
}

/// Whether a list of entity tags names this one; clients leave the quotes out.
pub(super) fn matches(tags: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    tags.split(',').any(|tag| tag.trim() == "*" || bare(tag) == bare(etag))
}

#[cfg(test)]
mod tests {
    use super::super::lock::Lock;
    use super::*;

    #[test]
    fn entity_tags_match_with_and_without_quotes() {
        for (tags, fits) in
            [("\"a\"", true), ("a", true), ("*", true), ("\"b\", \"a\"", true), ("\"b\"", false)]
        {
            assert_eq!(matches(tags, "\"a\""), fits, "{tags}");
        }
    }

    #[test]
    fn an_entity_tag_outweighs_a_date() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let version = Version {
            id: "null".to_owned(),
            modified: now,
            object: None,
            tags: Vec::new(),
            lock: Lock::default(),
        };
        let read =
            Read { if_match: None, if_none_match: None, if_modified_since: None, if_unmodified_since: None };
        assert!(read.check("\"a\"", &version).is_ok());
        let unchanged = Read { if_modified_since: Some(now), ..read };
        assert_eq!(unchanged.check("\"a\"", &version).expect_err("a cache hit").code(), "NotModified");
        let changed = Read { if_none_match: Some("\"b\""), ..unchanged };
        assert!(changed.check("\"a\"", &version).is_ok());
        let before = Some(now - time::Duration::DAY);
        let stale = Read {
            if_match: None,
            if_none_match: None,
            if_modified_since: None,
            if_unmodified_since: before,
        };
        assert_eq!(stale.check("\"a\"", &version).expect_err("it changed").code(), "PreconditionFailed");
        assert!(Read { if_match: Some("\"a\""), ..stale }.check("\"a\"", &version).is_ok());
    }
}
