//! Java trusts what the system trusts: certificates that stand only in the system's bundle, as behind a company's proxy, in a
//! trust store of our own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::workspace::{self, Workspace};

/// The system's certificates in one file, where nothing else is named (Debian).
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What Java trusts by itself on Debian, made of the single files beside the bundle.
const JAVA_STORE: &str = "/etc/ssl/certs/java/cacerts";

/// The password of Java's own trust stores; it guards nothing, they hold public certificates.
const PASSWORD: &str = "changeit";

/// More of them than this are no proxy's, and each takes Java half a second.
const CERTIFICATES_MAX: usize = 32;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Options for a Java program that speaks TLS; none where Java's own trust store knows all that the system's bundle knows.
pub fn java_options(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let bundle = std::env::var_os("SSL_CERT_FILE").map_or_else(|| PathBuf::from(BUNDLE), PathBuf::from);
    let Ok(bundle) = fs::read_to_string(&bundle) else { return Ok(Vec::new()) };
    let known = single_files(Path::new(BUNDLE).parent().unwrap_or(Path::new("/")));
    let missing: Vec<String> = certificates(&bundle).filter(|c| !known.contains(c)).collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    if missing.len() > CERTIFICATES_MAX {
        bail!("{} certificates of the system are unknown to Java: run `update-ca-certificates`", missing.len());
    }
    let store = store_with(&missing, &workspace.cache)?;
    Ok(vec![format!("-Djavax.net.ssl.trustStore={}", store.display()), format!("-Djavax.net.ssl.trustStorePassword={PASSWORD}")])
}

/// The certificates of a text in PEM, each as one line of base64.
fn certificates(pem: &str) -> impl Iterator<Item = String> {
    pem.split(BEGIN).skip(1).filter_map(|rest| Some(rest.split_once(END)?.0.split_whitespace().collect()))
}

/// The certificates that Java's store was made of: those with a file of their own.
fn single_files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = entries.filter(|path| path.extension().is_some_and(|e| e == "pem"));
    files.filter_map(|path| fs::read_to_string(path).ok()).flat_map(|pem| certificates(&pem).collect::<Vec<_>>()).collect()
}

/// A copy of Java's trust store that knows these certificates, too.
fn store_with(certificates: &[String], cache: &Path) -> anyhow::Result<PathBuf> {
    let folder = cache.join("trust");
    super::daemon::clear(&folder)?;
    fs::create_dir_all(&folder).with_context(|| format!("failed to make `{}`", folder.display()))?;
    let store = folder.join("cacerts");
    if Path::new(JAVA_STORE).exists() {
        fs::copy(JAVA_STORE, &store).with_context(|| format!("failed to copy `{JAVA_STORE}`"))?;
    }
    for (i, certificate) in certificates.iter().enumerate() {
        let file = folder.join(format!("{i}.pem"));
        fs::write(&file, format!("{BEGIN}\n{certificate}\n{END}\n"))
            .with_context(|| format!("failed to write `{}`", file.display()))?;
        let mut import = Command::new("keytool");
        import.args(["-importcert", "-noprompt", "-storepass", PASSWORD, "-alias", &format!("system-{i}"), "-keystore"]);
        workspace::output(import.arg(&store).arg("-file").arg(&file))?;
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_the_same_however_its_lines_are_cut() {
        let wide = format!("# a comment\n{BEGIN}\nAAAABBBB\nCC==\n{END}\n");
        let narrow = format!("{BEGIN}\r\nAAAA\r\nBBBB\r\nCC==\r\n{END}\r\n{BEGIN}\ncut off");
        assert_eq!(certificates(&wide).collect::<Vec<_>>(), ["AAAABBBBCC=="]);
        assert_eq!(certificates(&narrow).collect::<Vec<_>>(), ["AAAABBBBCC=="]);
    }

    #[test]
    fn a_certificate_with_a_file_of_its_own_is_known() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.pem"), format!("{BEGIN}\nAAAA\n{END}\n")).unwrap();
        fs::write(folder.path().join("bundle.crt"), format!("{BEGIN}\nBBBB\n{END}\n")).unwrap();
        assert_eq!(single_files(folder.path()), BTreeSet::from(["AAAA".to_owned()]));
    }
}
