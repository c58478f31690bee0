//! What becomes of a record under the reference data of one version: owner, cycle, tariff, zone, band, charge, or the reason without one.
//! What hangs on other records is derived as if none came before it, and allowances never ran out: the rest is for [`crate::allowance`].

use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::charge::{Charge, Place, Share, charge};
use crate::cover::Cover;
use crate::draw::Draw;
use crate::error::VerifyError;
use crate::owner::{Owners, Party, Served, Window};
use crate::period::billing_period;
use crate::record::Record;
use crate::tariff::Tariff;

/// The reference data of one version.
#[derive(Debug, Default)]
pub struct Reference {
    /// Whose devices are whose, and since when.
    pub owners: Owners,
    /// The tariffs.
    pub tariffs: Vec<Rc<Tariff>>,
}

/// What was derived for a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived<'r> {
    /// Whose device it was.
    pub window: Option<&'r Window>,
    /// Operator / reseller / customer / cost centre.
    pub owner_path: Option<&'r str>,
    /// The customer's cycle.
    pub billing_period: Option<String>,
    /// What the tariffs say.
    pub priced: Priced<'r>,
}

/// What the tariffs say of a record of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced<'r> {
    /// The tariff's version.
    pub tariff: Option<&'r str>,
    /// Its currency.
    pub currency: Option<&'r str>,
    /// The zone.
    pub zone: Option<&'r str>,
    /// What decided the zone.
    pub zone_by: Option<&'static str>,
    /// The band of the start.
    pub band: Option<&'r str>,
    /// Who the other party is, if a price of the tariff asks.
    pub party: Option<&'static str>,
    /// The tax class of what is charged.
    pub tax_class: Option<&'r str>,
    /// Whether the charge holds the tax: `excluded` or `included`.
    pub tax: Option<&'static str>,
    /// The charge, or why there is none.
    pub charge: Result<Charge, &'static str>,
    /// What it took from allowances, if anything.
    pub drawn: Option<Drawn>,
    /// Whether it hangs on other records, by allowances, a total or a discount: then settling decides what it costs.
    pub is_covered: bool,
}

/// What a record took from allowances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Their names in the order in which it drew from them, joined by `+`: units, the limit that took something off, credits.
    pub allowance: String,
    /// Seconds, bytes or messages.
    pub units: Option<i64>,
    /// What a limit took off and what credits paid, in units of 10⁻⁹ of the tariff's currency.
    pub money_nano: Option<i128>,
}

impl Reference {
    /// Derives everything about a record from its fields. Allowances that cover it are assumed to have enough left, and its total and its
    /// discount to have come to nothing.
    pub fn derive<'r>(&'r self, record: &Record<'_>) -> Result<Derived<'r>, VerifyError> {
        let (mut derived, cover) = self.alone(record)?;
        if let Some(cover) = cover {
            derived.priced = derived.priced.after(Ok(cover.assumed(record)));
        }
        Ok(derived)
    }

