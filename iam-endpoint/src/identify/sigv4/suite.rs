//! The signatures of AWS's own test suite, which the published `aws-sigv4` crate carries, are good here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Request};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use super::canonical::PathRule;
use super::failure::{Failure, Kind};
use super::key::SigningKeys;
use super::payload::hash;
use super::presented::Presented;
use super::verify::{Expected, verify};
use crate::wire::headers::Headers;
use crate::wire::request;

/// What the suite writes as it is in a request line, where HTTP has an escape.
const UNWRITTEN: &AsciiSet = &CONTROLS.add(b' ');

#[test]
fn every_signature_of_the_test_suite_is_good_and_no_other() {
    let mut checked = 0;
    for case in fs::read_dir(suite()).unwrap() {
        let case = case.unwrap().path();
        for file in ["header-signed-request.txt", "query-signed-request.txt"] {
            // Two of the crate's own tell no secret.
            if !case.join("context.json").exists() {
                continue;
            }
            let told = format!("{}/{file}", case.file_name().unwrap().display());
            let signed = Signed::read(&case, file);
            match (signed.verify(|_| {}), signed.sends_token_unsigned) {
                (Ok(()), false) => {}
                // A token that is not signed could be another's.
                (Err(failure), true) if failure.kind == Kind::UnsignedHeaders => continue,
                // In the query it is a parameter that was added after signing.
                (Err(failure), true) if failure.kind == Kind::Mismatch => continue,
                (other, _) => panic!("{told}: {other:?}"),
            }
            let tampered = signed
                .verify(|parts| *parts = Request::put(parts.uri.clone()).body(()).unwrap().into_parts().0);
            assert!(tampered.is_err(), "{told}: another method and no headers");
            checked += 1;
        }
    }
    assert!(checked >= 70, "only {checked} signatures were found");
}

fn suite() -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let mut packages = metadata["packages"].as_array().unwrap().iter();
    let package = packages.find(|package| package["name"] == "aws-sigv4").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.with_file_name("aws-signing-test-suite").join("v4")
}

/// A request of the suite.
struct Signed {
    parts: Parts,
    body: String,
    secret: String,
    rule: PathRule,
    sends_token_unsigned: bool,
}

impl Signed {
    fn read(case: &Path, file: &str) -> Self {
        let read = |file: &str| fs::read_to_string(case.join(file)).unwrap().replace("\r\n", "\n");
        let context: Value = serde_json::from_str(&read("context.json")).unwrap();
        let text = read(file);
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let (line, headers) = head.split_once('\n').unwrap();
        let (method, rest) = line.split_once(' ').unwrap();
        let target = rest.strip_suffix(" HTTP/1.1").unwrap();
        let escaped = utf8_percent_encode(target, UNWRITTEN).to_string();
        let is_plain = escaped.split('?').next() == target.split('?').next();
        let normalizes = context["normalize"] == true;
        let mut parts = Request::builder().method(method).uri(escaped).body(()).unwrap().into_parts().0;
        // A line that begins with a space goes on with the value before.
        for header in headers.replace("\n ", " ").lines().filter(|line| !line.is_empty()) {
            let (name, value) = header.split_once(':').unwrap();
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            parts.headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        Self {
            parts,
            body: body.to_owned(),
            secret: context["credentials"]["secret_access_key"].as_str().unwrap().to_owned(),
            rule: if normalizes && is_plain { PathRule::EncodedTwice } else { PathRule::EncodedOnce },
            sends_token_unsigned: context["omit_session_token"] == true,
        }
    }

    fn verify(&self, tamper: impl FnOnce(&mut Parts)) -> Result<(), Failure> {
        let mut parts = self.parts.clone();
        let original = Headers::of(&self.parts.headers);
        let line = request::Parts::of(&self.parts);
        let presented = Presented::read(&line, &original)?.expect("the request is signed");
        tamper(&mut parts);
        let headers = Headers::of(&parts.headers);
        let expected = Expected {
            regions: &["us-east-1"],
            is_s3: self.rule == PathRule::EncodedOnce,
            now: presented.signed_at,
            authority: "",
            payload_hash: &hash(self.body.as_bytes()),
        };
        verify(&presented, &request::Parts::of(&parts), &headers, &SigningKeys::new(&*self.secret), &expected)
    }
}
