//! What the customer is told of an order: news when it moves, and where it stands when they ask.

use super::{Facts, Reply};
use crate::{
    order::{Fulfilment, Order, Status},
    wording::{Clock, DayTime, Text},
};

/// The news of a move that the shop made.
pub(super) fn news(order: &Order) -> Text {
    let number = order.number;
    match (order.status, order.fulfilment) {
        (Status::Placed, _) => Text::StatusPlaced { number, since: Clock(order.placed_at) },
        (Status::Accepted, Fulfilment::Pickup) => Text::OrderAcceptedPickup { number, time: promised(order) },
        (Status::Accepted, Fulfilment::Delivery) => Text::OrderAcceptedDelivery { number, time: promised(order) },
        (Status::Ready, Fulfilment::Pickup) => Text::OrderReadyPickup { number },
        (Status::Ready, Fulfilment::Delivery) => Text::OrderReadyDelivery { number },
        (Status::OutForDelivery, _) => Text::OrderOut { number },
        (Status::Delivered, Fulfilment::Pickup) => Text::OrderDeliveredPickup { number },
        (Status::Delivered, Fulfilment::Delivery) => Text::OrderDeliveredDelivery { number },
        (Status::Declined, _) => Text::OrderDeclined { number, reason: order.reason.clone().unwrap_or_default() },
        (Status::Cancelled, _) => Text::OrderCancelled { number },
    }
}

/// Where an order stands; whether it is later than was promised.
pub(super) fn status(order: &Order, facts: &Facts<'_>, reply: &mut Reply) -> bool {
    let number = order.number;
    let since = Clock(order.moved_at);
    reply.say(match (order.status, order.fulfilment) {
        (Status::Placed, _) => match order.not_before.filter(|opening| *opening > facts.now) {
            Some(opening) => Text::StatusPlacedClosed { number, opening: DayTime(opening) },
            None => Text::StatusPlaced { number, since: Clock(order.placed_at) },
        },
        (Status::Accepted, Fulfilment::Pickup) => Text::StatusAcceptedPickup { number, time: promised(order) },
        (Status::Accepted, Fulfilment::Delivery) => Text::StatusAcceptedDelivery { number, time: promised(order) },
        (Status::Ready, Fulfilment::Pickup) => Text::StatusReadyPickup { number, since },
        (Status::Ready, Fulfilment::Delivery) => Text::StatusReadyDelivery { number, since },
        (Status::OutForDelivery, _) => Text::StatusOut { number, since },
        (Status::Delivered, _) => Text::StatusDelivered { number, since },
        (Status::Declined, _) => Text::StatusDeclined { number, reason: order.reason.clone().unwrap_or_default() },
        (Status::Cancelled, _) => Text::StatusCancelled { number },
    });
    let awaited = match (order.status, order.fulfilment) {
        (Status::Accepted, _) | (Status::Ready | Status::OutForDelivery, Fulfilment::Delivery) => true,
        (Status::Ready | Status::OutForDelivery, Fulfilment::Pickup)
        | (Status::Placed | Status::Delivered | Status::Declined | Status::Cancelled, _) => false,
    };
    let late = awaited && order.due.is_some_and(|due| facts.now > due);
    if late {
        reply.say(Text::StatusLate {});
    }
    late
}

fn promised(order: &Order) -> Clock {
    Clock(order.due.unwrap_or(order.moved_at))
}
