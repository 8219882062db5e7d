//! MFA devices and what policies see of them.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use common::{Answer, Client, totp};
use iam_endpoint::{Endpoint, Outcome};

/// Alice's account, with a clock of its own.
struct Account {
    now: Arc<AtomicU64>,
    alice: Client,
    admin: Client,
    serial: String,
    /// The seed, as IAM told it.
    seed: String,
}

const START: u64 = 1_800_000_000;

impl Account {
    async fn new(policy: &str) -> Self {
        let now = Arc::new(AtomicU64::new(START));
        let clock = Arc::clone(&now);
        let time = move || SystemTime::UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed));
        let endpoint = Endpoint::builder().clock(time.clone()).build();
        let admin = Client { now: time(), ..Client::administrator(&endpoint) };
        let alice = admin.user("alice", policy).await;
        let made = admin.iam("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "phone")]).await.ok();
        let (serial, seed) = (made.text("SerialNumber").to_owned(), made.text("Base32StringSeed").to_owned());
        Self { now, alice, admin, serial, seed }
    }

    async fn enabled(policy: &str) -> Self {
        let account = Self::new(policy).await;
        account.enable("EnableMFADevice", &account.code(-30), &account.code(0)).await.ok();
        account
    }

    async fn enable(&self, operation: &str, first: &str, second: &str) -> Answer {
        let codes = [("AuthenticationCode1", first), ("AuthenticationCode2", second)];
        let device = [("UserName", "alice"), ("SerialNumber", &self.serial)];
        self.admin.iam(operation, &[device, codes].concat()).await
    }

    /// What the device shows then.
    fn code(&self, later: i64) -> String {
        totp(&self.seed, self.now.load(Ordering::Relaxed).checked_add_signed(later).unwrap())
    }

    fn wait(&mut self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::Relaxed);
        for client in [&mut self.alice, &mut self.admin] {
            client.now += Duration::from_secs(seconds);
        }
    }

    async fn session(&self, serial: &str, code: &str) -> Answer {
        self.alice.sts("GetSessionToken", &[("SerialNumber", serial), ("TokenCode", code)]).await
    }
}

/// Lets users and roles be read by who has proven an MFA device not long ago.
const WITH_MFA: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["iam:ListUsers", "sts:AssumeRole"],
    "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"},
                                   "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}}}"#;

#[tokio::test]
async fn a_policy_sees_whether_and_when_a_device_was_proven() {
    let mut account = Account::enabled(WITH_MFA).await;
    // A long-term key has no such key in its context.
    let denied = account.alice.iam("ListUsers", &[]).await.fails(403, "AccessDenied");
    assert_eq!(
        denied.event.authorizations[0].request.context.lookup("aws:MultiFactorAuthPresent"),
        Some(&[][..])
    );

    let made = account.session(&account.serial, &account.code(30)).await.ok();
    let session = |account: &Account| account.alice.with(made.credentials());
    session(&account).iam("ListUsers", &[]).await.ok();
    account.wait(3599);
    session(&account).iam("ListUsers", &[]).await.ok();
    account.wait(1);
    let denied = session(&account).iam("ListUsers", &[]).await.fails(403, "AccessDenied");
    let context = &denied.event.authorizations[0].request.context;
    assert_eq!(context.lookup("aws:MultiFactorAuthAge"), Some(&["3600".to_owned()][..]));
    // Without a device a session may not call IAM at all.
    let bare = account.alice.sts("GetSessionToken", &[]).await.ok();
    account.alice.with(bare.credentials()).iam("ListUsers", &[]).await.fails(403, "InvalidClientTokenId");
}

#[tokio::test]
async fn a_code_that_is_not_of_now_and_of_the_user_is_no_denial_by_a_policy() {
    let account = Account::enabled(WITH_MFA).await;
    let (right, late) = (account.code(0), account.code(-90));
    for (serial, code, message) in [
        (&*account.serial, &*late, "MultiFactorAuthentication failed with invalid MFA one time pass code. "),
        (
            "arn:aws:iam::123456789012:mfa/other",
            &*right,
            "MultiFactorAuthentication failed, unable to validate MFA code.",
        ),
    ] {
        let failed = account.session(serial, code).await.fails(403, "AccessDenied");
        assert!(failed.text("Message").starts_with(message), "{}", failed.body);
        assert_eq!(failed.event.outcome, Outcome::AuthenticationFailed);
    }
    account.session(&account.serial, "12345x").await.fails(400, "ValidationError");
    account.session(&account.serial, &right).await.ok();
    // A code is good for once.
    account.session(&account.serial, &right).await.fails(403, "AccessDenied");
    let half = [("SerialNumber", &*account.serial)];
    account.alice.sts("GetSessionToken", &half).await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn a_role_can_ask_its_users_for_a_device() {
    let allow = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}"#;
    let account = Account::enabled(allow).await;
    let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": "123456789012"}, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}}"#;
    account.admin.iam("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", trust)]).await.ok();
    let role = [("RoleArn", "arn:aws:iam::123456789012:role/r"), ("RoleSessionName", "session")];
    account.alice.sts("AssumeRole", &role).await.fails(403, "AccessDenied");
    let code = account.code(30);
    let proof = [("SerialNumber", &*account.serial), ("TokenCode", &*code)];
    let made = account.alice.sts("AssumeRole", &[role, proof].concat()).await.ok();
    // The role's own session does not have it.
    let session = account.alice.with(made.credentials());
    let denied = session.iam("ListUsers", &[]).await.fails(403, "AccessDenied");
    let context = &denied.event.authorizations[0].request.context;
    assert_eq!(context.lookup("aws:MultiFactorAuthPresent"), Some(&["false".to_owned()][..]));
}

#[tokio::test]
async fn a_device_is_enabled_and_synchronized_by_two_codes_in_sequence() {
    let account = Account::new(WITH_MFA).await;
    let codes = |later| [account.code(later), account.code(later + 30)];
    let [first, second] = codes(0);
    account.enable("EnableMFADevice", &second, &first).await.fails(403, "InvalidAuthenticationCode");
    account.enable("EnableMFADevice", &first, "12345").await.fails(400, "ValidationError");
    account.enable("ResyncMFADevice", &first, &second).await.fails(404, "NoSuchEntity");
    account.enable("EnableMFADevice", &first, &second).await.ok();
    account.enable("EnableMFADevice", &first, &second).await.fails(409, "EntityAlreadyExists");
    // Its clock is five minutes ahead.
    account.session(&account.serial, &account.code(300)).await.fails(403, "AccessDenied");
    let [first, second] = codes(270);
    account.enable("ResyncMFADevice", &first, &second).await.ok();
    account.session(&account.serial, &account.code(300)).await.ok();
}
