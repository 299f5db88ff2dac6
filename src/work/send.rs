//! The outbox's way to the vendors. One task keeps the [`Schedule`] of what waits and gives each message that may go to
//! a task of its own, which hands it to the vendor and has what became of it written down by the writer: what a vendor
//! took is over; what it refuses for now is tried again, later each time; what it will never take stays in the outbox
//! with its fault, for the staff to see and to send again.
//!
//! The outbox is the truth, the schedule a copy. At the start all of it is read, and nothing goes out before; later what
//! is due is looked for every few seconds, so that a message which nobody handed in (another process wrote it, or the
//! answer to its commit was lost) goes out all the same.
//!
//! The end waits for what is on the wire, so that an orderly one doubles nothing. Known races:
//! - Between a vendor's answer and the commit of the mark a crash makes the next start send once more. No vendor here
//!   takes a key that would prevent it. `usual_outbox_unmarked` is how many messages are in that window now;
//!   `usual_outbox_repeats` is what a start can say of the last end: the first waiting message of each conversation,
//!   where it was due. At most that one can have been taken, so it is an upper bound.
//! - Where a message that nobody handed in is found only after a later one of its conversation has gone, it goes out of
//!   order. A commit whose answer was lost leaves such messages, and the next one is not handed in either
//!   ([`super::unconfirmed`]); another process would have to die between its commit and the word of it.

use std::{
    collections::{HashMap, hash_map::Entry},
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use rand::Rng as _;
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};
use tracing::Instrument as _;

use super::{
    Work, now,
    schedule::{After, Given, Next, Now, Schedule, Why},
    trace::{self, Origin},
    turn::Job,
};
use crate::{
    channel::{Channel, ChannelKind, Fault, Leave, Peer},
    failpoint::Failpoint,
    id::{ConversationId, MerchantId},
    moment::{Moment, Span},
    store::{ASKED_TO_WAIT, Due, Lease, Store, StoreError, Unsent, Urgency},
};

/// Messages of one channel on the wire at once: enough to keep a vendor busy, few enough to know what was in flight.
const MOST_IN_FLIGHT: usize = 64;

/// Waits between tries: ten more after the first, over about three days, as long as news of an order can matter to
/// anybody.
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

/// A wait is this much longer or shorter by chance, so that what failed together is not tried together.
const JITTER: f64 = 0.2;

/// How long an answer is worth sending. Who asked yesterday has eaten; what it says of times and prices is no longer so.
const ANSWER_LIFE: Span = Span::hours(24);

/// How long before its end a message is tried for the last time: it has to be in time still when its turn comes.
const LAST_TRY: Span = Span::seconds(10);

/// What a wait is longer by, as both clocks count whole milliseconds: never a moment sooner than the vendor said.
const GRAIN: Span = Span::millis(2);

/// When a mark that could not be stored is tried again.
const MARK_AGAIN: Span = Span::seconds(1);

/// When an outbox that could not be read at the start is read again.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// How often messages are looked for that nobody handed in. It is for rare accidents, and costs one short query.
const SWEEP_EVERY: Duration = Duration::from_secs(3);

/// Messages that one such look finds at most; the next goes on behind them.
const MOST_SWEPT: i64 = 1_000;

/// Things that are handed in and taken at once, before anything else is looked at.
const MOST_AT_ONCE: usize = 256;

/// How soon the schedule is looked at again where nothing happens meanwhile.
const SOONEST: Duration = Duration::from_millis(1);

/// What became of a message.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    /// The vendor took it.
    Sent,
    /// It is tried again at its `due_at`; the fault.
    Later { fault: String, wait: Span, why: Why },
    /// It will never go out; the fault, and whether nothing else to this customer will.
    Failed(String, bool),
}

