//! Trains the model by which the program tells what a message is for, from the examples of every language, so that a
//! language is added as a folder and nothing is trained when the program starts.

use std::{env, fs, path::Path};

#[path = "build/intents.rs"]
mod intents;

/// The part of the program that cuts messages into features.
#[path = "src/understanding"]
#[allow(dead_code, reason = "the program uses more of it")]
mod understanding {
    pub mod features;
    pub mod text;
}

const LOCALES: &str = "config/locales";

fn main() {
    println!("cargo::rerun-if-changed={LOCALES}");
    let mut folders: Vec<_> = fs::read_dir(LOCALES).expect(LOCALES).map(|entry| entry.expect(LOCALES).path()).collect();
    folders.sort();
    let mut examples = Vec::new();
    for file in folders.iter().map(|folder| folder.join("intents.txt")).filter(|file| file.exists()) {
        println!("cargo::rerun-if-changed={}", file.display());
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        examples.extend(intents::read(&text));
    }
    let model = intents::train(&examples);
    let out = env::var("OUT_DIR").expect("cargo names the folder for what a build makes");
    fs::write(Path::new(&out).join("intents.rs"), model.source()).expect("intents.rs is written");
    fs::write(Path::new(&out).join("intents.bin"), model.weights()).expect("intents.bin is written");
}
