//! Kinds of keys.
//!
//! See <https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html>.

/// What a key of one `KeySpec` can be used for.
pub(super) struct Spec {
    pub(super) name: &'static str,
    /// The `KeyUsage` values, the default first; `None` for a key that needs it named.
    pub(super) usages: &'static [&'static str],
    pub(super) default: Option<&'static str>,
    pub(super) encryption: &'static [&'static str],
    pub(super) signing: &'static [&'static str],
    pub(super) mac: &'static [&'static str],
}

const ENCRYPT: &str = "ENCRYPT_DECRYPT";
const SIGN: &str = "SIGN_VERIFY";
const MAC: &str = "GENERATE_VERIFY_MAC";
const AGREE: &str = "KEY_AGREEMENT";

const RSA_ENCRYPTION: &[&str] = &["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];
const RSA_SIGNING: &[&str] = &[
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
];

const fn rsa(name: &'static str) -> Spec {
    Spec {
        name,
        usages: &[ENCRYPT, SIGN],
        default: None,
        encryption: RSA_ENCRYPTION,
        signing: RSA_SIGNING,
        mac: &[],
    }
}

const fn elliptic(name: &'static str, signing: &'static [&'static str]) -> Spec {
    Spec { name, usages: &[SIGN, AGREE], default: None, encryption: &[], signing, mac: &[] }
}

const fn hmac(name: &'static str, mac: &'static [&'static str]) -> Spec {
    Spec { name, usages: &[MAC], default: None, encryption: &[], signing: &[], mac }
}

const SPECS: [Spec; 12] = [
    elliptic("ECC_NIST_P256", &["ECDSA_SHA_256"]),
    elliptic("ECC_NIST_P384", &["ECDSA_SHA_384"]),
    elliptic("ECC_NIST_P521", &["ECDSA_SHA_512"]),
    Spec { usages: &[SIGN], ..elliptic("ECC_SECG_P256K1", &["ECDSA_SHA_256"]) },
    hmac("HMAC_224", &["HMAC_SHA_224"]),
    hmac("HMAC_256", &["HMAC_SHA_256"]),
    hmac("HMAC_384", &["HMAC_SHA_384"]),
    hmac("HMAC_512", &["HMAC_SHA_512"]),
    rsa("RSA_2048"),
    rsa("RSA_3072"),
    rsa("RSA_4096"),
    Spec {
        name: "SYMMETRIC_DEFAULT",
        usages: &[ENCRYPT],
        default: Some(ENCRYPT),
        encryption: &["SYMMETRIC_DEFAULT"],
        signing: &[],
        mac: &[],
    },
];

impl Spec {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        SPECS.iter().find(|spec| spec.name == name)
    }
}
