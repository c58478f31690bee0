//! The words of headers: what a column is, and in which unit. Lower-case, words apart; the longest phrase that fits counts.

/// What a header says that its column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::draft) enum Meaning {
    Id,
    Kind,
    Direction,
    /// Whose usage it is.
    Served,
    /// Who called.
    Caller,
    /// Who was called.
    Called,
    /// The other one, whoever called.
    Other,
    Imsi,
    Iccid,
    Imei,
    Start,
    Date,
    Clock,
    Answer,
    End,
    Duration,
    /// The duration after the answer.
    TalkTime,
    Up,
    Down,
    /// Both directions together.
    Volume,
    Parts,
    Cost,
    Currency,
    Network,
    Class,
    Status,
    /// A person, a customer, a remark: nothing that rating reads.
    Aside,
}

/// A unit that a header names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::draft) enum Unit {
    Seconds,
    Minutes,
    Milliseconds,
    Bytes,
    Kilobytes,
    Megabytes,
    Gigabytes,
    Euro,
    Cents,
}

/// Words that are units.
pub(super) const UNITS: &[(&str, Unit)] = &[
    ("s", Unit::Seconds),
    ("sec", Unit::Seconds),
    ("secs", Unit::Seconds),
    ("seconds", Unit::Seconds),
    ("seconden", Unit::Seconds),
    ("min", Unit::Minutes),
    ("minutes", Unit::Minutes),
    ("minuten", Unit::Minutes),
    ("ms", Unit::Milliseconds),
    ("msec", Unit::Milliseconds),
    ("bytes", Unit::Bytes),
    ("octets", Unit::Bytes),
    ("kb", Unit::Kilobytes),
    ("kib", Unit::Kilobytes),
    ("kbyte", Unit::Kilobytes),
    ("kbytes", Unit::Kilobytes),
    ("kilobytes", Unit::Kilobytes),
    ("mb", Unit::Megabytes),
    ("mib", Unit::Megabytes),
    ("mbyte", Unit::Megabytes),
    ("mbytes", Unit::Megabytes),
    ("megabytes", Unit::Megabytes),
    ("gb", Unit::Gigabytes),
    ("gib", Unit::Gigabytes),
    ("gigabytes", Unit::Gigabytes),
    ("eur", Unit::Euro),
    ("euro", Unit::Euro),
    ("ct", Unit::Cents),
    ("cent", Unit::Cents),
    ("cents", Unit::Cents),
    ("eurocent", Unit::Cents),
];

macro_rules! meanings {
    ($($meaning:ident: $($phrase:literal),+;)+) => {
        /// Phrases and what they mean.
        pub(super) const MEANINGS: &[(&str, Meaning)] = &[$($(($phrase, Meaning::$meaning),)+)+];
    };
}

