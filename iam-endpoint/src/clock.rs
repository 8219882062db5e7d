//! The endpoint's clock, and dates as AWS writes them.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::wire::digits::two;
use time::{Date, Month, OffsetDateTime, Time, Weekday};

/// Where an endpoint takes the time from.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    pub(crate) fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.0)()
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

/// The time in whole seconds, which is all that AWS's answers tell.
pub(crate) fn in_seconds(at: SystemTime) -> OffsetDateTime {
    let seconds = match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).ok(),
        Err(before) => i64::try_from(before.duration().as_secs()).ok().map(|seconds| -seconds),
    };
    let at = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    at.unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// `2026-11-21T21:15:47Z`, as IAM and STS answer.
pub(crate) fn iso8601(at: OffsetDateTime) -> String {
    let (year, month, day) = at.to_calendar_date();
    let pair = |number: i32| two(u8::try_from(number).unwrap_or_default());
    let [[c1, c2], [y1, y2]] = [pair(year / 100), pair(year % 100)];
    let [[m1, m2], [d1, d2]] = [two(month.into()), two(day)];
    let (hour, minute, second) = at.to_hms();
    let [[h1, h2], [i1, i2], [s1, s2]] = [two(hour), two(minute), two(second)];
    let text = [c1, c2, y1, y2, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2, b'Z'];
    String::from_utf8_lossy(&text).into_owned()
}

/// `Sat, 21 Nov 2026 21:15:47 GMT`, as HTTP headers have it.
pub(crate) fn http_date(at: OffsetDateTime) -> String {
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second) = at.to_hms();
    let (weekday, month) = (weekday_name(at.weekday()), month_name(month));
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

fn month_name(month: Month) -> &'static str {
    match month {
        Month::January => "Jan",
        Month::February => "Feb",
        Month::March => "Mar",
        Month::April => "Apr",
        Month::May => "May",
        Month::June => "Jun",
        Month::July => "Jul",
        Month::August => "Aug",
        Month::September => "Sep",
        Month::October => "Oct",
        Month::November => "Nov",
        Month::December => "Dec",
    }
}

/// `20261121T211547Z`, the form of `x-amz-date`.
pub(crate) fn basic(at: OffsetDateTime) -> String {
    iso8601(at).replace(['-', ':'], "")
}

/// Reads what [`http_date`] writes.
pub(crate) fn parse_http_date(text: &str) -> Option<OffsetDateTime> {
    let mut words = text.split_ascii_whitespace().skip(1);
    let (day, month, year, clock) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = (1..=12).filter_map(|n| Month::try_from(n).ok()).find(|m| month_name(*m) == month)?;
    let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    let mut parts = clock.split(':').map(|part| part.parse::<u8>().ok());
    let time = Time::from_hms(parts.next()??, parts.next()??, parts.next()??).ok()?;
    Some(date.with_time(time).assume_utc())
}

/// Reads `20261121T211547Z`, the form of `x-amz-date`.
pub(crate) fn parse_basic(text: &str) -> Option<OffsetDateTime> {
    let &[c1, c2, y1, y2, m1, m2, d1, d2, b'T', h1, h2, i1, i2, s1, s2, b'Z'] = text.as_bytes() else {
        return None;
    };
    let number = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
    };
    let year = i32::from(number(c1, c2)?) * 100 + i32::from(number(y1, y2)?);
    let month = Month::try_from(number(m1, m2)?).ok()?;
    let date = Date::from_calendar_date(year, month, number(d1, d2)?).ok()?;
    let time = Time::from_hms(number(h1, h2)?, number(i1, i2)?, number(s1, s2)?).ok()?;
    Some(date.with_time(time).assume_utc())
}

/// Reads `2026-11-21T21:15:47Z` or `2026-11-21T21:15:47.125Z`, as documents have it.
pub(crate) fn parse_iso8601(text: &str) -> Option<OffsetDateTime> {
    let (seconds, fraction) =
        text.strip_suffix('Z')?.split_once('.').unwrap_or((text.get(..text.len() - 1)?, "0"));
    let is_number = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let is_dashed = [4, 7].iter().all(|at| seconds.as_bytes().get(*at) == Some(&b'-'))
        && [13, 16].iter().all(|at| seconds.as_bytes().get(*at) == Some(&b':'));
    if !is_number || !is_dashed {
        return None;
    }
    parse_basic(&[&seconds.replace(['-', ':'], ""), "Z"].concat())
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
    fn dates_of_documents_may_have_fractions() {
        let at = parse_basic("20261121T211547Z");
        for text in ["2026-11-21T21:15:47Z", "2026-11-21T21:15:47.000Z", "2026-11-21T21:15:47.123456Z"] {
            assert_eq!(parse_iso8601(text), at, "{text}");
        }
        for text in
            ["", "Z", "2026-11-21", "20261121T211547Z", "2026-11-21T21:15:47", "2026-11-21T21:15:47.Z", "é"]
        {
            assert_eq!(parse_iso8601(text), None, "{text}");
        }
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
