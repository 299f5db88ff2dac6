//! The shells that do the work: turns, sending, timers. [`Work`] is the one door to it.
//!
//! Every change goes through one writer task (see [`turn`]): arrivals, what staff do, marks of what was sent, and the
//! end of a wait for a message's other half. What it commits is handed to the senders and to whoever watches screens.

use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::{Mutex, broadcast, mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    catalog::{self, Catalog},
    channel::{Arrival, Channel, ChannelKind, Inbox, NotTaken, Peer, Pending},
    faq::{self, Faq},
    id::{ConversationId, MerchantId, OrderId},
    language::Language,
    moment::{Moment, Span},
    order::{self, Move},
    store::{Shop, Store, StoreError},
    understanding::{
        Answerer, Engine, Lexicons,
        alias::{self, Alias, Meant, Phrase},
    },
    wording::Wording,
};

mod around;
mod correct;
mod lead;
mod limit;
mod meter;
// These two are open for the benches; nobody else outside is to use them.
#[doc(hidden)]
pub mod render;
#[doc(hidden)]
pub mod schedule;
mod send;
mod storing;
pub mod trace;
mod turn;
mod unconfirmed;

pub use correct::{Change, Correction};

/// Jobs that may wait for the writer. Enough for a burst of every phone in a small town; beyond it callers wait.
const MOST_WAITING: usize = 4_096;

/// Changes that a screen may lag behind before it is told to look again at everything.
const MOST_EVENTS: usize = 4_096;

/// How long the end waits for messages on the wire. With the pages' own time to drain it stays below the half minute
/// after which service managers kill.
const LONGEST_SEND: Duration = Duration::from_secs(10);

/// Longest answer that a member of the staff may write, in UTF-16 units: every channel takes it in one message.
pub const LONGEST_ANSWER: usize = 4_000;

/// Settings of the conversation that a shop may want otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// How long a fragment ("I want", "two") waits for its other half; each further message starts the wait anew.
    pub gather: Span,
}

/// Something changed that a screen may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something was said in a conversation, or its owner changed.
    Conversation {
        /// Of which shop.
        merchant: MerchantId,
        /// Which.
        conversation: ConversationId,
    },
    /// Somebody began a conversation on a channel whose reader fetches: a page that showed nothing has something now.
    Opened {
        /// Of which shop.
        merchant: MerchantId,
        /// Who.
        peer: Peer,
    },
    /// An order was placed or moved.
    Order {
        /// Of which shop.
        merchant: MerchantId,
        /// Which.
        order: OrderId,
    },
    /// A name was suggested or decided on.
    Names {
        /// Of which shop.
        merchant: MerchantId,
    },
    /// What arrives can be stored no longer, or again: see [`Work::is_storing`].
    Storing,
    /// Another process wrote: look again at everything.
    Anything,
}

/// An event with its place among this process's.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// Given after the commit and before anybody is told: what is read from here on holds what changed.
    pub number: u64,
    /// What changed.
    pub event: Event,
}

/// What a member of the staff does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Moves an order; refused where its version is no longer this one.
    Order {
        /// Which.
        order: OrderId,
        /// The version that the staff saw.
        version: i64,
        /// The move.
        a_move: Move,
    },
    /// Takes a conversation over from the bot (or from whoever waits for it).
    TakeOver(ConversationId),
    /// Answers in it; answering is taking over.
    Answer(ConversationId, String),
    /// Gives it back to the bot.
    HandBack(ConversationId),
    /// Changes what a customer is ordering.
    Correct(Box<Correction>),
    /// Takes an arrival in again whose turn failed.
    Retry {
        /// The channel that it came over.
        channel: ChannelKind,
        /// The vendor's id of it.
        foreign_id: String,
    },
    /// Sends a message again that could not be sent.
    Resend {
        /// In which conversation.
        conversation: ConversationId,
        /// Its place in it.
        seq: i64,
    },
    /// Lets customers use a name for a thing from now on, or no longer.
    Name {
        /// The name.
        phrase: Phrase,
        /// What it stands for.
        meant: Meant,
        /// Whether it is to be used.
        approved: bool,
    },
}

