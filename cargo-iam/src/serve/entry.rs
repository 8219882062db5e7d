//! One call in the journal: a line for each decision, or a JSON object.

use std::time::SystemTime;

use iam_endpoint::{Authorization, Event, Outcome};
use iam_policy::{StatementRef, Verdict};
use serde::Serialize;
use time::OffsetDateTime;

use crate::format::cut;
use crate::paint;
use crate::statement::StatementName;

/// A call for programs. It holds nothing of the request but who asked, for what, and when: no header, no body, no key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'e> {
    time: String,
    request_id: &'e str,
    principal: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'e str>,
    operation: &'e str,
    outcome: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'e str>,
    authorizations: Vec<Decided<'e>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Decided<'e> {
    action: &'e str,
    resource: &'e str,
    decision: String,
    reason: String,
    by: Vec<By<'e>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    missing_context: &'e [String],
}

#[derive(Serialize)]
struct By<'e> {
    #[serde(flatten)]
    name: StatementName<'e>,
    file: &'e str,
    line: usize,
    column: usize,
}

impl<'e> Entry<'e> {
    pub(super) fn new(event: &'e Event) -> Entry<'e> {
        Entry {
            time: Time::of(event.time).iso8601(),
            request_id: &event.request_id,
            principal: &event.principal,
            role: event.role.as_deref(),
            operation: &event.operation,
            outcome: outcome(event.outcome),
            status: event.status,
            code: event.code.as_deref(),
            authorizations: event.authorizations.iter().map(Decided::new).collect(),
        }
    }
}

impl<'e> Decided<'e> {
    fn new(authorization: &'e Authorization) -> Decided<'e> {
        let decision = &authorization.decision;
        Decided {
            action: authorization.action(),
            resource: authorization.resource(),
            decision: decision.verdict.to_string(),
            reason: decision.reason.sentence(authorization.action()),
            by: decision.by.iter().map(By::new).collect(),
            missing_context: &decision.missing_context,
        }
    }
}

impl<'e> By<'e> {
    fn new(statement: &'e StatementRef) -> By<'e> {
        let location = statement.location();
        By {
            name: statement.into(),
            file: statement.policy().source().name(),
            line: location.line,
            column: location.column,
        }
    }
}

/// A call for people: what was decided, about which action and resource, for whom, and why.
pub(crate) fn lines(event: &Event, width: Option<usize>) -> Vec<String> {
    let caller = event.principal.splitn(6, ':').last().unwrap_or_default();
    let time = Time::of(event.time).of_day();
    let ending = match (event.outcome, &event.code) {
        (Outcome::Answered | Outcome::Denied, _) | (_, None) => String::new(),
        (_, Some(code)) => format!("{} {code}", event.status),
    };
    let decided_last = event.authorizations.len().saturating_sub(1);
    let mut lines: Vec<String> = event
        .authorizations
        .iter()
        .enumerate()
        .map(|(index, authorization)| {
            let is_last = index == decided_last;
            let word = match event.outcome {
                Outcome::NotEvaluable if is_last => outcome(event.outcome).to_owned(),
                _ => authorization.decision.verdict.to_string(),
            };
            let row = Row {
                time: &time,
                word: &word,
                action: authorization.action(),
                resource: authorization.resource(),
                caller,
                why: &why(authorization),
                ending: if is_last { &ending } else { "" },
            };
            row.line(width)
        })
        .collect();
    if lines.is_empty() {
        let row = Row {
            time: &time,
            word: outcome(event.outcome),
            action: &event.operation,
            resource: "",
            caller,
            why: "",
            ending: &ending,
        };
        lines.push(row.line(width));
    }
    lines
}

/// The statements that decided, each with its place, or what was lacking.
fn why(authorization: &Authorization) -> String {
    let decision = &authorization.decision;
    if decision.by.is_empty() && decision.verdict == Verdict::ImplicitDeny {
        let sentence = decision.reason.sentence(authorization.action());
        return sentence.trim_start_matches("because ").to_owned();
    }
    let place = |statement: &StatementRef| {
        let place = format!("{}:{}", statement.policy().source().name(), statement.location());
        statement.sid().map_or(place.clone(), |sid| format!("{place} {sid}"))
    };
    decision.by.iter().map(place).collect::<Vec<_>>().join(", ")
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::AuthenticationFailed => "unidentified",
        Outcome::ConcealedNotFound => "concealed",
        Outcome::Denied => "denied",
        Outcome::NotEvaluable => "notEvaluable",
        Outcome::NotMapped => "notMapped",
        Outcome::NotPerformed => "notPerformed",
        Outcome::Unavailable => "unavailable",
        _ => "failed",
    }
}

/// The columns of a line.
struct Row<'r> {
    time: &'r str,
    word: &'r str,
    action: &'r str,
    resource: &'r str,
    caller: &'r str,
    why: &'r str,
    ending: &'r str,
}

impl Row<'_> {
    /// The least that is left of a resource, so that its end can be told.
    const LEAST: usize = 24;

