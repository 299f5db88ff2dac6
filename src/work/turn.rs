//! The turn: what arrives becomes, in one transaction, a message on record, a new state of its conversation, perhaps an
//! order, and answers in the outbox. One task writes; it takes whatever waits, up to [`MOST_TOGETHER`] jobs, and commits
//! them together, because a commit that waits for the disk costs the same for one job as for many.
//!
//! What it promises: a job is answered after the commit that holds it. A job whose turn fails does not take others
//! down: the common transaction is undone and each job is run again by itself, and one that still fails is kept aside
//! with its fault, on record, and answered, so that the vendor does not send it for ever.
//!
//! Jobs of one conversation are run in the order in which they came. Another process may write to the same file; a
//! conversation that it changed meanwhile is [`StoreError::Stale`], and the job is run again on what is there now.

use std::{
    hash::{BuildHasher as _, BuildHasherDefault},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    Action, Event, LONGEST_ANSWER, NotDone, OpenShop, Work, around, correct,
    meter::Ended,
    new_id, now, render,
    send::{Fate, Handed, Post, expiry},
    trace::{self, Origin},
};
use crate::{
    cart::Cart,
    channel::{Arrival, ChannelKind, Content, Medium, NotTaken, Outgoing, Peer},
    conversation::{Effect, Facts, Input, NearGuess, Press, Stage, State, Wordless, Words, step, usual},
    customer::Customer,
    desk::{Desk, Why},
    failpoint::Failpoint,
    id::{ConversationId, CustomerId, MerchantId, OrderId},
    language::Language,
    moment::{Moment, Span},
    order::Order,
    store::{Author, Conversation, Gathering, Lease, NewMessage, Recalled, StoreError, Tx, Unsent, Urgency},
    understanding::{Expecting, Intent, Reading, Utterance},
    wording::Speech,
};

/// Jobs that one commit holds at most. Beyond this the saving is small and the first job waits long.
const MOST_TOGETHER: usize = 64;

/// How long marks of what was sent wait for a turn with which they can be committed: a flush of the disk costs the same
/// for both. So much longer a message can be sent again after a crash, and the second of two messages waits so long.
const MARKS_WAIT: Duration = Duration::from_millis(10);

/// Messages that are gathered at most before they are answered whatever they are.
const MOST_GATHERED: i64 = 8;

/// Longest time after which a wait for half a message is looked at again, whatever the clock said.
const LONGEST_NAP: Span = Span::seconds(20);

/// When a wait that could not be looked at is looked at again.
const LOOK_AGAIN: Span = Span::seconds(2);

/// Pieces of a message that were not understood for which something near is looked for. Each costs as much as reading
/// the message did, while everybody else's turn waits; hardly anybody names so many things that a shop lacks.
const MOST_PIECES: usize = 8;

/// How often a job is run again because somebody else changed what it had read.
const MOST_STALE: u32 = 5;

/// The order number of a step that places no order.
const UNNUMBERED: i64 = 0;

/// Something for the writer to do.
pub(super) enum Job {
    /// Take an arrival in.
    Arrive { arrival: Box<Arrival>, span: tracing::Span, done: oneshot::Sender<Result<(), NotTaken>> },
    /// Do what a member of the staff wants.
    Act { merchant: MerchantId, staff: String, action: Action, done: oneshot::Sender<Result<(), NotDone>> },
    /// Note what became of a message.
    Mark { message: Arc<Unsent>, fate: Fate, lease: Arc<Lease>, done: oneshot::Sender<bool> },
    /// Answer what waited for its other half, if it has waited long enough.
    Due { merchant: MerchantId, conversation: ConversationId },
    /// Answer once everything before it is committed.
    Settled(oneshot::Sender<()>),
}

/// What is to be done once a turn is committed.
#[derive(Default)]
pub(super) struct Outcome {
    posts: Vec<Unsent>,
    /// Whence they come, where traces are wanted.
    origins: Vec<((ConversationId, i64), Origin)>,
    /// Conversations in which messages wait again.
    looks: Vec<(MerchantId, ConversationId)>,
    pub(super) events: Vec<Event>,
    /// Whether shops have changed and are to be opened again.
    pub(super) reopen: bool,
    turns: Vec<Turned>,
    /// The lease that this transaction has seen held, and keeps.
    held: Option<Arc<Lease>>,
    wakes: Vec<(MerchantId, ConversationId, Moment)>,
    typing: Vec<(ChannelKind, Peer)>,
}

/// A turn, for the log: where it was, and up to where its conversation has come. Nothing of what was said.
struct Turned {
    merchant: MerchantId,
    conversation: ConversationId,
    channel: ChannelKind,
    seq: i64,
}

/// Why a turn was not run to its end.
pub(super) enum Failed {
    /// The staff's wish can't be done: an answer, not a fault. Nothing of the turn is kept.
    NotDone(NotDone),
    Store(StoreError),
}

/// Starts a writer. One that waits for the disk has a thread of its own, so that it holds up nobody else.
pub(super) fn start(
    work: &Work,
    waiting: mpsc::Receiver<Job>,
    post: Post,
    shutdown: CancellationToken,
) -> Result<(), StoreError> {
    let writer = run(work.clone(), waiting, post, shutdown);
    if work.store().shared() {
        tokio::spawn(writer);
        return Ok(());
    }
    let runtime = tokio::runtime::Handle::current();
    let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(move || runtime.block_on(writer));
    thread.map(|_| ()).map_err(|fault| StoreError::Failed(format!("a thread can't be started: {fault}")))
}