/// Why an action was not done, in words for the staff.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// Somebody was faster, or the thing moved on.
    #[error("somebody else was faster; look again")]
    Stale,
    /// There is no such order or conversation.
    #[error("this is not there any more")]
    Missing,
    /// The trade's rules forbid it.
    #[error("{0}")]
    Refused(String),
    /// Another member of the staff has the conversation.
    #[error("{0} has this conversation")]
    Owned(String),
    /// The store failed.
    #[error("it could not be stored; try again")]
    Store(#[from] StoreError),
}

/// An open shop: its catalogue and all that was compiled from it.
pub struct OpenShop {
    /// Its id.
    pub id: MerchantId,
    /// What it sells.
    pub catalog: Catalog,
    faq: Faq,
    engine: Engine,
    answerer: Arc<Answerer>,
    version: i64,
}

/// Why the work can't begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored shop's files can't be read any more.
    #[error(
        "the stored {what} of the shop {merchant} can't be read: {fault}; import it again with `usual catalog import`"
    )]
    Shop {
        /// Which shop.
        merchant: MerchantId,
        /// Which file.
        what: &'static str,
        /// The first fault.
        fault: String,
    },
    /// The program's own files are damaged.
    #[error("{0}")]
    Words(String),
}

/// The door to the work. Clones share it.
#[derive(Clone)]
pub struct Work {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    words: Words,
    habits: Habits,
    shops: RwLock<Vec<Arc<OpenShop>>>,
    /// Held while shops are opened again, so that an older look never replaces a newer one.
    opening: Mutex<()>,
    events: broadcast::Sender<Numbered>,
    /// The number of the last event.
    last_event: AtomicU64,
    meter: meter::Meter,
    /// One a writer.
    jobs: Vec<mpsc::Sender<turn::Job>>,
    /// What this process calls itself among the replicas.
    replica: String,
    lead: lead::Lead,
    reach: lead::Reach,
    unconfirmed: unconfirmed::Unconfirmed,
    storing: storing::Storing,
    /// Cancelled when nothing more is to be sent.
    closing: CancellationToken,
    /// Messages on the wire.
    sending: TaskTracker,
    shutdown: CancellationToken,
}

/// The program's own words in every language.
struct Words {
    wording: Wording,
    lexicons: Lexicons,
    languages: Vec<Language>,
}

/// The time by this machine's clock.
pub fn now() -> Moment {
    Moment::of(SystemTime::now())
}

/// A new identifier: UUID version 7, so that neighbours in time are neighbours in the index.
pub fn new_id() -> u128 {
    uuid::Uuid::now_v7().as_u128()
}

impl Work {
    /// Opens the shops of a store and starts the writer, the senders of `channels`, and the timers. They run until
    /// [`Work::close`].
    pub async fn start(store: Store, habits: Habits, channels: Vec<Arc<dyn Channel>>) -> Result<Work, StartError> {
        let shutdown = CancellationToken::new();
        let words = Words::embedded()?;
        let mut shops = Vec::new();
        for shop in store.shops().await? {
            let aliases = store.aliases(&shop.id).await?;
            shops.push(Arc::new(OpenShop::open(shop, &aliases, &words, None)?));
        }
        let (jobs, waiting): (Vec<_>, Vec<_>) = (0..store.writers()).map(|_| mpsc::channel(MOST_WAITING)).unzip();
        let (events, _) = broadcast::channel(MOST_EVENTS);
        let inner = Inner {
            store,
            words,
            habits,
            shops: RwLock::new(shops),
            opening: Mutex::new(()),
            events,
            last_event: AtomicU64::new(0),
            meter: meter::Meter::new(),
            jobs,
            replica: uuid::Uuid::from_u128(new_id()).to_string(),
            lead: lead::Lead::new(None),
            reach: lead::Reach::default(),
            unconfirmed: unconfirmed::Unconfirmed::default(),
            storing: storing::Storing::default(),
            closing: shutdown.child_token(),
            sending: TaskTracker::new(),
            shutdown: shutdown.clone(),
        };
        let work = Work { inner: Arc::new(inner) };
        let kinds: Vec<ChannelKind> = channels.iter().map(|channel| channel.kind()).collect();
        let post = send::start(&work, channels);
        tokio::spawn(lead::keep(work.clone(), work.inner.closing.clone()));
        for waiting in waiting {
            turn::start(&work, waiting, post.clone(), shutdown.clone())?;
        }
        work.wake_gatherings(&kinds).await?;
        tokio::spawn(around::take_up(work.clone(), shutdown.clone()));
        tokio::spawn(around::listen(work.clone(), post, shutdown));
        Ok(work)
    }

