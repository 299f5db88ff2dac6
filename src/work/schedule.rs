//! Which message goes next. It holds everything that waits for a vendor, and decides; [`super::send`] does.
//!
//! - The messages of a conversation go in order, one at a time: the next only when what became of the one before is on
//!   record.
//! - Where a vendor's limits hold things back the more urgent goes first, over all conversations, and of the equally
//!   urgent what is due longest. A conversation is as urgent as the most urgent message in it, as that one can't
//!   overtake those before it.
//! - A message is here once, however often it is handed in.
//! - What a vendor did not take waits longer after each try. Each message that it takes again lets two of those go
//!   before their time, once each: after an outage all go as fast as the limits let them, and a vendor that takes one in
//!   ten is not run down. Where many wait and nothing is tried, one goes every few seconds, so that the end of an outage
//!   is noticed.
//! - A vendor that tells several conversations to wait, and takes nothing in between, means the account: all wait until
//!   the first of these waits is over.
//!
//! One table and one queue of timers: what waits costs its own size and a place in each, and no task.
//!
//! Race: what is read from the outbox may have been finished between the reading and its arrival here. So whatever is
//! finished while somebody reads is remembered until the reading has arrived, and is not taken from it.
//!
//! Pure: the time is handed in, by two clocks. Waits are measured by one that never jumps ([`Now::tick`]); moments that
//! are stored are those of the wall clock and are moved over when a message comes in.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque},
};

use super::limit::{Leave, Limiter};
use crate::{
    channel::{ChannelKind, Limits},
    id::ConversationId,
    moment::{Moment, Span},
    store::{Unsent, Urgency},
};

/// How many that wait a message lets go before their time, whose vendor takes it.
const LET_GO: usize = 2;

/// Conversations whose vendor did not take their message from which on that is an outage: one of them tries again when
/// nobody has for [`TRIED_EVERY`].
const OUTAGE: usize = 10;

/// See [`OUTAGE`].
const TRIED_EVERY: Span = Span::seconds(5);

/// Conversations that wait as they were told, nothing having been taken since, from which on it is meant of all.
const TOLD_AT_ONCE: usize = 3;

/// Longer than any wait of our own, jitter included, and than any that a vendor was seen to ask for. A stored moment that
/// is further ahead was written while the clock was wrong.
const LONGEST_WAIT: Span = Span::hours(44);

/// One moment by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// By one that never jumps.
    pub tick: Moment,
    /// By the wall clock.
    pub wall: Moment,
}

/// Everything that waits.
pub struct Schedule {
    roads: Vec<Road>,
    lanes: HashMap<ConversationId, Lane>,
    /// Lanes that can't go before a moment. One that was placed otherwise since has another [`Place`], and is passed over.
    timers: BinaryHeap<Reverse<(Moment, ConversationId)>>,
    placed: u64,
    /// Readings of the outbox that have not arrived.
    readings: usize,
    /// What was finished since the first of them began.
    finished: HashSet<(ConversationId, i64)>,
}

/// What is to be done with a message.
#[derive(Debug)]
pub enum Next {
    /// Give it to the vendor.
    Send(Unsent, Given),
    /// Note that it is too late for it.
    Expired(Unsent),
}

/// With what a message was given out, by the clock that never jumps.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    /// For when it was planned.
    pub planned: Moment,
    /// From when on it is not worth sending any more.
    pub expires: Option<Moment>,
}

/// Why a message is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The vendor asked to wait.
    Told,
    /// The vendor did not take it; sooner, if it takes others.
    NotTaken,
    /// The same, when it was tried sooner than planned: that is not done twice.
    NotTakenSooner,
}

/// What became of a message that [`Schedule::next`] gave out.
#[derive(Debug)]
pub enum After {
    /// The vendor took it.
    Sent,
    /// It is finished.
    Over,
    /// It is tried again after so long, whatever the wall clock says until then.
    Again(Box<Unsent>, Span, Why),
    /// It is finished, and so is everything that waits behind it.
    AllOver,
}

