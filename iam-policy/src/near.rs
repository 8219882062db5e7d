//! "Did you mean": names that look like one that was not found.

use crate::order;

/// The candidates that a name may be a slip of, best first: at most three, each within a third of its length in edits.
///
/// # Examples
///
/// ```
/// assert_eq!(iam_policy::near("boundry", ["boundary", "duration"]), ["boundary"]);
/// ```
pub fn near<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    nearest(name, &mut candidates.into_iter())
}

fn nearest<'a>(name: &str, candidates: &mut dyn Iterator<Item = &'a str>) -> Vec<&'a str> {
    const MOST: usize = 3;
    let name = lower(name);
    let tolerance = (name.len() / 3).max(1);
    let mut found = Vec::new();
    for candidate in candidates {
        if candidate.len().abs_diff(name.len()) <= tolerance {
            let distance = distance(&name, &lower(candidate));
            if distance <= tolerance {
                found.push((distance, candidate));
            }
        }
    }
    order::sort_by(&mut found, Ord::cmp);
    // Beside a name that is one slip away, a name that is three away is noise.
    let best = found.first().map_or(0, |(distance, _)| *distance);
    let near = found.partition_point(|(distance, _)| *distance <= best + 1);
    found.iter().map(|(_, candidate)| *candidate).take(near.min(MOST)).collect()
}

fn lower(text: &str) -> Vec<u8> {
    text.to_ascii_lowercase().into_bytes()
}

/// Edits between the two: insertions, deletions, substitutions, and swaps of neighbours.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut before = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut left_before = None;
    for (number, &a) in left.iter().enumerate() {
        let mut next = vec![number + 1];
        let mut right_before = None;
        for (column, (&b, above)) in right.iter().zip(row.windows(2)).enumerate() {
            let &[diagonal, up] = above else { continue };
            let beside = next.last().copied().unwrap_or_default();
            let mut edits = (diagonal + usize::from(a != b)).min(up + 1).min(beside + 1);
            if left_before == Some(b) && right_before == Some(a) {
                let swapped: Option<&usize> = column.checked_sub(1).and_then(|column| before.get(column));
                edits = edits.min(swapped.map_or(edits, |swapped| swapped + 1));
            }
            next.push(edits);
            right_before = Some(b);
        }
        before = std::mem::replace(&mut row, next);
        left_before = Some(a);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_kind_of_edit_once() {
        for (left, right, edits) in [
            ("", "", 0),
            ("", "ab", 2),
            ("bucket", "bucket", 0),
            ("bucket", "buckets", 1),
            ("bucket", "ucket", 1),
            ("bucket", "bickit", 2),
            ("bucket", "bukcet", 1),
            ("ubckte", "bucket", 2),
        ] {
            assert_eq!(distance(left.as_bytes(), right.as_bytes()), edits, "{left} {right}");
            assert_eq!(distance(right.as_bytes(), left.as_bytes()), edits, "{right} {left}");
        }
    }

    #[test]
    fn the_nearest_name_comes_first_and_a_far_one_not_at_all() {
        let names = ["PutObject", "GetObject", "GetObjectAcl", "DeleteBucket"];
        assert_eq!(near("GotObject", names), ["GetObject", "PutObject"]);
        assert_eq!(near("GetObjct", names), ["GetObject"]);
        assert_eq!(near("getobject", names), ["GetObject"]);
        assert_eq!(near("Launch", names), [""; 0]);
    }

    #[test]
    fn at_most_three_are_named() {
        assert_eq!(near("aaa", ["aab", "aac", "aad", "aae"]).len(), 3);
    }
}
