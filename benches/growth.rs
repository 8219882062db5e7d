//! How a decision's cost grows with the statements that have nothing to do with the request: tables, and a plot of them.
#![expect(clippy::print_stdout, reason = "the report")]

mod peers;

use std::hint::black_box;

use iam_policy_bench::{Workload, rate};
use peers::CONTESTANTS;

fn main() {
    let sizes = [1, 10, 100, 1_000, 10_000];
    for (what, in_one, own_action, sizes) in [
        ("statements of one policy, each about an action of its own", true, true, &sizes[..]),
        (
            "statements of one policy, all about one action, each on a resource of its own",
            true,
            false,
            &sizes,
        ),
        ("policies of one statement, each about an action of its own", false, true, &sizes[..4]),
        (
            "policies of one statement, all about one action, each on a resource of its own",
            false,
            false,
            &sizes[..4],
        ),
    ] {
        let rows: Vec<Row> =
            sizes.iter().map(|&size| Row::measure(&Workload::many(size, in_one, own_action), size)).collect();
        println!("\n{what}\n");
        table(&rows);
        plot(&rows);
    }
}

/// What one decision costs each contestant, in nanoseconds; `None` where one cannot read the policies.
struct Row {
    size: usize,
    costs: Vec<Option<f64>>,
}

impl Row {
    fn measure(workload: &Workload, size: usize) -> Row {
        let cost = |prepare: fn(&Workload) -> Option<peers::Engine>| {
            let engine = prepare(workload)?;
            let per_second = rate(|| {
                black_box(engine(black_box(0)));
            });
            Some(1e9 / per_second)
        };
        Row { size, costs: CONTESTANTS.iter().map(|(_, prepare)| cost(*prepare)).collect() }
    }
}

fn table(rows: &[Row]) {
    print!("{:>8}", "");
    for (name, _) in CONTESTANTS {
        print!("{name:>24}");
    }
    println!();
    for row in rows {
        print!("{:>8}", row.size);
        for cost in &row.costs {
            match cost {
                Some(cost) => print!("{cost:>21.0} ns"),
                None => print!("{:>24}", "–"),
            }
        }
        println!();
    }
}

/// Both axes are logarithmic: what grows with the statements climbs, and what does not stays level.
fn plot(rows: &[Row]) {
    const LEVELS_A_DECADE: f64 = 2.0;
    const WIDTH: usize = 9;
    /// One for each contestant.
    const MARKS: [char; 3] = ['●', '+', '×'];
    let level = |cost: f64| (cost.log10() * LEVELS_A_DECADE).round();
    let levels = || rows.iter().flat_map(|row| row.costs.iter().flatten()).map(|cost| level(*cost));
    let (lowest, mut height) = (levels().fold(f64::INFINITY, f64::min), levels().fold(0.0, f64::max));
    println!();
    while height >= lowest {
        print!("{:>10.0} ns │", 10_f64.powf(height / LEVELS_A_DECADE));
        for row in rows {
            let marked = row.costs.iter().zip(MARKS).filter(|(cost, _)| cost.map(level) == Some(height));
            print!("{:>WIDTH$}", marked.map(|(_, mark)| mark).collect::<String>());
        }
        println!();
        height -= 1.0;
    }
    print!("{:>14}└{}\n{:>15}", "", "─".repeat(WIDTH * rows.len()), "");
    for row in rows {
        print!("{:>WIDTH$}", row.size);
    }
    for ((name, _), mark) in CONTESTANTS.iter().zip(MARKS) {
        print!("   {mark} {name}");
    }
    println!();
}
