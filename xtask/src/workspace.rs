//! Where the checkout, its build folder and its cache lie, and how cargo is called in it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The checkout that this command was built from.
pub struct Workspace {
    /// Folder of the virtual manifest.
    pub root: PathBuf,
    /// Tools and virtual environments that outlive a clean build.
    pub cache: PathBuf,
    cargo: String,
}

impl Workspace {
    /// Finds the checkout from the manifest folder that cargo names, and the cache from the environment.
    pub fn find() -> anyhow::Result<Self> {
        let manifest_dir = env::var("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is not set: run as `cargo xtask`")?;
        let root = Path::new(&manifest_dir).parent().context("the manifest folder has no parent")?.to_owned();
        let in_home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache").join("tollway"));
        let named = env::var_os("TOLLWAY_CACHE").map(|folder| root.join(folder));
        let cache = named.or_else(in_home).context("HOME is not set: name a folder in TOLLWAY_CACHE")?;
        let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        Ok(Self { root, cache, cargo })
    }

    /// A cargo command in the checkout's root, as if it was typed there: what cargo says of the package `xtask` to this process
    /// would let libraries that look at it be built anew, and all that stands on them.
    pub fn cargo(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.cargo);
        command.args(words).current_dir(&self.root);
        for (name, _) in env::vars_os().filter(|(name, _)| is_of_a_package(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command
    }

    /// Builds every target once, in the one feature set that the tests use too, so that no library is built twice.
    pub fn build_all(&self) -> anyhow::Result<()> {
        run(&mut self.cargo(&["build", "--workspace", "--all-targets"]))
    }

    /// The debug `tollway` binary that [`Workspace::build_all`] makes.
    pub fn tollway(&self) -> anyhow::Result<PathBuf> {
        Ok(self.target()?.join("debug").join(format!("tollway{}", env::consts::EXE_SUFFIX)))
    }

    fn target(&self) -> anyhow::Result<PathBuf> {
        let text = output(&mut self.cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Metadata = serde_json::from_str(&text).context("failed to read the output of cargo metadata")?;
        Ok(metadata.target_directory)
    }
}

/// Whether a variable of the environment is what cargo tells a program of its package.
fn is_of_a_package(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

#[derive(serde::Deserialize)]
struct Metadata {
    target_directory: PathBuf,
}

/// The command as one that gives way to others where both want a core.
pub fn nice(command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.args(["-n", "10"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        nice.current_dir(folder);
    }
    nice
}

/// Runs a command with this terminal; anything but success is an error that names the command.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    println!("$ {}", spelled(command));
    let status = command.status().with_context(|| format!("failed to start `{}`", spelled(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", spelled(command));
    }
    Ok(())
}

/// Runs a command and returns what it printed; anything but success is an error with its last words.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("failed to start `{}`", spelled(command)))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}: {}", spelled(command), output.status, words.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no UTF-8", spelled(command)))
}

/// Whether a command runs and succeeds; nothing is printed.
pub fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// The command as one would type it: program by its file name, then the arguments.
pub fn spelled(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(program.to_string_lossy().into_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
