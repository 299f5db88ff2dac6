//! The way in and out: the first-start link, links for colleagues, signing in, signing out.
//!
//! Races: a link that two open at once lets one in, by a conditional delete. There is one link at a time; a new one ends
//! the one before. Tries to sign in are counted before the
//! password is looked at, so that a thousand at once are counted too. A wrong name and a wrong password get the same
//! words, status and time.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use axum::{
    Form,
    extract::{Extension, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use maud::{Markup, html};
use serde::Deserialize;
use subtle::ConstantTimeEq;
use url::Url;
use uuid::Uuid;

use super::{
    Console, PeerAddress,
    failure::Failure,
    limit::TooMany,
    page, password,
    session::{self, Staff},
};
use crate::{
    customer::LONGEST_NAME,
    id::{MerchantId, StaffId},
    moment::{Moment, Span},
    store::{Member, Store, StoreError},
};

/// Most tries of one name within [`TRIES_WITHIN`] from all addresses together: far more than a person needs, far fewer
/// than guessing takes.
pub(super) const MOST_TRIES_OF_A_NAME: usize = 100;

/// Most tries to sign in within [`TRIES_WITHIN`], for one name and for one address.
pub const MOST_TRIES: usize = 10;

/// See [`MOST_TRIES`].
pub const TRIES_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Longest wait for the turn to hash a password; beyond it the machine is under attack and says that it is busy.
const LONGEST_QUEUE: Duration = Duration::from_secs(10);

/// Length of a link's key in bytes: 128 bits can't be guessed.
const KEY_BYTES: usize = 16;

/// Under which name the store keeps the hash of a link's key, and until when it counts.
const KEPT_AS: &str = "welcome";

/// A link for a colleague counts for so long: it may have gone through other hands.
const INVITED_FOR: Span = Span::hours(24);

/// What was typed, as it came.
#[derive(Deserialize)]
pub(super) struct Key {
    #[serde(default)]
    key: String,
}

/// What was typed, as it came.
#[derive(Deserialize)]
pub(super) struct NewOwner {
    #[serde(default)]
    key: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
}

/// What was typed, as it came.
#[derive(Deserialize)]
pub(super) struct Login {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
}

/// The link by which a shop's owner gets in for the first time; `None` once there is an account. Each call makes a new
/// link and ends the one before. Print it for whoever started the program, and nowhere else.
pub async fn welcome_link(
    store: &Store,
    merchant: &MerchantId,
    public_url: &Url,
) -> Result<Option<String>, StoreError> {
    if store.staff_count(merchant).await? > 0 {
        return Ok(None);
    }
    new_link(store, merchant, public_url, None).await.map(Some)
}

/// Shows a link by which a colleague makes an account of their own.
pub(super) async fn invite(State(console): State<Console>) -> Result<Markup, Failure> {
    let web = &console.web;
    let until = web.now().after(INVITED_FOR);
    let link = new_link(web.work.store(), &web.merchant, &web.public_url, Some(until)).await?;
    Ok(page::door(
        "For a colleague",
        html! {
            p { "Send this link to your colleague. It works once, within 24 hours, and makes them an account like yours." }
            label for="link" { "Link" }
            textarea #link readonly rows="3" { (link) }
            p { a.button href="/console" { "Back to the orders" } }
        },
    ))
}

pub(super) async fn welcome_page(
    State(console): State<Console>,
    Query(asked): Query<Key>,
) -> Result<Response, Failure> {
    Ok(match kept(&console, &asked.key).await? {
        Some(_) => page::door("Welcome", welcome_form(&asked.key, "", None)).into_response(),
        None => used_up(),
    })
}

pub(super) async fn welcome(State(console): State<Console>, Form(form): Form<NewOwner>) -> Result<Response, Failure> {
    let Some(kept) = kept(&console, &form.key).await? else { return Ok(used_up()) };
    let web = &console.web;
    let refused = |why: &str| {
        let page = page::door("Welcome", welcome_form(&form.key, &form.name, Some(why)));
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    let name = tidy(&form.name);
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return refused("Write the name that customers will see when you answer them.");
    }
    if let Err(weak) = password::check(&form.password, &name) {
        return refused(&weak.to_string());
    }
    let login = folded(&name);
    if web.work.store().staff_by_login(&web.merchant, &login).await?.is_some() {
        return refused("Somebody here has this name already. Choose another.");
    }
    let Ok(password) = password::hash(form.password, &console.memory.hashing).await else { return Ok(busy()) };
    if !web.work.store().forget(&web.merchant, KEPT_AS, &kept).await? {
        return Ok(used_up());
    }
    let id = StaffId(Uuid::now_v7().as_u128());
    let member = Member { id, name, password };
    web.work.store().add_staff(&web.merchant, &member, &login, web.now()).await?;
    tracing::info!(staff = %id, "an account was made");
    Ok(([(header::SET_COOKIE, session::begin(&console, id).await?)], Redirect::to("/console")).into_response())
}

pub(super) async fn login_page(State(console): State<Console>, headers: HeaderMap) -> Result<Response, Failure> {
    if session::staff(&console, &headers).await?.is_some() {
        return Ok(Redirect::to("/console").into_response());
    }
    Ok(page::door("Sign in", login_form("", None)).into_response())
}

pub(super) async fn login(
    State(console): State<Console>,
    address: Option<Extension<PeerAddress>>,
    headers: HeaderMap,
    Form(form): Form<Login>,
) -> Result<Response, Failure> {
    let login = folded(&form.name);
    let from = address.map(|Extension(PeerAddress(address))| sender(&console, address.ip(), &headers));
    if let Err(many) = counted(&console, &login, from) {
        tracing::warn!(wait = many.seconds(), "too many tries to sign in");
        return Ok(too_many(&form.name, many));
    }
    let web = &console.web;
    let member = web.work.store().staff_by_login(&web.merchant, &login).await?;
    let hash = member.as_ref().map(|member| member.password.clone());
    let asked = password::is_right(form.password, hash, &console.memory.hashing);
    let Ok(Ok(right)) = tokio::time::timeout(LONGEST_QUEUE, asked).await else { return Ok(busy()) };
    let Some(member) = member.filter(|_| right) else {
        tracing::warn!("a try to sign in failed");
        let page = page::door("Sign in", login_form(&form.name, Some("This name and password don't fit together.")));
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    console.memory.tries.forgive(&by_name(&login, from));
    // Whoever was signed in on this browser before is not any more: the token is new at each sign-in.
    if let Some(before) = session::staff(&console, &headers).await? {
        session::end(&console, &before.token_hash).await?;
    }
    tracing::info!(staff = %member.id, "signed in");
    let cookie = session::begin(&console, member.id).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/console")).into_response())
}

pub(super) async fn logout(
    State(console): State<Console>,
    Extension(staff): Extension<Staff>,
) -> Result<Response, Failure> {
    session::end(&console, &staff.token_hash).await?;
    let mut response = Redirect::to("/console/login").into_response();
    if let Some(cookie) = session::no_cookie(&console) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Makes a link, which counts until then; the store keeps a hash of its key.
async fn new_link(
    store: &Store,
    merchant: &MerchantId,
    public_url: &Url,
    until: Option<Moment>,
) -> Result<String, StoreError> {
    let random: [u8; KEY_BYTES] = rand::random();
    let key = URL_SAFE_NO_PAD.encode(random);
    let hash = session::hash_of(&key);
    let value = until.map_or_else(|| hash.clone(), |until| format!("{hash} {}", until.0));
    store.keep(merchant, KEPT_AS, &value).await?;
    let base = public_url.as_str().trim_end_matches('/');
    Ok(format!("{base}/console/welcome?key={key}"))
}

/// What is kept of the current link, where it was made of this key and still counts.
async fn kept(console: &Console, key: &str) -> Result<Option<String>, StoreError> {
    let web = &console.web;
    let kept = web.work.store().kept(&web.merchant, KEPT_AS).await?;
    Ok(kept.filter(|kept| fits(kept, key, web.now())))
}

fn fits(kept: &str, key: &str, now: Moment) -> bool {
    let (hash, until) = kept.split_once(' ').unwrap_or((kept, ""));
    let counts = until.is_empty() || until.parse().is_ok_and(|until| now < Moment(until));
    counts && bool::from(hash.as_bytes().ct_eq(session::hash_of(key).as_bytes()))
}

fn counted(console: &Console, login: &str, from: Option<IpAddr>) -> Result<(), TooMany> {
    let now = Instant::now();
    let tries = &console.memory.tries;
    if let Some(from) = from {
        tries.take(&format!("address {from}"), now)?;
    }
    // By name from there: whoever guesses elsewhere must not lock the owner of the name out.
    tries.take(&by_name(login, from), now)?;
    console.memory.names.take(login, now)
}

fn by_name(login: &str, from: Option<IpAddr>) -> String {
    match from {
        Some(from) => format!("name {login} from {from}"),
        None => format!("name {login}"),
    }
}

/// Whose try it is. Behind a proxy that adds https (then the connection comes from this machine or its own network),
/// the last `X-Forwarded-For` entry is the proxy's word; anywhere else that header is anybody's.
fn sender(console: &Console, address: IpAddr, headers: &HeaderMap) -> IpAddr {
    let near = match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    };
    if !(near && console.web.is_https()) {
        return address;
    }
    let last = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    last.and_then(|list| list.rsplit(',').next()).and_then(|ip| ip.trim().parse().ok()).unwrap_or(address)
}

/// A name without what can't be seen, in one line.
fn tidy(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name as it is compared; cut, so that what is counted stays small.
fn folded(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    tidy(name).nfkc().collect::<String>().to_lowercase().chars().take(LONGEST_NAME).collect()
}

fn used_up() -> Response {
    let page = page::door(
        "Welcome",
        html! {
            p { "This link was used already, is too old, or a newer one was made." }
            p { "A colleague who is signed in can make you a new one. If nobody has an account yet, start the program again: \
                it prints a link." }
            p { a.button href="/console/login" { "Sign in" } }
        },
    );
    (StatusCode::GONE, page).into_response()
}

fn busy() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], "It is busy; try again in a moment.\n")
        .into_response()
}

