//! Dates as texts.

use time::OffsetDateTime;

/// `2026-11-22T00:00:00`, of milliseconds since 1970, by UTC.
pub(crate) fn date_time(milliseconds: u64) -> String {
    let seconds = i64::try_from(milliseconds / 1000).ok();
    let at = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second) = at.to_hms();
    let month = u8::from(month);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// `2026-11-22T00:00:00.000`
pub(crate) fn date_time_to_the_millisecond(milliseconds: u64) -> String {
    format!("{}.{:03}", date_time(milliseconds), milliseconds % 1000)
}
