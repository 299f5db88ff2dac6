//! Conversations: the list, one of them with its orders, and the staff's answers in it.
//!
//! Races: a form that is sent twice carries the same id twice and is answered once; the ids of the last
//! [`MOST_SAID`] answers are remembered. Who answers in a conversation that a colleague has is told so, and keeps what
//! they wrote.

use std::{collections::VecDeque, sync::PoisonError};

use axum::{
    Form,
    extract::{Extension, Path, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Console,
    board::{self, channel_words},
    cart,
    clock::{Clock, lasted},
    failure::Failure,
    names,
    page::{self, Open, Side},
    session::{self, Staff},
};
use crate::{
    channel::{self, Content, Peer},
    desk::Desk,
    id::ConversationId,
    moment::Moment,
    store::{AsideView, Author, ConversationView, MessageView},
    work::{Action, LONGEST_ANSWER, OpenShop},
};

/// Answers whose ids are remembered: far more than a shop's staff sends while a double click lasts.
const MOST_SAID: usize = 512;

/// Longest id of an answer that is looked at, in bytes: a UUID.
const LONGEST_ID: usize = 36;

/// Longest piece of a message in the list, in characters: two lines of a phone.
const LONGEST_GLIMPSE: usize = 90;

/// Makes the open conversation look again at once.
pub(super) const SAID: (HeaderName, HeaderValue) =
    (HeaderName::from_static("hx-trigger"), HeaderValue::from_static("said"));

/// Ids of the answers that were sent last.
#[derive(Debug, Default)]
pub(super) struct Said(VecDeque<String>);

/// An answer that was not sent: the words, to be tried again, and why.
pub(super) struct Unsent<'a> {
    text: &'a str,
    why: &'a str,
}

/// What the composer holds.
#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    id: String,
    #[serde(default)]
    text: String,
}

pub(super) async fn list_fragment(State(console): State<Console>) -> Result<Markup, Failure> {
    list(&console, None).await
}

/// What an arrival is known by.
#[derive(Deserialize)]
pub(super) struct Aside {
    channel: String,
    foreign_id: String,
}

/// Takes a message in again on which the program failed, and answers with the list as it then is.
pub(super) async fn again(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    headers: HeaderMap,
    Form(aside): Form<Aside>,
) -> Result<Response, Failure> {
    let channel = aside.channel.parse().map_err(|()| Failure::Form)?;
    let action = Action::Retry { channel, foreign_id: aside.foreign_id };
    let fault = console.web.work.act(&console.web.merchant, &staff.name, action).await.err();
    if session::by_script(&headers) {
        let alert = fault.map(|fault| format!("Not done: {}", board::in_words(fault)));
        return Ok(list(&console, alert.as_deref()).await?.into_response());
    }
    Ok(Redirect::to("/console/conversations").into_response())
}

pub(super) async fn talk_fragment(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    Path(id): Path<String>,
) -> Result<Markup, Failure> {
    let id = read_id(&id)?;
    talk(&console, &staff, id, None).await
}

/// Sends an answer. It takes the conversation over; see `desk`.
pub(super) async fn answer(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<Answer>,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    let fault = say(&console, &staff, id, &form).await?;
    let unsent = fault.as_deref().map(|why| Unsent { text: &form.text, why });
    if session::by_script(&headers) {
        let view = console.web.work.store().conversation(&console.web.merchant, id).await?.ok_or(Failure::Missing)?;
        return Ok(([SAID], composer(&view, unsent)).into_response());
    }
    match unsent {
        None => Ok(Redirect::to(&address(id)).into_response()),
        Some(unsent) => {
            Ok(page::whole(&console, &staff, Side::Talk(id, Open::Answer(unsent)), None).await?.into_response())
        }
    }
}

pub(super) async fn take_over(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    owned(&console, &staff, id, Action::TakeOver(id), &headers).await
}

pub(super) async fn hand_back(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    owned(&console, &staff, id, Action::HandBack(id), &headers).await
}

/// Sends a message again that could not be sent.
pub(super) async fn resend(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    Path((id, seq)): Path<(String, i64)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    owned(&console, &staff, id, Action::Resend { conversation: id, seq }, &headers).await
}

