//! What a shop sells: products, their options, categories, delivery zones and opening hours, as the merchant's
//! `catalog.json` states them. A [`Catalog`] is always whole: every reference holds, every id is unique, every price
//! is of its currency. [`read`] makes one from a file or says, by line, what to write instead.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use crate::{
    calendar::Hours,
    id::{CategoryId, ChoiceId, GroupId, ProductId, ZoneId},
    language::Language,
    money::{Currency, Money},
};

pub mod read;
pub(crate) mod source;
pub mod write;

/// The allergens that must be declared (EU 1169/2011, annex II), in its order, under the keys that files use.
pub const ALLERGENS: [&str; 14] = [
    "gluten",
    "crustaceans",
    "egg",
    "fish",
    "peanuts",
    "soy",
    "milk",
    "nuts",
    "celery",
    "mustard",
    "sesame",
    "sulphites",
    "lupin",
    "molluscs",
];

/// Longest address that is searched for a postcode or an area, in characters. A long one has about 200.
pub const LONGEST_ADDRESS: usize = 500;

/// A shop's whole assortment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// The shop's name, as customers know it.
    pub merchant: String,
    /// Of every price in it.
    pub currency: Currency,
    /// The languages that the shop serves, the first being its own.
    pub languages: Vec<Language>,
    /// In menu order.
    pub categories: Vec<Category>,
    /// In menu order.
    pub products: Vec<Product>,
    /// In file order.
    pub groups: Vec<Group>,
    /// Where the shop delivers; empty where it does not.
    pub zones: Vec<Zone>,
    /// When it is open; `None` where the file does not say, which counts as always.
    pub hours: Option<Hours>,
    product_at: HashMap<ProductId, usize>,
    group_at: HashMap<GroupId, usize>,
}

/// The names of a thing by language. The first of a language is shown; the rest are what customers also say.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Names(pub BTreeMap<Language, Vec<String>>);

/// A heading of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// What products refer to.
    pub id: CategoryId,
    /// Its headings.
    pub names: Names,
}

/// A thing to buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Unique in the catalogue.
    pub id: ProductId,
    /// The heading it stands under.
    pub category: CategoryId,
    /// What it is called.
    pub names: Names,
    /// A sentence for each language, where there is one.
    pub description: BTreeMap<Language, String>,
    /// Without any option.
    pub price: Money,
    /// The groups that its options come from, in the order in which they are asked for.
    pub groups: Vec<GroupId>,
    /// Whether it can be ordered now.
    pub available: bool,
    /// Allergens as the record says (keys of [`ALLERGENS`]; a file may have others); `None` where it holds no record.
    pub allergens: Option<Vec<String>>,
    /// Free tags such as `vegan`.
    pub tags: Vec<String>,
    /// Whom it interests, such as `dog`.
    pub interests: Vec<String>,
    /// Address of a picture.
    pub image: Option<String>,
}

/// A group of options, such as sizes or toppings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Unique among the groups.
    pub id: GroupId,
    /// What it is called.
    pub names: Names,
    /// At least so many choices of it belong to each item.
    pub min: u32,
    /// At most so many; `None` is no limit.
    pub max: Option<u32>,
    /// Where its choices are the halves of one item, what they are halves of. Then `min` and `max` are [`HALVES`], and
    /// the choices are the products of that category, under their ids, at their names and prices.
    pub halves: Option<Halves>,
    /// What can be chosen.
    pub choices: Vec<Choice>,
}

/// How a shop makes one item of two: half of this, half of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halves {
    /// The products that may be halved; those that are made of halves themselves are none of them.
    pub of: CategoryId,
    /// What two halves cost.
    pub price: HalvesPrice,
}

/// What two halves cost together, beside the price of the product that they make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HalvesPrice {
    /// As much as the dearer one costs whole.
    Dearest,
    /// Half of what each costs whole; a half of the smallest coin is rounded up.
    Average,
}

