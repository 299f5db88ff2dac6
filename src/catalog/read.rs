//! Reads a `catalog.json`. What comes out is whole, or there is a list of everything that is wrong with the file, each
//! at its line and column, in words that name the thing and say what to write instead: the people who read them sell
//! pizza.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
};

use crate::{
    calendar::{self, Hours, HoursError, Period, WEEKDAYS, Week},
    catalog::{
        ALLERGENS, Catalog, Category, Choice, Group, HALVES, Halves, HalvesPrice, Names, Parts, Product, Zone,
        check_postcode,
        source::{AN_ID, Field, Object, Raw, Seen, Source, meant, nearest, quoted},
    },
    id::{CategoryId, GroupId, ProductId},
    language::Language,
    money::{Currency, Money, MoneyError},
};

pub use crate::catalog::source::{Finding, MOST_FINDINGS, Severity};

/// Largest file, in bytes: 100,000 products of 600 bytes each.
pub const LARGEST_FILE: usize = 64 * 1024 * 1024;

/// Most products. A supermarket has 50,000.
pub const MOST_PRODUCTS: usize = 100_000;

/// Most option groups. A shop with sizes of its own for each of its products still has fewer than products.
pub const MOST_GROUPS: usize = 20_000;

/// Most choices of one group; a list in a chat that is longer is of no use to anybody.
pub const MOST_CHOICES: usize = 1_000;

/// Most option groups of one product, each of which may become a question.
pub const MOST_GROUPS_OF_PRODUCT: usize = 50;

/// Most categories: headings of a menu.
pub const MOST_CATEGORIES: usize = 2_000;

/// Most delivery zones. An address is compared with every postcode of every zone.
pub const MOST_ZONES: usize = 200;

/// Most postcodes, and most areas, of one zone; for the reason of [`MOST_ZONES`].
pub const MOST_PLACES: usize = 2_000;

/// Most languages that a shop serves.
pub const MOST_LANGUAGES: usize = 50;

/// Most names of one thing in one language.
pub const MOST_NAMES: usize = 200;

/// Most tags, interests or allergens of one thing.
pub const MOST_TAGS: usize = 50;

/// Longest name, in characters. WhatsApp shows 24 of a list row; the rest are for what people say.
pub const LONGEST_NAME: usize = 200;

/// Longest description, in characters: it goes under a picture, where WhatsApp and Telegram take 1,024.
pub const LONGEST_DESCRIPTION: usize = 1_000;

/// Longest tag, in characters.
pub const LONGEST_TAG: usize = 80;

/// Longest address of a picture, in characters: what browsers take.
pub const LONGEST_IMAGE: usize = 2_000;

/// Reads a catalogue file. With the catalogue come warnings; without one, everything that was found, errors and
/// warnings, at most [`MOST_FINDINGS`] of each. Both lists are in the order of the file.
pub fn read(text: &str) -> Result<(Catalog, Vec<Finding>), Vec<Finding>> {
    let mut reader = Reader { source: Source::of(text), ..Reader::default() };
    let catalog = reader.source.root(LARGEST_FILE).and_then(|root| reader.catalog(root));
    match catalog {
        Some(catalog) if reader.source.errors == 0 => Ok((catalog, reader.source.findings())),
        _ => Err(reader.source.findings()),
    }
}

/// The keys that each thing can have.
const CATALOG_KEYS: &[&str] =
    &["merchant", "currency", "languages", "timezone", "hours", "zones", "categories", "products", "option_groups"];
const CATEGORY_KEYS: &[&str] = &["id", "names"];
const PRODUCT_KEYS: &[&str] = &[
    "id",
    "category",
    "names",
    "description",
    "price",
    "option_groups",
    "available",
    "allergens",
    "tags",
    "interests",
    "image",
];
const GROUP_KEYS: &[&str] = &["id", "names", "min", "max", "choices", "halves"];
const HALVES_KEYS: &[&str] = &["of", "price"];
const CHOICE_KEYS: &[&str] = &["id", "names", "price", "default", "available", "allergens"];
const ZONE_KEYS: &[&str] = &["id", "names", "postcodes", "areas", "fee", "minimum", "free_from"];

/// What the values are, said to people.
const A_NAME: &str = "a text in quotes";
const AN_AMOUNT: &str = "an amount in quotes, such as \"9.50\"";
const A_PERIOD: &str = "a period in quotes, such as \"11:00-14:30\"";
const PERIODS: &str = "a list of periods, such as [\"11:00-14:30\", \"16:30-23:00\"]";
const NAMES: &str = "names by language, such as {\"en\": [\"Margherita\"]}";

/// The days of the hours, and where each stands.
#[derive(Default)]
struct Days {
    week: Week,
    exceptions: BTreeMap<calendar::Date, Vec<Period>>,
    places: HashMap<String, usize>,
}

#[derive(Default)]
struct Reader<'a> {
    source: Source<'a>,
    currency: Option<Currency>,
    /// What the file lists, where it does.
    listed: Option<Vec<Language>>,
    /// The languages of names, each with the place where it first stood.
    spoken: HashMap<Language, usize>,
    /// Languages that a warning was given for.
    unlisted: HashSet<Language>,
}

impl<'a> Reader<'a> {
    fn catalog(&mut self, root: Raw<'a>) -> Option<Catalog> {
        let top = self.source.object(root, "the file".to_owned(), CATALOG_KEYS)?;
        let merchant = self
            .source
            .required(&top, "merchant", "the shop's name, such as \"Trattoria Uno\"")
            .and_then(|raw| self.source.words(raw, &top.what, "merchant", A_NAME, LONGEST_NAME));
        self.currency = self.currency(&top);
        self.listed = top.get("languages").and_then(|raw| self.languages(raw, &top));
        let listed_categories = top.get("categories").map(|raw| self.categories(raw, &top));
        let (mut groups, group_ids) = top.get("option_groups").map(|raw| self.groups(raw, &top)).unwrap_or_default();
        let zones = top.get("zones").map(|raw| self.zones(raw, &top)).unwrap_or_default();
        let hours = self.hours(&top);

        let (mut categories, category_ids) = match listed_categories {
            Some((categories, seen)) => (categories, Some(seen)),
            None => (Vec::new(), None),
        };
        let products = self
            .source
            .required(&top, "products", "what the shop sells, as a list")
            .map(|raw| self.products(raw, &top, category_ids.as_ref(), &group_ids))
            .unwrap_or_default();
        let halved: Vec<GroupId> =
            groups.iter().filter(|group| group.halves.is_some()).map(|group| group.id.clone()).collect();
        for group in groups.iter_mut().filter(|group| group.halves.is_some()) {
            self.fill_halves(group, &products, &halved, &group_ids);
        }

        let languages = self.all_languages();
        match category_ids {
            Some(seen) => {
                let used: HashSet<&str> = products.iter().map(|p| p.category.as_str()).collect();
                self.unused("category", &seen, &used);
            }
            None => categories = categories_of(&products, languages.first().copied()?),
        }
        let used: HashSet<&str> = products.iter().flat_map(|p| &p.groups).map(GroupId::as_str).collect();
        self.unused("option group", &group_ids, &used);
        Some(Catalog::build(Parts {
            merchant: merchant?,
            currency: self.currency?,
            languages,
            categories,
            products,
            groups,
            zones,
            hours,
        }))
    }

