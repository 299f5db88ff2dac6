//! The conversation as a machine: [`step`] takes where it stands, what happened and the facts, and says where it then
//! stands, what is answered and what else is done. It reads no clock and touches nothing; a customer's slip is a text
//! that the bot says, never an error.
//!
//! What holds, whatever arrives in whatever order:
//! - An order is placed only by a yes to the read-back that was shown last, and only while price and stock are as it
//!   showed them; a second yes to the same read-back places nothing.
//! - Every button names the message that it stood under. One of an earlier message changes nothing in an order.
//! - No question is asked a third time: after two misunderstandings a person is called, with all that is known so far.
//! - What was probably not understood is asked before it changes a cart; see [`SURE`].
//! - A piece of a message that names nothing of the shop's is named back to the customer once, and never again.
//! - While a person has the conversation, the bot says nothing but news of orders.

use crate::{
    calendar::Hours,
    cart::Cart,
    catalog::Catalog,
    customer::Customer,
    desk::{Desk, Why},
    faq::Faq,
    id::{CategoryId, ChoiceId, ConversationId, GroupId, OrderId, ProductId, TopicId, ZoneId},
    language::Language,
    moment::{Moment, Span},
    order::{Fulfilment, Order},
    understanding::{Expecting, Reading, alias::Meant},
    wording::Text,
};

mod answers;
mod basket;
mod checkout;
mod doubt;
mod news;
mod steps;

pub use steps::step;

/// Most of one product that the bot takes without a person having looked. More is nearly always a slip or a joke, and
/// where it is not, the shop wants to know first.
pub const MOST_OF_ONE: u32 = 30;

/// Most items in one order that the bot takes without a person having looked.
pub const MOST_ITEMS: u32 = 60;

/// How long a read-back may be answered with a bare yes. After that it is shown again: prices, hours and hunger change.
pub const READBACK_LIFE: Span = Span::minutes(30);

/// How often one question is put: once, and once more in other words.
const MOST_ASKED: u8 = 2;

/// How sure a reading must be, from 0 to 1 as the chance that it is right, for the cart to be changed without asking.
/// A wrong change is told as a difference at once and costs a message to mend, rarely two; a question costs one message
/// always. So it pays to ask where about two readings in five would be wrong.
pub const SURE: f32 = 0.6;

/// Most pieces of a conversation that are remembered as not understood. Older ones may be named again.
const MOST_MISSED: usize = 24;

/// Where a conversation stands. Stored as JSON with a version tag; see [`State::default`] for a new one.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct State {
    /// What is going on.
    pub stage: Stage,
    /// The buttons or numbers that were offered last.
    pub offered: Offered,
    /// The order that was placed last, so that a second yes finds it.
    pub placed: Option<Placed>,
    /// Messages in a row that were not understood.
    pub slips: u8,
    /// What the customer may have meant, which a yes takes. Any other words let it go.
    pub guess: Option<Guess>,
    /// The cart before its last change, which "undo" brings back. One step is kept.
    pub previous: Option<Cart>,
    /// Pieces of messages that named nothing of the shop's and were named back, the latest last.
    pub missed: Vec<Missed>,
    /// Since when the person is awaited of whom a customer who greeted again was told.
    pub soothed: Option<Moment>,
}

/// What a customer may have meant.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "guess", rename_all = "snake_case")]
pub enum Guess {
    /// What a message was understood as, but not surely: the order as it would then be.
    Reading {
        /// The order.
        basket: Basket,
    },
    /// Things with names near to one that the shop lacks.
    Near {
        /// The nearest first; at least one.
        things: Vec<NearGuess>,
    },
}

/// A thing that may have been meant.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NearGuess {
    /// By this piece of a message.
    pub piece: String,
    /// Which.
    pub meant: Meant,
    /// The cart as it would then be.
    pub cart: Cart,
}

/// A piece of a message that named nothing of the shop's.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Missed {
    /// As written.
    pub piece: String,
    /// Whether the staff have since said what it means.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
}

