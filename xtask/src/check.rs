//! `cargo xtask check`: every stage that a change must pass, in the order in which a mistake is cheapest to find.

use crate::stage::Stages;
use crate::workspace::{self, Workspace};
use crate::{codegen, deny, test, tidy};

/// Runs all stages; the first that fails ends the run.
pub fn everything(workspace: &Workspace) -> anyhow::Result<()> {
    let mut stages = Stages::default();
    stages.run("fmt", || fmt(workspace))?;
    stages.run("clippy", || clippy(workspace))?;
    stages.run("tidy", || tidy::run(workspace))?;
    stages.run("deny", || deny::run(workspace, deny::WhenMissing::Skip))?;
    stages.run("build", || workspace.build_all())?;
    stages.run("codegen", || codegen::run(workspace, codegen::Mode::Compare))?;
    let totals = stages.run("test", || test::stages(workspace))?;
    println!("stages: {}", stages.summary());
    println!("{totals}");
    Ok(())
}

/// The format of rustfmt.toml.
pub fn fmt(workspace: &Workspace) -> anyhow::Result<()> {
    workspace::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))
}

/// The lints of Cargo.toml and clippy.toml.
pub fn clippy(workspace: &Workspace) -> anyhow::Result<()> {
    workspace::run(&mut workspace.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}
