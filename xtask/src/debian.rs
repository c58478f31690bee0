//! Programs that tests need and the machine lacks: installed with apt-get where we may, else named.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::workspace;

/// Makes sure that something works: installs these packages when it does not, and says so. `what` is its name for people.
pub fn ensure(what: &str, packages: &[&str], works: impl Fn() -> bool) -> anyhow::Result<()> {
    if works() {
        return Ok(());
    }
    let install = packages.join(" ");
    if !is_root() || !Path::new("/etc/debian_version").exists() {
        bail!("{what} is missing: on Debian `apt-get install {install}` as root");
    }
    println!("{what} is missing: installing {install} with apt-get");
    let apt = |words: &[&str]| workspace::run(Command::new("apt-get").args(words).env("DEBIAN_FRONTEND", "noninteractive"));
    apt(&["update", "-qq"])?;
    apt(&[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat())?;
    if !works() {
        bail!("{install} is installed, but {what} does not work: try it by hand");
    }
    Ok(())
}

/// Whether this command runs as root.
pub fn is_root() -> bool {
    workspace::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_works_is_left_alone() {
        ensure("nothing", &["no-such-package"], || true).unwrap();
    }
}
