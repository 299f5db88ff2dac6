//! The torture: the real program is killed (SIGKILL) at random moments, again and again, and ends itself at each of its
//! failpoints, while customers order, and nothing that it acknowledged may be lost and nothing may count twice.
//!
//! Sixteen customers each walk through an order, over and over; a fifth of their messages is delivered twice. Half of the
//! program's lives get their updates by webhook, the others by long polling. Four more do the same on the chat page, which
//! sends a message until it is taken. Each failpoint must end a life. Afterwards:
//! - each message was answered once, and each "yes" made exactly one order, with a number of its own;
//! - each acknowledged message is in the program's inbox, and nothing is left in its outbox or was set aside;
//! - an answer came twice only where it was the last one of its chat at a kill: `sendMessage` has no key of idempotency,
//!   so what Telegram took and the program did not get to note down is sent again;
//! - the database is sound.
//!
//! What it does not show: the loss of power (a killed process loses nothing that it wrote; a machine may).
//!
//! `USUAL_TEST_KILLS` sets how many kills there are and `USUAL_TEST_ENDS` how many at each failpoint, `USUAL_TEST_SEED`
//! repeats a run's moments (as far as the machine does), and `USUAL_TEST_BINARY` names another build to be killed, such as
//! a release build, which has no failpoints: then there are kills alone.

use std::{
    collections::{BTreeSet, HashSet},
    fs::{File, OpenOptions},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom as _};
use theusual::failpoint::Failpoint;
use tokio::process::{Child, Command};

use self::support::{
    place::Place,
    telegram::{FakeTelegram, TOKEN},
};

mod support;

/// How many chats there are.
const CHATS: i64 = 16;

/// How many people have the chat page open.
const PAGES: u64 = 4;

/// How long a page waits until it tries again, when its message was not taken.
const PAGE_TRIES_AGAIN: Duration = Duration::from_millis(20);

/// How many kills there are where `USUAL_TEST_KILLS` does not say.
const KILLS: usize = 60;

/// How often each failpoint ends the program where `USUAL_TEST_ENDS` does not say.
const ENDS: usize = 2;

/// How often a failpoint that is passed all the time ends the program, of a hundred passings: a life is to get somewhere.
const ENDS_OF_HUNDRED: u32 = 3;

/// How often a message is delivered a second time, of 1.
const REPEATS: f64 = 0.2;

/// From when to when after the program is ready it is killed, in milliseconds.
const LIFETIME: std::ops::RangeInclusive<u64> = 50..=400;

/// How long the program may take to be ready, or to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a customer waits for an answer, over all the kills that may come in between.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

const SECRET: &str = "the-Torture_s-secret";

/// The signal of a process that ends itself (SIGABRT).
const ABORTED: i32 = 6;

/// The program, and all that it is told.
struct Program {
    binary: PathBuf,
    folder: tempfile::TempDir,
    place: Place,
    port: u16,
    telegram: String,
    client: reqwest::Client,
}

/// How a life of the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is killed.
    Kill,
    /// It ends itself there.
    At(Failpoint),
}

/// One life of the program ended: what Telegram had seen of it.
struct Kill {
    /// Messages taken over all chats until then.
    sent: usize,
    /// Chats that had got an answer in this life: the last answer of each might come again.
    in_flight: usize,
    /// Whether updates were under way.
    busy: bool,
}

