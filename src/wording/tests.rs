//! Every language is complete, and writes amounts and plurals as people there do.

use std::collections::BTreeSet;

use fluent_bundle::FluentResource;

use super::*;

/// The keys of a file with the variables that each mentions, read from its text alone.
fn keys_of(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) = line.split_once('=').filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase())) {
            current = key.trim().to_owned();
            assert!(keys.insert(current.clone(), BTreeSet::new()).is_none(), "{current} stands twice");
        }
        for piece in line.split('$').skip(1) {
            let name: String = piece.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            if let Some(variables) = keys.get_mut(&current) {
                variables.insert(name);
            }
        }
    }
    keys
}

#[test]
fn every_language_has_every_key_and_variable_and_no_other() {
    let wanted: BTreeMap<String, BTreeSet<String>> = KEYS
        .iter()
        .chain(VALUE_KEYS)
        .map(|(key, names)| ((*key).to_owned(), names.iter().map(|n| (*n).to_owned()).collect()))
        .collect();
    let mut languages = 0;
    for folder in LOCALES.dirs() {
        let tag = folder.path().display();
        let source = folder.get_file(folder.path().join(FILE)).unwrap().contents_utf8().unwrap();
        assert!(FluentResource::try_new(source.to_owned()).is_ok(), "{tag} does not parse");
        let have = keys_of(source);
        for (key, names) in &wanted {
            assert_eq!(have.get(key), Some(names), "{tag}: {key}");
        }
        for key in have.keys() {
            assert!(wanted.contains_key(key), "{tag}: nothing says {key}");
        }
        languages += 1;
    }
    assert_eq!(languages, 6, "English, Afrikaans, Norwegian, Russian, Indonesian, Romanian");
}
