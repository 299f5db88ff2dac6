//! Tests of the reading of messages, in every language, on a small pizzeria. Carts are written short: two large
//! margheritas with extra cheese and no olives are `2 margherita[+cheese -olives large]`.

use super::*;
use crate::cart::{Amount, Chosen, Line, Pick};

const SHOP: &str = r#"{ "merchant": "Trattoria", "currency": "EUR", "languages": ["en", "af", "nb", "ru", "id", "ro"],
  "products": [
    {"id": "margherita", "category": "pizza", "names": {"en": ["Margherita"], "ru": ["Маргарита"]}, "price": "9.00",
      "option_groups": ["size", "topping"]},
    {"id": "pepperoni", "category": "pizza", "names": {"en": ["Pepperoni"], "ru": ["Пепперони"]}, "price": "9.00",
      "option_groups": ["size", "topping"]},
    {"id": "tuna", "category": "pizza", "names": {"en": ["Tuna pizza"], "af": ["Tunapizza"], "nb": ["Tunfiskpizza"],
      "ru": ["Пицца с тунцом"], "id": ["Pizza tuna"], "ro": ["Pizza cu ton"]}, "price": "9.00",
      "option_groups": ["size", "topping"]},
    {"id": "cola", "category": "drink", "names": {"en": ["Cola", "coke"], "ru": ["Кола"]}, "price": "2.00",
      "option_groups": ["volume"]},
    {"id": "water", "category": "drink", "names": {"en": ["Water"], "af": ["Water"], "nb": ["Vann"], "ru": ["Вода"],
      "id": ["Air mineral"], "ro": ["Apă"]}, "price": "2.00"},
    {"id": "pasta", "category": "pasta", "names": {"en": ["Pasta"], "ru": ["Паста"]}, "price": "8.00",
      "option_groups": ["shape"]},
    {"id": "garlic_bread", "category": "side", "names": {"en": ["Garlic bread"], "af": ["Knoffelbrood"],
      "nb": ["Hvitløksbrød"], "ru": ["Чесночный хлеб"], "id": ["Roti bawang putih"], "ro": ["Pâine cu usturoi"]},
      "price": "4.00"} ],
  "option_groups": [
    {"id": "size", "names": {"en": ["size"]}, "max": 1, "choices": [
      {"id": "small", "names": {"en": ["small"], "af": ["klein"], "nb": ["liten"], "ru": ["маленькая"], "id": ["kecil"],
        "ro": ["mică"]}, "price": "0.00"},
      {"id": "large", "names": {"en": ["large", "big"], "af": ["groot"], "nb": ["stor"], "ru": ["большая"],
        "id": ["besar"], "ro": ["mare"]}, "price": "3.00"}]},
    {"id": "topping", "names": {"en": ["topping"]}, "choices": [
      {"id": "olives", "names": {"en": ["olives"], "af": ["olywe"], "nb": ["oliven"], "ru": ["оливки", "маслины"],
        "id": ["zaitun"], "ro": ["măsline"]}, "price": "1.00"},
      {"id": "cheese", "names": {"en": ["cheese"], "af": ["kaas"], "nb": ["ost"], "ru": ["сыр"], "id": ["keju"],
        "ro": ["brânză"]}, "price": "1.00"},
      {"id": "mushrooms", "names": {"en": ["mushrooms"], "af": ["sampioene"], "nb": ["sopp"], "ru": ["грибы"],
        "id": ["jamur"], "ro": ["ciuperci"]}, "price": "1.00"},
      {"id": "onion", "names": {"en": ["onion"], "af": ["uie"], "nb": ["løk"], "ru": ["лук"], "id": ["bawang"],
        "ro": ["ceapă"]}, "price": "1.00"}]},
    {"id": "volume", "names": {"en": ["volume"]}, "max": 1, "choices": [
      {"id": "half", "names": {"en": ["half litre"], "nb": ["halv liter"]}, "price": "0.00"},
      {"id": "litre", "names": {"en": ["litre"], "nb": ["liter"]}, "price": "1.00"}]},
    {"id": "shape", "names": {"en": ["shape"]}, "min": 1, "max": 1, "choices": [
      {"id": "penne", "names": {"en": ["penne"], "ru": ["пенне"]}, "price": "0.00"},
      {"id": "spaghetti", "names": {"en": ["spaghetti"], "ru": ["спагетти"]}, "price": "0.00"}]} ] }"#;

fn engine() -> Engine {
    let (catalog, _) = crate::catalog::read::read(SHOP).unwrap();
    Engine::compile(&catalog, &Lexicons::embedded().unwrap())
}

/// A message with what is around it.
#[derive(Default, Clone)]
struct Said {
    text: &'static str,
    cart: &'static str,
    usual: &'static str,
    expecting: Option<Expecting>,
}

fn read(engine: &Engine, said: &Said) -> Reading {
    let (cart, usual) = (cart(said.cart), cart(said.usual));
    engine.read(&Utterance {
        text: said.text,
        language: None,
        prior: None,
        cart: &cart,
        usual: &usual,
        expecting: said.expecting,
    })
}

fn cart(short: &str) -> Cart {
    let group = |product: &str, choice: &str| match (product, choice) {
        (_, "small" | "large") => "size",
        (_, "half" | "litre") => "volume",
        (_, "penne" | "spaghetti") => "shape",
        _ => "topping",
    };
    let line = |text: &str| {
        let (quantity, rest) = text.trim().split_once(' ').unwrap();
        let (name, options) = rest.split_once('[').unwrap_or((rest, ""));
        let product = match name.split('|').map(|id| id.parse().unwrap()).collect::<Vec<crate::id::ProductId>>() {
            ids if ids.len() == 1 => Pick::One(ids[0].clone()),
            ids => Pick::OneOf(ids),
        };
        let options = options.trim_end_matches(']').split_whitespace().map(|option| {
            let id = option.trim_start_matches(['-', '+', '~']);
            let mut chosen = Chosen::of(group(name, id).parse().unwrap(), id.parse().unwrap());
            chosen.without = option.starts_with('-');
            chosen.amount = match () {
                () if option.contains('+') => Amount::Extra,
                () if option.contains('~') => Amount::Light,
                () => Amount::Normal,
            };
            chosen
        });
        Line { product, quantity: quantity.parse().unwrap(), options: options.collect() }
    };
    Cart { lines: short.split(';').filter(|text| !text.trim().is_empty()).map(line).collect() }
}

/// A cart in short, its lines and options sorted.
fn short(cart: &Cart) -> String {
    let option = |chosen: &Chosen| {
        let choice = match &chosen.choice {
            Pick::One(id) => id.to_string(),
            Pick::OneOf(ids) => ids.iter().map(ToString::to_string).collect::<Vec<_>>().join("|"),
        };
        let amount = match chosen.amount {
            Amount::Normal => "",
            Amount::Extra => "+",
            Amount::Light => "~",
        };
        let count = if chosen.count == 1 { String::new() } else { format!("*{}", chosen.count) };
        format!("{}{amount}{choice}{count}", if chosen.without { "-" } else { "" })
    };
    let line = |line: &Line| {
        let product = match &line.product {
            Pick::One(id) => id.to_string(),
            Pick::OneOf(ids) => ids.iter().map(ToString::to_string).collect::<Vec<_>>().join("|"),
        };
        let mut options: Vec<String> = line.options.iter().map(option).collect();
        options.sort();
        match options.is_empty() {
            true => format!("{} {product}", line.quantity),
            false => format!("{} {product}[{}]", line.quantity, options.join(" ")),
        }
    };
    let mut lines: Vec<String> = cart.lines.iter().map(line).collect();
    lines.sort();
    lines.join("; ")
}

