//! What customers write, and what is understood of it: the texts of `tests/corpus` and `tests/dialogues`, read by the
//! real engine.
//!
//! A reading takes about a millisecond in a test's build, a turn without it a tenth of that. So most customers write
//! texts whose reading on an empty cart is known already, and what it adds is put on top of the cart that they have;
//! now and then something is made up besides, which the engine would hardly read but might. A share of the worlds has
//! every text read as the program reads it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    rc::Rc,
};

use serde::Deserialize;
use theusual::{
    cart::{Amount, Cart, Chosen, Key, Line, Pick},
    catalog::{self, Catalog},
    conversation::{NearGuess, State},
    faq::{self, Faq},
    id::{ProductId, TopicId},
    language::Language,
    order::Fulfilment,
    quote::missing,
    understanding::{Answerer, Engine, Expecting, Intent, Lexicons, Reading, Utterance, alias::Meant},
};

use super::dice::Dice;

/// Shops with the file that their customers' texts name as their catalogue.
const SHOPS: [(&str, &str, &str); 6] = [
    ("config/samples/pizzeria", "", "pizzeria"),
    ("config/samples/pharmacy", "", "pharmacy"),
    ("config/samples/petshop", "", "petshop"),
    ("tests/corpus/ru/shop_a.json", "ru", "shop_a"),
    ("tests/corpus/nb/shop_c.json", "nb", "shop_c"),
    ("tests/corpus/en/shop_e.json", "en", "shop_e"),
];

/// Forms of a shop's catalogue.
pub const CATALOGS: usize = 5;

/// What any shop hears, besides: answers, wishes for a person, garbage.
const ANYWHERE: [&str; 52] = [
    "yes",
    "yes please",
    "no",
    "no thanks",
    "ok",
    "ja",
    "nei",
    "да",
    "нет",
    "ya",
    "tidak",
    "da",
    "nu",
    "undo",
    "wait",
    "one moment please",
    "that's all",
    "checkout",
    "hello?",
    "hi",
    "thanks",
    "the usual",
    "cancel",
    "cancel my order",
    "change my order",
    "where is my order?",
    "can I talk to a person",
    "I want to speak to a human",
    "this was cold, I want my money back",
    "pickup",
    "delivery",
    "deliver to Storgata 5, 0184 Oslo",
    "Karl Johans gate 1, Sentrum",
    "Fjellveien 9, 5019 Bergen",
    "my name is Kim",
    "Kim",
    "Nina Holm",
    "1",
    "2",
    "3",
    "7",
    "99",
    "👍",
    "🍕🍕🍕",
    "????",
    "...",
    "asdf qwer zxcv",
    "I want",
    "and",
    "two",
    "what do you have?",
    "when are you open?",
];

/// A shop with all that is compiled from it.
pub struct Shop {
    /// Its catalogue, and how it may be changed by an import: other prices, things sold out, things gone.
    pub catalogs: [Catalog; CATALOGS],
    pub faq: Faq,
    pub texts: Vec<Rc<str>>,
    engine: Engine,
    answerer: Answerer,
    read: RefCell<HashMap<u64, Rc<Heard>>>,
}

/// A text that a customer wrote.
#[derive(Clone, Debug)]
pub struct Thought {
    pub text: Rc<str>,
    /// Draws what is made up about it; 0 for nothing.
    pub whim: u64,
}

/// What was understood.
#[derive(Clone)]
pub struct Heard {
    pub reading: Reading,
    pub stated_name: Rc<str>,
    pub named: Rc<[ProductId]>,
    pub topic: Option<TopicId>,
    pub near: Vec<NearGuess>,
}

/// What it is understood with.
pub struct Around<'a> {
    pub state: &'a State,
    pub usual: &'a Cart,
    pub prior: Option<Language>,
    /// Whether it is read just as the program reads it.
    pub exact: bool,
}

#[derive(Deserialize)]
struct Message {
    catalog: String,
    text: String,
}

/// Every shop.
pub fn shops() -> Vec<Shop> {
    let lexicons = Lexicons::embedded().unwrap();
    SHOPS.iter().map(|(path, language, name)| Shop::open(path, language, name, &lexicons)).collect()
}

pub fn languages() -> Vec<Language> {
    ["af", "en", "id", "nb", "ro", "ru"].iter().map(|tag| tag.parse().unwrap()).collect()
}

