//! What a cart costs. [`quote`] either prices every line of it or says, by line, why it cannot be ordered as it stands;
//! it never guesses, rounds or wraps.
//!
//! Decided, where the file format leaves it open:
//! - An extra amount of a choice costs it twice, a light one once. Leaving a thing out costs nothing and saves nothing.
//! - A default choice comes with the product at its own price, named or not. It yields where the customer chose so many
//!   others of its group that the group has no room left for it: with a maximum of one, any other choice takes its place.
//! - A default that is sold out is no default: the group may then have to be asked for.
//! - Halves cost what their group's rule says, and what is wished for one half alone costs what it costs on a whole.
//! - The delivery fee, and what is short of the minimum, are known once it is a delivery to a known zone.

use std::fmt;

use crate::{
    cart::{Amount, Cart, Chosen, Line, Pick},
    catalog::{Catalog, Choice, Group, HALVES, HalvesPrice, Product, Zone},
    id::{ChoiceId, GroupId, ProductId},
    money::{Money, MoneyError},
    order::Fulfilment,
};

/// Most of one thing in an order. Beyond three digits it is a slip of the thumb, or business for a person.
pub const MOST_OF_A_LINE: u32 = 999;

/// Most times that one choice goes into one item: shots in a coffee, not bottles in a crate.
pub const MOST_OF_A_CHOICE: u32 = 99;

/// Most lines of an order, so that it still fits a message, and a ticket in the kitchen.
pub const MOST_LINES: usize = 200;

/// What a cart costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// One for each line of the cart, in its order.
    pub lines: Vec<QuotedLine>,
    /// The sum of the lines.
    pub goods: Money,
    /// For the delivery, nothing where it is free; `None` where there is none, or its zone is not known yet.
    pub fee: Option<Money>,
    /// To be paid: the goods and, where it is known, the fee.
    pub total: Money,
    /// What the goods lack of the zone's minimum, where they lack any.
    pub short_of_minimum: Option<Money>,
    /// What the goods lack of a free delivery, where the zone offers one and it is not reached.
    pub short_of_free: Option<Money>,
}

/// What a line costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotedLine {
    /// One item with its options.
    pub unit: Money,
    /// All of its items.
    pub total: Money,
}

/// Why a cart cannot be ordered as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// That line of the cart, counted from 0, cannot.
    Line(usize, Fault),
    /// More than [`MOST_LINES`] lines; how many.
    Lines(usize),
    /// The total is beyond [`MOST_MINOR`](crate::money::MOST_MINOR), or the zone is of a catalogue in another currency.
    Total(MoneyError),
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The catalogue has no such product.
    UnknownProduct(ProductId),
    /// The catalogue has no such option group.
    UnknownGroup(GroupId),
    /// The group has no such choice.
    UnknownChoice(GroupId, ChoiceId),
    /// It is still to be asked which of these products is meant.
    AmbiguousProduct(Vec<ProductId>),
    /// It is still to be asked which of these choices is meant.
    AmbiguousChoice(GroupId, Vec<ChoiceId>),
    /// The product is sold out.
    ProductSoldOut(ProductId),
    /// The choice is sold out.
    ChoiceSoldOut(GroupId, ChoiceId),
    /// The product does not come with this option group.
    NotItsGroup(ProductId, GroupId),
    /// The group needs a choice, or more of them; see [`missing`].
    Missing(GroupId),
    /// More choices of the group than its maximum, which stands last.
    TooMany(GroupId, u32),
    /// None of it.
    NoQuantity,
    /// More than [`MOST_OF_A_LINE`]; how many.
    Quantity(u32),
    /// None of a choice, or more than [`MOST_OF_A_CHOICE`]; how many.
    Count(GroupId, ChoiceId, u32),
    /// The line alone is beyond [`MOST_MINOR`](crate::money::MOST_MINOR).
    Price,
}

