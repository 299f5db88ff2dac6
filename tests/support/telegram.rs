//! A Telegram that lives in the test's process, on a random port of the loopback interface.
//!
//! It speaks the Bot API's wire format as far as the program uses it (Bot API 10.1): `getMe`, `setWebhook`,
//! `deleteWebhook`, `getWebhookInfo`, `getUpdates`, `sendMessage`, `editMessageText`, `sendChatAction`,
//! `answerCallbackQuery`. It keeps every update until it is acknowledged, by a 2xx of the webhook or by a higher offset,
//! and sends it again until then: in order within a chat, different chats in parallel, as Telegram does.
//!
//! Where it is stricter than Telegram: a field that the Bot API does not know is a 400 (Telegram ignores it). Where it
//! is faster: a webhook that failed is called again after 20 ms to 300 ms (Telegram: about a second to minutes).
//!
//! What went wrong without a test having asked for it (an unknown method, a request that breaks a rule) is remembered;
//! [`FakeTelegram::assert_empty`] shows it, and so does dropping it unchecked.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    io,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// The bot's token here; any other is answered 401.
pub const TOKEN: &str = "123456:FAKE-token_of_the_tests";

/// How long a test waits for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many webhook calls are open at once where `setWebhook` does not say (Telegram's default).
const CONNECTIONS: usize = 40;

/// How long a webhook may take to answer before the update is sent again (Telegram: 60 s).
const HOOK_TIMEOUT: Duration = Duration::from_secs(60);

/// The methods that are spoken here, as the Bot API 10.1 names them, and all their fields.
pub const METHODS: [(&str, &[&str]); 9] = [
    ("GetMe", &[]),
    (
        "SetWebhook",
        &[
            "url",
            "certificate",
            "ip_address",
            "max_connections",
            "allowed_updates",
            "drop_pending_updates",
            "secret_token",
        ],
    ),
    ("DeleteWebhook", &["drop_pending_updates"]),
    ("GetWebhookInfo", &[]),
    ("GetUpdates", &["offset", "limit", "timeout", "allowed_updates"]),
    (
        "SendMessage",
        &[
            "business_connection_id",
            "chat_id",
            "message_thread_id",
            "direct_messages_topic_id",
            "text",
            "parse_mode",
            "entities",
            "link_preview_options",
            "disable_notification",
            "protect_content",
            "allow_paid_broadcast",
            "message_effect_id",
            "suggested_post_parameters",
            "reply_parameters",
            "reply_markup",
        ],
    ),
    (
        "EditMessageText",
        &[
            "business_connection_id",
            "chat_id",
            "message_id",
            "inline_message_id",
            "text",
            "parse_mode",
            "entities",
            "link_preview_options",
            "rich_message",
            "reply_markup",
        ],
    ),
    ("SendChatAction", &["business_connection_id", "chat_id", "message_thread_id", "action"]),
    ("AnswerCallbackQuery", &["callback_query_id", "text", "show_alert", "url", "cache_time"]),
];

/// A message that the bot sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Telegram's number of it.
    pub message_id: i64,
    /// What it says.
    pub text: String,
    /// Labels and data of the buttons, row by row.
    pub rows: Vec<Vec<(String, String)>>,
    /// The `sendMessage` calls that were taken before this one, over all chats.
    pub sequence: usize,
}

/// A `sendMessage` that was in order, as it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Send {
    /// When.
    pub at: Instant,
    /// To whom.
    pub chat: i64,
    /// Whether the message was taken.
    pub taken: bool,
}

/// What the next `sendMessage` gets instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// 429 with so many seconds.
    TooMany(u32),
    /// 500.
    Broken,
    /// 400, with a reason that is about the message.
    Refused,
    /// The message is taken, and the connection closed without an answer.
    Dropped,
    /// The message is not taken, and the connection closed without an answer.
    Cut,
}

/// The server. Dropping it ends it.
pub struct FakeTelegram {
    shared: Arc<Shared>,
    url: String,
    tasks: Vec<JoinHandle<()>>,
    checked: AtomicBool,
}

struct Shared {
    state: Mutex<State>,
    /// Counts changes; whoever waits for something looks again after each.
    changes: watch::Sender<u64>,
    client: reqwest::Client,
}

