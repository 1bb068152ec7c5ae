// SPDX-License-Identifier: MPL-2.0

//! Several recordings at a time.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What `work` makes of each of `items`, with so many threads; `None` for those that it was not made
/// of, as it said `None` before.
pub fn run<I: Sync, O: Send>(
    items: &[I],
    threads: usize,
    work: impl Fn(&I) -> Option<O> + Sync,
) -> Vec<Option<O>> {
    let next = AtomicUsize::new(0);
    let is_over = AtomicBool::new(false);
    let thread = || {
        let mut done = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                break;
            };
            match work(item) {
                Some(outcome) => done.push((index, outcome)),
                None => is_over.store(true, Ordering::Relaxed),
            }
        }
        done
    };
    let done = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(thread)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .flat_map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect::<Vec<_>>()
    });
    let mut outcomes: Vec<Option<O>> = items.iter().map(|_| None).collect();
    for (index, outcome) in done {
        outcomes[index] = Some(outcome);
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_has_its_own_outcome() {
        let items: Vec<usize> = (0..50).collect();
        let outcomes = run(&items, 4, |item| Some(item * 2));
        let expected = items.iter().map(|item| Some(item * 2));
        assert_eq!(outcomes, expected.collect::<Vec<_>>());
    }

    #[test]
    fn none_ends_the_run() {
        let outcomes = run(&[1, 2, 3, 4], 1, |&item| (item != 3).then_some(item));
        assert_eq!(outcomes, [Some(1), Some(2), None, None]);
    }
}
