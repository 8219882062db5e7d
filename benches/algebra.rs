//! Inclusion among AWS managed policies: every version, every update, and pairs of the newest versions; the worst questions that
//! are known; and the same questions asked of a solver.
//!
//! `cargo bench --package iam-policy-bench --bench algebra -- STEP REQUESTS` asks every STEP-th ordered pair (1: all of them; 97
//! without) and attacks inclusions that are said to hold with REQUESTS random requests each (100 without; 0 for none; from
//! 100,000 on only every hundredth inclusion).
#![expect(clippy::print_stdout, reason = "the report")]
#![expect(clippy::panic, reason = "a wrong answer ends the run")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cpu_time::ThreadTime;
use fastrand::Rng;
use iam_policy::{Answer, Permissions, Policy, PolicyKind};
use iam_policy_bench::{Attack, Managed, Tally, install, managed_policies, smt};

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let step = arguments.next().unwrap_or(97);
    let attacks = arguments.next().unwrap_or(100);
    let start = ThreadTime::now();
    let policies = managed_policies();
    let versions: usize = policies.iter().map(|policy| policy.versions.len()).sum();
    println!(
        "{} policies, {versions} versions, parsed in {:.2} CPU s",
        policies.len(),
        start.elapsed().as_secs_f64()
    );
    updates(&policies, attacks);
    pairs(&policies, step, attacks);
    worst();
    solver(&policies);
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status
            .lines()
            .filter(|line| line.starts_with("VmHWM"))
            .for_each(|line| println!("peak memory: {line}"));
    }
}

/// A version with its set, of which a part is made when it is first asked.
struct Side<'p> {
    policy: &'p Policy,
    permissions: Permissions,
}

impl Side<'_> {
    fn of(policy: &Policy) -> Side<'_> {
        Side { policy, permissions: policy.permissions() }
    }
}

