//! What the compiler says where `#[iam_policy]` cannot work, word for word, with the policy's own lines and columns.
//!
//! The files of `ui/` are binaries of a package that a real cargo checks. `trybuild` would strip lines and columns from
//! snippets that are not rustc's, and build the AWS SDK once more.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[test]
fn every_mistake_has_its_message_on_the_right_token() {
    let package = Package::new("compile-errors");
    copy_files(&ui(), &package.path("src/bin"), "rs");
    copy_files(&ui().join("policies"), &package.path("src/bin/policies"), "json");
    let output =
        package.cargo(&["check", "--bins", "--profile=test", "--keep-going", "--message-format=json"]);

    let mut messages: BTreeMap<String, String> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect("cargo speaks JSON");
        if let Some(error) = error(&event["message"]) {
            let target = event["target"]["name"].as_str().unwrap_or_default();
            messages.entry(target.to_owned()).or_default().push_str(&error);
        }
    }
    let names = fs::read_dir(ui()).expect("`ui` is there").filter_map(|entry| {
        let path = entry.expect("`ui` is readable").path();
        (path.extension() == Some(OsStr::new("rs"))).then(|| path.file_stem()?.to_str().map(str::to_owned))?
    });
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(ui());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for name in names {
            let messages = messages
                .get(&name)
                .unwrap_or_else(|| panic!("`{name}.rs` compiles:\n{}", text(&output.stderr)));
            insta::assert_snapshot!(name, messages);
        }
    });
}

#[test]
fn editing_the_policy_rebuilds_the_test() {
    let package = Package::new("rebuild");
    let reader = fs::read_to_string(ui().join("policies/reader.json")).expect("`reader.json` is there");
    package.write("policies/reader.json", &reader);
    package.write(
        "src/lib.rs",
        r#"
        #[cfg(test)]
        #[iam_fixture::iam_policy("../policies/reader.json")]
        async fn reads(_config: iam_fixture::SdkConfig) {}
        "#,
    );
    let run = || package.cargo(&["test", "--lib", "--", "--nocapture"]);
    let policy_of_size = |bytes: usize| format!("the policy has {bytes} bytes");

    let first = run();
    assert!(text(&first.stdout).contains(&policy_of_size(reader.len())), "{}", text(&first.stderr));

    package.write("policies/reader.json", &format!("{reader}\n\n"));
    let edited = run();
    assert!(text(&edited.stdout).contains(&policy_of_size(reader.len() + 2)), "{}", text(&edited.stderr));

    package.write("policies/reader.json", &reader.replace("Allow", "Alow"));
    let broken = run();
    assert!(!broken.status.success());
    assert!(text(&broken.stderr).contains("--> policies/reader.json:3:"), "{}", text(&broken.stderr));

    package.write("policies/reader.json", &reader);
    let mended = run();
    assert!(mended.status.success(), "{}", text(&mended.stderr));
}

/// An error, or a warning of ours, as rustc shows it. Of those that are rustc's own, with a code, only the place: their
/// words are the toolchain's.
fn error(message: &serde_json::Value) -> Option<String> {
    let place = message["spans"].as_array()?.iter().find(|span| span["is_primary"] == true)?;
    let code = match (message["level"].as_str()?, message["code"]["code"].as_str()) {
        ("error", None) => return message["rendered"].as_str().map(str::to_owned),
        // How the attribute warns.
        ("warning", Some("deprecated")) => {
            let rendered = message["rendered"].as_str()?;
            return Some(
                rendered
                    .lines()
                    .filter(|line| !line.contains("`#[warn("))
                    .fold(String::new(), |all, line| all + line + "\n"),
            );
        }
        ("error", Some(code)) => code,
        _ => return None,
    };
    let source = place["text"][0]["text"].as_str()?;
    let file = place["file_name"].as_str()?;
    let (line, column, end) = (&place["line_start"], &place["column_start"], &place["column_end"]);
    Some(format!("{code} --> {file}:{line}:{column}-{end}: {}\n", source.trim()))
}

/// A package that depends on the attribute, as a user's does.
struct Package {
    root: PathBuf,
}

impl Package {
    fn new(name: &str) -> Package {
        let package = Package { root: Path::new(env!("CARGO_TARGET_TMPDIR")).join(name) };
        if package.root.exists() {
            fs::remove_dir_all(&package.root).expect("what an earlier run left can go");
        }
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above");
        let lock = fs::read_to_string(workspace.join("Cargo.lock")).expect("the workspace is locked");
        package.write("Cargo.lock", &lock);
        package.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = '{name}'\nedition = '2024'\n\n[dependencies]\niam-fixture.path = 'fixture'\n\n[workspace]\n"
            ),
        );
        package.write(
            "fixture/Cargo.toml",
            &format!(
                "[package]\nname = 'iam-fixture'\nedition = '2024'\n\n[lib]\npath = '{}'\n\n[dependencies]\n\
                 iam-fixture-macros.path = '{}'\n",
                ui().join("fixture/lib.rs").display(),
                workspace.join("iam-fixture-macros").display(),
            ),
        );
        package
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file is in a directory"))
            .expect("a directory can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// All packages share what the attribute itself is built of.
    fn cargo(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO"))
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("RUSTFLAGS")
            .args(arguments)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("attribute"))
            .output()
            .expect("cargo runs")
    }
}

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui")
}

fn copy_files(from: &Path, to: &Path, extension: &str) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("the directory is there") {
        let path = entry.expect("the directory is readable").path();
        if path.extension() == Some(OsStr::new(extension)) {
            fs::copy(&path, to.join(path.file_name().expect("a file has a name")))
                .expect("a file can be copied");
        }
    }
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}