    fn currency(&mut self, top: &Object<'a>) -> Option<Currency> {
        let expected = "three letters in quotes, such as \"EUR\"";
        let raw = self.source.required(top, "currency", expected)?;
        let code = self.source.text(raw, &top.what, "currency", expected)?;
        match Currency::parse(&code) {
            Ok(currency) if CURRENCIES.split_ascii_whitespace().any(|known| known == currency.code()) => Some(currency),
            _ => {
                let near = || nearest(&code, CURRENCIES.split_ascii_whitespace());
                self.source.error(self.source.place(raw), || {
                    let or = "write its three ISO 4217 letters, such as \"EUR\"";
                    format!("currency {} is not known; {}", quoted(&code), meant(near(), or))
                });
                None
            }
        }
    }

    fn languages(&mut self, raw: Raw<'a>, top: &Object<'a>) -> Option<Vec<Language>> {
        let expected = "a list of language tags, such as [\"en\", \"nb\"]";
        let list = self.source.list(raw, &top.what, "languages", expected, MOST_LANGUAGES)?;
        if list.is_empty() {
            self.source.error(self.source.place(raw), || {
                format!("\"languages\" is empty; write {expected}, or leave it out: then it is those of the names")
            });
        }
        let mut languages = Vec::new();
        for raw in list {
            let Some(tag) = self.source.text(raw, &top.what, "languages", expected) else { continue };
            let Some(language) = self.source.language(&tag, self.source.place(raw), "\"languages\"") else { continue };
            if languages.contains(&language) {
                self.source
                    .error(self.source.place(raw), || format!("language \"{language}\" stands twice; remove one"));
            } else {
                languages.push(language);
            }
        }
        Some(languages)
    }

    fn categories(&mut self, raw: Raw<'a>, top: &Object<'a>) -> (Vec<Category>, Seen<'a>) {
        let mut seen = Seen::new();
        let expected = "a list such as [{\"id\": \"pizza\", \"names\": {\"en\": [\"Pizzas\"]}}]";
        let list = self.source.list(raw, &top.what, "categories", expected, MOST_CATEGORIES).unwrap_or_default();
        let mut categories = Vec::with_capacity(list.len());
        for (n, raw) in list.into_iter().enumerate() {
            let Some(object) = self.source.entry(raw, "", "category", n, CATEGORY_KEYS) else { continue };
            let id = self.source.id(&object, "category", "", &mut seen);
            let names = self.names(&object);
            if let (Some(id), Some(names)) = (id, names) {
                categories.push(Category { id, names });
            }
        }
        (categories, seen)
    }

    fn groups(&mut self, raw: Raw<'a>, top: &Object<'a>) -> (Vec<Group>, Seen<'a>) {
        let mut seen = Seen::new();
        let list =
            self.source.list(raw, &top.what, "option_groups", "a list of groups", MOST_GROUPS).unwrap_or_default();
        let mut groups = Vec::with_capacity(list.len());
        for (n, raw) in list.into_iter().enumerate() {
            let Some(object) = self.source.entry(raw, "", "option group", n, GROUP_KEYS) else { continue };
            let id = self.source.id(&object, "option group", "", &mut seen);
            let names = self.names(&object);
            let group = match object.get("halves") {
                Some(raw) => self.halves(raw, &object).map(|halves| (HALVES, Some(HALVES), Some(halves), Vec::new())),
                None => self.group(&object).map(|(min, max, choices)| (min, max, None, choices)),
            };
            if let (Some(id), Some(names), Some((min, max, halves, choices))) = (id, names, group) {
                groups.push(Group { id, names, min, max, halves, choices });
            }
        }
        (groups, seen)
    }

    fn halves(&mut self, raw: Raw<'a>, group: &Object<'a>) -> Option<Halves> {
        let what = format!("{}, \"halves\"", group.what);
        for key in ["min", "max", "choices"] {
            if let Some(field) = group.fields.iter().find(|field| field.key == key) {
                self.source.error(field.at, || {
                    format!("{what}: there are always two, of the products of its category; remove \"{key}\"")
                });
            }
        }
        let object = self.source.object(raw, what, HALVES_KEYS)?;
        let (of, price) = ("a category in quotes, such as \"pizza\"", "\"dearest\" or \"average\"");
        let of = self.source.required(&object, "of", of).and_then(|raw| {
            let text = self.source.text(raw, &object.what, "of", of)?;
            text.parse::<CategoryId>()
                .map_err(|error| {
                    self.source
                        .error(self.source.place(raw), || format!("{}: {} is {error}", object.what, quoted(&text)));
                })
                .ok()
        });
        let price = self.source.required(&object, "price", price).and_then(|raw| {
            let text = self.source.text(raw, &object.what, "price", price)?;
            match &*text {
                "dearest" => Some(HalvesPrice::Dearest),
                "average" => Some(HalvesPrice::Average),
                _ => {
                    self.source.error(self.source.place(raw), || {
                        format!("{}: price {} is not known; write {price}", object.what, quoted(&text))
                    });
                    None
                }
            }
        });
        Some(Halves { of: of?, price: price? })
    }

    /// What can be halved: the products of the category that are not made of halves themselves.
    fn fill_halves(&mut self, group: &mut Group, products: &[Product], halved: &[GroupId], ids: &Seen<'a>) {
        let Some(halves) = &group.halves else { return };
        let at = ids.get(group.id.as_str()).copied().unwrap_or_default();
        let made: Vec<&Product> = products.iter().filter(|p| p.groups.contains(&group.id)).collect();
        if made.len() > 1 || made.iter().any(|p| p.groups.iter().filter(|id| halved.contains(id)).count() > 1) {
            self.source.error(at, || {
                format!(
                    "option group \"{}\": one product is made of its halves, and of no others; give each such product a group \
                     of its own",
                    group.id
                )
            });
        }
        let is_whole = |p: &&Product| p.category == halves.of && !p.groups.iter().any(|id| halved.contains(id));
        let whole = products.iter().filter(is_whole);
        group.choices = whole
            .map(|product| Choice {
                id: product.id.as_str().parse().expect("ids of products and choices are of one form"),
                names: product.names.clone(),
                price: product.price,
                default: false,
                available: product.available,
                allergens: product.allergens.clone(),
            })
            .collect();
        if group.choices.len() < 2 {
            self.source.error(at, || {
                format!(
                    "option group \"{}\": fewer than two products of category {} can be halved; write another category in \
                     \"halves\", or remove the group",
                    group.id,
                    quoted(halves.of.as_str())
                )
            });
        }
    }

    fn group(&mut self, group: &Object<'a>) -> Option<(u32, Option<u32>, Vec<Choice>)> {
        let what = &group.what;
        let min = group.get("min").map(|raw| self.source.count(raw, what, "min"));
        let max = group.get("max").map(|raw| self.source.count(raw, what, "max"));
        let raw = self.source.required(group, "choices", "what can be chosen, as a list")?;
        let list = self.source.list(raw, what, "choices", "a list of choices", MOST_CHOICES)?;
        if list.is_empty() {
            self.source.error(self.source.place(raw), || {
                format!("{what} has no choices; write at least one, or remove the group")
            });
        }
        let (mut seen, mut choices, count) = (Seen::new(), Vec::with_capacity(list.len()), list.len());
        for (n, raw) in list.into_iter().enumerate() {
            choices.extend(self.choice(raw, what, n, &mut seen));
        }
        let (min, max) = (min.unwrap_or(Some(0))?, max.map_or(Some(None), |max| max.map(Some))?);
        let defaults = choices.iter().filter(|choice| choice.default).count();
        self.check_counts(group, min, max, count, defaults);
        Some((min, max, choices))
    }

