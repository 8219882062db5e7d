//! Policies with holes: `${name}` and `${AWS::AccountId}` placeholders that are filled before the policy is used.

use crate::diagnostic::{self, Diagnostic, Diagnostics};
use crate::json;
use crate::near::near;
use crate::source::{Source, Span};

/// A policy text with placeholders in its JSON strings.
///
/// `${name}`, without a colon, is a variable of the template's user; `${AWS::AccountId}`, `${AWS::Region}` and
/// `${AWS::Partition}` are the place where the policy is put. IAM's own variables, which all have a colon
/// (`${aws:username}`), and its escapes `${*}`, `${?}` and `${$}` stay as they are.
///
/// # Examples
///
/// ```
/// use iam_policy::{Source, Template};
///
/// let template = Template::parse(Source::inline(r#"{"Resource": "arn:aws:s3:::${bucket}/${aws:username}/*"}"#));
/// let policy = template.render(|name| (name == "bucket").then(|| "reports".to_owned())).unwrap();
/// assert_eq!(policy.fragment(), r#"{"Resource": "arn:aws:s3:::reports/${aws:username}/*"}"#);
/// ```
#[derive(Clone, Debug)]
pub struct Template {
    source: Source,
    /// In the order of their places.
    placeholders: Vec<Span>,
}

impl Template {
    /// Finds the placeholders of a source's fragment. A text that is not JSON has those that stand in its double quotes.
    #[must_use]
    pub fn parse(source: Source) -> Template {
        let mut placeholders = Vec::new();
        let offset = source.span().start;
        let (mut quoted, mut skip_to) = (false, 0);
        // Most policies have none, and looking for one character is fast in a debug build too.
        let text = if source.fragment().contains('$') { source.fragment() } else { "" };
        for (at, byte) in text.bytes().enumerate() {
            if at < skip_to {
                continue;
            }
            match byte {
                b'"' => quoted = !quoted,
                b'\\' if quoted => skip_to = at + 2,
                b'$' if quoted => {
                    if let Some(length) = text.get(at..).and_then(placeholder) {
                        placeholders.push(Span { start: offset + at, end: offset + at + length });
                        skip_to = at + length;
                    }
                }
                _ => {}
            }
        }
        Template { source, placeholders }
    }

    /// The text with its placeholders.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The variables of the template's user, each time they occur, without the `AWS::` ones.
    pub fn variables(&self) -> impl Iterator<Item = (&str, Span)> {
        self.placeholders.iter().map(|span| (self.name(*span), *span)).filter(|(name, _)| !name.contains(':'))
    }

    /// Fills every placeholder with the value for its name, `AWS::AccountId` and its like included.
    ///
    /// Values are escaped, so that they cannot leave the string that they stand in.
    ///
    /// # Errors
    ///
    /// Names each placeholder without a value, at its place.
    pub fn render(&self, value: impl Fn(&str) -> Option<String>) -> Result<Source, Diagnostics> {
        if self.placeholders.is_empty() {
            return Ok(self.source.clone());
        }
        let whole = self.source.text();
        let fragment = self.source.span();
        let mut text = String::with_capacity(whole.len());
        let mut problems = Vec::new();
        let mut copied = 0;
        for span in &self.placeholders {
            text.push_str(whole.get(copied..span.start).unwrap_or_default());
            match value(self.name(*span)) {
                Some(value) => json::write_escaped(&mut text, &value),
                None => problems.push(self.unknown(*span)),
            }
            copied = span.end;
        }
        text.push_str(whole.get(copied..fragment.end).unwrap_or_default());
        let rendered = Span { start: fragment.start, end: text.len() };
        text.push_str(whole.get(fragment.end..).unwrap_or_default());
        Diagnostics::unless_empty(problems, ())?;
        Ok(self.source.with_text(text, rendered))
    }

    fn name(&self, placeholder: Span) -> &str {
        let inner = Span { start: placeholder.start + 2, end: placeholder.end - 1 };
        self.source.slice(inner)
    }

    fn unknown(&self, span: Span) -> Diagnostic {
        let name = self.name(span);
        let error = Diagnostic::error(
            "iam::template-variable",
            format!("the template variable `{name}` has no value"),
        )
        .label(&self.source, span, "");
        if !name.contains(':') {
            return error.help(format!(
                "give `{name}` a value; IAM's own variables have a colon, as `${{aws:username}}` has"
            ));
        }
        let known = PseudoParameter::ALL.map(PseudoParameter::name);
        match near(name, known).first() {
            Some(near) => error.help(format!("did you mean `${{{near}}}`?")),
            None => error.help(format!("known are {}", diagnostic::quoted(known))),
        }
    }
}

