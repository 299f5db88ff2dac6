//! The customers, and Telegram's side of the webhook: each chat walks through orders, over and over; an update is posted
//! until it is answered 2xx, and only then the next one of its chat, as Telegram does it. Some updates are posted many
//! times at once, and some chats get theirs in any order.
//!
//! What was sent, and what was answered how, is all kept for the checker.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::bail;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::json;
use tokio::task::JoinSet;

use crate::program::{Program, SECRET};

/// The shortest and the longest wait before a failed update is posted again. Telegram waits longer; a torture is short.
const AGAIN: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

/// How long Telegram waits for an answer (tdlib/telegram-bot-api#211).
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// How long all customers may take to come to the end of their orders once nothing is wrong any more.
const PATIENCE: Duration = Duration::from_secs(120);

/// Updates of a chat that are shuffled together.
const SHUFFLED: usize = 5;

/// How customers behave.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// How many there are.
    pub chats: usize,
    /// Messages a second, of all of them together; each waits that long between two.
    pub rate: f64,
    /// Updates that are posted 2 to [`Habits::copies`] times at once, of 1.
    pub repeats: f64,
    /// The most copies.
    pub copies: usize,
    /// Chats whose updates are shuffled, of 1.
    pub shuffled: f64,
    /// Whether it can't be told how many orders come of it.
    pub uncounted: bool,
}

/// An update, and what became of it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Update {
    pub id: i64,
    pub chat: i64,
    pub text: String,
    /// How often it was posted at once.
    pub copies: usize,
    /// Whether it was answered 2xx, at least once.
    pub acknowledged: bool,
}

/// How webhooks were answered.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// How often each status.
    pub statuses: BTreeMap<u16, usize>,
    /// Nobody listened.
    pub refused: usize,
    /// The connection broke after it was opened.
    pub broken: Vec<Broken>,
    /// How long each 2xx took.
    pub took: Vec<Duration>,
}

/// A webhook that got no answer.
#[derive(Debug, Clone, Copy)]
pub struct Broken {
    pub begun: Instant,
    pub ended: Instant,
}

/// A chat that got all its updates in order.
#[derive(Debug, Clone, Default)]
pub struct Walked {
    /// Times that a read-back got its yes, acknowledged.
    pub confirmed: usize,
}

/// The customers, while they order.
pub struct Load {
    shared: Arc<Shared>,
    customers: JoinSet<(i64, Option<Walked>)>,
    walked: BTreeMap<i64, Walked>,
}

/// Where updates are posted and what was sent; outlives the customers.
pub struct Shared {
    client: reqwest::Client,
    hooks: Vec<String>,
    turn: AtomicUsize,
    next_update: AtomicI64,
    next_chat: AtomicI64,
    stop: AtomicBool,
    pause: AtomicU64,
    updates: Mutex<BTreeMap<i64, Update>>,
    answers: Mutex<Answers>,
}

impl Load {
    /// Nobody orders yet. Several programs get the updates in turn.
    pub fn new(programs: &[&Program]) -> anyhow::Result<Load> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_WITHIN)
            .pool_max_idle_per_host(512)
            .tcp_nodelay(true)
            .build()?;
        let shared = Shared {
            client,
            hooks: programs.iter().map(|program| program.hook()).collect(),
            turn: AtomicUsize::new(0),
            next_update: AtomicI64::new(1_000),
            next_chat: AtomicI64::new(1),
            stop: AtomicBool::new(false),
            pause: AtomicU64::new(0),
            updates: Mutex::default(),
            answers: Mutex::default(),
        };
        Ok(Load { shared: Arc::new(shared), customers: JoinSet::new(), walked: BTreeMap::new() })
    }

    /// Lets customers order, until [`Load::finish`].
    pub fn begin(&mut self, habits: Habits, seed: u64) {
        for place in 0..habits.chats {
            let chat = self.shared.next_chat.fetch_add(1, Ordering::Relaxed);
            let random = StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(chat as u64));
            let shuffled = (place as f64) < habits.shuffled * habits.chats as f64;
            self.customers.spawn(customer(Arc::clone(&self.shared), chat, habits, random, shuffled));
        }
    }

    /// What is shared with the customers.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Lets every customer come to the end of their order.
    pub async fn finish(&mut self) -> anyhow::Result<()> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match tokio::time::timeout_at(deadline, self.customers.join_next()).await {
                Ok(Some(walked)) => {
                    if let (chat, Some(walked)) = walked? {
                        self.walked.insert(chat, walked);
                    }
                }
                Ok(None) => break,
                Err(_) => bail!("{} customers still get no answer", self.customers.len()),
            }
        }
        self.shared.stop.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Chats that got all their updates in order.
    pub fn walked(&self) -> &BTreeMap<i64, Walked> {
        &self.walked
    }
}

impl Shared {
    /// Everything that was sent.
    pub fn updates(&self) -> BTreeMap<i64, Update> {
        lock(&self.updates).clone()
    }

    /// How many updates were acknowledged.
    pub fn acknowledged(&self) -> usize {
        lock(&self.updates).values().filter(|update| update.acknowledged).count()
    }

    /// How webhooks were answered since the last time that this was asked.
    pub fn take_answers(&self) -> Answers {
        std::mem::take(&mut lock(&self.answers))
    }

    /// Holds every customer back, or lets them go on.
    pub fn hold(&self, held: bool) {
        self.pause.store(u64::from(held), Ordering::Relaxed);
    }

    /// Sends a text of a chat: `copies` times at once, each until it is acknowledged.
    pub async fn say(self: &Arc<Self>, chat: i64, text: &str, copies: usize) {
        let update = self.write_down(chat, text, copies);
        self.deliver(update).await;
    }

