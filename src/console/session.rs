//! Sign-ins: a random token in a cookie, its hash in the database, two limits of time.
//!
//! Decided: an open live screen counts as use. A kitchen's screen that nobody touches on a slow afternoon must not go
//! dark before the evening's first order; what ends by idling is a sign-in whose pages are all closed.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::{
    Console,
    cookie::{self, SameSite},
    failure::Failure,
};
use crate::{
    id::StaffId,
    moment::{Moment, Span},
    store::{SignedIn, StoreError},
};

/// A sign-in ends after this, used or not.
pub const LONGEST: Span = Span::hours(12);

/// A sign-in ends after this without use.
pub const LONGEST_IDLE: Span = Span::hours(2);

/// Use is written down no more often than this: a page that refreshes itself need not write each time.
const NOTED_EVERY: Span = Span::minutes(1);

/// Length of a token in bytes: 256 bits can't be guessed.
const TOKEN_BYTES: usize = 32;

const COOKIE: &str = "session";

/// Tells htmx to leave for another page.
const ELSEWHERE: HeaderName = HeaderName::from_static("hx-redirect");

/// Set by htmx.
const BY_SCRIPT: HeaderName = HeaderName::from_static("hx-request");

/// Who is signed in, in a request's extensions.
#[derive(Debug, Clone)]
pub struct Staff {
    /// As customers and colleagues see it.
    pub name: String,
    /// The hash of the token that they showed.
    pub token_hash: String,
}

/// Lets nobody in who has not signed in: pages lead to the sign-in, fragments and streams are refused.
pub(super) async fn demand(State(console): State<Console>, mut request: Request, next: Next) -> Response {
    match staff(&console, request.headers()).await {
        Ok(Some(staff)) => {
            request.extensions_mut().insert(staff);
            next.run(request).await
        }
        Ok(None) => turned_away(request.headers()),
        Err(error) => Failure::Store(error).into_response(),
    }
}

/// Who a request's cookie belongs to, where its sign-in is still good; notes that it was used.
pub(super) async fn staff(console: &Console, headers: &HeaderMap) -> Result<Option<Staff>, StoreError> {
    let Some(token) = cookie::read(headers, COOKIE, console.web.is_https()) else { return Ok(None) };
    let token_hash = hash_of(token);
    Ok(used(console, &token_hash).await?.map(|signed_in| Staff { name: signed_in.name, token_hash }))
}

/// The sign-in of a token's hash, where it is still good; notes that it was used. One that has run out is removed.
pub(super) async fn used(console: &Console, token_hash: &str) -> Result<Option<SignedIn>, StoreError> {
    let (store, merchant) = (console.web.work.store(), &console.web.merchant);
    let Some(signed_in) = store.session(merchant, token_hash).await? else { return Ok(None) };
    let now = console.web.now();
    if !is_good(&signed_in, now) {
        end(console, token_hash).await?;
        return Ok(None);
    }
    if now.since(signed_in.seen_at) >= NOTED_EVERY {
        store.session_seen(merchant, token_hash, now).await?;
    }
    Ok(Some(signed_in))
}

/// Signs somebody in under a new token; the cookie that carries it.
pub(super) async fn begin(console: &Console, id: StaffId) -> Result<HeaderValue, Failure> {
    let random: [u8; TOKEN_BYTES] = rand::random();
    let token = URL_SAFE_NO_PAD.encode(random);
    let web = &console.web;
    web.work.store().open_session(&web.merchant, &hash_of(&token), id, web.now()).await?;
    cookie::write(COOKIE, &token, SameSite::Strict, LONGEST.0 / 1_000, web.is_https()).ok_or(Failure::Form)
}

/// Ends a sign-in, its open streams with it.
pub(super) async fn end(console: &Console, token_hash: &str) -> Result<(), StoreError> {
    console.web.work.store().close_session(&console.web.merchant, token_hash).await?;
    // Nobody listens where no stream is open.
    let _ = console.memory.ended.send(token_hash.to_owned());
    Ok(())
}

/// The cookie that takes a sign-in's token back.
pub(super) fn no_cookie(console: &Console) -> Option<HeaderValue> {
    cookie::write(COOKIE, "", SameSite::Strict, 0, console.web.is_https())
}

/// Whether a request was made by a script that puts fragments into the page.
pub(super) fn by_script(headers: &HeaderMap) -> bool {
    headers.contains_key(BY_SCRIPT)
}

/// What is kept of a token.
pub(super) fn hash_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

fn is_good(signed_in: &SignedIn, now: Moment) -> bool {
    now.since(signed_in.created_at) < LONGEST && now.since(signed_in.seen_at) < LONGEST_IDLE
}

fn turned_away(headers: &HeaderMap) -> Response {
    const LOGIN: &str = "/console/login";
    let wants_page = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"));
    if wants_page && !by_script(headers) {
        return Redirect::to(LOGIN).into_response();
    }
    (StatusCode::UNAUTHORIZED, [(ELSEWHERE, LOGIN)], "Sign in first.\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_ends_by_age_and_by_idling() {
        let start = Moment(1_000_000);
        let seen = |after: Span| SignedIn {
            id: StaffId(1),
            name: "Counter".into(),
            created_at: start,
            seen_at: start.after(after),
        };
        assert!(is_good(&seen(Span(0)), start.after(Span(LONGEST_IDLE.0 - 1))));
        assert!(!is_good(&seen(Span(0)), start.after(LONGEST_IDLE)));
        let late = Span(LONGEST.0 - 1);
        assert!(is_good(&seen(late), start.after(late)));
        assert!(!is_good(&seen(late), start.after(LONGEST)), "used a moment ago, and over");
    }
}
