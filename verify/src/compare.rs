//! What the table says of a record beside what was derived, field by field.

use crate::derive::Derived;

/// What the table says; `None` is null.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stated<'s> {
    /// Operator / reseller / customer / cost centre.
    pub owner_path: Option<&'s str>,
    /// The customer.
    pub customer: Option<&'s str>,
    /// The subscription.
    pub subscription: Option<&'s str>,
    /// The device.
    pub device: Option<&'s str>,
    /// The plan.
    pub plan: Option<&'s str>,
    /// The customer's cycle.
    pub billing_period: Option<&'s str>,
    /// The tariff's version.
    pub tariff: Option<&'s str>,
    /// The zone.
    pub zone: Option<&'s str>,
    /// What decided the zone.
    pub zone_by: Option<&'s str>,
    /// The band.
    pub band: Option<&'s str>,
    /// Who the other party is.
    pub party: Option<&'s str>,
    /// The tax class.
    pub tax_class: Option<&'s str>,
    /// Whether the charge holds the tax; null also where a row was rated before there was this column.
    pub tax: Option<&'s str>,
    /// Why it is in suspense.
    pub reason: Option<&'s str>,
    /// Units billed.
    pub billed_units: Option<i64>,
    /// The charge in units of 10⁻⁹.
    pub charge_nano: Option<i128>,
    /// Its currency.
    pub currency: Option<&'s str>,
    /// The allowances that it drew from; null also where a row was rated before there were any.
    pub allowance: Option<&'s str>,
    /// Units that it drew.
    pub allowance_units: Option<i64>,
    /// Money that it drew, in units of 10⁻⁹.
    pub allowance_money: Option<i128>,
}

/// A field on which the two do not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The column.
    pub field: &'static str,
    /// What the table says; null is `-`.
    pub stated: String,
    /// What was derived.
    pub derived: String,
}

/// The fields on which table and derivation do not agree.
pub fn differences(derived: &Derived<'_>, stated: &Stated<'_>) -> Vec<Difference> {
    let (window, priced) = (derived.window, &derived.priced);
    let (charge, drawn) = (priced.charge.ok(), priced.drawn.as_ref());
    let texts = [
        ("owner_path", stated.owner_path, derived.owner_path),
        ("customer", stated.customer, window.map(|window| window.customer.as_str())),
        ("subscription", stated.subscription, window.map(|window| window.subscription.as_str())),
        ("device", stated.device, window.map(|window| window.device.as_str())),
        ("plan", stated.plan, window.map(|window| window.plan.as_str())),
        ("billing_period", stated.billing_period, derived.billing_period.as_deref()),
        ("tariff", stated.tariff, priced.tariff),
        ("zone", stated.zone, priced.zone),
        ("zone_by", stated.zone_by, priced.zone_by),
        ("band", stated.band, priced.band),
        ("reason", stated.reason, priced.charge.err()),
        ("currency", stated.currency, charge.and(priced.currency)),
        ("allowance", stated.allowance, drawn.map(|drawn| drawn.allowance.as_str())),
    ];
    let newer = [
        ("party", stated.party, priced.party),
        ("tax_class", stated.tax_class, priced.tax_class),
        ("tax", stated.tax, priced.tax),
    ];
    // Rows that were rated before there were these columns say nothing in them.
    let has_newer = stated.reason.is_some() || stated.tax.is_some();
    let text = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let texts = texts.into_iter().chain(newer.into_iter().filter(|_| has_newer)).filter(|(_, stated, derived)| stated != derived);
    let mut found: Vec<Difference> =
        texts.map(|(field, stated, derived)| Difference { field, stated: text(stated), derived: text(derived) }).collect();
    let numbers = [
        ("billed_units", stated.billed_units.map(i128::from), charge.map(|charge| i128::from(charge.billed))),
        ("charge", stated.charge_nano, charge.map(|charge| i128::from(charge.nano))),
        ("allowance_units", stated.allowance_units.map(i128::from), drawn.and_then(|drawn| drawn.units).map(i128::from)),
        ("allowance_money", stated.allowance_money, drawn.and_then(|drawn| drawn.money_nano)),
    ];
    for (field, stated, derived) in numbers.into_iter().filter(|(_, stated, derived)| stated != derived) {
        let show = |number: Option<i128>| match number {
            None => "-".to_owned(),
            Some(number) if matches!(field, "charge" | "allowance_money") => money(number),
            Some(number) => number.to_string(),
        };
        found.push(Difference { field, stated: show(stated), derived: show(derived) });
    }
    found
}

