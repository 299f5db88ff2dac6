//! The turn as `src/work/turn.rs` has it, over the store in memory: the inbox, gatherings, the desk, what the staff do,
//! marks. What decides is the real core: `conversation::step`, `order::Order::moved`, `desk`, `quote`, `calendar`.
//!
//! What is not modelled: the rendering into words (a reply is kept as it is, a long one takes two places in the
//! conversation), suggested names.

use std::rc::Rc;

use theusual::{
    cart::{Cart, Line},
    catalog::Catalog,
    channel::ChannelKind,
    conversation::{Effect, Facts, Input, Press, Reply, Stage, State, Step, Wordless, Words, step, usual},
    customer::Customer,
    desk::{Desk, Why},
    id::OrderId,
    language::Language,
    moment::{Moment, Span},
    order::{self, Move, Order},
    quote::{Fault, Refusal, quote},
    understanding::{Expecting, Intent},
    work::Change,
};

use super::{
    check::{self, Before, Shadow},
    rows::{Author, Chat, House, Message, Posted, Refused, Rows, Talk, Unsent, conversation_of, customer_of},
    words::{Around, Heard, Shop, Thought},
};

/// Messages that are gathered at most before they are answered whatever they are.
const MOST_GATHERED: i64 = 8;

/// Longest time after which a wait for half a message is looked at again, whatever the clock said.
const LONGEST_NAP: Span = Span::seconds(20);

/// How long half a message waits for its other half.
pub const GATHER: Span = Span::millis(2_500);

/// Lines from which on a reply takes two messages. In truth it depends on their length.
const LONG: usize = 40;

/// Something that a customer sent.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The vendor's id of it.
    pub id: usize,
    pub chat: Chat,
    pub content: Content,
    /// Whether its turn fails on it, until somebody mends the program.
    pub poison: bool,
}

#[derive(Clone, Debug)]
pub enum Content {
    Text(Thought),
    TooLong(Thought),
    Press(Option<Press>),
    Opened,
    Medium(Wordless),
    Left,
    Back,
    Ignored,
}

/// What a member of the staff does.
#[derive(Clone, Debug)]
pub enum Action {
    Order { house: House, at: usize, version: i64, a_move: Move },
    TakeOver(Chat),
    Answer(Chat),
    HandBack(Chat),
    Correct(Chat, i64, Change),
    Retry(usize),
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Sent,
    Later,
    Failed { gone: bool },
}

#[derive(Clone, Debug)]
pub enum Job {
    Arrive(Arrival),
    Act(&'static str, Action),
    Mark(Unsent, Fate),
    Due(Chat),
}

/// Why a turn was not run to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    NotDone,
    Store(Refused),
    /// The program made a mistake.
    Poisoned,
}

/// What is to be done once a turn is committed.
#[derive(Default)]
pub struct Outcome {
    pub posts: Vec<Unsent>,
    pub wakes: Vec<(Chat, Moment)>,
}

/// Where a chat is held.
pub struct Seat {
    pub house: House,
    pub channel: ChannelKind,
    pub shown_name: Option<&'static str>,
}

/// What a turn works with.
pub struct Desktop<'a> {
    pub shops: &'a [Rc<Shop>],
    pub seats: &'a [Seat],
    pub languages: &'a [Language],
    /// The catalogue that is open in each shop.
    pub open: &'a [usize],
    pub clock: Moment,
    /// Whether texts are read just as the program reads them.
    pub exact: bool,
    pub rows: &'a mut Rows,
    pub tally: &'a mut Tally,
    pub next_id: &'a mut u128,
}

/// What turns did, for the summary; those that were undone included.
#[derive(Default, Clone, Copy, Debug)]
pub struct Tally {
    pub turns: u64,
    pub steps: u64,
    pub shown: u64,
    pub asked: u64,
    pub persons: u64,
    pub set_aside: u64,
}

