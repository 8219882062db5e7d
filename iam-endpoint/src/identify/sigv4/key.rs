//! Signing keys, derived from a secret access key.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::hash::{Digest, Key, same_in_constant_time};

/// More scopes than a client uses: date, region and service seldom change.
const SCOPES: usize = 32;

/// A secret access key, and the keys that were derived from it.
///
/// Deriving one costs four keyed hashes, which in a debug build is more than all the rest of a signature.
pub(crate) struct SigningKeys {
    secret: String,
    derived: Mutex<Vec<(String, Key)>>,
}

impl SigningKeys {
    pub(crate) fn new(secret: impl Into<String>) -> Self {
        Self { secret: secret.into(), derived: Mutex::default() }
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether `signature`, in hexadecimal, is that of `text` in a scope `DATE/REGION/SERVICE/aws4_request`.
    pub(super) fn verifies(&self, scope: &str, text: &str, signature: &str) -> bool {
        // Encoding ours costs a tenth of decoding theirs in a debug build.
        same_in_constant_time(&self.sign(scope, text).hex(), signature)
    }

    /// The signature of `text` in such a scope.
    pub(super) fn sign(&self, scope: &str, text: &str) -> Digest {
        self.with_derived(scope, |key| key.sign(text.as_bytes()))
    }

    /// The key of such a scope, for many signatures.
    pub(super) fn derived(&self, scope: &str) -> Key {
        self.with_derived(scope, Key::clone)
    }

    fn with_derived<T>(&self, scope: &str, with: impl FnOnce(&Key) -> T) -> T {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = derived.iter().find(|(of, _)| of == scope) {
            return with(key);
        }
        let first = Key::new(format!("AWS4{}", self.secret).as_bytes());
        let key = scope.split('/').fold(first, |key, part| Key::new(key.sign(part.as_bytes()).as_ref()));
        if derived.len() == SCOPES {
            derived.clear();
        }
        let made = with(&key);
        derived.push((scope.to_owned(), key));
        made
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_one_of_the_documented_example() {
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
        let keys = SigningKeys::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let scope = "20150830/us-east-1/iam/aws4_request";
        let text = format!(
            "AWS4-HMAC-SHA256\n20150830T123600Z\n{scope}\n\
             f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
        );
        let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        for _ in 0..2 {
            assert!(keys.verifies(scope, &text, signature));
            assert!(!keys.verifies(scope, &text, &signature.replace('5', "6")));
            assert!(!keys.verifies(scope, &text, "5d67"));
        }
    }

    #[test]
    fn secrets_do_not_show() {
        assert!(!format!("{:?}", SigningKeys::new("wJalrXUtn")).contains("wJal"));
    }
}