#[derive(Default)]
struct State {
    next_update: i64,
    next_message: i64,
    updates: HashMap<i64, Value>,
    /// What is to be delivered, in order.
    queue: VecDeque<Delivery>,
    /// Chats whose head of the queue is under way to the webhook, or waits for its next attempt.
    busy: HashSet<i64>,
    acknowledged: BTreeSet<i64>,
    attempts: usize,
    webhook: Option<Webhook>,
    last_error: Option<String>,
    /// The number of the newest `getUpdates`; older ones end with 409.
    poll: u64,
    chats: HashMap<i64, Vec<Reply>>,
    sent: usize,
    actions: usize,
    queries: HashSet<String>,
    answered: Vec<String>,
    blocked: HashSet<i64>,
    troubles: VecDeque<Trouble>,
    /// Troubles of single chats.
    troubles_of: HashMap<i64, VecDeque<Trouble>>,
    sends: Vec<Send>,
    calls: HashMap<String, usize>,
    wrong: Vec<String>,
    /// By how many seconds the clock here is ahead of the machine's.
    ahead: i64,
}

struct Delivery {
    update: i64,
    chat: i64,
    /// Somebody has seen it by `getUpdates`.
    shown: bool,
    /// A second delivery of an update.
    again: bool,
}

#[derive(Clone)]
struct Webhook {
    url: String,
    secret: Option<String>,
    connections: usize,
    allowed: Vec<String>,
}

/// How a call ends without a result.
enum Failure {
    /// An answer `{"ok":false}`.
    Said { code: u16, description: String, parameters: Option<Value> },
    /// No answer: the connection is closed.
    Silence,
}

