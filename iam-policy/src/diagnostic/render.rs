//! Draws labels under the lines of their sources, as rustc does, without colour.
//!
//! ```text
//!   --> policies/reader.json:5:7
//!    |
//!  4 |       "Action": "s3:GetObject",
//!    |       -------- first given here
//!  5 |       "Action": "s3:PutObject",
//!    |       ^^^^^^^^ given again here
//!    |
//! ```

use std::fmt;

use super::Label;
use crate::order;
use crate::source::{Source, Span};

/// Labels to be drawn, the primary one first. Starts with a newline, and ends without one.
pub(crate) struct Snippet<'d> {
    pub(crate) labels: &'d [Label],
}

/// One label on one line of text.
struct Mark<'d> {
    line: usize,
    /// The part of the line that is underlined.
    span: Span,
    primary: bool,
    text: &'d str,
}

/// A line of the source as it is shown: tabs widened, control characters made visible, long lines cut.
struct Shown {
    text: String,
    /// The column at which each byte offset of the line is shown, in the order of offsets.
    columns: Vec<(usize, usize)>,
    width: usize,
}

impl Snippet<'_> {
    /// What stands before a note under the snippet.
    pub(crate) fn indent(&self) -> String {
        " ".repeat(self.gutter() + 1)
    }

    /// The width of the largest line number.
    fn gutter(&self) -> usize {
        let lines = self.labels.iter().map(|label| label.source.location(label.span.start).line);
        lines.max().unwrap_or(1).to_string().len()
    }
}

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gutter = self.gutter();
        let mut rest: Vec<&Label> = self.labels.iter().collect();
        let mut arrow = "-->";
        while let Some(first) = rest.first() {
            let source = first.source.clone();
            let (here, elsewhere): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|label| label.source.same_text(&source));
            rest = elsewhere;
            let place = here.first().map_or(0, |label| label.span.start);
            let location = source.location(place);
            write!(f, "\n{:gutter$}{arrow} {}:{location}", "", source.name())?;
            write!(f, "\n{:gutter$} |", "")?;
            draw(f, &source, &marks(&source, &here, arrow == "-->"), gutter)?;
            write!(f, "\n{:gutter$} |", "")?;
            arrow = ":::";
        }
        Ok(())
    }
}

fn marks<'d>(source: &Source, labels: &[&'d Label], has_primary: bool) -> Vec<Mark<'d>> {
    let mut marks: Vec<Mark<'d>> = labels
        .iter()
        .enumerate()
        .map(|(index, label)| Mark {
            line: source.location(label.span.start).line,
            span: label.span,
            primary: has_primary && index == 0,
            text: &label.text,
        })
        .collect();
    order::sort_by(&mut marks, |a, b| (a.line, a.span.start).cmp(&(b.line, b.span.start)));
    marks
}

fn draw(f: &mut fmt::Formatter<'_>, source: &Source, marks: &[Mark<'_>], gutter: usize) -> fmt::Result {
    let mut previous: Option<usize> = None;
    for marks in marks.chunk_by(|a, b| a.line == b.line) {
        let Some(first) = marks.first() else { continue };
        match previous {
            Some(line) if first.line > line + 2 => write!(f, "\n{:gutter$}...", "")?,
            Some(line) if first.line == line + 2 => draw_line(f, source, line + 1, &[], gutter)?,
            _ => {}
        }
        draw_line(f, source, first.line, marks, gutter)?;
        previous = Some(first.line);
    }
    Ok(())
}

