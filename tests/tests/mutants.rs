//! Planted bugs: each patch under `tests/faults/mutants/` is applied to a copy of the tree, built, and must be caught by the
//! simulator. That the tree without them passes is the simulator's own test.
//!
//! The copy stays in the cache (`TOLLWAY_CACHE`) and is built in the build folder of the checkout, whose dependencies it finds
//! there. Its crates have a version of their own: so neither tree takes what the other has built for its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Seeds with a bug: far more than it takes to catch one.
const SEEDS: &str = "60";

/// The version of the crates of the checkout, and of those of the copy.
const VERSIONS: [&str; 2] = ["version = \"0.1.0\"\n", "version = \"0.1.0-planted\"\n"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn cache() -> PathBuf {
    let set = std::env::var_os("TOLLWAY_CACHE").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/tollway"));
    set.or_else(home).expect("TOLLWAY_CACHE or HOME is set").join("mutants")
}

/// The build folder of the checkout: this program lies in its `debug/deps`.
fn build_folder() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows where it lies");
    program.ancestors().nth(3).expect("a test lies in `debug/deps` of the build folder").to_owned()
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|e| panic!("failed to run {command:?}: {e}"))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Makes the copy equal to the checkout: what differs is written, what is gone is removed, the rest keeps its time and so
/// its build.
fn copy_tree(to: &Path) {
    let listed = output(
        Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(repository()),
    );
    assert!(listed.status.success(), "the copy is made of what git knows: {}", text(&listed));
    let names = String::from_utf8(listed.stdout).expect("names in the repository are UTF-8");
    let mut kept: Vec<PathBuf> = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        // A file that is listed and gone was removed and not committed yet.
        let Ok(bytes) = fs::read(repository().join(name)) else { continue };
        let bytes = with_own_version(name, bytes);
        let path = to.join(name);
        kept.push(path.clone());
        if fs::read(&path).ok().as_ref() != Some(&bytes) {
            fs::create_dir_all(path.parent().expect("below the copy")).expect("a folder of the copy");
            fs::write(&path, bytes).expect("a file of the copy");
        }
    }
    kept.sort();
    remove_others(to, &kept);
}

/// The manifest of the workspace with the version of the copy.
fn with_own_version(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    if name != "Cargo.toml" {
        return bytes;
    }
    let text = String::from_utf8(bytes).expect("TOML is UTF-8");
    let [ours, own] = VERSIONS;
    assert!(text.contains(ours), "the workspace has another version: name it in VERSIONS");
    text.replacen(ours, own, 1).into_bytes()
}

fn remove_others(folder: &Path, kept: &[PathBuf]) {
    for entry in fs::read_dir(folder).expect("a folder of the copy") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            remove_others(&path, kept);
        } else if kept.binary_search(&path).is_err() {
            fs::remove_file(&path).expect("a file that the checkout has no more");
        }
    }
}

/// Runs the simulator in the copy; true if all seeds held, and what it said.
fn simulate(tree: &Path) -> (bool, String) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // All crates, as the checkout was built: what is chosen decides about the features of dependencies.
    // Not `--locked`: the copy's version is not the one that the lock file has; all others it keeps.
    let arguments = ["test", "--offline", "--workspace", "--test", "simulator", "--", "every_row", "--nocapture"];
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(tree);
    command.env("CARGO_TARGET_DIR", build_folder()).env("TOLLWAY_SIM_SEEDS", SEEDS).env("RUST_BACKTRACE", "0");
    // What cargo says of this package would let libraries that look at it be built anew, and all that stands on them.
    let of_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| of_package(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    // A patch changes a few lines: what is compiled for it again should be little, and nobody debugs it.
    command.env("CARGO_INCREMENTAL", "1").env("CARGO_PROFILE_DEV_DEBUG", "0");
    let ended = output(&mut command);
    let said = text(&ended);
    assert!(said.contains("test result:"), "the simulator was not built or did not come to its end:\n{said}");
    (ended.status.success(), said)
}

fn apply(patch: &Path, tree: &Path) {
    let above = tree.parent().expect("the copy lies in the cache");
    // The copy is no repository, and one that happens to lie around the cache must not be taken for it.
    let applied = output(Command::new("git").arg("apply").arg(patch).current_dir(tree).env("GIT_CEILING_DIRECTORIES", above));
    assert!(
        applied.status.success(),
        "{} does not apply any more: plant the same bug by hand, `git diff` it over the patch (keep its first lines), \
         and take the change back\n{}",
        patch.display(),
        text(&applied)
    );
}

/// The invariant that a patch says it breaks, `INV-4`.
fn expected(patch: &Path) -> String {
    let text = fs::read_to_string(patch).expect("a readable patch");
    let line = text.lines().find_map(|line| line.strip_prefix("expect: "));
    line.unwrap_or_else(|| panic!("{} has no line `expect: INV-n` before the diff", patch.display())).to_owned()
}

#[test]
fn the_simulator_catches_every_planted_bug() {
    let folder = fs::canonicalize(repository().join("tests/faults/mutants")).expect("the patches are in the repository");
    let mut patches: Vec<PathBuf> =
        fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path()).collect();
    patches.sort();
    patches.retain(|path| path.extension().is_some_and(|e| e == "patch"));
    assert!(patches.len() >= 3, "patches are missing: {patches:?}");
    let tree = cache().join("tree");
    fs::create_dir_all(&tree).expect("the cache can be written");
    // Another run with the same cache has to wait: they share the copy.
    let lock = File::create(cache().join("lock")).expect("the cache can be written");
    lock.lock().expect("a lock on a local file");
    for patch in &patches {
        copy_tree(&tree);
        apply(patch, &tree);
        let (holds, said) = simulate(&tree);
        let name = patch.file_stem().expect("a patch has a name").to_string_lossy();
        let caught: Vec<&str> = said.lines().filter(|line| line.contains(" breaks: ")).collect();
        assert!(!holds && !caught.is_empty(), "{name} was not caught in {SEEDS} seeds:\n{said}");
        let invariant = expected(patch);
        let right = caught.iter().find(|line| line.contains(&invariant));
        println!("{name} is caught: {}", right.unwrap_or_else(|| panic!("{name} does not break {invariant}: {caught:#?}")));
    }
    copy_tree(&tree);
}
