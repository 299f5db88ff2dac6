//! Wishes to get no more offers, in every language: `tests/corpus/<tag>/optout.jsonl`. To miss one is to write on to
//! somebody who said stop; to hear one where there is none is to fall silent to a customer who orders.

use std::{collections::HashMap, fs, path::Path};

use theusual::{
    cart::{Cart, Line},
    catalog,
    understanding::{Engine, Expecting, Intent, Lexicons, Utterance},
};

#[derive(serde::Deserialize)]
struct Said {
    id: String,
    catalog: String,
    text: String,
    intent: Intent,
    #[serde(default)]
    cart: Vec<Line>,
    expecting: Option<Expecting>,
}

#[test]
fn nobody_who_says_stop_is_written_to_again() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lexicons = Lexicons::embedded().unwrap();
    let (mut missed, mut false_alarms) = (Vec::new(), Vec::new());
    for folder in fs::read_dir(root.join("tests/corpus")).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(lines) = fs::read_to_string(folder.join("optout.jsonl")) else { continue };
        let mut engines = HashMap::new();
        for said in lines.lines().map(|line| serde_json::from_str::<Said>(line).unwrap()) {
            let engine = engines.entry(said.catalog.clone()).or_insert_with(|| {
                let own = folder.join(format!("{}.json", said.catalog));
                let sample = root.join(format!("config/samples/{}/catalog.json", said.catalog));
                let file = fs::read_to_string(if own.exists() { own } else { sample }).unwrap();
                Engine::compile(&catalog::read::read(&file).unwrap().0, &lexicons)
            });
            let reading = engine.read(&Utterance {
                text: &said.text,
                language: None,
                prior: None,
                cart: &Cart { lines: said.cart },
                usual: &Cart::default(),
                expecting: said.expecting,
            });
            let told =
                format!("{} {:?}, which is {:?}, was read as {:?}", said.id, said.text, said.intent, reading.intent);
            match (said.intent == Intent::StopOffers, reading.intent == Intent::StopOffers) {
                (true, false) => missed.push(told),
                (false, true) => false_alarms.push(told),
                _ => {}
            }
        }
    }
    assert!(missed.is_empty(), "missed:\n{}", missed.join("\n"));
    assert!(false_alarms.is_empty(), "false alarms:\n{}", false_alarms.join("\n"));
}