impl Desktop<'_> {
    pub fn turn(&mut self, job: &Job, outcome: &mut Outcome) -> Result<(), Failed> {
        self.tally.turns += 1;
        match job {
            Job::Arrive(arrival) if arrival.poison => Err(Failed::Poisoned),
            Job::Arrive(arrival) => self.arrive(arrival, outcome),
            Job::Act(staff, action) => self.act(staff, action, outcome),
            Job::Mark(message, fate) => {
                self.mark(message, *fate);
                Ok(())
            }
            Job::Due(chat) => self.due(*chat, outcome),
        }
    }

    /// Keeps an arrival whose turn failed.
    pub fn keep_aside(&mut self, arrival: &Arrival) {
        if self.rows.receive(arrival.id, None) {
            self.rows.set_aside(arrival.id, Some((arrival.clone(), self.clock)));
            self.tally.set_aside += 1;
        }
    }

    fn arrive(&mut self, arrival: &Arrival, outcome: &mut Outcome) -> Result<(), Failed> {
        if matches!(arrival.content, Content::Ignored) {
            self.rows.receive(arrival.id, None);
            return Ok(());
        }
        let mut talk = self.talk(arrival.chat, outcome);
        let noted = matches!(arrival.content, Content::Opened | Content::Left | Content::Back);
        let seq = if noted { None } else { Some(talk.talk.next_seq) };
        if !talk.desktop.rows.receive(arrival.id, seq) {
            return Ok(());
        }
        talk.talk.reachable = !matches!(arrival.content, Content::Left);
        match &arrival.content {
            Content::Text(thought) => {
                talk.hear(arrival.id, Some(thought))?;
                talk.words(thought)?;
            }
            Content::TooLong(thought) => {
                talk.hear(arrival.id, Some(thought))?;
                talk.answer_gathered()?;
                talk.happens(&Input::TooLong)?;
            }
            Content::Press(press) => {
                talk.hear(arrival.id, None)?;
                talk.answer_gathered()?;
                talk.happens(&Input::Pressed(*press))?;
            }
            Content::Opened => talk.happens(&Input::Opened)?,
            Content::Medium(kind) => {
                talk.hear(arrival.id, None)?;
                talk.answer_gathered()?;
                talk.happens(&Input::Wordless(*kind))?;
            }
            Content::Left | Content::Back | Content::Ignored => {}
        }
        talk.save()
    }

    fn act(&mut self, staff: &str, action: &Action, outcome: &mut Outcome) -> Result<(), Failed> {
        let chat = match action {
            Action::Order { house, at, version, a_move } => {
                let row = self.rows.orders(*house).get(*at).ok_or(Failed::NotDone)?;
                let (old, chat) = (row.order.clone(), row.chat);
                if old.version != *version {
                    return Err(Failed::NotDone);
                }
                let moved = old.moved(a_move, self.clock).map_err(|_: order::Refused| Failed::NotDone)?;
                check::moved(&old, &moved, a_move);
                self.rows.move_order(*house, *at, moved.clone())?;
                let mut talk = self.talk(chat, outcome);
                talk.happens(&Input::OrderMoved(&moved))?;
                return talk.save();
            }
            Action::Retry(arrival) => return self.retry(*arrival, outcome),
            Action::TakeOver(chat) | Action::Answer(chat) | Action::HandBack(chat) | Action::Correct(chat, ..) => *chat,
        };
        if self.rows.talk(chat).is_none() {
            return Err(Failed::NotDone);
        }
        let mut talk = self.talk(chat, outcome);
        match action {
            Action::Correct(_, version, change) => talk.correct(*version, change)?,
            Action::TakeOver(_) => talk.take_over(staff, true)?,
            Action::Answer(_) => {
                talk.take_over(staff, false)?;
                talk.say(Author::Staff, None)?;
            }
            Action::HandBack(_) => match talk.talk.desk.clone() {
                Desk::Staff { name, .. } => talk.happens(&Input::HandedBack(&name))?,
                Desk::Bot | Desk::Waiting { .. } => {
                    talk.talk.desk = Desk::Bot;
                    if let Some(state) = &mut talk.talk.state {
                        state.afresh();
                    }
                    talk.talk.shadow.afresh();
                }
            },
            Action::Order { .. } | Action::Retry(..) => {}
        }
        talk.save()
    }

    fn retry(&mut self, arrival: usize, outcome: &mut Outcome) -> Result<(), Failed> {
        let (mut arrival, at) = self.rows.set_aside(arrival, None).ok_or(Failed::NotDone)?;
        self.rows.not_received(arrival.id);
        arrival.poison = false;
        let gone_on = self.rows.talk(arrival.chat).is_some()
            && self.rows.messages(arrival.chat).iter().rev().any(|message| message.at > at);
        if !gone_on {
            return self.arrive(&arrival, outcome);
        }
        let mut talk = self.talk(arrival.chat, outcome);
        talk.desktop.rows.receive(arrival.id, Some(talk.talk.next_seq));
        if let Content::Text(thought) | Content::TooLong(thought) = &arrival.content {
            talk.hear(arrival.id, Some(thought))?;
            talk.talk.desk = talk.talk.desk.clone().calling(Why::NotUnderstood, talk.desktop.clock);
        }
        talk.save()
    }

    fn mark(&mut self, message: &Unsent, fate: Fate) {
        let (chat, seq) = (message.chat, message.seq);
        match fate {
            Fate::Sent => self.rows.post(chat, seq, None),
            Fate::Later => {
                let posted = Posted { attempts: message.attempts, due: message.due, failed: false };
                self.rows.post(chat, seq, Some(posted));
            }
            Fate::Failed { gone } => {
                let posted = Posted { attempts: message.attempts, due: message.due, failed: true };
                self.rows.post(chat, seq, Some(posted));
                if gone && let Some(talk) = self.rows.talk(chat) {
                    // A statement of its own, which names no version.
                    let talk = Talk { reachable: false, ..talk.clone() };
                    self.rows.save(chat, talk).expect("nobody is between");
                }
            }
        }
    }

    fn due(&mut self, chat: Chat, outcome: &mut Outcome) -> Result<(), Failed> {
        match self.rows.talk(chat).and_then(|talk| talk.gathering) {
            Some((_, until)) if until <= self.clock => {}
            Some((_, until)) => {
                outcome.wakes.push((chat, until.min(self.clock.after(LONGEST_NAP))));
                return Ok(());
            }
            None => return Ok(()),
        }
        let mut talk = self.talk(chat, outcome);
        talk.answer_gathered()?;
        talk.save()
    }

    fn talk<'a>(&'a mut self, chat: Chat, outcome: &'a mut Outcome) -> Turn<'a> {
        let talk = self.rows.talk(chat).cloned().unwrap_or_else(|| opened(chat));
        // The borrow of everything but the rows is shorter than the desktop's own.
        let desktop = Desktop {
            shops: self.shops,
            seats: self.seats,
            languages: self.languages,
            open: self.open,
            clock: self.clock,
            exact: self.exact,
            rows: self.rows,
            tally: self.tally,
            next_id: self.next_id,
        };
        Turn { desktop, outcome, chat, talk }
    }
}

