//! The names of companies: all invented.

use crate::group::Group;

/// Branches of companies, where more customers are asked for than there are names.
const TOWNS: [&str; 12] =
    ["Zuid", "Noord", "Utrecht", "Breda", "Zwolle", "Leiden", "Assen", "Tilburg", "Delft", "Venlo", "Hoorn", "Goes"];

/// The name of the customer of this rank in its group.
pub fn name(group: Group, rank: usize) -> String {
    let companies = companies(group);
    let company = companies[rank % companies.len()];
    match (rank / companies.len()).checked_sub(1) {
        None => company.to_owned(),
        Some(branch) if branch < TOWNS.len() => format!("{company} {}", TOWNS[branch]),
        Some(branch) => format!("{company} {}", branch + 2),
    }
}

fn companies(group: Group) -> &'static [&'static str] {
    match group {
        Group::Haven => &[
            "Haven Logistiek",
            "Containerservice De Boei",
            "Sleepdienst Maasmond",
            "Douane-expeditie Van Rijn",
            "Koelhuis Waalhaven",
            "Scheepsbevoorrading Kikkert",
            "Transport De Vries & Zonen",
            "Loodsdienst Westerdam",
            "Kraanverhuur Hoekstra",
            "Opslag Botlekkade",
            "Binnenvaart Verhoeven",
            "Touwslagerij Anker",
        ],
        Group::Jansen => &[
            "Bakkerij Jansen",
            "Banketbakkerij Jansen Oost",
            "Molen De Korenaar",
            "Lunchroom 't Krentje",
            "Jansen Bezorgdienst",
            "IJssalon Zoet",
        ],
        Group::ResellerA => &[
            "Installatiebedrijf Van Dam",
            "Notariskantoor Bleeker & Smit",
            "Tandartspraktijk De Linde",
            "Architectenbureau Zuiderlicht",
            "Garage Hendriks",
            "Makelaardij Oud & Nieuw",
            "Schildersbedrijf Kuipers",
            "Advocatenkantoor Ter Horst",
            "Fysiotherapie Het Veld",
            "Hoveniersbedrijf Groenendaal",
            "Uitvaartzorg De Stilte",
            "Drukkerij Letterhart",
            "Kinderopvang Pluis",
        ],
        Group::ResellerB | Group::Exchange => &[
            "Hotel De Gouden Leeuw",
            "Slagerij Vermeulen",
            "Apotheek De Gaper",
            "Rijwielhandel Het Stuur",
            "Taxicentrale Zwaluw",
            "Dierenkliniek De Uiver",
            "Rijschool Vlot",
            "Bouwbedrijf Martens",
            "Thuiszorg Dichtbij",
        ],
        Group::Polder => &["Melkveehouderij De Terp", "Loonbedrijf Wieringa", "Veevoeders Nijland", "Kaasmakerij Oosterzee"],
        Group::Kade => &["Zo\u{eb} \u{2018}t Hart Mode", "Caf\u{e9} De Kade", "\u{160}imon Rederij", "Visgroothandel Urkerland"],
        Group::Noord => &["Gr\u{f8}n & Z\u{f6}hne", "\u{141}ukasz Techniek", "Windpark Eemshoek", "Scheepswerf De Hoop"],
        Group::Weide => &["Paardenpension Weidezicht", "Tuincentrum Lindenhof", "Camping 't Weitje", "Zuivel Van Tongeren"],
        Group::Switchboard => &["Verzamelgebouw De Spil", "Callcenter Hallo", "Notariaat Ren\u{e9}e Mulder"],
        Group::Hotels => &["Hotel Zeezicht", "Pension Duinroos", "Landgoed Bosrijk"],
        Group::Campus => &["Scholengroep Noorderlicht", "Hogeschool Oosterpoort", "Bibliotheek De Boekenmolen"],
    }
}