/// A channel.
struct Road {
    kind: ChannelKind,
    limiter: Option<Limiter<ConversationId>>,
    /// Lanes that may go now.
    ready: BTreeMap<Turn, ConversationId>,
    /// Until when the limits hold everything back.
    held: Option<Moment>,
    /// Lanes whose first message the vendor did not take, in the order of that.
    hoping: VecDeque<ConversationId>,
    /// When one of them is to try, in an outage.
    tries_at: Option<Moment>,
    told: Told,
}

/// What a vendor said of waiting since it last took something.
#[derive(Default)]
struct Told {
    /// To whom, and until when.
    waits: Vec<(ConversationId, Moment)>,
    /// Until when all wait.
    all: Option<Moment>,
}

/// A conversation.
struct Lane {
    road: usize,
    /// By their places in the conversation.
    waiting: VecDeque<Waiting>,
    place: Place,
    /// From when on the message that was given out is not worth sending any more.
    expires: Option<Moment>,
}

struct Waiting {
    due: Moment,
    /// As `due`, unless it was let go sooner.
    planned: Moment,
    /// Whether it may be let go sooner.
    hopes: bool,
    expires: Option<Moment>,
    message: Unsent,
}

/// Where a lane stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    Ready(Turn),
    Timed(Moment),
    /// The message at that place in the conversation was given out.
    Out(i64),
}

/// The order of those who may go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    urgency: Urgency,
    due: Moment,
    placed: u64,
}

impl Now {
    /// When a stored moment is, by the clock that never jumps. Where its message was said at a moment that is still to
    /// come, the clock was another one, and what is between the two counts.
    fn tick_at(self, wall: Moment, said: Moment) -> Moment {
        let ahead = wall.since(self.wall).min(LONGEST_WAIT);
        let meant = wall.since(said);
        self.tick.after(if meant < Span::millis(0) { ahead } else { ahead.min(meant) })
    }
}

impl Road {
    /// The first message of a lane waits as the vendor did not take it.
    fn not_taken(&mut self, id: ConversationId, now: Moment) {
        self.hoping.push_back(id);
        self.tried(now);
    }

    /// Something was tried in vain.
    fn tried(&mut self, now: Moment) {
        if self.hoping.len() >= OUTAGE {
            self.tries_at = Some(now.after(TRIED_EVERY));
        }
    }
}

impl Told {
    fn asked_to_wait(&mut self, id: ConversationId, until: Moment, now: Moment) {
        // What is over says nothing any more.
        self.waits.retain(|(other, until)| *other != id && *until > now);
        self.waits.push((id, until));
        if self.waits.len() >= TOLD_AT_ONCE {
            self.all = self.waits.iter().map(|(_, until)| *until).min();
            self.waits.clear();
        }
    }
}

impl Schedule {
    /// An empty one for these channels.
    pub fn new(channels: impl IntoIterator<Item = (ChannelKind, Option<Limits>)>, now: Now) -> Schedule {
        let road = |(kind, limits): (_, Option<Limits>)| Road {
            kind,
            limiter: limits.map(|limits| Limiter::new(limits, now.tick)),
            ready: BTreeMap::new(),
            held: None,
            hoping: VecDeque::new(),
            tries_at: None,
            told: Told::default(),
        };
        Schedule {
            roads: channels.into_iter().map(road).collect(),
            lanes: HashMap::new(),
            timers: BinaryHeap::new(),
            placed: 0,
            readings: 0,
            finished: HashSet::new(),
        }
    }

    /// Takes in a message that was said just now, wherever the wall clock was at that moment: it is due at once.
    pub(super) fn take_new(&mut self, message: Unsent, now: Now) -> bool {
        let said = message.due_at;
        self.take(message, Now { wall: said, ..now })
    }

