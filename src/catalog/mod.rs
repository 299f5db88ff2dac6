//! What a shop sells: products, their options, categories, delivery zones and opening hours, as the merchant's
//! `catalog.json` states them. A [`Catalog`] is always whole: every reference holds, every id is unique, every price
//! is of its currency. [`read`] makes one from a file or says, by line, what to write instead.

use std::{collections::BTreeMap, collections::HashMap};

use crate::{
    calendar::Hours,
    id::{CategoryId, ChoiceId, GroupId, ProductId, ZoneId},
    language::Language,
    money::{Currency, Money},
};

pub mod read;
pub mod write;

/// A shop's whole assortment.
#[derive(Debug, Clone)]
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
    /// Allergens as the record says (EU 1169/2011 annex II keys); `None` where the file holds no record.
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
    /// What can be chosen.
    pub choices: Vec<Choice>,
}

/// One option of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Unique within its group.
    pub id: ChoiceId,
    /// What it is called.
    pub names: Names,
    /// Added to the product's price, once for each.
    pub price: Money,
    /// Taken where the customer names none of its group.
    pub default: bool,
    /// Whether it can be chosen now.
    pub available: bool,
}

/// An area that the shop delivers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Unique among the zones.
    pub id: ZoneId,
    /// What it is called.
    pub names: Names,
    /// Postcodes as written, or ranges `0150-0199` of equally long digits, both ends included.
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
