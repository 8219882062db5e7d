//! The limits that typed values set: values at them and beside them, one for each stretch on which all conditions are alike.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::value::{Network, Number, Timestamp};
use crate::order;

impl Number {
    /// The numbers themselves, one between each two that follow each other, one below and one above all.
    pub(crate) fn with_neighbours(mut numbers: Vec<Number>) -> Vec<String> {
        order::sort_by(&mut numbers, |a, b| a.compare(*b));
        let mut texts: Vec<String> = Vec::new();
        texts.extend(numbers.first().map(|first| first.beside(-1)));
        texts.extend(numbers.last().map(|last| last.beside(1)));
        for two in numbers.windows(2) {
            if let [a, b] = two {
                texts.extend(a.between(*b));
            }
        }
        texts.extend(numbers.iter().map(|number| number.text()));
        texts
    }

    fn text(self) -> String {
        self.integer.map_or_else(|| self.float.to_string(), |integer| integer.to_string())
    }

    fn beside(self, step: i8) -> String {
        match self.integer.and_then(|integer| integer.checked_add(step.into())) {
            Some(integer) => integer.to_string(),
            // Twice as far from zero, and one: that is beyond every rounding.
            None => (self.float + f64::from(step) * (self.float.abs() + 1.0))
                .clamp(f64::MIN, f64::MAX)
                .to_string(),
        }
    }

    fn between(self, greater: Number) -> Option<String> {
        if let (Some(a), Some(b)) = (self.integer, greater.integer)
            && let Some(next) = a.checked_add(1).filter(|next| *next < b)
        {
            return Some(next.to_string());
        }
        let middle = self.float / 2.0 + greater.float / 2.0;
        (self.float < middle && middle < greater.float).then(|| middle.to_string())
    }
}

impl Timestamp {
    /// The point in time, and the ones a nanosecond before and after.
    pub(crate) fn with_neighbours(self) -> Vec<String> {
        const SECOND: u32 = 1_000_000_000;
        let before = match self.nanoseconds.checked_sub(1) {
            Some(nanoseconds) => Some((self.seconds, nanoseconds)),
            None => self.seconds.checked_sub(1).map(|seconds| (seconds, SECOND - 1)),
        };
        let after = match self.nanoseconds + 1 {
            SECOND => self.seconds.checked_add(1).map(|seconds| (seconds, 0)),
            nanoseconds => Some((self.seconds, nanoseconds)),
        };
        let mut texts = vec![text(self.seconds, self.nanoseconds)];
        for neighbour in [before, after] {
            texts.extend(neighbour.map(|(seconds, nanoseconds)| text(seconds, nanoseconds)));
        }
        texts
    }
}

/// A date as ISO 8601 has it, or where its year has not four digits the seconds since 1970.
fn text(seconds: i64, nanoseconds: u32) -> String {
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years begin in March here, so that the leap day is the last; day 0 is the first of March of the year 0.
    let day = day + 719_468;
    let (era, day_of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    if !(0..=9999).contains(&year) {
        return seconds.to_string();
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = if nanoseconds == 0 { String::new() } else { format!(".{nanoseconds:09}") };
    format!("{year:04}-{month:02}-{day_of_month:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

impl Network {
    /// The first address, and the one after the last.
    pub(crate) fn edges(self) -> Vec<String> {
        let first =
            self.bits.checked_shr(self.host_bits).unwrap_or(0).checked_shl(self.host_bits).unwrap_or(0);
        let after = 1_u128.checked_shl(self.host_bits).and_then(|size| first.checked_add(size));
        let mut edges = Vec::new();
        edges.extend(self.address(first));
        edges.extend(after.and_then(|after| self.address(after)));
        edges
    }

    fn address(self, bits: u128) -> Option<String> {
        if self.v6 {
            return Some(Ipv6Addr::from_bits(bits).to_string());
        }
        u32::try_from(bits).ok().map(|bits| Ipv4Addr::from_bits(bits).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_they_are_read() {
        for date in [
            "2026-01-01T00:00:00Z",
            "2000-02-29T23:59:59Z",
            "1969-12-31T23:59:59.999999999Z",
            "1600-03-01T00:00:00Z",
        ] {
            let time = Timestamp::parse(date).unwrap();
            assert_eq!(time.with_neighbours()[0], date);
            let [_, before, after] = &time.with_neighbours()[..] else { panic!("{date}") };
            assert!(Timestamp::parse(before) < Some(time) && Some(time) < Timestamp::parse(after), "{date}");
        }
        assert_eq!(text(253_402_300_800, 0), "253402300800");
    }

    #[test]
    fn there_is_a_number_on_every_stretch() {
        let all = |texts: &[&str]| {
            Number::with_neighbours(texts.iter().map(|text| Number::parse(text).unwrap()).collect())
        };
        assert_eq!(all(&["10", "5"]), ["4", "11", "6", "5", "10"]);
        assert_eq!(all(&["1", "2"]), ["0", "3", "1.5", "1", "2"]);
        assert_eq!(all(&["0.5"]), ["-1", "2", "0.5"]);
    }

    #[test]
    fn the_edges_of_a_network_are_in_it_and_just_outside() {
        assert_eq!(Network::parse("10.1.2.3/8").unwrap().edges(), ["10.0.0.0", "11.0.0.0"]);
        assert_eq!(Network::parse("255.0.0.0/8").unwrap().edges(), ["255.0.0.0"]);
        assert_eq!(Network::parse("2001:db8::/32").unwrap().edges(), ["2001:db8::", "2001:db9::"]);
        assert_eq!(Network::parse("::/0").unwrap().edges(), ["::"]);
    }
}
