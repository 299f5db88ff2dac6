//! The customers' chat page: the page with what was said so far, the door that takes messages, and the stream that
//! brings answers.
//!
//! Promises: a message is answered with 200 only when its turn is committed; the page keeps it and tries again until
//! then. Notes of the staff never leave the console. A visitor who leaves right after sending is heard all the same: the
//! turn runs on its own.

mod stream;

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event as Sent, KeepAlive, Sse},
    },
    routing::{get, post},
};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use self::stream::{Newest, Stream};
use super::words::{self, Words};
use crate::{
    channel::{
        ChannelKind, LONGEST_TEXT,
        web::{self, LARGEST_BODY, NotRead, TOKEN_BYTES, Visitor},
    },
    console::{
        UNBUFFERED, Web, assets,
        cookie::{self, SameSite},
        limit::Limiter,
        origin,
    },
    id::MerchantId,
    store::{Author, MessageView, StoreError},
    work::OpenShop,
};

/// Most messages that a visitor can send within [`MESSAGES_WITHIN`]: faster than anybody types, slow enough that one
/// visitor does not keep a shop's program busy.
const MOST_MESSAGES: usize = 30;

/// See [`MOST_MESSAGES`].
const MESSAGES_WITHIN: Duration = Duration::from_secs(60);

/// For how long a browser keeps a visitor, in seconds: 400 days, the longest that browsers allow. Each visit renews it.
const KEPT_FOR: i64 = 400 * 24 * 60 * 60;

/// How long a page waits when the shop could not take its message, in seconds.
const WAIT: HeaderValue = HeaderValue::from_static("2");

/// A phone or a proxy drops a connection that is silent for about a minute; the page itself gives up on one that is
/// silent for twice this.
const ALIVE_EVERY: Duration = Duration::from_secs(20);

const COOKIE: &str = "visitor";

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Clone)]
struct Chat {
    web: Web,
    pace: Arc<Limiter>,
    newest: Arc<Newest>,
}

/// Why a message was not taken, as status and JSON.
enum Refusal {
    /// Another site's page sent it.
    Origin,
    /// There is no such shop.
    Shop,
    /// The browser holds no cookie of ours.
    Visitor,
    /// Not JSON.
    Type,
    /// More bytes than [`LARGEST_BODY`], or they did not arrive.
    Large,
    /// See [`NotRead`].
    Body(NotRead),
    /// Too many at once; seconds to wait.
    Pace(u64),
    /// It could not be stored: send it again.
    NotTaken,
}

#[derive(Deserialize)]
struct Cursor {
    #[serde(default)]
    after: i64,
}

/// The chat's routes: the first shop's at `/`, the others' at `/shops/{merchant}`.
pub fn routes(web: Web) -> Router {
    let pace = Arc::new(Limiter::new(MOST_MESSAGES, MESSAGES_WITHIN));
    let chat = Chat { web, pace, newest: Arc::new(Newest::new()) };
    Router::new()
        .route("/", get(first_page))
        .route("/shops/{merchant}", get(page))
        .route("/chat/{merchant}/messages", post(message))
        .route("/chat/{merchant}/events", get(events))
        .with_state(chat)
}

async fn first_page(State(chat): State<Chat>, headers: HeaderMap) -> Result<Response, Refusal> {
    let merchant = chat.web.merchant.clone();
    show(&chat, &merchant, &headers).await
}

async fn page(State(chat): State<Chat>, Path(merchant): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let merchant = merchant.parse().map_err(|_| Refusal::Shop)?;
    show(&chat, &merchant, &headers).await
}

