//! From text to meaning. An [`Engine`] is compiled from a shop's catalogue and the lexicons of the languages that the
//! program speaks; it reads one message and says what the customer wants: an [`Intent`], the cart as it would then be,
//! and what of the text it could not place. It never guesses a product that the catalogue lacks, needs no network and
//! draws no random number.

pub mod alias;
pub mod answer;
mod apply;
mod asked;
mod details;
mod detect;
mod edits;
mod engine;
mod features;
mod halves;
mod intent;
mod items;
mod kind;
pub mod lexicon;
mod lost;
mod meaning;
mod mention;
mod names;
mod place;
mod resolve;
mod segment;
mod sense;
mod shop;
mod spelling;
#[cfg(test)]
mod tests;
pub mod text;

pub use answer::Answerer;
pub use apply::MOST_OF_A_LINE;
pub use engine::Engine;
pub use lexicon::Lexicons;

use crate::{cart::Cart, language::Language, order::Fulfilment};

/// Longest message that is read, in characters; the rest of a longer one is not looked at. Telegram's and WhatsApp's
/// own limit is 4,096.
pub const LONGEST_MESSAGE: usize = 8_192;

/// What the bot asked last, which decides what a bare "yes" or "7" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expecting {
    /// A yes or a no.
    Confirm,
    /// Which of several, or an option that is missing.
    Choice,
    /// A mark out of a few.
    Rating,
    /// Where to bring the order.
    Address,
    /// What the customer is called.
    Name,
}

/// What a message is for. Where it does several things, the main one: what asks the shop to act outranks a question,
/// and a question outranks courtesy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Adds to, changes or empties the cart.
    Order,
    /// Is done choosing.
    Checkout,
    /// Says yes to what was asked.
    Confirm,
    /// Says no to what was asked.
    Decline,
    /// Wants a placed order changed.
    ChangeOrder,
    /// Wants a placed order stopped.
    CancelOrder,
    /// Asks where a placed order is.
    TrackOrder,
    /// Asks what there is.
    Menu,
    /// Asks about a product.
    ProductQuestion,
    /// Asks what something costs.
    PriceQuestion,
    /// Asks about delivering in general.
    DeliveryQuestion,
    /// Asks how one can pay.
    PaymentQuestion,
    /// Asks when the shop is open, or where it is.
    Hours,
    /// Says that something was wrong.
    Complaint,
    /// Wants money back.
    Refund,
    /// Wants a person.
    Human,
    /// Asks about points, tier or programme.
    Points,
    /// Wants to use points or a reward.
    Redeem,
    /// Wants to join the programme.
    Join,
    /// Asks for deals or codes.
    Offers,
    /// Wants no more offers.
    StopOffers,
    /// Wants offers again.
    StartOffers,
    /// Gives a mark or opinion that was asked for.
    Rating,
    /// Brings a friend.
    ReferFriend,
    /// Wants their data seen, corrected, sent or erased.
    MyData,
    /// Wants another language or simpler words.
    Language,
    /// Greets and nothing more.
    Greeting,
    /// Thanks and nothing more.
    Thanks,
    /// Anything else.
    Other,
}

/// A message with what is known around it.
#[derive(Debug, Clone, Copy)]
pub struct Utterance<'a> {
    /// As it was written; several messages that belong together are joined by line breaks.
    pub text: &'a str,
    /// The language, where it is given; else it is detected with `prior` as the likely one.
    pub language: Option<Language>,
    /// The language that the conversation has been in.
    pub prior: Option<Language>,
    /// The lines so far.
    pub cart: &'a Cart,
    /// The customer's last order.
    pub usual: &'a Cart,
    /// What the bot asked last.
    pub expecting: Option<Expecting>,
}

/// What a message means.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The main intent.
    pub intent: Intent,
    /// What else the message asks, such as a question beside an order; never the main intent again.
    pub also: Vec<Intent>,
    /// Detected or given.
    pub language: Language,
    /// The cart after the message.
    pub cart: Cart,
    /// From 0 to 1: lower for what stayed unmatched, was mended or was inferred, and where the intent is in doubt. The
    /// higher, the more often right, but no share of a hundred.
    pub confidence: f32,
    /// Pieces of the text that named something which the catalogue lacks, as written.
    pub unmatched: Vec<String>,
    /// Pickup or delivery, where the message says so.
    pub fulfilment: Option<Fulfilment>,
    /// An address that follows "deliver to" and its like, as written.
    pub address: Option<String>,
    /// A name that follows "my name is" and its like, as written.
    pub name: Option<String>,
    /// What the shop has to know and the cart can't hold, as written: a time at which the order is wanted, an allergy.
    pub wishes: Vec<String>,
    /// Whether the message stands by itself or waits for its other half ("I want", "two", "and").
    pub fragment: bool,
    /// Whether the whole message takes the last change of the cart back; the cart is then as it was handed in.
    pub undo: bool,
    /// Whether the whole message asks to be waited for ("one moment"); the cart is then as it was handed in.
    pub pause: bool,
}

impl Reading {
    /// What is read of a message that says nothing but its intent: the cart stays as it is.
    pub(crate) fn of(intent: Intent, language: Language, cart: Cart) -> Reading {
        Reading {
            intent,
            also: Vec::new(),
            language,
            cart,
            confidence: 0.0,
            unmatched: Vec::new(),
            fulfilment: None,
            address: None,
            name: None,
            wishes: Vec::new(),
            fragment: false,
            undo: false,
            pause: false,
        }
    }
}
