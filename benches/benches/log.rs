//! `cargo bench -p benches --bench log`: records appended to the embedded log and read back.

fn main() -> anyhow::Result<()> {
    benches::run(benches::log::bench)
}
