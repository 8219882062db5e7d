//! Whatever stops the runner, no role is left: Ctrl-C, a cancelled job, a test that is too slow, a runner that is killed.
#![cfg(unix)]

use std::future::pending;
use std::time::{Duration, Instant};

use iam_endpoint::Endpoint;
use iam_endpoint::weather::{Mishap, Weather};
use iam_fixture::TemporaryRole;
use iam_fixture_tests::{Runner, Served};

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_waits_in_its_body() {
    TemporaryRole::builder().scoped(async |_| pending::<()>().await).await.unwrap();
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn child_takes_three_seconds() {
    TemporaryRole::builder()
        .scoped(async |_| tokio::time::sleep(Duration::from_secs(3)).await)
        .await
        .unwrap();
}

/// Waits until there are so many roles. A runner may build first.
async fn until(served: &Served, roles: usize, limit: Duration) {
    let start = Instant::now();
    // The roles by which the fixture tells that the endpoint enforces policies come and go before.
    let is_test_s = |name: &&String| name.starts_with("iam-fixture-child_");
    while served.roles().await.iter().filter(is_test_s).count() != roles {
        assert!(start.elapsed() < limit, "{:?}", served.roles().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

const BUILD: Duration = Duration::from_mins(20);

#[tokio::test]
async fn ctrl_c_and_a_cancelled_job_end_cargo_test_without_a_role() {
    for signal in ["INT", "TERM", "HUP"] {
        let served = Served::start();
        let runner = Runner::cargo_test("child_waits_in_its_body", served.variables());
        until(&served, 1, BUILD).await;
        runner.signal_group(signal);
        assert!(!runner.end().success());
        // Cargo does not wait for the test's process.
        until(&served, 0, Duration::from_secs(8)).await;
        assert_eq!(served.roles().await, [""; 0], "{signal}");
    }
}

#[tokio::test]
async fn ctrl_c_and_a_cancelled_job_end_nextest_without_a_role() {
    for signal in ["INT", "TERM"] {
        let served = Served::start();
        let Some(runner) = Runner::nextest("child_waits_in_its_body", false, served.variables()) else {
            return;
        };
        until(&served, 1, BUILD).await;
        runner.signal_group(signal);
        assert!(!runner.end().success());
        assert_eq!(served.roles().await, [""; 0], "{signal}");
    }
}

#[tokio::test]
async fn a_test_that_nextest_finds_too_slow_leaves_no_role() {
    let served = Served::start();
    let Some(runner) = Runner::nextest("child_waits_in_its_body", true, served.variables()) else { return };
    until(&served, 1, BUILD).await;
    assert!(!runner.end().success());
    assert_eq!(served.roles().await, [""; 0]);
}

/// The account does not answer when the role is to be removed, and the user has no patience.
#[tokio::test]
async fn a_second_ctrl_c_ends_the_run_and_the_next_one_removes_the_role() {
    for is_nextest in [false, true] {
        // The first two are of the roles that show that policies are enforced.
        let weather = Weather::new(0).nth("iam:DeleteRole", 3, Mishap::Silence);
        let served = Served::of(Endpoint::builder().weather(weather).build());
        let test = "child_waits_in_its_body";
        let runner = if is_nextest {
            Runner::nextest(test, false, served.variables())
        } else {
            Some(Runner::cargo_test(test, served.variables()))
        };
        let Some(runner) = runner else { return };
        until(&served, 1, BUILD).await;
        runner.signal_group("INT");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let start = Instant::now();
        runner.signal_group("INT");
        assert!(!runner.end().success());
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        assert_eq!(served.roles().await.len(), 1, "nextest: {is_nextest}");

        let next = Runner::cargo_test("child_takes_three_seconds", served.variables());
        assert!(next.end_within(BUILD).success());
        assert_eq!(served.roles().await, [""; 0], "nextest: {is_nextest}");
    }
}

/// The tests' processes outlive a runner that is killed, and end by themselves.
#[tokio::test]
async fn the_tests_of_a_killed_runner_leave_no_role() {
    let served = Served::start();
    let runner = Runner::cargo_test("child_takes_three_seconds", served.variables());
    until(&served, 1, BUILD).await;
    runner.signal("KILL");
    assert!(!runner.end().success());
    until(&served, 0, Duration::from_secs(12)).await;

    let Some(runner) = Runner::nextest("child_takes_three_seconds", false, served.variables()) else {
        return;
    };
    until(&served, 1, BUILD).await;
    runner.signal("KILL");
    assert!(!runner.end().success());
    until(&served, 0, Duration::from_secs(12)).await;
}

/// A job that is killed with all its processes leaves its role to the next one.
#[tokio::test]
async fn the_next_run_removes_the_role_of_a_killed_job() {
    let served = Served::start();
    let runner = Runner::cargo_test("child_waits_in_its_body", served.variables());
    until(&served, 1, BUILD).await;
    runner.signal_group("KILL");
    assert!(!runner.end().success());
    assert_eq!(served.roles().await.len(), 1);
    let runner = Runner::cargo_test("child_takes_three_seconds", served.variables());
    assert!(runner.end_within(BUILD).success());
    assert_eq!(served.roles().await, [""; 0]);
}
