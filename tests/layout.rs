//! The rings hold: who may know whom, read from the sources themselves.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Modules by ring, in the order in which they may know each other within ring 1 (each those before it).
const RINGS: [&[&str]; 5] = [
    &["id", "language", "moment", "money", "secret"],
    &["calendar", "catalog", "cart", "customer", "desk", "faq", "order", "quote"],
    &["conversation", "understanding", "wording"],
    &["channel", "failpoint", "store"],
    &["app", "console", "work"],
];

/// Libraries and where alone they may be named.
const HOMES: [(&str, &[&str]); 15] = [
    ("fail", &["failpoint"]),
    ("rusqlite", &["store"]),
    ("sqlx", &["store"]),
    ("teloxide_core", &["channel/telegram"]),
    ("opentelemetry", &["app", "work"]),
    ("reqwest", &["app/log", "channel"]),
    ("axum", &["app", "console"]),
    ("maud", &["app", "console"]),
    ("hyper", &["app"]),
    ("http_body", &["channel"]),
    ("tokio", &["app", "channel", "console", "store", "work"]),
    ("rand", &["app", "channel", "console", "work"]),
    ("fluent_bundle", &["wording"]),
    ("prometheus_client", &["work"]),
    ("rustix", &["app"]),
];

/// What the inner rings never touch: clocks, chance, files, the network.
const OUTSIDE: [&str; 9] = [
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
];

fn sources(folder: &Path, into: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.insert(path.clone(), fs::read_to_string(&path).unwrap());
        }
    }
}

fn all() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    sources(&root, &mut found);
    let name = |path: PathBuf| path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
    found
        .into_iter()
        .map(|(path, text)| (name(path), text))
        .filter(|(name, _)| name != "lib.rs" && name != "main.rs")
        .collect()
}

fn module(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

fn ring(module: &str) -> Option<usize> {
    RINGS.iter().position(|ring| ring.contains(&module))
}

/// Code alone: comments and tests may name what they like.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Top-level modules of this crate that a file names, one-line and nested imports alike.
fn known(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for piece in code.split("crate::").skip(1) {
        if let Some(list) = piece.strip_prefix('{') {
            let (mut depth, mut word) = (0, String::new());
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => names.push(std::mem::take(&mut word)),
                    c => {
                        if depth == 0 {
                            word.push(c);
                        }
                    }
                }
            }
            names.push(word);
        } else {
            names.push(piece.to_owned());
        }
    }
    let head = |name: String| name.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
    names.into_iter().map(head).filter(|name: &String| !name.is_empty()).collect()
}

#[test]
fn every_module_has_its_ring() {
    for file in all().keys() {
        assert!(ring(module(file)).is_some(), "src/{file}: give the module a ring here and in ARCHITECTURE.md");
    }
}

#[test]
fn nobody_knows_an_outer_ring() {
    for (file, text) in all() {
        let (own, ring_of_own) = (module(&file), ring(module(&file)).unwrap());
        for name in known(&code(&text)) {
            let Some(other) = ring(&name) else { continue };
            assert!(other <= ring_of_own, "src/{file} knows {name}, which lies further out");
            if name == own || other < ring_of_own {
                continue;
            }
            match ring_of_own {
                0 => panic!("src/{file}: ring 0 knows only std, not {name}"),
                1 => {
                    let place = |m: &str| RINGS[1].iter().position(|n| *n == m).unwrap();
                    assert!(place(&name) < place(own), "src/{file} knows {name}, which stands to its right");
                }
                // The store keeps what channels bring; channels never know the store. Any edge may end at a failpoint.
                3 => assert!(
                    name == "failpoint" || own == "store" && name == "channel",
                    "src/{file}: an edge knows another edge, {name}"
                ),
                // The command line knows the pages, both know the work, and never the other way.
                4 => {
                    let order = ["work", "console", "app"];
                    let place = |m: &str| order.iter().position(|n| *n == m).unwrap();
                    assert!(place(&name) < place(own), "src/{file} knows {name}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn libraries_stay_at_home() {
    for (file, text) in all() {
        let code = code(&text);
        for (library, homes) in HOMES {
            let named = code.contains(&format!("{library}::")) || code.contains(&format!("use {library}"));
            let at_home =
                homes.iter().any(|home| file.starts_with(&format!("{home}/")) || file == format!("{home}.rs"));
            assert!(!named || at_home, "src/{file} names {library}, whose home is {homes:?}");
        }
    }
}

#[test]
fn the_inner_rings_touch_nothing() {
    for (file, text) in all() {
        if ring(module(&file)).unwrap() > 2 {
            continue;
        }
        for thing in OUTSIDE {
            assert!(!code(&text).contains(thing), "src/{file} touches {thing}");
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (file, text) in all() {
        assert!(text.starts_with("//!"), "src/{file} opens without a word on what it is");
        assert!(!text.contains("unsafe "), "src/{file} is unsafe");
    }
}
