//! Names of members, for people: what an archive calls a member is text to be shown and never a path to be opened.

use super::sniff::Wrapper;

/// Longest name of a member, bytes.
const NAME_BYTES_MAX: usize = 1_000;

/// What the bytes from 128 on mean in zip archives that do not say UTF-8 (code page 437, in which the format was born).
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
                             └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The name of a zip member as text.
pub(super) fn of_zip(name: &[u8]) -> String {
    let old = |byte: u8| match byte {
        0..0x80 => char::from(byte),
        _ => CODE_PAGE_437.chars().nth(usize::from(byte - 0x80)).unwrap_or('_'),
    };
    display(std::str::from_utf8(name).map_or_else(|_| name.iter().map(|b| old(*b)).collect(), str::to_owned))
}

/// The name of a tar member as text.
pub(super) fn of_tar(name: &[u8]) -> String {
    display(std::str::from_utf8(name).map_or_else(|_| name.iter().map(|b| char::from(*b)).collect(), str::to_owned))
}

/// Leaves of a name what says something: no roots, drives, `.` and `..`, no control characters, no signs that turn the
/// direction of writing or cannot be seen. A name that is too long ends in a checksum, so that two stay two.
fn display(name: String) -> String {
    let clean: String = name.chars().map(|c| if is_hidden(c) { '_' } else { c }).collect();
    let clean = clean.replace('\\', "/");
    let parts = clean.split('/').filter(|part| !matches!(*part, "" | "." | "..") && !is_drive(part));
    let clean = parts.collect::<Vec<_>>().join("/");
    match clean.len() {
        0 => "unnamed".to_owned(),
        1..=NAME_BYTES_MAX => clean,
        _ => {
            let end = clean.floor_char_boundary(NAME_BYTES_MAX);
            format!("{}~{:08x}", &clean[..end], crc32c::crc32c(name.as_bytes()))
        }
    }
}

fn is_drive(part: &str) -> bool {
    matches!(part.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What a member is instead of data, by its name: companions that systems put beside the files.
pub(super) fn noise(name: &str) -> Option<&'static str> {
    let last = name.rsplit('/').next().unwrap_or(name);
    match last {
        _ if name.split('/').any(|part| part == "__MACOSX") => Some("attributes of a Macintosh file (__MACOSX)"),
        ".DS_Store" | "Thumbs.db" | "desktop.ini" => Some("settings of a folder window"),
        _ if last.starts_with("._") => Some("attributes of a Macintosh file (AppleDouble)"),
        _ => None,
    }
}

/// The name without what a compressor appended to it: `cdr.csv` of `cdr.csv.gz`.
pub(super) fn inside(name: &str, wrapper: Wrapper) -> String {
    let endings: &[(&str, &str)] = match wrapper {
        Wrapper::Gzip => &[(".gz", ""), (".tgz", ".tar"), (".taz", ".tar")],
        Wrapper::Zstd => &[(".zst", ""), (".zstd", ""), (".tzst", ".tar")],
        Wrapper::Bzip2 => &[(".bz2", ""), (".tbz2", ".tar"), (".tbz", ".tar")],
        Wrapper::Zip | Wrapper::Tar => &[],
    };
    for (ending, instead) in endings {
        let end = name.len().saturating_sub(ending.len());
        if name.get(end..).is_some_and(|tail| tail.eq_ignore_ascii_case(ending)) && end > 0 && !name[..end].ends_with('/') {
            return format!("{}{instead}", &name[..end]);
        }
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_without_what_could_mislead() {
        for (name, shown) in [
            ("folder/member.csv", "folder/member.csv"),
            ("../../etc/passwd", "etc/passwd"),
            ("/etc/passwd", "etc/passwd"),
            ("C:\\Users\\x\\cdr.csv", "Users/x/cdr.csv"),
            ("./a//b/./c", "a/b/c"),
            ("a\nb\u{1b}[31m.csv", "a_b_[31m.csv"),
            ("gpj\u{202e}vsc.exe", "gpj_vsc.exe"),
            ("..", "unnamed"),
            ("", "unnamed"),
        ] {
            assert_eq!(display(name.to_owned()), shown, "{name:?}");
        }
        let (one, two) = (display("x".repeat(2_000)), display(format!("{}y", "x".repeat(1_999))));
        assert!(one != two && one.len() < 1_020, "{one}");
        assert_eq!(of_zip(b"M\x81nchen.csv"), "München.csv");
        assert_eq!(of_zip("München.csv".as_bytes()), "München.csv");
        assert_eq!(of_tar(b"M\xfcnchen.csv"), "München.csv");
    }

    #[test]
    fn companions_are_told_from_data() {
        for name in ["__MACOSX/._a.csv", "a/__MACOSX/b", "a/._b.csv", ".DS_Store"] {
            assert!(noise(name).is_some(), "{name}");
        }
        for name in ["a.csv", "_a.csv", ".hidden.csv", "MACOSX/a.csv"] {
            assert_eq!(noise(name), None, "{name}");
        }
    }

    #[test]
    fn a_compressor_s_ending_is_dropped() {
        for (name, wrapper, inner) in [
            ("cdr.csv.gz", Wrapper::Gzip, "cdr.csv"),
            ("cdr.csv.GZ", Wrapper::Gzip, "cdr.csv"),
            ("all.tgz", Wrapper::Gzip, "all.tar"),
            ("cdr.csv", Wrapper::Gzip, "cdr.csv"),
            ("cdr.csv.gz", Wrapper::Zstd, "cdr.csv.gz"),
            (".gz", Wrapper::Gzip, ".gz"),
            ("a/.gz", Wrapper::Gzip, "a/.gz"),
            ("é.bz2", Wrapper::Bzip2, "é"),
        ] {
            assert_eq!(inside(name, wrapper), inner);
        }
    }
}