/// Runs a writer until it is told to stop and nothing waits any more.
async fn run(work: Work, mut waiting: mpsc::Receiver<Job>, post: Post, shutdown: CancellationToken) {
    let mut stopping = false;
    loop {
        let first = tokio::select! {
            biased;
            job = waiting.recv() => job,
            () = shutdown.cancelled(), if !stopping => {
                // What was handed in before is still written; nothing more is taken.
                waiting.close();
                stopping = true;
                continue;
            }
        };
        let Some(first) = first else { return };
        let mut jobs = vec![first];
        gather(&mut jobs, &mut waiting);
        let until = Instant::now() + MARKS_WAIT;
        while jobs.len() < MOST_TOGETHER
            && jobs.iter().all(Job::can_wait)
            && let Ok(Some(job)) = tokio::time::timeout_at(until.into(), waiting.recv()).await
        {
            jobs.push(job);
            gather(&mut jobs, &mut waiting);
        }
        write(&work, &post, jobs).await;
    }
}

/// Takes what is there already.
fn gather(jobs: &mut Vec<Job>, waiting: &mut mpsc::Receiver<Job>) {
    while jobs.len() < MOST_TOGETHER
        && let Ok(job) = waiting.try_recv()
    {
        jobs.push(job);
    }
}

/// Runs jobs in one transaction, or, where one of them fails, each in its own.
async fn write(work: &Work, post: &Post, jobs: Vec<Job>) {
    let together = AssertUnwindSafe(attempt(work, &jobs, false)).catch_unwind().await;
    match together {
        Ok(Ok(outcome)) => {
            jobs.iter().for_each(|job| work.inner.meter.turned(job.name(), Ended::Stored));
            publish(work, post, outcome).await;
            Failpoint::Published.pass();
            jobs.into_iter().for_each(|job| job.answer(Ok(())));
        }
        Ok(Err(_)) | Err(_) => {
            let mut trouble = None;
            for job in jobs {
                // What one can't do for the store's sake the next can't either, and each would wait as long to learn it.
                trouble = match trouble {
                    None => write_alone(work, post, job).await,
                    Some(fault) => {
                        unstored(work, job, StoreError::clone(&fault));
                        Some(fault)
                    }
                };
            }
        }
    }
}

async fn attempt(work: &Work, jobs: &[Job], again: bool) -> Result<Outcome, Failed> {
    let begun = Instant::now();
    let mut tx = work.store().begin().await.map_err(Failed::Store)?;
    let mut outcome = Outcome::default();
    let arrivals: Vec<&Arrival> = jobs.iter().filter_map(Job::arrival).collect();
    if !again {
        tx.ask_ahead(&arrivals).await.map_err(Failed::Store)?;
    } else if let [arrival] = arrivals[..] {
        // It may have lost a race with another replica, and is not to lose the next.
        tx.hold(&arrival.merchant, arrival.channel, &arrival.peer).await.map_err(Failed::Store)?;
    }
    // They end with the commit.
    let mut spans = Vec::new();
    for job in jobs {
        let span = job.span(jobs.len());
        let first = outcome.posts.len();
        let done = turn(work, &mut tx, job, &mut outcome).instrument(span.clone()).await;
        if let Some(origin) = Origin::of(&span) {
            let posts = &outcome.posts[first..];
            outcome.origins.extend(posts.iter().map(|post| ((post.conversation, post.seq), origin.clone())));
            spans.push(span);
        }
        if let Err(failed) = done {
            // The transaction is undone by its drop; doing it here keeps the connection free of surprises.
            let _ = tx.undo().await;
            return Err(failed);
        }
    }
    if work.store().shared() && (outcome.reopen || !outcome.events.is_empty()) {
        if outcome.reopen {
            outcome.events.push(Event::Anything);
        }
        tx.tell(&around::news(&work.inner.replica, &outcome.events)).await.map_err(Failed::Store)?;
    }
    Failpoint::BatchRun.pass();
    if let Err(fault) = tx.commit().await {
        // It may have been committed all the same, and then what it says waits in the outbox, before whatever is said next.
        if matches!(fault, StoreError::Busy(_)) {
            work.inner.unconfirmed.note(&outcome.posts);
        }
        return Err(Failed::Store(fault));
    }
    Failpoint::BatchCommitted.pass();
    work.inner.meter.committed(jobs.len(), begun.elapsed());
    work.stores();
    Ok(outcome)
}

