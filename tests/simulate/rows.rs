//! A store in memory that keeps the store's promises: what is written between two commits is there for the turn that
//! wrote it, and gone where it is undone; unique keys and versions hold. A crash undoes what was not committed.

use std::{collections::BTreeMap, rc::Rc};

use theusual::{
    conversation::{Reply, State},
    customer::Customer,
    desk::Desk,
    id::{ConversationId, CustomerId},
    language::Language,
    moment::Moment,
    order::{Order, Status},
};

use super::{check::Shadow, turn::Arrival, words::Thought};

/// Most orders of a customer that a turn looks at, as the store has it.
const MOST_FACTS: usize = 10;

/// A conversation's number in its world; its customer's, too.
pub type Chat = usize;

/// A shop's number in its world.
pub type House = usize;

/// A conversation with its customer.
#[derive(Clone)]
pub struct Talk {
    pub customer: Customer,
    pub version: i64,
    /// `None` where what is stored can't be read.
    pub state: Option<State>,
    pub desk: Desk,
    pub language: Option<Language>,
    pub next_seq: i64,
    /// The first message that waits for its other half, and until when.
    pub gathering: Option<(i64, Moment)>,
    pub orders: i64,
    pub reachable: bool,
    /// What the checks remember of it.
    pub shadow: Shadow,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Author {
    Customer,
    Bot,
    Staff,
    Note,
}

pub struct Message {
    pub author: Author,
    /// Of the bot's: what it says. A further page of a long one has none.
    pub reply: Option<Rc<Reply>>,
    /// Of the customer's: the arrival that it came with.
    pub arrival: Option<usize>,
    /// Of the customer's: what they wrote, where it is a text.
    pub words: Option<Thought>,
    pub at: Moment,
}

/// A message that a vendor has to be given.
#[derive(Clone, Debug)]
pub struct Unsent {
    pub chat: Chat,
    pub seq: i64,
    pub attempts: usize,
    pub due: Moment,
}

#[derive(Clone)]
pub struct Posted {
    pub attempts: usize,
    pub due: Moment,
    pub failed: bool,
}

pub struct OrderRow {
    pub order: Order,
    pub chat: Chat,
    pub readback: i64,
    pub moves: Vec<Status>,
}

/// Why a write is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Somebody else wrote first.
    Stale,
    /// A unique key is taken.
    Taken,
}

enum Undo {
    Inbox(usize),
    NoInbox(usize, Option<i64>),
    Number(House),
    Talk(Chat, Option<Box<Talk>>),
    Message(Chat),
    Outbox(Chat, i64, Option<Posted>),
    NoOrder(House),
    Order(House, usize, Box<Order>),
    Aside(usize, Option<(Arrival, Moment)>),
}

#[derive(Default)]
pub struct Rows {
    /// By arrival: the message that it became.
    inbox: BTreeMap<usize, Option<i64>>,
    next_number: Vec<i64>,
    talks: Vec<Option<Box<Talk>>>,
    messages: Vec<Vec<Message>>,
    outbox: BTreeMap<(Chat, i64), Posted>,
    orders: Vec<Vec<OrderRow>>,
    /// The places of a customer's orders among the shop's.
    of_chat: Vec<Vec<usize>>,
    recent: Vec<Option<Rc<[Order]>>>,
    aside: BTreeMap<usize, (Arrival, Moment)>,
    log: Vec<Undo>,
}

impl Rows {
    pub fn new(houses: usize, chats: usize) -> Rows {
        let mut rows = Rows { next_number: vec![1; houses], ..Rows::default() };
        rows.orders.resize_with(houses, Vec::new);
        rows.talks.resize_with(chats, || None);
        rows.messages.resize_with(chats, Vec::new);
        rows.of_chat.resize_with(chats, Vec::new);
        rows.recent.resize_with(chats, || None);
        rows
    }

    pub fn commit(&mut self) {
        self.log.clear();
    }

