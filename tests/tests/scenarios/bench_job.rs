//! The yardstick job of benches/job: right to the last micro-unit, and the same rows as the tables get.

use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::readers;

/// A seeded input of the job.
fn input(folder: &TempDir, seed: u32, files: u32, rows: u32) -> String {
    let data = folder.path().join(format!("data-{seed}")).to_string_lossy().into_owned();
    let (files, rows, seed) = (files.to_string(), rows.to_string(), seed.to_string());
    readers::python("benches/job/gen.py", &[&*data, "--files", &files, "--rows", &rows, "--seed", &seed]);
    data
}

/// *Scenario.* `tollway bench job` over generated files of three seeds, checked by the oracle that was written from JOB.md
/// alone. *Guarantees.* Every row, every charge and every count is right, and the rows stand in the promised order.
#[test]
fn job_verifies() {
    let folder = TempDir::new().expect("a temporary folder");
    for seed in 1..=3 {
        let data = input(&folder, seed, 1, 50_000);
        let [want, got] = ["want", "got"].map(|name| folder.path().join(format!("{name}-{seed}")).to_string_lossy().into_owned());
        readers::python("benches/job/oracle.py", &[&data, &want]);
        DataFolder::new().ok(&["bench", "job", &data, &got]);
        let said = readers::python("benches/job/verify.py", &[&want, &got]);
        assert!(said.starts_with("OK"), "seed {seed}: {said}");
    }
}

/// *Scenario.* The same files through `tollway bench job` and through `tollway ingest`, with the job's reference data and tariff.
/// *Guarantees.* The job measures the real flow: its rows are the projection of `cdr`, and both count the same outcomes. Which
/// of two copies was kept may differ.
#[test]
fn bench_job_equals_cdr() {
    let folder = TempDir::new().expect("a temporary folder");
    let input = input(&folder, 4, 2, 20_000);
    let out = folder.path().join("out").to_string_lossy().into_owned();
    let data = DataFolder::new();
    let job = data.json(&["bench", "job", &input, &out]);
    let reference = format!("{input}/ref");
    data.ok(&["import", "tariffs", "job", "--base", &reference]);
    data.ok(&["import", "devices", &format!("{reference}/devices.csv")]);
    let ingested = data.json(&["ingest", "--profile", "job", "--account", "yardstick", &format!("{input}/cdr")]);
    for (ours, theirs) in [("rows_in", "rows_in"), ("rated", "rated"), ("duplicates", "duplicates")] {
        assert_eq!(ingested[ours], job[theirs], "{ours}");
    }
    for reason in ["no_device", "no_zone", "no_price"] {
        assert_eq!(ingested["suspense"][reason].as_u64().unwrap_or(0), job[reason].as_u64().unwrap_or(0), "{reason}");
    }
    let malformed = |counts: &serde_json::Value, start: &str| -> u64 {
        let counts = counts.as_object().expect("counts by reason");
        counts.iter().filter(|(reason, _)| reason.starts_with(start)).filter_map(|(_, rows)| rows.as_u64()).sum()
    };
    assert_eq!(malformed(&ingested["suspense"], "malformed."), malformed(&job["malformed"], "bad_"));
    let data_folder = data.path().to_string_lossy();
    let said = readers::python("tests/readers/job_equals_cdr.py", &[&*out, &*data_folder]);
    println!("{}", said.trim_end());
    data.assert_sound();
}