/// Runs a job by itself; the store's trouble, if that kept it from being stored.
async fn write_alone(work: &Work, post: &Post, job: Job) -> Option<StoreError> {
    let mut tried = 0;
    let ended = |ended| work.inner.meter.turned(job.name(), ended);
    let fault = loop {
        let jobs = std::slice::from_ref(&job);
        match AssertUnwindSafe(attempt(work, jobs, true)).catch_unwind().await {
            Ok(Ok(outcome)) => {
                ended(Ended::Stored);
                publish(work, post, outcome).await;
                job.answer(Ok(()));
                return None;
            }
            Ok(Err(Failed::NotDone(why))) => {
                ended(Ended::NotDone);
                job.answer(Err(why));
                return None;
            }
            // Taken: another replica opened the same conversation meanwhile; now it is there to be read.
            Ok(Err(Failed::Store(StoreError::Stale | StoreError::Taken(_)))) if tried < MOST_STALE => tried += 1,
            Ok(Err(Failed::Store(fault @ (StoreError::Busy(_) | StoreError::Unwritable(_))))) => {
                // The store's trouble, not the job's: the vendor sends it again.
                work.fails_to_store(&fault);
                unstored(work, job, fault.clone());
                return Some(fault);
            }
            Ok(Err(Failed::Store(fault))) => break fault.to_string(),
            Err(_) => break "the program made a mistake (panic)".to_owned(),
        }
    };
    tracing::error!(%fault, job = job.name(), "a turn failed");
    ended(Ended::Failed);
    if let Job::Arrive { arrival, .. } = &job {
        let kept = keep_aside(work, arrival, &fault).await.inspect_err(|fault| work.fails_to_store(fault));
        let answer = kept.map_err(NotDone::Store);
        work.tell(Event::Anything);
        job.answer(answer);
        return None;
    }
    if let Job::Due { merchant, conversation } = &job
        && let Err(fault) = give_up(work, merchant, *conversation).await
    {
        tracing::error!(%fault, "messages that wait for their other half could not be let go");
    }
    job.answer(Err(NotDone::Refused(fault)));
    None
}

/// A job that the store could not take now.
fn unstored(work: &Work, job: Job, fault: StoreError) {
    work.inner.meter.turned(job.name(), Ended::Unstored);
    if let Job::Due { merchant, conversation } = &job {
        work.wake(merchant.clone(), *conversation, now().after(LOOK_AGAIN));
    }
    job.answer(Err(NotDone::Store(fault)));
}

async fn give_up(work: &Work, merchant: &MerchantId, id: ConversationId) -> Result<(), StoreError> {
    let desk = Desk::Waiting { since: now(), why: Why::NotUnderstood };
    let mut tx = work.store().begin().await?;
    tx.give_up_gathering(merchant, id, &desk).await?;
    tx.commit().await?;
    work.tell(Event::Conversation { merchant: merchant.clone(), conversation: id });
    Ok(())
}

async fn keep_aside(work: &Work, arrival: &Arrival, fault: &str) -> Result<(), StoreError> {
    let mut tx = work.store().begin().await?;
    let with = tx.conversation_with(&arrival.merchant, arrival.channel, &arrival.peer).await.ok().flatten();
    let id = with.map_or(ConversationId(0), |conversation| conversation.id);
    tx.receive(arrival, id, None).await?;
    tx.set_aside(arrival, fault).await?;
    tx.commit().await
}

async fn publish(work: &Work, post: &Post, outcome: Outcome) {
    let together = outcome.turns.len();
    for Turned { merchant, conversation, channel, seq } in outcome.turns {
        tracing::info!(%merchant, %conversation, channel = channel.word(), seq, together, "turn");
    }
    if outcome.reopen
        && let Err(fault) = work.reopen_shops().await
    {
        tracing::error!(%fault, "a shop that was changed can't be opened; the old one stays open");
    }
    let (sure, looks) = work.inner.unconfirmed.sort(outcome.posts);
    if !sure.is_empty() {
        // The senders are gone only where the program is stopping; the outbox keeps the messages.
        let _ = post.send(Handed::Messages(sure, outcome.origins));
    }
    for (merchant, conversation) in looks.into_iter().chain(outcome.looks) {
        let _ = post.send(Handed::Look(merchant, conversation));
    }
    for (channel, peer) in outcome.typing {
        let _ = post.send(Handed::Typing(channel, peer));
    }
    for event in outcome.events {
        work.tell(event);
    }
    for (merchant, conversation, at) in outcome.wakes {
        work.wake(merchant, conversation, at);
    }
}

impl Job {
    /// A number that all jobs about one chat (by its peer, or by its conversation) have in common.
    pub(super) fn lot(&self) -> u64 {
        let hash = BuildHasherDefault::<std::hash::DefaultHasher>::default();
        match self {
            Job::Arrive { arrival, .. } => hash.hash_one((&arrival.merchant, arrival.channel, &arrival.peer)),
            Job::Mark { message, .. } => hash.hash_one((&message.merchant, message.channel, &message.peer)),
            Job::Due { conversation, .. } => hash.hash_one(conversation.0),
            Job::Act { .. } | Job::Settled(_) => 0,
        }
    }

    fn arrival(&self) -> Option<&Arrival> {
        match self {
            Job::Arrive { arrival, .. } => Some(arrival),
            Job::Act { .. } | Job::Mark { .. } | Job::Due { .. } | Job::Settled(_) => None,
        }
    }

    /// The span of its turn; none where it is not an arrival's.
    fn span(&self, together: usize) -> tracing::Span {
        match self {
            Job::Arrive { span, .. } => trace::turn(span, together),
            Job::Act { .. } | Job::Mark { .. } | Job::Due { .. } | Job::Settled(_) => tracing::Span::none(),
        }
    }

    /// Whether nobody minds if it is written down a little later.
    fn can_wait(&self) -> bool {
        matches!(self, Job::Mark { fate: Fate::Sent, .. })
    }

    fn name(&self) -> &'static str {
        match self {
            Job::Arrive { .. } => "arrival",
            Job::Act { .. } => "staff",
            Job::Mark { .. } => "mark",
            Job::Due { .. } => "due",
            Job::Settled(_) => "settled",
        }
    }

    /// Tells whoever waits. Nobody listening any more is no matter: it is committed all the same.
    fn answer(self, result: Result<(), NotDone>) {
        match self {
            Job::Arrive { done, .. } => {
                let _ = done.send(result.map_err(|_| NotTaken));
            }
            Job::Act { done, .. } => {
                let _ = done.send(result);
            }
            Job::Settled(done) => {
                let _ = done.send(());
            }
            Job::Mark { done, .. } => {
                let _ = done.send(result.is_ok());
            }
            Job::Due { .. } => {}
        }
    }
}