    fn check_counts(&mut self, group: &Object<'a>, min: u32, max: Option<u32>, choices: usize, defaults: usize) {
        let what = &group.what;
        let place = |key: &str| group.fields.iter().find(|f| f.key == key).map_or(group.at, |f| f.at);
        let least = usize::try_from(min).unwrap_or(usize::MAX);
        if let Some(max) = max {
            let most = usize::try_from(max).unwrap_or(usize::MAX);
            if max == 0 {
                self.source.error(place("max"), || {
                    format!("{what}: max 0 allows no choice; write 1 or more, or leave it out for no limit")
                });
            } else if min > max {
                self.source.error(place("min"), || {
                    format!("{what}: min {min} is more than max {max}; lower min or raise max")
                });
            }
            if max > 0 && defaults > most {
                self.source.error(place("max"), || {
                    format!(
                        "{what}: {defaults} choices are default, but max is {max}; leave \"default\" to {max} of them"
                    )
                });
            }
        }
        if max.is_some_and(|max| min > max) {
            // Said above; one number is mended at a time.
        } else if choices > 0 && least > choices {
            self.source.error(place("min"), || {
                format!("{what}: min {min} is more than the number of its choices, {choices}; lower min or add choices")
            });
        } else if defaults > 0 && defaults < least {
            self.source.warning(place("min"), || {
                format!(
                    "{what}: min is {min}, but only {defaults} of its choices are default; customers are asked for the rest"
                )
            });
        }
    }

    fn choice(&mut self, raw: Raw<'a>, group: &str, n: usize, seen: &mut Seen<'a>) -> Option<Choice> {
        let object = self.source.entry(raw, group, "choice", n, CHOICE_KEYS)?;
        let what = &object.what;
        let id = self.source.id(&object, "choice", group, seen);
        let names = self.names(&object);
        let price = match object.get("price") {
            // A small one may cost less: what a choice adds may be below zero.
            Some(raw) => self.amount(raw, what, "price", i64::MIN),
            None => self.currency.map(Currency::zero),
        };
        let default = object.get("default").is_some_and(|raw| self.source.flag(raw, what, "default"));
        let available = object.get("available").is_none_or(|raw| self.source.flag(raw, what, "available"));
        let allergens = object.get("allergens").map(|raw| self.allergens(raw, what));
        Some(Choice { id: id?, names: names?, price: price?, default, available, allergens })
    }

    fn zones(&mut self, raw: Raw<'a>, top: &Object<'a>) -> Vec<Zone> {
        let (mut seen, mut zones) = (Seen::new(), Vec::new());
        let mut postcodes: HashMap<String, String> = HashMap::new();
        let list = self.source.list(raw, &top.what, "zones", "a list of zones", MOST_ZONES).unwrap_or_default();
        for (n, raw) in list.into_iter().enumerate() {
            let Some(object) = self.source.entry(raw, "", "zone", n, ZONE_KEYS) else { continue };
            zones.extend(self.zone(&object, &mut seen, &mut postcodes));
        }
        zones
    }

    fn zone(&mut self, zone: &Object<'a>, seen: &mut Seen<'a>, taken: &mut HashMap<String, String>) -> Option<Zone> {
        let what = &zone.what;
        let id = self.source.id(zone, "zone", "", seen);
        let names = self.names(zone);
        let places = |key: &str| zone.get(key).map_or("", |raw| raw.get());
        if [places("postcodes"), places("areas")].iter().all(|list| list.is_empty() || is_empty_list(list)) {
            self.source.error(zone.at, || {
                format!(
                    "{what} has neither postcodes nor areas, so no address is in it; write such as \"postcodes\": \
                     [\"0150-0199\"]"
                )
            });
        }
        let expected = "a list of postcodes, such as [\"0150\", \"0150-0199\"]";
        let mut postcodes = Vec::new();
        for (at, postcode) in self.source.all_words(zone, "postcodes", expected, MOST_PLACES, LONGEST_TAG) {
            if let Err(error) = check_postcode(&postcode) {
                self.source.error(at, || format!("{what}: postcode {} is {error}", quoted(&postcode)));
                continue;
            }
            match taken.get(&postcode) {
                Some(other) => self.source.warning(at, || {
                    format!("{what}: postcode {} is that of {other} too, which comes first", quoted(&postcode))
                }),
                None => {
                    taken.insert(postcode.clone(), what.clone());
                }
            }
            postcodes.push(postcode);
        }
        let expected = "a list of names of places, such as [\"Old Town\"]";
        let areas = self.source.all_words(zone, "areas", expected, MOST_PLACES, LONGEST_NAME);
        let fee = self.source.required(zone, "fee", AN_AMOUNT).and_then(|raw| self.price(raw, what, "fee"));
        let minimum = match zone.get("minimum") {
            Some(raw) => self.price(raw, what, "minimum"),
            None => self.currency.map(Currency::zero),
        };
        let free_from = zone.get("free_from").and_then(|raw| self.price(raw, what, "free_from"));
        Some(Zone {
            id: id?,
            names: names?,
            postcodes,
            areas: areas.into_iter().map(|(_, area)| area).collect(),
            fee: fee?,
            minimum: minimum?,
            free_from,
        })
    }

    fn hours(&mut self, top: &Object<'a>) -> Option<Hours> {
        let expected = "the shop's time zone, such as \"Europe/Oslo\"";
        let (zone, hours) = (top.get("timezone"), top.get("hours"));
        let name = zone.and_then(|raw| self.source.text(raw, &top.what, "timezone", expected));
        let Some(hours) = hours else {
            return match Hours::always(name.as_deref()?) {
                Ok(hours) => Some(hours),
                Err(error) => {
                    self.source.error(zone.map_or(top.at, |raw| self.source.place(raw)), || error.to_string());
                    None
                }
            };
        };
        let before = self.source.errors;
        let days = self.days(hours)?;
        let all_read = self.source.errors == before;
        let Some(zone) = zone else {
            self.source.error(self.source.place(hours), || {
                format!("\"hours\" needs \"timezone\" beside it; write {expected}")
            });
            return None;
        };
        let faults = match Hours::new(name.as_deref()?, days.week, days.exceptions) {
            Ok(hours) => return Some(hours),
            Err(faults) => faults,
        };
        for fault in faults {
            let (at, message) = match &fault {
                HoursError::Zone(..) => (self.source.place(zone), fault.to_string()),
                // What could not be read was named before; there may be periods among it.
                HoursError::NeverOpen if !all_read => continue,
                HoursError::Overlap(day, ..) | HoursError::Periods(day) => {
                    let at = days.places.get(&day.key()).copied().unwrap_or(self.source.place(hours));
                    (at, format!("the hours: {fault}"))
                }
                HoursError::Exceptions | HoursError::NeverOpen => {
                    (self.source.place(hours), format!("the hours: {fault}"))
                }
            };
            self.source.error(at, || message);
        }
        None
    }

    fn days(&mut self, raw: Raw<'a>) -> Option<Days> {
        let what = "the hours";
        let expected = "days such as {\"mon\": [\"11:00-14:30\"]}";
        let mut days = Days::default();
        for field in self.source.fields(raw, what, expected)? {
            if let Some(at) = WEEKDAYS.iter().position(|(key, _)| *key == field.key) {
                days.week[at] = self.periods(field.value, what, &field.key);
                days.places.insert(field.key.into_owned(), field.at);
            } else if field.key == "exceptions" {
                let expected = "dates such as {\"2026-12-24\": [\"11:00-15:00\"], \"2026-12-25\": []}";
                for field in self.source.fields(field.value, "the hours, \"exceptions\"", expected).unwrap_or_default()
                {
                    match calendar::date(&field.key) {
                        Ok(date) => {
                            days.exceptions.insert(date, self.periods(field.value, what, &field.key));
                            days.places.insert(field.key.into_owned(), field.at);
                        }
                        Err(error) => {
                            self.source.error(field.at, || format!("the hours: {} is {error}", quoted(&field.key)));
                        }
                    }
                }
            } else {
                // No warning: a day under a wrong name would be a day on which the shop is shut.
                self.source.error(field.at, || {
                    let keys = WEEKDAYS.map(|(key, _)| key);
                    let short = keys.iter().find(|key| field.key.to_lowercase().starts_with(**key)).copied();
                    let near = short.or_else(|| nearest(&field.key, keys.into_iter().chain(["exceptions"])));
                    let or = "days are mon, tue, wed, thu, fri, sat and sun";
                    format!("the hours have no day {}; {}", quoted(&field.key), meant(near, or))
                });
            }
        }
        Some(days)
    }

