// SPDX-License-Identifier: MPL-2.0

//! Processes a list of items in parallel.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Results of [`run`].
#[derive(Debug, PartialEq)]
pub(crate) struct Finished<O, E> {
    /// Output of each item, in the order of the items; `None` for one that failed or was not
    /// started.
    pub(crate) outputs: Vec<Option<O>>,
    /// Errors, in the order of the items.
    pub(crate) errors: Vec<E>,
}

/// Calls `process` for each of `items`, in one thread per element of `states`, which it may change.
/// After an error no other item is started.
pub(crate) fn run<S: Send, I: Sync, O: Send, E: Send>(
    states: &mut [S],
    items: &[I],
    process: impl Fn(&mut S, &I) -> Result<O, E> + Sync,
) -> Finished<O, E> {
    let next_index = AtomicUsize::new(0);
    let process_items = |state: &mut S| {
        let mut results = Vec::new();
        loop {
            let index = next_index.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return results;
            };
            let result = process(state, item);
            if result.is_err() {
                next_index.store(items.len(), Ordering::Relaxed);
            }
            results.push((index, result));
        }
    };
    let mut results = std::thread::scope(|scope| {
        let threads: Vec<_> = states
            .iter_mut()
            .map(|state| scope.spawn(|| process_items(state)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .flat_map(|results| results.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect::<Vec<_>>()
    });
    results.sort_by_key(|(index, _)| *index);
    let mut finished = Finished {
        outputs: items.iter().map(|_| None).collect(),
        errors: Vec::new(),
    };
    for (index, result) in results {
        match result {
            Ok(output) => finished.outputs[index] = Some(output),
            Err(error) => finished.errors.push(error),
        }
    }
    finished
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..50).collect();
        let finished = run(&mut [(); 4], &items, |(), item| Ok::<_, ()>(item * 2));
        let outputs = items.iter().map(|item| Some(item * 2)).collect();
        let errors = Vec::new();
        assert_eq!(finished, Finished { outputs, errors });
    }

    #[test]
    fn no_item_is_started_after_an_error() {
        let finished = run(&mut [()], &[1, 2, 3, 4], |(), &item| match item {
            3 => Err("three"),
            _ => Ok(item),
        });
        let outputs = vec![Some(1), Some(2), None, None];
        let errors = vec!["three"];
        assert_eq!(finished, Finished { outputs, errors });
    }
}
