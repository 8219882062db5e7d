//! The `Range` header.

use std::ops::Range;

use super::fault::{self, Fault};

/// The bytes that a `Range` header selects of a body of `length`; `None` selects all.
///
/// S3 gives one range an answer; for several, or for text that is no range, it gives the whole object. See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/range-get-olap.html>.
///
/// # Errors
///
/// `InvalidRange` where none of the bytes is there.
pub(super) fn select(header: Option<&str>, length: usize) -> Result<Option<Range<usize>>, Fault> {
    let Some((first, last)) = header.and_then(parse) else {
        return Ok(None);
    };
    let range = match (first, last) {
        (Some(first), Some(last)) if last < first => return Ok(None),
        (Some(first), last) => first..last.map_or(length, |last| last.saturating_add(1).min(length)),
        (None, Some(0)) => length..length,
        (None, Some(suffix)) => length.saturating_sub(suffix)..length,
        (None, None) => return Ok(None),
    };
    if range.start >= length {
        return Err(fault::INVALID_RANGE
            .fault()
            .with("RangeRequested", header.unwrap_or_default())
            .with("ActualObjectSize", length.to_string()));
    }
    Ok(Some(range))
}

fn parse(header: &str) -> Option<(Option<usize>, Option<usize>)> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| -> Option<Option<usize>> {
        match text.trim() {
            "" => Some(None),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(Some(digits.parse().unwrap_or(usize::MAX)))
            }
            _ => None,
        }
    };
    Some((number(first)?, number(last)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_to_the_body() {
        for (header, range) in [
            ("bytes=0-3", Some(0..4)),
            ("bytes=4-", Some(4..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=-30", Some(0..10)),
            ("bytes=9-99999999999999999999999", Some(9..10)),
            ("bytes=0-1,3-4", None),
            ("bytes=5-4", None),
            ("lines=0-3", None),
            ("bytes=-", None),
            ("bytes=a-b", None),
        ] {
            assert_eq!(select(Some(header), 10).expect(header), range, "{header}");
        }
        assert_eq!(select(None, 10).expect("no range"), None);
    }

    #[test]
    fn a_range_behind_the_body_is_refused() {
        for header in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(select(Some(header), 10).expect_err(header).code(), "InvalidRange");
        }
        assert!(select(Some("bytes=0-"), 0).is_err());
    }
}
