//! `cargo iam run`: real commands, as a role that is there as long as they run.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{Run, run_command};
use iam_endpoint::{Endpoint, Server};
use iam_fixture::Backend;

const PRINT_ENVIRONMENT: &str = "env | grep -E '^(AWS|IAM)_' | sort";

/// The program, which sees no settings but those of the test.
fn program(arguments: &[&str]) -> Command {
    let mut command = common::command(&[&["run"], arguments].concat());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("AWS_") || name.starts_with("IAM_FIXTURE_")) {
            command.env_remove(name);
        }
    }
    command
}

fn embedded(arguments: &[&str]) -> Run {
    run_command(&mut program(arguments), "")
}

/// An account that is still there when the program has ended.
struct Account {
    endpoint: Endpoint,
    server: Server,
    state: PathBuf,
}

impl Account {
    fn new(test: &str) -> Account {
        let endpoint = Endpoint::new();
        let server = endpoint.serve(([127, 0, 0, 1], 0).into()).unwrap();
        let state = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("run").join(test);
        let _ = std::fs::remove_dir_all(&state);
        Account { endpoint, server, state }
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let keys = self.endpoint.administrator();
        let mut command = program(arguments);
        command
            .env("IAM_FIXTURE_BACKEND", self.server.url())
            .env("AWS_ACCESS_KEY_ID", keys.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key)
            .env("XDG_STATE_HOME", &self.state);
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        run_command(&mut self.program(arguments), "")
    }

    /// Starts a shell that is ready when it has printed its first line.
    fn start(&self, script: &str) -> Running {
        let arguments = ["--policy", "reader.json", "--", "sh", "-c", script];
        let mut program = self.program(&arguments);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = program.spawn().unwrap();
        let mut out = BufReader::new(program.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        Running { program, out, first: first.trim().to_owned() }
    }

    async fn roles(&self) -> usize {
        let admin = Backend::of_endpoint(self.endpoint.clone()).admin().await.unwrap();
        aws_sdk_iam::Client::new(&admin).list_roles().send().await.unwrap().roles().len()
    }
}

struct Running {
    program: Child,
    out: BufReader<std::process::ChildStdout>,
    first: String,
}

impl Running {
    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.program.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Says that there is no more to read; gives the exit status, and what else was printed.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.program.stdin.take());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.program.wait().unwrap().code(), rest)
    }
}

#[test]
fn the_command_has_the_role_s_credentials_and_no_others() {
    let mut program = program(&["--policy", "reader.json", "--", "sh", "-c", PRINT_ENVIRONMENT]);
    let program = program
        .env("AWS_PROFILE", "production")
        .env("AWS_ACCESS_KEY_ID", "AKIAUSER")
        .env("AWS_ENDPOINT_URL_S3", "http://elsewhere")
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere");
    let Run { status, stdout, stderr } = run_command(program, "");
    assert_eq!(status, Some(0), "{stderr}");
    let names: Vec<_> = stdout.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    let expected = [
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ];
    assert_eq!(names, expected);
    assert!(stdout.contains("AWS_ACCESS_KEY_ID=ASIA") && !stdout.contains("elsewhere"), "{stdout}");
    assert!(stdout.contains("AWS_ENDPOINT_URL=http://127.0.0.1:"), "{stdout}");
}

#[test]
fn the_exit_status_is_the_command_s() {
    let status =
        |command: &[&str]| embedded(&[&["--managed", "ReadOnlyAccess", "--"], command].concat()).status;
    assert_eq!(status(&["true"]), Some(0));
    assert_eq!(status(&["sh", "-c", "exit 7"]), Some(7));
    assert_eq!(status(&["sh", "-c", "kill -TERM $$"]), Some(128 + 15));
    assert_eq!(status(&["./no-such-command"]), Some(127));
    assert_eq!(status(&["/"]), Some(126));
}

