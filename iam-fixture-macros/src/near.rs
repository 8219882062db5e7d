//! "Did you mean": the nearest of a list of names.

/// The name nearest to what was written, when one is near enough to be a slip of it.
pub(crate) fn nearest<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let allowed = (written.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (distance(written, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The help line of a message, when there is a near name.
pub(crate) fn did_you_mean(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("\n  = help: did you mean `{near}`?"))
}

/// How many characters must be put in, taken out or replaced to come from one name to the other, in any case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("Tags", "tags"), 0);
    }

    #[test]
    fn only_a_slip_is_near() {
        assert_eq!(nearest("reder.json", ["writer.json", "reader.json"]), Some("reader.json"));
        assert_eq!(nearest("boundry", ["arg", "boundary"]), Some("boundary"));
        assert_eq!(nearest("policy", ["arg", "boundary"]), None);
    }
}
