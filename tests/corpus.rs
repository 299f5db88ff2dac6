//! How well messages are understood: what people write to shops in six languages, with what each means, read by the
//! engine as `usual understand` reads them. `tests/corpus/<language>/` holds `messages.jsonl` (orders, changes of a cart
//! and other intents on the sample shops and on `shop_a.json`), `further.jsonl` and `blind.jsonl` (on `shop_b.json`) and
//! `other.jsonl` (on `shop_c.json`), `fresh.jsonl` (on `shop_d.json`) and `newer.jsonl` (on `shop_e.json`), kinds of shops that nobody had in mind when the lexicons were written, and
//! `optout.jsonl` (wishes for no more offers, and what looks like them). A line is `usual understand`'s with the name of
//! its catalogue, and with the cart, the intent and the unmatched words that are right. Carts count as equal where their
//! lines are, in any order.
//!
//! The floors are what the weakest language reached, rounded down: a change that understands less is to be seen. `blind.jsonl` was never
//! looked at when the engine was changed; its figure is the one to expect from a shop of one's own.
//!
//! Run with `--nocapture` for the figures, with `CORPUS_ERRORS=1` for every line that is read wrongly.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use theusual::{
    cart::{Amount, Cart, Line, Pick},
    catalog,
    language::Language,
    understanding::{Engine, Expecting, Intent, Lexicons, Utterance},
};

/// Least shares, in per cent, of carts and of intents that must be right in a file, in every language.
const FLOORS: [(&str, f64, f64); 7] = [
    ("messages", 95.0, 97.0),
    ("further", 64.0, 90.0),
    ("other", 81.0, 95.0),
    ("fresh", 83.0, 96.0),
    ("newer", 81.0, 96.0),
    ("blind", 57.0, 90.0),
    ("optout", 33.0, 95.0),
];

#[derive(Deserialize)]
struct Message {
    id: String,
    catalog: String,
    text: String,
    #[serde(default)]
    cart: Vec<Line>,
    #[serde(default)]
    usual: Vec<Line>,
    expecting: Option<Expecting>,
    intent: Intent,
    lines: Option<Vec<Line>>,
    #[serde(default)]
    unmatched: Vec<String>,
}

/// How many were right, of how many.
#[derive(Default, Clone, Copy)]
struct Score {
    right: u32,
    of: u32,
}

impl Score {
    fn add(&mut self, right: bool) {
        self.right += u32::from(right);
        self.of += 1;
    }

    fn percent(self) -> f64 {
        100.0 * f64::from(self.right) / f64::from(self.of.max(1))
    }
}