    /// Derives what a record costs whose owner has a plan, and no group. `customer` is that of the owner's window. The same is
    /// assumed.
    pub fn price<'r>(&'r self, plan: &'r str, customer: Option<&str>, record: &Record<'_>) -> Result<Priced<'r>, VerifyError> {
        let (priced, cover) = self.price_alone(plan, Served { customer, group: None }, record)?;
        Ok(match cover {
            Some(cover) => priced.after(Ok(cover.assumed(record))),
            None => priced,
        })
    }

    /// A record as it is by itself, and what may change that.
    pub(crate) fn alone<'r>(&'r self, record: &Record<'_>) -> Result<(Derived<'r>, Option<Cover<'r>>), VerifyError> {
        let window = self.owners.of(record);
        let customer = window.and_then(|window| self.owners.customers.get(&window.customer));
        let start = instant(record)?;
        let (priced, cover) = match window {
            Some(window) => self.price_alone(&window.plan, Served::of(window), record)?,
            None => (Priced::none("no_device"), None),
        };
        let derived = Derived {
            window,
            owner_path: customer.map(|customer| customer.owner_path.as_str()),
            billing_period: customer.map(|customer| billing_period(customer, start)),
            priced,
        };
        Ok((derived, cover))
    }

    fn price_alone<'r>(
        &'r self,
        plan: &'r str,
        served: Served<'_>,
        record: &Record<'_>,
    ) -> Result<(Priced<'r>, Option<Cover<'r>>), VerifyError> {
        let start = instant(record)?;
        let source_offset = Offset::from_seconds(record.start_offset_s)
            .map_err(|_| VerifyError::Field { field: "start_offset_s", value: record.start_offset_s.to_string() })?;
        let (tariff, plan) = match self.seller(plan, start) {
            Ok(seller) => seller,
            Err(reason) => return Ok((Priced::none(reason), None)),
        };
        let day = tariff.zone.to_datetime(start).date();
        let band = tariff.bands.at(tariff.bands.local(&tariff.zone, start, source_offset));
        let party = if tariff.asks_party { self.owners.party(record, served) } else { None };
        let zoned = tariff.zones.of(record, day);
        let priced = Priced {
            tariff: Some(&tariff.version),
            currency: Some(&tariff.currency),
            zone: zoned.map(|(zone, _)| zone),
            zone_by: zoned.map(|(_, by)| by),
            band: Some(band),
            party: party.map(Party::as_str),
            ..Priced::none("no_zone")
        };
        let Some((zone, _)) = zoned else { return Ok((priced, None)) };
        let Some(found) = tariff.price(plan, record.kind, zone, party, band) else {
            return Ok((Priced { charge: Err("no_price"), ..priced }, None));
        };
        let place = Place { tariff, plan, zone, party, start, day, source_offset };
        let charge = match charge(&place, found, record, Share::Own) {
            Ok(charge) => charge,
            Err(reason) => return Ok((Priced { charge: Err(reason), ..priced }, None)),
        };
        let cover = Cover::of(place, found, band, served, (record, charge))?;
        let priced = Priced {
            tax_class: tariff.tax_class(found),
            tax: Some(tariff.tax.as_str()),
            charge: Ok(charge),
            is_covered: cover.is_some(),
            ..priced
        };
        Ok((priced, cover))
    }

    /// The tariff that prices a plan at an instant, and as which plan: one that sells it, else one that takes what none sells.
    pub(crate) fn seller<'r>(&'r self, plan: &'r str, at: Timestamp) -> Result<(&'r Tariff, &'r str), &'static str> {
        let mut in_force = self.tariffs.iter().map(Rc::as_ref).filter(move |tariff: &&Tariff| tariff.is_in_force(at));
        if let Some(tariff) = in_force.clone().find(|tariff| tariff.sells(plan)) {
            return Ok((tariff, plan));
        }
        let is_sold = || self.tariffs.iter().any(|tariff| tariff.sells(plan));
        let fallback = in_force.find_map(|tariff| Some((tariff, tariff.fallback_plan.as_deref()?)));
        fallback.ok_or_else(|| if is_sold() { "no_tariff" } else { "no_plan" })
    }
}

impl Priced<'_> {
    /// The same record after it has drawn, or why it has no charge.
    pub(crate) fn after(self, draw: Result<Draw, &'static str>) -> Self {
        match draw {
            Ok(Draw { charge, drawn, .. }) => Self { charge: Ok(charge), drawn, ..self },
            Err(reason) => Self { charge: Err(reason), tax_class: None, tax: None, ..self },
        }
    }

    fn none(reason: &'static str) -> Self {
        Self {
            tariff: None,
            currency: None,
            zone: None,
            zone_by: None,
            band: None,
            party: None,
            tax_class: None,
            tax: None,
            charge: Err(reason),
            drawn: None,
            is_covered: false,
        }
    }
}

