//! What a simulation answers.

use iam_policy::{Decision, Location, PolicyType, Source, Span, StatementRef, Verdict};

use super::subject::Subject;
use crate::wire::xml::Xml;

/// The answer for one action.
pub(super) struct Answer<'a> {
    pub(super) action: &'a str,
    /// What stands for all resources.
    pub(super) resource: String,
    /// One for each resource, or one for `*`.
    pub(super) findings: Vec<Finding<'a>>,
    /// How many resources the request names.
    pub(super) resources: usize,
}

/// The decision on one resource.
pub(super) struct Finding<'a> {
    pub(super) subject: &'a Subject,
    pub(super) resource: &'a str,
    pub(super) decision: Decision,
    /// Whether the permissions boundary allows it, if there is one.
    pub(super) bounded: Option<bool>,
    /// Whether the organization's service control policies allow it, if there are any.
    pub(super) by_organization: Option<bool>,
    pub(super) by_type: Vec<(&'static str, Verdict)>,
}

impl Answer<'_> {
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html>
    pub(super) fn write(&self, xml: &mut Xml) {
        xml.leaf("EvalActionName", self.action);
        xml.leaf("EvalResourceName", &self.resource);
        xml.leaf("EvalDecision", &self.verdict().to_string());
        let only = match self.findings.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        if let Some(only) = only {
            only.write_statements(xml);
            // Where resources are named, what is missing stands beside each of them.
            let is_about_all = self.resources == 0 || only.resource == "*";
            only.write_missing(is_about_all, xml);
            only.write_boundary(xml);
            if let Some(allowed) = only.by_organization {
                xml.element("OrganizationsDecisionDetail", |xml| {
                    xml.leaf("AllowedByOrganizations", if allowed { "true" } else { "false" });
                });
            }
        } else {
            xml.leaf("MatchedStatements", "");
            xml.leaf("MissingContextValues", "");
        }
        if self.resources == 0 {
            return;
        }
        match only {
            Some(only) => only.write_details(xml),
            None => xml.leaf("EvalDecisionDetails", ""),
        }
        xml.element("ResourceSpecificResults", |xml| {
            for finding in &self.findings {
                xml.element("member", |xml| finding.write(xml));
            }
        });
    }

    /// The strictest of all: allowed only where every resource is.
    fn verdict(&self) -> Verdict {
        let has = |verdict| self.findings.iter().any(|finding| finding.decision.verdict == verdict);
        [Verdict::ExplicitDeny, Verdict::ImplicitDeny]
            .into_iter()
            .find(|one| has(*one))
            .unwrap_or(Verdict::Allowed)
    }
}

impl Finding<'_> {
    fn write(&self, xml: &mut Xml) {
        xml.leaf("EvalResourceName", self.resource);
        xml.leaf("EvalResourceDecision", &self.decision.verdict.to_string());
        self.write_statements(xml);
        self.write_missing(true, xml);
        self.write_details(xml);
        self.write_boundary(xml);
    }

    fn write_statements(&self, xml: &mut Xml) {
        xml.element("MatchedStatements", |xml| {
            for statement in &self.decision.by {
                xml.element("member", |xml| self.write_statement(statement, xml));
            }
        });
    }

    fn write_statement(&self, statement: &StatementRef, xml: &mut Xml) {
        xml.leaf("SourcePolicyId", &self.subject.name(&statement.policy_name()));
        let kind = match statement.policy_type() {
            PolicyType::Resource | PolicyType::Trust => "Resource Policy",
            _ => "IAM Policy",
        };
        xml.leaf("SourcePolicyType", kind);
        let source = statement.policy().source();
        let Span { start, end } = place(source, statement.statement().span());
        write_position("StartPosition", source.location(start), xml);
        write_position("EndPosition", source.location(end), xml);
    }

    fn write_missing(&self, all: bool, xml: &mut Xml) {
        xml.element("MissingContextValues", |xml| {
            for key in self.decision.missing_context.iter().filter(|_| all) {
                xml.leaf("member", key);
            }
        });
    }

    fn write_details(&self, xml: &mut Xml) {
        xml.element("EvalDecisionDetails", |xml| {
            for (policies, verdict) in &self.by_type {
                xml.element("entry", |xml| {
                    xml.leaf("key", policies);
                    xml.leaf("value", &verdict.to_string());
                });
            }
        });
    }

    fn write_boundary(&self, xml: &mut Xml) {
        if let Some(allowed) = self.bounded {
            xml.element("PermissionsBoundaryDecisionDetail", |xml| {
                xml.leaf("AllowedByPermissionsBoundary", if allowed { "true" } else { "false" });
            });
        }
    }
}

/// A statement's place as AWS tells it: from where the token before it ends.
fn place(source: &Source, statement: Span) -> Span {
    let before = source.text().get(..statement.start).unwrap_or_default().trim_end();
    let before = before.strip_suffix(',').map_or(before, str::trim_end);
    Span { start: before.len(), end: statement.end }
}

fn write_position(name: &str, at: Location, xml: &mut Xml) {
    xml.element(name, |xml| {
        xml.leaf("Line", &at.line.to_string());
        xml.leaf("Column", &at.column.to_string());
    });
}

#[cfg(test)]
mod tests {
    use iam_policy::{Policy, PolicyKind};

    use super::*;

    fn places(text: &str) -> Vec<String> {
        let policy = Policy::parse(text, PolicyKind::Identity).unwrap();
        let source = policy.source();
        let place = |span| {
            let Span { start, end } = place(source, span);
            format!("{}-{}", source.location(start), source.location(end))
        };
        policy.statements().iter().map(|statement| place(statement.span())).collect()
    }

    #[test]
    fn a_statement_begins_where_the_token_before_it_ends() {
        let pretty = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \
                      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}";
        // What AWS answers for AdministratorAccess.
        assert_eq!(places(pretty), ["3:17-8:6"]);
        let one = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let compact = format!(r#"{{"Version":"2012-10-17","Statement":[{one},{one}]}}"#);
        assert_eq!(places(&compact), ["1:38-1:84", "1:84-1:131"]);
    }
}
