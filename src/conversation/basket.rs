//! Filling an order: what changed in the cart, what is still to be asked, and how it is asked.

use super::{
    Ask, Basket, Facts, MOST_ASKED, MOST_ITEMS, MOST_OF_ONE, Offer, Reply, Say, Stage, Step, checkout::read_back,
    doubt::hand_over,
};
use crate::{
    cart::{Cart, Chosen, Line, Pick},
    catalog::{Group, Halves, HalvesPrice, Product, ZoneMatch},
    customer::{LONGEST_ADDRESS, LONGEST_NAME},
    desk::{Desk, Why},
    order::Fulfilment,
    quote::{self, quote},
    wording::{OptionName, Text},
};

/// Why the next question is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The customer got on: a question that stands already is not put again.
    Progress,
    /// The customer wants to go on with just this, or was not understood.
    Need,
}

/// What keeps a changed cart from being taken.
pub(super) enum Unfit {
    /// A person has to look first.
    Person(Text),
    /// It can't be; why.
    No(Vec<Text>),
}

/// Takes a changed cart: drops what can't be had, and says so. An unfit one is not taken at all. What was in the cart
/// before, the staff's own large orders included, is no reason to refuse the rest.
pub(super) fn vet(cart: Cart, before: &Cart, facts: &Facts<'_>, reply: &mut Reply) -> Result<Cart, Unfit> {
    let grown = |line: &Line| line.quantity > MOST_OF_ONE && !before.lines.contains(line);
    let mut kept = Cart::default();
    for mut line in cart.joined().lines {
        if let Some(id) = line.product.settled().filter(|id| facts.catalog.product(id).is_none()) {
            // The catalogue was changed while this order was being filled.
            reply.say(Text::UsualGone { product: id.to_string() });
            continue;
        }
        if let Some(product) = line.product.settled().and_then(|id| facts.catalog.product(id)) {
            if !product.available {
                reply.say(Text::Unavailable { product: product.id.clone() });
                continue;
            }
            if grown(&line) {
                let text = Text::TooMany { quantity: line.quantity, product: product.id.clone() };
                return Err(Unfit::Person(text));
            }
            let mut refused = Vec::new();
            line.options.retain(|option| {
                let goes = product.groups.contains(&option.group);
                let Some(choice) = option.choice.settled() else { return goes };
                let name = OptionName(option.group.clone(), choice.clone());
                let had = facts.catalog.choice(&option.group, choice).is_some_and(|c| c.available || option.without);
                if !goes {
                    refused.push(Text::OptionNotFor { option: name, product: product.id.clone() });
                } else if !had {
                    refused.push(Text::OptionUnavailable { option: name });
                }
                goes && had
            });
            refused.into_iter().for_each(|text| reply.say(text));
            for group in facts.catalog.groups_of(product) {
                if let Some(max) = group.max.filter(|max| quote::chosen(group, &line) > *max) {
                    let product = product.id.clone();
                    return Err(Unfit::No(vec![Text::TooManyOptions { product, max, group: group.id.clone() }]));
                }
            }
        } else if grown(&line) {
            return Err(Unfit::Person(Text::TooManyItems {}));
        }
        kept.add(line);
    }
    // Beyond the limit only the staff can have brought it: a little more is taken then.
    let most = if before.items() > MOST_ITEMS { before.items().saturating_add(MOST_OF_ONE) } else { MOST_ITEMS };
    if kept.items() > most || kept.lines.iter().any(grown) {
        return Err(Unfit::Person(Text::TooManyItems {}));
    }
    Ok(kept)
}