    /// Takes a message in; `false` where it is here already, or its channel is switched off: then it waits in the outbox
    /// for a start with the channel on.
    pub fn take(&mut self, message: Unsent, now: Now) -> bool {
        let Some(road) = self.roads.iter().position(|road| road.kind == message.channel) else { return false };
        let id = message.conversation;
        // Nearly always there is one message.
        let new = || Lane { road, waiting: VecDeque::with_capacity(1), place: Place::Nowhere, expires: None };
        let lane = self.lanes.entry(id).or_insert_with(new);
        let at = lane.waiting.partition_point(|waiting| waiting.message.seq < message.seq);
        let here = lane.waiting.get(at).is_some_and(|waiting| waiting.message.seq == message.seq);
        if here || lane.place == Place::Out(message.seq) {
            return false;
        }
        let due = now.tick_at(message.due_at, message.said_at);
        let expires = message.expires_at.map(|at| now.tick_at(at, message.said_at));
        // An earlier run, or another replica, tried it in vain.
        let hopes = message.attempts > 0 && !message.told && due > now.tick;
        lane.waiting.insert(at, Waiting { due, planned: due, hopes, expires, message });
        self.place(id, now.tick);
        if hopes {
            self.roads[road].not_taken(id, now.tick);
        }
        true
    }

    /// Somebody begins to read the outbox.
    pub(super) fn reading(&mut self) {
        self.readings += 1;
    }

    /// What was read arrives: what is neither here nor was finished meanwhile is taken in. How many those are.
    pub(super) fn read(&mut self, messages: Vec<Unsent>, now: Now) -> usize {
        let mut taken = 0;
        for message in messages {
            if !self.finished.contains(&(message.conversation, message.seq)) {
                taken += usize::from(self.take(message, now));
            }
        }
        self.readings = self.readings.saturating_sub(1);
        if self.readings == 0 {
            self.finished.clear();
        }
        taken
    }

    /// Whether a message is here.
    pub(super) fn knows(&self, id: ConversationId, seq: i64) -> bool {
        self.lanes.get(&id).is_some_and(|lane| {
            lane.place == Place::Out(seq) || lane.waiting.binary_search_by_key(&seq, |w| w.message.seq).is_ok()
        })
    }

