//! Policies parsed per CPU second, with all of their checks, beside `serde_json::Value` and the peers on the same texts.
#![expect(clippy::print_stdout, reason = "the report")]

use std::hint::black_box;

use iam_policy::{Policy, PolicyKind, managed};
use iam_policy_bench::{rate, typical_policy};

fn main() {
    let read_only = managed::find("ReadOnlyAccess").map_or("", managed::ManagedPolicy::document);
    for (name, text) in [("5 statements", typical_policy()), ("ReadOnlyAccess", read_only)] {
        println!("{name}, {} bytes", text.len());
        let floor = rate(|| drop(black_box(serde_json::from_str::<serde_json::Value>(black_box(text)))));
        let report = |name: &str, per_second: f64| {
            println!("  {name:<20} {per_second:>12.0} policies/s {:>8.2} of serde_json", per_second / floor);
        };
        report("serde_json::Value", floor);
        report("iam-policy", rate(|| drop(black_box(Policy::parse(black_box(text), PolicyKind::Identity)))));
        report(
            "iam-rs",
            rate(|| drop(black_box(serde_json::from_str::<iam_rs::IAMPolicy>(black_box(text))))),
        );
        report(
            "scratchstack-aspen",
            rate(|| drop(black_box(black_box(text).parse::<scratchstack_aspen::Policy>()))),
        );
    }
}