/// What is handed in.
pub(super) enum Handed {
    /// By the writer: messages that were committed, and whence they come, where traces are wanted.
    Messages(Vec<Unsent>, Vec<((ConversationId, i64), Origin)>),
    /// By the writer: a conversation has messages in the outbox that are to be looked for.
    Look(MerchantId, ConversationId),
    /// By the writer: somebody's words wait for their other half; they are shown that they were seen.
    Typing(ChannelKind, Peer),
    /// By a message's own task: the vendor answered, and there is room on the wire again.
    Answered { kind: ChannelKind, id: ConversationId, left: Moment, at: Moment },
    /// By a task that was started while this process sent for the so-manieth time, and means nothing once it does no
    /// longer.
    Within(u64, Told),
}

/// What the sender's own tasks tell it.
pub(super) enum Told {
    /// What became of a message is on record.
    Done(ConversationId, After),
    /// What was read from the outbox, of these conversations.
    Read(Vec<(MerchantId, ConversationId)>, Vec<Unsent>),
    /// All that an earlier run left.
    Left(Vec<Unsent>),
    /// What is due of a channel, found by a look around.
    Due(ChannelKind, Vec<Due>),
}

/// Where it is handed in.
pub(super) type Post = mpsc::UnboundedSender<Handed>;

/// A channel, as long as the program runs.
struct Road {
    channel: Arc<dyn Channel>,
    limited: bool,
    on_wire: Arc<AtomicUsize>,
    /// Up to where the last look around came.
    swept: Option<Due>,
    sweeping: bool,
}

/// How the sender's own tasks reach it.
struct Teller {
    post: Post,
    epoch: u64,
}

/// A clock that never jumps, in the wall clock's terms at its start.
#[derive(Clone, Copy)]
struct Ticker {
    begun: Moment,
    since: Instant,
}

/// How a message stands when its vendor has answered, by the clock that never jumps.
#[derive(Clone, Copy)]
struct Outlook {
    /// How much sooner than planned it was tried.
    sooner: Span,
    /// For how long it is worth sending.
    left: Option<Span>,
}

/// The task that gives messages out.
struct Sender {
    work: Work,
    roads: Vec<Road>,
    schedule: Schedule,
    ticker: Ticker,
    post: Post,
    /// The right to send, while this process has it, and how often it got it.
    lease: Option<Arc<Lease>>,
    epoch: u64,
    /// Whether everything that an earlier run left is here.
    complete: bool,
    /// Conversations of which all that waits is being read, and whether it is to be read once more.
    looking: HashMap<ConversationId, bool>,
    /// Whence messages come that are not yet sent.
    origins: HashMap<(ConversationId, i64), Origin>,
}

/// From when on a message that is put into the outbox now is not tried any more. News of an order matter until the
/// tries are used up.
pub(super) fn expiry(urgency: Urgency, now: Moment) -> Option<Moment> {
    match urgency {
        Urgency::Answer => Some(now.after(ANSWER_LIFE)),
        Urgency::News | Urgency::Offer => None,
    }
}

/// Starts the sending, with what an earlier run left unsent.
pub(super) fn start(work: &Work, channels: Vec<Arc<dyn Channel>>) -> Post {
    // Unbounded, as the writer must never wait for a vendor; what is in it is in the outbox as well.
    let (post, handed_in) = mpsc::unbounded_channel();
    let ticker = Ticker { begun: now(), since: Instant::now() };
    let road = |channel: Arc<dyn Channel>| Road {
        limited: channel.limits().is_some(),
        channel,
        on_wire: Arc::default(),
        swept: None,
        sweeping: false,
    };
    let sender = Sender {
        work: work.clone(),
        roads: channels.into_iter().map(road).collect(),
        schedule: Schedule::new([], ticker.now()),
        ticker,
        post: post.clone(),
        lease: None,
        epoch: 0,
        complete: false,
        looking: HashMap::new(),
        origins: HashMap::new(),
    };
    tokio::spawn(sender.run(handed_in));
    post
}

