//! No text makes anything panic that reads it: not as any kind of policy, not as a template, not behind a JSON pointer.
//!
//! An input is a byte for the kind, a line with a pointer if the next sign is `/`, and the text.

#![no_main]

use iam_policy::{Diagnostic, Policy, PolicyKind, Source, Template};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((kind, text)) = iam_policy_fuzz::kind_and_text(input) else { return };
    let (pointer, text) =
        text.split_once('\n').filter(|(line, _)| line.starts_with('/')).unwrap_or(("", text));
    let source = Source::new("p.json", text);
    read(&source, kind);
    match source.pointer(pointer) {
        Ok(narrowed) if !pointer.is_empty() => read(&narrowed, kind),
        Ok(_) => {}
        Err(problems) => problems.iter().for_each(show),
    }
    let template = Template::parse(source.clone());
    let filled = template.render(|name| (name.len() > 1).then(|| "\"\\\n".repeat(name.len())));
    match filled {
        // Without placeholders the template is the policy, and has been read.
        Ok(filled) if filled.text() == text => return,
        Ok(filled) => read(&filled, kind),
        Err(problems) => problems.iter().for_each(show),
    }
    Policy::check_template(source, kind).iter().for_each(show);
});

fn read(source: &Source, kind: PolicyKind) {
    let found = Policy::check(source, kind);
    found.iter().for_each(show);
    match Policy::parse(source, kind) {
        Ok(policy) => {
            assert!(
                policy.lint().len() == found.len(),
                "what is accepted has other lints than what is checked"
            );
            let _ = policy.check_condition_keys().map_err(|problems| problems.to_string());
            let _ = policy.check_size(kind.limit()).map_err(|problems| problems.to_string());
        }
        Err(problems) => {
            assert!(found.len() >= problems.iter().len(), "fewer problems checked than parsed");
            assert!(!problems.to_string().is_empty());
        }
    }
}

fn show(problem: &Diagnostic) {
    assert!(problem.to_string().contains(&problem.message));
    for label in &problem.labels {
        let text = label.source.text();
        assert!(text.get(label.span.start..label.span.end).is_some(), "{:?} cuts a character", label.span);
    }
}