    /// A new update, not sent yet.
    pub fn write_down(&self, chat: i64, text: &str, copies: usize) -> Update {
        let id = self.next_update.fetch_add(1, Ordering::Relaxed);
        let text = text.replace("{id}", &id.to_string());
        let update = Update { id, chat, text, copies, acknowledged: false };
        lock(&self.updates).insert(id, update.clone());
        update
    }

    /// Posts an update until all its copies are acknowledged.
    pub async fn deliver(self: &Arc<Self>, update: Update) {
        let body = body_of(&update);
        let mut others = JoinSet::new();
        for _ in 1..update.copies {
            let (shared, body) = (Arc::clone(self), body.clone());
            others.spawn(async move { shared.post(update.id, body).await });
        }
        self.post(update.id, body).await;
        while others.join_next().await.is_some() {}
    }

    /// A number for a chat of one's own.
    pub fn new_chat(&self) -> i64 {
        self.next_chat.fetch_add(1, Ordering::Relaxed)
    }

    async fn post(&self, id: i64, body: String) {
        let mut wait = AGAIN.0;
        loop {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let hook = &self.hooks[turn % self.hooks.len()];
            let begun = Instant::now();
            let request = self.client.post(hook).header("x-telegram-bot-api-secret-token", SECRET);
            let answer = request.header("content-type", "application/json").body(body.clone()).send().await;
            let acknowledged = {
                let mut answers = lock(&self.answers);
                match answer {
                    Ok(answer) => {
                        *answers.statuses.entry(answer.status().as_u16()).or_default() += 1;
                        let good = answer.status().is_success();
                        if good {
                            answers.took.push(begun.elapsed());
                        }
                        good
                    }
                    Err(error) => {
                        if error.is_connect() {
                            answers.refused += 1;
                        } else {
                            answers.broken.push(Broken { begun, ended: Instant::now() });
                        }
                        false
                    }
                }
            };
            if acknowledged {
                if let Some(update) = lock(&self.updates).get_mut(&id) {
                    update.acknowledged = true;
                }
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(AGAIN.1);
        }
    }
}

impl Answers {
    /// The time within which this part of the 2xx came, in milliseconds.
    pub fn percentile(&self, part: f64) -> f64 {
        percentile(&self.took, part)
    }

    /// Answers that were 5xx.
    pub fn failed(&self) -> usize {
        self.statuses.iter().filter(|(status, _)| **status >= 500).map(|(_, count)| count).sum()
    }
}

/// The value below which this part of them lies, in milliseconds.
pub fn percentile(took: &[Duration], part: f64) -> f64 {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    let at = ((sorted.len() as f64 * part).ceil() as usize).saturating_sub(1);
    sorted.get(at).map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn body_of(update: &Update) -> String {
    let (chat, text) = (update.chat, &update.text);
    let from = json!({"id": chat, "is_bot": false, "first_name": "Person", "language_code": "en"});
    let to = json!({"id": chat, "type": "private", "first_name": "Person"});
    let mut message = json!({"message_id": update.id, "from": from, "chat": to, "date": 1_700_000_000, "text": text});
    if text.starts_with('/') {
        let length = text.split_whitespace().next().unwrap_or("/").len();
        message["entities"] = json!([{"type": "bot_command", "offset": 0, "length": length}]);
    }
    json!({"update_id": update.id, "message": message}).to_string()
}

/// One order, as texts; `{id}` becomes the update's number, so that no two are the same.
fn order(random: &mut StdRng, first: bool) -> Vec<String> {
    let mut texts = Vec::new();
    if first {
        texts.push("/start".to_owned());
    }
    texts.push(format!("{} margherita #{{id}}", random.random_range(1..=6)));
    if random.random_bool(0.3) {
        texts.push("and 1 diavola #{id}".to_owned());
    }
    texts.push("pickup".to_owned());
    if first {
        texts.push("Anna".to_owned());
    }
    texts.push("yes".to_owned());
    if random.random_bool(0.1) {
        texts.push("cancel my order".to_owned());
    }
    texts
}

async fn customer(
    shared: Arc<Shared>,
    chat: i64,
    habits: Habits,
    mut random: StdRng,
    shuffled: bool,
) -> (i64, Option<Walked>) {
    let mut walked = Walked::default();
    let mut first = true;
    let pace = Duration::from_secs_f64(habits.chats as f64 / habits.rate);
    tokio::time::sleep(pace.mul_f64(random.random())).await;
    while !shared.stop.load(Ordering::Relaxed) {
        while shared.pause.load(Ordering::Relaxed) == 1 {
            tokio::time::sleep(AGAIN.0).await;
        }
        let mut texts = order(&mut random, first);
        first = false;
        let copies = |random: &mut StdRng| {
            if random.random_bool(habits.repeats) { random.random_range(2..=habits.copies.max(2)) } else { 1 }
        };
        if shuffled {
            texts.shuffle(&mut random);
            for few in texts.chunks(SHUFFLED) {
                let mut together = JoinSet::new();
                for text in few {
                    let update = shared.write_down(chat, text, copies(&mut random));
                    let shared = Arc::clone(&shared);
                    together.spawn(async move { shared.deliver(update).await });
                }
                while together.join_next().await.is_some() {}
                tokio::time::sleep(pace.mul_f64(2.0 * random.random::<f64>()) * few.len() as u32).await;
            }
            continue;
        }
        for text in &texts {
            let copies = copies(&mut random);
            shared.say(chat, text, copies).await;
            if text == "yes" {
                walked.confirmed += 1;
            }
            if !shared.stop.load(Ordering::Relaxed) {
                tokio::time::sleep(pace.mul_f64(2.0 * random.random::<f64>())).await;
            }
        }
    }
    (chat, (!shuffled && !habits.uncounted).then_some(walked))
}
