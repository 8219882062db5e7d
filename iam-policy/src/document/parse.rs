//! Reads a policy from JSON, and reports all that is wrong with it at once.

use std::borrow::Cow;
use std::sync::Arc;

use super::check;
use super::control;
use super::principal::PrincipalMatcher;
use super::{Clause, Document, Effect, Item, Policy, PolicyKind, Reading, Rejected, Statement, Version};
use crate::condition::{BadOperand, Condition, Operand, Operator};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::evaluate::Topics;
use crate::json::{self, Kind, Member, Value};
use crate::near::near;
use crate::pattern::{Pattern, Syntax, Wildcards};
use crate::source::{Source, Span};
use crate::template::is_templated;

pub(super) fn parse(source: Source, kind: PolicyKind, reading: Reading) -> Result<Policy, Rejected> {
    let mut problems = Vec::new();
    let json = json::parse(&source, &mut problems);
    let mut parser = Parser { source: &source, kind, reading, version: Version::V2008, problems };
    let document = json.and_then(|json| parser.document(&json));
    let problems = Diagnostics::unless_empty(parser.problems, ());
    match document {
        Some((version, id, statements)) => {
            let topics = Topics::new(&statements);
            let document = Document { source, kind, reading, version, id, statements, topics };
            let policy = Policy(Arc::new(document));
            match problems {
                Ok(()) => Ok(policy),
                Err(problems) => Err(Rejected { problems, readable: Some(policy) }),
            }
        }
        None => {
            Err(Rejected { problems: problems.err().unwrap_or_else(|| unreadable(&source)), readable: None })
        }
    }
}

/// No path leads here without a problem noted; should one ever, this is better than a panic.
fn unreadable(source: &Source) -> Diagnostics {
    Diagnostic::error(SYNTAX, "this is not a policy").label(source, source.start(), "").into()
}

pub(super) struct Parser<'s> {
    pub(super) source: &'s Source,
    pub(super) kind: PolicyKind,
    reading: Reading,
    version: Version,
    problems: Vec<Diagnostic>,
}

pub(super) const SYNTAX: &str = "iam::syntax";
const PAGES: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html";

/// The elements of a statement.
const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

type Parsed = (Option<Version>, Option<Box<str>>, Vec<Statement>);