impl Ticker {
    fn now(self) -> Now {
        Now { tick: self.tick(), wall: now() }
    }

    fn tick(self) -> Moment {
        let passed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.begun.after(Span::millis(passed))
    }

    fn instant_of(self, tick: Moment) -> tokio::time::Instant {
        (self.since + tick.since(self.begun).to_duration()).into()
    }
}

impl Outlook {
    fn of(given: Given, ticker: Ticker) -> Outlook {
        let now = ticker.tick();
        let sooner = given.planned.since(now).max(Span::millis(0));
        Outlook { sooner, left: given.expires.map(|expires| expires.since(now)) }
    }
}

impl Teller {
    fn of(&self, told: Told) {
        // The sender is gone only where the program is stopping.
        let _ = self.post.send(Handed::Within(self.epoch, told));
    }
}

impl Sender {
    async fn run(mut self, mut handed_in: mpsc::UnboundedReceiver<Handed>) {
        let closing = self.work.inner.closing.clone();
        let mut lead = self.work.inner.lead.subscribe();
        lead.mark_changed();
        let mut sweeps = tokio::time::interval(SWEEP_EVERY);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut handed = Vec::with_capacity(MOST_AT_ONCE);
        loop {
            self.give_out();
            let wakes = self.schedule.wakes_at().filter(|_| self.complete).map(|at| self.ticker.instant_of(at));
            // What is due and did not go finds no room on the wire, and an answer makes that.
            let wakes = wakes.map(|at| at.max(tokio::time::Instant::now() + SOONEST));
            tokio::select! {
                biased;
                () = closing.cancelled() => return,
                Ok(()) = lead.changed() => {
                    let lease = lead.borrow_and_update().clone();
                    self.turn_to(lease);
                }
                _ = sweeps.tick() => self.sweep(),
                _ = handed_in.recv_many(&mut handed, MOST_AT_ONCE) => {
                    let now = self.ticker.now();
                    for one in handed.drain(..) {
                        self.take(one, now);
                    }
                }
                () = sleep_until(wakes), if wakes.is_some() => {}
            }
        }
    }

    /// Begins anew where this process may send now, and forgets everything where it may no longer: the outbox has it.
    fn turn_to(&mut self, lease: Option<Arc<Lease>>) {
        let limits = self.roads.iter().map(|road| (road.channel.kind(), road.channel.limits()));
        self.schedule = Schedule::new(limits, self.ticker.now());
        self.epoch += 1;
        self.complete = false;
        self.looking.clear();
        self.origins.clear();
        for road in &mut self.roads {
            (road.swept, road.sweeping) = (None, false);
        }
        self.lease = lease;
        if self.lease.is_some() && !self.roads.is_empty() {
            tokio::spawn(read_all(self.work.clone(), self.teller()));
        }
    }

    fn teller(&self) -> Teller {
        Teller { post: self.post.clone(), epoch: self.epoch }
    }

    /// Gives out what may go now.
    fn give_out(&mut self) {
        let Some(lease) = self.lease.clone().filter(|lease| self.complete && lease.lasts()) else { return };
        for road in &self.roads {
            while road.on_wire.load(Ordering::Acquire) < MOST_IN_FLIGHT {
                let now = self.ticker.now();
                match self.schedule.next(road.channel.kind(), now) {
                    Some(Next::Send(message, given)) => {
                        let origin = self.origins.remove(&(message.conversation, message.seq));
                        self.send(road, (message, given), origin, &lease, now.tick);
                    }
                    Some(Next::Expired(message)) => self.expire(message, &lease),
                    None => break,
                }
            }
        }
    }

