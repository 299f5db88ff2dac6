//! From a full basket to an order: the read-back, and the yes that is bound to it.

use super::{
    Basket, Effect, Facts, Offer, Placed, READBACK_LIFE, Readback, Reply, Stage, Step,
    basket::{Occasion, go_on},
};
use crate::{
    catalog::{Zone, ZoneMatch},
    id::ZoneId,
    moment::Moment,
    order::{Fulfilment, Order, Status},
    quote::{Quote, Refusal, quote},
    wording::{DayTime, List, Quoted, Text},
};

/// Reads an order back in which everything is known; `None` where it can't be priced after all, and nothing is said then.
pub(super) fn read_back(basket: &Basket, facts: &Facts<'_>, reply: &mut Reply) -> Option<Readback> {
    let (sum, name) = (price(basket, facts).ok()?, basket.name.clone()?);
    reply.gap();
    reply.say(Text::ReadbackHead {});
    for (line, priced) in basket.cart.lines.iter().zip(&sum.lines) {
        reply.say(Text::LineSum { line: line.clone(), sum: priced.total });
    }
    match basket.fulfilment {
        Some(Fulfilment::Delivery) => {
            match sum.fee {
                Some(fee) if !fee.is_zero() => reply.say(Text::SumDelivery { sum: fee }),
                Some(_) | None => reply.say(Text::SumDeliveryFree {}),
            }
            if let Some(short) = sum.short_of_free {
                reply.say(Text::FreeDeliveryHint { short });
            }
            let address = basket.address.clone().unwrap_or_default();
            reply.say(Text::SumTotal { sum: sum.total });
            reply.say(Text::ReadbackDelivery { name, address });
        }
        Some(Fulfilment::Pickup) | None => {
            reply.say(Text::SumTotal { sum: sum.total });
            reply.say(Text::ReadbackPickup { name });
        }
    }
    if !basket.wishes.is_empty() {
        let wishes = List(basket.wishes.iter().cloned().map(Quoted).collect());
        reply.say(Text::ReadbackNote { wishes });
    }
    let opening = facts.opening();
    if let Some(opening) = opening {
        reply.say(Text::ReadbackClosed { opening: DayTime(opening) });
    }
    reply.say(Text::ReadbackAsk {});
    reply.offers = vec![Offer::Yes, Offer::Change];
    Some(Readback { seq: facts.seq, at: facts.now, lines: in_minor(&sum), total: sum.total.in_minor(), opening })
}

/// The customer said yes to the read-back that was shown last: places the order, or shows it again where anything of
/// it is not so any more.
pub(super) fn place(mut step: Step, basket: Basket, readback: Readback, facts: &Facts<'_>) -> Step {
    let sum = match price(&basket, facts) {
        Ok(sum) if sum.short_of_minimum.is_none() => sum,
        Ok(_) | Err(_) => return show_again(step, basket, facts, Text::ReadbackChanged {}),
    };
    // Where the lines are the same, and the total, so is the fee.
    let same = in_minor(&sum) == readback.lines && sum.total.in_minor() == readback.total;
    if !same || !same_opening(readback.opening, facts) || !is_reached(&basket, facts) {
        return show_again(step, basket, facts, Text::ReadbackChanged {});
    }
    if facts.now.since(readback.at) > READBACK_LIFE {
        return show_again(step, basket, facts, Text::ReadbackAgain {});
    }
    let name = basket.name.clone().unwrap_or_default();
    let fulfilment = basket.fulfilment.unwrap_or(Fulfilment::Pickup);
    let opening = facts.opening();
    let order = Order {
        id: facts.next_order,
        number: facts.next_number,
        customer: facts.customer.id,
        conversation: facts.conversation,
        language: facts.language,
        status: Status::Placed,
        version: 1,
        line_totals: sum.lines.iter().map(|line| line.total).collect(),
        cart: basket.cart,
        fee: sum.fee.unwrap_or(sum.total.currency().zero()),
        total: sum.total,
        fulfilment,
        name: name.clone(),
        address: basket.address.clone().filter(|_| fulfilment == Fulfilment::Delivery),
        zone: basket.zone.clone().filter(|_| fulfilment == Fulfilment::Delivery),
        placed_at: facts.now,
        not_before: opening,
        due: None,
        reason: None,
        note: Some(basket.wishes.join("; ")).filter(|note| !note.is_empty()),
        moved_at: facts.now,
    };
    let (number, total) = (order.number, order.total);
    let mut customer = facts.customer.clone();
    customer.name = Some(name.clone());
    if let Some(address) = &order.address {
        customer.address = Some(address.clone());
    }
    if customer != *facts.customer {
        step.effects.push(Effect::Remember(customer));
    }
    step.effects.push(Effect::Place(Box::new(order), readback.seq));
    step.state.placed = Some(Placed { readback: readback.seq, number, at: facts.now });
    step.state.stage = Stage::Idle;
    step.reply = Some(Reply::text(match opening {
        None => Text::Placed { name, number, total },
        Some(opening) => Text::PlacedClosed { name, number, total, opening: DayTime(opening) },
    }));
    step
}

/// Shows the order as it now stands, with why it is shown again.
pub(super) fn show_again(mut step: Step, basket: Basket, facts: &Facts<'_>, why: Text) -> Step {
    let mut reply = step.reply.take().unwrap_or_default();
    reply.say(why);
    let cart = basket.cart.clone();
    let basket = match super::basket::vet(cart, &basket.cart, facts, &mut reply) {
        Ok(cart) => Basket { cart, ..basket },
        Err(_) => basket,
    };
    step.reply = Some(reply);
    go_on(step, basket, facts, Occasion::Need)
}

fn price(basket: &Basket, facts: &Facts<'_>) -> Result<Quote, Refusal> {
    let zone = basket.zone.as_ref().filter(|_| basket.fulfilment == Some(Fulfilment::Delivery));
    quote(facts.catalog, &basket.cart, basket.fulfilment, zone.and_then(|id| zone_of(id, facts)))
}

fn in_minor(sum: &Quote) -> Vec<i64> {
    sum.lines.iter().map(|line| line.total.in_minor()).collect()
}

fn zone_of<'a>(id: &ZoneId, facts: &Facts<'a>) -> Option<&'a Zone> {
    facts.catalog.zones.iter().find(|zone| zone.id == *id)
}

/// Whether a delivery still goes where the read-back said; a free one costs the same where its zone is gone.
fn is_reached(basket: &Basket, facts: &Facts<'_>) -> bool {
    match (basket.fulfilment, &basket.address) {
        (Some(Fulfilment::Delivery), Some(address)) => match facts.catalog.zone_for(address) {
            ZoneMatch::Zone(zone) => basket.zone.as_ref() == Some(&zone.id),
            ZoneMatch::Outside | ZoneMatch::Unclear => false,
        },
        (Some(Fulfilment::Delivery), None) => false,
        (Some(Fulfilment::Pickup) | None, _) => true,
    }
}

/// Whether the shop is as open, or opens when, as the read-back said. It may have opened since: that is good news.
fn same_opening(shown: Option<Moment>, facts: &Facts<'_>) -> bool {
    match (shown, facts.opening()) {
        (_, None) => true,
        (Some(shown), Some(now)) => shown == now,
        (None, Some(_)) => false,
    }
}