impl FakeTelegram {
    /// Starts it.
    pub async fn start() -> FakeTelegram {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let client = reqwest::Client::builder().no_proxy().timeout(HOOK_TIMEOUT).build().expect("a client");
        let state = State { next_update: 1_000, next_message: 1, ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), changes: watch::Sender::new(0), client });
        let tasks = vec![tokio::spawn(serve(Arc::clone(&shared), listener)), tokio::spawn(push(Arc::clone(&shared)))];
        FakeTelegram { shared, url, tasks, checked: AtomicBool::new(false) }
    }

    /// What `TELOXIDE_API_URL` is to be.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What `TELOXIDE_TOKEN` is to be.
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// A person writes to the bot. The number of the update.
    pub fn say(&self, chat: i64, text: &str) -> i64 {
        let mut message = json!({"from": person(chat), "chat": private(chat), "date": 1_700_000_000, "text": text});
        if text.starts_with('/') {
            let length = text.split_whitespace().next().unwrap_or("/").encode_utf16().count();
            message["entities"] = json!([{"type": "bot_command", "offset": 0, "length": length}]);
        }
        let mut state = self.shared.lock();
        message["message_id"] = state.take_message_id().into();
        drop(state);
        self.raw_update(json!({"message": message}))
    }

    /// A person presses the button with that label in the newest message that has one. The number of the update.
    ///
    /// # Panics
    /// Where the chat has no such button.
    pub fn press(&self, chat: i64, label: &str) -> i64 {
        let mut state = self.shared.lock();
        let replies = state.chats.get(&chat).cloned().unwrap_or_default();
        let found = replies.iter().rev().find_map(|reply| {
            let (_, data) = reply.rows.iter().flatten().find(|(shown, _)| shown == label)?;
            Some((reply.clone(), data.clone()))
        });
        let Some((reply, data)) = found else {
            panic!("chat {chat} has no button {label:?}; its messages are {replies:#?}");
        };
        let query = format!("query-{}-{}", state.next_update, reply.message_id);
        state.queries.insert(query.clone());
        drop(state);
        self.raw_update(json!({"callback_query": {
            "id": query, "from": person(chat), "chat_instance": "1", "data": data,
            "message": message_value(chat, &reply)}}))
    }

    /// Any update; `update_id` is put in where it is missing. The number of the update.
    pub fn raw_update(&self, mut update: Value) -> i64 {
        let mut state = self.shared.lock();
        let id = update["update_id"].as_i64().unwrap_or(state.next_update);
        state.next_update = state.next_update.max(id + 1);
        update["update_id"] = id.into();
        let chat =
            ["/message/chat/id", "/edited_message/chat/id", "/callback_query/from/id", "/my_chat_member/chat/id"]
                .iter()
                .find_map(|path| update.pointer(path)?.as_i64())
                .unwrap_or(0);
        state.chats.entry(chat).or_default();
        state.updates.insert(id, update);
        state.queue.push_back(Delivery { update: id, chat, shown: false, again: false });
        drop(state);
        self.shared.changed();
        id
    }

    /// Delivers an update once more, after what is waiting; as Telegram does when it missed the first answer.
    pub fn repeat(&self, update: i64) {
        let mut state = self.shared.lock();
        let body = state.updates.get(&update).expect("an update that was sent");
        let chat = body.pointer("/message/chat/id").or_else(|| body.pointer("/callback_query/from/id"));
        let chat = chat.and_then(Value::as_i64).unwrap_or(0);
        state.queue.push_back(Delivery { update, chat, shown: false, again: true });
        drop(state);
        self.shared.changed();
    }

    /// What the bot has sent to a chat.
    pub fn replies(&self, chat: i64) -> Vec<Reply> {
        self.shared.lock().chats.get(&chat).cloned().unwrap_or_default()
    }

    /// How many messages the bot has sent to a chat.
    pub fn count(&self, chat: i64) -> usize {
        self.shared.lock().chats.get(&chat).map_or(0, Vec::len)
    }

    /// How many messages the bot has sent.
    pub fn sent(&self) -> usize {
        self.shared.lock().sent
    }

    /// Waits until a chat has more than `after` messages from the bot: the first of those.
    ///
    /// # Panics
    /// Where it takes longer than 30 s.
    pub async fn wait_reply(&self, chat: i64, after: usize) -> Reply {
        match self.reply_within(chat, after, PATIENCE).await {
            Some(reply) => reply,
            None => panic!("chat {chat} got no message number {after}; it has {:#?}", self.replies(chat)),
        }
    }

    /// As [`FakeTelegram::wait_reply`], for so long.
    pub async fn reply_within(&self, chat: i64, after: usize, patience: Duration) -> Option<Reply> {
        self.wait(patience, |state| state.chats.get(&chat).and_then(|replies| replies.get(after)).cloned()).await
    }

    /// Says something and waits for one answer: its text.
    pub async fn ask(&self, chat: i64, text: &str) -> String {
        let before = self.count(chat);
        self.say(chat, text);
        self.wait_reply(chat, before).await.text
    }

    /// Updates that were acknowledged.
    pub fn acknowledged(&self) -> Vec<i64> {
        self.shared.lock().acknowledged.iter().copied().collect()
    }

    /// Updates that wait to be acknowledged, as often as they are to be delivered.
    pub fn pending(&self) -> Vec<i64> {
        self.shared.lock().queue.iter().map(|delivery| delivery.update).collect()
    }

    /// Waits until nothing is pending.
    ///
    /// # Panics
    /// Where it takes longer than 30 s.
    pub async fn wait_delivered(&self) {
        if self.wait(PATIENCE, |state| state.queue.is_empty().then_some(())).await.is_none() {
            panic!("still not acknowledged: {:?}", self.pending());
        }
    }

    /// Waits until the webhook is set (`true`) or away.
    ///
    /// # Panics
    /// Where it takes longer than 30 s.
    pub async fn wait_webhook(&self, set: bool) {
        let found = self.wait(PATIENCE, |state| (state.webhook.is_some() == set).then_some(())).await;
        assert!(found.is_some(), "the webhook is not {}", if set { "set" } else { "deleted" });
    }

    /// Waits until a post to the webhook has failed.
    ///
    /// # Panics
    /// Where it takes longer than 30 s.
    pub async fn wait_failed_post(&self) {
        let found = self.wait(PATIENCE, |state| state.last_error.is_some().then_some(())).await;
        assert!(found.is_some(), "no post to the webhook has failed");
    }

    /// From now on the clock here is so many seconds ahead of the machine's, or behind it.
    pub fn set_clock(&self, ahead: i64) {
        self.shared.lock().ahead = ahead;
    }

    /// Callback queries that were answered.
    pub fn answered(&self) -> Vec<String> {
        self.shared.lock().answered.clone()
    }

    /// Waits until so many callback queries were answered.
    ///
    /// # Panics
    /// Where it takes longer than 30 s.
    pub async fn wait_answered(&self, count: usize) {
        let found = self.wait(PATIENCE, |state| (state.answered.len() >= count).then_some(())).await;
        assert!(found.is_some(), "only {} queries were answered", self.answered().len());
    }

    /// How often a method was called, its name in lower case.
    pub fn calls(&self, method: &str) -> usize {
        self.shared.lock().calls.get(method).copied().unwrap_or(0)
    }

    /// How often a webhook was called.
    pub fn attempts(&self) -> usize {
        self.shared.lock().attempts
    }

    /// What the next `sendMessage` that is in order gets; several are used up one by one.
    pub fn trouble(&self, trouble: Trouble) {
        self.shared.lock().troubles.push_back(trouble);
    }

    /// What the next `sendMessage` to this chat gets.
    pub fn trouble_for(&self, chat: i64, trouble: Trouble) {
        self.shared.lock().troubles_of.entry(chat).or_default().push_back(trouble);
    }

    /// A person who has opened the chat some time ago.
    pub fn meet(&self, chat: i64) {
        self.shared.lock().chats.entry(chat).or_default();
    }

    /// All `sendMessage` calls in the order in which they came, also those that were refused.
    pub fn sends(&self) -> Vec<Send> {
        self.shared.lock().sends.clone()
    }

    /// Waits until so many `sendMessage` calls have come.
    ///
    /// # Panics
    /// Where it takes longer than 30 s.
    pub async fn wait_sends(&self, count: usize) {
        let found = self.wait(PATIENCE, |state| (state.sends.len() >= count).then_some(())).await;
        assert!(found.is_some(), "only {} messages were sent", self.sends().len());
    }

    /// From now on the person has blocked the bot, or not any more.
    pub fn block(&self, chat: i64, blocked: bool) {
        let mut state = self.shared.lock();
        if blocked {
            state.blocked.insert(chat);
        } else {
            state.blocked.remove(&chat);
        }
    }

    /// Nothing is left: every update was acknowledged, every trouble used, and every call was one that Telegram knows.
    ///
    /// # Panics
    /// Where something is left.
    pub fn assert_empty(&self) {
        self.checked.store(true, Ordering::Relaxed);
        if let Some(left) = self.shared.left() {
            panic!("{left}");
        }
    }

    /// Ends it without a check.
    pub fn abandon(self) {
        self.checked.store(true, Ordering::Relaxed);
    }

    async fn wait<T>(&self, patience: Duration, look: impl Fn(&State) -> Option<T>) -> Option<T> {
        let mut changes = self.shared.changes.subscribe();
        let found = async {
            loop {
                if let Some(found) = look(&self.shared.lock()) {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(patience, found).await.ok().flatten()
    }
}

impl Drop for FakeTelegram {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        if !self.checked.load(Ordering::Relaxed)
            && !std::thread::panicking()
            && let Some(left) = self.shared.left()
        {
            panic!("the fake Telegram was dropped unchecked: {left}");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the state")
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn left(&self) -> Option<String> {
        let state = self.lock();
        let mut left = Vec::new();
        if !state.queue.is_empty() {
            let updates: Vec<i64> = state.queue.iter().map(|delivery| delivery.update).collect();
            left.push(format!("updates that were not acknowledged: {updates:?}"));
        }
        if !state.wrong.is_empty() {
            left.push(format!("calls that break a rule: {:#?}", state.wrong));
        }
        let troubles: Vec<&Trouble> = state.troubles.iter().chain(state.troubles_of.values().flatten()).collect();
        if !troubles.is_empty() {
            left.push(format!("troubles that met no call: {troubles:?}"));
        }
        (!left.is_empty()).then(|| left.join("; "))
    }
}

impl State {
    fn take_message_id(&mut self) -> i64 {
        let id = self.next_message;
        self.next_message += 1;
        id
    }

    /// A rule was broken: remembered, and answered 400.
    fn wrong(&mut self, method: &str, what: &str) -> Failure {
        self.wrong.push(format!("{method}: {what}"));
        bad(what)
    }
}

async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    // Ends every connection when the server is dropped.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&shared), request));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
    let (code, body) = match call(&shared, request).await {
        Ok(result) => (200, json!({"ok": true, "result": result})),
        Err(Failure::Silence) => return Err(io::Error::other("the connection is to be closed")),
        Err(Failure::Said { code, description, parameters }) => {
            let mut body = json!({"ok": false, "error_code": code, "description": description});
            if let Some(parameters) = parameters {
                body["parameters"] = parameters;
            }
            (code, body)
        }
    };
    let ahead = shared.lock().ahead;
    let off = Duration::from_secs(ahead.unsigned_abs());
    let date = if ahead < 0 { SystemTime::now() - off } else { SystemTime::now() + off };
    let response = Response::builder()
        .status(code)
        .header("date", httpdate::fmt_http_date(date))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .expect("a response");
    Ok(response)
}

async fn call(shared: &Shared, request: Request<Incoming>) -> Result<Value, Failure> {
    let path = request.uri().path().to_owned();
    let kind = request.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or("").to_owned();
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Err(Failure::Silence),
    };
    let mut segments = path.trim_start_matches('/').split('/');
    let token = segments.next().and_then(|bot| bot.strip_prefix("bot")).unwrap_or("");
    let method = segments.next().unwrap_or("").to_lowercase();
    if token != TOKEN {
        let known_shape = token.split_once(':').is_some_and(|(id, _)| id.bytes().all(|b| b.is_ascii_digit()));
        return Err(if known_shape { said(401, "Unauthorized") } else { said(404, "Not Found") });
    }
    let parameters = read_parameters(shared, &method, &kind, &body)?;
    let known = METHODS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&method));
    let Some((_, fields)) = known else {
        shared.lock().wrong.push(format!("{method}: no such method here"));
        return Err(said(404, "Not Found: method not found"));
    };
    if let Some(unknown) = parameters.keys().find(|key| !fields.contains(&key.as_str())) {
        return Err(shared.lock().wrong(&method, &format!("Bad Request: unknown field {unknown}")));
    }
    *shared.lock().calls.entry(method.clone()).or_default() += 1;
    let result = match method.as_str() {
        "getme" => Ok(me()),
        "setwebhook" => set_webhook(shared, &parameters),
        "deletewebhook" => delete_webhook(shared, &parameters),
        "getwebhookinfo" => Ok(webhook_info(shared)),
        "getupdates" => get_updates(shared, &parameters).await,
        "sendmessage" => send_message(shared, &parameters),
        "editmessagetext" => edit_message(shared, &parameters),
        "sendchataction" => send_action(shared, &parameters),
        "answercallbackquery" => answer_query(shared, &parameters),
        _ => unreachable!("a method of METHODS without its function"),
    };
    shared.changed();
    result
}