    fn send(
        &self,
        road: &Road,
        (message, given): (Unsent, Given),
        origin: Option<Origin>,
        lease: &Arc<Lease>,
        left: Moment,
    ) {
        road.on_wire.fetch_add(1, Ordering::AcqRel);
        let (work, tell, lease, ticker) = (self.work.clone(), self.teller(), lease.clone(), self.ticker);
        let (channel, on_wire, limited) = (road.channel.clone(), road.on_wire.clone(), road.limited);
        let (kind, id) = (message.channel, message.conversation);
        self.work.inner.sending.spawn(async move {
            let answer = if lease.lasts() {
                Some(hand_over(&work, channel.as_ref(), &message, &lease, origin).await)
            } else {
                None
            };
            let full = on_wire.fetch_sub(1, Ordering::AcqRel) >= MOST_IN_FLIGHT;
            if limited || full {
                // The sender is gone only where the program is stopping; so for what follows.
                let _ = tell.post.send(Handed::Answered { kind, id, left, at: ticker.tick() });
            }
            let after = match answer {
                Some(answer) => settle(&work, message, Outlook::of(given, ticker), &lease, answer).await,
                // Another replica sends it.
                None => After::Over,
            };
            tell.of(Told::Done(id, after));
        });
    }

    fn expire(&self, message: Unsent, lease: &Arc<Lease>) {
        let (work, tell, id, lease) = (self.work.clone(), self.teller(), message.conversation, lease.clone());
        self.work.inner.sending.spawn(async move {
            let why = "it could not be delivered for a day".to_owned();
            let after = record(&work, message, &lease, Fate::Failed(why, false)).await;
            tell.of(Told::Done(id, after));
        });
    }

    fn take(&mut self, handed: Handed, now: Now) {
        match handed {
            // What others are to send is found by them in the outbox.
            Handed::Messages(..) | Handed::Look(..) if self.lease.is_none() => {}
            Handed::Messages(messages, origins) => {
                self.origins.extend(origins);
                for message in messages {
                    // What waits before it is being looked for.
                    match self.looking.get_mut(&message.conversation) {
                        Some(again) => *again = true,
                        None => {
                            self.schedule.take_new(message, now);
                        }
                    }
                }
            }
            Handed::Look(merchant, id) => self.look(vec![(merchant, id)]),
            Handed::Typing(kind, peer) => {
                if let Some(road) = self.roads.iter().find(|road| road.channel.kind() == kind) {
                    let channel = road.channel.clone();
                    tokio::spawn(async move { channel.typing(&peer).await });
                }
            }
            Handed::Answered { kind, id, left, at } => self.schedule.answered(kind, id, left, at),
            Handed::Within(epoch, told) if epoch == self.epoch => self.hear(told, now),
            Handed::Within(..) => {}
        }
    }

    fn hear(&mut self, told: Told, now: Now) {
        match told {
            Told::Done(id, after) => self.schedule.done(id, after, now),
            Told::Read(conversations, messages) => {
                let taken = self.schedule.read(messages, now);
                if taken > 0 {
                    tracing::info!(messages = taken, "messages that waited in the outbox are taken up");
                }
                let again = |(_, id): &(MerchantId, ConversationId)| self.looking.remove(id).unwrap_or_default();
                let again: Vec<_> = conversations.into_iter().filter(again).collect();
                self.look(again);
            }
            Told::Left(messages) => self.begin(messages, now),
            Told::Due(kind, due) => self.swept(kind, due),
        }
    }

    /// Takes up what an earlier run left, and begins.
    fn begin(&mut self, left: Vec<Unsent>, now: Now) {
        let served = |message: &&Unsent| self.roads.iter().any(|road| road.channel.kind() == message.channel);
        let (mut messages, mut repeats, mut before) = (0_u64, 0_u64, None);
        for message in left.iter().filter(served) {
            messages += 1;
            let first = before.replace(message.conversation) != Some(message.conversation);
            repeats += u64::from(first && message.due_at <= now.wall);
        }
        if messages > 0 {
            tracing::info!(
                messages,
                repeats,
                "messages that an earlier run left are sent now; so many at the most had been taken already"
            );
            self.work.inner.meter.repeated(repeats);
        }
        for message in left {
            self.schedule.take(message, now);
        }
        self.complete = true;
        Failpoint::OutboxRead.pass();
    }