/// What is written before the name of a half, in any language.
pub const HALF_SIGN: &str = "½";

/// How many halves make a whole.
pub const HALVES: u32 = 2;

/// One option of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Unique within its group.
    pub id: ChoiceId,
    /// What it is called.
    pub names: Names,
    /// Added to the product's price, once for each.
    pub price: Money,
    /// Comes with the product unless the customer wants it left out, or names so many others of its group that
    /// [`Group::max`] leaves it no room.
    pub default: bool,
    /// Whether it can be chosen now.
    pub available: bool,
    /// What it brings in, as with [`Product::allergens`].
    pub allergens: Option<Vec<String>>,
}

/// An area that the shop delivers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Unique among the zones.
    pub id: ZoneId,
    /// What it is called.
    pub names: Names,
    /// Postcodes as written, or ranges `0150-0199` of equally long digits, both ends included. A shorter code stands
    /// for all that begin with it where its country parts them so: `SW1A` has `SW1A 2AA`, `1012` has `1012 AB`.
    pub postcodes: Vec<String>,
    /// Names of places in it, as people write them in an address.
    pub areas: Vec<String>,
    /// For bringing an order there.
    pub fee: Money,
    /// The least that an order's goods must cost.
    pub minimum: Money,
    /// From this sum of goods on, the delivery is free.
    pub free_from: Option<Money>,
}

/// Which delivery zone an address is in; see [`Catalog::zone_for`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneMatch<'a> {
    /// In this one.
    Zone(&'a Zone),
    /// The address has a postcode, and no zone has it.
    Outside,
    /// The address has neither a postcode nor the name of an area.
    Unclear,
}

/// Why a text is neither a postcode nor a range of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostcodeError {
    /// It has no letter and no digit, or more than [`LONGEST_POSTCODE`] of them.
    Form,
    /// A range whose ends have different lengths.
    Uneven,
    /// A range that ends before it begins.
    Backwards,
}

/// Longest postcode, in letters and digits. The longest in use (United States, ZIP+4) has nine.
pub const LONGEST_POSTCODE: usize = 12;

/// The lists that make a catalogue; see [`Catalog::build`].
#[derive(Debug, Clone)]
pub struct Parts {
    /// See [`Catalog::merchant`].
    pub merchant: String,
    /// See [`Catalog::currency`].
    pub currency: Currency,
    /// See [`Catalog::languages`].
    pub languages: Vec<Language>,
    /// See [`Catalog::categories`].
    pub categories: Vec<Category>,
    /// See [`Catalog::products`].
    pub products: Vec<Product>,
    /// See [`Catalog::groups`].
    pub groups: Vec<Group>,
    /// See [`Catalog::zones`].
    pub zones: Vec<Zone>,
    /// See [`Catalog::hours`].
    pub hours: Option<Hours>,
}

impl Catalog {
    /// Indexes lists that [`read`] has checked.
    fn build(parts: Parts) -> Catalog {
        let product_at = parts.products.iter().enumerate().map(|(at, p)| (p.id.clone(), at)).collect();
        let group_at = parts.groups.iter().enumerate().map(|(at, g)| (g.id.clone(), at)).collect();
        Catalog {
            merchant: parts.merchant,
            currency: parts.currency,
            languages: parts.languages,
            categories: parts.categories,
            products: parts.products,
            groups: parts.groups,
            zones: parts.zones,
            hours: parts.hours,
            product_at,
            group_at,
        }
    }

    /// The product of that id.
    pub fn product(&self, id: &ProductId) -> Option<&Product> {
        self.product_at.get(id).map(|&at| &self.products[at])
    }

    /// The group of that id.
    pub fn group(&self, id: &GroupId) -> Option<&Group> {
        self.group_at.get(id).map(|&at| &self.groups[at])
    }

    /// The choice of that id in that group.
    pub fn choice(&self, group: &GroupId, choice: &ChoiceId) -> Option<&Choice> {
        self.group(group)?.choices.iter().find(|c| c.id == *choice)
    }

