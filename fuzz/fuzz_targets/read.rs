//! Reads any text to any of the sample shops, with any cart and whatever was asked last, and checks what holds for
//! every reading. The first four bytes choose what is around the text; the rest is the text. `fuzz/run` starts it.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use theusual::{
    cart::{Cart, Chosen, Line, Pick},
    catalog::{Catalog, read},
    understanding::{Engine, Expecting, LONGEST_MESSAGE, Lexicons, MOST_OF_A_LINE, Utterance, text::MOST_TOKENS},
};

/// A shop, and carts that its customers may have.
struct Shop {
    engine: Engine,
    carts: Vec<Cart>,
}

const FILES: [&str; 3] = [
    include_str!("../../config/samples/pizzeria/catalog.json"),
    include_str!("../../config/samples/petshop/catalog.json"),
    include_str!("../../config/samples/pharmacy/catalog.json"),
];

const EXPECTED: [Option<Expecting>; 6] = [
    None,
    Some(Expecting::Confirm),
    Some(Expecting::Choice),
    Some(Expecting::Rating),
    Some(Expecting::Address),
    Some(Expecting::Name),
];

fn shops() -> &'static [Shop] {
    static SHOPS: OnceLock<Vec<Shop>> = OnceLock::new();
    SHOPS.get_or_init(|| {
        let lexicons = Lexicons::embedded().expect("lexicons");
        FILES
            .iter()
            .map(|file| {
                let catalog = read::read(file).expect("a sample").0;
                Shop { engine: Engine::compile(&catalog, &lexicons), carts: carts(&catalog) }
            })
            .collect()
    })
}

/// No line; one; three; one of which the bot has to ask which product and which choice.
fn carts(catalog: &Catalog) -> Vec<Cart> {
    let line = |at: usize| {
        let product = &catalog.products[at % catalog.products.len()];
        let options = product
            .groups
            .iter()
            .filter_map(|id| catalog.groups.iter().find(|group| group.id == *id))
            .map(|group| Chosen::of(group.id.clone(), group.choices[0].id.clone()))
            .collect();
        Line { product: Pick::One(product.id.clone()), quantity: at as u32 % 3 + 1, options }
    };
    let mut asked = line(5);
    asked.product = Pick::OneOf(catalog.products.iter().take(3).map(|product| product.id.clone()).collect());
    asked.options.clear();
    let bare = Line { options: Vec::new(), ..line(0) };
    vec![
        Cart::default(),
        Cart { lines: vec![line(0)] },
        Cart { lines: vec![line(1), line(3), line(4)] },
        Cart { lines: vec![asked, bare] },
    ]
}

fuzz_target!(|data: &[u8]| {
    let [shop, expecting, carts, tongue, text @ ..] = data else { return };
    let text = String::from_utf8_lossy(text);
    let shops = shops();
    let shop = &shops[usize::from(*shop) % shops.len()];
    let cart = &shop.carts[usize::from(carts & 3)];
    let usual = &shop.carts[usize::from((carts >> 2) & 3)];
    let languages: Vec<_> = shop.engine.languages().collect();
    let prior = languages.get(usize::from(tongue & 7)).copied();
    let utterance = Utterance {
        text: &text,
        language: prior.filter(|_| tongue & 8 != 0),
        prior,
        cart,
        usual,
        expecting: EXPECTED[usize::from(*expecting) % EXPECTED.len()],
    };
    let reading = shop.engine.read(&utterance);
    if tongue >> 4 == 0 {
        assert_eq!(reading, shop.engine.read(&utterance), "the same text is read in the same way");
    }
    assert!((0.0..=1.0).contains(&reading.confidence));
    assert!(!reading.also.contains(&reading.intent));
    let tokens = text.chars().take(LONGEST_MESSAGE).count().min(MOST_TOKENS);
    let most_lines = cart.lines.len() + tokens * (1 + usual.lines.len());
    assert!(reading.cart.lines.len() <= most_lines, "{} lines", reading.cart.lines.len());
    for line in &reading.cart.lines {
        assert!(line.quantity > 0 && line.quantity <= MOST_OF_A_LINE, "{} of a line", line.quantity);
    }
    // A minus is told as a hyphen.
    let plain = text.replace('−', "-");
    let said = |piece: &String| text.contains(piece.as_str()) || plain.contains(piece.as_str());
    assert!(reading.unmatched.iter().all(said), "{:?}", reading.unmatched);
    assert!(reading.wishes.iter().chain(&reading.address).chain(&reading.name).all(said), "{reading:?}");
});