/// The stored form; a later version adds a variant and says how the earlier one becomes it.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(tag = "v")]
enum Stored {
    #[serde(rename = "1")]
    First {
        stage: Stage,
        #[serde(default)]
        offered: Offered,
        #[serde(default)]
        placed: Option<Placed>,
        #[serde(default)]
        slips: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guess: Option<Guess>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous: Option<Cart>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        missed: Vec<Missed>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        soothed: Option<Moment>,
    },
}

/// What is going on.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    /// Nothing is being ordered.
    #[default]
    Idle,
    /// An order is being filled.
    Filling {
        /// What is known of it.
        basket: Basket,
        /// What was asked last.
        ask: Ask,
        /// How often each question was put in this order.
        asked: Vec<(Ask, u8)>,
    },
    /// The order was read back, and a yes places it.
    Confirming {
        /// What is known of it: everything.
        basket: Basket,
        /// What was shown.
        readback: Readback,
    },
}

/// An order that is being filled.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Basket {
    /// What.
    pub cart: Cart,
    /// How.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfilment: Option<Fulfilment>,
    /// Where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The zone of that address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneId>,
    /// For whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the shop has to know besides, in the customer's words: an allergy, a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wishes: Vec<String>,
}

/// A question about an order that is being filled.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// None in particular: what else?
    Anything,
    /// Which product a line means.
    Which {
        /// The line's place in the cart.
        line: usize,
    },
    /// Which choice a line's option means.
    WhichOption {
        /// The line's place in the cart.
        line: usize,
        /// The option's place in the line.
        option: usize,
    },
    /// A choice that a line lacks.
    Option {
        /// The line's place in the cart.
        line: usize,
        /// Of this group.
        group: GroupId,
        /// How many of the group it has: the other half is another question.
        #[serde(default)]
        made: u32,
    },
    /// Pickup or delivery.
    Fulfilment,
    /// Where to.
    Address,
    /// The postcode or part of town of the address that was given.
    Postcode,
    /// For whom.
    Name,
}

/// What the customer was shown before the yes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Readback {
    /// The message's place in the conversation.
    pub seq: i64,
    /// When.
    pub at: Moment,
    /// What it named for each line of the cart, in minor units.
    #[serde(default)]
    pub lines: Vec<i64>,
    /// The total that it named, in minor units.
    pub total: i64,
    /// The opening that it named, where the shop was closed.
    pub opening: Option<Moment>,
}

/// An order that came of a read-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Placed {
    /// The read-back's place in the conversation.
    pub readback: i64,
    /// The order's number.
    pub number: i64,
    /// When.
    pub at: Moment,
}

/// What was offered to pick from, below which message.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Offered {
    /// The message's place in the conversation.
    pub seq: i64,
    /// In the order shown.
    pub offers: Vec<Offer>,
}

/// Something to pick.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// Yes, place it.
    Yes,
    /// Yes, that is what was meant.
    Right,
    /// No, that is not what was meant.
    Wrong,
    /// Change something.
    Change,
    /// Pickup or delivery.
    Fulfil(Fulfilment),
    /// A product that an ambiguous word may mean.
    Product(ProductId),
    /// A choice.
    Choice(GroupId, ChoiceId),
    /// A name for the order.
    Name(String),
    /// A part of the menu.
    Category(CategoryId),
    /// A language to go on in.
    Language(Language),
    /// The menu.
    Menu,
    /// A person.
    Person,
    /// The last order again.
    Usual,
}

