//! The outbox's way to the vendors. Messages of one conversation go out in order, one at a time; conversations beside
//! each other. What a vendor took is marked through the writer; what it refuses for now is tried again, later each
//! time; what it will never take stays in the outbox with its fault for the staff to see.
//!
//! The end waits for what is on the wire, so that an orderly one doubles nothing. Known race: between a vendor's answer and the commit of the mark a crash makes the next start send once more. No
//! vendor here takes a key that would prevent it, so a duplicate is possible for what was in flight, and only for that.

use std::{
    collections::{HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Instant,
};

use futures::FutureExt as _;

use rand::Rng as _;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{Work, now, turn::Job};
use crate::{
    channel::{Channel, ChannelKind, Fault, Peer},
    id::ConversationId,
    moment::Span,
    store::{StoreError, Unsent},
};

/// Messages of one channel on the wire at once: enough to keep a vendor busy, few enough to know what was in flight.
const MOST_IN_FLIGHT: usize = 64;

/// Waits between tries. Ten tries over about three days, as long as news of an order can matter to anybody.
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

/// When a mark that could not be stored is tried again.
const MARK_AGAIN: Span = Span::seconds(1);

/// What became of a message.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    /// The vendor took it.
    Sent,
    /// It is tried again at its `due_at`; the fault.
    Later(String),
    /// It will never go out; the fault, and whether nothing else to this customer will.
    Failed(String, bool),
}

/// What the writer hands in.
pub(super) enum Handed {
    /// Messages that were committed.
    Messages(Vec<Unsent>),
    /// Somebody's words wait for their other half: they are shown that they were seen.
    Typing(ChannelKind, Peer),
}

/// Where it is handed in.
pub(super) type Post = mpsc::UnboundedSender<Handed>;

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Unsent>,
    busy: bool,
}

/// Starts the senders, with what an earlier run left unsent.
pub(super) async fn start(work: &Work, channels: Vec<Arc<dyn Channel>>) -> Result<Post, StoreError> {
    let left = work.store().unsent().await?;
    if !left.is_empty() {
        tracing::info!(messages = left.len(), "messages that an earlier run left are sent now");
    }
    // Unbounded, as the writer must never wait for a vendor; what is in it is in the outbox as well.
    let (post, handed_in) = mpsc::unbounded_channel();
    let channels = channels.into_iter().map(|c| (c.kind(), (c, Arc::new(Semaphore::new(MOST_IN_FLIGHT))))).collect();
    tokio::spawn(sort(work.clone(), channels, handed_in, left));
    Ok(post)
}

type Channels = HashMap<ChannelKind, (Arc<dyn Channel>, Arc<Semaphore>)>;

/// Keeps each conversation's messages in order.
async fn sort(work: Work, channels: Channels, mut handed_in: mpsc::UnboundedReceiver<Handed>, left: Vec<Unsent>) {
    let mut lanes: HashMap<ConversationId, Lane> = HashMap::new();
    let (finished, mut done) = mpsc::unbounded_channel::<ConversationId>();
    let mut arrived = left;
    loop {
        for message in arrived.drain(..) {
            if !channels.contains_key(&message.channel) {
                // Its channel is switched off; it waits in the outbox for a start with the channel on.
                continue;
            }
            let id = message.conversation;
            let lane = lanes.entry(id).or_default();
            lane.waiting.push_back(message);
            run(&work, &channels, lane, id, &finished);
        }
        tokio::select! {
            () = work.inner.closing.cancelled() => return,
            more = handed_in.recv() => match more {
                Some(Handed::Messages(more)) => arrived = more,
                Some(Handed::Typing(kind, peer)) => if let Some((channel, _)) = channels.get(&kind) {
                    let channel = channel.clone();
                    tokio::spawn(async move { channel.typing(&peer).await });
                },
                None => return,
            },
            Some(id) = done.recv() => if let Some(lane) = lanes.get_mut(&id) {
                lane.busy = false;
                if lane.waiting.is_empty() {
                    lanes.remove(&id);
                } else {
                    run(&work, &channels, lane, id, &finished);
                }
            },
        }
    }
}

/// Sends the first message of a lane, unless one is on its way.
fn run(
    work: &Work,
    channels: &Channels,
    lane: &mut Lane,
    id: ConversationId,
    finished: &mpsc::UnboundedSender<ConversationId>,
) {
    if lane.busy {
        return;
    }
    let Some(message) = lane.waiting.pop_front() else { return };
    let Some((channel, in_flight)) = channels.get(&message.channel) else { return };
    lane.busy = true;
    let (work, channel, in_flight, finished) = (work.clone(), channel.clone(), in_flight.clone(), finished.clone());
    let tracker = work.inner.sending.clone();
    tracker.spawn(async move {
        // A channel that panics must not keep the rest of the conversation waiting.
        let seen_off = AssertUnwindSafe(see_off(&work, channel.as_ref(), &in_flight, message)).catch_unwind().await;
        if seen_off.is_err() {
            tracing::error!(conversation = %id, "a channel failed badly; its message waits for the next start");
        }
        // The sorter is gone only where the program is stopping.
        let _ = finished.send(id);
    });
}

/// Tries until the message is taken or never will be.
async fn see_off(work: &Work, channel: &dyn Channel, in_flight: &Semaphore, mut message: Unsent) {
    let closing = &work.inner.closing;
    loop {
        // Until it is on the wire it can wait for the next start as well.
        tokio::select! {
            () = closing.cancelled() => return,
            () = tokio::time::sleep(message.due_at.since(now()).to_duration()) => {}
        }
        let answer = {
            let Ok(_permit) = in_flight.acquire().await else { return };
            let begun = Instant::now();
            let answer = channel.send(&message.peer, &message.message).await;
            work.inner.meter.sent(message.channel, answer.as_ref().map_or_else(kind, |_| "sent"), begun.elapsed());
            answer
        };
        let fault = match answer {
            Ok(_) => return mark(work, message, Fate::Sent).await,
            Err(fault) => fault,
        };
        tracing::warn!(
            channel = message.channel.word(), conversation = %message.conversation, seq = message.seq,
            attempts = message.attempts, fault = kind(&fault), "a message did not go out"
        );
        let (wait, words) = match fault {
            Fault::Refused(why) => return mark(work, message, Fate::Failed(why, false)).await,
            Fault::Gone => {
                let why = "this customer can't be reached on this channel any more".to_owned();
                return mark(work, message, Fate::Failed(why, true)).await;
            }
            // The vendor's own word on when is no failed try.
            Fault::Wait(wait) => (wait, "the vendor asked to wait".to_owned()),
            Fault::Down(why) | Fault::Locked(why) => {
                let Some(&wait) = usize::try_from(message.attempts).ok().and_then(|tried| RETRIES.get(tried)) else {
                    return mark(work, message, Fate::Failed(why, false)).await;
                };
                message.attempts += 1;
                (jittered(wait), why)
            }
        };
        message.due_at = now().after(wait);
        mark(work, message.clone(), Fate::Later(words)).await;
    }
}

/// Has what became of a message written down, and waits for it: the next message of the conversation goes out only
/// then, so that of each conversation no more than the last one can go out twice.
async fn mark(work: &Work, message: Unsent, fate: Fate) {
    loop {
        let (done, written) = oneshot::channel();
        let job = Job::Mark { message: Box::new(message.clone()), fate: fate.clone(), done };
        // Where the writer has stopped, the message is still in the outbox.
        if work.inner.hand(job).await.is_err() || written.await.unwrap_or(true) {
            return;
        }
        tokio::select! {
            () = work.inner.closing.cancelled() => return,
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
