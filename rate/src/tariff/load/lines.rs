//! What the lines of a cycle are made by: fees, commitments, and how charges, lines and their sums are rounded.

use domain::money::{NANO_PLACES, Rounding, RoundingMode};

use super::Loader;
use crate::error::TariffError;
use crate::tariff::LineRounding;
use crate::tariff::commitment::{self, Commitment};
use crate::tariff::coverage::Known;
use crate::tariff::fee;
use crate::tariff::field::{bad, whole};
use crate::tariff::raw::RawLineRounding;
use crate::tariff::recurring::{Charges, Recurring};

impl Loader<'_> {
    /// Fees and commitments; no name is of two of them.
    pub(super) fn charges(&self, known: &Known<'_>) -> Result<(Vec<Recurring>, Vec<Commitment>), TariffError> {
        let mut charges = Charges::new(known, self.raw.tax_class.as_deref());
        let fees = fee::build(self.file, &self.raw.fee, &mut charges)?;
        Ok((fees, commitment::build(self.file, &self.raw.commitment, &mut charges)?))
    }

    /// Places and mode of one section.
    pub(super) fn rounding(&self, section: &str, places: i64, mode: &str) -> Result<Rounding, TariffError> {
        let most = u64::from(NANO_PLACES);
        let places = whole(&self.place, &format!("{section}.places"), &places.to_string(), 0..=most)?;
        let mode = match mode {
            "half_up" => RoundingMode::HalfUp,
            "half_even" => RoundingMode::HalfEven,
            "up" => RoundingMode::Up,
            "down" => RoundingMode::Down,
            other => {
                let expected = "`half_up`, `half_even`, `up` or `down` is expected";
                return Err(bad(&self.place, &format!("{section}.mode"), other, expected));
            }
        };
        Ok(Rounding { places: u8::try_from(places).expect("at most nine places"), mode })
    }

    /// Of lines and of their sums.
    pub(super) fn line_rounding(&self) -> Result<LineRounding, TariffError> {
        let raw = &self.raw.rounding;
        let read = |section: &str, raw: &Option<RawLineRounding>| {
            raw.as_ref().map(|raw| self.rounding(section, raw.places, &raw.mode)).transpose()
        };
        let line = read("rounding.line", &raw.line)?.unwrap_or(LineRounding::USUAL.line);
        Ok(LineRounding { line, invoice: read("rounding.invoice", &raw.invoice)?.unwrap_or(line) })
    }
}