    /// Looks for messages that are due, for each channel behind where the last look ended.
    fn sweep(&mut self) {
        if !self.complete {
            return;
        }
        for road in self.roads.iter_mut().filter(|road| !road.sweeping) {
            road.sweeping = true;
            let tell = Teller { post: self.post.clone(), epoch: self.epoch };
            let (work, kind) = (self.work.clone(), road.channel.kind());
            let after = road.swept.take();
            tokio::spawn(async move {
                let due = work.store().due(kind, now(), after.as_ref(), MOST_SWEPT).await.unwrap_or_else(|fault| {
                    tracing::warn!(%fault, "looking for messages that are due failed");
                    Vec::new()
                });
                tell.of(Told::Due(kind, due));
            });
        }
    }

    fn swept(&mut self, kind: ChannelKind, due: Vec<Due>) {
        let full = i64::try_from(due.len()).is_ok_and(|len| len >= MOST_SWEPT);
        if let Some(road) = self.roads.iter_mut().find(|road| road.channel.kind() == kind) {
            road.swept = due.last().filter(|_| full).cloned();
            road.sweeping = false;
        }
        let mut unknown: Vec<(MerchantId, ConversationId)> = Vec::new();
        for due in due {
            if !self.schedule.knows(due.conversation, due.seq) {
                unknown.push((due.merchant, due.conversation));
            }
        }
        unknown.sort();
        unknown.dedup();
        if !unknown.is_empty() {
            self.look(unknown);
        }
    }

    /// Reads what waits of conversations: all of it, as only then it is known what comes first. Until it is here nothing
    /// else of theirs is taken in; what is handed in meanwhile has them read once more.
    fn look(&mut self, mut conversations: Vec<(MerchantId, ConversationId)>) {
        conversations.retain(|(_, id)| match self.looking.entry(*id) {
            Entry::Occupied(mut again) => {
                again.insert(true);
                false
            }
            Entry::Vacant(first) => {
                first.insert(false);
                true
            }
        });
        if conversations.is_empty() {
            return;
        }
        self.schedule.reading();
        let (work, tell) = (self.work.clone(), self.teller());
        tokio::spawn(async move {
            let mut found = Vec::new();
            for (merchant, id) in &conversations {
                let messages = loop {
                    match work.store().unsent_of(merchant, *id).await {
                        Ok(messages) => break messages,
                        Err(fault @ StoreError::Corrupt(_)) => {
                            tracing::error!(conversation = %id, %fault, "a message that waits can't be read");
                            break Vec::new();
                        }
                        Err(fault) => {
                            tracing::warn!(conversation = %id, %fault, "messages that wait can't be read; trying again");
                            tokio::select! {
                                () = work.inner.closing.cancelled() => return,
                                () = tokio::time::sleep(READ_AGAIN) => {}
                            }
                        }
                    }
                };
                found.extend(messages);
            }
            tell.of(Told::Read(conversations, found));
        });
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at).await;
    }
}

/// Reads the whole outbox. Where a row of a shop can't be read at all, the look around takes up that shop's
/// conversations one by one.
async fn read_all(work: Work, tell: Teller) {
    let store: &Store = work.store();
    let mut left = Vec::new();
    for shop in work.shops() {
        let of_shop = loop {
            match store.unsent(&shop.id).await {
                Ok(messages) => break messages,
                Err(fault @ StoreError::Corrupt(_)) => {
                    tracing::error!(merchant = %shop.id, %fault, "a message that waits to be sent can't be read");
                    break Vec::new();
                }
                Err(fault) => {
                    tracing::error!(%fault, "the messages that wait to be sent can't be read; trying again");
                    tokio::select! {
                        () = work.inner.closing.cancelled() => return,
                        () = tokio::time::sleep(READ_AGAIN) => {}
                    }
                }
            }
        };
        left.extend(of_shop);
    }
    tell.of(Told::Left(left));
}

