//! What keys do.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::key::Key;
use super::{State, cipher};
use crate::fault::{Answer, Fault};
use crate::ids;
use crate::input::Input;
use crate::kept::Ask;

const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";

/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>.
pub(super) fn encrypt(state: &mut State, ask: &Ask<'_>) -> Answer {
    let text = blob(ask.input, "Plaintext", 1, 4096)?;
    let context = ask.input.map("EncryptionContext")?;
    let key = state.key(ask)?;
    check(key, ask.input, "EncryptionAlgorithm", "ENCRYPT_DECRYPT")?;
    dry(ask.input)?;
    let sealed = cipher::encrypt(&key.arn, &key.secret, &text, &context);
    Ok(json!({"CiphertextBlob": ids::base64(sealed), "KeyId": key.arn, "EncryptionAlgorithm": SYMMETRIC}))
}

/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>.
pub(super) fn decrypt(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["Recipient", "DryRunModifiers"])?;
    let context = ask.input.map("EncryptionContext")?;
    let (text, arn) = open(state, ask, "KeyId", "EncryptionAlgorithm", &context)?;
    dry(ask.input)?;
    Ok(json!({"Plaintext": ids::base64(text), "KeyId": arn, "EncryptionAlgorithm": SYMMETRIC}))
}

/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html>.
pub(super) fn re_encrypt(state: &mut State, ask: &Ask<'_>) -> Answer {
    let input = ask.input;
    input.without(&["DryRunModifiers"])?;
    let context = input.map("SourceEncryptionContext")?;
    let (text, source) = open(state, ask, "SourceKeyId", "SourceEncryptionAlgorithm", &context)?;
    let context = input.map("DestinationEncryptionContext")?;
    let key = state.named(input.sized("DestinationKeyId", 1, 2048)?, ask)?;
    check(key, input, "DestinationEncryptionAlgorithm", "ENCRYPT_DECRYPT")?;
    dry(input)?;
    let sealed = cipher::encrypt(&key.arn, &key.secret, &text, &context);
    Ok(json!({
        "CiphertextBlob": ids::base64(sealed),
        "SourceKeyId": source,
        "KeyId": key.arn,
        "SourceEncryptionAlgorithm": SYMMETRIC,
        "DestinationEncryptionAlgorithm": SYMMETRIC,
    }))
}

/// The text of the `CiphertextBlob`, and its key's ARN.
fn open(
    state: &mut State,
    ask: &Ask<'_>,
    key_member: &str,
    algorithm: &str,
    context: &[(&str, &str)],
) -> Result<(Vec<u8>, String), Fault> {
    let invalid = || Fault::new("InvalidCiphertextException", "");
    let sealed = blob(ask.input, "CiphertextBlob", 1, 6144)?;
    let (arn, sealed) = cipher::key_of(&sealed).ok_or_else(invalid)?;
    if let Some(named) = ask.input.text(key_member)?
        && state.named(named, ask)?.arn != arn
    {
        return Err(Fault::new(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        ));
    }
    // A ciphertext of another account or region.
    let id = arn.rsplit('/').next().unwrap_or_default();
    let key = state.keys.get(id).filter(|key| key.arn == arn).ok_or(Fault::NotPerformed)?;
    check(key, ask.input, algorithm, "ENCRYPT_DECRYPT")?;
    let text = cipher::decrypt(&key.secret, sealed, context).ok_or_else(invalid)?;
    Ok((text, key.arn.clone()))
}

/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html>.
pub(super) fn generate_data_key(state: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["Recipient"])?;
    let (key, sealed, text) = data_key(state, ask)?;
    Ok(json!({"CiphertextBlob": sealed, "Plaintext": ids::base64(text), "KeyId": key.arn}))
}

pub(super) fn generate_data_key_without_plaintext(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (key, sealed, _) = data_key(state, ask)?;
    Ok(json!({"CiphertextBlob": sealed, "KeyId": key.arn}))
}

fn data_key<'s>(state: &'s mut State, ask: &Ask<'_>) -> Result<(&'s Key, String, Vec<u8>), Fault> {
    let input = ask.input;
    let size = input.within("NumberOfBytes", 1, 1024)?;
    let spec = input.one_of("KeySpec", &["AES_128", "AES_256"])?;
    let length = match (size, spec) {
        (Some(size), None) => usize::try_from(size).unwrap_or_default(),
        (None, Some("AES_128")) => 16,
        (None, Some(_)) => 32,
        _ => return Err(input.invalid("Please specify either number of bytes or key spec.")),
    };
    let context = input.map("EncryptionContext")?;
    let key = state.key(ask)?;
    check(key, input, "", "ENCRYPT_DECRYPT")?;
    dry(input)?;
    let text = ids::bytes(length);
    let sealed = ids::base64(cipher::encrypt(&key.arn, &key.secret, &text, &context));
    Ok((key, sealed, text))
}

