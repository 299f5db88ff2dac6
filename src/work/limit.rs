//! How many messages a vendor is given in a time. It counts in sliding windows: in any stretch of a rate's length no
//! more go out than the rate allows, at the vendor's end of the wire too.
//!
//! When a message reaches the vendor nobody here knows; it is some time after it set off and before its answer came. So
//! it counts until its window has passed since the answer, less what every answer takes: the quickest of late ones, but
//! for [`JITTER`]. A slow vendor is thus used as fully as a quick one, and one message that is late on its way breaks no
//! limit.
//!
//! What an earlier run sent last is in no memory and no table. A new limiter therefore takes every window for full: it
//! begins as if everything had gone out just before it, to everybody. That holds after a `kill -9` as well, and costs
//! one window once: a second for a person, three for a group.
//!
//! A window that a broadcast has filled in one burst would be shut to everybody for the rest of its time. Offers
//! therefore go out evenly, and a little slower than the window allows: who wrote meanwhile is answered at once, or at the
//! next place that gets free, and that is soon.
//!
//! Pure: the time is handed in, and never goes back.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use crate::{
    channel::{Limits, Peer, Rate},
    moment::{Moment, Span},
    store::Urgency,
};

/// What the way to a vendor may differ by from message to message without its being seen in the time that answers take.
/// It is what the limits lose to caution: 3 of 100 for a window of a second.
const JITTER: Span = Span::millis(30);

/// After this long without an answer a message is taken to have arrived, lest a call that hangs take up room.
const LONGEST_WAY: Span = Span::seconds(1);

/// Answers of which the quickest is looked for, twice: those of now and those before.
const LATE_ANSWERS: usize = 64;

/// How much of an account's limit offers use where nobody writes: with less, a broadcast takes longer than it has to,
/// with more, an answer has to wait for a place.
const FOR_OFFERS: f64 = 15.0 / 16.0;

/// The clock counts whole milliseconds: a moment may be one later than it is written.
const GRAIN: Span = Span::millis(1);

/// Chats from which on it is worth a look whether some can be forgotten.
const LEAST_FORGOTTEN: usize = 64;

/// Keeps a channel's limits; chats go by a key of the caller's.
pub(super) struct Limiter<K> {
    limits: Limits,
    begun: Moment,
    pace: Pace,
    account: Window,
    /// Before when no offer goes out, in microseconds: whole milliseconds between two are too coarse for a quick vendor.
    next_offer: i64,
    chats: HashMap<K, Chat>,
    /// How many chats there may be before the idle ones are forgotten.
    forget_at: usize,
}

/// Whether a message may set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// Yes, and it is counted.
    Now,
    /// Not to anybody, before this moment.
    Account(Moment),
    /// Not to this chat, before this moment.
    Chat(Moment),
}

struct Chat {
    rate: Rate,
    window: Window,
}

/// How quickly the vendor answers at its quickest. Nothing is assumed before there were enough answers.
#[derive(Default)]
struct Pace {
    before: Span,
    now: Option<Span>,
    answers: usize,
}

/// What counts at a moment.
#[derive(Default)]
struct Window {
    /// When those set off that are on their way, the oldest first.
    on_way: VecDeque<Moment>,
    /// When the others had arrived at the latest, the oldest first.
    arrived: VecDeque<Moment>,
}

impl<K: Copy + Eq + Hash> Limiter<K> {
    /// A limiter that takes everything for just sent.
    pub(super) fn new(limits: Limits, now: Moment) -> Limiter<K> {
        Limiter {
            limits,
            begun: now,
            pace: Pace::default(),
            account: Window::full(limits.account, now),
            next_offer: micros(now),
            chats: HashMap::new(),
            forget_at: LEAST_FORGOTTEN,
        }
    }

