//! Who is called and from where: number ranges with their provider rate class and what the provider asks for them.
//!
//! Ranges follow the Dutch numbering plan and the public plans of the countries; all subscribers in them are invented.

use crate::random::Dice;
use crate::settings::Rates;

/// The other party of a call or message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// None: a data session.
    Absent,
    /// E.164 digits without plus.
    Number(u64),
    /// The caller hides the number.
    Hidden,
    /// A message whose sender is a word.
    Sender(&'static str),
}

/// What kind of destination it is, and so what the provider asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rate {
    /// Dutch mobile.
    Mobile,
    /// Dutch fixed lines and company numbers.
    Fixed,
    /// Dutch machines.
    Machine,
    /// Dutch freephone.
    Free,
    /// Dutch premium numbers.
    Premium,
    /// Mobile in the European Union.
    EuMobile,
    /// Fixed in the European Union.
    EuFixed,
    /// Any other country.
    World,
    /// Satellite and international premium numbers.
    Costly,
}

impl Rate {
    /// The provider's rate class, as KPN SP16 names it; empty where it has none.
    pub fn class(self) -> &'static str {
        match self {
            Self::Mobile => "N_MOBOV",
            Self::Fixed => "N_VAST",
            Self::Free => "N_SERVICE",
            Self::Premium => "N_PREMIUM",
            Self::EuMobile => "EU_MOB",
            Self::EuFixed => "EU_VAST",
            Self::World => "WERELD",
            Self::Machine | Self::Costly => "",
        }
    }

    /// The provider's price of a minute, micro-euro.
    pub fn minute_micro(self) -> i64 {
        match self {
            Self::Mobile | Self::Machine => 6_000,
            Self::Fixed => 3_500,
            Self::Free => 0,
            Self::Premium => 350_000,
            Self::EuMobile => 45_000,
            Self::EuFixed => 18_000,
            Self::World => 120_000,
            Self::Costly => 2_400_000,
        }
    }

    /// The provider's price of a message, micro-euro.
    pub fn message_micro(self) -> i64 {
        match self {
            Self::Mobile | Self::Fixed | Self::Machine | Self::Free => 12_000,
            Self::Premium => 250_000,
            Self::EuMobile | Self::EuFixed => 40_000,
            Self::World | Self::Costly => 60_000,
        }
    }
}

/// Area codes of the larger Dutch places, without the leading zero.
const AREAS: [u64; 28] =
    [10, 13, 15, 20, 23, 24, 26, 30, 33, 35, 36, 38, 40, 43, 45, 46, 50, 53, 55, 58, 70, 71, 72, 73, 74, 75, 76, 78];
/// Longer Dutch area codes.
const RURAL_AREAS: [u64; 12] = [111, 118, 162, 174, 182, 297, 318, 341, 413, 495, 513, 592];
/// Prefixes of company numbers.
const COMPANY: [u64; 3] = [88, 85, 87];
/// Prefixes of premium numbers.
const PREMIUM: [u64; 3] = [900, 906, 909];

/// A range abroad: its prefix, how many digits follow, its kind, how often it is called.
type Abroad = (u64, u32, Rate, u32);

