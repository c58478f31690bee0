//! What the words of headers and of values mean, in Dutch and in English: tables to extend when a file uses another one.

mod headers;

use domain::usage::{Direction, UsageKind};

pub(super) use headers::{Meaning, Unit};

use headers::{MEANINGS, UNITS};

/// Texts that say what a row records.
const KINDS: &[(&str, UsageKind)] = &[
    ("voice", UsageKind::Voice),
    ("spraak", UsageKind::Voice),
    ("speech", UsageKind::Voice),
    ("bellen", UsageKind::Voice),
    ("bel", UsageKind::Voice),
    ("call", UsageKind::Voice),
    ("calls", UsageKind::Voice),
    ("tel", UsageKind::Voice),
    ("telefonie", UsageKind::Voice),
    ("telefoon", UsageKind::Voice),
    ("telephony", UsageKind::Voice),
    ("gesprek", UsageKind::Voice),
    ("gesprekken", UsageKind::Voice),
    ("oproep", UsageKind::Voice),
    ("voip", UsageKind::Voice),
    ("moc", UsageKind::Voice),
    ("mtc", UsageKind::Voice),
    ("sms", UsageKind::Sms),
    ("text", UsageKind::Sms),
    ("tekst", UsageKind::Sms),
    ("bericht", UsageKind::Sms),
    ("message", UsageKind::Sms),
    ("smsmo", UsageKind::Sms),
    ("smsmt", UsageKind::Sms),
    ("mms", UsageKind::Mms),
    ("data", UsageKind::Data),
    ("internet", UsageKind::Data),
    ("gprs", UsageKind::Data),
    ("umts", UsageKind::Data),
    ("lte", UsageKind::Data),
    ("4g", UsageKind::Data),
    ("5g", UsageKind::Data),
    ("datasessie", UsageKind::Data),
    ("datasession", UsageKind::Data),
];

/// Texts that say which way.
const DIRECTIONS: &[(&str, Direction)] = &[
    ("out", Direction::Outgoing),
    ("outgoing", Direction::Outgoing),
    ("outbound", Direction::Outgoing),
    ("uit", Direction::Outgoing),
    ("uitgaand", Direction::Outgoing),
    ("mo", Direction::Outgoing),
    ("moc", Direction::Outgoing),
    ("smsmo", Direction::Outgoing),
    ("orig", Direction::Outgoing),
    ("originating", Direction::Outgoing),
    ("sent", Direction::Outgoing),
    ("verzonden", Direction::Outgoing),
    ("o", Direction::Outgoing),
    ("u", Direction::Outgoing),
    ("in", Direction::Incoming),
    ("incoming", Direction::Incoming),
    ("inbound", Direction::Incoming),
    ("inkomend", Direction::Incoming),
    ("binnenkomend", Direction::Incoming),
    ("mt", Direction::Incoming),
    ("mtc", Direction::Incoming),
    ("smsmt", Direction::Incoming),
    ("term", Direction::Incoming),
    ("terminating", Direction::Incoming),
    ("received", Direction::Incoming),
    ("ontvangen", Direction::Incoming),
    ("i", Direction::Incoming),
    ("cf", Direction::Forwarded),
    ("fwd", Direction::Forwarded),
    ("forward", Direction::Forwarded),
    ("forwarded", Direction::Forwarded),
    ("diverted", Direction::Forwarded),
    ("door", Direction::Forwarded),
    ("doorgeschakeld", Direction::Forwarded),
    ("doorschakeling", Direction::Forwarded),
];

/// Texts of a status column: of calls that were answered, and of calls that were not.
const STATUSES: &[(&str, bool)] = &[
    ("ok", true),
    ("answered", true),
    ("answer", true),
    ("beantwoord", true),
    ("opgenomen", true),
    ("connected", true),
    ("completed", true),
    ("success", true),
    ("geslaagd", true),
    ("voltooid", true),
    ("normal", true),
    ("normal clearing", true),
    ("no answer", false),
    ("noanswer", false),
    ("not answered", false),
    ("unanswered", false),
    ("missed", false),
    ("busy", false),
    ("user busy", false),
    ("failed", false),
    ("fail", false),
    ("cancelled", false),
    ("canceled", false),
    ("rejected", false),
    ("congestion", false),
    ("originator cancel", false),
    ("no user response", false),
    ("geen gehoor", false),
    ("niet beantwoord", false),
    ("gemist", false),
    ("bezet", false),
    ("mislukt", false),
    ("afgewezen", false),
    ("geannuleerd", false),
];