fn read_parameters(shared: &Shared, method: &str, kind: &str, body: &[u8]) -> Result<Map<String, Value>, Failure> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    if !kind.starts_with("application/json") {
        return Err(shared.lock().wrong(method, &format!("Bad Request: content type {kind:?} is not read here")));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(parameters)) => Ok(parameters),
        _ => Err(shared.lock().wrong(method, "Bad Request: can't parse parameters")),
    }
}

fn me() -> Value {
    json!({
        "id": 123_456, "is_bot": true, "first_name": "The Usual", "username": "the_usual_test_bot",
        "can_join_groups": false, "can_read_all_group_messages": false, "supports_inline_queries": false,
        "can_connect_to_business": false, "has_main_web_app": false, "has_topics_enabled": false,
        "allows_users_to_create_topics": false, "can_manage_bots": false
    })
}

fn set_webhook(shared: &Shared, parameters: &Map<String, Value>) -> Result<Value, Failure> {
    let mut state = shared.lock();
    let url = parameters.get("url").and_then(Value::as_str).unwrap_or("");
    if url.is_empty() {
        state.webhook = None;
        return Ok(true.into());
    }
    // The real one wants https, which a test on the loopback interface has not.
    if !url.starts_with("http://127.0.0.1:") && !url.starts_with("https://") {
        return Err(state.wrong("setwebhook", "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"));
    }
    let secret = parameters.get("secret_token").and_then(Value::as_str).map(str::to_owned);
    let good = |secret: &String| {
        (1..=256).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    if secret.as_ref().is_some_and(|secret| !good(secret)) {
        return Err(state.wrong("setwebhook", "Bad Request: secret token contains unallowed characters"));
    }
    let connections = match parameters.get("max_connections").map(Value::as_u64) {
        None => CONNECTIONS,
        Some(Some(count @ 1..=100)) => count as usize,
        Some(_) => return Err(state.wrong("setwebhook", "Bad Request: max_connections must be 1 to 100")),
    };
    if parameters.get("drop_pending_updates") == Some(&Value::Bool(true)) {
        return Err(state.wrong("setwebhook", "pending updates must never be dropped"));
    }
    let allowed = allowed_updates(parameters);
    state.webhook = Some(Webhook { url: url.to_owned(), secret, connections, allowed });
    Ok(true.into())
}

fn delete_webhook(shared: &Shared, parameters: &Map<String, Value>) -> Result<Value, Failure> {
    let mut state = shared.lock();
    if parameters.get("drop_pending_updates") == Some(&Value::Bool(true)) {
        return Err(state.wrong("deletewebhook", "pending updates must never be dropped"));
    }
    state.webhook = None;
    Ok(true.into())
}

fn webhook_info(shared: &Shared) -> Value {
    let state = shared.lock();
    let hook = state.webhook.as_ref();
    let mut info = json!({
        "url": hook.map_or("", |hook| hook.url.as_str()),
        "has_custom_certificate": false,
        "pending_update_count": state.queue.len(),
        "max_connections": hook.map_or(CONNECTIONS, |hook| hook.connections),
    });
    if let Some(error) = &state.last_error {
        info["last_error_date"] = 1_700_000_000.into();
        info["last_error_message"] = error.as_str().into();
    }
    info
}

async fn get_updates(shared: &Shared, parameters: &Map<String, Value>) -> Result<Value, Failure> {
    let number = |field: &str| parameters.get(field).and_then(Value::as_i64);
    let offset = number("offset").unwrap_or(0);
    let limit = number("limit").unwrap_or(100).clamp(1, 100) as usize;
    let timeout = Duration::from_secs(number("timeout").unwrap_or(0).clamp(0, 50) as u64);
    let allowed = allowed_updates(parameters);
    let mut changes = shared.changes.subscribe();
    let poll = {
        let mut state = shared.lock();
        if state.webhook.is_some() {
            return Err(webhook_is_active());
        }
        confirm(&mut state, offset);
        state.poll += 1;
        state.poll
    };
    // Ends an older call, and tells the tests what was confirmed.
    shared.changed();
    let deadline = tokio::time::Instant::now() + timeout;
    loop {
        {
            let mut state = shared.lock();
            if state.webhook.is_some() {
                return Err(webhook_is_active());
            }
            if state.poll != poll {
                return Err(said(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                ));
            }
            forget_unwanted(&mut state, &allowed);
            let mut batch = Vec::new();
            let State { queue, updates, .. } = &mut *state;
            for delivery in queue.iter_mut().take(limit) {
                delivery.shown = true;
                batch.push(updates[&delivery.update].clone());
            }
            if !batch.is_empty() {
                return Ok(batch.into());
            }
        }
        if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
            return Ok(json!([]));
        }
    }
}

