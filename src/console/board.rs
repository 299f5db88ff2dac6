//! The board: every order under way as a card, in the columns of its way through the shop, and today's finished ones.
//!
//! A card's element is named by its order and version. A refresh puts the element that is there back in place of an
//! equal one (`hx-preserve`), so that what somebody is typing into a card survives the arrival of other orders.

use axum::{
    Form,
    extract::{Extension, Path, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Console,
    clock::{Clock, lasted},
    failure::Failure,
    page,
    session::{self, Staff},
};
use crate::{
    cart::{Amount, Chosen, Line, Pick},
    catalog::{Catalog, HALF_SIGN},
    channel::ChannelKind,
    id::{OrderId, ProductId},
    language::Language,
    moment::{Moment, Span},
    money::Money,
    order::{Fulfilment, LONGEST_REASON, LONGEST_WAIT_MINUTES, Move, Order, Status},
    store::OrderView,
    work::{Action, NotDone, OpenShop},
};

/// Waits that one press promises, in minutes.
const CHIPS: [i64; 6] = [10, 15, 20, 30, 45, 60];

/// Reasons that one press gives.
const REASONS: [&str; 4] =
    ["Something in it is sold out.", "We are too busy right now.", "We are closing.", "We can't deliver there."];

/// What a card's form holds beside the move.
#[derive(Deserialize)]
pub(super) struct Pressed {
    version: i64,
    #[serde(default)]
    minutes: Option<String>,
    /// Instead of minutes: a moment, for an order that waits for the opening.
    #[serde(default)]
    at: Option<i64>,
    #[serde(default)]
    reason: Option<String>,
}

pub(super) async fn fragment(State(console): State<Console>) -> Result<Markup, Failure> {
    inner(&console, None).await
}

/// Moves an order, and answers with the board as it then is; where it was not done, with why.
pub(super) async fn act(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
    Path((order, a_move)): Path<(String, String)>,
    headers: HeaderMap,
    Form(pressed): Form<Pressed>,
) -> Result<Response, Failure> {
    let web = &console.web;
    let order: OrderId = order.parse().map_err(|_| Failure::Missing)?;
    let fault = match read_move(&a_move, &pressed, web.now())? {
        Err(fault) => Some(fault.to_owned()),
        Ok(a_move) => {
            let action = Action::Order { order, version: pressed.version, a_move };
            web.work.act(&web.merchant, &staff.name, action).await.err().map(in_words)
        }
    };
    let alert = match fault {
        None => None,
        Some(fault) => {
            let number = web.work.store().order(&web.merchant, order).await?.map(|view| view.order.number);
            Some(number.map_or_else(|| fault.clone(), |number| format!("Order {number}: {fault}")))
        }
    };
    if session::by_script(&headers) {
        return Ok(inner(&console, alert.as_deref()).await?.into_response());
    }
    if alert.is_none() {
        return Ok(Redirect::to("/console").into_response());
    }
    Ok(page::whole(&console, &staff, page::Side::Orders, alert.as_deref()).await?.into_response())
}

/// What stands in the board.
pub(super) async fn inner(console: &Console, alert: Option<&str>) -> Result<Markup, Failure> {
    let web = &console.web;
    let now = web.now();
    let shop = web.work.shop(&web.merchant).ok_or(Failure::Missing)?;
    let clock = Clock::of(&shop.catalog);
    let all = web.work.store().board(&web.merchant, clock.day_began(now)).await?;
    let card = |view: &&OrderView| card(view, &shop, &clock, now);
    // The longest waiting first, then what was promised first; what is done, the latest first.
    let mut new = with(&all, &[Status::Placed]);
    new.sort_by_key(|view| view.order.placed_at);
    let mut kitchen = with(&all, &[Status::Accepted]);
    kitchen.sort_by_key(|view| view.order.due);
    let mut ready = with(&all, &[Status::Ready, Status::OutForDelivery]);
    ready.sort_by_key(|view| view.order.due);
    let mut done = with(&all, &[Status::Delivered, Status::Declined, Status::Cancelled]);
    done.sort_by_key(|view| std::cmp::Reverse(view.order.moved_at));
    Ok(html! {
        @if let Some(alert) = alert {
            div.alert.flash role="alert" { p { (alert) } button type="button" data-dismiss { "OK" } }
        }
        div.columns {
            (column("new", "New", &new, "No new orders.", card))
            (column("kitchen", "In the kitchen", &kitchen, "Nothing to make.", card))
            (column("ready", "Ready & on the way", &ready, "Nothing waits.", card))
        }
        @if !done.is_empty() {
            section.done aria-labelledby="done" {
                h2 #done { "Done today " span.count { (done.len()) } }
                ul { @for view in &done { (ended(view, &clock, now)) } }
            }
        }
    })
}

/// An order in short, as it stands beside its conversation.
pub(super) fn summary(view: &OrderView, shop: &OpenShop, clock: &Clock, now: Moment) -> Markup {
    let order = &view.order;
    html! {
        li.summary {
            p.first {
                b.number { "#" (order.number) } " "
                span class={ "status " (order.status.word()) } { (status_words(order)) } " "
                @if let Some(due) = order.due.filter(|_| !order.status.is_final()) {
                    span { "by " (clock.shown(due, now)) }
                }
            }
            (lines(order, &shop.catalog))
            p { (fulfilment_words(order)) " · " (order.name)
                @if let Some(address) = &order.address { " · " (address) }
                @if let Some(note) = &order.note { " · " b { "Note: " (note) } }
                " · " b { (amount(order.total)) }
            }
            @if let Some(reason) = &order.reason { p { "Reason: " (reason) } }
        }
    }
}

/// What was not done, for the staff.
pub(super) fn in_words(fault: NotDone) -> String {
    match fault {
        NotDone::Stale => "somebody else was faster. This is how it stands now.".to_owned(),
        NotDone::Missing => "this is not there any more.".to_owned(),
        NotDone::Refused(why) => format!("{}.", why.trim_end_matches('.')),
        NotDone::Owned(name) => format!("{name} has this conversation. Take it over first."),
        NotDone::Store(error) => {
            tracing::error!(%error, "a staff action could not be stored");
            "it could not be stored. Try again.".to_owned()
        }
    }
}

/// A channel's name for people.
pub(super) fn channel_words(channel: ChannelKind) -> &'static str {
    match channel {
        ChannelKind::Web => "Web",
        ChannelKind::Telegram => "Telegram",
        ChannelKind::Terminal => "Terminal",
    }
}

