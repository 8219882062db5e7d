use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeySpec, KeySpec, KeyUsageType, MacAlgorithmSpec};
use iam_fixture::{TemporaryRole, assert_denied, assert_ok, iam_policy};

use crate::{allow, code};

#[iam_policy(
    policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt"],
    "Resource": "*", "Condition": {"StringEquals": {"kms:EncryptionContext:app": "billing"}}}}"#
)]
#[tokio::test]
async fn what_was_encrypted_in_a_context_is_decrypted_only_in_it(role: TemporaryRole) {
    let admin = Client::new(role.admin());
    let key = assert_ok!(admin.create_key().description("test").send().await).key_metadata.expect("a key");
    assert_ok!(admin.create_alias().alias_name("alias/billing").target_key_id(&key.key_id).send().await);

    let kms = Client::new(role.config());
    let encrypt = |app: &str| {
        kms.encrypt()
            .key_id("alias/billing")
            .plaintext(Blob::new("hello"))
            .encryption_context("app", app)
            .send()
    };
    let sealed = assert_ok!(encrypt("billing").await);
    assert_eq!(sealed.key_id(), key.arn());
    assert_denied!(encrypt("other").await);
    let blob = sealed.ciphertext_blob().expect("a ciphertext").clone();
    let decrypt = |client: &Client, app: &str| {
        client.decrypt().ciphertext_blob(blob.clone()).encryption_context("app", app).send()
    };
    let opened = assert_ok!(decrypt(&kms, "billing").await);
    assert_eq!(opened.plaintext().expect("a text").as_ref(), b"hello");
    assert_denied!(decrypt(&kms, "other").await);
    assert_eq!(code(decrypt(&admin, "other").await), "InvalidCiphertextException");

    assert_ok!(admin.disable_key().key_id(&key.key_id).send().await);
    let disabled = encrypt("billing").await.expect_err("it is switched off").into_service_error();
    assert!(disabled.is_disabled_exception());
    assert_ok!(admin.schedule_key_deletion().key_id(&key.key_id).pending_window_in_days(7).send().await);
    let pending = encrypt("billing").await.expect_err("it is going").into_service_error();
    assert!(pending.is_kms_invalid_state_exception());
}

#[iam_policy(policy = allow(&["kms:*"], &["*"]))]
#[tokio::test]
async fn keys_of_each_kind_do_what_they_are_for(role: TemporaryRole) {
    let kms = Client::new(role.config());
    let key = assert_ok!(kms.create_key().send().await).key_metadata.expect("a key").key_id;
    let data = assert_ok!(kms.generate_data_key().key_id(&key).key_spec(DataKeySpec::Aes256).send().await);
    let opened =
        assert_ok!(kms.decrypt().ciphertext_blob(data.ciphertext_blob().expect("it").clone()).send().await);
    assert_eq!(opened.plaintext(), data.plaintext());
    let mac_key = kms.create_key().key_usage(KeyUsageType::GenerateVerifyMac).key_spec(KeySpec::Hmac256);
    let mac_key = assert_ok!(mac_key.send().await).key_metadata.expect("a key").key_id;
    let algorithm = MacAlgorithmSpec::HmacSha256;
    let mac = kms.generate_mac().key_id(&mac_key).mac_algorithm(algorithm.clone()).message(Blob::new("m"));
    let mac = assert_ok!(mac.send().await).mac.expect("a code");
    let verify = |message: &str| {
        kms.verify_mac()
            .key_id(&mac_key)
            .mac_algorithm(algorithm.clone())
            .message(Blob::new(message))
            .mac(mac.clone())
            .send()
    };
    assert!(assert_ok!(verify("m").await).mac_valid());
    assert_eq!(code(verify("n").await), "KMSInvalidMacException");
    let wrong = kms.encrypt().key_id(&mac_key).plaintext(Blob::new("x")).send().await;
    assert!(wrong.expect_err("no key for this").into_service_error().is_invalid_key_usage_exception());
    assert_eq!(code(kms.describe_key().key_id("alias/none").send().await), "NotFoundException");
    assert_eq!(assert_ok!(kms.list_keys().send().await).keys().len(), 2);
}
