//! Time-based one-time passwords: six digits, another each thirty seconds.
//!
//! <https://www.rfc-editor.org/rfc/rfc6238>

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use time::OffsetDateTime;

/// How many codes of before and after now count: nobody's clock is right.
const WINDOW: i64 = 1;

/// The same where a device is enabled or synchronized anew, for which it gives two codes in sequence.
const SEARCHED: i64 = 20;

/// What a device makes its codes of.
pub(super) struct Generator {
    seed: Vec<u8>,
    /// By how many steps the device's clock is ahead.
    drift: i64,
    /// The step of the code that was taken last: none is taken twice.
    last: i64,
}

impl Generator {
    /// A generator with a seed in base32.
    pub(super) fn new(seed: &str) -> Self {
        Self { seed: from_base32(seed), drift: 0, last: i64::MIN }
    }

    /// Finds out what the device takes for the time, by two codes in sequence.
    pub(super) fn synchronize(&mut self, first: &str, second: &str, now: OffsetDateTime) -> bool {
        let now = step(now);
        for far in 0..=SEARCHED {
            for drift in [-far, far] {
                if self.code(now + drift - 1) == first && self.code(now + drift) == second {
                    self.drift = drift;
                    return true;
                }
            }
        }
        false
    }

    /// Takes a code, if it is one of now that was not taken before.
    pub(super) fn take(&mut self, code: &str, now: OffsetDateTime) -> bool {
        let now = step(now) + self.drift;
        let fits = |step: &i64| *step > self.last && self.code(*step) == code;
        let Some(step) = (now - WINDOW..=now + WINDOW).find(fits) else { return false };
        self.last = step;
        true
    }

    fn code(&self, step: i64) -> String {
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.seed) else { return String::new() };
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let at = usize::from(hash.last().copied().unwrap_or_default() & 0xf);
        let four = hash.get(at..at + 4).and_then(|four| four.try_into().ok()).unwrap_or_default();
        format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
    }
}

fn step(at: OffsetDateTime) -> i64 {
    at.unix_timestamp().div_euclid(30)
}

fn from_base32(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for sign in text.bytes() {
        let value = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'2'..=b'7' => sign - b'2' + 26,
            _ => continue,
        };
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.extend((bits >> count).to_le_bytes().first());
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seed of the RFC, `12345678901234567890`.
    fn generator() -> Generator {
        Generator::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    }

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        let generator = generator();
        assert_eq!(generator.seed, b"12345678901234567890");
        // The last six of the RFC's eight digits.
        for (time, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(generator.code(step(at(time))), code);
        }
    }

    #[test]
    fn a_code_is_taken_once_and_only_near_its_time() {
        let mut generator = generator();
        assert!(!generator.take("287082", at(59 + 60)));
        assert!(generator.take("287082", at(59 + 30)));
        assert!(!generator.take("287082", at(59 + 30)));
    }

    #[test]
    fn a_device_whose_clock_is_off_is_known_by_two_codes() {
        let mut generator = generator();
        let codes = [1000, 1030, 1060].map(|time| generator.code(step(at(time))));
        assert!(!generator.synchronize(&codes[0], &codes[2], at(700)));
        assert!(generator.synchronize(&codes[0], &codes[1], at(700)));
        assert!(generator.take(&codes[2], at(730)));
    }
}
