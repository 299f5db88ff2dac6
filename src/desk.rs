//! Who owns a conversation. Exactly one side answers at a time: the bot, or a person of the shop. While a person is
//! asked for and none has come, the bot still takes orders but repeats no question and makes no fuss.

use crate::moment::Moment;

/// The owner of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "owner", rename_all = "snake_case")]
pub enum Desk {
    /// The bot answers.
    Bot,
    /// The bot answers still; a person was asked for and has not come yet.
    Waiting {
        /// Since when.
        since: Moment,
        /// Why.
        why: Why,
    },
    /// A person answers; the bot is silent.
    Staff {
        /// The name that the customer sees.
        name: String,
        /// Since when.
        since: Moment,
    },
}

/// Why a person is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The customer asked for one.
    Asked,
    /// The shop's facts hold no answer.
    Unknown,
    /// The same thing was not understood twice.
    NotUnderstood,
    /// Something was wrong, or money is to go back.
    Complaint,
    /// More than the shop takes without a look.
    TooMany,
    /// Something that the bot cannot read: a voice note, a picture.
    Unreadable,
    /// A change to an order that the kitchen has started.
    OrderChange,
    /// The address is in no zone that the shop has named.
    Address,
    /// A message could not be sent to the customer.
    Undelivered,
}

impl Desk {
    /// Whether the bot may answer.
    pub fn bot_answers(&self) -> bool {
        match self {
            Desk::Bot | Desk::Waiting { .. } => true,
            Desk::Staff { .. } => false,
        }
    }

    /// The desk once a person is asked for. Who waits already goes on waiting since then.
    pub fn calling(self, why: Why, now: Moment) -> Desk {
        match self {
            Desk::Bot => Desk::Waiting { since: now, why },
            Desk::Waiting { .. } | Desk::Staff { .. } => self,
        }
    }
}

impl Why {
    /// As the database has it.
    pub fn word(self) -> &'static str {
        match self {
            Why::Asked => "asked",
            Why::Unknown => "unknown",
            Why::NotUnderstood => "not_understood",
            Why::Complaint => "complaint",
            Why::TooMany => "too_many",
            Why::Unreadable => "unreadable",
            Why::OrderChange => "order_change",
            Why::Address => "address",
            Why::Undelivered => "undelivered",
        }
    }

    /// For the staff, behind "waits for a person".
    pub fn words(self) -> &'static str {
        match self {
            Why::Asked => "asked for a person",
            Why::Unknown => "the bot has no answer",
            Why::NotUnderstood => "the bot did not understand twice",
            Why::Complaint => "something was wrong, or money is to go back",
            Why::TooMany => "more than the bot may take without a look",
            Why::Unreadable => "sent something that the bot can't read",
            Why::OrderChange => "wants to change an order that was accepted",
            Why::Address => "the address is in no delivery zone",
            Why::Undelivered => "a message did not reach the customer",
        }
    }
}