/// Forgets what an offset confirms. A second delivery of an old update has to have been shown first, or it would never
/// be.
fn confirm(state: &mut State, offset: i64) {
    let State { queue, acknowledged, .. } = state;
    if offset < 0 {
        let keep = usize::try_from(-offset).unwrap_or(usize::MAX).min(queue.len());
        for delivery in queue.drain(..queue.len() - keep) {
            acknowledged.insert(delivery.update);
        }
        return;
    }
    queue.retain(|delivery| {
        let confirmed = delivery.update < offset && (delivery.shown || !delivery.again);
        if confirmed {
            acknowledged.insert(delivery.update);
        }
        !confirmed
    });
}

/// Kinds of updates that the bot did not ask for never reach it.
fn forget_unwanted(state: &mut State, allowed: &[String]) {
    if allowed.is_empty() {
        return;
    }
    let State { queue, updates, acknowledged, .. } = state;
    queue.retain(|delivery| {
        let wanted = updates[&delivery.update]
            .as_object()
            .is_some_and(|update| update.keys().any(|key| key != "update_id" && allowed.contains(key)));
        if !wanted {
            acknowledged.insert(delivery.update);
        }
        wanted
    });
}

fn send_message(shared: &Shared, parameters: &Map<String, Value>) -> Result<Value, Failure> {
    let mut state = shared.lock();
    let chat = known_chat(&mut state, "sendmessage", parameters)?;
    let text = checked_text(&mut state, "sendmessage", parameters)?;
    let rows = checked_keyboard(&mut state, "sendmessage", parameters)?;
    state.sends.push(Send { at: Instant::now(), chat, taken: false });
    if state.blocked.contains(&chat) {
        return Err(said(403, "Forbidden: bot was blocked by the user"));
    }
    let of_chat = state.troubles_of.get_mut(&chat).and_then(VecDeque::pop_front);
    let trouble = of_chat.or_else(|| state.troubles.pop_front());
    match trouble {
        Some(Trouble::TooMany(seconds)) => {
            return Err(Failure::Said {
                code: 429,
                description: format!("Too Many Requests: retry after {seconds}"),
                parameters: Some(json!({"retry_after": seconds})),
            });
        }
        Some(Trouble::Broken) => return Err(said(500, "Internal Server Error")),
        Some(Trouble::Refused) => return Err(bad("Bad Request: message can't be sent here")),
        Some(Trouble::Cut) => return Err(Failure::Silence),
        Some(Trouble::Dropped) | None => {}
    }
    let reply = Reply { message_id: state.take_message_id(), text, rows, sequence: state.sent };
    state.sent += 1;
    if let Some(send) = state.sends.last_mut() {
        send.taken = true;
    }
    let value = message_value(chat, &reply);
    state.chats.entry(chat).or_default().push(reply);
    if trouble == Some(Trouble::Dropped) { Err(Failure::Silence) } else { Ok(value) }
}