/// Says what is different in the cart, and what it comes to so far.
pub(super) fn tell_difference(before: &Cart, after: &Cart, facts: &Facts<'_>, reply: &mut Reply) {
    if after.is_empty() && !before.is_empty() {
        reply.say(Text::CartEmptied {});
        return;
    }
    let mut gone: Vec<&Line> = before.lines.iter().filter(|l| !after.lines.iter().any(|n| n.same_thing(l))).collect();
    for line in &after.lines {
        match before.lines.iter().find(|old| old.same_thing(line)) {
            Some(old) if line.quantity > old.quantity => {
                let added = Line { quantity: line.quantity - old.quantity, ..line.clone() };
                reply.say(Text::CartAdded { line: added });
            }
            Some(old) if line.quantity < old.quantity => {
                reply.say(Text::CartQuantity { line: line.clone(), from: old.quantity });
            }
            Some(_) => {}
            None => match gone.iter().position(|old| old.product == line.product) {
                Some(at) => {
                    let from = gone.remove(at).clone();
                    reply.say(Text::CartChanged { from, to: line.clone() });
                }
                // What it is will be asked; until then nothing was added that could be named.
                None if line.product.settled().is_none() => {}
                None => {
                    // What a line was not settled between was never named as added, so nothing of it is removed.
                    if let Some(at) = gone.iter().position(|old| may_mean(old, line)) {
                        gone.remove(at);
                    }
                    reply.say(Text::CartAdded { line: line.clone() });
                }
            },
        }
    }
    for line in gone.into_iter().filter(|line| line.product.settled().is_some()) {
        reply.say(Text::CartRemoved { line: line.clone() });
    }
    if let Ok(sum) = quote(facts.catalog, after, None, None) {
        reply.say(Text::CartSoFar { total: sum.goods });
    }
}

/// Finds what is to be asked next and asks it, or reads the order back where everything is known.
pub(super) fn go_on(mut step: Step, basket: Basket, facts: &Facts<'_>, occasion: Occasion) -> Step {
    let mut counts = match &step.state.stage {
        Stage::Filling { asked, .. } => asked.clone(),
        Stage::Idle | Stage::Confirming { .. } => Vec::new(),
    };
    let mut reply = step.reply.take().unwrap_or_default();
    let mut basket = basket;
    let ask = next_question(&mut basket, facts, &mut reply);
    let Some(ask) = ask else {
        let Some(readback) = read_back(&basket, facts, &mut reply) else {
            return unpriced(step, basket, reply, facts);
        };
        step.state.stage = Stage::Confirming { basket, readback };
        step.reply = Some(reply);
        return step;
    };
    let asked = counts.iter().find(|(old, _)| *old == ask).map_or(0, |(_, count)| *count);
    // Where there is nothing else to say, the question is what the customer has to hear.
    let needed = occasion == Occasion::Need || !reply.says_any();
    // Without an answer to these there is no going on, whatever else was said.
    let holds = matches!(ask, Ask::Which { .. } | Ask::WhichOption { .. } | Ask::Option { .. });
    let put = if needed || holds { asked < MOST_ASKED } else { asked == 0 };
    reply.offers = offers(&ask, &basket, facts);
    if put {
        put_question(&ask, &basket, facts, &mut reply);
        counts.retain(|(old, _)| *old != ask);
        counts.push((ask.clone(), asked + 1));
    } else if needed {
        // Twice is enough; now a person is told, once.
        let waiting = step.desk != Desk::Bot;
        reply.says.retain(|say| *say != Say::Text(Text::NotUnderstoodAsk {}));
        reply.say(if waiting { Text::CallingStill {} } else { Text::CallingSlip {} });
        // Whether the shop goes there is the shop's to say.
        let why = if matches!(ask, Ask::Address | Ask::Postcode) { Why::Address } else { Why::NotUnderstood };
        step.desk = step.desk.calling(why, facts.now);
    }
    step.state.stage = Stage::Filling { basket, ask, asked: counts };
    step.reply = Some(reply);
    step
}

