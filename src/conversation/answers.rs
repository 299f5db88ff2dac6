//! Questions, answered from what the shop has stated and from nothing else: its catalogue, its hours and zones, its
//! FAQ file. What these do not hold is a person's to answer.

use super::{Facts, Offer, Reply, Say, Words, basket::price_of_halves};
use crate::{
    calendar::Period,
    catalog::{Catalog, Names, Product},
    id::{CategoryId, ProductId},
    quote::quote,
    understanding::Intent,
    wording::{Allergen, Clock, DayTime, List, OptionName, Periods, Text, Weekday},
};

/// Most products that a menu names in one message. A longer one is shown by category.
const MOST_ON_A_MENU: usize = 60;

/// Most products that one answer speaks of.
const MOST_ANSWERED: usize = 4;

/// Most priced options that a price answer lists for each product.
const MOST_OPTIONS: usize = 8;

/// Answers a question; `false` where the shop has stated nothing that answers it.
pub(super) fn answer(intent: Intent, words: &Words<'_>, facts: &Facts<'_>, reply: &mut Reply) -> bool {
    match intent {
        Intent::Menu => {
            menu(facts, reply);
            true
        }
        Intent::Hours => hours(facts, reply) || topic(words, facts, reply),
        Intent::PriceQuestion => {
            prices(words.named, facts, reply) || so_far(words, facts, reply) || topic(words, facts, reply)
        }
        Intent::ProductQuestion => {
            // A shop's own words on a topic come before the record; an allergen record is shown whatever they are.
            let said = topic(words, facts, reply);
            products(words.named, facts, reply) || said
        }
        Intent::DeliveryQuestion => zones(facts, reply),
        Intent::PaymentQuestion
        | Intent::Points
        | Intent::Redeem
        | Intent::Join
        | Intent::Offers
        | Intent::ReferFriend
        | Intent::Other
        | Intent::Rating => topic(words, facts, reply),
        Intent::Order
        | Intent::Checkout
        | Intent::Confirm
        | Intent::Decline
        | Intent::ChangeOrder
        | Intent::CancelOrder
        | Intent::TrackOrder
        | Intent::Complaint
        | Intent::Refund
        | Intent::Human
        | Intent::StopOffers
        | Intent::StartOffers
        | Intent::MyData
        | Intent::Language
        | Intent::Greeting
        | Intent::Thanks => false,
    }
}

/// The menu: whole where it is short, else its headings to pick from.
pub(super) fn menu(facts: &Facts<'_>, reply: &mut Reply) {
    let catalog = facts.catalog;
    if catalog.products.len() <= MOST_ON_A_MENU {
        reply.say(Text::MenuHead {});
        for category in &catalog.categories {
            let products: Vec<&Product> = of_category(catalog, &category.id).collect();
            if products.is_empty() {
                continue;
            }
            reply.gap();
            reply.says.push(Say::Heading(category.id.clone()));
            reply.says.extend(products.into_iter().map(|p| Say::Product(p.id.clone())));
        }
        reply.gap();
        reply.say(Text::MenuFoot {});
        return;
    }
    reply.say(Text::MenuPick {});
    let filled = catalog.categories.iter().filter(|c| of_category(catalog, &c.id).next().is_some());
    reply.offers = filled.map(|c| Offer::Category(c.id.clone())).collect();
}

/// One part of the menu.
pub(super) fn category(id: &CategoryId, facts: &Facts<'_>, reply: &mut Reply) {
    reply.says.push(Say::Heading(id.clone()));
    let products: Vec<&Product> = of_category(facts.catalog, id).collect();
    reply.says.extend(products.iter().take(MOST_ON_A_MENU).map(|p| Say::Product(p.id.clone())));
    if products.len() > MOST_ON_A_MENU {
        reply.say(Text::MenuMore {});
    }
}

/// An order to show how one writes: of this shop's own products, leaving out something that is in the first of them.
pub(super) fn example(facts: &Facts<'_>) -> Box<Text> {
    let catalog = facts.catalog;
    let named = |names: &Names| names.shown(facts.language).to_lowercase();
    let with_option = catalog.products.iter().filter(|p| p.available).find_map(|product| {
        let holds = product.description.get(&facts.language)?.to_lowercase();
        let mut options = catalog.groups_of(product).filter(|group| group.max != Some(1)).flat_map(|group| {
            let held = group.choices.iter().filter(|c| c.available && holds.contains(&named(&c.names)));
            held.map(move |choice| OptionName(group.id.clone(), choice.id.clone()))
        });
        let option = options.next()?;
        Some(Text::Example { product: product.id.clone(), option })
    });
    let plain = |product: &Product| Text::ExamplePlain { product: product.id.clone() };
    Box::new(with_option.or_else(|| catalog.products.first().map(plain)).unwrap_or(Text::AskAnything {}))
}