fn too_many(name: &str, many: TooMany) -> Response {
    let minutes = many.seconds().div_ceil(60);
    let why = format!("That were too many tries. Wait {minutes} min, then try again.");
    let page = page::door("Sign in", login_form(name, Some(&why)));
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, many.seconds().to_string())], page).into_response()
}

fn login_form(name: &str, fault: Option<&str>) -> Markup {
    html! {
        form method="post" action="/console/login" {
            @if let Some(fault) = fault { p.alert role="alert" { (fault) } }
            label for="name" { "Your name" }
            input #name name="name" value=(name) autocomplete="username" autofocus[name.is_empty()] required
                maxlength=(LONGEST_NAME);
            label for="password" { "Password" }
            input #password name="password" type="password" autocomplete="current-password"
                autofocus[!name.is_empty()] required maxlength=(password::LONGEST);
            button.main type="submit" { "Sign in" }
        }
    }
}

fn welcome_form(key: &str, name: &str, fault: Option<&str>) -> Markup {
    html! {
        p { "Choose how you will sign in from now on." }
        form method="post" action="/console/welcome" {
            @if let Some(fault) = fault { p.alert role="alert" { (fault) } }
            input type="hidden" name="key" value=(key);
            label for="name" { "Your name" }
            p.hint #name-hint { "Customers see it when you answer them yourself." }
            input #name name="name" value=(name) autocomplete="username" aria-describedby="name-hint" autofocus required
                maxlength=(LONGEST_NAME);
            label for="password" { "Password" }
            p.hint #password-hint { "At least " (password::SHORTEST) " characters." }
            input #password name="password" type="password" autocomplete="new-password"
                aria-describedby="password-hint" required minlength=(password::SHORTEST) maxlength=(password::LONGEST);
            button.main type="submit" { "Open the console" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_fits_its_key_until_it_is_old() {
        let (now, hash) = (Moment(1_000), session::hash_of("key"));
        assert!(fits(&hash, "key", now));
        assert!(!fits(&hash, "other", now));
        assert!(fits(&format!("{hash} 1001"), "key", now));
        assert!(!fits(&format!("{hash} 1000"), "key", now));
        assert!(!fits(&format!("{hash} never"), "key", now));
    }

    #[test]
    fn names_are_compared_folded() {
        assert_eq!(tidy("  Counter\u{0} \n one "), "Counter one");
        assert_eq!(folded(" COUNTER  one"), folded("ｃounter One"));
        assert_eq!(folded(&"Ж".repeat(500)).chars().count(), LONGEST_NAME);
    }
}