    fn periods(&mut self, raw: Raw<'a>, what: &str, key: &str) -> Vec<Period> {
        let mut periods = Vec::new();
        // The calendar counts the periods itself, with its own limit.
        for raw in self.source.list(raw, what, key, PERIODS, usize::MAX).unwrap_or_default() {
            let Some(text) = self.source.text(raw, what, key, A_PERIOD) else { continue };
            match text.parse() {
                Ok(period) => periods.push(period),
                Err(error) => {
                    let error: calendar::PeriodError = error;
                    self.source
                        .error(self.source.place(raw), || format!("{what}, \"{key}\": {} is {error}", quoted(&text)));
                }
            }
        }
        periods
    }

    fn products(
        &mut self,
        raw: Raw<'a>,
        top: &Object<'a>,
        categories: Option<&Seen<'a>>,
        groups: &Seen<'a>,
    ) -> Vec<Product> {
        let list = self.source.list(raw, &top.what, "products", "a list of products", MOST_PRODUCTS);
        if list.as_ref().is_some_and(Vec::is_empty) {
            self.source.error(self.source.place(raw), || "there are no products; write at least one".to_owned());
        }
        let list = list.unwrap_or_default();
        let (mut seen, mut products) = (Seen::new(), Vec::with_capacity(list.len()));
        for (n, raw) in list.into_iter().enumerate() {
            let Some(object) = self.source.entry(raw, "", "product", n, PRODUCT_KEYS) else { continue };
            products.extend(self.product(&object, &mut seen, categories, groups));
        }
        products
    }

    fn product(
        &mut self,
        product: &Object<'a>,
        seen: &mut Seen<'a>,
        categories: Option<&Seen<'a>>,
        groups: &Seen<'a>,
    ) -> Option<Product> {
        let what = &product.what;
        let id: Option<ProductId> = self.source.id(product, "product", "", seen);
        let category = self.category(product, categories);
        let names = self.names(product);
        let description = product.get("description").map(|raw| self.description(raw, what)).unwrap_or_default();
        let price = self.source.required(product, "price", AN_AMOUNT).and_then(|raw| self.price(raw, what, "price"));
        let groups = product.get("option_groups").map(|raw| self.groups_of(raw, what, groups)).unwrap_or_default();
        let available = product.get("available").is_none_or(|raw| self.source.flag(raw, what, "available"));
        let allergens = product.get("allergens").map(|raw| self.allergens(raw, what));
        let tags = self.tags(product, "tags", "a list of tags, such as [\"vegan\"]");
        let interests = self.tags(product, "interests", "a list of interests, such as [\"dog\"]");
        let expected = "the address of a picture in quotes, such as \"https://example.org/cola.jpg\"";
        let image = product.get("image").and_then(|raw| self.source.words(raw, what, "image", expected, LONGEST_IMAGE));
        Some(Product {
            id: id?,
            category: category?,
            names: names?,
            description,
            price: price?,
            groups,
            available,
            allergens,
            tags,
            interests,
            image,
        })
    }

    fn category(&mut self, product: &Object<'a>, known: Option<&Seen<'a>>) -> Option<CategoryId> {
        let what = &product.what;
        let raw = self.source.required(product, "category", "the heading it stands under, such as \"pizza\"")?;
        let text = self.source.text(raw, what, "category", AN_ID)?;
        if let Some(known) = known
            && !known.contains_key(&text)
        {
            self.source.error(self.source.place(raw), || {
                let near = nearest(&text, known.keys().map(Cow::as_ref));
                let or = "add it to \"categories\" or name one that is there";
                format!("{what} is in the category {}, which does not exist; {}", quoted(&text), meant(near, or))
            });
            return None;
        }
        match text.parse() {
            Ok(id) => Some(id),
            // A listed one was named as wrong in its list.
            Err(_) if known.is_some() => None,
            Err(error) => {
                self.source.error(self.source.place(raw), || format!("{what}: category {} is {error}", quoted(&text)));
                None
            }
        }
    }

    fn groups_of(&mut self, raw: Raw<'a>, what: &str, known: &Seen<'a>) -> Vec<GroupId> {
        let expected = "a list of ids of option groups, such as [\"size\", \"topping\"]";
        let list = self.source.list(raw, what, "option_groups", expected, MOST_GROUPS_OF_PRODUCT).unwrap_or_default();
        let mut groups: Vec<GroupId> = Vec::with_capacity(list.len());
        for raw in list {
            let Some(text) = self.source.text(raw, what, "option_groups", expected) else { continue };
            if !known.contains_key(&text) {
                self.source.error(self.source.place(raw), || {
                    let near = nearest(&text, known.keys().map(Cow::as_ref));
                    let or = "add it to \"option_groups\" or remove it here";
                    format!(
                        "{what} names the option group {}, which does not exist; {}",
                        quoted(&text),
                        meant(near, or)
                    )
                });
            } else if groups.iter().any(|group| group.as_str() == text) {
                self.source.error(self.source.place(raw), || {
                    format!("{what} names the option group {} twice; remove one", quoted(&text))
                });
            } else {
                // One that is listed but is no id was named as wrong in its list.
                groups.extend(text.parse().ok());
            }
        }
        groups
    }

    fn description(&mut self, raw: Raw<'a>, what: &str) -> BTreeMap<Language, String> {
        let expected = "a sentence by language, such as {\"en\": \"Tomato and basil\"}";
        let mut description = BTreeMap::new();
        for field in self.source.fields(raw, &format!("{what}, \"description\""), expected).unwrap_or_default() {
            let language = self.spoken(&field, what, "description");
            let text =
                self.source.long_words(field.value, what, "description", A_NAME, LONGEST_DESCRIPTION, &['\n', '\t']);
            if let (Some(language), Some(text)) = (language, text)
                && description.insert(language, text).is_some()
            {
                self.source.error(field.at, || format!("{what}: language \"{language}\" stands twice; remove one"));
            }
        }
        description
    }

    fn allergens(&mut self, raw: Raw<'a>, what: &str) -> Vec<String> {
        let expected = "a list of allergens, such as [\"gluten\", \"milk\"], or [] for none";
        let list = self.source.list(raw, what, "allergens", expected, MOST_TAGS).unwrap_or_default();
        let mut allergens = Vec::with_capacity(list.len());
        for raw in list {
            let Some(text) = self.source.words(raw, what, "allergens", expected, LONGEST_TAG) else { continue };
            if !ALLERGENS.contains(&text.as_str()) {
                self.source.warning(self.source.place(raw), || {
                    let or = format!("the keys are {}", ALLERGENS.join(", "));
                    let near = nearest(&text, ALLERGENS.into_iter());
                    format!("{what}: allergen {} is not one that has a name; {}", quoted(&text), meant(near, &or))
                });
            }
            allergens.push(text);
        }
        allergens
    }