    fn line(&self, width: Option<usize>) -> String {
        let Row { time, word, action, resource, caller, why, ending } = self;
        let mut rest = String::new();
        for part in [caller, why, ending].into_iter().filter(|part| !part.is_empty()) {
            rest.push_str("  ");
            rest.push_str(&printable(part));
        }
        let (action, resource) = (printable(action), printable(resource));
        let start = format!("{time}  {word:12}  {action}");
        let used = start.chars().count() + rest.chars().count() + 2;
        let resource = match width {
            Some(width) => shortened(&resource, width.saturating_sub(used).max(Self::LEAST)),
            None => resource,
        };
        let gap = if resource.is_empty() { "" } else { "  " };
        let row = cut(&format!("{start}{gap}{resource}{rest}"), width);
        row.replacen(word, &paint::verdict(word), 1)
    }
}

/// Begin and end of a text that is longer than there is room.
fn shortened(text: &str, room: usize) -> String {
    let length = text.chars().count();
    if length <= room {
        return text.to_owned();
    }
    let begin = room.saturating_sub(1) / 2;
    let end = room.saturating_sub(1 + begin);
    text.chars().take(begin).chain(['…']).chain(text.chars().skip(length - end)).collect()
}

/// Keys of objects may hold what a terminal takes for commands.
fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut text, c| {
        if c.is_control() {
            text.extend(c.escape_default());
        } else {
            text.push(c);
        }
        text
    })
}

struct Time(OffsetDateTime);

impl Time {
    fn of(time: SystemTime) -> Time {
        Time(time.into())
    }

    /// `12:01:07Z`
    fn of_day(&self) -> String {
        let (hour, minute, second) = self.0.to_hms();
        format!("{hour:02}:{minute:02}:{second:02}Z")
    }

    /// `2026-11-21T12:01:07.123Z`
    fn iso8601(&self) -> String {
        let (year, month, day) = self.0.to_calendar_date();
        let (hour, minute, second, millisecond) = self.0.to_hms_milli();
        let month = u8::from(month);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Row<'_> = Row {
        time: "12:01:07Z",
        word: "allowed",
        action: "s3:GetObject",
        resource: "arn:aws:s3:::a-bucket-of-some-length/key",
        caller: "user/alice",
        why: "p.json:3:5",
        ending: "",
    };

    fn plain(row: &Row<'_>, width: Option<usize>) -> String {
        anstream::adapter::strip_str(&row.line(width)).to_string()
    }

    #[test]
    fn a_line_fits_the_terminal_and_keeps_the_end_of_the_resource() {
        let whole = plain(&ROW, None);
        assert!(
            whole.ends_with("s3:GetObject  arn:aws:s3:::a-bucket-of-some-length/key  user/alice  p.json:3:5")
        );
        let narrow = plain(&ROW, Some(90));
        assert_eq!(narrow.chars().count(), 90, "{narrow}");
        assert!(narrow.contains("…") && narrow.contains("th/key  user/alice  p.json:3:5"), "{narrow}");
        assert_eq!(plain(&ROW, Some(40)).chars().count(), 40);
    }

    #[test]
    fn nothing_in_a_name_reaches_the_terminal_as_a_command() {
        let row = Row { resource: "arn:aws:s3:::b/\u{1b}[2J\u{9b}31m\n", ..ROW };
        let line = plain(&row, None);
        assert!(line.contains(r"b/\u{1b}[2J\u{9b}31m\n"), "{line}");
    }

    #[test]
    fn times_are_written_as_aws_does() {
        let time = Time::of(SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_795_262_467_005));
        assert_eq!(time.iso8601(), "2026-11-21T12:01:07.005Z");
        assert_eq!(time.of_day(), "12:01:07Z");
    }
}
