//! `cargo bench -p benches --bench encode`: rated rows to columns and to Parquet, on all cores.

fn main() -> anyhow::Result<()> {
    benches::run(benches::encode::bench)
}
