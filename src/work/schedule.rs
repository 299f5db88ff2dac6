//! Which message goes next. It holds everything that waits for a vendor, and decides; [`super::send`] does.
//!
//! - The messages of a conversation go in order, one at a time: the next only when what became of the one before is on
//!   record.
//! - Where a vendor's limits hold things back the more urgent goes first, over all conversations, and of the equally
//!   urgent what is due longest. A conversation is as urgent as the most urgent message in it, as that one can't
//!   overtake those before it.
//! - A message is here once, however often it is handed in.
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
    Send(Unsent),
    /// Note that it is too late for it.
    Expired(Unsent),
}

/// What became of a message that [`Schedule::next`] gave out.
#[derive(Debug)]
pub enum After {
    /// It is finished.
    Over,
    /// It is tried again after so long, whatever the wall clock says until then.
    Again(Box<Unsent>, Span),
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
}

/// A conversation.
struct Lane {
    road: usize,
    /// By their places in the conversation.
    waiting: VecDeque<Waiting>,
    place: Place,
}

struct Waiting {
    due: Moment,
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
    fn tick_at(self, wall: Moment) -> Moment {
        self.tick.after(wall.since(self.wall))
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
        let new = || Lane { road, waiting: VecDeque::with_capacity(1), place: Place::Nowhere };
        let lane = self.lanes.entry(id).or_insert_with(new);
        let at = lane.waiting.partition_point(|waiting| waiting.message.seq < message.seq);
        let here = lane.waiting.get(at).is_some_and(|waiting| waiting.message.seq == message.seq);
        if here || lane.place == Place::Out(message.seq) {
            return false;
        }
        let due = now.tick_at(message.due_at);
        lane.waiting.insert(at, Waiting { due, expires: message.expires_at.map(|at| now.tick_at(at)), message });
        self.place(id, now.tick);
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
        let road = self.roads.iter_mut().find(|road| road.kind == kind)?;
        road.held = None;
        loop {
            let (&turn, &id) = road.ready.first_key_value()?;
            let lane = self.lanes.get_mut(&id)?;
            let head = lane.waiting.front()?;
            let expired = head.expires.is_some_and(|expires| expires <= now);
            // What is too late needs no room at the vendor's.
            if let Some(limiter) = road.limiter.as_mut().filter(|_| !expired) {
                match limiter.leave(id, &head.message.peer, now) {
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
            let message = lane.waiting.pop_front()?.message;
            lane.place = Place::Out(message.seq);
            return Some(if expired { Next::Expired(message) } else { Next::Send(message) });
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
        match after {
            After::Over => {}
            After::Again(message, wait) => {
                let due = now.tick.after(wait);
                let expires = message.expires_at.map(|at| due.after(at.since(message.due_at)));
                lane.waiting.push_front(Waiting { due, expires, message: *message });
            }
            After::AllOver => {
                if self.readings > 0 {
                    self.finished.extend(lane.waiting.iter().map(|waiting| (id, waiting.message.seq)));
                }
                lane.waiting.clear();
            }
        }
        self.place(id, now.tick);
    }

    /// When there may be something to do without anything having happened.
    pub fn wakes_at(&self) -> Option<Moment> {
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        self.roads.iter().filter_map(|road| road.held).chain(timer).min()
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
            due_at: at(0).wall,
            urgency,
            expires_at: None,
        }
    }

    fn free() -> Schedule {
        Schedule::new([(KIND, None)], at(0))
    }

    fn limited() -> Schedule {
        let rate = |most| Rate { most, within: Span::seconds(1) };
        let limits = Limits { account: rate(2), chat: rate(1), group: rate(1), is_group: |_| false };
        Schedule::new([(KIND, Some(limits))], Now { tick: Moment(-60_000), wall: Moment(0) })
    }

    /// The conversations and places of all that may go.
    fn going(schedule: &mut Schedule, now: Now) -> Vec<(u128, i64)> {
        std::iter::from_fn(|| schedule.next(KIND, now))
            .map(|next| match next {
                Next::Send(message) => (message.conversation.0, message.seq),
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
        schedule.done(ConversationId(1), After::Again(Box::new(later), Span::millis(6_990)), at(10));
        schedule.done(ConversationId(2), After::Over, at(10));
        schedule.take(message(1, 3, Urgency::Answer), at(20));
        schedule.take(message(2, 2, Urgency::Answer), at(20));
        assert_eq!(going(&mut schedule, at(6_999)), [(2, 2)]);
        assert_eq!(schedule.wakes_at(), Some(Moment(7_000)));
        assert_eq!(going(&mut schedule, at(7_000)), [(1, 1)]);
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
        schedule.done(ConversationId(1), After::Again(Box::new(later), Span::millis(5_000)), at(0));
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
                while let Some(Next::Send(message)) = schedule.next(KIND, at(now)) {
                    let id = message.conversation;
                    schedule.answered(KIND, id, Moment(now), Moment(now + 3));
                    if faults.next() == Some(0) {
                        let later = Unsent { due_at: at(now + 2_000).wall, ..message };
                        schedule.done(id, After::Again(Box::new(later), Span::millis(1_997)), at(now + 3));
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
