//! SHA-256 and its keyed form (HMAC).
//!
//! In a debug build pure Rust takes thirty times as long for it as AWS-LC, which comes optimised and with the SDK's TLS; where
//! there is no TLS (the feature `aws-lc` is off), the SDK's own hashing crates do it.

pub(crate) use self::library::sha256;
pub(super) use self::library::{Hasher, Key};
use crate::wire::digits::hex;

/// A hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// Lower-case hexadecimal.
    pub(crate) fn hex(self) -> String {
        let (words, _) = self.0.as_chunks();
        let &[a, b, c, d] = words else { return String::new() };
        hex([a, b, c, d].map(u64::from_be_bytes))
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Takes the same time wherever the texts differ, so that a signature cannot be found out letter by letter.
pub(super) fn same_in_constant_time(ours: &str, theirs: &str) -> bool {
    // By words, for a debug build pays for each step; a signature of 64 characters leaves no rest.
    let (ours_in_words, _) = ours.as_bytes().as_chunks();
    let (theirs_in_words, _) = theirs.as_bytes().as_chunks();
    let difference = ours_in_words
        .iter()
        .zip(theirs_in_words)
        .fold(0, |difference, (a, b)| difference | (u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b)));
    ours.len() == theirs.len() && std::hint::black_box(difference) == 0
}

#[cfg(feature = "aws-lc")]
mod library {
    use aws_lc_rs::{digest, hmac};

    use super::Digest;

    /// The hash of a text.
    pub(crate) fn sha256(text: &[u8]) -> Digest {
        Digest::of(digest::digest(&digest::SHA256, text).as_ref())
    }

    /// The hash of a text that comes in pieces.
    pub(crate) struct Hasher(digest::Context);

    impl Hasher {
        pub(crate) fn new() -> Self {
            Self(digest::Context::new(&digest::SHA256))
        }

        pub(crate) fn update(&mut self, text: &[u8]) {
            self.0.update(text);
        }

        pub(crate) fn finish(self) -> Digest {
            Digest::of(self.0.finish().as_ref())
        }
    }

    /// A key of the keyed hash, already absorbed.
    #[derive(Clone)]
    pub(crate) struct Key(hmac::Key);

    impl Key {
        pub(crate) fn new(key: &[u8]) -> Self {
            Self(hmac::Key::new(hmac::HMAC_SHA256, key))
        }

        pub(crate) fn sign(&self, text: &[u8]) -> Digest {
            Digest::of(hmac::sign(&self.0, text).as_ref())
        }
    }

    impl Digest {
        fn of(bytes: &[u8]) -> Self {
            Self(bytes.try_into().expect("SHA-256 has 32 bytes"))
        }
    }
}

#[cfg(not(feature = "aws-lc"))]
mod library {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    use super::Digest;

    /// The hash of a text.
    pub(crate) fn sha256(text: &[u8]) -> Digest {
        Digest(<Sha256 as sha2::Digest>::digest(text).into())
    }

    /// The hash of a text that comes in pieces.
    pub(crate) struct Hasher(Sha256);

    impl Hasher {
        pub(crate) fn new() -> Self {
            Self(<Sha256 as sha2::Digest>::new())
        }

        pub(crate) fn update(&mut self, text: &[u8]) {
            sha2::Digest::update(&mut self.0, text);
        }

        pub(crate) fn finish(self) -> Digest {
            Digest(sha2::Digest::finalize(self.0).into())
        }
    }

    /// A key of the keyed hash, already absorbed.
    #[derive(Clone)]
    pub(crate) struct Key(Hmac<Sha256>);

    impl Key {
        pub(crate) fn new(key: &[u8]) -> Self {
            Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
        }

        pub(crate) fn sign(&self, text: &[u8]) -> Digest {
            Digest(self.0.clone().chain_update(text).finalize().into_bytes().into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_fips_180() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc").hex(), expected);
    }

    #[test]
    fn keyed_hashes_are_those_of_rfc_4231() {
        // Test cases 2 and 6: a short key, and one that is longer than a block.
        for (key, text, expected) in [
            (
                &b"Jefe"[..],
                &b"what do ya want for nothing?"[..],
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(Key::new(key).sign(text).hex(), expected);
        }
    }
}
