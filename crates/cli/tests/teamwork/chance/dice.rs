// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chance that is the same on every machine.

/// xorshift64*.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number from 0 on that is smaller than `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).expect("31 bits") % limit
    }

    /// The same things in another order.
    pub(super) fn shuffled(&mut self, things: &[usize]) -> Vec<usize> {
        let mut shuffled = things.to_vec();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, self.below(at + 1));
        }
        shuffled
    }
}

/// Every order of a few things.
pub(super) fn permutations(things: &[usize]) -> Vec<Vec<usize>> {
    if things.is_empty() {
        return vec![Vec::new()];
    }
    let begin_with = |at: usize| {
        let mut rest = things.to_vec();
        let first = rest.remove(at);
        permutations(&rest).into_iter().map(move |rest| [&[first], rest.as_slice()].concat())
    };
    (0..things.len()).flat_map(begin_with).collect()
}