    /// The database, for reading.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// What is counted and timed, in the text form that Prometheus reads.
    pub async fn metrics(&self) -> Result<String, StoreError> {
        let vitals = self.inner.store.vitals().await?;
        let queue = self.inner.jobs.iter().map(|jobs| jobs.max_capacity() - jobs.capacity()).sum();
        let (screens, sends) = (self.inner.events.receiver_count(), self.leads().is_some());
        let seen = meter::Seen { vitals, queue, screens, sends, now: now() };
        Ok(self.inner.meter.text(&seen))
    }

    /// The shop of that id.
    pub fn shop(&self, merchant: &MerchantId) -> Option<Arc<OpenShop>> {
        self.shops().into_iter().find(|shop| shop.id == *merchant)
    }

    /// The deployment's first shop.
    pub fn first_shop(&self) -> Option<Arc<OpenShop>> {
        self.shops().into_iter().next()
    }

    /// What changes from now on. A listener that falls behind gets `Lagged` and should look at everything again.
    pub fn events(&self) -> broadcast::Receiver<Numbered> {
        self.inner.events.subscribe()
    }

    /// The number of the last event: see [`Numbered::number`].
    pub fn last_event(&self) -> u64 {
        self.inner.last_event.load(Ordering::Acquire)
    }

    /// Tells the screens what changed, after its commit.
    fn tell(&self, event: Event) {
        let number = self.inner.last_event.fetch_add(1, Ordering::AcqRel) + 1;
        // No receiver is no screen.
        let _ = self.inner.events.send(Numbered { number, event });
    }

    /// Does what a member of the staff wants, in a turn of its own; `Ok` after its commit.
    pub async fn act(&self, merchant: &MerchantId, staff: &str, action: Action) -> Result<(), NotDone> {
        let (done, answer) = oneshot::channel();
        let job = turn::Job::Act { merchant: merchant.clone(), staff: staff.to_owned(), action, done };
        let lost = || NotDone::Store(StoreError::Busy("the program is stopping".to_owned()));
        self.inner.hand(job).await.map_err(|_| lost())?;
        answer.await.map_err(|_| lost())?
    }

    /// Waits until everything that was given to the writer so far is committed.
    pub async fn settled(&self) {
        for jobs in &self.inner.jobs {
            let (done, answer) = oneshot::channel();
            if jobs.send(turn::Job::Settled(done)).await.is_ok() {
                // A writer that stopped has nothing left to settle.
                let _ = answer.await;
            }
        }
    }

    /// Ends the work in order: nothing new goes on the wire, what is on it is waited for and marked, what was handed to
    /// the writer is committed, and the database is closed.
    pub async fn close(&self) {
        self.inner.closing.cancel();
        self.inner.sending.close();
        if tokio::time::timeout(LONGEST_SEND, self.inner.sending.wait()).await.is_err() {
            tracing::warn!("messages were still on the wire; the next start sends them again");
        }
        self.settled().await;
        self.step_down().await;
        self.inner.shutdown.cancel();
        self.inner.store.close().await;
    }

