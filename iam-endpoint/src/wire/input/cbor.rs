//! Reading CBOR, as far as `rpc-v2-cbor` uses it.
//!
//! <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html> and RFC 8949

use serde_json::{Map, Number, Value};

use super::DEEPEST;

/// Reads one value, which has to be the whole text; bytes become base64, as in JSON.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(0)?;
    reader.rest.is_empty().then_some(value)
}

struct Reader<'b> {
    rest: &'b [u8],
}

/// The first byte of an item.
#[derive(Clone, Copy)]
struct Head {
    major: u8,
    minor: u8,
}

impl Head {
    const BREAK: u8 = 31;

    fn is_break(self) -> bool {
        self.major == 7 && self.minor == Self::BREAK
    }
}

impl<'b> Reader<'b> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        let head = self.head()?;
        self.after(head, depth)
    }

    fn after(&mut self, head: Head, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        match head.major {
            0 => Some(self.argument(head)?.into()),
            1 => {
                let value = -1 - i128::from(self.argument(head)?);
                Number::from_i128(value).or_else(|| Number::from_f64(-1.0)).map(Value::Number)
            }
            2 => Some(base64_simd::STANDARD.encode_to_string(self.chunks(head)?).into()),
            3 => String::from_utf8(self.chunks(head)?).ok().map(Value::String),
            4 => self.array(head, depth).map(Value::Array),
            5 => self.map(head, depth).map(Value::Object),
            // A tag says what the value means: a timestamp, which conditions take as a number too.
            6 => {
                self.argument(head)?;
                self.value(depth + 1)
            }
            _ => self.simple(head),
        }
    }

    fn array(&mut self, head: Head, depth: usize) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        let mut left = self.count(head)?;
        while let Some(head) = self.next_of(&mut left)? {
            items.push(self.after(head, depth + 1)?);
        }
        Some(items)
    }

    fn map(&mut self, head: Head, depth: usize) -> Option<Map<String, Value>> {
        let mut members = Map::new();
        let mut left = self.count(head)?;
        while let Some(head) = self.next_of(&mut left)? {
            if head.major != 3 {
                return None;
            }
            let key = String::from_utf8(self.chunks(head)?).ok()?;
            members.insert(key, self.value(depth + 1)?);
        }
        Some(members)
    }

    /// The head of the next item of an array or a map; `Some(None)` at its end.
    #[expect(clippy::option_option, reason = "an end and a fault are different")]
    fn next_of(&mut self, left: &mut Option<u64>) -> Option<Option<Head>> {
        match left {
            Some(0) => Some(None),
            Some(left) => {
                *left -= 1;
                self.head().filter(|head| !head.is_break()).map(Some)
            }
            None => self.head().map(|head| (!head.is_break()).then_some(head)),
        }
    }

    /// How many items there are; `Some(None)` where a break tells.
    #[expect(clippy::option_option, reason = "no count and a fault are different")]
    fn count(&mut self, head: Head) -> Option<Option<u64>> {
        if head.minor == Head::BREAK { Some(None) } else { self.argument(head).map(Some) }
    }

    /// The bytes of a string, which may come in pieces.
    fn chunks(&mut self, head: Head) -> Option<Vec<u8>> {
        if head.minor != Head::BREAK {
            return self.string(head).map(<[u8]>::to_vec);
        }
        let mut bytes = Vec::new();
        loop {
            let piece = self.head()?;
            if piece.is_break() {
                return Some(bytes);
            }
            if piece.major != head.major || piece.minor == Head::BREAK {
                return None;
            }
            bytes.extend_from_slice(self.string(piece)?);
        }
    }

    fn string(&mut self, head: Head) -> Option<&'b [u8]> {
        let length = usize::try_from(self.argument(head)?).ok()?;
        self.take(length)
    }

    fn simple(&mut self, head: Head) -> Option<Value> {
        match head.minor {
            20 => Some(Value::Bool(false)),
            21 => Some(Value::Bool(true)),
            22 | 23 => Some(Value::Null),
            25 => number(half(u16::try_from(self.argument(head)?).ok()?)),
            26 => number(f32::from_bits(u32::try_from(self.argument(head)?).ok()?).into()),
            27 => number(f64::from_bits(self.argument(head)?)),
            _ => None,
        }
    }

    /// The number that follows a head, or is in it.
    fn argument(&mut self, head: Head) -> Option<u64> {
        let length = match head.minor {
            small @ 0..=23 => return Some(small.into()),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return None,
        };
        Some(self.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn head(&mut self) -> Option<Head> {
        let byte = *self.take(1)?.first()?;
        Some(Head { major: byte >> 5, minor: byte & 31 })
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

/// JSON has no number for infinity; conditions have none either.
#[expect(clippy::unnecessary_wraps, reason = "as its siblings in `simple`")]
fn number(value: f64) -> Option<Value> {
    /// Whole numbers up to here are exact, and written without a fraction.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "the guard says that it is exact")]
    let whole = (value.fract() == 0.0 && value.abs() < EXACT).then_some(value as i64);
    Some(whole.map_or_else(|| Number::from_f64(value).map_or(Value::Null, Value::Number), Value::from))
}

fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (bits >> 10 & 0x1f, f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2f64.powi(i32::from(exponent) - 15),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_item_is_read() {
        let text = b"\xa5\x61a\x18\x2a\x61b\x20\x61c\x42hi\x61d\x82\xf5\xf9\x3e\x00\x61e\xc1\xfb\x41\xd0\0\0\0\0\0\0";
        let value = json!({"a": 42, "b": -1, "c": "aGk=", "d": [true, 1.5], "e": 1_073_741_824});
        assert_eq!(read(text), Some(value));
        assert_eq!(
            read(b"\xbf\x61a\x7f\x62bc\x61d\xff\x61e\x9f\xf6\xff\xff"),
            Some(json!({"a": "bcd", "e": [null]}))
        );
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_refused() {
        for text in [
            &b""[..],
            b"\xa1",
            b"\xa1\x61a",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x01\x01",
            b"\xa1\x01\x01",
            b"\xff",
            b"\x5f\x61a\xff",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(read(&vec![0x81; 100_000]), None);
        assert_eq!(read(&vec![0xc1; 100_000]), None);
    }
}
