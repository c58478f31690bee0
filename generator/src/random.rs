//! Chance from a seed: the same draws on every machine, each file from a stream of its own.
//!
//! Only integers are used, so that no library's rounding decides about bytes: the skewed distributions go through logarithm and
//! power of two in fixed point.

/// Fraction bits of the fixed-point logarithms.
const Q: u32 = 24;

/// 2^64 divided by the golden ratio, odd: the increment of splitmix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014): every input bit moves every output bit.
fn mix(word: u64) -> u64 {
    let mut z = word.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One stream of draws: xoshiro256** (Blackman, Vigna 2018), seeded through splitmix64.
#[derive(Debug, Clone)]
pub struct Dice {
    state: [u64; 4],
}

impl Dice {
    /// The stream of a seed that belongs to `path`, such as purpose, layout, account and file; streams do not overlap in practice.
    pub fn new(seed: u64, path: &[u64]) -> Self {
        let start = path.iter().fold(mix(seed), |hash, word| mix(hash ^ mix(*word)));
        let mut state = [0; 4];
        let mut word = start;
        for s in &mut state {
            word = mix(word);
            *s = word;
        }
        Self { state }
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number below `limit` (which is at least 1).
    pub fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(limit);
        u64::try_from(wide >> 64).expect("the upper half of a product of two words is a word")
    }

    /// A number below `limit` (which is at least 1), for seconds and days.
    pub fn span(&mut self, limit: i64) -> i64 {
        self.below(limit.max(1).cast_unsigned()).cast_signed()
    }

    /// A position in a list of `len` entries (at least one).
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below the length of a list in memory")
    }

    /// One of the entries of a list that is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.index(list.len())]
    }

    /// Whether something of this probability, in parts per million, happens.
    pub fn chance(&mut self, ppm: u32) -> bool {
        self.below(1_000_000) < u64::from(ppm)
    }

    /// A position drawn by weight; the weights are not all 0.
    pub fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let total: u64 = weights.clone().map(u64::from).sum();
        let mut left = self.below(total);
        for (i, weight) in weights.enumerate() {
            let weight = u64::from(weight);
            if left < weight {
                return i;
            }
            left -= weight;
        }
        0
    }

    /// A position in a list of `len` entries where the first ones come far more often: the draw is `len` times u³.
    pub fn skewed(&mut self, len: usize) -> usize {
        let u = u128::from(self.bits() >> 32);
        let cube = (u * u * u * (len as u128)) >> 96;
        usize::try_from(cube).expect("less than the length of a list in memory")
    }

    /// Seconds of an answered call: log-logistic with median 62 s and shape 1.45, cut at four hours.
    ///
    /// Call durations follow a truncated log-logistic distribution (Vaz de Melo et al., ECML PKDD 2010).
    pub fn call_seconds(&mut self) -> i64 {
        const MEDIAN_LOG2: i64 = 99_894_838; // log2(62) in fixed point
        let u = (self.bits() >> 32).max(1);
        let odds = log2(u) - log2((1 << 32) - u);
        exp2(MEDIAN_LOG2 + odds * 100 / 145).clamp(1, 14_400).cast_signed()
    }

    /// Bytes received in a data session: log-normal with median 199 kB and a standard deviation of e^2.6, cut at 20 GB.
    pub fn session_bytes(&mut self) -> i64 {
        const MEDIAN_LOG2: i64 = 295_293_757; // 12.2 / ln 2 in fixed point
        const DEVIATION_LOG2: i64 = 62_931_456; // 2.6 / ln 2 in fixed point
        // Twelve uniform draws of 16 bits, minus their mean, are a good standard normal (Irwin-Hall) in units of 2^-16.
        let mut normal = -12 * 65_535 / 2;
        for _ in 0..3 {
            let word = self.bits();
            normal += (0..4).map(|lane| (word >> (16 * lane) & 0xffff).cast_signed()).sum::<i64>();
        }
        let power = MEDIAN_LOG2 + ((DEVIATION_LOG2 * normal) >> 16);
        exp2(power.min(35 << Q)).clamp(1, 20_000_000_000).cast_signed()
    }
}

