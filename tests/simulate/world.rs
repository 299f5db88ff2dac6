//! A world: a few customers, one or two shops, their staff, a network that loses, doubles, delays and reorders, vendors
//! that fail, a clock that is set, and the program in between, which crashes. All of it follows from a seed.
//!
//! The program here is the turn (`turn`), the writer that commits many turns together, and the senders as
//! `src/work/send.rs` has them: a lane for each conversation, whose next message waits for the mark of the one before.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

use theusual::{
    channel::ChannelKind,
    conversation::{Offer, Press, Reply, Say, Stage, Wordless},
    desk::Desk,
    language::Language,
    moment::{Moment, Span},
    order::Move,
    wording::Text,
    work::Change,
};

use super::{
    dice::Dice,
    rows::{Author, Chat, House, Rows, Unsent},
    turn::{Action, Arrival, Content, Desktop, Failed, Fate, Job, Outcome, Seat, Tally},
    words::{CATALOGS, Shop, Thought, some_address, some_line},
};

/// Jobs that one commit holds at most.
const MOST_TOGETHER: usize = 64;

/// Waits between tries to send, as `src/work/send.rs` has them.
const RETRIES: [Span; 10] = [
    Span::seconds(1),
    Span::seconds(5),
    Span::seconds(30),
    Span::minutes(2),
    Span::minutes(10),
    Span::minutes(30),
    Span::hours(2),
    Span::hours(9),
    Span::hours(24),
    Span::hours(36),
];

/// Events after which a world that is left in peace must have come to rest.
const LONGEST_REST: u64 = 50_000;

/// Something that happens, at its time.
#[derive(Clone, Debug)]
enum Event {
    /// A customer does something.
    Thumb(Chat),
    /// An arrival reaches the program, if it is there.
    Arrives(usize),
    /// The vendor hears that the program has it.
    Acked(usize),
    /// The vendor looks whether it heard so, and delivers again.
    Again(usize),
    /// The writer takes what waits.
    Write,
    /// A timer of the program's run of that number.
    Due(u32, Chat),
    /// A message goes on the wire.
    Wire(u32, Chat),
    /// The vendor's answer comes back.
    Answer(u32, Chat, Fate),
    /// A mark that could not be stored is tried again.
    MarkAgain(u32, Chat, Fate),
    /// A shop's new catalogue is noticed.
    Reopen(u32, House),
    Staff,
    Trouble,
    Start,
}

/// Who waits for a job.
#[derive(Clone, Copy, Debug)]
enum Waits {
    Vendor(usize),
    Staff,
    Lane(Chat),
    Nobody,
}

/// An arrival as its vendor keeps it.
struct Sent {
    arrival: Arrival,
    /// Whether the program has said that it has it.
    acknowledged: bool,
    /// Whether the vendor has heard that.
    acked: bool,
    tries: u32,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Unsent>,
    busy: Option<Unsent>,
}

/// A customer's phone, with the vendor before it.
#[derive(Default)]
struct Phone {
    /// Messages that came.
    got: Vec<i64>,
    /// The message that the vendor took and the program has not noted as sent.
    unmarked: Option<i64>,
    /// A message that may come twice: its answer was lost, or the program crashed before it noted it.
    doubtful: Option<i64>,
    left: bool,
}

/// How often what goes wrong, in a thousand times.
struct Faults {
    lost: u64,
    doubled: u64,
    down: u64,
    ambiguous: u64,
    wait: u64,
    refused: u64,
    crash: u64,
    poison: u64,
    trouble: bool,
    /// Shops change their catalogues while somebody has an order before their eyes.
    restless: bool,
}

/// What a run of worlds counts.
#[derive(Default, Clone, Copy, Debug)]
pub struct Count {
    pub events: u64,
    pub worlds: u64,
    pub crashes: u64,
    /// Arrivals that were delivered to the program once more.
    pub repeats: u64,
    /// Messages that customers got twice.
    pub doubled: u64,
    pub acknowledged: u64,
    pub sent: u64,
    /// Orders that were placed, and their moves.
    pub placed: u64,
    pub moved: u64,
    pub tally: Tally,
}

