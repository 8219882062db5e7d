//! What every update of an AWS managed policy granted and took away, as kept in `updates.txt`.
//!
//! ```text
//! cargo test --package iam-policy-bench --test updates
//! UPDATE_SNAPSHOT=1 cargo test --package iam-policy-bench --test updates
//! ```

use std::fmt::Write;
use std::path::Path;

use iam_policy::Answer;
use iam_policy_bench::managed_policies;

const HEAD: &str = "\
# A line for each managed policy that was ever updated, a sign for each update:
# + it grants more   - it grants less   ~ more and less   = the same   ? not decided
";

#[test]
fn what_each_update_granted_is_known() {
    let mut text = HEAD.to_owned();
    for policy in managed_policies() {
        let versions: Vec<_> = policy.versions.iter().map(iam_policy::Policy::permissions).collect();
        if versions.len() < 2 {
            continue;
        }
        let signs = versions.iter().zip(versions.iter().skip(1)).map(|(old, new)| {
            match (new.is_subset(old), old.is_subset(new)) {
                (Answer::Unknown(_), _) | (_, Answer::Unknown(_)) => '?',
                (Answer::Yes, Answer::Yes) => '=',
                (Answer::Yes, Answer::No(_)) => '-',
                (Answer::No(_), Answer::Yes) => '+',
                (Answer::No(_), Answer::No(_)) => '~',
            }
        });
        let signs: String = signs.collect();
        writeln!(text, "{} {signs}", policy.name).expect("a text takes all");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("updates.txt");
    if std::env::var_os("UPDATE_SNAPSHOT").is_some() {
        std::fs::write(&path, &text).expect("the kept file");
    }
    let kept = std::fs::read_to_string(&path).expect("the kept file");
    let other = kept.lines().zip(text.lines()).find(|(kept, found)| kept != found);
    assert!(kept == text, "an answer has changed: {other:?}; is that so by the policies?");
}
