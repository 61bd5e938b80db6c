//! Small random numbers, the same each time (xorshift, Marsaglia 2003).

/// The generator; it begins with anything but 0.
pub struct Random(pub u64);

impl Random {
    /// A number below `n`; 0 where there is none.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}