async fn turn(work: &Work, tx: &mut Tx, job: &Job, outcome: &mut Outcome) -> Result<(), Failed> {
    match job {
        Job::Arrive { arrival, .. } => Ok(arrive(work, tx, arrival, outcome).await?),
        Job::Act { merchant, staff, action, .. } => act(work, tx, merchant, staff, action, outcome).await,
        Job::Mark { message, fate, lease, .. } => {
            if !outcome.held.as_ref().is_some_and(|held| held.same(lease)) {
                if !tx.holds(lease).await? {
                    return Err(NotDone::Stale.into());
                }
                outcome.held = Some(lease.clone());
            }
            match fate {
                Fate::Sent => tx.mark_sent(message).await?,
                Fate::Later { fault, .. } => tx.mark_later(message, fault).await?,
                Fate::Failed(fault, gone) => {
                    tx.mark_failed(message, fault, *gone).await?;
                    call_for(work, tx, message, outcome).await?;
                }
            }
            let (merchant, conversation) = (message.merchant.clone(), message.conversation);
            outcome.events.push(Event::Conversation { merchant, conversation });
            Ok(())
        }
        Job::Due { merchant, conversation } => Ok(due(work, tx, merchant, *conversation, outcome).await?),
        Job::Settled(_) => Ok(()),
    }
}

/// Calls a person to a conversation in which a message could not be sent.
async fn call_for(work: &Work, tx: &mut Tx, message: &Unsent, outcome: &mut Outcome) -> Result<(), StoreError> {
    let Some(shop) = work.shop(&message.merchant) else { return Ok(()) };
    let conversation = match tx.conversation(&message.merchant, message.conversation).await {
        Ok(Some(conversation)) => conversation,
        Ok(None) => return Ok(()),
        // The fault beside the message has to do; the mark must not fail for ever on what nobody can read.
        Err(StoreError::Corrupt(fault)) => {
            tracing::error!(conversation = %message.conversation, fault, "no person could be called");
            return Ok(());
        }
        Err(fault) => return Err(fault),
    };
    let mut talk = Talk { work, shop, tx, outcome, conversation, now: now(), said: false };
    let before = talk.conversation.desk.clone();
    talk.conversation.desk = before.clone().calling(Why::Undelivered, talk.now);
    talk.note_desk(&before).await?;
    talk.save().await
}

async fn arrive(work: &Work, tx: &mut Tx, arrival: &Arrival, outcome: &mut Outcome) -> Result<(), StoreError> {
    let Some(shop) = work.shop(&arrival.merchant) else {
        return Err(StoreError::Failed(format!("there is no shop {}", arrival.merchant)));
    };
    if let Content::Ignored(kind) = arrival.content {
        tracing::debug!(channel = arrival.channel.word(), kind, "an update needs no answer");
        tx.receive(arrival, ConversationId(0), None).await?;
        return Ok(());
    }
    let found = tx.conversation_with(&arrival.merchant, arrival.channel, &arrival.peer).await?;
    let conversation = found.unwrap_or_else(|| opened(arrival));
    let mut talk = Talk { work, shop, tx, outcome, conversation, now: arrival.at, said: false };
    let noted = matches!(arrival.content, Content::Opened(_) | Content::Left | Content::Back);
    let seq = if noted { None } else { Some(talk.conversation.next_seq) };
    if !talk.tx.receive(arrival, talk.conversation.id, seq).await? {
        return Ok(());
    }
    if arrival.name.is_some() {
        talk.conversation.shown_name.clone_from(&arrival.name);
    }
    if talk.conversation.new {
        let (customer, merchant) = (talk.conversation.customer.clone(), &arrival.merchant);
        talk.tx.save_customer(merchant, &customer, true, arrival.at).await?;
    }
    talk.conversation.reachable = arrival.content != Content::Left;
    match &arrival.content {
        Content::Text(text) => {
            talk.hear("text", text).await?;
            talk.words(text).await?;
        }
        Content::TooLong(text) => {
            talk.hear("text", text).await?;
            talk.answer_gathered().await?;
            talk.happens(&Input::TooLong).await?;
        }
        Content::Press(data) => {
            let press = Press::read(data);
            talk.hear("press", &talk.label_of(press)).await?;
            talk.answer_gathered().await?;
            talk.happens(&Input::Pressed(press)).await?;
        }
        Content::Opened(_) => talk.happens(&Input::Opened).await?,
        Content::Medium(medium) => {
            let (kind, wordless) = wordless(*medium);
            talk.hear(kind, "").await?;
            talk.answer_gathered().await?;
            talk.happens(&Input::Wordless(wordless)).await?;
        }
        Content::Left | Content::Back | Content::Ignored(_) => {}
    }
    talk.save().await
}