/// What the shop's FAQ says.
pub(super) fn topic(words: &Words<'_>, facts: &Facts<'_>, reply: &mut Reply) -> bool {
    let answer = words.topic.and_then(|id| facts.faq.answer(id, facts.language));
    if let Some(answer) = answer {
        reply.says.push(Say::Shop(answer.to_owned()));
    }
    answer.is_some()
}

fn hours(facts: &Facts<'_>, reply: &mut Reply) -> bool {
    let Some(hours) = facts.hours() else { return false };
    if hours.is_always() {
        reply.say(Text::HoursAlways {});
        return true;
    }
    match hours.closing_after(facts.now).filter(|_| hours.open_at(facts.now)) {
        Some(until) => reply.say(Text::HoursOpen { until: Clock(until) }),
        None => match hours.next_opening(facts.now) {
            Some(opening) => reply.say(Text::HoursClosed { opening: DayTime(opening) }),
            None => reply.say(Text::HoursClosedLong {}),
        },
    }
    // The week from today on, by date, so that exceptions show.
    let mut date = Some(hours.day_of(facts.now));
    for _ in 0..7 {
        let Some(today) = date else { break };
        date = today.tomorrow().ok();
        let day = Weekday(u8::try_from(today.weekday().to_monday_zero_offset()).unwrap_or(0));
        let minutes = |period: &Period| (period.opens(), period.closes());
        match hours.periods_on(today) {
            [] => reply.say(Text::HoursDayClosed { day }),
            periods => reply.say(Text::HoursDay { day, periods: Periods(periods.iter().map(minutes).collect()) }),
        }
    }
    true
}

fn prices(named: &[ProductId], facts: &Facts<'_>, reply: &mut Reply) -> bool {
    let products = named.iter().filter_map(|id| facts.catalog.product(id)).take(MOST_ANSWERED);
    let mut any = false;
    for product in products {
        any = true;
        match facts.catalog.groups_of(product).find_map(|group| group.halves.as_ref()) {
            Some(halves) => reply.say(price_of_halves(product, halves)),
            None => reply.say(Text::PriceOf { product: product.id.clone(), price: product.price }),
        }
        let single = facts.catalog.groups_of(product).filter(|group| group.max == Some(1));
        let priced = single.flat_map(|group| {
            group.choices.iter().filter(|c| c.available && !c.price.is_zero()).map(move |choice| (group, choice))
        });
        for (group, choice) in priced.take(MOST_OPTIONS) {
            let option = OptionName(group.id.clone(), choice.id.clone());
            reply.say(Text::PriceOption { option, price: choice.price });
        }
    }
    any
}

/// What the order comes to so far, where somebody asks for a price and names nothing.
fn so_far(words: &Words<'_>, facts: &Facts<'_>, reply: &mut Reply) -> bool {
    let cart = &words.reading.cart;
    match quote(facts.catalog, cart, None, None) {
        Ok(sum) if !cart.is_empty() && words.named.is_empty() => {
            reply.say(Text::CartSoFar { total: sum.goods });
            true
        }
        Ok(_) | Err(_) => false,
    }
}

fn products(named: &[ProductId], facts: &Facts<'_>, reply: &mut Reply) -> bool {
    let mut any = false;
    for product in named.iter().filter_map(|id| facts.catalog.product(id)).take(MOST_ANSWERED) {
        any = true;
        reply.says.push(Say::Product(product.id.clone()));
        let described = [facts.language, facts.language.base()].iter().find_map(|l| product.description.get(l));
        if let Some(description) = described {
            reply.says.push(Say::Shop(description.clone()));
        }
        let product = product.id.clone();
        let record = facts.catalog.product(&product).and_then(|p| p.allergens.as_ref());
        reply.say(match record {
            None => Text::AllergensUnknown { product },
            Some(keys) if keys.is_empty() => Text::AllergensNone { product },
            Some(keys) => Text::Allergens { product, allergens: List(keys.iter().cloned().map(Allergen).collect()) },
        });
    }
    if any {
        reply.say(Text::AllergensPerson {});
    }
    any
}

fn zones(facts: &Facts<'_>, reply: &mut Reply) -> bool {
    if facts.catalog.zones.is_empty() {
        reply.say(Text::PickupOnly {});
        return true;
    }
    reply.say(Text::DeliveryHead {});
    for zone in &facts.catalog.zones {
        let (id, fee, minimum) = (zone.id.clone(), zone.fee, zone.minimum);
        reply.say(match zone.free_from {
            Some(free) => Text::DeliveryZoneFree { zone: id, fee, minimum, free },
            None if minimum.is_zero() => Text::DeliveryZoneNoMinimum { zone: id, fee },
            None => Text::DeliveryZone { zone: id, fee, minimum },
        });
    }
    true
}

fn of_category<'a>(catalog: &'a Catalog, id: &'a CategoryId) -> impl Iterator<Item = &'a Product> {
    catalog.products.iter().filter(move |product| product.category == *id)
}