pub struct World<'a> {
    dice: Dice,
    now: i64,
    /// What the program's clock shows beyond the time.
    offset: i64,
    shops: Vec<Rc<Shop>>,
    languages: &'a [Language],
    seats: Vec<Seat>,
    exact: bool,
    rows: Rows,
    /// Of each shop: the catalogue that is stored, and the one that is open.
    imported: Vec<usize>,
    open: Vec<usize>,
    queue: BTreeMap<(i64, u64), Event>,
    queued: u64,
    sent: Vec<Sent>,
    phones: Vec<Phone>,
    faults: Faults,
    healing: bool,
    full: bool,
    up: bool,
    life: u32,
    jobs: VecDeque<(Job, Waits)>,
    writing: bool,
    lanes: Vec<Lane>,
    next_id: u128,
    pub count: &'a mut Count,
    /// What happened, where it is told.
    trace: Option<&'a mut Vec<String>>,
}

impl<'a> World<'a> {
    pub fn new(
        seed: u64,
        town: &[Rc<Shop>],
        languages: &'a [Language],
        count: &'a mut Count,
        trace: Option<&'a mut Vec<String>>,
    ) -> World<'a> {
        let mut dice = Dice::new(seed);
        let shops: Vec<Rc<Shop>> = (0..dice.between(1, 2)).map(|_| town[dice.below(town.len())].clone()).collect();
        let chats = dice.between(2, 7) as usize;
        let seats: Vec<Seat> = (0..chats)
            .map(|_| Seat {
                house: dice.below(shops.len()),
                channel: [ChannelKind::Telegram, ChannelKind::Telegram, ChannelKind::Web, ChannelKind::Terminal]
                    [dice.below(4)],
                shown_name: [None, Some("Kim")][dice.below(2)],
            })
            .collect();
        let mut up_to = |most: i64| dice.between(0, most) as u64;
        let faults = Faults {
            lost: up_to(200),
            doubled: up_to(200),
            down: up_to(200),
            ambiguous: up_to(100),
            wait: up_to(100),
            refused: up_to(10),
            crash: up_to(30),
            poison: up_to(10),
            trouble: up_to(3) > 0,
            restless: up_to(1) == 0,
        };
        // From October to April: both changes of the clocks, and what shops close for.
        let now = 1_792_000_000_000 + dice.between(0, 15_000_000) * 1_000;
        let exact = dice.chance(60);
        let mut world = World {
            dice,
            now,
            offset: 0,
            languages,
            exact,
            rows: Rows::new(shops.len(), chats),
            imported: vec![0; shops.len()],
            open: vec![0; shops.len()],
            queue: BTreeMap::new(),
            queued: 0,
            sent: Vec::new(),
            phones: (0..chats).map(|_| Phone::default()).collect(),
            faults,
            healing: false,
            full: false,
            up: true,
            life: 1,
            jobs: VecDeque::new(),
            writing: false,
            lanes: (0..chats).map(|_| Lane::default()).collect(),
            next_id: 0,
            shops,
            seats,
            count,
            trace,
        };
        world.count.worlds += 1;
        for chat in 0..chats {
            let wait = world.dice.between(0, 20_000);
            world.later(wait, Event::Thumb(chat));
        }
        world.later(30_000, Event::Staff);
        world.later(60_000, Event::Trouble);
        world
    }

    /// Lets so many events happen, then heals everything, and looks whether all of it comes to rest as it must.
    pub fn run(mut self, events: u64) {
        let end = self.count.events + events;
        while self.count.events < end {
            self.next();
        }
        self.heal();
        self.rest();
        for chat in 0..self.seats.len() {
            let text = Thought { text: "I want to speak to a human".into(), whim: 0 };
            self.exact = true;
            self.send(chat, Content::Text(text));
        }
        self.rest();
        self.look_back();
    }

    /// Lets the next thing happen; `false` where nothing is to come.
    fn next(&mut self) -> bool {
        let Some(((at, _), event)) = self.queue.pop_first() else { return false };
        self.now = self.now.max(at);
        self.count.events += 1;
        self.tell(|_| format!("{event:?}"));
        match event {
            Event::Thumb(chat) => self.thumb(chat),
            Event::Arrives(arrival) => self.arrives(arrival),
            Event::Acked(arrival) => self.sent[arrival].acked = true,
            Event::Again(arrival) => self.again(arrival),
            Event::Write => self.write(),
            Event::Due(life, chat) if life == self.life => self.enqueue(Job::Due(chat), Waits::Nobody),
            Event::Wire(life, chat) if life == self.life => self.wire(chat),
            Event::Answer(life, chat, fate) | Event::MarkAgain(life, chat, fate) if life == self.life => {
                self.mark(chat, fate);
            }
            Event::Reopen(life, house) if life == self.life => self.open[house] = self.imported[house],
            Event::Due(..) | Event::Wire(..) | Event::Answer(..) | Event::MarkAgain(..) | Event::Reopen(..) => {}
            Event::Staff => self.staff(),
            Event::Trouble => self.trouble(),
            Event::Start => self.start(),
        }
        true
    }

    // The customers.

    fn thumb(&mut self, chat: Chat) {
        if self.healing {
            return;
        }
        let wait = if self.dice.chance(200) { self.dice.between(50, 2_000) } else { self.dice.between(2_000, 90_000) };
        self.later(wait, Event::Thumb(chat));
        let content = self.content(chat);
        // Just before what may be a yes.
        if self.faults.restless && self.is_confirming(chat) && self.dice.chance(200) {
            self.import(self.seats[chat].house);
        }
        if matches!(content, Content::Left) {
            self.phones[chat].left = true;
        } else if !matches!(content, Content::Ignored) {
            self.phones[chat].left = false;
        }
        self.send(chat, content);
    }

    fn content(&mut self, chat: Chat) -> Content {
        let shop = self.shops[self.seats[chat].house].clone();
        let seen: Vec<i64> = if self.seats[chat].channel.abilities().fetched {
            (1..=self.rows.messages(chat).len() as i64).collect()
        } else {
            self.phones[chat].got.clone()
        };
        let reply = |seq: &i64| self.rows.message(chat, *seq)?.reply.clone().map(|reply| (*seq, reply));
        let last = seen.iter().rev().take(6).find_map(reply);
        let offered = seen.iter().rev().take(12).filter_map(reply).find(|(_, reply)| !reply.offers.is_empty());
        let dice = &mut self.dice;
        let word = |text: &str| Content::Text(Thought { text: text.into(), whim: 0 });
        match dice.below(100) {
            0..=44 => {
                if let Some((_, last)) = &last
                    && dice.chance(600)
                    && let Some(text) = answer(last, dice, &shop)
                {
                    return Content::Text(Thought { text, whim: 0 });
                }
                if let Some((seq, reply)) = offered {
                    let yes = reply.offers.iter().position(|offer| matches!(offer, Offer::Yes | Offer::Right));
                    let place = yes.filter(|_| dice.chance(700)).unwrap_or_else(|| dice.below(reply.offers.len()));
                    if self.seats[chat].channel.abilities().buttons < reply.offers.len() || dice.chance(50) {
                        return word(&format!("{}", place + 1));
                    }
                    return Content::Press(Press::read(&Offer::data(seq, place)));
                }
                word(["hi", "menu", "what do you have?"][dice.below(3)])
            }
            45..=84 => {
                let text = shop.texts[dice.below(shop.texts.len())].clone();
                let whim = if dice.chance(400) { dice.draw() | 1 } else { 0 };
                Content::Text(Thought { text, whim })
            }
            85..=89 => {
                let old = seen.get(dice.below(seen.len().max(1))).copied().unwrap_or(3);
                Content::Press(Press::read(&Offer::data(old, dice.below(3))))
            }
            90 => Content::Press(Press::read(["", "x.y", "-1.0", "99999.0"][dice.below(4)])),
            91..=93 => {
                let kinds = [
                    Wordless::Voice,
                    Wordless::Picture,
                    Wordless::Sticker,
                    Wordless::Location,
                    Wordless::Contact,
                    Wordless::File,
                    Wordless::Edit,
                    Wordless::Other,
                ];
                Content::Medium(kinds[dice.below(8)])
            }
            94 => Content::TooLong(Thought { text: "very long ".repeat(20).into(), whim: 0 }),
            95 => Content::Opened,
            96 => [Content::Left, Content::Back][dice.below(2)].clone(),
            97 => Content::Ignored,
            _ => word(["I want", "and", "two", "with"][dice.below(4)]),
        }
    }

    // The vendor, towards the program.

    fn send(&mut self, chat: Chat, content: Content) {
        let id = self.sent.len();
        let poison = !self.healing && self.dice.chance(self.faults.poison);
        let arrival = Arrival { id, chat, content, poison };
        self.tell(|_| format!("  sends {arrival:?}"));
        self.sent.push(Sent { arrival, acknowledged: false, acked: false, tries: 0 });
        self.again(id);
    }

    fn again(&mut self, id: usize) {
        if self.sent[id].acked {
            return;
        }
        self.sent[id].tries += 1;
        if self.sent[id].tries > 1 {
            self.count.repeats += 1;
        }
        let most = 5_000_i64 << self.sent[id].tries.min(9);
        let (wait, transit) = (self.dice.between(4_000, most), self.transit());
        self.later(wait, Event::Again(id));
        if !self.fails(self.faults.lost) {
            self.later(transit, Event::Arrives(id));
        }
        if self.fails(self.faults.doubled) {
            self.count.repeats += 1;
            let late = if self.dice.chance(100) { 3_600_000 } else { 3_000 };
            let late = self.dice.between(0, late);
            self.later(late, Event::Arrives(id));
        }
    }

    fn arrives(&mut self, id: usize) {
        if self.up {
            let arrival = self.sent[id].arrival.clone();
            self.enqueue(Job::Arrive(arrival), Waits::Vendor(id));
        }
    }

    // The program.

    fn enqueue(&mut self, job: Job, waits: Waits) {
        self.jobs.push_back((job, waits));
        if !self.writing {
            self.writing = true;
            let wait = self.dice.between(0, 40);
            self.later(wait, Event::Write);
        }
    }

    fn write(&mut self) {
        self.writing = false;
        if !self.up {
            return;
        }
        let many = self.jobs.len().min(MOST_TOGETHER);
        let jobs: Vec<(Job, Waits)> = self.jobs.drain(..many).collect();
        if !self.jobs.is_empty() {
            self.writing = true;
            self.later(1, Event::Write);
        }
        if jobs.len() > 1 && self.attempt(jobs.iter().map(|(job, _)| job)).is_none() {
            // One of them fails: each by itself.
            for (job, waits) in jobs {
                if !self.up {
                    return;
                }
                self.alone(&job, waits);
            }
        } else if let [(job, waits)] = jobs.as_slice() {
            self.alone(job, *waits);
        } else {
            for (job, waits) in jobs {
                if self.up {
                    self.done(&job, waits, Ok(()));
                }
            }
        }
    }

    /// Runs jobs in one transaction; `None` where one of them fails, and nothing is kept then.
    fn attempt<'b>(&mut self, jobs: impl ExactSizeIterator<Item = &'b Job>) -> Option<()> {
        let many = jobs.len();
        let crash = if self.fails(self.faults.crash) { Some(self.dice.below(many + 2)) } else { None };
        let mut outcome = Outcome::default();
        for (n, job) in jobs.enumerate() {
            if crash == Some(n) {
                // In the middle of a turn: some of its writes are done.
                let before = self.rows.writes();
                let _ = self.turn(job, &mut Outcome::default());
                let writes = self.dice.between(before as i64, self.rows.writes() as i64);
                self.rows.undo_to(writes as usize);
                self.crash();
                return Some(());
            }
            if let Err(failed) = self.turn(job, &mut outcome) {
                self.tell(|_| format!("  {failed:?}: undone"));
                self.rows.undo();
                return None;
            }
        }
        if self.full {
            self.rows.undo();
            return None;
        }
        self.end(crash.map(|at| at - many), outcome);
        Some(())
    }

    /// Commits, and publishes. A crash comes just before (0) or just after (1) the commit.
    fn end(&mut self, crash: Option<usize>, outcome: Outcome) {
        if crash == Some(0) {
            return self.crash();
        }
        self.rows.commit();
        if crash.is_some() {
            return self.crash();
        }
        for message in outcome.posts {
            let chat = message.chat;
            self.lanes[chat].waiting.push_back(message);
            self.run_lane(chat);
        }
        for (chat, at) in outcome.wakes {
            self.wake(chat, at);
        }
    }

    fn alone(&mut self, job: &Job, waits: Waits) {
        let mut outcome = Outcome::default();
        match self.turn(job, &mut outcome) {
            Ok(()) if self.full => {
                self.rows.undo();
                self.done(job, waits, Err(Failed::NotDone));
            }
            Ok(()) => {
                let crash = if self.fails(self.faults.crash) { Some(self.dice.below(2)) } else { None };
                self.end(crash, outcome);
                if self.up {
                    self.done(job, waits, Ok(()));
                }
            }
            Err(Failed::Poisoned) => {
                self.rows.undo();
                let Job::Arrive(arrival) = job else { panic!("{job:?} is no arrival") };
                if self.full {
                    return self.done(job, waits, Err(Failed::NotDone));
                }
                self.desktop(|desktop| desktop.keep_aside(arrival));
                self.rows.commit();
                self.done(job, waits, Ok(()));
            }
            Err(Failed::NotDone) => {
                self.rows.undo();
                self.done(job, waits, Err(Failed::NotDone));
            }
            Err(Failed::Store(refused)) => panic!("{job:?} fails by itself: {refused:?}"),
        }
    }

    fn turn(&mut self, job: &Job, outcome: &mut Outcome) -> Result<(), Failed> {
        self.tell(|_| format!("  turn: {job:?}"));
        let chat = match job {
            Job::Arrive(arrival) => Some(arrival.chat),
            Job::Act(_, Action::TakeOver(chat) | Action::Answer(chat) | Action::HandBack(chat)) => Some(*chat),
            Job::Act(_, Action::Correct(chat, ..)) | Job::Due(chat) => Some(*chat),
            Job::Act(_, Action::Order { .. } | Action::Retry(_)) | Job::Mark(..) => None,
        };
        let before = chat.map_or(0, |chat| self.rows.messages(chat).len());
        let done = self.desktop(|desktop| desktop.turn(job, outcome));
        self.tell(|world| {
            let Some(chat) = chat else { return format!("    {done:?}") };
            let said = world.rows.messages(chat).iter().skip(before);
            let said = said.map(|message| match &message.reply {
                Some(reply) => format!("\n    {reply:?}"),
                None => format!("\n    {:?}", message.author),
            });
            let state = world.rows.talk(chat).and_then(|talk| talk.state.as_ref());
            format!("    {done:?} {state:?}{}", said.collect::<String>())
        });
        done
    }

    fn desktop<T>(&mut self, work: impl FnOnce(&mut Desktop<'_>) -> T) -> T {
        let clock = self.clock();
        work(&mut Desktop {
            shops: &self.shops,
            seats: &self.seats,
            languages: self.languages,
            open: &self.open,
            clock,
            exact: self.exact,
            rows: &mut self.rows,
            tally: &mut self.count.tally,
            next_id: &mut self.next_id,
        })
    }

    /// Tells whoever waits.
    fn done(&mut self, job: &Job, waits: Waits, result: Result<(), Failed>) {
        match waits {
            Waits::Vendor(id) if result.is_ok() => {
                assert!(self.rows.received(id).is_some(), "{id} is acknowledged and not stored");
                if !self.sent[id].acknowledged {
                    self.count.acknowledged += 1;
                }
                self.sent[id].acknowledged = true;
                let transit = self.transit();
                if !self.fails(self.faults.lost) {
                    self.later(transit, Event::Acked(id));
                }
            }
            Waits::Staff => {
                if let (Job::Act(_, Action::Order { house, at, version, .. }), Ok(())) = (job, result) {
                    assert!(self.rows.orders(*house)[*at].order.version > *version, "a move that was done is stored");
                }
            }
            Waits::Lane(chat) => {
                let Job::Mark(message, fate) = job else { return };
                match (result, fate) {
                    (Ok(()), Fate::Sent | Fate::Failed { .. }) => {
                        let phone = &mut self.phones[chat];
                        let came = phone.got.contains(&message.seq);
                        assert!(
                            came || *fate != Fate::Sent,
                            "{} of {chat} is marked as sent and never came",
                            message.seq
                        );
                        phone.unmarked = None;
                        self.lanes[chat].busy = None;
                        self.run_lane(chat);
                    }
                    (Ok(()), Fate::Later) => {
                        let wait = message.due.since(self.clock()).0.max(0);
                        self.later(wait, Event::Wire(self.life, chat));
                    }
                    (Err(_), fate) => self.later(1_000, Event::MarkAgain(self.life, chat, *fate)),
                }
            }
            Waits::Vendor(_) => {}
            Waits::Nobody => {
                if let (Job::Due(chat), Err(_)) = (job, result) {
                    let at = self.clock().after(Span::seconds(2));
                    self.wake(*chat, at);
                }
            }
        }
    }

    fn wake(&mut self, chat: Chat, at: Moment) {
        let wait = at.since(self.clock()).0.max(0);
        self.later(wait, Event::Due(self.life, chat));
    }

    fn crash(&mut self) {
        self.tell(|_| "  CRASH".to_owned());
        self.count.crashes += 1;
        self.rows.undo();
        self.up = false;
        self.life += 1;
        self.jobs.clear();
        for (lane, phone) in self.lanes.iter_mut().zip(&mut self.phones) {
            *lane = Lane::default();
            if phone.unmarked.is_some() {
                phone.doubtful = phone.unmarked;
            }
        }
        let wait = self.dice.between(200, 20_000);
        self.later(wait, Event::Start);
    }

    fn start(&mut self) {
        if self.up {
            return;
        }
        self.up = true;
        self.open.clone_from(&self.imported);
        for message in self.rows.unsent() {
            self.lanes[message.chat].waiting.push_back(message);
        }
        for chat in 0..self.lanes.len() {
            self.run_lane(chat);
        }
        for (chat, until) in self.rows.gatherings() {
            self.wake(chat, until);
        }
    }

    // The senders, and the vendor behind them.

    fn run_lane(&mut self, chat: Chat) {
        let lane = &mut self.lanes[chat];
        if lane.busy.is_some() {
            return;
        }
        let Some(message) = lane.waiting.pop_front() else { return };
        let wait = message.due.0 - (self.now + self.offset);
        lane.busy = Some(message);
        self.later(wait.max(0), Event::Wire(self.life, chat));
    }

    fn wire(&mut self, chat: Chat) {
        let Some(message) = self.lanes[chat].busy.clone() else { return };
        let transit = self.transit();
        let fate = if self.phones[chat].left {
            Fate::Failed { gone: true }
        } else if self.fails(self.faults.refused) {
            Fate::Failed { gone: false }
        } else if self.fails(self.faults.wait) {
            let wait = Span(self.dice.between(1_000, 60_000));
            self.put_off(chat, wait, 0)
        } else if self.fails(self.faults.down) {
            self.down(chat)
        } else {
            self.comes(chat, message.seq);
            if self.fails(self.faults.ambiguous) {
                self.phones[chat].doubtful = Some(message.seq);
                self.down(chat)
            } else {
                Fate::Sent
            }
        };
        self.later(transit, Event::Answer(self.life, chat, fate));
    }

    /// A message reaches the customer.
    fn comes(&mut self, chat: Chat, seq: i64) {
        self.count.sent += 1;
        let message = self.rows.message(chat, seq).expect("what is sent is stored");
        assert!(matches!(message.author, Author::Bot | Author::Staff), "a note goes to nobody");
        assert!(self.rows.posted(chat, seq).is_some(), "what is sent is in the outbox until it is marked");
        let phone = &mut self.phones[chat];
        phone.unmarked = Some(seq);
        match phone.got.last() {
            Some(&last) if last == seq => {
                assert_eq!(phone.doubtful, Some(seq), "{seq} of {chat} comes twice, and its first was marked");
                phone.doubtful = None;
                self.count.doubled += 1;
            }
            Some(&last) => {
                assert!(last < seq, "{seq} of {chat} comes after {last}");
                phone.got.push(seq);
            }
            None => phone.got.push(seq),
        }
    }

    fn down(&mut self, chat: Chat) -> Fate {
        let Some(message) = &self.lanes[chat].busy else { return Fate::Later };
        match RETRIES.get(message.attempts) {
            None => Fate::Failed { gone: false },
            Some(&wait) => self.put_off(chat, wait, 1),
        }
    }

    fn put_off(&mut self, chat: Chat, wait: Span, failed: usize) -> Fate {
        let due = self.clock().after(wait);
        if let Some(message) = &mut self.lanes[chat].busy {
            message.attempts += failed;
            message.due = due;
        }
        Fate::Later
    }

    fn mark(&mut self, chat: Chat, fate: Fate) {
        if let Some(message) = self.lanes[chat].busy.clone() {
            self.enqueue(Job::Mark(message, fate), Waits::Lane(chat));
        }
    }

    // The staff.

    fn staff(&mut self) {
        if self.healing {
            return;
        }
        let wait = self.dice.between(1_000, 40_000);
        self.later(wait, Event::Staff);
        if !self.up {
            return;
        }
        let name = ["Ana", "Ben"][self.dice.below(2)];
        if let Some(action) = self.action() {
            self.enqueue(Job::Act(name, action), Waits::Staff);
        }
    }

    fn action(&mut self) -> Option<Action> {
        let chat = self.dice.below(self.seats.len());
        let house = self.dice.below(self.shops.len());
        if self.dice.chance(500) {
            let orders = self.rows.orders(house).len();
            let at = orders.checked_sub(1 + self.dice.below(8))?;
            let order = &self.rows.orders(house)[at].order;
            let version = order.version - i64::from(self.dice.chance(50));
            let moves = [
                Move::Accept { minutes: self.dice.between(-1, 90) },
                Move::Decline { reason: ["the oven broke", ""][self.dice.below(2)].to_owned() },
                Move::Ready,
                Move::OutForDelivery,
                Move::Delivered,
                Move::Accept { minutes: 20 },
                Move::Cancel,
            ];
            let a_move = moves[self.dice.below(moves.len())].clone();
            return Some(Action::Order { house, at, version, a_move });
        }
        let aside = self.rows.aside().next().filter(|_| self.dice.chance(300));
        if let Some(arrival) = aside {
            return Some(Action::Retry(arrival));
        }
        let talk = self.rows.talk(chat)?;
        let version = talk.version - i64::from(self.dice.chance(100));
        let lines = talk.state.as_ref().map_or(0, |state| state.cart().lines.len());
        let shop = &self.shops[self.seats[chat].house];
        let catalog = &shop.catalogs[self.open[self.seats[chat].house]];
        let free = !matches!(talk.desk, Desk::Staff { .. });
        Some(match self.dice.below(10) {
            0 | 1 if free => Action::TakeOver(chat),
            2 if free => Action::Answer(chat),
            0..=5 => Action::HandBack(chat),
            6 => Action::Answer(chat),
            7 => Action::Correct(chat, version, Change::Add(some_line(&mut self.dice, catalog))),
            8 => {
                let line = some_line(&mut self.dice, catalog);
                Action::Correct(chat, version, Change::Replace(self.dice.below(lines + 1), line))
            }
            _ => Action::Correct(chat, version, Change::Remove(self.dice.below(lines + 1))),
        })
    }

    // What else goes wrong.

    fn trouble(&mut self) {
        if self.healing {
            return;
        }
        let wait = self.dice.between(5_000, 240_000);
        self.later(wait, Event::Trouble);
        if !self.faults.trouble {
            return;
        }
        match self.dice.below(12) {
            0..=2 if self.up => self.crash(),
            3 => self.offset -= 3_600_000,
            4 => self.offset += 3_600_000,
            5 => self.offset += 30 * 86_400_000,
            6 => {
                // A minute before midnight in Greenwich, or before a change of the clocks in Europe.
                let clock = self.clock().0;
                let day = clock - clock.rem_euclid(86_400_000) + 86_400_000;
                let target = match self.dice.below(3) {
                    0 => day,
                    1 => 1_792_890_000_000,
                    _ => 1_806_195_600_000,
                };
                self.offset += (target - 60_000 - clock).max(0);
            }
            7 | 8 => {
                let house = self.dice.below(self.shops.len());
                self.import(house);
            }
            9 => {
                let chat = self.dice.below(self.seats.len());
                if self.dice.chance(300) {
                    self.rows.damage(chat);
                }
            }
            10 => self.full = !self.full,
            _ => self.full = false,
        }
    }

    /// A shop's catalogue is imported; the program notices within half a second.
    fn import(&mut self, house: House) {
        // To something else and back.
        self.imported[house] = match self.imported[house] {
            0 => self.dice.below(CATALOGS),
            _ => 0,
        };
        let wait = self.dice.between(0, 500);
        self.later(wait, Event::Reopen(self.life, house));
    }

    fn is_confirming(&self, chat: Chat) -> bool {
        let state = self.rows.talk(chat).and_then(|talk| talk.state.as_ref());
        state.is_some_and(|state| matches!(state.stage, Stage::Confirming { .. }))
    }

    // The end.

    fn heal(&mut self) {
        self.tell(|_| "HEALED".to_owned());
        self.healing = true;
        self.full = false;
        for phone in &mut self.phones {
            phone.left = false;
        }
        self.start();
    }

    fn rest(&mut self) {
        let end = self.count.events + LONGEST_REST;
        while self.next() {
            assert!(self.count.events < end, "nothing comes to rest");
        }
        assert!(self.rows.unsent().is_empty(), "left in the outbox: {:?}", self.rows.unsent());
        assert!(self.rows.gatherings().is_empty(), "half a message waits for ever");
    }

    fn look_back(&mut self) {
        let mut heard = BTreeSet::new();
        for chat in 0..self.seats.len() {
            for message in self.rows.messages(chat) {
                if let Some(arrival) = message.arrival {
                    assert!(heard.insert(arrival), "arrival {arrival} is on record twice");
                }
            }
            let talk = self.rows.talk(chat).expect("everybody has written");
            assert_eq!(talk.next_seq, self.rows.messages(chat).len() as i64 + 1);
            assert!(!matches!(talk.desk, Desk::Bot), "who asked for a person gets one: {:?}", talk.state);
        }
        for sent in &self.sent {
            let id = sent.arrival.id;
            assert!(sent.acked, "the vendor has never heard of {id}");
            assert!(self.rows.received(id).is_some(), "{id} was acknowledged and is lost");
            // What was kept aside and is tried again too late is put on record only where it has words.
            if let Content::Text(_) | Content::TooLong(_) = sent.arrival.content {
                assert!(heard.contains(&id) || self.rows.is_aside(id), "what {id} said is lost");
            }
        }
        for house in 0..self.shops.len() {
            let orders = self.rows.orders(house);
            let numbers: Vec<i64> = orders.iter().map(|row| row.order.number).collect();
            assert_eq!(numbers, (1..=orders.len() as i64).collect::<Vec<_>>(), "numbers without a gap");
            let readbacks: BTreeSet<(Chat, i64)> = orders.iter().map(|row| (row.chat, row.readback)).collect();
            assert_eq!(readbacks.len(), orders.len(), "one order for each read-back");
            self.count.placed += orders.len() as u64;
            for row in orders {
                self.count.moved += row.moves.len() as u64 - 1;
                assert_eq!(row.moves.len() as i64, row.order.version);
                let ended = row.moves.iter().position(|status| status.is_final());
                assert!(ended.is_none_or(|at| at + 1 == row.moves.len()), "{:?} moves on after its end", row.moves);
            }
        }
    }

    fn clock(&self) -> Moment {
        Moment(self.now + self.offset)
    }

    fn later(&mut self, wait: i64, event: Event) {
        self.queued += 1;
        self.queue.insert((self.now + wait, self.queued), event);
    }

    /// Mostly quick, at times so slow that others overtake it.
    fn transit(&mut self) -> i64 {
        if self.dice.chance(100) { self.dice.between(100, 5_000) } else { self.dice.between(1, 100) }
    }

    fn fails(&mut self, per_mille: u64) -> bool {
        !self.healing && self.dice.chance(per_mille)
    }

    fn tell(&mut self, what: impl FnOnce(&World<'_>) -> String) {
        if self.trace.is_some() {
            let line = format!("{:>7} +{:>9} {}", self.count.events, self.now % 1_000_000_000, what(self));
            if let Some(trace) = &mut self.trace {
                trace.push(line);
            }
        }
    }
}

/// What fits the question that was put last.
fn answer(reply: &Reply, dice: &mut Dice, shop: &Shop) -> Option<Rc<str>> {
    let text = reply.says.iter().rev().find_map(|say| match say {
        Say::Text(text) => Some(text),
        Say::Shop(_) | Say::Heading(_) | Say::Product(_) | Say::Gap => None,
    })?;
    Some(match text {
        Text::AskName {} => ["Kim", "my name is Nina Holm", "Ola"][dice.below(3)].into(),
        Text::AskAddress {} | Text::AskPostcode {} => some_address(dice, &shop.catalogs[0])?.into(),
        Text::AskFulfilment {} => ["pickup", "delivery please", "I'll pick it up"][dice.below(3)].into(),
        Text::ReadbackAsk {} => ["yes", "yes please", "no", "yes, but make it two", "hold on"][dice.below(5)].into(),
        Text::PauseReadback {} => ["yes", "no", "wait"][dice.below(3)].into(),
        Text::Doubt { .. } | Text::DoubtCart { .. } | Text::NearAskOne {} => ["yes", "no"][dice.below(2)].into(),
        _ => return None,
    })
}