/// Prices a cart, for a delivery to a zone where both are known. Of several reasons against it the first is given, in
/// the order of the lines; within a line, what is wrong with what is there comes before what is missing.
pub fn quote(
    catalog: &Catalog,
    cart: &Cart,
    fulfilment: Option<Fulfilment>,
    zone: Option<&Zone>,
) -> Result<Quote, Refusal> {
    if cart.lines.len() > MOST_LINES {
        return Err(Refusal::Lines(cart.lines.len()));
    }
    let mut goods = catalog.currency.zero();
    let mut lines = Vec::with_capacity(cart.lines.len());
    for (at, line) in cart.lines.iter().enumerate() {
        let quoted = quote_line(catalog, line).map_err(|fault| Refusal::Line(at, fault))?;
        goods = goods.plus(quoted.total).map_err(Refusal::Total)?;
        lines.push(quoted);
    }
    let zone = match fulfilment {
        Some(Fulfilment::Delivery) => zone,
        Some(Fulfilment::Pickup) | None => None,
    };
    let short_of_free = zone.filter(|zone| !zone.fee.is_zero()).and_then(|zone| goods.short_of(zone.free_from?));
    let fee = zone.map(|zone| match zone.free_from {
        Some(free_from) if goods.short_of(free_from).is_none() => catalog.currency.zero(),
        Some(_) | None => zone.fee,
    });
    let total = fee.map_or(Ok(goods), |fee| goods.plus(fee)).map_err(Refusal::Total)?;
    let short_of_minimum = zone.and_then(|zone| goods.short_of(zone.minimum));
    Ok(Quote { lines, goods, fee, total, short_of_minimum, short_of_free })
}

/// The first group of a line's product that the customer must be asked about: it needs more choices than were made, and
/// defaults do not make them up. `None` too where the product is not settled or unknown, as that is asked first. A
/// choice that is made but ambiguous counts: what is asked is then which.
pub fn missing<'a>(catalog: &'a Catalog, line: &Line) -> Option<&'a Group> {
    let product = catalog.product(line.product.settled()?)?;
    catalog.groups_of(product).find(|group| {
        let defaults = u32::try_from(defaults(group, line).count()).unwrap_or(u32::MAX);
        chosen(group, line).saturating_add(defaults) < group.min
    })
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Line(at, fault) => write!(f, "line {}: {fault}", at + 1),
            Refusal::Lines(lines) => write!(f, "{lines} lines, and an order can have {MOST_LINES}"),
            Refusal::Total(error) => write!(f, "no total: {error}"),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::UnknownProduct(product) => write!(f, "there is no product {product}"),
            Fault::UnknownGroup(group) => write!(f, "there is no option group {group}"),
            Fault::UnknownChoice(group, choice) => write!(f, "option group {group} has no choice {choice}"),
            Fault::AmbiguousProduct(products) => write!(f, "one of the products {products:?}"),
            Fault::AmbiguousChoice(group, choices) => write!(f, "one of the choices {choices:?} of {group}"),
            Fault::ProductSoldOut(product) => write!(f, "product {product} is sold out"),
            Fault::ChoiceSoldOut(group, choice) => write!(f, "choice {choice} of {group} is sold out"),
            Fault::NotItsGroup(product, group) => write!(f, "product {product} does not have option group {group}"),
            Fault::Missing(group) => write!(f, "option group {group} needs a choice"),
            Fault::TooMany(group, max) => write!(f, "more than {max} of option group {group}"),
            Fault::NoQuantity => f.write_str("none of it"),
            Fault::Quantity(quantity) => write!(f, "{quantity} of it, and an order can have {MOST_OF_A_LINE}"),
            Fault::Count(group, choice, count) => {
                write!(f, "{count} of choice {choice} of {group}, and an item can have 1 to {MOST_OF_A_CHOICE}")
            }
            Fault::Price => f.write_str("the price is too large, or below zero"),
        }
    }
}

impl std::error::Error for Fault {}