    fn tags(&mut self, object: &Object<'a>, key: &str, expected: &str) -> Vec<String> {
        self.source.all_words(object, key, expected, MOST_TAGS, LONGEST_TAG).into_iter().map(|(_, tag)| tag).collect()
    }

    fn names(&mut self, object: &Object<'a>) -> Option<Names> {
        let what = &object.what;
        let raw = self.source.required(object, "names", NAMES)?;
        let fields = self.source.fields(raw, &format!("{what}, \"names\""), NAMES)?;
        if fields.is_empty() {
            self.source.error(self.source.place(raw), || format!("{what} has no name; write {NAMES}"));
        }
        let mut names = BTreeMap::new();
        for field in fields {
            let language = self.spoken(&field, what, "names");
            let expected = "a list of names for each language, such as [\"Margherita\"]";
            let Some(list) = self.source.list(field.value, what, "names", expected, MOST_NAMES) else { continue };
            if list.is_empty() {
                self.source.error(self.source.place(field.value), || {
                    format!("{what} has an empty list of names in {}; write a name or remove it", quoted(&field.key))
                });
            }
            let mut of_language = Vec::with_capacity(list.len());
            for raw in list {
                of_language.extend(self.source.words(raw, what, "names", A_NAME, LONGEST_NAME));
            }
            if let Some(language) = language
                && names.insert(language, of_language).is_some()
            {
                self.source.error(field.at, || {
                    format!("{what}: language \"{language}\" stands twice; put its names in one list")
                });
            }
        }
        Some(Names(names))
    }

    /// The language that a field's key names.
    fn spoken(&mut self, field: &Field<'a>, what: &str, key: &str) -> Option<Language> {
        let language = self.source.language(&field.key, field.at, what)?;
        match &self.listed {
            Some(listed) if !listed.contains(&language) => {
                if self.unlisted.insert(language) {
                    let tags: Vec<String> = listed.iter().map(ToString::to_string).collect();
                    self.source.warning(field.at, || {
                        let near = nearest(language.tag(), tags.iter().map(String::as_str));
                        let or = "add it there, or remove it here";
                        format!("{what}: \"{key}\" has \"{language}\", which \"languages\" lacks; {}", meant(near, or))
                    });
                }
            }
            Some(_) | None => {}
        }
        let first = self.spoken.entry(language).or_insert(field.at);
        *first = field.at.min(*first);
        Some(language)
    }

    /// The languages that the file lists, else those of its names in their order.
    fn all_languages(&self) -> Vec<Language> {
        if let Some(listed) = &self.listed {
            return listed.clone();
        }
        let mut spoken: Vec<(usize, Language)> = self.spoken.iter().map(|(&language, &at)| (at, language)).collect();
        spoken.sort_unstable();
        spoken.into_iter().map(|(_, language)| language).collect()
    }

    fn unused(&mut self, noun: &str, seen: &Seen<'a>, used: &HashSet<&str>) {
        // With errors about, what looks unused may only be misspelt where it is used.
        if self.source.errors > 0 {
            return;
        }
        for (id, &at) in seen {
            if !used.contains(id.as_ref()) {
                self.source.warning(at, || format!("{noun} {} is of no product", quoted(id)));
            }
        }
    }

    // Values.

    fn price(&mut self, raw: Raw<'a>, what: &str, key: &str) -> Option<Money> {
        self.amount(raw, what, key, 0)
    }

    /// An amount of at least so many minor units.
    fn amount(&mut self, raw: Raw<'a>, what: &str, key: &str, least: i64) -> Option<Money> {
        let text = self.source.text(raw, what, key, AN_AMOUNT)?;
        // Without a currency, which was named as missing, no amount can be judged.
        let currency = self.currency?;
        let (code, example) = (currency.code(), example_of(currency));
        let fault = match currency.amount(&text) {
            Ok(amount) if amount.in_minor() >= least => return Some(amount),
            Ok(_) => "is below zero; write 0 or more".to_owned(),
            Err(MoneyError::Decimals(0)) => format!("has decimals, and {code} has none; write such as \"{example}\""),
            Err(MoneyError::Decimals(n)) => {
                format!("has too many decimals, as {code} has {n}; write such as \"{example}\"")
            }
            Err(MoneyError::TooLarge) => "is too large".to_owned(),
            Err(MoneyError::Form | MoneyError::Mixed | MoneyError::Currency) if currency.decimals() == 0 => {
                format!("is not an amount; write digits alone, such as \"{example}\"")
            }
            Err(MoneyError::Form | MoneyError::Mixed | MoneyError::Currency) => {
                format!("is not an amount; write digits and a full stop, such as \"{example}\"")
            }
        };
        self.source.error(self.source.place(raw), || format!("{what}: {key} {} {fault}", quoted(&text)));
        None
    }
}

/// Headings for a file that lists none: its products' categories in their order, called by their ids.
fn categories_of(products: &[Product], language: Language) -> Vec<Category> {
    let mut seen = HashSet::new();
    let fresh = products.iter().filter(|product| seen.insert(&product.category));
    fresh
        .map(|product| {
            let words = product.category.as_str().replace('_', " ");
            let mut letters = words.chars();
            let name = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
            Category { id: product.category.clone(), names: Names(BTreeMap::from([(language, vec![name])])) }
        })
        .collect()
}

fn is_empty_list(list: &str) -> bool {
    list.strip_prefix('[').and_then(|l| l.strip_suffix(']')).is_some_and(|inner| inner.trim().is_empty())
}

fn example_of(currency: Currency) -> &'static str {
    match currency.decimals() {
        0 => "950",
        1 | 2 => "9.50",
        3 => "9.500",
        _ => "9.5000",
    }
}

/// ISO 4217, list one: the currencies that people pay with.
const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN \
    BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD \
    HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD \
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON \
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX \
    USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file with every key that there is, laid out as `write` does it.
    pub(in crate::catalog) const EVERYTHING: &str = r#"{
  "merchant": "Trattoria Uno",
  "currency": "EUR",
  "languages": ["nb", "en"],
  "timezone": "Europe/Oslo",
  "hours": {
    "mon": ["11:00-14:30", "16:30-23:00"],
    "tue": ["11:00-14:30", "16:30-00:00"],
    "wed": ["00:00-24:00"],
    "thu": [],
    "fri": ["16:30-01:00"],
    "sat": ["16:30-01:00"],
    "sun": [],
    "exceptions": {"2026-12-24": ["11:00-15:00"], "2026-12-25": []}
  },
  "zones": [
    {
      "id": "centre",
      "names": {"en": ["City centre"], "nb": ["Sentrum"]},
      "postcodes": ["0150-0199", "0250"],
      "areas": ["Grünerløkka"],
      "fee": "2.90",
      "minimum": "12.00",
      "free_from": "30.00"
    },
    {"id": "islands", "names": {"en": ["Islands"]}, "areas": ["Hovedøya"], "fee": "0.00"}
  ],
  "categories": [
    {"id": "pizza", "names": {"en": ["Pizzas", "pizza"], "nb": ["Pizza"]}},
    {"id": "drink", "names": {"en": ["Drinks"]}}
  ],
  "products": [
    {
      "id": "margherita",
      "category": "pizza",
      "names": {"en": ["Margherita", "margarita pizza"], "nb": ["Margherita"]},
      "description": {"en": "Tomato, \"mozzarella\"\nand basil", "nb": "Tomat, mozzarella, basilikum"},
      "price": "9.50",
      "option_groups": ["size", "topping"],
      "available": false,
      "allergens": ["gluten", "milk"],
      "tags": ["vegetarian"],
      "interests": ["cheese"],
      "image": "https://example.org/margherita.jpg"
    },
    {"id": "water", "category": "drink", "names": {"en": ["Water"]}, "price": "0.00", "allergens": []}
  ],
  "option_groups": [
    {
      "id": "size",
      "names": {"en": ["size"]},
      "min": 1,
      "max": 1,
      "choices": [
        {"id": "medium", "names": {"en": ["medium"]}, "price": "0.00", "default": true},
        {"id": "large", "names": {"en": ["large", "big"], "nb": ["stor"]}, "price": "3.00"}
      ]
    },
    {
      "id": "topping",
      "names": {"en": ["topping"]},
      "min": 0,
      "choices": [
        {"id": "olives", "names": {"en": ["olives"]}, "price": "1.00", "available": false, "allergens": ["sulphites"]}
      ]
    }
  ]
}
"#;

    const SMALL: &str = r#"{ "merchant": "Trattoria Uno", "currency": "EUR", "languages": ["en", "nb"],
  "products": [
    { "id": "diavola", "category": "pizza", "names": {"en": ["Diavola"]}, "price": "9.50",
      "option_groups": ["size"] },
    { "id": "cola", "category": "soft_drinks", "names": {"en": ["Cola"]}, "price": "2.50" } ],
  "option_groups": [
    { "id": "size", "names": {"en": ["size"]}, "min": 0, "max": 1,
      "choices": [ {"id": "large", "names": {"en": ["large"]}, "price": "3.00"} ] } ] }