fn updates(policies: &[Managed], attacks: usize) {
    let sides: Vec<(&str, Vec<Side<'_>>)> =
        policies.iter().map(|one| (&*one.name, one.versions.iter().map(Side::of).collect())).collect();
    let (mut granting, mut losing) = (Count::new(attacks), Count::new(attacks));
    for (name, versions) in &sides {
        for (old, new) in versions.iter().zip(versions.iter().skip(1)) {
            granting.ask(name, new, old);
            losing.ask(name, old, new);
        }
    }
    granting.report("updates: new within old");
    losing.report("updates: old within new");
}

fn pairs(policies: &[Managed], step: usize, attacks: usize) {
    let newest: Vec<(&str, Side<'_>)> =
        policies.iter().filter_map(|one| Some((&*one.name, Side::of(one.versions.last()?)))).collect();
    let mut count = Count::new(attacks);
    let mut number = 0_usize;
    for (of, a) in &newest {
        for (within, b) in &newest {
            number += 1;
            if of != within && number.is_multiple_of(step) {
                count.ask(&format!("{of} in {within}"), a, b);
            }
        }
    }
    count.report(&format!("one ordered pair in {step}"));
}

/// The answers to many questions, each of which is checked.
struct Count {
    tally: Tally,
    yes: usize,
    no: usize,
    crossing: usize,
    unknown: BTreeMap<String, usize>,
    examples: Vec<String>,
    attacks: usize,
    requests: usize,
    allowed: usize,
    random: Rng,
}

impl Count {
    fn new(attacks: usize) -> Count {
        Count {
            tally: Tally::default(),
            yes: 0,
            no: 0,
            crossing: 0,
            unknown: BTreeMap::new(),
            examples: Vec::new(),
            attacks,
            requests: 0,
            allowed: 0,
            random: Rng::with_seed(7),
        }
    }

    fn ask(&mut self, name: &str, a: &Side<'_>, b: &Side<'_>) {
        let start = ThreadTime::now();
        let answer = a.permissions.is_subset(&b.permissions);
        self.tally.add(start.elapsed(), name);
        match answer {
            Answer::No(found) => {
                self.no += 1;
                self.crossing += usize::from(found.crosses_colons());
                let request = found.request();
                let is_so = a.permissions.contains(request) && !b.permissions.contains(request);
                assert!(is_so, "{name}: the counterexample is none\n{found}");
            }
            Answer::Yes => {
                self.yes += 1;
                let is_attacked = match self.attacks {
                    0 => false,
                    1..100_000 => true,
                    _ => self.yes.is_multiple_of(100),
                };
                if is_attacked {
                    let (refuted, allowed) =
                        Attack::new(a.policy, b.policy).run(self.attacks, &mut self.random);
                    assert!(refuted.is_none(), "{name}: a request that refutes the inclusion: {refuted:?}");
                    self.requests += self.attacks;
                    self.allowed += allowed;
                }
            }
            Answer::Unknown(unknown) => {
                *self.unknown.entry(unknown.reason().to_owned()).or_default() += 1;
                self.examples.push(name.to_owned());
            }
        }
    }

    fn report(mut self, what: &str) {
        println!("{what}: {}", self.tally.report());
        println!(
            "  yes {} (of {} random requests {} are allowed, and none refutes one), no {} (every counterexample is replayed; {} are none where stars end at colons), unknown {}",
            self.yes,
            self.requests,
            self.allowed,
            self.no,
            self.crossing,
            self.unknown.values().sum::<usize>()
        );
        self.unknown.iter().for_each(|(reason, count)| println!("    {count}: {reason}"));
        self.examples.truncate(5);
        self.examples.iter().for_each(|name| println!("    such as {name}"));
    }
}

/// The families of questions that are known to grow fastest: each is answered, or is too much work.
fn worst() {
    println!("worst cases");
    for case in iam_policy_bench::worst_cases() {
        let parse = |text: &str| Policy::parse(text, PolicyKind::Identity).expect("a policy").permissions();
        let (new, old) = (parse(&case.new), parse(&case.old));
        let start = ThreadTime::now();
        let answer = match new.is_subset(&old) {
            Answer::No(_) => "no".to_owned(),
            Answer::Unknown(unknown) => unknown.to_string(),
            Answer::Yes => "yes".to_owned(),
        };
        println!("  {:7.1} ms  {}: {answer}", start.elapsed().as_secs_f64() * 1000.0, case.name);
    }
}

/// How long the solver may take for a question, in milliseconds.
const PATIENCE: u32 = 3000;

/// Longer questions it mostly does not answer in that time.
const LONGEST: usize = 4000;

/// The same questions, from the policies' texts on, to us and to z3.
fn solver(policies: &[Managed]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/z3");
    install(&folder, "z3", "z3-solver==5.4.0.0");
    let questions = questions(policies);
    let each: Vec<String> = questions
        .iter()
        .map(|(_, _, smt)| format!("(reset)\n(set-option :timeout {PATIENCE})\n{smt}"))
        .collect();
    std::fs::write(folder.join("questions.smt2"), each.concat()).expect("a file in target/");
    let before = children();
    let output = Command::new("bin/z3").arg("questions.smt2").current_dir(&folder).output().expect("z3 runs");
    let theirs = children().saturating_sub(before);
    let answers = String::from_utf8_lossy(&output.stdout);
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), questions.len(), "an answer to each question: {answers:?}");
    let mut ours = Duration::ZERO;
    let (mut same, mut open) = (0, 0);
    for ((new, old, _), answer) in questions.iter().zip(answers) {
        let start = ThreadTime::now();
        let parse = |text: &str| Policy::parse(text, PolicyKind::Identity).expect("a policy").permissions();
        let own = parse(new.source().fragment()).is_subset(&parse(old.source().fragment()));
        ours += start.elapsed();
        match (answer, &own) {
            ("sat", Answer::No(_)) | ("unsat", Answer::Yes) => same += 1,
            ("unknown", _) | (_, Answer::Unknown(_)) => open += 1,
            _ => panic!("z3 says {answer}, we {own:?}: {} in {}", new.source().name(), old.source().name()),
        }
    }
    println!(
        "z3: {} questions, {same} answered alike, {open} left open by one of us; z3 {:.2} CPU s, we {:.4} CPU s, from the texts on: {:.0} times as fast",
        questions.len(),
        theirs.as_secs_f64(),
        ours.as_secs_f64(),
        theirs.as_secs_f64() / ours.as_secs_f64()
    );
}

/// Updates in both directions and pairs, as many as z3 answers in half a minute, and small ones about variables.
fn questions(policies: &[Managed]) -> Vec<(Policy, Policy, String)> {
    const UPDATES: usize = 60;
    let mut pairs: Vec<(Policy, Policy)> = Vec::new();
    let updates = policies.iter().flat_map(|one| one.versions.iter().zip(one.versions.iter().skip(1)));
    for (old, new) in updates.step_by(UPDATES) {
        pairs.extend([(new.clone(), old.clone()), (old.clone(), new.clone())]);
    }
    let newest: Vec<&Policy> = policies.iter().filter_map(|one| one.versions.last()).collect();
    for (a, b) in newest.iter().step_by(9).zip(newest.iter().skip(4).step_by(11)) {
        pairs.push(((*a).clone(), (*b).clone()));
    }
    for (new, old) in iam_policy_bench::variable_cases() {
        let parse = |text: &str| Policy::parse(text, PolicyKind::Identity).expect("a policy");
        pairs.push((parse(&new), parse(&old)));
    }
    let asked = pairs.into_iter().filter_map(|(new, old)| {
        let text = smt::question(&new, &old).filter(|text| text.len() <= LONGEST)?;
        Some((new, old, text))
    });
    asked.collect()
}

/// The CPU time of the processes that have ended.
fn children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells times");
    let behind_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: u64 =
        behind_name.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