impl Shop {
    fn open(path: &str, language: &str, name: &str, lexicons: &Lexicons) -> Shop {
        let path = root().join(path);
        let (catalog, faq) = match path.is_dir() {
            true => (path.join("catalog.json"), fs::read_to_string(path.join("faq.json")).unwrap()),
            false => (path, r#"{"language": "en", "topics": []}"#.to_owned()),
        };
        let file: serde_json::Value = serde_json::from_str(&fs::read_to_string(catalog).unwrap()).unwrap();
        let changes: [fn(&mut serde_json::Value); CATALOGS] = [|_| {}, dearer, shifted, thinner, nearer];
        let catalogs = changes.map(|change| {
            let mut file = file.clone();
            change(&mut file);
            catalog::read::read(&file.to_string()).unwrap().0
        });
        let faq = faq::read(&faq).unwrap();
        Shop {
            engine: Engine::compile(&catalogs[0], lexicons),
            answerer: Answerer::compile(&faq),
            texts: texts(language, name),
            catalogs,
            faq,
            read: RefCell::default(),
        }
    }

    /// What a text means here, by the catalogue that is open.
    pub fn hear(&self, thought: &Thought, around: &Around<'_>, open: usize) -> Rc<Heard> {
        let nothing = State::default();
        let expecting = around.state.expecting();
        if around.exact {
            return self.read(&thought.text, &around.state.cart(), around.usual, expecting, around.prior);
        }
        let known = self.read(&thought.text, &nothing.cart(), &nothing.cart(), expecting, None);
        let before = around.state.cart();
        if before.is_empty() && thought.whim == 0 {
            return known;
        }
        let mut heard = (*known).clone();
        heard.reading.cart = before.clone();
        if !known.reading.undo {
            known.reading.cart.lines.iter().for_each(|line| heard.reading.cart.add(line.clone()));
        }
        for near in &mut heard.near {
            let mut cart = before.clone();
            near.cart.lines.iter().for_each(|line| cart.add(line.clone()));
            near.cart = cart;
        }
        if thought.whim != 0 {
            made_up(&mut heard, &mut Dice::new(thought.whim), &self.catalogs[open], around.usual);
        }
        Rc::new(heard)
    }

    /// As the program reads it; known readings are kept.
    fn read(
        &self,
        text: &str,
        cart: &Cart,
        usual: &Cart,
        expecting: Option<Expecting>,
        prior: Option<Language>,
    ) -> Rc<Heard> {
        let mut key = DefaultHasher::new();
        (text, expecting, prior).hash(&mut key);
        hash(cart, &mut key);
        hash(usual, &mut key);
        let key = key.finish();
        if let Some(known) = self.read.borrow().get(&key) {
            return known.clone();
        }
        let with = |text: &str| self.engine.read(&Utterance { text, language: None, prior, cart, usual, expecting });
        let reading = with(text);
        let mut near: Vec<NearGuess> = Vec::new();
        for piece in &reading.unmatched {
            for meant in self.engine.near(piece) {
                let name = meant.shown(&self.catalogs[0], reading.language);
                let cart = with(&text.replacen(piece.as_str(), &name, 1)).cart;
                if cart != reading.cart && near.iter().all(|known| known.meant != meant) {
                    near.push(NearGuess { piece: piece.clone(), meant, cart });
                }
            }
        }
        let heard = Rc::new(Heard {
            stated_name: self.engine.stated_name(text).into(),
            named: self.engine.named(text).into(),
            topic: self.answerer.answer(text, Some(reading.language)).0,
            reading,
            near,
        });
        self.read.borrow_mut().insert(key, heard.clone());
        heard
    }
}

/// Changes a reading to what it hardly ever is.
fn made_up(heard: &mut Heard, dice: &mut Dice, catalog: &Catalog, usual: &Cart) {
    let reading = &mut heard.reading;
    for _ in 0..dice.between(1, 3) {
        match dice.below(16) {
            0..=3 => reading.cart.add(some_line(dice, catalog)),
            4 | 5 => settle(&mut reading.cart, dice, catalog),
            6 => {
                if let Some(at) = at(&reading.cart, dice) {
                    reading.cart.lines.remove(at);
                }
            }
            7 => {
                if let Some(at) = at(&reading.cart, dice) {
                    reading.cart.lines[at].quantity = some_quantity(dice);
                }
            }
            8 => reading.cart.lines.clear(),
            9 => usual.lines.iter().for_each(|line| reading.cart.add(line.clone())),
            10 => reading.confidence = dice.below(100) as f32 / 100.0,
            11 => {
                let fulfilments = [None, Some(Fulfilment::Pickup), Some(Fulfilment::Delivery)];
                reading.fulfilment = fulfilments[dice.below(3)];
                if dice.chance(500) && reading.fulfilment == Some(Fulfilment::Delivery) {
                    reading.address = some_address(dice, catalog);
                }
            }
            12 => {
                let piece = ["sushi", "Margerotto", "a very long piece of something that nobody sells anywhere at all"];
                let piece = piece[dice.below(3)].to_owned();
                if dice.chance(500)
                    && let Some(product) = dice.pick(&catalog.products)
                {
                    let mut cart = reading.cart.clone();
                    cart.add(Line::of(product.id.clone()));
                    heard.near.push(NearGuess {
                        piece: piece.clone(),
                        meant: Meant::Product(product.id.clone()),
                        cart,
                    });
                }
                reading.unmatched.push(piece);
            }
            13 => {
                let intents = [Intent::Order, Intent::Confirm, Intent::Decline, Intent::Other, Intent::PriceQuestion];
                reading.intent = intents[dice.below(5)];
            }
            14 => reading.also.push([Intent::Hours, Intent::DeliveryQuestion, Intent::ProductQuestion][dice.below(3)]),
            _ => reading.wishes.push(["no nuts please", "at half past seven"][dice.below(2)].to_owned()),
        }
    }
    if reading.undo {
        // An undo changes nothing by itself.
        reading.undo = false;
    }
}

fn at(cart: &Cart, dice: &mut Dice) -> Option<usize> {
    if cart.is_empty() { None } else { Some(dice.below(cart.lines.len())) }
}

/// Mostly a few, now and then so many that it must not be taken.
fn some_quantity(dice: &mut Dice) -> u32 {
    match dice.below(40) {
        0 => [30, 31, 60, 61, 999, 1_000, u32::MAX][dice.below(7)],
        _ => 1 + dice.below(3) as u32,
    }
}

pub fn some_line(dice: &mut Dice, catalog: &Catalog) -> Line {
    let mut line = match dice.pick(&catalog.products) {
        Some(product) => Line::of(product.id.clone()),
        None => Line::of("nothing".parse().unwrap()),
    };
    if dice.chance(100) {
        let first = dice.below(catalog.products.len() - 1);
        line.product = Pick::OneOf(catalog.products[first..first + 2].iter().map(|p| p.id.clone()).collect());
    } else if dice.chance(20) {
        line.product = Pick::One("nothing".parse().unwrap());
    }
    line.quantity = some_quantity(dice);
    if dice.chance(300)
        && let Some(group) = dice.pick(&catalog.groups)
        && let Some(choice) = dice.pick(&group.choices)
    {
        let mut chosen = Chosen::of(group.id.clone(), choice.id.clone());
        chosen.amount = [Amount::Normal, Amount::Normal, Amount::Extra, Amount::Light][dice.below(4)];
        chosen.without = dice.chance(200);
        chosen.count = if dice.chance(50) { some_quantity(dice) } else { 1 };
        if dice.chance(100) && group.choices.len() > 1 {
            chosen.choice = Pick::OneOf(group.choices[..2].iter().map(|choice| choice.id.clone()).collect());
        }
        line.options.push(chosen);
    }
    line
}

/// Answers the first question that a cart leaves open.
fn settle(cart: &mut Cart, dice: &mut Dice, catalog: &Catalog) {
    for line in cart.lines.iter_mut().rev() {
        if let Pick::OneOf(ids) = &line.product {
            line.product = dice.pick(ids).map_or(line.product.clone(), |id| Pick::One(id.clone()));
            return;
        }
        if let Some(group) = missing(catalog, line) {
            let choice = dice.pick(&group.choices);
            line.options.extend(choice.map(|choice| Chosen::of(group.id.clone(), choice.id.clone())));
            return;
        }
    }
}

/// In a zone of the shop's, mostly.
pub fn some_address(dice: &mut Dice, catalog: &Catalog) -> Option<String> {
    let zone = dice.pick(&catalog.zones)?;
    Some(match (dice.below(4), dice.pick(&zone.postcodes), dice.pick(&zone.areas)) {
        (0, _, _) => "High Street 7".to_owned(),
        (1 | 2, Some(code), _) => format!("High Street 7, {}", code.split('-').next().unwrap_or(code)),
        (_, _, Some(area)) => format!("High Street 7, {area}"),
        (_, _, None) => "High Street 7, 99999 Elsewhere".to_owned(),
    })
}

/// Every second product costs more, and some are sold out.
fn dearer(file: &mut serde_json::Value) {
    for (at, product) in list(file, "products").enumerate() {
        if at % 2 == 0 {
            let price: f64 = product["price"].as_str().unwrap().parse().unwrap();
            product["price"] = format!("{}", price.floor() + 1.0).into();
        }
        if at % 5 == 3 {
            product["available"] = false.into();
        }
    }
}

/// Bringing costs one less, everything else one more: some totals stay as they were.
fn shifted(file: &mut serde_json::Value) {
    for product in list(file, "products") {
        let (whole, part) = split(product["price"].as_str().unwrap());
        product["price"] = format!("{}{part}", whole + 1).into();
    }
    for zone in list(file, "zones") {
        let (whole, part) = split(zone["fee"].as_str().unwrap());
        zone["fee"] = format!("{}{part}", whole.max(1) - 1).into();
    }
}

/// Things are gone, and so are choices for the time being.
fn thinner(file: &mut serde_json::Value) {
    let products = file["products"].as_array_mut().unwrap();
    let mut at = 0;
    products.retain(|_| {
        at += 1;
        at % 4 != 0
    });
    for group in list(file, "option_groups") {
        for choice in list(group, "choices").step_by(2) {
            choice["available"] = false.into();
        }
    }
}

/// Two zones are gone, and the one that is left asks for more; nothing else.
fn nearer(file: &mut serde_json::Value) {
    if let Some(zones) = file.get_mut("zones").and_then(|zones| zones.as_array_mut()) {
        zones.truncate(1);
        zones.iter_mut().for_each(|zone| zone["minimum"] = "500".into());
    }
}

fn list<'a>(file: &'a mut serde_json::Value, key: &str) -> impl Iterator<Item = &'a mut serde_json::Value> {
    file.get_mut(key).and_then(|list| list.as_array_mut()).into_iter().flatten()
}

