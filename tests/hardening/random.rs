// SPDX-License-Identifier: MPL-2.0

//! Random numbers, always the same ones for a seed.

/// A generator of random numbers (Vigna, "An experimental exploration of Marsaglia's xorshift
/// generators, scrambled", 2016).
pub struct Random(u64);

impl Random {
    /// Creates a generator.
    pub fn new(seed: u64) -> Self {
        // The state must not be 0.
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// Returns the next number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Returns a number below `limit`.
    ///
    /// # Panics
    /// Panics if `limit` is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() >> 32) as usize % limit
    }

    /// Returns one of `values`.
    ///
    /// # Panics
    /// Panics if there is none.
    pub fn choice<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        &values[self.below(values.len())]
    }

    /// Changes, removes, inserts or repeats some of `bytes`; some of the new ones are of `usual`.
    pub fn change(&mut self, bytes: &mut Vec<u8>, usual: &[u8]) {
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len() + 1);
            let len = self.below(1 + (bytes.len() - at).min(16));
            match self.below(5) {
                0 if at < bytes.len() => bytes[at] = self.number() as u8,
                1 if at < bytes.len() => bytes[at] = *self.choice(usual),
                2 => drop(bytes.drain(at..at + len)),
                3 => {
                    let copy = bytes[at..at + len].to_vec();
                    let to = self.below(bytes.len() + 1);
                    bytes.splice(to..to, copy);
                }
                _ => bytes.insert(at, self.number() as u8),
            }
        }
    }
}
