//! An order: what was agreed, and where it stands. Its status only moves along [`Status::after`]; each move has an
//! actor, and what is not allowed is refused by name.

use crate::{
    cart::Cart,
    id::{ConversationId, CustomerId, OrderId, ZoneId},
    language::Language,
    moment::{Moment, Span},
    money::Money,
};

/// Longest wait that staff can promise when they accept an order, in minutes: a day, so that an order for tomorrow's
/// opening can be accepted tonight.
pub const LONGEST_WAIT_MINUTES: i64 = 24 * 60;

/// Longest reason for a refusal that is passed on to the customer, in characters.
pub const LONGEST_REASON: usize = 300;

/// How an order reaches its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fulfilment {
    /// The customer comes for it.
    Pickup,
    /// The shop brings it.
    Delivery,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// The customer said yes; the shop has not answered.
    Placed,
    /// The shop makes it, and has promised a time.
    Accepted,
    /// It can be fetched, or waits for its courier.
    Ready,
    /// It is on its way.
    OutForDelivery,
    /// The customer has it.
    Delivered,
    /// The shop said no.
    Declined,
    /// The customer took it back before the kitchen started.
    Cancelled,
}

/// What can be done to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// The shop takes it and promises so many minutes from now; 1 to [`LONGEST_WAIT_MINUTES`].
    Accept {
        /// Until it is ready (pickup) or at the door (delivery).
        minutes: i64,
    },
    /// The shop can't.
    Decline {
        /// Passed on to the customer; 1 to [`LONGEST_REASON`] characters.
        reason: String,
    },
    /// It is made.
    Ready,
    /// The courier has it.
    OutForDelivery,
    /// The customer has it.
    Delivered,
    /// The customer changed their mind.
    Cancel,
}

/// A move that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The order stands elsewhere.
    #[error("the order is already {}", .0.word())]
    Stands(Status),
    /// Beyond the limits.
    #[error("give between 1 and {LONGEST_WAIT_MINUTES} minutes")]
    Minutes,
    /// Empty or too long.
    #[error("give a reason of 1 to {LONGEST_REASON} characters")]
    Reason,
    /// A pickup order does not travel.
    #[error("this order is picked up by the customer")]
    NoDelivery,
}

/// An order as it was placed and as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Its own id.
    pub id: OrderId,
    /// What people call it: counts up from 1 within a shop.
    pub number: i64,
    /// The customer's.
    pub customer: CustomerId,
    /// Where it was agreed, and where news of it goes.
    pub conversation: ConversationId,
    /// Of that conversation when it was placed.
    pub language: Language,
    /// Where it stands.
    pub status: Status,
    /// How often it was moved; a change names the version that it saw.
    pub version: i64,
    /// What is to be made.
    pub cart: Cart,
    /// What was agreed to be paid for each line of the cart, in its order.
    pub line_totals: Vec<Money>,
    /// For bringing it.
    pub fee: Money,
    /// All of it.
    pub total: Money,
    /// Pickup or delivery.
    pub fulfilment: Fulfilment,
    /// Whom it is for.
    pub name: String,
    /// Where to; only with a delivery.
    pub address: Option<String>,
    /// The zone of that address.
    pub zone: Option<ZoneId>,
    /// When it was placed.
    pub placed_at: Moment,
    /// When the shop was closed then: the opening that it waits for.
    pub not_before: Option<Moment>,
    /// The time that the shop promised on accepting.
    pub due: Option<Moment>,
    /// Why it was declined.
    pub reason: Option<String>,
    /// What the customer wants the shop to know, in their words: an allergy, a time.
    pub note: Option<String>,
    /// When it last moved.
    pub moved_at: Moment,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 7] = [
        Status::Placed,
        Status::Accepted,
        Status::Ready,
        Status::OutForDelivery,
        Status::Delivered,
        Status::Declined,
        Status::Cancelled,
    ];

    /// As the database has it.
    pub fn word(self) -> &'static str {
        match self {
            Status::Placed => "placed",
            Status::Accepted => "accepted",
            Status::Ready => "ready",
            Status::OutForDelivery => "out_for_delivery",
            Status::Delivered => "delivered",
            Status::Declined => "declined",
            Status::Cancelled => "cancelled",
        }
    }

    /// The status of that word.
    pub fn of(word: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether nothing more happens to it.
    pub fn is_final(self) -> bool {
        match self {
            Status::Delivered | Status::Declined | Status::Cancelled => true,
            Status::Placed | Status::Accepted | Status::Ready | Status::OutForDelivery => false,
        }
    }

    /// Where a move leads from here; a move that is not allowed is refused.
    pub fn after(self, a_move: &Move, fulfilment: Fulfilment) -> Result<Status, Refused> {
        use Status::{Accepted, Cancelled, Declined, Delivered, OutForDelivery, Placed, Ready};
        match (a_move, self) {
            (Move::Accept { minutes }, Placed) if (1..=LONGEST_WAIT_MINUTES).contains(minutes) => Ok(Accepted),
            (Move::Accept { .. }, Placed) => Err(Refused::Minutes),
            (Move::Decline { reason }, Placed | Accepted) => match reason.trim().chars().count() {
                1..=LONGEST_REASON => Ok(Declined),
                _ => Err(Refused::Reason),
            },
            (Move::Ready, Accepted) => Ok(Ready),
            (Move::OutForDelivery, Accepted | Ready) => match fulfilment {
                Fulfilment::Delivery => Ok(OutForDelivery),
                Fulfilment::Pickup => Err(Refused::NoDelivery),
            },
            (Move::Delivered, Ready | OutForDelivery) => Ok(Delivered),
            (Move::Cancel, Placed) => Ok(Cancelled),
            (
                Move::Accept { .. }
                | Move::Decline { .. }
                | Move::Ready
                | Move::OutForDelivery
                | Move::Delivered
                | Move::Cancel,
                status,
            ) => Err(Refused::Stands(status)),
        }
    }
}

