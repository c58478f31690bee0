//! `cargo bench -p benches --bench plans`: link, price and settle by what a plan hangs on, on one core; and what that holds in memory.

fn main() -> anyhow::Result<()> {
    benches::run(benches::plans::bench)
}