/// Where Dutch companies call to.
const ABROAD: [Abroad; 42] = [
    (49_151, 8, Rate::EuMobile, 50),
    (49_170, 7, Rate::EuMobile, 50),
    (4930, 8, Rate::EuFixed, 50),
    (49_221, 7, Rate::EuFixed, 50),
    (32_475, 6, Rate::EuMobile, 75),
    (322, 7, Rate::EuFixed, 75),
    (336, 8, Rate::EuMobile, 40),
    (331, 8, Rate::EuFixed, 40),
    (3461, 7, Rate::EuMobile, 25),
    (3491, 7, Rate::EuFixed, 25),
    (39_347, 7, Rate::EuMobile, 20),
    (3902, 8, Rate::EuFixed, 20),
    (4850, 7, Rate::EuMobile, 30),
    (4822, 7, Rate::EuFixed, 30),
    (35_191, 7, Rate::EuMobile, 10),
    (3069, 8, Rate::EuMobile, 8),
    (407, 8, Rate::EuMobile, 20),
    (4520, 6, Rate::EuMobile, 6),
    (4670, 7, Rate::EuMobile, 6),
    (4366, 8, Rate::EuMobile, 6),
    (447_911, 6, Rate::World, 40),
    (4420, 8, Rate::World, 40),
    (4179, 7, Rate::World, 20),
    (90_532, 7, Rate::World, 60),
    (2126, 8, Rate::World, 40),
    (1212, 7, Rate::World, 30),
    (1415, 7, Rate::World, 10),
    (5978, 6, Rate::World, 20),
    (5999, 7, Rate::World, 15),
    (2976, 6, Rate::World, 4),
    (86_139, 8, Rate::World, 10),
    (9198, 8, Rate::World, 10),
    (614, 8, Rate::World, 6),
    (1876, 7, Rate::World, 2),
    (35_569, 7, Rate::World, 4),
    (38_067, 7, Rate::World, 8),
    (23_480, 8, Rate::World, 3),
    (639, 9, Rate::World, 3),
    (201, 9, Rate::World, 3),
    (25_261, 7, Rate::World, 3),
    (8816, 8, Rate::Costly, 6),
    (97_970, 7, Rate::Costly, 3),
];

/// Words that send messages; one has a letter beyond ASCII.
const SENDERS: [&str; 6] = ["POSTBUS", "AFSPRAAK", "KAPSALON", "BEZORGER", "CAF\u{c9}", "BANKCODE"];

/// Calls of one company go to few numbers often: how many parties there are in all.
const PARTIES: usize = 300_000;

/// A mobile number of the pool of parties.
fn mobile(party: u64) -> u64 {
    31_600_000_000 + (10 + party % 49) * 1_000_000 + (party * 7_919 + 345_678) % 1_000_000
}

/// A fixed number of the pool of parties.
fn fixed(party: u64) -> u64 {
    let list = party % 40;
    let short = usize::try_from(list).ok().and_then(|i| AREAS.get(i)).map(|area| 31 * 10_u64.pow(9) + area * 10_u64.pow(7));
    if let Some(area) = short {
        return area + 1_000_000 + (party * 104_729 + 2_345_678) % 9_000_000;
    }
    let area = RURAL_AREAS[usize::try_from(list - 28).expect("less than twelve are left")];
    31 * 10_u64.pow(9) + area * 10_u64.pow(6) + 100_000 + (party * 104_729 + 234_567) % 900_000
}

/// The party that a served user at home or abroad calls (`outgoing`) or is called by.
pub fn draw_called(rates: &Rates, outgoing: bool, dice: &mut Dice) -> (Party, Rate) {
    let party = dice.skewed(PARTIES) as u64;
    let rest = dice.bits();
    if dice.chance(rates.international_ppm) {
        let (prefix, digits, rate, _) = ABROAD[dice.weighted(ABROAD.iter().map(|range| range.3))];
        let size = 10_u64.pow(digits);
        return (Party::Number(prefix * size + size / 10 + rest % (size / 10 * 9)), rate);
    }
    if outgoing && dice.chance(rates.premium_ppm) {
        let prefix = PREMIUM[usize::try_from(rest % 3).expect("a remainder of three")];
        return (Party::Number((31_000 + prefix) * 10_000 + 1_000 + party % 9_000), Rate::Premium);
    }
    if outgoing && dice.chance(rates.freephone_ppm) {
        return (Party::Number(318_000_000 + 1_000 + party % 9_000), Rate::Free);
    }
    match dice.below(100) {
        0..=57 => (Party::Number(mobile(party)), Rate::Mobile),
        58..=93 => (Party::Number(fixed(party)), Rate::Fixed),
        94..=97 => {
            let prefix = COMPANY[usize::try_from(party % 3).expect("a remainder of three")];
            (Party::Number((3_100 + prefix) * 10_000_000 + 1_000_000 + party), Rate::Fixed)
        }
        _ => (Party::Number(3_197_000_000_000 + party * 3_001 % 1_000_000_000), Rate::Machine),
    }
}