impl Order {
    /// The order after a move: its status, promise, reason and version.
    pub fn moved(&self, a_move: &Move, now: Moment) -> Result<Order, Refused> {
        let status = self.status.after(a_move, self.fulfilment)?;
        let mut order = self.clone();
        order.status = status;
        order.version += 1;
        order.moved_at = now;
        match a_move {
            Move::Accept { minutes } => order.due = Some(now.after(Span::minutes(*minutes))),
            Move::Decline { reason } => order.reason = Some(reason.trim().to_owned()),
            Move::Ready | Move::OutForDelivery | Move::Delivered | Move::Cancel => {}
        }
        Ok(order)
    }
}

impl Fulfilment {
    /// As the database has it.
    pub fn word(self) -> &'static str {
        match self {
            Fulfilment::Pickup => "pickup",
            Fulfilment::Delivery => "delivery",
        }
    }

    /// The one of that word.
    pub fn of(word: &str) -> Option<Fulfilment> {
        [Fulfilment::Pickup, Fulfilment::Delivery].into_iter().find(|f| f.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_walks_to_the_door_and_never_back() {
        let walk = [Move::Accept { minutes: 30 }, Move::Ready, Move::OutForDelivery, Move::Delivered];
        let mut status = Status::Placed;
        for step in &walk {
            status = status.after(step, Fulfilment::Delivery).unwrap();
            assert_eq!(status.after(&Move::Cancel, Fulfilment::Delivery), Err(Refused::Stands(status)));
            assert_eq!(status.after(step, Fulfilment::Delivery), Err(Refused::Stands(status)), "not twice");
        }
        assert!(status.is_final());
    }

    #[test]
    fn bounds_are_kept() {
        for minutes in [0, -5, LONGEST_WAIT_MINUTES + 1] {
            let accept = Move::Accept { minutes };
            assert_eq!(Status::Placed.after(&accept, Fulfilment::Pickup), Err(Refused::Minutes));
        }
        let decline = |reason: String| Status::Placed.after(&Move::Decline { reason }, Fulfilment::Pickup);
        assert_eq!(decline("  ".into()), Err(Refused::Reason));
        assert_eq!(decline("ж".repeat(301)), Err(Refused::Reason));
        assert_eq!(decline("ж".repeat(300)), Ok(Status::Declined));
        assert_eq!(Status::Ready.after(&Move::OutForDelivery, Fulfilment::Pickup), Err(Refused::NoDelivery));
    }

    #[test]
    fn words_name_every_status_once() {
        for status in Status::ALL {
            assert_eq!(Status::of(status.word()), Some(status));
        }
    }
}