/// Hands a message to the vendor. A channel that panics must not keep the rest of the conversation waiting.
async fn hand_over(
    work: &Work,
    channel: &dyn Channel,
    message: &Unsent,
    lease: &Arc<Lease>,
    origin: Option<Origin>,
) -> Result<Option<String>, Fault> {
    let begun = Instant::now();
    let span = trace::sending(message, origin);
    Failpoint::Sending.pass();
    // Who serves a file can't lose the right to it.
    let leave = work.store().shared().then(|| {
        let lease = lease.clone();
        Arc::new(move || lease.lasts()) as Leave
    });
    let sending = AssertUnwindSafe(channel.send(&message.peer, &message.message, leave));
    let mistake = |_| Err(Fault::Down("the program made a mistake (panic)".to_owned()));
    let answer = sending.catch_unwind().instrument(span.clone()).await.unwrap_or_else(mistake);
    let outcome = answer.as_ref().map_or_else(kind, |_| "sent");
    span.record("outcome", outcome);
    work.inner.reach.called(begun, !matches!(answer, Err(Fault::Down(_))));
    work.inner.meter.sent(message.channel, outcome, begun.elapsed());
    answer
}

/// Decides what an answer means, and has it written down.
async fn settle(
    work: &Work,
    mut message: Unsent,
    outlook: Outlook,
    lease: &Arc<Lease>,
    answer: Result<Option<String>, Fault>,
) -> After {
    let fault = match answer {
        Ok(_) => {
            work.inner.meter.taken();
            Failpoint::VendorTook.pass();
            let after = record(work, message, lease, Fate::Sent).await;
            Failpoint::Marked.pass();
            work.inner.meter.marked();
            return after;
        }
        Err(fault) => fault,
    };
    tracing::warn!(
        channel = message.channel.word(), conversation = %message.conversation, seq = message.seq,
        attempts = message.attempts, fault = kind(&fault), "a message did not go out"
    );
    let fate = decided(&mut message, fault, outlook, now());
    if matches!(fate, Fate::Later { .. }) {
        work.inner.meter.retried(message.channel);
    }
    record(work, message, lease, fate).await
}

/// What becomes of a message after a fault that came at `now`. Where it is to be tried again, it is due then, and the
/// try is counted, unless it was made sooner than planned: the plan stands.
fn decided(message: &mut Unsent, fault: Fault, outlook: Outlook, now: Moment) -> Fate {
    let (wait, fault, why) = match fault {
        Fault::Refused(why) => return Fate::Failed(format!("the messenger refused it ({why})"), false),
        Fault::Gone => {
            return Fate::Failed("the customer can't be reached on this channel any more".to_owned(), true);
        }
        // The vendor's own word on when is no failed try, and is obeyed however long it is.
        Fault::Wait(wait) => (wait, ASKED_TO_WAIT.to_owned(), Why::Told),
        Fault::Down(why) | Fault::Locked(why) if outlook.sooner > Span::millis(0) => {
            (outlook.sooner, why, Why::NotTakenSooner)
        }
        Fault::Down(why) | Fault::Locked(why) => {
            let left = outlook.left.map(|left| Span(left.0 - LAST_TRY.0));
            let next = usize::try_from(message.attempts).ok().and_then(|tried| RETRIES.get(tried));
            let Some(&wait) = next.filter(|_| left.is_none_or(|left| left > Span::millis(0))) else {
                let why = format!("it could not be delivered in {} tries ({why})", message.attempts + 1);
                return Fate::Failed(why, false);
            };
            message.attempts += 1;
            // The last try is at the end of its time and not behind it.
            let wait = jittered(wait);
            (left.map_or(wait, |left| wait.min(left)), why, Why::NotTaken)
        }
    };
    let wait = Span(wait.0 + GRAIN.0);
    message.due_at = now.after(wait);
    Fate::Later { fault, wait, why }
}

