//! Figures as people read them: thousands, percentages, bytes, money; and texts that are safe inside HTML.

/// Nano-units in one unit of a currency.
const NANO: i128 = 1_000_000_000;

/// Makes a text safe inside an element or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // No control character may stand in a page; tab and line feed are none of these.
            c if c.is_control() && c != '\n' && c != '\t' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// `318,400`.
pub(super) fn count(n: u64) -> String {
    thousands(&n.to_string())
}

/// Puts a comma before every third digit from the right.
fn thousands(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// `part` of `whole`, with a space that does not break, as `41 %`, `4.1 %` or `0.66 %`: more places for smaller shares.
pub(super) fn percent(part: u128, whole: u128) -> String {
    if part == 0 || whole == 0 {
        return "0\u{a0}%".to_owned();
    }
    let scaled = |factor: u128| (part.saturating_mul(factor) + whole / 2) / whole;
    match scaled(10_000) {
        0 => "under 0.01\u{a0}%".to_owned(),
        n @ 1..=99 => format!("0.{n:02}\u{a0}%"),
        100..=999 => {
            let n = scaled(1_000);
            format!("{}.{}\u{a0}%", n / 10, n % 10)
        }
        // Rounding must not turn "nearly all" into "all".
        _ if scaled(100) >= 100 && part < whole => {
            let n = scaled(10_000).min(9_999);
            format!("{}.{:02}\u{a0}%", n / 100, n % 100)
        }
        _ => format!("{}\u{a0}%", scaled(100)),
    }
}

/// `part` of `whole` with two places, `98.27 %`; rounding never makes "all" of "nearly all" or nothing of something.
pub(super) fn places(part: u128, whole: u128) -> String {
    if part == 0 || whole == 0 {
        return "0\u{a0}%".to_owned();
    }
    let n = (part.saturating_mul(10_000) + whole / 2) / whole;
    match n {
        0 => "under 0.01\u{a0}%".to_owned(),
        _ if n >= 10_000 && part < whole => "99.99\u{a0}%".to_owned(),
        _ => format!("{}.{:02}\u{a0}%", n / 100, n % 100),
    }
}

/// `27.4 MB`, with 1 MB = 1,000,000 bytes.
pub(super) fn bytes(n: u64) -> String {
    scaled(n, &["B", "kB", "MB", "GB", "TB"])
}

/// `0.61 M` or `612 k`: a rate to be read at a glance.
pub(super) fn short(n: u64) -> String {
    scaled(n, &["", "k", "M", "G"]).trim_end().to_owned()
}

fn scaled(n: u64, units: &[&str]) -> String {
    let mut unit = 0;
    let mut divisor = 1_u64;
    while unit + 1 < units.len() && n / divisor >= 1_000 {
        divisor *= 1_000;
        unit += 1;
    }
    let whole = n / divisor;
    let tenths = n % divisor * 10 / divisor;
    if whole >= 100 || tenths == 0 {
        return format!("{} {}", thousands(&whole.to_string()), units[unit]);
    }
    format!("{whole}.{tenths} {}", units[unit])
}

/// `6.8 s`, `4 min 10 s`, `2 h 5 min`.
pub(super) fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0..60 => format!("{seconds}.{} s", ms % 1_000 / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// Nano-units as `41,208.11`, rounded half away from zero; below a cent, but not zero, with six places.
pub(super) fn money(nano: i128) -> String {
    let sign = if nano < 0 { "-" } else { "" };
    let size = nano.unsigned_abs();
    let unit = NANO.unsigned_abs();
    let cents = (size + unit / 200) / (unit / 100);
    if cents == 0 && size > 0 {
        let millionths = (size + 500) / 1_000;
        return format!("{sign}0.{millionths:06}");
    }
    format!("{sign}{}.{:02}", thousands(&(cents / 100).to_string()), cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_a_text_as_markup() {
        assert_eq!(escape(r#"<b a="x" b='y'>&"#), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
        assert_eq!(escape("a\u{0}b\tc"), "a\u{fffd}b\tc");
    }

    #[test]
    fn counts_have_thousands() {
        assert_eq!(
            ["0", "999", "1,000", "318,400", "1,234,567"].map(str::to_owned),
            [0, 999, 1_000, 318_400, 1_234_567].map(count)
        );
    }

    #[test]
    fn shares_have_the_places_that_count() {
        for (part, whole, text) in [
            (0, 10, "0 %"),
            (5, 0, "0 %"),
            (41, 100, "41 %"),
            (66, 10_000, "0.66 %"),
            (41, 1_000, "4.1 %"),
            (1, 1_000_000, "under 0.01 %"),
            (100, 100, "100 %"),
            (9_827, 10_000, "98 %"),
            (99_999, 100_000, "99.99 %"),
        ] {
            assert_eq!(percent(part, whole), text.replace(" %", "\u{a0}%"), "{part} of {whole}");
        }
    }

    #[test]
    fn places_never_round_to_all_or_nothing() {
        let cases =
            [(9_827, 10_000, "98.27 %"), (1, 1_000_000, "under 0.01 %"), (999_999, 1_000_000, "99.99 %"), (3, 3, "100.00 %")];
        for (part, whole, text) in cases {
            assert_eq!(places(part, whole), text.replace(" %", "\u{a0}%"));
        }
    }

    #[test]
    fn sizes_rates_and_times_read_at_a_glance() {
        assert_eq!(bytes(27_412_000), "27.4 MB");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(80_000), "80 kB");
        assert_eq!(short(610_000), "610 k");
        assert_eq!(short(1_250_000), "1.2 M");
        assert_eq!(duration(6_840), "6.8 s");
        assert_eq!(duration(250_000), "4 min 10 s");
        assert_eq!(duration(7_500_000), "2 h 5 min");
    }

    #[test]
    fn money_is_rounded_to_cents_unless_nothing_would_be_left() {
        assert_eq!(money(41_208_114_230_000), "41,208.11");
        assert_eq!(money(5_000_000), "0.01");
        assert_eq!(money(4_999_999), "0.005000");
        assert_eq!(money(-1_995_000_000), "-2.00");
        assert_eq!(money(0), "0.00");
    }
}
