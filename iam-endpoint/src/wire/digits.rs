//! Numbers as text. In a debug build the standard library's formatting takes ten times as long.

/// Numbers in lower-case hexadecimal, sixteen digits each.
pub(crate) fn hex<const N: usize>(numbers: [u64; N]) -> String {
    let ascii = numbers.map(|number| {
        let sixteen = u128::from(eight(number >> 32)) << 64 | u128::from(eight(number & 0xffff_ffff));
        sixteen.to_be_bytes()
    });
    String::from_utf8(ascii.as_flattened().to_vec()).unwrap_or_default()
}

/// The eight hexadecimal digits of a number of 32 bits as bytes, all at once, the first the most significant.
pub(crate) fn eight(number: u64) -> u64 {
    // Each digit in a byte of its own, …
    let spread = (number << 16 | number) & 0x0000_ffff_0000_ffff;
    let spread = (spread << 8 | spread) & 0x00ff_00ff_00ff_00ff;
    let digits = (spread << 4 | spread) & 0x0f0f_0f0f_0f0f_0f0f;
    // … and as ASCII, where letters begin 0x27 behind the digits.
    let letters = (digits + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    digits + 0x3030_3030_3030_3030 + letters * 0x27
}

/// The two decimal digits of a number below 100.
pub(crate) fn two(number: u8) -> [u8; 2] {
    [b'0' + number / 10 % 10, b'0' + number % 10]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_those_of_the_standard_library() {
        for number in [0, 1, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, u64::MAX] {
            assert_eq!(hex([number, 7]), format!("{number:016x}{:016x}", 7));
        }
    }
}
