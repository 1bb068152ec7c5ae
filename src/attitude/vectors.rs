// SPDX-License-Identifier: MPL-2.0

//! Code that is compiled for the long vectors of newer processors as well as for all processors.

/// A computation in loops that the compiler can vectorize.
pub(crate) trait Vectorizable {
    /// Runs the computation. Needs the attribute `#[inline(always)]`, as do the functions with its
    /// loops: only what is inlined is compiled for longer vectors.
    fn run(self);
}

/// Runs `computation`, compiled for vectors of 256 bits if the processor has them.
pub(crate) fn run_with_longest_vectors(computation: impl Vectorizable) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: The processor supports the features that the function is compiled for.
        return unsafe { run_with_avx2(computation) };
    }
    computation.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_with_avx2(computation: impl Vectorizable) {
    computation.run();
}