/// Everything is known of an order, and still it can't be priced: what can't be had of it is dropped and said. Where that
/// is not it, asking the customer leads nowhere, and a person sees to it.
fn unpriced(mut step: Step, basket: Basket, mut reply: Reply, facts: &Facts<'_>) -> Step {
    match vet(basket.cart.clone(), &basket.cart, facts, &mut reply) {
        Ok(cart) if cart != basket.cart => {
            tell_difference(&basket.cart, &cart, facts, &mut reply);
            step.reply = Some(reply);
            go_on(step, Basket { cart, ..basket }, facts, Occasion::Progress)
        }
        Ok(_) | Err(_) => {
            let asked = match step.state.stage {
                Stage::Filling { asked, .. } => asked,
                Stage::Idle | Stage::Confirming { .. } => Vec::new(),
            };
            step.state.stage = Stage::Filling { basket, ask: Ask::Anything, asked };
            hand_over(step, reply, facts)
        }
    }
}

/// Puts a question, with what explains it.
fn put_question(ask: &Ask, basket: &Basket, facts: &Facts<'_>, reply: &mut Reply) {
    let product = |line: &usize| {
        let line = basket.cart.lines.get(*line)?;
        line.product.settled().cloned()
    };
    let text = match ask {
        Ask::Anything => Text::AskAnything {},
        Ask::Which { .. } => Text::AskWhich {},
        Ask::WhichOption { line, option } => {
            let group = basket.cart.lines.get(*line).and_then(|l| l.options.get(*option)).map(|o| o.group.clone());
            match (group, product(line)) {
                (Some(group), Some(product)) => Text::AskWhichOption { group, product },
                (Some(_) | None, Some(_) | None) => Text::AskWhich {},
            }
        }
        Ask::Option { line, group, made } => {
            let half = facts.catalog.group(group).is_some_and(|group| group.halves.is_some());
            match product(line) {
                Some(product) if half && *made > 0 => Text::AskOtherHalf { product },
                Some(product) => Text::AskOption { group: group.clone(), product },
                None => Text::AskWhich {},
            }
        }
        Ask::Fulfilment => Text::AskFulfilment {},
        Ask::Address => Text::AskAddress {},
        Ask::Postcode => Text::AskPostcode {},
        Ask::Name => Text::AskName {},
    };
    if matches!(ask, Ask::Anything) && !reply.says.is_empty() {
        // What was said already says what is needed: an empty order, a minimum, a sold-out dish.
        return;
    }
    reply.say(text);
    // Options that cost something are named with their price before they are chosen, and so is the rule for halves.
    if let Ask::Option { line, group, made } = ask
        && let Some(group) = facts.catalog.group(group)
    {
        let product = product(line).and_then(|id| facts.catalog.product(&id));
        if let (Some(halves), Some(product)) = (&group.halves, product) {
            if *made == 0 {
                reply.say(price_of_halves(product, halves));
            }
            return;
        }
        for choice in group.choices.iter().filter(|c| c.available && !c.price.is_zero()) {
            reply.say(Text::PriceOption {
                option: OptionName(group.id.clone(), choice.id.clone()),
                price: choice.price,
            });
        }
    }
}

/// What a product that is made of halves costs.
pub(super) fn price_of_halves(product: &Product, halves: &Halves) -> Text {
    let (id, price) = (product.id.clone(), product.price);
    match (halves.price, price.is_zero()) {
        (HalvesPrice::Dearest, true) => Text::PriceOfDearest { product: id },
        (HalvesPrice::Dearest, false) => Text::PriceOfDearestPlus { product: id, price },
        (HalvesPrice::Average, true) => Text::PriceOfAverage { product: id },
        (HalvesPrice::Average, false) => Text::PriceOfAveragePlus { product: id, price },
    }
}