meanings! {
    Id: "id", "record id", "record number", "record", "recordnummer", "recordnr", "cdr id", "cdr nummer", "cdr number", "event id",
        "call id", "call reference", "uuid", "guid", "pkid", "unique id", "referentie", "reference", "ref", "kenmerk", "volgnummer",
        "sequence", "sequence number", "transaction id", "transactie", "gespreksid", "gesprek id";
    Kind: "soort", "type", "dienst", "service", "kind", "event", "event type", "interaction", "verkeerssoort", "soort verkeer",
        "call type", "usage type", "service type", "dienst type", "record type", "cdr type", "soort gebruik", "gebruikstype";
    Direction: "richting", "direction", "leg", "call direction", "verkeersrichting", "in uit", "in out";
    Served: "msisdn", "nummer", "number", "mobiel nummer", "mobiele nummer", "mobiel", "telefoonnummer", "telefoon", "phone number",
        "mobile number", "abonnee", "abonneenummer", "subscriber", "subscriber number", "served", "served number", "served msisdn",
        "served party", "eigen nummer", "own number", "aansluiting", "aansluitnummer", "gebruikersnummer", "line", "lijn";
    Caller: "van", "from", "caller", "calling", "calling number", "calling party", "calling party number", "caller number",
        "caller id", "caller id number", "a number", "a nummer", "anummer", "src", "source", "source number", "origin",
        "originating number", "beller", "bellend nummer", "bellende", "oproeper", "afzender", "ani", "cli";
    Called: "naar", "to", "called", "called number", "called party", "called party number", "callee", "b number", "b nummer",
        "bnummer", "dst", "destination", "destination number", "bestemming", "gebeld nummer", "gebelde nummer", "gebeld", "gebelde", "gekozen nummer",
        "dialled", "dialed", "dialled number", "dialed number", "ontvanger", "recipient", "dnis", "final called party number",
        "opgeroepen nummer", "bestemmingsnummer";
    Other: "other", "other party", "other number", "peer", "tegennummer", "tegenpartij", "gesprekspartner", "correspondent",
        "correspondent id", "counterpart", "remote number", "contact";
    Imsi: "imsi";
    Iccid: "iccid", "sim", "sim nummer", "sim number", "simkaart", "sim kaart", "simcard", "sim card";
    Imei: "imei", "imeisv";
    Start: "start", "begin", "aanvang", "started", "started at", "start time", "start stamp", "start datetime", "starttijd",
        "begintijd", "begintijdstip", "starttijdstip", "tijdstip", "tijdstempel", "timestamp", "datum tijd", "datum en tijd",
        "datumtijd", "date time", "date and time", "event time", "call start", "call start time", "date time origination",
        "setup time", "begin tijd", "start tijd", "moment", "ts", "epoch";
    Date: "datum", "date", "dag", "day", "start date", "begin date", "startdatum", "begindatum", "gespreksdatum", "call date",
        "event date", "start datum";
    Clock: "tijd", "time", "uur", "hour", "call time", "time of day";
    Answer: "answer", "answered", "answer time", "answer stamp", "answered at", "connect", "connect time", "date time connect",
        "opgenomen", "beantwoord";
    End: "end", "einde", "eind", "eindtijd", "end time", "end stamp", "ended", "ended at", "stop", "stop time", "stoptijd",
        "disconnect", "disconnect time", "date time disconnect", "hangup", "finish", "datum einde", "end date";
    Duration: "duur", "duration", "seconds", "seconden", "minutes", "minuten", "call duration", "gespreksduur", "belduur",
        "gesprekstijd", "length", "lengte", "elapsed", "usage seconds";
    TalkTime: "billsec", "talk seconds", "talk time", "talk duration", "billable", "billable seconds", "billed seconds",
        "billed duration", "spreektijd", "gefactureerde duur";
    Up: "up", "bytes up", "upload", "uploaded", "uplink", "upstream", "verzonden", "sent", "tx", "volume up", "data up",
        "bytes sent", "bytes out", "volume uplink";
    Down: "down", "bytes down", "download", "downloaded", "downlink", "downstream", "ontvangen", "received", "rx", "volume down",
        "data down", "bytes received", "bytes in", "volume downlink";
    Volume: "volume", "bytes", "octets", "kb", "mb", "kilobytes", "megabytes", "data", "data volume", "datavolume",
        "dataverbruik", "verbruik", "total bytes", "totaal volume";
    Parts: "parts", "delen", "segments", "message parts", "berichtdelen", "sms parts", "aantal berichten", "aantal sms";
    Cost: "bedrag", "kosten", "prijs", "cost", "costs", "price", "amount", "charge", "charged", "tarief", "netto bedrag",
        "bedrag excl", "bedrag excl btw", "kosten excl btw", "prijs excl btw", "netto", "eur", "euro";
    Currency: "valuta", "currency", "munt", "munteenheid";
    Network: "netwerk", "network", "plmn", "mccmnc", "mcc mnc", "tadig", "operator", "netwerkcode", "network code",
        "serving network", "visited network";
    Class: "tariefklasse", "tariefgroep", "tariefsoort", "tariefzone", "tarief klasse", "tarief groep", "tarief zone",
        "rate class", "rate group", "tariff class", "tariff group", "klasse", "class", "zone", "bestemmingsgroep",
        "destination class", "price group";
    Status: "status", "result", "resultaat", "disposition", "hangup cause", "cause", "release cause", "call status", "afloop",
        "uitkomst", "state";
    Aside: "customer", "klant", "customer reference", "klantreferentie", "klantnummer", "customer id", "klant id", "debiteur",
        "account", "accountcode", "account id", "contract", "contractnummer", "naam", "name", "caller id name", "gebruiker",
        "user", "user id", "userfield", "tijdzone", "time zone", "omschrijving", "description", "remark", "opmerking", "kostenplaats", "cost center",
        "cost centre", "bundel", "bundle", "bundle used", "imsi name", "partner path", "btw", "vat", "land", "country",
        "bestemming naam", "destination name", "codec", "channel", "context", "apn";
}