/// The move of a form; the inner error is a slip of the person who filled it in.
fn read_move(word: &str, pressed: &Pressed, now: Moment) -> Result<Result<Move, &'static str>, Failure> {
    const MINUTES: &str = "write how many minutes it will take, such as 25.";
    Ok(match word {
        "accept" => {
            let minutes = match (&pressed.at, &pressed.minutes) {
                (Some(at), _) => Some(minutes_until(Moment(*at), now)),
                (None, Some(minutes)) => minutes.trim().parse().ok(),
                (None, None) => None,
            };
            minutes.map(|minutes| Move::Accept { minutes }).ok_or(MINUTES)
        }
        "decline" => match pressed.reason.as_deref().map(str::trim) {
            Some(reason) if !reason.is_empty() => Ok(Move::Decline { reason: reason.to_owned() }),
            _ => Err("write why, so that the customer knows."),
        },
        "ready" => Ok(Move::Ready),
        "out" => Ok(Move::OutForDelivery),
        "delivered" => Ok(Move::Delivered),
        _ => return Err(Failure::Missing),
    })
}

/// Whole minutes from now to a moment, the last one begun counted.
fn minutes_until(at: Moment, now: Moment) -> i64 {
    at.since(now).0.saturating_add(59_999).div_euclid(60_000)
}

fn with<'a>(all: &'a [OrderView], statuses: &[Status]) -> Vec<&'a OrderView> {
    all.iter().filter(|view| statuses.contains(&view.order.status)).collect()
}

fn column(name: &str, title: &str, views: &[&OrderView], empty: &str, card: impl Fn(&&OrderView) -> Markup) -> Markup {
    html! {
        section class={ "column " (name) } aria-labelledby=(name) {
            h2 id=(name) { (title) " " @if !views.is_empty() { span.count { (views.len()) } } }
            @if views.is_empty() { p.empty { (empty) } }
            @for view in views { (card(view)) }
        }
    }
}

