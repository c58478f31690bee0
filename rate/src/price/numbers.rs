//! The allowances that one record draws from: nearly always one or two, so they need no memory of their own.

use std::ops::Deref;

/// So many fit in place.
const FEW: usize = 3;

/// Numbers of allowances, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// How many there are, and these; 0 behind them.
    Few(u8, [u16; FEW]),
    /// More than that.
    Many(Vec<u16>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Few(0, [0; FEW])
    }
}

impl Numbers {
    /// Adds one at the end.
    pub fn push(&mut self, number: u16) {
        match self {
            Self::Few(count, few) if usize::from(*count) < FEW => {
                few[usize::from(*count)] = number;
                *count += 1;
            }
            Self::Few(_, few) => *self = Self::Many(few.iter().copied().chain([number]).collect()),
            Self::Many(many) => many.push(number),
        }
    }
}

impl Deref for Numbers {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        match self {
            Self::Few(count, few) => &few[..usize::from(*count)],
            Self::Many(many) => many,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_count_of_numbers_comes_back_in_order() {
        let mut numbers = Numbers::default();
        for n in 0..6 {
            assert_eq!(*numbers, (0..n).collect::<Vec<u16>>());
            numbers.push(n);
        }
    }
}
