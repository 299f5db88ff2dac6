//! An order: what was agreed, and where it stands. Its status only moves along [`Status::after`]; each move has an
//! actor, and what is not allowed is refused by name.

use crate::{
    cart::Cart,
    id::{ConversationId, CustomerId, OrderId},
    language::Language,
    moment::{Moment, Span},
    money::Money,
};

/// How an order reaches its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fulfilment {
    /// The customer comes for it.
    Pickup,
    /// The shop brings it.
    Delivery,
}