/// Units of 10⁻⁹ as a decimal with nine places.
fn money(nano: i128) -> String {
    let (size, sign) = (nano.unsigned_abs(), if nano < 0 { "-" } else { "" });
    format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charge::Charge;
    use crate::derive::{Drawn, Priced};
    use crate::owner::Window;

    /// A field, and a change of it alone.
    type Slip = (&'static str, fn(&mut Stated<'static>));

    const SLIPS: [Slip; 20] = [
        ("owner_path", |s| s.owner_path = Some("main/y")),
        ("customer", |s| s.customer = None),
        ("subscription", |s| s.subscription = Some("S-2")),
        ("device", |s| s.device = Some("D-2")),
        ("plan", |s| s.plan = Some("other")),
        ("billing_period", |s| s.billing_period = Some("2026-11")),
        ("tariff", |s| s.tariff = Some("nl@2")),
        ("zone", |s| s.zone = None),
        ("zone_by", |s| s.zone_by = Some("class")),
        ("band", |s| s.band = Some("off")),
        ("party", |s| s.party = None),
        ("tax_class", |s| s.tax_class = Some("reduced")),
        ("tax", |s| s.tax = Some("included")),
        ("reason", |s| s.reason = Some("no_price")),
        ("currency", |s| s.currency = Some("USD")),
        ("billed_units", |s| s.billed_units = Some(61)),
        ("charge", |s| s.charge_nano = Some(100_000_001)),
        ("allowance", |s| s.allowance = Some("nl-100")),
        ("allowance_units", |s| s.allowance_units = None),
        ("allowance_money", |s| s.allowance_money = Some(19_999_999)),
    ];

    #[test]
    fn each_field_that_differs_is_named_and_no_other() {
        let name = |text: &str| text.to_owned();
        let window = Window {
            from_us: 0,
            to_us: 1,
            device: name("D-1"),
            subscription: name("S-1"),
            customer: name("C-1"),
            plan: name("basis"),
            group: None,
        };
        let derived = Derived {
            window: Some(&window),
            owner_path: Some("main/x"),
            billing_period: Some(name("2026-10")),
            priced: Priced {
                tariff: Some("nl@1"),
                currency: Some("EUR"),
                zone: Some("NL"),
                zone_by: Some("prefix"),
                band: Some("peak"),
                party: Some("own_network"),
                tax_class: Some("standard"),
                tax: Some("excluded"),
                charge: Ok(Charge { billed: 60, nano: 100_000_000 }),
                drawn: Some(Drawn { allowance: name("nl-100+credit"), units: Some(30), money_nano: Some(20_000_000) }),
                is_covered: true,
            },
        };
        let stated = Stated {
            owner_path: Some("main/x"),
            customer: Some("C-1"),
            subscription: Some("S-1"),
            device: Some("D-1"),
            plan: Some("basis"),
            billing_period: Some("2026-10"),
            tariff: Some("nl@1"),
            zone: Some("NL"),
            zone_by: Some("prefix"),
            band: Some("peak"),
            party: Some("own_network"),
            tax_class: Some("standard"),
            tax: Some("excluded"),
            reason: None,
            billed_units: Some(60),
            charge_nano: Some(100_000_000),
            currency: Some("EUR"),
            allowance: Some("nl-100+credit"),
            allowance_units: Some(30),
            allowance_money: Some(20_000_000),
        };
        assert_eq!(differences(&derived, &stated), []);
        for (field, slip) in SLIPS {
            let mut wrong = stated;
            slip(&mut wrong);
            let found: Vec<&str> = differences(&derived, &wrong).iter().map(|difference| difference.field).collect();
            assert_eq!(found, [field]);
        }
        let fields = |stated: &Stated<'_>| differences(&derived, stated).iter().map(|one| one.field).collect::<Vec<_>>();
        let raised = Stated { charge_nano: Some(100_000_001), ..stated };
        let expected = Difference { field: "charge", stated: name("0.100000001"), derived: name("0.100000000") };
        assert_eq!(differences(&derived, &raised), [expected]);
        let older = Stated { party: None, tax_class: None, tax: None, ..stated };
        assert_eq!(fields(&older), [""; 0]);
        assert_eq!(fields(&Stated { reason: Some("no_price"), ..older }), ["reason", "party", "tax_class", "tax"]);
        let undrawn = Stated { allowance: None, allowance_units: None, allowance_money: None, ..stated };
        assert_eq!(fields(&undrawn), ["allowance", "allowance_units", "allowance_money"]);
        let alone = Derived { priced: Priced { drawn: None, ..derived.priced.clone() }, ..derived.clone() };
        assert_eq!(differences(&alone, &undrawn), []);
    }
}