    /// Whether a message to a chat may set off; where it may, it has.
    pub(super) fn leave(&mut self, key: K, peer: &Peer, urgency: Urgency, now: Moment) -> Leave {
        let (limits, sure) = (&self.limits, self.pace.sure());
        let offer = urgency == Urgency::Offer;
        if offer && micros(now) < self.next_offer {
            return Leave::Account(Moment((self.next_offer + 999) / 1_000));
        }
        if let Some(at) = self.account.full_until(limits.account, sure, now) {
            return Leave::Account(at);
        }
        let rate = if (limits.is_group)(peer) { limits.group } else { limits.chat };
        let begun = self.begun;
        let chat = self.chats.entry(key).or_insert_with(|| Chat { rate, window: Window::full(rate, begun) });
        if let Some(at) = chat.window.full_until(rate, sure, now) {
            return Leave::Chat(at);
        }
        chat.window.on_way.push_back(now);
        self.account.on_way.push_back(now);
        if offer {
            let apart = apart(limits.account);
            // One that was late may be made up for, and no more.
            self.next_offer = self.next_offer.max(micros(now) - apart) + apart;
        }
        if self.chats.len() > self.forget_at {
            self.chats.retain(|_, chat| !chat.window.is_idle(chat.rate, sure, now));
            self.forget_at = LEAST_FORGOTTEN.max(2 * self.chats.len());
        }
        Leave::Now
    }

    /// The answer to a message that set off at `left` came at `at`.
    pub(super) fn answered(&mut self, key: K, left: Moment, at: Moment) {
        self.pace.note(at.since(left));
        let sure = self.pace.sure();
        self.account.arrive(left, at, sure);
        if let Some(chat) = self.chats.get_mut(&key) {
            chat.window.arrive(left, at, sure);
        }
    }
}

impl Pace {
    /// What every answer takes.
    fn sure(&self) -> Span {
        let least = self.now.map_or(self.before, |now| now.min(self.before));
        Span::millis((least.0 - JITTER.0).max(0))
    }

    fn note(&mut self, took: Span) {
        let least = self.now.map_or(took, |now| now.min(took));
        self.now = Some(least);
        self.answers += 1;
        if self.answers == LATE_ANSWERS {
            *self = Pace { before: least, ..Pace::default() };
        }
    }
}

impl Window {
    fn full(rate: Rate, at: Moment) -> Window {
        Window { on_way: VecDeque::new(), arrived: vec![at; rate.most].into() }
    }

    /// Until when there is no room in it at the most; `None` where there is some.
    fn full_until(&mut self, rate: Rate, sure: Span, now: Moment) -> Option<Moment> {
        self.settle(rate, sure, now);
        // The one that has to leave the window first.
        let place = (self.on_way.len() + self.arrived.len()).checked_sub(rate.most)?;
        if let Some(at) = self.arrived.get(place) {
            return Some(leaves(*at, rate));
        }
        let left = *self.on_way.get(place - self.arrived.len())?;
        let at = left.after(LONGEST_WAY);
        Some(leaves(arrival(left, at, sure), rate).max(at))
    }

    fn arrive(&mut self, left: Moment, at: Moment, sure: Span) {
        // One whose answer took too long counts as arrived already.
        let Ok(place) = self.on_way.binary_search(&left) else { return };
        self.on_way.remove(place);
        self.note(arrival(left, at, sure));
    }

    fn is_idle(&mut self, rate: Rate, sure: Span, now: Moment) -> bool {
        self.settle(rate, sure, now);
        self.on_way.is_empty() && self.arrived.is_empty()
    }

    fn settle(&mut self, rate: Rate, sure: Span, now: Moment) {
        while let Some(&left) = self.on_way.front().filter(|left| left.after(LONGEST_WAY) <= now) {
            self.on_way.pop_front();
            self.note(arrival(left, left.after(LONGEST_WAY), sure));
        }
        while self.arrived.front().is_some_and(|at| leaves(*at, rate) <= now) {
            self.arrived.pop_front();
        }
    }

    fn note(&mut self, at: Moment) {
        let place = self.arrived.partition_point(|other| *other <= at);
        self.arrived.insert(place, at);
    }
}

/// When a message that set off at `left` and was answered at `at` had arrived at the latest.
fn arrival(left: Moment, at: Moment, sure: Span) -> Moment {
    at.after(Span::millis(-sure.0)).max(left)
}

