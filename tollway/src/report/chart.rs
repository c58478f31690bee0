//! What the drawn pictures share: a frame with a scale, coordinates in tenths of a unit, and words for those who cannot see them.

use std::fmt::Write;

use super::figures::{escape, short};

/// Width and height of every drawing, units; the page scales it to its width.
pub(super) const WIDTH: i64 = 960;
pub(super) const HEIGHT: i64 = 280;

/// The part of a drawing where the figures are; all in tenths of a unit.
const LEFT: i64 = 440;
const RIGHT: i64 = 9_380;
const TOP: i64 = 240;
const BOTTOM: i64 = 2_440;

/// A drawing with `steps` positions from left to right and a scale from 0 to at least `largest`.
pub(super) struct Frame {
    steps: u64,
    top: u64,
    tick: u64,
}

impl Frame {
    pub fn new(steps: u64, largest: u64) -> Self {
        let tick = tick(largest);
        Self { steps: steps.max(1), top: largest.div_ceil(tick).max(1) * tick, tick }
    }

    /// Where a position is, from the left.
    pub fn x(&self, step: u64) -> i64 {
        LEFT + scale(step, self.steps, RIGHT - LEFT)
    }

    /// Where a figure is, from the top.
    pub fn y(&self, figure: u64) -> i64 {
        BOTTOM - scale(figure.min(self.top), self.top, BOTTOM - TOP)
    }

    /// The lines of the scale with their figures.
    pub fn write_scale(&self, svg: &mut String) {
        let mut figure = 0;
        while figure <= self.top {
            let y = self.y(figure);
            let class = if figure == 0 { "base" } else { "grid" };
            put(svg, format_args!(r#"<line class="{class}" x1="{}" x2="{}" y1="{}" y2="{}"/>"#, t(LEFT), t(RIGHT), t(y), t(y)));
            put(svg, format_args!(r#"<text class="tick end" x="{}" y="{}">{}</text>"#, t(LEFT - 70), t(y + 40), short(figure)));
            figure += self.tick;
        }
    }

    /// A shaded column from one position to another.
    pub fn write_band(&self, from: u64, to: u64, svg: &mut String) {
        let (left, right) = (self.x(from), self.x(to));
        let (width, height) = (t(right - left), t(BOTTOM - TOP));
        put(svg, format_args!(r#"<rect class="band" x="{}" y="{}" width="{width}" height="{height}"/>"#, t(left), t(TOP)));
    }

    /// A word under a position.
    pub fn write_label(&self, step: u64, label: &str, svg: &mut String) {
        put(svg, format_args!(r#"<text class="tick" x="{}" y="{}">{}</text>"#, t(self.x(step)), t(BOTTOM + 190), escape(label)));
    }
}

/// `part` of `whole` on a length.
fn scale(part: u64, whole: u64, length: i64) -> i64 {
    let product = i128::from(part) * i128::from(length) / i128::from(whole.max(1));
    i64::try_from(product).unwrap_or(length)
}

/// The distance of the scale's lines: 1, 2 or 5 times a power of ten, so that there are three to six of them.
fn tick(largest: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for step in [1, 2, 5] {
            let tick = power.saturating_mul(step);
            if largest / tick < 5 {
                return tick;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// Tenths as a decimal: `1234` is `123.4`.
pub(super) fn t(tenths: i64) -> String {
    let (whole, rest) = (tenths / 10, (tenths % 10).abs());
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest}") }
}

/// Appends formatted text.
pub(super) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all text");
}

/// Opens a drawing; `title` and `description` are read out instead of it. Both are already safe.
pub(super) fn open(id: &str, title: &str, description: &str, svg: &mut String) {
    put(
        svg,
        format_args!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{description}</desc>"
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_have_round_lines() {
        for (largest, expected) in [(0, 1), (1, 1), (4, 1), (5, 2), (9, 2), (10, 5), (612, 200), (1_204, 500), (610_000, 200_000)]
        {
            assert_eq!(tick(largest), expected, "{largest}");
        }
        assert!(tick(u64::MAX) > 1);
        let frame = Frame::new(10, 612);
        assert_eq!((frame.top, frame.y(0), frame.y(800)), (800, BOTTOM, TOP));
        assert_eq!((frame.x(0), frame.x(10)), (LEFT, RIGHT));
    }

    #[test]
    fn tenths_become_decimals() {
        assert_eq!([t(1_234), t(10), t(0), t(-5)], ["123.4", "1", "0", "0.5"]);
    }
}