    /// Takes everything back since the last commit.
    pub fn undo(&mut self) {
        self.undo_to(0);
    }

    /// How many writes there were since the last commit.
    pub fn writes(&self) -> usize {
        self.log.len()
    }

    /// Takes writes back until so many are left.
    pub fn undo_to(&mut self, writes: usize) {
        while self.log.len() > writes
            && let Some(undo) = self.log.pop()
        {
            match undo {
                Undo::Inbox(arrival) => drop(self.inbox.remove(&arrival)),
                Undo::NoInbox(arrival, seq) => drop(self.inbox.insert(arrival, seq)),
                Undo::Number(house) => self.next_number[house] -= 1,
                Undo::Talk(chat, old) => self.talks[chat] = old,
                Undo::Message(chat) => drop(self.messages[chat].pop()),
                Undo::Outbox(chat, seq, Some(old)) => drop(self.outbox.insert((chat, seq), old)),
                Undo::Outbox(chat, seq, None) => drop(self.outbox.remove(&(chat, seq))),
                Undo::NoOrder(house) => {
                    let gone = self.orders[house].pop().expect("an order to undo");
                    self.of_chat[gone.chat].pop();
                    self.recent[gone.chat] = None;
                }
                Undo::Order(house, at, old) => {
                    let row = &mut self.orders[house][at];
                    row.order = *old;
                    row.moves.pop();
                    self.recent[row.chat] = None;
                }
                Undo::Aside(arrival, Some(old)) => drop(self.aside.insert(arrival, old)),
                Undo::Aside(arrival, None) => drop(self.aside.remove(&arrival)),
            }
        }
    }

    /// Writes an arrival down; `false` where it was there already.
    pub fn receive(&mut self, arrival: usize, seq: Option<i64>) -> bool {
        if self.inbox.contains_key(&arrival) {
            return false;
        }
        self.inbox.insert(arrival, seq);
        self.log.push(Undo::Inbox(arrival));
        true
    }

    pub fn received(&self, arrival: usize) -> Option<Option<i64>> {
        self.inbox.get(&arrival).copied()
    }

    pub fn talk(&self, chat: Chat) -> Option<&Talk> {
        self.talks[chat].as_deref()
    }

    /// Saves a conversation that was loaded at that version (0: new).
    pub fn save(&mut self, chat: Chat, mut talk: Talk) -> Result<(), Refused> {
        if self.talks[chat].as_ref().map_or(0, |old| old.version) != talk.version {
            return Err(Refused::Stale);
        }
        talk.version += 1;
        let old = self.talks[chat].replace(Box::new(talk));
        self.log.push(Undo::Talk(chat, old));
        Ok(())
    }

    pub fn say(&mut self, chat: Chat, seq: i64, message: Message) -> Result<(), Refused> {
        if seq != self.messages[chat].len() as i64 + 1 {
            return Err(Refused::Taken);
        }
        self.messages[chat].push(message);
        self.log.push(Undo::Message(chat));
        Ok(())
    }

    pub fn messages(&self, chat: Chat) -> &[Message] {
        &self.messages[chat]
    }

    pub fn message(&self, chat: Chat, seq: i64) -> Option<&Message> {
        self.messages[chat].get(usize::try_from(seq).ok()?.checked_sub(1)?)
    }

    /// Puts a message into the outbox, changes it there, or takes it out.
    pub fn post(&mut self, chat: Chat, seq: i64, posted: Option<Posted>) {
        let old = match posted {
            Some(posted) => self.outbox.insert((chat, seq), posted),
            None => self.outbox.remove(&(chat, seq)),
        };
        self.log.push(Undo::Outbox(chat, seq, old));
    }

    pub fn posted(&self, chat: Chat, seq: i64) -> Option<&Posted> {
        self.outbox.get(&(chat, seq))
    }