fn instant(record: &Record<'_>) -> Result<Timestamp, VerifyError> {
    Timestamp::from_microsecond(record.start_us).map_err(|_| VerifyError::Instant(record.start_us))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;
    use crate::owner::Identifier;

    const COMMON: &str = r#"
currency = "EUR"
time_zone = "Europe/Amsterdam"
home_zone = "HOME"
default_band = "any"
rounding = { places = 6, mode = "half_up" }
destinations.prefixes = { 31 = "NL" }
"#;

    /// A tariff that sells calls to NL at 0.01 a second as a plan; `head` and `tail` stand before and behind that.
    fn tariff(name: &str, plan: &str, head: &str, tail: &str) -> Rc<Tariff> {
        let price = format!("plan = \"{plan}\"\nkind = \"voice-*\"\nzone = \"*\"\nper = 1\n");
        let toml = format!(
            "name = \"{name}\"\n{head}\n{COMMON}\n[[plan]]\nname = \"{plan}\"\n[[price]]\n{price}unit_price = \"0.01\"\n{}",
            tail.replace("PRICE", &price)
        );
        Rc::new(Tariff::read(name, &toml, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}\n{toml}")))
    }

    fn window(from_us: i64, to_us: i64, customer: &str) -> Window {
        let name = |text: &str| text.to_owned();
        Window {
            from_us,
            to_us,
            device: name("D"),
            subscription: name("S"),
            customer: name(customer),
            plan: name("p"),
            group: None,
        }
    }

    fn called(start_us: i64, b_number: &str) -> Record<'_> {
        let made = Record { kind: "voice-mo", duration_s: 60, a_number: "31600000001", ..Record::default() };
        Record { start_us, b_number, b_number_type: "e164", ..made }
    }

    #[test]
    fn the_other_party_is_whose_number_it_is_at_the_start() {
        let price = |party: &str, price: &str| format!("[[price]]\nPRICEparty = \"{party}\"\nunit_price = \"{price}\"\n");
        let prices = price("own_network", "0.002") + &price("own_customer", "0");
        let owners = Owners {
            windows: vec![window(0, i64::MAX, "c"), window(0, 10, "c"), window(10, 20, "d")],
            numbers: HashMap::from([
                ((Identifier::Msisdn, 31_600_000_001), vec![0]),
                ((Identifier::Msisdn, 31_600_000_002), vec![1, 2]),
                ((Identifier::Imsi, 31_600_000_003), vec![0]),
            ]),
            customers: HashMap::new(),
        };
        let reference = Reference { owners, tariffs: vec![tariff("t", "p", "valid_from = 1970-01-01", &prices)] };
        let near = called(9, "31600000002");
        let cases = [
            (near, Some("own_customer"), Ok(0)),
            (called(10, "31600000002"), Some("own_network"), Ok(120_000_000)),
            (called(20, "31600000002"), Some("other"), Ok(600_000_000)),
            (called(9, "31600000003"), Some("other"), Ok(600_000_000)),
            (called(9, "31600000001"), Some("own_customer"), Ok(0)),
            (called(9, "4930"), Some("other"), Err("no_zone")),
            (Record { kind: "voice-mt", ..near }, Some("own_customer"), Ok(0)),
            (Record { kind: "voice-mt", b_number_type: "short_code", ..near }, None, Ok(600_000_000)),
            (Record { kind: "voice-mt", b_number: "", b_number_type: "masked", ..near }, None, Ok(600_000_000)),
            (Record { a_number: "31600000009", ..near }, None, Err("no_device")),
        ];
        for (record, party, charge) in cases {
            let priced = reference.derive(&record).expect("a record").priced;
            assert_eq!((priced.party, priced.charge.map(|charge| charge.nano)), (party, charge), "{record:?}");
        }
        assert_eq!(reference.price("p", None, &near).expect("a record").party, Some("own_network"));
        let silent = Reference { owners: reference.owners, tariffs: vec![tariff("t", "p", "valid_from = 1970-01-01", "")] };
        assert_eq!(silent.derive(&near).expect("a record").priced.party, None);
    }

    /// A line of `c` in the groups G, H and then none, and four numbers: of `c` and of `d` in G, of `c` and of `d` in no group.
    fn in_groups() -> Owners {
        let grouped = |customer: &str, group: Option<&str>, from_us, to_us| Window {
            group: group.map(str::to_owned),
            ..window(from_us, to_us, customer)
        };
        let windows = vec![
            grouped("c", Some("G"), 0, 10),
            grouped("c", Some("H"), 10, 20),
            grouped("c", None, 20, 30),
            grouped("c", Some("G"), 0, 30),
            grouped("d", Some("G"), 0, 30),
            grouped("c", None, 0, 30),
            grouped("d", None, 0, 30),
        ];
        let places = [(1, vec![0, 1, 2]), (2, vec![3]), (3, vec![4]), (4, vec![5]), (5, vec![6])];
        let numbers = places.map(|(number, places)| ((Identifier::Msisdn, 31_600_000_000 + number), places)).into();
        Owners { windows, numbers, customers: HashMap::new() }
    }

    #[test]
    fn a_group_is_that_of_both_lines_at_the_start() {
        let price = "[[price]]\nPRICEparty = \"group\"\nunit_price = \"0.001\"\n";
        let reference = Reference { owners: in_groups(), tariffs: vec![tariff("t", "p", "valid_from = 1970-01-01", price)] };
        let parties = |start_us| {
            ["2", "3", "4", "5", "6"].map(|last| {
                let number = format!("3160000000{last}");
                reference.derive(&called(start_us, &number)).expect("a record").priced.party.unwrap_or("-")
            })
        };
        assert_eq!(parties(9), ["group_customer", "group", "own_customer", "own_network", "other"]);
        let apart = ["own_customer", "own_network", "own_customer", "own_network", "other"];
        assert_eq!([parties(10), parties(20)], [apart, apart]);
    }

    #[test]
    fn the_nearest_party_that_is_named_goes_first() {
        // A minute at 0.01 a second is 60 cents, at 0.002 is 12, at 0.003 is 18, at 0.001 is 6.
        let price = |party: &str, price: &str| format!("[[price]]\nPRICEparty = [{party}]\nunit_price = \"{price}\"\n");
        let network = price("\"own_network\"", "0.002");
        let customer = price("\"own_customer\"", "0.003");
        let group = price("\"group\"", "0.001");
        let of_zone = customer.replace("PRICE", "plan = \"p\"\nkind = \"voice-*\"\nzone = \"NL\"\nper = 1\n");
        let both = price("\"group\", \"own_network\"", "0.002");
        let cases = [
            (vec![&network], [60, 12, 12, 12, 12]),
            (vec![&customer], [60, 60, 18, 60, 18]),
            (vec![&group], [60, 60, 60, 6, 6]),
            (vec![&network, &customer], [60, 12, 18, 12, 18]),
            (vec![&group, &customer], [60, 60, 18, 6, 6]),
            (vec![&group, &customer, &network], [60, 12, 18, 6, 6]),
            // A price that names several is as near as the nearest that holds.
            (vec![&both, &customer], [60, 12, 18, 12, 12]),
            // The zone goes before the party.
            (vec![&group, &of_zone], [60, 60, 18, 6, 18]),
        ];
        for (prices, expected) in cases {
            let prices: String = prices.into_iter().map(String::as_str).collect();
            let tariffs = vec![tariff("t", "p", "valid_from = 1970-01-01", &prices)];
            let reference = Reference { owners: in_groups(), tariffs };
            // Other, another's, the customer's, the group's, and the group's and the customer's.
            let cents = ["6", "5", "4", "3", "2"].map(|last| {
                let derived = reference.derive(&called(9, &format!("3160000000{last}"))).expect("a record");
                derived.priced.charge.map(|charge| charge.nano / 10_000_000)
            });
            assert_eq!(cents, expected.map(Ok), "{prices}");
        }
    }

    #[test]
    fn a_plan_that_no_tariff_sells_at_the_start_is_the_fallback_plan_of_one_that_takes_it() {
        let own = tariff("own", "p", "valid_from = 2026-01-01\nvalid_to = 2026-07-01", "");
        let taking = "valid_from = 2026-03-01\nvalid_to = 2026-09-01\nfallback_plan = \"basis\"";
        let reference = Reference { owners: Owners::default(), tariffs: vec![tariff("takes", "basis", taking, ""), own] };
        let cases = [
            ("p", "2025-12-31T22:59:59Z", Err("no_tariff")),
            ("p", "2025-12-31T23:00:00Z", Ok("own")),
            ("p", "2026-06-30T21:59:59Z", Ok("own")),
            ("p", "2026-06-30T22:00:00Z", Ok("takes")),
            ("p", "2026-08-31T22:00:00Z", Err("no_tariff")),
            ("q", "2026-02-28T22:59:59Z", Err("no_plan")),
            ("q", "2026-02-28T23:00:00Z", Ok("takes")),
            ("basis", "2026-04-01T00:00:00Z", Ok("takes")),
        ];
        for (plan, start, expected) in cases {
            let start: Timestamp = start.parse().expect("an instant");
            let priced = reference.price(plan, None, &called(start.as_microsecond(), "31201234567")).expect("a record");
            let tariff = priced.tariff.map(|version| version.split('@').next().unwrap_or_default());
            assert_eq!(priced.charge.map(|_| tariff.unwrap_or_default()), expected, "{plan} at {start}");
        }
    }

    #[test]
    fn the_tax_class_is_that_of_the_price_or_the_head_and_nothing_is_said_of_suspense() {
        let head = |tax: &str| format!("valid_from = 1970-01-01\n{tax}");
        let reduced =
            "[[price]]\nplan = \"p\"\nkind = \"voice-fwd\"\nzone = \"*\"\ntax_class = \"reduced\"\nunit_price = \"1\"\n";
        let taxed = |tax: &str, record: &Record<'_>| {
            let tariffs = vec![tariff("t", "p", &head(tax), reduced)];
            let reference = Reference { owners: Owners::default(), tariffs };
            let priced = reference.price("p", None, record).expect("a record");
            (priced.tax_class.map(str::to_owned), priced.tax)
        };
        let (mo, class) = (called(0, "31201234567"), |name: &str| Some(name.to_owned()));
        let fwd = Record { kind: "voice-fwd", ..mo };
        assert_eq!(taxed("tax_class = \"standard\"\ntax = \"included\"", &mo), (class("standard"), Some("included")));
        assert_eq!(taxed("tax_class = \"standard\"\ntax = \"excluded\"", &fwd), (class("reduced"), Some("excluded")));
        assert_eq!(taxed("", &fwd), (class("reduced"), Some("excluded")));
        assert_eq!(taxed("", &mo), (None, Some("excluded")));
        assert_eq!(taxed("tax_class = \"standard\"", &Record { b_number: "4930", ..mo }), (None, None));
    }
}