/// Microseconds between two offers.
fn apart(rate: Rate) -> i64 {
    (rate.within.0 as f64 * 1_000.0 / (rate.most as f64 * FOR_OFFERS)) as i64
}

fn micros(at: Moment) -> i64 {
    at.0 * 1_000
}

/// When a message that had arrived at a moment counts no longer.
fn leaves(at: Moment, rate: Rate) -> Moment {
    at.after(rate.within).after(GRAIN)
}

#[cfg(test)]
mod tests {
    use std::{cmp::Reverse, collections::BinaryHeap};

    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::channel::telegram;

    /// Groups with room for several, which the shipped ones have not.
    const LIMITS: Limits = Limits {
        account: Rate { most: 30, within: Span::seconds(1) },
        chat: Rate { most: 1, within: Span::seconds(1) },
        group: Rate { most: 20, within: Span::minutes(1) },
        is_group: |peer| peer.as_str().starts_with('-'),
    };

    /// As WhatsApp's: 80 messages a second for a business's number, and one in 6 s to each person
    /// (developers.facebook.com/docs/whatsapp/cloud-api/overview, "Throughput" and "Pair rate limits"). The burst that
    /// it lends on top is not used. It has no groups.
    const WHATSAPP: Limits = Limits {
        account: Rate { most: 80, within: Span::seconds(1) },
        chat: Rate { most: 1, within: Span::seconds(6) },
        group: Rate { most: 1, within: Span::seconds(6) },
        is_group: |_| false,
    };

    /// What has to be kept: Telegram's limits as they ship, and such as another messenger's.
    const VENDORS: [(&str, Limits); 2] = [("Telegram", telegram::LIMITS), ("WhatsApp", WHATSAPP)];

    /// A wait for an answer that nobody notices.
    const SOON: Span = Span::millis(250);

    /// Messages before which it is not known how long an answer takes at its quickest.
    const UNSURE: usize = 2 * LATE_ANSWERS;

    /// Windows over which it is counted how much of a limit is used.
    const WINDOWS: usize = 60;

    /// Which messages are held up: each seventh.
    const HELD_UP: usize = 7;

    /// How long messages to a vendor and their answers take.
    #[derive(Debug, Clone)]
    struct Ways {
        /// At their quickest, in milliseconds.
        there: i64,
        back: i64,
        /// What one after the other takes longer than that, there and back: together no more than [`JITTER`].
        longer: Vec<(i64, i64)>,
        /// By how much some are held up on their way there.
        held_up: i64,
    }

    impl Ways {
        fn any() -> impl Strategy<Value = Ways> {
            let half = JITTER.0 / 2;
            (1..=200_i64, 1..=200_i64, vec((0..=half, 0..=half), 20..60), 0..=100_i64)
                .prop_map(|(there, back, longer, held_up)| Ways { there, back, longer, held_up })
        }

        /// When the message of that number arrives that set off at `left`, and when its answer comes.
        fn take(&self, number: usize, left: Moment) -> (Moment, Moment) {
            let (there, back) = self.longer[number % self.longer.len()];
            let held_up = if number.is_multiple_of(HELD_UP) { self.held_up } else { 0 };
            let arrived = left.after(Span::millis(self.there + there + held_up));
            (arrived, arrived.after(Span::millis(self.back + back)))
        }
    }

    /// A message that went out.
    #[derive(Debug, Clone, Copy)]
    struct Gone {
        chat: i64,
        left: Moment,
        arrived: Moment,
    }