/// Takes a message. The body is read here, so that what is too large is refused in words of our own.
async fn message(
    State(chat): State<Chat>,
    Path(merchant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    if origin::of(&headers, &chat.web.public_url) == origin::Made::Elsewhere {
        return Err(Refusal::Origin);
    }
    let shop = shop(&chat, &merchant)?;
    let peer = visitor(&chat, &headers).and_then(|visitor| visitor.peer(&shop.id)).ok_or(Refusal::Visitor)?;
    if !is_json(&headers) {
        return Err(Refusal::Type);
    }
    chat.pace.take(peer.as_str(), Instant::now()).map_err(|many| Refusal::Pace(many.seconds()))?;
    let body = axum::body::to_bytes(body, LARGEST_BODY).await.map_err(|_| Refusal::Large)?;
    let language = words::language(&headers);
    let arrival = web::arrival(shop.id.clone(), peer, language, &body, chat.web.now()).map_err(Refusal::Body)?;
    let inbox = Arc::clone(&chat.web.inbox);
    let turn = tokio::spawn(async move { inbox.deliver(arrival).await });
    match turn.await {
        Ok(Ok(())) => Ok(axum::Json(serde_json::json!({ "ok": true })).into_response()),
        Ok(Err(_)) | Err(_) => Err(Refusal::NotTaken),
    }
}

/// The stream of what is said to this visitor.
async fn events(
    State(chat): State<Chat>,
    Path(merchant): Path<String>,
    Query(cursor): Query<Cursor>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let shop = shop(&chat, &merchant)?;
    let peer = visitor(&chat, &headers).and_then(|visitor| visitor.peer(&shop.id)).ok_or(Refusal::Visitor)?;
    // A browser that reconnects by itself asks with the address that it began with, and says how far it got.
    let seen = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let cursor = cursor.after.max(seen.unwrap_or(0));
    let stream = Stream::new(chat.web, chat.newest, shop.id.clone(), peer, cursor);
    let stream = futures::stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    // An event rather than a comment: the page's script hears it, and knows a dead connection by its silence.
    let alive = KeepAlive::new().interval(ALIVE_EVERY).event(Sent::default().event("alive").data("-"));
    Ok(([UNBUFFERED], Sse::new(stream).keep_alive(alive)).into_response())
}

/// The page with what was said so far.
async fn show(chat: &Chat, merchant: &MerchantId, headers: &HeaderMap) -> Result<Response, Refusal> {
    let shop = shop(chat, merchant.as_str())?;
    let visitor = visitor(chat, headers).unwrap_or_else(|| Visitor::of(rand::random::<[u8; TOKEN_BYTES]>()));
    let messages = history(chat, &shop.id, &visitor).await.map_err(|error| {
        tracing::error!(%error, "a chat page could not be made");
        Refusal::NotTaken
    })?;
    let https = chat.web.is_https();
    let cookie = cookie::write(COOKIE, visitor.token(), SameSite::Lax, KEPT_FOR, https).ok_or(Refusal::Visitor)?;
    let language = words::language(headers);
    let page = document(&shop, words::words(language), &messages);
    Ok(([(header::SET_COOKIE, cookie)], page).into_response())
}

async fn history(chat: &Chat, merchant: &MerchantId, visitor: &Visitor) -> Result<Vec<MessageView>, StoreError> {
    let store = chat.web.work.store();
    let Some(peer) = visitor.peer(merchant) else { return Ok(Vec::new()) };
    match store.conversation_with(merchant, ChannelKind::Web, &peer).await? {
        Some(conversation) => store.messages(merchant, conversation, 0).await,
        None => Ok(Vec::new()),
    }
}

fn shop(chat: &Chat, merchant: &str) -> Result<Arc<OpenShop>, Refusal> {
    let merchant = merchant.parse().map_err(|_| Refusal::Shop)?;
    chat.web.work.shop(&merchant).ok_or(Refusal::Shop)
}

fn visitor(chat: &Chat, headers: &HeaderMap) -> Option<Visitor> {
    cookie::read(headers, COOKIE, chat.web.is_https()).and_then(Visitor::read)
}

/// A form of another site can't send this type without asking first.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn for_customers(message: &MessageView) -> Option<&'static str> {
    match message.author {
        Author::Customer | Author::Bot | Author::Staff => Some(message.author.word()),
        Author::Note => None,
    }
}

