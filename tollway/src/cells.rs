//! A row of a question over records, by position: for commands that price rows again by the thousand.

use rate::explain::ExplainInput;

/// The cells of a row in the order in which the question names them.
#[derive(Debug, Clone)]
pub struct Cells(pub Vec<Option<String>>);

impl Cells {
    /// The text of a cell; empty where null.
    pub fn text(&self, at: usize) -> &str {
        self.0.get(at).and_then(Option::as_deref).unwrap_or_default()
    }

    fn long(&self, at: usize) -> i64 {
        self.text(at).parse().unwrap_or(0)
    }

    fn narrow(&self, at: usize) -> i32 {
        i32::try_from(self.long(at)).unwrap_or(i32::MAX)
    }

    /// What was used, out of eleven cells from `kind` to `provider_class`; nothing of whose it was and of what it cost.
    pub fn usage(&self, first: usize) -> ExplainInput {
        ExplainInput {
            kind: self.text(first).to_owned(),
            start_us: self.long(first + 1),
            start_offset_s: self.narrow(first + 2),
            duration_s: self.narrow(first + 3),
            bytes_up: self.long(first + 4),
            bytes_down: self.long(first + 5),
            messages: self.text(first + 6).parse().unwrap_or(1),
            b_number: self.text(first + 7).to_owned(),
            b_number_type: self.text(first + 8).to_owned(),
            network: self.text(first + 9).to_owned(),
            provider_class: self.text(first + 10).to_owned(),
            cost_nano: None,
            cost_currency: None,
            party: String::new(),
            has_group: false,
            plan: None,
            tariff: None,
        }
    }
}