    /// The groups of a product, in its order.
    pub fn groups_of<'a>(&'a self, product: &'a Product) -> impl Iterator<Item = &'a Group> {
        product.groups.iter().filter_map(|id| self.group(id))
    }

    /// The zone that an address is in, by a postcode in it, or else by the name of an area in it. The most specific
    /// postcode wins (a single one before a range, a narrow range before a wide one), and the area with the longest name.
    ///
    /// A number counts as a postcode only where some zone's postcodes have as many digits. One that no zone has
    /// outweighs the name of an area only where it opens a later part of the address ("Sentrum 3, 5003 Bergen"):
    /// elsewhere it may be a house or a door.
    pub fn zone_for(&self, address: &str) -> ZoneMatch<'_> {
        let words = words(address);
        let codes = codes(&words);
        let mut by_postcode: Option<(Specificity, &Zone)> = None;
        let mut shapes = Vec::new();
        for zone in &self.zones {
            for postcode in zone.postcodes.iter().filter_map(|text| Postcode::parse(text).ok()) {
                for code in &codes {
                    let Some(rank) = postcode.matched(&code.text) else { continue };
                    let found = Specificity(rank, code.at);
                    if by_postcode.is_none_or(|(best, _)| found > best) {
                        by_postcode = Some((found, zone));
                    }
                }
                let shape = postcode.shape();
                if !shapes.contains(&shape) {
                    shapes.push(shape);
                }
            }
        }
        if let Some((_, zone)) = by_postcode {
            return ZoneMatch::Zone(zone);
        }
        let mut foreign = codes.iter().filter(|code| code.alone && is_like(&shape(&code.text), &shapes)).peekable();
        match self.zone_by_area(&words) {
            Some(zone) if zone.postcodes.is_empty() || !foreign.any(|code| words[code.at].heads_part) => {
                ZoneMatch::Zone(zone)
            }
            Some(_) => ZoneMatch::Outside,
            None if foreign.peek().is_some() => ZoneMatch::Outside,
            None => ZoneMatch::Unclear,
        }
    }

    /// The zone with the longest name of an area among these words.
    fn zone_by_area(&self, address: &[Word]) -> Option<&Zone> {
        let mut best: Option<(usize, &Zone)> = None;
        for zone in &self.zones {
            for area in &zone.areas {
                let area = words(area);
                let length = area.iter().map(|word| word.text.len()).sum();
                let stands = !area.is_empty()
                    && address.windows(area.len()).any(|run| run.iter().zip(&area).all(|(a, b)| a.text == b.text));
                if stands && best.is_none_or(|(longest, _)| length > longest) {
                    best = Some((length, zone));
                }
            }
        }
        best.map(|(_, zone)| zone)
    }
}

impl Names {
    /// The name to show: the first of this language, else of its base, else English, else any.
    pub fn shown(&self, language: Language) -> &str {
        [language, language.base(), Language::ENGLISH]
            .iter()
            .find_map(|l| self.0.get(l))
            .or_else(|| self.0.values().next())
            .and_then(|names| names.first())
            .map_or("", String::as_str)
    }

    /// Every name in every language.
    pub fn all(&self) -> impl Iterator<Item = (Language, &str)> {
        self.0.iter().flat_map(|(&language, names)| names.iter().map(move |name| (language, name.as_str())))
    }
}

impl Group {
    /// Whether a customer who names none of its choices must be asked: some are needed and none is the default.
    pub fn must_be_asked(&self) -> bool {
        self.min > 0 && !self.choices.iter().any(|c| c.default)
    }
}

impl fmt::Display for PostcodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PostcodeError::Form => "not a postcode; write one such as \"0150\", or a range such as \"0150-0199\"",
            PostcodeError::Uneven => "not a range; write both ends with as many digits, such as \"0150-0199\"",
            PostcodeError::Backwards => "a range that ends before it begins; write the smaller end first",
        })
    }
}