fn edit_message(shared: &Shared, parameters: &Map<String, Value>) -> Result<Value, Failure> {
    let mut state = shared.lock();
    let chat = known_chat(&mut state, "editmessagetext", parameters)?;
    let text = checked_text(&mut state, "editmessagetext", parameters)?;
    let rows = checked_keyboard(&mut state, "editmessagetext", parameters)?;
    let id = parameters.get("message_id").and_then(Value::as_i64);
    let replies = state.chats.entry(chat).or_default();
    let Some(reply) = replies.iter_mut().find(|reply| Some(reply.message_id) == id) else {
        return Err(bad("Bad Request: message to edit not found"));
    };
    if reply.text == text && reply.rows == rows {
        return Err(bad(
            "Bad Request: message is not modified: specified new message content and reply markup are exactly the same \
             as a current content and reply markup of the message",
        ));
    }
    (reply.text, reply.rows) = (text, rows);
    Ok(message_value(chat, reply))
}

fn send_action(shared: &Shared, parameters: &Map<String, Value>) -> Result<Value, Failure> {
    let mut state = shared.lock();
    let chat = known_chat(&mut state, "sendchataction", parameters)?;
    if state.blocked.contains(&chat) {
        return Err(said(403, "Forbidden: bot was blocked by the user"));
    }
    if parameters.get("action").and_then(Value::as_str) != Some("typing") {
        return Err(state.wrong("sendchataction", "Bad Request: wrong parameter action in request"));
    }
    state.actions += 1;
    Ok(true.into())
}

