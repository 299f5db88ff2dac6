//! Chance from a number: the same draws for the same seed, on every machine and for ever, so that a kept seed keeps its
//! meaning. (SplitMix64; the generators of `rand` may change with its versions.)

/// A row of draws.
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `most - 1`; `most` is at least 1.
    pub fn below(&mut self, most: usize) -> usize {
        (self.draw() % most as u64) as usize
    }

    /// Both ends included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        least + (self.draw() % (most - least + 1) as u64) as i64
    }

    /// Whether it happens that happens so often in a thousand times.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.draw() % 1_000 < per_mille
    }

    pub fn pick<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        if things.is_empty() { None } else { Some(&things[self.below(things.len())]) }
    }
}
