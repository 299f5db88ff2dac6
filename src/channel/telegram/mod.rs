//! Telegram: the Bot API behind the boundary of [`channel`](crate::channel).
//!
//! - [`parse`](mod@parse) turns the bytes of an update into an arrival,
//! - [`hook`] takes updates that Telegram posts (a secret and a public address are set),
//! - [`poll`] fetches them where there is no public address,
//! - [`Telegram`] sends.
//!
//! What it promises: nothing is acknowledged to Telegram before [`Inbox::deliver`] has answered `Ok`; the token and
//! the secret are in no log, no error and no `Debug`.
//!
//! Races it knows:
//! - `sendMessage` takes no key of idempotency (tdlib/telegram-bot-api#126). A connection that breaks after the message
//!   went out is [`Fault::Down`], though Telegram may have taken the message; who tries again may send it twice.
//!
//! Not teloxide's are: the webhook listener and polling, as both acknowledge before the update is stored; and
//! `sendMessage`, as teloxide sleeps for 10 s before it reads the body of a 5xx (`teloxide-core` 0.13, `net/request.rs`)
//! and copies each answer into a whole `Message`, of which only the number is needed here.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::{Serialize, de::DeserializeOwned};
use teloxide_core::{
    Bot,
    requests::Requester,
    types::{CallbackQueryId, ChatAction, ChatId},
};
use url::Url;

use self::fault::CallError;
use super::{Button, Channel, ChannelKind, Fault, Inbox, Leave, Limits, NotTaken, Outgoing, Peer, Pending, Rate};
use crate::{failpoint::Failpoint, id::MerchantId, moment::Span, secret::Secret};

mod backoff;
mod fault;
pub mod hook;
pub mod parse;
pub mod poll;

pub use self::parse::{ParseError, Parsed, parse};

/// Where Telegram's own servers answer.
const PUBLIC_API: &str = "https://api.telegram.org";

/// Time to open a connection. A machine that takes longer is not going to be reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for a whole call, from the request to the end of the answer. Telegram answers within a second; what takes this
/// long is lost more often than late. Shorter than the time that an orderly end leaves to what is on the wire.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);

/// What Telegram takes: "avoid sending more than one message per second" in a chat, "not more than 20 messages per
/// minute" in a group, "about 30 messages per second" in all (core.telegram.org/bots/faq, "My bot is hitting limits";
/// the same numbers are `FloodLimit` in python-telegram-bot 22). Telegram lets short bursts pass; they are not used. The
/// 20 of a group are spread over its minute, so that one a second holds there too.
pub const LIMITS: Limits = Limits {
    account: Rate { most: 30, within: Span::seconds(1) },
    chat: Rate { most: 1, within: Span::seconds(1) },
    group: Rate { most: 1, within: Span::seconds(3) },
    is_group,
};

/// Time for calls whose failure does not matter: the typing sign (Telegram shows it for 5 s at most) and the end of a
/// button's spinner.
const COURTESY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an idle connection is kept open. Below the minute after which proxies and home routers forget one.
const IDLE_CONNECTION: Duration = Duration::from_secs(50);

/// Longest label, in characters, of a button that shares its row with another: a phone shows about 30 letters in a row,
/// less the margins.
const HALF_ROW: usize = 13;

/// Longest secret of a webhook, in characters (Bot API 10.1, `setWebhook.secret_token`).
const LONGEST_SECRET: usize = 256;

/// Longest token taken, in characters. They have 46 nowadays; no limit is documented.
const LONGEST_TOKEN: usize = 256;

/// The kinds of updates that are asked for; others would only be thrown away (`setWebhook.allowed_updates`).
const ALLOWED_UPDATES: [&str; 4] = ["message", "edited_message", "callback_query", "my_chat_member"];

/// A bot's account at Telegram.
#[derive(Debug, Clone)]
pub struct Settings {
    token: Secret,
    api_url: Url,
    secret: Option<Secret>,
    merchant: MerchantId,
    limited: bool,
}

/// Why an account can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The token does not look like one.
    #[error("TELOXIDE_TOKEN is not a bot's token, which looks like 123456789:ABC-def; get it from @BotFather")]
    Token,
    /// The address is no web address.
    #[error("TELOXIDE_API_URL is not an address that starts with https:// or http://")]
    ApiUrl,
    /// The secret has characters that Telegram refuses, or too many.
    #[error("USUAL_TELEGRAM_SECRET must have 1 to 256 characters, of A-Z, a-z, 0-9, _ and - only")]
    Secret,
    /// The HTTP client could not be made (its TLS could not start).
    #[error("the HTTP client for Telegram could not be made")]
    Client,
}

