//! `cargo bench -p benches --bench parse`: bytes to typed columns, per shipped layout, on one core.

fn main() -> anyhow::Result<()> {
    benches::run(benches::parse::bench)
}