/// Texts, in the column of kinds, of rows that are no usage.
const FEES: &[&str] =
    &["abonnement", "subscription", "fee", "monthly fee", "recurring", "maandbedrag", "vaste kosten", "korting"];

/// Words that a profile takes for hidden numbers without being told.
const HIDDEN: &[&str] = &["anonymous", "anoniem", "private", "unknown", "withheld"];

/// More words for hidden numbers.
const ALSO_HIDDEN: &[&str] =
    &["afgeschermd", "onbekend", "geheim", "prive", "privé", "restricted", "unavailable", "niet beschikbaar"];

/// Names of types, as some sources put them in a line under the header.
const TYPE_WORDS: &[&str] =
    &["integer", "int", "bigint", "varchar", "string", "text", "date", "timestamp", "uniqueidentifier", "decimal", "char"];

/// A text in small letters, its words apart: `CallingNumber`, `bytes_up` and `UpKb` are two words each.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let mut tokens = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        let camel = before.is_lowercase() && c.is_uppercase();
        let changes = before.is_alphabetic() && c.is_ascii_digit() && tokens.last().is_some_and(|t| t.len() > 2);
        if !c.is_alphanumeric() || camel || changes {
            tokens.push(String::new());
        }
        if c.is_alphanumeric() {
            let last = tokens.last_mut().expect("it begins with one");
            last.extend(c.to_lowercase());
        }
        before = c;
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

/// Whether a header has any word that the table knows.
pub(super) fn is_known_header(name: &str) -> bool {
    !meanings(name).is_empty()
}

/// What a header may mean, each with how much of it says so, in per cent.
pub(super) fn meanings(name: &str) -> Vec<(Meaning, u64)> {
    let mut tokens = tokens(name);
    // A unit says nothing about what is counted, unless it stands alone.
    let units = tokens.iter().filter(|t| unit_of(t).is_some()).count();
    if units < tokens.len() {
        tokens.retain(|t| unit_of(t).is_none() || matches!(t.as_str(), "bytes" | "octets" | "seconds" | "seconden"));
    }
    let joined = tokens.concat();
    let mut found: Vec<(Meaning, usize, usize, u64)> = Vec::new();
    for (phrase, meaning) in MEANINGS {
        let words: Vec<&str> = phrase.split(' ').collect();
        let letters: usize = words.iter().map(|w| w.len()).sum();
        if words.concat() == joined {
            found.push((*meaning, 0, tokens.len(), 100));
            continue;
        }
        for from in 0..tokens.len() {
            let covers = tokens[from..].len() >= words.len() && words.iter().zip(&tokens[from..]).all(|(w, t)| w == t);
            if covers {
                found.push((*meaning, from, from + words.len(), 40 + 50 * letters as u64 / joined.len().max(1) as u64));
            } else if let [word] = words[..]
                && word.len() >= 4
                && (tokens[from].ends_with(word) || tokens[from].starts_with(word))
            {
                found.push((*meaning, from, from + 1, 30 + 30 * letters as u64 / joined.len().max(1) as u64));
            }
        }
    }
    // A longer phrase says more than the words in it, and a whole word more than a part of one.
    let outdone = |a: &(Meaning, usize, usize, u64)| {
        found.iter().any(|b| b.1 <= a.1 && a.2 <= b.2 && (b.2 - b.1 > a.2 - a.1 || b.3 > a.3 + 20))
    };
    let mut all: Vec<(Meaning, u64)> = found.iter().filter(|a| !outdone(a)).map(|a| (a.0, a.3)).collect();
    all.sort_by_key(|(meaning, percent)| (*meaning, std::cmp::Reverse(*percent)));
    all.dedup_by_key(|(meaning, _)| *meaning);
    all
}

fn unit_of(token: &str) -> Option<Unit> {
    UNITS.iter().find(|(word, _)| *word == token).map(|(_, unit)| *unit)
}

/// The unit that a header names: `VOLUME_KB`, `Duur (sec)`, `megabytes`.
pub(super) fn unit(name: &str) -> Option<Unit> {
    tokens(name).iter().find_map(|token| unit_of(token))
}

/// What a text of the kinds' column means.
pub(super) fn kind(text: &str) -> Option<UsageKind> {
    lookup(text, KINDS)
}

/// What a text of the directions' column means.
pub(super) fn direction(text: &str) -> Option<Direction> {
    lookup(text, DIRECTIONS)
}