fn answer_query(shared: &Shared, parameters: &Map<String, Value>) -> Result<Value, Failure> {
    let mut state = shared.lock();
    let query = parameters.get("callback_query_id").and_then(Value::as_str).unwrap_or("").to_owned();
    if parameters.get("text").and_then(Value::as_str).is_some_and(|text| text.encode_utf16().count() > 200) {
        return Err(state.wrong("answercallbackquery", "Bad Request: MESSAGE_TOO_LONG"));
    }
    if !state.queries.contains(&query) {
        return Err(bad("Bad Request: query is too old and response timeout expired or query ID is invalid"));
    }
    state.answered.push(query);
    Ok(true.into())
}

/// A bot can write only to those who wrote to it.
fn known_chat(state: &mut State, method: &str, parameters: &Map<String, Value>) -> Result<i64, Failure> {
    match parameters.get("chat_id") {
        Some(Value::Number(id)) => match id.as_i64().filter(|id| state.chats.contains_key(id)) {
            Some(id) => Ok(id),
            None => Err(bad("Bad Request: chat not found")),
        },
        Some(Value::String(_)) => Err(bad("Bad Request: chat not found")),
        _ => Err(state.wrong(method, "Bad Request: chat_id is empty")),
    }
}

fn checked_text(state: &mut State, method: &str, parameters: &Map<String, Value>) -> Result<String, Failure> {
    let Some(text) = parameters.get("text").and_then(Value::as_str) else {
        return Err(state.wrong(method, "Bad Request: message text is empty"));
    };
    match text.trim().encode_utf16().count() {
        0 => Err(state.wrong(method, "Bad Request: message text is empty")),
        1..=4_096 => Ok(text.to_owned()),
        _ => Err(state.wrong(method, "Bad Request: message is too long")),
    }
}

