//! The obvious way to a charge: one fraction at a time in 128 bits, a unit counted at a time where that is affordable.
//!
//! Written from the rules of docs/adr/0006, sharing nothing with the code under test, to be compared with it.

/// A price as the tariff text says it.
#[derive(Debug, Clone)]
pub struct Price {
    pub setup_nano: i128,
    pub minimum: i128,
    /// (from, increment, price of one unit size in nano-units)
    pub steps: Vec<(i128, i128, i128)>,
    pub per: i128,
    /// Units that are not charged, counted off first.
    pub free_units: i128,
    /// Once, where units are left.
    pub disconnect_nano: i128,
    pub charge_min_nano: i128,
    pub charge_max_nano: Option<i128>,
}

/// Billed units of those that are not free: the minimum first, then whole increments, step by step.
pub fn billed(price: &Price, units: i128) -> Vec<i128> {
    let mut billed = Vec::new();
    for (n, (from, increment, _)) in price.steps.iter().enumerate() {
        let end = price.steps.get(n + 1).map_or(i128::MAX, |next| next.0);
        let mut counted = if n == 0 { price.minimum } else { 0 };
        let wanted = (units.min(end) - from).max(0);
        if wanted > counted {
            counted += (wanted - counted + increment - 1) / increment * increment;
        }
        billed.push(counted);
    }
    billed
}

/// The charge in nano-units, rounded to `places` by `mode`; `free` is what zero units cost nothing under.
pub fn charge(price: &Price, units: i128, free: bool, places: u32, mode: &str) -> i128 {
    let all = units;
    let units = left(price, units);
    if units == 0 && (free || all > 0) {
        return 0;
    }
    let parts = billed(price, units);
    let sum: i128 = price.steps.iter().zip(parts).map(|((_, _, unit), billed)| unit * billed).sum();
    let fees = price.setup_nano + if units > 0 { price.disconnect_nano } else { 0 };
    let mut numerator = fees * price.per + sum;
    if numerator < price.charge_min_nano * price.per {
        numerator = price.charge_min_nano * price.per;
    }
    if let Some(most) = price.charge_max_nano
        && numerator > most * price.per
    {
        numerator = most * price.per;
    }
    round(numerator, price.per, places, mode)
}

/// What is left of the units behind the free ones.
pub fn left(price: &Price, units: i128) -> i128 {
    (units - price.free_units).max(0)
}

/// `numerator / denominator` nano-units to `places` places: the two neighbours are compared by their distance.
pub fn round(numerator: i128, denominator: i128, places: u32, mode: &str) -> i128 {
    let place = 10i128.pow(9 - places);
    let below = numerator.abs() / (denominator * place) * place;
    let above = below + place;
    let (to_below, to_above) = (numerator.abs() - below * denominator, above * denominator - numerator.abs());
    let nearest = match to_below.cmp(&to_above) {
        std::cmp::Ordering::Less => below,
        std::cmp::Ordering::Greater => above,
        std::cmp::Ordering::Equal if mode == "half_up" => above,
        std::cmp::Ordering::Equal => {
            if below / place % 2 == 0 {
                below
            } else {
                above
            }
        }
    };
    let size = match mode {
        "down" => below,
        "up" => {
            if to_below == 0 {
                below
            } else {
                above
            }
        }
        _ => nearest,
    };
    if numerator < 0 { -size } else { size }
}

/// A call over the edges of bands, one increment after the other: `band_at` tells the band of each of its seconds, and so its
/// price. Billed seconds, and the exact charge in nano-units as a fraction.
pub fn over_edges(prices: &[Price], band_at: &dyn Fn(i128) -> usize, seconds: i128, anew: bool) -> (i128, (i128, i128)) {
    let first = &prices[band_at(0)];
    let left = left(first, seconds);
    if left == 0 {
        return (0, (0, 1));
    }
    // Any number that all sizes go into will do.
    let size: i128 = prices.iter().map(|price| price.per).product();
    let mut billed = first.minimum;
    let mut sum = (first.setup_nano + first.disconnect_nano) * size + first.steps[0].2 * first.minimum * (size / first.per);
    let mut at = first.free_units + first.minimum;
    while at < seconds {
        let price = &prices[band_at(at)];
        let step = price.steps.iter().rev().find(|step| step.0 <= at - first.free_units).expect("steps begin with 0");
        billed += step.1;
        sum += step.2 * step.1 * (size / price.per);
        let cut = (at..seconds.min(at + step.1)).find(|second| anew && band_at(*second) != band_at(at));
        at = cut.unwrap_or(at + step.1);
    }
    let least = first.charge_min_nano * size;
    let most = first.charge_max_nano.map_or(i128::MAX, |most| most * size);
    (billed, (sum.max(least).min(most), size))
}