fn quote_line(catalog: &Catalog, line: &Line) -> Result<QuotedLine, Fault> {
    let product = match &line.product {
        Pick::One(id) => catalog.product(id).ok_or_else(|| Fault::UnknownProduct(id.clone()))?,
        Pick::OneOf(ids) => return Err(Fault::AmbiguousProduct(ids.clone())),
    };
    if !product.available {
        return Err(Fault::ProductSoldOut(product.id.clone()));
    }
    match line.quantity {
        0 => return Err(Fault::NoQuantity),
        1..=MOST_OF_A_LINE => {}
        quantity => return Err(Fault::Quantity(quantity)),
    }
    let too_large = |_: MoneyError| Fault::Price;
    let mut unit = product.price;
    for option in &line.options {
        let choice = choice_of(catalog, product, option)?;
        let half = catalog.group(&option.group).is_some_and(|group| group.halves.is_some());
        if !option.without && !half {
            unit = unit.plus(cost(choice, option).map_err(too_large)?).map_err(too_large)?;
        }
    }
    for group in catalog.groups_of(product) {
        if let Some(cost) = group.halves.as_ref().and_then(|halves| halves_cost(group, halves.price, line)) {
            unit = unit.plus(cost.map_err(too_large)?).map_err(too_large)?;
        }
        if let Some(max) = group.max
            && chosen(group, line) > max
        {
            return Err(Fault::TooMany(group.id.clone(), max));
        }
        for default in included(group, line) {
            unit = unit.plus(default.price).map_err(too_large)?;
        }
    }
    if let Some(group) = missing(catalog, line) {
        return Err(Fault::Missing(group.id.clone()));
    }
    if unit.in_minor() < 0 {
        return Err(Fault::Price);
    }
    Ok(QuotedLine { unit, total: unit.times(line.quantity).map_err(too_large)? })
}

/// The choice that an option names, where it is one that the product can have.
fn choice_of<'a>(catalog: &'a Catalog, product: &Product, option: &Chosen) -> Result<&'a Choice, Fault> {
    let group = catalog.group(&option.group).ok_or_else(|| Fault::UnknownGroup(option.group.clone()))?;
    if !product.groups.contains(&group.id) {
        return Err(Fault::NotItsGroup(product.id.clone(), group.id.clone()));
    }
    let id = match &option.choice {
        Pick::One(id) => id,
        Pick::OneOf(ids) => return Err(Fault::AmbiguousChoice(group.id.clone(), ids.clone())),
    };
    let choice = group
        .choices
        .iter()
        .find(|choice| choice.id == *id)
        .ok_or_else(|| Fault::UnknownChoice(group.id.clone(), id.clone()))?;
    if !choice.available && !option.without {
        return Err(Fault::ChoiceSoldOut(group.id.clone(), id.clone()));
    }
    if option.count == 0 || option.count > MOST_OF_A_CHOICE {
        return Err(Fault::Count(group.id.clone(), id.clone(), option.count));
    }
    Ok(choice)
}

fn cost(choice: &Choice, option: &Chosen) -> Result<Money, MoneyError> {
    // What is taken off is taken off once: nobody wants an extra discount by saying "extra".
    let portions = match option.amount {
        Amount::Extra if choice.price.in_minor() > 0 => 2,
        Amount::Extra | Amount::Normal | Amount::Light => 1,
    };
    choice.price.times(option.count.saturating_mul(portions))
}

/// What the halves of a line cost; `None` as long as one is missing.
fn halves_cost(group: &Group, price: HalvesPrice, line: &Line) -> Option<Result<Money, MoneyError>> {
    let price_of =
        |option: &Chosen| group.choices.iter().find(|c| option.choice.settled() == Some(&c.id)).map(|c| c.price);
    let made = line.options.iter().filter(|option| option.group == group.id && !option.without);
    let prices: Vec<Money> =
        made.flat_map(|option| (0..option.count.min(HALVES)).filter_map(move |_| price_of(option))).collect();
    let [a, b] = prices[..] else { return None };
    let (dearer, cheaper) = if a.in_minor() >= b.in_minor() { (a, b) } else { (b, a) };
    Some(match price {
        HalvesPrice::Dearest => Ok(dearer),
        HalvesPrice::Average => {
            let apart = dearer.in_minor() - cheaper.in_minor();
            cheaper.currency().minor(cheaper.in_minor() + apart / 2 + apart % 2)
        }
    })
}

/// How many choices of a group the customer made. A thing left out is none; an extra amount is still one.
pub fn chosen(group: &Group, line: &Line) -> u32 {
    let made = line.options.iter().filter(|option| option.group == group.id && !option.without);
    made.fold(0, |sum, option| sum.saturating_add(option.count))
}

/// The defaults of a group that are paid for: those that no choice of the customer's names or displaces. One that is
/// left out is among them.
fn included<'a>(group: &'a Group, line: &Line) -> impl Iterator<Item = &'a Choice> {
    let room = group
        .max
        .map_or(usize::MAX, |max| usize::try_from(max.saturating_sub(chosen(group, line))).unwrap_or(usize::MAX));
    let named = |choice: &Choice| {
        let of_it = |option: &&Chosen| option.group == group.id && option.choice.settled() == Some(&choice.id);
        line.options.iter().filter(of_it).any(|option| !option.without)
    };
    group.choices.iter().filter(|choice| choice.default && choice.available).filter(move |c| !named(c)).take(room)
}

