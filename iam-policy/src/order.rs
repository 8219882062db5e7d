//! Order where there is little to put in order.
//!
//! The sorts of the standard library are a thousand lines and more to the compiler for each type of elements; these are few.

use std::cmp::Ordering;

/// As [`slice::sort_by`].
pub(crate) fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    if items.len() < 2 {
        return;
    }
    let swaps = swaps(items.len(), &|a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    for (one, other) in swaps {
        items.swap(one, other);
    }
}

/// The places whose items are to be swapped, one pair after the other.
fn swaps(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| compare(*a, *b));
    let mut goals = vec![0; count];
    for (goal, item) in order.into_iter().enumerate() {
        if let Some(of_item) = goals.get_mut(item) {
            *of_item = goal;
        }
    }
    let mut swaps = Vec::with_capacity(count);
    for at in 0..count {
        while let Some(&goal) = goals.get(at)
            && goal != at
        {
            goals.swap(at, goal);
            swaps.push((at, goal));
        }
    }
    swaps
}

/// Puts an item into its place among others, unless it is there.
pub(crate) fn add<T: Ord>(sorted: &mut Vec<T>, item: T) {
    if let Err(place) = sorted.binary_search(&item) {
        sorted.insert(place, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sorts_as_the_standard_library_does() {
        let mut random = 1_u32;
        for count in 0..200 {
            let mut items: Vec<(u32, u32)> = (0..count)
                .map(|number| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (random >> 28, number)
                })
                .collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort_by(&mut items, |(a, _), (b, _)| a.cmp(b));
            assert_eq!(items, expected);
        }
    }

    #[test]
    fn what_is_added_is_there_once_and_in_its_place() {
        let mut sorted = Vec::new();
        for item in ["b", "a", "c", "b", "a"] {
            add(&mut sorted, item);
        }
        assert_eq!(sorted, ["a", "b", "c"]);
    }
}
