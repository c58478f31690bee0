//! A micro-batch while it is gathered: lines, and which row is which event.

use super::{Event, LiveForm};
use crate::land::{LivePartition, LiveRange, LiveStep};

/// Where rows and offsets part ways is written down so often at most; then the batch is full. 4,096 × 40 B fit an arrival.
const STEPS_MAX: usize = 4_096;

/// What a step adds to the memory that a batch takes.
const STEP_BYTES: usize = size_of::<LiveStep>();

/// Events of one partition on their way into landing.
#[derive(Debug)]
pub struct MicroBatch {
    lines: Vec<u8>,
    header_bytes: u64,
    range: Option<Gathered>,
    from_offset: u64,
    lost_below: Option<u64>,
}

#[derive(Debug)]
struct Gathered {
    first_offset: u64,
    next_offset: u64,
    rows: u64,
    empty: u64,
    steps: Vec<LiveStep>,
}

impl MicroBatch {
    /// An empty batch that follows one which ended at `from_offset`; events below `lost_below` are gone.
    pub fn new(form: &LiveForm, from_offset: u64, lost_below: Option<u64>) -> Self {
        let header = form.header();
        Self { lines: header.to_vec(), header_bytes: header.len() as u64, range: None, from_offset, lost_below }
    }

    /// Adds the next event of the partition.
    pub fn take(&mut self, form: &LiveForm, event: &Event) {
        let range = self.range.get_or_insert_with(|| Gathered {
            first_offset: event.offset,
            next_offset: event.offset,
            rows: 0,
            empty: 0,
            steps: Vec::new(),
        });
        let rows = form.append(&event.value, &mut self.lines);
        range.next_offset = event.offset + 1;
        range.empty += u64::from(rows == 0);
        let row = range.rows;
        if rows > 1 {
            range.steps.push(LiveStep { row, offset: event.offset, is_one_event: true });
        } else if rows == 1 && !range.steps.last().is_some_and(|last| last.leads_to(row, event.offset)) {
            range.steps.push(LiveStep { row, offset: event.offset, is_one_event: false });
        }
        range.rows += rows;
    }

    /// Whether it holds no event.
    pub fn is_empty(&self) -> bool {
        self.range.is_none()
    }

    /// Rows in it.
    pub fn rows(&self) -> u64 {
        self.range.as_ref().map_or(0, |range| range.rows)
    }

    /// Memory that it takes.
    pub fn bytes(&self) -> usize {
        self.lines.len() + self.range.as_ref().map_or(0, |range| range.steps.len() * STEP_BYTES)
    }

    /// Whether it can take no further event, whatever its size.
    pub fn is_full(&self) -> bool {
        self.range.as_ref().is_some_and(|range| range.steps.len() >= STEPS_MAX)
    }

    /// The bytes that are landed.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// What the arrival says of it; `None` as long as it is empty.
    pub fn range(&self, source: &LivePartition) -> Option<LiveRange> {
        let range = self.range.as_ref()?;
        Some(LiveRange {
            source: source.clone(),
            from_offset: self.from_offset,
            first_offset: range.first_offset,
            next_offset: range.next_offset,
            header_bytes: self.header_bytes,
            rows: range.rows,
            empty: range.empty,
            steps: range.steps.clone(),
            lost_below: self.lost_below,
        })
    }
}