/// Logarithm to the base 2 of a positive integer, in fixed point.
fn log2(x: u64) -> i64 {
    let whole = x.ilog2();
    let mut mantissa = if whole <= 31 { x << (31 - whole) } else { x >> (whole - 31) };
    let mut fraction = 0;
    for _ in 0..Q {
        mantissa = (mantissa * mantissa) >> 31;
        fraction <<= 1;
        if mantissa >= 1 << 32 {
            fraction |= 1;
            mantissa >>= 1;
        }
    }
    (i64::from(whole) << Q) + fraction
}

/// 2^(1/2), 2^(1/4), 2^(1/8) ... with 30 fraction bits: each the integer square root of the one before.
const ROOTS: [u64; Q as usize] = {
    let mut roots = [0; Q as usize];
    let mut last: u64 = 2 << 30;
    let mut i = 0;
    while i < roots.len() {
        last = (last << 30).isqrt();
        roots[i] = last;
        i += 1;
    }
    roots
};

/// Two to a fixed-point power up to 35, rounded down; 0 for negative powers.
fn exp2(power: i64) -> u64 {
    let Ok(power) = u64::try_from(power) else { return 0 };
    let mut product: u64 = 1 << 30;
    for (i, root) in ROOTS.iter().enumerate() {
        if power >> (Q as usize - 1 - i) & 1 == 1 {
            product = (product * root) >> 30;
        }
    }
    u64::try_from(u128::from(product) << (power >> Q) >> 30).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_draws_of_a_seed_never_change() {
        // xoshiro256** from the state 1, 2, 3, 4: the first outputs of its authors' reference code.
        let mut dice = Dice { state: [1, 2, 3, 4] };
        assert_eq!([dice.bits(), dice.bits(), dice.bits()], [11_520, 0, 1_509_978_240]);
        // splitmix64 from 1234567: the first output of its authors' reference code.
        assert_eq!(mix(1_234_567), 6_457_827_717_110_365_317);
    }

    #[test]
    fn streams_differ_by_every_part_of_their_path() {
        let first = |seed, path: &[u64]| Dice::new(seed, path).bits();
        assert_eq!(first(42, &[1, 2]), first(42, &[1, 2]));
        assert_ne!(first(42, &[1, 2]), first(42, &[2, 1]));
        assert_ne!(first(42, &[1, 2]), first(43, &[1, 2]));
        assert_ne!(first(42, &[1]), first(42, &[1, 0]));
    }

    #[test]
    fn powers_and_logarithms_are_inverse() {
        for x in [1, 2, 3, 62, 1000, 14_400, 1 << 31, 20_000_000_000] {
            let back = exp2(log2(x));
            assert!(back <= x && x - back <= 1 + x / 1_000_000, "{x} came back as {back}");
        }
        assert_eq!(exp2(-1), 0);
        assert_eq!(log2(1 << 20), 20 << Q);
    }

    #[test]
    fn call_durations_have_the_quartiles_of_the_distribution() {
        let mut dice = Dice::new(1, &[]);
        let mut all: Vec<i64> = (0..40_000).map(|_| dice.call_seconds()).collect();
        all.sort_unstable();
        // Quartiles of the log-logistic: 62 / 3^(1/1.45) = 29.06 and 62 x 3^(1/1.45) = 132.3.
        assert!((27..=31).contains(&all[10_000]), "{}", all[10_000]);
        assert!((59..=65).contains(&all[20_000]), "{}", all[20_000]);
        assert!((127..=138).contains(&all[30_000]), "{}", all[30_000]);
        assert_eq!(all[39_999], 14_400);
    }

    #[test]
    fn sessions_have_the_quartiles_of_the_distribution() {
        let mut dice = Dice::new(2, &[]);
        let mut all: Vec<i64> = (0..40_000).map(|_| dice.session_bytes()).collect();
        all.sort_unstable();
        // e^(12.2 - 0.6745 x 2.6) = 34,416, e^12.2 = 198,789, e^(12.2 + 0.6745 x 2.6) = 1,148,216.
        assert!((32_000..=37_000).contains(&all[10_000]), "{}", all[10_000]);
        assert!((187_000..=211_000).contains(&all[20_000]), "{}", all[20_000]);
        assert!((1_070_000..=1_230_000).contains(&all[30_000]), "{}", all[30_000]);
    }
}
