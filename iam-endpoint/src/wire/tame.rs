//! Is a client's XML such that reading it costs little?
//!
//! The parser recurses into elements, and compares each attribute with those before it: neither may be many.

/// How deep elements may nest; no request of AWS's nests as deep.
const DEEPEST: usize = 64;

/// How long a tag may be, with its attributes.
const LONGEST_TAG: usize = 4 * 1024;

/// Whether the text nests no deeper and has no longer tags than any request. It need not be XML.
pub(crate) fn is_tame_xml(text: &str) -> bool {
    let mut rest = text;
    let mut depth = 0_usize;
    while let Some((_, markup)) = rest.split_once('<') {
        let skipped = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")]
            .into_iter()
            .find_map(|(begin, end)| Some((markup.strip_prefix(begin)?, end)));
        if let Some((content, end)) = skipped {
            let Some((_, after)) = content.split_once(end) else { return true };
            rest = after;
            continue;
        }
        let Some(length) = tag_length(markup) else { return false };
        let (tag, after) = markup.split_at(length);
        if tag.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !tag.ends_with('/') {
            depth += 1;
        }
        if depth > DEEPEST {
            return false;
        }
        rest = after;
    }
    true
}

/// How far it is to the end of the tag, where that is near; a `>` in an attribute's value does not end it.
fn tag_length(markup: &str) -> Option<usize> {
    let mut quote = None;
    let near = markup.bytes().take(LONGEST_TAG).enumerate();
    for (index, byte) in near {
        match (quote, byte) {
            (None, b'>') => return Some(index),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    // What ends within a tag is not XML, and the parser sees that as fast.
    (markup.len() < LONGEST_TAG).then_some(markup.len())
}

#[cfg(test)]
mod tests {
    use super::is_tame_xml;

    #[test]
    fn what_nests_or_has_attributes_without_end_is_not_tame_however_it_hides() {
        let many = |text: &str| text.repeat(1_000);
        for wild in [
            many("<a>"),
            // What would close an element is text, an attribute's value, a comment, a section.
            many("<a>/>"),
            many("<a b='/>'>"),
            many("<a><!-- </a> -->"),
            many("<a><![CDATA[</a>]]>"),
            many("<a><?p </a>?>"),
            format!("<a {}/>", many("b='>' ")),
        ] {
            assert!(!is_tame_xml(&wild), "{:?}", wild.get(..40));
        }
        for tame in [
            many("<a></a>"),
            many("<a/>"),
            many("<a b='<a>'/>"),
            many("<!-- <a> -->"),
            many("a > b "),
            String::new(),
        ] {
            assert!(is_tame_xml(&tame), "{:?}", tame.get(..40));
        }
    }
}