pub(super) fn generate_random(_: &mut State, ask: &Ask<'_>) -> Answer {
    ask.input.without(&["Recipient", "CustomKeyStoreId"])?;
    let Some(size) = ask.input.within("NumberOfBytes", 1, 1024)? else {
        return Err(ask.input.invalid("NumberOfBytes is required."));
    };
    Ok(json!({ "Plaintext": ids::base64(ids::bytes(usize::try_from(size).unwrap_or_default())) }))
}

pub(super) fn generate_mac(state: &mut State, ask: &Ask<'_>) -> Answer {
    let (key, algorithm, mac) = mac(state, ask)?;
    Ok(json!({"Mac": ids::base64(mac), "MacAlgorithm": algorithm, "KeyId": key.arn}))
}

/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html>.
pub(super) fn verify_mac(state: &mut State, ask: &Ask<'_>) -> Answer {
    let given = blob(ask.input, "Mac", 1, 6144)?;
    let (key, algorithm, mac) = mac(state, ask)?;
    if mac != given {
        return Err(Fault::new("KMSInvalidMacException", ""));
    }
    Ok(json!({"KeyId": key.arn, "MacValid": true, "MacAlgorithm": algorithm}))
}

fn mac<'s>(state: &'s mut State, ask: &Ask<'_>) -> Result<(&'s Key, &'static str, Vec<u8>), Fault> {
    let message = blob(ask.input, "Message", 1, 4096)?;
    let known = ["HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"];
    ask.input.required("MacAlgorithm")?;
    let algorithm = ask.input.one_of("MacAlgorithm", &known)?.unwrap_or_default();
    let key = state.key(ask)?;
    key.check_usable()?;
    if !key.spec.mac.contains(&algorithm) {
        return Err(Fault::new(
            "InvalidKeyUsageException",
            format!("Algorithm {algorithm} is incompatible with key spec {}.", key.spec.name),
        ));
    }
    dry(ask.input)?;
    macro_rules! hmac {
        ($hash:ty) => {
            Hmac::<$hash>::new_from_slice(&key.secret)
                .map(|hmac| hmac.chain_update(&message).finalize().into_bytes().to_vec())
        };
    }
    let mac = match algorithm {
        "HMAC_SHA_224" => hmac!(Sha224),
        "HMAC_SHA_256" => hmac!(Sha256),
        "HMAC_SHA_384" => hmac!(Sha384),
        _ => hmac!(Sha512),
    };
    Ok((key, algorithm, mac.unwrap_or_default()))
}

/// The key can be used, and for this. Only symmetric keys encrypt here.
fn check(key: &Key, input: Input<'_>, algorithm: &str, usage: &str) -> Result<(), Fault> {
    key.check_usable()?;
    if key.usage != usage {
        let message =
            format!("{} key usage is {} which is not valid for this operation.", key.arn, key.usage);
        return Err(Fault::new("InvalidKeyUsageException", message));
    }
    if key.spec.name != SYMMETRIC {
        return Err(Fault::NotPerformed);
    }
    match input.text(algorithm)? {
        None | Some(SYMMETRIC) => Ok(()),
        Some(algorithm) => Err(Fault::new(
            "InvalidKeyUsageException",
            format!("Algorithm {algorithm} is incompatible with key spec {SYMMETRIC}."),
        )),
    }
}

fn blob(input: Input<'_>, name: &str, least: usize, most: usize) -> Result<Vec<u8>, Fault> {
    input.required(name)?;
    let blob = input.blob(name)?.unwrap_or_default();
    if (least..=most).contains(&blob.len()) {
        return Ok(blob);
    }
    let constraint = format!("Member must have length between {least} and {most}, inclusive");
    Err(input.violated(name, "java.nio.HeapByteBuffer", &constraint))
}

fn dry(input: Input<'_>) -> Result<(), Fault> {
    if input.boolean("DryRun")?.unwrap_or(false) { Err(dry_run()) } else { Ok(()) }
}

pub(super) fn dry_run() -> Fault {
    Fault::with_status(
        412,
        "DryRunOperationException",
        "The request would have succeeded, but the DryRun option is set.",
    )
}
