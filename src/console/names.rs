//! Names: what customers of this shop call things, as corrections have suggested it. Each is approved or dismissed with
//! one press; an approved one is used at once, for this shop alone, and can be removed.

use axum::{
    Form,
    extract::{Extension, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Console, board,
    clock::Clock,
    failure::Failure,
    page::{self, Side},
    session::{self, Staff},
    talks,
};
use crate::{
    catalog::Catalog,
    moment::Moment,
    store::{NameView, Standing},
    understanding::alias::{Meant, Phrase},
    work::Action,
};

/// A decision: the name, what it stands for as JSON, and whether it is to be used.
#[derive(Deserialize)]
pub(super) struct Decision {
    phrase: String,
    meant: String,
    approved: u8,
}

pub(super) async fn fragment(State(console): State<Console>) -> Result<Markup, Failure> {
    list(&console, None).await
}

/// Approves a name or takes it out of use, and answers with the list as it then is.
pub(super) async fn decide(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    headers: HeaderMap,
    Form(decision): Form<Decision>,
) -> Result<Response, Failure> {
    let phrase = Phrase::parse(&decision.phrase).map_err(|_| Failure::Form)?;
    let meant: Meant = serde_json::from_str(&decision.meant).map_err(|_| Failure::Form)?;
    let action = Action::Name { phrase, meant, approved: decision.approved != 0 };
    let fault = console.web.work.act(&console.web.merchant, &staff.name, action).await.err();
    let alert = fault.map(|fault| format!("Not done: {}", board::in_words(fault)));
    if session::by_script(&headers) {
        return Ok(list(&console, alert.as_deref()).await?.into_response());
    }
    match alert {
        None => Ok(Redirect::to("/console/names").into_response()),
        Some(_) => Ok(page::whole(&console, &staff, Side::Names(alert.as_deref()), None).await?.into_response()),
    }
}

/// The list, which looks again when a name was suggested or decided on.
pub(super) async fn live(console: &Console, alert: Option<&str>) -> Result<Markup, Failure> {
    let list = list(console, alert).await?;
    Ok(html! {
        #names hx-get="/console/names/list" hx-trigger="sse:names, sse:again" hx-sync="this:queue last"
            hx-disinherit="hx-sync" hx-target="this" hx-swap="innerHTML" { (list) }
    })
}

async fn list(console: &Console, alert: Option<&str>) -> Result<Markup, Failure> {
    let web = &console.web;
    let shop = web.work.shop(&web.merchant).ok_or(Failure::Missing)?;
    let (catalog, now) = (&shop.catalog, web.now());
    let clock = Clock::of(catalog);
    let store = web.work.store();
    let suggested = store.names(&web.merchant, Standing::Suggested).await?;
    let approved = store.names(&web.merchant, Standing::Approved).await?;
    let dismissed = store.names(&web.merchant, Standing::Dismissed).await?;
    let entries = |names: &[NameView]| {
        html! { ul.names { @for name in names { (entry(name, catalog, &clock, now)) } } }
    };
    Ok(html! {
        @if let Some(alert) = alert { p.alert role="alert" { (alert) } }
        h2 { "Suggested names" @if !suggested.is_empty() { " " span.count { (suggested.len()) } } }
        @if suggested.is_empty() {
            p.empty { "None. When you correct an order beside a chat, the customer's words are suggested here." }
        }
        (entries(&suggested))
        @if !approved.is_empty() { h2 { "In use " span.count { (approved.len()) } } (entries(&approved)) }
        @if !dismissed.is_empty() {
            details { summary { "Not used: " (dismissed.len()) } (entries(&dismissed)) }
        }
    })
}

fn entry(name: &NameView, catalog: &Catalog, clock: &Clock, now: Moment) -> Markup {
    let gone = !name.alias.meant.is_in(catalog);
    let talk = talks::address(name.conversation);
    html! {
        li.summary {
            p.first {
                span { b dir="auto" { "“" (name.written) "”" } " → " b { (name.alias.meant.shown_to_staff(catalog)) } }
                span.when { (times(name.times)) }
            }
            @if gone { p.fault { "Not in the catalogue any more." } }
            @if let Some(message) = &name.message { p.glimpse dir="auto" { (talks::glimpse(message)) } }
            p.channel { "Corrected by " (name.by) " · " (clock.shown(name.at, now)) " · "
                a href=(talk) hx-get=(talk) hx-target="#side" hx-swap="outerHTML" hx-push-url="true" { "the chat" }
            }
            div.pair {
                @match name.standing {
                    Standing::Suggested => {
                        @if !gone { (button(name, true, "Use it")) }
                        (button(name, false, "Dismiss"))
                    }
                    Standing::Approved => (button(name, false, "Remove")),
                    Standing::Dismissed => { @if !gone { (button(name, true, "Use it")) } }
                }
            }
        }
    }
}

fn button(name: &NameView, approved: bool, label: &str) -> Markup {
    // What comes out of the database was put in as JSON.
    let meant = serde_json::to_string(&name.alias.meant).unwrap_or_default();
    html! {
        form method="post" action="/console/names/decide" hx-post="/console/names/decide" hx-target="#names" hx-swap="innerHTML"
            hx-disabled-elt="find button" {
            input type="hidden" name="phrase" value=(name.alias.phrase.as_str());
            input type="hidden" name="meant" value=(meant);
            input type="hidden" name="approved" value=(u8::from(approved));
            button.main[approved] type="submit" { (label) }
        }
    }
}

fn times(times: i64) -> String {
    match times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}