    /// The first messages of a backlog to these chats that never ends.
    fn backlog(limits: Limits, chats: std::ops::Range<i64>, ways: &Ways, count: usize) -> Vec<Gone> {
        let (mut limiter, mut now) = (rested(limits), Moment(0));
        let mut ready: BinaryHeap<Reverse<(Moment, i64)>> = chats.map(|chat| Reverse((Moment(0), chat))).collect();
        let mut answers: BinaryHeap<Reverse<(Moment, i64, Moment)>> = BinaryHeap::new();
        let mut gone = Vec::with_capacity(count);
        while gone.len() < count {
            while let Some(Reverse((at, chat, left))) = answers.peek().copied().filter(|Reverse((at, ..))| *at <= now) {
                answers.pop();
                limiter.answered(chat, left, at);
                ready.push(Reverse((at, chat)));
            }
            let answer = answers.peek().map(|Reverse((at, ..))| *at);
            let due = ready.peek().map(|Reverse((due, _))| *due);
            if due.is_none_or(|due| due > now) {
                now = due.into_iter().chain(answer).min().expect("a chat is ready, or waits for its answer");
                continue;
            }
            let Some(Reverse((_, chat))) = ready.pop() else { continue };
            match limiter.leave(chat, &peer(chat), Urgency::Answer, now) {
                Leave::Now => {
                    let (arrived, answered) = ways.take(gone.len(), now);
                    gone.push(Gone { chat, left: now, arrived });
                    answers.push(Reverse((answered, chat, now)));
                }
                Leave::Chat(at) => ready.push(Reverse((at, chat))),
                Leave::Account(at) => {
                    ready.push(Reverse((now, chat)));
                    now = answer.map_or(at, |answer| answer.min(at));
                }
            }
        }
        gone
    }

    /// Whether no stretch of a rate's length holds more than it allows, in all and to each chat.
    fn are_kept(limits: &Limits, mut arrived: Vec<(Moment, i64)>) -> bool {
        arrived.sort();
        let within = |of: &[Moment], rate: Rate| {
            of.windows(rate.most + 1).all(|pair| pair[rate.most].since(pair[0]) >= rate.within)
        };
        let mut chats: HashMap<i64, Vec<Moment>> = HashMap::new();
        for (at, chat) in &arrived {
            chats.entry(*chat).or_default().push(*at);
        }
        let rate = |chat: i64| if (limits.is_group)(&peer(chat)) { limits.group } else { limits.chat };
        let all: Vec<Moment> = arrived.iter().map(|(at, _)| *at).collect();
        within(&all, limits.account) && chats.iter().all(|(chat, of)| within(of, rate(*chat)))
    }

    fn peer(chat: i64) -> Peer {
        Peer::new(chat.to_string()).unwrap()
    }

    /// A limiter whose begin is long ago at moment 0.
    fn rested(limits: Limits) -> Limiter<i64> {
        Limiter::new(limits, Moment(-600_000))
    }

    #[test]
    fn a_backlog_uses_at_least_nine_tenths_and_never_more_than_all() {
        for way in [1, 20, 80, 150, 400, 1_500] {
            let (mut limiter, mut now) = (rested(LIMITS), Moment(0));
            let (mut gone, mut answers) = (Vec::new(), VecDeque::new());
            while now < Moment(30_000) {
                while answers.front().is_some_and(|(_, _, at)| *at <= now) {
                    let (chat, left, at) = answers.pop_front().unwrap();
                    limiter.answered(chat, left, at);
                }
                let chat = gone.len() as i64;
                match limiter.leave(chat, &peer(chat), Urgency::Answer, now) {
                    Leave::Now => {
                        gone.push(now);
                        answers.push_back((chat, now, now.after(Span::millis(way))));
                    }
                    Leave::Account(_) => now = now.after(GRAIN),
                    Leave::Chat(_) => unreachable!("each chat has one"),
                }
            }
            assert!(gone.windows(31).all(|pair| pair[30].since(pair[0]) >= Span::seconds(1)), "at {way} ms");
            // Once it is known how long an answer takes.
            let late = gone.iter().filter(|at| **at >= Moment(10_000)).count();
            assert!(late >= 20 * 27, "{late} in 20 s at {way} ms");
        }
    }