/// What a customer did.
struct Walked {
    chat: i64,
    messages: usize,
    /// The numbers of the orders, as the answers named them.
    orders: Vec<i64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let kills: usize = number("USUAL_TEST_KILLS").map_or(KILLS, |kills| kills as usize);
    let seed = number("USUAL_TEST_SEED").unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    let ends = match std::env::var_os("USUAL_TEST_BINARY") {
        Some(_) => 0,
        None => number("USUAL_TEST_ENDS").map_or(ENDS, |ends| ends as usize),
    };
    println!("kill: seed {seed}, {kills} kills, {ends} ends at each failpoint");
    let fake = Arc::new(FakeTelegram::start().await);
    let program = Program::new(fake.url()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let repeated = Arc::new(AtomicUsize::new(0));
    let mut customers = tokio::task::JoinSet::new();
    for chat in 1..=CHATS {
        let random = StdRng::seed_from_u64(seed.wrapping_add(chat as u64));
        customers.spawn(walk(Arc::clone(&fake), chat, random, Arc::clone(&stop), Arc::clone(&repeated)));
    }

    let mut pages = tokio::task::JoinSet::new();
    for _ in 0..PAGES {
        pages.spawn(Page::walk(program.port, Arc::clone(&stop)));
    }

    let started = Instant::now();
    let mut random = StdRng::seed_from_u64(seed);
    let mut history = Vec::new();
    let mut lives: Vec<End> = vec![End::Kill; kills];
    for point in Failpoint::ALL {
        lives.extend(vec![End::At(point); ends]);
    }
    lives.shuffle(&mut random);
    for (life, end) in lives.iter().enumerate() {
        let sent_before = fake.sent();
        let mut child = program.start(by_webhook(*end, life), *end).await;
        match end {
            End::Kill => {
                tokio::time::sleep(Duration::from_millis(random.random_range(LIFETIME))).await;
                child.kill().await.expect("the program was killed");
            }
            End::At(point) => program.ends_at(&mut child, *point).await,
        }
        // A customer that gave up has something to say.
        if let Some(ended) = customers.try_join_next() {
            ended.expect("a customer");
        }
        if let Some(ended) = pages.try_join_next() {
            ended.expect("a page");
        }
        let last_answers = (1..=CHATS).filter_map(|chat| fake.replies(chat).pop());
        let in_flight = last_answers.filter(|reply| reply.sequence >= sent_before).count();
        history.push(Kill { sent: fake.sent(), in_flight, busy: !fake.pending().is_empty() });
    }
    let mut child = program.start(false, End::Kill).await;
    stop.store(true, Ordering::Relaxed);
    let mut walked = Vec::new();
    while let Some(ended) = customers.join_next().await {
        walked.push(ended.expect("a customer"));
    }
    let mut paged = Paged::default();
    while let Some(ended) = pages.join_next().await {
        let ended = ended.expect("a page");
        paged.messages.extend(ended.messages);
        paged.orders.extend(ended.orders);
    }
    fake.wait_delivered().await;
    program.ask_to_end(&mut child).await;

    let duplicates: usize = walked.iter().map(|customer| count_duplicates(&fake, customer, &history)).sum();
    let most: usize = history.iter().map(|kill| kill.in_flight).sum();
    assert!(duplicates <= most, "{duplicates} answers came twice, of {most} in flight");
    let orders = check_database(&program, &fake, &walked, &paged).await;
    fake.assert_empty();
    println!(
        "kill: seed {seed}: {kills} kills and {ends} ends at each of {} failpoints ({} with updates under way) in {} s; {} \
         updates acknowledged, {} of them repeated; {} messages of pages; {orders} orders for {orders} times yes; 0 lost (so fewer than {} of \
         100 ends lose something, at 95 %); {duplicates} answers came twice, of {most} that might have",
        Failpoint::ALL.len(),
        history.iter().filter(|kill| kill.busy).count(),
        started.elapsed().as_secs(),
        fake.acknowledged().len(),
        repeated.load(Ordering::Relaxed),
        paged.messages.len(),
        // The rule of three.
        300_usize.div_ceil(history.len().max(3)),
    );
}

/// How a life gets its updates; a failpoint that only one of the two ways passes needs that one.
fn by_webhook(end: End, life: usize) -> bool {
    end != End::At(Failpoint::Fetched) && life.is_multiple_of(2)
}

/// Orders again and again until `stop`, and then to the end of the order.
async fn walk(
    fake: Arc<FakeTelegram>,
    chat: i64,
    mut random: StdRng,
    stop: Arc<AtomicBool>,
    repeated: Arc<AtomicUsize>,
) -> Walked {
    let mut walked = Walked { chat, messages: 0, orders: Vec::new() };
    let mut seen = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut say = async |text: &str, wanted: &[&str]| {
            let update = fake.say(chat, text);
            if random.random_bool(REPEATS) {
                fake.repeat(update);
                repeated.fetch_add(1, Ordering::Relaxed);
            }
            walked.messages += 1;
            let answer = next_answer(&fake, chat, &mut seen).await;
            let good = wanted.is_empty() || wanted.iter().any(|words| answer.contains(words));
            assert!(good, "to {text:?} chat {chat} got {answer:?}, with none of {wanted:?} in it");
            answer
        };
        say("/start", &[]).await;
        say("2 margherita", &["Margherita"]).await;
        // A shop that remembers the name does not ask for it again.
        if say("pickup", &["What name", "Shall I place it"]).await.contains("What name") {
            say("Anna", &["Shall I place it"]).await;
        }
        let placed = say("yes", &["order is number "]).await;
        walked.orders.push(order_number(&placed).expect("the order's number"));
    }
    walked
}

