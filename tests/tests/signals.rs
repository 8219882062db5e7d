//! A process that is told to stop removes its roles first; one that cannot leaves them to the next run.
#![cfg(unix)]

use std::future::pending;
use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::{Duration, Instant};

use iam_endpoint::Endpoint;
use iam_endpoint::weather::{Mishap, Weather};
use iam_fixture::TemporaryRole;
use iam_fixture_tests::{Child, Emulator, Served};

const INT: i32 = 2;
const KILL: i32 = 9;
const TERM: i32 = 15;
const HUP: i32 = 1;

#[tokio::test]
async fn a_signal_removes_the_roles_and_then_does_its_work() {
    for (name, number) in [("INT", INT), ("TERM", TERM), ("HUP", HUP)] {
        let served = Served::start();
        let mut child = Child::start("child_waits_in_its_bodies", served.variables());
        child.wait_for("waiting");
        assert_eq!(served.roles().await.len(), 2, "{name}");
        child.signal(name);
        let (status, took, errors) = child.end();
        assert_eq!(status.signal(), Some(number), "{errors}");
        assert!(took < Duration::from_secs(8), "{took:?}");
        assert_eq!(served.roles().await, [""; 0], "{errors}");
        assert!(errors.contains("iam-fixture: removing 2 roles"), "{errors}");
    }
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_waits_in_its_bodies() {
    let body = async |_| {
        let inner = async |_| {
            println!("\nwaiting");
            pending::<()>().await;
        };
        TemporaryRole::builder().scoped(inner).await.unwrap();
    };
    TemporaryRole::builder().scoped(body).await.unwrap();
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let Some(emulator) = Emulator::ministack(true) else { return };
    let mut child = Child::start("child_waits_in_its_bodies", emulator.variables());
    child.wait_for("waiting");
    emulator.stop_answering();
    child.signal("INT");
    thread::sleep(Duration::from_millis(500));
    child.signal("INT");
    let (status, took, errors) = child.end();
    assert_eq!(status.signal(), Some(INT));
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(errors.contains("the next run does it"), "{errors}");
}

#[test]
fn a_tear_down_that_fails_prints_the_commands_and_fails_no_test() {
    let served = Served::start();
    let url = served.url();
    let mut child = Child::start("child_waits_for_its_input", served.variables());
    child.wait_for("waiting");
    drop(served);
    let (status, _, errors) = child.end();
    assert!(status.success(), "{errors}");
    assert!(errors.contains("is left behind; remove it by hand:"), "{errors}");
    assert!(
        errors.contains("aws iam delete-role --role-name iam-fixture-child_waits_for_its_input-"),
        "{errors}"
    );
    assert!(errors.contains(&format!("--endpoint-url {url}")), "{errors}");
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_waits_for_its_input() {
    let body = async |_| {
        println!("\nwaiting");
        let _ = std::io::read_to_string(std::io::stdin());
    };
    TemporaryRole::builder().scoped(body).await.unwrap();
}

/// An endpoint where a killed process has left two roles.
async fn orphaned() -> Served {
    let served = Served::start();
    let mut child = Child::start("child_waits_in_its_bodies", served.variables());
    child.wait_for("waiting");
    child.signal("KILL");
    let (status, ..) = child.end();
    assert_eq!(status.signal(), Some(KILL));
    assert_eq!(served.roles().await.len(), 2);
    served
}

#[tokio::test]
async fn a_killed_process_s_roles_are_removed_by_the_next_run() {
    let served = orphaned().await;
    let (status, _, errors) = Child::start("child_passes", served.variables()).end();
    assert!(status.success(), "{errors}");
    assert_eq!(served.roles().await, [""; 0]);
}

#[tokio::test]
async fn a_process_sweeps_at_its_start_even_if_it_makes_no_role() {
    let served = orphaned().await;
    let (status, _, errors) = Child::start("child_makes_no_role", served.variables()).end();
    assert!(status.success(), "{errors}");
    assert_eq!(served.roles().await, [""; 0]);
}

#[test]
#[ignore = "run by the other tests"]
fn child_makes_no_role() {}

#[tokio::test]
async fn listing_the_tests_touches_no_backend() {
    let served = orphaned().await;
    let before = served.endpoint.journal().last(usize::MAX).len();
    let (status, _, errors) = Child::list(served.variables()).end();
    assert!(status.success(), "{errors}");
    assert_eq!(served.endpoint.journal().last(usize::MAX).len(), before);
    assert_eq!(served.roles().await.len(), 2);
}

#[tokio::test]
async fn a_run_that_lives_is_not_swept() {
    let served = Served::start();
    let mut living = Child::start("child_waits_in_its_bodies", served.variables());
    living.wait_for("waiting");
    let (status, _, errors) = Child::start("child_passes", served.variables()).end();
    assert!(status.success(), "{errors}");
    assert_eq!(served.roles().await.len(), 2);
    living.signal("TERM");
    let _ = living.end();
    assert_eq!(served.roles().await, [""; 0]);
}

/// With nextest each test is a process.
#[test]
fn one_process_of_a_run_looks_for_leases() {
    let served = Served::start();
    let run = |id: &str| {
        let mut variables = served.variables();
        variables.push(("NEXTEST_RUN_ID".to_owned(), id.to_owned()));
        let children: Vec<_> = (0..4).map(|_| Child::start("child_passes", variables.clone())).collect();
        for child in children {
            let (status, _, errors) = child.end();
            assert!(status.success(), "{errors}");
        }
        let events = served.endpoint.journal().last(usize::MAX);
        events.iter().filter(|event| event.operation == "iam:ListPolicies").count()
    };
    let id = std::process::id();
    assert_eq!(run(&format!("one-{id}")), 1);
    assert_eq!(run(&format!("one-{id}")), 1);
    assert_eq!(run(&format!("two-{id}")), 2);
}

#[test]
fn a_sweep_that_does_not_end_delays_no_test_and_the_process_s_end_by_ten_seconds() {
    let weather = Weather::new(0).chance("iam:ListPolicies", Mishap::Silence, 1.0);
    let served = Served::of(Endpoint::builder().weather(weather).build());
    let mut child = Child::start("child_waits_for_its_input", served.variables());
    let start = Instant::now();
    child.wait_for("waiting");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    let (status, took, errors) = child.end();
    assert!(status.success(), "{errors}");
    assert!((Duration::from_secs(9)..Duration::from_secs(14)).contains(&took), "{took:?}");
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_passes() {
    TemporaryRole::builder().scoped(async |_| ()).await.unwrap();
}

#[tokio::test]
async fn whatever_way_a_test_process_ends_no_role_is_left() {
    for (test, succeeds) in [
        ("child_passes", true),
        ("child_panics", false),
        ("child_returns_an_error", false),
        ("child_times_out", true),
        ("child_forgets", true),
        ("child_exits", false),
        ("child_shuts_down_in_the_background", true),
        ("child_gives_up_while_creating", true),
    ] {
        let served = Served::start();
        let (status, took, errors) = Child::start(test, served.variables()).end();
        assert_eq!(status.success(), succeeds, "{test}: {errors}");
        assert_eq!(served.roles().await, [""; 0], "{test}: {errors}");
        assert!(took < Duration::from_secs(20), "{test}: {took:?}");
    }
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_panics() {
    TemporaryRole::builder().scoped(async |_| panic!("the body's")).await.unwrap();
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_returns_an_error() -> Result<(), String> {
    TemporaryRole::builder().scoped(async |_| Err("the body's".to_owned())).await.unwrap()
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_times_out() {
    let body = TemporaryRole::builder().scoped(async |_| pending::<()>().await);
    assert!(tokio::time::timeout(Duration::from_secs(2), body).await.is_err());
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_forgets() {
    std::mem::forget(TemporaryRole::builder().create().await.unwrap());
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_exits() {
    TemporaryRole::builder().scoped(async |_| std::process::exit(3)).await.unwrap();
}

#[test]
#[ignore = "run by the other tests"]
fn child_shuts_down_in_the_background() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let role = runtime.block_on(TemporaryRole::builder().create()).unwrap();
    runtime.spawn(async move {
        let _role = role;
        pending::<()>().await;
    });
    runtime.shutdown_background();
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_gives_up_while_creating() {
    for milliseconds in 0..30 {
        let create = TemporaryRole::builder().create();
        let _ = tokio::time::timeout(Duration::from_millis(milliseconds), create).await;
    }
}
