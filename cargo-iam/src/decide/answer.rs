//! Decides a line, and writes the answer.

use serde::Serialize;
use serde_json::value::RawValue;

use super::policies::KnownPolicies;
use super::problem::Problem;
use super::question::Question;
use crate::statement::StatementName;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    id: &'a RawValue,
    decision: &'a str,
    by: Vec<StatementName<'a>>,
    missing_context: &'a [String],
    errors: &'a [Problem],
}

/// Appends the answer to a line, with its line break.
pub(super) fn answer(line: &[u8], number: usize, policies: &mut KnownPolicies, answers: &mut Vec<u8>) {
    let question = Question::read(line, number, policies);
    let invalid =
        Answer { id: question.id, decision: "invalid", by: Vec::new(), missing_context: &[], errors: &[] };
    match &question.asked {
        Ok((policies, request)) => {
            let decision = policies.decide(request);
            write(
                answers,
                &Answer {
                    decision: &decision.verdict.to_string(),
                    by: decision.by.iter().map(StatementName::from).collect(),
                    missing_context: &decision.missing_context,
                    ..invalid
                },
            );
        }
        Err(errors) => write(answers, &Answer { errors, ..invalid }),
    }
}

fn write(answers: &mut Vec<u8>, answer: &Answer<'_>) {
    // Strings and numbers are always JSON, and a vector takes all of it.
    let _ = serde_json::to_writer(&mut *answers, answer);
    answers.push(b'\n');
}
