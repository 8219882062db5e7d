//! What the program writes, where it listens, and how it ends.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::common::run;
use crate::served::Served;

fn anonymous_get(served: &Served, path: &str) -> String {
    let mut stream = TcpStream::connect(served.address()).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn standard_output_has_the_exports_and_ready_and_nothing_else() {
    let served = Served::start(&["--addr", "127.0.0.1:0", "--region", "eu-central-1"]);
    let names: Vec<_> = served.variables().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]);
    assert_eq!(served.lines.len(), 5);
    assert_eq!(served.variable("AWS_REGION"), "eu-central-1");
    assert!(served.variable("AWS_ENDPOINT_URL").starts_with("http://127.0.0.1:"));
    let secret = served.variable("AWS_SECRET_ACCESS_KEY");
    assert!(!served.stop().contains(&secret));
}

#[test]
fn each_call_is_told_with_its_verdict_and_reason() {
    let served = Served::start(&[]);
    let answer = anonymous_get(&served, "/reports/may%1b.csv");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    let errors = served.stop();
    let line = errors.lines().find(|line| line.contains("implicitDeny")).expect("a line for the call");
    assert!(
        line.ends_with(
            r"s3:GetObject  arn:aws:s3:::reports/may\u{1b}.csv  anonymous  no resource-based policy allows the s3:GetObject action"
        ),
        "{line}"
    );
}

#[test]
fn programs_get_json_on_the_terminal_and_in_a_file() {
    let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("calls.jsonl");
    let _ = fs::remove_file(&log);
    let served = Served::start(&["--format", "json", "--log", log.to_str().unwrap()]);
    anonymous_get(&served, "/reports/may.csv");
    let errors = served.stop();
    assert_eq!(fs::read_to_string(&log).unwrap(), errors);
    let call: serde_json::Value = serde_json::from_str(&errors).unwrap();
    assert_eq!(call["outcome"], "denied");
    assert_eq!((&call["status"], &call["code"]), (&403.into(), &"AccessDenied".into()));
    assert_eq!(call["authorizations"][0]["action"], "s3:GetObject");
    assert_eq!(call["authorizations"][0]["decision"], "implicitDeny");
}

#[test]
fn a_quiet_one_writes_nothing_to_the_terminal() {
    let served = Served::start(&["--quiet"]);
    anonymous_get(&served, "/reports/may.csv");
    assert_eq!(served.stop(), "");
}

#[test]
fn both_signals_end_it_well_and_let_a_request_end_that_has_begun() {
    for signal in ["INT", "TERM"] {
        let served = Served::start(&[]);
        let mut stream = TcpStream::connect(served.address()).unwrap();
        stream.write_all(b"PUT /b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na").unwrap();
        // Its headers have to be read, or the connection counts as idle.
        std::thread::sleep(Duration::from_millis(200));
        served.signal(signal);
        std::thread::sleep(Duration::from_millis(200));
        stream.write_all(b"b").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 "), "{signal}: {answer:?}");
        let (status, errors) = served.end();
        assert_eq!(status.code(), Some(0), "{errors}");
        assert!(errors.contains("s3:PutObject"), "{errors}");
    }
}

#[test]
fn a_second_signal_does_not_wait_for_anybody() {
    let served = Served::start(&[]);
    let mut stream = TcpStream::connect(served.address()).unwrap();
    stream.write_all(b"PUT /b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let start = Instant::now();
    served.signal("TERM");
    std::thread::sleep(Duration::from_millis(200));
    served.signal("INT");
    assert_eq!(served.end().0.code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn other_machines_reach_it_only_where_that_was_asked_for() {
    let refused = run(&["serve", "--addr", "0.0.0.0:0"], "");
    assert_eq!((refused.status, &*refused.stdout), (Some(2), ""));
    assert!(refused.stderr.contains("`--allow-remote`"), "{}", refused.stderr);
    let served = Served::start(&["--addr", "0.0.0.0:0", "--allow-remote"]);
    assert!(served.variable("AWS_ENDPOINT_URL").starts_with("http://127.0.0.1:"));
    assert!(anonymous_get(&served, "/").starts_with("HTTP/1.1 403 "));
}

#[test]
fn what_cannot_be_served_is_said_before_anything_is_exported() {
    let taken = Served::start(&[]);
    for (arguments, told) in [
        (vec!["--addr", &*taken.address()], "cannot serve at"),
        (vec!["--account", "12"], "twelve digits"),
        (vec!["--region", "US"], "a region is a name such as `us-east-1`"),
        (vec!["--policy", "nowhere.json"], "cannot read `nowhere.json`"),
        (vec!["--policy", "broken.json"], "broken.json:"),
        (vec!["--policy", "reader.json", "--policy", "reader.json"], "Role with name reader already exists."),
        (vec!["--upstream", "https://127.0.0.1"], "TLS is not spoken"),
        (vec!["--log", "nowhere/calls.jsonl"], "cannot write `nowhere/calls.jsonl`"),
    ] {
        let refused = run(&[&["serve"], &*arguments].concat(), "");
        assert_eq!((refused.status, &*refused.stdout), (Some(2), ""), "{arguments:?}");
        assert!(refused.stderr.contains(told), "{arguments:?}: {}", refused.stderr);
    }
}
