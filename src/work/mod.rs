//! The shells that do the work: turns, sending, timers. [`Work`] is the one door to it.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::{
    catalog::Catalog,
    id::{ConversationId, MerchantId, OrderId},
    order::Move,
    store::{Store, StoreError},
};

/// Something changed that a screen may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something was said in a conversation, or its owner changed.
    Conversation {
        /// Of which shop.
        merchant: MerchantId,
        /// Which.
        conversation: ConversationId,
    },
    /// An order was placed or moved.
    Order {
        /// Of which shop.
        merchant: MerchantId,
        /// Which.
        order: OrderId,
        /// Whether it was placed just now and nobody has looked.
        new: bool,
    },
    /// Another process wrote: look again at everything.
    Anything,
}

/// What a member of the staff does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Moves an order; refused where its version is no longer this one.
    Order {
        /// Which.
        order: OrderId,
        /// The version that the staff saw.
        version: i64,
        /// The move.
        a_move: Move,
    },
    /// Takes a conversation over from the bot (or from whoever waits for it).
    TakeOver(ConversationId),
    /// Answers in it; answering is taking over.
    Answer(ConversationId, String),
    /// Gives it back to the bot.
    HandBack(ConversationId),
}

/// Why an action was not done, in words for the staff.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// Somebody was faster, or the thing moved on.
    #[error("somebody else was faster; look again")]
    Stale,
    /// There is no such order or conversation.
    #[error("this is not there any more")]
    Missing,
    /// The trade's rules forbid it.
    #[error("{0}")]
    Refused(String),
    /// Another member of the staff has the conversation.
    #[error("{0} has this conversation")]
    Owned(String),
    /// The store failed.
    #[error("it could not be stored; try again")]
    Store(#[from] StoreError),
}

/// An open shop: its catalogue and all that was compiled from it.
pub struct OpenShop {
    /// Its id.
    pub id: MerchantId,
    /// What it sells.
    pub catalog: Catalog,
}

/// The door to the work.
#[derive(Clone)]
pub struct Work {
    pub(crate) store: Store,
    pub(crate) shops: Arc<Vec<Arc<OpenShop>>>,
    pub(crate) events: broadcast::Sender<Event>,
}

impl Work {
    /// The database, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The shop of that id.
    pub fn shop(&self, merchant: &MerchantId) -> Option<Arc<OpenShop>> {
        self.shops.iter().find(|shop| shop.id == *merchant).cloned()
    }

    /// The deployment's first shop.
    pub fn first_shop(&self) -> Option<Arc<OpenShop>> {
        self.shops.first().cloned()
    }

    /// What changes from now on. A listener that falls behind gets `Lagged` and should look at everything again.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Does what a member of the staff wants, in a turn of its own; `Ok` after its commit.
    pub async fn act(&self, _merchant: &MerchantId, _staff: &str, _action: Action) -> Result<(), NotDone> {
        Err(NotDone::Missing)
    }
}
