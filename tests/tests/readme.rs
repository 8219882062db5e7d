//! What the README shows is what runs.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    fs::read_to_string(root.join(path)).expect("the file is part of the repository")
}

/// The code blocks of a language.
fn blocks(markdown: &str, language: &str) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        if line == format!("```{language}") {
            blocks.push(lines.by_ref().take_while(|line| *line != "```").map(str::to_owned).collect());
        }
    }
    blocks
}

/// Every line of a Rust block stands in quickstart.rs, in that order; imports differ, for there is more to import there.
#[test]
fn its_rust_stands_in_the_quickstart() {
    let quickstart = read("tests/tests/quickstart.rs");
    let blocks = blocks(&read("README.md"), "rust");
    assert!(blocks.len() >= 3, "the README shows a test, a table and the builder");
    for block in blocks {
        let mut lines = quickstart.lines().map(str::trim);
        for line in block.iter().map(|line| line.trim()) {
            if !line.is_empty() && !line.starts_with("use ") {
                assert!(
                    lines.any(|there| there == line),
                    "not in quickstart.rs, or not in this order: {line}"
                );
            }
        }
    }
}

#[test]
fn its_first_test_is_whole_by_line_thirty() {
    let readme = read("README.md");
    let head: Vec<_> = readme.lines().take(30).collect();
    assert!(head.iter().any(|line| line.starts_with("#[iam_policy(")));
    assert!(head.contains(&"}"), "the test ends within thirty lines");
}

#[test]
fn its_output_is_that_of_the_quickstart() {
    let quickstart = read("tests/tests/quickstart.rs");
    let console = blocks(&read("README.md"), "console").concat();
    let shown: Vec<_> =
        console.iter().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... ok")).collect();
    let cases = quickstart.matches("#[case::").count() + quickstart.matches("async fn ").count() - 1;
    assert_eq!(shown.len(), cases, "one line for each test and case: {shown:?}");
    for name in shown {
        let function = name.split("::").next().unwrap_or(name);
        assert!(quickstart.contains(&format!("async fn {function}(")), "{name} is not in quickstart.rs");
    }
}