/// The word that sent a message.
pub fn draw_sender(dice: &mut Dice) -> Party {
    Party::Sender(SENDERS[dice.index(SENDERS.len())])
}

/// A number in a prefix that no country has.
pub fn draw_unknown_prefix(dice: &mut Dice) -> Party {
    let prefix = if dice.chance(700_000) { 999 } else { 883 };
    Party::Number(prefix * 1_000_000_000 + 100_000_000 + dice.below(900_000_000))
}

/// A mobile number in a block that no device of the reference data uses.
pub fn draw_unknown_served(dice: &mut Dice) -> u64 {
    31_685_000_000 + dice.below(1_000_000)
}

/// How far away a visited network is, which decides what the provider asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// At home.
    Home,
    /// Roam like at home.
    Eu,
    /// The rest of Europe and North America.
    Near,
    /// The rest of the world.
    Far,
    /// Ships, aircraft and satellites.
    Sea,
}

impl Region {
    /// The provider's price of a minute out, a message and a megabyte of 1,000,000 bytes, micro-euro.
    fn micro(self) -> [i64; 3] {
        match self {
            Self::Home => [0, 0, 900],
            Self::Eu => [19_000, 3_000, 1_100],
            Self::Near => [160_000, 35_000, 12_000],
            Self::Far => [900_000, 120_000, 900_000],
            Self::Sea => [2_900_000, 350_000, 4_000_000],
        }
    }

    /// The provider's price of a minute out, micro-euro.
    pub fn minute_micro(self) -> i64 {
        self.micro()[0]
    }

    /// The provider's price of a message out, micro-euro.
    pub fn message_micro(self) -> i64 {
        self.micro()[1]
    }

    /// The provider's price of a megabyte of 1,000,000 bytes, micro-euro.
    pub fn megabyte_micro(self) -> i64 {
        self.micro()[2]
    }
}

/// A network as MCC and MNC, and its region.
pub type Network = (&'static str, Region);

/// The home networks and how often each carries a call.
const HOME: [(Network, u32); 3] = [(("20408", Region::Home), 80), (("20404", Region::Home), 12), (("20416", Region::Home), 8)];

/// The visited networks and how often each is visited.
const VISITED: [(Network, u32); 19] = [
    (("26201", Region::Eu), 180),
    (("26202", Region::Eu), 120),
    (("20601", Region::Eu), 160),
    (("20801", Region::Eu), 100),
    (("20810", Region::Eu), 40),
    (("21401", Region::Eu), 90),
    (("22201", Region::Eu), 60),
    (("23802", Region::Eu), 20),
    (("26001", Region::Eu), 40),
    (("26801", Region::Eu), 30),
    (("23415", Region::Near), 60),
    (("22801", Region::Near), 20),
    (("28601", Region::Near), 30),
    (("310260", Region::Near), 20),
    (("60400", Region::Far), 10),
    (("42402", Region::Far), 8),
    (("74602", Region::Far), 7),
    (("62130", Region::Far), 4),
    (("90112", Region::Sea), 1),
];

/// A home network.
pub fn draw_home(dice: &mut Dice) -> Network {
    HOME[dice.weighted(HOME.iter().map(|network| network.1))].0
}

/// A visited network.
pub fn draw_visited(dice: &mut Dice) -> Network {
    VISITED[dice.weighted(VISITED.iter().map(|network| network.1))].0
}

/// A network of no country.
pub const UNKNOWN_NETWORK: Network = ("99901", Region::Far);

/// The TADIG codes of the networks above.
const TADIG: [(&str, &str); 22] = [
    ("20408", "NLDPT"),
    ("20404", "NLDLT"),
    ("20416", "NLDPN"),
    ("26201", "DEUD1"),
    ("26202", "DEUD2"),
    ("20601", "BELTB"),
    ("20801", "FRAF1"),
    ("20810", "FRAF2"),
    ("21401", "ESPAT"),
    ("22201", "ITASI"),
    ("23802", "DNKIA"),
    ("26001", "POLKM"),
    ("26801", "PRTTL"),
    ("23415", "GBRVF"),
    ("22801", "CHEC1"),
    ("28601", "TURTC"),
    ("310260", "USAW6"),
    ("60400", "MARMT"),
    ("42402", "ARETC"),
    ("74602", "SURTC"),
    ("62130", "NGAMN"),
    ("90112", "NORMC"),
];

/// The TADIG code of a network; for one of no country a code that nobody has.
pub fn tadig(network: &str) -> &'static str {
    TADIG.iter().find(|(mccmnc, _)| *mccmnc == network).map_or("ZZZ99", |(_, tadig)| tadig)
}