#[test]
fn a_policy_that_iam_would_reject_is_told_and_the_command_is_not_run() {
    for arguments in [
        vec!["--policy", "broken.json"],
        vec!["--policy", "nowhere.json"],
        vec!["--managed", "ReadOnlyAcces"],
        vec!["--policy", "reader.json", "--duration", "60"],
    ] {
        let run = embedded(&[&*arguments, &["--", "echo", "ran"]].concat());
        assert_eq!((run.status, &*run.stdout), (Some(2), ""), "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.is_empty());
    }
}

#[tokio::test]
async fn the_role_is_there_while_the_command_runs_and_then_is_not() {
    let account = Account::new("while");
    let running = account.start("echo ready; read line; exit 3");
    assert_eq!((&*running.first, account.roles().await), ("ready", 1));
    assert_eq!(running.end(), (Some(3), String::new()));
    assert_eq!(account.roles().await, 0);
    assert_eq!(account.run(&["--policy", "reader.json", "--", "./no-such-command"]).status, Some(127));
    assert_eq!(account.roles().await, 0);
}

#[tokio::test]
async fn the_role_of_a_command_that_failed_can_be_kept() {
    let account = Account::new("kept");
    let run = |command| {
        let mut program = account.program(&["--policy", "reader.json", "--", command]);
        run_command(program.env("IAM_FIXTURE_KEEP", "failure"), "")
    };
    assert_eq!(run("true").status, Some(0));
    assert_eq!(account.roles().await, 0);
    let failed = run("false");
    assert_eq!(failed.status, Some(1));
    assert!(failed.stderr.contains("is kept") && failed.stderr.contains("aws sts assume-role"), "{failed:?}");
    assert_eq!(account.roles().await, 1);
}

#[tokio::test]
async fn signals_reach_the_command_which_ends_as_it_likes() {
    let account = Account::new("signals");
    for (name, number) in [("TERM", 15), ("INT", 2), ("HUP", 1)] {
        let script =
            format!("trap 'echo got {name}; exit 9' {name}; echo ready; while :; do sleep 0.05; done");
        let running = account.start(&script);
        running.signal(name);
        assert_eq!(running.end(), (Some(9), format!("got {name}\n")));
        assert_eq!(account.roles().await, 0, "{name}");

        let running = account.start("echo ready; exec sleep 60");
        running.signal(name);
        assert_eq!(running.end(), (Some(128 + number), String::new()));
        assert_eq!(account.roles().await, 0, "{name}");
    }
}

#[tokio::test]
async fn what_a_killed_run_leaves_the_next_one_removes() {
    let account = Account::new("killed");
    let mut running = account.start("echo $$; exec sleep 60");
    running.signal("KILL");
    running.program.wait().unwrap();
    let shell = &running.first;
    Command::new("kill").args(["-s", "KILL", shell]).status().unwrap();
    assert_eq!(account.roles().await, 1);
    assert_eq!(account.run(&["--policy", "reader.json", "--", "true"]).status, Some(0));
    assert_eq!(account.roles().await, 0);
}

#[test]
fn what_was_denied_is_told_with_its_reason() {
    let Some(tools) = common::tools::environment() else { return };
    let script = "aws s3api create-bucket --bucket other || aws sts get-caller-identity --query Arn";
    let run = |quiet: &[&str]| {
        let policy = ["--policy", "delete-three.json"];
        let mut command = program(&[quiet, &policy, &["--", "sh", "-c", script]].concat());
        run_command(with_tools(&mut command, &tools), "")
    };
    let quiet = run(&["--quiet"]);
    let run = run(&[]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains(":assumed-role/iam-fixture-"), "{}", run.stdout);
    assert!(run.stderr.contains("note: of 2 calls, 1 were denied"), "{}", run.stderr);
    assert!(run.stderr.contains("implicitDeny  s3:CreateBucket  arn:aws:s3:::other"), "{}", run.stderr);
    assert!(!quiet.stderr.contains("note:"), "{}", quiet.stderr);
}

#[test]
fn boundaries_and_session_policies_narrow_what_the_command_may_do() {
    let Some(tools) = common::tools::environment() else { return };
    let run = |narrowed: &[&str]| {
        let command =
            ["--managed", "AdministratorAccess", "--", "aws", "s3api", "create-bucket", "--bucket", "other"];
        run_command(with_tools(&mut program(&[narrowed, &command].concat()), &tools), "")
    };
    let free = run(&[]);
    assert_eq!(free.status, Some(0), "{}", free.stderr);
    for (option, policy, why) in [
        ("--boundary", "reader.json", "no permissions boundary allows"),
        ("--boundary", "ReadOnlyAccess", "no permissions boundary allows"),
        ("--boundary", "arn:aws:iam::aws:policy/ReadOnlyAccess", "no permissions boundary allows"),
        ("--session-policy", "reader.json", "no session policy allows"),
    ] {
        let run = run(&[option, policy]);
        assert_ne!(run.status, Some(0), "{option} {policy}");
        assert!(run.stderr.contains(why), "{option} {policy}: {}", run.stderr);
    }
}

/// The AWS CLI is found by the command.
fn with_tools<'c>(command: &'c mut Command, tools: &Path) -> &'c mut Command {
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", tools.join("bin").display())).env("HOME", tools)
}

#[tokio::test]
async fn these_three_objects_are_deleted_and_nothing_else_can_be() {
    let Some(tools) = common::tools::environment() else { return };
    let account = Account::new("three");
    let admin = Backend::of_endpoint(account.endpoint.clone()).admin().await.unwrap();
    let aws = tools.join("bin/aws");
    let as_admin = |arguments: &str| {
        let keys = account.endpoint.administrator();
        let mut command = Command::new(&aws);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        command
            .env("HOME", &tools)
            .env("AWS_ACCESS_KEY_ID", keys.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key)
            .env("AWS_ENDPOINT_URL", account.server.url())
            .env("AWS_DEFAULT_REGION", "us-east-1");
        let output = command.args(arguments.split(' ')).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    as_admin("s3api create-bucket --bucket reports");
    for month in ["01", "02", "03", "04"] {
        as_admin(&format!("s3api put-object --bucket reports --key 2024-{month}.csv"));
    }
    let script =
        "for month in 01 02 03 04; do aws s3api delete-object --bucket reports --key 2024-$month.csv; done";
    let mut command = account.program(&["--policy", "delete-three.json", "--", "sh", "-c", script]);
    let run = run_command(with_tools(&mut command, &tools), "");
    assert_ne!(run.status, Some(0), "the last one is denied");
    assert!(run.stderr.contains("AccessDenied"), "{}", run.stderr);
    let left = as_admin("s3api list-objects-v2 --bucket reports --query Contents[].Key --output text");
    assert_eq!(left.trim(), "2024-04.csv");
    let iam = aws_sdk_iam::Client::new(&admin);
    assert_eq!(iam.list_roles().send().await.unwrap().roles().len(), 0);
}
