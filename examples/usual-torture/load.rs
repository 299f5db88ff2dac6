//! The customers, and Telegram's side of the webhook: each chat walks through orders, over and over; an update is posted
//! until it is answered 2xx, and only then the next one of its chat, as Telegram does it. Some updates are posted many
//! times at once, and some chats get theirs in any order.
//!
//! Customers who wait for an answer before they write on are kind to a program that stalls: for as long as it does,
//! nobody comes. Where times are compared, updates therefore come in a [`Flow`]: at a fixed rate, whatever becomes of
//! the earlier ones, and each is timed from the moment for which it was planned.
//!
//! What was sent, and what was answered how, is all kept for the checker.

use std::{
    collections::{BTreeMap, VecDeque},
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

/// How long an idle connection is kept for the next update. The program closes one after 10 s; one that it closes just
/// as it is used again would look like a webhook that broke off.
const KEPT: Duration = Duration::from_secs(5);

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

/// Arrivals at a fixed rate, in turn from each of many chats.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    /// How many chats there are.
    pub chats: usize,
    /// Updates a second, of all of them together.
    pub rate: f64,
}

/// What a customer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Wrote.
    Words,
    /// Pressed the button that carries this.
    Press,
    /// Changed the message of an earlier update; its number.
    Edit(i64),
}

/// An update, and what became of it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Update {
    pub id: i64,
    pub chat: i64,
    pub kind: Kind,
    /// What was written, or what the button carries.
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
    /// How long each 2xx took: from when it was posted, in a [`Flow`] from when it should have been for the first time.
    pub took: Vec<Duration>,
    /// How much later than planned those of a flow were posted for the first time. It is this program's own fault.
    pub late: Vec<Duration>,
}

/// How all webhooks were answered.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// How often each status.
    pub statuses: BTreeMap<u16, usize>,
    /// Nobody listened.
    pub refused: usize,
    /// The connection broke after it was opened.
    pub broken: usize,
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
    totals: Mutex<Totals>,
}

