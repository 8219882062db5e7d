//! Decisions per CPU second on one thread, ours beside its peers', on the same questions in the same run.
//!
//! A peer's rate says nothing without its answers: beside it stands how many of them agree with ours.
#![expect(clippy::print_stdout, reason = "the report")]

mod peers;

use std::hint::black_box;

use iam_policy_bench::{Workload, rate};
use peers::CONTESTANTS;

fn main() {
    for workload in [
        Workload::managed("ReadOnlyAccess"),
        Workload::managed("PowerUserAccess"),
        Workload::teams(),
        Workload::teams_alike(),
    ] {
        compare(&workload);
    }
}

fn compare(workload: &Workload) {
    println!("{}", workload.name);
    let count = workload.questions.len();
    let mut reference = None;
    for (name, prepare) in CONTESTANTS {
        let Some(engine) = prepare(workload) else {
            println!("  {name:<20} cannot read the policy");
            continue;
        };
        let answers: Vec<_> = (0..count).map(&engine).collect();
        let mut number = 0;
        let per_second = rate(|| {
            black_box(engine(black_box(number)));
            number = if number + 1 == count { 0 } else { number + 1 };
        });
        let (ours, expected) = reference.get_or_insert((per_second, answers.clone()));
        let agreeing = answers.iter().zip(&*expected).filter(|(answer, expected)| answer == expected).count();
        let ratio = *ours / per_second;
        println!(
            "  {name:<20} {per_second:>12.0} decisions/s   ours is {ratio:>8.1} times as fast   agrees on {agreeing} of {count}"
        );
    }
}