/// A pressed button as its data names it; see [`Offer::data`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Press {
    /// The message that it stood under.
    pub seq: i64,
    /// Its place among that message's buttons.
    pub place: usize,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Input<'a> {
    /// The customer wrote.
    Words(Words<'a>),
    /// The customer pressed a button; `None` where its data is none of ours.
    Pressed(Option<Press>),
    /// The customer opened the chat.
    Opened,
    /// The customer sent something without words.
    Wordless(Wordless),
    /// The customer wrote more than can be read well.
    TooLong,
    /// An order of this conversation was moved by the shop; as it now stands.
    OrderMoved(&'a Order),
    /// A member of the staff changed what the customer is ordering; the cart as it now is.
    Corrected(&'a Cart),
    /// A member of the staff took over.
    TakenOver(&'a str),
    /// A member of the staff gave the conversation back.
    HandedBack(&'a str),
    /// The stored state could not be read; a new one has begun.
    Forgotten,
}

/// What a customer wrote, with what it was understood as.
#[derive(Debug, Clone)]
pub struct Words<'a> {
    /// As written.
    pub text: &'a str,
    /// The text without "my name is" and its like, where a name was asked for.
    pub stated_name: &'a str,
    /// As understood.
    pub reading: &'a Reading,
    /// The products that it names, wanted or not.
    pub named: &'a [ProductId],
    /// The topic of the shop's FAQ that answers it.
    pub topic: Option<&'a TopicId>,
    /// Things whose names are near the pieces that were not understood, each with the cart as it would be if it were
    /// meant.
    pub near: &'a [NearGuess],
}

/// Kinds of messages without words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wordless {
    /// A recording.
    Voice,
    /// A photo or video.
    Picture,
    /// A sticker.
    Sticker,
    /// Nothing but emoji.
    Emoji,
    /// A pin on a map.
    Location,
    /// A contact card.
    Contact,
    /// A file.
    File,
    /// An earlier message, changed.
    Edit,
    /// Anything else.
    Other,
}

/// What is so, whatever the conversation.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The time.
    pub now: Moment,
    /// What the shop sells.
    pub catalog: &'a Catalog,
    /// What the shop answers to common questions.
    pub faq: &'a Faq,
    /// The languages that the program speaks.
    pub languages: &'a [Language],
    /// The conversation.
    pub conversation: ConversationId,
    /// The language that it is in.
    pub language: Language,
    /// With whom.
    pub customer: &'a Customer,
    /// The name that the channel shows.
    pub shown_name: Option<&'a str>,
    /// The customer's latest orders, the newest first.
    pub orders: &'a [Order],
    /// The place of the answer in the conversation.
    pub seq: i64,
    /// The number that an order gets if it is placed now.
    pub next_number: i64,
    /// The id that an order gets if it is placed now.
    pub next_order: OrderId,
    /// The most buttons that the channel shows; more offers than that are shown as numbers to write.
    pub buttons: usize,
}

/// What comes of what happened.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where the conversation then stands.
    pub state: State,
    /// Who then owns it.
    pub desk: Desk,
    /// What is answered.
    pub reply: Option<Reply>,
    /// What else is done, in order.
    pub effects: Vec<Effect>,
}

/// What is done besides answering.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Places an order that answers the read-back at that place.
    Place(Box<Order>, i64),
    /// Saves an order that the customer moved.
    Move(Box<Order>),
    /// Remembers what the customer told of themselves.
    Remember(Customer),
    /// Goes on in another language.
    Speak(Language),
    /// Records whether the customer wants offers.
    Offers(bool),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reply {
    /// What is said, one line each.
    pub says: Vec<Say>,
    /// What is offered to pick.
    pub offers: Vec<Offer>,
}

/// A line of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Say {
    /// A sentence of ours.
    Text(Text),
    /// Words of the shop's, such as an answer of its FAQ.
    Shop(String),
    /// A heading of the menu.
    Heading(CategoryId),
    /// A product with its price, and its description where there is room.
    Product(ProductId),
    /// An empty line.
    Gap,
}

impl State {
    /// Begins to count anew what was misunderstood and what was asked: a person was here in between, or was sent away.
    pub fn afresh(&mut self) {
        self.slips = 0;
        if let Stage::Filling { asked, .. } = &mut self.stage {
            asked.clear();
        }
    }

    /// The cart so far.
    pub fn cart(&self) -> Cart {
        self.basket().cart
    }

    /// The order so far.
    pub fn basket(&self) -> Basket {
        match &self.stage {
            Stage::Idle => Basket::default(),
            Stage::Filling { basket, .. } | Stage::Confirming { basket, .. } => basket.clone(),
        }
    }

    /// Remembers that the staff have said what a piece means that was not understood.
    pub fn settle(&mut self, piece: &str) {
        let piece = basket::cut(piece.trim(), doubt::LONGEST_PIECE);
        self.missed.iter_mut().filter(|missed| missed.is(&piece)).for_each(|missed| missed.settled = true);
    }