    /// What no vendor has taken yet, each conversation's in order.
    pub fn unsent(&self) -> Vec<Unsent> {
        let open = self.outbox.iter().filter(|(_, posted)| !posted.failed);
        open.map(|(&(chat, seq), p)| Unsent { chat, seq, attempts: p.attempts, due: p.due }).collect()
    }

    pub fn next_number(&self, house: House) -> i64 {
        self.next_number[house]
    }

    pub fn place(&mut self, house: House, chat: Chat, order: Order, readback: i64) -> Result<(), Refused> {
        if self.next_number[house] != order.number {
            return Err(Refused::Stale);
        }
        self.next_number[house] += 1;
        self.log.push(Undo::Number(house));
        if self.of_chat[chat].iter().any(|&at| self.orders[house][at].readback == readback) {
            return Err(Refused::Taken);
        }
        self.of_chat[chat].push(self.orders[house].len());
        self.recent[chat] = None;
        self.orders[house].push(OrderRow { moves: vec![order.status], order, chat, readback });
        self.log.push(Undo::NoOrder(house));
        Ok(())
    }

    pub fn move_order(&mut self, house: House, at: usize, moved: Order) -> Result<(), Refused> {
        let row = &mut self.orders[house][at];
        if row.order.version != moved.version - 1 {
            return Err(Refused::Stale);
        }
        row.moves.push(moved.status);
        let old = std::mem::replace(&mut row.order, moved);
        self.recent[row.chat] = None;
        self.log.push(Undo::Order(house, at, Box::new(old)));
        Ok(())
    }

    pub fn orders(&self, house: House) -> &[OrderRow] {
        &self.orders[house]
    }

    /// The place of a customer's order among the shop's.
    pub fn place_of(&self, house: House, order: &Order) -> Option<usize> {
        self.orders[house].iter().position(|row| row.order.id == order.id)
    }

    /// A customer's latest orders, the newest first.
    pub fn recent(&mut self, house: House, chat: Chat) -> Rc<[Order]> {
        if let Some(known) = &self.recent[chat] {
            return known.clone();
        }
        let mut orders: Vec<&Order> = self.of_chat[chat].iter().map(|&at| &self.orders[house][at].order).collect();
        orders.sort_by_key(|order| std::cmp::Reverse(order.placed_at));
        let recent: Rc<[Order]> = orders.into_iter().take(MOST_FACTS).cloned().collect();
        self.recent[chat] = Some(recent.clone());
        recent
    }

    pub fn set_aside(&mut self, arrival: usize, kept: Option<(Arrival, Moment)>) -> Option<(Arrival, Moment)> {
        let old = match kept {
            Some(kept) => self.aside.insert(arrival, kept),
            None => self.aside.remove(&arrival),
        };
        self.log.push(Undo::Aside(arrival, old.clone()));
        old
    }

    /// Takes an arrival out of the inbox, as if it had never come.
    pub fn not_received(&mut self, arrival: usize) {
        if let Some(seq) = self.inbox.remove(&arrival) {
            self.log.push(Undo::NoInbox(arrival, seq));
        }
    }

    pub fn aside(&self) -> impl Iterator<Item = usize> {
        self.aside.keys().copied()
    }

    pub fn is_aside(&self, arrival: usize) -> bool {
        self.aside.contains_key(&arrival)
    }

    /// Damages what is stored of a conversation's state, as another version of the program might.
    pub fn damage(&mut self, chat: Chat) {
        if let Some(talk) = &mut self.talks[chat] {
            talk.state = None;
        }
    }

    pub fn gatherings(&self) -> Vec<(Chat, Moment)> {
        let waits = self.talks.iter().enumerate();
        waits.filter_map(|(chat, talk)| Some((chat, talk.as_ref()?.gathering?.1))).collect()
    }
}

pub fn customer_of(chat: Chat) -> CustomerId {
    CustomerId(chat as u128 + 1)
}

pub fn conversation_of(chat: Chat) -> ConversationId {
    ConversationId(chat as u128 + 1)
}
