//! The zone of a record: where it was made, abroad with whom it went to; else what the provider calls it, else whom it went to.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::dated::Dated;
use crate::record::Record;

/// The zone tables of a tariff, by the text that leads to a zone.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    pub home: String,
    pub prefixes: Dated<String>,
    pub short_codes: HashMap<String, String>,
    /// Of words and masked numbers.
    pub unnumbered: Option<String>,
    pub networks: Dated<String>,
    /// By the zone that is visited, then the one that is called, or `*`.
    pub roaming: HashMap<String, HashMap<String, String>>,
    pub classes: HashMap<String, String>,
}

impl Zones {
    /// The zone of a record that began on a local day, and what decided it.
    pub fn of(&self, record: &Record<'_>, day: Date) -> Option<(&str, &'static str)> {
        if !record.network.is_empty() {
            let visited = self.visited(record.network, day)?;
            if visited != self.home {
                return Some(self.abroad(visited, record, day).map_or((visited, "network"), |zone| (zone, "roaming")));
            }
        }
        if let Some(zone) = self.classes.get(record.provider_class) {
            return Some((zone, "class"));
        }
        if !record.has_destination() {
            return Some((&self.home, "home"));
        }
        self.called(record, day)
    }

    /// The zone that the number called leads to.
    fn called(&self, record: &Record<'_>, day: Date) -> Option<(&str, &'static str)> {
        match record.b_number_type {
            "e164" => self.by_prefix(record.b_number, day).map(|zone| (zone, "prefix")),
            "short_code" => self.short_codes.get(record.b_number).map(|zone| (zone.as_str(), "short_code")),
            "alphanumeric" | "masked" => self.unnumbered.as_deref().map(|zone| (zone, "prefix")),
            _ => None,
        }
    }

    /// The zone of a network on a day, else that of its country; a TADIG code names a network alone.
    fn visited(&self, network: &str, day: Date) -> Option<&str> {
        let country = network.get(..3).filter(|_| network.bytes().all(|digit| digit.is_ascii_digit()));
        self.networks.on(network, day).or_else(|| self.networks.on(country?, day)).map(String::as_str)
    }

    /// The zone that the tariff makes of a visited one and of the one that is called, if it does.
    fn abroad(&self, visited: &str, record: &Record<'_>, day: Date) -> Option<&str> {
        let zones = self.roaming.get(visited)?;
        let called = if record.has_destination() { self.called(record, day) } else { None };
        called.and_then(|(called, _)| zones.get(called)).or_else(|| zones.get("*")).map(String::as_str)
    }

    /// The longest prefix of those that hold on the day.
    fn by_prefix(&self, number: &str, day: Date) -> Option<&str> {
        let mut lengths = (1..=number.len()).rev();
        lengths.find_map(|length| self.prefixes.on(number.get(..length)?, day)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Row;
    use jiff::civil::date;

    fn dated(rows: &[(&str, &str, &str)]) -> Dated<String> {
        let mut dated = Dated::default();
        for (key, zone, to) in rows {
            let ends = (!to.is_empty()).then(|| ("valid_to".to_owned(), (*to).to_owned()));
            let row: Row = ends.into_iter().collect();
            dated.insert((*key).to_owned(), &row, (*zone).to_owned()).expect("a day");
        }
        dated
    }

    fn table(rows: &[(&str, &str)]) -> HashMap<String, String> {
        rows.iter().map(|(key, zone)| ((*key).to_owned(), (*zone).to_owned())).collect()
    }

    #[test]
    fn network_goes_before_class_and_class_before_number() {
        let zones = Zones {
            home: "HOME".to_owned(),
            prefixes: dated(&[("31", "NL", ""), ("316", "NL-MOB", ""), ("3161", "OLD", "2026-10-14")]),
            short_codes: table(&[("112", "FREE")]),
            unnumbered: Some("WORD".to_owned()),
            networks: dated(&[("204", "HOME", ""), ("20404", "VF", ""), ("NLDPT", "HOME", ""), ("310", "US", "")]),
            roaming: HashMap::new(),
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
            assert_eq!(zones.of(&record, date(2026, 10, 14)), zone, "{record:?}");
        }
    }

    #[test]
    fn abroad_the_zone_that_is_called_counts_where_the_tariff_pairs_it_with_the_visited_one() {
        let zones = Zones {
            home: "HOME".to_owned(),
            prefixes: dated(&[("31", "NL", ""), ("49", "DE", "")]),
            short_codes: table(&[("112", "FREE")]),
            unnumbered: Some("WORD".to_owned()),
            networks: dated(&[("262", "EU", ""), ("26201", "PARTNER", "2026-10-14"), ("310", "US", ""), ("204", "HOME", "")]),
            roaming: HashMap::from([
                ("EU".to_owned(), table(&[("NL", "EU-HOME"), ("FREE", "EU-FREE"), ("WORD", "EU-WORD"), ("*", "EU-ANY")])),
                ("US".to_owned(), table(&[("NL", "US-HOME")])),
                ("HOME".to_owned(), table(&[("*", "NEVER")])),
            ]),
            classes: table(&[("premium", "PREMIUM")]),
        };
        let made = Record { kind: "voice-mo", network: "26202", ..Record::default() };
        let called = Record { b_number: "31201234567", b_number_type: "e164", ..made };
        let cases = [
            (called, Some(("EU-HOME", "roaming"))),
            (Record { provider_class: "premium", ..called }, Some(("EU-HOME", "roaming"))),
            (Record { b_number: "4930", ..called }, Some(("EU-ANY", "roaming"))),
            (Record { b_number: "999", ..called }, Some(("EU-ANY", "roaming"))),
            (Record { b_number: "112", b_number_type: "short_code", ..called }, Some(("EU-FREE", "roaming"))),
            (Record { b_number: "", b_number_type: "masked", ..called }, Some(("EU-WORD", "roaming"))),
            (Record { kind: "voice-mt", ..called }, Some(("EU-ANY", "roaming"))),
            (Record { kind: "voice-fwd", ..called }, Some(("EU-HOME", "roaming"))),
            (Record { network: "310260", ..called }, Some(("US-HOME", "roaming"))),
            (Record { network: "310260", b_number: "4930", ..called }, Some(("US", "network"))),
            (Record { network: "310260", kind: "data", ..called }, Some(("US", "network"))),
            (Record { network: "20408", ..called }, Some(("NL", "prefix"))),
            (Record { network: "20801", ..called }, None),
        ];
        for (record, zone) in cases {
            assert_eq!(zones.of(&record, date(2026, 10, 14)), zone, "{record:?}");
        }
        let partner = Record { network: "26201", ..called };
        assert_eq!(zones.of(&partner, date(2026, 10, 13)), Some(("PARTNER", "network")));
        assert_eq!(zones.of(&partner, date(2026, 10, 14)), Some(("EU-HOME", "roaming")));
    }
}