impl std::error::Error for PostcodeError {}

/// How well a postcode fits, and where it stands: of two that fit equally the later one, as house numbers come first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Specificity(Rank, usize);

/// How closely a zone's postcode names the one in an address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It is in a range; how much narrower than the widest the range is.
    Range(u64),
    /// It is, or begins with, this many letters and digits.
    One(usize),
}

/// One entry of [`Zone::postcodes`], letters small, without spaces and hyphens.
enum Postcode {
    One(String),
    Range { low: u64, high: u64, digits: usize },
}

/// Lengths of the two halves of postcodes that are written with a hyphen between two numbers (Poland, Portugal, Brazil,
/// Japan, United States): these are no ranges.
const HYPHENATED: [(usize, usize); 5] = [(2, 3), (4, 3), (5, 3), (3, 4), (5, 4)];

/// Lengths of the two halves of postcodes that are written with a space between two numbers (Sweden, Czechia, Greece;
/// and sixes such as India's).
const SPACED: [(usize, usize); 2] = [(3, 2), (3, 3)];

impl Postcode {
    fn parse(text: &str) -> Result<Postcode, PostcodeError> {
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if let Some((low, high)) = text.split_once('-')
            && digits(low)
            && digits(high)
            && !HYPHENATED.contains(&(low.len(), high.len()))
        {
            if low.len() != high.len() {
                return Err(PostcodeError::Uneven);
            }
            if low.len() > LONGEST_POSTCODE {
                return Err(PostcodeError::Form);
            }
            let number = |s: &str| s.parse::<u64>().map_err(|_| PostcodeError::Form);
            let (digits, low, high) = (low.len(), number(low)?, number(high)?);
            return if low <= high { Ok(Postcode::Range { low, high, digits }) } else { Err(PostcodeError::Backwards) };
        }
        let code: String = words(text).into_iter().map(|word| word.text).collect();
        if code.is_empty() || code.chars().count() > LONGEST_POSTCODE {
            Err(PostcodeError::Form)
        } else {
            Ok(Postcode::One(code))
        }
    }

    /// How closely it names that code of an address, if it does.
    fn matched(&self, code: &str) -> Option<Rank> {
        match self {
            Postcode::One(own) => {
                let rest = code.strip_prefix(own.as_str())?;
                (rest.is_empty() || may_follow(&shape(own), &shape(rest))).then_some(Rank::One(own.len()))
            }
            Postcode::Range { low, high, digits } => {
                if code.len() != *digits || !code.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                let number: u64 = code.parse().ok()?;
                (*low..=*high).contains(&number).then_some(Rank::Range(u64::MAX - (high - low)))
            }
        }
    }

    fn shape(&self) -> String {
        match self {
            Postcode::One(code) => shape(code),
            Postcode::Range { digits, .. } => "9".repeat(*digits),
        }
    }
}

/// Whether a zone's entry reads as a postcode or a range of them.
fn check_postcode(text: &str) -> Result<(), PostcodeError> {
    Postcode::parse(text).map(|_| ())
}

/// A text's digits as `9` and its letters as `a`.
fn shape(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '9' } else { 'a' }).collect()
}

/// Whether a postcode that is written short goes on like this in full: the second half of British, Canadian, Irish and
/// Dutch postcodes, and the letter that parts some British districts (`SW1` has `SW1A`).
fn may_follow(short: &str, rest: &str) -> bool {
    match short {
        "9999" => rest == "aa",
        "a9a" if rest == "9a9" => true,
        "a99" if rest.len() == 4 => true,
        _ if short.ends_with('9') && is_british_district(short) => matches!(rest, "9aa" | "a" | "a9aa"),
        _ => is_british_district(short) && rest == "9aa",
    }
}

fn is_british_district(shape: &str) -> bool {
    matches!(shape, "a9" | "a99" | "aa9" | "aa99" | "a9a" | "aa9a")
}