fn document(shop: &OpenShop, words: &Words, messages: &[MessageView]) -> Markup {
    let name = shop.catalog.merchant.as_str();
    let cursor = messages.iter().map(|message| message.seq).max().unwrap_or(0);
    // Buttons work below the latest message of the shop only.
    let latest = messages.iter().rev().find(|m| matches!(m.author, Author::Bot | Author::Staff)).map(|m| m.seq);
    html! {
        (DOCTYPE)
        html lang=(words.tag) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content";
                meta name="color-scheme" content="light dark";
                title { (name) }
                link rel="icon" href=(assets::address("icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(assets::address("style.css"));
                script defer src=(assets::address("chat.js")) {}
            }
            body.chat #chat data-merchant=(shop.id) data-cursor=(cursor) data-shop=(name) data-you=(words.you)
                data-sending=(words.sending) data-again=(words.again) data-refused=(words.refused) {
                header.top { h1 { (name) } }
                main {
                    ol.messages #log role="log" aria-live="polite" aria-label=(words.messages) tabindex="0" {
                        @for message in messages { (said(message, name, words, latest)) }
                    }
                    p.typing #typing hidden { span.visually-hidden { (words.typing) } i {} i {} i {} }
                    button.latest #latest type="button" hidden { (words.latest) " ↓" }
                }
                p.offline #offline role="status" hidden { (words.offline) }
                form.composer #composer {
                    label.visually-hidden for="text" { (words.write) }
                    textarea #text rows="1" placeholder=(words.write) maxlength=(LONGEST_TEXT) enterkeyhint="send"
                        autocomplete="off" {}
                    button.main type="submit" { (words.send) }
                }
                noscript { p.alert { (words.no_script) } }
            }
        }
    }
}

/// The chat page's script makes the same of a message that comes later.
fn said(message: &MessageView, shop: &str, words: &Words, latest: Option<i64>) -> Markup {
    let Some(author) = for_customers(message) else { return html! {} };
    let by = match (message.author, &message.by_name) {
        (Author::Customer, _) => words.you,
        (Author::Staff, Some(name)) => name,
        (Author::Bot | Author::Staff | Author::Note, _) => shop,
    };
    html! {
        li class={ "said " (author) } data-seq=(message.seq) data-kind=(message.kind) {
            p.by { (by) }
            div.bubble { p dir="auto" { (message.body) } }
            @if !message.buttons.is_empty() {
                div.quick {
                    @for button in &message.buttons {
                        button type="button" data-press=(button.data) disabled[latest != Some(message.seq)] {
                            (button.label)
                        }
                    }
                }
            }
            time data-at=(message.at.0) {}
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, words) = match &self {
            Refusal::Origin => (StatusCode::FORBIDDEN, "this was sent by another site's page".to_owned()),
            Refusal::Shop => (StatusCode::NOT_FOUND, "there is no such shop here".to_owned()),
            Refusal::Visitor => (StatusCode::UNAUTHORIZED, "open the chat page first; it needs its cookie".to_owned()),
            Refusal::Type => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json".to_owned()),
            Refusal::Large => (StatusCode::PAYLOAD_TOO_LARGE, format!("{LARGEST_BODY} bytes is the most")),
            Refusal::Body(NotRead::TooLong) => (StatusCode::PAYLOAD_TOO_LARGE, NotRead::TooLong.to_string()),
            Refusal::Body(why) => (StatusCode::BAD_REQUEST, why.to_string()),
            Refusal::Pace(_) => (StatusCode::TOO_MANY_REQUESTS, "too many messages at once; wait a little".to_owned()),
            Refusal::NotTaken => (StatusCode::SERVICE_UNAVAILABLE, "not stored; try again".to_owned()),
        };
        let mut response = (status, axum::Json(serde_json::json!({ "error": words }))).into_response();
        match self {
            Refusal::Pace(seconds) => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Refusal::NotTaken => {
                response.headers_mut().insert(header::RETRY_AFTER, WAIT);
            }
            Refusal::Origin | Refusal::Shop | Refusal::Visitor | Refusal::Type | Refusal::Large | Refusal::Body(_) => {}
        }
        response
    }
}
