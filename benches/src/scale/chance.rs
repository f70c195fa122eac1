//! [`Chance`]: random numbers that are the same for the same seed (SplitMix64, Steele et al. 2014).

/// A source of random numbers.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 up to, not including, 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Letters and digits.
    pub fn text(&mut self, length: usize) -> String {
        const SIGNS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        (0..length).map(|_| char::from(SIGNS[(self.next() >> 59) as usize])).collect()
    }

    /// A source of its own, for somebody who runs at the same time.
    pub fn another(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