/// Whether a text of that shape is a postcode by the look of the zones' own.
fn is_like(shape: &str, known: &[String]) -> bool {
    if known.iter().any(|own| own == shape) {
        // Words of nothing but letters are never taken for postcodes: every address has some.
        return shape.contains('9');
    }
    let whole = |own: &str| shape.strip_prefix(own).is_some_and(|rest| rest.len() > 1 && may_follow(own, rest));
    let district = shape.len().checked_sub(3).map(|end| &shape[..end]);
    known.iter().any(|own| whole(own))
        || known.iter().any(|own| own.starts_with('a') && own.contains('9'))
            && shape.ends_with("9aa")
            && district.is_some_and(is_british_district)
}

/// A word of an address, folded: small letters without accents, digits of every script as 0 to 9.
struct Word {
    text: String,
    /// What parts it from the word before, where that is a single space or hyphen.
    joint: Option<char>,
    /// Whether it stands right after a comma or a line break.
    heads_part: bool,
}

/// What may be a postcode in an address.
struct Code {
    text: String,
    /// The word at which it begins.
    at: usize,
    /// Whether it is not just part of a longer row of numbers, as telephone numbers have them.
    alone: bool,
}

/// Every word that has a digit, and every two neighbours that may be the halves of one postcode.
fn codes(words: &[Word]) -> Vec<Code> {
    let digits = |at: usize| words.get(at).is_some_and(|word| word.text.bytes().all(|b| b.is_ascii_digit()));
    let mut codes = Vec::new();
    for (at, word) in words.iter().enumerate() {
        codes.push(Code { text: word.text.clone(), at, alone: true });
        let Some((next, joint)) = words.get(at + 1).and_then(|next| Some((next, next.joint?))) else { continue };
        let halves = (word.text.len(), next.text.len());
        let fit = match (digits(at), digits(at + 1)) {
            (true, true) => SPACED.contains(&halves) || (joint == '-' && HYPHENATED.contains(&halves)),
            (false, false) => word.text.bytes().chain(next.text.bytes()).any(|b| b.is_ascii_digit()),
            (true, false) | (false, true) => true,
        };
        if fit && halves.0 + halves.1 <= LONGEST_POSTCODE {
            let follows = at > 0 && word.joint.is_some() && digits(at - 1);
            let alone = !digits(at + 1) || !(follows || digits(at + 2));
            codes.push(Code { text: format!("{}{}", word.text, next.text), at, alone });
        }
    }
    codes
}

fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut gap = String::new();
    let mut inside = false;
    for c in text.chars().take(LONGEST_ADDRESS) {
        if is_mark(c) || matches!(c, '\'' | '’') {
            continue;
        }
        if !c.is_alphanumeric() {
            gap.push(c);
            inside = false;
            continue;
        }
        if !inside {
            let joint = match gap.as_str() {
                " " => Some(' '),
                "-" => Some('-'),
                _ => None,
            };
            let heads_part = !words.is_empty() && gap.contains([',', ';', '\n']);
            words.push(Word { text: String::new(), joint, heads_part });
            gap.clear();
            inside = true;
        }
        if let Some(word) = words.last_mut() {
            fold(c, &mut word.text);
        }
    }
    words
}

/// Accents that follow their letter, as some keyboards send them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Letters of the Latin, Greek and Cyrillic scripts that people also write without their mark.
const FOLDS: [(&str, &str); 30] = [
    ("a", "àáâãäåāăąǎạảấầẩẫậắằẳẵặ"),
    ("ae", "æ"),
    ("c", "çćĉċč"),
    ("d", "ďđð"),
    ("e", "èéêëēĕėęěẹẻẽếềểễệ"),
    ("g", "ĝğġģ"),
    ("h", "ĥħ"),
    ("i", "ìíîïĩīĭįıỉị"),
    ("j", "ĵ"),
    ("k", "ķ"),
    ("l", "ĺļľłŀ"),
    ("n", "ñńņňŋ"),
    ("o", "òóôõöøōŏőǒơọỏốồổỗộớờởỡợ"),
    ("oe", "œ"),
    ("r", "ŕŗř"),
    ("s", "śŝşšș"),
    ("ss", "ß"),
    ("t", "ţťŧț"),
    ("th", "þ"),
    ("u", "ùúûüũūŭůűųǔưụủứừửữự"),
    ("w", "ŵ"),
    ("y", "ýÿŷỳỵỷỹ"),
    ("z", "źżž"),
    ("α", "ά"),
    ("ε", "έ"),
    ("η", "ή"),
    ("ι", "ίϊΐ"),
    ("ο", "ό"),
    ("υ", "ύϋΰ"),
    ("ω", "ώ"),
];