fn card(view: &OrderView, shop: &OpenShop, clock: &Clock, now: Moment) -> Markup {
    let order = &view.order;
    let talk = format!("/console/conversations/{}", order.conversation);
    html! {
        article class={ "card " (order.status.word()) } id={ "order-" (order.id) "-" (order.version) } hx-preserve {
            header {
                h3 { "#" (order.number) }
                p.when {
                    span { (clock.shown(order.placed_at, now)) } " "
                    b data-since=(order.placed_at.0) { (lasted(now.since(order.placed_at))) }
                }
            }
            (promise(order, clock, now))
            p.who {
                span class={ "way " (order.fulfilment.word()) } { (fulfilment_words(order)) } " "
                b { (order.name) }
            }
            @if let Some(address) = &order.address { p.address { (address) } }
            (lines(order, &shop.catalog))
            @if let Some(note) = &order.note { p.note { "Note: " (note) } }
            p.total {
                b { (amount(order.total)) }
                @if !order.fee.is_zero() { " with " (amount(order.fee)) " for delivery" }
                span.channel { (channel_words(view.channel)) }
            }
            (actions(order, clock, now))
            a.talk href=(talk) hx-get=(talk) hx-target="#side" hx-swap="outerHTML" hx-push-url="true" {
                "Chat"
            }
        }
    }
}

/// For when it is: the opening that it waits for, or the time that was promised.
fn promise(order: &Order, clock: &Clock, now: Moment) -> Markup {
    html! {
        @if order.status == Status::Placed {
            @if let Some(opens) = order.not_before {
                p.promise.opening { "For " b { (clock.shown(opens, now)) } ", when you open" }
            }
        } @else if let Some(due) = order.due {
            p.promise data-due=(due.0) {
                @match order.fulfilment { Fulfilment::Pickup => "Ready by ", Fulfilment::Delivery => "At the door by " }
                b { (clock.shown(due, now)) } " "
                span.left {
                    @let left = due.since(now);
                    @if left.0 < 0 { "late by " (lasted(Span(-left.0))) }
                    @else { "in " (lasted(Span::minutes(minutes_until(due, now)))) }
                }
            }
        }
    }
}

fn lines(order: &Order, catalog: &Catalog) -> Markup {
    html! { ul.lines { @for line in &order.cart.lines { li { (self::line(line, catalog)) } } } }
}

/// A line with its options.
pub(super) fn line(line: &Line, catalog: &Catalog) -> Markup {
    let language = own_language(catalog);
    html! {
        b.quantity { (line.quantity) " ×" } " "
        span.product { (product_name(line, catalog, language)) }
        @if !line.options.is_empty() {
            ul.options {
                @for option in as_made(&line.options) {
                    li class=(option_class(option)) { (option_words(option, catalog, language)) }
                }
            }
        }
    }
}

/// A line with its options in one sentence.
pub(super) fn line_words(line: &Line, catalog: &Catalog) -> String {
    let language = own_language(catalog);
    let options = as_made(&line.options).into_iter().map(|option| option_words(option, catalog, language));
    let all: Vec<String> = std::iter::once(format!("{} × {}", line.quantity, product_name(line, catalog, language)))
        .chain(options)
        .collect();
    all.join(", ")
}

fn actions(order: &Order, clock: &Clock, now: Moment) -> Markup {
    let step = |a_move: &str, label: &str, main: bool| {
        form_of(order, a_move, html! { button.main[main] type="submit" { (label) } })
    };
    html! {
        div.actions {
            @match (order.status, order.fulfilment) {
                (Status::Placed, _) => { (accept(order, clock, now)) (decline(order, "Decline")) }
                (Status::Accepted, Fulfilment::Pickup) => {
                    (step("ready", "Ready", true)) (decline(order, "Can't make it"))
                }
                (Status::Accepted, Fulfilment::Delivery) => {
                    (step("ready", "Ready", true)) (step("out", "Out for delivery", false))
                    (decline(order, "Can't make it"))
                }
                (Status::Ready, Fulfilment::Pickup) => (step("delivered", "Picked up", true)),
                (Status::Ready, Fulfilment::Delivery) => {
                    (step("out", "Out for delivery", true)) (step("delivered", "Delivered", false))
                }
                (Status::OutForDelivery, _) => (step("delivered", "Delivered", true)),
                (Status::Delivered | Status::Declined | Status::Cancelled, _) => {}
            }
        }
    }
}

