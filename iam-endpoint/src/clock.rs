//! The endpoint's clock, and dates as AWS writes them.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use time::{Date, Month, OffsetDateTime, Time};

/// Where an endpoint takes the time from.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    pub(crate) fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        (self.0)().into()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(SystemTime::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// `2026-11-21T21:15:47Z`, as IAM and STS answer.
pub(crate) fn iso8601(at: OffsetDateTime) -> String {
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `Sat, 21 Nov 2026 21:15:47 GMT`, as HTTP headers have it.
pub(crate) fn http_date(at: OffsetDateTime) -> String {
    let (hour, minute, second) = at.to_hms();
    let (weekday, month) = (at.weekday().to_string(), at.month().to_string());
    format!(
        "{}, {:02} {} {:04} {hour:02}:{minute:02}:{second:02} GMT",
        weekday.get(..3).unwrap_or_default(),
        at.day(),
        month.get(..3).unwrap_or_default(),
        at.year()
    )
}

/// `20261121T211547Z`, the form of `x-amz-date`.
pub(crate) fn basic(at: OffsetDateTime) -> String {
    iso8601(at).replace(['-', ':'], "")
}

/// Reads what [`http_date`] writes.
pub(crate) fn parse_http_date(text: &str) -> Option<OffsetDateTime> {
    let mut words = text.split_ascii_whitespace().skip(1);
    let (day, month, year, clock) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month =
        (1..=12).filter_map(|n| Month::try_from(n).ok()).find(|m| m.to_string().get(..3) == Some(month))?;
    let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    let mut parts = clock.split(':').map(|part| part.parse::<u8>().ok());
    let time = Time::from_hms(parts.next()??, parts.next()??, parts.next()??).ok()?;
    Some(date.with_time(time).assume_utc())
}

/// Reads `20261121T211547Z`, the form of `x-amz-date`.
pub(crate) fn parse_basic(text: &str) -> Option<OffsetDateTime> {
    let number = |from: usize, to: usize| -> Option<u16> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let small = |from, to| number(from, to).and_then(|n| u8::try_from(n).ok());
    if text.len() != 16 || text.as_bytes().get(8) != Some(&b'T') || !text.ends_with('Z') {
        return None;
    }
    let month = Month::try_from(small(4, 6)?).ok()?;
    let date = Date::from_calendar_date(number(0, 4)?.into(), month, small(6, 8)?).ok()?;
    let time = Time::from_hms(small(9, 11)?, small(11, 13)?, small(13, 15)?).ok()?;
    Some(date.with_time(time).assume_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_aws_writes_them() {
        let at = parse_basic("20261121T090507Z").expect("a date");
        assert_eq!(iso8601(at), "2026-11-21T09:05:07Z");
        assert_eq!(basic(at), "20261121T090507Z");
        assert_eq!(http_date(at), "Sat, 21 Nov 2026 09:05:07 GMT");
        assert_eq!(parse_http_date(&http_date(at)), Some(at));
    }

    #[test]
    fn what_is_not_a_basic_date_is_none() {
        for text in [
            "",
            "20261121T090507",
            "20261321T090507Z",
            "2026-11-21T09:05:07Z",
            "+0261121T090507Z",
            "2026112éT09050Z",
        ] {
            assert!(parse_basic(text).is_none(), "{text}");
        }
    }
}