/// The defaults of a group that come with the item: those that are paid for and not left out.
fn defaults<'a>(group: &'a Group, line: &Line) -> impl Iterator<Item = &'a Choice> {
    let left_out = |choice: &Choice| {
        line.options.iter().any(|option| {
            // "No extra cheese" leaves the cheese.
            let whole = option.without && option.amount == Amount::Normal;
            whole && option.group == group.id && option.choice.settled() == Some(&choice.id)
        })
    };
    included(group, line).filter(move |choice| !left_out(choice))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{catalog::read::read, money::MOST_MINOR};

    const SHOP: &str = r#"{ "merchant": "M", "currency": "EUR",
      "products": [
        { "id": "pizza", "category": "c", "names": {"en": ["Pizza"]}, "price": "9.50", "option_groups": ["size", "top"] },
        { "id": "coffee", "category": "c", "names": {"en": ["Coffee"]}, "price": "3.00", "option_groups": ["milk", "shot"] },
        { "id": "wrap", "category": "c", "names": {"en": ["Wrap"]}, "price": "6.00", "option_groups": ["filling", "three"] },
        { "id": "gold", "category": "c", "names": {"en": ["Gold"]}, "price": "9999999999.99" },
        { "id": "gone", "category": "c", "names": {"en": ["Gone"]}, "price": "1", "available": false } ],
      "option_groups": [
        { "id": "size", "names": {"en": ["size"]}, "min": 1, "max": 1, "choices": [
          {"id": "medium", "names": {"en": ["medium"]}, "price": "0.50", "default": true},
          {"id": "large", "names": {"en": ["large"]}, "price": "3.00"} ] },
        { "id": "top", "names": {"en": ["topping"]}, "choices": [
          {"id": "cheese", "names": {"en": ["cheese"]}, "price": "1.00", "default": true},
          {"id": "olives", "names": {"en": ["olives"]}, "price": "1.20"},
          {"id": "truffle", "names": {"en": ["truffle"]}, "price": "5", "available": false} ] },
        { "id": "milk", "names": {"en": ["milk"]}, "min": 1, "max": 1, "choices": [
          {"id": "whole", "names": {"en": ["whole"]}, "default": true, "available": false},
          {"id": "oat", "names": {"en": ["oat"]}, "price": "0.40"} ] },
        { "id": "shot", "names": {"en": ["shot"]}, "max": 3, "choices": [ {"id": "espresso", "names": {"en": ["shot"]}, "price": "0.80"} ] },
        { "id": "filling", "names": {"en": ["filling"]}, "min": 1, "max": 2, "choices": [
          {"id": "beans", "names": {"en": ["beans"]}}, {"id": "rice", "names": {"en": ["rice"]}} ] },
        { "id": "three", "names": {"en": ["three"]}, "max": 3, "choices": [
          {"id": "a", "names": {"en": ["a"]}, "price": "1", "default": true},
          {"id": "b", "names": {"en": ["b"]}, "price": "2", "default": true},
          {"id": "d", "names": {"en": ["d"]}, "price": "10"}, {"id": "e", "names": {"en": ["e"]}, "price": "20"} ] } ],
      "zones": [ { "id": "z", "names": {"en": ["Z"]}, "areas": ["Z"], "fee": "2.90", "minimum": "12.00", "free_from": "30.00" },
                 { "id": "free", "names": {"en": ["F"]}, "areas": ["F"], "fee": "0", "free_from": "30" } ] }"#;

    fn shop() -> Catalog {
        read(SHOP).unwrap().0
    }

    fn cart(lines: &str) -> Cart {
        serde_json::from_str(lines).unwrap()
    }

    /// The price in minor units of one line.
    fn unit(line: &str) -> Result<i64, Fault> {
        match quote(&shop(), &cart(&format!("[{line}]")), None, None) {
            Ok(quote) => Ok(quote.lines[0].unit.in_minor()),
            Err(Refusal::Line(0, fault)) => Err(fault),
            Err(refusal) => panic!("{refusal}"),
        }
    }

    /// The price of a product with options, each `group choice` and what else there is.
    fn with(product: &str, options: &[&str]) -> Result<i64, Fault> {
        let options: Vec<String> = options
            .iter()
            .map(|option| {
                let mut words = option.splitn(3, ' ');
                let (group, choice, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap_or(""));
                format!(r#"{{"group": "{group}", "choice": "{choice}"{rest}}}"#)
            })
            .collect();
        unit(&format!(r#"{{"product": "{product}", "options": [{}]}}"#, options.join(",")))
    }

    #[test]
    fn options_cost_what_they_say() {
        // 9.50, a medium size for 0.50 and cheese for 1.00 come with it.
        assert_eq!(with("pizza", &[]), Ok(1100));
        assert_eq!(with("pizza", &["size medium"]), Ok(1100));
        assert_eq!(with("pizza", &["size large"]), Ok(1350));
        assert_eq!(with("pizza", &["top olives"]), Ok(1220));
        assert_eq!(with("pizza", &[r#"top olives , "count": 2"#]), Ok(1340));
        assert_eq!(with("pizza", &[r#"top olives , "amount": "extra""#]), Ok(1340));
        assert_eq!(with("pizza", &[r#"top olives , "amount": "extra", "count": 2"#]), Ok(1580));
        assert_eq!(with("pizza", &[r#"top olives , "amount": "light""#]), Ok(1220));
        assert_eq!(with("pizza", &["top cheese"]), Ok(1100));
        assert_eq!(with("pizza", &[r#"top cheese , "amount": "extra""#]), Ok(1200));
        for left_out in
            [r#"top olives , "without": true"#, r#"top cheese , "without": true"#, r#"top truffle , "without": true"#]
        {
            assert_eq!(with("pizza", &[left_out]), Ok(1100), "{left_out}");
        }
        assert_eq!(with("pizza", &[r#"top cheese , "without": true, "amount": "extra""#]), Ok(1100));
    }

    #[test]
    fn defaults_take_the_room_that_is_left() {
        let wrap = |options: &[&str]| with("wrap", &[&["filling beans"], options].concat());
        assert_eq!(wrap(&[]), Ok(900));
        assert_eq!(wrap(&["three d"]), Ok(1900));
        assert_eq!(wrap(&["three d", "three e"]), Ok(3700));
        assert_eq!(wrap(&[r#"three d , "count": 3"#]), Ok(3600));
        assert_eq!(wrap(&["three a", r#"three d , "count": 2"#]), Ok(2700));
        assert_eq!(wrap(&[r#"three d , "count": 4"#]), Err(Fault::TooMany("three".parse().unwrap(), 3)));
    }

    #[test]
    fn halves_cost_what_their_rule_says() {
        let pizzas = |rule: &str| {
            let shop = format!(
                r#"{{ "merchant": "M", "currency": "EUR", "products": [
                  {{ "id": "a", "category": "p", "names": {{"en": ["A"]}}, "price": "9.50" }},
                  {{ "id": "b", "category": "p", "names": {{"en": ["B"]}}, "price": "12.25" }},
                  {{ "id": "h", "category": "p", "names": {{"en": ["H"]}}, "price": "1.00", "option_groups": ["halves"] }} ],
                "option_groups": [ {{ "id": "halves", "names": {{"en": ["halves"]}},
                  "halves": {{"of": "p", "price": "{rule}"}} }} ] }}"#
            );
            read(&shop).unwrap().0
        };
        let unit = |rule: &str, halves: &str| {
            let cart = cart(&format!(r#"[{{"product": "h", "options": [{halves}]}}]"#));
            quote(&pizzas(rule), &cart, None, None).map(|quote| quote.lines[0].unit.in_minor())
        };
        let (a, b) = (r#"{"group": "halves", "choice": "a"}"#, r#"{"group": "halves", "choice": "b"}"#);
        assert_eq!(unit("dearest", &format!("{a}, {b}")), Ok(100 + 1225));
        // 950 and 1225 have no whole middle.
        assert_eq!(unit("average", &format!("{b}, {a}")), Ok(100 + 1088));
        let twice = r#"{"group": "halves", "choice": "a", "count": 2}"#;
        assert_eq!(unit("average", twice), Ok(100 + 950));
        let halves: GroupId = "halves".parse().unwrap();
        assert_eq!(unit("dearest", a), Err(Refusal::Line(0, Fault::Missing(halves.clone()))));
        assert_eq!(unit("dearest", &format!("{twice}, {b}")), Err(Refusal::Line(0, Fault::TooMany(halves, 2))));
    }

    #[test]
    fn what_must_be_asked() {
        let shop = shop();
        let asked = |line: &str| missing(&shop, &cart(&format!("[{line}]")).lines[0]).map(|group| group.id.as_str());
        assert_eq!(asked(r#"{"product": "pizza"}"#), None);
        assert_eq!(asked(r#"{"product": "wrap"}"#), Some("filling"));
        assert_eq!(
            asked(r#"{"product": "wrap", "options": [{"group": "filling", "one_of": ["beans", "rice"]}]}"#),
            None
        );
        assert_eq!(
            asked(r#"{"product": "wrap", "options": [{"group": "filling", "choice": "rice", "without": true}]}"#),
            Some("filling")
        );
        // The default is sold out, or not wanted.
        assert_eq!(asked(r#"{"product": "coffee"}"#), Some("milk"));
        assert_eq!(asked(r#"{"product": "coffee", "options": [{"group": "milk", "choice": "oat"}]}"#), None);
        assert_eq!(
            asked(r#"{"product": "pizza", "options": [{"group": "size", "choice": "medium", "without": true}]}"#),
            Some("size")
        );
        assert_eq!(asked(r#"{"one_of": ["wrap", "coffee"]}"#), None);
        assert_eq!(asked(r#"{"product": "tea"}"#), None);
        assert_eq!(with("coffee", &[]), Err(Fault::Missing("milk".parse().unwrap())));
        assert_eq!(with("coffee", &["milk oat"]), Ok(340));
    }

    #[test]
    fn refusals_name_their_cause() {
        let group = |id: &str| id.parse::<GroupId>().unwrap();
        let choice = |id: &str| id.parse::<ChoiceId>().unwrap();
        let product = |id: &str| id.parse::<ProductId>().unwrap();
        assert_eq!(with("tea", &[]), Err(Fault::UnknownProduct(product("tea"))));
        assert_eq!(with("gone", &[]), Err(Fault::ProductSoldOut(product("gone"))));
        assert_eq!(with("pizza", &["crust thin"]), Err(Fault::UnknownGroup(group("crust"))));
        assert_eq!(with("pizza", &["size huge"]), Err(Fault::UnknownChoice(group("size"), choice("huge"))));
        assert_eq!(with("pizza", &["milk oat"]), Err(Fault::NotItsGroup(product("pizza"), group("milk"))));
        assert_eq!(with("pizza", &["top truffle"]), Err(Fault::ChoiceSoldOut(group("top"), choice("truffle"))));
        assert_eq!(with("pizza", &["size large", "size medium"]), Err(Fault::TooMany(group("size"), 1)));
        assert_eq!(
            with("coffee", &["milk oat", r#"shot espresso , "count": 4"#]),
            Err(Fault::TooMany(group("shot"), 3))
        );
        for count in [0, 100] {
            let fault = Fault::Count(group("top"), choice("olives"), count);
            assert_eq!(with("pizza", &[&format!(r#"top olives , "count": {count}"#)]), Err(fault));
        }
        assert_eq!(unit(r#"{"product": "pizza", "quantity": 0}"#), Err(Fault::NoQuantity));
        assert_eq!(unit(r#"{"product": "pizza", "quantity": 1000}"#), Err(Fault::Quantity(1000)));
        assert_eq!(unit(r#"{"product": "gold", "quantity": 2}"#), Err(Fault::Price));
        assert_eq!(
            unit(r#"{"one_of": ["pizza", "wrap"]}"#),
            Err(Fault::AmbiguousProduct(vec![product("pizza"), product("wrap")]))
        );
        assert_eq!(
            unit(
                r#"{"product": "pizza", "options": [{"group": "top", "one_of": ["cheese", "olives"], "without": true}]}"#
            ),
            Err(Fault::AmbiguousChoice(group("top"), vec![choice("cheese"), choice("olives")]))
        );
        let second = cart(r#"[{"product": "pizza"}, {"product": "tea"}]"#);
        assert_eq!(quote(&shop(), &second, None, None), Err(Refusal::Line(1, Fault::UnknownProduct(product("tea")))));
        let gold = cart(r#"[{"product": "gold"}, {"product": "gold"}]"#);
        assert_eq!(quote(&shop(), &gold, None, None), Err(Refusal::Total(MoneyError::TooLarge)));
        let long = Cart { lines: vec![Line::of(product("gold")); MOST_LINES + 1] };
        assert_eq!(quote(&shop(), &long, None, None), Err(Refusal::Lines(MOST_LINES + 1)));
    }

    #[test]
    fn deliveries_cost_a_fee() {
        let shop = shop();
        let zone = Some(&shop.zones[0]);
        let eur = |minor| shop.currency.minor(minor).unwrap();
        let of = |n: u32, how, zone| {
            let lines = cart(&format!(r#"[{{"product": "pizza", "quantity": {n}}}]"#));
            let quote = quote(&shop, &lines, how, zone).unwrap();
            (quote.goods, quote.fee, quote.total, quote.short_of_minimum, quote.short_of_free)
        };
        let delivery = Some(Fulfilment::Delivery);
        assert_eq!(of(1, delivery, zone), (eur(1100), Some(eur(290)), eur(1390), Some(eur(100)), Some(eur(1900))));
        assert_eq!(of(2, delivery, zone), (eur(2200), Some(eur(290)), eur(2490), None, Some(eur(800))));
        assert_eq!(of(3, delivery, zone), (eur(3300), Some(eur(0)), eur(3300), None, None));
        assert_eq!(of(1, delivery, Some(&shop.zones[1])), (eur(1100), Some(eur(0)), eur(1100), None, None));
        for (how, zone) in [(delivery, None), (Some(Fulfilment::Pickup), zone), (None, zone)] {
            assert_eq!(of(1, how, zone), (eur(1100), None, eur(1100), None, None));
        }
        let empty = quote(&shop, &Cart::default(), None, None).unwrap();
        assert_eq!((empty.total, empty.lines), (eur(0), vec![]));
    }

    prop_compose! {
        fn any_option()(
            group in prop::sample::select(vec!["size", "top", "milk", "shot", "filling", "three", "none"]),
            choice in prop::sample::select(vec!["medium", "large", "cheese", "olives", "oat", "espresso", "beans", "a", "d"]),
            amount in prop::sample::select(vec![Amount::Normal, Amount::Extra, Amount::Light]),
            without: bool,
            count in prop_oneof![0..4_u32, any::<u32>()],
        ) -> Chosen {
            Chosen { amount, without, count, ..Chosen::of(group.parse().unwrap(), choice.parse().unwrap()) }
        }
    }

    prop_compose! {
        fn any_line()(
            product in prop::sample::select(vec!["pizza", "coffee", "wrap", "gold", "gone"]),
            quantity in prop_oneof![1..5_u32, any::<u32>()],
            options in prop::collection::vec(any_option(), 0..3),
        ) -> Line {
            Line { quantity, options, ..Line::of(product.parse().unwrap()) }
        }
    }

    proptest! {
        #[test]
        fn totals_add_up(
            lines in prop::collection::vec(any_line(), 0..4),
            how in prop::sample::select(vec![None, Some(Fulfilment::Pickup), Some(Fulfilment::Delivery)]),
            zone in prop::option::of(0..2_usize),
        ) {
            let shop = shop();
            let all = Cart { lines };
            // Most made-up lines are refused; those that are not are priced together.
            let good = all.lines.iter().filter(|l| quote(&shop, &Cart { lines: vec![(*l).clone()] }, None, None).is_ok());
            let good = Cart { lines: good.cloned().collect() };
            for cart in [&all, &good] {
                let Ok(quote) = quote(&shop, cart, how, zone.map(|at| &shop.zones[at])) else { continue };
                let goods: i64 = quote.lines.iter().map(|line| line.total.in_minor()).sum();
                let fee = quote.fee.map_or(0, |fee| fee.in_minor());
                prop_assert_eq!(quote.goods.in_minor(), goods);
                prop_assert_eq!(quote.total.in_minor(), goods + fee);
                prop_assert!(fee >= 0 && goods >= 0 && quote.total.in_minor() <= MOST_MINOR);
                for (line, quoted) in cart.lines.iter().zip(&quote.lines) {
                    prop_assert_eq!(quoted.total.in_minor(), quoted.unit.in_minor() * i64::from(line.quantity));
                    prop_assert!(missing(&shop, line).is_none());
                }
            }
        }
    }
}