fn accept(order: &Order, clock: &Clock, now: Moment) -> Markup {
    let opens = order.not_before.filter(|&opens| opens > now);
    let farthest = now.after(Span::minutes(LONGEST_WAIT_MINUTES));
    let chips = CHIPS.iter().map(|&minutes| {
        let label = format!("{minutes} min");
        match opens.map(|opens| opens.after(Span::minutes(minutes))) {
            Some(at) if at > farthest => html! {},
            // Counted from the opening; the moment itself is sent, for the page may stand open until then.
            Some(at) => html! { button.main name="at" value=(at.0) type="submit" { (clock.shown(at, now)) } },
            None => html! { button.main name="minutes" value=(minutes) type="submit" { (label) } },
        }
    });
    let too_far = opens.is_some_and(|opens| opens > farthest);
    html! {
        @if too_far {
            p.hint { "The shop opens in more than a day. Accept it on that day." }
        } @else {
            p.ask { @if opens.is_some() { "Accept for" } @else { "Accept, ready in" } }
            (form_of(order, "accept", html! { div.chips { @for chip in chips { (chip) } } }))
            (form_of(order, "accept", html! {
                div.own {
                    label { span.visually-hidden { "Other number of minutes" }
                        input name="minutes" type="number" inputmode="numeric" min="1" max=(LONGEST_WAIT_MINUTES)
                            placeholder="min" required;
                    }
                    button type="submit" { "Accept" }
                }
            }))
        }
    }
}

fn decline(order: &Order, label: &str) -> Markup {
    html! {
        details.decline {
            summary { (label) }
            (form_of(order, "decline", html! {
                div.chips { @for reason in REASONS { button name="reason" value=(reason) type="submit" { (reason) } } }
            }))
            (form_of(order, "decline", html! {
                div.own {
                    label { span.visually-hidden { "Reason in your own words" }
                        input name="reason" maxlength=(LONGEST_REASON) placeholder="In your own words" required;
                    }
                    button.danger type="submit" { "Decline" }
                }
            }))
            p.hint { "The customer reads the reason." }
        }
    }
}

fn form_of(order: &Order, a_move: &str, content: Markup) -> Markup {
    let address = format!("/console/orders/{}/{a_move}", order.id);
    html! {
        form method="post" action=(address) hx-post=(address) hx-disabled-elt="find fieldset" {
            fieldset {
                input type="hidden" name="version" value=(order.version);
                (content)
            }
        }
    }
}

fn ended(view: &OrderView, clock: &Clock, now: Moment) -> Markup {
    let order = &view.order;
    let talk = format!("/console/conversations/{}", order.conversation);
    html! {
        li {
            a href=(talk) hx-get=(talk) hx-target="#side" hx-swap="outerHTML" hx-push-url="true" {
                b { "#" (order.number) } " " span class={ "status " (order.status.word()) } { (status_words(order)) }
                " " span { (clock.shown(order.moved_at, now)) " · " (order.name) " · " (amount(order.total)) }
                @if let Some(reason) = &order.reason { span { " · " (reason) } }
            }
        }
    }
}

fn status_words(order: &Order) -> &'static str {
    match (order.status, order.fulfilment) {
        (Status::Placed, _) => "New",
        (Status::Accepted, _) => "In the kitchen",
        (Status::Ready, _) => "Ready",
        (Status::OutForDelivery, _) => "On the way",
        (Status::Delivered, Fulfilment::Pickup) => "Picked up",
        (Status::Delivered, Fulfilment::Delivery) => "Delivered",
        (Status::Declined, _) => "Declined",
        (Status::Cancelled, _) => "Cancelled by the customer",
    }
}

fn fulfilment_words(order: &Order) -> &'static str {
    match order.fulfilment {
        Fulfilment::Pickup => "Pickup",
        Fulfilment::Delivery => "Delivery",
    }
}

pub(super) fn amount(money: Money) -> String {
    format!("{} {}", money.digits(), money.currency().code())
}

/// The first language of a shop is the one its kitchen speaks.
pub(super) fn own_language(catalog: &Catalog) -> Language {
    catalog.languages.first().copied().unwrap_or(Language::ENGLISH)
}

