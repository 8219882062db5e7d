//! Explanations for people: short first, then the places in the policies.

use std::fmt;

use super::{Explanation, StatementTrace};
use crate::diagnostic::{Label, Snippet, quoted};
use crate::document::Effect;
use crate::evaluate::{PolicyType, Reason};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = self.request();
        let decision = self.decision();
        writeln!(
            f,
            "{}: `{}` on `{}` by `{}`",
            decision.verdict, request.action, request.resource, request.principal
        )?;
        f.write_str(&decision.reason.sentence(&request.action))?;
        match decision.reason {
            Reason::Allowed => Explanation::notes(f, self.deciding(), "allows it")?,
            Reason::ExplicitDeny(_) => Explanation::notes(f, self.deciding(), "denies it")?,
            Reason::NoAllow(silent) => {
                let misses = self.near_misses();
                let verb = if misses.len() > 1 { "came near" } else { "came nearest" };
                Explanation::notes(f, misses.iter().copied(), verb)?;
                if misses.is_empty() {
                    write!(f, "\n\nnote: {}", self.nothing_near(silent))?;
                }
                Explanation::notes(
                    f,
                    self.half_grants(),
                    "allows it, but an identity-based policy must too",
                )?;
            }
        }
        if !decision.missing_context.is_empty() {
            let keys = quoted(decision.missing_context.iter().map(String::as_str));
            write!(f, "\n\nnote: nothing is known of {keys} in this request; taken as absent")?;
        }
        Ok(())
    }
}

impl Explanation {
    /// One snippet for each of the first statements.
    fn notes<'t>(
        f: &mut fmt::Formatter<'_>,
        traces: impl Iterator<Item = &'t StatementTrace>,
        what: &str,
    ) -> fmt::Result {
        const MOST: usize = 3;
        for trace in traces.take(MOST) {
            let policy_type = trace.statement().policy_type();
            let (article, sid) =
                (policy_type.article(), trace.statement().sid().filter(|sid| !sid.is_empty()));
            f.write_str("\n\nnote: ")?;
            match sid {
                Some(sid) => write!(f, "statement `{sid}`")?,
                None => f.write_str("this statement")?,
            }
            write!(f, " of {article} {policy_type} {what}{}", Snippet { labels: &trace.labels() })?;
        }
        Ok(())
    }

    /// Where identity-based policies are silent: what the resource's own policy allows to the account, or across accounts.
    fn half_grants(&self) -> impl Iterator<Item = &StatementTrace> {
        let wanted = self.decision().reason == Reason::NoAllow(PolicyType::Identity);
        self.statements().iter().filter(move |trace| {
            let of_resource =
                matches!(trace.statement().policy_type(), PolicyType::Resource | PolicyType::Trust);
            wanted
                && of_resource
                && trace.matches()
                && trace.statement().statement().effect() == Effect::Allow
        })
    }

    /// Why there is no statement to show for an implicit deny.
    fn nothing_near(&self, silent: PolicyType) -> String {
        let of_type = |trace: &&StatementTrace| trace.statement().policy_type() == silent;
        if !self.statements().iter().any(|trace| of_type(&trace)) {
            return format!("there is no {silent}, or it has no statement");
        }
        let service = self.request().action.split(':').next().unwrap_or_default();
        format!("no statement of {} {silent} allows an action of `{service}`", silent.article())
    }
}

impl StatementTrace {
    /// What did not match, or where all does, every element; the first is what the eye should go to.
    fn labels(&self) -> Vec<Label> {
        let source = self.statement().policy().source();
        let mut labels = Vec::new();
        // What does not match stands first.
        for matches in [false, true] {
            for element in self.elements().iter().filter(|element| element.matches() == matches) {
                if !matches || self.matches() || element.is_action() {
                    labels.push(Label {
                        source: source.clone(),
                        span: element.span(),
                        text: element.text().to_owned(),
                    });
                }
            }
        }
        labels
    }
}