impl Load {
    /// Nobody orders yet. Several programs get the updates in turn.
    pub fn new(programs: &[&Program]) -> anyhow::Result<Load> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_WITHIN)
            .pool_max_idle_per_host(512)
            .pool_idle_timeout(KEPT)
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
            totals: Mutex::default(),
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

    /// Lets updates come at a fixed rate, until [`Load::finish`]. Holding customers back does not hold these.
    pub fn flow(&mut self, flow: Flow, seed: u64) {
        let first = self.shared.next_chat.fetch_add(flow.chats as i64, Ordering::Relaxed);
        self.customers.spawn(pour(Arc::clone(&self.shared), first, flow, StdRng::seed_from_u64(seed)));
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

    /// How webhooks were answered since the beginning.
    pub fn totals(&self) -> Totals {
        lock(&self.totals).clone()
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

    /// A new update of words, not sent yet.
    pub fn write_down(&self, chat: i64, text: &str, copies: usize) -> Update {
        self.write_down_as(Kind::Words, chat, text, copies)
    }

    /// A new update of any kind, not sent yet.
    pub fn write_down_as(&self, kind: Kind, chat: i64, text: &str, copies: usize) -> Update {
        let id = self.next_update.fetch_add(1, Ordering::Relaxed);
        let text = text.replace("{id}", &id.to_string());
        let update = Update { id, chat, kind, text, copies, acknowledged: false };
        lock(&self.updates).insert(id, update.clone());
        update
    }

    /// Posts an update until all its copies are acknowledged.
    pub async fn deliver(self: &Arc<Self>, update: Update) {
        let body = body_of(&update);
        let mut others = JoinSet::new();
        for _ in 1..update.copies {
            let (shared, body) = (Arc::clone(self), body.clone());
            others.spawn(async move { shared.post(update.id, body, None).await });
        }
        self.post(update.id, body, None).await;
        while others.join_next().await.is_some() {}
    }

    /// A number for a chat of one's own.
    pub fn new_chat(&self) -> i64 {
        self.next_chat.fetch_add(1, Ordering::Relaxed)
    }

    /// Posts a body until it is acknowledged. What was `planned` for a moment is timed from then on.
    async fn post(&self, id: i64, body: String, planned: Option<Instant>) {
        if let Some(planned) = planned {
            lock(&self.answers).late.push(planned.elapsed());
        }
        let mut wait = AGAIN.0;
        loop {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let hook = &self.hooks[turn % self.hooks.len()];
            let begun = Instant::now();
            let request = self.client.post(hook).header("x-telegram-bot-api-secret-token", SECRET);
            let answer = request.header("content-type", "application/json").body(body.clone()).send().await;
            let acknowledged = {
                let (mut answers, mut totals) = (lock(&self.answers), lock(&self.totals));
                match answer {
                    Ok(answer) => {
                        let status = answer.status().as_u16();
                        *answers.statuses.entry(status).or_default() += 1;
                        *totals.statuses.entry(status).or_default() += 1;
                        let good = answer.status().is_success();
                        if good {
                            answers.took.push(planned.unwrap_or(begun).elapsed());
                        }
                        good
                    }
                    Err(error) => {
                        if error.is_connect() {
                            answers.refused += 1;
                            totals.refused += 1;
                        } else {
                            answers.broken.push(Broken { begun, ended: Instant::now() });
                            totals.broken += 1;
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
    /// Answers that were 5xx.
    pub fn failed(&self) -> usize {
        self.statuses.iter().filter(|(status, _)| **status >= 500).map(|(_, count)| count).sum()
    }
}

impl Totals {
    /// Webhooks that were posted, each try counted.
    pub fn posted(&self) -> usize {
        self.statuses.values().sum::<usize>() + self.refused + self.broken
    }

    /// Those that were answered 2xx.
    pub fn good(&self) -> usize {
        self.statuses.iter().filter(|(status, _)| (200..300).contains(*status)).map(|(_, count)| count).sum()
    }

    /// All others, one by one.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (status, count) in self.statuses.iter().filter(|(status, _)| !(200..300).contains(*status)) {
            faults.extend((0..*count).map(|_| format!("a webhook was answered {status}")));
        }
        faults.extend((0..self.refused).map(|_| "a webhook found nobody listening".to_owned()));
        faults.extend((0..self.broken).map(|_| "a webhook's connection broke".to_owned()));
        faults
    }
}

/// The value within which this part of them lies, in milliseconds. Of none it is no number, which is within no limit.
pub fn percentile(took: &[Duration], part: f64) -> f64 {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    let at = ((sorted.len() as f64 * part).ceil() as usize).saturating_sub(1);
    sorted.get(at).map_or(f64::NAN, |took| took.as_secs_f64() * 1_000.0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn body_of(update: &Update) -> String {
    let (chat, text) = (update.chat, &update.text);
    let from = json!({"id": chat, "is_bot": false, "first_name": "Person", "language_code": "en"});
    let to = json!({"id": chat, "type": "private", "first_name": "Person"});
    let (field, of) = match update.kind {
        Kind::Words => ("message", update.id),
        Kind::Edit(of) => ("edited_message", of),
        Kind::Press => {
            let under = json!({"message_id": 1, "chat": to, "date": 1_700_000_000});
            let query = format!("q{}", update.id);
            let press = json!({"id": query, "from": from, "message": under, "chat_instance": "1", "data": text});
            return json!({"update_id": update.id, "callback_query": press}).to_string();
        }
    };
    let mut message = json!({"message_id": of, "from": from, "chat": to, "date": 1_700_000_000, "text": text});
    if text.starts_with('/') {
        let length = text.split_whitespace().next().unwrap_or("/").len();
        message["entities"] = json!([{"type": "bot_command", "offset": 0, "length": length}]);
    }
    json!({"update_id": update.id, field: message}).to_string()
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

/// Posts the updates of a flow, each at its moment, and waits for all in the end. A chat's next update does not wait
/// for the one before; with as many chats as there should be it hardly ever comes while that one is under way.
async fn pour(shared: Arc<Shared>, first: i64, flow: Flow, mut random: StdRng) -> (i64, Option<Walked>) {
    let mut to_say: Vec<Option<VecDeque<String>>> = vec![None; flow.chats];
    let mut posts = JoinSet::new();
    let begun = Instant::now();
    for count in 0_usize.. {
        let planned = begun + Duration::from_secs_f64(count as f64 / flow.rate);
        tokio::time::sleep_until(planned.into()).await;
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        let place = count % flow.chats;
        let texts = to_say[place].get_or_insert_with(|| order(&mut random, true).into());
        let text = match texts.pop_front() {
            Some(text) => text,
            None => {
                texts.extend(order(&mut random, false));
                texts.pop_front().unwrap_or_default()
            }
        };
        let update = shared.write_down(first + place as i64, &text, 1);
        let shared = Arc::clone(&shared);
        posts.spawn(async move { shared.post(update.id, body_of(&update), Some(planned)).await });
        // What is done is let go, so that a long flow holds no more than is under way.
        while posts.try_join_next().is_some() {}
    }
    while posts.join_next().await.is_some() {}
    (first, None)
}
