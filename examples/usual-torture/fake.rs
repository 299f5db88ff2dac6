//! A Telegram that remembers what it was given, per chat and in order, and that misbehaves as it is told. It is leaner
//! than the one of the tests, and takes thousands of messages a second; it does not check what it is sent beyond what
//! the checker needs.
//!
//! Each connection belongs to the life of the program in which it was opened, so that what a killed program had on the
//! wire is not taken for its successor's: [`Fake::quiet`] waits for that.
//!
//! It notes when each call came, and until when it told whom to wait, by its own clock: a program that hears of a wait
//! later than it was said can only come later.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use rand::Rng as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The bot's token here.
pub const TOKEN: &str = "123456:FAKE-token_of_the_rack";

/// Most messages that Telegram takes in any second, of a bot in all and to one person (core.telegram.org/bots/faq).
pub const MOST_A_SECOND: usize = 30;
const MOST_A_SECOND_TO_ONE: usize = 1;

/// What those limits are for.
const SECOND: Duration = Duration::from_secs(1);

/// How Telegram behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Answers that are 429, of 1. They are about one chat.
    pub too_many: f64,
    /// Seconds for which such a chat has to wait; one of them by chance, and at least one.
    pub waits: [u64; 3],
    /// Until then every message is answered 429, with what is left of it.
    pub closed_until: Option<Instant>,
    /// Everything is answered 500.
    pub out: bool,
    /// Answers that are 500, of 1.
    pub broken: f64,
    /// Messages that are taken and not answered: the connection is closed.
    pub reset: f64,
    /// How long every answer takes.
    pub delay: Duration,
    /// Requests are read and nothing comes back.
    pub mute: bool,
}

/// A message that the bot sent.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Taken {
    /// What it says.
    pub text: String,
    /// In which life of the program.
    pub life: u32,
    /// Whether the program got to hear that it was taken.
    pub answered: bool,
    /// When, in milliseconds from the start.
    pub at_ms: u64,
    /// What can be pressed below it.
    pub buttons: Vec<Button>,
}

/// A button below a message.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What comes back when it is pressed.
    pub data: String,
}

/// A message that the bot wanted to send, whatever it was answered.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// To whom.
    pub chat: i64,
    /// When it came.
    pub at: Instant,
}

/// What the waits that Telegram asked for came to.
#[derive(Debug, Clone, Default)]
pub struct Waits {
    /// Calls to a chat that came before its wait was over, in the life of the program that had been told.
    pub early: Vec<String>,
    /// How long after their waits were over the others came.
    pub late: Vec<Duration>,
}

/// What it did that was no plain yes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Troubles {
    /// 429 answers.
    pub too_many: usize,
    /// 500 answers.
    pub broken: usize,
    /// Connections closed after the message was taken.
    pub reset: usize,
}

/// The server. It lives as long as the process.
pub struct Fake {
    shared: Arc<Shared>,
    url: String,
}

struct Shared {
    chats: Mutex<HashMap<i64, Vec<Taken>>>,
    calls: Mutex<Vec<Call>>,
    /// Until when each chat has to wait, and which life of the program was told.
    told: Mutex<HashMap<i64, (Instant, u32)>>,
    waits: Mutex<Waits>,
    manner: Mutex<Manner>,
    troubles: Mutex<Troubles>,
    life: AtomicU32,
    /// Open connections of a life.
    open: Mutex<HashMap<u32, usize>>,
    message: AtomicUsize,
    begun: Instant,
}

