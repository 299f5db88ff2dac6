//! What the engine keeps of a catalogue: its lists by place, so that readings compare numbers rather than names.

use foldhash::HashMap;

use super::{
    edits::Known,
    names::{NameWords, WordId},
    text,
};
use crate::{
    cart::{ChoiceKey, Line, Pick, ProductKey},
    catalog::{Catalog, Choice, Names},
    id::{ChoiceId, GroupId, ProductId},
    language::Language,
};

/// Products, groups and choices by place.
pub struct Shop {
    /// In catalogue order.
    pub products: Vec<ProductId>,
    /// Each product's names in every language, in folded words.
    pub names: Vec<Spoken>,
    /// For each word of names the products that have it, in ascending order.
    having: Vec<Vec<u32>>,
    /// Places of each product's groups.
    pub groups_of: Vec<Vec<usize>>,
    /// In catalogue order.
    pub groups: Vec<ShopGroup>,
    /// Products that are made of halves.
    pub halved: Vec<Halved>,
    /// The shop's languages.
    pub languages: Vec<Language>,
    product_at: HashMap<ProductId, usize>,
    group_at: HashMap<GroupId, usize>,
}

/// A group of choices.
pub struct ShopGroup {
    /// Its id.
    pub id: GroupId,
    /// Whether one choice drives out another.
    pub exclusive: bool,
    /// How many of it must be asked for where nothing of it was said; 0 where it need not be asked for.
    pub asked_for: u32,
    /// In file order.
    pub choices: Vec<ChoiceId>,
    /// Each choice's names in every language, in folded words.
    pub names: Vec<Spoken>,
    /// The numbers with which each choice's names begin, with a full stop for decimals.
    numbers: Vec<Vec<String>>,
}

/// A product that is made of halves of others.
pub struct Halved {
    /// Its place.
    pub product: usize,
    /// Its group of halves.
    pub group: usize,
    /// For each half the product that it is half of.
    pub of: Vec<Option<usize>>,
}

/// The names of a thing as rows of words.
pub type Spoken = Box<[Box<[WordId]>]>;

impl Shop {
    /// Takes from a catalogue what readings need; numbers the words of its products and choices.
    pub fn of(catalog: &Catalog, words: &mut NameWords) -> Shop {
        let mut spoken = |names: &Names| -> Spoken {
            let mut row = |name: &str| text::words(name).iter().map(|word| words.id(word)).collect();
            names.all().map(|(_, name)| row(name)).collect()
        };
        let group_at: HashMap<GroupId, usize> =
            catalog.groups.iter().enumerate().map(|(at, group)| (group.id.clone(), at)).collect();
        let product_at: HashMap<ProductId, usize> =
            catalog.products.iter().enumerate().map(|(at, p)| (p.id.clone(), at)).collect();
        let halved = catalog.products.iter().enumerate().filter_map(|(at, product)| {
            let group = catalog.groups_of(product).find(|group| group.halves.is_some())?;
            let place = |choice: &Choice| {
                choice.id.as_str().parse().ok().and_then(|id: ProductId| product_at.get(&id).copied())
            };
            Some(Halved { product: at, group: group_at[&group.id], of: group.choices.iter().map(place).collect() })
        });
        let names: Vec<Spoken> = catalog.products.iter().map(|p| spoken(&p.names)).collect();
        let mut having: Vec<Vec<u32>> = Vec::new();
        for (at, names) in names.iter().enumerate() {
            for &word in names.iter().flat_map(|name| name.iter()) {
                let word = word as usize;
                having.resize(having.len().max(word + 1), Vec::new());
                if having[word].last() != Some(&(at as u32)) {
                    having[word].push(at as u32);
                }
            }
        }
        Shop {
            having,
            halved: halved.collect(),
            products: catalog.products.iter().map(|p| p.id.clone()).collect(),
            names,
            groups_of: catalog
                .products
                .iter()
                .map(|p| p.groups.iter().filter_map(|id| group_at.get(id).copied()).collect())
                .collect(),
            groups: catalog
                .groups
                .iter()
                .map(|group| ShopGroup {
                    id: group.id.clone(),
                    exclusive: group.max == Some(1),
                    asked_for: if group.must_be_asked() { group.min } else { 0 },
                    choices: group.choices.iter().map(|choice| choice.id.clone()).collect(),
                    names: group.choices.iter().map(|choice| spoken(&choice.names)).collect(),
                    numbers: group.choices.iter().map(|choice| leading_numbers(&choice.names)).collect(),
                })
                .collect(),
            languages: catalog.languages.clone(),
            product_at,
            group_at,
        }
    }

    /// The products that have a word in a name.
    pub fn having(&self, word: WordId) -> &[u32] {
        self.having.get(word as usize).map_or(&[], |products| products)
    }

