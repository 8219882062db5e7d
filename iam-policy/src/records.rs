//! Look-up in sorted text, so that no one pays for parsing megabytes of data to learn one line of it.
//!
//! A text is ASCII: a first line, then records. Each record starts with a mark, a character found nowhere else, and goes
//! on to the next mark or to the end. A record's name ends at its first tab. Records are sorted by name. Case never counts.

use std::cmp::Ordering;

/// The record of this name, without its mark and final line feed.
#[must_use]
pub fn find<'a>(text: &'a str, mark: char, name: &str) -> Option<&'a str> {
    let record = split(not_before(text, mark, name), mark).next()?;
    name_of(record).eq_ignore_ascii_case(name).then_some(record)
}

/// The records whose names start like this, without their marks and final line feeds.
pub fn starting(text: &str, mark: char, start: String) -> impl Iterator<Item = &str> {
    let mut records = split(not_before(text, mark, &start), mark);
    let starts =
        move |record: &&str| record.get(..start.len()).is_some_and(|with| with.eq_ignore_ascii_case(&start));
    std::iter::from_fn(move || records.next().filter(&starts))
}

/// All records, without their marks and final line feeds.
pub fn all(text: &str, mark: char) -> impl Iterator<Item = &str> {
    split(records(text, mark), mark)
}

/// The name of a record.
#[must_use]
pub fn name_of(record: &str) -> &str {
    field(record, 0)
}

/// A field of a line; the name is field 0. A field that is missing is empty.
#[must_use]
pub fn field(line: &str, number: usize) -> &str {
    line.split('\t').nth(number).unwrap_or_default()
}

/// The records from the first one whose name does not come before this name.
fn not_before<'a>(text: &'a str, mark: char, name: &str) -> &'a str {
    let records = records(text, mark);
    // Starts of records: what is before `low` comes before the name, nothing from `high` on does.
    let (mut low, mut high) = (0, records.len());
    while low < high {
        let half = records.get(low..low + (high - low) / 2).unwrap_or_default();
        let start = low + half.rfind(mark).map_or(0, |at| at + mark.len_utf8());
        let from = records.get(start..).unwrap_or_default();
        if comes_before(from, mark, name) {
            low = start + from.find(mark).unwrap_or(from.len()) + mark.len_utf8();
        } else {
            high = start;
        }
    }
    records.get(low..).unwrap_or_default()
}

/// Whether the name of the record that a text begins with comes before a name. Most differ early.
fn comes_before(from: &str, mark: char, name: &str) -> bool {
    let (mut from, mut name) = (from.as_bytes(), name.as_bytes());
    while let [of_name, after @ ..] = name {
        let of_record = match from {
            [byte, rest @ ..] if *byte != b'\t' && char::from(*byte) != mark => {
                from = rest;
                byte.to_ascii_lowercase()
            }
            // The record's name ends here.
            _ => return true,
        };
        match of_record.cmp(&of_name.to_ascii_lowercase()) {
            Ordering::Equal => name = after,
            order => return order == Ordering::Less,
        }
    }
    false
}

fn records(text: &str, mark: char) -> &str {
    // A final line feed ends the last record and starts none.
    text.trim_end_matches('\n').split_once(mark).map_or("", |(_, records)| records)
}

fn split(records: &str, mark: char) -> Split<'_> {
    Split { rest: (!records.is_empty()).then_some(records), mark }
}

/// A type of its own and no chain of adapters, for which each of the many who go over records would have to compile them all.
struct Split<'a> {
    rest: Option<&'a str>,
    mark: char,
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let (record, rest) =
            rest.split_once(self.mark).map_or((rest, None), |(record, rest)| (record, Some(rest)));
        self.rest = rest;
        Some(record.trim_end_matches('\n'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "fruits\napple\t1\nBanana\t2\tyellow\ncherry\t3\n";

    #[test]
    fn finds_every_record_whatever_its_case() {
        for (name, record) in
            [("APPLE", "apple\t1"), ("banana", "Banana\t2\tyellow"), ("cherry", "cherry\t3")]
        {
            assert_eq!(find(LINES, '\n', name), Some(record));
        }
    }

    #[test]
    fn finds_nothing_before_between_and_after_the_records() {
        for name in ["", "aardvark", "b", "banana\t2", "bananas", "fruits", "zebra"] {
            assert_eq!(find(LINES, '\n', name), None, "{name}");
        }
    }

    #[test]
    fn a_record_of_several_lines_ends_at_the_next_mark() {
        let blocks = "head\n#a\tfirst\nx\n#b\tsecond\ny\n";
        assert_eq!(find(blocks, '#', "a"), Some("a\tfirst\nx"));
        assert_eq!(find(blocks, '#', "b"), Some("b\tsecond\ny"));
        assert_eq!(all(blocks, '#').count(), 2);
    }

    #[test]
    fn the_records_whose_names_start_alike_stand_together() {
        let lines = "words\nab\t1\nABC\t2\nabd\t3\nb\t4\n";
        let names = |start: &str| starting(lines, '\n', start.to_owned()).map(name_of).collect::<Vec<_>>();
        assert_eq!(names("aB"), ["ab", "ABC", "abd"]);
        assert_eq!(names("abd"), ["abd"]);
        assert_eq!(names("").len(), 4);
        assert_eq!(names("ac"), [""; 0]);
        assert_eq!(names("c"), [""; 0]);
    }

    #[test]
    fn a_text_without_records_has_none() {
        for text in ["", "head", "head\n"] {
            assert_eq!(find(text, '\n', "a"), None);
            assert_eq!(all(text, '\n').count(), 0);
        }
    }

    #[test]
    fn a_missing_field_is_empty() {
        assert_eq!(field("apple\t1", 1), "1");
        assert_eq!(field("apple\t1", 2), "");
    }
}
