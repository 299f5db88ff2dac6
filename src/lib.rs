//! The Usual: orders, support and loyalty for shops whose customers order by chatting.
//!
//! The modules form rings (see `ARCHITECTURE.md`): a module may use those above it in this list
//! and in its own ring as far as the ring's row allows, and nothing below. A test keeps it so.

// Ring 0: words.
pub mod id;
pub mod language;
pub mod moment;
pub mod money;
pub mod secret;

// Ring 1: nouns of the trade.
pub mod calendar;
pub mod cart;
pub mod catalog;
pub mod customer;
pub mod desk;
pub mod faq;
pub mod order;
pub mod quote;

// Ring 2: the conductor.
pub mod conversation;
pub mod understanding;
pub mod wording;

// Ring 3: edges.
pub mod channel;
pub mod failpoint;
pub mod store;

// Ring 4: shells.
pub mod app;
pub mod console;
pub mod work;
