//! A million made-up carts: each is priced as slow arithmetic in wide numbers prices it, or refused for a reason that is
//! so. Quantities of none, of far too many, prices up to the largest amount there is; nothing wraps and nothing is
//! rounded.

use std::{fs, path::Path};

use theusual::{
    cart::{Amount, Cart, Chosen, Line, Pick},
    catalog::{self, Catalog, Group, HALVES, HalvesPrice},
    money::MOST_MINOR,
    order::Fulfilment,
    quote::{Fault, MOST_OF_A_CHOICE, MOST_OF_A_LINE, Refusal, missing, quote},
};

use self::dice::Dice;

#[path = "simulate/dice.rs"]
mod dice;

/// How many carts there are.
const CARTS: usize = 1_000_000;

/// A shop whose prices meet the largest amount, whose choices cost less than nothing and whose halves have no whole middle.
const EXTREME: &str = r#"{ "merchant": "M", "currency": "EUR",
  "products": [
    { "id": "gold", "category": "c", "names": {"en": ["Gold"]}, "price": "9999999999.99", "option_groups": ["size"] },
    { "id": "bar", "category": "c", "names": {"en": ["Bar"]}, "price": "10010010.01", "option_groups": ["top"] },
    { "id": "air", "category": "c", "names": {"en": ["Air"]}, "price": "0", "option_groups": ["size", "top"] },
    { "id": "odd", "category": "p", "names": {"en": ["Odd"]}, "price": "1.01" },
    { "id": "even", "category": "p", "names": {"en": ["Even"]}, "price": "2.00" },
    { "id": "duo", "category": "d", "names": {"en": ["Duo"]}, "price": "0.10", "option_groups": ["halves"] } ],
  "option_groups": [
    { "id": "halves", "names": {"en": ["halves"]}, "halves": {"of": "p", "price": "average"} },
    { "id": "size", "names": {"en": ["size"]}, "min": 1, "max": 1, "choices": [
      {"id": "small", "names": {"en": ["small"]}, "price": "-0.50", "default": true},
      {"id": "large", "names": {"en": ["large"]}, "price": "5000000000"} ] },
    { "id": "top", "names": {"en": ["top"]}, "max": 4, "choices": [
      {"id": "dust", "names": {"en": ["dust"]}, "price": "100000000.01"},
      {"id": "less", "names": {"en": ["less"]}, "price": "-1"} ] } ],
  "zones": [ { "id": "z", "names": {"en": ["Z"]}, "areas": ["Z"], "fee": "9999999999", "minimum": "0" } ] }"#;

#[test]
fn a_million_carts_are_priced_rightly_or_refused() {
    let sample = |shop: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples").join(shop).join("catalog.json");
        catalog::read::read(&fs::read_to_string(path).unwrap()).unwrap().0
    };
    let shops = [sample("pizzeria"), sample("petshop"), catalog::read::read(EXTREME).unwrap().0];
    let mut dice = Dice::new(27);
    let (mut priced, mut refused) = (0, 0);
    for _ in 0..CARTS {
        let shop = &shops[dice.below(shops.len())];
        let lines: Vec<Line> = (0..dice.between(1, 2)).map(|_| some_line(&mut dice, shop)).collect();
        let cart = Cart { lines };
        let how = [None, Some(Fulfilment::Pickup), Some(Fulfilment::Delivery)][dice.below(3)];
        let zone = dice.pick(&shop.zones);
        match quote(shop, &cart, how, zone) {
            Ok(quote) => {
                priced += 1;
                let totals: Vec<i128> = cart.lines.iter().map(|line| reference(shop, line)).collect();
                let got: Vec<i128> = quote.lines.iter().map(|line| line.total.in_minor().into()).collect();
                assert_eq!(got, totals, "{cart:?}");
                let goods: i128 = totals.iter().sum();
                let fee: i128 = zone.filter(|_| how == Some(Fulfilment::Delivery)).map_or(0, |zone| {
                    let free = zone.free_from.is_some_and(|from| goods >= from.in_minor().into());
                    if free { 0 } else { zone.fee.in_minor().into() }
                });
                assert_eq!(i128::from(quote.total.in_minor()), goods + fee, "{cart:?}");
                let fits = |line: &Line| (1..=MOST_OF_A_LINE).contains(&line.quantity) && missing(shop, line).is_none();
                assert!((0..=MOST_MINOR).contains(&quote.total.in_minor()) && cart.lines.iter().all(fits));
            }
            Err(Refusal::Line(at, fault)) => {
                refused += 1;
                let line = &cart.lines[at];
                match fault {
                    Fault::NoQuantity => assert_eq!(line.quantity, 0),
                    Fault::Quantity(n) => assert!(n == line.quantity && n > MOST_OF_A_LINE),
                    Fault::Count(_, _, n) => assert!(n == 0 || n > MOST_OF_A_CHOICE),
                    Fault::Price => {
                        let total = reference(shop, line);
                        let unit = total / i128::from(line.quantity);
                        let dear = line.options.iter().any(|option| option.count > 1) || unit > i128::from(MOST_MINOR);
                        assert!(total > MOST_MINOR.into() || unit < 0 || dear, "{line:?} costs {total}");
                    }
                    Fault::Missing(_) => assert!(missing(shop, line).is_some()),
                    Fault::TooMany(..)
                    | Fault::ProductSoldOut(_)
                    | Fault::ChoiceSoldOut(..)
                    | Fault::NotItsGroup(..)
                    | Fault::UnknownProduct(_)
                    | Fault::UnknownGroup(_)
                    | Fault::UnknownChoice(..)
                    | Fault::AmbiguousProduct(_)
                    | Fault::AmbiguousChoice(..) => {}
                }
            }
            Err(Refusal::Total(_)) => {
                refused += 1;
                let goods: i128 = cart.lines.iter().map(|line| reference(shop, line)).sum();
                let fee: i128 = zone.map_or(0, |zone| zone.fee.in_minor().into());
                assert!(goods + fee > MOST_MINOR.into(), "{cart:?}");
            }
            Err(other @ Refusal::Lines(_)) => panic!("{other:?}"),
        }
    }
    println!("{priced} priced, {refused} refused");
    assert!(priced > CARTS / 20 && refused > CARTS / 20, "{priced} priced, {refused} refused");
}

