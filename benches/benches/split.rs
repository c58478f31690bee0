//! `cargo bench -p benches --bench split`: files checked as a whole and cut, per shipped layout, on one core.

fn main() -> anyhow::Result<()> {
    benches::run(benches::split::bench)
}