    /// What the bot asked last, as the understanding needs to know it.
    pub fn expecting(&self) -> Option<Expecting> {
        if self.guess.is_some() {
            return Some(Expecting::Confirm);
        }
        match &self.stage {
            Stage::Idle => None,
            Stage::Confirming { .. } => Some(Expecting::Confirm),
            Stage::Filling { ask, .. } => match ask {
                Ask::Anything | Ask::Fulfilment => None,
                Ask::Which { .. } | Ask::WhichOption { .. } | Ask::Option { .. } => Some(Expecting::Choice),
                Ask::Address | Ask::Postcode => Some(Expecting::Address),
                Ask::Name => Some(Expecting::Name),
            },
        }
    }
}

impl Missed {
    /// Whether it is that piece, however it is written large and small.
    fn is(&self, piece: &str) -> bool {
        self.piece.to_lowercase() == piece.to_lowercase()
    }
}

impl Offer {
    /// What a button of this offer carries: the message's place and the offer's place below it, such as `17.2`.
    pub fn data(seq: i64, place: usize) -> String {
        format!("{seq}.{place}")
    }

    /// The offer of a thing of the shop's.
    fn of(thing: Meant) -> Offer {
        match thing {
            Meant::Product(id) => Offer::Product(id),
            Meant::Choice(group, choice) => Offer::Choice(group, choice),
        }
    }

    /// The thing of the shop's that is offered, where it is one.
    fn thing(&self) -> Option<Meant> {
        match self {
            Offer::Product(id) => Some(Meant::Product(id.clone())),
            Offer::Choice(group, choice) => Some(Meant::Choice(group.clone(), choice.clone())),
            Offer::Yes
            | Offer::Right
            | Offer::Wrong
            | Offer::Change
            | Offer::Fulfil(_)
            | Offer::Name(_)
            | Offer::Category(_)
            | Offer::Language(_)
            | Offer::Menu
            | Offer::Person
            | Offer::Usual => None,
        }
    }
}

impl Press {
    /// Reads what [`Offer::data`] wrote.
    pub fn read(data: &str) -> Option<Press> {
        let (seq, place) = data.split_once('.')?;
        Some(Press { seq: seq.parse().ok()?, place: place.parse().ok()? })
    }
}

impl Reply {
    fn text(text: Text) -> Reply {
        Reply { says: vec![Say::Text(text)], offers: Vec::new() }
    }

    fn say(&mut self, text: Text) {
        self.says.push(Say::Text(text));
    }

    fn gap(&mut self) {
        if !self.says.is_empty() {
            self.says.push(Say::Gap);
        }
    }
}

impl Facts<'_> {
    fn hours(&self) -> Option<&Hours> {
        self.catalog.hours.as_ref()
    }

    /// When the shop opens next, where it is closed now.
    fn opening(&self) -> Option<Moment> {
        let hours = self.hours()?;
        if hours.open_at(self.now) { None } else { hours.next_opening(self.now) }
    }

    /// The last order that the shop did not decline.
    fn usual(&self) -> Option<&Order> {
        usual(self.orders)
    }

    /// Orders under way, the newest first.
    fn under_way(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(|order| !order.status.is_final())
    }
}

/// What "the usual" is: the latest of a customer's orders (the newest first) that the shop did not decline.
pub fn usual(orders: &[Order]) -> Option<&Order> {
    orders.iter().find(|order| order.status != crate::order::Status::Declined)
}

impl Step {
    /// Calls a person.
    fn calling(mut self, why: Why, now: Moment) -> Step {
        self.desk = self.desk.calling(why, now);
        self
    }
}

impl From<Stored> for State {
    fn from(stored: Stored) -> State {
        match stored {
            Stored::First { stage, offered, placed, slips, guess, previous, missed, soothed } => {
                State { stage, offered, placed, slips, guess, previous, missed, soothed }
            }
        }
    }
}

impl From<State> for Stored {
    fn from(state: State) -> Stored {
        let State { stage, offered, placed, slips, guess, previous, missed, soothed } = state;
        Stored::First { stage, offered, placed, slips, guess, previous, missed, soothed }
    }
}