/// A conversation in the middle of a turn.
struct Turn<'a> {
    desktop: Desktop<'a>,
    outcome: &'a mut Outcome,
    chat: Chat,
    talk: Talk,
}

impl<'a> Turn<'a> {
    fn hear(&mut self, arrival: usize, words: Option<&Thought>) -> Result<(), Failed> {
        let (at, words) = (self.desktop.clock, words.cloned());
        self.record(Message { author: Author::Customer, reply: None, arrival: Some(arrival), words, at }).map(|_| ())
    }

    fn say(&mut self, author: Author, reply: Option<Rc<Reply>>) -> Result<(), Failed> {
        let now = self.desktop.clock;
        let seq = self.record(Message { author, reply, arrival: None, words: None, at: now })?;
        if self.seat().channel.abilities().fetched || !self.talk.reachable {
            return Ok(());
        }
        self.desktop.rows.post(self.chat, seq, Some(Posted { attempts: 0, due: now, failed: false }));
        self.outcome.posts.push(Unsent { chat: self.chat, seq, attempts: 0, due: now });
        Ok(())
    }

    fn record(&mut self, message: Message) -> Result<i64, Failed> {
        let seq = self.talk.next_seq;
        self.desktop.rows.say(self.chat, seq, message)?;
        self.talk.next_seq += 1;
        Ok(seq)
    }

    fn words(&mut self, thought: &Thought) -> Result<(), Failed> {
        if !self.talk.desk.bot_answers() {
            return Ok(());
        }
        let (until, seq) = (self.desktop.clock.after(GATHER), self.talk.next_seq - 1);
        let from = match self.talk.gathering {
            Some((from, _)) if seq - from >= MOST_GATHERED => return self.answer_gathered(),
            Some((from, _)) => from,
            None => {
                let (orders, heard) = self.read(thought);
                if !heard.reading.fragment {
                    return self.answer_reading(thought, &orders, &heard);
                }
                seq
            }
        };
        self.talk.gathering = Some((from, until));
        self.outcome.wakes.push((self.chat, until));
        Ok(())
    }