/// Has what became of a message written down, and waits for it: the next message of the conversation goes out only
/// then, so that of each conversation no more than the last one can go out twice.
async fn record(work: &Work, message: Unsent, lease: &Arc<Lease>, fate: Fate) -> After {
    let message = Arc::new(message);
    loop {
        let (done, written) = oneshot::channel();
        let job = Job::Mark { message: message.clone(), fate: fate.clone(), lease: lease.clone(), done };
        // Where the writer has stopped, the message is still in the outbox.
        if work.inner.hand(job).await.is_err() || written.await.unwrap_or(true) {
            return match fate {
                Fate::Later { wait, why, .. } => After::Again(Box::new(Arc::unwrap_or_clone(message)), wait, why),
                Fate::Sent => After::Sent,
                Fate::Failed(_, false) => After::Over,
                Fate::Failed(_, true) => After::AllOver,
            };
        }
        if !lease.lasts() {
            // It is another replica's to send and to write down.
            return After::Over;
        }
        tokio::select! {
            () = work.inner.closing.cancelled() => return After::Over,
            () = tokio::time::sleep(MARK_AGAIN.to_duration()) => {}
        }
    }
}

fn jittered(span: Span) -> Span {
    let factor = 1.0 + rand::rng().random_range(-JITTER..=JITTER);
    Span::millis((span.0 as f64 * factor) as i64)
}

fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Wait(_) => "wait",
        Fault::Refused(_) => "refused",
        Fault::Gone => "gone",
        Fault::Down(_) => "down",
        Fault::Locked(_) => "locked",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::channel::Outgoing;

    const AT: Moment = Moment(1_700_000_000_000);

    /// A message that was put into the outbox at [`AT`].
    fn unsent(urgency: Urgency) -> Unsent {
        Unsent {
            merchant: "pizzeria".parse().unwrap(),
            conversation: ConversationId(1),
            seq: 1,
            channel: ChannelKind::Telegram,
            peer: Peer::new("1").unwrap(),
            message: Outgoing::default(),
            attempts: 0,
            said_at: AT,
            due_at: AT,
            urgency,
            expires_at: expiry(urgency, AT),
            told: false,
        }
    }

    /// How it stands when it is tried as planned.
    fn planned(message: &Unsent, now: Moment) -> Outlook {
        Outlook { sooner: Span::millis(0), left: message.expires_at.map(|expires| expires.since(now)) }
    }

    /// Tries a message until it is given up: the moments of all tries, and why.
    fn tried_in_vain(message: &mut Unsent, fault: &Fault) -> (Vec<Moment>, String) {
        let mut tries = vec![message.due_at];
        loop {
            let now = message.due_at;
            match decided(message, fault.clone(), planned(message, now), now) {
                Fate::Later { wait, .. } => {
                    assert_eq!(message.due_at, now.after(wait), "in the outbox stands what the schedule is told");
                    tries.push(message.due_at);
                    assert!(tries.len() < 100, "it goes on for ever");
                }
                Fate::Failed(why, gone) => {
                    assert!(!gone, "others may reach the customer");
                    return (tries, why);
                }
                Fate::Sent => unreachable!("nobody took it"),
            }
        }
    }

    #[test]
    fn a_wait_is_up_to_a_fifth_longer_or_shorter_by_chance() {
        let waits: Vec<i64> = (0..1_000).map(|_| jittered(Span::seconds(100)).0).collect();
        assert!(waits.iter().all(|wait| (80_000..=120_000).contains(wait)));
        // An eighth of them lies in each of these, give or take a hundredth, so that nothing is tried together.
        let within = |range: std::ops::Range<i64>| waits.iter().filter(|wait| range.contains(*wait)).count();
        for range in [80_000..85_000, 95_000..100_000, 100_000..105_000, 115_000..120_000] {
            assert!((50..250).contains(&within(range.clone())), "{} of 1,000 in {range:?}", within(range.clone()));
        }
        assert!(waits.iter().collect::<HashSet<_>>().len() > 500, "nearly each is another");
    }

    #[test]
    fn news_are_tried_for_three_days_and_then_given_up_with_a_reason() {
        let planned = RETRIES.iter().map(|wait| wait.0).sum::<i64>();
        assert!((Span::hours(70).0..=Span::hours(73).0).contains(&planned), "{planned}");
        for (fault, why) in [
            (Fault::Down("no connection".to_owned()), "it could not be delivered in 11 tries (no connection)"),
            (Fault::Locked("Unauthorized".to_owned()), "it could not be delivered in 11 tries (Unauthorized)"),
        ] {
            let mut message = unsent(Urgency::News);
            let (tries, reason) = tried_in_vain(&mut message, &fault);
            assert_eq!(reason, why);
            assert_eq!(tries.len(), RETRIES.len() + 1, "the first, and one after each wait");
            for (pair, wait) in tries.windows(2).zip(RETRIES) {
                let waited = pair[1].since(pair[0]).0 - GRAIN.0;
                assert!((wait.0 * 8 / 10..=wait.0 * 12 / 10).contains(&waited), "{waited} for {wait:?}");
            }
        }
    }

    #[test]
    fn an_answer_is_tried_for_a_day_and_for_the_last_time_just_before_its_end() {
        let mut message = unsent(Urgency::Answer);
        let (tries, why) = tried_in_vain(&mut message, &Fault::Down("no connection".to_owned()));
        let (last, end) = (tries[tries.len() - 1], AT.after(ANSWER_LIFE));
        assert!(last < end, "it would not be sent any more");
        assert!(end.since(last) <= LAST_TRY, "{:?} before its end", end.since(last));
        assert_eq!(why, format!("it could not be delivered in {} tries (no connection)", tries.len()));
    }

    #[test]
    fn what_the_vendor_says_of_when_is_obeyed_and_counts_as_no_try() {
        let mut message = Unsent { attempts: RETRIES.len() as i64, ..unsent(Urgency::Answer) };
        let asked = Span::hours(30);
        for _ in 0..20 {
            let now = message.due_at;
            let outlook = planned(&message, now);
            let fate = decided(&mut message, Fault::Wait(asked), outlook, now);
            assert!(matches!(fate, Fate::Later { wait, .. } if wait >= asked), "{fate:?}");
            assert_eq!(message.attempts, RETRIES.len() as i64);
        }
    }

    #[test]
    fn a_try_before_its_time_changes_nothing_of_the_plan() {
        let mut message = Unsent { attempts: 4, ..unsent(Urgency::Answer) };
        let outlook = Outlook { sooner: Span::minutes(7), left: Some(Span::hours(20)) };
        let fate = decided(&mut message, Fault::Down("no connection".to_owned()), outlook, AT);
        let Fate::Later { wait, why, .. } = fate else { panic!("{fate:?}") };
        assert_eq!((wait, why), (Span(Span::minutes(7).0 + GRAIN.0), Why::NotTakenSooner));
        assert_eq!((message.attempts, message.due_at), (4, AT.after(wait)));
    }

    #[test]
    fn what_will_never_be_taken_is_given_up_at_once() {
        let fate = |fault| decided(&mut unsent(Urgency::News), fault, planned(&unsent(Urgency::News), AT), AT);
        let refused = fate(Fault::Refused("message is too long".to_owned()));
        assert!(matches!(&refused, Fate::Failed(why, false) if why.contains("message is too long")), "{refused:?}");
        // Whoever has left gets nothing of what waits behind it either.
        assert!(matches!(fate(Fault::Gone), Fate::Failed(_, true)));
    }
}