fn split(price: &str) -> (i64, &str) {
    let end = price.find('.').unwrap_or(price.len());
    (price[..end].parse().unwrap(), &price[end..])
}

/// What customers write to the shop of that name.
fn texts(language: &str, name: &str) -> Vec<Rc<str>> {
    let mut found: BTreeMap<String, ()> = ANYWHERE.iter().map(|text| ((*text).to_owned(), ())).collect();
    for path in files(&root().join("tests/corpus").join(language), "jsonl") {
        for line in fs::read_to_string(path).unwrap().lines() {
            let message: Message = serde_json::from_str(line).unwrap();
            if message.catalog == name {
                found.insert(message.text, ());
            }
        }
    }
    for path in files(&root().join("tests/dialogues").join(language), "txt") {
        let text = fs::read_to_string(path).unwrap();
        let here = text.lines().find_map(|line| line.strip_prefix("@ shop ")).unwrap_or("pizzeria");
        let said = text.lines().filter(|_| here == name).filter_map(|line| line.strip_prefix('>'));
        found.extend(said.map(|text| (text.trim().to_owned(), ())));
    }
    assert!(found.len() > ANYWHERE.len() + 20, "the texts for {name} were not found");
    found.into_keys().map(Into::into).collect()
}

/// The files of that ending in a folder and the folders in it.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path, ending)),
            false if path.extension().is_some_and(|e| e == ending) => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

fn hash(cart: &Cart, into: &mut DefaultHasher) {
    for line in &cart.lines {
        line.quantity.hash(into);
        picked(&line.product, into);
        for option in &line.options {
            option.group.hash(into);
            picked(&option.choice, into);
            (option.amount, option.without, option.count, &option.half).hash(into);
        }
        into.write_u8(1);
    }
    into.write_u8(2);
}

fn picked<K: Key>(pick: &Pick<K>, into: &mut DefaultHasher)
where
    K::Id: std::hash::Hash,
{
    match pick {
        Pick::One(id) => id.hash(into),
        Pick::OneOf(ids) => ids.hash(into),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}