/// Whether a text of a status column says that a call was answered; `None` if it is no known status.
pub(super) fn is_answered(text: &str) -> Option<bool> {
    let words = tokens(text).join(" ");
    STATUSES.iter().find(|(word, _)| *word == words).map(|(_, answered)| *answered)
}

/// Whether a text of the kinds' column says that the row is no usage.
pub(super) fn is_fee(text: &str) -> bool {
    FEES.contains(&tokens(text).join(" ").as_str())
}

/// Whether a text stands for a hidden number, and whether a profile knows that without being told.
pub(super) fn is_hidden(text: &str) -> Option<bool> {
    let text = text.to_lowercase();
    let known = HIDDEN.contains(&text.as_str());
    (known || ALSO_HIDDEN.contains(&text.as_str())).then_some(known)
}

/// The words for hidden numbers that every draft with such a number names: the usual ones.
pub(super) fn usual_hidden() -> &'static [&'static str] {
    HIDDEN
}

/// Whether a text is the name of a type, as in a line of types under the header.
pub(super) fn is_type(text: &str) -> bool {
    let name = text.to_lowercase();
    let name = name.split('(').next().unwrap_or_default();
    TYPE_WORDS.contains(&name)
}

/// The whole text, or its one word that the table has.
fn lookup<T: Copy + PartialEq>(text: &str, table: &[(&str, T)]) -> Option<T> {
    let tokens = tokens(text);
    let joined = tokens.concat();
    if let Some((_, value)) = table.iter().find(|(word, _)| *word == joined) {
        return Some(*value);
    }
    let mut known = tokens.iter().filter_map(|t| table.iter().find(|(word, _)| word == t && word.len() > 1)).map(|(_, v)| *v);
    let first = known.next()?;
    known.all(|value| value == first).then_some(first)
}

/// What a text looks like: runs of digits as `9`, of letters as `A`, everything else as it is.
pub(super) fn shape(text: &str) -> String {
    let mut shape = String::new();
    for c in text.chars().take(64) {
        let class = if c.is_ascii_digit() {
            '9'
        } else if c.is_alphabetic() {
            'A'
        } else {
            c
        };
        if !(class.is_alphanumeric() && shape.ends_with(class)) {
            shape.push(class);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_in_both_languages_and_all_spellings() {
        for (name, meaning) in [
            ("van", Meaning::Caller),
            ("NAAR", Meaning::Called),
            ("CallingNumber", Meaning::Caller),
            ("finalCalledPartyNumber", Meaning::Called),
            ("Mobiel nummer", Meaning::Served),
            ("tegennummer", Meaning::Other),
            ("OtherParty", Meaning::Other),
            ("Datum en tijd", Meaning::Start),
            ("dateTimeOrigination", Meaning::Start),
            ("Datum", Meaning::Date),
            ("Tijd", Meaning::Clock),
            ("Gespreksduur (sec)", Meaning::Duration),
            ("talk_seconds", Meaning::TalkTime),
            ("VOLUME_KB", Meaning::Volume),
            ("BytesUp", Meaning::Up),
            ("DownKb", Meaning::Down),
            ("tariefsoort", Meaning::Class),
            ("soort", Meaning::Kind),
            ("BEDRAG", Meaning::Cost),
            ("RECORDID", Meaning::Id),
            ("Plmn", Meaning::Network),
        ] {
            let all = meanings(name);
            let best = all.iter().max_by_key(|(_, percent)| *percent).map(|(meaning, _)| *meaning);
            assert_eq!(best, Some(meaning), "{name}: {all:?}");
        }
        let says = |name: &str, wanted| meanings(name).iter().any(|(meaning, _)| *meaning == wanted);
        assert!(!says("CustomerReference", Meaning::Id), "it is a customer's, not a record's");
        assert!(!says("dateTimeConnect", Meaning::Start));
    }

    #[test]
    fn values_are_read_by_word() {
        assert_eq!(kind("SMS MO"), Some(UsageKind::Sms));
        assert_eq!(direction("SMS MO"), Some(Direction::Outgoing));
        assert_eq!(kind("Abonnement"), None);
        assert_eq!(is_answered("NO ANSWER"), Some(false));
        assert_eq!(is_answered("NORMAL_CLEARING"), Some(true));
        assert_eq!((unit("VOLUME_KB"), unit("Duur (sec)"), unit("Volume")), (Some(Unit::Kilobytes), Some(Unit::Seconds), None));
    }
}