async fn act(
    work: &Work,
    tx: &mut Tx,
    merchant: &MerchantId,
    staff: &str,
    action: &Action,
    outcome: &mut Outcome,
) -> Result<(), Failed> {
    let shop = work.shop(merchant).ok_or(NotDone::Missing)?;
    let now = now();
    let (id, moved) = match action {
        Action::Order { order, version, a_move } => {
            let old = tx.order(merchant, *order).await?.ok_or(NotDone::Missing)?;
            if old.version != *version {
                return Err(NotDone::Stale.into());
            }
            let moved = old.moved(a_move, now).map_err(NotDone::from)?;
            tx.move_order(merchant, &moved, staff).await?;
            outcome.events.push(Event::Order { merchant: merchant.clone(), order: moved.id });
            (moved.conversation, Some(moved))
        }
        Action::Retry { channel, foreign_id } => {
            return retry(work, tx, merchant, (*channel, foreign_id), outcome).await;
        }
        Action::Name { phrase, meant, approved } => {
            return correct::decide(work, tx, merchant, (phrase, meant), *approved, now, outcome).await;
        }
        Action::TakeOver(id) | Action::Answer(id, _) | Action::HandBack(id) => (*id, None),
        Action::Resend { conversation, .. } => (*conversation, None),
        Action::Correct(correction) => (correction.conversation, None),
    };
    let conversation = tx.conversation(merchant, id).await?.ok_or(NotDone::Missing)?;
    let mut talk = Talk { work, shop, tx, outcome, conversation, now, said: false };
    match action {
        Action::Correct(correction) => talk.correct(staff, correction).await?,
        Action::Order { .. } | Action::Name { .. } | Action::Retry { .. } => {
            if let Some(order) = &moved {
                talk.happens(&Input::OrderMoved(order)).await?;
            }
        }
        Action::Resend { seq, .. } => talk.resend(*seq).await?,
        Action::TakeOver(_) => talk.take_over(staff, true).await?,
        Action::Answer(_, text) => {
            let text = text.trim();
            if text.is_empty() || text.encode_utf16().count() > LONGEST_ANSWER {
                return Err(NotDone::Refused(format!("write 1 to {LONGEST_ANSWER} characters")).into());
            }
            talk.take_over(staff, false).await?;
            let message = Outgoing { text: text.to_owned(), buttons: Vec::new() };
            talk.say(Author::Staff, Some(staff), "text", message, Urgency::Answer).await?;
        }
        Action::HandBack(_) => match talk.conversation.desk.clone() {
            Desk::Staff { name, .. } => {
                talk.happens(&Input::HandedBack(&name)).await?;
            }
            Desk::Bot | Desk::Waiting { .. } => {
                talk.conversation.desk = Desk::Bot;
                if let Recalled::Known(state) = &mut talk.conversation.state {
                    state.afresh();
                }
                talk.said = true;
            }
        },
    }
    talk.save().await?;
    Ok(())
}

/// Takes an arrival in again that was kept aside. Where it fails again, the transaction is undone and it stays there.
async fn retry(
    work: &Work,
    tx: &mut Tx,
    merchant: &MerchantId,
    (channel, foreign_id): (ChannelKind, &str),
    outcome: &mut Outcome,
) -> Result<(), Failed> {
    let (peer, raw, at) = tx.take_aside(merchant, channel, foreign_id).await?.ok_or(NotDone::Missing)?;
    let unread = || NotDone::Refused("what arrived can't be read any more; write to the customer instead".to_owned());
    // At this moment: what is answered now is promised from now on.
    let arrival = crate::channel::again(merchant, channel, peer, &raw, now()).ok_or_else(unread)?;
    let found = tx.conversation_with(merchant, channel, &arrival.peer).await?;
    let gone_on = match &found {
        Some(conversation) => tx.said_since(merchant, conversation.id, at).await?,
        None => false,
    };
    outcome.events.push(Event::Anything);
    let Some(conversation) = found.filter(|_| gone_on) else {
        return Ok(arrive(work, tx, &arrival, outcome).await?);
    };
    // A "yes" of yesterday is none to what is asked today: the words go on record, and a person is called to them.
    let shop = work.shop(merchant).ok_or(NotDone::Missing)?;
    let mut talk = Talk { work, shop, tx, outcome, conversation, now: arrival.at, said: false };
    talk.tx.receive(&arrival, talk.conversation.id, Some(talk.conversation.next_seq)).await?;
    if let Content::Text(text) | Content::TooLong(text) = &arrival.content {
        talk.hear("text", text).await?;
        talk.conversation.desk = talk.conversation.desk.clone().calling(Why::NotUnderstood, talk.now);
    }
    Ok(talk.save().await?)
}

async fn due(
    work: &Work,
    tx: &mut Tx,
    merchant: &MerchantId,
    id: ConversationId,
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    let Some(shop) = work.shop(merchant) else { return Ok(()) };
    let Some(conversation) = tx.conversation(merchant, id).await? else { return Ok(()) };
    let now = now();
    match conversation.gathering {
        Some(gathering) if gathering.until <= now => {}
        // Something more came and the wait began anew, or the clock was set back.
        Some(gathering) => {
            outcome.wakes.push((merchant.clone(), id, gathering.until.min(now.after(LONGEST_NAP))));
            return Ok(());
        }
        // Answered meanwhile.
        None => return Ok(()),
    }
    let mut talk = Talk { work, shop, tx, outcome, conversation, now, said: false };
    talk.answer_gathered().await?;
    talk.save().await
}

/// A conversation in the middle of a turn.
pub(super) struct Talk<'a> {
    pub(super) work: &'a Work,
    pub(super) shop: Arc<OpenShop>,
    pub(super) tx: &'a mut Tx,
    pub(super) outcome: &'a mut Outcome,
    pub(super) conversation: Conversation,
    pub(super) now: Moment,
    said: bool,
}

