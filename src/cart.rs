//! What a customer wants: lines of products with their options, in the form of the fixed file formats. A cart knows no
//! prices; `quote` prices it.

use crate::id::{ChoiceId, GroupId, ProductId};

/// The lines of an order that is being made. Order of lines is the order in which they were said.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Cart {
    /// No two of them are equal in all but quantity: see [`Cart::add`].
    pub lines: Vec<Line>,
}

/// So many of one product with the same options.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Line {
    /// The product, or what it may be where the customer's word means several.
    #[serde(flatten)]
    pub product: Pick<ProductKey>,
    /// At least 1.
    #[serde(default = "one")]
    pub quantity: u32,
    /// Only those that the customer named. Their order means nothing.
    #[serde(default)]
    pub options: Vec<Chosen>,
}

/// An option of a line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Chosen {
    /// The group that it belongs to; where the choice is ambiguous across groups, the first candidate's.
    pub group: GroupId,
    /// The choice, or what it may be.
    #[serde(flatten)]
    pub choice: Pick<ChoiceKey>,
    /// Extra, light or as usual.
    #[serde(default, skip_serializing_if = "Amount::is_normal")]
    pub amount: Amount,
    /// A wish to leave the thing out. With [`Amount::Extra`]: no extra of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub without: bool,
    /// How many of the choice; at least 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u32,
    /// Of an item that is made of halves: the product whose half alone it is meant for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half: Option<ProductId>,
}

/// How much of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// As the shop makes it.
    #[default]
    Normal,
    /// More of it.
    Extra,
    /// Less of it.
    Light,
}

/// One thing, or the several that an ambiguous name may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick<K: Key> {
    /// Just this.
    One(K::Id),
    /// One of these, still to be asked; at least two, in catalogue order.
    OneOf(Vec<K::Id>),
}

/// The word under which a file holds an identifier.
pub trait Key {
    /// The identifier's type.
    type Id: serde::Serialize + serde::de::DeserializeOwned + Clone + PartialEq + Eq + std::fmt::Debug;
    /// The key in a file.
    const KEY: &'static str;
}

/// Lines hold `"product"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductKey;

/// Options hold `"choice"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceKey;

impl Key for ProductKey {
    type Id = ProductId;
    const KEY: &'static str = "product";
}

impl Key for ChoiceKey {
    type Id = ChoiceId;
    const KEY: &'static str = "choice";
}

impl Cart {
    /// Adds a line; an equal one takes its quantity instead. A sum beyond `u32` stays at the largest.
    pub fn add(&mut self, line: Line) {
        match self.lines.iter_mut().find(|old| old.same_thing(&line)) {
            Some(old) => old.quantity = old.quantity.saturating_add(line.quantity),
            None => self.lines.push(line),
        }
    }

    /// The same wishes with equal lines joined.
    pub fn joined(self) -> Cart {
        let mut cart = Cart::default();
        for line in self.lines {
            cart.add(line);
        }
        cart
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many items there are in all.
    pub fn items(&self) -> u32 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.quantity))
    }
}

impl Line {
    /// One of a product, as the shop makes it.
    pub fn of(product: ProductId) -> Line {
        Line { product: Pick::One(product), quantity: 1, options: Vec::new() }
    }

    /// Whether both name the same product with the same options, whatever their quantities.
    pub fn same_thing(&self, other: &Line) -> bool {
        self.product == other.product
            && self.options.len() == other.options.len()
            && self.options.iter().all(|option| other.options.contains(option))
    }
}

impl Chosen {
    /// A choice as it is, once.
    pub fn of(group: GroupId, choice: ChoiceId) -> Chosen {
        Chosen { group, choice: Pick::One(choice), amount: Amount::Normal, without: false, count: 1, half: None }
    }
}

impl<K: Key> Pick<K> {
    /// The thing, where it is settled.
    pub fn settled(&self) -> Option<&K::Id> {
        match self {
            Pick::One(id) => Some(id),
            Pick::OneOf(_) => None,
        }
    }
}

impl Amount {
    fn is_normal(&self) -> bool {
        *self == Amount::Normal
    }
}

impl<K: Key> serde::Serialize for Pick<K> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = s.serialize_map(Some(1))?;
        match self {
            Pick::One(id) => map.serialize_entry(K::KEY, id)?,
            Pick::OneOf(ids) => map.serialize_entry("one_of", ids)?,
        }
        map.end()
    }
}

impl<'de, K: Key> serde::Deserialize<'de> for Pick<K> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Pick<K>, D::Error> {
        struct Visitor<K>(std::marker::PhantomData<K>);
        impl<'de, K: Key> serde::de::Visitor<'de> for Visitor<K> {
            type Value = Pick<K>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "\"{}\" or \"one_of\"", K::KEY)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pick<K>, A::Error> {
                let mut found = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == K::KEY {
                        found = Some(Pick::One(map.next_value()?));
                    } else if key == "one_of" && found.is_none() {
                        found = Some(Pick::OneOf(map.next_value()?));
                    } else {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    }
                }
                found.ok_or_else(|| serde::de::Error::custom(format!("neither \"{}\" nor \"one_of\"", K::KEY)))
            }
        }
        d.deserialize_map(Visitor(std::marker::PhantomData))
    }
}

fn one() -> u32 {
    1
}

fn is_one(count: &u32) -> bool {
    *count == 1
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"product":"margherita","quantity":2,"options":[{"group":"size","choice":"large"},{"group":"topping","choice":"olives","without":true},{"group":"topping","choice":"cheese","amount":"extra"},{"group":"topping","choice":"shot","count":2}]}"#;

    #[test]
    fn lines_are_written_as_the_format_has_them() {
        let line: Line = serde_json::from_str(LINE).unwrap();
        assert_eq!(line.options[2].amount, Amount::Extra);
        assert_eq!(serde_json::to_string(&line).unwrap(), LINE);
        let text = r#"{"one_of":["a","b"],"quantity":1,"options":[{"group":"g","one_of":["x","y"]}]}"#;
        let line: Line = serde_json::from_str(text).unwrap();
        assert!(matches!(&line.product, Pick::OneOf(ids) if ids.len() == 2));
        assert_eq!(serde_json::to_string(&line).unwrap(), text);
        assert!(serde_json::from_str::<Line>(r#"{"quantity":1}"#).is_err());
    }

    #[test]
    fn equal_lines_become_one() {
        let mut line: Line = serde_json::from_str(LINE).unwrap();
        let mut cart = Cart { lines: vec![line.clone()] };
        line.options.reverse();
        cart.add(line.clone());
        assert_eq!((cart.lines.len(), cart.items()), (1, 4));
        line.options.pop();
        cart.add(line);
        assert_eq!(cart.lines.len(), 2);
    }
}
