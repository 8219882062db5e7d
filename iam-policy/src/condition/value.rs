//! The typed values that condition operators compare.

use std::cmp::Ordering;
use std::net::IpAddr;

/// A number as the numeric operators compare it: exact as long as it is an integer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    pub(super) integer: Option<i128>,
    pub(super) float: f64,
}

impl Number {
    pub(crate) fn parse(text: &str) -> Option<Number> {
        let text = text.trim();
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        // `parse::<f64>` also reads `inf`, `nan` and their like.
        if !digits.starts_with(|c: char| c == '.' || c.is_ascii_digit()) {
            return None;
        }
        Some(Number {
            integer: text.parse().ok(),
            // Plus zero: there is only one zero.
            float: text.parse().ok().filter(|float: &f64| float.is_finite())? + 0.0,
        })
    }

    pub(crate) fn float(self) -> f64 {
        self.float
    }

    pub(crate) fn compare(self, other: Number) -> Ordering {
        match (self.integer, other.integer) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => self.float.total_cmp(&other.float),
        }
    }
}

/// A point in time: seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Timestamp {
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
}

impl Timestamp {
    #[expect(clippy::cast_precision_loss, reason = "exact for a quarter of a billion years")]
    pub(crate) fn seconds(self) -> f64 {
        self.seconds as f64
    }

    /// Reads the [W3C's profile of ISO 8601](https://www.w3.org/TR/NOTE-datetime) or seconds since 1970.
    ///
    /// Four digits are a year, as in the profile: nobody means the first hours of 1970. A time of day without a zone is UTC.
    pub(crate) fn parse(text: &str) -> Option<Timestamp> {
        let text = text.trim();
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        if text.len() != 4 && !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Timestamp { seconds: text.parse().ok()?, nanoseconds: 0 });
        }
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut parts = date.split('-');
        let year = digits(parts.next()?, 4)?;
        let month = parts
            .next()
            .map_or(Some(1), |month| digits(month, 2))
            .filter(|month| (1..=12).contains(month))?;
        let day = parts.next().map_or(Some(1), |day| digits(day, 2)).filter(|day| *day >= 1)?;
        if parts.next().is_some() || day > days_in_month(year, month) {
            return None;
        }
        let (second_of_day, nanoseconds, offset) = match time {
            Some(_) if date.len() != 10 => return None,
            Some(time) => time_of_day(time)?,
            None => (0, 0, 0),
        };
        let seconds = days_since_1970(year, month, day) * 86_400 + second_of_day - offset;
        Some(Timestamp { seconds, nanoseconds })
    }
}

/// Second of the day, nanoseconds, and the zone's offset in seconds.
fn time_of_day(text: &str) -> Option<(i64, u32, i64)> {
    let (clock, offset) = match text.find(['Z', '+', '-']) {
        None => (text, 0),
        Some(at) => {
            let (clock, zone) = text.split_at_checked(at)?;
            (clock, zone_offset(zone)?)
        }
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = digits(parts.next()?, 2).filter(|minute| *minute < 60)?;
    // 60 is a leap second.
    let second = parts.next().map_or(Some(0), |second| digits(second, 2)).filter(|second| *second <= 60)?;
    if parts.next().is_some() || fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some((hour * 3600 + minute * 60 + second, nanoseconds, offset))
}

fn zone_offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let zone = zone.get(1..)?;
    let (hours, minutes) = match zone.split_once(':') {
        Some(parts) => parts,
        None if zone.len() == 4 => zone.split_at_checked(2)?,
        None => (zone, "00"),
    };
    let hours = digits(hours, 2).filter(|hours| *hours < 24)?;
    let minutes = digits(minutes, 2).filter(|minutes| *minutes < 60)?;
    Some(sign * (hours * 3600 + minutes * 60))
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days in the Gregorian calendar, counted in years that begin in March so that the leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// An address, or a range of them by its prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network {
    pub(super) bits: u128,
    /// How many bits of the address, counted in its own family, do not count.
    pub(super) host_bits: u32,
    pub(super) v6: bool,
}

impl Network {
    pub(crate) fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let (bits, v6) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(address.to_bits()), false),
            IpAddr::V6(address) => (address.to_bits(), true),
        };
        let width: u32 = if v6 { 128 } else { 32 };
        let prefix = match prefix {
            None => width,
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => prefix.parse().ok()?,
            Some(_) => return None,
        };
        Some(Network { bits, host_bits: width.checked_sub(prefix)?, v6 })
    }

    /// Whether every address of the other network is in this one.
    pub(crate) fn contains(self, other: Network) -> bool {
        let shift = |bits: u128| bits.checked_shr(self.host_bits).unwrap_or(0);
        self.v6 == other.v6 && other.host_bits <= self.host_bits && shift(self.bits) == shift(other.bits)
    }
}

pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// The bytes that base64 text stands for; padding may be missing.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    if bare.len() % 4 == 1 || padding > 2 || (padding > 0 && !text.len().is_multiple_of(4)) {
        return None;
    }
    let mut bytes = Vec::with_capacity(bare.len() * 3 / 4);
    let (mut buffer, mut bits) = (0_u32, 0);
    for sign in bare.bytes() {
        let value = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'a'..=b'z' => sign - b'a' + 26,
            b'0'..=b'9' => sign - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        buffer = buffer << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.extend(u8::try_from(buffer >> bits & 0xFF));
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_every_form_of_the_profile_name_their_second() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970", 0),
            ("2000-03", 951_868_800),
            ("2000-02-29", 951_782_400),
            ("2026-01-01T00:00:00Z", 1_767_225_600),
            ("2026-01-01T01:30+01:30", 1_767_225_600),
            ("2025-12-31T19:00:00.5-0500", 1_767_225_600),
            ("2026-01-01T00:00:00", 1_767_225_600),
            ("1969-12-31T23:59:59Z", -1),
            ("1767225600", 1_767_225_600),
            ("-1", -1),
        ] {
            assert_eq!(Timestamp::parse(text).map(|time| time.seconds), Some(seconds), "{text}");
        }
        assert!(Timestamp::parse("2026-01-01T00:00:00.5Z") > Timestamp::parse("2026-01-01T00:00:00.25Z"));
    }

    #[test]
    fn what_is_not_a_date_is_refused() {
        for text in [
            "",
            "-",
            "tomorrow",
            "2026-13",
            "2026-00",
            "2026-02-29",
            "2026-1-1",
            "2026-01-01T",
            "2026-01-01T24:00Z",
            "2026-01T00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+25:00",
            "99999999999999999999",
            "2026-01-01-01",
            "2026-01-01T00:00:00+é",
            "2026-01-01 00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn networks_contain_by_prefix_within_their_family() {
        let contains = |outer: &str, inner: &str| {
            Network::parse(outer).unwrap().contains(Network::parse(inner).unwrap())
        };
        assert!(contains("10.0.0.0/8", "10.2.3.4"));
        assert!(contains("10.9.9.9/8", "10.2.3.4"));
        assert!(contains("0.0.0.0/0", "255.255.255.255"));
        assert!(contains("::/0", "2001:db8::1"));
        assert!(contains("2001:DB8::/32", "2001:db8:1234::1"));
        assert!(contains("10.0.0.1", "10.0.0.1"));
        assert!(!contains("10.0.0.1", "10.0.0.2"));
        assert!(!contains("10.0.0.0/9", "10.128.0.1"));
        assert!(!contains("10.0.0.0/16", "10.0.0.0/8"));
        assert!(!contains("::/0", "10.0.0.1"));
        for text in
            ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "::/129", "example.com", "10.0.0.256"]
        {
            assert!(Network::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn numbers_compare_by_value_and_large_integers_exactly() {
        let compare = |a: &str, b: &str| Number::parse(a).unwrap().compare(Number::parse(b).unwrap());
        assert_eq!(compare("10", "10.0"), Ordering::Equal);
        assert_eq!(compare("9", "10"), Ordering::Less);
        assert_eq!(compare("-1.5", "-2"), Ordering::Greater);
        assert_eq!(compare("-0.0", "0"), Ordering::Equal);
        assert_eq!(compare("9007199254740993", "9007199254740992"), Ordering::Greater);
        for text in ["", "ten", "nan", "inf", "-inf", "1e999", "1 0", "0x10"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn base64_is_decoded_with_and_without_padding() {
        assert_eq!(decode_base64("QmluYXJ5VmFsdWVJbkJhc2U2NA=="), Some(b"BinaryValueInBase64".to_vec()));
        assert_eq!(decode_base64("QQ"), Some(b"A".to_vec()));
        assert_eq!(decode_base64(""), Some(Vec::new()));
        for text in ["Q", "QQ=", "Q*==", "QQ===", "Q=Q="] {
            assert_eq!(decode_base64(text), None, "{text}");
        }
    }
}
