//! A Telegram that remembers what it was given, per chat and in order, and that misbehaves as it is told. It is leaner
//! than the one of the tests, and takes thousands of messages a second; it does not check what it is sent beyond what
//! the checker needs.
//!
//! Each connection belongs to the life of the program in which it was opened, so that what a killed program had on the
//! wire is not taken for its successor's: [`Fake::quiet`] waits for that.

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

/// How Telegram behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Answers that are 429 with `retry_after: 1`, of 1.
    pub too_many: f64,
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

    /// Chats that have got an answer in this life of the program: the last of each may come again after a kill.
    pub fn talking(&self) -> usize {
        let life = self.shared.life.load(Ordering::SeqCst);
        let chats = lock(&self.shared.chats);
        chats.values().filter(|chat| chat.last().is_some_and(|taken| taken.life == life)).count()
    }
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
    let hang_up = || io::Error::other("the connection is to be closed");
    let method = request.uri().path().rsplit('/').next().unwrap_or("").to_lowercase();
    let body = request.into_body().collect().await.map_err(|_| hang_up())?.to_bytes();
    let manner = *lock(&shared.manner);
    if method != "sendmessage" {
        if manner.mute {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(manner.delay).await;
        return Ok(said(200, &json!({"ok": true, "result": true})));
    }
    let dice: f64 = rand::rng().random();
    if manner.mute {
        std::future::pending::<()>().await;
    }
    if dice < manner.too_many {
        lock(&shared.troubles).too_many += 1;
        return Ok(said(
            429,
            &json!({"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 1",
                    "parameters": {"retry_after": 1}}),
        ));
    }
    if dice < manner.too_many + manner.broken {
        lock(&shared.troubles).broken += 1;
        let body = json!({"ok": false, "error_code": 500, "description": "Internal Server Error"});
        return Ok(said(500, &body));
    }
    let read: Value = serde_json::from_slice(&body).map_err(|_| hang_up())?;
    let (Some(chat), Some(text)) = (read["chat_id"].as_i64(), read["text"].as_str()) else {
        return Ok(said(400, &json!({"ok": false, "error_code": 400, "description": "Bad Request: no text"})));
    };
    let place = {
        let mut chats = lock(&shared.chats);
        let taken = chats.entry(chat).or_default();
        let at_ms = shared.begun.elapsed().as_millis() as u64;
        taken.push(Taken { text: text.to_owned(), life, answered: false, at_ms });
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

fn said(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}