    fn shops(&self) -> Vec<Arc<OpenShop>> {
        match self.inner.shops.read() {
            Ok(shops) => shops.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }

    /// Opens shops that were imported since, and again those whose files or names are newer than what is open.
    async fn reopen_shops(&self) -> Result<(), StartError> {
        let _alone = self.inner.opening.lock().await;
        let open = self.shops();
        let mut shops = Vec::new();
        for stored in self.inner.store.shops().await? {
            match open.iter().find(|shop| shop.id == stored.id && shop.version == stored.version) {
                Some(shop) => shops.push(shop.clone()),
                None => {
                    tracing::info!(merchant = %stored.id, version = stored.version, "shop opened");
                    let aliases = self.inner.store.aliases(&stored.id).await?;
                    let old = open.iter().find(|shop| shop.id == stored.id);
                    shops.push(Arc::new(OpenShop::open(stored, &aliases, &self.inner.words, old.map(Arc::as_ref))?));
                }
            }
        }
        match self.inner.shops.write() {
            Ok(mut guard) => *guard = shops,
            Err(poisoned) => *poisoned.into_inner() = shops,
        }
        Ok(())
    }

    /// Takes up the waits that an earlier run left: those that can be answered from here.
    async fn wake_gatherings(&self, channels: &[ChannelKind]) -> Result<(), StoreError> {
        for shop in self.shops() {
            for (conversation, channel, until) in self.inner.store.gatherings(&shop.id, Moment(i64::MAX)).await? {
                if channel.abilities().fetched || channels.contains(&channel) {
                    self.wake(shop.id.clone(), conversation, until);
                }
            }
        }
        Ok(())
    }

    /// Looks again at a conversation at that moment.
    fn wake(&self, merchant: MerchantId, conversation: ConversationId, at: Moment) {
        let inner = self.inner.clone();
        tokio::spawn(async move {
            tokio::time::sleep(at.since(now()).to_duration()).await;
            // Where the writer has stopped, the next start finds the gathering in the store.
            let _ = inner.hand(turn::Job::Due { merchant, conversation }).await;
        });
    }
}

impl Inner {
    /// Gives a job to a writer: the same one for all of a chat, so that they are done in order.
    async fn hand(&self, job: turn::Job) -> Result<(), mpsc::error::SendError<turn::Job>> {
        let writer = if self.jobs.len() == 1 { 0 } else { job.lot() as usize % self.jobs.len() };
        self.jobs[writer].send(job).await
    }
}

impl Inbox for Work {
    fn deliver<'a>(&'a self, arrival: Arrival) -> Pending<'a, Result<(), NotTaken>> {
        Box::pin(async move {
            let (done, answer) = oneshot::channel();
            let (channel, since) = (arrival.channel, Instant::now());
            let span = trace::arrival(&arrival);
            let job = turn::Job::Arrive { arrival: Box::new(arrival), span: span.clone(), done };
            self.inner.hand(job).await.map_err(|_| NotTaken)?;
            let taken = answer.await.map_err(|_| NotTaken).flatten();
            self.inner.meter.arrived(channel, since, taken.is_ok());
            taken
        })
    }
}

impl Words {
    fn embedded() -> Result<Words, StartError> {
        let wording = Wording::embedded().map_err(|e| StartError::Words(e.to_string()))?;
        let lexicons = Lexicons::embedded().map_err(|e| StartError::Words(e.to_string()))?;
        let languages = wording.languages().collect();
        Ok(Words { wording, lexicons, languages })
    }
}

impl OpenShop {
    /// Opens a shop with its approved names; what is compiled from a FAQ file that `old` has too is shared with it.
    fn open(shop: Shop, aliases: &[Alias], words: &Words, old: Option<&OpenShop>) -> Result<OpenShop, StartError> {
        let wrong = |what, fault: String| StartError::Shop { merchant: shop.id.clone(), what, fault };
        let (catalog, _) = catalog::read::read(&shop.catalog)
            .map_err(|f| wrong("catalogue", f.first().map(ToString::to_string).unwrap_or_default()))?;
        let faq =
            faq::read(&shop.faq).map_err(|f| wrong("FAQ", f.first().map(ToString::to_string).unwrap_or_default()))?;
        let engine = Engine::compile(&alias::with(&catalog, aliases), &words.lexicons);
        let answerer = match old.filter(|old| old.faq == faq) {
            Some(old) => old.answerer.clone(),
            None => Arc::new(Answerer::compile(&faq)),
        };
        Ok(OpenShop { id: shop.id.clone(), catalog, faq, engine, answerer, version: shop.version })
    }
}

impl From<order::Refused> for NotDone {
    fn from(refused: order::Refused) -> NotDone {
        NotDone::Refused(refused.to_string())
    }
}
