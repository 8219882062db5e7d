//! Colours what `iam-policy` renders, as rustc colours its messages. Whether a stream shows them is `anstream`'s to decide.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

const BAD: Style = AnsiColor::BrightRed.on_default().bold();
const BOLD: Style = Style::new().bold();
const FRAME: Style = AnsiColor::BrightBlue.on_default().bold();
const GOOD: Style = AnsiColor::BrightGreen.on_default().bold();
const NOTE: Style = AnsiColor::BrightCyan.on_default().bold();
const WARN: Style = AnsiColor::BrightYellow.on_default().bold();

/// An error of our own in one line.
pub(crate) fn error(message: &str) -> String {
    format!("{}: {message}", styled(BAD, "error"))
}

/// A text in a style.
fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A heading in a table.
pub(crate) fn heading(text: &str) -> String {
    styled(BOLD, text)
}

/// A verdict and its colour.
pub(crate) fn verdict(text: &str) -> String {
    styled(if text == "allowed" { GOOD } else { BAD }, text)
}

/// A rendered diagnostic or explanation.
pub(crate) fn report(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn line(text: &str) -> String {
    let indented = text.trim_start();
    if let Some(place) = indented.strip_prefix("--> ").or(indented.strip_prefix("::: ")) {
        let (arrow, _) = text.split_at(text.len() - place.len());
        return format!("{}{place}", styled(FRAME, arrow));
    }
    if let Some(note) = indented.strip_prefix("= ") {
        let (sign, _) = text.split_at(text.len() - note.len());
        let (word, note) = note.split_once(": ").unwrap_or(("", note));
        return format!("{}{}: {note}", styled(FRAME, sign), styled(BOLD, word));
    }
    if let Some((number, code)) = text.split_once('|')
        && number.trim().bytes().all(|byte| byte.is_ascii_digit())
    {
        let code = if number.trim().is_empty() { underline(code) } else { code.to_owned() };
        return format!("{}{code}", styled(FRAME, &format!("{number}|")));
    }
    header(text)
}

/// `error[code]: message`, `note: …`, `allowed: …`.
fn header(text: &str) -> String {
    let Some((word, message)) = text.split_once(": ") else { return text.to_owned() };
    let style = match word.split('[').next() {
        Some("error") => BAD,
        Some("warning") => WARN,
        Some("note") => NOTE,
        Some("allowed" | "explicitDeny" | "implicitDeny") => return format!("{}: {message}", verdict(word)),
        _ => return text.to_owned(),
    };
    format!("{}{}", styled(style, word), styled(BOLD, &format!(": {message}")))
}

/// Marks and their texts, each in the colour of the mark before it; a text that hangs below its mark is as a mark of the
/// second rank.
fn underline(text: &str) -> String {
    let mut painted = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_primary = rest.trim_start().starts_with('^');
        let other = if is_primary { "--" } else { "^" };
        let end = rest.find(other).filter(|at| *at > 0).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        // Writing to a string cannot fail.
        let _ = write!(painted, "{}", styled(if is_primary { BAD } else { FRAME }, part));
        rest = after;
    }
    painted
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "\
error[iam::x]: `a`: wrong
 --> p.json:3:5
  |
3 |   \"Id\": \"x | y\",
  |   ----  ^^^^^^^ this: here
  |   |
  |   hangs
  = help: did you: this
warning[lint::y]: m
note: n
allowed: `a`
just text";

    #[test]
    fn colour_changes_no_character() {
        assert_eq!(anstream::adapter::strip_str(&report(REPORT)).to_string(), REPORT);
    }

    #[test]
    fn the_primary_mark_and_its_text_have_the_colour_of_errors() {
        let painted = report(REPORT);
        assert!(painted.contains(&styled(BAD, "^^^^^^^ this: here")), "{painted}");
        assert!(painted.contains(&styled(FRAME, "   ----  ")), "{painted}");
        assert!(
            painted.contains(&format!("{} \"Id\"", styled(FRAME, "3 |"))) || painted.contains("\"x | y\"")
        );
    }
}