/// Checks all and tells all that failed.
fn all(checks: impl IntoIterator<Item = Result<(), String>>) {
    let failed: Vec<String> = checks.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

/// Orders that begin with nothing: text, language, cart.
fn orders(language: &str, cases: &[(&'static str, &str)]) {
    let engine = engine();
    all(cases.iter().map(|&(text, wanted)| {
        let reading = read(&engine, &Said { text, ..Said::default() });
        let got = short(&reading.cart);
        let good = got == short(&cart(wanted))
            && reading.intent == Intent::Order
            && reading.language.tag() == language
            && reading.unmatched.is_empty();
        let told = (reading.intent, reading.language, reading.unmatched);
        if good { Ok(()) } else { Err(format!("{text:?}: {got} {told:?}, not {wanted}")) }
    }));
}

/// Changes of a cart: text, cart before, cart after. The usual order is one large margherita with olives and a cola.
fn changes(cases: &[(&'static str, &'static str, &str)]) {
    let engine = engine();
    all(cases.iter().map(|&(text, before, after)| {
        let usual = "1 margherita[large olives]; 1 cola";
        let reading = read(&engine, &Said { text, cart: before, usual, ..Said::default() });
        let got = short(&reading.cart);
        let good = got == short(&cart(after)) && reading.intent == Intent::Order && reading.unmatched.is_empty();
        let told = (reading.intent, reading.language, reading.unmatched);
        if good { Ok(()) } else { Err(format!("{text:?}: {got} {told:?}, not {after}")) }
    }));
}

/// What messages are for; none of them changes the cart.
fn intents(language: &str, cases: &[(&'static str, Intent)]) {
    let engine = engine();
    all(cases.iter().map(|&(text, wanted)| {
        let reading = read(&engine, &Said { text, cart: "1 cola", ..Said::default() });
        let unchanged = short(&reading.cart) == "1 cola";
        let good = reading.intent == wanted && unchanged && reading.language.tag() == language;
        let told = (reading.intent, reading.also, reading.language, unchanged);
        if good { Ok(()) } else { Err(format!("{text:?}: {told:?}, not {wanted:?}")) }
    }));
}

/// Pickup and delivery: text, which, address.
fn ways(cases: &[(&'static str, Fulfilment, Option<&str>)]) {
    let engine = engine();
    all(cases.iter().map(|&(text, way, address)| {
        let reading = read(&engine, &Said { text, ..Said::default() });
        let good = reading.fulfilment == Some(way)
            && reading.address.as_deref() == address
            && reading.unmatched.is_empty()
            && reading.cart.lines.iter().all(|line| line.quantity < 5);
        let told = (reading.fulfilment, reading.address, reading.unmatched, short(&reading.cart));
        if good { Ok(()) } else { Err(format!("{text:?}: {told:?}, not {way:?} {address:?}")) }
    }));
}

/// Texts that wait for their other half, and texts that do not.
fn fragments(waiting: &[&'static str], whole: &[&'static str]) {
    let engine = engine();
    let check = |text: &'static str, wanted: bool| {
        let got = read(&engine, &Said { text, ..Said::default() }).fragment;
        if got == wanted { Ok(()) } else { Err(format!("{text:?}: fragment is {got}")) }
    };
    all(waiting.iter().map(|text| check(text, true)).chain(whole.iter().map(|text| check(text, false))));
}

#[test]
fn english_orders() {
    orders(
        "en",
        &[
            ("two large margheritas without olives and a coke please", "2 margherita[large -olives]; 1 cola"),
            ("2x margherita, 1x cola", "2 margherita; 1 cola"),
            ("a margherita and a pepperoni, both large", "1 margherita[large]; 1 pepperoni[large]"),
            ("can I get a small mushroom and onion margherita", "1 margherita[small mushrooms onion]"),
            ("three tuna pizzas with extra cheese, no onions", "3 tuna[+cheese -onion]"),
            ("a coke, a water and two garlic breads", "1 cola; 1 water; 2 garlic_bread"),
            ("two margheritas, one with mushrooms", "1 margherita; 1 margherita[mushrooms]"),
            ("a large, no, a small pepperoni", "1 pepperoni[small]"),
            ("a cola, not a water", "1 cola"),
            ("half a dozen colas", "6 cola"),
            ("a cola at 7 pm and a water at 18:30", "1 cola; 1 water"),
            ("margheritta with mushroms", "1 margherita[mushrooms]"),
            ("a pizza", "1 margherita|pepperoni|tuna"),
            ("spaghetti pasta", "1 pasta[spaghetti]"),
            (
                "I'll have the margherita with light onion and without cheese or olives",
                "1 margherita[~onion -cheese -olives]",
            ),
            ("hi, could I please have one pepperoni? thanks!", "1 pepperoni"),
        ],
    );
}

#[test]
fn english_changes() {
    changes(&[
        ("make that three", "1 margherita[large]", "3 margherita[large]"),
        ("two more", "1 cola", "3 cola"),
        ("can you add extra cheese?", "1 margherita", "1 margherita[+cheese]"),
        ("I don't want the cola anymore", "1 margherita; 1 cola", "1 margherita"),
        ("can I change the cola to a water?", "1 cola", "1 water"),
        ("3", "1 cola", "3 cola"),
        ("large please", "1 margherita[small]", "1 margherita[large]"),
        ("no olives on the second one", "1 margherita; 1 pepperoni[olives]", "1 margherita; 1 pepperoni[-olives]"),
        ("take off the coke", "1 margherita; 2 cola", "1 margherita"),
        ("remove one cola", "3 cola", "2 cola"),
        ("another one", "1 margherita; 1 cola", "1 margherita; 2 cola"),
        ("one more margherita", "1 margherita[large]; 1 cola", "2 margherita[large]; 1 cola"),
        ("the same again", "1 margherita[large]", "2 margherita[large]"),
        ("the same but small", "1 margherita[large]", "1 margherita[large]; 1 margherita[small]"),
        ("change the margherita to a pepperoni", "2 margherita[large]; 1 cola", "2 pepperoni[large]; 1 cola"),
        ("make the margherita large", "1 margherita; 1 pepperoni", "1 margherita[large]; 1 pepperoni"),
        ("both large", "1 margherita; 1 pepperoni", "1 margherita[large]; 1 pepperoni[large]"),
        ("mushrooms instead of olives", "1 margherita[olives]", "1 margherita[mushrooms -olives]"),
        ("a water instead of the cola", "2 cola", "2 water"),
        ("extra cheese on the margherita", "1 margherita; 1 pepperoni", "1 margherita[+cheese]; 1 pepperoni"),
        ("clear the cart", "1 margherita; 2 cola", ""),
        ("the usual but without olives", "", "1 margherita[large -olives]; 1 cola"),
        ("same as last time and a water", "", "1 margherita[large olives]; 1 cola; 1 water"),
    ]);
}

#[test]
fn english_intents() {
    intents(
        "en",
        &[
            ("hello there!", Intent::Greeting),
            ("thanks a lot", Intent::Thanks),
            ("what do you have?", Intent::Menu),
            ("how much is a large margherita?", Intent::PriceQuestion),
            ("is there cheese in the margherita?", Intent::ProductQuestion),
            ("do you deliver to the harbour?", Intent::DeliveryQuestion),
            ("can I pay by card?", Intent::PaymentQuestion),
            ("when do you close today?", Intent::Hours),
            ("where is my order?", Intent::TrackOrder),
            ("cancel my order", Intent::CancelOrder),
            ("I need to change my order", Intent::ChangeOrder),
            ("my pizza was cold", Intent::Complaint),
            ("I want my money back", Intent::Refund),
            ("let me talk to a human", Intent::Human),
            ("how many points do I have?", Intent::Points),
            ("I'd like to use my points", Intent::Redeem),
            ("how do I join the club?", Intent::Join),
            ("any deals today?", Intent::Offers),
            ("please no more ads, but tell me when it's delivered", Intent::StopOffers),
            ("STOP", Intent::StopOffers),
            ("send me offers again", Intent::StartOffers),
            ("can I invite a friend?", Intent::ReferFriend),
            ("delete my data", Intent::MyData),
            ("do you speak Norwegian?", Intent::Language),
            ("that's all", Intent::Checkout),
            ("yes please", Intent::Confirm),
            ("no thanks", Intent::Decline),
            ("the weather is nice", Intent::Other),
        ],
    );
}

#[test]
fn afrikaans_orders() {
    orders(
        "af",
        &[
            ("twee groot margheritas sonder olywe en 'n cola asseblief", "2 margherita[large -olives]; 1 cola"),
            ("ek wil graag een klein pepperoni met ekstra kaas hê", "1 pepperoni[small +cheese]"),
            ("kan ek asseblief drie tunapizzas kry", "3 tuna"),
            ("gee my 'n margherita met sampioene en uie", "1 margherita[mushrooms onion]"),
            ("ek soek twee knoffelbrode en 'n water", "2 garlic_bread; 1 water"),
            ("'n margherita en 'n pepperoni, albei groot", "1 margherita[large]; 1 pepperoni[large]"),
            ("ek neem 'n pepperoni met minder kaas", "1 pepperoni[~cheese]"),
        ],
    );
    changes(&[
        ("maak dit drie", "1 margherita", "3 margherita"),
        ("voeg kaas by", "1 margherita", "1 margherita[cheese]"),
        ("maak albei groot", "1 margherita; 1 pepperoni", "1 margherita[large]; 1 pepperoni[large]"),
        ("haal die cola uit", "1 margherita; 1 cola", "1 margherita"),
        ("nog een", "1 cola", "2 cola"),
        ("sonder olywe op die tweede een", "1 margherita; 1 pepperoni", "1 margherita; 1 pepperoni[-olives]"),
        ("die gewone maar sonder olywe", "", "1 margherita[large -olives]; 1 cola"),
        ("sampioene in plaas van olywe", "1 margherita[olives]", "1 margherita[mushrooms -olives]"),
        ("dieselfde maar klein", "1 margherita[large]", "1 margherita[large]; 1 margherita[small]"),
    ]);
}

#[test]
fn afrikaans_intents() {
    intents(
        "af",
        &[
            ("hallo, goeiemôre", Intent::Greeting),
            ("baie dankie", Intent::Thanks),
            ("wat het julle?", Intent::Menu),
            ("hoeveel kos 'n groot margherita?", Intent::PriceQuestion),
            ("waar is my bestelling?", Intent::TrackOrder),
            ("kanselleer my bestelling", Intent::CancelOrder),
            ("my pizza was koud", Intent::Complaint),
            ("ek wil my geld terug hê", Intent::Refund),
            ("kan ek met 'n mens praat", Intent::Human),
            ("hoe laat maak julle oop?", Intent::Hours),
            ("lewer julle in die dorp af?", Intent::DeliveryQuestion),
            ("kan ek met 'n kaart betaal?", Intent::PaymentQuestion),
            ("moenie vir my meer advertensies stuur nie", Intent::StopOffers),
            ("hoeveel punte het ek?", Intent::Points),
            ("dis al", Intent::Checkout),
            ("nee dankie", Intent::Decline),
            ("ja asseblief", Intent::Confirm),
        ],
    );
}

#[test]
fn norwegian_orders() {
    orders(
        "nb",
        &[
            ("to store margheritaer uten oliven og en cola, takk", "2 margherita[large -olives]; 1 cola"),
            ("jeg vil gjerne ha en liten pepperoni med ekstra ost", "1 pepperoni[small +cheese]"),
            ("kan jeg få tre tunfiskpizzaer", "3 tuna"),
            ("en margherita med sopp og løk", "1 margherita[mushrooms onion]"),
            ("vi tar to hvitløksbrød og et vann", "2 garlic_bread; 1 water"),
            ("en margherita og en pepperoni, begge store", "1 margherita[large]; 1 pepperoni[large]"),
            ("jeg skal ha en pepperoni med lite ost", "1 pepperoni[~cheese]"),
            ("en halv liter cola", "1 cola[half]"),
            ("en pepperoni, jeg henter kl 18", "1 pepperoni"),
        ],
    );
    changes(&[
        ("gjør det til tre", "1 margherita", "3 margherita"),
        ("kan du bytte colaen med vann?", "1 cola", "1 water"),
        ("to til", "1 cola", "3 cola"),
        ("fjern alt", "1 margherita; 1 cola", ""),
        ("ta bort colaen", "1 margherita; 1 cola", "1 margherita"),
        ("en til", "1 cola", "2 cola"),
        ("uten oliven på den andre", "1 margherita; 1 pepperoni", "1 margherita; 1 pepperoni[-olives]"),
        ("det vanlige, men uten oliven", "", "1 margherita[large -olives]; 1 cola"),
        ("sopp i stedet for oliven", "1 margherita[olives]", "1 margherita[mushrooms -olives]"),
        ("den samme, men liten", "1 margherita[large]", "1 margherita[large]; 1 margherita[small]"),
        ("bytt ut margheritaen med en pepperoni", "1 margherita[large]", "1 pepperoni[large]"),
    ]);
}

#[test]
fn norwegian_intents() {
    intents(
        "nb",
        &[
            ("hei hei", Intent::Greeting),
            ("tusen takk", Intent::Thanks),
            ("hva har dere?", Intent::Menu),
            ("hva koster en stor margherita?", Intent::PriceQuestion),
            ("hvor er bestillingen min?", Intent::TrackOrder),
            ("avbestill ordren", Intent::CancelOrder),
            ("pizzaen var kald", Intent::Complaint),
            ("jeg vil ha pengene tilbake", Intent::Refund),
            ("kan jeg snakke med et menneske", Intent::Human),
            ("når åpner dere?", Intent::Hours),
            ("leverer dere til sentrum?", Intent::DeliveryQuestion),
            ("kan jeg betale med vipps?", Intent::PaymentQuestion),
            ("vil ikke ha mer reklame", Intent::StopOffers),
            ("hvor mange poeng har jeg?", Intent::Points),
            ("det var alt", Intent::Checkout),
            ("nei takk", Intent::Decline),
            ("ja gjerne", Intent::Confirm),
        ],
    );
}

#[test]
fn russian_orders() {
    orders(
        "ru",
        &[
            ("две большие маргариты без оливок и колу, пожалуйста", "2 margherita[large -olives]; 1 cola"),
            ("хочу одну маленькую пепперони с дополнительным сыром", "1 pepperoni[small +cheese]"),
            ("можно три пиццы с тунцом", "3 tuna"),
            ("мне маргариту с грибами и луком", "1 margherita[mushrooms onion]"),
            ("два чесночных хлеба и воду", "2 garlic_bread; 1 water"),
            ("маргариту и пепперони, обе большие", "1 margherita[large]; 1 pepperoni[large]"),
            ("пять кол", "5 cola"),
            ("пепперони, поменьше сыра", "1 pepperoni[~cheese]"),
        ],
    );
    changes(&[
        ("сделайте три", "1 margherita", "3 margherita"),
        ("еще две колы", "1 cola", "3 cola"),
        ("сделайте обе большими", "1 margherita; 1 pepperoni", "1 margherita[large]; 1 pepperoni[large]"),
        ("удалите всё", "1 margherita", ""),
        ("уберите колу", "1 margherita; 1 cola", "1 margherita"),
        ("еще одну", "1 cola", "2 cola"),
        ("без оливок во второй", "1 margherita; 1 pepperoni", "1 margherita; 1 pepperoni[-olives]"),
        ("как обычно, но без оливок", "", "1 margherita[large -olives]; 1 cola"),
        ("грибы вместо оливок", "1 margherita[olives]", "1 margherita[mushrooms -olives]"),
        ("такую же, но маленькую", "1 margherita[large]", "1 margherita[large]; 1 margherita[small]"),
        ("замените маргариту на пепперони", "1 margherita[large]", "1 pepperoni[large]"),
    ]);
}

#[test]
fn russian_intents() {
    intents(
        "ru",
        &[
            ("добрый день!", Intent::Greeting),
            ("большое спасибо", Intent::Thanks),
            ("что у вас есть?", Intent::Menu),
            ("сколько стоит большая маргарита?", Intent::PriceQuestion),
            ("где мой заказ?", Intent::TrackOrder),
            ("отмените заказ", Intent::CancelOrder),
            ("пицца была холодная", Intent::Complaint),
            ("верните деньги", Intent::Refund),
            ("хочу поговорить с человеком", Intent::Human),
            ("до скольки вы работаете?", Intent::Hours),
            ("вы доставляете в центр?", Intent::DeliveryQuestion),
            ("можно оплатить картой?", Intent::PaymentQuestion),
            ("больше не присылайте рекламу", Intent::StopOffers),
            ("сколько у меня баллов?", Intent::Points),
            ("это все", Intent::Checkout),
            ("нет, спасибо", Intent::Decline),
            ("да, конечно", Intent::Confirm),
        ],
    );
}

#[test]
fn indonesian_orders() {
    orders(
        "id",
        &[
            ("dua margherita besar tanpa zaitun dan satu cola", "2 margherita[large -olives]; 1 cola"),
            ("saya mau pesan satu pepperoni kecil dengan ekstra keju", "1 pepperoni[small +cheese]"),
            ("boleh minta tiga pizza tuna", "3 tuna"),
            ("margherita pakai jamur dan bawang", "1 margherita[mushrooms onion]"),
            ("dua roti bawang putih sama satu air mineral ya kak", "2 garlic_bread; 1 water"),
            ("satu margherita dan satu pepperoni, keduanya besar", "1 margherita[large]; 1 pepperoni[large]"),
            ("pepperoni satu, keju sedikit", "1 pepperoni[~cheese]"),
            ("mau cola 3 ya", "3 cola"),
            ("pepperoni satu jangan pakai keju", "1 pepperoni[-cheese]"),
        ],
    );
    changes(&[
        ("jadikan tiga", "1 margherita", "3 margherita"),
        ("tambah satu cola", "1 margherita", "1 margherita; 1 cola"),
        ("dua lagi", "1 cola", "3 cola"),
        ("hapus colanya", "1 margherita; 1 cola", "1 margherita"),
        ("satu lagi", "1 cola", "2 cola"),
        ("tanpa zaitun di yang kedua", "1 margherita; 1 pepperoni", "1 margherita; 1 pepperoni[-olives]"),
        ("seperti biasa tapi tanpa zaitun", "", "1 margherita[large -olives]; 1 cola"),
        ("yang sama tapi kecil", "1 margherita[large]", "1 margherita[large]; 1 margherita[small]"),
        ("ganti margherita jadi pepperoni", "1 margherita[large]", "1 pepperoni[large]"),
    ]);
}

#[test]
fn indonesian_intents() {
    intents(
        "id",
        &[
            ("selamat pagi kak", Intent::Greeting),
            ("terima kasih banyak", Intent::Thanks),
            ("ada apa saja?", Intent::Menu),
            ("berapa harga margherita besar?", Intent::PriceQuestion),
            ("di mana pesanan saya?", Intent::TrackOrder),
            ("batalkan pesanan saya", Intent::CancelOrder),
            ("pizzanya dingin", Intent::Complaint),
            ("saya minta uang kembali", Intent::Refund),
            ("mau bicara dengan orang", Intent::Human),
            ("jam berapa buka?", Intent::Hours),
            ("bisa kirim ke Menteng?", Intent::DeliveryQuestion),
            ("bisa bayar pakai qris?", Intent::PaymentQuestion),
            ("tolong jangan kirim promo lagi", Intent::StopOffers),
            ("berapa poin saya?", Intent::Points),
            ("itu saja", Intent::Checkout),
            ("tidak, terima kasih", Intent::Decline),
            ("iya betul", Intent::Confirm),
        ],
    );
}

#[test]
fn romanian_orders() {
    orders(
        "ro",
        &[
            ("două margherita mari fără măsline și o cola, vă rog", "2 margherita[large -olives]; 1 cola"),
            ("aș vrea o pepperoni mică cu extra brânză", "1 pepperoni[small +cheese]"),
            ("vreau trei pizza cu ton", "3 tuna"),
            ("o margherita cu ciuperci si ceapa", "1 margherita[mushrooms onion]"),
            ("doua pâini cu usturoi și o apă", "2 garlic_bread; 1 water"),
            ("o margherita și o pepperoni, ambele mari", "1 margherita[large]; 1 pepperoni[large]"),
            ("iau o pepperoni cu mai puțină brânză", "1 pepperoni[~cheese]"),
            ("fara masline pe margherita va rog", "1 margherita[-olives]"),
        ],
    );
    changes(&[
        ("fă trei", "1 margherita", "3 margherita"),
        ("adaugă o cola", "1 margherita", "1 margherita; 1 cola"),
        ("încă două", "1 cola", "3 cola"),
        ("șterge tot", "1 margherita", ""),
        ("scoate cola", "1 margherita; 1 cola", "1 margherita"),
        ("încă una", "1 cola", "2 cola"),
        ("fără măsline la a doua", "1 margherita; 1 pepperoni", "1 margherita; 1 pepperoni[-olives]"),
        ("ca de obicei, dar fără măsline", "", "1 margherita[large -olives]; 1 cola"),
        ("ciuperci în loc de măsline", "1 margherita[olives]", "1 margherita[mushrooms -olives]"),
        ("la fel, dar mică", "1 margherita[large]", "1 margherita[large]; 1 margherita[small]"),
        ("schimbă margherita cu o pepperoni", "1 margherita[large]", "1 pepperoni[large]"),
    ]);
}

#[test]
fn romanian_intents() {
    intents(
        "ro",
        &[
            ("bună ziua", Intent::Greeting),
            ("mulțumesc frumos", Intent::Thanks),
            ("ce aveți?", Intent::Menu),
            ("cât costă o margherita mare?", Intent::PriceQuestion),
            ("unde este comanda mea?", Intent::TrackOrder),
            ("anulați comanda", Intent::CancelOrder),
            ("pizza a fost rece", Intent::Complaint),
            ("vreau banii înapoi", Intent::Refund),
            ("vreau să vorbesc cu un om", Intent::Human),
            ("la ce oră deschideți?", Intent::Hours),
            ("livrați în centru?", Intent::DeliveryQuestion),
            ("pot plăti cu cardul?", Intent::PaymentQuestion),
            ("nu mai vreau reclame", Intent::StopOffers),
            ("câte puncte am?", Intent::Points),
            ("asta e tot", Intent::Checkout),
            ("nu, mulțumesc", Intent::Decline),
            ("da, sigur", Intent::Confirm),
        ],
    );
}

#[test]
fn ways_and_addresses() {
    ways(&[
        ("two margheritas for pickup", Fulfilment::Pickup, None),
        ("deliver to Storgata 5, 0155 Oslo", Fulfilment::Delivery, Some("Storgata 5, 0155 Oslo")),
        ("a cola, deliver to Storgata 5B please", Fulfilment::Delivery, Some("Storgata 5B")),
        ("my address is 12 High Street. two colas", Fulfilment::Delivery, Some("12 High Street")),
        ("'n margherita, ek kom haal dit", Fulfilment::Pickup, None),
        ("lewer af by Kerkstraat 12", Fulfilment::Delivery, Some("Kerkstraat 12")),
        ("en margherita, jeg henter selv", Fulfilment::Pickup, None),
        ("lever til Storgata 5, 0155 Oslo", Fulfilment::Delivery, Some("Storgata 5, 0155 Oslo")),
        ("одну колу, самовывоз", Fulfilment::Pickup, None),
        ("доставьте на улицу Ленина 5", Fulfilment::Delivery, Some("улицу Ленина 5")),
        ("satu cola, saya ambil sendiri", Fulfilment::Pickup, None),
        ("antar ke Jalan Sudirman 10", Fulfilment::Delivery, Some("Jalan Sudirman 10")),
        ("o cola, vin să o iau", Fulfilment::Pickup, None),
        ("livrați la Strada Florilor 7", Fulfilment::Delivery, Some("Strada Florilor 7")),
    ]);
}

#[test]
fn halves_of_messages() {
    fragments(
        &[
            "I want",
            "two",
            "and",
            "two margheritas and",
            "a cola,",
            "jeg vil ha",
            "ek wil graag",
            "хочу",
            "saya mau",
            "aș vrea",
        ],
        &[
            "hello",
            "yes",
            "a margherita",
            "what do you have?",
            "thanks",
            "large pepperoni",
            "да",
            "nei takk",
            "STOP",
            "",
        ],
    );
}

#[test]
fn answers_to_what_was_asked() {
    let engine = engine();
    let ask = |text: &'static str, cart: &'static str, expecting: Expecting| {
        let reading = read(&engine, &Said { text, cart, expecting: Some(expecting), ..Said::default() });
        (reading.intent, short(&reading.cart))
    };
    let choice = |text, cart| ask(text, cart, Expecting::Choice);
    assert_eq!(choice("penne", "1 pasta"), (Intent::Order, "1 pasta[penne]".into()));
    assert_eq!(choice("the second one", "1 pasta"), (Intent::Order, "1 pasta[spaghetti]".into()));
    assert_eq!(choice("pepperoni", "2 margherita|pepperoni"), (Intent::Order, "2 pepperoni".into()));
    assert_eq!(choice("2", "1 margherita|pepperoni"), (Intent::Order, "1 pepperoni".into()));
    assert_eq!(choice("9", "3 cola; 1 margherita|pepperoni").1, "1 margherita|pepperoni; 3 cola");
    assert_eq!(choice("spaghetti and a cola", "1 pasta"), (Intent::Order, "1 cola; 1 pasta[spaghetti]".into()));
    assert_eq!(choice("I want a human", "1 pasta"), (Intent::Human, "1 pasta".into()));

    let confirm = |text| ask(text, "1 cola", Expecting::Confirm);
    for yes in
        ["yes", "yep", "👍", "go ahead", "ja", "ja takk", "да", "ya", "da", "ok", "jip", "конечно", "boleh", "sigur"]
    {
        assert_eq!(confirm(yes), (Intent::Confirm, "1 cola".into()), "{yes}");
    }
    for no in ["no", "nope", "👎", "nee", "nei", "нет", "tidak", "nu", "no thank you", "не надо", "nu mulțumesc"]
    {
        assert_eq!(confirm(no), (Intent::Decline, "1 cola".into()), "{no}");
    }
    // What is no word of consent places no order, however little else it can mean.
    for unsure in [
        "ok no",
        "yes but later",
        "I didn't say yes",
        "ok, ask my mom first",
        "sure?",
        "ok nei",
        "ok tidak",
        "ок нет",
        "ok later",
        "never said yes",
        "ok thanks but no",
        "isn't right",
        "if my wife says yes",
        "ok I want",
        "yes?",
        "Anna",
        "for Anna",
        "maybe",
        "bless",
        "mate",
        "love",
        "madam",
        "idk",
        "wait",
        "ok wait",
        "hold on",
        "later",
        "now",
        "not yet",
        "do not go ahead",
        "don't do it",
        "let's not",
        "I want",
        "двое",
        "может быть",
        "подожди",
        "ок, подожди",
        "wag",
        "miskien",
        "vent litt",
        "kanskje",
        "ok vent",
        "tunggu",
        "mungkin",
        "așteaptă",
        "poate",
        "nu încă",
    ] {
        assert_ne!(confirm(unsure).0, Intent::Confirm, "{unsure}");
    }
    assert_eq!(confirm("yes, and a margherita"), (Intent::Order, "1 cola; 1 margherita".into()));
    assert_eq!(confirm("no, make it two"), (Intent::Order, "2 cola".into()));

    for text in ["Storgata 5, 0155 Oslo", "22 Acacia Avenue", "улица Ленина 5, кв. 12", "Jl. Sudirman 10"]
    {
        let reading =
            read(&engine, &Said { text, cart: "1 cola", expecting: Some(Expecting::Address), ..Said::default() });
        assert_eq!((reading.intent, reading.confidence, reading.address.as_deref()), (Intent::Other, 1.0, Some(text)));
        assert_eq!(short(&reading.cart), "1 cola");
    }
    for text in ["Maria", "my name is Thandi", "Olga Ivanova"] {
        assert_eq!(ask(text, "1 cola", Expecting::Name), (Intent::Other, "1 cola".into()), "{text}");
    }
    assert_eq!(ask("cancel my order", "1 cola", Expecting::Name).0, Intent::CancelOrder);
    assert_eq!(ask("what do you have?", "1 cola", Expecting::Address).0, Intent::Menu);
    assert_eq!(engine.stated_name("my name is Thandi."), "Thandi");
    assert_eq!(engine.stated_name("меня зовут Анна"), "Анна");
    assert_eq!(engine.stated_address("to Storgata 5"), "Storgata 5");
    assert_eq!(ask("4 out of 5", "1 cola", Expecting::Rating), (Intent::Rating, "1 cola".into()));
    assert_eq!(ask("5", "1 cola", Expecting::Rating), (Intent::Rating, "1 cola".into()));
    assert_eq!(ask("it was delicious", "1 cola", Expecting::Rating).0, Intent::Rating);
}

#[test]
fn a_moment_is_asked_for_by_the_whole_message() {
    let engine = engine();
    let pause = |text, expecting| read(&engine, &Said { text, cart: "1 cola", expecting, ..Said::default() });
    for text in [
        "wait",
        "hold on please",
        "ok, one sec…",
        "please wait",
        "1 min!",
        "let me think about it",
        "wag 'n bietjie",
        "vent litt",
        "øyeblikk!",
        "подождите, пожалуйста",
        "минутку",
        "tunggu sebentar",
        "bentar ya",
        "așteaptă puțin",
        "o clipă, vă rog",
    ] {
        for expecting in [None, Some(Expecting::Confirm), Some(Expecting::Name), Some(Expecting::Address)] {
            let reading = pause(text, expecting);
            assert!(reading.pause && short(&reading.cart) == "1 cola", "{text:?} to {expecting:?}");
        }
    }
    for (text, cart) in [
        ("wait, no cola", ""),
        ("hold on, two margheritas", "1 cola; 2 margherita"),
        ("wait how much is it?", "1 cola"),
        ("wait?", "1 cola"),
        ("is there a long wait?", "1 cola"),
        ("ok", "1 cola"),
        ("yes", "1 cola"),
        ("no wait", "1 cola"),
        ("not yet", "1 cola"),
        ("vent, uten cola", ""),
        ("wait, pickup", "1 cola"),
        ("wait, tomorrow", "1 cola"),
        ("wait where is my order", "1 cola"),
        ("wait are you open", "1 cola"),
        ("hold on, I want a refund", "1 cola"),
        ("wag, stop the offers", "1 cola"),
        ("подождите, завтра", "1 cola"),
        ("wait a sec, 3 colas", "3 cola"),
        ("vent litt, 3 cola", "3 cola"),
        ("подождите минуту, 3 колы", "3 cola"),
        ("tunggu sebentar, 3 cola", "3 cola"),
    ] {
        let reading = pause(text, Some(Expecting::Confirm));
        assert!(!reading.pause && short(&reading.cart) == cart, "{text:?}: {}", short(&reading.cart));
    }
}

#[test]
fn what_the_answer_to_a_wait_says_to_write_is_understood() {
    let (engine, nothing) = (engine(), Cart::default());
    for (tag, cancel, person) in [
        ("en", "cancel my order", "person"),
        ("af", "kanselleer my bestelling", "mens"),
        ("nb", "avbestill", "menneske"),
        ("ru", "отмените заказ", "человек"),
        ("id", "batalkan pesanan", "orang"),
        ("ro", "anulați comanda", "om"),
    ] {
        let prior = Some(tag.parse().unwrap());
        for (text, intent) in [(cancel, Intent::CancelOrder), (person, Intent::Human)] {
            let said = Utterance { text, language: None, prior, cart: &nothing, usual: &nothing, expecting: None };
            assert_eq!(engine.read(&said).intent, intent, "{tag}: {text}");
        }
    }
}

#[test]
fn what_the_shop_lacks_is_named_and_changes_nothing_else() {
    let engine = engine();
    let case = |text, cart| {
        let reading = read(&engine, &Said { text, cart, ..Said::default() });
        (short(&reading.cart), reading.unmatched)
    };
    assert_eq!(case("a sushi and a coke", ""), ("1 cola".into(), vec!["sushi".to_owned()]));
    assert_eq!(case("a margherita and a large lemonade", ""), ("1 margherita".into(), vec!["lemonade".to_owned()]));
    assert_eq!(case("a lasagne instead of the cola", "1 cola"), ("1 cola".into(), vec!["lasagne".to_owned()]));
    let reading = read(&engine, &Said { text: "I'd like a Döner", ..Said::default() });
    assert_eq!((reading.intent, reading.unmatched), (Intent::Order, vec!["Döner".to_owned()]));
    assert!(reading.confidence < 0.6);
    assert!(read(&engine, &Said { text: "my neighbour Wilhelmina sings", ..Said::default() }).unmatched.is_empty());
}

#[test]
fn several_wishes_in_one_message_are_all_told() {
    let engine = engine();
    let reading =
        read(&engine, &Said { text: "two margheritas please, and how long does delivery take?", ..Said::default() });
    assert_eq!((reading.intent, &reading.also[..]), (Intent::Order, &[Intent::DeliveryQuestion][..]));
    assert_eq!(short(&reading.cart), "2 margherita");
}

#[test]
fn an_opt_out_is_never_missed() {
    let engine = engine();
    all([
        "stop",
        "Unsubscribe me",
        "I don't want any more promotions",
        "stop sending me these messages",
        "take me off your list",
        "remove me from the newsletter please",
        "two colas, and no more ads please",
        "stopp",
        "meld meg av nyhetsbrevet",
        "slutt å sende meg tilbud",
        "jeg ønsker ikke flere tilbud fra dere",
        "hou op om vir my spesiale aanbiedinge te stuur",
        "geen reklame meer nie",
        "ek wil nie meer promosies kry nie",
        "стоп",
        "отпишите меня от рассылки",
        "не хочу получать рекламу",
        "хватит спамить",
        "berhenti berlangganan",
        "jangan kirim iklan lagi",
        "stop promo",
        "saya tidak mau menerima promosi",
        "dezabonare",
        "opriți reclamele",
        "nu-mi mai trimiteți oferte",
        "nu mai vreau să primesc promoții",
    ]
    .map(|text| {
        let intent = read(&engine, &Said { text, ..Said::default() }).intent;
        if intent == Intent::StopOffers { Ok(()) } else { Err(format!("{text:?}: {intent:?}")) }
    }));
}

#[test]
fn wordless_messages_say_nothing() {
    let engine = engine();
    for text in ["", "   ", "🍕🍕", "!!!", "\u{200b}", "…"] {
        let reading = read(&engine, &Said { text, cart: "1 cola", ..Said::default() });
        assert_eq!((reading.intent, reading.confidence), (Intent::Other, 0.0), "{text:?}");
        assert!(reading.unmatched.is_empty() && short(&reading.cart) == "1 cola" && !reading.fragment, "{text:?}");
    }
}

#[test]
fn languages_are_told_apart() {
    let engine = engine();
    let tag = |text: &str, prior: Option<&str>| {
        let nothing = Cart::default();
        let prior = prior.map(|tag| tag.parse().unwrap());
        let said = Utterance { text, language: None, prior, cart: &nothing, usual: &nothing, expecting: None };
        engine.read(&said).language.tag().to_owned()
    };
    assert_eq!(tag("margherita", Some("nb")), "nb", "margherita");
    assert_eq!(tag("маргарита", Some("en")), "ru", "маргарита");
    assert_eq!(tag("jeg vil gjerne bestille noe å spise", Some("en")), "nb", "jeg vil gjerne bestille noe å spise");
    assert_eq!(tag("ek wil graag iets te ete bestel", Some("nb")), "af", "ek wil graag iets te ete bestel");
    assert_eq!(tag("saya mau pesan makanan", Some("ro")), "id", "saya mau pesan makanan");
    assert_eq!(tag("aș vrea să comand ceva", Some("id")), "ro", "aș vrea să comand ceva");
    for (text, prior) in [("Tom", "nb"), ("14 Main Road Sea Point", "af"), ("8005", "nb"), ("pickup bro", "en")] {
        assert_eq!(tag(text, Some(prior)), prior, "{text}");
    }
    for (text, language) in [
        ("hei", "nb"),
        ("en margherita", "nb"),
        ("o margherita", "ro"),
        ("bună", "ro"),
        ("halo", "id"),
        ("a cola", "en"),
    ] {
        assert_eq!(tag(text, None), language, "{text}");
    }
    assert_eq!(tag("takk", Some("en")), "nb");
    assert_eq!(tag("to margherita, en uten løk", Some("en")), "nb");
    assert_eq!(tag("dua margherita, satu tanpa bawang", Some("en")), "id");
    let given = Utterance {
        text: "two colas",
        language: Some("de".parse().unwrap()),
        prior: None,
        cart: &Cart::default(),
        usual: &Cart::default(),
        expecting: None,
    };
    let reading = engine.read(&given);
    assert_eq!((reading.language.tag(), short(&reading.cart)), ("de", "2 cola".to_owned()));
}

#[test]
fn a_stray_number_is_no_quantity() {
    let engine = engine();
    for text in
        ["no wait its storgata 7", "I am 16", "my son is 5", "kl 18", "flat 3, 12 Markveien", "0556", "tomorrow at 6"]
    {
        let reading = read(&engine, &Said { text, cart: "1 cola", ..Said::default() });
        assert_eq!(short(&reading.cart), "1 cola", "{text}");
    }
    changes(&[
        ("make it 3", "1 cola", "3 cola"),
        ("three please", "1 cola", "3 cola"),
        ("no, only 2", "1 cola", "2 cola"),
        ("2 stk", "1 cola", "2 cola"),
    ]);
    orders(
        "en",
        &[
            ("1 pepperoni delivery Storgata 5", "1 pepperoni"),
            ("2 colas, im 16", "2 cola"),
            ("two margheritas, one without onion, collect at half seven", "1 margherita; 1 margherita[-onion]"),
            ("margherita x 2, pepperoni x1", "2 margherita; 1 pepperoni"),
            ("cola x3 and 10 margheritas", "3 cola; 10 margherita"),
            ("two hundred colas", "200 cola"),
            ("twenty four colas", "24 cola"),
            ("1234567 cola", "99999 cola"),
            ("two pepperonis one with extra cheese one without onion", "1 pepperoni[+cheese]; 1 pepperoni[-onion]"),
            ("2 margherita 1 large 1 small", "1 margherita[large]; 1 margherita[small]"),
        ],
    );
    orders("nb", &[("1 pepperoni levering Toftes gate 20 0556", "1 pepperoni")]);
    orders("ru", &[("маргариту на завтра на 6 вечера", "1 margherita")]);
}

#[test]
fn what_cannot_be_counted_is_told() {
    let engine = engine();
    for text in ["-2 cola", "1.5 margherita"] {
        let reading = read(&engine, &Said { text, ..Said::default() });
        assert_eq!((short(&reading.cart), reading.unmatched), (String::new(), vec![text.to_owned()]), "{text}");
    }
}

#[test]
fn addresses_after_the_word_for_delivery() {
    ways(&[
        ("1 cola delivery Storgata 5", Fulfilment::Delivery, Some("Storgata 5")),
        ("1 cola, delivery, Storgata 12, 0155 Oslo", Fulfilment::Delivery, Some("Storgata 12, 0155 Oslo")),
        ("delivery to Storgata 5 0155 Oslo, name is Marta", Fulfilment::Delivery, Some("Storgata 5 0155 Oslo")),
        ("1 cola delivery, 12 Markveien", Fulfilment::Delivery, Some("12 Markveien")),
    ]);
}

#[test]
fn names_within_messages() {
    let engine = engine();
    let name = |text| read(&engine, &Said { text, ..Said::default() }).name;
    for (text, said) in [
        ("delivery to Storgata 5 0155 Oslo, name is Marta", "Marta"),
        ("a cola for pickup for Marta", "Marta"),
        ("pickup for marta", "marta"),
        ("en cola, navn er Kari", "Kari"),
        ("satu cola, atas nama Budi", "Budi"),
        ("одну колу, зовут Иван", "Иван"),
        ("o cola, numele e Maria", "Maria"),
        ("'n cola, my naam is Pieter Botha", "Pieter Botha"),
    ] {
        assert_eq!(name(text).as_deref(), Some(said), "{text}");
    }
    for text in ["a cola for pickup", "two margheritas please", "what is your name?"] {
        assert_eq!(name(text), None, "{text}");
    }
    let asked =
        |text, expecting| read(&engine, &Said { text, cart: "1 cola", expecting: Some(expecting), ..Said::default() });
    for (text, said) in
        [("Jo", "Jo"), ("Da", "Da"), ("my name is Thandi", "Thandi"), ("Olga Ivanova", "Olga Ivanova"), ("Tom", "Tom")]
    {
        assert_eq!(asked(text, Expecting::Name).name.as_deref(), Some(said), "{text}");
    }
    for text in
        ["add two colas", "make it 3", "thanks", "ok", "123", "pickup", "what is in the margherita", "is it ready?"]
    {
        assert_eq!(asked(text, Expecting::Name).name, None, "{text}");
    }
    for text in ["dont know", "home", "cancel", "2 margheritas", "two colas"] {
        assert_eq!(asked(text, Expecting::Address).address, None, "{text}");
    }
}

#[test]
fn times_and_allergies_are_wishes() {
    let engine = engine();
    for (text, said) in [
        ("a cola tomorrow at 6", "tomorrow at 6"),
        ("a cola at 19", "at 19"),
        ("en cola kl 18", "kl 18"),
        ("одну колу на завтра на 6 вечера", "на завтра на 6 вечера"),
        ("satu cola besok jam 6", "besok jam 6"),
        ("o cola mâine la 6", "mâine la 6"),
        ("'n cola asseblief, môre om 6", "môre om 6"),
        ("a cola, collect half seven", "half seven"),
        ("a cola, i have a severe nut allergy", "i have a severe nut allergy"),
        ("одну колу, у меня аллергия на орехи", "у меня аллергия на орехи"),
        ("en cola, jeg er allergisk mot nøtter", "jeg er allergisk mot nøtter"),
        ("satu cola, alergi kacang", "alergi kacang"),
        ("o cola, alergie la nuci", "alergie la nuci"),
        ("'n cola, allergies vir neute", "allergies vir neute"),
    ] {
        let reading = read(&engine, &Said { text, ..Said::default() });
        assert_eq!(reading.wishes, [said], "{text}");
        assert_eq!((short(&reading.cart), reading.unmatched), ("1 cola".to_owned(), Vec::new()), "{text}");
    }
    for text in ["are you open tomorrow?", "a cola", "is there a nut allergy risk?"] {
        assert_eq!(read(&engine, &Said { text, ..Said::default() }).wishes, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn the_same_again_with_an_empty_cart_is_the_usual() {
    let engine = engine();
    for text in
        ["same again", "again please", "dieselfde weer", "samme igjen", "то же самое", "pesan yang sama", "la fel"]
    {
        let reading = read(&engine, &Said { text, usual: "2 cola", ..Said::default() });
        assert_eq!((reading.intent, short(&reading.cart)), (Intent::Order, "2 cola".to_owned()), "{text}");
    }
}

#[test]
fn small_words_of_the_languages() {
    let engine = engine();
    for (text, intent) in [
        ("gata", Intent::Checkout),
        ("er dere åpne", Intent::Hours),
        ("er dere åpne i morgen", Intent::Hours),
        ("скок стоит пепперони", Intent::PriceQuestion),
        ("do you still have the margherita?", Intent::ProductQuestion),
        ("what does a large pepperoni cost", Intent::PriceQuestion),
    ] {
        let reading = read(&engine, &Said { text, cart: "1 cola", ..Said::default() });
        assert_eq!((reading.intent, short(&reading.cart)), (intent, "1 cola".to_owned()), "{text}");
    }
    for text in ["en til meg", "en til i morgen"] {
        let reading = read(&engine, &Said { text, cart: "1 cola", ..Said::default() });
        assert_eq!(short(&reading.cart), "1 cola", "{text}");
    }
    ways(&[
        ("hent den", Fulfilment::Pickup, None),
        ("henter den", Fulfilment::Pickup, None),
        ("забери", Fulfilment::Pickup, None),
        ("заберу", Fulfilment::Pickup, None),
        ("vin eu dupa ea", Fulfilment::Pickup, None),
        ("vin sa o iau", Fulfilment::Pickup, None),
    ]);
}

#[test]
fn endless_messages_end() {
    let engine = engine();
    for text in
        ["two margheritas and a cola with olives no cheese ".repeat(2_000), "x".repeat(100_000), "no ".repeat(30_000)]
    {
        let nothing = Cart::default();
        let reading = engine.read(&Utterance {
            text: &text,
            language: None,
            prior: None,
            cart: &nothing,
            usual: &nothing,
            expecting: None,
        });
        assert!(reading.cart.lines.len() <= text::MOST_TOKENS);
    }
}

#[test]
fn parts_of_what_was_cleared_are_parts_of_nothing() {
    let engine = engine();
    for text in [
        "margherita clear everything 0 margherita 4 large",
        "margherita, clear everything, 0 margherita, 4 with olives",
        "2 margherita, remove everything, 0 margherita, one large, one small",
    ] {
        let reading = read(&engine, &Said { text, cart: "1 cola", ..Said::default() });
        assert!(reading.cart.lines.iter().all(|line| line.quantity > 0), "{text}");
    }
}

/// Words of orders in every language, names and what goes with them, in any order.
const WORDS: [&str; 72] = [
    "two",
    "no",
    "margherita",
    "large",
    "instead of",
    "change",
    "to",
    "make that",
    "the second",
    "olives",
    "and",
    "or",
    "with",
    "remove",
    "both",
    "another",
    "the same",
    "cola",
    ",",
    "?",
    "usual",
    "extra",
    "1",
    "it",
    "99999",
    "0",
    "-3",
    "2.5",
    "x",
    "half of them",
    "the rest",
    "all",
    "deliver to",
    "at 7",
    "my name is",
    "\n",
    "tuna pizza",
    "garlic bred",
    "twee",
    "sonder",
    "kaas",
    "voeg by",
    "haal af",
    "nie",
    "en nog",
    "tunapizza",
    "uten",
    "stor",
    "legg til",
    "ta bort",
    "bytt",
    "hvitløksbrød",
    "jeg vil ha",
    "две",
    "без",
    "большая",
    "убери",
    "замени",
    "на",
    "пиццу с тунцом",
    "ещё одну",
    "dua",
    "tanpa",
    "besar",
    "tambah",
    "hapus",
    "ganti",
    "gado2",
    "două",
    "fără",
    "mare",
    "pâine cu usturoi",
];

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_reading(
        text in "\\PC{0,120}",
        words in proptest::collection::vec(0..WORDS.len(), 0..16),
        carts in proptest::array::uniform2(0usize..4),
        expecting in 0usize..6,
        tongue in 0usize..14,
    ) {
        const CARTS: [&str; 4] =
            ["", "1 margherita[+olives]; 2 cola", "3 pasta; 1 tuna[large]", "1 water; 1 garlic_bread; 2 pepperoni[small]"];
        const EXPECTED: [Option<Expecting>; 6] = [None, Some(Expecting::Choice), Some(Expecting::Confirm),
            Some(Expecting::Address), Some(Expecting::Name), Some(Expecting::Rating)];
        let engine = ENGINE.get_or_init(engine);
        let [cart, usual] = carts.map(|at| cart(CARTS[at]));
        let prior = engine.languages().nth(tongue / 2);
        let language = prior.filter(|_| tongue % 2 == 1);
        let spoken = words.iter().map(|&at| WORDS[at]).collect::<Vec<_>>().join(" ");
        for text in [text, spoken] {
            let utterance = Utterance {
                text: &text, language, prior, cart: &cart, usual: &usual, expecting: EXPECTED[expecting] };
            let reading = engine.read(&utterance);
            proptest::prop_assert_eq!(&reading, &engine.read(&utterance));
            proptest::prop_assert!((0.0..=1.0).contains(&reading.confidence));
            proptest::prop_assert!(!reading.also.contains(&reading.intent));
            // A word adds a line at the most, or the whole last order.
            let most = cart.lines.len() + text::tokens(&text).len() * (1 + usual.lines.len());
            proptest::prop_assert!(reading.cart.lines.len() <= most);
            proptest::prop_assert!(reading.cart.lines.iter().all(|l| (1..=MOST_OF_A_LINE).contains(&l.quantity)));
            // A minus is told as a hyphen.
            let plain = text.replace('−', "-");
            let told = reading.unmatched.iter().chain(&reading.wishes).chain(&reading.address).chain(&reading.name);
            for piece in told {
                proptest::prop_assert!(plain.contains(&piece.replace('−', "-")), "{piece:?} of {text:?}");
            }
        }
    }
}

static ENGINE: std::sync::OnceLock<Engine> = std::sync::OnceLock::new();

#[test]
fn what_stays_is_named_and_one_fewer_is_no_light_one() {
    changes(&[
        ("take everything off except the cola", "1 margherita; 1 cola", "1 cola"),
        ("remove everything except the cola and add a water", "1 margherita; 1 cola", "1 cola; 1 water"),
        ("remove everything except the pizza", "1 margherita; 1 cola", "1 margherita"),
        ("one cola less", "3 cola", "2 cola"),
        ("one cola light", "1 cola", "2 cola"),
        ("one of the margheritas should be large", "3 margherita", "2 margherita; 1 margherita[large]"),
    ]);
    orders(
        "en",
        &[
            ("two pizzas, margherita and pepperoni", "1 margherita; 1 pepperoni"),
            ("(1) margherita (2) cola", "1 margherita; 1 cola"),
            ("two (2) margherita, one (1) cola", "2 margherita; 1 cola"),
            ("two margherita pizzas", "2 margherita"),
        ],
    );
}