/// The right side of the console.
pub(super) async fn side(console: &Console, staff: &Staff, side: Side<'_>) -> Result<Markup, Failure> {
    let (view, content) = match side {
        Side::Orders => ("orders", live_list(list(console, None).await?)),
        Side::List => ("list", live_list(list(console, None).await?)),
        Side::Talk(id, open) => ("talk", live_talk(console, staff, id, open).await?),
        Side::Names(alert) => ("names", names::live(console, alert).await?),
    };
    Ok(html! { aside #side data-view=(view) { (content) } })
}

/// How many customers wait for a person.
pub(super) fn waiting(all: &[ConversationView]) -> usize {
    all.iter().filter(|view| needs_person(view)).count()
}

impl Said {
    /// Whether an id is new; it is remembered.
    fn is_new(&mut self, id: &str) -> bool {
        if self.0.iter().any(|known| known == id) {
            return false;
        }
        if self.0.len() >= MOST_SAID {
            self.0.pop_front();
        }
        self.0.push_back(id.to_owned());
        true
    }

    /// Forgets an id whose answer was not sent.
    fn forget(&mut self, id: &str) {
        self.0.retain(|known| known != id);
    }
}

/// Sends an answer once; why not, where it was not.
async fn say(console: &Console, staff: &Staff, id: ConversationId, form: &Answer) -> Result<Option<String>, Failure> {
    let web = &console.web;
    let text = form.text.replace("\r\n", "\n");
    let text = text.trim();
    if text.is_empty() {
        return Ok(Some("Write something first.".to_owned()));
    }
    if text.chars().count() > LONGEST_ANSWER {
        return Ok(Some(format!("This is too long for one message; {LONGEST_ANSWER} characters is the most.")));
    }
    if form.id.is_empty() || form.id.len() > LONGEST_ID {
        return Err(Failure::Form);
    }
    let name = format!("{id} {}", form.id);
    let said = || console.memory.said.lock().unwrap_or_else(PoisonError::into_inner);
    if !said().is_new(&name) {
        return Ok(None);
    }
    match web.work.act(&web.merchant, &staff.name, Action::Answer(id, text.to_owned())).await {
        Ok(()) => Ok(None),
        Err(fault) => {
            said().forget(&name);
            Ok(Some(format!("Not sent: {}", board::in_words(fault))))
        }
    }
}

async fn owned(
    console: &Console,
    staff: &Staff,
    id: ConversationId,
    action: Action,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let fault = console.web.work.act(&console.web.merchant, &staff.name, action).await.err();
    let alert = fault.map(|fault| format!("Not done: {}", board::in_words(fault)));
    if session::by_script(headers) {
        return Ok(talk(console, staff, id, alert.as_deref()).await?.into_response());
    }
    match alert {
        None => Ok(Redirect::to(&address(id)).into_response()),
        Some(_) => {
            Ok(page::whole(console, staff, Side::Talk(id, Open::Nothing), alert.as_deref()).await?.into_response())
        }
    }
}

fn live_list(list: Markup) -> Markup {
    html! {
        #list hx-get="/console/list" hx-trigger="sse:talks, sse:again" hx-sync="this:queue last" hx-disinherit="hx-sync" hx-target="this"
            hx-swap="innerHTML" { (list) }
    }
}

async fn live_talk(console: &Console, staff: &Staff, id: ConversationId, open: Open<'_>) -> Result<Markup, Failure> {
    let (unsent, editor) = match open {
        Open::Nothing => (None, html! {}),
        Open::Answer(unsent) => (Some(unsent), html! {}),
        Open::Editor(editor) => (None, editor),
    };
    let view = console.web.work.store().conversation(&console.web.merchant, id).await?.ok_or(Failure::Missing)?;
    let talk = talk(console, staff, id, None).await?;
    let fragment = format!("{}/talk", address(id));
    let trigger = format!("sse:talk-{id}, sse:orders, sse:again, said from:body");
    Ok(html! {
        a.back href="/console/conversations" hx-get="/console/conversations" hx-target="#side" hx-swap="outerHTML"
            hx-push-url="true" { "‹ Chats" }
        #talk hx-get=(fragment) hx-trigger=(trigger) hx-sync="this:queue last" hx-disinherit="hx-sync" hx-target="this" hx-swap="innerHTML" {
            (talk)
        }
        #edit { (editor) }
        (composer(&view, unsent))
    })
}

async fn list(console: &Console, alert: Option<&str>) -> Result<Markup, Failure> {
    let web = &console.web;
    let now = web.now();
    let shop = web.work.shop(&web.merchant).ok_or(Failure::Missing)?;
    let clock = Clock::of(&shop.catalog);
    let all = web.work.store().conversations(&web.merchant).await?;
    let aside = web.work.store().aside(&web.merchant).await?;
    let mut waiting: Vec<_> = all.iter().filter(|view| needs_person(view)).collect();
    waiting.sort_by_key(|view| waits_since(view));
    let others: Vec<_> = all.iter().filter(|view| !needs_person(view)).collect();
    Ok(html! {
        @if let Some(alert) = alert { p.alert role="alert" { (alert) } }
        @if !aside.is_empty() { (set_aside(&aside, &clock, now)) }
        @if !waiting.is_empty() {
            h2 { "Waiting for a person " span.count { (waiting.len()) } }
            ul.talks.waiting { @for view in &waiting { (entry(view, &clock, now)) } }
        }
        h2 { "Chats" }
        @if others.is_empty() { p.empty { "Nobody else has written yet." } }
        ul.talks { @for view in &others { (entry(view, &clock, now)) } }
        form.team method="post" action="/console/invite" { button type="submit" { "Let a colleague in" } }
    })
}

fn entry(view: &ConversationView, clock: &Clock, now: Moment) -> Markup {
    let href = address(view.id);
    html! {
        li {
            a href=(href) hx-get=(href) hx-target="#side" hx-swap="outerHTML" hx-push-url="true" {
                p.first { b { (name_of(view)) } " " span.when { (clock.shown(view.last_at, now)) } }
                @match &view.desk {
                    Some(Desk::Waiting { since, why }) => {
                        p.why { (why.words()) " · " b data-since=(since.0) { (lasted(now.since(*since))) } }
                    }
                    Some(Desk::Staff { name, .. }) => p.owner { (name) " answers" },
                    Some(Desk::Bot) => {}
                    None => p.why { "The program can't read where the bot stands in it." }
                }
                @if let Some((author, words)) = &view.last {
                    p.glimpse dir="auto" { (who(*author)) (glimpse(words)) }
                }
                @if view.failed > 0 {
                    p.fault {
                        "Not delivered: " (view.failed)
                        @if let Some(fault) = &view.fault { ", " (fault) }
                    }
                }
                p.channel { (channel_words(view.channel)) @if !view.reachable { " · has left" } }
            }
        }
    }
}

fn set_aside(aside: &[AsideView], clock: &Clock, now: Moment) -> Markup {
    html! {
        // Open: what is closed by hand would open again with the next message, and the other way round.
        details.aside open {
            summary { "Could not be handled: " (aside.len()) }
            p { "These messages arrived, and the program failed on them. They are kept whole." }
            ul {
                @for view in aside {
                    li {
                        b { (clock.shown(Moment(view.at), now)) } " " (view.channel)
                        @if let Some(words) = words_of(view) { ": “" (words) "”" }
                        p.fault { (view.fault) }
                        form method="post" action="/console/aside/again" hx-post="/console/aside/again"
                            hx-target="#list" hx-swap="innerHTML" hx-disabled-elt="find button" {
                            input type="hidden" name="channel" value=(view.channel);
                            input type="hidden" name="foreign_id" value=(view.foreign_id);
                            button type="submit" { "Try again" }
                        }
                    }
                }
            }
        }
    }
}

/// What the customer wrote, where it was words.
fn words_of(view: &AsideView) -> Option<String> {
    let channel = view.channel.parse().ok()?;
    // Only the words are shown, which are no shop's.
    let merchant = "shop".parse().ok()?;
    match channel::again(&merchant, channel, Peer::new(view.peer.clone())?, &view.raw, Moment(view.at))?.content {
        Content::Text(text) | Content::TooLong(text) => Some(text),
        _ => None,
    }
}

async fn talk(console: &Console, staff: &Staff, id: ConversationId, alert: Option<&str>) -> Result<Markup, Failure> {
    let web = &console.web;
    let now = web.now();
    let shop = web.work.shop(&web.merchant).ok_or(Failure::Missing)?;
    let clock = Clock::of(&shop.catalog);
    let store = web.work.store();
    let view = store.conversation(&web.merchant, id).await?.ok_or(Failure::Missing)?;
    let messages = store.messages(&web.merchant, id, 0).await?;
    Ok(html! {
        header.talk-head {
            h2 { (name_of(&view)) }
            p.channel {
                (channel_words(view.channel))
                @if let Some(language) = view.language { " · writes " (language.tag()) }
            }
        }
        @if let Some(alert) = alert { p.alert role="alert" { (alert) } }
        @if !view.reachable { p.alert { "The customer has left this chat. What you write does not reach them." } }
        (desk(&view, staff, now))
        (orders(console, &shop, &clock, id, now).await?)
        (cart::live(&view, &shop.catalog))
        ol.messages tabindex="0" role="log" aria-label="Messages" {
            @for message in &messages { (said(message, &view, &clock, now)) }
        }
    })
}

async fn orders(
    console: &Console,
    shop: &OpenShop,
    clock: &Clock,
    id: ConversationId,
    now: Moment,
) -> Result<Markup, Failure> {
    let orders = console.web.work.store().orders_of(&console.web.merchant, id).await?;
    let (open, ended): (Vec<_>, Vec<_>) = orders.iter().partition(|view| !view.order.status.is_final());
    Ok(html! {
        @if !open.is_empty() {
            ul.orders { @for view in &open { (board::summary(view, shop, clock, now)) } }
        }
        @if !ended.is_empty() {
            details.earlier {
                summary { "Earlier orders: " (ended.len()) }
                ul.orders { @for view in &ended { (board::summary(view, shop, clock, now)) } }
            }
        }
    })
}

/// Who answers, and the buttons that change it.
fn desk(view: &ConversationView, staff: &Staff, now: Moment) -> Markup {
    let button = |step: &str, label: &str, main: bool| {
        let href = format!("{}/{step}", address(view.id));
        html! {
            form method="post" action=(href) hx-post=(href) hx-target="#talk" hx-swap="innerHTML"
                hx-disabled-elt="find button" { button.main[main] type="submit" { (label) } }
        }
    };
    html! {
        div.desk-line {
            @match &view.desk {
                Some(Desk::Bot) => { p { "The bot answers." } (button("take-over", "Take over", false)) }
                Some(Desk::Waiting { since, why }) => {
                    p.why { "Waits for a person: " (why.words()) " · "
                        b data-since=(since.0) { (lasted(now.since(*since))) } }
                    (button("take-over", "Take over", true))
                    (button("hand-back", "Leave it to the bot", false))
                }
                Some(Desk::Staff { name, .. }) if *name == staff.name => {
                    p.mine { "You answer, the bot is silent." }
                    (button("hand-back", "Hand back", true))
                }
                Some(Desk::Staff { name, .. }) => {
                    p.owner { (name) " answers, the bot is silent." }
                    (button("take-over", "Take over", false))
                    (button("hand-back", "Hand back", false))
                }
                None => {
                    p.why { "The program can't read where the bot stands in this conversation." }
                    (button("take-over", "Take over", true))
                }
            }
        }
    }
}

fn said(message: &MessageView, view: &ConversationView, clock: &Clock, now: Moment) -> Markup {
    let name = match (message.author, &message.by_name) {
        (Author::Customer, _) => "Customer",
        (Author::Bot, _) => "Bot",
        (Author::Staff, Some(name)) => name,
        (Author::Staff, None) => "Staff",
        (Author::Note, _) => "Note",
    };
    html! {
        li class={ "said " (message.author.word()) } {
            p.by { b { (name) } " " span.when { (clock.shown(message.at, now)) } }
            div.bubble {
                @if let Some(kind) = kind_words(&message.kind) { p.kind { (kind) } }
                @if !message.body.is_empty() { p dir="auto" { (message.body) } }
                @if !message.buttons.is_empty() {
                    p.buttons { @for button in &message.buttons { span { (button.label) } " " } }
                }
            }
            @if message.waiting { p.state { "sending …" } }
            @if let Some(fault) = &message.fault {
                p.fault { "Not delivered: " (fault) }
                @if view.reachable { (send_again(view.id, message.seq)) }
            }
        }
    }
}

fn send_again(id: ConversationId, seq: i64) -> Markup {
    let href = format!("{}/messages/{seq}/send-again", address(id));
    html! {
        form method="post" action=(href) hx-post=(href) hx-target="#talk" hx-swap="innerHTML"
            hx-disabled-elt="find button" { button type="submit" { "Send again" } }
    }
}

/// Where the staff write. It stands outside what is refreshed, so that nobody's half sentence is lost.
fn composer(view: &ConversationView, unsent: Option<Unsent<'_>>) -> Markup {
    let href = format!("{}/answer", address(view.id));
    let text = unsent.as_ref().map_or("", |unsent| unsent.text);
    html! {
        form.composer #composer method="post" action=(href) hx-post=(href) hx-target="this" hx-swap="outerHTML"
            hx-disabled-elt="find button" {
            @if let Some(unsent) = &unsent { p.alert role="alert" { (unsent.why) } }
            input type="hidden" name="id" value=(Uuid::now_v7());
            label.visually-hidden for="answer" { "Your answer" }
            textarea #answer name="text" rows="2" required placeholder="Answer. The bot is silent then."
                maxlength=(LONGEST_ANSWER) { (text) }
            button.main type="submit" { "Send" }
        }
    }
}

pub(super) fn read_id(text: &str) -> Result<ConversationId, Failure> {
    text.parse().map_err(|_| Failure::Missing)
}

pub(super) fn address(id: ConversationId) -> String {
    format!("/console/conversations/{id}")
}

/// A desk that can't be read is a person's business too.
fn needs_person(view: &ConversationView) -> bool {
    match &view.desk {
        Some(Desk::Waiting { .. }) | None => true,
        Some(Desk::Bot | Desk::Staff { .. }) => false,
    }
}

fn waits_since(view: &ConversationView) -> Moment {
    match &view.desk {
        Some(Desk::Waiting { since, .. }) => *since,
        Some(Desk::Bot | Desk::Staff { .. }) | None => view.last_at,
    }
}

/// A name, or something to tell the nameless apart.
fn name_of(view: &ConversationView) -> String {
    match view.name.as_deref().map(str::trim) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => format!("Customer {:04x}", view.id.0 & 0xffff),
    }
}

