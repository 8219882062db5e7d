//! Numbers of up to 38 decimal digits.
//!
//! See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>.

use std::cmp::Ordering;
use std::fmt;

use super::invalid;
use crate::fault::Fault;

/// `digits` × 10 to the power of `exponent`.
///
/// INVARIANT: `digits` does not end in a zero, and has at most 38 digits; zero is 0 × 10⁰.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Number {
    digits: i128,
    exponent: i32,
}

const MOST_DIGITS: u32 = 38;

impl Number {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let unreadable = || invalid(format!("The parameter cannot be converted to a numeric value: {text}"));
        let (mantissa, power) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().map_err(|_| unreadable())?),
            None => (text, 0),
        };
        let (is_negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = whole.bytes().chain(fraction.bytes());
        if whole.len() + fraction.len() == 0 || !all.clone().all(|b| b.is_ascii_digit()) {
            return Err(unreadable());
        }
        let significant = all.skip_while(|b| *b == b'0');
        let (mut digits, mut count, mut zeros) = (0_i128, 0_u32, 0_i32);
        for digit in significant {
            if digit == b'0' {
                zeros = zeros.saturating_add(1);
                continue;
            }
            // Zeros count only where other digits follow.
            for digit in std::iter::repeat_n(0, usize::try_from(zeros).unwrap_or(0)).chain([digit - b'0']) {
                count += 1;
                if count > MOST_DIGITS {
                    return Err(invalid("Attempting to store more than 38 significant digits in a Number"));
                }
                digits = digits * 10 + i128::from(digit);
            }
            zeros = 0;
        }
        let scale = i32::try_from(fraction.len()).map_err(|_| unreadable())?;
        let exponent = power.saturating_sub(scale).saturating_add(zeros);
        Self { digits: if is_negative { -digits } else { digits }, exponent }.checked()
    }

    /// In its canonical form, and within what DynamoDB can store.
    fn checked(self) -> Result<Self, Fault> {
        let Self { mut digits, mut exponent } = self;
        if digits == 0 {
            return Ok(Self { digits: 0, exponent: 0 });
        }
        while digits % 10 == 0 {
            digits /= 10;
            exponent = exponent.saturating_add(1);
        }
        let number = Self { digits, exponent };
        match number.magnitude() {
            126.. => Err(invalid(
                "Number overflow. Attempting to store a number with magnitude larger than supported range",
            )),
            ..-130 => Err(invalid(
                "Number underflow. Attempting to store a number with magnitude smaller than supported range",
            )),
            _ if number.count() > MOST_DIGITS => {
                Err(invalid("Attempting to store more than 38 significant digits in a Number"))
            }
            _ => Ok(number),
        }
    }

    fn count(self) -> u32 {
        self.digits.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1)
    }

    /// The power of ten of the first digit.
    fn magnitude(self) -> i32 {
        self.exponent.saturating_add_unsigned(self.count()).saturating_sub(1)
    }

    pub(super) fn plus(self, other: Self) -> Result<Self, Fault> {
        if self.digits == 0 || other.digits == 0 {
            return Ok(if self.digits == 0 { other } else { self });
        }
        let exponent = self.exponent.min(other.exponent);
        let shifted = |number: Self| {
            let by = u32::try_from(number.exponent - exponent).ok()?;
            number.digits.checked_mul(10_i128.checked_pow(by)?)
        };
        let sum = shifted(self).zip(shifted(other)).and_then(|(a, b)| a.checked_add(b));
        let digits =
            sum.ok_or_else(|| invalid("Attempting to store more than 38 significant digits in a Number"))?;
        Self { digits, exponent }.checked()
    }

    pub(super) fn minus(self, other: Self) -> Result<Self, Fault> {
        self.plus(Self { digits: -other.digits, ..other })
    }

    /// What it costs to store.
    pub(super) fn size(self) -> usize {
        usize::try_from(self.count().div_ceil(2) + 1).unwrap_or(1)
    }

    pub(super) fn from_count(count: usize) -> Self {
        let number = Self { digits: i128::try_from(count).unwrap_or(i128::MAX), exponent: 0 };
        number.checked().unwrap_or(number)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = self.digits.signum().cmp(&other.digits.signum());
        if sign.is_ne() || self.digits == 0 {
            return sign;
        }
        let by_magnitude = self.magnitude().cmp(&other.magnitude());
        let ordering = by_magnitude.then_with(|| {
            // Of one magnitude: the same number of digits makes them comparable.
            let count = self.count().max(other.count());
            let padded = |number: &Self| number.digits.unsigned_abs() * 10_u128.pow(count - number.count());
            padded(self).cmp(&padded(other))
        });
        if self.digits < 0 { ordering.reverse() } else { ordering }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits < 0 {
            f.write_str("-")?;
        }
        let digits = self.digits.unsigned_abs().to_string();
        let point = i64::from(self.exponent) + i64::try_from(digits.len()).unwrap_or(0);
        if self.exponent >= 0 {
            let zeros = usize::try_from(self.exponent).unwrap_or(0);
            return write!(f, "{digits}{}", "0".repeat(zeros));
        }
        match usize::try_from(point) {
            Ok(at @ 1..) => {
                let (whole, fraction) = digits.split_at_checked(at).unwrap_or((&digits, ""));
                write!(f, "{whole}.{fraction}")
            }
            _ => write!(f, "0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or(0))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).expect(text)
    }

    #[test]
    fn numbers_are_written_without_what_means_nothing() {
        let cases = [
            ("007", "7"),
            ("-0", "0"),
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("-12.5e-3", "-0.0125"),
            ("100", "100"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            (".5", "0.5"),
        ];
        for (given, written) in cases {
            assert_eq!(number(given).to_string(), written, "{given}");
        }
    }

    #[test]
    fn what_dynamodb_does_not_store_is_refused() {
        let long = "123456789012345678901234567890123456789";
        for text in ["", "abc", "1e", "--1", "1.2.3", "NaN", "1E126", "1E-131", long, "1e99999999999"] {
            assert!(Number::parse(text).is_err(), "{text}");
        }
        assert!(number("1E100").plus(number("1")).is_err());
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        let sorted =
            ["-1e100", "-12", "-1.5", "-1", "-0.01", "0", "0.009", "0.01", "1", "1.01", "9", "10", "1e100"];
        for (at, a) in sorted.iter().enumerate() {
            for (other, b) in sorted.iter().enumerate() {
                assert_eq!(number(a).cmp(&number(b)), at.cmp(&other), "{a} {b}");
            }
        }
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!(number("0.1").plus(number("0.2")).expect("a sum"), number("0.3"));
        assert_eq!(number("1").minus(number("1")).expect("a difference"), number("0"));
        assert_eq!(number("99").plus(number("1")).expect("a sum").to_string(), "100");
    }
}