    /// The next message of a channel, if one may go now. [`Schedule::done`] has to follow.
    pub fn next(&mut self, kind: ChannelKind, now: Now) -> Option<Next> {
        let now = now.tick;
        while let Some(Reverse((at, id))) = self.timers.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.timers.pop();
            if self.lanes.get(&id).is_some_and(|lane| lane.place == Place::Timed(at)) {
                self.place(id, now);
            }
        }
        let place = self.roads.iter().position(|road| road.kind == kind)?;
        if self.roads[place].tries_at.is_some_and(|at| at <= now) {
            let more = self.let_go(place, 1, now) > 0;
            self.roads[place].tries_at = more.then(|| now.after(TRIED_EVERY));
        }
        let road = &mut self.roads[place];
        road.held = road.told.all.filter(|until| *until > now);
        if road.held.is_some() {
            return None;
        }
        loop {
            let (&turn, &id) = road.ready.first_key_value()?;
            let lane = self.lanes.get_mut(&id)?;
            let head = lane.waiting.front()?;
            let expired = head.expires.is_some_and(|expires| expires <= now);
            // What is too late needs no room at the vendor's.
            if let Some(limiter) = road.limiter.as_mut().filter(|_| !expired) {
                match limiter.leave(id, &head.message.peer, turn.urgency, now) {
                    Leave::Now => {}
                    Leave::Account(at) => {
                        road.held = Some(at);
                        return None;
                    }
                    Leave::Chat(at) => {
                        road.ready.remove(&turn);
                        lane.place = Place::Timed(at);
                        self.timers.push(Reverse((at, id)));
                        continue;
                    }
                }
            }
            road.ready.remove(&turn);
            let Waiting { planned, expires, message, .. } = lane.waiting.pop_front()?;
            lane.place = Place::Out(message.seq);
            lane.expires = expires;
            return Some(if expired {
                Next::Expired(message)
            } else {
                Next::Send(message, Given { planned, expires })
            });
        }
    }

    /// The vendor answered to a message that set off at `left`; both by the clock that never jumps.
    pub fn answered(&mut self, kind: ChannelKind, id: ConversationId, left: Moment, at: Moment) {
        let road = self.roads.iter_mut().find(|road| road.kind == kind);
        if let Some(limiter) = road.and_then(|road| road.limiter.as_mut()) {
            limiter.answered(id, left, at);
        }
    }

    /// What became of the message that a conversation has out is on record.
    pub fn done(&mut self, id: ConversationId, after: After, now: Now) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let Place::Out(seq) = std::mem::replace(&mut lane.place, Place::Nowhere) else { return };
        if self.readings > 0 && !matches!(after, After::Again(..)) {
            self.finished.insert((id, seq));
        }
        let road = &mut self.roads[lane.road];
        let mut takes = false;
        match after {
            After::Over => {}
            After::Sent => takes = true,
            After::Again(message, wait, why) => {
                let due = now.tick.after(wait);
                match why {
                    Why::Told => road.told.asked_to_wait(id, due, now.tick),
                    Why::NotTaken => road.not_taken(id, now.tick),
                    Why::NotTakenSooner => road.tried(now.tick),
                }
                let (hopes, expires) = (why == Why::NotTaken, lane.expires);
                lane.waiting.push_front(Waiting { due, planned: due, hopes, expires, message: *message });
            }
            After::AllOver => {
                if self.readings > 0 {
                    self.finished.extend(lane.waiting.iter().map(|waiting| (id, waiting.message.seq)));
                }
                lane.waiting.clear();
            }
        }
        let road = lane.road;
        self.place(id, now.tick);
        if takes {
            self.taken(road, now.tick);
        }
    }

    /// A vendor takes messages: some that wait for that go before their time.
    fn taken(&mut self, road: usize, now: Moment) {
        self.roads[road].told = Told::default();
        self.roads[road].tries_at = None;
        self.let_go(road, LET_GO, now);
    }

    /// Lets some go before their time that wait for their vendor; how many there were.
    fn let_go(&mut self, road: usize, most: usize, now: Moment) -> usize {
        let mut gone = 0;
        while gone < most
            && let Some(id) = self.roads[road].hoping.pop_front()
        {
            let Some(lane) = self.lanes.get_mut(&id) else { continue };
            let waits = matches!(lane.place, Place::Timed(at) if at > now);
            let Some(head) = lane.waiting.front_mut().filter(|head| head.hopes && waits) else { continue };
            (head.due, head.hopes) = (now, false);
            gone += 1;
            self.place(id, now);
        }
        gone
    }

    /// When there may be something to do without anything having happened.
    pub fn wakes_at(&self) -> Option<Moment> {
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        self.roads.iter().flat_map(|road| [road.held, road.tries_at]).flatten().chain(timer).min()
    }

    /// Puts a lane where it belongs now.
    fn place(&mut self, id: ConversationId, now: Moment) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        // Who is in the queue keeps its place behind whom it came after.
        let placed = match lane.place {
            Place::Out(_) => return,
            Place::Ready(turn) => {
                self.roads[lane.road].ready.remove(&turn);
                turn.placed
            }
            Place::Timed(_) | Place::Nowhere => {
                self.placed += 1;
                self.placed
            }
        };
        let Some(due) = lane.waiting.front().map(|head| head.due) else {
            self.lanes.remove(&id);
            return;
        };
        if due > now {
            if lane.place != Place::Timed(due) {
                lane.place = Place::Timed(due);
                self.timers.push(Reverse((due, id)));
            }
            return;
        }
        let urgency = lane.waiting.iter().map(|waiting| waiting.message.urgency).min().unwrap_or(Urgency::Offer);
        let turn = Turn { urgency, due, placed };
        lane.place = Place::Ready(turn);
        self.roads[lane.road].ready.insert(turn, id);
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{
        channel::{Outgoing, Peer, Rate},
        moment::Span,
    };

    const KIND: ChannelKind = ChannelKind::Telegram;

    fn at(millis: i64) -> Now {
        // The clocks are an hour apart.
        Now { tick: Moment(millis), wall: Moment(millis + 3_600_000) }
    }

    fn message(chat: u128, seq: i64, urgency: Urgency) -> Unsent {
        Unsent {
            merchant: "pizzeria".parse().unwrap(),
            conversation: ConversationId(chat),
            seq,
            channel: KIND,
            peer: Peer::new(chat.to_string()).unwrap(),
            message: Outgoing::default(),
            attempts: 0,
            said_at: at(0).wall,
            due_at: at(0).wall,
            urgency,
            expires_at: None,
            told: false,
        }
    }

    fn free() -> Schedule {
        Schedule::new([(KIND, None)], at(0))
    }

    fn limited() -> Schedule {
        limited_to(2)
    }

    fn limited_to(account: usize) -> Schedule {
        let rate = |most| Rate { most, within: Span::seconds(1) };
        let limits = Limits { account: rate(account), chat: rate(1), group: rate(1), is_group: |_| false };
        Schedule::new([(KIND, Some(limits))], Now { tick: Moment(-60_000), wall: Moment(0) })
    }

    /// The conversations and places of all that may go.
    fn going(schedule: &mut Schedule, now: Now) -> Vec<(u128, i64)> {
        std::iter::from_fn(|| schedule.next(KIND, now))
            .map(|next| match next {
                Next::Send(message, _) => (message.conversation.0, message.seq),
                Next::Expired(message) => panic!("{} is not expired", message.seq),
            })
            .collect()
    }

    #[test]
    fn a_conversation_goes_in_order_one_at_a_time_beside_others() {
        let mut schedule = free();
        for (chat, seq) in [(1, 5), (1, 7), (2, 1), (1, 6), (1, 5)] {
            schedule.take(message(chat, seq, Urgency::Answer), at(0));
        }
        assert_eq!(going(&mut schedule, at(0)), [(1, 5), (2, 1)]);
        assert!(!schedule.take(message(1, 5, Urgency::Answer), at(0)), "it is out");
        schedule.done(ConversationId(1), After::Over, at(0));
        assert_eq!(going(&mut schedule, at(0)), [(1, 6)]);
        schedule.done(ConversationId(1), After::AllOver, at(0));
        schedule.done(ConversationId(2), After::Over, at(0));
        assert_eq!(going(&mut schedule, at(0)), []);
        assert!(schedule.lanes.is_empty() && schedule.wakes_at().is_none(), "nothing is kept of what is over");
    }

    #[test]
    fn who_is_told_to_wait_waits_and_holds_up_nobody_else() {
        let mut schedule = free();
        for (chat, seq) in [(1, 1), (1, 2), (2, 1)] {
            schedule.take(message(chat, seq, Urgency::Answer), at(0));
        }
        assert_eq!(going(&mut schedule, at(0)), [(1, 1), (2, 1)]);
        let later = Unsent { due_at: at(7_000).wall, ..message(1, 1, Urgency::Answer) };
        schedule.done(ConversationId(1), After::Again(Box::new(later), Span::millis(6_990), Why::Told), at(10));
        schedule.done(ConversationId(2), After::Over, at(10));
        schedule.take(message(1, 3, Urgency::Answer), at(20));
        schedule.take(message(2, 2, Urgency::Answer), at(20));
        assert_eq!(going(&mut schedule, at(6_999)), [(2, 2)]);
        assert_eq!(schedule.wakes_at(), Some(Moment(7_000)));
        assert_eq!(going(&mut schedule, at(7_000)), [(1, 1)]);
    }

    #[test]
    fn what_was_not_taken_goes_sooner_once_others_are_taken() {
        let mut schedule = free();
        for chat in 1..=20 {
            schedule.take(message(chat, 1, Urgency::Answer), at(0));
        }
        let not_taken = |schedule: &mut Schedule, chat: u128, why: Why, now: i64| {
            let again = Box::new(message(chat, 1, Urgency::Answer));
            schedule.done(ConversationId(chat), After::Again(again, Span::minutes(30), why), at(now));
        };
        for (chat, _) in going(&mut schedule, at(0)) {
            not_taken(&mut schedule, chat, Why::NotTaken, 1);
        }
        // One tries every five seconds.
        assert_eq!(schedule.wakes_at(), Some(at(5_001).tick));
        assert_eq!(going(&mut schedule, at(5_000)), []);
        assert_eq!(going(&mut schedule, at(5_001)), [(1, 1)]);
        not_taken(&mut schedule, 1, Why::NotTakenSooner, 5_002);
        assert_eq!(going(&mut schedule, at(10_001)), []);
        assert_eq!(going(&mut schedule, at(10_002)), [(2, 1)]);
        schedule.take(message(100, 1, Urgency::Answer), at(10_003));
        assert_eq!(going(&mut schedule, at(10_003)), [(100, 1)]);
        schedule.done(ConversationId(100), After::Sent, at(10_004));
        // Each that is taken lets two go: the first that failed first.
        assert_eq!(going(&mut schedule, at(10_005)), [(3, 1), (4, 1)]);
        schedule.done(ConversationId(3), After::Sent, at(10_006));
        assert_eq!(going(&mut schedule, at(10_007)), [(5, 1), (6, 1)]);
        // What fails before its time goes at its time, and not before it once more.
        for chat in [2, 5] {
            not_taken(&mut schedule, chat, Why::NotTakenSooner, 10_008);
        }
        for chat in [4, 6] {
            schedule.done(ConversationId(chat), After::Sent, at(10_009));
        }
        let mut gone: Vec<u128> = Vec::new();
        loop {
            let next = going(&mut schedule, at(10_010));
            if next.is_empty() {
                break;
            }
            for (chat, _) in next {
                gone.push(chat);
                schedule.done(ConversationId(chat), After::Sent, at(10_010));
            }
        }
        assert_eq!(gone, (7..=20).collect::<Vec<_>>());
        assert_eq!(going(&mut schedule, at(10_008 + 30 * 60_000)), [(1, 1), (2, 1), (5, 1)]);
    }

    #[test]
    fn what_an_earlier_run_tried_in_vain_goes_sooner_too_unless_it_was_told_to_wait() {
        let mut schedule = free();
        for chat in 1..=4 {
            let due_at = at(3_600_000).wall;
            let told = chat == 2;
            schedule.take(
                Unsent { attempts: 5, due_at, told, ..message(chat, 1, Urgency::News) },
                Now { wall: at(0).wall, ..at(0) },
            );
        }
        schedule.take(message(9, 1, Urgency::Answer), at(0));
        assert_eq!(going(&mut schedule, at(0)), [(9, 1)]);
        schedule.done(ConversationId(9), After::Sent, at(1));
        assert_eq!(going(&mut schedule, at(2)), [(1, 1), (3, 1)]);
        schedule.done(ConversationId(1), After::Sent, at(3));
        assert_eq!(going(&mut schedule, at(4)), [(4, 1)]);
        assert_eq!(going(&mut schedule, at(3_600_000)), [(2, 1)]);
    }

    #[test]
    fn three_that_are_told_to_wait_speak_for_all() {
        let mut schedule = free();
        for chat in 1..=6 {
            schedule.take(message(chat, 1, Urgency::Answer), at(0));
        }
        assert_eq!(going(&mut schedule, at(0)).len(), 6);
        let told = |schedule: &mut Schedule, chat: u128, seconds: i64, now: i64| {
            let again = Box::new(message(chat, 1, Urgency::Answer));
            schedule.done(ConversationId(chat), After::Again(again, Span::seconds(seconds), Why::Told), at(now));
        };
        // Two of them, again and again, are two.
        told(&mut schedule, 1, 6_775, 0);
        for now in [0, 1_000, 2_000] {
            told(&mut schedule, 2, 1, now);
            assert_eq!(going(&mut schedule, at(now + 1_000)), [(2, 1)]);
        }
        // One that is taken in between: it was those chats alone.
        schedule.done(ConversationId(3), After::Sent, at(3_000));
        told(&mut schedule, 4, 7, 3_000);
        told(&mut schedule, 5, 3, 3_000);
        schedule.take(message(7, 1, Urgency::Answer), at(3_100));
        assert_eq!(going(&mut schedule, at(3_100)), [(7, 1)]);
        told(&mut schedule, 6, 4, 3_100);
        schedule.take(message(8, 1, Urgency::Answer), at(3_200));
        assert_eq!(going(&mut schedule, at(5_900)), [], "all wait for the shortest of the three");
        assert_eq!(schedule.wakes_at(), Some(at(6_000).tick));
        assert_eq!(going(&mut schedule, at(6_000)), [(8, 1), (5, 1)]);
    }

    #[test]
    fn what_was_said_by_a_clock_that_was_ahead_goes_after_its_own_wait() {
        let mut schedule = free();
        let ahead = |millis: i64| Moment(at(millis).wall.0 + 30 * 24 * 3_600_000);
        let said = Unsent { said_at: ahead(0), due_at: ahead(2_000), ..message(1, 1, Urgency::Answer) };
        schedule.take(Unsent { expires_at: Some(ahead(10_000)), ..said.clone() }, at(0));
        assert_eq!(going(&mut schedule, at(1_999)), []);
        assert_eq!(going(&mut schedule, at(2_000)), [(1, 1)]);
        // It is worth as long as it was meant to be.
        let (said_at, expires_at) = (ahead(0), Some(ahead(10_000)));
        schedule.take(Unsent { said_at, due_at: said_at, expires_at, ..message(2, 1, Urgency::Answer) }, at(3_000));
        assert!(matches!(schedule.next(KIND, at(13_000)), Some(Next::Expired(_))));
    }

    #[test]
    fn what_is_urgent_overtakes_others_and_nothing_in_its_own_conversation() {
        let mut schedule = limited();
        for chat in 1..=4 {
            schedule.take(message(chat, 1, Urgency::Offer), at(0));
        }
        assert_eq!(going(&mut schedule, at(0)), [(1, 1), (2, 1)], "as much as the limits allow");
        schedule.take(message(5, 1, Urgency::News), at(1));
        schedule.take(message(4, 2, Urgency::Answer), at(1));
        schedule.take(message(6, 1, Urgency::Answer), at(2));
        for chat in [1, 2] {
            schedule.answered(KIND, ConversationId(chat), at(0).tick, at(50).tick);
        }
        assert_eq!(going(&mut schedule, at(50)), []);
        assert_eq!(schedule.wakes_at(), Some(Moment(1_051)));
        assert_eq!(going(&mut schedule, at(1_101)), [(4, 1), (6, 1)], "the offer with the answer behind it");
        for chat in [4, 6] {
            schedule.answered(KIND, ConversationId(chat), at(1_101).tick, at(1_101).tick);
        }
        for chat in [1, 2, 4, 6] {
            schedule.done(ConversationId(chat), After::Over, at(1_101));
        }
        assert_eq!(going(&mut schedule, at(2_500)), [(4, 2), (5, 1)]);
        assert_eq!(going(&mut schedule, at(5_000)), [(3, 1)]);
    }

    /// An offer with an answer behind it does not wait for the next offer's turn: its conversation is in a hurry.
    #[test]
    fn an_offer_that_an_answer_waits_behind_goes_at_once() {
        let mut schedule = limited_to(30);
        for chat in 1..=4 {
            schedule.take(message(chat, 1, Urgency::Offer), at(0));
        }
        assert_eq!(going(&mut schedule, at(0)), [(1, 1), (2, 1)], "two after a rest, and the next a little later");
        assert_eq!(schedule.wakes_at(), Some(Moment(36)));
        schedule.take(message(4, 2, Urgency::Answer), at(1));
        assert_eq!(going(&mut schedule, at(1)), [(4, 1)]);
        assert_eq!(going(&mut schedule, at(36)), [(3, 1)]);
    }

    #[test]
    fn what_expired_is_given_back_without_taking_room() {
        let mut schedule = limited();
        for chat in 1..=5 {
            let expires_at = (chat < 4).then_some(at(500).wall);
            schedule.take(Unsent { expires_at, ..message(chat, 1, Urgency::Answer) }, at(0));
        }
        let expired = (0..3).map(|_| schedule.next(KIND, at(500)));
        assert!(expired.into_iter().all(|next| matches!(next, Some(Next::Expired(_)))));
        assert_eq!(going(&mut schedule, at(500)), [(4, 1), (5, 1)]);
    }

    #[test]
    fn a_reading_brings_in_what_is_new_alone() {
        let mut schedule = free();
        schedule.take(message(1, 1, Urgency::Answer), at(0));
        schedule.take(message(2, 1, Urgency::Answer), at(0));
        assert_eq!(going(&mut schedule, at(0)), [(1, 1), (2, 1)]);
        schedule.reading();
        let read = || (1..=3).map(|chat| message(chat, 1, Urgency::Answer)).collect();
        // The first is marked while the reading is under way, the second is out still.
        schedule.done(ConversationId(1), After::Over, at(1));
        assert_eq!(schedule.read(read(), at(2)), 1);
        assert_eq!(going(&mut schedule, at(2)), [(3, 1)]);
        assert!(schedule.finished.is_empty(), "nothing is remembered without a reading");
        assert!(schedule.knows(ConversationId(2), 1) && !schedule.knows(ConversationId(1), 1));
        schedule.done(ConversationId(2), After::Over, at(3));
        // The staff sent the first again.
        schedule.reading();
        assert_eq!(schedule.read(vec![message(1, 1, Urgency::Answer)], at(4)), 1);
    }

    #[test]
    fn a_jump_of_the_wall_clock_moves_no_wait() {
        let mut schedule = free();
        schedule.take(message(1, 1, Urgency::Answer), at(0));
        assert_eq!(going(&mut schedule, at(0)), [(1, 1)]);
        let later = Unsent { due_at: at(5_000).wall, ..message(1, 1, Urgency::Answer) };
        schedule.done(ConversationId(1), After::Again(Box::new(later), Span::millis(5_000), Why::Told), at(0));
        let jumped = |tick| Now { tick: Moment(tick), wall: Moment(i64::MAX / 2) };
        assert_eq!(going(&mut schedule, jumped(4_999)), []);
        assert_eq!(going(&mut schedule, jumped(5_000)), [(1, 1)]);
        // Said while the clock was ten years ahead, and handed in when it was right again.
        let ahead = Moment(at(0).wall.0 + 315_360_000_000);
        let expires_at = Some(ahead.after(Span::hours(24)));
        schedule.take_new(Unsent { due_at: ahead, expires_at, ..message(2, 1, Urgency::Answer) }, at(5_001));
        assert_eq!(going(&mut schedule, at(5_001)), [(2, 1)]);
    }

    proptest! {
        /// Whatever comes in, in whatever order and however often, and whatever becomes of it: each message goes out
        /// until it is over, each conversation in its order, and in the end nothing is left.
        #[test]
        fn everything_goes_once_and_in_order(
            coming in vec((1..6_u128, 1..9_i64, 0..3_u8, 0..4_u8), 1..80),
        ) {
            let mut schedule = limited();
            let mut now = 0;
            let mut over: HashMap<u128, Vec<i64>> = HashMap::new();
            let mut wanted: HashMap<u128, HashSet<i64>> = HashMap::new();
            for (chat, seq, urgency, _) in &coming {
                let urgency = [Urgency::Answer, Urgency::News, Urgency::Offer][usize::from(*urgency)];
                wanted.entry(*chat).or_default().insert(*seq);
                schedule.take(message(*chat, *seq, urgency), at(0));
            }
            let mut faults = coming.iter().map(|(.., fault)| *fault);
            while !schedule.lanes.is_empty() {
                while let Some(Next::Send(message, _)) = schedule.next(KIND, at(now)) {
                    let id = message.conversation;
                    schedule.answered(KIND, id, Moment(now), Moment(now + 3));
                    if faults.next() == Some(0) {
                        let later = Unsent { due_at: at(now + 2_000).wall, ..message };
                        schedule.done(id, After::Again(Box::new(later), Span::millis(1_997), Why::Told), at(now + 3));
                    } else {
                        over.entry(id.0).or_default().push(message.seq);
                        schedule.done(id, After::Over, at(now + 3));
                    }
                }
                let Some(wakes) = schedule.wakes_at() else {
                    prop_assert!(schedule.lanes.is_empty(), "what waits has a time");
                    break;
                };
                prop_assert!(wakes > Moment(now), "it sleeps");
                now = wakes.0;
            }
            for (chat, seqs) in over {
                prop_assert!(seqs.is_sorted(), "{chat}: {seqs:?}");
                prop_assert_eq!(seqs.into_iter().collect::<HashSet<_>>(), wanted.remove(&chat).unwrap());
            }
            prop_assert!(wanted.is_empty());
        }
    }
}
