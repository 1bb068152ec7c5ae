// SPDX-License-Identifier: MPL-2.0

//! A pool of threads that work through a list.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Results of a run.
#[derive(Debug, PartialEq)]
pub(crate) struct Finished<O, E> {
    /// Output of each item, in the order of the items; `None` for one that failed or was not started.
    pub(crate) outputs: Vec<Option<O>>,
    /// Errors, in the order of the items.
    pub(crate) errors: Vec<E>,
}

/// Runs `work` on each of `items`, with one thread per worker. After an error no other item is started.
pub(crate) fn run<W: Send, I: Sync, O: Send, E: Send>(
    workers: &mut [W],
    items: &[I],
    work: impl Fn(&mut W, &I) -> Result<O, E> + Sync,
) -> Finished<O, E> {
    let next = AtomicUsize::new(0);
    let thread = |worker: &mut W| {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return done;
            };
            let result = work(worker, item);
            if result.is_err() {
                next.store(items.len(), Ordering::Relaxed);
            }
            done.push((index, result));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let threads: Vec<_> = workers
            .iter_mut()
            .map(|worker| scope.spawn(|| thread(worker)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .flat_map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect::<Vec<_>>()
    });
    done.sort_by_key(|(index, _)| *index);
    let mut finished = Finished {
        outputs: items.iter().map(|_| None).collect(),
        errors: Vec::new(),
    };
    for (index, result) in done {
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
