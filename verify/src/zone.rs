//! The zone of a record: where it was made, what the provider calls it, whom it went to, in this order.

use std::collections::HashMap;

use crate::record::Record;

/// The zone tables of a tariff, by the text that leads to a zone.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    pub home: String,
    pub prefixes: HashMap<String, String>,
    pub short_codes: HashMap<String, String>,
    /// Of words and masked numbers.
    pub unnumbered: Option<String>,
    pub networks: HashMap<String, String>,
    pub classes: HashMap<String, String>,
}

impl Zones {
    /// The zone and what decided it.
    pub fn of(&self, record: &Record<'_>) -> Option<(&str, &'static str)> {
        if !record.network.is_empty() {
            let visited = self.visited(record.network)?;
            if visited != self.home {
                return Some((visited, "network"));
            }
        }
        if let Some(zone) = self.classes.get(record.provider_class) {
            return Some((zone, "class"));
        }
        if !record.has_destination() {
            return Some((&self.home, "home"));
        }
        match record.b_number_type {
            "e164" => self.by_prefix(record.b_number).map(|zone| (zone, "prefix")),
            "short_code" => self.short_codes.get(record.b_number).map(|zone| (zone.as_str(), "short_code")),
            "alphanumeric" | "masked" => self.unnumbered.as_deref().map(|zone| (zone, "prefix")),
            _ => None,
        }
    }

    /// The zone of a network, else that of its country; a TADIG code names a network alone.
    fn visited(&self, network: &str) -> Option<&str> {
        let country = network.get(..3).filter(|_| network.bytes().all(|digit| digit.is_ascii_digit()));
        self.networks.get(network).or_else(|| self.networks.get(country?)).map(String::as_str)
    }

    fn by_prefix(&self, number: &str) -> Option<&str> {
        let mut lengths = (1..=number.len()).rev();
        lengths.find_map(|length| self.prefixes.get(number.get(..length)?)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, &str)]) -> HashMap<String, String> {
        rows.iter().map(|(key, zone)| ((*key).to_owned(), (*zone).to_owned())).collect()
    }

    #[test]
    fn network_goes_before_class_and_class_before_number() {
        let zones = Zones {
            home: "HOME".to_owned(),
            prefixes: table(&[("31", "NL"), ("316", "NL-MOB")]),
            short_codes: table(&[("112", "FREE")]),
            unnumbered: Some("WORD".to_owned()),
            networks: table(&[("204", "HOME"), ("20404", "VF"), ("NLDPT", "HOME"), ("310", "US")]),
            classes: table(&[("premium", "PREMIUM")]),
        };
        let called = Record { kind: "voice-mo", b_number: "31612345678", b_number_type: "e164", ..Record::default() };
        let cases = [
            (called, Some(("NL-MOB", "prefix"))),
            (Record { b_number: "31201234567", ..called }, Some(("NL", "prefix"))),
            (Record { b_number: "4930", ..called }, None),
            (Record { b_number: "112", b_number_type: "short_code", ..called }, Some(("FREE", "short_code"))),
            (Record { b_number: "BANK", b_number_type: "alphanumeric", ..called }, Some(("WORD", "prefix"))),
            (Record { b_number: "", b_number_type: "absent", ..called }, None),
            (Record { provider_class: "premium", ..called }, Some(("PREMIUM", "class"))),
            (Record { provider_class: "other", ..called }, Some(("NL-MOB", "prefix"))),
            (Record { network: "20404", provider_class: "premium", ..called }, Some(("VF", "network"))),
            (Record { network: "20408", provider_class: "premium", ..called }, Some(("PREMIUM", "class"))),
            (Record { network: "NLDPT", ..called }, Some(("NL-MOB", "prefix"))),
            (Record { network: "310260", ..called }, Some(("US", "network"))),
            (Record { network: "26201", ..called }, None),
            (Record { kind: "voice-mt", ..called }, Some(("HOME", "home"))),
            (Record { kind: "data", network: "310260", ..called }, Some(("US", "network"))),
        ];
        for (record, zone) in cases {
            assert_eq!(zones.of(&record), zone, "{record:?}");
        }
    }
}