"#;

    /// Mends the small file into a wrong one, whose findings must be these. A `«` marks the place of each in its order.
    #[track_caller]
    fn expect(from: &str, to: &str, expected: &[&str]) {
        assert!(SMALL.contains(from), "{from}");
        expect_of(&SMALL.replacen(from, to, 1), expected);
    }

    #[track_caller]
    fn expect_of(marked: &str, expected: &[&str]) {
        let mut places = Vec::new();
        for (n, line) in marked.lines().enumerate() {
            let marks = line.chars().enumerate().filter(|(_, c)| *c == '«').enumerate();
            places.extend(marks.map(|(before, (at, _))| format!("{}:{}: ", n + 1, at - before + 1)));
        }
        assert_eq!(places.len(), expected.len(), "one mark for each finding");
        let expected: Vec<String> = places.into_iter().zip(expected).map(|(place, text)| place + text).collect();
        assert_eq!(of(&marked.replace('«', "")), expected);
    }

    fn of(text: &str) -> Vec<String> {
        match read(text) {
            Ok((_, findings)) | Err(findings) => findings.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn everything_is_read() {
        let (catalog, warnings) = read(EVERYTHING).unwrap();
        assert_eq!(warnings, []);
        let pizza = &catalog.products[0];
        assert_eq!((pizza.price.in_minor(), pizza.available, pizza.groups.len()), (950, false, 2));
        assert_eq!(pizza.description[&"en".parse().unwrap()], "Tomato, \"mozzarella\"\nand basil");
        assert_eq!(catalog.products[1].allergens, Some(vec![]));
        assert_eq!(catalog.groups_of(pizza).count(), 2);
        assert_eq!(catalog.zones[1].minimum, catalog.currency.zero());
        assert_eq!((catalog.group(&pizza.groups[0]).unwrap().max, catalog.groups[1].max), (Some(1), None));
        assert!(catalog.groups[0].choices[0].default && !catalog.groups[1].choices[0].available);
        assert_eq!(catalog.hours.unwrap().zone_name(), "Europe/Oslo");
    }

    #[test]
    fn what_may_be_left_out() {
        let small = SMALL.replace(r#", "languages": ["en", "nb"]"#, "");
        let (catalog, warnings) = read(&format!("\u{feff}{small}")).unwrap();
        assert_eq!(warnings, []);
        assert_eq!(catalog.languages, [Language::ENGLISH]);
        let names: Vec<_> = catalog.categories.iter().map(|c| c.names.shown(Language::ENGLISH)).collect();
        assert_eq!(names, ["Pizza", "Soft drinks"]);
        assert!(catalog.hours.is_none() && catalog.zones.is_empty());
        let swedish = small.replace(r#"{"en": ["Cola"]}"#, r#"{"sv": ["Cola"], "en": ["Cola"]}"#);
        assert_eq!(read(&swedish).unwrap().0.languages, [Language::ENGLISH, "sv".parse().unwrap()]);
        expect(r#""price": "2.50""#, r#""price": "2.50", "image": null, "available": null"#, &[]);
        expect(r#", "price": "3.00""#, "", &[]);
        expect("EUR", "eur", &[]);
    }

    #[test]
    fn prices() {
        for (price, fault) in [
            ("9,50", "is not an amount; write digits and a full stop, such as \"9.50\""),
            ("€9", "is not an amount; write digits and a full stop, such as \"9.50\""),
            ("-1", "is below zero; write 0 or more"),
            ("9.555", "has too many decimals, as EUR has 2; write such as \"9.50\""),
            ("99999999999999999999", "is too large"),
        ] {
            let to = format!("\"price\": «\"{price}\"");
            let message = format!("error: product \"diavola\": price \"{price}\" {fault}");
            expect("\"price\": \"9.50\"", &to, &[message.as_str()]);
        }
        expect(
            r#""price": "9.50""#,
            r#""price": «9.50"#,
            &["error: product \"diavola\": \"price\" must be an amount in quotes, such as \"9.50\", not a number"],
        );
        expect(
            r#"{ "id": "cola", "category": "soft_drinks", "names": {"en": ["Cola"]}, "price": "2.50" }"#,
            r#"«{ "id": "cola", "category": "soft_drinks", "names": {"en": ["Cola"]}, "price": null }"#,
            &["error: product \"cola\" lacks \"price\"; write an amount in quotes, such as \"9.50\""],
        );
        expect(
            r#""price": "3.00""#,
            r#""price": «"3 EUR""#,
            &[
                "error: option group \"size\", choice \"large\": price \"3 EUR\" is not an amount; write digits and a full \
               stop, such as \"9.50\"",
            ],
        );
        let yen = of(&SMALL.replace("EUR", "JPY"));
        assert_eq!(yen.len(), 2);
        assert!(yen[0].ends_with("price \"9.50\" has decimals, and JPY has none; write such as \"950\""), "{}", yen[0]);
    }

    #[test]
    fn halves_are_the_products_of_a_category() {
        let with = |halves: &str| {
            SMALL.replace(r#""option_groups": ["size"]"#, r#""option_groups": ["size", "halves"]"#).replace(
                "\"option_groups\": [\n    {",
                &format!(r#""option_groups": [ {{"id": "halves", "names": {{"en": ["halves"]}}, {halves} }}, {{"#),
            )
        };
        let text = with(r#""halves": {"of": "soft_drinks", "price": "average"}"#);
        let findings = of(&text);
        assert!(
            findings.iter().any(|f| f.contains("fewer than two products of category \"soft_drinks\" can be halved")),
            "{findings:?}"
        );
        let findings = of(&with(r#""min": 2, "halves": {"of": "soft_drinks", "price": "cheapest"}"#));
        assert!(
            findings.iter().any(|f| f.contains("there are always two") && f.ends_with("remove \"min\"")),
            "{findings:?}"
        );
        let said = "price \"cheapest\" is not known; write \"dearest\" or \"average\"";
        assert!(findings.iter().any(|f| f.ends_with(said)), "{findings:?}");
        let twice = with(r#""halves": {"of": "soft_drinks", "price": "average"}"#);
        let twice = twice.replacen(
            r#""category": "soft_drinks","#,
            r#""category": "soft_drinks", "option_groups": ["halves"],"#,
            1,
        );
        let findings = of(&twice);
        assert!(
            findings.iter().any(|f| f.contains("one product is made of its halves, and of no others")),
            "{findings:?}"
        );
        let sample = include_str!("../../config/samples/pizzeria/catalog.json");
        let (catalog, _) = read(sample).unwrap();
        let halves = catalog.group(&"halves".parse().unwrap()).unwrap();
        let pizzas = catalog.products.iter().filter(|p| p.category.as_str() == "pizza").count();
        assert_eq!((halves.min, halves.max, halves.choices.len()), (2, Some(2), pizzas - 1), "all but itself");
        assert_eq!(read(&super::super::write::write(&catalog)).unwrap().0, catalog);
    }

    #[test]
    fn ids_and_references() {
        let groups = r#"["size"]"#;
        expect(
            groups,
            r#"[«"sizes"]"#,
            &[
                "error: product \"diavola\" names the option group \"sizes\", which does not exist; did you mean \"size\"?",
            ],
        );
        expect(
            groups,
            r#"["size", «"size", «"colour"]"#,
            &[
                "error: product \"diavola\" names the option group \"size\" twice; remove one",
                "error: product \"diavola\" names the option group \"colour\", which does not exist; add it to \
                 \"option_groups\" or remove it here",
            ],
        );
        let id = r#""id": "cola""#;
        expect(
            id,
            r#""id": «"diavola""#,
            &["error: product id \"diavola\" stands twice (first at line 3); give one of them another id"],
        );
        expect(
            id,
            r#""id": «" två ord""#,
            &["error: product id \" två ord\" is not an id; write at most 80 bytes without line breaks or blanks at \
               the ends"],
        );
        expect(
            r#"{ "id": "cola", "category""#,
            r#"«{ "category""#,
            &["error: product number 2 lacks \"id\"; write an id in quotes, such as \"margherita\""],
        );
        expect(
            r#"{"id": "large""#,
            r#"{"id": "large", "names": {"en": ["L"]}}, {"id": «"large""#,
            &["error: choice id \"large\" of option group \"size\" stands twice (first at line 8); give one of them \
               another id"],
        );
        expect(
            r#""category": "pizza""#,
            r#""category": «"Pizza & co ""#,
            &[
                "error: product \"diavola\": category \"Pizza & co \" is not an id; write at most 80 bytes without line \
               breaks or blanks at the ends",
            ],
        );
        let listed = r#""categories": [{"id": "pizzas", "names": {"en": ["P"]}}, {"id": "soft_drinks", "names": {"en": ["D"]}}],
            "products""#;
        let small = SMALL.replace("\"products\"", listed);
        expect_of(
            &small.replace(r#""pizza""#, r#"«"pizza""#),
            &[
                "error: product \"diavola\" is in the category \"pizza\", which does not exist; did you mean \"pizzas\"?",
            ],
        );
        expect_of(
            &small.replace(r#""pizza""#, r#""soft_drinks""#).replace(r#""pizzas""#, r#"«"pizzas""#),
            &["warning: category \"pizzas\" is of no product"],
        );
    }

    #[test]
    fn groups() {
        let counts = r#""min": 0, "max": 1"#;
        for (to, fault) in [
            (r#"«"min": 2, "max": 1"#, "min 2 is more than max 1; lower min or raise max"),
            (r#"«"min": 3"#, "min 3 is more than the number of its choices, 1; lower min or add choices"),
            (r#"«"max": 0"#, "max 0 allows no choice; write 1 or more, or leave it out for no limit"),
            (r#""min": «-1"#, "\"min\" must be a whole number without quotes, such as 1, not a number"),
            (r#""max": «"1""#, "\"max\" must be a whole number without quotes, such as 1, not a text"),
        ] {
            let message = format!("error: option group \"size\": {fault}");
            expect(counts, to, &[message.as_str()]);
        }
        let two = r#"[ {"id": "small", "names": {"en": ["small"]}, "default": true}, {"default": true, "id": "large""#;
        let small = SMALL.replace(r#"[ {"id": "large""#, two);
        expect_of(
            &small.replace("\"max\"", "«\"max\""),
            &["error: option group \"size\": 2 choices are default, but max is 1; leave \"default\" to 1 of them"],
        );
        expect_of(
            &small.replace(r#""default": true, "#, "").replace(counts, r#"«"min": 2"#),
            &[
                "warning: option group \"size\": min is 2, but only 1 of its choices are default; customers are asked for \
               the rest",
            ],
        );
        expect(
            r#""price": "3.00""#,
            r#""default": «"yes""#,
            &[
                "error: option group \"size\", choice \"large\": \"default\" must be true or false, without quotes, not a \
               text",
            ],
        );
        expect(
            r#"[ {"id": "large", "names": {"en": ["large"]}, "price": "3.00"} ]"#,
            "«[ ]",
            &["error: option group \"size\" has no choices; write at least one, or remove the group"],
        );
        let unused = SMALL.replace(
            r#", "price": "9.50",
      "option_groups": ["size"]"#,
            r#", "price": "9.50""#,
        );
        expect_of(
            &unused.replace(r#""id": "size""#, r#""id": «"size""#),
            &["warning: option group \"size\" is of no product"],
        );
    }

    #[test]
    fn names_and_languages() {
        let names = r#"{"en": ["Cola"]}"#;
        let long = format!("{{\"en\": [«\"{}\"]}}", "é".repeat(201));
        for (to, fault) in [
            ("«{}", " has no name; write names by language, such as {\"en\": [\"Margherita\"]}"),
            (r#"{"en": «[]}"#, " has an empty list of names in \"en\"; write a name or remove it"),
            (r#"{"en": [«"  "]}"#, ": a text of \"names\" is empty; write something or remove it"),
            (
                r#"{"en": «"Cola"}"#,
                ": \"names\" must be a list of names for each language, such as [\"Margherita\"], not a text",
            ),
            (r#"«["Cola"]"#, ", \"names\" must be names by language, such as {\"en\": [\"Margherita\"]}, not a list"),
            (
                r#"{"en": [«"Co\nla"]}"#,
                ": a text of \"names\" has a line break or another control character; remove it",
            ),
            (
                r#"{"en": [«"Co\ud800la"]}"#,
                ": a text of \"names\" cannot be read: unexpected end of hex escape; write the character itself",
            ),
            (&long, ": a text of \"names\" is too long: 201 characters, and it can have 200"),
            (
                r#"{«"english": ["Cola"]}"#,
                ": \"english\" is not a language tag; write a BCP 47 tag such as \"en\" or \"nb\"",
            ),
            (r#"{"en": ["Cola"], «"EN": ["Coke"]}"#, ": language \"en\" stands twice; put its names in one list"),
        ] {
            let message = format!("error: product \"cola\"{fault}");
            expect(names, to, &[message.as_str()]);
        }
        expect(
            names,
            r#"{«"ne": ["Cola"]}"#,
            &[
                "warning: product \"cola\": \"names\" has \"ne\", which \"languages\" lacks; add it there, or remove it here",
            ],
        );
        expect(r#"["en", "nb"]"#, r#"["en", «"en"]"#, &["error: language \"en\" stands twice; remove one"]);
        expect(r#""EUR""#, r#"«"EURO""#, &["error: currency \"EURO\" is not known; did you mean \"EUR\"?"]);
        expect(
            r#"{ "merchant": "Trattoria Uno", "currency": "EUR", "#,
            r#"«{ "merchant": "Trattoria Uno", "#,
            &["error: the file lacks \"currency\"; write three letters in quotes, such as \"EUR\""],
        );
    }

    #[test]
    fn keys() {
        let price = r#""price": "2.50""#;
        expect(
            price,
            r#""price": "2.50", «"avaliable": false"#,
            &[
                "warning: product \"cola\" has the key \"avaliable\", which is not known here; did you mean \"available\"?",
            ],
        );
        expect(
            price,
            r#""price": "2.50", "\u0071q": «0"#,
            &["warning: product \"cola\" has the key \"qq\", which is not known here; it is left aside"],
        );
        expect(
            price,
            r#""price": "2.50", «"price": "3""#,
            &["error: product number 2: the key \"price\" stands twice; remove one"],
        );
        expect(
            price,
            r#""price": "2.50", "allergens": [«"milc", «"dust"]"#,
            &[
                "warning: product \"cola\": allergen \"milc\" is not one that has a name; did you mean \"milk\"?",
                "warning: product \"cola\": allergen \"dust\" is not one that has a name; the keys are gluten, \
                 crustaceans, egg, fish, peanuts, soy, milk, nuts, celery, mustard, sesame, sulphites, lupin, molluscs",
            ],
        );
        let empty = r#"{"merchant": "M", "currency": "EUR", "products": «[]}"#;
        expect_of(empty, &["error: there are no products; write at least one"]);
        let strange = r#"{"merchant": "M", "currency": "EUR", "products": [«7, «"cola"]}"#;
        expect_of(
            strange,
            &[
                "error: product number 1 must be {…} with an \"id\", not a number",
                "error: product number 2 must be {…} with an \"id\", not a text",
            ],
        );
    }

    #[test]
    fn hours_and_zones() {
        let top = "\"products\"";
        let with = |extra: &str| SMALL.replace(top, &format!("{extra}, {top}"));
        expect_of(
            &with(r#""hours": «{"mon": ["11:00-12:00"]}"#),
            &["error: \"hours\" needs \"timezone\" beside it; write the shop's time zone, such as \"Europe/Oslo\""],
        );
        expect_of(
            &with(r#""timezone": «"Europe/Olso""#),
            &["error: \"Europe/Olso\" is not a time zone; did you mean \"Europe/Oslo\"?"],
        );
        let hours = r#""timezone": "UTC", "hours": {"mon": [«"11-14"], «"tuesday": [], «"tue": ["11:00-14:00", "13:00-15:00"],
            "exceptions": {«"24.12.": []}}"#;
        expect_of(
            &with(hours),
            &[
                "error: the hours, \"mon\": \"11-14\" is not a period; write two times of the day, such as \"11:00-14:30\"",
                "error: the hours have no day \"tuesday\"; did you mean \"tue\"?",
                "error: the hours: \"tue\": 13:00-15:00 begins before 11:00-14:00 has ended; make them one, or end one \
                 before the other begins",
                "error: the hours: \"24.12.\" is not a date; write year, month and day, such as \"2026-12-24\"",
            ],
        );
        expect_of(
            &with(r#""timezone": "UTC", "hours": «{"mon": []}"#),
            &[
                "error: the hours: no period is named; write such as \"mon\": [\"11:00-23:00\"], or leave the hours out \
               if the shop is always open",
            ],
        );
        let zones = r#""zones": [{"id": "a", "names": {"en": ["A"]}, "postcodes": ["0150", «"0199-0160"], "fee": «"x"},
            {"id": "b", "names": {"en": ["B"]}, "postcodes": [«"0150"], "fee": "1"},
            «{"id": "c", "names": {"en": ["C"]}, "postcodes": [ ], "fee": "1"}]"#;
        expect_of(
            &with(zones),
            &[
                "error: zone \"a\": postcode \"0199-0160\" is a range that ends before it begins; write the smaller end \
                 first",
                "error: zone \"a\": fee \"x\" is not an amount; write digits and a full stop, such as \"9.50\"",
                "warning: zone \"b\": postcode \"0150\" is that of zone \"a\" too, which comes first",
                "error: zone \"c\" has neither postcodes nor areas, so no address is in it; write such as \"postcodes\": \
                 [\"0150-0199\"]",
            ],
        );
    }

    #[test]
    fn syntax_errors_have_a_place() {
        for (from, to, message) in [
            (r#"Uno", "curr"#, r#"Uno" «"curr"#, "a comma or a closing bracket is missing before this"),
            (r#""2.50" }"#, r#""2.50", «}"#, "a comma stands before a closing bracket; remove the comma"),
            (r#"["size"]"#, r#"["size", «]"#, "a comma stands before a closing bracket; remove the comma"),
            (r#""2.50" }"#, r#""2.50" } «// new"#, "a comment stands here, which JSON does not have; remove it"),
            (r#""2.50""#, "«“2.50”", "a wrong quotation mark stands here; write \""),
            (r#""price": "2.50""#, r#""price" «"2.50""#, "a colon is missing before this"),
            (r#""price": "2.50""#, r#"«price: "2.50""#, "a key in quotation marks is missing here"),
            (r#""price": "2.50""#, r#""price": «Free"#, "this is not JSON: expected value"),
            (
                "} ] } ] }",
                "} ] } ] } «}",
                "the file goes on after its end; remove what follows the last bracket, or put the brackets right",
            ),
        ] {
            let message = format!("error: {message}");
            expect(from, to, &[message.as_str()]);
        }
        assert_eq!(
            of(&SMALL.replace("\"2.50\"", "\"2.50")),
            ["5:93: error: a text goes on in the next line; close its quotation mark, or write \\n for a line break"]
        );
        assert_eq!(
            of(SMALL.trim_end().trim_end_matches('}')),
            ["8:86: error: the file ends too early: a bracket or a quotation mark is not closed"]
        );
        assert_eq!(of(""), ["1:1: error: the file is empty"]);
        assert_eq!(of("[]"), ["1:1: error: the file must be an object, {…}, not a list"]);
    }

    #[test]
    fn a_file_that_is_wrong_all_over_says_enough() {
        let product = r#"{"id": "x", "names": {"en": [""]}, "price": 1, "colour": "red"},"#;
        let file = format!(r#"{{"merchant": "M", "currency": "EUR", "products": [{}{{}}]}}"#, product.repeat(30_000));
        let found = read(&file).unwrap_err();
        assert_eq!(found.iter().filter(|f| f.severity == Severity::Error).count(), MOST_FINDINGS);
        assert_eq!(found.len(), 2 * MOST_FINDINGS);
        assert!(found.is_sorted());
        let deep = "[".repeat(1_000_000);
        assert_eq!(of(&deep).len(), 1);
    }

    #[test]
    fn limits_are_said() {
        let file =
            format!(r#"{{"merchant": "M", "currency": "EUR", "products": [{}{{}}]}}"#, "{},".repeat(MOST_PRODUCTS));
        assert_eq!(
            of(&file),
            ["1:50: error: the file: \"products\" has 100001 entries, and can have 100000; remove some"]
        );
        let file = " ".repeat(LARGEST_FILE + 1);
        assert_eq!(of(&file), ["1:1: error: the file is too large; it can have 64 MiB"]);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_in_a_file_is_answered(
            at in 0..EVERYTHING.len(), length in 0..12_usize, piece in "[\\PC\n\"{}\\[\\],:]{0,6}",
        ) {
            let mut bytes = EVERYTHING.as_bytes().to_vec();
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, piece.bytes());
            let text = String::from_utf8_lossy(&bytes);
            match read(&text) {
                Ok((catalog, _)) => proptest::prop_assert_eq!(&read(&super::super::write::write(&catalog)).unwrap().0, &catalog),
                Err(findings) => proptest::prop_assert!(!findings.is_empty()),
            }
        }
    }
}
