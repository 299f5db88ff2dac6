//! Rows as the turn works with them.

use crate::{
    channel::{ChannelKind, Outgoing, Peer},
    conversation::State,
    customer::Customer,
    desk::Desk,
    id::ConversationId,
    language::Language,
    moment::Moment,
};

/// A conversation with its customer.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Where it is held.
    pub channel: ChannelKind,
    /// With whom, as the channel knows them.
    pub peer: Peer,
    /// With whom, as the shop knows them.
    pub customer: Customer,
    /// The name that the channel shows.
    pub shown_name: Option<String>,
    /// Counts turns; saving names the version that was loaded.
    pub version: i64,
    /// Where the bot stands in it.
    pub state: Recalled,
    /// Who answers.
    pub desk: Desk,
    /// The language that it has been in.
    pub language: Option<Language>,
    /// The seq of the next message.
    pub next_seq: i64,
    /// What waits for its other half.
    pub gathering: Option<Gathering>,
    /// How many orders came of it.
    pub orders: i64,
    /// Whether the customer can be sent anything.
    pub reachable: bool,
    /// Whether it has no row yet.
    pub new: bool,
}

/// A stored state, or what could not be read as one.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "nearly always known; a box would cost an allocation in each turn")]
pub enum Recalled {
    /// As saved.
    Known(State),
    /// Saved by another version of the program, or damaged. Kept as it is, for a person to see.
    Unreadable(String),
}

/// Messages that are answered together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gathering {
    /// The seq of the first.
    pub from: i64,
    /// When they are answered at the latest, unless something more arrives.
    pub until: Moment,
}

/// A message to be written down.
#[derive(Debug, Clone)]
pub struct NewMessage<'a> {
    /// Who says it.
    pub author: super::Author,
    /// The name of a member of the staff.
    pub by_name: Option<&'a str>,
    /// `text`, or what stood in place of words.
    pub kind: &'a str,
    /// The words, with buttons.
    pub what: &'a Outgoing,
    /// When.
    pub at: Moment,
}

/// What goes first where not everything can: the more urgent is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Urgency {
    /// An answer to what a customer just wrote, of the bot or of the staff: somebody waits for it.
    Answer,
    /// News of an order.
    News,
    /// An offer: nobody waits for it.
    Offer,
}

impl Urgency {
    /// As the database has it.
    pub fn word(self) -> &'static str {
        match self {
            Urgency::Answer => "answer",
            Urgency::News => "news",
            Urgency::Offer => "offer",
        }
    }

    pub(super) fn of(word: &str) -> Result<Urgency, super::StoreError> {
        [Urgency::Answer, Urgency::News, Urgency::Offer]
            .into_iter()
            .find(|urgency| urgency.word() == word)
            .ok_or_else(|| super::StoreError::Corrupt(format!("urgency {word:?}")))
    }
}