#[test]
fn what_is_no_quantity_is_no_line() {
    for quantity in ["-1", "9223372036854775807", "4294967296", "1.5", "1e9", "\"2\"", "null"] {
        let line = serde_json::from_str::<Line>(&format!(r#"{{"product": "gold", "quantity": {quantity}}}"#));
        assert!(line.is_err(), "{quantity}: {line:?}");
    }
}

fn some_line(dice: &mut Dice, shop: &Catalog) -> Line {
    let product = &shop.products[dice.below(shop.products.len())];
    let mut line = Line::of(product.id.clone());
    line.quantity = match dice.below(8) {
        0 => [0, 998, 999, 1_000, 1_000_000_000, u32::MAX][dice.below(6)],
        _ => 1 + dice.below(30) as u32,
    };
    for group in shop.groups_of(product) {
        for _ in 0..dice.below(3) {
            let Some(choice) = dice.pick(&group.choices) else { continue };
            let mut chosen = Chosen::of(group.id.clone(), choice.id.clone());
            chosen.amount = [Amount::Normal, Amount::Normal, Amount::Extra, Amount::Light][dice.below(4)];
            chosen.without = dice.chance(150);
            if dice.chance(200) {
                chosen.count = [0, 2, 3, 99, 100, u32::MAX][dice.below(6)];
            }
            line.options.push(chosen);
        }
    }
    line
}

/// What a line that can be ordered costs, added up slowly.
fn reference(shop: &Catalog, line: &Line) -> i128 {
    let product = shop.product(line.product.settled().unwrap()).unwrap();
    let mut unit = i128::from(product.price.in_minor());
    for group in shop.groups_of(product) {
        let made: Vec<&Chosen> = line.options.iter().filter(|o| o.group == group.id && !o.without).collect();
        let price = |option: &Chosen| price_of(group, option);
        match &group.halves {
            Some(halves) => {
                let each = made.iter().flat_map(|option| vec![price(option); option.count.min(HALVES) as usize]);
                let mut each: Vec<i128> = each.collect();
                each.sort_unstable();
                unit += match (each.as_slice(), halves.price) {
                    ([_, dearer], HalvesPrice::Dearest) => *dearer,
                    // Half a coin is rounded up.
                    ([a, b], HalvesPrice::Average) => (a + b + 1).div_euclid(2),
                    _ => 0,
                };
            }
            None => {
                for option in &made {
                    let twice = option.amount == Amount::Extra && price(option) > 0;
                    unit += price(option) * i128::from(option.count) * if twice { 2 } else { 1 };
                }
            }
        }
        let mut room = group.max.map_or(u64::MAX, |max| {
            u64::from(max).saturating_sub(made.iter().map(|option| u64::from(option.count)).sum())
        });
        for choice in group.choices.iter().filter(|choice| choice.default && choice.available) {
            let named = made.iter().any(|option| option.choice == Pick::One(choice.id.clone()));
            if !named && room > 0 {
                room -= 1;
                unit += i128::from(choice.price.in_minor());
            }
        }
    }
    unit * i128::from(line.quantity)
}

fn price_of(group: &Group, option: &Chosen) -> i128 {
    let choice = group.choices.iter().find(|choice| option.choice == Pick::One(choice.id.clone()));
    choice.map_or(0, |choice| choice.price.in_minor().into())
}