/// What was done on a page.
#[derive(Default)]
struct Paged {
    /// The ids of the messages, as the inbox names them.
    messages: Vec<String>,
    orders: Vec<i64>,
}

/// A visitor's open page.
struct Page {
    client: reqwest::Client,
    base: String,
    visitor: String,
    /// The last message that was shown.
    cursor: i64,
}

impl Page {
    /// Orders again and again until `stop`, each time as somebody new: who writes for long is slowed down.
    async fn walk(port: u16, stop: Arc<AtomicBool>) -> Paged {
        let mut paged = Paged::default();
        while !stop.load(Ordering::Relaxed) {
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            let visitor = uuid::Uuid::now_v7().simple().to_string();
            let mut page = Page { client, base: format!("http://127.0.0.1:{port}"), visitor, cursor: 0 };
            let steps = [
                ("2 margherita", "Margherita"),
                ("pickup", "What name"),
                ("Anna", "Shall I place it"),
                ("yes", "order is number "),
            ];
            for (text, wanted) in steps {
                paged.messages.push(page.send(text).await);
                let answer = page.answer().await;
                assert!(answer.contains(wanted), "to {text:?} a page got {answer:?}, without {wanted:?}");
                paged.orders.extend(order_number(&answer).filter(|_| text == "yes"));
            }
        }
        paged
    }

    /// Sends a message, under one id, until it is taken; the id.
    async fn send(&self, text: &str) -> String {
        let id = uuid::Uuid::now_v7().to_string();
        let body = serde_json::json!({"id": id, "text": text}).to_string();
        let begun = Instant::now();
        while begun.elapsed() < LONGEST_SILENCE {
            let request = self.client.post(format!("{}/chat/pizzeria/messages", self.base));
            let request = request.header("cookie", self.cookie()).header("origin", &self.base);
            let request = request.header("content-type", "application/json").body(body.clone());
            if request.send().await.is_ok_and(|answer| answer.status().is_success()) {
                return id;
            }
            tokio::time::sleep(PAGE_TRIES_AGAIN).await;
        }
        panic!("{text:?} was not taken from a page");
    }

    /// The shop's next answer, over all the streams that it may take.
    async fn answer(&mut self) -> String {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST_SILENCE {
            let request = self.client.get(format!("{}/chat/pizzeria/events?after={}", self.base, self.cursor));
            let mut text = String::new();
            if let Ok(mut stream) = request.header("cookie", self.cookie()).send().await {
                while let Ok(Ok(Some(chunk))) = tokio::time::timeout(LONGEST_SILENCE, stream.chunk()).await {
                    text.push_str(&String::from_utf8_lossy(&chunk));
                    if let Some(answer) = self.next_in(&mut text) {
                        return answer;
                    }
                }
            }
            tokio::time::sleep(PAGE_TRIES_AGAIN).await;
        }
        panic!("a page got no answer after message {}", self.cursor);
    }