/// What can be picked in answer to a question.
pub(super) fn offers(ask: &Ask, basket: &Basket, facts: &Facts<'_>) -> Vec<Offer> {
    let choices = |group: &Group| {
        let available = group.choices.iter().filter(|c| c.available);
        available.map(|c| Offer::Choice(group.id.clone(), c.id.clone())).collect()
    };
    match ask {
        Ask::Anything if basket.fulfilment == Some(Fulfilment::Delivery) => {
            vec![Offer::Fulfil(Fulfilment::Pickup), Offer::Menu]
        }
        Ask::Anything => vec![Offer::Menu],
        Ask::Which { line } => match basket.cart.lines.get(*line).map(|l| &l.product) {
            Some(Pick::OneOf(ids)) => ids.iter().cloned().map(Offer::Product).collect(),
            Some(Pick::One(_)) | None => Vec::new(),
        },
        Ask::WhichOption { line, option } => match basket.cart.lines.get(*line).and_then(|l| l.options.get(*option)) {
            Some(Chosen { group, choice: Pick::OneOf(ids), .. }) => {
                ids.iter().map(|id| Offer::Choice(group.clone(), id.clone())).collect()
            }
            Some(_) | None => Vec::new(),
        },
        Ask::Option { group, .. } => facts.catalog.group(group).map(choices).unwrap_or_default(),
        Ask::Fulfilment => vec![Offer::Fulfil(Fulfilment::Pickup), Offer::Fulfil(Fulfilment::Delivery)],
        Ask::Address | Ask::Postcode => vec![Offer::Fulfil(Fulfilment::Pickup)],
        Ask::Name => facts.shown_name.map(|name| Offer::Name(cut(name, LONGEST_NAME))).into_iter().collect(),
    }
}

/// The first thing that is not known yet; `None` where the order can be read back.
fn next_question(basket: &mut Basket, facts: &Facts<'_>, reply: &mut Reply) -> Option<Ask> {
    if basket.cart.is_empty() {
        return Some(Ask::Anything);
    }
    // The line said last comes first: it is the one that an answer such as "the second" is read as being about.
    for (at, line) in basket.cart.lines.iter().enumerate().rev() {
        if line.product.settled().is_none() {
            return Some(Ask::Which { line: at });
        }
        if let Some(option) = line.options.iter().position(|o| o.choice.settled().is_none()) {
            return Some(Ask::WhichOption { line: at, option });
        }
        if let Some(group) = quote::missing(facts.catalog, line) {
            return Some(Ask::Option { line: at, group: group.id.clone(), made: quote::chosen(group, line) });
        }
    }
    if facts.catalog.zones.is_empty() {
        if basket.fulfilment == Some(Fulfilment::Delivery) {
            reply.say(Text::PickupOnly {});
        }
        basket.fulfilment = Some(Fulfilment::Pickup);
    }
    match basket.fulfilment {
        None => return Some(Ask::Fulfilment),
        Some(Fulfilment::Pickup) => {}
        Some(Fulfilment::Delivery) => {
            if let Some(ask) = place_of_delivery(basket, facts, reply) {
                return Some(ask);
            }
        }
    }
    if basket.name.is_none() {
        basket.name.clone_from(&facts.customer.name);
    }
    if basket.name.is_none() { Some(Ask::Name) } else { None }
}

/// Settles where a delivery goes, and whether the order is large enough for it.
fn place_of_delivery(basket: &mut Basket, facts: &Facts<'_>, reply: &mut Reply) -> Option<Ask> {
    if basket.address.is_none() {
        basket.address.clone_from(&facts.customer.address);
    }
    let Some(address) = basket.address.clone() else { return Some(Ask::Address) };
    let zone = match facts.catalog.zone_for(&address) {
        ZoneMatch::Zone(zone) => zone,
        ZoneMatch::Unclear => return Some(Ask::Postcode),
        ZoneMatch::Outside => {
            basket.address = None;
            basket.zone = None;
            reply.say(Text::OutsideZone {});
            return Some(Ask::Address);
        }
    };
    basket.zone = Some(zone.id.clone());
    let sum = quote(facts.catalog, &basket.cart, basket.fulfilment, Some(zone)).ok()?;
    if let Some(short) = sum.short_of_minimum {
        reply.say(Text::BelowMinimum { zone: zone.id.clone(), minimum: zone.minimum, short });
        return Some(Ask::Anything);
    }
    None
}