impl Parser<'_> {
    fn document(&mut self, json: &Value<'_>) -> Option<Parsed> {
        check::characters(self);
        let Kind::Object(members) = &json.kind else {
            let message = format!("a policy is a JSON object, and this is {}", json.kind.name());
            self.report(self.error(SYNTAX, message, json.span.first_byte(), "expected `{` here").docs(PAGES));
            return None;
        };
        let Some(statement) = find(members, "Statement") else {
            self.no_statement(json, members);
            return None;
        };
        for member in members {
            if !matches!(&*member.key, "Version" | "Id" | "Statement") {
                self.unknown_element(member, "a policy", &["Version", "Id", "Statement"]);
            }
        }
        let written = find(members, "Version");
        let version = written.and_then(|member| self.version(member));
        self.version = match version {
            // What a wrong version, or a placeholder, stands for is not known; the newer version has more rules to check.
            None if written.is_some() => Version::V2012,
            version => version.unwrap_or(Version::V2008),
        };
        control::version(self, written.map_or(json.span.first_byte(), |member| member.value.span));
        let id = find(members, "Id")
            .and_then(|member| self.text(&member.value, "Id"))
            .map(|(text, _)| text.into());
        let statements = self.statements(&statement.value);
        check::unique_sids(self, &statements);
        Some((version, id, statements))
    }

    fn version(&mut self, member: &Member<'_>) -> Option<Version> {
        let (text, span) = self.text(&member.value, "Version")?;
        let version = Version::ALL.into_iter().find(|version| version.to_string() == text);
        if version.is_none() && !self.is_open(&text) {
            let message = format!("`{text}` is not a version of the policy language");
            self.report(
                self.error("iam::version", message, span, "")
                    .help("write `2012-10-17`, or `2008-10-17` for a policy without variables")
                    .docs("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html"),
            );
        }
        version
    }

    fn statements(&mut self, value: &Value<'_>) -> Vec<Statement> {
        match &value.kind {
            Kind::Object(members) => self.statement(value, members).into_iter().collect(),
            Kind::Array(items) => {
                if items.is_empty() {
                    self.report(
                        self.error(
                            "iam::empty",
                            "`Statement` is empty",
                            value.span,
                            "expected a statement here",
                        )
                        .docs(PAGES),
                    );
                }
                let read = |item: &Value<'_>| match &item.kind {
                    Kind::Object(members) => self.statement(item, members),
                    other => {
                        let message = format!("a statement is an object, and this is {}", other.name());
                        self.report(self.error(SYNTAX, message, item.span, ""));
                        None
                    }
                };
                items.iter().filter_map(read).collect()
            }
            other => {
                let message =
                    format!("`Statement` is a statement or a list of them, and this is {}", other.name());
                self.report(self.error(SYNTAX, message, value.span, "").docs(PAGES));
                Vec::new()
            }
        }
    }

    fn statement(&mut self, value: &Value<'_>, members: &[Member<'_>]) -> Option<Statement> {
        for member in members.iter().filter(|member| !ELEMENTS.contains(&&*member.key)) {
            self.unknown_element(member, "a statement", &ELEMENTS);
        }
        let sid = find(members, "Sid").and_then(|member| {
            let (text, span) = self.text(&member.value, "Sid")?;
            check::sid(self, &text, span);
            Some(Item { text: text.into(), span, matcher: () })
        });
        let effect = self.effect(value, members);
        let principal = self.principal(value, members);
        let action = self.either(value, members, "Action", "NotAction", true).map(|(negated, member)| {
            if negated {
                control::not_action(self, member.key_span);
            }
            self.clause(negated, &member.value, &member.key, |parser, text, span| {
                if parser.is_open(text) {
                    return None;
                }
                check::action(parser, text, span);
                // The check reports what `$` and `{` are: no variable is one in an action.
                Pattern::compile(text, Syntax { wildcards: Wildcards::Free, fold: true, ..Syntax::default() })
                    .ok()
            })
        });
        let resource = self.resource(value, members, action.as_ref());
        let conditions =
            find(members, "Condition").map(|member| self.conditions(&member.value)).unwrap_or_default();
        let (effect, effect_span) = effect?;
        let statement =
            Statement { sid, effect, span: value.span, principal, action: action?, resource, conditions };
        control::statement(self, &statement, effect_span);
        Some(statement)
    }

    fn effect(&mut self, statement: &Value<'_>, members: &[Member<'_>]) -> Option<(Effect, Span)> {
        const PAGE: &str =
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_effect.html";
        let Some(member) = find(members, "Effect") else {
            let help = "add `\"Effect\": \"Allow\"` or `\"Effect\": \"Deny\"`";
            self.missing(statement, members, &["Effect"], help);
            return None;
        };
        let (text, span) = self.text(&member.value, "Effect")?;
        match &*text {
            "Allow" => Some((Effect::Allow, span)),
            "Deny" => Some((Effect::Deny, span)),
            // It stands for either; a template is not decided with.
            text if self.is_open(text) => Some((Effect::Deny, span)),
            _ => {
                let error = self.error("iam::effect", format!("`{text}` is not an effect"), span, "");
                let help = match near(&text, ["Allow", "Deny"]).first() {
                    Some(near) if near.eq_ignore_ascii_case(&text) => format!("write `{near}`: case counts"),
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write `Allow` or `Deny`".to_owned(),
                };
                self.report(error.help(help).docs(PAGE));
                None
            }
        }
    }

    fn principal(
        &mut self,
        statement: &Value<'_>,
        members: &[Member<'_>],
    ) -> Option<Clause<PrincipalMatcher>> {
        const PAGE: &str =
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html";
        let wanted =
            matches!(self.kind, PolicyKind::Resource | PolicyKind::ResourceControl | PolicyKind::Trust);
        let (negated, member) = self.either(statement, members, "Principal", "NotPrincipal", wanted)?;
        let value = &member.value;
        if !wanted {
            let message = format!("{} has no `{}`", self.kind, member.key);
            let help = "remove it: the principal is whoever the policy is attached to";
            self.report(
                self.error("iam::principal", message, member.key_span, "not allowed here")
                    .help(help)
                    .docs(PAGE),
            );
            return None;
        }
        if negated && self.kind == PolicyKind::Trust {
            let message = format!("{} has no `NotPrincipal`", self.kind);
            let help =
                "name who is trusted in `Principal`; a condition on `aws:PrincipalArn` can except some";
            let docs = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html";
            self.report(
                self.error("iam::principal", message, member.key_span, "not allowed here")
                    .help(help)
                    .docs(docs),
            );
        }
        let mut items = Vec::new();
        match &value.kind {
            Kind::String(text) if text == "*" => {
                items.push(Item { text: "*".into(), span: value.span, matcher: PrincipalMatcher::Everyone });
            }
            Kind::String(text) if self.is_open(text) => {}
            Kind::Object(types) => {
                for of_type in types {
                    if !PrincipalMatcher::ELEMENTS.contains(&&*of_type.key) {
                        self.unknown_element(
                            of_type,
                            &format!("`{}`", member.key),
                            &PrincipalMatcher::ELEMENTS,
                        );
                        continue;
                    }
                    let element = of_type.key.as_ref();
                    let clause = self.clause(negated, &of_type.value, element, |parser, text, span| {
                        let matcher = PrincipalMatcher::parse(element, text);
                        if matcher.is_none() && !parser.is_open(text) {
                            parser.report(check::bad_principal(parser, element, text, span).docs(PAGE));
                        }
                        matcher
                    });
                    items.extend(clause.items);
                }
                if types.is_empty() {
                    let message = format!("`{}` is empty", member.key);
                    self.report(
                        self.error("iam::empty", message, value.span, "expected a principal here").docs(PAGE),
                    );
                }
            }
            other => {
                let message =
                    format!("`{}` is `\"*\"` or an object, and this is {}", member.key, other.name());
                let help = "write `{\"AWS\": \"arn:aws:iam::123456789012:role/name\"}`";
                self.report(self.error("iam::principal", message, value.span, "").help(help).docs(PAGE));
            }
        }
        let clause = Clause { negated, span: value.span, items };
        control::principal(self, &clause);
        Some(clause)
    }

    fn resource(
        &mut self,
        statement: &Value<'_>,
        members: &[Member<'_>],
        actions: Option<&Clause<Pattern>>,
    ) -> Option<Clause<Pattern>> {
        let wanted = self.kind != PolicyKind::Trust;
        let needed = wanted && !check::is_about_its_own_resource(self, actions);
        let (negated, member) = self.either(statement, members, "Resource", "NotResource", needed)?;
        if !wanted {
            let message = format!("{} has no `{}`", self.kind, member.key);
            let help = "remove it: the resource is the role itself";
            self.report(self.error("iam::resource", message, member.key_span, "not allowed here").help(help));
            return None;
        }
        Some(self.clause(negated, &member.value, &member.key, |parser, text, span| {
            // A placeholder is to the lints what a variable is: it stands for some text.
            if !parser.is_open(text) {
                check::resource(parser, text, span);
            }
            let wildcards = match parser.reading {
                #[cfg(feature = "sets")]
                Reading::Formats => Wildcards::Arn,
                Reading::Plain | Reading::Template => Wildcards::Free,
            };
            let syntax = Syntax { wildcards, variables: parser.has_variables(), fold: false };
            Pattern::compile(text, syntax)
                .map_err(|bad| parser.report(check::bad_variable(parser, &bad, text, span)))
                .ok()
        }))
    }

    fn conditions(&mut self, value: &Value<'_>) -> Vec<Condition> {
        const PAGE: &str =
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html";
        let Kind::Object(operators) = &value.kind else {
            let message = format!("`Condition` is an object of operators, and this is {}", value.kind.name());
            let help = "write `{\"StringEquals\": {\"aws:PrincipalTag/team\": \"platform\"}}`";
            self.report(self.error("iam::condition", message, value.span, "").help(help).docs(PAGE));
            return Vec::new();
        };
        let mut conditions = Vec::new();
        for member in operators {
            let operator = Operator::parse(&member.key);
            if operator.is_none() && !self.is_open(&member.key) {
                self.report(check::bad_operator(self, &member.key, member.key_span));
            }
            let Kind::Object(keys) = &member.value.kind else {
                let message = format!(
                    "`{}` has an object of condition keys, and this is {}",
                    member.key,
                    member.value.kind.name()
                );
                self.report(self.error("iam::condition", message, member.value.span, "").docs(PAGE));
                continue;
            };
            check::keys_without_case(self, keys);
            let Some(operator) = operator else { continue };
            conditions.extend(keys.iter().filter_map(|key| self.condition(operator, key)));
        }
        conditions
    }

    fn condition(&mut self, operator: Operator, member: &Member<'_>) -> Option<Condition> {
        if self.is_open(&member.key) {
            return None;
        }
        let has_parts = |(prefix, name): (&str, &str)| !prefix.is_empty() && !name.is_empty();
        if !member.key.split_once(':').is_some_and(has_parts) {
            let message = format!("the condition key `{}` is not a prefix and a name", member.key);
            let help = "a key begins with its service or `aws`: `aws:SourceIp`, `s3:prefix`";
            self.report(self.error("iam::condition-key", message, member.key_span, "").help(help).docs(
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html",
            ));
        }
        let test = operator.comparison.test;
        let clause = self.clause(false, &member.value, &member.key, |parser, text, span| {
            if parser.is_open(text) {
                return None;
            }
            let problem = match Operand::parse(text, test, parser.has_variables()) {
                Ok(operand) => return Some(operand),
                Err(BadOperand::Variable(bad)) => check::bad_variable(parser, &bad, text, span),
                Err(BadOperand::Type) => check::bad_operand(parser, operator, text, span),
            };
            parser.report(problem);
            None
        });
        let Clause { span, items: values, .. } = clause;
        Some(Condition { operator, key: member.key.as_ref().into(), key_span: member.key_span, values, span })
    }

    /// Reads one value or a list of them.
    fn clause<M>(
        &mut self,
        negated: bool,
        value: &Value<'_>,
        element: &str,
        mut read: impl FnMut(&mut Self, &str, Span) -> Option<M>,
    ) -> Clause<M> {
        let values = match &value.kind {
            Kind::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        if values.is_empty() {
            let message = format!("`{element}` is an empty list");
            self.report(
                self.error("iam::empty", message, value.span, "expected at least one value").docs(PAGES),
            );
        }
        // Only the elements of a condition are called by a key with a prefix.
        let in_condition = element.contains(':');
        let mut items = Vec::with_capacity(values.len());
        for value in values {
            let text = match &value.kind {
                Kind::String(text) => &**text,
                // Condition values may also be numbers and booleans, which AWS reads as their text.
                Kind::Number(text) if in_condition => text,
                Kind::Bool(true) if in_condition => "true",
                Kind::Bool(false) if in_condition => "false",
                _ => {
                    self.not_text(value, element);
                    continue;
                }
            };
            let item = |matcher| Item { text: text.into(), span: value.span, matcher };
            // Not `push`, so that the item is made where it stays: of some policies there are thousands.
            items.extend(read(self, text, value.span).into_iter().map(item));
        }
        Clause { negated, span: value.span, items }
    }

    fn text<'t>(&mut self, value: &Value<'t>, element: &str) -> Option<(Cow<'t, str>, Span)> {
        if let Kind::String(text) = &value.kind {
            return Some((text.clone(), value.span));
        }
        self.not_text(value, element);
        None
    }

    fn not_text(&mut self, value: &Value<'_>, element: &str) {
        let message = format!("`{element}` is text, and this is {}", value.kind.name());
        self.report(self.error(SYNTAX, message, value.span, "expected a string here").docs(PAGES));
    }

    /// The one of two elements that exclude each other.
    fn either<'m, 't>(
        &mut self,
        statement: &Value<'_>,
        members: &'m [Member<'t>],
        plain: &str,
        negated: &str,
        needed: bool,
    ) -> Option<(bool, &'m Member<'t>)> {
        match (find(members, plain), find(members, negated)) {
            (Some(one), Some(other)) => {
                let (first, second) =
                    if one.key_span.start < other.key_span.start { (one, other) } else { (other, one) };
                let message = format!("a statement has `{plain}` or `{negated}`, not both");
                let error = self.error(
                    "iam::both-elements",
                    message,
                    second.key_span,
                    format!("`{}` again", second.key),
                );
                self.report(
                    error
                        .label(self.source, first.key_span, "the first is here")
                        .help("split the statement in two")
                        .docs(PAGES),
                );
                Some((false, one))
            }
            (Some(one), None) => Some((false, one)),
            (None, Some(other)) => Some((true, other)),
            (None, None) => {
                if needed {
                    let help = format!("add `\"{plain}\"`");
                    let only_plain = match self.kind {
                        PolicyKind::ResourceControl => plain != "Resource",
                        PolicyKind::Trust => plain == "Principal",
                        _ => false,
                    };
                    let elements = if only_plain { &[plain][..] } else { &[plain, negated] };
                    self.missing(statement, members, elements, &help);
                }
                None
            }
        }
    }

    /// Reports that a statement has none of some elements, unless a slip of one of them is reported already.
    fn missing(&mut self, statement: &Value<'_>, members: &[Member<'_>], elements: &[&str], help: &str) {
        let is_slip = |member: &Member<'_>| !near(&member.key, elements.iter().copied()).is_empty();
        if members.iter().filter(|member| !ELEMENTS.contains(&&*member.key)).any(is_slip) {
            return;
        }
        let names: Vec<String> = elements.iter().map(|element| format!("`{element}`")).collect();
        let message = format!("the statement has no {}", names.join(" and no "));
        let place = find(members, "Sid").map_or(statement.span.first_byte(), |sid| sid.value.span);
        let error = self.error("iam::missing-element", message, place, "in this statement");
        self.report(error.help(help).docs(PAGES));
    }

    fn unknown_element(&mut self, member: &Member<'_>, of: &str, known: &[&'static str]) {
        let message = format!("{of} has no element `{}`", member.key);
        let help = match near(&member.key, known.iter().copied()).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", quoted(known.iter().copied())),
        };
        self.report(self.error("iam::unknown-element", message, member.key_span, "").help(help).docs(PAGES));
    }

    fn no_statement(&mut self, json: &Value<'_>, members: &[Member<'_>]) {
        let error = self
            .error("iam::missing-element", "the document has no `Statement`", json.span.first_byte(), "")
            .docs(PAGES);
        let policies = policies_inside(json);
        let help = if let Some(near) = near("Statement", members.iter().map(|member| &*member.key)).first() {
            format!("did you mean `Statement` where it says `{near}`?")
        } else if !policies.is_empty() {
            let pointers: Vec<String> = policies.iter().map(|pointer| format!("#{pointer}")).collect();
            format!(
                "policies stand inside it: put one of these behind the path: {}",
                quoted(pointers.iter().map(String::as_str))
            )
        } else {
            "a policy is `{\"Version\": \"2012-10-17\", \"Statement\": [ … ]}`".to_owned()
        };
        self.report(error.help(help));
    }

    /// Whether a text holds a placeholder whose value is not known yet: it is not checked.
    pub(super) fn is_open(&self, text: &str) -> bool {
        self.reading == Reading::Template && is_templated(text)
    }

    /// Whether the policy is of the newer version, which has variables.
    pub(super) fn has_variables(&self) -> bool {
        self.version == Version::V2012
    }

    pub(super) fn error(
        &self,
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::error(code, message).label(self.source, span, label)
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic);
    }
}

fn find<'m, 't>(members: &'m [Member<'t>], key: &str) -> Option<&'m Member<'t>> {
    members.iter().find(|member| member.key == key)
}

/// JSON pointers to the objects inside a document that have a `Statement`: it is a template or an API's answer.
fn policies_inside(value: &Value<'_>) -> Vec<String> {
    fn search(value: &Value<'_>, pointer: &str, found: &mut Vec<String>) {
        match &value.kind {
            Kind::Object(members) if find(members, "Statement").is_some() => found.push(pointer.to_owned()),
            Kind::Object(members) => {
                for member in members {
                    let token = member.key.replace('~', "~0").replace('/', "~1");
                    search(&member.value, &format!("{pointer}/{token}"), found);
                }
            }
            Kind::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    search(item, &format!("{pointer}/{index}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    search(value, "", &mut found);
    found
}
