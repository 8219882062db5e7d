//! `cargo iam check`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{command, run, run_command};
use serde_json::Value;

fn json(arguments: &[&str]) -> Value {
    let arguments = [&["check", "--format", "json"], arguments].concat();
    serde_json::from_str(&run(&arguments, "").stdout).unwrap()
}

fn codes(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|found| found["code"].as_str().unwrap()).collect()
}

#[test]
fn a_clean_policy_is_counted_and_the_status_is_0() {
    let run = run(&["check", "reader.json", "trust.json"], "");
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), "2 policies: nothing found\n"));
}

#[test]
fn all_problems_of_all_files_are_reported_with_their_places() {
    let report = json(&["broken.json", "reader.json", "misspelt.json"]);
    assert_eq!((&report["files"], &report["errors"], &report["warnings"]), (&3.into(), &2.into(), &1.into()));
    assert_eq!(codes(&report), ["iam::duplicate-key", "iam::unknown-element", "lint::unknown-action"]);
    let found = &report["findings"][0];
    assert_eq!(
        (&found["file"], &found["line"], &found["column"]),
        (&"broken.json".into(), &7.into(), &7.into())
    );
    assert_eq!((&found["endLine"], &found["endColumn"]), (&7.into(), &15.into()));
    assert_eq!(found["labels"][1]["line"], 6);
    let text = run(&["check", "broken.json"], "").stdout;
    assert!(
        text.contains("error[iam::duplicate-key]: duplicate key `Action`\n --> broken.json:7:7\n"),
        "{text}"
    );
    assert!(text.ends_with("1 policy: 2 errors\n"), "{text}");
}

#[test]
fn errors_and_mistakes_make_the_status_1_and_advice_does_not() {
    for (file, status) in [("broken.json", 1), ("misspelt.json", 1), ("advice.json", 0)] {
        let run = run(&["check", file], "");
        assert_eq!(run.status, Some(status), "{}", run.stdout);
    }
    assert_eq!(codes(&json(&["advice.json"])), ["lint::wide-allow"]);
}

#[test]
fn a_lint_can_be_allowed_or_denied() {
    assert_eq!(run(&["check", "misspelt.json", "--allow", "unknown-action"], "").status, Some(0));
    let report = json(&["advice.json", "--deny", "lint::wide-allow"]);
    assert_eq!(report["findings"][0]["severity"], "error");
    assert_eq!(run(&["check", "advice.json", "--deny", "wide-allow"], "").status, Some(1));
    let wrong = run(&["check", "advice.json", "--allow", "wide-alow"], "");
    assert_eq!(wrong.status, Some(2));
    assert!(wrong.stderr.contains("'wide-allow'"), "{}", wrong.stderr);
    let error = run(&["check", "advice.json", "--allow", "iam::duplicate-key"], "");
    assert_eq!(error.status, Some(2), "what AWS rejects cannot be allowed");
}

#[test]
fn a_json_pointer_names_a_part_of_a_file_and_keeps_the_files_lines() {
    assert_eq!(run(&["check", "template.json#/Roles/Reader"], "").status, Some(0));
    let report = json(&["template.json#/Roles/Writer"]);
    assert_eq!((&report["findings"][0]["line"], codes(&report)), (&9.into(), vec!["iam::effect"]));
    let missing = run(&["check", "template.json#/Roles/Reeder"], "");
    assert_eq!(missing.status, Some(1));
    assert!(missing.stdout.contains("did you mean `Reader`?"), "{}", missing.stdout);
}

#[test]
fn a_dash_is_standard_input() {
    let text = std::fs::read_to_string("tests/policies/broken.json").unwrap();
    let run = run(&["check", "-"], &text);
    assert_eq!(run.status, Some(1));
    assert!(run.stdout.contains("--> <stdin>:7:7"), "{}", run.stdout);
}