impl Talk<'_> {
    /// Puts what the customer sent on record.
    async fn hear(&mut self, kind: &str, body: &str) -> Result<(), StoreError> {
        let what = Outgoing { text: body.to_owned(), buttons: Vec::new() };
        self.record(Author::Customer, None, kind, &what).await.map(|_| ())
    }

    /// Puts a message on record, and hands it to its channel where it has to be pushed.
    async fn say(
        &mut self,
        author: Author,
        by_name: Option<&str>,
        kind: &str,
        message: Outgoing,
        urgency: Urgency,
    ) -> Result<(), StoreError> {
        let seq = self.record(author, by_name, kind, &message).await?;
        if self.conversation.channel.abilities().fetched || !self.conversation.reachable {
            return Ok(());
        }
        let unsent = Unsent {
            merchant: self.shop.id.clone(),
            conversation: self.conversation.id,
            seq,
            channel: self.conversation.channel,
            peer: self.conversation.peer.clone(),
            message,
            attempts: 0,
            said_at: self.now,
            due_at: self.now,
            urgency,
            expires_at: expiry(urgency, self.now),
            told: false,
        };
        self.tx.post(&unsent).await?;
        self.outcome.posts.push(unsent);
        Ok(())
    }

    async fn record(
        &mut self,
        author: Author,
        by_name: Option<&str>,
        kind: &str,
        what: &Outgoing,
    ) -> Result<i64, StoreError> {
        let seq = self.conversation.next_seq;
        let message = NewMessage { author, by_name, kind, what, at: self.now };
        self.tx.say(&self.shop.id, self.conversation.id, seq, &message).await?;
        self.conversation.next_seq += 1;
        self.said = true;
        Ok(seq)
    }

    /// Words came: they are answered at once where they stand by themselves, else they wait for their other half.
    async fn words(&mut self, text: &str) -> Result<(), StoreError> {
        if !self.conversation.desk.bot_answers() {
            return Ok(());
        }
        // By the clock of the timer, not of the arrival: what waited in a vendor's queue waits no longer for that.
        let (until, seq) = (now().after(self.work.inner.habits.gather), self.conversation.next_seq - 1);
        let from = match self.conversation.gathering {
            Some(gathering) if seq - gathering.from >= MOST_GATHERED => return self.answer_gathered().await,
            Some(gathering) => gathering.from,
            None => {
                let (orders, reading) = self.read(text).await?;
                if !reading.fragment || self.work.inner.habits.gather <= Span::millis(0) {
                    return self.answer_reading(text, orders, reading).await;
                }
                seq
            }
        };
        self.conversation.gathering = Some(Gathering { from, until });
        self.outcome.wakes.push((self.shop.id.clone(), self.conversation.id, until));
        self.outcome.typing.push((self.conversation.channel, self.conversation.peer.clone()));
        Ok(())
    }

    /// Answers what waited for its other half, if anything did.
    async fn answer_gathered(&mut self) -> Result<(), StoreError> {
        let Some(gathering) = self.conversation.gathering.take() else { return Ok(()) };
        let pieces = self.tx.words_since(&self.shop.id, self.conversation.id, gathering.from).await?;
        if pieces.is_empty() || !self.conversation.desk.bot_answers() {
            return Ok(());
        }
        self.answer_words(&pieces.join("\n")).await
    }

    async fn answer_words(&mut self, text: &str) -> Result<(), StoreError> {
        let (orders, reading) = self.read(text).await?;
        self.answer_reading(text, orders, reading).await
    }

    async fn answer_reading(&mut self, text: &str, orders: Vec<Order>, reading: Reading) -> Result<(), StoreError> {
        let expecting = match &self.conversation.state {
            Recalled::Known(state) => state.expecting(),
            Recalled::Unreadable(_) => None,
        };
        // A name or an address says nothing of the language that its owner speaks.
        let proper = matches!(expecting, Some(Expecting::Name | Expecting::Address));
        if !(proper && matches!(reading.intent, Intent::Other)) {
            self.conversation.language = Some(reading.language);
        }
        let shop = self.shop.clone();
        let named = shop.engine.named(text);
        let near = self.near(text, &orders, &reading);
        let (topic, _) = shop.answerer.answer(text, Some(reading.language));
        let words = Words {
            text,
            stated_name: shop.engine.stated_name(text),
            reading: &reading,
            named: &named,
            topic: topic.as_ref(),
            near: &near,
        };
        self.happens_with(&Input::Words(words), orders).await
    }

    /// Things whose names are near to the first pieces of a text that were not understood, each with the cart as it
    /// would be if the text had named it.
    fn near(&self, text: &str, orders: &[Order], reading: &Reading) -> Vec<NearGuess> {
        let mut near: Vec<NearGuess> = Vec::new();
        for piece in reading.unmatched.iter().take(MOST_PIECES) {
            for meant in self.shop.engine.near(piece) {
                if near.iter().any(|known| known.meant == meant) {
                    continue;
                }
                let name = meant.shown(&self.shop.catalog, reading.language);
                let cart = self.read_with(&text.replacen(piece.as_str(), &name, 1), orders).cart;
                if cart != reading.cart {
                    near.push(NearGuess { piece: piece.clone(), meant, cart });
                }
            }
        }
        near
    }

    /// What a text means here, and the orders that were looked at for it.
    async fn read(&mut self, text: &str) -> Result<(Vec<Order>, Reading), StoreError> {
        let orders = self.orders().await?;
        let reading = self.read_with(text, &orders);
        Ok((orders, reading))
    }

    fn read_with(&self, text: &str, orders: &[Order]) -> Reading {
        let usual = usual(orders).map(|order| order.cart.clone()).unwrap_or_default();
        let (cart, expecting) = match &self.conversation.state {
            Recalled::Known(state) => (state.cart(), state.expecting()),
            Recalled::Unreadable(_) => (Cart::default(), None),
        };
        self.shop.engine.read(&Utterance {
            text,
            language: None,
            // The shop's own language is no hint at what a new customer speaks.
            prior: self.conversation.language.or(self.conversation.customer.language),
            cart: &cart,
            usual: &usual,
            expecting,
        })
    }

    pub(super) async fn happens(&mut self, input: &Input<'_>) -> Result<(), StoreError> {
        let orders = self.orders().await?;
        self.happens_with(input, orders).await
    }

    /// Lets something happen to the conversation: a step, what it says, what it does.
    async fn happens_with(&mut self, input: &Input<'_>, orders: Vec<Order>) -> Result<(), StoreError> {
        let state = match std::mem::replace(&mut self.conversation.state, Recalled::Known(State::default())) {
            Recalled::Known(state) => state,
            Recalled::Unreadable(text) => {
                tracing::error!(conversation = %self.conversation.id, "a stored state can't be read; staff are called");
                self.note(&format!("The bot lost its place here. What it had stored: {text}")).await?;
                self.conversation.desk = self.step(State::default(), &Input::Forgotten, &orders, UNNUMBERED).desk;
                State::default()
            }
        };
        let before = self.conversation.desk.clone();
        let confirming = matches!(state.stage, Stage::Confirming { .. }).then(|| state.clone());
        let mut step = self.step(state, input, &orders, UNNUMBERED);
        // A number is taken for an order that is placed, and for nothing else.
        if let Some(state) = confirming
            && step.effects.iter().any(|effect| matches!(effect, Effect::Place(..)))
        {
            let number = self.tx.take_order_number(&self.shop.id).await?;
            Failpoint::NumberTaken.pass();
            step = self.step(state, input, &orders, number);
        }
        self.conversation.state = Recalled::Known(step.state);
        self.conversation.desk = step.desk;
        for effect in step.effects {
            self.take_effect(effect).await?;
        }
        if let Some(reply) = &step.reply {
            let (shop, seq) = (self.shop.clone(), self.conversation.next_seq);
            let speech = Speech {
                wording: &self.work.inner.words.wording,
                catalog: &shop.catalog,
                language: self.language(),
                now: self.now,
            };
            let urgency = match input {
                Input::OrderMoved(_) => Urgency::News,
                Input::Words(_)
                | Input::Pressed(_)
                | Input::Opened
                | Input::Wordless(_)
                | Input::TooLong
                | Input::Corrected(_)
                | Input::TakenOver(_)
                | Input::HandedBack(_)
                | Input::Forgotten => Urgency::Answer,
            };
            for message in render::render(reply, &speech, self.conversation.channel.abilities(), seq) {
                self.say(Author::Bot, None, "text", message, urgency).await?;
            }
        }
        self.note_desk(&before).await
    }

    fn step(&self, state: State, input: &Input<'_>, orders: &[Order], next_number: i64) -> crate::conversation::Step {
        let facts = Facts {
            now: self.now,
            catalog: &self.shop.catalog,
            faq: &self.shop.faq,
            languages: &self.work.inner.words.languages,
            conversation: self.conversation.id,
            language: self.language(),
            customer: &self.conversation.customer,
            shown_name: self.conversation.shown_name.as_deref(),
            orders,
            seq: self.conversation.next_seq,
            next_number,
            next_order: OrderId(new_id()),
            buttons: self.conversation.channel.abilities().buttons,
        };
        step(state, self.conversation.desk.clone(), input, &facts)
    }

    async fn take_effect(&mut self, effect: Effect) -> Result<(), StoreError> {
        let merchant = self.shop.id.clone();
        match effect {
            Effect::Place(order, readback) => {
                self.tx.place(&merchant, &order, readback, "customer").await?;
                self.conversation.orders += 1;
                self.outcome.events.push(Event::Order { merchant, order: order.id });
            }
            Effect::Move(order) => {
                self.tx.move_order(&merchant, &order, "customer").await?;
                self.outcome.events.push(Event::Order { merchant, order: order.id });
            }
            Effect::Remember(customer) => {
                self.conversation.customer = customer;
                self.tx.save_customer(&merchant, &self.conversation.customer, false, self.now).await?;
            }
            Effect::Offers(wanted) => {
                self.conversation.customer.offers = Some(wanted);
                self.tx.save_customer(&merchant, &self.conversation.customer, false, self.now).await?;
            }
            Effect::Speak(language) => self.conversation.language = Some(language),
        }
        Ok(())
    }

    /// Puts a message that could not be sent back to those that wait. Who was called for that alone is needed no more.
    async fn resend(&mut self, seq: i64) -> Result<(), Failed> {
        if !self.conversation.reachable {
            let why = "the customer has left this chat; it can be sent once they are back";
            return Err(NotDone::Refused(why.to_owned()).into());
        }
        let (merchant, id) = (self.shop.id.clone(), self.conversation.id);
        // As for an answer: who sends it again wants it to arrive today.
        let expires = expiry(Urgency::Answer, self.now);
        if !self.tx.resend(&merchant, id, seq, self.now, expires).await? {
            return Err(NotDone::Stale.into());
        }
        let called = matches!(self.conversation.desk, Desk::Waiting { why: Why::Undelivered, .. });
        if called && self.tx.undelivered(&merchant, id).await? == 0 {
            self.conversation.desk = Desk::Bot;
        }
        self.outcome.looks.push((merchant, id));
        self.said = true;
        Ok(())
    }

    /// Makes a member of the staff the owner; from a colleague only where that is `meant`.
    async fn take_over(&mut self, staff: &str, meant: bool) -> Result<(), Failed> {
        match &self.conversation.desk {
            Desk::Staff { name, .. } if name == staff => return Ok(()),
            Desk::Staff { .. } if meant => {}
            Desk::Staff { name, .. } => return Err(NotDone::Owned(name.clone()).into()),
            Desk::Bot | Desk::Waiting { .. } => {}
        }
        // What waited for its other half is the person's to answer now.
        self.conversation.gathering = None;
        Ok(self.happens(&Input::TakenOver(staff)).await?)
    }

    /// Notes for the staff who owns the conversation now, where that changed.
    async fn note_desk(&mut self, before: &Desk) -> Result<(), StoreError> {
        match (before, &self.conversation.desk) {
            (Desk::Waiting { .. }, Desk::Waiting { .. }) => Ok(()),
            (_, Desk::Waiting { why, .. }) => {
                let why = why.words();
                self.note(&format!("Waits for a person: {why}")).await
            }
            (_, Desk::Bot | Desk::Staff { .. }) => Ok(()),
        }
    }

    pub(super) async fn note(&mut self, words: &str) -> Result<(), StoreError> {
        let what = Outgoing { text: words.to_owned(), buttons: Vec::new() };
        self.record(Author::Note, None, "text", &what).await.map(|_| ())
    }

    async fn orders(&mut self) -> Result<Vec<Order>, StoreError> {
        if self.conversation.orders == 0 {
            return Ok(Vec::new());
        }
        self.tx.recent_orders(&self.shop.id, self.conversation.customer.id).await
    }

    /// The words on a button that was pressed, for the record.
    fn label_of(&self, press: Option<Press>) -> String {
        let Recalled::Known(state) = &self.conversation.state else { return String::new() };
        let speech = Speech {
            wording: &self.work.inner.words.wording,
            catalog: &self.shop.catalog,
            language: self.language(),
            now: self.now,
        };
        let offer = press.filter(|p| p.seq == state.offered.seq).and_then(|p| state.offered.offers.get(p.place));
        offer.map(|offer| render::label(offer, &speech)).unwrap_or_default()
    }

    /// The language to answer in: the conversation's, the customer's, or the shop's own.
    pub(super) fn language(&self) -> Language {
        let own = self.shop.catalog.languages.first().copied();
        let known = self.conversation.language.or(self.conversation.customer.language).or(own);
        self.work.inner.words.wording.nearest(known.unwrap_or(Language::ENGLISH))
    }

    async fn save(mut self) -> Result<(), StoreError> {
        self.tx.save(&self.shop.id, &self.conversation, self.now).await?;
        if self.conversation.new && self.conversation.channel.abilities().fetched {
            let (merchant, peer) = (self.shop.id.clone(), self.conversation.peer.clone());
            self.outcome.events.push(Event::Opened { merchant, peer });
        }
        if self.said {
            let (merchant, conversation) = (self.shop.id.clone(), self.conversation.id);
            self.outcome.events.push(Event::Conversation { merchant, conversation });
        }
        self.said = false;
        self.outcome.turns.push(Turned {
            merchant: self.shop.id.clone(),
            conversation: self.conversation.id,
            channel: self.conversation.channel,
            seq: self.conversation.next_seq - 1,
        });
        Ok(())
    }
}