/// What a placeholder such as `${AWS::AccountId}` stands for: the place where the policy is put.
///
/// See [Pseudo parameters](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html) of
/// CloudFormation, of which these are the ones that a policy has a use for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PseudoParameter {
    /// `AWS::AccountId`
    AccountId,
    /// `AWS::Partition`
    Partition,
    /// `AWS::Region`
    Region,
}

impl PseudoParameter {
    const ALL: [PseudoParameter; 3] =
        [PseudoParameter::AccountId, PseudoParameter::Partition, PseudoParameter::Region];

    /// The name between the braces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PseudoParameter::AccountId => "AWS::AccountId",
            PseudoParameter::Partition => "AWS::Partition",
            PseudoParameter::Region => "AWS::Region",
        }
    }

    /// The pseudo parameter of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<PseudoParameter> {
        PseudoParameter::ALL.into_iter().find(|parameter| parameter.name() == name)
    }
}

/// The length of the placeholder that a text starts with.
fn placeholder(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("${")?;
    let name = inner.get(..inner.find(['}', '"', '\\'])?)?;
    let ours = match name.strip_prefix("AWS::") {
        Some(rest) => is_name(rest),
        None => is_name(name),
    };
    (ours && inner.get(name.len()..)?.starts_with('}')).then_some(name.len() + 3)
}

/// Whether a text holds a placeholder, so that its value is not known yet.
pub(crate) fn is_templated(text: &str) -> bool {
    text.match_indices("${").any(|(at, _)| text.get(at..).and_then(placeholder).is_some())
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && text.chars().all(|c| c == '_' || c == '-' || c == '.' || c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> Result<Source, Diagnostics> {
        Template::parse(Source::new("t.json", text)).render(|name| match name {
            "AWS::AccountId" => Some("123456789012".to_owned()),
            "quote" => Some("a\"b\\c\n".to_owned()),
            "user" => Some("alice".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn placeholders_are_filled_and_iams_own_variables_stay() {
        let text = r#"["${user}", "${AWS::AccountId}", "${aws:username}", "${*}${?}${$}", "${aws:PrincipalTag/a, 'b'}", "$${user}"]"#;
        assert_eq!(
            render(text).unwrap().fragment(),
            r#"["alice", "123456789012", "${aws:username}", "${*}${?}${$}", "${aws:PrincipalTag/a, 'b'}", "$alice"]"#
        );
    }

    #[test]
    fn values_are_escaped() {
        assert_eq!(render(r#"{"a": "<${quote}>"}"#).unwrap().fragment(), r#"{"a": "<a\"b\\c\n>"}"#);
    }

    #[test]
    fn only_strings_are_looked_into() {
        assert_eq!(render(r#"${user} "\"${user}""#).unwrap().fragment(), r#"${user} "\"alice""#);
    }

    #[test]
    fn what_has_no_value_is_named_with_its_place() {
        let error = render("{\n  \"a\": \"${buckt}\", \"b\": \"${AWS::Acount}\" }").unwrap_err();
        let lines: Vec<String> =
            error.iter().map(|one| format!("{} {}", one.location(), one.message)).collect();
        assert_eq!(
            lines,
            [
                "2:9 the template variable `buckt` has no value",
                "2:26 the template variable `AWS::Acount` has no value"
            ]
        );
    }

    #[test]
    fn a_rendered_fragment_keeps_its_place_in_the_file() {
        let file = Source::new("t.json", "{\n \"x\": {\"r\": \"${user}\"}, \"y\": \"${other}\"\n}");
        let rendered =
            Template::parse(file.pointer("/x").unwrap()).render(|_| Some("longer".to_owned())).unwrap();
        assert_eq!(rendered.fragment(), "{\"r\": \"longer\"}");
        assert_eq!(rendered.location(rendered.span().start).to_string(), "2:7");
        assert!(rendered.text().ends_with("\"${other}\"\n}"));
    }

    #[test]
    fn user_variables_are_listed_each_time_they_occur() {
        let template = Template::parse(Source::inline(r#"["${a}${AWS::Region}", "${b} ${a}"]"#));
        let names: Vec<&str> = template.variables().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b", "a"]);
    }
}
