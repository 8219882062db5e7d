//! How a decision's cost grows with the statements that have nothing to do with the request, as a table.
#![expect(clippy::print_stdout, reason = "the report")]

mod peers;

use std::hint::black_box;

use iam_policy_bench::{Workload, rate};
use peers::CONTESTANTS;

fn main() {
    grow("statements in one policy", true, &[1, 10, 100, 1_000, 10_000]);
    grow("attached policies of one statement", false, &[1, 10, 100, 1_000]);
}

fn grow(what: &str, in_one: bool, sizes: &[usize]) {
    print!("{what:<40}");
    for (name, _) in CONTESTANTS {
        print!("{name:>24}");
    }
    println!();
    for &size in sizes {
        let workload = Workload::many(size, in_one);
        print!("{size:<40}");
        for (_, prepare) in CONTESTANTS {
            match prepare(&workload) {
                Some(engine) => {
                    let per_second = rate(|| {
                        black_box(engine(black_box(0)));
                    });
                    print!("{:>21.0} ns", 1e9 / per_second);
                }
                None => print!("{:>24}", "–"),
            }
        }
        println!();
    }
}