impl Fake {
    /// Starts it on a port of its own.
    pub async fn start() -> anyhow::Result<Fake> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            chats: Mutex::default(),
            calls: Mutex::default(),
            told: Mutex::default(),
            waits: Mutex::default(),
            manner: Mutex::default(),
            troubles: Mutex::default(),
            life: AtomicU32::new(0),
            open: Mutex::default(),
            message: AtomicUsize::new(1),
            begun: Instant::now(),
        });
        tokio::spawn(serve(Arc::clone(&shared), listener));
        Ok(Fake { shared, url })
    }

    /// What `TELOXIDE_API_URL` is to be.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Behaves like this from now on.
    pub fn behave(&self, manner: Manner) {
        *lock(&self.shared.manner) = manner;
    }

    /// What went wrong by intention so far.
    pub fn troubles(&self) -> Troubles {
        *lock(&self.shared.troubles)
    }

    /// The program has ended: waits until all that it had on the wire is read, and begins the next life.
    pub async fn quiet(&self) {
        let life = self.shared.life.fetch_add(1, Ordering::SeqCst);
        while lock(&self.shared.open).get(&life).is_some_and(|open| *open > 0) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// What was taken, by chat.
    pub fn taken(&self) -> HashMap<i64, Vec<Taken>> {
        lock(&self.shared.chats).clone()
    }

    /// How many messages were taken.
    pub fn count(&self) -> usize {
        lock(&self.shared.chats).values().map(Vec::len).sum()
    }

    /// How many messages a chat was given.
    pub fn count_of(&self, chat: i64) -> usize {
        lock(&self.shared.chats).get(&chat).map_or(0, Vec::len)
    }

    /// The data of the button with that label, of the latest message of a chat that has one.
    pub fn button(&self, chat: i64, label: &str) -> Option<String> {
        let chats = lock(&self.shared.chats);
        let mut buttons = chats.get(&chat)?.iter().rev().flat_map(|taken| &taken.buttons);
        buttons.find(|button| button.label == label).map(|button| button.data.clone())
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        let mut calls = lock(&self.shared.calls).clone();
        calls.sort_by_key(|call| call.at);
        calls
    }

    /// What the waits came to that were asked for so far.
    pub fn waits(&self) -> Waits {
        lock(&self.shared.waits).clone()
    }

    /// A moment, in milliseconds from the start.
    pub fn millis_at(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.shared.begun).as_millis() as u64
    }

    /// Chats that have got an answer in this life of the program: the last of each may come again after a kill.
    pub fn talking(&self) -> usize {
        let life = self.shared.life.load(Ordering::SeqCst);
        let chats = lock(&self.shared.chats);
        chats.values().filter(|chat| chat.last().is_some_and(|taken| taken.life == life)).count()
    }
}

impl Shared {
    /// Notes that a message came, and whether it should have come later.
    fn note(&self, chat: i64, life: u32, at: Instant) {
        lock(&self.calls).push(Call { chat, at });
        let Some((until, told)) = lock(&self.told).remove(&chat) else { return };
        // A program that was killed may not have lived to write down that it has to wait.
        if told != life {
            return;
        }
        let mut waits = lock(&self.waits);
        match until.checked_duration_since(at) {
            Some(left) if !left.is_zero() => waits.early.push(format!("chat {chat}: {left:?} too early")),
            Some(_) | None => waits.late.push(at.saturating_duration_since(until)),
        }
    }

    /// "Too many requests", and how long this chat has to wait.
    fn too_many(&self, chat: i64, life: u32, seconds: u64) -> Response<Full<Bytes>> {
        lock(&self.troubles).too_many += 1;
        lock(&self.told).insert(chat, (Instant::now() + Duration::from_secs(seconds), life));
        let description = format!("Too Many Requests: retry after {seconds}");
        let parameters = json!({"retry_after": seconds});
        let body = json!({"ok": false, "error_code": 429, "description": description, "parameters": parameters});
        said(429, &body)
    }

    fn broken(&self) -> Response<Full<Bytes>> {
        lock(&self.troubles).broken += 1;
        said(500, &json!({"ok": false, "error_code": 500, "description": "Internal Server Error"}))
    }
}

/// Stretches of a second in which more came than Telegram takes: in all, and to one chat. The calls come in order.
pub fn over_limits(calls: &[Call]) -> (Vec<String>, Vec<String>) {
    let over = |calls: &[Call], most: usize| -> Vec<Duration> {
        let stretches = calls.windows(most + 1).map(|calls| calls[most].at.duration_since(calls[0].at));
        stretches.filter(|stretch| *stretch < SECOND).collect()
    };
    let in_all = over(calls, MOST_A_SECOND);
    let in_all = in_all.into_iter().map(|stretch| format!("{} within {stretch:?}", MOST_A_SECOND + 1)).collect();
    let mut by_chat: HashMap<i64, Vec<Call>> = HashMap::new();
    for call in calls {
        by_chat.entry(call.chat).or_default().push(*call);
    }
    let of_chat = |(chat, calls): (&i64, &Vec<Call>)| -> Vec<String> {
        let stretches = over(calls, MOST_A_SECOND_TO_ONE).into_iter();
        stretches.map(|stretch| format!("chat {chat}: {} within {stretch:?}", MOST_A_SECOND_TO_ONE + 1)).collect()
    };
    (in_all, by_chat.iter().flat_map(of_chat).collect())
}