fn who(author: Author) -> &'static str {
    match author {
        Author::Customer => "",
        Author::Bot => "Bot: ",
        Author::Staff => "Staff: ",
        Author::Note => "",
    }
}

pub(super) fn glimpse(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_GLIMPSE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// What stood in place of words; `None` for words.
fn kind_words(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "text" => return None,
        "press" => "pressed a button",
        "voice" => "voice message",
        "picture" => "picture or video",
        "sticker" => "sticker",
        "location" => "a place on the map",
        "contact" => "contact card",
        "file" => "file",
        "edit" => "changed an earlier message",
        _ => "something without words",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_sent_once_and_can_be_tried_again() {
        let mut said = Said::default();
        assert!(said.is_new("a"));
        assert!(!said.is_new("a"));
        said.forget("a");
        assert!(said.is_new("a"));
        for n in 0..MOST_SAID {
            assert!(said.is_new(&n.to_string()));
        }
        assert_eq!(said.0.len(), MOST_SAID);
        assert!(said.is_new("a"), "forgotten after many others");
    }

    #[test]
    fn a_glimpse_is_one_short_line() {
        assert_eq!(glimpse("one\n two"), "one two");
        assert_eq!(glimpse(&"ж".repeat(200)).chars().count(), LONGEST_GLIMPSE + 1);
    }
}