fn opened(arrival: &Arrival) -> Conversation {
    Conversation {
        id: ConversationId(new_id()),
        channel: arrival.channel,
        peer: arrival.peer.clone(),
        customer: Customer {
            id: CustomerId(new_id()),
            name: None,
            language: arrival.language,
            address: None,
            offers: None,
        },
        shown_name: arrival.name.clone(),
        version: 0,
        state: Recalled::Known(State::default()),
        desk: Desk::Bot,
        language: None,
        next_seq: 1,
        gathering: None,
        orders: 0,
        reachable: true,
        new: true,
    }
}

fn wordless(medium: Medium) -> (&'static str, Wordless) {
    match medium {
        Medium::Voice => ("voice", Wordless::Voice),
        Medium::Picture => ("picture", Wordless::Picture),
        Medium::Sticker => ("sticker", Wordless::Sticker),
        Medium::Location => ("location", Wordless::Location),
        Medium::Contact => ("contact", Wordless::Contact),
        Medium::File => ("file", Wordless::File),
        Medium::Edit => ("edit", Wordless::Edit),
        Medium::Other => ("other", Wordless::Other),
    }
}

impl From<StoreError> for Failed {
    fn from(fault: StoreError) -> Failed {
        Failed::Store(fault)
    }
}

impl From<NotDone> for Failed {
    fn from(why: NotDone) -> Failed {
        match why {
            NotDone::Store(fault) => Failed::Store(fault),
            why => Failed::NotDone(why),
        }
    }
}