/// Nothing here panics while it holds a lock, and if it did the state would still be good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let life = shared.life.load(Ordering::SeqCst);
        *lock(&shared.open).entry(life).or_default() += 1;
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let of_this = Arc::clone(&shared);
            let service = service_fn(move |request| answer(Arc::clone(&of_this), life, request));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            if let Some(open) = lock(&shared.open).get_mut(&life) {
                *open -= 1;
            }
        });
    }
}

async fn answer(
    shared: Arc<Shared>,
    life: u32,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, io::Error> {
    let arrived = Instant::now();
    let hang_up = || io::Error::other("the connection is to be closed");
    let method = request.uri().path().rsplit('/').next().unwrap_or("").to_lowercase();
    let body = request.into_body().collect().await.map_err(|_| hang_up())?.to_bytes();
    let manner = *lock(&shared.manner);
    if method != "sendmessage" {
        if manner.mute {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(manner.delay).await;
        return Ok(if manner.out { shared.broken() } else { said(200, &json!({"ok": true, "result": true})) });
    }
    let read: Value = serde_json::from_slice(&body).map_err(|_| hang_up())?;
    let (Some(chat), Some(text)) = (read["chat_id"].as_i64(), read["text"].as_str()) else {
        return Ok(said(400, &json!({"ok": false, "error_code": 400, "description": "Bad Request: no text"})));
    };
    shared.note(chat, life, arrived);
    if manner.mute {
        std::future::pending::<()>().await;
    }
    if manner.out {
        return Ok(shared.broken());
    }
    if let Some(left) = manner.closed_until.and_then(|until| until.checked_duration_since(Instant::now())) {
        return Ok(shared.too_many(chat, life, left.as_secs() + 1));
    }
    let dice: f64 = rand::rng().random();
    if dice < manner.too_many {
        let seconds = manner.waits[rand::rng().random_range(0..manner.waits.len())];
        return Ok(shared.too_many(chat, life, seconds.max(1)));
    }
    if dice < manner.too_many + manner.broken {
        return Ok(shared.broken());
    }
    let place = {
        let mut chats = lock(&shared.chats);
        let taken = chats.entry(chat).or_default();
        let at_ms = shared.begun.elapsed().as_millis() as u64;
        let buttons = buttons_of(&read["reply_markup"]["inline_keyboard"]);
        taken.push(Taken { text: text.to_owned(), life, answered: false, at_ms, buttons });
        taken.len() - 1
    };
    if dice < manner.too_many + manner.broken + manner.reset {
        lock(&shared.troubles).reset += 1;
        return Err(hang_up());
    }
    // Where the program has given up waiting, this ends here, and the message stays unanswered.
    tokio::time::sleep(manner.delay).await;
    if let Some(taken) = lock(&shared.chats).get_mut(&chat).and_then(|chat| chat.get_mut(place)) {
        taken.answered = true;
    }
    let id = shared.message.fetch_add(1, Ordering::Relaxed);
    let from = json!({"id": 123_456, "is_bot": true, "first_name": "The Usual", "username": "the_usual_bot"});
    let to = json!({"id": chat, "type": "private", "first_name": "Person"});
    let message = json!({"message_id": id, "from": from, "chat": to, "date": 1_700_000_000, "text": text});
    Ok(said(200, &json!({"ok": true, "result": message})))
}

/// The buttons of a keyboard, row by row.
fn buttons_of(keyboard: &Value) -> Vec<Button> {
    let keys = keyboard.as_array().into_iter().flatten().filter_map(Value::as_array).flatten();
    let button = |key: &Value| {
        let word = |field: &str| Some(key[field].as_str()?.to_owned());
        Some(Button { label: word("text")?, data: word("callback_data")? })
    };
    keys.filter_map(button).collect()
}

fn said(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}
