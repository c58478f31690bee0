//! `cargo bench -p benches --bench rate`: link and price, per layout, on one core.

fn main() -> anyhow::Result<()> {
    benches::run(benches::rate::bench)
}