    fn answer_gathered(&mut self) -> Result<(), Failed> {
        let Some((from, _)) = self.talk.gathering.take() else { return Ok(()) };
        let since = usize::try_from(from - 1).unwrap_or(0);
        let messages = &self.desktop.rows.messages(self.chat)[since..];
        let pieces: Vec<&Thought> = messages.iter().filter_map(|message| message.words.as_ref()).collect();
        let Some(last) = pieces.last().filter(|_| self.talk.desk.bot_answers()) else { return Ok(()) };
        let text = pieces.iter().map(|thought| &*thought.text).collect::<Vec<_>>().join("\n");
        let thought = Thought { text: text.into(), whim: last.whim };
        let (orders, heard) = self.read(&thought);
        self.answer_reading(&thought, &orders, &heard)
    }

    fn answer_reading(&mut self, thought: &Thought, orders: &[Order], heard: &Heard) -> Result<(), Failed> {
        let expecting = self.talk.state.as_ref().and_then(State::expecting);
        let proper = matches!(expecting, Some(Expecting::Name | Expecting::Address));
        if !(proper && matches!(heard.reading.intent, Intent::Other)) {
            self.talk.language = Some(heard.reading.language);
        }
        let words = Words {
            text: &thought.text,
            stated_name: &heard.stated_name,
            reading: &heard.reading,
            named: &heard.named,
            topic: heard.topic.as_ref(),
            near: &heard.near,
        };
        self.happens_with(&Input::Words(words), orders)
    }

    fn read(&mut self, thought: &Thought) -> (Rc<[Order]>, Rc<Heard>) {
        let orders = self.orders();
        let usual = usual(&orders).map(|order| order.cart.clone()).unwrap_or_default();
        let empty = State::default();
        let around = Around {
            state: self.talk.state.as_ref().unwrap_or(&empty),
            usual: &usual,
            prior: self.talk.language.or(self.talk.customer.language),
            exact: self.desktop.exact,
        };
        let heard = self.shop().hear(thought, &around, self.desktop.open[self.seat().house]);
        (orders, heard)
    }

    fn happens(&mut self, input: &Input<'_>) -> Result<(), Failed> {
        let orders = self.orders();
        self.happens_with(input, &orders)
    }

    fn happens_with(&mut self, input: &Input<'_>, orders: &[Order]) -> Result<(), Failed> {
        let state = match self.talk.state.take() {
            Some(state) => state,
            None => {
                self.note()?;
                self.talk.desk = self.step(State::default(), &Input::Forgotten, orders, 0).desk;
                self.talk.shadow = Shadow::default();
                State::default()
            }
        };
        let next_number = match state.stage {
            Stage::Confirming { .. } => self.desktop.rows.next_number(self.seat().house),
            Stage::Idle | Stage::Filling { .. } => 0,
        };
        let (desk, before) = (self.talk.desk.clone(), state.clone());
        let step = self.step(state, input, orders, next_number);
        self.desktop.tally.steps += 1;
        let about = Before {
            state: &before,
            desk: &desk,
            input,
            now: self.desktop.clock,
            seq: self.talk.next_seq,
            catalog: self.catalog(),
            shop_number: self.desktop.rows.next_number(self.seat().house),
        };
        let mut shadow = std::mem::take(&mut self.talk.shadow);
        check::step(&about, &step, &mut shadow, self.desktop.rows.messages(self.chat), self.desktop.tally);
        self.talk.shadow = shadow;
        self.talk.state = Some(step.state);
        self.talk.desk = step.desk;
        for effect in step.effects {
            self.take_effect(effect)?;
        }
        if let Some(reply) = step.reply {
            let long = reply.says.len() > LONG;
            self.say(Author::Bot, Some(Rc::new(reply)))?;
            if long {
                self.say(Author::Bot, None)?;
            }
        }
        match (&desk, &self.talk.desk) {
            (Desk::Waiting { .. }, Desk::Waiting { .. }) | (_, Desk::Bot | Desk::Staff { .. }) => Ok(()),
            (_, Desk::Waiting { .. }) => {
                self.desktop.tally.persons += 1;
                self.note()
            }
        }
    }

    fn step(&mut self, state: State, input: &Input<'_>, orders: &[Order], next_number: i64) -> Step {
        *self.desktop.next_id += 1;
        let own = self.catalog().languages.first().copied();
        let known = self.talk.language.or(self.talk.customer.language).or(own);
        let facts = Facts {
            now: self.desktop.clock,
            catalog: self.catalog(),
            faq: &self.shop().faq,
            languages: self.desktop.languages,
            conversation: conversation_of(self.chat),
            language: known.unwrap_or(Language::ENGLISH),
            customer: &self.talk.customer,
            shown_name: self.seat().shown_name,
            orders,
            seq: self.talk.next_seq,
            next_number,
            next_order: OrderId(*self.desktop.next_id),
            buttons: self.seat().channel.abilities().buttons,
        };
        step(state, self.talk.desk.clone(), input, &facts)
    }

