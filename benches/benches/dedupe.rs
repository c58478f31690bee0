//! `cargo bench -p benches --bench dedupe`: rows held against the known keys, per key mode, on one core.

fn main() -> anyhow::Result<()> {
    benches::run(benches::dedupe::bench)
}
