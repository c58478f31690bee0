//! Drafts of profiles for any bytes: refused with a reason, or a profile that reads the file.

use std::io::Cursor;

use ingest::draft::{DraftError, DraftLimits, draft, read_samples};

use crate::case::Case;
use crate::wrap;

use super::{answer, files};

/// Proposes a profile for a file and runs it over the file.
pub fn run(case: &Case) -> Result<u64, String> {
    let limits = DraftLimits { rows_max: 500, bytes_max: 64 * 1024, files_max: 4 };
    let refused = |error: DraftError| match error {
        DraftError::Unloadable { source } => Err(format!("the proposal is no profile: {source}")),
        error if error.to_string().is_empty() => Err("a refusal without a reason".to_owned()),
        error => Ok(answer::of(answer::words(&error.to_string()))),
    };
    let samples = match read_samples("any.csv", &mut Cursor::new(&case.bytes), limits) {
        Ok(samples) => samples,
        Err(error) => return refused(error),
    };
    let draft = match draft(&samples, Some("any"), limits) {
        Ok(draft) => draft,
        Err(error) => return refused(error),
    };
    let states: Vec<_> = samples.iter().map(|sample| draft.check(sample, 3).verdict.state.as_str()).collect();
    let asked: Vec<&str> = draft.questions.iter().map(|question| question.key.as_str()).collect();
    Ok(answer::of((states, asked)))
}

pub fn seeds() -> Vec<Case> {
    let mut cases: Vec<Case> =
        files::delimited().into_iter().map(|case| Case::new("any", files::head(&case.bytes, 12))).collect();
    let zipped = wrap::zip(&[("a.csv", &cases[0].bytes)]);
    cases.push(Case::new("any", zipped));
    cases
}
