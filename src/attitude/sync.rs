// SPDX-License-Identifier: MPL-2.0

//! Locks that survive a panic of another thread.
//!
//! A panic while a mutex is locked poisons it. Poisoning is ignored, since all state that this
//! project keeps in mutexes is valid at any time, or is replaced as a whole after a failure.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Locks `mutex`; ignores poisoning.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Blocks on `condvar` while `condition` returns `true`; ignores poisoning.
pub fn wait_while<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    condition: impl FnMut(&mut T) -> bool,
) -> MutexGuard<'a, T> {
    condvar
        .wait_while(guard, condition)
        .unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poisoned_mutex_is_locked() {
        let mutex = Mutex::new(1);
        std::thread::scope(|scope| {
            let panicking = scope.spawn(|| {
                let _guard = lock(&mutex);
                panic!("poisons the mutex");
            });
            assert!(panicking.join().is_err());
        });
        assert!(mutex.is_poisoned());
        assert_eq!(*lock(&mutex), 1);
    }
}
