//! The console's pages as wholes: a head, the board of orders, and beside it the conversations.
//!
//! One document serves phone and desktop. On a desktop the board stands left and the conversations right; on a phone
//! the style shows one of the two, by what the right side holds. A link changes the right side alone where the script
//! runs, so that the sound that a press has allowed stays allowed; without the script it is a page of its own.

use axum::{
    extract::{Extension, Path, State},
    http::{HeaderMap, HeaderName},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

use super::{
    Console, assets, board,
    failure::Failure,
    session::{self, Staff},
    talks,
};
use crate::{id::ConversationId, order::Status, store::StoreError};

/// Set by htmx: the id of the element that the answer is put into.
const TARGET: HeaderName = HeaderName::from_static("hx-target");

/// htmx without inline styles, evaluated code or stored pages: the policy of [`super::guard()`] forbids the first two, and
/// customers' data has no place in a browser's storage.
const HTMX: &str = r#"{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,"historyCacheSize":0,"refreshOnHistoryMiss":true,"timeout":20000,"responseHandling":[{"code":"204","swap":false},{"code":"401","swap":false},{"code":"409","swap":true},{"code":"422","swap":true},{"code":"[23]..","swap":true},{"code":"[45]..","swap":false,"error":true}]}"#;

/// What the right side holds.
pub(super) enum Side<'a> {
    /// The list, beside the board that was asked for.
    Orders,
    /// The list, which was asked for itself.
    List,
    /// A conversation.
    Talk(ConversationId, Open<'a>),
    /// The names; with why one was not decided on.
    Names(Option<&'a str>),
}

/// What stands open in a conversation.
pub(super) enum Open<'a> {
    /// Nothing.
    Nothing,
    /// An answer that could not be sent, and why.
    Answer(talks::Unsent<'a>),
    /// The form that corrects the order.
    Editor(Markup),
}

pub(super) async fn orders(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    shown(&console, &staff, &headers, Side::Orders).await
}

pub(super) async fn conversations(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    shown(&console, &staff, &headers, Side::List).await
}

pub(super) async fn conversation(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id = id.parse().map_err(|_| Failure::Missing)?;
    shown(&console, &staff, &headers, Side::Talk(id, Open::Nothing)).await
}

pub(super) async fn names(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    shown(&console, &staff, &headers, Side::Names(None)).await
}

/// How many orders are new, how many names are suggested, and how many customers wait: what the script counts in the
/// title and rings for. Whether orders can be stored. And what time it is, for a tablet whose own clock is wrong.
pub(super) async fn counts(State(console): State<Console>) -> Result<Markup, Failure> {
    let web = &console.web;
    let (now, store, stores) = (web.now(), web.work.store(), web.work.is_storing());
    let counted = async {
        let orders = store.board(&web.merchant, now).await?;
        let new = orders.iter().filter(|view| view.order.status == Status::Placed).count();
        let waiting = talks::waiting(&store.conversations(&web.merchant).await?);
        Ok::<_, StoreError>((new, waiting, store.suggested_names(&web.merchant).await?))
    };
    let (new, waiting, names) = match counted.await {
        Ok(counted) => counted,
        // A database that does not answer is just what is to be told.
        Err(_) if !stores => Default::default(),
        Err(fault) => return Err(fault.into()),
    };
    Ok(html! {
        data data-new=(new) data-waiting=(waiting) data-names=(names) data-stores=(u8::from(stores))
            data-now=(now.0) value=(new) {}
    })
}

/// The whole page; only its right side where the script asked for that.
async fn shown(console: &Console, staff: &Staff, headers: &HeaderMap, side: Side<'_>) -> Result<Response, Failure> {
    let only_side = session::by_script(headers) && headers.get(TARGET).is_some_and(|target| target == "side");
    if only_side {
        return Ok(talks::side(console, staff, side).await?.into_response());
    }
    Ok(whole(console, staff, side, None).await?.into_response())
}

/// The whole page, with a word on top of the board where something was not done.
pub(super) async fn whole(
    console: &Console,
    staff: &Staff,
    side: Side<'_>,
    alert: Option<&str>,
) -> Result<Markup, Failure> {
    let web = &console.web;
    let shop = web.work.shop(&web.merchant).ok_or(Failure::Missing)?;
    let side = talks::side(console, staff, side).await?;
    let board = board::inner(console, alert).await?;
    let counts = counts(State(console.clone())).await?;
    let link = |text: &str, href: &str, count: &str| {
        html! { a.tab href=(href) hx-get=(href) hx-target="#side" hx-swap="outerHTML" hx-push-url="true" {
            (text) " " b.badge #(count) hidden {}
        } }
    };
    Ok(document(
        &shop.catalog.merchant,
        &["htmx.min.js", "sse.min.js", "console.js"],
        html! {
            body.console hx-ext="sse" sse-connect="/console/events" data-shop=(shop.catalog.merchant) {
                header.top {
                    h1 { (shop.catalog.merchant) }
                    nav aria-label="Console" {
                        (link("Orders", "/console", "count-new"))
                        (link("Chats", "/console/conversations", "count-waiting"))
                        (link("Names", "/console/names", "count-names"))
                    }
                    button.sound #sound type="button" aria-pressed="false" { "Sound off" }
                    form.out method="post" action="/console/logout" {
                        span.me { (staff.name) }
                        button type="submit" { "Sign out" }
                    }
                }
                #counts hidden hx-get="/console/counts" hx-sync="this:queue last"
                    hx-trigger="sse:orders, sse:talks, sse:names, sse:again, sse:out" { (counts) }
                p.alert #offline role="alert" hidden {
                    "No connection to the shop's program. New orders do not show here. Trying again …"
                }
                p.alert #unstored role="alert" hidden[web.work.is_storing()] {
                    "Nothing can be stored just now: no order comes in, and nothing that is pressed here is kept. See that \
                     the disk has room and that the database answers; it goes on by itself then."
                }
                p.alert #silent role="status" hidden { "Press anywhere once, so that new orders can ring." }
                main.desk {
                    #board hx-get="/console/board" hx-sync="this:queue last" hx-disinherit="hx-sync" hx-trigger="sse:orders, sse:again"
                        hx-target="#board" hx-swap="innerHTML" { (board) }
                    (side)
                }
            }
        },
    ))
}

/// A page of the way in: one thing in the middle.
pub(super) fn door(title: &str, content: Markup) -> Markup {
    document(
        title,
        &[],
        html! {
            body.door { main { h1 { (title) } (content) } }
        },
    )
}

fn document(title: &str, scripts: &[&str], body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                @if !scripts.is_empty() { meta name="htmx-config" content=(HTMX); }
                title { (title) }
                link rel="icon" href=(assets::address("icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(assets::address("style.css"));
                @for script in scripts { script defer src=(assets::address(script)) {} }
            }
            (body)
        }
    }
}
