//! From what an operator names to the files in it.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::LandError;

/// How much one command may name.
#[derive(Debug, Clone, Copy)]
pub struct PathLimits {
    /// Files together.
    pub files_max: usize,
    /// Folders inside folders.
    pub depth_max: u32,
}

impl Default for PathLimits {
    fn default() -> Self {
        Self { files_max: 1_000_000, depth_max: 32 }
    }
}

/// The files of paths, in the order of the paths; a folder gives the files in and below it, sorted by name, without dot files
/// and dot folders (which sources use for what they are still writing). Linked files are taken, linked folders are not.
pub fn collect_paths(paths: &[PathBuf], limits: PathLimits) -> Result<Vec<PathBuf>, LandError> {
    let mut files = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => visit(path, limits, 0, &mut files)?,
            Ok(_) => push(path.clone(), limits, &mut files)?,
            Err(e) if e.kind() == ErrorKind::NotFound => return Err(LandError::NoSuchPath(path.clone())),
            Err(source) => return Err(LandError::Unreadable { path: path.clone(), source }),
        }
    }
    Ok(files)
}

fn visit(folder: &Path, limits: PathLimits, depth: u32, files: &mut Vec<PathBuf>) -> Result<(), LandError> {
    if depth > limits.depth_max {
        let what = format!("folders more than {} deep", limits.depth_max);
        return Err(LandError::TooMany { path: folder.to_owned(), what });
    }
    let unreadable = |source| LandError::Unreadable { path: folder.to_owned(), source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !is_dot(&entry.file_name()) {
            entries.push((entry.file_name(), entry.file_type().map_err(unreadable)?));
        }
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, kind) in entries {
        let path = folder.join(name);
        if kind.is_dir() {
            visit(&path, limits, depth + 1, files)?;
        } else if kind.is_file() || (kind.is_symlink() && path.is_file()) {
            push(path, limits, files)?;
        }
    }
    Ok(())
}

fn is_dot(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

fn push(path: PathBuf, limits: PathLimits, files: &mut Vec<PathBuf>) -> Result<(), LandError> {
    if files.len() >= limits.files_max {
        return Err(LandError::TooMany { path, what: format!("more than {} files", limits.files_max) });
    }
    files.push(path);
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn touch(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
            fs::write(path, b"").expect("a file");
        }
    }

    fn collected(root: &Path, paths: &[&str], limits: PathLimits) -> Result<Vec<String>, LandError> {
        let paths: Vec<PathBuf> = paths.iter().map(|p| root.join(p)).collect();
        let text = |p: PathBuf| p.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
        collect_paths(&paths, limits).map(|found| found.into_iter().map(text).collect())
    }

    #[test]
    fn folders_give_their_files_sorted_without_dot_files() {
        let root = TempDir::new().expect("a folder");
        touch(root.path(), &["in/b.csv", "in/a/2.csv", "in/a/1.csv", "in/.b.csv.part", "in/.git/x", "z.csv", ".named.csv"]);
        fs::create_dir(root.path().join("empty")).expect("a folder");
        std::os::unix::fs::symlink(root.path().join("z.csv"), root.path().join("in/linked.csv")).expect("a link");
        std::os::unix::fs::symlink(root.path().join("in"), root.path().join("in/loop")).expect("a link");
        let found = collected(root.path(), &["z.csv", "empty", "in", ".named.csv"], PathLimits::default()).expect("files");
        assert_eq!(found, ["z.csv", "in/a/1.csv", "in/a/2.csv", "in/b.csv", "in/linked.csv", ".named.csv"]);
    }

    #[test]
    fn absent_paths_and_too_much_are_named() {
        let root = TempDir::new().expect("a folder");
        touch(root.path(), &["in/a/b/1.csv", "in/a/2.csv"]);
        let absent = collected(root.path(), &["in", "nowhere"], PathLimits::default());
        assert!(matches!(absent, Err(LandError::NoSuchPath(path)) if path.ends_with("nowhere")));
        let few = PathLimits { files_max: 1, ..PathLimits::default() };
        assert!(matches!(collected(root.path(), &["in"], few), Err(LandError::TooMany { .. })));
        let shallow = PathLimits { depth_max: 1, ..PathLimits::default() };
        let refused = collected(root.path(), &["in"], shallow);
        assert!(matches!(refused, Err(LandError::TooMany { path, .. }) if path.ends_with("in/a/b")));
    }
}