fn fold(c: char, into: &mut String) {
    for c in c.to_lowercase().filter(|&c| !is_mark(c)) {
        match c {
            '\0'..='\x7f' => into.push(c),
            'ς' => into.push('σ'),
            'ё' => into.push('е'),
            'й' => into.push('и'),
            'ї' => into.push('і'),
            // Arabic, Persian, Devanagari, Bengali and full-width digits.
            '٠'..='٩' => push_digit(c, '٠', into),
            '۰'..='۹' => push_digit(c, '۰', into),
            '०'..='९' => push_digit(c, '०', into),
            '০'..='৯' => push_digit(c, '০', into),
            '０'..='９' => push_digit(c, '０', into),
            _ => match FOLDS.iter().find(|(_, marked)| marked.contains(c)) {
                Some((plain, _)) => into.push_str(plain),
                None => into.push(c),
            },
        }
    }
}

fn push_digit(c: char, zero: char, into: &mut String) {
    into.extend(char::from_digit(u32::from(c) - u32::from(zero), 10));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A catalogue of these zones and one product; the zones are id, postcodes, areas.
    fn shop(zones: &[(&str, &[&str], &[&str])]) -> Catalog {
        let zones: Vec<_> = zones
            .iter()
            .map(|(id, postcodes, areas)| {
                serde_json::json!({ "id": id, "names": {"en": [id]}, "postcodes": postcodes, "areas": areas, "fee": "1" })
            })
            .collect();
        let product = serde_json::json!({"id": "p", "category": "c", "names": {"en": ["P"]}, "price": "1"});
        let file = serde_json::json!({"merchant": "M", "currency": "EUR", "products": [product], "zones": zones});
        read::read(&file.to_string()).unwrap().0
    }

    #[track_caller]
    fn expect(shop: &Catalog, cases: &[(&str, &str)]) {
        for (address, expected) in cases {
            let found = match shop.zone_for(address) {
                ZoneMatch::Zone(zone) => zone.id.as_str(),
                ZoneMatch::Outside => "outside",
                ZoneMatch::Unclear => "unclear",
            };
            assert_eq!(found, *expected, "{address}");
        }
    }

    #[test]
    fn zones_in_oslo() {
        let shop = shop(&[
            ("centre", &["0150-0199", "0250"], &["Sentrum"]),
            ("wide", &["0100-0599"], &["Grünerløkka", "St. Hanshaugen", "Løkka"]),
            ("inner", &["0160-0165"], &[]),
            ("islands", &[], &["Hovedøya"]),
        ]);
        expect(
            &shop,
            &[
                ("Storgata 5, 0155 Oslo", "centre"),
                ("Storgata 5, 0162 Oslo", "inner"),
                ("0250", "centre"),
                ("Parkveien 12B, 0350 OSLO", "wide"),
                ("N-0150 Oslo", "centre"),
                ("Markveien 35, grunerlokka", "wide"),
                ("Markveien 35, Gru\u{308}nerløkka", "wide"),
                ("st hanshaugen 3", "wide"),
                ("Sentrumsveien 3", "unclear"),
                ("Storgata 5", "unclear"),
                ("Storgata 155", "unclear"),
                ("Storgata 5, 5003 Bergen", "outside"),
                ("Sentrum 3, 5003 Bergen", "outside"),
                ("Sentrum 3, dør 1204", "centre"),
                ("Hovedøya 1, 5003", "islands"),
                ("ring 99 88 77 66", "unclear"),
                ("", "unclear"),
            ],
        );
    }

    #[test]
    fn zones_in_cluj() {
        let shop = shop(&[
            ("centru", &["400001-400199"], &["Centru", "Piața Unirii"]),
            ("manastur", &["400500-400699", "400 610"], &["Mănăștur"]),
            ("floresti", &["407280"], &["Florești"]),
        ]);
        expect(
            &shop,
            &[
                ("Strada Memorandumului 28, 400114 Cluj-Napoca", "centru"),
                ("Calea Florești 81, 400 610", "manastur"),
                ("Calea Floresti 81", "floresti"),
                ("str. Parâng nr 12 ap 1024, manastur", "manastur"),
                ("PIATA UNIRII 3", "centru"),
                ("Bd. Unirii 1, 010101 București", "outside"),
                ("Strada Lungă 1204", "unclear"),
                ("tel +40 741 234 567", "unclear"),
            ],
        );
    }

    #[test]
    fn zones_in_cape_town() {
        let shop =
            shop(&[("south", &["7700-7709", "7708"], &["Claremont"]), ("sea", &["8005"], &["Sea Point", "Point"])]);
        expect(
            &shop,
            &[
                ("1024 Main Road, Claremont, 7708", "south"),
                ("1024 Main Road, Claremont", "south"),
                ("7708 Beach Road, 8005", "sea"),
                ("12 Beach Rd, Sea Point", "sea"),
                ("Seapoint 12", "unclear"),
                ("12 Long Street, 8001", "outside"),
                ("12 Long Street", "unclear"),
            ],
        );
    }

    #[test]
    fn zones_by_letters() {
        let shop =
            shop(&[("west", &["SW1", "N1"], &[]), ("palace", &["SW1A 1AA"], &[]), ("city", &["SW1A", "EC1A"], &[])]);
        expect(
            &shop,
            &[
                ("10 Downing Street, London SW1A 2AA", "city"),
                ("Buckingham Palace, sw1a1aa", "palace"),
                ("1 Horseferry Rd, SW1P 2AF", "west"),
                ("5 Upper Street, N1 0PQ", "west"),
                ("5 High Road, N17 6BN", "outside"),
                ("5 High Road, n176bn", "outside"),
                ("N17AA", "west"),
                ("EC1A", "city"),
                ("Flat 3, 10 High Road", "unclear"),
            ],
        );
        let dutch = super::tests::shop(&[("dam", &["1012"], &[]), ("one", &["1015 BX"], &[])]);
        expect(
            &dutch,
            &[("Damrak 1, 1012AB", "dam"), ("Keizersgracht 1015, 1015 bx", "one"), ("Laan 2, 1033 AB", "outside")],
        );
        let halves = super::tests::shop(&[("pl", &["00-950"], &[]), ("se", &["11120-11199"], &[])]);
        expect(
            &halves,
            &[
                ("ul. Prosta 1, 00-950 Warszawa", "pl"),
                ("Gatan 5, 111 22 Stockholm", "se"),
                ("Gatan 5, 999 22", "outside"),
            ],
        );
    }

    #[test]
    fn postcodes_that_are_none() {
        for (text, error) in [
            ("", PostcodeError::Form),
            ("-", PostcodeError::Form),
            ("0123456789012", PostcodeError::Form),
            ("0150-01999", PostcodeError::Uneven),
            ("0199-0150", PostcodeError::Backwards),
        ] {
            assert_eq!(check_postcode(text), Err(error), "{text}");
        }
        for text in ["0150", "0150-0199", "00-950", "100-0001", "SW1A 1AA", "D02 AF30"] {
            assert_eq!(check_postcode(text), Ok(()), "{text}");
        }
    }
}