/// Why the start of a bot failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// Telegram does not know the token.
    #[error("TELOXIDE_TOKEN is not accepted by Telegram ({0}); get it from @BotFather")]
    Token(String),
    /// Telegram refused the call.
    #[error("Telegram refused it: {0}")]
    Refused(String),
    /// Telegram could not be asked; it may work later.
    #[error("Telegram could not be reached: {0}")]
    Down(String),
    /// A webhook can't be registered without a secret.
    #[error("USUAL_TELEGRAM_SECRET is not set; a webhook needs it")]
    NoSecret,
}

/// A bot. Clones share connections.
#[derive(Clone)]
pub struct Telegram {
    bot: Bot,
    settings: Arc<Settings>,
    /// Where messages are posted to. It holds the token.
    send_url: Url,
}

/// What `sendMessage` is given. Telegram does not look at the case of a method's name.
#[derive(Serialize)]
struct SendMessage<'a> {
    chat_id: i64,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<Keyboard<'a>>,
}

/// Buttons below a message, row by row.
#[derive(Serialize)]
struct Keyboard<'a> {
    inline_keyboard: Vec<Vec<Key<'a>>>,
}

#[derive(Serialize)]
struct Key<'a> {
    text: &'a str,
    callback_data: &'a str,
}

impl Settings {
    /// Checks the shape of an account's settings: `token` as @BotFather gives it, `api_url` where it is not Telegram's
    /// own, `secret` for a webhook.
    ///
    /// # Errors
    /// Where one of them can't be right.
    pub fn new(
        token: &str,
        api_url: Option<&str>,
        secret: Option<&str>,
        merchant: MerchantId,
    ) -> Result<Settings, SettingsError> {
        let token = token.trim();
        if !is_token(token) {
            return Err(SettingsError::Token);
        }
        let mut api_url: Url = api_url.unwrap_or(PUBLIC_API).trim().parse().map_err(|_| SettingsError::ApiUrl)?;
        if !matches!(api_url.scheme(), "http" | "https") || !api_url.has_host() {
            return Err(SettingsError::ApiUrl);
        }
        // What is joined to the address are path segments; a slash at its end would leave an empty one.
        api_url.path_segments_mut().map_err(|()| SettingsError::ApiUrl)?.pop_if_empty();
        if secret.is_some_and(|secret| !is_webhook_secret(secret)) {
            return Err(SettingsError::Secret);
        }
        let secret = secret.map(|secret| Secret::of(secret.to_owned()));
        Ok(Settings { token: Secret::of(token.to_owned()), api_url, secret, merchant, limited: true })
    }

    /// Whether Telegram's limits are kept, which they are unless this says otherwise.
    #[must_use]
    pub fn limited(self, limited: bool) -> Settings {
        Settings { limited, ..self }
    }

    /// Whether they are.
    pub fn is_limited(&self) -> bool {
        self.limited
    }

    /// Where the Bot API is.
    pub fn api_url(&self) -> &Url {
        &self.api_url
    }

    /// The webhook's secret, where one is set: then updates come by webhook, else by polling.
    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// Whose bot it is.
    pub fn merchant(&self) -> &MerchantId {
        &self.merchant
    }

    /// The address of a method. It holds the token.
    fn method(&self, name: &str) -> Url {
        let mut url = self.api_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(&format!("bot{}", self.token.reveal())).push(name);
        }
        url
    }
}

impl Telegram {
    /// A bot with connections of its own. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SettingsError::Client`] where TLS can't start.
    pub fn new(settings: Settings) -> Result<Telegram, SettingsError> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .pool_idle_timeout(IDLE_CONNECTION)
            .tcp_nodelay(true)
            // The address holds the token; nobody else is to be told it.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| SettingsError::Client)?;
        let bot = Bot::with_client(settings.token.reveal(), client).set_api_url(settings.api_url.clone());
        let send_url = settings.method("sendMessage");
        Ok(Telegram { bot, settings: Arc::new(settings), send_url })
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Asks Telegram who the bot is; its user name. For the start of the program.
    ///
    /// # Errors
    /// [`StartError::Token`] where the token is wrong, [`StartError::Down`] where Telegram could not be asked.
    pub async fn check(&self) -> Result<String, StartError> {
        #[derive(serde::Deserialize)]
        struct Me {
            username: Option<String>,
        }
        let me: Me = self.call("GetMe", &serde_json::json!({}), CALL_TIMEOUT).await.map_err(StartError::from)?;
        Ok(me.username.unwrap_or_default())
    }