    /// Takes whole events from what has come; the first that the shop said.
    fn next_in(&mut self, text: &mut String) -> Option<String> {
        while let Some(end) = text.find("\n\n") {
            let event: String = text.drain(..end + 2).collect();
            let said = event.lines().find_map(|line| line.strip_prefix("data: ")).filter(|said| said.starts_with('{'));
            let Some(said) = said else { continue };
            let said: serde_json::Value = serde_json::from_str(said).expect("a message");
            let seq = said["seq"].as_i64().expect("a place");
            assert!(seq > self.cursor, "message {seq} was shown after {}", self.cursor);
            self.cursor = seq;
            if said["author"] == "bot" {
                return said["text"].as_str().map(str::to_owned);
            }
        }
        None
    }

    fn cookie(&self) -> String {
        format!("visitor={}", self.visitor)
    }
}

/// The next answer of a chat that is not the one before once more.
async fn next_answer(fake: &FakeTelegram, chat: i64, seen: &mut usize) -> String {
    loop {
        let Some(reply) = fake.reply_within(chat, *seen, LONGEST_SILENCE).await else {
            let replies = fake.replies(chat);
            let last = &replies[replies.len().saturating_sub(5)..];
            panic!("chat {chat} got no answer number {seen}; its last ones are {last:#?}");
        };
        let before = seen.checked_sub(1).map(|before| fake.replies(chat)[before].text.clone());
        *seen += 1;
        if before.as_ref() != Some(&reply.text) {
            return reply.text;
        }
    }
}

