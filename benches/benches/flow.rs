//! `cargo bench -p benches --bench flow`: files landed, split, rated and committed, with every fsync.

fn main() -> anyhow::Result<()> {
    benches::run(benches::flow::bench)
}