    /// Delivers what [`parse()`] read and, once that is committed, stops the spinner of a pressed button. Where there is
    /// nothing to deliver it is `Ok` at once.
    ///
    /// # Errors
    /// [`NotTaken`] where the inbox could not store it; Telegram must not be told that it arrived.
    pub async fn take_in(&self, inbox: &dyn Inbox, parsed: Parsed) -> Result<(), NotTaken> {
        Failpoint::UpdateRead.pass();
        if let Some(arrival) = parsed.arrival {
            inbox.deliver(arrival).await?;
        }
        if let Some(callback) = parsed.callback {
            let bot = self.bot.clone();
            // Nobody waits for it: a spinner that goes on turning is no reason to hold up the chat.
            tokio::spawn(async move {
                let answer = bot.answer_callback_query(CallbackQueryId(callback)).into_future();
                let _ = tokio::time::timeout(COURTESY_TIMEOUT, answer).await;
            });
        }
        Ok(())
    }

    /// Calls a method with a client and a reading of the answer that are not teloxide's: for those calls whose answers
    /// teloxide loses (`getUpdates`) or reads too strictly (`getMe`), or that it sends as a form (`setWebhook`).
    /// Names of methods are written as teloxide writes them; Telegram does not look at their case.
    async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        parameters: &impl Serialize,
        timeout: Duration,
    ) -> Result<T, CallError> {
        let request = self.bot.client().post(self.settings.method(method)).json(parameters).timeout(timeout);
        let response = request.send().await.map_err(CallError::network)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(CallError::network)?;
        fault::read_answer(status, &body)
    }

    /// The hot path of every answer: the message is written once, and of Telegram's answer only the number is read.
    async fn send_message(&self, message: &SendMessage<'_>, leave: Option<Leave>) -> Result<Option<String>, CallError> {
        // Text and numbers; there is nothing in it that could not be written.
        let body = serde_json::to_vec(message).unwrap_or_default();
        let body = match leave {
            Some(leave) => reqwest::Body::wrap(Leaving { body: Some(body.into()), leave }),
            None => body.into(),
        };
        let json = HeaderValue::from_static("application/json");
        let request = self.bot.client().post(self.send_url.clone()).header(CONTENT_TYPE, json).body(body);
        let response = request.send().await.map_err(CallError::network)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(CallError::network)?;
        fault::read_sent(status, &body)
    }
}

/// Shows whose it is, and no token (teloxide's `Bot` would).
impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telegram").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A request's body that breaks off where the message may not leave any more. It is asked for when it is written, after
/// whatever the request had to wait for.
struct Leaving {
    body: Option<Bytes>,
    leave: Leave,
}

impl Body for Leaving {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if !(self.leave)() {
            return Poll::Ready(Some(Err(io::Error::other("it is another replica's to send by now"))));
        }
        Poll::Ready(self.body.take().map(|body| Ok(Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.as_ref().map_or(0, |body| body.len() as u64))
    }
}

impl Channel for Telegram {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Telegram
    }

    fn send<'a>(
        &'a self,
        to: &'a Peer,
        message: &'a Outgoing,
        leave: Option<Leave>,
    ) -> Pending<'a, Result<Option<String>, Fault>> {
        Box::pin(async move {
            let Some(chat) = chat_id(to) else {
                return Err(Fault::Refused("the chat's id is not a number".into()));
            };
            let reply_markup = (!message.buttons.is_empty()).then(|| keyboard(&message.buttons));
            let message = SendMessage { chat_id: chat.0, text: &message.text, reply_markup };
            Ok(self.send_message(&message, leave).await?)
        })
    }

    fn limits(&self) -> Option<Limits> {
        self.settings.limited.then_some(LIMITS)
    }

    fn typing<'a>(&'a self, to: &'a Peer) -> Pending<'a, ()> {
        Box::pin(async move {
            if let Some(chat) = chat_id(to) {
                let sign = self.bot.send_chat_action(chat, ChatAction::Typing).into_future();
                let _ = tokio::time::timeout(COURTESY_TIMEOUT, sign).await;
            }
        })
    }
}

/// Makes a bot and asks Telegram whether it knows it: a mistyped token is an error at the start and not a silence.
///
/// # Errors
/// As [`Telegram::check`].
pub async fn check(settings: Settings) -> Result<Telegram, StartError> {
    let telegram = Telegram::new(settings).map_err(|error| StartError::Refused(error.to_string()))?;
    telegram.check().await?;
    Ok(telegram)
}