#[derive(Default)]
struct Scores {
    carts: Score,
    intents: Score,
    unmatched: Score,
    languages: Score,
    /// Wishes for no more offers that were not understood.
    missed: Vec<String>,
    /// Messages that were taken for such a wish.
    alarms: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn languages() -> Vec<String> {
    let mut found: Vec<String> =
        fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert!(found.len() >= 6, "the corpus was not found");
    found
}

/// Reads a file of a language.
fn read(language: &str, file: &str) -> Scores {
    let lexicons = Lexicons::embedded().unwrap();
    let folder = root().join(language);
    let tag: Language = language.parse().unwrap();
    let told = std::env::var_os("CORPUS_ERRORS").is_some();
    let mut engines: HashMap<String, Engine> = HashMap::new();
    let mut scores = Scores::default();
    for line in fs::read_to_string(folder.join(file).with_extension("jsonl")).unwrap().lines() {
        let message: Message = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let engine = engines.entry(message.catalog.clone()).or_insert_with(|| {
            let own = folder.join(&message.catalog).with_extension("json");
            let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples").join(&message.catalog);
            let path = if own.exists() { own } else { sample.join("catalog.json") };
            Engine::compile(&catalog::read::read(&fs::read_to_string(path).unwrap()).unwrap().0, &lexicons)
        });
        let (cart, usual) = (Cart { lines: message.cart }, Cart { lines: message.usual });
        let reading = engine.read(&Utterance {
            text: &message.text,
            language: None,
            prior: None,
            cart: &cart,
            usual: &usual,
            expecting: message.expecting,
        });
        let mut faults = Vec::new();
        if let Some(lines) = &message.lines {
            let right = sorted(lines) == sorted(&reading.cart.lines);
            scores.carts.add(right);
            if !right {
                faults.push(format!("{:?}, not {:?}", sorted(&reading.cart.lines), sorted(lines)));
            }
        }
        scores.intents.add(reading.intent == message.intent);
        if reading.intent != message.intent {
            faults.push(format!("{:?}, not {:?}", reading.intent, message.intent));
        }
        let fold = str::to_lowercase;
        let named = |piece: &String| {
            let piece = fold(piece);
            reading.unmatched.iter().any(|found| fold(found).contains(&piece) || piece.contains(&fold(found)))
        };
        let right = message.unmatched.iter().all(named)
            && (message.lines.is_none() || !message.unmatched.is_empty() || reading.unmatched.is_empty());
        scores.unmatched.add(right);
        if !right {
            faults.push(format!("unmatched {:?}, not {:?}", reading.unmatched, message.unmatched));
        }
        scores.languages.add(reading.language == tag);
        match (message.intent == Intent::StopOffers, reading.intent == Intent::StopOffers) {
            (true, false) => scores.missed.push(message.text.clone()),
            (false, true) => scores.alarms.push(message.text.clone()),
            _ => {}
        }
        if told && !faults.is_empty() {
            println!("{} {:?}: {}", message.id, message.text, faults.join("; "));
        }
    }
    scores
}

/// A cart's lines with their quantities, equal ones together, each in words.
fn sorted(lines: &[Line]) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for line in lines {
        let mut options: Vec<String> = line
            .options
            .iter()
            .map(|option| {
                let group = if matches!(option.choice, Pick::One(_)) { option.group.as_str() } else { "" };
                let amount = match option.amount {
                    Amount::Extra => "extra ",
                    Amount::Light => "light ",
                    Amount::Normal => "",
                };
                let without = if option.without { "no " } else { "" };
                format!("{}×{without}{amount}{group}:{}", option.count, picked(&option.choice))
            })
            .collect();
        options.sort();
        *found.entry(format!("{} [{}]", picked(&line.product), options.join(", "))).or_default() += line.quantity;
    }
    found
}

fn picked<K: theusual::cart::Key>(pick: &Pick<K>) -> String
where
    K::Id: ToString,
{
    match pick {
        Pick::One(id) => id.to_string(),
        Pick::OneOf(ids) => {
            let mut ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            ids.sort();
            ids.join("|")
        }
    }
}

#[test]
fn messages_are_understood() {
    let mut faults = Vec::new();
    for (file, carts, intents) in FLOORS {
        for language in languages() {
            let scores = read(&language, file);
            println!(
                "{language} {file:<9} carts {:5.1} % of {:3}  intents {:5.1} % of {:3}  unmatched {:5.1} %  language {:5.1} %",
                scores.carts.percent(),
                scores.carts.of,
                scores.intents.percent(),
                scores.intents.of,
                scores.unmatched.percent(),
                scores.languages.percent()
            );
            if scores.carts.percent() < carts || scores.intents.percent() < intents {
                faults.push(format!("{language} {file} is understood less than {carts} % and {intents} %"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_wish_for_no_more_offers_is_missed() {
    let mut wishes = 0;
    for language in languages() {
        for file in ["messages", "further", "other", "fresh", "newer", "blind", "optout"] {
            let scores = read(&language, file);
            wishes += scores.intents.of;
            assert!(scores.missed.is_empty(), "{language} {file}: missed {:?}", scores.missed);
            assert!(scores.alarms.len() <= 1, "{language} {file}: false alarms {:?}", scores.alarms);
        }
    }
    assert!(wishes > 1_000, "the corpus was not found");
}
