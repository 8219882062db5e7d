//! Finds bytes eight at a time: most of reading a policy is looking for the end of its strings.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The place of the first byte that is one of these.
pub(crate) fn find_any<const N: usize>(bytes: &[u8], wanted: [u8; N]) -> Option<usize> {
    let marks = |eight: u64| wanted.iter().fold(0, |marks, &byte| marks | zeros(eight ^ spread(byte)));
    find(bytes, marks, |byte| wanted.contains(&byte))
}

/// The place of the first byte that cannot stand for itself in a JSON string: a quote, a backslash, a control character.
pub(crate) fn find_end_of_run(bytes: &[u8]) -> Option<usize> {
    let marks = |eight: u64| {
        zeros(eight ^ spread(b'"'))
            | zeros(eight ^ spread(b'\\'))
            | (eight.wrapping_sub(spread(b' ')) & !eight & HIGH)
    };
    find(bytes, marks, |byte| matches!(byte, b'"' | b'\\' | 0..=0x1F))
}

/// `marks` sets the high bit of each wanted byte of eight; above the lowest it may set others.
fn find(bytes: &[u8], marks: impl Fn(u64) -> u64, is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let (eights, rest) = bytes.as_chunks::<8>();
    for (number, eight) in eights.iter().enumerate() {
        let marks = marks(u64::from_le_bytes(*eight));
        if marks != 0 {
            return Some(number * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|&byte| is_wanted(byte)).map(|at| eights.len() * 8 + at)
}

const fn spread(byte: u8) -> u64 {
    ONES * byte as u64
}

/// The high bit of each byte that is zero; a borrow may also set it in bytes above one.
const fn zeros(eight: u64) -> u64 {
    eight.wrapping_sub(ONES) & !eight & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found_at_every_place_and_no_other() {
        for filler in [b'a', b' ', b'!', b'#', 0x7F, 0x80, 0xE2, 0xFF] {
            for length in 0..20 {
                let plain = vec![filler; length];
                assert_eq!(find_end_of_run(&plain), None, "{filler} {length}");
                assert_eq!(find_any(&plain, *b"*?$"), None, "{filler} {length}");
                for at in 0..length {
                    for (sign, ends) in [(b'"', true), (b'\\', true), (0, true), (0x1F, true), (b'*', false)]
                    {
                        let mut bytes = plain.clone();
                        bytes[at] = sign;
                        bytes[length - 1] = if at == length - 1 { sign } else { b'?' };
                        assert_eq!(
                            find_end_of_run(&bytes),
                            ends.then_some(at),
                            "{filler} {length} {at} {sign}"
                        );
                        let first = if sign == b'*' || at == length - 1 { at } else { length - 1 };
                        let expected = (sign == b'*' || at != length - 1).then_some(first);
                        assert_eq!(find_any(&bytes, *b"*?$"), expected, "{filler} {length} {at} {sign}");
                    }
                }
            }
        }
    }
}