fn chat_id(peer: &Peer) -> Option<ChatId> {
    peer.as_str().parse().ok().map(ChatId)
}

/// Telegram's groups and channels have negative ids.
fn is_group(peer: &Peer) -> bool {
    peer.as_str().starts_with('-')
}

/// Buttons in rows of two where both labels are short, else of one.
fn keyboard(buttons: &[Button]) -> Keyboard<'_> {
    let mut rows: Vec<Vec<Key<'_>>> = Vec::new();
    let mut half_free = false;
    for button in buttons {
        let short = button.label.chars().count() <= HALF_ROW;
        let key = Key { text: &button.label, callback_data: &button.data };
        match rows.last_mut() {
            Some(row) if half_free && short => {
                row.push(key);
                half_free = false;
            }
            _ => {
                rows.push(vec![key]);
                half_free = short;
            }
        }
    }
    Keyboard { inline_keyboard: rows }
}

/// `digits:chars`; what is in it goes into a path, so nothing else may be.
fn is_token(token: &str) -> bool {
    token.len() <= LONGEST_TOKEN
        && token.split_once(':').is_some_and(|(id, key)| {
            !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) && !key.is_empty() && is_key(key)
        })
}

fn is_webhook_secret(secret: &str) -> bool {
    (1..=LONGEST_SECRET).contains(&secret.len()) && is_key(secret)
}

fn is_key(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(token: &str, url: Option<&str>, secret: Option<&str>) -> Result<Settings, SettingsError> {
        Settings::new(token, url, secret, "pizzeria".parse().unwrap())
    }

    #[test]
    fn the_shape_of_settings_is_checked() {
        for token in ["123456:ABC", " 110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw\n"] {
            assert!(settings(token, None, None).is_ok(), "{token}");
        }
        for token in ["", ":", "123456", "abc:def", "123456:", ":ABC", "1:A/../x", "1:A B", "1:Ä", "<token>"] {
            assert_eq!(settings(token, None, None).unwrap_err(), SettingsError::Token, "{token}");
        }
        for url in ["", "api.telegram.org", "ftp://api.telegram.org", "mailto:a@b", "http://"] {
            assert_eq!(settings("1:A", Some(url), None).unwrap_err(), SettingsError::ApiUrl, "{url}");
        }
        assert!(settings("1:A", None, Some("Abc_-9")).is_ok());
        assert!(settings("1:A", None, Some(&"x".repeat(256))).is_ok());
        for secret in ["", "a b", "ä", &"x".repeat(257)] {
            assert_eq!(settings("1:A", None, Some(secret)).unwrap_err(), SettingsError::Secret, "{secret}");
        }
    }

    #[test]
    fn nothing_shows_a_token_or_a_secret() {
        let settings = settings("123456:CONFIDENTIAL", None, Some("HUSHHUSH")).unwrap();
        let telegram = Telegram::new(settings.clone()).unwrap();
        for shown in [format!("{settings:?}"), format!("{telegram:?}"), format!("{telegram:#?}")] {
            assert!(!shown.contains("CONFIDENTIAL") && !shown.contains("HUSHHUSH"), "{shown}");
            assert!(shown.contains("pizzeria"));
        }
    }

    #[test]
    fn a_slash_at_the_end_of_the_address_does_not_matter() {
        for (given, kept) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/bot1:A"),
            ("http://127.0.0.1:9000/", "http://127.0.0.1:9000/bot1:A"),
            ("http://127.0.0.1:9000/tg/", "http://127.0.0.1:9000/tg/bot1:A"),
        ] {
            let mut url = settings("1:A", Some(given), None).unwrap().api_url;
            url.path_segments_mut().unwrap().push("bot1:A");
            assert_eq!(url.as_str(), kept);
        }
    }

    #[test]
    fn short_buttons_share_a_row() {
        let button = |label: &str| Button { label: label.into(), data: "d".into() };
        let rows = |labels: &[&str]| {
            let buttons: Vec<Button> = labels.iter().map(|label| button(label)).collect();
            keyboard(&buttons).inline_keyboard.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(rows(&["Yes", "No"]), [2]);
        assert_eq!(rows(&["Yes", "No", "Something else"]), [2, 1]);
        assert_eq!(rows(&["Something else", "Yes", "No"]), [1, 2]);
        assert_eq!(rows(&["Yes", "Something else", "No"]), [1, 1, 1]);
        assert_eq!(rows(&["a", "b", "c"]), [2, 1]);
    }
}