    fn take_effect(&mut self, effect: Effect) -> Result<(), Failed> {
        let house = self.seat().house;
        match effect {
            Effect::Place(order, readback) => {
                self.desktop.rows.place(house, self.chat, *order, readback)?;
                self.talk.orders += 1;
            }
            Effect::Move(order) => {
                let at = self.desktop.rows.place_of(house, &order).ok_or(Failed::Store(Refused::Stale))?;
                check::moved(&self.desktop.rows.orders(house)[at].order, &order, &Move::Cancel);
                self.desktop.rows.move_order(house, at, *order)?;
            }
            Effect::Remember(customer) => self.talk.customer = customer,
            Effect::Offers(wanted) => self.talk.customer.offers = Some(wanted),
            Effect::Speak(language) => self.talk.language = Some(language),
        }
        Ok(())
    }

    fn take_over(&mut self, staff: &str, meant: bool) -> Result<(), Failed> {
        match &self.talk.desk {
            Desk::Staff { name, .. } if name == staff => return Ok(()),
            Desk::Staff { .. } if meant => {}
            Desk::Staff { .. } => return Err(Failed::NotDone),
            Desk::Bot | Desk::Waiting { .. } => {}
        }
        self.talk.gathering = None;
        self.happens(&Input::TakenOver(staff))
    }

    fn correct(&mut self, version: i64, change: &Change) -> Result<(), Failed> {
        if self.talk.version != version {
            return Err(Failed::NotDone);
        }
        let before = self.talk.state.as_ref().ok_or(Failed::NotDone)?.cart();
        let cart = changed(&before, change, self.catalog()).ok_or(Failed::NotDone)?;
        if cart == before {
            return Err(Failed::NotDone);
        }
        self.happens(&Input::Corrected(&cart))?;
        self.note()
    }

    fn note(&mut self) -> Result<(), Failed> {
        let at = self.desktop.clock;
        self.record(Message { author: Author::Note, reply: None, arrival: None, words: None, at }).map(|_| ())
    }

    fn orders(&mut self) -> Rc<[Order]> {
        if self.talk.orders == 0 {
            return Rc::new([]);
        }
        let house = self.seat().house;
        self.desktop.rows.recent(house, self.chat)
    }

    fn seat(&self) -> &'a Seat {
        let seats = self.desktop.seats;
        &seats[self.chat]
    }

    fn shop(&self) -> &'a Shop {
        let shops = self.desktop.shops;
        &shops[self.seat().house]
    }

    fn catalog(&self) -> &'a Catalog {
        &self.shop().catalogs[self.desktop.open[self.seat().house]]
    }

    fn save(self) -> Result<(), Failed> {
        check::saved(&self.talk);
        Ok(self.desktop.rows.save(self.chat, self.talk)?)
    }
}

/// The cart after a change by the staff; `None` where it is refused.
fn changed(before: &Cart, change: &Change, catalog: &Catalog) -> Option<Cart> {
    let mut lines: Vec<Line> = before.lines.clone();
    let new = match change {
        Change::Add(line) => {
            lines.push(line.clone());
            Some(line)
        }
        Change::Replace(at, line) => {
            *lines.get_mut(*at)? = line.clone();
            Some(line)
        }
        Change::Remove(at) => {
            lines.get(*at)?;
            lines.remove(*at);
            None
        }
    };
    let cart = Cart { lines }.joined();
    let alone = new.map(|line| Cart { lines: vec![line.clone()] });
    let fits = alone.iter().chain([&cart]).all(|cart| {
        matches!(
            quote(catalog, cart, None, None),
            Ok(_) | Err(Refusal::Line(_, Fault::Missing(_) | Fault::AmbiguousProduct(_) | Fault::AmbiguousChoice(..)))
        )
    });
    fits.then_some(cart)
}

fn opened(chat: Chat) -> Talk {
    Talk {
        customer: Customer { id: customer_of(chat), name: None, language: None, address: None, offers: None },
        version: 0,
        state: Some(State::default()),
        desk: Desk::Bot,
        language: None,
        next_seq: 1,
        gathering: None,
        orders: 0,
        reachable: true,
        shadow: Shadow::default(),
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Failed {
        Failed::Store(refused)
    }
}
