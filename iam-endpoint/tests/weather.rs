//! An endpoint that behaves as badly as AWS does.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use common::{Answer, Client, TRUST, allowing};
use http::Request;
use iam_endpoint::weather::{Mishap, Propagation, Weather, is_lost};
use iam_endpoint::{Endpoint, Outcome};

/// Time that passes when it is told to.
#[derive(Clone, Default)]
struct Time(Arc<AtomicU64>);

impl Time {
    fn pass(&self, duration: Duration) {
        let milliseconds = u64::try_from(duration.as_millis()).expect("a short while");
        self.0.fetch_add(milliseconds, Ordering::Relaxed);
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
            + Duration::from_hours(500_000)
            + Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn under(&self, weather: Weather) -> Client {
        let time = self.clone();
        let endpoint = Endpoint::builder().clock(move || time.now()).weather(weather).build();
        Client { now: self.now(), ..Client::administrator(&endpoint) }
    }
}

async fn create(admin: &Client, name: &str) -> Answer {
    admin.iam("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)]).await
}

async fn assume(admin: &Client, name: &str) -> Answer {
    let arn = format!("arn:aws:iam::123456789012:role/{name}");
    admin.sts("AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "session")]).await
}

/// What one service says to the same call every 50 ms for a minute.
async fn for_a_minute(time: &Time, ask: impl AsyncFn() -> Answer) -> Vec<(SystemTime, String)> {
    let mut heard = Vec::new();
    for _ in 0..1_200 {
        let answer = ask().await;
        let code = answer.event.code.clone().unwrap_or_else(|| "OK".to_owned());
        heard.push((time.now(), code));
        time.pass(Duration::from_millis(50));
    }
    heard
}

#[tokio::test]
async fn a_role_works_and_fails_and_works_until_every_server_knows_it() {
    let mut services_that_oscillated = 0;
    for seed in 0..5 {
        let time = Time::default();
        let admin = time.under(Weather::new(seed).propagation(Propagation::default()));
        create(&admin, "r").await.ok();
        let policy = allowing(r#"["iam:ListRoles", "dynamodb:ListTables"]"#);
        let put = [("RoleName", "r"), ("PolicyName", "p"), ("PolicyDocument", &*policy)];
        admin.iam("PutRolePolicy", &put).await.ok();

        // STS tells a role that it does not know from one that nobody may assume as little as ever.
        let mut refused = 0;
        let session = loop {
            let answer = assume(&admin, "r").await;
            if answer.status == 200 {
                break admin.with(answer.credentials());
            }
            assert_eq!(answer.event.code.as_deref(), Some("AccessDenied"));
            refused += 1;
            time.pass(Duration::from_millis(100));
        };
        assert!(refused > 0, "seed {seed}");

        for service in ["iam", "dynamodb"] {
            let start = time.now();
            let settled =
                admin.endpoint.known_everywhere(service, "r", &session.credentials.access_key_id, start);
            let settled = settled.expect("there is propagation");
            let heard = for_a_minute(&time, async || match service {
                "iam" => session.iam("ListRoles", &[]).await,
                _ => list_tables(&session).await,
            })
            .await;
            let works = |code: &str| code == "OK" || code == "AuthorizedNotPerformed";
            let (before, after): (Vec<_>, Vec<_>) = heard.iter().partition(|(at, _)| *at < settled);
            assert!(after.iter().all(|(_, code)| works(code)), "seed {seed}: {service} {after:?}");
            let first = before.iter().position(|(_, code)| works(code));
            services_that_oscillated +=
                usize::from(first.is_some_and(|first| !before[first..].iter().all(|(_, code)| works(code))));
            assert!(settled < start + Duration::from_mins(1));
        }
    }
    assert!(services_that_oscillated >= 3, "{services_that_oscillated}");
}

async fn list_tables(client: &Client) -> Answer {
    let request = Request::post("https://dynamodb.us-east-1.amazonaws.com/")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", "DynamoDB_20120810.ListTables")
        .body(Bytes::from_static(b"{}"))
        .expect("a request");
    client.send("dynamodb", request).await
}

#[tokio::test]
async fn some_services_know_a_key_that_others_do_not() {
    let time = Time::default();
    let slow = Propagation::default().typical(Duration::from_secs(8)).servers(1);
    let mut mixed = 0;
    for seed in 0..10 {
        let admin = time.under(Weather::new(seed).propagation(slow.clone()));
        create(&admin, "r").await.ok();
        time.pass(Duration::from_mins(1));
        let admin = Client { now: time.now(), ..admin };
        let session = admin.with(assume(&admin, "r").await.ok().credentials());
        time.pass(Duration::from_secs(1));
        let codes = [
            session.sts("GetCallerIdentity", &[]).await.event.code.clone(),
            session.iam("ListRoles", &[]).await.event.code.clone(),
            list_tables(&session).await.event.code.clone(),
        ];
        let refused = ["InvalidClientTokenId", "UnrecognizedClientException"];
        let is_refused = |code: &Option<String>| code.as_deref().is_some_and(|code| refused.contains(&code));
        mixed += usize::from(codes.iter().any(is_refused) && !codes.iter().all(is_refused));
    }
    assert!(mixed >= 3, "{mixed}");
}

#[tokio::test]
async fn a_deleted_role_lives_on_for_a_while() {
    let time = Time::default();
    let admin = time.under(Weather::new(3).propagation(Propagation::default()));
    create(&admin, "r").await.ok();
    time.pass(Duration::from_mins(1));
    admin.iam("DeleteRole", &[("RoleName", "r")]).await.ok();
    assume(&admin, "r").await.ok();
    time.pass(Duration::from_mins(1));
    assume(&admin, "r").await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn a_throttle_gives_its_burst_and_then_its_rate() {
    let time = Time::default();
    let admin =
        time.under(Weather::new(0).throttle("iam:ListRoles", 2.0, 3).throttle("iam:ListUsers", 2.0, 1));
    for _ in 0..3 {
        admin.iam("ListRoles", &[]).await.ok();
    }
    let throttled = admin.iam("ListRoles", &[]).await.fails(400, "Throttling");
    assert_eq!(throttled.event.operation, "iam:ListRoles");
    assert_eq!(throttled.event.outcome, Outcome::Failed);
    // Each API has a bucket of its own.
    admin.iam("ListUsers", &[]).await.ok();
    time.pass(Duration::from_millis(500));
    admin.iam("ListRoles", &[]).await.ok();
    admin.iam("ListRoles", &[]).await.fails(400, "Throttling");
}

#[tokio::test]
async fn failures_have_the_service_s_own_words() {
    for (mishap, iam, s3, dynamodb) in [
        (Mishap::Throttled, (400, "Throttling"), (503, "SlowDown"), (400, "ThrottlingException")),
        (Mishap::InternalError, (500, "ServiceFailure"), (500, "InternalError"), (500, "InternalFailure")),
        (
            Mishap::Unavailable,
            (503, "ServiceUnavailable"),
            (503, "ServiceUnavailable"),
            (503, "ServiceUnavailable"),
        ),
    ] {
        let admin = Time::default().under(Weather::new(0).chance("*", mishap, 1.0));
        admin.iam("ListRoles", &[]).await.fails(iam.0, iam.1);
        let request = Request::get("https://b.s3.us-east-1.amazonaws.com/").body(Bytes::new()).unwrap();
        admin.send("s3", request).await.fails(s3.0, s3.1);
        let answer = list_tables(&admin).await;
        assert_eq!((answer.status, answer.event.code.as_deref()), (dynamodb.0, Some(dynamodb.1)));
    }
}

#[tokio::test]
async fn an_answer_may_be_lost_before_or_after_the_call_took_effect() {
    for (mishap, takes_effect) in [(Mishap::AnswerLost, true), (Mishap::Reset, false)] {
        let admin = Time::default().under(Weather::new(0).nth("iam:CreateRole", 2, mishap));
        create(&admin, "first").await.ok();
        let answer = admin.endpoint.call(signed_create(&admin)).await;
        assert!(is_lost(&answer), "{mishap:?}");
        let roles = admin.iam("ListRoles", &[]).await.ok();
        assert_eq!(roles.all("RoleName").len(), if takes_effect { 2 } else { 1 }, "{mishap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_never_come() {
    for (mishap, takes_effect) in [(Mishap::AnswerOverdue, true), (Mishap::Silence, false)] {
        let admin = Time::default().under(Weather::new(0).nth("iam:CreateRole", 1, mishap));
        let answer =
            tokio::time::timeout(Duration::from_hours(1), admin.endpoint.call(signed_create(&admin)));
        assert!(answer.await.is_err(), "{mishap:?}");
        let roles = admin.iam("ListRoles", &[]).await.ok();
        assert_eq!(roles.all("RoleName").len(), usize::from(takes_effect), "{mishap:?}");
    }
}

fn signed_create(admin: &Client) -> Request<Bytes> {
    let trust = percent_encoding::utf8_percent_encode(TRUST, percent_encoding::NON_ALPHANUMERIC);
    let body = format!("Action=CreateRole&RoleName=second&AssumeRolePolicyDocument={trust}");
    let request = Request::post("https://iam.amazonaws.com/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.into())
        .expect("a request");
    admin.sign("iam", request)
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_by_the_answer_s_date() {
    let time = Time::default();
    for weather in [
        Weather::new(0).clock_ahead(Duration::from_mins(20)),
        Weather::new(0).clock_behind(Duration::from_mins(20)),
    ] {
        let admin = time.under(weather);
        let refused = admin.iam("ListRoles", &[]).await.fails(403, "SignatureDoesNotMatch");
        assert!(refused.headers.contains_key("date"));
        let off = admin.sts("GetCallerIdentity", &[]).await.event.time;
        Client { now: off, ..admin }.iam("ListRoles", &[]).await.ok();
    }
}

#[tokio::test]
async fn quotas_are_limits() {
    let admin = Time::default().under(Weather::new(0).most_roles(2).most_policies(1));
    create(&admin, "one").await.ok();
    create(&admin, "two").await.ok();
    let refused = create(&admin, "three").await.fails(409, "LimitExceeded");
    assert_eq!(refused.text("Message"), "Cannot exceed quota for RolesPerAccount: 2");
    let policy = allowing(r#""s3:*""#);
    let create_policy =
        async |name| admin.iam("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", &*policy)]).await;
    create_policy("one").await.ok();
    create_policy("two").await.fails(409, "LimitExceeded");
}

#[tokio::test]
async fn the_same_seed_is_the_same_weather() {
    let codes = async |seed| {
        let admin = Time::default().under(Weather::new(seed).chance("iam:*", Mishap::Unavailable, 0.3));
        let mut codes = Vec::new();
        for _ in 0..100 {
            codes.push(admin.iam("ListRoles", &[]).await.status);
        }
        codes
    };
    let (first, again, other) = (codes(1).await, codes(1).await, codes(2).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
    let failed = first.iter().filter(|status| **status == 503).count();
    assert!((15..45).contains(&failed), "{failed}");
}

#[cfg(feature = "server")]
#[test]
fn on_a_port_a_reset_ends_the_connection_without_an_answer() {
    use std::io::{Read, Write};
    let endpoint = Endpoint::builder().weather(Weather::new(0).nth("*", 1, Mishap::Reset)).build();
    let server = endpoint.serve(([127, 0, 0, 1], 0).into()).unwrap();
    let ask = || {
        let mut stream = std::net::TcpStream::connect(server.address()).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: iam.amazonaws.com\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    assert_eq!(ask(), "");
    assert!(ask().starts_with("HTTP/1.1 403"));
}