fn draw_line(
    f: &mut fmt::Formatter<'_>,
    source: &Source,
    number: usize,
    marks: &[Mark<'_>],
    gutter: usize,
) -> fmt::Result {
    let line = line_span(source.text(), number);
    let shown = Shown::new(source.slice(line), line.start, marks);
    write!(f, "\n{number:gutter$} | {}", shown.text)?;
    if marks.is_empty() {
        return Ok(());
    }
    let places: Vec<(usize, usize)> = marks.iter().map(|mark| shown.columns_of(mark.span)).collect();
    let mut underline = vec![' '; shown.width + 1];
    for primary in [false, true] {
        for (mark, (start, end)) in marks.iter().zip(&places).filter(|(mark, _)| mark.primary == primary) {
            let sign = if mark.primary { '^' } else { '-' };
            underline.iter_mut().take(*end).skip(*start).for_each(|cell| *cell = sign);
        }
    }
    let underline: String = underline.into_iter().collect();
    let last = marks.last().map_or("", |mark| mark.text);
    write!(f, "\n{:gutter$} | {}", "", format!("{} {last}", underline.trim_end()).trim_end())?;
    // The texts that do not stand beside the underline hang below it, the rightmost first.
    let hanging: Vec<(usize, &str)> =
        places.iter().zip(marks).rev().skip(1).map(|((start, _), mark)| (*start, mark.text)).collect();
    for (index, (column, text)) in hanging.iter().enumerate().filter(|(_, (_, text))| !text.is_empty()) {
        let mut row: Vec<char> = vec![' '; *column];
        for (left, _) in hanging.iter().skip(index + 1).filter(|(_, text)| !text.is_empty()) {
            if let Some(cell) = row.get_mut(*left) {
                *cell = '|';
            }
        }
        write!(f, "\n{:gutter$} | {}{text}", "", row.into_iter().collect::<String>())?;
    }
    Ok(())
}

/// The span of a line, counted from 1, without its line ending.
fn line_span(text: &str, number: usize) -> Span {
    let mut start = 0;
    for line in text.split('\n').take(number.saturating_sub(1)) {
        start += line.len() + 1;
    }
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    Span { start, end: start + line.len() }
}

impl Shown {
    /// How much of a line is shown: minified policies are one line of thousands of characters.
    const WIDEST: usize = 120;

    fn new(line: &str, offset: usize, marks: &[Mark<'_>]) -> Shown {
        let cells: Vec<(usize, char)> = line.char_indices().map(|(at, c)| (offset + at, c)).collect();
        let window = window(&cells, marks);
        let mut shown = Shown { text: String::new(), columns: Vec::new(), width: 0 };
        if window.start > 0 {
            shown.push_cell("…", 1);
        }
        for (at, c) in cells.get(window.start..window.end).unwrap_or_default() {
            shown.columns.push((*at, shown.width));
            match c {
                '\t' => shown.push_cell("    ", 4),
                c if c.is_control() => shown.push_cell("\u{FFFD}", 1),
                c => {
                    shown.text.push(*c);
                    shown.width += width(*c);
                }
            }
        }
        let end = cells.get(window.end).map_or(offset + line.len(), |(at, _)| *at);
        shown.columns.push((end, shown.width));
        if window.end < cells.len() {
            shown.push_cell("…", 1);
        }
        shown
    }

    fn push_cell(&mut self, text: &str, width: usize) {
        self.text.push_str(text);
        self.width += width;
    }

    /// The columns that a span covers on this line: at least one.
    fn columns_of(&self, span: Span) -> (usize, usize) {
        let column = |offset: usize| {
            let index = self.columns.partition_point(|(at, _)| *at < offset);
            self.columns.get(index).or(self.columns.last()).map_or(0, |(_, column)| *column)
        };
        let start = column(span.start);
        (start, column(span.end).max(start + 1))
    }
}

/// The part of a long line that holds its marks, as far as it fits.
fn window(cells: &[(usize, char)], marks: &[Mark<'_>]) -> Span {
    if cells.len() <= Shown::WIDEST {
        return Span { start: 0, end: cells.len() };
    }
    let index = |offset: usize| cells.partition_point(|(at, _)| *at < offset);
    let first = marks.iter().map(|mark| index(mark.span.start)).min().unwrap_or(0);
    let primary = marks.iter().find(|mark| mark.primary).map_or(first, |mark| index(mark.span.start));
    let start = if primary > first + Shown::WIDEST / 2 { primary } else { first };
    let start = start.saturating_sub(Shown::WIDEST / 4).min(cells.len() - Shown::WIDEST);
    Span { start, end: start + Shown::WIDEST }
}

/// How many terminal cells a character takes: East Asian wide characters and emoji two, combining marks none.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0xFE00..=0xFE0F | 0xFEFF => 0,
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Diagnostic, Diagnostics};

    fn span(text: &str, part: &str) -> Span {
        let start = text.find(part).unwrap_or(text.len());
        Span { start, end: start + part.len() }
    }

    #[test]
    fn two_labels_on_two_lines_render_as_rustc_renders_them() {
        let text = "{\n  \"Action\": 1,\n\t\"Sid\": 2,\n  \"x\": 3,\n  \"x\": 4\n}";
        let source = Source::new("p.json", text);
        let error = Diagnostic::error("iam::test", "a problem")
            .label(&source, span(text, "\"Sid\""), "here")
            .label(&source, span(text, "\"Action\""), "and there")
            .help("do this")
            .docs("https://example.com");
        assert_eq!(
            Diagnostics::from(error).to_string(),
            "error[iam::test]: a problem\n --> p.json:3:2\n  |\n2 |   \"Action\": 1,\n  |   -------- and there\n\
             3 |     \"Sid\": 2,\n  |     ^^^^^ here\n  |\n  = help: do this\n  = docs: https://example.com"
        );
    }

    #[test]
    fn labels_on_one_line_hang_below_each_other() {
        let text = "one two three";
        let source = Source::new("p", text);
        let labels = Diagnostic::error("iam::test", "")
            .label(&source, span(text, "two"), "second")
            .label(&source, span(text, "one"), "first")
            .label(&source, span(text, "three"), "third")
            .labels;
        assert_eq!(
            Snippet { labels: &labels }.to_string(),
            "\n --> p:1:5\n  |\n1 | one two three\n  | --- ^^^ ----- third\n  | |   second\n  | first\n  |"
        );
    }

    #[test]
    fn a_minified_policy_is_cut_around_the_place() {
        let text = format!("{}\"here\"{}", "a".repeat(5000), "b".repeat(5000));
        let source = Source::new("p", text.clone());
        let labels = Diagnostic::error("iam::test", "").label(&source, span(&text, "\"here\""), "x").labels;
        let drawn = Snippet { labels: &labels }.to_string();
        assert!(drawn.lines().all(|line| line.chars().count() < 140), "{drawn}");
        let lines: Vec<&str> = drawn.lines().collect();
        let column = |sign: char| lines.iter().find_map(|line| line.chars().position(|c| c == sign));
        assert_eq!(column('"'), column('^'), "{drawn}");
    }

    #[test]
    fn wide_and_control_characters_keep_the_caret_in_place() {
        let text = "漢\u{7}字x";
        let source = Source::new("p", text);
        let labels = Diagnostic::error("iam::test", "").label(&source, span(text, "x"), "").labels;
        let drawn = Snippet { labels: &labels }.to_string();
        assert!(drawn.contains("1 | 漢\u{FFFD}字x\n  |      ^\n"), "{drawn}");
    }

    #[test]
    fn spans_over_several_lines_and_past_the_end_are_drawn() {
        let source = Source::new("p", "ab\r\ncd");
        for (start, end) in [(0, 6), (1, 3), (6, 6), (6, 99)] {
            let labels = Diagnostic::error("iam::test", "").label(&source, Span { start, end }, "x").labels;
            assert!(Snippet { labels: &labels }.to_string().contains('^'));
        }
    }

    #[test]
    fn lines_that_are_far_apart_are_joined_by_dots() {
        let text = "a\nb\nc\nd";
        let source = Source::new("p", text);
        let draw = |second: &str| {
            let labels = Diagnostic::error("iam::test", "")
                .label(&source, span(text, "a"), "")
                .label(&source, span(text, second), "")
                .labels;
            Snippet { labels: &labels }.to_string()
        };
        assert!(draw("c").contains("\n2 | b\n"));
        assert!(draw("d").contains("\n ...\n"));
    }
}