/// Takes an answer to where an order goes. With [`Ask::Postcode`] it completes the address that was given.
pub(super) fn take_address(basket: &mut Basket, ask: &Ask, text: &str) {
    let text = one_line(text);
    let whole = match (ask, basket.address.take()) {
        (Ask::Postcode, Some(street)) if !text.to_lowercase().contains(&street.to_lowercase()) => {
            format!("{street}, {text}")
        }
        (_, _) => text,
    };
    basket.address = Some(cut(&whole, LONGEST_ADDRESS));
    basket.zone = None;
}

/// Takes an answer to whom an order is for.
pub(super) fn take_name(basket: &mut Basket, text: &str) {
    basket.name = Some(cut(&one_line(text), LONGEST_NAME));
}

/// Keeps what the shop has to know, in the customer's words.
pub(super) fn take_wishes(basket: &mut Basket, wishes: &[String]) {
    /// Most wishes of one order; more is a conversation, and that the shop sees anyway.
    const MOST: usize = 6;
    /// Longest wish, in characters.
    const LONGEST: usize = 160;
    for wish in wishes.iter().map(|wish| cut(&one_line(wish), LONGEST)) {
        if basket.wishes.len() < MOST && !basket.wishes.contains(&wish) {
            basket.wishes.push(wish);
        }
    }
}

/// Takes a product that an ambiguous line may mean.
pub(super) fn take_product(basket: &mut Basket, id: &crate::id::ProductId) -> bool {
    let line = basket.cart.lines.iter_mut().find(|l| matches!(&l.product, Pick::OneOf(ids) if ids.contains(id)));
    match line {
        Some(line) => {
            line.product = Pick::One(id.clone());
            basket.cart = std::mem::take(&mut basket.cart).joined();
            true
        }
        None => false,
    }
}

/// Takes a choice in answer to a question about a line's option.
pub(super) fn take_choice(basket: &mut Basket, ask: &Ask, chosen: Chosen) -> bool {
    match ask {
        Ask::Option { line, group, .. } if chosen.group == *group => match basket.cart.lines.get_mut(*line) {
            Some(line) => line.options.push(chosen),
            None => return false,
        },
        Ask::WhichOption { line, option } => {
            match basket.cart.lines.get_mut(*line).and_then(|l| l.options.get_mut(*option)) {
                Some(old) => {
                    old.group = chosen.group;
                    old.choice = chosen.choice;
                }
                None => return false,
            }
        }
        Ask::Option { .. }
        | Ask::Anything
        | Ask::Which { .. }
        | Ask::Fulfilment
        | Ask::Address
        | Ask::Postcode
        | Ask::Name => return false,
    }
    basket.cart = std::mem::take(&mut basket.cart).joined();
    true
}

/// Says which prices of the last order are others now, and what of it is gone.
pub(super) fn tell_usual_changes(after: &Cart, facts: &Facts<'_>, reply: &mut Reply) {
    let Some(last) = facts.usual() else { return };
    for (line, before) in last.cart.lines.iter().zip(&last.line_totals) {
        let Some(id) = line.product.settled() else { continue };
        match facts.catalog.product(id) {
            None => reply.say(Text::UsualGone { product: id.to_string() }),
            Some(_) if after.lines.iter().any(|l| l.same_thing(line) && l.quantity == line.quantity) => {
                let now = quote(facts.catalog, &Cart { lines: vec![line.clone()] }, None, None);
                if let Ok(now) = now
                    && now.goods != *before
                {
                    reply.say(Text::UsualPrice { product: id.clone(), now: now.goods, before: *before });
                }
            }
            Some(_) => {}
        }
    }
}

/// Whether a line that was not settled may have meant what another is.
fn may_mean(unsettled: &Line, line: &Line) -> bool {
    match (&unsettled.product, &line.product) {
        (Pick::OneOf(ids), Pick::One(id)) => ids.contains(id),
        (Pick::OneOf(_) | Pick::One(_), _) => false,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters of a text.
pub(super) fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

impl Reply {
    /// Whether a text of that kind is said already.
    pub(super) fn says_any(&self) -> bool {
        self.says.iter().any(|say| !matches!(say, Say::Gap))
    }
}