    /// Beside a broadcast without end somebody writes now and then, and in between three at once.
    #[test]
    fn who_writes_beside_offers_is_answered_soon_and_the_limit_is_used() {
        let beside = |limits: Limits, way: i64| {
            let (mut limiter, mut arrived, mut longest) = (rested(limits), Vec::new(), Span::millis(0));
            let (mut answers, mut waiting) = (VecDeque::new(), VecDeque::new());
            for now in (0..60_000).map(Moment) {
                while answers.front().is_some_and(|(_, _, at)| *at <= now) {
                    let (chat, left, at) = answers.pop_front().unwrap();
                    limiter.answered(chat, left, at);
                }
                let writing = [(397, 1), (1_999, 3)].map(|(every, many)| if now.0 % every == 0 { many } else { 0 });
                waiting.extend(std::iter::repeat_n(now, writing.iter().sum()));
                loop {
                    let urgency = if waiting.is_empty() { Urgency::Offer } else { Urgency::Answer };
                    let chat = arrived.len() as i64;
                    if limiter.leave(chat, &peer(chat), urgency, now) != Leave::Now {
                        break;
                    }
                    if let Some(wrote) = waiting.pop_front() {
                        longest = longest.max(if now < Moment(10_000) { longest } else { now.since(wrote) });
                    }
                    arrived.push((now.after(Span::millis(way / 2)), chat));
                    answers.push_back((chat, now, now.after(Span::millis(way))));
                }
            }
            (arrived, longest)
        };
        for (vendor, limits) in VENDORS {
            for way in [1, 20, 80, 150, 400] {
                let (arrived, longest) = beside(limits, way);
                let late = arrived.iter().filter(|(at, _)| at.0 >= 40_000).count();
                let used = late as f64 / (20 * limits.account.most) as f64;
                assert!(used >= 0.9, "{vendor}: {used} at {way} ms");
                assert!(longest <= SOON, "{vendor}: {longest:?} at {way} ms");
                assert!(are_kept(&limits, arrived), "{vendor} at {way} ms");
            }
        }
    }

    #[test]
    fn what_is_late_on_its_way_counts_for_longer() {
        let mut limiter = rested(LIMITS);
        // Two hundred times it took 50 ms, then 400.
        for chat in 0..200 {
            let at = Moment(chat * 100);
            assert_eq!(limiter.leave(chat, &peer(chat), Urgency::Answer, at), Leave::Now);
            limiter.answered(chat, at, at.after(Span::millis(50)));
        }
        assert_eq!(limiter.leave(1, &peer(1), Urgency::Answer, Moment(30_000)), Leave::Now);
        limiter.answered(1, Moment(30_000), Moment(30_400));
        assert_eq!(
            limiter.leave(1, &peer(1), Urgency::Answer, Moment(30_500)),
            Leave::Chat(Moment(31_381)),
            "50 less 30 are sure"
        );
    }

    #[test]
    fn a_new_one_takes_every_window_for_full() {
        let mut limiter = Limiter::new(LIMITS, Moment(0));
        assert_eq!(limiter.leave(1, &peer(1), Urgency::Answer, Moment(500)), Leave::Account(Moment(1_001)));
        assert_eq!(limiter.leave(1, &peer(1), Urgency::Answer, Moment(1_001)), Leave::Now);
        assert_eq!(
            limiter.leave(-1, &peer(-1), Urgency::Answer, Moment(1_001)),
            Leave::Chat(Moment(60_001)),
            "a group of a minute"
        );
        assert_eq!(limiter.leave(-1, &peer(-1), Urgency::Answer, Moment(60_001)), Leave::Now);
    }

    #[test]
    fn a_chat_waits_for_itself_alone_and_a_group_has_its_own_rate() {
        let mut limiter = rested(LIMITS);
        assert_eq!(limiter.leave(1, &peer(1), Urgency::Answer, Moment(0)), Leave::Now);
        assert_eq!(
            limiter.leave(1, &peer(1), Urgency::Answer, Moment(1)),
            Leave::Chat(Moment(2_001)),
            "it may be on its way for long"
        );
        limiter.answered(1, Moment(0), Moment(5));
        assert_eq!(limiter.leave(1, &peer(1), Urgency::Answer, Moment(6)), Leave::Chat(Moment(1_006)));
        assert_eq!(limiter.leave(2, &peer(2), Urgency::Answer, Moment(6)), Leave::Now);
        assert_eq!(limiter.leave(1, &peer(1), Urgency::Answer, Moment(1_006)), Leave::Now);
        for _ in 0..20 {
            assert_eq!(limiter.leave(-7, &peer(-7), Urgency::Answer, Moment(4_000)), Leave::Now);
        }
        assert_eq!(limiter.leave(-7, &peer(-7), Urgency::Answer, Moment(6_200)), Leave::Chat(Moment(65_001)));
    }

