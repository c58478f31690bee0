//! Rows of a table that hold on some days only: what a key leads to on a day.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::table::Row;

/// What keys lead to, and on which days.
#[derive(Debug)]
pub(crate) struct Dated<T> {
    rows: HashMap<String, Vec<Held<T>>>,
}

/// What holds from a day on, and no more from another one on.
#[derive(Debug)]
struct Held<T> {
    from: Option<Date>,
    to: Option<Date>,
    value: T,
}

impl<T> Default for Dated<T> {
    fn default() -> Self {
        Self { rows: HashMap::new() }
    }
}

impl<T> Dated<T> {
    /// The column of the first day on which a row holds.
    pub const FROM: &str = "valid_from";

    /// The column of the first day on which it does not.
    pub const TO: &str = "valid_to";

    /// Takes up what a key leads to on the days that its row names.
    pub fn insert(&mut self, key: String, row: &Row, value: T) -> Result<(), String> {
        let day = |name: &str| row.get(name).map(|day| date(day)).transpose();
        self.rows.entry(key).or_default().push(Held { from: day(Self::FROM)?, to: day(Self::TO)?, value });
        Ok(())
    }

    /// What a key leads to on a day.
    pub fn on(&self, key: &str, day: Date) -> Option<&T> {
        let holds = |held: &&Held<T>| held.from.is_none_or(|from| from <= day) && held.to.is_none_or(|to| day < to);
        self.rows.get(key)?.iter().find(holds).map(|held| &held.value)
    }
}

/// A day of a table.
pub(crate) fn date(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("`{text}` is no date"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(from: &str, to: &str) -> Row {
        let cells = [("valid_from", from), ("valid_to", to)].into_iter().filter(|(_, day)| !day.is_empty());
        cells.map(|(name, day)| (name.to_owned(), day.to_owned())).collect()
    }

    #[test]
    fn a_row_holds_from_its_first_day_on_and_not_on_the_day_at_which_it_ends() {
        let mut dated = Dated::default();
        for (from, to, value) in [("", "2026-03-01", 1), ("2026-03-01", "2026-06-01", 2), ("2026-07-01", "", 3)] {
            dated.insert("26201".to_owned(), &row(from, to), value).expect("days");
        }
        let on = |day: &str| dated.on("26201", date(day).expect("a day")).copied();
        let days = ["1999-01-01", "2026-02-28", "2026-03-01", "2026-05-31", "2026-06-01", "2026-06-30", "2026-07-01"];
        assert_eq!(days.map(on), [Some(1), Some(1), Some(2), Some(2), None, None, Some(3)]);
        assert_eq!(dated.on("26202", date("2026-03-01").expect("a day")), None);
        assert_eq!(dated.insert(String::new(), &row("1 March", ""), 4), Err("`1 March` is no date".to_owned()));
    }
}