fn checked_keyboard(
    state: &mut State,
    method: &str,
    parameters: &Map<String, Value>,
) -> Result<Vec<Vec<(String, String)>>, Failure> {
    let Some(markup) = parameters.get("reply_markup") else {
        return Ok(Vec::new());
    };
    let Some(rows) = markup.get("inline_keyboard").and_then(Value::as_array) else {
        return Err(state.wrong(method, "Bad Request: object expected as reply markup"));
    };
    let mut read = Vec::new();
    for row in rows {
        let mut keys = Vec::new();
        for key in row.as_array().into_iter().flatten() {
            let (Some(label), Some(data)) =
                (key.get("text").and_then(Value::as_str), key.get("callback_data").and_then(Value::as_str))
            else {
                return Err(state.wrong(method, "Bad Request: can't parse inline keyboard button"));
            };
            if label.is_empty() {
                return Err(state.wrong(method, "Bad Request: inline keyboard button text is empty"));
            }
            if !(1..=64).contains(&data.len()) {
                return Err(state.wrong(method, "Bad Request: BUTTON_DATA_INVALID"));
            }
            keys.push((label.to_owned(), data.to_owned()));
        }
        if keys.len() > 8 {
            return Err(state.wrong(method, "Bad Request: too many buttons in a row"));
        }
        read.push(keys);
    }
    if read.iter().flatten().count() > 100 {
        return Err(state.wrong(method, "Bad Request: reply markup is too long"));
    }
    Ok(read)
}

fn allowed_updates(parameters: &Map<String, Value>) -> Vec<String> {
    let kinds = parameters.get("allowed_updates").and_then(Value::as_array).into_iter().flatten();
    kinds.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Calls the webhook, for one update of a chat at a time.
async fn push(shared: Arc<Shared>) {
    let mut changes = shared.changes.subscribe();
    let mut calls = tokio::task::JoinSet::new();
    loop {
        let ready = {
            let mut state = shared.lock();
            match state.webhook.clone() {
                Some(hook) => {
                    forget_unwanted(&mut state, &hook.allowed);
                    take_ready(&mut state, hook.connections)
                }
                None => Vec::new(),
            }
        };
        for (chat, update) in ready {
            calls.spawn(call_webhook(Arc::clone(&shared), chat, update));
        }
        while calls.try_join_next().is_some() {}
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// The first waiting update of each chat that is not busy; the chats are busy from here on.
fn take_ready(state: &mut State, connections: usize) -> Vec<(i64, i64)> {
    let mut ready = Vec::new();
    let mut seen = HashSet::new();
    for delivery in &state.queue {
        if state.busy.len() >= connections {
            break;
        }
        if seen.insert(delivery.chat) && state.busy.insert(delivery.chat) {
            ready.push((delivery.chat, delivery.update));
        }
    }
    ready
}

async fn call_webhook(shared: Arc<Shared>, chat: i64, update: i64) {
    let mut wait = Duration::from_millis(20);
    loop {
        let (hook, body) = {
            let mut state = shared.lock();
            let Some(hook) = state.webhook.clone() else {
                state.busy.remove(&chat);
                break;
            };
            state.attempts += 1;
            (hook, state.updates[&update].to_string())
        };
        let mut request = shared.client.post(&hook.url).header("content-type", "application/json").body(body);
        if let Some(secret) = &hook.secret {
            request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
        }
        let error = match request.send().await {
            Ok(response) if response.status().is_success() => {
                let mut state = shared.lock();
                if let Some(at) = state.queue.iter().position(|delivery| delivery.update == update) {
                    state.queue.remove(at);
                }
                state.acknowledged.insert(update);
                state.busy.remove(&chat);
                break;
            }
            Ok(response) => format!("Wrong response from the webhook: {}", response.status()),
            Err(_) => "Connection refused or timed out".to_owned(),
        };
        shared.lock().last_error = Some(error);
        shared.changed();
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_millis(300));
    }
    shared.changed();
}

fn person(chat: i64) -> Value {
    json!({"id": chat, "is_bot": false, "first_name": format!("Person {chat}"), "language_code": "en"})
}

fn private(chat: i64) -> Value {
    json!({"id": chat, "type": "private", "first_name": format!("Person {chat}")})
}

fn message_value(chat: i64, reply: &Reply) -> Value {
    let mut message = json!({
        "message_id": reply.message_id,
        "from": {"id": 123_456, "is_bot": true, "first_name": "The Usual", "username": "the_usual_test_bot"},
        "chat": private(chat), "date": 1_700_000_000, "text": reply.text
    });
    if !reply.rows.is_empty() {
        let key = |(label, data): &(String, String)| json!({"text": label, "callback_data": data});
        let rows: Vec<Vec<Value>> = reply.rows.iter().map(|row| row.iter().map(key).collect()).collect();
        message["reply_markup"] = json!({"inline_keyboard": rows});
    }
    message
}

fn webhook_is_active() -> Failure {
    said(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    )
}

fn bad(description: &str) -> Failure {
    said(400, description)
}

fn said(code: u16, description: &str) -> Failure {
    Failure::Said { code, description: description.to_owned(), parameters: None }
}
