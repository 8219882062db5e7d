//! Names that a service makes up.

use std::iter::repeat_with;

/// A version 4 UUID.
pub(crate) fn uuid() -> String {
    let (high, low) = (fastrand::u64(..), fastrand::u64(..));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

/// Bytes that look like a secret; no secret guards anything here.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    repeat_with(|| fastrand::u8(..)).take(length).collect()
}

/// Base64 with padding, as JSON protocols write blobs.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::STANDARD.encode_to_string(bytes.as_ref())
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    base64_simd::STANDARD.decode_to_vec(text).ok()
}