/// "Your order is number 17, €19.00".
fn order_number(answer: &str) -> Option<i64> {
    let (_, rest) = answer.split_once("order is number ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Answers of a chat that came twice. Each must be the one before once more, with a kill in between; all others answer a
/// message each.
fn count_duplicates(fake: &FakeTelegram, customer: &Walked, history: &[Kill]) -> usize {
    let replies = fake.replies(customer.chat);
    let mut duplicates = 0;
    for pair in replies.windows(2) {
        if pair[0].text == pair[1].text {
            let killed = history.iter().any(|kill| pair[0].sequence < kill.sent && kill.sent <= pair[1].sequence);
            assert!(killed, "chat {} got an answer twice without a kill: {:?}", customer.chat, pair[0].text);
            duplicates += 1;
        }
    }
    assert_eq!(replies.len() - duplicates, customer.messages, "answers and messages of chat {}", customer.chat);
    duplicates
}

/// The number of orders in the database, which is that of the customers.
async fn check_database(program: &Program, fake: &FakeTelegram, walked: &[Walked], paged: &Paged) -> usize {
    let place = &program.place;
    place.assert_sound().await;

    let by_chat = walked.iter().flat_map(|customer| &customer.orders);
    let named: Vec<i64> = by_chat.chain(&paged.orders).copied().collect();
    let distinct: BTreeSet<i64> = named.iter().copied().collect();
    assert_eq!(distinct.len(), named.len(), "two answers named the same order");
    let stored: Vec<i64> = place.numbers("SELECT number FROM orders").await;
    assert_eq!(stored.len(), named.len(), "one order for each yes");
    assert_eq!(stored.into_iter().collect::<BTreeSet<_>>(), distinct, "the orders that were named are those stored");

    let inbox: Vec<String> = place.texts("SELECT foreign_id FROM inbox WHERE channel = 'telegram'").await;
    let inbox: HashSet<String> = inbox.into_iter().collect();
    let lost: Vec<i64> =
        fake.acknowledged().into_iter().filter(|update| !inbox.contains(&format!("u{update}"))).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let inbox: Vec<String> = place.texts("SELECT foreign_id FROM inbox WHERE channel = 'web'").await;
    let mut inbox: Vec<&str> = inbox.iter().filter_map(|id| id.split(':').next_back()).collect();
    let mut taken: Vec<&str> = paged.messages.iter().map(String::as_str).collect();
    inbox.sort_unstable();
    taken.sort_unstable();
    assert_eq!(inbox, taken, "messages of pages");
    assert_eq!(place.numbers("SELECT count(*) FROM aside").await, [0], "turns that failed");
    assert_eq!(place.numbers("SELECT count(*) FROM outbox").await, [0], "answers that were not sent");
    named.len()
}

impl Program {
    async fn new(telegram: &str) -> Program {
        let binary = std::env::var_os("USUAL_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_usual").into());
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        Program {
            binary: binary.into(),
            folder: tempfile::tempdir().expect("a folder"),
            place: Place::new().await,
            port: free.local_addr().expect("an address").port(),
            telegram: telegram.to_owned(),
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
        }
    }

    /// Starts it and waits until it is ready, or has ended at its failpoint already.
    async fn start(&self, webhook: bool, end: End) -> Child {
        let folder = self.folder.path();
        let mut command = Command::new(&self.binary);
        command
            .arg("serve")
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("TELOXIDE_TOKEN", TOKEN)
            .env("TELOXIDE_API_URL", &self.telegram)
            .env("USUAL_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("USUAL_PUBLIC_URL", format!("http://127.0.0.1:{}", self.port))
            .env("DATABASE_URL", self.place.address())
            .stdin(Stdio::null())
            .stdout(log_file(folder))
            .stderr(log_file(folder))
            .kill_on_drop(true);
        if webhook {
            command.env("USUAL_TELEGRAM_SECRET", SECRET);
        }
        if let End::At(point) = end {
            // Those that a life passes once or twice, and those that it passes with each message.
            let action = match point {
                Failpoint::Opened | Failpoint::OutboxRead | Failpoint::Leased | Failpoint::Draining => {
                    "return".to_owned()
                }
                _ => format!("{ENDS_OF_HUNDRED}%return"),
            };
            command.env("FAILPOINTS", format!("{}={action}", point.word()));
        }
        let mut child = command.spawn().expect("the program starts");
        let ready = async {
            let url = format!("http://127.0.0.1:{}/healthz", self.port);
            loop {
                if let Some(status) = child.try_wait().expect("the program's state") {
                    if end != End::Kill && status.signal() == Some(ABORTED) {
                        return;
                    }
                    panic!("the program ended by itself ({status}):\n{}", self.end_of_log());
                }
                if self.client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, ready).await.is_err() {
            panic!("the program did not get ready:\n{}", self.end_of_log());
        }
        child
    }

    /// Waits until it has ended at a failpoint.
    async fn ends_at(&self, child: &mut Child, point: Failpoint) {
        if point == Failpoint::Draining {
            tokio::time::sleep(Duration::from_millis(*LIFETIME.end())).await;
            self.terminate(child).await;
        }
        match tokio::time::timeout(PATIENCE, child.wait()).await {
            Ok(status) => {
                let status = status.expect("a status");
                assert_eq!(status.signal(), Some(ABORTED), "{point:?}: {status}:\n{}", self.end_of_log());
            }
            Err(_) => panic!("{point:?} was never passed:\n{}", self.end_of_log()),
        }
    }

    async fn terminate(&self, child: &Child) {
        let id = child.id().expect("the program runs").to_string();
        let sent = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &id]).status().await.expect("a shell");
        assert!(sent.success(), "the program could not be asked to end");
    }

    /// Asks it to end (SIGTERM), as an operating system does, and waits until it has.
    async fn ask_to_end(&self, child: &mut Child) {
        self.terminate(child).await;
        match tokio::time::timeout(PATIENCE, child.wait()).await {
            Ok(status) => assert!(status.expect("a status").success(), "it failed:\n{}", self.end_of_log()),
            Err(_) => panic!("the program did not end:\n{}", self.end_of_log()),
        }
    }

    fn end_of_log(&self) -> String {
        let log = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(8_000)..]).into_owned()
    }
}

fn log_file(folder: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("a log file")
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
