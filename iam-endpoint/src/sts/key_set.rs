//! The keys of identity providers: who signed an ID token?
//!
//! <https://www.rfc-editor.org/rfc/rfc7517>, <https://www.rfc-editor.org/rfc/rfc7518>

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, EcdsaVerificationAlgorithm,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::token::Rejected;
use crate::endpoint::Endpoint;
use crate::sorted::Sorted;

/// The keys of those providers that a test told.
#[derive(Default)]
pub(crate) struct KeySets(Mutex<Sorted<Arc<KeySet>>>);

/// The keys of one provider, by their ids.
pub(super) struct KeySet(Vec<(Option<String>, Key)>);

enum Key {
    /// The curve's name, and the point as x and y.
    Ec {
        curve: String,
        point: Vec<u8>,
    },
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
}

/// Why a set of keys was refused.
#[derive(Clone, Debug)]
pub struct InvalidKeys(String);

impl fmt::Display for InvalidKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidKeys {}

impl Endpoint {
    /// Tells the keys of an OIDC identity provider, as its JSON Web Key Set: `AssumeRoleWithWebIdentity` then takes only such
    /// of its tokens as one of these keys signed, by `RS256`, `ES256` or their longer sisters.
    ///
    /// Without keys a token's signature is not checked. The provider is registered by `CreateOpenIDConnectProvider`.
    ///
    /// # Errors
    ///
    /// If the text is no key set, or has a key that can sign nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let endpoint = iam_endpoint::Endpoint::new();
    /// let point = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    /// let keys = format!(r#"{{"keys": [{{"kty": "EC", "crv": "P-256", "kid": "1", "x": "{point}", "y": "{point}"}}]}}"#);
    /// endpoint.set_identity_provider_keys("https://idp.example", &keys)?;
    /// # Ok::<(), iam_endpoint::InvalidKeys>(())
    /// ```
    pub fn set_identity_provider_keys(&self, issuer: &str, jwks: &str) -> Result<(), InvalidKeys> {
        let keys = KeySet::read(jwks)
            .map_err(|why| InvalidKeys(format!("the keys of `{issuer}` are no JSON Web Key Set: {why}")))?;
        let mut all = self.shared.key_sets.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(issuer.trim_end_matches('/').to_owned(), Arc::new(keys));
        Ok(())
    }
}

impl KeySets {
    /// Whether a token is by the issuer, as far as its keys are known.
    pub(super) fn check(&self, issuer: &str, token: &str) -> Result<(), Rejected> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = all.get(issuer.trim_end_matches('/')).cloned();
        drop(all);
        keys.map_or(Ok(()), |keys| keys.check(token))
    }
}

impl KeySet {
    fn read(text: &str) -> Result<Self, String> {
        let set: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or("it has no list `keys`")?;
        let read = |key: &Value| {
            let text = |name: &str| key.get(name).and_then(Value::as_str);
            let number = |name: &str| {
                let decoded = URL_SAFE_NO_PAD.decode_to_vec(text(name)?).ok()?;
                (!decoded.is_empty()).then_some(decoded)
            };
            let incomplete = || format!("a key lacks a number that one of its type has: {key}");
            let id = text("kid").map(str::to_owned);
            let key = match text("kty") {
                Some("EC") => Key::Ec {
                    curve: text("crv").ok_or_else(incomplete)?.to_owned(),
                    point: [number("x").ok_or_else(incomplete)?, number("y").ok_or_else(incomplete)?]
                        .concat(),
                },
                Some("RSA") => Key::Rsa(RsaPublicKeyComponents {
                    n: number("n").ok_or_else(incomplete)?,
                    e: number("e").ok_or_else(incomplete)?,
                }),
                _ => return Err(format!("a key is of none of the types `RSA` and `EC`: {key}")),
            };
            Ok((id, key))
        };
        let mut set = Vec::with_capacity(keys.len());
        for key in keys {
            set.push(read(key)?);
        }
        Ok(Self(set))
    }

    fn check(&self, token: &str) -> Result<(), Rejected> {
        let malformed = || Rejected("it has no signature");
        let (message, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).map_err(|_| malformed())?;
        let header = message.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode_to_vec(header).ok());
        let header: Value =
            header.and_then(|header| serde_json::from_slice(&header).ok()).ok_or_else(malformed)?;
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        let algorithm = text("alg").unwrap_or_default();
        let wanted = text("kid");
        let candidates = self.0.iter().filter(|(id, _)| match (id, wanted) {
            (Some(id), Some(wanted)) => id == wanted,
            _ => true,
        });
        let mut is_known = false;
        for (_, key) in candidates {
            is_known = true;
            if key.has_signed(algorithm, message.as_bytes(), &signature) {
                return Ok(());
            }
        }
        Err(Rejected(if is_known {
            "its signature is by none of the provider's keys"
        } else {
            "it is signed with a key that the provider does not have"
        }))
    }
}

impl Key {
    fn has_signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ec { curve, point } => {
                let with: &'static EcdsaVerificationAlgorithm = match (algorithm, curve.as_str()) {
                    ("ES256", "P-256") => &ECDSA_P256_SHA256_FIXED,
                    ("ES384", "P-384") => &ECDSA_P384_SHA384_FIXED,
                    ("ES512", "P-521") => &ECDSA_P521_SHA512_FIXED,
                    _ => return false,
                };
                // The mark of a point that is not compressed.
                let point = [&[4], point.as_slice()].concat();
                UnparsedPublicKey::new(with, point).verify(message, signature).is_ok()
            }
            Self::Rsa(key) => {
                let with: &RsaParameters = match algorithm {
                    "RS256" => &RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &RSA_PKCS1_2048_8192_SHA512,
                    _ => return false,
                };
                key.verify(with, message, signature).is_ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://www.rfc-editor.org/rfc/rfc7515#appendix-A.3>
    const EC: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256", "kid": "ec",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    const EC_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    #[test]
    fn the_rfc_s_token_is_by_the_rfc_s_key_and_an_altered_one_is_not() {
        let keys = KeySet::read(EC).unwrap();
        assert!(keys.check(EC_TOKEN).is_ok());
        for altered in [
            EC_TOKEN.replace("DtEhU3", "DtEhU4"),
            EC_TOKEN.replace(".eyJpc3Mi", ".eyJpc3Nj"),
            "a.b".to_owned(),
        ] {
            assert!(keys.check(&altered).is_err(), "{altered}");
        }
        let unsigned = EC_TOKEN.replace("eyJhbGciOiJFUzI1NiJ9", "eyJhbGciOiJub25lIn0");
        assert!(keys.check(&unsigned).is_err());
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        for text in ["", "{}", r#"{"keys": [{"kty": "oct"}]}"#, r#"{"keys": [{"kty": "RSA", "e": "AQAB"}]}"#]
        {
            assert!(KeySet::read(text).is_err(), "{text}");
        }
    }
}