#[test]
fn the_kind_is_guessed_unless_it_is_told() {
    let wrong = run(&["check", "--kind", "identity", "trust.json"], "");
    assert_eq!(wrong.status, Some(1));
    assert!(wrong.stdout.contains("Principal"), "{}", wrong.stdout);
    let statement = |sid: &str| {
        format!(
            r#"{{"Sid": "{sid}", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{sid}/*"}}"#
        )
    };
    let statements: Vec<String> = (0..60).map(|number| statement(&format!("S{number}"))).collect();
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","));
    for (kind, status) in [("identity", 0), ("session", 1)] {
        let run = run(&["check", "--kind", kind, "-"], &text);
        assert_eq!(run.status, Some(status), "the size limit is that of the kind: {}", run.stdout);
    }
}

#[test]
fn the_managed_policies_of_aws_may_be_as_large_as_aws_likes() {
    let document = iam_policy::managed::find("ReadOnlyAccess").unwrap().document();
    let own: Value =
        serde_json::from_str(&run(&["check", "--format", "json", "-"], document).stdout).unwrap();
    assert_eq!(own["errors"], 0);
    let other = document.replacen("s3:", "sqs:", 1);
    let run = run(&["check", "-"], &other);
    assert!(run.stdout.contains("error[iam::size]"), "{}", run.stdout);
}

#[test]
fn placeholders_of_a_template_are_left_open() {
    let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "${bucket}"}}"#;
    assert_eq!(run(&["check", "-"], text).status, Some(1));
    assert_eq!(run(&["check", "-", "--template"], text).status, Some(0));
}

#[test]
fn a_file_that_cannot_be_read_does_not_keep_the_others_from_being_checked() {
    let run = run(&["check", "nowhere.json", "broken.json"], "");
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.starts_with("error: cannot read `nowhere.json`: "), "{}", run.stderr);
    assert!(run.stdout.contains("iam::duplicate-key"), "{}", run.stdout);
}

#[test]
fn sarif_has_a_rule_for_every_result() {
    let run = run(&["check", "--format", "sarif", "broken.json", "misspelt.json"], "");
    assert_eq!(run.status, Some(1));
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["version"], "2.1.0");
    let tool = &report["runs"][0]["tool"]["driver"];
    assert_eq!(tool["name"], "cargo-iam");
    let results = report["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(tool["rules"][index]["id"], result["ruleId"]);
    }
    let region = serde_json::json!({"startLine": 7, "startColumn": 7, "endLine": 7, "endColumn": 15});
    let location = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!((&location["region"], &location["artifactLocation"]["uri"]), (&region, &"broken.json".into()));
    assert_eq!(results[0]["relatedLocations"][0]["message"]["text"], "first given here");
    assert_eq!((&results[0]["level"], &results[2]["level"]), (&"error".into(), &"warning".into()));
}

#[test]
fn github_gets_one_annotation_a_finding() {
    let run = run(&["check", "--format", "github", "broken.json", "advice.json"], "");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[0].starts_with(
            "::error file=broken.json,line=7,endLine=7,col=7,endColumn=14,title=iam%3A%3Aduplicate-key::duplicate key `Action`%0Ahelp: "
        ),
        "{lines:?}"
    );
    assert!(lines[2].starts_with("::notice file=advice.json,line=3,"), "{lines:?}");
}

#[test]
fn colour_is_for_terminals_unless_it_is_forced() {
    let coloured = |arguments: &[&str], variable: &str| {
        let mut command = command(&[&["check", "broken.json"], arguments].concat());
        command.env(variable, "1");
        run_command(&mut command, "").stdout.contains('\u{1b}')
    };
    assert!(!coloured(&[], "UNRELATED"));
    assert!(coloured(&[], "CLICOLOR_FORCE"));
    assert!(!coloured(&[], "NO_COLOR"));
    assert!(coloured(&["--color", "always"], "NO_COLOR"));
    assert!(!coloured(&["--color", "never"], "CLICOLOR_FORCE"));
}