    /// The product that is made of halves of these two, with its halves as choices.
    pub fn halved(&self, a: &[usize], b: &[usize]) -> Option<(usize, [(usize, usize); 2])> {
        self.halved.iter().find_map(|halved| {
            let half = |products: &[usize]| {
                let at = halved.of.iter().position(|of| of.is_some_and(|of| products.contains(&of)))?;
                Some((halved.group, at))
            };
            Some((halved.product, [half(a)?, half(b)?]))
        })
    }

    /// Whether the product is made of halves.
    pub fn is_halved(&self, product: usize) -> bool {
        self.halved.iter().any(|halved| halved.product == product)
    }

    /// The product that a choice of a group of halves is half of.
    pub fn half_of(&self, group: usize, choice: usize) -> Option<ProductId> {
        let halved = self.halved.iter().find(|halved| halved.group == group)?;
        Some(self.products[halved.of[choice]?].clone())
    }

    /// The product that a group of halves makes; `None` of any other group.
    pub fn makes(&self, group: usize) -> Option<usize> {
        self.halved.iter().find(|halved| halved.group == group).map(|halved| halved.product)
    }

    /// The halves of a product's group that these products stand for.
    pub fn halves_of(&self, group: usize, products: &[usize]) -> Vec<(usize, usize)> {
        let Some(halved) = self.halved.iter().find(|halved| halved.group == group) else { return Vec::new() };
        let stands = |of: &Option<usize>| of.is_some_and(|of| products.contains(&of));
        (0..halved.of.len()).filter(|&at| stands(&halved.of[at])).map(|at| (group, at)).collect()
    }

    /// Those of the choices that any of the products can have.
    pub fn fitting(&self, products: &[usize], choices: &[(usize, usize)]) -> Vec<(usize, usize)> {
        choices
            .iter()
            .filter(|(group, _)| products.iter().any(|&product| self.groups_of[product].contains(group)))
            .copied()
            .collect()
    }

    /// The choices of products whose name begins with a number, as that is written with a full stop for decimals.
    pub fn numbered(&self, products: &[usize], number: &str) -> Vec<(usize, usize)> {
        let mut groups: Vec<usize> = products.iter().flat_map(|&product| self.groups_of[product].clone()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
            .into_iter()
            .flat_map(|group| {
                let numbers = &self.groups[group].numbers;
                (0..numbers.len())
                    .filter(move |&at| numbers[at].iter().any(|own| own == number))
                    .map(move |at| (group, at))
            })
            .collect()
    }

    /// Whether all the choices are of groups that hold but one at a time.
    pub fn exclusive(&self, choices: &[(usize, usize)]) -> bool {
        choices.iter().all(|&(group, _)| self.groups[group].exclusive)
    }

    /// A product, or the question which of several.
    pub fn product_pick(&self, products: &[usize]) -> Pick<ProductKey> {
        match products {
            [one] => Pick::One(self.products[*one].clone()),
            several => Pick::OneOf(several.iter().map(|&at| self.products[at].clone()).collect()),
        }
    }

    /// A choice, or the question which of several; `None` where there is none.
    pub fn choice_pick(&self, choices: &[(usize, usize)]) -> Option<(GroupId, Pick<ChoiceKey>)> {
        let &(group, _) = choices.first()?;
        let id = |&(group, at): &(usize, usize)| self.groups[group].choices[at].clone();
        let mut ids: Vec<ChoiceId> = choices.iter().map(id).collect();
        ids.dedup();
        let pick = match ids.len() {
            1 => Pick::One(ids.remove(0)),
            _ => Pick::OneOf(ids),
        };
        Some((self.groups[group].id.clone(), pick))
    }

    /// The place of a product.
    pub fn product(&self, id: &ProductId) -> Option<usize> {
        self.product_at.get(id).copied()
    }

    /// The place of a group.
    pub fn group(&self, id: &GroupId) -> Option<usize> {
        self.group_at.get(id).copied()
    }

    /// What later words may say of a line.
    pub fn known(&self, line: &Line) -> Known {
        Known { products: self.products_of(line), quantity: line.quantity }
    }

    /// What a line's product may be.
    pub fn products_of(&self, line: &Line) -> Vec<usize> {
        match &line.product {
            Pick::One(id) => self.product(id).into_iter().collect(),
            Pick::OneOf(ids) => ids.iter().filter_map(|id| self.product(id)).collect(),
        }
    }
}

/// The numbers with which names begin, where they are written as numbers are.
fn leading_numbers(names: &Names) -> Vec<String> {
    let number = |name: &str| {
        let first = text::words(name).into_iter().next()?.replace(',', ".");
        let whole = |part: &str| part.parse::<u32>().is_ok_and(|number| number.to_string() == part);
        let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
        let is_number = match first.split_once('.') {
            Some((before, after)) => whole(before) && digits(after),
            None => whole(&first),
        };
        is_number.then_some(first)
    };
    names.all().filter_map(|(_, name)| number(name)).collect()
}
