//! Good JSON, slips that are stepped over, and what cannot be read.

use super::*;

fn problems(text: &str) -> Vec<String> {
    let source = Source::inline(text);
    let mut problems = Vec::new();
    let value = parse(&source, &mut problems);
    assert!(value.is_some() || !problems.is_empty(), "lost without a word: {text}");
    problems.iter().map(|problem| format!("{} {}", problem.location(), problem.message)).collect()
}

#[test]
fn good_json_is_read_with_the_places_of_its_values() {
    let source = Source::inline(" {\"a\\u00e9\\n\": [1, -2.5e+3, true, null, \"x\"]} ");
    let mut found = Vec::new();
    let value = parse(&source, &mut found).unwrap();
    assert!(found.is_empty());
    let Kind::Object(members) = &value.kind else { unreachable!("an object") };
    let member = members.first().unwrap();
    assert_eq!(member.key, "aé\n");
    assert_eq!(source.slice(member.key_span), "\"a\\u00e9\\n\"");
    let Kind::Array(items) = &member.value.kind else { unreachable!("a list") };
    let texts: Vec<&str> = items.iter().map(|item| source.slice(item.span)).collect();
    assert_eq!(texts, ["1", "-2.5e+3", "true", "null", "\"x\""]);
}

#[test]
fn slips_are_noted_and_stepped_over_all_at_once() {
    assert_eq!(
        problems("{'a': [1 2,], // note\n b: 3, \"a\": \"\\q\" \"c\": 1,}"),
        [
            "1:2 single quotes are not JSON",
            "1:9 a comma is missing between two items",
            "1:11 a trailing comma is not JSON",
            "1:15 comments are not JSON",
            "2:2 a key without quotes is not JSON",
            "2:14 `\\q` is not a JSON escape",
            "2:17 a comma is missing between two items",
            "2:24 a trailing comma is not JSON",
            "2:8 duplicate key `a`",
        ]
    );
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    for (text, problem) in [
        ("", "1:1 the document is empty"),
        ("{\"a\"", "1:5 `:` is missing after the key `a`"),
        ("{\"a\":", "1:6 the document ends where a value is expected"),
        ("{\"a\":[1", "1:6 the document ends inside this bracket"),
        ("{\"a\":1", "1:1 the document ends inside this bracket"),
        ("{\"a\":\"x\n\"}", "1:6 this string is not closed on its line"),
        ("{\"a\":True}", "1:6 text without quotes is not JSON"),
        ("{\"a\":01}", "1:6 `01` is not a JSON number"),
        ("{\"a\":1]", "1:7 `]` does not belong here"),
        ("{} x", "1:4 there is text after the end of the document"),
        ("{,}", "1:2 a trailing comma is not JSON"),
        ("\u{FEFF}{}", "1:1 the text starts with a byte order mark"),
        ("\"\u{1}\"", "1:2 the control character U+0001 may not stand in a JSON string"),
        ("\"\\ud800\"", "1:2 this is not a Unicode escape"),
        ("\"\\ud83d\\ude00\\u12\"", "1:14 this is not a Unicode escape"),
    ] {
        let found = problems(text);
        assert!(found.iter().any(|found| found == problem), "{text}: {found:?}");
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = "[".repeat(100_000);
    assert_eq!(problems(&deep), ["1:65 the document nests deeper than 64 levels"]);
    let large = " ".repeat(LARGEST + 1);
    assert_eq!(problems(&large), ["1:1 the text is larger than 4 MiB"]);
}

#[test]
fn numbers_follow_the_grammar() {
    for good in ["0", "-0", "10", "0.5", "1e9", "1E-9", "1.25e+10"] {
        assert!(is_number(good), "{good}");
    }
    for bad in ["", "-", "01", "1.", ".5", "1e", "1e+", "1.2.3", "0x10", "1_000"] {
        assert!(!is_number(bad), "{bad}");
    }
}