/// A product that the shop no longer lists keeps its id: an order is never shown without what is in it.
fn product_name(line: &Line, catalog: &Catalog, language: Language) -> String {
    match &line.product {
        Pick::One(id) => name_of(id, catalog, language),
        Pick::OneOf(ids) => ids.iter().map(|id| name_of(id, catalog, language)).collect::<Vec<_>>().join(" or "),
    }
}

fn name_of(id: &ProductId, catalog: &Catalog, language: Language) -> String {
    catalog.product(id).map_or_else(|| id.to_string(), |product| product.names.shown(language).to_owned())
}

/// Options in the order in which a cook needs them: the size and what comes on it, then what is different.
fn as_made(options: &[Chosen]) -> Vec<&Chosen> {
    let mut options: Vec<&Chosen> = options.iter().collect();
    options.sort_by_key(|option| (option.without, option.amount != Amount::Normal));
    options
}

fn option_class(option: &Chosen) -> &'static str {
    match (option.without, option.amount) {
        (true, _) => "without",
        (false, Amount::Extra) => "extra",
        (false, Amount::Light) => "light",
        (false, Amount::Normal) => "plain",
    }
}

fn option_words(option: &Chosen, catalog: &Catalog, language: Language) -> String {
    let name = |id| {
        let choice = catalog.choice(&option.group, id);
        choice.map_or_else(|| id.to_string(), |choice| choice.names.shown(language).to_owned())
    };
    let name = match &option.choice {
        Pick::One(id) => name(id),
        Pick::OneOf(ids) => ids.iter().map(name).collect::<Vec<_>>().join(" or "),
    };
    let name = if option.count > 1 { format!("{} × {name}", option.count) } else { name };
    let is_half = catalog.group(&option.group).is_some_and(|group| group.halves.is_some());
    let words = match (option.without, option.amount) {
        (true, Amount::Extra) => format!("no extra {name}"),
        (true, Amount::Normal | Amount::Light) => format!("no {name}"),
        (false, Amount::Extra) => format!("extra {name}"),
        (false, Amount::Light) => format!("light {name}"),
        (false, Amount::Normal) if is_half => format!("{HALF_SIGN} {name}"),
        (false, Amount::Normal) => name,
    };
    match &option.half {
        Some(half) => format!("{words} on the {} half", name_of(half, catalog, language)),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(minutes: Option<&str>, at: Option<i64>, reason: Option<&str>) -> Pressed {
        Pressed { version: 1, minutes: minutes.map(str::to_owned), at, reason: reason.map(str::to_owned) }
    }

    #[test]
    fn forms_become_moves_and_slips_are_said() {
        let now = Moment(1_000_000);
        let read = |word: &str, pressed: Pressed| read_move(word, &pressed, now).unwrap();
        assert_eq!(read("accept", pressed(Some(" 25 "), None, None)), Ok(Move::Accept { minutes: 25 }));
        let at = now.after(Span::minutes(90)).0 - 1;
        assert_eq!(read("accept", pressed(None, Some(at), None)), Ok(Move::Accept { minutes: 90 }));
        for minutes in [None, Some(""), Some("soon"), Some("2.5"), Some("99999999999999999999")] {
            assert!(read("accept", pressed(minutes, None, None)).is_err(), "{minutes:?}");
        }
        assert!(read("decline", pressed(None, None, Some("  "))).is_err());
        assert!(matches!(read_move("erase", &pressed(None, None, None), now), Err(Failure::Missing)));
    }

    #[test]
    fn options_say_what_the_cook_must_know() {
        let mut option = Chosen::of("topping".parse().unwrap(), "unlisted".parse().unwrap());
        let sample = include_str!("../../config/samples/pizzeria/catalog.json");
        let (catalog, _) = crate::catalog::read::read(sample).unwrap();
        let words = |option: &Chosen| option_words(option, &catalog, Language::ENGLISH);
        assert_eq!(words(&option), "unlisted", "what the shop no longer lists is shown all the same");
        option.count = 2;
        option.amount = Amount::Extra;
        assert_eq!(words(&option), "extra 2 × unlisted");
        option.count = 1;
        option.without = true;
        assert_eq!(words(&option), "no extra unlisted");
        option.amount = Amount::Normal;
        option.half = Some("funghi".parse().unwrap());
        assert_eq!(words(&option), "no unlisted on the Funghi half");
        assert_eq!(words(&Chosen::of("halves".parse().unwrap(), "funghi".parse().unwrap())), "½ Funghi");
    }
}
