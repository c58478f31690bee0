//! `cargo bench -p benches --bench commit`: groups committed with every fsync, large ones and small ones.

fn main() -> anyhow::Result<()> {
    benches::run(benches::commit::bench)
}