    #[test]
    fn idle_chats_are_forgotten() {
        let (mut limiter, mut now) = (rested(LIMITS), Moment(0));
        for chat in 0..10_000 {
            while let Leave::Account(at) = limiter.leave(chat, &peer(chat), Urgency::Answer, now) {
                now = at;
            }
            limiter.answered(chat, now, now);
            assert!(limiter.chats.len() <= 2 * LEAST_FORGOTTEN, "{}", limiter.chats.len());
        }
    }

    proptest! {
        /// Whatever is asked for and however long each message is on its way, as long as it is no longer than allowed:
        /// in no window more arrive than the rate says.
        #[test]
        fn no_window_ever_holds_too_many(
            asked in vec(
                (
                    prop_oneof![0..8_i64, 0..400_i64],
                    prop_oneof![9 => 0..=25_i64, 1 => 0..=2_000_i64],
                    0..=100_i64,
                ),
                1..600,
            ),
        ) {
            for (vendor, limits) in VENDORS {
                let (mut limiter, mut now) = (rested(limits), Moment(0));
                let mut answers: Vec<(Moment, i64, Moment)> = Vec::new();
                let mut arrived: Vec<(Moment, i64)> = Vec::new();
                for &(chat, pause, way) in &asked {
                    now = now.after(Span::millis(pause));
                    answers.sort();
                    while answers.first().is_some_and(|(at, ..)| *at <= now) {
                        let (at, chat, left) = answers.remove(0);
                        limiter.answered(chat, left, at);
                    }
                    // A fifth are groups.
                    let chat = if chat % 5 == 0 { -chat - 1 } else { chat };
                    let urgency = [Urgency::Answer, Urgency::Offer][usize::from(way % 3 == 0)];
                    match limiter.leave(chat, &peer(chat), urgency, now) {
                        Leave::Now => {
                            // It arrives anywhere between, here half-way; the answer comes back the same way.
                            arrived.push((now.after(Span::millis(way / 2)), chat));
                            answers.push((now.after(Span::millis(way)), chat, now));
                        }
                        Leave::Account(at) | Leave::Chat(at) => prop_assert!(at > now, "a wait goes forward"),
                    }
                }
                prop_assert!(are_kept(&limits, arrived), "{}", vendor);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// However long the way to a vendor is, and however it varies: where enough waits, nine tenths of each limit
        /// are used, and never more than all of one.
        #[test]
        fn a_backlog_uses_nine_tenths_of_each_limit(ways in Ways::any()) {
            for (vendor, limits) in VENDORS {
                // Three times as many people as could use up what the account may send.
                let most = i64::try_from(limits.account.most).unwrap();
                let people = 3 * most * limits.chat.within.0 / limits.account.within.0;
                for (what, rate, chats) in [
                    ("account", limits.account, 1..people + 1),
                    ("person", limits.chat, 1..2),
                    ("group", limits.group, -1..0),
                ] {
                    let gone = backlog(limits, chats, &ways, UNSURE + (WINDOWS + 10) * rate.most);
                    let arrived = gone.iter().map(|gone| (gone.arrived, gone.chat)).collect();
                    prop_assert!(are_kept(&limits, arrived), "{}: more than the {} may", vendor, what);
                    let begun = gone[UNSURE].left;
                    let over = begun.after(Span::millis(rate.within.0 * WINDOWS as i64));
                    let used = gone.iter().filter(|gone| (begun..over).contains(&gone.left)).count();
                    let most = WINDOWS * rate.most;
                    prop_assert!(10 * used >= 9 * most, "{}, {}: {} of {}", vendor, what, used, most);
                }
            }
        }
    }
}
