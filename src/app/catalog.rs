//! Catalogue files on disk: [`load`] for those that the program serves from, [`check`] for `usual catalog check PATH`.
//! What is wrong with a file is said as compilers say it, `path:line:column: error: …`, so that editors find the place.

use std::{fs::File, io::Read, io::Write, path::Path};

use anyhow::Context;

use crate::{
    catalog::{
        Catalog,
        read::{self, Finding, LARGEST_FILE, read},
    },
    faq::{self, Faq},
};

/// Reads a catalogue file. The error is a text for people: one line for each finding, or why the file cannot be read.
pub fn load(path: &Path) -> Result<Catalog, String> {
    match read(&text_of(path)?) {
        Ok((catalog, _)) => Ok(catalog),
        Err(findings) => Err(lines(path, &findings).join("\n")),
    }
}

/// Prints what there is to say about a catalogue file, and whether it can be used: `false` is exit code 1. The error is
/// that of `out`.
pub fn check(path: &Path, out: &mut impl Write) -> anyhow::Result<bool> {
    let (said, good) = match text_of(path).map(|text| read(&text)) {
        Ok(Ok((catalog, warnings))) => {
            let mut said = lines(path, &warnings);
            said.push(summary(path, &catalog));
            (said, true)
        }
        Ok(Err(findings)) => (lines(path, &findings), false),
        Err(unreadable) => (vec![unreadable], false),
    };
    for line in said {
        writeln!(out, "{line}").context("cannot write what was found")?;
    }
    Ok(good)
}

/// Reads a FAQ file. The error is a text for people: one line for each finding, or why the file cannot be read.
pub fn load_faq(path: &Path) -> Result<Faq, String> {
    faq::read(&text_of(path)?).map_err(|findings| {
        findings.iter().map(|finding| format!("{}:{finding}", path.display())).collect::<Vec<_>>().join("\n")
    })
}

/// The text of a file, or why there is none.
pub fn text_of(path: &Path) -> Result<String, String> {
    let at = |fault: &dyn std::fmt::Display| format!("{}: error: {fault}", path.display());
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => at(&"there is no such file"),
        std::io::ErrorKind::PermissionDenied => at(&"this file may not be read; look at its permissions"),
        _ => at(&format!("cannot be read: {error}")),
    };
    // Before it is opened: opening a pipe would wait for somebody to write to it.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        return Err(at(&"this is a folder; name the catalog.json in it"));
    }
    if !metadata.is_file() {
        return Err(at(&"this is not a file"));
    }
    let file = File::open(path).map_err(failed)?;
    // One byte more than `read` takes, so that a file that is too large, or grows, is refused there.
    let most = u64::try_from(LARGEST_FILE).unwrap_or(u64::MAX).saturating_add(4);
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(failed)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + good.iter().filter(|&&b| b == b'\n').count();
            Err(at(&format!("line {line} is not UTF-8; save the file with the encoding UTF-8")))
        }
    }
}

fn lines(path: &Path, findings: &[Finding]) -> Vec<String> {
    let mut lines: Vec<String> = findings.iter().map(|finding| format!("{}:{finding}", path.display())).collect();
    let errors = findings.iter().filter(|finding| finding.severity == read::Severity::Error).count();
    if errors >= read::MOST_FINDINGS {
        lines.push(format!("{}: error: only the first {errors} errors are listed", path.display()));
    }
    lines
}

fn summary(path: &Path, catalog: &Catalog) -> String {
    let options: usize = catalog.groups.iter().map(|group| group.choices.len()).sum();
    format!(
        "{}: {}, {}, {}: fine",
        path.display(),
        counted(catalog.products.len(), "product"),
        counted(options, "option"),
        counted(catalog.languages.len(), "language"),
    )
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: &str = r#"{"merchant": "M", "currency": "EUR", "products": [
        {"id": "a", "category": "c", "names": {"en": ["A"], "nb": ["A"]}, "price": "1", "colour": "red"}]}"#;

    /// What is printed about a file with these bytes, its path left out, and whether it is good.
    fn checked(bytes: &[u8]) -> (Vec<String>, bool) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        printed(file.path())
    }

    fn printed(path: &Path) -> (Vec<String>, bool) {
        let mut out = Vec::new();
        let good = check(path, &mut out).unwrap();
        let prefix = path.display().to_string();
        let out = String::from_utf8(out).unwrap();
        (out.lines().map(|line| line.strip_prefix(&prefix).unwrap().to_owned()).collect(), good)
    }

    #[test]
    fn a_good_file_is_summed_up() {
        let (lines, good) = checked(FINE.as_bytes());
        assert!(good);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with(":2:89: warning: product \"a\" has the key \"colour\""), "{}", lines[0]);
        assert_eq!(lines[1], ": 1 product, 0 options, 2 languages: fine");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), FINE).unwrap();
        assert_eq!(load(file.path()).unwrap().products.len(), 1);
    }

    #[test]
    fn a_bad_file_is_refused() {
        let (lines, good) = checked(FINE.replace("\"1\"", "1").as_bytes());
        assert!(!good && lines.len() == 2, "{lines:?}");
        assert!(lines[0].starts_with(":2:84: error: product \"a\": \"price\" must be"), "{}", lines[0]);
        assert_eq!(
            checked(b"{\n\"\xff\""),
            (vec![": error: line 2 is not UTF-8; save the file with the encoding UTF-8".into()], false)
        );
        let (lines, _) = checked(format!("[{}", "[],".repeat(10)).as_bytes());
        assert!(lines[0].starts_with(":1:"), "{}", lines[0]);
        let products = "{},".repeat(200);
        let (lines, _) =
            checked(format!(r#"{{"merchant": "M", "currency": "EUR", "products": [{products}{{}}]}}"#).as_bytes());
        assert_eq!(lines.last().unwrap(), ": error: only the first 100 errors are listed");
    }

    #[test]
    fn what_is_no_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            printed(folder.path()),
            (vec![": error: this is a folder; name the catalog.json in it".into()], false)
        );
        let missing = folder.path().join("catalog.json");
        assert_eq!(printed(&missing), (vec![": error: there is no such file".into()], false));
        assert_eq!(load(&missing).unwrap_err(), format!("{}: error: there is no such file", missing.display()));
        #[cfg(unix)]
        assert_eq!(printed(Path::new("/dev/null")), (vec![": error: this is not a file".into()], false));
    }
}
