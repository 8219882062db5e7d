//! Ciphertexts that only this process can read.
//!
//! A stream of HMAC-SHA-256 blocks hides the text, and another HMAC binds text and encryption context. It is no AES-GCM,
//! for nothing that it hides is secret; but a changed ciphertext or another context is found out, as KMS does.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::ids;

const NONCE: usize = 16;
const TAG: usize = 32;

/// The key's ARN stands before the ciphertext: the endpoint authorizes on it, for `Decrypt` need not name the key.
pub(super) fn encrypt(key: &str, secret: &[u8], text: &[u8], context: &[(&str, &str)]) -> Vec<u8> {
    let nonce = ids::bytes(NONCE);
    let mut body = text.to_vec();
    apply_stream(secret, &nonce, &mut body);
    let tag = tag(secret, &nonce, &body, context);
    let mut blob = vec![1];
    for part in [key.as_bytes(), &[0], &nonce, &tag, &body] {
        blob.extend_from_slice(part);
    }
    blob
}

/// The ARN of a ciphertext's key, and the rest.
pub(super) fn key_of(blob: &[u8]) -> Option<(&str, &[u8])> {
    let (version, rest) = blob.split_first()?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (key, rest) = rest.split_at_checked(end)?;
    (*version == 1).then_some((std::str::from_utf8(key).ok()?, rest.get(1..)?))
}

/// The text, unless something was changed.
pub(super) fn decrypt(secret: &[u8], sealed: &[u8], context: &[(&str, &str)]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_at_checked(NONCE)?;
    let (given, body) = rest.split_at_checked(TAG)?;
    if tag(secret, nonce, body, context) != given {
        return None;
    }
    let mut text = body.to_vec();
    apply_stream(secret, nonce, &mut text);
    Some(text)
}

fn apply_stream(secret: &[u8], nonce: &[u8], bytes: &mut [u8]) {
    for (number, block) in (0_u32..).zip(bytes.chunks_mut(32)) {
        let stream = hmac(secret, &[b"stream", nonce, &number.to_be_bytes()]);
        for (byte, mask) in block.iter_mut().zip(stream) {
            *byte ^= mask;
        }
    }
}

/// The context comes sorted by key.
fn tag(secret: &[u8], nonce: &[u8], body: &[u8], context: &[(&str, &str)]) -> Vec<u8> {
    let mut bound = String::new();
    for (key, value) in context {
        // The lengths keep what one pair says apart from what the next says.
        let _ = write!(bound, "{}:{key}{}:{value}", key.len(), value.len());
    }
    hmac(secret, &[b"tag", nonce, bound.as_bytes(), b"\0", body])
}

fn hmac(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(secret) else { return Vec::new() };
    for part in parts {
        hmac.update(part);
    }
    hmac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encrypted_is_found_again_only_unchanged_and_in_its_context() {
        let text = [7; 100];
        let blob = encrypt("key", b"secret", &text, &[("a", "b")]);
        let (key, sealed) = key_of(&blob).expect("a ciphertext");
        assert_eq!(key, "key");
        assert_eq!(decrypt(b"secret", sealed, &[("a", "b")]).as_deref(), Some(&text[..]));
        assert_eq!(decrypt(b"secret", sealed, &[]), None);
        assert_eq!(decrypt(b"other", sealed, &[("a", "b")]), None);
        let mut changed = sealed.to_vec();
        *changed.last_mut().expect("not empty") ^= 1;
        assert_eq!(decrypt(b"secret", &changed, &[("a", "b")]), None);
        assert_eq!(key_of(b"\x01\xffshort"), None);
    }
}
