//! `cargo iam venn`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::run;
use serde_json::Value;

#[test]
fn the_diagram_of_the_readme_is_what_the_command_draws() {
    let drawn = run(&["venn", "ReadOnlyAccess", "PowerUserAccess"], "");
    assert_eq!(drawn.status, Some(0), "{}", drawn.stderr);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/venn.svg");
    let kept = std::fs::read_to_string(kept).unwrap();
    assert!(
        drawn.stdout == kept,
        "the diagram has changed: `cargo iam venn ReadOnlyAccess PowerUserAccess -o docs/venn.svg`"
    );
}

#[test]
fn every_action_is_in_one_region() {
    let json =
        run(&["venn", "ReadOnlyAccess", "PowerUserAccess", "SecurityAudit", "--format", "json"], "").stdout;
    let report: Value = serde_json::from_str(&json).unwrap();
    let regions = report["regions"].as_array().unwrap();
    assert_eq!(regions.len(), 8);
    let count = |value: &Value| value["count"].as_u64().unwrap();
    assert_eq!(regions.iter().map(count).sum::<u64>(), report["actions"].as_u64().unwrap());
    for policy in report["policies"].as_array().unwrap() {
        let of_policy =
            regions.iter().filter(|region| region["allowedBy"].as_array().unwrap().contains(&policy["name"]));
        assert_eq!(of_policy.map(count).sum::<u64>(), count(policy));
    }
    for region in regions {
        let services = region["services"].as_object().unwrap().values();
        assert_eq!(services.map(|count| count.as_u64().unwrap()).sum::<u64>(), count(region));
    }
}

#[test]
fn the_picture_is_for_light_and_dark_and_goes_to_a_file() {
    let file = std::env::temp_dir().join(format!("cargo-iam-venn-{}.svg", std::process::id()));
    let file = file.to_str().unwrap();
    let policy = |action: &str| {
        format!(r#"{{"Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}}}"#)
    };
    let other = std::env::temp_dir().join(format!("cargo-iam-venn-{}.json", std::process::id()));
    std::fs::write(&other, policy("sqs:*")).unwrap();
    let drawn = run(&["venn", "-", other.to_str().unwrap(), "-o", file], &policy("sqs:Get*"));
    assert_eq!((drawn.status, drawn.stdout.as_str()), (Some(0), ""), "{}", drawn.stderr);
    let svg = std::fs::read_to_string(file).unwrap();
    assert!(svg.contains("prefers-color-scheme: dark"));
    // One within the other: what is only the larger one's, what is of both, and what is denied.
    assert_eq!(svg.matches("class=\"count\"").count(), 3, "{svg}");
    assert!(svg.contains("denied by both"));
}

#[test]
fn one_policy_is_no_diagram() {
    assert_eq!(run(&["venn", "ReadOnlyAccess"], "").status, Some(2));
}
