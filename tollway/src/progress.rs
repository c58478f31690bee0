//! How far long work is: a bar on a terminal, log lines elsewhere, nothing when quiet.

use std::io::IsTerminal;

use domain::ports::Clock;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::system::SystemClock;

/// At most one log line in this time, microseconds.
const LINE_EVERY_US: i64 = 5_000_000;

/// Shows progress in rows.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    what: &'static str,
    total: u64,
    quiet: bool,
    last_line_us: i64,
}

impl Progress {
    /// Begins; `total` 0 means unknown.
    pub fn start(what: &'static str, total: u64, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !quiet;
        let bar = terminal.then(|| {
            let template = "  {prefix:<8} {bar:32} {human_pos} / {human_len}   {per_sec}";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
            bar.set_style(style.progress_chars("██░"));
            bar.set_prefix(what);
            bar
        });
        Self { bar, what, total, quiet, last_line_us: SystemClock.now_us() }
    }

    /// Notes how many rows are done in all.
    pub fn at(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        let now = SystemClock.now_us();
        if !self.quiet && now - self.last_line_us >= LINE_EVERY_US {
            self.last_line_us = now;
            eprintln!("{}: {done} of {} rows", self.what, self.total);
        }
    }

    /// Ends; the bar goes away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