/// Writes E.164 digits as a spreadsheet leaves Dutch numbers: without their zero, if they have the usual nine digits; all others
/// international with 00.
pub fn write_bare(number: u64, out: &mut Vec<u8>) {
    let digits = number.to_string();
    match digits.strip_prefix("31") {
        Some(rest) if rest.len() == 9 => out.extend(rest.as_bytes()),
        _ => write_zeros(number, out),
    }
}

/// Writes E.164 digits with 00.
pub fn write_zeros(number: u64, out: &mut Vec<u8>) {
    out.extend(b"00");
    out.extend(number.to_string().as_bytes());
}

/// Writes E.164 digits as a Dutch number: national with a 0, or international with 00.
pub fn write_national(number: u64, out: &mut Vec<u8>) {
    let digits = number.to_string();
    if let Some(rest) = digits.strip_prefix("31") {
        out.push(b'0');
        out.extend(rest.as_bytes());
    } else {
        out.extend(b"00");
        out.extend(digits.as_bytes());
    }
}

/// Writes E.164 digits with a plus.
pub fn write_plus(number: u64, out: &mut Vec<u8>) {
    out.push(b'+');
    out.extend(number.to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dutch_numbers_have_the_length_of_the_plan() {
        let mut dice = Dice::new(3, &[]);
        for _ in 0..20_000 {
            let (party, rate) = draw_called(&Rates::default(), true, &mut dice);
            let Party::Number(number) = party else { panic!("calls go to numbers") };
            let digits = number.to_string();
            let expected = match rate {
                Rate::Mobile | Rate::Fixed => 11..=11,
                Rate::Free | Rate::Premium => 9..=9,
                Rate::Machine => 13..=13,
                _ => 9..=13,
            };
            assert!(expected.contains(&digits.len()), "{digits} {rate:?}");
            assert_eq!(digits.starts_with("31"), rate <= Rate::Premium, "{digits} {rate:?}");
            assert_eq!(rate == Rate::Mobile, digits.starts_with("316"), "{digits}");
        }
    }

    #[test]
    fn every_network_has_a_tadig_code_of_its_own() {
        let networks = HOME.iter().map(|n| n.0.0).chain(VISITED.iter().map(|n| n.0.0));
        let codes: std::collections::HashSet<&str> = networks.map(tadig).collect();
        assert_eq!(codes.len(), HOME.len() + VISITED.len());
        assert!(!codes.contains(tadig(UNKNOWN_NETWORK.0)));
    }

    #[test]
    fn spreadsheets_keep_nine_digits_of_a_dutch_number() {
        for (number, expected) in
            [(31_612_345_678, "612345678"), (3_197_012_345_678, "003197012345678"), (49_301_234_567, "0049301234567")]
        {
            let mut out = Vec::new();
            write_bare(number, &mut out);
            assert_eq!(String::from_utf8(out).expect("ASCII"), expected);
        }
    }

    #[test]
    fn national_notation_drops_the_country() {
        let text = |number| {
            let mut out = Vec::new();
            write_national(number, &mut out);
            String::from_utf8(out).expect("ASCII")
        };
        assert_eq!(text(31_612_345_678), "0612345678");
        assert_eq!(text(49_301_234_567), "0049301234567");
    }
}
